//! Who asks: each rule broken alone, and the untouched request passes.

use realdid_crypto::{Hash, KeyType, SecretKey, base64url_encode};
use realdid_did::{
    Assurance, Backing, Commitment, Did, DocumentData, Entry, Level, Purposes, VerificationKey,
};
use realdid_ledger::{Accreditation, Grant, Right, Role};
use realdid_openid::ClientId;
use realdid_openid::authorization_request::{self, LoginRequest as Asked, RequestError};
use realdid_openid::dcql::{ClaimPath, CredentialQuery};
use realdid_openid::openid4vp_link::WalletLink;
use realdid_openid::registration::MayAsk;
use realdid_openid::site_statement::{self, SiteClaims, SiteStatementError};
use url::Url;

use super::{NOW, charter};
use crate::presenting::{AskError, Facts, FetchedRequest, PresentationContext, PresentationRequest};

/// Everything about one login request, each part of it to be spoilt.
pub(super) struct Scene {
    pub(super) site_key: SecretKey,
    pub(super) request_key: SecretKey,
    sponsor_key: SecretKey,
    statement_key: SecretKey,
    site_purposes: Purposes,
    sponsor_purposes: Purposes,
    pub(super) level: &'static str,
    response_uri: String,
    exp: u64,
    statement_charter: Hash,
    statement_name: String,
    backing: (Backing, Hash),
    accreditation: Option<Accreditation>,
    sponsor_ended: bool,
    site_ended: bool,
    shown_site: Option<DocumentData>,
    /// A type of credential that is asked for beside the login.
    pub(super) also: Option<&'static str>,
    /// What the sponsor states that the site may ask for.
    pub(super) may_ask: Vec<MayAsk>,
    /// What the ledger lets the sponsor ask for.
    pub(super) granted: Vec<&'static str>,
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(KeyType::Ed25519, &[seed; 32])
}

fn document(key: &SecretKey, purposes: Purposes) -> DocumentData {
    let keys = vec![VerificationKey {
        purposes,
        key: key.public_key(),
    }];
    DocumentData::new(keys, Vec::new()).unwrap()
}

fn entry(data: &DocumentData, (backing, by): (Backing, Hash), ended: bool) -> Entry {
    Entry {
        version: 1,
        document: data.hash(),
        last_operation: Hash([1; 32]),
        next: Commitment(Hash([2; 32])),
        recovery: Commitment(Hash([3; 32])),
        created: NOW,
        updated: NOW,
        assurance: Assurance {
            backing,
            by,
            epoch: 0,
            level: Level::Low,
        },
        deactivated: ended,
        vetoed: false,
        pending: None,
    }
}

fn grant(vct: &str) -> (String, Grant) {
    let grant = Grant {
        right: Right::to_ask(Hash([0x50; 32]), vct),
        detail: Hash::ZERO,
        granted_at: NOW,
        revoked_at: 0,
    };
    (vct.to_owned(), grant)
}

impl Scene {
    /// A site of a certain number, sponsored by the one sign-in server.
    pub(super) fn new(number: u8) -> Self {
        let sponsor = Hash([0x50; 32]);
        Self {
            site_key: key(number),
            request_key: key(number),
            sponsor_key: key(0xee),
            statement_key: key(0xee),
            site_purposes: Purposes::AUTHENTICATION,
            sponsor_purposes: Purposes::ASSERTION,
            level: "substantial",
            response_uri: "https://signin.example/response/1".to_owned(),
            exp: NOW + 300,
            statement_charter: charter().hash(),
            statement_name: format!("Site {number}"),
            backing: (Backing::Sponsor, sponsor),
            accreditation: Some(Accreditation {
                did: sponsor,
                role: Role::Signin,
                name: "Sign-in".to_owned(),
                revoked_at: 0,
                suspended_at: 0,
            }),
            sponsor_ended: false,
            site_ended: false,
            shown_site: None,
            also: None,
            may_ask: Vec::new(),
            granted: Vec::new(),
        }
    }

    fn site(&self) -> Did {
        charter().did(realdid_crypto::sha256(self.site_key.public_key().as_bytes()))
    }

    fn sponsor() -> Did {
        charter().did(Hash([0x50; 32]))
    }

    fn link(&self) -> WalletLink {
        let client_id = ClientId::of_did(&self.site().to_string());
        let uri = "https%3A%2F%2Fsignin.example%2Frequest%2F1";
        WalletLink::parse(
            &format!("openid4vp://?client_id={client_id}&request_uri={uri}"),
            false,
        )
        .unwrap()
    }

    fn request_object(&self) -> String {
        let statement = SiteClaims {
            iss: Self::sponsor().to_string(),
            sub: self.site().to_string(),
            name: self.statement_name.clone(),
            redirect_uris: vec!["https://site.example/callback".to_owned()],
            may_ask: self.may_ask.clone(),
            iat: NOW,
            exp: NOW + 600,
            charter: base64url_encode(self.statement_charter.as_bytes()),
        };
        let url = Self::sponsor().key_url(&self.sponsor_key.public_key());
        let statement = site_statement::sign(&statement, &url, &self.statement_key).unwrap();
        let asked = Asked {
            client_id: ClientId::of_did(&self.site().to_string()),
            response_uri: self.response_uri.clone(),
            nonce: "n".repeat(22),
            state: "state".to_owned(),
            level: self.level.to_owned(),
            iat: NOW,
            exp: self.exp,
            wallet_nonce: None,
            verifier_info: vec![statement],
        };
        let url = self.site().key_url(&self.site_key.public_key());
        let mut claims = asked.into_claims();
        let age = |vct| CredentialQuery::sd_jwt_vc("age", &[vct], vec![ClaimPath::of(&["age_over_21"])]);
        claims.dcql_query.credentials.extend(self.also.map(age));
        authorization_request::sign(&claims, &url, &self.request_key).unwrap()
    }

