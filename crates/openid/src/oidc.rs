//! OpenID Connect between a website and the sign-in server: messages, checks, error codes.
//!
//! The checks of `/authorize` and `/token` are small functions here; the endpoints are the visible
//! list of them.

pub mod authorization;
pub mod discovery;
pub mod error;
pub mod id_token;
pub mod pkce;
pub mod token;

pub use authorization::{AuthorizationError, AuthorizationParameters, Prompt, Scopes};
pub use discovery::ProviderMetadata;
pub use error::OAuthCode;
pub use id_token::{IdTokenClaims, UserInfo};
pub use pkce::{CodeChallenge, PkceError};
pub use token::{ClientCredentials, TokenError, TokenRequest, TokenResponse};
