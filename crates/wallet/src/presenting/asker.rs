//! Who asks: by what its request is signed, and what the network says about it.
//!
//! Three kinds of verifiers can prove who they are to a wallet that has never heard of them:
//!
//! * a **site** under an accredited sign-in server: its DID is on the ledger, and the server states
//!   its name. Only a site may ask for a login;
//! * an **organisation** of the network: its own DID is on the ledger, named by itself, or by the
//!   certificate that signs, whose key the DID's document then has to hold;
//! * anybody else, by a certificate or by a DID that is a key. What is proved of them is that the
//!   answer goes to whoever has that key; they are shown as **unregistered**.

use realdid_checks::passes;
use realdid_crypto::PublicKey;
use realdid_did::{Did, DocumentData, Entry, Network, Purposes, Status};
use realdid_jose::jwk::Jwk;
use realdid_jose::x5c::{Chain, X5cError};
use realdid_ledger::{Accreditation, LightError};
use realdid_openid::AddressError;
use realdid_openid::authorization_request::{RequestError, Signer, UnverifiedRequest};
use realdid_openid::jws::JwsError;
use realdid_openid::site_statement::{SiteStatementError, UnverifiedStatement};

/// Why a request is not believed, or not listened to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The request itself.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The statement about the site.
    #[error(transparent)]
    Statement(#[from] SiteStatementError),
    /// A login is asked for, and nobody states who the site is.
    #[error("the request comes without a statement of who the site is")]
    NoStatement,
    /// A DID in it is not one of this network.
    #[error("the request names a DID that is not one of this network")]
    OtherNetwork,
    /// The verifier names itself by a DID of a method that is not resolved here.
    #[error(
        "who asks names itself by a DID of the method `{0}`; this wallet can look up did:real, did:jwk and did:key alone"
    )]
    DidMethod(String),
    /// The proof does not cover what is needed.
    #[error(transparent)]
    Light(#[from] LightError),
    /// The site is not on the ledger, not in use, or not sponsored by who speaks for it.
    #[error("the site is not on the ledger under the sponsorship of the sign-in server that speaks for it")]
    SiteNotSponsored,
    /// The sponsor is not an accredited sign-in server, or no longer.
    #[error("the sign-in server that speaks for the site is not accredited")]
    SponsorNotAccredited,
    /// The sponsor's DID is not in use.
    #[error("the DID of the sign-in server is not in use")]
    SponsorInactive,
    /// The verifier's DID is not on the ledger, or not in use.
    #[error("the DID of who asks is not on the ledger, or not in use")]
    AskerInactive,
    /// The network has suspended the verifier, or struck it off.
    #[error("the network has suspended or struck off `{0}`, which asks")]
    AskerStruckOff(String),
    /// The document data is not what the ledger names.
    #[error("the node's document data is not what the ledger names")]
    Document,
    /// The signing key is not the one of who asks, or not for this use.
    #[error("the request or statement is not signed by a current key for that purpose")]
    Key,
    /// The certificates that come with the request.
    #[error("the certificate of who asks cannot be used: {0}")]
    Certificate(#[from] X5cError),
    /// The certificates do not hold now.
    #[error("the certificate of who asks has expired, or is not valid yet")]
    CertificateTime,
    /// The answer would go elsewhere than where the request came from.
    #[error("the answer would go to {response}, but the request came from {request}")]
    ResponseElsewhere {
        /// Origin of the request.
        request: String,
        /// Origin of the answer.
        response: String,
    },
}

impl AskError {
    /// The stable code, the same in every language and version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Request(error) => request_code(error),
            Self::Statement(_) => "site_statement_invalid",
            Self::NoStatement => "site_statement_missing",
            Self::OtherNetwork => "site_other_network",
            Self::DidMethod(_) => "verifier_did_method",
            Self::Light(error) => error.code(),
            Self::SiteNotSponsored => "site_not_sponsored",
            Self::SponsorNotAccredited => "sponsor_not_accredited",
            Self::SponsorInactive => "sponsor_inactive",
            Self::AskerInactive => "verifier_inactive",
            Self::AskerStruckOff(_) => "verifier_struck_off",
            Self::Document => "document_mismatch",
            Self::Key => "request_key_not_current",
            Self::Certificate(_) => "verifier_certificate",
            Self::CertificateTime => "verifier_certificate_expired",
            Self::ResponseElsewhere { .. } => "response_uri_elsewhere",
        }
    }
}

