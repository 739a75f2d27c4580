//! What a wallet showed: parsed, and checked as far as no ledger is needed.

use realdid_checks::passes;
use realdid_crypto::{Hash, PublicKey, base64url_decode, base64url_encode};
use realdid_did::{Did, DocumentData, Inception, Level, Network, ParsedDid, VerificationKey};
use realdid_ledger::{ProvenState, StateKey, state_key};
use realdid_openid::jws::Unverified;
use realdid_openid::realdid_jwt::{self, LoginClaims, MAX_LIFETIME};
use realdid_openid::{CLOCK_SKEW, ClientId};
use realdid_token::Token;

use crate::LoginRefusal;

/// What a verifier expects of a login.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// The network's name.
    pub network: Network,
    /// Hash of the network's charter.
    pub charter_hash: Hash,
    /// The verifier's client identifier.
    pub client_id: ClientId,
    /// The nonce of the request that is answered.
    pub nonce: String,
    /// Hashes of the credentials in the same answer, see [`crate::credentials::presentation_hash`].
    pub credentials: Vec<String>,
    /// The lowest assurance level that will do.
    pub minimum_level: Level,
    /// How old the ledger's state may be, in seconds: 60 at high assurance, 300 by default.
    pub max_age: u64,
}

/// A login as shown. Its signature and its token are still to be checked.
#[derive(Debug, Clone)]
pub struct ShownLogin {
    pub(crate) message: Unverified,
    pub(crate) did: Did,
    pub(crate) inception: Option<Inception>,
    pub(crate) key: PublicKey,
    /// The document data of a DID that has this key for logging in and nothing else, as most have.
    /// Where its hash is the one on the ledger, nobody need be asked for the document.
    pub(crate) plain_document: Option<DocumentData>,
    pub(crate) token: Token,
}

impl ShownLogin {
    /// Reads a `realdid+jwt` and makes every check that needs no ledger. `now` in Unix seconds.
    ///
    /// # Errors
    /// [`LoginRefusal`].
    pub fn read(presentation: &str, expectation: &Expectation, now: u64) -> Result<Self, LoginRefusal> {
        let (message, claims) = realdid_jwt::parse(presentation)?;
        check_charter(&claims, expectation)?;
        check_time(&claims, now)?;
        check_audience(&claims, expectation)?;
        check_nonce(&claims, expectation)?;
        check_credentials(&claims, expectation)?;
        let ParsedDid { did, inception } = read_did(&claims, expectation)?;
        let key = read_key(&message, &did)?;
        let plain_document = DocumentData::new(vec![VerificationKey::authentication(key)], Vec::new()).ok();
        let token = read_token(&claims)?;
        Ok(Self {
            message,
            did,
            inception,
            key,
            plain_document,
            token,
        })
    }

    /// The DID that is said to log in.
    #[must_use]
    pub const fn did(&self) -> &Did {
        &self.did
    }

    /// Where the DID's state lies. To be asked for by prefix, so that no node learns which.
    #[must_use]
    pub const fn did_key(&self) -> StateKey {
        state_key::did(&self.did.hash)
    }

    /// Identifier of the epoch key the token names.
    #[must_use]
    pub const fn token_key_id(&self) -> Hash {
        self.token.key_id()
    }

    /// Where the token's key lies in the state; it tells the authority.
    #[must_use]
    pub fn token_key(&self) -> StateKey {
        state_key::epoch_key(&self.token.key_id())
    }

    /// Hash of the document data that has to be fetched: the current one, unless what was shown
    /// tells it. Whoever serves it learns which DID is meant, so it is asked for as a last resort.
    ///
    /// # Errors
    /// [`LoginRefusal::State`].
    pub fn document_needed(&self, did_state: &ProvenState) -> Result<Option<Hash>, LoginRefusal> {
        let Some(entry) = did_state.did(&self.did.hash)? else {
            return Ok(None);
        };
        let current = entry.at(did_state.time()).document;
        Ok(if self.document_told(&current).is_some() {
            None
        } else {
            Some(current)
        })
    }

