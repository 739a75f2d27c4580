//! What clients did to a DID and what they were told, in order: is it as if one after the other had done it?
//!
//! A DID is a register that holds the hash of its last operation. An operation names the one before it, so it
//! is a compare-and-set. The search for an order that explains a history is a known one (Wing and Gong, in the
//! form of Lowe, Horn and Kroening), of the crate `todc-utils`.

use std::fmt::{self, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use realdid_crypto::Hash;
use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::{Action, History};
use todc_utils::specifications::Specification;

/// What a client did, with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It read, and found this operation to be the last one, or none (zeros).
    Read(Hash),
    /// Its operation was called final.
    Written { previous: Hash, operation: Hash },
    /// Its operation got no answer, or was refused after it may have been taken: it may take effect at any
    /// time from then on, or never.
    Perhaps { previous: Hash, operation: Hash },
}

/// A DID as a register.
struct Register;

impl Specification for Register {
    type State = Hash;
    type Operation = Deed;

    fn init() -> Hash {
        Hash::ZERO
    }

    fn apply(deed: &Deed, last: &Hash) -> (bool, Hash) {
        match *deed {
            Deed::Read(found) => (found == *last, *last),
            Deed::Written { previous, operation } if previous == *last => (true, operation),
            Deed::Written { .. } => (false, *last),
            Deed::Perhaps { previous, operation } if previous == *last => (true, operation),
            Deed::Perhaps { .. } => (true, *last),
        }
    }
}

/// Numbers all events of a run in the order they happen.
pub struct Clock {
    next: AtomicU64,
    since: Instant,
}

/// A moment of a run.
#[derive(Clone, Copy)]
pub struct Moment {
    number: u64,
    /// Milliseconds since the run began: for people.
    at: u128,
}

impl Clock {
    /// At the beginning of a run.
    pub fn new() -> Self {
        Self {
            next: AtomicU64::new(0),
            since: Instant::now(),
        }
    }

    /// Now.
    pub fn now(&self) -> Moment {
        Moment {
            number: self.next.fetch_add(1, Ordering::SeqCst),
            at: self.since.elapsed().as_millis(),
        }
    }
}

struct Event {
    client: String,
    begun: Moment,
    ended: Moment,
    deed: Deed,
}

/// What all clients did to one DID.
#[derive(Default)]
pub struct Record(Mutex<Vec<Event>>);

impl Record {
    /// Notes what a client did between two moments.
    pub fn note(&self, client: &str, begun: Moment, ended: Moment, deed: Deed) {
        let client = client.to_owned();
        self.0.lock().expect("no client panicked").push(Event {
            client,
            begun,
            ended,
            deed,
        });
    }

    /// How many deeds there are, and how many of them of unknown outcome.
    pub fn count(&self) -> (usize, usize) {
        let events = self.0.lock().expect("no client panicked");
        let unknown = |event: &&Event| matches!(event.deed, Deed::Perhaps { .. });
        (events.len(), events.iter().filter(unknown).count())
    }

    /// Whether some order of the deeds, each between its beginning and its end, explains all answers.
    pub fn is_linearizable(&self) -> bool {
        let events = self.0.lock().expect("no client panicked");
        if events.is_empty() {
            return true;
        }
        let mut actions = Vec::with_capacity(2 * events.len());
        for (process, event) in events.iter().enumerate() {
            // What may take effect at any time has not ended.
            let ended = match event.deed {
                Deed::Perhaps { .. } => u64::MAX,
                _ => event.ended.number,
            };
            actions.push((event.begun.number, process, Action::Call(event.deed)));
            actions.push((ended, process, Action::Response(event.deed)));
        }
        actions.sort_by_key(|(moment, ..)| *moment);
        let actions = actions.into_iter().map(|(_, process, action)| (process, action));
        WGLChecker::<Register>::is_linearizable(History::from_actions(actions.collect()))
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events = self.0.lock().expect("no client panicked");
        let mut lines: Vec<_> = events
            .iter()
            .map(|event| {
                let mut line = String::new();
                let (from, to) = (event.begun, event.ended);
                let _ = write!(line, "{:>8}–{:<8} {:<8} ", from.at, to.at, event.client);
                let _ = match event.deed {
                    Deed::Read(found) => write!(line, "read   ok       {found}"),
                    Deed::Written { previous, operation } => {
                        write!(line, "write  ok       {previous} -> {operation}")
                    }
                    Deed::Perhaps { previous, operation } => {
                        write!(line, "write  unknown  {previous} -> {operation}")
                    }
                };
                (from.number, line)
            })
            .collect();
        lines.sort_unstable();
        lines.iter().try_for_each(|(_, line)| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Hash = Hash::ZERO;
    const ONE: Hash = Hash([1; 32]);
    const TWO: Hash = Hash([2; 32]);

    /// Deeds with the moments they began and ended.
    fn verdict(deeds: &[(u64, u64, Deed)]) -> bool {
        let record = Record::default();
        let moment = |number| Moment { number, at: 0 };
        for (begun, ended, deed) in deeds {
            record.note("client", moment(*begun), moment(*ended), *deed);
        }
        record.is_linearizable()
    }

    const fn write(previous: Hash, operation: Hash) -> Deed {
        Deed::Written { previous, operation }
    }

    #[test]
    fn an_acknowledged_write_is_read_ever_after() {
        assert!(verdict(&[(0, 1, write(NONE, ONE)), (2, 3, Deed::Read(ONE))]));
        assert!(!verdict(&[(0, 1, write(NONE, ONE)), (2, 3, Deed::Read(NONE))]));
        assert!(verdict(&[(0, 3, write(NONE, ONE)), (1, 2, Deed::Read(NONE))]));
    }

    #[test]
    fn of_two_rivals_one_wins() {
        let rivals = [(0, 2, write(NONE, ONE)), (1, 3, write(NONE, TWO))];
        assert!(!verdict(&rivals));
        let second = [(0, 2, write(NONE, ONE)), (1, 3, write(ONE, TWO))];
        assert!(verdict(&second));
    }

    #[test]
    fn what_got_no_answer_may_take_effect_late_or_never_but_not_be_taken_back() {
        let perhaps = Deed::Perhaps {
            previous: NONE,
            operation: ONE,
        };
        assert!(verdict(&[
            (0, 1, perhaps),
            (2, 3, Deed::Read(NONE)),
            (4, 5, Deed::Read(ONE))
        ]));
        assert!(verdict(&[
            (0, 1, perhaps),
            (2, 3, Deed::Read(NONE)),
            (4, 5, write(NONE, TWO))
        ]));
        assert!(!verdict(&[
            (0, 1, perhaps),
            (2, 3, Deed::Read(ONE)),
            (4, 5, Deed::Read(NONE))
        ]));
    }
}
