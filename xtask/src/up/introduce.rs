//! What `up` tells the person at the terminal once all is ready.

use std::io::Write;
use std::path::Path;

use super::{Country, url};
use crate::cargo;
use crate::failure::{Failure, Outcome};
use crate::json;

impl Country {
    /// Prints the addresses, three people and the first command to copy.
    pub(super) fn introduce(&self) -> Outcome<()> {
        let ports = self.ports;
        println!();
        for (what, port) in [
            ("your wallet: begin here", ports.web_wallet()),
            ("site A", ports.site(0)),
            ("site B", ports.site(1)),
            ("car rental", ports.site(2)),
            ("sign-in server", ports.signin()),
            ("authority", ports.authority()),
            ("licence issuer", ports.issuer()),
            ("ledger node, resolver", ports.node(0)),
        ] {
            println!("  {what:<24} {}", url(port));
        }
        for index in 1..ports.validators() {
            println!(
                "  {:<24} {}",
                format!("ledger node {}", index + 1),
                url(ports.node(index))
            );
        }
        if ports.validators() > 1 {
            let pid = self.data.join("logs").join("node2.pid");
            println!(
                "\nlose a validator and see the others go on:  kill -9 $(cat {})",
                short(&pid).display()
            );
        }
        println!("\nthree people of this country, and where their one-time codes appear:\n");
        let mut first = None;
        for _ in 0..3 {
            let person = Person::draw(self)?;
            println!("  {}  {}  {}", person.number, person.outbox, person.name);
            first.get_or_insert(person);
        }
        if let Some(person) = first {
            self.suggest(&person);
        }
        println!("\nthe whole story at once: docs/tour.sh\nCtrl-C stops everything");
        // a full terminal buffer is no reason to stop the country
        let _ = std::io::stdout().flush();
        Ok(())
    }

    fn suggest(&self, person: &Person) {
        let program = self.programs.join("realdid");
        let realdid = short(&program).display();
        let charter = self.data.join("charter.json");
        println!("\nbegin in a second shell with\n");
        println!(
            "  {realdid} wallet init --charter {} --node {} --authority {}",
            short(&charter).display(),
            self.nodes(),
            url(self.ports.authority())
        );
        println!(
            "  {realdid} wallet enrol --name '{}' --number {}",
            person.name, person.number
        );
    }
}

/// Somebody in the population register.
struct Person {
    name: String,
    number: String,
    outbox: String,
}

impl Person {
    fn draw(country: &Country) -> Outcome<Self> {
        let printed = cargo::output(
            country
                .realdid()
                .args(["authority", "person", "--random", "--json", "--config"])
                .arg(country.config("authority")),
            "realdid authority person",
        )?;
        let field = |name| {
            json::text(&printed, name)
                .ok_or_else(|| Failure::new(format!("realdid authority person told no `{name}`")))
        };
        Ok(Self {
            name: field("name")?,
            number: field("number")?,
            outbox: field("outbox")?,
        })
    }
}

/// A path as a person in the root directory would type it.
fn short(path: &Path) -> &Path {
    path.strip_prefix(cargo::root()).unwrap_or(path)
}
