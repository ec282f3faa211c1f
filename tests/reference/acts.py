"""Owns the ordinary things a made-up trader does, each a few events of the stream."""

from decimal import Decimal

from world import INSTRUMENTS, LATE_INSTRUMENT, LATE_SYMBOL

STRATEGIES = ["breakout", "vwap-fade", "opening-range"]
REGIMES = ["trend", "range", "volatile"]
RULES = ["no-revenge", "max-size", "no-news", "wait-for-close"]
ORDER_TYPES = ["market", "limit", "stop"]
REASONS = ["target", "stop", "time", "regime_shift", "manual", "fat-finger"]
BUY_IN = {"long": "buy", "short": "sell"}
SELL_OUT = {"long": "sell", "short": "buy"}


def maybe(world, probability, value):
    return value if world.chance(probability) else None


def pick(world, values, probability=1.0):
    return world.rng.choice(values) if world.chance(probability) else None


def decimal(fraction):
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


# Entries and exits.


def open_trade(world, trade_id=None, symbol=None, account=None, side=None):
    """TradeOpened, mostly with its entry fill or fills."""
    symbol = symbol or world.any_symbol()
    account = account or world.any_account()
    side = side or world.rng.choice(["long", "short"])
    trade_id = trade_id or world.next_id("T")
    data = {"trade_id": trade_id, "symbol": symbol, "side": side, "strategy": pick(world, STRATEGIES)}
    data["account_id"] = None if account == "default" and world.chance(0.5) else account
    world.emit("TradeOpened", data | description(world, symbol, side))
    while world.chance(0.85):
        fill_trade(world, trade_id, symbol, BUY_IN[side], world.quantity(symbol))
        if world.chance(0.6):
            break


def description(world, symbol, side):
    """TradeOpened's optional fields, each there at times."""
    away = world.rng.randint(8, 40) * (1 if side == "long" else -1)
    price = world.price(symbol)
    tick = world.tick_of(symbol)
    return {
        "regime": pick(world, REGIMES, 0.7),
        "timeframe": pick(world, ["1m", "5m"], 0.5),
        "stop_price": maybe(world, 0.7, world.spell(price - tick * away)),
        "target_price": maybe(world, 0.6, world.spell(price + tick * away * 2)),
        "planned_quantity": maybe(world, 0.3, world.spell(2)),
        "planned_entry_price": maybe(world, 0.3, world.spell(price)),
        "risk_amount": maybe(world, 0.3, world.spell(pick(world, ["250", "100.5", "0", "333.33"]))),
        "equity": maybe(world, 0.5, world.spell(world.rng.randint(9000, 60000))),
        "order_type": pick(world, ORDER_TYPES, 0.4),
        "signal": pick(world, ["cross", "sweep"], 0.4),
        "notes": pick(world, ["first pullback", "two\nlines, \"quoted\"", "ünïcode"], 0.3),
        "tags": maybe(world, 0.3, world.rng.sample(["a+", "open", "news"], world.rng.randint(1, 3))),
        "mental_state": maybe(world, 0.3, world.rng.randint(1, 5)),
        "confidence": maybe(world, 0.4, world.spell(Decimal(world.rng.randint(0, 100)) / 100)),
        "success_probability": maybe(world, 0.3, world.spell(Decimal(world.rng.randint(0, 100)) / 100)),
        "daily_loss_limit": maybe(world, 0.15, world.spell("750")),
        "conditions": maybe(world, 0.5, conditions(world, price)),
        "attributes": maybe(world, 0.2, {"z": 1, "a": {"nested": [True, None, "x"]}, "n": 2.5}),
    }


def conditions(world, price):
    rng = world.rng
    found = {
        "atr": maybe(world, 0.8, world.spell(Decimal(rng.randint(50, 900)) / 100)),
        "volume": maybe(world, 0.8, world.spell(rng.randint(100, 90000))),
        "vwap": maybe(world, 0.8, world.spell(price + Decimal(rng.randint(-40, 40)) / 8)),
        "vwap_slope": maybe(world, 0.5, world.spell(Decimal(rng.randint(-100, 100)) / 1000)),
        "adx": maybe(world, 0.6, world.spell(Decimal(rng.randint(80, 500)) / 10)),
        "spread_ticks": maybe(world, 0.5, world.spell(rng.randint(1, 3))),
        "liquidity_quality": maybe(world, 0.5, world.spell("0.75")),
        "signals_confluence": maybe(world, 0.5, world.spell(rng.randint(0, 6))),
        "tf_alignment": maybe(world, 0.5, world.spell("0.6")),
        "conflicting_timeframes": maybe(world, 0.4, rng.sample(["1m", "5m", "1h"], rng.randint(1, 2))),
    }
    return {name: value for name, value in found.items() if value is not None}


