//! What the ledger asks of a token before a DID is published or renewed with it.

use realdid_crypto::Hash;
use realdid_did::{Authorization, Backing, FollowError, Level, SignedOperation, Status};
use realdid_ledger::{Record, Refusal, state_key};

use crate::authority::Signer;
use crate::holder::Holder;
use crate::world::{EPOCH, Ledger, World};

/// Every operation that a token lets onto the ledger.
fn foundings(holder: &Holder, token: &Authorization) -> [SignedOperation; 3] {
    [
        holder.publish(token.clone()),
        holder.recover_with(Hash::ZERO, Some(token.clone()), 0, 2),
        holder.deactivate_with(Hash::ZERO, Some(token.clone()), 0),
    ]
}

/// Asserts that a token is refused for all of them, and for a renewal of a published DID.
#[track_caller]
fn refused_everywhere(ledger: &Ledger<'_>, token: &Authorization, refusal: &Refusal) {
    let person = ledger.world.person("person");
    for operation in foundings(&person, token) {
        assert_eq!(ledger.clone().did(&operation).as_ref(), Err(refusal));
    }
    let mut published = ledger.clone();
    let other = Authorization::Charter { seat: 0 };
    let _ = published.did(&ledger.world.authority.publish(other));
    assert_eq!(
        renewed(&mut published, &ledger.world.authority, token).as_ref(),
        Err(refusal)
    );
}

fn renewed(ledger: &mut Ledger<'_>, holder: &Holder, token: &Authorization) -> Result<(), Refusal> {
    let Authorization::Token { authority, token } = token.clone() else {
        unreachable!("a token")
    };
    ledger.did(&holder.renew(ledger.last(holder), 0, authority, token))
}

#[test]
fn a_token_puts_a_did_on_the_ledger() {
    let world = World::new();
    let person = world.person("person");
    for (operation, status) in foundings(&person, &world.token(0, 0, &person.did()))
        .into_iter()
        .zip([Status::Active, Status::Recovering, Status::Deactivated])
    {
        let mut ledger = Ledger::furnished(&world);
        ledger.did(&operation).unwrap();
        let entry = ledger.entry(&person).unwrap();
        assert_eq!((entry.version, entry.status(ledger.now)), (1, status));
        let said = (
            entry.assurance.backing,
            entry.assurance.by,
            entry.assurance.epoch,
            entry.assurance.level,
        );
        assert_eq!(
            said,
            (Backing::Token, world.authority.did(), 0, Level::Substantial)
        );
    }
}

// test: LED-06
#[test]
fn the_tokens_key_is_on_the_ledger() {
    let world = World::new();
    let person = world.person("person");
    let mut ledger = Ledger::genesis(&world);
    ledger
        .did(&world.authority.publish(Authorization::Charter { seat: 0 }))
        .unwrap();
    let token = world.token(0, 0, &person.did());
    refused_everywhere(&ledger, &token, &Refusal::TokenUnknownKey);
    ledger.apply(&world.publish_key(0, 0)).unwrap();
    // The key is there, but of another authority than the operation says.
    let Authorization::Token { token: bytes, .. } = token.clone() else {
        unreachable!("a token")
    };
    let misnamed = Authorization::Token {
        authority: world.signin.did(),
        token: bytes,
    };
    refused_everywhere(&ledger, &misnamed, &Refusal::TokenUnknownKey);
    ledger.did(&person.publish(token)).unwrap();
}

// test: LED-07
#[test]
fn neither_key_nor_authority_is_revoked() {
    let world = World::new();
    let person = world.person("person");
    let ledger = Ledger::furnished(&world);
    let token = world.token(0, 0, &person.did());
    let id = world.epoch_key(0, 0).id(&world.hash);
    let mut revoked = ledger.clone();
    let Some(Record::EpochKey(mut record)) = ledger.record(&state_key::epoch_key(&id)) else {
        panic!("a key")
    };
    record.revoked_at = ledger.now;
    revoked.put(state_key::epoch_key(&id), &Record::EpochKey(record));
    refused_everywhere(&revoked, &token, &Refusal::TokenRevokedKey);
    let mut struck_off = ledger.clone();
    let key = state_key::accreditation(&world.authority.did());
    let Some(Record::Accreditation(mut accreditation)) = ledger.record(&key) else {
        panic!("accredited")
    };
    accreditation.revoked_at = ledger.now;
    struck_off.put(key, &Record::Accreditation(accreditation.clone()));
    refused_everywhere(&struck_off, &token, &Refusal::TokenRevokedKey);
    accreditation.revoked_at = 0;
    accreditation.suspended_at = ledger.now;
    let mut suspended = ledger.clone();
    suspended.put(key, &Record::Accreditation(accreditation));
    refused_everywhere(&suspended, &token, &Refusal::TokenRevokedKey);
    let mut never = ledger.clone();
    never.values.remove(&key);
    refused_everywhere(&never, &token, &Refusal::TokenRevokedKey);
    ledger.clone().did(&person.publish(token)).unwrap();
}

