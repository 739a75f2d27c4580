//! One login against its cryptography alone.
//!
//! A login, without the network: the node's two answers about the state and the wallet's
//! presentation are parsed, certificates and state proofs verified, and the login judged. Against
//! that, the same cryptography alone: one Ed25519 signature (the holder's), one RSA-PSS signature
//! (the token's) and the BLS12-381 certificates of two headers.
//!
//! Only the ratios of one run mean something: `cargo bench`.

#![allow(clippy::print_stdout, reason = "a bench reports on standard output")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

#[allow(dead_code, reason = "shared with a bench that uses the rest")]
#[path = "ledger/mod.rs"]
mod network;

use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use realdid_crypto::{Hash, PublicKey, Signature, base64url_encode};
use realdid_did::{DocumentData, Level, TOKEN_LENGTH};
use realdid_engine::{Proven, ProvenPrefix};
use realdid_ledger::{
    FinalityProof, Freshness, PrefixAnswer, StateAnswer, StateKey, TrustAnchor, encode_did_operation,
    state_key,
};
use realdid_openid::realdid_jwt::LoginClaims;
use realdid_openid::{ClientId, realdid_jwt};
use realdid_presentation::{Evidence, Expectation, ShownLogin, judge_login};
use realdid_token::{EpochKey, Token};

use network::Ledger;
use network::people::Holder;

/// The website.
const SITE: &str = "did:real:bench:zSite";
/// Other DIDs on the ledger.
const DIDS: usize = 500;
/// Length of the prefix that is asked for instead of the DID, in bits: about 16 of those DIDs.
const PREFIX_BITS: u8 = 5;
/// Logins of one measurement.
const LOGINS: usize = 200;
/// Measurements; the median counts.
const MEASUREMENTS: usize = 5;

/// Everything that comes in with one login, and what it is judged by.
struct Login {
    anchor: TrustAnchor,
    expectation: Expectation,
    now: u64,
    presentation: String,
    prefix: StateKey,
    did_answer: Vec<u8>,
    keys: [StateKey; 2],
    key_answer: Vec<u8>,
    document: Option<DocumentData>,
    alone: Alone,
}

/// The login's cryptography by itself.
struct Alone {
    key: PublicKey,
    message: String,
    signature: Signature,
    token: Token,
    epoch_key: EpochKey,
    did: Hash,
    certificates: [FinalityProof; 2],
}

#[tokio::main]
async fn main() {
    let ledger = Ledger::start().await;
    let mut rng = StdRng::seed_from_u64(1);
    let mut holders: Vec<_> = (0..DIDS).map(|_| Holder::new(ledger.hash, &mut rng)).collect();
    let publish = |holder: &mut Holder| encode_did_operation(&holder.publish(&ledger.authority, &mut rng));
    let operations: Vec<_> = holders.iter_mut().map(publish).collect();
    ledger.full_path(&operations).await;
    let rotated = &mut holders[0];
    let rotation = rotated.update();
    ledger.full_path(&[encode_did_operation(&rotation)]).await;

    let document = rotation.operation.document();
    compare(
        "DID on the ledger",
        &Login::new(&ledger, rotated, document, &mut rng).await,
    );
    let unpublished = Holder::new(ledger.hash, &mut rng);
    compare(
        "long form",
        &Login::new(&ledger, &unpublished, None, &mut rng).await,
    );
    ledger.stop().await;
}

/// Measures a login both ways and prints the ratio.
fn compare(what: &str, login: &Login) {
    let whole = measure(|| login.whole());
    let alone = measure(|| login.alone.check(&login.anchor));
    println!("login ({what}): {whole:.2?} in all, {alone:.2?} of cryptography, on one core");
    let ratio = whole.as_secs_f64() / alone.as_secs_f64();
    println!("ratio login / its cryptography alone, {what}: {ratio:.2}");
}

/// The median time of one call.
fn measure(call: impl Fn()) -> Duration {
    let mut times: Vec<_> = (0..MEASUREMENTS)
        .map(|_| {
            let begun = Instant::now();
            (0..LOGINS).for_each(|_| call());
            begun.elapsed() / LOGINS as u32
        })
        .collect();
    times.sort_unstable();
    times[MEASUREMENTS / 2]
}

