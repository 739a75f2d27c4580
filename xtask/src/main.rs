//! What a newcomer or CI runs: `cargo xtask up`, `cargo xtask test` and their smaller sisters.
//!
//! Built on the standard library alone, so that it compiles in a second or two before anything
//! else has been downloaded. Each module does one job; none knows the identity field.
#![allow(clippy::print_stdout, reason = "what a command prints is its product")]
#![allow(clippy::disallowed_methods, reason = "a shell owns its clock and randomness")]

mod args;
mod cargo;
mod failure;
mod fuzz;
mod install;
mod json;
mod npm;
mod ports;
mod postgres;
mod sandbox;
mod services;
mod suites;
mod switches;
mod test;
mod tidy;
mod up;
mod web;

use std::process::ExitCode;

use args::Args;
use failure::{Failure, Outcome};

const USAGE: &str = "\
cargo xtask <command>

  up      build and run a whole country on this machine; Ctrl-C stops it
            --fresh             delete the data directory first
            --data DIR          where it lives (default data/sandbox)
            --port-base N       first port (default 7300; the others follow from it)
            --people N          size of the synthetic population register (default 1000)
            --validators N      so many ledger nodes that vote: 1, 4, 7 or 10 (default 1); one that is
                                killed is started again after ten seconds
            --no-install        install nothing, only say what is missing
            --once-ready CMD    run CMD through sh once all is ready, then stop with its exit code
  test    every check and test there is
            --only SUITE        just one of: fmt tidy clippy cargo switches doc system
  tidy    the repository's own rules (part of `test`)
  kill    --rounds N            kill -9 the ledger node N times under load; default 1000
            --validators N      so many nodes (4, 7, 10), one, two or all at a time; what clients were told
                                is judged by linearizability
  switches turn off one check after the other: exactly its tests must fail; writes docs/switches.md
            --sample N [--seed S]   only N of them, drawn at random
            --only ID,ID        only these
            --package NAME      only what these packages decide and test; may be repeated
            --json FILE         what was found, for a program to read
  fuzz    [TARGET…]     made-up inputs for every parser, guided by coverage (needs a C++ compiler)
            --runs N                for each target; default 10 million
            --seconds N             no longer than this for each target
            --jobs N                so many targets at a time; default one for each core
  audit   licences and advisories of the dependencies (needs cargo-deny)
";

fn main() -> ExitCode {
    let mut args = Args::from_env();
    let outcome = match args.command().as_deref() {
        Some("up") => up::run(args),
        Some(up::SUPERVISE) => up::supervise(args),
        Some("test") => test::run(args),
        Some("tidy") => tidy::run(args),
        Some("switches") => switches::run(args),
        Some("fuzz") => fuzz::run(args),
        Some("kill") => kill(args),
        Some("audit") => audit(args),
        Some("help" | "--help" | "-h") | None => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => Err(Failure::usage(format!("no command `{other}`\n\n{USAGE}"))),
    };
    outcome.unwrap_or_else(|failure| {
        eprintln!("error: {failure}");
        failure.exit_code()
    })
}

/// The long run of the kill test: the same test as in `cargo xtask test`, with more rounds.
fn kill(mut args: Args) -> Outcome<ExitCode> {
    let rounds: u32 = args.number("--rounds")?.unwrap_or(1000);
    let validators: u32 = args.number("--validators")?.unwrap_or(1);
    args.finish()?;
    let test = match validators {
        1 => "kill::kill_rounds",
        4 | 7 | 10 => "kill_several::kill_rounds",
        _ => return Err(Failure::usage("--validators: choose 1, 4, 7 or 10")),
    };
    let mut command = cargo::command();
    command
        .args(["test", "--package", "realdid-cli", "--test", "it"])
        .args([test, "--", "--exact", "--nocapture"])
        .env("REALDID_KILL_ROUNDS", rounds.to_string())
        .env("REALDID_KILL_VALIDATORS", validators.to_string());
    cargo::exit_code(&mut command)
}

/// `cargo deny` takes ten minutes to build, so it is asked for by name and not part of `test`.
fn audit(args: Args) -> Outcome<ExitCode> {
    args.finish()?;
    if !install::has_program("cargo-deny") {
        return Err(Failure::new(
            "cargo-deny is missing: cargo install --locked cargo-deny",
        ));
    }
    cargo::exit_code(cargo::command().args(["deny", "--workspace", "check"]))
}
