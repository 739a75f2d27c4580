//! An issuer of credentials.

use std::path::Path;

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use realdid_authority::{IssuerSettings, RunError, operate};
use realdid_service::{Shutdown, telemetry};
use serde_json::{Value, json};

use crate::args::{IssuerCommand, IssuerOffer, IssuerQuestion, IssuerTarget, RunOptions};
use crate::block_on;
use crate::failure::{Failure, Kind, Outcome};
use crate::output::Output;

/// Runs a command of an issuer.
pub fn run(command: IssuerCommand, output: Output) -> Outcome<()> {
    match command {
        IssuerCommand::Run(options) => serve(&options),
        IssuerCommand::Offer(order) => offer(&order, "offers", output),
        IssuerCommand::Reissue(order) => offer(&order, "reissue", output),
        IssuerCommand::Revoke(target) => change(&target, "revoke", output),
        IssuerCommand::Suspend(target) => change(&target, "suspend", output),
        IssuerCommand::Reinstate(target) => change(&target, "reinstate", output),
        IssuerCommand::List(question) => list(&question, output),
        IssuerCommand::Audit(question) => audit(&question, output),
        IssuerCommand::Waiting { config } => waiting(&config, output),
        IssuerCommand::Approve(decision) => decide(&decision.config, &decision.id, true, output),
        IssuerCommand::Deny(decision) => decide(&decision.config, &decision.id, false, output),
    }
}

fn serve(options: &RunOptions) -> Outcome<()> {
    let settings = load(&options.config)?;
    telemetry::init();
    block_on(async {
        let shutdown = Shutdown::on_signals(options.exit_with_parent)
            .map_err(|error| Failure::local("signals", format!("signals cannot be listened to: {error}")))?;
        realdid_authority::run_issuer(settings, shutdown)
            .await
            .map_err(failed)
    })?
}

fn offer(order: &IssuerOffer, path: &str, output: Output) -> Outcome<()> {
    let body = json!({
        "record": order.record,
        "credentials": order.credential,
        "tx_code": order.tx_code,
    });
    let mut made = ask(&order.config, path, Some(&body))?;
    let link = made["link"].as_str().unwrap_or_default().to_owned();
    let mut text = link.clone();
    if order.qr
        && let Ok(code) = QrCode::new(&link)
    {
        text = format!("{text}\n{}", code.render::<Dense1x2>().build());
    }
    if let Some(code) = made["tx_code"].as_str() {
        text = format!("{text}\ncode {code} (tell the holder by another way)");
    }
    made["offer"] = link.into();
    output.result(text, &made);
    Ok(())
}

fn change(target: &IssuerTarget, change: &str, output: Output) -> Outcome<()> {
    let body = json!({
        "record": target.record,
        "credential": target.credential,
        "issuance": target.issuance,
        "change": change,
    });
    let changed = ask(&target.config, "change", Some(&body))?;
    let count = changed["issuances"].as_array().map_or(0, Vec::len);
    let text = format!(
        "{change}: {count} issuances with {} credentials that have a status; others see it from {}",
        changed["credentials"], changed["published_at"]
    );
    output.result(text, &changed);
    Ok(())
}

fn list(question: &IssuerQuestion, output: Output) -> Outcome<()> {
    let found = ask(
        &question.config,
        "issuances",
        Some(&json!({ "record": question.record })),
    )?;
    let line = |one: &Value| {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        format!(
            "{}  {}  {}  {} copies  {} to {}",
            text("id"),
            text("credential"),
            text("state"),
            one["copies"],
            one["issued_at"],
            one["expires_at"]
        )
    };
    output.result(
        lines(&found["issuances"], line, "nothing has been issued"),
        &found,
    );
    Ok(())
}

fn audit(question: &IssuerQuestion, output: Output) -> Outcome<()> {
    let found = ask(
        &question.config,
        "audit",
        Some(&json!({ "record": question.record })),
    )?;
    let line = |one: &Value| {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let (actor, action) = (text("actor"), text("action"));
        format!(
            "{}  {actor}  {action}  {}  {}",
            one["at"],
            text("credential"),
            text("reference")
        )
    };
    output.result(lines(&found["events"], line, "nothing has happened"), &found);
    Ok(())
}

fn waiting(config: &Path, output: Output) -> Outcome<()> {
    let found = ask(config, "waiting", None)?;
    let line = |one: &Value| {
        let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
        format!("{}  {}", text("id"), text("credential"))
    };
    output.result(lines(&found["waiting"], line, "nothing waits"), &found);
    Ok(())
}

fn decide(config: &Path, id: &str, approve: bool, output: Output) -> Outcome<()> {
    let decided = ask(config, "decide", Some(&json!({ "id": id, "approve": approve })))?;
    output.result(if approve { "approved" } else { "denied" }, &decided);
    Ok(())
}

fn lines(values: &Value, line: impl Fn(&Value) -> String, none: &str) -> String {
    let all: Vec<_> = values.as_array().into_iter().flatten().map(line).collect();
    if all.is_empty() {
        none.to_owned()
    } else {
        all.join("\n")
    }
}

/// Asks the running issuer with the operators' secret.
fn ask(config: &Path, path: &str, body: Option<&Value>) -> Outcome<Value> {
    let settings = load(config)?;
    let secret = settings.operator_secret().map_err(failed)?;
    block_on(operate(settings.public_url.as_str(), &secret, path, body))?.map_err(failed)
}

fn load(path: &Path) -> Outcome<IssuerSettings> {
    IssuerSettings::load(path).map_err(|error| Failure::local(error.code(), error.to_string()))
}

fn failed(error: RunError) -> Failure {
    let kind = match &error {
        RunError::NotRunning(_) | RunError::Node(_) => Kind::Unavailable,
        RunError::Refused { .. } => Kind::Refused,
        _ => Kind::Local,
    };
    Failure::new(kind, error.code(), error.to_string())
}
