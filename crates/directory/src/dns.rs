// SPDX-License-Identifier: MIT OR Apache-2.0
//! SRV records (RFC 2782) from the system's name servers, within a deadline.
//!
//! The C library has no way to ask for them that knows a deadline and threads,
//! so the question goes to the servers of resolv.conf itself: by UDP, by TCP
//! where the answer is long. An answer counts if it comes from the server asked,
//! with the number and the question that were sent.
#![forbid(unsafe_code)]

use crate::deadline::Deadline;
use simple_dns::rdata::{RData, SRV};
use simple_dns::{CLASS, Name, Packet, PacketFlag, QTYPE, Question, RCODE, TYPE};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

/// What one name server gets before the next is asked.
const TURN: Duration = Duration::from_secs(2);
const MOST_RECORDS: usize = 32;

/// One server of a service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Record {
    pub(crate) priority: u16,
    pub(crate) weight: u16,
    pub(crate) port: u16,
    /// Its name, without the dot at the end.
    pub(crate) host: String,
}

/// The records of a service; none: the service is not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) records: Vec<Record>,
    /// How long they hold.
    pub(crate) seconds: u32,
}

/// The system's name servers.
pub(crate) fn name_servers() -> Vec<SocketAddr> {
    let text = std::fs::read("/etc/resolv.conf").unwrap_or_default();
    let config = resolv_conf::Config::parse(text).unwrap_or_default();
    let servers = config.get_nameservers_or_local();
    servers
        .into_iter()
        .map(|server| SocketAddr::new(server.into(), 53))
        .collect()
}

/// The SRV records of `name`.
///
/// # Errors
/// Why no server could tell.
pub(crate) fn services(
    name: &str,
    servers: &[SocketAddr],
    deadline: Deadline,
) -> Result<Answer, String> {
    let mut why = "there is no name server".to_owned();
    for server in servers {
        match ask(name, *server, deadline.within(TURN)) {
            Ok(answer) => return Ok(answer),
            Err(error) => why = format!("name server {server}: {error}"),
        }
        if deadline.left().is_none() {
            break;
        }
    }
    Err(why)
}

fn odd(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}

fn left(deadline: Deadline) -> io::Result<Duration> {
    let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
    deadline.left().ok_or_else(late)
}

fn ask(name: &str, server: SocketAddr, deadline: Deadline) -> io::Result<Answer> {
    let mut number = [0; 2];
    getrandom::fill(&mut number).map_err(|_| odd("the system gives no random bytes"))?;
    let number = u16::from_be_bytes(number);
    let question = Name::new(name).map_err(|_| odd("this is no name of the DNS"))?;
    let mut packet = Packet::new_query(number);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let kind = QTYPE::TYPE(TYPE::SRV);
    let asked = Question::new(question, kind, CLASS::IN.into(), false);
    packet.questions.push(asked);
    let bytes = packet
        .build_bytes_vec()
        .map_err(|_| odd("the question cannot be written"))?;
    match by_udp(&bytes, number, name, server, deadline)? {
        Some(answer) => Ok(answer),
        None => by_tcp(&bytes, number, name, server, deadline),
    }
}

/// The answer; `None`: it is too long for UDP.
fn by_udp(
    question: &[u8],
    number: u16,
    name: &str,
    server: SocketAddr,
    deadline: Deadline,
) -> io::Result<Option<Answer>> {
    let any: IpAddr = match server.is_ipv4() {
        true => Ipv4Addr::UNSPECIFIED.into(),
        false => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    socket.send(question)?;
    let mut room = [0; 4096];
    loop {
        socket.set_read_timeout(Some(left(deadline)?))?;
        let count = match socket.recv(&mut room) {
            Ok(count) => count,
            Err(error) if is_patience(&error) => continue,
            Err(error) => return Err(error),
        };
        // What was not asked for is not looked at.
        let bytes = room.get(..count).unwrap_or_default();
        if let Some(packet) = answers(bytes, number, name) {
            if packet.has_flags(PacketFlag::TRUNCATION) {
                return Ok(None);
            }
            return understood(&packet).map(Some);
        }
    }
}

/// Errors of a read that only mean: look at the clock.
fn is_patience(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}

fn by_tcp(
    question: &[u8],
    number: u16,
    name: &str,
    server: SocketAddr,
    deadline: Deadline,
) -> io::Result<Answer> {
    let mut stream = TcpStream::connect_timeout(&server, left(deadline)?)?;
    stream.set_write_timeout(Some(left(deadline)?))?;
    let length = u16::try_from(question.len()).map_err(|_| odd("the question is too long"))?;
    stream.write_all(&[&length.to_be_bytes(), question].concat())?;
    let mut length = [0; 2];
    fill(&mut stream, &mut length, deadline)?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    fill(&mut stream, &mut bytes, deadline)?;
    let packet = answers(&bytes, number, name).ok_or_else(|| odd("it answers something else"))?;
    understood(&packet)
}

/// Reads all of `room`; bytes that come slowly do not stop the clock.
fn fill(stream: &mut TcpStream, room: &mut [u8], deadline: Deadline) -> io::Result<()> {
    let mut done = 0;
    while let Some(rest) = room.get_mut(done..).filter(|rest| !rest.is_empty()) {
        stream.set_read_timeout(Some(left(deadline)?))?;
        match stream.read(rest) {
            Ok(0) => return Err(odd("it closed the connection")),
            Ok(count) => done = done.saturating_add(count),
            Err(error) if is_patience(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn same(one: &str, other: &str) -> bool {
    let bare = |name: &str| name.trim_end_matches('.').to_ascii_lowercase();
    bare(one) == bare(other)
}

/// The packet, if it answers this question.
fn answers<'a>(bytes: &'a [u8], number: u16, name: &str) -> Option<Packet<'a>> {
    let packet = Packet::parse(bytes).ok()?;
    let [question] = packet.questions.as_slice() else {
        return None;
    };
    let asked = same(&question.qname.to_string(), name);
    let reply = packet.has_flags(PacketFlag::RESPONSE) && packet.id() == number;
    (asked && reply && question.qtype == QTYPE::TYPE(TYPE::SRV)).then_some(packet)
}

fn understood(packet: &Packet<'_>) -> io::Result<Answer> {
    /// How long it holds that there is nothing.
    const NOTHING: u32 = 60;
    match packet.rcode() {
        RCODE::NoError | RCODE::NameError => {}
        code => return Err(odd(&format!("it says {code:?}"))),
    }
    let (mut records, mut seconds) = (Vec::new(), u32::MAX);
    for answer in packet.answers.iter().take(MOST_RECORDS) {
        let RData::SRV(record) = &answer.rdata else {
            continue;
        };
        seconds = seconds.min(answer.ttl);
        records.extend(usable(record));
    }
    if records.is_empty() {
        seconds = NOTHING;
    }
    Ok(Answer { records, seconds })
}

fn usable(record: &SRV<'_>) -> Option<Record> {
    let host = record.target.to_string();
    let host = host.trim_end_matches('.');
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    // A root as the target says that there is no such service (RFC 2782).
    let named = !host.is_empty() && host.bytes().all(known) && record.port != 0;
    named.then(|| Record {
        priority: record.priority,
        weight: record.weight,
        port: record.port,
        host: host.to_owned(),
    })
}
