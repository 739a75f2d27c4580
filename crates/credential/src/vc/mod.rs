//! SD-JWT VC: a verifiable credential in the form of an SD-JWT (draft-ietf-oauth-sd-jwt-vc).
//!
//! * Issuer: [`NewVc`] and [`issue`], or [`prepare`] if the key lies elsewhere.
//! * Holder and verifier: [`UnverifiedVc::parse`] says of which type it is and who says it is the
//!   issuer; with the issuer's key, found and trusted by other means, [`UnverifiedVc::verify`] gives a
//!   [`VerifiedVc`].
//!
//! **Which key?** [`UnverifiedVc::issuer`] has what the credential says: `kid` as a DID URL, `x5c`, or
//! an https `iss` whose metadata lists the key ([`crate::issuer_metadata`]). The reader's policy, not
//! the credential, decides which of them counts. What was not used to find the key is not proven by
//! the signature: a credential whose key was found by the DID in `kid` is that DID's, whatever https
//! address `iss` has.

mod error;
mod new;
mod read;

pub use crate::status::Reference as StatusReference;
pub use error::VcError;
pub use new::{IssuerHeader, NewVc, day, issue, prepare};
pub use read::{Times, UnverifiedVc, VerifiedVc};

/// The one `typ` of an SD-JWT VC. The older `vc+sd-jwt` is not accepted.
pub const TYP: &str = "dc+sd-jwt";

/// Longest type (`vct`), in bytes.
pub const MAX_VCT: usize = 1024;

/// Claims about the credential itself: never in a disclosure (SD-JWT VC, Registered JWT Claims).
pub const OPEN_CLAIMS: [&str; 8] = [
    "iss",
    "nbf",
    "exp",
    "cnf",
    "vct",
    "vct#integrity",
    "aka_vcts",
    "status",
];

/// Whether a text can be the name of a type: not empty, at most [`MAX_VCT`] bytes, nothing unseen.
pub(crate) fn is_type(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_VCT && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}
