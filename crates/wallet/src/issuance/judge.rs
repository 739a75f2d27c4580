//! Whether what was issued is what was offered: "may this be stored?" is asked here and nowhere else.

use realdid_checks::passes;
use realdid_credential::type_metadata::TypeMetadataError;
use realdid_credential::vc::{Times, UnverifiedVc, VcError};
use realdid_crypto::PublicKey;
use realdid_openid::CLOCK_SKEW;
use serde_json::{Map, Value};

use crate::credentials::{HeldCopy, HeldStatus, HolderKey, Standing};

/// Why what was issued is not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JudgeError {
    /// The credential itself, or its signature.
    #[error("what was issued is not a credential in order: {0}")]
    Credential(#[from] VcError),
    /// The network has suspended the issuer.
    #[error("the network has suspended the issuer: nobody takes its credentials now")]
    Suspended,
    /// The network has struck off the issuer.
    #[error("the network has struck off the issuer: nobody takes its credentials any more")]
    StruckOff,
    /// Nothing says whose key signed it.
    #[error("the credential does not say whose key signed it")]
    NoIssuer,
    /// The copies of one answer are by different issuers.
    #[error("the copies are signed by different issuers")]
    DifferentIssuers,
    /// Another type than offered.
    #[error("the credential is of another type than was offered")]
    Type,
    /// It is not bound to a key that was sent.
    #[error("the credential is not bound to a key of this wallet")]
    OtherKey,
    /// Two copies are bound to one key.
    #[error("two copies are bound to the same key")]
    KeyTwice,
    /// It is bound to a key, though none was sent.
    #[error("the credential is bound to a key that this wallet has not sent")]
    ForeignKey,
    /// The copies name different documents for their type.
    #[error("the copies are signed with different descriptions of their type")]
    TypeIntegrity,
    /// The metadata of its type are not those it was signed with, are not in order, or have rules that
    /// it does not keep.
    #[error("the credential does not go with the published description of its type: {0}")]
    Description(#[from] TypeMetadataError),
}

impl JudgeError {
    /// The stable code, the same in every language and version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Credential(VcError::Expired) => "issued_expired",
            Self::Credential(_) => "issued_invalid",
            Self::Suspended => "issuer_suspended",
            Self::StruckOff => "issuer_struck_off",
            Self::NoIssuer => "issued_without_issuer",
            Self::DifferentIssuers => "issued_by_several",
            Self::Type => "issued_other_type",
            Self::OtherKey | Self::ForeignKey => "issued_to_other_key",
            Self::KeyTwice => "issued_to_one_key_twice",
            Self::TypeIntegrity => "issued_with_several_descriptions",
            Self::Description(error) => error.code(),
        }
    }
}

/// Where a credential says its issuer's key is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssuerReference {
    /// A DID, and the DID URL of the key in its document, if named.
    Did {
        /// The DID.
        did: String,
        /// The key's DID URL; a DID with one key need not name it.
        key: Option<String>,
    },
    /// Certificates, the key's own first: base64 of DER, as in the header.
    Certificates {
        /// The chain.
        chain: Vec<String>,
        /// `iss`, which the first certificate must name then.
        iss: Option<String>,
    },
    /// Metadata of an https issuer.
    Metadata {
        /// `iss`.
        issuer: String,
        /// Name of the key in its set.
        kid: Option<String>,
        /// JOSE algorithm of the signature: what tells the key if it has no name.
        algorithm: String,
    },
}

impl IssuerReference {
    /// Of one credential: a DID goes before certificates, since the ledger knows it; certificates
    /// before published keys, since nothing has to be fetched for them.
    ///
    /// # Errors
    /// [`JudgeError::Credential`], [`JudgeError::NoIssuer`].
    pub fn of(credential: &str) -> Result<Self, JudgeError> {
        let parsed = UnverifiedVc::parse_issued(credential)?;
        let stated = parsed.issuer();
        let did_url = |kid: &str| kid.split_once('#').map(|(did, _)| did.to_owned());
        if let Some(kid) = stated.kid.filter(|kid| kid.starts_with("did:")) {
            return Ok(Self::Did {
                did: did_url(kid).unwrap_or_else(|| kid.to_owned()),
                key: Some(kid.to_owned()),
            });
        }
        if let Some(iss) = stated.iss.filter(|iss| iss.starts_with("did:")) {
            // A relative DID URL, such as `#0`.
            let key = stated
                .kid
                .map(|kid| format!("{iss}{}{kid}", if kid.starts_with('#') { "" } else { "#" }));
            return Ok(Self::Did {
                did: iss.to_owned(),
                key,
            });
        }
        let iss = stated.iss.map(str::to_owned);
        if let Some(chain) = stated.x5c.and_then(certificates) {
            return Ok(Self::Certificates { chain, iss });
        }
        let issuer = iss.filter(|iss| iss.starts_with("https://") || iss.starts_with("http://"));
        Ok(Self::Metadata {
            issuer: issuer.ok_or(JudgeError::NoIssuer)?,
            kid: stated.kid.map(str::to_owned),
            algorithm: parsed.sd_jwt().jwt().algorithm().to_owned(),
        })
    }

