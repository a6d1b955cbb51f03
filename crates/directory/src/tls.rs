// SPDX-License-Identifier: MIT OR Apache-2.0
//! TLS by the system's OpenSSL: ldaps:// and what follows StartTLS.
//!
//! The certificate must come from a trusted issuer and name the host among its
//! subject alternative names; the common name counts for nothing. A handshake
//! that fails is never followed by clear text. `docs/decisions/openssl.md`
//! tells why OpenSSL.
#![forbid(unsafe_code)]

use crate::config::TlsOptions;
use crate::deadline::Deadline;
use crate::transport::{Broken, Socket};
use nix::poll::PollFlags;
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    Error, ErrorCode, ShutdownState, Ssl, SslContext, SslFiletype, SslMethod, SslStream,
    SslVerifyMode, SslVersion,
};
use openssl::x509::store::X509Lookup;
use openssl::x509::verify::X509CheckFlags;
use openssl::x509::{X509NameRef, X509Ref, X509StoreContextRef};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

mod about;

/// How long what was read from the certificate files counts: a renewed
/// certificate is used within a minute.
const FRESH: Duration = Duration::from_secs(60);

/// What the options say about TLS, ready for use.
#[derive(Debug, Default)]
pub(crate) struct Tls(Mutex<Option<(Instant, SslContext)>>);

/// A connection inside TLS.
#[derive(Debug)]
pub(crate) struct Stream(SslStream<Socket>);

/// Why there is no TLS.
pub(crate) enum Refused {
    /// In words.
    Because(String),
    /// The other side said nothing in time.
    TimedOut,
}

impl From<String> for Refused {
    fn from(why: String) -> Self {
        Self::Because(why)
    }
}

/// What the check of a certificate found.
type Finding = Arc<Mutex<Option<String>>>;

impl Tls {
    /// Runs the handshake with the server `host` over `socket`.
    ///
    /// # Errors
    /// Why it failed, in words.
    pub(crate) fn handshake(
        &self,
        options: &TlsOptions,
        host: &str,
        socket: Socket,
        deadline: Deadline,
    ) -> Result<Stream, Refused> {
        forget_errors();
        let context = self.context(options)?;
        let finding = Finding::default();
        let ssl = prepare(&context, options, host, &finding)
            .map_err(|errors| words(&errors, "cannot begin"))?;
        let mut stream = SslStream::new(ssl, socket).map_err(|e| words(&e, "cannot begin"))?;
        loop {
            let Err(error) = stream.connect() else {
                return Ok(Stream(stream));
            };
            match wait_for(stream.get_ref(), &error, deadline) {
                Ok(true) => {}
                Err(Broken::TimedOut) => return Err(Refused::TimedOut),
                Ok(false) | Err(_) => {
                    let found = finding.lock().ok().and_then(|mut found| found.take());
                    let why = found.unwrap_or_else(|| explain(&error));
                    forget_errors();
                    return Err(why.into());
                }
            }
        }
    }

    fn context(&self, options: &TlsOptions) -> Result<SslContext, String> {
        let mut kept = self.0.try_lock().ok();
        if let Some(Some((since, context))) = kept.as_deref() {
            if since.elapsed() < FRESH {
                return Ok(context.clone());
            }
        }
        let context = context(options)?;
        if let Some(kept) = &mut kept {
            **kept = Some((Instant::now(), context.clone()));
        }
        Ok(context)
    }
}

