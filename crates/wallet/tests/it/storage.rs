//! What is stored comes back, or is refused.

use realdid_crypto::{Hash, KeyType, SecretKey};
use realdid_did::Network;
use realdid_ledger::{Charter, Committees, KeyOrigin, Member, Quota, Validator};
use realdid_wallet::root::Secret;
use realdid_wallet::{NewWallet, Wallet, WalletError};
use serde_json::Value;

pub fn wallet() -> Wallet {
    let member = SecretKey::from_seed(KeyType::Ed25519, &[1; 32]).public_key();
    let charter = Charter {
        format: 2,
        network: Network::new("test").unwrap(),
        sandbox: true,
        genesis_time: 0,
        network_key: "00".repeat(96),
        key_origin: KeyOrigin {
            dealt: true,
            outcome: "00".to_owned(),
        },
        members: vec![Member {
            name: "Member".to_owned(),
            key: member,
        }],
        threshold: 1,
        validators: vec![Validator {
            name: "Member".to_owned(),
            link_key: Hash([2; 32]),
            address: "127.0.0.1:7301".to_owned(),
        }],
        committees: Committees {
            epoch_blocks: 17_280,
            max_validators: 7,
        },
        seats: Vec::new(),
        epoch_seconds: 100,
        quota: Quota {
            tokens: 64,
            period_seconds: 3600,
        },
        recovery_delay: 1,
        vetoed_recovery_delay: 2,
        minimum_anonymity_set: 2,
    };
    let url = || "http://127.0.0.1:7300".to_owned();
    Wallet::new(
        NewWallet {
            charter,
            node_url: url(),
            authority_url: url(),
        },
        Secret::new([9; 32]),
        5,
    )
}

/// The stored wallet with one member changed.
fn changed(pointer: &str, value: Value) -> Vec<u8> {
    let mut json: Value = serde_json::from_slice(&wallet().to_json().unwrap()).unwrap();
    *json.pointer_mut(pointer).unwrap() = value;
    serde_json::to_vec(&json).unwrap()
}

#[test]
fn a_wallet_comes_back_as_it_was() {
    let stored = wallet().to_json().unwrap();
    assert_eq!(Wallet::from_json(&stored).unwrap(), wallet());
}

// test: WAL-01
#[test]
fn an_altered_charter_is_refused() {
    let altered = changed("/charter/recovery_delay", 2.into());
    assert!(matches!(
        Wallet::from_json(&altered),
        Err(WalletError::OtherCharter)
    ));
}

// test: WAL-02
#[test]
fn another_format_is_refused_by_its_number() {
    let other = changed("/format", 3.into());
    assert!(matches!(
        Wallet::from_json(&other),
        Err(WalletError::Format { found: 3 })
    ));
    assert!(Wallet::from_json(&changed("/format", 2.into())).is_ok());
}

#[test]
fn a_wallet_of_the_first_format_opens_and_holds_no_credentials() {
    let mut json: Value = serde_json::from_slice(&wallet().to_json().unwrap()).unwrap();
    json["format"] = 1.into();
    let members = json.as_object_mut().unwrap();
    members.remove("credentials").unwrap();
    members.remove("next_credential").unwrap();
    let opened = Wallet::from_json(&serde_json::to_vec(&json).unwrap()).unwrap();
    assert_eq!(opened, wallet());
    assert!(opened.credentials().is_empty());
}

#[test]
fn secrets_are_not_printed() {
    let printed = format!("{:?}", wallet());
    assert!(
        printed.contains("Secret(…)") && !printed.contains("CQkJCQkJ"),
        "{printed}"
    );
}
