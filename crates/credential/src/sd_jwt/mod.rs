//! SD-JWT (RFC 9901): claims that the holder shows or keeps one by one, in compact form.
//!
//! * Issuer: [`prepare`] and [`issue`] make an SD-JWT from claims and a [`Frame`] that says which of
//!   them are disclosable.
//! * Reader: [`SdJwt::parse`] takes it apart; [`SdJwt::verify`] gives a [`VerifiedSdJwt`] with the
//!   processed claims, after every rule of §7.1; [`VerifiedSdJwt::key_binding`] is §7.3.
//! * Holder: [`Disclosed`] lists what can be shown, [`Disclosed::select`] makes a [`Presentation`],
//!   which is bound to a key at hand or elsewhere.
//!
//! The JWS JSON serialization (§8, optional) is left out: nothing here needs several signatures, and
//! a second form of the same thing is a second way to be read differently.

mod disclosed;
mod error;
mod issue;
mod key_binding;
mod presentation;
mod process;
mod read;

pub use disclosed::{Disclosed, Disclosure};
pub use error::{IssueError, SdJwtError, SelectError};
pub use issue::{Frame, Unsigned, issue, prepare};
pub use key_binding::{Expected, KeyBound, MAX_AHEAD};
pub use presentation::{BindingClaims, Presentation, UnsignedBinding};
pub use read::{IssuerRef, SdJwt, VerifiedSdJwt};

/// Longest SD-JWT that is read or made, in bytes, key binding included.
pub const MAX_SD_JWT: usize = 256 * 1024;
/// Most disclosures that are read or made.
pub const MAX_DISCLOSURES: usize = 1024;
/// Deepest nesting of claims, disclosed ones within disclosed ones included. The top is level 0.
pub const MAX_DEPTH: usize = 32;
/// Most decoys in one object or array.
pub const MAX_DECOYS: usize = 64;
/// Type of a key binding JWT (RFC 9901 §4.3).
pub const KEY_BINDING_TYP: &str = "kb+jwt";
