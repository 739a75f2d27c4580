//! The service put together, and the commands beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use realdid_client::outside::{Outside, OutsideError};
use realdid_client::{ClientError, IdentityError, NodeClient, ServiceIdentity, TrustLookup};
use realdid_ledger::TrustAnchor;
use realdid_openid::ClientId;
use realdid_service::{Hardening, Shutdown, harden, now_seconds, serve};
use serde::Serialize;

use crate::clients::{Client, ClientOptions, ClientOptionsError};
use crate::config::Settings;
use crate::database::{Database, DatabaseError};
use crate::evidence::Known;
use crate::http::{App, router};
use crate::ledger::Ledger;
use crate::secret::{Secret, random_id};
use crate::signing_key;
use crate::site::{self, SiteError, SiteKeys};
use crate::verifier_options::VerifierOptions;
use crate::webhooks::keep_telling;

/// How often expired rows are forgotten.
const CLEANING: Duration = Duration::from_secs(60);
/// How often it is looked which status lists are due.
const LISTS: Duration = Duration::from_secs(1);
/// How often it is looked whether the consortium has decided anything.
const DECISIONS: Duration = Duration::from_secs(2);
/// Pause after a failed attempt to get on the ledger.
const RETRY: Duration = Duration::from_secs(2);

/// Why the service cannot start, or a command failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The file of the key that signs ID tokens.
    #[error("the signing key's file cannot be used: {0}")]
    SigningKey(std::io::Error),
    /// The identity's key file, or its seat.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A website's keys, or putting its DID on the ledger.
    #[error("the website's DID cannot be made: {0}")]
    Site(#[from] SiteError),
    /// The node's address.
    #[error(transparent)]
    Node(#[from] ClientError),
    /// A website cannot be registered as asked.
    #[error(transparent)]
    Options(#[from] ClientOptionsError),
    /// The client for addresses that others set.
    #[error(transparent)]
    Outside(#[from] OutsideError),
    /// The socket.
    #[error(transparent)]
    Listen(#[from] std::io::Error),
}

impl RunError {
    /// The failure's stable name.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Database(_) => "database_unusable",
            Self::SigningKey(_) => "signing_key_unusable",
            Self::Identity(error) => error.code(),
            Self::Site(error) => error.code(),
            Self::Node(error) => error.code(),
            Self::Options(_) => "client_options_invalid",
            Self::Outside(error) => error.code(),
            Self::Listen(_) => "cannot_listen",
        }
    }
}

/// Runs the service until `shutdown` fires.
///
/// # Errors
/// [`RunError`].
pub async fn run(settings: Settings, shutdown: Shutdown) -> Result<(), RunError> {
    let app = Arc::new(assemble(&settings).await?);
    let listener = realdid_service::serve::bind(settings.config().listen).await?;
    tokio::spawn(get_on_the_ledger(Arc::clone(&app), shutdown.clone()));
    tokio::spawn(keep_telling(Arc::clone(&app), shutdown.clone()));
    tokio::spawn(keep_lists(Arc::clone(&app), shutdown.clone()));
    tokio::spawn(keep_trust(Arc::clone(&app), shutdown.clone()));
    let cleaning = tokio::spawn(keep_clean(Arc::clone(&app), shutdown.clone()));
    let router = harden(router(Arc::clone(&app)), hardening(&settings));
    let served = serve(listener, router, settings.public_url.as_str(), shutdown.clone()).await;
    shutdown.trigger();
    // It has heard the signal; what it left undone, the next start does.
    let _ = cleaning.await;
    app.database.close().await;
    Ok(served?)
}

pub(crate) async fn assemble(settings: &Settings) -> Result<App, RunError> {
    let identity = ServiceIdentity::load(&settings.identity_path())?;
    let key = identity.public_key();
    if !settings.charter.seats.iter().any(|seat| seat.key == key) {
        return Err(IdentityError::NoSeat.into());
    }
    let database = Database::open(&settings.database_url()).await?;
    let client = NodeClient::new(&settings.config().node_url, TrustAnchor::of(&settings.charter))?;
    client.set_highest_seen(database.highest_seen().await?);
    let site_keys = SiteKeys::new(settings.data_path("sites"));
    let outside = Outside::new(settings.charter.sandbox)?;
    let known = Known::new(
        TrustLookup::new(client.clone()),
        outside.clone(),
        settings.charter.sandbox,
    );
    std::fs::create_dir_all(site_keys.directory())?;
    Ok(App {
        issuer: settings.public_url.clone(),
        wallet: settings.wallet_url.clone(),
        charter: settings.charter.clone(),
        charter_hash: settings.charter.hash(),
        database,
        ledger: Ledger::new(client),
        known,
        outside,
        registrations: settings.config().registrations.clone(),
        identity,
        site_keys,
        signing_key: signing_key::load_or_create(&settings.data_path("id-token.key"))
            .map_err(RunError::SigningKey)?,
        published: AtomicBool::new(false),
    })
}

fn hardening(settings: &Settings) -> Hardening {
    Hardening {
        limits: settings.config().limits.clone(),
        trusted_proxies: settings.config().trusted_proxies.clone(),
        https: settings.public_url.is_https(),
    }
}

/// Publishes the server's own DID, as often as it takes.
async fn get_on_the_ledger(app: Arc<App>, shutdown: Shutdown) {
    while !shutdown.is_triggered() {
        match app
            .identity
            .publish_if_absent(app.ledger.client(), &app.charter)
            .await
        {
            Ok(_) => return app.published.store(true, Ordering::Relaxed),
            Err(error) => tracing::warn!(code = error.code(), "not on the ledger yet"),
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Forgets what was known of issuers when the consortium decides.
async fn keep_trust(app: Arc<App>, shutdown: Shutdown) {
    while !shutdown.is_triggered() {
        app.known.heed_decisions().await;
        tokio::select! {
            () = tokio::time::sleep(DECISIONS) => {}
            () = shutdown.triggered() => {}
        }
    }
}

/// Renews status lists before anybody needs them.
async fn keep_lists(app: Arc<App>, shutdown: Shutdown) {
    while !shutdown.is_triggered() {
        app.known.lists.renew_due(now_seconds()).await;
        tokio::select! {
            () = tokio::time::sleep(LISTS) => {}
            () = shutdown.triggered() => {}
        }
    }
}

/// Forgets what has expired and remembers the highest height seen.
async fn keep_clean(app: Arc<App>, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(CLEANING) => {}
            () = shutdown.triggered() => {}
        }
        let seen = app.ledger.client().highest_seen();
        let cleaned = app.database.forget_expired(now_seconds()).await;
        let remembered = app.database.remember_seen(seen).await;
        if let Err(error) = cleaned.and(remembered) {
            tracing::error!(cause = %error, "cleaning the database failed");
        }
        if shutdown.is_triggered() {
            return;
        }
    }
}

/// A newly registered website. The secret is shown here and never again.
#[derive(Clone, Serialize)]
pub struct NewClient {
    /// Its OAuth client identifier.
    pub client_id: String,
    /// Its secret; absent for a public client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// Its DID, on the ledger.
    pub site_did: String,
    /// Its OpenID4VP client identifier.
    pub verifier_id: String,
}

/// Registers a website: makes its DID, publishes it under the sign-in server's sponsorship, and
/// waits until that is final. The node must be running; the sign-in server need not be.
///
/// # Errors
/// [`RunError`]; nothing is registered then.
pub async fn add_client(settings: &Settings, options: ClientOptions) -> Result<NewClient, RunError> {
    options.check(settings.charter.sandbox)?;
    let app = assemble(settings).await?;
    app.identity
        .publish_if_absent(app.ledger.client(), &app.charter)
        .await?;
    let client_id = random_id();
    let keys = app.site_keys.create(&client_id)?;
    let did = site::publish(&keys, &app.identity, &app.charter, app.ledger.client()).await;
    let did = did.inspect_err(|_| app.site_keys.remove(&client_id))?;
    let secret = (!options.public).then(Secret::generate);
    let client = Client {
        client_id: client_id.clone(),
        name: options.name,
        site_did: did.to_string(),
        secret_hash: secret.as_ref().map(Secret::hash),
        redirect_uris: options.redirect_uris,
        minimum_level: options.minimum_level,
        max_age: options.max_age,
        created_at: now_seconds(),
        verifier: VerifierOptions {
            certified: options.certificate.is_some(),
            ..options.verifier
        },
    };
    if let Some(certificate) = &options.certificate {
        certificate
            .save(app.site_keys.directory(), &client_id)
            .map_err(ClientOptionsError::Certificate)?;
    }
    app.database.insert_client(&client).await?;
    app.database.close().await;
    Ok(NewClient {
        client_id,
        client_secret: secret.map(|secret| secret.as_str().to_owned()),
        verifier_id: match &options.certificate {
            Some(certificate) => certificate
                .client_id(client.verifier.prefix(), &client.verifier)
                .to_string(),
            None => ClientId::of_did(&client.site_did).to_string(),
        },
        site_did: client.site_did,
    })
}

/// The registered websites, oldest first.
///
/// # Errors
/// [`RunError::Database`].
pub async fn list_clients(settings: &Settings) -> Result<Vec<Client>, RunError> {
    let database = Database::open(&settings.database_url()).await?;
    let clients = database.clients().await?;
    database.close().await;
    Ok(clients)
}
