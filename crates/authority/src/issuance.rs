//! Tokens: a request signed by an account key, a debit that is committed, then signatures.
//!
//! Four steps, each giving the only type that the next one takes: [`Authority::check_request`],
//! [`Authority::debit`], [`EpochSigner::sign`](crate::EpochSigner::sign). After a crash between the
//! last two the same blinded values are signed again and cost nothing: the debit knows them, and the
//! private operation is deterministic.

use realdid_checks::passes;
use realdid_crypto::{Hash, PublicKey, base64url_decode, base64url_encode};
use realdid_openid::jws::Unverified;
use realdid_token::{EpochKey, MODULUS_LENGTH};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sqlx::{Any, Row as _, Transaction};

use crate::credential_issuer::Recipient;
use crate::database::{number, unsigned};
use crate::error::Refusal;
use crate::quota::Standing;
use crate::rules::{Authority, MAX_BATCH, Stated};

/// `typ` of a request for tokens.
pub const TOKENS_TYPE: &str = "realdid-tokens+jwt";
/// `typ` of a request for an account's standing.
pub const ACCOUNT_TYPE: &str = "realdid-account+jwt";
/// `typ` of a request for a credential offer.
pub const OFFER_TYPE: &str = "realdid-credential-offer+jwt";
/// Longest `jti`, in bytes.
const MAX_JTI: usize = 64;

/// A blinded value, or a blind signature: 256 bytes, big-endian.
pub type Blinded = [u8; MODULUS_LENGTH];

#[derive(Deserialize)]
struct TokenClaims {
    #[serde(flatten)]
    stated: Stated,
    jti: String,
    account_id: String,
    key_id: String,
    blinded: Vec<String>,
}

#[derive(Deserialize)]
struct AccountClaims {
    #[serde(flatten)]
    stated: Stated,
    account_id: String,
}

#[derive(Deserialize)]
struct OfferClaims {
    #[serde(flatten)]
    stated: Stated,
    jti: String,
    account_id: String,
    #[serde(default)]
    credential_configuration_ids: Vec<String>,
}

/// A row of the table.
struct Account {
    id: String,
    person: String,
    subject: String,
    key: PublicKey,
    active: bool,
}

impl Account {
    fn require_active(&self) -> Result<(), Refusal> {
        if passes("QUO-02", self.active) {
            Ok(())
        } else {
            Err(Refusal::AccountReplaced)
        }
    }
}

/// A request whose signature, claims, key and blinded values have been checked.
#[derive(Debug)]
pub struct CheckedRequest {
    account: String,
    person: String,
    jti: String,
    expires_at: u64,
    key_id: Hash,
    blinded: Vec<Blinded>,
}

/// Blinded values that have been paid for, for good: only these are signed.
#[derive(Debug)]
pub struct Debited {
    key_id: Hash,
    blinded: Vec<Blinded>,
    standing: Standing,
}

impl Debited {
    /// The key they have been paid for.
    #[must_use]
    pub const fn key_id(&self) -> Hash {
        self.key_id
    }

    /// The values, in the order of the request.
    #[must_use]
    pub fn blinded(&self) -> &[Blinded] {
        &self.blinded
    }

    /// Where the person stands after the debit.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }
}

