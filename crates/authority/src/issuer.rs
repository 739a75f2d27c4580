//! `realdid issuer run`: any accredited organisation, from a configuration file.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use realdid_client::{IdentityError, NodeClient, ServiceIdentity, SettingsError, TrustLookup, load_settings};
use realdid_crypto::KeyType;
use realdid_did::Did;
use realdid_ledger::{Charter, Right, TrustAnchor};
use realdid_service::config::Loaded;
use realdid_service::network::Subnet;
use realdid_service::{
    Hardening, Limits, PublicUrl, RateLimiter, Shutdown, harden, health, now_seconds, serve, telemetry,
};
use serde::Deserialize;
use tokio::sync::watch;

use crate::certificates;
use crate::credential_issuer::{
    CredentialIssuer, CredentialKey, CredentialType, Csv, Issuable, IssuerKeys, MAX_RIGHTS_AGE, Parts,
    Policy, Rights, Source, SourceError, Sql, TypeConfig, TypeError,
};
use crate::database::{Database, DatabaseError};
use crate::http::{Identification, IssuerApp, issuer_routes};
use crate::run::RunError;
use crate::secrets::{Secrets, load_or_make};

/// Shortest secret of operators, in characters.
const MIN_OPERATOR_SECRET: usize = 32;
/// How long until the rights are looked at again, in seconds: when all are there, and else.
const LOOK_AGAIN: (u64, u64) = (30, 2);

/// What an issuer's configuration file says. Paths are relative to the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The issuer's identifier: under which address the world knows it.
    pub public_url: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    #[serde(default)]
    pub trusted_proxies: Vec<Subnet>,
    /// Where secrets are kept.
    #[serde(default = "here")]
    pub data_dir: PathBuf,
    /// The network's charter.
    pub charter: PathBuf,
    /// A node of the network; of several, separated by commas, the next one if one is down.
    pub node_url: String,
    /// `sqlite:PATH` or `postgres://…`.
    #[serde(default = "default_database")]
    pub database: String,
    /// The identity's key file.
    #[serde(default = "default_identity")]
    pub identity: PathBuf,
    /// The name people know it by; the one of its seat if absent.
    #[serde(default)]
    pub name: Option<String>,
    /// File with the operators' secret; made if absent.
    #[serde(default = "default_operator_secret")]
    pub operator_secret: PathBuf,
    /// Certificate chain of the P-256 credential key, PEM, the leaf first.
    #[serde(default)]
    pub certificates: Option<PathBuf>,
    /// Limits of every request.
    #[serde(default)]
    pub limits: Limits,
    /// How credentials are issued.
    #[serde(default)]
    pub issuing: Policy,
    /// Where the data is, by name.
    pub sources: BTreeMap<String, SourceConfig>,
    /// What is issued.
    #[serde(rename = "credential")]
    pub credentials: Vec<TypeConfig>,
}

/// Where data is: a CSV file, or a query.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// A CSV file with a header.
    #[serde(default)]
    pub csv: Option<PathBuf>,
    /// The column that names records.
    #[serde(default)]
    pub key: String,
    /// A database: `sqlite:PATH` or `postgres://…`.
    #[serde(default)]
    pub sql: Option<String>,
    /// A query whose `$1` is the name of a record.
    #[serde(default)]
    pub query: String,
}

/// The address may hold a password.
impl std::fmt::Debug for SourceConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceConfig")
            .field("csv", &self.csv)
            .finish_non_exhaustive()
    }
}

fn here() -> PathBuf {
    ".".into()
}

fn default_database() -> String {
    "sqlite:issuer.db".into()
}

fn default_identity() -> PathBuf {
    "issuer.key".into()
}

fn default_operator_secret() -> PathBuf {
    "operator.secret".into()
}

/// Why an issuer's types cannot be issued as configured.
#[derive(Debug, thiserror::Error)]
pub enum IssuingError {
    /// A type.
    #[error(transparent)]
    Type(#[from] TypeError),
    /// A schema's file.
    #[error("the schema {0} cannot be read: {1}")]
    SchemaFile(PathBuf, std::io::Error),
    /// The file of a type's metadata.
    #[error("the type metadata {0} cannot be read: {1}")]
    MetadataFile(PathBuf, std::io::Error),
    /// Two configurations of one name.
    #[error("credential {0}: there are two of this name")]
    Twice(String),
    /// A source that is neither, or both.
    #[error("the source {0} must have either csv and key, or sql and query with $1")]
    SourceForm(String),
    /// A type whose source is not there.
    #[error("credential {0}: name one of the sources")]
    SourceName(String),
    /// Data that cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// No type at all.
    #[error("no [[credential]] is configured")]
    Nothing,
    /// An identity without a key for credentials.
    #[error(
        "the identity has no key for credentials of that algorithm; found it with: realdid organisation new"
    )]
    NoKey,
    /// The certificates do not belong to the key.
    #[error("the certificates cannot be used: {0}")]
    Certificates(String),
}

