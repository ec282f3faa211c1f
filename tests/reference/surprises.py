"""Owns what goes wrong in a made-up stream: surprises, corrections, and, when asked for, contradictions."""

from decimal import Decimal

from acts import BUY_IN, REASONS, RULES, SELL_OUT, STRATEGIES, decimal, description, exit_words, fill_trade, maybe
from acts import open_trade, pick
from world import GHOST_ACCOUNT, LATE_ACCOUNT, LATE_ACCOUNT_DATA

# Surprises.


def fill_unknown_trade(world):
    symbol = world.any_symbol()
    account = world.any_account() if world.chance(0.5) else None
    trade_id = world.next_id("U")
    fill_trade(world, trade_id, symbol, pick(world, ["buy", "sell"]), world.quantity(symbol), account)
    if world.chance(0.5):
        open_trade(world, trade_id, symbol, account, world.book.trades[trade_id].side)


def fill_finished_trade(world):
    """A fill carrying the id of a closed or a voided trade, on either side."""
    trade = world.any_trade(world.rng.choice(["closed", "closed", "voided"]))
    if trade:
        fill_trade(world, trade.id, trade.symbol, pick(world, ["buy", "sell"]), world.quantity(trade.symbol))


def overfill(world):
    trade = world.any_trade("open")
    if trade:
        quantity = decimal(trade.open_quantity) + world.quantity(trade.symbol)
        if world.chance(0.5):
            fill_trade(world, trade.id, trade.symbol, SELL_OUT[trade.side], quantity)
        else:
            world.emit("TradeExited", exit_words(world, trade) | {
                "price": world.spell(world.price(trade.symbol)), "quantity": world.spell(quantity),
            })


def repeat_fill(world):
    fill = world.rng.choice(list(world.book.fills.values())) if world.book.fills else None
    if fill:
        world.emit("FillRecorded", {
            "fill_id": fill.id, "symbol": fill.symbol, "side": fill.side, "quantity": world.spell(1),
            "price": world.spell(world.price(fill.symbol)), "account_id": fill.account,
        })


def open_again(world):
    """A TradeOpened for a trade that is there: the second of its kind, or one late after its fills."""
    trade = world.any_trade(world.rng.choice(["open", "closed"]))
    if trade:
        account = world.any_account() if world.chance(0.2) else trade.account
        open_trade(world, trade.id, trade.symbol, account, trade.side)


def exit_finished_trade(world):
    """TradeExited for a closed trade: with a price and no quantity it is no fill, with both it goes on."""
    trade = world.any_trade("closed")
    if trade:
        world.emit("TradeExited", exit_words(world, trade) | {
            "price": maybe(world, 0.6, world.spell(world.price(trade.symbol))),
            "quantity": maybe(world, 0.3, world.spell(1)),
        })


def name_nobody(world):
    """Events for a trade or a fill that nobody knows."""
    nobody = world.next_id("nobody")
    kind, data = world.rng.choice([
        ("StopMoved", {"trade_id": nobody, "stop_price": "100"}),
        ("TargetMoved", {"trade_id": nobody, "target_price": "100"}),
        ("ExcursionMarked", {"trade_id": nobody, "high": "101", "low": 99}),
        ("TradeExited", {"trade_id": nobody, "reason": "stop", "price": "100", "quantity": 1}),
        ("RuleBroken", {"trade_id": nobody, "rule": RULES[0]}),
        ("NoteAdded", {"trade_id": nobody, "text": "lost"}),
        ("TradeAmended", {"trade_id": nobody, "changes": {"regime": "x"}, "reason": "typo"}),
        ("TradeVoided", {"trade_id": nobody, "reason": "typo"}),
        ("FillCorrected", {"fill_id": nobody, "price": "1", "reason": "typo"}),
        ("FillBusted", {"fill_id": nobody, "reason": "typo"}),
    ])
    world.emit(kind, data)


def use_ghost(world):
    fill_trade(world, None, "MES", pick(world, ["buy", "sell"]), Decimal(1), GHOST_ACCOUNT)


def open_late_account(world):
    if LATE_ACCOUNT not in world.book.accounts and len(world.lines) > 120:
        world.emit("AccountOpened", {"account_id": LATE_ACCOUNT} | LATE_ACCOUNT_DATA)


# Corrections.


def any_fill(world):
    """A fill, of the latest ones or from long ago."""
    fills = list(world.book.fills.values())
    if not fills:
        return None
    return world.rng.choice(fills[-15:] if world.chance(0.5) else fills)


