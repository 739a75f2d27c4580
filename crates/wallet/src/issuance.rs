//! Getting credentials from an issuer: OpenID4VCI 1.0, the wallet's part.
//!
//! [`Issuance`] is a machine that does nothing itself. It says what the next [`Step`] is; whoever runs
//! it fetches, asks or shows, and tells it what came of that:
//!
//! ```text
//! offer ─ issuer's metadata ─ server's metadata ─ Agree ┬─ token ──────────────────┐
//!                                                       └─ push ─ Browse ─ token ──┤
//!   ┌──────────────────────────────────────────────────────────────────────────────┘
//!   └─ nonce ─ credential ┬───────────────────────────┬─ Resolve ─ Store ─ notification ─ Done
//!                         └─ Wait ─ deferred ─ … ─────┘
//!
//! Between Resolve and Store, what the credential's type says of itself is looked for: Describe.
//! ```
//!
//! Nothing is believed because it was offered: what an issuer states of itself is shown as its own
//! words, and what it issues is checked ([`judge`]) against the key that the ledger, its certificate
//! or its published keys give. From the token on, [`Issuance::unsaved`] gives what has to be stored so
//! that a crash costs nothing.

mod authorize;
mod collect;
mod describe;
mod encryption;
mod error;
mod exchange;
pub mod issuer;
pub mod judge;
mod pending;
mod plan;

use rand_core::CryptoRng;
use realdid_openid::oauth::{ServerMetadata, TokenRequest, server_metadata};
use realdid_openid::vci::{CredentialOffer, IssuerMetadata, OfferLink, issuer_metadata};
use url::Url;

use crate::credentials::{HeldCredential, NewCredential};
use crate::root::Secret;
use authorize::Visit;
use collect::Collecting;
pub use describe::TypeDocument;
use encryption::Encrypting;
pub use error::IssuanceError;
pub use exchange::{Body, Endpoint, Fetch, Fetched, MAX_ANSWER};
use exchange::{DpopKey, endpoint_url};
pub use judge::{IssuerKey, IssuerReference, JudgeError};
pub use pending::PendingIssuance;
pub use plan::{
    Authorization, DEFAULT_COPIES, Offered as OfferedCredential, Preview, TxCodePrompt, display_name,
};
use plan::{Offered, authorization, issuer_name, offered};

/// The name by which the wallet calls itself where a server wants one.
pub const CLIENT_ID: &str = "realdid-wallet";
/// Second place to look for a server's metadata: those that are OpenID providers first.
const OPENID_CONFIGURATION: &str = "openid-configuration";

/// How an issuance is to go.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether plain http on loopback is allowed.
    pub sandbox: bool,
    /// Where the browser comes back to, should it be needed.
    pub redirect_uri: Option<String>,
    /// The name under which the issuer's server knows this wallet, if it wants to know it.
    pub client_id: Option<String>,
    /// How many copies to ask for, at most.
    pub copies: usize,
}

/// What has to be done next.
#[derive(Debug)]
pub enum Step {
    /// Make this request and give the answer to [`Issuance::received`].
    Fetch(Fetch),
    /// Show this to the holder and, if they agree, call [`Issuance::agreed`].
    Agree(Box<Preview>),
    /// Send the holder's browser here and give the address it comes back with to
    /// [`Issuance::returned`].
    Browse(Url),
    /// Ask again after this time, in Unix seconds: call [`Issuance::waited`] then, or leave it to
    /// another day and [`Issuance::resume`].
    Wait(u64),
    /// Find the issuer's key, and how it stands; give them to [`Issuance::resolved`].
    Resolve(IssuerReference),
    /// Look for this document and give it to [`Issuance::described`], or `None` if it is not to be had:
    /// nothing depends on it. Only a fetch at issuance tells nobody that the credential is shown.
    Describe(TypeDocument),
    /// Store this, if the holder wants it; tell [`Issuance::stored`].
    Store(Box<Received>),
    /// There is nothing left to do.
    Done,
}

