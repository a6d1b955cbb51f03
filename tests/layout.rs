// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Rust mirrors of `saslplug::raw` against the C compiler: each size, each
//! offset and each constant becomes a `_Static_assert`, compiled against
//! Debian's headers and ours.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

use core::mem::{offset_of, size_of};
use lab::stage::{sources, target};
use saslplug::raw;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// A mirror: its size and its fields with their offsets.
type Mirror = (usize, Vec<(&'static str, usize)>);

macro_rules! mirrors {
    ($($name:ident { $($field:ident),+ $(,)? })+) => {
        BTreeMap::from([$((
            stringify!($name),
            (
                size_of::<raw::$name>(),
                vec![$((stringify!($field), offset_of!(raw::$name, $field))),+],
            ),
        )),+])
    };
}

fn mirrors() -> BTreeMap<&'static str, Mirror> {
    mirrors! {
        propval { name, values, nvalues, valsize }
        sasl_secret_t { len, data }
        sasl_security_properties_t {
            min_ssf, max_ssf, maxbufsize, security_flags, property_names, property_values,
        }
        sasl_callback_t { id, proc_, context }
        sasl_interact_t { id, challenge, prompt, defresult, result, len }
        sasl_channel_binding_t { name, critical, len, data }
        sasl_http_request_t { method, uri, entity, elen, non_persist }
        MD5_CTX { state, count, buffer }
        HMAC_MD5_CTX { ictx, octx }
        HMAC_MD5_STATE { istate, ostate }
        sasl_utils_t {
            version, conn, rpool, getopt_context, getopt, malloc, calloc, realloc, free,
            mutex_alloc, mutex_lock, mutex_unlock, mutex_free, MD5Init, MD5Update, MD5Final,
            hmac_md5, hmac_md5_init, hmac_md5_final, hmac_md5_precalc, hmac_md5_import, mkchal,
            utf8verify, rand, churn, checkpass, decode64, encode64, erasebuffer, getprop, setprop,
            getcallback, log, seterror, spare_fptr, prop_new, prop_dup, prop_request, prop_get,
            prop_getnames, prop_clear, prop_dispose, prop_format, prop_set, prop_setvals,
            prop_erase, auxprop_store, spare_fptr1, spare_fptr2,
        }
        sasl_out_params_t {
            doneflag, user, authid, ulen, alen, maxoutbuf, mech_ssf, encode_context, encode,
            decode_context, decode, client_creds, gss_peer_name, gss_local_name, cbindingname,
            spare_fptr1, spare_fptr2, cbindingdisp, spare_int2, spare_int3, spare_int4,
            param_version,
        }
        sasl_client_params_t {
            service, serverFQDN, clientFQDN, utils, prompt_supp, iplocalport, ipremoteport,
            servicelen, slen, clen, iploclen, ipremlen, props, external_ssf, gss_creds, cbinding,
            http_request, spare_ptr4, canon_user, spare_fptr1, cbindingdisp, log_level, spare_int3,
            flags, param_version,
        }
        sasl_server_params_t {
            service, appname, serverFQDN, user_realm, iplocalport, ipremoteport, servicelen,
            applen, slen, urlen, iploclen, ipremlen, log_level, utils, callbacks, props,
            external_ssf, transition, canon_user, propctx, gss_creds, cbinding, http_request,
            spare_ptr4, spare_fptr1, spare_fptr2, spare_int1, spare_int2, spare_int3, flags,
            param_version,
        }
        sasl_client_plug_t {
            mech_name, max_ssf, security_flags, features, required_prompts, glob_context, mech_new,
            mech_step, mech_dispose, mech_free, idle, spare_fptr1, spare_fptr2,
        }
        sasl_server_plug_t {
            mech_name, max_ssf, security_flags, features, glob_context, mech_new, mech_step,
            mech_dispose, mech_free, setpass, user_query, idle, mech_avail, spare_fptr2,
        }
        client_sasl_mechanism_t { version, plugname, plug }
        server_sasl_mechanism_t { version, condition, plugname, plug, f }
        sasl_canonuser_plug_t {
            features, spare_int1, glob_context, name, canon_user_free, canon_user_server,
            canon_user_client, spare_fptr1, spare_fptr2, spare_fptr3,
        }
        sasl_auxprop_plug_t {
            features, spare_int1, glob_context, auxprop_free, auxprop_lookup, name, auxprop_store,
        }
        sasl_auxprop_verify_plug_t {
            features, spare_int1, glob_context, name, verify_free, verify, shows_secrets,
            spare_fptr1, spare_fptr2,
        }
    }
}

/// Types without fields: `sasl_conn_t` and the like.
const OPAQUE: [&str; 3] = ["propctx", "sasl_conn_t", "sasl_rand_t"];
/// In our headers only.
const EXTENSIONS: [&str; 3] = [
    "sasl_auxprop_verify_plug_t",
    "SASL_AUXPROP_VERIFY_PLUG_VERSION",
    "SASL_AUXPROP_FEAT_VERIFY",
];
/// Of a later release: in neither header, but some programs pass it.
const LATER: [&str; 1] = ["SASL_CB_SERVER_CHANNEL_BINDING"];

/// The text of `crates/saslplug/src/raw`.
fn raw_text() -> String {
    let folder = sources().join("crates/saslplug/src/raw");
    let files = fs::read_dir(folder).unwrap();
    files
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect()
}

/// The structures written there and their fields.
fn written() -> BTreeMap<String, BTreeSet<String>> {
    let text = raw_text();
    let mut found = BTreeMap::new();
    for part in text.split("pub struct ").skip(1) {
        let (name, rest) = part.split_once(" {").unwrap();
        let (body, _) = rest.split_once("\n}").unwrap();
        let fields = body
            .lines()
            .filter_map(|line| line.strip_prefix("    pub "))
            .map(|line| line.split_once(':').unwrap().0.to_owned())
            .collect();
        found.insert(name.to_owned(), fields);
    }
    found
}

/// The constants written there, `NAME = value`.
fn constants() -> Vec<(String, String)> {
    let text = raw_text();
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub const "));
    lines
        .map(|line| {
            let (name, rest) = line.split_once(':').unwrap();
            let (_, value) = rest.split_once(" = ").unwrap();
            (name.to_owned(), value.trim_end_matches(';').to_owned())
        })
        .collect()
}

/// The name in C of a mirror and of a field.
fn in_c(name: &str) -> String {
    match name {
        "propval" => "struct propval".to_owned(),
        other => other.trim_end_matches('_').to_owned(),
    }
}

fn assertions(extensions: bool) -> String {
    let mut text = "#include <stddef.h>\n#include <sasl/sasl.h>\n#include <sasl/saslutil.h>\n\
                    #include <sasl/saslplug.h>\n"
        .to_owned();
    let skip = |name: &str| LATER.contains(&name) || (!extensions && EXTENSIONS.contains(&name));
    for (name, (size, fields)) in mirrors() {
        if skip(name) {
            continue;
        }
        let c = in_c(name);
        writeln!(text, "_Static_assert(sizeof({c}) == {size}, \"{c}\");").unwrap();
        for (field, offset) in fields {
            let field = in_c(field);
            writeln!(
                text,
                "_Static_assert(offsetof({c}, {field}) == {offset}, \"{c}.{field}\");"
            )
            .unwrap();
        }
    }
    for (name, value) in constants().iter().filter(|(name, _)| !skip(name)) {
        writeln!(text, "_Static_assert(({name}) == ({value}), \"{name}\");").unwrap();
    }
    for code in -101..3 {
        if let Some(name) = saslplug::Code(code).name() {
            writeln!(text, "_Static_assert(SASL_{name} == {code}, \"{name}\");").unwrap();
        }
    }
    text
}

fn compiles(name: &str, text: &str, include: PathBuf) {
    let folder = target().join("lab/layout");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{name}.c"));
    fs::write(&file, text).unwrap();
    let output = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Werror", "-fsyntax-only", "-I"])
        .arg(include)
        .arg(&file)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}

#[test]
fn every_mirror_and_field_is_checked() {
    let mirrors = mirrors();
    for (name, fields) in written() {
        if OPAQUE.contains(&name.as_str()) {
            assert!(fields.is_empty(), "{name}");
            continue;
        }
        let Some((_, checked)) = mirrors.get(name.as_str()) else {
            panic!("{name} is not checked");
        };
        let checked: BTreeSet<_> = checked
            .iter()
            .map(|(field, _)| (*field).to_owned())
            .collect();
        assert_eq!(checked, fields, "{name}");
    }
    assert!(constants().len() > 80, "{}", constants().len());
}

#[test]
fn rust_and_debians_headers_agree() {
    compiles("debian", &assertions(false), PathBuf::from("/usr/include"));
}

#[test]
fn rust_and_our_headers_agree() {
    compiles("ours", &assertions(true), sources().join("include"));
}

#[test]
fn a_wrong_offset_would_be_noticed() {
    let wrong = assertions(true).replace("offsetof(sasl_utils_t, free) == 64", "0");
    let result = std::panic::catch_unwind(|| {
        compiles("wrong", &wrong, sources().join("include"));
    });
    assert!(result.is_err());
}
