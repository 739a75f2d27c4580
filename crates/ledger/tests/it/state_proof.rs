use std::collections::BTreeMap;

use proptest::prelude::*;
use realdid_ledger::{
    MAX_PREFIX_ENTRIES, MAX_STATE_PROOF_LEN, PrefixProof, StateKey, StateProof, StateProofError, StateValue,
    VALUE_LEN, prefix_range,
};

use crate::proofs::{Proven, prove};

/// A key that begins with these bytes.
fn key(start: &[u8]) -> StateKey {
    let mut key = [0x55; 32];
    key[..start.len()].copy_from_slice(start);
    key
}

fn prefix(start: &[u8]) -> StateKey {
    let mut key = [0; 32];
    key[..start.len()].copy_from_slice(start);
    key
}

fn state(keys: &[StateKey]) -> BTreeMap<StateKey, StateValue> {
    keys.iter().map(|key| (*key, [key[0]; VALUE_LEN])).collect()
}

/// Keys at 10, 20 … f0, and proofs of them, of those between and of the ends.
fn spread() -> (BTreeMap<StateKey, StateValue>, Proven) {
    let values = state(&(1..16_u8).map(|n| key(&[n << 4])).collect::<Vec<_>>());
    let asked: Vec<_> = (0..=u8::MAX).flat_map(|n| [key(&[n]), prefix(&[n])]).collect();
    let proven = prove(&values, &asked);
    (values, proven)
}

#[test]
fn presence_and_absence_are_proven_alike() {
    let (values, proven) = spread();
    for asked in (0..=u8::MAX).flat_map(|n| [key(&[n]), prefix(&[n])]) {
        let proof = proven.span(&asked);
        assert_eq!(
            proof.verify_lookup(&asked, &proven.root),
            Ok(values.get(&asked).copied())
        );
        assert_eq!(StateProof::decode(&proof.encode()), Ok(proof.clone()));
        assert!(proof.encode().len() <= MAX_STATE_PROOF_LEN);
    }
}

// test: STP-01
#[test]
fn a_proof_speaks_about_its_span_alone() {
    let (_, proven) = spread();
    let proof = proven.span(&key(&[0x20]));
    for outside in [
        key(&[0x10]),
        key(&[0x30]),
        key(&[0x31]),
        prefix(&[0x20]),
        key(&[0xff]),
        [0; 32],
    ] {
        assert_eq!(
            proof.verify_lookup(&outside, &proven.root),
            Err(StateProofError::NotCovered)
        );
    }
    // The last span goes round to the first key.
    let last = proven.span(&key(&[0xf0]));
    for inside in [key(&[0xff]), [0xff; 32], [0; 32], key(&[0x0f])] {
        assert_eq!(last.verify_lookup(&inside, &proven.root), Ok(None));
    }
    assert_eq!(
        last.verify_lookup(&key(&[0x10]), &proven.root),
        Err(StateProofError::NotCovered)
    );
    assert!(proof.verify_lookup(&key(&[0x21]), &proven.root).is_ok());
}

// test: STP-02
#[test]
fn a_proof_leads_to_its_root_with_every_bit() {
    let (values, proven) = spread();
    let asked = key(&[0x20]);
    let proof = proven.span(&asked);
    let mut other = proven.root;
    other[31] ^= 1;
    assert_eq!(proof.verify_lookup(&asked, &other), Err(StateProofError::Root));
    let mut changed = values;
    changed.insert(key(&[0x90]), [1; VALUE_LEN]);
    let elsewhere = prove(&changed, &[]);
    assert_eq!(
        proof.verify_lookup(&asked, &elsewhere.root),
        Err(StateProofError::Root),
        "an older state"
    );
    let bytes = proof.encode();
    for bit in (0..bytes.len() * 8).step_by(3) {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let outcome = StateProof::decode(&flipped).and_then(|it| it.verify_lookup(&asked, &proven.root));
        assert!(outcome.is_err(), "bit {bit}");
    }
    assert_eq!(
        proof.verify_lookup(&asked, &proven.root),
        Ok(Some([0x20; VALUE_LEN]))
    );
}

