//! Proof files of a running node: the good ones verify, and nothing else does.
//!
//! Every single bit flipped, every mixture of two valid files, every part of the proofs inside
//! exchanged, another network's file, and the same content written differently.

use std::collections::BTreeMap;
use std::process::Output;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use realdid_crypto::base64url_decode;
use realdid_did::{Did, Status};
use realdid_ledger::{
    ProofFile, ProofFileError, StateProof, TrustAnchor, Verdict, encode_did_operation,
    state_tree::common_bits,
};
use serde_json::json;

use crate::exchanged;
use crate::people::Holder;
use crate::support::{Answer, Network, Process, http, realdid, submit};

/// What a verdict is looked up by.
type Outcome = Result<Verdict, ProofFileError>;

/// Valid proof files of one network.
struct Files {
    network: Network,
    _node: Process,
    /// Two operations on the ledger.
    published: Vec<u8>,
    /// The same DID after one operation more.
    later: Vec<u8>,
    /// Another DID, at the height of `later` or above.
    other: Vec<u8>,
    /// A DID that has ended.
    ended: Vec<u8>,
    /// A DID that is not on the ledger.
    absent: Vec<u8>,
    /// Another one.
    other_absent: Vec<u8>,
}

impl Files {
    #[tokio::main(flavor = "current_thread")]
    async fn new() -> Self {
        let network = Network::init();
        let node = network.start_node();
        let http = http();
        network.publish_authority(&http).await;
        let mut rng = StdRng::seed_from_u64(2);
        let charter = network.charter.hash();
        let [mut first, mut second, mut third] = std::array::from_fn(|_| Holder::new(charter, &mut rng));

        let node_of = Asked {
            network: &network,
            http: &http,
        };
        node_of
            .bring_in(&first.publish(&network.authority, &mut rng))
            .await;
        node_of.bring_in(&first.update()).await;
        let published = node_of.proof(&first).await;
        node_of.bring_in(&first.update()).await;
        let later = node_of.proof(&first).await;
        node_of
            .bring_in(&second.publish(&network.authority, &mut rng))
            .await;
        let other = node_of.proof(&second).await;
        node_of
            .bring_in(&third.publish(&network.authority, &mut rng))
            .await;
        node_of.bring_in(&third.deactivate()).await;
        let ended = node_of.proof(&third).await;
        let mut known = vec![&published, &later, &other, &ended];
        let absent = node_of.absent(&known, &mut rng).await;
        node_of.bring_in(&second.update()).await;
        known.push(&absent);
        let other_absent = node_of.absent(&known, &mut rng).await;
        Self {
            _node: node,
            published,
            later,
            other,
            ended,
            absent,
            other_absent,
            network,
        }
    }

    fn all(&self) -> [&[u8]; 6] {
        [
            &self.published,
            &self.later,
            &self.other,
            &self.ended,
            &self.absent,
            &self.other_absent,
        ]
    }
}

/// The node of a network.
struct Asked<'a> {
    network: &'a Network,
    http: &'a reqwest::Client,
}

impl Asked<'_> {
    async fn bring_in(&self, operation: &realdid_did::SignedOperation) {
        let answer = submit(self.http, &self.network.url(), &encode_did_operation(operation)).await;
        assert!(matches!(answer, Answer::Finalized { .. }), "{answer:?}");
    }

    /// The proof that some DID is not on the ledger. A proof of absence is about a part of the tree, so
    /// the DID is one that none of the known files says anything about, nor its file about theirs:
    /// else a mixture of the two would be true and well proven.
    async fn absent(&self, known: &[&Vec<u8>], rng: &mut StdRng) -> Vec<u8> {
        loop {
            let holder = Holder::new(self.network.charter.hash(), rng);
            let file = self.proof(&holder).await;
            let about = |file: &[u8], other: &[u8]| {
                let of = |file: &[u8]| parse(file).did.parse::<Did>().expect("a DID").hash.0;
                common_bits(&of(file), &of(other)) >= state_of(file).siblings.len()
            };
            if known
                .iter()
                .all(|known| !about(known, &file) && !about(&file, known))
            {
                return file;
            }
        }
    }

    async fn proof(&self, holder: &Holder) -> Vec<u8> {
        let did = holder.did(&self.network.charter).long_form(holder.inception());
        let url = format!("{}/v1/dids/proof", self.network.url());
        let response = self
            .http
            .post(url)
            .json(&json!({ "did": did }))
            .send()
            .await
            .expect("an answer");
        assert_eq!(response.status().as_u16(), 200);
        response.bytes().await.expect("a proof file").to_vec()
    }
}

