//! A wallet and an issuer for tests: real keys, certificates and credentials.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType,
};
use realdid_credential::path::ClaimPath;
use realdid_credential::sd_jwt::{BindingClaims, Frame, SdJwt};
use realdid_credential::vc::{self, IssuerHeader, NewVc, StatusReference};
use realdid_crypto::{KeyType, SecretKey};
use realdid_jose::jwe::{self, Parties};
use realdid_jose::x5c::Roots;
use realdid_openid::authorization_request::{
    RequestContext, ResponseMode, Signer, TransactionData, UnverifiedRequest, VerifiedRequest,
};
use realdid_openid::openid4vp_link::{RequestMethod, WalletLink};
use realdid_openid::registration::MayAsk;
use realdid_service::now_seconds;
use serde_json::{Map, Value, json};

use super::support::{Page, Site, World, basic};
use crate::certificate::{Certificate, CertificateError};
use crate::verifier_options::VerifierOptions;

pub const LICENCE: &str = "urn:example:licence";

/// A root, an issuer of credentials under it, a holder.
pub struct Presenter {
    pub root_pem: String,
    root: Issuer<'static, KeyPair>,
    issuer: Certificate,
    pub holder: SecretKey,
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2024, 1, 1);
    params.not_after = rcgen::date_time_ymd(2090, 1, 1);
    params.use_authority_key_identifier_extension = true;
    params
}

impl Presenter {
    pub fn new() -> Self {
        let mut params = named("Root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let root_pem = params.self_signed(&key).unwrap().pem();
        let root = Issuer::new(params, key);
        let issuer = certify(&root, "issuer.example");
        Self {
            root_pem,
            root,
            issuer,
            holder: SecretKey::from_seed(KeyType::P256, &[5; 32]),
        }
    }

    /// A certificate for a website.
    pub fn certificate(&self, dns_name: &str) -> Certificate {
        certify(&self.root, dns_name)
    }

    pub fn certificate_with_other_key(&self) -> Result<Certificate, CertificateError> {
        let mut params = named("other");
        params.subject_alt_names = vec![SanType::DnsName("other.example".try_into().unwrap())];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let chain = params.signed_by(&key, &self.root).unwrap().pem();
        let other = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        Certificate::from_pem(&chain, &other.serialize_pem())
    }

    /// Options of a website that may ask for the licence, and trusts the issuer.
    pub fn options(&self) -> VerifierOptions {
        VerifierOptions {
            may_ask: vec![MayAsk::any(LICENCE)],
            trusted_roots: Some(self.root_pem.clone()),
            ..VerifierOptions::default()
        }
    }

    pub fn new_licence(&self) -> NewVc {
        let claims = json!({
            "given_name": "Erika", "family_name": "Mustermann", "age_over_21": true,
            "classes": ["B", "C"], "number": "B072RRE2I55",
        });
        let names = ["given_name", "family_name", "age_over_21", "classes", "number"];
        NewVc {
            vct: LICENCE.into(),
            issuer: Some("https://issuer.example".into()),
            issued_at: Some(now_seconds() - 60),
            expires_at: Some(now_seconds() + 86_400),
            holder: Some(self.holder.public_key()),
            claims: claims.as_object().unwrap().clone(),
            frame: Frame {
                disclosable: names.map(|name| ClaimPath::names([name])).to_vec(),
                decoys: 2,
                ..Frame::default()
            },
            ..NewVc::default()
        }
    }

    /// Issues a licence, altered.
    pub fn issue(&self, alter: impl FnOnce(&mut NewVc)) -> String {
        let mut new = self.new_licence();
        alter(&mut new);
        let x5c: Vec<String> = serde_json::from_value(self.issuer.chain().to_x5c()).unwrap();
        let header = IssuerHeader {
            kid: None,
            x5c: Some(x5c),
        };
        vc::issue(self.issuer.key(), &header, &new, &mut rand::rng()).unwrap()
    }

    pub fn with_status(&self, uri: &str, index: u64) -> String {
        let status = StatusReference {
            uri: uri.to_owned(),
            index,
        };
        self.issue(|new| new.status = Some(status))
    }

    pub const fn issuer_key(&self) -> &SecretKey {
        self.issuer.key()
    }

    /// Shows what is asked for of the licence, bound to the request.
    pub fn show(&self, request: &VerifiedRequest, credential: &str) -> String {
        self.show_altered(request, credential, &["age_over_21", "classes"], |_| ())
    }

    pub fn show_altered(
        &self,
        request: &VerifiedRequest,
        credential: &str,
        names: &[&str],
        alter: impl FnOnce(&mut BindingClaims),
    ) -> String {
        let paths: Vec<_> = names.iter().map(|&name| ClaimPath::names([name])).collect();
        let disclosed = SdJwt::parse(credential).unwrap().disclosed().unwrap();
        let mut more = Map::new();
        let hashes: Vec<Value> = request
            .transactions()
            .iter()
            .map(|one| one.hash().into())
            .collect();
        if !hashes.is_empty() {
            more.insert("transaction_data_hashes".into(), hashes.into());
        }
        if let Some(name) = request
            .transactions()
            .first()
            .and_then(TransactionData::hash_algorithm)
        {
            more.insert("transaction_data_hashes_alg".into(), name.into());
        }
        let mut claims = BindingClaims {
            audience: request.client_id().to_string(),
            nonce: request.nonce().to_owned(),
            issued_at: now_seconds(),
            more,
        };
        alter(&mut claims);
        disclosed
            .select(&paths)
            .unwrap()
            .bind(&self.holder, &claims)
            .unwrap()
    }

    /// The link as a wallet follows it: the request, with everything about it checked.
    pub async fn fetch(&self, world: &World, link: &str) -> VerifiedRequest {
        let link = WalletLink::parse(link, true).unwrap();
        assert_eq!(link.method, RequestMethod::Post);
        let body = "wallet_nonce=fresh&wallet_metadata=%7B%22vp_formats_supported%22%3A%7B%7D%7D";
        let page = world.post(link.request_uri.path(), body, None).await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert_eq!(page.headers["content-type"], "application/oauth-authz-req+jwt");
        let request = UnverifiedRequest::parse(&page.text, &link.client_id).unwrap();
        let key = match request.signer() {
            Signer::Did { did, fragment } => {
                let key = realdid_crypto::PublicKey::from_multikey(fragment).unwrap();
                assert!(did.starts_with("did:real:sandbox:"));
                key
            }
            Signer::Certificates(chain) => {
                let roots = Roots::from_pem(&self.root_pem).unwrap();
                *chain.verify(&roots, now_seconds()).unwrap().key().unwrap()
            }
        };
        let context = RequestContext {
            client_id: &link.client_id,
            request_uri: link.request_uri.as_str(),
            wallet_nonce: Some("fresh"),
            now: now_seconds(),
            sandbox: true,
        };
        request.verify(&key, &context).unwrap()
    }
}

fn certify(root: &Issuer<'static, KeyPair>, dns_name: &str) -> Certificate {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let mut params = named(dns_name);
    params.subject_alt_names = vec![SanType::DnsName(dns_name.try_into().unwrap())];
    let chain = params.signed_by(&key, root).unwrap().pem();
    Certificate::from_pem(&chain, &key.serialize_pem()).unwrap()
}

/// A website's own REST calls.
pub struct Rest<'a> {
    pub world: &'a World,
    pub site: &'a Site,
}

