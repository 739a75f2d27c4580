//! Just enough JSON to read what our own commands print: one text field of one object.

/// The text of the first member called `name`, unescaped. `None` where it is absent, not a
/// text or badly escaped.
pub fn text(json: &str, name: &str) -> Option<String> {
    let quoted = format!("\"{name}\"");
    let mut from = 0;
    while let Some(found) = json[from..].find(&quoted) {
        let after = json[from + found + quoted.len()..].trim_start();
        if let Some(value) = after.strip_prefix(':') {
            return unquote(value.trim_start());
        }
        from += found + quoted.len();
    }
    None
}

fn unquote(value: &str) -> Option<String> {
    let mut chars = value.strip_prefix('"')?.chars();
    let mut text = String::new();
    loop {
        match chars.next()? {
            '"' => return Some(text),
            '\\' => text.push(match chars.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'u' => unicode(&mut chars)?,
                plain @ ('"' | '\\' | '/') => plain,
                _ => return None,
            }),
            plain => text.push(plain),
        }
    }
}

/// Four hexadecimal digits; surrogate pairs do not occur in what our commands print.
fn unicode(chars: &mut std::str::Chars<'_>) -> Option<char> {
    let digits: String = chars.by_ref().take(4).collect();
    char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_field_is_read_and_unescaped() {
        let json = r#"{"note": "name", "name": "\u738b \"芳\"", "number": "1", "n": 3}"#;
        assert_eq!(text(json, "name").as_deref(), Some("王 \"芳\""));
        assert_eq!(text(json, "number").as_deref(), Some("1"));
        assert_eq!(text(json, "n"), None);
        assert_eq!(text(json, "absent"), None);
    }
}
