//! Why a login does not come about.

use super::{Entry, entry};

/// Why a login does not come about.
pub const CODES: &[Entry] = &[
    entry(
        "answer_too_long",
        "The answer is too long to be sent.",
        "report it: the wallet is defective",
    ),
    entry(
        "assurance_too_low",
        "The website asks for a higher level than the token has.",
        "be proofed at that level",
    ),
    entry(
        "authority_not_accredited",
        "The authority is not accredited, or no longer.",
        "be proofed by an accredited authority",
    ),
    entry(
        "consent_refused",
        "You did not agree.",
        "nothing was sent; use --yes in scripts",
    ),
    entry(
        "cross_device_refused",
        "The website takes logins on the same device only.",
        "open the link on the device that shows it",
    ),
    entry(
        "did_deactivated",
        "The DID has ended, for good.",
        "register at the website anew: realdid wallet login … --did NEW_DID",
    ),
    entry(
        "did_not_published",
        "The DID is not on the ledger and its inception was not shown.",
        "update the wallet",
    ),
    entry(
        "did_pinned_elsewhere",
        "Another website knows this DID.",
        "leave --did out, or name one nobody knows",
    ),
    entry(
        "did_recovering",
        "A recovery of the DID is under way.",
        "wait until it has taken effect",
    ),
    entry(
        "expires_at",
        "The login's time is over.",
        "start the login again from the website",
    ),
    entry(
        "grant",
        "The code is not valid.",
        "start the login again from the website",
    ),
    entry(
        "inconsistent_subject",
        "Issuer, DID and key of the presentation do not belong together.",
        "update the wallet",
    ),
    entry("invalid_did", "The DID is not one.", "copy it anew"),
    entry(
        "invalid_presentation",
        "The presentation is not valid.",
        "update the wallet",
    ),
    entry(
        "invalid_token",
        "The token is not valid for this DID, or the access token is not.",
        "realdid wallet did renew DID, or log in again",
    ),
    entry(
        "key_not_current",
        "The key was replaced, by rotation or recovery.",
        "use the wallet that replaced it; if that was not you: realdid wallet did recover DID",
    ),
    entry(
        "level_too_low",
        "The website asks for a higher level than your token has.",
        "be proofed at that level",
    ),
    entry(
        "link_invalid",
        "The link is not one that a wallet can follow.",
        "copy the whole openid4vp: link from the sign-in page",
    ),
    entry(
        "login_completed",
        "The login has ended.",
        "start the login again from the website",
    ),
    entry(
        "login_not_answered",
        "No wallet has answered yet.",
        "answer with the wallet first",
    ),
    entry(
        "login_unknown",
        "There is no such login, or its time is over.",
        "start the login again from the website",
    ),
    entry(
        "malformed_token",
        "The real-name token cannot be read.",
        "realdid wallet did renew DID",
    ),
    entry(
        "no_token",
        "The wallet has no real-name token for this DID.",
        "realdid wallet did renew DID",
    ),
    entry(
        "no_wallet_link",
        "The page shows no wallet link, or only to the browser that began.",
        "copy the openid4vp: link from the page in the browser",
    ),
    entry(
        "other_browser",
        "The login belongs to another browser.",
        "go on in the browser that began",
    ),
    entry(
        "pool_empty",
        "No fresh DID is left for a new website.",
        "realdid wallet did create --count 16",
    ),
    entry(
        "presentation_expired",
        "The presentation is not valid now.",
        "set this machine's clock, then start again",
    ),
    entry(
        "request_expired",
        "The request is not valid now.",
        "start the login again from the website; check this machine's clock",
    ),
    entry(
        "request_invalid",
        "The request is not one a wallet answers.",
        "start the login again; if it stays, tell the website",
    ),
    entry(
        "request_key_not_current",
        "The request is not signed by a current key of the website.",
        "do not go on: this may not be the website",
    ),
    entry(
        "request_other_client",
        "The request comes from another website than the link said.",
        "do not go on: this may be a trick",
    ),
    entry(
        "request_query_unsupported",
        "The website asks for something this wallet does not give.",
        "update the wallet, or tell the website",
    ),
    entry(
        "request_used",
        "The request was answered before.",
        "start the login again from the website",
    ),
    entry(
        "request_wallet_nonce",
        "The request does not repeat the wallet's nonce.",
        "start the login again",
    ),
    entry(
        "response_code_invalid",
        "The browser did not bring the code of this login.",
        "go on in the browser that began, with the wallet on the same device",
    ),
    entry(
        "response_uri_elsewhere",
        "The answer would go elsewhere than where the request came from.",
        "do not go on: this may be a trick",
    ),
    entry(
        "response_uri_invalid",
        "The address for the answer cannot be used.",
        "tell the website",
    ),
    entry(
        "redirect_refused",
        "The page leads on to an address that is not visited, or on and on.",
        "copy the openid4vp: link from the page in the browser",
    ),
    entry(
        "return_elsewhere",
        "The browser would be sent to neither the sign-in server nor the website.",
        "do not follow it; tell the website",
    ),
    entry(
        "site_not_sponsored",
        "The website is not on the ledger under its sign-in server's word.",
        "do not go on: nobody answers for this website",
    ),
    entry(
        "site_other_network",
        "The request names a DID of another network.",
        "use a wallet of that network",
    ),
    entry(
        "site_statement_invalid",
        "The statement of who the website is does not hold.",
        "do not go on; tell the website",
    ),
    entry(
        "site_statement_missing",
        "Nobody states who the website is.",
        "do not go on; tell the website",
    ),
    entry(
        "sponsor_inactive",
        "The sign-in server's DID is not in use.",
        "try later; tell the website",
    ),
    entry(
        "sponsor_not_accredited",
        "The sign-in server is not accredited, or no longer.",
        "do not go on: nobody answers for this website",
    ),
    entry(
        "token_key_revoked",
        "The key of the token is revoked.",
        "realdid wallet did renew DID",
    ),
    entry(
        "unexpected_credentials",
        "The presentation names credentials nobody asked for.",
        "update the wallet",
    ),
    entry(
        "unknown_token_key",
        "The ledger does not know the key of the token.",
        "realdid wallet did renew DID",
    ),
    entry(
        "used",
        "The code was used before.",
        "start the login again from the website",
    ),
    entry(
        "wrong_audience",
        "The presentation was made for another website.",
        "start the login again from the website",
    ),
    entry(
        "wrong_nonce",
        "The presentation was made for another request.",
        "start the login again from the website",
    ),
];
