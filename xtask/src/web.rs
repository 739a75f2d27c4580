//! What runs in browsers: the core in `web/core`, compiled strictly, then held to `vectors/` by its tests;
//! the wallet in `web/wallet`, whose built files the `realdid` program holds; and the tests of pages in
//! `web/browser`, in a real browser against a running country.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::cargo;
use crate::failure::{Failure, Outcome};
use crate::npm;
use crate::suites::Tally;
use crate::up::Country;

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

/// Compiles the core and the wallet, each of which counts as a check, and runs their tests.
pub fn run() -> Outcome<Tally> {
    let web = cargo::root().join("web");
    let core = web.join("core");
    let mut total = compile(&core)?;
    total += test(
        Command::new("node").current_dir(&core),
        &core.join("build/test"),
        ".test.js",
    )?;
    let wallet = web.join("wallet");
    npm::install(&wallet)?;
    let mut build = Command::new("npm");
    build.args(["run", "--silent", "build"]).current_dir(&wallet);
    total += Tally::of(cargo::watch(&mut build, "npm run build", |_| ())?);
    total += test(
        Command::new("node").current_dir(&wallet),
        &wallet.join("test"),
        ".test.mjs",
    )?;
    Ok(total)
}

/// Every page in a real browser, with the services of a running country behind it.
pub fn in_browser(country: &Country) -> Outcome<Tally> {
    let browser = cargo::root().join("web/browser");
    let mut total = compile(&browser)?;
    let mut node = Command::new("node");
    // one file at a time: they read one outbox
    node.arg("--test-concurrency=1").current_dir(&browser);
    total += test(country.equip(&mut node), &browser.join("build/tests"), ".test.js")?;
    Ok(total)
}

/// Brings a package's dependencies and compiles it.
fn compile(package: &Path) -> Outcome<Tally> {
    npm::install(package)?;
    let build = package.join("build");
    if build.is_dir() {
        // a test that is no longer in the sources must not go on passing
        fs::remove_dir_all(&build).map_err(|e| Failure::at(&build, &e))?;
    }
    let mut compile = Command::new("npm");
    compile.args(["run", "--silent", "build"]).current_dir(package);
    Ok(Tally::of(cargo::watch(&mut compile, "npm run build", |_| ())?))
}

fn test(node: &mut Command, dir: &Path, ending: &str) -> Outcome<Tally> {
    node.args(["--test", "--test-reporter=tap"])
        .args(tests(dir, ending)?);
    let mut tally = Tally::default();
    let ended_well = cargo::watch(node, "node --test", |line| tally.read_tap(line))?;
    Ok(tally.of_harness(ended_well))
}

/// The test files; none at all is a failure, because node would then look for tests elsewhere.
fn tests(dir: &Path, ending: &str) -> Outcome<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).map_err(|e| Failure::at(dir, &e))?;
    let mut tests: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| is_test(path, ending))
        .collect();
    tests.sort();
    if tests.is_empty() {
        return Err(Failure::new(format!("no test in {}", dir.display())));
    }
    Ok(tests)
}

fn is_test(path: &Path, ending: &str) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_told_by_their_names() {
        assert!(is_test(Path::new("build/test/did.test.js"), ".test.js"));
        assert!(!is_test(Path::new("build/test/support.js"), ".test.js"));
        assert!(!is_test(Path::new("build/test/did.test.d.ts"), ".test.js"));
    }
}
