//! Logging in at a website: the same as presenting, with the sign-in page in front.

use realdid_openid::openid4vp_link::{SCHEMES, WalletLink};
use realdid_wallet::history::Event;

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
                client_id: link.client_id.as_str().to_owned(),
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
pub async fn link(session: &Session, text: &str) -> Outcome<WalletLink> {
    let sandbox = session.is_sandbox();
    let text = text.trim();
    let shown = if !(text.starts_with("http://") || text.starts_with("https://")) {
        text.to_owned()
    } else if let Some(query) = universal(text) {
        format!("openid4vp://?{query}")
    } else {
        let url = session.address(text)?;
        let web = Web::browsing("the sign-in page", &url)?;
        let page = web.text(web.client().get(url)).await;
        let page = page.map_err(|failure| {
            if failure.is_unavailable() {
                failure
            } else {
                no_link()
            }
        })?;
        link_in(&page).ok_or_else(no_link)?
    };
    WalletLink::parse(&shown, sandbox).map_err(|error| Failure::usage("link_invalid", error.to_string()))
}

/// The query of a link that a wallet's own web address carries: only the parameters count.
fn universal(text: &str) -> Option<&str> {
    let (_, query) = text.split_once('?')?;
    let names = |name: &str| {
        query
            .split(['&', '#'])
            .any(|part| part.split('=').next() == Some(name))
    };
    (names("client_id") && names("request_uri")).then_some(query)
}

/// A sign-in page shows its link to the browser that began, and perhaps to nobody else.
fn no_link() -> Failure {
    Failure::refused("no_wallet_link", "the page shows this wallet no link")
}

/// The first wallet link of a page, with its character references resolved.
fn link_in(page: &str) -> Option<String> {
    let starts = SCHEMES
        .iter()
        .filter_map(|scheme| page.find(&format!("{scheme}:")));
    let link = &page[starts.min()?..];
    let end = link.find(['"', '\'', '<', ' ', '\n'])?;
    Some(
        link[..end]
            .replace("&amp;", "&")
            .replace("&#38;", "&")
            .replace("&#x26;", "&"),
    )
}

#[cfg(test)]
mod tests {
    use super::{link_in, universal};

    #[test]
    fn a_page_shows_its_link() {
        let page = r#"<p><a id="wallet-link" href="openid4vp://?client_id=a&amp;request_uri=b">log in</a>"#;
        assert_eq!(
            link_in(page).as_deref(),
            Some("openid4vp://?client_id=a&request_uri=b")
        );
        assert_eq!(link_in("<p>nothing here</p>"), None);
    }

    #[test]
    fn a_wallets_own_address_may_carry_the_link() {
        let link = "https://wallet.example/open?client_id=a&request_uri=b";
        assert_eq!(universal(link), Some("client_id=a&request_uri=b"));
        assert_eq!(universal("https://site.example/login?client_id=a"), None);
        assert_eq!(universal("https://site.example/login"), None);
    }
}
