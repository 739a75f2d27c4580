//! An issuer that answers in memory, by the same messages as a real one, and can be made to misbehave.

use std::collections::BTreeMap;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use realdid_credential::path::ClaimPath;
use realdid_credential::sd_jwt::Frame;
use realdid_credential::vc::{IssuerHeader, NewVc, issue};
use realdid_crypto::{KeyType, SecretKey, base64url_encode};
use realdid_jose::jwe::{DecryptionKey, Encryption, Jwe, Parties, Recipient, encrypt};
use realdid_jose::jwk::Jwk;
use realdid_openid::oauth::dpop::{self, DpopExpectation};
use realdid_openid::vci::{
    CredentialRequest, DeferredRequest, KeyReference, ProofExpectation, Wanted, proof,
};
use realdid_wallet::credentials::Standing;
use realdid_wallet::issuance::issuer::Search;
use realdid_wallet::issuance::{
    Body, Endpoint, Fetch, Fetched, Issuance, IssuanceError, IssuerKey, IssuerReference, Kept, Options,
    Preview, Received, Step, TypeDocument,
};
use serde_json::{Value, json};
use url::Url;

pub const NOW: u64 = 1_800_000_000;
pub const ISSUER: &str = "http://127.0.0.1:7399";
pub const VCT: &str = "https://issuer.example/pass";
pub const NONCE: &str = "nonce-1";

pub fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

pub fn options() -> Options {
    Options {
        sandbox: true,
        redirect_uri: Some("http://127.0.0.1:5555/callback".to_owned()),
        client_id: None,
        copies: 3,
    }
}

/// What an answer is changed by before the wallet gets it.
type Tamper = Box<dyn FnMut(Endpoint, &mut Fetched)>;

/// What a credential is changed by before it is signed; with its place in the answer.
pub type Shape = Box<dyn Fn(usize, &mut NewVc)>;

pub struct MockIssuer {
    pub metadata: Value,
    pub server: Value,
    pub token: Value,
    /// Answers to give before any credential: deferred this many times.
    pub deferrals: u32,
    pub bearer: bool,
    pub dpop_nonce: Option<String>,
    /// What credentials are made from; changed by tests.
    pub shape: Shape,
    /// Signs the credential at this place.
    pub signer: Box<dyn Fn(usize) -> SecretKey>,
    pub extra: usize,
    pub tamper: Tamper,
    pub seen: Vec<(Endpoint, Fetch)>,
    pub encryption: DecryptionKey,
    /// How the ledger says that it stands.
    pub standing: Standing,
    /// Documents of types, by address.
    pub documents: BTreeMap<String, String>,
    /// Addresses of documents that were looked for.
    pub looked_for: Vec<String>,
}

pub fn did_jwk(key: &SecretKey) -> String {
    let jwk = serde_json::to_vec(&Jwk::of(&key.public_key())).unwrap();
    format!("did:jwk:{}", base64url_encode(jwk))
}

pub fn offer(grants: Value) -> String {
    let offer = json!({
        "credential_issuer": ISSUER,
        "credential_configuration_ids": ["pass"],
        "grants": grants,
    });
    let mut link = Url::parse("openid-credential-offer://").unwrap();
    link.query_pairs_mut()
        .append_pair("credential_offer", &offer.to_string());
    link.to_string()
}

pub fn coded() -> Value {
    json!({ "urn:ietf:params:oauth:grant-type:pre-authorized_code": {
        "pre-authorized_code": "code-1",
        "tx_code": { "length": 4, "input_mode": "numeric" },
    }})
}

pub fn browsed() -> Value {
    json!({ "authorization_code": { "issuer_state": "state-of-issuer" } })
}

