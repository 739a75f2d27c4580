//! The service put together, and the commands beside it.

use std::sync::Arc;

use realdid_client::{ClientError, IdentityError, NodeClient, ServiceIdentity};
use realdid_ledger::TrustAnchor;
use realdid_service::{Hardening, PublicUrl, RateLimiter, Shutdown, harden, serve};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::config::Settings;
use crate::credential_issuer::realname::default_types;
use crate::credential_issuer::{CredentialIssuer, Parts, Register, Rights, Source};
use crate::database::{Database, DatabaseError};
use crate::delivery::{Delivery, DeliveryError, Dispatcher, Outbox, Smtp};
use crate::error::Refusal;
use crate::http::{App, Identification, IssuerApp, issuer_routes, router};
use crate::issuer::{
    CertificateNeeds, IssuingError, check_names, check_types, forget, keys, limiter as issuing_limiter,
    read_type, until, watch_rights,
};
use crate::keeper::Keeper;
use crate::key_ring::{KeyRing, KeyRingError};
use crate::rules::{Authority, Terms};
use crate::secrets::Secrets;
use crate::{population, register};

/// Why the service cannot start, or a command failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The secret's file.
    #[error("the secret's file cannot be used: {0}")]
    Secret(std::io::Error),
    /// The identity's key file, or its seat.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The epoch keys' files.
    #[error(transparent)]
    Keys(#[from] KeyRingError),
    /// The node's address.
    #[error(transparent)]
    Node(#[from] ClientError),
    /// The settings for mail; outside a sandbox there must be some.
    #[error("{0}; set [smtp] with `url` and `from`")]
    Delivery(#[from] DeliveryError),
    /// The socket.
    #[error(transparent)]
    Listen(#[from] std::io::Error),
    /// The credentials cannot be issued as configured.
    #[error(transparent)]
    Issuing(#[from] IssuingError),
    /// The register is empty.
    #[error("the register is empty; run: realdid authority generate --people 1000 --config …")]
    NoPeople,
    /// More people than identity numbers.
    #[error("at most {} people can be generated", population::MAX_PEOPLE)]
    TooManyPeople,
    /// The running service does not answer.
    #[error("the service at {0} does not answer; is it running?")]
    NotRunning(String),
    /// The running service refused; its code is named.
    #[error("the service refused: {detail} ({code})")]
    Refused {
        /// The problem's code.
        code: String,
        /// The problem's text.
        detail: String,
    },
}

impl RunError {
    /// The failure's stable name.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Database(_) => "database_unusable",
            Self::Secret(_) => "secret_unusable",
            Self::Identity(error) => error.code(),
            Self::Keys(_) => "epoch_keys_unusable",
            Self::Node(error) => error.code(),
            Self::Delivery(_) => "smtp_settings",
            Self::Listen(_) => "cannot_listen",
            Self::Issuing(_) => "issuing_misconfigured",
            Self::NoPeople => "register_empty",
            Self::TooManyPeople => "too_many_people",
            Self::NotRunning(_) => "authority_not_running",
            Self::Refused { code, .. } => code,
        }
    }
}

/// Runs the service until `shutdown` fires.
///
/// # Errors
/// [`RunError`].
pub async fn run(settings: Settings, shutdown: Shutdown) -> Result<(), RunError> {
    let identity = ServiceIdentity::load(&settings.identity_path())?;
    let name = seat_name(&settings, &identity)?;
    let did = identity.did(&settings.charter);
    let authority = open(&settings).await?;
    let charter_hash = settings.charter.hash();
    let ring = Arc::new(KeyRing::open(
        &settings.data_path("epoch-keys"),
        charter_hash,
        did.hash,
    )?);
    let client = NodeClient::new(&settings.config().node_url, TrustAnchor::of(&settings.charter))?;
    let (outbox, delivery) = delivery(&settings)?;
    let dispatcher = Dispatcher::start(delivery);
    let issuing = issuing(&settings, &identity, &authority, &dispatcher, &name)?;
    if let Some((app, _)) = &issuing {
        check_types(&app.issuer).await?;
    }
    let keeper = Keeper::new(
        client.clone(),
        settings.charter.clone(),
        identity,
        ring,
        authority.clone(),
    );
    let keeper = Arc::new(keeper);
    let app = Arc::new(App {
        charter: settings.charter.clone(),
        did: did.to_string(),
        name,
        dispatcher,
        outbox,
        limiter: limiter(&settings),
        epochs: keeper.epochs(),
        keeper: settings.charter.sandbox.then(|| Arc::clone(&keeper)),
        authority: authority.clone(),
    });
    let listener = realdid_service::serve::bind(settings.config().listen).await?;
    let keeping = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { keeper.run(shutdown).await }
    });
    let mut routes = router(app);
    if let Some((app, rights)) = issuing {
        let names = app.issuer.type_names();
        let forgetting = forget(app.issuer.clone());
        let watching = watch_rights(client, did, names, rights);
        tokio::spawn(until(shutdown.clone(), async move {
            tokio::join!(watching, forgetting);
        }));
        routes = routes.merge(issuer_routes(app));
    }
    let router = harden(routes, hardening(&settings));
    let served = serve(listener, router, settings.public_url.as_str(), shutdown.clone()).await;
    shutdown.trigger();
    // It has heard the signal; what it was doing, the next start does again.
    let _ = keeping.await;
    authority.database().close().await;
    Ok(served?)
}

