//! Other people's clients, from npm, against the running system.
//!
//! Each folder in `tests/npm` is a suite: `package.json`, `package-lock.json` and `*.test.mjs`
//! files that find the system by the environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo;
use crate::failure::{Failure, Outcome};
use crate::suites::Tally;
use crate::up::Country;

/// Runs every suite; none at all is a failure, because then one is missing.
pub fn run(country: &Country) -> Outcome<Tally> {
    let mut total = Tally::default();
    for suite in suites(&cargo::root().join("tests/npm"))? {
        println!("--- {}", suite.display());
        total += run_one(&suite, country)?;
    }
    Ok(total)
}

fn suites(dir: &Path) -> Outcome<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).map_err(|e| Failure::at(dir, &e))?;
    let mut suites: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("package.json").is_file())
        .collect();
    suites.sort();
    if suites.is_empty() {
        return Err(Failure::new(format!("no suite in {}", dir.display())));
    }
    Ok(suites)
}

/// Brings what a package's lock file names, and runs none of it.
pub fn install(package: &Path) -> Outcome<()> {
    let mut install = Command::new("npm");
    install
        .args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ])
        .current_dir(package);
    cargo::output(&mut install, &format!("npm ci in {}", package.display()))?;
    Ok(())
}

fn run_one(suite: &Path, country: &Country) -> Outcome<Tally> {
    install(suite)?;
    let mut test = Command::new("node");
    // one file at a time: they read one outbox
    test.args(["--test", "--test-concurrency=1", "--test-reporter=tap"])
        .current_dir(suite);
    let mut tally = Tally::default();
    let ended_well = cargo::watch(country.equip(&mut test), "node --test", |line| {
        tally.read_tap(line)
    })?;
    Ok(tally.of_harness(ended_well))
}
