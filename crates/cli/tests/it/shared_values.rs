//! Finds values that two bodies of data share, in whatever text form each wrote them.
//!
//! A [`Body`] is everything one party could know about one login or one person: database cells,
//! tokens, operations, log lines. Each piece is taken as raw bytes, and every hexadecimal,
//! base64url, base64 or base58 word in it is decoded and taken as well, again and again.
//! Two bodies share a value if they have any 8 consecutive bytes in common.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// Shortest value that counts, in bytes.
pub const SHORTEST: usize = 8;
/// How often a decoded value is searched for encoded words itself.
const DEPTH: usize = 4;

type Window = [u8; SHORTEST];

/// Everything known about one login or one person.
#[derive(Debug, Default, Clone)]
pub struct Body {
    pieces: Vec<(String, Vec<u8>)>,
    seen: HashSet<Vec<u8>>,
}

/// A value two bodies share.
#[derive(Debug)]
pub struct Shared {
    /// The bytes in common, at least [`SHORTEST`].
    pub value: Vec<u8>,
    /// Where it stands in the one and the other.
    pub places: (String, String),
}

impl Body {
    /// Takes bytes and every value encoded in them. `place` is told with a finding.
    pub fn add_bytes(&mut self, place: &str, bytes: &[u8]) {
        self.add(place, bytes, DEPTH);
    }

    /// Takes a text; a JSON text is taken string by string, so that numbers (times) do not count.
    pub fn add_text(&mut self, place: &str, text: &str) {
        self.add(place, text.as_bytes(), DEPTH);
    }

    /// Takes a log of JSON lines, line by line.
    pub fn add_log(&mut self, place: &str, log: &str) {
        log.lines().for_each(|line| self.add_text(place, line));
    }

    /// Whether a piece contains `value` literally.
    #[must_use]
    pub fn contains(&self, value: &[u8]) -> bool {
        self.pieces
            .iter()
            .any(|(_, piece)| piece.windows(value.len()).any(|window| window == value))
    }

    fn add(&mut self, place: &str, bytes: &[u8], depth: usize) {
        if bytes.len() < SHORTEST || is_time(bytes) || !self.seen.insert(bytes.to_vec()) {
            return;
        }
        let json = serde_json::from_slice::<serde_json::Value>(bytes)
            .ok()
            .filter(|json| !json.is_number());
        if let Some(json) = json {
            self.add_json(place, &json, depth);
            return;
        }
        if let Some(parts) = std::str::from_utf8(bytes).ok().and_then(jws_parts) {
            // Its text is the encoding of constant words, too; what counts is what they encode.
            parts.iter().for_each(|part| self.add(place, part, depth));
            return;
        }
        self.pieces.push((place.to_owned(), bytes.to_vec()));
        if let (Some(depth), Ok(text)) = (depth.checked_sub(1), std::str::from_utf8(bytes)) {
            for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || "+/-_".contains(c))) {
                for decoded in decodings(word) {
                    self.add(place, &decoded, depth);
                }
            }
        }
    }

    fn add_json(&mut self, place: &str, json: &serde_json::Value, depth: usize) {
        match json {
            serde_json::Value::String(text) => self.add(place, text.as_bytes(), depth),
            serde_json::Value::Array(items) => {
                items.iter().for_each(|item| self.add_json(place, item, depth))
            }
            serde_json::Value::Object(members) => {
                members
                    .iter()
                    .for_each(|(name, member)| self.add_json(&format!("{place}.{name}"), member, depth));
            }
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
        }
    }

    fn windows(&self) -> HashMap<Window, usize> {
        let mut windows = HashMap::new();
        for (index, (_, piece)) in self.pieces.iter().enumerate() {
            for window in piece.windows(SHORTEST) {
                windows.entry(window.try_into().unwrap()).or_insert(index);
            }
        }
        windows
    }
}

/// The values that `one` and `other` share and `allowed` does not contain.
#[must_use]
pub fn shared(one: &Body, other: &Body, allowed: &Body) -> Vec<Shared> {
    let known = one.windows();
    let allowed = allowed.windows();
    let mut found: Vec<Shared> = Vec::new();
    let mut reported = HashSet::new();
    for (place, piece) in &other.pieces {
        let mut run: Option<(usize, usize, usize)> = None;
        let mut runs = Vec::new();
        for (start, window) in piece.windows(SHORTEST).enumerate() {
            let window: Window = window.try_into().unwrap();
            match (
                known.get(&window).filter(|_| !allowed.contains_key(&window)),
                run.as_mut(),
            ) {
                (Some(_), Some((_, end, _))) => *end = start + SHORTEST,
                (Some(index), None) => run = Some((start, start + SHORTEST, *index)),
                (None, _) => runs.extend(run.take()),
            }
        }
        runs.extend(run);
        for (start, end, index) in runs {
            let value = piece[start..end].to_vec();
            if reported.insert(value.clone()) {
                found.push(Shared {
                    value,
                    places: (one.pieces[index].0.clone(), place.clone()),
                });
            }
        }
    }
    found
}

