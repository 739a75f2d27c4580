//! Writing the tree: what a block appends to the log.
//!
//! First the block's writes go into the open tree; then, if the log has become long, what is still
//! in force at its start is taken along; then everything new is laid out, children before their
//! page, in the order of the keys. All validators must come to the same items.

use super::{
    Item, Items, StoreError, Tree,
    page::{CHILDREN, Child, Decoded, Entry, Page, Root, Stored, decode, digit, parts, path},
    tree::{End, OpenEntry, OpenPage, Place, Slot},
};
use commonware_storage::mmr::Location;
use realdid_ledger::{StateKey, StateValue, state_tree::TreeHash};
use std::collections::BTreeSet;

/// The log may be so many times as long as what is in force, and [`SLACK`] longer.
pub(crate) const LENGTH: u64 = 4;
pub(crate) const SLACK: u64 = 1_024;

/// So many items at the start of a log that is too long are looked at for each one that a block
/// appends, and [`LOOKED_AT`] more.
const PER_APPENDED: u64 = 3;
const LOOKED_AT: u64 = 64;

/// What a block does to the log.
pub(crate) struct Update {
    /// What it appends.
    pub(crate) items: Vec<Item>,
    /// What its commit carries.
    pub(crate) root_item: Item,
    /// Where what is in force begins from now on.
    pub(crate) floor: Location,
    /// The root of the tree.
    pub(crate) root: TreeHash,
}

/// An item at the start of the log that may be in force still.
enum Old {
    Entry(Entry),
    Page(Box<Page>),
}

impl Old {
    const fn key(&self) -> &StateKey {
        match self {
            Self::Entry(entry) => &entry.key,
            Self::Page(page) => &page.path,
        }
    }
}

impl Update {
    /// What writing these values, the last under each key, does to a store. Nothing is deleted ever.
    ///
    /// # Errors
    ///
    /// As the store's.
    pub(crate) async fn of<I: Items>(
        items: &I,
        writes: &[(StateKey, StateValue)],
    ) -> Result<Self, StoreError> {
        let mut tree = Tree::open(items).await?;
        tree.reach(writes.iter().map(|(key, _)| key)).await?;
        for (key, value) in writes {
            tree.put(Entry::new(*key, *value));
        }
        tree.clear_start().await?;
        Ok(tree.lay_out())
    }
}

