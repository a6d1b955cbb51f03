// SPDX-License-Identifier: MIT OR Apache-2.0
//! What `sasl_server_init` and `sasl_client_init` build, and the counts of who
//! uses it. One [`Library`] lives from the first init to the last done; a
//! connection holds on to it, so nothing that it needs goes away under it.
#![forbid(unsafe_code)]

use crate::application::{Application, log_line};
use crate::config;
use crate::connection::Endpoints;
use crate::ffi::os;
use crate::lookup::Stores;
use crate::mechanisms::{Tables, Wanted};
use crate::registry::Registry;
use core::fmt;
use saslplug::{Auxprop, Code, Error, Handle, Host, Level, Result, Secret};
use std::ffi::{CStr, CString};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{self, ThreadId};

/// The callbacks given to an init, shared by all threads.
pub(crate) type Program = Arc<dyn Global>;

/// What only the program as a whole is asked.
pub(crate) trait Global: Application + Send + Sync {
    /// `SASL_CB_GETPATH`: folders of plugins, separated by `:`.
    fn plugin_path(&self) -> Option<Result<CString>>;
    /// `SASL_CB_GETCONFPATH`: folders of configuration files.
    fn config_path(&self) -> Option<Result<CString>>;
    /// `SASL_CB_VERIFYFILE`: the callback's code, OK without one.
    fn verify_file(&self, path: &CStr, kind: u32) -> Code;
}

/// Everything between the first init and the last done.
#[derive(Default)]
pub(crate) struct Library {
    /// Property stores, canonicalisers, verifiers.
    pub(crate) registry: Registry,
    programs: RwLock<Programs>,
    folders: RwLock<Option<Arc<[PathBuf]>>>,
    /// Which mechanisms there are to be, as the last init read it.
    pub(crate) wanted: RwLock<Wanted>,
    /// Whether the log knows why mechanisms are not offered.
    pub(crate) told_hidden: AtomicBool,
    /// The property stores of the latest value of `auxprop_plugin`.
    pub(crate) stores: RwLock<Option<Arc<Stores>>>,
    /// The names that connections share.
    pub(crate) endpoints: Endpoints,
    /// The mechanism tables, as long as no plugin joins or leaves.
    pub(crate) tables: RwLock<Tables>,
}

#[derive(Default)]
struct Programs {
    server: Option<Program>,
    client: Option<Program>,
    latest: Option<Program>,
    name: Option<Arc<CStr>>,
}

/// The two sides of the library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// `sasl_server_*`.
    Server,
    /// `sasl_client_*`.
    Client,
}

struct State {
    library: Option<Arc<Library>>,
    server: u32,
    client: u32,
}

static STATE: Mutex<State> = Mutex::new(State {
    library: None,
    server: 0,
    client: 0,
});

/// One init or done at a time, so that the end of one use of the library does
/// not take apart what the beginning of the next is building. A callback or a
/// plugin that calls an init or a done itself goes on: its thread has the turn.
struct Turns {
    holder: Option<ThreadId>,
    depth: u32,
}

static TURNS: Mutex<Turns> = Mutex::new(Turns {
    holder: None,
    depth: 0,
});
static TURN_OVER: Condvar = Condvar::new();

/// The right to bring a side up or down, until it is dropped.
pub(crate) struct Turn(());

/// Waits for the turn. Nothing but an init or a done waits here: no lock is
/// held while the holder calls the program and plugins.
pub(crate) fn turn() -> Turn {
    let me = thread::current().id();
    let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
    while turns.holder.is_some_and(|holder| holder != me) {
        turns = TURN_OVER
            .wait(turns)
            .unwrap_or_else(PoisonError::into_inner);
    }
    turns.holder = Some(me);
    turns.depth = turns.depth.saturating_add(1);
    Turn(())
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut turns = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
        turns.depth = turns.depth.saturating_sub(1);
        if turns.depth == 0 {
            turns.holder = None;
            TURN_OVER.notify_one();
        }
    }
}

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

/// The library that is in use, made if there is none: a program may add
/// plugins before it calls an init.
pub(crate) fn current() -> Arc<Library> {
    Arc::clone(state().library.get_or_insert_default())
}

/// The library, if `side` is initialised.
///
/// # Errors
/// `NOTINIT`.
pub(crate) fn active(side: Side) -> Result<Arc<Library>> {
    let state = state();
    let count = if side == Side::Server {
        state.server
    } else {
        state.client
    };
    match &state.library {
        Some(library) if count > 0 => Ok(Arc::clone(library)),
        _ => Err(Error::bare(Code::NOTINIT)),
    }
}

/// Whether `side` is initialised.
pub(crate) fn is_active(side: Side) -> bool {
    let state = state();
    match side {
        Side::Server => state.server > 0,
        Side::Client => state.client > 0,
    }
}

/// Whether anything is initialised.
pub(crate) fn is_any_active() -> bool {
    is_active(Side::Server) || is_active(Side::Client)
}

/// One more user of a side that is initialised; `false` if it is not.
pub(crate) fn join(side: Side) -> bool {
    let mut state = state();
    let count = if side == Side::Server {
        &mut state.server
    } else {
        &mut state.client
    };
    if *count > 0 {
        *count = count.saturating_add(1);
    }
    *count > 0
}

/// The first user of a side.
pub(crate) fn begin(side: Side) {
    let mut state = state();
    let count = if side == Side::Server {
        &mut state.server
    } else {
        &mut state.client
    };
    *count = count.saturating_add(1);
}

/// What became of a `*_done`.
pub(crate) enum Left {
    /// Neither side was initialised.
    Nothing,
    /// Others still use this side.
    InUse,
    /// The side is down. `last` = the other is down too.
    Down {
        /// Whether the common state went too.
        last: bool,
    },
}

