// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server whose connections end with a reset.

use super::fake::{Peer, Record, Request, result};
use nix::libc::linger;
use nix::sys::socket::{setsockopt, sockopt};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;

/// When a connection is reset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum When {
    /// As soon as a bind was answered: the next request meets it.
    AfterBind,
    /// When a search was read: its answer never comes.
    InSearch,
}

/// The server; it ends with this value.
pub(crate) struct Resetting {
    pub(crate) address: SocketAddr,
    pub(crate) record: Arc<Record>,
    thread: Option<JoinHandle<()>>,
}

impl Resetting {
    pub(crate) fn start(when: When) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let record = Arc::new(Record::default());
        let notes = record.clone();
        let thread = std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut peer = Peer {
                    stream: stream.unwrap(),
                    tls: None,
                    number,
                    record: notes.clone(),
                };
                match serve(&mut peer, when) {
                    Some(()) => reset(&peer.stream, when),
                    // Nothing was asked: the end.
                    None => return,
                }
            }
        });
        Self {
            address,
            record,
            thread: Some(thread),
        }
    }
}

fn serve(peer: &mut Peer, when: When) -> Option<()> {
    let (id, Request::Bind { .. }) = peer.request()? else {
        return Some(());
    };
    peer.send(&result(id, 1, 0, ""));
    if when == When::InSearch {
        peer.request()?;
    }
    Some(())
}

/// Closing without time to linger is a reset; the caller drops the stream. Who
/// sends to a connection that was ended and then reset gets SIGPIPE.
fn reset(stream: &TcpStream, when: When) {
    if when == When::AfterBind {
        stream.shutdown(Shutdown::Write).unwrap();
    }
    let at_once = linger {
        l_onoff: 1,
        l_linger: 0,
    };
    setsockopt(stream, sockopt::Linger, &at_once).unwrap();
}

impl Drop for Resetting {
    fn drop(&mut self) {
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
