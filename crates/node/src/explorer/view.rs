//! What a page consists of, and how it is drawn: one template for all pages, and the same tables as CSV and JSON.

use std::sync::LazyLock;

use askama::Template;
use axum::Json;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use realdid_service::Problem;
use realdid_service::language::{Asked, Language, Texts};
use std::convert::Infallible;

use crate::timestamp;

/// What a page may load: this node's style sheet. It may ask this node, and be in nobody's frame.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The messages of the pages.
pub(super) const FILES: [&str; 2] = [
    include_str!("../../../../web/locales/en/explorer.ftl"),
    include_str!("../../../../web/locales/zh-CN/explorer.ftl"),
];
static TEXTS: LazyLock<Texts> = LazyLock::new(|| Texts::new(FILES));

/// A form that tables can be had in, beside the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Page,
    Csv,
    Json,
}

/// Who visits a page: the language, and in which form the answer is wanted (`?as=csv`, `?as=json`).
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    asked: Asked,
    form: Form,
    /// The page's own address, without what [`href`](Self::href) adds.
    path: String,
}

#[derive(serde::Deserialize)]
struct FormQuery {
    r#as: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let form = Query::<FormQuery>::try_from_uri(&parts.uri).ok();
        let form = match form.and_then(|Query(form)| form.r#as).as_deref() {
            Some("csv") => Form::Csv,
            Some("json") => Form::Json,
            _ => Form::Page,
        };
        Ok(Self {
            asked: Asked::from_request_parts(parts, state).await?,
            form,
            path: parts.uri.path().to_owned(),
        })
    }
}

impl Visit {
    /// A message.
    pub(super) fn text(&self, id: &str) -> String {
        self.text_of(id, &[])
    }

    /// A message with values.
    pub(super) fn text_of(&self, id: &str, values: &[(&str, &str)]) -> String {
        TEXTS.text(self.asked.language, id, values)
    }

    fn tag(&self) -> &'static str {
        self.asked.language.tag()
    }

    fn is_named(&self) -> bool {
        self.asked.named
    }

    fn is_at(&self, path: &str) -> bool {
        self.path == path
    }

    /// The address of this page's table in another form.
    fn in_form(&self, form: &str) -> String {
        with(&self.href(&self.path), "as", form)
    }

    /// The address of another page, in the language that this page's address names.
    pub(super) fn href(&self, path: &str) -> String {
        if self.asked.named {
            with(path, "lang", self.asked.language.tag())
        } else {
            path.to_owned()
        }
    }
}

/// An address with one more parameter.
fn with(path: &str, name: &str, value: &str) -> String {
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}{name}={value}")
}

/// Something in a row.
pub(super) enum Cell {
    /// A text of the page's language.
    Text(String),
    /// A text that somebody else chose: shown apart from the direction of the text around it.
    Foreign(String),
    /// A number.
    Number(u64),
    /// An identifier or hash.
    Code(String),
    /// A link to another page, whose text is an identifier.
    Link(String, String),
    /// A time in Unix seconds.
    Time(u64),
}

impl Cell {
    /// The same for a program.
    fn plain(&self) -> String {
        match self {
            Self::Text(text) | Self::Foreign(text) | Self::Code(text) | Self::Link(_, text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Time(seconds) => timestamp::format(*seconds),
        }
    }

    fn time(seconds: &u64) -> String {
        timestamp::format(*seconds)
    }
}

/// A column of a chart.
pub(super) struct Column {
    /// What it stands for.
    pub(super) label: String,
    /// How many.
    pub(super) count: u64,
}

/// A part of a page.
pub(super) enum Part {
    /// A paragraph.
    Text(String),
    /// Names and what they name.
    Facts(Vec<(String, Cell)>),
    /// A table. The first one of a page is had as CSV and JSON, too.
    Table {
        title: String,
        head: Vec<String>,
        rows: Vec<Vec<Cell>>,
    },
    /// A chart, which is a table for those who do not see it.
    Chart { title: String, columns: Vec<Column> },
    /// Links to other addresses: texts and addresses.
    Links(Vec<(String, String)>),
}

/// A page.
pub(super) struct View {
    pub(super) title: String,
    pub(super) parts: Vec<Part>,
    /// How long it may be kept.
    pub(super) cache: (HeaderName, &'static str),
}

#[derive(Template)]
#[template(path = "explorer.html")]
struct Page<'a> {
    visit: &'a Visit,
    view: &'a View,
    search: &'a str,
}

impl Page<'_> {
    /// Where the navigation leads.
    const NAVIGATION: [(&'static str, &'static str); 5] = [
        ("/", "overview"),
        ("/blocks", "blocks"),
        ("/members", "members"),
        ("/organisations", "organisations"),
        ("/governance", "governance"),
    ];

    fn t(&self, id: &str) -> String {
        self.visit.text(id)
    }

    fn languages(&self) -> impl Iterator<Item = (Language, String)> {
        let here = self.visit.asked.language;
        let others = Language::ALL
            .into_iter()
            .filter(move |language| *language != here);
        others.map(|language| (language, with(&self.visit.path, "lang", language.tag())))
    }

