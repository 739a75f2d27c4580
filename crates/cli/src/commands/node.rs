//! A member's node.

use realdid_node::{NodeConfig, NodeError};
use realdid_service::config::{Loaded, load};
use realdid_service::{Shutdown, telemetry};

use crate::args::NodeCommand;
use crate::block_on;
use crate::failure::{Failure, Outcome};

/// Runs a node until it is told to stop.
pub fn run(command: NodeCommand) -> Outcome<()> {
    let NodeCommand::Run(options) = command;
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
