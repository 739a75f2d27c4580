use proptest::prelude::*;
use realdid_ledger::{
    Block, HEADER_LEN, Header, HeaderError, MAX_BLOCK_BYTES, MAX_BLOCK_OPERATIONS, MAX_OPERATION_BYTES,
    StateLog, operations_root,
};

use crate::frozen;

fn block(operations: Vec<Vec<u8>>) -> Block {
    let log = StateLog {
        root: [7; 32],
        start: 3,
        end: 9,
    };
    let mut header = Header::genesis([0xc4; 32], log, [2; 32]);
    (header.height, header.time_ms, header.epoch) = (5, 6, 7);
    (header.parent, header.state_root) = ([8; 32], [9; 32]);
    (header.round.epoch, header.round.view, header.round.parent_view) = (10, 11, 12);
    header.operations_root = operations_root(&operations);
    Block { header, operations }
}

// test: HDR-01
#[test]
fn a_header_has_one_length() {
    let bytes = block(Vec::new()).header.encode();
    for found in [0, HEADER_LEN - 1, HEADER_LEN + 1] {
        let mut other = bytes.clone();
        other.resize(found, 0);
        assert_eq!(
            Header::decode(&other),
            Err(HeaderError::Length {
                expected: HEADER_LEN,
                found
            })
        );
    }
    assert!(Header::decode(&bytes).is_ok());
}

// test: HDR-02
#[test]
fn other_protocol_versions_are_refused() {
    let bytes = block(Vec::new()).header.encode();
    for found in [0, 2, 0x0100, u16::MAX] {
        let mut other = bytes.clone();
        other[..2].copy_from_slice(&found.to_be_bytes());
        assert_eq!(Header::decode(&other), Err(HeaderError::Version { found }));
    }
    assert!(Header::decode(&bytes).is_ok());
}

// test: HDR-03
#[test]
fn the_range_of_the_state_log_is_one() {
    let with = |start, end| {
        let mut header = block(Vec::new()).header;
        (header.state_log.start, header.state_log.end) = (start, end);
        Header::decode(&header.encode())
    };
    for (start, end) in [(0, 0), (9, 9), (10, 9), (0, (1 << 62) + 1), (0, u64::MAX)] {
        assert_eq!(with(start, end), Err(HeaderError::LogRange));
    }
    for (start, end) in [(0, 1), (8, 9), (0, 1 << 62)] {
        assert!(with(start, end).is_ok());
    }
}

// test: HDR-04
#[test]
fn a_block_has_a_greatest_number_of_operations() {
    let many = |count| Block::decode(&block(vec![vec![1]; count]).encode()).map(|_| ());
    let found = MAX_BLOCK_OPERATIONS + 1;
    assert_eq!(many(found), Err(HeaderError::TooManyOperations { found }));
    assert_eq!(many(MAX_BLOCK_OPERATIONS), Ok(()));
    let mut announced = block(Vec::new()).encode();
    announced[HEADER_LEN..].copy_from_slice(&u32::MAX.to_be_bytes());
    let found = u32::MAX as usize;
    assert_eq!(
        Block::decode(&announced),
        Err(HeaderError::TooManyOperations { found }),
        "nothing is reserved"
    );
}

// test: HDR-05
#[test]
fn an_operation_has_a_length_within_limits() {
    let one = |found| Block::decode(&block(vec![vec![1; found]]).encode()).map(|_| ());
    for found in [0, MAX_OPERATION_BYTES + 1] {
        assert_eq!(one(found), Err(HeaderError::OperationLength { found }));
    }
    assert_eq!((one(1), one(MAX_OPERATION_BYTES)), (Ok(()), Ok(())));
}

// test: HDR-06
#[test]
fn a_block_has_a_greatest_number_of_bytes() {
    let full = MAX_BLOCK_BYTES / MAX_OPERATION_BYTES;
    let mut operations = vec![vec![1; MAX_OPERATION_BYTES]; full];
    assert!(Block::decode(&block(operations.clone()).encode()).is_ok());
    operations.push(vec![1]);
    assert_eq!(
        Block::decode(&block(operations).encode()),
        Err(HeaderError::TooManyBytes)
    );
}

// test: HDR-07
#[test]
fn nothing_comes_before_or_after_a_block() {
    let block = block(vec![vec![1, 2], vec![3]]);
    let bytes = block.encode();
    assert_eq!(bytes.len(), block.encoded_len());
    let longer = [bytes.as_slice(), &[0]].concat();
    let (expected, found) = (bytes.len(), bytes.len() + 1);
    assert_eq!(
        Block::decode(&longer),
        Err(HeaderError::Length { expected, found })
    );
    for length in 0..bytes.len() {
        assert!(
            matches!(Block::decode(&bytes[..length]), Err(HeaderError::Length { .. })),
            "{length} bytes"
        );
    }
    assert_eq!(Block::decode(&bytes), Ok(block));
}

// test: HDR-08
#[test]
fn the_header_commits_to_the_operations() {
    let good = block(vec![vec![1, 2], vec![3]]);
    let others = [
        vec![],
        vec![vec![1, 2]],
        vec![vec![3], vec![1, 2]],
        vec![vec![1], vec![2, 3]],
        vec![vec![1, 2, 3]],
    ];
    for operations in others {
        let other = Block {
            operations,
            ..good.clone()
        };
        assert_eq!(Block::decode(&other.encode()), Err(HeaderError::OperationsRoot));
    }
    assert!(Block::decode(&good.encode()).is_ok());
}

// test: HDR-02
#[test]
fn every_byte_of_a_header_is_in_its_hash() {
    let header = block(Vec::new()).header;
    let bytes = header.encode();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = Header::decode(&changed) {
            assert_eq!(other.encode(), changed);
            assert_ne!(other.hash(), header.hash());
        }
    }
}

proptest! {
    #[test]
    fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Header::decode(&bytes);
        let _ = Block::decode(&[&[0, 1], bytes.as_slice()].concat());
    }
}

#[test]
fn a_header_is_frozen() {
    let block = block(vec![vec![1, 2], vec![3]]);
    let file = serde_json::json!({
        "description": "A header, its hash (SHA-256 of its bytes: the block's digest), and a block with it.",
        "source": "crates/ledger/tests/it/header.rs",
        "cases": [{
            "header": hex::encode(block.header.encode()),
            "hash": hex::encode(block.header.hash()),
            "operations_root": hex::encode(block.header.operations_root),
            "block": hex::encode(block.encode()),
        }],
    });
    frozen::compare("header.json", &file);
}
