//! Making an SD-JWT: RFC 9901 §4.2.

use std::collections::BTreeMap;
use std::fmt;

use rand_core::CryptoRng;
use realdid_checks::passes;
use realdid_crypto::{KeyType, SecretKey, Signature, base64url_encode};
use realdid_jose::jws::{MAX_JWS, SigningInput};
use serde_json::{Map, Value, json};

use super::process::{DIGESTS, DOTS, HASH};
use super::{IssueError, MAX_DECOYS, MAX_DEPTH, MAX_DISCLOSURES, MAX_SD_JWT};
use crate::HashAlg;
use crate::path::{ClaimPath, PathElement};

/// Registered claims on which validity depends (RFC 9901 §9.7), with all that stands in them; of
/// `aud` single entries may be disclosable.
const NEVER_DISCLOSABLE: [&str; 5] = ["iss", "aud", "exp", "nbf", "cnf"];

/// Length of a salt, in bytes (RFC 9901 §9.3).
const SALT: usize = 16;

/// What of the claims is selectively disclosable, and how. One frame serves any number of credentials
/// of the same shape.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// Paths to what becomes a disclosure of its own; a path into another one's claim makes it
    /// recursive. Each must lead to a claim: a path that was mistyped would leave a claim open to all.
    pub disclosable: Vec<ClaimPath>,
    /// Decoys beside the digests of every object and array that has some: 0 to [`MAX_DECOYS`].
    pub decoys: usize,
    /// The hash function; SHA-256 if others are to read it.
    pub hash: HashAlg,
}

/// An SD-JWT that waits for the issuer's signature.
#[derive(Clone)]
pub struct Unsigned {
    input: SigningInput,
    disclosures: Vec<String>,
}

impl Unsigned {
    /// The bytes to sign, as [`SecretKey::sign_raw`] does.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.input.as_bytes()
    }

    /// The SD-JWT with all its disclosures, as the holder gets it.
    #[must_use]
    pub fn finish(self, signature: &Signature) -> String {
        let mut text = self.input.finish(signature);
        text.push('~');
        for disclosure in self.disclosures {
            text.push_str(&disclosure);
            text.push('~');
        }
        text
    }
}

impl fmt::Debug for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsigned")
            .field("disclosures", &self.disclosures.len())
            .finish_non_exhaustive()
    }
}

/// Makes an SD-JWT for a key of this type, up to the signature. `header` has `typ` and whatever leads
/// to the key; `rng` gives salts of 128 bits and decoys.
///
/// # Errors
/// [`IssueError`].
pub fn prepare(
    kind: KeyType,
    header: Map<String, Value>,
    claims: &Map<String, Value>,
    frame: &Frame,
    rng: &mut impl CryptoRng,
) -> Result<Unsigned, IssueError> {
    check_frame(frame)?;
    let readable = frame.decoys <= MAX_DECOYS && claims.values().all(|value| is_shallow(value, 1));
    if !passes("SDJ-30", readable) {
        return Err(IssueError::TooLarge);
    }
    let mut issuing = Issuing {
        frame,
        rng,
        found: vec![false; frame.disclosable.len()],
        disclosures: Vec::new(),
    };
    let mut payload = issuing.members(claims, &mut Vec::new())?;
    payload.insert(HASH.to_owned(), frame.hash.name().into());
    if let Some(missed) = issuing.found.iter().position(|found| !found)
        && !passes("SDJ-28", false)
    {
        return Err(IssueError::NothingThere(frame.disclosable[missed].clone()));
    }
    let mut disclosures = issuing.disclosures;
    // their order, too, tells nothing of the order of the claims
    disclosures.sort_unstable();
    let input = SigningInput::with_header(kind, header, &payload, MAX_JWS).map_err(IssueError::Jws)?;
    let length: usize = disclosures.iter().map(|disclosure| disclosure.len() + 1).sum();
    // the issuer's part and a key binding may take the rest
    if !passes(
        "SDJ-31",
        disclosures.len() <= MAX_DISCLOSURES && length <= MAX_SD_JWT - 2 * MAX_JWS,
    ) {
        return Err(IssueError::TooLarge);
    }
    Ok(Unsigned { input, disclosures })
}

/// Makes and signs an SD-JWT with a key at hand.
///
/// # Errors
/// [`IssueError`].
pub fn issue(
    key: &SecretKey,
    header: Map<String, Value>,
    claims: &Map<String, Value>,
    frame: &Frame,
    rng: &mut impl CryptoRng,
) -> Result<String, IssueError> {
    let unsigned = prepare(key.kind(), header, claims, frame, rng)?;
    let signature = key.sign_raw(unsigned.as_bytes());
    Ok(unsigned.finish(&signature))
}

