//! What happens to an operation before it may wait for its turn.
//!
//! The steps, each a typed refusal: rate, form and signatures, whether it is final already, whether
//! it could be executed now, room in the pool. None of them promises that it will be final.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::StatusCode;
use realdid_checks::passes;
use realdid_crypto::{Hash, KeyType};
use realdid_did::{Action, Authorization, FollowError, SignedOperation};
use realdid_engine::PoolRefusal;
use realdid_ledger::{CheckedOperation, MAX_OPERATION_BYTES, Refusal, check, decode_did_operation, execute};
use realdid_service::Problem;

use crate::api::problems;
use crate::ledger_view::Node;

/// What an SM2 verification costs beside one of Ed25519.
const SM2_COST: f64 = 6.0;
/// How often a waiting request looks whether the engine has refused its operation.
const REFUSAL_INTERVAL: Duration = Duration::from_millis(250);

/// What is known about an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// In a final, durable block, and indexed.
    Finalized {
        /// Height of the block.
        height: u64,
    },
    /// Waiting; nothing is promised.
    Received,
    /// Ordered out by the engine, with the ledger's code.
    Refused(&'static str),
    /// Not known here.
    Unknown,
}

impl Node {
    /// Admits an operation, and returns its hash and where it stands.
    pub(crate) async fn admit(&self, client: IpAddr, bytes: Vec<u8>) -> Result<(Hash, Standing), Problem> {
        if !passes("ADM-01", bytes.len() <= MAX_OPERATION_BYTES) {
            return Err(problems::of_refusal(&realdid_did::OperationError::TooLong.into()));
        }
        self.charge(client, &bytes)?;
        let operation = match self.check_alone(bytes).await? {
            Ok(operation) => operation,
            // What has not been checked has no place in the pool; all there can be is an answer.
            Err(_) if passes("ADM-04", false) => return Ok((Hash::ZERO, Standing::Received)),
            Err(refusal) => return Err(refused(&refusal)),
        };
        let hash = operation.hash();
        if let Some(height) = self.final_height(&hash).await? {
            return Ok((hash, Standing::Finalized { height }));
        }
        if let Err(problem) = self.check_with_state(&operation).await {
            return self.replayed(&hash, problem).await;
        }
        self.enqueue(operation)?;
        if cfg!(feature = "planted-early-acknowledgement") {
            let height = self.engine.status().height;
            return Ok((hash, Standing::Finalized { height }));
        }
        // It may have become final between the first look and the pool.
        match self.final_height(&hash).await? {
            Some(height) => Ok((hash, Standing::Finalized { height })),
            None => Ok((hash, Standing::Received)),
        }
    }

    /// An operation that the state refuses may be in it already, and what came after it too, while
    /// the index is still behind: then it is a replay, which is no failure.
    async fn replayed(&self, hash: &Hash, problem: Problem) -> Result<(Hash, Standing), Problem> {
        self.index_reached(self.engine.status().height).await?;
        match self.final_height(hash).await? {
            Some(height) => Ok((*hash, Standing::Finalized { height })),
            None => {
                count(problem.code);
                Err(problem)
            }
        }
    }

    /// Where an operation stands. `Finalized` comes from the index alone.
    pub(crate) async fn standing(&self, hash: &Hash) -> Result<Standing, Problem> {
        // Asked before the index: whoever is no longer waiting by then is in the index.
        let waiting = self.pending.knows(hash);
        if let Some(height) = self.final_height(hash).await? {
            return Ok(Standing::Finalized { height });
        }
        match self.engine.refusal(&hash.0) {
            // A replay of what is final already, and about to be indexed.
            Some(code) if code == Refusal::Follow(FollowError::AlreadyApplied).code() => {
                return Ok(Standing::Received);
            }
            Some(code) => {
                self.pending.refused(hash);
                return Ok(Standing::Refused(code));
            }
            None => {}
        }
        if waiting {
            return Ok(Standing::Received);
        }
        // Unknown is said only of what is in no final block: an index that is still being rebuilt
        // could not tell.
        self.index_reached(self.engine.status().height).await?;
        Ok(match self.final_height(hash).await? {
            Some(height) => Standing::Finalized { height },
            None => Standing::Unknown,
        })
    }

    /// Where an operation stands once that is settled, or after so long.
    pub(crate) async fn settled(&self, hash: &Hash, limit: Duration) -> Result<Standing, Problem> {
        let end = tokio::time::Instant::now() + limit;
        loop {
            let standing = self.standing(hash).await?;
            let left = end.saturating_duration_since(tokio::time::Instant::now());
            if standing != Standing::Received || left.is_zero() {
                return Ok(standing);
            }
            if let Some(height) = self.pending.wait(hash, left.min(REFUSAL_INTERVAL)).await {
                return Ok(Standing::Finalized { height });
            }
        }
    }

