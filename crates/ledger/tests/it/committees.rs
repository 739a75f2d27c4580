//! Who validates from which consensus epoch on, as the consortium decides it.

use commonware_codec::Encode as _;
use commonware_cryptography::{Signer as _, ed25519::PrivateKey};
use realdid_crypto::Hash;
use realdid_ledger::{
    COMMITTEE_NOTICE, Committees, GovernanceAction, KnownValidator, MAX_ADDRESS, Record, Refusal, Schedule,
    Validator, consensus_epoch, state_key,
};

use crate::world::{Ledger, World, decision};

/// Blocks of a consensus epoch here.
const LENGTH: u64 = 28;

/// A link key.
fn link_key(seed: u64) -> Hash {
    let key = PrivateKey::from_seed(seed).public_key().encode();
    Hash(key.as_ref().try_into().unwrap())
}

fn sorted(seeds: impl IntoIterator<Item = u64>) -> Vec<Hash> {
    let mut keys: Vec<_> = seeds.into_iter().map(link_key).collect();
    keys.sort_unstable();
    keys
}

/// A network of four validators, 0 to 3, with room for seven.
fn world(sandbox: bool) -> World {
    World::of(|charter| {
        charter.sandbox = sandbox;
        charter.validators = (0..4)
            .map(|seed| Validator {
                name: format!("Member {seed}"),
                link_key: link_key(seed),
                address: format!("127.0.0.1:{}", 7301 + seed),
            })
            .collect();
        charter.committees = Committees {
            epoch_blocks: LENGTH,
            max_validators: 7,
        };
    })
}

/// Decides, under the number that is next.
fn decide(ledger: &mut Ledger<'_>, action: GovernanceAction) -> Result<(), Refusal> {
    let Some(Record::Parameters(parameters)) = ledger.record(&state_key::parameters()) else {
        panic!("numbers")
    };
    ledger.apply(&decision(ledger.world, parameters.governance_sequence, action))
}

/// Makes a validator known, or moves it, from an epoch on.
fn place(seed: u64, index: u16, from: u64, address: &str) -> GovernanceAction {
    GovernanceAction::SetValidator {
        link_key: link_key(seed),
        index,
        from,
        name: format!("Member {seed}"),
        address: address.to_owned(),
    }
}

fn newcomer(seed: u64, index: u16) -> GovernanceAction {
    place(seed, index, 100, &format!("node{seed}.example:7301"))
}

fn committee(from: u64, seeds: impl IntoIterator<Item = u64>) -> GovernanceAction {
    GovernanceAction::SetCommittee {
        from,
        members: sorted(seeds),
    }
}

fn schedule(ledger: &Ledger<'_>) -> Schedule {
    match ledger.record(&state_key::schedule()) {
        Some(Record::Schedule(schedule)) => schedule,
        other => panic!("{other:?} are no committees"),
    }
}

fn known(ledger: &Ledger<'_>, seed: u64) -> KnownValidator {
    match ledger.record(&state_key::validator(&link_key(seed))) {
        Some(Record::Validator(known)) => *known,
        other => panic!("{other:?} is no validator"),
    }
}

