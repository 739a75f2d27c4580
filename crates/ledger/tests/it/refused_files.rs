//! Proof files and answers that are refused, and by which code: for software in other languages, which has
//! to refuse the same.

use realdid_crypto::{Hash, base64url_decode, base64url_encode};
use realdid_did::{Authorization, SignedOperation};
use realdid_ledger::{
    Evidence, Freshness, LightError, ProofFile, ProofFileError, StateAnswer, TrustAnchor, state_key,
};
use serde_json::{Value, json};

use crate::frozen;
use crate::proof_file::{encoded, file, good, renewed, unpublished, updated};
use crate::proofs::answer;
use crate::tampering::{flips, outcome};
use crate::world::World;

const SEAT: Authorization = Authorization::Charter { seat: 0 };

/// Files with another member than should be.
fn wrong_members(world: &World) -> Vec<(&'static str, String)> {
    let good = good(world);
    let (absent, ghost) = unpublished(world);
    let changed = |change: &dyn Fn(&mut ProofFile)| {
        let mut file = good.clone();
        change(&mut file);
        file.to_json()
    };
    let published = encoded(&[ghost.publish(SEAT)]);
    vec![
        ("another format", changed(&|it| it.proof_format = 2)),
        ("no DID", changed(&|it| it.did = "did:real:sandbox:z".to_owned())),
        ("a long form", changed(&|it| it.did.push_str(":AA"))),
        ("another DID", changed(&|it| it.did.clone_from(&absent.did))),
        ("no base64url", changed(&|it| it.finality = "!".to_owned())),
        ("an empty certificate", changed(&|it| it.finality = String::new())),
        ("an empty state proof", changed(&|it| it.state = String::new())),
        (
            "another document",
            changed(&|it| it.document["id"] = json!("did:real:sandbox:z")),
        ),
        (
            "more in the document",
            changed(&|it| it.document["x"] = json!(1.5)),
        ),
        (
            "an inception for a published DID",
            changed(&|it| it.evidence = absent.evidence.clone()),
        ),
        (
            "operations for one that is not",
            ProofFile {
                evidence: published,
                ..absent.clone()
            }
            .to_json(),
        ),
        (
            "a malformed inception",
            ProofFile {
                evidence: Evidence::Inception("AA".to_owned()),
                ..absent
            }
            .to_json(),
        ),
    ]
}

/// Files whose operations do not lead to what is proven.
fn wrong_operations(world: &World) -> Vec<(&'static str, String)> {
    let (ledger, person, [publish, update, renew]) = renewed(world);
    let with = |operations: &[SignedOperation]| file(&ledger, &person, 1, encoded(operations)).to_json();
    let mut forged = update.clone();
    forged.signature.0[0] ^= 1;
    vec![
        (
            "operations that begin too early",
            with(&[publish, update.clone(), renew.clone()]),
        ),
        (
            "operations that do not set the document",
            with(std::slice::from_ref(&renew)),
        ),
        (
            "operations with one missing at the end",
            with(std::slice::from_ref(&update)),
        ),
        (
            "operations twice",
            with(&[update.clone(), update.clone(), renew.clone()]),
        ),
        ("no operations", with(&[])),
        ("a forged operation", with(&[forged, renew.clone()])),
        (
            "an operation of another DID",
            with(&[world.person("stranger").update(Hash([1; 32]), 1)]),
        ),
    ]
}

/// Texts that say the same otherwise, or are no proof files.
fn wrong_texts(world: &World) -> Vec<(&'static str, String)> {
    let text = good(world).to_json();
    vec![
        ("no newline at the end", text.trim_end().to_owned()),
        ("other white space", text.replace("  ", "\t")),
        ("an escaped character", text.replace("did:real", "did\\u003areal")),
        (
            "a member twice in the document",
            text.replace("\"@context\"", "\"id\": \"x\", \"@context\""),
        ),
        (
            "a member twice",
            text.replace("\"did\"", "\"did\": \"x\", \"did\""),
        ),
        ("a member more", text.replace("\"did\"", "\"x\": 1, \"did\"")),
        ("a member less", text.replace("\"proof_format\"", "\"format\"")),
        (
            "a fraction",
            text.replace("\"proof_format\": 1", "\"proof_format\": 1.0"),
        ),
        (
            "two kinds of evidence",
            text.replace("\"operations\"", "\"inception\": \"\", \"operations\""),
        ),
        ("text at the end", format!("{text}x")),
        ("a list", "[]".to_owned()),
        ("nothing", String::new()),
    ]
}

