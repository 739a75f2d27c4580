//! What comes in headers: DPoP proofs and access tokens.

use axum::http::{HeaderMap, header};
use realdid_checks::passes;
use realdid_openid::oauth::dpop::{self, DpopExpectation, DpopProof};

use super::IssuerApp;
use crate::credential_issuer::IssueRefusal;
use crate::credential_issuer::grants::Access;

/// The request's DPoP proof, checked and taken; none if there is no such header.
pub(super) async fn proof(
    app: &IssuerApp,
    headers: &HeaderMap,
    path: &str,
    now: u64,
) -> Result<Option<DpopProof>, IssueRefusal> {
    let proof = checked(app, headers, path, None, now)?;
    if let Some(proof) = &proof {
        app.issuer.take_dpop(proof, now).await?;
    }
    Ok(proof)
}

/// The request's DPoP proof, as far as it can be checked without remembering anything.
fn checked(
    app: &IssuerApp,
    headers: &HeaderMap,
    path: &str,
    access_token: Option<&str>,
    now: u64,
) -> Result<Option<DpopProof>, IssueRefusal> {
    let mut values = headers.get_all("dpop").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if !passes("DPOP-10", values.next().is_none()) {
        return Err(IssueRefusal::DpopHeaders);
    }
    let text = value.to_str().map_err(|_| IssueRefusal::DpopHeaders)?;
    let uri = app.url(path);
    let expected = DpopExpectation {
        method: "POST",
        uri: &uri,
        access_token,
        now,
    };
    Ok(Some(dpop::check(text, &expected)?))
}

/// What the request's access token allows.
pub(super) async fn access(
    app: &IssuerApp,
    headers: &HeaderMap,
    path: &str,
    now: u64,
) -> Result<Access, IssueRefusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(IssueRefusal::NoToken)?;
    if !passes("OAU-31", values.next().is_none()) {
        return Err(IssueRefusal::Token);
    }
    let text = value.to_str().map_err(|_| IssueRefusal::Token)?;
    let (scheme, token) = text.split_once(' ').ok_or(IssueRefusal::Token)?;
    let proof = if scheme.eq_ignore_ascii_case("DPoP") {
        let proof = checked(app, headers, path, Some(token), now)?;
        Some(proof.ok_or(IssueRefusal::Token)?)
    } else if scheme.eq_ignore_ascii_case("Bearer") {
        None
    } else {
        return Err(IssueRefusal::NoToken);
    };
    let access = app.issuer.access(token, proof.as_ref(), now).await?;
    // Only proofs of those who have a token are remembered.
    if let Some(proof) = &proof {
        app.issuer.take_dpop(proof, now).await?;
    }
    Ok(access)
}
