//! Founding a network on one machine: the charter, every key, every configuration.

use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use realdid_authority::credential_issuer::example::{LICENCE_CONFIG, licence_files};
use realdid_client::ServiceIdentity;
use serde_json::{Value, json};

use super::founding::{Founding, Ports};
use crate::args::{NetworkCommand, NetworkInit};
use crate::failure::{Failure, Outcome};
use crate::now;
use crate::output::Output;
use crate::vault::write_private;

/// Layout of the directory; `cargo xtask up` reads the same number.
const FORMAT_VERSION: u32 = 2;

/// Runs a network command.
pub fn run(command: NetworkCommand, output: Output) -> Outcome<()> {
    let NetworkCommand::Init(options) = command;
    init(&options, output)
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
    let founding = Founding::sandbox(&options.name, ports, options.signins, now())?;
    output.progress("a sandbox: this machine deals the network key alone, so it proves nothing to others");
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
            "node_url": url(ports.node()),
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
    write_node(dir, founding, ports)?;
    write_service(dir, "authority", ports.authority(), ports, &founding.authority)?;
    write_issuer(dir, options.people, ports, &founding.issuer)?;
    for (index, identity) in (0_u16..).zip(&founding.signins) {
        let directory = signin_directory(usize::from(index));
        write_service_in(dir, &directory, "signin", ports.signin(index), ports, identity)?;
    }
    write(&dir.join("dids.json"), &(dids(founding).to_string() + "\n"))?;
    // Written last: a directory with it is complete.
    write(&dir.join("format_version"), &format!("{FORMAT_VERSION}\n"))
}

/// The DIDs that the services will publish, by the names of their directories: for scripts.
fn dids(founding: &Founding) -> Value {
    let did = |identity: &ServiceIdentity| json!(identity.did(&founding.charter));
    let mut dids = json!({ "authority": did(&founding.authority), "issuer": did(&founding.issuer) });
    for (index, identity) in founding.signins.iter().enumerate() {
        dids[signin_directory(index)] = did(identity);
    }
    dids
}

fn signin_directory(index: usize) -> String {
    if index == 0 {
        "signin".to_owned()
    } else {
        format!("signin{}", index + 1)
    }
}

fn write_node(dir: &Path, founding: &Founding, ports: Ports) -> Outcome<()> {
    write_in(
        dir,
        "node",
        "link.key",
        &format!("{}\n", hex::encode(founding.link_key.as_slice())),
    )?;
    write_in(
        dir,
        "node",
        "share.key",
        &format!("{}\n", hex::encode(founding.share.as_slice())),
    )?;
    let config = format!(
        "# A member's node. Paths are relative to this file.\n\
         listen = \"127.0.0.1:{port}\"\n\
         public_url = \"{url}\"\n\
         trusted_proxies = []\n\
         data_dir = \"data\"\n\
         charter = \"../charter.json\"\n\
         link_key = \"link.key\"\n\
         share = \"share.key\"\n\
         p2p_listen = \"127.0.0.1:{peers}\"\n",
        port = ports.node(),
        url = url(ports.node()),
        peers = ports.peers(),
    );
    write_in(dir, "node", "node.toml", &config)
}

fn write_service(dir: &Path, role: &str, port: u16, ports: Ports, identity: &ServiceIdentity) -> Outcome<()> {
    write_service_in(dir, role, role, port, ports, identity)
}

fn write_service_in(
    dir: &Path,
    directory: &str,
    role: &str,
    port: u16,
    ports: Ports,
    identity: &ServiceIdentity,
) -> Outcome<()> {
    make_directory(&dir.join(directory).join("data"))?;
    identity.save(&dir.join(directory).join(format!("{role}.key")))?;
    let config = format!(
        "# Paths are relative to this file.\n\
         listen = \"127.0.0.1:{port}\"\n\
         public_url = \"{url}\"\n\
         trusted_proxies = []\n\
         data_dir = \"data\"\n\
         charter = \"../charter.json\"\n\
         node_url = \"{node}\"\n\
         # or postgres://user:password@host/name\n\
         database = \"sqlite:data/{role}.db\"\n\
         identity = \"{role}.key\"\n",
        url = url(port),
        node = url(ports.node()),
    );
    write_in(dir, directory, &format!("{role}.toml"), &config)
}

/// The licence office: a service like the others, and what it issues out of which data.
fn write_issuer(dir: &Path, people: u64, ports: Ports, identity: &ServiceIdentity) -> Outcome<()> {
    write_service(dir, "issuer", ports.issuer(), ports, identity)?;
    let config = dir.join("issuer/issuer.toml");
    let common = fs::read_to_string(&config).map_err(|error| Failure::file(&config, &error))?;
    write(&config, &format!("{common}{LICENCE_CONFIG}"))?;
    for (name, text) in licence_files(people) {
        write_in(dir, "issuer", name, &text)?;
    }
    Ok(())
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn write_in(dir: &Path, directory: &str, name: &str, content: &str) -> Outcome<()> {
    let directory = dir.join(directory);
    make_directory(&directory)?;
    write(&directory.join(name), content)
}

fn write(path: &Path, content: &str) -> Outcome<()> {
    write_private(path, content.as_bytes()).map_err(|error| Failure::file(path, &error))
}

fn make_directory(path: &Path) -> Outcome<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| Failure::file(path, &error))
}