def fill_trade(world, trade_id, symbol, side, quantity, account=None, at=None):
    """A FillRecorded, with the trade's id or, where `trade_id` is None, without."""
    price = world.price(symbol)
    intended = price + world.tick_of(symbol) * world.rng.randint(-3, 3)
    world.emit("FillRecorded", {
        "fill_id": world.next_id("F"), "symbol": symbol, "side": side, "trade_id": trade_id, "account_id": account,
        "quantity": world.spell(quantity), "price": world.spell(price), "fees": world.fees(quantity),
        "order_id": maybe(world, 0.5, world.next_id("O")),
        "order_type": pick(world, ORDER_TYPES, 0.5),
        "intended_price": maybe(world, 0.5, world.spell(intended)),
        "slippage_ticks": maybe(world, 0.2, world.spell(Decimal(world.rng.randint(-4, 8)) / 2)),
        "latency_ms": maybe(world, 0.5, world.spell(Decimal(world.rng.randint(10, 9000)) / 10)),
        "liquidity": pick(world, ["maker", "taker"], 0.5),
    }, at or world.maybe_late())


def raw_fill(world):
    """A fill without a trade, of any side: it adds, reduces, closes, flips or opens."""
    symbol = world.any_symbol()
    account = world.any_account()
    given = None if account == "default" and world.chance(0.5) else account
    fill_trade(world, None, symbol, world.rng.choice(["buy", "sell"]), world.quantity(symbol), given)


def raw_close(world):
    """A fill without a trade that closes, or flips, the position of an open one."""
    trade = world.any_trade("open")
    if trade and trade.open_quantity > 0:
        quantity = decimal(trade.open_quantity)
        quantity += world.quantity(trade.symbol) if world.chance(0.3) else 0
        fill_trade(world, None, trade.symbol, SELL_OUT[trade.side], quantity, trade.account)


def scale_in(world):
    trade = world.any_trade("open")
    if trade:
        fill_trade(world, trade.id, trade.symbol, BUY_IN[trade.side], world.quantity(trade.symbol))


def scale_out(world):
    trade = world.any_trade("open")
    if trade and trade.open_quantity > 0:
        quantity = min(world.quantity(trade.symbol), decimal(trade.open_quantity))
        fill_trade(world, trade.id, trade.symbol, SELL_OUT[trade.side], quantity)


def exit_by_fill(world):
    """Closes by a fill of all that is open, then mostly says why."""
    trade = world.any_trade("open")
    if trade and trade.open_quantity > 0:
        fill_trade(world, trade.id, trade.symbol, SELL_OUT[trade.side], decimal(trade.open_quantity))
        if world.chance(0.7):
            world.emit("TradeExited", exit_words(world, trade))


def exit_by_word(world):
    """TradeExited with a price, for all that is open or a part of it."""
    trade = world.any_trade("open")
    if not trade or (world.tame and trade.open_quantity == 0):
        return
    price = world.price(trade.symbol)
    data = exit_words(world, trade) | {
        "price": world.spell(price),
        "fees": world.fees(decimal(trade.open_quantity)),
        "intended_price": maybe(world, 0.4, world.spell(price + world.tick_of(trade.symbol))),
        "slippage_ticks": maybe(world, 0.2, world.spell("1.5")),
        "latency_ms": maybe(world, 0.5, world.spell(world.rng.randint(1, 500))),
    }
    if trade.open_quantity > 0 and world.chance(0.3):
        part = min(world.quantity(trade.symbol), decimal(trade.open_quantity))
        data["quantity"] = world.spell(part)
    world.emit("TradeExited", data, world.maybe_late())


def exit_words(world, trade):
    return {
        "trade_id": trade.id,
        "reason": pick(world, REASONS),
        "order_type": pick(world, ORDER_TYPES, 0.4),
        "execution_quality": maybe(world, 0.4, world.spell("0.8")),
        "daily_loss_limit_remaining": maybe(world, 0.15, world.spell("412.5")),
        "notes": pick(world, ["held to plan", "early"], 0.3),
    }


# Along the way.


def move_stop(world):
    trade = world.any_trade("open")
    if trade:
        data = {"trade_id": trade.id, "stop_price": world.spell(world.price(trade.symbol, -12))}
        world.emit("StopMoved", data | {"reason": pick(world, ["trail", "breakeven"], 0.5)})


def move_target(world):
    trade = world.any_trade("open")
    if trade:
        world.emit("TargetMoved", {
            "trade_id": trade.id, "target_price": world.spell(world.price(trade.symbol, 25)),
        })


