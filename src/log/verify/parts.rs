//! Owns the quick way to find a log sound: its parts verified beside each other, on as many cores as there are, each
//! by a connection of its own. An event's hash needs only the stored hash of the one before, so that a walk can begin
//! anywhere. Tells whether anything is wrong, not what: that is for whoever goes through the log in order, so that a
//! report does not depend on how the work was cut.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::super::{Reader, unsigned};
use super::Check;
use super::finding::Findings;
use super::walk::Walk;

/// How many positions are walked at once. A log that has not many times as many is not worth a thread.
const PART: i64 = 16_384;

/// More threads would only wait for each other's pages.
const THREADS_MAX: usize = 8;

/// A piece of the work.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// The positions after one and through another.
    Walk(i64, i64),
    /// What needs the whole log.
    Whole(Check),
}

/// What is left to do, and how far it is.
struct Work {
    parts: Mutex<VecDeque<Part>>,
    /// The last position of the log.
    end: i64,
    checked: AtomicU64,
}

/// Verifies the positions after one and through another, and what needs the whole log. Returns how many events were
/// read; `None` where there is anything to find out, or the log is too short for this.
pub(super) fn all_sound(
    reader: &Reader,
    (after, through): (i64, i64),
    checks: &[Check],
    progress: &mut dyn FnMut(u64, u64),
) -> Option<u64> {
    let first = after.max(0);
    if through.saturating_sub(first) < 2 * PART {
        return None;
    }
    let cuts = (first..through).step_by(PART as usize);
    let walks = cuts.map(|cut| Part::Walk(if cut == first { after } else { cut }, through.min(cut + PART)));
    let parts = walks.chain(checks.iter().map(|check| Part::Whole(*check))).collect();
    let work = Work { parts: Mutex::new(parts), end: through, checked: AtomicU64::new(0) };
    let total = unsigned(through - first);
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    let is_sound = thread::scope(|scope| {
        let dir = reader.dir();
        let help = || {
            let Ok(reader) = Reader::open(dir) else { return true };
            // From the end, where the long parts are.
            work.run(&reader, VecDeque::pop_back, &mut |_| {})
        };
        let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(help)).collect();
        let mine = work.run(reader, VecDeque::pop_front, &mut |done| progress(done.min(total), total));
        helpers.into_iter().fold(mine, |sound, helper| helper.join().unwrap_or(false) && sound)
    });
    progress(total, total);
    is_sound.then(|| work.checked.into_inner())
}

impl Work {
    /// Takes parts until there are none left, or something is wrong.
    fn run(
        &self,
        reader: &Reader,
        take: fn(&mut VecDeque<Part>) -> Option<Part>,
        progress: &mut dyn FnMut(u64),
    ) -> bool {
        let next = || take(&mut self.parts.lock().unwrap_or_else(PoisonError::into_inner));
        while let Some(part) = next() {
            if !self.is_sound(reader, part, progress) {
                self.parts.lock().unwrap_or_else(PoisonError::into_inner).clear();
                return false;
            }
        }
        true
    }

    fn is_sound(&self, reader: &Reader, part: Part, progress: &mut dyn FnMut(u64)) -> bool {
        match part {
            Part::Walk(after, through) => {
                let mut walk = Walk::new(reader.conn(), reader.identity().uuid, Findings::default());
                let mut told = |done, _| progress(self.checked.load(Ordering::Relaxed) + done);
                let walked = walk.run(after, through, &mut told);
                self.checked.fetch_add(walk.checked(), Ordering::Relaxed);
                walked.is_ok() && walk.into_findings().total() == 0
            }
            Part::Whole(check) => {
                let mut findings = Findings::default();
                check(reader.conn(), self.end, &mut findings).is_ok() && findings.total() == 0
            }
        }
    }
}
