//! Claims path pointers (OpenID4VP 1.0 §7): where in a credential a claim stands.

use std::fmt;

use realdid_checks::passes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A component of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PathStep {
    /// The member of this name.
    Key(String),
    /// The element at this place, from 0.
    Index(usize),
    /// Every element (`null`).
    Every,
}

/// A claims path pointer. That it is not empty is for [`super::DcqlQuery::check`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClaimPath(pub Vec<PathStep>);

/// A component of a [`Pointer`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PointerStep {
    /// The member of this name.
    Key(String),
    /// The element at this place, from 0.
    Index(usize),
}

/// Exactly one place in one credential: what a path led to.
pub type Pointer = Vec<PointerStep>;

/// Why a path leads nowhere in a credential (§7.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A name is asked of what is no object.
    #[error("the path asks for a member of what is no object")]
    NoObject,
    /// An element is asked of what is no array.
    #[error("the path asks for an element of what is no array")]
    NoArray,
    /// Nothing stands there.
    #[error("nothing stands where the path leads")]
    Nothing,
}

impl ClaimPath {
    /// The path of names only.
    #[must_use]
    pub fn of(names: &[&str]) -> Self {
        Self(
            names
                .iter()
                .map(|name| PathStep::Key((*name).to_owned()))
                .collect(),
        )
    }

    /// Everything the path selects in `root`: where it stands and what it is.
    ///
    /// # Errors
    /// [`PathError`].
    pub fn select<'a>(&self, root: &'a Value) -> Result<Vec<(Pointer, &'a Value)>, PathError> {
        let mut selected = vec![(Pointer::new(), root)];
        for step in &self.0 {
            let mut next = Vec::with_capacity(selected.len());
            for (at, value) in selected {
                take(step, &at, value, &mut next)?;
            }
            selected = next;
        }
        if passes("DCQL-18", !selected.is_empty()) {
            Ok(selected)
        } else {
            Err(PathError::Nothing)
        }
    }
}

/// Appends what one step selects in one element; what is absent is left out (§7.1.1, 2.1 to 2.3).
fn take<'a>(
    step: &PathStep,
    at: &Pointer,
    value: &'a Value,
    next: &mut Vec<(Pointer, &'a Value)>,
) -> Result<(), PathError> {
    let below = |step| at.iter().cloned().chain([step]).collect();
    match step {
        PathStep::Key(name) => {
            if !passes("DCQL-16", value.is_object()) {
                return Err(PathError::NoObject);
            }
            let member = value.get(name.as_str());
            next.extend(member.map(|member| (below(PointerStep::Key(name.clone())), member)));
        }
        PathStep::Index(_) | PathStep::Every => {
            if !passes("DCQL-17", value.is_array()) {
                return Err(PathError::NoArray);
            }
            let elements = value.as_array().map_or(&[][..], Vec::as_slice).iter().enumerate();
            let wanted = |place: &usize| *step == PathStep::Every || *step == PathStep::Index(*place);
            let chosen = elements.filter(|(place, _)| wanted(place));
            next.extend(chosen.map(|(place, element)| (below(PointerStep::Index(place)), element)));
        }
    }
    Ok(())
}

impl Serialize for PathStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Key(name) => serializer.serialize_str(name),
            Self::Index(place) => serializer.serialize_u64(*place as u64),
            Self::Every => serializer.serialize_unit(),
        }
    }
}

impl<'de> Deserialize<'de> for PathStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let place = value.as_u64().and_then(|place| usize::try_from(place).ok());
        match (value, place) {
            (Value::String(name), _) => Ok(Self::Key(name)),
            (_, Some(place)) => Ok(Self::Index(place)),
            (other, None) if passes("DCQL-15", other.is_null()) => Ok(Self::Every),
            _ => Err(serde::de::Error::custom(
                "a path has texts, nulls and non-negative integers",
            )),
        }
    }
}

impl fmt::Display for ClaimPath {
    /// For people: `address.street`, `nationalities[0]`, `classes[*]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Key(name) if place == 0 => f.write_str(name)?,
                PathStep::Key(name) => write!(f, ".{name}")?,
                PathStep::Index(index) => write!(f, "[{index}]")?,
                PathStep::Every => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}
