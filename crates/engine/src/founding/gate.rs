//! The gate before the ceremony, and after it: nobody goes on before everybody has spoken.
//!
//! Every founder repeats one message to all others until the end:
//!
//! ```text
//! complete (1) | length (2) | hello | length (2) | conclusion, or nothing
//! ```
//!
//! `complete` is 1 when its sender has everybody's conclusion. Lengths are big-endian. Whose message it
//! is the link says.

use super::{MAX_STATEMENT, MadeKey, Statements};
use crate::wiring::Runtime;
use commonware_cryptography::ed25519::PublicKey;
use commonware_p2p::{Receiver, Recipients, Sender};
use commonware_runtime::{Handle, IoBuf};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How often a founder repeats what it has to say.
const AGAIN: Duration = Duration::from_millis(250);

/// Longest message.
pub(super) const MAX_MESSAGE: usize = 1 + 2 * (2 + MAX_STATEMENT);

/// What the founders said.
#[derive(Clone)]
pub(super) struct Gate {
    shared: Arc<Shared>,
}

struct Shared {
    /// The founders' keys, in their order.
    founders: Vec<PublicKey>,
    statements: Statements,
    said: Mutex<Said>,
}

struct Said {
    made: Option<MadeKey>,
    own: usize,
    founders: Vec<One>,
}

/// What one founder said.
#[derive(Clone, Default)]
struct One {
    hello: Option<Vec<u8>>,
    conclusion: Option<Vec<u8>>,
    complete: bool,
}

impl Gate {
    pub(super) fn new(founders: Vec<PublicKey>, own: usize, statements: Statements) -> Self {
        let mut said = vec![One::default(); founders.len()];
        said[own].hello = Some(statements.hello.clone());
        Self {
            shared: Arc::new(Shared {
                founders,
                statements,
                said: Mutex::new(Said {
                    made: None,
                    own,
                    founders: said,
                }),
            }),
        }
    }

    /// Founders, by number, who have not said hello.
    pub(super) fn strangers(&self) -> Vec<usize> {
        self.which(|one| one.hello.is_none())
    }

    /// Founders whose conclusion is missing.
    pub(super) fn undecided(&self) -> Vec<usize> {
        self.which(|one| one.conclusion.is_none())
    }

    /// Founders who have not said that they have everything.
    pub(super) fn incomplete(&self) -> Vec<usize> {
        self.which(|one| !one.complete)
    }

    fn which(&self, missing: impl Fn(&One) -> bool) -> Vec<usize> {
        let said = self.said();
        let founders = said.founders.iter().enumerate();
        founders
            .filter(|(_, one)| missing(one))
            .map(|(number, _)| number)
            .collect()
    }

    /// Everybody's hellos and conclusions, if they are all there.
    pub(super) fn all(&self) -> Option<[Vec<Vec<u8>>; 2]> {
        let said = self.said();
        let hellos = said.founders.iter().map(|one| one.hello.clone());
        let conclusions = said.founders.iter().map(|one| one.conclusion.clone());
        Some([
            hellos.collect::<Option<_>>()?,
            conclusions.collect::<Option<_>>()?,
        ])
    }

    /// Says this founder's conclusion about the key.
    pub(super) fn conclude(&self, made: &MadeKey) {
        let conclusion = (self.shared.statements.conclude)(made);
        let mut said = self.said();
        let own = said.own;
        said.founders[own].conclusion = Some(conclusion);
        said.made = Some(made.clone());
    }

    /// Says that this founder has everything.
    pub(super) fn complete(&self) {
        let mut said = self.said();
        let own = said.own;
        said.founders[own].complete = true;
    }

    fn message(&self) -> Vec<u8> {
        let said = self.said();
        let own = &said.founders[said.own];
        let mut message = vec![u8::from(own.complete)];
        for statement in [&own.hello, &own.conclusion] {
            let statement = statement.as_deref().unwrap_or_default();
            let statement = &statement[..statement.len().min(MAX_STATEMENT)];
            // Bounded just above.
            let length = u16::try_from(statement.len()).unwrap_or(0);
            message.extend_from_slice(&length.to_be_bytes());
            message.extend_from_slice(statement);
        }
        message
    }

