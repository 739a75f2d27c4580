//! `cargo xtask up`: from a clone to a running country, and cleanly down again.
//!
//! Two halves. The first prepares: installs, builds, initialises; Ctrl-C simply ends it. Then
//! it becomes the second, which ignores Ctrl-C for itself: the services get it from the
//! terminal too and end; seeing the first one end, the second half waits for all of them.

mod introduce;

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::args::Args;
use crate::cargo;
use crate::failure::{Failure, Outcome};
use crate::install;
use crate::json;
use crate::ports::{DEFAULT_BASE, Ports};
use crate::sandbox::{DataDir, write_private};
use crate::services::{Ended, Services, signal};
use crate::web;

/// Who may issue what, and who may ask for what: service, right, type of credential.
const FIRST_RIGHTS: [(&str, &str, &str); 4] = [
    ("authority", "issue", "urn:realdid:realname:1"),
    ("issuer", "issue", "urn:realdid:driving_licence:1"),
    ("signin", "ask", "urn:realdid:realname:1"),
    ("signin", "ask", "urn:realdid:driving_licence:1"),
];

/// A website of the sandbox.
struct Site {
    index: u16,
    /// Of its directory and log.
    name: &'static str,
    title: &'static str,
    /// Where its visitors come back to.
    back: &'static str,
    /// What it is registered to ask for: a type, or some claims of one.
    may_ask: &'static [&'static str],
    /// Its own command line.
    options: &'static [&'static str],
}

const SITES: [Site; 3] = [
    Site {
        index: 0,
        name: "demo-a",
        title: "Site A",
        back: "callback",
        may_ask: &["urn:realdid:realname:1#age_over_18"],
        options: &["--offer-scope", "age_over_18"],
    },
    Site {
        index: 1,
        name: "demo-b",
        title: "Site B",
        back: "callback",
        may_ask: &["urn:realdid:realname:1#name,given_name,family_name,birthdate"],
        options: &["--offer-scope", "profile"],
    },
    Site {
        index: 2,
        name: "demo-rental",
        title: "Car Rental",
        back: "return",
        may_ask: &["urn:realdid:driving_licence:1#age_over_21,classes"],
        options: &["--kind", "rental"],
    },
];

/// The hidden command that is the second half.
pub const SUPERVISE: &str = "supervise";

const GLANCE: Duration = Duration::from_millis(200);

/// How long a validator that was lost stays away: long enough to see that the others go on.
const ABSENCE: Duration = Duration::from_secs(10);

/// The first half: prepares everything, then becomes the second.
pub fn run(mut args: Args) -> Outcome<ExitCode> {
    let begun = SystemTime::now();
    let fresh = args.switch("--fresh");
    let may_install = !args.switch("--no-install");
    let data = args.value("--data")?.map(PathBuf::from);
    let data = data.unwrap_or_else(|| cargo::root().join("data/sandbox"));
    let wanted_base: Option<u16> = args.number("--port-base")?;
    let validators: Option<u16> = args.number("--validators")?;
    let people = args.number("--people")?.unwrap_or(1000);
    let once_ready = args.value("--once-ready")?;
    args.finish()?;

    step(1, "checking prerequisites");
    install::ensure(&[install::BUILD], may_install)?;
    step(
        2,
        "building (ten to twenty minutes the first time, seconds later)",
    );
    web::build_wallet()?;
    cargo::build()?;
    step(3, "looking at the data directory and the ports");
    let held = DataDir::hold(&data)?;
    if fresh {
        held.delete()?;
    }
    let ports = prepare(&held, wanted_base, validators, people)?;
    drop(held);

    let program = cargo::programs()?.join("xtask");
    let mut second_half = Command::new("sh");
    second_half
        .args(["-c", "trap '' INT; exec \"$@\"", "sh"])
        .arg(program)
        .args([SUPERVISE, "--port-base", &ports.base().to_string()])
        .args(["--validators", &ports.validators().to_string()])
        .args(["--begun", &millis(begun).to_string(), "--data"])
        .arg(&data);
    if let Some(script) = once_ready {
        second_half.args(["--once-ready", &script]);
    }
    let error = second_half.exec();
    Err(Failure::new(format!("sh could not be started: {error}")))
}

