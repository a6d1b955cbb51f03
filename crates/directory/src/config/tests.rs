// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of the options: what holds, what is refused, in which words.

use super::*;

fn read(options: &[(&str, &str)]) -> Result<Config, Fault> {
    read_with(options, &[])
}

/// Reads options on a machine with these files.
fn read_with(options: &[(&str, &str)], files: &[(&str, &str)]) -> Result<Config, Fault> {
    let get = |list: &[(&str, &str)], name: &str| {
        let found = list.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let around = Surroundings {
        variable: &|_| None,
        file: &|path| get(files, path),
        privileged: false,
    };
    Config::read_in(&|name| get(options, name), &around)
}

const URI: (&str, &str) = ("ldapdb_uri", "ldap://glauth:3893/dc=users,dc=local");

#[test]
fn the_eight_lines() {
    let config = read(&[
        URI,
        ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
        ("ldapdb_bind_pw", "cyrus"),
        ("ldapdb_filter", "(mail=%u)"),
        ("ldapdb_canon_attr", "mail"),
    ])
    .unwrap();
    assert_eq!(config.lookup, Lookup::Search);
    assert_eq!(config.verify, VerifyBy::Auto);
    assert_eq!(config.servers[0].base.as_deref(), Some("dc=users,dc=local"));
    assert!(config.warnings.is_empty());
    assert!(!format!("{config:?}").contains("\"cyrus\""));
}

#[test]
fn the_flow_is_chosen() {
    let lookup = |options: &[(&str, &str)]| read(options).unwrap().lookup;
    assert_eq!(lookup(&[URI]), Lookup::Proxy);
    let (id, password) = (("ldapdb_id", "cyrus"), ("ldapdb_pw", "x"));
    let digest = ("ldapdb_mech", "DIGEST-MD5");
    assert_eq!(lookup(&[URI, id, password, digest]), Lookup::Proxy);
    let filter = ("ldapdb_filter", "(uid=%u)");
    assert_eq!(lookup(&[URI, id, password, digest, filter]), Lookup::Search);
    assert_eq!(
        lookup(&[URI, ("ldapdb_lookup", "proxy"), filter]),
        Lookup::Proxy
    );
    // What the URI says beside the server is for searches.
    let uri = ("ldapdb_uri", "ldap://a/dc=x??sub?(cn=nobody)");
    assert_eq!(lookup(&[uri, id, password]), Lookup::Proxy);
    let template = ("ldapdb_user_dn", "uid=%U,ou=people");
    assert_eq!(read(&[URI, template]).unwrap().lookup, Lookup::None);
    let both = read(&[URI, template, ("ldapdb_filter", "(uid=%u)")]).unwrap();
    assert_eq!(both.lookup, Lookup::Search);
    assert_eq!(
        read(&[URI, ("ldapdb_user_dn", "%D")]).unwrap().user_dn,
        None
    );
}

#[test]
fn simple_is_a_mechanism() {
    let options = [
        URI,
        ("ldapdb_mech", "simple"),
        ("ldapdb_id", "cn=c"),
        ("ldapdb_pw", "x"),
    ];
    assert_eq!(read(&options).unwrap().account.unwrap().shown(), "cn=c");
}

#[test]
fn the_filter_comes_from_the_nearest_place() {
    let text = |options: &[(&str, &str)]| {
        let options = &[options, &[("ldapdb_lookup", "search")]].concat();
        let login = crate::template::Login {
            user: "u",
            ..Default::default()
        };
        read(options).unwrap().filters[0].text(&login)
    };
    let uri = ("ldapdb_uri", "ldap://a/dc=x??sub?(cn=%25u)");
    assert_eq!(text(&[URI]), "(uid=u)");
    assert_eq!(
        text(&[URI, ("ldapdb_canon_attr", "mail")]),
        "(|(uid=u)(mail=u))"
    );
    assert_eq!(text(&[uri]), "(cn=u)");
    assert_eq!(text(&[uri, ("ldapdb_filter", "(mail=%u)")]), "(mail=u)");
}

#[test]
fn mistakes_have_their_lines() {
    let id = ("ldapdb_id", "cn=cyrus,ou=machines");
    let bind = ("ldapdb_bind_dn", "cn=c");
    for (options, number, says) in [
        (&[][..], 1, "ldapdb_uri is not set"),
        (&[("ldapdb_uri", "glauth")], 3, "is not an LDAP URL"),
        (&[URI, id], 6, "looks like a DN"),
        (&[URI, id, ("ldapdb_mech", "PLAIN")], 6, "looks like a DN"),
        (&[URI, ("ldapdb_mech", "PLAIN")], 9, "PLAIN needs ldapdb_id"),
        (
            &[URI, ("ldapdb_mech", "PLAIN"), ("ldapdb_id", "cyrus")],
            9,
            "PLAIN needs ldapdb_pw",
        ),
        (
            &[URI, ("ldapdb_mech", "PLAYN")],
            9,
            "\"PLAYN\" is not one of SIMPLE, ",
        ),
        (
            &[URI, ("ldapdb_secprops", "noplain,minsf=1")],
            9,
            "\"minsf=1\" is not known",
        ),
        (&[("ldapdb_uri", "ldaps+srv:///o=x")], 3, "needs a domain"),
        (
            &[URI, ("ldapdb_starttls", "yes")],
            9,
            "\"yes\" is not one of no, off, false, 0, try, demand",
        ),
        (
            &[URI, ("ldapdb_attr_map", "a=b c")],
            9,
            "\"c\" is not property=attribute",
        ),
        (
            &[URI, ("ldapdb_attr_map", "userPassword=x")],
            9,
            "set ldapdb_password_attr",
        ),
        (
            &[URI, ("ldapdb_hashes", "SSHA {NTLM}")],
            9,
            "\"NTLM\" is not one of all, none, SSHA",
        ),
        (&[URI, ("ldapdb_require", "(memberOf=")], 9, "is no filter"),
        (
            &[URI, ("ldapdb_negative_ttl", "-1")],
            9,
            "\"-1\" is not 0 to 1000",
        ),
        (
            &[URI, ("ldapdb_tls_key", "/k.pem")],
            9,
            "set ldapdb_tls_cert",
        ),
        (
            &[URI, ("ldapdb_store", "as")],
            9,
            "\"as\" is not one of modify, exop, ad, no",
        ),
        (&[URI, bind], 9, "needs ldapdb_bind_pw"),
        (
            &[URI, ("ldapdb_group_attr", "member")],
            9,
            "no ldapdb_group_dn",
        ),
        (&[URI, ("ldapdb_group_dn", "staff")], 9, "is not a DN"),
        (
            &[URI, ("ldapdb_user_mech", "PLAYN")],
            9,
            "is not one of SIMPLE",
        ),
        (&[URI, ("ldapdb_user_mech", "EXTERNAL")], 9, "takes no name"),
        (
            &[
                URI,
                ("ldapdb_lookup", "search"),
                ("ldapdb_user_mech", "PLAIN"),
            ],
            9,
            "ldapdb_canon_attr",
        ),
        (
            &[
                URI,
                ("ldapdb_user_dn", "uid=%U"),
                ("ldapdb_group_dn", "cn=staff"),
            ],
            9,
            "an entry must be found",
        ),
        (&[URI, ("ldapdb_ppolicy", "maybe")], 9, "is not one of auto"),
        (
            &[URI, ("ldapdb_pw", "x"), ("ldapdb_lookup", "search")],
            9,
            "ldapdb_bind_dn is not set",
        ),
        (
            &[URI, ("ldapdb_scope", "tree")],
            9,
            "\"tree\" is not one of sub, one, base",
        ),
        (
            &[URI, ("ldapdb_timeout", "0")],
            9,
            "\"0\" is not 1 to 86400",
        ),
        (
            &[URI, ("ldapdb_debug", "maybe")],
            9,
            "\"maybe\" is not one of yes",
        ),
        (&[URI, ("ldapdb_filter", "(mail=%u")], 9, "is no filter"),
        (&[URI, ("ldapdb_filter", "(mail=x)")], 9, "finds everybody"),
        (
            &[URI, ("ldapdb_filter", "(mail=%q)")],
            9,
            "%q is no variable",
        ),
        (
            &[("ldapdb_uri", "ldap://a"), ("ldapdb_filter", "(uid=%u)")],
            9,
            "no search base",
        ),
        (&[URI, ("ldapdb_lookup", "none")], 9, "needs a template"),
        (&[URI, ("ldapdb_user_dn", "cn=admin")], 9, "no variable"),
        (
            &[URI, ("ldapdb_lookup", "search"), ("ldapdb_user_dn", "%u@x")],
            9,
            "ldapdb_canon_attr",
        ),
        (&[URI, ("ldapdb_user_dn", "%u@x")], 9, "only a DN"),
    ] {
        let fault = read(options).unwrap_err();
        assert_eq!(fault.number(), number, "{fault}");
        assert!(fault.to_string().contains(says), "{fault}");
    }
}

#[test]
fn every_option_of_a_later_version_is_refused_by_name() {
    let available = [
        "uri",
        "id",
        "pw",
        "canon_attr",
        "bind_dn",
        "bind_pw",
        "pw_file",
        "dn_complete",
        "cleartext",
        "starttls",
        "mech",
        "realm",
        "authz_id",
        "secprops",
        "lookup",
        "balance",
        "store",
        "rc",
        "ldapconf",
        "require",
        "hashes",
        "attr_map",
        "negative_ttl",
        "cache_ttl",
        "ppolicy",
        "group_dn",
        "group_attr",
        "user_mech",
        "tls_cacert_file",
        "tls_cacert_dir",
        "tls_cert",
        "tls_key",
        "tls_check_peer",
        "tls_name",
        "connect_timeout",
        "timeout",
        "max_wait",
        "retry_after",
        "pool",
        "idle_timeout",
        "search_base",
        "base",
        "scope",
        "filter",
        "default_realm",
        "verify",
        "user_dn",
        "password_attr",
        "debug",
    ];
    for name in Config::option_names() {
        if available
            .iter()
            .any(|option| name == format!("ldapdb_{option}"))
        {
            continue;
        }
        let fault = read(&[URI, (name, "future")]).unwrap_err();
        assert_eq!(fault.number(), 8, "{fault}");
        assert!(fault.to_string().contains(name), "{fault}");
    }
}

#[test]
fn passwords_are_not_in_debug_output() {
    let config = read(&[
        URI,
        ("ldapdb_bind_dn", "cn=c"),
        ("ldapdb_bind_pw", "Kanari9"),
    ])
    .unwrap();
    assert!(!format!("{config:?}").contains("Kanari9"));
}

#[test]
fn files_of_libldap_stand_in() {
    let files = [
        (
            "/rc",
            "SASL_AUTHCID other\nSASL_MECH CRAM-MD5\nTLS_REQCERT never\nTIMEOUT 3\nBASE dc=rc\n",
        ),
        ("/etc/ldap/ldap.conf", "BASE dc=conf\nTLS_CACERT /ca.pem\n"),
    ];
    let server = ("ldapdb_uri", "ldap://a");
    let (rc, password) = (("ldapdb_rc", "/rc"), ("ldapdb_pw", "x"));
    let config = read_with(&[server, rc, password], &files).unwrap();
    assert_eq!(config.lookup, Lookup::Proxy);
    let Some(Account::Sasl(account)) = &config.account else {
        panic!("{:?}", config.account)
    };
    assert_eq!(account.id.as_deref(), Some("other"));
    assert_eq!(account.mechs, ["CRAM-MD5"]);
    assert!(!config.tls.check_peer);
    assert_eq!(config.tls.ca_file.as_deref(), Some("/ca.pem"));
    assert_eq!(config.timeout, Duration::from_secs(3));
    // An option wins.
    let options = [
        server,
        rc,
        password,
        ("ldapdb_id", "mine"),
        ("ldapdb_timeout", "9"),
    ];
    let config = read_with(&options, &files).unwrap();
    assert_eq!(config.account.unwrap().shown(), "mine");
    assert_eq!(config.timeout, Duration::from_secs(9));
    // A base does not make it search, but serves a search.
    let filter = ("ldapdb_filter", "(uid=%u)");
    let config = read_with(&[server, filter], &files).unwrap();
    assert_eq!(config.default_base.as_deref(), Some("dc=conf"));
    assert!(config.account.is_none());
    let fault = read_with(&[server, filter, ("ldapdb_ldapconf", "no")], &files).unwrap_err();
    assert!(fault.to_string().contains("no search base"), "{fault}");
    let config = read_with(&[server, ("ldapdb_rc", "none")], &files).unwrap();
    assert!(
        config.warnings[0].to_string().contains("$HOME/.none"),
        "{:?}",
        config.warnings
    );
}
