//! Presentations: credentials, verifiers and requests of every kind, each part of them to be spoilt.

mod answer;
mod asker;
mod choice;

use realdid_credential::HashAlg;
use realdid_credential::path::{ClaimPath, PathElement};
use realdid_credential::sd_jwt::{Expected, Frame, SdJwt, VerifiedSdJwt, issue};
use realdid_crypto::{KeyType, SecretKey};
use realdid_jose::jwk::Jwk;
use realdid_openid::jws;
use realdid_openid::openid4vp_link::WalletLink;
use serde_json::{Map, Value, json};

use super::{NOW, charter, empty_wallet, rng};
use crate::Wallet;
use crate::consent::{Consent, Wishes};
use crate::credentials::{
    HeldCopy, HeldIssuer, HeldStatus, HolderKey, Naming, NewCredential, Renewal, Standing,
};
use crate::presenting::{
    Answer, AnswerError, AskError, Facts, FetchedRequest, PresentationContext, PresentationRequest,
};

const LICENCE: &str = "urn:example:licence";
const ORIGIN: &str = "https://verifier.example";

fn key(kind: KeyType, seed: u8) -> SecretKey {
    SecretKey::from_seed(kind, &[seed; 32])
}

/// How a licence is made.
struct Licence {
    kind: KeyType,
    hash: HashAlg,
    copies: u32,
    long_lived: bool,
    bound: bool,
    standing: Standing,
}

impl Default for Licence {
    fn default() -> Self {
        Self {
            kind: KeyType::P256,
            hash: HashAlg::Sha256,
            copies: 2,
            long_lived: false,
            bound: true,
            standing: Standing::Accredited,
        }
    }
}

impl Licence {
    fn issuer_key(&self) -> SecretKey {
        key(self.kind, 0x11)
    }

    fn copy(&self, number: u32) -> HeldCopy {
        let holder = HolderKey::generate(self.kind, &mut rng(u64::from(number) + 100));
        let mut claims = json!({
            "iss": "https://licences.example", "vct": LICENCE, "iat": NOW, "exp": NOW + 1000,
            "number": "L-1", "given_name": "Ada", "birthdate": "1990-12-10", "age_over_21": true,
            "classes": ["B", "C"], "address": { "city": "Turin", "street": "Via Po 1" }, "country": "IT",
        });
        if self.bound {
            claims["cnf"] = json!({ "jwk": Jwk::of(&holder.public_key()) });
        }
        let names = [
            "number",
            "given_name",
            "birthdate",
            "age_over_21",
            "classes",
            "address",
        ];
        let mut disclosable: Vec<_> = names.map(|name| ClaimPath::names([name])).into();
        disclosable.push(ClaimPath::names(["address", "city"]));
        disclosable.push(ClaimPath::names(["classes"]).then(PathElement::All));
        let frame = Frame {
            disclosable,
            decoys: 1,
            hash: self.hash,
        };
        let Value::Object(claims) = claims else {
            unreachable!()
        };
        let header = Map::from_iter([("typ".to_owned(), "dc+sd-jwt".into())]);
        let compact = issue(
            &self.issuer_key(),
            header,
            &claims,
            &frame,
            &mut rng(u64::from(number)),
        )
        .unwrap();
        HeldCopy {
            number: 0,
            compact,
            key: self.bound.then_some(holder),
            issued_at: Some(NOW),
            valid_from: None,
            expires_at: Some(NOW + 1000),
            status: self.long_lived.then(|| HeldStatus {
                uri: "https://licences.example/status/1".to_owned(),
                index: 7,
                last: None,
            }),
            uses: Vec::new(),
        }
    }

    /// Puts it into the wallet; gives its number.
    fn keep(&self, wallet: &mut Wallet) -> u32 {
        let first = wallet.credentials().len() as u32 * 10;
        let issuer = HeldIssuer {
            identifier: "https://licences.example".to_owned(),
            name: "Licence Office".to_owned(),
            did: None,
            standing: self.standing,
            standing_at: NOW,
        };
        let new = NewCredential {
            vct: LICENCE.to_owned(),
            name: "Driving licence".to_owned(),
            issuer,
            copies: (0..self.copies).map(|number| self.copy(first + number)).collect(),
            renewal: Renewal {
                configuration: "licence".to_owned(),
                identifier: None,
                authorization_server: "https://licences.example".to_owned(),
                refresh_token: None,
                dpop_key: None,
                client_id: None,
            },
            naming: Naming::default(),
        };
        wallet.keep_credential(new, NOW).unwrap()
    }
}

