//! What a wallet does with credentials it holds.

use realdid_credential::status::{Bits, Status, StatusList, token};
use realdid_crypto::{KeyType, SecretKey};
use realdid_wallet::Wallet;
use realdid_wallet::credentials::status::{Signers, StatusCheckError, read_status};
use realdid_wallet::credentials::{
    CredentialError, HeldCopy, HeldIssuer, HeldStatus, HolderKey, MAX_COPIES, Naming, NewCredential, Renewal,
    Standing, StatusValue,
};
use realdid_wallet::history::Event;
use realdid_wallet::issuance::IssuerKey;
use realdid_wallet::root::{Secret, SecretBytes};

use crate::mock_issuer::{NOW, rng};
use crate::storage::wallet;

const LIST: &str = "https://issuer.example/status/1";

fn copy(seed: u64) -> HeldCopy {
    HeldCopy {
        number: 0,
        compact: format!("copy-{seed}~"),
        key: Some(HolderKey::generate(KeyType::P256, &mut rng(seed))),
        issued_at: Some(NOW),
        valid_from: None,
        expires_at: Some(NOW + 1000 + seed),
        status: None,
        uses: Vec::new(),
    }
}

fn long_lived(seed: u64) -> HeldCopy {
    HeldCopy {
        status: Some(HeldStatus {
            uri: LIST.to_owned(),
            index: 5,
            last: None,
        }),
        ..copy(seed)
    }
}

fn new(copies: Vec<HeldCopy>) -> NewCredential {
    NewCredential {
        vct: "urn:pass".to_owned(),
        name: "A Pass".to_owned(),
        issuer: HeldIssuer {
            identifier: "https://issuer.example".to_owned(),
            name: "Office".to_owned(),
            did: None,
            standing: Standing::Accredited,
            standing_at: NOW,
        },
        copies,
        renewal: Renewal {
            configuration: "pass".to_owned(),
            identifier: None,
            authorization_server: "https://issuer.example".to_owned(),
            refresh_token: Some(SecretBytes::new(b"refresh-secret".to_vec().into())),
            dpop_key: Some(Secret::new([3; 32])),
            client_id: None,
        },
        naming: Naming::default(),
    }
}

fn holding(copies: Vec<HeldCopy>) -> (Wallet, u32) {
    let mut wallet = wallet();
    let id = wallet.keep_credential(new(copies), NOW).unwrap();
    (wallet, id)
}

// test: WVC-01
#[test]
fn no_two_copies_share_a_holder_key() {
    let refused = wallet().keep_credential(new(vec![copy(1), copy(1)]), NOW);
    assert_eq!(refused, Err(CredentialError::KeyShared));
    let (mut one, _) = holding(vec![copy(1), copy(2)]);
    let again = one.keep_credential(new(vec![copy(2)]), NOW);
    assert_eq!(again, Err(CredentialError::KeyShared));
    assert!(one.keep_credential(new(vec![copy(3)]), NOW).is_ok());
}

// test: WVC-03
#[test]
fn each_copy_is_shown_once_before_any_is_shown_twice() {
    let (mut wallet, id) = holding(vec![copy(1), copy(2), copy(3)]);
    let mut shown = Vec::new();
    for left in [2, 1, 0] {
        let picked = wallet.credential(id).unwrap().pick(NOW).unwrap();
        assert_eq!((picked.shown_before, picked.left), (false, Some(left)));
        let number = picked.copy.number;
        shown.push(number);
        wallet.use_copy(id, number, "site", NOW).unwrap();
    }
    shown.sort_unstable();
    assert_eq!(shown, [1, 2, 3]);
    let held = wallet.credential(id).unwrap();
    assert!(held.is_exhausted(NOW) && held.unused(NOW) == 0);
    let picked = held.pick(NOW).unwrap();
    assert_eq!(
        (picked.shown_before, picked.left),
        (true, Some(0)),
        "shown twice only with a warning"
    );
}

#[test]
fn a_long_lived_credential_is_shown_again_and_again_and_nothing_is_shown_after_its_time() {
    let (mut wallet, id) = holding(vec![long_lived(1)]);
    for _ in 0..100 {
        let picked = wallet.credential(id).unwrap().pick(NOW).unwrap();
        assert_eq!((picked.shown_before, picked.left), (false, None));
        wallet.use_copy(id, picked.copy.number, "site", NOW).unwrap();
    }
    let held = wallet.credential(id).unwrap();
    assert!(held.copies[0].uses.len() <= 64 && !held.is_exhausted(NOW));
    assert_eq!(held.pick(NOW + 5000).unwrap_err(), CredentialError::Expired(id));
}

