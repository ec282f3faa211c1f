//! Small stories with results worked out by hand from the rules, one event a line.

use crate::runner::{events, fold, show};

/// Reads `Type key=value …` lines; each event is a minute after the one before, unless `at=` says when.
fn story(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.enumerate().map(|(minute, line)| edge(line, minute)).collect()
}

fn edge(line: &str, minute: usize) -> String {
    let mut words = line.split_whitespace();
    let kind = words.next().expect("a type");
    let mut at = format!("2026-03-02T15:{minute:02}:00Z");
    let mut fields = Vec::new();
    let mut id = String::new();
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or_else(|| panic!("{word} is no key=value"));
        match key {
            "at" => at = value.to_owned(),
            "id" => id = format!("\"id\":\"{value}\","),
            _ if value.starts_with(['[', '{']) => fields.push(format!("\"{key}\":{value}")),
            _ => fields.push(format!("\"{key}\":\"{value}\"")),
        }
    }
    format!("{{\"type\":\"{kind}\",{id}\"occurred_at\":\"{at}\",\"data\":{{{}}}}}", fields.join(","))
}

/// Folds a story and compares some columns of a table, a row a line.
pub(crate) fn check(text: &str, table: &str, columns: &str, expected: &str) {
    let lines = story(text);
    let tables = fold(&events(lines.iter().map(String::as_str)), |_| false);
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(show(&tables, table, columns), expected.join("\n"), "{table}: {columns}");
}

const ES: &str = "InstrumentDefined symbol=ES tick_size=0.25 point_value=50\n";

fn with_es(text: &str) -> String {
    [ES, text].concat()
}

#[test]
fn scaling_in_and_out_averages_and_pairs_first_in_first_out() {
    let text = with_es(
        "FillRecorded fill_id=a symbol=ES side=buy quantity=1 price=100 fees=1
         FillRecorded fill_id=b symbol=ES side=buy quantity=3 price=104 fees=3
         FillRecorded fill_id=c symbol=ES side=sell quantity=2 price=110 fees=2
         FillRecorded fill_id=d symbol=ES side=sell quantity=2 price=102 fees=2",
    );
    // Average entry (100 + 3 × 104) / 4 = 103; gross 10 + 6 − 2 × 2 = 12 points = 600.
    let columns = "trade_id trade_type entry_price exit_price position_size pl_amount_gross fees_paid pl_amount_net win_loss mae mfe";
    check(&text, "trades", columns, "default:ES:a Long 103 106 4 600 8 592 Win 3 7");
    // b's fee of 3 is shared 1 : 2, c's of 2 is shared 1 : 1.
    let expected = "a c 1 500 2
                    b c 1 300 2
                    b d 2 -200 4";
    check(&text, "round_trips", "entry_fill_id exit_fill_id quantity pl_gross fees", expected);
}

#[test]
fn a_fill_that_crosses_zero_is_split_with_its_fee() {
    let text = with_es(
        "FillRecorded fill_id=a symbol=ES side=buy quantity=1 price=100 fees=1
         FillRecorded fill_id=b symbol=ES side=sell quantity=3 price=101 fees=6
         FillRecorded fill_id=c symbol=ES side=buy quantity=2 price=99 fees=2",
    );
    let expected = "default:ES:a Long closed 1 50 3 47
                    default:ES:b Short closed 2 200 6 194";
    check(
        &text,
        "trades",
        "trade_id trade_type status position_size pl_amount_gross fees_paid pl_amount_net",
        expected,
    );
    check(&text, "daily_pnl", "date trades_count pl_gross fees pl_net equity_close", "2026-03-02 2 250 9 241 241");
    check(&text, "fills", "fill_id trade_id quantity", "a default:ES:a 1\nb default:ES:a 3\nc default:ES:b 2");
}

#[test]
fn decimals_stay_exact() {
    let text = "InstrumentDefined symbol=ZN tick_size=0.015625 point_value=1000
         FillRecorded fill_id=a symbol=ZN side=buy quantity=1 price=110.015625 fees=0.1
         FillRecorded fill_id=b symbol=ZN side=sell quantity=1 price=110.031250 fees=0.2";
    check(text, "trades", "entry_price pl_amount_gross fees_paid pl_amount_net", "110.015625 15.625 0.3 15.325");
    let crypto = "InstrumentDefined symbol=BTC tick_size=0.01 point_value=1
         FillRecorded fill_id=a symbol=BTC side=buy quantity=0.123456789012345678 price=60000
         FillRecorded fill_id=b symbol=BTC side=sell quantity=0.123456789012345678 price=60001";
    check(crypto, "trades", "quantity_open pl_amount_gross", "0 0.12345678901234568");
}

