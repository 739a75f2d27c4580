//! Founding a network by a ceremony: what its members exchange, what they sign, and the transcript of
//! all of it that anybody can check.
//!
//! 1. Each founder makes its keys on its own machine and gives away a [`PublicFile`].
//! 2. Somebody makes a [`Draft`] of all files: everything of the charter but the network key.
//! 3. Each founder signs the draft, then they make the key together; nobody ever holds it.
//! 4. The key's outcome and the draft give the charter, and each founder signs that.
//!
//! The dealers' logs, which lead to the outcome, are the engine's form; it checks them.

use realdid_checks::passes;
use realdid_crypto::{Domain, Hash, KeyType, PublicKey, SecretKey, Signature, hash_labelled};
use realdid_crypto::{base64url_decode, base64url_encode};
use realdid_did::Network;
use serde::{Deserialize, Serialize};

use crate::charter::{
    CHARTER_FORMAT, Charter, CharterError, Committees, KeyOrigin, Member, Quota, Seat, Validator, is_address,
    is_name,
};
use crate::committee::MIN_COMMITTEE;

/// Format of public files, drafts and transcripts.
pub const FOUNDING_FORMAT: u32 = 1;
/// Longest file of a founding that is read, in bytes.
pub const MAX_FOUNDING_FILE: u64 = 4 << 20;

/// Why something of a founding does not hold.
#[derive(Debug, thiserror::Error)]
pub enum FoundingError {
    /// A file of another format.
    #[error("a file of format {0}, this software reads {FOUNDING_FORMAT}")]
    Format(u32),
    /// Not JSON of the expected shape.
    #[error("not a file of a founding: {0}")]
    Json(#[from] serde_json::Error),
    /// A public file is not signed by both of its keys, or its name or address cannot be used.
    #[error("the public file of `{0}` is not signed by both of its keys, or its name or address is unusable")]
    PublicFile(String),
    /// Two founders have a key in common.
    #[error("`{0}` has a key that another founder has, too")]
    SameKey(String),
    /// Fewer founders than can lose one.
    #[error("{0} founders are too few: at least {MIN_COMMITTEE}, unless it is a sandbox")]
    TooFew(usize),
    /// The draft gives no charter.
    #[error("the draft gives no charter: {0}")]
    Charter(#[from] CharterError),
    /// A founder's signature under the draft is missing or does not hold.
    #[error("the draft is not signed by `{0}`")]
    DraftSignature(String),
    /// A founder's signature under the charter is missing or does not hold.
    #[error("the charter is not signed by `{0}`")]
    CharterSignature(String),
    /// The charter is not what the draft and the outcome give.
    #[error("the charter is not the draft with the ceremony's outcome")]
    OtherCharter,
}

impl FoundingError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Format(_) | Self::Json(_) => "founding_file",
            Self::PublicFile(_) => "founding_public_file",
            Self::SameKey(_) => "founding_same_key",
            Self::TooFew(_) => "founding_too_few",
            Self::Charter(_) => "founding_charter",
            Self::DraftSignature(_) => "founding_draft_unsigned",
            Self::CharterSignature(_) => "founding_charter_unsigned",
            Self::OtherCharter => "founding_other_charter",
        }
    }
}

/// A founder's public keys, and where its validator is reached: signed by both keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicFile {
    /// [`FOUNDING_FORMAT`].
    pub format: u32,
    /// Name of the organisation.
    pub name: String,
    /// Its governance key.
    pub member_key: PublicKey,
    /// Its validator's link key: Ed25519, 32 bytes in hexadecimal.
    pub link_key: Hash,
    /// Where its validator is reached: `host:port`.
    pub address: String,
    /// Signature of the governance key, base64url.
    pub member_signature: String,
    /// Signature of the link key, base64url.
    pub link_signature: String,
}

impl PublicFile {
    /// The public file of these keys.
    #[must_use]
    pub fn new(name: &str, address: &str, member: &SecretKey, link: &SecretKey) -> Self {
        let mut link_key = Hash::ZERO;
        link_key.0.copy_from_slice(link.public_key().as_bytes());
        let mut file = Self {
            format: FOUNDING_FORMAT,
            name: name.to_owned(),
            member_key: member.public_key(),
            link_key,
            address: address.to_owned(),
            member_signature: String::new(),
            link_signature: String::new(),
        };
        let message = file.message();
        file.member_signature = base64url_encode(member.sign(&KEYS, &message).0);
        file.link_signature = base64url_encode(link.sign(&KEYS, &message).0);
        file
    }

