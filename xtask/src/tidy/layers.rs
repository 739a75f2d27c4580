//! Who may know whom: the architecture's arrows, held against the manifests.

use super::Findings;
use super::manifest::Manifest;
use super::tree::Tree;

/// Each crate and those of ours it may depend on. Development dependencies are free.
const MAY_KNOW: [(&str, &[&str]); 20] = [
    ("realdid-checks", &[]),
    ("realdid-crypto", &["checks"]),
    ("realdid-did", &["checks", "crypto"]),
    ("realdid-token", &["checks", "crypto", "did"]),
    ("realdid-ledger", &["checks", "crypto", "did", "token"]),
    ("realdid-jose", &["checks", "crypto"]),
    ("realdid-credential", &["checks", "crypto", "jose"]),
    ("realdid-openid", &["checks", "crypto", "jose"]),
    (
        "realdid-presentation",
        &[
            "checks",
            "crypto",
            "jose",
            "did",
            "token",
            "ledger",
            "openid",
            "credential",
        ],
    ),
    (
        "realdid-wallet",
        &[
            "checks",
            "crypto",
            "jose",
            "did",
            "token",
            "ledger",
            "openid",
            "credential",
            "presentation",
        ],
    ),
    ("realdid-client", &["crypto", "did", "token", "ledger", "service"]),
    ("realdid-service", &[]),
    ("realdid-engine", &["checks", "crypto", "did", "token", "ledger"]),
    (
        "realdid-node",
        &["checks", "crypto", "did", "token", "ledger", "engine", "service"],
    ),
    ("realdid-authority", SERVER),
    ("realdid-signin", SERVER),
    (
        "realdid-cli",
        &[
            "checks",
            "crypto",
            "did",
            "token",
            "ledger",
            "jose",
            "openid",
            "credential",
            "presentation",
            "wallet",
            "client",
            "service",
            "node",
            "authority",
            "signin",
        ],
    ),
    ("realdid-demo", &[]),
    ("xtask", &[]),
    (
        "realdid-fuzz",
        &[
            "checks",
            "crypto",
            "did",
            "ledger",
            "jose",
            "openid",
            "credential",
        ],
    ),
];
const SERVER: &[&str] = &[
    "checks",
    "crypto",
    "did",
    "token",
    "ledger",
    "jose",
    "openid",
    "credential",
    "presentation",
    "client",
    "service",
];

/// The crates that do no I/O, and what would let them.
const PURE: [&str; 9] = [
    "realdid-crypto",
    "realdid-did",
    "realdid-token",
    "realdid-ledger",
    "realdid-jose",
    "realdid-credential",
    "realdid-openid",
    "realdid-presentation",
    "realdid-wallet",
];
const IMPURE: [&str; 9] = [
    "axum",
    "getrandom",
    "rand",
    "reqwest",
    "sqlx",
    "tokio",
    "time",
    "tracing",
    "commonware-runtime",
];

/// The parts of the ledger engine that only one crate of ours may touch.
const ENGINE_ONLY: [&str; 7] = [
    "commonware-actor",
    "commonware-broadcast",
    "commonware-glue",
    "commonware-p2p",
    "commonware-resolver",
    "commonware-runtime",
    "commonware-stream",
];

fn manifests(tree: &Tree) -> impl Iterator<Item = (&str, Manifest)> {
    tree.ending(&["/Cargo.toml"])
        .map(|(path, text)| (path, Manifest::parse(text)))
}

/// No crate depends on one it must not know.
pub fn allowed(tree: &Tree) -> Findings {
    let mut findings = Findings::new();
    for (path, manifest) in manifests(tree) {
        let Some((_, known)) = MAY_KNOW.iter().find(|(name, _)| *name == manifest.name) else {
            findings.push(format!(
                "{path}: the architecture has no room `{}`",
                manifest.name
            ));
            continue;
        };
        for dependency in &manifest.normal {
            let ours = dependency.strip_prefix("realdid-");
            if ours.is_some_and(|ours| !known.contains(&ours)) {
                findings.push(format!("{path}: {} must not know {dependency}", manifest.name));
            }
        }
    }
    findings
}

/// The pure crates have nothing to do I/O with, and the engine's machinery stays in its room.
pub fn pure(tree: &Tree) -> Findings {
    let mut findings = Findings::new();
    for (path, manifest) in manifests(tree) {
        let name = manifest.name.as_str();
        for dependency in manifest.normal.iter().map(String::as_str) {
            if PURE.contains(&name) && IMPURE.contains(&dependency) {
                findings.push(format!("{path}: {name} is pure and cannot have {dependency}"));
            }
            if name != "realdid-engine" && ENGINE_ONLY.contains(&dependency) {
                findings.push(format!("{path}: {dependency} belongs to realdid-engine alone"));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(name: &str, dependency: &str) -> Tree {
        let text = format!(
            "[package]\nname = \"{name}\"\n[dependencies]\n{dependency}.workspace = true\n\
             [dev-dependencies]\nrand = \"1\"\nrealdid-node.workspace = true\n"
        );
        Tree::of(&[("crates/x/Cargo.toml", &text)])
    }

    #[test]
    fn a_forbidden_arrow_is_found() {
        assert_eq!(allowed(&tree("realdid-did", "realdid-crypto")), Findings::new());
        assert_eq!(allowed(&tree("realdid-crypto", "realdid-did")).len(), 1);
        assert_eq!(allowed(&tree("realdid-signin", "realdid-authority")).len(), 1);
        assert_eq!(allowed(&tree("realdid-cellar", "serde")).len(), 1);
    }

    #[test]
    fn an_impure_dependency_is_found() {
        assert_eq!(pure(&tree("realdid-did", "serde")), Findings::new());
        assert_eq!(pure(&tree("realdid-did", "tokio")).len(), 1);
        assert_eq!(pure(&tree("realdid-node", "tokio")), Findings::new());
        assert_eq!(pure(&tree("realdid-node", "commonware-p2p")).len(), 1);
        assert_eq!(pure(&tree("realdid-engine", "commonware-p2p")), Findings::new());
    }
}
