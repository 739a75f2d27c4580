//! What the holder is asked before anything is given away: who asks, for what, and what showing it
//! tells.

use realdid_checks::passes;
use realdid_credential::path::{ClaimPath, PathElement};
use realdid_credential::sd_jwt::SdJwt;
use realdid_did::Did;
use realdid_openid::dcql::{CredentialQuery, Match, Pointer, PointerStep};
use realdid_openid::registration::OverAsked;
use serde_json::{Map, Value};

use crate::credentials::shown_value;
use crate::history::PresentedCredential;
use crate::names::{MAX_NAME, clean};
use crate::presenting::selection::{Found, Showable, picks, present};
use crate::presenting::{AnswerError, Asker, PresentationRequest};
use crate::state::Wallet;

/// What a login gives away, in one sentence.
pub const GIVES: &str = "that a verified person stands behind this DID; \
    no name, no number, nothing that another site could compare";
/// What showing a credential tells beyond its claims, in one sentence.
pub const TRACEABLE: &str =
    "its issuer and who you show it to can together find out that it was you, whatever you keep back";

/// Claims that package a credential: what they say is said by showing it at all.
const PACKAGING: [&str; 9] = [
    "iss",
    "iat",
    "nbf",
    "exp",
    "cnf",
    "vct",
    "vct#integrity",
    "status",
    "_sd_alg",
];

/// What the holder wishes for one answer.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Claims to keep back, or identifiers of optional credential queries: `birthdate`, `address.city`.
    pub without: Vec<String>,
    /// Credentials to prefer, by number.
    pub credentials: Vec<u32>,
    /// The DID to log in with, instead of the one the wallet would choose.
    pub did: Option<Did>,
    /// Nothing that is optional.
    pub only_required: bool,
    /// A verifier of the network that asks for more than it is registered for is answered nonetheless.
    pub despite_over_asking: bool,
    /// A verifier that proves nothing of itself is answered nonetheless.
    pub despite_no_proof: bool,
}

/// What the holder should know before agreeing. The verifier decides; the wallet only says what to
/// expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// The token's epoch is over: the site will refuse until it is renewed.
    TokenLapsed,
    /// The token is of the previous epoch: renew it before this one ends.
    TokenLapsesSoon,
    /// A recovery is under way: the site will refuse until it takes effect.
    Recovering,
    /// The DID is deactivated: the site will refuse.
    Deactivated,
    /// The keys on the ledger are not this wallet's: recover the DID.
    KeysReplaced,
    /// The DID comes from a backup: another site may know it.
    PerhapsKnownElsewhere,
    /// The network does not know who asks.
    UnregisteredVerifier,
    /// Who asks is not registered to ask for all of it.
    OverAsking,
    /// The answer goes to another place than the request came from.
    AnswersElsewhere,
    /// The one-time copies are used up: two who have seen the same can find out that it is one person.
    ShownBefore,
    /// This is the last one-time copy.
    LastCopy,
    /// The credential is one and the same each time: whoever has seen it twice knows that.
    Linkable,
    /// The issuer is not, or no longer, in good standing on the network.
    IssuerNotInGoodStanding,
    /// A status list said that the credential is not valid.
    StatusRefused,
    /// Nothing proves who asks.
    UnprovedVerifier,
}

impl Warning {
    /// The sentence for it, without what to do.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::TokenLapsed => {
                "the real-name token has lapsed: the site will refuse it until it is renewed"
            }
            Self::TokenLapsesSoon => {
                "the real-name token is of the previous epoch and lapses with this one: renew it"
            }
            Self::Recovering => "a recovery is under way: the site will refuse the DID until it takes effect",
            Self::Deactivated => "the DID is deactivated: the site will refuse it",
            Self::KeysReplaced => "the keys on the ledger are not this wallet's: recover the DID",
            Self::PerhapsKnownElsewhere => "the DID comes from a backup: another site may know it",
            Self::UnregisteredVerifier => {
                "unregistered verifier: nobody on this network knows who asks, or vouches for its name"
            }
            Self::OverAsking => "who asks is not registered to ask for all of this",
            Self::AnswersElsewhere => "the answer goes to another place than the request came from",
            Self::ShownBefore => {
                "all one-time copies are used up: those who have seen this one can find out that it is \
                 one person; fetch fresh ones"
            }
            Self::LastCopy => "this is the last one-time copy: fetch fresh ones",
            Self::Linkable => "the credential is the same each time: whoever sees it twice can link the two",
            Self::IssuerNotInGoodStanding => {
                "the issuer of the credential is not in good standing on this network: it may be refused"
            }
            Self::StatusRefused => {
                "the credential was found revoked or suspended: it will most likely be refused"
            }
            Self::UnprovedVerifier => {
                "the request is not signed: whoever gave you the link may be anybody, and gets the answer"
            }
        }
    }
}

