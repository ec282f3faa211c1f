//! Streams of events from a seed: plausible trading, mixed with everything that is surprising but allowed.

use projections::draft::Draft;
use projections::validate;

/// A small generator of pseudo-random numbers (xorshift64*): the same on every machine, forever.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 11) % end
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[usize::try_from(self.below(words.len() as u64)).unwrap()]
    }
}

/// The adversarial streams that the reference fold is held against; none where there is no Python.
pub(crate) fn generated(seed: u64, events: u64) -> Vec<Draft> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/generate.py");
    let (seed, events) = (seed.to_string(), events.to_string());
    let arguments = [script, "--seed", &seed, "--events", &events, "--odd"];
    match std::process::Command::new("python3").args(arguments).output() {
        Ok(made) if made.status.success() => drafts_of(&String::from_utf8(made.stdout).unwrap()),
        Ok(made) => panic!("{}", String::from_utf8_lossy(&made.stderr)),
        Err(_) => Vec::new(),
    }
}

/// The events of some lines.
pub(crate) fn drafts_of(lines: &str) -> Vec<Draft> {
    let parse = |line| validate::parse_edge(line).unwrap_or_else(|refusal| panic!("{refusal}: {line}"));
    lines.lines().map(parse).collect()
}

const ACCOUNTS: [&str; 3] = ["default", "eval", "live"];
const SYMBOLS: [&str; 2] = ["ES", "NQ"];

/// Makes the events of one journal.
pub(crate) struct Trading {
    pub(crate) dice: Dice,
    count: u64,
    minutes: u64,
    trades: u64,
    fills: u64,
}

