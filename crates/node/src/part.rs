//! What part a node has in the consensus of its network.

use realdid_engine::{Standing, Status};
use serde::Serialize;
use utoipa::ToSchema;

/// What part this node has in consensus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Part {
    /// The newest consensus epoch that the node knows.
    consensus_epoch: u64,
    /// `validator`, `validator without a share`, `follower` or `starting`.
    standing: &'static str,
    /// Whether it votes.
    pub(crate) votes: bool,
    /// The same in words.
    part: &'static str,
}

impl Part {
    pub(crate) const fn of(status: &Status) -> Self {
        let (standing, part) = match status.standing {
            Some(Standing::Signs) => ("validator", "it is of the committee and votes"),
            Some(Standing::WithoutShare) => (
                "validator without a share",
                "it is of the committee, but follows without a vote until a share is dealt to it",
            ),
            Some(Standing::Follows) => (
                "follower",
                "it is not of this epoch's committee: it follows and serves without a vote",
            ),
            None => ("starting", "it does not know yet"),
        };
        Self {
            consensus_epoch: status.epoch,
            standing,
            votes: matches!(status.standing, Some(Standing::Signs)),
            part,
        }
    }
}
