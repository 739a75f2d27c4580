//! The items of the log: entries, and pages of the tree, three levels of it in each.
//!
//! ```text
//! entry  0 ‖ key (32) ‖ value (384)
//! page   1 ‖ level (1) ‖ path (32) ‖ 8 × child
//! root   2 ‖ 0 (1)     ‖ 0 (32)    ‖ 8 × child ‖ live (8) ‖ floor (8)
//! child  kind (1): 0 nothing, 1 entry, 2 page ‖ place (8) ‖ hash (32)
//! ```
//!
//! Numbers are big-endian, an item is filled up with zeros. A page of level n branches by the bits
//! 3n to 3n + 2 of a key; its path is the bits before, the others zero.

use super::{Item, StoreError};
use realdid_ledger::{
    StateKey, StateValue, VALUE_LEN,
    state_tree::{EMPTY, TreeHash, entry_hash, halves_hash, value_hash},
};

/// Bytes of an item: an entry's.
pub(crate) const ITEM_LEN: usize = 1 + 32 + VALUE_LEN;

/// Levels of the tree in a page.
pub(super) const PAGE_BITS: usize = 3;

/// Children of a page.
pub(super) const CHILDREN: usize = 1 << PAGE_BITS;

const ENTRY: u8 = 0;
const PAGE: u8 = 1;
const ROOT: u8 = 2;
const CHILD_LEN: usize = 1 + 8 + 32;

/// An item that lies in the log, by its place and its hash in the tree.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Stored {
    pub(super) at: u64,
    pub(super) hash: TreeHash,
}

/// What a page has under three bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Child {
    Nothing,
    Entry(Stored),
    Page(Stored),
}

/// An entry of the state.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) key: StateKey,
    pub(super) value: Box<StateValue>,
    pub(super) hash: TreeHash,
}

/// A page of the tree.
pub(super) struct Page {
    pub(super) level: usize,
    pub(super) path: StateKey,
    pub(super) children: [Child; CHILDREN],
}

/// The uppermost page, and what there is to know about the log.
pub(super) struct Root {
    pub(super) children: [Child; CHILDREN],
    /// Items that are in force: entries and pages but the root.
    pub(super) live: u64,
    /// All items in force lie here or behind.
    pub(super) floor: u64,
}

/// An item read.
pub(super) enum Decoded {
    Entry(Entry),
    Page(Page),
    Root(Root),
}

impl Entry {
    pub(super) fn new(key: StateKey, value: StateValue) -> Self {
        Self {
            key,
            hash: entry_hash(&key, &value_hash(&value)),
            value: Box::new(value),
        }
    }

    pub(super) fn encode(&self) -> Item {
        let mut out = [0; ITEM_LEN];
        out[0] = ENTRY;
        out[1..33].copy_from_slice(&self.key);
        out[33..].copy_from_slice(&*self.value);
        Item::new(out)
    }
}

impl Page {
    pub(super) fn encode(&self) -> Item {
        let mut out = Writer::new(PAGE, u8::try_from(self.level).unwrap_or(u8::MAX), &self.path);
        out.children(&self.children);
        Item::new(out.bytes)
    }
}

impl Root {
    pub(super) const EMPTY: Self = Self {
        children: [Child::Nothing; CHILDREN],
        live: 0,
        floor: 0,
    };

    pub(super) fn encode(&self) -> Item {
        let mut out = Writer::new(ROOT, 0, &[0; 32]);
        out.children(&self.children);
        out.put(&self.live.to_be_bytes());
        out.put(&self.floor.to_be_bytes());
        Item::new(out.bytes)
    }
}

/// Reads an item that this module wrote, on this machine or, by what the header says about the log,
/// on another one.
///
/// # Errors
///
/// If it is none.
pub(super) fn decode(item: &Item) -> Result<Decoded, StoreError> {
    let mut bytes: &[u8] = item;
    let decoded = take(&mut bytes).and_then(|[kind]| read(kind, &mut bytes));
    decoded.ok_or(StoreError::DataCorrupted("an item of the state is none"))
}

