//! What stands between an organisation and the credentials it issues.

use super::{Entry, entry};

/// What stands between an organisation and the credentials it issues.
pub const CODES: &[Entry] = &[
    entry(
        "data_unusable",
        "The issuer's data cannot be read, or a record does not fit its type.",
        "look at the file or query of the configuration, and at the type's schema",
    ),
    entry(
        "issuing_misconfigured",
        "The credentials cannot be issued as configured.",
        "correct what is named in the configuration file",
    ),
    entry(
        "not_published",
        "Nothing is kept that the status list said at that time.",
        "ask for a later time, or for the list as it is now",
    ),
    entry(
        "operator_unknown",
        "The operators' secret is missing or wrong.",
        "use the secret file that the issuer's configuration names",
    ),
    entry(
        "right_missing",
        "The ledger gives the issuer no right to issue this type.",
        "have the consortium grant it: realdid governance grant …, or leave the type out",
    ),
    entry(
        "rights_unknown",
        "What the issuer may issue cannot be read from the ledger at the moment.",
        "start the node, then try again",
    ),
    entry(
        "unknown_credential",
        "The issuer's configuration has no such credential.",
        "name one of its [[credential]] ids",
    ),
    entry(
        "unknown_list",
        "The issuer has no such status list.",
        "take its address from the credential",
    ),
    entry(
        "unknown_offer",
        "There is no such offer, or it is over.",
        "ask for a new offer",
    ),
    entry(
        "unknown_record",
        "There is no such record, or nothing was issued for it that could be changed so.",
        "look at the name of the record, and at: realdid issuer list",
    ),
    entry(
        "unknown_request",
        "No such request waits for approval.",
        "see those that do: realdid issuer waiting",
    ),
    entry(
        "unknown_type",
        "The issuer has no such type.",
        "take its name from the issuer's metadata",
    ),
];
