// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the parsers take and what they refuse.
#![forbid(unsafe_code)]

use super::*;

fn first(message: &[u8]) -> core::result::Result<ClientFirst, String> {
    ClientFirst::parse("SCRAM-X", message).map_err(|error| error.reason().to_owned())
}

#[test]
fn client_first() {
    let parsed = first(b"n,,n=tim,r=abc").unwrap();
    assert_eq!((parsed.flag, parsed.authzid.len()), (Flag::No, 0));
    assert_eq!(
        (parsed.authid.as_slice(), parsed.nonce.as_slice()),
        (&b"tim"[..], &b"abc"[..])
    );
    assert_eq!(
        (parsed.header.as_slice(), parsed.bare.as_slice()),
        (&b"n,,"[..], &b"n=tim,r=abc"[..])
    );
    let parsed = first(b"p=tls-exporter,a=a=2Cb=3D,n=t=3Dm,r=a,x=y,z=1").unwrap();
    assert_eq!(parsed.flag, Flag::Binds("tls-exporter".to_owned()));
    assert_eq!(
        (parsed.authzid.as_slice(), parsed.authid.as_slice()),
        (&b"a,b="[..], &b"t=m"[..])
    );
    assert_eq!(parsed.header, b"p=tls-exporter,a=a=2Cb=3D,");
    assert_eq!(first(b"y,a=,n=tim,r=a").unwrap().flag, Flag::Would);
}

#[test]
fn not_a_client_first() {
    let extension = "Unsupported mandatory extension to SCRAM-X";
    let refused: [(&[u8], &str); 22] = [
        (b"", "SCRAM-X input expected"),
        (b"n", "Invalid SCRAM-X input"),
        (b"n,,n=ab,r=", "Invalid nonce in SCRAM-X input"),
        (
            b"x,,n=tim,r=abc",
            "The initial SCRAM-X client response needs to start with 'y', 'n' or 'p'",
        ),
        (
            b"nn,,n=tim,r=abc",
            "The initial SCRAM-X client response needs to start with 'y', 'n' or 'p'",
        ),
        (
            b"p,,n=tim,r=abc",
            "The initial 'p' needs to be followed by '=' in SCRAM-X input",
        ),
        (
            b"p=,,n=tim,r=abc",
            "Invalid channel bindings type in SCRAM-X input",
        ),
        (
            b"p=\xff,,n=tim,r=abc",
            "Invalid channel bindings type in SCRAM-X input",
        ),
        (b"n,x,n=tim,r=abc", "',' expected in SCRAM-X input"),
        (
            b"n,a=t=20,n=tim,r=abc",
            "Invalid authorization identity encoding in SCRAM-X input",
        ),
        (b"n,,x=tim,r=abc", "Username (n=) expected in SCRAM-X input"),
        (
            b"n,,n=t=,r=abc",
            "Invalid username encoding in SCRAM-X input",
        ),
        (
            b"n,,n=t=2c,r=abc",
            "Invalid username encoding in SCRAM-X input",
        ),
        (
            b"n,,n=tim,x=abc",
            "Nonce expected after the username in SCRAM-X input",
        ),
        (
            b"n,,n=tim,m=x,r=abc",
            "Nonce expected after the username in SCRAM-X input",
        ),
        (
            b"n,,n=timothy",
            "Nonce expected after the username in SCRAM-X input",
        ),
        (b"n,,n=tim,r=", "Invalid nonce in SCRAM-X input"),
        (b"n,,n=tim,r=a b", "Invalid nonce in SCRAM-X input"),
        (b"n,,n=tim,r=a\xc3\xa9", "Invalid nonce in SCRAM-X input"),
        (b"n,,m=x,n=tim,r=abc", extension),
        (b"n,,n=tim,r=abc,m=x", extension),
        (b"n,,n=tim\0,r=abc", "NULs found in SCRAM-X input"),
    ];
    for (message, reason) in refused {
        assert_eq!(
            first(message).err().as_deref(),
            Some(reason),
            "{}",
            message.escape_ascii()
        );
    }
    let long = [b"n,,n=tim,r=".as_slice(), &[b'a'; 2048]].concat();
    assert_eq!(
        first(&long).unwrap_err(),
        "SCRAM-X input longer than (MAX_CLIENTIN_LEN) bytes"
    );
    assert!(first(&long[..2048]).is_ok());
}

#[test]
fn client_final() {
    let parse = |message: &[u8]| {
        ClientFinal::parse("X", message).map_err(|error| error.reason().to_owned())
    };
    let parsed = parse(b"c=biws,r=abc,x=y,p=AAAA").unwrap();
    assert_eq!(
        (parsed.binding.as_slice(), parsed.nonce.as_slice()),
        (&b"n,,"[..], &b"abc"[..])
    );
    assert_eq!(
        (parsed.proof.as_slice(), parsed.without_proof.as_slice()),
        (&[0; 3][..], &b"c=biws,r=abc,x=y"[..])
    );
    let refused: [(&[u8], &str); 11] = [
        (b"", "X input expected"),
        (b"c=biws", "At least nonce is expected in X input"),
        (
            b"r=abc,c=biws,p=AAAA",
            "Channel binding expected in X input",
        ),
        (b"c=biws,x=abc,p=AAAA", "Nonce expected in X input"),
        (b"c=biws,p=AAAA", "Nonce expected in X input"),
        (b"c=biws,r=abc", "At least proof is expected in X input"),
        (
            b"c=bi*s,r=abc,p=AAAA",
            "Invalid base64 encoding of the channel bindings in X",
        ),
        (
            b"c=biws,r=abc,p=AA*A",
            "Invalid base64 encoding of the client proof in X input",
        ),
        (
            b"c=biws,r=abc,p=AAAA,x=y",
            "No extension data is allowed after the client proof in X input",
        ),
        (
            b"c=biws,r=abc,m=y,p=AAAA",
            "Unsupported mandatory extension to X",
        ),
        (b"c=biws,r=abc,p=AAAA\0", "NULs found in X input"),
    ];
    for (message, reason) in refused {
        assert_eq!(
            parse(message).err().as_deref(),
            Some(reason),
            "{}",
            message.escape_ascii()
        );
    }
}

