// SPDX-License-Identifier: MIT OR Apache-2.0
//! One-time passwords as six short words (RFC 2289 appendix B and D): eleven
//! bits a word; the last word ends with two bits that check the others.
#![forbid(unsafe_code)]

use super::hash::Value;

/// The dictionary of RFC 2289 appendix D, in its order.
static WORDS: &str = include_str!("words.txt");

/// The value of six words; `None` for other words, or when they do not fit
/// together.
pub(super) fn decode(text: &str) -> Option<Value> {
    let mut bits = 0u128;
    let mut count = 0;
    for word in text.split_ascii_whitespace() {
        let mut words = WORDS.split_ascii_whitespace();
        let index = words.position(|known| known.eq_ignore_ascii_case(word))?;
        bits = (bits << 11) | u128::try_from(index).ok()?;
        count += 1;
        if count > 6 {
            return None;
        }
    }
    let value = u64::try_from(bits >> 2).ok()?;
    (count == 6 && u64::try_from(bits & 3).ok()? == check(value)).then(|| value.to_be_bytes())
}

/// The sum of all pairs of bits.
fn check(value: u64) -> u64 {
    let pairs = (0..32).map(|pair| (value >> (2 * pair)) & 3);
    pairs.sum::<u64>() & 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dictionary_is_whole() {
        let words: Vec<_> = WORDS.split_ascii_whitespace().collect();
        assert_eq!(words.len(), 2048);
        let (short, long) = words.split_at(571);
        assert!(short.is_sorted() && short.iter().all(|word| word.len() < 4));
        assert!(long.is_sorted() && long.iter().all(|word| word.len() == 4));
        assert_eq!((words[0], words[2047]), ("A", "YOKE"));
    }

    /// RFC 2243 section 3 and RFC 2289 appendix C.
    #[test]
    fn rfc_vectors() {
        for (words, value) in [
            ("BOND FOGY DRAB NE RISE MART", 0x5bf0_75d9_959d_036fu64),
            ("RED HERD NOW BEAN PA BURG", 0x3712_dcb4_aa53_16c1),
            ("INCH SEA ANNE LONG AHEM TOUR", 0x9e87_6134_d904_99dd),
            ("easy option  free\tnone bet tiny", 0),
            ("MILT VARY MAST OK SEES WENT", 0xbb9e_6ae1_979d_8ff4),
            ("ROME MUG FRED SCAN LIVE LACE", 0xd185_4218_ebbb_0b51),
        ] {
            let expected = (value != 0).then(|| value.to_be_bytes());
            assert_eq!(decode(words), expected, "{words}");
            assert_eq!(decode(&words.to_lowercase()), expected, "{words}");
        }
    }

    #[test]
    fn other_words_are_none() {
        for words in [
            "",
            "BOND",
            "BOND FOGY DRAB NE RISE",
            "BOND FOGY DRAB NE RISE MART MART",
            "BOND FOGY DRAB NE RISE MARX",
            "BOND FOGY DRAB NE RISE MARTS",
        ] {
            assert_eq!(decode(words), None, "{words}");
        }
    }

    #[test]
    fn a_wrong_check_is_noticed() {
        let words: Vec<_> = WORDS.split_ascii_whitespace().collect();
        let last = words.iter().position(|word| *word == "MART").unwrap();
        let good = (0..4)
            .map(|bits| words[(last & !3) | bits])
            .filter(|word| decode(&format!("BOND FOGY DRAB NE RISE {word}")).is_some());
        assert_eq!(good.collect::<Vec<_>>(), ["MART"]);
    }
}