fn seat_name(settings: &Settings, identity: &ServiceIdentity) -> Result<String, IdentityError> {
    let key = identity.public_key();
    let seat = settings.charter.seats.iter().find(|seat| seat.key == key);
    Ok(seat.ok_or(IdentityError::NoSeat)?.name.clone())
}

type Issuing = (Arc<IssuerApp>, watch::Sender<Option<Rights>>);

/// The issuer of credentials; none if the identity has no key for them.
fn issuing(
    settings: &Settings,
    identity: &ServiceIdentity,
    authority: &Authority,
    dispatcher: &Dispatcher,
    name: &str,
) -> Result<Option<Issuing>, RunError> {
    if identity.credential_key().is_none() {
        tracing::warn!("the identity has no key for credentials: none are issued");
        return Ok(None);
    }
    let config = settings.config();
    let chain = config.certificates.as_ref().map(|path| settings.file.path(path));
    let keys = keys(&CertificateNeeds {
        identity,
        did: &identity.did(&settings.charter),
        chain: chain.as_deref(),
        data: &settings.data_path(""),
        url: &settings.public_url,
        name,
        sandbox: settings.charter.sandbox,
    })?;
    let configured = match config.credentials.as_slice() {
        [] => default_types(),
        some => some.to_vec(),
    };
    let source: Arc<dyn Source> = Arc::new(Register(authority.database().clone()));
    let mut types = Vec::new();
    for kind in configured {
        let kind = read_type(&kind, &settings.file)?;
        if keys.of(kind.key).is_ok() {
            types.push((kind, Arc::clone(&source)));
        }
    }
    check_names(&types)?;
    let rights = watch::Sender::new(None);
    let issuer = CredentialIssuer::new(Parts {
        database: authority.database().clone(),
        secrets: authority.secrets.clone(),
        issuer: settings.public_url.as_str().to_owned(),
        name: name.to_owned(),
        policy: config.issuing.clone(),
        types,
        keys,
        rights: rights.subscribe(),
    });
    let app = IssuerApp {
        issuer,
        identification: Identification::Register {
            authority: Box::new(authority.clone()),
            dispatcher: dispatcher.clone(),
        },
        operator_secret: Some(settings.operator_secret()?),
        limiter: issuing_limiter(&config.issuing),
        https: settings.public_url.is_https(),
    };
    Ok(Some((Arc::new(app), rights)))
}

/// The rules over the configured database.
async fn open(settings: &Settings) -> Result<Authority, RunError> {
    let database = Database::open(&settings.database_url()).await?;
    let path = settings.data_path("authority.secret");
    let secrets = Secrets::load_or_create(&path).map_err(RunError::Secret)?;
    let limits = settings.config().enrolment.clone();
    Ok(Authority::new(
        database,
        secrets,
        Terms::of(&settings.charter, settings.public_url.as_str(), limits),
    ))
}