impl Authority {
    /// Checks everything about a request for tokens that changes nothing; `current` is the key of
    /// the current epoch.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn check_request(
        &self,
        jws: &str,
        current: &EpochKey,
        now: u64,
    ) -> Result<CheckedRequest, Refusal> {
        let (account, claims) = self
            .verified(jws, TOKENS_TYPE, |claims: &TokenClaims| &claims.account_id)
            .await?;
        self.terms.check_stated(&claims.stated, now)?;
        account.require_active()?;
        if !(1..=MAX_JTI).contains(&claims.jti.len()) {
            return Err(Refusal::InvalidRequest("jti"));
        }
        let key_id = current.id(&self.terms.charter_hash);
        if !passes("QUO-03", Hash::from_hex(&claims.key_id) == Some(key_id)) {
            return Err(Refusal::UnknownKey);
        }
        if !passes("QUO-04", (1..=MAX_BATCH).contains(&claims.blinded.len())) {
            return Err(Refusal::BatchSize(MAX_BATCH));
        }
        Ok(CheckedRequest {
            account: account.id,
            person: account.person,
            jti: claims.jti,
            expires_at: claims.stated.exp,
            key_id,
            blinded: checked_values(&claims.blinded, current)?,
        })
    }

    /// Records the blinded values and debits quota for the new ones among them, in one transaction,
    /// which is committed when this returns.
    ///
    /// # Errors
    /// [`Refusal::AccountReplaced`], [`Refusal::ReplayedRequest`], [`Refusal::QuotaExhausted`],
    /// [`Refusal::Database`]; nothing is recorded then.
    pub async fn debit(&self, request: CheckedRequest, now: u64) -> Result<Debited, Refusal> {
        let mut transaction = self.database.begin().await?;
        lock_account(&mut transaction, &request).await?;
        record_request(
            &mut transaction,
            &request.account,
            &request.jti,
            request.expires_at,
        )
        .await?;
        let mut new = 0;
        for blinded in &request.blinded {
            new += record_blinded(&mut transaction, &request, blinded).await?;
        }
        if new > 0 {
            self.debit_quota(&mut transaction, &request.person, new, now)
                .await?;
        }
        let standing = self.standing_in(&mut transaction, &request.person, now).await?;
        transaction.commit().await?;
        metrics::counter!("realdid_authority_tokens_debited_total").increment(new);
        Ok(Debited {
            key_id: request.key_id,
            blinded: request.blinded,
            standing,
        })
    }

    /// Where the person behind an account stands.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn account_standing(&self, jws: &str, now: u64) -> Result<Standing, Refusal> {
        let (account, claims) = self
            .verified(jws, ACCOUNT_TYPE, |claims: &AccountClaims| &claims.account_id)
            .await?;
        self.terms.check_stated(&claims.stated, now)?;
        account.require_active()?;
        let mut transaction = self.database.begin().await?;
        self.standing_in(&mut transaction, &account.person, now).await
    }

    /// Whom an enrolled wallet's request for a credential offer is about, and which configurations it
    /// names. The request is taken once.
    ///
    /// # Errors
    /// [`Refusal`]; [`Refusal::AccountReplaced`] too for an account from before credentials were issued.
    pub async fn check_offer_request(
        &self,
        jws: &str,
        now: u64,
    ) -> Result<(Recipient, Vec<String>), Refusal> {
        let (account, claims) = self
            .verified(jws, OFFER_TYPE, |claims: &OfferClaims| &claims.account_id)
            .await?;
        self.terms.check_stated(&claims.stated, now)?;
        account.require_active()?;
        if !(1..=MAX_JTI).contains(&claims.jti.len()) {
            return Err(Refusal::InvalidRequest("jti"));
        }
        if account.subject.is_empty() {
            return Err(Refusal::AccountReplaced);
        }
        let mut transaction = self.database.begin().await?;
        let (jti, expires_at) = (&claims.jti, claims.stated.exp);
        record_request(&mut transaction, &account.id, jti, expires_at).await?;
        transaction.commit().await?;
        let recipient = Recipient {
            person: account.person,
            subject: account.subject,
            matched: true,
        };
        Ok((recipient, claims.credential_configuration_ids))
    }

    /// The account a request names and its claims, once the account's key has been found to have
    /// signed them. An account that does not exist is refused like a wrong signature.
    async fn verified<C: DeserializeOwned>(
        &self,
        jws: &str,
        typ: &str,
        account_id: impl Fn(&C) -> &String,
    ) -> Result<(Account, C), Refusal> {
        let invalid = |_| Refusal::InvalidAccountSignature;
        let jws = Unverified::parse(jws).map_err(invalid)?;
        let stated: C = jws.stated().map_err(invalid)?;
        let account = self
            .account(account_id(&stated))
            .await?
            .ok_or(Refusal::InvalidAccountSignature)?;
        if passes("QUO-05", jws.verify::<C>(&account.key, typ).is_ok()) {
            Ok((account, stated))
        } else {
            Err(Refusal::InvalidAccountSignature)
        }
    }

    async fn account(&self, id: &str) -> Result<Option<Account>, Refusal> {
        let row = sqlx::query("SELECT id, person, subject, account_key, active FROM accounts WHERE id = $1")
            .bind(id)
            .fetch_optional(self.database.pool())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let key: String = row.try_get("account_key")?;
        Ok(Some(Account {
            id: row.try_get("id")?,
            person: row.try_get("person")?,
            subject: row.try_get("subject")?,
            key: PublicKey::from_multikey(&key).map_err(|_| Refusal::InvalidAccountKey)?,
            active: row.try_get::<i64, _>("active").map(unsigned)? == 1,
        }))
    }
}

fn checked_values(texts: &[String], key: &EpochKey) -> Result<Vec<Blinded>, Refusal> {
    let check = |(place, text): (usize, &String)| {
        let bytes = base64url_decode(text).ok();
        let value: Option<Blinded> = bytes.and_then(|bytes| bytes.try_into().ok());
        value
            .filter(|value| passes("QUO-06", key.check_blinded(value).is_ok()))
            .ok_or(Refusal::BlindedValueOutOfRange(place))
    };
    texts.iter().enumerate().map(check).collect()
}

/// Locks the person and sees to it that the account is still the active one: a later enrolment
/// either waits, or has already replaced it.
async fn lock_account(
    transaction: &mut Transaction<'_, Any>,
    request: &CheckedRequest,
) -> Result<(), Refusal> {
    sqlx::query("UPDATE enrolled SET turn = turn + 1 WHERE person = $1")
        .bind(&request.person)
        .execute(&mut **transaction)
        .await?;
    let active = sqlx::query("SELECT id FROM accounts WHERE id = $1 AND active = 1")
        .bind(&request.account)
        .fetch_optional(&mut **transaction)
        .await?;
    if passes("QUO-09", active.is_some()) {
        Ok(())
    } else {
        Err(Refusal::AccountReplaced)
    }
}

async fn record_request(
    transaction: &mut Transaction<'_, Any>,
    account: &str,
    jti: &str,
    expires_at: u64,
) -> Result<(), Refusal> {
    let recorded = sqlx::query(
        "INSERT INTO requests (account, jti, expires_at) VALUES ($1, $2, $3) ON CONFLICT (account, jti) DO NOTHING",
    )
    .bind(account)
    .bind(jti)
    .bind(number(expires_at))
    .execute(&mut **transaction)
    .await?;
    if passes("QUO-07", recorded.rows_affected() == 1) {
        Ok(())
    } else {
        Err(Refusal::ReplayedRequest)
    }
}

/// Records a blinded value; 1 if it is new, 0 if it has been paid for.
async fn record_blinded(
    transaction: &mut Transaction<'_, Any>,
    request: &CheckedRequest,
    blinded: &Blinded,
) -> Result<u64, Refusal> {
    let recorded = sqlx::query(
        "INSERT INTO blinded_values (person, key_id, blinded) VALUES ($1, $2, $3)
         ON CONFLICT (person, key_id, blinded) DO NOTHING",
    )
    .bind(&request.person)
    .bind(request.key_id.to_hex())
    .bind(base64url_encode(blinded))
    .execute(&mut **transaction)
    .await?;
    Ok(u64::from(passes("QUO-08", recorded.rows_affected() == 1)))
}
