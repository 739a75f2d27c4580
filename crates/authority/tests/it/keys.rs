//! Epoch keys: where they are kept, when they are destroyed, what is anchored about them.

use std::os::unix::fs::PermissionsExt as _;

use realdid_authority::{EpochSigner, KeyRing};
use realdid_crypto::Hash;

use crate::support::{Device, NOW, charter_hash, on_each, place, signer, somebody, values};

#[test]
fn a_key_survives_a_restart_and_is_destroyed_with_its_epoch() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path().join("epoch-keys");
    let open = || KeyRing::open(&folder, charter_hash(), Hash([3; 32])).unwrap();
    let ring = open();
    let (first, second) = (ring.ensure(0).unwrap(), ring.ensure(1).unwrap());
    assert_ne!(first.key().modulus(), second.key().modulus());
    assert_eq!(ring.ensure(0).unwrap().id(), first.id());
    let path = folder.join("epoch-0.pem");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );

    let ring = open();
    assert!(ring.signer(0).is_none());
    assert_eq!(ring.ensure(0).unwrap().id(), first.id());
    assert_eq!(ring.ensure(1).unwrap().key(), second.key());
    ring.destroy_before(1).unwrap();
    assert!(ring.signer(0).is_none() && ring.signer(1).is_some());
    assert!(!path.exists() && folder.join("epoch-1.pem").exists());
    assert!(!format!("{first:?}").contains("PRIVATE"));
}

#[test]
fn a_key_file_that_others_may_read_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let open = || KeyRing::open(directory.path(), charter_hash(), Hash([3; 32])).unwrap();
    open().ensure(0).unwrap();
    let path = directory.path().join("epoch-0.pem");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(open().ensure(0).unwrap_err().to_string().contains("chmod 600"));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&path, "no key").unwrap();
    assert!(open().ensure(0).is_err());
}

#[test]
fn the_identifier_covers_charter_authority_and_epoch() {
    let pem = signer().to_pem().unwrap();
    let same = EpochSigner::from_pem(place(0), &pem).unwrap();
    assert_eq!(same.id(), signer().id());
    let mut others = [place(0), place(1), place(0)];
    others[0].charter = Hash([4; 32]);
    others[2].authority = Hash([4; 32]);
    for other in others {
        assert_ne!(EpochSigner::from_pem(other, &pem).unwrap().id(), signer().id());
    }
}

#[tokio::test]
async fn an_ended_epochs_issuance_is_counted_then_forgotten() {
    on_each(async |world| {
        let mut wallet = Device::new();
        world.enrol(&mut wallet, &somebody(0), NOW).await;
        world.authority.note_epoch_key(0, &signer().id()).await.unwrap();
        world.authority.note_epoch_key(0, &signer().id()).await.unwrap();
        world.authority.note_epoch_key(1, &Hash([1; 32])).await.unwrap();
        world.issue(&wallet.request(&values(5), NOW), NOW).await.unwrap();

        assert_eq!(world.authority.ended_issuances(0).await.unwrap(), []);
        let ended = world.authority.ended_issuances(1).await.unwrap();
        assert_eq!(
            (ended.len(), ended[0].key_id, ended[0].count),
            (1, signer().id(), 5)
        );
        assert_ne!(ended[0].root, Hash::ZERO);
        assert_eq!(world.authority.ended_issuances(1).await.unwrap(), ended);
        world.authority.forget_issuance(&signer().id()).await.unwrap();
        assert_eq!(world.authority.ended_issuances(1).await.unwrap(), []);
        assert_eq!(world.number("SELECT count(*) FROM blinded_values").await, 0);
        // What was spent stays spent.
        assert_eq!(world.number("SELECT used FROM quota").await, 5);
        assert_eq!(world.authority.ended_issuances(2).await.unwrap()[0].count, 0);
    })
    .await;
}
