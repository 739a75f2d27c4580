//! Command-line arguments: flags and values in any order, nothing unknown accepted.

use std::str::FromStr;

use crate::failure::{Failure, Outcome};

/// The arguments not yet understood.
pub struct Args {
    rest: Vec<String>,
}

impl Args {
    /// The arguments of this process.
    pub fn from_env() -> Self {
        Self {
            rest: std::env::args().skip(1).collect(),
        }
    }

    /// Takes the first argument.
    pub fn command(&mut self) -> Option<String> {
        (!self.rest.is_empty()).then(|| self.rest.remove(0))
    }

    /// Takes a switch such as `--fresh`; whether it was there.
    pub fn switch(&mut self, name: &str) -> bool {
        let before = self.rest.len();
        self.rest.retain(|argument| argument != name);
        self.rest.len() < before
    }

    /// Takes `name VALUE` or `name=VALUE`.
    pub fn value(&mut self, name: &str) -> Outcome<Option<String>> {
        if let Some(at) = self.rest.iter().position(|argument| argument == name) {
            if at + 1 == self.rest.len() {
                return Err(Failure::usage(format!("{name} needs a value")));
            }
            self.rest.remove(at);
            return Ok(Some(self.rest.remove(at)));
        }
        let assigned = format!("{name}=");
        let at = self.rest.iter().position(|a| a.starts_with(&assigned));
        Ok(at.map(|at| self.rest.remove(at)[assigned.len()..].to_owned()))
    }

    /// Takes `name N`.
    pub fn number<N: FromStr>(&mut self, name: &str) -> Outcome<Option<N>> {
        let Some(value) = self.value(name)? else {
            return Ok(None);
        };
        match value.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Failure::usage(format!(
                "{name} needs a number in range, not `{value}`"
            ))),
        }
    }

    /// Refuses whatever nobody took.
    pub fn finish(self) -> Outcome<()> {
        match self.rest.first() {
            None => Ok(()),
            Some(stray) => Err(Failure::usage(format!(
                "`{stray}` is not understood here; see cargo xtask help"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &[&str]) -> Args {
        Args {
            rest: words.iter().map(|&w| w.to_owned()).collect(),
        }
    }

    #[test]
    fn values_and_switches_come_in_any_order() {
        let mut args = args(&["up", "--port-base", "8300", "--fresh", "--data=x"]);
        assert_eq!(args.command().as_deref(), Some("up"));
        assert_eq!(args.value("--data").unwrap().as_deref(), Some("x"));
        assert_eq!(args.number::<u16>("--port-base").unwrap(), Some(8300));
        assert!(args.switch("--fresh"));
        assert!(args.finish().is_ok());
    }

    #[test]
    fn what_nobody_understands_is_refused() {
        assert!(args(&["--frsh"]).finish().is_err());
        assert!(args(&["--port-base"]).value("--port-base").is_err());
        assert!(
            args(&["--port-base", "99999"])
                .number::<u16>("--port-base")
                .is_err()
        );
    }
}
