//! Which characters of strangers' texts may stand before people: one list for names, statements and
//! whatever a wallet shows.

/// Whether a reader sees a character as what it is: neither control, nor format (directions, joiners,
/// tags), nor blank without being white space, nor private (Unicode TR 36 §2.5). Ordinary
/// white space is seen; line breaks other than control characters are not.
#[must_use]
pub const fn is_seen(character: char) -> bool {
    !matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}
