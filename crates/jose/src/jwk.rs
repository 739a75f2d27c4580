//! Public keys as JSON Web Keys (RFC 7517) and their thumbprints (RFC 7638).

use realdid_crypto::{PublicKey, base64url_decode, base64url_encode, sha256};

/// A public key as JSON. Private members of a JWK are never read or written here.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Jwk {
    /// Key type: `OKP` or `EC`.
    pub kty: String,
    /// Curve: `Ed25519`, `P-256`, or `SM2` (private to RealDID).
    pub crv: String,
    /// First coordinate, base64url.
    pub x: String,
    /// Second coordinate, base64url; absent for `OKP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// Name of the key within its set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// JOSE algorithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// `sig` for signatures.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
}

/// The JWK is not a public key of a registered type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the JWK is not a public key of a registered type")]
pub struct JwkError;

impl Jwk {
    /// The bare key: type, curve, coordinates.
    #[must_use]
    pub fn of(key: &PublicKey) -> Self {
        let (kty, crv, x, y) = key.jwk_parts();
        Self {
            kty: kty.to_owned(),
            crv: crv.to_owned(),
            x,
            y,
            kid: None,
            alg: None,
            usage: None,
        }
    }

    /// The key as a member of a published set: with algorithm, use, and its thumbprint as name.
    #[must_use]
    pub fn for_signatures(key: &PublicKey) -> Self {
        Self {
            kid: Some(thumbprint(key)),
            alg: Some(key.kind().jose_algorithm().to_owned()),
            usage: Some("sig".to_owned()),
            ..Self::of(key)
        }
    }

    /// The key it stands for.
    ///
    /// # Errors
    /// [`JwkError`].
    pub fn public_key(&self) -> Result<PublicKey, JwkError> {
        let decode = |text: &String| base64url_decode(text).map_err(|_| JwkError);
        let y = self.y.as_ref().map(decode).transpose()?;
        PublicKey::from_jwk_parts(&self.kty, &self.crv, &decode(&self.x)?, y.as_deref()).map_err(|_| JwkError)
    }
}

/// The key's SHA-256 thumbprint (RFC 7638 §3), base64url.
#[must_use]
pub fn thumbprint(key: &PublicKey) -> String {
    let (kty, crv, x, y) = key.jwk_parts();
    // The required members in lexicographic order, without white space.
    let canonical = match y {
        None => format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}"}}"#),
        Some(y) => format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}","y":"{y}"}}"#),
    };
    base64url_encode(sha256(canonical.as_bytes()).0)
}
