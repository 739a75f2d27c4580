//! OpenID for Verifiable Credential Issuance 1.0: the messages between a wallet and a credential
//! issuer, for both sides. What the issuer sends is strict; what a wallet reads of other people's
//! issuers ignores whatever the specification lets it ignore.
//!
//! * [`offer`]: from a link or QR code to what is offered, and by which grant.
//! * [`issuer_metadata`]: what an issuer issues, and where.
//! * [`proof`]: that a wallet holds the key a credential is bound to (`jwt` proofs).
//! * [`credential`]: the request for a credential, the answer, and the deferred ones.
//! * [`notification`]: what became of a credential.

pub mod credential;
pub mod issuer_metadata;
pub mod notification;
pub mod offer;
pub mod proof;

pub use credential::{
    CredentialErrorCode, CredentialRequest, CredentialRequestError, CredentialResponse, DeferredRequest,
    IssuedCredential, NonceResponse, Outcome, ResponseEncryption, Wanted,
};
pub use issuer_metadata::{CredentialConfiguration, IssuerMetadata};
pub use notification::{NotificationError, NotificationEvent, NotificationRequest};
pub use offer::{CredentialOffer, OfferError, OfferLink, TxCode};
pub use proof::{KeyReference, ProofError, ProofExpectation, VerifiedProof};

/// Grant type of pre-authorized codes.
pub const PRE_AUTHORIZED_GRANT: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
/// Media type of credentials as SD-JWT VC, and their format's name.
pub const SD_JWT_VC_FORMAT: &str = "dc+sd-jwt";
