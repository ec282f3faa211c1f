//! Prop firms' rules: loss limits, trailing drawdown and targets, with figures worked out by hand.

use crate::scenarios::check;

const NQ: &str = "InstrumentDefined symbol=NQ tick_size=0.25 point_value=20 at=2026-03-01T00:00:00Z\n";
const ES: &str = "InstrumentDefined symbol=ES tick_size=0.25 point_value=50 at=2026-03-01T00:00:00Z\n";
const END_OF_DAY: &str = "AccountOpened account_id=A currency=USD starting_equity=50000 time_zone=UTC day_rolls_at=00:00 \
    trailing_drawdown=2000 trailing_drawdown_locks_at=50000 daily_loss_limit=1000 profit_target=3000 \
    consistency_limit=0.5 at=2026-03-01T00:00:00Z\n";
const INTRADAY: &str = "AccountOpened account_id=A currency=USD starting_equity=50000 time_zone=UTC day_rolls_at=00:00 \
    trailing_drawdown=2500 trailing_drawdown_mode=intraday trailing_drawdown_locks_at=50100 \
    at=2026-03-01T00:00:00Z\n";

const DRAWDOWN: &str = "equity high_water_mark drawdown_floor drawdown_remaining";
const BREACHES: &str = "rule date threshold value first_seq";

/// A trade of one NQ on a day of March 2026, from 100 to `exit`: two events.
fn nq(name: &str, day: u32, hour: u32, exit: &str) -> String {
    format!(
        "FillRecorded account_id=A fill_id={name} symbol=NQ side=buy quantity=1 price=100 at=2026-03-{day:02}T{hour}:00:00Z
         FillRecorded account_id=A fill_id={name}x symbol=NQ side=sell quantity=1 price={exit} at=2026-03-{day:02}T{hour}:30:00Z\n"
    )
}

#[test]
fn an_end_of_day_floor_rises_with_closing_equity_and_locks() {
    let mut story = [NQ, END_OF_DAY, &nq("a", 2, 10, "160")].concat();
    // 60 points × 20 = 1,200; the day goes on, so that the mark is still where it began.
    check(&story, "accounts", DRAWDOWN, "51200 50000 48000 3200");
    story += &nq("b", 3, 10, "55");
    check(&story, "accounts", DRAWDOWN, "50300 51200 49200 1100");
    check(&story, "accounts", "day_net daily_loss_limit_remaining week_net", "-900 100 300");
    check(&story, "limit_breaches", BREACHES, "");
    // Another 100 lost: the limit is reached, and reached is breached.
    story += &nq("c", 3, 11, "95");
    check(&story, "limit_breaches", BREACHES, "daily_loss_limit 2026-03-03 -1000 -1000 8");
    story += &nq("d", 3, 12, "99");
    check(&story, "limit_breaches", BREACHES, "daily_loss_limit 2026-03-03 -1000 -1000 8");
    // 50,180 + 2,020 = 52,200, whose floor would be 50,200: it locks at 50,000 once the day is over.
    story += &nq("e", 4, 10, "201");
    check(&story, "accounts", DRAWDOWN, "52200 51200 49200 3000");
    story += "StateChanged state=idle account_id=A at=2026-03-05T09:00:00Z\n";
    check(&story, "accounts", DRAWDOWN, "52200 52200 50000 2200");
    // 2,200 of 3,000; 2,020 of 2,200.
    let columns = "profit_target_progress best_day_net best_day_share consistency_limit";
    check(&story, "accounts", columns, "0.7333333333333333 2020 0.9181818181818182 0.5");
    // A locked floor stays where it is when a payout takes the mark along.
    story += "CashMoved account_id=A amount=-1500 kind=payout at=2026-03-05T10:00:00Z\n";
    check(&story, "accounts", DRAWDOWN, "50700 50700 50000 700");
    check(&story, "accounts", columns, "0.7333333333333333 2020 0.9181818181818182 0.5");
    story += &nq("f", 5, 11, "65");
    check(&story, "accounts", DRAWDOWN, "50000 50700 50000 0");
    let expected = "daily_loss_limit 2026-03-03 -1000 -1000 8
                    trailing_drawdown 2026-03-05 50000 50000 16";
    check(&story, "limit_breaches", BREACHES, expected);
}

