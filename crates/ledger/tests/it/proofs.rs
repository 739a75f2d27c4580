//! Makes what a node makes: state proofs out of the engine's store, certificates under the network key.

use std::collections::BTreeMap;

use commonware_codec::{Encode as _, varint::UInt};
use commonware_cryptography::bls12381::primitives::{group::Private, ops::sign_message, variant::MinSig};
use commonware_cryptography::sha256::Sha256;
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_runtime::{Runner as _, deterministic};
use commonware_storage::journal::contiguous::fixed::Config as LogConfig;
use commonware_storage::mmr;
use commonware_storage::mmr::full::Config as TreeConfig;
use commonware_storage::qmdb::any::ordered::fixed::Update;
use commonware_storage::qmdb::current::{FixedConfig, ordered, ordered::proof::constant::ExclusionProof};
use commonware_storage::qmdb::floor::Proportional;
use commonware_storage::translator::EightCap;
use commonware_utils::{NZU16, NZU64, NZUsize, sequence::FixedBytes};
use realdid_crypto::base64url_encode;
use realdid_ledger::{
    FinalityProof, Header, PrefixAnswer, PrefixProof, STATE_BITMAP_CHUNK, StateAnswer, StateKey, StateLog,
    StateProof, StateValue, VALUE_LEN, consensus_namespace, prefix_range,
};

use crate::world::{Ledger, World};

type Key = FixedBytes<32>;
type Value = FixedBytes<VALUE_LEN>;
type Db = ordered::fixed::Db<
    mmr::Family,
    deterministic::Context,
    Key,
    Value,
    Sha256,
    EightCap,
    STATE_BITMAP_CHUNK,
    Sequential,
>;

fn config() -> FixedConfig<EightCap, Sequential> {
    let page_cache = CacheRef::new(NZU16!(4_084), NZUsize!(64));
    FixedConfig {
        merkle_config: TreeConfig {
            journal_partition: "nodes".to_owned(),
            metadata_partition: "pins".to_owned(),
            items_per_blob: NZU64!(1_024),
            write_buffer: NZUsize!(4_096),
            replay_buffer: NZUsize!(4_096),
            strategy: Sequential,
            page_cache: page_cache.clone(),
        },
        journal_config: LogConfig {
            partition: "log".to_owned(),
            items_per_blob: NZU64!(1_024),
            page_cache,
            write_buffer: NZUsize!(4_096),
            replay_buffer: NZUsize!(4_096),
        },
        grafted_metadata_partition: "bitmap".to_owned(),
        translator: EightCap,
        init_cache: None,
        init_buffer: NZUsize!(4_096),
        init_concurrency: (),
    }
}

/// A state with its root, and for each key of interest the proof of the span that covers it.
pub struct Proven {
    pub root: [u8; 32],
    spans: BTreeMap<StateKey, StateProof>,
}

/// Puts a state into a store of the engine's kind. Each key is written twice, as in real life, so
/// that the log holds writes that are no longer in force.
pub fn prove(values: &BTreeMap<StateKey, StateValue>, keys: &[StateKey]) -> Proven {
    prove_rewritten(values, keys, 1)
}

/// As [`prove`], but each key is written so many times before its value is.
pub fn prove_rewritten(values: &BTreeMap<StateKey, StateValue>, keys: &[StateKey], before: usize) -> Proven {
    let (values, keys) = (values.clone(), keys.to_vec());
    deterministic::Runner::default().start(|context| async move {
        let mut db = Db::init(context, config(), None).await.unwrap();
        for half_done in std::iter::repeat_n(true, before).chain([false]) {
            let mut batch = db.new_batch();
            for (key, value) in &values {
                let value = if half_done { [0; VALUE_LEN] } else { *value };
                batch = batch.write(Key::new(*key), Some(Value::new(value)));
            }
            let merkleized = batch.merkleize(&db, None, &mut Proportional).await.unwrap();
            db = db.apply_batch(merkleized).await.unwrap();
        }
        let mut spans = BTreeMap::new();
        for key in keys.into_iter().chain(values.keys().copied()) {
            spans.insert(key, span(&db, key).await);
        }
        Proven {
            root: db.root().0,
            spans,
        }
    })
}

