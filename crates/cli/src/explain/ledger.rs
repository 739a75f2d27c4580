//! What the ledger says about an operation.

use super::{Entry, entry};

/// What the ledger says about an operation.
pub const CODES: &[Entry] = &[
    entry(
        "already_applied",
        "The operation is the last one the DID had; nothing changed.",
        "nothing: it is done",
    ),
    entry(
        "anchor_exists",
        "Something of this name was anchored before.",
        "use another subject",
    ),
    entry(
        "block_bytes",
        "A block's operations take more bytes than a block may hold.",
        "report it: the node is defective",
    ),
    entry(
        "block_operation_length",
        "A block holds an operation of a length that is not allowed.",
        "report it: the node is defective",
    ),
    entry(
        "block_operations",
        "A block holds more operations than are allowed.",
        "report it: the node is defective",
    ),
    entry(
        "block_operations_root",
        "A block's operations are not the ones its header names.",
        "ask another node",
    ),
    entry(
        "commitment_mismatch",
        "The keys shown are not the ones the DID committed to.",
        "use the wallet that made the last change; if it is lost: realdid wallet did recover DID",
    ),
    entry("deactivated", "The DID has ended, for good.", "use another DID"),
    entry(
        "document_mismatch",
        "The document data is not what the ledger names.",
        "try again; a change may just have taken effect",
    ),
    entry(
        "epoch_advance",
        "An epoch is advanced in a sandbox only, from the current one.",
        "try again, in a sandbox",
    ),
    entry(
        "epoch_key_exists",
        "The authority has a key for this purpose, level and epoch already.",
        "nothing: one is all there may be",
    ),
    entry(
        "epoch_key_time",
        "An epoch key is published exactly one epoch ahead.",
        "wait for the epoch before",
    ),
    entry(
        "header_length",
        "A block header has the wrong length.",
        "ask another node",
    ),
    entry(
        "header_log_range",
        "A block header names an impossible range of the state's log.",
        "ask another node",
    ),
    entry(
        "header_version",
        "A block header speaks another version of the protocol.",
        "update this program",
    ),
    entry(
        "invalid_signature",
        "A signature is not valid for the key that should have made it.",
        "sign again with the right key; if the wallet made it, update the wallet",
    ),
    entry(
        "malformed_operation",
        "The bytes are not an operation in its one canonical encoding.",
        "update the program that made it",
    ),
    entry(
        "modulus_exists",
        "The RSA modulus is in use by another key.",
        "make a new key",
    ),
    entry(
        "not_accredited",
        "The DID is not accredited for this.",
        "ask the network's members for an accreditation",
    ),
    entry(
        "not_published",
        "The DID is not on the ledger.",
        "realdid wallet did publish DID",
    ),
    entry(
        "nothing_to_revoke",
        "What is to be revoked is not on the ledger, or is revoked.",
        "nothing: look it up first",
    ),
    entry(
        "nothing_to_veto",
        "No recovery of the DID is under way.",
        "nothing: there is nothing to cancel",
    ),
    entry(
        "operation_duplicate",
        "The node has this very operation waiting.",
        "wait for it to become final",
    ),
    entry(
        "operation_length",
        "The operation is empty or longer than 16 KiB.",
        "update the program that made it",
    ),
    entry(
        "operation_pending",
        "A recovery or deactivation under way stops this change.",
        "wait until it takes effect, or cancel a recovery: realdid wallet did veto DID",
    ),
    entry(
        "operation_too_long",
        "The operation is longer than 16 KiB.",
        "update the program that made it",
    ),
    entry(
        "other_inception",
        "The inception does not belong to the DID.",
        "update the program that made it",
    ),
    entry(
        "other_network",
        "It was made for a network with another charter.",
        "use the charter and the addresses of one network",
    ),
    entry(
        "pool_full",
        "The node has too many operations waiting.",
        "try again in some seconds",
    ),
    entry(
        "prefix_not_canonical",
        "A prefix has bits set behind its length.",
        "update the program that asked",
    ),
    entry(
        "prefix_too_wide",
        "Too many entries share the prefix.",
        "ask with a longer prefix",
    ),
    entry(
        "previous_mismatch",
        "Whether an operation comes before it does not fit its kind.",
        "update the program that made it",
    ),
    entry(
        "seat_taken",
        "The charter's seat is taken by another DID.",
        "nothing: a seat is taken once",
    ),
    entry(
        "seat_unknown",
        "The charter keeps no such seat for this key.",
        "check that the service's key file belongs to this charter",
    ),
    entry(
        "sequence_mismatch",
        "The governance operation's number is not the next one.",
        "look up the next number and collect signatures anew",
    ),
    entry(
        "signer_not_allowed",
        "The key may not sign this operation.",
        "sign with an authentication key of the DID",
    ),
    entry(
        "signer_state",
        "The signer's DID is not on the ledger or not active, or its document is not the current one.",
        "see that the signer's service has run once, so that its DID is on the ledger; then try again",
    ),
    entry(
        "stale_previous",
        "The DID has had another operation since.",
        "try again: the wallet then sees the change",
    ),
    entry(
        "state_not_loaded",
        "The node did not load what the rules look at.",
        "report it: the node is defective",
    ),
    entry(
        "threshold_not_met",
        "Fewer members signed than the charter asks for.",
        "collect more signatures",
    ),
    entry(
        "token_expired",
        "The real-name token is of an epoch before the previous one.",
        "realdid wallet did renew DID",
    ),
    entry(
        "token_invalid",
        "The token is not valid for this DID.",
        "realdid wallet did renew DID",
    ),
    entry(
        "token_not_newer",
        "The ledger holds a token as new as this one.",
        "nothing: renew it in the next epoch",
    ),
    entry(
        "token_revoked_key",
        "The key of the token, or its authority, was revoked.",
        "realdid wallet did renew DID, once the authority has a new key",
    ),
    entry(
        "token_unknown_key",
        "The key of the token is not on the ledger.",
        "realdid wallet did renew DID",
    ),
    entry(
        "too_many_keys",
        "More keys were asked about at once than a node answers.",
        "ask about fewer",
    ),
    entry(
        "veto_used",
        "A recovery was cancelled before; this one cannot be.",
        "deactivate the DID if it is not yours any more",
    ),
    entry(
        "not_ready",
        "The node has no fresh block: it has just started, or does not reach enough other validators.",
        "try again in some seconds, or ask another node",
    ),
    entry(
        "engine_config",
        "The node's keys or addresses do not fit the charter.",
        "check node.toml and the key files",
    ),
    entry(
        "engine_stopped",
        "The node's consensus engine has stopped.",
        "restart the node; if it stops again, the log line `task panicked` says why, and docs/operate.md what to do",
    ),
    entry(
        "disk_full",
        "No space is left where the node keeps its data; it has stopped, and nothing final is lost.",
        "make space on that disk, then start the node again",
    ),
    entry(
        "engine_storage",
        "The node's storage cannot be used.",
        "check disk and permissions; its log says more",
    ),
    entry(
        "engine_thread",
        "The node cannot start the engine's thread.",
        "check the machine's limits",
    ),
];
