//! Owns the field tables, one a schema version, in canonical order. A released table never changes: a
//! new version is a new table beside it, and a step in `upcast`.

use super::{Field, Kind, Range};

const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { name, kind, required: true, doc }
}

const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { name, kind, required: false, doc }
}

const NAME: Kind = Kind::Name;
const TEXT: Kind = Kind::Text;
/// Prices, fees and distances: negative ones occur in every market.
const SIGNED: Kind = Kind::Decimal(Range::Any);
const POSITIVE: Kind = Kind::Decimal(Range::Positive);
const AMOUNT: Kind = Kind::Decimal(Range::NonNegative);
const FRACTION: Kind = Kind::Decimal(Range::Fraction);
const RATING: Kind = Kind::Whole(1, 5);
const FILL_SIDE: Kind = Kind::OneOf(&["buy", "sell"]);

const ACCOUNT: Field = optional("account_id", NAME, "The account; `default` where left out.");
const TRADES_ACCOUNT: Field = optional("account_id", NAME, "The account; the trade's, else `default`, where left out.");
const TRADE: Field = required("trade_id", NAME, "The trade.");
const OF_TRADE: Field = optional("trade_id", NAME, "The trade it belongs to.");
const FILL: Field = required("fill_id", NAME, "The fill.");
const WHY: Field = required("reason", TEXT, "Why.");
const PERHAPS_WHY: Field = optional("reason", TEXT, "Why.");
const FEES: Field = optional("fees", SIGNED, "All fees; 0 where left out, negative for a rebate.");
const INTENDED: Field = optional("intended_price", SIGNED, "The price the decision was made at, to measure slippage.");
const SLIPPAGE: Field = optional("slippage_ticks", SIGNED, "Slippage in ticks, adverse positive, where measured.");
const LATENCY: Field = optional("latency_ms", SIGNED, "Milliseconds from order to fill.");
const ATTRIBUTES: Field = optional("attributes", Kind::Object, "Anything else; kept as it is.");

pub(super) const ACCOUNT_OPENED_1: &[Field] = &[
    required("account_id", NAME, "The account."),
    required("currency", NAME, "The currency all its amounts are in."),
    required("starting_equity", SIGNED, "Its equity before any event."),
    optional("kind", Kind::OneOf(&["live", "sim", "evaluation", "funded"]), "What money it is."),
    optional("broker", NAME, "Who holds it."),
    optional("time_zone", Kind::Zone, "Where its trading day is reckoned; America/Chicago where left out."),
    optional("day_rolls_at", Kind::Clock, "Local time at which the next trading date begins; 17:00 where left out."),
    optional("daily_loss_limit", AMOUNT, "The most it may lose on a trading date."),
    optional("weekly_loss_limit", AMOUNT, "The most it may lose in a week."),
    optional("trailing_drawdown", AMOUNT, "The most its equity may fall from its high-water mark."),
    optional(
        "trailing_drawdown_mode",
        Kind::OneOf(&["end_of_day", "intraday"]),
        "What raises the high-water mark: a day's closing equity, or equity with open trades at any time; end_of_day where left out.",
    ),
    optional(
        "trailing_drawdown_locks_at",
        SIGNED,
        "The equity at which the floor below the mark stops rising; it never stops where left out.",
    ),
    optional("profit_target", AMOUNT, "The profit that passes an evaluation."),
    optional("consistency_limit", FRACTION, "The largest share of the whole profit that the best day may have."),
    optional(
        "metrics_windows",
        Kind::Wholes,
        "Windows of closed trades to measure, 0 for all; [20, 0] where left out.",
    ),
    ATTRIBUTES,
];

pub(super) const INSTRUMENT_DEFINED_1: &[Field] = &[
    required("symbol", NAME, "The symbol that fills and trades name it by."),
    required("tick_size", POSITIVE, "The smallest step of its price."),
    required("point_value", POSITIVE, "The money a move of 1 in price is worth, for a quantity of 1."),
    optional("currency", NAME, "The currency it is quoted in."),
    optional("asset_class", NAME, "Such as future, equity or crypto."),
    optional("exchange", NAME, "Where it trades."),
    optional("name", NAME, "Its name in full."),
    ATTRIBUTES,
];