    /// Of the signed status list of a credential: by its own header, else as the credential itself.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn of_status_list(header: &Map<String, Value>, credential: &str) -> Result<Self, JudgeError> {
        let kid = header
            .get("kid")
            .and_then(Value::as_str)
            .filter(|kid| kid.starts_with("did:"));
        if let Some((did, _)) = kid.and_then(|kid| kid.split_once('#')) {
            return Ok(Self::Did {
                did: did.to_owned(),
                key: kid.map(str::to_owned),
            });
        }
        match header.get("x5c").and_then(certificates) {
            Some(chain) => Ok(Self::Certificates { chain, iss: None }),
            None => Self::of(credential),
        }
    }

    /// Of all copies of one answer, which have the same.
    ///
    /// # Errors
    /// As [`Self::of`]; [`JudgeError::DifferentIssuers`].
    pub fn of_all(credentials: &[String]) -> Result<Self, JudgeError> {
        let mut references = credentials.iter().map(|credential| Self::of(credential));
        let first = references.next().ok_or(JudgeError::NoIssuer)??;
        for other in references {
            let other = other?;
            if !passes("WVC-16", other == first) {
                return Err(JudgeError::DifferentIssuers);
            }
        }
        Ok(first)
    }
}

fn certificates(x5c: &Value) -> Option<Vec<String>> {
    let texts = x5c.as_array()?.iter().map(|one| one.as_str().map(str::to_owned));
    texts
        .collect::<Option<Vec<_>>>()
        .filter(|chain| !chain.is_empty())
}

/// The issuer's key as it was found, and how its owner stands on the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerKey {
    /// The key.
    pub key: PublicKey,
    /// The DID it leads to, if one of this network.
    pub did: Option<String>,
    /// How that stands.
    pub standing: Standing,
}

/// Checks every copy; `keys` are those that were sent, `now` in Unix seconds.
///
/// # Errors
/// [`JudgeError`].
pub fn judge_all(
    credentials: &[String],
    issuer: &IssuerKey,
    vct: &str,
    keys: &[HolderKey],
    now: u64,
) -> Result<Vec<HeldCopy>, JudgeError> {
    if !passes("WVC-28", issuer.standing != Standing::StruckOff) {
        return Err(JudgeError::StruckOff);
    }
    if !passes("WVC-29", issuer.standing != Standing::Suspended) {
        return Err(JudgeError::Suspended);
    }
    let mut copies: Vec<HeldCopy> = Vec::new();
    for credential in credentials {
        let copy = judge(credential, issuer, vct, keys, now)?;
        let twice = copy.key.is_some() && copies.iter().any(|other| other.key == copy.key);
        if !passes("WVC-17", !twice) {
            return Err(JudgeError::KeyTwice);
        }
        copies.push(copy);
    }
    Ok(copies)
}

fn judge(
    credential: &str,
    issuer: &IssuerKey,
    vct: &str,
    keys: &[HolderKey],
    now: u64,
) -> Result<HeldCopy, JudgeError> {
    let times = Times {
        now,
        leeway: CLOCK_SKEW,
    };
    let verified = match UnverifiedVc::parse_issued(credential)?.verify(&issuer.key, &times) {
        Ok(verified) => verified,
        // A credential that begins to be valid later is worth having now.
        Err(VcError::NotYetValid) => later(credential, &issuer.key, now)?,
        Err(error) => return Err(error.into()),
    };
    if !passes("WVC-18", verified.vct() == vct) {
        return Err(JudgeError::Type);
    }
    let bound = verified.claims().get("cnf").is_some();
    let key = keys
        .iter()
        .find(|key| verified.holder() == Some(&key.public_key()));
    if !passes("WVC-19", key.is_some() || keys.is_empty()) {
        return Err(JudgeError::OtherKey);
    }
    if !passes("WVC-20", !keys.is_empty() || !bound) {
        return Err(JudgeError::ForeignKey);
    }
    Ok(HeldCopy {
        number: 0,
        compact: credential.to_owned(),
        key: key.cloned(),
        issued_at: verified.issued_at(),
        valid_from: verified.not_before(),
        expires_at: verified.expires_at(),
        status: verified.status().map(|status| HeldStatus {
            uri: status.uri.clone(),
            index: status.index,
            last: None,
        }),
        uses: Vec::new(),
    })
}

/// The same credential, as of the moment it becomes valid.
fn later(
    credential: &str,
    key: &PublicKey,
    now: u64,
) -> Result<realdid_credential::vc::VerifiedVc, JudgeError> {
    let parsed = UnverifiedVc::parse_issued(credential)?;
    let begins = parsed
        .sd_jwt()
        .stated("nbf")
        .and_then(Value::as_u64)
        .unwrap_or(now);
    let times = Times {
        now: begins,
        leeway: 0,
    };
    Ok(parsed.verify(key, &times)?)
}
