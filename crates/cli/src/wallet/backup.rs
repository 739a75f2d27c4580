//! Backup and restore.

use realdid_wallet::Wallet;
use serde_json::json;

use super::args::{Backup, Restore};
use super::session::Session;
use super::{Place, scan};
use crate::failure::Outcome;
use crate::output::Output;
use crate::vault::{self, PassphraseSource, Vault};
use crate::{block_on, now};

/// Writes an encrypted backup.
pub fn backup(place: &Place, options: &Backup, output: Output) -> Outcome<()> {
    let mut vault = Vault::open(&place.directory, &place.passphrase)?;
    let content = vault.wallet.backup(now())?;
    let passphrase = backup_passphrase(place, options.backup_passphrase_file.clone()).get(true)?;
    vault::encrypt(&options.file, &passphrase, &content, false)?;
    vault.save()?;
    let file = options.file.display().to_string();
    output.result(
        format!(
            "wrote {file}\nkeep it apart from this device; it restores the keys of DIDs made later, too, \
             but only sites known today are remembered"
        ),
        &json!({ "backup": file, "dids": vault.wallet.dids().len() }),
    );
    Ok(())
}

/// Makes a wallet from a backup, and finds on the ledger what the backup does not know.
pub fn restore(place: &Place, options: &Restore, output: Output) -> Outcome<()> {
    vault::refuse_existing(&place.directory)?;
    let passphrase = backup_passphrase(place, options.backup_passphrase_file.clone()).get(false)?;
    let wallet = Wallet::restore(&vault::decrypt(&options.file, &passphrase)?, now())?;
    block_on(finish(place, wallet, output))?
}

async fn finish(place: &Place, wallet: Wallet, output: Output) -> Outcome<()> {
    let mut wallet = wallet;
    output.progress("looking for your DIDs on the ledger");
    let found = scan::scan(&mut wallet).await?;
    let vault = Vault::create(&place.directory, &place.passphrase, wallet)?;
    let session = Session::of(vault, output)?;
    let exposed: Vec<_> = session
        .wallet()
        .exposed()
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut text = format!(
        "restored {} DIDs, {} of them found on the ledger only",
        session.wallet().dids().len(),
        found.new
    );
    if !exposed.is_empty() {
        text.push_str("\nwhoever has the lost device has its keys: rotate each DID, or recover it");
        for did in &exposed {
            text.push_str(&format!("\n  realdid wallet did rotate {did}"));
        }
    }
    let lost = session
        .wallet()
        .credentials()
        .iter()
        .filter(|held| held.is_lost());
    let lost: Vec<_> = lost.map(|held| held.id).collect();
    if !lost.is_empty() {
        text.push_str(&format!(
            "\n{} credentials stayed on the lost device, keys and all; what their issuers give again:\n  \
             realdid wallet credential refresh",
            lost.len()
        ));
    }
    output.result(
        text,
        &json!({
            "dids": session.wallet().dids().len(),
            "found": found.new,
            "rotate": exposed,
            "lost_credentials": lost,
        }),
    );
    Ok(())
}

fn backup_passphrase(place: &Place, file: Option<std::path::PathBuf>) -> PassphraseSource {
    file.map_or_else(
        || place.passphrase.clone(),
        |file| PassphraseSource { file: Some(file) },
    )
}