/// A write that has been overwritten is in the log, but no longer in force.
// test: STP-02
#[test]
fn a_value_of_before_is_not_proven() {
    let (before, now) = (state(&[key(&[0x20]), key(&[0x30])]), state(&[key(&[0x30])]));
    let (old, new) = (prove(&before, &[]), prove(&now, &[key(&[0x20])]));
    let asked = key(&[0x20]);
    assert_eq!(
        old.span(&asked).verify_lookup(&asked, &new.root),
        Err(StateProofError::Root)
    );
    assert_eq!(new.span(&asked).verify_lookup(&asked, &new.root), Ok(None));
}

#[test]
fn a_proof_has_one_encoding() {
    let (_, proven) = spread();
    let bytes = proven.span(&key(&[0x20])).encode();
    for length in 0..bytes.len() {
        assert_eq!(
            StateProof::decode(&bytes[..length]),
            Err(StateProofError::Malformed),
            "{length} bytes"
        );
    }
    for tail in [&[0][..], &[0; 32], &bytes] {
        assert_eq!(
            StateProof::decode(&[&bytes, tail].concat()),
            Err(StateProofError::Malformed)
        );
    }
    assert_eq!(
        StateProof::decode(&vec![0; MAX_STATE_PROOF_LEN + 1]),
        Err(StateProofError::Malformed)
    );
    for at in 448..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            if let Ok(other) = StateProof::decode(&changed) {
                assert_eq!(other.encode(), changed);
            }
        }
    }
    assert!(StateProof::decode(&bytes).is_ok());
}

// test: STP-03
#[test]
fn a_prefix_has_no_bits_behind_its_length() {
    let (_, proven) = spread();
    let proof = proven.prefix(&prefix(&[0x20]), 8);
    assert_eq!(
        proof.verify(&prefix(&[0x20, 1]), 8, &proven.root),
        Err(StateProofError::Prefix)
    );
    assert_eq!(
        proof.verify(&prefix(&[0x20]), 2, &proven.root),
        Err(StateProofError::Prefix)
    );
    assert_eq!(
        prefix_range(&prefix(&[0x20]), 3),
        Ok((
            prefix(&[0x20]),
            [&[0x3f][..], &[0xff; 31]].concat().try_into().unwrap()
        ))
    );
    assert!(proof.verify(&prefix(&[0x20]), 8, &proven.root).is_ok());
}

// test: STP-04
#[test]
fn the_spans_of_a_prefix_leave_no_gap() {
    let (_, proven) = spread();
    let asked = prefix(&[0x40]);
    let good = proven.prefix(&asked, 2);
    assert_eq!(good.spans.len(), 5, "the one before, and four in it");
    let without = |at: usize| {
        let mut spans = good.spans.clone();
        spans.remove(at);
        PrefixProof { spans }
    };
    let with = |at: usize, start: u8| {
        let mut spans = good.spans.clone();
        spans.insert(at, proven.span(&key(&[start])));
        PrefixProof { spans }
    };
    let mut wrong: Vec<_> = (0..5).map(without).collect();
    wrong.extend([
        with(0, 0x20),
        with(5, 0x80),
        with(1, 0x30),
        with(0, 0xf0),
        PrefixProof { spans: Vec::new() },
    ]);
    let mut reversed = good.clone();
    reversed.spans.reverse();
    wrong.push(reversed);
    let around = (0..MAX_PREFIX_ENTRIES + 2)
        .map(|at| good.spans[at % 5].clone())
        .collect();
    wrong.push(PrefixProof { spans: around });
    for wrong in wrong {
        assert_eq!(
            wrong.verify(&asked, 2, &proven.root),
            Err(StateProofError::Spans),
            "{} spans",
            wrong.spans.len()
        );
    }
    let found = good.verify(&asked, 2, &proven.root).unwrap();
    assert_eq!(found, state(&[0x40, 0x50, 0x60, 0x70].map(|start| key(&[start]))));
}

