//! What stands between a person and tokens.

use super::{Entry, entry};

/// What stands between a person and tokens.
pub const CODES: &[Entry] = &[
    entry(
        "account_replaced",
        "A later enrolment has replaced this device.",
        "enrol this device again if it should be the active one",
    ),
    entry(
        "authority_answer_invalid",
        "The authority's answer does not fit this network.",
        "check the authority's address",
    ),
    entry(
        "authority_not_running",
        "The authority does not answer.",
        "start it: realdid authority run --config …",
    ),
    entry(
        "batch_size",
        "Too many, or no, tokens were asked for at once.",
        "ask for 1 to 128",
    ),
    entry(
        "blind_signature_invalid",
        "The authority's signature is not valid.",
        "try again; do not use this authority if it stays",
    ),
    entry(
        "blinded_value_out_of_range",
        "A blinded value cannot be signed.",
        "update the wallet",
    ),
    entry(
        "code_command",
        "The command for the code failed.",
        "run it by hand to see why",
    ),
    entry("code_used", "The code was used before.", "enrol again"),
    entry("enrolment_expired", "The code came too late.", "enrol again"),
    entry(
        "enrolment_not_begun",
        "This wallet has not begun that enrolment.",
        "realdid wallet enrol --name … --number …",
    ),
    entry(
        "epoch_key_not_current",
        "The authority's key is not of the current epoch.",
        "try again in some seconds",
    ),
    entry(
        "epoch_key_not_on_ledger",
        "The authority offers another key than the one everybody gets.",
        "do not use this authority: such a key could mark you",
    ),
    entry(
        "epoch_key_revoked",
        "The authority's key is revoked.",
        "wait until it has another one",
    ),
    entry(
        "epoch_key_unusable",
        "The authority's key cannot be used.",
        "do not use this authority",
    ),
    entry(
        "invalid_account_key",
        "The account key is not one.",
        "update the wallet",
    ),
    entry(
        "invalid_account_signature",
        "The account's signature is not valid.",
        "enrol this device again",
    ),
    entry(
        "invalid_code",
        "The code is wrong, or nobody is registered like that.",
        "enter the code of the last message, or enrol again",
    ),
    entry(
        "invalid_request",
        "The request is not what the authority expects.",
        "correct the name or the number, or update the wallet",
    ),
    entry(
        "key_unavailable",
        "The authority has no key for this epoch yet.",
        "try again in some seconds",
    ),
    entry(
        "ledger_refused",
        "The ledger does not take what the authority sends.",
        "try again; the authority's log says more",
    ),
    entry(
        "no_token_request",
        "No request for tokens is under way.",
        "nothing: ask for tokens anew",
    ),
    entry(
        "not_enrolled",
        "This wallet is not enrolled.",
        "realdid wallet enrol --name … --number …",
    ),
    entry(
        "not_sandbox",
        "Only a sandbox does this.",
        "wait: epochs pass by themselves here",
    ),
    entry(
        "quota_exhausted",
        "All tokens of this period are used.",
        "wait for the next period: realdid wallet quota",
    ),
    entry(
        "rate_limited",
        "Too many requests from one address.",
        "wait a minute",
    ),
    entry(
        "register_empty",
        "The register has no people.",
        "realdid authority generate --people 1000 --config …",
    ),
    entry(
        "replayed_request",
        "The request was made before.",
        "try again: it is then signed anew",
    ),
    entry(
        "request_too_long",
        "The request for tokens is too long.",
        "ask for fewer at once",
    ),
    entry(
        "stale_request",
        "The request was signed too long ago, or in the future.",
        "set this machine's clock",
    ),
    entry(
        "token_batch_size",
        "Too many, or no, tokens were asked for at once.",
        "ask for 1 to 128",
    ),
    entry(
        "token_count_mismatch",
        "The authority signed more or fewer values than were asked.",
        "try again; do not use this authority if it stays",
    ),
    entry(
        "token_request_damaged",
        "The stored request for tokens is damaged.",
        "restore the wallet from a backup",
    ),
    entry(
        "token_request_unfinished",
        "An earlier request for tokens is not ended.",
        "try again: it is ended first",
    ),
    entry(
        "too_many_attempts",
        "Too many enrolments or wrong codes.",
        "wait, then enrol again",
    ),
    entry(
        "too_many_people",
        "More people than there are identity numbers.",
        "generate fewer",
    ),
    entry("unknown_enrolment", "There is no such enrolment.", "enrol again"),
    entry(
        "unknown_key",
        "The key is not the one of the current epoch.",
        "try again",
    ),
    entry(
        "wrong_claim",
        "The request was signed for another authority or network.",
        "check the authority's address",
    ),
    entry(
        "epoch_keys_unusable",
        "The files of the epoch keys cannot be used.",
        "check the authority's data directory and its permissions",
    ),
    entry(
        "secret_unusable",
        "The authority's secret cannot be used.",
        "check the file and its mode (0600)",
    ),
    entry(
        "smtp_settings",
        "There is no way to send codes.",
        "set [smtp] with `url` and `from` in authority.toml",
    ),
];
