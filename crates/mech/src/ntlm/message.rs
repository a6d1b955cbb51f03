// SPDX-License-Identifier: MIT OR Apache-2.0
//! The three messages of NTLM (MS-NLMP section 2.2.1). A message has a head of
//! numbers and fields; a field is a length and an offset into the message, and
//! both are the peer's word: nothing is read beyond the end.
#![forbid(unsafe_code)]

/// Text in UTF-16, little end first.
pub(super) const UNICODE: u32 = 0x0000_0001;
/// Text in the code page of the host.
pub(super) const OEM: u32 = 0x0000_0002;
/// The challenge is to name the target.
pub(super) const REQUEST_TARGET: u32 = 0x0000_0004;
/// NTLM responses, not LM responses only.
pub(super) const NTLM: u32 = 0x0000_0200;
/// The target is a server.
pub(super) const TARGET_TYPE_SERVER: u32 = 0x0002_0000;
/// The challenge carries target information.
pub(super) const TARGET_INFO: u32 = 0x0080_0000;
/// What we know how to do.
pub(super) const KNOWN: u32 = UNICODE | OEM | REQUEST_TARGET | NTLM;

const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
const NEGOTIATE: u32 = 1;
const CHALLENGE: u32 = 2;
const AUTHENTICATE: u32 = 3;

fn u16_at(message: &[u8], at: usize) -> Option<u16> {
    let bytes = message.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}

fn u32_at(message: &[u8], at: usize) -> Option<u32> {
    let bytes = message.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

/// The field whose length and offset stand at `at`. An empty one may point
/// anywhere.
fn field(message: &[u8], at: usize) -> Option<&[u8]> {
    let length = usize::from(u16_at(message, at)?);
    if length == 0 {
        return Some(&[]);
    }
    let start = usize::try_from(u32_at(message, at.checked_add(4)?)?).ok()?;
    message.get(start..start.checked_add(length)?)
}

fn is(message: &[u8], kind: u32) -> Option<()> {
    let known = message.starts_with(SIGNATURE) && u32_at(message, 8)? == kind;
    known.then_some(())
}

/// Puts a message together: a head of fixed size, then the fields' bytes.
struct Writer {
    head: Vec<u8>,
    body: Vec<u8>,
    start: usize,
}

impl Writer {
    fn new(kind: u32, start: usize) -> Self {
        let mut head = SIGNATURE.to_vec();
        head.extend(kind.to_le_bytes());
        Self {
            head,
            body: Vec::new(),
            start,
        }
    }

    fn number(&mut self, number: u32) {
        self.head.extend(number.to_le_bytes());
    }

    /// `None` when the bytes are more than a length can say.
    fn field(&mut self, bytes: &[u8]) -> Option<()> {
        let length = u16::try_from(bytes.len()).ok()?.to_le_bytes();
        let offset = u32::try_from(self.start + self.body.len()).ok()?;
        self.head.extend(length);
        self.head.extend(length);
        self.head.extend(offset.to_le_bytes());
        self.body.extend(bytes);
        Some(())
    }

    fn finish(mut self) -> Vec<u8> {
        self.head.resize(self.start, 0);
        self.head.append(&mut self.body);
        self.head
    }
}

/// The client's first message, without a domain and a workstation.
pub(super) fn negotiate() -> Vec<u8> {
    let mut message = Writer::new(NEGOTIATE, 32);
    message.number(KNOWN);
    // Nothing that is empty can be too long.
    let _ = message.field(&[]);
    let _ = message.field(&[]);
    message.finish()
}

/// The flags of a client's first message; `None` when it is none.
pub(super) fn read_negotiate(message: &[u8]) -> Option<u32> {
    is(message, NEGOTIATE)?;
    u32_at(message, 12)
}

/// What a server's challenge says.
pub(super) struct Challenge<'a> {
    /// The name of the server or of its domain.
    pub(super) target: &'a [u8],
    /// What is agreed on.
    pub(super) flags: u32,
    /// The bytes to answer.
    pub(super) nonce: [u8; 8],
    /// Attributes of the target, empty when there are none.
    pub(super) info: &'a [u8],
}

impl<'a> Challenge<'a> {
    /// `None` for a message that is no challenge or points beyond its end.
    pub(super) fn read(message: &'a [u8]) -> Option<Self> {
        is(message, CHALLENGE)?;
        let flags = u32_at(message, 20)?;
        let info = if flags & TARGET_INFO == 0 {
            &[]
        } else {
            field(message, 40)?
        };
        Some(Self {
            target: field(message, 12)?,
            flags,
            nonce: *message.get(24..)?.first_chunk()?,
            info,
        })
    }

