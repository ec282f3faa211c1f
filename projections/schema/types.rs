//! Owns the list of event types, in the order the docs describe them.

use super::fields::{
    ACCOUNT_OPENED_1, BAR_CLOSED_1, CASH_MOVED_1, EXCURSION_MARKED_1, FILL_BUSTED_1, FILL_CORRECTED_1, FILL_RECORDED_1,
    FILLS_REASSIGNED_1, INSTRUMENT_DEFINED_1, MENTAL_STATE_RATED_1, NOTE_ADDED_1, NOTE_ADDED_2, RISK_SET_1,
    RULE_BROKEN_1, STATE_CHANGED_1, STOP_MOVED_1, TARGET_MOVED_1, TRADE_AMENDED_1, TRADE_EXITED_1, TRADE_OPENED_1,
    TRADE_VOIDED_1,
};
use super::{EventType, Field, StreamRule, Version};

const fn version(fields: &'static [Field]) -> Version {
    Version { fields, any_of: &[] }
}

/// All event types.
pub static TYPES: &[EventType] = &[
    EventType {
        name: "AccountOpened",
        doc: "An account, its currency and its limits. One that its firm resets is opened anew under another name.",
        stream: StreamRule::Account,
        versions: &[version(ACCOUNT_OPENED_1)],
    },
    EventType {
        name: "InstrumentDefined",
        doc: "What a symbol is. Trades that begin later are reckoned with it.",
        stream: StreamRule::Instrument,
        versions: &[version(INSTRUMENT_DEFINED_1)],
    },
    EventType {
        name: "TradeOpened",
        doc: "A trade and its plan: why, where the stop and the target are, what the market looked like.",
        stream: StreamRule::Trade,
        versions: &[version(TRADE_OPENED_1)],
    },
    EventType {
        name: "FillRecorded",
        doc: "An execution. Without a trade it goes to the open trade of its account and symbol, or opens one.",
        stream: StreamRule::TradeElseAccount,
        versions: &[version(FILL_RECORDED_1)],
    },
    EventType {
        name: "StopMoved",
        doc: "The stop was moved. The first stop stays the measure of risk.",
        stream: StreamRule::Trade,
        versions: &[version(STOP_MOVED_1)],
    },
    EventType {
        name: "TargetMoved",
        doc: "The target was moved.",
        stream: StreamRule::Trade,
        versions: &[version(TARGET_MOVED_1)],
    },
    EventType {
        name: "ExcursionMarked",
        doc: "How far the price went for and against a trade while it was open.",
        stream: StreamRule::Trade,
        versions: &[version(EXCURSION_MARKED_1)],
    },
    EventType {
        name: "TradeExited",
        doc: "The exit. With a price it is also the exit fill; without, it says why the fills closed the trade.",
        stream: StreamRule::Trade,
        versions: &[version(TRADE_EXITED_1)],
    },
    EventType {
        name: "RuleBroken",
        doc: "A trading rule was broken.",
        stream: StreamRule::TradeElseAccount,
        versions: &[version(RULE_BROKEN_1)],
    },
    EventType {
        name: "MentalStateRated",
        doc: "The trader rated his or her state.",
        stream: StreamRule::Account,
        versions: &[version(MENTAL_STATE_RATED_1)],
    },
    EventType {
        name: "NoteAdded",
        doc: "A note on a trade, a date or an account.",
        stream: StreamRule::TradeElseAccount,
        versions: &[version(NOTE_ADDED_1), version(NOTE_ADDED_2)],
    },
    EventType {
        name: "StateChanged",
        doc: "The orchestrator changed its state.",
        stream: StreamRule::System,
        versions: &[version(STATE_CHANGED_1)],
    },
    EventType {
        name: "RiskSet",
        doc: "A risk setting got a new value.",
        stream: StreamRule::Account,
        versions: &[version(RISK_SET_1)],
    },
    EventType {
        name: "CashMoved",
        doc: "Money went into an account or out of it.",
        stream: StreamRule::Account,
        versions: &[version(CASH_MOVED_1)],
    },
    EventType {
        name: "BarClosed",
        doc: "A price bar ended. The latest bar of a start, symbol and timeframe wins.",
        stream: StreamRule::Market,
        versions: &[version(BAR_CLOSED_1)],
    },
    EventType {
        name: "FillCorrected",
        doc: "A fill was recorded wrongly: these are the right figures.",
        stream: StreamRule::Fill,
        versions: &[Version { fields: FILL_CORRECTED_1, any_of: &["quantity", "price", "fees"] }],
    },
    EventType {
        name: "FillBusted",
        doc: "The exchange or broker took a fill back. Final.",
        stream: StreamRule::Fill,
        versions: &[version(FILL_BUSTED_1)],
    },
    EventType {
        name: "TradeAmended",
        doc: "Facts of a trade were recorded wrongly: these are the right ones.",
        stream: StreamRule::Trade,
        versions: &[version(TRADE_AMENDED_1)],
    },
    EventType {
        name: "TradeVoided",
        doc: "A trade counts nowhere any more.",
        stream: StreamRule::Trade,
        versions: &[version(TRADE_VOIDED_1)],
    },
    EventType {
        name: "FillsReassigned",
        doc: "Fills belong to another trade: splits a wrongly merged trade, or merges two.",
        stream: StreamRule::Trade,
        versions: &[version(FILLS_REASSIGNED_1)],
    },
];
