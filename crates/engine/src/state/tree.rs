//! Reading the tree: values and proofs. What was read stays open in memory for as long as a
//! [`Tree`] lives, which is for one question or one block.

use super::{
    Items, StoreError,
    page::{
        CHILDREN, Child, Decoded, Entry, Holds, PAGE_BITS, Page, Parts, Root, Stored, decode, digit, parts,
    },
};
use commonware_storage::mmr::Location;
use realdid_ledger::{
    OtherEntry, PathEnd, PrefixProof, StateKey, StateProof, StateValue,
    state_tree::{MAX_DEPTH, TreeHash, goes_right, value_hash},
};

/// A child of an open page.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    Closed(Child),
    /// An entry in memory.
    Entry(usize),
    /// A page in memory.
    Page(usize),
}

/// A page in memory.
pub(super) struct OpenPage {
    pub(super) level: usize,
    pub(super) path: StateKey,
    pub(super) slots: [Slot; CHILDREN],
    /// Where it lies in the log, unless it is new or has changed.
    pub(super) stored: Option<Stored>,
}

/// An entry in memory.
pub(super) struct OpenEntry {
    pub(super) entry: Entry,
    /// Where it lies in the log, unless it is new, has changed or has to move.
    pub(super) at: Option<u64>,
}

/// A child of an open page, by the page and its number.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Place {
    pub(super) page: usize,
    pub(super) slot: usize,
}

/// Where the way of a key ends in memory.
pub(super) enum End {
    /// At something that is not in memory.
    Closed(Place),
    Nothing(Place),
    Entry(Place, usize),
}

/// The open part of the tree.
pub(crate) struct Tree<'a, I> {
    pub(super) items: &'a I,
    /// The root is the first.
    pub(super) pages: Vec<OpenPage>,
    pub(super) entries: Vec<OpenEntry>,
    pub(super) live: u64,
    pub(super) floor: u64,
}

fn damaged() -> StoreError {
    StoreError::DataCorrupted("the tree of the state is none")
}

impl<'a, I: Items> Tree<'a, I> {
    /// The tree as the last commit left it.
    ///
    /// # Errors
    ///
    /// As the store's, here and below.
    pub(crate) async fn open(items: &'a I) -> Result<Self, StoreError> {
        let last = Location::new(items.size().saturating_sub(1));
        let root = match items.items(&[last]).await?.pop().flatten() {
            // Before the first block.
            None => Root::EMPTY,
            Some(item) => match decode(&item)? {
                Decoded::Root(root) => root,
                _ => return Err(damaged()),
            },
        };
        Ok(Self {
            items,
            pages: vec![OpenPage {
                level: 0,
                path: [0; 32],
                slots: root.children.map(Slot::Closed),
                stored: None,
            }],
            entries: Vec::new(),
            live: root.live,
            floor: root.floor,
        })
    }

    /// The values of keys, in their order.
    pub(crate) async fn values(&mut self, keys: &[StateKey]) -> Result<Vec<Option<StateValue>>, StoreError> {
        self.reach(keys.iter()).await?;
        let value = |key: &StateKey| match self.end(key) {
            End::Entry(_, index) if self.entries[index].entry.key == *key => {
                Some(*self.entries[index].entry.value)
            }
            _ => None,
        };
        Ok(keys.iter().map(value).collect())
    }

    /// The proof of a key's value or absence.
    pub(crate) async fn prove(&mut self, key: &StateKey) -> Result<StateProof, StoreError> {
        let (siblings, part) = self.walk(key, MAX_DEPTH).await?;
        let end = match part {
            Part::Nothing => PathEnd::Nothing,
            Part::Entry(entry) if entry.key == *key => PathEnd::Value(entry.value),
            Part::Entry(entry) => PathEnd::Other(other(&entry)),
            Part::More(..) => return Err(damaged()),
        };
        Ok(StateProof { siblings, end })
    }

