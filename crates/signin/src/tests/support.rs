//! A sign-in server for a test, a website that is registered with it, and a browser.

use std::env;
use std::sync::Arc;

use axum::Router;
use realdid_client::ServiceIdentity;
use realdid_crypto::{Hash, KeyType, SecretKey, base64url_encode};
use realdid_did::{Level, Network};
use realdid_ledger::{Charter, Committees, KeyOrigin, Member, Quota, Role, Seat, Validator};
use realdid_openid::oidc::CodeChallenge;
use realdid_service::{Hardening, harden, now_seconds};
use sqlx::AssertSqlSafe;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::certificate::Certificate;
use crate::clients::Client;
use crate::config::Settings;
use crate::http::{App, router};
use crate::login::{Answer, Device, Login, Return, Stage};
use crate::run::assemble;
use crate::secret::{Secret, random_id};
use crate::verifier_options::VerifierOptions;

pub const CALLBACK: &str = "http://127.0.0.1:9/callback";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const POSTGRES: &str = "REALDID_TEST_POSTGRES";

/// A sign-in server with one website.
pub struct World {
    pub app: Arc<App>,
    pub base: String,
    pub site: Site,
    pub browser: reqwest::Client,
    serving: JoinHandle<()>,
    directory: Arc<TempDir>,
    database: String,
}

/// A registered website and its secret.
pub struct Site {
    pub client: Client,
    pub secret: String,
}

/// A login that a browser has begun.
pub struct Begun {
    pub id: String,
    pub cookie: String,
}

/// An answer to a browser.
pub struct Page {
    pub status: u16,
    pub location: String,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Page {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// A parameter of the address that the browser is sent to.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(&self.location).unwrap();
        let found = url.query_pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    }
}

/// Runs a test on SQLite, and on PostgreSQL where there is one.
pub async fn on_each<Test, Running>(test: Test)
where
    Test: Fn(World) -> Running,
    Running: Future<Output = ()>,
{
    test(World::new("sqlite:signin.db").await).await;
    let Ok(server) = env::var(POSTGRES) else {
        let strict = env::var_os("CI").is_some() || env::var_os("REALDID_TEST_STRICT").is_some();
        assert!(
            !strict,
            "{POSTGRES} is not set; `cargo xtask test` starts a server and sets it"
        );
        return;
    };
    let name = format!("signin_{}", Hash(rand::random()).to_hex().split_at(16).0);
    administer(&server, format!("CREATE DATABASE {name}")).await;
    let (base, _) = server.rsplit_once('/').expect("the URL names a database");
    test(World::new(&format!("{base}/{name}")).await).await;
    administer(&server, format!("DROP DATABASE {name} WITH (FORCE)")).await;
}

async fn administer(server: &str, statement: String) {
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(server).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;
}

fn charter(seat: &ServiceIdentity) -> Charter {
    let key = SecretKey::from_seed(KeyType::Ed25519, &[9; 32]).public_key();
    let validator = Validator {
        name: "V".into(),
        link_key: Hash([1; 32]),
        address: "127.0.0.1:1".into(),
    };
    Charter {
        format: 2,
        network: Network::new("sandbox").unwrap(),
        sandbox: true,
        genesis_time: 0,
        network_key: "00".repeat(96),
        key_origin: KeyOrigin {
            dealt: true,
            outcome: "00".to_owned(),
        },
        members: vec![Member {
            name: "M".into(),
            key,
        }],
        threshold: 1,
        validators: vec![validator],
        committees: Committees {
            epoch_blocks: 17_280,
            max_validators: 7,
        },
        seats: vec![Seat {
            name: "Sign-in".into(),
            role: Role::Signin,
            key: seat.public_key(),
        }],
        epoch_seconds: 3600,
        quota: Quota {
            tokens: 64,
            period_seconds: 3600,
        },
        recovery_delay: 5,
        vetoed_recovery_delay: 10,
        minimum_anonymity_set: 1,
    }
}

