//! What a wallet posts to the `response_uri` (`direct_post` and `direct_post.jwt`, OpenID4VP 1.0 §8).

use std::collections::BTreeMap;

use realdid_checks::passes;
use realdid_jose::jwe::{DecryptionKey, Jwe, JweError};
use serde_json::Value;
use url::form_urlencoded;

/// Longest body of an answer, in bytes: several presentations, form-encoded or encrypted.
pub const MAX_BODY: usize = 256 * 1024;

/// Why an answer cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// Longer than [`MAX_BODY`].
    #[error("the answer is longer than {MAX_BODY} bytes")]
    TooLong,
    /// A parameter stands there twice.
    #[error("a parameter stands in the answer twice")]
    Duplicate,
    /// Neither a `vp_token` nor an `error`, or both.
    #[error("the answer must have either a vp_token or an error")]
    Form,
    /// `state` is not the one of the request.
    #[error("the answer's state is not the one of the request")]
    State,
    /// Not encrypted, though the request asks for that.
    #[error("the request asks for an encrypted answer")]
    Plain,
    /// The encryption.
    #[error("the answer cannot be decrypted: {0}")]
    Encryption(#[from] JweError),
    /// What was encrypted is not a JSON object in which no name occurs twice.
    #[error("what was encrypted is not a JSON object")]
    Content,
}

/// A wallet's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalletAnswer {
    /// A `vp_token`, as JSON text.
    Presentation(String),
    /// The holder declined, or the wallet cannot answer; the error code is the wallet's.
    Error(String),
}

impl WalletAnswer {
    /// Reads a form body and checks that it answers the request with this `state`.
    ///
    /// # Errors
    /// [`ResponseError`].
    pub fn read(body: &str, state: &str) -> Result<Self, ResponseError> {
        Self::of(parameters(body)?, state)
    }

    /// Reads a form body whose `response` is encrypted to `key`, and checks that it answers the
    /// request with this `state`. An error may come unencrypted (§8.3.1).
    ///
    /// # Errors
    /// [`ResponseError`].
    pub fn read_encrypted(body: &str, state: &str, key: &DecryptionKey) -> Result<Self, ResponseError> {
        let mut form = parameters(body)?;
        let Some(response) = form.remove("response") else {
            let answer = Self::of(form, state)?;
            let error = matches!(answer, Self::Error(_));
            return if passes("VP-38", error) {
                Ok(answer)
            } else {
                Err(ResponseError::Plain)
            };
        };
        let content = Jwe::parse(&response)?.decrypt(key)?;
        let members = crate::json::parse_object(&content).ok_or(ResponseError::Content)?;
        // What stands outside of the encryption counts only where nothing stands inside.
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        form.retain(|name, _| name == "state");
        form.extend(members.into_iter().map(|(name, value)| (name, text(value))));
        Self::of(form, state)
    }

    fn of(mut parameters: BTreeMap<String, String>, state: &str) -> Result<Self, ResponseError> {
        if !passes(
            "VP-22",
            parameters.get("state").map(String::as_str) == Some(state),
        ) {
            return Err(ResponseError::State);
        }
        let (vp_token, error) = (parameters.remove("vp_token"), parameters.remove("error"));
        if !passes("VP-23", vp_token.is_some() != error.is_some()) {
            return Err(ResponseError::Form);
        }
        Ok(match (vp_token, error) {
            (Some(vp_token), _) => Self::Presentation(vp_token),
            (None, error) => Self::Error(error.unwrap_or_default()),
        })
    }
}

fn parameters(body: &str) -> Result<BTreeMap<String, String>, ResponseError> {
    if body.len() > MAX_BODY {
        return Err(ResponseError::TooLong);
    }
    let mut parameters = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(body.as_bytes()) {
        let known = parameters.insert(name.into_owned(), value.into_owned());
        if !passes("VP-21", known.is_none()) {
            return Err(ResponseError::Duplicate);
        }
    }
    Ok(parameters)
}
