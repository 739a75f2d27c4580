//! The state's store: a QMDB with proofs of presence and absence.

use crate::wiring::PAGE_BYTES;
use commonware_cryptography::sha256::Sha256;
use commonware_glue::stateful::db::{DatabaseSet, Shared};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::{
    journal::contiguous::fixed::Config as LogConfig,
    mmr::{self, full::Config as TreeConfig},
    qmdb::{
        any::ordered::fixed,
        current::{FixedConfig, ordered},
    },
    translator::EightCap,
};
use commonware_utils::{NZU64, NZUsize, sequence::FixedBytes};
use realdid_ledger::{STATE_BITMAP_CHUNK, VALUE_LEN};

pub(crate) type Key = FixedBytes<32>;
pub(crate) type Value = FixedBytes<VALUE_LEN>;
pub(crate) type Update = fixed::Update<Key, Value>;
pub(crate) type Operation = fixed::Operation<mmr::Family, Key, Value>;

/// The store.
pub(crate) type StateDb<E> =
    ordered::fixed::Db<mmr::Family, E, Key, Value, Sha256, EightCap, STATE_BITMAP_CHUNK, Sequential>;

/// The store as the engine shares it between its actors.
pub(crate) type StateSet<E> = Shared<StateDb<E>>;

pub(crate) type Merkleized<E> = <StateSet<E> as DatabaseSet<E>>::Merkleized;
pub(crate) type Unmerkleized<E> = <StateSet<E> as DatabaseSet<E>>::Unmerkleized;

/// Configuration of the store in partitions that start with `prefix`.
pub(crate) fn config(prefix: &str, page_cache: CacheRef) -> FixedConfig<EightCap, Sequential> {
    FixedConfig {
        merkle_config: TreeConfig {
            journal_partition: format!("{prefix}-state-tree-nodes"),
            metadata_partition: format!("{prefix}-state-tree-pins"),
            items_per_blob: NZU64!(65_536),
            write_buffer: NZUsize!(PAGE_BYTES * 16),
            replay_buffer: NZUsize!(1 << 20),
            strategy: Sequential,
            page_cache: page_cache.clone(),
        },
        journal_config: LogConfig {
            partition: format!("{prefix}-state-log"),
            items_per_blob: NZU64!(16_384),
            page_cache,
            write_buffer: NZUsize!(PAGE_BYTES * 16),
            replay_buffer: NZUsize!(1 << 20),
        },
        grafted_metadata_partition: format!("{prefix}-state-bitmap"),
        translator: EightCap,
        init_cache: Some(NZUsize!(65_536)),
        init_buffer: NZUsize!(1 << 21),
        init_concurrency: (),
    }
}
