//! Founding a network with others: each step is a command, and leaves a file.
//!
//! `found keys` → public files → `found draft` → `found sign` → `found run`, which leaves the charter, the
//! transcript and a node that is ready to start; `check` looks at the transcript.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use realdid_crypto::{KeyType, PublicKey, SecretKey};
use realdid_did::Network;
use realdid_ledger::{
    Committees, Draft, FOUNDING_FORMAT, FoundingError, MAX_FOUNDING_FILE, PublicFile, Quota, Role, Seat,
    Transcript, is_charter_signed_by, sign_charter,
};
use realdid_node::founding::{
    EngineError, Founded, Founder, FoundingConfig, FoundingNews, MadeKey, Statements, check_logs, found,
};
use serde::de::DeserializeOwned;
use serde_json::json;
use zeroize::Zeroizing;

use super::governance::member_key;
use super::network::{PACE_OF_SEVERAL, make_directory, write};
use crate::args::found::{FoundCommand, FoundDraft, FoundKeys, FoundRun};
use crate::failure::{Failure, Outcome};
use crate::now;
use crate::output::{Output, agrees};

/// How long a founder that has everything waits for the others.
const LINGER: Duration = Duration::from_secs(600);
/// Seconds of an epoch of tokens, of a recovery's delay and of one after a veto, outside a sandbox.
const DELAYS: (u64, u64, u64) = (90 * 24 * 3600, 72 * 3600, 30 * 24 * 3600);
/// The same in a sandbox.
const SANDBOX_DELAYS: (u64, u64, u64) = (90 * 24 * 3600, 3, 30);
/// Tokens per person and period outside a sandbox: 128 in 90 days.
const QUOTA: Quota = Quota {
    tokens: 128,
    period_seconds: 90 * 24 * 3600,
};
/// Persons below which wallets warn, outside a sandbox and in one.
const ANONYMITY: (u64, u64) = (100, 2);

/// Runs a step of the founding.
pub fn run(command: FoundCommand, output: Output) -> Outcome<()> {
    match command {
        FoundCommand::Keys(options) => keys(&options, output),
        FoundCommand::Draft(options) => draft(&options, output),
        FoundCommand::Sign { dir, draft, yes } => sign(&dir, &draft, yes, output),
        FoundCommand::Run(options) => ceremony(&options, output),
    }
}

/// Makes a founder's keys, and its public file.
fn keys(options: &FoundKeys, output: Output) -> Outcome<()> {
    let dir = &options.dir;
    if dir.exists() {
        let what = format!(
            "{} exists already; keys are never made over others",
            dir.display()
        );
        return Err(Failure::local("directory_exists", what));
    }
    let seed = || Zeroizing::new(rand::random::<[u8; 32]>());
    let (member, link) = (seed(), seed());
    let key = |seed| SecretKey::from_seed(KeyType::Ed25519, seed);
    let file = PublicFile::new(&options.name, &options.address, &key(&member), &key(&link));
    file.check().map_err(failed)?;
    make_directory(dir)?;
    let member = Zeroizing::new(json!({ "seed": hex::encode(member.as_slice()) }).to_string() + "\n");
    write(&dir.join("member.key"), &member)?;
    write(
        &dir.join("link.key"),
        &Zeroizing::new(hex::encode(link.as_slice()) + "\n"),
    )?;
    let public = dir.join("public.json");
    write(&public, &pretty(&file))?;
    output.result(
        format!(
            "keys in {}, which stay on this machine\nnext: give {} to the others, by a way on which nobody can change it",
            dir.display(),
            public.display()
        ),
        &json!({ "dir": dir, "public": public, "link_key": file.link_key, "member_key": file.member_key }),
    );
    Ok(())
}

