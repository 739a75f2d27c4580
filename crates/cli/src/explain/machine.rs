//! What is wrong on this machine, or on the way to another.

use super::{Entry, entry};

/// What is wrong on this machine, or on the way to another.
pub const CODES: &[Entry] = &[
    entry(
        "address_invalid",
        "The address cannot be used.",
        "give https://…; plain http is for loopback in a sandbox",
    ),
    entry(
        "address_unknown",
        "A validator's address cannot be found.",
        "check the charter and the name service",
    ),
    entry(
        "answer_malformed",
        "A service answered with something else than expected.",
        "check the address; update this program",
    ),
    entry(
        "already_published",
        "The DID is on the ledger already.",
        "nothing: it is done",
    ),
    entry(
        "cannot_listen",
        "The service cannot listen on its address.",
        "stop what listens there, or change `listen`",
    ),
    entry(
        "charter_invalid",
        "The charter cannot be used.",
        "get the charter again",
    ),
    entry(
        "web_wallet_missing",
        "This program was built without the web wallet.",
        "build it by `cargo xtask up`, or by `npm ci && npm run build` in web/wallet and then cargo",
    ),
    entry(
        "charter_unreadable",
        "The charter cannot be read.",
        "check `charter` in the configuration",
    ),
    entry(
        "client_options_invalid",
        "The website cannot be registered like this.",
        "correct the name or the redirect URIs",
    ),
    entry(
        "code_unknown",
        "Nobody gives this code.",
        "list the known ones: realdid explain",
    ),
    entry(
        "config_invalid",
        "The configuration is not valid.",
        "correct the line that is named",
    ),
    entry(
        "config_unreadable",
        "The configuration cannot be read.",
        "check --config",
    ),
    entry(
        "data_format",
        "The data directory was written by other software.",
        "update this program, or begin with an empty directory",
    ),
    entry(
        "data_in_use",
        "Another process uses the data directory.",
        "stop it first",
    ),
    entry(
        "database_unusable",
        "The database cannot be used.",
        "check `database`; the log says more",
    ),
    entry("dealing", "The network key cannot be dealt.", "report it"),
    entry(
        "did_invalid",
        "The text is not a DID of this method.",
        "copy the whole DID: did:real:…",
    ),
    entry(
        "did_not_found",
        "The DID is not on the ledger.",
        "give its long form, or publish it first",
    ),
    entry(
        "did_not_held",
        "This wallet does not hold the DID.",
        "list its DIDs: realdid wallet did list",
    ),
    entry(
        "did_other_network",
        "The DID is of another network.",
        "use a wallet of that network",
    ),
    entry("directory_exists", "The directory exists.", "name another one"),
    entry("encryption", "Encrypting failed.", "report it"),
    entry(
        "file_error",
        "A file cannot be read or written.",
        "check the path, the permissions and the disk",
    ),
    entry("file_exists", "The file exists.", "name another one"),
    entry("file_too_large", "The file is too large.", "name the right file"),
    entry(
        "file_unusable",
        "A file cannot be read or written.",
        "check the path, the permissions and the disk",
    ),
    entry(
        "http_client",
        "HTTP cannot be used.",
        "check the machine's certificates",
    ),
    entry(
        "index_failed",
        "The node's index fails.",
        "delete index.db in its data directory: it is rebuilt from blocks",
    ),
    entry(
        "input_missing",
        "Standard input ended before an answer.",
        "give the answer on standard input or as an option",
    ),
    entry(
        "internal_error",
        "A service has failed.",
        "try again; report the request id if it goes on",
    ),
    entry(
        "key_directory",
        "The directory of the websites' keys cannot be used.",
        "check its path and permissions",
    ),
    entry(
        "key_file_exposed",
        "Others may read a key file.",
        "chmod 600 FILE",
    ),
    entry(
        "key_file_malformed",
        "A key file does not hold a key.",
        "restore it from a backup",
    ),
    entry(
        "key_file_unreadable",
        "A key file cannot be read.",
        "check its path and permissions",
    ),
    entry(
        "keys_unknown",
        "The ledger names keys that this wallet cannot make.",
        "if somebody else changed them: realdid wallet did recover DID",
    ),
    entry(
        "listen_failed",
        "The service cannot listen on its address.",
        "stop what listens there, or change `listen`",
    ),
    entry(
        "network_name_invalid",
        "The name of the network is not valid.",
        "use 2 to 16 characters [a-z][a-z0-9-]*",
    ),
    entry(
        "node_address",
        "The node's address cannot be used.",
        "give https://…, or http:// on loopback",
    ),
    entry(
        "node_answer_malformed",
        "The node's answer cannot be read.",
        "check the address; ask another node",
    ),
    entry(
        "node_document_mismatch",
        "The node gave other document data than asked for.",
        "ask another node",
    ),
    entry(
        "node_unreachable",
        "The node cannot be reached.",
        "start it, or check its address; several may be named, separated by commas",
    ),
    entry(
        "not_finalized",
        "The operation was sent but is not final yet.",
        "run the same command again: it goes on where it was",
    ),
    entry(
        "operation_invalid",
        "The operation is not valid by itself.",
        "report it: the wallet is defective",
    ),
    entry(
        "passphrase_empty",
        "The passphrase is empty.",
        "choose one with at least some words",
    ),
    entry("passphrase_mismatch", "The two passphrases differ.", "try again"),
    entry(
        "passphrase_missing",
        "There is no passphrase for the wallet.",
        "set REALDID_WALLET_PASSPHRASE, or give --passphrase-file FILE",
    ),
    entry(
        "passphrase_wrong",
        "The file cannot be decrypted.",
        "try the passphrase again; else restore a backup",
    ),
    entry(
        "port_base_invalid",
        "The ports would leave the range.",
        "choose a --port-base between 1 and 65495",
    ),
    entry(
        "public_url_insecure",
        "The public address must be https.",
        "use https; plain http is for loopback in a sandbox",
    ),
    entry(
        "public_url_malformed",
        "The public address is not scheme, host and port.",
        "write it like https://example.org",
    ),
    entry(
        "runtime",
        "The program's runtime cannot start.",
        "check the machine's limits",
    ),
    entry(
        "service_unreachable",
        "A service cannot be reached.",
        "start it, or check its address",
    ),
    entry(
        "share_missing",
        "The share of the network key that the first start takes in is not there.",
        "put it there at a first start; if the data directory is lost, remove `share` from node.toml: a new one is dealt",
    ),
    entry(
        "signals",
        "Signals cannot be listened to.",
        "check how the program is started",
    ),
    entry(
        "signing_key_unusable",
        "The key that signs ID tokens cannot be used.",
        "check the file and its mode (0600)",
    ),
    entry(
        "terminal",
        "The terminal cannot be read.",
        "set REALDID_WALLET_PASSPHRASE, or give --passphrase-file FILE",
    ),
    entry(
        "wallet_directory",
        "There is no home directory for a wallet.",
        "give --wallet DIR",
    ),
    entry(
        "wallet_exists",
        "There is a wallet in the directory already.",
        "use it, or name another directory with --wallet",
    ),
    entry(
        "wallet_format_unknown",
        "The wallet was written by other software.",
        "update this program",
    ),
    entry(
        "wallet_in_use",
        "Another process uses this wallet.",
        "wait until it is done",
    ),
    entry(
        "wallet_missing",
        "There is no wallet in the directory.",
        "realdid wallet init --charter FILE, or name the directory with --wallet",
    ),
    entry(
        "wallet_other_charter",
        "The wallet's charter was altered.",
        "restore a backup",
    ),
    entry(
        "wallet_unreadable",
        "The wallet's content cannot be read.",
        "update this program, or restore a backup",
    ),
];
