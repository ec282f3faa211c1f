//! Owns trading dates: which date a moment belongs to in an account's zone, daylight saving observed.
//! Zones come from chrono-tz's compiled tables, never from the machine.

use chrono::{Datelike, Days, NaiveDate, NaiveTime, TimeZone, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::event::AccountOpened;
use crate::moment::{DAY_MICROS, Moment};

/// The zone of an account that was opened without one.
pub const DEFAULT_TIME_ZONE: &str = "America/Chicago";
/// The local time at which the day of an account rolls that was opened without one.
pub const DEFAULT_DAY_ROLLS_AT: &str = "17:00";

/// A trading date, as days from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TradingDate(pub i32);

impl TradingDate {
    /// The Monday of its week.
    #[must_use]
    pub fn week_start(self) -> Self {
        // 1970-01-01 was a Thursday. The first date of all stands for "every date".
        Self(self.0.saturating_sub((self.0 + 3).rem_euclid(7)))
    }

    /// The calendar date.
    #[must_use]
    pub fn date(self) -> NaiveDate {
        NaiveDate::from_num_days_from_ce_opt(self.0.saturating_add(EPOCH_FROM_CE)).unwrap_or(NaiveDate::MAX)
    }

    fn of(date: NaiveDate) -> Self {
        Self(date.num_days_from_ce() - EPOCH_FROM_CE)
    }

    /// Reads `YYYY-MM-DD`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10).map(Self::of)
    }
}

const EPOCH_FROM_CE: i32 = 719_163;

impl std::fmt::Display for TradingDate {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.date().fmt(out)
    }
}

/// How an account reckons its days.
#[derive(Clone, Copy, Debug)]
pub struct Calendar {
    zone: Tz,
    rolls_at: NaiveTime,
    /// The date reckoned last, and the minute that surely has it: one event's facts ask several times.
    last: Option<(i64, i64, TradingDate)>,
}

impl Default for Calendar {
    /// UTC dates: the calendar of an account that was never opened.
    fn default() -> Self {
        Self { zone: Tz::UTC, rolls_at: NaiveTime::MIN, last: None }
    }
}

impl Calendar {
    /// The calendar an account was opened with.
    #[must_use]
    pub fn of(account: &AccountOpened) -> Self {
        let zone = account.time_zone.as_deref().unwrap_or(DEFAULT_TIME_ZONE);
        let rolls_at = account.day_rolls_at.as_deref().unwrap_or(DEFAULT_DAY_ROLLS_AT);
        Self {
            zone: zone.parse().unwrap_or(Tz::UTC),
            rolls_at: NaiveTime::parse_from_str(rolls_at, "%H:%M").unwrap_or(NaiveTime::MIN),
            last: None,
        }
    }

    /// The trading date of a moment: the local date, and from the roll time on the next one (a roll at
    /// 00:00 means the plain local date).
    pub fn date(&mut self, moment: Moment) -> TradingDate {
        if let Some((from, to, date)) = self.last
            && (from..to).contains(&moment.0)
        {
            return date;
        }
        let local = self.zone.from_utc_datetime(&moment.to_utc().naive_utc());
        let rolled = self.rolls_at != NaiveTime::MIN && local.time() >= self.rolls_at;
        let plain = local.date_naive();
        let date = if rolled { plain.checked_add_days(Days::new(1)).unwrap_or(plain) } else { plain };
        let date = TradingDate::of(date);
        self.remember(moment, date);
        date
    }

    /// Remembers the minute around `moment`: days roll at whole minutes, so all of it has the same date.
    fn remember(&mut self, moment: Moment, date: TradingDate) {
        const MINUTE: i64 = 60_000_000;
        let from = moment.0.div_euclid(MINUTE) * MINUTE;
        self.last = Some((from, from + MINUTE, date));
    }

