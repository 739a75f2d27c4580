use std::collections::HashSet;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use realdid_credential::status::allocation::{Place, draw};
use realdid_credential::status::token::{MAX_TOKEN, Publication, StatusListToken, TYPE, issue};
use realdid_credential::status::{Bits, ENTRIES, MAX_LIST, Reference, Status, StatusError, StatusList};
use realdid_crypto::{KeyType, SecretKey, base64url_decode, base64url_encode};
use realdid_jose::jws::{JwsError, sign};
use serde_json::{Map, Value, json};

const URI: &str = "https://issuer.example/status/7";
const NOW: u64 = 1_800_000_000;
const ALL_BITS: [Bits; 4] = [Bits::One, Bits::Two, Bits::Four, Bits::Eight];

/// The specification's example of a million entries, 1 bit each; the text by its reference code.
const MILLION_1: &str = "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb";
/// The same with 2 bits each.
const MILLION_2: &str = "eNrt2zENACEQAEEuoaBABP5VIO01fCjIHTMStt9ovGVIAAAAAABAbiEBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEB5WwIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAID0ugQAAAAAAAAAAAAAAAAAQG12SgAAAAAAAAAAAAAAAAAAAAAAAAAAAOCSIQEAAAAAAAAAAAAAAAAAAAAAAAD8ExIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAwJEuAQAAAAAAAAAAAAAAAAAAAAAAAMB9SwIAAAAAAAAAAAAAAAAAAACoYUoAAAAAAAAAAAAAAEBqH81gAQw";
const INDICES: [u32; 11] = [
    0, 1993, 25460, 159_495, 495_669, 554_353, 645_645, 723_232, 854_545, 934_534, 1_000_345,
];

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(KeyType::P256, &[seed; 32])
}

fn reference(index: u64) -> Reference {
    Reference {
        uri: URI.to_owned(),
        index,
    }
}

fn list() -> StatusList {
    let statuses = [
        (1, Status::Invalid),
        (2, Status::Suspended),
        (5, Status::Application(3)),
    ];
    StatusList::build(Bits::Two, 8, statuses).unwrap()
}

fn publication() -> Publication<'static> {
    Publication {
        uri: URI,
        issued_at: NOW - 100,
        expires_at: NOW + 1000,
        time_to_live: 300,
        aggregation_uri: None,
    }
}

fn good() -> String {
    issue(&key(1), Map::new(), &list(), &publication()).unwrap()
}

fn claims() -> Value {
    json!({
        "sub": URI, "iat": NOW - 100, "exp": NOW + 1000, "ttl": 300,
        "status_list": { "bits": 2, "lst": list().to_lst() },
    })
}

/// What a reader makes of a token with other claims.
fn read(change: impl FnOnce(&mut Value)) -> Result<Status, StatusError> {
    let mut claims = claims();
    change(&mut claims);
    read_text(&sign(&key(1), TYPE, None, &claims).unwrap())
}

fn read_text(text: &str) -> Result<Status, StatusError> {
    let list = StatusListToken::parse(text)?.verify(&key(1).public_key(), URI, NOW)?;
    list.status(&reference(1), NOW, 3600)
}

fn passes() {
    assert_eq!(read_text(&good()), Ok(Status::Invalid));
    assert_eq!(read(|_| ()), Ok(Status::Invalid));
}

#[test]
fn the_specifications_examples() {
    let one = StatusList::from_lst(Bits::One, "eNrbuRgAAhcBXQ", 2).unwrap();
    let bits: Vec<u8> = (0..16).map(|index| one.get(index).unwrap().value()).collect();
    assert_eq!(bits, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]);
    let two = StatusList::from_lst(Bits::Two, "eNo76fITAAPfAgc", 3).unwrap();
    let values: Vec<u8> = (0..12).map(|index| two.get(index).unwrap().value()).collect();
    assert_eq!(values, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]);

    let ones = INDICES.map(|index| (index, Status::Invalid));
    let one = StatusList::build(Bits::One, ENTRIES, ones).unwrap();
    assert_eq!(StatusList::from_lst(Bits::One, MILLION_1, MAX_LIST), Ok(one));
    let values = [1, 2, 1, 3, 1, 1, 2, 1, 1, 2, 3].map(Status::from_value);
    let two = StatusList::build(Bits::Two, ENTRIES, INDICES.into_iter().zip(values)).unwrap();
    assert_eq!(StatusList::from_lst(Bits::Two, MILLION_2, MAX_LIST), Ok(two));
}