/// The span that goes round the circle covers the lowest and the highest key of a prefix that holds
/// the whole state. Alone it must not stand for what lies between.
// test: STP-04
#[test]
fn the_last_span_does_not_hide_the_keys_before_it() {
    let (values, proven) = spread();
    let all = prefix(&[]);
    let alone = PrefixProof {
        spans: vec![proven.span(&key(&[0xf0]))],
    };
    assert_eq!(alone.verify(&all, 0, &proven.root), Err(StateProofError::Spans));
    let good = proven.prefix(&all, 0);
    assert_eq!(good.verify(&all, 0, &proven.root), Ok(values));
    let one = state(&[key(&[0x70])]);
    let proven = prove(&one, &[all, prefix(&[0x80])]);
    assert_eq!(proven.prefix(&all, 0).verify(&all, 0, &proven.root), Ok(one));
    let empty = proven
        .prefix(&prefix(&[0x80]), 1)
        .verify(&prefix(&[0x80]), 1, &proven.root);
    assert_eq!(empty, Ok(BTreeMap::new()));
}

// test: STP-02
#[test]
fn a_prefix_proof_has_one_encoding() {
    let (_, proven) = spread();
    let good = proven.prefix(&prefix(&[0x40]), 2);
    let bytes = good.encode();
    for length in (0..bytes.len()).step_by(7) {
        assert_eq!(
            PrefixProof::decode(&bytes[..length]),
            Err(StateProofError::Malformed)
        );
    }
    assert_eq!(
        PrefixProof::decode(&[bytes.as_slice(), &[0]].concat()),
        Err(StateProofError::Malformed)
    );
    assert_eq!(
        PrefixProof::decode(&[1, 2]),
        Err(StateProofError::Spans),
        "258 spans"
    );
    for bit in (0..bytes.len() * 8).step_by(61) {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let outcome =
            PrefixProof::decode(&flipped).and_then(|it| it.verify(&prefix(&[0x40]), 2, &proven.root));
        assert!(outcome.is_err(), "bit {bit}");
    }
    assert_eq!(PrefixProof::decode(&bytes), Ok(good));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the state and the prefix: the honest proof shows exactly the entries there are.
    // test: STP-04
    #[test]
    fn a_prefix_proof_shows_every_entry(
        starts in prop::collection::btree_set(any::<u8>(), 1..20),
        asked in any::<u8>(),
        bits in 0..=8_u8,
    ) {
        let values = state(&starts.into_iter().map(|start| key(&[start])).collect::<Vec<_>>());
        let mask = 0xff_u8.checked_shl(u32::from(8 - bits)).unwrap_or(0);
        let asked = prefix(&[asked & mask]);
        let proven = prove(&values, &[asked]);
        let (lowest, highest) = prefix_range(&asked, bits).unwrap();
        let expected: BTreeMap<_, _> = values.range(lowest..=highest).map(|(key, value)| (*key, *value)).collect();
        let proof = proven.prefix(&asked, bits);
        prop_assert_eq!(proof.verify(&asked, bits, &proven.root), Ok(expected.clone()));
        // No part of it passes for the whole.
        for count in 1..proof.spans.len() {
            let part = PrefixProof { spans: proof.spans[..count].to_vec() };
            prop_assert_eq!(part.verify(&asked, bits, &proven.root), Err(StateProofError::Spans));
            let part = PrefixProof { spans: proof.spans[count..].to_vec() };
            if let Ok(found) = part.verify(&asked, bits, &proven.root) {
                prop_assert_eq!(found, expected.clone(), "{} of {}", count, proof.spans.len());
            }
        }
    }

    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..900)) {
        let _ = StateProof::decode(&bytes);
        let _ = PrefixProof::decode(&bytes);
    }
}
