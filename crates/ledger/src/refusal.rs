//! Every reason for which the ledger refuses an operation, each with a stable code.

use realdid_crypto::DecodeError;
use realdid_did::{FollowError, OperationError};

/// Why the ledger refuses an operation. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The operation alone, without any state, is not acceptable.
    #[error(transparent)]
    Operation(#[from] OperationError),
    /// It may not follow the DID's state.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// The token names a key that is not on the ledger.
    #[error("the token's key is not on the ledger")]
    TokenUnknownKey,
    /// The token's key was revoked, or its authority struck off or suspended.
    #[error("the token's key, or its authority, is revoked or suspended")]
    TokenRevokedKey,
    /// The token is of an epoch that is no longer accepted, or not yet.
    #[error("the token's epoch is not the current one or the one before")]
    TokenExpired,
    /// The token is not valid for this DID.
    #[error("the token is not valid for this DID")]
    TokenInvalid,
    /// The charter has no such seat for this key.
    #[error("the charter keeps no such seat for this key")]
    SeatUnknown,
    /// The seat is taken by another DID.
    #[error("the seat is taken")]
    SeatTaken,
    /// The DID is not accredited for this.
    #[error("the DID is not accredited for this")]
    NotAccredited,
    /// The signer's document data is not the current one of an active DID.
    #[error("the signer's document data is not the current one of an active DID")]
    SignerState,
    /// An epoch key must be published exactly one epoch ahead (or for epoch 0 during it).
    #[error("an epoch key is published exactly one epoch ahead")]
    EpochKeyTime,
    /// The authority has a key for this purpose, level and epoch.
    #[error("the authority has a key for this purpose, level and epoch")]
    EpochKeyExists,
    /// The modulus is in use.
    #[error("the modulus is in use by a key on the ledger")]
    ModulusExists,
    /// Something of this name has been anchored by this DID.
    #[error("this subject has been anchored already")]
    AnchorExists,
    /// Only a sandbox's epoch can be advanced, and only from the current one.
    #[error("the epoch cannot be advanced like this")]
    EpochAdvance,
    /// Fewer members signed than the charter asks for.
    #[error("fewer members signed than the charter asks for")]
    Threshold,
    /// The governance operation's sequence number is not the next one.
    #[error("the sequence number is not the next one")]
    Sequence,
    /// What a governance operation is about is not on the ledger.
    #[error("what is to be revoked is not on the ledger, or is revoked")]
    NothingToRevoke,
    /// The DID has an accreditation, be it struck off or suspended.
    #[error("the DID has been accredited before")]
    AlreadyAccredited,
    /// The DID to be accredited is not an active one on the ledger.
    #[error("the DID to be accredited is not an active one on the ledger")]
    DidNotActive,
    /// An organisation's name is empty, or has characters that are not seen.
    #[error("the organisation's name cannot be shown")]
    Name,
    /// The accreditation to be suspended is not in force.
    #[error("there is no accreditation in force to suspend")]
    NothingToSuspend,
    /// The accreditation to be reinstated is not suspended, or is struck off.
    #[error("there is no suspended accreditation to reinstate")]
    NothingToReinstate,
    /// A right of this kind is not for the role that the DID is accredited for.
    #[error("the right is not for the role that the DID is accredited for")]
    RightNotForRole,
    /// The right is in force already, with the same detail.
    #[error("the right is in force already")]
    RightExists,
    /// A validator's link key is not an Ed25519 public key.
    #[error("the validator's link key is not an Ed25519 public key")]
    LinkKey,
    /// A validator's address is too long, or not `host:port`.
    #[error(
        "the validator's address is not `host:port` of at most 80 bytes, with an IP address or a DNS name"
    )]
    Address,
    /// The address of this validator changes within the notice: it can be changed again after that.
    #[error("the validator moves to another address within the next epochs; decide again after that")]
    ValidatorMoves,
    /// The number of a validator is another one, or of a new validator not the next.
    #[error("the number is not the validator's own, or not the next one for a new validator")]
    ValidatorIndex,
    /// A committee names a validator twice, or not in rising order of the link keys.
    #[error("the committee does not name each validator once, in rising order of the link keys")]
    CommitteeOrder,
    /// A committee has more validators than the charter allows.
    #[error("the committee has more validators than the charter allows")]
    CommitteeTooLarge,
    /// A committee has fewer validators than the network needs to lose one of them.
    #[error("the committee has fewer than 4 validators; a sandbox's has at least one")]
    CommitteeTooSmall,
    /// A committee names a validator that the consortium does not know.
    #[error("the committee names a validator that is not known; decide about its address first")]
    ValidatorUnknown,
    /// A decision about committees or addresses is not at least three consensus epochs ahead.
    #[error("the first epoch is not at least 3 consensus epochs ahead")]
    EpochTooSoon,
    /// A value was not loaded before: a defect of the caller, not of the operation.
    #[error("the state needed was not loaded")]
    NotLoaded,
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Self::Operation(error.into())
    }
}

