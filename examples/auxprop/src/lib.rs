// SPDX-License-Identifier: MIT OR Apache-2.0
//! An auxprop plugin: users in a text file (option `words_file`), one line
//! `user:property:value` for each value. docs/plugins.md walks through it.

use core::ffi::CStr;
use saslplug::export::Load;
use saslplug::{Auxprop, Code, Error, Found, Host, Query, Result, Secret};
use std::{fs, sync::Arc};

struct Words(String);

impl Load for Words {
    const NAME: &'static str = "words";

    fn load(host: &dyn Host) -> Result<Arc<Self>> {
        let no_file = Error::new(Code::FAIL, "option words_file is not set");
        let path = host.option(Self::NAME, "words_file").ok_or(no_file)?;
        Ok(Arc::new(Words(path)))
    }
}

impl Auxprop for Words {
    fn name(&self) -> &CStr {
        c"words"
    }

    fn lookup(&self, _: &dyn Host, query: &Query<'_>) -> Result<Found> {
        let text = fs::read(&self.0).map(Secret::new);
        let text = text.map_err(|e| Error::with(Code::UNAVAIL, format!("{}: {e}", self.0)))?;
        let lines = text.as_bytes().split(|byte| *byte == b'\n');
        let fields = lines.map(|line| line.splitn(3, |byte| *byte == b':').collect::<Vec<_>>());
        let mine: Vec<_> = fields
            .filter(|line| line.first() == Some(&query.user))
            .collect();
        if mine.is_empty() {
            return Err(Error::new(Code::NOUSER, "no such user in the file"));
        }
        let mut found = Vec::new();
        for (at, name) in query.names.iter().enumerate() {
            let values = mine.iter().filter_map(|line| match line.as_slice() {
                [_, property, value] if *property == name.to_bytes() => Some(Secret::from(*value)),
                _ => None,
            });
            found.push((at, values.collect()));
        }
        Ok(Found(found))
    }
}

saslplug::export_auxprop!(Words, words_auxprop_plug_init, features = 0);
