//! Running an issuance: fetches, asks and stores what the wallet's machine says; offers, refreshes and
//! enrolment share it.

use std::time::Duration;

use realdid_client::outside::Outside;
use realdid_wallet::credentials::Standing;
use realdid_wallet::history::Event;
use realdid_wallet::issuance::issuer::{LedgerSearch, Search};
use realdid_wallet::issuance::{
    Authorization, Body, Fetch, Fetched, Issuance, IssuanceError, IssuerKey, IssuerReference, Kept, Preview,
    Received, Step, TypeDocument,
};
use tokio::time::sleep;

use super::browser::Returning;
use super::session::Session;
use crate::failure::{Failure, Outcome};
use crate::now;
use crate::output::{agrees, ask, is_interactive};
use crate::web::Web;

/// How long an issuer that needs time is waited for, in all, in seconds.
const PATIENCE: u64 = 60;

/// How an issuance is to be run.
#[derive(Debug, Default)]
pub struct Manner {
    /// Agree without asking.
    pub yes: bool,
    /// The transaction code, if it is known.
    pub tx_code: Option<String>,
    /// How the browser comes back, if it may be needed.
    pub returning: Option<Returning>,
    /// Do not wait for an issuer that needs time.
    pub no_wait: bool,
}

/// What an issuance came to.
#[derive(Debug, Default)]
pub struct Obtained {
    /// Numbers of the credentials that were stored.
    pub stored: Vec<u32>,
    /// Names of credentials that the holder did not want.
    pub declined: Vec<String>,
    /// Until when, in Unix seconds, the issuer wants time; it has to be asked again then.
    pub waiting_until: Option<u64>,
}

/// Runs an issuance to its end, or to where it has to be left to another day.
pub async fn run(session: &mut Session, mut issuance: Issuance, manner: &mut Manner) -> Outcome<Obtained> {
    let done = drive(session, &mut issuance, manner).await;
    if let Err(failure) = &done {
        // A token for an issuer that cannot be reached now is worth keeping; one it refused is not.
        if let Some(id) = issuance.pending_id().filter(|_| !failure.is_unavailable()) {
            session.wallet_mut().end_issuance(id);
        }
        let (issuer, by) = (issuance.issuer().to_owned(), refuser(failure));
        if !issuer.is_empty() && !failure.is_unavailable() {
            let code = failure.code().to_owned();
            let by = by.to_owned();
            session
                .wallet_mut()
                .record(now(), Event::OfferRefused { issuer, by, code });
        }
        session.save()?;
    }
    done
}

fn refuser(failure: &Failure) -> &'static str {
    match failure.code() {
        "consent_refused" => "holder",
        "offer_code_refused" | "credential_denied" | "issuer_refused" | "authorization_denied" => "issuer",
        _ => "wallet",
    }
}

async fn drive(session: &mut Session, issuance: &mut Issuance, manner: &mut Manner) -> Outcome<Obtained> {
    let mut obtained = Obtained::default();
    let patient_until = now() + PATIENCE;
    loop {
        let step = issuance.step(now(), &mut rand::rng())?;
        match step {
            Step::Fetch(request) => exchange(session, issuance, &request).await?,
            Step::Agree(preview) => {
                let tx_code = agree(session, &preview, manner)?;
                issuance.agreed(tx_code.as_deref(), &mut rand::rng())?;
            }
            Step::Browse(url) => {
                let returning = manner.returning.take();
                let returning = returning.ok_or_else(|| Failure::from(IssuanceError::Grant))?;
                issuance.returned(&returning.visit(session.output, &url).await?)?;
            }
            Step::Wait(until) if manner.no_wait || until > patient_until => {
                obtained.waiting_until = Some(until);
                return Ok(obtained);
            }
            Step::Wait(until) => {
                let seconds = until.saturating_sub(now());
                session
                    .output
                    .progress(format!("the issuer needs time; asking again in {seconds} s"));
                sleep(Duration::from_secs(seconds)).await;
                issuance.waited();
            }
            Step::Resolve(reference) => resolve(session, issuance, &reference).await?,
            Step::Describe(wanted) => describe(session, issuance, &wanted).await?,
            Step::Store(received) => store(session, issuance, *received, manner, &mut obtained)?,
            Step::Done => {
                if let Some(id) = issuance.pending_id() {
                    session.wallet_mut().end_issuance(id);
                }
                session.save()?;
                return Ok(obtained);
            }
        }
        if let Some(pending) = issuance.unsaved() {
            session.wallet_mut().keep_issuance(pending);
            session.save()?;
        }
    }
}

