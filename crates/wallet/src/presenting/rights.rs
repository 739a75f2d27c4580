//! What who asks is registered to ask for, and what it asks for beyond that.

use realdid_did::Did;
use realdid_ledger::{Grant, Right};
use realdid_openid::authorization_request::{RequestClaims, VerifiedRequest};
use realdid_openid::registration::{MayAsk, OverAsked, over_asked as compare};

/// Most types whose grants are asked after.
const MAX_TYPES: usize = 64;

/// The types of credentials that a request asks for, each once.
pub(super) fn types_asked(claims: &RequestClaims) -> Vec<String> {
    let queries = claims.dcql_query.credentials.iter();
    let types = queries.flat_map(|query| query.types().unwrap_or_default());
    let mut types: Vec<_> = types.map(str::to_owned).collect();
    types.sort_unstable();
    types.dedup();
    types.truncate(MAX_TYPES);
    types
}

/// The rights that would let a DID ask for these types.
pub(super) fn to_ask(did: &Did, types: &[String]) -> Vec<(String, Right)> {
    let right = |vct: &String| (vct.clone(), Right::to_ask(did.hash, vct));
    types.iter().map(right).collect()
}

/// What a verifier of the network asks for without being registered for it. A site may ask for what
/// its sponsor's statement lists (`stated`), and for no more than the sponsor itself.
pub(super) fn over_asked(
    request: &VerifiedRequest,
    stated: Option<&[MayAsk]>,
    grants: &[(String, Grant)],
) -> Vec<OverAsked> {
    let shown = request.verifier_info();
    let granted = grants
        .iter()
        .filter_map(|(vct, grant)| MayAsk::granted(vct, &grant.detail, shown));
    let granted: Vec<MayAsk> = granted.collect();
    let mut over = compare(request.query(), &granted);
    for more in stated
        .map(|stated| compare(request.query(), stated))
        .unwrap_or_default()
    {
        if !over.contains(&more) {
            over.push(more);
        }
    }
    over
}

/// As a sentence has it.
pub(super) fn list(over: &[OverAsked]) -> String {
    let items: Vec<_> = over
        .iter()
        .map(|one| crate::names::clean(&one.to_string(), crate::names::MAX_VALUE))
        .collect();
    items.join(", ")
}