pub(super) const TRADE_OPENED_1: &[Field] = &[
    required("trade_id", NAME, "The trade, unique over the journal."),
    required("symbol", NAME, "The instrument."),
    required("side", Kind::OneOf(&["long", "short"]), "Its direction."),
    required("strategy", NAME, "The strategy that decided it."),
    ACCOUNT,
    optional("regime", NAME, "The market regime at entry."),
    optional("timeframe", NAME, "The timeframe it was decided on."),
    optional("stop_price", SIGNED, "The first stop."),
    optional("target_price", SIGNED, "The first target."),
    optional("planned_quantity", POSITIVE, "The quantity the plan is for."),
    optional("planned_entry_price", SIGNED, "The entry price the plan is for."),
    optional("risk_amount", AMOUNT, "The money at risk, 1 R; reckoned from the first stop where left out."),
    optional("equity", SIGNED, "The account's equity at entry."),
    optional("order_type", NAME, "The type of the entry order."),
    optional("signal", NAME, "What triggered it."),
    optional("notes", TEXT, "Notes on the plan."),
    optional("tags", Kind::Names(0), "Tags."),
    optional("mental_state", RATING, "The trader's state before it, from 1 to 5."),
    optional("confidence", FRACTION, "The strategy's confidence."),
    optional("success_probability", FRACTION, "The estimated probability of success."),
    optional("daily_loss_limit", AMOUNT, "The account's limit at entry, where it is not the account's own."),
    optional("conditions", Kind::Fields(CONDITIONS_1), "The market at entry."),
    ATTRIBUTES,
];

/// The nested object `conditions` of `TradeOpened`.
const CONDITIONS_1: &[Field] = &[
    optional("atr", SIGNED, "Average true range."),
    optional("volume", SIGNED, "Volume."),
    optional("vwap", SIGNED, "Volume-weighted average price."),
    optional("vwap_slope", SIGNED, "Its slope."),
    optional("adx", SIGNED, "Average directional index."),
    optional("spread_ticks", SIGNED, "The spread in ticks."),
    optional("liquidity_quality", FRACTION, "A score of liquidity."),
    optional("signals_confluence", SIGNED, "A score of how far signals agree."),
    optional("tf_alignment", FRACTION, "A score of how far timeframes agree."),
    optional("conflicting_timeframes", Kind::Names(0), "The timeframes that do not."),
];

pub(super) const FILL_RECORDED_1: &[Field] = &[
    required("fill_id", NAME, "The fill, unique over the journal."),
    required("symbol", NAME, "The instrument."),
    required("side", FILL_SIDE, "What was done."),
    required("quantity", POSITIVE, "How much."),
    required("price", SIGNED, "At what price."),
    FEES,
    optional("trade_id", NAME, "The trade it belongs to; found by position where left out."),
    TRADES_ACCOUNT,
    optional("order_id", NAME, "The order it filled."),
    optional("order_type", NAME, "The type of that order."),
    INTENDED,
    SLIPPAGE,
    LATENCY,
    optional("liquidity", Kind::OneOf(&["maker", "taker"]), "Whether it made or took liquidity."),
    ATTRIBUTES,
];

pub(super) const STOP_MOVED_1: &[Field] =
    &[TRADE, required("stop_price", SIGNED, "The new stop."), PERHAPS_WHY, ATTRIBUTES];

pub(super) const TARGET_MOVED_1: &[Field] =
    &[TRADE, required("target_price", SIGNED, "The new target."), PERHAPS_WHY, ATTRIBUTES];

pub(super) const EXCURSION_MARKED_1: &[Field] = &[
    TRADE,
    required("high", SIGNED, "The highest price seen while it was open."),
    required("low", SIGNED, "The lowest."),
    ATTRIBUTES,
];

pub(super) const TRADE_EXITED_1: &[Field] = &[
    TRADE,
    required("reason", NAME, "`target`, `stop`, `time`, `regime_shift`, `manual` or another word."),
    optional("price", SIGNED, "With a price the event is also the exit fill."),
    optional("quantity", POSITIVE, "How much was closed; all that is open where left out."),
    FEES,
    INTENDED,
    SLIPPAGE,
    LATENCY,
    optional("order_type", NAME, "The type of the exit order."),
    optional("execution_quality", FRACTION, "A score of the execution."),
    optional("daily_loss_limit_remaining", SIGNED, "What is left of the daily loss limit after it."),
    optional("notes", TEXT, "Notes on the exit."),
    ATTRIBUTES,
];

