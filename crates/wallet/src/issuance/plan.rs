//! What an offer comes to: which credentials, by which grant, with which keys, how encrypted.

use realdid_checks::passes;
use realdid_crypto::KeyType;
use realdid_openid::oauth::ServerMetadata;
use realdid_openid::vci::issuer_metadata::{ClaimDescription, Display};
use realdid_openid::vci::{
    CredentialConfiguration, CredentialOffer, IssuerMetadata, PRE_AUTHORIZED_GRANT, SD_JWT_VC_FORMAT, TxCode,
};

use super::{Endpoint, IssuanceError};
use crate::credentials::{ClaimNames, LocalName, Naming};
use crate::names::{MAX_NAME, clean};

/// How many copies are asked for where the issuer gives several.
pub const DEFAULT_COPIES: usize = 16;
/// Most claims named to the holder before anything is fetched.
const MAX_CLAIMS: usize = 64;
/// Most languages that a name is kept in.
const MAX_LANGUAGES: usize = 32;
/// Longest language tag that is kept (RFC 5646 §4.4.1), in bytes.
const MAX_LANGUAGE_TAG: usize = 35;
/// Longest transaction code, in characters.
const MAX_TX_CODE: usize = 128;
/// The kinds of holder keys, the preferred one first: P-256 is what everybody's software reads.
const KINDS: [KeyType; 3] = [KeyType::P256, KeyType::Ed25519, KeyType::Sm2];

/// A credential as it is offered: the issuer's words, cleaned, and nothing proved yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// Its name in the issuer's metadata.
    pub configuration: String,
    /// Its type.
    pub vct: String,
    /// Its name for people.
    pub name: String,
    /// Names of its claims, as far as the issuer describes them.
    pub claims: Vec<String>,
    /// How many copies are asked for.
    pub copies: usize,
    /// What its holder keys are; none if it is bound to no key.
    pub key: Option<KeyType>,
}

/// How the issuer will know that the credential is for this person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// By the code in the offer, and a transaction code if one is described.
    PreAuthorized {
        /// What to ask the person for.
        tx_code: Option<TxCodePrompt>,
    },
    /// By a visit to its website.
    Browser,
}

/// How to ask for a transaction code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TxCodePrompt {
    /// Digits only.
    pub numeric: bool,
    /// Its length, if stated.
    pub length: Option<u64>,
    /// Where to find it: the issuer's words, cleaned.
    pub description: Option<String>,
}

impl TxCodePrompt {
    fn of(code: &TxCode) -> Self {
        Self {
            numeric: code.input_mode.as_deref() != Some("text"),
            length: code.length,
            description: code.description.as_deref().map(|text| clean(text, 300)),
        }
    }

    /// Checks a code before one of a few attempts is spent on it.
    ///
    /// # Errors
    /// [`IssuanceError::TxCodeForm`].
    pub fn check(&self, code: &str) -> Result<(), IssuanceError> {
        let length = code.chars().count();
        let described = self
            .length
            .is_none_or(|expected| usize::try_from(expected) == Ok(length));
        let digits = !self.numeric || code.bytes().all(|c| c.is_ascii_digit());
        if !passes(
            "WVC-04",
            described && digits && (1..=MAX_TX_CODE).contains(&length),
        ) {
            return Err(IssuanceError::TxCodeForm);
        }
        Ok(())
    }
}

/// What the holder is shown before anything is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The issuer's identifier.
    pub issuer: String,
    /// Its name, as it states it, cleaned.
    pub issuer_name: String,
    /// What is offered and can be held.
    pub credentials: Vec<Offered>,
    /// What is offered beside and cannot be held: name and format.
    pub skipped: Vec<(String, String)>,
    /// How it is had.
    pub authorization: Authorization,
}

/// What is offered and cannot be held: its name and its format.
pub(super) type Skipped = (String, String);

/// What can be held of these configurations, and what cannot.
pub(super) fn offered(
    ids: &[String],
    metadata: &IssuerMetadata,
    copies: usize,
) -> Result<(Vec<Offered>, Vec<Skipped>), IssuanceError> {
    let (mut held, mut skipped) = (Vec::new(), Vec::new());
    for id in ids {
        let found = metadata.credential_configurations_supported.get(id);
        let Some(found) = found else {
            return Err(IssuanceError::NotDescribed(clean(id, MAX_NAME)));
        };
        match (&*found.format, &found.vct) {
            (SD_JWT_VC_FORMAT, Some(vct)) => held.push(Offered {
                configuration: id.clone(),
                vct: vct.clone(),
                name: credential_name(found, vct),
                claims: claim_names(found),
                copies: copy_count(metadata, found, copies),
                key: holder_key(found)?,
            }),
            (format, _) => skipped.push((clean(id, MAX_NAME), clean(format, MAX_NAME))),
        }
    }
    match (held.is_empty(), skipped.first()) {
        (true, Some((_, format))) => Err(IssuanceError::Format(format.clone())),
        (true, None) => Err(IssuanceError::NotDescribed(String::new())),
        (false, _) => Ok((held, skipped)),
    }
}

