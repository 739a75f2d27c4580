//! Credential offers (OpenID4VCI 1.0 §4.1): a link that holds one, or the address of one.

use realdid_checks::passes;
use realdid_jose::json::parse_object;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::address::{AddressError, check_address};

/// Scheme that every wallet listens to.
pub const SCHEME: &str = "openid-credential-offer";
/// Longest link, and longest offer behind one, in bytes.
pub const MAX_OFFER: usize = 16 * 1024;
/// Longest description of a transaction code, in characters (§4.1.1).
pub const MAX_DESCRIPTION: usize = 300;
/// Most configurations in an offer.
const MAX_CONFIGURATIONS: usize = 32;

/// Why an offer is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// Longer than [`MAX_OFFER`], or neither a link nor JSON of the required form.
    #[error("this is not a credential offer")]
    Form,
    /// Both `credential_offer` and `credential_offer_uri`, or neither, or one of them twice.
    #[error("the link must have either credential_offer or credential_offer_uri, once")]
    OneOf,
    /// An address in it may not be contacted.
    #[error("the offer names an address that may not be contacted: {0}")]
    Address(#[from] AddressError),
    /// The issuer's identifier has a query or fragment.
    #[error("the offer's credential_issuer has a query")]
    Issuer,
    /// No configuration, or one of them twice.
    #[error("the offer names no credential, or one of them twice")]
    Configurations,
    /// The description of the transaction code is longer than 300 characters.
    #[error("the description of the transaction code is too long")]
    Description,
}

/// What is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialOffer {
    /// Identifier of the issuer.
    pub credential_issuer: String,
    /// Which credentials, by the names of the issuer's metadata.
    pub credential_configuration_ids: Vec<String>,
    /// How to get them; empty: as the authorization server's metadata says.
    #[serde(default, skip_serializing_if = "Grants::is_empty")]
    pub grants: Grants,
}

/// The grants an offer is prepared for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// By authorization code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_code: Option<AuthorizationCodeGrant>,
    /// By pre-authorized code.
    #[serde(
        default,
        rename = "urn:ietf:params:oauth:grant-type:pre-authorized_code",
        skip_serializing_if = "Option::is_none"
    )]
    pub pre_authorized_code: Option<PreAuthorizedGrant>,
}

impl Grants {
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.authorization_code.is_none() && self.pre_authorized_code.is_none()
    }
}

/// Parameters of the authorization code grant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationCodeGrant {
    /// To be sent with the authorization request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_state: Option<String>,
    /// Which of several authorization servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_server: Option<String>,
}

/// Parameters of the pre-authorized code grant.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreAuthorizedGrant {
    /// The code.
    #[serde(rename = "pre-authorized_code")]
    pub pre_authorized_code: String,
    /// Whether and which transaction code is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tx_code: Option<TxCode>,
    /// Which of several authorization servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_server: Option<String>,
}

/// The code is as good as a key: it is not printed.
impl std::fmt::Debug for PreAuthorizedGrant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PreAuthorizedGrant")
            .field("tx_code", &self.tx_code)
            .finish_non_exhaustive()
    }
}

/// How a transaction code looks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxCode {
    /// `numeric` (the default) or `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_mode: Option<String>,
    /// Its length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// Where the person finds it: shown as it is, so it may lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl CredentialOffer {
    /// Reads an offer; `sandbox` allows http on loopback.
    ///
    /// # Errors
    /// [`OfferError`].
    pub fn parse(json: &[u8], sandbox: bool) -> Result<Self, OfferError> {
        if json.len() > MAX_OFFER {
            return Err(OfferError::Form);
        }
        let object = parse_object(json).ok_or(OfferError::Form)?;
        let offer: Self = serde_json::from_value(Value::Object(object)).map_err(|_| OfferError::Form)?;
        let issuer = check_address(&offer.credential_issuer, sandbox)?;
        if !passes("VCI-01", issuer.query().is_none()) {
            return Err(OfferError::Issuer);
        }
        let mut ids = offer.credential_configuration_ids.clone();
        ids.sort_unstable();
        ids.dedup();
        let unique = ids.len() == offer.credential_configuration_ids.len();
        let some = (1..=MAX_CONFIGURATIONS).contains(&ids.len());
        if !passes("VCI-02", unique && some) {
            return Err(OfferError::Configurations);
        }
        let short = |code: &TxCode| {
            let text = code.description.as_ref();
            text.is_none_or(|text| text.chars().count() <= MAX_DESCRIPTION)
        };
        if !passes("VCI-03", offer.tx_code().is_none_or(short)) {
            return Err(OfferError::Description);
        }
        Ok(offer)
    }

    /// The transaction code it asks for.
    #[must_use]
    pub fn tx_code(&self) -> Option<&TxCode> {
        self.grants.pre_authorized_code.as_ref()?.tx_code.as_ref()
    }

    /// The link that holds the offer itself.
    #[must_use]
    pub fn link(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        link("credential_offer", &json)
    }
}

/// The link that holds the address of an offer.
#[must_use]
pub fn link_to(address: &str) -> String {
    link("credential_offer_uri", address)
}

fn link(name: &str, value: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair(name, value)
        .finish();
    // In a query, `+` is a space to some readers and a plus to others.
    format!("{SCHEME}://?{}", query.replace('+', "%20"))
}

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferLink {
    /// The offer itself.
    Value(Box<CredentialOffer>),
    /// Where it can be fetched, by GET, as `application/json`.
    Reference(Url),
}

impl OfferLink {
    /// Reads a link of any scheme: wallets are also called by `haip://` or an https address of theirs.
    ///
    /// # Errors
    /// [`OfferError`].
    pub fn parse(link: &str, sandbox: bool) -> Result<Self, OfferError> {
        if link.len() > MAX_OFFER {
            return Err(OfferError::Form);
        }
        let url = Url::parse(link).map_err(|_| OfferError::Form)?;
        let mut values = url
            .query_pairs()
            .filter(|(name, _)| name == "credential_offer" || name == "credential_offer_uri");
        let (name, value) = values.next().ok_or(OfferError::OneOf)?;
        if !passes("VCI-04", values.next().is_none()) {
            return Err(OfferError::OneOf);
        }
        if name == "credential_offer" {
            CredentialOffer::parse(value.as_bytes(), sandbox).map(|offer| Self::Value(Box::new(offer)))
        } else {
            Ok(Self::Reference(check_address(&value, sandbox)?))
        }
    }
}
