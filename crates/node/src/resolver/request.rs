//! What a resolution request asks for: target, options, representation.

use realdid_checks::passes;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::answer::{ErrorType, Failure};
use crate::timestamp;

/// Longest list of media ranges that is looked at.
const MAX_MEDIA_RANGES: usize = 32;

/// Which version of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum VersionChoice {
    /// The newest.
    #[default]
    Newest,
    /// By number.
    Id(u64),
    /// The one in force at a time, in Unix seconds.
    Time(u64),
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Request {
    /// The DID, not yet parsed.
    pub(super) did: String,
    /// Which version.
    pub(super) version: VersionChoice,
    /// A service of the document, by the fragment of its id.
    pub(super) service: Option<String>,
    /// What is appended to the service's endpoint.
    pub(super) relative_ref: Option<String>,
    /// A part of the document.
    pub(super) fragment: Option<String>,
}

impl Request {
    /// A DID URL as it came decoded from the path, and the query of the HTTP request, which means
    /// the same as the DID URL's own.
    pub(super) fn from_url(url: &str, query: Option<&str>) -> Result<Self, Failure> {
        let (rest, fragment) = split(url, '#');
        let (rest, own_query) = split(rest, '?');
        if !passes("RES-02", !rest.contains('/')) {
            return Err(Failure::new(
                ErrorType::InvalidDidUrl,
                "a `real` DID has no paths; use `service`",
            ));
        }
        let mut request = Self {
            did: rest.to_owned(),
            ..Self::default()
        };
        request.fragment = fragment.map(ToOwned::to_owned);
        for query in own_query.into_iter().chain(query) {
            for (name, value) in form_urlencoded::parse(query.as_bytes()) {
                request.set(&name, &value)?;
            }
        }
        request.complete()
    }

    /// The same with options from a JSON body.
    pub(super) fn with_options(mut self, options: &Map<String, Value>) -> Result<Self, Failure> {
        for (name, value) in options {
            if let Some(value) = value.as_str() {
                self.set(name, value)?;
            }
        }
        self.complete()
    }

