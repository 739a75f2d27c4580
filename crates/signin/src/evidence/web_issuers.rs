//! Keys of https issuers that a website trusts by itself (`/.well-known/jwt-vc-issuer`), kept.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use realdid_client::outside::Outside;
use realdid_credential::issuer_metadata::{IssuerKeys, IssuerMetadata, KeySet, MAX_DOCUMENT, well_known_url};
use realdid_crypto::PublicKey;

/// How long keys are kept, in seconds.
const KEPT: u64 = 3600;
/// How long a failure is kept, in seconds.
const PAUSE: u64 = 30;

/// Keys, and until when they are kept.
type Entry = (Option<KeySet>, u64);

/// The keys by issuer. Only registered ones are asked for, so their number is bounded.
pub(crate) struct WebIssuers {
    outside: Outside,
    sandbox: bool,
    kept: Mutex<HashMap<String, Entry>>,
}

impl WebIssuers {
    pub(super) fn new(outside: Outside, sandbox: bool) -> Self {
        Self {
            outside,
            sandbox,
            kept: Mutex::default(),
        }
    }

    /// An issuer's key of that name.
    pub(super) async fn key(
        &self,
        issuer: &str,
        kid: Option<&str>,
        algorithm: &str,
        now: u64,
    ) -> Option<PublicKey> {
        let kept = self.lock().get(issuer).filter(|(_, until)| now < *until).cloned();
        let keys = match kept {
            Some((keys, _)) => keys,
            None => self.ask(issuer, now).await,
        };
        keys?.select(kid, algorithm).ok()
    }

    async fn ask(&self, issuer: &str, now: u64) -> Option<KeySet> {
        let keys = self.fetch(issuer).await;
        let until = now + if keys.is_some() { KEPT } else { PAUSE };
        self.lock().insert(issuer.to_owned(), (keys.clone(), until));
        keys
    }

    async fn fetch(&self, issuer: &str) -> Option<KeySet> {
        let url = well_known_url(issuer, self.sandbox).ok()?;
        let document = self
            .outside
            .get(&url, "application/json", MAX_DOCUMENT)
            .await
            .ok()?;
        let metadata = IssuerMetadata::parse(&document, issuer).ok()?;
        match metadata.keys() {
            IssuerKeys::Here(keys) => Some(keys.clone()),
            IssuerKeys::At(address) => {
                let set = self
                    .outside
                    .get(address, "application/json", MAX_DOCUMENT)
                    .await
                    .ok()?;
                KeySet::parse(&set).ok()
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Entry>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
