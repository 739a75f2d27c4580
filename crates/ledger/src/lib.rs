//! The ledger's rules and proofs: what a block holds, how operations change the state, and what a
//! light client checks before it believes an answer.
//!
//! `ledger` orders nothing and knows no network. Consensus and storage are the engine's; of it
//! this crate uses only the codec and the cryptography.
//!
//! * [`Charter`]: who founds a network and by which numbers it runs.
//! * [`check`] and [`execute`]: everything about an operation without and with state.
//! * [`Header`], [`FinalityProof`], [`StateProof`]: what proves that a state is the network's.

mod charter;
mod committee;
mod execute;
mod finality;
mod founding;
mod governance;
mod header;
mod light;
mod operation;
mod proof_file;
mod record;
mod refusal;
mod state;
mod state_proof;
pub mod state_tree;

pub use charter::{
    CHARTER_FORMAT, Charter, CharterError, Committees, EPOCH_BLOCKS_PER_VALIDATOR, KeyOrigin, MAX_ADDRESS,
    MAX_NAME, MAX_VALIDATORS, Member, NETWORK_KEY_LENGTH, Quota, Role, Seat, Validator, is_address, is_name,
};
pub use committee::{
    COMMITTEE_NOTICE, CommitteeTurn, KnownValidator, MIN_COMMITTEE, Schedule, consensus_epoch,
};
pub use execute::{BlockContext, execute};
pub use finality::*;
pub use founding::{
    Draft, FOUNDING_FORMAT, FoundingError, MAX_FOUNDING_FILE, PublicFile, Transcript, is_charter_signed_by,
    sign_charter,
};
pub use governance::{GovernanceAction, GovernanceOperation};
pub use header::*;
pub use light::{Freshness, LightError, MAX_AHEAD, PrefixAnswer, ProvenState, StateAnswer, TrustAnchor};
pub use operation::{
    CEREMONY_RECORD, CheckedOperation, ServiceAction, ServiceOperation, check, decode_did_operation,
    encode_did_operation,
};
pub use proof_file::{
    Evidence, MAX_PROOF_FILE, MAX_PROOF_OPERATIONS, PROOF_FORMAT, ProofFile, ProofFileError, Verdict,
};
pub use record::{
    Accreditation, Anchor, EpochKeyRecord, Grant, Parameters, Record, Right, RightKind, StateKey, StateValue,
    VALUE_LEN, state_key, type_id,
};
pub use refusal::Refusal;
pub use state::{State, genesis_state};
pub use state_proof::*;
