//! What turning a check off showed, for people, for programs and for `docs/switches.md`.

use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::marks::Test;
use crate::failure::{Failure, Outcome};

/// What one check's switch did.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    pub id: String,
    /// Marked with it, and failed: as it should be.
    pub failed: BTreeSet<Test>,
    /// Failed without a mark.
    pub unmarked: BTreeSet<Test>,
    /// Marked, and passed all the same.
    pub passed: BTreeSet<Test>,
    /// Marked, and not found in its program.
    pub absent: BTreeSet<Test>,
}

impl Verdict {
    /// Whether exactly the marked tests failed, and at least one.
    pub fn holds(&self) -> bool {
        !self.failed.is_empty()
            && self.unmarked.is_empty()
            && self.passed.is_empty()
            && self.absent.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.holds() { "ok" } else { "FAILED" };
        write!(f, "{state}: {}: {} marked tests fail", self.id, self.failed.len())?;
        for (tests, what) in [
            (&self.unmarked, "fails without a mark"),
            (&self.passed, "is marked and passes"),
            (&self.absent, "is marked and not there"),
        ] {
            for test in tests {
                write!(f, "\n  {} {}: {what}", test.program, test.name)?;
            }
        }
        Ok(())
    }
}

/// The page of all checks.
pub fn document(verdicts: &[Verdict]) -> String {
    let holding = verdicts.iter().filter(|verdict| verdict.holds()).count();
    let tests: BTreeSet<&Test> = verdicts.iter().flat_map(|verdict| &verdict.failed).collect();
    let mut text = format!(
        "# Switches\n\n\
         Written by `cargo xtask switches`. Each check below was turned off alone; then exactly the tests \
         marked with\nits id have to fail, in all test programs in which it refuses anything \
         (of `cli`, `node` and `engine`: in the\nmarked ones). What the checks demand stands in \
         [checks.md](checks.md).\n\n\
         **{holding} of {} checks: exactly their tests fail, {} tests in all.**\n\n\
         | check | tests that fail |\n|---|---|\n",
        verdicts.len(),
        tests.len(),
    );
    for verdict in verdicts {
        let mut names: Vec<String> = verdict.failed.iter().map(shown).collect();
        names.extend(
            verdict
                .unmarked
                .iter()
                .map(|test| format!("**unmarked:** {}", shown(test))),
        );
        names.extend(
            verdict
                .passed
                .iter()
                .map(|test| format!("**passes:** {}", shown(test))),
        );
        names.extend(
            verdict
                .absent
                .iter()
                .map(|test| format!("**not there:** {}", shown(test))),
        );
        let _ = writeln!(text, "| {} | {} |", verdict.id, names.join(", "));
    }
    text
}

/// The checks of the page's table whose row has nothing against them.
pub fn holding(page: &str) -> BTreeSet<String> {
    let rows = page.lines().filter(|row| !row.contains("**"));
    let ids = rows.filter_map(|row| row.strip_prefix("| ")?.split(" | ").next());
    ids.filter(|id| id.contains('-') && id.ends_with(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

/// `jose jws::name`
fn shown(test: &Test) -> String {
    let package = test.program.strip_prefix("crates/").unwrap_or(&test.program);
    let package = package.split(':').next().unwrap_or(package);
    format!("{package} `{}`", test.name)
}

/// All verdicts for a program to read.
pub fn json(verdicts: &[Verdict]) -> String {
    let list = |tests: &BTreeSet<Test>| {
        let names: Vec<String> = tests
            .iter()
            .map(|t| format!("\"{} {}\"", t.program, t.name))
            .collect();
        format!("[{}]", names.join(","))
    };
    let one = |verdict: &Verdict| {
        format!(
            "{{\"id\":\"{}\",\"holds\":{},\"failed\":{},\"unmarked\":{},\"passed\":{},\"absent\":{}}}",
            verdict.id,
            verdict.holds(),
            list(&verdict.failed),
            list(&verdict.unmarked),
            list(&verdict.passed),
            list(&verdict.absent)
        )
    };
    let all: Vec<String> = verdicts.iter().map(one).collect();
    format!("[\n{}\n]\n", all.join(",\n"))
}

pub fn write(path: &Path, text: &str) -> Outcome<()> {
    fs::write(path, text).map_err(|e| Failure::at(path, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tests(names: &[&str]) -> BTreeSet<Test> {
        names
            .iter()
            .map(|name| Test::new("crates/did:it", name))
            .collect()
    }

    fn verdict(failed: &[&str], unmarked: &[&str], passed: &[&str], absent: &[&str]) -> Verdict {
        Verdict {
            id: "DID-01".to_owned(),
            failed: tests(failed),
            unmarked: tests(unmarked),
            passed: tests(passed),
            absent: tests(absent),
        }
    }

    #[test]
    fn the_page_tells_which_checks_hold() {
        let good = verdict(&["a"], &[], &[], &[]);
        let mut bad = verdict(&["a"], &["b"], &[], &[]);
        "DID-02".clone_into(&mut bad.id);
        let page = document(&[good, bad]);
        assert_eq!(holding(&page), BTreeSet::from(["DID-01".to_owned()]));
    }

    #[test]
    fn every_disagreement_is_told() {
        assert!(verdict(&["a"], &[], &[], &[]).holds());
        for (disagreeing, words) in [
            (verdict(&[], &[], &[], &[]), "0 marked"),
            (
                verdict(&["a"], &["b"], &[], &[]),
                "did:it b: fails without a mark",
            ),
            (
                verdict(&["a"], &[], &["c"], &[]),
                "did:it c: is marked and passes",
            ),
            (
                verdict(&["a"], &[], &[], &["d"]),
                "did:it d: is marked and not there",
            ),
        ] {
            assert!(!disagreeing.holds());
            let text = disagreeing.to_string();
            assert!(text.starts_with("FAILED") && text.contains(words), "{text}");
        }
    }

    #[test]
    fn the_page_counts_and_lists() {
        let text = document(&[
            verdict(&["a", "b"], &[], &[], &[]),
            verdict(&["a"], &["c"], &[], &[]),
        ]);
        assert!(
            text.contains("**1 of 2 checks: exactly their tests fail, 2 tests in all.**"),
            "{text}"
        );
        assert!(text.contains("| DID-01 | did `a`, did `b` |"), "{text}");
        assert!(text.contains("**unmarked:** did `c`"), "{text}");
        let json = json(&[verdict(&["a"], &[], &[], &[])]);
        assert!(
            json.contains(r#""holds":true,"failed":["crates/did:it a"]"#),
            "{json}"
        );
    }
}
