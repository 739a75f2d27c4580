//! Talking to the authority and to sign-in servers: JSON in, JSON or a problem out, bounded in time
//! and size.

use std::sync::Arc;
use std::time::Duration;

use realdid_client::public_address::{PublicOnly, host_may_be_public};
use realdid_wallet::names::{MAX_VALUE, clean};
use realdid_wallet::presenting::page::{Redirect, follow};
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use url::{Host, Url};

use crate::failure::{Failure, Kind, Outcome};

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Largest answer, in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// A problem a service answered with (RFC 9457).
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Problem {
    title: String,
    detail: String,
    code: String,
    hint: Option<String>,
    request_id: Option<String>,
    /// What OAuth 2.0 errors have instead (RFC 6749 §5.2).
    error: String,
    error_description: String,
}

impl Problem {
    /// Whoever wrote it may be a stranger: nothing in it may steer a terminal, or be endless.
    fn cleaned(self) -> Self {
        let text = |text: String| clean(&text, MAX_VALUE);
        let code = |code: String| -> String {
            let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            code.chars().filter(plain).take(64).collect()
        };
        Self {
            title: text(self.title),
            detail: text(self.detail),
            code: code(self.code),
            hint: self.hint.map(text),
            request_id: self.request_id.map(code),
            error: code(self.error),
            error_description: text(self.error_description),
        }
    }
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    /// Its status; redirects are not followed.
    pub status: StatusCode,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header field, if it is there and text.
    pub fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?;
        value.to_str().ok().map(str::to_owned)
    }
}

/// One service, named for messages.
#[derive(Debug, Clone)]
pub struct Web {
    name: &'static str,
    client: Client,
}

impl Web {
    /// A client for a service called `name`; it follows no redirects.
    pub fn new(name: &'static str, url: &Url) -> Outcome<Self> {
        Self::build(name, url, false)
    }

    /// A client for an address that a stranger set: it talks to public addresses alone, in a sandbox to
    /// this machine too, and follows no redirects.
    pub fn to_stranger(name: &'static str, url: &Url, sandbox: bool) -> Outcome<Self> {
        let own = sandbox && is_loopback(url);
        if !own && !host_may_be_public(url) {
            let what = format!("{name} is said to be at an address that is not public");
            return Err(Failure::refused("address_not_public", what));
        }
        Self::build(name, url, !own)
    }

    /// What a page says, or the wallet link that it redirects to. Each address on the way is taken for
    /// a stranger's: whoever answers at one sets the next.
    pub async fn visit(name: &'static str, mut url: Url, sandbox: bool) -> Outcome<String> {
        let mut followed = 0;
        loop {
            let web = Self::to_stranger(name, &url, sandbox)?;
            let answer = web.answer(web.client.get(url.clone())).await?;
            let location = answer
                .header("location")
                .filter(|_| answer.status.is_redirection());
            let Some(location) = location else {
                return web.text_of(answer);
            };
            let next = follow(&url, &location, followed, sandbox);
            match next.map_err(|error| Failure::refused("redirect_refused", error.to_string()))? {
                Redirect::Page(next) => url = next,
                Redirect::Link(link) => return Ok(link),
            }
            followed += 1;
        }
    }

    fn build(name: &'static str, url: &Url, public_only: bool) -> Outcome<Self> {
        let builder = Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .timeout(TIMEOUT)
            .redirect(Policy::none());
        // Nothing between this machine and itself.
        let builder = if is_loopback(url) {
            builder.no_proxy()
        } else {
            builder
        };
        let builder = if public_only {
            // A proxy would resolve the name by itself.
            builder.no_proxy().dns_resolver(Arc::new(PublicOnly))
        } else {
            builder
        };
        let client = builder.build();
        let client =
            client.map_err(|error| Failure::local("http_client", format!("no HTTP client: {error}")))?;
        Ok(Self { name, client })
    }

    /// The requests are built with this.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// An answer as it came, whatever its status; at most [`MAX_ANSWER`] bytes of it.
    pub async fn answer(&self, request: RequestBuilder) -> Outcome<Answer> {
        self.answer_within(request, MAX_ANSWER).await
    }

