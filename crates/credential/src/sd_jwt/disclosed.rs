//! What an SD-JWT discloses: its claims, and the choice of which to show on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use realdid_checks::passes;
use serde_json::{Map, Value};

use super::SelectError;
use super::presentation::Presentation;
use crate::HashAlg;
use crate::claims::{Claim, Content, Places, object};
use crate::path::ClaimPath;

/// The processed payload (RFC 9901 §7.1) with the disclosures it was made of. Its `Debug` form shows
/// no claim.
#[derive(Clone)]
pub struct Disclosed {
    bound_part: String,
    jwt_length: usize,
    root: Claim,
    claims: Map<String, Value>,
    hash: HashAlg,
}

/// One claim or array element that is selectively disclosable, and disclosed here.
#[derive(Clone, PartialEq)]
pub struct Disclosure {
    /// Where it stands in the processed claims; indexes count what is disclosed here.
    pub path: ClaimPath,
    /// Its value, with what is disclosed beneath it.
    pub value: Value,
    /// The disclosure without which it cannot be shown, as its place in the same list.
    pub parent: Option<usize>,
}

impl Disclosed {
    pub(super) fn new(
        bound_part: String,
        jwt_length: usize,
        root: BTreeMap<String, Claim>,
        hash: HashAlg,
    ) -> Self {
        Self {
            claims: object(&root),
            root: Claim::open(Content::Object(root)),
            bound_part,
            jwt_length,
            hash,
        }
    }

    /// The processed claims: those open to all and those disclosed.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The hash function that names disclosures and binds a key.
    #[must_use]
    pub const fn hash(&self) -> HashAlg {
        self.hash
    }

    /// Everything that is disclosed and could be kept back, parents before what stands in them.
    #[must_use]
    pub fn disclosures(&self) -> Vec<Disclosure> {
        let mut list = Vec::new();
        list_beneath(&self.root, &ClaimPath::default(), None, &mut list);
        list
    }

    /// The values at a path, as they are disclosed here: none, if there is no such claim.
    #[must_use]
    pub fn at(&self, path: &ClaimPath) -> Vec<Value> {
        let chains = self.root.select(path, Places::Shown).unwrap_or_default();
        chains
            .iter()
            .filter_map(|chain| chain.last().and_then(|claim| claim.value()))
            .collect()
    }

    /// Whether all claims at a path are always open: to show them no disclosure is needed.
    #[must_use]
    pub fn is_open(&self, path: &ClaimPath) -> bool {
        let chains = self.root.select(path, Places::Shown).unwrap_or_default();
        chains.iter().flatten().all(|claim| claim.disclosure.is_none())
    }

    /// Chooses what to show: the claims at these paths, each with all that is disclosed beneath it
    /// and whatever it stands in. What is open to all is shown in any case; with no path nothing else
    /// is. Indexes count what is disclosed here.
    ///
    /// # Errors
    /// [`SelectError`] for a path that leads to no claim.
    pub fn select(&self, paths: &[ClaimPath]) -> Result<Presentation, SelectError> {
        let mut wanted = BTreeSet::new();
        for path in paths {
            let chains = self.root.select(path, Places::Shown).unwrap_or_default();
            if !passes("SDJ-16", !chains.is_empty()) {
                return Err(SelectError(path.clone()));
            }
            for chain in chains {
                wanted.extend(chain.iter().filter_map(|claim| claim.disclosure));
                if let Some(claim) = chain.last() {
                    claim.collect(&mut wanted);
                }
            }
        }
        let (jwt, disclosures) = self.bound_part.split_at(self.jwt_length + 1);
        let mut text = jwt.to_owned();
        for (index, encoded) in disclosures.split_terminator('~').enumerate() {
            if wanted.contains(&index) {
                text.push_str(encoded);
                text.push('~');
            }
        }
        Ok(Presentation::new(text, self.hash))
    }

    /// What a key binding is over: the issuer's part and the disclosures, each with its tilde.
    pub(super) fn bound_part(&self) -> &str {
        &self.bound_part
    }

    pub(crate) const fn root(&self) -> &Claim {
        &self.root
    }

    /// The claims at the top, with their names.
    pub(crate) fn top_level(&self) -> impl Iterator<Item = (&str, &Claim)> {
        let members = match &self.root.content {
            Content::Object(members) => Some(members),
            _ => None,
        };
        members
            .into_iter()
            .flatten()
            .map(|(name, claim)| (name.as_str(), claim))
    }
}

fn list_beneath(claim: &Claim, path: &ClaimPath, parent: Option<usize>, list: &mut Vec<Disclosure>) {
    for (step, child) in claim.children(Places::Shown) {
        let path: ClaimPath = path.then(step);
        let mut parent = parent;
        if child.disclosure.is_some() {
            list.push(Disclosure {
                path: path.clone(),
                value: child.value().unwrap_or_default(),
                parent,
            });
            parent = Some(list.len() - 1);
        }
        list_beneath(child, &path, parent, list);
    }
}

impl fmt::Debug for Disclosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disclosed")
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Disclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disclosure")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
