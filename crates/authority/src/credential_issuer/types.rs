//! The types an organisation issues: which claims, out of which columns, in which form.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jsonschema::Validator;
use realdid_credential::type_metadata::TypeMetadataError;
use realdid_crypto::KeyType;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::source::{Record, SourceError};

/// Longest life of one-time copies, in days: there is no status to revoke them by.
pub const MAX_COPY_DAYS: u64 = 14;
/// Seconds of a day; times in credentials are whole days, so that they single nobody out.
pub const DAY: u64 = 86_400;

/// What a claim is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimKind {
    /// The column's text.
    #[default]
    Text,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A date, `YYYY-MM-DD`.
    Date,
    /// Texts separated by spaces, commas or semicolons; each can be shown alone.
    List,
    /// Whether so many years have passed since the column's date.
    AgeOver,
}

/// One claim of a type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimRule {
    /// The claim's name in the credential.
    pub name: String,
    /// Its name for people, in English.
    pub title: String,
    /// Its names in other languages, by language tag.
    #[serde(default)]
    pub titles: BTreeMap<String, String>,
    /// What it is made of.
    #[serde(default)]
    pub kind: ClaimKind,
    /// The column; the claim's name if absent.
    #[serde(default)]
    pub column: Option<String>,
    /// Years, for `age_over`.
    #[serde(default)]
    pub years: u32,
    /// Whether it is shown with every presentation instead of by choice.
    #[serde(default)]
    pub always: bool,
    /// Whether a record without it gets the credential all the same.
    #[serde(default)]
    pub optional: bool,
}

/// How long a credential lives, and how it is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Many one-time copies of at most 14 days, without status: nothing to look up, nothing to trace.
    Copies,
    /// One credential with a place in a status list.
    LongLived,
}

/// A type as the configuration file has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeConfig {
    /// Name of the configuration, and its scope.
    pub id: String,
    /// The type, an URN or https address.
    pub vct: String,
    /// Name for people, in English.
    pub name: String,
    /// Names in other languages, by language tag.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// In a sentence.
    #[serde(default)]
    pub description: String,
    /// How long it lives, and how it is taken back.
    pub form: Form,
    /// Life, in days; copies at most 14.
    pub days: u64,
    /// Most copies at once.
    #[serde(default = "default_batch")]
    pub batch: usize,
    /// Whether an operator approves each request first.
    #[serde(default)]
    pub approval: bool,
    /// `ES256`, or `SM2SM3` for networks of our own.
    #[serde(default = "default_algorithm")]
    pub algorithm: String,
    /// A JSON schema (draft 2020-12) that the claims must fit; a path.
    #[serde(default)]
    pub schema: Option<PathBuf>,
    /// The type's metadata document (SD-JWT VC) and then those it extends, as their publishers have them;
    /// paths. Without any, a document is made from this configuration.
    #[serde(default)]
    pub metadata: Vec<PathBuf>,
    /// Which of the configured sources its data is in; needed if there are several.
    #[serde(default)]
    pub source: Option<String>,
    /// The claims, in the order to show them.
    #[serde(rename = "claim")]
    pub claims: Vec<ClaimRule>,
}

const fn default_batch() -> usize {
    20
}

fn default_algorithm() -> String {
    KeyType::P256.jose_algorithm().to_owned()
}

/// Why a type cannot be issued as configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    /// Copies live longer than 14 days, or not at all.
    #[error("credential {0}: copies live 1 to 14 days; use form = \"long_lived\" for more")]
    Life(String),
    /// Neither ES256 nor SM2SM3.
    #[error("credential {0}: algorithm must be ES256 or SM2SM3")]
    Algorithm(String),
    /// A claim with a name that the credential's own members have, or twice.
    #[error("credential {0}: the claim {1} cannot be named so, or is there twice")]
    Claim(String, String),
    /// An `age_over` without its years.
    #[error("credential {0}: the claim {1} needs years, at least 1")]
    Years(String, String),
    /// The schema is not one.
    #[error("credential {0}: the schema is not a JSON schema: {1}")]
    Schema(String, String),
    /// The name is not plain.
    #[error("credential {0}: names have 1 to 64 letters, digits, `_`, `-` and `.`")]
    Id(String),
    /// The type's metadata cannot be used.
    #[error("credential {0}: the metadata of its type cannot be used: {1}")]
    Metadata(String, TypeMetadataError),
    /// What would be issued breaks the rules of its type.
    #[error(
        "credential {0} would break the rules of its type: {1}; change its claims, or give its type a new name"
    )]
    Rules(String, TypeMetadataError),
}