/// What the wallet shows: the claims, and signed as a JWS.
fn present(
    ledger: &Ledger,
    holder: &Holder,
    published: bool,
    token: &[u8; TOKEN_LENGTH],
    now: u64,
) -> (LoginClaims, String) {
    let did = holder.did(&ledger.charter);
    let claims = LoginClaims {
        iss: did.to_string(),
        did: if published {
            did.to_string()
        } else {
            did.long_form(holder.inception())
        },
        aud: ClientId::of_did(SITE).to_string(),
        nonce: "a nonce of enough length".to_owned(),
        iat: now,
        exp: now + 300,
        charter: base64url_encode(ledger.hash.0),
        token: base64url_encode(token),
        credentials: Vec::new(),
    };
    let key = holder.key();
    let presentation = realdid_jwt::sign(&claims, &did.key_url(&key.public_key()), &key);
    (claims, presentation.expect("a presentation"))
}

impl Login {
    async fn new(ledger: &Ledger, holder: &Holder, document: Option<DocumentData>, rng: &mut StdRng) -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        let did = holder.did(&ledger.charter);
        let token = ledger.authority.token(&did.hash, rng);
        let epoch_key = ledger.authority.epoch_key();
        let key_id = epoch_key.id(&ledger.hash);
        let keys = [
            state_key::epoch_key(&key_id),
            state_key::accreditation(&epoch_key.authority),
        ];
        let mut prefix = [0; 32];
        prefix[0] = did.hash.0[0] & (u8::MAX << (8 - PREFIX_BITS));
        let did_state = ledger
            .engine
            .prove_prefix(prefix, PREFIX_BITS, 64)
            .await
            .expect("a proof");
        let key_state = ledger.engine.prove(keys.to_vec()).await.expect("proofs");

        let (claims, presentation) = present(ledger, holder, document.is_some(), &token, now);
        let (message, _) = presentation.rsplit_once('.').expect("a JWS");
        let alone = Alone {
            key: holder.key().public_key(),
            message: message.to_owned(),
            signature: holder.key().sign_raw(message.as_bytes()),
            token: Token::from_bytes(token.as_slice()).expect("a token"),
            epoch_key: epoch_key.clone(),
            did: did.hash,
            certificates: [did_state.finality.clone(), key_state.finality.clone()],
        };
        Self {
            anchor: TrustAnchor::of(&ledger.charter),
            expectation: Expectation {
                network: ledger.charter.network.clone(),
                charter_hash: ledger.hash,
                client_id: ClientId::of_did(SITE),
                nonce: claims.nonce,
                credentials: vec![],
                minimum_level: Level::Substantial,
                max_age: 300,
            },
            now,
            presentation,
            prefix,
            did_answer: prefix_answer(&did_state),
            keys,
            key_answer: state_answer(&key_state),
            document,
            alone,
        }
    }

    /// All that a sign-in server does for a login, but for fetching.
    fn whole(&self) {
        let freshness = Freshness {
            now: self.now,
            max_age: 300,
            lowest_height: 1,
        };
        let shown = ShownLogin::read(&self.presentation, &self.expectation, self.now).expect("readable");
        let answer: PrefixAnswer = serde_json::from_slice(&self.did_answer).expect("an answer");
        let did_state = answer
            .verify(&self.anchor, &self.prefix, PREFIX_BITS, &freshness)
            .expect("proven");
        let answer: StateAnswer = serde_json::from_slice(&self.key_answer).expect("an answer");
        let key_state = answer
            .verify(&self.anchor, &self.keys, &freshness)
            .expect("proven");
        let document = self.document.clone();
        let evidence = Evidence {
            did_state: &did_state,
            key_state: &key_state,
            document,
        };
        let verdict = judge_login(&self.expectation, &shown, evidence, self.now);
        black_box(verdict).expect("a valid login");
    }
}

impl Alone {
    fn check(&self, anchor: &TrustAnchor) {
        black_box(self.key.verify_raw(self.message.as_bytes(), &self.signature)).expect("a good signature");
        let token = self
            .token
            .verify(&self.epoch_key, &anchor.charter_hash, &self.did);
        black_box(token).expect("a good token");
        for certificate in &self.certificates {
            let header = certificate.verify(anchor.charter_hash.as_bytes(), &anchor.network_key);
            black_box(header).expect("a final header");
        }
    }
}

fn prefix_answer(proven: &ProvenPrefix) -> Vec<u8> {
    let answer = PrefixAnswer {
        finality: base64url_encode(proven.finality.encode()),
        proof: base64url_encode(proven.proof.encode()),
    };
    serde_json::to_vec(&answer).expect("JSON")
}

fn state_answer(proven: &Proven) -> Vec<u8> {
    let answer = StateAnswer {
        finality: base64url_encode(proven.finality.encode()),
        proofs: proven
            .proofs
            .iter()
            .map(|proof| base64url_encode(proof.encode()))
            .collect(),
    };
    serde_json::to_vec(&answer).expect("JSON")
}
