//! A request on its way from a link to something that can be shown to the holder.

use realdid_checks::passes;
use realdid_crypto::Hash;
use realdid_did::{Did, DocumentData, Entry, Network, Purposes};
use realdid_jose::x5c::Chain;
use realdid_ledger::{Accreditation, Grant, ProvenState, StateKey, state_key};
use realdid_openid::authorization_request::{
    RequestClaims, RequestContext, RequestError, UnsignedRequest, UnverifiedRequest, VerifiedRequest,
};
use realdid_openid::jws::Unverified;
use realdid_openid::openid4vp_link::WalletLink;
use realdid_openid::registration::{MayAsk, OverAsked};
use realdid_openid::{ClientIdPrefix, check_address};
use url::Url;

use super::answer::{self, Answer};
use super::asker::{self, AskError, Asker, Stated};
use super::{rights, site};

/// A request as it was fetched; nothing about it is believed yet.
#[derive(Debug, Clone)]
pub struct FetchedRequest {
    pub(super) request: UnverifiedRequest,
    message: Unverified,
    pub(super) stated: Stated,
    types: Vec<String>,
}

/// What a wallet knows when it judges a request.
#[derive(Debug, Clone)]
pub struct PresentationContext<'a> {
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

/// What the ledger says about who asks. Outside of tests it is only made of [`ProvenState`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// The DID that asks.
    pub(crate) asker: Option<Entry>,
    /// Its sponsor's, if it is a site.
    pub(crate) sponsor: Option<Entry>,
    /// The sponsor's accreditation for a site, else the one of the DID that asks.
    pub(crate) accreditation: Option<Accreditation>,
    /// The rights to ask that count, under the types asked for.
    pub(crate) grants: Vec<(String, Grant)>,
    /// The epoch at the proof; 0 where nothing had to be proved.
    pub(crate) epoch: u64,
}

impl FetchedRequest {
    /// Takes a request object apart far enough to know what to ask the ledger about.
    ///
    /// # Errors
    /// [`AskError`].
    pub fn parse(request_object: &str, link: &WalletLink, network: &Network) -> Result<Self, AskError> {
        let request = UnverifiedRequest::parse(request_object, &link.client_id)?;
        let stated = Stated::of(&request, network)?;
        let message = Unverified::parse(request_object.trim())?;
        let claims: RequestClaims = message.stated()?;
        let types = rights::types_asked(&claims);
        Ok(Self {
            request,
            message,
            stated,
            types,
        })
    }