#[test]
fn nothing_but_the_file_itself_verifies() {
    let files = Files::new();
    let anchor = files.network.anchor();
    good_files_verify(&files, &anchor);
    every_bit_counts("published", &files.published, &anchor, false);
    every_bit_counts("not published", &files.absent, &anchor, true);
    no_mixture_verifies(&files, &anchor);
    no_exchanged_part_verifies(&files, &anchor);
    the_text_is_canonical(&files.published, &anchor);
    other_networks_are_refused(&files, &anchor);
    the_command_says_the_same(&files);
}

fn good_files_verify(files: &Files, anchor: &TrustAnchor) {
    let verdicts = files
        .all()
        .map(|file| ProofFile::verify_with(file, anchor).expect("a valid file"));
    let versions = verdicts.each_ref().map(|verdict| verdict.version);
    assert_eq!(versions, [2, 3, 1, 2, 0, 0]);
    let statuses = verdicts.each_ref().map(|verdict| verdict.status);
    let active = Status::Active;
    assert_eq!(
        statuses,
        [active, active, active, Status::Deactivated, active, active]
    );
    assert!(
        verdicts
            .iter()
            .all(|verdict| verdict.published == (verdict.version > 0))
    );
    // The key alone suffices: the certificate says which charter it was made under.
    let by_key = files
        .all()
        .map(|file| ProofFile::verify(file, &anchor.network_key, None).expect("valid"));
    assert_eq!(by_key, verdicts);
}

/// Flips each bit of the file, one at a time, with the charter pinned or only the network key.
fn every_bit_counts(name: &str, file: &[u8], anchor: &TrustAnchor, with_charter: bool) {
    let begun = Instant::now();
    let charter = with_charter.then_some(&anchor.charter_hash);
    let found = Mutex::new((Vec::new(), BTreeMap::<_, usize>::new()));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for part in 0..threads {
            let found = &found;
            scope.spawn(move || {
                let mut file = file.to_vec();
                for bit in (part..file.len() * 8).step_by(threads) {
                    file[bit / 8] ^= 1 << (bit % 8);
                    let outcome = ProofFile::verify(&file, &anchor.network_key, charter);
                    file[bit / 8] ^= 1 << (bit % 8);
                    let mut found = found.lock().expect("no verification panicked");
                    match outcome {
                        Ok(_) => found.0.push(bit),
                        Err(error) => *found.1.entry(error.code()).or_default() += 1,
                    }
                }
            });
        }
    });
    let (accepted, reasons) = found.into_inner().expect("no verification panicked");
    assert!(
        accepted.is_empty(),
        "{name}: flipped and still accepted: bits {accepted:?}"
    );
    assert_eq!(reasons.values().sum::<usize>(), file.len() * 8);
    eprintln!(
        "proof file ({name}): {} bits flipped in {:.0} s, all refused: {reasons:?}",
        file.len() * 8,
        begun.elapsed().as_secs_f64()
    );
}

/// Every mixture of the fields of two valid files.
fn no_mixture_verifies(files: &Files, anchor: &TrustAnchor) {
    let parsed = files.all().map(parse);
    let mut reasons = BTreeMap::new();
    for first in &parsed {
        for second in &parsed {
            for choice in 1_u8..31 {
                let field = |bit: u8| if choice >> bit & 1 == 0 { first } else { second };
                let mixed = ProofFile {
                    proof_format: first.proof_format,
                    did: field(0).did.clone(),
                    document: field(1).document.clone(),
                    evidence: field(2).evidence.clone(),
                    finality: field(3).finality.clone(),
                    state: field(4).state.clone(),
                };
                // Files about the same DID, or of the same height, have parts in common.
                if !parsed.contains(&mixed) {
                    refused(&mixed, anchor, &mut reasons);
                }
            }
        }
    }
    assert!(reasons.len() >= 4, "each kind of part is told apart: {reasons:?}");
    eprintln!("proof files mixed, all refused: {reasons:?}");
}

