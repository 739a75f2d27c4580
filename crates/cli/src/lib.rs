//! The `realdid` program: every role of the network as a subcommand, and the command-line wallet.
//!
//! [`main`] is the one place where a failure becomes an exit code: 0 well, 1 refused or a failed check,
//! 2 a wrong command line, 3 somebody cannot be reached, 4 a problem of this machine.

#![allow(clippy::disallowed_methods, reason = "a shell owns its clock and randomness")]

mod args;
mod commands;
mod explain;
mod failure;
mod output;
mod vault;
mod wallet;
mod web;

use std::process::ExitCode;

use bitflags as _; // named for its feature, see the workspace's Cargo.toml
use clap::Parser as _;

use crate::args::{Arguments, Command};
use crate::failure::Outcome;
use crate::output::Output;

/// Runs the command line; gives the exit code.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::new(arguments.json);
    match run(arguments.command, output) {
        Ok(code) => code,
        Err(failure) => output.failure(&failure),
    }
}

fn run(command: Command, output: Output) -> Outcome<ExitCode> {
    match command {
        Command::Governance(command) => commands::governance::run(command, output)?,
        Command::Organisation(command) => commands::organisation::run(command, output)?,
        Command::Network(command) => commands::network::run(command, output)?,
        Command::Node(command) => commands::node::run(command, output)?,
        Command::Authority(command) => commands::authority::run(command, output)?,
        Command::Issuer(command) => commands::issuer::run(command, output)?,
        Command::Signin(command) => commands::signin::run(command, output)?,
        Command::Verifier(command) => commands::verifier::run(command, output)?,
        Command::WebWallet(command) => commands::web_wallet::run(command)?,
        Command::Wallet(command) => wallet::run(command, output)?,
        Command::Resolve(command) => commands::resolve::run(&command, output)?,
        Command::Verify(command) => commands::verify::run(&command, output)?,
        Command::Status(command) => commands::status::run(&command, output)?,
        Command::Explain(command) => commands::explain::run(&command, output)?,
        Command::Completions(command) => commands::completions::run(&command, output),
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs asynchronous work to its end.
fn block_on<F: Future>(work: F) -> Outcome<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| failure::Failure::local("runtime", format!("no runtime: {error}")))?;
    Ok(runtime.block_on(work))
}

/// The clock, in Unix seconds.
fn now() -> u64 {
    realdid_service::now_seconds()
}
