//! Signed and encrypted JSON as others speak it: JWS, JWK, and JSON that has one reading only.
//!
//! A crate of its own because `realdid-openid` (messages) and `realdid-credential` (what is shown)
//! both stand on it and must not know each other. Pure: no clock, no I/O.
//!
//! * [`jws`]: compact JWS (RFC 7515). A key decides the algorithm, never the message.
//! * [`jwk`]: public keys as JSON (RFC 7517) and their thumbprints (RFC 7638).
//! * [`jwe`]: compact JWE (RFC 7516) with ECDH-ES, for one reader.
//! * [`x5c`]: certificate chains in a header (RFC 7515 §4.1.6).
//! * [`json`]: JSON without duplicate names, of bounded depth and size.

pub mod json;
pub mod jwe;
pub mod jwk;
pub mod jws;
pub mod x5c;
