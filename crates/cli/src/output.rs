//! The one place that prints. Results go to standard output, everything else to standard error, so
//! that a script can read the one and a person the other.
#![allow(
    clippy::print_stdout,
    reason = "a command line program prints its results here"
)]

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use realdid_openid::text::is_seen;
use serde_json::{Value, json};

use crate::failure::{Failure, Outcome};

/// How results are shown.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    /// For scripts with `json`, else for people.
    pub const fn new(json: bool) -> Self {
        Self { json }
    }

    /// A command's result: `text` for people, `value` for scripts.
    pub fn result(self, text: impl AsRef<str>, value: &Value) {
        let line = if self.json {
            json_text(value)
        } else {
            text.as_ref().to_owned()
        };
        // Whoever closes the pipe has read enough.
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    /// Bytes as they are, such as a completion script.
    pub fn raw(self, bytes: &[u8]) {
        let _ = std::io::stdout().write_all(bytes);
    }

    /// What is going on, for people who wait.
    pub fn progress(self, text: impl AsRef<str>) {
        if !self.json {
            let _ = writeln!(std::io::stderr(), "{}", text.as_ref());
        }
    }

    /// What somebody should know although the command goes on.
    pub fn warning(self, text: impl AsRef<str>) {
        let line = if self.json {
            one_line(&json!({ "warning": text.as_ref() }))
        } else {
            format!("warning: {}", text.as_ref())
        };
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    /// Where the holder's browser has to go, for people and for scripts that drive one.
    pub fn open_in_browser(self, address: &str) {
        let line = if self.json {
            one_line(&json!({ "open": address }))
        } else {
            format!("open this address in your browser:\n{address}")
        };
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    /// The end of a command that failed.
    pub fn failure(self, failure: &Failure) -> ExitCode {
        let text = if self.json {
            one_line(&failure.json())
        } else {
            failure.text()
        };
        let _ = writeln!(std::io::stderr(), "{text}");
        failure.exit_code()
    }
}

/// JSON to be read: on several lines, and nothing in it steers a terminal.
pub fn json_text(value: &Value) -> String {
    escaped(&format!("{value:#}"))
}

fn one_line(value: &Value) -> String {
    escaped(&value.to_string())
}

/// Texts of strangers stand in results. JSON lets control and direction characters beyond ASCII stand
/// as they are; escaped they are the same to a script, and harmless to who looks.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || is_seen(character) {
            text.push(character);
        } else {
            let units = character.encode_utf16(&mut [0; 2]).to_vec();
            text.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

/// Whether a person sits at the keyboard.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for a line: at the terminal with a prompt, else from standard input.
pub fn ask(prompt: &str) -> Outcome<String> {
    if is_interactive() {
        let _ = write!(std::io::stderr(), "{prompt}");
        let _ = std::io::stderr().flush();
    }
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    match read {
        Ok(count) if count > 0 => Ok(line.trim().to_owned()),
        _ => Err(Failure::usage(
            "input_missing",
            format!("standard input ended before an answer to: {prompt}"),
        )),
    }
}

/// Asks a person for yes or no. Without a terminal, or without an answer, it is no.
pub fn agrees(question: &str) -> bool {
    is_interactive()
        && ask(&format!("{question} [y/N] ")).is_ok_and(|answer| matches!(answer.as_str(), "y" | "Y" | "yes"))
}

/// Asks for a secret without showing it.
pub fn ask_secret(prompt: &str) -> Outcome<String> {
    rpassword::prompt_password(prompt)
        .map_err(|error| Failure::local("terminal", format!("the terminal cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_steer_no_terminal_and_say_the_same() {
        let value = json!({ "name": "Zoë 北京 \u{1b}[2J\u{9b}2J\u{202e}\u{e0041}" });
        for text in [json_text(&value), one_line(&value)] {
            assert!(text.chars().all(|c| c == '\n' || is_seen(c)), "{text}");
            assert!(text.contains("Zoë 北京"), "what is seen stays readable");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }
}
