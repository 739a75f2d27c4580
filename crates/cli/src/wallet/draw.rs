//! Drawing tokens: for new DIDs, and for ones whose token lapses.

use realdid_crypto::{Hash, base64url_decode};
use realdid_did::{Did, Level};
use realdid_token::{EpochKey, MODULUS_LENGTH, Purpose};
use realdid_wallet::operations::Change;
use realdid_wallet::tokens::{CheckedKey, Wanted, anchored_count};
use serde_json::json;

use super::args::Renew;
use super::change;
use super::session::Session;
use crate::failure::{Failure, Outcome};
use crate::now;

/// What the authority says about itself; only its DID's place on the ledger makes it believed.
#[derive(Debug, serde::Deserialize)]
pub struct AuthorityInfo {
    /// Its DID.
    pub did: Did,
    charter_hash: Hash,
    epoch: Option<u64>,
    keys: Vec<OfferedKey>,
}

#[derive(Debug, serde::Deserialize)]
struct OfferedKey {
    purpose: Purpose,
    level: Level,
    epoch: u64,
    modulus: String,
}

/// What the authority gave.
#[derive(Debug, Default)]
pub struct Drawn {
    /// The DIDs that got tokens.
    pub dids: Vec<Did>,
    /// Tokens left in this period.
    pub quota_remaining: Option<u64>,
}

/// Asks the authority about itself.
pub async fn authority_info(session: &Session) -> Outcome<AuthorityInfo> {
    let (url, web) = session.authority()?;
    let info: AuthorityInfo = web.json(web.client().get(format!("{url}/v1/authority"))).await?;
    if info.charter_hash != *session.wallet().charter_hash() {
        return Err(Failure::refused(
            "other_network",
            "the authority works on another network than this wallet",
        ));
    }
    Ok(info)
}

/// Draws tokens. A request that an earlier command could not end is ended first.
pub async fn draw(session: &mut Session, wanted: Wanted) -> Outcome<Drawn> {
    if session.wallet().account().is_none() {
        return Err(Failure::local("not_enrolled", "this wallet is not enrolled"));
    }
    if session.wallet().has_batch() {
        session
            .output
            .progress("ending an earlier request for tokens first");
        match send(session).await {
            Ok(_) => {}
            Err(failure) if failure.code() == "unknown_key" => {
                session
                    .output
                    .warning("its key has expired, so its tokens are lost");
                session.wallet_mut().drop_batch();
            }
            Err(failure) => return Err(failure),
        }
    }
    let key = checked_key(session).await?;
    session
        .wallet_mut()
        .prepare_tokens(&key, &wanted, &mut rand::rng())?;
    // The blindings must outlive a crash: the authority debits quota for each value once.
    session.save()?;
    send(session).await
}

/// The authority's key for the current epoch, once the ledger has confirmed it.
async fn checked_key(session: &Session) -> Outcome<CheckedKey> {
    let info = authority_info(session).await?;
    let level = session
        .wallet()
        .account()
        .map_or(Level::Substantial, |account| account.level);
    let fits = |key: &&OfferedKey| {
        key.purpose == Purpose::RealName && key.level == level && Some(key.epoch) == info.epoch
    };
    let offered = info.keys.iter().find(fits).ok_or_else(|| {
        Failure::unavailable(
            "key_unavailable",
            "the authority has no key for the current epoch yet",
        )
    })?;
    let modulus = base64url_decode(&offered.modulus).ok();
    let modulus: Option<[u8; MODULUS_LENGTH]> = modulus.and_then(|bytes| bytes.try_into().ok());
    let key = modulus.and_then(|modulus| {
        EpochKey::new(
            info.did.hash,
            offered.purpose,
            offered.level,
            offered.epoch,
            modulus,
        )
        .ok()
    });
    let key =
        key.ok_or_else(|| Failure::refused("epoch_key_unusable", "the authority's key cannot be used"))?;
    let charter = session.wallet().charter_hash();
    let state = session.state(&CheckedKey::questions(&key, charter)).await?;
    let key = CheckedKey::check(key, charter, &state)?;
    warn_of_small_crowd(session, &key).await?;
    Ok(key)
}

