//! Enrolment: a claimed name and number, a one-time code to the contact on record, an account key.
//!
//! Answers never tell whether a person exists. For every number, known or not, the same is done:
//! attempts are counted, a code is drawn, a row is written and a dispatch is handed on; only the
//! dispatch knows whether there is anybody to send it to, and it travels apart from the answer.

use rand::CryptoRng;
use realdid_checks::passes;
use realdid_crypto::{PublicKey, base64url_encode};
use realdid_openid::jws::Unverified;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::any::AnyRow;
use sqlx::{Any, Executor, Transaction};

use crate::attempts;
use crate::credential_issuer::{Recipient, operator};
use crate::database::{number, unsigned};
use crate::delivery::Dispatch;
use crate::error::Refusal;
use crate::register::{self, Contact};
use crate::rules::{Authority, Stated};

/// `typ` of the proof that a wallet holds its account key.
pub const ENROLMENT_TYPE: &str = "realdid-enrolment+jwt";
/// Digits of a one-time code.
const CODE_DIGITS: usize = 8;
/// Longest name, in characters.
const MAX_NAME: usize = 100;
/// Longest identity number, in bytes.
const MAX_NUMBER: usize = 32;

/// Who somebody says they are, and the key of their device.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// The name as registered, up to 100 characters.
    pub name: String,
    /// The identity number, up to 32 bytes; a final `x` is as good as `X`.
    pub number: String,
    /// The account key, a multikey.
    pub account_key: String,
}

/// An enrolment that waits for its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Begun {
    /// What to confirm.
    pub enrolment_id: String,
    /// Life of the code, in seconds.
    pub expires_in: u64,
}

/// The code and the proof that the wallet holds the account key.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// The one-time code.
    pub code: String,
    /// A JWS of type [`ENROLMENT_TYPE`] by the account key.
    pub proof: String,
}

/// An account: what a person's enrolled device is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confirmed {
    /// What token requests name.
    pub account_id: String,
    /// How thoroughly the person was verified.
    pub assurance_level: &'static str,
    /// What the person has left.
    pub quota: crate::quota::Standing,
}

#[derive(Deserialize)]
struct ProofClaims {
    #[serde(flatten)]
    stated: Stated,
    enrolment_id: String,
}

/// Whom a claimed name and number stand for, and the code that was drawn for them.
pub(crate) struct Identified {
    pub(crate) recipient: Recipient,
    pub(crate) contact: Option<Contact>,
    pub(crate) code: String,
}

/// A row of the table.
struct Enrolment {
    id: String,
    person: String,
    subject: String,
    matched: bool,
    account_key: PublicKey,
    code_mac: String,
}

