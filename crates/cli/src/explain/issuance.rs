//! Why a credential is not issued, kept or checked.

use super::{Entry, entry};

/// Why a credential is not issued, kept or checked.
pub const CODES: &[Entry] = &[
    entry(
        "access_expired",
        "The issuer no longer accepts the access token.",
        "ask the issuer for a new offer",
    ),
    entry(
        "answer_not_encrypted",
        "The issuer answered in the clear though encryption was asked for.",
        "take nothing from it; tell the issuer",
    ),
    entry(
        "authorization_denied",
        "The issuer's website did not give its permission.",
        "take the offer again and agree on the website",
    ),
    entry(
        "authorization_other_request",
        "The browser came back with an answer to another request.",
        "take the offer again, and use the address it shows in one browser only",
    ),
    entry(
        "authorization_other_server",
        "The browser came back from another server than it was sent to.",
        "do not go on; somebody may be mixing up servers",
    ),
    entry(
        "authorization_without_code",
        "The browser came back without a code.",
        "take the offer again",
    ),
    entry(
        "browser_not_back",
        "The browser did not come back in time.",
        "take the offer again; on another machine, use --redirect-uri and paste the address",
    ),
    entry(
        "browser_other_address",
        "The address is not one the browser can have come back with.",
        "copy the whole address that the browser shows after the issuer's page",
    ),
    entry(
        "credential_copies",
        "The issuer gave none, or more copies than a wallet takes.",
        "ask for fewer: --copies",
    ),
    entry(
        "credential_denied",
        "The issuer does not give you this credential.",
        "ask the issuer why; trying again will not help",
    ),
    entry(
        "credential_expired",
        "No copy of the credential is valid now.",
        "fetch fresh ones: realdid wallet credential refresh",
    ),
    entry(
        "credential_format_unsupported",
        "The credential is of a format that this wallet cannot hold.",
        "ask the issuer for it as SD-JWT VC (dc+sd-jwt)",
    ),
    entry(
        "credential_not_described",
        "The offer names a credential that its issuer does not describe.",
        "ask the issuer for a new offer",
    ),
    entry(
        "credential_not_held",
        "The wallet holds no credential of that number.",
        "see the numbers: realdid wallet credential list",
    ),
    entry(
        "credential_unknown_to_issuer",
        "The issuer does not know the credential it offered.",
        "ask the issuer for a new offer",
    ),
    entry(
        "dpop_refused",
        "The issuer refused the wallet's proof of its key.",
        "set the clock of this machine, then ask the issuer for a new offer",
    ),
    entry(
        "encryption_refused",
        "The issuer refused how the wallet wants its answer encrypted.",
        "tell the issuer: its metadata and its endpoint do not agree",
    ),
    entry(
        "encryption_unsupported",
        "The issuer requires encryption in a way that this wallet does not support.",
        "tell the issuer: ECDH-ES on P-256 with A128GCM, A256GCM or A128CBC-HS256 will do",
    ),
    entry(
        "grant_unsupported",
        "The issuer gives this credential in no way that this wallet knows.",
        "ask the issuer for an offer with a code (pre-authorized)",
    ),
    entry(
        "holder_key_shared",
        "Two copies would have the same holder key.",
        "report it: the wallet is defective",
    ),
    entry(
        "holder_proof_refused",
        "The issuer refused the proof of the holder's key.",
        "set the clock of this machine, then ask the issuer for a new offer",
    ),
    entry(
        "issuance_out_of_turn",
        "The stored issuance cannot go on from where it is.",
        "take the offer again",
    ),
    entry(
        "issued_by_several",
        "The copies that came are signed by different issuers.",
        "nothing was stored; tell the issuer",
    ),
    entry(
        "issued_expired",
        "What was issued has expired already.",
        "set the clock of this machine; else tell the issuer",
    ),
    entry(
        "issued_invalid",
        "What was issued is not a credential in order.",
        "nothing was stored; tell the issuer",
    ),
    entry(
        "issued_other_type",
        "What was issued is of another type than was offered.",
        "nothing was stored; tell the issuer",
    ),
    entry(
        "issued_to_one_key_twice",
        "Two copies are bound to the same key, which would link them.",
        "nothing was stored; tell the issuer",
    ),
    entry(
        "issued_to_other_key",
        "What was issued is not bound to a key of this wallet.",
        "nothing was stored; tell the issuer",
    ),
    entry(
        "issued_with_several_descriptions",
        "The copies are signed with different descriptions of their type, by which they could be told apart.",
        "take nothing from the issuer; tell it",
    ),
    entry(
        "issued_without_issuer",
        "The credential does not say whose key signed it.",
        "nothing was stored; the issuer has to give iss, x5c or a DID as kid",
    ),
    entry(
        "issuer_address_refused",
        "The issuer names an address that may not be contacted.",
        "issuers must use https; plain http works on this machine in a sandbox only",
    ),
    entry(
        "issuer_answer_invalid",
        "The issuer's answer is not of the form that OpenID4VCI 1.0 gives.",
        "tell the issuer; older drafts of the protocol are not spoken here",
    ),
    entry(
        "issuer_certificate",
        "The issuer's certificate cannot be used.",
        "nothing was stored; tell the issuer",
    ),
    entry(
        "issuer_did_inactive",
        "The issuer's DID is not on the ledger, or not in use.",
        "nothing was stored; tell the issuer",
    ),
    entry(
        "issuer_did_method",
        "The issuer goes by a kind of DID that this wallet does not resolve.",
        "ask it to sign with a certificate (x5c), did:real, did:jwk or did:key",
    ),
    entry(
        "issuer_endpoint_missing",
        "The issuer's metadata lacks an address that is needed.",
        "tell the issuer",
    ),
    entry(
        "issuer_key_not_current",
        "The key that signed is not one the issuer's DID may sign credentials with.",
        "nothing was stored; tell the issuer",
    ),
    entry(
        "issuer_key_not_published",
        "The issuer does not publish the key that signed.",
        "nothing was stored; tell the issuer",
    ),
    entry(
        "issuer_metadata_invalid",
        "What is said about the issuer at its address is malformed, or about somebody else.",
        "check the offer; tell the issuer",
    ),
    entry(
        "issuer_other_network",
        "The issuer's DID is of another network.",
        "use a wallet of that network",
    ),
    entry(
        "issuer_other_transaction",
        "The issuer answered for another transaction.",
        "try again later; tell the issuer",
    ),
    entry(
        "issuer_refused",
        "The issuer refused, for a reason of its own.",
        "read what it says; ask it for a new offer",
    ),
    entry(
        "issuer_struck_off",
        "The network has struck off the issuer.",
        "nothing was stored; get the credential from an accredited issuer",
    ),
    entry(
        "issuer_suspended",
        "The network has suspended the issuer.",
        "nothing was stored; try again when it is reinstated",
    ),
    entry(
        "issuer_unavailable",
        "The issuer has a problem of its own.",
        "try again later: realdid wallet credential refresh goes on where it stopped",
    ),
    entry(
        "key_attestation_required",
        "The issuer wants its credential kept in certified hardware.",
        "use a wallet on certified hardware for this credential",
    ),
    entry(
        "browser_port",
        "This machine gives the wallet no port to wait for the browser.",
        "use --redirect-uri and paste the address the browser comes back with",
    ),
    entry(
        "no_offer",
        "There is no offer at this address.",
        "copy the openid-credential-offer: link itself",
    ),
    entry(
        "not_an_issuer",
        "The address does not describe itself as an issuer.",
        "check the offer; tell the issuer",
    ),
    entry(
        "offer_code_refused",
        "The offer or transaction code is wrong, used, or over.",
        "check the transaction code; attempts are few, so else ask for a new offer",
    ),
    entry(
        "offer_foreign_server",
        "The offer names an authorization server that its issuer does not know.",
        "do not go on; the offer may be forged",
    ),
    entry(
        "offer_gone",
        "The offer is no longer there.",
        "ask the issuer for a new one",
    ),
    entry(
        "offer_invalid",
        "This is not a credential offer.",
        "copy the whole openid-credential-offer: link",
    ),
    entry(
        "pkce_unsupported",
        "The issuer's server does not protect codes with S256.",
        "tell the issuer; nothing was sent",
    ),
    entry(
        "proof_type_unsupported",
        "The issuer wants a key or proof of a kind that this wallet has not.",
        "tell the issuer: jwt proofs with ES256 or EdDSA will do",
    ),
    entry(
        "refresh_impossible",
        "The issuer gave nothing to fetch fresh copies with.",
        "ask the issuer for a new offer: realdid wallet offer LINK",
    ),
    entry(
        "status_list_invalid",
        "The status list is malformed, over, or not the one named.",
        "try again later; tell the issuer",
    ),
    entry(
        "status_list_other_issuer",
        "The status list is signed by somebody else than the credential.",
        "do not rely on it; tell the issuer",
    ),
    entry(
        "token_for_other_credential",
        "The issuer's access token is not for what it offered.",
        "ask the issuer for a new offer",
    ),
    entry(
        "token_type_unsupported",
        "The issuer's access token is of a type that this wallet cannot use.",
        "tell the issuer: Bearer or DPoP will do",
    ),
    entry(
        "transaction_unknown",
        "The issuer no longer knows that it owes this credential.",
        "ask the issuer for a new offer",
    ),
    entry(
        "tx_code_form",
        "The transaction code is not of the form the issuer describes.",
        "check it for typing errors; no attempt was spent",
    ),
    entry(
        "tx_code_missing",
        "The issuer sent you a transaction code, which is needed.",
        "give it: --tx-code CODE",
    ),
    entry(
        "wallet_full",
        "The wallet holds as many credentials as it takes.",
        "remove one: realdid wallet credential remove NUMBER",
    ),
    entry(
        "wallet_unknown_to_issuer",
        "The issuer wants to know this wallet beforehand.",
        "register it there, and give its name: --client-id NAME",
    ),
];
