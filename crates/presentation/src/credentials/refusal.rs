//! Why credentials are refused: one variant per failure, with its stable code and what to do about it.

use realdid_credential::sd_jwt::SdJwtError;
use realdid_credential::status::StatusError;
use realdid_credential::vc::VcError;
use realdid_jose::x5c::X5cError;
use realdid_ledger::LightError;
use realdid_openid::authorization_request::TransactionError;
use realdid_openid::dcql::answer::AnswerError;

/// Why credentials are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialRefusal {
    /// What was shown does not answer what was asked.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The credential itself: signature, disclosures, times, key binding.
    #[error(transparent)]
    Credential(#[from] VcError),
    /// Nothing in it leads to its issuer's key.
    #[error("nothing in the credential leads to its issuer's key")]
    IssuerUnknown,
    /// The issuer's key could not be had.
    #[error("the issuer's key is not to be had at the moment")]
    IssuerUnavailable,
    /// The certificate chain in the credential.
    #[error("the credential's certificates cannot be used: {0}")]
    Certificates(#[from] X5cError),
    /// The issuer's DID is of another network.
    #[error("the credential's issuer belongs to another network")]
    OtherNetwork,
    /// The state of the ledger at hand is not proven, or too old.
    #[error(transparent)]
    State(#[from] LightError),
    /// The issuer's DID is not on the ledger, or has ended, or is being recovered.
    #[error("the issuer's DID is not active on the ledger")]
    IssuerInactive,
    /// The document at hand is not the issuer's current one.
    #[error("the document at hand is not the issuer's current one")]
    IssuerDocument,
    /// The key is none of the issuer's assertion keys.
    #[error("the credential is signed with a key that its issuer does not have now")]
    IssuerKey,
    /// The issuer is not accredited, struck off or suspended; or leads to no DID of this network and
    /// is not one that the relying party trusts by itself.
    #[error("the credential's issuer is not accredited")]
    IssuerNotAccredited,
    /// The issuer was not granted to issue this type.
    #[error("the credential's issuer may not issue credentials of this type")]
    TypeNotGranted,
    /// The status list at hand is missing, too old, or says nothing about this credential.
    #[error("whether the credential has been revoked cannot be told: {0}")]
    StatusUnknown(#[from] StatusError),
    /// No status list is at hand.
    #[error("the status list of the credential is not to be had at the moment")]
    StatusUnavailable,
    /// It has been revoked.
    #[error("the credential has been revoked")]
    Revoked,
    /// It is suspended.
    #[error("the credential is suspended")]
    Suspended,
    /// What was to be authorised was not.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
}

impl CredentialRefusal {
    /// The failure's stable name in interfaces.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Answer(error) => error.code(),
            Self::Credential(error) => error.code(),
            Self::IssuerUnknown => "issuer_unknown",
            Self::IssuerUnavailable => "issuer_unavailable",
            Self::Certificates(_) => "issuer_certificates_invalid",
            Self::OtherNetwork => "issuer_other_network",
            Self::State(error) => error.code(),
            Self::IssuerInactive => "issuer_inactive",
            Self::IssuerDocument => "issuer_document_mismatch",
            Self::IssuerKey => "issuer_key_not_current",
            Self::IssuerNotAccredited => "issuer_not_accredited",
            Self::TypeNotGranted => "issuer_not_granted_type",
            Self::StatusUnknown(_) => "status_unknown",
            Self::StatusUnavailable => "status_unavailable",
            Self::Revoked => "credential_revoked",
            Self::Suspended => "credential_suspended",
            Self::Transaction(_) => "transaction_not_authorised",
        }
    }

    /// What whoever holds the wallet can do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Credential(VcError::SdJwt(SdJwtError::Nonce | SdJwtError::Audience)) => {
                "start again from the website: this was shown for another request"
            }
            Self::Credential(error) => error.hint(),
            Self::Answer(_) => "show what the request asks for, and nothing else",
            Self::State(_) | Self::IssuerUnavailable | Self::StatusUnavailable | Self::IssuerDocument => {
                "try again in a few seconds; the request stays open"
            }
            Self::StatusUnknown(_) => "try again later; if it stays so, the issuer has to publish its list",
            Self::IssuerUnknown | Self::Certificates(_) | Self::OtherNetwork | Self::IssuerNotAccredited => {
                "get the credential from an issuer that is accredited on this network"
            }
            Self::IssuerInactive | Self::IssuerKey | Self::TypeNotGranted => {
                "get the credential anew from an issuer that may issue it"
            }
            Self::Revoked => "ask the issuer why it was revoked; it can issue another one",
            Self::Suspended => "ask the issuer when the credential will be in force again",
            Self::Transaction(_) => "start again, and confirm what the website asks you to",
        }
    }

    /// Whether the same answer may be accepted a little later.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::State(_) | Self::IssuerUnavailable | Self::StatusUnavailable | Self::IssuerDocument
        )
    }
}