/// What somebody finds in the state who asks for an epoch's committee: link keys.
fn asked(ledger: &Ledger<'_>, epoch: u64) -> Vec<Hash> {
    let key = |index: &u16| match ledger.record(&state_key::validator_index(*index)) {
        Some(Record::ValidatorIndex(key)) => key,
        other => panic!("{other:?} is no validator's index"),
    };
    let mut keys: Vec<_> = schedule(ledger).members_in(epoch).iter().map(key).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn the_charters_validators_are_the_first_committee() {
    let world = world(false);
    let ledger = Ledger::genesis(&world);
    for epoch in [0, 1, 1_000] {
        assert_eq!(asked(&ledger, epoch), sorted(0..4));
    }
    assert_eq!(known(&ledger, 2).address_in(0), "127.0.0.1:7303");
    let heights = [0, LENGTH - 1, LENGTH, 10 * LENGTH];
    let epochs = heights.map(|height| consensus_epoch(&world.charter, height));
    assert_eq!(epochs, [0, 0, 1, 10]);
}

#[test]
fn a_fifth_comes_and_the_first_goes() {
    let world = world(false);
    let mut ledger = Ledger::genesis(&world);
    decide(&mut ledger, place(4, 4, 3, "node4.example:7301")).unwrap();
    decide(&mut ledger, committee(3, 0..5)).unwrap();
    assert_eq!(asked(&ledger, 2), sorted(0..4));
    assert_eq!(asked(&ledger, 3), sorted(0..5));
    ledger.height = LENGTH;
    decide(&mut ledger, committee(4, 1..5)).unwrap();
    let found: Vec<_> = (2..6).map(|epoch| asked(&ledger, epoch)).collect();
    assert_eq!(found, [sorted(0..4), sorted(0..5), sorted(1..5), sorted(1..5)]);
    // Until it is within the notice, another decision takes its place.
    decide(&mut ledger, committee(5, 0..4)).unwrap();
    assert_eq!(asked(&ledger, 4), sorted(0..5));
    assert_eq!(asked(&ledger, 5), sorted(0..4));
}

// test: LED-47
#[test]
fn a_decision_is_three_epochs_ahead() {
    let world = world(false);
    let mut ledger = Ledger::genesis(&world);
    decide(&mut ledger, newcomer(4, 4)).unwrap();
    for (height, current) in [(1, 0), (LENGTH - 1, 0), (LENGTH, 1), (7 * LENGTH - 1, 6)] {
        ledger.height = height;
        for from in [0, current, current + COMMITTEE_NOTICE - 1] {
            let too_soon = decide(&mut ledger.clone(), committee(from, 0..4));
            assert_eq!(too_soon, Err(Refusal::EpochTooSoon));
            let too_soon = decide(&mut ledger.clone(), place(4, 4, from, "127.0.0.1:1"));
            assert_eq!(too_soon, Err(Refusal::EpochTooSoon));
        }
        let from = current + COMMITTEE_NOTICE;
        decide(&mut ledger.clone(), committee(from, 0..4)).unwrap();
        decide(&mut ledger.clone(), place(4, 4, from, "127.0.0.1:1")).unwrap();
    }
}

/// Whatever is decided when: what was answered for an epoch within the notice stays the answer.
#[test]
fn an_answer_never_changes_once_it_is_asked() {
    let world = world(true);
    let mut ledger = Ledger::genesis(&world);
    let mut answers: Vec<Vec<Hash>> = (0..COMMITTEE_NOTICE).map(|epoch| asked(&ledger, epoch)).collect();
    let mut random = 1_u64;
    for current in 0..300 {
        for place in 0..3 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ledger.height = (current * LENGTH + place * 9).max(1);
            let from = current + COMMITTEE_NOTICE + (random >> 33) % 4;
            let members = (0..4).filter(|seed| (random >> (40 + seed)) & 1 == 1 || *seed == 0);
            if !random.is_multiple_of(3) {
                decide(&mut ledger, committee(from, members)).unwrap();
            }
            for epoch in current..current + COMMITTEE_NOTICE {
                assert_eq!(asked(&ledger, epoch), answers[epoch as usize], "epoch {epoch}");
            }
        }
        // The first question about this epoch comes when the current one has ended.
        answers.push(asked(&ledger, current + COMMITTEE_NOTICE));
    }
    assert!(answers.windows(2).filter(|pair| pair[0] != pair[1]).count() > 50);
}

// test: LED-48
#[test]
fn a_committee_is_no_larger_than_the_charter_allows() {
    let world = world(false);
    let mut ledger = Ledger::genesis(&world);
    for (seed, index) in (4..8).zip(4..) {
        decide(&mut ledger, newcomer(seed, index)).unwrap();
    }
    assert_eq!(
        decide(&mut ledger, committee(3, 0..8)),
        Err(Refusal::CommitteeTooLarge)
    );
    decide(&mut ledger, committee(3, 0..7)).unwrap();
}

// test: LED-49
#[test]
fn a_committee_can_lose_one() {
    let world = world(false);
    let mut ledger = Ledger::genesis(&world);
    for seeds in [0..0, 0..1, 0..3] {
        assert_eq!(
            decide(&mut ledger, committee(3, seeds)),
            Err(Refusal::CommitteeTooSmall)
        );
    }
    decide(&mut ledger, committee(3, 0..4)).unwrap();
    let sandbox = self::world(true);
    let mut ledger = Ledger::genesis(&sandbox);
    assert_eq!(
        decide(&mut ledger, committee(3, [])),
        Err(Refusal::CommitteeTooSmall)
    );
    decide(&mut ledger, committee(3, [2])).unwrap();
}

// test: LED-51
#[test]
fn a_committees_validators_are_known() {
    let world = world(false);
    let mut ledger = Ledger::genesis(&world);
    assert_eq!(
        decide(&mut ledger, committee(3, 0..5)),
        Err(Refusal::ValidatorUnknown)
    );
    decide(&mut ledger, newcomer(4, 4)).unwrap();
    decide(&mut ledger, committee(3, 0..5)).unwrap();
}