#[test]
fn a_late_event_does_not_take_back_that_a_day_is_over() {
    let story = [
        NQ,
        END_OF_DAY,
        &nq("a", 2, 10, "160"),
        &nq("b", 3, 10, "101"),
        "NoteAdded account_id=A text=late at=2026-03-02T12:00:00Z",
    ]
    .concat();
    check(&story, "accounts", "day_net high_water_mark", "1200 51200");
}

#[test]
fn a_withdrawal_is_no_loss() {
    let opened = "AccountOpened account_id=A currency=USD starting_equity=1000 trailing_drawdown=100 profit_target=50 \
                  time_zone=UTC day_rolls_at=00:00 at=2026-03-01T00:00:00Z\n";
    for mode in ["end_of_day", "intraday"] {
        let opened = opened.replace("profit_target", &format!("trailing_drawdown_mode={mode} profit_target"));
        let story = [
            &opened,
            NQ,
            &nq("a", 2, 10, "101"),
            "CashMoved account_id=A amount=-500 kind=withdrawal at=2026-03-03T10:00:00Z\n",
        ];
        let story = story.concat();
        check(&story, "accounts", DRAWDOWN, "520 520 420 100");
        check(&story, "accounts", "profit_target_progress best_day_share", "0.4 1");
        check(&story, "limit_breaches", BREACHES, "");
    }
}

#[test]
fn a_week_breaches_its_limit_once() {
    let opened = "AccountOpened account_id=A currency=USD starting_equity=1000 weekly_loss_limit=60 time_zone=UTC day_rolls_at=00:00 at=2026-03-01T00:00:00Z\n";
    let mut story = [opened, NQ, &nq("a", 3, 10, "98"), &nq("b", 5, 10, "99")].concat();
    check(&story, "accounts", "week_net weekly_loss_limit_remaining drawdown_floor", "-60 0 -");
    check(&story, "limit_breaches", BREACHES, "weekly_loss_limit 2026-03-02 -60 -60 6");
    story += &[nq("c", 6, 10, "99"), nq("d", 9, 10, "96")].concat();
    let expected = "weekly_loss_limit 2026-03-02 -60 -60 6
                    weekly_loss_limit 2026-03-09 -60 -80 10";
    check(&story, "limit_breaches", BREACHES, expected);
}

#[test]
fn an_intraday_floor_rises_with_what_is_open() {
    let at = "at=2026-03-02T15:";
    let mut story = [ES, INTRADAY].concat();
    story += &format!(
        "FillRecorded account_id=A fill_id=a trade_id=T symbol=ES side=buy quantity=2 price=100 fees=4 {at}00:00Z\n"
    );
    check(&story, "accounts", DRAWDOWN, "49996 50000 47500 2496");
    // High 2 × 10 × 50 − 4 over the start; the last price is still 100.
    story += &format!("ExcursionMarked trade_id=T high=110 low=98 {at}01:00Z\n");
    check(&story, "accounts", DRAWDOWN, "49996 50996 48496 1500");
    // High 1,200 − 4, close −400 − 4.
    story += &format!(
        "BarClosed symbol=ES timeframe=1m timestamp=2026-03-02T15:01:00Z open=110 high=112 low=95 close=96 volume=1 {at}02:00Z\n"
    );
    check(&story, "accounts", DRAWDOWN, "49996 51196 48696 900");
    story += &format!(
        "FillRecorded account_id=A fill_id=b trade_id=T symbol=ES side=sell quantity=1 price=96 fees=2 {at}03:00Z\n"
    );
    check(&story, "accounts", DRAWDOWN, "49794 51196 48696 898");
    // −200 realised, −6 fees, −23 × 50 open: 48,644.
    story += &format!("ExcursionMarked trade_id=T high=97 low=77 {at}04:00Z\n");
    check(&story, "limit_breaches", BREACHES, "trailing_drawdown 2026-03-02 48696 48644 7");
    check(&story, "accounts", DRAWDOWN, "49794 51196 48696 898");
    // The account is over: it is not breached twice.
    story +=
        &format!("FillRecorded account_id=A fill_id=c trade_id=T symbol=ES side=sell quantity=1 price=60 {at}05:00Z\n");
    check(&story, "accounts", DRAWDOWN, "47794 51196 48696 -902");
    check(&story, "limit_breaches", BREACHES, "trailing_drawdown 2026-03-02 48696 48644 7");
}

