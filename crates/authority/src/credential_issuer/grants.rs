//! The token endpoint: an offer's code, an authorization code or a refresh token becomes an access
//! token, each in one transaction.

use rand::CryptoRng;
use realdid_checks::passes;
use realdid_openid::oauth::token::Grant;
use realdid_openid::oauth::{AuthorizationDetail, DpopProof, TokenRequest, TokenResponse};
use sqlx::{Any, Row as _, Transaction};

use super::authorization::GrantedRequest;
use super::offers::words;
use super::types::DAY;
use super::{CredentialIssuer, IssueRefusal, fresh, hashed, same};
use crate::attempts;
use crate::database::{number, unsigned};

/// Longest life of an access token, in seconds (OpenID4VCI 1.0 §13.10).
pub const MAX_ACCESS: u64 = 300;
/// After how many seconds wrong codes for a person are forgotten.
const LOCKOUT: u64 = 3600;

/// What a wallet may have, as a token shows it.
#[derive(Debug, Clone)]
pub struct Access {
    pub(crate) grant: String,
    pub(crate) person: String,
    pub(crate) subject: String,
    pub(crate) configurations: Vec<String>,
    /// Whether the token response named identifiers.
    pub(crate) identifiers: bool,
    pub(crate) client_id: Option<String>,
    jkt: Option<String>,
    /// When the grant ends: no refresh token lives longer, however often it was replaced.
    ends: u64,
}

/// What a grant is made of.
struct NewGrant<'a> {
    person: &'a str,
    subject: &'a str,
    configurations: Vec<String>,
    identifiers: bool,
    client_id: Option<&'a str>,
    jkt: Option<&'a str>,
}