    /// Takes what a founder says: what holds of it. A conclusion waits until this founder has the key.
    fn take(&self, from: &PublicKey, message: &[u8]) {
        let Shared {
            founders, statements, ..
        } = &*self.shared;
        let number = founders.iter().position(|key| key == from);
        let (Some(number), Some((complete, hello, conclusion))) = (number, parse(message)) else {
            return;
        };
        let made = self.said().made.clone();
        let greets = (statements.hello_holds)(number, hello);
        let concludes = made.is_some_and(|made| (statements.conclusion_holds)(&made, number, conclusion));
        let mut said = self.said();
        let one = &mut said.founders[number];
        if greets {
            one.hello = Some(hello.to_vec());
        }
        if concludes {
            one.conclusion = Some(conclusion.to_vec());
            one.complete |= complete;
        }
    }

    /// Repeats this founder's message for ever.
    pub(super) fn speak<E: Runtime>(
        &self,
        context: E,
        mut sender: impl Sender<PublicKey = PublicKey>,
    ) -> Handle<()> {
        let gate = self.clone();
        context.spawn(move |context| async move {
            loop {
                sender.send(Recipients::All, IoBuf::from(gate.message()), true);
                context.sleep(AGAIN).await;
            }
        })
    }

    /// Takes the others' messages.
    pub(super) fn listen<E: Runtime>(
        &self,
        context: E,
        mut receiver: impl Receiver<PublicKey = PublicKey>,
    ) -> Handle<()> {
        let gate = self.clone();
        context.spawn(move |_| async move {
            while let Ok((from, message)) = receiver.recv().await {
                let message: Vec<u8> = message.into();
                gate.take(&from, &message);
            }
        })
    }

    /// It stays consistent between statements, so a panic elsewhere does not spoil it.
    fn said(&self) -> MutexGuard<'_, Said> {
        self.shared.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn parse(message: &[u8]) -> Option<(bool, &[u8], &[u8])> {
    let (complete, rest) = message.split_first()?;
    let (hello, rest) = statement(rest)?;
    let (conclusion, rest) = statement(rest)?;
    rest.is_empty().then_some((*complete == 1, hello, conclusion))
}

fn statement(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes(*length));
    (length <= MAX_STATEMENT)
        .then(|| rest.split_at_checked(length))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use commonware_cryptography::{Signer as _, ed25519::PrivateKey};

    fn gate(own: usize) -> Gate {
        let founders = (0..3).map(|seed| PrivateKey::from_seed(seed).public_key());
        let statements = Statements {
            hello: format!("hello {own}").into_bytes(),
            hello_holds: Arc::new(|number, said| said == format!("hello {number}").as_bytes()),
            conclude: Arc::new(move |made| [made.outcome.as_slice(), &[own as u8]].concat()),
            conclusion_holds: Arc::new(|made, number, said| {
                said == [made.outcome.as_slice(), &[number as u8]].concat()
            }),
            news: Arc::new(|_| {}),
        };
        Gate::new(founders.collect(), own, statements)
    }

    #[test]
    fn everybody_speaks_and_nobody_for_another() {
        let gates: Vec<_> = (0..3).map(gate).collect();
        let key = |number: usize| gates[0].shared.founders[number].clone();
        assert_eq!(gates[0].strangers(), [1, 2]);
        gates[0].take(&key(1), &gates[2].message());
        assert_eq!(gates[0].strangers(), [1, 2], "another's hello");
        for number in [1, 2] {
            gates[0].take(&key(number), &gates[number].message());
        }
        assert!(gates[0].strangers().is_empty());
        let made = |outcome| MadeKey {
            outcome: vec![outcome],
            network_key: [0; 96],
        };
        // Who has made another key is not counted.
        gates[1].conclude(&made(7));
        gates[2].conclude(&made(8));
        gates[0].take(&key(1), &gates[1].message());
        assert_eq!(
            gates[0].undecided(),
            [0, 1, 2],
            "not before it has the key itself"
        );
        gates[0].conclude(&made(7));
        for number in [1, 2] {
            gates[0].take(&key(number), &gates[number].message());
        }
        assert_eq!(gates[0].undecided(), [2]);
        gates[2].conclude(&made(7));
        gates[2].complete();
        gates[0].take(&key(2), &gates[2].message());
        assert!(gates[0].all().is_some());
        assert_eq!(gates[0].incomplete(), [0, 1]);
    }

    #[test]
    fn a_malformed_message_says_nothing() {
        let message = gate(1).message();
        assert!(parse(&message).is_some());
        for end in 0..message.len() {
            assert!(parse(&message[..end]).is_none());
        }
        assert!(parse(&[message.as_slice(), &[0]].concat()).is_none());
        assert!(parse(&[0, 0xff, 0xff]).is_none());
    }
}