const fn request_code(error: &RequestError) -> &'static str {
    match error {
        RequestError::OtherClient => "request_other_client",
        RequestError::Time => "request_expired",
        RequestError::ResponseUri(AddressError::Insecure | AddressError::Form) => "response_uri_invalid",
        RequestError::ResponseHost => "response_uri_elsewhere",
        RequestError::WalletNonce => "request_wallet_nonce",
        RequestError::Query(_) => "request_query_unsupported",
        RequestError::Formats => "verifier_formats",
        RequestError::Transaction(_) => "transaction_unsupported",
        RequestError::Encryption => "request_encryption",
        _ => "request_invalid",
    }
}

impl From<JwsError> for AskError {
    fn from(error: JwsError) -> Self {
        Self::Request(error.into())
    }
}

/// By whom a request says it is.
#[derive(Debug, Clone)]
pub(crate) enum Stated {
    /// A site, and the sign-in server that speaks for it.
    Site {
        site: Did,
        sponsor: Did,
        statement: Box<UnverifiedStatement>,
    },
    /// An organisation in its own name.
    Organisation(Did),
    /// Somebody whose DID is a key.
    Key { did: String, key: PublicKey },
    /// Somebody with a certificate, which may lead to a DID of this network.
    Certificate { chain: Box<Chain>, did: Option<Did> },
}

impl Stated {
    pub(crate) fn of(request: &UnverifiedRequest, network: &Network) -> Result<Self, AskError> {
        match request.signer() {
            Signer::Certificates(chain) => {
                let did = chain.leaf().did().and_then(|did| own_did(did, network).ok());
                let chain = Box::new(chain.clone());
                Ok(Self::Certificate { chain, did })
            }
            Signer::Did { did, fragment } => Self::of_did(request, did, fragment, network),
        }
    }

    fn of_did(
        request: &UnverifiedRequest,
        did: &str,
        fragment: &str,
        network: &Network,
    ) -> Result<Self, AskError> {
        let method = did.split(':').nth(1).unwrap_or_default();
        if method != "real" {
            let key = key_of_did(method, did, fragment)?;
            let did = did.to_owned();
            return Ok(Self::Key { did, key });
        }
        let own = own_did(did, network)?;
        match UnverifiedStatement::find(&request.stated_verifier_info())? {
            None => Ok(Self::Organisation(own)),
            Some(statement) => Ok(Self::Site {
                site: own,
                sponsor: own_did(statement.issuer(), network)?,
                statement: Box::new(statement),
            }),
        }
    }

    /// The DID of this network that asks.
    pub(crate) const fn did(&self) -> Option<&Did> {
        match self {
            Self::Site { site: did, .. } | Self::Organisation(did) => Some(did),
            Self::Certificate { did, .. } => did.as_ref(),
            Self::Key { .. } => None,
        }
    }

    /// The DID whose accreditation counts: the sponsor's for a site, else the one that asks.
    pub(crate) const fn accountable(&self) -> Option<&Did> {
        match self {
            Self::Site { sponsor, .. } => Some(sponsor),
            _ => self.did(),
        }
    }
}

fn own_did(text: &str, network: &Network) -> Result<Did, AskError> {
    let did: Did = text.parse().map_err(|_| AskError::OtherNetwork)?;
    if did.network == *network {
        Ok(did)
    } else {
        Err(AskError::OtherNetwork)
    }
}

