//! The sign-in server: to websites an ordinary OpenID Connect provider, to wallets a verifier that
//! asks for a real-name login over OpenID4VP.
//!
//! A login's way through here:
//!
//! 1. `/authorize` checks what the website asks and makes a `login` that belongs to this browser.
//! 2. `/login/{id}` shows a link for a wallet on this device and a QR code for one on another.
//! 3. `/request/{id}` gives the wallet a request signed with the website's own key.
//! 4. `/response/{id}` takes the answer, fetches proofs from the ledger, and lets
//!    `realdid-presentation` judge.
//! 5. `/login/{id}/complete` sends the browser that started back to the website with a code.
//! 6. `/token` turns the code into an ID token whose subject is the DID made for this website.
//!
//! Websites with pages of their own ask for credentials at `/v1/presentations`
//! (`presentations`): the same verifier, with what they ask in the query language of OpenID4VP.
//!
//! The database keeps nothing that two websites' logins have in common: no token, no key of an
//! authority, and a cookie of its own for each login. What a credential told about a person, because
//! a website asked for it, is kept for ten minutes at most.

#![allow(clippy::disallowed_methods, reason = "a shell owns its clock and randomness")]

mod certificate;
mod clients;
mod config;
mod database;
mod evidence;
mod grants;
mod http;
mod ledger;
mod login;
mod login_store;
mod presentations;
mod pushed;
mod run;
mod secret;
mod signing_key;
mod site;
mod verifier_options;
mod webhooks;

#[cfg(test)]
mod tests;

pub use certificate::{Certificate, CertificateError};
pub use clients::{Client, ClientOptions};
pub use config::{Config, Settings};
pub use database::DatabaseError;
pub use run::{NewClient, RunError, add_client, list_clients, run};
pub use site::SiteError;
pub use verifier_options::{AskError, Profile, VerifierOptions, VerifierOptionsError};
