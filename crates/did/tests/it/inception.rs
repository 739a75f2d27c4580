use realdid_crypto::{DecodeError, Hash, KeyType, PublicKey, Reader, SecretKey, Writer};
use realdid_did::{DocumentData, Inception, KeysReveal, Purposes, RecoveryReveal, Service, VerificationKey};

use crate::holder::Holder;

fn key(n: u8) -> PublicKey {
    SecretKey::from_seed(KeyType::Ed25519, &[n; 32]).public_key()
}

fn keys(numbers: &[u8]) -> Vec<VerificationKey> {
    numbers
        .iter()
        .map(|n| VerificationKey::authentication(key(*n)))
        .collect()
}

fn service() -> Service {
    Service {
        id: "login".into(),
        kind: "LinkedDomains".into(),
        endpoint: "https://site.example/".into(),
    }
}

fn encoded(document: &DocumentData) -> Vec<u8> {
    let mut writer = Writer::new();
    document.write(&mut writer);
    writer.finish()
}

fn decoded(bytes: &[u8]) -> Result<DocumentData, DecodeError> {
    let mut reader = Reader::new(bytes);
    let document = DocumentData::read(&mut reader)?;
    reader.finish()?;
    Ok(document)
}

// test: DID-04
#[test]
fn a_document_has_one_to_four_different_keys() {
    for wrong in [&[][..], &[1, 2, 3, 4, 5], &[1, 1], &[1, 2, 1]] {
        assert_eq!(
            DocumentData::new(keys(wrong), Vec::new()),
            Err(DecodeError::OutOfRange("keys"))
        );
    }
    // The same key for other purposes is the same key.
    let mut twice = keys(&[1, 1]);
    twice[1].purposes = Purposes::ASSERTION;
    assert_eq!(
        DocumentData::new(twice, Vec::new()),
        Err(DecodeError::OutOfRange("keys"))
    );
    for right in [&[1][..], &[1, 2, 3, 4]] {
        let document = DocumentData::new(keys(right), Vec::new()).unwrap();
        assert_eq!(decoded(&encoded(&document)), Ok(document));
    }
    let one = encoded(&DocumentData::new(keys(&[1]), Vec::new()).unwrap());
    let twice = [&[2][..], &one[1..35], &one[1..35], &[0]].concat();
    assert_eq!(decoded(&twice), Err(DecodeError::OutOfRange("keys")));
    assert_eq!(decoded(&[0, 0]), Err(DecodeError::OutOfRange("keys")));
    assert_eq!(decoded(&[5]), Err(DecodeError::TooLong("keys")));
}

// test: DID-05
#[test]
fn services_are_few_different_and_well_formed() {
    let refused = |services: Vec<Service>| {
        assert_eq!(
            DocumentData::new(keys(&[1]), services.clone()),
            Err(DecodeError::OutOfRange("services")),
            "{services:?}"
        );
    };
    refused(vec![service(), service()]);
    refused(
        (0..5)
            .map(|n| Service {
                id: n.to_string(),
                ..service()
            })
            .collect(),
    );
    for id in ["", "A", "a b", "a#", "ä", &"a".repeat(33)] {
        refused(vec![Service {
            id: id.into(),
            ..service()
        }]);
    }
    for kind in ["", "a b", "a\"", "é", "\n", &"a".repeat(65)] {
        refused(vec![Service {
            kind: kind.into(),
            ..service()
        }]);
    }
    let long = format!("https://{}", "a".repeat(249));
    for endpoint in [
        "",
        "site.example",
        "ftp://site.example",
        "javascript:alert(1)",
        "https://a b",
        "https://\"",
        &long,
    ] {
        refused(vec![Service {
            endpoint: endpoint.into(),
            ..service()
        }]);
    }
    let other = Service {
        id: "more".into(),
        endpoint: "http://127.0.0.1:7331".into(),
        ..service()
    };
    let document = DocumentData::new(keys(&[1]), vec![service(), other]).unwrap();
    assert_eq!(decoded(&encoded(&document)), Ok(document));
}

#[test]
fn services_are_decoded_as_strictly() {
    let bytes = encoded(&DocumentData::new(keys(&[1]), vec![service()]).unwrap());
    let change = |at: usize, value: u8| {
        let mut changed = bytes.clone();
        changed[at] = value;
        decoded(&changed)
    };
    let services = 1 + 34;
    assert_eq!(change(services, 5), Err(DecodeError::TooLong("services")));
    assert_eq!(change(services + 1, 1), Err(DecodeError::TooLong("service id")));
    assert_eq!(
        change(services + 3, b'L'),
        Err(DecodeError::OutOfRange("service"))
    );
    assert_eq!(
        change(services + 3, 0xff),
        Err(DecodeError::OutOfRange("service id")),
        "not UTF-8"
    );
    for purposes in [0, 16, 255] {
        assert_eq!(change(1, purposes), Err(DecodeError::OutOfRange("purposes")));
    }
    assert_eq!(change(2, 9), Err(DecodeError::Unknown("key type")));
    assert!(decoded(&bytes).is_ok());
}

// test: DID-06
#[test]
fn unknown_versions_and_extensions_are_refused() {
    let inception = Holder::new("of the future", Hash([0xc4; 32])).inception();
    let bytes = inception.encode();
    for format in [0, 2, 255] {
        let mut other = bytes.clone();
        other[0] = format;
        assert_eq!(
            Inception::decode(&other),
            Err(DecodeError::Unknown("inception format"))
        );
    }
    let mut extended = bytes.clone();
    *extended.last_mut().unwrap() = 1;
    assert_eq!(
        Inception::decode(&extended),
        Err(DecodeError::Unknown("extensions"))
    );
    extended.extend([0, 1, b'x']);
    assert_eq!(
        Inception::decode(&extended),
        Err(DecodeError::Unknown("extensions")),
        "not ignored either"
    );
    assert_eq!(Inception::decode(&bytes), Ok(inception));
}

#[test]
fn a_commitment_hides_and_binds() {
    let charter = Hash([0xc4; 32]);
    let reveal = KeysReveal {
        keys: keys(&[1, 2]),
        salt: [3; 32],
    };
    let commitment = reveal.commitment(&charter);
    let mut purposes = reveal.clone();
    purposes.keys[0].purposes = Purposes::ASSERTION;
    let others = [
        KeysReveal {
            keys: keys(&[2, 1]),
            ..reveal.clone()
        },
        KeysReveal {
            keys: keys(&[1]),
            ..reveal.clone()
        },
        KeysReveal {
            salt: [4; 32],
            ..reveal.clone()
        },
        purposes,
    ];
    for other in others {
        assert_ne!(other.commitment(&charter), commitment);
    }
    assert_ne!(
        reveal.commitment(&Hash([0xc5; 32])),
        commitment,
        "another network"
    );
    let recovery = RecoveryReveal {
        key: key(1),
        salt: [3; 32],
    };
    assert_ne!(
        recovery.commitment(&charter),
        KeysReveal {
            keys: keys(&[1]),
            salt: [3; 32]
        }
        .commitment(&charter)
    );
    assert_ne!(
        recovery.commitment(&charter),
        RecoveryReveal {
            salt: [4; 32],
            ..recovery.clone()
        }
        .commitment(&charter)
    );
    assert_ne!(
        recovery.commitment(&charter),
        recovery.commitment(&Hash([0xc5; 32]))
    );
}
