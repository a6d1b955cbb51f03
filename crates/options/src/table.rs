// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every option that the library, a mechanism or a plugin asks for: one table,
//! `table.tsv`. Programs, tests and the manual read it from here; a test fails
//! when code asks for an option that it lacks.
#![forbid(unsafe_code)]

/// One option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// Who asks: `core`, a mechanism or a plugin.
    pub asker: &'static str,
    /// What it may hold.
    pub values: Values,
    /// What holds without it, in words.
    pub default: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

/// What an option may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Values {
    /// `yes` or `no`.
    Switch,
    /// A number from 0.
    Number,
    /// A password: never shown.
    Secret,
    /// A file, folder or socket.
    Path,
    /// Any text.
    Text,
    /// One of these, separated by `|`.
    Words(&'static str),
}

impl Values {
    fn of(text: &'static str) -> Self {
        match text {
            "switch" => Self::Switch,
            "number" => Self::Number,
            "secret" => Self::Secret,
            "path" => Self::Path,
            "text" => Self::Text,
            words => Self::Words(words),
        }
    }
}

/// The whole table, in order.
pub fn all() -> impl Iterator<Item = Known> {
    let rows = include_str!("table.tsv").lines().skip(1);
    rows.filter_map(|row| {
        let mut cells = row.split('\t');
        Some(Known {
            name: cells.next()?,
            asker: cells.next()?,
            values: Values::of(cells.next()?),
            default: cells.next()?,
            meaning: cells.next()?,
        })
    })
}

/// The option of that name.
pub fn find(name: &str) -> Option<Known> {
    all().find(|known| known.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_whole_and_each_name_there_once() {
        let rows = include_str!("table.tsv").lines().skip(1);
        assert!(rows.clone().all(|row| row.split('\t').count() == 5));
        let mut names: Vec<&str> = all().map(|known| known.name).collect();
        assert_eq!(names.len(), rows.count());
        names.sort_unstable();
        let before = names.len();
        names.dedup();
        assert_eq!(names.len(), before);
        assert!(all().all(|known| !known.default.is_empty() && !known.meaning.is_empty()));
    }

    #[test]
    fn ldapdb_asks_for_nothing_else() {
        let mut table: Vec<&str> = all()
            .filter(|known| known.asker == "ldapdb")
            .map(|known| known.name)
            .collect();
        let mut asked: Vec<&str> = directory::Config::option_names().collect();
        table.sort_unstable();
        asked.sort_unstable();
        assert_eq!(table, asked);
    }
}
