// SPDX-License-Identifier: MIT OR Apache-2.0
//! Our headers against Debian's: the same macros, functions, types and fields,
//! seen by the compiler and not by the eye; and they compile in old dialects.

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

use lab::stage::{sources, target};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const INCLUDES: &str = "#include <sasl/sasl.h>\n#include <sasl/saslutil.h>\n\
                        #include <sasl/saslplug.h>\n";
const SAMPLES: &str = "/usr/share/doc/libsasl2-dev/examples";

/// What ours has on purpose and Debian's has not.
const ADDED: [&str; 4] = [
    "MD5_H",
    "SASLPLUG_PRINTF",
    "SASL_AUXPROP_FEAT_VERIFY",
    "SASL_AUXPROP_VERIFY_PLUG_VERSION",
];

/// Every type name of the headers.
const TYPES: &str = "sasl_conn_t sasl_secret_t sasl_rand_t sasl_malloc_t sasl_calloc_t \
    sasl_realloc_t sasl_free_t sasl_mutex_alloc_t sasl_mutex_lock_t sasl_mutex_unlock_t \
    sasl_mutex_free_t sasl_ssf_t sasl_security_properties_t sasl_callback_t sasl_getopt_t \
    sasl_log_t sasl_getpath_t sasl_verify_type_t sasl_verifyfile_t sasl_getconfpath_t \
    sasl_getsimple_t sasl_getsecret_t sasl_chalprompt_t sasl_getrealm_t sasl_authorize_t \
    sasl_server_userdb_checkpass_t sasl_server_userdb_setpass_t sasl_canon_user_t \
    sasl_channel_binding_t sasl_http_request_t sasl_interact_t sasl_callback_ft \
    sasl_getcallback_t sasl_utils_t sasl_out_params_t sasl_info_callback_stage_t \
    sasl_cbinding_disp_t sasl_client_params_t sasl_client_plug_t sasl_client_plug_init_t \
    client_sasl_mechanism_t sasl_client_info_callback_t sasl_logmsg_p sasl_server_params_t \
    sasl_server_plug_t sasl_server_plug_init_t server_sasl_mechanism_t \
    sasl_server_info_callback_t sasl_canonuser_plug_t sasl_canonuser_init_t \
    sasl_auxprop_plug_t sasl_auxprop_init_t auxprop_info_callback_t MD5_CTX HMAC_MD5_CTX \
    HMAC_MD5_STATE POINTER INT1 INT2 INT4 INT8 UINT1 UINT2 UINT4 UINT8";

/// Tags of structures, in case a program writes `struct sasl_callback`.
const TAGS: &str = "propval propctx sasl_conn sasl_secret sasl_rand_s sasl_security_properties \
    sasl_callback sasl_channel_binding sasl_http_request sasl_interact sasl_utils \
    sasl_out_params sasl_client_params sasl_client_plug client_sasl_mechanism \
    sasl_server_params sasl_server_plug server_sasl_mechanism sasl_canonuser sasl_auxprop_plug \
    HMAC_MD5_CTX_s HMAC_MD5_STATE_s";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Debian,
    Ours,
}

impl Whose {
    fn name(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Ours => "ours",
        }
    }

    fn folder(self) -> PathBuf {
        match self {
            Self::Debian => PathBuf::from("/usr/include"),
            Self::Ours => sources().join("include"),
        }
    }
}

/// Writes a source file for one test and returns it with room for a result.
fn source(name: &str, text: &str) -> (PathBuf, PathBuf) {
    let folder = target().join("lab/headers");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{name}.c"));
    fs::write(&file, text).unwrap();
    (file, folder.join(format!("{name}.out")))
}

fn compile(compiler: &str, options: &[&str], whose: Whose, file: &Path, out: &Path) -> String {
    let output = Command::new(compiler)
        .args(options)
        .arg("-I")
        .arg(whose.folder())
        .arg("-I")
        .arg(whose.folder().join("sasl"))
        .arg("-c")
        .arg(file)
        .arg("-o")
        .arg(out)
        .output()
        .unwrap();
    if output.status.success() {
        String::from_utf8_lossy(&output.stdout).into_owned()
    } else {
        format!("FAILED\n{}", String::from_utf8_lossy(&output.stderr))
    }
}