type Deliveries = (Option<Arc<Outbox>>, Arc<dyn Delivery>);

fn delivery(settings: &Settings) -> Result<Deliveries, RunError> {
    match &settings.config().smtp {
        Some(smtp) => Ok((None, Arc::new(Smtp::new(&smtp.url, &smtp.from)?))),
        None if settings.charter.sandbox => {
            let outbox = Arc::new(Outbox::default());
            Ok((Some(Arc::clone(&outbox)), outbox))
        }
        None => Err(DeliveryError::Settings.into()),
    }
}

fn limiter(settings: &Settings) -> RateLimiter {
    let per_minute = settings.config().enrolment.requests_per_minute;
    RateLimiter::new(per_minute / 60.0, per_minute)
}

fn hardening(settings: &Settings) -> Hardening {
    Hardening {
        limits: settings.config().limits.clone(),
        trusted_proxies: settings.config().trusted_proxies.clone(),
        https: settings.public_url.is_https(),
    }
}

/// Fills the register with the first `people` synthetic people of a seed; tells `progress` after each
/// batch how many there are. People who are registered stay as they are. Gives the register's size.
///
/// # Errors
/// [`RunError::TooManyPeople`], [`RunError::Database`].
pub async fn generate(
    settings: &Settings,
    people: u64,
    seed: u64,
    mut progress: impl FnMut(u64),
) -> Result<u64, RunError> {
    if people > population::MAX_PEOPLE {
        return Err(RunError::TooManyPeople);
    }
    let database = Database::open(&settings.database_url()).await?;
    let mut done = 0;
    while done < people {
        let end = people.min(done + register::BATCH as u64);
        let batch: Vec<_> = (done..end).map(|index| population::person(seed, index)).collect();
        register::insert(&database, &batch)
            .await
            .map_err(DatabaseError::from)?;
        done = end;
        progress(done);
    }
    let total = register::count(&database).await.map_err(DatabaseError::from)?;
    database.close().await;
    Ok(total)
}

/// Somebody of the register, to try things out with.
#[derive(Clone, Serialize)]
pub struct SamplePerson {
    /// The name.
    pub name: String,
    /// The identity number.
    pub number: String,
    /// Where one-time codes appear in a sandbox.
    pub outbox: String,
}

/// A random person of the register.
///
/// # Errors
/// [`RunError::NoPeople`], [`RunError::Database`].
pub async fn random_person(settings: &Settings) -> Result<SamplePerson, RunError> {
    let database = Database::open(&settings.database_url()).await?;
    let place = hex::encode(rand::random::<[u8; 16]>());
    let person = register::near(&database, &place)
        .await
        .map_err(DatabaseError::from)?;
    database.close().await;
    let person = person.ok_or(RunError::NoPeople)?;
    let outbox = settings.public_url.join("/sandbox/outbox");
    Ok(SamplePerson {
        name: person.name,
        number: person.number,
        outbox,
    })
}

/// Has the running service advance the sandbox's epoch; gives the new one.
///
/// # Errors
/// [`RunError::NotRunning`], [`RunError::Refused`].
pub async fn advance_epoch(settings: &Settings) -> Result<u64, RunError> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Answer {
        epoch: Option<u64>,
        code: String,
        detail: String,
    }
    let url: &PublicUrl = &settings.public_url;
    let not_running = |_| RunError::NotRunning(url.as_str().to_owned());
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .map_err(not_running)?;
    let response = client
        .post(url.join("/sandbox/advance-epoch"))
        .send()
        .await
        .map_err(not_running)?;
    let answer: Answer = response.json().await.map_err(not_running)?;
    let Answer { epoch, code, detail } = answer;
    epoch.ok_or(RunError::Refused { code, detail })
}

impl From<Refusal> for RunError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused {
            code: refusal.code().to_owned(),
            detail: refusal.to_string(),
        }
    }
}
