//! Pages for people, which work without a script.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use qrcode::QrCode;
use qrcode::render::svg;

/// What a page may load: its own style and nothing else. Where a form leads is left open, since it
/// ends at the wallet's address.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

/// What a page asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Name and number.
    Person,
    /// The code that was sent.
    Code,
    /// The transaction code of the offer.
    OfferCode,
    /// A yes.
    Consent,
    /// Nothing more can be done here.
    End,
}

/// The page of an authorization or of asking for an offer.
#[derive(Template)]
#[template(path = "identify.html")]
pub(super) struct IdentifyPage<'a> {
    pub(super) issuer: &'a str,
    /// The credentials' names.
    pub(super) credentials: Vec<String>,
    /// Where it will go: a wallet's registered name or its address; empty without a wallet.
    pub(super) wallet: String,
    pub(super) step: Step,
    /// What went wrong.
    pub(super) problem: &'a str,
    /// Where the form goes.
    pub(super) action: &'a str,
    /// Which page it is, of those that may be open in a browser; empty if there is but one.
    pub(super) page: &'a str,
}

impl IdentifyPage<'_> {
    /// Whether there is a wallet to tell that the person does not want to.
    fn can_cancel(&self) -> bool {
        !self.wallet.is_empty() && self.step != Step::End
    }
}

/// The page with an offer.
#[derive(Template)]
#[template(path = "offer.html")]
pub(super) struct OfferPage<'a> {
    pub(super) issuer: &'a str,
    pub(super) link: String,
    pub(super) qr: String,
    pub(super) minutes: u64,
}

pub(super) fn render(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => {
            let headers = [
                (header::CONTENT_SECURITY_POLICY, POLICY),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (status, headers, Html(html)).into_response()
        }
        Err(error) => realdid_service::Problem::internal(&error).into_response(),
    }
}

/// A QR code as SVG; empty if the text is too long for one.
pub(super) fn qr(text: &str) -> String {
    QrCode::new(text).map_or_else(
        |_| String::new(),
        |code| code.render::<svg::Color<'_>>().min_dimensions(240, 240).build(),
    )
}

/// A text of somebody else's, with whatever could hide or reorder what stands beside it taken out.
pub(super) fn plain(text: &str) -> String {
    let hides = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    text.chars().filter(|c| !hides(*c)).take(200).collect()
}
