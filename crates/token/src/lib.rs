//! Real-name tokens: an authority's blind signature over a DID.
//!
//! A token says: **some person, verified by an accredited authority at this level, spent quota on
//! this DID in this epoch**. Not who. The authority signs blindly (RFC 9474,
//! `RSABSSA-SHA384-PSS-Randomized`, 2048 bit, e = 65537, salt 48), so not even it can link a token
//! to the person; the token names its DID, so it cannot be moved to another.
//!
//! ```text
//! token   = key_id(32) ‖ msg_prefix(32) ‖ signature(256)
//! signed  = msg_prefix ‖ "realdid/token/v1" ‖ key_id ‖ identifier hash of the DID
//! key_id  = SHA-256(label ‖ charter ‖ authority ‖ purpose ‖ level ‖ epoch ‖ modulus)
//! ```
//!
//! The holder's side is [`blind`] and [`Blinding::finalize`], the verifier's [`Token::verify`].
//! The authority's private operation is not here: it must be constant-time, so OpenSSL or an HSM
//! does it; [`EpochKey::check_blinded`] says which values it may sign.

mod blinding;
mod key;
mod verification;

pub use blinding::{BLINDING_LENGTH, Blinding, BlindingError, blind};
pub use key::{BlindedError, EpochKey, KeyError, MODULUS_LENGTH, Purpose};
pub use verification::{Token, TokenError, VerifiedToken, epoch_accepted};

/// The constant that every signed message starts with, after the random prefix.
const LABEL: &[u8] = b"realdid/token/v1";

/// The message that is signed, without its random prefix.
fn message(key_id: &realdid_crypto::Hash, did: &realdid_crypto::Hash) -> Vec<u8> {
    [LABEL, key_id.as_bytes(), did.as_bytes()].concat()
}
