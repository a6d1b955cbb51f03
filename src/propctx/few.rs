// SPDX-License-Identifier: MIT OR Apache-2.0
//! A list whose first elements need no allocation. Its elements move when it
//! grows: nothing that C points to is kept in one.
#![forbid(unsafe_code)]

/// Up to `N` elements in place, or any number elsewhere.
pub(super) struct Few<T, const N: usize> {
    first: [T; N],
    used: usize,
    /// All of them, once there were more than `N`.
    all: Vec<T>,
}

impl<T: Copy, const N: usize> Few<T, N> {
    /// Nothing; `filler` is what unused places hold.
    pub(super) const fn new(filler: T) -> Self {
        Self {
            first: [filler; N],
            used: 0,
            all: Vec::new(),
        }
    }

    /// Makes room for `count` elements.
    pub(super) fn reserve(&mut self, count: usize) {
        if count > N && self.all.capacity() == 0 {
            self.all.reserve(count);
        }
    }

    /// Adds one.
    #[inline]
    pub(super) fn push(&mut self, element: T) {
        if self.all.is_empty() {
            if let Some(place) = self.first.get_mut(self.used) {
                *place = element;
                self.used += 1;
                return;
            }
            self.all.extend_from_slice(&self.first);
        }
        self.all.push(element);
    }

    /// The elements.
    #[inline]
    pub(super) fn as_slice(&self) -> &[T] {
        if self.all.is_empty() {
            self.first.get(..self.used).unwrap_or_default()
        } else {
            &self.all
        }
    }

    /// The elements.
    pub(super) fn iter(&self) -> core::slice::Iter<'_, T> {
        self.as_slice().iter()
    }

    /// The elements, to change.
    #[inline]
    pub(super) fn as_mut_slice(&mut self) -> &mut [T] {
        if self.all.is_empty() {
            self.first.get_mut(..self.used).unwrap_or_default()
        } else {
            &mut self.all
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.used = 0;
        self.all.clear();
    }

    /// Keeps those that `keep` wants.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let mut kept = 0;
        let all = self.as_mut_slice();
        for index in 0..all.len() {
            let Some(element) = all.get(index).copied() else {
                break;
            };
            if keep(&element) {
                if let Some(place) = all.get_mut(kept) {
                    *place = element;
                }
                kept += 1;
            }
        }
        if self.all.is_empty() {
            self.used = kept;
        } else {
            self.used = 0;
            self.all.truncate(kept);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_stay_in_order_beyond_the_first() {
        let mut few: Few<u8, 2> = Few::new(0);
        assert!(few.is_empty());
        for element in 1..=5 {
            few.push(element);
            let expected: Vec<u8> = (1..=element).collect();
            assert_eq!(few.as_slice(), expected);
        }
        few.retain(|element| element % 2 == 1);
        assert_eq!(few.as_slice(), [1, 3, 5]);
        few.retain(|_| false);
        assert!(few.is_empty());
        few.push(7);
        few.push(8);
        few.retain(|element| *element == 8);
        assert_eq!(few.as_slice(), [8]);
        few.clear();
        assert_eq!(few.len(), 0);
    }
}
