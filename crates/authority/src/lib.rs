//! The authority: it knows who people are, and gives them tokens that do not say so.
//!
//! * [`population`] makes synthetic people; the register holds them.
//! * Enrolment ([`Authority::begin_enrolment`], [`Authority::confirm_enrolment`]) ties an account key to
//!   a person, by the register and a one-time code to the contact on record.
//! * Issuance ([`Authority::check_request`] → [`Authority::debit`] → [`EpochSigner::sign`]) blindly signs
//!   what the account key asks for, within the person's quota. What is signed has been paid for in a
//!   committed transaction; the types leave no other way.
//! * [`Keeper`] keeps the epoch keys on the ledger an epoch ahead and destroys ended ones.
//!
//! Persons occur in two places that share no column: the register, and everything else, where a
//! keyed function of the identity number stands for them. Nothing here sees a DID.

#![allow(clippy::disallowed_methods, reason = "a shell owns its clock and randomness")]

mod anchoring;
mod attempts;
mod certificates;
mod config;
pub mod credential_issuer;
mod database;
mod delivery;
mod enrolment;
mod epoch_signer;
mod error;
mod http;
mod issuance;
mod issuer;
mod keeper;
mod key_ring;
mod operate;
pub mod population;
mod quota;
mod register;
mod rules;
mod run;
mod secrets;

pub use anchoring::Issuance;
pub use config::{Config, Settings, SmtpConfig};
pub use database::{Database, DatabaseError};
pub use delivery::{Delivered, Delivery, DeliveryError, Dispatch, Dispatcher, Outbox, Smtp};
pub use enrolment::{Begun, Confirmation, Confirmed, ENROLMENT_TYPE, EnrolmentRequest};
pub use epoch_signer::{EpochSigner, Place};
pub use error::Refusal;
pub use http::{App, Identification, IssuerApp, issuer_routes, router};
pub use issuance::{ACCOUNT_TYPE, Blinded, CheckedRequest, Debited, OFFER_TYPE, TOKENS_TYPE};
pub use issuer::{IssuerConfig, IssuerSettings, IssuingError, SourceConfig, run_issuer};
pub use keeper::{Epochs, Keeper, KeeperError};
pub use key_ring::{KeyRing, KeyRingError};
pub use operate::operate;
pub use quota::Standing;
pub use register::{Contact, Person};
pub use rules::{Authority, EnrolmentLimits, MAX_BATCH, MAX_REQUEST_LIFE, Terms};
pub use run::{RunError, SamplePerson, advance_epoch, generate, random_person, run};
pub use secrets::Secrets;
