//! One type metadata document.

use realdid_checks::passes;
use realdid_jose::json::parse_object;
use serde::Deserialize;
use serde_json::Value;

use super::TypeMetadataError;
use crate::Integrity;
use crate::path::ClaimPath;

/// Longest document that is read, in bytes.
pub const MAX_DOCUMENT: usize = 256 * 1024;
/// Most claims that a type describes.
pub const MAX_CLAIMS: usize = 512;
/// Longest text that is shown, in characters; more is cut off.
const MAX_SHOWN: usize = 256;

/// Whether a claim is selectively disclosable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum SelectiveDisclosure {
    /// The issuer must make it so.
    Always,
    /// The issuer may.
    #[default]
    Allowed,
    /// The issuer must not.
    Never,
}

/// An image to show, by its address: https or `data:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its address.
    pub uri: String,
    /// What it must hash to.
    pub integrity: Option<Integrity>,
    /// What it shows, in words.
    pub alt_text: Option<String>,
}

/// How a type is shown in one language. All texts are cut to a bounded length and have no characters
/// that are not seen; for HTML they still have to be escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeDisplay {
    /// Language tag (RFC 5646).
    pub locale: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// The publisher's logo.
    pub logo: Option<Image>,
    /// An image behind the text.
    pub background_image: Option<Image>,
    /// Colour behind the text, `#rrggbb` or `#rgb`; any other form is passed over.
    pub background_color: Option<String>,
    /// Colour of the text, likewise.
    pub text_color: Option<String>,
}

/// How a claim is shown in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimDisplay {
    /// Language tag (RFC 5646).
    pub locale: String,
    /// Its name.
    pub label: String,
    /// What it is.
    pub description: Option<String>,
}

/// What a type says of a claim, or of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimMetadata {
    /// Where it stands.
    pub path: ClaimPath,
    /// How it is shown; `None` if the document says nothing of it.
    pub display: Option<Vec<ClaimDisplay>>,
    /// Whether each credential has it; `None` means no, unless an extended type says yes.
    pub mandatory: Option<bool>,
    /// Whether it is selectively disclosable; `None` means allowed, unless an extended type says more.
    pub sd: Option<SelectiveDisclosure>,
}

/// A document as it was fetched, checked by itself.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) vct: String,
    pub(super) extends: Option<(String, Option<Integrity>)>,
    pub(super) display: Option<Vec<TypeDisplay>>,
    pub(super) claims: Vec<ClaimMetadata>,
}

#[derive(Deserialize)]
struct RawDocument {
    extends: Option<String>,
    #[serde(rename = "extends#integrity")]
    extends_integrity: Option<String>,
    display: Option<Vec<RawDisplay>>,
    #[serde(default)]
    claims: Vec<RawClaim>,
}

#[derive(Deserialize)]
struct RawDisplay {
    /// `lang` before draft 12, whose documents are still about.
    #[serde(alias = "lang")]
    locale: String,
    name: String,
    description: Option<String>,
    #[serde(default)]
    rendering: RawRendering,
}

#[derive(Deserialize, Default)]
struct RawRendering {
    #[serde(default)]
    simple: RawSimple,
}

#[derive(Deserialize, Default)]
struct RawSimple {
    logo: Option<RawImage>,
    background_image: Option<RawImage>,
    background_color: Option<String>,
    text_color: Option<String>,
}

#[derive(Deserialize)]
struct RawImage {
    uri: String,
    #[serde(rename = "uri#integrity")]
    integrity: Option<String>,
    alt_text: Option<String>,
}

#[derive(Deserialize)]
struct RawClaim {
    path: ClaimPath,
    display: Option<Vec<RawClaimDisplay>>,
    mandatory: Option<bool>,
    sd: Option<SelectiveDisclosure>,
    svg_id: Option<String>,
}

#[derive(Deserialize)]
struct RawClaimDisplay {
    #[serde(alias = "lang")]
    locale: String,
    label: String,
    description: Option<String>,
}

