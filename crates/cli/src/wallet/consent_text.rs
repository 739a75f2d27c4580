//! What the holder reads before agreeing, and what a script reads afterwards.

use realdid_wallet::Wallet;
use realdid_wallet::consent::{ClaimToShow, Consent, GIVES, LoginToGive, TRACEABLE, ToShow};
use realdid_wallet::credentials::Labels;
use realdid_wallet::names::{MAX_VALUE, clean};
use serde_json::{Map, Value, json};
use url::Url;

use super::language;
use crate::output::Output;

/// What the holder is asked, for a terminal.
pub fn text(consent: &Consent, wallet: &Wallet) -> String {
    let languages = language::preferred();
    let mut lines = vec![line("who asks", &who(consent))];
    if let Some(sponsor) = &consent.asker.sponsor {
        lines.push(line("", &format!("on the word of {}", sponsor.name)));
    } else if consent.asker.registered {
        lines.push(line("", "registered on this network"));
    } else {
        lines.push(line("", "UNREGISTERED: nobody on this network vouches for it"));
        if !consent.asker.proved {
            lines.push(line(
                "",
                "UNPROVED: the request is not signed, so it may be anybody",
            ));
        }
    }
    lines.push(line("why", &consent.purpose()));
    lines.push(line("goes to", &consent.asker.answer_to));
    if let Some(login) = &consent.login {
        lines.extend(login_lines(login));
    }
    for shown in &consent.credentials {
        let held = wallet.credential(shown.credential).ok();
        let names = held.map(|held| held.labels(&languages));
        lines.extend(credential_lines(shown, names.as_ref()));
    }
    for statement in &consent.transactions {
        let mut first = "authorises";
        for part in statement.lines() {
            lines.push(line(first, part));
            first = "";
        }
    }
    for over in &consent.over_asked {
        lines.push(line("NOT ALLOWED", &clean(&over.to_string(), MAX_VALUE)));
    }
    lines.join("\n")
}

fn line(label: &str, text: &str) -> String {
    format!("{label:<12}{text}")
}

fn who(consent: &Consent) -> String {
    match consent.asker.origins.as_slice() {
        [] => consent.asker.name.clone(),
        origins => format!("{} ({})", consent.asker.name, origins.join(", ")),
    }
}

fn login_lines(login: &LoginToGive) -> Vec<String> {
    let known = if login.known_to_site {
        "as it knows you already"
    } else {
        "new, made for this site alone"
    };
    vec![
        line("it gets", GIVES),
        line("known as", &login.did.to_string()),
        line("", known),
    ]
}

fn credential_lines(shown: &ToShow, names: Option<&Labels<'_>>) -> Vec<String> {
    let title = names.map_or_else(|| shown.name.clone(), Labels::title);
    let number = format!("{title} (credential {})", shown.credential);
    let mut lines = vec![line("it reads", &number)];
    lines.push(line(
        "",
        &format!("issued by {}, which {}", shown.issuer, shown.issuer_standing),
    ));
    if shown.optional {
        lines.push(line(
            "",
            &format!("can be left out: --without {}, or --only-required", shown.query),
        ));
    }
    // The claim's own name stands beside the label: whoever wrote the label might call it anything.
    let name = |claim: &ClaimToShow| match names.and_then(|names| names.claim(&claim.claim)) {
        Some(label) => format!("{label} ({})", claim.claim),
        None => claim.claim.clone(),
    };
    let texts: Vec<String> = shown.claims.iter().map(name).collect();
    let width = texts.iter().map(|text| columns(text)).max().unwrap_or(0);
    for (text, claim) in texts.iter().zip(&shown.claims) {
        let note = if claim.asked {
            ""
        } else {
            "  (cannot be kept back)"
        };
        let gap = " ".repeat(width - columns(text));
        lines.push(line("", &format!("  {text}{gap}  {}{note}", claim.value)));
    }
    if shown.claims.is_empty() {
        lines.push(line("", "  nothing but that you have it"));
    }
    lines.push(line("it tells", TRACEABLE));
    let copies = match shown.copies_left {
        None => "a long-lived credential: whoever sees it twice knows that it is the same".to_owned(),
        Some(0) => "no unused one-time copy is left after this".to_owned(),
        Some(1) => "one unused one-time copy is left after this".to_owned(),
        Some(left) => format!("{left} unused one-time copies are left after this"),
    };
    lines.push(line("", &copies));
    lines
}

/// How many columns of a terminal a text takes; characters of East Asian scripts take two.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if c < '\u{1100}' { 1 } else { 2 }).sum()
}

/// What came of it. Values of claims are not in it.
pub fn tell(output: Output, consent: &Consent, wallet: &Wallet, return_to: Option<&Url>, login: bool) {
    let next = match return_to {
        Some(address) => format!("go on in the browser: {address}"),
        None => "go on in the browser that showed the link".to_owned(),
    };
    let done = if login { "logged in at" } else { "shown to" };
    output.result(
        format!("{done} {}\n{next}", consent.asker.name),
        &result(consent, wallet, return_to),
    );
}

fn result(consent: &Consent, wallet: &Wallet, return_to: Option<&Url>) -> Value {
    let languages = language::preferred();
    let disclosed: Vec<Value> = consent
        .credentials
        .iter()
        .map(|shown| {
            let claims: Vec<_> = shown.claims.iter().map(|claim| &claim.claim).collect();
            let held = wallet.credential(shown.credential).ok();
            let names = held.map(|held| held.labels(&languages));
            let label = |claim: &&String| json!(names.as_ref().and_then(|names| names.claim(claim)));
            let labels: Map<String, Value> = claims
                .iter()
                .map(|claim| ((*claim).clone(), label(claim)))
                .collect();
            json!({
                "query": shown.query, "credential": shown.credential, "vct": shown.vct,
                "label": names.as_ref().map(Labels::title), "claims": claims, "labels": labels,
                "copies_left": shown.copies_left,
            })
        })
        .collect();
    let mut result = json!({
        "redirect_uri": return_to.map(Url::as_str),
        "verifier": consent.asker,
        "disclosed": disclosed,
        "authorised": consent.transactions,
        "over_asked": consent.over_asked,
        "warnings": consent.warnings,
    });
    if let Some(login) = &consent.login {
        result["site"] = consent.asker.name.as_str().into();
        result["site_did"] = json!(consent.asker.did);
        result["sponsor"] = json!(consent.asker.sponsor.as_ref().map(|sponsor| &sponsor.name));
        result["did"] = json!(login.did);
        result["new"] = (!login.known_to_site).into();
    }
    result
}