    async fn answer_within(&self, request: RequestBuilder, limit: usize) -> Outcome<Answer> {
        let unreachable = |error: reqwest::Error| {
            let why = if error.is_timeout() {
                "no answer in time"
            } else {
                "no connection"
            };
            Failure::unavailable("service_unreachable", format!("{} cannot be reached", self.name))
                .because(why)
        };
        let mut answer = request.send().await.map_err(unreachable)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > limit {
                let what = format!("{} answered with more than {limit} bytes", self.name);
                return Err(Failure::refused("answer_too_long", what));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status,
            headers,
            body,
        })
    }

    /// The text of a successful answer.
    pub async fn text(&self, request: RequestBuilder) -> Outcome<String> {
        self.long_text(request, MAX_ANSWER).await
    }

    /// The text of a successful answer of at most `limit` bytes.
    pub async fn long_text(&self, request: RequestBuilder, limit: usize) -> Outcome<String> {
        let answer = self.answer_within(request, limit).await?;
        self.text_of(answer)
    }

    fn text_of(&self, answer: Answer) -> Outcome<String> {
        if answer.status.is_success() {
            Ok(String::from_utf8_lossy(&answer.body).into_owned())
        } else {
            Err(self.refusal(answer.status.as_u16(), &answer.body))
        }
    }

    /// The JSON of a successful answer.
    pub async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Outcome<T> {
        let text = self.text(request).await?;
        serde_json::from_str(&text).map_err(|error| {
            let what = format!("the answer of {} is not what was expected", self.name);
            Failure::refused("answer_malformed", what).because(error.to_string())
        })
    }

    fn refusal(&self, status: u16, body: &[u8]) -> Failure {
        let problem = serde_json::from_slice::<Problem>(body)
            .unwrap_or_default()
            .cleaned();
        let first = |texts: [&String; 3]| texts.into_iter().find(|text| !text.is_empty()).cloned();
        let none = String::new();
        let code = first([&problem.code, &problem.error, &none]).unwrap_or_else(|| format!("http_{status}"));
        let detail = first([&problem.detail, &problem.error_description, &problem.title]);
        let detail = detail.unwrap_or_else(|| format!("HTTP status {status}"));
        let kind = if status >= 500 || status == 429 {
            Kind::Unavailable
        } else {
            Kind::Refused
        };
        let failure =
            Failure::new(kind, code, format!("{} refused: {detail}", self.name)).request(problem.request_id);
        match problem.hint {
            Some(hint) => failure.fix(hint),
            None => failure,
        }
    }
}

/// An address that may be talked to: https, or http on loopback in a sandbox.
pub fn address(text: &str, sandbox: bool) -> Outcome<Url> {
    realdid_openid::check_address(text, sandbox)
        .map_err(|error| Failure::usage("address_invalid", format!("`{text}`: {error}")))
}

/// Addresses of nodes, separated by commas, each of which may be talked to.
pub fn addresses(texts: &str, sandbox: bool) -> Outcome<String> {
    let addresses: Outcome<Vec<_>> = texts
        .split(',')
        .map(|text| Ok(address(text.trim(), sandbox)?.to_string()))
        .collect();
    Ok(addresses?.join(","))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A server on this machine that answers each request by its path, until the test ends.
    fn serve(answer: impl Fn(&str) -> String + Send + 'static) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/start", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = [0; 4096];
                let length = stream.read(&mut request).unwrap();
                let request = String::from_utf8_lossy(&request[..length]);
                let path = request.split(' ').nth(1).unwrap_or_default();
                let _ = stream.write_all(answer(path).as_bytes());
            }
        });
        Url::parse(&url).unwrap()
    }

    fn page(text: &str) -> String {
        let length = text.len();
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}")
    }

    fn moved(to: &str) -> String {
        format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    }

    fn visit(url: Url, sandbox: bool) -> Outcome<String> {
        crate::block_on(Web::visit("the page", url, sandbox)).unwrap()
    }

    fn refused(location: &'static str, sandbox: bool) -> String {
        let failure = visit(serve(move |_| moved(location)), sandbox).unwrap_err();
        failure.code().to_owned()
    }

    #[test]
    fn a_page_is_found_by_its_redirects() {
        let url = serve(|path| match path {
            "/start" => moved("/login?a=b#c"),
            "/login?a=b" => moved("end"),
            "/end" => page("here"),
            _ => moved("/nowhere"),
        });
        assert_eq!(visit(url, true).unwrap(), "here");
        let link = "openid4vp://?client_id=a&request_uri=b";
        assert_eq!(visit(serve(|_| moved(link)), true).unwrap(), link);
    }

    // test: VP-01
    #[test]
    fn no_page_leads_into_a_private_network() {
        for address in [
            "https://10.0.0.1/",
            "https://169.254.169.254/latest",
            "https://[fd00::1]/",
        ] {
            assert_eq!(refused(address, true), "address_not_public", "{address}");
        }
        for address in [
            "http://10.0.0.1/",
            "http://site.example/",
            "file:///etc/passwd",
            "ftp://a.example/",
        ] {
            assert_eq!(refused(address, true), "redirect_refused", "{address}");
        }
        let own = visit(serve(|_| page("here")), false).unwrap_err();
        assert_eq!(
            own.code(),
            "address_not_public",
            "in no sandbox not even the first"
        );
    }

    // test: WVP-17
    #[test]
    fn a_page_that_leads_round_in_circles_is_left() {
        // It leads on only so often that a wallet without the limit gets through.
        let visits = AtomicUsize::new(0);
        let url = serve(move |_| match visits.fetch_add(1, Ordering::Relaxed) {
            0..20 => moved("/start"),
            _ => page("here"),
        });
        assert_eq!(visit(url, true).unwrap_err().code(), "redirect_refused");
    }
}
