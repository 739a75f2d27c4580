//! Makes what a node makes: state proofs out of all entries, certificates under the network key.

use std::collections::BTreeMap;

use commonware_codec::{Encode as _, varint::UInt};
use commonware_cryptography::bls12381::primitives::{group::Private, ops::sign_message, variant::MinSig};
use realdid_crypto::base64url_encode;
use realdid_ledger::{
    FinalityProof, Header, OtherEntry, PathEnd, PrefixAnswer, PrefixProof, StateAnswer, StateKey, StateLog,
    StateProof, StateValue, consensus_namespace, prefix_range,
    state_tree::{MAX_DEPTH, TreeHash, goes_right, part_hash, value_hash},
};

use crate::world::{Ledger, World};

/// A state with its root, all of it in memory.
pub struct Proven {
    pub root: [u8; 32],
    values: BTreeMap<StateKey, StateValue>,
    hashed: Vec<(StateKey, TreeHash)>,
}

/// Makes a tree of a state.
pub fn prove(values: &BTreeMap<StateKey, StateValue>) -> Proven {
    let hashed: Vec<_> = values
        .iter()
        .map(|(key, value)| (*key, value_hash(value)))
        .collect();
    Proven {
        root: part_hash(&hashed, 0),
        values: values.clone(),
        hashed,
    }
}

impl Proven {
    /// The way of a key, for so many bits at most: the hashes beside it, and what is at its end.
    fn path(&self, key: &StateKey, bits: usize) -> (Vec<TreeHash>, &[(StateKey, TreeHash)]) {
        let (mut siblings, mut rest) = (Vec::new(), self.hashed.as_slice());
        while rest.len() > 1 && siblings.len() < bits {
            let depth = siblings.len();
            let (left, right) = rest.split_at(rest.partition_point(|(key, _)| !goes_right(key, depth)));
            let (own, sibling) = if goes_right(key, depth) {
                (right, left)
            } else {
                (left, right)
            };
            siblings.push(part_hash(sibling, depth + 1));
            rest = own;
        }
        (siblings, rest)
    }

    /// The proof about a key.
    pub fn of(&self, key: &StateKey) -> StateProof {
        let (siblings, rest) = self.path(key, MAX_DEPTH);
        let end = match rest {
            [] => PathEnd::Nothing,
            [(other, _)] if other == key => PathEnd::Value(Box::new(self.values[key])),
            [other, ..] => PathEnd::Other(shown(other)),
        };
        StateProof { siblings, end }
    }

    /// The proof about a prefix.
    pub fn prefix(&self, prefix: &StateKey, bits: u8) -> PrefixProof {
        let (lowest, highest) = prefix_range(prefix, bits).unwrap();
        let (siblings, rest) = self.path(prefix, usize::from(bits));
        let within = |(key, _): &&(StateKey, TreeHash)| (lowest..=highest).contains(key);
        PrefixProof {
            siblings,
            other: rest.iter().find(|entry| !within(entry)).map(shown),
            entries: rest
                .iter()
                .filter(within)
                .map(|(key, _)| (*key, self.values[key]))
                .collect(),
        }
    }
}

fn shown(&(key, value_hash): &(StateKey, TreeHash)) -> OtherEntry {
    OtherEntry { key, value_hash }
}

/// A header over a state.
pub fn header(world: &World, root: [u8; 32], height: u64, time_ms: u64) -> Header {
    let log = StateLog {
        root: [0; 32],
        start: 0,
        end: 9,
    };
    let mut header = Header::genesis(world.hash.0, log, [0x77; 32]);
    (header.height, header.time_ms, header.state_root) = (height, time_ms, root);
    (header.round.view, header.round.parent_view) = (height + 300, height + 299);
    header
}

/// A certificate over a digest.
pub fn certificate(network: &Private, charter: &[u8; 32], view: u64, digest: &[u8; 32]) -> Vec<u8> {
    let numbers = [0, view, view - 1]
        .map(|number: u64| UInt(number).encode().to_vec())
        .concat();
    let proposal = [numbers, digest.to_vec()].concat();
    let namespace = [consensus_namespace(charter), b"_FINALIZE".to_vec()].concat();
    let signature = sign_message::<MinSig>(network, &namespace, &proposal).encode();
    [proposal, signature.to_vec()].concat()
}

/// A proof that the first of these headers is final, by a certificate over the last.
pub fn finality(world: &World, headers: Vec<Header>) -> FinalityProof {
    let last = headers.last().unwrap();
    let certificate = certificate(&world.network, &world.hash.0, last.round.view, &last.hash());
    FinalityProof { headers, certificate }
}

/// A node's answer about keys of a ledger.
pub fn answer(ledger: &Ledger<'_>, keys: &[StateKey], height: u64) -> StateAnswer {
    let proven = prove(&ledger.values);
    let header = header(ledger.world, proven.root, height, ledger.now * 1000);
    StateAnswer {
        finality: base64url_encode(finality(ledger.world, vec![header]).encode()),
        proofs: keys
            .iter()
            .map(|key| base64url_encode(proven.of(key).encode()))
            .collect(),
    }
}

/// A node's answer about a prefix.
pub fn prefix_answer(ledger: &Ledger<'_>, prefix: &StateKey, bits: u8, height: u64) -> PrefixAnswer {
    let proven = prove(&ledger.values);
    let header = header(ledger.world, proven.root, height, ledger.now * 1000);
    PrefixAnswer {
        finality: base64url_encode(finality(ledger.world, vec![header]).encode()),
        proof: base64url_encode(proven.prefix(prefix, bits).encode()),
    }
}
