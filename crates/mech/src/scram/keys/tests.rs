// SPDX-License-Identifier: MIT OR Apache-2.0
//! The RFCs' own examples.
#![forbid(unsafe_code)]

use super::*;

struct Vector {
    hash: Hash,
    salt: &'static str,
    message: [&'static str; 3],
    proof: &'static str,
    signature: &'static str,
    stored: &'static str,
    server: &'static str,
}

const VECTORS: [Vector; 2] = [
    // RFC 5802 section 5
    Vector {
        hash: Hash::Sha1,
        salt: "QSXCR+Q6sek8bf92",
        message: [
            "n=user,r=fyko+d2lbbFgONRv9qkxdawL",
            "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
        ],
        proof: "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        signature: "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        stored: "6dlGYMOdZcOPutkcNY8U2g7vK9Y=",
        server: "D+CSWLOshSulAsxiupA+qs2/fTE=",
    },
    // RFC 7677 section 3
    Vector {
        hash: Hash::Sha256,
        salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
        message: [
            "n=user,r=rOprNGfwEbeRWgbNEkqO",
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        ],
        proof: "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        signature: "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        stored: "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=",
        server: "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
    },
];

#[test]
fn rfc_vectors() {
    for vector in VECTORS {
        let [bare, first, last] = vector.message.map(str::as_bytes);
        let message: [&[u8]; 5] = [bare, b",", first, b",", last];
        let salt = base64::decode(vector.salt.as_bytes()).unwrap();
        let salted = vector.hash.salted(b"pencil", &salt, 4096);
        let proof = vector.hash.proof(&salted, &message);
        assert_eq!(base64::encode(&proof), vector.proof);
        assert_eq!(
            base64::encode(&vector.hash.expected(&salted, &message)),
            vector.signature
        );
        let keys = Keys::derive(vector.hash, b"pencil", &salt, 4096);
        assert_eq!(base64::encode(&keys.stored), vector.stored);
        assert_eq!(base64::encode(&keys.server), vector.server);
        assert!(keys.accept(vector.hash, &proof, &message));
        assert_eq!(
            base64::encode(&keys.signature(vector.hash, &message)),
            vector.signature
        );
        for index in 0..proof.len() {
            let mut wrong = proof.clone();
            wrong[index] ^= 1;
            assert!(!keys.accept(vector.hash, &wrong, &message));
        }
        assert!(!keys.accept(vector.hash, &proof[1..], &message));
        assert!(!keys.accept(vector.hash, &[], &message));
    }
}

#[test]
fn sizes() {
    let sizes = [
        Hash::Sha1,
        Hash::Sha224,
        Hash::Sha256,
        Hash::Sha384,
        Hash::Sha512,
    ];
    assert_eq!(sizes.map(Hash::size), [20, 28, 32, 48, 64]);
    assert_eq!(
        sizes.map(|hash| hash.digest(b"").len()),
        [20, 28, 32, 48, 64]
    );
    assert_eq!(
        sizes.map(|hash| hash.salted(b"p", b"s", 1).len()),
        [20, 28, 32, 48, 64]
    );
}

const STORED: &str =
    "SCRAM-SHA-1$5000:c2FsdHNhbHQ=$QInEM/eiN9ZPldZ4oeZvmeERds0=:casdwxa4xAGZHivzNlLU5LNhmhg=";

#[test]
fn stored_keys() {
    let parse = |value: &str| Stored::parse(Hash::Sha1, "SCRAM-SHA-1", value.as_bytes());
    for value in [STORED.to_owned(), STORED.replace('$', " $ ")] {
        let stored = parse(&value).unwrap();
        assert_eq!(
            (stored.salt.as_slice(), stored.iterations),
            (&b"saltsalt"[..], 5000)
        );
    }
    let derived = Keys::derive(Hash::Sha1, b"pw", b"saltsalt", 5000);
    assert_eq!(*parse(STORED).unwrap().keys.stored, *derived.stored);
    assert_eq!(*parse(STORED).unwrap().keys.server, *derived.server);
    let malformed = [
        String::new(),
        "garbage".to_owned(),
        STORED.replace("SHA-1$", "SHA-256$"),
        STORED.replace("SCRAM", "scram"),
        STORED.replace("5000", "0"),
        STORED.replace("5000", ""),
        STORED.replace("5000", "x"),
        STORED.replace("5000", "99999999999"),
        STORED.replace("c2FsdHNhbHQ=", ""),
        STORED.replace("hmhg=", "hm"),
        format!("{STORED}x"),
        format!("{STORED}$x"),
        STORED.replace(":casd", "casd"),
        STORED.replace("QInEM/eiN9ZPldZ4oeZvmeERds0=", "QInE"),
    ];
    for value in malformed {
        assert!(parse(&value).is_none(), "{value}");
    }
}

/// RFC 4013 section 3.
#[test]
fn preparation() {
    let shown = |text: &str| String::from_utf8(prepared(text.as_bytes()).to_vec()).unwrap();
    assert_eq!(shown("I\u{ad}X"), "IX");
    assert_eq!(shown("user"), "user");
    assert_eq!(shown("USER"), "USER");
    assert_eq!(shown("\u{aa}"), "a");
    assert_eq!(shown("\u{2168}"), "IX");
    assert_eq!(shown("\u{7}"), "\u{7}", "prohibited: as it is");
    assert_eq!(shown("\u{627}1"), "\u{627}1", "bidirectional: as it is");
    assert_eq!(shown("\u{ad}"), "\u{ad}", "nothing would be left: as it is");
    assert_eq!(prepared(b"\xff").as_slice(), b"\xff");
}

/// What is written reads back as what it was made from.
#[test]
fn written_keys_read_back() {
    let value = crate::stored_keys("SCRAM-SHA-1", b"pw", b"saltsalt", 5000).unwrap();
    assert_eq!(value.as_bytes(), STORED.as_bytes());
    assert!(crate::stored_keys("SCRAM-MD5", b"pw", b"saltsalt", 5000).is_none());
    assert!(crate::stored_keys("SCRAM-SHA-1", b"pw", b"saltsalt", 0).is_none());
}
