//! A proofing authority.

use realdid_authority::Settings;
use realdid_service::{Shutdown, telemetry};
use serde_json::json;

use crate::args::{AuthorityCommand, RunOptions};
use crate::block_on;
use crate::failure::{Failure, Kind, Outcome};
use crate::output::Output;

/// Runs a command of the authority.
pub fn run(command: AuthorityCommand, output: Output) -> Outcome<()> {
    match command {
        AuthorityCommand::Run(options) => serve(&options),
        AuthorityCommand::Generate { config, people, seed } => {
            let settings = load(&config)?;
            let mut progress = |done| output.progress(format!("{done} of {people} people"));
            let total = block_on(realdid_authority::generate(
                &settings,
                people,
                seed,
                &mut progress,
            ))?
            .map_err(failed)?;
            output.result(
                format!("the register has {total} people"),
                &json!({ "people": total }),
            );
            Ok(())
        }
        AuthorityCommand::Person { config, random: _ } => {
            let person = block_on(realdid_authority::random_person(&load(&config)?))?.map_err(failed)?;
            output.result(
                format!(
                    "{}, {}\ncodes appear at {}",
                    person.name, person.number, person.outbox
                ),
                &json!({ "name": person.name, "number": person.number, "outbox": person.outbox }),
            );
            Ok(())
        }
        AuthorityCommand::AdvanceEpoch { config } => {
            let epoch = block_on(realdid_authority::advance_epoch(&load(&config)?))?.map_err(failed)?;
            output.result(format!("epoch {epoch} has begun"), &json!({ "epoch": epoch }));
            Ok(())
        }
    }
}

fn serve(options: &RunOptions) -> Outcome<()> {
    let settings = load(&options.config)?;
    telemetry::init();
    block_on(async {
        let shutdown = Shutdown::on_signals(options.exit_with_parent)
            .map_err(|error| Failure::local("signals", format!("signals cannot be listened to: {error}")))?;
        realdid_authority::run(settings, shutdown).await.map_err(failed)
    })?
}

fn load(path: &std::path::Path) -> Outcome<Settings> {
    Settings::load(path).map_err(|error| Failure::local(error.code(), error.to_string()))
}

fn failed(error: realdid_authority::RunError) -> Failure {
    let kind = match &error {
        realdid_authority::RunError::NotRunning(_) | realdid_authority::RunError::Node(_) => {
            Kind::Unavailable
        }
        realdid_authority::RunError::Refused { .. } => Kind::Refused,
        _ => Kind::Local,
    };
    Failure::new(kind, error.code(), error.to_string())
}