/// The kind of holder key; `None` if the issuer binds to none.
fn holder_key(configuration: &CredentialConfiguration) -> Result<Option<KeyType>, IssuanceError> {
    if configuration.proof_types_supported.is_empty() {
        return Ok(None);
    }
    let jwt = configuration
        .proof_types_supported
        .get("jwt")
        .ok_or(IssuanceError::ProofType)?;
    if !passes("WVC-05", jwt.key_attestations_required.is_none()) {
        return Err(IssuanceError::KeyAttestation);
    }
    let supported = |kind: &KeyType| {
        let algorithm = kind.jose_algorithm();
        jwt.proof_signing_alg_values_supported
            .iter()
            .any(|name| name == algorithm)
    };
    let kind = KINDS.into_iter().find(supported);
    if !passes("WVC-06", kind.is_some()) {
        return Err(IssuanceError::ProofType);
    }
    Ok(Some(kind.unwrap_or(KeyType::P256)))
}

fn copy_count(metadata: &IssuerMetadata, configuration: &CredentialConfiguration, copies: usize) -> usize {
    if configuration.proof_types_supported.is_empty() {
        return 1;
    }
    let batch = metadata
        .batch_credential_issuance
        .map_or(1, |batch| batch.batch_size);
    usize::try_from(batch)
        .unwrap_or(usize::MAX)
        .clamp(1, copies.max(1))
}

/// The name a display list gives for a reader of English: in English, else without language, else any.
#[must_use]
pub fn display_name(display: &[Display]) -> Option<String> {
    let rank = |display: &&Display| match display.locale.as_deref() {
        Some(locale) if locale == "en" || locale.starts_with("en-") => 0,
        None => 1,
        Some(_) => 2,
    };
    let named = display.iter().filter(|display| display.name.is_some());
    let best = named.min_by_key(rank)?.name.as_deref()?;
    Some(clean(best, MAX_NAME)).filter(|name| !name.is_empty())
}

fn credential_name(configuration: &CredentialConfiguration, vct: &str) -> String {
    let display = configuration
        .credential_metadata
        .as_ref()
        .map(|metadata| &*metadata.display);
    let name = display_name(display.unwrap_or_default());
    name.unwrap_or_else(|| clean(vct, MAX_NAME))
}

/// The names that an issuer's metadata have for one of its configurations and its claims, cleaned.
pub(super) fn naming(metadata: &IssuerMetadata, configuration: &str) -> Naming {
    let found = metadata.credential_configurations_supported.get(configuration);
    let Some(described) = found.and_then(|found| found.credential_metadata.as_ref()) else {
        return Naming::default();
    };
    let claim = |claim: &ClaimDescription| {
        let path = serde_json::from_value(claim.path.clone().into()).ok()?;
        let names = local_names(&claim.display);
        (!names.is_empty()).then_some(ClaimNames { path, names })
    };
    Naming {
        documents: Vec::new(),
        names: local_names(&described.display),
        claims: described
            .claims
            .iter()
            .filter_map(claim)
            .take(MAX_CLAIMS)
            .collect(),
    }
}

fn local_names(display: &[Display]) -> Vec<LocalName> {
    let named = display.iter().filter_map(|display| {
        let name = clean(display.name.as_deref()?, MAX_NAME);
        let locale = display.locale.clone().filter(|tag| tag.len() <= MAX_LANGUAGE_TAG);
        (!name.is_empty()).then_some(LocalName { locale, name })
    });
    named.take(MAX_LANGUAGES).collect()
}

pub(super) fn issuer_name(metadata: &IssuerMetadata) -> String {
    display_name(&metadata.display).unwrap_or_else(|| clean(&metadata.credential_issuer, MAX_NAME))
}

fn claim_names(configuration: &CredentialConfiguration) -> Vec<String> {
    let claims = configuration
        .credential_metadata
        .iter()
        .flat_map(|metadata| &metadata.claims);
    let name = |claim: &ClaimDescription| {
        let path: Vec<_> = claim.path.iter().filter_map(serde_json::Value::as_str).collect();
        display_name(&claim.display).unwrap_or_else(|| clean(&path.join("."), MAX_NAME))
    };
    claims
        .map(name)
        .filter(|name| !name.is_empty())
        .take(MAX_CLAIMS)
        .collect()
}

/// The grant to use: the code in the offer if there is one, since it needs no browser; else what the
/// offer names, else what the server supports (OpenID4VCI 1.0 §4.1.1).
pub(super) fn authorization(
    offer: &CredentialOffer,
    server: &ServerMetadata,
) -> Result<Authorization, IssuanceError> {
    let browser = server.authorization_endpoint.is_some();
    if let Some(grant) = &offer.grants.pre_authorized_code
        && (server.supports_grant(PRE_AUTHORIZED_GRANT) || offer.grants.authorization_code.is_none())
    {
        return Ok(Authorization::PreAuthorized {
            tx_code: grant.tx_code.as_ref().map(TxCodePrompt::of),
        });
    }
    let wanted = offer.grants.authorization_code.is_some() || server.supports_grant("authorization_code");
    if wanted && browser {
        let methods = &server.code_challenge_methods_supported;
        let s256 = methods.is_empty() || methods.iter().any(|method| method == "S256");
        if !passes("WVC-08", s256) {
            return Err(IssuanceError::Pkce);
        }
        return Ok(Authorization::Browser);
    }
    Err(if wanted {
        IssuanceError::NoEndpoint(Endpoint::Authorization)
    } else {
        IssuanceError::Grant
    })
}