/// Chooses the ports, sees that they are free, and initialises the directory where it is new.
fn prepare(data: &DataDir, wanted_base: Option<u16>, validators: Option<u16>, people: u32) -> Outcome<Ports> {
    let known = data.port_base()?;
    if let (Some(known), Some(wanted)) = (known, wanted_base)
        && known != wanted
    {
        return Err(Failure::new(format!(
            "{} was made with --port-base {known}, and its addresses are part of its configuration: \
             leave the option out, start anew with --fresh --port-base {wanted}, or start a second \
             sandbox with --data data/sandbox-{wanted} --port-base {wanted}",
            data.path().display()
        )));
    }
    let validators = count_validators(data, known.is_some(), validators)?;
    let ports = Ports::new(known.or(wanted_base).unwrap_or(DEFAULT_BASE), validators)?;
    refuse_taken(ports, known.is_some())?;
    if known.is_none() {
        step(4, "making a new country: charter, keys, register");
        data.initialise(&cargo::programs()?, ports, people)?;
    } else {
        step(4, "going on where it was");
    }
    Ok(ports)
}

/// How many validators the country has, or is to have.
fn count_validators(data: &DataDir, initialised: bool, wanted: Option<u16>) -> Outcome<u16> {
    if let Some(wanted) = wanted
        && ![1, 4, 7, 10].contains(&wanted)
    {
        return Err(Failure::usage(format!(
            "--validators {wanted}: choose 1, 4, 7 or 10"
        )));
    }
    if !initialised {
        return Ok(wanted.unwrap_or(1));
    }
    let known = data.validators();
    match wanted {
        Some(wanted) if wanted != known => Err(Failure::new(format!(
            "{} was made with --validators {known}, and its network key is dealt to them: leave the option \
             out, start anew with --fresh --validators {wanted} (its contents are lost), or start a second \
             sandbox with --data data/sandbox-of-{wanted} --port-base 8300 --validators {wanted}",
            data.path().display()
        ))),
        _ => Ok(known),
    }
}

fn refuse_taken(ports: Ports, initialised: bool) -> Outcome<()> {
    let Some(taken) = ports.taken() else {
        return Ok(());
    };
    let other = Ports::first_free(ports.base() + 1000, ports.validators()).map_or(8300, Ports::base);
    let beside = if initialised {
        format!(" --data data/sandbox-{other}")
    } else {
        String::new()
    };
    Err(Failure::new(format!(
        "{taken}: stop the program that listens there, or move this sandbox with\n  \
         cargo xtask up --port-base {other}{beside}"
    )))
}

/// The second half: starts the services and stays until they are stopped.
pub fn supervise(mut args: Args) -> Outcome<ExitCode> {
    let unfinished = || Failure::usage("this command belongs to `cargo xtask up`");
    let data: PathBuf = args.value("--data")?.ok_or_else(unfinished)?.into();
    let base: u16 = args.number("--port-base")?.ok_or_else(unfinished)?;
    let validators: u16 = args.number("--validators")?.ok_or_else(unfinished)?;
    let begun: u64 = args.number("--begun")?.ok_or_else(unfinished)?;
    let once_ready = args.value("--once-ready")?;
    args.finish()?;

    let mut country = Country::start(DataDir::hold(&data)?, Ports::new(base, validators)?)?;
    let took = Duration::from_millis(millis(SystemTime::now()).saturating_sub(begun));
    println!("\nready after {:.1} s", took.as_secs_f32());
    if let Some(script) = once_ready {
        let mut command = Command::new("sh");
        command.args(["-c", &script]).current_dir(cargo::root());
        let code = country.run(&mut command)?;
        println!("memory of all services (PSS): {} MiB", country.memory_mib());
        country.stop()?;
        return Ok(ExitCode::from(code));
    }
    country.introduce()?;
    country.stay()
}

/// Everything that runs, and where.
pub struct Country {
    data: DataDir,
    ports: Ports,
    programs: PathBuf,
    services: Services,
    /// Validators that were lost, by number, and when.
    lost: Vec<(u16, Instant)>,
}

impl Country {
    /// Makes a country in `data`, which must be vacant, and starts it.
    pub fn found(data: &Path, from_port: u16, validators: u16, people: u32) -> Outcome<Self> {
        let data = DataDir::hold(data)?;
        let ports = Ports::first_free(from_port, validators)?;
        data.initialise(&cargo::programs()?, ports, people)?;
        Self::start(data, ports)
    }