    async fn final_height(&self, hash: &Hash) -> Result<Option<u64>, Problem> {
        let place = self
            .index
            .operation(hash)
            .await
            .map_err(|error| problems::of_index(&error))?;
        Ok(place.map(|place| place.height))
    }

    /// Takes the cost of verifying from the client's allowance, before verifying.
    fn charge(&self, client: IpAddr, bytes: &[u8]) -> Result<(), Problem> {
        let signed = decode_did_operation(bytes);
        let cost = signed.as_ref().map_or(1.0, verification_cost);
        if let Err(wait) = self.submissions.take(client, cost)
            && !passes("ADM-02", false)
        {
            return Err(Problem::too_many_requests(wait));
        }
        if signed.as_ref().is_some_and(is_late_founding)
            && let Err(wait) = self.late_foundings.take(client, 1.0)
            && !passes("ADM-03", false)
        {
            return Err(Problem::too_many_requests(wait));
        }
        Ok(())
    }

    /// Form, network and signatures, on a thread for work.
    async fn check_alone(&self, bytes: Vec<u8>) -> Result<Result<CheckedOperation, Refusal>, Problem> {
        let (charter, hash) = (self.charter.clone(), self.charter_hash);
        tokio::task::spawn_blocking(move || check(&charter, &hash, &bytes))
            .await
            .map_err(|error| Problem::internal(&error))
    }

    /// Whether the operation could be executed in the next block.
    async fn check_with_state(&self, operation: &CheckedOperation) -> Result<(), Problem> {
        let (mut state, block) = self.scratch_state(operation).await?;
        let (charter, hash, operation) = (self.charter.clone(), self.charter_hash, operation.clone());
        let executed = move || execute(&charter, &hash, &block, &operation, &mut state);
        let executed = tokio::task::spawn_blocking(executed)
            .await
            .map_err(|error| Problem::internal(&error))?;
        match executed {
            // Final, and about to be indexed: the answer waits for the index.
            Ok(()) | Err(Refusal::Follow(FollowError::AlreadyApplied)) => Ok(()),
            Err(refusal) if !passes("ADM-05", false) => Err(problems::of_refusal(&refusal)),
            Err(_) => Ok(()),
        }
    }

    fn enqueue(&self, operation: CheckedOperation) -> Result<(), Problem> {
        let hash = operation.hash();
        self.pending.received(hash);
        match self.engine.submit(operation) {
            Ok(()) | Err(PoolRefusal::Duplicate) => Ok(()),
            Err(refusal) if !passes("ADM-06", false) => {
                self.pending.refused(&hash);
                count(refusal.code());
                Err(problems::of_pool(refusal))
            }
            Err(_) => Ok(()),
        }
    }
}

fn refused(refusal: &Refusal) -> Problem {
    count(refusal.code());
    problems::of_refusal(refusal)
}

fn count(code: &'static str) {
    metrics::counter!("ledger_refusals_total", "code" => code).increment(1);
}

/// Whether this would be a DID's first operation and recovers or deactivates: such operations
/// accept an expired token (protocol.md §3).
fn is_late_founding(signed: &SignedOperation) -> bool {
    let operation = &signed.operation;
    operation.founding().is_some() && !matches!(operation.action, Action::Publish(_))
}

/// What verifying an operation costs, in units of one Ed25519 verification.
fn verification_cost(signed: &SignedOperation) -> f64 {
    let operation = &signed.operation;
    let keys =
        |data: &realdid_did::DocumentData| data.keys().iter().any(|key| key.key.kind() == KeyType::Sm2);
    let slow = operation.document().as_ref().is_some_and(keys);
    let own = if slow { SM2_COST } else { 1.0 };
    let backing = match operation.founding().map(|founding| &founding.authorization) {
        None | Some(Authorization::Charter { .. }) => 0.0,
        Some(Authorization::Token { .. }) => 1.0,
        Some(Authorization::Sponsored(by)) if keys(&by.document) => SM2_COST,
        Some(Authorization::Sponsored(_)) => 1.0,
    };
    own + backing
}

/// The answer to a failed submission must not be stored or repeated blindly.
pub(crate) const fn status_of(standing: Standing) -> StatusCode {
    match standing {
        Standing::Finalized { .. } => StatusCode::OK,
        Standing::Received => StatusCode::ACCEPTED,
        Standing::Refused(_) => StatusCode::CONFLICT,
        Standing::Unknown => StatusCode::OK,
    }
}
