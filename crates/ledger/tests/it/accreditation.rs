//! Who is accredited as what, and which rights that gives.

use realdid_crypto::{DecodeError, Hash};
use realdid_did::Authorization;
use realdid_ledger::{
    Accreditation, GovernanceAction, Grant, Record, Refusal, Right, RightKind, Role, ServiceAction, state_key,
};

use crate::holder::Holder;
use crate::world::{Ledger, World, decision};

const LICENCE: &str = "https://issuer.example/vct/licence";

/// Decides, under the number that is next.
fn decide(ledger: &mut Ledger<'_>, action: GovernanceAction) -> Result<(), Refusal> {
    let Some(Record::Parameters(parameters)) = ledger.record(&state_key::parameters()) else {
        panic!("numbers")
    };
    ledger.apply(&decision(ledger.world, parameters.governance_sequence, action))
}

fn accredit(holder: &Holder, role: Role, name: &str) -> GovernanceAction {
    let (did, name) = (holder.did(), name.to_owned());
    GovernanceAction::Accredit { did, role, name }
}

fn grant(right: Right) -> GovernanceAction {
    let detail = Hash::ZERO;
    GovernanceAction::GrantRight { right, detail }
}

/// A ledger with an organisation's DID on it, by the word of the sign-in server.
fn sponsored<'w>(world: &'w World, organisation: &Holder) -> Ledger<'w> {
    let mut ledger = Ledger::furnished(world);
    let word = world.signin.sponsor(&organisation.did(), 0);
    ledger.did(&organisation.publish(word)).unwrap();
    ledger
}

fn accreditation(ledger: &Ledger<'_>, holder: &Holder) -> Accreditation {
    match ledger.record(&state_key::accreditation(&holder.did())) {
        Some(Record::Accreditation(found)) => found,
        other => panic!("{other:?} is no accreditation"),
    }
}

// test: LED-33
#[test]
fn an_organisation_is_accredited_once() {
    let world = World::new();
    let police = world.person("police");
    let mut ledger = sponsored(&world, &police);
    decide(&mut ledger, accredit(&police, Role::Issuer, "Traffic Police")).unwrap();
    let expected = Accreditation {
        did: police.did(),
        role: Role::Issuer,
        name: "Traffic Police".to_owned(),
        revoked_at: 0,
        suspended_at: 0,
    };
    assert_eq!(accreditation(&ledger, &police), expected);
    let again = accredit(&police, Role::Verifier, "Another");
    assert_eq!(
        decide(&mut ledger, again.clone()),
        Err(Refusal::AlreadyAccredited)
    );
    decide(&mut ledger, GovernanceAction::Suspend(police.did())).unwrap();
    assert_eq!(
        decide(&mut ledger, again.clone()),
        Err(Refusal::AlreadyAccredited)
    );
    decide(&mut ledger, GovernanceAction::RevokeAccreditation(police.did())).unwrap();
    assert_eq!(
        decide(&mut ledger, again),
        Err(Refusal::AlreadyAccredited),
        "struck off for good"
    );
    let seated = accredit(&world.authority, Role::Issuer, "By the charter");
    assert_eq!(decide(&mut ledger, seated), Err(Refusal::AlreadyAccredited));
}

// test: LED-34
#[test]
fn an_accredited_did_is_active_on_the_ledger() {
    let world = World::new();
    let police = world.person("police");
    let action = accredit(&police, Role::Issuer, "Traffic Police");
    let mut without = Ledger::furnished(&world);
    assert_eq!(decide(&mut without, action.clone()), Err(Refusal::DidNotActive));
    let mut ledger = sponsored(&world, &police);
    let mut ended = ledger.clone();
    ended
        .did(&police.deactivate_by_recovery(ended.last(&police), 0))
        .unwrap();
    assert_eq!(decide(&mut ended, action.clone()), Err(Refusal::DidNotActive));
    decide(&mut ledger, action).unwrap();
}

// test: LED-35
#[test]
fn an_organisations_name_misleads_by_nothing_unseen() {
    let world = World::new();
    let police = world.person("police");
    let mut ledger = sponsored(&world, &police);
    for name in [
        "",
        " ",
        " Police",
        "Police ",
        "Po\nlice",
        "Po\u{200b}lice",
        "\u{202e}ecilop",
        "Po\u{ad}lice",
        "Po\u{e0041}lice",
    ] {
        let action = accredit(&police, Role::Issuer, name);
        assert_eq!(decide(&mut ledger, action), Err(Refusal::Name), "{name:?}");
    }
    let long = accredit(&police, Role::Issuer, &"x".repeat(65));
    assert_eq!(
        decide(&mut ledger, long),
        Err(DecodeError::TooLong("name").into())
    );
    let action = accredit(&police, Role::Issuer, "Traffic Police 交管 l’Été");
    decide(&mut ledger, action).unwrap();
}

