//! `docs/checks.md` and the repository agree: every rule has its row, its switch in the code and a
//! test that breaks it, and none of the three stands alone.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use super::tree::Tree;

const TABLE: &str = "docs/checks.md";
// written in two parts, so that this very file is no such place
/// The mark above a test.
pub const IN_TEST: &str = concat!("// ", "test:");
/// Where a check decides; its first argument is the id.
const SWITCH: &str = concat!("passes", "(");
// how a check was marked that nothing can turn off
const WITHOUT_SWITCH: &str = concat!("// ", "check:");

/// Names every rule that is missing somewhere.
pub fn agreement(tree: &Tree) -> Findings {
    let mut findings = Findings::new();
    let rows = rows(tree, &mut findings);
    for Mark { id, file, line, .. } in marks(tree, WITHOUT_SWITCH) {
        findings.push(format!(
            "{file}:{line}: {id} is a comment, which nothing can turn off"
        ));
    }
    let code: Vec<Mark<'_>> = switch_marks(tree).collect();
    let mut decided: BTreeMap<&str, &str> = BTreeMap::new();
    for Mark { id, file, line, .. } in &code {
        if let Some(first) = decided.insert(id, file) {
            findings.push(format!("{file}:{line}: {id} is decided in {first} already"));
        }
    }
    let tests = marks(tree, IN_TEST);
    let code_ids: BTreeSet<&str> = code.iter().map(|mark| mark.id).collect();
    let test_ids: BTreeSet<&str> = tests.iter().map(|mark| mark.id).collect();
    for id in &rows {
        if !code_ids.contains(id) {
            findings.push(format!(
                "{TABLE}: {id} has no `{SWITCH}\"{id}\", ..)` in the code"
            ));
        }
        if !test_ids.contains(id) {
            findings.push(format!("{TABLE}: {id} has no `{IN_TEST} {id}` above a test"));
        }
    }
    for mark in code.iter().chain(&tests) {
        let Mark { id, file, line, .. } = mark;
        if !rows.contains(id) {
            findings.push(format!("{file}:{line}: {id} has no row in {TABLE}"));
        }
    }
    for mark in tests.iter().filter(|mark| !mark.above_a_test) {
        let Mark { id, file, line, .. } = mark;
        findings.push(format!(
            "{file}:{line}: {id} does not stand directly above a test"
        ));
    }
    findings
}

/// The ids in the first column of the table; each once.
fn rows<'t>(tree: &'t Tree, findings: &mut Findings) -> BTreeSet<&'t str> {
    let mut rows = BTreeMap::new();
    for (index, line) in tree.text(TABLE).unwrap_or_default().lines().enumerate() {
        let Some(id) = line.strip_prefix('|').and_then(|row| row.split('|').next()) else {
            continue;
        };
        let id = id.trim();
        if !is_id(id) {
            continue;
        }
        if let Some(first) = rows.insert(id, index + 1) {
            findings.push(format!(
                "{TABLE}:{}: {id} stands in row {first} already",
                index + 1
            ));
        }
    }
    rows.into_keys().collect()
}

/// A mark in a source file.
struct Mark<'t> {
    id: &'t str,
    file: &'t str,
    line: usize,
    above_a_test: bool,
}

fn marks<'t>(tree: &'t Tree, word: &str) -> Vec<Mark<'t>> {
    let mut marks = Vec::new();
    for (file, text) in tree.ending(&[".rs", ".mjs"]) {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let Some((_, ids)) = line.split_once(word) else {
                continue;
            };
            let above_a_test = is_above_a_test(&lines[index + 1..]);
            let ids = ids.split([',', ' ', '"']).map(str::trim).filter(|id| is_id(id));
            marks.extend(ids.map(|id| Mark {
                id,
                file,
                line: index + 1,
                above_a_test,
            }));
        }
    }
    marks
}

fn switch_marks(tree: &Tree) -> impl Iterator<Item = Mark<'_>> {
    let sources = tree.ending(&[".rs"]).filter(|(name, _)| name.contains("/src/"));
    sources.flat_map(|(file, text)| {
        switches(text).map(move |(line, id)| Mark {
            id,
            file,
            line,
            above_a_test: false,
        })
    })
}

