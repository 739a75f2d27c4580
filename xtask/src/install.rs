//! What must be on the machine before anything can be built or tested.
//!
//! As root on Debian the missing packages are installed; elsewhere the exact command is named.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::cargo;
use crate::failure::{Failure, Outcome};

/// Something needed, how to see that it is there, and the Debian packages that bring it.
pub struct Need {
    what: &'static str,
    there: fn() -> bool,
    packages: &'static [&'static str],
}

/// To build: a C compiler, OpenSSL's headers (the authority signs with OpenSSL), and what builds pages.
pub const BUILD: &[Need] = &[
    Need {
        what: "a C compiler",
        there: || has_program("cc"),
        packages: &["build-essential"],
    },
    Need {
        what: "pkg-config",
        there: || has_program("pkg-config"),
        packages: &["pkg-config"],
    },
    Need {
        what: "OpenSSL's headers",
        there: has_openssl,
        packages: &["libssl-dev"],
    },
    Need {
        what: "Node.js 20 or later with npm",
        there: || node_version() >= Some(20) && has_program("npm"),
        packages: &["nodejs", "npm"],
    },
];

/// To test, besides: what drives the system from outside and the second database.
pub const TEST: &[Need] = &[
    Need {
        what: "git",
        there: || has_program("git"),
        packages: &["git"],
    },
    Need {
        what: "curl",
        there: || has_program("curl"),
        packages: &["curl"],
    },
    Need {
        what: "PostgreSQL's server programs",
        there: || crate::postgres::programs().is_some(),
        packages: &["postgresql"],
    },
    Need {
        what: "a mail server to send codes through",
        there: || has_program("aiosmtpd"),
        packages: &["python3-aiosmtpd"],
    },
    Need {
        what: "Chromium, to try the pages in",
        there: || has_program("chromium"),
        packages: &["chromium"],
    },
];

/// Makes sure that `needs` are met; `may_install` allows apt-get where it can work.
pub fn ensure(needs: &[&[Need]], may_install: bool) -> Outcome<()> {
    let missing: Vec<&Need> = needs.iter().copied().flatten().filter(|n| !(n.there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().flat_map(|n| n.packages).copied().collect();
    if may_install && is_root() && has_program("apt-get") {
        println!("installing {}", packages.join(" "));
        apt_get(&packages)?;
    }
    let still: Vec<&str> = missing.iter().filter(|n| !(n.there)()).map(|n| n.what).collect();
    if still.is_empty() {
        return Ok(());
    }
    let mut message = format!(
        "missing: {}\n  on Debian or Ubuntu: sudo apt-get install -y {}",
        still.join(", "),
        packages.join(" ")
    );
    if packages.contains(&"nodejs") {
        message.push_str("\n  if that Node.js is older than 20: npm install --global n && n 20");
    }
    Err(Failure::new(message))
}

fn apt_get(packages: &[&str]) -> Outcome<()> {
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command
    };
    cargo::succeed(&mut apt(&["update", "-q"]), "apt-get update")?;
    let install = ["install", "-y", "-q", "--no-install-recommends"];
    cargo::succeed(apt(&install).args(packages), "apt-get install")
}

/// Whether a program of this name is in `PATH`.
pub fn has_program(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(name).is_file()))
}

/// Whether this process may do what root may.
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn has_openssl() -> bool {
    Path::new("/usr/include/openssl/ssl.h").exists()
        || quiet(Command::new("pkg-config").args(["--exists", "openssl"]))
}

fn quiet(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn node_version() -> Option<u32> {
    let said = cargo::output(Command::new("node").arg("--version"), "node").ok()?;
    major_version(&said)
}

/// `v20.20.2` → 20.
fn major_version(said: &str) -> Option<u32> {
    said.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_node_is_read() {
        assert_eq!(major_version("v20.20.2\n"), Some(20));
        assert_eq!(major_version("20"), None);
    }

    #[test]
    fn what_is_missing_comes_with_the_command_that_brings_it() {
        const NEEDS: &[Need] = &[Need {
            what: "a unicorn",
            there: || false,
            packages: &["unicorn"],
        }];
        let message = ensure(&[NEEDS], false).unwrap_err().to_string();
        assert!(message.contains("a unicorn"), "{message}");
        assert!(message.contains("apt-get install -y unicorn"), "{message}");
    }
}
