//! Two kinds of ordinary website, as anybody would write them, each with a small database of its own.
//! One has a login: a stock OpenID Connect client and four pages. The other rents cars and has no
//! login: it asks to be shown a licence through the sign-in server's REST interface. Neither knows
//! anything of DIDs, keys or ledgers; what a page shows is all the website knows about its visitor.

#![allow(
    clippy::disallowed_methods,
    reason = "a website owns its clock and randomness"
)]

mod provider;
mod rental;
mod store;
mod verifier;
mod website;

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use axum::Router;
use clap::{Parser, ValueEnum};
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::provider::Provider;
use crate::rental::Rental;
use crate::store::Store;
use crate::verifier::Verifier;
use crate::website::Website;

/// A demo website that signs visitors in, or asks them to show a licence.
#[derive(Debug, Parser)]
#[command(name = "realdid-demo", version)]
struct Arguments {
    /// What kind of website.
    #[arg(long, value_enum, default_value = "accounts")]
    kind: Kind,
    /// A scope that visitors may choose to sign in with beside the usual ones, such as age_over_18 or
    /// profile; the website must be registered to ask for it.
    #[arg(long)]
    offer_scope: Vec<String>,
    /// Name of the website.
    #[arg(long)]
    name: String,
    /// Where to listen, such as 127.0.0.1:7331.
    #[arg(long)]
    listen: SocketAddr,
    /// Under which address visitors know the website, such as http://127.0.0.1:7331.
    #[arg(long)]
    public_url: String,
    /// The sign-in server.
    #[arg(long)]
    issuer: String,
    /// File with `client_id` and `client_secret`, as `realdid signin client add --json` prints it.
    #[arg(long)]
    credentials: PathBuf,
    /// The website's SQLite database; made if absent.
    #[arg(long)]
    db: PathBuf,
    /// End when standard input ends.
    #[arg(long)]
    exit_with_parent: bool,
}

/// Kinds of website.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// Visitors sign in.
    Accounts,
    /// Visitors rent a van and show that they may drive it.
    Rental,
}

/// How the sign-in server knows this website.
#[derive(Deserialize)]
struct Credentials {
    client_id: String,
    client_secret: Option<String>,
}

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .json()
        .with_writer(std::io::stderr)
        .init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(cause = %error, "the website cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Outcome<()> {
    let website = website(&arguments).await?;
    let listener = tokio::net::TcpListener::bind(arguments.listen)
        .await
        .map_err(|error| {
            format!(
                "cannot listen on {}: {error}; stop what uses it",
                arguments.listen
            )
        })?;
    let stop = stop_signal(arguments.exit_with_parent)?;
    // The reader may be gone; the website serves all the same.
    let _ = writeln!(std::io::stdout(), "ready {}", public_url(&arguments));
    axum::serve(listener, website)
        .with_graceful_shutdown(stop)
        .await?;
    Ok(())
}

fn public_url(arguments: &Arguments) -> &str {
    arguments.public_url.trim_end_matches('/')
}

async fn website(arguments: &Arguments) -> Outcome<Router> {
    let credentials = read_credentials(&arguments.credentials)?;
    let public_url = public_url(arguments).to_owned();
    let name = arguments.name.clone();
    let https = public_url.starts_with("https:");
    let store = Store::open(&arguments.db).await?;
    let (client_id, secret) = (credentials.client_id, credentials.client_secret);
    Ok(match arguments.kind {
        Kind::Accounts => website::router(Arc::new(Website {
            name,
            https,
            store,
            offers: arguments.offer_scope.clone(),
            provider: Provider::new(
                &arguments.issuer,
                client_id,
                secret,
                &format!("{public_url}/callback"),
            )?,
        })),
        Kind::Rental => rental::router(Arc::new(Rental {
            name,
            https,
            public_url,
            store,
            verifier: Verifier::new(&arguments.issuer, client_id, secret.unwrap_or_default())?,
        })),
    })
}

fn read_credentials(path: &Path) -> Outcome<Credentials> {
    let text = std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(serde_json::from_slice(&text).map_err(|error| {
        format!(
            "{} does not hold client_id and client_secret: {error}",
            path.display()
        )
    })?)
}

/// Ends with SIGINT, SIGTERM, or the end of standard input.
fn stop_signal(exit_with_parent: bool) -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (ended, parent_gone) = oneshot::channel::<()>();
    let kept = if exit_with_parent {
        std::thread::spawn(move || {
            let mut buffer = [0; 64];
            while std::io::stdin().read(&mut buffer).is_ok_and(|read| read > 0) {}
            drop(ended);
        });
        None
    } else {
        Some(ended)
    };
    Ok(async move {
        let _kept = kept;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = parent_gone => {}
        }
    })
}
