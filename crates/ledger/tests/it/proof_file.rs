//! The file that is verified offline.

use realdid_crypto::{Hash, base64url_decode, base64url_encode};
use realdid_did::{Did, Inception, Network, SignedOperation, Status, VerificationKey};
use realdid_ledger::{Evidence, MAX_PROOF_FILE, ProofFile, ProofFileError, TrustAnchor, Verdict, state_key};
use serde_json::json;

use crate::holder::Holder;
use crate::proofs::{finality, header, prove};
use crate::world::{Ledger, World};

fn did(holder: &Holder) -> Did {
    Did {
        network: Network::new("sandbox").unwrap(),
        hash: holder.did(),
    }
}

pub fn encoded(operations: &[SignedOperation]) -> Evidence {
    Evidence::Operations(
        operations
            .iter()
            .map(|it| base64url_encode(it.encode()))
            .collect(),
    )
}

/// A file about a holder whose keys of a generation are current.
pub fn file(ledger: &Ledger<'_>, holder: &Holder, generation: u8, evidence: Evidence) -> ProofFile {
    let key = state_key::did(&holder.did());
    let proven = prove(&ledger.values);
    let header = header(ledger.world, proven.root, 50, ledger.now * 1000);
    let finality = finality(ledger.world, vec![header]);
    ProofFile::new(
        &did(holder),
        &holder.document(generation),
        evidence,
        &finality,
        &proven.of(&key),
    )
}

fn verify(world: &World, file: &ProofFile) -> Result<Verdict, ProofFileError> {
    ProofFile::verify_with(file.to_json().as_bytes(), &TrustAnchor::of(&world.charter))
}

/// A person who has published and updated, and the operations.
pub fn updated(world: &World) -> (Ledger<'_>, Holder, [SignedOperation; 2]) {
    let person = world.person("person");
    let mut ledger = Ledger::furnished(world);
    let publish = person.publish(world.token(0, 0, &person.did()));
    ledger.did(&publish).unwrap();
    let update = person.update(ledger.last(&person), 1);
    ledger.did(&update).unwrap();
    (ledger, person, [publish, update])
}

pub fn good(world: &World) -> ProofFile {
    let (ledger, person, operations) = updated(world);
    file(&ledger, &person, 1, encoded(&operations[1..]))
}

pub fn unpublished(world: &World) -> (ProofFile, Holder) {
    let ghost = world.person("ghost");
    let evidence = Evidence::Inception(base64url_encode(ghost.inception().encode()));
    (file(&Ledger::furnished(world), &ghost, 0, evidence), ghost)
}

// test: LED-32
#[test]
fn a_file_proves_a_published_did() {
    let world = World::new();
    let (ledger, person, operations) = updated(&world);
    for evidence in [&operations[..], &operations[1..]] {
        let verdict = verify(&world, &file(&ledger, &person, 1, encoded(evidence)));
        if evidence.len() == 2 {
            assert_eq!(
                verdict,
                Err(ProofFileError::DocumentData),
                "it begins before the current document"
            );
            continue;
        }
        let verdict = verdict.unwrap();
        assert!(verdict.published && verdict.status == Status::Active);
        assert_eq!(
            (verdict.version, verdict.height, verdict.time),
            (2, 50, ledger.now)
        );
        assert_eq!(
            (verdict.did, verdict.charter),
            (did(&person).to_string(), world.hash)
        );
    }
    let by_key = ProofFile::verify(
        good(&world).to_json().as_bytes(),
        &world.charter.network_key(),
        None,
    );
    assert!(by_key.unwrap().published, "the network key alone is enough");
}

#[test]
fn a_file_proves_that_a_did_is_at_its_inception() {
    let world = World::new();
    let (file, ghost) = unpublished(&world);
    let verdict = verify(&world, &file).unwrap();
    assert_eq!(
        (verdict.published, verdict.status, verdict.version),
        (false, Status::Active, 0)
    );
    assert_eq!(verdict.did, did(&ghost).to_string());
}

