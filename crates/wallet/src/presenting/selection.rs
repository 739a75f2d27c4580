//! Which of the wallet's credentials answer a request, and what of them would be shown.

use realdid_checks::passes;
use realdid_credential::HashAlg;
use realdid_credential::path::{ClaimPath, PathElement};
use realdid_credential::sd_jwt::{Disclosed, Presentation, SdJwt};
use realdid_crypto::KeyType;
use realdid_jose::x5c::Chain;
use realdid_openid::authorization_request::VerifiedRequest;
use realdid_openid::dcql::{Authority, Candidate, Match, Pointer, PointerStep, SD_JWT_VC, Selection};
use realdid_openid::realdid_jwt;
use serde_json::{Map, Value};

use super::AnswerError;
use crate::consent::Wishes;
use crate::credentials::HeldCredential;
use crate::state::Wallet;

/// Most credentials that are shown for one query.
const MAX_SEVERAL: usize = 8;
/// The JOSE algorithm that only those who name it can be expected to read.
const PRIVATE: KeyType = KeyType::Sm2;

/// A copy of a credential that could be shown.
pub(crate) struct Showable<'a> {
    pub(crate) held: &'a HeldCredential,
    pub(crate) copy: u32,
    pub(crate) shown_before: bool,
    pub(crate) left: Option<usize>,
    pub(crate) disclosed: Disclosed,
    pub(crate) key: Option<KeyType>,
    algorithm: String,
    authorities: Vec<Authority>,
    types: [String; 1],
}

impl<'a> Showable<'a> {
    /// The copy that would be shown next, unless none is valid or it cannot be read.
    fn of(held: &'a HeldCredential, now: u64) -> Option<Self> {
        let picked = held.pick(now).ok()?;
        let sd_jwt = SdJwt::parse(&picked.copy.compact).ok()?;
        Some(Self {
            held,
            copy: picked.copy.number,
            shown_before: picked.shown_before,
            left: picked.left,
            disclosed: sd_jwt.disclosed().ok()?,
            key: picked.copy.key.as_ref().map(|key| key.public_key().kind()),
            algorithm: sd_jwt.jwt().algorithm().to_owned(),
            authorities: authorities(held, &sd_jwt),
            types: [held.vct.clone()],
        })
    }

    /// Lower is better: whom the network knows, what a list has not refused, what nobody has seen.
    fn order(&self) -> (bool, bool, bool, std::cmp::Reverse<u64>) {
        let copy = self.held.copy(self.copy);
        (
            copy.is_ok_and(|copy| copy.is_refused_by_status()),
            !self.held.issuer.standing.is_good(),
            self.shown_before,
            std::cmp::Reverse(self.held.refreshed_at),
        )
    }

    /// Whether the verifier says that it reads the algorithms, both the issuer's and the holder's.
    /// What it says nothing about it may read, except for what is private to this network.
    fn is_read_by(&self, formats: &Map<String, Value>) -> bool {
        let reads = |list: &str, algorithm: &str| match formats.get(SD_JWT_VC).and_then(|own| own.get(list)) {
            Some(Value::Array(names)) => names.iter().any(|name| is_algorithm(name, algorithm)),
            _ => algorithm != PRIVATE.jose_algorithm(),
        };
        let private_hash = self.disclosed.hash() == HashAlg::Sm3;
        reads("sd-jwt_alg_values", &self.algorithm)
            && self
                .key
                .is_none_or(|key| reads("kb-jwt_alg_values", key.jose_algorithm()))
            && (!private_hash || reads("sd-jwt_alg_values", PRIVATE.jose_algorithm()))
    }
}

/// Whether a name in a list stands for an algorithm: Ed25519 has two (RFC 8037, RFC 9864).
fn is_algorithm(name: &Value, algorithm: &str) -> bool {
    let own = |name: &str| if name == "Ed25519" { "EdDSA" } else { name }.to_owned();
    name.as_str().is_some_and(|name| own(name) == own(algorithm))
}

fn authorities(held: &HeldCredential, sd_jwt: &SdJwt) -> Vec<Authority> {
    let chain = sd_jwt.issuer().x5c.and_then(|x5c| Chain::parse(x5c).ok());
    let keys = chain.iter().flat_map(Chain::authority_keys).cloned();
    let of = |kind: &str| {
        let kind = kind.to_owned();
        move |value| Authority {
            kind: kind.clone(),
            value,
        }
    };
    keys.map(of("aki"))
        .chain(held.issuer.did.iter().cloned().map(of("did")))
        .collect()
}

/// What was found for a request.
pub(crate) struct Found<'a> {
    pub(crate) showable: Vec<Showable<'a>>,
    pub(crate) selection: Selection,
}

