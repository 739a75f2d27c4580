//! The sandbox's data directory: made once, recognised by its format version, never half there.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo;
use crate::failure::{Failure, Outcome};
use crate::ports::Ports;

/// The layout this checkout reads and writes; `realdid network init` writes the same number.
const FORMAT_VERSION: u32 = 4;
const VERSION_FILE: &str = "format_version";
const PORT_FILE: &str = "port_base";

/// A data directory, held by a lock for as long as this value lives.
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Takes hold of `path`, which need not exist yet; only one `up` may have it at a time.
    pub fn hold(path: &Path) -> Outcome<Self> {
        let path = std::path::absolute(path).map_err(|e| Failure::at(path, &e))?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| Failure::at(parent, &e))?;
        }
        let lock_path = beside(&path, "lock");
        let lock = File::create(&lock_path).map_err(|e| Failure::at(&lock_path, &e))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Failure::new(format!(
                "another `cargo xtask up` runs on {}: stop it with Ctrl-C, or start a second sandbox \
                 beside it with --data data/other --port-base 8300",
                path.display()
            ))),
            Err(TryLockError::Error(e)) => Err(Failure::at(&lock_path, &e)),
        }
    }

    /// Where it is, as an absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Deletes it, if it is one of ours.
    pub fn delete(&self) -> Outcome<()> {
        if is_vacant(&self.path) {
            return Ok(());
        }
        if !self.join(VERSION_FILE).is_file() {
            return Err(self.not_ours());
        }
        fs::remove_dir_all(&self.path).map_err(|e| Failure::at(&self.path, &e))
    }

    /// The port base it was initialised with; `None` where there is nothing yet.
    ///
    /// Refuses a directory that is not ours or whose format this checkout does not read.
    pub fn port_base(&self) -> Outcome<Option<u16>> {
        if is_vacant(&self.path) {
            return Ok(None);
        }
        let version = fs::read_to_string(self.join(VERSION_FILE)).map_err(|_| self.not_ours())?;
        self.check_version(version.trim())?;
        let port_file = self.join(PORT_FILE);
        let base = fs::read_to_string(&port_file).map_err(|e| Failure::at(&port_file, &e))?;
        match base.trim().parse() {
            Ok(base) => Ok(Some(base)),
            Err(_) => Err(Failure::new(format!(
                "{} holds no port number: start anew with cargo xtask up --fresh",
                port_file.display()
            ))),
        }
    }

    fn check_version(&self, version: &str) -> Outcome<()> {
        let place = self.path.display();
        match version.parse::<u32>() {
            Ok(FORMAT_VERSION) => Ok(()),
            Ok(newer) if newer > FORMAT_VERSION => Err(Failure::new(format!(
                "{place} has format {newer}, this checkout reads format {FORMAT_VERSION}: update the \
                 checkout, choose another directory with --data, or start anew with --fresh"
            ))),
            _ => Err(Failure::new(format!(
                "{place} has format `{version}`, which this checkout cannot migrate to \
                 {FORMAT_VERSION}: start anew with --fresh (its contents are lost), or choose another \
                 directory with --data"
            ))),
        }
    }

    fn not_ours(&self) -> Failure {
        Failure::new(format!(
            "{} has no {VERSION_FILE} file, so it is no sandbox of ours and stays untouched: choose \
             another directory with --data",
            self.path.display()
        ))
    }

    /// The number of validators it was initialised with: each has a node's directory.
    pub fn validators(&self) -> u16 {
        let further = (2..).take_while(|number| self.join(&format!("node{number}")).is_dir());
        further.fold(1, |count, _: u16| count + 1)
    }

    /// Makes the charter, keys, configurations and the population; all of it or nothing.
    pub fn initialise(&self, programs: &Path, ports: Ports, people: u32) -> Outcome<()> {
        let draft = beside(&self.path, "draft");
        if draft.exists() {
            fs::remove_dir_all(&draft).map_err(|e| Failure::at(&draft, &e))?;
        }
        let realdid = programs.join("realdid");
        let people = people.to_string();
        cargo::output(
            Command::new(&realdid)
                .args(["network", "init", "--sandbox", "--dir"])
                .arg(&draft)
                .args(["--port-base", &ports.base().to_string()])
                .args(["--validators", &ports.validators().to_string()])
                .args(["--people", &people]),
            "realdid network init",
        )?;
        cargo::output(
            Command::new(&realdid)
                .args(["authority", "generate", "--people", &people, "--config"])
                .arg(draft.join("authority/authority.toml")),
            "realdid authority generate",
        )?;
        write_private(&draft.join(PORT_FILE), &format!("{}\n", ports.base()))?;
        if self.path.is_dir() {
            // vacant, or `port_base` would have found something
            fs::remove_dir(&self.path).map_err(|e| Failure::at(&self.path, &e))?;
        }
        fs::rename(&draft, &self.path).map_err(|e| Failure::at(&self.path, &e))
    }
}

/// Writes a file that only its owner may read; all of it or nothing.
pub fn write_private(path: &Path, text: &str) -> Outcome<()> {
    let draft = beside(path, "draft");
    let write = || {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().map_err(|e| Failure::at(path, &e))
}

fn is_vacant(path: &Path) -> bool {
    fs::read_dir(path).map_or(!path.exists(), |mut entries| entries.next().is_none())
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

/// A directory that is gone when the value is.
pub struct TemporaryDir(PathBuf);

impl TemporaryDir {
    /// Makes one in the system's place for such things; `purpose` becomes part of its name.
    pub fn new(purpose: &str) -> Outcome<Self> {
        let name = format!("realdid-{purpose}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).map_err(|e| Failure::at(&path, &e))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryDir {
    fn drop(&mut self) {
        // what cannot be removed is the system's to clean up
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T>(outcome: Outcome<T>) -> String {
        outcome.err().map_or_else(String::new, |f| f.to_string())
    }

    #[test]
    fn an_older_or_newer_format_is_refused_with_the_fix() {
        let dir = TemporaryDir::new("format").unwrap();
        let data = DataDir::hold(&dir.path().join("data")).unwrap();
        assert_eq!(data.port_base().unwrap(), None);

        write_private(&data.join(PORT_FILE), "7300\n").unwrap();
        write_private(&data.join(VERSION_FILE), "0\n").unwrap();
        assert!(message(data.port_base()).contains("--fresh"));
        write_private(&data.join(VERSION_FILE), "3\n").unwrap();
        assert!(message(data.port_base()).contains("--fresh"));
        write_private(&data.join(VERSION_FILE), "5\n").unwrap();
        assert!(message(data.port_base()).contains("update the checkout"));
        write_private(&data.join(VERSION_FILE), "4\n").unwrap();
        assert_eq!(data.port_base().unwrap(), Some(7300));
    }

    #[test]
    fn what_is_not_ours_is_never_deleted() {
        let dir = TemporaryDir::new("foreign").unwrap();
        let data = DataDir::hold(&dir.path().join("data")).unwrap();
        write_private(&data.join("thesis.txt"), "years of work").unwrap();
        assert!(message(data.delete()).contains("untouched"));
        assert!(data.join("thesis.txt").exists());

        write_private(&data.join(VERSION_FILE), "1\n").unwrap();
        data.delete().unwrap();
        assert!(!data.path().exists());
    }

    #[test]
    fn two_cannot_hold_one_directory() {
        let dir = TemporaryDir::new("lock").unwrap();
        let path = dir.path().join("data");
        let first = DataDir::hold(&path).unwrap();
        assert!(message(DataDir::hold(&path)).contains("another"));
        drop(first);
        assert!(DataDir::hold(&path).is_ok());
    }
}
