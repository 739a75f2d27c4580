//! How cargo and the things it builds are called: one place for directories and environment.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::failure::{Failure, Outcome};

/// The workspace's root directory.
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Where the programs of the dev profile are: beside this very program.
pub fn programs() -> Outcome<PathBuf> {
    let own = std::env::current_exe()
        .map_err(|e| Failure::new(format!("cannot tell where this program is: {e}")))?;
    Ok(own.parent().unwrap_or(Path::new(".")).to_owned())
}

/// `cargo`, in the root directory, as if called from the shell.
///
/// `cargo run` tells its child about the package it runs; some build scripts watch those
/// variables and would build everything anew, so they are taken away again.
pub fn command() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        if describes_a_package(&name) {
            command.env_remove(&name);
        }
    }
    command
}

fn describes_a_package(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    ["CARGO_PKG_", "CARGO_MANIFEST_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        || ["CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"].contains(&name.as_ref())
}

/// What every suite builds with: each check can be turned off. One set of features for all of them, so
/// that nothing is compiled twice. `cargo xtask up` builds without.
pub const SWITCHES: [&str; 2] = ["--features", "realdid-checks/switches"];

/// Arguments that select some packages, or all.
pub fn selection(packages: &[String]) -> Vec<&str> {
    if packages.is_empty() {
        return vec!["--workspace"];
    }
    // The feature belongs to a package, which has to be among them.
    let names = packages.iter().map(String::as_str).chain(["realdid-checks"]);
    names.flat_map(|name| ["--package", name]).collect()
}

/// Builds the programs of all packages, or of some, as the tests need them.
pub fn build_with_switches(packages: &[String]) -> Outcome<()> {
    let mut command = command();
    command.arg("build").args(selection(packages)).args(SWITCHES);
    succeed(&mut command, "cargo build")
}

/// Builds every program the sandbox runs.
///
/// The whole workspace, because one set of third-party features is then shared with
/// `cargo xtask test`: what one command compiled, the other need not.
pub fn build() -> Outcome<()> {
    succeed(command().args(["build", "--workspace"]), "cargo build")
}

/// Runs to the end with inherited output; an unsuccessful end is a failure.
pub fn succeed(command: &mut Command, what: &str) -> Outcome<()> {
    let status = command
        .status()
        .map_err(|e| Failure::new(format!("{what} could not be started: {e}")))?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("{what} failed ({status})")))
    }
}

/// Runs to the end with inherited output and hands on its exit code.
pub fn exit_code(command: &mut Command) -> Outcome<ExitCode> {
    let status = command
        .status()
        .map_err(|e| Failure::new(format!("could not be started: {e}")))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

/// Runs to the end and gives its standard output; a failure carries its standard error.
pub fn output(command: &mut Command, what: &str) -> Outcome<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Failure::new(format!("{what} could not be started: {e}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let status = output.status;
        return Err(Failure::new(format!(
            "{what} failed ({status})\n{}",
            said.trim_end()
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs to the end, prints its standard output as it comes and shows each line to `watch`.
/// Gives whether it ended successfully.
pub fn watch(command: &mut Command, what: &str, mut watch: impl FnMut(&str)) -> Outcome<bool> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| Failure::new(format!("{what} could not be started: {e}")))?;
    if let Some(stdout) = child.stdout.take() {
        let mut stdout = BufReader::new(stdout);
        let mut line = Vec::new();
        while stdout.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&line);
            print!("{text}");
            watch(text.trim_end());
            line.clear();
        }
    }
    let status = child.wait().map_err(|e| Failure::new(format!("{what}: {e}")))?;
    Ok(status.success())
}