    /// What must be proven before the request can be judged; empty if the ledger knows nothing of who
    /// asks.
    #[must_use]
    pub fn questions(&self) -> Vec<StateKey> {
        let (Some(asker), Some(accountable)) = (self.stated.did(), self.stated.accountable()) else {
            return Vec::new();
        };
        let mut keys = vec![
            state_key::did(&asker.hash),
            state_key::did(&accountable.hash),
            state_key::accreditation(&accountable.hash),
        ];
        let rights = rights::to_ask(accountable, &self.types);
        keys.extend(rights.iter().map(|(_, right)| state_key::grant(right)));
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Hashes of the document data of who asks, and of its sponsor, at `now` (Unix seconds), to be
    /// fetched. The data needs no trust: it is compared with the hash. Empty if [`Self::questions`] is.
    ///
    /// # Errors
    /// [`AskError::SiteNotSponsored`], [`AskError::SponsorInactive`] or [`AskError::AskerInactive`] for
    /// a DID that is not on the ledger, [`AskError::Light`].
    pub fn documents(&self, state: &ProvenState, now: u64) -> Result<Vec<Hash>, AskError> {
        let document = |did: &Did, error: AskError| {
            let entry = state.did(&did.hash)?.ok_or(error)?;
            Ok(entry.at(now).document)
        };
        match &self.stated {
            Stated::Site { site, sponsor, .. } => Ok(vec![
                document(site, AskError::SiteNotSponsored)?,
                document(sponsor, AskError::SponsorInactive)?,
            ]),
            other => other
                .did()
                .map(|did| document(did, AskError::AskerInactive))
                .into_iter()
                .collect(),
        }
    }

    /// Judges the request. `state` covers [`Self::questions`], and is not needed if there are none;
    /// `documents` belong to the hashes of [`Self::documents`].
    ///
    /// # Errors
    /// [`AskError`], the first reason found.
    pub fn verify(
        &self,
        state: Option<&ProvenState>,
        documents: &[DocumentData],
        context: &PresentationContext<'_>,
    ) -> Result<PresentationRequest, AskError> {
        let facts = match state {
            Some(state) => self.facts(state)?,
            None => Facts::default(),
        };
        self.judge(&facts, documents, context)
    }

    fn facts(&self, state: &ProvenState) -> Result<Facts, AskError> {
        let (Some(asker), Some(accountable)) = (self.stated.did(), self.stated.accountable()) else {
            return Ok(Facts::default());
        };
        let mut grants = Vec::new();
        for (vct, right) in rights::to_ask(accountable, &self.types) {
            grants.extend(state.right(&right)?.map(|grant| (vct, grant)));
        }
        Ok(Facts {
            asker: state.did(&asker.hash)?,
            sponsor: state.did(&accountable.hash)?,
            accreditation: state.accreditation(&accountable.hash)?,
            grants,
            epoch: state.epoch(),
        })
    }

    pub(crate) fn judge(
        &self,
        facts: &Facts,
        documents: &[DocumentData],
        context: &PresentationContext<'_>,
    ) -> Result<PresentationRequest, AskError> {
        let (request, asker, may_ask) = match &self.stated {
            Stated::Site { .. } => site::judge(self, facts, documents, context)?,
            Stated::Organisation(did) => self.organisation(did, facts, documents, context)?,
            Stated::Key { did, key } => {
                let request = self.request.verify(key, &request_context(context))?;
                (request, unregistered(clean(did)), None)
            }
            Stated::Certificate { chain, did } => {
                self.certificate(chain, did.as_ref(), facts, documents, context)?
            }
        };
        check_login(&request, &asker)?;
        let over_asked = if asker.registered {
            rights::over_asked(&request, may_ask.as_deref(), &facts.grants)
        } else {
            Vec::new()
        };
        let asker = Asker {
            client_id: request.client_id().as_str().to_owned(),
            answer_to: request.response_uri().origin().ascii_serialization(),
            ..asker
        };
        let (from, to) = (context.link.request_uri.origin(), request.response_uri().origin());
        Ok(PresentationRequest {
            asker,
            answers_elsewhere: from != to,
            request,
            over_asked,
            epoch: facts.epoch,
        })
    }

    /// What tells the verifier why its request is refused, if it may be told at all: its signature was
    /// found good, and the answer would go where the request came from. To any other address nothing
    /// is sent.
    #[must_use]
    pub fn refusal(&self, error: &AskError, context: &PresentationContext<'_>) -> Option<Answer> {
        let AskError::Request(error) = error else {
            return None;
        };
        // These are found after the signature.
        let signed = matches!(
            error,
            RequestError::Formats
                | RequestError::Transaction(_)
                | RequestError::Query(_)
                | RequestError::Encryption
                | RequestError::ResponseMode
        );
        let address: ReturnAddress = self.message.stated().ok()?;
        let response_uri = check_address(&address.response_uri, context.sandbox).ok()?;
        let same = response_uri.origin() == context.link.request_uri.origin();
        passes("WVP-13", signed && same)
            .then(|| answer::refusal(response_uri, address.state.as_deref(), error.response_code()))
    }

    /// Somebody who names itself by a DID of this network, in its own name.
    fn organisation(
        &self,
        did: &Did,
        facts: &Facts,
        documents: &[DocumentData],
        context: &PresentationContext<'_>,
    ) -> Result<Judged, AskError> {
        let document = own_document(facts, documents, context.now)?;
        let key = asker::key(document, self.request.key_fragment(), Purposes::AUTHENTICATION)?;
        let request = self.request.verify(key, &request_context(context))?;
        check_origin(&context.link.request_uri, request.response_uri())?;
        let name = asker::standing(facts.accreditation.as_ref())?;
        let asker = Asker {
            registered: name.is_some(),
            did: Some(did.clone()),
            ..unregistered(name.unwrap_or_else(|| did.to_string()))
        };
        Ok((request, asker, None))
    }

    /// Somebody with a certificate. If it names a DID of this network whose document holds the
    /// certificate's key, it is that organisation; else nobody here knows it.
    fn certificate(
        &self,
        chain: &Chain,
        did: Option<&Did>,
        facts: &Facts,
        documents: &[DocumentData],
        context: &PresentationContext<'_>,
    ) -> Result<Judged, AskError> {
        asker::check_chain(chain, context.now)?;
        let key = chain.leaf().key()?;
        let request = self.request.verify(key, &request_context(context))?;
        let stranger = unregistered(certified_name(&request, chain));
        let Some(did) = did else {
            return Ok((request, stranger, None));
        };
        let document = own_document(facts, documents, context.now)?;
        let mut own = document.keys().iter();
        let held = own.any(|own| own.key == *key && own.purposes.contains(Purposes::AUTHENTICATION));
        if !passes("WVP-07", held) {
            return Err(AskError::Key);
        }
        let name = asker::standing(facts.accreditation.as_ref())?;
        let asker = Asker {
            registered: name.is_some(),
            did: Some(did.clone()),
            name: name.unwrap_or(stranger.name),
            ..stranger
        };
        Ok((request, asker, None))
    }
}

/// Where an error may go, once a signature has been found good.
#[derive(Debug, Clone, serde::Deserialize)]
struct ReturnAddress {
    response_uri: String,
    #[serde(default)]
    state: Option<String>,
}

/// A request that holds, who is proved to ask, and for a site what its sponsor says it may ask.
pub(super) type Judged = (VerifiedRequest, Asker, Option<Vec<MayAsk>>);

/// The DNS name in a certificate. The client identifier is one, or the hash of the certificate.
fn certified_name(request: &VerifiedRequest, chain: &Chain) -> String {
    let client = request.client_id();
    if client.prefix() == ClientIdPrefix::X509SanDns {
        return client.identifier().to_owned();
    }
    match chain.leaf().dns_names() {
        [] => "somebody whose certificate names nobody".to_owned(),
        [first, ..] => clean(first),
    }
}

/// Document data of a DID that asks in its own name, as the ledger names it.
fn own_document<'a>(
    facts: &Facts,
    documents: &'a [DocumentData],
    now: u64,
) -> Result<&'a DocumentData, AskError> {
    let entry = asker::active(facts.asker.as_ref(), now)?;
    let document = documents.first().ok_or(AskError::Document)?;
    if passes("WVP-08", entry.at(now).document == document.hash()) {
        Ok(document)
    } else {
        Err(AskError::Document)
    }
}