    fn message(&self) -> Vec<u8> {
        let said = (&self.name, &self.member_key, &self.link_key, &self.address);
        serde_json::to_vec(&said).unwrap_or_default()
    }

    /// That both keys signed it, and that it can stand in a charter.
    ///
    /// # Errors
    /// [`FoundingError`].
    pub fn check(&self) -> Result<(), FoundingError> {
        if self.format != FOUNDING_FORMAT {
            return Err(FoundingError::Format(self.format));
        }
        let message = self.message();
        let link = PublicKey::from_bytes(KeyType::Ed25519, &self.link_key.0);
        let signed = holds(&self.member_key, &KEYS, &message, &self.member_signature)
            && link.is_ok_and(|link| holds(&link, &KEYS, &message, &self.link_signature));
        let usable = is_name(&self.name) && is_address(&self.address);
        if !passes("FND-01", signed && usable) {
            return Err(FoundingError::PublicFile(self.name.clone()));
        }
        Ok(())
    }
}

/// Everything of a charter but the network key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draft {
    /// [`FOUNDING_FORMAT`].
    pub format: u32,
    /// Name of the network.
    pub network: Network,
    /// Whether it is a sandbox.
    pub sandbox: bool,
    /// When epoch 0 of tokens begins, in Unix seconds.
    pub genesis_time: u64,
    /// How many members must sign a decision.
    pub threshold: u16,
    /// How committees work.
    pub committees: Committees,
    /// The first accredited services.
    pub seats: Vec<Seat>,
    /// Length of an epoch of tokens, in seconds.
    pub epoch_seconds: u64,
    /// Tokens per person.
    pub quota: Quota,
    /// Delay of a recovery, in seconds.
    pub recovery_delay: u64,
    /// Delay of a recovery after a vetoed one, in seconds.
    pub vetoed_recovery_delay: u64,
    /// Wallets warn when fewer persons than this got tokens from the same key.
    pub minimum_anonymity_set: u64,
    /// The founders, in the order of the charter.
    pub founders: Vec<PublicFile>,
}

impl Draft {
    /// What each founder signs, and what the ceremony is bound to.
    #[must_use]
    pub fn hash(&self) -> Hash {
        let json = serde_json::to_vec(self).unwrap_or_default();
        hash_labelled("realdid/founding-draft/v1", &[&json])
    }

    /// That its public files are whole, no key is in two of them, and it gives a charter.
    ///
    /// # Errors
    /// [`FoundingError`].
    pub fn check(&self) -> Result<(), FoundingError> {
        if self.format != FOUNDING_FORMAT {
            return Err(FoundingError::Format(self.format));
        }
        for (index, founder) in self.founders.iter().enumerate() {
            founder.check()?;
            let before = &self.founders[..index];
            let alone = before
                .iter()
                .all(|other| other.member_key != founder.member_key && other.link_key != founder.link_key);
            if !passes("FND-02", alone) {
                return Err(FoundingError::SameKey(founder.name.clone()));
            }
        }
        if !passes("FND-03", self.sandbox || self.founders.len() >= MIN_COMMITTEE) {
            return Err(FoundingError::TooFew(self.founders.len()));
        }
        // A key and an outcome of the right form: those of the ceremony come later.
        Ok(self.charter(&[0; 96], &[0]).to_json().map(drop)?)
    }

    /// The charter that the draft and a ceremony's outcome give.
    #[must_use]
    pub fn charter(&self, network_key: &[u8; 96], outcome: &[u8]) -> Charter {
        let founders = self.founders.iter();
        Charter {
            format: CHARTER_FORMAT,
            network: self.network.clone(),
            sandbox: self.sandbox,
            genesis_time: self.genesis_time,
            network_key: hex::encode(network_key),
            key_origin: KeyOrigin {
                dealt: false,
                outcome: hex::encode(outcome),
            },
            members: founders
                .clone()
                .map(|founder| Member {
                    name: founder.name.clone(),
                    key: founder.member_key,
                })
                .collect(),
            threshold: self.threshold,
            validators: founders
                .map(|founder| Validator {
                    name: founder.name.clone(),
                    link_key: founder.link_key,
                    address: founder.address.clone(),
                })
                .collect(),
            committees: self.committees,
            seats: self.seats.clone(),
            epoch_seconds: self.epoch_seconds,
            quota: self.quota,
            recovery_delay: self.recovery_delay,
            vetoed_recovery_delay: self.vetoed_recovery_delay,
            minimum_anonymity_set: self.minimum_anonymity_set,
        }
    }

