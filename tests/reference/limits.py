"""Owns a prop firm's rules: what is left of each limit, the high-water mark and its floor, and what was breached.

Everything is reckoned from the book as known now. Which breach was known when is the caller's to remember.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import groupby

from days import date_in, days_of, equity_now, starting_equity
from facts import number
from tradingday import week_of


@dataclass(frozen=True)
class Breach:
    rule: str
    date: date
    threshold: Fraction
    value: Fraction

    @property
    def once(self):
        """What is breached once only: a date, a week, or, by its drawdown, the account."""
        return (self.rule, None if self.rule == "trailing_drawdown" else self.date)


class Trail:
    """The high-water mark and the floor that trails it."""

    def __init__(self, opened):
        self.distance = number(opened.get("trailing_drawdown"))
        self.lock = number(opened.get("trailing_drawdown_locks_at"))
        self.mark = number(opened["starting_equity"])
        self.locked = False
        self.raise_to(self.mark)

    def raise_to(self, equity):
        self.mark = max(self.mark, equity)
        if self.distance is not None and self.lock is not None and self.mark - self.distance >= self.lock:
            self.locked = True

    def shift(self, cash):
        self.mark += cash

    @property
    def floor(self):
        if self.distance is None:
            return None
        if self.locked:
            return self.lock
        trailing = self.mark - self.distance
        return trailing if self.lock is None else min(trailing, self.lock)

    def is_hit_by(self, equity):
        if self.floor is None or equity > self.floor:
            return False
        return self.locked or equity < self.mark


def is_intraday(opened):
    return opened.get("trailing_drawdown_mode") == "intraday"


def trail_by_days(book, account, until=None):
    """The trail after all dates before `until` (with the cash of that one), and the first date that hit it."""
    trail, hit = Trail(book.accounts[account]), None
    equity = starting_equity(book, account)
    for day_date, day in days_of(book, account).items():
        if until is not None and day_date > until:
            break
        trail.shift(day.cash)
        equity += day.cash + day.net
        if hit is None and trail.is_hit_by(equity):
            hit = Breach("trailing_drawdown", day_date, trail.floor, equity)
        if day_date != until:
            trail.raise_to(equity)
    return trail, hit


def trail_by_path(book, account):
    """The trail after all that was seen, equity with open trades now, and the first event that hit it."""
    trail, hit = Trail(book.accounts[account]), None
    start, worth = starting_equity(book, account), {}
    for event, cash, sightings in path_of(book, account):
        start += cash
        trail.shift(cash)
        lowest_highest = []
        for price in ("at_low", "at_high"):
            then = worth | {seen.trade.id: getattr(seen, price) for seen in sightings}
            lowest_highest.append(start + sum(then.values()))
        if hit is None and trail.is_hit_by(min(lowest_highest)):
            hit = Breach("trailing_drawdown", date_in(book, account, event.at), trail.floor, min(lowest_highest))
        trail.raise_to(max(lowest_highest))
        worth |= {seen.trade.id: seen.at_last for seen in sightings}
    return trail, start + sum(worth.values()), hit


def path_of(book, account):
    """(event, cash it moved, what was seen of trades) in position order; voided trades were never there."""
    seen = [s for s in book.sightings if s.trade.account == account and not s.trade.voided]
    entries = [(s.event.seq, s.event, Fraction(0), [s]) for s in seen]
    for event in book.cash:
        if event.data["account_id"] == account:
            entries.append((event.seq, event, number(event.data["amount"]), []))
    entries.sort(key=lambda entry: entry[0])
    for _, same in groupby(entries, key=lambda entry: entry[0]):
        same = list(same)
        yield same[0][1], sum(cash for _, _, cash, _ in same), [s for *_, sightings in same for s in sightings]


def week_nets(days):
    nets = defaultdict(Fraction)
    for day_date, day in days.items():
        nets[week_of(day_date)] += day.net
    return nets


def breaches(book, account):
    """Every limit the account has reached, by date, as known now."""
    opened, days = book.accounts[account], days_of(book, account)
    found = []
    nets = {day_date: day.net for day_date, day in days.items()}
    for rule, of in (("daily_loss_limit", nets), ("weekly_loss_limit", week_nets(days))):
        limit = number(opened.get(rule))
        if limit is not None:
            found += [Breach(rule, when, -limit, net) for when, net in of.items() if net < 0 and net <= -limit]
    hit = trail_by_path(book, account)[-1] if is_intraday(opened) else trail_by_days(book, account)[-1]
    return found + ([hit] if hit else [])


def progress(book, account):
    """The columns of accounts that say how far its rules are used up."""
    opened, days = book.accounts[account], days_of(book, account)
    today = date_in(book, account, book.last_event[account].at)
    day_net = days[today].net if today in days else Fraction(0)
    week_net = week_nets(days).get(week_of(today), Fraction(0))
    equity = held = equity_now(book, account)
    if is_intraday(opened):
        trail, held, _ = trail_by_path(book, account)
    else:
        trail, _ = trail_by_days(book, account, until=max([today, *days]))
    realised = equity - starting_equity(book, account) - sum(day.cash for day in days.values())
    best = max((day.net for day in days.values() if day.fills), default=None)
    target = number(opened.get("profit_target"))
    return {
        "trailing_drawdown_mode": opened.get("trailing_drawdown_mode", "end_of_day"),
        "trailing_drawdown_locks_at": trail.lock,
        "consistency_limit": number(opened.get("consistency_limit")),
        "day_net": day_net,
        "daily_loss_limit_remaining": left(opened, "daily_loss_limit", day_net),
        "week_net": week_net,
        "weekly_loss_limit_remaining": left(opened, "weekly_loss_limit", week_net),
        "high_water_mark": trail.mark,
        "drawdown_floor": trail.floor,
        "drawdown_remaining": None if trail.floor is None else held - trail.floor,
        "profit_target_progress": realised / target if target else None,
        "best_day_net": best,
        "best_day_share": best / realised if realised > 0 and best is not None else None,
    }


def left(opened, rule, net):
    limit = number(opened.get(rule))
    return None if limit is None else limit + net
