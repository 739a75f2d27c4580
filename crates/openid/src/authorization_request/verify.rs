//! A request as a wallet receives it: parsed, then checked with the key that its client identifier
//! calls for.

use realdid_checks::passes;
use realdid_crypto::PublicKey;
use realdid_jose::jwe::{Encryption, Recipient};
use realdid_jose::x5c::{Chain, X5cError};
use serde_json::Value;
use url::Url;

use super::transaction::{TransactionData, TransactionError};
use super::{AUDIENCE, ClientMetadata, MAX_LIFETIME, RequestClaims, ResponseMode, TYP};
use crate::dcql::{CheckedQuery, DcqlError, LoginQuery};
use crate::jws::{JwsError, Unverified, Verified};
use crate::site_statement::VerifierInfo;
use crate::{AddressError, CLOCK_SKEW, ClientId, ClientIdPrefix, check_address};

/// Shortest and longest nonce of a login request, in characters.
const LOGIN_NONCE: std::ops::RangeInclusive<usize> = 22..=128;
/// Shortest and longest nonce of other requests, in characters.
const NONCE: std::ops::RangeInclusive<usize> = 1..=512;
/// Shortest and longest `state`, in characters: some keep all they know of the exchange in it.
const STATE: std::ops::RangeInclusive<usize> = 1..=4096;

/// Why a wallet does not answer a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The envelope.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// The request comes from another client than the link said.
    #[error("the request comes from another client than the link said")]
    OtherClient,
    /// What signed is not named as the client identifier asks: a key of its DID, or certificates.
    #[error("the request does not name the key that its client identifier calls for")]
    Key,
    /// Its certificates, or they are not those of the client identifier.
    #[error("the request's certificate cannot be used: {0}")]
    Certificate(#[from] X5cError),
    /// The audience is not a wallet.
    #[error("the request is not addressed to a wallet")]
    Audience,
    /// Another response type or mode than `vp_token` by `direct_post` or `direct_post.jwt`.
    #[error("the request asks to be answered in a way that is not supported")]
    ResponseMode,
    /// The address the answer would go to.
    #[error("the response_uri cannot be used: {0}")]
    ResponseUri(#[from] AddressError),
    /// The answer would go to another host than the one the certificate is for.
    #[error("the response_uri is not on the host that asks")]
    ResponseHost,
    /// The nonce or the state is too short, too long, or not made of URL-safe characters.
    #[error("the request's nonce or state is not valid")]
    Nonce,
    /// The wallet's nonce is not repeated.
    #[error("the request does not repeat the wallet's nonce")]
    WalletNonce,
    /// The request has expired, is from the future, or lives longer than [`MAX_LIFETIME`].
    #[error("the request is not valid now")]
    Time,
    /// The verifier does not say that it reads what it asks for.
    #[error("the verifier does not say that it reads what it asks for")]
    Formats,
    /// No key or content encryption for an encrypted answer.
    #[error("the request asks for an encrypted answer without a key or encryption that can be used")]
    Encryption,
    /// What is to be authorised.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// What it asks for.
    #[error(transparent)]
    Query(#[from] DcqlError),
}

impl RequestError {
    /// The error code towards the verifier (OpenID4VP 1.0 §8.5), where the request is well enough to
    /// be answered at all.
    #[must_use]
    pub const fn response_code(&self) -> &'static str {
        match self {
            Self::Formats => "vp_formats_not_supported",
            Self::Transaction(_) => "invalid_transaction_data",
            _ => "invalid_request",
        }
    }
}

/// What a wallet knows when it looks at a request.
#[derive(Debug, Clone)]
pub struct RequestContext<'a> {
    /// The client identifier of the link that led here.
    pub client_id: &'a ClientId,
    /// Where the request was fetched from.
    pub request_uri: &'a str,
    /// The nonce the wallet sent, if it fetched the request by POST.
    pub wallet_nonce: Option<&'a str>,
    /// The time in Unix seconds.
    pub now: u64,
    /// Whether plain http on loopback will do.
    pub sandbox: bool,
}

