//! `report`: that the page says what the tables say, is the same each time, and holds nothing that runs or loads.

use crate::cli_support::Place;

fn report(place: &Place, arguments: &[&str]) -> String {
    place.run([&["report", "--out", "out/r.html"], arguments].concat()).ok();
    place.text("out/r.html")
}

/// The figure in the tile of this name.
fn tile(page: &str, name: &str) -> String {
    let at = page.find(&format!("<h3>{name}</h3>")).unwrap_or_else(|| panic!("{name}"));
    let rest = &page[at..];
    let value = &rest[rest.find("class=\"value").unwrap()..];
    value[value.find('>').unwrap() + 1..value.find("</p>").unwrap()].to_owned()
}

#[test]
fn the_page_says_what_the_tables_say() {
    let place = Place::with_week();
    let page = report(&place, &["--account", "eval-50k"]);
    // SQLite adds up: -160.58, 32 trades of which 15 were won.
    let sql = "SELECT printf('%.2f USD', sum(pl_net)) AS net, printf('%.2f', sum(pnl_r)) AS r, count(*) AS days,
               (SELECT printf('%.1f %%', 100.0 * sum(win_loss = 'Win') / count(*)) FROM trades
                WHERE account_id = 'eval-50k' AND status = 'closed') AS won
               FROM daily_pnl WHERE account_id = 'eval-50k'";
    let sums = place.json(["sql", sql]);
    for (name, column) in [("Net", "net"), ("R", "r"), ("Win rate", "won")] {
        assert_eq!(tile(&page, name), sums[0][column].as_str().unwrap(), "{name}");
    }
    assert_eq!(tile(&page, "Days"), sums[0]["days"].to_string());
    // 450.23 + 89.69 - 939.52 + ...: the fall of the worst day is the deepest.
    assert_eq!(tile(&page, "Drawdown"), "-939.52");
    // statsmodels: proportion_confint(15, 32, method='wilson') = (0.308694, 0.635505).
    assert!(page.contains("30.9 % to 63.6 % of 32 trades"), "{page}");
    let head = place.json(["status"])["head"]["hash"].as_str().unwrap().to_owned();
    assert!(page.contains(&head) && page.contains("<td>opening_<wbr>range_<wbr>breakout</td>"));
    assert_eq!(page, report(&place, &["--account", "eval-50k"]));
}

#[test]
fn dates_choose_days_trades_and_metrics() {
    let place = Place::with_week();
    let page = report(&place, &["--account", "eval-50k", "--from", "2026-03-04", "--to", "2026-03-04"]);
    assert_eq!((tile(&page, "Days").as_str(), tile(&page, "Net").as_str()), ("1", "-939.52 USD"));
    let of_day = "SELECT count(*) AS n FROM trades WHERE trade_id LIKE 'eval-0304-%' AND status = 'closed'";
    let trades = place.json(["sql", of_day])[0]["n"].to_string();
    assert!(page.contains(&format!("of {trades} trades")), "{trades}");
    assert!(page.contains("eval-0304-01") && !page.contains("eval-0303-01"));
}

#[test]
fn a_limit_that_was_reached_is_told_with_its_cause() {
    let place = Place::new();
    let event = |number: u32, kind: &str, data: &str| {
        format!(
            r#"{{"type":"{kind}","id":"0197b6ce-0000-7000-8000-{number:012}","occurred_at":"2026-03-02T15:0{number}:00Z","data":{data}}}"#
        ) + "\n"
    };
    let fill = |id: &str, side: &str, price: u32| {
        format!(r#"{{"fill_id":"{id}","symbol":"X","side":"{side}","quantity":1,"price":{price},"account_id":"A"}}"#)
    };
    let input = event(
        1,
        "AccountOpened",
        r#"{"account_id":"A","currency":"USD","starting_equity":50000,"daily_loss_limit":100}"#,
    ) + &event(2, "FillRecorded", &fill("a", "buy", 1_000))
        + &event(3, "FillRecorded", &fill("b", "sell", 850));
    place.feed(input, ["append"]).ok();
    let page = report(&place, &["--account", "A"]);
    assert!(
        page.contains("daily loss limit reached, 2026-03-02: -150.00 against -100.00, by the event at position 3.")
    );
    assert!(page.contains("-50.00") && !page.contains("No limit was reached"));
}

#[test]
fn nothing_in_it_runs_or_comes_from_elsewhere() {
    let place = Place::new();
    let evil = "<img src=x onerror=alert(1)>\\\"'&";
    let event = |number: u32, kind: &str, data: &str| {
        format!(
            r#"{{"type":"{kind}","id":"0197b6ce-0000-7000-8000-{number:012}","occurred_at":"2026-03-02T15:0{number}:00Z","data":{data}}}"#
        ) + "\n"
    };
    let fill = |id: &str, side: &str, price: &str| {
        format!(
            r#"{{"fill_id":"{id}","symbol":"{evil}","side":"{side}","quantity":1,"price":"{price}","trade_id":"{evil}"}}"#
        )
    };
    let opened =
        format!(r#"{{"trade_id":"{evil}","symbol":"{evil}","side":"long","strategy":"{evil}","regime":"{evil}"}}"#);
    let input = event(1, "TradeOpened", &opened)
        + &event(2, "FillRecorded", &fill("a", "buy", "10"))
        + &event(3, "FillRecorded", &fill("b", "sell", "11"))
        + &event(4, "TradeExited", &format!(r#"{{"trade_id":"{evil}","reason":"{evil}"}}"#));
    place.feed(input, ["append"]).ok();
    let page = report(&place, &[]);
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;") && !page.contains("<img"), "{page}");
    for loading in ["<script", "src=", "href=", "url(", "@import", "http://", "https://"] {
        assert!(!page.replace("src=x", "").contains(loading), "{loading}");
    }
}

#[test]
fn what_there_is_no_report_on_is_said() {
    let place = Place::with_week();
    place.run(["report", "--account", "eval-50", "--out", "r.html"]).fails(2, &["did you mean eval-50k?"]);
    let nothing = ["report", "--account", "eval-50k", "--from", "2027-01-01", "--out", "r.html"];
    place.run(nothing).fails(2, &["eval-50k has no day", "from 2027-01-01 on"]);
    let backwards =
        ["report", "--account", "eval-50k", "--from", "2026-03-05", "--to", "2026-03-04", "--out", "r.html"];
    place.run(backwards).fails(2, &["the first is the later one"]);
    place.run(["report", "--account", "eval-50k"]).fails(2, &["--out"]);
    assert!(!place.path("r.html").exists());
}