/// A credential that has been checked.
#[derive(Debug, Clone)]
pub struct Received {
    /// What to keep.
    pub credential: NewCredential,
    /// The credential whose copies it replaces.
    pub replaces: Option<u32>,
}

/// What became of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is stored.
    Stored,
    /// The holder did not want it.
    Declined,
    /// It could not be stored.
    Failed,
}

#[derive(Debug)]
enum Stage {
    Offer(Url),
    IssuerMetadata,
    ServerMetadata(&'static str),
    Agree(Box<Preview>),
    Push(Box<Visit>),
    Browse(Box<Visit>, Url),
    Token(TokenRequest),
    Collect(Collecting),
}

/// An issuance under way.
#[derive(Debug)]
pub struct Issuance {
    options: Options,
    offer: Option<CredentialOffer>,
    issuer: String,
    metadata: Option<IssuerMetadata>,
    server: Option<ServerMetadata>,
    wanted: Vec<Offered>,
    /// A held credential to be refreshed by its token.
    refreshed: Option<HeldCredential>,
    /// The number of a held credential whose copies are to be replaced.
    replaces: Option<u32>,
    dpop: Option<DpopKey>,
    pending: Option<PendingIssuance>,
    encrypting: Option<Encrypting>,
    unsaved: bool,
    /// The last request was sent again already.
    repeated: bool,
    stage: Stage,
}

impl Issuance {
    /// Begins with an offer link: `openid-credential-offer://…`, or any other address that holds an
    /// offer or a reference to one.
    ///
    /// # Errors
    /// [`IssuanceError::Offer`].
    pub fn begin(link: &str, options: Options) -> Result<Self, IssuanceError> {
        match OfferLink::parse(link.trim(), options.sandbox)? {
            OfferLink::Value(offer) => Ok(Self::of_offer(*offer, options)),
            OfferLink::Reference(url) => Ok(Self::at(Stage::Offer(url), String::new(), options)),
        }
    }

    /// Begins with an offer that is at hand.
    #[must_use]
    pub fn of_offer(offer: CredentialOffer, options: Options) -> Self {
        let issuer = offer.credential_issuer.clone();
        Self {
            offer: Some(offer),
            ..Self::at(Stage::IssuerMetadata, issuer, options)
        }
    }

    /// Fetches fresh copies of a credential by its refresh token.
    ///
    /// # Errors
    /// [`IssuanceError::NoRefresh`].
    pub fn refresh(held: &HeldCredential, options: Options) -> Result<Self, IssuanceError> {
        if held.renewal.refresh_token.is_none() {
            return Err(IssuanceError::NoRefresh);
        }
        Ok(Self {
            refreshed: Some(held.clone()),
            replaces: Some(held.id),
            dpop: held.renewal.dpop_key.clone().map(DpopKey::new),
            ..Self::at(Stage::IssuerMetadata, held.issuer.identifier.clone(), options)
        })
    }

    /// The offer is for a credential that is held already: what comes takes its place.
    #[must_use]
    pub const fn replacing(mut self, id: u32) -> Self {
        self.replaces = Some(id);
        self
    }

    /// Goes on with an issuance that was stored.
    #[must_use]
    pub fn resume(pending: PendingIssuance, options: Options) -> Self {
        Self {
            dpop: pending.dpop_key.clone().map(DpopKey::new),
            ..Self::at(Stage::IssuerMetadata, pending.issuer.clone(), options)
        }
        .with(pending)
    }

    fn with(mut self, pending: PendingIssuance) -> Self {
        self.pending = Some(pending);
        self
    }

    const fn at(stage: Stage, issuer: String, options: Options) -> Self {
        Self {
            options,
            offer: None,
            issuer,
            metadata: None,
            server: None,
            wanted: Vec::new(),
            refreshed: None,
            replaces: None,
            dpop: None,
            pending: None,
            encrypting: None,
            unsaved: false,
            repeated: false,
            stage,
        }
    }

    /// The issuer's identifier, once the offer is known.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What has to be stored now, so that a crash costs nothing; `None` if nothing has changed. Once
    /// [`Step::Done`] is reached, [`crate::Wallet::end_issuance`] forgets it.
    pub fn unsaved(&mut self) -> Option<PendingIssuance> {
        std::mem::take(&mut self.unsaved)
            .then(|| self.pending.clone())
            .flatten()
    }

