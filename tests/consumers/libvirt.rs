// SPDX-License-Identifier: MIT OR Apache-2.0
//! libvirtd and virsh over TCP, where libvirt wants a security layer of at
//! least 56 bits. Unpacked: it is large.

use crate::site::{LIMIT, PASSWORD, REALM, Ran, Site, USER, WRONG};
use lab::account::Account;
use lab::consumer::{Consumer, Origin};
use lab::library::Library;
use lab::process::{Process, in_session};
use lab::scratch::set_mode;
use lab::{maps, packages, port, private};
use std::net::SocketAddr;
use std::path::Path;

const LIBVIRT: Consumer = Consumer {
    program: "libvirtd, virsh",
    package: "libvirt-daemon",
    side: "both",
    mechanisms: "DIGEST-MD5 (with a layer)",
    origin: Origin::Unpacked(&["libvirt-daemon", "libvirt-clients"]),
};

/// Not root: the daemon of a user touches nothing of the system.
const ACCOUNT: &str = "nobody";

fn serve(site: &Site, root: &Path, address: SocketAddr, mechanisms: &str) -> Process {
    let owner = Account::named(ACCOUNT).unwrap();
    let home = site.scratch.folder_of("home", owner).unwrap();
    set_mode(&home, 0o700).unwrap();
    let lines = format!(
        "listen_tls = 0\nlisten_tcp = 1\nlisten_addr = \"{}\"\ntcp_port = \"{}\"\n\
         auth_tcp = \"sasl\"\nsasl_allowed_username_list = [ \"{USER}\" ]\n\
         log_outputs = \"2:stderr\"\n",
        address.ip(),
        address.port()
    );
    let file = site.scratch.file("libvirtd.conf", &lines).unwrap();
    site.scratch
        .file("libvirt.conf", &site.options(mechanisms))
        .unwrap();
    let mut command = in_session("env");
    command
        .args(site.environment(root))
        .args(private::named(REALM));
    let (home, modules) = (
        home.display(),
        root.join(packages::libraries()).join("libvirt"),
    );
    command.args([format!("HOME={home}"), format!("XDG_RUNTIME_DIR={home}")]);
    command.arg(format!(
        "LIBVIRT_DRIVER_DIR={}/connection-driver",
        modules.display()
    ));
    command.args(["setpriv", "--clear-groups", "--reuid", ACCOUNT, "--regid"]);
    command
        .arg(owner.gid.to_string())
        .arg(root.join("usr/sbin/libvirtd"));
    command.args(["--listen", "-f"]).arg(file);
    let log = site.path("libvirtd.log");
    let mut process = Process::start("libvirtd", &mut command, &log).unwrap();
    process
        .wait_ready(LIMIT, || Ok(!port::refuses(address)))
        .unwrap();
    process
}

fn list(site: &Site, root: &Path, address: SocketAddr, password: &str) -> Ran {
    let lines = format!(
        "[credentials-lab]\nauthname={USER}\npassword={password}\n\
         [auth-libvirt-{}]\ncredentials=lab\n",
        address.ip()
    );
    let file = site.scratch.file("logins", &lines).unwrap();
    let uri = format!("test+tcp://{address}/default?authfile={}", file.display());
    let virsh = root.join("usr/bin/virsh").display().to_string();
    site.run(root, &[&virsh, "-c", &uri, "list", "--all"])
}

fn manages(which: Library, root: &Path) {
    let site = Site::new(which);
    let address = port::free().unwrap();
    let server = serve(&site, root, address, "PLAIN DIGEST-MD5 CRAM-MD5");
    maps::require_only(server.id(), site.placed.library()).unwrap();
    for _ in 0..2 {
        let right = list(&site, root, address, PASSWORD);
        assert!(
            right.ok && right.said.contains("running"),
            "{right:?} {}",
            server.output()
        );
        let wrong = list(&site, root, address, WRONG);
        assert!(!wrong.ok, "{wrong:?}");
        assert!(wrong.said.contains("authentication failed"), "{wrong:?}");
    }
    assert!(!server.output().contains(WRONG));
    drop(server);
    // Without a mechanism that has a layer there is nothing to offer.
    let address = port::free().unwrap();
    let server = serve(&site, root, address, "CRAM-MD5 SCRAM-SHA-256");
    let none = list(&site, root, address, PASSWORD);
    assert!(!none.ok, "{none:?} {}", server.output());
}

on_both!(both, LIBVIRT, manages);