impl Authority {
    /// Begins an enrolment. The dispatch must be handed to the delivery whatever is in it.
    ///
    /// # Errors
    /// [`Refusal::InvalidRequest`], [`Refusal::InvalidAccountKey`], [`Refusal::TooManyAttempts`],
    /// [`Refusal::Database`]; none depends on whether the person exists.
    pub async fn begin_enrolment(
        &self,
        request: &EnrolmentRequest,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<(Begun, Dispatch), Refusal> {
        let account_key =
            PublicKey::from_multikey(&request.account_key).map_err(|_| Refusal::InvalidAccountKey)?;
        let identified = self.identify(&request.name, &request.number, now, rng).await?;
        let Identified {
            recipient,
            contact,
            code,
        } = identified;
        let id = random_id(rng);
        let limits = &self.terms.limits;
        sqlx::query(
            "INSERT INTO enrolments (id, person, subject, matched, account_key, code_mac, attempts, confirmed, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7)",
        )
        .bind(&id)
        .bind(&recipient.person)
        .bind(&recipient.subject)
        .bind(i64::from(recipient.matched))
        .bind(account_key.to_multikey())
        .bind(self.secrets.code(&id, &code).to_hex())
        .bind(number(now + limits.code_seconds))
        .execute(self.database.pool())
        .await?;
        let begun = Begun {
            enrolment_id: id,
            expires_in: limits.code_seconds,
        };
        Ok((begun, Dispatch::new(contact, code, now)))
    }

    /// Finds out whom a claimed name and number stand for, counts the attempt and draws a code. For
    /// every number, known or not, the same is done.
    ///
    /// # Errors
    /// [`Refusal::InvalidRequest`], [`Refusal::TooManyAttempts`], [`Refusal::Database`],
    /// [`Refusal::Signing`] if OpenSSL cannot encrypt.
    pub(crate) async fn identify(
        &self,
        name: &str,
        identity_number: &str,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<Identified, Refusal> {
        let (name, identity_number) = checked(name, identity_number)?;
        let person = self.secrets.person(&identity_number);
        let code = random_code(rng);
        self.count_start(&person, now).await?;
        let found = register::by_number(&self.database, &identity_number).await?;
        let contact = found
            .filter(|found| passes("ENR-11", found.has_name(&name)))
            .map(|found| found.contact);
        let subject = self
            .secrets
            .seal(&identity_number, rng)
            .map_err(|_| Refusal::Signing)?;
        let recipient = Recipient {
            person,
            subject,
            matched: contact.is_some(),
        };
        Ok(Identified {
            recipient,
            contact,
            code,
        })
    }

    /// Confirms an enrolment: the account key becomes the person's one active account.
    ///
    /// # Errors
    /// [`Refusal`]; a wrong code is counted, everything else changes nothing.
    pub async fn confirm_enrolment(
        &self,
        id: &str,
        confirmation: &Confirmation,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<Confirmed, Refusal> {
        let enrolment = enrolment(self.database.pool(), id).await?;
        self.check_proof(&enrolment, &confirmation.proof, now)?;
        let mut transaction = self.database.begin().await?;
        let tried = self.count_try(&mut transaction, &enrolment.id, now).await?;
        if !self.is_right(&enrolment, &confirmation.code) {
            let seconds = self.terms.limits.lockout_seconds;
            attempts::count_failure(&mut transaction, &enrolment.person, now, seconds).await?;
            transaction.commit().await?;
            let tries = self.terms.limits.tries_per_code;
            return Err(Refusal::InvalidCode {
                attempts_left: tries.saturating_sub(tried),
            });
        }
        sqlx::query("UPDATE enrolments SET confirmed = 1 WHERE id = $1")
            .bind(&enrolment.id)
            .execute(&mut *transaction)
            .await?;
        let account_id = replace_account(&mut transaction, &enrolment, now, rng).await?;
        let quota = self.standing_in(&mut transaction, &enrolment.person, now).await?;
        transaction.commit().await?;
        Ok(Confirmed {
            account_id,
            assurance_level: "substantial",
            quota,
        })
    }

    /// Whether the code is the one that was sent to somebody, in constant time.
    fn is_right(&self, enrolment: &Enrolment, code: &str) -> bool {
        let mac = self.secrets.code(&enrolment.id, code).to_hex();
        let same = mac.len() == enrolment.code_mac.len()
            && openssl::memcmp::eq(mac.as_bytes(), enrolment.code_mac.as_bytes());
        passes("ENR-01", same & enrolment.matched)
    }

    fn check_proof(&self, enrolment: &Enrolment, proof: &str, now: u64) -> Result<(), Refusal> {
        let invalid = |_| Refusal::InvalidAccountSignature;
        let proof = Unverified::parse(proof).map_err(invalid)?;
        let verified = proof.verify::<ProofClaims>(&enrolment.account_key, ENROLMENT_TYPE);
        if !passes("ENR-02", verified.is_ok()) {
            return Err(Refusal::InvalidAccountSignature);
        }
        let claims: ProofClaims = proof.stated().map_err(invalid)?;
        self.terms.check_stated(&claims.stated, now)?;
        if passes("ENR-03", claims.enrolment_id == enrolment.id) {
            Ok(())
        } else {
            Err(Refusal::WrongClaim("enrolment_id"))
        }
    }

    /// Counts a try and locks the row, unless the enrolment takes no more; gives the new count.
    async fn count_try(
        &self,
        transaction: &mut Transaction<'_, Any>,
        id: &str,
        now: u64,
    ) -> Result<u64, Refusal> {
        // What is refused below is rolled back, the count included.
        let row = sqlx::query(
            "UPDATE enrolments SET attempts = attempts + 1 WHERE id = $1
             RETURNING attempts, confirmed, expires_at",
        )
        .bind(id)
        .fetch_optional(&mut **transaction)
        .await?
        .ok_or(Refusal::UnknownEnrolment)?;
        let count = |column| row.try_get::<i64, _>(column).map(unsigned);
        if !passes("ENR-04", count("confirmed")? == 0) {
            return Err(Refusal::CodeUsed);
        }
        if !passes("ENR-05", count("expires_at")? > now) {
            return Err(Refusal::EnrolmentExpired);
        }
        let attempts = count("attempts")?;
        if passes("ENR-06", attempts <= self.terms.limits.tries_per_code) {
            Ok(attempts)
        } else {
            Err(Refusal::TooManyAttempts { retry_after: 1 })
        }
    }

    /// Counts a start for a number, known or not, and refuses it while the number is locked out.
    async fn count_start(&self, person: &str, now: u64) -> Result<(), Refusal> {
        let limits = &self.terms.limits;
        let row = sqlx::query(
            "INSERT INTO attempts (person, started, failed, resets_at) VALUES ($1, 1, 0, $2)
             ON CONFLICT (person) DO UPDATE SET
                 started   = CASE WHEN attempts.resets_at <= $3 THEN 1 ELSE attempts.started + 1 END,
                 failed    = CASE WHEN attempts.resets_at <= $3 THEN 0 ELSE attempts.failed END,
                 resets_at = CASE WHEN attempts.resets_at <= $3 THEN $2 ELSE attempts.resets_at END
             RETURNING started, failed, resets_at",
        )
        .bind(person)
        .bind(number(now + limits.lockout_seconds))
        .bind(number(now))
        .fetch_one(self.database.pool())
        .await?;
        let count = |column| row.try_get::<i64, _>(column).map(unsigned);
        let within = count("started")? <= limits.starts && count("failed")? < limits.failures;
        if !passes("ENR-07", within) {
            return Err(Refusal::TooManyAttempts {
                retry_after: count("resets_at")?.saturating_sub(now).max(1),
            });
        }
        Ok(())
    }
}

async fn enrolment(connection: impl Executor<'_, Database = Any>, id: &str) -> Result<Enrolment, Refusal> {
    let row = sqlx::query(
        "SELECT id, person, subject, matched, account_key, code_mac FROM enrolments WHERE id = $1",
    )
    .bind(id)
    .fetch_optional(connection)
    .await?;
    Enrolment::read(&row.ok_or(Refusal::UnknownEnrolment)?)
}

/// Makes the enrolment's key the person's one active account. Two at once wait for each other at
/// the person's row; the database itself refuses a second active one.
async fn replace_account(
    transaction: &mut Transaction<'_, Any>,
    enrolment: &Enrolment,
    now: u64,
    rng: &mut (impl CryptoRng + Send),
) -> Result<String, Refusal> {
    sqlx::query(
        "INSERT INTO enrolled (person, turn) VALUES ($1, 0)
         ON CONFLICT (person) DO UPDATE SET turn = enrolled.turn + 1",
    )
    .bind(&enrolment.person)
    .execute(&mut **transaction)
    .await?;
    if !passes("ENR-12", false) {
        let replaced = sqlx::query("UPDATE accounts SET active = 0 WHERE person = $1 AND active = 1")
            .bind(&enrolment.person)
            .execute(&mut **transaction)
            .await?;
        // Whoever has the old device gets no more credentials of this person either.
        if replaced.rows_affected() > 0 {
            operator::end(transaction, "wallet", &enrolment.person, "", now).await?;
        }
    }
    let id = random_id(rng);
    sqlx::query(
        "INSERT INTO accounts (id, person, subject, account_key, active, created_at) VALUES ($1, $2, $3, $4, 1, $5)",
    )
    .bind(&id)
    .bind(&enrolment.person)
    .bind(&enrolment.subject)
    .bind(enrolment.account_key.to_multikey())
    .bind(number(now))
    .execute(&mut **transaction)
    .await?;
    Ok(id)
}

impl Enrolment {
    fn read(row: &AnyRow) -> Result<Self, Refusal> {
        let count = |column| row.try_get::<i64, _>(column).map(unsigned);
        let key: String = row.try_get("account_key")?;
        Ok(Self {
            id: row.try_get("id")?,
            person: row.try_get("person")?,
            subject: row.try_get("subject")?,
            matched: count("matched")? == 1,
            account_key: PublicKey::from_multikey(&key).map_err(|_| Refusal::InvalidAccountKey)?,
            code_mac: row.try_get("code_mac")?,
        })
    }
}

/// Name and number without surrounding spaces, the number's last letter in upper case.
fn checked(name: &str, identity_number: &str) -> Result<(String, String), Refusal> {
    let name = name.trim();
    if !(1..=MAX_NAME).contains(&name.chars().count()) {
        return Err(Refusal::InvalidRequest("name"));
    }
    let identity_number = identity_number.trim().to_ascii_uppercase();
    if !(1..=MAX_NUMBER).contains(&identity_number.len()) {
        return Err(Refusal::InvalidRequest("number"));
    }
    Ok((name.to_owned(), identity_number))
}

/// 127 random bits, base64url. It never begins with a hyphen, which command lines would take for an option.
fn random_id(rng: &mut impl CryptoRng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    bytes[0] &= 0x7f;
    base64url_encode(bytes)
}

/// Eight random digits, each code as likely as any other.
pub(crate) fn random_code(rng: &mut impl CryptoRng) -> String {
    const CODES: u32 = 10u32.pow(CODE_DIGITS as u32);
    // Above the largest multiple of the number of codes, some codes would come more often.
    let drawn = loop {
        let drawn = rng.next_u32();
        if drawn < u32::MAX / CODES * CODES {
            break drawn % CODES;
        }
    };
    format!("{drawn:0CODE_DIGITS$}")
}
