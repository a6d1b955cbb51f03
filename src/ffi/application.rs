// SPDX-License-Identifier: MIT OR Apache-2.0
//! The program's callbacks: `sasl_callback_t` lists as [`Application`] and
//! [`Global`]. Foreign code is called here and in `ffi/plugin/` only; no borrow
//! and no lock is alive meanwhile.

use crate::application::{Application, Asked, Authorisation};
use crate::ffi::arg;
use core::ffi::{CStr, c_char, c_int, c_uint, c_ulong, c_void};
use core::ptr;
use mech::{Prompt, PromptKind};
use saslplug::raw::*;
use saslplug::{Code, Error, Password, Secret};
use zeroize::Zeroizing;

/// The callback lists that a connection, or the library as a whole, looks into.
#[derive(Clone, Copy)]
pub(crate) struct CApplication {
    /// The connection that callbacks are told; NULL for the library.
    pub(crate) conn: *mut sasl_conn_t,
    /// The connection's list, or NULL.
    pub(crate) own: *const sasl_callback_t,
    /// The list given to init, or NULL.
    pub(crate) global: *const sasl_callback_t,
    /// The numbers in both, as [`listed`] says: most questions are about others.
    pub(crate) listed: u64,
    /// `SASL_CB_GETOPT`, which is asked most.
    pub(crate) options: Options,
}

// SAFETY: sasl.h: the lists stay valid and unchanged until done, and the
// program answers for calling its callbacks from several threads.
unsafe impl Send for CApplication {}
// SAFETY: as above.
unsafe impl Sync for CApplication {}

type Procedure = unsafe extern "C" fn() -> c_int;

/// What a list says about a callback.
#[derive(Clone, Copy)]
pub(crate) enum Entry {
    /// A procedure and its context.
    Procedure(Procedure, *mut c_void),
    /// Listed without a procedure: ask by interaction. Its context.
    Interaction(*mut c_void),
    /// Not listed.
    Absent,
}

/// The entries of one list.
fn entries(list: *const sasl_callback_t) -> impl Iterator<Item = sasl_callback_t> {
    let mut next = list;
    core::iter::from_fn(move || {
        if next.is_null() {
            return None;
        }
        // SAFETY: sasl.h: the list is an array that ends with SASL_CB_LIST_END
        // and stays valid until done.
        let (entry, following) = unsafe { (*next, next.add(1)) };
        if entry.id == SASL_CB_LIST_END {
            return None;
        }
        next = following;
        Some(entry)
    })
}

/// The bit of a callback number.
const fn bit(id: c_ulong) -> u64 {
    1 << ((id ^ (id >> 10)) & 63)
}

/// The bits of all numbers in a list, NULL being an empty one.
fn listed(list: *const sasl_callback_t) -> u64 {
    entries(list).fold(0, |all, entry| all | bit(entry.id))
}

/// The entries that answer for options.
#[derive(Clone, Copy)]
pub(crate) enum Options {
    /// None with a procedure.
    None,
    /// One, and its context.
    One(Procedure, *mut c_void),
    /// Several: the lists say.
    Many,
}

impl Options {
    fn of(own: *const sasl_callback_t, global: *const sasl_callback_t) -> Self {
        let all = entries(own).chain(entries(global));
        let all = all.filter(|entry| entry.id == SASL_CB_GETOPT);
        all.fold(Self::None, |so_far, entry| match (so_far, entry.proc_) {
            (so_far, None) => so_far,
            (Self::None, Some(procedure)) => Self::One(procedure, entry.context),
            _ => Self::Many,
        })
    }
}

/// Casts a procedure to its real type and calls it.
macro_rules! call {
    ($procedure:expr, $type:ty, $($argument:expr),* $(,)?) => {{
        // SAFETY: sasl.h ties the procedure's type to its callback number, and
        // each pointer passed is valid for the call.
        let procedure: $type = unsafe { core::mem::transmute::<Procedure, $type>($procedure) };
        // SAFETY: as above.
        unsafe { procedure($($argument),*) }
    }};
}

mod answers;
mod paths;

pub(crate) use answers::{prompt_id, prompt_kind};

impl CApplication {
    /// The callbacks in a connection's list and in the global one; both may be
    /// NULL.
    pub(crate) fn of(own: *const sasl_callback_t, global: *const sasl_callback_t) -> Self {
        Self {
            conn: ptr::null_mut(),
            own,
            global,
            listed: listed(own) | listed(global),
            options: Options::of(own, global),
        }
    }

