//! The websites that are registered here.

use realdid_checks::passes;
use realdid_did::Level;
use realdid_openid::oidc::{ClientCredentials, TokenError};
use realdid_openid::{ClientId, check_address};
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::certificate::{Certificate, CertificateError};
use crate::database::{Database, DatabaseError, number, unsigned};
use crate::secret::SecretHash;
use crate::verifier_options::{VerifierOptions, VerifierOptionsError};

/// Most redirect addresses of a website.
const MAX_REDIRECT_URIS: usize = 8;
/// Oldest ledger state that may be set for a website, in seconds: a day.
const LONGEST_MAX_AGE: u64 = 86_400;
/// Oldest ledger state at high assurance, in seconds (protocol.md §3).
const HIGH_MAX_AGE: u64 = 60;

/// What is decided about a website when it is registered.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The name that wallets show, 1 to 64 bytes.
    pub name: String,
    /// Where visitors come back to, 1 to 8 addresses, compared to the letter.
    pub redirect_uris: Vec<String>,
    /// Whether the website cannot keep a secret.
    pub public: bool,
    /// The lowest assurance level that will do.
    pub minimum_level: Level,
    /// How old the ledger's state may be at a login, in seconds; 300 by default, at most a day.
    pub max_age: u64,
    /// How it asks for credentials.
    pub verifier: VerifierOptions,
    /// The certificate by which it names itself to wallets, if it does.
    pub certificate: Option<Certificate>,
}

impl ClientOptions {
    /// A website with a secret that takes the level `substantial`.
    #[must_use]
    pub fn new(name: &str, redirect_uris: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            redirect_uris,
            public: false,
            minimum_level: Level::Substantial,
            max_age: 300,
            verifier: VerifierOptions::default(),
            certificate: None,
        }
    }

    /// Checks the options; `sandbox` allows plain http on loopback.
    pub(crate) fn check(&self, sandbox: bool) -> Result<(), ClientOptionsError> {
        if !passes("SIG-01", realdid_openid::site_statement::is_name(&self.name)) {
            return Err(ClientOptionsError::Name);
        }
        let count = (1..=MAX_REDIRECT_URIS).contains(&self.redirect_uris.len());
        let mut uris = self.redirect_uris.iter();
        if !passes(
            "SIG-02",
            count && uris.all(|uri| check_address(uri, sandbox).is_ok()),
        ) {
            return Err(ClientOptionsError::RedirectUri);
        }
        let longest = if self.minimum_level == Level::High {
            HIGH_MAX_AGE
        } else {
            LONGEST_MAX_AGE
        };
        if !passes("SIG-03", (1..=longest).contains(&self.max_age)) {
            return Err(ClientOptionsError::MaxAge(longest));
        }
        self.verifier.check(self.certificate.is_some(), sandbox)?;
        if let Some(certificate) = &self.certificate {
            certificate.check(&self.verifier)?;
        }
        Ok(())
    }
}

/// Why a website cannot be registered as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientOptionsError {
    /// The name.
    #[error("the name must have 1 to 64 bytes, without control characters or white space at its ends")]
    Name,
    /// The redirect addresses.
    #[error("1 to 8 redirect URIs are needed: https, or http on loopback in a sandbox, without fragment")]
    RedirectUri,
    /// The age of the ledger's state; the limit is told.
    #[error("the ledger's state may be 1 to {0} seconds old at this level")]
    MaxAge(u64),
    /// How it asks for credentials.
    #[error(transparent)]
    Verifier(#[from] VerifierOptionsError),
    /// Its certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// A registered website.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its OAuth client identifier.
    pub client_id: String,
    /// The name that wallets show.
    pub name: String,
    /// Its DID.
    pub site_did: String,
    pub(crate) secret_hash: Option<SecretHash>,
    /// Where visitors come back to.
    pub redirect_uris: Vec<String>,
    /// The lowest assurance level that will do.
    pub minimum_level: Level,
    /// How old the ledger's state may be at a login, in seconds.
    pub max_age: u64,
    /// When it was registered, in Unix seconds.
    pub created_at: u64,
    /// How it asks for credentials.
    pub verifier: VerifierOptions,
}

impl Client {
    /// Its OpenID4VP client identifier: the audience of presentations.
    #[must_use]
    pub fn verifier_id(&self) -> ClientId {
        ClientId::of_did(&self.site_did)
    }

    /// How old the ledger's state may be for a login at this level, in seconds.
    pub(crate) fn max_age_at(&self, level: Level) -> u64 {
        if level == Level::High {
            self.max_age.min(HIGH_MAX_AGE)
        } else {
            self.max_age
        }
    }

    /// Checks the credentials a client showed: a secret exactly if it has one.
    pub(crate) fn authenticate(&self, credentials: &ClientCredentials) -> Result<(), TokenError> {
        let fits = match (&self.secret_hash, credentials) {
            (Some(hash), ClientCredentials::Secret { secret, .. }) => hash.fits(secret),
            (None, ClientCredentials::Public { .. }) => true,
            _ => false,
        };
        if passes("OIDC-15", fits) {
            Ok(())
        } else {
            Err(TokenError::Client)
        }
    }

    fn read(row: &AnyRow) -> Result<Self, DatabaseError> {
        let level: String = row.try_get("minimum_level")?;
        Ok(Self {
            client_id: row.try_get("client_id")?,
            name: row.try_get("name")?,
            site_did: row.try_get("site_did")?,
            secret_hash: row
                .try_get::<Option<String>, _>("secret_hash")?
                .map(SecretHash::stored),
            redirect_uris: serde_json::from_str(row.try_get("redirect_uris")?)?,
            minimum_level: serde_json::from_value(level.into())?,
            max_age: unsigned(row.try_get("max_age")?),
            created_at: unsigned(row.try_get("created_at")?),
            verifier: serde_json::from_str(row.try_get("verifier")?)?,
        })
    }
}

/// The level's name on the wire.
pub(crate) const fn level_name(level: Level) -> &'static str {
    match level {
        Level::Low => "low",
        Level::Substantial => "substantial",
        Level::High => "high",
    }
}

impl Database {
    pub(crate) async fn insert_client(&self, client: &Client) -> Result<(), DatabaseError> {
        let statement = "INSERT INTO clients
            (client_id, name, site_did, secret_hash, redirect_uris, minimum_level, max_age, created_at,
             verifier)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        sqlx::query(statement)
            .bind(&client.client_id)
            .bind(&client.name)
            .bind(&client.site_did)
            .bind(client.secret_hash.as_ref().map(|hash| hash.as_str().to_owned()))
            .bind(serde_json::to_string(&client.redirect_uris)?)
            .bind(level_name(client.minimum_level))
            .bind(number(client.max_age))
            .bind(number(client.created_at))
            .bind(serde_json::to_string(&client.verifier)?)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    pub(crate) async fn client(&self, client_id: &str) -> Result<Option<Client>, DatabaseError> {
        let row = sqlx::query("SELECT * FROM clients WHERE client_id = $1")
            .bind(client_id)
            .fetch_optional(self.pool())
            .await?;
        row.as_ref().map(Client::read).transpose()
    }

    pub(crate) async fn clients(&self) -> Result<Vec<Client>, DatabaseError> {
        let rows = sqlx::query("SELECT * FROM clients ORDER BY created_at, client_id")
            .fetch_all(self.pool())
            .await?;
        rows.iter().map(Client::read).collect()
    }
}
