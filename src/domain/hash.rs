//! Hashes that people answer and chains are made of: SHA-256 in lower-case hexadecimal. Not secrets: tokens are
//! made and kept elsewhere.
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The hash of some octets.
#[must_use]
pub fn hash_of_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The hash of some octets, as octets.
#[must_use]
pub fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Whether two secrets are the same; how long that takes says nothing about where they differ.
#[must_use]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .fold(0u8, |differs, (a, b)| differs | (a ^ b))
            == 0
}

/// The hash of a value as it is written in JSON. Maps in the domain are ordered, so equal values have equal hashes.
#[must_use]
pub fn hash_of(value: &impl Serialize) -> String {
    hash_of_bytes(&serde_json::to_vec(value).expect("domain values can always be written as JSON"))
}

/// The strong entity tag of a representation (RFC 9110 §8.8.3): a hash of what this reader is shown.
#[must_use]
pub fn tag_of(shown: &impl Serialize) -> String {
    hash_of(shown)[..TAG].to_owned()
}

/// The same, of a representation that has been written as JSON already.
#[must_use]
pub fn tag_of_written(json: &[u8]) -> String {
    hash_of_bytes(json)[..TAG].to_owned()
}

/// A tag has 128 bits, in hexadecimal digits.
const TAG: usize = 32;

/// Octets as lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| char::from(DIGITS[usize::from(half)]))
        .collect()
}

/// The six digits somebody reads back over the telephone, from the hash of what they agree to (SPEC §7).
#[must_use]
pub fn read_back_code(hash: &str) -> String {
    let number = u64::from_str_radix(hash.get(..15).unwrap_or("0"), 16).unwrap_or(0);
    format!("{:06}", number % 1_000_000)
}
