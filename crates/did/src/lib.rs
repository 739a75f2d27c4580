//! The `did:real` method: identifiers, inceptions, documents, signed operations, and the one pure
//! function that decides which operation may follow which.
//!
//! ```text
//! did:real:<network>:<id>                      id = multibase(multihash(SHA-256(inception)))
//! did:real:<network>:<id>:<base64url(inception)>                           the long form
//! ```
//!
//! A DID is the hash of its [`Inception`]: the first keys, commitments to the next keys and to the
//! recovery key, and the charter of the network. It can be used in long form without ever being
//! on a ledger. Once on the ledger, its state is an [`Entry`], changed only by [`follow`].
//!
//! All encodings are canonical (see [`realdid_crypto::Writer`]): what does not re-encode to the
//! same bytes is refused.

mod document;
mod entry;
mod follow;
mod identifier;
mod inception;
mod operation;
mod operation_codec;

pub use document::{DID_CONTEXT, MULTIKEY_CONTEXT, did_document};
pub use entry::{Assurance, Backing, ENTRY_LENGTH, Entry, Level, Pending, PendingKind, Status};
pub use follow::{Delays, FollowError, follow};
pub use identifier::{Did, DidError, MAX_LONG_FORM, Network, ParsedDid};
pub use inception::{
    Commitment, DocumentData, Inception, KeysReveal, MAX_KEYS, MAX_SERVICES, Purposes, RecoveryReveal, Salt,
    Service, VerificationKey,
};
pub use operation::{
    Action, Authorization, Founding, MAX_OPERATION, Operation, OperationError, Reveal, Rotation,
    SignedOperation, Sponsorship, TOKEN_LENGTH, VerifiedOperation,
};