async fn exchange(session: &Session, issuance: &mut Issuance, request: &Fetch) -> Outcome<()> {
    match fetch(session, request).await {
        Ok(answer) => Ok(issuance.received(&answer, now(), &mut rand::rng())?),
        Err(_) if request.endpoint.is_optional() => {
            issuance.skip_notification();
            Ok(())
        }
        Err(failure) => Err(failure),
    }
}

/// Makes a request to an address that the issuer, or whoever made the offer, has set.
async fn fetch(session: &Session, request: &Fetch) -> Outcome<Fetched> {
    let web = Web::to_stranger("the issuer", &request.url, session.is_sandbox())?;
    let client = web.client();
    let url = request.url.clone();
    let mut builder = match &request.body {
        Body::Get => client.get(url),
        Body::Empty => client.post(url).header("content-length", "0"),
        Body::Form(form) => client.post(url).form(form),
        Body::Json(text) => client
            .post(url)
            .header("content-type", "application/json")
            .body(text.clone()),
        Body::Jwt(text) => client
            .post(url)
            .header("content-type", "application/jwt")
            .body(text.clone()),
    };
    for (name, value) in &request.headers {
        builder = builder.header(*name, value);
    }
    let answer = web.answer(builder).await?;
    Ok(Fetched {
        status: answer.status.as_u16(),
        content_type: answer.header("content-type"),
        dpop_nonce: answer.header("dpop-nonce"),
        challenge: answer.header("www-authenticate"),
        body: answer.body,
    })
}

