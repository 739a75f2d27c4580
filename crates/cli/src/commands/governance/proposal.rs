//! A decision on its way from member to member: a file that holds the message they sign, what it
//! means in words and names that only their hashes are in the message of, and the signatures.

use std::path::Path;

use realdid_crypto::{SecretKey, Signature, base64url_decode, base64url_encode};
use realdid_ledger::{Charter, GovernanceAction, GovernanceOperation, RightKind, Role, type_id};
use realdid_openid::registration::MayAsk;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, Outcome};
use crate::vault::write_private;

/// Format of a proposal's file.
const FORMAT: u32 = 1;
/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 256 << 10;

/// The file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    network: String,
    charter_hash: String,
    decision: String,
    sequence: u64,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    may_ask: Option<MayAsk>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vct: Option<String>,
    signatures: Vec<FileSignature>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSignature {
    member: u8,
    name: String,
    signature: String,
}

/// What a decision's hashes stand for.
#[derive(Debug, Clone, Default)]
pub struct Meant {
    /// The type of credential.
    pub vct: Option<String>,
    /// What may be asked for of it, if that is limited.
    pub may_ask: Option<MayAsk>,
}

/// A decision and who signed it so far.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The decision.
    pub operation: GovernanceOperation,
    /// What its hashes stand for.
    pub meant: Meant,
    /// Signatures, each checked, in the order of the members.
    signatures: Vec<(u8, Signature)>,
}

impl Proposal {
    /// One that nobody signed.
    pub const fn new(operation: GovernanceOperation, meant: Meant) -> Self {
        Self {
            operation,
            meant,
            signatures: Vec::new(),
        }
    }

    /// Signs with a member's key; returns the member's name.
    pub fn sign<'c>(&mut self, charter: &'c Charter, key: &SecretKey) -> Outcome<&'c str> {
        let public = key.public_key();
        let position = charter.members.iter().position(|member| member.key == public);
        let member =
            position.and_then(|index| Some((u8::try_from(index).ok()?, charter.members.get(index)?)));
        let Some((index, member)) = member else {
            return Err(Failure::refused(
                "member_unknown",
                "the key is of no member in the charter",
            ));
        };
        let signature = self.operation.sign_alone(&charter.hash(), key);
        self.signatures.retain(|(other, _)| *other != index);
        self.signatures.push((index, signature));
        self.signatures.sort_unstable_by_key(|(index, _)| *index);
        Ok(&member.name)
    }

    /// Names of the members that signed.
    pub fn signers<'c>(&self, charter: &'c Charter) -> Vec<&'c str> {
        let member = |(index, _): &(u8, Signature)| charter.members.get(usize::from(*index));
        self.signatures
            .iter()
            .filter_map(member)
            .map(|member| member.name.as_str())
            .collect()
    }

    /// The operation's bytes, if enough members signed.
    pub fn complete(&self, charter: &Charter) -> Outcome<Vec<u8>> {
        let (have, need) = (self.signatures.len(), usize::from(charter.threshold));
        if have < need {
            let what = format!("{have} of {need} members signed");
            return Err(Failure::refused("threshold_not_met", what).fix(
                "give more --member-key files, or keep it with --save and have others run: realdid governance sign",
            ));
        }
        Ok(self.operation.with_signatures(&charter.hash(), &self.signatures))
    }

    /// What is decided, in words; names by hash where it is not known what they stand for.
    pub fn words(&self, charter: &Charter) -> String {
        words(charter, &self.operation.action, &self.meant)
    }

    /// Writes the file in one step.
    pub fn save(&self, charter: &Charter, path: &Path) -> Outcome<()> {
        let hash = charter.hash();
        let names = self.signers(charter);
        let signatures = self.signatures.iter().zip(names);
        let file = File {
            format: FORMAT,
            network: charter.network.as_str().to_owned(),
            charter_hash: hash.to_hex(),
            decision: self.words(charter),
            sequence: self.operation.sequence,
            message: base64url_encode(self.operation.message(&hash)),
            may_ask: self.meant.may_ask.clone(),
            vct: self.meant.vct.clone(),
            signatures: signatures
                .map(|((member, signature), name)| FileSignature {
                    member: *member,
                    name: name.to_owned(),
                    signature: base64url_encode(signature.0),
                })
                .collect(),
        };
        let json = serde_json::to_string_pretty(&file).unwrap_or_default() + "\n";
        write_private(path, json.as_bytes()).map_err(|error| Failure::file(path, &error))
    }

    /// Reads a file, and believes nothing of it that the message and the charter do not say.
    pub fn load(charter: &Charter, path: &Path) -> Outcome<Self> {
        let unreadable = |error| Failure::file(path, &error);
        let malformed = || {
            let what = format!("{} is not a proposal", path.display());
            Failure::local("proposal_malformed", what)
        };
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE {
            return Err(malformed());
        }
        let json = std::fs::read(path).map_err(unreadable)?;
        let file: File = serde_json::from_slice(&json).map_err(|_| malformed())?;
        let hash = charter.hash();
        if file.format != FORMAT {
            return Err(malformed());
        }
        if file.charter_hash != hash.to_hex() {
            let what = format!("the proposal is for the network `{}`, not this one", file.network);
            return Err(Failure::refused("other_network", what));
        }
        let message = base64url_decode(&file.message).map_err(|_| malformed())?;
        let operation = GovernanceOperation::from_message(&hash, &message)
            .map_err(|refusal| Failure::refused(refusal.code(), refusal.to_string()))?;
        let meant = Meant {
            vct: file.vct,
            may_ask: file.may_ask,
        };
        let mut proposal = Self::new(operation, meant);
        let said = (file.decision, file.sequence);
        if said != (proposal.words(charter), proposal.operation.sequence) || !proposal.means_it() {
            let what = "the proposal's words are not those of the message that is signed";
            return Err(Failure::refused("proposal_altered", what));
        }
        for signature in &file.signatures {
            proposal.take(charter, signature)?;
        }
        Ok(proposal)
    }

    /// Whether type and claims have the hashes in the message.
    fn means_it(&self) -> bool {
        let (right, detail) = match &self.operation.action {
            GovernanceAction::GrantRight { right, detail } => (right, Some(detail)),
            GovernanceAction::RevokeRight(right) => (right, None),
            _ => return self.meant.vct.is_none() && self.meant.may_ask.is_none(),
        };
        let vct = self.meant.vct.as_ref();
        let named = vct.is_none_or(|vct| type_id(vct) == right.type_id);
        let limited = self
            .meant
            .may_ask
            .as_ref()
            .is_none_or(|list| Some(&list.vct) == vct && Some(&list.detail()) == detail);
        named && limited
    }

    fn take(&mut self, charter: &Charter, found: &FileSignature) -> Outcome<()> {
        let invalid = || {
            let what = format!("the signature of member {} does not hold", found.member);
            Failure::refused("invalid_signature", what)
        };
        let bytes = base64url_decode(&found.signature).map_err(|_| invalid())?;
        let signature = Signature(bytes.try_into().map_err(|_| invalid())?);
        let member = charter
            .members
            .get(usize::from(found.member))
            .ok_or_else(invalid)?;
        let holds = self
            .operation
            .is_signed_by(&charter.hash(), &member.key, &signature);
        if !holds || self.signatures.iter().any(|(index, _)| *index >= found.member) {
            return Err(invalid());
        }
        self.signatures.push((found.member, signature));
        Ok(())
    }
}