    /// The proof of all entries whose keys start with the first `bits` bits of `lowest`, the lowest
    /// such key. `None` if there are more than `max`.
    pub(crate) async fn prove_prefix(
        &mut self,
        lowest: &StateKey,
        bits: u8,
        max: usize,
    ) -> Result<Option<PrefixProof>, StoreError> {
        let (siblings, part) = self.walk(lowest, usize::from(bits)).await?;
        let own = |key: &StateKey| realdid_ledger::state_tree::common_bits(key, lowest) >= usize::from(bits);
        let (other, entries) = match part {
            Part::Nothing => (None, Vec::new()),
            Part::Entry(entry) if own(&entry.key) => (None, vec![(entry.key, *entry.value)]),
            Part::Entry(entry) => (Some(other(&entry)), Vec::new()),
            Part::More(page, part) => match self.all_of(page, part, max).await? {
                Some(entries) => (None, entries),
                None => return Ok(None),
            },
        };
        let proof = PrefixProof {
            siblings,
            other,
            entries,
        };
        Ok((proof.entries.len() <= max).then_some(proof))
    }

    /// Follows the way of a key for so many bits at most, or to where there is one entry or none.
    /// Gives the hashes of the other halves, and what is there.
    async fn walk(&mut self, key: &StateKey, bits: usize) -> Result<(Vec<TreeHash>, Part), StoreError> {
        let (mut siblings, mut page) = (Vec::new(), 0);
        loop {
            let (parts, mut part) = (self.parts(page), 1);
            for depth in (self.pages[page].level * PAGE_BITS..).take(PAGE_BITS + 1) {
                match parts[part].0 {
                    Holds::Nothing => return Ok((siblings, Part::Nothing)),
                    Holds::Entry(slot) => {
                        let entry = self.entry(Place { page, slot }).await?;
                        return Ok((siblings, Part::Entry(entry)));
                    }
                    Holds::More if depth >= bits => return Ok((siblings, Part::More(page, part))),
                    Holds::More if part >= CHILDREN => break,
                    // Two keys differ in their last bit, if not before.
                    Holds::More if depth >= MAX_DEPTH => return Err(damaged()),
                    Holds::More => {
                        let right = usize::from(goes_right(key, depth));
                        siblings.push(parts[2 * part + 1 - right].1);
                        part = 2 * part + right;
                    }
                }
            }
            let slot = part - CHILDREN;
            page = self.page(Place { page, slot }).await?;
        }
    }

    /// All entries in a part of a page, ascending; `None` if there are more than `max`.
    async fn all_of(
        &mut self,
        page: usize,
        part: usize,
        max: usize,
    ) -> Result<Option<Vec<(StateKey, StateValue)>>, StoreError> {
        let depth = part.ilog2() as usize;
        let width = CHILDREN >> depth;
        let first = (part << (PAGE_BITS - depth)) - CHILDREN;
        let mut places: Vec<_> = (first..first + width).map(|slot| Place { page, slot }).collect();
        let mut found = Vec::new();
        while !places.is_empty() {
            self.load(&places).await?;
            let (mut next, mut under) = (Vec::new(), 0);
            for place in places {
                match self.slot(place) {
                    Slot::Entry(index) => {
                        let entry = &self.entries[index].entry;
                        found.push((entry.key, *entry.value));
                    }
                    Slot::Page(page) => {
                        under += 1;
                        next.extend((0..CHILDREN).map(|slot| Place { page, slot }));
                    }
                    Slot::Closed(_) => {}
                }
            }
            // Each page has at least two entries.
            if found.len() + 2 * under > max {
                return Ok(None);
            }
            places = next;
        }
        found.sort_unstable_by_key(|(key, _)| *key);
        Ok(Some(found))
    }

    fn parts(&self, page: usize) -> Parts {
        parts(&self.pages[page].slots.map(|slot| match slot {
            Slot::Closed(child) => child,
            Slot::Entry(index) => {
                let OpenEntry { entry, at } = &self.entries[index];
                Child::Entry(Stored {
                    at: at.unwrap_or(0),
                    hash: entry.hash,
                })
            }
            Slot::Page(index) => {
                let computed = || Stored {
                    at: 0,
                    hash: self.parts(index)[1].1,
                };
                Child::Page(self.pages[index].stored.unwrap_or_else(computed))
            }
        }))
    }