/// Makes the draft out of everybody's public files.
fn draft(options: &FoundDraft, output: Output) -> Outcome<()> {
    let founders = options.public.iter().map(|path| read::<PublicFile>(path));
    let founders = founders.collect::<Outcome<Vec<_>>>()?;
    let count = u16::try_from(founders.len()).unwrap_or(u16::MAX);
    let (epoch_seconds, recovery_delay, vetoed_recovery_delay) =
        if options.sandbox { SANDBOX_DELAYS } else { DELAYS };
    let name = &options.network;
    let network = Network::new(name)
        .map_err(|error| Failure::usage("network_name_invalid", format!("`{name}`: {error}")))?;
    let draft = Draft {
        format: FOUNDING_FORMAT,
        network,
        sandbox: options.sandbox,
        genesis_time: now(),
        threshold: options.threshold.unwrap_or(count / 2 + 1),
        committees: Committees {
            epoch_blocks: options.epoch_blocks,
            max_validators: options.max_validators,
        },
        seats: options
            .seat
            .iter()
            .map(|seat| read_seat(seat))
            .collect::<Outcome<_>>()?,
        epoch_seconds,
        quota: QUOTA,
        recovery_delay,
        vetoed_recovery_delay,
        minimum_anonymity_set: if options.sandbox { ANONYMITY.1 } else { ANONYMITY.0 },
        founders,
    };
    draft.check().map_err(failed)?;
    write(&options.out, &pretty(&draft))?;
    output.result(
        format!(
            "draft {} in {}\n{}\nnext, each founder: realdid network found sign --dir DIR --draft {}",
            draft.hash(),
            options.out.display(),
            words(&draft),
            options.out.display()
        ),
        &json!({ "draft": options.out, "hash": draft.hash() }),
    );
    Ok(())
}

/// `ROLE:KEY:NAME`.
fn read_seat(text: &str) -> Outcome<Seat> {
    let invalid = || {
        let what = format!("`{text}` is not ROLE:KEY:NAME, with a role of a service and a key as multibase");
        Failure::usage("seat_invalid", what)
    };
    let mut parts = text.splitn(3, ':');
    let (Some(role), Some(key), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(invalid());
    };
    let role = match role {
        "authority" => Role::Authority,
        "signin" => Role::Signin,
        "issuer" => Role::Issuer,
        "verifier" => Role::Verifier,
        _ => return Err(invalid()),
    };
    Ok(Seat {
        name: name.to_owned(),
        role,
        key: PublicKey::from_multikey(key).map_err(|_| invalid())?,
    })
}

/// What a founder is asked to sign.
fn words(draft: &Draft) -> String {
    let mut text = format!(
        "network `{}`{}, {} of {} members decide, consensus epochs of {} blocks, committees of at most {}",
        draft.network.as_str(),
        if draft.sandbox { " (a sandbox)" } else { "" },
        draft.threshold,
        draft.founders.len(),
        draft.committees.epoch_blocks,
        draft.committees.max_validators,
    );
    for founder in &draft.founders {
        text.push_str(&format!(
            "\n  `{}` at {}, link key {}",
            founder.name, founder.address, founder.link_key
        ));
    }
    text
}

/// Signs the draft with this founder's governance key.
fn sign(dir: &Path, path: &Path, yes: bool, output: Output) -> Outcome<()> {
    let draft = read_draft(path)?;
    let key = member_key(&dir.join("member.key"))?;
    let own = number(&draft, &key)?;
    output.progress(words(&draft));
    if !yes && !agrees("Sign this draft?") {
        let failure = Failure::refused("not_signed", "nothing was signed");
        return Err(failure.fix("answer y at a terminal, or give --yes"));
    }
    let signature = draft.sign(&key);
    let file = dir.join("draft.signature");
    write(&file, &(signature.clone() + "\n"))?;
    write(&dir.join("draft.json"), &pretty(&draft))?;
    output.result(
        format!(
            "signed as `{}`\nnext, all founders at the same time: realdid network found run --dir {}",
            draft.founders[own].name,
            dir.display()
        ),
        &json!({ "draft": draft.hash(), "founder": own, "signature": signature }),
    );
    Ok(())
}

/// The founder with this governance key.
fn number(draft: &Draft, key: &SecretKey) -> Outcome<usize> {
    let public = key.public_key();
    let own = draft
        .founders
        .iter()
        .position(|founder| founder.member_key == public);
    own.ok_or_else(|| Failure::refused("founder_unknown", "the draft does not name this founder's key"))
}

