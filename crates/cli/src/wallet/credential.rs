//! The wallet's credentials: list, show, refresh, remove, and what status lists say of them.

use std::collections::BTreeMap;

use realdid_credential::sd_jwt::SdJwt;
use realdid_credential::status::token::{MEDIA_TYPE, StatusListToken};
use realdid_wallet::credentials::status::{Signers, read_status};
use realdid_wallet::credentials::{HeldCopy, HeldCredential, StatusValue, shown_value};
use realdid_wallet::issuance::{Issuance, IssuerKey, IssuerReference, Options};
use serde_json::{Value, json};

use super::args::{CredentialAction, Refresh};
use super::issuing::{Manner, Obtained, find_issuer, run};
use super::list::time;
use super::session::Session;
use super::{enrol, language, offer};
use crate::failure::{Failure, Outcome};
use crate::now;
use crate::output::agrees;
use crate::web::{self, Web};

/// A credential whose last copy expires sooner than this, in seconds, is refreshed without being named.
const SOON: u64 = 2 * 86_400;

/// Runs a command about credentials.
pub async fn run_action(session: Session, action: CredentialAction) -> Outcome<()> {
    match action {
        CredentialAction::List { check } => list(session, check).await,
        CredentialAction::Show { id, check } => show(session, id, check).await,
        CredentialAction::Refresh(options) => refresh(session, options).await,
        CredentialAction::Remove { id, yes } => remove(session, id, yes),
    }
}

async fn list(mut session: Session, check: bool) -> Outcome<()> {
    if check {
        check_all(&mut session).await?;
    }
    let wallet = session.wallet();
    let rows: Vec<Value> = wallet.credentials().iter().map(row).collect();
    let mut lines: Vec<String> = table(wallet.credentials());
    let pending: Vec<Value> = wallet
        .pending_issuances()
        .iter()
        .map(|pending| {
            let names: Vec<&str> = pending.names().collect();
            json!({ "issuer": pending.issuer, "names": names, "not_before": pending.not_before() })
        })
        .collect();
    lines.extend(wallet.pending_issuances().iter().map(|pending| {
        let names: Vec<&str> = pending.names().collect();
        let when = pending.not_before().map_or_else(|| "now".to_owned(), time);
        format!(
            "    {} is still to come from {}: realdid wallet credential refresh ({when} or later)",
            names.join(", "),
            pending.issuer
        )
    }));
    if lines.is_empty() {
        lines.push("no credentials yet: realdid wallet offer LINK".to_owned());
    }
    session.output.result(
        lines.join("\n"),
        &json!({ "credentials": rows, "pending": pending }),
    );
    Ok(())
}

/// One line for each credential, in columns.
fn table(all: &[HeldCredential]) -> Vec<String> {
    let languages = language::preferred();
    let cells: Vec<[String; 5]> = all
        .iter()
        .map(|held| {
            [
                held.id.to_string(),
                held.labels(&languages).title(),
                format!("by {}", held.issuer.name),
                copies_text(held),
                standing_text(held),
            ]
        })
        .collect();
    let width = |column: usize| {
        cells
            .iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2), width(3)];
    let pad = |text: &str, width: usize| {
        let gap = width.saturating_sub(text.chars().count());
        format!("{text}{}", " ".repeat(gap))
    };
    let line = |row: &[String; 5]| {
        let padded: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(text, width)| pad(text, width))
            .collect();
        format!("{}  {}", padded.join("  "), row[4])
    };
    cells.iter().map(line).collect()
}

fn copies_text(held: &HeldCredential) -> String {
    let (now, total) = (now(), held.copies.len());
    if held.is_lost() {
        return "left on another device".to_owned();
    }
    if held.copies.iter().all(HeldCopy::is_long_lived) {
        return "long-lived".to_owned();
    }
    match held.unused(now) {
        0 => format!("all of {total} copies used"),
        unused => format!("{unused} of {total} copies left"),
    }
}

/// What its holder should know first.
fn standing_text(held: &HeldCredential) -> String {
    let mut text = match (held.expires_at(), held.is_lost()) {
        (_, true) => "get it again from the issuer".to_owned(),
        (Some(at), _) if at <= now() => format!("EXPIRED {}", time(at)),
        (Some(at), _) => format!("until {}", time(at)),
        (None, _) => "without end".to_owned(),
    };
    if let Some(seen) = held.seen_status() {
        text.push_str(&format!(
            ", {} on {}",
            status_name(seen.value),
            time(seen.checked_at)
        ));
    }
    if !held.issuer.standing.is_good() {
        text.push_str(&format!("; the issuer {}", held.issuer.standing.text()));
    }
    if !held.is_lost() && held.is_exhausted(now()) {
        text.push_str(&format!(
            "; fetch fresh copies: realdid wallet credential refresh {}",
            held.id
        ));
    }
    text
}

fn status_name(value: StatusValue) -> String {
    match value {
        StatusValue::Valid => "valid".to_owned(),
        StatusValue::Revoked => "REVOKED".to_owned(),
        StatusValue::Suspended => "SUSPENDED".to_owned(),
        StatusValue::Other(value) => format!("status {value}"),
    }
}