    /// The weekday (0 is Monday) and the hour of a moment on the account's wall clock.
    #[must_use]
    pub fn weekday_and_hour(&self, moment: Moment) -> (u8, u8) {
        let local = self.zone.from_utc_datetime(&moment.to_utc().naive_utc());
        let number = |number: u32| u8::try_from(number).unwrap_or_default();
        (number(local.weekday().num_days_from_monday()), number(local.hour()))
    }

    /// The moment at which a trading date begins; where the clock skips it, the first moment after.
    #[must_use]
    pub fn begins(&self, date: TradingDate) -> Moment {
        let day = date.date();
        let day = if self.rolls_at == NaiveTime::MIN { day } else { day.pred_opt().unwrap_or(day) };
        let wall = day.and_time(self.rolls_at);
        let local = self.zone.from_local_datetime(&wall);
        let micros = local.earliest().map(|at| at.timestamp_micros());
        let skipped = || {
            let later = wall + chrono::TimeDelta::hours(1);
            self.zone.from_local_datetime(&later).earliest().map(|at| at.timestamp_micros())
        };
        Moment(micros.or_else(skipped).unwrap_or(i64::from(date.0) * DAY_MICROS))
    }
}

/// The weekdays, from Monday.
pub const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(zone: &str, rolls_at: &str) -> Calendar {
        let account =
            AccountOpened { time_zone: Some(zone.into()), day_rolls_at: Some(rolls_at.into()), ..Default::default() };
        Calendar::of(&account)
    }

    fn date(calendar: &mut Calendar, moment: &str) -> String {
        calendar.date(Moment::parse(moment).expect(moment)).to_string()
    }

    #[test]
    fn the_day_rolls_at_the_local_hour_on_both_sides_of_daylight_saving() {
        let mut chicago = calendar("America/Chicago", "17:00");
        // UTC-6 until 2026-03-08, UTC-5 from then on.
        assert_eq!(date(&mut chicago, "2026-03-06T22:59:59.999999Z"), "2026-03-06");
        assert_eq!(date(&mut chicago, "2026-03-06T23:00:00Z"), "2026-03-07");
        assert_eq!(date(&mut chicago, "2026-03-08T21:59:59Z"), "2026-03-08");
        assert_eq!(date(&mut chicago, "2026-03-08T22:00:00Z"), "2026-03-09");
        // The hour that happens twice, 2026-11-01.
        assert_eq!(date(&mut chicago, "2026-11-01T06:30:00Z"), "2026-11-01");
        assert_eq!(date(&mut chicago, "2026-11-01T07:30:00Z"), "2026-11-01");
        assert_eq!(date(&mut chicago, "2026-11-01T23:00:00Z"), "2026-11-02");
    }

    #[test]
    fn a_roll_at_midnight_means_the_plain_local_date() {
        let mut tokyo = calendar("Asia/Tokyo", "00:00");
        assert_eq!(date(&mut tokyo, "2026-03-02T14:59:59Z"), "2026-03-02");
        assert_eq!(date(&mut tokyo, "2026-03-02T15:00:00Z"), "2026-03-03");
        let mut utc = Calendar::default();
        assert_eq!(date(&mut utc, "2026-03-02T23:59:59Z"), "2026-03-02");
    }

    #[test]
    fn a_date_begins_where_the_one_before_ends() {
        for zone in ["America/Chicago", "Asia/Tokyo", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu"] {
            for rolls_at in ["00:00", "17:00", "02:30"] {
                let mut calendar = calendar(zone, rolls_at);
                for day in 20_500..20_900 {
                    let begins = calendar.begins(TradingDate(day));
                    assert_eq!(calendar.date(begins), TradingDate(day), "{zone} {rolls_at} {begins}");
                }
            }
        }
    }

    #[test]
    fn weeks_begin_on_monday() {
        let monday = TradingDate::parse("2026-03-02").expect("a date");
        for day in 0..7 {
            assert_eq!(TradingDate(monday.0 + day).week_start(), monday);
        }
        assert_eq!(TradingDate(monday.0 - 1).week_start().to_string(), "2026-02-23");
    }
}