pub(super) fn request_context<'a>(context: &PresentationContext<'a>) -> RequestContext<'a> {
    RequestContext {
        client_id: &context.link.client_id,
        request_uri: context.link.request_uri.as_str(),
        wallet_nonce: context.wallet_nonce,
        now: context.now,
        sandbox: context.sandbox,
    }
}

/// Only a site, for which a sign-in server speaks, may ask for a login.
fn check_login(request: &VerifiedRequest, asker: &Asker) -> Result<(), AskError> {
    if passes("WVP-06", request.login().is_none() || asker.sponsor.is_some()) {
        Ok(())
    } else {
        Err(AskError::NoStatement)
    }
}

fn unregistered(name: String) -> Asker {
    Asker {
        client_id: String::new(),
        name,
        registered: false,
        proved: true,
        did: None,
        sponsor: None,
        origins: Vec::new(),
        answer_to: String::new(),
    }
}

fn clean(name: &str) -> String {
    crate::names::clean(name, crate::names::MAX_NAME)
}

/// A request can be relayed, its answer must not be: it goes where the request came from.
pub(super) fn check_origin(request: &Url, response: &Url) -> Result<(), AskError> {
    let (request, response) = (request.origin(), response.origin());
    if passes("WAL-17", request == response) {
        Ok(())
    } else {
        let (request, response) = (request.ascii_serialization(), response.ascii_serialization());
        Err(AskError::ResponseElsewhere { request, response })
    }
}

/// A request that was judged: who asks is proved.
#[derive(Debug, Clone)]
pub struct PresentationRequest {
    asker: Asker,
    request: VerifiedRequest,
    over_asked: Vec<OverAsked>,
    answers_elsewhere: bool,
    epoch: u64,
}

impl PresentationRequest {
    /// Takes a request that nobody signed (OpenID4VP 1.0 §5.9.3, `redirect_uri`). Nothing is known of who
    /// asks but where the answer would go. `now` in Unix seconds.
    ///
    /// # Errors
    /// [`AskError::Request`], [`AskError::NoStatement`] if a login is asked for.
    pub fn unsigned(request: &UnsignedRequest, sandbox: bool, now: u64) -> Result<Self, AskError> {
        let request = request.check(now, sandbox)?;
        let asker = Asker {
            client_id: request.client_id().as_str().to_owned(),
            answer_to: request.response_uri().origin().ascii_serialization(),
            proved: false,
            ..unregistered("an unknown, unverified verifier".to_owned())
        };
        check_login(&request, &asker)?;
        Ok(Self {
            asker,
            request,
            over_asked: Vec::new(),
            answers_elsewhere: false,
            epoch: 0,
        })
    }

    /// Who asks.
    #[must_use]
    pub const fn asker(&self) -> &Asker {
        &self.asker
    }

    /// The request.
    #[must_use]
    pub const fn request(&self) -> &VerifiedRequest {
        &self.request
    }

    /// What a verifier of the network asks for without being registered for it. Of a verifier that
    /// the network does not know nothing is registered at all, and this is empty.
    #[must_use]
    pub fn over_asked(&self) -> &[OverAsked] {
        &self.over_asked
    }

    /// Whether the answer goes to another origin than the request came from.
    #[must_use]
    pub const fn answers_elsewhere(&self) -> bool {
        self.answers_elsewhere
    }

    /// The epoch of the ledger at the proof; 0 if nothing had to be proved.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether the browser may be sent to this address after the answer. After a login only to where
    /// the answer went, or to the site itself; else to any web address that may be contacted, as who
    /// asked chooses it and has the answer already.
    #[must_use]
    pub fn may_return_to(&self, address: &Url, sandbox: bool) -> bool {
        let origin = address.origin();
        let theirs = origin == self.request.response_uri().origin()
            || self.asker.origins.contains(&origin.ascii_serialization());
        let bound = self.asker.sponsor.is_some();
        let mut plain = address.clone();
        plain.set_fragment(None);
        let web = realdid_openid::check_address(plain.as_str(), sandbox).is_ok();
        passes("WAL-18", theirs || !bound) && passes("WVP-09", web)
    }
}
