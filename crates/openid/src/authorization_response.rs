//! What a wallet posts to the `response_uri` (`direct_post`, OpenID4VP 1.0 §8.2).

use std::collections::BTreeMap;

use url::form_urlencoded;

/// Longest body of an answer, in bytes: one presentation, form-encoded.
pub const MAX_BODY: usize = 32 * 1024;

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
        if body.len() > MAX_BODY {
            return Err(ResponseError::TooLong);
        }
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body.as_bytes()) {
            // check: VP-21
            if parameters.insert(name, value.into_owned()).is_some() {
                return Err(ResponseError::Duplicate);
            }
        }
        // check: VP-22
        if parameters.get("state").map(String::as_str) != Some(state) {
            return Err(ResponseError::State);
        }
        // check: VP-23
        match (parameters.remove("vp_token"), parameters.remove("error")) {
            (Some(vp_token), None) => Ok(Self::Presentation(vp_token)),
            (None, Some(error)) => Ok(Self::Error(error)),
            _ => Err(ResponseError::Form),
        }
    }
}
