//! `cargo xtask fuzz`: inputs made up by libFuzzer, guided by coverage, for every parser of what a
//! stranger sends. On stable Rust: coverage comes from LLVM's own pass, as `cargo fuzz` does it.
//!
//! Seeds are in `fuzz/corpus`; what a run adds to them stays in `target/fuzz/corpus`, so that the next
//! run goes on from there. An input that makes a target panic, hang or eat memory ends the run of that
//! target and is kept in `target/fuzz/artifacts`.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::args::Args;
use crate::cargo;
use crate::failure::{Failure, Outcome};
use crate::suites::Tally;

const RUNS: u64 = 10_000_000;
/// Seconds that one input may take.
const TIMEOUT: u32 = 10;
/// Memory of one target, libFuzzer's own corpus included.
const MEMORY_MIB: u64 = 512;
/// What a run may grow by after its first tenth, in MiB.
const GROWTH_MIB: u64 = 64;
const SHORTEST_INPUT_LIMIT: u64 = 4096;

const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares";

/// `cargo xtask fuzz [--runs N] [--seconds N] [--jobs N] [TARGET…]`.
pub fn run(mut args: Args) -> Outcome<ExitCode> {
    let limits = Limits {
        runs: args.number("--runs")?.unwrap_or(RUNS),
        seconds: args.number("--seconds")?.unwrap_or(0),
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let jobs: usize = args.number("--jobs")?.unwrap_or(cores);
    let mut wanted = Vec::new();
    while let Some(target) = args.command() {
        wanted.push(target);
    }
    let all = targets()?;
    if let Some(unknown) = wanted.iter().find(|target| !all.contains(target)) {
        return Err(Failure::usage(format!(
            "no target `{unknown}`; there are: {}",
            all.join(" ")
        )));
    }
    let chosen = if wanted.is_empty() { all } else { wanted };
    let programs = build(&chosen)?;
    println!("{}", Figures::HEAD);
    let tally = fuzz_all(&programs, &chosen, limits, jobs.max(1))?;
    println!("{tally}");
    Ok(ExitCode::from(u8::from(tally.failed > 0)))
}

/// When a target has had enough.
#[derive(Clone, Copy)]
struct Limits {
    runs: u64,
    /// 0 for no limit.
    seconds: u64,
}

/// Runs the targets, `jobs` at a time, and prints each one's figures as it ends.
fn fuzz_all(programs: &Path, targets: &[String], limits: Limits, jobs: usize) -> Outcome<Tally> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut tally = Tally::default();
        while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
            let figures = fuzz(programs, target, limits)?;
            println!("{figures}");
            tally += Tally::of(figures.fault.is_none());
        }
        Ok(tally)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        let mut sum = Tally::default();
        for worker in workers {
            sum += worker.join().map_err(|_| Failure::new("a worker panicked"))??;
        }
        Ok(sum)
    })
}

fn folder() -> PathBuf {
    cargo::root().join("fuzz")
}

fn work() -> PathBuf {
    cargo::root().join("target/fuzz")
}

