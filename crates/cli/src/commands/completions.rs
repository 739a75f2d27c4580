//! Completion scripts.

use clap::CommandFactory as _;

use crate::args::{Arguments, CompletionsCommand};
use crate::output::Output;

/// Prints the script for a shell.
pub fn run(command: &CompletionsCommand, output: Output) {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Arguments::command(), "realdid", &mut script);
    output.raw(&script);
}
