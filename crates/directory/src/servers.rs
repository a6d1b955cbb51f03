// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which servers there are: those of `ldapdb_uri`, and those that SRV records
//! (RFC 2782, `ldap+srv://domain`) name in the place of one of them.
//!
//! A server keeps its number as long as the process lives, so that connections
//! and pauses stay its own when the records change. Records come from a network
//! that nobody has proved: a server outside the domain is not used, because a
//! certificate would prove no more than that it is that server.
#![forbid(unsafe_code)]

use crate::deadline::Deadline;
use crate::dns::{self, Record};
use crate::faults::Fault;
use crate::uri::{Endpoint, Uri};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Servers that one process knows at most.
const MOST: usize = 256;
/// Records are not asked for more often, and not kept longer.
const SHORTEST: u32 = 5;
const LONGEST: u32 = 3600;
/// How long old records are used before they are asked for again in vain.
const STALE: Duration = Duration::from_secs(30);

/// A server that can be asked.
#[derive(Debug)]
pub(crate) struct Place {
    /// Its number, which is the pool's too.
    pub(crate) index: usize,
    /// Which URI of `ldapdb_uri` it stands for.
    pub(crate) listed: usize,
    pub(crate) uri: Uri,
}

/// What SRV records said in the place of one URI.
#[derive(Debug, Default)]
struct Found {
    places: Vec<Arc<Place>>,
    until: Option<Instant>,
}

#[derive(Debug, Default)]
struct Known {
    all: Vec<Arc<Place>>,
    found: Vec<Found>,
}

/// All servers.
#[derive(Debug)]
pub(crate) struct Servers {
    /// Where no records are asked for, this is all.
    fixed: Option<Vec<Arc<Place>>>,
    known: Mutex<Known>,
    /// Instead of the system's name servers.
    name_servers: Option<Vec<SocketAddr>>,
}

impl Servers {
    /// Those of `uris`.
    pub(crate) fn new(uris: &[Uri]) -> Self {
        let place = |(index, uri): (usize, &Uri)| {
            let (listed, uri) = (index, uri.clone());
            Arc::new(Place { index, listed, uri })
        };
        let all: Vec<_> = uris.iter().enumerate().map(place).collect();
        let asks = uris.iter().any(|uri| uri.domain().is_some());
        let found = uris.iter().map(|_| Found::default()).collect();
        Self {
            fixed: (!asks).then(|| all.clone()),
            known: Mutex::new(Known { all, found }),
            name_servers: None,
        }
    }

    /// The same, asking these name servers for SRV records.
    pub(crate) fn asking(mut self, name_servers: Vec<SocketAddr>) -> Self {
        self.name_servers = Some(name_servers);
        self
    }

    /// The servers in the order of `ldapdb_uri`, and what went wrong on the way.
    pub(crate) fn now(&self, uris: &[Uri], deadline: Deadline) -> (Vec<Arc<Place>>, Vec<Fault>) {
        if let Some(fixed) = &self.fixed {
            return (fixed.clone(), Vec::new());
        }
        let (mut places, mut faults) = (Vec::new(), Vec::new());
        for (listed, uri) in uris.iter().enumerate() {
            let (known, fault) = self.of(listed, uri, deadline);
            places.extend(known);
            faults.extend(fault);
        }
        (places, faults)
    }

    /// The servers that one URI of the list stands for, and what went wrong.
    pub(crate) fn of(
        &self,
        listed: usize,
        uri: &Uri,
        deadline: Deadline,
    ) -> (Vec<Arc<Place>>, Option<Fault>) {
        if uri.domain().is_none() {
            return (self.listed(listed).into_iter().collect(), None);
        }
        match self.fresh(listed) {
            Some(known) => (known, None),
            None => self.ask(listed, uri, deadline),
        }
    }

    fn listed(&self, listed: usize) -> Option<Arc<Place>> {
        let known = self.known.lock().ok()?;
        known.all.get(listed).cloned()
    }

    /// What records said, if that still holds.
    fn fresh(&self, listed: usize) -> Option<Vec<Arc<Place>>> {
        let known = self.known.lock().ok()?;
        let found = known.found.get(listed)?;
        let holds = found.until.is_some_and(|until| until > Instant::now());
        holds.then(|| found.places.clone())
    }

