// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fuzzer's bytes as a list of decisions. When they run out every decision
//! is 0, which always means: do nothing odd.

pub(crate) struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// A number below `bound`, 0 where there is none.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let wide = if bound > 256 { self.byte() } else { 0 };
        let number = usize::from(wide) << 8 | usize::from(self.byte());
        number % bound.max(1)
    }

    /// Up to 254 bytes, or with 255 in front all that is left.
    pub(crate) fn chunk(&mut self) -> &'a [u8] {
        let length = match self.byte() {
            255 => self.0.len(),
            short => usize::from(short).min(self.0.len()),
        };
        let (chunk, rest) = self.0.split_at(length);
        self.0 = rest;
        chunk
    }

    /// What is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// What a man in the middle makes of `message`; he knows the earlier ones.
    pub(crate) fn alter(&mut self, mut message: Vec<u8>, earlier: &[Vec<u8>]) -> Vec<u8> {
        for _ in 0..4 {
            let (start, end) = match self.byte() % 8 {
                0 => break,
                1 => (0, message.len()),
                2 => self.range(&message),
                3 => (self.below(message.len() + 1), message.len()),
                4 => {
                    let at = self.below(message.len() + 1);
                    (at, at)
                }
                5 => {
                    let at = self.below(message.len());
                    if let Some(byte) = message.get_mut(at) {
                        *byte ^= self.byte().max(1);
                    }
                    continue;
                }
                6 => {
                    let (start, end) = self.range(&message);
                    message.drain(start..end);
                    continue;
                }
                _ => {
                    let known = earlier.get(self.below(earlier.len()));
                    message = known.cloned().unwrap_or(message);
                    continue;
                }
            };
            message.splice(start..end, self.chunk().iter().copied());
        }
        message
    }

    fn range(&mut self, message: &[u8]) -> (usize, usize) {
        let start = self.below(message.len() + 1);
        let length = self.below(message.len() - start + 1);
        (start, start + length)
    }
}
