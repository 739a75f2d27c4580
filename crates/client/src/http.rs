//! Asking over HTTP, with bounds on time and size and without following redirects; of several nodes,
//! the next one if one is down.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, redirect::Policy};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::{Host, Url};

use crate::{ClientError, NodeRefusal};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for an answer: the node holds back an answer for up to 30 s.
const TIMEOUT: Duration = Duration::from_secs(40);
/// Longest answer, in bytes: a proof file with its operations.
const MAX_ANSWER: usize = 4 << 20;

/// Between the addresses of several nodes.
const SEPARATOR: char = ',';

/// One or several nodes, any of which may answer. Clones share their connections and whose turn it is.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    nodes: Arc<[Node]>,
    /// Whose turn it is, counted on: the one that answered last.
    turn: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Node {
    base: String,
    client: Client,
}

impl Http {
    /// For the nodes at these addresses, separated by commas.
    pub(crate) fn new(base_urls: &str) -> Result<Self, ClientError> {
        let nodes: Result<Vec<_>, _> = base_urls.split(SEPARATOR).map(Node::new).collect();
        Ok(Self {
            nodes: nodes?.into(),
            turn: Arc::default(),
        })
    }

    /// The address of the node that is asked first.
    pub(crate) fn base(&self) -> &str {
        &self.node(self.turn()).base
    }

    /// How many nodes there are.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// Whose turn it is.
    pub(crate) fn turn(&self) -> usize {
        self.turn.load(Ordering::Relaxed)
    }

    /// Lets it be the next node's turn, unless somebody else has done so meanwhile.
    pub(crate) fn pass_on(&self, turn: usize) {
        let next = turn.wrapping_add(1);
        let _ = self
            .turn
            .compare_exchange(turn, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    pub(crate) fn get(&self, path: &str) -> Question {
        self.question(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Question {
        self.question(Method::POST, path)
    }

    fn question(&self, method: Method, path: &str) -> Question {
        Question {
            http: self.clone(),
            method,
            path: path.to_owned(),
            query: Vec::new(),
            body: None,
        }
    }

    fn node(&self, turn: usize) -> &Node {
        &self.nodes[turn % self.nodes.len()]
    }
}

impl Node {
    fn new(base_url: &str) -> Result<Self, ClientError> {
        let url = Url::parse(base_url.trim()).map_err(|_| ClientError::Address)?;
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
}

/// What a node is asked. Whatever it is, asking twice does no harm.
pub(crate) struct Question {
    http: Http,
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
}

impl Question {
    pub(crate) fn query(mut self, query: Vec<(&'static str, String)>) -> Self {
        self.query = query;
        self
    }

    pub(crate) fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// As a request to one node.
    fn to(&self, node: &Node) -> RequestBuilder {
        let url = format!("{}{}", node.base, self.path);
        let request = node.client.request(self.method.clone(), url).query(&self.query);
        match &self.body {
            Some(body) => request.json(body),
            None => request,
        }
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

/// The bytes of a successful answer: of the node whose turn it is, or else of the next one that can
/// answer at all.
pub(crate) async fn bytes(question: Question) -> Result<Vec<u8>, ClientError> {
    let http = &question.http;
    for _ in 1..http.nodes() {
        let turn = http.turn();
        match ask(question.to(http.node(turn))).await {
            Err(error) if is_of_this_node(&error) => http.pass_on(turn),
            answer => return answer,
        }
    }
    ask(question.to(http.node(http.turn()))).await
}

/// Whether another node may well answer what this one did not.
fn is_of_this_node(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable(_) => true,
        ClientError::Refused(refusal) => matches!(refusal.status, 502..=504),
        _ => false,
    }
}

async fn ask(request: RequestBuilder) -> Result<Vec<u8>, ClientError> {
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
pub(crate) async fn json<T: DeserializeOwned>(question: Question) -> Result<T, ClientError> {
    serde_json::from_slice(&bytes(question).await?)
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
pub(crate) mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// A node that answers so many requests with these bytes, then is gone; its address.
    pub(crate) async fn node(answer: String, times: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            for _ in 0..times {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut request = [0; 4096];
                let _ = socket.read(&mut request).await;
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        address
    }

    async fn ask(answer: String) -> Result<Value, ClientError> {
        let address = node(answer, 1).await;
        json(Http::new(&format!("{address}/")).unwrap().get("/")).await
    }

    /// An answer that ends the connection.
    pub(crate) fn answer(status: &str, body: &str) -> String {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
    }

    #[tokio::test]
    async fn when_a_node_is_gone_the_next_one_is_asked_from_then_on() {
        let first = node(answer("200 OK", "1"), 1).await;
        let second = node(answer("200 OK", "2"), 2).await;
        let http = Http::new(&format!("{first}, {second}")).unwrap();
        // Round and round once.
        http.pass_on(0);
        http.pass_on(0);
        http.pass_on(1);
        for (expected, base) in [(1, &first), (2, &second), (2, &second)] {
            assert_eq!(json(http.get("/")).await, Ok(serde_json::json!(expected)));
            assert_eq!(http.base(), base);
        }
        let gone = json::<Value>(http.get("/")).await.unwrap_err();
        assert_eq!(gone.code(), "node_unreachable");
    }

    #[tokio::test]
    async fn a_node_that_is_not_ready_passes_and_one_that_refuses_does_not() {
        let problem = |code| format!(r#"{{"code":"{code}"}}"#);
        let unready = node(answer("503 Unavailable", &problem("not_ready")), 1).await;
        let refusing = node(answer("409 Conflict", &problem("stale_previous")), 1).await;
        let other = node(answer("200 OK", "3"), 1).await;
        let http = Http::new(&[unready, refusing, other].join(",")).unwrap();
        let refused = json::<Value>(http.post("/").json(Value::Null)).await.unwrap_err();
        assert!(refused.is_refusal("stale_previous"), "{refused}");
    }

    #[tokio::test]
    async fn a_node_is_asked_over_tls_or_on_this_machine() {
        for address in [
            "http://node.example",
            "ftp://127.0.0.1",
            "node",
            "http://192.0.2.1",
            "https://node.example,",
            "https://node.example,http://node.example",
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
