//! Credentials as shown: taken apart, nothing believed yet.

use realdid_checks::passes;
use realdid_credential::vc::UnverifiedVc;
use realdid_crypto::{PublicKey, base64url_encode, sha256};
use realdid_did::{Did, Network};
use realdid_jose::x5c::Chain;
use realdid_openid::ClientId;
use realdid_openid::authorization_request::TransactionData;
use realdid_openid::dcql::answer::Answer;
use realdid_openid::dcql::{CheckedQuery, SD_JWT_VC};
use serde_json::Value;

use super::CredentialRefusal;

/// What a verifier expects of the credentials in an answer.
#[derive(Debug, Clone)]
pub struct CredentialExpectation {
    /// The network's name.
    pub network: Network,
    /// What was asked for.
    pub query: CheckedQuery,
    /// What was to be authorised.
    pub transactions: Vec<TransactionData>,
    /// The verifier's client identifier, with its prefix.
    pub client_id: ClientId,
    /// The nonce of the request that is answered.
    pub nonce: String,
    /// How old what is known of issuers may be, in seconds.
    pub max_age: u64,
    /// How old a status list may be, in seconds.
    pub status_max_age: u64,
}

/// How a credential says its issuer's key is to be found.
#[derive(Debug, Clone)]
pub enum IssuerClue {
    /// A key of a DID: by `kid`, by the certificate's URI, or by the issuer's published metadata.
    Did {
        /// The DID.
        did: Did,
        /// The key, which the DID's document has to hold.
        key: PublicKey,
    },
    /// Certificates that name no DID.
    Certificates,
    /// Metadata at an https address (`iss`), still to be looked up: see [`ShownCredential::found_key`].
    Web {
        /// The issuer.
        issuer: String,
        /// Which of its keys.
        kid: Option<String>,
    },
    /// A key of the metadata at an https address, which names no DID.
    WebKey {
        /// The issuer.
        issuer: String,
        /// The key.
        key: PublicKey,
    },
}

/// One presentation.
#[derive(Debug, Clone)]
pub struct ShownCredential {
    pub(super) query_id: String,
    pub(super) vc: UnverifiedVc,
    pub(super) chain: Option<Chain>,
    pub(super) clue: IssuerClue,
    text_hash: String,
}

/// All presentations of credentials in an answer.
#[derive(Debug, Clone)]
pub struct ShownCredentials(pub Vec<ShownCredential>);

impl ShownCredentials {
    /// Takes apart every presentation that answers a query for SD-JWT VC.
    ///
    /// # Errors
    /// [`CredentialRefusal`].
    pub fn read(answer: &Answer, expectation: &CredentialExpectation) -> Result<Self, CredentialRefusal> {
        let format = |id: &str| {
            expectation
                .query
                .credential(id)
                .map(|query| query.format.as_str())
        };
        let shown = answer
            .presentations()
            .filter(|(id, _)| format(id) == Some(SD_JWT_VC));
        shown
            .map(|(id, text)| ShownCredential::read(id, text, &expectation.network))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// What a login in the same answer has to bind: SHA-256 of each presentation, base64url, sorted.
    #[must_use]
    pub fn hashes(&self) -> Vec<String> {
        let mut hashes: Vec<_> = self.0.iter().map(|shown| shown.text_hash.clone()).collect();
        hashes.sort_unstable();
        hashes
    }
}

impl ShownCredential {
    fn read(query_id: &str, text: &str, network: &Network) -> Result<Self, CredentialRefusal> {
        let vc = UnverifiedVc::parse(text)?;
        let chain = vc.issuer().x5c.map(Chain::parse).transpose()?;
        let clue = clue(&vc, chain.as_ref(), network)?;
        Ok(Self {
            query_id: query_id.to_owned(),
            chain,
            clue,
            text_hash: presentation_hash(text),
            vc,
        })
    }

    /// How its issuer's key is to be found.
    #[must_use]
    pub const fn clue(&self) -> &IssuerClue {
        &self.clue
    }

    /// The certificates it carries; nothing about them is checked.
    #[must_use]
    pub const fn chain(&self) -> Option<&Chain> {
        self.chain.as_ref()
    }

    /// The algorithm it says it is signed with.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        self.vc.sd_jwt().jwt().algorithm()
    }

    /// The type it says it is of.
    #[must_use]
    pub fn vct(&self) -> &str {
        self.vc.vct()
    }

    /// Where it says its status stands.
    #[must_use]
    pub fn status_uri(&self) -> Option<&str> {
        let list = self.vc.sd_jwt().stated("status")?.get("status_list")?;
        list.get("uri").and_then(Value::as_str)
    }

    /// The key that the metadata of its issuer ([`IssuerClue::Web`]) holds under the name it asks for,
    /// with that name. Where the name is a DID URL, it is the DID that has to vouch for the key.
    ///
    /// # Errors
    /// [`CredentialRefusal::OtherNetwork`].
    pub fn found_key(
        &mut self,
        key: PublicKey,
        name: Option<&str>,
        network: &Network,
    ) -> Result<(), CredentialRefusal> {
        let IssuerClue::Web { issuer, .. } = &self.clue else {
            return Ok(());
        };
        let issuer = issuer.clone();
        self.clue = match name.and_then(|name| name.split_once('#')) {
            Some((did, _)) if did.starts_with("did:") => IssuerClue::Did {
                did: own_did(did, network)?,
                key,
            },
            _ => IssuerClue::WebKey { issuer, key },
        };
        Ok(())
    }
}

/// The hash of a presentation by which a login in the same answer binds it: SHA-256, base64url.
#[must_use]
pub fn presentation_hash(text: &str) -> String {
    base64url_encode(sha256(text.as_bytes()).0)
}

/// In this order: a DID in `kid`, a DID in the certificate, other certificates, an https issuer.
fn clue(
    vc: &UnverifiedVc,
    chain: Option<&Chain>,
    network: &Network,
) -> Result<IssuerClue, CredentialRefusal> {
    let issuer = vc.issuer();
    if let Some((did, fragment)) = issuer
        .kid
        .and_then(|kid| kid.split_once('#'))
        .filter(|(did, _)| did.starts_with("did:"))
    {
        let key = PublicKey::from_multikey(fragment).map_err(|_| CredentialRefusal::IssuerKey)?;
        return Ok(IssuerClue::Did {
            did: own_did(did, network)?,
            key,
        });
    }
    if let Some(chain) = chain {
        return Ok(match chain.leaf().did() {
            Some(did) => IssuerClue::Did {
                did: own_did(did, network)?,
                key: *chain.leaf().key()?,
            },
            None => IssuerClue::Certificates,
        });
    }
    let web = issuer
        .iss
        .filter(|iss| iss.starts_with("https://") || iss.starts_with("http://"));
    if !passes("CRD-01", web.is_some()) {
        return Err(CredentialRefusal::IssuerUnknown);
    }
    Ok(IssuerClue::Web {
        issuer: web.unwrap_or_default().to_owned(),
        kid: issuer.kid.map(str::to_owned),
    })
}

fn own_did(text: &str, network: &Network) -> Result<Did, CredentialRefusal> {
    let did: Option<Did> = text.parse().ok();
    if !passes("CRD-02", did.as_ref().is_some_and(|did| did.network == *network)) {
        return Err(CredentialRefusal::OtherNetwork);
    }
    did.ok_or(CredentialRefusal::OtherNetwork)
}
