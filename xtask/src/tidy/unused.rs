//! Every dependency a manifest names occurs in that crate's sources.

use super::Findings;
use super::manifest::Manifest;
use super::tree::Tree;

/// Dependencies that no source names: those of crates, and those of the workspace that no
/// crate takes up.
pub fn dependencies(tree: &Tree) -> Findings {
    let mut findings = Findings::new();
    let mut taken_up: Vec<String> = Vec::new();
    for (path, text) in tree.ending(&["/Cargo.toml"]) {
        let manifest = Manifest::parse(text);
        let folder = path.trim_end_matches("Cargo.toml");
        for dependency in manifest.normal.iter().chain(&manifest.dev) {
            if !is_named(tree, folder, dependency) {
                findings.push(format!("{path}: {dependency} is not used"));
            }
        }
        taken_up.extend(manifest.normal);
        taken_up.extend(manifest.dev);
    }
    for dependency in of_workspace(tree.text("Cargo.toml").unwrap_or_default()) {
        if !taken_up.iter().any(|name| name == dependency) {
            findings.push(format!("Cargo.toml: no crate takes up {dependency}"));
        }
    }
    findings
}

fn is_named(tree: &Tree, folder: &str, dependency: &str) -> bool {
    let identifier = dependency.replace('-', "_");
    tree.ending(&[".rs"])
        .filter(|(name, _)| name.starts_with(folder))
        .any(|(_, text)| {
            text.split(|c: char| !c.is_alphanumeric() && c != '_')
                .any(|w| w == identifier)
        })
}

fn of_workspace(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .skip_while(|line| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| Some(line.split_once('=')?.0.trim()))
        .filter(|name| !name.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unused_dependency_is_found() {
        let tree = Tree::of(&[
            (
                "Cargo.toml",
                "[workspace.dependencies]\na-b = \"1\"\nc = \"1\"\nd = \"1\"\n[profile.dev]\n",
            ),
            (
                "crates/x/Cargo.toml",
                "[package]\nname = \"x\"\n[dependencies]\na-b = \"1\"\nc = \"1\"\n",
            ),
            ("crates/x/src/lib.rs", "use a_b::Thing;\nlet cc = 1;\n"),
        ]);
        assert_eq!(
            dependencies(&tree),
            [
                "crates/x/Cargo.toml: c is not used",
                "Cargo.toml: no crate takes up d"
            ]
        );
    }
}
