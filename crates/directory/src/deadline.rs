// SPDX-License-Identifier: MIT OR Apache-2.0
//! A point in monotonic time after which nobody waits any more.
#![forbid(unsafe_code)]

use nix::poll::PollTimeout;
use std::time::{Duration, Instant};

/// When an operation ends at the latest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// `time` from now.
    pub(crate) fn after(time: Duration) -> Self {
        let now = Instant::now();
        // A configured wait too long for the clock is a day.
        Self(
            now.checked_add(time)
                .or(now.checked_add(Duration::from_secs(86_400)))
                .unwrap_or(now),
        )
    }

    /// The sooner of this one and `time` from now.
    pub(crate) fn within(self, time: Duration) -> Self {
        self.sooner(Self::after(time))
    }

    /// The sooner of both.
    pub(crate) fn sooner(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }

    /// What is left, `None` when nothing is.
    pub(crate) fn left(self) -> Option<Duration> {
        self.0
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())
    }

    /// What is left, for poll: at least a millisecond, so that it never spins.
    pub(crate) fn poll_timeout(self) -> Option<PollTimeout> {
        let left = self.left()?.as_millis().clamp(1, 60_000);
        PollTimeout::try_from(left).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sooner_one_wins() {
        let call = Deadline::after(Duration::from_secs(60));
        assert!(call.left().unwrap() > Duration::from_secs(50));
        assert!(call.within(Duration::from_secs(1)).left().unwrap() <= Duration::from_secs(1));
        assert!(Deadline::after(Duration::ZERO).left().is_none());
        assert!(Deadline::after(Duration::MAX).left().is_some());
    }
}