pub fn licence_query() -> Value {
    json!({ "credentials": [{
        "id": "licence", "format": "dc+sd-jwt", "meta": { "vct_values": [LICENCE] },
        "claims": [{ "path": ["age_over_21"] }, { "path": ["classes"] }],
    }]})
}

impl Rest<'_> {
    fn authorization(&self) -> String {
        basic(&self.site.client.client_id, &self.site.secret)
    }

    pub async fn ask(&self, body: &Value) -> Page {
        let authorization = self.authorization();
        self.world
            .post("/v1/presentations", &body.to_string(), Some(&authorization))
            .await
    }

    /// Starts a presentation.
    pub async fn start(&self, body: &Value) -> Value {
        let page = self.ask(body).await;
        assert_eq!(page.status, 201, "{}", page.text);
        page.json()
    }

    pub async fn get(&self, path: &str) -> Page {
        self.world.get_as(path, &self.authorization()).await
    }

    pub async fn status(&self, id: &Value) -> Value {
        let page = self
            .get(&format!("/v1/presentations/{}", id.as_str().unwrap()))
            .await;
        assert_eq!(page.status, 200, "{}", page.text);
        page.json()
    }

    pub async fn result(&self, id: &Value, code: Option<&str>) -> Page {
        let query = code
            .map(|code| format!("?response_code={code}"))
            .unwrap_or_default();
        self.get(&format!(
            "/v1/presentations/{}/result{query}",
            id.as_str().unwrap()
        ))
        .await
    }
}

/// Posts an answer of one presentation of the licence, as the request asks.
pub async fn answer(world: &World, request: &VerifiedRequest, presentation: &str) -> Page {
    post(world, request, &json!({ "licence": [presentation] })).await
}

/// Posts a `vp_token`, encrypted if the request asks for that.
pub async fn post(world: &World, request: &VerifiedRequest, vp_token: &Value) -> Page {
    let state = request.state().unwrap();
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    match (request.response_mode(), request.encryption()) {
        (ResponseMode::DirectPostJwt, Some((recipient, encryption))) => {
            let content = json!({ "vp_token": vp_token, "state": state }).to_string();
            let sealed = jwe::encrypt(
                recipient,
                *encryption,
                content.as_bytes(),
                Parties::default(),
                &mut rand::rng(),
            );
            form.append_pair("response", &sealed.unwrap());
        }
        _ => {
            form.append_pair("vp_token", &vp_token.to_string())
                .append_pair("state", state);
        }
    }
    world
        .post(request.response_uri().path(), &form.finish(), None)
        .await
}
