//! A private PostgreSQL server for the tests: made in a temporary directory, reachable on
//! loopback only, gone afterwards.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::cargo;
use crate::failure::{Failure, Outcome};
use crate::install;
use crate::sandbox::TemporaryDir;
use crate::services::signal;

const START_LIMIT: Duration = Duration::from_secs(30);

/// A running server.
pub struct Server {
    child: Child,
    port: u16,
    // dropped last
    _dir: TemporaryDir,
}

/// Where `initdb` and `postgres` are; Debian keeps them out of `PATH`.
pub fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten();
    let mut found: Vec<PathBuf> = versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    found.sort();
    let in_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|dir| dir.join("initdb").is_file())
    };
    found.pop().or_else(in_path)
}

impl Server {
    /// Makes a cluster and starts it; ready for connections on return.
    pub fn start() -> Outcome<Self> {
        let bin =
            programs().ok_or_else(|| Failure::new("initdb is missing: apt-get install -y postgresql"))?;
        let dir = TemporaryDir::new("postgres")?;
        let data = dir.path().join("data");
        fs::create_dir(&data).map_err(|e| Failure::at(&data, &e))?;
        if install::is_root() {
            // PostgreSQL refuses to run as root
            let mut chown = Command::new("chown");
            cargo::output(chown.args(["postgres"]).args([dir.path(), &data]), "chown")?;
        }
        cargo::output(
            unprivileged(&bin.join("initdb"))
                .args(["--auth=trust", "--username=postgres", "--no-sync"])
                .args(["--encoding=UTF8", "--locale=C", "--pgdata"])
                .arg(&data),
            "initdb",
        )?;
        let port = free_port()?;
        let log = dir.path().join("log");
        let child = launch(&bin, &data, port, &log)?;
        let mut server = Self {
            child,
            port,
            _dir: dir,
        };
        server.await_readiness(&bin, &log)?;
        Ok(server)
    }

    /// What programs connect to.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn await_readiness(&mut self, bin: &Path, log: &Path) -> Outcome<()> {
        let begun = Instant::now();
        while begun.elapsed() < START_LIMIT && matches!(self.child.try_wait(), Ok(None)) {
            let mut ask = Command::new(bin.join("pg_isready"));
            ask.args(["--quiet", "--host=127.0.0.1", "--port", &self.port.to_string()]);
            if ask.status().is_ok_and(|status| status.success()) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(100));
        }
        let said = fs::read_to_string(log).unwrap_or_default();
        Err(Failure::new(format!("PostgreSQL did not start:\n{said}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // setpriv has become postgres itself, so the signal reaches it; INT does not wait for
        // connections that somebody forgot to close
        signal(&self.child, "INT");
        // nothing is left to do where it is gone already
        let _ = self.child.wait();
    }
}

fn launch(bin: &Path, data: &Path, port: u16, log: &Path) -> Outcome<Child> {
    let log_file = File::create(log).map_err(|e| Failure::at(log, &e))?;
    let errors = log_file.try_clone().map_err(|e| Failure::at(log, &e))?;
    unprivileged(&bin.join("postgres"))
        .args([
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "fsync=off",
            "-c",
            "max_connections=300",
        ])
        .args(["-c", "unix_socket_directories=", "-p", &port.to_string(), "-D"])
        .arg(data)
        .stdin(Stdio::null())
        .stdout(log_file)
        .stderr(errors)
        .spawn()
        .map_err(|e| Failure::new(format!("postgres could not be started: {e}")))
}

/// `program`, as the user `postgres` where we are root.
fn unprivileged(program: &Path) -> Command {
    let mut command = if install::is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]);
        command.arg(program);
        command
    } else {
        Command::new(program)
    };
    // it must be able to enter the directory it is started in
    command.current_dir("/");
    command
}

fn free_port() -> Outcome<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| Failure::new(format!("no free port: {e}")))
}
