//! What runs in browsers: the core in `web/core`, compiled strictly, then held to `vectors/` by its tests;
//! and the wallet in `web/wallet`, whose built files the `realdid` program holds.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::cargo;
use crate::failure::{Failure, Outcome};
use crate::npm;
use crate::suites::Tally;

/// What the wallet is built of, from `web/`.
const SOURCES: [&str; 3] = ["core", "wallet", "locales"];

/// Builds the web wallet, unless it is newer than everything it is built of.
pub fn build_wallet() -> Outcome<()> {
    let web = cargo::root().join("web");
    let built = modified(&web.join("wallet/dist/index.html"));
    let changed = SOURCES.iter().filter_map(|part| newest(&web.join(part))).max();
    if built.is_some() && built >= changed {
        return Ok(());
    }
    for part in ["core", "wallet"] {
        install_if_changed(&web.join(part))?;
    }
    let mut build = Command::new("npm");
    build
        .args(["run", "--silent", "build"])
        .current_dir(web.join("wallet"));
    cargo::output(&mut build, "npm run build in web/wallet")?;
    Ok(())
}

/// Brings a package's dependencies, unless they are those of its lock file already.
fn install_if_changed(package: &Path) -> Outcome<()> {
    let lock = modified(&package.join("package-lock.json"));
    let installed = modified(&package.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= lock {
        return Ok(());
    }
    npm::install(package)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

/// When the newest file of a source directory was changed; what is made of it does not count.
fn newest(dir: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(dir).ok()?.filter_map(Result::ok);
    let of_entry = |entry: fs::DirEntry| {
        let (name, path) = (entry.file_name(), entry.path());
        match (path.is_dir(), name.to_str()) {
            (true, Some("build" | "dist" | "node_modules")) => None,
            (true, _) => newest(&path),
            (false, _) => modified(&path),
        }
    };
    entries.filter_map(of_entry).max()
}

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
