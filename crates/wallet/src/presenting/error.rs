//! Why the wallet has no answer to a request it believes.

use realdid_credential::sd_jwt::SdJwtError;
use realdid_did::Level;
use realdid_jose::jwe::JweError;
use realdid_openid::authorization_request::TransactionError;
use realdid_openid::jws::JwsError;
use realdid_openid::registration::OverAsked;

use super::rights;
use crate::credentials::CredentialError;
use crate::state::WalletError;

/// Why the wallet has no answer to a request it believes.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The DID named is not held.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// The DID named is known to another site.
    #[error("the DID is known to {0}, and is never shown to another site")]
    PinnedElsewhere(String),
    /// No fresh DID is left.
    #[error("no fresh DID is left for a new site")]
    PoolEmpty,
    /// The DID has no token.
    #[error("the DID has no real-name token")]
    NoToken,
    /// The site asks for a higher level than the token has.
    #[error("the site asks for level {asked}, the token has {held:?}")]
    Level {
        /// What the site asks for.
        asked: String,
        /// What the token says.
        held: Level,
    },
    /// A login is asked for by a command that gives none, or the other way round.
    #[error("the request does not ask for a login")]
    NoLogin,
    /// A verifier of the network asks for what it is not registered to ask for.
    #[error("`{asker}` asks for what it is not registered to ask for: {}", rights::list(.asked))]
    OverAsking {
        /// Its name.
        asker: String,
        /// What.
        asked: Vec<OverAsked>,
    },
    /// Nothing proves who asks, and the holder did not say that it is to be answered nonetheless.
    #[error("nothing proves who asks: the request is not signed")]
    Unproved,
    /// No credential answers the request; the types that are asked for, as who asks names them.
    #[error("the wallet holds no valid credential that answers the request{}", types(.0))]
    NothingFits(Vec<String>),
    /// Everything that is asked for is of a format that this wallet does not hold.
    #[error("the request asks for a format of credentials that this wallet does not hold")]
    FormatUnknown,
    /// The credential that was named does not answer the request.
    #[error("credential {0} does not answer the request")]
    DoesNotFit(u32),
    /// What the holder wants to keep back is insisted on.
    #[error("the verifier insists on what you want to keep back: {}", .0.join(", "))]
    Insists(Vec<String>),
    /// Nothing of that name is asked for.
    #[error("nothing called `{0}` is asked for")]
    NotAsked(String),
    /// The credential is made with algorithms that the verifier does not say it reads.
    #[error("the verifier cannot read the algorithms that your credential is made with")]
    VerifierCannotRead,
    /// The copy that was to be shown once was shown since the holder agreed.
    #[error("the copy of the credential was shown to somebody else since you agreed")]
    CopyUsed,
    /// More would be shown than was agreed to.
    #[error("the presentation would hold other claims than you agreed to")]
    NotAgreed,
    /// The request has expired since the holder was asked.
    #[error("the request has expired meanwhile")]
    Expired,
    /// What is to be authorised.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
    /// The credential.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The credential as it is stored.
    #[error("the stored credential cannot be read: {0}")]
    SdJwt(#[from] SdJwtError),
    /// The answer cannot be encrypted.
    #[error("the answer cannot be encrypted: {0}")]
    Encryption(#[from] JweError),
    /// Signing failed: the answer is too long.
    #[error(transparent)]
    Jws(#[from] JwsError),
}

fn types(types: &[String]) -> String {
    if types.is_empty() {
        return String::new();
    }
    let types: Vec<_> = types
        .iter()
        .take(4)
        .map(|name| crate::names::clean(name, crate::names::MAX_NAME))
        .collect();
    format!(" (asked for: {})", types.join(", "))
}

impl AnswerError {
    /// The stable code, the same in every language and version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Wallet(error) => error.code(),
            Self::PinnedElsewhere(_) => "did_pinned_elsewhere",
            Self::PoolEmpty => "pool_empty",
            Self::NoToken => "no_token",
            Self::Level { .. } => "level_too_low",
            Self::NoLogin => "no_login_asked",
            Self::OverAsking { .. } => "over_asking",
            Self::Unproved => "verifier_unproved",
            Self::NothingFits(_) => "credential_missing",
            Self::FormatUnknown => "credential_format_unknown",
            Self::DoesNotFit(_) => "credential_does_not_fit",
            Self::Insists(_) => "claim_insisted_on",
            Self::NotAsked(_) => "claim_not_asked",
            Self::VerifierCannotRead => "verifier_cannot_read",
            Self::CopyUsed => "credential_copy_used",
            Self::NotAgreed => "presentation_not_agreed",
            Self::Expired => "request_expired",
            Self::Transaction(_) => "transaction_unsupported",
            Self::Credential(error) => error.code(),
            Self::SdJwt(error) => error.code(),
            Self::Encryption(_) => "answer_encryption",
            Self::Jws(_) => "answer_too_long",
        }
    }

    /// What the verifier is told (OpenID4VP 1.0 §8.5), if it is told at all. Whether the wallet lacks
    /// a credential, has another value in it, or its holder does not want to show it, looks alike
    /// from there (§15.5).
    #[must_use]
    pub const fn response_code(&self) -> &'static str {
        match self {
            Self::Transaction(_) => "invalid_transaction_data",
            Self::VerifierCannotRead | Self::FormatUnknown => "vp_formats_not_supported",
            _ => "access_denied",
        }
    }
}