fn wallet_with(licence: &Licence) -> Wallet {
    let mut wallet = empty_wallet();
    licence.keep(&mut wallet);
    wallet
}

/// A query for these claims of a licence.
fn query(claims: &[&str]) -> Value {
    let claims: Vec<_> = claims
        .iter()
        .map(|name| json!({ "path": name.split('.').collect::<Vec<_>>() }))
        .collect();
    json!({ "credentials": [{
        "id": "licence", "format": "dc+sd-jwt", "meta": { "vct_values": [LICENCE] }, "claims": claims,
    }] })
}

/// A verifier whose DID is its key, and what it asks.
struct Asking {
    key: SecretKey,
    did: String,
    claims: Value,
    fragment: String,
}

impl Asking {
    fn new(query: Value) -> Self {
        let key = key(KeyType::P256, 0x22);
        let multikey = key.public_key().to_multikey();
        let did = format!("did:key:{multikey}");
        let algorithms = ["ES256", "EdDSA"];
        let formats = json!({ "sd-jwt_alg_values": algorithms, "kb-jwt_alg_values": algorithms });
        let claims = json!({
            "client_id": format!("decentralized_identifier:{did}"), "aud": "https://self-issued.me/v2",
            "response_type": "vp_token", "response_mode": "direct_post",
            "response_uri": format!("{ORIGIN}/response/1"), "nonce": "n".repeat(22), "state": "s1",
            "dcql_query": query, "client_metadata": { "vp_formats_supported": { "dc+sd-jwt": formats } },
            "iat": NOW, "exp": NOW + 300,
        });
        Self {
            key,
            did,
            claims,
            fragment: multikey,
        }
    }

    fn client_id(&self) -> &str {
        self.claims["client_id"].as_str().unwrap()
    }

    fn link(&self) -> WalletLink {
        let mut link = url::Url::parse("openid4vp://").unwrap();
        link.query_pairs_mut()
            .append_pair("client_id", self.client_id())
            .append_pair("request_uri", &format!("{ORIGIN}/request/1"));
        WalletLink::parse(link.as_str(), false).unwrap()
    }

    fn fetched(&self) -> Result<FetchedRequest, AskError> {
        let kid = format!("{}#{}", self.did, self.fragment);
        let object = jws::sign(&self.key, "oauth-authz-req+jwt", Some(&kid), &self.claims).unwrap();
        FetchedRequest::parse(&object, &self.link(), &charter().network)
    }

    fn judge(&self) -> Result<PresentationRequest, AskError> {
        self.fetched()?
            .judge(&Facts::default(), &[], &context(&self.link()))
    }
}

fn context(link: &WalletLink) -> PresentationContext<'_> {
    static CHARTER: std::sync::LazyLock<realdid_crypto::Hash> = std::sync::LazyLock::new(|| charter().hash());
    PresentationContext {
        link,
        wallet_nonce: None,
        charter: &CHARTER,
        sandbox: false,
        now: NOW,
    }
}

fn asked(query: Value) -> PresentationRequest {
    Asking::new(query).judge().unwrap()
}

fn consent(wallet: &Wallet, request: &PresentationRequest) -> Result<Consent, AnswerError> {
    wallet.consent(request, &Wishes::default(), NOW)
}

fn answer(wallet: &mut Wallet, request: &PresentationRequest, consent: &Consent) -> Answer {
    wallet.answer(request, consent, NOW, &mut rng(8)).unwrap()
}

/// The only presentation for a query in a plain answer.
fn shown(answer: &Answer, query: &str) -> String {
    let ("vp_token", vp_token) = (answer.form[0].0, &answer.form[0].1) else {
        panic!("{answer:?}");
    };
    let vp_token: Value = serde_json::from_str(vp_token).unwrap();
    let [presentation] = vp_token[query].as_array().unwrap().as_slice() else {
        panic!("{vp_token}");
    };
    presentation.as_str().unwrap().to_owned()
}

/// What a verifier reads, the issuer's signature and the key binding checked.
fn verified(presentation: &str, licence: &Licence, client_id: &str) -> VerifiedSdJwt {
    let verified = SdJwt::parse(presentation)
        .unwrap()
        .verify(&licence.issuer_key().public_key())
        .unwrap();
    let expected = Expected {
        audience: client_id,
        nonce: &"n".repeat(22),
        now: NOW,
        max_age: 60,
    };
    verified.key_binding(&expected).unwrap();
    verified
}
