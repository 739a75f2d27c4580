//! Pushed authorization requests (RFC 9126): kept for a short while, used once.

use realdid_checks::passes;
use realdid_openid::oidc::AuthorizationError;
use realdid_openid::oidc::authorization::REQUEST_URI_PREFIX;

use crate::database::{Database, DatabaseError, number};
use crate::secret::{Secret, SecretHash};

/// How long a pushed request may wait for its browser, in seconds.
pub(crate) const PUSHED_LIFETIME: u64 = 90;

impl Database {
    /// Keeps a pushed request; gives its `request_uri`.
    pub(crate) async fn push_request(
        &self,
        client_id: &str,
        parameters: &str,
        now: u64,
    ) -> Result<String, DatabaseError> {
        let id = Secret::generate();
        let statement = "INSERT INTO pushed_requests (id_hash, client_id, parameters, expires_at)
                         VALUES ($1, $2, $3, $4)";
        sqlx::query(statement)
            .bind(id.hash().as_str())
            .bind(client_id)
            .bind(parameters)
            .bind(number(now + PUSHED_LIFETIME))
            .execute(self.pool())
            .await?;
        Ok(format!("{REQUEST_URI_PREFIX}{}", id.as_str()))
    }

    /// Takes a pushed request of this client out; a second time there is none.
    pub(crate) async fn take_pushed(
        &self,
        request_uri: &str,
        client_id: &str,
        now: u64,
    ) -> Result<Result<String, AuthorizationError>, DatabaseError> {
        let Some(id) = request_uri.strip_prefix(REQUEST_URI_PREFIX) else {
            return Ok(Err(AuthorizationError::RequestUri));
        };
        let statement =
            "DELETE FROM pushed_requests WHERE id_hash = $1 AND client_id = $2 AND expires_at > $3
                         RETURNING parameters";
        let parameters: Option<String> = sqlx::query_scalar(statement)
            .bind(SecretHash::of(id).as_str())
            .bind(client_id)
            .bind(number(now))
            .fetch_optional(self.pool())
            .await?;
        if !passes("OIDC-16", parameters.is_some()) {
            return Ok(Err(AuthorizationError::RequestUri));
        }
        Ok(parameters.ok_or(AuthorizationError::RequestObject))
    }
}
