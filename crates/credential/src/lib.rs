//! Credentials: issue, hold, present, verify, and tell whether one has been revoked.
//!
//! Pure: time and randomness are arguments. Knows keys and JOSE, nothing of ledgers or messages.
//!
//! * [`sd_jwt`]: RFC 9901, the format with claims that are shown one by one.
//! * [`status`]: which credentials are revoked or suspended, told by a signed list.
//! * [`vc`]: the credential on top of it, SD-JWT VC: type, times, holder's key, status.
//! * [`issuer_metadata`]: an issuer's keys as it publishes them itself.
//! * [`type_metadata`]: what a type says of its claims: names to show, rules to keep.
//! * [`Integrity`]: documents that a credential refers to by their hash.
//! * [`path`]: paths to claims.

mod claims;
mod hash;
mod integrity;
pub mod issuer_metadata;
pub mod path;
pub mod sd_jwt;
pub mod status;
mod times;
pub mod type_metadata;
pub mod vc;

pub use hash::HashAlg;
pub use integrity::{Integrity, IntegrityError};

/// Formats of credentials. One today; the mobile document of ISO/IEC 18013-5 is to be the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// SD-JWT VC.
    SdJwtVc,
}

impl Format {
    /// The name in OpenID4VCI and OpenID4VP.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SdJwtVc => vc::TYP,
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        (name == Self::SdJwtVc.as_str()).then_some(Self::SdJwtVc)
    }
}