#[test]
fn risk_is_frozen_at_the_first_stop() {
    let text = with_es(
        "TradeOpened trade_id=T symbol=ES side=long strategy=s stop_price=98 target_price=106 equity=50000
         FillRecorded fill_id=a symbol=ES side=buy quantity=2 price=100 trade_id=T fees=4
         StopMoved trade_id=T stop_price=100
         TargetMoved trade_id=T target_price=110
         TradeExited trade_id=T reason=target price=103 fees=4 execution_quality=0.9",
    );
    // Risk 2 × 2 × 50 = 200, net 3 × 2 × 50 − 8 = 292.
    let columns = "stop_loss_price initial_stop_price take_profit_price risk_amount result_r risk_reward_ratio pl_percentage exit_reason execution_quality_score holding_duration_minutes";
    check(&text, "trades", columns, "100 98 110 200 1.46 3 0.584 target 0.9 3");
}

#[test]
fn an_exit_larger_than_the_position_goes_on_as_a_new_trade() {
    let text = with_es(
        "TradeOpened trade_id=T symbol=ES side=long strategy=s
         FillRecorded fill_id=a symbol=ES side=buy quantity=2 price=100 trade_id=T
         FillRecorded fill_id=b symbol=ES side=sell quantity=3 price=101 trade_id=T fees=3",
    );
    let expected = "T closed 0 2
                    default:ES:b open 1 1";
    check(&text, "trades", "trade_id status quantity_open fees_paid", expected);
    check(&text, "anomalies", "seq kind trade_id fill_id", "4 exit_exceeds_position T b");
}

#[test]
fn late_fills_reopen_or_go_on() {
    let text = with_es(
        "FillRecorded fill_id=a symbol=ES side=buy quantity=1 price=100 trade_id=T
         FillRecorded fill_id=b symbol=ES side=sell quantity=1 price=101 trade_id=T
         FillRecorded fill_id=c symbol=ES side=buy quantity=1 price=102 trade_id=T
         FillRecorded fill_id=d symbol=ES side=sell quantity=1 price=104 trade_id=T
         FillRecorded fill_id=e symbol=ES side=sell quantity=1 price=105 trade_id=T",
    );
    let expected = "T closed 2 150
                    default:ES:e open 1 0";
    check(&text, "trades", "trade_id status position_size pl_amount_gross", expected);
    let expected = "2 unknown_trade
                    4 trade_reopened
                    6 nothing_to_exit";
    check(&text, "anomalies", "seq kind", expected);
}

#[test]
fn a_bust_regroups_the_fills_after_it() {
    let text = with_es(
        "FillRecorded fill_id=a symbol=ES side=buy quantity=1 price=100
         FillRecorded fill_id=b symbol=ES side=sell quantity=1 price=101
         FillRecorded fill_id=c symbol=ES side=sell quantity=1 price=102
         FillBusted fill_id=a reason=exchange",
    );
    // Without a, b and c open one short trade together.
    check(&text, "trades", "trade_id trade_type status position_size entry_price", "default:ES:b Short open 2 101.5");
    check(&text, "fills", "fill_id trade_id status", "a - busted\nb default:ES:b live\nc default:ES:b live");
    check(&text, "daily_pnl", "trades_count pl_gross", "0 0");
    // What was written when the trade closed stays; the bust writes that it is gone.
    let expected = "default 3 0 1
                    default 3 20 1
                    default 5 0 0
                    default 5 20 0";
    check(&text, "performance_metrics", "account_id first_seq window_trades total_trades", expected);
}

