//! How an issuer stands, by what the ledger says of it.

use realdid_crypto::PublicKey;
use realdid_did::{Commitment, DocumentData, Purposes, VerificationKey};
use realdid_ledger::{Accreditation, Role};

use super::*;
use crate::credentials::Standing;
use crate::issuance::issuer::{IssuerFacts, LedgerSearch, Search, SearchError};
use crate::issuance::{IssuerKey, IssuerReference};

const VCT: &str = "urn:pass";

struct Scene {
    facts: IssuerFacts,
    document: DocumentData,
    search: LedgerSearch,
    key: PublicKey,
}

fn document(key: &PublicKey, purposes: Purposes) -> DocumentData {
    let other = SecretKey::from_seed(KeyType::Ed25519, &[2; 32]).public_key();
    let keys = vec![
        VerificationKey::authentication(other),
        VerificationKey { purposes, key: *key },
    ];
    DocumentData::new(keys, Vec::new()).unwrap()
}

fn entry(document: &DocumentData) -> Entry {
    Entry {
        version: 1,
        document: document.hash(),
        last_operation: Hash([1; 32]),
        next: Commitment(Hash([2; 32])),
        recovery: Commitment(Hash([3; 32])),
        created: NOW,
        updated: NOW,
        assurance: Assurance {
            backing: Backing::Charter,
            by: Hash::ZERO,
            epoch: 0,
            level: Level::Low,
        },
        deactivated: false,
        vetoed: false,
        pending: None,
    }
}

fn scene() -> Scene {
    let key = SecretKey::from_seed(KeyType::P256, &[1; 32]).public_key();
    let document = document(&key, Purposes::ASSERTION);
    let did = charter().did(Hash([0x77; 32]));
    let reference = IssuerReference::Did {
        did: did.to_string(),
        key: Some(did.key_url(&key)),
    };
    let Search::Ledger(search) = Search::begin(&reference, VCT, &charter().network, true, NOW).unwrap()
    else {
        panic!("the ledger is asked")
    };
    Scene {
        facts: IssuerFacts {
            entry: Some(entry(&document)),
            accreditation: Some(Accreditation {
                did: did.hash,
                role: Role::Issuer,
                name: "Office".to_owned(),
                revoked_at: 0,
                suspended_at: 0,
            }),
            granted: true,
        },
        document,
        search,
        key,
    }
}

impl Scene {
    fn weigh(&self) -> Result<IssuerKey, SearchError> {
        self.search.weigh(&self.facts, &self.document, NOW)
    }
}

/// What comes of a scene that was spoilt; untouched it is well.
fn spoilt(spoil: impl FnOnce(&mut Scene)) -> Result<IssuerKey, SearchError> {
    let mut scene = scene();
    let good = scene.weigh().unwrap();
    assert_eq!((good.key, good.standing), (scene.key, Standing::Accredited));
    assert!(good.did.is_some());
    spoil(&mut scene);
    scene.weigh()
}

// test: WVC-22
#[test]
fn an_issuer_whose_did_has_ended_is_none() {
    let ended = spoilt(|scene| scene.facts.entry.as_mut().unwrap().deactivated = true);
    assert_eq!(ended.unwrap_err(), SearchError::Inactive);
}

#[test]
fn an_issuer_that_is_not_on_the_ledger_is_none() {
    assert_eq!(
        spoilt(|scene| scene.facts.entry = None).unwrap_err(),
        SearchError::Inactive
    );
}

// test: WVC-23
#[test]
fn a_key_for_logging_in_signs_no_credentials() {
    let other_use = spoilt(|scene| {
        scene.document = document(&scene.key, Purposes::AUTHENTICATION);
        scene.facts.entry = Some(entry(&scene.document));
    });
    assert_eq!(other_use.unwrap_err(), SearchError::Key);
}

// test: WVC-24
#[test]
fn accreditation_alone_is_no_right_to_issue_a_type() {
    let standing = |spoil: fn(&mut Scene)| spoilt(spoil).unwrap().standing;
    assert_eq!(
        standing(|scene| scene.facts.granted = false),
        Standing::NotForThisType
    );
    let verifier = standing(|scene| scene.facts.accreditation.as_mut().unwrap().role = Role::Verifier);
    assert_eq!(verifier, Standing::NotForThisType);
    let authority = standing(|scene| scene.facts.accreditation.as_mut().unwrap().role = Role::Authority);
    assert_eq!(authority, Standing::Accredited);
}

#[test]
fn suspended_struck_off_and_unknown_are_told_apart() {
    let standing = |spoil: fn(&mut Scene)| spoilt(spoil).unwrap().standing;
    assert_eq!(
        standing(|scene| scene.facts.accreditation = None),
        Standing::NotAccredited
    );
    let suspended = standing(|scene| scene.facts.accreditation.as_mut().unwrap().suspended_at = NOW);
    assert_eq!(suspended, Standing::Suspended);
    let struck_off = standing(|scene| scene.facts.accreditation.as_mut().unwrap().revoked_at = NOW);
    assert_eq!(struck_off, Standing::StruckOff);
}

// test: WVC-31
#[test]
fn the_issuers_document_is_the_one_that_the_ledger_names() {
    let other = spoilt(|scene| {
        let alone = VerificationKey {
            purposes: Purposes::ASSERTION,
            key: scene.key,
        };
        scene.document = DocumentData::new(vec![alone], Vec::new()).unwrap();
    });
    assert_eq!(other.unwrap_err(), SearchError::Document);
}
