"""Owns the figures of one trade that need no other trade: risk, R, excursions, slippage, texts.

Everything here is a function of the trade as it stands; nothing is stored.
"""

from fractions import Fraction

from facts import number
from metrics import outcome


class Figures:
    """What the statistics need of a closed trade."""

    def __init__(self, trade):
        self.trade = trade
        self.outcome = outcome(trade)
        self.gross, self.fees, self.net = trade.gross, trade.fees, trade.net
        self.r = result_r(trade)
        self.mae, self.mfe = excursions(trade)
        self.minutes = holding_minutes(trade)
        self.rule_breaks = len(trade.rules)


def window_order(trade):
    return trade.exit_at, trade.id


def said_number(trade, name):
    return number(trade.said.get(name))


def condition(trade, name):
    value = (trade.said.get("conditions") or {}).get(name)
    return value if isinstance(value, list) else number(value)


def latest_exit(trade, name, unsaid):
    """The latest value a TradeExited gave; `unsaid` are amendments older than any TradeExited."""
    for said in reversed([unsaid, *trade.exits_said]):
        if said.get(name) is not None:
            return said[name]
    return None


def first_price(trade, opened_field, moves):
    """The earliest known stop or target: TradeOpened's, else the first move's."""
    opened = said_number(trade, opened_field)
    return opened if opened is not None else moves[0][1] if moves else None


def latest_price(trade, opened_field, moves):
    """The latest by position; TradeOpened's stands where TradeOpened stands."""
    opened = said_number(trade, opened_field)
    known = list(moves)
    if opened is not None:
        known.append((trade.opened_seq or trade.first_seq, opened))
    return max(known, key=lambda move: move[0])[1] if known else None


def first_stop(trade):
    return first_price(trade, "stop_price", trade.stops)


def first_target(trade):
    return first_price(trade, "target_price", trade.targets)


def distance(a, b):
    return abs(a - b) if a is not None and b is not None else None


def initial_risk(trade):
    given = said_number(trade, "risk_amount")
    if given is not None:
        return given
    stop_distance = distance(trade.entry_price, first_stop(trade))
    return None if stop_distance is None else stop_distance * trade.entered * trade.point_value


def result_r(trade):
    risk = initial_risk(trade)
    return trade.net / risk if trade.closed and risk else None


def risk_reward(trade):
    reward = distance(first_target(trade), trade.entry_price)
    risk = distance(trade.entry_price, first_stop(trade))
    return reward / risk if reward is not None and risk else None


def holding_minutes(trade):
    if not trade.closed:
        return None
    span = trade.exit_at - trade.entry_at
    micros = (span.days * 86400 + span.seconds) * 1_000_000 + span.microseconds
    return Fraction(micros, 60_000_000)


def excursions(trade):
    """(mae, mfe): the largest adverse and favourable distance from entry_price, in points."""
    entry = trade.entry_price
    if entry is None:
        return None, None
    prices = [part.fill.price for part in trade.entries + trade.exits] + trade.seen_prices
    fall, rise = entry - min(prices), max(prices) - entry
    adverse, favourable = (fall, rise) if trade.side == "long" else (rise, fall)
    return max(adverse, Fraction(0)), max(favourable, Fraction(0))


def slippage_of(fill, tick_size):
    """Adverse positive: given, else from the intended price."""
    if fill.slippage_ticks is not None:
        return fill.slippage_ticks
    if fill.intended_price is None:
        return None
    ticks = (fill.price - fill.intended_price) / tick_size
    return ticks if fill.side == "buy" else -ticks


def weighted_mean(parts, value_of):
    weighted = [(value_of(part.fill), part.quantity) for part in parts]
    known = [(value, quantity) for value, quantity in weighted if value is not None]
    if not known:
        return None
    return sum(value * quantity for value, quantity in known) / sum(quantity for _, quantity in known)


def slippage(trade, parts):
    return weighted_mean(parts, lambda fill: slippage_of(fill, trade.tick_size))


def latency(parts):
    return weighted_mean(parts, lambda fill: fill.latency_ms)


def notes(trade):
    texts = [trade.said.get("notes"), *(text for text, _ in trade.remarks)]
    texts = [text for text in texts if text is not None]
    return "\n".join(texts) if texts else None


def tags(trade):
    together = [*(trade.said.get("tags") or []), *(tag for _, tags in trade.remarks for tag in tags)]
    return together or None