/// By what a request says it is signed, which its client identifier decides.
#[derive(Debug, Clone)]
pub enum Signer<'a> {
    /// An authentication key of a DID, to be resolved.
    Did {
        /// The DID.
        did: &'a str,
        /// Which key: the fragment of its URL.
        fragment: &'a str,
    },
    /// The leaf of a certificate chain, which names the client as its identifier asks. That the chain
    /// leads to a trusted root is to be checked ([`Chain::verify`]).
    Certificates(&'a Chain),
}

/// A request object whose signature has not been checked.
#[derive(Debug, Clone)]
pub struct UnverifiedRequest {
    message: Unverified,
    client: ClientId,
    chain: Option<Chain>,
}

impl UnverifiedRequest {
    /// Parses a request object and checks that it comes from the client the link named, and names the
    /// key that the client identifier calls for.
    ///
    /// # Errors
    /// [`RequestError::Jws`], [`RequestError::OtherClient`], [`RequestError::Key`],
    /// [`RequestError::Certificate`].
    pub fn parse(text: &str, client_id: &ClientId) -> Result<Self, RequestError> {
        let message = Unverified::parse(text.trim())?;
        message.expect_type(TYP)?;
        let claims: RequestClaims = message.stated()?;
        check_client(&claims, client_id)?;
        check_key_url(&message, &claims.client_id)?;
        let chain = read_chain(&message, &claims.client_id)?;
        Ok(Self {
            message,
            client: claims.client_id,
            chain,
        })
    }

    /// Who asks, unchecked.
    #[must_use]
    pub const fn client_id(&self) -> &ClientId {
        &self.client
    }

    /// By what it says it is signed.
    #[must_use]
    pub fn signer(&self) -> Signer<'_> {
        match &self.chain {
            Some(chain) => Signer::Certificates(chain),
            None => Signer::Did {
                did: self.client.did().unwrap_or_default(),
                fragment: self.key_fragment(),
            },
        }
    }

    /// The DID whose key must have signed, if the client names itself by one.
    #[must_use]
    pub fn client_did(&self) -> Option<&str> {
        self.client.did()
    }

    /// The fragment that names the key in the DID's document.
    #[must_use]
    pub fn key_fragment(&self) -> &str {
        self.message
            .kid()
            .and_then(|kid| kid.split_once('#'))
            .map_or("", |(_, fragment)| fragment)
    }

    /// The statements about who asks, unchecked: whom they are by has to be looked up.
    #[must_use]
    pub fn stated_verifier_info(&self) -> Vec<VerifierInfo> {
        let claims = self.message.stated::<RequestClaims>();
        claims.map(|claims| claims.verifier_info).unwrap_or_default()
    }

    /// Checks everything about the request, with the key of [`Self::signer`]: an authentication key of
    /// the DID, or the key of the leaf certificate. That its chain leads to a trusted root is for the
    /// caller to check.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn verify(
        &self,
        key: &PublicKey,
        context: &RequestContext<'_>,
    ) -> Result<VerifiedRequest, RequestError> {
        let claims = self
            .message
            .verify_foreign::<RequestClaims>(key, TYP)
            .map(Verified::into_claims)?;
        checked(claims, context)
    }
}

/// Checks everything about a request but by whom it is.
pub(super) fn checked(
    claims: RequestClaims,
    context: &RequestContext<'_>,
) -> Result<VerifiedRequest, RequestError> {
    check_client(&claims, context.client_id)?;
    check_audience(&claims, context)?;
    let mode = check_response_mode(&claims)?;
    let query = claims.dcql_query.clone().check()?;
    let login = claims.dcql_query.login_query()?;
    check_nonce(&claims, login.is_some())?;
    check_wallet_nonce(&claims, context)?;
    check_time(&claims, login.is_some(), context.now)?;
    check_formats(&claims, login.is_some())?;
    let transactions = match &claims.transaction_data {
        None => Vec::new(),
        Some(encoded) => TransactionData::read(encoded, &query)?,
    };
    let response_uri = check_address(&claims.response_uri, context.sandbox)?;
    check_response_host(&claims, &response_uri)?;
    let encryption = match mode {
        ResponseMode::DirectPost => None,
        ResponseMode::DirectPostJwt => Some(claims.client_metadata.choose_encryption()?),
    };
    Ok(VerifiedRequest {
        claims,
        mode,
        response_uri,
        query,
        login,
        transactions,
        encryption,
    })
}