    /// The message; `None` when the target is too long.
    pub(super) fn write(&self) -> Option<Vec<u8>> {
        let mut message = Writer::new(CHALLENGE, 48);
        message.field(self.target)?;
        message.number(self.flags);
        message.head.extend(self.nonce);
        Some(message.finish())
    }
}

/// The server's clock as the target information tells it (`MsvAvTimestamp`).
/// `None` when it tells none; `Err` when the list of attributes is broken.
pub(super) fn timestamp(info: &[u8]) -> Result<Option<[u8; 8]>, ()> {
    const END: u16 = 0;
    const TIMESTAMP: u16 = 7;
    let mut rest = info;
    let mut found = None;
    while !rest.is_empty() {
        let kind = u16_at(rest, 0).ok_or(())?;
        let length = usize::from(u16_at(rest, 2).ok_or(())?);
        let value = rest.get(4..4 + length).ok_or(())?;
        match kind {
            END => return Ok(found),
            TIMESTAMP => found = Some(value.try_into().map_err(|_| ())?),
            _ => {}
        }
        rest = rest.get(4 + length..).unwrap_or_default();
    }
    if info.is_empty() { Ok(None) } else { Err(()) }
}

/// The client's answer.
pub(super) struct Authenticate<'a> {
    /// The LM response, perhaps empty.
    pub(super) lm: &'a [u8],
    /// The NTLM response, perhaps empty.
    pub(super) nt: &'a [u8],
    /// The domain of the account.
    pub(super) domain: &'a [u8],
    /// The account.
    pub(super) user: &'a [u8],
}

impl<'a> Authenticate<'a> {
    /// The parts that old clients too send: the session key and the flags
    /// after them say nothing that is needed.
    pub(super) fn read(message: &'a [u8]) -> Option<Self> {
        is(message, AUTHENTICATE)?;
        field(message, 44)?; // the workstation
        Some(Self {
            lm: field(message, 12)?,
            nt: field(message, 20)?,
            domain: field(message, 28)?,
            user: field(message, 36)?,
        })
    }

    /// The message; `None` when a part is too long.
    pub(super) fn write(&self, flags: u32) -> Option<Vec<u8>> {
        let mut message = Writer::new(AUTHENTICATE, 64);
        for part in [self.lm, self.nt, self.domain, self.user, &[], &[]] {
            message.field(part)?;
        }
        message.number(flags);
        Some(message.finish())
    }
}

/// Text of a message as UTF-16 units; `None` when it ends inside one.
pub(super) fn units(bytes: &[u8], flags: u32) -> Option<Vec<u16>> {
    if flags & UNICODE == 0 {
        return Some(widen(bytes));
    }
    let units = bytes.chunks(2).map(|unit| {
        let unit: [u8; 2] = unit.try_into().ok()?;
        Some(u16::from_le_bytes(unit))
    });
    units.collect()
}

/// Text for a message.
pub(super) fn text(units: &[u16], flags: u32) -> Vec<u8> {
    if flags & UNICODE == 0 {
        return String::from_utf16_lossy(units).into_bytes();
    }
    little(units)
}

/// UTF-8 as UTF-16; bytes that are no UTF-8 as if each were a letter.
pub(super) fn widen(bytes: &[u8]) -> Vec<u16> {
    match core::str::from_utf8(bytes) {
        Ok(text) => text.encode_utf16().collect(),
        Err(_) => bytes.iter().map(|&byte| u16::from(byte)).collect(),
    }
}

/// UTF-16 units as bytes, little end first.
pub(super) fn little(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

/// Upper case where one letter stays one letter.
pub(super) fn upper(units: &[u16]) -> Vec<u16> {
    let mut upper = Vec::with_capacity(units.len());
    for letter in char::decode_utf16(units.iter().copied()) {
        match letter {
            Err(lone) => upper.push(lone.unpaired_surrogate()),
            Ok(letter) => {
                let mut large = letter.to_uppercase();
                let letter = match (large.next(), large.next()) {
                    (Some(one), None) => one,
                    _ => letter,
                };
                upper.extend_from_slice(letter.encode_utf16(&mut [0; 2]));
            }
        }
    }
    upper
}
