//! The state's store: the ledger's [tree](realdid_ledger::state_tree) in an append-only log of the
//! engine.
//!
//! The log (`keyless` QMDB) keeps items of one length and finds them by their place. Everything that
//! makes it a store is the engine's: files, checksums, recovery, pruning, the Merkle tree over its
//! items, and its synchronisation to new nodes. Entries and pages of the tree are items; what a block
//! changes is appended, from the entries up, and its commit carries the root page. So nothing has to
//! be kept in memory, a restart reads one item, and forks of the state are batches that differ.
//!
//! What is out of date stays behind in the log. The [`floor`](page::Root) rises over it: blocks carry
//! on what is still needed there, by a rule that all validators follow, since the log's root is in
//! the header.

mod page;
mod tree;
mod update;

use commonware_cryptography::sha256::Sha256;
use commonware_glue::stateful::db::{
    Shared,
    keyless::standard::{KeylessMerkleized, KeylessUnmerkleized},
};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::{
    Context,
    journal::contiguous::fixed::{Config as LogConfig, Journal},
    mmr::{self, Location, full::Config as TreeConfig},
    qmdb::{
        Error,
        any::value::FixedEncoding,
        keyless::fixed::{self, Config},
    },
};
use commonware_utils::{NZU64, NZUsize, sequence::FixedBytes};
use std::{future::Future, num::NonZeroU64};

pub(crate) use page::ITEM_LEN;
pub(crate) use tree::Tree;
pub(crate) use update::Update;
#[cfg(test)]
pub(crate) use update::{LENGTH, SLACK};

/// An item of the log.
pub(crate) type Item = FixedBytes<ITEM_LEN>;

/// What the log holds: items, and commits with the root page.
pub(crate) type Operation = fixed::Operation<mmr::Family, Item>;

/// The store.
pub(crate) type StateDb<E> = fixed::Db<mmr::Family, E, Item, Sha256, Sequential>;

/// The store as the engine shares it between its actors.
pub(crate) type StateSet<E> = Shared<StateDb<E>>;

pub(crate) type Merkleized<E> =
    KeylessMerkleized<mmr::Family, E, FixedEncoding<Item>, Journal<E, Operation>, Sha256, Sequential>;
pub(crate) type Unmerkleized<E> =
    KeylessUnmerkleized<mmr::Family, E, FixedEncoding<Item>, Journal<E, Operation>, Sha256, Sequential>;

pub(crate) type StoreError = Error<mmr::Family>;

/// Bytes of a page of the stores on disk.
pub(crate) const PAGE_BYTES: usize = 4_096;

/// Items of the log in one file, about 112 MB: what is out of date goes in files. Each is held open.
const FILE_ITEMS: NonZeroU64 = NZU64!(262_144);

/// Where items are read: a store, or a fork of it that is not final.
pub(crate) trait Items: Sync {
    /// How many items there are, those that are gone included.
    fn size(&self) -> u64;

    /// The items at these places, which ascend. The first commit of all has none.
    fn items(
        &self,
        places: &[Location],
    ) -> impl Future<Output = Result<Vec<Option<Item>>, StoreError>> + Send;
}

impl<E: Context> Items for StateDb<E> {
    fn size(&self) -> u64 {
        *self.bounds().end
    }

    async fn items(&self, places: &[Location]) -> Result<Vec<Option<Item>>, StoreError> {
        self.get_many(places).await
    }
}

impl<E: Context> Items for Unmerkleized<E> {
    fn size(&self) -> u64 {
        *(**self).size()
    }

    async fn items(&self, places: &[Location]) -> Result<Vec<Option<Item>>, StoreError> {
        self.get_many(places).await
    }
}

/// Configuration of the store in partitions that start with `prefix`.
pub(crate) fn config(prefix: &str, page_cache: CacheRef) -> Config<Sequential> {
    Config {
        merkle: TreeConfig {
            journal_partition: format!("{prefix}-state-tree-nodes"),
            metadata_partition: format!("{prefix}-state-tree-pins"),
            items_per_blob: NZU64!(FILE_ITEMS.get() * 4),
            write_buffer: NZUsize!(PAGE_BYTES * 16),
            replay_buffer: NZUsize!(1 << 20),
            strategy: Sequential,
            page_cache: page_cache.clone(),
        },
        log: LogConfig {
            partition: format!("{prefix}-state-log"),
            items_per_blob: FILE_ITEMS,
            page_cache,
            write_buffer: NZUsize!(PAGE_BYTES * 16),
            replay_buffer: NZUsize!(1 << 20),
        },
    }
}
