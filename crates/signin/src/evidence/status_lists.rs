//! Status lists as they are kept: by address and issuer, renewed in the background.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use realdid_client::outside::Outside;
use realdid_credential::status::token::{MAX_TOKEN, MEDIA_TYPE, PublishedList, StatusListToken};
use realdid_crypto::PublicKey;
use realdid_jose::x5c::{Chain, Roots};

/// Most lists that are kept; the one not used for the longest goes first. A list has 2 MiB at most.
const MOST: usize = 64;
/// Lists that no credential has referred to for so long are not renewed any more, in seconds.
const UNUSED: u64 = 86_400;
/// After a failure a list is not asked for again for so long, in seconds.
const PAUSE: u64 = 30;

type Name = (String, String);

/// Who may sign an issuer's lists.
#[derive(Clone, Default)]
pub(super) struct Signers {
    /// The issuer's keys.
    pub(super) keys: Vec<PublicKey>,
    /// For an issuer with certificates: the roots it is trusted by, and who certifies it. A key that
    /// the same authority certifies may sign its lists (HAIP: it comes in `x5c`).
    pub(super) certified: Option<(Roots, Vec<String>)>,
}

struct Kept {
    list: Option<Arc<PublishedList>>,
    signers: Signers,
    /// When to ask again, in Unix seconds.
    refresh_at: u64,
    used_at: u64,
}

/// The lists.
pub(crate) struct StatusLists {
    outside: Outside,
    kept: Mutex<HashMap<Name, Kept>>,
}

impl StatusLists {
    pub(super) fn new(outside: Outside) -> Self {
        Self {
            outside,
            kept: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The list of an issuer at an address, if one is at hand that may be relied upon.
    pub(super) fn kept(&self, uri: &str, issuer: &str, now: u64) -> Option<Arc<PublishedList>> {
        let mut kept = self.lock();
        let found = kept.get_mut(&(uri.to_owned(), issuer.to_owned()))?;
        found.used_at = now;
        found.list.clone().filter(|list| !list.is_expired(now))
    }

    /// Fetches a list that is not at hand, or has expired before it was renewed, unless that failed a
    /// moment ago.
    pub(super) async fn fetch(&self, uri: &str, issuer: &str, signers: &Signers, now: u64) {
        let name = (uri.to_owned(), issuer.to_owned());
        {
            let mut kept = self.lock();
            if kept.get(&name).is_some_and(|kept| match &kept.list {
                Some(list) => !list.is_expired(now),
                None => now < kept.refresh_at,
            }) {
                return;
            }
            if kept.len() >= MOST && !kept.contains_key(&name) {
                let oldest = kept
                    .iter()
                    .min_by_key(|(_, kept)| kept.used_at)
                    .map(|(name, _)| name.clone());
                oldest.map(|oldest| kept.remove(&oldest));
            }
            // Others who need it meanwhile are told that it is not to be had.
            let waiting = Kept {
                list: None,
                signers: signers.clone(),
                refresh_at: now + PAUSE,
                used_at: now,
            };
            kept.insert(name.clone(), waiting);
        }
        self.renew(&name, now).await;
    }

    /// Renews the lists that are due.
    pub(crate) async fn renew_due(&self, now: u64) {
        let due: Vec<Name> = {
            let mut kept = self.lock();
            kept.retain(|_, kept| now < kept.used_at + UNUSED);
            let due = kept.iter().filter(|(_, kept)| kept.refresh_at <= now);
            due.map(|(name, _)| name.clone()).collect()
        };
        for name in due {
            self.renew(&name, now).await;
        }
    }

    async fn renew(&self, name: &Name, now: u64) {
        let Some(signers) = self.lock().get(name).map(|kept| kept.signers.clone()) else {
            return;
        };
        let fetched = self.outside.get(&name.0, MEDIA_TYPE, MAX_TOKEN).await;
        let read = fetched
            .map_err(|error| error.code())
            .and_then(|bytes| read(&bytes, &signers, &name.0, now).ok_or("status_list_invalid"));
        let mut kept = self.lock();
        let Some(kept) = kept.get_mut(name) else { return };
        match read {
            Ok(list) => {
                kept.refresh_at = list.refresh_at(now);
                kept.list = Some(Arc::new(list));
            }
            Err(code) => {
                // The old one serves for as long as the verifier accepts its age.
                kept.refresh_at = now + PAUSE;
                tracing::warn!(code, "a status list cannot be renewed");
            }
        }
    }
}

/// The list, if one of the issuer's keys signed it.
fn read(bytes: &[u8], signers: &Signers, uri: &str, now: u64) -> Option<PublishedList> {
    let token = StatusListToken::parse(std::str::from_utf8(bytes).ok()?).ok()?;
    let certified = signers.certified.as_ref().and_then(|(roots, authorities)| {
        let chain = Chain::parse(token.header().get("x5c")?).ok()?;
        let same = chain.authority_keys().iter().any(|key| authorities.contains(key));
        let leaf = chain.verify(roots, now).ok().filter(|_| same)?;
        leaf.key().ok().copied()
    });
    let mut keys = signers.keys.iter().chain(&certified);
    keys.find_map(|key| token.verify(key, uri, now).ok())
}
