//! Files as people send them, and files that nobody in their right mind would.
use img_parts::Bytes;
use img_parts::png::PngChunk;

use super::*;

const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\nstartxref\n9\n%%EOF\n";

fn kind_of(name: &str, octets: &[u8]) -> Result<FileKind, FileFlaw> {
    inspect(name, octets.to_vec()).map(|(kind, _)| kind)
}

fn cleaned(name: &str, octets: &[u8]) -> Vec<u8> {
    inspect(name, octets.to_vec()).expect("a good file").1
}

fn holds(octets: &[u8], what: &[u8]) -> bool {
    octets.windows(what.len()).any(|w| w == what)
}

/// An image of one pixel, with some more chunks.
fn png(more: &[([u8; 4], &'static [u8])]) -> Vec<u8> {
    let mut octets = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut add = |kind: [u8; 4], contents: &'static [u8]| {
        let chunk = PngChunk::new(kind, Bytes::from_static(contents));
        octets.extend_from_slice(&chunk.encoder().bytes());
    };
    add(*b"IHDR", b"\0\0\0\x01\0\0\0\x01\x08\0\0\0\0");
    for &(kind, contents) in more {
        add(kind, contents);
    }
    add(*b"IDAT", b"\x78\x9c\x63\x60\0\0\0\x02\0\x01");
    add(*b"IEND", b"");
    octets
}

fn segment(marker: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len() + 2).expect("a short segment");
    [&[0xFF, marker], length.to_be_bytes().as_slice(), contents].concat()
}

/// Something with the bones of a JPEG, and more segments before the picture.
fn jpeg(more: &[Vec<u8>]) -> Vec<u8> {
    let mut octets = b"\xFF\xD8".to_vec();
    octets.extend(segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"));
    octets.extend(more.concat());
    octets.extend(segment(0xC0, b"\x08\0\x01\0\x01\x01\x01\x11\0"));
    octets.extend(segment(0xDA, b"\x01\x01\0\0\x3F\0"));
    octets.extend_from_slice(b"\x12\xFF\0\x34\xFF\xD9");
    octets
}

/// EXIF with an orientation and with the words of a place.
fn exif(held: u8) -> Vec<u8> {
    let mut contents = b"Exif\0\0II\x2A\0\x08\0\0\0\x02\0".to_vec();
    contents.extend_from_slice(&[0x12, 1, 3, 0, 1, 0, 0, 0, held, 0, 0, 0]);
    contents.extend_from_slice(b"\x25\x88\x04\0\x01\0\0\0\x26\0\0\0\0\0\0\0GPS 53.8 N");
    contents
}

/// A ZIP of entries that are stored as they are. Nothing here asks for their checksums.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut octets, mut directory) = (Vec::new(), Vec::new());
    for &(name, contents) in entries {
        let at = u32::try_from(octets.len()).expect("a small archive");
        let size = u32::try_from(contents.len())
            .expect("a small entry")
            .to_le_bytes();
        let length = u16::try_from(name.len())
            .expect("a short name")
            .to_le_bytes();
        let shared = [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0, 0, 0, 0, 0],
            size.as_slice(),
            &size,
            &length,
            &[0, 0],
        ]
        .concat();
        octets.extend([b"PK\x03\x04".as_slice(), &shared, name.as_bytes(), contents].concat());
        let place = [&[0; 10], at.to_le_bytes().as_slice()].concat();
        directory.extend(
            [
                b"PK\x01\x02\x14\0".as_slice(),
                &shared,
                &place,
                name.as_bytes(),
            ]
            .concat(),
        );
    }
    let count = u16::try_from(entries.len())
        .expect("few entries")
        .to_le_bytes();
    let size = u32::try_from(directory.len())
        .expect("a small directory")
        .to_le_bytes();
    let from = u32::try_from(octets.len())
        .expect("a small archive")
        .to_le_bytes();
    octets.extend(directory);
    octets.extend(
        [
            b"PK\x05\x06\0\0\0\0".as_slice(),
            &count,
            &count,
            &size,
            &from,
            &[0, 0],
        ]
        .concat(),
    );
    octets
}

fn docx(more: &[(&'static str, &'static [u8])]) -> Vec<u8> {
    let bones: [(&str, &[u8]); 2] = [
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", b"<w/>"),
    ];
    archive(&[bones.as_slice(), more].concat())
}

const ODT: &[u8] = b"application/vnd.oasis.opendocument.text";

