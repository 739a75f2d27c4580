//! What stands around every route: request id, span, limits, panics as problems, security headers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use crate::network::{Subnet, client_ip, is_trusted};
use crate::problem::{ProblemCode, REQUEST_ID};
use crate::{Problem, RateLimiter, health, telemetry};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest request id taken over from a proxy, in bytes.
const MAX_REQUEST_ID: usize = 64;

/// What a service allows its clients; a table of its configuration file.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Longest request body, in bytes.
    pub body_bytes: usize,
    /// Longest time for a request, in seconds.
    pub timeout_seconds: u64,
    /// Requests answered at the same time.
    pub concurrent_requests: usize,
    /// Requests a second from one address in the long run.
    pub requests_per_second: f64,
    /// Requests from one address at once.
    pub burst: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 256 * 1024,
            timeout_seconds: 40,
            concurrent_requests: 1024,
            requests_per_second: 500.0,
            burst: 5_000.0,
        }
    }
}

/// How a router is hardened.
#[derive(Debug, Clone, Default)]
pub struct Hardening {
    /// The limits.
    pub limits: Limits,
    /// Proxies whose `X-Forwarded-For` and `X-Request-Id` are believed.
    pub trusted_proxies: Vec<Subnet>,
    /// Whether the public URL is https: then browsers are told to stay with it.
    pub https: bool,
}

/// The address a request comes from; an extension of every request in a hardened router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

#[derive(Debug)]
struct Shared {
    hardening: Hardening,
    rate: RateLimiter,
    slots: Semaphore,
}

/// Puts everything around a router that a service on the open net needs.
///
/// Health and metrics routes are exempt from rate and concurrency limits. Bare error answers of
/// extractors become [`Problem`]s without echoing what was sent. Answers that name no content
/// security policy of their own get one that allows nothing, and those without `Cache-Control`
/// must not be stored.
pub fn harden(router: Router, hardening: Hardening) -> Router {
    let limits = &hardening.limits;
    let body = DefaultBodyLimit::max(limits.body_bytes);
    let shared = Arc::new(Shared {
        rate: RateLimiter::new(limits.requests_per_second, limits.burst),
        slots: Semaphore::new(limits.concurrent_requests),
        hardening,
    });
    router
        .layer(CatchPanicLayer::custom(|_| {
            Problem::internal(&"a handler panicked").into_response()
        }))
        .layer(body)
        .layer(from_fn_with_state(Arc::clone(&shared), limit))
        .layer(from_fn_with_state(shared, surround))
}

/// Names the request, opens its span, counts it and completes its answer.
async fn surround(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
    let trusted = &shared.hardening.trusted_proxies;
    let id = request_id(peer, request.headers(), trusted);
    let client = ClientIp(client_ip(peer, request.headers(), trusted));
    request.extensions_mut().insert(client);

    let route = route(&request);
    let method = method(&request);
    // The route's pattern, never the path: paths hold identifiers.
    let span = tracing::info_span!("request", request_id = %id, method, path = %route);
    let answer = async {
        let started = Instant::now();
        let response = complete(next.run(request).await, &shared);
        record(&route, method, &response, started.elapsed());
        response
    };
    let mut response = REQUEST_ID.scope(id.clone(), answer).instrument(span).await;
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    response
}

/// Rate, concurrency and time.
async fn limit(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if is_exempt(&request) {
        return next.run(request).await;
    }
    let client = request
        .extensions()
        .get::<ClientIp>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |client| client.0);
    if let Err(seconds) = shared.rate.take(client, 1.0) {
        return Problem::too_many_requests(seconds).into_response();
    }
    let Ok(_slot) = shared.slots.try_acquire() else {
        let detail = "the service is answering as many requests as it can";
        return unavailable("overloaded", detail).into_response();
    };
    let time = Duration::from_secs(shared.hardening.limits.timeout_seconds);
    match tokio::time::timeout(time, next.run(request)).await {
        Ok(response) => response,
        Err(_) => unavailable("timeout", "the request took too long").into_response(),
    }
}

fn unavailable(code: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).with_retry_after(1)
}

fn matched(request: &Request) -> Option<&str> {
    request.extensions().get::<MatchedPath>().map(MatchedPath::as_str)
}

fn route(request: &Request) -> String {
    matched(request).unwrap_or("unmatched").to_owned()
}

fn is_exempt(request: &Request) -> bool {
    matched(request).is_some_and(|path| [health::LIVE, health::READY, telemetry::METRICS].contains(&path))
}

fn method(request: &Request) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    known
        .into_iter()
        .find(|name| *name == request.method().as_str())
        .unwrap_or("OTHER")
}

/// A proxy's id if it is one to be believed, else a new one.
fn request_id(peer: IpAddr, headers: &HeaderMap, trusted: &[Subnet]) -> String {
    let given = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (1..=MAX_REQUEST_ID).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    match given.filter(plain) {
        Some(id) if is_trusted(peer, trusted) => id.to_owned(),
        _ => hex::encode(rand::random::<[u8; 16]>()),
    }
}

/// Bare errors become problems, and every answer gets the security headers it lacks.
fn complete(response: Response, shared: &Shared) -> Response {
    let mut response = if is_bare_error(&response) {
        problem_for(&response)
    } else {
        response
    };
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    );
    set(header::CACHE_CONTROL, "no-store");
    if shared.hardening.https {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}

/// Whether this is an error that axum or an extractor made: plain text, or nothing at all.
fn is_bare_error(response: &Response) -> bool {
    let status = response.status();
    let media_type = response.headers().get(header::CONTENT_TYPE);
    (status.is_client_error() || status.is_server_error())
        && media_type.is_none_or(|value| value.as_bytes().starts_with(b"text/plain"))
}

