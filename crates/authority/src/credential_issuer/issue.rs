//! From an access token to credentials: at once, or after an operator has looked at the request.

use rand::CryptoRng;
use realdid_checks::passes;
use realdid_credential::HashAlg;
use realdid_credential::path::{ClaimPath, PathElement};
use realdid_credential::sd_jwt::Frame;
use realdid_credential::vc::{self, IssuerHeader, NewVc};
use realdid_crypto::{KeyType, PublicKey};
use realdid_openid::vci::proof::UnverifiedProof;
use realdid_openid::vci::{
    CredentialRequest, CredentialResponse, DeferredRequest, KeyReference, NotificationError,
    NotificationRequest, ProofError, ProofExpectation, Wanted,
};
use serde_json::Value;
use sqlx::{Any, Row as _, Transaction};

use super::grants::{Access, identifier_of};
use super::limits::{hold_grant, take_deferred};
use super::operator::Event;
use super::types::{ClaimKind, CredentialType, DAY, Form};
use super::{CredentialIssuer, IssueRefusal, fresh, hashed};
use crate::database::number;

/// Decoys beside the digests of a credential: how many claims there are says less.
const DECOYS: usize = 2;
/// How long what became of a credential may be told, in seconds.
const NOTIFICATION_LIFE: u64 = 30 * DAY;

/// What is issued, to whom.
struct Issuing<'a> {
    kind: &'a CredentialType,
    grant: &'a str,
    person: &'a str,
    subject: &'a str,
    keys: &'a [PublicKey],
    /// Hash of the transaction by which this was put off before, and counted.
    deferred: Option<&'a str>,
}

