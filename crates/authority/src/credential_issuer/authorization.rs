//! Authorization by a page: the wallet's request (pushed, if the policy says so), the person's
//! identification in the browser, and a code for the wallet.

use rand::CryptoRng;
use realdid_checks::passes;
use realdid_openid::oauth::authorization::{PushedResponse, is_wallet_address};
use realdid_openid::oauth::{WalletRequest, WalletRequestError};
use realdid_openid::oidc::authorization::{REQUEST_URI_PREFIX, redirect_with};
use realdid_openid::oidc::{AuthorizationError, AuthorizationParameters, CodeChallenge};
use serde::{Deserialize, Serialize};
use sqlx::{Any, Row as _, Transaction};
use url::Url;

use super::offers::words;
use super::{CredentialIssuer, IssueRefusal, Recipient, fresh, hashed, same};
use crate::database::{number, unsigned};

/// How long a pushed request may wait for its browser, in seconds.
pub const PUSHED_LIFE: u64 = 90;
/// How long a person may take on the page, in seconds.
pub const PAGE_LIFE: u64 = 900;
/// Life of an authorization code, in seconds.
pub const CODE_LIFE: u64 = 60;
/// Characters of a page's hash that its forms carry.
const FORM: usize = 16;
/// Ends a page, once.
const CLOSE: &str = "UPDATE vci_authorizations SET done = 1 WHERE id_hash = $1 AND done = 0";

/// A registered wallet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wallet {
    /// Its name as a client.
    pub client_id: String,
    /// Its name for people.
    pub name: String,
    /// Where it may take browsers back to, to the letter.
    pub redirect_uris: Vec<String>,
}

/// What a code stands for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct GrantedRequest {
    pub client_id: String,
    pub redirect_uri: String,
    pub challenge: CodeChallenge,
    pub dpop_jkt: Option<String>,
    pub by_details: bool,
    pub configurations: Vec<String>,
    pub person: String,
    pub subject: String,
}

/// A browser's place on the page.
#[derive(Debug, Clone)]
pub struct Page {
    pub(crate) id_hash: String,
    /// The wallet's request.
    pub request: WalletRequest,
    /// What it asks for.
    pub configurations: Vec<String>,
    /// Hash of the offer's identifier whose `issuer_state` came along; empty if none did.
    pub(crate) offer: String,
    /// Whether a code has been sent.
    pub identified: bool,
    /// Hash of the pushed request that it was opened with; empty if it came with the request itself.
    pushed: String,
    /// Whether it has led somewhere already.
    done: bool,
}

impl Page {
    /// What the page's forms carry: what is typed on one page is not taken for another that the browser
    /// has opened since.
    #[must_use]
    pub fn form(&self) -> &str {
        self.id_hash.get(..FORM).unwrap_or_default()
    }

    /// Whether this browser may load the page again with this pushed request, which nobody else may
    /// use a second time (RFC 9126 §4): phones load it anew when the person has looked up the code.
    #[must_use]
    pub fn is_of(&self, request_uri: &str, client_id: &str) -> bool {
        !self.done && self.pushed == hashed(request_uri) && self.request.client_id == client_id
    }
}

