// SPDX-License-Identifier: MIT OR Apache-2.0
//! Security layers and their packets: what was altered, replayed or reordered
//! is refused, and nothing is accepted after that.

use crate::exchange::agreed;
use crate::script::Script;
use mech::Negotiated;

/// DIGEST-MD5's layer, in both directions, with every cipher.
pub(crate) fn digest_md5(data: &[u8]) {
    let script = &mut Script::new(data);
    let outcome = agreed("DIGEST-MD5", script);
    let layers = [outcome.client, outcome.server].map(|done| done.and_then(|done| done.layer));
    let [Some(client), Some(server)] = layers else {
        return;
    };
    assert_eq!(client.ssf, server.ssf);
    if script.byte() % 2 == 0 {
        talk(client, server, script);
    } else {
        talk(server, client, script);
    }
}

fn talk(mut sender: Negotiated, mut receiver: Negotiated, script: &mut Script<'_>) {
    let (mut earlier, mut broken) = (Vec::new(), false);
    for _ in 0..16 {
        let plain = script.chunk();
        let (mut packet, mut back) = (Vec::new(), Vec::new());
        sender.layer.wrap(plain, &mut packet).expect("a packet");
        earlier.push(packet.clone());
        let sent = script.alter(packet.clone(), &earlier);
        let taken = receiver.layer.unwrap(&sent, &mut back).is_ok();
        broken |= sent != packet;
        assert_eq!(taken, !broken, "an altered packet, or all after it");
        assert!(
            back == if taken { plain } else { b"" },
            "other words than were sent"
        );
        if script.is_over() {
            break;
        }
    }
}

/// The lengths before packets, in pieces of any size.
pub(crate) fn packets(data: &[u8]) {
    let script = &mut Script::new(data);
    let outcome = agreed("DIGEST-MD5", script);
    let layers = [outcome.client, outcome.server].map(|done| done.and_then(|done| done.layer));
    let [Some(client), Some(server)] = layers else {
        return;
    };
    let (mut plain, mut stream) = (Vec::new(), Vec::new());
    let sender = sasl2::fuzz::Packets::new(client);
    let receiver = sasl2::fuzz::Packets::new(server);
    for _ in 0..4 {
        let text = script.chunk();
        plain.extend_from_slice(text);
        stream.extend(sender.encode(text).expect("packets"));
    }
    let sent = script.alter(stream.clone(), &[]);
    let (mut back, mut rest) = (Vec::new(), sent.as_slice());
    while !rest.is_empty() {
        let (piece, tail) = rest.split_at(script.below(rest.len()) + 1);
        rest = tail;
        match receiver.decode(piece) {
            Some(text) => back.extend(text),
            None => break,
        }
    }
    assert!(plain.starts_with(&back), "other words than were sent");
    assert!(sent != stream || back == plain, "words are missing");
}

/// The header of GS2 messages.
pub(crate) fn gs2_header(data: &[u8]) {
    gss::gs2::fuzz::header(data);
}

/// The four bytes about layers in GSSAPI.
pub(crate) fn gssapi_terms(data: &[u8]) {
    gss::fuzz::terms(data);
}
