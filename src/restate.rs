//! Owns restatements: what trading days looked like when they closed, by the clock of recording, beside what they
//! look like now, and the events that made the difference. What was known then is asked of tables as of then;
//! which events moved a day, of its audit.

use std::collections::BTreeMap;

use projections::calendar::TradingDate;
use projections::cell::{Cell, Row};
use projections::daily_pnl;
use projections::ledger::on_demand::DayAt;
use projections::ledger::{self, on_demand};
use projections::metrics::{METRICS, Summary};
use projections::moment::Moment;

use crate::as_of::tables_as_of;
use crate::audit::{self, AuditError, Step, Subject};
use crate::calendars::Calendars;
use crate::log::Reader;
use crate::tables::{self, Connection, SqlShelf, TablesError};

/// Which days.
#[derive(Clone, Debug)]
pub struct Question {
    /// The first trading date.
    pub from: TradingDate,
    /// The last one, included.
    pub to: TradingDate,
    /// One account; all of them when left out.
    pub account: Option<String>,
}

/// A figure's name and value, in the order of its table.
pub type Figures = Vec<(&'static str, Cell)>;

/// A trading day of an account, then and now.
#[derive(Clone, Debug)]
pub struct Day {
    /// The account.
    pub account: String,
    /// The trading date.
    pub date: TradingDate,
    /// When it closed: the next date began.
    pub closed_at: Moment,
    /// The last position recorded before that.
    pub position: u64,
    /// Nothing was recorded after it closed: it may still be going on, and nothing can have been restated.
    pub is_open: bool,
    /// Nothing at all had been recorded of the account: the day said nothing when it closed, and what made it is its
    /// whole history, which is not listed.
    pub is_recorded_later: bool,
    /// Its row of `daily_pnl` as it was then; `None` where there was none.
    pub then: Option<Row>,
    /// And as it is now.
    pub now: Option<Row>,
    /// The metrics of all trades closed up to and with this date, as they were then.
    pub metrics_then: Figures,
    /// And as they are now.
    pub metrics_now: Figures,
    /// The events recorded since that moved them, oldest first, each with the date whose row it moved.
    pub events: Vec<(TradingDate, Step)>,
}

impl Day {
    /// Whether a figure is another now than when the day closed.
    #[must_use]
    pub fn is_restated(&self) -> bool {
        figures(self.then.as_ref()) != figures(self.now.as_ref()) || self.metrics_then != self.metrics_now
    }
}

/// The figures of a row of `daily_pnl`, without its key and its positions.
#[must_use]
pub fn figures(row: Option<&Row>) -> Option<Figures> {
    let is_figure = |name: &str| !daily_pnl::TABLE.key.contains(&name);
    let named = |row: &Row| {
        let columns = daily_pnl::TABLE.columns.iter().zip(row).filter(|(column, _)| is_figure(column.name));
        columns.map(|(column, cell)| (column.name, cell.clone())).collect()
    };
    row.map(named)
}

/// The trading days of a range, in the order in which they closed. `conn` reads the journal's tables, up to date
/// and held still.
///
/// # Errors
/// [`AuditError`].
pub fn days(reader: &Reader, conn: &Connection, question: &Question) -> Result<Vec<Day>, AuditError> {
    let head = reader.head()?.seq;
    let accounts = match &question.account {
        Some(account) => vec![account.clone()],
        None => with_shelf(conn, |shelf| on_demand::accounts(shelf))?,
    };
    let calendars = Calendars::read(conn)?;
    let mut books = Vec::new();
    for account in accounts {
        books.push(Book::open(reader, conn, &calendars, account, question)?);
    }
    let mut days = Vec::new();
    let mut past = Past { reader, at: None };
    for (book, place) in in_order_of_closing(&books) {
        days.extend(book.day(&mut past, conn, place, head, question)?);
    }
    Ok(days)
}

/// Every day with a place in its book, in the order of closing: days that closed together come together.
fn in_order_of_closing(books: &[Book]) -> Vec<(&Book, usize)> {
    let mut places: Vec<(&Book, usize)> =
        books.iter().flat_map(|book| (0..book.days.len()).map(move |place| (book, place))).collect();
    places.sort_by_key(|(book, place)| (book.days[*place].1, &book.account));
    places
}

fn with_shelf<T>(conn: &Connection, ask: impl FnOnce(&SqlShelf<'_>) -> T) -> Result<T, TablesError> {
    SqlShelf::ask(conn, ledger::ABOUT.name, ask)
}

/// Tables as of the position that was asked for last: accounts whose days close together share it.
struct Past<'a> {
    reader: &'a Reader,
    at: Option<(u64, Connection)>,
}

impl Past<'_> {
    fn as_of(&mut self, position: u64) -> Result<&Connection, AuditError> {
        let known = self.at.take().filter(|(at, _)| *at == position);
        let at = match known {
            Some(at) => at,
            None => (position, tables_as_of(self.reader, position, &mut |_, _| {})?),
        };
        Ok(&self.at.insert(at).1)
    }
}