/// A configuration with the charter it names.
#[derive(Debug, Clone)]
pub struct IssuerSettings {
    /// The file and where it stands.
    pub file: Loaded<IssuerConfig>,
    /// The network's charter.
    pub charter: Charter,
    /// The issuer's identifier.
    pub public_url: PublicUrl,
}

impl IssuerSettings {
    /// Reads a configuration file and the charter it names.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn load(path: &Path) -> Result<Self, SettingsError> {
        let (file, charter, public_url) = load_settings(path, |config: &IssuerConfig| {
            (&config.charter, &config.public_url)
        })?;
        Ok(Self {
            file,
            charter,
            public_url,
        })
    }

    /// The operators' secret, made if there is none yet.
    ///
    /// # Errors
    /// [`RunError::Secret`].
    pub fn operator_secret(&self) -> Result<String, RunError> {
        let data = self.file.path(&self.file.config.data_dir);
        operator_secret(&data.join(&self.file.config.operator_secret))
    }
}

/// Reads the operators' secret, or makes one. One that could be guessed, an empty file above all, is
/// refused.
pub(crate) fn operator_secret(path: &Path) -> Result<String, RunError> {
    let text = load_or_make(path).map_err(RunError::Secret)?;
    let secret = text.trim();
    if secret.len() < MIN_OPERATOR_SECRET {
        let hint = format!(
            "{}: fewer than {MIN_OPERATOR_SECRET} characters; remove it, and a new one is made",
            path.display()
        );
        let error = std::io::Error::new(std::io::ErrorKind::InvalidData, hint);
        return Err(RunError::Secret(error));
    }
    Ok(secret.to_owned())
}

/// Runs an issuer until `shutdown` fires.
///
/// # Errors
/// [`RunError`].
pub async fn run_issuer(settings: IssuerSettings, shutdown: Shutdown) -> Result<(), RunError> {
    let config = &settings.file.config;
    let identity = ServiceIdentity::load(&settings.file.path(&config.identity))?;
    let did = identity.did(&settings.charter);
    let database = Database::open(&settings.file.database_url(&config.database)).await?;
    let rights = watch::Sender::new(None);
    let issuer = build(&settings, &identity, &did, database.clone(), rights.subscribe()).await?;
    let app = Arc::new(IssuerApp {
        issuer: issuer.clone(),
        identification: Identification::Offers,
        operator_secret: Some(settings.operator_secret()?),
        limiter: limiter(&config.issuing),
        https: settings.public_url.is_https(),
    });
    let client = NodeClient::new(&config.node_url, TrustAnchor::of(&settings.charter))?;
    let listener = realdid_service::serve::bind(config.listen).await?;
    let publishing = publish(identity, client.clone(), settings.charter.clone());
    let names = issuer.type_names();
    let work = [
        tokio::spawn(until(shutdown.clone(), async move {
            publishing.await;
            watch_rights(client, did, names, rights).await;
        })),
        tokio::spawn(until(shutdown.clone(), forget(issuer))),
    ];
    let router = issuer_routes(app)
        .merge(health_routes(database.clone()))
        .merge(telemetry::routes());
    let hardening = Hardening {
        limits: config.limits.clone(),
        trusted_proxies: config.trusted_proxies.clone(),
        https: settings.public_url.is_https(),
    };
    let url = settings.public_url.as_str();
    let served = serve(listener, harden(router, hardening), url, shutdown.clone()).await;
    shutdown.trigger();
    for task in work {
        let _ = task.await;
    }
    database.close().await;
    Ok(served?)
}

/// The issuer that a configuration describes.
async fn build(
    settings: &IssuerSettings,
    identity: &ServiceIdentity,
    did: &Did,
    database: Database,
    rights: watch::Receiver<Option<Rights>>,
) -> Result<CredentialIssuer, RunError> {
    let config = &settings.file.config;
    let name = display_name(settings, identity);
    let data = settings.file.path(&config.data_dir);
    let secrets = Secrets::load_or_create(&data.join("issuer.secret")).map_err(RunError::Secret)?;
    let chain = config.certificates.as_ref().map(|path| settings.file.path(path));
    let keys = keys(&CertificateNeeds {
        identity,
        did,
        chain: chain.as_deref(),
        data: &data,
        url: &settings.public_url,
        name: &name,
        sandbox: settings.charter.sandbox,
    })?;
    let issuer = CredentialIssuer::new(Parts {
        database,
        secrets,
        issuer: settings.public_url.as_str().to_owned(),
        name,
        policy: config.issuing.clone(),
        types: types(settings).await?,
        keys,
        rights,
    });
    check_types(&issuer).await?;
    Ok(issuer)
}

