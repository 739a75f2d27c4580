//! Showing what the wallet holds and did.

use realdid_token::epoch_accepted;
use realdid_wallet::history::{Event, HistoryEntry};
use realdid_wallet::names::clean;
use realdid_wallet::{Assignment, HeldDid};
use serde_json::{Value, json};

use super::session::Session;
use crate::failure::Outcome;
use crate::now;

/// Longest event of the history in one line, in characters.
const MAX_LINE: usize = 2000;

/// Lists the DIDs.
pub async fn list(mut session: Session, refresh: bool) -> Outcome<()> {
    if refresh {
        let wallet = session.wallet();
        let published = wallet
            .dids()
            .iter()
            .filter(|held| held.ledger.is_some() || held.pending.is_some());
        for did in published.map(|held| wallet.did(held)).collect::<Vec<_>>() {
            let seen = session.observe(&did).await?;
            session.wallet_mut().observe(&did, &seen, now())?;
        }
        session.save()?;
    }
    // Without the ledger the list is as good, but cannot say which tokens have lapsed.
    let epoch = session.epoch().await.ok();
    if epoch.is_none() {
        session
            .output
            .warning("the node cannot be reached, so nothing is said about lapsed tokens");
    }
    let wallet = session.wallet();
    let rows: Vec<Value> = wallet
        .dids()
        .iter()
        .map(|held| row(&session, held, epoch))
        .collect();
    let lines: Vec<String> = rows.iter().map(line).collect();
    let text = if lines.is_empty() {
        "no DIDs yet: realdid wallet enrol".to_owned()
    } else {
        lines.join("\n")
    };
    session.output.result(
        text,
        &json!({ "epoch": epoch, "pooled": wallet.pooled(), "dids": rows }),
    );
    Ok(())
}

fn row(session: &Session, held: &HeldDid, epoch: Option<u64>) -> Value {
    let (assignment, site) = match &held.assignment {
        Assignment::Pooled => ("pooled", None),
        Assignment::Site(site) => (
            "site",
            Some(json!({ "name": site.name, "client_id": site.client_id })),
        ),
        Assignment::Kept => ("kept", None),
    };
    let token = held.token.as_ref().map(|token| token.epoch);
    let standing = match (token, epoch) {
        (None, _) => "none",
        (Some(_), None) => "unknown",
        (Some(token), Some(epoch)) if token == epoch => "current",
        (Some(token), Some(epoch)) if epoch_accepted(token, epoch) => "lapses_with_this_epoch",
        (Some(_), Some(_)) => "lapsed",
    };
    json!({
        "did": session.wallet().did(held),
        "assignment": assignment,
        "site": site,
        "ledger": held.ledger,
        "generation": held.generation,
        "pending": held.pending.as_ref().map(|pending| pending.change),
        "token_epoch": token,
        "token": standing,
    })
}

fn line(row: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let site = match row["site"]["name"].as_str() {
        Some(name) => format!("known to {name}"),
        None if row["assignment"] == "pooled" => "ready for a new website".to_owned(),
        None => "kept from a backup".to_owned(),
    };
    let ledger = match row["ledger"]["stage"]["stage"].as_str() {
        None => "not on the ledger",
        Some(_) if row["ledger"]["ours"] == false => "ON THE LEDGER WITH OTHER KEYS: recover it",
        Some("active") => "published",
        Some("recovering") => "recovering",
        Some("ending") => "ending",
        Some(_) => "deactivated",
    };
    let token = match text(&row["token"]).as_str() {
        "current" => "token current".to_owned(),
        "lapses_with_this_epoch" => "token lapses with this epoch: renew it".to_owned(),
        "lapsed" => "token lapsed: renew it".to_owned(),
        "none" => "no token".to_owned(),
        _ => "token".to_owned(),
    };
    let pending = row["pending"]
        .as_str()
        .map(|change| format!(", {change} not final yet"))
        .unwrap_or_default();
    format!("{}  {site}, {ledger}, {token}{pending}", text(&row["did"]))
}

/// One line of history for people.
pub fn history_line(entry: &HistoryEntry) -> String {
    let event = match &entry.event {
        Event::Created => "made this wallet".to_owned(),
        Event::Enrolled { authority } => format!("proofed by {authority}"),
        Event::TokensDrawn { count, epoch } => format!("drew {count} tokens of epoch {epoch}"),
        Event::LoggedIn { name, did, .. } => {
            format!("logged in at {name} as {did}: it learned that a verified person stands behind it")
        }
        Event::LoginRefused { client_id, by, code } => {
            format!("login at {client_id} refused by the {by}: {code}")
        }
        Event::Presented {
            name,
            registered,
            credentials,
            ..
        } => {
            let known = if *registered { "" } else { " (unregistered)" };
            let shown: Vec<_> = credentials
                .iter()
                .map(|shown| format!("{} of {}", shown.claims.join(", "), shown.vct))
                .collect();
            format!("showed {name}{known} {}", shown.join("; "))
        }
        Event::PresentationRefused { client_id, by, code } => {
            format!("request of {client_id} refused by the {by}: {code}")
        }
        Event::Changed {
            did, change, height, ..
        } => format!("{change} of {did}, final at height {height}"),
        Event::Renewed { did, epoch } => format!("renewed {did} for epoch {epoch}"),
        Event::CredentialReceived {
            credential,
            vct,
            issuer,
            copies,
        } => format!("received credential {credential} ({vct}) from {issuer}, copies: {copies}"),
        Event::CredentialRefreshed { credential, copies } => {
            format!("fetched fresh copies of credential {credential}: {copies}")
        }
        Event::CredentialRemoved { credential, vct } => format!("removed credential {credential} ({vct})"),
        Event::OfferRefused { issuer, by, code } => format!("offer of {issuer} refused by the {by}: {code}"),
        Event::BackedUp => "wrote a backup".to_owned(),
        Event::Restored => "restored from a backup".to_owned(),
    };
    // Types and identifiers stand in it as strangers wrote them.
    format!("{}  {}", time(entry.at), clean(&event, MAX_LINE))
}

/// A time as text: `2026-11-22T02:30:00Z`, by Howard Hinnant's civil-from-days.
pub fn time(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_read_by_people() {
        assert_eq!(super::time(0), "1970-01-01T00:00:00Z");
        assert_eq!(super::time(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(super::time(1_795_313_399), "2026-11-22T02:09:59Z");
    }
}
