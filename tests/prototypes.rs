// SPDX-License-Identifier: MIT OR Apache-2.0
//! cbindgen reads the exported functions as the compiler of the library does,
//! writes their C prototypes, and the C compiler takes these after our headers:
//! a difference in a type is "conflicting types".

#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

use cbindgen::{Builder, Config, DocumentationStyle, Language, Style};
use lab::scratch::Scratch;
use lab::stage::sources;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A variadic function, which is in C, and an object.
const NO_RUST_FUNCTION: [&str; 2] = ["sasl_seterror", "sasl_global_utils"];

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") {
            into.push(path);
        }
    }
}

/// The prototypes of one source file. cbindgen wants `pub`; the library exports
/// without it.
fn prototypes(file: &Path, scratch: &Scratch, number: usize) -> String {
    let text = fs::read_to_string(file).unwrap();
    let text = text.replace("pub(crate) ", "pub ");
    let copy = scratch.file(&format!("export{number}.rs"), &text).unwrap();
    let mut config = Config {
        language: Language::C,
        style: Style::Type,
        documentation: false,
        documentation_style: DocumentationStyle::C,
        no_includes: true,
        cpp_compat: false,
        ..Config::default()
    };
    config.export.item_types = vec![cbindgen::ItemType::Functions];
    let bindings = Builder::new()
        .with_config(config)
        .with_src(&copy)
        .generate()
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut written = Vec::new();
    bindings.write(&mut written);
    String::from_utf8(written).unwrap()
}

fn all_prototypes(scratch: &Scratch) -> String {
    let mut files = Vec::new();
    rust_files(&sources().join("src/ffi"), &mut files);
    files.sort();
    let exporting = files
        .iter()
        .filter(|file| fs::read_to_string(file).unwrap().contains("no_mangle"));
    exporting
        .enumerate()
        .map(|(number, file)| in_c(&prototypes(file, scratch, number)))
        .collect()
}

/// What cbindgen cannot know: a nullable function type by name is a pointer, and
/// the three callbacks have names of their own in C. What only the C shim calls
/// is left out.
fn in_c(prototypes: &str) -> String {
    let names = [
        ("Option<ServerInfo>", "sasl_server_info_callback_t *"),
        ("Option<ClientInfo>", "sasl_client_info_callback_t *"),
        ("Option<AuxpropInfo>", "auxprop_info_callback_t *"),
    ];
    let mut text = prototypes.to_owned();
    for (rust, c) in names {
        text = text.replace(rust, c);
    }
    let text = text.replace("Option<", "").replace("_t>", "_t *");
    let exported = exported();
    let wanted = |one: &&str| {
        let head = one.split('(').next().unwrap_or_default();
        let name = head.rsplit([' ', '*', '\n']).next().unwrap_or_default();
        exported.contains(name)
    };
    text.split_inclusive(';').filter(wanted).collect()
}

/// The exported functions, from the version script.
fn exported() -> BTreeSet<String> {
    let map = fs::read_to_string(sources().join("include/libsasl2.map")).unwrap();
    map.lines()
        .filter_map(|line| line.trim().strip_suffix(';'))
        .filter(|name| *name != "*" && !name.contains('}') && !NO_RUST_FUNCTION.contains(name))
        .map(str::to_owned)
        .collect()
}

/// The C compiler's words about the headers followed by `prototypes`.
fn compile(prototypes: &str, scratch: &Scratch, name: &str) -> Result<(), String> {
    let text = format!(
        "#include <stddef.h>\n#include <stdint.h>\n#include <stdbool.h>\n\
         #include <sys/uio.h>\n#include <sasl/sasl.h>\n#include <sasl/saslutil.h>\n\
         #include <sasl/saslplug.h>\n#include <sasl/prop.h>\n#include <sasl/md5.h>\n\
         #include <sasl/hmac-md5.h>\n\
         typedef struct propctx propctx;\ntypedef struct propval propval;\n\
         typedef struct iovec iovec;\n{prototypes}"
    );
    let file = scratch.file(&format!("{name}.c"), &text).unwrap();
    let output = Command::new("cc")
        .args(["-std=gnu11", "-fsyntax-only", "-Werror", "-I"])
        .arg(sources().join("include"))
        .arg(&file)
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_headers_say_what_the_functions_are() {
    let scratch = Scratch::new().unwrap();
    let prototypes = all_prototypes(&scratch);
    let missing: Vec<_> = exported()
        .into_iter()
        .filter(|name| !prototypes.contains(&format!("{name}(")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}\n{prototypes}");
    let count = exported().len();
    println!("{count} prototypes");
    assert_eq!(count, 70);
    compile(&prototypes, &scratch, "all").unwrap_or_else(|said| panic!("{said}"));
}

#[test]
fn a_difference_would_be_found() {
    let scratch = Scratch::new().unwrap();
    let wrong = "int sasl_done(void);\n";
    let said = compile(wrong, &scratch, "wrong").unwrap_err();
    assert!(said.contains("conflicting types"), "{said}");
}
