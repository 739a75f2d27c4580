//! Running test programs: once with nothing off, to know what there is, then with a check off.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::ByProgram;
use super::build::{Binaries, Binary};
use super::marks::Test;
use crate::failure::{Failure, Outcome};

/// Packages whose tests start whole networks: of these, marked tests run, but not all others.
const HEAVY: [&str; 3] = ["crates/cli:", "crates/engine:", "crates/node:"];
/// How long one program may run; a check turned off may leave a test waiting for ever.
const LIMIT: Duration = Duration::from_secs(240);

/// What happens with nothing turned off.
#[derive(Default)]
pub struct Baseline {
    /// Every test, and whether it passed; of heavy programs their names alone.
    tests: ByProgram<BTreeMap<String, bool>>,
    /// Where each check refuses something: in a test, or (no name) in a thread of nobody knows which.
    refusals: BTreeMap<String, ByProgram<BTreeSet<Option<String>>>>,
    seconds: f64,
}

impl Baseline {
    /// Runs all programs but the heavy ones.
    pub fn of(binaries: &Binaries, dir: &Path, postgres: &str) -> Outcome<Self> {
        let (mut baseline, begun) = (Self::default(), Instant::now());
        for (number, (program, binary)) in binaries.iter().enumerate() {
            if HEAVY.iter().any(|heavy| program.starts_with(heavy)) {
                let names = listed(&finish(command(binary, postgres).arg("--list"))?);
                baseline.tests.insert(program.clone(), names);
                continue;
            }
            let trace = dir.join(format!("{number}.trace"));
            let output = finish(command(binary, postgres).env("REALDID_CHECK_TRACE", &trace))?;
            let results = results(&output);
            for (id, thread) in fs::read_to_string(&trace)
                .unwrap_or_default()
                .lines()
                .filter_map(|l| l.split_once(' '))
            {
                let test = results.contains_key(thread).then(|| thread.to_owned());
                let programs = baseline.refusals.entry(id.to_owned()).or_default();
                programs.entry(program.clone()).or_default().insert(test);
            }
            baseline.tests.insert(program.clone(), results);
        }
        baseline.seconds = begun.elapsed().as_secs_f64();
        Ok(baseline)
    }

    /// A test that fails though nothing is off.
    pub fn failed(&self) -> Option<String> {
        self.tests.iter().find_map(|(program, tests)| {
            let (name, _) = tests.iter().find(|(_, passed)| !**passed)?;
            Some(format!("{program} {name}"))
        })
    }

    pub fn has(&self, test: &Test) -> bool {
        self.tests
            .get(&test.program)
            .is_some_and(|tests| tests.contains_key(&test.name))
    }

    /// The tests of a program that turning the check off may change: those in which it refuses, and
    /// the marked ones. None named means all. `None` if there is none.
    pub fn affected<'b>(&'b self, id: &str, program: &str, marked: Vec<&'b str>) -> Option<Vec<&'b str>> {
        let refusing = self.refusals.get(id).and_then(|programs| programs.get(program));
        let mut names: BTreeSet<&str> = marked.into_iter().collect();
        for test in refusing.into_iter().flatten() {
            match test {
                Some(name) => names.insert(name),
                None => return Some(Vec::new()),
            };
        }
        (!names.is_empty()).then(|| names.into_iter().collect())
    }
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tests: usize = self.tests.values().map(BTreeMap::len).sum();
        let refusing = self.refusals.len();
        write!(
            f,
            "{tests} tests, in which {refusing} checks refuse something, {:.0} s",
            self.seconds
        )
    }
}

/// Runs these tests of a program, or all, with a check off; the names of those that fail. One that
/// does not come to an end has failed.
pub fn with_check_off(
    binary: &Binary,
    id: &str,
    names: &[&str],
    postgres: &str,
) -> Outcome<BTreeSet<String>> {
    let mut command = command(binary, postgres);
    command.env("REALDID_CHECK_OFF", id);
    if !names.is_empty() {
        command.arg("--exact").args(names);
    }
    let results = results(&finish(&mut command)?);
    let unfinished = names
        .iter()
        .filter(|name| !results.contains_key(**name))
        .map(|&name| name.to_owned());
    let failed = results
        .iter()
        .filter(|(_, passed)| !**passed)
        .map(|(name, _)| name.clone());
    Ok(failed.chain(unfinished).collect())
}

fn command(binary: &Binary, postgres: &str) -> Command {
    let mut command = Command::new(&binary.executable);
    command
        .current_dir(&binary.directory)
        .env("CARGO_MANIFEST_DIR", &binary.directory)
        .env("REALDID_TEST_POSTGRES", postgres)
        .env("RUST_BACKTRACE", "0")
        .env_remove("REALDID_CHECK_OFF");
    command
}

/// Standard output of a program that is stopped when it runs too long.
fn finish(command: &mut Command) -> Outcome<String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| Failure::new(format!("a test program could not be started: {e}")))?;
    let mut stdout = child.stdout.take();
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(stdout) = &mut stdout {
            // What a stopped program has said so far counts.
            let _ = stdout.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    });
    wait(&mut child)?;
    reader
        .join()
        .map_err(|_| Failure::new("reading a test program's output failed"))
}

fn wait(child: &mut Child) -> Outcome<()> {
    let begun = Instant::now();
    let failure = |e: std::io::Error| Failure::new(format!("a test program: {e}"));
    while child.try_wait().map_err(failure)?.is_none() {
        if begun.elapsed() > LIMIT {
            child.kill().map_err(failure)?;
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// Each test and whether it passed, from the lines `test name ... ok`.
fn results(output: &str) -> BTreeMap<String, bool> {
    let line = |line: &str| {
        let (name, result) = line.strip_prefix("test ")?.split_once(" ... ")?;
        let name = name.strip_suffix(" - should panic").unwrap_or(name);
        Some((name.to_owned(), !result.starts_with("FAILED")))
    };
    output.lines().filter_map(line).collect()
}

/// The names of `--list`: `name: test`.
fn listed(output: &str) -> BTreeMap<String, bool> {
    let names = output.lines().filter_map(|line| line.strip_suffix(": test"));
    names.map(|name| (name.to_owned(), true)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_harness_is_understood() {
        let output = "\nrunning 3 tests\ntest a::b ... ok\ntest c - should panic ... ok\ntest d ... FAILED\n\
                      test result: FAILED. 2 passed; 1 failed\n";
        let expected = [("a::b", true), ("c", true), ("d", false)];
        assert_eq!(results(output), expected.map(|(n, p)| (n.to_owned(), p)).into());
        assert_eq!(listed("a::b: test\nbench: bench\n").len(), 1);
    }

    #[test]
    fn only_tests_in_which_a_check_refuses_are_affected() {
        let mut baseline = Baseline::default();
        let tests = BTreeSet::from([Some("a".to_owned()), Some("b".to_owned())]);
        let programs = BTreeMap::from([("p".to_owned(), tests)]);
        baseline.refusals.insert("X-01".to_owned(), programs);
        assert_eq!(
            baseline.affected("X-01", "p", vec!["c", "a"]),
            Some(vec!["a", "b", "c"])
        );
        assert_eq!(baseline.affected("X-01", "q", vec![]), None);
        assert_eq!(baseline.affected("X-02", "p", vec![]), None);
        let unknown = BTreeMap::from([("p".to_owned(), BTreeSet::from([None]))]);
        baseline.refusals.insert("X-03".to_owned(), unknown);
        assert_eq!(
            baseline.affected("X-03", "p", vec!["c"]),
            Some(vec![]),
            "all of them"
        );
    }
}