#[test]
fn every_kind_is_taken_in_as_what_it_is() {
    let odt = archive(&[("mimetype", ODT), ("content.xml", b"<c/>")]);
    let good: &[(&str, &[u8], FileKind)] = &[
        ("Minutes.PDF", PDF, FileKind::Pdf),
        ("letter.docx", &docx(&[]), FileKind::Docx),
        ("letter.odt", &odt, FileKind::Odt),
        ("room.jpg", &jpeg(&[]), FileKind::Jpeg),
        ("room.jpeg", &jpeg(&[]), FileKind::Jpeg),
        ("plan.png", &png(&[]), FileKind::Png),
        (
            "hours.csv",
            "\u{FEFF}who,when\r\nZoë,10\r\n".as_bytes(),
            FileKind::Csv,
        ),
        (
            "notes v2.final.txt",
            "a < b\tand so on\n".as_bytes(),
            FileKind::Text,
        ),
        ("html.pdf", PDF, FileKind::Pdf),
    ];
    for (name, octets, kind) in good {
        assert_eq!(kind_of(name, octets), Ok(*kind), "{name}");
        assert_eq!(
            cleaned(name, octets),
            octets.to_vec(),
            "{name} holds nothing to remove"
        );
    }
}

#[test]
fn a_name_and_its_content_must_say_the_same() {
    for (name, octets) in [
        ("a.pdf", png(&[])),
        ("a.png", PDF.to_vec()),
        ("a.jpg", png(&[])),
        ("a.docx", PDF.to_vec()),
        (
            "a.docx",
            archive(&[("mimetype", ODT), ("content.xml", b"<c/>")]),
        ),
        ("a.odt", docx(&[])),
        (
            "a.odt",
            archive(&[("content.xml", b"<c/>"), ("mimetype", ODT)]),
        ),
        (
            "a.odt",
            archive(&[
                (
                    "mimetype",
                    b"application/vnd.oasis.opendocument.text-template",
                ),
                ("content.xml", b"<c/>"),
            ]),
        ),
        ("a.txt", b"\xFF\xFEa\0".to_vec()),
        ("a.txt", b"a\0b".to_vec()),
        ("a.csv", b"a,\x1Bb".to_vec()),
        ("a.pdf", b"%PDF-1.7 and nothing more".to_vec()),
    ] {
        assert_eq!(
            kind_of(name, &octets),
            Err(FileFlaw::NotWhatItSays),
            "{name}"
        );
    }
    for name in [
        "invoice.pdf.exe",
        "page.html",
        "logo.svg",
        "a.docm",
        "a.dotm",
        "a.doc",
        "a.pdf.",
        "pdf\u{301}",
        "a",
    ] {
        assert_eq!(kind_of(name, PDF), Err(FileFlaw::NotOurs), "{name}");
    }
    assert_eq!(kind_of("a.pdf", b""), Err(FileFlaw::Empty));
}

#[test]
fn nothing_that_runs_is_taken_in() {
    let with = |name: &str| format!("%PDF-1.4\n<< /S {name} (app.alert(1)) >>\n%%EOF").into_bytes();
    for (name, octets) in [
        ("evil.html.pdf", PDF.to_vec()),
        ("evil.js.txt", b"words".to_vec()),
        ("a.pdf", with("/JavaScript")),
        ("a.pdf", with("/J#53")),
        ("a.pdf", with("/Launch")),
        ("a.pdf", with("/EmbeddedFile")),
        ("a.docx", docx(&[("word/vbaProject.bin", b"x")])),
        ("a.docx", docx(&[("word/embeddings/oleObject1.bin", b"x")])),
        ("a.docx", docx(&[("word/activeX/activeX1.xml", b"x")])),
        ("a.docx", docx(&[("Run.EXE", b"x")])),
        (
            "a.odt",
            archive(&[
                ("mimetype", ODT),
                ("content.xml", b"<c/>"),
                ("Basic/Standard/Module1.xml", b"x"),
            ]),
        ),
        (
            "a.odt",
            archive(&[
                ("mimetype", ODT),
                ("content.xml", b"<c/>"),
                ("Scripts/python/x.py", b"x"),
            ]),
        ),
        ("a.txt", b"#!/bin/sh\n".to_vec()),
        ("a.txt", b"\n  <!DOCTYPE html><p>".to_vec()),
        (
            "a.csv",
            "\u{FEFF}<SCRIPT>alert(1)</SCRIPT>".as_bytes().to_vec(),
        ),
        ("a.txt", b"<svg onload=alert(1)>".to_vec()),
        ("a.txt", b"<?xml version='1.0'?><svg/>".to_vec()),
    ] {
        assert_eq!(
            kind_of(name, &octets),
            Err(FileFlaw::Active),
            "{name} {:?}",
            String::from_utf8_lossy(&octets)
        );
    }
    let packed = b"%PDF-1.4\n<< /Length 9 >>\nstream\n/JS /Launch\nendstream\n%%EOF";
    assert_eq!(
        kind_of("a.pdf", packed),
        Ok(FileKind::Pdf),
        "octets in a stream are no names"
    );
    let behind = b"%PDF-1.4\n<< /Length 1 >>\nstream\nx\nendstream\n<< /JS (x) >>\n%%EOF";
    assert_eq!(kind_of("a.pdf", behind), Err(FileFlaw::Active));
}

