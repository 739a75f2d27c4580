// Shared by the crates' tests through `#[path]`: a vector file is frozen bytes. A test makes its
// content anew and compares; a difference is a change of the protocol that somebody has to approve.

use std::path::PathBuf;

use serde_json::Value;

/// Where a vector file lies.
fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../vectors")
        .join(name)
}

/// The content of a vector file.
pub fn read(name: &str) -> Value {
    let text = std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("vectors/{name}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("vectors/{name}: {error}"))
}

/// Whether `REALDID_BLESS=1` asks for vectors to be rewritten.
pub fn bless() -> bool {
    std::env::var_os("REALDID_BLESS").is_some_and(|value| value == "1")
}

/// Compares `made` with the vector file, or writes it if [`bless`] says so.
#[track_caller]
pub fn compare(name: &str, made: &Value) {
    assert!(
        made["description"].is_string() && made["source"].is_string(),
        "vectors/{name} says what it is"
    );
    if bless() {
        let text = serde_json::to_string_pretty(made).expect("a vector has a JSON form") + "\n";
        std::fs::write(path(name), text).unwrap_or_else(|error| panic!("vectors/{name}: {error}"));
    }
    assert_eq!(
        &read(name),
        made,
        "vectors/{name} is frozen; see vectors/README.md before changing it"
    );
}