    /// The document data with this hash, if what was shown tells it.
    pub(crate) fn document_told(&self, hash: &Hash) -> Option<&DocumentData> {
        let told = [self.shown_document(), self.plain_document.as_ref()];
        told.into_iter()
            .flatten()
            .find(|document| document.hash() == *hash)
    }

    pub(crate) fn shown_document(&self) -> Option<&DocumentData> {
        self.inception.as_ref().map(|inception| &inception.document)
    }
}

fn check_charter(claims: &LoginClaims, expectation: &Expectation) -> Result<(), LoginRefusal> {
    if passes(
        "LOG-01",
        claims.charter == base64url_encode(expectation.charter_hash.0),
    ) {
        Ok(())
    } else {
        Err(LoginRefusal::OtherNetwork)
    }
}

fn check_time(claims: &LoginClaims, now: u64) -> Result<(), LoginRefusal> {
    let begun = claims.iat <= now.saturating_add(CLOCK_SKEW);
    let short = claims.exp.saturating_sub(claims.iat) <= MAX_LIFETIME;
    if passes("LOG-02", begun && short && now < claims.exp) {
        Ok(())
    } else {
        Err(LoginRefusal::Time)
    }
}

fn check_audience(claims: &LoginClaims, expectation: &Expectation) -> Result<(), LoginRefusal> {
    if passes("LOG-03", claims.aud == expectation.client_id.as_str()) {
        Ok(())
    } else {
        Err(LoginRefusal::Audience)
    }
}

fn check_nonce(claims: &LoginClaims, expectation: &Expectation) -> Result<(), LoginRefusal> {
    if passes("LOG-04", claims.nonce == expectation.nonce) {
        Ok(())
    } else {
        Err(LoginRefusal::Nonce)
    }
}

/// Each credential in the same answer is bound, and no other: so none can be put in its place.
fn check_credentials(claims: &LoginClaims, expectation: &Expectation) -> Result<(), LoginRefusal> {
    let (mut stated, mut shown) = (claims.credentials.clone(), expectation.credentials.clone());
    stated.sort_unstable();
    shown.sort_unstable();
    if passes("LOG-05", stated == shown) {
        Ok(())
    } else {
        Err(LoginRefusal::Credentials)
    }
}

/// The DID, of this network, whose short form is the issuer; a long form must hash to it.
fn read_did(claims: &LoginClaims, expectation: &Expectation) -> Result<ParsedDid, LoginRefusal> {
    let parsed = match ParsedDid::parse(&claims.did) {
        Ok(parsed) => parsed,
        Err(error) if !passes("LOG-06", false) => return Err(error.into()),
        Err(_) => return Err(LoginRefusal::Subject),
    };
    if !passes("LOG-07", parsed.did.to_string() == claims.iss) {
        return Err(LoginRefusal::Subject);
    }
    let foreign = parsed
        .inception
        .as_ref()
        .is_some_and(|inception| inception.charter != expectation.charter_hash);
    if !passes("LOG-08", parsed.did.network == expectation.network && !foreign) {
        return Err(LoginRefusal::OtherNetwork);
    }
    Ok(parsed)
}

/// The key that `kid` names: its fragment is the key itself.
fn read_key(message: &Unverified, did: &Did) -> Result<PublicKey, LoginRefusal> {
    let (of, fragment) = message
        .kid()
        .and_then(|kid| kid.split_once('#'))
        .ok_or(LoginRefusal::Subject)?;
    if !passes("LOG-09", of == did.to_string()) {
        return Err(LoginRefusal::Subject);
    }
    PublicKey::from_multikey(fragment).map_err(|_| LoginRefusal::Subject)
}

fn read_token(claims: &LoginClaims) -> Result<Token, LoginRefusal> {
    let bytes = base64url_decode(&claims.token).ok();
    let token = bytes.and_then(|bytes| Token::from_bytes(&bytes).ok());
    if !passes("LOG-10", token.is_some()) {
        return Err(LoginRefusal::TokenForm);
    }
    token.ok_or(LoginRefusal::Token)
}
