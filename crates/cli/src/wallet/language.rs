//! The languages that whoever runs the program reads, as the environment tells (POSIX; `LANGUAGE` as GNU
//! gettext has it). Names of credentials and claims come in several; the program itself speaks English.

/// Language tags (RFC 5646), the preferred one first and English last.
pub fn preferred() -> Vec<String> {
    of(|name| std::env::var(name).ok())
}

fn of(variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    let locale = tag(&["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .find_map(set)
        .unwrap_or_default());
    let mut tags = Vec::new();
    if locale.is_some() {
        let list = set("LANGUAGE").unwrap_or_default();
        tags.extend(list.split(':').filter_map(tag));
    }
    tags.extend(locale);
    tags.push("en".to_owned());
    let mut seen: Vec<String> = Vec::new();
    for tag in tags {
        if !seen.contains(&tag) {
            seen.push(tag);
        }
    }
    seen
}

/// `zh-CN` of `zh_CN.UTF-8`; none of the locale without a language.
fn tag(locale: &str) -> Option<String> {
    let name = locale.split(['.', '@']).next().unwrap_or_default();
    let plain = matches!(name, "" | "C" | "POSIX");
    (!plain).then(|| name.replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn languages_are_read_from_the_environment() {
        let tags = |set: &[(&str, &str)]| {
            of(|name| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(tags(&[]), ["en"]);
        assert_eq!(tags(&[("LANG", "C.UTF-8"), ("LANGUAGE", "de")]), ["en"]);
        assert_eq!(tags(&[("LANG", "zh_CN.UTF-8")]), ["zh-CN", "en"]);
        assert_eq!(
            tags(&[("LC_ALL", "de_DE@euro"), ("LANG", "zh_CN")]),
            ["de-DE", "en"]
        );
        assert_eq!(tags(&[("LC_ALL", ""), ("LANG", "en_GB.UTF-8")]), ["en-GB", "en"]);
        let several = [("LANG", "fr_FR"), ("LANGUAGE", "zh_TW:en")];
        assert_eq!(tags(&several), ["zh-TW", "en", "fr-FR"]);
    }
}
