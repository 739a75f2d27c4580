//! Databases to test on, and a wallet's side of the conversation.

use std::env;
use std::sync::OnceLock;

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use realdid_authority::population::person;
use realdid_authority::{
    Authority, Begun, Confirmation, Confirmed, Database, ENROLMENT_TYPE, EnrolmentLimits, EnrolmentRequest,
    EpochSigner, Person, Place, Refusal, Secrets, Settings, TOKENS_TYPE, Terms, generate,
};
use realdid_crypto::{Hash, KeyType, PublicKey, SecretKey, base64url_encode};
use realdid_ledger::{Charter, Committees, KeyOrigin, Member, Quota, Role, Seat, Validator};
use realdid_openid::jws;
use realdid_token::{Blinding, blind};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

/// Where the authority says it is.
pub const AUDIENCE: &str = "http://127.0.0.1:7310";
/// The time at which tests begin, in Unix seconds.
pub const NOW: u64 = 1_800_000_000;
/// Seed of the people in the register.
pub const SEED: u64 = 11;
/// Names a PostgreSQL server where databases may be made.
const POSTGRES: &str = "REALDID_TEST_POSTGRES";

pub fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// An authority over a new database with ten people.
pub struct World {
    pub settings: Settings,
    pub authority: Authority,
    _directory: TempDir,
}

/// Runs a test on SQLite, and on PostgreSQL where there is one.
pub async fn on_each<Test, Running>(test: Test)
where
    Test: Fn(World) -> Running,
    Running: Future<Output = ()>,
{
    on_each_with(EnrolmentLimits::default(), test).await;
}

/// Runs a test on SQLite alone: what it is about has nothing to do with the database.
pub async fn on_sqlite<Test, Running>(test: Test)
where
    Test: Fn(World) -> Running,
    Running: Future<Output = ()>,
{
    test(World::new("sqlite:authority.db", &EnrolmentLimits::default()).await).await;
}

/// The same with other limits.
pub async fn on_each_with<Test, Running>(limits: EnrolmentLimits, test: Test)
where
    Test: Fn(World) -> Running,
    Running: Future<Output = ()>,
{
    test(World::new("sqlite:authority.db", &limits).await).await;
    let Ok(server) = env::var(POSTGRES) else {
        let strict = env::var_os("CI").is_some() || env::var_os("REALDID_TEST_STRICT").is_some();
        assert!(
            !strict,
            "{POSTGRES} is not set; `cargo xtask test` starts a server and sets it"
        );
        return;
    };
    let name = format!("authority_{}", hex::encode(rand::random::<[u8; 8]>()));
    administer(&server, format!("CREATE DATABASE {name}")).await;
    let (base, _) = server.rsplit_once('/').expect("the URL names a database");
    test(World::new(&format!("{base}/{name}"), &limits).await).await;
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

impl World {
    async fn new(database: &str, limits: &EnrolmentLimits) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let charter = charter(SecretKey::from_seed(KeyType::Ed25519, &[1; 32]).public_key());
        std::fs::write(directory.path().join("charter.json"), charter.to_json().unwrap()).unwrap();
        let config = directory.path().join("authority.toml");
        let text = format!(
            "listen = '127.0.0.1:0'\npublic_url = '{AUDIENCE}'\ncharter = 'charter.json'\n\
             node_url = 'http://127.0.0.1:7300'\ndatabase = '{database}'\n"
        );
        std::fs::write(&config, text).unwrap();
        let settings = Settings::load(&config).unwrap();
        assert_eq!(generate(&settings, 10, SEED, |_| ()).await.unwrap(), 10);
        let authority = Self::open(&settings, limits).await;
        Self {
            settings,
            authority,
            _directory: directory,
        }
    }

    async fn open(settings: &Settings, limits: &EnrolmentLimits) -> Authority {
        let database = Database::open(&settings.file.database_url(&settings.config().database))
            .await
            .unwrap();
        let terms = Terms::of(&settings.charter, settings.public_url.as_str(), limits.clone());
        Authority::new(database, Secrets::from_bytes([5; 32]), terms)
    }

    /// The service stops, however suddenly, and starts again over the same database.
    pub async fn restart(self) -> Self {
        let limits = self.authority.terms().limits.clone();
        self.authority.database().close().await;
        let authority = Self::open(&self.settings, &limits).await;
        Self { authority, ..self }
    }

    /// The same authority once more, as another process has it.
    pub async fn again(&self) -> Authority {
        Self::open(&self.settings, &self.authority.terms().limits).await
    }

    /// A connection of the test's own.
    pub async fn pool(&self) -> sqlx::AnyPool {
        let url = self.settings.file.database_url(&self.settings.config().database);
        sqlx::AnyPool::connect(&url).await.unwrap()
    }

    /// The one number that a statement gives.
    pub async fn number(&self, statement: &'static str) -> i64 {
        let pool = self.pool().await;
        let row = sqlx::query(statement).fetch_one(&pool).await.unwrap();
        pool.close().await;
        sqlx::Row::get(&row, 0)
    }

    pub async fn begin(
        &self,
        wallet: &Device,
        person: &Person,
        now: u64,
    ) -> Result<(Begun, String), Refusal> {
        self.begin_as(wallet, &person.name, &person.number, now).await
    }

    /// Begins an enrolment; gives the code too, empty if none is sent.
    pub async fn begin_as(
        &self,
        wallet: &Device,
        name: &str,
        number: &str,
        now: u64,
    ) -> Result<(Begun, String), Refusal> {
        let request = EnrolmentRequest {
            name: name.to_owned(),
            number: number.to_owned(),
            account_key: wallet.key.public_key().to_multikey(),
        };
        let (begun, dispatch) = self.authority.begin_enrolment(&request, now, &mut rng()).await?;
        let code = dispatch
            .addressed()
            .map(|(_, code)| code.to_owned())
            .unwrap_or_default();
        Ok((begun, code))
    }

    pub async fn confirm(
        &self,
        wallet: &Device,
        enrolment: &Begun,
        code: &str,
        now: u64,
    ) -> Result<Confirmed, Refusal> {
        let confirmation = wallet.confirmation(enrolment, code, now);
        self.authority
            .confirm_enrolment(&enrolment.enrolment_id, &confirmation, now, &mut rng())
            .await
    }

    /// The whole enrolment of a person.
    pub async fn enrol(&self, wallet: &mut Device, person: &Person, now: u64) -> Confirmed {
        let (begun, code) = self.begin(wallet, person, now).await.unwrap();
        let confirmed = self.confirm(wallet, &begun, &code, now).await.unwrap();
        wallet.account = confirmed.account_id.clone();
        confirmed
    }

    /// Checks, debits and signs.
    pub async fn issue(&self, jws: &str, now: u64) -> Result<Vec<[u8; 256]>, Refusal> {
        let request = self.authority.check_request(jws, signer().key(), now).await?;
        let debited = self.authority.debit(request, now).await?;
        signer().sign(&debited)
    }
}