impl<I: Items> Tree<'_, I> {
    /// Writes an entry whose way is open to its end.
    fn put(&mut self, entry: Entry) {
        let key = entry.key;
        let new = self.entries.len();
        match self.end(&key) {
            End::Entry(_, index) if self.entries[index].entry.key == key => {
                self.entries[index] = OpenEntry { entry, at: None };
                self.touch(&key);
                return;
            }
            End::Entry(place, index) => self.part_from(place, index, &key, new),
            End::Nothing(place) | End::Closed(place) => {
                self.pages[place.page].slots[place.slot] = Slot::Entry(new);
            }
        }
        self.live += 1;
        self.entries.push(OpenEntry { entry, at: None });
        self.touch(&key);
    }

    /// Puts pages in an entry's place, down to where another key goes another way.
    fn part_from(&mut self, mut place: Place, index: usize, key: &StateKey, new: usize) {
        let before = self.entries[index].entry.key;
        loop {
            let level = self.pages[place.page].level + 1;
            let page = self.pages.len();
            self.pages.push(OpenPage {
                level,
                path: path(key, level),
                slots: [Slot::Closed(Child::Nothing); CHILDREN],
                stored: None,
            });
            self.live += 1;
            self.pages[place.page].slots[place.slot] = Slot::Page(page);
            let (old, slot) = (digit(&before, level), digit(key, level));
            self.pages[page].slots[old] = Slot::Entry(index);
            if old != slot {
                self.pages[page].slots[slot] = Slot::Entry(new);
                return;
            }
            place = Place { page, slot };
        }
    }

    /// Marks the open pages on a key's way as changed.
    fn touch(&mut self, key: &StateKey) {
        let mut page = 0;
        loop {
            self.pages[page].stored = None;
            match self.pages[page].slots[digit(key, self.pages[page].level)] {
                Slot::Page(index) => page = index,
                _ => return,
            }
        }
    }

    /// Lets the floor rise over what is out of date at the start of the log, and takes along what
    /// is not, if the log is too long.
    async fn clear_start(&mut self) -> Result<(), StoreError> {
        let end = self.items.size();
        let excess = (end - self.floor).saturating_sub(LENGTH * self.live + SLACK);
        let appended = self.count_new(0);
        let to = self.floor + excess.min(PER_APPENDED * appended + LOOKED_AT);
        let places: Vec<_> = (self.floor..to).map(Location::new).collect();
        if places.is_empty() {
            return Ok(());
        }
        let mut old = Vec::new();
        for (place, item) in places.iter().zip(self.items.items(&places).await?) {
            match item.map(|item| decode(&item)).transpose()? {
                Some(Decoded::Entry(entry)) => old.push((**place, Old::Entry(entry))),
                Some(Decoded::Page(page)) => old.push((**place, Old::Page(Box::new(page)))),
                Some(Decoded::Root(_)) | None => {}
            }
        }
        let moved = self.take_along(old).await?;
        // A page that has to be written anew takes its other old children along, too: they would
        // have it written again soon.
        self.take_neighbours(moved, to + (end - to) / 2).await?;
        self.floor = to;
        Ok(())
    }

    /// Takes along those that are in force. Gives the pages they are in.
    async fn take_along(&mut self, mut old: Vec<(u64, Old)>) -> Result<BTreeSet<usize>, StoreError> {
        let mut pages = BTreeSet::new();
        loop {
            let mut closed = Vec::new();
            let mut unclear = Vec::new();
            for (at, item) in old {
                match self.find(at, &item) {
                    Found::OutOfDate => {}
                    Found::Behind(place) => {
                        closed.push(place);
                        unclear.push((at, item));
                    }
                    Found::InForce(place) => {
                        pages.insert(place.page);
                        self.renew(place, item);
                    }
                }
            }
            if unclear.is_empty() {
                return Ok(pages);
            }
            self.load(&closed).await?;
            old = unclear;
        }
    }

    /// Whether an item of the log is in force: the tree leads to it.
    fn find(&self, at: u64, item: &Old) -> Found {
        let mut page = 0;
        loop {
            let level = self.pages[page].level;
            let place = Place {
                page,
                slot: digit(item.key(), level),
            };
            let here = match item {
                Old::Entry(_) => true,
                Old::Page(old) => old.level == level + 1,
            };
            match self.slot(place) {
                Slot::Closed(Child::Entry(stored) | Child::Page(stored)) if stored.at == at => {
                    return Found::InForce(place);
                }
                // What a page leads to was written before it.
                Slot::Closed(Child::Page(stored))
                    if stored.at > at && !matches!(item, Old::Page(_) if here) =>
                {
                    return Found::Behind(place);
                }
                Slot::Entry(index) if self.entries[index].at == Some(at) => return Found::InForce(place),
                Slot::Page(index) if self.pages[index].stored.is_some_and(|stored| stored.at == at) => {
                    return Found::InForce(place);
                }
                Slot::Page(index) if !matches!(item, Old::Page(_) if here) => page = index,
                _ => return Found::OutOfDate,
            }
        }
    }

    /// Has an item in force written anew.
    fn renew(&mut self, place: Place, item: Old) {
        let slot = match (self.slot(place), item) {
            (Slot::Entry(index), _) => {
                self.entries[index].at = None;
                Slot::Entry(index)
            }
            (Slot::Page(index), _) => {
                self.pages[index].stored = None;
                Slot::Page(index)
            }
            (Slot::Closed(_), Old::Entry(entry)) => {
                self.entries.push(OpenEntry { entry, at: None });
                Slot::Entry(self.entries.len() - 1)
            }
            (Slot::Closed(_), Old::Page(page)) => {
                self.pages.push(OpenPage {
                    level: page.level,
                    path: page.path,
                    slots: page.children.map(Slot::Closed),
                    stored: None,
                });
                Slot::Page(self.pages.len() - 1)
            }
        };
        self.pages[place.page].slots[place.slot] = slot;
        let key = self.pages[place.page].path;
        self.touch_to(&key, place.page);
    }

    /// Marks a page and those above it as changed.
    fn touch_to(&mut self, key: &StateKey, last: usize) {
        let mut page = 0;
        loop {
            self.pages[page].stored = None;
            if page == last {
                return;
            }
            match self.pages[page].slots[digit(key, self.pages[page].level)] {
                Slot::Page(index) => page = index,
                _ => return,
            }
        }
    }

    /// Has the children of pages that lie before `limit` written anew.
    async fn take_neighbours(&mut self, pages: BTreeSet<usize>, limit: u64) -> Result<(), StoreError> {
        let places: Vec<_> = pages
            .into_iter()
            .flat_map(|page| (0..CHILDREN).map(move |slot| Place { page, slot }))
            .filter(|place| self.stored_at(*place).is_some_and(|at| at < limit))
            .collect();
        self.load(&places).await?;
        for place in places {
            match self.slot(place) {
                Slot::Entry(index) => self.entries[index].at = None,
                Slot::Page(index) => self.pages[index].stored = None,
                Slot::Closed(_) => {}
            }
        }
        Ok(())
    }

    fn stored_at(&self, place: Place) -> Option<u64> {
        match self.slot(place) {
            Slot::Closed(Child::Nothing) => None,
            Slot::Closed(Child::Entry(stored) | Child::Page(stored)) => Some(stored.at),
            Slot::Entry(index) => self.entries[index].at,
            Slot::Page(index) => self.pages[index].stored.map(|stored| stored.at),
        }
    }

    /// How many items a changed page and what is under it will append.
    fn count_new(&self, page: usize) -> u64 {
        let slots = &self.pages[page].slots;
        slots.iter().fold(0, |sum, slot| {
            sum + match slot {
                Slot::Entry(index) if self.entries[*index].at.is_none() => 1,
                Slot::Page(index) if self.pages[*index].stored.is_none() => 1 + self.count_new(*index),
                _ => 0,
            }
        })
    }

    /// The new items in their order.
    fn lay_out(self) -> Update {
        let mut items = Vec::new();
        let children = self.children(0, &mut items);
        let root = Root {
            children,
            live: self.live,
            floor: self.floor,
        };
        Update {
            items,
            root_item: root.encode(),
            floor: Location::new(self.floor),
            root: parts(&children)[1].1,
        }
    }

    fn children(&self, page: usize, items: &mut Vec<Item>) -> [Child; CHILDREN] {
        self.pages[page].slots.map(|slot| match slot {
            Slot::Closed(child) => child,
            Slot::Entry(index) => {
                let OpenEntry { entry, at } = &self.entries[index];
                let at = at.unwrap_or_else(|| self.append(entry.encode(), items));
                Child::Entry(Stored { at, hash: entry.hash })
            }
            Slot::Page(index) => {
                let open = &self.pages[index];
                Child::Page(open.stored.unwrap_or_else(|| {
                    let children = self.children(index, items);
                    let hash = parts(&children)[1].1;
                    let (level, path) = (open.level, open.path);
                    let page = Page {
                        level,
                        path,
                        children,
                    };
                    let at = self.append(page.encode(), items);
                    Stored { at, hash }
                }))
            }
        })
    }

    fn append(&self, item: Item, items: &mut Vec<Item>) -> u64 {
        items.push(item);
        self.items.size() + items.len() as u64 - 1
    }
}

/// What the tree says about an item.
enum Found {
    OutOfDate,
    InForce(Place),
    /// That is to be seen behind a page that is not open.
    Behind(Place),
}
