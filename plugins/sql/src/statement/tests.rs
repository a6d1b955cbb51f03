// SPDX-License-Identifier: MIT OR Apache-2.0
//! Statements in stock's form and in hostile ones.
#![forbid(unsafe_code)]

use super::*;

fn made(text: &str, dialect: Dialect) -> (String, Vec<Option<String>>) {
    let template = Template::parse(text, dialect).unwrap();
    let text = template.for_property("userPassword").unwrap();
    let secret = Secret::from(&b"x'y"[..]);
    let values = Values {
        user: b"o'al",
        realm: b"r",
        property: "userPassword",
        value: Some(&secret),
    };
    let shown = |value: Parameter| value.map(|value| String::from_utf8(value.to_vec()).unwrap());
    (
        text.text.clone(),
        text.bind(&values).into_iter().map(shown).collect(),
    )
}

#[test]
fn quoted_placeholders_become_parameters() {
    let stock = "SELECT %p FROM users WHERE username = '%u' AND realm = '%r';";
    let (text, values) = made(stock, Dialect::Marked);
    assert_eq!(
        text,
        "SELECT userPassword FROM users WHERE username = ? AND realm = ?"
    );
    assert_eq!(values, [Some("o'al".into()), Some("r".into())]);
    let (text, _) = made(stock, Dialect::Numbered);
    assert_eq!(
        text,
        "SELECT userPassword FROM users WHERE username = $1 AND realm = $2"
    );
    let (text, values) = made(
        "update t set v='%v' where a like '%u@%r%%' and b=%u -- '%u'",
        Dialect::Marked,
    );
    assert_eq!(text.trim_end(), "update t set v=? where a like ? and b=?");
    assert_eq!(
        values,
        [
            Some("x'y".into()),
            Some("o'al@r%".into()),
            Some("o'al".into())
        ]
    );
}

#[test]
fn other_text_stays() {
    let (text, values) = made(
        "select 'it''s', \"a\", '5%%' from t where u='%u' and x%2=0",
        Dialect::Marked,
    );
    assert_eq!(
        text,
        "select 'it''s', \"a\", '5%' from t where u=? and x%2=0"
    );
    assert_eq!(values.len(), 1);
    let (text, values) = made(r"select 'a\'b' from t where u='\'%u'", Dialect::Backslash);
    assert_eq!(text, r"select 'a\'b' from t where u=?");
    assert_eq!(values, [Some("'o'al".into())]);
    assert!(Template::parse("select 'x", Dialect::Marked).is_err());
    assert!(
        Template::parse("select \"%u\"", Dialect::Numbered)
            .unwrap_err()
            .contains("%u")
    );
    assert_eq!(
        made("select p from t where u=\"%u\"", Dialect::Backslash).0,
        "select p from t where u=?"
    );
}

#[test]
fn one_statement_for_all_columns_where_that_is_possible() {
    let template = Template::parse("SELECT %p FROM t WHERE u='%u'", Dialect::Marked).unwrap();
    let all = template.columns(&["userPassword", "mail"]).unwrap();
    assert_eq!(all.text, "SELECT userPassword, mail FROM t WHERE u=?");
    assert!(template.columns(&["userPassword", "a-b"]).is_none());
    assert!(template.for_property("a; drop table t").is_none());
    for other in [
        "SELECT max(%p) FROM t",
        "SELECT v FROM t WHERE n='%p'",
        "SELECT %p FROM t WHERE n='%p'",
    ] {
        assert!(
            Template::parse(other, Dialect::Marked)
                .unwrap()
                .columns(&["a", "b"])
                .is_none(),
            "{other}"
        );
    }
}

#[test]
fn a_value_that_is_removed_is_null() {
    let template = Template::parse("UPDATE t SET p='%v' WHERE u='%u'", Dialect::Marked).unwrap();
    let values = Values {
        user: b"al",
        realm: b"",
        property: "p",
        value: None,
    };
    let bound = template.for_property("p").unwrap().bind(&values);
    assert!(bound[0].is_none() && bound[1].is_some());
}
