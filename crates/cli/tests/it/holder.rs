//! A holder made for tests: enrols and logs in like a wallet, with whatever keys it is told to use.
//!
//! The real wallet cannot be careless; this one can, so that a check which finds nothing between
//! the real wallet's logins is shown to find what a careless wallet would give away.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use realdid_crypto::{Hash, KeyType, SecretKey, base64url_decode, base64url_encode, derive_key};
use realdid_did::{
    Action, Authorization, Did, DocumentData, Founding, Inception, KeysReveal, Level, Operation,
    RecoveryReveal, Reveal, SignedOperation, VerificationKey,
};
use realdid_ledger::encode_did_operation;
use realdid_openid::jws;
use realdid_openid::realdid_jwt::{self, LoginClaims, VpToken};
use realdid_token::{EpochKey, Purpose, Token, blind};
use serde_json::{Value, json};

use crate::country::{Country, Person};
use crate::support::{Answer, http, now, submit};

/// The key material of one DID.
#[derive(Clone)]
pub struct Persona {
    key: SecretKey,
    next: KeysReveal,
    recovery_key: SecretKey,
    recovery_salt: [u8; 32],
}

impl Persona {
    /// Fresh keys and salts, derived from a seed.
    pub fn new(seed: &[u8; 32]) -> Self {
        let secret = |what: &[u8]| derive_key(seed, &[what]);
        let key = |what| SecretKey::from_seed(KeyType::Ed25519, &secret(what));
        let next = vec![VerificationKey::authentication(key(b"next").public_key())];
        Self {
            key: key(b"key"),
            next: KeysReveal {
                keys: next,
                salt: *secret(b"next salt"),
            },
            recovery_key: key(b"recovery"),
            recovery_salt: *secret(b"recovery salt"),
        }
    }

    /// With another's recovery key.
    pub fn with_recovery_key_of(mut self, other: &Self) -> Self {
        self.recovery_key = other.recovery_key.clone();
        self
    }

    /// With another's salt.
    pub fn with_salt_of(mut self, other: &Self) -> Self {
        self.recovery_salt = other.recovery_salt;
        self
    }

    fn recovery(&self) -> RecoveryReveal {
        RecoveryReveal {
            key: self.recovery_key.public_key(),
            salt: self.recovery_salt,
        }
    }

    /// The DID's inception.
    pub fn inception(&self, charter: &Hash) -> Inception {
        let keys = vec![VerificationKey::authentication(self.key.public_key())];
        Inception {
            charter: *charter,
            document: DocumentData::new(keys, Vec::new()).expect("one key"),
            next: self.next.commitment(charter),
            recovery: self.recovery().commitment(charter),
        }
    }
}

/// A DID with its token.
pub struct Equipped {
    persona: Persona,
    /// The DID.
    pub did: Did,
    token: Token,
}

/// An enrolled holder.
pub struct Holder {
    http: reqwest::Client,
    node: String,
    authority: String,
    charter: Hash,
    network: realdid_did::Network,
    account_key: SecretKey,
    account: String,
    rng: StdRng,
}

impl Holder {
    /// Enrols a person.
    pub async fn enrol(country: &Country, person: &Person) -> Self {
        let http = http();
        let authority = country.authority();
        let charter = country.charter.hash();
        let account_key = SecretKey::generate(KeyType::Ed25519, &mut StdRng::from_seed([3; 32]));
        let request = json!({
            "name": person.name, "number": person.number, "account_key": account_key.public_key(),
        });
        let url = format!("{authority}/v1/enrolments");
        let begun = answer(http.post(url).json(&request)).await;
        let id = begun["enrolment_id"].as_str().expect("an enrolment").to_owned();
        let code = country.await_code(&http).await;
        let claims = json!({
            "aud": authority, "iat": now(), "exp": now() + 60, "jti": "one",
            "charter": base64url_encode(charter.0), "enrolment_id": id,
        });
        let proof = jws::sign(&account_key, "realdid-enrolment+jwt", None, &claims).expect("a short message");
        let url = format!("{authority}/v1/enrolments/{id}/confirm");
        let confirmed = answer(http.post(url).json(&json!({ "code": code, "proof": proof }))).await;
        let account = confirmed["account_id"].as_str().expect("an account").to_owned();
        let network = country.charter.network.clone();
        let (node, rng) = (country.node(), StdRng::from_seed([9; 32]));
        Self {
            http,
            node,
            authority,
            charter,
            network,
            account_key,
            account,
            rng,
        }
    }

