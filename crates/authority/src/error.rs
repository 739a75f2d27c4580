//! Why the authority refuses: one variant per reason, mapped once to the code that travels.

/// Why a request is refused. No variant holds, and no text tells, anything about a person.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The body is not JSON of the expected form, or a field is out of range; it is named.
    #[error("the request's `{0}` is missing or out of range")]
    InvalidRequest(&'static str),
    /// The account key is not a valid multikey.
    #[error("the account key is not a valid multikey")]
    InvalidAccountKey,
    /// Too many enrolments or wrong codes for this number, whether it is anybody's or not.
    #[error("too many attempts; the next is possible in {retry_after} s")]
    TooManyAttempts {
        /// Seconds until the next attempt.
        retry_after: u64,
    },
    /// Too many requests from one address.
    #[error("too many requests from this address")]
    RateLimited {
        /// Seconds until the next request.
        retry_after: u64,
    },
    /// There is no such enrolment.
    #[error("there is no such enrolment")]
    UnknownEnrolment,
    /// The enrolment's time is over.
    #[error("the enrolment has expired")]
    EnrolmentExpired,
    /// The enrolment has been confirmed before; a code works once.
    #[error("the code has been used")]
    CodeUsed,
    /// The code is wrong.
    #[error("the code is wrong; {attempts_left} attempts are left")]
    InvalidCode {
        /// How often this enrolment may still be tried.
        attempts_left: u64,
    },
    /// No valid signature by the account's key, or no such account.
    #[error("the request carries no valid signature by the account's key")]
    InvalidAccountSignature,
    /// Signed for another audience, network or enrolment.
    #[error("the signed claim `{0}` is not for this request")]
    WrongClaim(&'static str),
    /// Signed too long ago, in the future, or for too long.
    #[error("the signed times `iat` and `exp` are not acceptable now")]
    StaleRequest,
    /// The request's `jti` has been seen before.
    #[error("the request has been made before")]
    ReplayedRequest,
    /// The person has enrolled another key since.
    #[error("a later enrolment has replaced this account")]
    AccountReplaced,
    /// Not the key of the current epoch.
    #[error("the key is not the one of the current epoch")]
    UnknownKey,
    /// No blinded value, or more than the limit.
    #[error("a request has 1 to {0} blinded values")]
    BatchSize(usize),
    /// A blinded value that must not be signed; its place in the batch is named.
    #[error("blinded value {0} is not 256 bytes between 2 and n − 2")]
    BlindedValueOutOfRange(usize),
    /// The person has no tokens left in this period.
    #[error("only {remaining} tokens are left, for the next {resets_in} s")]
    QuotaExhausted {
        /// Tokens left in this period.
        remaining: u64,
        /// Seconds until the next period.
        resets_in: u64,
    },
    /// The ledger shows no key for the current epoch, or cannot be reached.
    #[error("the current epoch's key is not available yet")]
    KeyUnavailable,
    /// Only a sandbox does this.
    #[error("only a sandbox does this")]
    NotSandbox,
    /// The ledger does not take what the authority sent it.
    #[error("the ledger did not take the operation: {0}")]
    Ledger(String),
    /// The database fails.
    #[error("the database fails")]
    Database(#[from] sqlx::Error),
    /// The private operation failed or its result does not verify.
    #[error("signing failed")]
    Signing,
}

impl Refusal {
    /// The stable code, the same in every version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidAccountKey => "invalid_account_key",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::RateLimited { .. } => "rate_limited",
            Self::UnknownEnrolment => "unknown_enrolment",
            Self::EnrolmentExpired => "enrolment_expired",
            Self::CodeUsed => "code_used",
            Self::InvalidCode { .. } => "invalid_code",
            Self::InvalidAccountSignature => "invalid_account_signature",
            Self::WrongClaim(_) => "wrong_claim",
            Self::StaleRequest => "stale_request",
            Self::ReplayedRequest => "replayed_request",
            Self::AccountReplaced => "account_replaced",
            Self::UnknownKey => "unknown_key",
            Self::BatchSize(_) => "batch_size",
            Self::BlindedValueOutOfRange(_) => "blinded_value_out_of_range",
            Self::QuotaExhausted { .. } => "quota_exhausted",
            Self::KeyUnavailable => "key_unavailable",
            Self::NotSandbox => "not_sandbox",
            Self::Ledger(_) => "ledger_refused",
            Self::Database(_) | Self::Signing => "internal_error",
        }
    }

    /// The HTTP status that goes with it (RFC 9110 §15).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::InvalidRequest(_)
            | Self::InvalidAccountKey
            | Self::WrongClaim(_)
            | Self::StaleRequest
            | Self::BatchSize(_)
            | Self::BlindedValueOutOfRange(_) => 400,
            Self::InvalidAccountSignature => 401,
            Self::InvalidCode { .. } | Self::AccountReplaced => 403,
            Self::UnknownEnrolment | Self::NotSandbox => 404,
            Self::CodeUsed | Self::ReplayedRequest | Self::UnknownKey => 409,
            Self::EnrolmentExpired => 410,
            Self::TooManyAttempts { .. } | Self::RateLimited { .. } | Self::QuotaExhausted { .. } => 429,
            Self::Database(_) | Self::Signing => 500,
            Self::Ledger(_) => 502,
            Self::KeyUnavailable => 503,
        }
    }

    /// What whoever asked can do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) | Self::InvalidAccountKey | Self::BatchSize(_) => "correct the request",
            Self::TooManyAttempts { .. } => "wait, then start a new enrolment",
            Self::RateLimited { .. } => "wait, then try again",
            Self::UnknownEnrolment | Self::EnrolmentExpired | Self::CodeUsed => "start a new enrolment",
            Self::InvalidCode { .. } => "enter the code of the last message, or start a new enrolment",
            Self::InvalidAccountSignature => "sign with the key of the enrolment",
            Self::WrongClaim(_) => "sign a request for this authority and network",
            Self::StaleRequest => "set the clock, then sign again",
            Self::ReplayedRequest => "sign a new request; values paid for cost nothing more",
            Self::AccountReplaced => "enrol this device again if it should be the active one",
            Self::UnknownKey => "fetch the current key and blind anew",
            Self::BlindedValueOutOfRange(_) => "blind anew",
            Self::QuotaExhausted { .. } => "wait for the next period",
            Self::KeyUnavailable | Self::Ledger(_) => "try again in some seconds",
            Self::NotSandbox => "epochs pass by themselves here",
            Self::Database(_) | Self::Signing => "try again; report the request id if it goes on",
        }
    }

    /// Seconds after which the same request may succeed, if that is known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyAttempts { retry_after } | Self::RateLimited { retry_after } => Some(*retry_after),
            Self::QuotaExhausted { resets_in, .. } => Some(*resets_in),
            Self::KeyUnavailable => Some(5),
            _ => None,
        }
    }
}
