//! The explorer's pages: every link leads somewhere, in both languages, and nothing that somebody else chose gets
//! into a page as more than a text.

use std::collections::{BTreeSet, VecDeque};

use realdid_crypto::Hash;
use realdid_ledger::{GovernanceAction, GovernanceOperation, Right, Role};

use crate::support::{Holder, TestNetwork, TestNode};

const NAME: &str = "<script>alert('1')</script> \"&";
const ESCAPED: &str = "<bdi>&#60;script&#62;alert(&#39;1&#39;)&#60;/script&#62; &#34;&#38;</bdi>";
/// Most pages that are visited: blocks go on and on.
const PAGES: usize = 150;

/// A node with an organisation of a malicious name that has rights.
async fn world() -> (TestNetwork, TestNode, Holder) {
    let network = TestNetwork::new();
    let node = network.start_with_sponsor().await;
    let holder = network.holder("police");
    node.publish(&network.publication(&holder)).await;
    let did = holder.did().hash;
    let actions = [
        GovernanceAction::Accredit {
            did,
            role: Role::Issuer,
            name: NAME.to_owned(),
        },
        GovernanceAction::GrantRight {
            right: Right::to_issue(did, "https://issuer.example/vct/licence"),
            detail: Hash::ZERO,
        },
    ];
    for (sequence, action) in (0..).zip(actions) {
        let operation = GovernanceOperation { sequence, action };
        let signed = operation.sign(&network.charter.hash(), &[(0, network.sponsor.assertion_key())]);
        let (status, answer) = node.submit(&signed, "?wait=finalized").await;
        assert_eq!((status, answer["status"].as_str()), (200, Some("finalized")));
    }
    (network, node, holder)
}

/// Status, content security policy and text of a page.
async fn page(node: &TestNode, path: &str, language: &str) -> (u16, String, String) {
    let request = node.http.get(format!("{}{path}", node.url));
    let response = request.header("accept-language", language).send().await.unwrap();
    let policy = response.headers().get("content-security-policy");
    let policy = policy.map_or("", |policy| policy.to_str().unwrap()).to_owned();
    (response.status().as_u16(), policy, response.text().await.unwrap())
}

/// The addresses that a page links to.
fn links(page: &str) -> impl Iterator<Item = String> {
    let parts = page.split("href=\"").skip(1);
    parts.filter_map(|part| {
        Some(
            part.split_once('"')?
                .0
                .replace("&#38;", "&")
                .replace("&amp;", "&"),
        )
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_link_leads_somewhere_in_both_languages() {
    let (_network, node, holder) = world().await;
    for (header, tag, word) in [("en-GB", "en", "Overview"), ("zh-TW,en;q=0.1", "zh-CN", "概览")] {
        let mut seen = BTreeSet::from(["/".to_owned()]);
        let mut waiting = VecDeque::from(["/".to_owned()]);
        let mut read = 0;
        while let Some(path) = waiting.pop_front() {
            let (status, policy, text) = page(&node, &path, header).await;
            // The block after the newest one.
            assert!(
                status == 200 || status == 404 && path.starts_with("/blocks/"),
                "{path}: {status}"
            );
            if !text.starts_with("<!doctype html>") {
                continue;
            }
            read += 1;
            assert!(policy.contains("default-src 'none'"), "{path}");
            let shown = if path.contains("lang=en") { "en" } else { tag };
            let shown = if path.contains("lang=zh-CN") {
                "zh-CN"
            } else {
                shown
            };
            assert!(text.contains(&format!("<html lang=\"{shown}\">")), "{path}");
            assert!(!text.contains("<script"), "{path}");
            for link in links(&text) {
                assert!(link.starts_with(['/', '#']), "{path} leads to {link}");
                if link.starts_with('/') && seen.len() < PAGES && seen.insert(link.clone()) {
                    waiting.push_back(link);
                }
            }
            assert!(shown != tag || text.contains(word), "{path}");
        }
        assert!(read > 20, "{read} pages");
        for wanted in [
            format!("/dids/{}", holder.did()),
            "/governance".to_owned(),
            "/organisations".to_owned(),
        ] {
            assert!(seen.contains(&wanted), "nothing leads to {wanted}");
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_chose_is_shown_as_text_and_found() {
    let (_network, node, holder) = world().await;
    let did = holder.did().to_string();
    let (_, _, organisations) = page(&node, "/organisations", "en").await;
    assert!(organisations.contains(ESCAPED), "{organisations}");
    let (_, _, shown) = page(&node, &format!("/dids/{did}"), "en").await;
    assert!(shown.contains(ESCAPED) && shown.contains("may issue") && shown.contains("in force"));

    let request = node.http.get(format!("{}/organisations?as=csv", node.url));
    let csv = request.send().await.unwrap();
    assert_eq!(csv.headers()["content-type"], "text/csv; charset=utf-8");
    let csv = csv.text().await.unwrap();
    assert!(
        csv.contains(&format!("\"{}\"", NAME.replace('"', "\"\""))),
        "{csv}"
    );
    let (status, list) = node.get("/organisations?as=json").await;
    assert_eq!(status, 200);
    assert!(
        list.as_array()
            .unwrap()
            .iter()
            .any(|row| row["DID"] == did.as_str()),
        "{list}"
    );

    for (wanted, found) in [
        (did.as_str(), format!("/dids/{did}")),
        (&holder.did().hash.to_hex(), format!("/dids/{did}")),
        ("alert('1')", format!("/dids/{did}")),
        ("1", "/blocks/1".to_owned()),
    ] {
        let request = node
            .http
            .get(format!("{}/search", node.url))
            .query(&[("q", wanted), ("lang", "zh-CN")]);
        let answer = request.send().await.unwrap();
        assert_eq!(
            answer.headers()["location"],
            format!("{found}?lang=zh-CN"),
            "{wanted}"
        );
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_there_is_not_is_told_with_what_to_do() {
    let network = TestNetwork::new();
    let node = network.start().await;
    let absent = network.holder("nobody").did();
    let long = "x".repeat(5_000);
    for (path, code) in [
        ("/blocks/999999".to_owned(), "block_not_found"),
        ("/blocks/x".to_owned(), "block_not_found"),
        ("/dids/nonsense".to_owned(), "invalid_did"),
        (format!("/dids/{absent}"), "not_published"),
        (format!("/operations/{}", "0".repeat(64)), "operation_not_found"),
        ("/search?q=%3Cscript%3E".to_owned(), "nothing_found"),
        ("/search".to_owned(), "nothing_found"),
        (format!("/search?q={long}"), "nothing_found"),
    ] {
        let (status, _, text) = page(&node, &path, "en").await;
        assert!(status == 404 || status == 400, "{path}: {status}");
        assert!(text.contains(&format!("<code>{code}</code>")), "{path}: {text}");
        assert!(!text.contains("<script"), "{path}");
    }
    node.stop().await;
}
