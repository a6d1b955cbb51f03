// SPDX-License-Identifier: MIT OR Apache-2.0
//! Kept connections, and which server to ask.
//!
//! No lock is held over the network. A lock that another thread held when the
//! host forked never opens in the child: after a short while the pool is done
//! without. Connections of another process are closed without a word.
#![forbid(unsafe_code)]

use crate::connection::Connection;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// What a connection is for; the two kinds never mix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// Bound as the service account: searches.
    Service,
    /// Bound as whoever logged in last: binds, nothing else.
    Verify,
}

#[derive(Debug, Default)]
struct State {
    service: Vec<Connection>,
    verify: Vec<Connection>,
    down_until: Option<Instant>,
    pause: Duration,
    /// When the pause last grew.
    failed: Option<Instant>,
    /// Whether it lists the control of password policies.
    policy: Option<bool>,
}

impl State {
    fn idle(&mut self, role: Role) -> &mut Vec<Connection> {
        match role {
            Role::Service => &mut self.service,
            Role::Verify => &mut self.verify,
        }
    }
}

/// The connections that wait, server by server.
#[derive(Debug)]
pub(crate) struct Pool {
    states: Mutex<Vec<State>>,
    size: usize,
    idle_timeout: Duration,
    retry_after: Duration,
    shuffles: bool,
}

const LONGEST_PAUSE: Duration = Duration::from_secs(300);

impl Pool {
    /// A pool of at most `size` connections per server and role.
    pub(crate) fn new(
        servers: usize,
        size: usize,
        idle_timeout: Duration,
        retry_after: Duration,
    ) -> Self {
        let states = (0..servers).map(|_| State::default()).collect();
        Self {
            states: Mutex::new(states),
            size,
            idle_timeout,
            retry_after,
            shuffles: false,
        }
    }

    /// The same, with the servers in any order (`ldapdb_balance: random`).
    pub(crate) fn shuffling(mut self, shuffles: bool) -> Self {
        self.shuffles = shuffles;
        self
    }

    fn states(&self) -> Option<MutexGuard<'_, Vec<State>>> {
        for _ in 0..50 {
            match self.states.try_lock() {
                Ok(states) => return Some(states),
                Err(std::sync::TryLockError::Poisoned(states)) => return Some(states.into_inner()),
                Err(std::sync::TryLockError::WouldBlock) => {
                    std::thread::sleep(Duration::from_micros(200));
                }
            }
        }
        None
    }

    /// The servers to ask, in order: those of `servers` that are not down, or, if
    /// all are, the one that is due first.
    pub(crate) fn order(&self, servers: &[usize]) -> Vec<usize> {
        let Some(mut states) = self.states() else {
            return servers.to_vec();
        };
        let now = Instant::now();
        let mut order = Vec::new();
        for index in servers.iter().copied() {
            if states.len() <= index {
                states.resize_with(index.saturating_add(1), State::default);
            }
            let Some(state) = states.get_mut(index) else {
                continue;
            };
            match state.down_until {
                None => order.push(index),
                Some(until) if until <= now => {
                    // One caller tries it; the others wait for what it finds.
                    state.down_until = now.checked_add(self.retry_after);
                    order.push(index);
                }
                Some(_) => {}
            }
        }
        if self.shuffles {
            shuffle(&mut order);
        }
        if order.is_empty() {
            let until = |index: &&usize| states.get(**index).and_then(|state| state.down_until);
            return servers
                .iter()
                .min_by_key(until)
                .copied()
                .into_iter()
                .collect();
        }
        order
    }

    /// A connection that waits, if a good one does.
    pub(crate) fn take(&self, server: usize, role: Role) -> Option<Connection> {
        let mut goodbye = Vec::new();
        let mut found = None;
        {
            let mut states = self.states()?;
            let idle = states.get_mut(server)?.idle(role);
            while let Some(connection) = idle.pop() {
                let fresh = connection.last_use().elapsed() < self.idle_timeout;
                if connection.is_ours() && fresh && connection.is_quiet() {
                    found = Some(connection);
                    break;
                }
                goodbye.push(connection);
            }
        }
        goodbye.into_iter().for_each(Connection::close);
        found
    }

    /// Keeps a connection for the next one who asks.
    pub(crate) fn give(&self, server: usize, role: Role, connection: Connection) {
        let mut surplus = Some(connection);
        if let Some(mut states) = self.states() {
            if let Some(state) = states.get_mut(server) {
                let idle = state.idle(role);
                if idle.len() < self.size {
                    idle.extend(surplus.take());
                }
            }
        }
        if let Some(connection) = surplus {
            connection.close();
        }
    }

    /// Drops what waits for `server`: one stale connection is seldom alone.
    pub(crate) fn clear(&self, server: usize) {
        let mut old = Vec::new();
        if let Some(mut states) = self.states() {
            if let Some(state) = states.get_mut(server) {
                old.append(&mut state.service);
                old.append(&mut state.verify);
            }
        }
    }

    /// Whether `server` has password policies, if that is known.
    pub(crate) fn has_policy(&self, server: usize) -> Option<bool> {
        self.states()?.get(server)?.policy
    }

    /// Notes whether `server` has password policies.
    pub(crate) fn learn_policy(&self, server: usize, has: bool) {
        let mut states = self.states();
        if let Some(state) = states.as_mut().and_then(|states| states.get_mut(server)) {
            state.policy = Some(has);
        }
    }

    /// Notes that `server` failed; tells how long it will be left alone.
    pub(crate) fn failed(&self, server: usize) -> Duration {
        let Some(mut states) = self.states() else {
            return self.retry_after;
        };
        let Some(state) = states.get_mut(server) else {
            return self.retry_after;
        };
        let now = Instant::now();
        // Many logins meet one outage: it is one failure.
        let lately = state
            .failed
            .is_some_and(|then| now - then < self.retry_after / 2);
        if !lately {
            let next = match state.pause.is_zero() {
                true => self.retry_after,
                false => state.pause * 2,
            };
            state.pause = next.min(LONGEST_PAUSE.max(self.retry_after));
            state.failed = Some(now);
        }
        let pause = jittered(state.pause);
        state.down_until = now.checked_add(pause);
        pause
    }

    /// Notes that `server` answered; tells whether it had failed before.
    pub(crate) fn works(&self, server: usize) -> bool {
        let Some(mut states) = self.states() else {
            return false;
        };
        let Some(state) = states.get_mut(server) else {
            return false;
        };
        state.pause = Duration::ZERO;
        state.failed = None;
        state.down_until.take().is_some()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let states = std::mem::take(&mut self.states);
        for state in states.into_inner().unwrap_or_default() {
            let all = state.service.into_iter().chain(state.verify);
            all.for_each(Connection::close);
        }
    }
}

