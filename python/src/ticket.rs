//! Owns `_tradefold.Ticket`: the answer to come for a batch that was handed over. Asked by any number of threads, and
//! as often as they like.

use std::time::Duration;

use pyo3::prelude::*;
use tradefold::log::{self, AppendError};

use crate::home::{Home, Lock};
use crate::journal::{Answers, Told, tell};
use crate::patience::{seconds, wait};
use crate::raise::Raise;

/// One of both, always.
struct State {
    waiting: Option<log::Ticket>,
    outcome: Option<Result<Answers, AppendError>>,
}

/// The answer to come.
#[pyclass(frozen, module = "tradefold._tradefold")]
pub(crate) struct Ticket {
    state: Home<Lock<State>>,
    told: Told,
}

impl Ticket {
    pub(crate) fn new(ticket: log::Ticket, told: Told) -> Self {
        Self { state: Home::new(Lock::new(State { waiting: Some(ticket), outcome: None })), told }
    }

    /// The answer, if it comes within this time.
    fn ask(&self, most: Duration) -> Result<Option<Answers>, Raise> {
        let mut state = self.state.get()?.enter();
        if let Some(ticket) = state.waiting.take() {
            match ticket.wait_timeout(most) {
                Ok(outcome) => state.outcome = Some(outcome.map(|receipt| tell(&receipt, &self.told))),
                Err(ticket) => state.waiting = Some(ticket),
            }
        }
        Ok(state.outcome.clone().transpose()?)
    }
}

#[pymethods]
impl Ticket {
    /// The answer, or `None` where it hasn't come in time.
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Answers>> {
        wait(py, seconds(timeout)?, |most| self.ask(most))
    }

    /// Whether the answer is there.
    fn done(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(py.detach(|| {
            drop(self.ask(Duration::ZERO));
            Ok::<_, Raise>(self.state.get()?.enter().outcome.is_some())
        })?)
    }
}