#[test]
fn fresh_copies_take_the_place_of_the_old_ones_with_other_numbers() {
    let (mut wallet, id) = holding(vec![copy(1), copy(2)]);
    wallet
        .refresh_credential(id, new(vec![copy(3)]), NOW + 10)
        .unwrap();
    let held = wallet.credential(id).unwrap();
    assert_eq!(
        held.copies.iter().map(|copy| copy.number).collect::<Vec<_>>(),
        [3]
    );
    assert_eq!((held.received_at, held.refreshed_at), (NOW, NOW + 10));
    assert_eq!(
        wallet.refresh_credential(9, new(vec![copy(4)]), NOW),
        Err(CredentialError::Unknown(9))
    );
    let many = (0..=MAX_COPIES as u64).map(|seed| copy(100 + seed)).collect();
    assert_eq!(
        wallet.keep_credential(new(many), NOW),
        Err(CredentialError::Copies)
    );
    let removed = wallet.remove_credential(id, NOW).unwrap();
    assert_eq!(removed.id, id);
    let events: Vec<_> = wallet.history().iter().map(|entry| &entry.event).collect();
    assert!(matches!(
        events[1..],
        [
            Event::CredentialReceived { .. },
            Event::CredentialRefreshed { .. },
            Event::CredentialRemoved { .. },
        ]
    ));
    let next = wallet.keep_credential(new(vec![copy(5)]), NOW).unwrap();
    assert_ne!(next, id, "a number is not given twice");
}

#[test]
fn credentials_are_stored_and_backups_hold_what_there_was_but_no_copy_key_or_token() {
    let (mut wallet, id) = holding(vec![copy(1), copy(2)]);
    let stored = wallet.to_json().unwrap();
    assert_eq!(Wallet::from_json(&stored).unwrap(), wallet);
    let backup = wallet.backup(NOW).unwrap();
    let text = String::from_utf8(backup.to_vec()).unwrap();
    let key = wallet.credential(id).unwrap().copies[0].key.clone().unwrap();
    let seed = realdid_crypto::base64url_encode(key.secret_key().seed());
    assert!(String::from_utf8(stored.to_vec()).unwrap().contains(&seed));
    let token = realdid_crypto::base64url_encode("refresh-secret");
    assert!(!text.contains(&seed) && !text.contains("copy-1") && !text.contains(&token));
    let restored = Wallet::restore(&backup, NOW).unwrap();
    let held = restored.credential(id).unwrap();
    assert!(held.is_lost() && held.name == "A Pass" && held.pick(NOW).is_err());
    let printed = format!("{wallet:?}");
    assert!(!printed.contains(&seed));
}

fn signer(seed: u8, did: Option<&str>) -> (SecretKey, IssuerKey) {
    let secret = SecretKey::from_seed(KeyType::P256, &[seed; 32]);
    let key = IssuerKey {
        key: secret.public_key(),
        did: did.map(str::to_owned),
        standing: Standing::Accredited,
    };
    (secret, key)
}

// test: WVC-30
#[test]
fn a_status_list_speaks_for_its_issuers_credentials_only() {
    let status = long_lived(1).status.unwrap();
    let list = StatusList::build(Bits::Two, 64, [(5, Status::Suspended)]).unwrap();
    let read = |list_seed: u8, list_did: Option<&str>, own_did: Option<&str>| {
        let (secret, list_signer) = signer(list_seed, list_did);
        let published = token::Publication {
            uri: LIST,
            issued_at: NOW,
            expires_at: NOW + 100,
            time_to_live: 60,
            aggregation_uri: None,
        };
        let signed = token::issue(&secret, serde_json::Map::new(), &list, &published).unwrap();
        let token = token::StatusListToken::parse(&signed).unwrap();
        let (_, own) = signer(1, own_did);
        let signers = Signers {
            credential: &own,
            list: &list_signer,
        };
        read_status(&token, &status, signers, NOW + 1)
    };
    assert_eq!(
        read(2, Some("did:b"), Some("did:a")),
        Err(StatusCheckError::OtherIssuer)
    );
    assert_eq!(read(2, None, None), Err(StatusCheckError::OtherIssuer));
    assert_eq!(read(2, None, Some("did:a")), Err(StatusCheckError::OtherIssuer));
    assert_eq!(read(2, Some("did:a"), Some("did:a")), Ok(StatusValue::Suspended));
    assert_eq!(read(1, None, None), Ok(StatusValue::Suspended));
    let (mut wallet, id) = holding(vec![long_lived(1), long_lived(2)]);
    wallet.saw_status(id, 1, StatusValue::Suspended, NOW).unwrap();
    let held = wallet.credential(id).unwrap();
    assert_eq!(held.seen_status().unwrap().value, StatusValue::Suspended);
    assert_eq!(
        held.pick(NOW).unwrap().copy.number,
        2,
        "the one that was not refused"
    );
}
