//! Giving a credential its place: a list and an index, both drawn at random.
//!
//! An issuer keeps a few lists open at a time. Which of them a credential lands in and where says
//! nothing about when it was issued; places that are not taken look like valid credentials.

use realdid_checks::passes;

/// How often a place is drawn before the lists count as too full. Below three quarters full, a place
/// is missed with a probability under one in a hundred million.
const TRIES: u32 = 64;

/// A place for one credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place<L> {
    /// The list.
    pub list: L,
    /// The index in it.
    pub index: u32,
}

/// Draws a place that nobody has among the open lists, each of `entries` entries. `taken` asks the
/// issuer's records, which must refuse a place that somebody else took in the meantime.
///
/// `None` if there is no open list, or if they are nearly full: open another one.
pub fn draw<L: Copy>(
    open: &[L],
    entries: u32,
    rng: &mut impl rand_core::CryptoRng,
    mut taken: impl FnMut(Place<L>) -> bool,
) -> Option<Place<L>> {
    for _ in 0..TRIES {
        let list = *open.get(below(open.len() as u64, rng)? as usize)?;
        let index = u32::try_from(below(u64::from(entries), rng)?).ok()?;
        let place = Place { list, index };
        if passes("STL-12", !taken(place)) {
            return Some(place);
        }
    }
    None
}

/// A number below `bound`; the bias of the remainder is less than one in 2^32. `None` for a bound of 0.
fn below(bound: u64, rng: &mut impl rand_core::CryptoRng) -> Option<u64> {
    let mut bytes = [0; 8];
    rng.fill_bytes(&mut bytes);
    u64::from_le_bytes(bytes).checked_rem(bound)
}
