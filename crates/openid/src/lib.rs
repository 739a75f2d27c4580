//! The messages of OpenID Connect and OpenID4VP that RealDID speaks, parsed into types, with the
//! checks that need nothing but the message and their error codes.
//!
//! Pure: no clock, no randomness, no I/O. DIDs are texts here and tokens opaque; what they mean is
//! for `realdid-presentation` to judge.
//!
//! * [`jws`], [`jwk`]: the envelope, from `realdid-jose`.
//! * [`openid4vp_link`] → [`authorization_request`] → [`realdid_jwt`] → [`authorization_response`]:
//!   from the link on a sign-in page to the signed request behind it to the wallet's answer
//!   (OpenID4VP 1.0), with [`dcql`] saying what is asked, [`site_statement`] who asks and [`registration`] what it
//!   may ask for.
//! * [`vci`], [`oauth`]: the issuance of credentials (OpenID4VCI 1.0) and the OAuth 2.0 beneath it.
//! * [`oidc`]: the provider's messages towards websites (OpenID Connect Core 1.0, RFC 6749, 7636,
//!   9126, 9207).

mod address;
pub mod authorization_request;
pub mod authorization_response;
pub mod client_id;
pub mod dcql;
pub mod oauth;
pub mod oidc;
pub mod openid4vp_link;
pub mod realdid_jwt;
pub mod registration;
pub mod site_statement;
pub mod text;
pub mod vci;

pub use address::{AddressError, check_address};
pub use client_id::{ClientId, ClientIdError, ClientIdPrefix};
pub use realdid_jose::{json, jwk, jws};

/// How far two clocks may differ, in seconds.
pub const CLOCK_SKEW: u64 = 30;