def mark_excursion(world):
    trade = world.any_trade("open")
    if trade:
        price, tick = world.price(trade.symbol), world.tick_of(trade.symbol)
        high, low = price + tick * world.rng.randint(0, 30), price - tick * world.rng.randint(0, 30)
        world.emit("ExcursionMarked", {
            "trade_id": trade.id, "high": world.spell(high), "low": world.spell(low),
        })


def close_bar(world):
    trade = world.any_trade("open")
    symbol = trade.symbol if trade and world.chance(0.7) else world.any_symbol()
    minutes = world.rng.choice([1, 5])
    starts = world.now.replace(second=0, microsecond=0)
    starts = starts.replace(minute=starts.minute - starts.minute % minutes)
    tick, opens = world.tick_of(symbol), world.price(symbol)
    closes = world.price(symbol)
    high = max(opens, closes) + tick * world.rng.randint(0, 9)
    low = min(opens, closes) - tick * world.rng.randint(0, 9)
    world.emit("BarClosed", {
        "symbol": symbol, "timeframe": f"{minutes}m", "timestamp": world.spell_time(starts),
        "open": world.spell(opens), "high": world.spell(high), "low": world.spell(low),
        "close": world.spell(closes), "volume": world.spell(world.rng.randint(0, 5000)),
        "vwap": maybe(world, 0.5, world.spell(opens)), "adx": maybe(world, 0.5, world.spell("23.5")),
        "atr": maybe(world, 0.5, world.spell("4.25")), "regime": pick(world, REGIMES, 0.5),
    })


def break_rule(world):
    trade = world.any_trade(world.rng.choice(["open", "closed"])) if world.chance(0.7) else None
    world.emit("RuleBroken", {
        "rule": pick(world, RULES), "trade_id": trade.id if trade else None,
        "account_id": None if trade or world.chance(0.3) else world.any_account(),
        "severity": pick(world, ["info", "minor", "major"], 0.7), "detail": pick(world, ["chased it"], 0.4),
    }, world.maybe_late())


def rate_mood(world):
    account = None if world.chance(0.3) else world.any_account()
    data = {"score": world.rng.randint(1, 5), "account_id": account, "note": pick(world, ["tired"], 0.3)}
    world.emit("MentalStateRated", data, world.maybe_late())


def add_note(world):
    trade = world.any_trade(world.rng.choice(["open", "closed"])) if world.chance(0.6) else None
    world.emit("NoteAdded", {
        "text": pick(world, ["patience", "sized up, why?", "line one\nline two"]),
        "trade_id": trade.id if trade else None,
        "account_id": None if trade or world.chance(0.4) else world.any_account(),
        "date": maybe(world, 0.3, world.now.date().isoformat()),
        "tags": maybe(world, 0.3, [pick(world, ["review", "a+"])]),
    }, world.maybe_late())


def change_state(world):
    world.emit("StateChanged", {
        "state": pick(world, ["idle", "armed", "in_trade", "halted"]),
        "account_id": None if world.chance(0.3) else world.any_account(),
        "regime": pick(world, REGIMES, 0.6), "strategy": pick(world, STRATEGIES, 0.6),
        "current_r": maybe(world, 0.4, world.spell("-0.75")), "reason": pick(world, ["schedule"], 0.3),
    })


def set_risk(world):
    world.emit("RiskSet", {
        "key": pick(world, ["max_contracts", "risk_per_trade", "daily_loss_limit"]),
        "value": world.spell(pick(world, ["3", "0.5", "250"])),
        "account_id": None if world.chance(0.3) else world.any_account(),
        "reason": pick(world, ["drawdown"], 0.3),
    })


def move_cash(world):
    kind = pick(world, ["deposit", "withdrawal", "payout", "fee", "adjustment"])
    sign = 1 if kind in ("deposit", "adjustment") else -1
    amount = Decimal(world.rng.randint(1, 200000)) / 100 * sign
    world.emit("CashMoved", {
        "account_id": world.any_account(), "amount": world.spell(amount), "kind": kind,
        "note": pick(world, ["monthly"], 0.3),
    }, world.maybe_late())


def define_instrument(world):
    """A symbol defined again with another point value, or the one nobody has defined yet."""
    symbol = LATE_SYMBOL if world.chance(0.5) and not world.tame else pick(world, list(INSTRUMENTS))
    tick, point_value, _ = LATE_INSTRUMENT if symbol == LATE_SYMBOL else INSTRUMENTS[symbol]
    if world.chance(0.3):
        point_value = str(Decimal(point_value) * 2)
    world.emit("InstrumentDefined", {
        "symbol": symbol, "tick_size": world.spell(tick), "point_value": world.spell(point_value),
        "asset_class": "future",
    })
