use commonware_codec::Encode as _;
use commonware_cryptography::bls12381::primitives::{ops::keypair, variant::MinSig};
use proptest::prelude::*;
use realdid_ledger::{FinalityError, FinalityProof, HEADER_LEN, Header, MAX_PROOF_HEADERS};
use serde_json::json;

use crate::authority::repeatable;
use crate::frozen;
use crate::proofs::{certificate, finality, header};
use crate::world::World;

/// Headers of which each names the one before it as its parent.
pub fn chain(world: &World, count: usize) -> Vec<Header> {
    let mut headers: Vec<Header> = Vec::new();
    for height in 7..7 + count as u64 {
        let mut next = header(world, [1; 32], height, height * 1000);
        next.parent = headers.last().map_or([0; 32], Header::hash);
        headers.push(next);
    }
    headers
}

fn verified(world: &World, proof: &FinalityProof) -> Result<Header, FinalityError> {
    let final_one = proof.verify(&world.hash.0, &world.charter.network_key())?;
    assert_eq!(*final_one.hash(), final_one.header().hash());
    Ok(final_one.header().clone())
}

// test: FIN-01
#[test]
fn a_proof_has_one_to_64_headers() {
    let world = World::new();
    for count in [1, 2, MAX_PROOF_HEADERS] {
        let headers = chain(&world, count);
        let proof = finality(&world, headers.clone());
        assert_eq!(verified(&world, &proof).as_ref(), Ok(&headers[0]));
        assert_eq!(FinalityProof::decode(&proof.encode()), Ok(proof));
    }
    let found = MAX_PROOF_HEADERS + 1;
    let long = finality(&world, chain(&world, found));
    assert_eq!(verified(&world, &long), Err(FinalityError::HeaderCount { found }));
    assert_eq!(
        FinalityProof::decode(&long.encode()),
        Err(FinalityError::HeaderCount { found })
    );
    let none = FinalityProof {
        headers: Vec::new(),
        ..long
    };
    assert_eq!(
        verified(&world, &none),
        Err(FinalityError::HeaderCount { found: 0 })
    );
    assert_eq!(
        FinalityProof::decode(&none.encode()),
        Err(FinalityError::HeaderCount { found: 0 })
    );
}

// test: FIN-02
#[test]
fn headers_of_another_network_are_refused() {
    let (world, other) = (World::new(), World::of(|charter| charter.genesis_time += 1));
    let foreign = finality(&other, chain(&other, 2));
    assert_eq!(verified(&world, &foreign), Err(FinalityError::Charter));
    assert!(verified(&other, &foreign).is_ok());
    // Among headers of this network as well.
    let mut headers = chain(&world, 2);
    headers[1].charter = other.hash.0;
    assert_eq!(
        verified(&world, &finality(&world, headers)),
        Err(FinalityError::Charter)
    );
}

// test: FIN-03
#[test]
fn each_header_names_the_one_before_it() {
    let world = World::new();
    let change = |change: &dyn Fn(&mut Vec<Header>)| {
        let mut headers = chain(&world, 3);
        change(&mut headers);
        verified(&world, &finality(&world, headers))
    };
    assert_eq!(change(&|it| it[1].parent[0] ^= 1), Err(FinalityError::Chain));
    assert_eq!(
        change(&|it| it[0].state_root[0] ^= 1),
        Err(FinalityError::Chain),
        "another block below"
    );
    assert_eq!(change(&|it| it[2].height += 1), Err(FinalityError::Chain));
    assert_eq!(change(&|it| it.swap(1, 2)), Err(FinalityError::Chain));
    assert_eq!(
        change(&|it| it.retain(|header| header.height != 8)),
        Err(FinalityError::Chain)
    );
    assert_eq!(change(&|it| it[1].height = u64::MAX), Err(FinalityError::Chain));
    assert!(change(&|_| ()).is_ok());
}

// test: FIN-04
#[test]
fn the_certificate_is_over_the_last_header() {
    let world = World::new();
    let headers = chain(&world, 2);
    let good = finality(&world, headers.clone());
    let first_alone = FinalityProof {
        headers: vec![headers[0].clone()],
        ..good.clone()
    };
    assert_eq!(verified(&world, &first_alone), Err(FinalityError::Digest));
    let mut other = good.clone();
    other.headers[1].state_root[0] ^= 1;
    assert_eq!(verified(&world, &other), Err(FinalityError::Digest));
    assert!(verified(&world, &good).is_ok());
}