    /// Starts the ledger nodes, the authority, the licence issuer, the sign-in server and the websites.
    fn start(data: DataDir, ports: Ports) -> Outcome<Self> {
        let services = Services::new(data.join("logs"))?;
        let programs = cargo::programs()?;
        let mut country = Self {
            data,
            ports,
            programs,
            services,
            lost: Vec::new(),
        };
        step(
            5,
            &match ports.validators() {
                1 => "starting the ledger node".to_owned(),
                count => format!("starting {count} ledger nodes, each a validator"),
            },
        );
        for index in 0..ports.validators() {
            country.begin_node(index)?;
        }
        country.services.wait_ready()?;
        step(6, "starting the authority");
        country.start_role("authority", ports.authority())?;
        step(7, "starting the licence issuer");
        country.start_role("issuer", ports.issuer())?;
        step(8, "starting the sign-in server");
        country.start_role("signin", ports.signin())?;
        step(9, "the consortium's first decisions");
        country.decide_first()?;
        step(10, "starting the web wallet and the websites");
        country.start_role("web-wallet", ports.web_wallet())?;
        for site in &SITES {
            country.start_site(site)?;
        }
        Ok(country)
    }

    /// Grants the rights that the sandbox's services need: once, on a fresh ledger.
    fn decide_first(&self) -> Outcome<()> {
        let done = self.data.join("first_decisions");
        if done.exists() {
            return Ok(());
        }
        for (role, right, vct) in FIRST_RIGHTS {
            let did = self.did(role)?;
            let mut command = self.realdid();
            command
                .args(["governance", "grant", &did, right, vct, "--json", "--charter"])
                .arg(self.data.join("charter.json"))
                .args(["--node", &self.nodes(), "--member-key"])
                .arg(self.data.join("member").join("member.key"));
            match cargo::output(&mut command, "realdid governance grant") {
                // an earlier start was interrupted between two decisions: this one was taken
                Err(failure) if failure.to_string().contains("right_exists") => {}
                granted => drop(granted?),
            }
        }
        write_private(&done, "1\n")
    }

    fn realdid(&self) -> Command {
        Command::new(self.programs.join("realdid"))
    }

    fn config(&self, role: &str) -> PathBuf {
        self.data.join(role).join(format!("{role}.toml"))
    }

    /// The DID of a service, as the founding noted it.
    fn did(&self, role: &str) -> Outcome<String> {
        let path = self.data.join("dids.json");
        let text = std::fs::read_to_string(&path).map_err(|e| Failure::at(&path, &e))?;
        json::text(&text, role).ok_or_else(|| Failure::new(format!("{} names no {role}", path.display())))
    }

    /// The addresses of all nodes, as our programs take them.
    fn nodes(&self) -> String {
        let urls: Vec<_> = (0..self.ports.validators())
            .map(|index| url(self.ports.node(index)))
            .collect();
        urls.join(",")
    }

    fn begin_node(&mut self, index: u16) -> Outcome<()> {
        let name = node_name(index);
        let mut command = self.realdid();
        command
            .args(["node", "run", "--config"])
            .arg(self.data.join(&name).join("node.toml"));
        self.services
            .begin(&name, &mut command, Some(self.ports.node(index)))
    }

    /// Looks after the services. One of several validators that was lost is started again after a
    /// while; any other end is the whole country's.
    fn tend(&mut self) -> Outcome<Option<Ended>> {
        let back = self.lost.iter().position(|(_, since)| since.elapsed() >= ABSENCE);
        if let Some(at) = back {
            let (index, _) = self.lost.remove(at);
            println!("\n{} is started again", node_name(index));
            self.begin_node(index)?;
        }
        let Some(ended) = self.services.ended() else {
            return Ok(None);
        };
        let validators = 0..self.ports.validators();
        let lost = validators.clone().find(|index| node_name(*index) == ended.name());
        match lost {
            Some(index) if validators.len() > 1 && ended.had_served() && !ended.was_asked() => {
                let (name, seconds) = (ended.name(), ABSENCE.as_secs());
                println!("\n{name} was lost; the others go on, and it is started again in {seconds} s");
                self.services.forget(&ended);
                self.lost.push((index, Instant::now()));
                Ok(None)
            }
            _ => Ok(Some(ended)),
        }
    }

    fn start_role(&mut self, role: &'static str, port: u16) -> Outcome<()> {
        let mut command = self.realdid();
        command.args([role, "run", "--config"]).arg(self.config(role));
        self.services.start(role, &mut command, Some(port))
    }