impl CredentialIssuer {
    /// Answers a token request; `dpop` is its proof, checked and taken.
    ///
    /// # Errors
    /// [`IssueRefusal`].
    pub async fn redeem(
        &self,
        request: &TokenRequest,
        dpop: Option<&DpopProof>,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<TokenResponse, IssueRefusal> {
        let jkt = dpop.map(|proof| proof.thumbprint.as_str());
        if !passes("DPOP-12", jkt.is_some() || !self.policy.require_dpop) {
            return Err(IssueRefusal::DpopMissing);
        }
        match &request.grant {
            Grant::PreAuthorized { code, tx_code } => {
                self.redeem_offer(request, code, tx_code.as_deref(), jkt, now, rng)
                    .await
            }
            Grant::AuthorizationCode { code, .. } => self.redeem_code(request, code, jkt, now, rng).await,
            Grant::Refresh { refresh_token } => self.refresh(request, refresh_token, jkt, now, rng).await,
        }
    }

    async fn redeem_offer(
        &self,
        request: &TokenRequest,
        code: &str,
        tx_code: Option<&str>,
        jkt: Option<&str>,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<TokenResponse, IssueRefusal> {
        let mut transaction = self.database.begin().await?;
        let offer = self.try_offer(&mut transaction, &hashed(code), now).await?;
        // A request without its code is no guess: the try is rolled back.
        if !passes("VCI-35", offer.tx_mac.is_empty() || tx_code.is_some()) {
            return Err(IssueRefusal::TxCodeMissing);
        }
        if !passes("VCI-36", !offer.tx_mac.is_empty() || tx_code.is_none()) {
            return Err(IssueRefusal::TxCodeUnexpected);
        }
        let right = offer.tx_mac.is_empty()
            || same(
                &offer.tx_mac,
                &self.tx_mac(&offer.id_hash, tx_code.unwrap_or_default()),
            );
        if !passes("VCI-37", right & offer.matched) {
            self.count_failure(&mut transaction, &offer.person, now).await?;
            transaction.commit().await?;
            return Err(IssueRefusal::TxCode);
        }
        let configurations = narrowed(&offer.configurations, &request.authorization_details)?;
        if !passes("VCI-38", self.use_offer(&mut transaction, &offer.id_hash).await?) {
            return Err(IssueRefusal::Grant);
        }
        let grant = NewGrant {
            person: &offer.person,
            subject: &offer.subject,
            configurations,
            identifiers: !request.authorization_details.is_empty(),
            client_id: request.client_id.as_deref(),
            jkt,
        };
        let response = self.grant(&mut transaction, &grant, None, now, rng).await?;
        transaction.commit().await?;
        Ok(response)
    }

    async fn redeem_code(
        &self,
        request: &TokenRequest,
        code: &str,
        jkt: Option<&str>,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<TokenResponse, IssueRefusal> {
        let Grant::AuthorizationCode {
            redirect_uri,
            code_verifier,
            ..
        } = &request.grant
        else {
            return Err(IssueRefusal::Grant);
        };
        let mut transaction = self.database.begin().await?;
        let used = sqlx::query("UPDATE vci_codes SET used = used + 1 WHERE code_hash = $1 RETURNING grant_id, request, used, expires_at")
            .bind(hashed(code))
            .fetch_optional(&mut *transaction)
            .await?
            .ok_or(IssueRefusal::Grant)?;
        let grant_id: String = used.try_get("grant_id")?;
        let count = |column| used.try_get::<i64, _>(column).map(unsigned);
        if !passes("OAU-10", count("used")? == 1) {
            // Somebody has the code who should not: what it gave is taken back (RFC 6749 §4.1.2).
            self.revoke_grant(&mut transaction, &grant_id).await?;
            transaction.commit().await?;
            return Err(IssueRefusal::Grant);
        }
        if !passes("OAU-11", count("expires_at")? > now) {
            return Err(IssueRefusal::Grant);
        }
        let text: String = used.try_get("request")?;
        let granted: GrantedRequest =
            serde_json::from_str(&text).map_err(|_| IssueRefusal::Internal("a code cannot be read"))?;
        let client = request.client_id.as_ref() == Some(&granted.client_id);
        if !passes("OAU-12", client && *redirect_uri == granted.redirect_uri) {
            return Err(IssueRefusal::OtherClient);
        }
        granted.challenge.check(code_verifier)?;
        let bound = granted.dpop_jkt.as_deref().is_none_or(|bound| Some(bound) == jkt);
        if !passes("DPOP-13", bound) {
            return Err(IssueRefusal::DpopOtherKey);
        }
        let grant = NewGrant {
            person: &granted.person,
            subject: &granted.subject,
            configurations: narrowed(&granted.configurations, &request.authorization_details)?,
            identifiers: granted.by_details || !request.authorization_details.is_empty(),
            client_id: Some(&granted.client_id),
            jkt,
        };
        let response = self
            .grant(&mut transaction, &grant, Some(grant_id), now, rng)
            .await?;
        transaction.commit().await?;
        Ok(response)
    }

    async fn refresh(
        &self,
        request: &TokenRequest,
        token: &str,
        jkt: Option<&str>,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<TokenResponse, IssueRefusal> {
        let mut transaction = self.database.begin().await?;
        let (mut access, uses) = self.use_refresh(&mut transaction, &hashed(token), now).await?;
        if !passes("DPOP-14", access.jkt.is_none() || access.jkt.as_deref() == jkt) {
            return Err(IssueRefusal::DpopOtherKey);
        }
        let named = request.client_id.as_ref();
        if !passes("OAU-13", named.is_none() || named == access.client_id.as_ref()) {
            return Err(IssueRefusal::OtherClient);
        }
        // A token bound to a key may be used again; any other is replaced at each use, and a second
        // use tells that it was stolen (RFC 9700 §2.2.2).
        let rotates = access.jkt.is_none();
        if !passes("OAU-14", !rotates || uses == 1) {
            self.revoke_grant(&mut transaction, &access.grant).await?;
            transaction.commit().await?;
            return Err(IssueRefusal::Grant);
        }
        narrowed(&access.configurations, &request.authorization_details)?;
        if !request.authorization_details.is_empty() && !access.identifiers {
            // Whoever asks by details is answered by identifiers, and uses them (OpenID4VCI 1.0 §6.2).
            sqlx::query("UPDATE vci_grants SET identifiers = 1 WHERE id = $1")
                .bind(&access.grant)
                .execute(&mut *transaction)
                .await?;
            access.identifiers = true;
        }
        let response = self.tokens(&mut transaction, &access, rotates, now, rng).await?;
        transaction.commit().await?;
        Ok(response)
    }

    /// Counts a use of a refresh token and gives what it renews.
    async fn use_refresh(
        &self,
        transaction: &mut Transaction<'_, Any>,
        token_hash: &str,
        now: u64,
    ) -> Result<(Access, u64), IssueRefusal> {
        let row = sqlx::query(
            "UPDATE vci_tokens SET used = used + 1 WHERE token_hash = $1 AND kind = 'refresh'
             RETURNING grant_id, used, expires_at",
        )
        .bind(token_hash)
        .fetch_optional(&mut **transaction)
        .await?
        .ok_or(IssueRefusal::Grant)?;
        let (grant, used): (String, i64) = (row.try_get("grant_id")?, row.try_get("used")?);
        let expires_at = row.try_get::<i64, _>("expires_at").map(unsigned)?;
        let row = sqlx::query("SELECT * FROM vci_grants WHERE id = $1")
            .bind(grant)
            .fetch_optional(&mut **transaction)
            .await?
            .ok_or(IssueRefusal::Grant)?;
        let revoked = row.try_get::<i64, _>("revoked").map(unsigned)? != 0;
        if !passes("OAU-35", !revoked) {
            return Err(IssueRefusal::Grant);
        }
        let access = Access::read(&row)?;
        if !passes("OAU-34", expires_at.min(access.ends) > now) {
            return Err(IssueRefusal::Grant);
        }
        Ok((access, unsigned(used)))
    }

    /// Makes a grant and its tokens.
    async fn grant(
        &self,
        transaction: &mut Transaction<'_, Any>,
        grant: &NewGrant<'_>,
        id: Option<String>,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<TokenResponse, IssueRefusal> {
        let id = id.unwrap_or_else(|| fresh(rng));
        let ends = now + self.policy.refresh_days * DAY;
        sqlx::query(
            "INSERT INTO vci_grants (id, person, subject, configurations, identifiers, client_id, jkt, revoked, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8)",
        )
        .bind(&id)
        .bind(grant.person)
        .bind(grant.subject)
        .bind(grant.configurations.join(" "))
        .bind(i64::from(grant.identifiers))
        .bind(grant.client_id.unwrap_or_default())
        .bind(grant.jkt.unwrap_or_default())
        .bind(number(ends))
        .execute(&mut **transaction)
        .await?;
        let access = Access {
            grant: id,
            person: grant.person.to_owned(),
            subject: grant.subject.to_owned(),
            configurations: grant.configurations.clone(),
            identifiers: grant.identifiers,
            client_id: grant.client_id.map(str::to_owned),
            jkt: grant.jkt.map(str::to_owned),
            ends,
        };
        self.tokens(transaction, &access, true, now, rng).await
    }

    /// Makes an access token, and a refresh token if `renews`.
    async fn tokens(
        &self,
        transaction: &mut Transaction<'_, Any>,
        access: &Access,
        renews: bool,
        now: u64,
        rng: &mut (impl CryptoRng + Send),
    ) -> Result<TokenResponse, IssueRefusal> {
        let life = self.policy.access_seconds.clamp(1, MAX_ACCESS);
        let access_token = fresh(rng);
        let refresh_token = renews.then(|| fresh(rng));
        let tokens = [
            Some(("access", &access_token, now + life)),
            refresh_token
                .as_ref()
                .map(|token| ("refresh", token, access.ends)),
        ];
        for (kind, token, end) in tokens.into_iter().flatten() {
            sqlx::query("INSERT INTO vci_tokens (token_hash, grant_id, kind, used, expires_at) VALUES ($1, $2, $3, 0, $4)")
                .bind(hashed(token))
                .bind(&access.grant)
                .bind(kind)
                .bind(number(end))
                .execute(&mut **transaction)
                .await?;
        }
        let detail = |id: &String| AuthorizationDetail {
            credential_identifiers: vec![identifier_of(id)],
            ..AuthorizationDetail::request(id)
        };
        let details = access.configurations.iter().map(detail);
        Ok(TokenResponse {
            access_token,
            token_type: if access.jkt.is_some() { "DPoP" } else { "Bearer" }.to_owned(),
            expires_in: Some(life),
            refresh_token,
            scope: Some(access.configurations.join(" ")),
            authorization_details: if access.identifiers {
                details.collect()
            } else {
                Vec::new()
            },
        })
    }

    /// What an access token allows; `dpop` is the request's proof, checked with the token's hash and
    /// taken.
    ///
    /// # Errors
    /// [`IssueRefusal::Token`], [`IssueRefusal::Database`].
    pub async fn access(
        &self,
        token: &str,
        dpop: Option<&DpopProof>,
        now: u64,
    ) -> Result<Access, IssueRefusal> {
        let row = sqlx::query(
            "SELECT vci_grants.*, vci_tokens.expires_at AS token_end FROM vci_tokens
             JOIN vci_grants ON vci_grants.id = vci_tokens.grant_id WHERE token_hash = $1 AND kind = 'access'",
        )
        .bind(hashed(token))
        .fetch_optional(self.database.pool())
        .await?
        .ok_or(IssueRefusal::Token)?;
        let count = |column| row.try_get::<i64, _>(column).map(unsigned);
        if !passes("OAU-32", count("token_end")? > now) {
            return Err(IssueRefusal::Token);
        }
        if !passes("OAU-33", count("revoked")? == 0) {
            return Err(IssueRefusal::Token);
        }
        let access = Access::read(&row)?;
        let proven = dpop.map(|proof| proof.thumbprint.as_str());
        if passes("DPOP-15", access.jkt.as_deref() == proven) {
            Ok(access)
        } else {
            Err(IssueRefusal::Token)
        }
    }

    async fn revoke_grant(
        &self,
        transaction: &mut Transaction<'_, Any>,
        id: &str,
    ) -> Result<(), IssueRefusal> {
        sqlx::query("UPDATE vci_grants SET revoked = 1 WHERE id = $1")
            .bind(id)
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    /// Counts a wrong code for a person, whether there is such a person or not.
    pub(crate) async fn count_failure(
        &self,
        transaction: &mut Transaction<'_, Any>,
        person: &str,
        now: u64,
    ) -> Result<(), IssueRefusal> {
        Ok(attempts::count_failure(transaction, person, now, LOCKOUT).await?)
    }
}

impl Access {
    pub(crate) fn read(row: &sqlx::any::AnyRow) -> Result<Self, IssueRefusal> {
        let optional = |column| {
            let text: String = row.try_get(column)?;
            Ok::<_, sqlx::Error>(Some(text).filter(|text| !text.is_empty()))
        };
        Ok(Self {
            grant: row.try_get("id")?,
            person: row.try_get("person")?,
            subject: row.try_get("subject")?,
            configurations: words(row, "configurations")?,
            identifiers: row.try_get::<i64, _>("identifiers").map(unsigned)? == 1,
            client_id: optional("client_id")?,
            jkt: optional("jkt")?,
            ends: row.try_get::<i64, _>("expires_at").map(unsigned)?,
        })
    }
}

/// The identifier of the one data set there is for a configuration and a grant.
pub(crate) fn identifier_of(configuration: &str) -> String {
    format!("{configuration}:holder")
}

/// What was granted, or the part of it that the details name.
fn narrowed(granted: &[String], details: &[AuthorizationDetail]) -> Result<Vec<String>, IssueRefusal> {
    if details.is_empty() {
        return Ok(granted.to_vec());
    }
    let mut wanted: Vec<_> = details
        .iter()
        .map(|detail| detail.credential_configuration_id.clone())
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    if passes("OAU-15", wanted.iter().all(|id| granted.contains(id))) {
        Ok(wanted)
    } else {
        Err(IssueRefusal::DetailNotGranted)
    }
}
