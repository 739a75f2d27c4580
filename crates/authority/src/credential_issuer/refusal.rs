//! Why the issuer refuses: one variant per reason, mapped once to the status and code that travel.

use realdid_openid::oauth::{DpopError, ErrorCode, TokenRequestError, WalletRequestError};
use realdid_openid::oidc::PkceError;
use realdid_openid::vci::{CredentialErrorCode, CredentialRequestError, NotificationError, ProofError};

use super::source::SourceError;

/// Why a request of a wallet is refused. No variant holds, and no text tells, anything about a person.
#[derive(Debug, thiserror::Error)]
pub enum IssueRefusal {
    /// The token request cannot be read.
    #[error(transparent)]
    TokenRequest(#[from] TokenRequestError),
    /// The authorization request cannot be read or is not allowed.
    #[error(transparent)]
    WalletRequest(#[from] WalletRequestError),
    /// The pushed request is unknown, used, expired, or another client's.
    #[error("the request_uri is unknown, used or expired")]
    PushedRequest,
    /// Requests must be pushed.
    #[error("push the authorization request to the pushed_authorization_request_endpoint first")]
    MustPush,
    /// The pre-authorized code, authorization code or refresh token is unknown, used or expired.
    #[error("the code or token is unknown, used, revoked or expired")]
    Grant,
    /// The transaction code is wrong.
    #[error("the transaction code is wrong")]
    TxCode,
    /// The offer asks for a transaction code, and none came.
    #[error("the offer asks for a transaction code")]
    TxCodeMissing,
    /// The offer asks for no transaction code, and one came.
    #[error("the offer asks for no transaction code")]
    TxCodeUnexpected,
    /// The code was another client's, or for another redirect address.
    #[error("the code was given to another client or redirect_uri")]
    OtherClient,
    /// PKCE.
    #[error(transparent)]
    Pkce(#[from] PkceError),
    /// The token request names credentials that were not granted.
    #[error("authorization_details names a credential that was not offered")]
    DetailNotGranted,
    /// Two DPoP headers.
    #[error("the request must have one DPoP header")]
    DpopHeaders,
    /// The DPoP proof does not hold.
    #[error(transparent)]
    Dpop(#[from] DpopError),
    /// The DPoP proof has been used before.
    #[error("the DPoP proof has been used before")]
    DpopReplayed,
    /// Where a DPoP proof is required, there is none.
    #[error("tokens are given here with a DPoP proof only")]
    DpopMissing,
    /// The DPoP proof must carry a nonce of the server's.
    #[error("the DPoP proof must carry the nonce of the DPoP-Nonce header")]
    DpopNonce,
    /// The DPoP proof is by another key than the code or refresh token is bound to.
    #[error("the DPoP proof is by another key than the grant is bound to")]
    DpopOtherKey,
    /// There is no access token.
    #[error("an access token is needed")]
    NoToken,
    /// The access token is unknown, expired or revoked, or its DPoP proof is missing.
    #[error("the access token is unknown, expired, revoked, or shown without its DPoP proof")]
    Token,
    /// The access token does not allow this credential.
    #[error("the access token does not allow this credential")]
    NotGranted,
    /// The credential request cannot be read.
    #[error(transparent)]
    Request(#[from] CredentialRequestError),
    /// No such configuration.
    #[error("there is no such credential configuration")]
    UnknownConfiguration,
    /// No such identifier for this token.
    #[error("there is no such credential identifier for this token")]
    UnknownIdentifier,
    /// The token response gave identifiers, and the request does not use them.
    #[error("the token response gave credential identifiers; name one of them")]
    IdentifierNeeded,
    /// A key proof does not hold, or there is none.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// No key proof.
    #[error("a key proof of type jwt is needed")]
    NoProof,
    /// More key proofs than the metadata's batch size.
    #[error("at most {0} key proofs are taken at once")]
    TooManyProofs(usize),
    /// A nonce that is not one of ours, too old, or used.
    #[error("the nonce is not one of this issuer's, too old, or used; fetch a new one")]
    Nonce,
    /// The encryption asked for is not possible.
    #[error(
        "encryption is possible with ECDH-ES on P-256 and the metadata's enc values, and only asked for in an encrypted request"
    )]
    Encryption,
    /// The ledger gives the issuer no right to issue this type.
    #[error("this issuer has no right on the ledger to issue {vct}")]
    NotAccredited {
        /// The type.
        vct: String,
    },
    /// What the ledger says is not known at the moment.
    #[error("the issuer's rights cannot be read from the ledger at the moment")]
    RightsUnknown,
    /// There is no such record any more, or it may not have this credential.
    #[error("there is no record for this credential")]
    NoRecord,
    /// The person has been given as many credentials of this type today as are given in a day.
    #[error(
        "one person is given at most {most} credentials of this type a day, and {left} are left today: \
         ask for no more than that, or again after midnight UTC"
    )]
    TooManyCopies {
        /// As many in a day.
        most: u64,
        /// As many are left of them.
        left: u64,
    },
    /// An operator has denied the request.
    #[error("the issuer has denied this credential")]
    Denied,
    /// The data cannot be read, or does not fit its schema.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// No such deferred transaction for this token, or it has been fetched.
    #[error("there is no such transaction, or its credential has been fetched")]
    Transaction,
    /// The notification cannot be taken.
    #[error(transparent)]
    Notification(#[from] NotificationError),
    /// What was typed belongs to another page than the browser has open.
    #[error(
        "another request has been opened in this browser since: go on there, or start again in your wallet"
    )]
    OtherPage,
    /// No such status list.
    #[error("there is no such status list")]
    UnknownList,
    /// No publication of the list was in force at that time, or it has been forgotten.
    #[error("nothing is kept that the status list said at that time")]
    NotPublished,
    /// No such type.
    #[error("there is no such type")]
    UnknownType,
    /// No such offer, or it is over.
    #[error("there is no such offer, or it is over")]
    UnknownOffer,
    /// Too many requests from one address.
    #[error("too many requests from this address")]
    RateLimited {
        /// Seconds until the next request.
        retry_after: u64,
    },
    /// The body is longer than allowed or of another media type.
    #[error("the body's media type is not the one of this endpoint")]
    MediaType,
    /// The database fails.
    #[error("the database fails")]
    Database(#[from] sqlx::Error),
    /// What is stored cannot be read, or a credential cannot be signed.
    #[error("the issuer failed: {0}")]
    Internal(&'static str),
}

impl IssueRefusal {
    /// The error code on the wire.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TokenRequest(error) => error.code().as_str(),
            Self::WalletRequest(error) => error.code().as_str(),
            Self::PushedRequest | Self::MustPush | Self::DpopHeaders | Self::MediaType | Self::OtherPage => {
                ErrorCode::InvalidRequest.as_str()
            }
            Self::TxCodeMissing | Self::TxCodeUnexpected => ErrorCode::InvalidRequest.as_str(),
            Self::Grant | Self::TxCode | Self::OtherClient | Self::Pkce(_) | Self::DpopOtherKey => {
                ErrorCode::InvalidGrant.as_str()
            }
            Self::DetailNotGranted => ErrorCode::InvalidAuthorizationDetails.as_str(),
            Self::Dpop(_) | Self::DpopMissing | Self::DpopReplayed => ErrorCode::InvalidDpopProof.as_str(),
            Self::DpopNonce => ErrorCode::UseDpopNonce.as_str(),
            Self::NoToken | Self::Token => ErrorCode::InvalidToken.as_str(),
            Self::NotGranted => ErrorCode::InsufficientScope.as_str(),
            Self::Request(error) => error.code().as_str(),
            Self::IdentifierNeeded => CredentialErrorCode::InvalidCredentialRequest.as_str(),
            Self::UnknownConfiguration => CredentialErrorCode::UnknownCredentialConfiguration.as_str(),
            Self::UnknownIdentifier => CredentialErrorCode::UnknownCredentialIdentifier.as_str(),
            Self::Proof(error) => error.code().as_str(),
            Self::NoProof | Self::TooManyProofs(_) => CredentialErrorCode::InvalidProof.as_str(),
            Self::Nonce => CredentialErrorCode::InvalidNonce.as_str(),
            Self::Encryption => CredentialErrorCode::InvalidEncryptionParameters.as_str(),
            Self::NotAccredited { .. } | Self::NoRecord | Self::TooManyCopies { .. } | Self::Denied => {
                CredentialErrorCode::CredentialRequestDenied.as_str()
            }
            Self::Transaction => CredentialErrorCode::InvalidTransactionId.as_str(),
            Self::Notification(error) => error.code().as_str(),
            Self::UnknownOffer => "unknown_offer",
            Self::UnknownList => "unknown_list",
            Self::NotPublished => "not_published",
            Self::UnknownType => "unknown_type",
            Self::RateLimited { .. } | Self::RightsUnknown => ErrorCode::TemporarilyUnavailable.as_str(),
            Self::Source(_) | Self::Database(_) | Self::Internal(_) => ErrorCode::ServerError.as_str(),
        }
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::NoToken | Self::Token => 401,
            Self::NotGranted => 403,
            Self::UnknownOffer | Self::UnknownList | Self::UnknownType => 404,
            Self::NotPublished => 406,
            Self::MediaType => 415,
            Self::RateLimited { .. } => 429,
            Self::RightsUnknown => 503,
            Self::Source(_) | Self::Database(_) | Self::Internal(_) => 500,
            _ => 400,
        }
    }
}
