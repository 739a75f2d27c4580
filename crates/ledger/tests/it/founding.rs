//! What founders exchange and sign, and the transcript of it.

use realdid_crypto::{KeyType, SecretKey, base64url_encode};
use realdid_did::Network;
use realdid_ledger::{
    Committees, Draft, FOUNDING_FORMAT, FoundingError, PublicFile, Quota, Transcript, sign_charter,
};

const NETWORK_KEY: [u8; 96] = [3; 96];
const OUTCOME: &[u8] = &[4; 8];

fn member(number: u8) -> SecretKey {
    SecretKey::from_seed(KeyType::Ed25519, &[number; 32])
}

fn link(number: u8) -> SecretKey {
    SecretKey::from_seed(KeyType::Ed25519, &[100 + number; 32])
}

fn founder(number: u8) -> PublicFile {
    let (name, address) = (format!("Member {number}"), format!("node{number}.example:7301"));
    PublicFile::new(&name, &address, &member(number), &link(number))
}

fn draft(founders: u8) -> Draft {
    Draft {
        format: FOUNDING_FORMAT,
        network: Network::new("founded").unwrap(),
        sandbox: false,
        genesis_time: 1_000_000,
        threshold: 3,
        committees: Committees {
            epoch_blocks: 28,
            max_validators: 7,
        },
        seats: Vec::new(),
        epoch_seconds: 3_600,
        quota: Quota {
            tokens: 64,
            period_seconds: 3_600,
        },
        recovery_delay: 10,
        vetoed_recovery_delay: 20,
        minimum_anonymity_set: 1,
        founders: (0..founders).map(founder).collect(),
    }
}

fn transcript() -> Transcript {
    let draft = draft(4);
    let charter = draft.charter(&NETWORK_KEY, OUTCOME);
    Transcript {
        format: FOUNDING_FORMAT,
        draft_signatures: (0..4).map(|number| draft.sign(&member(number))).collect(),
        dealer_logs: Vec::new(),
        charter_signatures: (0..4)
            .map(|number| sign_charter(&charter, &member(number)))
            .collect(),
        draft,
        charter,
    }
}

// test: FND-01
#[test]
fn a_public_file_is_signed_by_both_keys() {
    let good = founder(1);
    good.check().unwrap();
    let changes: [fn(&mut PublicFile); 6] = [
        |file| file.name.push('x'),
        |file| file.address = "elsewhere.example:7301".to_owned(),
        |file| file.member_key = member(2).public_key(),
        |file| file.link_key = founder(2).link_key,
        |file| file.member_signature = base64url_encode([0; 64]),
        |file| std::mem::swap(&mut file.member_signature, &mut file.link_signature),
    ];
    for change in changes {
        let mut changed = good.clone();
        change(&mut changed);
        assert!(matches!(changed.check(), Err(FoundingError::PublicFile(_))));
    }
    let unusable = PublicFile::new("Member 1", "no port", &member(1), &link(1));
    assert!(matches!(unusable.check(), Err(FoundingError::PublicFile(_))));
    good.check().unwrap();
}

// test: FND-02
#[test]
fn no_two_founders_have_a_key_in_common() {
    let twins = [
        PublicFile::new("Member 3", "a.example:1", &member(1), &link(3)),
        PublicFile::new("Member 3", "a.example:1", &member(3), &link(1)),
    ];
    for twin in twins {
        let mut changed = draft(4);
        changed.founders[3] = twin;
        assert!(matches!(changed.check(), Err(FoundingError::SameKey(name)) if name == "Member 3"));
    }
    draft(4).check().unwrap();
}

// test: FND-03
#[test]
fn four_found_a_network() {
    assert!(matches!(draft(3).check(), Err(FoundingError::TooFew(3))));
    let rehearsal = Draft {
        sandbox: true,
        ..draft(3)
    };
    rehearsal.check().unwrap();
    draft(4).check().unwrap();
}

#[test]
fn a_draft_gives_a_charter() {
    let out_of_range = Draft {
        threshold: 5,
        ..draft(4)
    };
    assert!(matches!(out_of_range.check(), Err(FoundingError::Charter(_))));
    let charter = draft(4).charter(&NETWORK_KEY, OUTCOME);
    assert!(!charter.key_origin.dealt);
    assert_eq!(
        (charter.network_key(), charter.key_outcome().as_slice()),
        (NETWORK_KEY, OUTCOME)
    );
    assert_eq!(charter.validators.len(), charter.members.len());
}

// test: FND-04
#[test]
fn each_founder_signs_the_draft() {
    let good = transcript();
    let changes: [fn(&mut Transcript); 3] = [
        |it| drop(it.draft_signatures.pop()),
        |it| it.draft_signatures.swap(0, 1),
        |it| it.draft.genesis_time += 1,
    ];
    for change in changes {
        let mut changed = good.clone();
        change(&mut changed);
        assert!(matches!(
            changed.check_draft(),
            Err(FoundingError::DraftSignature(_))
        ));
    }
    good.check_draft().unwrap();
}

// test: FND-05
#[test]
fn the_charter_is_the_draft_with_the_outcome() {
    let good = transcript();
    let other = good.check_charter(&[5; 96], OUTCOME);
    assert!(matches!(other, Err(FoundingError::OtherCharter)));
    let other = good.check_charter(&NETWORK_KEY, &[5]);
    assert!(matches!(other, Err(FoundingError::OtherCharter)));
    good.check_charter(&NETWORK_KEY, OUTCOME).unwrap();
}

// test: FND-06
#[test]
fn each_founder_signs_the_charter() {
    let good = transcript();
    let changes: [fn(&mut Transcript); 3] = [
        |it| drop(it.charter_signatures.pop()),
        |it| it.charter_signatures.swap(0, 1),
        // A signature under the draft is none under the charter.
        |it| it.charter_signatures[2] = it.draft_signatures[2].clone(),
    ];
    for change in changes {
        let mut changed = good.clone();
        change(&mut changed);
        let refused = changed.check_charter(&NETWORK_KEY, OUTCOME);
        assert!(matches!(refused, Err(FoundingError::CharterSignature(_))));
    }
    good.check_charter(&NETWORK_KEY, OUTCOME).unwrap();
}

#[test]
fn a_transcript_is_read_back_and_nothing_else() {
    let good = transcript();
    let json = serde_json::to_vec(&good).unwrap();
    assert_eq!(Transcript::from_json(&json).unwrap(), good);
    let other = Transcript {
        format: 2,
        ..good.clone()
    };
    let other = serde_json::to_vec(&other).unwrap();
    assert!(matches!(
        Transcript::from_json(&other),
        Err(FoundingError::Format(2))
    ));
    assert!(matches!(
        Transcript::from_json(b"{}"),
        Err(FoundingError::Json(_))
    ));
}
