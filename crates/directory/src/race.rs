// SPDX-License-Identifier: MIT OR Apache-2.0
//! Connecting to one of several addresses (after RFC 8305): one that does not
//! answer at once is not waited for before the next is tried, and the first that
//! answers is used.
#![forbid(unsafe_code)]

use crate::deadline::Deadline;
use crate::transport::{Address, Broken, Socket};
use std::time::Duration;

/// The head start of each address before the next.
const STAGGER: Duration = Duration::from_millis(250);

/// An attempt under way.
struct Attempt {
    index: usize,
    socket: Socket,
    deadline: Deadline,
}

/// The attempts; what has no answer yet is closed with this value.
pub(crate) struct Race<'a> {
    addresses: &'a [Address],
    started: usize,
    under_way: Vec<Attempt>,
    /// What each attempt gets.
    each: Duration,
    call: Deadline,
    next_start: Deadline,
}

/// How an attempt ended.
pub(crate) type Finish = Result<Socket, Broken>;

impl<'a> Race<'a> {
    /// A race to `addresses` in this order; each attempt gets the time `each`,
    /// all of them end with `call`.
    pub(crate) fn new(addresses: &'a [Address], each: Duration, call: Deadline) -> Self {
        Self {
            addresses,
            started: 0,
            under_way: Vec::new(),
            each,
            call,
            next_start: Deadline::after(Duration::ZERO),
        }
    }

    /// The next address that answered or failed, with its place in the list;
    /// `None`: there is no other.
    pub(crate) fn next(&mut self) -> Option<(usize, Finish)> {
        loop {
            // The one before has failed, or had its head start.
            if self.under_way.is_empty() || self.next_start.left().is_none() {
                if let Some(finish) = self.start() {
                    return Some(finish);
                }
            }
            if self.under_way.is_empty() {
                return None;
            }
            if let Some(finish) = self.look() {
                return Some(finish);
            }
        }
    }

    /// Starts the next attempt; gives it if it ended at once.
    fn start(&mut self) -> Option<(usize, Finish)> {
        let index = self.started;
        let address = self.addresses.get(index)?;
        self.started = index.saturating_add(1);
        let deadline = self.call.within(self.each);
        if deadline.left().is_none() {
            return Some((index, Err(Broken::TimedOut)));
        }
        match Socket::begin(address) {
            Ok((socket, true)) => Some((index, Ok(socket))),
            Ok((socket, false)) => {
                self.next_start = Deadline::after(STAGGER);
                self.under_way.push(Attempt {
                    index,
                    socket,
                    deadline,
                });
                None
            }
            Err(broken) => Some((index, Err(broken))),
        }
    }

    /// Waits until an attempt ends or the next one is due.
    fn look(&mut self) -> Option<(usize, Finish)> {
        let late = |attempt: &Attempt| attempt.deadline.left().is_none();
        if let Some(place) = self.under_way.iter().position(late) {
            let attempt = self.under_way.swap_remove(place);
            return Some((attempt.index, Err(Broken::TimedOut)));
        }
        let mut until = self.under_way.first()?.deadline;
        for attempt in &self.under_way {
            until = until.sooner(attempt.deadline);
        }
        if self.started < self.addresses.len() {
            until = until.sooner(self.next_start);
        }
        let sockets: Vec<&Socket> = self.under_way.iter().map(|a| &a.socket).collect();
        let ready = Socket::first_writable(&sockets, until)?;
        let attempt = self.under_way.swap_remove(ready);
        let finish = attempt.socket.connected();
        Some((attempt.index, finish))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::socket::{
        AddressFamily, Backlog, SockFlag, SockType, SockaddrIn6, bind, getsockname, listen, socket,
    };
    use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener, TcpStream};
    use std::os::fd::{AsRawFd, OwnedFd};

    /// A place that answers nothing: its queue is full, so that the system drops
    /// what comes.
    struct Dead {
        _listener: OwnedFd,
        _queue: Vec<Socket>,
        address: SocketAddr,
    }

    fn dead() -> Dead {
        let flags = SockFlag::SOCK_CLOEXEC;
        let fd = socket(AddressFamily::Inet6, SockType::Stream, flags, None).unwrap();
        let any = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0, 0);
        bind(fd.as_raw_fd(), &SockaddrIn6::from(any)).unwrap();
        listen(&fd, Backlog::new(0).unwrap()).unwrap();
        let own: SockaddrIn6 = getsockname(fd.as_raw_fd()).unwrap();
        let address = SocketAddr::from(SocketAddrV6::from(own));
        let queue: Vec<Socket> = (0..4)
            .map(|_| Socket::begin(&Address::Tcp(address)).unwrap().0)
            .collect();
        assert!(TcpStream::connect_timeout(&address, Duration::from_millis(100)).is_err());
        Dead {
            _listener: fd,
            _queue: queue,
            address,
        }
    }

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_dead_first_address_is_not_waited_for() {
        let (dead, live) = (dead(), TcpListener::bind("127.0.0.1:0").unwrap());
        let list = [dead.address, live.local_addr().unwrap()].map(Address::Tcp);
        let call = Deadline::after(MINUTE);
        let mut race = Race::new(&list, MINUTE, call);
        let (index, finish) = race.next().unwrap();
        assert_eq!((index, finish.is_ok()), (1, true));
        // Had the first been waited for, no time would be left.
        assert!(call.left().is_some());
        assert_eq!(race.under_way.len(), 1);
    }

    #[test]
    fn an_address_that_refuses_costs_no_head_start() {
        let closed = {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let live = TcpListener::bind("127.0.0.1:0").unwrap();
        let list = [closed, live.local_addr().unwrap()].map(Address::Tcp);
        let mut race = Race::new(&list, MINUTE, Deadline::after(MINUTE));
        let (index, finish) = race.next().unwrap();
        assert_eq!(index, 0);
        assert!(matches!(finish, Err(Broken::Closed(_))), "{finish:?}");
        let (index, finish) = race.next().unwrap();
        assert_eq!((index, finish.is_ok()), (1, true));
        assert!(race.next().is_none());
    }

    #[test]
    fn each_dead_address_has_its_time() {
        let (one, two) = (dead(), dead());
        let list = [one.address, two.address].map(Address::Tcp);
        let mut race = Race::new(&list, Duration::from_millis(400), Deadline::after(MINUTE));
        let mut seen = Vec::new();
        while let Some((index, finish)) = race.next() {
            assert!(matches!(finish, Err(Broken::TimedOut)), "{finish:?}");
            seen.push(index);
        }
        assert_eq!(seen, [0, 1]);
    }
}