/// A claim as it would be shown. Its `Debug` form hides the value.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
pub struct ClaimToShow {
    /// Where it stands: `birthdate`, `address.city`.
    pub claim: String,
    /// What stands there, cleaned.
    pub value: String,
    /// Whether it was asked for. If not, the credential cannot be shown without it.
    pub asked: bool,
}

impl std::fmt::Debug for ClaimToShow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClaimToShow")
            .field("claim", &self.claim)
            .finish_non_exhaustive()
    }
}

/// A credential that would be shown.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ToShow {
    /// The credential query it answers.
    pub query: String,
    /// Its number in the wallet.
    pub credential: u32,
    /// Which copy.
    pub copy: u32,
    /// Its name.
    pub name: String,
    /// Its type.
    pub vct: String,
    /// Whose word it is: the issuer's name and identifier.
    pub issuer: String,
    /// How the issuer stands, in words that follow its name.
    pub issuer_standing: &'static str,
    /// Everything that whoever gets it will read in it, beside what packages it.
    pub claims: Vec<ClaimToShow>,
    /// Whether the request could be answered without it.
    pub optional: bool,
    /// How many one-time copies are left unused after this; `None` for a long-lived credential.
    pub copies_left: Option<usize>,
    /// Whether this copy was shown before, though it is meant for one time.
    pub shown_before: bool,
    /// Whether the answer proves the holder's key.
    pub bound: bool,
    /// The places that are disclosed.
    #[serde(skip)]
    pub(crate) pointers: Vec<Pointer>,
}

/// The login within an answer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct LoginToGive {
    /// The credential query it answers.
    pub query: String,
    /// What level is asked for.
    pub level: String,
    /// The DID the site will know the holder by.
    pub did: Did,
    /// Whether the site knows this DID already.
    pub known_to_site: bool,
}

/// What the holder agrees to, or not.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Consent {
    /// Who asks.
    pub asker: Asker,
    /// The login, if one is asked for.
    pub login: Option<LoginToGive>,
    /// The credentials that would be shown.
    pub credentials: Vec<ToShow>,
    /// Texts that the answer authorises.
    pub transactions: Vec<String>,
    /// What who asks is not registered to ask for.
    pub over_asked: Vec<OverAsked>,
    /// What to expect.
    pub warnings: Vec<Warning>,
}

impl Consent {
    /// Why who asks asks, as far as the request tells.
    #[must_use]
    pub fn purpose(&self) -> String {
        let level = self.login.as_ref().map(|login| clean(&login.level, MAX_NAME));
        match (level, self.credentials.is_empty()) {
            (Some(level), true) => format!("to log you in as a real person, verified at level `{level}`"),
            (Some(level), false) => {
                format!(
                    "to log you in as a real person, verified at level `{level}`, and to read what follows"
                )
            }
            (None, _) if !self.transactions.is_empty() => "to have you authorise what follows".to_owned(),
            (None, _) => "to read what follows; it does not say what for".to_owned(),
        }
    }

    /// Types and names of claims, for the history.
    pub(crate) fn presented(&self) -> Vec<PresentedCredential> {
        let of = |shown: &ToShow| PresentedCredential {
            credential: shown.credential,
            vct: shown.vct.clone(),
            claims: shown.claims.iter().map(|claim| claim.claim.clone()).collect(),
        };
        self.credentials.iter().map(of).collect()
    }
}

