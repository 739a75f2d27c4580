//! The one place through which a check with an id of `docs/checks.md` decides.
//!
//! [`passes`] says what it is told, and nothing else: in an ordinary build it is the identity. Built
//! with the feature `switches`, which only the test command does, the environment variable
//! `REALDID_CHECK_OFF` names one check that then lets everything pass. Its tests must fail, and no
//! others: that is how the tests are tested.

/// Whether a check lets something pass: `holds` is what it found, `id` its row in `docs/checks.md`.
///
/// ```
/// # use realdid_checks::passes;
/// # fn check(typ: &str) -> Result<(), &'static str> {
/// if !passes("JWS-04", typ == "JWT") {
///     return Err("type");
/// }
/// # Ok(())
/// # }
/// # assert!(check("JWT").is_ok());
/// ```
#[cfg(not(feature = "switches"))]
#[must_use]
#[inline]
pub const fn passes(_id: &'static str, holds: bool) -> bool {
    holds
}

/// Whether a check lets something pass: `holds` is what it found, `id` its row in `docs/checks.md`;
/// everything, if this check is the one turned off.
#[cfg(feature = "switches")]
#[must_use]
pub fn passes(id: &'static str, holds: bool) -> bool {
    use std::sync::OnceLock;
    static OFF: OnceLock<Option<String>> = OnceLock::new();
    let off = OFF.get_or_init(|| std::env::var("REALDID_CHECK_OFF").ok());
    holds || off.as_deref() == Some(id)
}
