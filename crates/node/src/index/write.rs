//! What a final block adds to the index.

use realdid_crypto::Hash;
use realdid_did::SignedOperation;
use realdid_engine::FinalizedBlock;
use realdid_ledger::{
    CEREMONY_RECORD, Charter, GovernanceAction, GovernanceOperation, ServiceAction, check,
    decode_did_operation,
};
use sqlx::{Sqlite, Transaction};

use super::{Index, signed};

/// Empty blocks move the stored progress only now and then: they cost nothing to look at again.
const EMPTY_BLOCKS: u64 = 64;

/// The kind of a decision of the consortium.
const GOVERNANCE: &str = "governance";

/// An operation as the index sees it.
pub(crate) struct Indexed {
    /// Its hash.
    pub(crate) hash: Hash,
    /// What kind it is, for metrics.
    pub(crate) kind: &'static str,
    /// Identifier hash of the DID it is about, and the hashes of documents it brings.
    did: Option<(Hash, Vec<Hash>)>,
    /// Identifier hash of the DID that it decides about.
    subject: Option<Hash>,
    /// The epoch key that it publishes: authority, epoch, identifier.
    epoch_key: Option<(Hash, u64, Hash)>,
}

impl Indexed {
    /// Looks at an operation of a final block. Its signatures were checked before it got there. A
    /// record of the validators' ceremony is nothing to the index.
    fn of(charter: &Charter, charter_hash: &Hash, bytes: &[u8]) -> Option<Self> {
        if bytes.first() == Some(&CEREMONY_RECORD) {
            return None;
        }
        if let Some(signed) = decode_did_operation(bytes) {
            let operation = &signed.operation;
            let kind = kind_of(&signed);
            return Some(Self {
                hash: operation.hash(),
                kind,
                did: Some((operation.did, documents(&signed))),
                subject: None,
                epoch_key: None,
            });
        }
        // Operations of services and governance are rare; their hash comes with the check.
        let checked = check(charter, charter_hash, bytes).ok()?;
        let kind = if checked.service_operation().is_some() {
            "service"
        } else {
            GOVERNANCE
        };
        Some(Self {
            hash: checked.hash(),
            kind,
            did: None,
            subject: checked.governance_operation().and_then(subject),
            epoch_key: checked
                .service_operation()
                .and_then(|operation| match &operation.action {
                    ServiceAction::PublishEpochKey(key) => {
                        Some((key.authority, key.epoch, key.id(charter_hash)))
                    }
                    _ => None,
                }),
        })
    }
}

/// The DID that a decision is about.
fn subject(operation: &GovernanceOperation) -> Option<Hash> {
    match &operation.action {
        GovernanceAction::RevokeEpochKey(_)
        | GovernanceAction::SetValidator { .. }
        | GovernanceAction::SetCommittee { .. } => None,
        GovernanceAction::RevokeAccreditation(did)
        | GovernanceAction::Suspend(did)
        | GovernanceAction::Reinstate(did)
        | GovernanceAction::Accredit { did, .. } => Some(*did),
        GovernanceAction::GrantRight { right, .. } | GovernanceAction::RevokeRight(right) => Some(right.did),
    }
}

/// The name of an operation's kind.
pub(crate) fn kind_of(signed: &SignedOperation) -> &'static str {
    use realdid_did::Action;
    match &signed.operation.action {
        Action::Publish(_) => "publish",
        Action::Update(_) => "update",
        Action::Renew { .. } => "renew",
        Action::Recover { .. } => "recover",
        Action::Deactivate { .. } => "deactivate",
        Action::Veto(_) => "veto",
    }
}

/// Hashes of all document data in an operation that an entry may come to name.
fn documents(signed: &SignedOperation) -> Vec<Hash> {
    let operation = &signed.operation;
    let founding = operation
        .founding()
        .map(|founding| founding.inception.document.clone());
    founding
        .into_iter()
        .chain(operation.document())
        .map(|document| document.hash())
        .collect()
}