impl Refusal {
    /// The stable code, the same in every language and version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Operation(error) => match error {
                OperationError::Malformed(_) => "malformed_operation",
                OperationError::TooLong => "operation_too_long",
                OperationError::OtherNetwork => "other_network",
                OperationError::OtherInception => "other_inception",
                OperationError::Previous => "previous_mismatch",
                OperationError::Signer => "signer_not_allowed",
                OperationError::Signature => "invalid_signature",
            },
            Self::Follow(error) => match error {
                FollowError::NotPublished => "not_published",
                FollowError::AlreadyApplied => "already_applied",
                FollowError::StalePrevious => "stale_previous",
                FollowError::Deactivated => "deactivated",
                FollowError::Pending => "operation_pending",
                FollowError::NothingToVeto => "nothing_to_veto",
                FollowError::VetoUsed => "veto_used",
                FollowError::Commitment => "commitment_mismatch",
                FollowError::Document => "document_mismatch",
                FollowError::NotNewer => "token_not_newer",
            },
            Self::TokenUnknownKey => "token_unknown_key",
            Self::TokenRevokedKey => "token_revoked_key",
            Self::TokenExpired => "token_expired",
            Self::TokenInvalid => "token_invalid",
            Self::SeatUnknown => "seat_unknown",
            Self::SeatTaken => "seat_taken",
            Self::NotAccredited => "not_accredited",
            Self::SignerState => "signer_state",
            Self::EpochKeyTime => "epoch_key_time",
            Self::EpochKeyExists => "epoch_key_exists",
            Self::ModulusExists => "modulus_exists",
            Self::AnchorExists => "anchor_exists",
            Self::EpochAdvance => "epoch_advance",
            Self::Threshold => "threshold_not_met",
            Self::Sequence => "sequence_mismatch",
            Self::NothingToRevoke => "nothing_to_revoke",
            Self::AlreadyAccredited => "already_accredited",
            Self::DidNotActive => "did_not_active",
            Self::Name => "organisation_name",
            Self::NothingToSuspend => "nothing_to_suspend",
            Self::NothingToReinstate => "nothing_to_reinstate",
            Self::RightNotForRole => "right_not_for_role",
            Self::RightExists => "right_exists",
            Self::LinkKey => "link_key_invalid",
            Self::Address => "validator_address",
            Self::ValidatorMoves => "validator_moves",
            Self::ValidatorIndex => "validator_index",
            Self::CommitteeOrder => "committee_order",
            Self::CommitteeTooLarge => "committee_too_large",
            Self::CommitteeTooSmall => "committee_too_small",
            Self::ValidatorUnknown => "validator_unknown",
            Self::EpochTooSoon => "epoch_too_soon",
            Self::NotLoaded => "state_not_loaded",
        }
    }
}
