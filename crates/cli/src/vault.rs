//! The wallet file: encrypted, replaced in one step, used by one process at a time.
//!
//! `wallet.age` is an age file (age-encryption.org/v1) under a passphrase, scrypt with a work factor
//! of 2^15. It is written to a new file, synced, and renamed over the old one, so that a crash leaves
//! the old state or the new one. A lock on `wallet.lock` keeps a second process out.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use age::secrecy::{ExposeSecret as _, SecretString};
use realdid_wallet::Wallet;
use zeroize::Zeroizing;

use crate::failure::{Failure, Outcome};
use crate::output::{ask_secret, is_interactive};

/// Environment variable with the passphrase.
pub const PASSPHRASE_VARIABLE: &str = "REALDID_WALLET_PASSPHRASE";
/// log2 of scrypt's N: 32 MiB and about a tenth of a second.
const WORK_FACTOR: u8 = 15;
/// Highest work factor that is decrypted: about four seconds.
const MAX_WORK_FACTOR: u8 = 20;
/// Largest wallet file that is read, in bytes.
const MAX_FILE: u64 = 64 << 20;
/// How long to wait for another process to be done with the wallet.
const LOCK_WAIT: Duration = Duration::from_secs(5);
const FILE: &str = "wallet.age";
const LOCK: &str = "wallet.lock";

/// Where a passphrase comes from: a file, else the environment, else the terminal.
#[derive(Debug, Clone)]
pub struct PassphraseSource {
    /// File whose first line it is.
    pub file: Option<PathBuf>,
}

impl PassphraseSource {
    /// The passphrase; `new` asks twice at the terminal.
    pub fn get(&self, new: bool) -> Outcome<SecretString> {
        let passphrase = if let Some(path) = &self.file {
            let text = Zeroizing::new(fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?);
            SecretString::from(text.lines().next().unwrap_or_default().to_owned())
        } else if let Ok(text) = std::env::var(PASSPHRASE_VARIABLE) {
            SecretString::from(text)
        } else if is_interactive() {
            prompt(new)?
        } else {
            return Err(
                Failure::usage("passphrase_missing", "there is no passphrase for the wallet").fix(format!(
                    "set {PASSPHRASE_VARIABLE}, or give --passphrase-file FILE"
                )),
            );
        };
        if passphrase.expose_secret().is_empty() {
            return Err(Failure::usage("passphrase_empty", "the passphrase is empty"));
        }
        Ok(passphrase)
    }
}

fn prompt(new: bool) -> Outcome<SecretString> {
    let first = SecretString::from(ask_secret("Passphrase of the wallet: ")?);
    if new {
        let second = SecretString::from(ask_secret("The same again: ")?);
        if first.expose_secret() != second.expose_secret() {
            return Err(Failure::usage("passphrase_mismatch", "the two passphrases differ").fix("try again"));
        }
    }
    Ok(first)
}

/// An open wallet.
pub struct Vault {
    path: PathBuf,
    passphrase: SecretString,
    _lock: File,
    /// What is in it; [`Self::save`] makes changes last.
    pub wallet: Wallet,
}

impl Vault {
    /// Opens the wallet in a directory.
    pub fn open(directory: &Path, source: &PassphraseSource) -> Outcome<Self> {
        let path = directory.join(FILE);
        if !path.is_file() {
            return Err(Failure::local(
                "wallet_missing",
                format!("there is no wallet in {}", directory.display()),
            ));
        }
        let lock = lock(directory)?;
        let passphrase = source.get(false)?;
        let wallet = Wallet::from_json(&decrypt(&path, &passphrase)?)?;
        Ok(Self {
            path,
            passphrase,
            _lock: lock,
            wallet,
        })
    }

    /// Makes a wallet file in a directory that has none.
    pub fn create(directory: &Path, source: &PassphraseSource, wallet: Wallet) -> Outcome<Self> {
        refuse_existing(directory)?;
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory);
        made.map_err(|error| Failure::file(directory, &error))?;
        let lock = lock(directory)?;
        let path = directory.join(FILE);
        let vault = Self {
            path,
            passphrase: source.get(true)?,
            _lock: lock,
            wallet,
        };
        vault.save()?;
        Ok(vault)
    }

    /// Makes all changes last.
    pub fn save(&self) -> Outcome<()> {
        encrypt(&self.path, &self.passphrase, &self.wallet.to_json()?, true)
    }
}

/// A wallet is never overwritten.
pub fn refuse_existing(directory: &Path) -> Outcome<()> {
    if directory.join(FILE).exists() {
        let what = format!("there is a wallet in {} already", directory.display());
        return Err(Failure::local("wallet_exists", what));
    }
    Ok(())
}

fn lock(directory: &Path) -> Outcome<File> {
    let path = directory.join(LOCK);
    let mut options = OpenOptions::new();
    let file = options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path);
    let file = file.map_err(|error| Failure::file(&path, &error))?;
    let end = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(Failure::file(&path, &error)),
            Err(TryLockError::WouldBlock) if Instant::now() >= end => {
                return Err(Failure::local(
                    "wallet_in_use",
                    "another process uses this wallet",
                ));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// Encrypts to a file of mode 0600, in one step; `replace` allows it to exist.
pub fn encrypt(path: &Path, passphrase: &SecretString, content: &[u8], replace: bool) -> Outcome<()> {
    if !replace && path.exists() {
        return Err(Failure::local(
            "file_exists",
            format!("{} exists already", path.display()),
        ));
    }
    let mut recipient = age::scrypt::Recipient::new(passphrase.clone());
    recipient.set_work_factor(WORK_FACTOR);
    let sealed = age::encrypt(&recipient, content)
        .map_err(|error| Failure::local("encryption", format!("encrypting failed: {error}")))?;
    write_private(path, &sealed).map_err(|error| Failure::file(path, &error))
}

/// Decrypts a file.
pub fn decrypt(path: &Path, passphrase: &SecretString) -> Outcome<Zeroizing<Vec<u8>>> {
    let length = fs::metadata(path)
        .map_err(|error| Failure::file(path, &error))?
        .len();
    if length > MAX_FILE {
        return Err(Failure::local(
            "file_too_large",
            format!("{} is larger than {MAX_FILE} bytes", path.display()),
        ));
    }
    let sealed = fs::read(path).map_err(|error| Failure::file(path, &error))?;
    let mut identity = age::scrypt::Identity::new(passphrase.clone());
    identity.set_max_work_factor(MAX_WORK_FACTOR);
    age::decrypt(&identity, &sealed).map(Zeroizing::new).map_err(|_| {
        let what = format!("{} cannot be decrypted", path.display());
        Failure::local("passphrase_wrong", what).because("the passphrase is wrong, or the file is damaged")
    })
}

/// Writes a file of mode 0600 in one step: a reader sees the old content or the new, all of it.
pub fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let temporary = PathBuf::from(name);
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}
