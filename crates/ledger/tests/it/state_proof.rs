use std::collections::BTreeMap;

use proptest::prelude::*;
use realdid_ledger::{
    MAX_PREFIX_ENTRIES, MAX_STATE_PROOF_LEN, OtherEntry, PathEnd, PrefixProof, StateKey, StateProof,
    StateProofError, StateValue, VALUE_LEN, prefix_range,
    state_tree::{EMPTY, value_hash},
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

/// Keys at 10, 20 … f0, and one that differs from that at 20 in its last bit alone.
fn spread() -> (BTreeMap<StateKey, StateValue>, Proven) {
    let mut keys: Vec<_> = (1..16_u8).map(|n| key(&[n << 4])).collect();
    let mut near = key(&[0x20]);
    near[31] ^= 1;
    keys.push(near);
    let values = state(&keys);
    let proven = prove(&values);
    (values, proven)
}

fn other(key: StateKey, value: &StateValue) -> PathEnd {
    let value_hash = value_hash(value);
    PathEnd::Other(OtherEntry { key, value_hash })
}

#[test]
fn presence_and_absence_are_proven_alike() {
    let (values, proven) = spread();
    let mut far = key(&[0x20]);
    far[31] ^= 2;
    let asked = (0..=u8::MAX).flat_map(|n| [key(&[n]), prefix(&[n])]);
    for asked in asked.chain(values.keys().copied()).chain([far]) {
        let proof = proven.of(&asked);
        assert_eq!(
            proof.verify_lookup(&asked, &proven.root),
            Ok(values.get(&asked).copied())
        );
        assert_eq!(StateProof::decode(&proof.encode()), Ok(proof.clone()));
        assert!(proof.encode().len() <= MAX_STATE_PROOF_LEN);
    }
    assert_eq!(proven.of(&key(&[0x20])).siblings.len(), 256);
    let nothing = prove(&BTreeMap::new());
    assert_eq!(nothing.root, EMPTY);
    assert_eq!(nothing.of(&far).verify_lookup(&far, &EMPTY), Ok(None));
}

/// An entry proves no key absent but those it would have to share its part of the tree with.
// test: STP-01
#[test]
fn another_entry_stands_for_the_part_it_is_alone_in() {
    let (values, proven) = spread();
    let (held, beside) = (key(&[0x40]), key(&[0x41]));
    let absence = proven.of(&beside);
    assert_eq!(absence.end, other(held, &values[&held]));
    assert_eq!(absence.verify_lookup(&beside, &proven.root), Ok(None));
    // The same leads to the root from the entry itself, which is not absent.
    assert_eq!(
        absence.verify_lookup(&held, &proven.root),
        Err(StateProofError::NotCovered)
    );
    for outside in [key(&[0x50]), key(&[0xc0]), [0; 32], [0xff; 32]] {
        assert_eq!(
            absence.verify_lookup(&outside, &proven.root),
            Err(StateProofError::NotCovered)
        );
    }
}

// test: STP-02
#[test]
fn a_proof_leads_to_its_root_with_every_bit() {
    let (values, proven) = spread();
    let asked = key(&[0x30]);
    let proof = proven.of(&asked);
    let mut wrong = proven.root;
    wrong[31] ^= 1;
    assert_eq!(proof.verify_lookup(&asked, &wrong), Err(StateProofError::Root));
    assert_eq!(
        proof.verify_lookup(&key(&[0x31]), &proven.root),
        Err(StateProofError::Root),
        "a value of another key"
    );
    let mut changed = values;
    changed.insert(key(&[0x90]), [1; VALUE_LEN]);
    let elsewhere = prove(&changed);
    assert_eq!(
        proof.verify_lookup(&asked, &elsewhere.root),
        Err(StateProofError::Root),
        "an older state"
    );
    for asked in [asked, key(&[0x31]), key(&[0x20]), prefix(&[])] {
        let bytes = proven.of(&asked).encode();
        for bit in (0..bytes.len() * 8).step_by(3) {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let outcome = StateProof::decode(&flipped).and_then(|it| it.verify_lookup(&asked, &proven.root));
            assert!(outcome.is_err(), "bit {bit}");
        }
    }
    assert_eq!(
        proof.verify_lookup(&asked, &proven.root),
        Ok(Some([0x30; VALUE_LEN]))
    );
}

/// Nothing, or another entry, in the place of a value, and the other way round.
// test: STP-02
#[test]
fn no_other_end_leads_to_the_root() {
    let (values, proven) = spread();
    let (held, absent) = (key(&[0x40]), key(&[0x41]));
    let with = |key: &StateKey, end: PathEnd| {
        let siblings = proven.of(key).siblings;
        StateProof { siblings, end }.verify_lookup(key, &proven.root)
    };
    let root = Err(StateProofError::Root);
    assert_eq!(with(&held, PathEnd::Nothing), root);
    assert_eq!(with(&held, other(absent, &values[&held])), root);
    assert_eq!(with(&absent, PathEnd::Value(Box::new(values[&held]))), root);
    assert_eq!(with(&absent, PathEnd::Nothing), root);
    // One level more or less.
    for change in [
        |it: &mut Vec<_>| it.truncate(it.len() - 1),
        |it: &mut Vec<_>| it.push(EMPTY),
    ] {
        let mut proof = proven.of(&held);
        change(&mut proof.siblings);
        assert_eq!(proof.verify_lookup(&held, &proven.root), root);
    }
}

/// The value of before is not proven under the root of now, nor that there was none.
// test: STP-02
#[test]
fn a_value_of_before_is_not_proven() {
    let (before, now) = (
        state(&[key(&[0x20]), key(&[0x30])]),
        state(&[key(&[0x20]), key(&[0x30]), key(&[0x40])]),
    );
    let (old, new) = (prove(&before), prove(&now));
    for asked in [key(&[0x20]), key(&[0x40])] {
        assert_eq!(
            old.of(&asked).verify_lookup(&asked, &new.root),
            Err(StateProofError::Root)
        );
    }
}

#[test]
fn a_proof_has_one_encoding() {
    let (_, proven) = spread();
    for asked in [key(&[0x20]), key(&[0x30]), key(&[0x31]), prefix(&[])] {
        let bytes = proven.of(&asked).encode();
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
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                if let Ok(other) = StateProof::decode(&changed) {
                    assert_eq!(other.encode(), changed);
                }
            }
        }
    }
    // Nothing beside the way has no hash, bits behind the length are zero, and 256 levels are all.
    let nothing = [&[0, 1, 0x80][..], &EMPTY, &[0]].concat();
    let shown = [&[0, 1, 0x80][..], &[1; 32], &[0]].concat();
    let behind = [&[0, 1, 0xc0][..], &[1; 32], &[0]].concat();
    assert!(StateProof::decode(&shown).is_ok());
    for wrong in [
        nothing,
        behind,
        [&[1, 1][..], &[0; 33], &[0]].concat(),
        vec![0, 0, 3],
    ] {
        assert_eq!(StateProof::decode(&wrong), Err(StateProofError::Malformed));
        let whole = [&wrong[..], &[0, 0]].concat();
        assert_eq!(PrefixProof::decode(&whole), Err(StateProofError::Malformed));
    }
    assert!(StateProof::decode(&[&[1, 0][..], &[0; 32], &[0]].concat()).is_ok());
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
fn a_prefix_proof_shows_the_whole_prefix_and_nothing_else() {
    let (values, proven) = spread();
    let asked = prefix(&[0x40]);
    let good = proven.prefix(&asked, 2);
    assert_eq!(good.entries.len(), 4);
    let refused = |change: &dyn Fn(&mut PrefixProof)| {
        let mut wrong = good.clone();
        change(&mut wrong);
        assert_eq!(
            wrong.verify(&asked, 2, &proven.root),
            Err(StateProofError::Entries),
            "{wrong:?}"
        );
    };
    refused(&|it| it.entries.reverse());
    refused(&|it| it.entries.insert(1, it.entries[0]));
    refused(&|it| it.entries[3] = (key(&[0x90]), [9; VALUE_LEN]));
    refused(&|it| it.entries = vec![it.entries[0]; MAX_PREFIX_ENTRIES + 1]);
    refused(&|it| it.siblings.truncate(1));
    refused(&|it| it.siblings.push(EMPTY));
    let stranger = OtherEntry {
        key: key(&[0x90]),
        value_hash: [9; 32],
    };
    refused(&|it| it.other = Some(stranger));
    refused(&|it| (it.entries, it.other) = (Vec::new(), Some(stranger)));
    // A part of the prefix, well proven, does not stand for the whole.
    for part in [0x40, 0x50, 0x60, 0x70] {
        let narrow = proven.prefix(&prefix(&[part]), 4);
        assert!(narrow.verify(&prefix(&[part]), 4, &proven.root).is_ok());
        assert_eq!(
            narrow.verify(&prefix(&[0x40]), 2, &proven.root),
            Err(StateProofError::Entries)
        );
    }
    let own = OtherEntry {
        key: key(&[0x40]),
        value_hash: value_hash(&values[&key(&[0x40])]),
    };
    let hidden = PrefixProof {
        other: Some(own),
        entries: Vec::new(),
        ..proven.prefix(&prefix(&[0x40]), 4)
    };
    assert_eq!(
        hidden.verify(&prefix(&[0x40]), 8, &proven.root),
        Err(StateProofError::Entries)
    );
    let found = good.verify(&asked, 2, &proven.root).unwrap();
    assert_eq!(found, state(&[0x40, 0x50, 0x60, 0x70].map(|start| key(&[start]))));
    let all = proven.prefix(&[0; 32], 0);
    assert_eq!(all.verify(&[0; 32], 0, &proven.root), Ok(values));
}