#[test]
fn what_is_two_things_at_once_is_refused() {
    let script = b"<script>alert(1)</script>".as_slice();
    let zip = docx(&[]);
    for (name, octets) in [
        ("a.png", [png(&[]).as_slice(), &zip].concat()),
        ("a.pdf", [b"<html>".as_slice(), PDF].concat()),
        ("a.jpg", [jpeg(&[]).as_slice(), script].concat()),
        (
            "a.jpg",
            [jpeg(&[]).as_slice(), script, b"\xFF\xD9"].concat(),
        ),
        ("a.docx", [PDF, zip.as_slice()].concat()),
        ("a.docx", [zip.as_slice(), script].concat()),
        (
            "a.docx",
            archive(&[
                ("[Content_Types].xml", b"1"),
                ("word/document.xml", b"2"),
                ("word/document.xml", b"3"),
            ]),
        ),
    ] {
        assert_eq!(
            kind_of(name, &octets),
            Err(FileFlaw::NotWhatItSays),
            "{name}"
        );
    }
    let mut damaged = png(&[]);
    damaged[20] ^= 1;
    assert_eq!(kind_of("a.png", &damaged), Err(FileFlaw::NotWhatItSays));
}

#[test]
fn images_say_nothing_of_their_maker() {
    let maker = [
        segment(0xE1, &exif(6)),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>GPS</x>"),
        segment(0xE2, b"ICC_PROFILE\0\x01\x01colours"),
        segment(0xE2, b"MPF\0GPS"),
        segment(0xED, b"Photoshop 3.0\0GPS"),
        segment(0xFE, b"GPS by hand"),
    ];
    let before = jpeg(&maker);
    let after = cleaned("a.jpg", &before);
    assert!(holds(&before, b"GPS") && !holds(&after, b"GPS"));
    assert!(holds(&after, b"JFIF") && holds(&after, b"colours"));
    assert!(
        holds(
            &after,
            b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06"
        ),
        "the way it was held is kept"
    );
    assert!(
        after.ends_with(b"\x12\xFF\0\x34\xFF\xD9"),
        "the picture is as it was"
    );
    assert!(
        !holds(
            &cleaned("a.jpg", &jpeg(&[segment(0xE1, &exif(1))])),
            b"Exif"
        ),
        "upright needs no word"
    );
    let two = [jpeg(&[]), jpeg(&[segment(0xE1, &exif(3))])].concat();
    assert_eq!(
        cleaned("a.jpg", &two),
        jpeg(&[]),
        "what a camera puts behind the picture is left out"
    );
    let said = png(&[
        (*b"tEXt", b"Author\0Ada"),
        (*b"eXIf", b"MM\0\x2AGPS"),
        (*b"tIME", b"\x07\xEA\x09\x08\0\0\0"),
        (*b"gAMA", b"\0\0\xB1\x8F"),
    ]);
    assert_eq!(cleaned("a.png", &said), png(&[(*b"gAMA", b"\0\0\xB1\x8F")]));
}

#[test]
fn names_are_labels_and_never_paths() {
    for (sent, shown) in [
        ("../../etc/notes.txt", "notes.txt"),
        ("C:\\Users\\Ada\\plan.pdf", "plan.pdf"),
        (" Zo\u{65}\u{308} & Bea.pdf ", "Zo\u{EB} & Bea.pdf"),
        (".htaccess.txt", ".htaccess.txt"),
    ] {
        assert_eq!(
            label(sent).map(|l| l.to_string()),
            Ok(shown.to_owned()),
            "{sent}"
        );
    }
    for bad in [
        "",
        "/",
        ".pdf",
        "...pdf",
        "notes",
        "a\u{202E}fdp.exe",
        "a\0.pdf",
        "a\n.pdf",
    ] {
        assert!(label(bad).is_err(), "{bad:?}");
    }
    assert!(label(&format!("{}.pdf", "x".repeat(200))).is_err());
}
