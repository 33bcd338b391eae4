//! The signed document inside a PDF.
//!
//! No PDF parser is needed, and none is trusted: the attachment is the one stream that unpacks to a document of
//! ours, and the seal covers every byte of the file.

use std::io::Read;

use flate2::read::ZlibDecoder;

use crate::document::{MAX_FILE, SignedDocument};

/// What begins a stream's data.
const STREAM: &[u8] = b"stream";
/// What begins a document of ours: canonical JSON has its keys in order.
const DOCUMENT: &[u8] = b"{\"format\":\"yiwang-";
/// Streams that are looked into.
const MAX_STREAMS: usize = 4_000;

/// The first attached document, unchecked.
pub(super) fn attached_document(pdf: &[u8]) -> Option<SignedDocument> {
    let mut rest = pdf;
    for _ in 0..MAX_STREAMS {
        let at = rest.windows(STREAM.len()).position(|bytes| bytes == STREAM)?;
        rest = rest.get(at + STREAM.len()..)?;
        let data = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")).unwrap_or(rest);
        if let Some(document) = unpacked(data).and_then(|bytes| SignedDocument::parse(&bytes).ok()) {
            return Some(document);
        }
    }
    None
}

fn unpacked(data: &[u8]) -> Option<Vec<u8>> {
    if data.starts_with(DOCUMENT) {
        let end = data.windows(9).position(|bytes| bytes == b"endstream")?;
        return Some(data.get(..end)?.trim_ascii_end().to_vec());
    }
    let mut reader = ZlibDecoder::new(data);
    let mut first = [0; DOCUMENT.len()];
    reader.read_exact(&mut first).ok()?;
    if first != DOCUMENT {
        return None;
    }
    let mut bytes = first.to_vec();
    reader.take(MAX_FILE as u64).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
