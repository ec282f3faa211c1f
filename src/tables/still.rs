//! Owns asking several things as of one moment, and for a limited time. What is asked is the caller's.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::error::TablesError;

/// Holds a connection at what it sees now, until it is closed.
///
/// # Errors
/// [`TablesError`].
pub fn hold_still(conn: &Connection) -> Result<(), TablesError> {
    // Tables as of then are held already.
    if conn.is_autocommit() {
        conn.execute_batch("BEGIN")?;
        // Only a look makes it hold.
        conn.query_row("SELECT count(*) FROM projections", (), |_| Ok(()))?;
    }
    Ok(())
}

/// Asks several things of a connection as of one moment, for at most so long.
///
/// # Errors
/// What `ask` returns, and [`TablesError::TooSlow`] where the time was over first.
pub fn at_once<T, E: From<TablesError>>(
    conn: &mut Connection,
    allowed: Duration,
    ask: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    let wrap = |error: rusqlite::Error| E::from(error.into());
    let deadline = Instant::now() + allowed;
    let held = conn.is_autocommit();
    conn.progress_handler(QUERY_STEPS, Some(move || Instant::now() >= deadline)).map_err(wrap)?;
    let answer = hold_still(conn).map_err(E::from).and_then(|()| ask(conn));
    // Whatever came before: the next to ask is not to be held at this moment, nor to this time.
    conn.progress_handler(0, None::<fn() -> bool>).map_err(wrap)?;
    if held {
        conn.execute_batch("ROLLBACK").map_err(wrap)?;
    }
    if answer.is_err() && Instant::now() >= deadline {
        return Err(TablesError::TooSlow { allowed }.into());
    }
    answer
}

/// Virtual machine steps between two looks at the clock.
const QUERY_STEPS: i32 = 10_000;
