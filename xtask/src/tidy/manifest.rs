//! Just enough of `Cargo.toml`: the package's name and the names of its dependencies.

/// What a manifest says that our rules need.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The package's name.
    pub name: String,
    /// `[dependencies]` and `[build-dependencies]`.
    pub normal: Vec<String>,
    /// `[dev-dependencies]`.
    pub dev: Vec<String>,
}

impl Manifest {
    /// Reads the plain, line-by-line style all our manifests are written in.
    pub fn parse(text: &str) -> Self {
        let mut manifest = Self::default();
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if let Some(header) = line.strip_prefix('[') {
                section = header.trim_end_matches(']');
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let key = key.trim();
            // `rand.workspace = true` and `rand = { … }` alike
            let dependency = || key.split('.').next().unwrap_or(key).to_owned();
            match section {
                "package" if key == "name" => {
                    manifest.name = value.trim().trim_matches('"').to_owned();
                }
                "dependencies" | "build-dependencies" => manifest.normal.push(dependency()),
                "dev-dependencies" => manifest.dev.push(dependency()),
                _ => {}
            }
        }
        manifest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_dependencies_are_read() {
        let manifest = Manifest::parse(
            "[package]\nname = \"realdid-did\"\n[dependencies]\nserde.workspace = true\n\
             rand = { version = \"1\" }\n# remark\n[dev-dependencies]\nhex = \"1\"\n[[bin]]\nname = \"x\"\n",
        );
        assert_eq!(manifest.name, "realdid-did");
        assert_eq!(manifest.normal, ["serde", "rand"]);
        assert_eq!(manifest.dev, ["hex"]);
    }
}
