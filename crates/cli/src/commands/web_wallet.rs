//! The web wallet: a static page that holds keys in the browser it runs in. This server gives the
//! page and the network's charter, and never hears of a key, a DID or a site.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use realdid_client::load_settings;
use realdid_service::config::Loaded;
use realdid_service::network::Subnet;
use realdid_service::{Hardening, Limits, Problem, Shutdown, harden, health, telemetry};
use rust_embed::{EmbeddedFile, RustEmbed};
use serde_json::{Value, json};

use crate::args::{RunOptions, WebWalletCommand};
use crate::block_on;
use crate::failure::{Failure, Outcome};

/// What `cargo xtask` built; a debug build reads the files when they are asked for.
#[derive(RustEmbed)]
#[folder = "../../web/wallet/dist"]
#[allow_missing = true]
struct Page;

/// The page; every address that is no file is a view of it.
const INDEX: &str = "index.html";

/// The configuration file; relative paths start from where it stands.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Where to listen.
    listen: SocketAddr,
    /// Under which address browsers know the wallet: scheme, host and port.
    public_url: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    #[serde(default)]
    trusted_proxies: Vec<Subnet>,
    /// The network's charter, which the page pins.
    charter: PathBuf,
    /// Nodes that the page asks, separated by commas.
    node_url: String,
    /// Where people are proofed.
    authority_url: String,
    /// Websites that a newcomer may try, as name and address.
    #[serde(default)]
    try_sites: Vec<TrySite>,
    /// Limits of every request.
    #[serde(default)]
    limits: Limits,
}

/// A website that the page offers to try.
#[derive(Debug, Clone, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct TrySite {
    name: String,
    url: String,
}

struct App {
    settings: Value,
    policy: HeaderValue,
}

/// Runs a command of the web wallet.
pub fn run(command: WebWalletCommand) -> Outcome<()> {
    let WebWalletCommand::Run(options) = command;
    serve(&options)
}

fn serve(options: &RunOptions) -> Outcome<()> {
    let (file, charter, public_url) = load_settings(&options.config, |config: &Config| {
        (config.charter.as_path(), config.public_url.as_str())
    })
    .map_err(|error| Failure::local(error.code(), error.to_string()))?;
    if Page::get(INDEX).is_none() {
        let what = "this program was built without the web wallet; build it by `cargo xtask up`";
        return Err(Failure::local("web_wallet_missing", what));
    }
    telemetry::init();
    let hardening = Hardening {
        limits: file.config.limits.clone(),
        trusted_proxies: file.config.trusted_proxies.clone(),
        https: public_url.is_https(),
    };
    let app = App {
        settings: settings(&file, &charter_text(&file)?),
        policy: policy(charter.sandbox),
    };
    let router = harden(router(Arc::new(app)), hardening);
    let listen = file.config.listen;
    let failed = |error: std::io::Error| Failure::local("cannot_listen", error.to_string());
    block_on(async {
        let shutdown = Shutdown::on_signals(options.exit_with_parent).map_err(failed)?;
        let listener = realdid_service::serve::bind(listen).await.map_err(failed)?;
        realdid_service::serve(listener, router, public_url.as_str(), shutdown)
            .await
            .map_err(failed)
    })?
}

fn charter_text(file: &Loaded<Config>) -> Outcome<String> {
    let path: PathBuf = file.path(&file.config.charter);
    std::fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))
}

/// What the page is told about the network. The charter goes as the text that is hashed and pinned.
fn settings(file: &Loaded<Config>, charter: &str) -> Value {
    let nodes: Vec<&str> = file.config.node_url.split(',').map(str::trim).collect();
    json!({
        "charter": charter,
        "nodes": nodes,
        "authority": file.config.authority_url,
        "try_sites": file.config.try_sites,
    })
}

/// Scripts, styles and images of the page's own, none of them inline. Services are asked over https,
/// and in a sandbox on this machine.
fn policy(sandbox: bool) -> HeaderValue {
    if sandbox {
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
             connect-src 'self' https: http://127.0.0.1:* http://localhost:*; manifest-src 'self'; \
             worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        )
    } else {
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
             connect-src 'self' https:; manifest-src 'self'; worker-src 'self'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'",
        )
    }
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/settings.json", get(tell))
        .fallback(get(file))
        .with_state(app)
        .merge(health::routes(|| async { Ok(()) }))
        .merge(telemetry::routes())
}

async fn tell(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.settings.clone())
}

async fn file(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    // The folder holds a hidden file of git's, which is none of the page.
    if let Some(found) = Page::get(path).filter(|_| path != INDEX && !path.starts_with('.')) {
        return answer(path, &found, &headers, &app);
    }
    // What looks like a file is none of the page's views.
    if Path::new(path).extension().is_some() {
        return Problem::of_status(StatusCode::NOT_FOUND).into_response();
    }
    match Page::get(INDEX) {
        Some(index) => answer(INDEX, &index, &headers, &app),
        None => Problem::of_status(StatusCode::NOT_FOUND).into_response(),
    }
}

fn answer(path: &str, file: &EmbeddedFile, headers: &HeaderMap, app: &App) -> Response {
    let tag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    // Names under `assets/` hold a hash of what is in them.
    let cache = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        file.data.to_vec().into_response()
    };
    let own = response.headers_mut();
    own.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    own.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    own.insert(header::CONTENT_SECURITY_POLICY, app.policy.clone());
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        own.insert(header::ETAG, tag);
    }
    response
}

fn media_type(path: &str) -> &'static str {
    match Path::new(path).extension().and_then(|end| end.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("webmanifest") => "application/manifest+json",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}
