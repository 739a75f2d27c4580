//! What a light client believes: state proven under a finalized header that is fresh enough.
//!
//! A node's answer is never trusted. [`StateAnswer`] and [`PrefixAnswer`] are what travels;
//! [`ProvenState`] is what is left after certificate, proofs and age have been checked, and only
//! it answers questions.

use std::collections::BTreeMap;

use realdid_checks::passes;
use realdid_crypto::{Hash, base64url_decode};
use realdid_did::{Entry, Level};
use realdid_token::Purpose;

use crate::charter::{Charter, NETWORK_KEY_LENGTH};
use crate::committee::{KnownValidator, Schedule};
use crate::finality::{FinalityError, FinalityProof, FinalizedHeader};
use crate::header::Header;
use crate::record::{
    Accreditation, EpochKeyRecord, Grant, Parameters, Record, Right, StateKey, StateValue, state_key,
};
use crate::state_proof::{PrefixProof, StateProof, StateProofError};

/// Headers this far ahead of the verifier's clock are refused (protocol.md §3), in seconds.
pub const MAX_AHEAD: u64 = 30;

/// Why an answer about the state is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LightError {
    /// Not base64url, or not as many proofs as keys.
    #[error("the answer is malformed")]
    Malformed,
    /// The header is not final on the pinned network.
    #[error("the header is not final on this network: {0}")]
    Finality(#[from] FinalityError),
    /// A proof does not lead to the header's state.
    #[error("the state proof does not hold: {0}")]
    StateProof(#[from] StateProofError),
    /// A proven value is not a record of the expected kind.
    #[error("the proven value is not a record of the expected kind")]
    Record,
    /// The header is older than the verifier accepts.
    #[error("the state is {age} s old, at most {max_age} s are accepted")]
    Stale {
        /// Its age, in seconds.
        age: u64,
        /// The limit, in seconds.
        max_age: u64,
    },
    /// The header's time is more than [`MAX_AHEAD`] seconds ahead of the verifier's clock.
    #[error("the state is {ahead} s ahead of this clock")]
    FromFuture {
        /// How far, in seconds.
        ahead: u64,
    },
    /// A later header has been seen before.
    #[error("the state is of height {height}, height {seen} has been seen before")]
    BelowSeen {
        /// Height of the header.
        height: u64,
        /// The highest height seen.
        seen: u64,
    },
    /// The question is about a key that the answer does not cover.
    #[error("the answer does not cover this key")]
    NotProven,
}

impl LightError {
    /// The stable code, the same in every language and version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed_answer",
            Self::Finality(_) => "invalid_certificate",
            Self::StateProof(_) | Self::Record => "invalid_state_proof",
            Self::Stale { .. } => "stale_state",
            Self::FromFuture { .. } => "state_from_future",
            Self::BelowSeen { .. } => "state_below_seen",
            Self::NotProven => "not_proven",
        }
    }
}

/// What a light client pins: which network it believes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustAnchor {
    /// Hash of the genesis charter.
    pub charter_hash: Hash,
    /// The validators' threshold public key.
    pub network_key: [u8; NETWORK_KEY_LENGTH],
}

impl TrustAnchor {
    /// Of a charter that the client has from a source it trusts.
    #[must_use]
    pub fn of(charter: &Charter) -> Self {
        Self {
            charter_hash: charter.hash(),
            network_key: charter.network_key(),
        }
    }
}

/// How old, or how far ahead, a header may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// The verifier's clock, in Unix seconds.
    pub now: u64,
    /// Oldest accepted header, in seconds before `now`: 60 at high assurance, 300 by default,
    /// 86,400 offline (protocol.md §3).
    pub max_age: u64,
    /// The highest height this verifier has seen.
    pub lowest_height: u64,
}

impl Freshness {
    /// Whether a header's age and height are acceptable.
    ///
    /// # Errors
    /// [`LightError::Stale`], [`LightError::FromFuture`], [`LightError::BelowSeen`].
    pub fn check(&self, header: &Header) -> Result<(), LightError> {
        let time = header.time_ms / 1000;
        let ahead = time.saturating_sub(self.now);
        let age = self.now.saturating_sub(time);
        if !passes("LED-20", ahead <= MAX_AHEAD) {
            return Err(LightError::FromFuture { ahead });
        }
        if !passes("LED-21", age <= self.max_age) {
            return Err(LightError::Stale {
                age,
                max_age: self.max_age,
            });
        }
        if !passes("LED-22", header.height >= self.lowest_height) {
            return Err(LightError::BelowSeen {
                height: header.height,
                seen: self.lowest_height,
            });
        }
        Ok(())
    }
}