#[test]
fn no_bar_is_a_breach_by_its_own_high() {
    let bar = |minute: u32, high: u32, low: u32, close: u32| {
        format!(
            "BarClosed symbol=ES timeframe=1m timestamp=2026-03-02T15:{minute:02}:00Z open=100 high={high} low={low} close={close} volume=1 at=2026-03-02T15:{minute:02}:59Z\n"
        )
    };
    let fill = "FillRecorded account_id=A fill_id=a symbol=ES side=buy quantity=1 price=100 at=2026-03-02T15:00:00Z\n";
    // Up to 53,000: the floor locks at 50,100, and the low of 50,000 was above the floor before.
    let mut story = [ES, INTRADAY, fill, &bar(1, 160, 100, 130)].concat();
    check(&story, "accounts", DRAWDOWN, "50000 53000 50100 1400");
    check(&story, "limit_breaches", BREACHES, "");
    story += &bar(2, 130, 102, 110);
    check(&story, "limit_breaches", BREACHES, "trailing_drawdown 2026-03-02 50100 50100 5");
}

#[test]
fn long_and_short_of_one_symbol_meet_one_price() {
    let story = [
        ES,
        INTRADAY,
        "FillRecorded account_id=A fill_id=a trade_id=L symbol=ES side=buy quantity=1 price=100 at=2026-03-02T15:00:00Z
         FillRecorded account_id=A fill_id=b trade_id=S symbol=ES side=sell quantity=1 price=100 at=2026-03-02T15:00:00Z
         BarClosed symbol=ES timeframe=1m timestamp=2026-03-02T15:01:00Z open=100 high=190 low=10 close=50 volume=1",
    ]
    .concat();
    check(&story, "accounts", DRAWDOWN, "50000 50000 47500 2500");
    check(&story, "limit_breaches", BREACHES, "");
}

#[test]
fn a_breach_stays_when_a_bust_takes_its_cause_away() {
    let mut story = [NQ, END_OF_DAY, &nq("a", 2, 10, "45")].concat();
    check(&story, "accounts", "day_net daily_loss_limit_remaining", "-1100 -100");
    story += "FillBusted fill_id=ax reason=exchange at=2026-03-02T12:00:00Z\n";
    check(&story, "accounts", "day_net daily_loss_limit_remaining last_seq", "0 1000 5");
    check(&story, "limit_breaches", BREACHES, "daily_loss_limit 2026-03-02 -1000 -1100 4");
}

#[test]
fn a_correction_that_brings_a_breach_to_light_is_its_cause() {
    let mut story = [NQ, END_OF_DAY, &nq("a", 2, 10, "101"), &nq("b", 3, 10, "101")].concat();
    story += "FillCorrected fill_id=ax price=0 reason=statement at=2026-03-04T09:00:00Z\n";
    // −2,000 on the 2nd: a day's limit, and 48,000 is the floor of that day.
    let expected = "daily_loss_limit 2026-03-02 -1000 -2000 7
                    trailing_drawdown 2026-03-02 48000 48000 7";
    check(&story, "limit_breaches", BREACHES, expected);
}