/// A type that can be issued.
#[derive(Debug, Clone)]
pub struct CredentialType {
    /// As configured.
    pub config: TypeConfig,
    /// Which key signs.
    pub key: KeyType,
    /// Its type's metadata, and those that they extend, if they were given.
    pub(crate) documents: Vec<String>,
    schema: Option<std::sync::Arc<Validator>>,
}

/// Members that are the credential's own (SD-JWT VC §2.2.2.2, RFC 9901 §4).
const RESERVED: [&str; 14] = [
    "iss",
    "nbf",
    "exp",
    "iat",
    "cnf",
    "vct",
    "vct#integrity",
    "status",
    "sub",
    "_sd",
    "_sd_alg",
    "...",
    "aud",
    "jti",
];

impl CredentialType {
    /// Checks a configured type; `schema` is the schema's text, if it has one.
    ///
    /// # Errors
    /// [`TypeError`].
    pub fn new(config: TypeConfig, schema: Option<&str>) -> Result<Self, TypeError> {
        let id = || config.id.clone();
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if !(1..=64).contains(&config.id.len()) || !config.id.chars().all(plain) {
            return Err(TypeError::Id(id()));
        }
        let longest = if config.form == Form::Copies {
            MAX_COPY_DAYS
        } else {
            3650
        };
        if !(1..=longest).contains(&config.days) {
            return Err(TypeError::Life(id()));
        }
        let key = [KeyType::P256, KeyType::Sm2]
            .into_iter()
            .find(|kind| kind.jose_algorithm() == config.algorithm)
            .ok_or_else(|| TypeError::Algorithm(id()))?;
        for (place, claim) in config.claims.iter().enumerate() {
            let twice = config.claims[..place]
                .iter()
                .any(|earlier| earlier.name == claim.name);
            if twice || claim.name.is_empty() || RESERVED.contains(&claim.name.as_str()) {
                return Err(TypeError::Claim(id(), claim.name.clone()));
            }
            if claim.kind == ClaimKind::AgeOver && claim.years == 0 {
                return Err(TypeError::Years(id(), claim.name.clone()));
            }
        }
        let failed = |error: String| TypeError::Schema(id(), error);
        let schema = schema
            .map(|text| {
                let schema: Value = serde_json::from_str(text).map_err(|error| failed(error.to_string()))?;
                jsonschema::validator_for(&schema).map_err(|error| failed(error.to_string()))
            })
            .transpose()?;
        Ok(Self {
            schema: schema.map(std::sync::Arc::new),
            key,
            documents: Vec::new(),
            config,
        })
    }

    /// The same with its type's metadata document as published, and those that it extends.
    #[must_use]
    pub fn with_documents(mut self, documents: Vec<String>) -> Self {
        self.documents = documents;
        self
    }

    /// Claims such as its credentials have, with or without those that a record may lack.
    pub(crate) fn sample(&self, optional: bool) -> Map<String, Value> {
        let rules = self
            .config
            .claims
            .iter()
            .filter(|rule| optional || !rule.optional);
        rules
            .map(|rule| (rule.name.clone(), sample_value(rule.kind)))
            .collect()
    }

    /// Most copies at once: one for long-lived credentials, since each has a status of its own.
    #[must_use]
    pub fn batch(&self) -> usize {
        match self.config.form {
            Form::Copies => self.config.batch.max(1),
            Form::LongLived => 1,
        }
    }

