//! `cargo xtask switches`: turns off one check after the other and sees that exactly its tests fail.
//!
//! The programs of all tests are built once, with the feature that gives each check a switch. A first
//! run with nothing off must be green, and notes which check refuses something in which test: only
//! there can turning it off make a difference. Then, for each check, those tests and the ones marked
//! with its id run again with the check off. The ones that fail must be the ones that are marked.

mod build;
mod marks;
mod report;
mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::Instant;

use crate::args::Args;
use crate::cargo;
use crate::failure::{Failure, Outcome};
use crate::postgres::Server;
use crate::sandbox::TemporaryDir;
use crate::suites::Tally;
use crate::tidy::tree::Tree;
use build::Binaries;
use marks::{Marks, Test};
use report::Verdict;
use run::Baseline;

/// What a run of all checks found.
const PAGE: &str = "docs/switches.md";
/// Checks that a run of all suites tries.
pub const SAMPLE: usize = 12;

/// What to try.
#[derive(Default)]
struct Wanted {
    /// At most so many checks, drawn at random.
    sample: Option<usize>,
    seed: Option<u64>,
    /// These checks alone.
    ids: BTreeSet<String>,
    /// The tests of these packages alone, and the checks that they decide.
    packages: Vec<String>,
}

/// `cargo xtask switches`: all checks, unless told otherwise. All of them write `docs/switches.md`.
pub fn run(mut args: Args) -> Outcome<ExitCode> {
    let mut wanted = Wanted {
        sample: args.number("--sample")?,
        seed: args.number("--seed")?,
        ..Wanted::default()
    };
    while let Some(id) = args.value("--only")? {
        wanted.ids.extend(id.split(',').map(str::to_owned));
    }
    while let Some(package) = args.value("--package")? {
        wanted.packages.push(package);
    }
    let json = args.value("--json")?;
    args.finish()?;
    let everything = wanted.sample.is_none() && wanted.ids.is_empty() && wanted.packages.is_empty();
    let (verdicts, tally) = try_out(&wanted)?;
    if let Some(path) = json {
        report::write(path.as_ref(), &report::json(&verdicts))?;
    }
    if everything {
        let path = cargo::root().join(PAGE);
        report::write(&path, &report::document(&verdicts))?;
        println!("written: {PAGE}");
    }
    println!("{tally}");
    Ok(ExitCode::from(u8::from(tally.failed > 0)))
}

/// The suite of `cargo xtask test`: a random sample of those that `docs/switches.md` says to hold.
pub fn sample() -> Outcome<Tally> {
    let tree = Tree::load(cargo::root())?;
    let ids = report::holding(tree.text(PAGE).unwrap_or_default());
    if ids.is_empty() {
        return Err(Failure::new(format!(
            "{PAGE} lists no check: cargo xtask switches"
        )));
    }
    let wanted = Wanted {
        sample: Some(SAMPLE),
        ids,
        ..Wanted::default()
    };
    Ok(try_out(&wanted)?.1)
}

fn try_out(wanted: &Wanted) -> Outcome<(Vec<Verdict>, Tally)> {
    let tree = Tree::load(cargo::root())?;
    let marks = Marks::read(&tree);
    let server = Server::start()?;
    let postgres = server.url();
    let dir = TemporaryDir::new("switches")?;
    let binaries = Binaries::build(&wanted.packages)?;
    let checks = choose(wanted, &marks, &binaries);
    println!(
        "{} of {} checks, {} test programs",
        checks.len(),
        marks.checks.len(),
        binaries.len()
    );
    let baseline = Baseline::of(&binaries, dir.path(), &postgres)?;
    println!("nothing off: {baseline}");
    if let Some(failed) = baseline.failed() {
        return Err(Failure::new(format!("{failed} fails with nothing turned off")));
    }
    let (mut verdicts, mut tally) = (Vec::new(), Tally::default());
    for id in checks {
        let begun = Instant::now();
        let verdict = judge(&id, &marks, &binaries, &baseline, &postgres)?;
        println!("{verdict} ({:.1} s)", begun.elapsed().as_secs_f64());
        tally += Tally::of(verdict.holds());
        verdicts.push(verdict);
    }
    Ok((verdicts, tally))
}

/// The checks to try, of those that are decided in something that was built.
fn choose(wanted: &Wanted, marks: &Marks, binaries: &Binaries) -> Vec<String> {
    let built = |folders: &BTreeSet<String>| folders.iter().any(|folder| binaries.has_package(folder));
    let mut ids: Vec<String> = marks
        .checks
        .iter()
        .filter(|(id, folders)| {
            (wanted.ids.is_empty() || wanted.ids.contains(*id))
                && (wanted.packages.is_empty() || built(folders))
        })
        .map(|(id, _)| id.clone())
        .collect();
    if let Some(size) = wanted.sample {
        let seed = wanted.seed.unwrap_or_else(seed);
        println!("sample of {size}, --seed {seed}");
        ids = draw(ids, size, seed);
    }
    ids
}

fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |now| now.as_nanos() as u64)
}

/// `size` of them, in their order; the same ones for the same seed.
fn draw(mut ids: Vec<String>, size: usize, seed: u64) -> Vec<String> {
    let mut state = seed | 1;
    while ids.len() > size {
        // xorshift64*: nothing depends on how good it is
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let number = state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        ids.remove(number as usize % ids.len());
    }
    ids
}

/// Turns one check off.
fn judge(
    id: &str,
    marks: &Marks,
    binaries: &Binaries,
    baseline: &Baseline,
    postgres: &str,
) -> Outcome<Verdict> {
    let none = BTreeSet::new();
    let marked = marks.tests.get(id).unwrap_or(&none);
    let (known, absent): (BTreeSet<&Test>, BTreeSet<&Test>) = marked
        .iter()
        .filter(|test| binaries.has_program(&test.program))
        .partition(|test| baseline.has(test));
    let mut failed = BTreeSet::new();
    for (program, binary) in binaries.iter() {
        let marked_here = known
            .iter()
            .filter(|test| test.program == *program)
            .map(|test| test.name.as_str());
        let Some(names) = baseline.affected(id, program, marked_here.collect()) else {
            continue;
        };
        let first = run::with_check_off(binary, id, &names, postgres)?;
        // Whatever fails without a mark is tried again, so that only a failure that stays counts.
        let unmarked = |name: &String| !marked.contains(&Test::new(program, name));
        let again: Vec<&str> = first
            .iter()
            .filter(|name| unmarked(name))
            .map(String::as_str)
            .collect();
        let second = match again.as_slice() {
            [] => BTreeSet::new(),
            again => run::with_check_off(binary, id, again, postgres)?,
        };
        let stays = first
            .into_iter()
            .filter(|name| !unmarked(name) || second.contains(name));
        failed.extend(stays.map(|name| Test::new(program, &name)));
    }
    Ok(Verdict {
        id: id.to_owned(),
        unmarked: failed
            .iter()
            .filter(|test| !marked.contains(test))
            .cloned()
            .collect(),
        passed: known
            .iter()
            .filter(|test| !failed.contains(**test))
            .map(|&test| test.clone())
            .collect(),
        absent: absent.into_iter().cloned().collect(),
        failed: failed.into_iter().filter(|test| marked.contains(test)).collect(),
    })
}

/// Tests by the program they are in.
type ByProgram<T> = BTreeMap<String, T>;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A test program with two tests, in both of which X-01 refuses something; with X-01 off, the one
    /// called `breaks` fails. It understands the names that it is given.
    const HARNESS: &str = r#"#!/bin/sh
if [ -n "$REALDID_CHECK_TRACE" ]; then printf 'X-01 breaks\nX-01 bears\n' > "$REALDID_CHECK_TRACE"; fi
for test in breaks bears; do
    if [ $# -gt 0 ]; then case " $* " in *" $test "*) ;; *) continue ;; esac; fi
    if [ "$REALDID_CHECK_OFF:$test" = X-01:breaks ]; then echo "test $test ... FAILED"; else echo "test $test ... ok"; fi
done
"#;

    fn judged(marked: &[&str]) -> Verdict {
        let dir = TemporaryDir::new("switches-test").unwrap();
        let program = dir.path().join("harness");
        std::fs::write(&program, HARNESS).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let binaries = Binaries::of("crates/x:it", program);
        let baseline = Baseline::of(&binaries, dir.path(), "").unwrap();
        assert_eq!(baseline.failed(), None);
        let tests = marked.iter().map(|name| Test::new("crates/x:it", name)).collect();
        let marks = Marks {
            tests: BTreeMap::from([("X-01".to_owned(), tests)]),
            ..Marks::default()
        };
        judge("X-01", &marks, &binaries, &baseline, "").unwrap()
    }

    #[test]
    fn a_planted_disagreement_is_caught() {
        assert!(judged(&["breaks"]).holds());
        assert_eq!(
            judged(&[]).unmarked.len(),
            1,
            "it fails and nobody says that it should"
        );
        assert_eq!(
            judged(&["breaks", "bears"]).passed.len(),
            1,
            "it should fail and does not"
        );
        assert_eq!(
            judged(&["breaks", "gone"]).absent.len(),
            1,
            "there is no such test"
        );
    }

    #[test]
    fn a_sample_is_repeatable_and_in_order() {
        let ids: Vec<String> = (0..50).map(|n| format!("ID-{n:02}")).collect();
        let drawn = draw(ids.clone(), 12, 7);
        assert_eq!(drawn.len(), 12);
        assert_eq!(drawn, draw(ids.clone(), 12, 7));
        assert_ne!(drawn, draw(ids.clone(), 12, 8));
        assert!(drawn.is_sorted());
        assert_eq!(draw(ids.clone(), 60, 7), ids);
    }
}
