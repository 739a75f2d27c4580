//! What each code means, and what to do about it. A test holds this table against the sources.

mod authority;
mod credential;
mod governance;
mod issuance;
mod issuer;
mod ledger;
mod login;
mod machine;
mod presenting;
mod proof;
mod verifier;

/// A code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The code.
    pub code: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub fix: &'static str,
}

const fn entry(code: &'static str, meaning: &'static str, fix: &'static str) -> Entry {
    Entry { code, meaning, fix }
}

/// All codes.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    [
        ledger::CODES,
        governance::CODES,
        proof::CODES,
        login::CODES,
        presenting::CODES,
        issuance::CODES,
        credential::CODES,
        issuer::CODES,
        authority::CODES,
        verifier::CODES,
        machine::CODES,
    ]
    .into_iter()
    .flatten()
}

/// What a code means.
pub fn find(code: &str) -> Option<&'static Entry> {
    all().find(|entry| entry.code == code)
}
