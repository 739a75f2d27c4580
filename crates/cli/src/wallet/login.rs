//! Logging in at a website: who asks, may it know, and the answer.

use realdid_crypto::base64url_encode;
use realdid_openid::openid4vp_link::{RequestMethod, WalletLink};
use realdid_wallet::consent::{Answer, Consent};
use realdid_wallet::history::Event;
use realdid_wallet::login::{FetchedRequest, LoginContext, LoginRequest};
use serde_json::json;
use url::Url;

use super::args::Login;
use super::session::Session;
use crate::failure::{Failure, Outcome};
use crate::now;
use crate::output::agrees;
use crate::web::Web;

/// Logs in.
pub async fn login(mut session: Session, options: Login) -> Outcome<()> {
    let link = link(&session, &options.url).await?;
    match attempt(&mut session, &link, &options).await {
        Ok(()) => Ok(()),
        Err((by, failure)) => {
            let client_id = link.client_id.as_str().to_owned();
            let event = Event::LoginRefused {
                client_id,
                by: by.to_owned(),
                code: failure.code().to_owned(),
            };
            session.wallet_mut().record(now(), event);
            session.save()?;
            Err(failure)
        }
    }
}

/// A failure and who refused: `wallet`, `holder` or `site`.
type Refused = (&'static str, Failure);

async fn attempt(session: &mut Session, link: &WalletLink, options: &Login) -> Result<(), Refused> {
    let wallet = |failure| ("wallet", failure);
    let login = judged_request(session, link).await.map_err(wallet)?;
    let named = options
        .did
        .as_deref()
        .map(|text| session.parse_did(text))
        .transpose()
        .map_err(wallet)?;
    let consent = session
        .wallet()
        .consent(&login, named.as_ref())
        .map_err(|error| wallet(error.into()))?;
    show(session, &consent);
    if !(options.yes || agrees("Agree?")) {
        let failure = Failure::refused("consent_refused", "you did not agree, so nothing was sent");
        return Err(("holder", failure));
    }
    let answer = session
        .wallet_mut()
        .answer(&login, &consent, now())
        .map_err(|error| wallet(error.into()))?;
    // Pinned before it is sent: a crash must not give this DID to another site.
    session.save().map_err(wallet)?;
    let return_to = post(&answer).await.map_err(|failure| ("site", failure))?;
    let return_to = return_to
        .map(|address| checked_return(&login, &address))
        .transpose()
        .map_err(wallet)?;
    session.wallet_mut().logged_in(&login, &consent, now());
    session.save().map_err(wallet)?;
    tell(session, &consent, return_to.as_ref());
    Ok(())
}

/// The link: as given, or from the page that shows it.
async fn link(session: &Session, text: &str) -> Outcome<WalletLink> {
    let sandbox = session.wallet().charter().sandbox;
    let shown = if text.starts_with("http://") || text.starts_with("https://") {
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
    } else {
        text.to_owned()
    };
    WalletLink::parse(&shown, sandbox).map_err(|error| Failure::usage("link_invalid", error.to_string()))
}

/// A sign-in page shows its link to the browser that began, and perhaps to nobody else.
fn no_link() -> Failure {
    Failure::refused("no_wallet_link", "the page shows this wallet no link")
}

/// The first wallet link of a page, with its character references resolved.
fn link_in(page: &str) -> Option<String> {
    let link = &page[page.find("openid4vp:")?..];
    let end = link.find(['"', '\'', '<', ' ', '\n'])?;
    Some(
        link[..end]
            .replace("&amp;", "&")
            .replace("&#38;", "&")
            .replace("&#x26;", "&"),
    )
}

async fn judged_request(session: &mut Session, link: &WalletLink) -> Outcome<LoginRequest> {
    let web = Web::new("the sign-in server", &link.request_uri)?;
    let wallet_nonce = base64url_encode(rand::random::<[u8; 16]>());
    let (request, wallet_nonce) = match link.method {
        RequestMethod::Get => (web.client().get(link.request_uri.clone()), None),
        RequestMethod::Post => {
            let form = [("wallet_nonce", &wallet_nonce)];
            (
                web.client().post(link.request_uri.clone()).form(&form),
                Some(wallet_nonce.as_str()),
            )
        }
    };
    let object = web.text(request).await?;
    let fetched = FetchedRequest::parse(&object, link, &session.wallet().charter().network)?;
    let state = session.state(&fetched.questions()).await?;
    let [site, sponsor] = fetched.documents(&state, now())?;
    let documents = [
        session.node().document(&site).await?,
        session.node().document(&sponsor).await?,
    ];
    let context = LoginContext {
        link,
        wallet_nonce,
        charter: session.wallet().charter_hash(),
        sandbox: session.wallet().charter().sandbox,
        now: now(),
    };
    Ok(fetched.verify(&state, &documents, &context)?)
}

fn show(session: &Session, consent: &Consent) {
    let known = if consent.known_to_site {
        "as it knows you already"
    } else {
        "new, made for this site alone"
    };
    session.output.progress(format!(
        "who asks    {} ({})\n            on the word of {}\nwhy         {}\nit gets     {}\nknown as    {}\n            {known}",
        consent.site,
        consent.site_origins.join(", "),
        consent.sponsor,
        consent.purpose,
        consent.gives,
        consent.did,
    ));
    for warning in &consent.warnings {
        // Scripts find them in the result.
        session.output.progress(format!("warning: {}", warning.text()));
    }
}

async fn post(answer: &Answer) -> Outcome<Option<Url>> {
    #[derive(serde::Deserialize)]
    struct Reply {
        redirect_uri: Option<String>,
    }
    let web = Web::new("the site", &answer.response_uri)?;
    let mut form = vec![("vp_token", answer.vp_token.as_str())];
    form.extend(answer.state.as_deref().map(|state| ("state", state)));
    let reply: Reply = web
        .json(web.client().post(answer.response_uri.clone()).form(&form))
        .await?;
    let parse = |text: String| {
        Url::parse(&text)
            .map_err(|_| Failure::refused("answer_malformed", "the site's redirect_uri is not an address"))
    };
    reply.redirect_uri.map(parse).transpose()
}

fn checked_return(login: &LoginRequest, address: &Url) -> Outcome<Url> {
    if login.may_return_to(address) {
        return Ok(address.clone());
    }
    let what = format!(
        "the site would send the browser to {}",
        address.origin().ascii_serialization()
    );
    Err(Failure::refused("return_elsewhere", what))
}

fn tell(session: &Session, consent: &Consent, return_to: Option<&Url>) {
    let next = match return_to {
        Some(address) => format!("go on in the browser: {address}"),
        None => "go on in the browser that showed the link".to_owned(),
    };
    session.output.result(
        format!("logged in at {}\n{next}", consent.site),
        &json!({
            "redirect_uri": return_to.map(Url::as_str),
            "site": consent.site,
            "site_did": consent.site_did,
            "sponsor": consent.sponsor,
            "did": consent.did,
            "new": !consent.known_to_site,
            "warnings": consent.warnings,
        }),
    );
}

#[cfg(test)]
mod tests {
    use super::link_in;

    #[test]
    fn a_page_shows_its_link() {
        let page = r#"<p><a id="wallet-link" href="openid4vp://?client_id=a&amp;request_uri=b">log in</a>"#;
        assert_eq!(
            link_in(page).as_deref(),
            Some("openid4vp://?client_id=a&request_uri=b")
        );
        assert_eq!(link_in("<p>nothing here</p>"), None);
    }
}
