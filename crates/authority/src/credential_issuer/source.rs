//! Where the data of a credential comes from: the population register, a CSV file, or a database.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::{AnyPool, AssertSqlSafe, Column as _, Row as _};

use crate::database::Database;
use crate::register;

/// Largest CSV file, in bytes.
const MAX_CSV: u64 = 256 * 1024 * 1024;
/// Longest name of a record, in bytes.
pub const MAX_RECORD: usize = 200;

/// A record: texts by the names of their columns. Never printed.
pub type Record = BTreeMap<String, String>;

/// Why data cannot be had. Says nothing about whose.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file cannot be read.
    #[error("the data file {0} cannot be read: {1}")]
    File(PathBuf, std::io::Error),
    /// The file is larger than 256 MiB.
    #[error("the data file {0} is larger than 256 MiB")]
    TooLarge(PathBuf),
    /// The file is not CSV with a header, or lacks the column that names records.
    #[error("the data file {0} is not CSV with a header that has the column {1}")]
    Csv(PathBuf, String),
    /// The database fails.
    #[error("the data's database fails")]
    Sql(#[from] sqlx::Error),
    /// A record lacks a column, or its text is not of the claim's kind.
    #[error("a record's column {0} is missing or not of the configured kind")]
    Column(String),
    /// The claims do not fit the type's schema.
    #[error("a record does not fit the type's schema")]
    Schema,
}

type Reading<'a> = Pin<Box<dyn Future<Output = Result<Option<Record>, SourceError>> + Send + 'a>>;

/// Something that knows records by name.
pub trait Source: Send + Sync {
    /// The record of this name, as it is now.
    fn record<'a>(&'a self, name: &'a str) -> Reading<'a>;

    /// Whether its records are people, named by identity number as everywhere else at the authority.
    fn is_register(&self) -> bool {
        false
    }
}

/// The population register; records are named by identity number.
#[derive(Debug, Clone)]
pub struct Register(pub Database);

impl Source for Register {
    fn record<'a>(&'a self, name: &'a str) -> Reading<'a> {
        Box::pin(async move {
            let person = register::by_number(&self.0, name).await?;
            Ok(person.map(|person| {
                let (given, family) = split_name(&person.name);
                let column = |name: &str, text: &str| (name.to_owned(), text.to_owned());
                Record::from([
                    column("name", &person.name),
                    column("given_name", &given),
                    column("family_name", &family),
                    column("birth_date", &person.birth_date),
                    column("nationality", "CN"),
                    column("level", "substantial"),
                ])
            }))
        })
    }

    fn is_register(&self) -> bool {
        true
    }
}

/// Surnames of two characters.
const DOUBLE: [&str; 5] = ["欧阳", "司马", "上官", "诸葛", "慕容"];

/// Given and family name of a registered one, which is kept in one column: Han names begin with the
/// family name, others end with it.
fn split_name(name: &str) -> (String, String) {
    if let Some((given, family)) = name.split_once(' ') {
        return (given.to_owned(), family.to_owned());
    }
    let double = DOUBLE.into_iter().find(|family| name.starts_with(family));
    let first = name.chars().next().map_or(0, char::len_utf8);
    let (family, given) = name.split_at(double.map_or(first, str::len));
    (given.to_owned(), family.to_owned())
}

/// A CSV file, read again at each question: it is small, or it should be a database.
#[derive(Debug, Clone)]
pub struct Csv {
    path: PathBuf,
    key: String,
}

impl Csv {
    /// A file whose records are named by the column `key`.
    ///
    /// # Errors
    /// [`SourceError`] if it cannot be read now.
    pub fn open(path: &Path, key: &str) -> Result<Self, SourceError> {
        let source = Self {
            path: path.to_owned(),
            key: key.to_owned(),
        };
        source.find("")?;
        Ok(source)
    }

