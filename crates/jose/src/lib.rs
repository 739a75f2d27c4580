//! Signed and encrypted JSON as others speak it: JWS, JWK, and JSON that has one reading only.
//!
//! A crate of its own because `realdid-openid` (messages) and `realdid-credential` (what is shown)
//! both stand on it and must not know each other. Pure: no clock, no I/O.
//!
//! * [`jws`]: compact JWS (RFC 7515). A key decides the algorithm, never the message.
//! * [`jwk`]: public keys as JSON (RFC 7517) and their thumbprints (RFC 7638).
//! * [`jwe`]: compact JWE (RFC 7516) with ECDH-ES, for one reader.
//! * [`json`]: JSON without duplicate names, of bounded depth and size.

pub mod json;
pub mod jwe;
pub mod jwk;
pub mod jws;
