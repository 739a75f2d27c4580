//! Why a credential is not issued, in words its holder can do something with.

use realdid_openid::AddressError;
use realdid_openid::jws::JwsError;
use realdid_openid::oauth::server_metadata::MetadataError;
use realdid_openid::vci::OfferError;

use super::Endpoint;
use super::judge::JudgeError;
use crate::credentials::CredentialError;

/// Why a credential is not issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuanceError {
    /// The link or the offer behind it.
    #[error(transparent)]
    Offer(#[from] OfferError),
    /// An address that may not be contacted.
    #[error("the address of the issuer's {} may not be contacted: {source}", endpoint.name())]
    Address {
        /// Which one.
        endpoint: Endpoint,
        /// Why not.
        source: AddressError,
    },
    /// Metadata that is malformed, or somebody else's.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// The issuer's metadata lacks what is needed.
    #[error("the issuer does not say where its {} is", .0.name())]
    NoEndpoint(Endpoint),
    /// The offer names an authorization server that is not one of the issuer's.
    #[error("the offer names an authorization server that the issuer does not know")]
    ForeignServer,
    /// The offer names a credential the issuer does not describe.
    #[error("the offer names a credential that its issuer does not describe: `{0}`")]
    NotDescribed(String),
    /// None of the credentials is in a format this wallet reads.
    #[error("the credential is of the format `{0}`, which this wallet cannot hold")]
    Format(String),
    /// The issuer wants a key proof that this wallet cannot make.
    #[error("the issuer wants a proof of the holder's key that this wallet cannot give")]
    ProofType,
    /// The issuer wants an attestation of where the key is kept.
    #[error("the issuer wants its credential kept in certified hardware, which this wallet is not")]
    KeyAttestation,
    /// Neither of the grants is possible.
    #[error("the issuer gives this credential in no way that this wallet knows")]
    Grant,
    /// The authorization server does not take S256.
    #[error("the authorization server does not protect codes with S256")]
    Pkce,
    /// A transaction code is needed.
    #[error("the issuer sent you a transaction code, which is needed")]
    TxCodeMissing,
    /// A transaction code of the wrong form.
    #[error("the transaction code is not of the form the issuer describes")]
    TxCodeForm,
    /// Encryption is required in a way that is not supported.
    #[error("the issuer requires encryption in a way that this wallet does not support")]
    Encryption,
    /// What should have been encrypted was not, or not to this wallet.
    #[error("the issuer's answer is not encrypted to this wallet, though that was asked for")]
    NotEncrypted,
    /// The browser came back with somebody else's answer.
    #[error("the browser came back with an answer to another request")]
    State,
    /// The browser came back from another server.
    #[error("the browser came back from another server than it was sent to")]
    MixUp,
    /// The browser came back without a code.
    #[error("the browser came back without a code")]
    NoCode,
    /// A token of an unknown type.
    #[error("the issuer's access token is of a type that this wallet cannot use: `{0}`")]
    TokenType(String),
    /// The token is not for what was offered.
    #[error("the issuer's access token is not for the credential that was offered")]
    NotAuthorized,
    /// An answer that is not of the form the specification gives.
    #[error("the answer of the issuer's {} is not of the required form", .0.name())]
    Answer(Endpoint),
    /// A deferred answer to another transaction.
    #[error("the issuer answered for another transaction")]
    OtherTransaction,
    /// What was issued is not what was offered.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// The wallet cannot keep it.
    #[error(transparent)]
    Store(#[from] CredentialError),
    /// The issuer or its authorization server refused.
    #[error("the issuer's {} refused: {error}{}", endpoint.name(), said(description.as_ref()))]
    Refused {
        /// Where.
        endpoint: Endpoint,
        /// The error code on the wire, cleaned.
        error: String,
        /// What it says beside, cleaned.
        description: Option<String>,
    },
    /// There is nothing to fetch fresh copies with.
    #[error("the issuer gave nothing to fetch fresh copies with")]
    NoRefresh,
    /// The stored issuance is damaged, or steps were taken out of turn.
    #[error("the issuance cannot go on from here")]
    Damaged,
    /// A request would be too long.
    #[error(transparent)]
    Jws(#[from] JwsError),
}

fn said(description: Option<&String>) -> String {
    description.map(|text| format!(" ({text})")).unwrap_or_default()
}

impl IssuanceError {
    /// The stable code, the same in every language and version.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Offer(_) => "offer_invalid",
            Self::Address { .. } => "issuer_address_refused",
            Self::Metadata(_) => "issuer_metadata_invalid",
            Self::NoEndpoint(_) => "issuer_endpoint_missing",
            Self::ForeignServer => "offer_foreign_server",
            Self::NotDescribed(_) => "credential_not_described",
            Self::Format(_) => "credential_format_unsupported",
            Self::ProofType => "proof_type_unsupported",
            Self::KeyAttestation => "key_attestation_required",
            Self::Grant => "grant_unsupported",
            Self::Pkce => "pkce_unsupported",
            Self::TxCodeMissing => "tx_code_missing",
            Self::TxCodeForm => "tx_code_form",
            Self::Encryption => "encryption_unsupported",
            Self::NotEncrypted => "answer_not_encrypted",
            Self::State => "authorization_other_request",
            Self::MixUp => "authorization_other_server",
            Self::NoCode => "authorization_without_code",
            Self::TokenType(_) => "token_type_unsupported",
            Self::NotAuthorized => "token_for_other_credential",
            Self::Answer(_) => "issuer_answer_invalid",
            Self::OtherTransaction => "issuer_other_transaction",
            Self::Judge(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Refused { endpoint, error, .. } => Refusal(*endpoint, error).code(),
            Self::NoRefresh => "refresh_impossible",
            Self::Damaged => "issuance_out_of_turn",
            Self::Jws(_) => "request_too_long",
        }
    }

    /// Whether trying again later may help.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.code() == "issuer_unavailable"
    }
}

/// A refusal: where, and the error code on the wire.
struct Refusal<'a>(Endpoint, &'a str);

impl Refusal<'_> {
    fn code(&self) -> &'static str {
        match (self.1, self.0) {
            ("invalid_grant", _) => "offer_code_refused",
            ("invalid_client" | "unauthorized_client", _) => "wallet_unknown_to_issuer",
            ("access_denied", _) => "authorization_denied",
            ("invalid_token" | "insufficient_scope" | "http_401" | "http_403", _) => "access_expired",
            ("invalid_dpop_proof" | "use_dpop_nonce", _) => "dpop_refused",
            ("invalid_proof" | "invalid_nonce", _) => "holder_proof_refused",
            ("credential_request_denied", _) => "credential_denied",
            (
                "unknown_credential_configuration"
                | "unknown_credential_identifier"
                | "invalid_scope"
                | "invalid_authorization_details",
                _,
            ) => "credential_unknown_to_issuer",
            ("invalid_encryption_parameters", _) => "encryption_refused",
            ("invalid_transaction_id", _) => "transaction_unknown",
            ("http_404" | "http_410", Endpoint::Offer) => "offer_gone",
            ("http_404", Endpoint::IssuerMetadata | Endpoint::ServerMetadata) => "not_an_issuer",
            ("server_error" | "temporarily_unavailable" | "slow_down" | "http_429", _) => {
                "issuer_unavailable"
            }
            (code, _) if code.starts_with("http_5") => "issuer_unavailable",
            _ => "issuer_refused",
        }
    }
}
