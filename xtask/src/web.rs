//! The core for browsers in `web/core`: compiled strictly, then held to `vectors/` by its tests.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo;
use crate::failure::{Failure, Outcome};
use crate::npm;
use crate::suites::Tally;

/// Compiles the core and its tests, which counts as a check, and runs the tests.
pub fn run() -> Outcome<Tally> {
    let core = cargo::root().join("web/core");
    npm::install(&core)?;
    let build = core.join("build");
    if build.is_dir() {
        // a test that is no longer in the sources must not go on passing
        fs::remove_dir_all(&build).map_err(|e| Failure::at(&build, &e))?;
    }
    let mut compile = Command::new("npm");
    compile.args(["run", "--silent", "build"]).current_dir(&core);
    if !cargo::watch(&mut compile, "npm run build", |_| ())? {
        return Ok(Tally::FAILED);
    }
    let mut test = Command::new("node");
    test.args(["--test", "--test-reporter=tap"])
        .args(tests(&build.join("test"))?)
        .current_dir(&core);
    let mut tally = Tally::default();
    let ended_well = cargo::watch(&mut test, "node --test", |line| tally.read_tap(line))?;
    let mut total = Tally::PASSED;
    total += tally.of_harness(ended_well);
    Ok(total)
}

/// The compiled test files; none at all is a failure, because node would then look for tests elsewhere.
fn tests(dir: &Path) -> Outcome<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).map_err(|e| Failure::at(dir, &e))?;
    let mut tests: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| is_test(path))
        .collect();
    tests.sort();
    if tests.is_empty() {
        return Err(Failure::new(format!("no test in {}", dir.display())));
    }
    Ok(tests)
}

fn is_test(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| name.ends_with(".test.js"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_told_by_their_names() {
        assert!(is_test(Path::new("build/test/did.test.js")));
        assert!(!is_test(Path::new("build/test/support.js")));
        assert!(!is_test(Path::new("build/test/did.test.d.ts")));
    }
}
