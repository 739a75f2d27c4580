use realdid_crypto::{DecodeError, Hash, KeyType, SecretKey};
use realdid_did::{
    Action, Authorization, DocumentData, KeysReveal, OperationError, Purposes, Reveal, SignedOperation,
    VerificationKey,
};

use crate::encodings::one_of_each;
use crate::holder::Holder;

const CHARTER: Hash = Hash([0xc4; 32]);
const OTHER: Hash = Hash([0xc5; 32]);
const PREVIOUS: Hash = Hash([7; 32]);
const SEAT: Authorization = Authorization::Charter { seat: 0 };

fn holder() -> Holder {
    Holder::new("operator", CHARTER)
}

// test: OP-01
#[test]
fn an_operation_belongs_to_one_network() {
    for operation in one_of_each() {
        assert_eq!(
            operation.clone().verify(&OTHER),
            Err(OperationError::OtherNetwork)
        );
        assert!(operation.verify(&CHARTER).is_ok());
    }
    // An operation of this network that carries the inception of another.
    let stranger = Holder {
        charter: OTHER,
        ..holder()
    };
    let action = Action::Publish(stranger.founding(SEAT));
    let mut operation = stranger.operation(Hash::ZERO, action);
    operation.charter = CHARTER;
    assert_eq!(
        operation.sign(0, &stranger.key(0)).verify(&CHARTER),
        Err(OperationError::OtherNetwork)
    );
    assert!(stranger.publish(SEAT).verify(&OTHER).is_ok());
}

// test: OP-02
#[test]
fn an_operation_carries_its_own_inception() {
    let (mine, yours) = (holder(), Holder::new("another", CHARTER));
    let founding = yours.founding(SEAT);
    let actions = [
        Action::Publish(founding.clone()),
        Action::Deactivate {
            founding: Some(founding),
            reveal: Reveal::Recovery(mine.recovery_reveal(0)),
        },
    ];
    for action in actions {
        let signed = mine.operation(Hash::ZERO, action).sign(0, &mine.key(0));
        assert_eq!(signed.verify(&CHARTER), Err(OperationError::OtherInception));
    }
    assert!(mine.publish(SEAT).verify(&CHARTER).is_ok());
}

// test: OP-03
#[test]
fn an_authentication_key_must_sign() {
    let holder = holder();
    let assertion = SecretKey::from_seed(KeyType::Ed25519, &[9; 32]);
    let keys = vec![
        VerificationKey {
            purposes: Purposes::ASSERTION,
            key: assertion.public_key(),
        },
        VerificationKey::authentication(holder.key(0).public_key()),
    ];
    let document = DocumentData::new(keys, Vec::new()).unwrap();
    let mut inception = holder.inception();
    inception.document = document;
    let mut founding = holder.founding(SEAT);
    founding.inception = inception;
    let mut operation = holder.operation(Hash::ZERO, Action::Publish(founding.clone()));
    operation.did = founding.inception.hash();
    let by = |signer, key: &SecretKey| operation.clone().sign(signer, key).verify(&CHARTER);
    assert_eq!(by(0, &assertion), Err(OperationError::Signer), "an assertion key");
    assert_eq!(
        by(2, &assertion),
        Err(OperationError::Signer),
        "no key has this index"
    );
    assert_eq!(by(255, &assertion), Err(OperationError::Signer));
    assert!(by(1, &holder.key(0)).is_ok());
}

// test: OP-03, OP-05
#[test]
fn each_kind_of_operation_has_its_signers() {
    let holder = holder();
    for (good, key) in [
        (holder.recover(PREVIOUS, 0, 2), holder.recovery_key(0)),
        (holder.deactivate_by_recovery(PREVIOUS, 0), holder.recovery_key(0)),
    ] {
        let second = good.operation.clone().sign(1, &key);
        assert_eq!(
            second.verify(&CHARTER),
            Err(OperationError::Signer),
            "there is one recovery key"
        );
        assert!(good.verify(&CHARTER).is_ok());
    }
    // Whoever holds another of the holder's keys cannot sign in its place.
    let keys = [holder.key(0), holder.key(1), holder.recovery_key(0)];
    for good in [
        holder.publish(SEAT),
        holder.update(PREVIOUS, 1),
        holder.renew(PREVIOUS, 0, OTHER, Box::new([0; 320])),
        holder.recover(PREVIOUS, 0, 2),
        holder.deactivate_by_next(PREVIOUS, 1),
        holder.deactivate_by_recovery(PREVIOUS, 0),
        holder.veto(PREVIOUS, 1),
    ] {
        let signed_by = |key: &SecretKey| good.operation.clone().sign(0, key).verify(&CHARTER);
        let accepted = keys.iter().filter(|key| signed_by(key).is_ok()).count();
        assert_eq!(accepted, 1, "{:?}", good.operation.action);
    }
}

