use realdid_crypto::{Hash, base58_decode, base58_encode, base64url_encode};
use realdid_did::{Did, DidError, Inception, MAX_LONG_FORM, Network, ParsedDid};

use crate::holder::Holder;

fn network() -> Network {
    Network::new("sandbox").unwrap()
}

fn inception() -> Inception {
    Holder::new("identified", Hash([0xc4; 32])).inception()
}

fn did() -> Did {
    inception().did(&network())
}

fn error(text: &str) -> DidError {
    ParsedDid::parse(text).unwrap_err()
}

// test: DID-01
#[test]
fn network_names_are_checked() {
    for name in ["ab", "a-", "a0", "sandbox", "abcdefghijklmno9", "x--1"] {
        assert_eq!(Network::new(name).unwrap().as_str(), name);
    }
    for name in [
        "",
        "a",
        "abcdefghijklmnopq",
        "Ab",
        "aB",
        "0a",
        "-a",
        "a_b",
        "a.b",
        "a b",
        "aé",
        "ab\n",
    ] {
        assert_eq!(Network::new(name), Err(DidError::Network), "{name}");
        let text = did().to_string().replace("sandbox", name);
        assert_eq!(error(&text), DidError::Network, "{text}");
    }
    assert!(serde_json::from_str::<Network>("\"A\"").is_err());
    assert_eq!(serde_json::from_str::<Network>("\"sandbox\"").unwrap(), network());
}

// test: DID-02
#[test]
fn a_long_form_carries_its_own_inception() {
    let other = Holder::new("somebody else", Hash([0xc4; 32])).inception();
    assert_eq!(error(&did().long_form(&other)), DidError::Mismatch);
    let long = did().long_form(&inception());
    let parsed = ParsedDid::parse(&long).unwrap();
    assert_eq!((parsed.did, parsed.inception), (did(), Some(inception())));
}

// test: DID-03
#[test]
fn an_identifier_is_a_sha2_256_multihash_in_base58() {
    let text = did().to_string();
    let id = text.rsplit(':').next().unwrap();
    let multihash = base58_decode(&id[1..]).unwrap();
    let with = |bytes: &[u8]| format!("did:real:sandbox:z{}", base58_encode(bytes));
    assert_eq!(with(&multihash), text);
    let sm3 = [&[0xcd, 0xa6, 0x01, 0x20][..], &multihash[2..]].concat();
    let identity = [&[0x00, 0x20][..], &multihash[2..]].concat();
    let short = &multihash[..33];
    let long = [multihash.as_slice(), &[0]].concat();
    for wrong in [sm3.as_slice(), &identity, short, &long, &[0x12, 0x20], &[]] {
        assert_eq!(error(&with(wrong)), DidError::Identifier);
    }
    for wrong in [
        id.replacen('z', "m", 1),
        id[1..].to_owned(),
        format!("{id}0"),
        "z".to_owned(),
        String::new(),
    ] {
        assert_eq!(
            error(&format!("did:real:sandbox:{wrong}")),
            DidError::Identifier,
            "{wrong}"
        );
    }
    assert_eq!(ParsedDid::parse(&text).unwrap().did, did());
}

// test: DID-01
#[test]
fn each_wrong_part_is_named() {
    let (short, long) = (did().to_string(), did().long_form(&inception()));
    let encoded = base64url_encode(inception().encode());
    for text in [
        "",
        "did",
        "did:",
        "real:sandbox:z",
        "DID:real:sandbox:z",
        "did:REAL:sandbox:z",
        "did::sandbox:z",
    ] {
        assert_eq!(error(text), DidError::NotADid, "{text}");
    }
    for text in [
        "did:web:example.org",
        "did:key:z6Mk",
        "did:realm:sandbox:z",
        "did:rea:x",
    ] {
        assert_eq!(error(text), DidError::Method, "{text}");
    }
    assert_eq!(error("did:real:sandbox"), DidError::Identifier);
    assert_eq!(error("did:real:"), DidError::Network);
    for tail in [
        ":",
        "::",
        ":AA",
        ":?",
        &format!(":{encoded}="),
        &format!(":{encoded}A"),
        &format!(":{encoded}:"),
    ] {
        assert_eq!(error(&format!("{short}{tail}")), DidError::Inception, "{tail}");
    }
    assert_eq!(
        error(&format!("{short}{}", "A".repeat(MAX_LONG_FORM))),
        DidError::TooLong
    );
    for tail in ["#key", "?versionId=1", "/path", " "] {
        assert_eq!(error(&format!("{short}{tail}")), DidError::Identifier, "{tail}");
        assert_eq!(error(&format!("{long}{tail}")), DidError::Inception, "{tail}");
    }
}

#[test]
fn the_short_form_alone_is_a_did_in_json() {
    let json = serde_json::to_string(&did()).unwrap();
    assert_eq!(serde_json::from_str::<Did>(&json).unwrap(), did());
    assert_eq!(
        did().long_form(&inception()).parse::<Did>(),
        Err(DidError::Identifier)
    );
    assert_eq!(did().to_string().parse::<Did>(), Ok(did()));
}

#[test]
fn two_networks_give_two_dids() {
    let other = Did {
        network: Network::new("otherland").unwrap(),
        ..did()
    };
    assert_ne!(other.to_string(), did().to_string());
    let elsewhere = Inception {
        charter: Hash([0xc5; 32]),
        ..inception()
    };
    assert_ne!(
        elsewhere.hash(),
        inception().hash(),
        "the charter is part of the hash"
    );
}

/// The largest inception there is still fits a long form.
#[test]
fn the_largest_long_form_fits() {
    use realdid_crypto::{KeyType, SecretKey};
    use realdid_did::{DocumentData, Service, VerificationKey};
    let key = |n| VerificationKey::authentication(SecretKey::from_seed(KeyType::P256, &[n; 32]).public_key());
    let service = |n: u8| Service {
        id: char::from(b'a' + n).to_string().repeat(32),
        kind: "t".repeat(64),
        endpoint: format!("https://{}", "e".repeat(248)),
    };
    let document = DocumentData::new((1..=4).map(key).collect(), (0..4).map(service).collect()).unwrap();
    let inception = Inception {
        document,
        ..inception()
    };
    let did = inception.did(&Network::new("abcdefghijklmno9").unwrap());
    assert!(ParsedDid::parse(&did.long_form(&inception)).is_ok());
}