impl MockIssuer {
    pub fn new() -> Self {
        let signer = SecretKey::from_seed(KeyType::P256, &[7; 32]);
        Self {
            metadata: json!({
                "credential_issuer": ISSUER,
                "credential_endpoint": format!("{ISSUER}/credential"),
                "nonce_endpoint": format!("{ISSUER}/nonce"),
                "deferred_credential_endpoint": format!("{ISSUER}/deferred"),
                "notification_endpoint": format!("{ISSUER}/notification"),
                "batch_credential_issuance": { "batch_size": 10 },
                "display": [{ "name": "Pass\u{202e} <b>Office</b>" }],
                "credential_configurations_supported": { "pass": {
                    "format": "dc+sd-jwt",
                    "vct": VCT,
                    "scope": "pass",
                    "cryptographic_binding_methods_supported": ["jwk"],
                    "proof_types_supported": { "jwt": { "proof_signing_alg_values_supported": ["EdDSA", "ES256"] } },
                    "credential_metadata": { "display": [{ "name": "A Pass", "locale": "en" }] },
                }},
            }),
            server: json!({
                "issuer": ISSUER,
                "token_endpoint": format!("{ISSUER}/token"),
                "authorization_endpoint": format!("{ISSUER}/authorize"),
                "pushed_authorization_request_endpoint": format!("{ISSUER}/par"),
                "dpop_signing_alg_values_supported": ["ES256"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": true,
                "pre-authorized_grant_anonymous_access_supported": true,
            }),
            token: json!({
                "access_token": "access-1", "token_type": "DPoP", "expires_in": 300, "refresh_token": "refresh-1",
            }),
            deferrals: 0,
            bearer: false,
            dpop_nonce: None,
            shape: Box::new(|_, _| {}),
            signer: Box::new(move |_| signer.clone()),
            extra: 0,
            tamper: Box::new(|_, _| {}),
            seen: Vec::new(),
            encryption: DecryptionKey::generate(&mut rng(8)),
            standing: Standing::NotAccredited,
            documents: BTreeMap::new(),
            looked_for: Vec::new(),
        }
    }

    pub fn tampered(mut self, tamper: impl FnMut(Endpoint, &mut Fetched) + 'static) -> Self {
        self.tamper = Box::new(tamper);
        self
    }

    pub fn configuration(&mut self) -> &mut Value {
        &mut self.metadata["credential_configurations_supported"]["pass"]
    }

    /// Requests to this endpoint, in order.
    pub fn requests(&self, endpoint: Endpoint) -> Vec<&Fetch> {
        self.seen
            .iter()
            .filter(|(seen, _)| *seen == endpoint)
            .map(|(_, fetch)| fetch)
            .collect()
    }

    fn answer(&mut self, fetch: &Fetch) -> Fetched {
        self.seen.push((fetch.endpoint, fetch.clone()));
        let mut answer = match self.wants_nonce(fetch) {
            true => reply(400, &json!({ "error": "use_dpop_nonce" })),
            false => self.respond(fetch),
        };
        answer.dpop_nonce.clone_from(&self.dpop_nonce);
        (self.tamper)(fetch.endpoint, &mut answer);
        answer
    }

    /// Gives the document that is looked for; whoever refuses it tells so.
    fn describe(
        &mut self,
        issuance: &mut Issuance,
        wanted: &TypeDocument,
        rng: &mut StdRng,
    ) -> Result<(), IssuanceError> {
        let document = self.documents.get(wanted.url.as_str()).map(String::as_bytes);
        let described = issuance.described(document.filter(|text| text.len() <= wanted.limit));
        self.looked_for.push(wanted.url.to_string());
        if described.is_err() {
            let told = issuance.step(NOW, rng)?;
            assert!(matches!(told, Step::Fetch(fetch) if fetch.endpoint == Endpoint::Notification));
        }
        described
    }

    fn wants_nonce(&self, fetch: &Fetch) -> bool {
        let proof = fetch.headers.iter().find(|(name, _)| *name == "dpop");
        let (Some((_, proof)), Some(nonce)) = (proof, &self.dpop_nonce) else {
            return false;
        };
        self.check_dpop(fetch, proof).nonce.as_ref() != Some(nonce)
    }

    fn check_dpop(&self, fetch: &Fetch, proof: &str) -> realdid_openid::oauth::DpopProof {
        let token = header(fetch, "authorization").map(|text| text.trim_start_matches("DPoP ").to_owned());
        let expected = DpopExpectation {
            method: "POST",
            uri: fetch.url.as_str(),
            access_token: token.as_deref(),
            now: NOW,
        };
        dpop::check(proof, &expected).unwrap()
    }

    fn respond(&mut self, fetch: &Fetch) -> Fetched {
        match fetch.endpoint {
            Endpoint::Offer => unreachable!("offers are given by value here"),
            Endpoint::IssuerMetadata => {
                assert_eq!(fetch.url.path(), "/.well-known/openid-credential-issuer");
                reply(200, &self.metadata)
            }
            Endpoint::ServerMetadata => reply(200, &self.server),
            Endpoint::Push => reply(201, &json!({ "request_uri": "urn:request:1", "expires_in": 60 })),
            Endpoint::Token => reply(200, &self.token),
            Endpoint::Nonce => reply(200, &json!({ "c_nonce": NONCE })),
            Endpoint::Credential | Endpoint::Deferred => self.issue(fetch),
            Endpoint::Notification => reply(204, &Value::Null),
            Endpoint::Authorization => unreachable!("browsers go there, wallets do not"),
        }
    }

    fn issue(&mut self, fetch: &Fetch) -> Fetched {
        let scheme = if self.bearer {
            "Bearer access-1"
        } else {
            "DPoP access-1"
        };
        assert_eq!(header(fetch, "authorization").as_deref(), Some(scheme));
        let body = match &fetch.body {
            Body::Json(text) => text.clone().into_bytes(),
            Body::Jwt(text) => Jwe::parse(text)
                .unwrap()
                .decrypt(&self.encryption)
                .unwrap()
                .to_vec(),
            _ => unreachable!("credentials are asked for by JSON"),
        };
        let (encryption, keys) = if fetch.endpoint == Endpoint::Deferred {
            let asked = DeferredRequest::parse(&body).unwrap();
            assert_eq!(asked.transaction_id, "transaction-1");
            let first = self.requests(Endpoint::Credential)[0].clone();
            let Body::Json(first) = first.body else {
                unreachable!("deferred is tested in the clear")
            };
            (asked.encryption, self.keys(first.as_bytes()))
        } else {
            (
                CredentialRequest::parse(&body).unwrap().encryption,
                self.keys(&body),
            )
        };
        let content = if self.deferrals > 0 {
            self.deferrals -= 1;
            json!({ "transaction_id": "transaction-1", "interval": 5 })
        } else {
            json!({ "credentials": self.credentials(&keys), "notification_id": "notification-1" })
        };
        match encryption {
            None => reply(200, &content),
            Some(wanted) => {
                let jwk: Jwk = serde_json::from_value(Value::Object(wanted.jwk)).unwrap();
                let to = Recipient::from_jwk(&jwk).unwrap();
                let enc = Encryption::from_name(&wanted.enc).unwrap();
                let text = content.to_string();
                let sealed = encrypt(&to, enc, text.as_bytes(), Parties::default(), &mut rng(5)).unwrap();
                Fetched {
                    body: sealed.into_bytes(),
                    ..reply(200, &Value::Null)
                }
            }
        }
    }

    /// The keys of a request's proofs, each proof checked.
    fn keys(&self, body: &[u8]) -> Vec<Option<realdid_crypto::PublicKey>> {
        let request = CredentialRequest::parse(body).unwrap();
        assert!(matches!(
            request.wanted,
            Wanted::Configuration(_) | Wanted::Identifier(_)
        ));
        let expected = ProofExpectation {
            issuer: ISSUER,
            client_id: Some("realdid-wallet"),
            algorithms: &KeyType::ALL,
            now: NOW,
        };
        if request.proofs.is_empty() {
            return vec![None];
        }
        let keys = request.proofs.iter().map(|proof| {
            let proof = proof::UnverifiedProof::parse(proof).unwrap();
            let KeyReference::Key(key) = proof.key().unwrap() else {
                panic!("a key by name")
            };
            let verified = proof.verify(&key, &expected).unwrap();
            assert_eq!(verified.nonce, NONCE);
            Some(verified.key)
        });
        keys.collect()
    }

    fn credentials(&self, keys: &[Option<realdid_crypto::PublicKey>]) -> Vec<Value> {
        let cycle = keys.iter().chain(keys.iter().take(self.extra));
        let make = |(place, holder): (usize, &Option<realdid_crypto::PublicKey>)| {
            let signer = (self.signer)(place);
            let mut new = NewVc {
                vct: VCT.to_owned(),
                issuer: Some(did_jwk(&signer)),
                issued_at: Some(NOW - 60),
                expires_at: Some(NOW + 86_400),
                holder: *holder,
                claims: [("given_name".to_owned(), "Ada".into())].into_iter().collect(),
                frame: Frame {
                    disclosable: vec![ClaimPath::names(["given_name"])],
                    ..Frame::default()
                },
                ..NewVc::default()
            };
            (self.shape)(place, &mut new);
            let header = IssuerHeader {
                kid: Some("#0".to_owned()),
                x5c: None,
            };
            let made = issue(&signer, &header, &new, &mut rng(100 + place as u64)).unwrap();
            json!({ "credential": made })
        };
        cycle.enumerate().map(make).collect()
    }
}

fn header(fetch: &Fetch, name: &str) -> Option<String> {
    fetch
        .headers
        .iter()
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.clone())
}

