//! Every key and salt is made for one DID only, and always the same.

use std::collections::BTreeSet;

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use realdid_crypto::Hash;
use realdid_wallet::root::{Index, Keychain, Role, Secret};
use serde_json::{Value, json};

use crate::frozen;

const ROLES: [Role; 4] = [
    Role::Authentication,
    Role::AuthenticationSalt,
    Role::Recovery,
    Role::RecoverySalt,
];

// test: WAL-03
#[test]
fn no_derivation_repeats() {
    let root = Secret::new([7; 32]);
    let mut seen = BTreeSet::new();
    let mut count = 0;
    for charter in [Hash([1; 32]), Hash([2; 32])] {
        for (series, number) in (0..3).flat_map(|series| (0..20).map(move |number| (series, number))) {
            let keys = Keychain::new(&root, &charter, Index { series, number });
            for (role, generation) in ROLES.iter().flat_map(|role| (0..6).map(move |n| (*role, n))) {
                seen.insert(*keys.derive(role, generation));
                count += 1;
            }
        }
    }
    assert_eq!(seen.len(), count);
}

proptest! {
    #[test]
    fn an_inception_is_a_function_of_root_charter_and_index(
        root in any::<[u8; 32]>(), charter in any::<[u8; 32]>(), series in any::<u32>(), number in any::<u32>(),
    ) {
        let charter = Hash(charter);
        let index = Index { series, number };
        let first = Keychain::new(&Secret::new(root), &charter, index).inception();
        prop_assert_eq!(&first, &Keychain::new(&Secret::new(root), &charter, index).inception());
        prop_assert_eq!(first.charter, charter);
        let other = Index { series, number: number ^ 1 };
        prop_assert!(first.hash() != Keychain::new(&Secret::new(root), &charter, other).inception().hash());
    }

    #[test]
    fn a_generation_is_found_by_its_commitment(generation in 0_u32..60, from in 0_u32..60) {
        let (root, charter) = (Secret::new([3; 32]), Hash([4; 32]));
        let keys = Keychain::new(&root, &charter, Index { series: 0, number: 0 });
        let (next, recovery) = (keys.next_commitment(generation), keys.recovery_commitment(generation));
        prop_assert_eq!(keys.find_next(&next, from), Some(generation));
        prop_assert_eq!(keys.find_recovery(&recovery, from), Some(generation));
        prop_assert_eq!(keys.find_document(&keys.document(generation).hash(), from), Some(generation));
        prop_assert_eq!(keys.find_next(&recovery, from), None);
    }
}

/// What software in other languages derives for a DID must be the same bytes.
#[test]
fn derivations_are_frozen() {
    let case = |root: u8, series, number| -> Value {
        let (root, charter) = ([root; 32], Hash([0xc4; 32]));
        let secret = Secret::new(root);
        let keys = Keychain::new(&secret, &charter, Index { series, number });
        let secrets = [0, 1, 77].map(|generation| {
            let role = |role| hex(keys.derive(role, generation).as_slice());
            json!({
                "generation": generation,
                "authentication": role(Role::Authentication),
                "authentication_salt": role(Role::AuthenticationSalt),
                "recovery": role(Role::Recovery),
                "recovery_salt": role(Role::RecoverySalt),
            })
        });
        json!({
            "root": hex(&root),
            "charter": charter,
            "series": series,
            "number": number,
            "secrets": secrets,
            "did_hash": keys.inception().hash(),
        })
    };
    let file = json!({
        "description": "What a wallet derives from its root secret for a DID: secrets by role and generation, and the \
                        hash of the inception that they give.",
        "source": "crates/wallet/tests/it/derivation.rs",
        "cases": [case(1, 0, 0), case(1, 0, 1), case(1, 3, 70_000), case(0xfe, 0, 0)],
    });
    frozen::compare("wallet_keys.json", &file);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
