//! Checking a saved proof, offline, with a key that never comes from the file.

use realdid_did::Did;
use realdid_ledger::{
    Charter, MAX_PROOF_FILE, NETWORK_KEY_LENGTH, ProofFile, ProofFileError, TrustAnchor, Verdict,
};

use crate::args::VerifyCommand;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::wallet::read_charter;

/// Checks a proof file.
pub fn run(command: &VerifyCommand, output: Output) -> Outcome<()> {
    let file = read(command)?;
    let verdict = match (&command.charter, &command.network_key) {
        (Some(path), _) => {
            let charter = read_charter(path)?;
            let verdict = ProofFile::verify_with(&file, &TrustAnchor::of(&charter))?;
            is_of_network(&verdict, &charter)?;
            verdict
        }
        (None, Some(text)) => ProofFile::verify(&file, &network_key(text)?, None)?,
        (None, None) => {
            return Err(Failure::usage(
                "network_key_missing",
                "no network is named that is believed",
            ));
        }
    };
    let published = if verdict.published {
        "on the ledger"
    } else {
        "not on the ledger, so at its inception"
    };
    let status = serde_json::to_value(verdict.status).unwrap_or_default();
    let text = format!(
        "the proof holds\n  {}\n  {published}, {}, after {} operations\n  at height {}, time {}\n{:#}",
        verdict.did,
        status.as_str().unwrap_or_default(),
        verdict.version,
        verdict.height,
        verdict.time,
        verdict.document,
    );
    let value = serde_json::to_value(&verdict).unwrap_or_default();
    output.result(text, &value);
    Ok(())
}

/// The proof is about the identifier's hash; that the network is called so, the charter says.
fn is_of_network(verdict: &Verdict, charter: &Charter) -> Outcome<()> {
    let did: Did = verdict.did.parse().map_err(ProofFileError::Did)?;
    if did.network == charter.network {
        return Ok(());
    }
    let what = format!(
        "the DID names the network `{}`, not `{}`",
        did.network.as_str(),
        charter.network.as_str()
    );
    Err(Failure::refused("other_network", what))
}

fn read(command: &VerifyCommand) -> Outcome<Vec<u8>> {
    let path = &command.file;
    let length = std::fs::metadata(path)
        .map_err(|error| Failure::file(path, &error))?
        .len();
    if length > MAX_PROOF_FILE as u64 {
        return Err(realdid_ledger::ProofFileError::TooLarge.into());
    }
    std::fs::read(path).map_err(|error| Failure::file(path, &error))
}

fn network_key(text: &str) -> Outcome<[u8; NETWORK_KEY_LENGTH]> {
    let mut key = [0; NETWORK_KEY_LENGTH];
    hex::decode_to_slice(text.trim(), &mut key).map_err(|_| {
        Failure::usage(
            "network_key_invalid",
            "the network key is not 192 hexadecimal digits",
        )
    })?;
    Ok(key)
}
