// SPDX-License-Identifier: MIT OR Apache-2.0
//! QEMU's VNC server, which wants a security layer of at least 56 bits on TCP,
//! and a client that speaks just enough of its protocol. Unpacked: it is large.

use crate::site::{LIMIT, PASSWORD, REALM, Site, USER, WRONG};
use lab::consumer::{Consumer, Origin};
use lab::library::Library;
use lab::openssl::{self, Login};
use lab::process::{Process, in_session};
use lab::{maps, port, private};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

const QEMU: Consumer = Consumer {
    program: "QEMU VNC",
    package: "qemu-system-x86",
    side: "server",
    mechanisms: "DIGEST-MD5 (with a layer)",
    origin: Origin::Unpacked(&["qemu-system-x86"]),
};

/// The security type of SASL.
const SASL: u8 = 20;

/// A connection.
struct Rfb {
    stream: TcpStream,
}

impl Rfb {
    /// Connects and chooses SASL; the mechanisms that are offered.
    fn connect(address: SocketAddr) -> io::Result<(Self, String)> {
        let mut rfb = Self {
            stream: TcpStream::connect(address)?,
        };
        rfb.stream.set_read_timeout(Some(LIMIT))?;
        assert_eq!(rfb.read(12)?, b"RFB 003.008\n");
        rfb.stream.write_all(b"RFB 003.008\n")?;
        let count = rfb.read(1)?;
        assert_eq!(rfb.read(usize::from(count[0]))?, [SASL]);
        rfb.stream.write_all(&[SASL])?;
        let offered = rfb.text()?;
        Ok((rfb, offered))
    }

    fn read(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn number(&mut self) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.stream.read_exact(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    /// A length and so many bytes, without the NUL at their end.
    fn text(&mut self) -> io::Result<String> {
        let count = self.number()?;
        assert!(count < 100_000, "{count}");
        let bytes = self.read(usize::try_from(count).unwrap())?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(text.trim_end_matches('\0').to_owned())
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let count = u32::try_from(bytes.len()).unwrap();
        self.stream.write_all(&count.to_be_bytes())?;
        self.stream.write_all(bytes)
    }

    /// What the server says in a step, and whether it was the last.
    fn step(&mut self) -> io::Result<(String, bool)> {
        let text = self.text()?;
        Ok((text, self.read(1)? == [1]))
    }

    /// Whether a login with DIGEST-MD5 is accepted; QEMU hangs up if not.
    fn digest(&mut self, user: &str, password: &str) -> io::Result<bool> {
        self.send(b"DIGEST-MD5")?;
        self.send(b"")?;
        let (challenge, done) = self.step()?;
        assert!(!done && challenge.contains("auth-conf"), "{challenge}");
        let login = Login {
            user,
            realm: REALM,
            password,
            uri: "vnc/lab.test",
        };
        let response = openssl::digest_md5(login, &challenge)?;
        self.send(format!("{response}\0").as_bytes())?;
        let (last, done) = self.step()?;
        assert!(done && last.starts_with("rspauth="), "{last}");
        Ok(self.number()? == 0)
    }
}

fn serve(site: &Site, root: &Path, mechanisms: &str) -> (Process, SocketAddr) {
    site.scratch
        .file("qemu.conf", &site.options(mechanisms))
        .unwrap();
    let address = port::free().unwrap();
    let mut command = in_session("env");
    command
        .args(site.environment(root))
        .args(private::named(REALM));
    command.arg(root.join("usr/bin/qemu-system-x86_64"));
    command.arg("-L").arg(root.join("usr/share/qemu"));
    command.args(["-M", "none", "-nodefaults", "-S", "-display"]);
    let display = address.port() - 5900;
    command.arg(format!("vnc={}:{display},sasl=on", address.ip()));
    let log = site.path("qemu.log");
    let mut process = Process::start("qemu", &mut command, &log).unwrap();
    process
        .wait_ready(LIMIT, || Ok(!port::refuses(address)))
        .unwrap();
    (process, address)
}

fn shows(which: Library, root: &Path) {
    let site = Site::new(which);
    let (server, address) = serve(&site, root, "PLAIN CRAM-MD5 DIGEST-MD5");
    maps::require_only(server.id(), site.placed.library()).unwrap();
    for _ in 0..2 {
        let (mut rfb, offered) = Rfb::connect(address).unwrap();
        assert_eq!(offered, "DIGEST-MD5");
        assert!(rfb.digest(USER, PASSWORD).unwrap(), "{}", server.output());
        for (user, password) in [(USER, WRONG), ("nobody", PASSWORD)] {
            let (mut rfb, _) = Rfb::connect(address).unwrap();
            let refused = rfb.digest(user, password).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::UnexpectedEof);
        }
        for mechanism in ["CRAM-MD5", "PLAIN", "DIGEST", ""] {
            let (mut rfb, _) = Rfb::connect(address).unwrap();
            rfb.send(mechanism.as_bytes()).unwrap();
            assert!(rfb.number().is_err(), "{mechanism}");
        }
    }
    assert!(!server.output().contains(WRONG));
}

on_both!(server, QEMU, shows);