    /// The height of a column in parts of a hundred; one that is not empty can be seen.
    fn column(columns: &[Column], count: &u64) -> u64 {
        let most = columns
            .iter()
            .map(|column| column.count)
            .max()
            .unwrap_or(0)
            .max(1);
        let height = count.saturating_mul(100) / most;
        height.max(u64::from(*count > 0))
    }

    fn has_table(&self) -> bool {
        self.view
            .parts
            .iter()
            .any(|part| matches!(part, Part::Table { .. }))
    }
}

impl Visit {
    /// The answer: the page, or its first table in the form that was asked for.
    pub(super) fn show(&self, view: &View) -> Response {
        let table = view.parts.iter().find_map(|part| match part {
            Part::Table { head, rows, .. } => Some((head, rows)),
            _ => None,
        });
        match (self.form, table) {
            (Form::Csv, Some((head, rows))) => csv(head, rows),
            (Form::Json, Some((head, rows))) => json(head, rows),
            _ => self.page(StatusCode::OK, view, ""),
        }
    }

    pub(super) fn page(&self, status: StatusCode, view: &View, search: &str) -> Response {
        let page = Page {
            visit: self,
            view,
            search,
        };
        match page.render() {
            Ok(html) => {
                let headers = [
                    (header::CONTENT_SECURITY_POLICY, POLICY),
                    (header::CONTENT_LANGUAGE, self.asked.language.tag()),
                    (header::VARY, "accept-language"),
                    view.cache.clone(),
                ];
                (status, headers, Html(html)).into_response()
            }
            Err(error) => Problem::internal(&error).into_response(),
        }
    }

    /// What went wrong, as a page: what happened, what to do, and the code.
    pub(super) fn failed(&self, problem: &Problem) -> Response {
        let known = match problem.code {
            "block_not_found"
            | "invalid_did"
            | "other_network"
            | "not_published"
            | "operation_not_found"
            | "nothing_found" => problem.code.replace('_', "-"),
            _ if problem.status.is_client_error() => "malformed".to_owned(),
            _ => "unavailable".to_owned(),
        };
        let view = View {
            title: self.text("failed"),
            parts: vec![
                Part::Text(self.text(&format!("failed-{known}"))),
                Part::Facts(vec![(self.text("code"), Cell::Code(problem.code.to_owned()))]),
            ],
            cache: (header::CACHE_CONTROL, "no-store"),
        };
        self.page(problem.status, &view, "")
    }
}

/// A table as CSV (RFC 4180). What a spreadsheet would take for a formula begins with an apostrophe.
fn csv(head: &[String], rows: &[Vec<Cell>]) -> Response {
    let field = |text: &str| {
        let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let text = text.replace('"', "\"\"");
        format!("\"{}{text}\"", if formula { "'" } else { "" })
    };
    let line = |fields: Vec<String>| fields.join(",") + "\r\n";
    let mut out = line(head.iter().map(|name| field(name)).collect());
    for row in rows {
        out += &line(row.iter().map(|cell| field(&cell.plain())).collect());
    }
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], out).into_response()
}

/// A table as a list of objects.
fn json(head: &[String], rows: &[Vec<Cell>]) -> Response {
    let value = |cell: &Cell| match cell {
        Cell::Number(number) => (*number).into(),
        other => serde_json::Value::from(other.plain()),
    };
    let object = |row: &Vec<Cell>| -> serde_json::Map<String, serde_json::Value> {
        head.iter().cloned().zip(row.iter().map(value)).collect()
    };
    Json(rows.iter().map(object).collect::<Vec<_>>()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use realdid_service::language::message_names;

    /// Every language has the same messages, and the pages' sources use each of them.
    #[test]
    fn every_message_is_there_in_every_language_and_used() {
        let [english, chinese] = FILES.map(message_names);
        assert_eq!(english, chinese);
        let _ = &*TEXTS;
        let sources = [
            include_str!("view.rs"),
            include_str!("blocks.rs"),
            include_str!("dids.rs"),
            include_str!("consortium.rs"),
            include_str!("operations.rs"),
            include_str!("mod.rs"),
            include_str!("../../templates/explorer.html"),
        ]
        .concat();
        // Put together from a prefix and a word of the ledger.
        let prefixes = [
            "kind-",
            "failed-",
            "status-",
            "backing-",
            "role-",
            "decision-",
            "standing-",
            "level-",
        ];
        for name in english {
            let used =
                sources.contains(&format!("\"{name}\"")) || prefixes.iter().any(|p| name.starts_with(p));
            assert!(used, "{name} is not used");
        }
    }

    #[test]
    fn a_formula_in_a_name_is_a_text_in_a_spreadsheet() {
        let rows = [vec![
            Cell::Foreign("=1+1".to_owned()),
            Cell::Foreign("a\"b".to_owned()),
        ]];
        let response = csv(&["name".to_owned(), "x".to_owned()], &rows);
        let body = futures_body(response);
        assert_eq!(body, "\"name\",\"x\"\r\n\"'=1+1\",\"a\"\"b\"\r\n");
    }

    fn futures_body(response: Response) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let bytes = runtime.block_on(axum::body::to_bytes(response.into_body(), 1 << 20));
        String::from_utf8(bytes.expect("a body").to_vec()).expect("text")
    }
}