/// One user of `side` less.
pub(crate) fn leave(side: Side) -> Left {
    let (left, ended) = {
        let mut state = state();
        if state.server == 0 && state.client == 0 {
            return Left::Nothing;
        }
        let count = if side == Side::Server {
            &mut state.server
        } else {
            &mut state.client
        };
        if *count == 0 {
            return Left::InUse; // by the other side: stock says CONTINUE too
        }
        if *count > 1 {
            *count = count.saturating_sub(1);
            return Left::InUse;
        }
        *count = 0;
        let last = state.server == 0 && state.client == 0;
        let ended = if last {
            state.library.take()
        } else {
            state.library.clone()
        };
        (Left::Down { last }, ended)
    };
    if let Some(library) = ended {
        let last = matches!(left, Left::Down { last: true });
        library.end(side, last); // plugins' clean-up runs here, without the lock
    }
    left
}

impl Library {
    /// Takes the callbacks of an init.
    pub(crate) fn set_program(&self, side: Side, program: Program) {
        let mut programs = write(&self.programs);
        programs.latest = Some(Arc::clone(&program));
        match side {
            Side::Server => programs.server = Some(program),
            Side::Client => programs.client = Some(program),
        }
    }

    /// The callbacks of the latest init.
    pub(crate) fn program(&self) -> Option<Program> {
        read(&self.programs).latest.clone()
    }

    /// The name given to `sasl_server_init`.
    pub(crate) fn set_app_name(&self, name: &CStr) {
        write(&self.programs).name = Some(Arc::from(name));
    }

    /// The same.
    pub(crate) fn app_name(&self) -> Option<Arc<CStr>> {
        read(&self.programs).name.clone()
    }

    /// The plugin folders.
    pub(crate) fn folders(&self) -> Arc<[PathBuf]> {
        read(&self.folders).clone().unwrap_or_default()
    }

    /// Fixes the plugin folders until the last done; the first call counts.
    pub(crate) fn set_folders(&self, folders: impl FnOnce() -> Result<Vec<PathBuf>>) -> Result<()> {
        if read(&self.folders).is_some() {
            return Ok(());
        }
        let folders = folders()?; // may call the program: no lock here
        write(&self.folders).get_or_insert(folders.into());
        Ok(())
    }

    /// Every property store, newest first.
    pub(crate) fn stores(&self) -> Vec<Arc<dyn Auxprop>> {
        self.registry.auxprops(&self.folders(), None, |_| ())
    }

    /// An option where there is no connection.
    pub(crate) fn option(&self, plugin: Option<&CStr>, name: &CStr) -> Option<CString> {
        let mut found = None;
        for program in self.programs() {
            program.with_option(plugin, name, &mut |text| found = Some(text.to_owned()));
            if found.is_some() {
                return found;
            }
        }
        Some(config::options()?.get(name)?.to_owned())
    }

    /// The callbacks of both inits, the latest first: an option of the server
    /// is one also for a plugin that is opened after `sasl_client_init`.
    fn programs(&self) -> Vec<Program> {
        let programs = read(&self.programs);
        let mut all: Vec<Program> = Vec::new();
        for program in [&programs.latest, &programs.server, &programs.client]
            .into_iter()
            .flatten()
        {
            if !all.iter().any(|known| Arc::ptr_eq(known, program)) {
                all.push(Arc::clone(program));
            }
        }
        all
    }

    /// Logs where there is no connection: the program's log of the latest init,
    /// else the system's within the `log_level` of the configuration file.
    pub(crate) fn log(&self, level: Level, message: fmt::Arguments<'_>) {
        if let Some(program) = self.program().filter(|program| program.takes_log()) {
            program.log(level as i32, &log_line(message));
            return;
        }
        let wanted = config::options().and_then(|options| {
            let text = options.get(c"log_level")?.to_str().ok()?;
            text.trim().parse().ok()
        });
        if level as i32 <= wanted.unwrap_or(Level::Err as i32) {
            os::syslog(level as i32, &log_line(message));
        }
    }

    fn end(&self, side: Side, last: bool) {
        // What is remembered must not keep a plugin that is to go.
        let stores = write(&self.stores).take();
        let tables = core::mem::take(&mut *write(&self.tables));
        drop((stores, tables));
        if side == Side::Server {
            self.registry.forget_server();
            config::set_options(None);
        } else {
            self.registry.forget_client();
        }
        if last {
            self.registry.forget_canonusers();
            mech::forget_keys();
        }
        self.forget_program(side);
    }

    /// Forgets the callbacks of an init that is done or failed.
    pub(crate) fn forget_program(&self, side: Side) {
        let mut programs = write(&self.programs);
        match side {
            Side::Server => {
                programs.server = None;
                programs.name = None;
                programs.latest = programs.client.clone();
            }
            Side::Client => {
                programs.client = None;
                programs.latest = programs.server.clone();
            }
        }
    }
}

/// What a store may ask that is asked without a connection.
impl Host for Library {
    fn option(&self, plugin: &str, name: &str) -> Option<String> {
        let name = CString::new(name).ok()?;
        let plugin = CString::new(plugin).ok().filter(|name| !name.is_empty());
        let value = Library::option(self, plugin.as_deref(), &name)?;
        Some(value.to_string_lossy().into_owned())
    }

    fn property(&self, _: &CStr) -> Vec<Secret> {
        Vec::new()
    }

    fn log(&self, level: Level, message: fmt::Arguments<'_>) {
        Library::log(self, level, message);
    }

    fn handle(&self) -> Handle {
        Handle::NONE
    }
}