impl Wallet {
    /// Chooses what would answer a request, and says what the holder would agree to. `now` in Unix
    /// seconds.
    ///
    /// # Errors
    /// [`AnswerError`].
    pub fn consent(
        &self,
        request: &PresentationRequest,
        wishes: &Wishes,
        now: u64,
    ) -> Result<Consent, AnswerError> {
        if !passes("WVP-18", request.asker().proved || wishes.despite_no_proof) {
            return Err(AnswerError::Unproved);
        }
        check_over_asking(request, wishes)?;
        let transactions = statements(request)?;
        let found = self.select(request.request(), wishes, now)?;
        check_wishes(request, wishes)?;
        wishes
            .credentials
            .iter()
            .try_for_each(|id| self.credential(*id).map(|_| ()))?;
        let mut warnings = Vec::new();
        let chosen = found.selection.chosen.iter().map(|id| (id, false));
        let optional = found.selection.optional.iter().map(|id| (id, true));
        let mut credentials = Vec::new();
        let mut login = None;
        let left_out = left_out(request, wishes, &found);
        for (id, optional) in chosen.chain(optional) {
            if optional && (wishes.only_required || left_out.contains(&id)) {
                continue;
            }
            if request.request().login().is_some_and(|asked| asked.id == *id) {
                login = Some(self.login_to_give(request, wishes, &mut warnings)?);
                continue;
            }
            let several = request.request().query().credential(id);
            let several = several.is_some_and(CredentialQuery::takes_several);
            for one in picks(&found, id, &wishes.credentials, several) {
                credentials.push(to_show(id, optional, &found, one)?);
                warnings.extend(found.showable.get(one.candidate).map(warn).unwrap_or_default());
            }
        }
        check_named(&credentials, wishes)?;
        warnings.extend(about_asker(request));
        warnings.sort_unstable_by_key(|warning| *warning as u8);
        warnings.dedup();
        Ok(Consent {
            asker: request.asker().clone(),
            login,
            credentials,
            transactions,
            over_asked: request.over_asked().to_vec(),
            warnings,
        })
    }
}

/// The optional credential queries that the holder leaves out, with those that would have gone along: a
/// part of an option answers nothing (OpenID4VP 1.0 §6.4.2).
fn left_out<'f>(request: &PresentationRequest, wishes: &Wishes, found: &'f Found<'_>) -> Vec<&'f String> {
    let answered = |id: &String| !found.selection.of(id).is_empty();
    let sets = request.request().query().query().credential_sets.iter().flatten();
    let options = sets.filter(|set| !set.is_required()).filter_map(|set| {
        let mut options = set.options.iter();
        options.find(|option| option.iter().all(answered))
    });
    let (given_up, kept): (Vec<_>, Vec<_>) =
        options.partition(|option| option.iter().any(|id| wishes.without.contains(id)));
    let within = |options: &[&Vec<String>], id: &String| options.iter().any(|option| option.contains(id));
    let optional = found.selection.optional.iter();
    optional
        .filter(|id| within(&given_up, id) && !within(&kept, id))
        .collect()
}

fn check_over_asking(request: &PresentationRequest, wishes: &Wishes) -> Result<(), AnswerError> {
    let asked = request.over_asked();
    if passes("WVP-10", asked.is_empty() || wishes.despite_over_asking) {
        Ok(())
    } else {
        Err(AnswerError::OverAsking {
            asker: request.asker().name.clone(),
            asked: asked.to_vec(),
        })
    }
}

/// All transactions must be of a type that can be shown whole.
fn statements(request: &PresentationRequest) -> Result<Vec<String>, AnswerError> {
    let transactions = request.request().transactions().iter();
    let statements = transactions.map(|transaction| transaction.statement().map(str::to_owned));
    Ok(statements.collect::<Result<_, _>>()?)
}

/// What the holder keeps back must be something that is asked for, or nobody knows what was meant.
fn check_wishes(request: &PresentationRequest, wishes: &Wishes) -> Result<(), AnswerError> {
    let queries = &request.request().query().query().credentials;
    let asked = |name: &String| {
        queries.iter().any(|query| {
            let mut claims = query.claims.iter().flatten().map(|claim| claim.path.to_string());
            query.id == *name
                || claims.any(|claim| claim == *name || within(&claim, name) || within(name, &claim))
        })
    };
    match wishes.without.iter().find(|name| !asked(name)) {
        None => Ok(()),
        Some(name) => Err(AnswerError::NotAsked(clean(name, MAX_NAME))),
    }
}

