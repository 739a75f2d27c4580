//! Drawing real-name tokens for DIDs the authority does not see.
//!
//! 1. [`CheckedKey::check`] asks the *ledger*, under proof, whether the authority's key is the one
//!    everybody gets. Only a checked key can blind.
//! 2. [`Wallet::prepare_tokens`] makes complete inceptions and blinds their hashes. The blindings are
//!    stored before anything is sent: after a crash the same values are sent again, and cost no more.
//! 3. [`Wallet::finish_tokens`] unblinds, verifies, and puts the new DIDs into the pool.

use std::collections::BTreeSet;

use rand_core::CryptoRng;
use realdid_checks::passes;
use realdid_crypto::{DecodeError, Hash, Reader, Writer, base64url_decode, base64url_encode};
use realdid_did::Did;
use realdid_ledger::{LightError, ProvenState, Record, Role, StateKey, state_key};
use realdid_openid::jws;
use realdid_token::{Blinding, BlindingError, EpochKey, MODULUS_LENGTH, Purpose, Token, blind};

use crate::enrol::{EnrolError, REQUEST_LIFETIME, unique};
use crate::history::Event;
use crate::root::{Index, SecretBytes};
use crate::state::{Assignment, HeldDid, HeldToken, Wallet};

/// JWS type of a request for tokens.
pub const TOKENS_TYPE: &str = "realdid-tokens+jwt";
/// How many DIDs a wallet draws at once unless told otherwise.
pub const DEFAULT_POOL: u32 = 16;
/// Most DIDs drawn at once: the authority's limit for a request.
pub const MAX_BATCH: u32 = 128;

/// Why the wallet does not blind for a key: it might be a key made to recognise this holder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyCheckError {
    /// The proof does not cover what is needed.
    #[error(transparent)]
    Light(#[from] LightError),
    /// The authority is not accredited, or no longer.
    #[error("the authority is not accredited on the ledger")]
    NotAccredited,
    /// The ledger has no key in this place, or another one.
    #[error("the authority offers another key than the one on the ledger")]
    OtherKey,
    /// The key is revoked.
    #[error("the authority's key is revoked")]
    Revoked,
    /// The key is not of the current epoch.
    #[error("the key is of epoch {found}, the current one is {current}")]
    Epoch {
        /// The key's epoch.
        found: u64,
        /// The ledger's epoch.
        current: u64,
    },
}

impl KeyCheckError {
    /// The stable code, the same in every language and version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Light(error) => error.code(),
            Self::NotAccredited => "authority_not_accredited",
            Self::OtherKey => "epoch_key_not_on_ledger",
            Self::Revoked => "epoch_key_revoked",
            Self::Epoch { .. } => "epoch_key_not_current",
        }
    }
}

/// An epoch key that the ledger shows to everybody: the only kind that is ever blinded for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedKey(EpochKey);

impl CheckedKey {
    /// What must be proven before a key can be checked: its place, itself, the accreditation.
    #[must_use]
    pub fn questions(offered: &EpochKey, charter: &Hash) -> [StateKey; 3] {
        [
            state_key::epoch_slot(&offered.authority, offered.purpose, offered.level, offered.epoch),
            state_key::epoch_key(&offered.id(charter)),
            state_key::accreditation(&offered.authority),
        ]
    }

