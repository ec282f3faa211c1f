"""Owns the state of one pass over the events: trades, fills and their placement, accounts, bars, notes, anomalies.

The pass is told the corrections beforehand, so each fact is folded as corrected. Derived figures (days, metrics,
rows) are computed from the book elsewhere, and the history tables are the caller's.
"""

from dataclasses import dataclass
from fractions import Fraction

from corrections import CORRECTION_TYPES, merged
from facts import DEFAULT_ACCOUNT, iso, moment, number
from trade import EXIT_FILL, SIDE_OF_FILL, Fill, Trade

DEFAULT_POINT_VALUE = Fraction(1)
DEFAULT_TICK_SIZE = Fraction(1, 100)
DERIVED_KEYS = ("daily_pnl_r", "weekly_pnl_r", "consecutive_red_days", "daily_loss_limit_remaining")


@dataclass
class Anomaly:
    seq: int
    kind: str
    trade_id: str | None
    fill_id: str | None
    detail: str


@dataclass
class Sighting:
    """What a trade was worth at an event: at the low and the high of its prices, and at the last one known."""
    event: object
    trade: Trade
    at_low: Fraction
    at_high: Fraction
    at_last: Fraction


class Book:
    def __init__(self, corrections):
        self.corrections = corrections
        self.trades = {}  # trade_id -> Trade, oldest first
        self.fills = {}  # fill_id -> Fill
        self.accounts = {}  # account_id -> AccountOpened's data
        self.instruments = {}  # symbol -> latest InstrumentDefined's data
        self.moods = []  # MentalStateRated events
        self.bars = {}  # (timestamp text, symbol, timeframe) -> event
        self.rule_breaks = []  # (event, account, trade_id)
        self.notes = []  # (event, account, trade_id)
        self.cash = []  # CashMoved events
        self.risk_set = {}  # (account, key) -> RiskSet event
        self.last_event = {}  # account -> its latest event
        self.anomalies = []
        self.just_closed = []  # trades the event being folded closed
        self.sightings = []  # what open trades were worth, event by event, in position order

    def fold(self, event):
        self.just_closed = []
        if event.type in CORRECTION_TYPES:
            self.fold_correction(event)
        else:
            getattr(self, "fold_" + event.type)(event)

    def touch(self, account, event):
        self.last_event[account] = event

    def report(self, event, kind, trade_id=None, fill_id=None, detail=""):
        self.anomalies.append(Anomaly(event.seq, kind, trade_id, fill_id, detail))

    def trade_named_by(self, event):
        """The trade the event names, or None and an anomaly where nobody knows it."""
        trade_id = event.data["trade_id"]
        trade = self.trades.get(trade_id)
        if trade is None:
            self.report(event, "unknown_trade", trade_id, detail=f"{event.type} for a trade nobody opened")
        return trade

    # Accounts, instruments and what stands on its own.

    def fold_AccountOpened(self, event):
        account = event.data["account_id"]
        if account in self.accounts:
            self.report(event, "account_opened_twice", detail=account)
            return
        self.accounts[account] = event.data
        self.touch(account, event)

    def fold_InstrumentDefined(self, event):
        self.instruments[event.data["symbol"]] = event.data

    def fold_MentalStateRated(self, event):
        self.moods.append(event)
        self.touch(account_of(event), event)

    def fold_StateChanged(self, event):
        self.touch(account_of(event), event)

    def fold_RiskSet(self, event):
        if event.data["key"] in DERIVED_KEYS:
            self.report(event, "derived_risk_key", detail=event.data["key"])
        self.risk_set[account_of(event), event.data["key"]] = event
        self.touch(account_of(event), event)

    def fold_CashMoved(self, event):
        self.cash.append(event)
        self.touch(account_of(event), event)

    def fold_RuleBroken(self, event):
        self.attach(event, self.rule_breaks, lambda trade: trade.rules.append(event.data["rule"]))

    def fold_NoteAdded(self, event):
        remark = (event.data["text"], event.data.get("tags", []))
        self.attach(event, self.notes, lambda trade: trade.remarks.append(remark))

    def attach(self, event, rows, tell):
        """Keeps an event that may name a trade; one that names an unknown trade changes nothing."""
        account = event.data.get("account_id")
        trade_id = event.data.get("trade_id")
        if trade_id is not None:
            trade = self.trade_named_by(event)
            if trade is None:
                return
            tell(trade)
            account = account or trade.account
        account = account or DEFAULT_ACCOUNT
        rows.append((event, account, trade_id))
        self.touch(account, event)

    def fold_BarClosed(self, event):
        starts = moment(event.data["timestamp"])
        self.bars[iso(starts), event.data["symbol"], event.data["timeframe"]] = event
        for trade in self.trades.values():
            holds = trade.open_quantity > 0 and not trade.voided
            if trade.symbol == event.data["symbol"] and holds and starts >= trade.entry_at:
                trade.seen_prices += [number(event.data["high"]), number(event.data["low"])]
                trade.last_price = number(event.data["close"])
                self.see(event, trade, number(event.data["low"]), number(event.data["high"]))

    def see(self, event, trade, low, high):
        """Notes what a trade is worth at the prices of an event, and at its last known price."""
        worths = (trade.worth_at(price) for price in (min(low, high), max(low, high), trade.last_price))
        self.sightings.append(Sighting(event, trade, *worths))

    # Trades.

    def fold_TradeOpened(self, event):
        trade_id = event.data["trade_id"]
        said = merged(event.data, self.corrections.opened_changes.get(trade_id, {}))
        trade = self.trades.get(trade_id)
        if trade is None:
            account = said.get("account_id", DEFAULT_ACCOUNT)
            symbol = said.get("symbol", event.data["symbol"])
            side = said.get("side", event.data["side"])
            trade = self.new_trade(event, trade_id, account, symbol, side)
        elif trade.opened_seq is not None:
            self.report(event, "trade_opened_twice", trade_id)
            return
        trade.said, trade.opened_seq, trade.opened_at = said, event.seq, event.at
        self.touch(trade.account, event)

    def new_trade(self, event, trade_id, account, symbol, side, fill_id=None):
        instrument = self.instruments.get(symbol)
        if instrument is None:
            self.report(event, "unknown_instrument", trade_id, fill_id, symbol)
        self.trades[trade_id] = Trade(
            id=trade_id,
            account=account,
            symbol=symbol,
            side=side,
            first_seq=event.seq,
            point_value=number(instrument["point_value"]) if instrument else DEFAULT_POINT_VALUE,
            tick_size=number(instrument["tick_size"]) if instrument else DEFAULT_TICK_SIZE,
            said=merged({}, self.corrections.opened_changes.get(trade_id, {})),
        )
        return self.trades[trade_id]

    def fold_StopMoved(self, event):
        trade = self.trade_named_by(event)
        if trade:
            trade.stops.append((event.seq, number(event.data["stop_price"])))
            self.touch(trade.account, event)

    def fold_TargetMoved(self, event):
        trade = self.trade_named_by(event)
        if trade:
            trade.targets.append((event.seq, number(event.data["target_price"])))
            self.touch(trade.account, event)

    def fold_ExcursionMarked(self, event):
        trade = self.trade_named_by(event)
        if trade:
            trade.seen_prices += [number(event.data["high"]), number(event.data["low"])]
            if trade.open_quantity > 0:
                self.see(event, trade, number(event.data["low"]), number(event.data["high"]))
            self.touch(trade.account, event)

    def fold_TradeExited(self, event):
        trade = self.trade_named_by(event)
        if trade:
            said = merged(event.data, self.corrections.exited_changes.get(event.id, {}))
            trade.exits_said.append(said)
            trade.exit_ids.append(event.id)
            if "notes" in said:
                trade.remarks.append((said["notes"], []))
            self.touch(trade.account, event)
        self.record_exit_fill(event, trade)

    def record_exit_fill(self, event, named):
        """The fill of a TradeExited with a price; a reassigned one is of the trade it was reassigned to."""
        data = merged(event.data, self.corrections.fill_changes.get(event.id, {}))
        target_id = self.corrections.trade_of_fill.get(event.id, event.data["trade_id"])
        target = self.trades.get(target_id)
        source = named or target
        if "price" not in data or source is None:
            return
        quantity = number(data.get("quantity"))
        if quantity is None:
            quantity = target.open_quantity if target else Fraction(0)
        if quantity == 0:
            return
        data = {**data, "fill_id": event.id, "side": EXIT_FILL[source.side], "symbol": source.symbol}
        self.record_fill(event, data, quantity, source.account, target_id)

    # Fills.

    def fold_FillRecorded(self, event):
        fill_id = event.data["fill_id"]
        data = merged(event.data, self.corrections.fill_changes.get(fill_id, {}))
        target_id = self.corrections.trade_of_fill.get(fill_id, event.data.get("trade_id"))
        account = event.data.get("account_id")
        for trade_id in (target_id, event.data.get("trade_id")):
            if account is None and trade_id in self.trades:
                account = self.trades[trade_id].account
        self.record_fill(event, data, number(data["quantity"]), account or DEFAULT_ACCOUNT, target_id)

    def record_fill(self, event, data, quantity, account, trade_id):
        if data["fill_id"] in self.fills:
            self.report(event, "fill_id_repeated", None, data["fill_id"])  # where the first went is no news of this one
            return
        fill = Fill(
            id=data["fill_id"],
            seq=event.seq,
            at=event.at,
            account=account,
            symbol=data["symbol"],
            side=data["side"],
            quantity=quantity,
            price=number(data["price"]),
            fees=number(data.get("fees", 0)),
            status=self.corrections.fill_status(data["fill_id"]),
            order_id=data.get("order_id"),
            order_type=data.get("order_type"),
            intended_price=number(data.get("intended_price")),
            slippage_ticks=number(data.get("slippage_ticks")),
            latency_ms=number(data.get("latency_ms")),
            liquidity=data.get("liquidity"),
        )
        self.fills[fill.id] = fill
        self.touch(account, event)
        if fill.status == "busted":
            fill.trade_id = trade_id
            fill.account, fill.quantity = self.corrections.busted[fill.id]
        else:
            self.place(event, fill, trade_id)

    def place(self, event, fill, trade_id):
        left = fill.quantity
        if trade_id is not None:
            left = self.place_in_named(event, fill, trade_id)
        while left > 0:
            trade = self.oldest_that_takes(fill) or self.new_trade_of(event, fill)
            left = self.give(event, trade, fill, left)

    def place_in_named(self, event, fill, trade_id):
        """Gives the fill to the trade it carries and returns the quantity that goes on as a fill without one."""
        trade = self.trades.get(trade_id)
        if trade is None:
            if fill.id not in self.corrections.trade_of_fill:
                self.report(event, "fill_for_unknown_trade", trade_id, fill.id)
            side = SIDE_OF_FILL[fill.side]
            trade = self.new_trade(event, trade_id, fill.account, fill.symbol, side, fill.id)
        elif (fill.account, fill.symbol) != (trade.account, trade.symbol):
            self.report(event, "fill_of_other_instrument_or_account", trade_id, fill.id)
            return fill.quantity
        elif trade.voided:
            self.report(event, "fill_for_voided_trade", trade_id, fill.id)
        elif trade.closed:
            self.report(event, "fill_for_closed_trade", trade_id, fill.id)
        was_closed = trade.closed
        left = self.give(event, trade, fill, fill.quantity)
        if left > 0 and not was_closed:
            self.report(event, "overfill", trade_id, fill.id)
        return left

    def give(self, event, trade, fill, quantity):
        left = trade.take(fill, quantity)
        if left < quantity:
            trade.last_price = fill.price
            self.see(event, trade, fill.price, fill.price)
        if left < quantity and fill.trade_id is None:
            fill.trade_id = trade.id
        if trade.closed and left < quantity and not trade.voided:
            self.just_closed.append(trade)
        return left

    def oldest_that_takes(self, fill):
        for trade in self.trades.values():
            ours = (trade.account, trade.symbol) == (fill.account, fill.symbol)
            if ours and trade.status == "open" and trade.can_take(fill.side):
                return trade
        return None

    def new_trade_of(self, event, fill):
        name = base = f"{fill.account}:{fill.symbol}:{fill.id}"
        number = 2
        while name in self.trades:
            name, number = f"{base}:{number}", number + 1
        return self.new_trade(event, name, fill.account, fill.symbol, SIDE_OF_FILL[fill.side], fill.id)

    # Corrections, in their place: their facts are folded already, so only voiding and what is unknown is left.

    def fold_correction(self, event):
        if event.type == "FillsReassigned":
            self.fold_reassignment(event)
        elif event.type in ("TradeAmended", "TradeVoided"):
            self.fold_trade_correction(event)
        elif self.was_unknown(event, event.data["fill_id"]):
            self.report(event, "unknown_fill", fill_id=event.data["fill_id"])
        elif event.seq in self.corrections.too_late:
            self.report(event, "fill_was_busted", fill_id=event.data["fill_id"])
        elif event.data["fill_id"] in self.fills:
            self.touch(self.fills[event.data["fill_id"]].account, event)

    def fold_trade_correction(self, event):
        trade_id = event.data["trade_id"]
        trade = self.trades.get(trade_id)
        if trade is None or self.was_unknown(event, trade_id):
            self.report(event, "unknown_trade", trade_id, detail=event.type)
        else:
            trade.voided = trade.voided or event.type == "TradeVoided"
            self.touch(trade.account, event)

    def fold_reassignment(self, event):
        trade_id, known = event.data["trade_id"], []
        for fill_id in event.data["fill_ids"]:
            if self.was_unknown(event, fill_id):
                self.report(event, "unknown_fill", trade_id, fill_id)
            elif fill_id in self.fills:
                known.append(self.fills[fill_id])
        if known:
            target = self.trades.get(trade_id)
            self.touch(target.account if target else known[0].account, event)

    def was_unknown(self, event, target):
        """Whether the target was unknown when the correction was recorded: decided once, whatever a refold finds."""
        return (event.seq, target) in self.corrections.ineffective


def account_of(event):
    return event.data.get("account_id", DEFAULT_ACCOUNT)
