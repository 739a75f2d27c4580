//! Asking a running issuer, as its operators do.

use serde_json::Value;

use crate::run::RunError;

/// Sends an order to the issuer at this address; `path` is below `/v1/issuer/`. A body makes it a
/// POST, none a GET.
///
/// # Errors
/// [`RunError::NotRunning`], [`RunError::Refused`] with the problem's code.
pub async fn operate(url: &str, secret: &str, path: &str, body: Option<&Value>) -> Result<Value, RunError> {
    let not_running = |_| RunError::NotRunning(url.to_owned());
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .map_err(not_running)?;
    let address = format!("{url}/v1/issuer/{path}");
    let request = match body {
        Some(body) => client.post(address).json(body),
        None => client.get(address),
    };
    let response = request.bearer_auth(secret).send().await.map_err(not_running)?;
    let accepted = response.status().is_success();
    let answer: Value = response.json().await.map_err(not_running)?;
    if accepted {
        return Ok(answer);
    }
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    let (mut detail, hint) = (text("detail"), text("hint"));
    if !hint.is_empty() {
        detail = format!("{detail}; {hint}");
    }
    Err(RunError::Refused {
        code: text("code"),
        detail,
    })
}
