//! Logins and wallet requests in the database.

use realdid_checks::passes;
use sqlx::Row as _;

use crate::database::{Database, DatabaseError, number, unsigned};
use crate::login::{CROSS_DEVICE_LIFETIME, Device, Login, LoginError, Stage};
use crate::secret::{Secret, SecretHash, random_id};

/// What a wallet was asked.
#[derive(Debug, Clone)]
pub(crate) struct WalletRequest {
    pub(crate) id: String,
    pub(crate) login_id: String,
    pub(crate) device: Device,
    pub(crate) nonce: String,
    pub(crate) state: String,
    /// In Unix seconds.
    pub(crate) expires_at: u64,
}

impl WalletRequest {
    /// A new request of a login.
    pub(crate) fn of(login: &Login, device: Device, now: u64) -> Self {
        let expires_at = match device {
            Device::Same => login.expires_at,
            Device::Other => login.expires_at.min(now + CROSS_DEVICE_LIFETIME),
        };
        Self {
            id: random_id(),
            login_id: login.id.clone(),
            device,
            nonce: Secret::generate().as_str().to_owned(),
            state: random_id(),
            expires_at,
        }
    }
}

/// Why a stored login could not be moved on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Login(#[from] LoginError),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Database {
    pub(crate) async fn insert_login(&self, login: &Login) -> Result<(), DatabaseError> {
        let statement = "INSERT INTO logins (id, browser_hash, asked, stage, version, expires_at)
                         VALUES ($1, $2, $3, $4, $5, $6)";
        sqlx::query(statement)
            .bind(&login.id)
            .bind(login.browser.as_str())
            .bind(serde_json::to_string(&login.asked)?)
            .bind(serde_json::to_string(&login.stage)?)
            .bind(login.version)
            .bind(number(login.expires_at))
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// A login that has not expired.
    pub(crate) async fn login(&self, id: &str, now: u64) -> Result<Login, StoreError> {
        let row = sqlx::query("SELECT * FROM logins WHERE id = $1 AND expires_at > $2")
            .bind(id)
            .bind(number(now))
            .fetch_optional(self.pool())
            .await?;
        if !passes("SIG-10", row.is_some()) {
            return Err(LoginError::Unknown.into());
        }
        let row = row.ok_or(LoginError::NotAnswered)?;
        let json = |name| -> Result<String, sqlx::Error> { row.try_get(name) };
        Ok(Login {
            id: row.try_get("id")?,
            browser: SecretHash::stored(row.try_get("browser_hash")?),
            asked: serde_json::from_str(&json("asked")?).map_err(DatabaseError::from)?,
            stage: serde_json::from_str(&json("stage")?).map_err(DatabaseError::from)?,
            version: row.try_get("version")?,
            expires_at: unsigned(row.try_get("expires_at")?),
        })
    }

    /// Moves a login to its next stage, unless another move was quicker.
    pub(crate) async fn advance_login(&self, login: &Login, next: &Stage) -> Result<(), StoreError> {
        let statement = "UPDATE logins SET stage = $1, version = version + 1 WHERE id = $2 AND version = $3";
        let done = sqlx::query(statement)
            .bind(serde_json::to_string(next).map_err(DatabaseError::from)?)
            .bind(&login.id)
            .bind(login.version)
            .execute(self.pool())
            .await?;
        if passes("SIG-11", done.rows_affected() == 1) {
            return Ok(());
        }
        Err(match next {
            Stage::Completed => LoginError::Completed.into(),
            _ => LoginError::AlreadyAnswered.into(),
        })
    }

    pub(crate) async fn insert_request(&self, request: &WalletRequest) -> Result<(), DatabaseError> {
        let statement = "INSERT INTO requests (id, login_id, device, nonce, state, expires_at)
                         VALUES ($1, $2, $3, $4, $5, $6)";
        sqlx::query(statement)
            .bind(&request.id)
            .bind(&request.login_id)
            .bind(request.device.as_str())
            .bind(&request.nonce)
            .bind(&request.state)
            .bind(number(request.expires_at))
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// A request that has not expired.
    pub(crate) async fn request(&self, id: &str, now: u64) -> Result<WalletRequest, StoreError> {
        let statement = "SELECT * FROM requests WHERE id = $1 AND expires_at > $2";
        let row = sqlx::query(statement)
            .bind(id)
            .bind(number(now))
            .fetch_optional(self.pool())
            .await?;
        if !passes("SIG-12", row.is_some()) {
            return Err(LoginError::Unknown.into());
        }
        let row = row.ok_or(LoginError::NotAnswered)?;
        Ok(read_request(&row)?)
    }

    /// The request of a login for a device that expires last, if any.
    pub(crate) async fn latest_request(
        &self,
        login_id: &str,
        device: Device,
    ) -> Result<Option<WalletRequest>, DatabaseError> {
        let statement = "SELECT * FROM requests WHERE login_id = $1 AND device = $2
                         ORDER BY expires_at DESC LIMIT 1";
        let row = sqlx::query(statement)
            .bind(login_id)
            .bind(device.as_str())
            .fetch_optional(self.pool())
            .await?;
        row.as_ref().map(read_request).transpose()
    }
}

fn read_request(row: &sqlx::any::AnyRow) -> Result<WalletRequest, DatabaseError> {
    let device: String = row.try_get("device")?;
    let device = Device::from_str(&device).ok_or_else(|| sqlx::Error::Decode("unknown device".into()))?;
    Ok(WalletRequest {
        id: row.try_get("id")?,
        login_id: row.try_get("login_id")?,
        device,
        nonce: row.try_get("nonce")?,
        state: row.try_get("state")?,
        expires_at: unsigned(row.try_get("expires_at")?),
    })
}