    /// The stored issuance's name, once there is a token.
    #[must_use]
    pub fn pending_id(&self) -> Option<&str> {
        self.pending.as_ref().map(|pending| pending.id.as_str())
    }

    /// What has to be done next. `now` in Unix seconds.
    ///
    /// # Errors
    /// [`IssuanceError`].
    pub fn step(&mut self, now: u64, rng: &mut impl CryptoRng) -> Result<Step, IssuanceError> {
        match &self.stage {
            Stage::Offer(url) => Ok(Step::Fetch(get(Endpoint::Offer, url.clone()))),
            Stage::IssuerMetadata => {
                let url = server_metadata::well_known(&self.issuer, issuer_metadata::WELL_KNOWN)?;
                let url = endpoint_url(Endpoint::IssuerMetadata, &url, self.options.sandbox)?;
                Ok(Step::Fetch(get(Endpoint::IssuerMetadata, url)))
            }
            Stage::ServerMetadata(name) => {
                let url = self.server_metadata_url(name)?;
                Ok(Step::Fetch(get(Endpoint::ServerMetadata, url)))
            }
            Stage::Agree(preview) => Ok(Step::Agree(preview.clone())),
            Stage::Push(visit) => self.push(visit, now, rng).map(Step::Fetch),
            Stage::Browse(_, url) => Ok(Step::Browse(url.clone())),
            Stage::Token(request) => self.token(request, now, rng).map(Step::Fetch),
            Stage::Collect(_) => self.collect(now, rng),
        }
    }

    /// Takes what came back.
    ///
    /// # Errors
    /// [`IssuanceError`].
    pub fn received(
        &mut self,
        answer: &Fetched,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), IssuanceError> {
        if self.wants_dpop_nonce(answer)? {
            return Ok(());
        }
        match &self.stage {
            Stage::Offer(_) => {
                let offer = success(answer, Endpoint::Offer)?;
                let offer = CredentialOffer::parse(&offer.body, self.options.sandbox)?;
                self.issuer.clone_from(&offer.credential_issuer);
                self.offer = Some(offer);
                self.stage = Stage::IssuerMetadata;
                Ok(())
            }
            Stage::IssuerMetadata => self.issuer_described(answer, rng),
            Stage::ServerMetadata(name) => self.server_described(name, answer, rng),
            Stage::Push(_) => self.pushed(answer),
            Stage::Token(_) => self.token_received(answer, now, rng),
            Stage::Collect(_) => self.collected(answer, now),
            Stage::Agree(_) | Stage::Browse(..) => Err(IssuanceError::Damaged),
        }
    }

    fn issuer_described(&mut self, answer: &Fetched, rng: &mut impl CryptoRng) -> Result<(), IssuanceError> {
        let answer = success(answer, Endpoint::IssuerMetadata)?;
        let metadata = IssuerMetadata::parse(&answer.body, &self.issuer)?;
        self.encrypting = Some(Encrypting::required(&metadata, rng)?);
        if let Some(held) = &self.refreshed {
            let configuration = [held.renewal.configuration.clone()];
            self.wanted = offered(&configuration, &metadata, self.options.copies)?.0;
        }
        self.metadata = Some(metadata);
        // A stored issuance has its token already.
        self.stage = match &self.pending {
            Some(_) => Stage::Collect(Collecting::Next),
            None => Stage::ServerMetadata(server_metadata::WELL_KNOWN),
        };
        Ok(())
    }