/// The days of one account up to the end of the range.
struct Book {
    account: String,
    /// The position of its first event.
    first_seq: u64,
    /// Each day with the moment at which it closed and the last position recorded before.
    days: Vec<(DayAt, Moment, u64)>,
    /// The metrics as they are now, at each of them.
    metrics: Vec<Figures>,
}

impl Book {
    fn open(
        reader: &Reader,
        conn: &Connection,
        calendars: &Calendars,
        account: String,
        question: &Question,
    ) -> Result<Self, AuditError> {
        let known = with_shelf(conn, |shelf| on_demand::days(shelf, &account))?;
        let known: Vec<DayAt> = known.into_iter().filter(|day| day.last_seq > 0 && day.date <= question.to).collect();
        let calendar = calendars.of(&account);
        let closing = |day: &DayAt| calendar.begins(TradingDate(day.date.0.saturating_add(1)));
        let moments: Vec<Moment> = known.iter().map(closing).collect();
        let before: Vec<Moment> = moments.iter().map(|moment| Moment(moment.0 - 1)).collect();
        let positions = reader.last_recorded_by_each(&before)?;
        let dates: Vec<TradingDate> = known.iter().map(|day| day.date).collect();
        let metrics = with_shelf(conn, |shelf| metrics(shelf, &account, &dates))?;
        let days = known.into_iter().zip(moments).zip(positions).map(|((day, at), seq)| (day, at, seq)).collect();
        let first_seq = with_shelf(conn, |shelf| on_demand::first_seq(shelf, &account))?.unwrap_or(u64::MAX);
        Ok(Self { account, first_seq, days, metrics })
    }

    fn subject(&self, date: TradingDate) -> Subject {
        Subject::Day { account: self.account.clone(), date }
    }

    /// One day of the range, then and now.
    fn day(
        &self,
        past: &mut Past<'_>,
        conn: &Connection,
        place: usize,
        head: u64,
        question: &Question,
    ) -> Result<Option<Day>, AuditError> {
        let (known, closed_at, position) = self.days[place];
        if known.date < question.from {
            return Ok(None);
        }
        let key = self.subject(known.date).key();
        let now = tables::row(conn, &daily_pnl::TABLE, &key)?;
        let metrics_now = self.metrics[place].clone();
        let mut day = Day {
            account: self.account.clone(),
            date: known.date,
            closed_at,
            position,
            is_open: position >= head,
            is_recorded_later: position < self.first_seq,
            then: now.clone(),
            now,
            metrics_then: metrics_now.clone(),
            metrics_now,
            events: Vec::new(),
        };
        if day.is_recorded_later {
            (day.then, day.metrics_then) = (None, metrics_of(&Summary::default()));
            return Ok(Some(day).filter(|day| day.now.is_some()));
        }
        // Whatever moves a trade's figures moves the day on which it was closed, that one or the other.
        let moved: Vec<TradingDate> =
            self.days[..=place].iter().filter(|(day, ..)| day.last_seq > position).map(|(day, ..)| day.date).collect();
        if !day.is_open && !moved.is_empty() {
            let reader = past.reader;
            let tables_then = past.as_of(position)?;
            day.then = tables::row(tables_then, &daily_pnl::TABLE, &key)?;
            let then = with_shelf(tables_then, |shelf| metrics(shelf, &self.account, &[known.date]))?;
            day.metrics_then = then.into_iter().next().unwrap_or_default();
            if day.is_restated() {
                day.events = self.events(reader, known.date, position, &day, moved)?;
            }
        }
        let stood = day.then.is_some() || day.now.is_some();
        Ok(stood.then_some(day))
    }

    /// What moved a day, and, where its metrics moved, the days before it.
    fn events(
        &self,
        reader: &Reader,
        date: TradingDate,
        position: u64,
        day: &Day,
        moved: Vec<TradingDate>,
    ) -> Result<Vec<(TradingDate, Step)>, AuditError> {
        let is_wanted = |other: &TradingDate| *other == date || day.metrics_then != day.metrics_now;
        let mut events = BTreeMap::new();
        // Its own row last: an event that moved it is told with what it did there.
        for date in moved.into_iter().filter(is_wanted) {
            for step in audit::steps(reader, &self.subject(date), position, u64::MAX)? {
                events.insert(step.seq, (date, step));
            }
        }
        Ok(events.into_values().collect())
    }
}

fn metrics(shelf: &SqlShelf<'_>, account: &str, dates: &[TradingDate]) -> Vec<Figures> {
    on_demand::summaries(shelf, account, dates).iter().map(metrics_of).collect()
}

fn metrics_of(summary: &Summary) -> Figures {
    let seed = METRICS.iter().filter(|metric| metric.seed);
    seed.map(|metric| (metric.name, metric.of(summary).into())).collect()
}
