//! A site: its DID is on the ledger, and an accredited sign-in server states its name.

use realdid_checks::passes;
use realdid_crypto::base64url_encode;
use realdid_did::{Backing, Did, DocumentData, Entry, Purposes, Status};
use realdid_ledger::Role;
use realdid_openid::site_statement::{SiteClaims, UnverifiedStatement};
use url::Url;

use super::asker::{self, AskError, Asker, Sponsor, Stated};
use super::request::{Facts, FetchedRequest, Judged, PresentationContext, check_origin, request_context};

/// The wallet believes a site only if, under one fresh proof of the ledger, all of this holds: the
/// site's DID is active and sponsored; its sponsor is an active, accredited sign-in server; an
/// authentication key of the site signed the request; an assertion key of the sponsor signed the
/// statement that gives the site its name.
pub(super) fn judge(
    fetched: &FetchedRequest,
    facts: &Facts,
    documents: &[DocumentData],
    context: &PresentationContext<'_>,
) -> Result<Judged, AskError> {
    let (
        Stated::Site {
            site,
            sponsor,
            statement,
        },
        [site_data, sponsor_data],
    ) = (&fetched.stated, documents)
    else {
        return Err(AskError::Document);
    };
    let sponsor_name = check_facts(facts, sponsor, site_data, sponsor_data, context.now)?;
    let fragment = fetched.request.key_fragment();
    let request_key = asker::key(site_data, fragment, Purposes::AUTHENTICATION)?;
    let request = fetched.request.verify(request_key, &request_context(context))?;
    let claims = check_statement(statement, site, sponsor, sponsor_data, context)?;
    check_origin(&context.link.request_uri, request.response_uri())?;
    let asker = Asker {
        client_id: request.client_id().as_str().to_owned(),
        origins: origins(&claims),
        name: claims.name,
        registered: true,
        proved: true,
        did: Some(site.clone()),
        sponsor: Some(Sponsor {
            name: sponsor_name,
            did: sponsor.clone(),
        }),
        answer_to: String::new(),
    };
    Ok((request, asker, Some(claims.may_ask)))
}

/// Gives the sponsor's accredited name.
fn check_facts(
    facts: &Facts,
    sponsor_did: &Did,
    site_data: &DocumentData,
    sponsor_data: &DocumentData,
    now: u64,
) -> Result<String, AskError> {
    let active = |entry: &&Entry| entry.status(now) == Status::Active;
    let site = facts
        .asker
        .as_ref()
        .filter(active)
        .ok_or(AskError::SiteNotSponsored)?;
    let sponsored = site.assurance.backing == Backing::Sponsor && site.assurance.by == sponsor_did.hash;
    if !passes("WAL-12", sponsored) {
        return Err(AskError::SiteNotSponsored);
    }
    let accreditation = facts.accreditation.as_ref();
    let accredited = accreditation.is_some_and(|found| found.in_force_as(Role::Signin));
    if !passes("WAL-13", accredited) {
        return Err(AskError::SponsorNotAccredited);
    }
    let sponsor = facts.sponsor.as_ref().ok_or(AskError::SponsorInactive)?;
    if !passes("WAL-14", active(&sponsor)) {
        return Err(AskError::SponsorInactive);
    }
    let told = site.at(now).document == site_data.hash() && sponsor.at(now).document == sponsor_data.hash();
    if !passes("WAL-15", told) {
        return Err(AskError::Document);
    }
    Ok(accreditation.map(|found| found.name.clone()).unwrap_or_default())
}

fn check_statement(
    statement: &UnverifiedStatement,
    site: &Did,
    sponsor: &Did,
    sponsor_data: &DocumentData,
    context: &PresentationContext<'_>,
) -> Result<SiteClaims, AskError> {
    let sponsor = sponsor.to_string();
    let fragment = statement
        .kid()
        .and_then(|kid| kid.strip_prefix(&sponsor)?.strip_prefix('#'));
    let key = asker::key(sponsor_data, fragment.ok_or(AskError::Key)?, Purposes::ASSERTION)?;
    let charter = base64url_encode(context.charter.as_bytes());
    let statement = statement.verify(key, &site.to_string(), &charter, context.now)?;
    Ok(statement.into_claims())
}

/// Where the site takes its visitors back: the origins of its redirect addresses.
fn origins(claims: &SiteClaims) -> Vec<String> {
    let addresses = claims.redirect_uris.iter().filter_map(|uri| Url::parse(uri).ok());
    let mut origins: Vec<_> = addresses.map(|uri| uri.origin().ascii_serialization()).collect();
    origins.sort_unstable();
    origins.dedup();
    origins
}