// test: LED-36
#[test]
fn what_is_suspended_was_in_force() {
    let world = World::new();
    let mut ledger = Ledger::furnished(&world);
    let suspend = |holder: &Holder| GovernanceAction::Suspend(holder.did());
    let nobody = suspend(&world.person("nobody"));
    assert_eq!(decide(&mut ledger, nobody), Err(Refusal::NothingToSuspend));
    ledger.now += 7;
    decide(&mut ledger, suspend(&world.signin)).unwrap();
    let since = ledger.now;
    assert_eq!(accreditation(&ledger, &world.signin).suspended_at, since);
    assert!(!accreditation(&ledger, &world.signin).in_force());
    ledger.now += 7;
    assert_eq!(
        decide(&mut ledger, suspend(&world.signin)),
        Err(Refusal::NothingToSuspend)
    );
    assert_eq!(accreditation(&ledger, &world.signin).suspended_at, since);
    let strike_off = GovernanceAction::RevokeAccreditation(world.authority.did());
    decide(&mut ledger, strike_off).unwrap();
    assert_eq!(
        decide(&mut ledger, suspend(&world.authority)),
        Err(Refusal::NothingToSuspend)
    );
}

// test: LED-37
#[test]
fn what_is_reinstated_was_suspended() {
    let world = World::new();
    let mut ledger = Ledger::furnished(&world);
    let reinstate = |holder: &Holder| GovernanceAction::Reinstate(holder.did());
    let nobody = reinstate(&world.person("nobody"));
    assert_eq!(decide(&mut ledger, nobody), Err(Refusal::NothingToReinstate));
    let now = reinstate(&world.signin);
    assert_eq!(decide(&mut ledger, now.clone()), Err(Refusal::NothingToReinstate));
    for did in [world.signin.did(), world.authority.did()] {
        decide(&mut ledger, GovernanceAction::Suspend(did)).unwrap();
    }
    decide(&mut ledger, now).unwrap();
    assert!(accreditation(&ledger, &world.signin).in_force());
    let struck_off = GovernanceAction::RevokeAccreditation(world.authority.did());
    decide(&mut ledger, struck_off).unwrap();
    let authority = reinstate(&world.authority);
    assert_eq!(
        decide(&mut ledger, authority),
        Err(Refusal::NothingToReinstate),
        "nobody comes back who was struck off"
    );
}

// test: LED-38
#[test]
fn rights_are_granted_to_the_accredited_in_force() {
    let world = World::new();
    let police = world.person("police");
    let mut ledger = sponsored(&world, &police);
    let action = grant(Right::to_issue(police.did(), LICENCE));
    assert_eq!(decide(&mut ledger, action.clone()), Err(Refusal::NotAccredited));
    decide(&mut ledger, accredit(&police, Role::Issuer, "Traffic Police")).unwrap();
    decide(&mut ledger, GovernanceAction::Suspend(police.did())).unwrap();
    assert_eq!(decide(&mut ledger, action.clone()), Err(Refusal::NotAccredited));
    let mut struck_off = ledger.clone();
    let strike_off = GovernanceAction::RevokeAccreditation(police.did());
    decide(&mut struck_off, strike_off).unwrap();
    assert_eq!(
        decide(&mut struck_off, action.clone()),
        Err(Refusal::NotAccredited)
    );
    decide(&mut ledger, GovernanceAction::Reinstate(police.did())).unwrap();
    decide(&mut ledger, action).unwrap();
    let right = Right::to_issue(police.did(), LICENCE);
    let expected = Grant {
        right,
        detail: Hash::ZERO,
        granted_at: ledger.now,
        revoked_at: 0,
    };
    assert_eq!(
        ledger.record(&state_key::grant(&right)),
        Some(Record::Grant(expected))
    );
}