// test: LED-08, TOK-06
#[test]
fn publishing_and_renewing_take_a_token_of_an_accepted_epoch() {
    let world = World::new();
    let person = world.person("person");
    let at = |epoch: u64| {
        let mut ledger = Ledger::furnished(&world);
        ledger.now += epoch * EPOCH;
        ledger
    };
    let (old, new) = (world.token(0, 0, &person.did()), world.token(1, 1, &person.did()));
    for (epoch, token, accepted) in [
        (0, &old, true),
        (1, &old, true),
        (2, &old, false),
        (0, &new, false),
        (1, &new, true),
        (2, &new, true),
        (3, &new, false),
    ] {
        let expected = if accepted {
            Ok(())
        } else {
            Err(Refusal::TokenExpired)
        };
        assert_eq!(
            at(epoch).did(&person.publish(token.clone())),
            expected,
            "in epoch {epoch}"
        );
    }
    // Recovery and deactivation are never locked out by time.
    for operation in &foundings(&person, &old)[1..] {
        assert_eq!(at(50).did(operation), Ok(()));
    }
    let mut ledger = at(1);
    ledger.did(&person.publish(old)).unwrap();
    ledger.now += 2 * EPOCH;
    assert_eq!(renewed(&mut ledger, &person, &new), Err(Refusal::TokenExpired));
    ledger.now -= EPOCH;
    renewed(&mut ledger, &person, &new).unwrap();
    assert_eq!(ledger.entry(&person).unwrap().assurance.epoch, 1);
}

// test: LED-08, TOK-06
#[test]
fn the_sandboxs_advance_expires_tokens_too() {
    let world = World::new();
    let person = world.person("person");
    let mut ledger = Ledger::furnished(&world);
    let publish = person.publish(world.token(0, 0, &person.did()));
    for from in [0, 1] {
        assert_eq!(ledger.clone().did(&publish), Ok(()), "in epoch {from}");
        let advance = realdid_ledger::ServiceAction::AdvanceEpoch { from };
        ledger.apply(&world.service(&world.authority, advance)).unwrap();
    }
    assert_eq!(ledger.did(&publish), Err(Refusal::TokenExpired));
}

// test: LED-09, TOK-05
#[test]
fn a_token_is_for_this_did() {
    let world = World::new();
    let (person, other) = (world.person("person"), world.person("other"));
    let ledger = Ledger::furnished(&world);
    refused_everywhere(&ledger, &world.token(0, 0, &other.did()), &Refusal::TokenInvalid);
    let Authorization::Token { authority, mut token } = world.token(0, 0, &person.did()) else {
        unreachable!("a token")
    };
    token[100] ^= 1;
    refused_everywhere(
        &ledger,
        &Authorization::Token { authority, token },
        &Refusal::TokenInvalid,
    );
    // Signed with the right key, but for another network.
    let key = world.epoch_key(0, 0);
    let mut foreign = Signer::published(0)
        .token(&key, &Hash([9; 32]), &person.did(), 1)
        .to_bytes();
    foreign[..32].copy_from_slice(key.id(&world.hash).as_bytes());
    refused_everywhere(
        &ledger,
        &Authorization::Token {
            authority,
            token: foreign,
        },
        &Refusal::TokenInvalid,
    );
    ledger
        .clone()
        .did(&person.publish(world.token(0, 0, &person.did())))
        .unwrap();
}

// test: FOL-12, OP-04
#[test]
fn a_renewal_must_say_more() {
    let world = World::new();
    let person = world.person("person");
    let mut ledger = Ledger::furnished(&world);
    let (old, new) = (world.token(0, 0, &person.did()), world.token(1, 1, &person.did()));
    assert_eq!(
        renewed(&mut ledger, &person, &old),
        Err(realdid_did::OperationError::Previous.into())
    );
    ledger.did(&person.publish(old.clone())).unwrap();
    assert_eq!(
        renewed(&mut ledger, &person, &old),
        Err(FollowError::NotNewer.into())
    );
    ledger.now += EPOCH;
    renewed(&mut ledger, &person, &new).unwrap();
    assert_eq!(
        renewed(&mut ledger, &person, &old),
        Err(FollowError::NotNewer.into())
    );
}

/// A replay changes nothing and is told as such, also when the token would no longer do.
// test: FOL-01
#[test]
fn a_renewal_is_not_applied_again() {
    let world = World::new();
    let person = world.person("person");
    let mut ledger = Ledger::furnished(&world);
    ledger
        .did(&person.publish(world.token(0, 0, &person.did())))
        .unwrap();
    ledger.now += EPOCH;
    let Authorization::Token { authority, token } = world.token(1, 1, &person.did()) else {
        unreachable!("a token")
    };
    let renew = person.renew(ledger.last(&person), 0, authority, token);
    ledger.did(&renew).unwrap();
    assert_eq!(ledger.did(&renew), Err(FollowError::AlreadyApplied.into()));
    ledger.now += 5 * EPOCH;
    assert_eq!(ledger.did(&renew), Err(FollowError::AlreadyApplied.into()));
}
