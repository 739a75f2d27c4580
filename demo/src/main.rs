//! An ordinary website with a login, as anybody would write it: a stock OpenID Connect client, a
//! small database of its own, four pages. It knows nothing of DIDs, wallets or ledgers; what it
//! shows on its front page is all it knows about its visitor.

#![allow(
    clippy::disallowed_methods,
    reason = "a website owns its clock and randomness"
)]

mod provider;
mod store;
mod website;

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::provider::Provider;
use crate::store::Store;
use crate::website::Website;

/// A demo website that signs visitors in with OpenID Connect.
#[derive(Debug, Parser)]
#[command(name = "realdid-demo", version)]
struct Arguments {
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
    let credentials = read_credentials(&arguments.credentials)?;
    let public_url = arguments.public_url.trim_end_matches('/').to_owned();
    let provider = Provider::new(
        &arguments.issuer,
        credentials.client_id,
        credentials.client_secret,
        &format!("{public_url}/callback"),
    )?;
    let website = Arc::new(Website {
        name: arguments.name,
        https: public_url.starts_with("https:"),
        store: Store::open(&arguments.db).await?,
        provider,
    });
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
    let _ = writeln!(std::io::stdout(), "ready {public_url}");
    axum::serve(listener, website::router(website))
        .with_graceful_shutdown(stop)
        .await?;
    Ok(())
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
