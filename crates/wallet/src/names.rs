//! Text of strangers, made fit to be shown: no control characters, nothing that changes the direction
//! of what stands beside it, no line breaks, and bounded.

use realdid_checks::passes;

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

/// Neither control, nor format (directions, joiners, tags), nor private, nor mark-up.
const fn is_visible(character: char) -> bool {
    !matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '<' | '>' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'
        | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{fe00}'..='\u{fe0f}' | '\u{e000}'..='\u{f8ff}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}