impl World {
    async fn new(database: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let identity = ServiceIdentity::generate(&mut rand::rng());
        identity.save(&directory.path().join("signin.key")).unwrap();
        std::fs::write(
            directory.path().join("charter.json"),
            charter(&identity).to_json().unwrap(),
        )
        .unwrap();
        Self::at(Arc::new(directory), database, None).await
    }

    /// Another server with the same keys and database.
    pub async fn beside(&self) -> Self {
        let site = Site {
            client: self.site.client.clone(),
            secret: self.site.secret.clone(),
        };
        Self::at(Arc::clone(&self.directory), &self.database, Some(site)).await
    }

    async fn at(directory: Arc<TempDir>, database: &str, site: Option<Site>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        // Port 9 discards; nothing listens there, so no node can be reached.
        let text = format!(
            "listen = '127.0.0.1:0'\npublic_url = '{base}'\ncharter = 'charter.json'\n\
             node_url = 'http://127.0.0.1:9'\ndatabase = '{database}'\n"
        );
        let config = directory.path().join("signin.toml");
        std::fs::write(&config, text).unwrap();
        let app = Arc::new(assemble(&Settings::load(&config).unwrap()).await.unwrap());
        let router: Router = harden(router(Arc::clone(&app)), Hardening::default());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let browser = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        let site = match site {
            Some(site) => site,
            None => add_site(&app, Level::Substantial).await,
        };
        Self {
            app,
            base,
            site,
            browser: browser.build().unwrap(),
            serving,
            directory,
            database: database.to_owned(),
        }
    }

    /// Another website.
    pub async fn another_site(&self, level: Level) -> Site {
        add_site(&self.app, level).await
    }

    /// A website that asks for credentials.
    pub async fn verifier(&self, verifier: VerifierOptions) -> Site {
        add_verifier(&self.app, Level::Substantial, verifier, None).await
    }

    /// A website that names itself by a certificate.
    pub async fn certified(&self, verifier: VerifierOptions, certificate: &Certificate) -> Site {
        add_verifier(&self.app, Level::Substantial, verifier, Some(certificate)).await
    }

