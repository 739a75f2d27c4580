//! Logging in at a website: the same as presenting, with the sign-in page in front.

use realdid_openid::openid4vp_link::Invocation;
use realdid_wallet::history::Event;
use realdid_wallet::presenting::page::link_in;

use super::args::Login;
use super::present::{self, Asked, Refused};
use super::session::Session;
use crate::failure::{Failure, Outcome};
use crate::now;
use crate::web::Web;

/// Logs in.
pub async fn login(mut session: Session, options: Login) -> Outcome<()> {
    let link = link(&session, &options.url).await?;
    let wishes = present::wishes(&options.disclosure, options.did.as_deref(), &session)?;
    let asked = Asked {
        yes: options.disclosure.yes,
        login: true,
    };
    match present::answer(&mut session, &link, wishes, asked).await {
        Ok(()) => Ok(()),
        Err(Refused { by, failure }) => {
            let event = Event::LoginRefused {
                client_id: link.client_id().as_str().to_owned(),
                // What is a verifier elsewhere is a site here.
                by: if by == "verifier" { "site" } else { by }.to_owned(),
                code: failure.code().to_owned(),
            };
            session.wallet_mut().record(now(), event);
            session.save()?;
            Err(failure)
        }
    }
}

/// The link: as given, as a universal link, or from the page that shows it.
pub async fn link(session: &Session, text: &str) -> Outcome<Invocation> {
    let sandbox = session.is_sandbox();
    let text = text.trim();
    let shown = if !(text.starts_with("http://") || text.starts_with("https://")) {
        text.to_owned()
    } else if let Some(query) = universal(text) {
        format!("openid4vp://?{query}")
    } else {
        let page = Web::visit("the sign-in page", session.address(text)?, sandbox).await;
        let page = page.map_err(|failure| match failure.code() {
            "address_not_public" | "redirect_refused" | "answer_too_long" => failure,
            _ if failure.is_unavailable() => failure,
            _ => no_link(),
        })?;
        link_in(&page).ok_or_else(no_link)?
    };
    Invocation::parse(&shown, sandbox).map_err(|error| Failure::usage("link_invalid", error.to_string()))
}

/// The query of a link that a wallet's own web address carries: only the parameters count. A pushed
/// request of OAuth has parameters of the same names, but no web address among them.
fn universal(text: &str) -> Option<&str> {
    let (_, query) = text.split_once('?')?;
    let query = query.split('#').next()?;
    let value = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value)
    };
    let by_reference = value("request_uri").is_some_and(|uri| uri.starts_with("http"));
    let by_value = value("response_type").is_some_and(|kind| kind.contains("vp_token"));
    let asks = by_reference || by_value || value("request").is_some();
    (value("client_id").is_some() && asks).then_some(query)
}

/// A sign-in page shows its link to the browser that began, and perhaps to nobody else.
fn no_link() -> Failure {
    Failure::refused("no_wallet_link", "the page shows this wallet no link")
}

#[cfg(test)]
mod tests {
    use super::universal;

    #[test]
    fn a_wallets_own_address_may_carry_the_link() {
        let link = "https://wallet.example/open?client_id=a&request_uri=https%3A%2F%2Fb%2F#c";
        assert_eq!(
            universal(link),
            Some("client_id=a&request_uri=https%3A%2F%2Fb%2F")
        );
        let pushed = "https://signin.example/authorize?client_id=a&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Ab";
        assert_eq!(universal(pushed), None, "a page of OAuth");
        assert_eq!(universal("https://site.example/login?client_id=a"), None);
        assert_eq!(universal("https://site.example/login"), None);
    }
}