/// Makes the network key with the others, signs the charter, and writes what there is then.
fn ceremony(options: &FoundRun, output: Output) -> Outcome<()> {
    let dir = &options.dir;
    if dir.join("charter.json").exists() {
        let what = format!("{} has a charter already: the founding is over", dir.display());
        return Err(Failure::local("directory_exists", what));
    }
    let draft = read_draft(&dir.join("draft.json"))?;
    let key = member_key(&dir.join("member.key"))?;
    let own = number(&draft, &key)?;
    let config = founding_config(options, &draft)?;
    let (storage, listen) = (config.storage_dir.clone(), config.listen);
    output.progress("waiting for the other founders; the key is made when all are there");
    let statements = statements(&draft, key, output);
    let founded = found(config, statements).map_err(engine_failed)?;
    let charter = draft.charter(&founded.key.network_key, &founded.key.outcome);
    let transcript = transcript(&draft, &founded);
    check_transcript(&transcript)?;
    write(&dir.join("transcript.json"), &pretty(&transcript))?;
    let json = charter.to_json();
    let json = json.map_err(|error| Failure::local("charter_invalid", error.to_string()))?;
    write(&dir.join("node.toml"), &node_config(options, listen))?;
    // Written last: a directory with it is complete.
    write(&dir.join("charter.json"), &json)?;
    // The ceremony's own secrets are of no use any more.
    std::fs::remove_dir_all(&storage).map_err(|error| Failure::file(&storage, &error))?;
    let others = founded.unsure.iter().filter(|number| **number != own);
    let unsure: Vec<_> = others
        .map(|number| draft.founders[*number].name.clone())
        .collect();
    output.result(
        format!(
            "founded `{}`, charter {}\nnext: realdid network check {}, then realdid node run --config {}",
            charter.network.as_str(),
            charter.hash(),
            dir.join("transcript.json").display(),
            dir.join("node.toml").display(),
        ),
        &json!({
            "network": charter.network,
            "charter_hash": charter.hash(),
            "network_key": charter.network_key,
            "transcript": dir.join("transcript.json"),
            "not_confirmed_by": unsure,
        }),
    );
    Ok(())
}

fn founding_config(options: &FoundRun, draft: &Draft) -> Outcome<FoundingConfig> {
    let path = options.dir.join("link.key");
    let text = std::fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))?;
    let mut link_key = Zeroizing::new([0; 32]);
    hex::decode_to_slice(Zeroizing::new(text).trim(), link_key.as_mut_slice()).map_err(|_| {
        let what = format!("{} is not a link key", path.display());
        Failure::local("key_file_malformed", what)
    })?;
    let founders = draft.founders.iter().map(|founder| Founder {
        link_key: founder.link_key.0,
        address: founder.address.clone(),
    });
    Ok(FoundingConfig {
        storage_dir: options.dir.join("founding"),
        ledger_dir: options.dir.join("data/ledger"),
        link_key,
        listen: options.p2p_listen,
        local_network: draft.sandbox,
        draft: draft.hash(),
        founders: founders.collect(),
        linger: LINGER,
    })
}

/// What this founder says, and what it believes of the others.
fn statements(draft: &Draft, key: SecretKey, output: Output) -> Statements {
    let text = |said: &[u8]| String::from_utf8(said.to_vec()).unwrap_or_default();
    let charter_of = {
        let draft = draft.clone();
        move |made: &MadeKey| draft.charter(&made.network_key, &made.outcome)
    };
    let (judged, charter, names) = (
        draft.clone(),
        charter_of.clone(),
        draft
            .founders
            .iter()
            .map(|founder| founder.name.clone())
            .collect::<Vec<_>>(),
    );
    let named = move |numbers: Vec<usize>| {
        let names: Vec<_> = numbers.iter().map(|number| names[*number].as_str()).collect();
        names.join(", ")
    };
    Statements {
        hello: draft.sign(&key).into_bytes(),
        hello_holds: Arc::new(move |number, said| judged.is_signed_by(number, &text(said))),
        conclude: Arc::new(move |made| sign_charter(&charter_of(made), &key).into_bytes()),
        conclusion_holds: Arc::new(move |made, number, said| {
            is_charter_signed_by(&charter(made), number, &text(said))
        }),
        news: Arc::new(move |news| match news {
            FoundingNews::Missing(missing) => output.progress(format!("missing: {}", named(missing))),
            FoundingNews::Begun => output.progress("all are there: making the key"),
            FoundingNews::Concluding(missing) => {
                output.progress(format!(
                    "the key is made; the charter is not signed by: {}",
                    named(missing)
                ));
            }
        }),
    }
}

