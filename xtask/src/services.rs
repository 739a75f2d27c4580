//! The sandbox's processes: started one after the other, watched, and stopped together.
//!
//! Every child gets `--exit-with-parent` and a pipe as its standard input: should this program
//! die without a word, the pipe's end tells the child to stop. Signals are sent through `kill`,
//! because the standard library has none.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(10);
const GLANCE: Duration = Duration::from_millis(50);
const LOG_LINES: usize = 15;
const ANSWER_LIMIT: u64 = 64 * 1024;

/// One running child.
struct Service {
    name: String,
    child: Child,
    log: PathBuf,
    /// The standard output, line by line.
    said: Receiver<String>,
    /// Whether it has said `ready`.
    announced: bool,
    /// Whether its health endpoint, if any, has agreed.
    healthy: bool,
    /// Where it answers for its health, if it does.
    health: Option<u16>,
}

/// All running children, in the order they were started.
pub struct Services {
    logs: PathBuf,
    running: Vec<Service>,
}

/// A child that ended by itself.
pub struct Ended {
    name: String,
    status: ExitStatus,
    had_served: bool,
    last_words: String,
}

impl Ended {
    /// Whether it was asked to: it ended well, or by the Ctrl-C that all processes of a
    /// terminal get.
    pub fn was_asked(&self) -> bool {
        use std::os::unix::process::ExitStatusExt;
        self.status.success() || self.status.signal() == Some(2)
    }

    /// The name of its service.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it had been ready before.
    pub fn had_served(&self) -> bool {
        self.had_served
    }

    /// What to tell the person at the terminal.
    pub fn failure(&self) -> Failure {
        Failure::new(format!(
            "{} ended by itself ({}); its log ends with\n{}",
            self.name, self.status, self.last_words
        ))
    }
}

impl Services {
    /// None yet; each will log to `logs/NAME.log`.
    pub fn new(logs: PathBuf) -> Outcome<Self> {
        fs::create_dir_all(&logs).map_err(|e| Failure::at(&logs, &e))?;
        Ok(Self {
            logs,
            running: Vec::new(),
        })
    }

    /// Starts `command` under `name` without waiting. Its process id is in `logs/NAME.pid`.
    pub fn begin(&mut self, name: &str, command: &mut Command, health: Option<u16>) -> Outcome<()> {
        let service = Service::spawn(name, command, &self.logs, health)?;
        self.running.push(service);
        Ok(())
    }

