//! The command-line wallet: asks, fetches, stores; what is right the `wallet` crate decides.

pub mod args;
mod backup;
mod browser;
mod change;
mod consent_text;
mod credential;
mod draw;
mod enrol;
mod issuing;
mod language;
mod list;
mod login;
mod offer;
mod present;
mod scan;
mod session;

use std::path::PathBuf;

use serde_json::json;

use crate::block_on;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::vault::PassphraseSource;
use args::{Action, DidAction, WalletCommand};
pub use enrol::read_charter;
use session::Session;

/// Where the wallet is, and how it is opened.
#[derive(Debug, Clone)]
pub struct Place {
    directory: PathBuf,
    passphrase: PassphraseSource,
}

/// Runs a wallet command.
pub fn run(command: WalletCommand, output: Output) -> Outcome<()> {
    let directory = command.wallet.map_or_else(default_directory, Ok)?;
    let place = Place {
        directory,
        passphrase: PassphraseSource {
            file: command.passphrase_file,
        },
    };
    match command.action {
        Action::Init(options) => enrol::init(&place, &options, output),
        Action::Restore(options) => backup::restore(&place, &options, output),
        Action::Backup(options) => backup::backup(&place, &options, output),
        Action::History => history(&place, output),
        Action::Enrol(options) => block_on(enrol::enrol(Session::open(&place, output)?, options))?,
        Action::Quota => block_on(enrol::quota(Session::open(&place, output)?))?,
        Action::Offer(options) => block_on(offer::offer(Session::open(&place, output)?, options))?,
        Action::Credential(action) => {
            block_on(credential::run_action(Session::open(&place, output)?, action))?
        }
        Action::Login(options) => block_on(login::login(Session::open(&place, output)?, options))?,
        Action::Present(options) => block_on(present::present(Session::open(&place, output)?, options))?,
        Action::Did(action) => block_on(did(Session::open(&place, output)?, action))?,
    }
}

async fn did(mut session: Session, action: DidAction) -> Outcome<()> {
    use realdid_wallet::operations::Change;
    match action {
        DidAction::List { refresh } => list::list(session, refresh).await,
        DidAction::Create { count } => draw::create(session, count).await,
        DidAction::Publish(options) => change::change(&mut session, &options.did, Change::Publish).await,
        DidAction::Rotate(options) => change::change(&mut session, &options.did, Change::Rotate).await,
        DidAction::Veto(options) => change::change(&mut session, &options.did, Change::Veto).await,
        DidAction::Recover(options) => change::recover(&mut session, &options.did, options.wait).await,
        DidAction::Deactivate(options) => {
            let change = if options.slow {
                Change::DeactivateSlowly
            } else {
                Change::Deactivate
            };
            change::change(&mut session, &options.did, change).await
        }
        DidAction::Renew(options) => draw::renew(session, options).await,
    }
}

fn default_directory() -> Outcome<PathBuf> {
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let data = variable("XDG_DATA_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/share")));
    let data = data.ok_or_else(|| {
        Failure::usage(
            "wallet_directory",
            "there is no home directory to keep a wallet in",
        )
    })?;
    Ok(data.join("realdid/wallet"))
}

fn history(place: &Place, output: Output) -> Outcome<()> {
    let vault = crate::vault::Vault::open(&place.directory, &place.passphrase)?;
    let entries = vault.wallet.history();
    let lines: Vec<_> = entries.iter().map(list::history_line).collect();
    output.result(lines.join("\n"), &json!({ "history": entries }));
    Ok(())
}