/// A node's answer about single keys, one proof per key in the order asked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StateAnswer {
    /// [`FinalityProof`], base64url.
    pub finality: String,
    /// [`StateProof`] for each key, base64url.
    pub proofs: Vec<String>,
}

/// A node's answer about every key with a prefix.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PrefixAnswer {
    /// [`FinalityProof`], base64url.
    pub finality: String,
    /// [`PrefixProof`], base64url.
    pub proof: String,
}

impl StateAnswer {
    /// Checks the answer to a question about `keys`.
    ///
    /// # Errors
    /// [`LightError`].
    pub fn verify(
        &self,
        anchor: &TrustAnchor,
        keys: &[StateKey],
        freshness: &Freshness,
    ) -> Result<ProvenState, LightError> {
        if !passes("LED-23", keys.len() == self.proofs.len()) {
            return Err(LightError::Malformed);
        }
        let header = finalized(&self.finality, anchor, freshness)?;
        let mut values = BTreeMap::new();
        for (key, proof) in keys.iter().zip(&self.proofs) {
            let proof = StateProof::decode(&bytes(proof)?)?;
            values.insert(*key, proof.verify_lookup(key, &header.header().state_root)?);
        }
        Ok(ProvenState {
            header,
            scope: Scope::Keys,
            values,
        })
    }
}

impl PrefixAnswer {
    /// Checks the answer to a question about every key that starts with `bits` bits of `prefix`.
    ///
    /// # Errors
    /// [`LightError`].
    pub fn verify(
        &self,
        anchor: &TrustAnchor,
        prefix: &StateKey,
        bits: u8,
        freshness: &Freshness,
    ) -> Result<ProvenState, LightError> {
        let header = finalized(&self.finality, anchor, freshness)?;
        let proof = PrefixProof::decode(&bytes(&self.proof)?)?;
        let found = proof.verify(prefix, bits, &header.header().state_root)?;
        let values = found.into_iter().map(|(key, value)| (key, Some(value))).collect();
        Ok(ProvenState {
            header,
            scope: Scope::Prefix {
                prefix: *prefix,
                bits,
            },
            values,
        })
    }
}

fn finalized(
    finality: &str,
    anchor: &TrustAnchor,
    freshness: &Freshness,
) -> Result<FinalizedHeader, LightError> {
    let proof = FinalityProof::decode(&bytes(finality)?)?;
    let header = proof.verify(anchor.charter_hash.as_bytes(), &anchor.network_key)?;
    freshness.check(header.header())?;
    Ok(header)
}

fn bytes(text: &str) -> Result<Vec<u8>, LightError> {
    base64url_decode(text).map_err(|_| LightError::Malformed)
}

/// Which keys a [`ProvenState`] can speak about.
#[derive(Debug, Clone, Copy)]
enum Scope {
    /// Those in `values`.
    Keys,
    /// Every key with this prefix; the ones not in `values` are absent.
    Prefix { prefix: StateKey, bits: u8 },
}

/// A part of the state, proven under one fresh, finalized header. Made by verification alone.
#[derive(Debug, Clone)]
pub struct ProvenState {
    header: FinalizedHeader,
    scope: Scope,
    values: BTreeMap<StateKey, Option<StateValue>>,
}

impl ProvenState {
    /// Height of the header.
    #[must_use]
    pub const fn height(&self) -> u64 {
        self.header.header().height
    }

    /// Time of the header, in Unix seconds.
    #[must_use]
    pub const fn time(&self) -> u64 {
        self.header.header().time_ms / 1000
    }

