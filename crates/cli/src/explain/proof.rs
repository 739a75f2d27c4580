//! What is wrong with a proof.

use super::{Entry, entry};

/// What is wrong with a proof.
pub const CODES: &[Entry] = &[
    entry(
        "finality_chain",
        "The headers do not lead from one to the next.",
        "ask another node",
    ),
    entry(
        "finality_charter",
        "The header is of another network than the one pinned.",
        "use the charter of the network that is meant",
    ),
    entry(
        "finality_digest",
        "The certificate is for another header.",
        "ask another node",
    ),
    entry(
        "finality_header_count",
        "The proof has no header, or too many.",
        "ask another node",
    ),
    entry(
        "finality_malformed",
        "The certificate cannot be read.",
        "ask another node",
    ),
    entry(
        "finality_network_key",
        "The pinned network key is not a key.",
        "check the charter, or --network-key",
    ),
    entry(
        "finality_signature",
        "The network did not sign this header.",
        "ask another node; do not trust this answer",
    ),
    entry(
        "invalid_certificate",
        "The header is not final on the pinned network.",
        "check the charter; ask another node",
    ),
    entry(
        "invalid_state_proof",
        "The proof does not lead to the header's state.",
        "ask another node; do not trust this answer",
    ),
    entry(
        "malformed_answer",
        "The node's answer cannot be read.",
        "ask another node",
    ),
    entry(
        "not_proven",
        "The answer says nothing about what was asked.",
        "ask another node",
    ),
    entry(
        "stale_state",
        "The newest proof is too old.",
        "check this machine's clock; if it is right, the node is behind: ask another one",
    ),
    entry(
        "state_below_seen",
        "The proof is older than one seen before.",
        "try again, or ask another node: this one is behind",
    ),
    entry(
        "state_from_future",
        "The proof is from the future.",
        "set this machine's clock",
    ),
    entry(
        "state_proof_malformed",
        "The state proof cannot be read.",
        "ask another node",
    ),
    entry(
        "state_proof_not_covered",
        "The state proof does not cover the key.",
        "ask another node",
    ),
    entry(
        "state_proof_prefix",
        "The state proof does not cover the whole prefix.",
        "ask another node",
    ),
    entry(
        "state_proof_root",
        "The state proof leads to another state.",
        "ask another node; do not trust this answer",
    ),
    entry(
        "state_proof_entries",
        "The entries of the state proof are not those of the prefix.",
        "ask another node; do not trust this answer",
    ),
    entry(
        "proof_certificate_invalid",
        "The header in the file is not final under the pinned key.",
        "check --charter or --network-key; do not trust this file",
    ),
    entry(
        "proof_did_invalid",
        "The DID in the file is not one.",
        "get the file again",
    ),
    entry(
        "proof_document_data_mismatch",
        "The document data is not what is proven.",
        "do not trust this file",
    ),
    entry(
        "proof_document_mismatch",
        "The document is not the one derived from proven data.",
        "do not trust this file",
    ),
    entry(
        "proof_entry_invalid",
        "The proven value is not the entry of a DID.",
        "do not trust this file",
    ),
    entry(
        "proof_field_malformed",
        "A field of the file cannot be read.",
        "get the file again",
    ),
    entry(
        "proof_format_unknown",
        "The file has a format this program does not read.",
        "update this program",
    ),
    entry(
        "proof_not_canonical",
        "The file is not the canonical text of what it says.",
        "get the file again; it must not be reformatted",
    ),
    entry(
        "proof_not_json",
        "The file is not a proof file.",
        "name a file that `realdid resolve --save-proof` wrote",
    ),
    entry(
        "proof_operation_invalid",
        "An operation in the file does not hold.",
        "do not trust this file",
    ),
    entry(
        "proof_operations_unlinked",
        "The operations do not lead to the DID's last one.",
        "do not trust this file",
    ),
    entry(
        "proof_state_invalid",
        "The state proof does not lead to the header.",
        "do not trust this file",
    ),
    entry(
        "proof_too_large",
        "The file is too large to be a proof.",
        "name a proof file",
    ),
    entry(
        "network_key_missing",
        "No network is named that is believed.",
        "give --charter FILE or --network-key HEX",
    ),
    entry(
        "network_key_invalid",
        "The network key is not 192 hexadecimal digits.",
        "copy it from the charter's `network_key`",
    ),
];
