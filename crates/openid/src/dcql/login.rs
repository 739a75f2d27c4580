//! The query for a real-name login: a credential query of the format `realdid+jwt`.

use realdid_checks::passes;
use serde_json::{Map, Value};

use super::{CredentialQuery, DcqlError, DcqlQuery};
use crate::realdid_jwt::FORMAT;

/// The identifier of the login query in our own requests.
pub const LOGIN_ID: &str = "realname";
/// The purpose of a login query.
const PURPOSE: &str = "login";

/// A query for a real-name login, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginQuery {
    /// Names the answer in `vp_token`.
    pub id: String,
    /// The lowest assurance level that will do: `low`, `substantial` or `high`.
    pub level: String,
}

impl CredentialQuery {
    /// The query for a login at this level, under the identifier [`LOGIN_ID`].
    #[must_use]
    pub fn login(level: &str) -> Self {
        let meta = [("purpose", PURPOSE), ("level", level)];
        Self {
            id: LOGIN_ID.to_owned(),
            format: FORMAT.to_owned(),
            multiple: None,
            meta: Map::from_iter(meta.map(|(name, value)| (name.to_owned(), value.into()))),
            trusted_authorities: None,
            require_cryptographic_holder_binding: None,
            claims: None,
            claim_sets: None,
        }
    }
}

impl DcqlQuery {
    /// The query for a login and nothing else.
    #[must_use]
    pub fn login(level: &str) -> Self {
        Self {
            credentials: vec![CredentialQuery::login(level)],
            credential_sets: None,
        }
    }

    /// The login among what is asked for, if there is one.
    ///
    /// # Errors
    /// [`DcqlError::Count`] for several, [`DcqlError::Purpose`].
    pub fn login_query(&self) -> Result<Option<LoginQuery>, DcqlError> {
        let mut logins = self.credentials.iter().filter(|query| query.format == FORMAT);
        let Some(query) = logins.next() else {
            return Ok(None);
        };
        if !passes("VP-03", logins.next().is_none() && !query.takes_several()) {
            return Err(DcqlError::Count);
        }
        let unasked =
            query.claims.is_none() && query.claim_sets.is_none() && query.trusted_authorities.is_none();
        let text = |name: &str| query.meta.get(name).and_then(Value::as_str).unwrap_or_default();
        let level = ["low", "substantial", "high"].contains(&text("level"));
        if !passes("VP-05", level && unasked && text("purpose") == PURPOSE) {
            return Err(DcqlError::Purpose);
        }
        Ok(Some(LoginQuery {
            id: query.id.clone(),
            level: text("level").to_owned(),
        }))
    }

    /// The login, where nothing else is asked for.
    ///
    /// # Errors
    /// As [`Self::login_query`]; [`DcqlError::Purpose`] if there is anything else.
    pub fn as_login(&self) -> Result<LoginQuery, DcqlError> {
        let alone = self.credentials.len() == 1 && self.credential_sets.is_none();
        match self.login_query()? {
            Some(login) if alone => Ok(login),
            _ => Err(DcqlError::Purpose),
        }
    }
}
