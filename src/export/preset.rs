//! Owns the columns of `trades` that are asked for together, under a name.

use projections::cell::Table;
use projections::trades;

/// Some columns of `trades`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    columns: Columns,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Columns {
    /// All up to this one, as the table has them.
    Through(&'static str),
    These(&'static [&'static str]),
}

/// All there are.
pub const PRESETS: [Preset; 3] = [
    Preset {
        name: "seed",
        purpose: "every column a trade's row began with, up to notes: what programs around a trades table expect",
        columns: Columns::Through("notes"),
    },
    Preset {
        name: "minimal",
        purpose: "what happened and what came of it",
        columns: Columns::These(&[
            "trade_id",
            "timestamp_entry",
            "timestamp_exit",
            "symbol",
            "trade_type",
            "strategy_used",
            "position_size",
            "entry_price",
            "exit_price",
            "pl_amount_net",
            "result_r",
            "win_loss",
        ]),
    },
    Preset {
        name: "broker",
        purpose: "what a broker's statement has, to be laid beside one",
        columns: Columns::These(&[
            "account_id",
            "trade_id",
            "symbol",
            "trade_type",
            "position_size",
            "timestamp_entry",
            "entry_price",
            "timestamp_exit",
            "exit_price",
            "pl_amount_gross",
            "fees_paid",
            "pl_amount_net",
        ]),
    },
];

impl Preset {
    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        PRESETS.into_iter().find(|preset| preset.name == name)
    }

    /// The table it is of.
    #[must_use]
    pub fn table(&self) -> &'static Table {
        &trades::TABLE
    }

    /// Its columns, in order.
    #[must_use]
    pub fn columns(&self) -> Vec<&'static str> {
        match self.columns {
            Columns::These(names) => names.to_vec(),
            Columns::Through(last) => {
                let end = trades::TABLE.position(last).map_or(0, |last| last + 1);
                trades::TABLE.columns[..end].iter().map(|column| column.name).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_one_of_trades_and_there_once() {
        for preset in PRESETS {
            let mut columns = preset.columns();
            assert!(columns.iter().all(|name| trades::TABLE.position(name).is_some()), "{}", preset.name);
            let asked = columns.len();
            columns.sort_unstable();
            columns.dedup();
            assert_eq!(columns.len(), asked, "{}", preset.name);
        }
    }

    #[test]
    fn the_seed_is_the_first_fifty_two() {
        let columns = Preset::named("seed").unwrap().columns();
        assert_eq!((columns[0], columns.last().copied()), ("trade_id", Some("notes")));
        assert!(!columns.contains(&"status") && !columns.contains(&"tags"));
    }
}