/// A credential for scripts, without its claims.
pub fn row(held: &HeldCredential) -> Value {
    let languages = language::preferred();
    let labels = held.labels(&languages);
    json!({
        "id": held.id,
        "type": held.vct,
        "type_name": labels.type_name(),
        "name": held.name,
        "label": labels.title(),
        "issuer": held.issuer,
        "received_at": held.received_at,
        "refreshed_at": held.refreshed_at,
        "expires_at": held.expires_at(),
        "copies": held.copies.len(),
        "unused": held.unused(now()),
        "long_lived": !held.is_lost() && held.copies.iter().all(HeldCopy::is_long_lived),
        "lost": held.is_lost(),
        "status": held.seen_status(),
        "refresh": held.renewal.refresh_token.is_some(),
    })
}

async fn show(mut session: Session, id: u32, check: bool) -> Outcome<()> {
    session.wallet().credential(id)?;
    if check {
        check_one(&mut session, id).await?;
        session.save()?;
    }
    let held = session.wallet().credential(id)?;
    let copy = held
        .pick(now())
        .map(|picked| picked.copy)
        .ok()
        .or_else(|| held.copies.first());
    let claims = copy.and_then(claims_of).unwrap_or_default();
    let own = [
        "iss",
        "iat",
        "nbf",
        "exp",
        "cnf",
        "vct",
        "vct#integrity",
        "status",
        "aka_vcts",
    ];
    let languages = language::preferred();
    let names = held.labels(&languages);
    let kind = match names.type_name() {
        Some(name) => format!("{name} ({})", held.vct),
        None => held.vct.clone(),
    };
    let mut lines = vec![
        format!("{}  {}", held.id, names.title()),
        format!("type        {kind}"),
        format!("issuer      {} ({})", held.issuer.name, held.issuer.identifier),
        format!("            {}", held.issuer.standing.text()),
    ];
    lines.extend(held.issuer.did.iter().map(|did| format!("            {did}")));
    lines.push(format!("copies      {}", copies_text(held)));
    lines.push(format!("validity    {}", standing_text(held)));
    let mut labels = serde_json::Map::new();
    for (name, value) in claims.iter().filter(|(name, _)| !own.contains(&name.as_str())) {
        let name = realdid_wallet::names::clean(name, realdid_wallet::names::MAX_NAME);
        let label = names.claim(&name);
        let text = label
            .as_ref()
            .map_or_else(|| name.clone(), |label| format!("{label} ({name})"));
        lines.push(format!("claim       {text}: {}", shown_value(value)));
        labels.insert(name, json!(label));
    }
    for used in held.copies.iter().flat_map(|copy| &copy.uses) {
        lines.push(format!("shown       {}  {}", time(used.at), used.verifier));
    }
    let mut value = row(held);
    value["claims"] = Value::Object(claims);
    value["labels"] = Value::Object(labels);
    value["uses"] = json!(held.copies.iter().flat_map(|copy| &copy.uses).collect::<Vec<_>>());
    session.output.result(lines.join("\n"), &value);
    Ok(())
}

fn claims_of(copy: &HeldCopy) -> Option<serde_json::Map<String, Value>> {
    let disclosed = SdJwt::parse(&copy.compact).ok()?.disclosed().ok()?;
    Some(disclosed.claims().clone())
}

/// Fetches fresh copies of one, or of all that need them, and what issuers had put off.
async fn refresh(mut session: Session, options: Refresh) -> Outcome<()> {
    let mut manner = Manner {
        yes: options.yes,
        ..Manner::default()
    };
    let mut all = Obtained::default();
    if options.id.is_none() {
        for pending in session.wallet().pending_issuances().to_vec() {
            session
                .output
                .progress(format!("asking {} again", pending.issuer));
            let issuance = Issuance::resume(pending, how(&session, options.copies));
            add(&mut all, run(&mut session, issuance, &mut manner).await?);
        }
    }
    let chosen: Vec<u32> = match options.id {
        Some(id) => vec![session.wallet().credential(id)?.id],
        None => due(&session),
    };
    for id in chosen {
        session
            .output
            .progress(format!("fetching fresh copies of credential {id}"));
        let issuance = match renewal(&mut session, id, options.copies).await {
            Ok(issuance) => issuance,
            // Nobody named it: the others are still worth fetching.
            Err(failure) if options.id.is_none() && failure.code() == "refresh_impossible" => {
                session
                    .output
                    .warning(format!("credential {id}: {}", failure.what()));
                continue;
            }
            Err(failure) => return Err(failure),
        };
        add(&mut all, run(&mut session, issuance, &mut manner).await?);
    }
    if options.id.is_none() {
        check_all(&mut session).await?;
    }
    if all.stored.is_empty() && all.declined.is_empty() && all.waiting_until.is_none() {
        session.output.result(
            "nothing needs to be fetched",
            &json!({ "credentials": [], "declined": [] }),
        );
        return Ok(());
    }
    offer::tell(&session, &all);
    Ok(())
}