// test: LED-39
#[test]
fn a_right_is_for_the_role() {
    let world = World::new();
    for (role, may) in [
        (Role::Authority, RightKind::Issue),
        (Role::Issuer, RightKind::Issue),
        (Role::Signin, RightKind::Ask),
        (Role::Verifier, RightKind::Ask),
    ] {
        let holder = world.person("organisation");
        let mut ledger = sponsored(&world, &holder);
        decide(&mut ledger, accredit(&holder, role, "Organisation")).unwrap();
        for kind in [RightKind::Issue, RightKind::Ask] {
            let right = Right {
                kind,
                ..Right::to_issue(holder.did(), LICENCE)
            };
            let expected = if kind == may {
                Ok(())
            } else {
                Err(Refusal::RightNotForRole)
            };
            assert_eq!(
                decide(&mut ledger, grant(right)),
                expected,
                "{kind:?} for {role:?}"
            );
        }
    }
}

// test: LED-40
#[test]
fn a_right_is_granted_anew_only_with_another_detail() {
    let world = World::new();
    let mut ledger = Ledger::furnished(&world);
    let right = Right::to_ask(world.signin.did(), LICENCE);
    let limited = |byte| GovernanceAction::GrantRight {
        right,
        detail: Hash([byte; 32]),
    };
    decide(&mut ledger, limited(1)).unwrap();
    assert_eq!(decide(&mut ledger, limited(1)), Err(Refusal::RightExists));
    decide(&mut ledger, limited(2)).unwrap();
    let Some(Record::Grant(found)) = ledger.record(&state_key::grant(&right)) else {
        panic!("a grant")
    };
    assert_eq!(found.detail, Hash([2; 32]));
    decide(&mut ledger, GovernanceAction::RevokeRight(right)).unwrap();
    decide(&mut ledger, limited(2)).unwrap();
    let other = Right::to_ask(world.signin.did(), "another type");
    decide(&mut ledger, grant(other)).unwrap();
}

#[test]
fn a_right_to_issue_has_no_detail() {
    let world = World::new();
    let action = GovernanceAction::GrantRight {
        right: Right::to_issue(world.authority.did(), LICENCE),
        detail: Hash([1; 32]),
    };
    assert_eq!(
        decide(&mut Ledger::furnished(&world), action),
        Err(DecodeError::OutOfRange("detail").into())
    );
}

// test: LED-41
#[test]
fn a_right_is_revoked_once() {
    let world = World::new();
    let mut ledger = Ledger::furnished(&world);
    let right = Right::to_ask(world.signin.did(), LICENCE);
    let revoke = GovernanceAction::RevokeRight(right);
    assert_eq!(decide(&mut ledger, revoke.clone()), Err(Refusal::NothingToRevoke));
    decide(&mut ledger, grant(right)).unwrap();
    ledger.now += 7;
    decide(&mut ledger, revoke.clone()).unwrap();
    let Some(Record::Grant(found)) = ledger.record(&state_key::grant(&right)) else {
        panic!("a grant")
    };
    assert_eq!(found.revoked_at, ledger.now);
    assert_eq!(decide(&mut ledger, revoke), Err(Refusal::NothingToRevoke));
}

// test: LED-43
#[test]
fn a_suspended_service_does_nothing_on_the_ledger() {
    let world = World::new();
    let mut ledger = Ledger::furnished(&world);
    let advance = world.service(&world.authority, ServiceAction::AdvanceEpoch { from: 0 });
    let anchor = world.service(
        &world.authority,
        ServiceAction::Anchor {
            subject: Hash([1; 32]),
            root: Hash([2; 32]),
            count: 1,
        },
    );
    let authority = world.authority.did();
    decide(&mut ledger, GovernanceAction::Suspend(authority)).unwrap();
    for bytes in [&anchor, &advance] {
        assert_eq!(ledger.apply(bytes), Err(Refusal::NotAccredited));
    }
    decide(&mut ledger, GovernanceAction::Reinstate(authority)).unwrap();
    for bytes in [&anchor, &advance] {
        ledger.apply(bytes).unwrap();
    }
}

/// A seat of the charter for the new roles accredits as the others do.
#[test]
fn a_seat_can_be_an_issuers() {
    let world = World::of(|charter| charter.seats[1].role = Role::Issuer);
    let mut ledger = Ledger::genesis(&world);
    ledger
        .did(&world.signin.publish(Authorization::Charter { seat: 1 }))
        .unwrap();
    assert!(accreditation(&ledger, &world.signin).in_force_as(Role::Issuer));
    decide(&mut ledger, grant(Right::to_issue(world.signin.did(), LICENCE))).unwrap();
}
