//! What a type of credentials says of itself (SD-JWT VC, Type Metadata): names to show, and rules for
//! its claims.
//!
//! Nothing is fetched here: a [`Chain`] says which document it wants next, with its integrity, until a
//! type and everything it extends is there. Then [`TypeMetadata`] has the names in a language, and
//! [`TypeMetadata::check`] tells whether a credential keeps the type's rules.
//!
//! SVG templates are passed over: nothing here draws them. That a type extends another one gives its
//! issuers no right to issue that other one.

mod chain;
mod check;
mod document;
mod error;

pub use chain::{Chain, MAX_EXTENDS, TypeMetadata, Wanted};
pub use check::Complete;
pub use document::{
    ClaimDisplay, ClaimMetadata, Image, MAX_CLAIMS, MAX_DOCUMENT, SelectiveDisclosure, TypeDisplay,
};
pub use error::TypeMetadataError;
