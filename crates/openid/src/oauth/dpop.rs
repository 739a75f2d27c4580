//! Demonstrating proof of possession (RFC 9449): a small JWS with each request, by a key that the
//! token is then bound to.
//!
//! [`check`] decides everything the proof itself tells. Three things only a server with a memory can
//! decide, and must: that the `jti` is new, that a nonce is one of its own, and that the key is the
//! one the token is bound to.

use realdid_checks::passes;
use realdid_crypto::{KeyType, PublicKey, base64url_encode, sha256};
use realdid_jose::jwk::{Jwk, thumbprint};
use realdid_jose::jws::{JwsError, SigningInput, Unverified};
use serde_json::{Map, Value, json};
use url::Url;

use crate::CLOCK_SKEW;

/// `typ` of a proof.
pub const DPOP_TYPE: &str = "dpop+jwt";
/// Oldest proof that is taken, in seconds; `jti`s are remembered that long and the skew twice.
pub const MAX_AGE: u64 = 120;
/// Longest proof, in bytes.
pub const MAX_PROOF: usize = 4096;
/// Longest `jti`, in bytes.
pub const MAX_JTI: usize = 128;
/// Members of a JWK that are secret, whatever its type (RFC 7518 §6).
pub(crate) const PRIVATE_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// Why a proof is not accepted. All of them are `invalid_dpop_proof` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DpopError {
    /// No compact JWS with a known key as `jwk` in its header, or its signature does not hold.
    #[error("the DPoP proof is not a JWS signed by the key in its header: {0}")]
    Jws(JwsError),
    /// The header's `jwk` is missing or of no known type.
    #[error("the DPoP proof's header carries no public key of a known type")]
    Key,
    /// Another `typ` than `dpop+jwt`.
    #[error("the DPoP proof's typ is not dpop+jwt")]
    Type,
    /// The header's key has private members.
    #[error("the DPoP proof's header carries a private key")]
    PrivateKey,
    /// A claim is missing or of the wrong type; it is named.
    #[error("the DPoP proof's claim {0} is missing or malformed")]
    Claim(&'static str),
    /// Made for another method.
    #[error("the DPoP proof's htm is not the method of the request")]
    Method,
    /// Made for another address.
    #[error("the DPoP proof's htu is not the address of the request")]
    Address,
    /// Too old, or from the future.
    #[error("the DPoP proof's iat is not recent")]
    Stale,
    /// Made for another access token.
    #[error("the DPoP proof's ath is not the hash of the access token")]
    AccessToken,
}

/// The request that a proof must have been made for.
#[derive(Debug, Clone, Copy)]
pub struct DpopExpectation<'a> {
    /// The HTTP method, upper case.
    pub method: &'a str,
    /// The address, without query and fragment.
    pub uri: &'a str,
    /// The access token shown with it, at a resource.
    pub access_token: Option<&'a str>,
    /// The time, in Unix seconds.
    pub now: u64,
}

/// A proof whose signature and claims have been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DpopProof {
    /// Thumbprint of the key (RFC 7638): what tokens are bound to.
    pub thumbprint: String,
    /// The proof's identifier; to be taken once for each key.
    pub jti: String,
    /// The server's nonce, if the proof has one.
    pub nonce: Option<String>,
}

