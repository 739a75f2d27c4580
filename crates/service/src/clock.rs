//! The clock, read in one place and passed on as a number.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time now, in Unix milliseconds; 0 on a machine whose clock stands before 1970.
#[must_use]
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The time now, in Unix seconds.
#[must_use]
pub fn now_seconds() -> u64 {
    now_ms() / 1000
}
