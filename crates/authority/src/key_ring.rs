//! The private epoch keys: files of mode 0600 beside the database, destroyed when their epoch ends.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use realdid_crypto::Hash;
use realdid_service::config::{read_secret_file, write_secret_file};

use crate::epoch_signer::{EpochSigner, Place};
use crate::error::Refusal;

/// Why the key files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// A file cannot be read, written or destroyed.
    #[error("the epoch key file {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds no such key, or none can be made.
    #[error("the epoch key of epoch {0} cannot be made or read")]
    Key(u64),
}

/// The private keys of this and the next epoch.
#[derive(Debug)]
pub struct KeyRing {
    folder: PathBuf,
    charter: Hash,
    authority: Hash,
    signers: RwLock<BTreeMap<u64, Arc<EpochSigner>>>,
}

impl KeyRing {
    /// Opens a folder of key files; made if absent.
    ///
    /// # Errors
    /// [`KeyRingError::File`].
    pub fn open(folder: &Path, charter: Hash, authority: Hash) -> Result<Self, KeyRingError> {
        fs::create_dir_all(folder).map_err(|source| KeyRingError::File {
            path: folder.to_owned(),
            source,
        })?;
        Ok(Self {
            folder: folder.to_owned(),
            charter,
            authority,
            signers: RwLock::default(),
        })
    }

    /// The signer of an epoch: from memory, from its file, or new and then durably on disk.
    /// Makes keys, so it blocks for some tenths of a second.
    ///
    /// # Errors
    /// [`KeyRingError`].
    pub fn ensure(&self, epoch: u64) -> Result<Arc<EpochSigner>, KeyRingError> {
        if let Some(signer) = self.signer(epoch) {
            return Ok(signer);
        }
        let path = self.path(epoch);
        let place = Place {
            charter: self.charter,
            authority: self.authority,
            epoch,
        };
        let failed = |_: Refusal| KeyRingError::Key(epoch);
        let signer = match read_secret_file(&path) {
            Ok(pem) => EpochSigner::from_pem(place, &zeroize::Zeroizing::new(pem)).map_err(failed)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let signer = EpochSigner::generate(place).map_err(failed)?;
                let written = write_secret_file(&path, &signer.to_pem().map_err(failed)?);
                // The ledger will hold the public part for good: the file must outlive a power cut.
                let durable = written.and_then(|()| File::open(&self.folder)?.sync_all());
                durable.map_err(|source| KeyRingError::File { path, source })?;
                signer
            }
            Err(source) => return Err(KeyRingError::File { path, source }),
        };
        let signer = Arc::new(signer);
        self.signers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(epoch, Arc::clone(&signer));
        Ok(signer)
    }

    /// The signer of an epoch, if it is in memory.
    #[must_use]
    pub fn signer(&self, epoch: u64) -> Option<Arc<EpochSigner>> {
        self.signers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&epoch)
            .cloned()
    }

    /// Destroys every key of an epoch before this one, in memory and on disk.
    ///
    /// # Errors
    /// [`KeyRingError::File`].
    pub fn destroy_before(&self, epoch: u64) -> Result<(), KeyRingError> {
        {
            let mut signers = self.signers.write().unwrap_or_else(PoisonError::into_inner);
            *signers = signers.split_off(&epoch);
        }
        let failed = |path: &Path, source| KeyRingError::File {
            path: path.to_owned(),
            source,
        };
        for file in fs::read_dir(&self.folder).map_err(|source| failed(&self.folder, source))? {
            let path = file.map_err(|source| failed(&self.folder, source))?.path();
            if epoch_of(&path).is_some_and(|found| found < epoch) {
                destroy(&path).map_err(|source| failed(&path, source))?;
            }
        }
        Ok(())
    }

    fn path(&self, epoch: u64) -> PathBuf {
        self.folder.join(format!("epoch-{epoch}.pem"))
    }
}

fn epoch_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    name.strip_prefix("epoch-")?.strip_suffix(".pem")?.parse().ok()
}

/// Overwrites a file, then removes it.
fn destroy(path: &Path) -> io::Result<()> {
    let length = usize::try_from(fs::metadata(path)?.len()).unwrap_or(0);
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(&vec![0; length])?;
    file.sync_all()?;
    fs::remove_file(path)
}
