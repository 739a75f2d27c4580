//! Fetches what a node serves, and believes none of it.
//!
//! [`NodeClient`] asks a node over HTTP. State comes back as [`ProvenState`], after certificate,
//! proofs, age and height have been checked against the pinned [`TrustAnchor`]; document data comes
//! back only if it has the hash that was asked for. Answers that cannot be checked (a status, the
//! bytes of a proof file) are named as such.
//!
//! [`TrustLookup`] keeps what it was told about organisations, for as long as it may be believed.
//! [`ServiceIdentity`] is the key file of an accredited service and how its DID gets on the ledger;
//! [`load_settings`] reads its configuration with the charter.
//!
//! [`ProvenState`]: realdid_ledger::ProvenState
//! [`TrustAnchor`]: realdid_ledger::TrustAnchor

#![allow(clippy::disallowed_methods, reason = "a shell owns its clock and randomness")]

mod error;
mod http;
mod node_client;
pub mod outside;
pub mod public_address;
mod resolve;
mod service_identity;
mod settings;
mod state;
mod trust;

pub use error::{ClientError, NodeRefusal};
pub use node_client::{NodeClient, OperationStatus};
pub use resolve::Resolved;
pub use service_identity::{IdentityError, ServiceIdentity, SponsorshipError, SponsorshipFile};
pub use settings::{SettingsError, load_settings};
pub use trust::{Standing, TrustLookup};