    /// Checks a key that the authority offers against the ledger (protocol.md §2, "against tagging").
    ///
    /// # Errors
    /// [`KeyCheckError`].
    pub fn check(offered: EpochKey, charter: &Hash, state: &ProvenState) -> Result<Self, KeyCheckError> {
        let place = state.epoch_slot(&offered.authority, offered.purpose, offered.level, offered.epoch)?;
        let record = state.epoch_key(&offered.id(charter))?;
        let accredited = state.accreditation(&offered.authority)?;
        let facts = KeyFacts {
            place,
            published: record.map(|record| (record.key, record.revoked_at)),
            accredited: accredited.is_some_and(|found| found.in_force_as(Role::Authority)),
            epoch: state.epoch(),
        };
        facts.judge(offered, charter)
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &EpochKey {
        &self.0
    }

    /// Where the key of the epoch before stands, whose issuance shows how large the crowd is.
    #[must_use]
    pub fn previous_place(&self) -> Option<StateKey> {
        let epoch = self.0.epoch.checked_sub(1)?;
        Some(state_key::epoch_slot(
            &self.0.authority,
            self.0.purpose,
            self.0.level,
            epoch,
        ))
    }

    /// How many tokens were given under the key of the epoch before, given a proof of
    /// [`Self::previous_place`]: where that number is anchored. `None` if there was no key.
    ///
    /// # Errors
    /// [`LightError`].
    pub fn previous_issuance(&self, state: &ProvenState) -> Result<Option<StateKey>, LightError> {
        let Some(place) = self.previous_place() else {
            return Ok(None);
        };
        match state.record(&place)? {
            Some(Record::EpochSlot(id)) => Ok(Some(state_key::anchor(&self.0.authority, &id))),
            _ => Ok(None),
        }
    }
}

/// What the authority anchored about an ended epoch, under proof; `None` if it has not yet.
///
/// # Errors
/// [`LightError`].
pub fn anchored_count(state: &ProvenState, place: &StateKey) -> Result<Option<u64>, LightError> {
    Ok(match state.record(place)? {
        Some(Record::Anchor(anchor)) => Some(anchor.count),
        _ => None,
    })
}

/// What the ledger says about an offered key.
pub(crate) struct KeyFacts {
    pub(crate) place: Option<Hash>,
    pub(crate) published: Option<(EpochKey, u64)>,
    pub(crate) accredited: bool,
    pub(crate) epoch: u64,
}

impl KeyFacts {
    pub(crate) fn judge(self, offered: EpochKey, charter: &Hash) -> Result<CheckedKey, KeyCheckError> {
        if !passes("WAL-06", self.accredited) {
            return Err(KeyCheckError::NotAccredited);
        }
        let published = self.published.as_ref();
        let same = published.is_some_and(|(key, _)| *key == offered);
        let in_place = self.place == Some(offered.id(charter)) && offered.purpose == Purpose::RealName;
        if !passes("WAL-07", same && in_place) {
            return Err(KeyCheckError::OtherKey);
        }
        if !passes("WAL-08", published.is_none_or(|(_, revoked_at)| *revoked_at == 0)) {
            return Err(KeyCheckError::Revoked);
        }
        if !passes("WAL-09", offered.epoch == self.epoch) {
            return Err(KeyCheckError::Epoch {
                found: offered.epoch,
                current: self.epoch,
            });
        }
        Ok(CheckedKey(offered))
    }
}

/// Blinded DIDs on their way to the authority and back.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The epoch key, in its canonical encoding, base64url.
    key: String,
    items: Vec<BatchItem>,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchItem {
    index: Index,
    did: Hash,
    /// The blinding: as secret as a key.
    blinding: SecretBytes,
}

impl Batch {
    fn epoch_key(&self) -> Result<EpochKey, EnrolError> {
        let bytes = base64url_decode(&self.key).map_err(|_| EnrolError::Damaged)?;
        EpochKey::read(&mut Reader::new(&bytes)).map_err(|_: DecodeError| EnrolError::Damaged)
    }

    fn blindings(&self) -> Result<Vec<Blinding>, EnrolError> {
        let decode =
            |item: &BatchItem| Blinding::from_bytes(item.blinding.expose()).ok_or(EnrolError::Damaged);
        self.items.iter().map(decode).collect()
    }
}

/// What tokens are wanted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This many new DIDs.
    New(u32),
    /// DIDs that the wallet holds: fresh tokens for the current epoch.
    Renewal(Vec<Did>),
}

impl Wanted {
    fn count(&self) -> usize {
        match self {
            Self::New(count) => *count as usize,
            Self::Renewal(dids) => dids.len(),
        }
    }
}

#[derive(serde::Serialize)]
struct TokenClaims<'a> {
    aud: &'a str,
    iat: u64,
    exp: u64,
    jti: String,
    charter: String,
    account_id: &'a str,
    key_id: Hash,
    blinded: Vec<String>,
}

impl Wallet {
    /// Whether a request for tokens was built and not finished.
    #[must_use]
    pub const fn has_batch(&self) -> bool {
        self.batch.is_some()
    }

    /// The key of the request for tokens that is under way: its identifier and epoch.
    #[must_use]
    pub fn batch_key(&self) -> Option<(Hash, u64)> {
        let key = self.batch.as_ref()?.epoch_key().ok()?;
        Some((key.id(self.charter_hash()), key.epoch))
    }

    /// Forgets a request whose key has expired: the authority can no longer sign its values.
    pub fn drop_batch(&mut self) {
        self.batch = None;
    }

