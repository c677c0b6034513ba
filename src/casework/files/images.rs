//! Images without what they tell about whoever made them: where, when and with what. The picture itself is not touched,
//! and an image ends where the picture ends.
use img_parts::jpeg::{Jpeg, JpegSegment, markers};
use img_parts::png::Png;
use img_parts::{Bytes, ImageEXIF};

/// A PNG without its texts, its EXIF and its time; `None` if it is not one from the first octet to the last.
pub(super) fn png(octets: Vec<u8>) -> Option<Vec<u8>> {
    let length = octets.len();
    let mut image = Png::from_bytes(Bytes::from(octets)).ok()?;
    let (first, last) = (image.chunks().first()?, image.chunks().last()?);
    let whole = image.len() == length
        && first.kind() == *b"IHDR"
        && last.kind() == *b"IEND"
        && last.contents().is_empty()
        && image.chunk_by_type(*b"IDAT").is_some();
    if !whole {
        return None;
    }
    for kind in [b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"] {
        image.remove_chunks_by_type(*kind);
    }
    Some(image.encoder().bytes().to_vec())
}

/// A JPEG without EXIF, XMP, comments and whatever else its maker put into it, but with its colours and the way it is
/// held; `None` if it is not one from the first octet to the last. Smaller pictures that cameras put behind the first
/// one are left out, with all they say.
pub(super) fn jpeg(octets: Vec<u8>) -> Option<Vec<u8>> {
    if !octets.starts_with(&[0xFF, 0xD8, 0xFF]) || !octets.ends_with(&[0xFF, 0xD9]) {
        return None;
    }
    let mut image = Jpeg::from_bytes(Bytes::from(octets)).ok()?;
    let held = image.exif().and_then(|exif| orientation(&exif));
    let mut kept = Vec::new();
    let mut drawn = false;
    for segment in image.segments() {
        if segment.has_entropy() {
            kept.push(picture(segment)?);
            drawn = true;
        } else if !tells_of_its_maker(segment.marker(), segment.contents()) {
            kept.push(segment.clone());
        }
    }
    if !drawn {
        return None;
    }
    *image.segments_mut() = kept;
    image.set_exif(held.map(only_orientation));
    Some(image.encoder().bytes().to_vec())
}

/// Whether a segment says something that the picture does not need: all that is not JFIF, a colour profile or Adobe's
/// mark of colours.
fn tells_of_its_maker(marker: u8, contents: &[u8]) -> bool {
    match marker {
        markers::APP0 | markers::APP14 => false,
        markers::APP2 => !contents.starts_with(b"ICC_PROFILE\0"),
        markers::APP1..=markers::APP15 | markers::COM => true,
        _part_of_the_picture => false,
    }
}

/// The scans of the picture, up to its end.
fn picture(first_scan: &JpegSegment) -> Option<JpegSegment> {
    let whole = first_scan.clone().encoder().bytes();
    let scans = whole.get(first_scan.len()..)?;
    let (kept, behind) = to_the_end(scans)?;
    let another = behind.starts_with(&[0xFF, 0xD8, 0xFF]) && behind.ends_with(&[0xFF, 0xD9]);
    (behind.is_empty() || another).then(|| {
        JpegSegment::new_with_entropy(
            first_scan.marker(),
            first_scan.contents().clone(),
            Bytes::from(kept),
        )
    })
}

/// Reads scans up to the end of the image: what is kept of them, and what comes behind.
fn to_the_end(scans: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut kept = Vec::with_capacity(scans.len());
    let mut at = 0;
    loop {
        let mark = at + scans.get(at..)?.iter().position(|b| *b == markers::P)?;
        kept.extend_from_slice(&scans[at..mark]);
        let marker = *scans.get(mark + 1)?;
        match marker {
            markers::P => at = mark + 1,
            markers::Z | markers::RST0..=markers::RST7 => {
                kept.extend_from_slice(&[markers::P, marker]);
                at = mark + 2;
            }
            markers::EOI => {
                kept.extend_from_slice(&[markers::P, markers::EOI]);
                return Some((kept, &scans[mark + 2..]));
            }
            markers::SOF0..=markers::SOF15 | markers::SOS..=markers::COM => {
                let length = u16::from_be_bytes([*scans.get(mark + 2)?, *scans.get(mark + 3)?]);
                let end = mark + 2 + usize::from(length.max(2));
                let contents = scans.get(mark + 4..end)?;
                if !tells_of_its_maker(marker, contents) {
                    kept.extend_from_slice(&scans[mark..end]);
                }
                at = end;
            }
            _no_part_of_a_scan => return None,
        }
    }
}

const ORIENTATION: u16 = 0x0112;

/// How the camera was held, where that is not upright (EXIF tag 0x0112, values 2 to 8).
fn orientation(exif: &[u8]) -> Option<u8> {
    let large_first = match exif.get(..4)? {
        b"MM\0\x2A" => true,
        b"II\x2A\0" => false,
        _neither => return None,
    };
    let short = |at: usize| -> Option<u16> {
        let pair: [u8; 2] = exif.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if large_first {
            u16::from_be_bytes(pair)
        } else {
            u16::from_le_bytes(pair)
        })
    };
    let (one, two) = (usize::from(short(4)?), usize::from(short(6)?));
    let fields = if large_first {
        one * 65536 + two
    } else {
        two * 65536 + one
    };
    let count = usize::from(short(fields)?);
    (0..count)
        .map(|n| fields + 2 + n * 12)
        .find(|at| short(*at) == Some(ORIENTATION))
        .and_then(|at| short(at + 8))
        .and_then(|held| u8::try_from(held).ok())
        .filter(|held| (2..=8).contains(held))
}

/// EXIF that says how the camera was held, and nothing else.
fn only_orientation(held: u8) -> Bytes {
    let mut exif = b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend_from_slice(&[held, 0, 0, 0, 0, 0, 0]);
    Bytes::from(exif)
}
