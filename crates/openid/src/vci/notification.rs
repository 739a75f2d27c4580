//! What became of a credential (OpenID4VCI 1.0 §11).

use realdid_checks::passes;
use realdid_jose::json::parse_object;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::vci::credential::CredentialErrorCode;

/// Longest description, in bytes.
const MAX_DESCRIPTION: usize = 1000;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationEvent {
    /// The credentials are stored.
    CredentialAccepted,
    /// The person did not want them.
    CredentialDeleted,
    /// Something else went wrong.
    CredentialFailure,
}

impl NotificationEvent {
    /// The event's text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CredentialAccepted => "credential_accepted",
            Self::CredentialDeleted => "credential_deleted",
            Self::CredentialFailure => "credential_failure",
        }
    }
}

/// A notification. Unknown members are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationRequest {
    /// Out of the credential response.
    pub notification_id: String,
    /// What happened.
    pub event: NotificationEvent,
    /// For the issuer's developers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_description: Option<String>,
}

/// Why a notification is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// Not JSON of the required form, or with an unknown event.
    #[error("the notification needs notification_id and a known event")]
    Form,
    /// The description has characters that are not allowed, or more than 1,000.
    #[error("the event_description has characters that are not allowed, or too many")]
    Description,
    /// No such notification for this token.
    #[error("there is no such notification_id for this access token")]
    Unknown,
}

impl NotificationError {
    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> CredentialErrorCode {
        match self {
            Self::Form | Self::Description => CredentialErrorCode::InvalidNotificationRequest,
            Self::Unknown => CredentialErrorCode::InvalidNotificationId,
        }
    }
}

impl NotificationRequest {
    /// Reads a request body.
    ///
    /// # Errors
    /// [`NotificationError::Form`], [`NotificationError::Description`].
    pub fn parse(body: &[u8]) -> Result<Self, NotificationError> {
        let object = parse_object(body).ok_or(NotificationError::Form)?;
        let request: Self =
            serde_json::from_value(Value::Object(object)).map_err(|_| NotificationError::Form)?;
        let allowed = |c: u8| matches!(c, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        let text = request.event_description.as_deref().unwrap_or_default();
        let good = text.len() <= MAX_DESCRIPTION && text.bytes().all(allowed);
        if !passes("VCI-24", good) {
            return Err(NotificationError::Description);
        }
        Ok(request)
    }
}
