//! Tells a full disk from other failures of the stores.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use crate::NodeError;

/// Bytes that have to fit for the disk not to count as full: more than any store writes at once.
const PROBE_BYTES: usize = 1 << 20;

/// The failure, or [`NodeError::DiskFull`] if a store failed and no space is left for it. The engine
/// ends its actors where a write fails, and the cause does not come out of them.
pub(crate) fn blame(error: NodeError, directory: &Path) -> NodeError {
    let stores = matches!(
        error,
        NodeError::EngineEnded
            | NodeError::Engine(_)
            | NodeError::Index(_)
            | NodeError::Schema(_)
            | NodeError::File(..)
    );
    if stores && is_full(directory) {
        NodeError::DiskFull(directory.to_owned())
    } else {
        error
    }
}

fn is_full(directory: &Path) -> bool {
    let probe = directory.join("probe");
    let written = File::create(&probe).and_then(|mut file| {
        file.write_all(&vec![0; PROBE_BYTES])?;
        file.sync_all()
    });
    // A probe that cannot be taken away is written over by the next one.
    let _ = fs::remove_file(&probe);
    let full = |kind| matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    written.is_err_and(|error| full(error.kind()))
}
