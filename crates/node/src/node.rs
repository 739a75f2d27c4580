//! Starting a node and stopping it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use realdid_engine::{Engine, EngineStopper};
use realdid_service::config::Loaded;
use realdid_service::{Hardening, PublicUrl, Shutdown, harden, health, now_ms, serve, telemetry};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::config::{DataDirectory, NodeConfig, engine_config, forget_share, load_charter};
use crate::index::{self, Index};
use crate::ledger_view::Node;
use crate::measure::measure;
use crate::pending::Pending;
use crate::{NodeError, api, disk};

/// What a node that is ready may be late beyond what its network's pace allows.
const READY_SLACK: Duration = Duration::from_secs(5);
/// Blocks that the index may be behind.
const READY_LAG: u64 = 16;

/// A node that serves.
pub struct RunningNode {
    url: String,
    shutdown: Shutdown,
    engine: EngineStopper,
    follower: JoinHandle<Result<(), NodeError>>,
    server: JoinHandle<std::io::Result<()>>,
    data: DataDirectory,
}

/// Starts a node; it serves when this returns.
///
/// # Errors
/// [`NodeError`].
pub async fn start(loaded: &Loaded<NodeConfig>, shutdown: Shutdown) -> Result<RunningNode, NodeError> {
    let path = loaded.path(&loaded.config.data_dir);
    let started = start_in(loaded, shutdown, path.clone()).await;
    started.map_err(|error| disk::blame(error, &path))
}

async fn start_in(
    loaded: &Loaded<NodeConfig>,
    shutdown: Shutdown,
    path: PathBuf,
) -> Result<RunningNode, NodeError> {
    let config = &loaded.config;
    let charter = load_charter(loaded)?;
    let public_url = PublicUrl::parse(&config.public_url, charter.sandbox)?;
    let data = DataDirectory::open(path)?;
    // A taken port is told before anything else is done.
    let listener = serve::bind(config.listen).await.map_err(NodeError::Socket)?;
    let index = Index::open(&data.path.join("index.db"), &charter.hash()).await?;
    let (engine, stopper) = Engine::start(engine_config(loaded, &charter)?).await?;
    forget_share(loaded)?;
    let readiness = Readiness::new(config, &engine);

    let pending = Arc::new(Pending::default());
    let node = Node::new(charter, engine, index, pending, &config.admission);
    let (index, engine, charter, pending) = (
        node.index.clone(),
        node.engine.clone(),
        node.charter.clone(),
        node.pending.clone(),
    );
    let follower = tokio::spawn(index::follow(index, engine, charter, pending));
    let router = router(node, config, &public_url, readiness);
    let url = listening_url(&listener, &public_url);
    let serving = shutdown.clone();
    let server = {
        let url = url.clone();
        tokio::spawn(async move { serve::serve(listener, router, &url, serving).await })
    };
    Ok(RunningNode {
        url,
        shutdown,
        engine: stopper,
        follower,
        server,
        data,
    })
}

impl RunningNode {
    /// Where the node is reached on this machine, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops the node and waits until its stores are closed.
    ///
    /// # Errors
    /// [`NodeError::Engine`] if the engine had failed.
    pub async fn stop(self) -> Result<(), NodeError> {
        self.shutdown.trigger();
        self.ended().await
    }

    /// Waits until the node was told to stop, or fails; then closes its stores.
    ///
    /// # Errors
    /// [`NodeError::DiskFull`], [`NodeError::EngineEnded`], [`NodeError::Index`], [`NodeError::Socket`].
    pub async fn ended(mut self) -> Result<(), NodeError> {
        let outcome = tokio::select! {
            served = &mut self.server => flatten(served).and_then(|result| result.map_err(NodeError::Socket)),
            followed = &mut self.follower => flatten(followed).and_then(|result| result),
            () = self.engine.ended() => Err(NodeError::EngineEnded),
        };
        let outcome = outcome.map_err(|error| disk::blame(error, &self.data.path));
        if let Err(error) = &outcome {
            tracing::error!(%error, code = error.code(), "the node stops");
        }
        self.shutdown.trigger();
        self.follower.abort();
        let stopped = self.engine.stop().await;
        outcome.and(stopped.map_err(Into::into))
    }
}

fn flatten<T>(joined: Result<T, tokio::task::JoinError>) -> Result<T, NodeError> {
    joined.map_err(|error| NodeError::Socket(std::io::Error::other(error)))
}

fn router(node: Node, config: &NodeConfig, public_url: &PublicUrl, readiness: Readiness) -> Router {
    let ready = {
        let node = node.clone();
        move || std::future::ready(readiness.of(&node))
    };
    let measured = {
        let node = node.clone();
        move || measure(node.clone(), readiness.of(&node).is_ok())
    };
    let hardening = Hardening {
        limits: config.limits.clone(),
        trusted_proxies: config.trusted_proxies.clone(),
        https: public_url.is_https(),
    };
    harden(
        api::router(node)
            .merge(health::routes(ready))
            .merge(telemetry::routes_with(measured)),
        hardening,
    )
}

/// When a node is ready: a block has become final since it started, and the newest one is young. Only
/// a quorum makes blocks, and whoever has fallen behind has old ones first, so this says both that it
/// reaches a quorum and that it is near the tip. A lone validator is its own quorum.
#[derive(Clone, Copy)]
struct Readiness {
    /// The height it started at.
    started: u64,
    /// How old the newest block may be.
    age: Duration,
}

impl Readiness {
    fn new(config: &NodeConfig, engine: &Engine) -> Self {
        let status = engine.status();
        let heartbeat = Duration::from_millis(config.heartbeat_ms);
        let view = heartbeat + Duration::from_millis(config.leader_slack_ms);
        // Of the 3f + 1 leaders, f at a time may be away.
        let away = status.validators.saturating_sub(1) / 3;
        let views = u32::try_from(away).unwrap_or(u32::MAX).saturating_add(1);
        Self {
            started: status.height,
            age: heartbeat + view.saturating_mul(views) + READY_SLACK,
        }
    }

    fn of(&self, node: &Node) -> Result<(), String> {
        let status = node.engine.status();
        let age = Duration::from_millis(now_ms().saturating_sub(status.time_ms));
        if status.stopped {
            Err("the consensus engine has stopped".to_owned())
        } else if status.validators > 1 && status.height <= self.started {
            Err("no block has become final since the start".to_owned())
        } else if age > self.age {
            Err(format!("the newest block is older than {} s", self.age.as_secs()))
        } else if node.index.height() + READY_LAG < status.height {
            Err("the index is behind the ledger".to_owned())
        } else {
            Ok(())
        }
    }
}

/// The public URL; with the real port if the system was asked for any free one.
fn listening_url(listener: &TcpListener, public_url: &PublicUrl) -> String {
    match listener.local_addr() {
        Ok(address) if public_url.as_str().ends_with(":0") => format!("http://{address}"),
        _ => public_url.as_str().to_owned(),
    }
}
