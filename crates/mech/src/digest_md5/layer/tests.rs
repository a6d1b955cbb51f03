// SPDX-License-Identifier: MIT OR Apache-2.0
//! The layers against packets of the stock library, and against tampering.
#![forbid(unsafe_code)]

use super::super::keys::{Charset, Session, secret};
use super::*;

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn session_key(nonce: &str, cnonce: &str, qop: &str) -> Key {
    let secret = secret(
        Charset::Latin1,
        b"tim",
        b"host.example.com",
        b"tanstaaftanstaaf",
    );
    let session = Session {
        nonce: nonce.as_bytes(),
        cnonce: cnonce.as_bytes(),
        count: 1,
        qop,
        uri: b"imap/host.example.com",
        authzid: None,
        http: None,
    };
    session.key(&secret)
}

/// Cipher, nonce, cnonce; two packets of the client and two of the server,
/// as Debian's libdigestmd5 2.1.28 sent them.
type Recorded = (
    Option<Cipher>,
    &'static str,
    &'static str,
    [&'static str; 4],
);

const RECORDED: [Recorded; 5] = [
    (
        None,
        "3vggW9mJByXFffSfzVroUd4E5GaznPY7HB4KzfMcHRs=",
        "KouFYUDV+8NRyWvFnQgEEi0ZO7DX6Y3M0cmDyISRydc=",
        [
            "68656c6c6ff95e71fed35a50ea85d7000100000000",
            "616161616161616161616161616161616161616141b7ec14437c5d07df54000100000001",
            "776f726c64d455bf77ccfc33eb275f000100000000",
            "626262626262626262626262626262626262626262626262626262626262626262626262626262624d1250d5a103c6942c8b000100000001",
        ],
    ),
    (
        Some(Cipher::Rc4),
        "szTkZ1O2/ub2vzyVnxL40N5/ZXiTuwagGbdFaRUykk4=",
        "Yvl5XoNv8b5lQmsvSCUk/YoDdgdx+cCF4USFQajxCjw=",
        [
            "583a8b267a1573c65eb2e4410f43c5000100000000",
            "a22ef217ae5168d2dad48fe5dbaf3d1094cbb9c54d331c7a4cad2c273294000100000001",
            "6f08e4acb8e59f77b8dca794efb36d000100000000",
            "7a85dd4e0efe6e2da53f5dda78436a40a7bef86ebdd3c945962245eb20ba09416ae305082ea1233b5652ccaae694063895e5000100000001",
        ],
    ),
    (
        Some(Cipher::Rc4_56),
        "5oHDLHHpgrzylA0FiZy/qUPrktyR6Lrlm9eGEAbwMqk=",
        "T1n9s+P4EFUylI0LiJ6l3T5GCeuhtYoEk6pbPbaPZ8k=",
        [
            "453106de23c1e81443f06715d8491c000100000000",
            "86e9849af00e31c851ee0cf2f5a6244af8d338542c7171520d0a6bdc7830000100000001",
            "7ebab7f26d37c5d0753297efd046ce000100000000",
            "d130b56699bcaaaa27d80eb22aff943aacc3a968f94387c30aaf36e5d4ddc184be2ce974fb304364c4c09a5aeac5b3d63bff000100000001",
        ],
    ),
    (
        Some(Cipher::Rc4_40),
        "zpawl1NjVBQ0ZAtSFeuBX5Utglmzcyocw0DG4rfQtH0=",
        "G0wAX9nheOf2bSnGybLZeTdEl35CUtCAD7/j5xv5rlI=",
        [
            "8e686faea1a33d753025fceb0d2a6e000100000000",
            "a808017c310ea0bbe420f3ae80406445ee9ab78a26dc6654162a66dd5cdf000100000001",
            "19f92f2291987ec101bf311fff9d36000100000000",
            "4684342858e5ec47b9f04cee7dfb2a05b30739b785d3d0e7306e2f4dac871e2d9b3491e7594f3450f7abcb9f98549d42c6ba000100000001",
        ],
    ),
    (
        Some(Cipher::Des),
        "IkRm/8Sg6ZXKKro6rzjQGGfKspH1AGXWlPByNkQQ8f8=",
        "ep9jIKQJp2VXMLXJl485em+XneY9hSrxXfONZ7RryP4=",
        [
            "828cb92bdcda20851bfe78dcb7cb416b000100000000",
            "b64f35524c2a5774a5dcac05789c7b6845623192333db9f676a498c58bd4742c000100000001",
            "6cb91214c6fbf5ccf195abff045a1b71000100000000",
            "cfd5d6442c7aab4825dfce3db4b122abf26a0459a4caf6e38329f93dc3db7cc89ce732cc01fbceaf02e8cbacb846405436cac09b7870ea1c000100000001",
        ],
    ),
];

#[test]
fn packets_of_the_stock_library() {
    let plain: [&[u8]; 4] = [b"hello", &[b'a'; 20], b"world", &[b'b'; 40]];
    for (cipher, nonce, cnonce, packets) in RECORDED {
        let qop = if cipher.is_some() {
            "auth-conf"
        } else {
            "auth-int"
        };
        let key = session_key(nonce, cnonce, qop);
        let mut client = Layer::new(&key, cipher, Side::Client);
        let mut server = Layer::new(&key, cipher, Side::Server);
        for (index, (plain, packet)) in plain.iter().zip(packets).enumerate() {
            let packet = unhex(packet);
            let (sender, receiver) = if index < 2 {
                (&mut client, &mut server)
            } else {
                (&mut server, &mut client)
            };
            let (mut wrapped, mut unwrapped) = (Vec::new(), Vec::new());
            sender.wrap(plain, &mut wrapped).unwrap();
            assert_eq!(wrapped, packet, "{cipher:?} {index}");
            receiver.unwrap(&packet, &mut unwrapped).unwrap();
            assert_eq!(&unwrapped, plain, "{cipher:?} {index}");
        }
    }
}

fn pair(cipher: Option<Cipher>) -> (Layer, Layer) {
    let key = session_key("n", "c", "auth-conf");
    (
        Layer::new(&key, cipher, Side::Client),
        Layer::new(&key, cipher, Side::Server),
    )
}

fn kinds() -> impl Iterator<Item = Option<Cipher>> {
    Cipher::ALL.into_iter().map(Some).chain([None])
}

#[test]
fn every_length_comes_back_and_fits() {
    for cipher in kinds() {
        let (mut client, mut server) = pair(cipher);
        let overhead = if cipher.is_some() { 25 } else { 16 };
        for length in 0..100 {
            let plain = vec![b'x'; length];
            let (mut packet, mut back) = (Vec::new(), b"before".to_vec());
            client.wrap(&plain, &mut packet).unwrap();
            assert!(packet.len() <= length + overhead);
            server.unwrap(&packet, &mut back).unwrap();
            assert_eq!(back, [b"before", plain.as_slice()].concat());
        }
    }
}

#[test]
fn no_altered_packet_gets_through_and_none_after_it() {
    for cipher in kinds() {
        let mut whole = Vec::new();
        pair(cipher).0.wrap(b"hello, world", &mut whole).unwrap();
        let flips = (0..whole.len() * 8).map(|bit| {
            let mut packet = whole.clone();
            packet[bit / 8] ^= 1 << (bit % 8);
            packet
        });
        let cuts = (0..whole.len()).map(|end| whole[..end].to_vec());
        for packet in flips.chain(cuts) {
            let mut server = pair(cipher).1;
            let mut out = b"kept".to_vec();
            assert_eq!(
                server.unwrap(&packet, &mut out).unwrap_err().code(),
                Code::BADMAC
            );
            assert_eq!(out, b"kept");
            assert!(server.unwrap(&whole, &mut out).is_err());
        }
    }
}

#[test]
fn replay_and_reorder_are_refused() {
    for cipher in kinds() {
        let (mut client, mut server) = pair(cipher);
        let (mut first, mut second, mut out) = (Vec::new(), Vec::new(), Vec::new());
        client.wrap(b"one", &mut first).unwrap();
        client.wrap(b"two", &mut second).unwrap();
        assert!(pair(cipher).1.unwrap(&second, &mut out).is_err());
        server.unwrap(&first, &mut out).unwrap();
        assert!(server.unwrap(&first, &mut out).is_err());
        assert!(
            pair(cipher).0.unwrap(&first, &mut out).is_err(),
            "{cipher:?} reflected"
        );
        assert_eq!(out, b"one");
    }
}

/// The stock library's own 3DES does not work; these two packets were made with
/// `openssl enc -des-ede3-cbc`.
#[test]
fn triple_des_packets_of_openssl() {
    let mut client = pair(Some(Cipher::TripleDes)).0;
    let mut packets = [Vec::new(), Vec::new()];
    client.wrap(b"hello", &mut packets[0]).unwrap();
    client.wrap(&[b'a'; 20], &mut packets[1]).unwrap();
    assert_eq!(
        packets[0],
        unhex("7a3695f589b5e3ba0f5a4538d45dfc54000100000000")
    );
    assert_eq!(
        packets[1],
        unhex("81f2d26a0535b615e52f8d24a772fbf141988c0668c468934fcb48b0622faaa3000100000001")
    );
}
