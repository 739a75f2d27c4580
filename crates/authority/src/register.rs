//! The population register: who exists, and where a person can be reached.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use crate::database::Database;

/// Rows written by one statement; seven values each, within SQLite's and PostgreSQL's limits.
pub(crate) const BATCH: usize = 500;

/// Where a person can be reached.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// Address for mail.
    pub email: String,
    /// Number for short messages, with country code.
    pub phone: String,
}

/// A person as registered.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The register's own key of the row; says nothing about the person.
    pub person_ref: String,
    /// Identity number.
    pub number: String,
    /// Full name.
    pub name: String,
    /// Date of birth, `YYYY-MM-DD`.
    pub birth_date: String,
    /// Postal address.
    pub address: String,
    /// Where one-time codes go.
    pub contact: Contact,
}

impl Person {
    /// Whether this is the person's name.
    #[must_use]
    pub fn has_name(&self, name: &str) -> bool {
        self.name == name
    }

    fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            person_ref: row.try_get("person_ref")?,
            number: row.try_get("number")?,
            name: row.try_get("name")?,
            birth_date: row.try_get("birth_date")?,
            address: row.try_get("address")?,
            contact: Contact {
                email: row.try_get("email")?,
                phone: row.try_get("phone")?,
            },
        })
    }
}

const COLUMNS: &str = "person_ref, number, name, birth_date, address, email, phone";

/// The person with this identity number.
pub(crate) async fn by_number(database: &Database, number: &str) -> Result<Option<Person>, sqlx::Error> {
    let statement = "SELECT person_ref, number, name, birth_date, address, email, phone
                     FROM persons WHERE number = $1";
    let row = sqlx::query(statement)
        .bind(number)
        .fetch_optional(database.pool())
        .await?;
    row.map(|row| Person::read(&row)).transpose()
}

/// The first person at or after this place in the order of `person_ref`, else the very first:
/// with a random place, a random person, without counting millions of rows.
pub(crate) async fn near(database: &Database, place: &str) -> Result<Option<Person>, sqlx::Error> {
    let statement = "SELECT person_ref, number, name, birth_date, address, email, phone
                     FROM persons WHERE person_ref >= $1 ORDER BY person_ref LIMIT 1";
    for start in [place, ""] {
        let row = sqlx::query(statement)
            .bind(start)
            .fetch_optional(database.pool())
            .await?;
        if let Some(row) = row {
            return Person::read(&row).map(Some);
        }
    }
    Ok(None)
}

/// How many persons there are.
pub(crate) async fn count(database: &Database) -> Result<u64, sqlx::Error> {
    let row = sqlx::query("SELECT count(*) AS persons FROM persons")
        .fetch_one(database.pool())
        .await?;
    row.try_get::<i64, _>("persons").map(crate::database::unsigned)
}

/// Adds up to [`BATCH`] persons in one statement; those whose number is registered are left as they are.
pub(crate) async fn insert(database: &Database, persons: &[Person]) -> Result<(), sqlx::Error> {
    if persons.is_empty() {
        return Ok(());
    }
    let rows: Vec<String> = (0..persons.len())
        .map(|row| {
            let places: Vec<String> = (1..=7).map(|column| format!("${}", row * 7 + column)).collect();
            format!("({})", places.join(", "))
        })
        .collect();
    let rows = rows.join(", ");
    let statement = format!("INSERT INTO persons ({COLUMNS}) VALUES {rows} ON CONFLICT (number) DO NOTHING");
    // The text holds column names and placeholders, nothing of the persons.
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for person in persons {
        query = query
            .bind(&person.person_ref)
            .bind(&person.number)
            .bind(&person.name)
            .bind(&person.birth_date)
            .bind(&person.address)
            .bind(&person.contact.email)
            .bind(&person.contact.phone);
    }
    query.execute(database.pool()).await.map(|_| ())
}
