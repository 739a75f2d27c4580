//! The commands apart from the wallet's, one file each.

pub mod authority;
pub mod completions;
pub mod explain;
mod founding;
pub mod network;
pub mod node;
pub mod resolve;
pub mod signin;
pub mod status;
pub mod verify;