fn check_client(claims: &RequestClaims, client_id: &ClientId) -> Result<(), RequestError> {
    if passes("VP-12", claims.client_id == *client_id) {
        Ok(())
    } else {
        Err(RequestError::OtherClient)
    }
}

fn check_key_url(message: &Unverified, client: &ClientId) -> Result<(), RequestError> {
    let of = message
        .kid()
        .and_then(|kid| kid.split_once('#'))
        .map(|(did, _)| did);
    if passes("VP-13", client.did().is_none_or(|did| of == Some(did))) {
        Ok(())
    } else {
        Err(RequestError::Key)
    }
}

/// The certificates of the header, for the host or with the hash that the client identifier names.
fn read_chain(message: &Unverified, client: &ClientId) -> Result<Option<Chain>, RequestError> {
    let chain = || {
        let x5c = message.header().get("x5c").ok_or(RequestError::Key)?;
        Ok::<_, RequestError>(Chain::parse(x5c)?)
    };
    match client.prefix() {
        ClientIdPrefix::DecentralizedIdentifier => Ok(None),
        ClientIdPrefix::RedirectUri => Err(RequestError::Key),
        ClientIdPrefix::X509Hash => {
            let chain = chain()?;
            chain.leaf().expect_hash(client.identifier())?;
            Ok(Some(chain))
        }
        ClientIdPrefix::X509SanDns => {
            let chain = chain()?;
            chain.leaf().expect_host(client.identifier())?;
            Ok(Some(chain))
        }
    }
}

/// Much of verifiers' software addresses a request to the place it is fetched from. That binds it no
/// less to this exchange than the symbolic name of §5.8 does.
fn check_audience(claims: &RequestClaims, context: &RequestContext<'_>) -> Result<(), RequestError> {
    let addressed = claims.aud == AUDIENCE || claims.aud == context.request_uri;
    if passes("VP-14", addressed) {
        Ok(())
    } else {
        Err(RequestError::Audience)
    }
}

fn check_response_mode(claims: &RequestClaims) -> Result<ResponseMode, RequestError> {
    let mode = ResponseMode::from_name(&claims.response_mode);
    if !passes("VP-15", claims.response_type == "vp_token" && mode.is_some()) {
        return Err(RequestError::ResponseMode);
    }
    if !passes("VP-29", claims.redirect_uri.is_none()) {
        return Err(RequestError::ResponseMode);
    }
    Ok(mode.unwrap_or(ResponseMode::DirectPost))
}

/// An answer by a certificate for a DNS name goes to that host (§5.9.3): no list of clients that may
/// choose freely is kept here.
fn check_response_host(claims: &RequestClaims, response_uri: &Url) -> Result<(), RequestError> {
    let client = &claims.client_id;
    let asked = client.prefix() == ClientIdPrefix::X509SanDns;
    let same = response_uri
        .host_str()
        .is_some_and(|host| host.eq_ignore_ascii_case(client.identifier()));
    if passes("VP-28", !asked || same) {
        Ok(())
    } else {
        Err(RequestError::ResponseHost)
    }
}

fn check_nonce(claims: &RequestClaims, login: bool) -> Result<(), RequestError> {
    let characters = |text: &str| {
        text.bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"-._~".contains(&c))
    };
    let length = if login { LOGIN_NONCE } else { NONCE };
    if !passes(
        "VP-16",
        characters(&claims.nonce) && length.contains(&claims.nonce.len()),
    ) {
        return Err(RequestError::Nonce);
    }
    let state = claims.state.as_deref();
    if !passes(
        "VP-31",
        state.is_none_or(|state| characters(state) && STATE.contains(&state.len())),
    ) {
        return Err(RequestError::Nonce);
    }
    let unbound = claims
        .dcql_query
        .credentials
        .iter()
        .any(|query| !query.needs_holder_binding());
    if passes("VP-32", !unbound || state.is_some()) {
        Ok(())
    } else {
        Err(RequestError::Nonce)
    }
}