#[test]
fn a_published_list_tells_each_status() {
    let token = StatusListToken::parse(&good()).unwrap();
    assert_eq!(token.header()["typ"], TYPE);
    let published = token.verify(&key(1).public_key(), URI, NOW).unwrap();
    let expected = [
        Status::Valid,
        Status::Invalid,
        Status::Suspended,
        Status::Valid,
        Status::Valid,
        Status::Application(3),
    ];
    for (index, status) in expected.into_iter().enumerate() {
        assert_eq!(published.status(&reference(index as u64), NOW, 3600), Ok(status));
    }
    assert_eq!(published.refresh_at(NOW), NOW + 300);
    assert_eq!(published.list(), &list());
    assert_eq!((published.uri(), published.issued_at()), (URI, NOW - 100));
}

#[test]
fn times_that_an_issuer_leaves_out_are_bounded_by_the_reader() {
    let refresh = |change: fn(&mut Value)| {
        let mut claims = claims();
        change(&mut claims);
        let text = sign(&key(1), TYPE, None, &claims).unwrap();
        let list = StatusListToken::parse(&text)
            .unwrap()
            .verify(&key(1).public_key(), URI, NOW)
            .unwrap();
        list.refresh_at(NOW) - NOW
    };
    assert_eq!(
        refresh(|claims| drop(claims.as_object_mut().unwrap().remove("ttl"))),
        1000
    );
    assert_eq!(refresh(|claims| claims["ttl"] = 1.into()), 2);
    assert_eq!(refresh(|claims| claims["ttl"] = u64::MAX.into()), 1000);
    let forever = refresh(|claims| {
        claims["ttl"] = u64::MAX.into();
        claims["exp"] = (NOW + 1_000_000).into();
    });
    assert_eq!(forever, 86_400);
    assert_eq!(refresh(|claims| claims["ttl"] = 120.9.into()), 120);
    let neither = refresh(|claims| {
        claims
            .as_object_mut()
            .unwrap()
            .retain(|name, _| name != "ttl" && name != "exp");
    });
    assert_eq!(neither, 3600);
}

// test: JWS-04
#[test]
fn a_token_of_another_type_is_no_status_list() {
    for typ in ["JWT", "statuslist+cwt", "dc+sd-jwt", "application/statuslist+jwt"] {
        let text = sign(&key(1), typ, None, &claims()).unwrap();
        assert_eq!(read_text(&text), Err(StatusError::Jws(JwsError::Type)), "{typ}");
    }
    passes();
}

// test: JWS-05
#[test]
fn a_token_with_another_algorithm_is_refused() {
    let text = sign(
        &SecretKey::from_seed(KeyType::Ed25519, &[1; 32]),
        TYPE,
        None,
        &claims(),
    )
    .unwrap();
    assert_eq!(read_text(&text), Err(StatusError::Jws(JwsError::Algorithm)));
    passes();
}

// test: JWS-06
#[test]
fn a_token_by_another_key_is_refused() {
    let text = issue(&key(2), Map::new(), &list(), &publication()).unwrap();
    assert_eq!(read_text(&text), Err(StatusError::Jws(JwsError::Signature)));
    passes();
}

// test: JWS-02
#[test]
fn an_oversized_token_is_refused() {
    let text = good() + &"A".repeat(MAX_TOKEN);
    assert_eq!(read_text(&text), Err(StatusError::Jws(JwsError::TooLong)));
    passes();
}

// test: STL-01
#[test]
fn another_list_than_the_one_referred_to_is_refused() {
    for sub in [
        json!("https://issuer.example/status/8"),
        json!(null),
        json!([URI]),
    ] {
        assert_eq!(read(|claims| claims["sub"] = sub), Err(StatusError::OtherList));
    }
    passes();
}

#[test]
fn a_kept_list_answers_for_its_own_address_alone() {
    let token = StatusListToken::parse(&good()).unwrap();
    let list = token.verify(&key(1).public_key(), URI, NOW).unwrap();
    let other = Reference {
        uri: format!("{URI}1"),
        index: 1,
    };
    assert_eq!(list.status(&other, NOW, 3600), Err(StatusError::OtherList));
}

// test: STL-02
#[test]
fn a_list_without_time_of_issue_or_from_the_future_is_refused() {
    for iat in [
        json!(null),
        json!("1800000000"),
        json!(-1),
        json!(NOW + 61),
        json!(1e300),
    ] {
        assert_eq!(
            read(|claims| claims["iat"] = iat.clone()),
            Err(StatusError::IssuedAt),
            "{iat}"
        );
    }
    assert_eq!(
        read(|claims| claims["iat"] = (NOW + 60).into()),
        Ok(Status::Invalid)
    );
    passes();
}

