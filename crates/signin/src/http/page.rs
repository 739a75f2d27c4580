//! Pages: plain HTML without script.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use realdid_service::Problem;
use realdid_service::language::{Asked, Language, Texts};
use std::sync::LazyLock;

/// What a page may load: its own style sheet, and nothing else.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A page, or the internal error that kept it from being drawn.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => {
            let headers = [
                (header::CONTENT_SECURITY_POLICY, POLICY),
                (header::VARY, "accept-language"),
            ];
            (status, headers, Html(html)).into_response()
        }
        Err(error) => Problem::internal(&error).into_response(),
    }
}

/// The messages of the pages.
const FILES: [&str; 2] = [
    include_str!("../../../../web/locales/en/signin.ftl"),
    include_str!("../../../../web/locales/zh-CN/signin.ftl"),
];
static TEXTS: LazyLock<Texts> = LazyLock::new(|| Texts::new(FILES));

/// A page's messages, in the visitor's language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words(pub(super) Asked);

impl Words {
    pub(super) fn t(&self, id: &str) -> String {
        TEXTS.text(self.0.language, id, &[])
    }

    /// A message with one value.
    pub(super) fn with(&self, id: &str, name: &str, value: &str) -> String {
        TEXTS.text(self.0.language, id, &[(name, value)])
    }

    /// A message with a website's name.
    pub(super) fn named(&self, id: &str, name: &str) -> String {
        self.with(id, "name", name)
    }

    pub(super) fn tag(&self) -> &'static str {
        self.0.language.tag()
    }

    pub(super) fn others(&self) -> impl Iterator<Item = Language> {
        let here = self.0.language;
        Language::ALL
            .into_iter()
            .filter(move |language| *language != here)
    }

    /// This page again, in the language that its address names, with a parameter without a value.
    pub(super) fn here(&self, parameter: &str) -> String {
        match (self.0.named, parameter) {
            (true, "") => format!("?lang={}", self.tag()),
            (true, _) => format!("?{parameter}&lang={}", self.tag()),
            (false, _) => format!("?{parameter}"),
        }
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    words: Words,
    detail: &'a str,
    hint: &'a str,
    code: &'a str,
    request_id: &'a str,
}

/// A page that says what went wrong and what to do.
pub(super) fn error(asked: Asked, status: StatusCode, code: &str, detail: &str, hint: &str) -> Response {
    let request_id = realdid_service::problem::request_id();
    page(
        status,
        &ErrorPage {
            words: Words(asked),
            detail,
            hint: &Words(asked).t(hint),
            code,
            request_id: &request_id,
        },
    )
}

#[derive(Template)]
#[template(path = "front.html")]
struct FrontPage {
    words: Words,
}

/// `GET /`
pub(super) async fn front(asked: Asked) -> Response {
    page(StatusCode::OK, &FrontPage { words: Words(asked) })
}

/// `GET /style.css`
pub(super) async fn style() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, include_str!("../../templates/style.css"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use realdid_service::language::message_names;

    /// Every language has the same messages, and the pages use each of them.
    #[test]
    fn every_message_is_there_in_every_language_and_used() {
        let [english, chinese] = FILES.map(message_names);
        assert_eq!(english, chinese);
        let _ = &*TEXTS;
        let sources = [
            include_str!("page.rs"),
            include_str!("login_page.rs"),
            include_str!("authorize.rs"),
            include_str!("../../templates/front.html"),
            include_str!("../../templates/login.html"),
            include_str!("../../templates/error.html"),
            include_str!("../login.rs"),
        ]
        .concat();
        for name in english {
            // Those of failures are put together from the failure's code.
            let code = name.strip_prefix("failed-").unwrap_or(name);
            let used = [name, code]
                .iter()
                .any(|name| sources.contains(&format!("\"{name}\"")));
            assert!(used, "{name} is not used");
        }
    }
}