#[test]
fn a_correction_of_a_long_closed_trade_moves_its_day_and_all_later_equity() {
    let text = "AccountOpened account_id=A currency=USD starting_equity=1000 at=2026-03-01T00:00:00Z
         InstrumentDefined symbol=ES tick_size=0.25 point_value=50
         FillRecorded account_id=A fill_id=a symbol=ES side=buy quantity=1 price=100 at=2026-03-02T15:00:00Z
         FillRecorded account_id=A fill_id=b symbol=ES side=sell quantity=1 price=101 at=2026-03-02T16:00:00Z
         FillRecorded account_id=A fill_id=c symbol=ES side=buy quantity=1 price=100 at=2026-03-03T15:00:00Z
         FillRecorded account_id=A fill_id=d symbol=ES side=sell quantity=1 price=102 at=2026-03-03T16:00:00Z
         FillCorrected fill_id=b price=99 reason=broker at=2026-03-04T12:00:00Z";
    let expected = "2026-03-02 1 -50 950 7
                    2026-03-03 0 100 1050 7";
    check(text, "daily_pnl", "date is_red_day pl_net equity_close last_seq", expected);
    check(
        text,
        "trades",
        "trade_id pl_amount_net win_loss corrections first_seq last_seq",
        "A:ES:a -50 Loss 1 3 7\nA:ES:c 100 Win 0 5 6",
    );
    check(text, "accounts", "account_id equity", "A 1050");
}

#[test]
fn a_voided_trade_counts_nowhere_and_keeps_its_row() {
    let text = with_es(
        "FillRecorded fill_id=a symbol=ES side=buy quantity=2 price=100 fees=1
         FillRecorded fill_id=b symbol=ES side=sell quantity=1 price=101
         TradeVoided trade_id=default:ES:a reason=test
         FillRecorded fill_id=c symbol=ES side=sell quantity=1 price=103",
    );
    let expected = "default:ES:a voided 1 50
                    default:ES:c open 1 0";
    check(&text, "trades", "trade_id status quantity_open pl_amount_gross", expected);
    check(&text, "daily_pnl", "date pl_gross fees trades_count", "2026-03-02 0 0 0");
    check(&text, "round_trips", "trade_id", "");
}

