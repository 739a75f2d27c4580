//! Making a wallet, and being proofed.

use std::process::Command as Process;

use realdid_did::{Did, Level};
use realdid_ledger::Charter;
use realdid_openid::vci::{CredentialOffer, OfferError};
use realdid_wallet::issuance::{DEFAULT_COPIES, Issuance, Options};
use realdid_wallet::root::Secret;
use realdid_wallet::{NewWallet, Wallet};
use serde_json::json;

use super::Place;
use super::args::{Enrol, Init};
use super::draw::{self, Drawn};
use super::issuing::{self, Manner};
use super::session::Session;
use crate::failure::{Failure, Outcome};
use crate::now;
use crate::output::{Output, ask};
use crate::vault::{self, Vault};
use crate::web;

/// Reads a charter file.
pub fn read_charter(path: &std::path::Path) -> Outcome<Charter> {
    let json = std::fs::read(path).map_err(|error| Failure::file(path, &error))?;
    Charter::from_json(&json)
        .map_err(|error| Failure::local("charter_invalid", format!("{}: {error}", path.display())))
}

/// Makes a wallet for a network.
pub fn init(place: &Place, options: &Init, output: Output) -> Outcome<()> {
    vault::refuse_existing(&place.directory)?;
    let charter = read_charter(&options.charter)?;
    let node_url = web::addresses(&options.node, charter.sandbox)?;
    let authority_url = web::address(&options.authority, charter.sandbox)?.to_string();
    let (network, hash) = (charter.network.as_str().to_owned(), charter.hash());
    let root = Secret::generate(&mut rand::rng());
    let wallet = Wallet::new(
        NewWallet {
            charter,
            node_url,
            authority_url,
        },
        root,
        now(),
    );
    Vault::create(&place.directory, &place.passphrase, wallet)?;
    let directory = place.directory.display().to_string();
    output.result(
        format!("made a wallet in {directory} for the network `{network}`\nnext: realdid wallet enrol --name … --number …"),
        &json!({ "wallet": directory, "network": network, "charter": hash }),
    );
    Ok(())
}

#[derive(serde::Deserialize)]
struct Begun {
    enrolment_id: String,
    expires_in: u64,
}

#[derive(serde::Deserialize)]
struct Confirmed {
    account_id: String,
    assurance_level: Level,
}

/// Has a code sent, confirms it, and draws the first tokens.
pub async fn enrol(mut session: Session, options: Enrol) -> Outcome<()> {
    let output = session.output;
    match &options.enrolment {
        None => {
            let begun = begin(&mut session, &options).await?;
            output.progress(format!(
                "if the register knows you, a code is on its way to the contact it has; it works for {} s",
                begun.expires_in
            ));
            if options.start {
                let id = &begun.enrolment_id;
                output.result(
                    format!("go on with: realdid wallet enrol --enrolment {id} --code …"),
                    &json!({ "enrolment_id": id, "expires_in": begun.expires_in }),
                );
                return Ok(());
            }
        }
        Some(id) if session.wallet().enrolment() == Some(id.as_str()) => {}
        Some(_) => {
            let what = "this wallet has not begun that enrolment, or has ended it";
            return Err(Failure::local("enrolment_not_begun", what));
        }
    }
    let code = code(&options)?;
    let authority = confirm(&mut session, &code).await?;
    output.progress(format!("proofed by {authority}"));
    let drawn = if options.pool == 0 {
        Drawn::default()
    } else {
        output.progress(format!(
            "drawing {} tokens for DIDs the authority does not see",
            options.pool
        ));
        draw::draw(&mut session, realdid_wallet::tokens::Wanted::New(options.pool)).await?
    };
    let credentials = if options.no_credential {
        Vec::new()
    } else {
        real_name_credential(&mut session).await
    };
    let pooled = session.wallet().pooled();
    let held = if credentials.is_empty() {
        ""
    } else {
        "; your real-name credential is stored"
    };
    output.result(
        format!("enrolled; {pooled} DIDs are ready, each for one website{held}"),
        &json!({
            "authority": authority,
            "pooled": pooled,
            "quota_remaining": drawn.quota_remaining,
            "credentials": credentials,
        }),
    );
    Ok(())
}

