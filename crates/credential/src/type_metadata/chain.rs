//! A type with everything that it extends.

use realdid_checks::passes;

use super::TypeMetadataError;
use super::document::{ClaimDisplay, ClaimMetadata, Document, SelectiveDisclosure, TypeDisplay};
use crate::Integrity;
use crate::path::ClaimPath;

/// Most types that a type extends, one over the other.
pub const MAX_EXTENDS: usize = 8;

/// A document that is to be found next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The type it is about.
    pub vct: String,
    /// What it must hash to, if that was signed. A document may be kept for good under its integrity.
    pub integrity: Option<Integrity>,
}

/// Documents of a type and of what it extends, as they come.
#[derive(Debug, Clone)]
pub struct Chain {
    /// The type itself first.
    documents: Vec<Document>,
    wanted: Option<Wanted>,
}

impl Chain {
    /// Begins with a credential's type and its `vct#integrity`.
    #[must_use]
    pub fn new(vct: &str, integrity: Option<Integrity>) -> Self {
        Self {
            documents: Vec::new(),
            wanted: Some(Wanted {
                vct: vct.to_owned(),
                integrity,
            }),
        }
    }

    /// The document that is wanted next; `None` if all are there.
    #[must_use]
    pub const fn wanted(&self) -> Option<&Wanted> {
        self.wanted.as_ref()
    }

    /// Takes the document that is wanted, as its bytes were fetched.
    ///
    /// # Errors
    /// What is wrong with it, or with the chain that it makes.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), TypeMetadataError> {
        let Some(wanted) = &self.wanted else { return Ok(()) };
        if let Some(integrity) = &wanted.integrity {
            integrity.check(bytes)?;
        }
        let document = Document::parse(bytes, &wanted.vct)?;
        let next = document.extends.clone();
        self.documents.push(document);
        if let Some((vct, _)) = &next {
            let circle = self.documents.iter().any(|document| document.vct == *vct);
            if !passes("SVC-24", !circle) {
                return Err(TypeMetadataError::Circle);
            }
            if !passes("SVC-25", self.documents.len() <= MAX_EXTENDS) {
                return Err(TypeMetadataError::TooDeep);
            }
        }
        self.wanted = next.map(|(vct, integrity)| Wanted { vct, integrity });
        Ok(())
    }

    /// The type's metadata with all that it inherits.
    ///
    /// # Errors
    /// [`TypeMetadataError::Incomplete`], or what a type may not change of the one it extends.
    pub fn finish(self) -> Result<TypeMetadata, TypeMetadataError> {
        if !passes("SVC-31", self.wanted.is_none()) {
            return Err(TypeMetadataError::Incomplete);
        }
        let types = self
            .documents
            .iter()
            .map(|document| document.vct.clone())
            .collect();
        let mut metadata = TypeMetadata {
            types,
            display: Vec::new(),
            claims: Vec::new(),
        };
        for document in self.documents.into_iter().rev() {
            metadata.extend(document)?;
        }
        Ok(metadata)
    }
}

/// A type's metadata with all that it inherits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeMetadata {
    types: Vec<String>,
    display: Vec<TypeDisplay>,
    claims: Vec<ClaimMetadata>,
}

impl TypeMetadata {
    /// The type.
    #[must_use]
    pub fn vct(&self) -> &str {
        self.types.first().map_or("", String::as_str)
    }

    /// The types that it extends, nearest first.
    #[must_use]
    pub fn extends(&self) -> &[String] {
        self.types.get(1..).unwrap_or_default()
    }

    /// How the type is shown to somebody who prefers these languages, the best one first.
    #[must_use]
    pub fn display(&self, languages: &[&str]) -> Option<&TypeDisplay> {
        best(&self.display, languages, |display| &display.locale)
    }

    /// What it says of its claims.
    #[must_use]
    pub fn claims(&self) -> &[ClaimMetadata] {
        &self.claims
    }

    /// How the claim at a path without [`crate::path::PathElement::All`] is shown.
    #[must_use]
    pub fn claim_display(&self, path: &ClaimPath, languages: &[&str]) -> Option<&ClaimDisplay> {
        let claim = self.claims.iter().find(|claim| claim.path.covers(&path.0))?;
        best(claim.display.as_deref()?, languages, |display| &display.locale)
    }

    /// Lays a type's own document over what it inherits.
    fn extend(&mut self, document: Document) -> Result<(), TypeMetadataError> {
        if let Some(display) = document.display {
            self.display = display;
        }
        for own in document.claims {
            match self.claims.iter_mut().find(|claim| claim.path == own.path) {
                Some(inherited) => override_claim(inherited, own)?,
                None => self.claims.push(own),
            }
        }
        Ok(())
    }
}

fn override_claim(inherited: &mut ClaimMetadata, own: ClaimMetadata) -> Result<(), TypeMetadataError> {
    let fixed = inherited.sd.unwrap_or_default();
    let kept = fixed == SelectiveDisclosure::Allowed || own.sd.is_none_or(|sd| sd == fixed);
    if !passes("SVC-26", kept) {
        return Err(TypeMetadataError::DisclosureChanged(own.path));
    }
    let kept = inherited.mandatory != Some(true) || own.mandatory != Some(false);
    if !passes("SVC-27", kept) {
        return Err(TypeMetadataError::MandatoryChanged(own.path));
    }
    inherited.sd = own.sd.or(inherited.sd);
    inherited.mandatory = own.mandatory.or(inherited.mandatory);
    if own.display.is_some() {
        inherited.display = own.display;
    }
    Ok(())
}

/// The entry for the first language that has one, whole tags before languages; else the first entry.
fn best<'a, T>(entries: &'a [T], languages: &[&str], locale: impl Fn(&T) -> &str) -> Option<&'a T> {
    let language = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let fitting = |wanted: &&str| {
        let whole = entries
            .iter()
            .find(|entry| locale(entry).eq_ignore_ascii_case(wanted));
        whole.or_else(|| {
            entries
                .iter()
                .find(|entry| language(locale(entry)) == language(wanted))
        })
    };
    languages.iter().find_map(fitting).or_else(|| entries.first())
}
