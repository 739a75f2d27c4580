//! Founding a network on one machine: the charter, every key, every configuration.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use realdid_authority::credential_issuer::example::{LICENCE_CONFIG, licence_files};
use realdid_client::ServiceIdentity;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::founding::{Founding, Ports};
use crate::args::{NetworkCommand, NetworkInit};
use crate::failure::{Failure, Outcome};
use crate::now;
use crate::output::Output;
use crate::vault::write_private;

/// Layout of the directory; `cargo xtask up` reads the same number.
const FORMAT_VERSION: u32 = 4;

/// The pace of several validators. Each waits for a leader for as long as the heartbeat and the slack
/// before it gives a view up: where one may be lost, that must not be long.
pub const PACE_OF_SEVERAL: &str = "heartbeat_ms = 2000\nleader_slack_ms = 500\n";

/// Runs a network command.
pub fn run(command: NetworkCommand, output: Output) -> Outcome<()> {
    match command {
        NetworkCommand::Init(options) => init(&options, output),
        NetworkCommand::Found(command) => super::found::run(command, output),
        NetworkCommand::Check { transcript, charter } => {
            super::found::check(&transcript, charter.as_deref(), output)
        }
    }
}

fn init(options: &NetworkInit, output: Output) -> Outcome<()> {
    if options.dir.exists() {
        let what = format!(
            "{} exists already; a network is never founded over another",
            options.dir.display()
        );
        return Err(Failure::local("directory_exists", what));
    }
    let ports = Ports::new(options.port_base)?;
    let founding = Founding::sandbox(options, ports, now())?;
    output.progress(match options.validators {
        1 => "a sandbox: this machine deals the network key alone, so it proves nothing to others",
        _ => {
            "a sandbox: this machine deals the network key alone and has known every validator's share of it, \
             so it proves nothing to others"
        }
    });
    make_directory(&options.dir)?;
    let written = write_all(options, &founding, ports);
    if let Err(failure) = written {
        // Half a network is of no use, and would be in the way of the next try.
        let _ = fs::remove_dir_all(&options.dir);
        return Err(failure);
    }
    let (dir, hash) = (options.dir.display(), founding.charter.hash());
    output.result(
        format!(
            "founded `{}` in {dir}, charter {hash}\nnext: realdid authority generate --people {} --config {dir}/authority/authority.toml",
            options.name, options.people
        ),
        &json!({
            "dir": options.dir,
            "network": options.name,
            "charter_hash": hash,
            "node_url": url(ports.node(0)),
            "node_urls": (0..options.validators).map(|index| url(ports.node(index))).collect::<Vec<_>>(),
            "authority_url": url(ports.authority()),
            "issuer_url": url(ports.issuer()),
            "signin_urls": (0..options.signins).map(|index| url(ports.signin(index))).collect::<Vec<_>>(),
        }),
    );
    Ok(())
}

fn write_all(options: &NetworkInit, founding: &Founding, ports: Ports) -> Outcome<()> {
    let dir = &options.dir;
    let charter = founding.charter.to_json();
    let charter = charter.map_err(|error| Failure::local("charter_invalid", error.to_string()))?;
    write(&dir.join("charter.json"), &charter)?;
    let member = json!({ "seed": hex::encode(founding.member.seed()) });
    write_in(dir, "member", "member.key", &format!("{member}\n"))?;
    for index in 0..options.validators {
        write_node(dir, index, founding, ports)?;
    }
    let nodes = |first| node_urls(ports, options.validators, first);
    let (authority, issuer) = (&founding.authority, &founding.issuer);
    let directory = dir.join("authority");
    write_service(&directory, "authority", ports.authority(), &nodes(0), authority)?;
    write_issuer(dir, options.people, ports.issuer(), &nodes(1), issuer)?;
    for (index, identity) in (0..).zip(&founding.signins) {
        let directory = dir.join(numbered("signin", index));
        write_service(
            &directory,
            "signin",
            ports.signin(index),
            &nodes(2 + index),
            identity,
        )?;
        let config = directory.join("signin.toml");
        let common = fs::read_to_string(&config).map_err(|error| Failure::file(&config, &error))?;
        let wallet = url(ports.web_wallet());
        write(&config, &format!("{common}wallet_url = \"{wallet}\"\n"))?;
    }
    write_web_wallet(dir, ports, &nodes(0))?;
    write(&dir.join("dids.json"), &(dids(founding).to_string() + "\n"))?;
    // Written last: a directory with it is complete.
    write(&dir.join("format_version"), &format!("{FORMAT_VERSION}\n"))
}

/// The DIDs that the services will publish, by the names of their directories: for scripts.
fn dids(founding: &Founding) -> Value {
    let did = |identity: &ServiceIdentity| json!(identity.did(&founding.charter));
    let mut dids = json!({ "authority": did(&founding.authority), "issuer": did(&founding.issuer) });
    for (index, identity) in (0..).zip(&founding.signins) {
        dids[numbered("signin", index)] = did(identity);
    }
    dids
}

