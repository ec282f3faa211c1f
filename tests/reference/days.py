"""Owns what is counted by trading date: daily_pnl, the derived risk figures, and each trade's daily loss limit.

Dates are those of the account as the book knows it now, so an account opened late has all its days in its own zone.
"""

from collections import defaultdict
from datetime import timedelta
from fractions import Fraction

from facts import number
from figures import latest_exit, result_r, said_number, window_order
from metrics import outcome
from tradingday import trading_date, week_of


class Day:
    def __init__(self):
        self.r = self.gross = self.fees = self.cash = Fraction(0)
        self.trades = self.wins = self.losses = self.rule_breaks = self.fills = 0

    @property
    def net(self):
        return self.gross - self.fees

    @property
    def is_red(self):
        return self.net < 0


def date_in(book, account, at):
    return trading_date(book.accounts.get(account), at)


def closed_trades(book, account=None):
    """Closed, not voided trades in window order, of one account or of all."""
    ours = (t for t in book.trades.values() if t.status == "closed" and account in (None, t.account))
    return sorted(ours, key=window_order)


def days_of(book, account):
    """date -> Day, by date."""
    days = defaultdict(Day)

    def day(at):
        return days[date_in(book, account, at)]

    for trade in book.trades.values():
        if trade.account == account and not trade.voided:
            add_trade(trade, day)
    for event, owner, _ in book.rule_breaks:
        if owner == account:
            day(event.at).rule_breaks += 1
    for event in book.cash:
        if event.data["account_id"] == account:
            day(event.at).cash += number(event.data["amount"])
    return dict(sorted(days.items()))


def add_trade(trade, day):
    for part in trade.entries + trade.exits:
        day(part.fill.at).fees += part.fees
        day(part.fill.at).fills += 1
    for trip in trade.round_trips:
        day(trip.exit.at).gross += trip.gross
    if trade.closed:
        closed_on = day(trade.exit_at)
        closed_on.trades += 1
        closed_on.r += result_r(trade) or 0
        closed_on.wins += outcome(trade) == "Win"
        closed_on.losses += outcome(trade) == "Loss"


def daily_rows(book):
    rows = []
    for account in accounts_with_days(book):
        equity = starting_equity(book, account)
        for date, day in days_of(book, account).items():
            equity += day.cash + day.net
            rows.append({
                "date": date.isoformat(), "account_id": account, "pnl_r": day.r, "is_red_day": int(day.is_red),
                "trades_count": day.trades, "pl_gross": day.gross, "pl_net": day.net, "fees": day.fees,
                "wins": day.wins, "losses": day.losses, "rule_breaks": day.rule_breaks, "equity_close": equity,
            })
    return rows


def accounts_with_days(book):
    owners = {trade.account for trade in book.trades.values()}
    owners |= {owner for _, owner, _ in book.rule_breaks}
    owners |= {event.data["account_id"] for event in book.cash}
    return sorted(owners)


def starting_equity(book, account):
    opened = book.accounts.get(account)
    return number(opened["starting_equity"]) if opened else Fraction(0)


def equity_now(book, account):
    return starting_equity(book, account) + sum(
        (day.cash + day.net for day in days_of(book, account).values()), Fraction(0)
    )


def derived_risk(book, account, at):
    """The derived keys of risk_state, where the current date is that of the moment `at`."""
    today = date_in(book, account, at)
    monday, sunday = week_of(today), week_of(today) + timedelta(days=6)
    daily = weekly = net_today = Fraction(0)
    for trade in closed_trades(book, account):
        closed_on = date_in(book, account, trade.exit_at)
        if monday <= closed_on <= sunday:
            weekly += result_r(trade) or 0
        if closed_on == today:
            daily += result_r(trade) or 0
            net_today += trade.net
    limit = account_limit(book, account)
    return {
        "daily_pnl_r": daily,
        "weekly_pnl_r": weekly,
        "consecutive_red_days": red_days_before(book, account, today),
        "daily_loss_limit_remaining": None if limit is None else limit + net_today,
    }


def red_days_before(book, account, today):
    """Length of the run of red trading days that ends with the latest before today."""
    run = 0
    for date, day in reversed(days_of(book, account).items()):
        if date >= today or not day.trades:
            continue
        if not day.is_red:
            break
        run += 1
    return run


def account_limit(book, account):
    return number(book.accounts.get(account, {}).get("daily_loss_limit"))


def limit_at_entry(book, trade):
    own = said_number(trade, "daily_loss_limit")
    return own if own is not None else account_limit(book, trade.account)


def limit_remaining(book, trade):
    """TradeExited's, else the limit at entry + the net of that date's closed trades up to and with this one."""
    unsaid = book.corrections.exit_unsaid.get(trade.id, {})
    given = latest_exit(trade, "daily_loss_limit_remaining", unsaid)
    if given is not None:
        return number(given)
    limit = limit_at_entry(book, trade)
    if not trade.closed or limit is None:
        return None
    date = date_in(book, trade.account, trade.exit_at)
    for other in closed_trades(book, trade.account):
        same_date = date_in(book, trade.account, other.exit_at) == date
        if other is not trade and same_date and window_order(other) < window_order(trade):
            limit += other.net
    return limit + trade.net
