"""Owns what corrections say: for each fill and trade, the facts that replace those first recorded.

A correction takes effect when its target is known where it stands. Later ones win field by field, and a bust is
final. Voiding has no entry here: it works from its own position on, so the book folds it in its place.
"""

from collections import defaultdict

CORRECTION_TYPES = {"FillCorrected", "FillBusted", "TradeAmended", "TradeVoided", "FillsReassigned"}
MONEY_FIELDS = ("price", "quantity", "fees")
EXIT_FIELDS = {
    "reason", "price", "quantity", "fees", "intended_price", "slippage_ticks", "latency_ms",
    "execution_quality", "daily_loss_limit_remaining",
}  # order_type and notes are TradeOpened's


class Corrections:
    def __init__(self):
        self.fill_changes = defaultdict(dict)  # fill_id -> price, quantity, fees
        self.busted = {}  # fill_id -> its account and quantity when it was busted
        self.trade_of_fill = {}  # fill_id -> the trade it was reassigned to
        self.opened_changes = defaultdict(dict)  # trade_id -> fields of TradeOpened
        self.exited_changes = defaultdict(dict)  # id of a TradeExited -> its fields
        self.exit_unsaid = defaultdict(dict)  # trade_id -> exit fields amended before any TradeExited
        self.ineffective = set()  # (seq, target) of corrections whose target was not known
        self.too_late = set()  # seqs of corrections of a fill that was busted

    def learn(self, event, book):
        """Takes in one correction; `book` is what was known just before it."""
        getattr(self, "learn_" + event.type)(event, book)

    def learn_FillCorrected(self, event, book):
        fill_id = event.data["fill_id"]
        if fill_id not in book.fills:
            self.ineffective.add((event.seq, fill_id))
        elif fill_id in self.busted:
            self.too_late.add(event.seq)
        else:
            for name in MONEY_FIELDS:
                if name in event.data:
                    self.fill_changes[fill_id][name] = event.data[name]

    def learn_FillBusted(self, event, book):
        fill_id = event.data["fill_id"]
        if fill_id not in book.fills:
            self.ineffective.add((event.seq, fill_id))
        elif fill_id in self.busted:
            self.too_late.add(event.seq)
        else:
            fill = book.fills[fill_id]
            self.busted[fill_id] = (fill.account, fill.quantity)

    def learn_FillsReassigned(self, event, book):
        for fill_id in event.data["fill_ids"]:
            if fill_id not in book.fills:
                self.ineffective.add((event.seq, fill_id))
            else:
                self.trade_of_fill[fill_id] = event.data["trade_id"]

    def learn_TradeVoided(self, event, book):
        if event.data["trade_id"] not in book.trades:
            self.ineffective.add((event.seq, event.data["trade_id"]))

    def learn_TradeAmended(self, event, book):
        trade = book.trades.get(event.data["trade_id"])
        if trade is None:
            self.ineffective.add((event.seq, event.data["trade_id"]))
            return
        for name, value in event.data["changes"].items():
            if name not in EXIT_FIELDS:
                self.opened_changes[trade.id][name] = value
            elif not trade.exit_ids:
                self.exit_unsaid[trade.id][name] = value
            elif name not in MONEY_FIELDS:
                self.exited_changes[trade.exit_ids[-1]][name] = value
            elif trade.exit_ids[-1] not in self.busted:
                self.fill_changes[trade.exit_ids[-1]][name] = value

    def fill_status(self, fill_id):
        if fill_id in self.busted:
            return "busted"
        return "corrected" if self.fill_changes.get(fill_id) else "live"


def merged(data, changes):
    """Data with changes laid over it; a change to None takes the field away."""
    return {name: value for name, value in {**data, **changes}.items() if value is not None}
