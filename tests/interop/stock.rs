// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stock libsasl2 and this library, each as server and as client, with every
//! mechanism that the distribution has (Kerberos apart).

use crate::case::{self, Case, Refusal, text};
use crate::pair::Pair;
use crate::table::{self, Cell, failed};
use lab::library::Library;
use lab::party::faithful;
use lab::stage::sources;
use std::fs;

/// Alice acts for bob where the server's policy lets her.
const fn proxy(name: &'static str, mech: &'static str) -> Case {
    Case {
        name,
        server: &["policy=1"],
        client: &["authzid=bob"],
        user: "bob",
        ..Case::of(mech)
    }
}

/// So much data fills several packets of this size.
const PACKETS: &[&str] = &["data=20000", "buf=4096"];

/// A protection of DIGEST-MD5, with data in several packets.
const fn layer(
    name: &'static str,
    both: &'static [&'static str],
    ssf: u32,
    says: &'static str,
) -> Case {
    Case {
        name,
        both,
        server: PACKETS,
        client: PACKETS,
        ssf,
        says,
        ..Case::of("DIGEST-MD5")
    }
}

/// Lets a server take a login that builds on an earlier one.
const RENEW: &str = "opt:reauth_timeout=10";

const LAYERS: [Case; 8] = [
    layer("DIGEST-MD5 auth", &["max=0"], 0, "qop=auth"),
    layer("DIGEST-MD5 auth-int", &["max=1"], 1, "qop=auth-int"),
    layer(
        "DIGEST-MD5 auth-conf rc4-40",
        &["min=40", "max=40"],
        40,
        "cipher=rc4-40",
    ),
    layer(
        "DIGEST-MD5 auth-conf des",
        &["min=55", "max=55"],
        55,
        "cipher=des",
    ),
    layer(
        "DIGEST-MD5 auth-conf rc4-56",
        &["min=56", "max=56"],
        56,
        "cipher=rc4-56",
    ),
    // OpenSSL 3 does not give it to stock, which offers it all the same.
    Case {
        partner_cannot: true,
        ..layer(
            "DIGEST-MD5 auth-conf 3des",
            &["min=112", "max=112"],
            112,
            "cipher=3des",
        )
    },
    layer(
        "DIGEST-MD5 auth-conf rc4",
        &["min=128", "max=128"],
        128,
        "cipher=rc4",
    ),
    Case {
        client: &["data=20000", "buf=700"],
        ..layer(
            "DIGEST-MD5 rc4, unequal buffers",
            &["min=128"],
            128,
            "maxbuf=700",
        )
    },
];

/// Three logins of one client in one process; the server may let it renew.
const THRICE: [Case; 2] = [
    Case {
        server: &["times=3", "data=2000"],
        client: &["times=3", "data=2000"],
        ..layer("DIGEST-MD5 thrice", &["max=1"], 1, "qop=auth-int")
    },
    Case {
        server: &["times=3", "data=2000", RENEW],
        client: &["times=3", "data=2000"],
        ..layer("DIGEST-MD5 renewed", &["max=1"], 1, "qop=auth-int")
    },
];

const OTHERS: [Case; 38] = [
    Case::of("PLAIN"),
    proxy("PLAIN for another", "PLAIN"),
    Case::beyond("PLAIN beyond ASCII", "PLAIN"),
    Case::of("LOGIN"),
    Case::beyond("LOGIN beyond ASCII", "LOGIN"),
    case::ANONYMOUS,
    Case {
        both: &["extid=alice", "ext=56"],
        refusal: Refusal::Words {
            server: &["extid=mallory"],
            client: &["authzid=alice"],
        },
        ..Case::of("EXTERNAL")
    },
    Case {
        both: &["extid=alice", "ext=56"],
        refusal: Refusal::Words {
            server: &["policy="],
            client: &["authzid=nobody"],
        },
        ..proxy("EXTERNAL for another", "EXTERNAL")
    },
    Case::of("CRAM-MD5"),
    Case::beyond("CRAM-MD5 beyond ASCII", "CRAM-MD5"),
    Case {
        both: &["max=0"],
        ..proxy("DIGEST-MD5 for another", "DIGEST-MD5")
    },
    Case {
        both: &["max=0"],
        ..Case::beyond("DIGEST-MD5 beyond ASCII", "DIGEST-MD5")
    },
    Case {
        both: &["flags=0", "max=0"],
        name: "DIGEST-MD5 without success data",
        ..Case::of("DIGEST-MD5")
    },
    Case::of("SCRAM-SHA-1"),
    Case::of("SCRAM-SHA-224"),
    Case::of("SCRAM-SHA-256"),
    Case::of("SCRAM-SHA-384"),
    Case::of("SCRAM-SHA-512"),
    Case::bound("SCRAM-SHA-1-PLUS"),
    Case::bound("SCRAM-SHA-224-PLUS"),
    Case::bound("SCRAM-SHA-256-PLUS"),
    Case::bound("SCRAM-SHA-384-PLUS"),
    Case::bound("SCRAM-SHA-512-PLUS"),
    proxy("SCRAM-SHA-1 for another", "SCRAM-SHA-1"),
    proxy("SCRAM-SHA-256 for another", "SCRAM-SHA-256"),
    Case::beyond("SCRAM-SHA-1 beyond ASCII", "SCRAM-SHA-1"),
    Case::beyond("SCRAM-SHA-256 beyond ASCII", "SCRAM-SHA-256"),
    Case {
        name: "SCRAM-SHA-256, more rounds",
        server: &["opt:scram_iteration_counter=20000"],
        says: "i=20000",
        ..Case::of("SCRAM-SHA-256")
    },
    Case {
        name: "SCRAM-SHA-256, binding unused",
        client: case::BOUND,
        says: "n,,n=alice",
        ..Case::of("SCRAM-SHA-256")
    },
    Case {
        name: "SCRAM-SHA-256 without success data",
        both: &["flags=0"],
        ..Case::of("SCRAM-SHA-256")
    },
    Case::of("NTLM"),
    Case {
        name: "NTLM, version 2",
        client: &["opt:ntlm_v2=yes"],
        ..Case::of("NTLM")
    },
    Case {
        name: "SCRAM-SHA-1 without success data",
        both: &["flags=0"],
        ..Case::of("SCRAM-SHA-1")
    },
    Case::odd("PLAIN, odd letters", "PLAIN"),
    Case::odd("CRAM-MD5, odd letters", "CRAM-MD5"),
    Case::odd("DIGEST-MD5, odd letters", "DIGEST-MD5"),
    Case::odd("SCRAM-SHA-1, odd letters", "SCRAM-SHA-1"),
    Case::odd("SCRAM-SHA-256, odd letters", "SCRAM-SHA-256"),
];

