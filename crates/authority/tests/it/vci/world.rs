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
    Database, Dispatcher, Identification, IssuerApp, IssuerConfig, Outbox, Secrets, issuer_routes,
};
use realdid_crypto::{KeyType, SecretKey};
use realdid_service::{Hardening, RateLimiter, harden, now_seconds};
use reqwest::{Client, Response};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
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
    /// The first process's issuer, without its sockets.
    pub issuer: CredentialIssuer,
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

fn realname_types(database: &Database) -> Vec<(CredentialType, Arc<dyn Source>)> {
    let source: Arc<dyn Source> = Arc::new(Register(database.clone()));
    let made = |config| (CredentialType::new(config, None).unwrap(), Arc::clone(&source));
    default_types().into_iter().map(made).collect()
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

/// What the processes of one issuer have in common.
struct Start {
    kind: Kind,
    policy: Policy,
    directory: TempDir,
    dispatcher: Dispatcher,
    rights: watch::Sender<Option<Rights>>,
}

impl Start {
    /// Serves an issuer that says it is at `url`.
    async fn process(&self, world: &World, listener: TcpListener, url: &str) -> CredentialIssuer {
        let authority = world.again().await;
        let types = match self.kind {
            Kind::Office => licence_types(&self.directory),
            Kind::Authority => realname_types(authority.database()),
        };
        let issuer = CredentialIssuer::new(Parts {
            database: authority.database().clone(),
            secrets: Secrets::from_bytes([5; 32]),
            issuer: url.to_owned(),
            name: "An issuer".into(),
            policy: self.policy.clone(),
            types,
            keys: keys(),
            rights: self.rights.subscribe(),
        });
        let identification = match self.kind {
            Kind::Office => Identification::Offers,
            Kind::Authority => Identification::Register {
                authority: Box::new(authority),
                dispatcher: self.dispatcher.clone(),
            },
        };
        let often = self.policy.requests_per_minute;
        let app = IssuerApp {
            issuer: issuer.clone(),
            identification,
            operator_secret: Some(OPERATOR.into()),
            limiter: RateLimiter::new(often / 60.0, often),
            https: false,
        };
        let router = harden(issuer_routes(Arc::new(app)), Hardening::default());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        issuer
    }
}

impl Service {
    pub async fn start(world: World, kind: Kind) -> Self {
        Self::start_with(world, kind, Policy::default(), 1).await
    }

    /// So many processes over one database; all say they are the first one's address.
    pub async fn start_with(world: World, kind: Kind, policy: Policy, processes: usize) -> Self {
        let outbox = Arc::new(Outbox::default());
        let start = Start {
            kind,
            policy,
            directory: tempfile::tempdir().unwrap(),
            dispatcher: Dispatcher::start(Arc::<Outbox>::clone(&outbox)),
            rights: watch::Sender::new(Some(rights())),
        };
        let mut listeners = Vec::new();
        for _ in 0..processes {
            listeners.push(TcpListener::bind("127.0.0.1:0").await.unwrap());
        }
        let address = |one: &TcpListener| format!("http://{}", one.local_addr().unwrap());
        let urls: Vec<_> = listeners.iter().map(address).collect();
        let mut issuers = Vec::new();
        for listener in listeners {
            issuers.push(start.process(&world, listener, &urls[0]).await);
        }
        let no_redirects = reqwest::redirect::Policy::none();
        let client = Client::builder().no_proxy().redirect(no_redirects);
        Self {
            world,
            url: urls[0].clone(),
            client: client.build().unwrap(),
            outbox,
            rights: start.rights,
            others: urls[1..].to_vec(),
            issuer: issuers.remove(0),
            _directory: start.directory,
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
