//! A whole country for a test: node, authority with a register, two sign-in servers, two websites.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use realdid_ledger::Charter;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{PATIENCE, Process, free_ports, program, realdid};

/// Names of the services, as their logs are called.
pub const SERVICES: [&str; 6] = ["node", "authority", "signin", "signin2", "site-a", "site-b"];

/// The type of the real-name credential.
pub const REALNAME: &str = "urn:realdid:realname:1";

/// A running country; everything is killed and deleted when it is dropped.
pub struct Country {
    dir: TempDir,
    port: u16,
    /// Its charter.
    pub charter: Charter,
    processes: Vec<Process>,
}

/// Somebody in the register.
pub struct Person {
    /// The name.
    pub name: String,
    /// The identity number.
    pub number: String,
}

impl Country {
    /// Founds a country with one sign-in server per website and starts everything.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let port = free_ports(&[0, 1, 10, 20, 21, 31, 32]);
        let root = dir.path().join("data").display().to_string();
        let port_text = port.to_string();
        run(&[
            "network",
            "init",
            "--sandbox",
            "--signins",
            "2",
            "--dir",
            &root,
            "--port-base",
            &port_text,
        ]);
        let charter = std::fs::read(Path::new(&root).join("charter.json")).expect("a charter");
        let charter = Charter::from_json(&charter).expect("a valid charter");
        let mut country = Self {
            dir,
            port,
            charter,
            processes: Vec::new(),
        };
        run(&[
            "authority",
            "generate",
            "--people",
            "50",
            "--config",
            &country.config("authority"),
        ]);
        for (service, offset) in SERVICES[..4].iter().zip([0, 10, 20, 21]) {
            let role = service.trim_end_matches('2');
            let mut command = Command::new(program());
            command.args([role, "run", "--config", &country.config(service)]);
            country.spawn(service, command);
            wait_until_healthy(&country.url(offset));
        }
        country.grant("authority", "issue");
        country.grant("signin", "ask");
        country.grant("signin2", "ask");
        country.start_site("site-a", "Site A", "signin", 20, 31);
        country.start_site("site-b", "Site B", "signin2", 21, 32);
        country
    }

    /// The consortium lets a service issue or ask for the real-name credential.
    fn grant(&self, service: &str, right: &str) {
        let dids = std::fs::read(self.path("data/dids.json")).expect("the services' DIDs");
        let dids: Value = serde_json::from_slice(&dids).expect("JSON");
        let (charter, member) = (
            self.path("data/charter.json"),
            self.path("data/member/member.key"),
        );
        run(&[
            "governance",
            "grant",
            dids[service].as_str().expect("a DID"),
            right,
            REALNAME,
            "--charter",
            &charter.display().to_string(),
            "--node",
            &self.node(),
            "--member-key",
            &member.display().to_string(),
        ]);
    }

    fn start_site(&mut self, log: &str, name: &str, signin: &str, issuer: u16, own: u16) {
        let url = self.url(own);
        let callback = format!("{url}/callback");
        let config = self.config(signin);
        let added = run(&[
            "--json",
            "signin",
            "client",
            "add",
            "--config",
            &config,
            "--name",
            name,
            "--redirect-uri",
            &callback,
        ]);
        let credentials = self.path(&format!("{log}.json"));
        std::fs::write(&credentials, added).expect("the credentials are written");
        let mut command = Command::new(program().with_file_name("realdid-demo"));
        command.args([
            "--name",
            name,
            "--listen",
            &format!("127.0.0.1:{}", self.port + own),
        ]);
        command.args(["--public-url", &url, "--issuer", &self.url(issuer)]);
        command.arg("--credentials").arg(credentials);
        command.arg("--db").arg(self.path(&format!("{log}.sqlite")));
        self.spawn(log, command);
    }

    fn spawn(&mut self, name: &str, mut command: Command) {
        let mut process = Process::spawn(&mut command, &self.log(name));
        process.wait_ready();
        self.processes.push(process);
    }

    /// Address of the service at this offset from the first port.
    pub fn url(&self, offset: u16) -> String {
        format!("http://127.0.0.1:{}", self.port + offset)
    }

    /// The node's address.
    pub fn node(&self) -> String {
        self.url(0)
    }

    /// The authority's address.
    pub fn authority(&self) -> String {
        self.url(10)
    }

    /// A path in the country's temporary directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A service's log file.
    pub fn log(&self, service: &str) -> PathBuf {
        self.path(&format!("{service}.log"))
    }

    /// A service's data directory.
    pub fn data(&self, service: &str) -> PathBuf {
        self.path("data").join(service)
    }

    /// A service's configuration file.
    pub fn config(&self, service: &str) -> String {
        let name = service.trim_end_matches('2');
        self.data(service)
            .join(format!("{name}.toml"))
            .display()
            .to_string()
    }

    /// Somebody of the register.
    pub fn somebody(&self) -> Person {
        let said = run(&[
            "--json",
            "authority",
            "person",
            "--random",
            "--config",
            &self.config("authority"),
        ]);
        let said: Value = serde_json::from_str(&said).expect("a person as JSON");
        let text = |field: &str| said[field].as_str().expect("a text").to_owned();
        Person {
            name: text("name"),
            number: text("number"),
        }
    }

    /// The newest one-time code, as soon as one was delivered.
    pub async fn await_code(&self, http: &reqwest::Client) -> String {
        for _ in 0..200 {
            if let Some(code) = self.newest_code(http).await {
                return code;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no code was delivered");
    }

    async fn newest_code(&self, http: &reqwest::Client) -> Option<String> {
        let url = format!("{}/sandbox/outbox?json", self.authority());
        let outbox: Value = http.get(url).send().await.ok()?.json().await.ok()?;
        Some(
            outbox["messages"].as_array()?.last()?["code"]
                .as_str()?
                .to_owned(),
        )
    }
}

/// Waits until a service says that it can do its work.
fn wait_until_healthy(url: &str) {
    let address = url.trim_start_matches("http://");
    let request = format!("GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let begun = Instant::now();
    loop {
        let mut answer = String::new();
        if let Ok(mut stream) = TcpStream::connect(address) {
            let asked = stream
                .write_all(request.as_bytes())
                .and_then(|()| stream.read_to_string(&mut answer));
            if asked.is_ok() && answer.starts_with("HTTP/1.1 200") {
                return;
            }
        }
        assert!(begun.elapsed() < PATIENCE, "{url} is not ready: {answer}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Runs the program to its end, which must be a good one, and gives its standard output.
pub fn run(arguments: &[&str]) -> String {
    let output = realdid(arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "realdid {}: {said}", arguments.join(" "));
    String::from_utf8(output.stdout).expect("text")
}