#[test]
fn a_file_proves_recoveries_and_the_end() {
    let world = World::new();
    let person = world.person("person");
    let mut ledger = Ledger::furnished(&world);
    let publish = person.publish(world.token(0, 0, &person.did()));
    ledger.did(&publish).unwrap();
    let recover = person.recover(ledger.last(&person), 0, 5);
    ledger.did(&recover).unwrap();
    let recovering = file(&ledger, &person, 0, encoded(&[publish, recover.clone()]));
    assert_eq!(verify(&world, &recovering).unwrap().status, Status::Recovering);
    ledger.now += world.charter.recovery_delay;
    let recovered = file(&ledger, &person, 5, encoded(std::slice::from_ref(&recover)));
    assert_eq!(verify(&world, &recovered).unwrap().status, Status::Active);
    let end = person.deactivate_by_recovery(ledger.last(&person), 1);
    ledger.did(&end).unwrap();
    let ended = file(&ledger, &person, 5, encoded(&[recover, end]));
    assert_eq!(verify(&world, &ended).unwrap().status, Status::Deactivated);
}

// test: LED-25
#[test]
fn other_formats_are_refused() {
    let world = World::new();
    let good = good(&world);
    for proof_format in [0, 2, u32::MAX] {
        assert_eq!(
            verify(
                &world,
                &ProofFile {
                    proof_format,
                    ..good.clone()
                }
            ),
            Err(ProofFileError::Format)
        );
    }
    assert!(verify(&world, &good).is_ok());
}

// test: LED-26
#[test]
fn the_document_is_the_one_derived() {
    let world = World::new();
    let good = good(&world);
    let change = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut file = good.clone();
        change(&mut file.document);
        verify(&world, &file)
    };
    assert_eq!(
        change(&|it| it["id"] = json!("did:real:sandbox:z")),
        Err(ProofFileError::Document)
    );
    assert_eq!(
        change(&|it| it["alsoKnownAs"] = json!(["x"])),
        Err(ProofFileError::Document)
    );
    assert_eq!(
        change(&|it| it["verificationMethod"] = json!([])),
        Err(ProofFileError::Document)
    );
    assert_eq!(change(&|it| *it = json!(null)), Err(ProofFileError::Document));
    assert!(change(&|_| ()).is_ok());
}

// test: LED-27
#[test]
fn a_file_is_its_own_canonical_form() {
    let world = World::new();
    let text = good(&world).to_json();
    let anchor = TrustAnchor::of(&world.charter);
    let verify = |text: &str| ProofFile::verify_with(text.as_bytes(), &anchor);
    let compact = serde_json::to_string(&serde_json::from_str::<serde_json::Value>(&text).unwrap()).unwrap();
    let escaped = text.replace("did:real", "did\\u003areal");
    let others = [
        text.trim_end().to_owned(),
        format!("{text}\n"),
        format!(" {text}"),
        text.replace("  ", "\t"),
        compact,
        escaped,
    ];
    for other in others {
        assert_eq!(verify(&other), Err(ProofFileError::NotCanonical));
    }
    assert!(verify(&text).is_ok());
}

#[test]
fn what_is_no_proof_file_is_refused() {
    let world = World::new();
    let anchor = TrustAnchor::of(&world.charter);
    let text = good(&world).to_json();
    for other in [
        "",
        "{}",
        "[]",
        "null",
        &text[1..],
        &text.replace("proof_format", "format"),
        &text.replace("{\n  \"p", "{\n  \"x\": 1,\n  \"p"),
    ] {
        assert_eq!(
            ProofFile::verify_with(other.as_bytes(), &anchor),
            Err(ProofFileError::Json),
            "{other}"
        );
    }
    let large = vec![b' '; MAX_PROOF_FILE + 1];
    assert_eq!(
        ProofFile::verify_with(&large, &anchor),
        Err(ProofFileError::TooLarge)
    );
}