    pub(super) fn judge(&self) -> Result<PresentationRequest, AskError> {
        let link = self.link();
        let fetched = FetchedRequest::parse(&self.request_object(), &link, &charter().network)?;
        let site = document(&self.site_key, self.site_purposes);
        let sponsor = document(&self.sponsor_key, self.sponsor_purposes);
        let facts = Facts {
            asker: Some(entry(&site, self.backing, self.site_ended)),
            sponsor: Some(entry(
                &sponsor,
                (Backing::Charter, Hash::ZERO),
                self.sponsor_ended,
            )),
            accreditation: self.accreditation.clone(),
            grants: self.granted.iter().map(|vct| grant(vct)).collect(),
            epoch: 0,
        };
        let hash = charter().hash();
        let context = PresentationContext {
            link: &link,
            wallet_nonce: None,
            charter: &hash,
            sandbox: false,
            now: NOW,
        };
        fetched.judge(
            &facts,
            &[self.shown_site.clone().unwrap_or(site), sponsor],
            &context,
        )
    }
}

/// What a request is refused for after one part was spoilt.
fn refused(spoil: impl FnOnce(&mut Scene)) -> AskError {
    let mut scene = Scene::new(1);
    scene.judge().unwrap();
    spoil(&mut scene);
    scene.judge().unwrap_err()
}

#[test]
fn an_honest_request_says_who_asks() {
    let login = Scene::new(1).judge().unwrap();
    let asker = login.asker();
    let sponsor = asker.sponsor.as_ref().unwrap();
    assert_eq!(
        (asker.name.as_str(), sponsor.name.as_str()),
        ("Site 1", "Sign-in")
    );
    assert_eq!(asker.origins, ["https://site.example"]);
    assert!(asker.registered && !login.answers_elsewhere());
}

// test: WAL-12
#[test]
fn a_site_nobody_sponsors_is_refused() {
    let other = (Backing::Sponsor, Hash([9; 32]));
    assert_eq!(refused(|scene| scene.backing = other), AskError::SiteNotSponsored);
    let person = (Backing::Token, Hash([0x50; 32]));
    assert_eq!(
        refused(|scene| scene.backing = person),
        AskError::SiteNotSponsored
    );
    assert_eq!(
        refused(|scene| scene.site_ended = true),
        AskError::SiteNotSponsored
    );
}

// test: WAL-13
#[test]
fn an_unaccredited_sponsor_is_refused() {
    let expected = AskError::SponsorNotAccredited;
    assert_eq!(refused(|scene| scene.accreditation = None), expected);
    assert_eq!(
        refused(|scene| scene.accreditation.as_mut().unwrap().revoked_at = NOW),
        expected
    );
    assert_eq!(
        refused(|scene| scene.accreditation.as_mut().unwrap().suspended_at = NOW),
        expected
    );
    assert_eq!(
        refused(|scene| scene.accreditation.as_mut().unwrap().suspended_at = NOW),
        expected
    );
    assert_eq!(
        refused(|scene| scene.accreditation.as_mut().unwrap().role = Role::Authority),
        expected
    );
}

// test: WAL-14
#[test]
fn a_sponsor_that_ended_is_refused() {
    assert_eq!(
        refused(|scene| scene.sponsor_ended = true),
        AskError::SponsorInactive
    );
}

// test: WAL-15
#[test]
fn other_document_data_is_refused() {
    let other = document(&key(0x77), Purposes::AUTHENTICATION);
    assert_eq!(
        refused(|scene| scene.shown_site = Some(other)),
        AskError::Document
    );
}

// test: WAL-16
#[test]
fn a_key_for_another_purpose_is_refused() {
    assert_eq!(
        refused(|scene| scene.site_purposes = Purposes::ASSERTION),
        AskError::Key
    );
    assert_eq!(
        refused(|scene| scene.sponsor_purposes = Purposes::AUTHENTICATION),
        AskError::Key
    );
}

// test: WAL-17
#[test]
fn an_answer_that_would_go_elsewhere_is_refused() {
    let elsewhere = "https://phisher.example/response/1".to_owned();
    let error = refused(|scene| scene.response_uri = elsewhere);
    assert!(matches!(error, AskError::ResponseElsewhere { .. }), "{error:?}");
}

// test: WAL-18
#[test]
fn the_browser_goes_back_to_who_asked_and_nowhere_else() {
    let login = Scene::new(1).judge().unwrap();
    let may = |address| login.may_return_to(&Url::parse(address).unwrap(), false);
    assert!(may("https://signin.example/login/1/complete?response_code=x"));
    assert!(may("https://site.example/callback"));
    assert!(!may("https://phisher.example/callback") && !may("http://signin.example/login/1"));
}

// test: JWS-06
#[test]
fn a_request_signed_by_somebody_else_is_refused() {
    let error = refused(|scene| scene.request_key = key(0x66));
    assert!(
        matches!(error, AskError::Request(RequestError::Jws(_))),
        "{error:?}"
    );
    let error = refused(|scene| scene.statement_key = key(0x66));
    assert!(
        matches!(error, AskError::Statement(SiteStatementError::Jws(_))),
        "{error:?}"
    );
}

// test: VP-08, VP-18
#[test]
fn an_old_request_or_a_statement_of_another_network_is_refused() {
    let error = refused(|scene| scene.exp = NOW);
    assert_eq!(error.code(), "request_expired");
    let error = refused(|scene| scene.statement_charter = Hash([4; 32]));
    assert_eq!(error, AskError::Statement(SiteStatementError::Charter));
}
