// SPDX-License-Identifier: MIT OR Apache-2.0
//! A scripted name server on 127.0.0.1, by UDP and TCP on one port.

use simple_dns::rdata::{RData, SRV};
use simple_dns::{CLASS, Name, Packet, PacketFlag, RCODE, ResourceRecord};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What it answers to every question.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    /// Priority, weight, port and target of each record.
    Records(Vec<Record<'static>>),
    /// The same, to be forgotten at once.
    Brief(Vec<Record<'static>>),
    Code(RCODE),
    Nothing,
    /// The records, but only by TCP.
    Long(Vec<Record<'static>>),
    /// First answers to other questions, then the records.
    Forged(Vec<Record<'static>>),
}

/// A running name server; its threads end with the process.
pub(crate) struct Dns {
    pub(crate) address: SocketAddr,
    pub(crate) says: Arc<Mutex<Says>>,
    asked: Arc<AtomicUsize>,
    names: Arc<Mutex<Vec<String>>>,
}

type Record<'a> = (u16, u16, u16, &'a str);

fn record(name: &str, seconds: u32, record: Record<'_>) -> ResourceRecord<'static> {
    let (priority, weight, port, target) = record;
    let target = Name::new(target).unwrap().into_owned();
    let data = RData::SRV(SRV {
        priority,
        weight,
        port,
        target,
    });
    ResourceRecord::new(
        Name::new(name).unwrap().into_owned(),
        CLASS::IN,
        seconds,
        data,
    )
}

fn reply(query: &Packet<'_>, records: &[Record<'_>], name: &str, seconds: u32) -> Vec<u8> {
    let mut packet = Packet::new_reply(query.id());
    packet.questions.clone_from(&query.questions);
    packet.answers = records
        .iter()
        .map(|one| record(name, seconds, *one))
        .collect();
    packet.build_bytes_vec().unwrap()
}

/// The packets that answer `bytes`.
fn answers(bytes: &[u8], says: &Says, by_udp: bool) -> Vec<Vec<u8>> {
    let query = Packet::parse(bytes).unwrap();
    let name = query.questions[0].qname.to_string();
    match says {
        Says::Nothing => Vec::new(),
        Says::Code(code) => {
            let mut packet = Packet::new_reply(query.id());
            packet.questions.clone_from(&query.questions);
            *packet.rcode_mut() = *code;
            vec![packet.build_bytes_vec().unwrap()]
        }
        Says::Long(_) if by_udp => {
            let mut packet = Packet::new_reply(query.id());
            packet.questions.clone_from(&query.questions);
            packet.set_flags(PacketFlag::TRUNCATION);
            vec![packet.build_bytes_vec().unwrap()]
        }
        Says::Forged(records) => {
            let false_ones = [(0, 0, 1, "localhost")];
            let mut other = query.clone();
            other.set_id(query.id().wrapping_add(1));
            let mut elsewhere = query.clone();
            elsewhere.questions[0].qname = Name::new("_ldap._tcp.elsewhere").unwrap();
            vec![
                b"no packet".to_vec(),
                reply(&other, &false_ones, &name, 300),
                reply(&elsewhere, &false_ones, &name, 300),
                query.build_bytes_vec().unwrap(),
                reply(&query, records, &name, 300),
            ]
        }
        Says::Records(records) | Says::Long(records) => vec![reply(&query, records, &name, 300)],
        Says::Brief(records) => vec![reply(&query, records, &name, 0)],
    }
}

/// Two sockets on one port.
fn sockets() -> (UdpSocket, TcpListener) {
    loop {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()) {
            return (udp, tcp);
        }
    }
}

impl Dns {
    pub(crate) fn start(says: Says) -> Self {
        let (udp, tcp) = sockets();
        let dns = Self {
            address: udp.local_addr().unwrap(),
            says: Arc::new(Mutex::new(says)),
            asked: Arc::default(),
            names: Arc::default(),
        };
        let (says, asked, names) = (dns.says.clone(), dns.asked.clone(), dns.names.clone());
        std::thread::spawn(move || {
            let mut room = [0; 2048];
            while let Ok((count, peer)) = udp.recv_from(&mut room) {
                let query = Packet::parse(&room[..count]).unwrap();
                let name = query.questions[0].qname.to_string();
                names.lock().unwrap().push(name);
                let says = says.lock().unwrap().clone();
                for answer in answers(&room[..count], &says, true) {
                    udp.send_to(&answer, peer).unwrap();
                }
                asked.fetch_add(1, Ordering::SeqCst);
            }
        });
        let says = dns.says.clone();
        std::thread::spawn(move || {
            for stream in tcp.incoming() {
                let mut stream = stream.unwrap();
                let mut length = [0; 2];
                stream.read_exact(&mut length).unwrap();
                let mut room = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut room).unwrap();
                for answer in answers(&room, &says.lock().unwrap().clone(), false) {
                    let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
                    // In pieces, as a network may deliver it.
                    for piece in [&length[..1], &length[1..], &answer] {
                        stream.write_all(piece).unwrap();
                    }
                }
            }
        });
        dns
    }

    /// Questions by UDP so far.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The names it was asked for.
    pub(crate) fn names(&self) -> Vec<String> {
        self.names.lock().unwrap().clone()
    }
}