fn check_frame(frame: &Frame) -> Result<(), IssueError> {
    let decides = |path: &&ClaimPath| match path.top() {
        Some("aud") => path.0.len() == 1,
        Some(name) => NEVER_DISCLOSABLE.contains(&name),
        None => false,
    };
    if let Some(path) = frame.disclosable.iter().find(decides)
        && !passes("SDJ-29", false)
    {
        return Err(IssueError::NeverDisclosable(path.clone()));
    }
    Ok(())
}

/// Whether a value at `level` reaches down to [`MAX_DEPTH`] at most.
fn is_shallow(value: &Value, level: usize) -> bool {
    level <= MAX_DEPTH
        && match value {
            Value::Object(members) => members.values().all(|value| is_shallow(value, level + 1)),
            Value::Array(elements) => elements.iter().all(|value| is_shallow(value, level + 1)),
            _ => true,
        }
}

struct Issuing<'a, R> {
    frame: &'a Frame,
    rng: &'a mut R,
    /// Which paths of the frame have led to a claim.
    found: Vec<bool>,
    disclosures: Vec<String>,
}

impl<R: CryptoRng> Issuing<'_, R> {
    /// The value with its disclosable parts taken out, innermost first.
    fn value(&mut self, value: &Value, path: &mut Vec<PathElement>) -> Result<Value, IssueError> {
        match value {
            Value::Object(object) => Ok(self.members(object, path)?.into_iter().collect()),
            Value::Array(array) => self.elements(array, path).map(Value::Array),
            leaf => Ok(leaf.clone()),
        }
    }

    fn members(
        &mut self,
        object: &Map<String, Value>,
        path: &mut Vec<PathElement>,
    ) -> Result<BTreeMap<String, Value>, IssueError> {
        // by name, whatever order the issuer's data or the JSON library have
        let object: BTreeMap<&String, &Value> = object.iter().collect();
        let mut open = BTreeMap::new();
        let mut digests = Vec::new();
        for (name, value) in object {
            if !passes("SDJ-27", ![DIGESTS, DOTS, HASH].contains(&name.as_str())) {
                return Err(IssueError::ReservedName);
            }
            path.push(PathElement::Name(name.clone()));
            let value = self.value(value, path)?;
            if self.is_disclosable(path) {
                digests.push(self.disclose(Some(name), value));
            } else {
                open.insert(name.clone(), value);
            }
            path.pop();
        }
        if !digests.is_empty() {
            digests.extend((0..self.frame.decoys).map(|_| self.decoy()));
            digests.sort_unstable();
            open.insert(DIGESTS.to_owned(), digests.into());
        }
        Ok(open)
    }

    fn elements(&mut self, array: &[Value], path: &mut Vec<PathElement>) -> Result<Vec<Value>, IssueError> {
        let mut elements = Vec::with_capacity(array.len());
        let mut hides = false;
        for (index, value) in array.iter().enumerate() {
            path.push(PathElement::Index(index));
            let value = self.value(value, path)?;
            if self.is_disclosable(path) {
                hides = true;
                elements.push(json!({ DOTS: self.disclose(None, value) }));
            } else {
                elements.push(value);
            }
            path.pop();
        }
        for _ in 0..if hides { self.frame.decoys } else { 0 } {
            // among the elements, which keep their order; the modulus is too small to matter
            let places = elements.len() as u64 + 1;
            let place = usize::try_from(self.rng.next_u64() % places).unwrap_or_default();
            elements.insert(place, json!({ DOTS: self.decoy() }));
        }
        Ok(elements)
    }

    fn is_disclosable(&mut self, path: &[PathElement]) -> bool {
        let mut is = false;
        for (covers, found) in self.frame.disclosable.iter().zip(&mut self.found) {
            if covers.covers(path) {
                *found = true;
                is = true;
            }
        }
        is
    }

    /// Makes a disclosure with a salt of its own; its digest.
    fn disclose(&mut self, name: Option<&str>, value: Value) -> String {
        let salt = base64url_encode(self.random::<SALT>());
        let array = match name {
            Some(name) => json!([salt, name, value]),
            None => json!([salt, value]),
        };
        let disclosure = base64url_encode(array.to_string());
        let digest = self.frame.hash.digest(&disclosure);
        self.disclosures.push(disclosure);
        digest
    }

    /// A digest of nothing that anybody has.
    fn decoy(&mut self) -> String {
        let nothing = base64url_encode(self.random::<32>());
        self.frame.hash.digest(&nothing)
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill_bytes(&mut bytes);
        bytes
    }
}