// test: OP-04
#[test]
fn first_operations_name_no_previous_one_and_others_do() {
    let holder = holder();
    let late = |operation: SignedOperation, key: SecretKey, previous| {
        let mut operation = operation.operation;
        operation.previous = previous;
        operation.sign(0, &key).verify(&CHARTER)
    };
    let first = [
        (holder.publish(SEAT), holder.key(0)),
        (
            holder.recover_with(Hash::ZERO, Some(SEAT), 0, 2),
            holder.recovery_key(0),
        ),
        (
            holder.deactivate_with(Hash::ZERO, Some(SEAT), 0),
            holder.recovery_key(0),
        ),
    ];
    for (operation, key) in first {
        assert_eq!(
            late(operation.clone(), key, PREVIOUS),
            Err(OperationError::Previous)
        );
        assert!(operation.verify(&CHARTER).is_ok());
    }
    let later = [
        (holder.update(PREVIOUS, 1), holder.key(1)),
        (
            holder.renew(PREVIOUS, 0, OTHER, Box::new([0; 320])),
            holder.key(0),
        ),
        (holder.recover(PREVIOUS, 0, 2), holder.recovery_key(0)),
        (holder.deactivate_by_next(PREVIOUS, 1), holder.key(1)),
        (holder.veto(PREVIOUS, 1), holder.key(1)),
    ];
    for (operation, key) in later {
        assert_eq!(
            late(operation.clone(), key, Hash::ZERO),
            Err(OperationError::Previous)
        );
        assert!(operation.verify(&CHARTER).is_ok());
    }
}

// test: OP-05
#[test]
fn the_signature_must_hold() {
    for operation in one_of_each() {
        let mut forged = operation.clone();
        forged.signature.0[40] ^= 1;
        assert_eq!(forged.verify(&CHARTER), Err(OperationError::Signature));
        let mut changed = operation.clone();
        changed.operation.action = match changed.operation.action {
            Action::Renew { document, token, .. } => Action::Renew {
                document,
                authority: OTHER,
                token,
            },
            other => other,
        };
        if changed != operation {
            assert_eq!(changed.verify(&CHARTER), Err(OperationError::Signature));
        }
        assert!(operation.verify(&CHARTER).is_ok());
    }
    // Somebody else cannot publish my long form.
    let (mine, thief) = (holder(), Holder::new("somebody else", CHARTER));
    let publish = mine.publish(SEAT).operation;
    assert_eq!(
        publish.clone().sign(0, &thief.key(0)).verify(&CHARTER),
        Err(OperationError::Signature)
    );
    assert!(publish.sign(0, &mine.key(0)).verify(&CHARTER).is_ok());
}

// test: OP-06
#[test]
fn the_sponsor_must_have_signed_for_this_did() {
    let (site, sponsor, other) = (
        holder(),
        Holder::new("sponsor", CHARTER),
        Holder::new("another site", CHARTER),
    );
    let mut forged = sponsor.sponsor(&site.did(), 0);
    if let Authorization::Sponsored(sponsorship) = &mut forged {
        sponsorship.signature.0[3] ^= 1;
    }
    let elsewhere = Holder {
        charter: OTHER,
        ..sponsor
    }
    .sponsor(&site.did(), 0);
    let mut replayed = sponsor.sponsor(&site.did(), 0);
    if let (Authorization::Sponsored(to), Authorization::Sponsored(from)) = (&mut replayed, &elsewhere) {
        to.signature = from.signature;
    }
    for wrong in [forged, sponsor.sponsor(&other.did(), 0), replayed] {
        assert_eq!(
            site.publish(wrong).verify(&CHARTER),
            Err(OperationError::Signature)
        );
    }
    let mut unknown = sponsor.sponsor(&site.did(), 0);
    if let Authorization::Sponsored(sponsorship) = &mut unknown {
        sponsorship.signer = 1;
    }
    assert_eq!(
        site.publish(unknown).verify(&CHARTER),
        Err(OperationError::Signer)
    );
    assert!(
        site.publish(sponsor.sponsor(&site.did(), 0))
            .verify(&CHARTER)
            .is_ok()
    );
}

