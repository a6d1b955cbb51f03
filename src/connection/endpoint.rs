// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a connection is called: connections of one service share it.
#![forbid(unsafe_code)]

use core::ffi::CStr;
use std::ffi::CString;
use std::sync::{Arc, Mutex, PoisonError};

/// The names given to `sasl_server_new` or `sasl_client_new`.
#[derive(Debug, Default)]
pub(crate) struct Endpoint {
    /// The service (`imap`).
    pub(crate) service: CString,
    /// The server's name, lower case; a client may have none.
    pub(crate) server_fqdn: Option<CString>,
}

impl Endpoint {
    fn is(&self, service: &CStr, server_fqdn: Option<&CStr>) -> bool {
        let same_name = match (&self.server_fqdn, server_fqdn) {
            (Some(known), Some(name)) => {
                known.as_c_str() == name || known.to_bytes().eq_ignore_ascii_case(name.to_bytes())
            }
            (known, name) => known.is_none() && name.is_none(),
        };
        same_name && self.service.as_c_str() == service
    }
}

/// The latest names: a program mostly uses the same ones.
#[derive(Default)]
pub(crate) struct Endpoints(Mutex<Option<Arc<Endpoint>>>);

impl Endpoints {
    /// The names as a connection keeps them, that of the server in lower case
    /// (ASCII only, as DNS compares).
    pub(crate) fn get(&self, service: &CStr, server_fqdn: Option<&CStr>) -> Arc<Endpoint> {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = latest
            .as_ref()
            .filter(|known| known.is(service, server_fqdn))
        {
            return Arc::clone(known);
        }
        let fresh = Arc::new(Endpoint {
            service: service.to_owned(),
            server_fqdn: server_fqdn.map(lower),
        });
        latest.insert(fresh).clone()
    }
}

/// A name in lower case.
fn lower(name: &CStr) -> CString {
    let mut text = name.to_bytes_with_nul().to_vec();
    text.make_ascii_lowercase();
    CString::from_vec_with_nul(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_shared_and_others_are_not() {
        let all = Endpoints::default();
        let first = all.get(c"imap", Some(c"Host.Example"));
        assert_eq!(first.server_fqdn.as_deref(), Some(c"host.example"));
        assert!(Arc::ptr_eq(
            &first,
            &all.get(c"imap", Some(c"HOST.example"))
        ));
        for (service, name) in [
            (c"smtp", Some(c"host.example")),
            (c"imap", Some(c"host.example.org")),
            (c"imap", Some(c"")),
            (c"imap", None),
            (c"", None),
        ] {
            let other = all.get(service, name);
            assert_eq!(other.service.as_c_str(), service);
            assert_eq!(other.server_fqdn.as_deref(), name);
        }
    }
}