/// Fetches the real-name credential. The enrolment stands without it, so a failure is only told.
async fn real_name_credential(session: &mut Session) -> Vec<u32> {
    session.output.progress("fetching your real-name credential");
    let how = Options {
        sandbox: session.is_sandbox(),
        redirect_uri: None,
        client_id: None,
        copies: DEFAULT_COPIES,
    };
    // The authority is the one that this wallet was proofed by: nothing to be asked again.
    let mut manner = Manner {
        yes: true,
        ..Manner::default()
    };
    let fetched = match credential_offer(session, None).await {
        Ok(offer) => issuing::run(session, Issuance::of_offer(offer, how), &mut manner).await,
        Err(failure) => Err(failure),
    };
    match fetched {
        Ok(obtained) => obtained.stored,
        Err(failure) => {
            session.output.warning(format!(
                "the real-name credential was not fetched ({}): {}",
                failure.code(),
                failure.what()
            ));
            Vec::new()
        }
    }
}

/// An offer of the authority to the holder of the account: of this configuration, or of all.
pub async fn credential_offer(session: &Session, configuration: Option<&str>) -> Outcome<CredentialOffer> {
    #[derive(serde::Deserialize)]
    struct Made {
        credential_offer: serde_json::Value,
    }
    let (url, web) = session.authority()?;
    let request = session.wallet().offer_request(&url, now(), &mut rand::rng())?;
    let request = web
        .client()
        .post(format!("{url}/v1/credential-offers"))
        .header("content-type", "application/jwt")
        .body(request);
    let made: Made = web.json(request).await?;
    let invalid = |error: OfferError| Failure::refused("offer_invalid", error.to_string());
    let json = made.credential_offer.to_string();
    let mut offer = CredentialOffer::parse(json.as_bytes(), session.is_sandbox()).map_err(invalid)?;
    if let Some(wanted) = configuration {
        offer.credential_configuration_ids = vec![wanted.to_owned()];
    }
    Ok(offer)
}

async fn begin(session: &mut Session, options: &Enrol) -> Outcome<Begun> {
    let key = session.wallet_mut().begin_enrolment(&mut rand::rng());
    // The key must outlive a crash: the authority may already know it.
    session.save()?;
    let (url, web) = session.authority()?;
    let body = json!({
        "name": options.name.as_deref().unwrap_or_default(),
        "number": options.number.as_deref().unwrap_or_default(),
        "account_key": key,
    });
    let begun: Begun = web
        .json(web.client().post(format!("{url}/v1/enrolments")).json(&body))
        .await?;
    session
        .wallet_mut()
        .enrolment_started(begun.enrolment_id.clone())?;
    session.save()?;
    Ok(begun)
}

fn code(options: &Enrol) -> Outcome<String> {
    match (&options.code, &options.code_from) {
        (Some(code), _) => Ok(code.trim().to_owned()),
        (None, Some(command)) => {
            let printed = Process::new("sh").args(["-c", command]).output();
            let printed =
                printed.map_err(|error| Failure::local("code_command", format!("`{command}`: {error}")))?;
            if !printed.status.success() {
                return Err(Failure::local(
                    "code_command",
                    format!("`{command}` failed: {}", printed.status),
                ));
            }
            Ok(String::from_utf8_lossy(&printed.stdout).trim().to_owned())
        }
        (None, None) => ask("The code that was sent to you: "),
    }
}

/// Gives the authority's DID.
async fn confirm(session: &mut Session, code: &str) -> Outcome<Did> {
    let (url, web) = session.authority()?;
    let info = draw::authority_info(session).await?;
    let id = session.wallet().enrolment().unwrap_or_default().to_owned();
    let proof = session.wallet().confirmation(&url, now(), &mut rand::rng())?;
    let body = json!({ "code": code, "proof": proof });
    let request = web
        .client()
        .post(format!("{url}/v1/enrolments/{id}/confirm"))
        .json(&body);
    let confirmed: Confirmed = web.json(request).await?;
    let did = info.did;
    session.wallet_mut().enrolled(
        confirmed.account_id,
        confirmed.assurance_level,
        did.clone(),
        now(),
    )?;
    session.save()?;
    Ok(did)
}

/// Shows what is left of the quota.
pub async fn quota(session: Session) -> Outcome<()> {
    #[derive(serde::Deserialize)]
    struct Standing {
        tokens: u64,
        remaining: u64,
        resets_at: u64,
    }
    let (url, web) = session.authority()?;
    let request = session.wallet().account_request(&url, now(), &mut rand::rng())?;
    let request = web.client().get(format!("{url}/v1/account")).bearer_auth(request);
    let standing: Standing = web.json(request).await?;
    let Standing {
        tokens,
        remaining,
        resets_at,
    } = standing;
    session.output.result(
        format!(
            "{remaining} of {tokens} tokens are left; more in {} s",
            resets_at.saturating_sub(now())
        ),
        &json!({ "tokens": tokens, "remaining": remaining, "resets_at": resets_at }),
    );
    Ok(())
}
