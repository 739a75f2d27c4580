// Shared by the crates' tests through `#[path]`: outcomes of tampered messages, for software in other
// languages, which has to refuse the same for the same reason.

use std::fmt::Debug;

/// What becomes of `bytes` with the lowest bit of one byte changed, for each byte in turn: runs of an
/// outcome and how many bytes in a row have it, as `other_network 32, ok 1`.
pub fn flips(bytes: &[u8], judge: impl Fn(&[u8]) -> String) -> String {
    let mut runs: Vec<(String, u32)> = Vec::new();
    for at in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        let outcome = judge(&changed);
        match runs.last_mut() {
            Some((last, count)) if *last == outcome => *count += 1,
            _ => runs.push((outcome, 1)),
        }
    }
    let runs: Vec<_> = runs
        .iter()
        .map(|(outcome, count)| format!("{outcome} {count}"))
        .collect();
    runs.join(", ")
}

/// The code of an outcome, `ok` if there is no refusal.
pub fn outcome<T, E>(result: Result<T, E>, code: impl Fn(&E) -> &'static str) -> String {
    result.map_or_else(|error| code(&error), |_| "ok").to_owned()
}

/// The code of an error that has none of its own: the name of its variant, `NotCanonical("entry")` as
/// `not_canonical`.
#[allow(dead_code, reason = "each crate's tests use their part of it")]
pub fn variant(error: &impl Debug) -> String {
    let name = format!("{error:?}");
    let name = name.split(['(', ' ', '{']).next().unwrap_or_default();
    let mut snake = String::new();
    for (index, c) in name.char_indices() {
        if c.is_ascii_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}