/// Shows the offer and asks; gives the transaction code, if one is needed.
fn agree(session: &Session, preview: &Preview, manner: &Manner) -> Outcome<Option<String>> {
    let output = session.output;
    output.progress(format!(
        "offered by  {} ({})",
        preview.issuer_name,
        bare(&preview.issuer)
    ));
    for offered in &preview.credentials {
        let claims = if offered.claims.is_empty() {
            String::new()
        } else {
            format!("\n            with {}", offered.claims.join(", "))
        };
        output.progress(format!("credential  {} ({}){claims}", offered.name, offered.vct));
    }
    for (name, format) in &preview.skipped {
        output.warning(format!(
            "`{name}` is of the format `{format}`, which this wallet cannot hold"
        ));
    }
    if !manner.yes && !agrees("Take it?") {
        return Err(Failure::refused("consent_refused", "you did not agree"));
    }
    match &preview.authorization {
        Authorization::PreAuthorized {
            tx_code: Some(prompt),
        } => match &manner.tx_code {
            Some(code) => Ok(Some(code.trim().to_owned())),
            None if is_interactive() => {
                let hint = prompt
                    .description
                    .as_deref()
                    .unwrap_or("the issuer sent it to you");
                ask(&format!("Transaction code ({hint}): ")).map(Some)
            }
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// An address as people read it. A script that looks for the address to open finds that one alone.
fn bare(address: &str) -> &str {
    address.split_once("://").map_or(address, |(_, rest)| rest)
}

async fn resolve(session: &Session, issuance: &mut Issuance, reference: &IssuerReference) -> Outcome<()> {
    let vct = issuance.expected_type().unwrap_or_default().to_owned();
    match find_issuer(session, reference, &vct).await {
        Ok(key) => {
            if let Err(error) = issuance.resolved(&key, now()) {
                tell_failure(session, issuance).await;
                return Err(error.into());
            }
            Ok(())
        }
        Err(failure) if failure.is_unavailable() => Err(failure),
        Err(failure) => {
            if issuance.unresolved().is_ok() {
                tell_failure(session, issuance).await;
            }
            Err(failure)
        }
    }
}

/// Looks for what the credential's type says of itself. Nobody learns who asks, and nothing depends on
/// whether it is found.
async fn describe(session: &Session, issuance: &mut Issuance, wanted: &TypeDocument) -> Outcome<()> {
    let found = match Outside::new(session.is_sandbox()) {
        Ok(outside) => {
            let address = wanted.url.as_str();
            outside.get(address, wanted.media_type, wanted.limit).await
        }
        Err(error) => Err(error),
    };
    if let (Err(error), true) = (&found, wanted.signed) {
        let what = format!("the description of the credential's type is not to be had: {error}");
        session.output.progress(what);
    }
    if let Err(error) = issuance.described(found.ok().as_deref()) {
        tell_failure(session, issuance).await;
        return Err(error.into());
    }
    Ok(())
}

/// Lets the issuer know that its credential was not taken, if it wants to know.
async fn tell_failure(session: &Session, issuance: &mut Issuance) {
    if let Ok(Step::Fetch(request)) = issuance.step(now(), &mut rand::rng())
        && request.endpoint.is_optional()
    {
        let _ = exchange(session, issuance, &request).await;
    }
}

/// The key that signed, and how its owner stands on the ledger.
pub async fn find_issuer(session: &Session, reference: &IssuerReference, vct: &str) -> Outcome<IssuerKey> {
    let network = &session.wallet().charter().network;
    let mut search = Search::begin(reference, vct, network, session.is_sandbox(), now())?;
    // The metadata, the keys it points at: two documents and no more.
    for _ in 0..3 {
        search = match search {
            Search::Known(key) => return Ok(key),
            Search::Ledger(question) => return ask_ledger(session, &question).await,
            Search::Fetch(question) => {
                let web = Web::to_stranger("the issuer", &question.url, session.is_sandbox())?;
                let answer = web.text(web.client().get(question.url.clone())).await?;
                question.found(answer.as_bytes())?
            }
        };
    }
    Err(Failure::refused(
        "issuer_key_not_published",
        "the issuer's keys are nowhere to be found",
    ))
}

/// How the issuer stands on the ledger, with its key.
pub async fn ask_ledger(session: &Session, question: &LedgerSearch) -> Outcome<IssuerKey> {
    let state = session.state(&question.questions()).await?;
    let document = session
        .node()
        .document(&question.document(&state, now())?)
        .await?;
    Ok(question.judge(&state, &document, now())?)
}

fn store(
    session: &mut Session,
    issuance: &mut Issuance,
    received: Received,
    manner: &Manner,
    obtained: &mut Obtained,
) -> Outcome<()> {
    let (name, issuer) = (
        received.credential.name.clone(),
        received.credential.issuer.clone(),
    );
    if issuer.standing != Standing::Accredited {
        session.output.warning(format!(
            "the issuer {}. Its signature is good, but nobody here answers for what it says; websites of \
             this network will not take `{name}`",
            issuer.standing.text(),
        ));
        let who = issuer.did.as_deref().unwrap_or(&issuer.identifier);
        if !manner.yes && !agrees(&format!("Keep the credential of {who} all the same?")) {
            obtained.declined.push(name);
            return Ok(issuance.stored(Kept::Declined)?);
        }
    }
    let wallet = session.wallet_mut();
    let kept = match received.replaces {
        Some(id) => wallet
            .refresh_credential(id, received.credential, now())
            .map(|()| id),
        None => wallet.keep_credential(received.credential, now()),
    };
    match kept {
        Ok(id) => {
            session.save()?;
            obtained.stored.push(id);
            Ok(issuance.stored(Kept::Stored)?)
        }
        Err(error) => {
            issuance.stored(Kept::Failed)?;
            Err(error.into())
        }
    }
}
