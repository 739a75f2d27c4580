//! What is final and applied to the state, as readers outside the actors see it.

use realdid_ledger::Header;
use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};
use tokio::sync::watch;

/// Headers kept to tell which block a state belongs to. The state is at most one block ahead of
/// the last report.
const KEPT_HEADERS: usize = 16;

/// Height and time of the newest applied block. Zero before the first.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tip {
    pub(crate) height: u64,
    pub(crate) time_ms: u64,
}

/// The newest applied blocks.
pub(crate) struct Applied {
    recent: Mutex<VecDeque<Header>>,
    tip: watch::Sender<Tip>,
}

impl Applied {
    pub(crate) fn new() -> Self {
        Self {
            recent: Mutex::new(VecDeque::new()),
            tip: watch::Sender::new(Tip::default()),
        }
    }

    /// Remembers the header of a state that may be seen from now on.
    pub(crate) fn expect(&self, header: &Header) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.push_back(header.clone());
        while recent.len() > KEPT_HEADERS {
            recent.pop_front();
        }
    }

    /// The header whose state's log has this root, if it is among the newest. The root of the state
    /// itself does not tell one block from the next: an empty one leaves it as it is.
    pub(crate) fn header_of(&self, log_root: &[u8; 32]) -> Option<Header> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut newest_first = recent.iter().rev();
        newest_first.find(|h| &h.state_log.root == log_root).cloned()
    }

    /// Reports a block as applied. Its state can be read, and the block is durable.
    pub(crate) fn advance(&self, header: &Header) {
        let tip = Tip {
            height: header.height,
            time_ms: header.time_ms,
        };
        self.tip.send_if_modified(|current| {
            let newer = tip.height > current.height;
            if newer {
                *current = tip;
            }
            newer
        });
    }

    pub(crate) fn tip(&self) -> Tip {
        *self.tip.borrow()
    }

    pub(crate) fn height(&self) -> u64 {
        self.tip().height
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Tip> {
        self.tip.subscribe()
    }
}
