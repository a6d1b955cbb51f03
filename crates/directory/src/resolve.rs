// SPDX-License-Identifier: MIT OR Apache-2.0
//! Host names to addresses, within a deadline.
//!
//! `getaddrinfo` has no time-out and cannot be stopped, so it runs in a thread
//! of its own that takes no signals and shares nothing but a channel. One that
//! hangs is waited for no longer than the deadline, and while it hangs no other
//! is started: a process never collects more than one.
#![forbid(unsafe_code)]

use crate::deadline::Deadline;
use nix::sys::signal::{SigSet, SigmaskHow};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

/// The process whose thread is asking, or 0: a child has no thread of its
/// parent's to wait for.
static BUSY: AtomicU32 = AtomicU32::new(0);

/// The addresses of `host`, IPv6 and IPv4 in turn, the system's order kept.
///
/// # Errors
/// Why there is none.
pub(crate) fn resolve(
    host: &str,
    port: u16,
    deadline: Deadline,
) -> Result<Vec<SocketAddr>, String> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    if host.eq_ignore_ascii_case("localhost") {
        let addresses = [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ];
        return Ok(addresses
            .map(|address| SocketAddr::new(address, port))
            .to_vec());
    }
    let addresses = ask_system(host.to_owned(), port, deadline)?;
    if addresses.is_empty() {
        return Err("the name has no address".to_owned());
    }
    Ok(in_turn(addresses))
}

fn ask_system(host: String, port: u16, deadline: Deadline) -> Result<Vec<SocketAddr>, String> {
    let left = deadline.left().ok_or("no time is left")?;
    let process = std::process::id();
    if BUSY.swap(process, Ordering::AcqRel) == process {
        return Err("the system's resolver still hangs in an earlier question".to_owned());
    }
    let (answer, receiver) = mpsc::sync_channel(1);
    // The thread inherits the mask: the host's handlers never run on it.
    let mask = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK);
    let thread = std::thread::Builder::new()
        .name("ldapdb-resolve".to_owned())
        .spawn(move || {
            let found = (host.as_str(), port).to_socket_addrs().map(Vec::from_iter);
            BUSY.store(0, Ordering::Release);
            let _ = answer.send(found);
        });
    if let Ok(mask) = mask {
        let _ = mask.thread_set_mask();
    }
    let thread = thread.map_err(|error| {
        BUSY.store(0, Ordering::Release);
        format!("no thread for the resolver: {error}")
    })?;
    match receiver.recv_timeout(left) {
        Ok(found) => {
            let _ = thread.join();
            found.map_err(|error| error.to_string())
        }
        Err(_) => Err(format!(
            "the system's resolver gave no answer within {} s",
            left.as_secs()
        )),
    }
}

/// The families in turn, beginning with the family of the first address.
fn in_turn(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = Vec::new();
    loop {
        let pair = (first.next(), second.next());
        if pair == (None, None) {
            return all;
        }
        all.extend(pair.0);
        all.extend(pair.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn soon() -> Deadline {
        Deadline::after(Duration::from_secs(10))
    }

    #[test]
    fn addresses_need_no_resolver() {
        assert_eq!(
            resolve("127.0.0.2", 389, soon()).unwrap(),
            ["127.0.0.2:389".parse().unwrap()]
        );
        assert_eq!(
            resolve("::1", 1, soon()).unwrap(),
            ["[::1]:1".parse().unwrap()]
        );
        assert_eq!(resolve("LocalHost", 1, soon()).unwrap().len(), 2);
    }

    #[test]
    fn the_families_take_turns() {
        let list = |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect::<Vec<_>>();
        let given = list(&["[::1]:1", "[::2]:1", "1.1.1.1:1", "1.1.1.2:1", "1.1.1.3:1"]);
        let wanted = list(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1", "1.1.1.3:1"]);
        assert_eq!(in_turn(given), wanted);
    }

    #[test]
    fn a_name_that_does_not_exist_is_an_error() {
        assert!(resolve("no-such-host.invalid", 389, soon()).is_err());
    }
}