/// The names of all targets.
fn targets() -> Outcome<Vec<String>> {
    let dir = folder().join("fuzz_targets");
    let entries = fs::read_dir(&dir).map_err(|e| Failure::at(&dir, &e))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names
        .filter_map(|name| Some(name.strip_suffix(".rs")?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// Builds the programs; where they are. Build scripts are not to have counters, so the target is named.
fn build(targets: &[String]) -> Outcome<PathBuf> {
    let version = cargo::output(Command::new("rustc").arg("-vV"), "rustc")?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or_else(|| Failure::new("rustc does not tell its host"))?;
    let mut command = cargo::command();
    command
        .current_dir(folder())
        .env("RUSTFLAGS", FLAGS)
        .args(["build", "--release", "--locked", "--target", host, "--target-dir"])
        .arg(work());
    for target in targets {
        command.args(["--bin", target]);
    }
    cargo::succeed(&mut command, "building the fuzz targets (needs a C++ compiler)")?;
    Ok(work().join(host).join("release"))
}

/// Runs one target.
fn fuzz(programs: &Path, target: &str, limits: Limits) -> Outcome<Figures> {
    let (seeds, corpus) = (
        folder().join("corpus").join(target),
        work().join("corpus").join(target),
    );
    let (artifacts, log) = (work().join("artifacts"), work().join(format!("{target}.log")));
    for dir in [&corpus, &artifacts] {
        fs::create_dir_all(dir).map_err(|e| Failure::at(dir, &e))?;
    }
    let file = File::create(&log).map_err(|e| Failure::at(&log, &e))?;
    let begun = Instant::now();
    let status = Command::new(programs.join(target))
        .args([&corpus, &seeds])
        .arg(format!("-runs={}", limits.runs))
        .arg(format!("-max_total_time={}", limits.seconds))
        .arg(format!("-max_len={}", longest(&seeds).max(SHORTEST_INPUT_LIMIT)))
        .arg(format!("-timeout={TIMEOUT}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
        .arg(format!("-artifact_prefix={}/{target}-", artifacts.display()))
        .args(["-print_final_stats=1", "-reload=0"])
        .env("REALDID_CHECK_OFF", "JWS-06")
        .current_dir(work())
        .stderr(file)
        .status()
        .map_err(|e| Failure::new(format!("{target} could not be started: {e}")))?;
    let text = fs::read(&log).map_err(|e| Failure::at(&log, &e))?;
    let mut figures = Figures::read(target, &String::from_utf8_lossy(&text));
    figures.per_second = (figures.runs as f64 / begun.elapsed().as_secs_f64()) as u64;
    if !status.success() {
        figures.fault = Some(format!("ended with {status}: see {}", log.display()));
    }
    Ok(figures)
}

fn longest(seeds: &Path) -> u64 {
    let entries = fs::read_dir(seeds).into_iter().flatten();
    entries
        .filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len()))
        .max()
        .unwrap_or(0)
}

/// What libFuzzer says of a run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    target: String,
    runs: u64,
    per_second: u64,
    /// Edges of the program that were reached, and how many it has.
    edges: u64,
    of: u64,
    /// Edge counts in classes, which is what the corpus is chosen by.
    features: u64,
    peak_mib: u64,
    grown_mib: u64,
    fault: Option<String>,
}

impl Figures {
    const HEAD: &'static str = "| target | runs | a second | edges reached | of the program's | features | peak MiB | \
         grown MiB | fault |\n|---|---|---|---|---|---|---|---|---|";

    fn read(target: &str, log: &str) -> Self {
        let stat = |name: &str| {
            let line = log
                .lines()
                .find_map(|line| line.strip_prefix(&format!("stat::{name}:")));
            line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
        };
        let pulses: Vec<Pulse> = log.lines().filter_map(Pulse::read).collect();
        let last = pulses.last().copied().unwrap_or_default();
        let runs = stat("number_of_executed_units");
        let warm = pulses
            .iter()
            .find(|pulse| pulse.runs >= runs / 10)
            .map_or(0, |pulse| pulse.mib);
        let loaded = log
            .lines()
            .find(|line| line.contains("inline 8-bit counters"))
            .unwrap_or_default();
        let grown_mib = last.mib.saturating_sub(warm);
        Self {
            target: target.to_owned(),
            runs,
            per_second: 0,
            edges: last.edges,
            of: loaded
                .split('(')
                .nth(1)
                .and_then(|rest| rest.split(' ').next()?.parse().ok())
                .unwrap_or(0),
            features: last.features,
            peak_mib: stat("peak_rss_mb"),
            grown_mib,
            fault: (grown_mib > GROWTH_MIB).then(|| "memory grows".to_owned()),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = self.fault.as_deref().unwrap_or("none");
        write!(
            f,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {fault} |",
            self.target,
            self.runs,
            self.per_second,
            self.edges,
            self.of,
            self.features,
            self.peak_mib,
            self.grown_mib
        )
    }
}

/// A line such as `#65536 pulse  cov: 180 ft: 313 corp: 40/1Kb lim: 652 exec/s: 21845 rss: 34Mb`.
#[derive(Clone, Copy, Default)]
struct Pulse {
    runs: u64,
    edges: u64,
    features: u64,
    mib: u64,
}

impl Pulse {
    fn read(line: &str) -> Option<Self> {
        let number = |name: &str| {
            let rest = line.split_once(name)?.1.trim_start();
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            rest[..digits].parse().ok()
        };
        line.starts_with('#').then_some(())?;
        Some(Self {
            runs: number("#")?,
            edges: number(" cov:")?,
            features: number(" ft:")?,
            mib: number(" rss:")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "INFO: Loaded 1 modules   (14151 inline 8-bit counters): 14151 [0x1, 0x2), \n\
        #3\tINITED cov: 100 ft: 120 corp: 2/10b exec/s: 0 rss: 30Mb\n\
        #200\tREDUCE cov: 170 ft: 300 corp: 9/1Kb lim: 4 exec/s: 0 rss: 33Mb L: 6/9 MS: 1 ChangeBit-\n\
        #1000\tDONE   cov: 180 ft: 313 corp: 40/1Kb lim: 652 exec/s: 500 rss: 34Mb\n\
        Done 1000 runs in 2 second(s)\n\
        stat::number_of_executed_units: 1000\n\
        stat::peak_rss_mb:              35\n";

    #[test]
    fn the_figures_of_a_run_are_read() {
        let figures = Figures::read("jws", LOG);
        let expected = Figures {
            target: "jws".to_owned(),
            runs: 1000,
            per_second: 0,
            edges: 180,
            of: 14151,
            features: 313,
            peak_mib: 35,
            grown_mib: 1,
            fault: None,
        };
        assert_eq!(figures, expected);
    }

    #[test]
    fn growth_is_a_fault() {
        let figures = Figures::read("jws", &LOG.replace("rss: 34Mb", "rss: 134Mb"));
        assert_eq!(figures.fault.as_deref(), Some("memory grows"));
    }

    #[test]
    fn every_target_has_seeds() {
        for target in targets().unwrap() {
            assert!(longest(&folder().join("corpus").join(&target)) > 0, "{target}");
        }
    }
}