    pub(super) fn slot(&self, place: Place) -> Slot {
        self.pages[place.page].slots[place.slot]
    }

    async fn entry(&mut self, place: Place) -> Result<Entry, StoreError> {
        self.load(&[place]).await?;
        match self.slot(place) {
            Slot::Entry(index) => Ok(self.entries[index].entry.clone()),
            _ => Err(damaged()),
        }
    }

    async fn page(&mut self, place: Place) -> Result<usize, StoreError> {
        self.load(&[place]).await?;
        match self.slot(place) {
            Slot::Page(index) => Ok(index),
            _ => Err(damaged()),
        }
    }

    /// Where the way of a key ends, as far as the tree is open.
    pub(super) fn end(&self, key: &StateKey) -> End {
        let mut page = 0;
        loop {
            let slot = digit(key, self.pages[page].level);
            let place = Place { page, slot };
            match self.slot(place) {
                Slot::Closed(Child::Nothing) => return End::Nothing(place),
                Slot::Closed(_) => return End::Closed(place),
                Slot::Entry(index) => return End::Entry(place, index),
                Slot::Page(index) => page = index,
            }
        }
    }

    /// Opens the ways of keys to their ends, a level of pages at a time.
    pub(super) async fn reach(
        &mut self,
        keys: impl Iterator<Item = &StateKey> + Clone + Send,
    ) -> Result<(), StoreError> {
        loop {
            let closed: Vec<_> = keys
                .clone()
                .filter_map(|key| match self.end(key) {
                    End::Closed(place) => Some(place),
                    _ => None,
                })
                .collect();
            if closed.is_empty() {
                return Ok(());
            }
            self.load(&closed).await?;
        }
    }

    /// Opens children, unless there are none or they are open.
    pub(super) async fn load(&mut self, places: &[Place]) -> Result<(), StoreError> {
        let stored = |place: &Place| match self.slot(*place) {
            Slot::Closed(Child::Entry(stored) | Child::Page(stored)) => Some((stored.at, *place)),
            _ => None,
        };
        let mut wanted: Vec<_> = places.iter().filter_map(stored).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let locations: Vec<_> = wanted.iter().map(|(at, _)| Location::new(*at)).collect();
        if locations.is_empty() {
            return Ok(());
        }
        let items = self.items.items(&locations).await?;
        for ((_, place), item) in wanted.into_iter().zip(items) {
            let decoded = decode(&item.ok_or_else(damaged)?)?;
            self.attach(place, decoded)?;
        }
        Ok(())
    }

    fn attach(&mut self, place: Place, decoded: Decoded) -> Result<(), StoreError> {
        let level = self.pages[place.page].level + 1;
        let slot = match (self.slot(place), decoded) {
            (Slot::Closed(Child::Entry(stored)), Decoded::Entry(entry)) if entry.hash == stored.hash => {
                let at = Some(stored.at);
                self.entries.push(OpenEntry { entry, at });
                Slot::Entry(self.entries.len() - 1)
            }
            (Slot::Closed(Child::Page(stored)), Decoded::Page(page)) if page.level == level => {
                self.pages.push(OpenPage::new(page, stored));
                Slot::Page(self.pages.len() - 1)
            }
            _ => return Err(damaged()),
        };
        self.pages[place.page].slots[place.slot] = slot;
        Ok(())
    }
}

impl OpenPage {
    fn new(page: Page, stored: Stored) -> Self {
        Self {
            level: page.level,
            path: page.path,
            slots: page.children.map(Slot::Closed),
            stored: Some(stored),
        }
    }
}

/// What is at the end of a walk: a part of a page, if more than one entry.
enum Part {
    Nothing,
    Entry(Entry),
    More(usize, usize),
}

fn other(entry: &Entry) -> OtherEntry {
    OtherEntry {
        key: entry.key,
        value_hash: value_hash(&entry.value),
    }
}
