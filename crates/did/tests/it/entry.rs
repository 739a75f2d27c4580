use proptest::prelude::*;
use realdid_crypto::{DecodeError, Reader, Writer};
use realdid_did::{ENTRY_LENGTH, Entry, PendingKind, Status};

use crate::arbitrary;

fn encoded(entry: &Entry) -> Vec<u8> {
    let mut writer = Writer::new();
    entry.write(&mut writer);
    writer.finish()
}

fn decoded(bytes: &[u8]) -> Result<Entry, DecodeError> {
    Entry::read(&mut Reader::new(bytes))
}

/// Where the flags and the fields of a pending operation lie.
const FLAGS: usize = 4 + 4 * 32 + 16 + 1 + 32 + 8 + 1;

proptest! {
    // a run with a check turned off fails on purpose, and leaves nothing behind
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_entry_has_one_encoding(entry in arbitrary::entry(), at in 0..ENTRY_LENGTH, value in any::<u8>()) {
        let mut bytes = encoded(&entry);
        prop_assert_eq!(bytes.len(), ENTRY_LENGTH);
        prop_assert_eq!(decoded(&bytes), Ok(entry));
        prop_assert_eq!(decoded(&bytes[1..]), Err(DecodeError::UnexpectedEnd));
        bytes[at] = value;
        if let Ok(changed) = decoded(&bytes) {
            prop_assert_eq!(encoded(&changed), bytes);
        }
    }

    #[test]
    fn unused_bytes_are_zero(entry in arbitrary::entry(), at in 0..5_usize, value in 1..=u8::MAX, bit in 3..8_u8) {
        let bytes = encoded(&entry);
        let mut reserved = bytes.clone();
        reserved[ENTRY_LENGTH - 5 + at] = value;
        prop_assert_eq!(decoded(&reserved), Err(DecodeError::NotCanonical("entry")));
        let mut flagged = bytes;
        flagged[FLAGS] |= 1 << bit;
        prop_assert_eq!(decoded(&flagged), Err(DecodeError::NotCanonical("entry")));
    }

    #[test]
    fn without_a_pending_operation_its_fields_are_zero(
        entry in arbitrary::entry(),
        at in 0..137_usize,
        value in 1..=u8::MAX,
    ) {
        let mut bytes = encoded(&Entry { pending: None, ..entry });
        bytes[FLAGS + 1 + at] = value;
        prop_assert_eq!(decoded(&bytes), Err(DecodeError::NotCanonical("entry")));
    }

    /// Time alone only moves an entry forward, and looking at it twice changes nothing.
    #[test]
    fn time_only_moves_forward(entry in arbitrary::entry(), times in any::<[u64; 2]>()) {
        let [early, late] = [times[0].min(times[1]), times[0].max(times[1])];
        prop_assert_eq!(entry.at(early).at(early), entry.at(early));
        prop_assert_eq!(entry.at(early).at(late), entry.at(late));
        prop_assert_eq!(entry.at(late).at(early), entry.at(late));
        if entry.status(early) == Status::Deactivated {
            prop_assert_eq!(entry.status(late), Status::Deactivated);
        }
        if entry.status(early) == Status::Active && entry.status(late) != Status::Active {
            prop_assert_eq!(entry.pending.map(|it| it.kind), Some(PendingKind::Deactivation));
        }
        prop_assert_eq!(entry.at(early).status(late), entry.status(late));
    }

    #[test]
    fn a_pending_operation_takes_effect_in_its_second(entry in arbitrary::entry()) {
        let Some(pending) = entry.pending else { return Ok(()) };
        if let Some(before) = pending.effective_at.checked_sub(1) {
            prop_assert_eq!(&entry.at(before), &entry);
        }
        let after = entry.at(pending.effective_at);
        prop_assert_eq!(after.pending, None);
        prop_assert_eq!((after.version, after.last_operation), (entry.version, entry.last_operation));
        match pending.kind {
            PendingKind::Deactivation => prop_assert!(after.deactivated && after.document == entry.document),
            PendingKind::Recovery => {
                prop_assert_eq!((after.document, after.next), (pending.document, pending.next));
                prop_assert_eq!((after.recovery, after.vetoed), (pending.recovery, false));
            }
        }
    }

    // test: DID-07
    #[test]
    fn a_pending_deactivation_sets_nothing(entry in arbitrary::entry(), at in 0..96_usize) {
        let deactivates = |entry: &Entry| entry.pending.is_some_and(|it| it.kind == PendingKind::Deactivation);
        prop_assume!(deactivates(&entry));
        let mut bytes = encoded(&entry);
        // Kind, operation and time come before the three fields.
        bytes[FLAGS + 1 + 1 + 32 + 8 + at] = 1;
        prop_assert_eq!(decoded(&bytes), Err(DecodeError::NotCanonical("pending deactivation")));
        prop_assert_eq!(decoded(&encoded(&entry)), Ok(entry));
    }
}
