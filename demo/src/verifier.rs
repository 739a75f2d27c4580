//! The sign-in server's interface for websites that want to be shown something without a sign-in:
//! start a presentation, see how far it is, take its result. Three requests with the website's own
//! credentials.

use reqwest::header::HeaderName;
use reqwest::{RequestBuilder, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest answer that is read, in bytes.
const MAX_ANSWER: usize = 256 * 1024;

/// Why nothing could be asked or learnt.
#[derive(Debug, thiserror::Error)]
pub enum VerifierError {
    /// The verifier cannot be reached, or its answer not read.
    #[error("the verifier cannot be reached: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// The verifier refused the website's request.
    #[error("the verifier refused the request with {0}: {1}")]
    Refused(StatusCode, String),
    /// The answer is not what the interface says.
    #[error("the verifier's answer cannot be understood")]
    Answer,
}

/// A presentation that has been asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// How the verifier calls it.
    pub id: String,
    /// The link that opens a wallet.
    pub link: String,
}

/// How far a presentation is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The visitor's wallet has not answered.
    Pending,
    /// Something was shown and holds: what, by the id it was asked under.
    Shown(Map<String, Value>),
    /// The wallet or the verifier refused, or time ran out: the reason, for people.
    Refused(String),
}

/// The verifier as this website uses it.
pub struct Verifier {
    url: String,
    client_id: String,
    client_secret: String,
    http: reqwest::Client,
}

impl Verifier {
    /// A verifier at this address that knows the website by these credentials.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn new(url: &str, client_id: String, client_secret: String) -> Result<Self, VerifierError> {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Ok(Self {
            url: url.trim_end_matches('/').to_owned(),
            client_id,
            client_secret,
            http: http.no_proxy().build()?,
        })
    }

    /// Asks for what a DCQL query says. The wallet sends its browser back to `redirect_uri`. The
    /// same `key` again gives the same presentation, so that a lost answer costs nothing.
    ///
    /// # Errors
    /// [`VerifierError`].
    pub async fn ask(&self, key: &str, query: &Value, redirect_uri: &str) -> Result<Asked, VerifierError> {
        let body = json!({ "dcql_query": query, "redirect_uri": redirect_uri });
        let request = self
            .http
            .post(format!("{}/v1/presentations", self.url))
            .header(IDEMPOTENCY_KEY, key)
            .json(&body);
        serde_json::from_value(self.send(request).await?).map_err(|_| VerifierError::Answer)
    }

    /// What became of it. In the browser that began, `response_code` came along.
    ///
    /// # Errors
    /// [`VerifierError`].
    pub async fn outcome(&self, id: &str, response_code: Option<&str>) -> Result<Outcome, VerifierError> {
        let url = format!("{}/v1/presentations/{id}/result", self.url);
        let request = self.http.get(url);
        let request = match response_code {
            Some(code) => request.query(&[("response_code", code)]),
            None => request,
        };
        let answer = self.send(request).await?;
        Ok(match answer["status"].as_str() {
            Some("completed") => match &answer["credentials"] {
                Value::Object(shown) => Outcome::Shown(shown.clone()),
                _ => return Err(VerifierError::Answer),
            },
            Some("refused" | "expired") => {
                let reason = answer["error"]["message"].as_str();
                Outcome::Refused(reason.unwrap_or("nothing was shown in time").to_owned())
            }
            Some(_) => Outcome::Pending,
            None => return Err(VerifierError::Answer),
        })
    }

    async fn send(&self, request: RequestBuilder) -> Result<Value, VerifierError> {
        let request = request.basic_auth(&self.client_id, Some(&self.client_secret));
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        if !status.is_success() {
            let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
            let detail = problem["detail"].as_str().unwrap_or("no reason given");
            return Err(VerifierError::Refused(status, detail.to_owned()));
        }
        if body.len() > MAX_ANSWER {
            return Err(VerifierError::Answer);
        }
        serde_json::from_slice(&body).map_err(|_| VerifierError::Answer)
    }
}
