//! What an organisation's staff can see and do: offers for records, what was issued, taking it back.
//!
//! Records are named by staff, e.g. by licence number; what is kept of them is a keyed function, so
//! the log tells what happened and not to whom, unless one knows the name.

use rand::CryptoRng;
use realdid_credential::status::Status;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Executor, Row as _, Transaction};

use super::offers::MadeOffer;
use super::source::MAX_RECORD;
use super::{CredentialIssuer, IssueRefusal, Recipient};
use crate::database::{number, unsigned};

/// Most rows in one answer.
const MAX_ROWS: i64 = 500;

/// A line of the log.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    actor: &'static str,
    action: String,
    configuration: String,
    person: String,
    reference: String,
}

impl Event {
    pub(crate) fn new(
        actor: &'static str,
        action: &str,
        configuration: &str,
        person: &str,
        reference: &str,
    ) -> Self {
        Self {
            actor,
            action: action.to_owned(),
            configuration: configuration.to_owned(),
            person: person.to_owned(),
            reference: reference.to_owned(),
        }
    }
}

/// Writes a line within a transaction.
pub(crate) async fn record(
    transaction: &mut Transaction<'_, Any>,
    event: &Event,
    now: u64,
) -> Result<(), IssueRefusal> {
    Ok(write(&mut **transaction, event, now).await?)
}

/// Ends offers, pages, codes and grants by which a person's credential could be had (again); of all
/// configurations if none is named. In the order in which one becomes the other, so that what becomes
/// the next at this moment is met there.
pub(crate) async fn end(
    transaction: &mut Transaction<'_, Any>,
    actor: &'static str,
    person: &str,
    configuration: &str,
    now: u64,
) -> Result<u64, sqlx::Error> {
    let mut ended = 0;
    for statement in END {
        let done = sqlx::query(statement)
            .bind(person)
            .bind(configuration)
            .bind(format!("% {configuration} %"))
            .bind(number(now))
            .execute(&mut **transaction)
            .await?;
        ended += done.rows_affected();
    }
    if ended > 0 {
        let event = Event::new(actor, "ended", configuration, person, "");
        write(&mut **transaction, &event, now).await?;
    }
    Ok(ended)
}

async fn write(
    connection: impl Executor<'_, Database = Any>,
    event: &Event,
    now: u64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO vci_audit (id, at, actor, action, configuration, person, reference)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(hex::encode(rand::random::<[u8; 16]>()))
    .bind(number(now))
    .bind(event.actor)
    .bind(&event.action)
    .bind(&event.configuration)
    .bind(&event.person)
    .bind(&event.reference)
    .execute(connection)
    .await?;
    Ok(())
}

/// What ends when something is taken back. `$1`: person, `$2`: configuration or empty, `$3`: the same as
/// a pattern, `$4`: the time, before which nothing matters any more.
const END: [&str; 4] = [
    "UPDATE vci_offers SET used = 1 WHERE person = $1 AND used = 0 AND expires_at > $4
     AND ($2 = '' OR (' ' || configurations || ' ') LIKE $3)",
    "UPDATE vci_authorizations SET done = 1 WHERE person = $1 AND done = 0 AND expires_at > $4
     AND ($2 = '' OR (' ' || configurations || ' ') LIKE $3)",
    "UPDATE vci_codes SET used = used + 1 WHERE person = $1 AND used = 0 AND expires_at > $4
     AND ($2 = '' OR (' ' || configurations || ' ') LIKE $3)",
    "UPDATE vci_grants SET revoked = 1 WHERE person = $1 AND revoked = 0 AND expires_at > $4
     AND ($2 = '' OR (' ' || configurations || ' ') LIKE $3)",
];

/// What an operator asks to be offered.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferOrder {
    /// Name of the record, as the source has it.
    pub record: String,
    /// Configurations; the first of the file if empty.
    #[serde(default)]
    pub credentials: Vec<String>,
    /// Whether a transaction code is asked for; it is in the answer, for the operator to pass on by
    /// another way than the link.
    #[serde(default)]
    pub tx_code: bool,
}

