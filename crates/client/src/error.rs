//! Why a question to a node has no answer to rely on.

use realdid_crypto::Hash;
use realdid_ledger::LightError;

/// A problem that a node answered with (RFC 9457). Its texts come from the node.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(default)]
pub struct NodeRefusal {
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// What went wrong, for a person.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Under which id the node's log knows the request.
    pub request_id: String,
}

/// Why a question to a node has no answer to rely on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The node's address is not a URL that may be used: https, or http to loopback.
    #[error("the node's address must be an https URL, or http on loopback")]
    Address,
    /// The node cannot be reached, or did not answer in time.
    #[error("the node cannot be reached: {0}")]
    Unreachable(String),
    /// The node refused; why is in the problem.
    #[error("the node refused: {} ({})", .0.detail, .0.code)]
    Refused(Box<NodeRefusal>),
    /// The node's answer is longer than any honest one.
    #[error("the node's answer is longer than {0} bytes")]
    TooLong(usize),
    /// The node's answer does not have the expected form.
    #[error("the node's answer is malformed: {0}")]
    Malformed(&'static str),
    /// The node's answer does not prove what it claims.
    #[error("the node's answer is not believed: {0}")]
    NotProven(#[from] LightError),
    /// The node's document data has another hash than the one asked for.
    #[error("the node's document data is not the one asked for")]
    OtherDocument,
    /// The node's charter is not the pinned one.
    #[error("the node belongs to another network")]
    OtherNetwork,
    /// The operation was not seen finalized in the time given. It may still be.
    #[error("operation {0} was received but is not finalized yet")]
    NotFinalized(Hash),
    /// The DID is not on the ledger, and no inception was given.
    #[error("the DID is not on the ledger")]
    NotFound,
}

impl ClientError {
    /// The failure's stable name; a node's own if it refused.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Address => "node_address",
            Self::Unreachable(_) => "node_unreachable",
            Self::Refused(refusal) => &refusal.code,
            Self::TooLong(_) | Self::Malformed(_) => "node_answer_malformed",
            Self::NotProven(error) => error.code(),
            Self::OtherDocument => "node_document_mismatch",
            Self::OtherNetwork => "other_network",
            Self::NotFinalized(_) => "not_finalized",
            Self::NotFound => "did_not_found",
        }
    }

    /// Whether the same question may have an answer a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::NotFinalized(_) => true,
            Self::Refused(refusal) => matches!(refusal.status, 429 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// Whether the node refused with this code.
    #[must_use]
    pub fn is_refusal(&self, code: &str) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == code)
    }
}
