//! A request in the parameters of a link, that nobody signed (OpenID4VP 1.0 §5.9.3, `redirect_uri`).
//!
//! It proves nothing of who asks but where the answer would go. Whether it is answered at all is for
//! the holder to say.

use realdid_checks::passes;
use serde::de::DeserializeOwned;

use super::verify::checked;
use super::{AUDIENCE, RequestClaims, RequestContext, RequestError, VerifiedRequest};
use crate::jws::JwsError;
use crate::{ClientId, check_address, openid4vp_link};

/// A request that nobody signed; nothing about it is checked yet.
#[derive(Debug, Clone, PartialEq)]
pub struct UnsignedRequest(RequestClaims);

impl UnsignedRequest {
    /// Reads the query of a link. Unknown parameters are ignored (§5).
    ///
    /// # Errors
    /// [`RequestError::Jws`] if a parameter is missing, stands there twice or is not of its form;
    /// [`RequestError::OtherClient`] for a client identifier of another prefix.
    pub fn read(query: &str) -> Result<Self, RequestError> {
        let client_id = required(query, "client_id")?;
        let client_id = ClientId::parse_unsigned(&client_id).ok_or(RequestError::OtherClient)?;
        let response_uri = one(query, "response_uri")?;
        Ok(Self(RequestClaims {
            aud: AUDIENCE.to_owned(),
            response_type: required(query, "response_type")?,
            response_mode: required(query, "response_mode")?,
            response_uri: response_uri.unwrap_or_else(|| client_id.identifier().to_owned()),
            redirect_uri: one(query, "redirect_uri")?,
            nonce: required(query, "nonce")?,
            state: one(query, "state")?,
            dcql_query: json(query, "dcql_query")?.ok_or(JwsError::Claims)?,
            client_metadata: json(query, "client_metadata")?.unwrap_or_default(),
            iat: None,
            nbf: None,
            exp: None,
            wallet_nonce: None,
            // Others' words about somebody who proves nothing.
            verifier_info: Vec::new(),
            transaction_data: json(query, "transaction_data")?,
            client_id,
        }))
    }

    /// Where the answer would go: all that is known of who asks.
    #[must_use]
    pub const fn client_id(&self) -> &ClientId {
        &self.0.client_id
    }

    /// Makes every check that a signed request has to pass, but for its signature. `now` in Unix seconds.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn check(&self, now: u64, sandbox: bool) -> Result<VerifiedRequest, RequestError> {
        let claims = self.0.clone();
        let (named, asked) = (claims.client_id.identifier(), &claims.response_uri);
        let same = check_address(named, sandbox)? == check_address(asked, sandbox)?;
        if !passes("VP-43", same) {
            return Err(RequestError::ResponseHost);
        }
        let context = RequestContext {
            client_id: self.client_id(),
            request_uri: "",
            wallet_nonce: None,
            now,
            sandbox,
        };
        checked(claims, &context)
    }
}

fn one(query: &str, name: &'static str) -> Result<Option<String>, RequestError> {
    openid4vp_link::one(query, name).map_err(|_| JwsError::Form.into())
}

fn required(query: &str, name: &'static str) -> Result<String, RequestError> {
    one(query, name)?.ok_or_else(|| JwsError::Claims.into())
}

/// A parameter that is JSON: an object without duplicate names, or a list.
fn json<T: DeserializeOwned>(query: &str, name: &'static str) -> Result<Option<T>, RequestError> {
    let Some(text) = one(query, name)? else {
        return Ok(None);
    };
    // One level more, so that lists are held to the same rules.
    let wrapped = crate::json::parse_object(format!("{{\"value\":{text}}}").as_bytes());
    let value = wrapped
        .filter(|object| object.len() == 1)
        .and_then(|mut object| object.remove("value"));
    let value = value.and_then(|value| serde_json::from_value(value).ok());
    value.map(Some).ok_or_else(|| JwsError::Claims.into())
}