// test: STL-03
#[test]
fn an_expired_list_is_refused_when_read_and_when_kept() {
    for exp in [
        json!(NOW),
        json!(NOW - 1),
        json!(-1),
        json!("1900000000"),
        json!(null),
    ] {
        assert_eq!(
            read(|claims| claims["exp"] = exp.clone()),
            Err(StatusError::Expired),
            "{exp}"
        );
    }
    let token = StatusListToken::parse(&good()).unwrap();
    let list = token.verify(&key(1).public_key(), URI, NOW).unwrap();
    assert_eq!(
        list.status(&reference(1), NOW + 1000, 3600),
        Err(StatusError::Expired)
    );
    assert_eq!(list.status(&reference(1), NOW + 999, 3600), Ok(Status::Invalid));
    passes();
}

// test: STL-04
#[test]
fn a_time_to_live_that_is_not_positive_is_refused() {
    for ttl in [json!(0), json!(-5), json!("300"), json!(null), json!(0.5)] {
        assert_eq!(
            read(|claims| claims["ttl"] = ttl.clone()),
            Err(StatusError::TimeToLive),
            "{ttl}"
        );
    }
    passes();
}

// test: STL-05
#[test]
fn another_number_of_bits_is_refused() {
    for bits in [0, 3, 5, 6, 7, 16, 255, 257] {
        assert_eq!(
            read(|claims| claims["status_list"]["bits"] = bits.into()),
            Err(StatusError::Bits),
            "{bits}"
        );
    }
    passes();
}

#[test]
fn a_list_of_another_form_is_refused() {
    let lst = list().to_lst();
    let mut longer = base64url_decode(&lst).unwrap();
    longer.push(0);
    let mut flipped = base64url_decode(&lst).unwrap();
    *flipped.last_mut().unwrap() ^= 1;
    for (name, value) in [
        ("bits", json!("2")),
        ("bits", json!(-1)),
        ("lst", json!(1)),
        ("lst", json!("")),
        ("lst", json!("AAAA")),
        ("lst", json!(format!("{lst}=="))),
        ("lst", json!(lst[..lst.len() - 4])),
        ("lst", json!(base64url_encode(longer))),
        ("lst", json!(base64url_encode(flipped))),
    ] {
        let read = read(|claims| claims["status_list"][name] = value.clone());
        assert_eq!(read, Err(StatusError::Form), "{name} {value}");
    }
    assert_eq!(
        read(|claims| claims["status_list"] = json!(null)),
        Err(StatusError::Form)
    );
    passes();
}

// test: STL-06
#[test]
fn a_decompression_bomb_is_not_inflated() {
    // A hundred million zeros in about 100 KB, and one byte more than allowed.
    let bomb = |length| {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&vec![0; length]).unwrap();
        base64url_encode(encoder.finish().unwrap())
    };
    for length in [100_000_000, MAX_LIST + 1] {
        let read = StatusList::from_lst(Bits::One, &bomb(length), MAX_LIST);
        assert_eq!(read, Err(StatusError::TooLong));
    }
    let token = read(|claims| claims["status_list"]["lst"] = bomb(MAX_LIST + 1).into());
    assert_eq!(token, Err(StatusError::TooLong));
    let longest = StatusList::new(Bits::Eight, MAX_LIST as u32);
    let read = StatusList::from_lst(Bits::Eight, &longest.to_lst(), MAX_LIST);
    assert_eq!(read.map(|list| list.entries()), Ok(MAX_LIST));
    passes();
}

// test: STL-07
#[test]
fn an_index_behind_the_end_tells_nothing() {
    for index in [8, 9, u64::from(u32::MAX), u64::MAX] {
        assert_eq!(list().get(index), Err(StatusError::Index), "{index}");
    }
    assert_eq!(list().get(7), Ok(Status::Valid));
    passes();
}

// test: STL-08
#[test]
fn a_status_that_does_not_fit_is_not_written() {
    for (bits, status) in [
        (Bits::One, Status::Suspended),
        (Bits::Two, Status::Unknown(4)),
        (Bits::Four, Status::Unknown(16)),
    ] {
        assert_eq!(
            StatusList::new(bits, 8).set(0, status),
            Err(StatusError::DoesNotFit)
        );
    }
    assert_eq!(
        StatusList::new(Bits::One, 8).set(8, Status::Invalid),
        Err(StatusError::Index)
    );
    assert_eq!(
        StatusList::new(Bits::Eight, 8).set(7, Status::Unknown(255)),
        Ok(())
    );
    passes();
}

