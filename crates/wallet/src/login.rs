//! Logging in: judging who asks, choosing the one DID for that site, and answering.
//!
//! The wallet believes a request only if, under one fresh proof of the ledger, all of this holds:
//! the site's DID is active and sponsored; its sponsor is an active, accredited sign-in server; an
//! authentication key of the site signed the request; an assertion key of the sponsor signed the
//! statement that gives the site its name. Nothing is shown before, and nothing sent without consent.

use realdid_checks::passes;
use realdid_crypto::{Hash, PublicKey, base64url_encode};
use realdid_did::{Backing, Did, DocumentData, Entry, Purposes, Status};
use realdid_ledger::{Accreditation, LightError, ProvenState, Role, StateKey, state_key};
use realdid_openid::authorization_request::{
    RequestContext, RequestError, UnverifiedRequest, VerifiedRequest,
};
use realdid_openid::jws::{JwsError, Unverified};
use realdid_openid::dcql::LoginQuery;
use realdid_openid::openid4vp_link::WalletLink;
use realdid_openid::site_statement::{SiteClaims, SiteStatementError, UnverifiedStatement, VerifierInfo};
use url::Url;

/// Why a request is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The request itself.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The statement about the site.
    #[error(transparent)]
    Statement(#[from] SiteStatementError),
    /// Nobody states who the site is.
    #[error("the request comes without a statement of who the site is")]
    NoStatement,
    /// A DID in it is not one of this network.
    #[error("the request names a DID that is not one of this network")]
    OtherNetwork,
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
    /// The document data is not what the ledger names.
    #[error("the node's document data is not what the ledger names")]
    Document,
    /// The signing key is not the site's, or not for this use.
    #[error("the request or statement is not signed by a current key for that purpose")]
    Key,
    /// The answer would go elsewhere than where the request came from.
    #[error("the answer would go to {response}, but the request came from {request}")]
    ResponseElsewhere {
        /// Origin of the request.
        request: String,
        /// Origin of the answer.
        response: String,
    },
}

impl LoginError {
    /// The stable code, the same in every language and version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Request(error) => request_code(error),
            Self::Statement(_) => "site_statement_invalid",
            Self::NoStatement => "site_statement_missing",
            Self::OtherNetwork => "site_other_network",
            Self::Light(error) => error.code(),
            Self::SiteNotSponsored => "site_not_sponsored",
            Self::SponsorNotAccredited => "sponsor_not_accredited",
            Self::SponsorInactive => "sponsor_inactive",
            Self::Document => "document_mismatch",
            Self::Key => "request_key_not_current",
            Self::ResponseElsewhere { .. } => "response_uri_elsewhere",
        }
    }
}

const fn request_code(error: &RequestError) -> &'static str {
    match error {
        RequestError::OtherClient => "request_other_client",
        RequestError::Time => "request_expired",
        RequestError::ResponseUri(_) => "response_uri_invalid",
        RequestError::WalletNonce => "request_wallet_nonce",
        RequestError::Query(_) => "request_query_unsupported",
        _ => "request_invalid",
    }
}

/// A request as it was fetched; nothing about it is believed yet.
#[derive(Debug, Clone)]
pub struct FetchedRequest {
    request: UnverifiedRequest,
    statement: UnverifiedStatement,
    site: Did,
    sponsor: Did,
}

impl FetchedRequest {
    /// Takes a request object apart far enough to know what to ask the ledger about.
    ///
    /// # Errors
    /// [`LoginError::Request`], [`LoginError::NoStatement`], [`LoginError::Statement`],
    /// [`LoginError::OtherNetwork`].
    pub fn parse(
        request_object: &str,
        link: &WalletLink,
        network: &realdid_did::Network,
    ) -> Result<Self, LoginError> {
        #[derive(serde::Deserialize)]
        struct Stated {
            #[serde(default)]
            verifier_info: Vec<VerifierInfo>,
        }
        let request = UnverifiedRequest::parse(request_object, &link.client_id)?;
        let stated: Stated = Unverified::parse(request_object.trim())
            .and_then(|message| message.stated())
            .map_err(RequestError::from)?;
        let statement = UnverifiedStatement::find(&stated.verifier_info)?.ok_or(LoginError::NoStatement)?;
        let own = |text: &str| {
            let did: Did = text.parse().map_err(|_| LoginError::OtherNetwork)?;
            if did.network == *network {
                Ok(did)
            } else {
                Err(LoginError::OtherNetwork)
            }
        };
        let (site, sponsor) = (own(request.client_did().ok_or(LoginError::OtherNetwork)?)?, own(statement.issuer())?);
        Ok(Self {
            request,
            statement,
            site,
            sponsor,
        })
    }

