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
        "certificate_invalid",
        "The certificate or its key cannot be used.",
        "give a chain in PEM, leaf first, and the leaf's P-256 key",
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
        "credentials_invalid",
        "The file has no client identifier and secret.",
        "give the file that `realdid signin client add --json` printed",
    ),
    entry(
        "credentials_missing",
        "The website did not say who it is.",
        "send client_id and client_secret as HTTP Basic credentials",
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
        "idempotency_key_invalid",
        "The Idempotency-Key is empty, too long or has other than visible characters.",
        "use 1 to 128 visible characters",
    ),
    entry(
        "idempotency_key_reused",
        "The Idempotency-Key was used for another request.",
        "take a new key for a new request",
    ),
    entry(
        "invalid_client",
        "The website's credentials are wrong, or it is not registered here.",
        "register it: realdid signin client add",
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
        "json_invalid",
        "The file is no JSON.",
        "mend it, or see docs/integrate.md for one that works",
    ),
    entry(
        "lifetime_invalid",
        "A wallet has 60 to 900 seconds for its answer.",
        "ask for a lifetime within that, or for none",
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
        "presentation_unknown",
        "The request does not exist, is not this website's, or has been erased.",
        "ask again: nothing is kept for long",
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
        "redirect_uri_invalid",
        "The address is not one that the website registered, to the letter.",
        "realdid signin client add --redirect-uri ADDRESS",
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
        "template_invalid",
        "The template is no NAME=FILE with a DCQL query.",
        "see OpenID4VP 1.0 §6",
    ),
    entry(
        "template_unknown",
        "The website has no template of this name.",
        "realdid signin client add --template NAME=FILE, or ask by --dcql",
    ),
    entry(
        "too_many_presentations",
        "The answer holds more than 16 presentations.",
        "show what the request asks for, and nothing else",
    ),
    entry(
        "transaction_data_invalid",
        "What is to be authorised is malformed, too large, or refers to what is not asked for.",
        "name credential queries that ask for a proof of the holder's key",
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
    entry(
        "webhook_url_invalid",
        "The webhook is not https at a public address.",
        "give one that is; in a sandbox http on this machine will do",
    ),
];
