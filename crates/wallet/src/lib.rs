//! The holder's logic: keys, enrolment, tokens, logins, changes of a DID, history, backup.
//!
//! Pure: time and randomness are arguments, nothing is read or sent. A [`Wallet`] is one value that
//! its shell writes, encrypted, before and after every step; each method says when.
//!
//! Three promises hold throughout:
//!
//! * **Nothing links two DIDs.** Keys, salts and tokens are made per DID ([`root`]), a DID goes to one
//!   site and no other ([`login`]), and a restored wallet offers none that may have been given out
//!   ([`backup`]).
//! * **Nothing is believed without proof.** Epoch keys, sites and the wallet's own DIDs are judged by
//!   state proven under the pinned charter ([`tokens`], [`presenting`], [`operations`]).
//! * **A crash costs nothing.** Blindings and operations are stored before they are sent, and sending
//!   them again changes nothing.

pub mod backup;
pub mod consent;
pub mod credentials;
pub mod enrol;
pub mod history;
pub mod issuance;
pub mod login;
pub mod names;
pub mod operations;
pub mod presenting;
pub mod root;
mod state;
#[cfg(test)]
mod tests;
pub mod tokens;

pub use state::{Assignment, HeldDid, HeldToken, NewWallet, Site, WALLET_FORMAT, Wallet, WalletError};
