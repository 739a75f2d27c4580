//! Why a login is refused: one variant per failure, with its stable code and what to do about it.

use realdid_did::{DidError, Level};
use realdid_ledger::LightError;
use realdid_openid::jws::JwsError;

/// Why a login is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginRefusal {
    /// The envelope of the presentation, or its signature.
    #[error("the presentation is not valid: {0}")]
    Presentation(#[from] JwsError),
    /// It was made for a network with another charter.
    #[error("the presentation was made for another network")]
    OtherNetwork,
    /// The DID in it.
    #[error("the DID in the presentation is not valid: {0}")]
    Did(#[from] DidError),
    /// Its issuer, its DID and its key do not belong together.
    #[error("issuer, DID and key of the presentation do not belong together")]
    Subject,
    /// It was made too long ago, is from the future, or claims to live longer than 5 minutes.
    #[error("the presentation is not valid now")]
    Time,
    /// It was made for another verifier.
    #[error("the presentation was made for another website")]
    Audience,
    /// It was made for another request.
    #[error("the presentation was made for another request")]
    Nonce,
    /// It binds other credentials than those in the same answer.
    #[error("the presentation binds other credentials than those shown with it")]
    Credentials,
    /// The token is not of the right length or encoding.
    #[error("the real-name token is malformed")]
    TokenForm,
    /// The state of the ledger at hand is not proven, or too old.
    #[error(transparent)]
    State(#[from] LightError),
    /// The DID is not on the ledger and its inception was not shown.
    #[error("the DID is not on the ledger, and the presentation does not carry its inception")]
    Unpublished,
    /// The document data at hand is not the one the ledger names.
    #[error("the document at hand is not the DID's current one")]
    Document,
    /// A recovery of the DID is under way.
    #[error("a recovery of this DID is under way; it cannot log in until that has taken effect")]
    Recovering,
    /// The DID has ended.
    #[error("the DID is deactivated")]
    Deactivated,
    /// The key is no authentication key of the DID now.
    #[error("the key is not one of the DID's current authentication keys")]
    Key,
    /// The ledger does not know the key the token was made with.
    #[error("the real-name token was made with a key that is not on the ledger")]
    UnknownTokenKey,
    /// The key the token was made with is revoked.
    #[error("the key of the real-name token is revoked")]
    RevokedTokenKey,
    /// The authority is not accredited, or no longer.
    #[error("the authority that gave the real-name token is not accredited")]
    Authority,
    /// The token is of an epoch before the previous one.
    #[error("the real-name token has expired (its epoch is {epoch}, it is now {current})")]
    TokenExpired {
        /// The token's epoch.
        epoch: u64,
        /// The ledger's epoch.
        current: u64,
    },
    /// The token's level is too low.
    #[error("the assurance level {found:?} is below the required {required:?}")]
    Level {
        /// The token's level.
        found: Level,
        /// What the website requires.
        required: Level,
    },
    /// The token is not one for this DID.
    #[error("the real-name token is not valid for this DID")]
    Token,
}

impl LoginRefusal {
    /// The failure's stable name in interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Presentation(JwsError::Signature) => "invalid_signature",
            Self::Presentation(_) => "invalid_presentation",
            Self::OtherNetwork => "other_network",
            Self::Did(_) => "invalid_did",
            Self::Subject => "inconsistent_subject",
            Self::Time => "presentation_expired",
            Self::Audience => "wrong_audience",
            Self::Nonce => "wrong_nonce",
            Self::Credentials => "unexpected_credentials",
            Self::TokenForm => "malformed_token",
            Self::State(error) => error.code(),
            Self::Unpublished => "did_not_published",
            Self::Document => "document_mismatch",
            Self::Recovering => "did_recovering",
            Self::Deactivated => "did_deactivated",
            Self::Key => "key_not_current",
            Self::UnknownTokenKey => "unknown_token_key",
            Self::RevokedTokenKey => "token_key_revoked",
            Self::Authority => "authority_not_accredited",
            Self::TokenExpired { .. } => "token_expired",
            Self::Level { .. } => "assurance_too_low",
            Self::Token => "invalid_token",
        }
    }

    /// What whoever holds the wallet can do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Time => "check the clock of the device, then start the login again",
            Self::Audience | Self::Nonce => "start the login again from the website",
            Self::State(_) | Self::Document => "try again in a few seconds",
            Self::Unpublished => "show the DID in long form, or publish it first",
            Self::Recovering => "wait until the recovery has taken effect",
            Self::Deactivated => "this DID has ended for good; register at the website anew",
            Self::Key => "the DID's keys were replaced; use the wallet that replaced them",
            Self::UnknownTokenKey | Self::RevokedTokenKey | Self::Authority | Self::Token => {
                "fetch new real-name tokens from an accredited authority and renew the DID"
            }
            Self::TokenExpired { .. } => "renew the DID: `realdid wallet did renew`",
            Self::Level { .. } => "have yourself proofed at a higher level by the authority",
            Self::Presentation(_)
            | Self::OtherNetwork
            | Self::Did(_)
            | Self::Subject
            | Self::Credentials
            | Self::TokenForm => "the wallet sent something it should not have; update it",
        }
    }
}