/// Every part inside the fields, exchanged with that of another valid file.
fn no_exchanged_part_verifies(files: &Files, anchor: &TrustAnchor) {
    let parsed = files.all().map(parse);
    let mut reasons = BTreeMap::new();
    for first in &parsed {
        for second in &parsed {
            let parts = [
                exchanged::finalities(first, second),
                exchanged::states(first, second),
                exchanged::documents(first, second),
            ];
            for mixed in parts
                .into_iter()
                .flatten()
                .chain(exchanged::operations(first, second))
            {
                if !parsed.contains(&mixed) {
                    refused(&mixed, anchor, &mut reasons);
                }
            }
        }
    }
    eprintln!("parts of proof files exchanged, all refused: {reasons:?}");
}

/// A file's text written differently, each with the code of its refusal.
type Variants = Vec<(&'static str, String, &'static str)>;

/// The same content in another form.
fn rewritten(text: &str) -> Variants {
    let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let variants = [
        ("compact", value.to_string()),
        ("no newline at the end", text.trim_end().to_owned()),
        ("one more newline", format!("{text}\n")),
        ("carriage returns", text.replace('\n', "\r\n")),
        ("tabs", text.replace("  ", "\t")),
        ("a space before a colon", text.replacen(':', " :", 1)),
        ("a blank before it", format!(" {text}")),
        ("an escaped letter", text.replacen("\"did:", "\"\\u0064id:", 1)),
    ];
    let variants = variants.map(|(name, variant)| (name, variant, "proof_not_canonical"));
    variants.to_vec()
}

/// What is no proof file, or not of this format.
fn malformed(text: &str) -> Variants {
    let replaced = |from: &str, to: &str| text.replacen(from, to, 1);
    let format = |number: u32| replaced("\"proof_format\": 1", &format!("\"proof_format\": {number}"));
    let too_much = text.to_owned() + &" ".repeat(realdid_ledger::MAX_PROOF_FILE);
    let not_json = "proof_not_json";
    vec![
        ("a byte order mark", format!("\u{feff}{text}"), not_json),
        ("a field twice", replaced("\"state\":", "\"did\":"), not_json),
        ("a field more", replaced("{", "{\n  \"more\": 1,"), not_json),
        ("a field less", replaced("\"proof_format\": 1,", ""), not_json),
        ("something behind it", format!("{text}{{}}"), not_json),
        ("nothing", String::new(), not_json),
        (
            "padding",
            replaced("\",\n  \"state\"", "=\",\n  \"state\""),
            "proof_field_malformed",
        ),
        ("the next format", format(2), "proof_format_unknown"),
        ("a format far away", format(u32::MAX), "proof_format_unknown"),
        ("too much", too_much, "proof_too_large"),
    ]
}

/// The same content in any other form, or in a format that is not known.
fn the_text_is_canonical(file: &[u8], anchor: &TrustAnchor) {
    let text = std::str::from_utf8(file).expect("text");
    for (name, variant, code) in rewritten(text).into_iter().chain(malformed(text)) {
        assert_ne!(variant, text, "{name}");
        assert_eq!(
            code_of(ProofFile::verify_with(variant.as_bytes(), anchor)),
            code,
            "{name}"
        );
    }
    for end in 0..file.len() {
        assert!(
            ProofFile::verify_with(&file[..end], anchor).is_err(),
            "cut after {end} bytes"
        );
    }
}

