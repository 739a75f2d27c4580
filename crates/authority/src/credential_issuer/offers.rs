//! Credential offers: made for one record, fetched by reference, redeemed once.

use rand::CryptoRng;
use realdid_checks::passes;
use realdid_openid::vci::offer::{
    AuthorizationCodeGrant, CredentialOffer, Grants, PreAuthorizedGrant, TxCode, link_to,
};
use serde::Serialize;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};

use super::operator::Event;
use super::{CredentialIssuer, IssueRefusal, fresh, hashed, same};
use crate::database::{number, unsigned};

/// Who asks for an offer by name and number alone.
pub(crate) const ANYBODY: &str = "person";
/// Digits of a transaction code.
pub const TX_CODE_DIGITS: usize = 8;

/// Whom an offer is for.
#[derive(Clone)]
pub struct Recipient {
    /// Keyed function of the record's name.
    pub person: String,
    /// The record's name, sealed.
    pub subject: String,
    /// Whether there is such a record. An offer to nobody looks the same and gives nothing.
    pub matched: bool,
}

/// An offer that was made. The code is not in it, but whoever has the address can fetch it.
#[derive(Debug, Clone, Serialize)]
pub struct MadeOffer {
    /// The link for wallets.
    pub link: String,
    /// Where wallets fetch the offer.
    pub credential_offer_uri: String,
    /// The offer itself, for wallets that take it by value.
    pub credential_offer: Value,
    /// How long it may be used, in seconds.
    pub expires_in: u64,
}

/// An offer's row, locked by the statement that counted a try.
pub(crate) struct Offer {
    pub id_hash: String,
    pub configurations: Vec<String>,
    pub person: String,
    pub subject: String,
    pub matched: bool,
    pub tx_mac: String,
}

