//! Why a credential, or a presentation of one, is not accepted or not made.

use super::{Entry, entry};

/// Why a credential, or a presentation of one, is not accepted or not made.
pub const CODES: &[Entry] = &[
    entry(
        "credential_aka_vcts",
        "The credential's further types are not a list of other types.",
        "the credential does not keep SD-JWT VC; its issuer has to mend it",
    ),
    entry(
        "credential_algorithm",
        "The credential is signed by another algorithm than its issuer's key has.",
        "the key that was found for the issuer did not sign this: look at kid, x5c or the issuer's metadata",
    ),
    entry(
        "credential_already_bound",
        "The credential comes with a key binding, which is the holder's to make.",
        "issue the SD-JWT so that it ends with a tilde",
    ),
    entry(
        "credential_audience",
        "The credential is meant for other verifiers.",
        "show one that is meant for this verifier, or for everybody",
    ),
    entry(
        "credential_confirmation",
        "The credential names its holder's key in a way that is not understood.",
        "the credential does not keep SD-JWT VC; its issuer has to mend it",
    ),
    entry(
        "credential_digest_form",
        "The credential has digests that are not an array of strings.",
        "the credential does not keep RFC 9901; the one who made or altered it has to mend it",
    ),
    entry(
        "credential_digest_twice",
        "A digest occurs twice in the credential.",
        "the credential does not keep RFC 9901; the one who made or altered it has to mend it",
    ),
    entry(
        "credential_disclosable_claim",
        "A claim of the credential must not be selectively disclosable.",
        "the credential does not keep SD-JWT VC; its issuer has to mend it",
    ),
    entry(
        "credential_disclosure_twice",
        "The same disclosure is there twice.",
        "the credential does not keep RFC 9901; the one who made or altered it has to mend it",
    ),
    entry(
        "credential_element_disclosure",
        "The disclosure of an element is not an array of salt and value.",
        "the credential does not keep RFC 9901; the one who made or altered it has to mend it",
    ),
    entry(
        "credential_form",
        "The message is not an SD-JWT: its parts do not each end with a tilde.",
        "the credential does not keep RFC 9901; the one who made or altered it has to mend it",
    ),
    entry(
        "credential_hash_name",
        "The credential has the name of its hash function elsewhere than at the top.",
        "the credential does not keep RFC 9901; the one who made or altered it has to mend it",
    ),
    entry(
        "credential_issued_in_future",
        "The credential was issued in the future.",
        "check the clock, or wait",
    ),
    entry(
        "credential_issuer_mismatch",
        "The credential's issuer is not the one whose key it names.",
        "the credential does not keep SD-JWT VC; its issuer has to mend it",
    ),
    entry(
        "credential_issuer_part",
        "The part signed by the issuer is not a signed message in order.",
        "the issuer has to mend it",
    ),
    entry(
        "credential_member_disclosure",
        "The disclosure of a member is not an array of salt, name and value.",
        "the credential does not keep RFC 9901; the one who made or altered it has to mend it",
    ),
    entry(
        "credential_name_twice",
        "A disclosure has the name of a claim that stands there already.",
        "the credential does not keep RFC 9901; the one who made or altered it has to mend it",
    ),
    entry(
        "credential_not_yet_valid",
        "The credential is not valid yet.",
        "check the clock, or wait",
    ),
    entry(
        "credential_reserved_name",
        "A disclosure has a name that is reserved.",
        "rename the claim: _sd, _sd_alg and ... belong to the format",
    ),
    entry(
        "credential_signature",
        "The issuer's signature does not hold.",
        "the key that was found for the issuer did not sign this: look at kid, x5c or the issuer's metadata",
    ),
    entry(
        "credential_status_reference",
        "The credential's status is not given in a way that is understood.",
        "the credential does not keep SD-JWT VC; its issuer has to mend it",
    ),
    entry(
        "credential_three_dots",
        "The credential uses the name of three dots for something else than a digest.",
        "the credential does not keep RFC 9901; the one who made or altered it has to mend it",
    ),
    entry(
        "credential_time",
        "A claim of the credential is not a time.",
        "the credential does not keep SD-JWT VC; its issuer has to mend it",
    ),
    entry(
        "credential_too_deep",
        "The credential's claims are nested deeper than is read here.",
        "the limits are 256 KiB, 1,024 disclosures and 32 levels; ask the issuer for a smaller credential",
    ),
    entry(
        "credential_too_long",
        "The credential is longer than is read here.",
        "the limits are 256 KiB, 1,024 disclosures and 32 levels; ask the issuer for a smaller credential",
    ),
    entry(
        "credential_too_many_disclosures",
        "The credential has more disclosures than are read here.",
        "the limits are 256 KiB, 1,024 disclosures and 32 levels; ask the issuer for a smaller credential",
    ),
    entry(
        "credential_type",
        "The message is no credential: its type is another than dc+sd-jwt.",
        "only dc+sd-jwt is read; the older vc+sd-jwt has to be issued anew",
    ),
    entry(
        "credential_unknown_hash",
        "The credential names its disclosures by a hash function that is not understood.",
        "understood are sha-256, sha-384, sha-512 and sm3",
    ),
    entry(
        "credential_unreferenced_disclosure",
        "A disclosure belongs to no digest of the credential.",
        "the credential does not keep RFC 9901; the one who made or altered it has to mend it",
    ),
    entry(
        "credential_vct",
        "The credential does not name its type.",
        "the credential does not keep SD-JWT VC; its issuer has to mend it",
    ),
    entry(
        "credential_vct_integrity",
        "The credential's vct#integrity is not integrity metadata.",
        "the credential does not keep SD-JWT VC; its issuer has to mend it",
    ),
    entry(
        "holder_key_unusable",
        "The credential names no key of its holder that can be used here.",
        "cnf.jwk must be a public key: P-256, Ed25519, or SM2 between parties that know it",
    ),
    entry(
        "integrity_form",
        "The integrity metadata has no hash that is understood.",
        "write sha256- and the base64 of the document's SHA-256 hash",
    ),
    entry(
        "integrity_mismatch",
        "The document is not the one that was referred to.",
        "take nothing: the document was changed after its hash was signed; tell the issuer, who has to serve the one meant",
    ),
    entry(
        "issue_jws",
        "The credential cannot be signed: it is too long.",
        "issue fewer or smaller claims, or fewer decoys",
    ),
    entry(
        "issue_never_disclosable",
        "The claim at a claim decides about validity and must not be selectively disclosable.",
        "take the path out of the list of what is disclosable",
    ),
    entry(
        "issue_nothing_there",
        "No claim stands at a claim, which was to be made disclosable.",
        "correct the path, or leave it out for a subject without this claim",
    ),
    entry(
        "issue_reserved_claim",
        "A claim is set by the issuer's configuration, not by a subject's data.",
        "take this claim out of the subject's data",
    ),
    entry(
        "issue_reserved_name",
        "A claim has a name that belongs to the format.",
        "rename the claim: _sd, _sd_alg and ... belong to the format",
    ),
    entry(
        "issue_too_large",
        "The credential would be larger or deeper than is read.",
        "issue fewer or smaller claims, or fewer decoys",
    ),
    entry(
        "issuer_metadata_form",
        "The issuer's metadata do not have the prescribed form.",
        "publish {\"issuer\": …, \"jwks\": {\"keys\": […]}} as JSON",
    ),
    entry(
        "issuer_metadata_issuer",
        "The issuer is no web address that can have metadata.",
        "iss must be https://host[:port][/path], without query or fragment",
    ),
    entry(
        "issuer_metadata_keys",
        "The issuer's metadata do not have exactly one of jwks and jwks_uri.",
        "publish {\"issuer\": …, \"jwks\": {\"keys\": […]}} as JSON",
    ),
    entry(
        "issuer_metadata_no_key",
        "The issuer's keys have not exactly one that fits the credential.",
        "give each key a kid of its own, and name it in the credential's header",
    ),
    entry(
        "issuer_metadata_other_issuer",
        "The issuer's metadata are about another issuer.",
        "the member issuer must be the credential's iss, to the letter",
    ),
    entry(
        "key_binding_algorithm",
        "The presentation is signed by another algorithm than the holder's key has.",
        "present the credential again",
    ),
    entry(
        "key_binding_audience",
        "The presentation is meant for somebody else.",
        "present the credential again, in answer to the current request",
    ),
    entry(
        "key_binding_early",
        "The presentation was made in the future.",
        "check the clocks, then present the credential again",
    ),
    entry(
        "key_binding_form",
        "The key binding's claims do not have the prescribed form.",
        "a key binding is a JWT of type kb+jwt with iat, aud, nonce and sd_hash, signed by cnf's key",
    ),
    entry(
        "key_binding_message",
        "The key binding is not a signed message in order.",
        "present the credential again",
    ),
    entry(
        "key_binding_missing",
        "The presentation is not bound to the holder's key.",
        "present it again with a key binding JWT after the last tilde",
    ),
    entry(
        "key_binding_nonce",
        "The presentation belongs to another request.",
        "present the credential again, in answer to the current request",
    ),
    entry(
        "key_binding_other_disclosures",
        "The key binding is for another credential or for other disclosures.",
        "present the credential again, in answer to the current request",
    ),
    entry(
        "key_binding_signature",
        "The signature of the holder's key does not hold.",
        "a key binding is a JWT of type kb+jwt with iat, aud, nonce and sd_hash, signed by cnf's key",
    ),
    entry(
        "key_binding_stale",
        "The presentation was made too long ago.",
        "check the clocks, then present the credential again",
    ),
    entry(
        "key_binding_times",
        "The key binding is not valid now by its own times.",
        "check the clocks, then present the credential again",
    ),
    entry(
        "key_binding_type",
        "The key binding is a message of another type.",
        "a key binding is a JWT of type kb+jwt with iat, aud, nonce and sd_hash, signed by cnf's key",
    ),
    entry(
        "type_metadata_circle",
        "The type extends itself.",
        "the publisher of the type's metadata has to mend them",
    ),
    entry(
        "type_metadata_form",
        "The type's metadata do not have the prescribed form.",
        "the publisher of the type's metadata has to mend them",
    ),
    entry(
        "type_metadata_incomplete",
        "The metadata of a type that this one extends are missing.",
        "fetch the document that is wanted next, then add it",
    ),
    entry(
        "type_metadata_mandatory_changed",
        "The type makes a claim optional, which is mandatory.",
        "the publisher of the type's metadata has to mend them",
    ),
    entry(
        "type_metadata_other_type",
        "The type's metadata are about another type.",
        "the publisher of the type's metadata has to mend them",
    ),
    entry(
        "type_metadata_sd_changed",
        "The type changes whether a claim is selectively disclosable.",
        "the publisher of the type's metadata has to mend them",
    ),
    entry(
        "type_metadata_svg_id",
        "A claim's svg_id is malformed or occurs twice in the type's metadata.",
        "the publisher of the type's metadata has to mend them",
    ),
    entry(
        "type_metadata_too_deep",
        "The type extends too many others.",
        "the publisher of the type's metadata has to mend them",
    ),
    entry(
        "type_rule_disclosure",
        "A claim of the credential is not selectively disclosable as its type prescribes.",
        "the issuer has to issue the credential by its type's metadata, or mend those",
    ),
    entry(
        "type_rule_missing",
        "The credential lacks a claim, which is mandatory.",
        "the issuer has to issue the credential by its type's metadata, or mend those",
    ),
    entry(
        "type_rule_path",
        "The credential has no place a claim as its type describes it.",
        "the issuer has to issue the credential by its type's metadata, or mend those",
    ),
];