def correct_fill(world):
    fill = any_fill(world)
    if fill:
        data = {
            "quantity": maybe(world, 0.4, world.spell(world.quantity(fill.symbol))),
            "price": maybe(world, 0.6, world.spell(world.price(fill.symbol))),
            "fees": maybe(world, 0.3, world.spell("3.21")),
        }
        if not any(data.values()):
            data["fees"] = "0.01"
        world.emit("FillCorrected", {"fill_id": fill.id, "reason": "broker statement"} | data)


def bust_fill(world):
    fill = any_fill(world)
    if fill:
        world.emit("FillBusted", {"fill_id": fill.id, "reason": "exchange bust"})


def amend_trade(world):
    trade = world.old_trade() if world.chance(0.5) else world.any_trade(pick(world, ["open", "closed", "voided"]))
    if not trade:
        return
    offered = description(world, trade.symbol, trade.side)
    offered |= {"strategy": pick(world, STRATEGIES)}
    if trade.exit_ids:
        offered |= {
            "reason": pick(world, REASONS), "execution_quality": "0.9", "daily_loss_limit_remaining": "77",
            "price": world.spell(world.price(trade.symbol)) if trade.exit_ids[-1] in world.book.fills else None,
            "fees": "2.22" if trade.exit_ids[-1] in world.book.fills else None,
        }
    offered = {name: value for name, value in offered.items() if value is not None}
    names = world.rng.sample(sorted(offered), min(len(offered), world.rng.randint(1, 4)))
    nullable = {"regime", "notes", "stop_price", "risk_amount", "conditions", "tags", "equity"}
    changes = {name: None if name in nullable and world.chance(0.2) else offered[name] for name in names}
    world.emit("TradeAmended", {"trade_id": trade.id, "changes": changes, "reason": "review"})


def void_trade(world):
    trade = world.old_trade() if world.chance(0.5) else world.any_trade(pick(world, ["open", "closed"]))
    if trade:
        world.emit("TradeVoided", {"trade_id": trade.id, "reason": "was on sim"})


def reassign_fills(world):
    """Splits a trade into a new one, or moves its fills to another of the same instrument and account."""
    trade = world.old_trade() if world.chance(0.5) else world.any_trade(pick(world, ["open", "closed"]))
    if not trade or not trade.entries:
        return
    fills = [part.fill.id for part in trade.entries + trade.exits]
    alike = [
        other.id for other in world.book.trades.values()
        if other is not trade and (other.account, other.symbol) == (trade.account, trade.symbol)
    ]
    if alike and world.chance(0.5):
        target, moved = world.rng.choice(alike), fills
    else:
        target, moved = world.next_id("S"), world.rng.sample(fills, world.rng.randint(1, len(fills)))
    if world.chance(0.1):
        moved = moved + [world.next_id("nofill")]
    world.emit("FillsReassigned", {"fill_ids": moved, "trade_id": target, "reason": "wrongly merged"})


# Contradictions, only when asked for.


def contradict(world):
    world.rng.choice([amend_identity, fill_of_other_symbol, open_twice_account, odd_risk, odd_side])(world)


def amend_identity(world):
    trade = world.any_trade(pick(world, ["open", "closed"]))
    if trade:
        changes = pick(world, [{"side": pick(world, ["long", "short"])}, {"symbol": world.any_symbol()},
                               {"account_id": world.any_account()}])
        world.emit("TradeAmended", {"trade_id": trade.id, "changes": changes, "reason": "wrong ticket"})


def fill_of_other_symbol(world):
    trade = world.any_trade("open")
    if trade:
        symbol = world.any_symbol()
        account = world.any_account() if world.chance(0.5) else None
        fill_trade(world, trade.id, symbol, pick(world, ["buy", "sell"]), world.quantity(symbol), account)


def open_twice_account(world):
    account = pick(world, list(world.book.accounts))
    world.emit("AccountOpened", {
        "account_id": account, "currency": "USD", "starting_equity": "1", "time_zone": "UTC",
    })


def odd_risk(world):
    world.emit("RiskSet", {"key": pick(world, ["mode", "daily_pnl_r"]), "value": pick(world, ["reduced", "9"])})


def odd_side(world):
    trade = world.any_trade(pick(world, ["open", "closed"]))
    if trade:
        open_trade(world, trade.id, trade.symbol, trade.account, pick(world, ["long", "short"]))
