//! The one place through which a check with an id of `docs/checks.md` decides.
//!
//! [`passes`] says what it is told, and nothing else: in an ordinary build it is the identity. Built
//! with the feature `switches`, which only the test command does, the environment variable
//! `REALDID_CHECK_OFF` names one check that then lets everything pass. Its tests must fail, and no
//! others: that is how the tests are tested (`cargo xtask switches`).

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
    switches::passes(id, holds)
}

#[cfg(feature = "switches")]
mod switches {
    use std::collections::HashSet;
    use std::fs::{File, OpenOptions};
    use std::io::Write as _;
    use std::sync::{Mutex, OnceLock, PoisonError};

    static OFF: OnceLock<Option<String>> = OnceLock::new();
    static REFUSALS: OnceLock<Option<Mutex<Refusals>>> = OnceLock::new();

    /// Who refused what so far, each once.
    struct Refusals {
        seen: HashSet<(&'static str, String)>,
        file: File,
    }

    pub fn passes(id: &'static str, holds: bool) -> bool {
        if holds {
            return true;
        }
        note(id);
        OFF.get_or_init(|| std::env::var("REALDID_CHECK_OFF").ok())
            .as_deref()
            == Some(id)
    }

    /// Adds the check and the thread, which a test harness names after the test, to the file named by
    /// `REALDID_CHECK_TRACE`: a check that never refused in a test cannot change what it does.
    fn note(id: &'static str) {
        let open = || {
            let path = std::env::var_os("REALDID_CHECK_TRACE")?;
            let file = OpenOptions::new().create(true).append(true).open(path).ok()?;
            let seen = HashSet::new();
            Some(Mutex::new(Refusals { seen, file }))
        };
        if let Some(refusals) = REFUSALS.get_or_init(open) {
            let mut refusals = refusals.lock().unwrap_or_else(PoisonError::into_inner);
            let thread = std::thread::current().name().unwrap_or_default().to_owned();
            let line = format!("{id} {thread}\n");
            if refusals.seen.insert((id, thread)) {
                // A trace that cannot be written shows as a check without tests.
                let _ = refusals.file.write_all(line.as_bytes());
            }
        }
    }
}