// test: FIN-04
#[test]
fn the_header_is_final_under_the_pinned_key() {
    let (world, other) = (World::new(), World::of(|charter| charter.genesis_time += 1));
    let file = good(&world);
    assert!(
        matches!(verify(&other, &file), Err(ProofFileError::Finality(_))),
        "a valid file of another network"
    );
    let text = file.to_json();
    let mut key = world.charter.network_key();
    key.copy_from_slice(&[0xff; 96]);
    assert!(matches!(
        ProofFile::verify(text.as_bytes(), &key, None),
        Err(ProofFileError::Finality(_))
    ));
    let mut forged = file.clone();
    let mut bytes = base64url_decode(&forged.finality).unwrap();
    bytes[40] ^= 1;
    forged.finality = base64url_encode(bytes);
    assert!(matches!(
        verify(&world, &forged),
        Err(ProofFileError::Finality(_))
    ));
    let malformed = ProofFile {
        finality: "!".to_owned(),
        ..file.clone()
    };
    assert_eq!(verify(&world, &malformed), Err(ProofFileError::Field("finality")));
    assert!(verify(&world, &file).is_ok());
}

// test: LED-29
#[test]
fn the_inception_is_the_dids_own() {
    let world = World::new();
    let (good, _) = unpublished(&world);
    let with = |inception: &Inception| {
        let evidence = Evidence::Inception(base64url_encode(inception.encode()));
        verify(
            &world,
            &ProofFile {
                evidence,
                ..good.clone()
            },
        )
    };
    let other = world.person("other").inception();
    assert_eq!(with(&other), Err(ProofFileError::DocumentData));
    // An inception made for another network, whose DID is not on this one either.
    let foreign = Holder::new("ghost", Hash([9; 32]));
    let evidence = Evidence::Inception(base64url_encode(foreign.inception().encode()));
    let elsewhere = file(&Ledger::furnished(&world), &foreign, 0, evidence);
    assert_eq!(verify(&world, &elsewhere), Err(ProofFileError::DocumentData));
    let malformed = Evidence::Inception("AA".to_owned());
    let malformed = ProofFile {
        evidence: malformed,
        ..good.clone()
    };
    assert_eq!(
        verify(&world, &malformed),
        Err(ProofFileError::Field("inception"))
    );
    assert!(verify(&world, &good).is_ok());
}

#[test]
fn the_evidence_fits_the_state() {
    let world = World::new();
    let (absent, ghost) = unpublished(&world);
    let publish = ghost.publish(world.token(0, 0, &ghost.did()));
    let claimed = ProofFile {
        evidence: encoded(&[publish]),
        ..absent
    };
    assert_eq!(
        verify(&world, &claimed),
        Err(ProofFileError::DocumentData),
        "it is not on the ledger"
    );
    let person = world.person("person");
    let evidence = Evidence::Inception(base64url_encode(person.inception().encode()));
    let hidden = ProofFile {
        evidence,
        ..good(&world)
    };
    assert_eq!(
        verify(&world, &hidden),
        Err(ProofFileError::DocumentData),
        "it is on the ledger"
    );
}

/// A person whose current document was set two operations ago: an update, then a renewal.
pub fn renewed(world: &World) -> (Ledger<'_>, Holder, [SignedOperation; 3]) {
    let (mut ledger, person, [publish, update]) = updated(world);
    ledger.now += crate::world::EPOCH;
    let realdid_did::Authorization::Token { authority, token } = world.token(1, 1, &person.did()) else {
        unreachable!("a token")
    };
    let renew = person.renew(ledger.last(&person), 1, authority, token);
    ledger.did(&renew).unwrap();
    (ledger, person, [publish, update, renew])
}

