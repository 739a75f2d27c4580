//! Authorization codes and access tokens: what a website may learn, and that it learns it once.

use realdid_checks::passes;
use realdid_openid::oidc::id_token::PersonClaims;
use realdid_openid::oidc::{Scopes, TokenError};
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

use crate::clients::level_name;
use crate::database::{Database, DatabaseError, number, unsigned};
use crate::login::{Answer, Asked};
use crate::secret::{Secret, SecretHash};

/// Life of an authorization code, in seconds.
pub(crate) const CODE_LIFETIME: u64 = 60;
/// Life of an access token, in seconds.
pub(crate) const TOKEN_LIFETIME: u64 = 600;

/// What a website may learn about a visitor, by a code or an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) asked: Asked,
    pub(crate) answer: Answer,
}

impl Grant {
    pub(crate) const fn scopes(&self) -> &Scopes {
        &self.asked.scopes
    }

    /// The claims about the person that were asked for.
    pub(crate) fn person(&self) -> PersonClaims {
        let realname = self.asked.scopes.realname_verified;
        PersonClaims {
            realname_verified: realname.then_some(true),
            assurance_level: realname.then(|| level_name(self.answer.level).to_owned()),
            credential: self.answer.claims.clone(),
        }
    }
}

/// A code as it is stored.
#[derive(Debug)]
pub(crate) struct StoredCode {
    hash: SecretHash,
    pub(crate) grant: Grant,
    used: bool,
    expires_at: u64,
}

impl StoredCode {
    /// Whether this client may use the code now. Whether it was used before, `redeem` tells.
    pub(crate) fn check(&self, client_id: &str, now: u64) -> Result<(), TokenError> {
        if !passes("OIDC-17", self.grant.asked.client_id == client_id) {
            return Err(TokenError::Code);
        }
        if passes("OIDC-18", self.used || now < self.expires_at) {
            Ok(())
        } else {
            Err(TokenError::Expired)
        }
    }
}

impl Database {
    /// Makes a code for a grant.
    pub(crate) async fn issue_code(&self, grant: &Grant, now: u64) -> Result<Secret, DatabaseError> {
        let code = Secret::generate();
        sqlx::query(r#"INSERT INTO codes (code_hash, "grant", used, expires_at) VALUES ($1, $2, 0, $3)"#)
            .bind(code.hash().as_str())
            .bind(serde_json::to_string(grant)?)
            .bind(number(now + CODE_LIFETIME))
            .execute(self.pool())
            .await?;
        Ok(code)
    }

    pub(crate) async fn code(&self, shown: &str) -> Result<Option<StoredCode>, DatabaseError> {
        let hash = SecretHash::of(shown);
        let row = sqlx::query("SELECT * FROM codes WHERE code_hash = $1")
            .bind(hash.as_str())
            .fetch_optional(self.pool())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let grant: String = row.try_get("grant")?;
        Ok(Some(StoredCode {
            hash,
            grant: serde_json::from_str(&grant)?,
            used: row.try_get::<i64, _>("used")? != 0,
            expires_at: unsigned(row.try_get("expires_at")?),
        }))
    }

    /// Uses a code and makes its access token. Of several uses at once one succeeds; every other
    /// takes back what the code gave (RFC 6749 §4.1.2).
    pub(crate) async fn redeem(
        &self,
        code: &StoredCode,
        now: u64,
    ) -> Result<Result<Secret, TokenError>, DatabaseError> {
        let token = Secret::generate();
        let mut transaction = self.pool().begin().await?;
        let used = sqlx::query("UPDATE codes SET used = 1 WHERE code_hash = $1 AND used = 0")
            .bind(code.hash.as_str())
            .execute(&mut *transaction)
            .await?;
        if !passes("OIDC-19", used.rows_affected() == 1) {
            sqlx::query("DELETE FROM access_tokens WHERE code_hash = $1")
                .bind(code.hash.as_str())
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            return Ok(Err(TokenError::Used));
        }
        let statement = r#"INSERT INTO access_tokens (token_hash, code_hash, "grant", expires_at) VALUES ($1, $2, $3, $4)"#;
        sqlx::query(statement)
            .bind(token.hash().as_str())
            .bind(code.hash.as_str())
            .bind(serde_json::to_string(&code.grant)?)
            .bind(number(now + TOKEN_LIFETIME))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(Ok(token))
    }

    /// What an access token grants, if it is one and has not expired.
    pub(crate) async fn access(&self, shown: &str, now: u64) -> Result<Option<Grant>, DatabaseError> {
        let statement = r#"SELECT "grant" FROM access_tokens WHERE token_hash = $1 AND expires_at > $2"#;
        let grant: Option<String> = sqlx::query_scalar(statement)
            .bind(SecretHash::of(shown).as_str())
            .bind(number(now))
            .fetch_optional(self.pool())
            .await?;
        Ok(grant.map(|grant| serde_json::from_str(&grant)).transpose()?)
    }
}