/// The key of a DID that is a key: did:jwk and did:key. Others would have to be fetched from
/// somewhere, on the word of nobody this wallet knows.
fn key_of_did(method: &str, did: &str, fragment: &str) -> Result<PublicKey, AskError> {
    let identifier = did.rsplit(':').next().unwrap_or_default();
    let (key, own) = match method {
        "jwk" => {
            let json = realdid_crypto::base64url_decode(identifier).map_err(|_| AskError::Key)?;
            let jwk = realdid_jose::json::parse_object(&json).ok_or(AskError::Key)?;
            let jwk: Jwk = serde_json::from_value(jwk.into()).map_err(|_| AskError::Key)?;
            (jwk.public_key().map_err(|_| AskError::Key)?, "0")
        }
        "key" => {
            let key = PublicKey::from_multikey(identifier).map_err(|_| AskError::Key)?;
            (key, identifier)
        }
        other => return Err(AskError::DidMethod(crate::names::clean(other, 32))),
    };
    if passes("WVP-01", fragment == own) {
        Ok(key)
    } else {
        Err(AskError::Key)
    }
}

/// Checks the certificates of somebody whose root nobody here has pinned: they hold together, and
/// now. That makes nobody known; it keeps out what is broken or over.
pub(crate) fn check_chain(chain: &Chain, now: u64) -> Result<(), AskError> {
    let (not_before, not_after) = chain.leaf().validity();
    if !passes("WVP-02", (not_before..=not_after).contains(&now)) {
        return Err(AskError::CertificateTime);
    }
    if !passes("WVP-03", chain.holds_together(now)) {
        return Err(AskError::Certificate(X5cError::Untrusted));
    }
    Ok(())
}

/// The key with this fragment, if it may be used for the purpose.
pub(crate) fn key<'a>(
    data: &'a DocumentData,
    fragment: &str,
    purpose: Purposes,
) -> Result<&'a PublicKey, AskError> {
    let named = data.keys().iter().find(|key| key.key.to_multikey() == fragment);
    let named = named.ok_or(AskError::Key)?;
    if passes("WAL-16", named.purposes.contains(purpose)) {
        Ok(&named.key)
    } else {
        Err(AskError::Key)
    }
}

/// How an organisation stands: its name if it is accredited, `None` if it never was.
pub(crate) fn standing(accreditation: Option<&Accreditation>) -> Result<Option<String>, AskError> {
    let Some(accreditation) = accreditation else {
        return Ok(None);
    };
    let name = accreditation.name.clone();
    if passes("WVP-04", accreditation.in_force()) {
        Ok(Some(name))
    } else {
        Err(AskError::AskerStruckOff(name))
    }
}

/// The entry of a verifier's own DID, if the DID is in use.
pub(crate) fn active(entry: Option<&Entry>, now: u64) -> Result<&Entry, AskError> {
    let entry = entry.ok_or(AskError::AskerInactive)?;
    if passes("WVP-05", entry.status(now) == Status::Active) {
        Ok(entry)
    } else {
        Err(AskError::AskerInactive)
    }
}

/// Who speaks for a site.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Sponsor {
    /// Its name, as the ledger accredits it.
    pub name: String,
    /// Its DID.
    pub did: Did,
}

/// Who asks, as far as it is proved.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Asker {
    /// Its client identifier: what a presentation is made for, and a DID pinned to.
    pub client_id: String,
    /// Its name: on its sponsor's word, as the ledger accredits it, or as its certificate has it.
    pub name: String,
    /// Whether the network knows it. If not, the name is its own word.
    pub registered: bool,
    /// Whether the request is signed by whoever it names. If not, nothing at all is known of who asks.
    pub proved: bool,
    /// Its DID, if it has one of this network.
    pub did: Option<Did>,
    /// Who speaks for it, if it is a site.
    pub sponsor: Option<Sponsor>,
    /// Where a site takes its visitors back.
    pub origins: Vec<String>,
    /// Where the answer goes: an origin.
    pub answer_to: String,
}