/// A number below `below`, for the order of servers.
pub(crate) fn random(below: usize) -> usize {
    let number = RandomState::new().hash_one(std::process::id());
    let below = u64::try_from(below.max(1)).unwrap_or(1);
    usize::try_from(number % below).unwrap_or(0)
}

fn shuffle(order: &mut [usize]) {
    for last in (1..order.len()).rev() {
        order.swap(last, random(last.saturating_add(1)));
    }
}

/// ±20 %, so that many processes do not come back at once.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(std::process::id()) % 401;
    let permille = 800_u32.saturating_add(u32::try_from(random).unwrap_or(200));
    pause.saturating_mul(permille) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(servers: usize) -> Pool {
        Pool::new(
            servers,
            4,
            Duration::from_secs(240),
            Duration::from_secs(30),
        )
    }

    #[test]
    fn a_failed_server_is_left_alone() {
        let pool = pool(3);
        assert_eq!(pool.order(&[0, 1, 2]), [0, 1, 2]);
        pool.failed(0);
        assert_eq!(pool.order(&[0, 1, 2]), [1, 2]);
        assert!(pool.works(0));
        assert!(!pool.works(0));
        assert_eq!(pool.order(&[0, 1, 2]), [0, 1, 2]);
    }

    #[test]
    fn one_caller_tries_a_server_again() {
        let pool = pool(2);
        pool.failed(0);
        pool.states().unwrap()[0].down_until = Some(Instant::now());
        assert_eq!(pool.order(&[0, 1]), [0, 1]);
        assert_eq!(pool.order(&[0, 1]), [1]);
        assert!(pool.works(0));
        assert_eq!(pool.order(&[0, 1]), [0, 1]);
    }

    #[test]
    fn servers_can_be_asked_in_any_order() {
        let pool = pool(3).shuffling(true);
        let mut first = [0; 3];
        for _ in 0..300 {
            let mut order = pool.order(&[0, 1, 2]);
            first[order[0]] += 1;
            order.sort_unstable();
            assert_eq!(order, [0, 1, 2]);
        }
        assert!(
            first.iter().all(|count| (40..200).contains(count)),
            "{first:?}"
        );
    }

    #[test]
    fn if_all_are_down_the_first_due_is_asked() {
        let pool = pool(2);
        pool.failed(1);
        pool.failed(0);
        let later = Instant::now().checked_add(Duration::from_secs(90));
        pool.states().unwrap()[0].down_until = later;
        assert_eq!(pool.order(&[0, 1]), [1]);
        let single = self::pool(1);
        single.failed(0);
        assert_eq!(single.order(&[0]), [0]);
    }

    #[test]
    fn the_pause_doubles_up_to_five_minutes() {
        let pool = pool(1);
        let about = |pause: Duration, seconds: u64| {
            let range =
                Duration::from_secs(seconds * 8 / 10)..=Duration::from_secs(seconds * 12 / 10);
            assert!(range.contains(&pause), "{pause:?} is not about {seconds} s");
        };
        for seconds in [30, 60, 120, 240, 300, 300] {
            about(pool.failed(0), seconds);
            // The same outage, met by another login.
            about(pool.failed(0), seconds);
            let mut states = pool.states().unwrap();
            let failed = states[0].failed.as_mut().unwrap();
            *failed = failed.checked_sub(Duration::from_secs(16)).unwrap();
        }
        pool.works(0);
        about(pool.failed(0), 30);
    }

    #[test]
    fn a_lock_that_never_opens_does_not_hang_the_login() {
        let pool = pool(2);
        let _held = pool.states.lock().unwrap();
        let start = Instant::now();
        assert_eq!(pool.order(&[0, 1]), [0, 1]);
        assert!(pool.take(0, Role::Service).is_none());
        assert!(start.elapsed() < Duration::from_secs(2));
    }
}
