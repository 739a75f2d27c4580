//! The repository as a map from path to text.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cargo;
use crate::failure::Outcome;

/// Every text file that is tracked or about to be; what git ignores is left out.
#[derive(Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads the repository at `root`. Binary files are known by name, with empty text.
    pub fn load(root: &Path) -> Outcome<Self> {
        let list = cargo::output(
            Command::new("git")
                // the clone may belong to somebody else, as it does in a container
                .args(["-c", "safe.directory=*", "ls-files", "-z"])
                .args(["--cached", "--others", "--exclude-standard"])
                .current_dir(root),
            "git ls-files",
        )?;
        let names = list.split('\0').filter(|name| !name.is_empty());
        let files = names
            .filter(|name| root.join(name).is_file())
            .map(|name| {
                let text = fs::read_to_string(root.join(name)).unwrap_or_default();
                (name.to_owned(), text)
            })
            .collect();
        Ok(Self { files })
    }

    /// A tree made up for a test.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|&(name, text)| (name.to_owned(), text.to_owned()));
        Self {
            files: files.collect(),
        }
    }

    /// All files, in order of their paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// Those whose names end in one of `endings`.
    pub fn ending(&self, endings: &[&str]) -> impl Iterator<Item = (&str, &str)> {
        self.files()
            .filter(|(name, _)| endings.iter().any(|ending| name.ends_with(ending)))
    }

    /// The text of one file.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(String::as_str)
    }

    /// Whether there is a file or a folder of this name.
    pub fn has(&self, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        let folder = format!("{name}/");
        name.is_empty() || self.files.contains_key(name) || self.files.keys().any(|f| f.starts_with(&folder))
    }
}
