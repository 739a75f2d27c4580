//! Reading a presentation, from the text to the claims and the holder's key, against its two bare
//! signature checks, in one run. Only the ratios mean something on another machine.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "a bench reports on standard output")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use realdid_credential::path::ClaimPath;
use realdid_credential::sd_jwt::{BindingClaims, Expected, Frame};
use realdid_credential::vc::{IssuerHeader, NewVc, Times, UnverifiedVc, issue};
use realdid_crypto::{KeyType, PublicKey, SecretKey, Signature};
use realdid_jose::jws::Unverified;
use serde_json::{Map, Value};

const NOW: u64 = 1_800_000_000;
const PRESENTATIONS: usize = 64;
const ROUNDS: usize = 16;
/// What is asked for: as a rental site does, and everything.
const SHOWN: [usize; 2] = [2, 20];

struct Case {
    issuer: PublicKey,
    holder: PublicKey,
    text: String,
    /// Signed messages and signatures, taken out beforehand.
    issued: (Vec<u8>, Signature),
    bound: (Vec<u8>, Signature),
}

/// A credential of 20 disclosable claims with decoys, of which the first few are shown.
fn case(kind: KeyType, shown: usize, number: usize) -> Case {
    let mut rng = StdRng::seed_from_u64(number as u64);
    let issuer = SecretKey::generate(kind, &mut rng);
    let holder = SecretKey::generate(kind, &mut rng);
    let names: Vec<String> = (0..20).map(|n| format!("claim_{n}")).collect();
    let paths: Vec<ClaimPath> = names
        .iter()
        .map(|name| ClaimPath::names([name.as_str()]))
        .collect();
    let new = NewVc {
        vct: "urn:example:licence:1".to_owned(),
        issued_at: Some(NOW),
        expires_at: Some(NOW + 1000),
        holder: Some(holder.public_key()),
        claims: names
            .iter()
            .map(|name| (name.clone(), Value::from("a value")))
            .collect(),
        frame: Frame {
            disclosable: paths.clone(),
            decoys: 4,
            ..Frame::default()
        },
        ..NewVc::default()
    };
    let issued = issue(&issuer, &IssuerHeader::default(), &new, &mut rng).unwrap();
    let disclosed = UnverifiedVc::parse(&issued)
        .unwrap()
        .sd_jwt()
        .disclosed()
        .unwrap();
    let binding = BindingClaims {
        audience: "verifier".to_owned(),
        nonce: "nonce".to_owned(),
        issued_at: NOW,
        more: Map::new(),
    };
    let text = disclosed
        .select(&paths[..shown])
        .unwrap()
        .bind(&holder, &binding)
        .unwrap();
    let part = |text: &str| {
        let jws = Unverified::parse(text).unwrap();
        let signature = Signature(jws.signature().try_into().unwrap());
        (jws.signing_input().to_vec(), signature)
    };
    let parts: Vec<&str> = text.split('~').collect();
    Case {
        issuer: issuer.public_key(),
        holder: holder.public_key(),
        issued: part(parts[0]),
        bound: part(parts.last().unwrap()),
        text,
    }
}

fn bare(case: &Case) {
    let (message, signature) = &case.issued;
    case.issuer.verify_foreign(message, signature).unwrap();
    let (message, signature) = &case.bound;
    case.holder.verify_foreign(message, signature).unwrap();
}

fn whole(case: &Case) {
    let times = Times { now: NOW, leeway: 60 };
    let vc = UnverifiedVc::parse(&case.text)
        .unwrap()
        .verify(&case.issuer, &times)
        .unwrap();
    let expected = Expected {
        audience: "verifier",
        nonce: "nonce",
        now: NOW,
        max_age: 300,
    };
    black_box(vc.key_binding(&expected).unwrap());
    black_box(vc.claims());
}

fn measure(cases: &[Case], run: impl Fn(&Case)) -> Duration {
    let start = Instant::now();
    cases.iter().for_each(run);
    start.elapsed()
}

fn main() {
    println!("a presentation against its two signature checks:");
    for kind in KeyType::ALL {
        for shown in SHOWN {
            let cases: Vec<Case> = (0..PRESENTATIONS)
                .map(|number| case(kind, shown, number))
                .collect();
            let (mut signatures, mut path) = (Duration::ZERO, Duration::ZERO);
            // by turns, so that a busy machine disturbs both alike
            for _ in 0..ROUNDS {
                signatures += measure(&cases, bare);
                path += measure(&cases, whole);
            }
            let each = path / u32::try_from(PRESENTATIONS * ROUNDS).unwrap();
            println!(
                "  {:6} {shown:2} of 20 claims shown: {:.2} times, {each:.1?} each",
                kind.jose_algorithm(),
                path.as_secs_f64() / signatures.as_secs_f64()
            );
        }
    }
}