/// Entries that are not the prefix's, or not all of it, do not lead to the root.
// test: STP-02
#[test]
fn a_prefix_proof_leads_to_its_root() {
    let (_, proven) = spread();
    let asked = prefix(&[0x40]);
    let good = proven.prefix(&asked, 2);
    for at in 0..4 {
        let mut fewer = good.clone();
        fewer.entries.remove(at);
        assert_eq!(fewer.verify(&asked, 2, &proven.root), Err(StateProofError::Root));
        let mut changed = good.clone();
        changed.entries[at].1[383] ^= 1;
        assert_eq!(
            changed.verify(&asked, 2, &proven.root),
            Err(StateProofError::Root)
        );
    }
    let nothing = PrefixProof {
        entries: Vec::new(),
        ..good
    };
    assert_eq!(
        nothing.verify(&asked, 2, &proven.root),
        Err(StateProofError::Root)
    );
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
        PrefixProof::decode(&[0, 0, 0, 1, 1]),
        Err(StateProofError::Entries),
        "257 entries"
    );
    for bit in (0..bytes.len() * 8).step_by(61) {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let outcome =
            PrefixProof::decode(&flipped).and_then(|it| it.verify(&prefix(&[0x40]), 2, &proven.root));
        assert!(outcome.is_err(), "bit {bit}");
    }
    assert_eq!(PrefixProof::decode(&bytes), Ok(good));
    for asked in [prefix(&[0x41]), prefix(&[0x20]), prefix(&[0x04])] {
        let proof = proven.prefix(&asked, 200);
        assert_eq!(PrefixProof::decode(&proof.encode()), Ok(proof));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the state and the prefix: the honest proof shows exactly the entries there are, and
    /// no part of it passes for the whole.
    // test: STP-02, STP-04
    #[test]
    fn a_prefix_proof_shows_every_entry(
        starts in prop::collection::btree_set(any::<u8>(), 0..20),
        asked in any::<u8>(),
        bits in 0..=12_u8,
    ) {
        let values = state(&starts.into_iter().map(|start| key(&[start])).collect::<Vec<_>>());
        let mask = 0xff_u8.checked_shl(u32::from(8_u8.saturating_sub(bits))).unwrap_or(0);
        let asked = prefix(&[asked & mask]);
        let proven = prove(&values);
        let (lowest, highest) = prefix_range(&asked, bits).unwrap();
        let expected: BTreeMap<_, _> = values.range(lowest..=highest).map(|(key, value)| (*key, *value)).collect();
        let proof = proven.prefix(&asked, bits);
        prop_assert_eq!(proof.verify(&asked, bits, &proven.root), Ok(expected.clone()));
        for left_out in 0..proof.entries.len() {
            let mut part = proof.clone();
            part.entries.remove(left_out);
            prop_assert!(part.verify(&asked, bits, &proven.root).is_err());
        }
        // The proof about another prefix shows nothing false about this one.
        for other_bits in 0..=12_u8 {
            let other = proven.prefix(&prefix_range(&asked, other_bits).map_or([0; 32], |it| it.0), other_bits);
            if let Ok(found) = other.verify(&asked, bits, &proven.root) {
                prop_assert_eq!(&found, &expected);
            }
        }
    }

    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..900), key in any::<[u8; 32]>()) {
        if let Ok(proof) = StateProof::decode(&bytes) {
            let _ = proof.verify_lookup(&key, &key);
        }
        if let Ok(proof) = PrefixProof::decode(&bytes) {
            let _ = proof.verify(&key, 255, &key);
        }
    }
}