fn context(options: &TlsOptions) -> Result<SslContext, String> {
    let failed = |errors: ErrorStack| words(&errors, "OpenSSL cannot begin");
    let mut builder = SslContext::builder(SslMethod::tls_client()).map_err(failed)?;
    builder
        .set_min_proto_version(Some(SslVersion::TLS1_2))
        .map_err(failed)?;
    if options.ca_file.is_none() && options.ca_dir.is_none() {
        builder.set_default_verify_paths().map_err(failed)?;
    }
    if let Some(file) = &options.ca_file {
        builder
            .set_ca_file(file)
            .map_err(|e| unread("ldapdb_tls_cacert_file", file, &e))?;
    }
    if let Some(folder) = &options.ca_dir {
        builder
            .cert_store_mut()
            .add_lookup(X509Lookup::hash_dir())
            .and_then(|lookup| lookup.add_dir(folder, SslFiletype::PEM))
            .map_err(|e| unread("ldapdb_tls_cacert_dir", folder, &e))?;
    }
    if let Some((certificate, key)) = &options.identity {
        builder
            .set_certificate_chain_file(certificate)
            .map_err(|e| unread("ldapdb_tls_cert", certificate, &e))?;
        let pem = std::fs::read(key)
            .map(Zeroizing::new)
            .map_err(|e| format!("cannot read ldapdb_tls_key {key}: {e}"))?;
        // No key with a pass phrase: OpenSSL would ask on the terminal.
        let loaded = PKey::private_key_from_pem_callback(&pem, |_| Ok(0))
            .map_err(|e| unread("ldapdb_tls_key", key, &e))?;
        builder
            .set_private_key(&loaded)
            .and_then(|()| builder.check_private_key())
            .map_err(|e| words(&e, "ldapdb_tls_key does not fit ldapdb_tls_cert"))?;
    }
    Ok(builder.build())
}

fn prepare(
    context: &SslContext,
    options: &TlsOptions,
    host: &str,
    finding: &Finding,
) -> Result<Ssl, ErrorStack> {
    let mut ssl = Ssl::new(context)?;
    let address = host.parse::<IpAddr>();
    if address.is_err() {
        ssl.set_hostname(host)?;
    }
    if !options.check_peer {
        ssl.set_verify(SslVerifyMode::NONE);
        return Ok(ssl);
    }
    let checks = ssl.param_mut();
    checks
        .set_hostflags(X509CheckFlags::NEVER_CHECK_SUBJECT | X509CheckFlags::NO_PARTIAL_WILDCARDS);
    match address {
        Ok(address) => checks.set_ip(address)?,
        Err(_) => checks.set_host(host)?,
    }
    let (finding, host) = (finding.clone(), host.to_owned());
    let trusted = options.trusted();
    ssl.set_verify_callback(SslVerifyMode::PEER, move |good, chain| {
        if !good {
            if let Ok(mut found) = finding.lock() {
                found.get_or_insert_with(|| fault_of(chain, &host, &trusted));
            }
        }
        good
    });
    Ok(ssl)
}

/// `X509_V_ERR_*` of `openssl/x509_vfy.h`.
const NO_ISSUER: i32 = 2;
const NOT_YET_VALID: i32 = 9;
const EXPIRED: i32 = 10;
const SELF_SIGNED: i32 = 18;
const SELF_SIGNED_IN_CHAIN: i32 = 19;
const NO_LOCAL_ISSUER: i32 = 20;
const NO_FIRST_ISSUER: i32 = 21;
const WRONG_HOST: i32 = 62;
const WRONG_ADDRESS: i32 = 64;

/// What is wrong with the certificate that `chain` stopped at.
fn fault_of(chain: &X509StoreContextRef, host: &str, trusted: &str) -> String {
    let Some(certificate) = chain.current_cert() else {
        return chain.error().error_string().to_owned();
    };
    let (subject, issuer) = (
        name(certificate.subject_name()),
        name(certificate.issuer_name()),
    );
    match chain.error().as_raw() {
        WRONG_HOST | WRONG_ADDRESS => {
            format!(
                "the certificate is for {}, not \"{host}\" (ldapdb_tls_name)",
                alternative_names(certificate)
            )
        }
        EXPIRED => {
            format!(
                "the certificate of {subject} expired on {}",
                certificate.not_after()
            )
        }
        NOT_YET_VALID => {
            format!(
                "the certificate of {subject} begins on {}",
                certificate.not_before()
            )
        }
        NO_ISSUER | SELF_SIGNED | SELF_SIGNED_IN_CHAIN | NO_LOCAL_ISSUER | NO_FIRST_ISSUER => {
            format!("issuer {issuer} not trusted; {trusted} (ldapdb_tls_cacert_file)")
        }
        _ => format!(
            "the certificate of {subject}: {}",
            chain.error().error_string()
        ),
    }
}

