//! From digests and disclosures to claims: RFC 9901 §7.1, steps 3 to 5.

use std::collections::{BTreeMap, HashMap, HashSet};

use realdid_checks::passes;
use serde_json::{Map, Value};

use super::read::RawDisclosure;
use super::{MAX_DEPTH, SdJwtError};
use crate::HashAlg;
use crate::claims::{Claim, Content};

/// The name of an object's digests.
pub(super) const DIGESTS: &str = "_sd";
/// The name of an array element's digest.
pub(super) const DOTS: &str = "...";
/// The name of the hash function, at the top level.
pub(super) const HASH: &str = "_sd_alg";

/// The processed payload, as a tree.
pub(super) fn process(
    payload: &Map<String, Value>,
    disclosures: &[RawDisclosure],
    hash: HashAlg,
) -> Result<BTreeMap<String, Claim>, SdJwtError> {
    let mut processor = Processor {
        disclosures,
        by_digest: HashMap::with_capacity(disclosures.len()),
        seen: HashSet::new(),
    };
    for (index, disclosure) in disclosures.iter().enumerate() {
        let first = processor
            .by_digest
            .insert(hash.digest(&disclosure.encoded), index)
            .is_none();
        if !passes("SDJ-06", first) {
            return Err(SdJwtError::DisclosureTwice);
        }
    }
    let mut root = processor.members(payload, 0)?;
    root.remove(HASH);
    let all_named = processor
        .by_digest
        .keys()
        .all(|digest| processor.seen.contains(digest));
    if !passes("SDJ-07", all_named) {
        return Err(SdJwtError::Unreferenced);
    }
    Ok(root)
}

struct Processor<'a> {
    disclosures: &'a [RawDisclosure],
    by_digest: HashMap<String, usize>,
    /// Digests met so far, of disclosures and decoys.
    seen: HashSet<String>,
}

impl Processor<'_> {
    fn content(&mut self, value: &Value, depth: usize) -> Result<Content, SdJwtError> {
        if !passes("SDJ-08", depth <= MAX_DEPTH) {
            return Err(SdJwtError::TooDeep);
        }
        match value {
            Value::Object(members) => self.members(members, depth).map(Content::Object),
            Value::Array(elements) => self.elements(elements, depth).map(Content::Array),
            leaf => Ok(Content::Leaf(leaf.clone())),
        }
    }

    fn members(
        &mut self,
        object: &Map<String, Value>,
        depth: usize,
    ) -> Result<BTreeMap<String, Claim>, SdJwtError> {
        let mut members = BTreeMap::new();
        for (name, value) in object.iter().filter(|(name, _)| *name != DIGESTS) {
            // as the one name of an array's element it does not come here
            if !passes("SDJ-09", name != DOTS) {
                return Err(SdJwtError::Dots);
            }
            check_hash_name(name, depth == 0)?;
            members.insert(name.clone(), Claim::open(self.content(value, depth + 1)?));
        }
        for digest in digests_of(object)? {
            if let Some(index) = self.find(digest)? {
                self.member(index, &mut members, depth)?;
            }
        }
        Ok(members)
    }

    /// The disclosure of this place among those sent, if it is among them; a digest is met once.
    fn find(&mut self, digest: &str) -> Result<Option<usize>, SdJwtError> {
        let first = self.seen.insert(digest.to_owned());
        if !passes("SDJ-10", first) {
            return Err(SdJwtError::DigestTwice);
        }
        Ok(self.by_digest.get(digest).copied())
    }

    /// A member of an object, from its disclosure.
    fn member(
        &mut self,
        index: usize,
        members: &mut BTreeMap<String, Claim>,
        depth: usize,
    ) -> Result<(), SdJwtError> {
        let member = match self.disclosures[index].elements.as_deref() {
            Some([Value::String(_), Value::String(name), value]) => Some((name, value)),
            _ => None,
        };
        if !passes("SDJ-11", member.is_some()) {
            return Err(SdJwtError::MemberDisclosure);
        }
        let Some((name, value)) = member else {
            return Ok(());
        };
        if !passes("SDJ-12", name != DIGESTS && name != DOTS) {
            return Err(SdJwtError::ReservedName);
        }
        check_hash_name(name, false)?;
        if !passes("SDJ-13", !members.contains_key(name)) {
            return Err(SdJwtError::NameTwice);
        }
        let claim = Claim {
            disclosable: true,
            disclosure: Some(index),
            content: self.content(value, depth + 1)?,
        };
        members.insert(name.clone(), claim);
        Ok(())
    }

    fn elements(&mut self, array: &[Value], depth: usize) -> Result<Vec<Claim>, SdJwtError> {
        let mut elements = Vec::with_capacity(array.len());
        for value in array {
            elements.push(match element_digest(value) {
                Some(digest) => self.element(digest, depth)?,
                None => Claim::open(self.content(value, depth + 1)?),
            });
        }
        Ok(elements)
    }

    /// An array's element behind a digest: from its disclosure, or hidden.
    fn element(&mut self, digest: &str, depth: usize) -> Result<Claim, SdJwtError> {
        let index = self.find(digest)?;
        let Some(place) = index else { return Ok(hidden()) };
        let value = match self.disclosures[place].elements.as_deref() {
            Some([Value::String(_), value]) => Some(value),
            _ => None,
        };
        if !passes("SDJ-14", value.is_some()) {
            return Err(SdJwtError::ElementDisclosure);
        }
        let Some(value) = value else { return Ok(hidden()) };
        Ok(Claim {
            disclosable: true,
            disclosure: index,
            content: self.content(value, depth + 1)?,
        })
    }
}

/// The hash function's name is one for the top of the issuer's own part: nowhere else would anybody
/// look for it.
fn check_hash_name(name: &str, at_top: bool) -> Result<(), SdJwtError> {
    if !passes("SDJ-32", at_top || name != HASH) {
        return Err(SdJwtError::HashName);
    }
    Ok(())
}

const fn hidden() -> Claim {
    Claim {
        disclosable: true,
        disclosure: None,
        content: Content::Hidden,
    }
}

/// The digests of an object's hidden members.
fn digests_of(object: &Map<String, Value>) -> Result<Vec<&str>, SdJwtError> {
    let digests: Option<Vec<&str>> = match object.get(DIGESTS) {
        None => Some(Vec::new()),
        Some(Value::Array(digests)) => digests.iter().map(Value::as_str).collect(),
        Some(_) => None,
    };
    if !passes("SDJ-15", digests.is_some()) {
        return Err(SdJwtError::DigestForm);
    }
    Ok(digests.unwrap_or_default())
}

/// The digest that stands for an array's element: the text under the one name `...`.
fn element_digest(value: &Value) -> Option<&str> {
    match value {
        Value::Object(members) if members.len() == 1 => members.get(DOTS)?.as_str(),
        _ => None,
    }
}