fn transcript(draft: &Draft, founded: &Founded) -> Transcript {
    let texts = |said: &[Vec<u8>]| {
        let texts = said
            .iter()
            .map(|said| String::from_utf8(said.clone()).unwrap_or_default());
        texts.collect::<Vec<_>>()
    };
    Transcript {
        format: FOUNDING_FORMAT,
        draft: draft.clone(),
        draft_signatures: texts(&founded.hellos),
        dealer_logs: founded.logs.iter().map(hex::encode).collect(),
        charter: draft.charter(&founded.key.network_key, &founded.key.outcome),
        charter_signatures: texts(&founded.conclusions),
    }
}

fn node_config(options: &FoundRun, listen: SocketAddr) -> String {
    let public_url = options.public_url.clone();
    let public_url = public_url.unwrap_or_else(|| format!("http://{}", options.listen));
    format!(
        "# A founder's node. Its share of the network key is in the data directory. Paths are relative to this file.\n\
         listen = \"{}\"\n\
         public_url = \"{public_url}\"\n\
         trusted_proxies = []\n\
         data_dir = \"data\"\n\
         charter = \"charter.json\"\n\
         link_key = \"link.key\"\n\
         p2p_listen = \"{listen}\"\n{PACE_OF_SEVERAL}",
        options.listen,
    )
}

/// Checks a founding's transcript: draft, keys, dealers' logs, outcome, signatures.
pub fn check(path: &Path, charter: Option<&Path>, output: Output) -> Outcome<()> {
    let json = read_bytes(path)?;
    let transcript = Transcript::from_json(&json).map_err(failed)?;
    let made = check_transcript(&transcript)?;
    if let Some(charter) = charter {
        let pinned = crate::wallet::read_charter(charter)?;
        if pinned != transcript.charter {
            return Err(failed(FoundingError::OtherCharter));
        }
    }
    let (draft, charter) = (&transcript.draft, &transcript.charter);
    let names: Vec<_> = draft.founders.iter().map(|founder| &founder.name).collect();
    output.result(
        format!(
            "the founding of `{}` holds: {} founders, {} dealers' logs, no dealer knows the key\n{}\ncharter {}\n\
             network key {}",
            charter.network.as_str(),
            names.len(),
            transcript.dealer_logs.len(),
            words(draft),
            charter.hash(),
            hex::encode(made.network_key),
        ),
        &json!({
            "network": charter.network,
            "founders": names,
            "dealer_logs": transcript.dealer_logs.len(),
            "draft": draft.hash(),
            "charter_hash": charter.hash(),
            "network_key": charter.network_key,
        }),
    );
    Ok(())
}

fn check_transcript(transcript: &Transcript) -> Outcome<MadeKey> {
    let draft = &transcript.draft;
    transcript.check_draft().map_err(failed)?;
    let link_keys: Vec<_> = draft.founders.iter().map(|founder| founder.link_key.0).collect();
    let logs = transcript.dealer_logs.iter().map(hex::decode);
    let logs = logs.collect::<Result<Vec<_>, _>>();
    let logs = logs.map_err(|_| Failure::refused("founding_file", "a dealer's log is not hexadecimal"))?;
    let made = check_logs(&draft.hash(), &link_keys, &logs, &mut rand::rng()).map_err(engine_failed)?;
    let charter = transcript.check_charter(&made.network_key, &made.outcome);
    charter.map_err(failed)?;
    Ok(made)
}

fn read_draft(path: &Path) -> Outcome<Draft> {
    let draft: Draft = read(path)?;
    draft.check().map_err(failed)?;
    Ok(draft)
}

fn read<T: DeserializeOwned>(path: &Path) -> Outcome<T> {
    serde_json::from_slice(&read_bytes(path)?).map_err(|error| failed(error.into()))
}

fn read_bytes(path: &Path) -> Outcome<Vec<u8>> {
    let unreadable = |error| Failure::file(path, &error);
    if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FOUNDING_FILE {
        return Err(Failure::refused(
            "founding_file",
            "the file is too long for one of a founding",
        ));
    }
    std::fs::read(path).map_err(unreadable)
}

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}

fn failed(error: FoundingError) -> Failure {
    Failure::refused(error.code(), error.to_string())
}

fn engine_failed(error: EngineError) -> Failure {
    Failure::refused(error.code(), error.to_string())
}
