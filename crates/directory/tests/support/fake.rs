// SPDX-License-Identifier: MIT OR Apache-2.0
//! A scripted LDAP server: a thread per connection on 127.0.0.1, which does to
//! its client whatever the script says.

use lber::common::TagClass;
use lber::structure::{PL, StructureTag};
use openssl::ssl::{SslAcceptor, SslStream};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What clients did, in order; the number is the connection's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Connect(usize),
    Bind(usize, String),
    Search(usize),
    Unbind(usize),
    Other(usize),
}

#[derive(Default)]
pub(crate) struct Record(Mutex<Vec<Event>>);

impl Record {
    pub(crate) fn all(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    pub(crate) fn count(&self, what: fn(&Event) -> bool) -> usize {
        self.0
            .lock()
            .unwrap()
            .iter()
            .filter(|event| what(event))
            .count()
    }

    /// Binds and searches.
    pub(crate) fn requests(&self) -> usize {
        self.count(|event| matches!(event, Event::Bind(..) | Event::Search(_)))
    }

    pub(crate) fn connects(&self) -> usize {
        self.count(|event| matches!(event, Event::Connect(_)))
    }

    pub(crate) fn note(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// A request as the script sees it.
pub(crate) enum Request {
    Bind {
        name: String,
        password: Vec<u8>,
    },
    Search {
        base: String,
        filter: StructureTag,
        attributes: Vec<String>,
    },
    Unbind,
    /// An extended request by its OID, and the value of its control.
    Extended(String, Option<String>),
    Other,
}

/// One connection.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    /// TLS around it, once the script starts it.
    pub(crate) tls: Option<SslStream<TcpStream>>,
    pub(crate) number: usize,
    pub(crate) record: Arc<Record>,
}

fn text(tag: StructureTag) -> String {
    String::from_utf8_lossy(&tag.expect_primitive().unwrap()).into_owned()
}

fn tag(class: TagClass, id: u64, payload: PL) -> StructureTag {
    StructureTag { class, id, payload }
}

fn octets(bytes: &[u8]) -> StructureTag {
    tag(TagClass::Universal, 4, PL::P(bytes.to_vec()))
}

fn encode(id: u8, operation: StructureTag) -> Vec<u8> {
    let id = tag(TagClass::Universal, 2, PL::P(vec![id]));
    let message = tag(TagClass::Universal, 16, PL::C(vec![id, operation]));
    let mut out = bytes::BytesMut::new();
    lber::write::encode_into(&mut out, message).unwrap();
    out.to_vec()
}

/// The bytes of a result: `kind` 1 = bind, 5 = search done, 24 = extended.
pub(crate) fn result(id: u8, kind: u64, code: u8, message: &str) -> Vec<u8> {
    let code = tag(TagClass::Universal, 10, PL::P(vec![code]));
    let parts = vec![code, octets(b""), octets(message.as_bytes())];
    encode(id, tag(TagClass::Application, kind, PL::C(parts)))
}

/// An extended result with a value.
pub(crate) fn extended(id: u8, code: u8, message: &str, value: &str) -> Vec<u8> {
    let code = tag(TagClass::Universal, 10, PL::P(vec![code]));
    let value = tag(TagClass::Context, 11, PL::P(value.as_bytes().to_vec()));
    let parts = vec![code, octets(b""), octets(message.as_bytes()), value];
    encode(id, tag(TagClass::Application, 24, PL::C(parts)))
}

/// The bytes of an entry.
pub(crate) fn entry(id: u8, dn: &str, attributes: &[(&str, &[u8])]) -> Vec<u8> {
    let attribute = |(name, value): &(&str, &[u8])| {
        let values = tag(TagClass::Universal, 17, PL::C(vec![octets(value)]));
        tag(
            TagClass::Universal,
            16,
            PL::C(vec![octets(name.as_bytes()), values]),
        )
    };
    let all = tag(
        TagClass::Universal,
        16,
        PL::C(attributes.iter().map(attribute).collect()),
    );
    encode(
        id,
        tag(
            TagClass::Application,
            4,
            PL::C(vec![octets(dn.as_bytes()), all]),
        ),
    )
}

/// The bytes of a referral result of a search.
pub(crate) fn referral(id: u8, url: &str) -> Vec<u8> {
    let code = tag(TagClass::Universal, 10, PL::P(vec![10]));
    let urls = tag(TagClass::Context, 3, PL::C(vec![octets(url.as_bytes())]));
    let parts = vec![code, octets(b""), octets(b""), urls];
    encode(id, tag(TagClass::Application, 5, PL::C(parts)))
}

/// A search result reference, which a client skips.
pub(crate) fn reference(id: u8) -> Vec<u8> {
    encode(
        id,
        tag(
            TagClass::Application,
            19,
            PL::C(vec![octets(b"ldap://elsewhere/")]),
        ),
    )
}

/// The value of the first control.
fn control_value(controls: &StructureTag) -> String {
    let mut controls = controls.clone().expect_constructed().unwrap();
    let mut parts = controls.remove(0).expect_constructed().unwrap();
    assert_eq!(text(parts.remove(0)), "2.16.840.1.113730.3.4.18");
    let critical = parts.remove(0).expect_primitive().unwrap();
    assert_eq!(critical, [0xff], "the control is critical");
    text(parts.remove(0))
}

impl Peer {
    /// The next request, `None` at the end of the connection.
    pub(crate) fn request(&mut self) -> Option<(u8, Request)> {
        let mut bytes = Vec::new();
        loop {
            let mut chunk = [0; 4096];
            let count = match &mut self.tls {
                Some(tls) => tls.read(&mut chunk).ok()?,
                None => self.stream.read(&mut chunk).ok()?,
            };
            if count == 0 {
                return None;
            }
            bytes.extend_from_slice(&chunk[..count]);
            if let Ok((rest, message)) = lber::parse::parse_tag(&bytes) {
                assert!(rest.is_empty(), "the client does not pipeline");
                return Some(self.understand(message));
            }
        }
    }

    fn understand(&mut self, message: StructureTag) -> (u8, Request) {
        let mut parts = message.expect_constructed().unwrap();
        let proxied = parts.get(2).map(control_value);
        let operation = parts.remove(1);
        let id = *parts.remove(0).expect_primitive().unwrap().last().unwrap();
        let request = match operation.id {
            0 => {
                let mut parts = operation.expect_constructed().unwrap();
                let proof = parts.remove(2);
                // A SASL bind: the mechanism stands for the password.
                let password = match proof.payload {
                    PL::P(password) => password,
                    PL::C(mut parts) => parts.remove(0).expect_primitive().unwrap(),
                };
                let name = text(parts.remove(1));
                self.record.note(Event::Bind(self.number, name.clone()));
                Request::Bind { name, password }
            }
            3 => {
                self.record.note(Event::Search(self.number));
                let mut parts = operation.expect_constructed().unwrap();
                let attributes = parts.remove(7).expect_constructed().unwrap();
                let filter = parts.remove(6);
                Request::Search {
                    base: text(parts.remove(0)),
                    filter,
                    attributes: attributes.into_iter().map(text).collect(),
                }
            }
            2 => {
                self.record.note(Event::Unbind(self.number));
                Request::Unbind
            }
            23 => {
                self.record.note(Event::Other(self.number));
                let mut parts = operation.expect_constructed().unwrap();
                Request::Extended(text(parts.remove(0)), proxied)
            }
            _ => {
                self.record.note(Event::Other(self.number));
                Request::Other
            }
        };
        (id, request)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = match &mut self.tls {
            Some(tls) => tls.write_all(bytes),
            None => self.stream.write_all(bytes),
        };
    }

    /// The server's side of the handshake; tells whether it succeeded.
    pub(crate) fn start_tls(&mut self, acceptor: &SslAcceptor) -> bool {
        self.tls = acceptor.accept(self.stream.try_clone().unwrap()).ok();
        self.tls.is_some()
    }
}

/// A running server.
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    pub(crate) record: Arc<Record>,
    stop: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    /// Starts a server that runs `script` on each connection.
    pub(crate) fn start(script: impl Fn(&mut Peer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let record = Arc::new(Record::default());
        let (stop, open) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(Mutex::new(Vec::new())),
        );
        let (script, notes, flag) = (Arc::new(script), record.clone(), stop.clone());
        let streams: Arc<Mutex<Vec<TcpStream>>> = open.clone();
        let thread = std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else { break };
                if flag.load(Ordering::SeqCst) {
                    break;
                }
                streams.lock().unwrap().push(stream.try_clone().unwrap());
                let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
                let (script, record) = (script.clone(), notes.clone());
                record.note(Event::Connect(number));
                std::thread::spawn(move || {
                    let mut peer = Peer {
                        stream,
                        tls: None,
                        number,
                        record,
                    };
                    script(&mut peer);
                    let _ = peer.stream.shutdown(Shutdown::Both);
                });
            }
        });
        Self {
            address,
            record,
            stop,
            open,
            thread: Some(thread),
        }
    }

    pub(crate) fn uri(&self) -> String {
        format!("ldap://{}/dc=users,dc=local", self.address)
    }

    /// Closes every connection, as a server that is tired of idle clients.
    pub(crate) fn close_all(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.close_all();
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A small directory: the service account, one user, and the manners of
/// glauth: searches only for the service account, and the old identity stays
/// after a failed bind.
pub(crate) fn good(peer: &mut Peer) {
    let mut identity = String::new();
    while let Some((id, request)) = peer.request() {
        match request {
            Request::Bind { name, password } => {
                let right = match name.as_str() {
                    "cn=cyrus,ou=machines,dc=users,dc=local" => {
                        password == super::CANARY.as_bytes()
                    }
                    "cn=johndoe,ou=superheros,ou=users,dc=users,dc=local" => password == b"dogood",
                    "cn=second,dc=users,dc=local" => password == b"other",
                    // The trap: a bind without a name or a password succeeds.
                    "" => true,
                    _ => password.is_empty(),
                };
                if right {
                    identity = name;
                }
                peer.send(&result(id, 1, if right { 0 } else { 49 }, ""));
            }
            Request::Search { filter, .. } => {
                if identity != "cn=cyrus,ou=machines,dc=users,dc=local" {
                    peer.send(&result(id, 5, 50, ""));
                    return;
                }
                peer.send(&reference(id));
                for (dn, mail) in [
                    (
                        "cn=johndoe,ou=superheros,ou=users,dc=users,dc=local",
                        "jdoe@example.com",
                    ),
                    ("cn=second,dc=users,dc=local", "second@example.com"),
                ] {
                    if mentions(&filter, mail) {
                        let cn = dn.split([',', '=']).nth(1).unwrap();
                        let shown = [("mail", mail.as_bytes()), ("cn", cn.as_bytes())];
                        peer.send(&entry(id, dn, &shown));
                    }
                }
                peer.send(&result(id, 5, 0, ""));
            }
            Request::Unbind => return,
            Request::Extended(..) | Request::Other => peer.send(&result(id, 24, 2, "")),
        }
    }
}

/// Whether an assertion value of `filter` is `value` or its local part, or,
/// like a careless server, begins with it before an asterisk.
pub(crate) fn mentions(filter: &StructureTag, value: &str) -> bool {
    match &filter.payload {
        PL::P(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            let local = value.split('@').next().unwrap();
            let wild = text
                .strip_suffix('*')
                .is_some_and(|head| value.starts_with(head));
            text == value || text == local || wild
        }
        PL::C(parts) => parts.iter().any(|part| mentions(part, value)),
    }
}
