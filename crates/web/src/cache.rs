//! Pages that are the same for everybody who is not signed in, kept ready but for their nonce.
//!
//! A guide is read a thousand times for each time it is used. Its page depends on the pack, the language
//! and the type size alone; only the nonce differs, so the page is kept in pieces around it.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use axum::body::Bytes;

/// Stands where the nonce will be.
pub(crate) const NONCE_MARK: &str = "nonce-mark-0f3b9a51";

/// Pages are few; when they become many, of days gone by or by a hostile query, they are made anew.
const MOST: usize = 2_000;

/// The kept pages.
#[derive(Default)]
pub struct PageCache(RwLock<HashMap<String, Vec<Bytes>>>);

impl PageCache {
    /// The page of `key` with this nonce, if it is kept.
    pub(crate) fn get(&self, key: &str, nonce: &str) -> Option<Vec<u8>> {
        let pages = self.0.read().unwrap_or_else(PoisonError::into_inner);
        pages.get(key).map(|pieces| join(pieces, nonce))
    }

    /// Keeps a page that was made with the mark as its nonce, and gives it with the real one.
    pub(crate) fn put(&self, key: String, page: &str, nonce: &str) -> Vec<u8> {
        let pieces: Vec<Bytes> =
            page.split(NONCE_MARK).map(|piece| Bytes::copy_from_slice(piece.as_bytes())).collect();
        let joined = join(&pieces, nonce);
        let mut pages = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= MOST {
            pages.clear();
        }
        pages.insert(key, pieces);
        joined
    }
}

fn join(pieces: &[Bytes], nonce: &str) -> Vec<u8> {
    let size: usize = pieces.iter().map(Bytes::len).sum::<usize>() + pieces.len() * nonce.len();
    let mut page = Vec::with_capacity(size);
    for (number, piece) in pieces.iter().enumerate() {
        if number > 0 {
            page.extend_from_slice(nonce.as_bytes());
        }
        page.extend_from_slice(piece);
    }
    page
}