/// A login that must work, and the same made wrong, which must not.
fn try_pair(case: &Case, pair: &Pair) -> Cell {
    let right = pair.talk(&case.right(), &faithful)?;
    if case.partner_cannot && pair.has(Library::Stock) {
        return case.cannot(&right);
    }
    let word = case.agreed(&right)?;
    case.refused(&pair.talk(&case.wrong(), &faithful)?)?;
    Ok(word)
}

fn rows(cases: &[Case]) -> Vec<(String, Case)> {
    cases
        .iter()
        .map(|case| (case.name.to_owned(), *case))
        .collect()
}

#[test]
fn mechanisms() {
    let columns = Pair::all().unwrap();
    table::fill(
        "stock and ours: server <- client",
        &columns,
        &rows(&OTHERS),
        try_pair,
    );
}

#[test]
fn digest_md5_layers() {
    let columns = Pair::all().unwrap();
    table::fill(
        "DIGEST-MD5: server <- client",
        &columns,
        &rows(&LAYERS),
        try_pair,
    );
}

/// Stock's client renews from the second login on, whatever the server permits;
/// this library's client begins anew.
fn try_thrice(case: &Case, pair: &Pair) -> Cell {
    let outcome = pair.talk(&case.right(), &faithful)?;
    case.agreed(&outcome)?;
    let third = |line: &String| text(line).contains("nc=00000003");
    let renewed = outcome.messages.iter().any(third);
    let stock = pair.client.library == Library::Stock;
    if renewed != (stock && case.server.contains(&RENEW)) {
        return failed(format!("renewed: {renewed}: {}", case::told(&outcome)));
    }
    case.refused(&pair.talk(&case.wrong(), &faithful)?)?;
    Ok(if renewed { "ok, renewed" } else { "ok" }.to_owned())
}

#[test]
fn digest_md5_again() {
    let columns = Pair::all().unwrap();
    let title = "DIGEST-MD5 again: server <- client";
    table::fill(title, &columns, &rows(&THRICE), try_thrice);
}

/// So many logins take a chain below 490, where clients ask for a new one.
const LOGINS: usize = 13;

/// A login of a chain of one-time passwords, started anew by the first.
const CHAIN: Case = Case {
    authid: "otto",
    pass: "chain of words",
    user: "otto",
    server: &["opt:mech_list=OTP"],
    says: "ext",
    ..Case::of("OTP")
};

/// The response "hex:…" as six words (RFC 2289); other lines as they are.
fn in_words(_: usize, line: String) -> String {
    let said = text(&line);
    let Some(digits) = said.strip_prefix("hex:") else {
        return line;
    };
    let digits: String = digits.split_whitespace().collect();
    let value = u64::from_str_radix(&digits, 16).unwrap();
    let parity = (0..32).map(|at| value >> (2 * at) & 3).sum::<u64>() & 3;
    let bits = u128::from(value) << 2 | u128::from(parity);
    let list = fs::read_to_string(sources().join("crates/mech/src/otp/words.txt")).unwrap();
    let list: Vec<&str> = list.split_whitespace().collect();
    let word = |at: u32| list[usize::try_from(bits >> (55 - 11 * at) & 2047).unwrap()];
    let words: Vec<_> = (0..6).map(word).collect();
    let bytes = format!("word:{}", words.join(" "));
    let digits: String = bytes.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("M {digits}")
}

/// Many logins with one chain, in hexadecimal digits or in words.
fn try_chain(in_which: &&str, pair: &Pair) -> Cell {
    let says = format!("{in_which}:");
    let mut begun = CHAIN.right();
    begun[0].push("setpass=otto:chain of words".to_owned());
    let mut asked_for_new = 0;
    for login in 0..LOGINS {
        let words = if login == 0 {
            begun.clone()
        } else {
            CHAIN.right()
        };
        let outcome = match *in_which {
            "word" => pair.talk(&words, &in_words)?,
            _ => pair.talk(&words, &faithful)?,
        };
        CHAIN.agreed(&outcome)?;
        let response = outcome
            .messages
            .get(2)
            .map_or_else(String::new, |line| text(line));
        if response.starts_with("init-") {
            asked_for_new += 1;
        } else if !response.starts_with(&says) {
            return failed(format!("login {login} said {response:?}"));
        }
        CHAIN.refused(&pair.talk(&CHAIN.wrong(), &faithful)?)?;
    }
    Ok(format!("ok, {asked_for_new} new"))
}

#[test]
fn one_time_passwords() {
    let columns = Pair::all().unwrap();
    let rows = ["hex", "word"].map(|name| (format!("OTP {name}"), name));
    table::fill("OTP: server <- client", &columns, &rows, try_chain);
}
