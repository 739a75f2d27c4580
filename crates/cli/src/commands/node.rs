//! A member's node.

use realdid_crypto::Hash;
use realdid_node::founding::link_public_key;
use realdid_node::{NodeConfig, NodeError};
use realdid_service::config::{Loaded, load};
use realdid_service::{Shutdown, telemetry};
use serde_json::json;
use zeroize::Zeroizing;

use super::network::{PACE_OF_SEVERAL, make_directory, write};
use crate::args::{NodeCommand, NodeInit, RunOptions};
use crate::block_on;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::wallet::read_charter;

/// Runs a node until it is told to stop, or makes one's files.
pub fn run(command: NodeCommand, output: Output) -> Outcome<()> {
    match command {
        NodeCommand::Init(options) => init(&options, output),
        NodeCommand::Run(options) => run_until_told(&options),
    }
}

fn run_until_told(options: &RunOptions) -> Outcome<()> {
    let loaded: Result<Loaded<NodeConfig>, _> = load(&options.config);
    let loaded = loaded.map_err(|error| Failure::local(error.code(), error.to_string()))?;
    telemetry::init();
    block_on(async {
        let exit_with_parent = options.exit_with_parent || loaded.config.exit_with_parent;
        let shutdown = Shutdown::on_signals(exit_with_parent).map_err(NodeError::Socket)?;
        realdid_node::start(&loaded, shutdown).await?.ended().await
    })?
    .map_err(|error: NodeError| Failure::local(error.code(), error.to_string()))
}

/// Makes the directory of a node that has no share: its configuration, its link key, the charter.
fn init(options: &NodeInit, output: Output) -> Outcome<()> {
    let dir = &options.dir;
    if dir.exists() {
        let what = format!(
            "{} exists already; a node is never made over another",
            dir.display()
        );
        return Err(Failure::local("directory_exists", what));
    }
    let charter = read_charter(&options.charter)?;
    let seed = Zeroizing::new(rand::random::<[u8; 32]>());
    let link_key = Hash(link_public_key(&seed));
    make_directory(dir)?;
    let json = charter.to_json();
    let json = json.map_err(|error| Failure::local("charter_invalid", error.to_string()))?;
    write(&dir.join("charter.json"), &json)?;
    write(
        &dir.join("link.key"),
        &Zeroizing::new(hex::encode(seed.as_slice()) + "\n"),
    )?;
    let public_url = options.public_url.clone();
    let public_url = public_url.unwrap_or_else(|| format!("http://{}", options.listen));
    let config = format!(
        "# A node. Paths are relative to this file.\n\
         listen = \"{}\"\n\
         public_url = \"{public_url}\"\n\
         trusted_proxies = []\n\
         data_dir = \"data\"\n\
         charter = \"charter.json\"\n\
         link_key = \"link.key\"\n\
         p2p_listen = \"{}\"\n{PACE_OF_SEVERAL}",
        options.listen, options.p2p_listen,
    );
    let file = dir.join("node.toml");
    write(&file, &config)?;
    output.result(
        format!(
            "link key {link_key}\nnext, the consortium: realdid governance committee validator {link_key} --name \
             NAME --address HOST:PORT\nthen: realdid node run --config {}",
            file.display()
        ),
        &json!({ "dir": dir, "config": file, "link_key": link_key, "charter_hash": charter.hash() }),
    );
    Ok(())
}