    /// The claims of a record on a day, which have been found to fit the schema.
    ///
    /// # Errors
    /// [`SourceError::Column`], [`SourceError::Schema`].
    pub fn claims(&self, record: &Record, now: u64) -> Result<Map<String, Value>, SourceError> {
        let mut claims = Map::new();
        for rule in &self.config.claims {
            let column = rule.column.as_ref().unwrap_or(&rule.name);
            let failed = || SourceError::Column(column.clone());
            match record
                .get(column)
                .map(|text| text.trim())
                .filter(|text| !text.is_empty())
            {
                Some(text) => {
                    let value = value_of(rule, text, now).ok_or_else(failed)?;
                    claims.insert(rule.name.clone(), value);
                }
                None if rule.optional => {}
                None => return Err(failed()),
            }
        }
        let claims = Value::Object(claims);
        if self
            .schema
            .as_ref()
            .is_some_and(|schema| !schema.is_valid(&claims))
        {
            return Err(SourceError::Schema);
        }
        match claims {
            Value::Object(claims) => Ok(claims),
            _ => Err(SourceError::Schema),
        }
    }

    /// Begin and end of a credential's life: whole days.
    #[must_use]
    pub const fn life(&self, now: u64) -> (u64, u64) {
        let today = now / DAY * DAY;
        (today, today.saturating_add(self.config.days * DAY))
    }
}

fn sample_value(kind: ClaimKind) -> Value {
    match kind {
        ClaimKind::Text => "text".into(),
        ClaimKind::Integer => 1.into(),
        ClaimKind::Boolean | ClaimKind::AgeOver => true.into(),
        ClaimKind::Date => "2000-01-01".into(),
        ClaimKind::List => json!(["text"]),
    }
}

fn value_of(rule: &ClaimRule, text: &str, now: u64) -> Option<Value> {
    Some(match rule.kind {
        ClaimKind::Text => text.into(),
        ClaimKind::Integer => text.parse::<i64>().ok()?.into(),
        ClaimKind::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => true.into(),
            "false" | "0" | "no" => false.into(),
            _ => return None,
        },
        ClaimKind::Date => {
            date(text)?;
            text.into()
        }
        ClaimKind::List => {
            let words = text.split([' ', ',', ';']).filter(|word| !word.is_empty());
            json!(words.collect::<Vec<_>>())
        }
        ClaimKind::AgeOver => is_over(date(text)?, rule.years, now).into(),
    })
}

/// Year, month and day of `YYYY-MM-DD`.
fn date(text: &str) -> Option<(i64, u32, u32)> {
    let mut parts = text.split('-');
    let year = parts.next().filter(|part| part.len() == 4)?.parse().ok()?;
    let month = parts.next().filter(|part| part.len() == 2)?.parse().ok()?;
    let day = parts.next().filter(|part| part.len() == 2)?.parse().ok()?;
    let good = parts.next().is_none() && (1..=12).contains(&month) && (1..=31).contains(&day);
    good.then_some((year, month, day))
}

/// Whether somebody born on a date is so many years old today (UTC); those born on 29 February are
/// a year older on 1 March.
fn is_over(born: (i64, u32, u32), years: u32, now: u64) -> bool {
    let (year, month, day) = born;
    (year + i64::from(years), month, day) <= today(now)
}

/// The date in UTC (civil-from-days of the proleptic Gregorian calendar).
fn today(now: u64) -> (i64, u32, u32) {
    let days = i64::try_from(now / DAY).unwrap_or(0) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let small = |number: i64| u32::try_from(number).unwrap_or(0);
    (year, small(month), small(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_change_on_the_birthday() {
        // 2026-11-26T00:00:00Z
        let now = 1_795_651_200;
        assert_eq!(today(now), (2026, 11, 26));
        assert_eq!(today(0), (1970, 1, 1));
        assert_eq!(today(951_782_400), (2000, 2, 29));
        assert!(is_over((2005, 11, 26), 21, now));
        assert!(!is_over((2005, 11, 27), 21, now));
        assert!(date("2005-11-27").is_some() && date("2005-13-01").is_none() && date("05-1-1").is_none());
    }
}
