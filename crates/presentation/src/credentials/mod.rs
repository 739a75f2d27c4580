//! The verdict about credentials: does what was shown prove what was asked for?
//!
//! As a login, credentials go through three hands:
//!
//! 1. [`ShownCredentials::read`] takes the presentations of an answer apart. Each says how its issuer
//!    is to be found ([`IssuerClue`]) and where its status stands.
//! 2. The shell brings what is known: of an issuer with a DID its state on the ledger and its
//!    document, for another a key or roots that the relying party has pinned, and status lists. It
//!    keeps all of that; nothing is fetched because of one presentation.
//! 3. [`judge_credentials`] decides. What it accepts is a [`VerifiedCredential`], with the claims that
//!    were asked for and no others.

mod judge;
mod refusal;
mod shown;

pub use judge::{
    CredentialEvidence, IssuerEvidence, IssuerStanding, VerifiedCredential, VerifiedIssuer, judge_credentials,
};
pub use refusal::CredentialRefusal;
pub use shown::{CredentialExpectation, IssuerClue, ShownCredential, ShownCredentials, presentation_hash};