async fn span(db: &Db, key: StateKey) -> StateProof {
    let key = Key::new(key);
    let (
        _,
        Update {
            key: from,
            value,
            next_key,
        },
    ) = db.get_span(&key).await.unwrap().unwrap();
    let membership = if from == key {
        db.key_value_proof(key).await.unwrap().proof
    } else {
        match db.exclusion_proof(&key).await.unwrap() {
            ExclusionProof::KeyValue(membership, _) => membership,
            ExclusionProof::Commit(..) => panic!("the state is not empty"),
        }
    };
    let bytes = [
        from.as_ref(),
        value.as_ref(),
        next_key.as_ref(),
        &membership.encode(),
    ]
    .concat();
    StateProof::decode(&bytes).unwrap()
}

impl Proven {
    /// The proof of the span that covers a key of interest, or of one that has a value.
    pub fn span(&self, key: &StateKey) -> StateProof {
        self.spans[key].clone()
    }

    /// Every span of a prefix; the lowest key of the prefix must be one of interest.
    pub fn prefix(&self, prefix: &StateKey, bits: u8) -> PrefixProof {
        let (lowest, highest) = prefix_range(prefix, bits).unwrap();
        let (mut spans, mut from) = (Vec::new(), lowest);
        loop {
            let span = self.span(&from);
            let last = span.reaches(&from, &highest);
            from = *span.next_key();
            spans.push(span);
            if last {
                return PrefixProof { spans };
            }
        }
    }
}

/// A header over a state.
pub fn header(world: &World, root: [u8; 32], height: u64, time_ms: u64) -> Header {
    let log = StateLog {
        root: [0; 32],
        start: 0,
        end: 9,
    };
    let mut header = Header::genesis(world.hash.0, log, [0x77; 32]);
    (header.height, header.time_ms, header.state_root) = (height, time_ms, root);
    (header.round.view, header.round.parent_view) = (height + 300, height + 299);
    header
}

/// A certificate over a digest.
pub fn certificate(network: &Private, charter: &[u8; 32], view: u64, digest: &[u8; 32]) -> Vec<u8> {
    let numbers = [0, view, view - 1]
        .map(|number: u64| UInt(number).encode().to_vec())
        .concat();
    let proposal = [numbers, digest.to_vec()].concat();
    let namespace = [consensus_namespace(charter), b"_FINALIZE".to_vec()].concat();
    let signature = sign_message::<MinSig>(network, &namespace, &proposal).encode();
    [proposal, signature.to_vec()].concat()
}

/// A proof that the first of these headers is final, by a certificate over the last.
pub fn finality(world: &World, headers: Vec<Header>) -> FinalityProof {
    let last = headers.last().unwrap();
    let certificate = certificate(&world.network, &world.hash.0, last.round.view, &last.hash());
    FinalityProof { headers, certificate }
}

/// A node's answer about keys of a ledger.
pub fn answer(ledger: &Ledger<'_>, keys: &[StateKey], height: u64) -> StateAnswer {
    let proven = prove(&ledger.values, keys);
    let header = header(ledger.world, proven.root, height, ledger.now * 1000);
    StateAnswer {
        finality: base64url_encode(finality(ledger.world, vec![header]).encode()),
        proofs: keys
            .iter()
            .map(|key| base64url_encode(proven.span(key).encode()))
            .collect(),
    }
}

/// A node's answer about a prefix.
pub fn prefix_answer(ledger: &Ledger<'_>, prefix: &StateKey, bits: u8, height: u64) -> PrefixAnswer {
    let proven = prove(&ledger.values, &[*prefix]);
    let header = header(ledger.world, proven.root, height, ledger.now * 1000);
    PrefixAnswer {
        finality: base64url_encode(finality(ledger.world, vec![header]).encode()),
        proof: base64url_encode(proven.prefix(prefix, bits).encode()),
    }
}
