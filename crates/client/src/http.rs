//! Asking over HTTP, with bounds on time and size and without following redirects.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, redirect::Policy};
use serde::de::DeserializeOwned;
use url::{Host, Url};

use crate::{ClientError, NodeRefusal};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for an answer: the node holds back an answer for up to 30 s.
const TIMEOUT: Duration = Duration::from_secs(40);
/// Longest answer, in bytes: a proof file with its operations.
const MAX_ANSWER: usize = 4 << 20;

#[derive(Debug, Clone)]
pub(crate) struct Http {
    base: String,
    client: Client,
}

impl Http {
    pub(crate) fn new(base_url: &str) -> Result<Self, ClientError> {
        let url = Url::parse(base_url).map_err(|_| ClientError::Address)?;
        let loopback = is_loopback(&url);
        if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
            return Err(ClientError::Address);
        }
        let builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(Policy::none());
        // Nothing between this machine and itself.
        let builder = if loopback { builder.no_proxy() } else { builder };
        let client = builder
            .build()
            .map_err(|error| ClientError::Unreachable(reason(&error)))?;
        Ok(Self {
            base: url.as_str().trim_end_matches('/').to_owned(),
            client,
        })
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.request(Method::GET, format!("{}{path}", self.base))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.request(Method::POST, format!("{}{path}", self.base))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// What went wrong, without the URL, which may hold identifiers.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        "no answer in time".into()
    } else if error.is_connect() {
        "no connection".into()
    } else {
        "the connection failed".into()
    }
}

/// The bytes of a successful answer.
pub(crate) async fn bytes(request: RequestBuilder) -> Result<Vec<u8>, ClientError> {
    let mut response = request
        .send()
        .await
        .map_err(|error| ClientError::Unreachable(reason(&error)))?;
    let body = body(&mut response).await?;
    if response.status().is_success() {
        Ok(body)
    } else {
        Err(refusal(response.status().as_u16(), &body))
    }
}

/// The JSON of a successful answer.
pub(crate) async fn json<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, ClientError> {
    serde_json::from_slice(&bytes(request).await?)
        .map_err(|_| ClientError::Malformed("not the expected JSON"))
}

async fn body(response: &mut Response) -> Result<Vec<u8>, ClientError> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| ClientError::Unreachable(reason(&error)))?
    {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(ClientError::TooLong(MAX_ANSWER));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn refusal(status: u16, body: &[u8]) -> ClientError {
    let problem: NodeRefusal = serde_json::from_slice(body).unwrap_or_default();
    let code = if problem.code.is_empty() {
        "node_refused".into()
    } else {
        problem.code
    };
    ClientError::Refused(Box::new(NodeRefusal {
        status,
        code,
        ..problem
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// A node that answers one request with these bytes.
    async fn node(answer: Vec<u8>) -> Http {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = Http::new(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            let _ = socket.write_all(&answer).await;
        });
        http
    }

    async fn ask(answer: String) -> Result<Value, ClientError> {
        json(node(answer.into_bytes()).await.get("/")).await
    }

    #[tokio::test]
    async fn a_node_is_asked_over_tls_or_on_this_machine() {
        for address in [
            "http://node.example",
            "ftp://127.0.0.1",
            "node",
            "http://192.0.2.1",
        ] {
            assert_eq!(Http::new(address).err(), Some(ClientError::Address), "{address}");
        }
        assert!(Http::new("https://node.example/").is_ok_and(|http| http.base() == "https://node.example"));
    }

    #[tokio::test]
    async fn what_a_bad_node_answers_is_named() {
        let good = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(ask(good.into()).await, Ok(serde_json::json!({})));
        let moved = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
        assert!(
            ask(moved.into()).await.unwrap_err().is_refusal("node_refused"),
            "no redirect is followed"
        );
        let not_json = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n<>";
        assert_eq!(
            ask(not_json.into()).await.unwrap_err().code(),
            "node_answer_malformed"
        );
        let long = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}",
            5 << 20,
            "x".repeat(5 << 20)
        );
        assert_eq!(ask(long).await, Err(ClientError::TooLong(MAX_ANSWER)));
        let problem = r#"{"code":"pool_full","detail":"full","hint":"wait","request_id":"r1"}"#;
        let busy = format!(
            "HTTP/1.1 503 Busy\r\nContent-Length: {}\r\n\r\n{problem}",
            problem.len()
        );
        let error = ask(busy).await.unwrap_err();
        assert!(error.is_refusal("pool_full") && error.is_transient());
        let Err(error) = ask("nonsense".into()).await else {
            panic!("not HTTP")
        };
        assert_eq!(error.code(), "node_unreachable");
    }
}
