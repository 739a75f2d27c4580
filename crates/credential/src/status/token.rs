//! The signed form of a status list: a JWT of type `statuslist+jwt`.

use realdid_checks::passes;
use realdid_crypto::{KeyType, PublicKey, SecretKey};
use realdid_jose::jws::{SigningInput, Unverified};
use serde_json::{Map, Value, json};

use super::{Bits, MAX_LIST, Reference, Status, StatusError, StatusList};

/// Type of a status list token (header `typ`).
pub const TYPE: &str = "statuslist+jwt";
/// Media type that lists are asked for and answered by.
pub const MEDIA_TYPE: &str = "application/statuslist+jwt";
/// Longest token that is read, in bytes: a list of [`MAX_LIST`] that does not compress.
pub const MAX_TOKEN: usize = 4 * 1024 * 1024;
/// How far the issuer's clock may be ahead, in seconds.
const LEEWAY: u64 = 60;

/// What an issuer says of a list beside its entries. Times in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication<'a> {
    /// Address of the list, as credentials refer to it.
    pub uri: &'a str,
    /// When it is issued.
    pub issued_at: u64,
    /// From when on it must not be relied upon.
    pub expires_at: u64,
    /// For how many seconds a reader need not ask again; at least 1.
    pub time_to_live: u64,
    /// Where all lists of the issuer are named, if that is offered.
    pub aggregation_uri: Option<&'a str>,
}

/// Encodes a list for signing. `header`: `kid` or `x5c`, whatever leads to the key.
///
/// # Errors
/// [`StatusError::Jws`] if it gets too long; [`StatusError::TimeToLive`].
pub fn signing_input(
    kind: KeyType,
    mut header: Map<String, Value>,
    list: &StatusList,
    publication: &Publication<'_>,
) -> Result<SigningInput, StatusError> {
    if !passes("STL-11", publication.time_to_live > 0) {
        return Err(StatusError::TimeToLive);
    }
    header.insert("typ".to_owned(), TYPE.into());
    let mut claims = json!({
        "sub": publication.uri,
        "iat": publication.issued_at,
        "exp": publication.expires_at,
        "ttl": publication.time_to_live,
        "status_list": { "bits": list.bits() as u8, "lst": list.to_lst() },
    });
    if let Some(uri) = publication.aggregation_uri {
        claims["status_list"]["aggregation_uri"] = uri.into();
    }
    Ok(SigningInput::with_header(kind, header, &claims, MAX_TOKEN)?)
}

/// Signs a list with a key at hand.
///
/// # Errors
/// As [`signing_input`].
pub fn issue(
    key: &SecretKey,
    header: Map<String, Value>,
    list: &StatusList,
    publication: &Publication<'_>,
) -> Result<String, StatusError> {
    let input = signing_input(key.kind(), header, list, publication)?;
    let signature = key.sign_raw(input.as_bytes());
    Ok(input.finish(&signature))
}

/// A status list token whose signature has not been checked.
#[derive(Debug, Clone)]
pub struct StatusListToken(Unverified);

impl StatusListToken {
    /// Takes a token of at most [`MAX_TOKEN`] bytes apart.
    ///
    /// # Errors
    /// [`StatusError::Jws`].
    pub fn parse(text: &str) -> Result<Self, StatusError> {
        Ok(Self(Unverified::parse_within(text.trim_end(), MAX_TOKEN)?))
    }

    /// The header, to find the key by: `kid` or `x5c`.
    #[must_use]
    pub const fn header(&self) -> &Map<String, Value> {
        self.0.header()
    }

