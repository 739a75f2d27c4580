//! Presentations that websites ask for by themselves, over the REST interface.
//!
//! ```text
//! Waiting ── valid answer ──▶ Verified ──▶ erased
//!    └────── refusal by the holder ─▶ Declined ──▶ erased
//! ```
//!
//! An answer that does not hold changes nothing but what the website is told about it: the request
//! stays open for a better one until it expires.

mod store;

use realdid_checks::passes;
use realdid_openid::ClientIdPrefix;
use realdid_openid::authorization_request::ResponseMode;
use realdid_openid::dcql::DcqlQuery;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::secret::{Secret, SecretHash, random_id};

pub(crate) use store::{Inserted, PresentationStoreError};

/// How long a wallet has for its answer, in seconds, unless the website sets another time.
pub(crate) const DEFAULT_LIFETIME: u64 = 600;
/// Shortest and longest time that a website may set, in seconds.
pub(crate) const LIFETIMES: std::ops::RangeInclusive<u64> = 60..=900;
/// How long a result is kept for the website to fetch, in seconds.
pub(crate) const RESULT_LIFETIME: u64 = 600;

/// What a website asked for.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct AskedPresentation {
    pub(crate) query: DcqlQuery,
    /// Prefix of the client identifier in the request.
    pub(crate) client_id_prefix: String,
    pub(crate) response_mode: ResponseMode,
    /// Encoded as in the request.
    #[serde(default)]
    pub(crate) transaction_data: Vec<String>,
    /// Where the browser goes on, with a fresh code; the result then takes that code.
    pub(crate) redirect_uri: Option<String>,
    pub(crate) webhook_url: Option<String>,
    pub(crate) nonce: String,
    pub(crate) state: String,
    /// The private key that an encrypted answer is for (JWK).
    pub(crate) decryption_key: Option<String>,
    /// When it was asked, in Unix seconds.
    pub(crate) created_at: u64,
}

/// How far a presentation is.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// No wallet has given a valid answer.
    Waiting,
    /// One has.
    Verified {
        /// What the website learns.
        result: Value,
        /// What the browser brings back.
        back: Option<SecretHash>,
    },
    /// The holder said no, or has nothing to show.
    Declined {
        /// The wallet's error code.
        error: String,
        /// What the browser brings back.
        back: Option<SecretHash>,
    },
}

/// The last answer that did not hold.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LastRefusal {
    pub(crate) code: String,
    /// In Unix seconds.
    pub(crate) at: u64,
}

/// Why a move is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PresentationError {
    #[error("this presentation does not exist, or has been erased")]
    Unknown,
    #[error("this request has expired")]
    Expired,
    #[error("this request has been answered already")]
    AlreadyAnswered,
    #[error("the response code is missing or wrong")]
    ResponseCode,
}

impl PresentationError {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "presentation_unknown",
            Self::Expired => "request_expired",
            Self::AlreadyAnswered => "request_used",
            Self::ResponseCode => "response_code_invalid",
        }
    }
}

/// A presentation as it is stored.
#[derive(Clone)]
pub(crate) struct Presentation {
    /// Known to the website.
    pub(crate) id: String,
    /// Known to wallets.
    pub(crate) request_id: String,
    pub(crate) client_id: String,
    pub(crate) asked: AskedPresentation,
    pub(crate) stage: Stage,
    pub(crate) last_refusal: Option<LastRefusal>,
    pub(crate) version: i64,
    /// Until when a wallet may answer, in Unix seconds.
    pub(crate) expires_at: u64,
    /// When it is erased, in Unix seconds.
    pub(crate) erase_at: u64,
}

impl AskedPresentation {
    pub(crate) fn prefix(&self) -> ClientIdPrefix {
        ClientIdPrefix::from_name(&self.client_id_prefix).unwrap_or(ClientIdPrefix::DecentralizedIdentifier)
    }
}

impl Presentation {
    pub(crate) fn begin(client_id: &str, asked: AskedPresentation, lifetime: u64) -> Self {
        let expires_at = asked.created_at + lifetime;
        Self {
            id: random_id(),
            request_id: random_id(),
            client_id: client_id.to_owned(),
            asked,
            stage: Stage::Waiting,
            last_refusal: None,
            version: 0,
            expires_at,
            erase_at: expires_at + RESULT_LIFETIME,
        }
    }

    /// What the website is told: `waiting`, `completed`, `refused` (by the holder) or `expired`.
    pub(crate) fn status(&self, now: u64) -> &'static str {
        match self.stage {
            Stage::Waiting if now >= self.expires_at => "expired",
            Stage::Waiting => "waiting",
            Stage::Verified { .. } => "completed",
            Stage::Declined { .. } => "refused",
        }
    }

    /// Whether a wallet may still answer.
    pub(crate) fn check_waiting(&self, now: u64) -> Result<(), PresentationError> {
        if !passes("VRF-05", self.stage == Stage::Waiting) {
            return Err(PresentationError::AlreadyAnswered);
        }
        if !passes("VRF-06", now < self.expires_at) {
            return Err(PresentationError::Expired);
        }
        Ok(())
    }

    /// A code for the browser's way back, where the website gave an address for it.
    pub(crate) fn way_back(&self) -> Option<Secret> {
        self.asked.redirect_uri.as_ref().map(|_| Secret::generate())
    }

    /// Whether the website may see the result. Where the browser brings a code back, the website shows
    /// that it has come: else whoever answered could be another person than the one before the
    /// browser. `false`: the browser has not been back yet.
    pub(crate) fn may_see(&self, response_code: Option<&str>) -> Result<bool, PresentationError> {
        let back = match &self.stage {
            Stage::Verified { back, .. } | Stage::Declined { back, .. } => back.as_ref(),
            Stage::Waiting => None,
        };
        let Some(hash) = back else { return Ok(true) };
        let Some(code) = response_code else {
            return Ok(passes("VRF-07", false));
        };
        if !passes("VRF-08", hash.fits(code)) {
            return Err(PresentationError::ResponseCode);
        }
        Ok(true)
    }
}
