//! Owns the seeded stream of events that every benchmark runs on. The same arguments always give the same bytes.
//!
//! Trades of about six events (opened, filled, stop moved, excursion marked, filled, exited) in three accounts
//! and six symbols, with bars, notes, rule breaks, moods and states between them, and a correction in every
//! two hundred trades.

use std::cell::Cell;
use std::io::{self, Write};

/// 2026-01-05T14:30:00Z, a Monday.
const START_MICROS: u64 = 1_767_623_400_000_000;
const ACCOUNTS: [&str; 3] = ["eval-50k", "live-main", "swing"];
const STRATEGIES: [&str; 4] = ["opening_range_breakout", "vwap_reversion", "trend_pullback", "news_fade"];
const REGIMES: [&str; 3] = ["trend", "range", "high_volatility"];
/// Symbol, tick in millionths, price in ticks, point value.
const SYMBOLS: [(&str, u64, u64, u32); 6] = [
    ("MESH6", 250_000, 27_400, 5),
    ("MNQH6", 250_000, 99_600, 2),
    ("ZNM6", 15_625, 7_200, 1_000),
    ("MGCJ6", 100_000, 52_000, 10),
    ("CLJ6", 10_000, 6_900, 1_000),
    ("M2KH6", 100_000, 24_000, 5),
];

struct Stream<W: Write> {
    out: W,
    random: Cell<u64>,
    micros: u64,
    written: u64,
    wanted: u64,
}