    /// Waits until everything that was begun says `ready …` and, where it has a health endpoint, until
    /// that agrees.
    pub fn wait_ready(&mut self) -> Outcome<()> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            if let Some(ended) = self.ended() {
                return Err(ended.failure());
            }
            let Some(late) = self
                .running
                .iter_mut()
                .find_map(|one| (!one.is_ready()).then_some(one))
            else {
                return Ok(());
            };
            if Instant::now() >= deadline {
                return Err(Failure::new(format!(
                    "{} is not ready after {} s; its log ends with\n{}",
                    late.name,
                    START_LIMIT.as_secs(),
                    last_lines(&late.log)
                )));
            }
            thread::sleep(GLANCE);
        }
    }

    /// Starts `command` under `name` and waits until it is ready.
    pub fn start(&mut self, name: &str, command: &mut Command, health: Option<u16>) -> Outcome<()> {
        self.begin(name, command, health)?;
        self.wait_ready()
    }

    /// The first child that has ended, if any has.
    pub fn ended(&mut self) -> Option<Ended> {
        self.running.iter_mut().find_map(|service| {
            let status = service.child.try_wait().ok().flatten()?;
            service.hear();
            Some(Ended {
                name: service.name.clone(),
                status,
                had_served: service.announced,
                last_words: last_lines(&service.log),
            })
        })
    }

    /// Thinks no more of a child that has ended.
    pub fn forget(&mut self, ended: &Ended) {
        self.running.retain(|service| service.name != ended.name);
        // should it stay, the next one to start under this name writes it anew
        let _ = fs::remove_file(self.logs.join(format!("{}.pid", ended.name)));
    }

    /// The memory all children really take together, in KiB: each page shared among n
    /// processes counts one nth (the kernel's PSS).
    pub fn memory_kib(&self) -> u64 {
        let pss = |service: &Service| {
            let rollup = format!("/proc/{}/smaps_rollup", service.child.id());
            let rollup = fs::read_to_string(rollup).ok()?;
            let line = rollup.lines().find(|line| line.starts_with("Pss:"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        };
        self.running.iter().filter_map(pss).sum()
    }

    /// Asks all to stop, last one first, and waits; whoever does not is killed and named.
    pub fn stop(&mut self) -> Outcome<()> {
        for service in self.running.iter_mut().rev() {
            drop(service.child.stdin.take());
            signal(&service.child, "TERM");
        }
        let deadline = Instant::now() + STOP_LIMIT;
        let mut stubborn = Vec::new();
        for mut service in self.running.drain(..).rev() {
            if !service.ends_before(deadline) {
                stubborn.push(service.name);
                // it may just have ended by itself
                let _ = service.child.kill();
                let _ = service.child.wait();
            }
        }
        if stubborn.is_empty() {
            Ok(())
        } else {
            Err(Failure::new(format!(
                "did not stop within {} s and had to be killed: {}",
                STOP_LIMIT.as_secs(),
                stubborn.join(", ")
            )))
        }
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        // a failure on the way out has been reported already
        let _ = self.stop();
    }
}

impl Service {
    fn spawn(name: &str, command: &mut Command, logs: &Path, health: Option<u16>) -> Outcome<Self> {
        let log = logs.join(format!("{name}.log"));
        if log.exists() {
            // the run before stays readable; older ones go
            let before = logs.join(format!("{name}.log.1"));
            fs::rename(&log, &before).map_err(|e| Failure::at(&log, &e))?;
        }
        let file = File::create(&log).map_err(|e| Failure::at(&log, &e))?;
        let mut child = command
            .arg("--exit-with-parent")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .map_err(|e| Failure::new(format!("{name} could not be started: {e}")))?;
        let pid = logs.join(format!("{name}.pid"));
        fs::write(&pid, child.id().to_string()).map_err(|e| Failure::at(&pid, &e))?;
        let (tell, said) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    // nobody listens any more once the service is ready; reading goes on
                    // so that the child never blocks on a full pipe
                    let _ = tell.send(line);
                }
            });
        }
        Ok(Self {
            name: name.to_owned(),
            child,
            log,
            said,
            announced: false,
            healthy: health.is_none(),
            health,
        })
    }

    fn is_ready(&mut self) -> bool {
        self.hear();
        self.healthy |= self.announced && self.health.is_some_and(is_healthy);
        self.announced && self.healthy
    }

    fn hear(&mut self) {
        self.announced |= self.said.try_iter().any(|line| line.starts_with("ready"));
    }

    fn ends_before(&mut self, deadline: Instant) -> bool {
        loop {
            match self.child.try_wait() {
                Ok(None) if Instant::now() < deadline => thread::sleep(GLANCE),
                Ok(None) => return false,
                Ok(Some(_)) | Err(_) => return true,
            }
        }
    }
}

/// Sends a signal, `TERM` or `INT`; a child that is gone already is none of our concern.
pub fn signal(child: &Child, name: &str) {
    let _ = Command::new("sh")
        .args([
            "-c",
            "kill -s \"$0\" \"$1\" 2>/dev/null",
            name,
            &child.id().to_string(),
        ])
        .status();
}

/// Whether `/health/ready` on this loopback port answers 200.
fn is_healthy(port: u16) -> bool {
    let ask = || -> std::io::Result<bool> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(
            stream,
            "GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        // the whole answer, or the server would log a broken connection
        let mut answer = Vec::new();
        stream.take(ANSWER_LIMIT).read_to_end(&mut answer)?;
        Ok(answer.get(8..12) == Some(b" 200"))
    };
    ask().unwrap_or(false)
}

fn last_lines(log: &Path) -> String {
    let Ok(text) = fs::read(log) else {
        return String::new();
    };
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(LOG_LINES);
    lines[from..].iter().map(|line| format!("  | {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::TemporaryDir;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_service_is_ready_when_it_says_so_and_stops_when_asked() {
        let dir = TemporaryDir::new("services").unwrap();
        let mut services = Services::new(dir.path().to_owned()).unwrap();
        let mut command = shell("echo ready; exec sleep 60");
        services.start("sleeper", &mut command, None).unwrap();
        assert!(services.ended().is_none());
        assert!(services.memory_kib() > 0);
        services.stop().unwrap();
    }

    #[test]
    fn a_service_that_dies_is_named_with_its_last_words() {
        let dir = TemporaryDir::new("dying").unwrap();
        let mut services = Services::new(dir.path().to_owned()).unwrap();
        let mut command = shell("echo 'the disk is on fire' >&2; exit 3");
        let failure = services.start("victim", &mut command, None).unwrap_err();
        let message = failure.to_string();
        assert!(message.contains("victim"), "{message}");
        assert!(message.contains("the disk is on fire"), "{message}");
    }
}
