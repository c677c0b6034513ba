//! Whether a file is what its name says, and nothing that runs (SAFETY §4); and the file without what it tells about
//! whoever made it. Pure over octets: nothing is unpacked, drawn or run here, and nothing is kept. How images are
//! cleaned is in `images`.
mod images;

use std::io::Cursor;

use zip::ZipArchive;

use crate::domain::document::FileKind;
use crate::domain::text::{Line, Unfit};

/// Why a file is not taken in, said to the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileFlaw {
    #[error("the name of the file: {0}")]
    Label(Unfit),
    #[error("please give the file a name, such as notes.pdf")]
    NoLabel,
    #[error("the file is empty")]
    Empty,
    /// The most it may have, in MB.
    #[error("the file is too large: a document can have {0} MB")]
    TooLarge(u16),
    #[error("this is not a kind of file that can be laid down here")]
    NotOurs,
    #[error("the file is not what the end of its name says, or it is damaged")]
    NotWhatItSays,
    #[error("the file holds something that could run on somebody's computer")]
    Active,
}

/// Ends of names before the last one that some programs would run or show as a page, whatever comes behind.
const ACTIVE_ENDS: &[&str] = &[
    "bat", "cmd", "dll", "exe", "hta", "htm", "html", "jar", "js", "lnk", "mjs", "msi", "php",
    "ps1", "scr", "sh", "svg", "vbs", "xhtml",
];

/// What a file is called: the last part of what was sent, never a path.
pub fn label(sent: &str) -> Result<Line, FileFlaw> {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let label = Line::parse(last).map_err(FileFlaw::Label)?;
    let stem = label.as_str().rsplit_once('.').map_or("", |(stem, _)| stem);
    if stem.chars().all(|c| c == '.' || c.is_whitespace()) {
        return Err(FileFlaw::NoLabel);
    }
    Ok(label)
}

/// What kind of file this is, by its name and by its octets, which must say the same; and its octets without what they
/// tell about whoever made it.
pub fn inspect(name: &str, octets: Vec<u8>) -> Result<(FileKind, Vec<u8>), FileFlaw> {
    let mut ends = name.rsplit('.');
    let last = ends.next().unwrap_or_default();
    let kind = FileKind::of_extension(last).ok_or(FileFlaw::NotOurs)?;
    let before = ends.next().unwrap_or_default().to_ascii_lowercase();
    if ACTIVE_ENDS.contains(&before.as_str()) && name.matches('.').count() > 1 {
        return Err(FileFlaw::Active);
    }
    if octets.is_empty() {
        return Err(FileFlaw::Empty);
    }
    let cleaned = match kind {
        FileKind::Pdf => pdf(&octets).map(|()| octets)?,
        FileKind::Docx => docx(&octets).map(|()| octets)?,
        FileKind::Odt => odt(&octets).map(|()| octets)?,
        FileKind::Jpeg => images::jpeg(octets).ok_or(FileFlaw::NotWhatItSays)?,
        FileKind::Png => images::png(octets).ok_or(FileFlaw::NotWhatItSays)?,
        FileKind::Csv | FileKind::Text => text(&octets).map(|()| octets)?,
    };
    Ok((kind, cleaned))
}

/// Names in a PDF that make a reader run something, or carry another file.
const ACTIVE_NAMES: &[&[u8]] = &[
    b"JavaScript",
    b"JS",
    b"Launch",
    b"EmbeddedFile",
    b"EmbeddedFiles",
];

fn pdf(octets: &[u8]) -> Result<(), FileFlaw> {
    let tail = &octets[octets.len().saturating_sub(1024)..];
    let begins = octets.starts_with(b"%PDF-1.") || octets.starts_with(b"%PDF-2.");
    if !begins || find(tail, b"%%EOF").is_none() {
        return Err(FileFlaw::NotWhatItSays);
    }
    // No stream ends behind this, so that nothing is looked for in vain again and again.
    let last_end = octets.windows(9).rposition(|w| w == b"endstream");
    let mut at = 0;
    while let Some(next) = octets.get(at) {
        at = match next {
            b'/' => {
                let (name, end) = pdf_name(octets, at + 1);
                if ACTIVE_NAMES.contains(&name.as_slice()) {
                    return Err(FileFlaw::Active);
                }
                end
            }
            // What is packed in a stream holds no names, only octets that may look like some.
            b'>' if octets[at..].starts_with(b">>") => behind_stream(octets, at + 2, last_end),
            _other => at + 1,
        };
    }
    Ok(())
}

/// The name that begins at `at`, with its `#` spellings read, and where it ends (ISO 32000-1 §7.3.5).
fn pdf_name(octets: &[u8], at: usize) -> (Vec<u8>, usize) {
    let length = octets[at..]
        .iter()
        .position(|b| b" \t\r\n\x0c\0()<>[]{}/%".contains(b))
        .unwrap_or(octets.len() - at);
    let written = &octets[at..at + length];
    let mut name = Vec::new();
    let mut rest = written;
    while let Some((first, behind)) = rest.split_first() {
        let spelt = behind
            .get(..2)
            .filter(|_| *first == b'#')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        name.push(spelt.unwrap_or(*first));
        rest = if spelt.is_some() {
            &behind[2..]
        } else {
            behind
        };
    }
    (name, at + length)
}

