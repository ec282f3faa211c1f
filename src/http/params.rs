//! Owns a query string: its parameters, taken one by one, so that what nobody took is known to be a mistake.

use axum::http::Uri;

use super::problem::Problem;
use crate::log::Reader;
use projections::calendar::TradingDate;
use projections::moment::Moment;
use projections::validate::nearest;

/// The parameters that nobody took yet.
#[derive(Debug)]
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    pub(super) fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// Takes a parameter; of several with the same name the first.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(given, _)| given == name)?;
        Some(self.0.remove(at).1)
    }

    /// Takes all of that name.
    pub(super) fn take_all(&mut self, name: &str) -> Vec<String> {
        std::iter::from_fn(|| self.take(name)).collect()
    }

    /// Takes one that is something else than a text.
    pub(super) fn parsed<T>(
        &mut self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(given) = self.take(name) else { return Ok(None) };
        let wrong = || Problem::question(format!("{name}: expected {expected}, got `{given}`"));
        parse(&given).map(Some).ok_or_else(wrong)
    }

    /// Takes a trading date.
    pub(super) fn date(&mut self, name: &str) -> Result<Option<TradingDate>, Problem> {
        self.parsed(name, "a date such as 2026-03-02", TradingDate::parse)
    }

    /// Takes the moment, or position, whose tables are asked for.
    pub(super) fn when(&mut self) -> Result<Option<When>, Problem> {
        self.parsed("as_of", "a position, or a time with an offset such as 2026-03-02T14:31:07Z", When::parse)
    }

    /// The parameters that are left, which the caller means to read all.
    pub(super) fn rest(self) -> Vec<(String, String)> {
        self.0
    }

    /// Refuses what nobody took: a mistyped parameter would look like an answer to what was meant.
    pub(super) fn done(self, known: &[&str]) -> Result<(), Problem> {
        let Some((name, _)) = self.0.into_iter().find(|(name, _)| name != "wait_for") else { return Ok(()) };
        Err(unknown(&name, known))
    }
}

/// The answer to a parameter that there isn't.
pub(super) fn unknown(name: &str, known: &[&str]) -> Problem {
    let meant = match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("there are {}", known.join(", ")),
    };
    Problem::question(format!("there is no parameter `{name}`; {meant}"))
}

/// A position in the log, or a moment by the clock of recording.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    Position(u64),
    Time(Moment),
}

impl When {
    fn parse(text: &str) -> Option<Self> {
        text.parse().map(Self::Position).ok().or_else(|| Moment::parse(text).map(Self::Time).ok())
    }

    /// The position it stands for. What one that nothing is recorded at yet will hold is not known.
    pub(super) fn position(self, log: &Reader) -> Result<u64, Problem> {
        match self {
            Self::Time(time) => Ok(log.last_recorded_by(time)?),
            Self::Position(position) => match log.head()?.seq {
                head if position > head => {
                    Err(Problem::question(format!("as_of {position}: the log ends at position {head}")))
                }
                _ => Ok(position),
            },
        }
    }
}