/// A valid file of one network is worth nothing in another.
fn other_networks_are_refused(files: &Files, anchor: &TrustAnchor) {
    let elsewhere = Files::new();
    let other = elsewhere.network.anchor();
    for file in elsewhere.all() {
        assert!(ProofFile::verify_with(file, &other).is_ok());
        assert_eq!(
            code_of(ProofFile::verify_with(file, anchor)),
            "proof_certificate_invalid"
        );
        let by_key = ProofFile::verify(file, &anchor.network_key, None);
        assert_eq!(code_of(by_key), "proof_certificate_invalid");
        // The charter pinned, but with the key of the other network, and the other way round.
        let mixed = ProofFile::verify(file, &other.network_key, Some(&anchor.charter_hash));
        assert_eq!(code_of(mixed), "proof_certificate_invalid");
    }
    let path = files.network.path("elsewhere.json");
    std::fs::write(&path, &elsewhere.published).expect("a file");
    let charter = files.network.charter_file();
    let output = realdid([
        "verify".as_ref(),
        path.as_os_str(),
        "--charter".as_ref(),
        charter.as_os_str(),
    ]);
    assert_exit(&output, 1, "proof_certificate_invalid");
}

/// `realdid verify` with its exit codes.
fn the_command_says_the_same(files: &Files) {
    let path = files.network.path("proof.json");
    let charter = files.network.charter_file();
    let key = files.network.charter.network_key.clone();
    let verify = |pin: &[&std::ffi::OsStr]| {
        let arguments = [&["verify".as_ref(), path.as_os_str(), "--json".as_ref()], pin].concat();
        realdid(arguments)
    };
    let by_charter: [&std::ffi::OsStr; 2] = ["--charter".as_ref(), charter.as_os_str()];
    let by_key: [&std::ffi::OsStr; 2] = ["--network-key".as_ref(), key.as_ref()];
    for file in files.all() {
        std::fs::write(&path, file).expect("a file");
        for pin in [&by_charter, &by_key] {
            let output = verify(pin);
            assert_exit(&output, 0, "");
            let did = parse(file).did;
            assert!(
                String::from_utf8_lossy(&output.stdout).contains(&did),
                "the verdict names the DID"
            );
        }
        let middle = file.len() / 2;
        let mut flipped = file.to_vec();
        flipped[middle] ^= 1;
        std::fs::write(&path, &flipped).expect("a file");
        let code = code_of(ProofFile::verify_with(&flipped, &files.network.anchor()));
        assert_exit(&verify(&by_charter), 1, code);
        assert_exit(&verify(&by_key), 1, "proof_");
    }
    // Never with a key out of the file: without a pin there is no verdict.
    assert_ne!(verify(&[]).status.code(), Some(0));
    let short: [&std::ffi::OsStr; 2] = ["--network-key".as_ref(), "00".as_ref()];
    assert_eq!(verify(&short).status.code(), Some(2));
    std::fs::remove_file(&path).expect("the file was there");
    assert_ne!(verify(&by_charter).status.code(), Some(0));
}

fn assert_exit(output: &Output, exit: i32, says: &str) {
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert_eq!(output.status.code(), Some(exit), "{said}");
    assert!(said.contains(says), "`{says}` is not in: {said}");
}

fn parse(file: &[u8]) -> ProofFile {
    serde_json::from_slice(file).expect("a proof file")
}

fn state_of(file: &[u8]) -> StateProof {
    let bytes = base64url_decode(&parse(file).state).expect("base64url");
    StateProof::decode(&bytes).expect("a state proof")
}

fn code_of(outcome: Outcome) -> &'static str {
    outcome.map_or_else(|error| error.code(), |_| "accepted")
}

/// Checks that a file, in its canonical form, is refused for what it says, and counts the reason.
fn refused(file: &ProofFile, anchor: &TrustAnchor, reasons: &mut BTreeMap<&'static str, usize>) {
    let code = code_of(ProofFile::verify(
        file.to_json().as_bytes(),
        &anchor.network_key,
        None,
    ));
    assert!(
        code != "accepted" && code != "proof_not_canonical",
        "{code}: {}",
        file.to_json()
    );
    *reasons.entry(code).or_default() += 1;
}
