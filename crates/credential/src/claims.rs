//! A credential's claims as a tree that remembers which of them are selectively disclosable, and by
//! which disclosure: one structure under reading, choosing what to show, and the rules of a type.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::path::{ClaimPath, PathElement};

/// A claim, or an element of an array, in the processed payload.
#[derive(Clone)]
pub(crate) struct Claim {
    /// Whether it stands as a disclosure of its own in the credential as issued.
    pub(crate) disclosable: bool,
    /// The disclosure it came by, as its place in the SD-JWT.
    pub(crate) disclosure: Option<usize>,
    pub(crate) content: Content,
}

#[derive(Clone)]
pub(crate) enum Content {
    Object(BTreeMap<String, Claim>),
    Array(Vec<Claim>),
    Leaf(Value),
    /// An array element that was not disclosed (or a decoy): it takes a place in the array as issued.
    Hidden,
}

/// How places in an array are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Places {
    /// Disclosed elements alone, as they stand in the processed payload.
    Shown,
    /// All elements, as issued (SD-JWT VC, Claim Metadata).
    Issued,
}

/// A step of a path meets something that has no such steps: a name meets an array, or the like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mismatch;

impl Claim {
    /// A claim that is always disclosed.
    pub(crate) const fn open(content: Content) -> Self {
        Self {
            disclosable: false,
            disclosure: None,
            content,
        }
    }

    /// The processed value; `None` for a hidden one.
    pub(crate) fn value(&self) -> Option<Value> {
        match &self.content {
            Content::Object(members) => Some(Value::Object(object(members))),
            Content::Array(elements) => Some(elements.iter().filter_map(Self::value).collect()),
            Content::Leaf(value) => Some(value.clone()),
            Content::Hidden => None,
        }
    }

    /// What stands directly beneath, each with its step.
    pub(crate) fn children(&self, places: Places) -> Vec<(PathElement, &Self)> {
        match &self.content {
            Content::Object(members) => members
                .iter()
                .map(|(name, claim)| (PathElement::Name(name.clone()), claim))
                .collect(),
            Content::Array(elements) => elements
                .iter()
                .filter(|claim| places == Places::Issued || !matches!(claim.content, Content::Hidden))
                .enumerate()
                .map(|(index, claim)| (PathElement::Index(index), claim))
                .collect(),
            Content::Leaf(_) | Content::Hidden => Vec::new(),
        }
    }

    /// The claims that a path leads to (SD-JWT VC, Processing of `path`), each as the chain of
    /// claims that lead to it, itself last. No claim, if there is none.
    ///
    /// # Errors
    /// [`Mismatch`].
    pub(crate) fn select(&self, path: &ClaimPath, places: Places) -> Result<Vec<Vec<&Self>>, Mismatch> {
        let mut selected = vec![vec![self]];
        for step in &path.0 {
            let mut next = Vec::new();
            for chain in selected {
                let Some(last) = chain.last() else { continue };
                for claim in last.step(step, places)? {
                    next.push([chain.as_slice(), &[claim]].concat());
                }
            }
            selected = next;
        }
        Ok(selected)
    }

    fn step(&self, step: &PathElement, places: Places) -> Result<Vec<&Self>, Mismatch> {
        match (step, &self.content) {
            // its contents are unknown: nothing beneath is selected
            (_, Content::Hidden) => Ok(Vec::new()),
            (PathElement::Name(name), Content::Object(members)) => {
                Ok(members.get(name).into_iter().collect())
            }
            (PathElement::All, Content::Array(_)) => Ok(self
                .children(places)
                .into_iter()
                .map(|(_, claim)| claim)
                .collect()),
            (PathElement::Index(_), Content::Array(_)) => Ok(self
                .children(places)
                .into_iter()
                .filter_map(|(place, claim)| (place == *step).then_some(claim))
                .collect()),
            _ => Err(Mismatch),
        }
    }

    /// Whether this or anything beneath is selectively disclosable.
    pub(crate) fn has_disclosable(&self) -> bool {
        self.disclosable || self.beneath().any(Self::has_disclosable)
    }

    /// Adds the disclosures of this and everything beneath.
    pub(crate) fn collect(&self, into: &mut BTreeSet<usize>) {
        into.extend(self.disclosure);
        self.beneath().for_each(|claim| claim.collect(into));
    }

    /// What stands directly beneath, as issued.
    fn beneath(&self) -> impl Iterator<Item = &Self> {
        let (members, elements) = match &self.content {
            Content::Object(members) => (Some(members), None),
            Content::Array(elements) => (None, Some(elements)),
            Content::Leaf(_) | Content::Hidden => (None, None),
        };
        let members = members.into_iter().flat_map(BTreeMap::values);
        members.chain(elements.into_iter().flatten())
    }
}

/// The processed payload of an object's members.
pub(crate) fn object(members: &BTreeMap<String, Claim>) -> Map<String, Value> {
    members
        .iter()
        .filter_map(|(name, claim)| Some((name.clone(), claim.value()?)))
        .collect()
}
