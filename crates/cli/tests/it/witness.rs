//! Looks at what is left on a ledger: is all there that was called final?

use std::collections::HashSet;
use std::time::{Duration, Instant};

use realdid_crypto::{Hash, base64url_decode};
use realdid_did::Entry;
use realdid_ledger::{Freshness, ProvenState, StateAnswer, decode_did_operation};

use crate::support::{Network, PATIENCE, get, hex, now};

/// Keys of one question for proofs.
const KEYS: usize = 16;
/// How soon a question is asked again.
const AGAIN: Duration = Duration::from_millis(20);

/// A DID and the operations of it that the node called final, with their heights.
pub struct Chain {
    pub did: Hash,
    pub acknowledged: Vec<(Hash, u64)>,
}

/// Who asks a node, and believes only what it proves.
pub struct Witness<'a> {
    pub network: &'a Network,
    pub http: &'a reqwest::Client,
    /// The node's address.
    pub url: String,
}

impl Witness<'_> {
    /// The acknowledged operations that the ledger does not prove to hold.
    pub async fn missing(&self, chains: &[Chain]) -> Vec<String> {
        let heights = chains
            .iter()
            .flat_map(|chain| &chain.acknowledged)
            .map(|(_, height)| *height);
        let lowest = heights.max().unwrap_or(0);
        let mut lost = Vec::new();
        for group in chains.chunks(KEYS) {
            let keys: Vec<_> = group.iter().map(|chain| chain.did.0).collect();
            let Some(state) = self.proven(&keys, lowest).await else {
                panic!("the node does not prove its state");
            };
            for chain in group.iter().filter(|chain| !chain.acknowledged.is_empty()) {
                let entry = state.did(&chain.did).expect("the key is proven");
                let present = self.operations(chain.did, entry, lowest).await;
                let gone = chain
                    .acknowledged
                    .iter()
                    .filter(|(hash, _)| !present.contains(hash));
                lost.extend(gone.map(|(hash, height)| format!("{hash} of height {height}")));
            }
        }
        lost
    }

    /// The hashes of a DID's operations, which must lead from its inception to the proven entry; none
    /// if it is proven absent. The node's index may still be behind its state, or the last block
    /// from before the kill become final only now, so this asks for both until they agree.
    async fn operations(&self, did: Hash, mut entry: Option<Entry>, lowest: u64) -> HashSet<Hash> {
        let named = self.network.charter.did(did);
        let url = format!("{}/v1/dids/{named}/operations", self.url);
        let begun = Instant::now();
        let mut listed = 0;
        while let Some(expected) = &entry {
            if let Some(answer) = get(self.http, &url).await {
                let hashes = self.chained(&answer, did);
                if hashes.last() == Some(&expected.last_operation) {
                    assert_eq!(hashes.len(), expected.version as usize, "the chain is complete");
                    return hashes.into_iter().collect();
                }
                listed = hashes.len();
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{listed} operations of {named} do not lead to {entry:?}"
            );
            tokio::time::sleep(AGAIN).await;
            let state = self
                .proven(&[did.0], lowest)
                .await
                .expect("the node proves its state");
            entry = state.did(&did).expect("the key is proven");
        }
        HashSet::new()
    }

    /// The hashes of the operations that a node lists for a DID, each valid and naming the one
    /// before it.
    fn chained(&self, answer: &[u8], did: Hash) -> Vec<Hash> {
        let charter = self.network.charter.hash();
        let answer: serde_json::Value = serde_json::from_slice(answer).expect("JSON");
        let mut hashes = Vec::new();
        for item in answer["operations"].as_array().expect("a list of operations") {
            let bytes = base64url_decode(item["operation"].as_str().expect("an operation"));
            let signed = decode_did_operation(&bytes.expect("base64url")).expect("an operation on a DID");
            let verified = signed.verify(&charter).expect("a valid operation");
            assert_eq!(verified.operation().did, did, "an operation of another DID");
            let previous = hashes.last().copied().unwrap_or(Hash::ZERO);
            assert_eq!(
                verified.operation().previous,
                previous,
                "the operations form a chain"
            );
            hashes.push(verified.hash());
        }
        hashes
    }

    /// The state of some keys, verified against the charter.
    pub async fn proven(&self, keys: &[[u8; 32]], lowest_height: u64) -> Option<ProvenState> {
        let query: Vec<_> = keys.iter().map(|key| format!("key={}", hex(key))).collect();
        let url = format!("{}/v1/proofs/keys?{}", self.url, query.join("&"));
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(answer) = get(self.http, &url).await {
                let answer: StateAnswer = serde_json::from_slice(&answer).expect("an answer about keys");
                let freshness = Freshness {
                    now: now(),
                    max_age: 60,
                    lowest_height,
                };
                let state = answer.verify(&self.network.anchor(), keys, &freshness);
                return Some(state.expect("the node proves its state"));
            }
            tokio::time::sleep(AGAIN).await;
        }
        None
    }
}