fn problem_for(response: &Response) -> Response {
    let mut problem = Problem::of_status(response.status()).into_response();
    for (name, value) in response.headers() {
        // What the layers inside said, such as CORS and `Allow`, stays.
        if *name != header::CONTENT_LENGTH {
            problem.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
    }
    problem
}

fn record(route: &str, method: &'static str, response: &Response, time: Duration) {
    let status = response.status();
    let code = response.extensions().get::<ProblemCode>().map(|code| code.0);
    let labels = [
        ("route", route.to_owned()),
        ("method", method.to_owned()),
        ("status", status.as_u16().to_string()),
    ];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_seconds", "route" => route.to_owned()).record(time.as_secs_f64());
    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    if [health::LIVE, health::READY, telemetry::METRICS].contains(&route) {
        tracing::debug!(status = status.as_u16(), code, milliseconds, "answered");
    } else {
        tracing::info!(status = status.as_u16(), code, milliseconds, "answered");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, to_bytes};
    use axum::routing::{get, post};
    use serde_json::Value;
    use tower::ServiceExt as _;

    fn router(limits: Limits, trusted: &[&str]) -> Router {
        let routes = Router::new()
            .route("/things/{id}", get(|| async { "thing" }))
            .route(
                "/panic",
                get(|| async { assert!(std::hint::black_box(false), "secret") }),
            )
            .route(
                "/slow",
                get(|| async { tokio::time::sleep(Duration::from_secs(5)).await }),
            )
            .route("/json", post(|_: axum::Json<Vec<u8>>| async {}));
        let trusted_proxies = trusted.iter().map(|text| text.parse().unwrap()).collect();
        harden(
            routes,
            Hardening {
                limits,
                trusted_proxies,
                https: true,
            },
        )
    }

    async fn ask(router: &Router, request: Request) -> (StatusCode, HeaderMap, Value) {
        let response = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 65_536).await.unwrap();
        (
            parts.status,
            parts.headers,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }

    fn request(path: &str) -> axum::http::request::Builder {
        Request::builder().uri(path)
    }

    #[tokio::test]
    async fn answers_carry_an_id_and_security_headers() {
        let router = router(Limits::default(), &[]);
        let (status, headers, _) = ask(&router, request("/things/1").body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers["x-request-id"].len(), 32);
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["cache-control"], "no-store");
        assert!(
            headers["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("frame-ancestors 'none'")
        );
        assert!(headers.contains_key("strict-transport-security"));
    }

    #[tokio::test]
    async fn a_request_id_is_taken_from_trusted_proxies_only() {
        let given = || {
            request("/things/1")
                .header("x-request-id", "abc-1")
                .body(Body::empty())
                .unwrap()
        };
        let (_, headers, _) = ask(&router(Limits::default(), &[]), given()).await;
        assert_ne!(headers["x-request-id"], "abc-1");
        let (_, headers, _) = ask(&router(Limits::default(), &["0.0.0.0"]), given()).await;
        assert_eq!(headers["x-request-id"], "abc-1");
    }

    #[tokio::test]
    async fn failures_are_problems_that_name_the_request() {
        let router = router(
            Limits {
                timeout_seconds: 0,
                body_bytes: 8,
                ..Limits::default()
            },
            &[],
        );
        let json = |body: &str| {
            let request = request("/json")
                .method("POST")
                .header("content-type", "application/json");
            request.body(Body::from(body.to_owned())).unwrap()
        };
        for (request, status, code) in [
            (
                request("/nowhere").body(Body::empty()).unwrap(),
                404,
                "no_such_route",
            ),
            (
                request("/json").body(Body::empty()).unwrap(),
                405,
                "method_not_allowed",
            ),
            (json("["), 400, "malformed_request"),
            (json("\"a\""), 422, "unprocessable"),
            (json("[1,2,3,4,5,6]"), 413, "body_too_large"),
            (
                request("/panic").body(Body::empty()).unwrap(),
                500,
                "internal_error",
            ),
            (request("/slow").body(Body::empty()).unwrap(), 503, "timeout"),
        ] {
            let (found, headers, body) = ask(&router, request).await;
            assert_eq!((found.as_u16(), body["code"].as_str()), (status, Some(code)));
            assert_eq!(headers["content-type"], "application/problem+json");
            assert_eq!(body["type"], format!("urn:realdid:problem:{code}"));
            assert_eq!(headers["x-request-id"], body["request_id"].as_str().unwrap());
            assert!(!body.to_string().contains("secret"));
        }
    }

    #[tokio::test]
    async fn too_many_requests_are_told_when_to_return() {
        let router = router(
            Limits {
                requests_per_second: 0.1,
                burst: 1.0,
                ..Limits::default()
            },
            &["0.0.0.0"],
        );
        let from = |ip: &str| {
            request("/things/1")
                .header("x-forwarded-for", ip)
                .body(Body::empty())
                .unwrap()
        };
        assert_eq!(ask(&router, from("192.0.2.1")).await.0, StatusCode::OK);
        let (status, headers, body) = ask(&router, from("192.0.2.1")).await;
        assert_eq!(
            (status, body["code"].as_str()),
            (StatusCode::TOO_MANY_REQUESTS, Some("rate_limited"))
        );
        assert!(headers.contains_key("retry-after"));
        assert_eq!(ask(&router, from("192.0.2.2")).await.0, StatusCode::OK);
    }
}
