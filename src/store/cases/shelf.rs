//! Cases lately read or written. What was written at a version never changes, so nothing here can be out of date: a case
//! that was written again has another version, and one whose version nobody asks for makes room. A version that was rolled
//! back is never asked for.
use std::num::NonZeroUsize;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use lru::LruCache;

use crate::domain::case::Case;
use crate::domain::id::CaseId;

/// How many cases are kept at hand; a long one takes some twenty kilobytes.
const ROOM: NonZeroUsize = NonZeroUsize::new(512).expect("more than none");

type Shelf = LruCache<CaseId, (i64, Arc<Case>)>;

static SHELF: LazyLock<Mutex<Shelf>> = LazyLock::new(|| Mutex::new(LruCache::new(ROOM)));

/// The case as it was written at `version`, if it is at hand.
pub fn take(id: CaseId, version: i64) -> Option<Arc<Case>> {
    let mut shelf = SHELF.lock().unwrap_or_else(PoisonError::into_inner);
    shelf
        .get(&id)
        .filter(|(at, _)| *at == version)
        .map(|(_, case)| case.clone())
}

/// Keeps a case at hand, as it was written at `version`.
pub fn put(version: i64, case: &Arc<Case>) {
    SHELF
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .put(case.id, (version, case.clone()));
}
