//! Synthetic people: the same ones for the same seed, and nobody who could exist.
//!
//! Identity numbers have the form of GB 11643-1999 with a valid check digit, but a region code
//! that is not assigned; mail addresses end in `.example` (RFC 2606); telephone numbers begin with
//! a country code that is not assigned (ITU-T E.164 has no 999).

mod calendar;
mod identity_number;
mod names;

use realdid_crypto::{Hash, hash_labelled};

pub use identity_number::{REGION, check_digit, is_valid};

use crate::register::{Contact, Person};

/// First year of birth.
const FIRST_YEAR: u64 = 1940;
/// Days of birth there are: up to the end of 2006.
const DAYS: u64 = calendar::days_from(FIRST_YEAR, 2007);
/// Sequence numbers for each day of birth.
const SEQUENCES: u64 = 1000;
/// Steps from one person's day of birth to the next; has no factor in common with [`DAYS`].
const DAY_STEP: u64 = 7919;

/// Most people that one seed gives: each identity number occurs once.
pub const MAX_PEOPLE: u64 = DAYS * SEQUENCES;

/// The people of a seed, in order; at most [`MAX_PEOPLE`].
pub fn people(seed: u64) -> impl Iterator<Item = Person> {
    (0..MAX_PEOPLE).map(move |index| person(seed, index))
}

/// The person at a place among those of a seed.
#[must_use]
pub fn person(seed: u64, index: u64) -> Person {
    let mut draw = Draw::new(seed, index);
    let day = (index.wrapping_mul(DAY_STEP) + seed % DAYS) % DAYS;
    let sequence = index / DAYS % SEQUENCES;
    let (year, month, day) = calendar::date(FIRST_YEAR, day);
    let number =
        identity_number::with_check_digit(&format!("{REGION}{year:04}{month:02}{day:02}{sequence:03}"));
    let name = names::name(&mut draw);
    Person {
        person_ref: draw.reference(),
        name,
        birth_date: format!("{year:04}-{month:02}-{day:02}"),
        address: names::address(&mut draw),
        contact: Contact {
            email: format!("person-{seed}-{index}@mail.example"),
            phone: format!("+999{:09}", draw.below(1_000_000_000)),
        },
        number,
    }
}

/// Numbers drawn from a hash of seed, place and a counter.
struct Draw {
    seed: [u8; 16],
    counter: u64,
}

impl Draw {
    fn new(seed: u64, index: u64) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&seed.to_be_bytes());
        bytes[8..].copy_from_slice(&index.to_be_bytes());
        Self {
            seed: bytes,
            counter: 0,
        }
    }

    fn next(&mut self) -> Hash {
        self.counter += 1;
        hash_labelled(
            "realdid/population/v1",
            &[&self.seed, &self.counter.to_be_bytes()],
        )
    }

    /// A number below `limit`; the bias of a 64-bit remainder does not matter here.
    fn below(&mut self, limit: u64) -> u64 {
        let hash = self.next();
        let first = hash.as_bytes().first_chunk::<8>().copied().unwrap_or_default();
        u64::from_be_bytes(first) % limit
    }

    fn pick<'a>(&mut self, among: &[&'a str]) -> &'a str {
        let place = usize::try_from(self.below(among.len() as u64)).unwrap_or(0);
        among.get(place).copied().unwrap_or_default()
    }

    fn reference(&mut self) -> String {
        hex::encode(&self.next().as_bytes()[..16])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_people() {
        let first: Vec<_> = people(7).take(50).collect();
        assert!(first == people(7).take(50).collect::<Vec<_>>());
        assert!(first != people(8).take(50).collect::<Vec<_>>());
        assert!(first[31] == person(7, 31));
    }

    #[test]
    fn numbers_are_valid_and_occur_once() {
        let numbers: HashSet<_> = people(1).take(60_000).map(|person| person.number).collect();
        assert_eq!(numbers.len(), 60_000);
        assert!(
            numbers
                .iter()
                .all(|number| is_valid(number) && number.starts_with(REGION))
        );
        assert_eq!(
            gcd(DAY_STEP, DAYS),
            1,
            "else days of birth would repeat too early"
        );
    }

    #[test]
    fn nobody_could_be_real() {
        for person in people(3).take(2000) {
            assert!(person.contact.email.ends_with(".example"));
            assert!(person.contact.phone.starts_with("+999") && person.contact.phone.len() == 13);
            assert_eq!(person.number[6..14], person.birth_date.replace('-', ""));
            assert!(!person.name.is_empty() && !person.address.is_empty());
        }
    }

    const fn gcd(a: u64, b: u64) -> u64 {
        if b == 0 { a } else { gcd(b, a % b) }
    }
}
