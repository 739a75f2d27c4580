use realdid_crypto::Hash;
use realdid_ledger::{Charter, CharterError};
use serde_json::{Value, json};

use crate::frozen;
use crate::world::{EPOCH, GENESIS, World, charter, member};

type Change<'a> = &'a dyn Fn(&mut Charter);

fn error(charter: &Charter) -> String {
    match charter.to_json() {
        Err(CharterError::Field(field)) => {
            let json = serde_json::to_vec(charter).unwrap();
            assert!(matches!(Charter::from_json(&json), Err(CharterError::Field(read)) if read == field));
            field.to_owned()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_field_is_checked() {
    let long = "x".repeat(65);
    let cases: [(&str, Change<'_>); 24] = [
        ("network_key", &|it| it.network_key.truncate(190)),
        ("network_key", &|it| it.network_key.replace_range(..1, "g")),
        ("key_origin.outcome", &|it| it.key_origin.outcome.clear()),
        ("key_origin.dealt", &|it| it.sandbox = false),
        ("committees.max_validators", &|it| {
            it.committees.max_validators = 0
        }),
        ("committees.max_validators", &|it| {
            it.committees.max_validators = 33
        }),
        ("committees.epoch_blocks", &|it| it.committees.epoch_blocks = 15),
        ("committees.epoch_blocks", &|it| {
            it.committees.epoch_blocks = u64::from(it.committees.max_validators) * 4 - 1;
        }),
        ("members", &|it| it.members.clear()),
        ("members", &|it| it.members = vec![it.members[0].clone(); 257]),
        ("members.name", &|it| it.members[1].name.clear()),
        ("members.key", &|it| it.members[1].key = it.members[0].key),
        ("threshold", &|it| it.threshold = 0),
        ("threshold", &|it| it.threshold = 4),
        ("validators", &|it| it.validators.clear()),
        ("validators", &|it| {
            it.validators = vec![it.validators[0].clone(); 8]
        }),
        ("validators.address", &|it| it.validators[0].address.clear()),
        ("seats", &|it| it.seats = vec![it.seats[0].clone(); 257]),
        ("seats.name", &|it| it.seats[0].name.clone_from(&long)),
        ("epoch_seconds", &|it| it.epoch_seconds = 0),
        ("quota", &|it| it.quota.tokens = 0),
        ("quota", &|it| it.quota.period_seconds = 0),
        ("recovery_delay", &|it| it.recovery_delay = 0),
        ("vetoed_recovery_delay", &|it| {
            it.vetoed_recovery_delay = it.recovery_delay - 1
        }),
    ];
    for (field, change) in cases {
        let mut charter = World::new().charter;
        change(&mut charter);
        assert_eq!(error(&charter), field);
    }
    let charter = World::new().charter;
    assert_eq!(
        Charter::from_json(charter.to_json().unwrap().as_bytes()).unwrap(),
        charter
    );
}

#[test]
fn a_charter_of_another_format_is_told_as_such() {
    let old = Charter::from_json(br#"{"format":1,"network":"sandbox","polynomial":"00"}"#);
    assert!(matches!(old, Err(CharterError::Format { found: 1 })));
    let mut newer = World::new().charter;
    newer.format = 3;
    assert!(newer.to_json().is_err());
}

// test: DID-01
#[test]
fn the_form_of_the_file_is_strict() {
    let good = serde_json::to_value(World::new().charter).unwrap();
    let read = |value: &Value| Charter::from_json(&serde_json::to_vec(value).unwrap());
    assert!(read(&good).is_ok());
    for name in good.as_object().unwrap().keys() {
        let mut lacking = good.clone();
        lacking.as_object_mut().unwrap().remove(name);
        assert!(
            matches!(read(&lacking), Err(CharterError::Json(_))),
            "without {name}"
        );
    }
    for (path, value) in [
        ("/surprise", json!(1)),
        ("/members/0/surprise", json!(1)),
        ("/seats/0/surprise", json!(1)),
        ("/quota/surprise", json!(1)),
    ] {
        let mut more = good.clone();
        let (parent, name) = path.rsplit_once('/').unwrap();
        more.pointer_mut(parent).unwrap()[name] = value;
        assert!(matches!(read(&more), Err(CharterError::Json(_))), "{path}");
    }
    for (path, value) in [
        ("/network", json!("Sandbox")),
        ("/seats/0/role", json!("king")),
        ("/threshold", json!(-1)),
    ] {
        let mut other = good.clone();
        *other.pointer_mut(path).unwrap() = value;
        assert!(matches!(read(&other), Err(CharterError::Json(_))), "{path}");
    }
}

/// The hash is of what a charter says, not of how its file is laid out; and it says everything.
#[test]
fn every_field_is_in_the_hash() {
    let world = World::new();
    let spaced = world.charter.to_json().unwrap().replace('\n', "\n\t ");
    assert_eq!(Charter::from_json(spaced.as_bytes()).unwrap().hash(), world.hash);
    let changes: [Change<'_>; 18] = [
        &|it| it.network = realdid_did::Network::new("otherland").unwrap(),
        &|it| it.sandbox = false,
        &|it| it.genesis_time += 1,
        &|it| it.network_key.replace_range(..2, "00"),
        &|it| it.key_origin.outcome.push_str("00"),
        &|it| it.key_origin.dealt = false,
        &|it| it.committees.epoch_blocks += 1,
        &|it| it.committees.max_validators -= 1,
        &|it| it.members.truncate(2),
        &|it| it.members[0].key = member(9).public_key(),
        &|it| it.threshold = 1,
        &|it| it.validators[0].link_key = Hash([1; 32]),
        &|it| it.seats.swap(0, 1),
        &|it| it.epoch_seconds += 1,
        &|it| it.quota.tokens += 1,
        &|it| it.recovery_delay += 1,
        &|it| it.vetoed_recovery_delay += 1,
        &|it| it.minimum_anonymity_set += 1,
    ];
    let hashes: std::collections::BTreeSet<_> = changes
        .iter()
        .map(|change| World::of(change).hash)
        .chain([world.hash])
        .collect();
    assert_eq!(hashes.len(), changes.len() + 1);
}

#[test]
fn epochs_follow_the_clock_and_the_sandbox() {
    let charter = World::new().charter;
    let epoch = |now, advanced| charter.epoch_at(now, advanced);
    assert_eq!(
        (epoch(0, 0), epoch(GENESIS, 0), epoch(GENESIS + EPOCH - 1, 0)),
        (0, 0, 0)
    );
    assert_eq!((epoch(GENESIS + EPOCH, 0), epoch(GENESIS + EPOCH, 3)), (1, 4));
    assert_eq!(epoch(u64::MAX, u64::MAX), u64::MAX, "no overflow");
}

#[test]
fn the_charter_hash_is_frozen() {
    let charter = charter(&[0x99; 96]);
    let file = json!({
        "description": "A charter and its hash: SHA-256 of the charter's compact JSON with the fields in the order \
                        of the text in `compact`.",
        "source": "crates/ledger/tests/it/charter.rs",
        "cases": [{
            "compact": serde_json::to_string(&charter).unwrap(),
            "hash": charter.hash(),
        }],
    });
    frozen::compare("charter.json", &file);
}

/// Places in a charter and what is put there instead; nothing for what is left out.
const CHANGES: &str = r#"[
    ["/format", [1, 3, 4294967296, "2", 2.0, -1, null]],
    ["/network", ["s", "Sandbox", "1sandbox", 5]],
    ["/sandbox", [0, "true"]],
    ["/genesis_time", [18446744073709551615, 18446744073709551616, -1, 1.5]],
    ["/network_key", ["", "zz", 5]],
    ["/polynomial", ["00"]],
    ["/key_origin", [null, "00", {"dealt": true}]],
    ["/key_origin/dealt", [false, 1]],
    ["/key_origin/outcome", ["", "0", "0A"]],
    ["/members", [[], {}, null]],
    ["/members/0/name", ["", " Member", "Member ", "Mem\u200bber", "Mem\u202eber", "Mem\u0085ber", "Mémber 交管", "👩"]],
    ["/members/0/key", ["z6Mk", "", "zUC7", 5]],
    ["/members/0/more", [1]],
    ["/threshold", [0, 3, 4, 65535, 65536]],
    ["/validators", [[]]],
    ["/validators/0/link_key", ["00", 5]],
    ["/validators/0/address", [
        "", "host", "host:", "host:0", "host:65535", "host:65536", "host:01", "-a.example:1", "a_b:1", "1.2.3:1",
        "127.0.0.1:0", "256.0.0.1:1", "[2001:db8::1]:7301", "[::ffff:127.0.0.1]:1", "[1::2::3]:1", "2001:db8::1:1",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.example:1", "node.example:443"
    ]],
    ["/committees", [null]],
    ["/committees/epoch_blocks", [15, 16, 27, 28, 4294967296, 4294967297]],
    ["/committees/max_validators", [0, 1, 32, 33, 65536]],
    ["/committees/more", [1]],
    ["/seats", [[]]],
    ["/seats/0/role", ["issuer", "verifier", "Authority", "king"]],
    ["/seats/0/name", ["", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]],
    ["/epoch_seconds", [0, 1]],
    ["/quota/tokens", [0, 4294967295, 4294967296]],
    ["/quota/period_seconds", [0]],
    ["/recovery_delay", [0, 10000, 10001]],
    ["/vetoed_recovery_delay", [999, 1000]],
    ["/minimum_anonymity_set", [0, -1]],
    ["/more", [1]]
]"#;

// test: DID-01
#[test]
fn refused_charters_are_frozen() {
    let changes: Vec<(String, Vec<Value>)> = serde_json::from_str(CHANGES).unwrap();
    let good = serde_json::to_value(World::new().charter).unwrap();
    let mut cases = Vec::new();
    for (pointer, values) in changes {
        for value in values {
            let mut changed = good.clone();
            let (parent, member) = pointer.rsplit_once('/').unwrap();
            changed.pointer_mut(parent).unwrap()[member] = value.clone();
            let text = changed.to_string();
            let (outcome, said) = match Charter::from_json(text.as_bytes()) {
                Ok(charter) => ("ok", charter.hash().to_hex()),
                Err(CharterError::Field(field)) => ("field", field.to_owned()),
                Err(CharterError::Json(_)) => ("json", String::new()),
                Err(CharterError::Format { found }) => ("format", found.to_string()),
            };
            cases.push(json!({
                "name": format!("{pointer} {value}"),
                "charter": text,
                "outcome": outcome,
                "said": said,
            }));
        }
    }
    let file = json!({
        "description": "Charters with one member changed: ok with the hash, refused with the name of the field, or no \
                        charter at all.",
        "source": "crates/ledger/tests/it/charter.rs; variants of realdid_ledger::CharterError",
        "cases": cases,
    });
    frozen::compare("refused_charters.json", &file);
}

#[test]
fn addresses_of_validators() {
    for good in [
        "127.0.0.1:7301",
        "[2001:db8::1]:65535",
        "node.example:1",
        "a-1.b2.example:7301",
    ] {
        assert!(realdid_ledger::is_address(good), "{good}");
    }
    let of_length = |length: usize| format!("{}.{}:7301", "x".repeat(60), "y".repeat(length - 66));
    assert!(realdid_ledger::is_address(&of_length(80)));
    assert!(!realdid_ledger::is_address(&of_length(81)));
    let bad = [
        "",
        ":1",
        "host",
        "host:",
        "host:0",
        "127.0.0.1:0",
        "host:65536",
        "host:+1",
        "host:01",
        "-a.example:1",
        "a-.example:1",
        "a..example:1",
        "a b:1",
        "a_b:1",
        "2001:db8::1:1",
        "1.2.3:1",
        "http://a:1",
        "\u{e9}:1",
    ];
    for bad in bad {
        assert!(!realdid_ledger::is_address(bad), "{bad}");
    }
}