impl Index {
    /// Adds a block, all of it or nothing. Returns what was in it.
    pub(super) async fn add(
        &self,
        charter: &Charter,
        charter_hash: &Hash,
        block: &FinalizedBlock,
    ) -> Result<Vec<Indexed>, sqlx::Error> {
        let height = block.header.height;
        let mut added = Vec::with_capacity(block.operations.len());
        if !block.operations.is_empty() || height.is_multiple_of(EMPTY_BLOCKS) {
            let mut transaction = self.pool.begin().await?;
            for (position, bytes) in block.operations.iter().enumerate() {
                if let Some(operation) = Indexed::of(charter, charter_hash, bytes) {
                    add_operation(&mut transaction, block, position, &operation).await?;
                    added.push(operation);
                }
            }
            sqlx::query("UPDATE meta SET height = ?")
                .bind(signed(height))
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
        }
        self.progress.send_replace(height);
        Ok(added)
    }
}

async fn add_operation(
    transaction: &mut Transaction<'_, Sqlite>,
    block: &FinalizedBlock,
    position: usize,
    operation: &Indexed,
) -> Result<(), sqlx::Error> {
    let height = signed(block.header.height);
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    let did = operation.did.as_ref().map(|(did, _)| did.0.to_vec());
    sqlx::query(
        "INSERT OR IGNORE INTO operations (hash, height, position, time, did, version) VALUES \
         (?1, ?2, ?3, ?4, ?5, CASE WHEN ?5 IS NULL THEN NULL ELSE \
          1 + COALESCE((SELECT MAX(version) FROM operations WHERE did = ?5), 0) END)",
    )
    .bind(operation.hash.0.as_slice())
    .bind(height)
    .bind(position)
    .bind(signed(block.header.time_ms / 1000))
    .bind(did)
    .execute(&mut **transaction)
    .await?;
    for document in operation.did.iter().flat_map(|(_, documents)| documents) {
        sqlx::query("INSERT OR IGNORE INTO documents (hash, height, position) VALUES (?, ?, ?)")
            .bind(document.0.as_slice())
            .bind(height)
            .bind(position)
            .execute(&mut **transaction)
            .await?;
    }
    add_to_lists(transaction, block, position, operation).await?;
    if let Some(subject) = operation.subject {
        sqlx::query("INSERT OR IGNORE INTO decisions (subject, height, position) VALUES (?, ?, ?)")
            .bind(subject.0.as_slice())
            .bind(height)
            .bind(position)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

/// What is listed and counted, beside what is looked up.
async fn add_to_lists(
    transaction: &mut Transaction<'_, Sqlite>,
    block: &FinalizedBlock,
    position: i64,
    operation: &Indexed,
) -> Result<(), sqlx::Error> {
    let height = signed(block.header.height);
    sqlx::query("INSERT INTO counts (kind, operations) VALUES (?, 1) ON CONFLICT DO UPDATE SET operations = operations + 1")
        .bind(operation.kind)
        .execute(&mut **transaction)
        .await?;
    sqlx::query("INSERT INTO hours (hour, operations) VALUES (?, 1) ON CONFLICT DO UPDATE SET operations = operations + 1")
        .bind(signed(block.header.time_ms / 3_600_000))
        .execute(&mut **transaction)
        .await?;
    if operation.kind == GOVERNANCE {
        sqlx::query("INSERT OR IGNORE INTO governance (height, position) VALUES (?, ?)")
            .bind(height)
            .bind(position)
            .execute(&mut **transaction)
            .await?;
    }
    if let Some((authority, epoch, id)) = operation.epoch_key {
        sqlx::query("INSERT OR IGNORE INTO epoch_keys (authority, epoch, id, height) VALUES (?, ?, ?, ?)")
            .bind(authority.0.as_slice())
            .bind(signed(epoch))
            .bind(id.0.as_slice())
            .bind(height)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}
