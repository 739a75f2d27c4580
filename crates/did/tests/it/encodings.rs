use proptest::prelude::*;
use realdid_crypto::Hash;
use realdid_did::{Authorization, Inception, MAX_OPERATION, OperationError, ParsedDid, SignedOperation};

use crate::arbitrary;
use crate::holder::Holder;

const CHARTER: Hash = Hash([0xc4; 32]);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn inceptions_have_one_encoding(inception in arbitrary::inception(), extra in any::<u8>()) {
        let bytes = inception.encode();
        prop_assert_eq!(Inception::decode(&bytes), Ok(inception));
        for length in 0..bytes.len() {
            prop_assert!(Inception::decode(&bytes[..length]).is_err(), "{} bytes", length);
        }
        prop_assert!(Inception::decode(&[bytes.as_slice(), &[extra]].concat()).is_err());
    }

    #[test]
    fn operations_have_one_encoding(operation in arbitrary::operation(), extra in any::<u8>()) {
        let bytes = operation.encode();
        prop_assert!(bytes.len() <= MAX_OPERATION);
        prop_assert_eq!(SignedOperation::decode(&bytes), Ok(operation));
        for length in 0..bytes.len() {
            prop_assert!(SignedOperation::decode(&bytes[..length]).is_err(), "{} bytes", length);
        }
        prop_assert!(SignedOperation::decode(&[bytes.as_slice(), &[extra]].concat()).is_err());
    }

    /// Whatever decodes, encodes to the very same bytes.
    #[test]
    fn changed_bytes_decode_to_themselves_or_not_at_all(
        operation in arbitrary::operation(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = operation.encode();
        for (index, value) in changes {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        if let Ok(decoded) = SignedOperation::decode(&bytes) {
            prop_assert_eq!(decoded.encode(), bytes);
        }
    }

    #[test]
    fn nothing_panics_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Inception::decode(&bytes);
        if let Ok(operation) = SignedOperation::decode(&bytes) {
            let _ = operation.verify(&CHARTER);
        }
        let formatted = [&[1_u8][..], &bytes].concat();
        let _ = Inception::decode(&formatted);
        let _ = SignedOperation::decode(&formatted);
    }

    #[test]
    fn nothing_panics_on_any_text(
        text in prop_oneof![
            ".{0,120}",
            "did:real:[a-z]{0,4}:?z?[1-9A-HJ-NP-Za-km-z]{0,50}:?[A-Za-z0-9_-]{0,80}",
            "did:[a-z:]{0,20}",
        ]
    ) {
        if let Ok(parsed) = ParsedDid::parse(&text) {
            let again = parsed.inception.as_ref().map_or(parsed.did.to_string(), |it| parsed.did.long_form(it));
            prop_assert_eq!(again, text);
        }
    }
}

/// One operation of each kind, with each kind of authorization somewhere.
pub fn one_of_each() -> Vec<SignedOperation> {
    let (holder, sponsor) = (
        Holder::new("one of each", CHARTER),
        Holder::new("sponsor", CHARTER),
    );
    let token = Authorization::Token {
        authority: Hash([5; 32]),
        token: Box::new([6; 320]),
    };
    let previous = Hash([7; 32]);
    vec![
        holder.publish(token.clone()),
        holder.publish(Authorization::Charter { seat: 3 }),
        holder.publish(sponsor.sponsor(&holder.did(), 0)),
        holder.update(previous, 1),
        holder.renew(previous, 0, Hash([5; 32]), Box::new([6; 320])),
        holder.recover(previous, 0, 2),
        holder.recover_with(Hash::ZERO, Some(token.clone()), 0, 2),
        holder.deactivate_by_next(previous, 1),
        holder.deactivate_by_recovery(previous, 0),
        holder.deactivate_with(Hash::ZERO, Some(token), 0),
        holder.veto(previous, 1),
    ]
}

/// Every third bit, so that each byte is hit and each place in a byte.
// test: DID-06, OP-05
#[test]
fn no_bit_of_a_signed_operation_can_be_flipped() {
    for operation in one_of_each() {
        let bytes = operation.encode();
        assert!(SignedOperation::decode(&bytes).unwrap().verify(&CHARTER).is_ok());
        for bit in (0..bytes.len() * 8).step_by(3) {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let refused = SignedOperation::decode(&flipped)
                .and_then(|it| it.verify(&CHARTER))
                .is_err();
            assert!(refused, "bit {bit} of {:?}", operation.operation.action);
        }
    }
}

#[test]
fn an_operation_has_a_greatest_length() {
    assert_eq!(
        SignedOperation::decode(&[1; MAX_OPERATION + 1]),
        Err(OperationError::TooLong)
    );
    assert!(matches!(
        SignedOperation::decode(&[1; MAX_OPERATION]),
        Err(OperationError::Malformed(_))
    ));
}
