//! The guards of the house: what holds however the rooms are furnished.
mod access;
mod crash;
mod demo;
mod floors;
mod hygiene;
mod mail;
mod migrations;
mod mirror;
mod noninterference;
mod pages;
mod parsers;
mod procedure;
mod readme;
mod routes;
mod sealed;
mod words;

use std::path::{Path, PathBuf};

/// A file of the project.
pub fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub fn read(path: &str) -> String {
    std::fs::read_to_string(at(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Every file beneath a folder whose name ends so.
pub fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![at(folder)];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Compares with a golden file; `UPDATE_GOLDEN=1` writes it anew, so that the change is seen in review.
#[expect(
    clippy::disallowed_methods,
    reason = "the harness asks whether to write golden files"
)]
pub fn golden(path: &str, now: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(at(path), now).expect("a golden file");
    }
    let kept = std::fs::read_to_string(at(path)).unwrap_or_default();
    assert!(
        kept == now,
        "{path} is no longer what the code says; look at the difference and run with UPDATE_GOLDEN=1\n{now}"
    );
}