    /// Makes inceptions, or takes DIDs that are held, and blinds their hashes for a checked key. To be
    /// stored before anything is sent.
    ///
    /// # Errors
    /// [`EnrolError::BatchPending`], [`EnrolError::BatchSize`], [`EnrolError::Blinding`],
    /// [`EnrolError::Wallet`] for a DID that is not held.
    pub fn prepare_tokens(
        &mut self,
        key: &CheckedKey,
        wanted: &Wanted,
        rng: &mut impl CryptoRng,
    ) -> Result<(), EnrolError> {
        if !passes("WAL-10", self.batch.is_none()) {
            return Err(EnrolError::BatchPending);
        }
        if !(1..=MAX_BATCH as usize).contains(&wanted.count()) {
            return Err(EnrolError::BatchSize);
        }
        let indexes = match wanted {
            Wanted::New(count) => (0..*count).map(|_| self.next_index()).collect(),
            Wanted::Renewal(dids) => {
                let unique: BTreeSet<_> = dids.iter().collect();
                let indexes = unique
                    .into_iter()
                    .map(|did| self.find(did).map(|held| held.index));
                indexes.collect::<Result<Vec<_>, _>>()?
            }
        };
        let mut items = Vec::with_capacity(indexes.len());
        for index in indexes {
            let did = self.keychain(index).inception().hash();
            let blinding = blind(key.key(), self.charter_hash(), &did, rng)?;
            items.push(BatchItem {
                index,
                did,
                blinding: SecretBytes::new(blinding.to_bytes()),
            });
        }
        let mut writer = Writer::new();
        key.key().write(&mut writer);
        self.batch = Some(Batch {
            key: base64url_encode(writer.finish()),
            items,
        });
        Ok(())
    }

    /// The signed request for the batch under way. Each call signs anew over the same blinded values.
    ///
    /// # Errors
    /// [`EnrolError::NotEnrolled`], [`EnrolError::NoBatch`], [`EnrolError::Damaged`],
    /// [`EnrolError::Jws`].
    pub fn token_request(
        &self,
        audience: &str,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<String, EnrolError> {
        let account = self.account.as_ref().ok_or(EnrolError::NotEnrolled)?;
        let batch = self.batch.as_ref().ok_or(EnrolError::NoBatch)?;
        let blindings = batch.blindings()?;
        let claims = TokenClaims {
            aud: audience,
            iat: now,
            exp: now + REQUEST_LIFETIME,
            jti: unique(rng),
            charter: self.charter_claim(),
            account_id: &account.id,
            key_id: batch.epoch_key()?.id(self.charter_hash()),
            blinded: blindings
                .iter()
                .map(|blinding| base64url_encode(blinding.blinded()))
                .collect(),
        };
        Ok(jws::sign(&account.key.signing_key(), TOKENS_TYPE, None, &claims)?)
    }

    /// Unblinds and verifies all tokens of the batch, then keeps them: new DIDs go into the pool,
    /// renewed ones get their token. All or nothing. Gives the DIDs.
    ///
    /// # Errors
    /// [`EnrolError::NoBatch`], [`EnrolError::Count`], [`EnrolError::Blinding`] if a signature is not
    /// valid; the batch then stays.
    pub fn finish_tokens(
        &mut self,
        signatures: &[[u8; MODULUS_LENGTH]],
        now: u64,
    ) -> Result<Vec<Did>, EnrolError> {
        let batch = self.batch.as_ref().ok_or(EnrolError::NoBatch)?;
        let (key, blindings) = (batch.epoch_key()?, batch.blindings()?);
        if !passes("WAL-11", signatures.len() == blindings.len()) {
            return Err(EnrolError::Count {
                expected: blindings.len(),
                found: signatures.len(),
            });
        }
        let charter = *self.charter_hash();
        let finish = |((item, blinding), signature): ((&BatchItem, &Blinding), &[u8; MODULUS_LENGTH])| {
            let token = blinding.finalize(&key, &charter, &item.did, signature)?;
            Ok::<_, BlindingError>((item.index, item.did, token))
        };
        let finished = batch.items.iter().zip(&blindings).zip(signatures).map(finish);
        let finished = finished.collect::<Result<Vec<_>, _>>()?;
        self.batch = None;
        let mut drawn = 0;
        let mut dids = Vec::with_capacity(finished.len());
        for (index, hash, token) in finished {
            let did = self.charter().did(hash);
            drawn += usize::from(self.keep_token(index, hash, &token, &key, now));
            dids.push(did);
        }
        if drawn > 0 {
            self.record(
                now,
                Event::TokensDrawn {
                    count: drawn,
                    epoch: key.epoch,
                },
            );
        }
        Ok(dids)
    }

    /// Gives whether the DID is new.
    fn keep_token(&mut self, index: Index, hash: Hash, token: &Token, key: &EpochKey, now: u64) -> bool {
        let token = HeldToken::new(token, key.authority, key.level, key.epoch);
        let did = self.charter().did(hash);
        if let Ok(held) = self.find_mut(&did) {
            held.token = Some(token);
            self.record(
                now,
                Event::Renewed {
                    did,
                    epoch: key.epoch,
                },
            );
            return false;
        }
        let mut held = HeldDid::new(index, hash, Assignment::Pooled);
        held.token = Some(token);
        self.dids.push(held);
        true
    }
}