/// Whether what is configured keeps the rules of its types, as their documents have them.
pub(crate) async fn check_types(issuer: &CredentialIssuer) -> Result<(), RunError> {
    issuer.load_type_documents().await.map_err(DatabaseError::from)?;
    Ok(issuer.check_types().map_err(IssuingError::from)?)
}

pub(crate) async fn until(shutdown: Shutdown, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = shutdown.triggered() => {}
    }
}

fn health_routes(database: Database) -> axum::Router {
    health::routes(move || {
        let database = database.clone();
        async move {
            let answered = database.ping().await;
            answered.map_err(|_| "the database does not answer".to_owned())
        }
    })
}

/// Puts the DID on the ledger if it has a seat; an organisation without one is put there by a sponsor.
async fn publish(identity: ServiceIdentity, client: NodeClient, charter: Charter) {
    match identity.publish_if_absent(&client, &charter).await {
        Ok(did) => tracing::info!(%did, "on the ledger"),
        Err(IdentityError::NoSeat) => {
            tracing::error!(
                "this issuer is not on the ledger; have an accredited service vouch for it: realdid organisation publish"
            );
        }
        Err(error) => tracing::error!(%error, "the issuer's DID could not be put on the ledger"),
    }
}

/// Keeps what the ledger lets the issuer do, and says so when that changes.
pub(crate) async fn watch_rights(
    client: NodeClient,
    did: Did,
    names: Vec<String>,
    rights: watch::Sender<Option<Rights>>,
) {
    let mut told = None;
    loop {
        // What was looked up before is not asked again by the same lookup: a right may be new.
        let lookup = TrustLookup::new(client.clone());
        let found = look(&lookup, &did, &names).await;
        let pause = match found {
            Ok(found) => {
                let missing: Vec<_> = names.iter().filter(|name| !found.types.contains(name)).collect();
                if told.as_ref() != Some(&found.types) {
                    tracing::info!(may_issue = ?found.types, not_granted = ?missing, "rights on the ledger");
                }
                told = Some(found.types.clone());
                let pause = if missing.is_empty() {
                    LOOK_AGAIN.0
                } else {
                    LOOK_AGAIN.1
                };
                rights.send_replace(Some(found));
                pause
            }
            Err(error) => {
                tracing::warn!(%error, "the issuer's rights cannot be read from the ledger");
                LOOK_AGAIN.1
            }
        };
        tokio::time::sleep(Duration::from_secs(pause)).await;
    }
}

async fn look(
    lookup: &TrustLookup,
    did: &Did,
    names: &[String],
) -> Result<Rights, realdid_client::ClientError> {
    let (mut types, mut proven_at) = (Vec::new(), u64::MAX);
    for name in names {
        let right = Right::to_issue(did.hash, name);
        let standing = lookup.standing(did, right, MAX_RIGHTS_AGE / 2).await?;
        proven_at = proven_at.min(standing.time);
        if standing.granted().is_some() && !types.contains(name) {
            types.push(name.clone());
        }
    }
    Ok(Rights { types, proven_at })
}

