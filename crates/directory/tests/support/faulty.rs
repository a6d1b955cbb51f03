// SPDX-License-Identifier: MIT OR Apache-2.0
//! A client of little patience, and servers that fail at the search.

use super::fake::{Fake, Peer, Request, result};
use super::{CANARY, Client};
use saslplug::Code;
use std::time::{Duration, Instant};

/// A client that waits two seconds at most; `anonymous` has no account.
pub(crate) fn client(uri: &str, anonymous: bool) -> Client {
    let mut options = vec![
        ("ldapdb_uri", uri),
        ("ldapdb_filter", "(mail=%u)"),
        ("ldapdb_max_wait", "2"),
        ("ldapdb_timeout", "1"),
        ("ldapdb_connect_timeout", "1"),
    ];
    if !anonymous {
        options.extend([
            ("ldapdb_bind_dn", "cn=cyrus,ou=machines"),
            ("ldapdb_bind_pw", CANARY),
        ]);
    }
    Client::new(&options)
}

/// The login fails with `code` and exactly one ERR line, which has all `words`.
pub(crate) fn fails(client: &Client, code: Code, words: &[&str]) {
    let start = Instant::now();
    assert_eq!(client.verify("jdoe@example.com", "dogood"), Err(code));
    assert!(
        start.elapsed() < Duration::from_millis(3500),
        "it took {:?}",
        start.elapsed()
    );
    let errors = client.lines.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    for word in words {
        assert!(errors[0].contains(word), "{word} is not in {errors:?}");
    }
}

/// A server that takes the service account and answers the search with `script`.
pub(crate) fn searching(script: impl Fn(&mut Peer, u8) + Send + Sync + 'static) -> Fake {
    Fake::start(move |peer| {
        while let Some((id, request)) = peer.request() {
            match request {
                Request::Bind { .. } => peer.send(&result(id, 1, 0, "")),
                Request::Search { .. } => script(peer, id),
                _ => return,
            }
        }
    })
}

/// Who is looked for.
pub(crate) const DN: &str = "cn=johndoe,ou=superheros,ou=users,dc=users,dc=local";
