//! What a status list of a million entries costs: its size as fetched, reading it, and one look-up.
//!
//! `cargo bench -p realdid-credential --bench status`

#![allow(clippy::print_stdout, reason = "what a bench prints is its product")]
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]
#![allow(clippy::unwrap_used, reason = "a bench ends where something is missing")]

use std::hint::black_box;
use std::time::Instant;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use realdid_credential::status::token::{Publication, StatusListToken, issue};
use realdid_credential::status::{Bits, ENTRIES, Reference, Status, StatusList};
use realdid_crypto::{KeyType, SecretKey};
use serde_json::Map;

const NOW: u64 = 1_800_000_000;
const URI: &str = "https://issuer.example/status/1";
const LOOK_UPS: u32 = 4_000_000;
const PEOPLE: f64 = 1e9;

fn main() {
    println!(
        "lists of {ENTRIES} entries; a billion entries are {:.0} lists",
        lists()
    );
    println!("bits  revoked   token KiB   bits/entry   all lists GB   make ms   verify ms   look-up ns");
    for bits in [Bits::One, Bits::Two] {
        for revoked in [0.0, 0.0001, 0.001, 0.01, 0.02, 0.1] {
            measure(bits, revoked);
        }
    }
}

fn lists() -> f64 {
    (PEOPLE / f64::from(ENTRIES)).ceil()
}

fn measure(bits: Bits, revoked: f64) {
    let mut rng = StdRng::seed_from_u64(1);
    let statuses = (0..ENTRIES)
        .filter(|_| rng.random_bool(revoked))
        .map(|index| (index, Status::Invalid));
    let list = StatusList::build(bits, ENTRIES, statuses).unwrap();
    let key = SecretKey::from_seed(KeyType::P256, &[1; 32]);
    let publication = Publication {
        uri: URI,
        issued_at: NOW,
        expires_at: NOW + 86_400,
        time_to_live: 3_600,
        aggregation_uri: None,
    };

    let begun = Instant::now();
    let token = issue(&key, Map::new(), &list, &publication).unwrap();
    let making = begun.elapsed();

    let begun = Instant::now();
    let published = StatusListToken::parse(&token)
        .unwrap()
        .verify(&key.public_key(), URI, NOW)
        .unwrap();
    let verifying = begun.elapsed();

    let mut reference = Reference {
        uri: URI.to_owned(),
        index: 0,
    };
    let mut invalid = 0_u32;
    let begun = Instant::now();
    for turn in 0..LOOK_UPS {
        // An odd step visits every entry, none beside the one before.
        reference.index = u64::from(turn.wrapping_mul(654_435_761) % ENTRIES);
        let status = published.status(black_box(&reference), NOW, 3_600).unwrap();
        invalid += u32::from(status == Status::Invalid);
    }
    let looking_up = begun.elapsed();
    black_box(invalid);

    println!(
        "{:>4} {:>7} % {:>11.1} {:>12.3} {:>14.2} {:>9.1} {:>11.1} {:>12.1}",
        bits as u8,
        revoked * 100.0,
        token.len() as f64 / 1024.0,
        token.len() as f64 * 8.0 / f64::from(ENTRIES),
        token.len() as f64 * lists() / 1e9,
        making.as_secs_f64() * 1e3,
        verifying.as_secs_f64() * 1e3,
        looking_up.as_secs_f64() * 1e9 / f64::from(LOOK_UPS),
    );
}