#[test]
fn reassigning_fills_splits_a_wrongly_merged_trade() {
    let text = with_es(
        "TradeOpened trade_id=T symbol=ES side=long strategy=s
         FillRecorded fill_id=a symbol=ES side=buy quantity=1 price=100 trade_id=T
         FillRecorded fill_id=b symbol=ES side=buy quantity=1 price=110 trade_id=T
         FillRecorded fill_id=c symbol=ES side=sell quantity=1 price=105 trade_id=T
         FillRecorded fill_id=d symbol=ES side=sell quantity=1 price=120 trade_id=T
         FillsReassigned fill_ids=[\"b\",\"d\"] trade_id=U reason=two",
    );
    let expected = "T Long closed 1 250
                    U Long closed 1 500";
    check(&text, "trades", "trade_id trade_type status position_size pl_amount_gross", expected);
}

#[test]
fn an_amended_trade_is_as_if_it_had_been_opened_so() {
    let text = with_es(
        "TradeOpened trade_id=T symbol=ES side=long strategy=wrong stop_price=99
         FillRecorded fill_id=a symbol=ES side=buy quantity=1 price=100 trade_id=T
         TradeExited trade_id=T reason=stop price=101
         TradeAmended trade_id=T changes={\"strategy\":\"right\",\"stop_price\":\"98\",\"reason\":\"target\"} reason=typo",
    );
    check(
        &text,
        "trades",
        "strategy_used initial_stop_price result_r exit_reason corrections",
        "right 98 0.5 target 1",
    );
    let expected = "* strategy right 1
                    default strategy right 1";
    let lines = story(&text);
    let tables = fold(&events(lines.iter().map(String::as_str)), |_| false);
    let shown = show(&tables, "performance_breakdown", "account_id dimension value total_trades");
    let strategies: Vec<&str> = shown.lines().filter(|line| line.contains(" strategy ")).collect();
    assert_eq!(strategies, expected.lines().map(str::trim).collect::<Vec<_>>());
}

#[test]
fn bars_count_from_entry_on_and_while_open() {
    let bar = |start: &str, high: u32, low: u32| {
        format!(
            "BarClosed symbol=ES timeframe=1m timestamp={start} open=100 high={high} low={low} close=100 volume=1\n"
        )
    };
    let text = [
        ES.to_owned(),
        "FillRecorded fill_id=a symbol=ES side=buy quantity=1 price=100\n".to_owned(),
        bar("2026-03-02T15:00:00Z", 190, 10),
        bar("2026-03-02T15:01:00Z", 108, 97),
        "FillRecorded fill_id=b symbol=ES side=sell quantity=1 price=101\n".to_owned(),
        bar("2026-03-02T15:05:00Z", 200, 1),
        "ExcursionMarked trade_id=default:ES:a high=109 low=99".to_owned(),
    ]
    .concat();
    check(&text, "trades", "mae mfe", "3 9");
}

#[test]
fn days_roll_at_the_account_s_hour_across_daylight_saving() {
    let text = "AccountOpened account_id=A currency=USD starting_equity=0 at=2026-03-01T00:00:00Z
         FillRecorded account_id=A fill_id=a symbol=X side=buy quantity=1 price=1 at=2026-03-06T22:59:59Z
         FillRecorded account_id=A fill_id=b symbol=X side=sell quantity=1 price=2 at=2026-03-06T23:00:00Z
         FillRecorded account_id=A fill_id=c symbol=X side=buy quantity=1 price=1 at=2026-03-08T21:59:59Z
         FillRecorded account_id=A fill_id=d symbol=X side=sell quantity=1 price=4 at=2026-03-08T22:00:00Z";
    let expected = "2026-03-06 0 0
                    2026-03-07 1 1
                    2026-03-08 0 0
                    2026-03-09 1 3";
    check(text, "daily_pnl", "date trades_count pl_gross", expected);
}

#[test]
fn a_late_opening_sorts_the_account_s_days_again() {
    let text = "FillRecorded account_id=A fill_id=a symbol=X side=buy quantity=1 price=1 at=2026-03-02T23:30:00Z
         FillRecorded account_id=A fill_id=b symbol=X side=sell quantity=1 price=2 at=2026-03-02T23:31:00Z
         AccountOpened account_id=A currency=USD starting_equity=500 at=2026-03-03T00:00:00Z";
    check(text, "daily_pnl", "date account_id trades_count equity_close", "2026-03-03 A 1 501");
}

#[test]
fn states_and_risk_stand_on_the_current_date() {
    let text = "AccountOpened account_id=default currency=USD starting_equity=1000 daily_loss_limit=100 time_zone=UTC day_rolls_at=00:00 at=2026-03-01T00:00:00Z
         TradeOpened trade_id=T symbol=X side=long strategy=s risk_amount=10 at=2026-03-02T10:00:00Z
         FillRecorded fill_id=a symbol=X side=buy quantity=1 price=50 trade_id=T at=2026-03-02T10:00:00Z
         FillRecorded fill_id=b symbol=X side=sell quantity=1 price=35 trade_id=T at=2026-03-02T11:00:00Z
         StateChanged state=halted current_r=-1.5 at=2026-03-02T11:01:00Z
         StateChanged state=active at=2026-03-03T09:00:00Z";
    let expected = "5 halted -1.5 -1.5 -1.5 0
                    6 active 0 -1.5 - 1";
    check(
        text,
        "system_state",
        "state_id system_state daily_pnl_r weekly_pnl_r current_r consecutive_red_days",
        expected,
    );
    check(text, "trades", "dll_at_entry dll_remaining_after", "100 85");
    let expected = "consecutive_red_days 1
                    daily_loss_limit_remaining 100
                    daily_pnl_r 0
                    weekly_pnl_r -1.5";
    check(text, "risk_state", "key value", expected);
}

#[test]
fn a_repeated_fill_and_unknown_names_change_nothing() {
    let text = "FillRecorded fill_id=a symbol=X side=buy quantity=1 price=50
         FillRecorded fill_id=a symbol=X side=buy quantity=9 price=50
         StopMoved trade_id=nobody stop_price=1
         FillBusted fill_id=nothing reason=r
         NoteAdded trade_id=nobody text=hello";
    check(text, "trades", "position_size", "1");
    check(text, "notes", "text", "");
    let expected = "1 undefined_instrument
                    2 repeated_fill
                    3 unknown_trade
                    4 unknown_fill
                    5 unknown_trade";
    check(text, "anomalies", "seq kind", expected);
}

#[test]
fn amounts_beyond_all_money_saturate_and_nothing_panics() {
    let text = "FillRecorded fill_id=a symbol=X side=buy quantity=9999999999999999999999999999 price=9999999999999999999999999999
         FillRecorded fill_id=b symbol=X side=sell quantity=9999999999999999999999999999 price=-9999999999999999999999999999";
    check(text, "trades", "status win_loss", "closed Loss");
}
