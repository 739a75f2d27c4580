//! A sign-in server.

use std::path::{Path, PathBuf};

use realdid_openid::dcql::{ClaimPath, DcqlQuery};
use realdid_openid::registration::MayAsk;
use realdid_service::{Shutdown, telemetry};
use realdid_signin::{
    Certificate, CertificateError, ClientOptions, Profile, RunError, Settings, VerifierOptions,
};
use serde_json::json;

use crate::args::{ClientCommand, RunOptions, SigninCommand};
use crate::block_on;
use crate::failure::{Failure, Kind, Outcome};
use crate::output::Output;

/// Runs a command of the sign-in server.
pub fn run(command: SigninCommand, output: Output) -> Outcome<()> {
    match command {
        SigninCommand::Run(options) => serve(&options),
        SigninCommand::Client(ClientCommand::Add(command)) => add(*command, output),
        SigninCommand::Client(ClientCommand::List { config }) => {
            let clients = block_on(realdid_signin::list_clients(&load(&config)?))?.map_err(failed)?;
            let lines = clients
                .iter()
                .map(|client| format!("{}  {}  {}", client.client_id, client.name, client.site_did));
            let values = clients.iter().map(|client| {
                json!({
                    "client_id": client.client_id,
                    "name": client.name,
                    "site_did": client.site_did,
                    "redirect_uris": client.redirect_uris,
                    "created_at": client.created_at,
                })
            });
            output.result(
                lines.collect::<Vec<_>>().join("\n"),
                &json!({ "clients": values.collect::<Vec<_>>() }),
            );
            Ok(())
        }
    }
}

fn add(command: ClientAdd, output: Output) -> Outcome<()> {
    let settings = load(&command.config)?;
    let new = block_on(realdid_signin::add_client(&settings, command.options()?))?.map_err(failed)?;
    let secret = new.client_secret.as_deref().unwrap_or("none");
    output.result(
        format!(
            "client_id      {}\nclient_secret  {secret}\nsite DID       {}\nto wallets     {}",
            new.client_id, new.site_did, new.verifier_id
        ),
        &serde_json::to_value(&new).unwrap_or_default(),
    );
    Ok(())
}

/// Register a website; prints its credentials once.
#[derive(Debug, clap::Args)]
pub struct ClientAdd {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
    /// Name that wallets show.
    #[arg(long)]
    name: String,
    /// Where the website takes its visitors back; several are possible.
    #[arg(long, required = true)]
    redirect_uri: Vec<String>,
    /// A type of credential it may ask for, with `#claim,claim` if only for some of its claims
    /// (`address.city` for a nested one); several are possible.
    #[arg(long, value_name = "VCT[#CLAIM,…]")]
    may_ask: Vec<String>,
    /// A query that it asks for by name; several are possible.
    #[arg(long, value_name = "NAME=FILE")]
    template: Vec<String>,
    /// How it names itself to wallets: decentralized_identifier, x509_san_dns or x509_hash.
    #[arg(long)]
    client_id_prefix: Option<String>,
    /// Certificate chain (PEM, leaf first), for the two x509 prefixes.
    #[arg(long, requires = "certificate_key")]
    certificate: Option<PathBuf>,
    /// The certificate's P-256 key (PEM).
    #[arg(long, requires = "certificate")]
    certificate_key: Option<PathBuf>,
    /// DNS name in the certificate, for x509_san_dns.
    #[arg(long)]
    dns_name: Option<String>,
    /// Have answers encrypted.
    #[arg(long)]
    encrypted: bool,
    /// Further rules its requests keep: `haip`, the high-assurance interoperability profile.
    #[arg(long, value_parser = ["haip"])]
    profile: Option<String>,
    /// Roots (PEM) of issuers it trusts though the consortium does not accredit them.
    #[arg(long)]
    trusted_roots: Option<PathBuf>,
    /// An issuer (https address) it trusts though the consortium does not accredit it.
    #[arg(long)]
    trusted_issuer: Vec<String>,
}

impl ClientAdd {
    fn options(self) -> Outcome<ClientOptions> {
        let mut options = ClientOptions::new(&self.name, self.redirect_uri);
        let templates = self.template.iter().map(|text| template(text));
        options.verifier = VerifierOptions {
            may_ask: self.may_ask.iter().map(|text| may_ask(text)).collect(),
            client_id_prefix: self.client_id_prefix,
            dns_name: self.dns_name,
            encrypted: self.encrypted,
            profile: self.profile.map_or(Profile::Plain, |_| Profile::Haip),
            templates: templates.collect::<Outcome<_>>()?,
            trusted_roots: self.trusted_roots.as_deref().map(read).transpose()?,
            trusted_issuers: self.trusted_issuer,
            ..VerifierOptions::default()
        };
        if let (Some(chain), Some(key)) = (self.certificate, self.certificate_key) {
            let certificate = Certificate::from_pem(&read(&chain)?, &read(&key)?);
            let invalid = |error: CertificateError| Failure::usage("certificate_invalid", error.to_string());
            options.certificate = Some(certificate.map_err(invalid)?);
        }
        Ok(options)
    }
}

fn may_ask(text: &str) -> MayAsk {
    let Some((vct, claims)) = text.split_once('#') else {
        return MayAsk::any(text);
    };
    let paths = claims.split(',').filter(|claim| !claim.is_empty());
    let paths = paths.map(|claim| ClaimPath::of(&claim.split('.').collect::<Vec<_>>()));
    MayAsk::only(vct, paths.collect())
}

fn template(text: &str) -> Outcome<(String, DcqlQuery)> {
    let invalid =
        |why: String| Failure::usage("template_invalid", format!("`{text}` is not NAME=FILE: {why}"));
    let (name, file) = text.split_once('=').ok_or_else(|| invalid("no `=`".to_owned()))?;
    let query = serde_json::from_str(&read(Path::new(file))?).map_err(|error| invalid(error.to_string()))?;
    Ok((name.to_owned(), query))
}

fn read(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))
}

fn serve(options: &RunOptions) -> Outcome<()> {
    let settings = load(&options.config)?;
    telemetry::init();
    block_on(async {
        let shutdown = Shutdown::on_signals(options.exit_with_parent)
            .map_err(RunError::Listen)
            .map_err(failed)?;
        realdid_signin::run(settings, shutdown).await.map_err(failed)
    })?
}

fn load(path: &std::path::Path) -> Outcome<Settings> {
    Settings::load(path).map_err(|error| Failure::local(error.code(), error.to_string()))
}

fn failed(error: RunError) -> Failure {
    let kind = match &error {
        RunError::Node(_) | RunError::Site(_) => Kind::Unavailable,
        RunError::Options(_) => Kind::Usage,
        _ => Kind::Local,
    };
    Failure::new(kind, error.code(), error.to_string())
}
