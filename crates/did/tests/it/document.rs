use realdid_crypto::{Hash, KeyType, SecretKey};
use realdid_did::{Did, DocumentData, Network, Purposes, Service, VerificationKey, did_document};
use serde_json::json;

#[test]
fn a_document_has_the_shape_of_did_core() {
    let key = |kind, purposes| VerificationKey {
        purposes,
        key: SecretKey::from_seed(kind, &[7; 32]).public_key(),
    };
    let both = Purposes::AUTHENTICATION.with(Purposes::ASSERTION);
    let keys = vec![
        key(KeyType::Ed25519, both),
        key(KeyType::P256, Purposes::INVOCATION.with(Purposes::AUTHENTICATION)),
    ];
    let service = Service {
        id: "home".into(),
        kind: "LinkedDomains".into(),
        endpoint: "https://site.example".into(),
    };
    let data = DocumentData::new(keys.clone(), vec![service]).unwrap();
    let did = Did {
        network: Network::new("sandbox").unwrap(),
        hash: Hash([1; 32]),
    };
    let id = did.to_string();
    let [first, second] = [keys[0].key.to_multikey(), keys[1].key.to_multikey()];
    let method = |key: &str| {
        json!({
            "id": format!("{id}#{key}"),
            "type": "Multikey",
            "controller": id,
            "publicKeyMultibase": key,
        })
    };
    let expected = json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": id,
        "verificationMethod": [method(&first), method(&second)],
        "authentication": [format!("{id}#{first}"), format!("{id}#{second}")],
        "assertionMethod": [format!("{id}#{first}")],
        "capabilityInvocation": [format!("{id}#{second}")],
        "service": [{
            "id": format!("{id}#home"),
            "type": "LinkedDomains",
            "serviceEndpoint": "https://site.example",
        }],
    });
    assert_eq!(did_document(&did, &data), expected);
    assert_eq!(did.key_url(&keys[0].key), format!("{id}#{first}"));
}

#[test]
fn what_there_is_none_of_is_not_named() {
    let key = SecretKey::from_seed(KeyType::Sm2, &[7; 32]).public_key();
    let data = DocumentData::new(vec![VerificationKey::authentication(key)], Vec::new()).unwrap();
    let did = Did {
        network: Network::new("sandbox").unwrap(),
        hash: Hash([1; 32]),
    };
    let document = did_document(&did, &data);
    let members: Vec<_> = document.as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        members,
        ["@context", "authentication", "id", "verificationMethod"]
    );
}
