//! A sign-in server.

use realdid_service::{Shutdown, telemetry};
use realdid_signin::{ClientOptions, RunError, Settings};
use serde_json::json;

use crate::args::{ClientCommand, RunOptions, SigninCommand};
use crate::block_on;
use crate::failure::{Failure, Kind, Outcome};
use crate::output::Output;

/// Runs a command of the sign-in server.
pub fn run(command: SigninCommand, output: Output) -> Outcome<()> {
    match command {
        SigninCommand::Run(options) => serve(&options),
        SigninCommand::Client(ClientCommand::Add {
            config,
            name,
            redirect_uri,
        }) => {
            let options = ClientOptions::new(&name, redirect_uri);
            let new = block_on(realdid_signin::add_client(&load(&config)?, options))?.map_err(failed)?;
            let secret = new.client_secret.as_deref().unwrap_or("none");
            output.result(
                format!(
                    "client_id      {}\nclient_secret  {secret}\nsite DID       {}",
                    new.client_id, new.site_did
                ),
                &serde_json::to_value(&new).unwrap_or_default(),
            );
            Ok(())
        }
        SigninCommand::Client(ClientCommand::List { config }) => {
            let clients = block_on(realdid_signin::list_clients(&load(&config)?))?.map_err(failed)?;
            let lines = clients
                .iter()
                .map(|client| format!("{}  {}  {}", client.client_id, client.name, client.site_did));
            let values = clients.iter().map(|client| {
                json!({
                    "client_id": client.client_id,
                    "name": client.name,
                    "site_did": client.site_did,
                    "redirect_uris": client.redirect_uris,
                    "created_at": client.created_at,
                })
            });
            output.result(
                lines.collect::<Vec<_>>().join("\n"),
                &json!({ "clients": values.collect::<Vec<_>>() }),
            );
            Ok(())
        }
    }
}

fn serve(options: &RunOptions) -> Outcome<()> {
    let settings = load(&options.config)?;
    telemetry::init();
    block_on(async {
        let shutdown = Shutdown::on_signals(options.exit_with_parent)
            .map_err(RunError::Listen)
            .map_err(failed)?;
        realdid_signin::run(settings, shutdown).await.map_err(failed)
    })?
}

fn load(path: &std::path::Path) -> Outcome<Settings> {
    Settings::load(path).map_err(|error| Failure::local(error.code(), error.to_string()))
}

fn failed(error: RunError) -> Failure {
    let kind = match &error {
        RunError::Node(_) | RunError::Site(_) => Kind::Unavailable,
        RunError::Options(_) => Kind::Usage,
        _ => Kind::Local,
    };
    Failure::new(kind, error.code(), error.to_string())
}
