//! The commands apart from the wallet's, one file each.

pub mod authority;
pub mod completions;
pub mod explain;
pub mod found;
mod founding;
pub mod governance;
pub mod issuer;
pub mod network;
pub mod node;
pub mod organisation;
pub mod resolve;
pub mod signin;
pub mod status;
pub mod verifier;
pub mod verify;
pub mod web_wallet;
