//! The verdict: is this login valid? It is asked here and nowhere else.
//!
//! A login goes through three hands, and each step's type is the only key to the next:
//!
//! 1. [`ShownLogin::read`] takes what a wallet sent and makes every check that needs no ledger.
//! 2. The shell fetches what [`ShownLogin`] says it needs: the state of the DID, of the token's
//!    key and of its authority, each as [`realdid_ledger::ProvenState`], and the DID's document
//!    data if it has changed since its inception.
//! 3. [`judge_login`] decides. What it accepts is a [`VerifiedLogin`], which nothing else makes.
//!
//! [`credentials`] does the same for credentials; an answer may hold both, and the login then binds
//! each credential by its hash.

pub mod credentials;
mod judge;
mod refusal;
mod shown;

pub use judge::{Evidence, VerifiedLogin, judge_login};
pub use refusal::LoginRefusal;
pub use shown::{Expectation, ShownLogin};
