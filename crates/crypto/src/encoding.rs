//! Text encodings: base64url without padding (RFC 4648 §5) and base58btc, both decoded strictly.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The text is not the canonical form of any bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// Not base64url without padding, or its unused bits are not zero.
    #[error("the text is not base64url without padding")]
    Base64Url,
    /// Not base58 in the Bitcoin alphabet, or longer than 256 characters.
    #[error("the text is not base58btc")]
    Base58,
}

/// Longest base58 text that is decoded, in characters; decoding takes quadratic time.
const MAX_BASE58: usize = 256;

/// `bytes` as base64url without padding.
#[must_use]
pub fn base64url_encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of a base64url text without padding; unused bits must be zero.
///
/// # Errors
/// [`EncodingError::Base64Url`].
pub fn base64url_decode(text: &str) -> Result<Vec<u8>, EncodingError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| EncodingError::Base64Url)
}

/// `bytes` as base58 in the Bitcoin alphabet, without a multibase prefix.
#[must_use]
pub fn base58_encode(bytes: &[u8]) -> String {
    bs58::encode(bytes).into_string()
}

/// The bytes of a base58 text in the Bitcoin alphabet, at most 256 characters.
///
/// # Errors
/// [`EncodingError::Base58`].
pub fn base58_decode(text: &str) -> Result<Vec<u8>, EncodingError> {
    if text.len() > MAX_BASE58 {
        return Err(EncodingError::Base58);
    }
    bs58::decode(text).into_vec().map_err(|_| EncodingError::Base58)
}
