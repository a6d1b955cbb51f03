// SPDX-License-Identifier: MIT OR Apache-2.0
//! The distribution's plugin viewer on the distribution's library lists our
//! plugins.

use lab::kdc::Kdc;
use lab::library::Library;
use lab::placed::{Placed, Way};
use lab::process;
use lab::scratch::Scratch;
use std::process::Command;

#[test]
fn stocks_viewer_lists_our_plugins() {
    let scratch = Scratch::new().unwrap();
    let placed = Placed::new(Library::Stock, &scratch).unwrap();
    for file in ["sasldb", "ldapdb", "sql", "gs2", "gssapiv2"] {
        placed.add_our_plugin(&format!("lib{file}.so")).unwrap();
    }
    let kdc = Kdc::start(&scratch).unwrap();
    let keytab = kdc.add_service("view", "keytab").unwrap();
    let view = |options: &[&str]| {
        let mut command = Command::new("timeout");
        command.args(["20", "env"]);
        command.args(placed.environment(Way::LibraryPath));
        command.arg("saslpluginviewer").args(options);
        command.envs(kdc.environment("nobody"));
        command.env("KRB5_KTNAME", &keytab);
        let output = process::run(&mut command).unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let stores = view(&["-a"]);
    for name in ["sasldb", "ldapdb", "sql"] {
        let line = format!("Plugin \"{name}\" ");
        assert!(stores.contains(&line), "no {name} in:\n{stores}");
    }
    for side in ["-s", "-c"] {
        let mechanisms = view(&[side]);
        for (name, plugin) in [
            ("GSSAPI", "gssapiv2"),
            ("GSS-SPNEGO", "gssapiv2"),
            ("GS2-KRB5", "gs2"),
            ("GS2-IAKERB", "gs2"),
        ] {
            let lines: Vec<_> = mechanisms.lines().collect();
            let head = format!("Plugin \"{plugin}\" [loaded]");
            let line = format!("\tSASL mechanism: {name},");
            let found = |pair: &[&str]| pair[0].starts_with(&head) && pair[1].starts_with(&line);
            assert!(lines.windows(2).any(found), "no {name} in:\n{mechanisms}");
        }
    }
}
