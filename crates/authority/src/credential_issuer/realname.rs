//! The real-name credential: what every authority gives, out of its register.

use std::collections::BTreeMap;

use realdid_crypto::KeyType;

use super::REALNAME_VCT;
use super::types::{ClaimKind, ClaimRule, Form, MAX_COPY_DAYS, TypeConfig};

/// Name of the configuration.
pub const REALNAME_ID: &str = "realname";
/// Name of the same signed by SM2, for parts of our own.
pub const REALNAME_SM2_ID: &str = "realname_sm2";
/// Ages that a holder can be older than.
const AGES: [u32; 5] = [14, 16, 18, 21, 65];

/// The configurations of an authority that names none: one-time copies by everybody's signature, and
/// the same by SM2 with SM3.
#[must_use]
pub fn default_types() -> Vec<TypeConfig> {
    vec![
        realname(REALNAME_ID, KeyType::P256),
        realname(REALNAME_SM2_ID, KeyType::Sm2),
    ]
}

fn realname(id: &str, key: KeyType) -> TypeConfig {
    TypeConfig {
        id: id.to_owned(),
        vct: REALNAME_VCT.to_owned(),
        name: "Real name".to_owned(),
        names: in_chinese("实名凭证"),
        description: "Who somebody is, as the population register has it, in copies to be shown once each"
            .to_owned(),
        form: Form::Copies,
        days: MAX_COPY_DAYS,
        batch: 20,
        approval: false,
        algorithm: key.jose_algorithm().to_owned(),
        schema: None,
        metadata: Vec::new(),
        source: None,
        claims: claims(),
    }
}

fn in_chinese(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("zh".to_owned(), name.to_owned())])
}

fn claims() -> Vec<ClaimRule> {
    let claim = |name: &str, title: &str, chinese: &str| ClaimRule {
        name: name.to_owned(),
        title: title.to_owned(),
        titles: in_chinese(chinese),
        kind: ClaimKind::Text,
        column: None,
        years: 0,
        always: false,
        optional: false,
    };
    let mut claims = vec![
        claim("name", "Name", "姓名"),
        ClaimRule {
            optional: true,
            ..claim("given_name", "Given name", "名")
        },
        ClaimRule {
            optional: true,
            ..claim("family_name", "Family name", "姓")
        },
        ClaimRule {
            kind: ClaimKind::Date,
            column: Some("birth_date".to_owned()),
            ..claim("birthdate", "Date of birth", "出生日期")
        },
    ];
    claims.extend(AGES.map(|years| ClaimRule {
        kind: ClaimKind::AgeOver,
        column: Some("birth_date".to_owned()),
        years,
        ..claim(
            &format!("age_over_{years}"),
            &format!("{years} or older"),
            &format!("年满{years}周岁"),
        )
    }));
    claims.push(claim("nationality", "Nationality", "国籍"));
    claims.push(claim("level", "How thoroughly it was verified", "核验等级"));
    claims
}