    /// Draws a token for each persona's DID.
    pub async fn equip(&mut self, personas: &[Persona]) -> Vec<Equipped> {
        let key = self.epoch_key().await;
        let dids: Vec<Hash> = personas
            .iter()
            .map(|persona| persona.inception(&self.charter).hash())
            .collect();
        let blindings: Vec<_> = dids
            .iter()
            .map(|did| blind(&key, &self.charter, did, &mut self.rng).expect("a usable key"))
            .collect();
        let blinded: Vec<_> = blindings
            .iter()
            .map(|one| base64url_encode(one.blinded()))
            .collect();
        let claims = json!({
            "aud": self.authority, "iat": now(), "exp": now() + 60, "jti": dids[0].to_hex()[..32],
            "charter": base64url_encode(self.charter.0), "account_id": self.account,
            "key_id": key.id(&self.charter), "blinded": blinded,
        });
        let request =
            jws::sign(&self.account_key, "realdid-tokens+jwt", None, &claims).expect("a short message");
        let url = format!("{}/v1/tokens", self.authority);
        let request = self
            .http
            .post(url)
            .header("content-type", "application/jwt")
            .body(request);
        let issued = answer(request).await;
        let finish = |((persona, did), (blinding, signature)): (
            (&Persona, &Hash),
            (&realdid_token::Blinding, &Value),
        )| {
            let signature = base64url_decode(signature.as_str().expect("a text")).expect("base64url");
            let signature = signature.as_slice().try_into().expect("256 bytes");
            let token = blinding
                .finalize(&key, &self.charter, did, signature)
                .expect("a valid signature");
            let did = Did {
                network: self.network.clone(),
                hash: *did,
            };
            Equipped {
                persona: persona.clone(),
                did,
                token,
            }
        };
        let signatures = issued["signatures"].as_array().expect("signatures");
        personas
            .iter()
            .zip(&dids)
            .zip(blindings.iter().zip(signatures))
            .map(finish)
            .collect()
    }

    async fn epoch_key(&self) -> EpochKey {
        let authority = answer(self.http.get(format!("{}/v1/authority", self.authority))).await;
        let did: Did = authority["did"].as_str().expect("a DID").parse().expect("a DID");
        let epoch = authority["epoch"].as_u64().expect("an epoch");
        let keys = authority["keys"].as_array().expect("keys");
        let key = keys
            .iter()
            .find(|key| key["epoch"] == epoch)
            .expect("the epoch's key");
        let modulus = base64url_decode(key["modulus"].as_str().expect("a modulus")).expect("base64url");
        let modulus = modulus.as_slice().try_into().expect("256 bytes");
        EpochKey::new(did.hash, Purpose::RealName, Level::Substantial, epoch, modulus).expect("a modulus")
    }

    /// Answers a sign-in page's link; gives where the browser is to go.
    pub async fn login(&self, link: &str, with: &Equipped) -> String {
        let link: reqwest::Url = link.parse().expect("a link");
        let request_uri = link
            .query_pairs()
            .find(|(name, _)| name == "request_uri")
            .expect("a request_uri")
            .1;
        let request = self
            .http
            .get(request_uri.as_ref())
            .send()
            .await
            .expect("an answer");
        let request = request.text().await.expect("a request object");
        let claims = request.split('.').nth(1).expect("a JWS");
        let claims: Value =
            serde_json::from_slice(&base64url_decode(claims).expect("base64url")).expect("claims");
        let text = |name: &str| claims[name].as_str().expect("a text").to_owned();
        let inception = with.persona.inception(&self.charter);
        let login = LoginClaims {
            iss: with.did.to_string(),
            did: with.did.long_form(&inception),
            aud: text("client_id"),
            nonce: text("nonce"),
            iat: now(),
            exp: now() + 120,
            charter: base64url_encode(self.charter.0),
            token: base64url_encode(with.token.to_bytes().as_slice()),
            credentials: Vec::new(),
        };
        let key_url = with.did.key_url(&with.persona.key.public_key());
        let presentation = realdid_jwt::sign(&login, &key_url, &with.persona.key).expect("a short message");
        let vp_token = serde_json::to_string(&VpToken::single("realname", presentation)).expect("JSON");
        let form = [("vp_token", vp_token), ("state", text("state"))];
        let answered = answer(self.http.post(text("response_uri")).form(&form)).await;
        answered["redirect_uri"]
            .as_str()
            .expect("a redirect_uri")
            .to_owned()
    }

    /// Publishes a DID, then ends it by its recovery key: all that was committed to is open then.
    pub async fn publish_and_end(&self, with: &Equipped, authority: Hash) -> [Vec<u8>; 2] {
        let inception = with.persona.inception(&self.charter);
        let authorization = Authorization::Token {
            authority,
            token: with.token.to_bytes(),
        };
        let publish = Operation {
            charter: self.charter,
            did: with.did.hash,
            previous: Hash::ZERO,
            action: Action::Publish(Box::new(Founding {
                inception,
                authorization,
            })),
        };
        let end = Operation {
            charter: self.charter,
            did: with.did.hash,
            previous: publish.hash(),
            action: Action::Deactivate {
                founding: None,
                reveal: Reveal::Recovery(with.persona.recovery()),
            },
        };
        let operations = [
            publish.sign(0, &with.persona.key),
            end.sign(0, &with.persona.recovery_key),
        ];
        for operation in &operations {
            let done = submit(&self.http, &self.node, &encode_did_operation(operation)).await;
            assert!(matches!(done, Answer::Finalized { .. }), "{done:?}");
        }
        operations.map(|operation: SignedOperation| operation.encode())
    }

    /// The authority's identifier hash.
    pub async fn authority_hash(&self) -> Hash {
        self.epoch_key().await.authority
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Value {
    let response = request.send().await.expect("an answer");
    let status = response.status();
    let text = response.text().await.expect("a text");
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).expect("JSON")
}