fn check_wallet_nonce(claims: &RequestClaims, context: &RequestContext<'_>) -> Result<(), RequestError> {
    let repeated = context.wallet_nonce.is_none() || claims.wallet_nonce.as_deref() == context.wallet_nonce;
    if passes("VP-17", repeated) {
        Ok(())
    } else {
        Err(RequestError::WalletNonce)
    }
}

/// What stands there must hold now; a request for a login has both times and is short-lived.
fn check_time(claims: &RequestClaims, login: bool, now: u64) -> Result<(), RequestError> {
    let begun = |time: Option<u64>| time.is_none_or(|time| time <= now.saturating_add(CLOCK_SKEW));
    let begun = begun(claims.iat) && begun(claims.nbf);
    let open = claims.exp.is_none_or(|exp| now < exp);
    let short = claims
        .iat
        .zip(claims.exp)
        .is_some_and(|(iat, exp)| exp.saturating_sub(iat) <= MAX_LIFETIME);
    if passes("VP-18", begun && open && (short || !login)) {
        Ok(())
    } else {
        Err(RequestError::Time)
    }
}

/// A verifier that tells its formats reads what it asks for. One that tells none may have agreed on
/// them by other means (§5.1), but nobody reads the format of a login by chance.
fn check_formats(claims: &RequestClaims, login: bool) -> Result<(), RequestError> {
    let formats = &claims.client_metadata.vp_formats_supported;
    let mut asked = claims.dcql_query.credentials.iter();
    let read = asked.all(|query| formats.get(&query.format).is_some_and(Value::is_object));
    let silent = formats.is_empty() && !login;
    if passes("VP-19", read || silent) {
        Ok(())
    } else {
        Err(RequestError::Formats)
    }
}

/// A request that was checked: what a wallet may show and answer.
#[derive(Debug, Clone)]
pub struct VerifiedRequest {
    claims: RequestClaims,
    mode: ResponseMode,
    response_uri: Url,
    query: CheckedQuery,
    login: Option<LoginQuery>,
    transactions: Vec<TransactionData>,
    encryption: Option<(Recipient, Encryption)>,
}

impl VerifiedRequest {
    /// Who asks: the audience of the answer.
    #[must_use]
    pub const fn client_id(&self) -> &ClientId {
        &self.claims.client_id
    }

    /// To be repeated in the answer.
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.claims.nonce
    }

    /// To be sent beside the answer.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.claims.state.as_deref()
    }

    /// Where the answer goes.
    #[must_use]
    pub const fn response_uri(&self) -> &Url {
        &self.response_uri
    }

    /// How the answer travels.
    #[must_use]
    pub const fn response_mode(&self) -> ResponseMode {
        self.mode
    }

    /// To which key the answer is encrypted, and how; `None` for a plain one.
    #[must_use]
    pub const fn encryption(&self) -> Option<&(Recipient, Encryption)> {
        self.encryption.as_ref()
    }

    /// What is asked for.
    #[must_use]
    pub const fn query(&self) -> &CheckedQuery {
        &self.query
    }

    /// The login among what is asked for.
    #[must_use]
    pub const fn login(&self) -> Option<&LoginQuery> {
        self.login.as_ref()
    }

    /// The login, where nothing else is asked for.
    ///
    /// # Errors
    /// [`RequestError::Query`].
    pub fn only_login(&self) -> Result<&LoginQuery, RequestError> {
        self.claims.dcql_query.as_login()?;
        self.login.as_ref().ok_or(RequestError::Query(DcqlError::Purpose))
    }

    /// What is to be authorised by the presentation.
    #[must_use]
    pub fn transactions(&self) -> &[TransactionData] {
        &self.transactions
    }

    /// What the verifier says about itself.
    #[must_use]
    pub const fn metadata(&self) -> &ClientMetadata {
        &self.claims.client_metadata
    }

    /// Statements about who asks, still to be checked.
    #[must_use]
    pub fn verifier_info(&self) -> &[VerifierInfo] {
        &self.claims.verifier_info
    }

    /// Until when it may be answered, in Unix seconds, if it says so.
    #[must_use]
    pub const fn expires(&self) -> Option<u64> {
        self.claims.exp
    }
}
