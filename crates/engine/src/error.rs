//! Failures of the engine.

use realdid_ledger::FinalityError;
use thiserror::Error;

/// Why an operation did not enter the pool.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum PoolRefusal {
    /// The pool is full. Try again later.
    #[error("the pool of waiting operations is full")]
    Full,
    /// The operation waits already, or was finalized a short while ago.
    #[error("the operation is known already")]
    Duplicate,
    /// The operation is empty or longer than a block may carry.
    #[error("the operation has a length that no block may carry")]
    Length,
    /// The engine has stopped.
    #[error("the engine has stopped")]
    Stopped,
}

impl PoolRefusal {
    /// The refusal's stable name in interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Full => "pool_full",
            Self::Duplicate => "operation_duplicate",
            Self::Length => "operation_length",
            Self::Stopped => "engine_stopped",
        }
    }
}

/// Why the engine did not start or did not answer.
#[derive(Debug, Error)]
pub enum EngineError {
    /// A value of the configuration is not usable.
    #[error("engine configuration: {0}")]
    Config(&'static str),
    /// The thread of the engine could not be started.
    #[error("the engine's thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
    /// The engine stopped, or failed; the log says why.
    #[error("the engine has stopped")]
    Stopped,
    /// No block is final yet, or the newest state is not certified yet. Try again shortly.
    #[error("no certified state is available yet")]
    NotReady,
    /// More keys were asked for at once than [`MAX_KEYS`](crate::MAX_KEYS).
    #[error("too many keys in one request")]
    TooManyKeys,
    /// The prefix has bits set behind its length.
    #[error("the prefix is not canonical")]
    Prefix,
    /// More entries have the prefix than were asked for.
    #[error("more than {max} entries have this prefix")]
    PrefixTooWide {
        /// The bound that was exceeded.
        max: usize,
    },
    /// The store gave a certificate that is not well formed.
    #[error("internal finality proof: {0}")]
    Finality(FinalityError),
    /// The founding's ceremony failed, or its logs do not hold.
    #[error("founding: {0}")]
    Founding(&'static str),
    /// The store of the state failed.
    #[error("the state's store failed")]
    Storage,
}

impl EngineError {
    /// The failure's stable name in interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "engine_config",
            Self::Founding(_) => "founding_failed",
            Self::Thread(_) => "engine_thread",
            Self::Stopped => "engine_stopped",
            Self::NotReady => "not_ready",
            Self::TooManyKeys => "too_many_keys",
            Self::Prefix => "prefix_not_canonical",
            Self::PrefixTooWide { .. } => "prefix_too_wide",
            Self::Finality(_) | Self::Storage => "engine_storage",
        }
    }
}