/// Behind the dictionary that ends at `at`: the end of its stream, if it has one that ends.
fn behind_stream(octets: &[u8], at: usize, last_end: Option<usize>) -> usize {
    let rest = &octets[at..];
    let space = rest
        .iter()
        .position(|b| !b" \t\r\n".contains(b))
        .unwrap_or(rest.len());
    let Some(body) = rest[space..].strip_prefix(b"stream") else {
        return at;
    };
    if !(body.starts_with(b"\n") || body.starts_with(b"\r\n")) {
        return at;
    }
    let begins = octets.len() - body.len();
    if last_end.is_none_or(|last| last < begins) {
        return at;
    }
    find(body, b"endstream").map_or(at, |end| begins + end)
}

fn find(octets: &[u8], what: &[u8]) -> Option<usize> {
    let first = what.first()?;
    let mut from = 0;
    loop {
        let at = from + octets.get(from..)?.iter().position(|b| b == first)?;
        if octets[at..].starts_with(what) {
            return Some(at);
        }
        from = at + 1;
    }
}

/// What is in an archive that would run, by the end of its name.
const ACTIVE_ENTRIES: &[&str] = &[
    "vbaproject.bin",
    ".bat",
    ".cmd",
    ".dll",
    ".exe",
    ".hta",
    ".jar",
    ".js",
    ".lnk",
    ".msi",
    ".ps1",
    ".scr",
    ".vbs",
];

/// The names of what is in an archive that begins at the first octet and ends at the last one.
fn entries(octets: &[u8]) -> Result<Vec<String>, FileFlaw> {
    const END: usize = 22;
    let damaged = FileFlaw::NotWhatItSays;
    let end = octets.len().checked_sub(END).ok_or(damaged.clone())?;
    let (body, record) = octets.split_at(end);
    let number = |at: usize, length: usize| {
        let digits = &record[at..at + length];
        digits
            .iter()
            .rev()
            .fold(0, |sum, digit| sum * 256 + usize::from(*digit))
    };
    let (count, size, from, comment) = (number(10, 2), number(12, 4), number(16, 4), number(20, 2));
    let whole = body.starts_with(b"PK\x03\x04")
        && record.starts_with(b"PK\x05\x06")
        && comment == 0
        && from.checked_add(size) == Some(end);
    if !whole {
        return Err(damaged);
    }
    let archive = ZipArchive::new(Cursor::new(octets)).map_err(|_| damaged.clone())?;
    // Two entries of one name: programs differ in which of them they read.
    if archive.len() != count || archive.has_duplicate_names() || archive.offset() != 0 {
        return Err(damaged);
    }
    let names: Vec<String> = archive
        .file_names_raw()
        .map(|raw| String::from_utf8_lossy(raw).into_owned())
        .collect();
    let runs = |name: &String| {
        let name = name.to_ascii_lowercase();
        ACTIVE_ENTRIES.iter().any(|end| name.ends_with(end))
            || ["basic/", "scripts/"]
                .iter()
                .any(|folder| name.starts_with(folder))
            || name.contains("activex/")
            || (name.contains("embeddings/") && name.ends_with(".bin"))
    };
    if names.iter().any(runs) {
        return Err(FileFlaw::Active);
    }
    Ok(names)
}

fn docx(octets: &[u8]) -> Result<(), FileFlaw> {
    let names = entries(octets)?;
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if has("[Content_Types].xml") && has("word/document.xml") {
        Ok(())
    } else {
        Err(FileFlaw::NotWhatItSays)
    }
}

/// An ODT begins with an entry that says what it is, as it is (OpenDocument 1.3, part 2, §3.3).
fn odt(octets: &[u8]) -> Result<(), FileFlaw> {
    const KIND: &[u8] = b"application/vnd.oasis.opendocument.text";
    let names = entries(octets)?;
    let number = |at: usize| {
        let pair = octets.get(at..at + 2).unwrap_or_default();
        pair.iter()
            .rev()
            .fold(0, |sum, digit| sum * 256 + usize::from(*digit))
    };
    let (stored, name, extra) = (number(8) == 0, number(26), number(28));
    let size = number(22) + number(24) * 65536;
    let said = octets.get(30 + name + extra..).unwrap_or_default();
    let first = octets.get(30..30 + name) == Some(b"mimetype".as_slice());
    if first
        && stored
        && size == KIND.len()
        && said.starts_with(KIND)
        && names.iter().any(|name| name == "content.xml")
    {
        Ok(())
    } else {
        Err(FileFlaw::NotWhatItSays)
    }
}

/// How a text begins that some program would run or show as a page.
const ACTIVE_BEGINNINGS: &[&str] = &[
    "#!",
    "<!doctype",
    "<?php",
    "<?xml",
    "<body",
    "<head",
    "<html",
    "<iframe",
    "<script",
    "<svg",
];

fn text(octets: &[u8]) -> Result<(), FileFlaw> {
    let text = std::str::from_utf8(octets).map_err(|_| FileFlaw::NotWhatItSays)?;
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\t' | '\r' | '\n'))
    {
        return Err(FileFlaw::NotWhatItSays);
    }
    let begins: String = text
        .trim_start_matches(|c: char| c == '\u{FEFF}' || c.is_whitespace())
        .chars()
        .take(16)
        .collect::<String>()
        .to_ascii_lowercase();
    if ACTIVE_BEGINNINGS.iter().any(|b| begins.starts_with(b)) {
        return Err(FileFlaw::Active);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
