//! The repository's own rules, those that no compiler or linter knows.
//!
//! Each rule is one file and one function from the tree of files to findings, so that it can
//! be tried out on a tree made up for the test.

pub mod checks;
mod layers;
mod manifest;
mod text;
pub mod tree;
mod unused;

use std::process::ExitCode;

use crate::args::Args;
use crate::cargo;
use crate::failure::Outcome;
use crate::suites::Tally;
use tree::Tree;

/// What one rule has against the repository, each with its place.
type Findings = Vec<String>;

/// A rule looks at the whole tree.
type Rule = fn(&Tree) -> Findings;

const RULES: [(&str, Rule); 9] = [
    ("files fit a reader", text::long_files),
    ("no path of anybody's machine", text::machine_paths),
    ("links lead somewhere", text::dead_links),
    ("no test is switched off", text::ignored_tests),
    ("npm lock files name no registry", text::resolved_fields),
    ("rules, code and tests agree", checks::agreement),
    ("who may know whom", layers::allowed),
    ("pure crates stay pure", layers::pure),
    ("every dependency is used", unused::dependencies),
];

/// `cargo xtask tidy`.
pub fn run(args: Args) -> Outcome<ExitCode> {
    args.finish()?;
    let tally = check()?;
    println!("{tally}");
    Ok(ExitCode::from(u8::from(tally.failed > 0)))
}

/// Applies every rule; each counts as one check.
pub fn check() -> Outcome<Tally> {
    let tree = Tree::load(cargo::root())?;
    let mut tally = Tally::default();
    for (name, rule) in RULES {
        let findings = rule(&tree);
        tally += Tally::of(findings.is_empty());
        println!("{}: {name}", if findings.is_empty() { "ok" } else { "FAILED" });
        for finding in findings {
            println!("  {finding}");
        }
    }
    Ok(tally)
}
