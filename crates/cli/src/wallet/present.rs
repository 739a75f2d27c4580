//! Answering a verifier: who asks, what it would learn, may it, and the answer.

use realdid_crypto::base64url_encode;
use realdid_openid::authorization_request::MEDIA_TYPE;
use realdid_openid::openid4vp_link::{Invocation, RequestMethod, WalletLink};
use realdid_wallet::consent::{Consent, Wishes};
use realdid_wallet::history::Event;
use realdid_wallet::presenting::{
    Answer, AnswerError, FetchedRequest, PresentationContext, PresentationRequest, wallet_metadata,
};
use url::Url;

use super::args::{Disclosure, Present};
use super::consent_text;
use super::login::link;
use super::session::Session;
use crate::failure::{Failure, Outcome};
use crate::now;
use crate::output::agrees;
use crate::web::Web;

/// How the holder is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Not at all: everything is agreed to.
    pub yes: bool,
    /// For a login, and nothing without one.
    pub login: bool,
}

/// A failure and who refused: `wallet`, `holder` or `verifier`.
#[derive(Debug)]
pub struct Refused {
    /// Who.
    pub by: &'static str,
    /// Why.
    pub failure: Failure,
}

fn wallet(failure: impl Into<Failure>) -> Refused {
    Refused {
        by: "wallet",
        failure: failure.into(),
    }
}

/// Shows credentials.
pub async fn present(mut session: Session, options: Present) -> Outcome<()> {
    let link = link(&session, &options.url).await?;
    let wishes = wishes(&options.disclosure, options.did.as_deref(), &session)?;
    let asked = Asked {
        yes: options.disclosure.yes,
        login: false,
    };
    match answer(&mut session, &link, wishes, asked).await {
        Ok(()) => Ok(()),
        Err(Refused { by, failure }) => {
            let event = Event::PresentationRefused {
                client_id: link.client_id().as_str().to_owned(),
                by: by.to_owned(),
                code: failure.code().to_owned(),
            };
            session.wallet_mut().record(now(), event);
            session.save()?;
            Err(failure)
        }
    }
}

/// What the holder wishes, from the command line.
pub fn wishes(disclosure: &Disclosure, did: Option<&str>, session: &Session) -> Outcome<Wishes> {
    Ok(Wishes {
        without: disclosure.without.clone(),
        credentials: disclosure.credential.clone(),
        did: did.map(|text| session.parse_did(text)).transpose()?,
        only_required: disclosure.only_required,
        despite_over_asking: disclosure.despite_over_asking,
        despite_no_proof: disclosure.despite_no_proof,
    })
}

/// From the link to the end.
pub async fn answer(
    session: &mut Session,
    link: &Invocation,
    wishes: Wishes,
    asked: Asked,
) -> Result<(), Refused> {
    let request = judged_request(session, link).await.map_err(wallet)?;
    if asked.login && request.request().login().is_none() {
        return Err(wallet(AnswerError::NoLogin));
    }
    let consent = match agreed(session, &request, wishes, asked) {
        Ok(consent) => consent,
        Err(NotAgreed::ByHolder) => {
            if request.asker().proved {
                tell_refusal(session, &request.refusal("access_denied")).await;
            }
            let failure = Failure::refused("consent_refused", "you did not agree, so nothing was shown");
            return Err(Refused {
                by: "holder",
                failure,
            });
        }
        Err(NotAgreed::ByWallet(error)) => {
            tell_why(session, &request, &error, asked).await;
            return Err(wallet(error));
        }
    };
    let answer = session
        .wallet_mut()
        .answer(&request, &consent, now(), &mut rand::rng())
        .map_err(wallet)?;
    // Stored before it is sent: a crash must show neither DID nor copy to another.
    session.save().map_err(wallet)?;
    let sandbox = session.is_sandbox();
    let return_to = post(&answer, sandbox).await.map_err(not_taken)?;
    session.wallet_mut().answered(&request, &consent, now());
    session.save().map_err(wallet)?;
    let return_to = match return_to.map(|address| checked_return(&request, &address, sandbox)) {
        None => None,
        Some(Ok(address)) => Some(address),
        // Somebody may be stealing the login.
        Some(Err(failure)) if consent.login.is_some() => return Err(wallet(failure)),
        Some(Err(failure)) => {
            session.output.warning(failure.what());
            None
        }
    };
    consent_text::tell(
        session.output,
        &consent,
        session.wallet(),
        return_to.as_ref(),
        asked.login,
    );
    Ok(())
}

/// OAuth's codes mean something else where the authority uses them.
fn not_taken(failure: Failure) -> Refused {
    let failure = match failure.code() {
        "invalid_request" | "invalid_client" | "access_denied" | "server_error" => {
            failure.fix("tell who asks what it said, and ask for a fresh link")
        }
        _ => failure,
    };
    Refused {
        by: "verifier",
        failure,
    }
}

/// A wallet that has nothing to show tells so only if its holder wants that: else anybody could find
/// out what is in it by asking. What it cannot do at all, it tells.
async fn tell_why(session: &Session, request: &PresentationRequest, error: &AnswerError, asked: Asked) {
    let mistaken = matches!(
        error,
        AnswerError::DoesNotFit(_) | AnswerError::NotAsked(_) | AnswerError::Credential(_)
    );
    if asked.login || mistaken || !request.asker().proved {
        return;
    }
    let plain = matches!(
        error,
        AnswerError::Transaction(_) | AnswerError::OverAsking { .. } | AnswerError::FormatUnknown
    );
    if plain || asked.yes || agrees("Tell who asks that it gets no answer?") {
        tell_refusal(session, &request.refusal(error.response_code())).await;
    }
}

