//! Keys, signatures, hashes and the canonical byte encoding that the rest of RealDID is built on.
//!
//! Everything here is pure: randomness comes in as an argument, and no clock is read. Three
//! rules hold throughout:
//!
//! * **Algorithms by registered code.** A [`KeyType`] names curve, signature scheme and encoding
//!   together; no message can ask to be checked in another way than its key says.
//! * **Every signature carries a domain.** [`SecretKey::sign`] signs a label and the hash of the
//!   genesis charter in front of the message, so that nothing replays across roles, networks,
//!   forks or versions.
//! * **One way to accept.** Single and batch verification agree on every input (Ed25519 by
//!   ZIP 215), because validators that disagree would split the ledger. The libraries used for
//!   verification are part of the protocol version.

mod codec;
mod encoding;
mod hash;
mod key;
mod signature;

pub use codec::{DecodeError, Reader, Writer};
pub use encoding::{EncodingError, base58_decode, base58_encode, base64url_decode, base64url_encode};
pub use hash::{Hash, derive_key, hash_labelled, sha256, sm3};
pub use key::{KeyError, KeyType, PublicKey, SecretKey};
pub use signature::{BatchItem, Domain, Signature, SignatureError, verify_batch};
