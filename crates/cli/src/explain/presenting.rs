//! Why credentials are not shown.

use super::{Entry, entry};

/// Why credentials are not shown.
pub const CODES: &[Entry] = &[
    entry(
        "address_not_public",
        "Who asks names an address within a private network, or on your own machine.",
        "do not go on; somebody may be trying to reach it through you",
    ),
    entry(
        "answer_encryption",
        "The answer cannot be encrypted to the key of who asks.",
        "tell who asks: the key must be a P-256 key for ECDH-ES with a kid",
    ),
    entry(
        "claim_insisted_on",
        "Who asks takes no answer without what you want to keep back.",
        "leave --without out, or show nothing",
    ),
    entry(
        "claim_not_asked",
        "Nothing of the name given with --without is asked for.",
        "use a name as the question shows it, such as birthdate or address.city",
    ),
    entry(
        "credential_copy_used",
        "The one-time copy was shown meanwhile.",
        "run the command again: another copy is taken",
    ),
    entry(
        "credential_does_not_fit",
        "The credential given with --credential does not answer the request.",
        "leave --credential out, or name another: realdid wallet credential list",
    ),
    entry(
        "credential_format_unknown",
        "The request asks for a format of credentials that this wallet does not hold.",
        "use a wallet that holds this format; here it is dc+sd-jwt",
    ),
    entry(
        "credential_missing",
        "The wallet holds no valid credential that answers the request.",
        "realdid wallet credential list; refresh one that is used up, or have one issued",
    ),
    entry(
        "no_login_asked",
        "The request does not ask for a login.",
        "realdid wallet present LINK",
    ),
    entry(
        "over_asking",
        "Who asks is not registered to ask for all of it.",
        "show nothing; or, if you know who it is, --despite-over-asking",
    ),
    entry(
        "presentation_not_agreed",
        "The presentation would hold other claims than you agreed to.",
        "report it: the wallet is defective",
    ),
    entry(
        "request_encryption",
        "Who asks wants an encrypted answer and gives no key or encryption that can be used.",
        "tell who asks: a P-256 key for ECDH-ES with a kid, and A128GCM, A256GCM or A128CBC-HS256",
    ),
    entry(
        "transaction_unsupported",
        "Who asks wants something authorised that this wallet cannot show whole.",
        "use a wallet that knows this type of transaction",
    ),
    entry(
        "verifier_cannot_read",
        "Your credential is made with algorithms that who asks does not read.",
        "ask its issuer for one with ES256",
    ),
    entry(
        "verifier_certificate",
        "The certificate of who asks does not hold.",
        "do not go on; tell who asks",
    ),
    entry(
        "verifier_certificate_expired",
        "The certificate of who asks has expired, or is not valid yet.",
        "check your clock; else tell who asks",
    ),
    entry(
        "verifier_did_method",
        "Who asks names itself by a DID that this wallet cannot look up.",
        "ask for a request by did:real, or by certificate",
    ),
    entry(
        "verifier_formats",
        "Who asks does not say that it reads what it asks for.",
        "tell who asks: vp_formats_supported must list each format",
    ),
    entry(
        "verifier_inactive",
        "The DID of who asks is not on the ledger, or not in use.",
        "do not go on",
    ),
    entry(
        "verifier_unproved",
        "The request is not signed: nothing proves who asks.",
        "ask for a signed request; or, if you know where the link comes from, --despite-no-proof",
    ),
    entry(
        "verifier_struck_off",
        "The network has suspended or struck off who asks.",
        "do not go on",
    ),
];
