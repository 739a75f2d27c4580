//! A browser as far as a login needs one: cookies per host, redirects, and the wallet's link.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{StatusCode, Url};

/// One person's browser.
pub struct Browser {
    http: reqwest::Client,
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

/// What a page load ended with.
pub struct Page {
    /// Where it ended.
    pub url: Url,
    /// How.
    pub status: StatusCode,
    /// The page.
    pub body: String,
}

impl Browser {
    /// A browser without any cookies.
    pub fn new() -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        Self {
            http: http.build().expect("an HTTP client"),
            cookies: BTreeMap::new(),
        }
    }

    /// Loads a page, following redirects unless the next address starts with `stop`.
    pub async fn load(&mut self, url: &str, stop: Option<&str>) -> Page {
        let mut url: Url = url.parse().expect("an address");
        for _ in 0..12 {
            let host = format!(
                "{}:{}",
                url.host_str().unwrap_or_default(),
                url.port().unwrap_or(0)
            );
            let jar = self.cookies.entry(host).or_default();
            let cookies: Vec<_> = jar
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let request = self.http.get(url.clone()).header(COOKIE, cookies.join("; "));
            let response = request.send().await.expect("the page answers");
            for cookie in response.headers().get_all(SET_COOKIE) {
                let pair = cookie
                    .to_str()
                    .unwrap_or_default()
                    .split(';')
                    .next()
                    .unwrap_or_default();
                if let Some((name, value)) = pair.split_once('=') {
                    jar.insert(name.to_owned(), value.to_owned());
                }
            }
            let status = response.status();
            let next = response
                .headers()
                .get(LOCATION)
                .and_then(|next| next.to_str().ok())
                .map(str::to_owned);
            match next.filter(|_| status.is_redirection()) {
                None => {
                    return Page {
                        url,
                        status,
                        body: response.text().await.unwrap_or_default(),
                    };
                }
                Some(next) => url = url.join(&next).expect("an address"),
            }
            if stop.is_some_and(|stop| url.as_str().starts_with(stop)) {
                return Page {
                    url,
                    status,
                    body: String::new(),
                };
            }
        }
        panic!("too many redirects, the last to {url}");
    }
}

impl Page {
    /// The wallet's link on a sign-in page.
    pub fn wallet_link(&self) -> String {
        let start = self
            .body
            .find("openid4vp://")
            .unwrap_or_else(|| panic!("no wallet link: {}", self.body));
        let rest = &self.body[start..];
        let end = rest.find(['"', '<', ' ']).unwrap_or(rest.len());
        rest[..end].replace("&amp;", "&").replace("&#38;", "&")
    }

    /// The `sub` that a demo site shows.
    pub fn sub(&self) -> Option<String> {
        let (_, rest) = self.body.split_once("<code id=\"sub\">")?;
        Some(rest.split_once('<')?.0.to_owned())
    }
}
