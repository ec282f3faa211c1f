//! Owns the small things placement keeps: the book of an account's symbol, where each fill went, the
//! instruments as they were defined, and bars.

use serde::{Deserialize, Serialize};

use super::position::Tick;
use crate::decimal::Dec;
use crate::drawer::Key;
use crate::moment::Moment;

/// The open trades of one symbol in one account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Book {
    /// Open trades, oldest first, by the position of their first event.
    pub(crate) open: Vec<(u64, String)>,
    /// Where the current busy spell began: since then at least one trade has been open.
    pub(crate) spell: u64,
    /// The fact that last left nothing open: if it goes on to open a trade (a flip), the spell goes on too.
    pub(crate) flat_at: u64,
    /// Spells that hang together, since a fill of the later one names a trade of the earlier.
    pub(crate) links: Vec<(u64, u64)>,
}

impl Book {
    /// Whether a trade is open.
    pub(crate) fn is_busy(&self) -> bool {
        !self.open.is_empty()
    }

    pub(crate) fn insert(&mut self, first_seq: u64, trade_id: &str) {
        let entry = (first_seq, trade_id.to_owned());
        if let Err(place) = self.open.binary_search(&entry) {
            self.open.insert(place, entry);
        }
    }

    pub(crate) fn remove(&mut self, trade_id: &str) {
        self.open.retain(|(_, open)| open != trade_id);
    }

    pub(crate) fn link(&mut self, one: u64, other: u64) {
        let link = (one.min(other), one.max(other));
        if link.0 != link.1 && !self.links.contains(&link) {
            self.links.push(link);
        }
    }

    /// Widens a range of spells until it holds every link it touches.
    pub(crate) fn widen(&self, mut range: (u64, u64)) -> (u64, u64) {
        loop {
            let mut wider = range;
            for (from, to) in &self.links {
                if *from <= wider.1 && *to >= wider.0 {
                    wider = (wider.0.min(*from), wider.1.max(*to));
                }
            }
            if wider == range {
                return range;
            }
            range = wider;
        }
    }
}

/// Which book: an account and a symbol.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct BookId {
    pub(crate) account: String,
    pub(crate) symbol: String,
}

impl BookId {
    pub(crate) fn new(account: &str, symbol: &str) -> Self {
        Self { account: account.to_owned(), symbol: symbol.to_owned() }
    }

    pub(crate) fn key(&self) -> Key {
        Key::text(&self.account).and(&self.symbol)
    }

    pub(crate) fn spell_key(&self, spell: u64, trade_id: &str) -> Key {
        self.key().seq(spell).and(trade_id)
    }
}

/// Where a fill went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FillRef {
    pub(crate) book: BookId,
    /// The trades that got a part, in the order they got it.
    pub(crate) trades: Vec<String>,
    /// The trade whose TradeExited it is.
    pub(crate) exit_of: Option<String>,
    pub(crate) status: FillStatus,
    pub(crate) seq: u64,
    pub(crate) last_seq: u64,
    /// The fingerprint of its row, `last_seq` aside.
    pub(crate) words: u64,
}

/// What corrections made of a fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FillStatus {
    Live,
    Corrected,
    Busted,
}

impl FillStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Corrected => "corrected",
            Self::Busted => "busted",
        }
    }
}

/// An InstrumentDefined, valid from its position on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct InstrumentAt {
    pub(crate) seq: u64,
    pub(crate) tick: Tick,
}

/// What the excursions of a trade need of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bar {
    /// When it was recorded to have closed.
    pub(crate) at: Moment,
    pub(crate) starts_at: Moment,
    pub(crate) high: Dec,
    pub(crate) low: Dec,
    pub(crate) close: Dec,
}

/// The trade at the end of a key of the drawer of spells: after account, symbol and an eight-byte spell.
pub(crate) fn trade_at_end(key: &[u8]) -> Option<String> {
    let after_text = |bytes: &[u8]| bytes.iter().position(|byte| *byte == 0).map(|end| end + 1);
    let symbol = after_text(key)?;
    let spell = symbol + after_text(key.get(symbol..)?)?;
    let name = key.get(spell + 8..)?.strip_suffix(&[0])?;
    String::from_utf8(name.to_vec()).ok()
}