/// The checks that a source text asks, with their lines; the id may stand on the next line.
/// Comments are left out.
pub fn switches(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices(SWITCH).filter_map(|(at, word)| {
        let line = text[..at].rsplit('\n').next().unwrap_or_default();
        let quoted = text[at + word.len()..].trim_start().strip_prefix('"')?;
        let id = quoted.split('"').next()?;
        let number = text[..at].matches('\n').count() + 1;
        (is_id(id) && !line.trim_start().starts_with("//")).then_some((number, id))
    })
}

/// Whether the lines from here on begin with a test: comments and attributes, one of them
/// `#[test]` or its like, then the function; or a call of Node's `test(`.
pub fn is_above_a_test(lines: &[&str]) -> bool {
    lines
        .iter()
        .map(|line| line.trim())
        .take_while(|line| line.starts_with("//") || line.starts_with("#[") || line.starts_with("test("))
        .any(|line| line.contains("test]") || line.contains("test("))
}

/// `DID-03`: capital letters, a hyphen, two or three digits.
pub fn is_id(text: &str) -> bool {
    let Some((area, number)) = text.split_once('-') else {
        return false;
    };
    (2..=6).contains(&area.len())
        && area.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && (2..=3).contains(&number.len())
        && number.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "if !SWITCH\"DID-01\", x) {\n";
    const ROWS: &str = "| id | must hold | source |\n|---|---|---|\n| DID-01 | x | y |\n";

    fn findings(rows: &str, code: &str, test: &str) -> Findings {
        let code = code.replace("SWITCH", SWITCH);
        let test = test.replace("TEST", IN_TEST);
        agreement(&Tree::of(&[
            (TABLE, rows),
            ("crates/did/src/lib.rs", &code),
            ("crates/did/tests/it/main.rs", &test),
        ]))
    }

    #[test]
    fn agreement_is_silent() {
        let test = "TEST DID-01\n#[test]\nfn t() {}\n";
        assert_eq!(findings(ROWS, CODE, test), Findings::new());
    }

    #[test]
    fn a_check_that_nothing_can_turn_off_is_found() {
        let test = "TEST DID-01\n#[test]\nfn t() {}\n";
        let comment = format!("{WITHOUT_SWITCH} DID-01\n");
        assert_eq!(findings(ROWS, &format!("{CODE}{comment}"), test).len(), 1);
        assert_eq!(
            findings(ROWS, &comment, test).len(),
            2,
            "the switch is missing as well"
        );
    }

    #[test]
    fn a_switch_is_found_wherever_its_id_stands() {
        let code =
            format!("if !{SWITCH}\"A1-01\", x) {{\n// {SWITCH}\"A1-02\", x)\n  {SWITCH}\n    \"A1-03\",\n");
        assert_eq!(switches(&code).collect::<Vec<_>>(), [(1, "A1-01"), (3, "A1-03")]);
        let test = "TEST DID-01\n#[test]\nfn t() {}\n";
        let code = format!("{SWITCH}\n    \"DID-01\", x)\n");
        assert_eq!(findings(ROWS, &code, test), Findings::new());
        assert_eq!(
            findings(ROWS, &code.repeat(2), test).len(),
            1,
            "one rule, one place"
        );
    }

    #[test]
    fn each_missing_part_is_named() {
        let test = "TEST DID-01\n#[tokio::test]\nasync fn t() {}\n";
        assert_eq!(findings(ROWS, "", test).len(), 1, "code");
        assert_eq!(findings(ROWS, CODE, "").len(), 1, "test");
        assert_eq!(findings("", CODE, test).len(), 2, "row, wanted by code and test");
        assert_eq!(
            findings(&format!("{ROWS}| DID-01 | again | |\n"), CODE, test).len(),
            1,
            "twice"
        );
    }

    #[test]
    fn a_mark_above_no_test_is_found() {
        let stray = "TEST DID-01\nfn helper() {}\n#[test]\nfn t() {}\n";
        assert_eq!(findings(ROWS, CODE, stray).len(), 1);
    }

    #[test]
    fn several_ids_fit_one_mark() {
        let rows = format!("{ROWS}| DID-02 | x | y |\n");
        let test = "TEST DID-01, DID-02\n#[test]\nfn t() {}\n";
        let code = format!("{CODE}{}", CODE.replace("01", "02"));
        assert_eq!(findings(&rows, &code, test), Findings::new());
    }
}
