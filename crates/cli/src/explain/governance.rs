//! What is said about decisions of the consortium, and about organisations.

use super::{Entry, entry};

/// What is said about decisions of the consortium, and about organisations.
pub const CODES: &[Entry] = &[
    entry(
        "already_accredited",
        "The DID has been accredited before; one that was struck off does not come back.",
        "realdid governance show DID; a suspended one is reinstated, a struck-off organisation makes a new DID",
    ),
    entry(
        "claim_not_applicable",
        "Claims limit a right to ask; a right to issue is for the whole type.",
        "leave --claim out",
    ),
    entry(
        "claim_path_invalid",
        "A claim is neither a name nor a path in JSON.",
        "write age_over_21 or '[\"address\",\"country\"]'",
    ),
    entry(
        "decision_not_proven",
        "The node says that the decision is final, but its proofs do not show it.",
        "realdid governance show DID, with another node",
    ),
    entry(
        "decision_not_shown",
        "Another decision was taken under the same number, or undid this one.",
        "realdid governance show DID; if it is still wanted, propose it again",
    ),
    entry(
        "did_not_active",
        "The DID to be accredited is not on the ledger, has ended, or is being recovered.",
        "realdid organisation publish, then accredit it",
    ),
    entry(
        "member_unknown",
        "The key belongs to no member in the charter.",
        "use the key file of a member, and the charter of its network",
    ),
    entry(
        "not_signed",
        "The proposal was shown and not agreed to.",
        "realdid governance sign PROPOSAL --yes, after having read it",
    ),
    entry(
        "nothing_to_reinstate",
        "The accreditation is not suspended, or is struck off.",
        "realdid governance show DID",
    ),
    entry(
        "nothing_to_suspend",
        "There is no accreditation in force.",
        "realdid governance show DID",
    ),
    entry(
        "organisation_name",
        "The name is empty, longer than 64 bytes, or has characters that are not seen.",
        "give a plain name of 1 to 64 bytes",
    ),
    entry(
        "proposal_altered",
        "The proposal's words are not those of the message that members sign.",
        "ask whoever made the proposal for the original file",
    ),
    entry(
        "proposal_malformed",
        "The file is not a proposal.",
        "make one with: realdid governance … --save FILE",
    ),
    entry(
        "right_exists",
        "The right is in force already.",
        "nothing: it is done; to change its claims, grant it with other ones",
    ),
    entry(
        "right_not_for_role",
        "Authorities and issuers issue; sign-in servers and verifiers ask.",
        "accredit another DID of the organisation for the other role",
    ),
    entry(
        "sponsorship_malformed",
        "The file is not a sponsor's word.",
        "realdid organisation sponsor DID --save FILE",
    ),
    entry(
        "sponsorship_missing",
        "Nobody is named who answers for the DID.",
        "give --sponsorship FILE, or --sponsor-key FILE",
    ),
    entry(
        "sponsorship_other_did",
        "The sponsor's word is for another DID.",
        "have this DID sponsored: realdid organisation sponsor DID",
    ),
    entry(
        "committee_order",
        "The committee names a validator twice, or not in rising order of the link keys.",
        "realdid governance committee set, which orders them",
    ),
    entry(
        "committee_too_large",
        "The committee has more validators than the charter allows.",
        "remove one in the same decision: realdid governance committee set --admit KEY --remove KEY",
    ),
    entry(
        "committee_too_small",
        "A committee has at least 4 validators, so that one may be lost; a sandbox's has at least one.",
        "admit another one in the same decision",
    ),
    entry(
        "epoch_too_soon",
        "Decisions about committees and addresses are at least 3 consensus epochs ahead of the block they are in.",
        "realdid governance committee show tells the earliest; leave --from out for one more than that",
    ),
    entry(
        "link_key_invalid",
        "The link key is not an Ed25519 public key.",
        "use the link key that realdid node init printed",
    ),
    entry(
        "validator_address",
        "The address is not host:port of at most 80 bytes, with an IP address or a DNS name and a port.",
        "write node.example:7301 or 192.0.2.1:7301",
    ),
    entry(
        "validator_in_committee",
        "The validator to be admitted is in the newest committee.",
        "realdid governance committee show",
    ),
    entry(
        "validator_index",
        "Another validator became known meanwhile, and took the number.",
        "propose it again",
    ),
    entry(
        "validator_moves",
        "The validator moves to another address within the next consensus epochs.",
        "decide again when it has: realdid governance committee show",
    ),
    entry(
        "validator_not_in_committee",
        "The validator to be removed is not in the newest committee.",
        "realdid governance committee show",
    ),
    entry(
        "validator_unknown",
        "The committee names a validator that the consortium does not know.",
        "realdid governance committee validator LINK_KEY --name NAME --address HOST:PORT, then admit it",
    ),
    entry(
        "founder_unknown",
        "The draft does not name this founder's governance key.",
        "give the public.json of this directory to whoever makes the draft",
    ),
    entry(
        "founding_charter",
        "The draft gives no charter: a number or name in it is out of range.",
        "realdid network found draft, with other options",
    ),
    entry(
        "founding_charter_unsigned",
        "A founder's signature under the charter is missing or does not hold.",
        "use a transcript that network found run wrote; if it says the same, begin the founding anew",
    ),
    entry(
        "founding_draft_unsigned",
        "A founder's signature under the draft is missing or does not hold.",
        "realdid network found sign, by the founder that is named",
    ),
    entry(
        "founding_failed",
        "The ceremony gave no key, or the dealers' logs do not lead to the key.",
        "begin anew: found keys into new directories, with everybody there from the first moment on",
    ),
    entry(
        "founding_file",
        "The file is not one of a founding, or of another version.",
        "use the files that the steps of realdid network found wrote",
    ),
    entry(
        "founding_other_charter",
        "The charter is not what the draft and the ceremony's outcome give.",
        "do not use this charter; get it from the founders, each of whom has it",
    ),
    entry(
        "founding_public_file",
        "A founder's public file is not signed by both of its keys, or its name or address is unusable.",
        "get the file again from the founder that is named",
    ),
    entry(
        "founding_same_key",
        "Two founders have a key in common, or one file was given twice.",
        "each founder makes keys of its own: realdid network found keys",
    ),
    entry(
        "founding_too_few",
        "Fewer than four cannot found a network that can lose one.",
        "find more founders, or rehearse with --sandbox",
    ),
    entry(
        "seat_invalid",
        "A seat is not ROLE:KEY:NAME.",
        "write authority:z6Mk...:Population Office",
    ),
];