impl CredentialIssuer {
    /// Makes an offer. `tx_code` is the code that the person gets by another way, if one is wanted.
    ///
    /// # Errors
    /// [`IssueRefusal::UnknownConfiguration`], [`IssueRefusal::NotAccredited`],
    /// [`IssueRefusal::RightsUnknown`], [`IssueRefusal::Database`].
    pub async fn offer(
        &self,
        configurations: &[String],
        recipient: &Recipient,
        tx_code: Option<&str>,
        actor: &'static str,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<MadeOffer, IssueRefusal> {
        if configurations.is_empty() {
            return Err(IssueRefusal::UnknownConfiguration);
        }
        for id in configurations {
            self.may_issue(self.kind(id)?, now)?;
        }
        let id = fresh(rng);
        let id_hash = hashed(&id);
        let tx_mac = tx_code
            .map(|code| self.tx_mac(&id_hash, code))
            .unwrap_or_default();
        sqlx::query(
            "INSERT INTO vci_offers (id_hash, code_hash, configurations, person, subject, matched, tx_mac,
                                     attempts, used, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8)",
        )
        .bind(&id_hash)
        .bind(hashed(&self.pre_authorized_code(&id)))
        .bind(configurations.join(" "))
        .bind(&recipient.person)
        .bind(&recipient.subject)
        .bind(i64::from(recipient.matched))
        .bind(&tx_mac)
        .bind(number(now + self.policy.offer_seconds))
        .execute(self.database.pool())
        .await?;
        // The log is kept: what anybody can ask for by a form is not written there before it is taken.
        if actor != ANYBODY {
            let (what, person) = (configurations.join(" "), &recipient.person);
            let event = Event::new(actor, "offered", &what, person, &id_hash[..16]);
            self.record_event(&event, now).await?;
        }
        let uri = format!("{}/offer/{id}", self.issuer);
        let offer = self.offer_body(&id, configurations, !tx_mac.is_empty());
        Ok(MadeOffer {
            link: link_to(&uri),
            credential_offer_uri: uri,
            credential_offer: serde_json::to_value(offer)
                .map_err(|_| IssueRefusal::Internal("an offer has no JSON form"))?,
            expires_in: self.policy.offer_seconds,
        })
    }

    /// An offer as a wallet fetches it.
    ///
    /// # Errors
    /// [`IssueRefusal::UnknownOffer`], [`IssueRefusal::Database`].
    pub async fn offer_by_reference(&self, id: &str, now: u64) -> Result<CredentialOffer, IssueRefusal> {
        let row = sqlx::query(
            "SELECT configurations, tx_mac FROM vci_offers WHERE id_hash = $1 AND used = 0 AND expires_at > $2",
        )
        .bind(hashed(id))
        .bind(number(now))
        .fetch_optional(self.database.pool())
        .await?
        .ok_or(IssueRefusal::UnknownOffer)?;
        let tx_mac: String = row.try_get("tx_mac")?;
        Ok(self.offer_body(id, &words(&row, "configurations")?, !tx_mac.is_empty()))
    }

    fn offer_body(&self, id: &str, configurations: &[String], asks_code: bool) -> CredentialOffer {
        let tx_code = TxCode {
            input_mode: Some("numeric".to_owned()),
            length: Some(TX_CODE_DIGITS as u64),
            description: Some(format!("The one-time code that {} sent you", self.name)),
        };
        CredentialOffer {
            credential_issuer: self.issuer.clone(),
            credential_configuration_ids: configurations.to_vec(),
            grants: Grants {
                authorization_code: Some(AuthorizationCodeGrant {
                    issuer_state: Some(self.issuer_state(&hashed(id))),
                    authorization_server: None,
                }),
                pre_authorized_code: Some(PreAuthorizedGrant {
                    pre_authorized_code: self.pre_authorized_code(id),
                    tx_code: asks_code.then_some(tx_code),
                    authorization_server: None,
                }),
            },
        }
    }

    /// The code of an offer: a keyed function of its identifier, so that neither is stored.
    fn pre_authorized_code(&self, id: &str) -> String {
        self.secrets.derived("pre-authorized-code", id)
    }

    /// What leads from an authorization request to an offer: it travels through browsers, so it is not
    /// the name by which the offer, with its code, can be fetched.
    fn issuer_state(&self, id_hash: &str) -> String {
        format!("{id_hash}.{}", self.secrets.derived("issuer-state", id_hash))
    }

    /// The hash of an offer's identifier, if this `issuer_state` was made here: it may have been
    /// injected (OpenID4VCI 1.0 §5.1.3).
    pub(crate) fn offer_of(&self, issuer_state: &str) -> Option<String> {
        let (id_hash, tag) = issuer_state.split_once('.')?;
        let own = same(tag, &self.secrets.derived("issuer-state", id_hash));
        passes("OAU-38", own).then(|| id_hash.to_owned())
    }

    pub(crate) fn tx_mac(&self, id_hash: &str, code: &str) -> String {
        self.secrets.code(id_hash, code).to_hex()
    }

    /// Counts a try of an offer and locks its row. Nothing is counted for good before the transaction
    /// is committed.
    pub(crate) async fn try_offer(
        &self,
        transaction: &mut Transaction<'_, Any>,
        code_hash: &str,
        now: u64,
    ) -> Result<Offer, IssueRefusal> {
        let row = sqlx::query(
            "UPDATE vci_offers SET attempts = attempts + 1 WHERE code_hash = $1
             RETURNING id_hash, configurations, person, subject, matched, tx_mac, attempts, expires_at",
        )
        .bind(code_hash)
        .fetch_optional(&mut **transaction)
        .await?
        .ok_or(IssueRefusal::Grant)?;
        let count = |column| row.try_get::<i64, _>(column).map(unsigned);
        if !passes("VCI-47", count("expires_at")? > now) {
            return Err(IssueRefusal::Grant);
        }
        if !passes("VCI-48", count("attempts")? <= self.policy.tx_code_tries) {
            return Err(IssueRefusal::Grant);
        }
        Offer::read(&row)
    }

    /// Uses an offer up.
    pub(crate) async fn use_offer(
        &self,
        transaction: &mut Transaction<'_, Any>,
        id_hash: &str,
    ) -> Result<bool, IssueRefusal> {
        let used = sqlx::query("UPDATE vci_offers SET used = 1 WHERE id_hash = $1 AND used = 0")
            .bind(id_hash)
            .execute(&mut **transaction)
            .await?;
        Ok(used.rows_affected() == 1)
    }
}

impl Offer {
    pub(crate) fn read(row: &AnyRow) -> Result<Self, IssueRefusal> {
        Ok(Self {
            id_hash: row.try_get("id_hash")?,
            configurations: words(row, "configurations")?,
            person: row.try_get("person")?,
            subject: row.try_get("subject")?,
            matched: row.try_get::<i64, _>("matched").map(unsigned)? == 1,
            tx_mac: row.try_get("tx_mac")?,
        })
    }
}

/// A column with words separated by spaces.
pub(crate) fn words(row: &AnyRow, column: &str) -> Result<Vec<String>, sqlx::Error> {
    let text: String = row.try_get(column)?;
    Ok(text
        .split(' ')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect())
}