/// An offer for an operator.
#[derive(Debug, Clone, Serialize)]
pub struct OrderedOffer {
    /// The offer.
    #[serde(flatten)]
    pub offer: MadeOffer,
    /// The transaction code, if one is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_code: Option<String>,
}

/// Something that was issued.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Issuance {
    /// What to name when taking it back.
    pub id: String,
    /// Which configuration.
    pub credential: String,
    /// Keyed function of the record's name.
    pub person: String,
    /// How many copies.
    pub copies: u64,
    /// `valid`, `suspended` or `revoked`.
    pub state: String,
    /// When, in Unix seconds.
    pub issued_at: u64,
    /// Until when, in Unix seconds.
    pub expires_at: u64,
}

/// A line of the log, as operators see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditLine {
    /// When, in Unix seconds.
    pub at: u64,
    /// `wallet` or `operator`.
    pub actor: String,
    /// What happened.
    pub action: String,
    /// Which configuration.
    pub credential: String,
    /// Keyed function of the record's name.
    pub person: String,
    /// Issuance, offer or request.
    pub reference: String,
}

/// A request that waits for approval.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Waiting {
    /// What to name when approving or denying it.
    pub id: String,
    /// Which configuration.
    pub credential: String,
    /// Keyed function of the record's name.
    pub person: String,
}

/// What an operator does to something issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// For good; copies are not renewed any more.
    Revoke,
    /// Until reinstated.
    Suspend,
    /// In force again; not after a revocation.
    Reinstate,
}

/// What was changed, and from when others see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Changed {
    /// The issuances.
    pub issuances: Vec<String>,
    /// Credentials whose status changes.
    pub credentials: u64,
    /// When the change is published, in Unix seconds.
    pub published_at: u64,
}

impl CredentialIssuer {
    /// Who a record is, for this issuer.
    ///
    /// # Errors
    /// [`IssueRefusal::NoRecord`] for a name that cannot be one, [`IssueRefusal::Internal`].
    fn recipient(&self, record: &str, rng: &mut (impl CryptoRng + Send)) -> Result<Recipient, IssueRefusal> {
        if !(1..=MAX_RECORD).contains(&record.len()) {
            return Err(IssueRefusal::NoRecord);
        }
        let sealed = self.secrets.seal(&self.record_name(record), rng);
        Ok(Recipient {
            person: self.person(record),
            subject: sealed.map_err(|_| IssueRefusal::Internal("a subject cannot be sealed"))?,
            matched: true,
        })
    }

