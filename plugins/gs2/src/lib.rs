// SPDX-License-Identifier: MIT OR Apache-2.0
//! The gs2 plugin: GS2-KRB5 and GS2-IAKERB with their -PLUS variants
//! (RFC 5801), one `.so` for stock libsasl2 and for ours. Without
//! libgssapi_krb5 on the machine it offers nothing and says nothing. The work
//! is done by `gss`.
#![forbid(unsafe_code)]

use mech::{ClientMech, ServerMech};
use mechplug::Mechanisms;
use saslplug::{Host, Result};

struct Plugin;

impl Mechanisms for Plugin {
    const NAME: &'static str = "gs2";

    fn servers(host: &dyn Host) -> Result<Vec<&'static dyn ServerMech>> {
        gss::server_ready(host)?;
        Ok(vec![&gss::gs2::KRB5_SERVER, &gss::gs2::IAKERB_SERVER])
    }

    fn clients(_host: &dyn Host) -> Result<Vec<&'static dyn ClientMech>> {
        gss::ready()?;
        Ok(vec![&gss::gs2::KRB5_CLIENT, &gss::gs2::IAKERB_CLIENT])
    }
}

mechplug::export_mechs!(Plugin, gs2_server_plug_init, gs2_client_plug_init);
