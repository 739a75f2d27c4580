//! Times in claims (NumericDate, RFC 7519 §2): numbers of seconds, and nothing else.

use serde_json::Value;

/// The last second of the year 9999: no credential lives longer, and sums do not overflow.
pub(crate) const MAX_TIME: u64 = 253_402_300_799;

/// A time in seconds since 1970, parts of seconds cut off; `None` if it is no number, negative, or
/// beyond the year 9999.
pub(crate) fn numeric_date(value: &Value) -> Option<u64> {
    let seconds = match value.as_u64() {
        Some(seconds) => seconds,
        None => whole_seconds(value.as_f64()?)?,
    };
    (seconds <= MAX_TIME).then_some(seconds)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the range is checked before"
)]
fn whole_seconds(seconds: f64) -> Option<u64> {
    (0.0..=MAX_TIME as f64)
        .contains(&seconds)
        .then_some(seconds as u64)
}