impl CredentialIssuer {
    /// Keeps a pushed request (RFC 9126 §2).
    ///
    /// # Errors
    /// [`IssueRefusal::WalletRequest`], [`IssueRefusal::Database`].
    pub async fn push(
        &self,
        parameters: &AuthorizationParameters,
        dpop_jkt: Option<&str>,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<PushedResponse, IssueRefusal> {
        let nested = parameters.get("request_uri").is_none() && parameters.get("request").is_none();
        if !passes("OAU-20", nested) {
            return Err(WalletRequestError::from(AuthorizationError::RequestObject).into());
        }
        let mut request = self.check_request(parameters)?;
        let agree =
            request.dpop_jkt.is_none() || dpop_jkt.is_none() || request.dpop_jkt.as_deref() == dpop_jkt;
        if !passes("DPOP-16", agree) {
            return Err(IssueRefusal::DpopOtherKey);
        }
        request.dpop_jkt = request.dpop_jkt.or_else(|| dpop_jkt.map(str::to_owned));
        let id = fresh(rng);
        sqlx::query(
            "INSERT INTO vci_pushed (id_hash, client_id, request, used, expires_at) VALUES ($1, $2, $3, 0, $4)",
        )
        .bind(hashed(&id))
        .bind(&request.client_id)
        .bind(stored(&request)?)
        .bind(number(now + PUSHED_LIFE))
        .execute(self.database.pool())
        .await?;
        Ok(PushedResponse {
            request_uri: format!("{REQUEST_URI_PREFIX}{id}"),
            expires_in: PUSHED_LIFE,
        })
    }

    /// Checks who asks, where the answer would go, and what is asked for. As long as the redirect
    /// address has not been accepted, nothing may be redirected to it.
    pub(crate) fn check_request(
        &self,
        parameters: &AuthorizationParameters,
    ) -> Result<WalletRequest, IssueRefusal> {
        self.check_redirect(parameters)?;
        let mut request = WalletRequest::read(parameters)?;
        request.configurations(self.scopes())?;
        // From here on it is the hash that leads to the offer: only that is kept.
        request.issuer_state = request.issuer_state.and_then(|state| self.offer_of(&state));
        Ok(request)
    }

    /// Checks client and redirect address (RFC 9700 §2.1, §4.1).
    pub(crate) fn check_redirect(&self, parameters: &AuthorizationParameters) -> Result<(), IssueRefusal> {
        let missing = |error: AuthorizationError| IssueRefusal::from(WalletRequestError::from(error));
        let client = parameters.require("client_id").map_err(missing)?;
        let address = parameters.require("redirect_uri").map_err(missing)?;
        let registered = self
            .policy
            .wallets
            .iter()
            .find(|wallet| wallet.client_id == client);
        let may = match registered {
            Some(wallet) => wallet.redirect_uris.iter().any(|uri| uri == address),
            None => self.policy.unregistered_wallets && is_wallet_address(address),
        };
        if passes("OAU-21", may) {
            Ok(())
        } else {
            Err(WalletRequestError::RedirectUri.into())
        }
    }

    /// Configurations and their scopes, which are called the same.
    fn scopes(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.types.keys().map(|id| (id.as_str(), id.as_str()))
    }

    /// Takes a pushed request out; a second time there is none.
    ///
    /// # Errors
    /// [`IssueRefusal::PushedRequest`], [`IssueRefusal::Database`].
    pub async fn take_pushed(
        &self,
        request_uri: &str,
        client_id: &str,
        now: u64,
    ) -> Result<WalletRequest, IssueRefusal> {
        let id = request_uri
            .strip_prefix(REQUEST_URI_PREFIX)
            .ok_or(IssueRefusal::PushedRequest)?;
        let row = sqlx::query(
            "UPDATE vci_pushed SET used = used + 1 WHERE id_hash = $1
             RETURNING client_id, request, used, expires_at",
        )
        .bind(hashed(id))
        .fetch_optional(self.database.pool())
        .await?
        .ok_or(IssueRefusal::PushedRequest)?;
        let count = |column| row.try_get::<i64, _>(column).map(unsigned);
        if !passes("OAU-22", count("used")? == 1) {
            return Err(IssueRefusal::PushedRequest);
        }
        if !passes("OAU-27", count("expires_at")? > now) {
            return Err(IssueRefusal::PushedRequest);
        }
        let pushed_by: String = row.try_get("client_id")?;
        if !passes("OAU-28", pushed_by == client_id) {
            return Err(IssueRefusal::PushedRequest);
        }
        let text: String = row.try_get("request")?;
        read(&text)
    }

    /// Opens the page for a request; gives the secret that the browser keeps as a cookie.
    ///
    /// # Errors
    /// [`IssueRefusal`].
    pub async fn open_page(
        &self,
        request: &WalletRequest,
        request_uri: Option<&str>,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<(String, Page), IssueRefusal> {
        let configurations = request.configurations(self.scopes())?;
        for id in &configurations {
            self.may_issue(self.kind(id)?, now)?;
        }
        let id = fresh(rng);
        let offer = request.issuer_state.clone().unwrap_or_default();
        let pushed = request_uri.map(hashed).unwrap_or_default();
        sqlx::query(
            "INSERT INTO vci_authorizations
                 (id_hash, request, configurations, offer, pushed, person, subject, matched, code_mac, attempts,
                  done, expires_at)
             VALUES ($1, $2, $3, $4, $5, '', '', 0, '', 0, 0, $6)",
        )
        .bind(hashed(&id))
        .bind(stored(request)?)
        .bind(configurations.join(" "))
        .bind(&offer)
        .bind(&pushed)
        .bind(number(now + PAGE_LIFE))
        .execute(self.database.pool())
        .await?;
        let page = Page {
            id_hash: hashed(&id),
            request: request.clone(),
            configurations,
            offer,
            identified: false,
            pushed,
            done: false,
        };
        Ok((id, page))
    }

    /// The page that a browser's cookie leads to.
    ///
    /// # Errors
    /// [`IssueRefusal::PushedRequest`], [`IssueRefusal::Database`].
    pub async fn page(&self, cookie: &str, now: u64) -> Result<Page, IssueRefusal> {
        let row = sqlx::query("SELECT * FROM vci_authorizations WHERE id_hash = $1")
            .bind(hashed(cookie))
            .fetch_optional(self.database.pool())
            .await?
            .ok_or(IssueRefusal::PushedRequest)?;
        if !passes("OAU-29", row.try_get::<i64, _>("expires_at").map(unsigned)? > now) {
            return Err(IssueRefusal::PushedRequest);
        }
        let request: String = row.try_get("request")?;
        let code_mac: String = row.try_get("code_mac")?;
        Ok(Page {
            id_hash: row.try_get("id_hash")?,
            request: read(&request)?,
            configurations: words(&row, "configurations")?,
            offer: row.try_get("offer")?,
            identified: !code_mac.is_empty(),
            pushed: row.try_get("pushed")?,
            done: row.try_get::<i64, _>("done").map(unsigned)? != 0,
        })
    }

    /// Notes on a page for whom a code was sent.
    ///
    /// # Errors
    /// [`IssueRefusal::Database`].
    pub async fn identify(&self, page: &Page, recipient: &Recipient, code: &str) -> Result<(), IssueRefusal> {
        sqlx::query(
            "UPDATE vci_authorizations SET person = $1, subject = $2, matched = $3, code_mac = $4, attempts = 0
             WHERE id_hash = $5 AND done = 0",
        )
        .bind(&recipient.person)
        .bind(&recipient.subject)
        .bind(i64::from(recipient.matched))
        .bind(self.tx_mac(&page.id_hash, code))
        .bind(&page.id_hash)
        .execute(self.database.pool())
        .await?;
        Ok(())
    }

    /// Checks the code that a person typed on a page; the right one gives the address to go back to.
    ///
    /// # Errors
    /// [`IssueRefusal::TxCode`], [`IssueRefusal::Grant`], [`IssueRefusal::Database`].
    pub async fn confirm(
        &self,
        page: &Page,
        code: &str,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<Url, IssueRefusal> {
        let mut transaction = self.database.begin().await?;
        let row = sqlx::query(
            "UPDATE vci_authorizations SET attempts = attempts + 1
             WHERE id_hash = $1 AND code_mac <> '' RETURNING person, subject, matched, code_mac, attempts",
        )
        .bind(&page.id_hash)
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(IssueRefusal::Grant)?;
        let attempts = row.try_get::<i64, _>("attempts").map(unsigned)?;
        if !passes("OAU-36", attempts <= self.policy.tx_code_tries) {
            return Err(IssueRefusal::Grant);
        }
        let (person, mac): (String, String) = (row.try_get("person")?, row.try_get("code_mac")?);
        let matched = row.try_get::<i64, _>("matched").map(unsigned)? == 1;
        let right = same(&mac, &self.tx_mac(&page.id_hash, code));
        if !passes("OAU-23", right & matched) {
            self.count_failure(&mut transaction, &person, now).await?;
            transaction.commit().await?;
            return Err(IssueRefusal::TxCode);
        }
        let recipient = Recipient {
            person,
            subject: row.try_get("subject")?,
            matched,
        };
        self.authorize(transaction, page, &page.configurations, &recipient, now, rng)
            .await
    }

    /// Uses up the offer that a page came with: the person's transaction code, if it asks for one,
    /// is what identifies them.
    ///
    /// # Errors
    /// [`IssueRefusal::TxCode`], [`IssueRefusal::Grant`], [`IssueRefusal::Database`].
    pub async fn confirm_offer(
        &self,
        page: &Page,
        tx_code: Option<&str>,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<Url, IssueRefusal> {
        let code_hash: Option<String> =
            sqlx::query_scalar("SELECT code_hash FROM vci_offers WHERE id_hash = $1")
                .bind(&page.offer)
                .fetch_optional(self.database.pool())
                .await?;
        let code_hash = code_hash.ok_or(IssueRefusal::Grant)?;
        let mut transaction = self.database.begin().await?;
        let offer = self.try_offer(&mut transaction, &code_hash, now).await?;
        let right = offer.tx_mac.is_empty()
            || same(
                &offer.tx_mac,
                &self.tx_mac(&offer.id_hash, tx_code.unwrap_or_default()),
            );
        if !passes("OAU-24", right & offer.matched) {
            self.count_failure(&mut transaction, &offer.person, now).await?;
            transaction.commit().await?;
            return Err(IssueRefusal::TxCode);
        }
        let offered = |id: &&String| offer.configurations.contains(id);
        let configurations: Vec<_> = page.configurations.iter().filter(offered).cloned().collect();
        if !passes("OAU-39", !configurations.is_empty()) {
            return Err(WalletRequestError::NothingKnown.into());
        }
        if !passes("OAU-37", self.use_offer(&mut transaction, &offer.id_hash).await?) {
            return Err(IssueRefusal::Grant);
        }
        let recipient = Recipient {
            person: offer.person.clone(),
            subject: offer.subject.clone(),
            matched: true,
        };
        self.authorize(transaction, page, &configurations, &recipient, now, rng)
            .await
    }

    /// Whether the offer a page came with can still be taken, and asks for a code.
    ///
    /// # Errors
    /// [`IssueRefusal::Database`].
    pub async fn page_offer(&self, page: &Page, now: u64) -> Result<Option<bool>, IssueRefusal> {
        let row =
            sqlx::query("SELECT tx_mac FROM vci_offers WHERE id_hash = $1 AND used = 0 AND expires_at > $2")
                .bind(&page.offer)
                .bind(number(now))
                .fetch_optional(self.database.pool())
                .await?;
        let mac: Option<String> = row.map(|row| row.try_get("tx_mac")).transpose()?;
        Ok(mac.map(|mac| !mac.is_empty()))
    }

    /// Closes a page and makes its code, in the transaction that found out who the person is.
    async fn authorize(
        &self,
        mut transaction: Transaction<'static, Any>,
        page: &Page,
        configurations: &[String],
        recipient: &Recipient,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<Url, IssueRefusal> {
        let closed = sqlx::query(CLOSE)
            .bind(&page.id_hash)
            .execute(&mut *transaction)
            .await?;
        if !passes("OAU-25", closed.rows_affected() == 1) {
            return Err(IssueRefusal::Grant);
        }
        let code = fresh(rng);
        let granted = GrantedRequest {
            client_id: page.request.client_id.clone(),
            redirect_uri: page.request.redirect_uri.clone(),
            challenge: page.request.challenge.clone(),
            dpop_jkt: page.request.dpop_jkt.clone(),
            by_details: !page.request.details.is_empty(),
            configurations: configurations.to_vec(),
            person: recipient.person.clone(),
            subject: recipient.subject.clone(),
        };
        sqlx::query(
            "INSERT INTO vci_codes (code_hash, grant_id, request, person, configurations, used, expires_at)
             VALUES ($1, $2, $3, $4, $5, 0, $6)",
        )
        .bind(hashed(&code))
        .bind(fresh(rng))
        .bind(stored(&granted)?)
        .bind(&recipient.person)
        .bind(configurations.join(" "))
        .bind(number(now + CODE_LIFE))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        self.answer(&page.request, &[("code", &code)])
    }

    /// Closes a page without an answer: whoever said no is not asked again.
    ///
    /// # Errors
    /// [`IssueRefusal::Database`].
    pub async fn close(&self, page: &Page) -> Result<(), IssueRefusal> {
        let closing = sqlx::query(CLOSE).bind(&page.id_hash);
        closing.execute(self.database.pool()).await?;
        Ok(())
    }

    /// The address that takes an answer back to the wallet, with `state` and `iss` (RFC 9207).
    ///
    /// # Errors
    /// [`IssueRefusal::WalletRequest`] if the address is none.
    pub fn answer(&self, request: &WalletRequest, answer: &[(&str, &str)]) -> Result<Url, IssueRefusal> {
        let url = redirect_with(
            &request.redirect_uri,
            &self.issuer,
            request.state.as_deref(),
            answer,
        );
        Ok(url.map_err(WalletRequestError::from)?)
    }
}

fn stored(value: &impl Serialize) -> Result<String, IssueRefusal> {
    serde_json::to_string(value).map_err(|_| IssueRefusal::Internal("a request has no JSON form"))
}

fn read(text: &str) -> Result<WalletRequest, IssueRefusal> {
    serde_json::from_str(text).map_err(|_| IssueRefusal::Internal("a request cannot be read"))
}