    /// The epoch of real-name tokens.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.header.header().epoch
    }

    /// How many keys are proven present.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.values.values().flatten().count()
    }

    /// A DID's entry as stored; [`Entry::at`] the header's time tells how it stands. `None`: the
    /// DID is proven not to be on the ledger.
    ///
    /// # Errors
    /// [`LightError::NotProven`], [`LightError::Record`].
    pub fn did(&self, did: &Hash) -> Result<Option<Entry>, LightError> {
        match self.record(&state_key::did(did))? {
            None => Ok(None),
            Some(Record::Did(entry)) => Ok(Some(*entry)),
            Some(_) => Err(LightError::Record),
        }
    }

    /// An epoch key.
    ///
    /// # Errors
    /// [`LightError::NotProven`], [`LightError::Record`].
    pub fn epoch_key(&self, id: &Hash) -> Result<Option<EpochKeyRecord>, LightError> {
        match self.record(&state_key::epoch_key(id))? {
            None => Ok(None),
            Some(Record::EpochKey(record)) => Ok(Some(*record)),
            Some(_) => Err(LightError::Record),
        }
    }

    /// The identifier of an authority's one key for a purpose, level and epoch.
    ///
    /// # Errors
    /// [`LightError::NotProven`], [`LightError::Record`].
    pub fn epoch_slot(
        &self,
        authority: &Hash,
        purpose: Purpose,
        level: Level,
        epoch: u64,
    ) -> Result<Option<Hash>, LightError> {
        match self.record(&state_key::epoch_slot(authority, purpose, level, epoch))? {
            None => Ok(None),
            Some(Record::EpochSlot(id)) => Ok(Some(id)),
            Some(_) => Err(LightError::Record),
        }
    }

    /// A DID's accreditation, whether in force, suspended or struck off.
    ///
    /// # Errors
    /// [`LightError::NotProven`], [`LightError::Record`].
    pub fn accreditation(&self, did: &Hash) -> Result<Option<Accreditation>, LightError> {
        match self.record(&state_key::accreditation(did))? {
            None => Ok(None),
            Some(Record::Accreditation(accreditation)) => Ok(Some(accreditation)),
            Some(_) => Err(LightError::Record),
        }
    }

    /// A right that was granted, whether it counts or not.
    ///
    /// # Errors
    /// [`LightError::NotProven`], [`LightError::Record`].
    pub fn grant(&self, right: &Right) -> Result<Option<Grant>, LightError> {
        match self.record(&state_key::grant(right))? {
            None => Ok(None),
            Some(Record::Grant(grant)) => Ok(Some(grant)),
            Some(_) => Err(LightError::Record),
        }
    }

    /// A right that counts: it was granted and not revoked, and the accreditation is in force. The
    /// answer must cover [`state_key::right`].
    ///
    /// # Errors
    /// [`LightError::NotProven`], [`LightError::Record`].
    pub fn right(&self, right: &Right) -> Result<Option<Grant>, LightError> {
        let accredited = self.accreditation(&right.did)?;
        let accredited = accredited.is_some_and(|accreditation| accreditation.in_force());
        let grant = self.grant(right)?;
        Ok(grant.filter(|grant| passes("LED-42", accredited && grant.revoked_at == 0)))
    }

    /// The numbers of the network that change; among them the next governance sequence.
    ///
    /// # Errors
    /// [`LightError::NotProven`], [`LightError::Record`].
    pub fn parameters(&self) -> Result<Parameters, LightError> {
        match self.record(&state_key::parameters())? {
            Some(Record::Parameters(parameters)) => Ok(parameters),
            _ => Err(LightError::Record),
        }
    }

    /// The committees.
    ///
    /// # Errors
    /// [`LightError::NotProven`], [`LightError::Record`].
    pub fn schedule(&self) -> Result<Schedule, LightError> {
        match self.record(&state_key::schedule())? {
            Some(Record::Schedule(schedule)) => Ok(schedule),
            _ => Err(LightError::Record),
        }
    }

    /// A validator, by its link key.
    ///
    /// # Errors
    /// [`LightError::NotProven`], [`LightError::Record`].
    pub fn validator(&self, link_key: &Hash) -> Result<Option<KnownValidator>, LightError> {
        match self.record(&state_key::validator(link_key))? {
            None => Ok(None),
            Some(Record::Validator(validator)) => Ok(Some(*validator)),
            Some(_) => Err(LightError::Record),
        }
    }

    /// Link key of the validator with an index.
    ///
    /// # Errors
    /// [`LightError::NotProven`], [`LightError::Record`].
    pub fn validator_key(&self, index: u16) -> Result<Option<Hash>, LightError> {
        match self.record(&state_key::validator_index(index))? {
            None => Ok(None),
            Some(Record::ValidatorIndex(link_key)) => Ok(Some(link_key)),
            Some(_) => Err(LightError::Record),
        }
    }

    /// The record under a key of the state, whatever its kind.
    ///
    /// # Errors
    /// [`LightError::NotProven`], [`LightError::Record`].
    pub fn record(&self, key: &StateKey) -> Result<Option<Record>, LightError> {
        let value = match (self.values.get(key), self.scope) {
            (Some(value), _) => *value,
            (None, Scope::Prefix { prefix, bits }) if starts_with(key, &prefix, bits) => None,
            (None, _) if passes("LED-24", false) => None,
            (None, _) => return Err(LightError::NotProven),
        };
        value
            .map(|value| Record::decode(&value).map_err(|_| LightError::Record))
            .transpose()
    }
}

fn starts_with(key: &StateKey, prefix: &StateKey, bits: u8) -> bool {
    let (whole, rest) = (usize::from(bits / 8), bits % 8);
    let mask = !(0xff_u8.checked_shr(u32::from(rest)).unwrap_or(0));
    key[..whole] == prefix[..whole] && (rest == 0 || (key[whole] ^ prefix[whole]) & mask == 0)
}