    /// A founder's signature under the draft, base64url.
    #[must_use]
    pub fn sign(&self, key: &SecretKey) -> String {
        let hash = self.hash();
        base64url_encode(key.sign(&draft_domain(&hash), hash.as_bytes()).0)
    }

    /// Whether a signature under the draft is of the founder with this number.
    #[must_use]
    pub fn is_signed_by(&self, founder: usize, signature: &str) -> bool {
        let hash = self.hash();
        let founder = self.founders.get(founder);
        founder.is_some_and(|founder| {
            holds(
                &founder.member_key,
                &draft_domain(&hash),
                hash.as_bytes(),
                signature,
            )
        })
    }
}

/// A founder's signature under the charter, base64url.
#[must_use]
pub fn sign_charter(charter: &Charter, key: &SecretKey) -> String {
    let hash = charter.hash();
    base64url_encode(key.sign(&charter_domain(&hash), hash.as_bytes()).0)
}

/// Whether a signature under the charter is of the member with this number.
#[must_use]
pub fn is_charter_signed_by(charter: &Charter, member: usize, signature: &str) -> bool {
    let hash = charter.hash();
    let member = charter.members.get(member);
    member.is_some_and(|member| holds(&member.key, &charter_domain(&hash), hash.as_bytes(), signature))
}

/// All of a founding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    /// [`FOUNDING_FORMAT`].
    pub format: u32,
    /// The draft.
    pub draft: Draft,
    /// The founders' signatures under the draft, in their order, base64url.
    pub draft_signatures: Vec<String>,
    /// The dealers' logs of the ceremony, in the engine's form, hexadecimal.
    pub dealer_logs: Vec<String>,
    /// The charter.
    pub charter: Charter,
    /// The founders' signatures under the charter, in their order, base64url.
    pub charter_signatures: Vec<String>,
}

impl Transcript {
    /// Reads a transcript; nothing is checked but its form.
    ///
    /// # Errors
    /// [`FoundingError::Format`], [`FoundingError::Json`].
    pub fn from_json(json: &[u8]) -> Result<Self, FoundingError> {
        let transcript: Self = serde_json::from_slice(json)?;
        if transcript.format != FOUNDING_FORMAT {
            return Err(FoundingError::Format(transcript.format));
        }
        Ok(transcript)
    }

    /// Checks the draft and the founders' signatures under it. Then the dealers' logs are looked at.
    ///
    /// # Errors
    /// [`FoundingError`]: the first thing that does not hold.
    pub fn check_draft(&self) -> Result<(), FoundingError> {
        self.draft.check()?;
        for (index, founder) in self.draft.founders.iter().enumerate() {
            let signature = self.draft_signatures.get(index);
            let signed = signature.is_some_and(|signature| self.draft.is_signed_by(index, signature));
            if !passes("FND-04", signed) {
                return Err(FoundingError::DraftSignature(founder.name.clone()));
            }
        }
        Ok(())
    }

    /// Checks the charter and the founders' signatures under it, given the outcome to which the dealers'
    /// logs lead and its network key.
    ///
    /// # Errors
    /// [`FoundingError`]: the first thing that does not hold.
    pub fn check_charter(&self, network_key: &[u8; 96], outcome: &[u8]) -> Result<(), FoundingError> {
        if !passes("FND-05", self.charter == self.draft.charter(network_key, outcome)) {
            return Err(FoundingError::OtherCharter);
        }
        for (index, founder) in self.draft.founders.iter().enumerate() {
            let signature = self.charter_signatures.get(index);
            let signed =
                signature.is_some_and(|signature| is_charter_signed_by(&self.charter, index, signature));
            if !passes("FND-06", signed) {
                return Err(FoundingError::CharterSignature(founder.name.clone()));
            }
        }
        Ok(())
    }
}

/// Of public files: there is no charter yet.
const KEYS: Domain<'static> = Domain {
    label: "realdid/founding-keys/v1",
    charter: &Hash::ZERO,
};

const fn draft_domain(hash: &Hash) -> Domain<'_> {
    Domain {
        label: "realdid/founding-draft/v1",
        charter: hash,
    }
}

const fn charter_domain(hash: &Hash) -> Domain<'_> {
    Domain {
        label: "realdid/founding-charter/v1",
        charter: hash,
    }
}

fn holds(key: &PublicKey, domain: &Domain<'_>, message: &[u8], signature: &str) -> bool {
    let bytes = base64url_decode(signature).ok();
    let signature = bytes.and_then(|bytes| bytes.try_into().ok()).map(Signature);
    signature.is_some_and(|signature| key.verify(domain, message, &signature).is_ok())
}