    /// The list, if it is the one at `uri`, signed by this key and in force at `now`.
    ///
    /// # Errors
    /// [`StatusError`].
    pub fn verify(&self, key: &PublicKey, uri: &str, now: u64) -> Result<PublishedList, StatusError> {
        self.0.expect_type(TYPE)?;
        self.0.verify_foreign_signature(key)?;
        let claims = self.0.stated_claims();
        if !passes("STL-01", claims.get("sub").and_then(Value::as_str) == Some(uri)) {
            return Err(StatusError::OtherList);
        }
        let issued_at = claims.get("iat").and_then(seconds);
        if !passes(
            "STL-02",
            issued_at.is_some_and(|at| at <= now.saturating_add(LEEWAY)),
        ) {
            return Err(StatusError::IssuedAt);
        }
        let time_to_live = claims.get("ttl").map(|ttl| seconds(ttl).filter(|ttl| *ttl > 0));
        if !passes("STL-04", time_to_live != Some(None)) {
            return Err(StatusError::TimeToLive);
        }
        // One that is no number has passed.
        let expires_at = claims.get("exp").map(|exp| seconds(exp).unwrap_or(0));
        let list = claims.get("status_list").ok_or(StatusError::Form)?;
        let bits = list
            .get("bits")
            .and_then(Value::as_u64)
            .ok_or(StatusError::Form)?;
        let lst = list.get("lst").and_then(Value::as_str).ok_or(StatusError::Form)?;
        let published = PublishedList {
            uri: uri.to_owned(),
            issued_at: issued_at.unwrap_or_default(),
            expires_at,
            time_to_live: time_to_live.flatten(),
            list: StatusList::from_lst(Bits::from_number(bits)?, lst, MAX_LIST)?,
        };
        published.check_expiry(now)?;
        Ok(published)
    }
}

/// A list whose signature has been checked, as a verifier keeps it. Times in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedList {
    uri: String,
    issued_at: u64,
    expires_at: Option<u64>,
    time_to_live: Option<u64>,
    list: StatusList,
}

impl PublishedList {
    /// The status of a credential. No older than `max_age` seconds, and not expired, at `now`: a
    /// verifier asks a list that it has kept, and learns here when that will not do.
    ///
    /// # Errors
    /// [`StatusError::OtherList`], [`StatusError::Expired`], [`StatusError::Stale`],
    /// [`StatusError::Index`].
    pub fn status(&self, of: &Reference, now: u64, max_age: u64) -> Result<Status, StatusError> {
        if of.uri != self.uri {
            return Err(StatusError::OtherList);
        }
        self.check_expiry(now)?;
        if !passes("STL-10", now.saturating_sub(self.issued_at) <= max_age) {
            return Err(StatusError::Stale);
        }
        self.list.get(of.index)
    }

    fn check_expiry(&self, now: u64) -> Result<(), StatusError> {
        if !passes(
            "STL-03",
            self.expires_at.is_none_or(|expires_at| now < expires_at),
        ) {
            return Err(StatusError::Expired);
        }
        Ok(())
    }

    /// Whether it may not be relied upon any more.
    #[must_use]
    pub fn is_expired(&self, now: u64) -> bool {
        self.check_expiry(now).is_err()
    }

    /// From when on a copy fetched at `fetched_at` should be asked for again: after its time to live
    /// and not after its expiry, at least two seconds and at most a day later, whatever the issuer says.
    #[must_use]
    pub fn refresh_at(&self, fetched_at: u64) -> u64 {
        let until_expiry = self.expires_at.map(|at| at.saturating_sub(fetched_at));
        let wait = self.time_to_live.or(until_expiry).unwrap_or(3_600);
        let wait = wait.min(until_expiry.unwrap_or(u64::MAX));
        fetched_at.saturating_add(wait.clamp(2, 86_400))
    }

    /// Its address.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// When it was issued.
    #[must_use]
    pub const fn issued_at(&self) -> u64 {
        self.issued_at
    }

    /// The entries.
    #[must_use]
    pub const fn list(&self) -> &StatusList {
        &self.list
    }
}

/// A time or duration as JWT has them: a number, not negative; parts of a second are cut off.
fn seconds(value: &Value) -> Option<u64> {
    let fraction = || {
        value
            .as_f64()
            .filter(|n| (0.0..1e15).contains(n))
            .map(|n| n as u64)
    };
    value.as_u64().or_else(fraction)
}