// test: DID-01, DID-03, DID-06, FIN-04, FIN-05, HDR-02, LED-20, LED-21, LED-22, LED-23, LED-25
// test: LED-26, LED-27, LED-29, LED-30, LED-31, LED-32, OP-05, STP-02
#[test]
fn refused_proof_files_are_frozen() {
    let world = World::new();
    let anchor = TrustAnchor::of(&world.charter);
    let judge = |bytes: &[u8]| outcome(ProofFile::verify_with(bytes, &anchor), ProofFileError::code);
    let (ledger, person, [_, update, renew]) = renewed(&world);
    let goods = [
        ("updated", good(&world), true),
        (
            "renewed",
            file(&ledger, &person, 1, encoded(&[update, renew])),
            false,
        ),
        ("not on the ledger", unpublished(&world).0, true),
    ];
    let files: Vec<_> = goods
        .iter()
        .map(|(name, file, flipped)| {
            let text = file.to_json();
            let verdict = ProofFile::verify_with(text.as_bytes(), &anchor).unwrap();
            let flips = flipped.then(|| flips(text.as_bytes(), judge));
            json!({ "name": name, "file": text, "verdict": verdict, "flips": flips })
        })
        .collect();
    let wrong: Vec<_> = [
        wrong_members(&world),
        wrong_operations(&world),
        wrong_texts(&world),
    ]
    .concat()
    .into_iter()
    .map(|(name, text)| json!({ "name": name, "outcome": judge(text.as_bytes()), "file": text }))
    .collect();
    let other = World::of(|charter| charter.genesis_time += 1);
    let file = json!({
        "description": "Proof files: good ones with the verdict, two of them with what becomes of them when the lowest bit of one \
                        byte is changed, for each byte in turn, as runs of outcome and count; wrong ones with their \
                        outcomes, under the same charter and network key.",
        "source": "crates/ledger/tests/it/refused_files.rs; codes of realdid_ledger::ProofFileError",
        "charter_hash": world.hash,
        "network_key": world.charter.network_key,
        "other_charter_hash": other.hash,
        "files": files,
        "wrong": wrong,
        "answers": answers(&world),
    });
    frozen::compare("proof_files.json", &file);
}

/// What is asked otherwise, or answered.
type Change = fn(&mut StateAnswer, &mut Freshness, &mut Vec<[u8; 32]>);

/// A node's answer about single keys, and what becomes of it by other clocks, memories and keys.
fn answers(world: &World) -> Value {
    let (ledger, person, _) = updated(world);
    let ghost = world.person("ghost").did();
    let keys = [
        state_key::did(&person.did()),
        state_key::did(&ghost),
        state_key::accreditation(&world.authority.did()),
        state_key::epoch_key(&world.epoch_key(0, 0).id(&world.hash)),
    ];
    let good = answer(&ledger, &keys, 50);
    let fresh = Freshness {
        now: ledger.now + 5,
        max_age: 60,
        lowest_height: 50,
    };
    let judge = |change: Change| {
        let (mut answer, mut freshness, mut asked) = (good.clone(), fresh, keys.to_vec());
        change(&mut answer, &mut freshness, &mut asked);
        let verified = answer.verify(&TrustAnchor::of(&world.charter), &asked, &freshness);
        json!({
            "answer": answer,
            "keys": asked.iter().map(hex::encode).collect::<Vec<_>>(),
            "now": freshness.now,
            "max_age": freshness.max_age,
            "lowest_height": freshness.lowest_height,
            "outcome": outcome(verified, LightError::code),
        })
    };
    json!([
        judge(|_, _, _| ()),
        judge(|_, it, _| it.now -= 35),
        judge(|_, it, _| it.now -= 36),
        judge(|_, it, _| it.now += 55),
        judge(|_, it, _| it.now += 56),
        judge(|_, it, _| it.lowest_height = 51),
        judge(|_, _, keys| keys.truncate(1)),
        judge(|_, _, keys| keys.swap(0, 1)),
        judge(|it, _, _| it.proofs.truncate(1)),
        judge(|it, _, _| it.proofs[0].push('!')),
        judge(|it, _, _| it.proofs[0].truncate(4)),
        judge(|it, _, _| it.finality = "A".to_owned()),
        judge(|it, _, _| it.finality = "AA".to_owned()),
        judge(|it, _, _| {
            let mut bytes = base64url_decode(&it.finality).unwrap();
            bytes[300] ^= 1;
            it.finality = base64url_encode(bytes);
        }),
    ])
}
