// SPDX-License-Identifier: MIT OR Apache-2.0
//! The gssapiv2 plugin: GSSAPI (RFC 4752) and GSS-SPNEGO, one `.so` for stock
//! libsasl2 and for ours. Without libgssapi_krb5 on the machine it offers
//! nothing and says nothing. The work is done by `gss`.
#![forbid(unsafe_code)]

use mech::{ClientMech, ServerMech};
use mechplug::Mechanisms;
use saslplug::{Host, Result};

struct Plugin;

impl Mechanisms for Plugin {
    const NAME: &'static str = "gssapiv2";

    fn servers(host: &dyn Host) -> Result<Vec<&'static dyn ServerMech>> {
        gss::server_ready(host)?;
        Ok(vec![&gss::gssapi::SERVER, &gss::spnego::SERVER])
    }

    fn clients(_host: &dyn Host) -> Result<Vec<&'static dyn ClientMech>> {
        gss::ready()?;
        Ok(vec![&gss::gssapi::CLIENT, &gss::spnego::CLIENT])
    }
}

mechplug::export_mechs!(Plugin, gssapiv2_server_plug_init, gssapiv2_client_plug_init);