// test: STL-09
#[test]
fn a_reference_to_no_place_in_a_list_is_refused() {
    let read = |list: Value| Reference::from_claim(&json!({ "status_list": list }));
    for (idx, uri) in [
        (json!(-1), json!(URI)),
        (json!("1"), json!(URI)),
        (json!(1.5), json!(URI)),
        (json!(null), json!(URI)),
        (json!(1), json!(null)),
        (json!(1), json!("")),
        (json!(1), json!("file:///etc/passwd")),
        (json!(1), json!("javascript:alert(1)")),
        (json!(1), json!("https://")),
        (json!(1), json!("https://issuer.example/a b")),
        (json!(1), json!("https://issuer.example/a#b")),
        (json!(1), json!("https://issuer.example/\u{202e}")),
        (json!(1), json!(format!("{URI}{}", "x".repeat(512)))),
    ] {
        let refused = read(json!({ "idx": idx, "uri": uri }));
        assert_eq!(refused, Err(StatusError::Reference), "{idx} {uri}");
    }
    assert_eq!(read(json!({ "idx": 5, "uri": URI })), Ok(Some(reference(5))));
    assert_eq!(
        Reference::from_claim(&reference(5).to_claim()),
        Ok(Some(reference(5)))
    );
    assert_eq!(Reference::from_claim(&json!({ "other": {} })), Ok(None));
    assert_eq!(Reference::from_claim(&json!("x")), Err(StatusError::Reference));
    passes();
}

// test: STL-10
#[test]
fn a_list_older_than_accepted_is_refused() {
    let token = StatusListToken::parse(&good()).unwrap();
    let list = token.verify(&key(1).public_key(), URI, NOW).unwrap();
    assert_eq!(list.status(&reference(1), NOW, 99), Err(StatusError::Stale));
    assert_eq!(list.status(&reference(1), NOW, 100), Ok(Status::Invalid));
    passes();
}

// test: STL-11
#[test]
fn no_list_is_issued_without_time_to_live() {
    let publication = Publication {
        time_to_live: 0,
        ..publication()
    };
    assert_eq!(
        issue(&key(1), Map::new(), &list(), &publication),
        Err(StatusError::TimeToLive)
    );
    passes();
}

// test: STL-12
#[test]
fn no_place_is_given_twice() {
    let mut rng = StdRng::seed_from_u64(1);
    let mut places = HashSet::new();
    // Two lists of 64 entries, filled to three quarters.
    for _ in 0..96 {
        let place = draw(&[3, 9], 64, &mut rng, |place| places.contains(&place)).unwrap();
        assert!(place.index < 64 && [3, 9].contains(&place.list));
        assert!(places.insert(place), "{place:?} was given twice");
    }
    assert_eq!(draw(&[3], 64, &mut rng, |_| true), None::<Place<i32>>);
}

#[test]
fn places_are_drawn_from_all_open_lists_alike() {
    let mut rng = StdRng::seed_from_u64(2);
    let mut seen = [0; 4];
    for _ in 0..4000 {
        let place = draw(&[0, 1, 2, 3], ENTRIES, &mut rng, |_| false).unwrap();
        seen[place.list] += 1;
    }
    assert!(seen.iter().all(|count| (850..1150).contains(count)), "{seen:?}");
    assert_eq!(draw::<u8>(&[], ENTRIES, &mut rng, |_| false), None);
    assert_eq!(draw(&[1], 0, &mut rng, |_| false), None);
}

proptest! {
    #[test]
    fn what_is_set_is_read_and_nothing_else(
        bits in prop::sample::select(ALL_BITS.to_vec()),
        statuses in prop::collection::btree_map(0u32..500, any::<u8>(), 0..40),
    ) {
        let mask = u8::MAX >> (8 - bits as u8);
        let list = StatusList::build(
            bits,
            500,
            statuses.iter().map(|(index, value)| (*index, Status::from_value(value & mask))),
        )
        .unwrap();
        let list = StatusList::from_lst(bits, &list.to_lst(), MAX_LIST).unwrap();
        for index in 0..500 {
            let expected = statuses.get(&index).map_or(0, |value| value & mask);
            prop_assert_eq!(list.get(u64::from(index)).unwrap().value(), expected);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = StatusList::from_lst(Bits::One, &base64url_encode(&bytes), 100);
        let _ = StatusListToken::parse(&String::from_utf8_lossy(&bytes));
    }
}