    /// Looks a callback up: the connection's list, then the global one.
    pub(crate) fn find(&self, id: c_ulong) -> Entry {
        if self.listed & bit(id) == 0 {
            return Entry::Absent;
        }
        let in_list = |list| entries(list).find(|entry| entry.id == id);
        match in_list(self.own).or_else(|| in_list(self.global)) {
            Some(sasl_callback_t {
                proc_: Some(procedure),
                context,
                ..
            }) => Entry::Procedure(procedure, context),
            Some(entry) => Entry::Interaction(entry.context),
            None => Entry::Absent,
        }
    }

    /// Whether the list holds an entry without procedure (an error in the
    /// server's global list).
    pub(crate) fn has_empty_entry(&self) -> bool {
        entries(self.global).any(|entry| entry.proc_.is_none())
    }

    /// The option for a plugin, which keeps the pointer: the program's own
    /// string, not a copy. FAIL when no callback knows it.
    ///
    /// # Safety
    /// The pointers satisfy `sasl_getopt_t`.
    pub(crate) unsafe fn plugin_option(
        &self,
        plugin: *const c_char,
        option: *const c_char,
        result: *mut *const c_char,
        len: *mut c_uint,
    ) -> Code {
        let all = entries(self.own).chain(entries(self.global));
        for entry in all.filter(|entry| entry.id == SASL_CB_GETOPT) {
            let Some(procedure) = entry.proc_ else {
                continue;
            };
            let code = call!(
                procedure,
                sasl_getopt_t,
                entry.context,
                plugin,
                option,
                result,
                len
            );
            if code == Code::OK.0 {
                return Code::OK;
            }
        }
        Code::FAIL
    }

    #[cold]
    fn ask_all_for_option(
        &self,
        plugin: *const c_char,
        option: &CStr,
        work: &mut dyn FnMut(&CStr),
    ) {
        let all = entries(self.own).chain(entries(self.global));
        let mut all = all.filter(|entry| entry.id == SASL_CB_GETOPT);
        all.any(|entry| {
            entry.proc_.is_some_and(|procedure| {
                ask_option((procedure, entry.context), plugin, option, work)
            })
        });
    }

    fn properties(&self) -> *mut propctx {
        // SAFETY: `conn` is NULL or the connection that owns this application.
        unsafe { crate::ffi::conn::property_context(self.conn) }
    }
}

/// Asks one callback for an option; whether it answered.
#[inline]
fn ask_option(
    (procedure, context): (Procedure, *mut c_void),
    plugin: *const c_char,
    option: &CStr,
    work: &mut dyn FnMut(&CStr),
) -> bool {
    let mut result = ptr::null();
    let code = call!(
        procedure,
        sasl_getopt_t,
        context,
        plugin,
        option.as_ptr(),
        &mut result,
        ptr::null_mut(), // as stock: the result is a string
    );
    if code != Code::OK.0 {
        return false;
    }
    // SAFETY: sasl.h: on OK the result is NULL or a string that lives at least
    // until the next call.
    if let Some(text) = unsafe { arg::text(result) } {
        work(text);
    }
    true
}

fn refused<T>(code: c_int) -> Asked<T> {
    Asked::Refused(Error::bare(Code(code)))
}

impl Application for CApplication {
    fn lists(&self, id: c_ulong) -> bool {
        !matches!(self.find(id), Entry::Absent)
    }

    fn with_option(&self, plugin: Option<&CStr>, option: &CStr, work: &mut dyn FnMut(&CStr)) {
        let plugin = plugin.map_or(ptr::null(), CStr::as_ptr);
        match self.options {
            Options::None => {}
            Options::One(procedure, context) => {
                ask_option((procedure, context), plugin, option, work);
            }
            Options::Many => self.ask_all_for_option(plugin, option, work),
        }
    }

    fn takes_log(&self) -> bool {
        matches!(self.find(SASL_CB_LOG), Entry::Procedure(..))
    }

    fn log(&self, level: i32, message: &CStr) {
        if let Entry::Procedure(procedure, context) = self.find(SASL_CB_LOG) {
            call!(procedure, sasl_log_t, context, level, message.as_ptr());
        }
    }

