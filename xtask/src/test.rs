//! `cargo xtask test`: every check and test there is, one suite after the other.

use std::process::{Command, ExitCode};

use crate::args::Args;
use crate::cargo;
use crate::failure::{Failure, Outcome};
use crate::install;
use crate::npm;
use crate::postgres::Server;
use crate::sandbox::TemporaryDir;
use crate::suites::{Report, Tally};
use crate::switches;
use crate::tidy;
use crate::up::Country;
use crate::web;

const SUITES: [&str; 8] = [
    "fmt", "tidy", "clippy", "cargo", "switches", "doc", "web", "system",
];
/// The whole system's memory after the tour, proportionally counted, stays below this.
const MEMORY_LIMIT_MIB: u64 = 1024;
/// Well away from the default, so that the tests run beside a developer's own sandbox.
const FIRST_PORT: u16 = 17_300;
const PEOPLE: u32 = 1000;
/// Of the country that loses one of them.
const VALIDATORS: u16 = 4;

/// Runs all suites, or the one after `--only`. The last line printed is
/// `N passed, N failed, N skipped`; the exit code is 1 where anything failed.
pub fn run(mut args: Args) -> Outcome<ExitCode> {
    let only = args.value("--only")?;
    args.finish()?;
    if let Some(only) = only.as_deref()
        && !SUITES.contains(&only)
    {
        return Err(Failure::usage(format!(
            "no suite `{only}`; there are: {}",
            SUITES.join(" ")
        )));
    }
    let mut report = Report::new(only);
    if let Err(missing) = install::ensure(&[install::BUILD, install::TEST], true) {
        report.fail("programs", &missing);
        return Ok(report.finish());
    }
    report.suite("fmt", || check(&["fmt", "--all", "--check"], &[]));
    report.suite("tidy", tidy::check);
    report.suite("clippy", || {
        let clippy = ["clippy", "--workspace", "--all-targets"];
        check(
            &[&clippy[..], &cargo::SWITCHES, &["--", "-D", "warnings"]].concat(),
            &[],
        )
    });
    report.suite("cargo", cargo_tests);
    report.suite("switches", switches::sample);
    report.suite("doc", || {
        let strict = [("RUSTDOCFLAGS", "-D warnings")];
        check(
            &[&["doc", "--workspace", "--no-deps"][..], &cargo::SWITCHES].concat(),
            &strict,
        )
    });
    report.suite("web", web::run);
    report.suite("system", system);
    Ok(report.finish())
}

/// A cargo command that either holds or does not.
fn check(arguments: &[&str], environment: &[(&str, &str)]) -> Outcome<Tally> {
    let mut command = cargo::command();
    command.args(arguments).envs(environment.iter().copied());
    Ok(Tally::of(cargo::watch(&mut command, "cargo", |_| ())?))
}

/// All of `cargo test`, with PostgreSQL at hand: unit, integration and documentation tests. Some of
/// them start our programs, which `cargo test` alone does not build.
fn cargo_tests() -> Outcome<Tally> {
    cargo::build_with_switches(&[])?;
    let postgres = Server::start()?;
    let mut command = cargo::command();
    command
        .args(["test", "--workspace", "--no-fail-fast"])
        .args(cargo::SWITCHES)
        .env("REALDID_TEST_FEATURES", cargo::SWITCHES[1])
        .env("REALDID_TEST_POSTGRES", postgres.url());
    let mut tally = Tally::default();
    let ended_well = cargo::watch(&mut command, "cargo test", |line| tally.read_cargo(line))?;
    Ok(tally.of_harness(ended_well))
}

/// Two countries: one of the usual kind, and one of several validators.
fn system() -> Outcome<Tally> {
    web::build_wallet()?;
    cargo::build_with_switches(&[])?;
    let mut tally = usual_country()?;
    tally += country_with_a_loss()?;
    Ok(tally)
}

/// The tour while a validator is killed and comes back.
fn country_with_a_loss() -> Outcome<Tally> {
    let dir = TemporaryDir::new("validators")?;
    let mut country = Country::found(&dir.path().join("country"), FIRST_PORT, VALIDATORS, PEOPLE)?;
    println!("--- docs/tour-with-a-loss.sh, {VALIDATORS} validators");
    let tour = country.run(&mut Command::new(cargo::root().join("docs/tour-with-a-loss.sh")))?;
    println!("--- memory after it: {} MiB", country.memory_mib());
    country.stop()?;
    Ok(Tally::of(tour == 0))
}

/// A country of its own: the tour, what it costs in memory, and other people's clients.
fn usual_country() -> Outcome<Tally> {
    let dir = TemporaryDir::new("system")?;
    let mut country = Country::found(&dir.path().join("country"), FIRST_PORT, 1, PEOPLE)?;
    let mut tally = Tally::default();

    println!("--- docs/tour.sh");
    let tour = country.run(&mut Command::new(cargo::root().join("docs/tour.sh")))?;
    tally += Tally::of(tour == 0);

    let memory = country.memory_mib();
    println!("--- memory after the tour: {memory} MiB of {MEMORY_LIMIT_MIB}");
    tally += Tally::of(memory < MEMORY_LIMIT_MIB);

    for suite in [npm::run, web::in_browser] {
        tally += suite(&country).unwrap_or_else(|failure| {
            println!("{failure}");
            Tally::FAILED
        });
    }
    let stopped = country.stop();
    if let Err(failure) = &stopped {
        println!("{failure}");
    }
    tally += Tally::of(stopped.is_ok());
    Ok(tally)
}