/// A credential that the holder named is shown, or nothing is: never another in its place.
fn check_named(shown: &[ToShow], wishes: &Wishes) -> Result<(), AnswerError> {
    let unused = |id: &&u32| !shown.iter().any(|shown| shown.credential == **id);
    match wishes.credentials.iter().find(unused) {
        None => Ok(()),
        Some(id) => Err(AnswerError::DoesNotFit(*id)),
    }
}

/// Whether a claim's name lies below another: `address.city` below `address`.
fn within(name: &str, above: &str) -> bool {
    name.strip_prefix(above)
        .is_some_and(|rest| rest.starts_with(['.', '[']))
}

fn to_show(id: &str, optional: bool, found: &Found<'_>, one: &Match) -> Result<ToShow, AnswerError> {
    let showable = &found.showable[one.candidate];
    let pointers: Vec<Pointer> = one.pointers().cloned().collect();
    let presentation = present(showable, &pointers.iter().collect::<Vec<_>>())?;
    // What is shown to the holder is read from what will be sent, not from what was asked for.
    let disclosed = SdJwt::parse(presentation.text())?.disclosed()?;
    let asked: Vec<Vec<&str>> = pointers.iter().map(|pointer| names(pointer)).collect();
    let held = showable.held;
    Ok(ToShow {
        query: id.to_owned(),
        credential: held.id,
        copy: showable.copy,
        name: held.name.clone(),
        vct: held.vct.clone(),
        issuer: format!(
            "{} ({})",
            held.issuer.name,
            clean(&held.issuer.identifier, MAX_NAME)
        ),
        issuer_standing: held.issuer.standing.text(),
        claims: claims_to_show(disclosed.claims(), &asked),
        optional,
        copies_left: showable.left,
        shown_before: showable.shown_before,
        bound: showable.key.is_some(),
        pointers,
    })
}

/// The names on the way to a place, up to the first array.
fn names(pointer: &Pointer) -> Vec<&str> {
    let steps = pointer.iter().map_while(|step| match step {
        PointerStep::Key(name) => Some(name.as_str()),
        PointerStep::Index(_) => None,
    });
    steps.collect()
}

/// Every claim that is not an object of further claims, in alphabetical order.
pub(crate) fn claims_to_show(claims: &Map<String, Value>, asked: &[Vec<&str>]) -> Vec<ClaimToShow> {
    let mut list = Vec::new();
    for (name, value) in claims {
        if !PACKAGING.contains(&name.as_str()) {
            add_claims(&ClaimPath::names([name]), value, asked, &mut list);
        }
    }
    list.sort_by(|one, other| one.claim.cmp(&other.claim));
    list
}

fn add_claims(path: &ClaimPath, value: &Value, asked: &[Vec<&str>], list: &mut Vec<ClaimToShow>) {
    if let Value::Object(members) = value {
        for (name, member) in members {
            add_claims(&path.then(PathElement::Name(name.clone())), member, asked, list);
        }
        return;
    }
    let is_above = |above: &Vec<&str>| {
        let mut own = path.0.iter();
        above
            .iter()
            .all(|name| own.next() == Some(&PathElement::Name((*name).to_owned())))
    };
    list.push(ClaimToShow {
        claim: clean(&path.to_string(), MAX_NAME),
        value: shown_value(value),
        asked: asked.iter().any(is_above),
    });
}

fn about_asker(request: &PresentationRequest) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if !request.asker().registered {
        warnings.push(Warning::UnregisteredVerifier);
    }
    if !request.asker().proved {
        warnings.push(Warning::UnprovedVerifier);
    }
    if !request.over_asked().is_empty() {
        warnings.push(Warning::OverAsking);
    }
    if request.answers_elsewhere() {
        warnings.push(Warning::AnswersElsewhere);
    }
    warnings
}

fn warn(showable: &Showable<'_>) -> Vec<Warning> {
    let mut warnings = Vec::new();
    match (showable.shown_before, showable.left) {
        (true, _) => warnings.push(Warning::ShownBefore),
        (false, Some(0)) => warnings.push(Warning::LastCopy),
        (false, None) => warnings.push(Warning::Linkable),
        (false, Some(_)) => {}
    }
    if !showable.held.issuer.standing.is_good() {
        warnings.push(Warning::IssuerNotInGoodStanding);
    }
    let copy = showable.held.copy(showable.copy);
    if copy.is_ok_and(|copy| copy.is_refused_by_status()) {
        warnings.push(Warning::StatusRefused);
    }
    warnings
}
