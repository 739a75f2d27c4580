//! Counting: what each suite found, how long it took, and the last line of `cargo xtask test`.

use std::fmt;
use std::ops::AddAssign;
use std::process::ExitCode;
use std::time::Instant;

use crate::failure::{Failure, Outcome};
use crate::up::seconds;

/// How many checks and tests went which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Did what they should.
    pub passed: u32,
    /// Did not, or could not be run.
    pub failed: u32,
    /// Were switched off.
    pub skipped: u32,
}

impl Tally {
    /// One check that held.
    pub const PASSED: Self = Self {
        passed: 1,
        failed: 0,
        skipped: 0,
    };
    /// One that did not.
    pub const FAILED: Self = Self {
        passed: 0,
        failed: 1,
        skipped: 0,
    };

    /// One check, by whether it held.
    pub fn of(held: bool) -> Self {
        if held { Self::PASSED } else { Self::FAILED }
    }

    /// A run of a test harness: its own count, and one failure more where it ended badly
    /// without having counted one (it did not compile, crashed, or ran nothing at all).
    pub fn of_harness(mut self, ended_well: bool) -> Self {
        if self.failed == 0 && (!ended_well || self == Self::default()) {
            self.failed = 1;
        }
        self
    }

    /// Adds what a line of `cargo test` tells: `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
    pub fn read_cargo(&mut self, line: &str) {
        let Some((_, counts)) = line.split_once("test result: ") else {
            return;
        };
        let counts = counts.split_once(". ").map_or("", |(_, counts)| counts);
        for part in counts.split("; ") {
            match part.split_once(' ') {
                Some((n, "passed")) => self.passed += n.parse().unwrap_or(0),
                Some((n, "failed")) => self.failed += n.parse().unwrap_or(0),
                Some((n, "ignored")) => self.skipped += n.parse().unwrap_or(0),
                _ => {}
            }
        }
    }

    /// Adds what a line of `node --test` in TAP form tells: `# pass 3`.
    pub fn read_tap(&mut self, line: &str) {
        let count = |word: &str| line.strip_prefix(word).and_then(|n| n.parse::<u32>().ok());
        self.passed += count("# pass ").unwrap_or(0);
        self.failed += count("# fail ").unwrap_or(0) + count("# cancelled ").unwrap_or(0);
        self.skipped += count("# skipped ").unwrap_or(0) + count("# todo ").unwrap_or(0);
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// All suites of one run.
#[derive(Default)]
pub struct Report {
    only: Option<String>,
    lines: Vec<String>,
    total: Tally,
}

impl Report {
    /// For all suites, or `only` the one of that name.
    pub fn new(only: Option<String>) -> Self {
        Self {
            only,
            ..Self::default()
        }
    }

    /// Whether the suite is asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == name)
    }

    /// Runs one suite; an error in it is one failure, told at once.
    pub fn suite(&mut self, name: &str, run: impl FnOnce() -> Outcome<Tally>) {
        if !self.wants(name) {
            return;
        }
        println!("\n=== {name}");
        let begun = Instant::now();
        let tally = run().unwrap_or_else(|failure| {
            println!("{failure}");
            Tally::FAILED
        });
        self.total += tally;
        self.lines
            .push(format!("  {name:<10} {:>9}   {tally}", seconds(begun)));
    }

    /// Notes something that kept the suites from running.
    pub fn fail(&mut self, name: &str, failure: &Failure) {
        println!("{failure}");
        self.total += Tally::FAILED;
        self.lines
            .push(format!("  {name:<10} {:>9}   {}", "", Tally::FAILED));
    }

    /// Prints what each suite did; the last line is the sum.
    pub fn finish(self) -> ExitCode {
        println!("\n=== all suites");
        for line in &self.lines {
            println!("{line}");
        }
        let total = self.total.of_harness(true);
        println!("{total}");
        ExitCode::from(u8::from(total.failed > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_results_of_cargo_test_are_added_up() {
        let mut tally = Tally::default();
        tally.read_cargo("running 3 tests");
        tally.read_cargo("test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out");
        tally.read_cargo("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out");
        assert_eq!(tally.to_string(), "5 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn the_results_of_node_are_added_up() {
        let mut tally = Tally::default();
        for line in [
            "# tests 4",
            "# pass 2",
            "# fail 1",
            "# skipped 1",
            "# duration_ms 7",
        ] {
            tally.read_tap(line);
        }
        assert_eq!(tally.to_string(), "2 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn a_harness_that_says_nothing_has_failed() {
        assert_eq!(Tally::default().of_harness(true), Tally::FAILED);
        assert_eq!(Tally::PASSED.of_harness(false).failed, 1);
        assert_eq!(Tally::FAILED.of_harness(false).failed, 1);
        assert_eq!(Tally::PASSED.of_harness(true), Tally::PASSED);
    }
}