/// What an action means, in words.
pub fn words(charter: &Charter, action: &GovernanceAction, meant: &Meant) -> String {
    let did = |hash| charter.did(hash);
    let kind = |kind| match kind {
        RightKind::Issue => "issue",
        RightKind::Ask => "ask for",
    };
    let type_name = |type_id: realdid_crypto::Hash| {
        let by_hash = || format!("with the hash {type_id}");
        meant.vct.clone().unwrap_or_else(by_hash)
    };
    match action {
        GovernanceAction::RevokeEpochKey(id) => format!("revoke the epoch key {id}"),
        GovernanceAction::RevokeAccreditation(hash) => format!("strike off {}", did(*hash)),
        GovernanceAction::Accredit {
            did: hash,
            role,
            name,
        } => {
            format!(
                "accredit {} as {} under the name `{name}`",
                did(*hash),
                role_name(*role)
            )
        }
        GovernanceAction::Suspend(hash) => format!("suspend {}", did(*hash)),
        GovernanceAction::Reinstate(hash) => format!("reinstate {}", did(*hash)),
        GovernanceAction::GrantRight { right, detail } => {
            let limit = match (&meant.may_ask, right.kind) {
                (Some(list), _) => format!(", of it only {}", claims(list)),
                (None, _) if *detail != realdid_crypto::Hash::ZERO => {
                    format!(", of it only what the list with the hash {detail} says")
                }
                (None, RightKind::Ask) => ", any of its claims".to_owned(),
                (None, RightKind::Issue) => String::new(),
            };
            let (holder, verb) = (did(right.did), kind(right.kind));
            format!(
                "grant {holder} the right to {verb} the type {}{limit}",
                type_name(right.type_id)
            )
        }
        GovernanceAction::RevokeRight(right) => format!(
            "revoke the right of {} to {} the type {}",
            did(right.did),
            kind(right.kind),
            type_name(right.type_id)
        ),
        GovernanceAction::SetValidator { .. } | GovernanceAction::SetCommittee { .. } => {
            committee_words(action)
        }
    }
}

/// What a decision about who validates means; nothing for others.
fn committee_words(action: &GovernanceAction) -> String {
    match action {
        GovernanceAction::SetValidator {
            link_key,
            from,
            name,
            address,
            ..
        } => format!(
            "the validator {link_key} of `{name}` is reached at {address} from consensus epoch {from} on"
        ),
        GovernanceAction::SetCommittee { from, members } => {
            let members: Vec<_> = members.iter().map(ToString::to_string).collect();
            let count = members.len();
            format!(
                "the committee from consensus epoch {from} on is these {count} validators: {}",
                members.join(", ")
            )
        }
        _ => String::new(),
    }
}

fn claims(list: &MayAsk) -> String {
    let claims = list.claims.iter().flatten().map(ToString::to_string);
    claims.collect::<Vec<_>>().join(", ")
}

/// A role as it is written everywhere.
pub const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Authority => "authority",
        Role::Signin => "signin",
        Role::Issuer => "issuer",
        Role::Verifier => "verifier",
    }
}