impl Document {
    /// Reads the document of the type `vct`, by which it was asked for.
    pub(super) fn parse(bytes: &[u8], vct: &str) -> Result<Self, TypeMetadataError> {
        let object = Some(bytes)
            .filter(|bytes| bytes.len() <= MAX_DOCUMENT)
            .and_then(parse_object)
            .ok_or(TypeMetadataError::Form)?;
        if !passes("SVC-21", object.get("vct").and_then(Value::as_str) == Some(vct)) {
            return Err(TypeMetadataError::OtherType);
        }
        let raw: Option<RawDocument> = serde_json::from_value(Value::Object(object)).ok();
        let raw = raw.filter(|raw| {
            raw.claims.len() <= MAX_CLAIMS && raw.claims.iter().all(|claim| !claim.path.0.is_empty())
        });
        if !passes("SVC-22", raw.is_some()) {
            return Err(TypeMetadataError::Form);
        }
        raw.map_or_else(|| Ok(Self::empty(vct)), |raw| Self::of(raw, vct))
    }

    fn empty(vct: &str) -> Self {
        Self {
            vct: vct.to_owned(),
            extends: None,
            display: None,
            claims: Vec::new(),
        }
    }

    fn of(raw: RawDocument, vct: &str) -> Result<Self, TypeMetadataError> {
        let ids: Vec<&str> = raw
            .claims
            .iter()
            .filter_map(|claim| claim.svg_id.as_deref())
            .collect();
        let sound = ids
            .iter()
            .enumerate()
            .all(|(place, id)| is_svg_id(id) && !ids[..place].contains(id));
        if !passes("SVC-23", sound) {
            return Err(TypeMetadataError::SvgId);
        }
        let integrity = raw
            .extends_integrity
            .map(|text| Integrity::parse(&text))
            .transpose()?;
        let display = raw
            .display
            .map(|display| display.into_iter().map(type_display).collect::<Result<_, _>>())
            .transpose()?;
        Ok(Self {
            vct: vct.to_owned(),
            extends: raw.extends.map(|extends| (extends, integrity)),
            display,
            claims: raw.claims.into_iter().map(claim_metadata).collect(),
        })
    }
}

fn type_display(raw: RawDisplay) -> Result<TypeDisplay, TypeMetadataError> {
    let simple = raw.rendering.simple;
    Ok(TypeDisplay {
        locale: shown(&raw.locale),
        name: shown(&raw.name),
        description: raw.description.as_deref().map(shown),
        logo: simple.logo.map(image).transpose()?.flatten(),
        background_image: simple.background_image.map(image).transpose()?.flatten(),
        background_color: simple.background_color.filter(|color| is_color(color)),
        text_color: simple.text_color.filter(|color| is_color(color)),
    })
}

/// An image whose address may be used; others are passed over.
fn image(raw: RawImage) -> Result<Option<Image>, TypeMetadataError> {
    let integrity = raw.integrity.map(|text| Integrity::parse(&text)).transpose()?;
    let usable = raw.uri.starts_with("https://") || raw.uri.starts_with("data:image/");
    Ok(usable.then(|| Image {
        uri: raw.uri,
        integrity,
        alt_text: raw.alt_text.as_deref().map(shown),
    }))
}

fn claim_metadata(raw: RawClaim) -> ClaimMetadata {
    let display = raw.display.map(|display| {
        display
            .into_iter()
            .map(|raw| ClaimDisplay {
                locale: shown(&raw.locale),
                label: shown(&raw.label),
                description: raw.description.as_deref().map(shown),
            })
            .collect()
    });
    ClaimMetadata {
        path: raw.path,
        display,
        mandatory: raw.mandatory,
        sd: raw.sd,
    }
}

/// Letters, digits and underscores, the first one no digit.
fn is_svg_id(id: &str) -> bool {
    !id.starts_with(|c: char| c.is_ascii_digit())
        && !id.is_empty()
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| matches!(digits.len(), 3 | 6) && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A text fit to be shown: bounded, and without characters that control or turn what stands beside it.
fn shown(text: &str) -> String {
    text.chars().filter(|c| is_seen(*c)).take(MAX_SHOWN).collect()
}

fn is_seen(c: char) -> bool {
    // invisible and bidirectional format characters (Unicode, general category Cf, as far as they
    // turn or hide text), beside control characters
    !c.is_control()
        && !matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