    /// Makes an offer for a record.
    ///
    /// # Errors
    /// [`IssueRefusal`], [`IssueRefusal::NoRecord`] if the source has no such record.
    pub async fn order_offer(
        &self,
        order: &OfferOrder,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<OrderedOffer, IssueRefusal> {
        let credentials = self.check_order(order, now).await?;
        let recipient = self.recipient(&order.record, rng)?;
        let tx_code = order.tx_code.then(|| crate::enrolment::random_code(rng));
        let offer = self
            .offer(&credentials, &recipient, tx_code.as_deref(), "operator", now, rng)
            .await?;
        Ok(OrderedOffer { offer, tx_code })
    }

    /// Which configurations an order names, once it is clear that each could be issued.
    async fn check_order(&self, order: &OfferOrder, now: u64) -> Result<Vec<String>, IssueRefusal> {
        let credentials = self.named_or_first(&order.credentials);
        let name = self.record_name(&order.record);
        for id in &credentials {
            let (kind, source) = self.types.get(id).ok_or(IssueRefusal::UnknownConfiguration)?;
            let record = source.record(&name).await?.ok_or(IssueRefusal::NoRecord)?;
            kind.claims(&record, now)?;
            self.may_issue(kind, now)?;
        }
        Ok(credentials)
    }

    /// Takes back what a record has of some credentials, and offers them anew: first it is clear that
    /// they can be offered. Gives what was revoked, too.
    ///
    /// # Errors
    /// [`IssueRefusal`].
    pub async fn reissue(
        &self,
        order: &OfferOrder,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<(OrderedOffer, Vec<String>), IssueRefusal> {
        let person = self.person(&order.record);
        let mut revoked = Vec::new();
        for credential in self.check_order(order, now).await? {
            let change = self.change(None, Some(&person), Some(&credential), Change::Revoke, now);
            match change.await {
                Ok(changed) => revoked.extend(changed.issuances),
                Err(IssueRefusal::NoRecord) => {}
                Err(refusal) => return Err(refusal),
            }
        }
        Ok((self.order_offer(order, now, rng).await?, revoked))
    }

    /// Issuances, the newest first: of one record, or all.
    ///
    /// # Errors
    /// [`IssueRefusal::Database`].
    pub async fn issuances(&self, record: Option<&str>) -> Result<Vec<Issuance>, IssueRefusal> {
        let person = record.map(|record| self.person(record)).unwrap_or_default();
        let rows = sqlx::query(
            "SELECT id, configuration, person, copies, state, issued_at, expires_at FROM vci_issuances
             WHERE $1 = '' OR person = $1 ORDER BY issued_at DESC LIMIT $2",
        )
        .bind(person)
        .bind(MAX_ROWS)
        .fetch_all(self.database.pool())
        .await?;
        rows.iter().map(Issuance::read).collect()
    }

    /// Changes an issuance, or what was issued for a record: of one configuration, or all. Revoking and
    /// suspending end what was granted or offered of it before, too, so that nothing more comes of that.
    ///
    /// # Errors
    /// [`IssueRefusal::NoRecord`] if nothing was issued, granted or offered that could be changed so.
    pub async fn change(
        &self,
        issuance: Option<&str>,
        person: Option<&str>,
        credential: Option<&str>,
        change: Change,
        now: u64,
    ) -> Result<Changed, IssueRefusal> {
        let about = self.about(issuance, person, credential).await?;
        let mut transaction = self.database.begin().await?;
        let mut ended = 0;
        if change != Change::Reinstate {
            for (person, configuration) in &about {
                ended += end(&mut transaction, "operator", person, configuration, now).await?;
            }
        }
        let (state, from, status, action) = match change {
            Change::Revoke => (2, "state <> 2", Status::Invalid, "revoked"),
            Change::Suspend => (1, "state = 0", Status::Suspended, "suspended"),
            Change::Reinstate => (0, "state = 1", Status::Valid, "reinstated"),
        };
        let statement = format!(
            "UPDATE vci_issuances SET state = $1 WHERE (id = $2 OR person = $3) AND {from} AND expires_at > $4
             AND ($5 = '' OR configuration = $5)
             RETURNING id, configuration, person"
        );
        // The text is one of three constants.
        let rows = sqlx::query(AssertSqlSafe(statement))
            .bind(state)
            .bind(issuance.unwrap_or_default())
            .bind(person.unwrap_or_default())
            .bind(number(now))
            .bind(credential.unwrap_or_default())
            .fetch_all(&mut *transaction)
            .await?;
        let (mut issuances, mut credentials) = (Vec::new(), 0);
        for row in &rows {
            let (id, configuration): (String, String) = (row.try_get("id")?, row.try_get("configuration")?);
            let person: String = row.try_get("person")?;
            credentials += self.set_status(&mut transaction, &id, status, now).await?;
            let event = Event::new("operator", action, &configuration, &person, &id);
            record(&mut transaction, &event, now).await?;
            issuances.push(id);
        }
        if issuances.is_empty() && ended == 0 {
            return Err(IssueRefusal::NoRecord);
        }
        transaction.commit().await?;
        Ok(Changed {
            issuances,
            credentials,
            published_at: self.published_at(now) + self.policy.status_seconds.max(1),
        })
    }

    /// Whose credentials an order is about, and of which configuration; empty: of all.
    async fn about(
        &self,
        issuance: Option<&str>,
        person: Option<&str>,
        credential: Option<&str>,
    ) -> Result<Vec<(String, String)>, IssueRefusal> {
        let named = person.map(|person| (person.to_owned(), credential.unwrap_or_default().to_owned()));
        let mut about: Vec<_> = named.into_iter().collect();
        if let Some(id) = issuance {
            let row = sqlx::query("SELECT person, configuration FROM vci_issuances WHERE id = $1")
                .bind(id)
                .fetch_optional(self.database.pool())
                .await?
                .ok_or(IssueRefusal::NoRecord)?;
            about.push((row.try_get("person")?, row.try_get("configuration")?));
        }
        Ok(about)
    }

    /// The keyed function of a record's name; of people of the register it is the one that stands for
    /// them everywhere.
    #[must_use]
    pub fn person(&self, record: &str) -> String {
        let name = self.record_name(record);
        if self.of_people {
            self.secrets.person(&name)
        } else {
            self.secrets.record(&name)
        }
    }

    /// A record's name in the form in which it is kept: an identity number's last letter is a capital.
    fn record_name(&self, record: &str) -> String {
        if self.of_people {
            record.trim().to_ascii_uppercase()
        } else {
            record.to_owned()
        }
    }

    /// Requests that wait for approval.
    ///
    /// # Errors
    /// [`IssueRefusal::Database`].
    pub async fn waiting(&self) -> Result<Vec<Waiting>, IssueRefusal> {
        let rows = sqlx::query(
            "SELECT handle, configuration, person FROM vci_deferred
             JOIN vci_grants ON vci_grants.id = vci_deferred.grant_id WHERE state = 'waiting' LIMIT $1",
        );
        let rows = rows.bind(MAX_ROWS).fetch_all(self.database.pool()).await;
        let read = |row: &AnyRow| {
            Ok(Waiting {
                id: row.try_get("handle")?,
                credential: row.try_get("configuration")?,
                person: row.try_get("person")?,
            })
        };
        rows?.iter().map(read).collect()
    }

    /// Approves or denies a request that waits.
    ///
    /// # Errors
    /// [`IssueRefusal::Transaction`] if it does not wait (any more).
    pub async fn decide(&self, handle: &str, approve: bool, now: u64) -> Result<(), IssueRefusal> {
        let state = if approve { "approved" } else { "denied" };
        let row = sqlx::query(
            "UPDATE vci_deferred SET state = $1 WHERE handle = $2 AND state = 'waiting' RETURNING configuration",
        )
        .bind(state)
        .bind(handle)
        .fetch_optional(self.database.pool())
        .await?
        .ok_or(IssueRefusal::Transaction)?;
        let configuration: String = row.try_get("configuration")?;
        self.record_event(&Event::new("operator", state, &configuration, "", handle), now)
            .await
    }

    /// The log, the newest line first: of one record, or all.
    ///
    /// # Errors
    /// [`IssueRefusal::Database`].
    pub async fn audit(&self, record: Option<&str>) -> Result<Vec<AuditLine>, IssueRefusal> {
        let person = record.map(|record| self.person(record)).unwrap_or_default();
        let rows = sqlx::query(
            "SELECT at, actor, action, configuration, person, reference FROM vci_audit
             WHERE $1 = '' OR person = $1 ORDER BY at DESC LIMIT $2",
        )
        .bind(person)
        .bind(MAX_ROWS)
        .fetch_all(self.database.pool())
        .await?;
        let read = |row: &AnyRow| {
            Ok(AuditLine {
                at: row.try_get::<i64, _>("at").map(unsigned)?,
                actor: row.try_get("actor")?,
                action: row.try_get("action")?,
                credential: row.try_get("configuration")?,
                person: row.try_get("person")?,
                reference: row.try_get("reference")?,
            })
        };
        rows.iter().map(read).collect()
    }

    pub(crate) async fn record_event(&self, event: &Event, now: u64) -> Result<(), IssueRefusal> {
        Ok(write(self.database.pool(), event, now).await?)
    }
}

impl Issuance {
    fn read(row: &AnyRow) -> Result<Self, IssueRefusal> {
        let count = |column| row.try_get::<i64, _>(column).map(unsigned);
        let state = match count("state")? {
            0 => "valid",
            1 => "suspended",
            _ => "revoked",
        };
        Ok(Self {
            id: row.try_get("id")?,
            credential: row.try_get("configuration")?,
            person: row.try_get("person")?,
            copies: count("copies")?,
            state: state.to_owned(),
            issued_at: count("issued_at")?,
            expires_at: count("expires_at")?,
        })
    }
}