/// Findings as text for a failed assertion.
#[must_use]
pub fn describe(findings: &[Shared]) -> String {
    let line = |finding: &Shared| {
        let text = String::from_utf8_lossy(&finding.value).into_owned();
        let hex: String = finding.value.iter().map(|byte| format!("{byte:02x}")).collect();
        format!(
            "  {} <-> {}: {hex} ({text:?})\n",
            finding.places.0, finding.places.1
        )
    };
    findings.iter().map(line).collect()
}

/// What a word could be the hexadecimal, base64 or base58 form of.
fn decodings(word: &str) -> Vec<Vec<u8>> {
    if word.len() < SHORTEST * 4 / 3 {
        return Vec::new();
    }
    let mut decoded = Vec::new();
    decoded.extend(hex::decode(word.to_ascii_lowercase()).ok());
    decoded.extend(URL_SAFE_NO_PAD.decode(word).ok());
    decoded.extend(STANDARD_NO_PAD.decode(word).ok());
    decoded.extend(
        word.strip_prefix('z')
            .and_then(|rest| realdid_crypto::base58_decode(rest).ok()),
    );
    decoded.extend(realdid_crypto::base58_decode(word).ok());
    decoded
}

/// Header, payload and signature of a compact JWS.
fn jws_parts(text: &str) -> Option<Vec<Vec<u8>>> {
    let parts: Vec<_> = text
        .split('.')
        .map(|part| URL_SAFE_NO_PAD.decode(part).ok())
        .collect::<Option<_>>()?;
    let is_object =
        |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).is_ok_and(|json| json.is_object());
    (parts.len() == 3 && is_object(&parts[0]) && is_object(&parts[1])).then_some(parts)
}

/// A time as text or a plain number is not a value anybody is known by: all that happens in one
/// second shares it. It is on the allowlist as a whole kind.
fn is_time(bytes: &[u8]) -> bool {
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let numeric = bytes
        .iter()
        .all(|byte| byte.is_ascii_digit() || b"-:.TZ+ ".contains(byte));
    numeric && (8..=20).contains(&digits) && !is_identity_number(bytes)
}

/// 18 digits are an identity number, not a time.
fn is_identity_number(bytes: &[u8]) -> bool {
    bytes.len() == 18 && bytes[..17].iter().all(u8::is_ascii_digit)
}

#[test]
fn every_form_of_a_shared_value_is_found() {
    let secret: Vec<u8> = (100..116).collect();
    let forms = [
        hex::encode(&secret),
        URL_SAFE_NO_PAD.encode(&secret),
        realdid_crypto::base58_encode(&secret),
        format!(
            "{{\"claims\":{{\"x\":\"prefix.{}\"}}}}",
            URL_SAFE_NO_PAD.encode(&secret)
        ),
        URL_SAFE_NO_PAD.encode(format!("{{\"nested\":\"{}\"}}", hex::encode(&secret))),
    ];
    let mut one = Body::default();
    one.add_bytes("raw", &secret);
    for form in forms {
        let mut other = Body::default();
        other.add_text("form", &form);
        assert!(!shared(&one, &other, &Body::default()).is_empty(), "{form}");
        let mut allowed = Body::default();
        allowed.add_bytes("allowed", &secret);
        assert!(shared(&one, &other, &allowed).is_empty());
    }
}

#[test]
fn different_values_and_equal_times_are_not_shared() {
    let (mut one, mut other) = (Body::default(), Body::default());
    one.add_text("time", "2026-11-22T02:03:04Z");
    other.add_text("time", "2026-11-22T02:03:04Z");
    one.add_bytes("value", &[1; 16]);
    other.add_bytes("value", &[2; 16]);
    assert!(shared(&one, &other, &Body::default()).is_empty());
    one.add_text("number", "99999919900307123X");
    other.add_text("number", "99999919900307123X");
    assert!(!shared(&one, &other, &Body::default()).is_empty());
}