enum NotAgreed {
    ByHolder,
    ByWallet(AnswerError),
}

/// What the holder agrees to, having seen it.
fn agreed(
    session: &Session,
    request: &PresentationRequest,
    mut wishes: Wishes,
    asked: Asked,
) -> Result<Consent, NotAgreed> {
    let ask = |wishes: &Wishes| {
        let consent = session.wallet().consent(request, wishes, now());
        consent.map_err(NotAgreed::ByWallet)
    };
    let mut consent = ask(&wishes)?;
    session
        .output
        .progress(consent_text::text(&consent, session.wallet()));
    for warning in &consent.warnings {
        // Scripts find them in the result.
        session.output.progress(format!("warning: {}", warning.text()));
    }
    if asked.yes {
        return Ok(consent);
    }
    let optional: Vec<_> = consent
        .credentials
        .iter()
        .filter(|shown| shown.optional)
        .map(|shown| (shown.name.clone(), shown.query.clone()))
        .collect();
    for (name, query) in optional {
        if !agrees(&format!("Show {name}, too, which could be left out?")) {
            wishes.without.push(query);
            consent = ask(&wishes)?;
        }
    }
    if agrees("Agree?") {
        Ok(consent)
    } else {
        Err(NotAgreed::ByHolder)
    }
}

async fn judged_request(session: &mut Session, invocation: &Invocation) -> Outcome<PresentationRequest> {
    let sandbox = session.is_sandbox();
    let wallet_nonce = base64url_encode(rand::random::<[u8; 16]>());
    let (link, (object, wallet_nonce)) = match invocation {
        Invocation::Reference(link) => (link, fetch(link, &wallet_nonce, sandbox).await?),
        Invocation::Signed(link, object) => (link, (object.clone(), None)),
        Invocation::Unsigned(request) => return Ok(PresentationRequest::unsigned(request, sandbox, now())?),
    };
    let fetched = FetchedRequest::parse(&object, link, &session.wallet().charter().network)?;
    let questions = fetched.questions();
    let (mut state, mut documents) = (None, Vec::new());
    if !questions.is_empty() {
        let proven = session.state(&questions).await?;
        for hash in fetched.documents(&proven, now())? {
            documents.push(session.node().document(&hash).await?);
        }
        state = Some(proven);
    }
    let charter = *session.wallet().charter_hash();
    let context = PresentationContext {
        link,
        wallet_nonce,
        charter: &charter,
        sandbox,
        now: now(),
    };
    match fetched.verify(state.as_ref(), &documents, &context) {
        Ok(request) => Ok(request),
        Err(error) => {
            if let Some(refusal) = fetched.refusal(&error, &context) {
                tell_refusal(session, &refusal).await;
            }
            Err(error.into())
        }
    }
}

/// The request object, and the nonce that was sent, if one was.
async fn fetch<'n>(link: &WalletLink, nonce: &'n str, sandbox: bool) -> Outcome<(String, Option<&'n str>)> {
    let web = Web::to_stranger("who asks", &link.request_uri, sandbox)?;
    let address = link.request_uri.clone();
    let (request, sent) = match link.method {
        RequestMethod::Get => (web.client().get(address), None),
        RequestMethod::Post => {
            let metadata = wallet_metadata().to_string();
            let form = [("wallet_nonce", nonce), ("wallet_metadata", metadata.as_str())];
            (web.client().post(address).form(&form), Some(nonce))
        }
    };
    Ok((web.text(request.header("accept", MEDIA_TYPE)).await?, sent))
}

/// Posts the answer; gives where the browser is to go, as it is told.
async fn post(answer: &Answer, sandbox: bool) -> Outcome<Option<String>> {
    #[derive(Default, serde::Deserialize)]
    struct Reply {
        redirect_uri: Option<String>,
    }
    let web = Web::to_stranger("who asks", &answer.response_uri, sandbox)?;
    let text = web
        .text(web.client().post(answer.response_uri.clone()).form(&answer.form))
        .await?;
    // It was taken: whatever else it says changes nothing about that.
    let reply: Reply = serde_json::from_str(&text).unwrap_or_default();
    Ok(reply.redirect_uri)
}

/// Tells a verifier that nothing comes. Whether it listens changes nothing.
async fn tell_refusal(session: &Session, refusal: &Answer) {
    if let Err(failure) = post(refusal, session.is_sandbox()).await {
        let what = format!("who asks was not told that nothing comes: {}", failure.code());
        session.output.progress(what);
    }
}

fn checked_return(request: &PresentationRequest, address: &str, sandbox: bool) -> Outcome<Url> {
    let address = Url::parse(address).ok();
    if let Some(address) = address.as_ref().filter(|url| request.may_return_to(url, sandbox)) {
        return Ok(address.clone());
    }
    let origin = address.map(|url| url.origin().ascii_serialization());
    let to = origin.unwrap_or_else(|| "what is no address".to_owned());
    let what = format!("the verifier would send the browser to {to}, which is not opened");
    Err(Failure::refused("return_elsewhere", what))
}
