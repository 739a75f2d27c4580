//! Paths to claims: as a JSON array of names, indexes and `null` for "all elements".
//!
//! The same form serves requests (OpenID4VP 1.0 §7), type metadata (SD-JWT VC, Claim Path) and our own
//! list of what a credential discloses.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PathElement {
    /// The member of an object with this name.
    Name(String),
    /// The element of an array at this place, from 0.
    Index(usize),
    /// All elements of an array; `null` in JSON.
    All,
}

/// A path from the top of a credential's claims. In JSON an array such as `["address", "city"]` or
/// `["degrees", null, "type"]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimPath(pub Vec<PathElement>);

impl ClaimPath {
    /// A path of names alone.
    pub fn names<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self(
            names
                .into_iter()
                .map(|name| PathElement::Name(name.into()))
                .collect(),
        )
    }

    /// The path one step further.
    #[must_use]
    pub fn then(&self, element: PathElement) -> Self {
        let mut steps = self.0.clone();
        steps.push(element);
        Self(steps)
    }

    /// The name of the top-level claim it leads to or into; `None` if it begins otherwise.
    #[must_use]
    pub fn top(&self) -> Option<&str> {
        match self.0.first() {
            Some(PathElement::Name(name)) => Some(name),
            _ => None,
        }
    }

    /// Whether `path`, which has no [`PathElement::All`], is one of those this path stands for.
    #[must_use]
    pub fn covers(&self, path: &[PathElement]) -> bool {
        self.0.len() == path.len()
            && self.0.iter().zip(path).all(|(own, step)| {
                own == step || matches!((own, step), (PathElement::All, PathElement::Index(_)))
            })
    }
}

/// As people write it: `address.city`, `degrees[].type`, `nationalities[0]`.
impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                PathElement::Name(name) if place == 0 => f.write_str(name)?,
                PathElement::Name(name) => write!(f, ".{name}")?,
                PathElement::Index(index) => write!(f, "[{index}]")?,
                PathElement::All => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}
