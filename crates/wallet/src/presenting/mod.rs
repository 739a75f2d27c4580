//! Showing credentials and logging in: the wallet's side of OpenID4VP 1.0.
//!
//! One way through, and each step's type is the only key to the next:
//!
//! 1. a [`WalletLink`](realdid_openid::openid4vp_link::WalletLink) says where the request is; the shell
//!    fetches it, sending along what [`wallet_metadata`] says if it may.
//! 2. [`FetchedRequest::parse`] takes it apart; the shell asks the ledger [`FetchedRequest::questions`].
//! 3. [`FetchedRequest::verify`] judges it by what the ledger proves. What it accepts is a
//!    [`PresentationRequest`]: [who asks](Asker) is proved, or known to be a stranger.
//! 4. [`Wallet::consent`](crate::Wallet::consent) chooses what would answer it, and says in a
//!    [`Consent`](crate::consent::Consent) what the holder would agree to.
//! 5. [`Wallet::answer`](crate::Wallet::answer) signs, and notes what is shown: types and names of
//!    claims, no values. The shell **stores the wallet**, then posts the [`Answer`].
//! 6. [`Wallet::answered`](crate::Wallet::answered) notes that a login was taken.
//!
//! A request that nobody signed skips the first three steps ([`PresentationRequest::unsigned`]), and is
//! answered only if the holder says so beforehand.
//!
//! A request that is refused is answered by an error only where its sender is proved, so that nobody
//! can make a wallet talk to an address of their choice.

mod answer;
mod asker;
mod error;
mod metadata;
pub mod page;
mod request;
mod rights;
pub(crate) mod selection;
mod site;

pub use answer::Answer;
pub use asker::{AskError, Asker, Sponsor};
pub use error::AnswerError;
pub use metadata::wallet_metadata;
#[cfg(test)]
pub(crate) use request::Facts;
pub use request::{FetchedRequest, PresentationContext, PresentationRequest};