impl Wallet {
    /// Selects what answers the request (OpenID4VP 1.0 §6.4). What the holder wants to keep back is
    /// treated as if it were not there, so that another way to answer may be found.
    pub(crate) fn select(
        &self,
        request: &VerifiedRequest,
        wishes: &Wishes,
        now: u64,
    ) -> Result<Found<'_>, AnswerError> {
        let held = self.credentials().iter();
        let mut all: Vec<Showable<'_>> = held.filter_map(|held| Showable::of(held, now)).collect();
        all.sort_by_key(|one| (!wishes.credentials.contains(&one.held.id), one.order()));
        let formats = &request.metadata().vp_formats_supported;
        let (readable, unreadable): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|one| passes("WVP-15", one.is_read_by(formats)));
        match select(request, &readable, &wishes.without) {
            Ok(selection) => Ok(Found {
                showable: readable,
                selection,
            }),
            Err(missing) => {
                if !wishes.without.is_empty() && select(request, &readable, &[]).is_ok() {
                    return Err(AnswerError::Insists(wishes.without.clone()));
                }
                let all: Vec<_> = readable.into_iter().chain(unreadable).collect();
                Err(match select(request, &all, &[]) {
                    Ok(_) => AnswerError::VerifierCannotRead,
                    Err(_) => missing,
                })
            }
        }
    }
}

fn select(
    request: &VerifiedRequest,
    showable: &[Showable<'_>],
    without: &[String],
) -> Result<Selection, AnswerError> {
    let views: Vec<Value> = showable
        .iter()
        .map(|one| without_claims(one.disclosed.claims(), without))
        .collect();
    let mut candidates: Vec<Candidate<'_>> = showable
        .iter()
        .zip(&views)
        .map(|(one, claims)| Candidate {
            format: SD_JWT_VC,
            types: &one.types,
            claims,
            holder_bound: one.key.is_some(),
            authorities: &one.authorities,
        })
        .collect();
    let none = Value::Object(Map::new());
    if request.login().is_some() {
        candidates.push(Candidate {
            format: realdid_jwt::FORMAT,
            types: &[],
            claims: &none,
            holder_bound: true,
            authorities: &[],
        });
    }
    let formats = [SD_JWT_VC, realdid_jwt::FORMAT];
    let mut queries = request.query().query().credentials.iter();
    if queries.all(|query| !formats.contains(&query.format.as_str())) {
        return Err(AnswerError::FormatUnknown);
    }
    request.query().select(&candidates).map_err(|unsatisfied| {
        let missing = unsatisfied.missing.iter();
        let wanted = missing.filter_map(|id| request.query().credential(id));
        let types = wanted.flat_map(|query| query.types().unwrap_or_default());
        AnswerError::NothingFits(types.map(str::to_owned).collect())
    })
}

/// The claims without those of these names: `birthdate`, `address.city`.
fn without_claims(claims: &Map<String, Value>, without: &[String]) -> Value {
    let mut view = Value::Object(claims.clone());
    for name in without {
        let mut parts: Vec<&str> = name.split('.').collect();
        let last = parts.pop().unwrap_or_default();
        let parent = parts
            .iter()
            .try_fold(&mut view, |value, part| value.get_mut(*part));
        if let Some(Value::Object(members)) = parent
            && !passes("WVP-16", false)
        {
            members.remove(last);
        }
    }
    view
}

/// The matches to use: those of credentials that the holder named, one or several as the query takes;
/// else the best.
pub(crate) fn picks<'f>(found: &'f Found<'_>, id: &str, named: &[u32], several: bool) -> Vec<&'f Match> {
    let matches = found.selection.of(id);
    let is_named = |one: &&Match| {
        let showable = found.showable.get(one.candidate);
        showable.is_some_and(|showable| named.contains(&showable.held.id))
    };
    let mut picked: Vec<_> = matches.iter().filter(is_named).collect();
    if picked.is_empty() {
        picked.extend(matches.first());
    }
    picked.truncate(if several { MAX_SEVERAL } else { 1 });
    picked
}

/// The presentation that discloses what was asked for, and nothing that could be kept back beside.
pub(crate) fn present(showable: &Showable<'_>, pointers: &[&Pointer]) -> Result<Presentation, AnswerError> {
    let paths: Vec<ClaimPath> = pointers.iter().map(|pointer| path(pointer)).collect();
    showable
        .disclosed
        .select(&paths)
        .map_err(|_| AnswerError::NothingFits(vec![showable.held.vct.clone()]))
}

pub(crate) fn path(pointer: &Pointer) -> ClaimPath {
    let step = |step: &PointerStep| match step {
        PointerStep::Key(name) => PathElement::Name(name.clone()),
        PointerStep::Index(place) => PathElement::Index(*place),
    };
    ClaimPath(pointer.iter().map(step).collect())
}