/// The certificate's names, as they count for the check.
fn alternative_names(certificate: &X509Ref) -> String {
    let address = |bytes: &[u8]| match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
    };
    let names = certificate.subject_alt_names();
    let names: Vec<String> = names
        .iter()
        .flatten()
        .filter_map(|name| {
            let text = name.dnsname().map(str::to_owned);
            text.or_else(|| Some(address(name.ipaddress()?)?.to_string()))
        })
        .take(5)
        .map(|name| format!("\"{name}\""))
        .collect();
    match names.is_empty() {
        true => "nobody (it has no subjectAltName)".to_owned(),
        false => names.join(", "),
    }
}

/// `"cn, o"`, the most telling parts of a name.
fn name(name: &X509NameRef) -> String {
    let parts: Vec<String> = name
        .entries()
        .filter_map(|entry| entry.data().to_string().ok())
        .collect();
    format!("\"{}\"", parts.join(", "))
}

impl Stream {
    pub(crate) fn socket(&self) -> &Socket {
        self.0.get_ref()
    }

    /// Whether no decrypted byte waits.
    pub(crate) fn is_quiet(&self) -> bool {
        self.0.ssl().pending() == 0
    }

    pub(crate) fn send(&mut self, bytes: &[u8], deadline: Deadline) -> Result<usize, Broken> {
        forget_errors();
        loop {
            match self.0.ssl_write(bytes) {
                Ok(sent) => return Ok(sent),
                Err(error) => self.go_on(&error, deadline)?,
            }
        }
    }

    pub(crate) fn receive(&mut self, into: &mut [u8], deadline: Deadline) -> Result<usize, Broken> {
        forget_errors();
        loop {
            match self.0.ssl_read(into) {
                Ok(count) => return Ok(count),
                Err(error) if error.code() == ErrorCode::ZERO_RETURN => return Ok(0),
                Err(error) => self.go_on(&error, deadline)?,
            }
        }
    }

    fn go_on(&self, error: &Error, deadline: Deadline) -> Result<(), Broken> {
        if wait_for(self.socket(), error, deadline)? {
            return Ok(());
        }
        let why = explain(error);
        forget_errors();
        Err(Broken::Closed(format!("the connection broke: {why}")))
    }

    /// The last message and close_notify, if they can go at once.
    pub(crate) fn say_goodbye(&mut self, bytes: &[u8]) {
        forget_errors();
        if self.0.ssl_write(bytes).is_ok() {
            let _ = self.0.shutdown();
        }
        self.0
            .set_shutdown(ShutdownState::SENT | ShutdownState::RECEIVED);
        forget_errors();
    }
}

/// Waits for what OpenSSL wants; `false`: it wants nothing, it failed.
fn wait_for(socket: &Socket, error: &Error, deadline: Deadline) -> Result<bool, Broken> {
    match error.code() {
        ErrorCode::WANT_READ => socket.wait(PollFlags::POLLIN, deadline)?,
        ErrorCode::WANT_WRITE => socket.wait(PollFlags::POLLOUT, deadline)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// OpenSSL keeps errors per thread, and a stale one of the host's would look
/// like ours; ours must not look like the host's.
fn forget_errors() {
    drop(ErrorStack::get());
}

fn explain(error: &Error) -> String {
    if let Some(stack) = error.ssl_error() {
        return match words(stack, "") {
            text if text.contains("wrong version number") => {
                "the server does not speak TLS there (LDAP in clear?)".to_owned()
            }
            text => text,
        };
    }
    match error.io_error() {
        Some(error) => error.to_string(),
        None => "the server closed the connection during TLS".to_owned(),
    }
}

/// What OpenSSL says, without its file names.
fn words(errors: &ErrorStack, what: &str) -> String {
    let reasons: Vec<&str> = errors
        .errors()
        .iter()
        .filter_map(openssl::error::Error::reason)
        .collect();
    let reasons = match reasons.is_empty() {
        true => "OpenSSL gives no reason".to_owned(),
        false => reasons.join(", "),
    };
    match what {
        "" => reasons,
        what => format!("{what}: {reasons}"),
    }
}

fn unread(option: &str, path: &str, errors: &ErrorStack) -> String {
    match std::fs::metadata(path) {
        Err(error) => format!("cannot read {option} {path}: {error}"),
        Ok(_) => words(errors, &format!("cannot use {option} {path}")),
    }
}