#[test]
fn an_authentication_key_does_not_sponsor() {
    let (site, sponsor) = (holder(), Holder::new("sponsor", CHARTER));
    let mut sponsored = sponsor.sponsor(&site.did(), 0);
    if let Authorization::Sponsored(sponsorship) = &mut sponsored {
        let keys = vec![VerificationKey::authentication(sponsor.key(0).public_key())];
        sponsorship.document = DocumentData::new(keys, Vec::new()).unwrap();
    }
    assert_eq!(
        site.publish(sponsored).verify(&CHARTER),
        Err(OperationError::Signer)
    );
}

// test: DID-06
#[test]
fn unknown_codes_are_refused() {
    let holder = holder();
    let action_at = 1 + 3 * 32;
    let inception = holder.inception().encode().len();
    let decode = |operation: &SignedOperation, at: usize, value: u8| {
        let mut bytes = operation.encode();
        bytes[at] = value;
        SignedOperation::decode(&bytes).unwrap_err()
    };
    let (publish, recover) = (holder.publish(SEAT), holder.recover(PREVIOUS, 0, 2));
    assert_eq!(
        decode(&publish, 0, 2),
        DecodeError::Unknown("operation format").into()
    );
    assert_eq!(
        decode(&publish, action_at, 0),
        DecodeError::Unknown("action").into()
    );
    assert_eq!(
        decode(&publish, action_at, 7),
        DecodeError::Unknown("action").into()
    );
    assert_eq!(
        decode(&publish, action_at + 1, 2),
        DecodeError::Unknown("inception format").into()
    );
    assert_eq!(
        decode(&publish, action_at + inception, 1),
        DecodeError::Unknown("extensions").into()
    );
    for code in [0, 4] {
        let error = decode(&publish, action_at + 1 + inception, code);
        assert_eq!(error, DecodeError::Unknown("authorization").into());
    }
    assert_eq!(
        decode(&recover, action_at + 1, 2),
        DecodeError::NotCanonical("founding").into()
    );
    let deactivate = holder.deactivate_by_recovery(PREVIOUS, 0);
    assert_eq!(
        decode(&deactivate, action_at + 2, 3),
        DecodeError::Unknown("reveal").into()
    );
}

#[test]
fn the_hash_names_the_operation_and_not_its_signature() {
    let holder = holder();
    let document = DocumentData::new(
        [0, 1]
            .map(|n| VerificationKey::authentication(holder.key(n).public_key()))
            .to_vec(),
        Vec::new(),
    )
    .unwrap();
    let reveal = KeysReveal {
        keys: document.keys().to_vec(),
        salt: holder.salt(1),
    };
    let action = Action::Deactivate {
        founding: None,
        reveal: Reveal::Next(reveal),
    };
    let operation = holder.operation(PREVIOUS, action);
    let [one, two] = [0, 1].map(|n| holder.verified(operation.clone().sign(n, &holder.key(n))));
    assert_eq!(one.hash(), two.hash());
    assert_eq!(one.hash(), operation.hash());
    let hashes: std::collections::BTreeSet<_> = one_of_each().iter().map(|it| it.operation.hash()).collect();
    assert_eq!(hashes.len(), one_of_each().len());
}

#[test]
fn what_an_operation_sets_and_carries() {
    for SignedOperation { operation, .. } in one_of_each() {
        let sets = matches!(
            operation.action,
            Action::Publish(_) | Action::Update(_) | Action::Veto(_) | Action::Recover { .. }
        );
        assert_eq!(operation.document().is_some(), sets);
        assert_eq!(operation.founding().is_some(), operation.previous == Hash::ZERO);
    }
}