pub fn reply(status: u16, body: &Value) -> Fetched {
    Fetched {
        status,
        content_type: Some("application/json".to_owned()),
        body: body.to_string().into_bytes(),
        ..Fetched::default()
    }
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Run {
    pub previews: Vec<Preview>,
    pub received: Vec<Received>,
    pub waits: u32,
    /// The last thing that had to be stored.
    pub saved: Option<realdid_wallet::issuance::PendingIssuance>,
}

/// Runs an issuance to its end against the issuer.
pub fn run(issuance: Issuance, issuer: &mut MockIssuer) -> Result<Run, IssuanceError> {
    run_with(issuance, issuer, Some("1234"), &|_| None)
}

/// The same with a transaction code, and a browser: it gets the address and gives its way back.
pub fn run_with(
    mut issuance: Issuance,
    issuer: &mut MockIssuer,
    tx_code: Option<&str>,
    browser: &dyn Fn(&str) -> Option<Url>,
) -> Result<Run, IssuanceError> {
    let seed = 1 + issuer.seen.len() as u64;
    let (mut run, mut now, mut rng) = (Run::default(), NOW, rng(seed));
    for _ in 0..100 {
        match issuance.step(now, &mut rng)? {
            Step::Fetch(fetch) => {
                let answer = issuer.answer(&fetch);
                issuance.received(&answer, now, &mut rng)?;
            }
            Step::Agree(preview) => {
                run.previews.push(*preview);
                issuance.agreed(tx_code, &mut rng)?;
            }
            Step::Browse(url) => {
                let state = pushed_state(issuer).unwrap_or_else(|| query(&url, "state").unwrap());
                let mut back = browser(url.as_str())
                    .unwrap_or_else(|| Url::parse("http://127.0.0.1:5555/callback?code=code-2").unwrap());
                if query(&back, "state").is_none() {
                    back.query_pairs_mut().append_pair("state", &state);
                }
                if query(&back, "iss").is_none() {
                    back.query_pairs_mut().append_pair("iss", ISSUER);
                }
                issuance.returned(&back)?;
            }
            Step::Wait(until) => {
                run.waits += 1;
                assert!(until > now);
                // Times of the issuer stand still here; the wallet's own go on.
                now = NOW;
                issuance.waited();
                if run.waits > 3 {
                    return Ok(run);
                }
                now = now.max(until);
            }
            Step::Resolve(reference) => {
                let key = IssuerKey {
                    standing: issuer.standing,
                    ..resolve(&reference)
                };
                issuance.resolved(&key, NOW)?;
            }
            Step::Describe(wanted) => issuer.describe(&mut issuance, &wanted, &mut rng)?,
            Step::Store(received) => {
                run.received.push(*received);
                issuance.stored(Kept::Stored)?;
            }
            Step::Done => return Ok(run),
        }
        if let Some(pending) = issuance.unsaved() {
            run.saved = Some(pending);
        }
    }
    panic!("the issuance does not end");
}

fn resolve(reference: &IssuerReference) -> IssuerKey {
    let network = realdid_did::Network::new("test").unwrap();
    match Search::begin(reference, VCT, &network, true, NOW).unwrap() {
        Search::Known(key) => key,
        other => panic!("a did:jwk is a key: {other:?}"),
    }
}

fn pushed_state(issuer: &MockIssuer) -> Option<String> {
    let push = issuer.requests(Endpoint::Push);
    let Body::Form(form) = &push.last()?.body else {
        return None;
    };
    form.iter()
        .find(|(name, _)| *name == "state")
        .map(|(_, value)| value.clone())
}

pub fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned())
}

