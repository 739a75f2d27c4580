//! An example to begin with: an office that issues driving licences. `realdid network init` writes
//! these files beside the office's keys.

use std::fmt::Write as _;

use crate::population;

/// What stands in the configuration file after addresses and keys.
pub const LICENCE_CONFIG: &str = r#"
name = "Sandbox Licence Office"

# How credentials are issued. Status lists are published at multiples of so many seconds; here often,
# and few and small ones, so that one can watch. Left out, all three are made for a whole country.
[issuing]
status_seconds = 4
status_ttl = 2
status_places = 65536
status_shards = 1

# Where the data is: a CSV file, or a database of your own:
#   sql = "postgres://user:password@host/name"
#   query = "SELECT * FROM licences WHERE licence_number = $1"
[sources.licences]
csv = "licences.csv"
key = "licence_number"

# A licence for years, which can be suspended and revoked: verifiers look at its status. What it and its
# claims are called stands in the type's metadata, which the first credential fixes: another description
# needs another name of the type. All configurations of one type have to keep its rules.
[[credential]]
id = "driving_licence"
vct = "urn:realdid:driving_licence:1"
name = "Driving licence"
names = { zh = "驾驶证" }
description = "What somebody may drive, with a status that can be looked up"
form = "long_lived"
days = 730
schema = "licence.schema.json"
claim = [
    { name = "licence_number", title = "Licence number", titles = { zh = "证号" } },
    { name = "classes", title = "Classes", titles = { zh = "准驾车型" }, kind = "list" },
    { name = "issue_date", title = "Issued on", titles = { zh = "发证日期" }, kind = "date" },
    { name = "expiry_date", title = "Valid until", titles = { zh = "有效期至" }, kind = "date" },
    { name = "name", title = "Name", titles = { zh = "姓名" } },
    { name = "birthdate", title = "Date of birth", titles = { zh = "出生日期" }, kind = "date" },
    { name = "age_over_21", title = "21 or older", titles = { zh = "年满21周岁" }, kind = "age_over", years = 21, column = "birthdate" },
]

# The same as copies for two weeks, to be shown once each: nothing to look up, nothing to trace.
[[credential]]
id = "driving_licence_copies"
vct = "urn:realdid:driving_licence:1"
name = "Driving licence (one-time copies)"
description = "What somebody may drive, in copies to be shown once each"
form = "copies"
days = 14
batch = 20
schema = "licence.schema.json"
claim = [
    { name = "licence_number", title = "Licence number" },
    { name = "classes", title = "Classes", kind = "list" },
    { name = "issue_date", title = "Issued on", kind = "date" },
    { name = "expiry_date", title = "Valid until", kind = "date" },
    { name = "name", title = "Name" },
    { name = "birthdate", title = "Date of birth", kind = "date" },
    { name = "age_over_21", title = "21 or older", kind = "age_over", years = 21, column = "birthdate" },
]

# Given after somebody of the office has looked at the request.
[[credential]]
id = "international_permit"
vct = "urn:realdid:driving_licence:1"
name = "International driving permit"
description = "The licence for travelling, given after a look at the request"
form = "long_lived"
days = 365
approval = true
schema = "licence.schema.json"
claim = [
    { name = "licence_number", title = "Licence number" },
    { name = "classes", title = "Classes", kind = "list" },
    { name = "issue_date", title = "Issued on", kind = "date" },
    { name = "expiry_date", title = "Valid until", kind = "date" },
    { name = "name", title = "Name" },
    { name = "birthdate", title = "Date of birth", kind = "date" },
    { name = "age_over_21", title = "21 or older", kind = "age_over", years = 21, column = "birthdate" },
]

# The first one signed by SM2 with SM3, for parts of our own; others refuse it politely.
[[credential]]
id = "driving_licence_sm2"
vct = "urn:realdid:driving_licence:1"
name = "Driving licence (SM2)"
description = "What somebody may drive, signed by SM2"
form = "copies"
days = 14
algorithm = "SM2SM3"
schema = "licence.schema.json"
claim = [
    { name = "licence_number", title = "Licence number" },
    { name = "classes", title = "Classes", kind = "list" },
    { name = "issue_date", title = "Issued on", kind = "date" },
    { name = "expiry_date", title = "Valid until", kind = "date" },
    { name = "name", title = "Name" },
    { name = "birthdate", title = "Date of birth", kind = "date" },
    { name = "age_over_21", title = "21 or older", kind = "age_over", years = 21, column = "birthdate" },
]
"#;

/// The JSON schema of a licence's claims.
pub const LICENCE_SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "required": ["licence_number", "classes", "issue_date", "expiry_date", "name", "birthdate", "age_over_21"],
  "properties": {
    "licence_number": { "type": "string", "pattern": "^D-[0-9]{4,}$" },
    "classes": { "type": "array", "minItems": 1, "items": { "enum": ["A", "B", "C", "D", "BE", "CE"] } },
    "issue_date": { "type": "string" },
    "expiry_date": { "type": "string" },
    "name": { "type": "string", "minLength": 1 },
    "birthdate": { "type": "string" },
    "age_over_21": { "type": "boolean" }
  }
}
"#;

/// The number of the first licence.
const FIRST: u64 = 1001;
/// Seed of the sandbox's people.
const SEED: u64 = 1;

/// The files of the example, by name: settings to append to the configuration, the schema, and the
/// licences of the first `people` of the sandbox's register. The first holder is long over 21 and may
/// drive class C.
#[must_use]
pub fn licence_files(people: u64) -> [(&'static str, String); 2] {
    [
        ("licence.schema.json", LICENCE_SCHEMA.to_owned()),
        ("licences.csv", licences(people)),
    ]
}

fn licences(people: u64) -> String {
    let mut csv = "licence_number,name,birthdate,classes,issue_date,expiry_date\n".to_owned();
    for index in 0..people {
        let person = population::person(SEED, index);
        let classes = ["B C", "B", "A B", "B C CE", "B BE"][usize::try_from(index % 5).unwrap_or(0)];
        let issued = 2015 + index % 10;
        let (number, expiry) = (FIRST + index, issued + 15);
        let written = writeln!(
            csv,
            "D-{number},{},{},{classes},{issued}-03-01,{expiry}-02-28",
            person.name, person.birth_date
        );
        debug_assert!(written.is_ok(), "writing into memory does not fail");
    }
    csv
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential_issuer::{CredentialType, Csv, Source as _};
    use crate::issuer::IssuerConfig;

    #[tokio::test]
    async fn the_example_holds_together() {
        let head =
            "listen = '127.0.0.1:0'\npublic_url = 'http://127.0.0.1:7311'\ncharter = 'c'\nnode_url = 'n'\n";
        let config: IssuerConfig = toml::from_str(&format!("{head}{LICENCE_CONFIG}")).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("licences.csv");
        std::fs::write(&path, licences(20)).unwrap();
        let source = Csv::open(&path, "licence_number").unwrap();
        let record = source.record("D-1001").await.unwrap().unwrap();
        for config in config.credentials {
            let kind = CredentialType::new(config, Some(LICENCE_SCHEMA)).unwrap();
            let claims = kind.claims(&record, 1_795_651_200).unwrap();
            assert_eq!(claims["age_over_21"], true);
            assert_eq!(claims["classes"], serde_json::json!(["B", "C"]));
        }
        assert!(source.record("D-1020").await.unwrap().is_some());
        assert!(source.record("D-1021").await.unwrap().is_none());
        assert!(source.record("").await.unwrap().is_none());
    }
}