    /// Asks; without an answer what was known before is used.
    fn ask(
        &self,
        listed: usize,
        uri: &Uri,
        deadline: Deadline,
    ) -> (Vec<Arc<Place>>, Option<Fault>) {
        let domain = uri.domain().unwrap_or_default();
        let service = if uri.is_ldaps() { "_ldaps" } else { "_ldap" };
        let name = format!("{service}._tcp.{domain}");
        let servers = self.name_servers.clone().unwrap_or_else(dns::name_servers);
        let answer = dns::services(&name, &servers, deadline);
        let label = uri.label();
        let (uris, seconds, fault) = match answer {
            Err(why) => (None, SHORTEST, Some(Fault::unresolved(&label, &name, &why))),
            Ok(answer) => {
                let (near, far): (Vec<_>, Vec<_>) = answer
                    .records
                    .into_iter()
                    .partition(|record| is_within(&record.host, domain));
                let why = match far.first() {
                    Some(far) => format!("{} is not below {domain}, so it is not used", far.host),
                    None => "there is no such service".to_owned(),
                };
                let fault = Fault::unresolved(&label, &name, &why);
                let fault = near.is_empty().then_some(fault);
                let uris = in_order(near).into_iter().map(|record| uri.at(record));
                (Some(uris.collect::<Vec<_>>()), answer.seconds, fault)
            }
        };
        let hold = Duration::from_secs(seconds.clamp(SHORTEST, LONGEST).into());
        (self.keep(listed, uris, hold), fault)
    }

    /// Notes the servers of one URI; `None`: those of before.
    fn keep(&self, listed: usize, uris: Option<Vec<Uri>>, hold: Duration) -> Vec<Arc<Place>> {
        let Ok(mut known) = self.known.lock() else {
            return Vec::new();
        };
        let places = uris.map(|uris| {
            uris.into_iter()
                .filter_map(|uri| known.place(listed, uri))
                .collect()
        });
        let Some(found) = known.found.get_mut(listed) else {
            return Vec::new();
        };
        let hold = match places {
            None if !found.places.is_empty() => STALE,
            None => hold,
            Some(places) => {
                found.places = places;
                hold
            }
        };
        found.until = Instant::now().checked_add(hold);
        found.places.clone()
    }
}

impl Known {
    /// The place of a server, the old one if it has one.
    fn place(&mut self, listed: usize, uri: Uri) -> Option<Arc<Place>> {
        let mut all = self.all.iter();
        let same = |place: &&Arc<Place>| place.listed == listed && place.uri == uri;
        if let Some(place) = all.find(same) {
            return Some(place.clone());
        }
        let index = self.all.len();
        (index < MOST).then(|| {
            let place = Arc::new(Place { index, listed, uri });
            self.all.push(place.clone());
            place
        })
    }
}

/// Whether `host` is `domain` or below it.
fn is_within(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.to_ascii_lowercase(), domain.to_ascii_lowercase());
    let below = host.strip_suffix(&domain);
    below.is_some_and(|head| head.is_empty() || head.ends_with('.'))
}

/// Lower priorities first; among equals by chance, the heavier the sooner.
fn in_order(mut records: Vec<Record>) -> Vec<Record> {
    // RFC 2782: those without weight come first into the draw.
    records.sort_by_key(|record| (record.priority, record.weight));
    let mut order = Vec::new();
    while let Some(priority) = records.first().map(|record| record.priority) {
        let equal = || records.iter().take_while(|r| r.priority == priority);
        let total: usize = equal().map(|record| usize::from(record.weight)).sum();
        let drawn = crate::pool::random(total.saturating_add(1));
        let mut sum = 0_usize;
        let place = equal().position(|record| {
            sum = sum.saturating_add(usize::from(record.weight));
            sum >= drawn
        });
        order.push(records.remove(place.unwrap_or(0)));
    }
    order
}

impl Uri {
    /// The domain whose SRV records name the servers.
    pub(crate) fn domain(&self) -> Option<&str> {
        match &self.endpoint {
            Endpoint::Service(domain) => Some(domain),
            Endpoint::Tcp { .. } | Endpoint::Unix(_) => None,
        }
    }

    /// The server that `record` names, with what else this URI says.
    fn at(&self, record: Record) -> Self {
        Self {
            scheme: if self.is_ldaps() { "ldaps" } else { "ldap" },
            endpoint: Endpoint::Tcp {
                host: record.host,
                port: record.port,
                default_port: false,
            },
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(host: &str, priority: u16, weight: u16) -> Record {
        Record {
            priority,
            weight,
            port: 389,
            host: host.to_owned(),
        }
    }

    #[test]
    fn priorities_first_and_weights_by_chance() {
        let all = [
            record("later", 2, 9),
            record("light", 1, 1),
            record("heavy", 1, 9),
        ];
        let mut heavy_first = 0;
        for _ in 0..1000 {
            let order = in_order(all.to_vec());
            assert_eq!(order[2].host, "later");
            heavy_first += usize::from(order[0].host == "heavy");
        }
        assert!((700..990).contains(&heavy_first), "{heavy_first}");
        assert_eq!(in_order(vec![record("a", 0, 0); 3]).len(), 3);
    }

    #[test]
    fn only_servers_of_the_domain() {
        for (host, within) in [
            ("ldap1.example.com", true),
            ("LDAP1.Example.com", true),
            ("example.com", true),
            ("badexample.com", false),
            ("evil.example", false),
            ("com", false),
        ] {
            assert_eq!(is_within(host, "example.com"), within, "{host}");
        }
    }
}
