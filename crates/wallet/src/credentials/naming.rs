//! What a credential and its claims are called for people: by the metadata of its type that came with
//! it, else by its issuer's metadata, else by their own names.
//!
//! The documents were fetched once, when the credential was issued
//! ([`Step::Describe`](crate::issuance::Step::Describe)), and stay with it: showing it asks nobody.

use realdid_credential::Integrity;
use realdid_credential::path::ClaimPath;
use realdid_credential::type_metadata::{Chain, TypeMetadata};

use super::HeldCredential;
use crate::names::{MAX_NAME, clean};

/// What a credential's type and its issuer say of its names.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Naming {
    /// The metadata of the type and of those it extends, as they were fetched and checked; the type's
    /// own first. Empty if there were none.
    pub documents: Vec<String>,
    /// The credential's names by its issuer's metadata.
    pub names: Vec<LocalName>,
    /// Its claims' names by its issuer's metadata.
    pub claims: Vec<ClaimNames>,
}

/// A name in one language: somebody's own words, cleaned.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalName {
    /// Language tag (RFC 5646), if one is stated.
    pub locale: Option<String>,
    /// The name.
    pub name: String,
}

/// The names of a claim.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimNames {
    /// Where it stands.
    pub path: ClaimPath,
    /// What it is called.
    pub names: Vec<LocalName>,
}

impl Naming {
    /// The type's metadata with all that it inherits; `None` if there are none, or not with this
    /// integrity.
    #[must_use]
    pub fn type_metadata(&self, vct: &str, integrity: Option<Integrity>) -> Option<TypeMetadata> {
        let mut chain = Chain::new(vct, integrity);
        for document in &self.documents {
            chain.add(document.as_bytes()).ok()?;
        }
        chain.finish().ok()
    }
}

/// The names of one credential for a reader of certain languages, cleaned.
#[derive(Debug, Clone)]
pub struct Labels<'a> {
    held: &'a HeldCredential,
    metadata: Option<TypeMetadata>,
    languages: Vec<&'a str>,
}

impl HeldCredential {
    /// Its names for somebody who prefers these languages (RFC 5646), the best one first.
    #[must_use]
    pub fn labels<'a>(&'a self, languages: &'a [String]) -> Labels<'a> {
        Labels {
            held: self,
            metadata: self.naming.type_metadata(&self.vct, None),
            languages: languages.iter().map(String::as_str).collect(),
        }
    }
}

impl Labels<'_> {
    /// The credential's name: its type's and, if that says more, its issuer's.
    #[must_use]
    pub fn title(&self) -> String {
        let own = name_for(&self.held.naming.names, &self.languages);
        let own = own.unwrap_or_else(|| self.held.name.clone());
        match self.type_name() {
            Some(named) if own == clean(&self.held.vct, MAX_NAME) => named,
            Some(named) if !own.contains(&named) => format!("{named} ({own})"),
            _ => own,
        }
    }

    /// The name of its type, if the type's metadata have one.
    #[must_use]
    pub fn type_name(&self) -> Option<String> {
        let display = self.metadata.as_ref()?.display(&self.languages)?;
        Some(clean(&display.name, MAX_NAME)).filter(|name| !name.is_empty())
    }

    /// The label of a claim, named as people write paths: `birthdate`, `address.city`. `None` if nobody
    /// gave it one.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<String> {
        self.by_type(name).or_else(|| self.by_issuer(name))
    }

    fn by_type(&self, name: &str) -> Option<String> {
        let metadata = self.metadata.as_ref()?;
        let claim = metadata.claims().iter().find(|claim| called(&claim.path, name))?;
        let label = &metadata.claim_display(&claim.path, &self.languages)?.label;
        Some(clean(label, MAX_NAME)).filter(|label| !label.is_empty())
    }

    fn by_issuer(&self, name: &str) -> Option<String> {
        let claims = &self.held.naming.claims;
        let claim = claims.iter().find(|claim| called(&claim.path, name))?;
        name_for(&claim.names, &self.languages)
    }
}

fn called(path: &ClaimPath, name: &str) -> bool {
    clean(&path.to_string(), MAX_NAME) == name
}

/// The name for the first language that has one, whole tags before languages; else one without
/// language, else the first.
fn name_for(names: &[LocalName], languages: &[&str]) -> Option<String> {
    let whole = |name: &&LocalName, wanted: &str| {
        let locale = name.locale.as_deref();
        locale.is_some_and(|locale| locale.eq_ignore_ascii_case(wanted))
    };
    let alike = |name: &&LocalName, wanted: &str| {
        let locale = name.locale.as_deref();
        locale.is_some_and(|locale| language(locale).eq_ignore_ascii_case(language(wanted)))
    };
    let fitting = |wanted: &&str| {
        let first = names.iter().find(|name| whole(name, wanted));
        first.or_else(|| names.iter().find(|name| alike(name, wanted)))
    };
    let best = languages.iter().find_map(fitting);
    let best = best.or_else(|| names.iter().find(|name| name.locale.is_none()));
    let best = best.or_else(|| names.first())?;
    Some(clean(&best.name, MAX_NAME)).filter(|name| !name.is_empty())
}

fn language(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}