impl CredentialIssuer {
    /// Answers a credential request (OpenID4VCI 1.0 §8).
    ///
    /// # Errors
    /// [`IssueRefusal`].
    pub async fn credential(
        &self,
        access: &Access,
        request: &CredentialRequest,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<CredentialResponse, IssueRefusal> {
        let kind = self.wanted(access, &request.wanted)?;
        let (keys, nonces) = self.check_proofs(access, kind, &request.proofs, now)?;
        self.take_nonces(&nonces, now).await?;
        self.may_issue(kind, now)?;
        if kind.config.approval {
            return self.defer(access, kind, &keys, now, rng).await;
        }
        let issuing = Issuing {
            kind,
            grant: &access.grant,
            person: &access.person,
            subject: &access.subject,
            keys: &keys,
            deferred: None,
        };
        self.issue(&issuing, now, rng).await
    }

    /// Which type a request is for, if the token reaches that far (§8.2).
    fn wanted(&self, access: &Access, wanted: &Wanted) -> Result<&CredentialType, IssueRefusal> {
        let id = match wanted {
            Wanted::Configuration(id) => {
                if !passes("VCI-32", !access.identifiers) {
                    return Err(IssueRefusal::IdentifierNeeded);
                }
                id.clone()
            }
            Wanted::Identifier(identifier) => {
                let granted = access.configurations.iter();
                let known = granted.clone().find(|id| identifier_of(id) == *identifier);
                let known = known.filter(|_| access.identifiers);
                known.ok_or(IssueRefusal::UnknownIdentifier)?.clone()
            }
        };
        let kind = self.kind(&id)?;
        if passes("VCI-33", access.configurations.contains(&id)) {
            Ok(kind)
        } else {
            Err(IssueRefusal::NotGranted)
        }
    }

    /// The keys that a request proves, each once, and the nonces it proves them with.
    fn check_proofs(
        &self,
        access: &Access,
        kind: &CredentialType,
        proofs: &[String],
        now: u64,
    ) -> Result<(Vec<PublicKey>, Vec<String>), IssueRefusal> {
        if !passes("VCI-39", !proofs.is_empty()) {
            return Err(IssueRefusal::NoProof);
        }
        let most = self.batch_size();
        if !passes("VCI-40", proofs.len() <= most) {
            return Err(IssueRefusal::TooManyProofs(most));
        }
        let expected = ProofExpectation {
            issuer: &self.issuer,
            client_id: access.client_id.as_deref(),
            algorithms: holder_algorithms(kind.key),
            now,
        };
        let (mut keys, mut nonces) = (Vec::new(), Vec::new());
        for proof in proofs {
            let proof = UnverifiedProof::parse(proof)?;
            let KeyReference::Key(key) = proof.key()? else {
                // A DID on the ledger would tell the issuer who the holder is elsewhere.
                return Err(ProofError::Key.into());
            };
            let verified = proof.verify(&key, &expected)?;
            if !passes("VCI-34", !keys.contains(&verified.key)) {
                return Err(ProofError::SameKey.into());
            }
            keys.push(verified.key);
            nonces.push(verified.nonce);
        }
        nonces.sort_unstable();
        nonces.dedup();
        Ok((keys, nonces))
    }

    async fn issue(
        &self,
        issuing: &Issuing<'_>,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<CredentialResponse, IssueRefusal> {
        let kind = issuing.kind;
        let claims = self.claims(kind, issuing.subject, now).await?;
        let keys = &issuing.keys[..issuing.keys.len().min(kind.batch())];
        let new = self.prepared(kind, claims, now).await?;
        let (issuance, notification) = (fresh(rng), fresh(rng));
        let mut transaction = self.database.begin().await?;
        hold_grant(&mut transaction, issuing.grant).await?;
        match issuing.deferred {
            Some(id_hash) => take_deferred(&mut transaction, id_hash).await?,
            None => {
                self.count_copies(&mut transaction, kind, issuing.person, keys.len(), now)
                    .await?;
            }
        }
        let (_, expires_at) = kind.life(now);
        note_issuance(&mut transaction, &issuance, issuing, keys.len(), now).await?;
        note_notification(&mut transaction, &notification, issuing.grant, &issuance, now).await?;
        let mut credentials = Vec::with_capacity(keys.len());
        for key in keys {
            let status = match kind.config.form {
                Form::Copies => None,
                Form::LongLived => Some(
                    self.allocate(&mut transaction, &issuance, expires_at, rng)
                        .await?,
                ),
            };
            let holder = Some(*key);
            let new = NewVc {
                holder,
                status,
                ..new.clone()
            };
            credentials.push(self.sign(kind, &new, rng)?);
        }
        let event = Event::new("wallet", "issued", &kind.config.id, issuing.person, &issuance);
        super::operator::record(&mut transaction, &event, now).await?;
        transaction.commit().await?;
        metrics::counter!("realdid_issuer_credentials_total", "configuration" => kind.config.id.clone())
            .increment(credentials.len() as u64);
        Ok(CredentialResponse::issued(credentials, Some(notification)))
    }

    /// The claims of a sealed subject, as the source has them now.
    async fn claims(
        &self,
        kind: &CredentialType,
        subject: &str,
        now: u64,
    ) -> Result<serde_json::Map<String, Value>, IssueRefusal> {
        let name = self.secrets.open(subject).ok_or(IssueRefusal::NoRecord)?;
        let (_, source) = self
            .types
            .get(&kind.config.id)
            .ok_or(IssueRefusal::UnknownConfiguration)?;
        let record = source.record(&name).await?.ok_or(IssueRefusal::NoRecord)?;
        Ok(kind.claims(&record, now)?)
    }

    /// What all copies of a credential have in common.
    async fn prepared(
        &self,
        kind: &CredentialType,
        claims: serde_json::Map<String, Value>,
        now: u64,
    ) -> Result<NewVc, IssueRefusal> {
        let (issued_at, expires_at) = kind.life(now);
        Ok(NewVc {
            vct: kind.config.vct.clone(),
            vct_integrity: self.fixed_integrity(&kind.config.vct, now).await?,
            issuer: Some(self.issuer.clone()),
            issued_at: Some(issued_at),
            expires_at: Some(expires_at),
            frame: frame(kind, &claims),
            claims,
            ..NewVc::default()
        })
    }

    fn sign(
        &self,
        kind: &CredentialType,
        new: &NewVc,
        rng: &mut impl CryptoRng,
    ) -> Result<String, IssueRefusal> {
        let key = self.keys.of(kind.key)?;
        let header = IssuerHeader {
            kid: Some(key.kid.clone()),
            x5c: Some(key.x5c.clone()).filter(|chain| !chain.is_empty()),
        };
        vc::issue(&key.key, &header, new, rng)
            .map_err(|_| IssueRefusal::Internal("a credential cannot be made"))
    }

    async fn defer(
        &self,
        access: &Access,
        kind: &CredentialType,
        keys: &[PublicKey],
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<CredentialResponse, IssueRefusal> {
        let (id, mut handle) = (fresh(rng), fresh(rng));
        handle.truncate(16);
        let keys: Vec<_> = keys
            .iter()
            .take(kind.batch())
            .map(PublicKey::to_multikey)
            .collect();
        let mut transaction = self.database.begin().await?;
        hold_grant(&mut transaction, &access.grant).await?;
        self.count_copies(&mut transaction, kind, &access.person, keys.len(), now)
            .await?;
        sqlx::query(
            "INSERT INTO vci_deferred (id_hash, handle, grant_id, configuration, keys, state, expires_at)
             VALUES ($1, $2, $3, $4, $5, 'waiting', $6)",
        )
        .bind(hashed(&id))
        .bind(&handle)
        .bind(&access.grant)
        .bind(&kind.config.id)
        .bind(keys.join(" "))
        .bind(number(now + self.policy.deferred_days * DAY))
        .execute(&mut *transaction)
        .await?;
        let event = Event::new("wallet", "deferred", &kind.config.id, &access.person, &handle);
        super::operator::record(&mut transaction, &event, now).await?;
        transaction.commit().await?;
        Ok(self.put_off(id))
    }

    /// "Not yet", with the seconds to wait: a positive number (§8.3).
    fn put_off(&self, transaction_id: String) -> CredentialResponse {
        CredentialResponse::deferred(transaction_id, self.policy.deferred_interval.max(1))
    }

    /// Answers a deferred credential request (§9).
    ///
    /// # Errors
    /// [`IssueRefusal`].
    pub async fn deferred(
        &self,
        access: &Access,
        request: &DeferredRequest,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<CredentialResponse, IssueRefusal> {
        let id_hash = hashed(&request.transaction_id);
        let row = sqlx::query("SELECT grant_id, configuration, keys, state FROM vci_deferred WHERE id_hash = $1 AND expires_at > $2")
            .bind(&id_hash)
            .bind(number(now))
            .fetch_optional(self.database.pool())
            .await?
            .ok_or(IssueRefusal::Transaction)?;
        let grant: String = row.try_get("grant_id")?;
        if !passes("VCI-41", grant == access.grant) {
            return Err(IssueRefusal::Transaction);
        }
        let state: String = row.try_get("state")?;
        match state.as_str() {
            "waiting" => return Ok(self.put_off(request.transaction_id.clone())),
            "denied" => return Err(IssueRefusal::Denied),
            _ => {}
        }
        let configuration: String = row.try_get("configuration")?;
        let kind = self.kind(&configuration)?;
        self.may_issue(kind, now)?;
        let keys: String = row.try_get("keys")?;
        let keys: Result<Vec<_>, _> = keys.split(' ').map(PublicKey::from_multikey).collect();
        let issuing = Issuing {
            kind,
            grant: &access.grant,
            person: &access.person,
            subject: &access.subject,
            keys: &keys.map_err(|_| IssueRefusal::Internal("a deferred key cannot be read"))?,
            deferred: Some(&id_hash),
        };
        let answer = self.issue(&issuing, now, rng).await?;
        // It is optional, and there are wallets that refuse a deferred answer with one.
        Ok(CredentialResponse {
            notification_id: None,
            ..answer
        })
    }

    /// Notes what became of a credential (§11); the same again changes nothing.
    ///
    /// # Errors
    /// [`IssueRefusal::Notification`], [`IssueRefusal::Database`].
    pub async fn notify(
        &self,
        access: &Access,
        request: &NotificationRequest,
        now: u64,
    ) -> Result<(), IssueRefusal> {
        let (id_hash, event) = (hashed(&request.notification_id), request.event.as_str());
        // Each event is added once: however often a wallet tells it, the log has one line.
        let row = sqlx::query(
            "UPDATE vci_notifications SET event = event || ' ' || $1
             WHERE id_hash = $2 AND grant_id = $3 AND event NOT LIKE $4 RETURNING issuance",
        )
        .bind(event)
        .bind(&id_hash)
        .bind(&access.grant)
        .bind(format!("%{event}%"))
        .fetch_optional(self.database.pool())
        .await?;
        if let Some(row) = row {
            let issuance: String = row.try_get("issuance")?;
            let event = Event::new("wallet", event, "", &access.person, &issuance);
            return self.record_event(&event, now).await;
        }
        let known =
            sqlx::query("SELECT issuance FROM vci_notifications WHERE id_hash = $1 AND grant_id = $2")
                .bind(&id_hash)
                .bind(&access.grant)
                .fetch_optional(self.database.pool())
                .await?;
        if passes("VCI-43", known.is_some()) {
            Ok(())
        } else {
            Err(NotificationError::Unknown.into())
        }
    }

    /// Most proofs in one request.
    pub(crate) fn batch_size(&self) -> usize {
        let sizes = self.types.values().map(|(kind, _)| kind.batch());
        sizes.max().unwrap_or(1).max(2)
    }
}

async fn note_issuance(
    transaction: &mut Transaction<'_, Any>,
    issuance: &str,
    issuing: &Issuing<'_>,
    copies: usize,
    now: u64,
) -> Result<(), IssueRefusal> {
    sqlx::query(
        "INSERT INTO vci_issuances (id, configuration, person, copies, state, issued_at, expires_at)
         VALUES ($1, $2, $3, $4, 0, $5, $6)",
    )
    .bind(issuance)
    .bind(&issuing.kind.config.id)
    .bind(issuing.person)
    .bind(number(copies as u64))
    .bind(number(now))
    .bind(number(issuing.kind.life(now).1))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn note_notification(
    transaction: &mut Transaction<'_, Any>,
    notification: &str,
    grant: &str,
    issuance: &str,
    now: u64,
) -> Result<(), IssueRefusal> {
    sqlx::query(
        "INSERT INTO vci_notifications (id_hash, grant_id, issuance, event, expires_at)
         VALUES ($1, $2, $3, '', $4)",
    )
    .bind(hashed(notification))
    .bind(grant)
    .bind(issuance)
    .bind(number(now + NOTIFICATION_LIFE))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Key types that credentials signed by this type of key are bound to.
pub(crate) const fn holder_algorithms(key: KeyType) -> &'static [KeyType] {
    match key {
        KeyType::Sm2 => &[KeyType::Sm2],
        _ => &[KeyType::P256, KeyType::Ed25519],
    }
}

/// What of the claims can be shown by choice: each claim that is not always shown, and each element
/// of a list.
pub(super) fn frame(kind: &CredentialType, claims: &serde_json::Map<String, Value>) -> Frame {
    let mut disclosable = Vec::new();
    for rule in &kind.config.claims {
        let Some(value) = claims.get(&rule.name) else {
            continue;
        };
        let path = ClaimPath::names([rule.name.as_str()]);
        if rule.kind == ClaimKind::List && value.as_array().is_some_and(|list| !list.is_empty()) {
            disclosable.push(path.then(PathElement::All));
        }
        if !rule.always {
            disclosable.push(path);
        }
    }
    Frame {
        disclosable,
        decoys: DECOYS,
        hash: match kind.key {
            KeyType::Sm2 => HashAlg::Sm3,
            _ => HashAlg::Sha256,
        },
    }
}
