//! Text of strangers, made fit to be shown: no control characters, nothing that changes the direction
//! of what stands beside it, no line breaks, and bounded.

use realdid_checks::passes;
use realdid_openid::text::is_seen;

/// Longest name that is shown, in characters.
pub const MAX_NAME: usize = 80;
/// Longest claim value that is shown, in characters.
pub const MAX_VALUE: usize = 200;

/// The text without what a reader would not see, or see wrongly; angle brackets are taken out too, so
/// that no page that shows it takes it for mark-up. Longer than `limit` characters it ends with `…`.
#[must_use]
pub fn clean(text: &str, limit: usize) -> String {
    let mut cleaned = String::new();
    let (mut length, mut gap) = (0, false);
    for character in text.chars() {
        if character.is_whitespace() {
            gap = !cleaned.is_empty();
            continue;
        }
        if !passes("WVC-32", is_visible(character)) {
            continue;
        }
        if length >= limit {
            cleaned.push('…');
            break;
        }
        if std::mem::take(&mut gap) {
            cleaned.push(' ');
            length += 1;
        }
        cleaned.push(character);
        length += 1;
    }
    cleaned
}

/// Seen as what it is, no mark-up, and no variation of what stands before it.
const fn is_visible(character: char) -> bool {
    is_seen(character) && !matches!(character, '<' | '>' | '\u{fe00}'..='\u{fe0f}')
}
