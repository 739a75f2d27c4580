//! OAuth 2.0 as the issuance of credentials uses it: messages, checks, error codes, for both sides.
//!
//! * [`server_metadata`]: what an authorization server says of itself (RFC 8414).
//! * [`authorization`]: the (pushed) authorization request of a wallet (RFC 6749, 7636, 9126, 9396).
//! * [`token`]: the token endpoint with its three grants (RFC 6749, OpenID4VCI 1.0 §6).
//! * [`dpop`]: proof that whoever uses a token holds a key (RFC 9449).

pub mod authorization;
pub mod dpop;
pub mod error;
pub mod server_metadata;
pub mod token;

pub use authorization::{AuthorizationDetail, PushedResponse, WalletRequest, WalletRequestError};
pub use dpop::{DpopError, DpopExpectation, DpopProof};
pub use error::{ErrorBody, ErrorCode};
pub use server_metadata::ServerMetadata;
pub use token::{TokenRequest, TokenRequestError, TokenResponse};