/// Someone of the register.
pub fn somebody(index: u64) -> Person {
    person(SEED, index)
}

pub fn place(epoch: u64) -> Place {
    Place {
        charter: charter_hash(),
        authority: Hash([3; 32]),
        epoch,
    }
}

/// The current epoch's signer; one for all tests, since making one takes time.
pub fn signer() -> &'static EpochSigner {
    static SIGNER: OnceLock<EpochSigner> = OnceLock::new();
    SIGNER.get_or_init(|| EpochSigner::generate(place(0)).unwrap())
}

pub fn charter_hash() -> Hash {
    charter(SecretKey::from_seed(KeyType::Ed25519, &[1; 32]).public_key()).hash()
}

fn charter(key: PublicKey) -> Charter {
    Charter {
        format: 2,
        network: realdid_did::Network::new("sandbox").unwrap(),
        sandbox: true,
        genesis_time: NOW,
        network_key: "00".repeat(96),
        key_origin: KeyOrigin {
            dealt: true,
            outcome: "00".to_owned(),
        },
        members: vec![Member {
            name: "A member".into(),
            key,
        }],
        threshold: 1,
        validators: vec![Validator {
            name: "A node".into(),
            link_key: Hash([2; 32]),
            address: "127.0.0.1:1".into(),
        }],
        committees: Committees {
            epoch_blocks: 17_280,
            max_validators: 7,
        },
        seats: vec![Seat {
            name: "An authority".into(),
            role: Role::Authority,
            key,
        }],
        epoch_seconds: 3600,
        quota: Quota {
            tokens: 64,
            period_seconds: 3600,
        },
        recovery_delay: 3,
        vetoed_recovery_delay: 6,
        minimum_anonymity_set: 10,
    }
}

/// A wallet's device: its account key and account.
pub struct Device {
    pub key: SecretKey,
    pub account: String,
}

impl Device {
    pub fn new() -> Self {
        Self {
            key: SecretKey::generate(KeyType::Ed25519, &mut rng()),
            account: String::new(),
        }
    }

    /// Claims that every request has, valid at `now`.
    pub fn stated(now: u64) -> Value {
        json!({
            "aud": AUDIENCE,
            "charter": base64url_encode(charter_hash().as_bytes()),
            "iat": now,
            "exp": now + 120,
            "jti": base64url_encode(rand::random::<[u8; 16]>()),
        })
    }

    pub fn sign(&self, typ: &str, claims: &Value) -> String {
        jws::sign(&self.key, typ, None, claims).unwrap()
    }

    pub fn confirmation(&self, enrolment: &Begun, code: &str, now: u64) -> Confirmation {
        let claims = with(Self::stated(now), "enrolment_id", json!(enrolment.enrolment_id));
        Confirmation {
            code: code.to_owned(),
            proof: self.sign(ENROLMENT_TYPE, &claims),
        }
    }

    /// The claims of a request for tokens.
    pub fn wish(&self, values: &[[u8; 256]], now: u64) -> Value {
        let claims = with(Self::stated(now), "account_id", json!(self.account));
        let claims = with(claims, "key_id", json!(signer().id().to_hex()));
        with(claims, "blinded", values.iter().map(base64url_encode).collect())
    }

    pub fn request(&self, values: &[[u8; 256]], now: u64) -> String {
        self.sign(TOKENS_TYPE, &self.wish(values, now))
    }
}

/// Claims with one of them set.
pub fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

/// A DID's hash blinded for the current key.
pub fn blinding(did: &Hash) -> Blinding {
    blind(signer().key(), &charter_hash(), did, &mut rng()).unwrap()
}

/// Blinded values of new DIDs.
pub fn values(count: usize) -> Vec<[u8; 256]> {
    (0..count)
        .map(|_| *blinding(&Hash(rand::random())).blinded())
        .collect()
}

pub fn code<T>(outcome: Result<T, Refusal>) -> &'static str {
    outcome.err().map_or("ok", |refusal| refusal.code())
}