#[test]
fn an_intraday_path_is_gone_along_again_after_corrections() {
    let mut story = [ES, INTRADAY].concat();
    story +=
        "FillRecorded account_id=A fill_id=a trade_id=T symbol=ES side=buy quantity=1 price=100 at=2026-03-02T15:00:00Z
         FillRecorded account_id=A fill_id=b trade_id=U symbol=ES side=buy quantity=1 price=100 at=2026-03-02T15:00:00Z
         ExcursionMarked trade_id=T high=110 low=100 at=2026-03-02T15:01:00Z
         ExcursionMarked trade_id=T high=109 low=100 at=2026-03-02T15:02:00Z
         ExcursionMarked trade_id=U high=104 low=100 at=2026-03-02T15:03:00Z
         CashMoved account_id=A amount=10 kind=deposit at=2026-03-02T15:04:00Z\n";
    check(&story, "accounts", DRAWDOWN, "50010 50510 48010 2000");
    // T entered at 105: 5 × 50 + 10 beside U, whose own best was 200 less the 250 that T is behind at 105 bought, 100 last.
    let corrected = format!("{story}FillCorrected fill_id=a price=105 reason=typo at=2026-03-02T15:05:00Z\n");
    check(&corrected, "accounts", DRAWDOWN, "50010 50260 47760 2250");
    let voided = format!("{story}TradeVoided trade_id=T reason=sim at=2026-03-02T15:05:00Z\n");
    check(&voided, "accounts", DRAWDOWN, "50010 50210 47710 2300");
    let busted = format!("{story}FillBusted fill_id=b reason=exchange at=2026-03-02T15:05:00Z\n");
    check(&busted, "accounts", DRAWDOWN, "50010 50510 48010 2000");
}

#[test]
fn an_account_opened_late_is_reckoned_as_if_it_had_been_opened_first() {
    let story = "FillRecorded account_id=A fill_id=a trade_id=T symbol=ES side=buy quantity=1 price=100 at=2026-03-02T15:00:00Z
         ExcursionMarked trade_id=T high=130 low=90 at=2026-03-02T15:01:00Z
         FillRecorded account_id=A fill_id=b trade_id=T symbol=ES side=buy quantity=1 price=120 at=2026-03-02T15:02:00Z
         ExcursionMarked trade_id=T high=129 low=120 at=2026-03-02T15:03:00Z
         CashMoved account_id=A amount=-100 kind=fee at=2026-03-02T15:04:00Z
         FillRecorded account_id=A fill_id=c trade_id=T symbol=ES side=sell quantity=2 price=60 at=2026-03-03T15:00:00Z\n";
    // Marked: 50,000 + 1,500, then 50,000 + 29 × 50 + 9 × 50 = 51,900, less 100.
    for story in [[ES, INTRADAY, story].concat(), [ES, story, INTRADAY].concat()] {
        check(&story, "accounts", DRAWDOWN, "44900 51800 49300 -4400");
        check(&story, "accounts", "best_day_net best_day_share", "0 -");
    }
    check(&[ES, INTRADAY, story].concat(), "limit_breaches", BREACHES, "trailing_drawdown 2026-03-03 49300 44900 8");
    check(&[ES, story, INTRADAY].concat(), "limit_breaches", BREACHES, "trailing_drawdown 2026-03-03 49300 44900 8");
}

#[test]
fn a_reset_account_begins_anew_under_its_new_name() {
    let mut story = [NQ, END_OF_DAY, &nq("a", 2, 10, "0")].concat();
    story += &END_OF_DAY.replace("account_id=A", "account_id=A-2").replace("03-01", "03-02");
    story += &nq("b", 2, 11, "110").replace("account_id=A", "account_id=A-2");
    let expected = "A 48000 48000 -1000
                    A-2 50200 48000 1200";
    check(&story, "accounts", "account_id equity drawdown_floor daily_loss_limit_remaining", expected);
    check(&story, "limit_breaches", "account_id rule", "A daily_loss_limit\nA trailing_drawdown");
}

#[test]
fn an_excursion_that_widened_nothing_counts_once_a_correction_makes_it_wide() {
    let story = "InstrumentDefined symbol=X tick_size=1 point_value=1
         FillRecorded fill_id=a trade_id=T symbol=X side=buy quantity=1 price=100
         FillRecorded fill_id=b trade_id=T symbol=X side=buy quantity=1 price=120
         ExcursionMarked trade_id=T high=115 low=100
         FillCorrected fill_id=b price=100 reason=typo";
    check(story, "trades", "mae mfe", "0 15");
}