pub(crate) async fn forget(issuer: CredentialIssuer) {
    loop {
        if let Err(error) = issuer.forget_expired(now_seconds()).await {
            tracing::warn!(code = error.code(), "expired rows could not be deleted");
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

pub(crate) fn limiter(policy: &Policy) -> RateLimiter {
    RateLimiter::new(policy.requests_per_minute / 60.0, policy.requests_per_minute)
}

fn display_name(settings: &IssuerSettings, identity: &ServiceIdentity) -> String {
    let seats = &settings.charter.seats;
    let seat = seats.iter().find(|seat| seat.key == identity.public_key());
    let config = &settings.file.config;
    let given = config.name.clone().or_else(|| seat.map(|seat| seat.name.clone()));
    given.unwrap_or_else(|| settings.public_url.as_str().to_owned())
}

/// What the keys' certificates are made of.
pub(crate) struct CertificateNeeds<'a> {
    pub(crate) identity: &'a ServiceIdentity,
    pub(crate) did: &'a Did,
    /// A chain by somebody who certifies the organisation.
    pub(crate) chain: Option<&'a Path>,
    /// Where a sandbox keeps its root.
    pub(crate) data: &'a Path,
    pub(crate) url: &'a PublicUrl,
    pub(crate) name: &'a str,
    pub(crate) sandbox: bool,
}

/// The keys of an identity that sign credentials, and their certificates.
pub(crate) fn keys(needs: &CertificateNeeds<'_>) -> Result<IssuerKeys, RunError> {
    let mut keys = Vec::new();
    for kind in [KeyType::P256, KeyType::Sm2] {
        let Some(key) = needs.identity.credential_key_of(kind) else {
            continue;
        };
        let x5c = match (kind, needs.chain) {
            (KeyType::P256, Some(path)) => certificates::read(path, key)?,
            (KeyType::P256, None) if needs.sandbox => {
                certificates::sandbox(needs.data, key, needs.did, needs.url.as_str(), needs.name)?
            }
            _ => Vec::new(),
        };
        keys.push(CredentialKey {
            key: key.clone(),
            kid: needs.did.key_url(&key.public_key()),
            x5c,
        });
    }
    if keys.is_empty() {
        return Err(IssuingError::NoKey.into());
    }
    Ok(IssuerKeys::new(keys))
}

async fn types(settings: &IssuerSettings) -> Result<Vec<Issuable>, IssuingError> {
    let config = &settings.file.config;
    let mut sources: BTreeMap<&str, Arc<dyn Source>> = BTreeMap::new();
    for (name, source) in &config.sources {
        sources.insert(name, open_source(settings, name, source).await?);
    }
    let mut types = Vec::new();
    for kind in &config.credentials {
        let source = match (&kind.source, sources.len()) {
            (Some(name), _) => sources.get(name.as_str()),
            (None, 1) => sources.values().next(),
            (None, _) => None,
        };
        let source = source.ok_or_else(|| IssuingError::SourceName(kind.id.clone()))?;
        types.push((read_type(kind, &settings.file)?, Arc::clone(source)));
    }
    if types.is_empty() {
        return Err(IssuingError::Nothing);
    }
    check_names(&types)?;
    Ok(types)
}

/// Whether each configuration has a name of its own.
pub(crate) fn check_names(types: &[Issuable]) -> Result<(), IssuingError> {
    let mut names = BTreeSet::new();
    let mut ids = types.iter().map(|(kind, _)| &kind.config.id);
    match ids.find(|id| !names.insert(*id)) {
        Some(twice) => Err(IssuingError::Twice(twice.clone())),
        None => Ok(()),
    }
}

async fn open_source(
    settings: &IssuerSettings,
    name: &str,
    source: &SourceConfig,
) -> Result<Arc<dyn Source>, IssuingError> {
    Ok(match (&source.csv, &source.sql) {
        (Some(path), None) if !source.key.is_empty() => {
            Arc::new(Csv::open(&settings.file.path(path), &source.key)?)
        }
        (None, Some(url)) if source.query.contains("$1") => {
            Arc::new(Sql::open(&settings.file.database_url(url), &source.query).await?)
        }
        _ => return Err(IssuingError::SourceForm(name.to_owned())),
    })
}

/// A type with its schema and metadata.
pub(crate) fn read_type<T>(kind: &TypeConfig, file: &Loaded<T>) -> Result<CredentialType, IssuingError> {
    let schema = kind.schema.as_ref().map(|path| file.path(path));
    let schema = schema
        .map(|path| std::fs::read_to_string(&path).map_err(|error| IssuingError::SchemaFile(path, error)))
        .transpose()?;
    let mut documents = Vec::new();
    for path in kind.metadata.iter().map(|path| file.path(path)) {
        let document = std::fs::read_to_string(&path);
        documents.push(document.map_err(|error| IssuingError::MetadataFile(path, error))?);
    }
    let made = CredentialType::new(kind.clone(), schema.as_deref())?;
    Ok(made.with_documents(documents))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_could_be_guessed_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("operator.secret");
        let made = operator_secret(&path).unwrap();
        assert_eq!(made.len(), 64);
        assert_eq!(operator_secret(&path).unwrap(), made);
        for weak in ["", "\n", "secret"] {
            std::fs::write(&path, weak).unwrap();
            assert!(
                matches!(operator_secret(&path), Err(RunError::Secret(_))),
                "{weak:?}"
            );
        }
    }

    #[test]
    fn two_configurations_of_one_name_are_refused() {
        use crate::credential_issuer::realname::default_types;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("people.csv");
        std::fs::write(&path, "number\n1\n").unwrap();
        let source: Arc<dyn Source> = Arc::new(Csv::open(&path, "number").unwrap());
        let made = |config| (CredentialType::new(config, None).unwrap(), Arc::clone(&source));
        let types: Vec<Issuable> = default_types().into_iter().map(made).collect();
        check_names(&types).unwrap();
        let twice = [types[0].clone(), types[1].clone(), types[0].clone()];
        assert!(matches!(check_names(&twice), Err(IssuingError::Twice(_))));
    }
}