/// Checks a proof (RFC 9449 §4.3), but for `jti`, nonce and the token's binding.
///
/// # Errors
/// [`DpopError`].
pub fn check(proof: &str, expected: &DpopExpectation<'_>) -> Result<DpopProof, DpopError> {
    let jws = Unverified::parse_within(proof, MAX_PROOF).map_err(DpopError::Jws)?;
    if !passes("DPOP-01", jws.typ() == Some(DPOP_TYPE)) {
        return Err(DpopError::Type);
    }
    let key = header_key(&jws)?;
    jws.verify_foreign_signature(&key).map_err(DpopError::Jws)?;
    let claims = jws.stated_claims();
    let text = |name| {
        claims
            .get(name)
            .and_then(Value::as_str)
            .ok_or(DpopError::Claim(name))
    };
    if !passes("DPOP-03", text("htm")? == expected.method) {
        return Err(DpopError::Method);
    }
    if !passes("DPOP-04", is_same_address(text("htu")?, expected.uri)) {
        return Err(DpopError::Address);
    }
    let iat = claims
        .get("iat")
        .and_then(seconds)
        .ok_or(DpopError::Claim("iat"))?;
    if !passes("DPOP-05", is_recent(iat, expected.now)) {
        return Err(DpopError::Stale);
    }
    if let Some(token) = expected.access_token {
        let hash = access_token_hash(token);
        if !passes(
            "DPOP-06",
            claims.get("ath").and_then(Value::as_str) == Some(hash.as_str()),
        ) {
            return Err(DpopError::AccessToken);
        }
    }
    let jti = text("jti")?;
    if !passes("DPOP-07", (1..=MAX_JTI).contains(&jti.len())) {
        return Err(DpopError::Claim("jti"));
    }
    Ok(DpopProof {
        thumbprint: thumbprint(&key),
        jti: jti.to_owned(),
        nonce: claims.get("nonce").and_then(Value::as_str).map(str::to_owned),
    })
}

fn header_key(jws: &Unverified) -> Result<PublicKey, DpopError> {
    let jwk = jws
        .header()
        .get("jwk")
        .and_then(Value::as_object)
        .ok_or(DpopError::Key)?;
    if !passes("DPOP-02", is_public(jwk)) {
        return Err(DpopError::PrivateKey);
    }
    let jwk: Jwk = serde_json::from_value(Value::Object(jwk.clone())).map_err(|_| DpopError::Key)?;
    jwk.public_key().map_err(|_| DpopError::Key)
}

/// Whether a JWK holds no secret.
pub(crate) fn is_public(jwk: &Map<String, Value>) -> bool {
    PRIVATE_MEMBERS.iter().all(|name| !jwk.contains_key(*name))
}

/// The whole seconds of a `NumericDate`, which may have a fraction (RFC 7519 §2): some clients divide
/// milliseconds by a thousand. Nothing for what is negative, absurdly large, or no number.
pub(crate) fn seconds(date: &Value) -> Option<u64> {
    const MOST: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 2^53; the fraction is meant to go"
    )]
    let whole = |seconds: f64| seconds as u64;
    let fractional = || date.as_f64().filter(|seconds| (0.0..MOST).contains(seconds));
    date.as_u64().or_else(|| fractional().map(whole))
}

fn is_recent(iat: u64, now: u64) -> bool {
    iat <= now.saturating_add(CLOCK_SKEW) && now <= iat.saturating_add(MAX_AGE + CLOCK_SKEW)
}

/// Whether two addresses are the same but for query and fragment (RFC 9449 §4.3, item 9).
fn is_same_address(stated: &str, expected: &str) -> bool {
    let bare = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        Some(url)
    };
    bare(stated).is_some() && bare(stated) == bare(expected)
}

/// The `ath` of an access token: base64url of its SHA-256.
#[must_use]
pub fn access_token_hash(token: &str) -> String {
    base64url_encode(sha256(token.as_bytes()).0)
}

/// A proof to sign, for a client that need not hold the key in this process.
///
/// # Errors
/// [`JwsError::TooLong`] for absurdly long addresses or tokens.
pub fn signing_input(
    key: &PublicKey,
    request: &DpopExpectation<'_>,
    jti: &str,
    nonce: Option<&str>,
) -> Result<SigningInput, JwsError> {
    let mut header = Map::new();
    header.insert("typ".to_owned(), DPOP_TYPE.into());
    header.insert("jwk".to_owned(), json!(Jwk::of(key)));
    let mut claims = json!({
        "jti": jti, "htm": request.method, "htu": request.uri, "iat": request.now,
    });
    if let Some(token) = request.access_token {
        claims["ath"] = access_token_hash(token).into();
    }
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    SigningInput::with_header(key.kind(), header, &claims, MAX_PROOF)
}

/// Names of the algorithms that proofs may be signed with here, ES256 first.
#[must_use]
pub fn algorithms() -> Vec<String> {
    [KeyType::P256, KeyType::Ed25519, KeyType::Sm2]
        .map(|kind| kind.jose_algorithm().to_owned())
        .to_vec()
}