    fn start_site(&mut self, site: &'static Site) -> Outcome<()> {
        let port = self.ports.site(site.index);
        let credentials = self.data.join(site.name).join("credentials.json");
        if !credentials.exists() {
            self.register_site(site, port, &credentials)?;
        }
        let mut command = Command::new(self.programs.join("realdid-demo"));
        command
            .args(["--name", site.title, "--listen", &format!("127.0.0.1:{port}")])
            .args(["--public-url", &url(port)])
            .args(["--issuer", &url(self.ports.signin())])
            .arg("--credentials")
            .arg(&credentials)
            .arg("--db")
            .arg(self.data.join(site.name).join("site.db"))
            .args(site.options);
        self.services.start(site.name, &mut command, None)
    }

    fn register_site(&self, site: &Site, port: u16, credentials: &Path) -> Outcome<()> {
        let printed = cargo::output(
            self.realdid()
                .args(["signin", "client", "add", "--json", "--name", site.title])
                .args(["--redirect-uri", &format!("{}/{}", url(port), site.back)])
                .args(site.may_ask.iter().flat_map(|asks| ["--may-ask", asks]))
                .arg("--config")
                .arg(self.config("signin")),
            "realdid signin client add",
        )?;
        write_private(credentials, &printed)
    }

    /// Runs a command that finds the country by its environment; gives its exit code. A service
    /// that ends meanwhile ends the command too.
    pub fn run(&mut self, command: &mut Command) -> Outcome<u8> {
        let mut child = self
            .equip(command)
            .stdin(Stdio::null())
            .spawn()
            .map_err(|e| Failure::new(format!("the command could not be started: {e}")))?;
        self.wait_for(&mut child)
    }

    /// Tells a command where the country is.
    pub fn equip<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("REALDID_DATA", self.data.path())
            .env("REALDID_PORT_BASE", self.ports.base().to_string())
            .env("REALDID_NODE", self.nodes())
            .env("REALDID_BIN", self.programs.join("realdid"))
    }

    fn wait_for(&mut self, child: &mut Child) -> Outcome<u8> {
        loop {
            let status = child
                .try_wait()
                .map_err(|e| Failure::new(format!("the command was lost: {e}")))?;
            if let Some(status) = status {
                let code = status.code().and_then(|code| u8::try_from(code).ok());
                return Ok(code.unwrap_or(1));
            }
            if let Some(ended) = self.tend()? {
                signal(child, "TERM");
                // only its end matters now
                let _ = child.wait();
                return Err(ended.failure());
            }
            thread::sleep(GLANCE);
        }
    }

    /// What all services take together, in MiB.
    pub fn memory_mib(&self) -> u64 {
        self.services.memory_kib() / 1024
    }

    /// Stops everything.
    pub fn stop(mut self) -> Outcome<()> {
        self.services.stop()
    }

    /// Waits until somebody stops the services, or one of them fails.
    fn stay(mut self) -> Outcome<ExitCode> {
        let ended = loop {
            if let Some(ended) = self.tend()? {
                break ended;
            }
            thread::sleep(GLANCE);
        };
        if ended.was_asked() {
            println!("\nstopping");
            self.services.stop()?;
            println!("all stopped; `cargo xtask up` goes on from here");
            return Ok(ExitCode::SUCCESS);
        }
        // tell the cause first: stopping the others may fail for the same reason
        let cause = ended.failure();
        eprintln!("stopping the rest");
        self.services.stop()?;
        Err(cause)
    }
}

/// Of a node's directory and log: `node`, `node2`, …
fn node_name(index: u16) -> String {
    match index {
        0 => "node".to_owned(),
        further => format!("node{}", further + 1),
    }
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn step(number: u8, what: &str) {
    println!("[{number}/10] {what}");
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// How long something took, for people.
pub fn seconds(since: Instant) -> String {
    format!("{:.1} s", since.elapsed().as_secs_f32())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::TemporaryDir;

    #[test]
    fn a_country_keeps_its_number_of_validators() {
        let dir = TemporaryDir::new("counting").unwrap();
        let data = DataDir::hold(&dir.path().join("data")).unwrap();
        assert_eq!(count_validators(&data, false, None).unwrap(), 1);
        assert_eq!(count_validators(&data, false, Some(7)).unwrap(), 7);
        assert!(count_validators(&data, false, Some(3)).is_err());
        for index in 0..4 {
            std::fs::create_dir_all(data.join(&node_name(index))).unwrap();
        }
        assert_eq!(count_validators(&data, true, None).unwrap(), 4);
        assert_eq!(count_validators(&data, true, Some(4)).unwrap(), 4);
        let refused = count_validators(&data, true, Some(7)).unwrap_err().to_string();
        assert!(refused.contains("--validators 4"), "{refused}");
        assert!(refused.contains("--fresh --validators 7"), "{refused}");
    }
}
