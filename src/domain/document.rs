//! Documents: the kinds of files a room takes, how much it holds, and what is known of a document that was laid down in
//! it (SPEC §5). Whether a file is what it says it is, `casework::files` finds out; who may enter a room is in `access`.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::{Capacity, CapacityName, writes_room};
use super::case::Case;
use super::id::{CaseId, DocumentId, PersonId};
use super::room::Room;
use super::text::Line;
use super::time::Moment;

/// A kind of file that may be laid down. There is no kind for anything that runs or that a browser would show as a page.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    Pdf,
    Docx,
    Odt,
    Jpeg,
    Png,
    Csv,
    Text,
}

impl FileKind {
    /// Every kind there is.
    pub const ALL: [Self; 7] = [
        Self::Pdf,
        Self::Docx,
        Self::Odt,
        Self::Jpeg,
        Self::Png,
        Self::Csv,
        Self::Text,
    ];

    /// How the names of such files end, in lower case and without the dot.
    #[must_use]
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Pdf => &["pdf"],
            Self::Docx => &["docx"],
            Self::Odt => &["odt"],
            Self::Jpeg => &["jpg", "jpeg"],
            Self::Png => &["png"],
            Self::Csv => &["csv"],
            Self::Text => &["txt"],
        }
    }

    /// The kind whose names end so, in capital or small letters.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        let extension = extension.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|kind| kind.extensions().contains(&extension.as_str()))
    }

    /// As what it is served. Everything that is text is plain text, so that nothing reads more into it.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Odt => "application/vnd.oasis.opendocument.text",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Csv | Self::Text => "text/plain; charset=utf-8",
        }
    }
}

/// How much may be laid down, in MB of 1024 times 1024 octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shelf {
    /// The most one document may have.
    pub document_mb: u16,
    /// The most all documents of a room may have together, every version counted.
    pub room_mb: u16,
}

impl Shelf {
    /// The most that `document_mb` can be set to: more does not pass the door (SAFETY §4).
    pub const LARGEST_DOCUMENT_MB: u16 = 10;
    const MB: u64 = 1024 * 1024;

    /// Whether a document of `size` octets is small enough.
    #[must_use]
    pub fn takes(self, size: u64) -> bool {
        size <= u64::from(self.document_mb) * Self::MB
    }

    /// Whether a room that holds `held` octets can hold `more` of them.
    #[must_use]
    pub fn has_room(self, held: u64, more: u64) -> bool {
        held.saturating_add(more) <= u64::from(self.room_mb) * Self::MB
    }
}

/// What is known of a document without opening it. Nothing of it changes but that a later version takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Laid {
    pub id: DocumentId,
    pub case: CaseId,
    /// Its audience, for good.
    pub room: Room,
    pub at: Moment,
    pub author: PersonId,
    /// As what its author acted.
    pub by: CapacityName,
    /// Octets.
    pub size: u64,
    /// The version that came after it.
    pub superseded_by: Option<DocumentId>,
}

/// What a document says about itself: sealed like its octets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// A label, never a path.
    pub name: Line,
    pub kind: FileKind,
    /// The SHA-256 of its octets, in lower-case hexadecimal.
    pub sha256: String,
    pub note: Option<Line>,
    /// The version it came after.
    pub supersedes: Option<DocumentId>,
    /// Whether it is a copy that its owner released from a narrower room.
    pub released: bool,
}

/// Whether somebody in `capacity` may lay down documents in `room`, while it is open: whoever writes there, but in a
/// side's private room only the side itself; the neutral reads there (SAFETY §1).
#[must_use]
pub fn may_lay_down(case: &Case, capacity: Capacity, room: Room) -> bool {
    let reads_only = capacity == Capacity::Neutral && matches!(room, Room::Private(_));
    writes_room(case, capacity, room) && !reads_only
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_known_by_the_end_of_a_name() {
        for kind in FileKind::ALL {
            for extension in kind.extensions() {
                assert_eq!(FileKind::of_extension(extension), Some(kind));
                assert_eq!(
                    FileKind::of_extension(&extension.to_ascii_uppercase()),
                    Some(kind)
                );
            }
        }
        for strange in ["", "exe", "html", "svg", "docm", "dotm", "pdf "] {
            assert_eq!(FileKind::of_extension(strange), None, "{strange}");
        }
    }

    #[test]
    fn a_room_is_full_when_everything_together_is_too_much() {
        let shelf = Shelf {
            document_mb: 10,
            room_mb: 100,
        };
        let mb = 1024 * 1024;
        assert!(shelf.takes(10 * mb) && !shelf.takes(10 * mb + 1));
        assert!(shelf.has_room(90 * mb, 10 * mb) && !shelf.has_room(90 * mb, 10 * mb + 1));
        assert!(shelf.has_room(0, 0) && !shelf.has_room(u64::MAX, 1));
    }
}