    /// What must be proven before the request can be judged: the site, its sponsor, the accreditation.
    #[must_use]
    pub fn questions(&self) -> [StateKey; 3] {
        [
            state_key::did(&self.site.hash),
            state_key::did(&self.sponsor.hash),
            state_key::accreditation(&self.sponsor.hash),
        ]
    }

    /// Hashes of the document data of site and sponsor at `now` (Unix seconds), to be fetched. The
    /// data needs no trust: it is compared with the hash.
    ///
    /// # Errors
    /// [`LoginError::SiteNotSponsored`] or [`LoginError::SponsorInactive`] for a DID that is not on the
    /// ledger, [`LoginError::Light`].
    pub fn documents(&self, state: &ProvenState, now: u64) -> Result<[Hash; 2], LoginError> {
        let site = state.did(&self.site.hash)?.ok_or(LoginError::SiteNotSponsored)?;
        let sponsor = state
            .did(&self.sponsor.hash)?
            .ok_or(LoginError::SponsorInactive)?;
        Ok([site.at(now).document, sponsor.at(now).document])
    }

    /// Judges the request. `documents` belong to the hashes of [`Self::documents`].
    ///
    /// # Errors
    /// [`LoginError`], the first reason found.
    pub fn verify(
        self,
        state: &ProvenState,
        documents: &[DocumentData; 2],
        context: &LoginContext<'_>,
    ) -> Result<LoginRequest, LoginError> {
        let facts = SiteFacts {
            site: state.did(&self.site.hash)?,
            sponsor: state.did(&self.sponsor.hash)?,
            accreditation: state.accreditation(&self.sponsor.hash)?,
            epoch: state.epoch(),
        };
        self.judge(facts, documents, context)
    }

    pub(crate) fn judge(
        self,
        facts: SiteFacts,
        [site_data, sponsor_data]: &[DocumentData; 2],
        context: &LoginContext<'_>,
    ) -> Result<LoginRequest, LoginError> {
        let sponsor_name = facts.check(&self.sponsor, site_data, sponsor_data, context.now)?;
        let request_key = key(site_data, self.request.key_fragment(), Purposes::AUTHENTICATION)?;
        let request = self.request.verify(
            request_key,
            &RequestContext {
                client_id: &context.link.client_id,
                wallet_nonce: context.wallet_nonce,
                now: context.now,
                sandbox: context.sandbox,
            },
        )?;
        let sponsor = self.sponsor.to_string();
        let fragment = self
            .statement
            .kid()
            .and_then(|kid| kid.strip_prefix(&sponsor)?.strip_prefix('#'));
        let statement_key = key(
            sponsor_data,
            fragment.ok_or(LoginError::Key)?,
            Purposes::ASSERTION,
        )?;
        let charter = base64url_encode(context.charter.as_bytes());
        let statement =
            self.statement
                .verify(statement_key, &self.site.to_string(), &charter, context.now)?;
        check_origin(&context.link.request_uri, request.response_uri())?;
        let query = request.only_login()?.clone();
        Ok(LoginRequest {
            request,
            query,
            site: self.site,
            statement: statement.into_claims(),
            sponsor: self.sponsor,
            sponsor_name,
            epoch: facts.epoch,
        })
    }
}

/// What a wallet knows when it judges a request.
#[derive(Debug, Clone)]
pub struct LoginContext<'a> {
    /// The link that led to the request.
    pub link: &'a WalletLink,
    /// The nonce the wallet sent with its POST, if it did.
    pub wallet_nonce: Option<&'a str>,
    /// Hash of the pinned charter.
    pub charter: &'a Hash,
    /// Whether plain http on loopback will do.
    pub sandbox: bool,
    /// The time, in Unix seconds.
    pub now: u64,
}

/// What the ledger says about who asks.
pub(crate) struct SiteFacts {
    pub(crate) site: Option<Entry>,
    pub(crate) sponsor: Option<Entry>,
    pub(crate) accreditation: Option<Accreditation>,
    pub(crate) epoch: u64,
}