#[test]
fn server_first() {
    let parse = |message: &str| {
        ServerFirst::parse("X", message.as_bytes(), b"abc", 4096)
            .map_err(|error| error.reason().to_owned())
    };
    for count in [4096, 65537, 600_000, 5_000_000] {
        let parsed = parse(&format!("r=abcd,s=c2FsdA==,i={count},x=y")).unwrap();
        assert_eq!(
            (parsed.nonce.as_slice(), parsed.salt.as_slice()),
            (&b"abcd"[..], &b"salt"[..])
        );
        assert_eq!(parsed.iterations, count);
    }
    let nonce =
        "The nonce received from the server doesn't start from the nonce sent by the client";
    let refused = [
        ("", "X input expected"),
        ("s=c2FsdA==,i=4096", "Nonce (r=) expected in X input"),
        ("r=foo,s=c2FsdA==,i=4096", nonce),
        ("r=abc,s=c2FsdA==,i=4096", nonce),
        ("r=abcd\u{7},s=c2FsdA==,i=4096", nonce),
        ("r=abcd", "Salt expected after the nonce in X input"),
        ("r=abcd,i=4096", "Salt expected after the nonce in X input"),
        ("r=abcd,s=*,i=4096", "Invalid base64 encoding of the salt"),
        ("r=abcd,s=,i=4096", "The salt can't be empty"),
        (
            "r=abcd,s=c2FsdA==",
            "iteration-count expected after the salt in X input",
        ),
        ("r=abcd,s=c2FsdA==,i=", "Invalid iteration-count in X input"),
        (
            "r=abcd,s=c2FsdA==,i=-1",
            "Invalid iteration-count in X input",
        ),
        (
            "r=abcd,s=c2FsdA==,i=4096x",
            "Invalid iteration-count in X input",
        ),
        (
            "r=abcd,s=c2FsdA==,i=5000001",
            "iteration-count is too big, refusing to compute",
        ),
        (
            "r=abcd,s=c2FsdA==,i=4294967295",
            "iteration-count is too big, refusing to compute",
        ),
        (
            "r=abcd,s=c2FsdA==,i=99999999999",
            "iteration-count is too big, refusing to compute",
        ),
        (
            "m=x,r=abcd,s=c2FsdA==,i=4096",
            "Unsupported mandatory extension to X",
        ),
        (
            "r=abcd,s=c2FsdA==,i=4096,m=x",
            "Unsupported mandatory extension to X",
        ),
        ("e=unknown-user", "the X server refused: unknown-user"),
    ];
    for (message, reason) in refused {
        assert_eq!(parse(message).err().as_deref(), Some(reason), "{message}");
    }
    for count in ["0", "1", "4095"] {
        let reason = parse(&format!("r=abcd,s=c2FsdA==,i={count}")).unwrap_err();
        assert!(
            reason.starts_with(&format!("iteration-count is too small ({count})")),
            "{reason}"
        );
    }
}

#[test]
fn server_final() {
    let parse = |message: &[u8]| {
        parse_server_final("X", message).map_err(|error| (error.code(), error.reason().to_owned()))
    };
    assert_eq!(parse(b"v=AAAA").unwrap(), [0; 3]);
    assert_eq!(parse(b"v=AAAA,x=y").unwrap(), [0; 3]);
    let text = "ServerSignature expected in X input".to_owned();
    assert_eq!(parse(b"x=y"), Err((Code::BADPROT, text)));
    let text = "Invalid base64 encoding of the server proof in X input".to_owned();
    assert_eq!(parse(b"v=*"), Err((Code::BADPROT, text)));
    let text = "the X server refused: invalid-proof".to_owned();
    assert_eq!(parse(b"e=invalid-proof"), Err((Code::BADAUTH, text)));
    assert_eq!(
        parse(b"e=channel-bindings-dont-match").unwrap_err().0,
        Code::BADBINDING
    );
    let text = r"the X server refused: \x1b[2J".to_owned();
    assert_eq!(parse(b"e=\x1b[2J"), Err((Code::FAIL, text)));
    assert_eq!(parse(b"v=AAAA,m=x").unwrap_err().0, Code::BADPROT);
}

#[test]
fn escapes_come_back() {
    for name in [&b""[..], b"tim", b",", b"=", b"=2C", b"a,b=c", b"\xff"] {
        let escaped = escape(name);
        assert!(!escaped.contains(&b','));
        assert_eq!(unescape(&escaped).unwrap(), name);
    }
}