/// A token hides its holder among all who got one from the same key.
async fn warn_of_small_crowd(session: &Session, key: &CheckedKey) -> Outcome<()> {
    let Some(place) = key.previous_place() else {
        return Ok(());
    };
    let Some(anchor) = key.previous_issuance(&session.state(&[place]).await?)? else {
        return Ok(());
    };
    let minimum = session.wallet().charter().minimum_anonymity_set;
    match anchored_count(&session.state(&[anchor]).await?, &anchor)? {
        Some(count) if count < minimum => session.output.warning(format!(
            "this authority gave only {count} tokens in the last epoch: they hide you among few people"
        )),
        _ => {}
    }
    Ok(())
}

async fn send(session: &mut Session) -> Outcome<Drawn> {
    #[derive(serde::Deserialize)]
    struct Issued {
        signatures: Vec<String>,
        quota_remaining: u64,
    }
    let (url, web) = session.authority()?;
    let request = session.wallet().token_request(&url, now(), &mut rand::rng())?;
    let request = web
        .client()
        .post(format!("{url}/v1/tokens"))
        .header("content-type", "application/jwt")
        .body(request);
    let issued: Issued = web.json(request).await?;
    let decode = |text: &String| {
        base64url_decode(text)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
    };
    let signatures: Option<Vec<[u8; MODULUS_LENGTH]>> = issued.signatures.iter().map(decode).collect();
    let signatures = signatures.ok_or_else(|| {
        Failure::refused(
            "blind_signature_invalid",
            "the authority's signatures are malformed",
        )
    })?;
    let dids = session.wallet_mut().finish_tokens(&signatures, now())?;
    session.save()?;
    Ok(Drawn {
        dids,
        quota_remaining: Some(issued.quota_remaining),
    })
}

/// Prepares more DIDs.
pub async fn create(mut session: Session, count: u32) -> Outcome<()> {
    let drawn = draw(&mut session, Wanted::New(count)).await?;
    let dids: Vec<_> = drawn.dids.iter().map(ToString::to_string).collect();
    session.output.result(
        format!("{}\nready for the next new websites", dids.join("\n")),
        &json!({ "dids": dids, "pooled": session.wallet().pooled(), "quota_remaining": drawn.quota_remaining }),
    );
    Ok(())
}

/// Draws fresh tokens for DIDs the wallet holds.
pub async fn renew(mut session: Session, options: Renew) -> Outcome<()> {
    let wanted = if options.all {
        let epoch = session.epoch().await?;
        let wallet = session.wallet();
        let old = wallet
            .dids()
            .iter()
            .filter(|held| held.token.as_ref().is_none_or(|token| token.epoch < epoch));
        old.map(|held| wallet.did(held)).collect()
    } else {
        options
            .did
            .iter()
            .map(|text| session.parse_did(text))
            .collect::<Outcome<Vec<_>>>()?
    };
    if wanted.is_empty() {
        session
            .output
            .result("every token is of the current epoch", &json!({ "renewed": [] }));
        return Ok(());
    }
    for did in &wanted {
        session.wallet().find(did)?;
    }
    let drawn = draw(&mut session, Wanted::Renewal(wanted)).await?;
    if options.on_ledger {
        for did in &drawn.dids {
            change::perform(&mut session, did, Change::Renew).await?;
        }
    }
    let dids: Vec<_> = drawn.dids.iter().map(ToString::to_string).collect();
    session.output.result(
        format!("renewed for this epoch and the next: {}", dids.join(", ")),
        &json!({ "renewed": dids, "on_ledger": options.on_ledger, "quota_remaining": drawn.quota_remaining }),
    );
    Ok(())
}