/// Name of a directory: `role` for the first of a role, `role2` for the second.
fn numbered(role: &str, index: u16) -> String {
    match index {
        0 => role.to_owned(),
        further => format!("{role}{}", further + 1),
    }
}

/// The addresses of all nodes, beginning with one of them: so each service has another one first.
fn node_urls(ports: Ports, nodes: u16, first: u16) -> String {
    let urls: Vec<_> = (first..first + nodes)
        .map(|index| url(ports.node(index % nodes)))
        .collect();
    urls.join(",")
}

fn write_node(dir: &Path, index: u16, founding: &Founding, ports: Ports) -> Outcome<()> {
    let directory = numbered("node", index);
    let several = founding.validators.len() > 1;
    let secrets = &founding.validators[usize::from(index)];
    let keys = [
        ("link.key", secrets.link_key.as_slice()),
        ("share.key", secrets.share.as_slice()),
    ];
    for (name, key) in keys {
        let key = Zeroizing::new(hex::encode(key) + "\n");
        write_in(dir, &directory, name, &key)?;
    }
    let config = format!(
        "# A member's node. Paths are relative to this file.\n\
         listen = \"127.0.0.1:{port}\"\n\
         public_url = \"{url}\"\n\
         trusted_proxies = []\n\
         data_dir = \"data\"\n\
         charter = \"../charter.json\"\n\
         link_key = \"link.key\"\n\
         share = \"share.key\"\n\
         p2p_listen = \"127.0.0.1:{peers}\"\n{pace}",
        port = ports.node(index),
        url = url(ports.node(index)),
        peers = ports.peers(index),
        pace = if several { PACE_OF_SEVERAL } else { "" },
    );
    write_in(dir, &directory, "node.toml", &config)
}

fn write_service(
    directory: &Path,
    role: &str,
    port: u16,
    nodes: &str,
    identity: &ServiceIdentity,
) -> Outcome<()> {
    make_directory(&directory.join("data"))?;
    identity.save(&directory.join(format!("{role}.key")))?;
    let config = format!(
        "# Paths are relative to this file.\n\
         listen = \"127.0.0.1:{port}\"\n\
         public_url = \"{url}\"\n\
         trusted_proxies = []\n\
         data_dir = \"data\"\n\
         charter = \"../charter.json\"\n\
         node_url = \"{nodes}\"\n\
         # or postgres://user:password@host/name\n\
         database = \"sqlite:data/{role}.db\"\n\
         identity = \"{role}.key\"\n",
        url = url(port),
    );
    write(&directory.join(format!("{role}.toml")), &config)
}

/// The licence office: a service like the others, and what it issues out of which data.
fn write_issuer(dir: &Path, people: u64, port: u16, nodes: &str, identity: &ServiceIdentity) -> Outcome<()> {
    write_service(&dir.join("issuer"), "issuer", port, nodes, identity)?;
    let config = dir.join("issuer/issuer.toml");
    let common = fs::read_to_string(&config).map_err(|error| Failure::file(&config, &error))?;
    write(&config, &format!("{common}{LICENCE_CONFIG}"))?;
    for (name, text) in licence_files(people) {
        write_in(dir, "issuer", name, &text)?;
    }
    Ok(())
}

/// The page that people open, and the websites that it offers to try.
fn write_web_wallet(dir: &Path, ports: Ports, nodes: &str) -> Outcome<()> {
    let sites = [("Site A", 0), ("Site B", 1), ("Car Rental", 2)];
    let sites = sites.map(|(name, index)| {
        let address = url(ports.site(index));
        format!("\n[[try_sites]]\nname = \"{name}\"\nurl = \"{address}\"\n")
    });
    let config = format!(
        "# Paths are relative to this file.\n\
         listen = \"127.0.0.1:{port}\"\n\
         public_url = \"{own}\"\n\
         trusted_proxies = []\n\
         charter = \"../charter.json\"\n\
         node_url = \"{nodes}\"\n\
         authority_url = \"{authority}\"\n{sites}",
        port = ports.web_wallet(),
        own = url(ports.web_wallet()),
        authority = url(ports.authority()),
        sites = sites.concat(),
    );
    write_in(dir, "web-wallet", "web-wallet.toml", &config)
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn write_in(dir: &Path, directory: &str, name: &str, content: &str) -> Outcome<()> {
    let directory = dir.join(directory);
    make_directory(&directory)?;
    write(&directory.join(name), content)
}

pub fn write(path: &Path, content: &str) -> Outcome<()> {
    write_private(path, content.as_bytes()).map_err(|error| Failure::file(path, &error))
}

pub fn make_directory(path: &Path) -> Outcome<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| Failure::file(path, &error))
}