    /// Options that are not known are ignored, as the standard's extension points ask.
    fn set(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        match name {
            "versionId" => self.choose(VersionChoice::Id(parse_version(value)?)),
            "versionTime" => {
                let time = timestamp::parse(value);
                if !passes("RES-03", time.is_some()) {
                    return Err(invalid("`versionTime` is not an XML dateTime in UTC"));
                }
                time.map_or(Ok(()), |time| self.choose(VersionChoice::Time(time)))
            }
            "service" => {
                self.service = Some(value.to_owned());
                Ok(())
            }
            "relativeRef" => {
                self.relative_ref = Some(value.to_owned());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn choose(&mut self, version: VersionChoice) -> Result<(), Failure> {
        let first = self.version == VersionChoice::Newest;
        if !passes("RES-04", first || self.version == version) {
            return Err(invalid(
                "only one of `versionId` and `versionTime` can be given, once",
            ));
        }
        self.version = version;
        Ok(())
    }

    fn complete(self) -> Result<Self, Failure> {
        if self.relative_ref.is_some() && !passes("RES-05", self.service.is_some()) {
            return Err(Failure::new(
                ErrorType::InvalidDidUrl,
                "`relativeRef` needs `service`",
            ));
        }
        Ok(self)
    }
}

fn parse_version(text: &str) -> Result<u64, Failure> {
    let plain = text.bytes().all(|digit| digit.is_ascii_digit()) && !text.starts_with('0');
    text.parse()
        .ok()
        .filter(|_| passes("RES-06", plain))
        .ok_or_else(|| invalid("`versionId` is not a version such as 1"))
}

fn invalid(detail: &'static str) -> Failure {
    Failure::new(ErrorType::InvalidOptions, detail)
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at)
        .map_or((text, None), |(before, after)| (before, Some(after)))
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Representation {
    /// The whole resolution result, under this media type.
    Result(&'static str),
    /// The whole dereferencing result.
    Dereferencing,
    /// The document alone, under this media type.
    Document(&'static str),
}

/// Media type of a resolution result.
pub(super) const RESULT: &str = "application/did-resolution";
/// Media type of a dereferencing result.
pub(super) const DEREFERENCING: &str = "application/did-url-dereferencing";
/// Media type of a document.
pub(super) const DOCUMENT: &str = "application/did";

/// What can be asked for; the first that a wildcard fits is taken.
const REPRESENTATIONS: [(&str, Representation); 8] = [
    (RESULT, Representation::Result(RESULT)),
    (
        "application/did-resolution+json",
        Representation::Result("application/did-resolution+json"),
    ),
    ("application/json", Representation::Result("application/json")),
    (DEREFERENCING, Representation::Dereferencing),
    (DOCUMENT, Representation::Document(DOCUMENT)),
    (
        "application/did+json",
        Representation::Document("application/did+json"),
    ),
    (
        "application/did+ld+json",
        Representation::Document("application/did+ld+json"),
    ),
    (
        "application/ld+json",
        Representation::Document("application/ld+json"),
    ),
];

/// The representation that an `Accept` header prefers (RFC 9110 §12.5.1); `None` if none is
/// acceptable. Without the header, a resolution result.
pub(super) fn negotiate(accept: Option<&str>) -> Option<Representation> {
    let Some(accept) = accept else {
        return Some(REPRESENTATIONS[0].1);
    };
    let mut best: Option<(u16, Representation)> = None;
    for range in accept.split(',').take(MAX_MEDIA_RANGES) {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
        let Some(quality) = quality(parts) else { continue };
        let fits = |(name, _): &&(&str, Representation)| match media_type.as_str() {
            "*/*" | "application/*" => true,
            exact => exact == *name,
        };
        let Some((_, found)) = REPRESENTATIONS.iter().find(fits) else {
            continue;
        };
        if quality > 0 && best.is_none_or(|(best, _)| quality > best) {
            best = Some((quality, *found));
        }
    }
    best.map(|(_, found)| found)
}

/// A media range's weight in thousandths; `None` if it is malformed.
fn quality<'a>(parameters: impl Iterator<Item = &'a str>) -> Option<u16> {
    for parameter in parameters {
        if let Some(value) = parameter
            .strip_prefix("q=")
            .or_else(|| parameter.strip_prefix("Q="))
        {
            let value: f32 = value.parse().ok()?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and 1000"
            )]
            return (0.0..=1.0).contains(&value).then_some((value * 1000.0) as u16);
        }
    }
    Some(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_is_weighed() {
        let result = Some(Representation::Result(RESULT));
        let document = Some(Representation::Document(DOCUMENT));
        assert_eq!(negotiate(None), result);
        assert_eq!(negotiate(Some("*/*")), result);
        assert_eq!(negotiate(Some("text/html, application/*;q=0.1")), result);
        assert_eq!(
            negotiate(Some("application/did-resolution;q=0.5, application/did")),
            document
        );
        assert_eq!(negotiate(Some("Application/DID")), document);
        assert_eq!(
            negotiate(Some("application/json")),
            Some(Representation::Result("application/json"))
        );
        for refused in [
            "text/html",
            "application/did;q=0",
            "application/did;q=x",
            "",
            "image/*",
        ] {
            assert_eq!(negotiate(Some(refused)), None, "{refused}");
        }
    }

    #[test]
    fn a_did_url_is_taken_apart() {
        let request = Request::from_url(
            "did:real:x:z1?service=files&relativeRef=%2Fa#k",
            Some("versionId=2"),
        )
        .unwrap();
        assert_eq!(request.did, "did:real:x:z1");
        assert_eq!(
            (request.service.as_deref(), request.relative_ref.as_deref()),
            (Some("files"), Some("/a"))
        );
        assert_eq!(
            (request.fragment.as_deref(), request.version),
            (Some("k"), VersionChoice::Id(2))
        );
    }
}