fn macros(whose: Whose) -> BTreeMap<String, String> {
    let (file, _) = source("macros", INCLUDES);
    let output = Command::new("cc")
        .args(["-dM", "-E", "-I"])
        .arg(whose.folder())
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let relevant = ["SASL", "PROP", "MD5", "PROTO"];
    text.lines()
        .filter_map(|line| line.strip_prefix("#define "))
        .map(|line| match line.find([' ', '(']) {
            Some(at) => line.split_at(at),
            None => (line, ""),
        })
        .filter(|(name, _)| relevant.iter().any(|part| name.contains(part)))
        .map(|(name, value)| (name.to_owned(), value.split_whitespace().collect()))
        .collect()
}

#[test]
fn every_macro_has_its_value() {
    let debian = macros(Whose::Debian);
    let mut ours = macros(Whose::Ours);
    for name in ADDED {
        assert!(ours.remove(name).is_some(), "{name}");
        assert!(!debian.contains_key(name), "{name} is Debian's too");
    }
    assert!(debian.len() > 100, "{}", debian.len());
    assert_eq!(debian, ours);
}

/// The prototypes as the compiler understood them, without their place.
fn prototypes(whose: Whose) -> Vec<String> {
    let (file, out) = source(&format!("prototypes-{}", whose.name()), INCLUDES);
    let info = out.with_extension("info");
    let option = info.display().to_string();
    let failed = compile("cc", &["-aux-info", &option], whose, &file, &out);
    assert_eq!(failed, "");
    let mut found: Vec<_> = fs::read_to_string(info)
        .unwrap()
        .lines()
        .filter(|line| line.contains("/sasl/"))
        .map(|line| line.split_once("*/ ").unwrap().1.to_owned())
        .collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn every_function_has_its_type() {
    let debian = prototypes(Whose::Debian);
    assert!(debian.len() > 70, "{}", debian.len());
    assert_eq!(debian, prototypes(Whose::Ours));
}

#[test]
fn every_type_is_the_same_down_to_its_fields() {
    let mut text = INCLUDES.to_owned();
    for name in TYPES.split_whitespace() {
        text += &format!("{name} *use_{name}({name} *it) {{ return it; }}\n");
    }
    for tag in TAGS.split_whitespace() {
        text += &format!("struct {tag} *use_struct_{tag}(struct {tag} *it) {{ return it; }}\n");
    }
    let [debian, ours] = [Whose::Debian, Whose::Ours].map(|whose| {
        let (file, out) = source(&format!("types-{}", whose.name()), &text);
        let out = out.with_extension("so");
        let options = ["-g", "-fPIC", "-shared", "-Wno-error"];
        let status = Command::new("cc")
            .args(options)
            .arg("-I")
            .arg(whose.folder())
            .arg(&file)
            .arg("-o")
            .arg(&out)
            .status()
            .unwrap();
        assert!(status.success());
        out
    });
    let output = Command::new("abidiff")
        .args([&debian, &ours])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
}

#[test]
fn they_compile_in_every_dialect() {
    let dialects: [(&str, &[&str]); 5] = [
        ("cc", &["-std=c89", "-pedantic"]),
        ("cc", &["-std=c99", "-pedantic"]),
        ("cc", &["-std=c17", "-pedantic", "-Wstrict-prototypes"]),
        ("c++", &["-x", "c++", "-std=c++98", "-pedantic"]),
        ("c++", &["-x", "c++", "-std=c++17", "-pedantic"]),
    ];
    for (compiler, options) in dialects {
        let mut all = vec!["-Wall", "-Wextra", "-Werror"];
        all.extend(options);
        for header in ["prop.h", "sasl.h", "saslutil.h"] {
            let text = format!("#include <sasl/{header}>\n#include <sasl/{header}>\n");
            let (file, out) = source(&format!("alone-{header}"), &text);
            assert_eq!(compile(compiler, &all, Whose::Ours, &file, &out), "");
        }
        let (file, out) = source("dialect", &INCLUDES.repeat(2));
        assert_eq!(compile(compiler, &all, Whose::Ours, &file, &out), "");
    }
}

#[test]
fn debians_samples_compile_unchanged() {
    let mut compiled = 0;
    for entry in fs::read_dir(SAMPLES).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|end| end != "c") {
            continue;
        }
        let (_, out) = source("sample", "");
        let options = ["-w", "-DPLUGINDIR=\"/none\"", "-I", SAMPLES];
        // server.c wants the headers of GSS-API, which need not be here.
        if !compile("cc", &options, Whose::Debian, &file, &out).is_empty() {
            continue;
        }
        assert_eq!(compile("cc", &options, Whose::Ours, &file, &out), "");
        compiled += 1;
    }
    assert!(compiled >= 5, "only {compiled} samples compile");
}
