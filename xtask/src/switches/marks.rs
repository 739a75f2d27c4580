//! Where checks decide and which tests are marked as theirs, read from the sources.

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::checks::{IN_TEST, is_above_a_test, is_id, switches};
use crate::tidy::tree::Tree;

/// A test: the program it is in and its name there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Test {
    /// Folder of the package and name of the target, `crates/jose:it`; `lib` for unit tests.
    pub program: String,
    /// Path within the program, `jws::a_name_that_occurs_twice_is_refused`.
    pub name: String,
}

impl Test {
    pub fn new(program: &str, name: &str) -> Self {
        Self {
            program: program.to_owned(),
            name: name.to_owned(),
        }
    }
}

/// All checks that have a switch, and all marks.
#[derive(Default)]
pub struct Marks {
    /// Check and the folders of the packages that decide it.
    pub checks: BTreeMap<String, BTreeSet<String>>,
    /// Check and its tests.
    pub tests: BTreeMap<String, BTreeSet<Test>>,
}

impl Marks {
    pub fn read(tree: &Tree) -> Self {
        let mut marks = Self::default();
        for (path, text) in tree.ending(&[".rs"]) {
            let Some(place) = Place::of(path) else { continue };
            if place.in_sources {
                for (_, id) in switches(text) {
                    let folders = marks.checks.entry(id.to_owned()).or_default();
                    folders.insert(place.folder.to_owned());
                }
            }
            marks.read_tests(&place, text);
        }
        // The crate of the switches shows in its documentation how one is written.
        marks
            .checks
            .retain(|_, folders| folders.iter().any(|folder| folder != "crates/checks"));
        marks
    }

    fn read_tests(&mut self, place: &Place<'_>, text: &str) {
        let lines: Vec<&str> = text.lines().collect();
        let mut modules: Vec<(usize, &str)> = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            if line.trim() == "}" {
                modules.retain(|(open, _)| *open < indent);
            } else if let Some(name) = inline_module(line) {
                modules.push((indent, name));
            }
            let Some((_, ids)) = line.split_once(IN_TEST) else {
                continue;
            };
            let rest = &lines[index + 1..];
            let Some(function) = rest
                .iter()
                .find_map(|line| function(line))
                .filter(|_| is_above_a_test(rest))
            else {
                continue;
            };
            let mut path: Vec<&str> = place.modules.clone();
            path.extend(modules.iter().map(|(_, name)| *name));
            path.push(function);
            let test = Test::new(&place.program(), &path.join("::"));
            for id in ids.split([',', ' ']).map(str::trim).filter(|id| is_id(id)) {
                self.tests.entry(id.to_owned()).or_default().insert(test.clone());
            }
        }
    }
}

/// `mod tests {`
fn inline_module(line: &str) -> Option<&str> {
    let line = line.trim().strip_suffix('{')?.trim_end();
    let line = line
        .strip_prefix("pub ")
        .or_else(|| line.strip_prefix("pub(crate) "))
        .unwrap_or(line);
    line.strip_prefix("mod ")
}

/// `async fn name(`
fn function(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split(['(', '<']).next()
}

/// Where a source file belongs.
struct Place<'t> {
    folder: &'t str,
    target: &'t str,
    modules: Vec<&'t str>,
    in_sources: bool,
}

impl<'t> Place<'t> {
    fn of(path: &'t str) -> Option<Self> {
        let (folder, rest, in_sources) = match path.split_once("/src/") {
            Some((folder, rest)) => (folder, rest, true),
            None => {
                let (folder, rest) = path.split_once("/tests/")?;
                (folder, rest, false)
            }
        };
        let mut modules: Vec<&str> = rest.strip_suffix(".rs")?.split('/').collect();
        let target = if in_sources { "lib" } else { modules.remove(0) };
        if let Some("lib" | "main" | "mod") = modules.last().copied() {
            modules.pop();
        }
        Some(Self {
            folder,
            target,
            modules,
            in_sources,
        })
    }

    fn program(&self) -> String {
        format!("{}:{}", self.folder, self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)]) -> Marks {
        let files: Vec<(&str, String)> = files
            .iter()
            .map(|(path, text)| {
                (
                    *path,
                    text.replace("TEST", IN_TEST)
                        .replace("SWITCH", concat!("passes", "(\"")),
                )
            })
            .collect();
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        Marks::read(&Tree::of(&files))
    }

    #[test]
    fn a_check_is_known_by_its_switch() {
        let marks = read(&[
            (
                "crates/did/src/a/b.rs",
                "if !SWITCHDID-03\", x) {\n// SWITCHDID-04\", x)\n",
            ),
            ("crates/did/tests/it/main.rs", "SWITCHDID-05\", x)\n"),
        ]);
        assert_eq!(marks.checks.keys().collect::<Vec<_>>(), ["DID-03"]);
        assert!(marks.checks["DID-03"].contains("crates/did"));
    }

    #[test]
    fn a_mark_is_known_by_the_path_of_its_test() {
        let marked = "TEST DID-01, DID-02\n#[test]\nfn t() {}\n";
        let nested = "mod inner {\n    TEST DID-01\n    #[tokio::test]\n    async fn u() {}\n}\n\
                      TEST DID-01\n#[test]\nfn after() {}\n";
        let marks = read(&[
            ("crates/did/tests/it/main.rs", marked),
            ("crates/did/tests/it/follow/mod.rs", marked),
            ("crates/did/src/lib.rs", nested),
            ("crates/did/src/a/b.rs", marked),
            ("crates/did/tests/it/helper.rs", "TEST DID-02\nfn helper() {}\n"),
        ]);
        let names: Vec<String> = marks.tests["DID-01"]
            .iter()
            .map(|t| format!("{} {}", t.program, t.name))
            .collect();
        assert_eq!(
            names,
            [
                "crates/did:it follow::t",
                "crates/did:it t",
                "crates/did:lib a::b::t",
                "crates/did:lib after",
                "crates/did:lib inner::u",
            ]
        );
        assert_eq!(marks.tests["DID-02"].len(), 3);
    }
}