// test: LED-46
#[test]
fn a_committee_names_each_once_and_in_order() {
    let world = world(false);
    let mut ledger = Ledger::genesis(&world);
    let mut members = sorted(0..4);
    let of = |members: &[Hash]| GovernanceAction::SetCommittee {
        from: 3,
        members: members.to_vec(),
    };
    members.swap(1, 2);
    assert_eq!(decide(&mut ledger, of(&members)), Err(Refusal::CommitteeOrder));
    members.swap(1, 2);
    members.insert(1, members[0]);
    assert_eq!(decide(&mut ledger, of(&members)), Err(Refusal::CommitteeOrder));
    members.remove(1);
    decide(&mut ledger, of(&members)).unwrap();
}

// test: LED-44
#[test]
fn a_link_key_is_an_ed25519_key() {
    let world = world(false);
    let mut ledger = Ledger::genesis(&world);
    let with = |link_key| GovernanceAction::SetValidator {
        link_key,
        index: 4,
        from: 3,
        name: "Member 4".to_owned(),
        address: "127.0.0.1:1".to_owned(),
    };
    // No point of the curve has this encoding.
    let mut bytes = [0; 32];
    bytes[0] = 2;
    assert_eq!(decide(&mut ledger, with(Hash(bytes))), Err(Refusal::LinkKey));
    decide(&mut ledger, with(link_key(4))).unwrap();
}

// test: LED-45
#[test]
fn an_address_can_be_dialled() {
    let world = world(false);
    let mut ledger = Ledger::genesis(&world);
    let longest = format!("{}.example:7301", "a".repeat(63));
    let too_long = format!("{}.{}.example:7301", "a".repeat(63), "b".repeat(10));
    for address in ["", "node4.example", "node4.example:0", "http://a:1", &too_long] {
        assert_eq!(
            decide(&mut ledger, place(4, 4, 3, address)),
            Err(Refusal::Address),
            "{address}"
        );
    }
    assert!(longest.len() <= MAX_ADDRESS);
    decide(&mut ledger, place(4, 4, 3, &longest)).unwrap();
}

// test: LED-35
#[test]
fn a_validators_name_can_be_shown() {
    let world = world(false);
    let mut ledger = Ledger::genesis(&world);
    let named = |name: &str| GovernanceAction::SetValidator {
        link_key: link_key(4),
        index: 4,
        from: 3,
        name: name.to_owned(),
        address: "127.0.0.1:1".to_owned(),
    };
    assert_eq!(decide(&mut ledger, named("")), Err(Refusal::Name));
    decide(&mut ledger, named("Member 4")).unwrap();
}

// test: LED-52
#[test]
fn validators_are_numbered() {
    let world = world(false);
    let mut ledger = Ledger::genesis(&world);
    for index in [0, 3, 5, u16::MAX] {
        assert_eq!(
            decide(&mut ledger, newcomer(4, index)),
            Err(Refusal::ValidatorIndex)
        );
    }
    decide(&mut ledger, newcomer(4, 4)).unwrap();
    assert_eq!(schedule(&ledger).known, 5);
    assert_eq!(
        decide(&mut ledger, newcomer(4, 5)),
        Err(Refusal::ValidatorIndex),
        "it has one"
    );
    let full = Schedule {
        known: u16::MAX,
        turns: schedule(&ledger).turns,
    };
    ledger.put(state_key::schedule(), &Record::Schedule(full));
    assert_eq!(
        decide(&mut ledger, newcomer(5, u16::MAX)),
        Err(Refusal::ValidatorIndex)
    );
}

// test: LED-50
#[test]
fn a_validator_moves_once_at_a_time() {
    let world = world(false);
    let mut ledger = Ledger::genesis(&world);
    let to = |port: u16, from| place(1, 1, from, &format!("10.0.0.1:{port}"));
    decide(&mut ledger, to(1, 4)).unwrap();
    // Not within the notice yet: another place instead.
    decide(&mut ledger, to(2, 3)).unwrap();
    let found = known(&ledger, 1);
    assert_eq!(
        (found.address_in(2), found.address_in(3)),
        ("127.0.0.1:7302", "10.0.0.1:2")
    );
    for height in [LENGTH, 3 * LENGTH - 1] {
        ledger.height = height;
        assert_eq!(decide(&mut ledger, to(3, 9)), Err(Refusal::ValidatorMoves));
    }
    ledger.height = 3 * LENGTH;
    decide(&mut ledger, to(3, 9)).unwrap();
    let found = known(&ledger, 1);
    assert_eq!(
        (found.address_in(3), found.address_in(9)),
        ("10.0.0.1:2", "10.0.0.1:3")
    );
}