fn due(session: &Session) -> Vec<u32> {
    let soon = |held: &&HeldCredential| {
        let expires = held.expires_at().is_some_and(|at| at <= now() + SOON);
        held.is_lost() || expires || held.is_exhausted(now())
    };
    session
        .wallet()
        .credentials()
        .iter()
        .filter(soon)
        .map(|held| held.id)
        .collect()
}

fn how(session: &Session, copies: usize) -> Options {
    Options {
        sandbox: session.is_sandbox(),
        redirect_uri: None,
        client_id: None,
        copies,
    }
}

/// By the refresh token; at the wallet's own authority by the account key.
async fn renewal(session: &mut Session, id: u32, copies: usize) -> Outcome<Issuance> {
    let how = how(session, copies);
    let held = session.wallet().credential(id)?;
    if held.renewal.refresh_token.is_some() {
        return Ok(Issuance::refresh(held, how)?);
    }
    let configuration = held.renewal.configuration.clone();
    let (authority, _) = session.authority()?;
    let of_authority = held.issuer.identifier.trim_end_matches('/') == authority;
    if of_authority && session.wallet().account().is_some() {
        let offer = enrol::credential_offer(session, Some(&configuration)).await?;
        return Ok(Issuance::of_offer(offer, how).replacing(id));
    }
    let what = format!("the issuer gave nothing to fetch fresh copies of credential {id} with");
    Err(Failure::refused("refresh_impossible", what))
}

fn add(all: &mut Obtained, more: Obtained) {
    all.stored.extend(more.stored);
    all.declined.extend(more.declined);
    all.waiting_until = all.waiting_until.max(more.waiting_until);
}

fn remove(mut session: Session, id: u32, yes: bool) -> Outcome<()> {
    let name = session.wallet().credential(id)?.name.clone();
    if !yes && !agrees(&format!("Remove `{name}` with its keys, for good?")) {
        return Err(Failure::refused("consent_refused", "you did not agree"));
    }
    session.wallet_mut().remove_credential(id, now())?;
    session.save()?;
    session.output.result(
        format!("removed credential {id}: {name}"),
        &json!({ "removed": id }),
    );
    Ok(())
}

/// Checks every credential, and remembers what was seen.
async fn check_all(session: &mut Session) -> Outcome<()> {
    let held = session.wallet().credentials().iter();
    for id in held.map(|held| held.id).collect::<Vec<_>>() {
        check_one(session, id).await?;
    }
    session.save()
}

/// Asks the ledger about the issuer and its lists about each copy that has a place in one.
async fn check_one(session: &mut Session, id: u32) -> Outcome<()> {
    let held = session.wallet().credential(id)?.clone();
    let Some(first) = held.copies.first() else {
        return Ok(());
    };
    let reference = IssuerReference::of(&first.compact)?;
    let issuer = match find_issuer(session, &reference, &held.vct).await {
        Ok(issuer) => issuer,
        Err(failure) => {
            session
                .output
                .warning(format!("credential {id}: {}", failure.what()));
            return Ok(());
        }
    };
    session.wallet_mut().saw_standing(id, issuer.standing, now())?;
    let mut lists: BTreeMap<String, (StatusListToken, IssuerKey)> = BTreeMap::new();
    for copy in &held.copies {
        let Some(status) = &copy.status else { continue };
        if !lists.contains_key(&status.uri) {
            match list_at(session, &status.uri, &copy.compact, &held.vct).await {
                Ok(list) => lists.insert(status.uri.clone(), list),
                Err(failure) => {
                    session
                        .output
                        .warning(format!("the status of credential {id}: {}", failure.what()));
                    return Ok(());
                }
            };
        }
        let Some((list, signer)) = lists.get(&status.uri) else {
            continue;
        };
        let signers = Signers {
            credential: &issuer,
            list: signer,
        };
        match read_status(list, status, signers, now()) {
            Ok(value) => session.wallet_mut().saw_status(id, copy.number, value, now())?,
            Err(error) => session
                .output
                .warning(format!("the status of credential {id}: {error}")),
        }
    }
    Ok(())
}

/// A status list and whose key signed it. Its address comes from a credential: it is fetched as a
/// stranger's.
async fn list_at(
    session: &Session,
    uri: &str,
    credential: &str,
    vct: &str,
) -> Outcome<(StatusListToken, IssuerKey)> {
    let url = web::address(uri, session.is_sandbox())?;
    let web = Web::to_stranger("the status list", &url, session.is_sandbox())?;
    let request = web.client().get(url).header("accept", MEDIA_TYPE);
    let text = web
        .long_text(request, realdid_credential::status::token::MAX_TOKEN)
        .await?;
    let malformed = |error: realdid_credential::status::StatusError| {
        Failure::refused("status_list_invalid", error.to_string())
    };
    let token = StatusListToken::parse(&text).map_err(malformed)?;
    let reference = IssuerReference::of_status_list(token.header(), credential)?;
    let signer = find_issuer(session, &reference, vct).await?;
    Ok((token, signer))
}
