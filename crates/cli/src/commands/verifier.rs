//! A website's calls to the sign-in server's REST interface, for people and scripts.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use url::Url;

use crate::block_on;
use crate::failure::{Failure, Outcome};
use crate::output::{Output, json_text};
use crate::web::{Web, address};

/// Ask holders for credentials, as a website that is registered at a sign-in server.
#[derive(Debug, Subcommand)]
pub enum VerifierCommand {
    /// Ask for credentials; prints the link for the holder's wallet.
    Request(RequestCommand),
    /// Say how far a request is, and what was shown.
    Result(ResultCommand),
    /// Erase a request and what was shown.
    Erase(ResultCommand),
}

/// Where the sign-in server is, and who calls it.
#[derive(Debug, Args)]
pub struct Site {
    /// The sign-in server.
    #[arg(long, env = "REALDID_SIGNIN", default_value = "http://127.0.0.1:7320")]
    signin: String,
    /// What `realdid signin client add --json` printed.
    #[arg(long, env = "REALDID_SITE")]
    credentials: PathBuf,
}

/// Ask for credentials; prints the link for the holder's wallet.
#[derive(Debug, Args)]
pub struct RequestCommand {
    #[command(flatten)]
    site: Site,
    /// What is asked, in DCQL: a file, or `-` for the standard input.
    #[arg(long, required_unless_present = "template", conflicts_with = "template")]
    dcql: Option<PathBuf>,
    /// What is asked, by the name of a registered template.
    #[arg(long)]
    template: Option<String>,
    /// Where the browser goes on, with a code for `result`.
    #[arg(long)]
    redirect_uri: Option<String>,
    /// Where the sign-in server tells that the request was answered.
    #[arg(long)]
    webhook_url: Option<String>,
    /// What the holder is to authorise: a file with one JSON object; several are possible.
    #[arg(long)]
    transaction: Vec<PathBuf>,
    /// direct_post or direct_post.jwt, if not as registered.
    #[arg(long)]
    response_mode: Option<String>,
    /// How the website names itself to the wallet, if not as registered.
    #[arg(long)]
    client_id_prefix: Option<String>,
    /// The same key again gives the same request.
    #[arg(long)]
    idempotency_key: Option<String>,
}

/// Which request.
#[derive(Debug, Args)]
pub struct ResultCommand {
    #[command(flatten)]
    site: Site,
    /// The request's id.
    #[arg(allow_hyphen_values = true)]
    id: String,
    /// The code that came with the browser to the redirect address.
    #[arg(long, allow_hyphen_values = true)]
    response_code: Option<String>,
}

/// Runs a command.
pub fn run(command: VerifierCommand, output: Output) -> Outcome<()> {
    match command {
        VerifierCommand::Request(command) => request(&command, output),
        VerifierCommand::Result(command) => {
            let query: Vec<_> = command
                .response_code
                .iter()
                .map(|code| ("response_code", code))
                .collect();
            let caller = command.site.caller()?;
            let path = format!("/{}/result", command.id);
            let told: Value = block_on(
                caller
                    .web
                    .json(caller.call(reqwest::Method::GET, &path).query(&query)),
            )??;
            output.result(json_text(&told), &told);
            Ok(())
        }
        VerifierCommand::Erase(command) => {
            let caller = command.site.caller()?;
            let path = format!("/{}", command.id);
            block_on(caller.web.text(caller.call(reqwest::Method::DELETE, &path)))??;
            output.result("erased", &json!({ "erased": command.id }));
            Ok(())
        }
    }
}

struct Caller {
    web: Web,
    base: String,
    client_id: String,
    client_secret: String,
}

impl Site {
    fn caller(&self) -> Outcome<Caller> {
        let url: Url = address(&self.signin, true)?;
        let text = read(&self.credentials)?;
        let credentials: Value = serde_json::from_str(&text).unwrap_or_default();
        let member = |name: &str| {
            let missing = || {
                let what = format!("{} has no `{name}`", self.credentials.display());
                Failure::usage("credentials_invalid", what)
                    .fix("give the file that `realdid signin client add --json` printed")
            };
            credentials[name].as_str().map(str::to_owned).ok_or_else(missing)
        };
        Ok(Caller {
            web: Web::new("the sign-in server", &url)?,
            base: format!("{}/v1/presentations", self.signin.trim_end_matches('/')),
            client_id: member("client_id")?,
            client_secret: member("client_secret")?,
        })
    }
}

impl Caller {
    fn call(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.web.client().request(method, format!("{}{path}", self.base));
        request.basic_auth(&self.client_id, Some(&self.client_secret))
    }
}

fn request(command: &RequestCommand, output: Output) -> Outcome<()> {
    let transactions = command.transaction.iter().map(|path| parse(&read(path)?));
    let transactions = transactions.collect::<Outcome<Vec<Value>>>()?;
    let query = command
        .dcql
        .as_deref()
        .map(|path| parse(&read(path)?))
        .transpose()?;
    let mut body = json!({
        "dcql_query": query,
        "template": command.template,
        "redirect_uri": command.redirect_uri,
        "webhook_url": command.webhook_url,
        "response_mode": command.response_mode,
        "client_id_prefix": command.client_id_prefix,
    });
    if let Some(members) = body.as_object_mut() {
        members.retain(|_, value| !value.is_null());
        if !transactions.is_empty() {
            members.insert("transaction_data".to_owned(), transactions.into());
        }
    }
    let caller = command.site.caller()?;
    let mut call = caller.call(reqwest::Method::POST, "").json(&body);
    if let Some(key) = &command.idempotency_key {
        call = call.header("idempotency-key", key);
    }
    let told: Value = block_on(caller.web.json(call))??;
    let text = |name: &str| told[name].as_str().unwrap_or_default();
    output.result(format!("id    {}\nlink  {}", text("id"), text("link")), &told);
    Ok(())
}

fn read(path: &Path) -> Outcome<String> {
    if path != Path::new("-") {
        return std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error));
    }
    let mut text = String::new();
    let read = std::io::stdin().read_to_string(&mut text);
    read.map(|_| text).map_err(|error| Failure::file(path, &error))
}

fn parse(text: &str) -> Outcome<Value> {
    serde_json::from_str(text)
        .map_err(|error| Failure::usage("json_invalid", format!("this is no JSON: {error}")))
}