    fn canonicalise(&self, name: &[u8], flags: u32, realm: Option<&CStr>) -> Asked<Vec<u8>> {
        const MAX: usize = crate::connection::NAME_MAX;
        let (procedure, context) = match self.find(SASL_CB_CANON_USER) {
            Entry::Procedure(procedure, context) => (procedure, context),
            Entry::Interaction(_) => return Asked::Interact,
            Entry::Absent => return Asked::Absent(SASL_CB_CANON_USER),
        };
        let Ok(len) = c_uint::try_from(name.len()) else {
            return refused(Code::BUFOVER.0);
        };
        let mut input = Vec::with_capacity(name.len().saturating_add(1));
        input.extend_from_slice(name);
        input.push(0);
        let mut out = vec![0u8; MAX.saturating_add(1)];
        let mut out_len: c_uint = 0;
        let code = call!(
            procedure,
            sasl_canon_user_t,
            self.conn,
            context,
            input.as_ptr().cast(),
            len,
            flags,
            realm.map_or(ptr::null(), CStr::as_ptr),
            out.as_mut_ptr().cast(),
            crate::connection::NAME_ROOM,
            &mut out_len,
        );
        match usize::try_from(out_len) {
            _ if code != Code::OK.0 => refused(code),
            Ok(len) if len <= MAX => {
                out.truncate(len);
                Asked::Given(out)
            }
            _ => refused(Code::BUFOVER.0),
        }
    }

    fn authorise(&self, request: &Authorisation<'_>) -> Asked<()> {
        let length = |text: &CStr| c_uint::try_from(text.to_bytes().len()).unwrap_or(c_uint::MAX);
        match self.find(SASL_CB_PROXY_POLICY) {
            Entry::Procedure(procedure, context) => {
                let code = call!(
                    procedure,
                    sasl_authorize_t,
                    self.conn,
                    context,
                    request.requested.as_ptr(),
                    length(request.requested),
                    request.authid.as_ptr(),
                    length(request.authid),
                    request.realm.map_or(ptr::null(), CStr::as_ptr),
                    request.realm.map_or(0, length),
                    self.properties(),
                );
                answer(code)
            }
            Entry::Interaction(_) => Asked::Interact,
            Entry::Absent => Asked::Absent(SASL_CB_PROXY_POLICY),
        }
    }

    fn check_password(&self, user: &CStr, password: Password<'_>) -> Asked<()> {
        match self.find(SASL_CB_SERVER_USERDB_CHECKPASS) {
            Entry::Procedure(procedure, context) => {
                let (pass, len) = terminated(password);
                let code = call!(
                    procedure,
                    sasl_server_userdb_checkpass_t,
                    self.conn,
                    context,
                    user.as_ptr(),
                    pass.as_ptr().cast(),
                    len,
                    self.properties(),
                );
                answer(code)
            }
            Entry::Interaction(_) => Asked::Interact,
            Entry::Absent => Asked::Absent(SASL_CB_SERVER_USERDB_CHECKPASS),
        }
    }

    fn set_password(&self, user: &CStr, password: Option<&Secret>, flags: u32) -> Asked<()> {
        match self.find(SASL_CB_SERVER_USERDB_SETPASS) {
            Entry::Procedure(procedure, context) => {
                let pass = password.map(|password| terminated(password.shown()));
                let (pass, len) = pass
                    .as_ref()
                    .map_or((ptr::null(), 0), |(p, l)| (p.as_ptr(), *l));
                let code = call!(
                    procedure,
                    sasl_server_userdb_setpass_t,
                    self.conn,
                    context,
                    user.as_ptr(),
                    pass.cast(),
                    len,
                    self.properties(),
                    flags,
                );
                answer(code)
            }
            Entry::Interaction(_) => Asked::Interact,
            Entry::Absent => Asked::Absent(SASL_CB_SERVER_USERDB_SETPASS),
        }
    }

    fn ask(&self, prompt: &Prompt) -> Asked<Option<Secret>> {
        let id = prompt_id(prompt.kind);
        let (procedure, context) = match self.find(id) {
            Entry::Procedure(procedure, context) => (procedure, context),
            Entry::Interaction(_) => return Asked::Interact,
            Entry::Absent => return Asked::Absent(id),
        };
        match prompt.kind {
            PromptKind::User | PromptKind::AuthName => self.simple(id, procedure, context),
            PromptKind::Pass => self.secret(id, procedure, context),
            PromptKind::Realm => self.realm(prompt, procedure, context),
            PromptKind::Echo | PromptKind::NoEcho => self.challenge(prompt, id, procedure, context),
        }
    }

    fn can_answer(&self, kind: PromptKind) -> bool {
        !matches!(self.find(prompt_id(kind)), Entry::Absent)
    }
}

/// A password as C wants it: with a NUL behind; wiped afterwards.
fn terminated(password: Password<'_>) -> (Zeroizing<Vec<u8>>, c_uint) {
    let bytes = password.as_bytes();
    let mut copy = Zeroizing::new(Vec::with_capacity(bytes.len().saturating_add(1)));
    copy.extend_from_slice(bytes);
    copy.push(0);
    (copy, c_uint::try_from(bytes.len()).unwrap_or(c_uint::MAX))
}

fn answer(code: c_int) -> Asked<()> {
    if code == Code::OK.0 {
        Asked::Given(())
    } else {
        refused(code)
    }
}
