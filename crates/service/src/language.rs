//! The language of a page, and its texts: Fluent files, one per language, the same messages in each.
//!
//! Which language: the one that the address names (`?lang=`), else the first of the visitor's
//! (`Accept-Language`, RFC 9110 §12.5.4) that there is, else English. No cookie remembers it.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use std::convert::Infallible;

/// Most ranges of an `Accept-Language` that are looked at.
const MAX_RANGES: usize = 16;

/// A language that pages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    English,
    /// Chinese in simplified characters.
    Chinese,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// Its tag (BCP 47), as pages name their language.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// What it calls itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "中文",
        }
    }

    /// The language of a tag: any kind of English, any kind of Chinese.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| language.tag()[..2].eq_ignore_ascii_case(primary))
    }

    /// The first of the visitor's languages that there is.
    #[must_use]
    pub fn preferred(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
        let mut ranges: Vec<(u32, &str)> = value.split(',').take(MAX_RANGES).map(range).collect();
        // Stable: of equal weight, the first one.
        ranges.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        let wanted = ranges.into_iter().filter(|(weight, _)| *weight > 0);
        wanted.filter_map(|(_, tag)| Self::of_tag(tag)).next()
    }
}

/// A language range and its weight in thousandths; one that cannot be read is not wanted.
fn range(text: &str) -> (u32, &str) {
    let (tag, weight) = text.split_once(';').unwrap_or((text, "q=1"));
    let weight = weight
        .trim()
        .strip_prefix("q=")
        .and_then(|weight| weight.parse::<f32>().ok());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 1000"
    )]
    let thousandths = (weight.unwrap_or(0.0).clamp(0.0, 1.0) * 1_000.0) as u32;
    (thousandths, tag.trim())
}

/// The language of a request, and whether its address names it: then links on the page do, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The language.
    pub language: Language,
    /// Whether the address names it.
    pub named: bool,
}

#[derive(serde::Deserialize)]
struct Named {
    lang: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let named = Query::<Named>::try_from_uri(&parts.uri).ok();
        let named = named.and_then(|Query(named)| Language::of_tag(&named.lang?));
        let language = named.or_else(|| Language::preferred(&parts.headers));
        Ok(Self {
            language: language.unwrap_or(Language::English),
            named: named.is_some(),
        })
    }
}

/// The messages of some pages, in every language.
pub struct Texts([FluentBundle<FluentResource>; Language::ALL.len()]);

impl Texts {
    /// Reads the Fluent files, in the order of [`Language::ALL`].
    ///
    /// # Panics
    ///
    /// If one is malformed or names a message twice. The files are part of the program: a test reads them.
    #[must_use]
    pub fn new(files: [&str; Language::ALL.len()]) -> Self {
        let mut files = files.into_iter();
        Self(Language::ALL.map(|language| {
            let resource = FluentResource::try_new(files.next().unwrap_or_default().to_owned());
            let resource = resource.unwrap_or_else(|(_, errors)| panic!("{}: {errors:?}", language.tag()));
            let tag = language.tag().parse().unwrap_or_default();
            let mut bundle = FluentBundle::new_concurrent(vec![tag]);
            if let Err(errors) = bundle.add_resource(resource) {
                panic!("{}: {errors:?}", language.tag());
            }
            bundle
        }))
    }

    /// A message. One that is missing gives its name, so that the page can still be read; a test of the
    /// pages' crate excludes that.
    #[must_use]
    pub fn text(&self, language: Language, id: &str, values: &[(&str, &str)]) -> String {
        let bundle = &self.0[language as usize];
        let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
            return id.to_owned();
        };
        let values: FluentArgs<'_> = values.iter().map(|(name, value)| (*name, *value)).collect();
        bundle
            .format_pattern(pattern, Some(&values), &mut Vec::new())
            .into_owned()
    }
}

/// The names of a Fluent file's messages, in their order: for tests that every language has the same ones, and
/// that pages use them all.
#[must_use]
pub fn message_names(file: &str) -> Vec<&str> {
    let names = file.lines().filter_map(|line| line.split_once(" ="));
    let is_name = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    names.map(|(name, _)| name).filter(is_name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preferred(value: &str) -> Option<Language> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, value.parse().expect("a header"));
        Language::preferred(&headers)
    }

    #[test]
    fn the_visitors_languages_are_heeded() {
        assert_eq!(preferred("zh-TW,en;q=0.8"), Some(Language::Chinese));
        assert_eq!(preferred("fr, en;q=0.3, zh;q=0.7"), Some(Language::Chinese));
        assert_eq!(preferred("EN-gb;q=0.5, zh;q=0"), Some(Language::English));
        assert_eq!(preferred("fr, *;q=0.5"), None);
        assert_eq!(preferred("zh;q=x"), None);
    }

    #[test]
    fn messages_are_put_together_and_a_missing_one_is_named() {
        let texts = Texts::new(["hello = Hello, { $name }\n", "hello = 你好，{ $name }\n"]);
        let hello = |language| texts.text(language, "hello", &[("name", "x")]);
        // Values are isolated from the direction of the text around them.
        assert_eq!(hello(Language::English), "Hello, \u{2068}x\u{2069}");
        assert_eq!(hello(Language::Chinese), "你好，\u{2068}x\u{2069}");
        assert_eq!(texts.text(Language::English, "none", &[]), "none");
        assert_eq!(
            message_names("# a = b\nhello = x\nlong =\n    y = z\n"),
            ["hello", "long"]
        );
    }
}