    /// Which authorization server is to be used: of several, the one the offer names.
    fn authorization_server(&self) -> Result<&str, IssuanceError> {
        if let Some(pending) = &self.pending {
            return Ok(&pending.authorization_server);
        }
        let grants = self.offer.as_ref().map(|offer| &offer.grants);
        let named = grants.and_then(|grants| {
            let coded = grants.pre_authorized_code.as_ref();
            let coded = coded.map(|grant| grant.authorization_server.as_deref());
            let browsed = grants.authorization_code.as_ref();
            let browsed = browsed.map(|grant| grant.authorization_server.as_deref());
            coded.or(browsed).flatten()
        });
        let named = named.or_else(|| {
            let held = self.refreshed.as_ref();
            held.map(|held| held.renewal.authorization_server.as_str())
        });
        let metadata = self.metadata.as_ref().ok_or(IssuanceError::Damaged)?;
        // An issuer that is its own server need not say so.
        let named = named.filter(|named| {
            !(metadata.authorization_servers.is_empty() && *named == metadata.credential_issuer)
        });
        metadata
            .authorization_server(named)
            .ok_or(IssuanceError::ForeignServer)
    }

    fn server_metadata_url(&self, name: &str) -> Result<Url, IssuanceError> {
        let server = self.authorization_server()?;
        // OpenID Connect Discovery 1.0 §4.1 appends where RFC 8414 §3.1 inserts.
        let url = if name == OPENID_CONFIGURATION {
            format!("{}/.well-known/{name}", server.trim_end_matches('/'))
        } else {
            server_metadata::well_known(server, name)?
        };
        endpoint_url(Endpoint::ServerMetadata, &url, self.options.sandbox)
    }

    fn server_described(
        &mut self,
        name: &'static str,
        answer: &Fetched,
        rng: &mut impl CryptoRng,
    ) -> Result<(), IssuanceError> {
        if answer.status == 404 && name == server_metadata::WELL_KNOWN {
            self.stage = Stage::ServerMetadata(OPENID_CONFIGURATION);
            return Ok(());
        }
        let answer = success(answer, Endpoint::ServerMetadata)?;
        let server = ServerMetadata::parse(&answer.body, self.authorization_server()?)?;
        let binds = server
            .dpop_signing_alg_values_supported
            .iter()
            .any(|name| name == "ES256");
        if binds && self.dpop.is_none() {
            self.dpop = Some(DpopKey::new(Secret::generate(rng)));
        }
        self.server = Some(server);
        self.stage = if self.refreshed.is_some() || self.pending.is_some() {
            Stage::Token(self.refresh_request()?)
        } else {
            Stage::Agree(Box::new(self.preview()?))
        };
        Ok(())
    }

    fn preview(&mut self) -> Result<Preview, IssuanceError> {
        let (Some(offer), Some(metadata), Some(server)) = (&self.offer, &self.metadata, &self.server) else {
            return Err(IssuanceError::Damaged);
        };
        let (credentials, skipped) =
            offered(&offer.credential_configuration_ids, metadata, self.options.copies)?;
        self.wanted.clone_from(&credentials);
        Ok(Preview {
            issuer: self.issuer.clone(),
            issuer_name: issuer_name(metadata),
            credentials,
            skipped,
            authorization: authorization(offer, server)?,
        })
    }

    fn wants_dpop_nonce(&mut self, answer: &Fetched) -> Result<bool, IssuanceError> {
        let url = match &self.stage {
            Stage::Push(_) => self.server_endpoint(Endpoint::Push)?,
            Stage::Token(_) => self.server_endpoint(Endpoint::Token)?,
            Stage::Collect(_) => self.credential_url()?,
            _ => return Ok(false),
        };
        let Some(dpop) = &mut self.dpop else {
            return Ok(false);
        };
        dpop.saw_nonce(&url, answer.dpop_nonce.as_deref());
        let asked =
            !answer.is_success() && answer.dpop_nonce.is_some() && answer.error().0 == "use_dpop_nonce";
        // Once: a server that is never content is not asked for ever.
        Ok(asked && !std::mem::replace(&mut self.repeated, asked))
    }
}

fn get(endpoint: Endpoint, url: Url) -> Fetch {
    Fetch {
        endpoint,
        url,
        body: Body::Get,
        headers: vec![("accept", "application/json".to_owned())],
    }
}

fn success(answer: &Fetched, endpoint: Endpoint) -> Result<&Fetched, IssuanceError> {
    if answer.is_success() {
        Ok(answer)
    } else {
        Err(answer.refusal(endpoint))
    }
}
