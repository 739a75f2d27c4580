//! What a status list says about a copy, and whether it may say so.

use realdid_checks::passes;
use realdid_credential::status::token::StatusListToken;
use realdid_credential::status::{Reference, Status, StatusError};

use super::{HeldCredential, HeldStatus, StatusValue};
use crate::issuance::IssuerKey;

/// Oldest list that is believed, in seconds: a week, since a wallet only tells its holder.
const MAX_AGE: u64 = 7 * 86_400;

/// Why a status is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StatusCheckError {
    /// The list.
    #[error(transparent)]
    List(#[from] StatusError),
    /// The list is signed by somebody else than the credential.
    #[error("the status list is not signed by the credential's issuer")]
    OtherIssuer,
}

impl StatusCheckError {
    /// The stable code, the same in every language and version.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::List(_) => "status_list_invalid",
            Self::OtherIssuer => "status_list_other_issuer",
        }
    }
}

/// Who signed a credential, and who signed its status list.
#[derive(Debug, Clone, Copy)]
pub struct Signers<'a> {
    /// Whose key the credential leads to.
    pub credential: &'a IssuerKey,
    /// Whose key the list leads to.
    pub list: &'a IssuerKey,
}

/// What the list says. `now` in Unix seconds.
///
/// # Errors
/// [`StatusCheckError`].
pub fn read_status(
    list: &StatusListToken,
    status: &HeldStatus,
    signers: Signers<'_>,
    now: u64,
) -> Result<StatusValue, StatusCheckError> {
    let (own, other) = (signers.credential, signers.list);
    let same = match (&own.did, &other.did) {
        (Some(own), Some(other)) => own == other,
        (None, _) => own.key == other.key,
        (Some(_), None) => false,
    };
    if !passes("WVC-30", same) {
        return Err(StatusCheckError::OtherIssuer);
    }
    let published = list.verify(&other.key, &status.uri, now)?;
    let reference = Reference {
        uri: status.uri.clone(),
        index: status.index,
    };
    Ok(match published.status(&reference, now, MAX_AGE)? {
        Status::Valid => StatusValue::Valid,
        Status::Invalid => StatusValue::Revoked,
        Status::Suspended => StatusValue::Suspended,
        other => StatusValue::Other(other.value()),
    })
}

impl HeldCredential {
    /// The last status seen of the copies that have one: the worst of them.
    #[must_use]
    pub fn seen_status(&self) -> Option<super::SeenStatus> {
        let seen = self.copies.iter().filter_map(|copy| copy.status.as_ref()?.last);
        seen.max_by_key(|seen| (seen.value != StatusValue::Valid, seen.checked_at))
    }
}