impl<W: Write> Stream<W> {
    /// A number below `below`, from a multiply-with-xorshift generator (splitmix64).
    fn below(&self, below: u64) -> u64 {
        self.random.set(self.random.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
        let mut mixed = self.random.get();
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }

    fn pick<'a>(&self, from: &[&'a str]) -> &'a str {
        let at = self.below(from.len() as u64);
        from[usize::try_from(at).unwrap_or_default()]
    }

    fn emit(&mut self, kind: &str, data: &str) -> io::Result<()> {
        if self.written == self.wanted {
            return Ok(());
        }
        self.written += 1;
        self.micros += 200_000 + self.below(2_000_000);
        let (random, low) = (self.below(1 << 12), self.below(1 << 62));
        let id =
            uuid::Uuid::from_u64_pair(((self.micros / 1_000) << 16) | 0x7000 | random, 0x8000_0000_0000_0000 | low);
        let at = chrono::DateTime::from_timestamp_micros(self.micros.cast_signed()).unwrap_or_default();
        writeln!(
            self.out,
            r#"{{"type":"{kind}","id":"{id}","occurred_at":"{}","data":{data},"meta":{{"source":"orchestrator"}}}}"#,
            at.format("%Y-%m-%dT%H:%M:%S%.6fZ")
        )
    }

    fn set_up(&mut self) -> io::Result<()> {
        for account in ACCOUNTS {
            self.emit("AccountOpened", &format!(
                r#"{{"account_id":"{account}","currency":"USD","starting_equity":"50000","kind":"live","daily_loss_limit":"1000"}}"#
            ))?;
        }
        for (symbol, tick, _, point_value) in SYMBOLS {
            self.emit(
                "InstrumentDefined",
                &format!(r#"{{"symbol":"{symbol}","tick_size":"{}","point_value":"{point_value}"}}"#, price(tick, 1)),
            )?;
        }
        Ok(())
    }

    fn trade(&mut self, number: u64) -> io::Result<()> {
        let (symbol, tick, level, _) = SYMBOLS[usize::try_from(self.below(6)).unwrap_or_default()];
        let account = self.pick(&ACCOUNTS);
        let long = self.below(2) == 0;
        let (side, enter, exit) = if long { ("long", "buy", "sell") } else { ("short", "sell", "buy") };
        let entry = level + self.below(400);
        let away = |from: u64, ticks: u64, up: bool| if up { from + ticks } else { from - ticks };
        let (stop, target) = (away(entry, 16, !long), away(entry, 32, long));
        let won = self.below(100) < 47;
        let out = if won { away(entry, 8 + self.below(26), long) } else { away(entry, 4 + self.below(14), !long) };
        let quantity = 1 + self.below(4);
        let trade = format!("T{number:08}");
        let at = |ticks: u64| price(tick, ticks);
        self.emit("TradeOpened", &format!(
            r#"{{"trade_id":"{trade}","symbol":"{symbol}","side":"{side}","strategy":"{}","account_id":"{account}","regime":"{}","timeframe":"5m","stop_price":"{}","target_price":"{}","planned_quantity":"{quantity}","equity":"50000","order_type":"limit","confidence":"0.{}","conditions":{{"atr":"4.25","vwap":"{}","adx":"{}","liquidity_quality":"0.8"}}}}"#,
            self.pick(&STRATEGIES), self.pick(&REGIMES), at(stop), at(target), 10 + self.below(89), at(entry + 3), 10 + self.below(40)
        ))?;
        self.emit("FillRecorded", &format!(
            r#"{{"fill_id":"F{number:08}-1","symbol":"{symbol}","side":"{enter}","quantity":"{quantity}","price":"{}","fees":"{}.37","trade_id":"{trade}","order_id":"O{number:08}-1","order_type":"limit","intended_price":"{}","latency_ms":"{}","liquidity":"maker"}}"#,
            at(entry), quantity, at(entry), 5 + self.below(60)
        ))?;
        self.between(number, account, symbol, tick, entry)?;
        self.emit(
            "StopMoved",
            &format!(r#"{{"trade_id":"{trade}","stop_price":"{}","reason":"trail behind the last swing"}}"#, at(entry)),
        )?;
        self.emit(
            "ExcursionMarked",
            &format!(
                r#"{{"trade_id":"{trade}","high":"{}","low":"{}"}}"#,
                at(entry.max(out) + 3),
                at(entry.min(out) - 3)
            ),
        )?;
        self.emit("FillRecorded", &format!(
            r#"{{"fill_id":"F{number:08}-2","symbol":"{symbol}","side":"{exit}","quantity":"{quantity}","price":"{}","fees":"{}.37","trade_id":"{trade}","order_id":"O{number:08}-2","order_type":"stop","intended_price":"{}","latency_ms":"{}","liquidity":"taker"}}"#,
            at(out), quantity, at(out + self.below(2)), 5 + self.below(60)
        ))?;
        let reason = if won { "target" } else { "stop" };
        self.emit(
            "TradeExited",
            &format!(r#"{{"trade_id":"{trade}","reason":"{reason}","execution_quality":"0.{}"}}"#, 50 + self.below(49)),
        )?;
        self.correct(number)
    }

    /// What happens beside trades.
    fn between(&mut self, number: u64, account: &str, symbol: &str, tick: u64, level: u64) -> io::Result<()> {
        let at = |ticks: u64| price(tick, ticks);
        if number.is_multiple_of(8) {
            let minute = self.micros / 60_000_000 * 60_000_000;
            let start = chrono::DateTime::from_timestamp_micros(minute.cast_signed()).unwrap_or_default();
            self.emit("BarClosed", &format!(
                r#"{{"symbol":"{symbol}","timeframe":"1m","timestamp":"{}","open":"{}","high":"{}","low":"{}","close":"{}","volume":"{}"}}"#,
                start.format("%Y-%m-%dT%H:%M:%SZ"), at(level), at(level + 6), at(level - 6), at(level + 2), 100 + self.below(5_000)
            ))?;
        }
        if number.is_multiple_of(50) {
            let score = 1 + self.below(5);
            self.emit("MentalStateRated", &format!(r#"{{"score":{score},"account_id":"{account}"}}"#))?;
            self.emit("StateChanged", &format!(r#"{{"state":"active","account_id":"{account}","regime":"trend"}}"#))?;
        }
        if number.is_multiple_of(40) {
            let trade = format!("T{number:08}");
            self.emit(
                "RuleBroken",
                &format!(r#"{{"rule":"moved_stop_away","trade_id":"{trade}","severity":"minor"}}"#),
            )?;
            self.emit(
                "NoteAdded",
                &format!(r#"{{"text":"Held on too long again.","trade_id":"{trade}","tags":["patience"]}}"#),
            )?;
        }
        Ok(())
    }

    /// Every two hundredth trade's exit is corrected a little later.
    fn correct(&mut self, number: u64) -> io::Result<()> {
        if number.is_multiple_of(200) && number > 0 {
            let corrected = number - 100;
            self.emit(
                "FillCorrected",
                &format!(r#"{{"fill_id":"F{corrected:08}-2","reason":"broker statement","fees":"1.24"}}"#),
            )?;
        }
        Ok(())
    }
}

/// A price of so many ticks, the tick in millionths, as an exact decimal.
fn price(tick_millionths: u64, ticks: u64) -> String {
    let millionths = tick_millionths * ticks;
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Writes so many events, as JSON Lines.
pub(crate) fn write(wanted: u64, seed: u64, out: impl Write) -> io::Result<()> {
    let mut stream = Stream { out, random: Cell::new(seed), micros: START_MICROS, written: 0, wanted };
    stream.set_up()?;
    let mut number = 0;
    while stream.written < wanted {
        stream.trade(number)?;
        number += 1;
    }
    stream.out.flush()
}
