// SPDX-License-Identifier: MIT OR Apache-2.0
//! A door for the fuzz targets, compiled into `gss::gs2`.

use super::header::Header;

/// A header that is understood is written as it is understood.
pub fn header(message: &[u8]) {
    if let Ok((header, rest)) = Header::parse(message) {
        let mut again = header.bytes();
        again.extend_from_slice(rest);
        assert_eq!(Header::parse(&again), Ok((header, rest)));
    }
}