// test: FIN-05
#[test]
fn the_certificate_holds_under_the_pinned_key_and_charter() {
    let world = World::new();
    let headers = chain(&world, 1);
    let digest = headers[0].hash();
    let good = finality(&world, headers.clone());
    let with = |certificate| {
        verified(
            &world,
            &FinalityProof {
                certificate,
                ..good.clone()
            },
        )
    };
    let (stranger, _) = keypair::<_, MinSig>(&mut repeatable(8));
    assert_eq!(
        with(certificate(&stranger, &world.hash.0, 307, &digest)),
        Err(FinalityError::Signature)
    );
    let elsewhere = certificate(&world.network, &[9; 32], 307, &digest);
    assert_eq!(
        with(elsewhere),
        Err(FinalityError::Signature),
        "the same validators on a fork"
    );
    let mut later = good.certificate.clone();
    later[1] ^= 1;
    assert_eq!(with(later), Err(FinalityError::Signature), "another view");
    for bit in (0..48 * 8).step_by(5) {
        let mut flipped = good.certificate.clone();
        let at = flipped.len() - 48 + bit / 8;
        flipped[at] ^= 1 << (bit % 8);
        assert_eq!(with(flipped), Err(FinalityError::Signature));
    }
    let mut infinity = good.certificate.clone();
    let at = infinity.len() - 48;
    infinity[at..].fill(0);
    infinity[at] = 0xc0;
    assert_eq!(
        with(infinity),
        Err(FinalityError::Signature),
        "the point at infinity"
    );
    for key in [[0; 96], [0xff; 96]] {
        assert_eq!(good.verify(&world.hash.0, &key), Err(FinalityError::NetworkKey));
    }
    let (_, other) = keypair::<_, MinSig>(&mut repeatable(9));
    let other = other.encode().as_ref().try_into().unwrap();
    assert_eq!(good.verify(&world.hash.0, &other), Err(FinalityError::Signature));
    assert!(with(good.certificate.clone()).is_ok());
}

// test: FIN-06
#[test]
fn a_certificate_has_one_encoding() {
    let world = World::new();
    let good = finality(&world, chain(&world, 1));
    let with = |certificate| {
        let proof = FinalityProof {
            certificate,
            ..good.clone()
        };
        assert_eq!(
            FinalityProof::decode(&proof.encode()),
            Err(FinalityError::Malformed)
        );
        assert_eq!(verified(&world, &proof), Err(FinalityError::Malformed));
    };
    // The epoch 0 as 80 00, and as three bytes.
    with([&[0x80, 0x00], &good.certificate[1..]].concat());
    with([&[0x80, 0x80, 0x00], &good.certificate[1..]].concat());
    with([&[0xff; 11], &good.certificate[1..]].concat());
    for length in 0..good.certificate.len() {
        with(good.certificate[..length].to_vec());
    }
    with([good.certificate.as_slice(), &[0]].concat());
    with(vec![0; 200]);
    assert!(verified(&world, &good).is_ok());
}

// test: HDR-02, FIN-03, FIN-04, FIN-05
#[test]
fn no_bit_of_a_proof_can_be_flipped() {
    let world = World::new();
    let bytes = finality(&world, chain(&world, 2)).encode();
    assert_eq!(bytes.len(), 1 + 2 * HEADER_LEN + 1 + 2 + 2 + 32 + 48);
    for bit in (0..bytes.len() * 8).step_by(3) {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let outcome = FinalityProof::decode(&flipped).and_then(|it| verified(&world, &it));
        assert!(outcome.is_err(), "bit {bit}");
    }
}

proptest! {
    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..700), count in 0..4_u8) {
        let world = World::new();
        for bytes in [bytes.clone(), [&[count], bytes.as_slice()].concat()] {
            if let Ok(proof) = FinalityProof::decode(&bytes) {
                prop_assert!(verified(&world, &proof).is_err());
            }
        }
    }
}

#[test]
fn a_certificate_is_frozen() {
    let world = World::new();
    let proof = finality(&world, chain(&world, 2));
    let file = json!({
        "description": "A finality proof of two headers: count, headers, then epoch, view and parent view as LEB128, \
                        digest (32), BLS12-381 signature in G1 (48) over varint(length of namespace), namespace and \
                        all before it; namespace 'realdid/consensus/v1' charter '_FINALIZE'. Key in G2 (96).",
        "source": "crates/ledger/tests/it/finality.rs; made with one key that nobody shares",
        "cases": [{
            "charter": world.hash,
            "network_key": world.charter.network_key,
            "proof": hex::encode(proof.encode()),
            "header_hash": hex::encode(proof.headers[0].hash()),
        }],
    });
    frozen::compare("finality.json", &file);
}
