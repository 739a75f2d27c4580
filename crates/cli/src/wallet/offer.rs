//! Taking a credential that an issuer offers.

use realdid_openid::vci::CredentialOffer;
use realdid_wallet::issuance::{Issuance, Options};
use serde_json::json;
use url::Url;

use super::args::Offer;
use super::browser::Returning;
use super::credential;
use super::issuing::{Manner, Obtained, run};
use super::language;
use super::session::Session;
use crate::failure::{Failure, Outcome};
use crate::web::Web;

/// Takes what is offered.
pub async fn offer(mut session: Session, options: Offer) -> Outcome<()> {
    let returning = Returning::new(options.redirect_uri.clone()).await?;
    let how = Options {
        sandbox: session.is_sandbox(),
        redirect_uri: Some(returning.redirect_uri().to_owned()),
        client_id: options.client_id.clone(),
        copies: options.copies,
    };
    let issuance = begin(&session, &options.url, how).await?;
    let mut manner = Manner {
        yes: options.yes,
        tx_code: options.tx_code.clone(),
        returning: Some(returning),
        no_wait: options.no_wait,
    };
    let obtained = run(&mut session, issuance, &mut manner).await?;
    tell(&session, &obtained);
    Ok(())
}

/// From a link, or from an address that has the offer, or a page with its link.
async fn begin(session: &Session, text: &str, how: Options) -> Outcome<Issuance> {
    let text = text.trim();
    let is_address = text.starts_with("http://") || text.starts_with("https://");
    if !is_address || text.contains("credential_offer") {
        return Ok(Issuance::begin(text, how)?);
    }
    let url = session.address(text)?;
    let web = Web::to_stranger("the issuer", &url, session.is_sandbox())?;
    let request = web
        .client()
        .get(url)
        .header("accept", "application/json, text/html;q=0.5");
    let answer = web.text(request).await?;
    if let Ok(offer) = CredentialOffer::parse(answer.as_bytes(), how.sandbox) {
        return Ok(Issuance::of_offer(offer, how));
    }
    let link = link_in(&answer).ok_or_else(|| {
        Failure::refused(
            "no_offer",
            "there is neither an offer nor the link of one at this address",
        )
    })?;
    Ok(Issuance::begin(&link, how)?)
}

/// The first offer link of a page, with its character references resolved.
fn link_in(page: &str) -> Option<String> {
    let link = &page[page.find("openid-credential-offer:")?..];
    let end = link.find(['"', '\'', '<', ' ', '\n']).unwrap_or(link.len());
    let link = link[..end]
        .replace("&amp;", "&")
        .replace("&#38;", "&")
        .replace("&#x26;", "&");
    Url::parse(&link).is_ok().then_some(link)
}

/// Tells what came of it.
pub fn tell(session: &Session, obtained: &Obtained) {
    let wallet = session.wallet();
    let held: Vec<_> = obtained
        .stored
        .iter()
        .filter_map(|id| wallet.credential(*id).ok())
        .collect();
    let rows: Vec<_> = held.iter().map(|held| credential::row(held)).collect();
    let languages = language::preferred();
    let mut lines: Vec<String> = held
        .iter()
        .map(|held| {
            let copies = match held.copies.len() {
                1 => "1 copy".to_owned(),
                several => format!("{several} copies"),
            };
            let title = held.labels(&languages).title();
            format!("stored credential {}: {title}, {copies}", held.id)
        })
        .collect();
    lines.extend(
        obtained
            .declined
            .iter()
            .map(|name| format!("{name} was not kept")),
    );
    if let Some(until) = obtained.waiting_until {
        let seconds = until.saturating_sub(crate::now());
        lines.push(format!(
            "the issuer needs time; fetch it in {seconds} s or later: realdid wallet credential refresh"
        ));
    }
    let value = json!({
        "credentials": rows,
        "declined": obtained.declined,
        "waiting_until": obtained.waiting_until,
    });
    session.output.result(lines.join("\n"), &value);
}

#[cfg(test)]
mod tests {
    use super::link_in;

    #[test]
    fn a_page_shows_its_offer() {
        let page = r#"<a href="openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fa&amp;x=1">take it</a>"#;
        let link = "openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fa&x=1";
        assert_eq!(link_in(page).as_deref(), Some(link));
        assert_eq!(link_in(link).as_deref(), Some(link));
        assert_eq!(link_in("<p>nothing here</p>"), None);
    }
}
