//! How an organisation gets a DID on the ledger, so that the consortium can accredit it: by the word
//! of an accredited authority or sign-in server, given here or on another machine.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use realdid_client::{NodeClient, ServiceIdentity, SponsorshipFile};
use realdid_did::{Did, Sponsorship};
use realdid_ledger::{Charter, TrustAnchor};
use serde_json::json;

use super::governance::args::NetworkOptions;
use crate::block_on;
use crate::failure::{Failure, Outcome};
use crate::output::Output;
use crate::vault::write_private;
use crate::wallet::read_charter;

/// Largest sponsorship file that is read, in bytes.
const MAX_FILE: u64 = 64 << 10;

/// An organisation's DID, before the consortium accredits it.
#[derive(Debug, Subcommand)]
pub enum OrganisationCommand {
    /// Draw keys and show the DID they make.
    New {
        /// Key file to make.
        #[arg(long)]
        key: PathBuf,
        /// The network's charter.
        #[arg(long, env = "REALDID_CHARTER")]
        charter: PathBuf,
        /// With keys that sign credentials, for an issuer.
        #[arg(long)]
        issuer: bool,
    },
    /// As an accredited authority or sign-in server, answer for an organisation's DID.
    Sponsor {
        /// The organisation's DID.
        did: Did,
        /// The sponsor's key file.
        #[arg(long)]
        sponsor_key: PathBuf,
        /// The network's charter.
        #[arg(long, env = "REALDID_CHARTER")]
        charter: PathBuf,
        /// Where to keep the word; the organisation gets this file.
        #[arg(long)]
        save: PathBuf,
    },
    /// Put the DID on the ledger by a sponsor's word.
    Publish {
        /// The organisation's key file.
        #[arg(long)]
        key: PathBuf,
        /// The sponsor's word, from `realdid organisation sponsor`.
        #[arg(long, required_unless_present = "sponsor_key", conflicts_with = "sponsor_key")]
        sponsorship: Option<PathBuf>,
        /// The sponsor's key file, if it is on this machine.
        #[arg(long)]
        sponsor_key: Option<PathBuf>,
        #[command(flatten)]
        at: NetworkOptions,
    },
}

/// Runs a command about an organisation's DID.
pub fn run(command: OrganisationCommand, output: Output) -> Outcome<()> {
    match command {
        OrganisationCommand::New { key, charter, issuer } => {
            new(&key, &read_charter(&charter)?, issuer, output)
        }
        OrganisationCommand::Sponsor {
            did,
            sponsor_key,
            charter,
            save,
        } => sponsor(&did, &sponsor_key, &read_charter(&charter)?, &save, output),
        OrganisationCommand::Publish {
            key,
            sponsorship,
            sponsor_key,
            at,
        } => {
            let charter = read_charter(&at.charter)?;
            let identity = ServiceIdentity::load(&key)?;
            let did = identity.did(&charter);
            let word = match (&sponsor_key, &sponsorship) {
                (Some(key), _) => ServiceIdentity::load(key)?.sponsor(&charter.hash(), &did.hash),
                (None, Some(path)) => read_word(path, &did)?,
                (None, None) => return Err(Failure::usage("sponsorship_missing", "no sponsor is named")),
            };
            publish(&identity, &charter, &at, word, output)
        }
    }
}

fn new(key: &Path, charter: &Charter, issuer: bool, output: Output) -> Outcome<()> {
    let mut rng = rand::rng();
    let identity = if issuer {
        ServiceIdentity::generate_issuer(&mut rng)
    } else {
        ServiceIdentity::generate(&mut rng)
    };
    identity.save(key)?;
    let did = identity.did(charter);
    output.result(
        format!("{did}\nnext, an accredited authority or sign-in server: realdid organisation sponsor {did}"),
        &json!({ "did": did, "key": key }),
    );
    Ok(())
}

fn sponsor(did: &Did, key: &Path, charter: &Charter, save: &Path, output: Output) -> Outcome<()> {
    if did.network != charter.network {
        let what = format!(
            "the DID names the network `{}`, not this one",
            did.network.as_str()
        );
        return Err(Failure::refused("other_network", what));
    }
    let word = ServiceIdentity::load(key)?.sponsorship_file(charter, did);
    let json = serde_json::to_string_pretty(&word).unwrap_or_default() + "\n";
    write_private(save, json.as_bytes()).map_err(|error| Failure::file(save, &error))?;
    output.result(
        format!(
            "{} answers for {did}\nnext, the organisation: realdid organisation publish --sponsorship {}",
            word.sponsor,
            save.display()
        ),
        &json!({ "did": did, "sponsor": word.sponsor, "sponsorship": save }),
    );
    Ok(())
}

fn read_word(path: &Path, did: &Did) -> Outcome<Sponsorship> {
    let unreadable = |error| Failure::file(path, &error);
    let malformed = || {
        Failure::local(
            "sponsorship_malformed",
            format!("{} is not a sponsorship", path.display()),
        )
    };
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE {
        return Err(malformed());
    }
    let json = std::fs::read(path).map_err(unreadable)?;
    let file: SponsorshipFile = serde_json::from_slice(&json).map_err(|_| malformed())?;
    file.sponsorship(did)
        .map_err(|error| Failure::local(error.code(), error.to_string()))
}

fn publish(
    identity: &ServiceIdentity,
    charter: &Charter,
    at: &NetworkOptions,
    word: Sponsorship,
    output: Output,
) -> Outcome<()> {
    let node = NodeClient::new(&at.node, TrustAnchor::of(charter))?;
    let did = block_on(identity.publish_sponsored(&node, charter, word))?;
    let did = did.map_err(|error| match error {
        realdid_client::IdentityError::Node(error) => error.into(),
        other => Failure::from(other),
    })?;
    output.result(
        format!("{did} is on the ledger\nnext, the consortium: realdid governance accredit {did} --role ROLE --name NAME"),
        &json!({ "did": did, "published": true }),
    );
    Ok(())
}