impl Trading {
    pub(crate) fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed), count: 0, minutes: 0, trades: 0, fills: 0 }
    }

    pub(crate) fn drafts(&mut self, count: u64) -> Vec<Draft> {
        (0..count).map(|_| self.draft()).collect()
    }

    /// The next event. Its id follows from the seed and its number, since exits are known by it as fills.
    pub(crate) fn draft(&mut self) -> Draft {
        self.count += 1;
        self.minutes += self.dice.below(90);
        let (kind, data) = self.kind_and_data();
        let id = format!("{:08x}-0000-7000-8000-{:012x}", self.dice.0 >> 32, self.count);
        let line = format!(
            r#"{{"type":"{kind}","id":"{id}","occurred_at":"{}","data":{data}}}"#,
            at(self.minutes, self.dice.below(60))
        );
        validate::parse_edge(&line).unwrap_or_else(|refusal| panic!("{refusal}: {line}"))
    }

    fn kind_and_data(&mut self) -> (&'static str, String) {
        let account = self.dice.pick(&ACCOUNTS);
        let trade = self.some_trade();
        match self.dice.below(100) {
            0..=2 => self.account_opened(account),
            3..=4 => ("InstrumentDefined", self.instrument()),
            5..=16 => self.trade_opened(account),
            17..=46 => self.fill(account),
            47..=56 => self.exit(&trade),
            57..=59 => ("StopMoved", format!(r#"{{"trade_id":"{trade}","stop_price":"{}"}}"#, self.price())),
            60 => ("TargetMoved", format!(r#"{{"trade_id":"{trade}","target_price":"{}"}}"#, self.price())),
            61..=62 => ("ExcursionMarked", self.excursion(&trade)),
            63..=65 => ("RuleBroken", self.rule_broken(account, &trade)),
            66 => ("MentalStateRated", format!(r#"{{"account_id":"{account}","score":{}}}"#, 1 + self.dice.below(5))),
            67..=69 => ("NoteAdded", format!(r#"{{"trade_id":"{trade}","text":"note {}","tags":["a"]}}"#, self.count)),
            70..=71 => ("StateChanged", format!(r#"{{"account_id":"{account}","state":"s{}"}}"#, self.dice.below(4))),
            72..=73 => ("RiskSet", format!(r#"{{"account_id":"{account}","key":"size","value":{}}}"#, self.count)),
            74..=75 => ("CashMoved", format!(r#"{{"account_id":"{account}","amount":"12.50","kind":"deposit"}}"#)),
            76..=89 => ("BarClosed", self.bar()),
            90..=92 => self.corrected(),
            93 => ("FillBusted", format!(r#"{{"fill_id":"{}","reason":"bust"}}"#, self.some_fill())),
            94..=95 => ("TradeAmended", self.amended(&trade)),
            96 => ("TradeVoided", format!(r#"{{"trade_id":"{trade}","reason":"void"}}"#)),
            _ => self.reassigned(&trade),
        }
    }

    fn price(&mut self) -> String {
        format!("{}.{}", 4990 + self.dice.below(20), ["00", "25", "50", "75"][self.dice.below(4) as usize])
    }

    /// One of the latest trades, or one nobody knows.
    fn some_trade(&mut self) -> String {
        let back = if self.dice.below(8) == 0 { self.dice.below(30) } else { self.dice.below(4) };
        format!("t{}", self.trades.saturating_sub(back))
    }

    fn some_fill(&mut self) -> String {
        let back = if self.dice.below(6) == 0 { self.dice.below(60) } else { self.dice.below(8) };
        format!("f{}", self.fills.saturating_sub(back))
    }

    fn account_opened(&mut self, account: &str) -> (&'static str, String) {
        let zone = self.dice.pick(&["America/Chicago", "UTC", "Asia/Tokyo"]);
        let mode = if account == "live" { "intraday" } else { "end_of_day" };
        let data = format!(
            r#"{{"account_id":"{account}","currency":"USD","starting_equity":"50000","time_zone":"{zone}","daily_loss_limit":"1000","weekly_loss_limit":"2000","trailing_drawdown":"2500","trailing_drawdown_mode":"{mode}","metrics_windows":[3,0]}}"#
        );
        ("AccountOpened", data)
    }

    fn instrument(&mut self) -> String {
        let (symbol, value) = (self.dice.pick(&SYMBOLS), 2 + self.dice.below(49));
        format!(r#"{{"symbol":"{symbol}","tick_size":"0.25","point_value":"{value}"}}"#)
    }

    fn trade_opened(&mut self, account: &str) -> (&'static str, String) {
        self.trades += 1;
        let (symbol, side) = (self.dice.pick(&SYMBOLS), self.dice.pick(&["long", "short"]));
        let (stop, target) = (self.price(), self.price());
        let (strategy, regime) = (self.dice.pick(&["orb", "fade"]), self.dice.pick(&["trend", "range"]));
        let data = format!(
            r#"{{"trade_id":"t{}","symbol":"{symbol}","side":"{side}","strategy":"{strategy}","regime":"{regime}","account_id":"{account}","stop_price":"{stop}","target_price":"{target}","equity":"50000","notes":"plan","conditions":{{"atr":"4.5","vwap":"5001"}}}}"#,
            self.trades
        );
        ("TradeOpened", data)
    }

    fn fill(&mut self, account: &str) -> (&'static str, String) {
        // Now and then one that was recorded already.
        self.fills += u64::from(self.dice.below(40) != 0);
        let trade = if self.dice.below(3) == 0 {
            format!(r#""account_id":"{account}""#)
        } else {
            format!(r#""trade_id":"{}""#, self.some_trade())
        };
        let (symbol, side, price) = (self.dice.pick(&SYMBOLS), self.dice.pick(&["buy", "sell"]), self.price());
        let quantity = 1 + self.dice.below(3);
        let data = format!(
            r#"{{"fill_id":"f{}","symbol":"{symbol}","side":"{side}","quantity":{quantity},"price":"{price}","fees":"2.25","intended_price":"5000","latency_ms":12,{trade}}}"#,
            self.fills
        );
        ("FillRecorded", data)
    }

    fn exit(&mut self, trade: &str) -> (&'static str, String) {
        let reason = self.dice.pick(&["target", "stop", "time"]);
        let price = if self.dice.below(4) == 0 { String::new() } else { format!(r#","price":"{}""#, self.price()) };
        ("TradeExited", format!(r#"{{"trade_id":"{trade}","reason":"{reason}","fees":"1.10"{price}}}"#))
    }

    fn excursion(&mut self, trade: &str) -> String {
        format!(r#"{{"trade_id":"{trade}","high":"{}","low":"4980"}}"#, self.price())
    }

    fn rule_broken(&mut self, account: &str, trade: &str) -> String {
        let of = if self.dice.below(2) == 0 { "account_id" } else { "trade_id" };
        let whose = if of == "account_id" { account } else { trade };
        format!(r#"{{"rule":"r{}","{of}":"{whose}","severity":"minor"}}"#, self.dice.below(3))
    }

    fn bar(&mut self) -> String {
        let (symbol, open) = (self.dice.pick(&SYMBOLS), self.price());
        let start = at(self.minutes.saturating_sub(self.dice.below(30)) / 5 * 5, 0);
        format!(
            r#"{{"symbol":"{symbol}","timeframe":"5m","timestamp":"{start}","open":"{open}","high":"5015","low":"4985","close":"{}","volume":{}}}"#,
            self.price(),
            self.dice.below(1000)
        )
    }

    fn corrected(&mut self) -> (&'static str, String) {
        ("FillCorrected", format!(r#"{{"fill_id":"{}","reason":"late","price":"{}"}}"#, self.some_fill(), self.price()))
    }

    fn amended(&mut self, trade: &str) -> String {
        let strategy = self.dice.pick(&["orb", "fade", "vwap"]);
        format!(r#"{{"trade_id":"{trade}","changes":{{"strategy":"{strategy}","stop_price":"4995"}},"reason":"typo"}}"#)
    }

    fn reassigned(&mut self, trade: &str) -> (&'static str, String) {
        let fills = [self.some_fill(), self.some_fill()];
        let fills = if fills[0] == fills[1] {
            format!("\"{}\"", fills[0])
        } else {
            format!("\"{}\",\"{}\"", fills[0], fills[1])
        };
        ("FillsReassigned", format!(r#"{{"fill_ids":[{fills}],"trade_id":"{trade}","reason":"merged"}}"#))
    }
}

/// A moment so many minutes into March 2026.
fn at(minutes: u64, seconds: u64) -> String {
    let (day, hour, minute) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    // Months of 28 days: no date that isn't one.
    format!("2026-{:02}-{:02}T{hour:02}:{minute:02}:{seconds:02}Z", 3 + day / 28 % 10, 1 + day % 28)
}