pub(super) const RULE_BROKEN_1: &[Field] = &[
    required("rule", NAME, "The rule."),
    OF_TRADE,
    TRADES_ACCOUNT,
    optional("severity", Kind::OneOf(&["info", "minor", "major"]), "How bad."),
    optional("detail", TEXT, "What happened."),
    ATTRIBUTES,
];

pub(super) const MENTAL_STATE_RATED_1: &[Field] = &[
    required("score", RATING, "The trader's state, from 1 to 5."),
    ACCOUNT,
    optional("note", TEXT, "A note on it."),
    ATTRIBUTES,
];

pub(super) const NOTE_ADDED_1: &[Field] = &[
    NOTE_TEXT,
    OF_TRADE,
    TRADES_ACCOUNT,
    NOTE_DATE,
    NOTE_TAGS,
    optional("tag", NAME, "A single tag, beside or instead of `tags`."),
    ATTRIBUTES,
];

pub(super) const NOTE_ADDED_2: &[Field] = &[NOTE_TEXT, OF_TRADE, TRADES_ACCOUNT, NOTE_DATE, NOTE_TAGS, ATTRIBUTES];

const NOTE_TEXT: Field = required("text", TEXT, "The note.");
const NOTE_DATE: Field = optional("date", Kind::Date, "The trading date it is about.");
const NOTE_TAGS: Field = optional("tags", Kind::Names(0), "Tags.");

pub(super) const STATE_CHANGED_1: &[Field] = &[
    required("state", NAME, "The orchestrator's new state."),
    ACCOUNT,
    optional("regime", NAME, "The market regime it sees."),
    optional("strategy", NAME, "The strategy it runs."),
    optional("current_r", SIGNED, "Its open result in R."),
    PERHAPS_WHY,
    ATTRIBUTES,
];

pub(super) const RISK_SET_1: &[Field] = &[
    required("key", NAME, "The setting."),
    required("value", Kind::Scalar, "Its new value, kept as it is."),
    ACCOUNT,
    PERHAPS_WHY,
    ATTRIBUTES,
];

pub(super) const CASH_MOVED_1: &[Field] = &[
    required("account_id", NAME, "The account."),
    required("amount", SIGNED, "The change of its cash: positive adds, negative takes away."),
    required("kind", Kind::OneOf(&["deposit", "withdrawal", "payout", "fee", "adjustment"]), "What it was."),
    optional("note", TEXT, "A note on it."),
    ATTRIBUTES,
];

pub(super) const BAR_CLOSED_1: &[Field] = &[
    required("symbol", NAME, "The instrument."),
    required("timeframe", NAME, "The bar's length, such as 5m."),
    required("timestamp", Kind::Time, "When the bar starts."),
    required("open", SIGNED, "First price."),
    required("high", SIGNED, "Highest price."),
    required("low", SIGNED, "Lowest price."),
    required("close", SIGNED, "Last price."),
    required("volume", SIGNED, "Volume."),
    optional("vwap", SIGNED, "Volume-weighted average price."),
    optional("adx", SIGNED, "Average directional index."),
    optional("atr", SIGNED, "Average true range."),
    optional("regime", NAME, "The market regime."),
    ATTRIBUTES,
];

pub(super) const FILL_CORRECTED_1: &[Field] = &[
    FILL,
    WHY,
    optional("quantity", POSITIVE, "The right quantity."),
    optional("price", SIGNED, "The right price."),
    optional("fees", SIGNED, "The right fees."),
    ATTRIBUTES,
];

pub(super) const FILL_BUSTED_1: &[Field] = &[FILL, WHY, ATTRIBUTES];

pub(super) const TRADE_AMENDED_1: &[Field] = &[
    TRADE,
    required(
        "changes",
        // By version: a new version of either is a new version of this type too.
        Kind::Changes(&[TRADE_OPENED_1, TRADE_EXITED_1]),
        "Fields of TradeOpened or TradeExited, each with its new value, or null to take it away.",
    ),
    WHY,
    ATTRIBUTES,
];

pub(super) const TRADE_VOIDED_1: &[Field] = &[TRADE, WHY, ATTRIBUTES];

pub(super) const FILLS_REASSIGNED_1: &[Field] = &[
    required("fill_ids", Kind::Names(1), "The fills."),
    required("trade_id", NAME, "The trade they belong to from the start."),
    WHY,
    ATTRIBUTES,
];