    fn find(&self, name: &str) -> Result<Option<Record>, SourceError> {
        let unreadable = |error| SourceError::File(self.path.clone(), error);
        if std::fs::metadata(&self.path).map_err(unreadable)?.len() > MAX_CSV {
            return Err(SourceError::TooLarge(self.path.clone()));
        }
        let malformed = || SourceError::Csv(self.path.clone(), self.key.clone());
        let mut reader = csv::Reader::from_path(&self.path).map_err(|_| malformed())?;
        let header = reader.headers().map_err(|_| malformed())?.clone();
        let key = header
            .iter()
            .position(|column| column == self.key)
            .ok_or_else(malformed)?;
        for row in reader.records() {
            let row = row.map_err(|_| malformed())?;
            if !name.is_empty() && row.get(key) == Some(name) {
                let pairs = header.iter().zip(&row);
                return Ok(Some(
                    pairs
                        .map(|(name, text)| (name.to_owned(), text.to_owned()))
                        .collect(),
                ));
            }
        }
        Ok(None)
    }
}

impl Source for Csv {
    fn record<'a>(&'a self, name: &'a str) -> Reading<'a> {
        let (source, name) = (self.clone(), name.to_owned());
        Box::pin(async move {
            let reading = tokio::task::spawn_blocking(move || source.find(&name));
            reading.await.unwrap_or_else(|error| {
                Err(SourceError::File(self.path.clone(), std::io::Error::other(error)))
            })
        })
    }
}

/// A query with one parameter, the record's name, in a database of the organisation's own.
#[derive(Debug, Clone)]
pub struct Sql {
    pool: AnyPool,
    query: String,
}

impl Sql {
    /// Connects to `sqlite:PATH` or `postgres://…`; the query's `$1` is the record's name.
    ///
    /// # Errors
    /// [`SourceError::Sql`].
    pub async fn open(url: &str, query: &str) -> Result<Self, SourceError> {
        sqlx::any::install_default_drivers();
        let pool = AnyPoolOptions::new().max_connections(4).connect(url).await?;
        Ok(Self {
            pool,
            query: query.to_owned(),
        })
    }
}

impl Source for Sql {
    fn record<'a>(&'a self, name: &'a str) -> Reading<'a> {
        Box::pin(async move {
            // The text is the operator's; what a wallet or person says is bound, never part of it.
            let query = sqlx::query(AssertSqlSafe(self.query.clone())).bind(name);
            let row = query.fetch_optional(&self.pool).await?;
            row.map(|row| read(&row)).transpose()
        })
    }
}

fn read(row: &AnyRow) -> Result<Record, SourceError> {
    let mut record = Record::new();
    for column in row.columns() {
        let place = column.ordinal();
        let text = match row.try_get::<Option<String>, _>(place) {
            Ok(text) => text,
            Err(_) => match row.try_get::<Option<i64>, _>(place) {
                Ok(number) => number.map(|number| number.to_string()),
                Err(_) => row
                    .try_get::<Option<bool>, _>(place)?
                    .map(|flag| flag.to_string()),
            },
        };
        if let Some(text) = text {
            record.insert(column.name().to_owned(), text);
        }
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_query_gives_one_record_and_binds_its_name() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}?mode=rwc", directory.path().join("office.db").display());
        let source = Sql::open(
            &url,
            "SELECT number, name, classes, year, NULL AS gone FROM licences WHERE number = $1",
        )
        .await
        .unwrap();
        let rows = "CREATE TABLE licences (number TEXT, name TEXT, classes TEXT, year BIGINT);
                    INSERT INTO licences VALUES ('D-1', 'Anna', 'B C', 2020), ('D-2', 'Omar', 'A', 2021);";
        sqlx::raw_sql(rows).execute(&source.pool).await.unwrap();
        let record = source.record("D-1").await.unwrap().unwrap();
        assert_eq!(
            (record["name"].as_str(), record["year"].as_str()),
            ("Anna", "2020")
        );
        assert!(!record.contains_key("gone"));
        for name in ["D-3", "", "D-1' OR '1'='1", "D-1; DROP TABLE licences"] {
            assert!(source.record(name).await.unwrap().is_none(), "{name}");
        }
        assert!(source.record("D-2").await.unwrap().is_some());
    }

    #[test]
    fn names_are_split_where_they_are_registered() {
        let split = |name| split_name(name);
        assert_eq!(split("欧阳娜"), ("娜".into(), "欧阳".into()));
        assert_eq!(split("王伟"), ("伟".into(), "王".into()));
        assert_eq!(split("Anna van der Berg"), ("Anna".into(), "van der Berg".into()));
        assert_eq!(split(""), (String::new(), String::new()));
    }
}
