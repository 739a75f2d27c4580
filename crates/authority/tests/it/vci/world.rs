//! An issuer over a real database, served by the real router.

use std::net::SocketAddr;
use std::sync::Arc;

use realdid_authority::credential_issuer::example::{LICENCE_CONFIG, LICENCE_SCHEMA, licence_files};
use realdid_authority::credential_issuer::realname::default_types;
use realdid_authority::credential_issuer::{
    CredentialIssuer, CredentialKey, CredentialType, Csv, IssuerKeys, LICENCE_VCT, Parts, Policy,
    REALNAME_VCT, Register, Rights, Source,
};
use realdid_authority::{
    Dispatcher, Identification, IssuerApp, IssuerConfig, Outbox, Secrets, issuer_routes,
};
use realdid_crypto::{KeyType, SecretKey};
use realdid_service::{Hardening, RateLimiter, harden, now_seconds};
use reqwest::{Client, Response};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::support::World;

/// The operators' secret of every issuer here.
pub const OPERATOR: &str = "an operator's secret";

/// A running issuer, and the person's side of it.
pub struct Service {
    pub world: World,
    pub url: String,
    pub client: Client,
    pub outbox: Arc<Outbox>,
    pub rights: watch::Sender<Option<Rights>>,
    /// Addresses of further processes over the same database.
    pub others: Vec<String>,
    _directory: TempDir,
}

/// Which issuer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Authority,
    Office,
}

/// Everything is granted, freshly.
pub fn rights() -> Rights {
    Rights {
        types: vec![REALNAME_VCT.to_owned(), LICENCE_VCT.to_owned()],
        proven_at: now_seconds(),
    }
}

pub fn credential_key(kind: KeyType) -> SecretKey {
    SecretKey::from_seed(kind, &[9; 32])
}

fn keys() -> IssuerKeys {
    let key = |kind| CredentialKey {
        kid: format!("did:real:sandbox:zIssuer#{}", credential_key(kind).public_key()),
        key: credential_key(kind),
        x5c: Vec::new(),
    };
    IssuerKeys::new(vec![key(KeyType::P256), key(KeyType::Sm2)])
}

fn licence_types(directory: &TempDir) -> Vec<(CredentialType, Arc<dyn Source>)> {
    for (name, text) in licence_files(20) {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let path = directory.path().join("licences.csv");
    let source: Arc<dyn Source> = Arc::new(Csv::open(&path, "licence_number").unwrap());
    let head = "listen = '127.0.0.1:0'\npublic_url = 'http://127.0.0.1:1'\ncharter = 'c'\nnode_url = 'n'\n";
    let config: IssuerConfig = toml::from_str(&format!("{head}{LICENCE_CONFIG}")).unwrap();
    let made = |config| CredentialType::new(config, Some(LICENCE_SCHEMA)).unwrap();
    config
        .credentials
        .into_iter()
        .map(|config| (made(config), Arc::clone(&source)))
        .collect()
}

impl Service {
    pub async fn start(world: World, kind: Kind) -> Self {
        Self::start_with(world, kind, Policy::default(), 1).await
    }

    /// So many processes over one database; all say they are the first one's address.
    #[allow(clippy::too_many_lines, reason = "one story, told in its order")]
    pub async fn start_with(world: World, kind: Kind, policy: Policy, processes: usize) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let outbox = Arc::new(Outbox::default());
        let dispatcher = Dispatcher::start(Arc::<Outbox>::clone(&outbox));
        let rights = watch::Sender::new(Some(rights()));
        let mut listeners = Vec::new();
        for _ in 0..processes {
            listeners.push(tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
        }
        let urls: Vec<_> = listeners
            .iter()
            .map(|one| format!("http://{}", one.local_addr().unwrap()))
            .collect();
        for listener in listeners {
            let authority = world.again().await;
            let types = match kind {
                Kind::Office => licence_types(&directory),
                Kind::Authority => {
                    let source: Arc<dyn Source> = Arc::new(Register(authority.database().clone()));
                    let made = |config| (CredentialType::new(config, None).unwrap(), Arc::clone(&source));
                    default_types().into_iter().map(made).collect()
                }
            };
            let issuer = CredentialIssuer::new(Parts {
                database: authority.database().clone(),
                secrets: Secrets::from_bytes([5; 32]),
                issuer: urls[0].clone(),
                name: "An issuer".into(),
                policy: policy.clone(),
                types,
                keys: keys(),
                rights: rights.subscribe(),
            });
            let identification = match kind {
                Kind::Office => Identification::Offers,
                Kind::Authority => Identification::Register {
                    authority: Box::new(authority),
                    dispatcher: dispatcher.clone(),
                },
            };
            let app = IssuerApp {
                issuer,
                identification,
                operator_secret: Some(OPERATOR.into()),
                limiter: RateLimiter::new(policy.requests_per_minute / 60.0, policy.requests_per_minute),
                https: false,
            };
            let router = harden(issuer_routes(Arc::new(app)), Hardening::default());
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            tokio::spawn(async move { axum::serve(listener, service).await });
        }
        let no_redirects = reqwest::redirect::Policy::none();
        Self {
            world,
            url: urls[0].clone(),
            client: Client::builder()
                .no_proxy()
                .redirect(no_redirects)
                .build()
                .unwrap(),
            outbox,
            rights,
            others: urls[1..].to_vec(),
            _directory: directory,
        }
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        self.client
            .post(format!("{}{path}", self.url))
            .json(body)
            .send()
            .await
            .unwrap()
    }

    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        self.client
            .post(format!("{}{path}", self.url))
            .form(fields)
            .send()
            .await
            .unwrap()
    }

    /// As an operator.
    pub async fn operate(&self, path: &str, body: &Value) -> Response {
        let request = self.client.post(format!("{}/v1/issuer/{path}", self.url));
        request.bearer_auth(OPERATOR).json(body).send().await.unwrap()
    }

    /// The code that was delivered last, once there are so many.
    pub async fn code(&self, count: usize) -> String {
        for _ in 0..1000 {
            let messages = self.outbox.delivered();
            if messages.len() >= count {
                return messages[messages.len() - 1].code.clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        panic!("no code was delivered");
    }
}