    /// A good authorization request with some parameters replaced, or removed by an empty value.
    pub fn request(&self, altered: &[(&str, &str)]) -> String {
        let challenge = CodeChallenge::of(VERIFIER);
        let challenge = serde_json::to_value(challenge).unwrap();
        let good = [
            ("client_id", self.site.client.client_id.as_str()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid realname_verified"),
            ("state", "the state"),
            ("nonce", "the nonce"),
            ("code_challenge", challenge.as_str().unwrap()),
            ("code_challenge_method", "S256"),
        ];
        let kept = good
            .iter()
            .filter(|(name, _)| altered.iter().all(|(other, _)| other != name));
        let all = kept.chain(altered).filter(|(_, value)| !value.is_empty());
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(all)
            .finish()
    }

    pub async fn authorize(&self, altered: &[(&str, &str)]) -> Page {
        self.get(&format!("/authorize?{}", self.request(altered)), None)
            .await
    }

    pub async fn get(&self, path: &str, cookie: Option<&str>) -> Page {
        let path = path.strip_prefix(&self.base).unwrap_or(path);
        let mut request = self.browser.get(format!("{}{path}", self.base));
        if let Some(cookie) = cookie {
            request = request.header("cookie", format!("other=1; signin-login={cookie}"));
        }
        page(request).await
    }

    pub async fn post(&self, path: &str, body: &str, authorization: Option<&str>) -> Page {
        let mut request = self
            .browser
            .post(format!("{}{path}", self.base))
            .body(body.to_owned());
        request = request.header("content-type", "application/x-www-form-urlencoded");
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        page(request).await
    }

    pub async fn post_with(
        &self,
        path: &str,
        body: &str,
        authorization: &str,
        headers: &[(&str, &str)],
    ) -> Page {
        let mut request = self
            .browser
            .post(format!("{}{path}", self.base))
            .body(body.to_owned());
        request = request.header("authorization", authorization);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        page(request).await
    }

    pub async fn delete(&self, path: &str, authorization: &str) -> Page {
        let request = self.browser.delete(format!("{}{path}", self.base));
        page(request.header("authorization", authorization)).await
    }

    pub async fn get_as(&self, path: &str, authorization: &str) -> Page {
        page(
            self.browser
                .get(format!("{}{path}", self.base))
                .header("authorization", authorization),
        )
        .await
    }

    /// A browser begins a login.
    pub async fn begin(&self, altered: &[(&str, &str)]) -> Begun {
        let page = self.authorize(altered).await;
        assert_eq!(page.status, 303, "{}", page.text);
        let id = page.location.rsplit_once('/').unwrap().1.to_owned();
        let cookie = page.headers["set-cookie"].to_str().unwrap();
        let cookie = cookie
            .strip_prefix("signin-login=")
            .unwrap()
            .split_once(';')
            .unwrap()
            .0
            .to_owned();
        Begun { id, cookie }
    }

    pub async fn login(&self, begun: &Begun) -> Login {
        self.app.database.login(&begun.id, now_seconds()).await.unwrap()
    }

    /// As if a wallet had given a valid answer; gives the response code of the same device.
    pub async fn answered(&self, begun: &Begun, device: Device) -> Option<String> {
        let login = self.login(begun).await;
        let code = (device == Device::Same).then(Secret::generate);
        let back = code
            .as_ref()
            .map_or(Return::WaitingPage, |code| Return::ResponseCode(code.hash()));
        let answer = answer(device);
        self.app
            .database
            .advance_login(&login, &Stage::Answered { answer, back })
            .await
            .unwrap();
        code.map(|code| code.as_str().to_owned())
    }

    /// A whole login up to the authorization code.
    pub async fn code(&self, altered: &[(&str, &str)]) -> String {
        let begun = self.begin(altered).await;
        let response_code = self.answered(&begun, Device::Same).await.unwrap();
        let path = format!("/login/{}/complete?response_code={response_code}", begun.id);
        let page = self.get(&path, Some(&begun.cookie)).await;
        assert_eq!(page.status, 303, "{}", page.text);
        page.parameter("code").unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

pub fn answer(device: Device) -> Answer {
    Answer {
        sub: "did:real:sandbox:zVisitor".into(),
        level: Level::Substantial,
        device,
        auth_time: now_seconds(),
        claims: serde_json::Map::new(),
    }
}

async fn add_site(app: &App, level: Level) -> Site {
    add_verifier(app, level, VerifierOptions::default(), None).await
}

async fn add_verifier(
    app: &App,
    level: Level,
    verifier: VerifierOptions,
    certificate: Option<&Certificate>,
) -> Site {
    let client_id = random_id();
    let keys = app.site_keys.create(&client_id).unwrap();
    let secret = Secret::generate();
    let client = Client {
        client_id,
        name: "Site <A>".into(),
        site_did: keys.did(&app.charter).to_string(),
        secret_hash: Some(secret.hash()),
        redirect_uris: vec![CALLBACK.into()],
        minimum_level: level,
        max_age: 300,
        created_at: now_seconds(),
        verifier: VerifierOptions {
            certified: certificate.is_some(),
            ..verifier
        },
    };
    if let Some(certificate) = certificate {
        certificate
            .save(app.site_keys.directory(), &client.client_id)
            .unwrap();
    }
    app.database.insert_client(&client).await.unwrap();
    Site {
        client,
        secret: secret.as_str().to_owned(),
    }
}

async fn page(request: reqwest::RequestBuilder) -> Page {
    let response = request.send().await.unwrap();
    let headers = response.headers().clone();
    let location = headers
        .get("location")
        .map(|value| value.to_str().unwrap().to_owned());
    Page {
        status: response.status().as_u16(),
        location: location.unwrap_or_default(),
        headers,
        text: response.text().await.unwrap(),
    }
}

/// The header of `client_secret_basic`.
pub fn basic(id: &str, secret: &str) -> String {
    use base64::Engine as _;
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"))
    )
}

/// The charter claim of presentations.
pub fn charter_claim(app: &App) -> String {
    base64url_encode(app.charter_hash.0)
}
