//! Why a website cannot ask, or what was shown does not do.

use super::{Entry, entry};

/// Why a website cannot ask, or what was shown does not do.
pub const CODES: &[Entry] = &[
    entry(
        "address_refuses",
        "An address that somebody else set answers with an error or a redirect.",
        "whoever publishes there has to answer 200 without a redirect",
    ),
    entry(
        "address_unreachable",
        "An address that somebody else set does not answer.",
        "try again later; else tell whoever publishes there",
    ),
    entry(
        "claim_missing",
        "A claim that was asked for was not shown.",
        "show all that the request asks for, or nothing",
    ),
    entry(
        "claim_value_not_asked_for",
        "A claim has none of the values that were asked for.",
        "show a credential that has one of them",
    ),
    entry(
        "client_id_prefix_invalid",
        "The website is not registered with this way of naming itself to wallets.",
        "register it with a certificate: --client-id-prefix, --certificate, --certificate-key, --dns-name",
    ),
    entry(
        "credential_revoked",
        "The issuer has revoked the credential.",
        "ask the issuer why; it can issue another one",
    ),
    entry(
        "credential_suspended",
        "The credential is not in force for the time being.",
        "ask the issuer when it will be again",
    ),
    entry(
        "format_not_supported",
        "A query asks for a format that the verifier cannot read.",
        "ask for dc+sd-jwt, or for a login in realdid+jwt",
    ),
    entry(
        "holder_binding_missing",
        "A credential was shown without a proof of its holder's key.",
        "show it with a key binding",
    ),
    entry(
        "issuer_certificates_invalid",
        "The certificates in the credential cannot be used.",
        "the issuer has to mend them: P-256 or Ed25519, at most 6 certificates",
    ),
    entry(
        "issuer_document_mismatch",
        "The document at hand is not the issuer's current one.",
        "try again in a few seconds",
    ),
    entry(
        "issuer_inactive",
        "The issuer's DID is not active on the ledger.",
        "get the credential anew from an issuer that may issue it",
    ),
    entry(
        "issuer_not_accredited",
        "The issuer is not accredited on this network, or struck off, or suspended.",
        "take an accredited issuer; a website may trust others by --trusted-roots or --trusted-issuer",
    ),
    entry(
        "issuer_not_granted_type",
        "The issuer was not granted to issue credentials of this type.",
        "realdid governance grant DID issue TYPE",
    ),
    entry(
        "issuer_unknown",
        "Nothing in the credential leads to its issuer's key.",
        "the issuer has to name its key: a DID in kid, x5c, or an https iss with metadata",
    ),
    entry(
        "not_registered_to_ask",
        "The website asks for a type or claim that it is not registered for.",
        "register it with --may-ask 'TYPE' or --may-ask 'TYPE#claim,claim'",
    ),
    entry(
        "other_authority",
        "The credential's issuer is none of those that were asked for.",
        "show a credential of an issuer that the request names",
    ),
    entry(
        "other_format",
        "A credential of another format than asked for was shown.",
        "show one of the format that the request names",
    ),
    entry(
        "presentation_missing",
        "Not everything that was asked for was shown.",
        "show a credential for each query, or for one option of each set",
    ),
    entry(
        "profile_violated",
        "The request does not keep the high-assurance profile that the website is registered with.",
        "encrypt answers, use x509_hash, give a redirect_uri, and ask for holder binding",
    ),
    entry(
        "query_invalid",
        "This is no valid DCQL query.",
        "see OpenID4VP 1.0 §6",
    ),
    entry(
        "query_login_invalid",
        "The query asks for several logins, or for something a login does not have.",
        "ask for one login: format realdid+jwt, meta {\"purpose\": \"login\", \"level\": …}",
    ),
    entry(
        "query_too_large",
        "The query has more parts than are read.",
        "ask for at most 16 credentials and sets, and 64 claims and values",
    ),
    entry(
        "response_mode_invalid",
        "The response mode is not one that is supported.",
        "use direct_post or direct_post.jwt",
    ),
    entry(
        "status_unavailable",
        "The credential's status list is not to be had at the moment.",
        "try again in half a minute; else tell the issuer",
    ),
    entry(
        "status_unknown",
        "The status list is too old, or says nothing about this credential.",
        "try again later; the issuer has to publish its list",
    ),
    entry(
        "too_many_presentations",
        "The answer holds more than 16 presentations.",
        "show what the request asks for, and nothing else",
    ),
    entry(
        "transaction_not_authorised",
        "What was to be authorised with the presentation was not.",
        "start again from the website, and confirm what it asks",
    ),
    entry(
        "type_not_asked_for",
        "A credential of another type than asked for was shown.",
        "show one of the types that the request names",
    ),
    entry(
        "unasked_presentation",
        "The answer holds a presentation that was not asked for.",
        "show what the request asks for, and nothing else",
    ),
    entry(
        "wallet_client_id_prefix",
        "The wallet does not know the way in which the website names itself.",
        "register the website with a certificate: --client-id-prefix x509_hash; or take another wallet",
    ),
    entry(
        "wallet_encryption",
        "The wallet cannot encrypt its answer in a way that is read here.",
        "ask for direct_post, or take another wallet: ECDH-ES with A128GCM, A256GCM or A128CBC-HS256",
    ),
    entry(
        "wallet_formats",
        "The wallet holds none of the formats that are asked for, or not in algorithms that are read here.",
        "take a wallet that holds them",
    ),
    entry(
        "wallet_metadata_invalid",
        "What the wallet says of itself is not a JSON object (OpenID4VP 1.0 §10).",
        "tell whoever makes the wallet",
    ),
    entry(
        "wallet_request_algorithm",
        "The wallet does not read the algorithm that the website signs with.",
        "register the website with a certificate, which signs with ES256; or take another wallet",
    ),
];
