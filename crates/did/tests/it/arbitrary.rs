//! Random values of every kind that is encoded.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use realdid_crypto::{Hash, KeyType, PublicKey, SecretKey, Signature};
use realdid_did::{
    Action, Assurance, Authorization, Backing, Commitment, DocumentData, Entry, Founding, Inception,
    KeysReveal, Level, Operation, Pending, PendingKind, Purposes, RecoveryReveal, Reveal, Rotation, Service,
    SignedOperation, Sponsorship, TOKEN_LENGTH, VerificationKey,
};

pub fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

fn commitment() -> impl Strategy<Value = Commitment> {
    hash().prop_map(Commitment)
}

fn key() -> impl Strategy<Value = PublicKey> {
    (prop::sample::select(&KeyType::ALL[..]), any::<[u8; 32]>())
        .prop_map(|(kind, seed)| SecretKey::from_seed(kind, &seed).public_key())
}

fn purposes() -> impl Strategy<Value = Purposes> {
    let each = [
        Purposes::AUTHENTICATION,
        Purposes::ASSERTION,
        Purposes::INVOCATION,
        Purposes::DELEGATION,
    ];
    prop::sample::subsequence(each.to_vec(), 1..=4)
        .prop_map(|some| some.into_iter().reduce(Purposes::with).unwrap())
}

fn keys() -> impl Strategy<Value = Vec<VerificationKey>> {
    vec(
        (purposes(), key()).prop_map(|(purposes, key)| VerificationKey { purposes, key }),
        1..=4,
    )
}

fn service() -> impl Strategy<Value = Service> {
    ("[a-z0-9-]{1,31}", "[!#-~]{1,64}", "https?://[!#-~]{0,248}").prop_map(|(id, kind, endpoint)| Service {
        id,
        kind,
        endpoint,
    })
}

pub fn document() -> impl Strategy<Value = DocumentData> {
    let distinct = |mut services: Vec<Service>| {
        services
            .iter_mut()
            .zip('a'..)
            .for_each(|(service, letter)| service.id.push(letter));
        services
    };
    (keys(), vec(service(), 0..=4).prop_map(distinct))
        .prop_map(|(keys, services)| DocumentData::new(keys, services).unwrap())
}

pub fn inception() -> impl Strategy<Value = Inception> {
    (hash(), document(), commitment(), commitment()).prop_map(|(charter, document, next, recovery)| {
        Inception {
            charter,
            document,
            next,
            recovery,
        }
    })
}

fn signature() -> impl Strategy<Value = Signature> {
    any::<[[u8; 32]; 2]>().prop_map(|halves| Signature(halves.concat().try_into().unwrap()))
}

fn token() -> impl Strategy<Value = Box<[u8; TOKEN_LENGTH]>> {
    vec(any::<u8>(), TOKEN_LENGTH).prop_map(|bytes| Box::new(bytes.try_into().unwrap()))
}

fn authorization() -> impl Strategy<Value = Authorization> {
    let sponsorship = (hash(), document(), any::<u8>(), signature());
    prop_oneof![
        (hash(), token()).prop_map(|(authority, token)| Authorization::Token { authority, token }),
        any::<u16>().prop_map(|seat| Authorization::Charter { seat }),
        sponsorship.prop_map(|(sponsor, document, signer, signature)| {
            Authorization::Sponsored(Box::new(Sponsorship {
                sponsor,
                document,
                signer,
                signature,
            }))
        }),
    ]
}

fn founding() -> impl Strategy<Value = Box<Founding>> {
    (inception(), authorization()).prop_map(|(inception, authorization)| {
        Box::new(Founding {
            inception,
            authorization,
        })
    })
}

fn rotation() -> impl Strategy<Value = Rotation> {
    (document(), any::<[u8; 32]>(), commitment()).prop_map(|(document, salt, next)| Rotation {
        document,
        salt,
        next,
    })
}

fn recovery_reveal() -> impl Strategy<Value = RecoveryReveal> {
    (key(), any::<[u8; 32]>()).prop_map(|(key, salt)| RecoveryReveal { key, salt })
}

fn action() -> impl Strategy<Value = Action> {
    let reveal = prop_oneof![
        (keys(), any::<[u8; 32]>()).prop_map(|(keys, salt)| Reveal::Next(KeysReveal { keys, salt })),
        recovery_reveal().prop_map(Reveal::Recovery),
    ];
    let recover = (
        option::of(founding()),
        recovery_reveal(),
        document(),
        commitment(),
        commitment(),
    );
    prop_oneof![
        founding().prop_map(Action::Publish),
        rotation().prop_map(Action::Update),
        (document(), hash(), token()).prop_map(|(document, authority, token)| Action::Renew {
            document,
            authority,
            token
        }),
        recover.prop_map(|(founding, reveal, document, next, recovery)| Action::Recover {
            founding,
            reveal,
            document,
            next,
            recovery
        }),
        (option::of(founding()), reveal)
            .prop_map(|(founding, reveal)| Action::Deactivate { founding, reveal }),
        rotation().prop_map(Action::Veto),
    ]
}

pub fn operation() -> impl Strategy<Value = SignedOperation> {
    let operation = (hash(), hash(), hash(), action());
    (operation, any::<u8>(), signature()).prop_map(|((charter, did, previous, action), signer, signature)| {
        SignedOperation {
            operation: Operation {
                charter,
                did,
                previous,
                action,
            },
            signer,
            signature,
        }
    })
}

fn pending() -> impl Strategy<Value = Pending> {
    let fields = (hash(), any::<u64>(), hash(), commitment(), commitment());
    (any::<bool>(), fields).prop_map(
        |(recovers, (operation, effective_at, document, next, recovery))| {
            if recovers {
                let kind = PendingKind::Recovery;
                return Pending {
                    kind,
                    operation,
                    effective_at,
                    document,
                    next,
                    recovery,
                };
            }
            let (kind, none) = (PendingKind::Deactivation, Commitment(Hash::ZERO));
            Pending {
                kind,
                operation,
                effective_at,
                document: Hash::ZERO,
                next: none,
                recovery: none,
            }
        },
    )
}

fn assurance() -> impl Strategy<Value = Assurance> {
    let backing = prop::sample::select(vec![Backing::Token, Backing::Charter, Backing::Sponsor]);
    let level = prop::sample::select(vec![Level::Low, Level::Substantial, Level::High]);
    (backing, hash(), any::<u64>(), level).prop_map(|(backing, by, epoch, level)| Assurance {
        backing,
        by,
        epoch,
        level,
    })
}

pub fn entry() -> impl Strategy<Value = Entry> {
    let hashes = (hash(), hash(), commitment(), commitment());
    let times = (any::<u32>(), any::<u64>(), any::<u64>());
    let flags = (any::<bool>(), any::<bool>(), option::of(pending()));
    (hashes, times, assurance(), flags).prop_map(|(hashes, times, assurance, flags)| Entry {
        version: times.0,
        document: hashes.0,
        last_operation: hashes.1,
        next: hashes.2,
        recovery: hashes.3,
        created: times.1,
        updated: times.2,
        assurance,
        deactivated: flags.0,
        vetoed: flags.1,
        pending: flags.2,
    })
}
