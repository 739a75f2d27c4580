//! Why a credential is not accepted, or not made.

use crate::sd_jwt::{IssueError, SdJwtError};

/// Why a credential is not accepted, or not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VcError {
    /// The SD-JWT is not accepted.
    #[error(transparent)]
    SdJwt(#[from] SdJwtError),
    /// The SD-JWT cannot be made.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// `typ` is not [`super::TYP`].
    #[error("the message is no credential: its type is another than dc+sd-jwt")]
    Type,
    /// `vct` is missing or no name of a type.
    #[error("the credential does not name its type")]
    Vct,
    /// `aka_vcts` is not a list of other types.
    #[error("the credential's further types are not a list of other types")]
    AlsoTypes,
    /// `iss` is no text, or not the DID whose key `kid` names.
    #[error("the credential's issuer is not the one whose key it names")]
    IssuerMismatch,
    /// A time is no number of seconds, negative or beyond the year 9999.
    #[error("the credential's {0} is not a time")]
    Time(&'static str),
    /// It was issued in the future.
    #[error("the credential was issued in the future")]
    IssuedInFuture,
    /// It is not valid yet.
    #[error("the credential is not valid yet")]
    NotYetValid,
    /// It has expired.
    #[error("the credential has expired")]
    Expired,
    /// Its issuer made it for other verifiers.
    #[error("the credential is meant for other verifiers")]
    Audience,
    /// A claim about the credential itself is in a disclosure.
    #[error("the credential's {0} must not be selectively disclosable")]
    Disclosable(&'static str),
    /// `cnf` has no key.
    #[error("the credential names its holder's key in a way that is not understood")]
    Confirmation,
    /// `status` is there, but no place in a status list.
    #[error("the credential's status is not given in a way that is understood")]
    Status,
    /// `vct#integrity` is no integrity metadata.
    #[error("the credential's vct#integrity is not integrity metadata")]
    Integrity,
    /// A claim given by the issuer's data is one that the credential itself is made of.
    #[error("{0} is set by the issuer's configuration, not by a subject's data")]
    ReservedClaim(&'static str),
}

impl VcError {
    /// Stable name, for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SdJwt(error) => error.code(),
            Self::Issue(error) => error.code(),
            Self::Type => "credential_type",
            Self::Vct => "credential_vct",
            Self::AlsoTypes => "credential_aka_vcts",
            Self::IssuerMismatch => "credential_issuer_mismatch",
            Self::Time(_) => "credential_time",
            Self::IssuedInFuture => "credential_issued_in_future",
            Self::NotYetValid => "credential_not_yet_valid",
            Self::Expired => "credential_expired",
            Self::Audience => "credential_audience",
            Self::Disclosable(_) => "credential_disclosable_claim",
            Self::Confirmation => "credential_confirmation",
            Self::Status => "credential_status_reference",
            Self::Integrity => "credential_vct_integrity",
            Self::ReservedClaim(_) => "issue_reserved_claim",
        }
    }

    /// What helps, in plain words.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::SdJwt(error) => error.hint(),
            Self::Issue(error) => error.hint(),
            Self::Type => "Only dc+sd-jwt is read; the older vc+sd-jwt has to be issued anew.",
            Self::Expired => "Get the credential anew from its issuer.",
            Self::NotYetValid | Self::IssuedInFuture => "Check the clock, or wait.",
            Self::ReservedClaim(_) => "Take this claim out of the subject's data.",
            _ => "The credential does not keep SD-JWT VC; its issuer has to mend it.",
        }
    }
}
