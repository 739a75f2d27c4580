//! What a sign-in server states about a website it sponsors (`verifier_info`, OpenID4VP 1.0 §5.11):
//! the name a wallet shows, and where the website is.

use realdid_checks::passes;
use realdid_crypto::{PublicKey, SecretKey};

use crate::CLOCK_SKEW;
use crate::jws::{self, JwsError, Unverified, Verified};
use crate::registration::MayAsk;
use crate::text::is_seen;

/// The format's name in `verifier_info`, and the JWS type.
pub const FORMAT: &str = "realdid-site+jwt";
/// Longest name of a website, in bytes.
pub const MAX_NAME: usize = 64;

/// An element of `verifier_info`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct VerifierInfo {
    /// Format of `data`.
    pub format: String,
    /// The statement; here a compact JWS.
    pub data: serde_json::Value,
}

/// The claims of a site statement.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SiteClaims {
    /// The sign-in server's DID.
    pub iss: String,
    /// The website's DID.
    pub sub: String,
    /// The website's name, 1 to [`MAX_NAME`] bytes.
    pub name: String,
    /// Where the website takes its visitors back.
    pub redirect_uris: Vec<String>,
    /// What the website may ask for beside a login: at most what the sign-in server itself may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_ask: Vec<MayAsk>,
    /// When it was made, in Unix seconds.
    pub iat: u64,
    /// Until when it holds, in Unix seconds.
    pub exp: u64,
    /// Hash of the network's charter, base64url.
    pub charter: String,
}

/// Why a site statement is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SiteStatementError {
    /// The envelope.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// It is about another website.
    #[error("the statement is about another website")]
    Subject,
    /// It was made on another network.
    #[error("the statement was made on another network")]
    Charter,
    /// It has expired, or is from the future.
    #[error("the statement is not valid now")]
    Time,
    /// The name is empty, too long, or has control characters.
    #[error("the website's name is not valid")]
    Name,
}

/// Signs a statement as an element of `verifier_info`; `key_url` names the sign-in server's key.
///
/// # Errors
/// As [`jws::sign`].
pub fn sign(claims: &SiteClaims, key_url: &str, key: &SecretKey) -> Result<VerifierInfo, JwsError> {
    let data = jws::sign(key, FORMAT, Some(key_url), claims)?;
    Ok(VerifierInfo {
        format: FORMAT.to_owned(),
        data: data.into(),
    })
}

/// A site statement whose signature has not been checked.
#[derive(Debug, Clone)]
pub struct UnverifiedStatement {
    message: Unverified,
    stated: SiteClaims,
}

impl UnverifiedStatement {
    /// Finds and parses the first site statement in `verifier_info`, if there is one.
    ///
    /// # Errors
    /// [`SiteStatementError::Jws`].
    pub fn find(info: &[VerifierInfo]) -> Result<Option<Self>, SiteStatementError> {
        let Some(element) = info.iter().find(|element| element.format == FORMAT) else {
            return Ok(None);
        };
        let message = Unverified::parse(element.data.as_str().ok_or(JwsError::Form)?)?;
        let stated = message.stated()?;
        Ok(Some(Self { message, stated }))
    }

    /// The DID that is said to have made it: its key is to be found on the ledger.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.stated.iss
    }

    /// Which of the issuer's keys: `<DID>#<key>`.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.message.kid()
    }

    /// Checks the statement with the issuer's key. That the issuer is accredited, and the key one
    /// of its assertion keys, is for the caller to ask the ledger.
    ///
    /// `site` is the DID that asks, `charter` the hash of the charter as base64url, `now` in Unix
    /// seconds.
    ///
    /// # Errors
    /// [`SiteStatementError`].
    pub fn verify(
        &self,
        key: &PublicKey,
        site: &str,
        charter: &str,
        now: u64,
    ) -> Result<Verified<SiteClaims>, SiteStatementError> {
        let verified: Verified<SiteClaims> = self.message.verify(key, FORMAT)?;
        let claims = verified.claims();
        if !passes("VP-07", claims.sub == site) {
            return Err(SiteStatementError::Subject);
        }
        if !passes("VP-08", claims.charter == charter) {
            return Err(SiteStatementError::Charter);
        }
        let current = claims.iat <= now.saturating_add(CLOCK_SKEW) && now < claims.exp;
        if !passes("VP-09", current) {
            return Err(SiteStatementError::Time);
        }
        if !passes("VP-10", is_name(&claims.name)) {
            return Err(SiteStatementError::Name);
        }
        Ok(verified)
    }
}

/// Whether a text may be shown as a website's name: 1 to [`MAX_NAME`] bytes, nothing that is not seen
/// or turns the direction, no white space at its ends.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len()) && name.trim() == name && name.chars().all(is_seen)
}
