//! A late AccountOpened: gives the days an account has had so far to the dates of its own calendar, since a
//! moment belongs to one trading date whenever its account was opened. History tables keep what they wrote.

use super::account::Day;
use super::rows;
use super::{Work, trade_key};
use crate::calendar::TradingDate;
use crate::drawer::Key;

impl Work<'_> {
    /// Sorts what is known of an account into days again, by the calendar it has now.
    pub(super) fn redate(&mut self, account: &str) {
        // Starting equity moves the equity of every day.
        self.equity_from.insert(account.to_owned(), TradingDate(i32::MIN));
        let prefix = Key::text(account);
        let days = self.state.days.scan(self.shelf, &prefix.0, &prefix.end(), usize::MAX);
        let mut taken = Vec::new();
        for (key, _) in &days {
            let date = TradingDate::from_key(&key[prefix.0.len()..]);
            taken.push(self.day(account, date).take_events());
        }
        for day in taken {
            self.redate_events(account, day);
        }
        for trade_id in self.trades_of(account) {
            self.redate_trade(&trade_id);
        }
    }

    fn redate_events(&mut self, account: &str, taken: Day) {
        for moved in taken.cash {
            let date = self.date(account, moved.at);
            self.day_money(account, date).cash.push(moved);
        }
        for at in taken.rule_breaks {
            let date = self.date(account, at);
            self.day(account, date).rule_breaks.push(at);
        }
        for rating in taken.ratings {
            let date = self.date(account, rating.at);
            self.day(account, date).ratings.push(rating);
        }
    }

    pub(super) fn trades_of(&mut self, account: &str) -> Vec<String> {
        let prefix = Key::text(account);
        let spells = self.state.spells.scan(self.shelf, &prefix.0, &prefix.end(), usize::MAX);
        spells.into_iter().filter_map(|(key, ())| super::book::trade_at_end(&key)).collect()
    }

    /// Posts a trade's money by the new dates, and looks again at what its account knew at entry.
    fn redate_trade(&mut self, trade_id: &str) {
        let Some(before) = self.trade(trade_id).cloned() else { return };
        self.post_money(&before);
        if let Some(at) = before.entered_at() {
            let seq = before.position.entry.as_ref().map_or(before.first_seq, |entry| entry.seq);
            self.enter(trade_id, at, seq);
        }
        let now = self.now;
        if let Some(trade) = self.state.trades.get_mut(self.shelf, &trade_key(trade_id)) {
            trade.last_seq = if rows::same_figures(trade, &before) { before.last_seq } else { now };
        }
        self.touched.insert(trade_id.to_owned());
    }
}