// test: LED-30, OP-05
#[test]
fn the_operations_are_a_chain_of_this_did() {
    let world = World::new();
    let (ledger, person, [publish, update, renew]) = renewed(&world);
    let with =
        |operations: &[SignedOperation]| verify(&world, &file(&ledger, &person, 1, encoded(operations)));
    let twice = [update.clone(), update.clone(), renew.clone()];
    assert_eq!(with(&twice), Err(ProofFileError::Chain));
    let gap = [publish, renew.clone()];
    assert_eq!(with(&gap), Err(ProofFileError::Chain));
    let stranger = world.person("stranger").update(Hash([1; 32]), 1);
    assert_eq!(with(&[stranger]), Err(ProofFileError::Chain), "another DID");
    let mut forged = update.clone();
    forged.signature.0[0] ^= 1;
    assert!(matches!(
        with(&[forged, renew.clone()]),
        Err(ProofFileError::Operation(_))
    ));
    let many = vec![update.clone(); 65];
    assert_eq!(with(&many), Err(ProofFileError::Chain));
    assert_eq!(with(&[update, renew]).unwrap().version, 3);
}

// test: LED-31
#[test]
fn the_operations_lead_to_the_last_one() {
    let world = World::new();
    let (ledger, person, [_, update, renew]) = renewed(&world);
    let with =
        |operations: &[SignedOperation]| verify(&world, &file(&ledger, &person, 1, encoded(operations)));
    assert_eq!(with(&[]), Err(ProofFileError::Chain));
    assert_eq!(
        with(std::slice::from_ref(&update)),
        Err(ProofFileError::Chain),
        "the renewal is missing"
    );
    assert!(with(&[update, renew]).is_ok());
}

// test: LED-32
#[test]
fn the_first_operation_sets_the_current_document() {
    let world = World::new();
    let (ledger, person, [publish, update, renew]) = renewed(&world);
    let with =
        |operations: &[SignedOperation]| verify(&world, &file(&ledger, &person, 1, encoded(operations)));
    assert_eq!(
        with(std::slice::from_ref(&renew)),
        Err(ProofFileError::DocumentData),
        "it sets none"
    );
    let early = [publish, update.clone(), renew.clone()];
    assert_eq!(with(&early), Err(ProofFileError::DocumentData), "it sets another");
    assert!(with(&[update, renew]).is_ok());
}

/// Every single bit of the file, and each part swapped with that of another valid file.
// test: LED-25, LED-31, HDR-02, FIN-04, FIN-05, STP-02, OP-05
#[test]
fn nothing_in_a_file_can_be_changed() {
    let world = World::new();
    let anchor = TrustAnchor::of(&world.charter);
    let text = good(&world).to_json().into_bytes();
    assert!(ProofFile::verify_with(&text, &anchor).is_ok());
    for bit in (0..text.len() * 8).step_by(5) {
        let mut flipped = text.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(ProofFile::verify_with(&flipped, &anchor).is_err(), "bit {bit}");
    }
    let (ledger, person, [_, update, renew]) = renewed(&world);
    let later = file(&ledger, &person, 1, encoded(&[update, renew]));
    let (absent, _) = unpublished(&world);
    for (one, other) in [
        (good(&world), later.clone()),
        (later, absent.clone()),
        (absent, good(&world)),
    ] {
        let swapped = [
            ProofFile {
                did: other.did.clone(),
                ..one.clone()
            },
            ProofFile {
                document: other.document.clone(),
                ..one.clone()
            },
            ProofFile {
                evidence: other.evidence.clone(),
                ..one.clone()
            },
            ProofFile {
                finality: other.finality.clone(),
                ..one.clone()
            },
            ProofFile {
                state: other.state.clone(),
                ..one.clone()
            },
        ];
        for swapped in swapped.into_iter().filter(|swapped| *swapped != one) {
            assert!(verify(&world, &swapped).is_err(), "{swapped:?}");
        }
        assert!(verify(&world, &one).is_ok() && verify(&world, &other).is_ok());
    }
}

// test: LED-26
#[test]
fn a_key_that_was_only_promised_is_not_in_the_document() {
    let world = World::new();
    let (ledger, person, operations) = updated(&world);
    let mut lying = file(&ledger, &person, 1, encoded(&operations[1..]));
    let promised = VerificationKey::authentication(person.key(2).public_key());
    lying.document["verificationMethod"][0]["publicKeyMultibase"] = json!(promised.key.to_multikey());
    assert_eq!(verify(&world, &lying), Err(ProofFileError::Document));
}