impl SiteFacts {
    /// Gives the sponsor's accredited name.
    fn check(
        &self,
        sponsor: &Did,
        site_data: &DocumentData,
        sponsor_data: &DocumentData,
        now: u64,
    ) -> Result<String, LoginError> {
        let active = |entry: &&Entry| entry.status(now) == Status::Active;
        let site = self
            .site
            .as_ref()
            .filter(active)
            .ok_or(LoginError::SiteNotSponsored)?;
        let sponsored = site.assurance.backing == Backing::Sponsor && site.assurance.by == sponsor.hash;
        if !passes("WAL-12", sponsored) {
            return Err(LoginError::SiteNotSponsored);
        }
        let accreditation = self.accreditation.as_ref();
        let accredited =
            accreditation.is_some_and(|found| found.in_force_as(Role::Signin));
        if !passes("WAL-13", accredited) {
            return Err(LoginError::SponsorNotAccredited);
        }
        let sponsor = self.sponsor.as_ref().ok_or(LoginError::SponsorInactive)?;
        if !passes("WAL-14", active(&sponsor)) {
            return Err(LoginError::SponsorInactive);
        }
        let told = site.at(now).document == site_data.hash()
            && sponsor.at(now).document == sponsor_data.hash();
        if !passes("WAL-15", told) {
            return Err(LoginError::Document);
        }
        Ok(accreditation.map(|found| found.name.clone()).unwrap_or_default())
    }
}

/// The key with this fragment, if it may be used for the purpose.
fn key<'a>(data: &'a DocumentData, fragment: &str, purpose: Purposes) -> Result<&'a PublicKey, LoginError> {
    let named = data.keys().iter().find(|key| key.key.to_multikey() == fragment);
    let named = named.ok_or(LoginError::Key)?;
    if passes("WAL-16", named.purposes.contains(purpose)) {
        Ok(&named.key)
    } else {
        Err(LoginError::Key)
    }
}

/// A request can be relayed, its answer must not be: it goes where the request came from.
fn check_origin(request: &Url, response: &Url) -> Result<(), LoginError> {
    let (request, response) = (request.origin(), response.origin());
    if passes("WAL-17", request == response) {
        Ok(())
    } else {
        let (request, response) = (request.ascii_serialization(), response.ascii_serialization());
        Err(LoginError::ResponseElsewhere { request, response })
    }
}

/// A request that was judged: who asks is proved.
#[derive(Debug, Clone)]
pub struct LoginRequest {
    request: VerifiedRequest,
    query: LoginQuery,
    site: Did,
    statement: SiteClaims,
    sponsor: Did,
    sponsor_name: String,
    epoch: u64,
}

impl LoginRequest {
    /// The request.
    #[must_use]
    pub const fn request(&self) -> &VerifiedRequest {
        &self.request
    }

    /// The login that is asked for.
    #[must_use]
    pub const fn query(&self) -> &LoginQuery {
        &self.query
    }

    /// The site's `client_id`: what a DID is pinned to.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.request.client_id().as_str()
    }

    /// The site's DID.
    #[must_use]
    pub const fn site(&self) -> &Did {
        &self.site
    }

    /// The site's name, on its sponsor's word.
    #[must_use]
    pub fn site_name(&self) -> &str {
        &self.statement.name
    }

    /// Where the site takes its visitors back: the origins of its redirect addresses.
    #[must_use]
    pub fn site_origins(&self) -> Vec<String> {
        let addresses = self
            .statement
            .redirect_uris
            .iter()
            .filter_map(|uri| Url::parse(uri).ok());
        let mut origins: Vec<_> = addresses.map(|uri| uri.origin().ascii_serialization()).collect();
        origins.sort_unstable();
        origins.dedup();
        origins
    }

    /// The sign-in server's DID.
    #[must_use]
    pub const fn sponsor(&self) -> &Did {
        &self.sponsor
    }

    /// The sign-in server's name, as the ledger accredits it.
    #[must_use]
    pub fn sponsor_name(&self) -> &str {
        &self.sponsor_name
    }

    /// The epoch of the ledger at the proof.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether the browser may be sent to this address after the login: only to where the answer
    /// went, or to the site itself.
    #[must_use]
    pub fn may_return_to(&self, address: &Url) -> bool {
        let origin = address.origin();
        let theirs = origin == self.request.response_uri().origin()
            || self.site_origins().contains(&origin.ascii_serialization());
        passes("WAL-18", theirs)
    }
}

impl From<JwsError> for LoginError {
    fn from(error: JwsError) -> Self {
        Self::Request(error.into())
    }
}
