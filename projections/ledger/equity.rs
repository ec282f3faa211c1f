//! Owns the equity curve: after each closed trade, in window order, what has been made and how far that is below its
//! peak. Reckoned from what the ledger keeps on its shelf, exactly; no table holds it.

use super::Ledger;
use crate::decimal::Dec;
use crate::drawer::{Key, Shelf};
use crate::moment::Moment;

/// Where things stood when a trade closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// When it closed.
    pub at: Moment,
    /// The trade.
    pub trade_id: String,
    /// Whose it was.
    pub account: String,
    /// What it made, net.
    pub net: Dec,
    /// Starting equity, cash moved by then, and the net of the trades closed so far.
    pub equity: Dec,
    /// The net of the trades closed so far.
    pub cumulative_net: Dec,
    /// The R of those that have one.
    pub cumulative_r: Dec,
    /// How far the cumulative net is below its peak, which starts at 0. Cash moved is no profit, and its withdrawal no
    /// loss.
    pub drawdown: Dec,
    /// The same of the cumulative R.
    pub drawdown_r: Dec,
}

/// Hands over a point for each closed trade of an account, or of all of them together.
pub fn curve(shelf: &dyn Shelf, account: Option<&str>, mut each: impl FnMut(Point)) {
    let mut ledger = Ledger::default();
    let accounts = match account {
        Some(account) => vec![account.to_owned()],
        None => ledger.state.accounts_known(shelf),
    };
    let (mut equity, mut cash) = (Dec::ZERO, Vec::new());
    for account in &accounts {
        let known = ledger.state.accounts.get(shelf, &Key::text(account));
        let opened = known.and_then(|account| account.opened.as_ref());
        equity += opened.map_or(Dec::ZERO, |opening| opening.terms.starting_equity);
        let prefix = Key::text(account);
        let days = ledger.state.days.scan(shelf, &prefix.0, &prefix.end(), usize::MAX);
        cash.extend(days.into_iter().flat_map(|(_, day)| day.cash).map(|moved| (moved.at, moved.amount)));
    }
    cash.sort_unstable();
    let mut cash = cash.into_iter().peekable();
    let (mut net, mut r, mut peak, mut peak_r) = (Dec::ZERO, Dec::ZERO, Dec::ZERO, Dec::ZERO);
    ledger.state.visit_closed(shelf, &accounts, None, |trade| {
        while let Some((_, amount)) = cash.next_if(|(at, _)| *at <= trade.exited_at) {
            equity += amount;
        }
        let made = trade.figures.net;
        equity += made;
        net += made;
        r += trade.figures.result_r.unwrap_or_default();
        (peak, peak_r) = (peak.max(net), peak_r.max(r));
        each(Point {
            at: trade.exited_at,
            trade_id: trade.trade_id.clone(),
            account: trade.account.clone(),
            net: made,
            equity,
            cumulative_net: net,
            cumulative_r: r,
            drawdown: peak - net,
            drawdown_r: peak_r - r,
        });
    });
}