pub fn begin(grants: Value) -> Issuance {
    Issuance::begin(&offer(grants), options()).unwrap()
}

pub fn fails(issuer: &mut MockIssuer) -> IssuanceError {
    run(begin(coded()), issuer).unwrap_err()
}

/// The untouched issuer, which every test ends with.
pub fn passes(run: Result<Run, IssuanceError>) -> Run {
    let run = run.unwrap();
    assert_eq!(run.received.len(), 1);
    run
}

pub fn visit(issuer: &mut MockIssuer, browser: &dyn Fn(&str) -> Option<Url>) -> Result<Run, IssuanceError> {
    run_with(begin(browsed()), issuer, None, browser)
}

pub fn encrypting() -> MockIssuer {
    let mut issuer = MockIssuer::new();
    let key = DecryptionKey::generate(&mut rng(8));
    let rsa = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "r", "alg": "RSA-OAEP-256" });
    issuer.metadata["credential_request_encryption"] = json!({
        "jwks": { "keys": [rsa, key.jwk()] }, "enc_values_supported": ["A128GCM"], "encryption_required": true,
    });
    issuer.metadata["credential_response_encryption"] = json!({
        "alg_values_supported": ["ECDH-ES"], "enc_values_supported": ["A256GCM"], "encryption_required": true,
    });
    issuer.encryption = key;
    issuer
}
