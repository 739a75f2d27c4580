//! Rules about the text of single files.

use super::Findings;
use super::tree::Tree;

const LONGEST_FILE: usize = 600;
const OURS: [&str; 7] = [".rs", ".ts", ".tsx", ".mjs", ".sh", ".sql", ".ci/run"];

/// No source file is longer than a reader's patience.
pub fn long_files(tree: &Tree) -> Findings {
    tree.ending(&OURS)
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > LONGEST_FILE)
        .map(|(name, lines)| format!("{name}: {lines} lines, more than {LONGEST_FILE}: split it by job"))
        .collect()
}

/// No absolute path of the machine somebody works on.
pub fn machine_paths(tree: &Tree) -> Findings {
    lines(tree, &[""])
        .filter(|(name, _, _)| !name.ends_with(".lock") && !name.ends_with("package-lock.json"))
        .filter_map(|(name, number, line)| {
            let path = machine_path(line)?;
            Some(format!("{name}:{number}: `{path}` is a path of one machine"))
        })
        .collect()
}

fn machine_path(line: &str) -> Option<&str> {
    // written in two parts, so that this very file passes
    const HOMES: [&str; 4] = [
        concat!("/", "work/"),
        concat!("/", "root/"),
        concat!("/", "home/"),
        concat!("/", "Users/"),
    ];
    HOMES.into_iter().find_map(|home| {
        let at = line.find(home)?;
        let before = line[..at].chars().next_back();
        let part_of_more = before.is_some_and(|c| c.is_ascii_alphanumeric() || "_.-/".contains(c));
        (!part_of_more).then_some(home)
    })
}

/// Every relative link in a Markdown file names a file or folder of the repository.
pub fn dead_links(tree: &Tree) -> Findings {
    let mut findings = Findings::new();
    for (name, text) in tree.ending(&[".md"]) {
        let mut in_code = false;
        for (number, line) in text.lines().enumerate() {
            in_code ^= line.trim_start().starts_with("```");
            if in_code {
                continue;
            }
            for target in targets(line) {
                if !tree.has(&resolve(name, target)) {
                    findings.push(format!("{name}:{}: no `{target}` there", number + 1));
                }
            }
        }
    }
    findings
}

/// The link targets of a line that are meant to be files of ours.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', '#', ' ']).next()?;
        let elsewhere = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
        (!elsewhere).then_some(target)
    })
}

/// `target` as seen from the folder of `file`, with `.` and `..` worked out.
fn resolve(file: &str, target: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// No test is there only for show.
pub fn ignored_tests(tree: &Tree) -> Findings {
    // written in two parts, so that this very file passes
    const OFF: [&str; 4] = [
        concat!("#[ign", "ore"),
        concat!("test.sk", "ip("),
        concat!("it.sk", "ip("),
        concat!("test.to", "do("),
    ];
    lines(tree, &[".rs", ".ts", ".tsx", ".mjs"])
        .filter(|(_, _, line)| OFF.iter().any(|off| line.contains(off)))
        .map(|(name, number, line)| format!("{name}:{number}: {}", line.trim()))
        .collect()
}

/// Where an npm package came from is the installer's business, not the repository's.
pub fn resolved_fields(tree: &Tree) -> Findings {
    tree.ending(&["package-lock.json"])
        .filter(|(_, text)| text.contains("\"resolved\""))
        .map(|(name, _)| {
            format!("{name}: has `resolved` fields: npm install --omit-lockfile-registry-resolved")
        })
        .collect()
}

fn lines<'t>(tree: &'t Tree, endings: &'t [&str]) -> impl Iterator<Item = (&'t str, usize, &'t str)> {
    tree.ending(endings).flat_map(|(name, text)| {
        let numbered = text.lines().enumerate();
        numbered.map(move |(index, line)| (name, index + 1, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found() {
        let long = "x\n".repeat(LONGEST_FILE + 1);
        let tree = Tree::of(&[("a.rs", &long), ("b.rs", "x\n"), ("c.json", &long)]);
        let findings = long_files(&tree);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].starts_with("a.rs"));
    }

    #[test]
    fn a_machine_path_is_found_and_a_relative_one_is_not() {
        let absolute = concat!("open(\"/", "home/li/notes\")");
        let relative = concat!("see crates/", "work/src and https://example.org/", "work/x");
        let tree = Tree::of(&[("a.md", absolute), ("b.md", relative)]);
        let findings = machine_paths(&tree);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].starts_with("a.md:1"));
    }

    #[test]
    fn a_dead_link_is_found() {
        let text = "[a](../README.md) [b](adr/) [c](gone.md#part) [d](https://example.org)\n\
                    ```\n[e](code.md)\n```\n";
        let tree = Tree::of(&[("README.md", ""), ("docs/x.md", text), ("docs/adr/1.md", "")]);
        let findings = dead_links(&tree);
        assert_eq!(findings, ["docs/x.md:1: no `gone.md` there"]);
    }

    #[test]
    fn a_switched_off_test_is_found() {
        let tree = Tree::of(&[
            ("a.rs", concat!("#[ign", "ore = \"later\"]")),
            ("b.rs", "#[test]"),
        ]);
        assert_eq!(ignored_tests(&tree).len(), 1);
    }

    #[test]
    fn a_registry_in_a_lock_file_is_found() {
        let tree = Tree::of(&[
            ("t/package-lock.json", "{\"resolved\": \"x\"}"),
            ("u/package-lock.json", "{}"),
        ]);
        assert_eq!(resolved_fields(&tree).len(), 1);
    }
}