fn read(kind: u8, bytes: &mut &[u8]) -> Option<Decoded> {
    if kind == ENTRY {
        return Some(Decoded::Entry(Entry::new(take(bytes)?, take(bytes)?)));
    }
    let [level] = take(bytes)?;
    let path = take(bytes)?;
    let mut children = [Child::Nothing; CHILDREN];
    for child in &mut children {
        let ([kind], at, hash) = (take(bytes)?, take(bytes)?, take(bytes)?);
        let at = u64::from_be_bytes(at);
        *child = match kind {
            0 => Child::Nothing,
            1 => Child::Entry(Stored { at, hash }),
            2 => Child::Page(Stored { at, hash }),
            _ => return None,
        };
    }
    match kind {
        PAGE => Some(Decoded::Page(Page {
            level: usize::from(level),
            path,
            children,
        })),
        ROOT => Some(Decoded::Root(Root {
            children,
            live: u64::from_be_bytes(take(bytes)?),
            floor: u64::from_be_bytes(take(bytes)?),
        })),
        _ => None,
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

struct Writer {
    bytes: [u8; ITEM_LEN],
    len: usize,
}

const _: () = assert!(
    2 + 32 + CHILDREN * CHILD_LEN + 16 <= ITEM_LEN,
    "a root fits an item"
);

impl Writer {
    fn new(kind: u8, level: u8, path: &StateKey) -> Self {
        let mut writer = Self {
            bytes: [0; ITEM_LEN],
            len: 0,
        };
        writer.put(&[kind, level]);
        writer.put(path);
        writer
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn children(&mut self, children: &[Child; CHILDREN]) {
        for child in children {
            let (kind, Stored { at, hash }) = match child {
                Child::Nothing => (0, Stored { at: 0, hash: EMPTY }),
                Child::Entry(stored) => (1, *stored),
                Child::Page(stored) => (2, *stored),
            };
            self.put(&[kind]);
            self.put(&at.to_be_bytes());
            self.put(&hash);
        }
    }
}

/// What a part of a page holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Holds {
    Nothing,
    /// One entry, which is this child.
    Entry(usize),
    More,
}

/// Parts of a page: the whole at 1, the halves of part n at 2n and 2n + 1, the children from 8 on.
pub(super) type Parts = [(Holds, TreeHash); 2 * CHILDREN];

/// The parts of a page with these children.
pub(super) fn parts(children: &[Child; CHILDREN]) -> Parts {
    let mut parts = [(Holds::Nothing, EMPTY); 2 * CHILDREN];
    for (index, child) in children.iter().enumerate() {
        parts[CHILDREN + index] = match child {
            Child::Nothing => (Holds::Nothing, EMPTY),
            Child::Entry(stored) => (Holds::Entry(index), stored.hash),
            Child::Page(stored) => (Holds::More, stored.hash),
        };
    }
    for part in (1..CHILDREN).rev() {
        let (left, right) = (parts[2 * part], parts[2 * part + 1]);
        parts[part] = match (left.0, right.0) {
            (Holds::Nothing, Holds::Nothing | Holds::Entry(_)) => right,
            (Holds::Entry(_), Holds::Nothing) => left,
            _ => (Holds::More, halves_hash(&left.1, &right.1)),
        };
    }
    parts
}

/// Which child of a page of this level a key belongs to. Behind the key's last bit there are zeros.
pub(super) fn digit(key: &StateKey, level: usize) -> usize {
    let bit = PAGE_BITS * level;
    let byte = |at: usize| u16::from(key.get(at).copied().unwrap_or(0));
    let two = byte(bit / 8) << 8 | byte(bit / 8 + 1);
    usize::from(two >> (16 - PAGE_BITS - bit % 8)) % CHILDREN
}

/// The first bits of a key, as the path of a page of this level.
pub(super) fn path(key: &StateKey, level: usize) -> StateKey {
    let bits = PAGE_BITS * level;
    let mut path = *key;
    for (index, byte) in path.iter_mut().enumerate() {
        let kept = bits.saturating_sub(8 * index).min(8);
        *byte &= !(0xff_u16 >> kept) as u8;
    }
    path
}
