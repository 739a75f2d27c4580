//! Building the test programs with switches, once, and knowing where they are.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use super::ByProgram;
use crate::cargo;
use crate::failure::{Failure, Outcome};
use crate::json;

/// A test program as built.
#[derive(Clone, Debug)]
pub struct Binary {
    pub executable: PathBuf,
    /// Where cargo would run it.
    pub directory: PathBuf,
}

/// All test programs, by name: `crates/jose:it`.
#[derive(Default)]
pub struct Binaries(ByProgram<Binary>);

impl Binaries {
    /// Those of all packages, or of some.
    pub fn build(packages: &[String]) -> Outcome<Self> {
        // The tests of the command line start the programs themselves.
        cargo::build_with_switches(packages)?;
        let mut command = cargo::command();
        command
            .arg("test")
            .args(cargo::selection(packages))
            .args(cargo::SWITCHES);
        command.args(["--no-run", "--message-format", "json-render-diagnostics"]);
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| Failure::new(format!("cargo test could not be started: {e}")))?;
        let mut binaries = Self::default();
        if let Some(stdout) = child.stdout.take() {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                binaries.0.extend(program(&line));
            }
        }
        let status = child
            .wait()
            .map_err(|e| Failure::new(format!("cargo test: {e}")))?;
        if !status.success() || binaries.0.is_empty() {
            return Err(Failure::new(format!("the tests do not build ({status})")));
        }
        Ok(binaries)
    }

    /// One program, made up for a test.
    #[cfg(test)]
    pub fn of(name: &str, executable: PathBuf) -> Self {
        let directory = executable.parent().map(PathBuf::from).unwrap_or_default();
        Self(ByProgram::from([(
            name.to_owned(),
            Binary {
                executable,
                directory,
            },
        )]))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&String, &Binary)> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn has_program(&self, program: &str) -> bool {
        self.0.contains_key(program)
    }

    pub fn has_package(&self, folder: &str) -> bool {
        self.0
            .keys()
            .any(|program| program.split_once(':').is_some_and(|(own, _)| own == folder))
    }
}

/// What a line of cargo's messages tells of a test program.
fn program(line: &str) -> Option<(String, Binary)> {
    if json::text(line, "reason")? != "compiler-artifact" {
        return None;
    }
    let executable = PathBuf::from(json::text(line, "executable")?);
    let manifest = PathBuf::from(json::text(line, "manifest_path")?);
    let directory = manifest.parent()?.to_owned();
    let folder = directory.strip_prefix(cargo::root()).ok()?.to_str()?.to_owned();
    let source = PathBuf::from(json::text(line, "src_path")?);
    let source = source.strip_prefix(&directory).ok()?;
    let target = match source.to_str()? {
        "src/lib.rs" => "lib".to_owned(),
        source if source.starts_with("tests/") => json::text(line, "name")?,
        // Programs and benches: what they test is not marked.
        _ => return None,
    };
    let test = line
        .split_once("\"profile\"")
        .is_some_and(|(_, rest)| rest.contains("\"test\":true"));
    test.then(|| {
        let name = format!("{folder}:{target}");
        (
            name,
            Binary {
                executable,
                directory,
            },
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(source: &str, name: &str, executable: &str) -> String {
        let root = cargo::root().display();
        format!(
            "{{\"reason\":\"compiler-artifact\",\"package_id\":\"x\",\
             \"manifest_path\":\"{root}/crates/jose/Cargo.toml\",\"target\":{{\"kind\":[\"test\"],\
             \"name\":\"{name}\",\"src_path\":\"{root}/crates/jose/{source}\"}},\
             \"profile\":{{\"opt_level\":\"0\",\"test\":true}},\"executable\":{executable},\"fresh\":true}}"
        )
    }

    #[test]
    fn test_programs_are_known_by_package_and_target() {
        let name =
            |source, target, executable| program(&message(source, target, executable)).map(|(name, _)| name);
        assert_eq!(
            name("tests/it/main.rs", "it", "\"/t/it-1\"").as_deref(),
            Some("crates/jose:it")
        );
        assert_eq!(
            name("src/lib.rs", "realdid_jose", "\"/t/j-1\"").as_deref(),
            Some("crates/jose:lib")
        );
        assert_eq!(name("src/lib.rs", "realdid_jose", "null"), None);
        assert_eq!(name("src/main.rs", "realdid", "\"/t/r-1\""), None);
        assert!(program("{\"reason\":\"build-finished\",\"success\":true}").is_none());
    }
}
