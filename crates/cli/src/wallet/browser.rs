//! A visit of the holder's browser to an issuer, and its way back: to a port of this machine that
//! lives as long as the visit (RFC 8252 §7.3), or by the address that the holder pastes.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use url::Url;

use crate::failure::{Failure, Outcome};
use crate::output::{Output, ask};

/// How long the visit may take.
const VISIT: Duration = Duration::from_secs(600);
/// Longest request that is read, in bytes.
const MAX_REQUEST: usize = 16 * 1024;
/// How long one browser may take to say what it wants.
const REQUEST: Duration = Duration::from_secs(5);
/// Where it comes back to.
const PATH: &str = "/callback";

/// How the browser comes back.
#[derive(Debug)]
pub enum Returning {
    /// To this port.
    Listener(TcpListener, String),
    /// Somewhere else; the holder brings the address.
    Pasted(String),
}

impl Returning {
    /// To a free port of this machine, or to an address of the holder's choice.
    pub async fn new(redirect_uri: Option<String>) -> Outcome<Self> {
        if let Some(address) = redirect_uri {
            return Ok(Self::Pasted(address));
        }
        let failed =
            |error: std::io::Error| Failure::local("browser_port", format!("no port to listen to: {error}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self::Listener(listener, format!("http://{address}{PATH}")))
    }

    /// The address to come back to.
    pub fn redirect_uri(&self) -> &str {
        match self {
            Self::Listener(_, address) | Self::Pasted(address) => address,
        }
    }

    /// Sends the holder there; gives the address the browser came back with.
    pub async fn visit(&self, output: Output, url: &Url) -> Outcome<Url> {
        output.open_in_browser(url.as_str());
        match self {
            Self::Listener(listener, address) => {
                let late =
                    |_| Failure::unavailable("browser_not_back", "the browser did not come back in time");
                timeout(VISIT, wait(listener, address)).await.map_err(late)?
            }
            Self::Pasted(address) => {
                let text = ask("The address the browser came back with: ")?;
                let url = Url::parse(&text).ok();
                let url = url.filter(|url| url.as_str().starts_with(address.as_str()));
                url.ok_or_else(|| {
                    let what = format!("that is not an address the browser can come back with: {address}…");
                    Failure::usage("browser_other_address", what)
                })
            }
        }
    }
}

/// Waits for the one request that counts; anything else on this port is told that it is wrong here.
async fn wait(listener: &TcpListener, address: &str) -> Outcome<Url> {
    loop {
        let Ok((mut stream, _)) = listener.accept().await else {
            continue;
        };
        let target = timeout(REQUEST, target(&mut stream)).await.ok().flatten();
        let came = target.filter(|target| {
            let path = target.split('?').next();
            path == Some(PATH)
        });
        let (status, text) = match &came {
            Some(_) => ("200 OK", "You can close this window and go back to your wallet."),
            None => ("404 Not Found", "There is nothing here."),
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\n\
             cache-control: no-store\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n{text}",
            text.len()
        );
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
        let base = Url::parse(address).ok();
        if let Some(url) = came.and_then(|target| base?.join(&target).ok()) {
            return Ok(url);
        }
    }
}

/// What a browser asks for.
async fn target(stream: &mut TcpStream) -> Option<String> {
    let mut request = Vec::new();
    let mut chunk = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut chunk).await.ok()?;
        if count == 0 || request.len() + count > MAX_REQUEST {
            return None;
        }
        request.extend_from_slice(&chunk[..count]);
    }
    let line = request.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let target = line.strip_prefix("GET ")?.split(' ').next()?;
    target.starts_with('/').then(|| target.to_owned())
}
