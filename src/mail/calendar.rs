//! Meetings as calendars read them (RFC 5545, RFC 5546): an invitation, a change, a cancellation, and a feed. Neutral on
//! purpose: no place, no description, no other name (SPEC §5). Written by hand, because a time zone with its rules is
//! needed, and the crates that write calendars have none.
use chrono::{Duration, LocalResult, TimeZone};
use chrono_tz::Europe::London;

use crate::domain::text::EmailAddress;
use crate::domain::time::Moment;

/// One meeting, as far as a calendar may know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Stable for the life of the meeting; the same in every calendar.
    pub uid: String,
    /// The reference of its case; it names nobody.
    pub reference: String,
    pub sequence: u32,
    pub start: Moment,
    pub minutes: u16,
    /// When this was last changed.
    pub changed_at: Moment,
    pub cancelled: bool,
}

/// What a calendar is to do with an entry that comes by letter (RFC 5546 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Request,
    Cancel,
}

impl Method {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Request => "REQUEST",
            Self::Cancel => "CANCEL",
        }
    }
}

/// Who sends it and who gets it; nobody else is named.
#[derive(Debug, Clone, Copy)]
pub struct Between<'a> {
    pub organiser: &'a EmailAddress,
    pub attendee: &'a EmailAddress,
}

/// Europe/London with its rules since 1996.
const LONDON: [&str; 16] = [
    "BEGIN:VTIMEZONE",
    "TZID:Europe/London",
    "BEGIN:DAYLIGHT",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0100",
    "TZNAME:BST",
    "DTSTART:19960331T010000",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "END:DAYLIGHT",
    "BEGIN:STANDARD",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0000",
    "TZNAME:GMT",
    "DTSTART:19961027T020000",
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "END:STANDARD",
];

/// The calendar part of a letter to one person.
#[must_use]
pub fn letter(method: Method, entry: &Entry, between: Between<'_>, link: &str) -> String {
    let mut page = Page::begin();
    page.line(&format!("METHOD:{}", method.word()));
    page.zone();
    page.event(entry, Some(between), link);
    page.end()
}

/// Everything in one person's calendar.
#[must_use]
pub fn feed(entries: &[Entry], link: &str) -> String {
    let mut page = Page::begin();
    for line in [
        "METHOD:PUBLISH",
        "X-WR-CALNAME:CLERO meetings",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ] {
        page.line(line);
    }
    page.zone();
    for entry in entries {
        page.event(entry, None, link);
    }
    page.end()
}

/// A calendar that is being written.
struct Page(String);

impl Page {
    fn begin() -> Self {
        let mut page = Self(String::new());
        for line in [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//Common Ground//Common Ground//EN",
            "CALSCALE:GREGORIAN",
        ] {
            page.line(line);
        }
        page
    }

    fn end(mut self) -> String {
        self.line("END:VCALENDAR");
        self.0
    }

    fn zone(&mut self) {
        for line in LONDON {
            self.line(line);
        }
        self.line("END:VTIMEZONE");
    }

    fn event(&mut self, entry: &Entry, between: Option<Between<'_>>, link: &str) {
        let end = entry.start.plus(Duration::minutes(entry.minutes.into()));
        let stamp = entry.changed_at.0.format("%Y%m%dT%H%M%SZ");
        let status = if entry.cancelled {
            "CANCELLED"
        } else {
            "CONFIRMED"
        };
        self.line("BEGIN:VEVENT");
        self.line(&format!("UID:{}", escaped(&entry.uid)));
        self.line(&format!("SEQUENCE:{}", entry.sequence));
        self.line(&format!("DTSTAMP:{stamp}"));
        self.line(&format!("LAST-MODIFIED:{stamp}"));
        self.line(&format!("DTSTART{}", when(entry.start)));
        self.line(&format!("DTEND{}", when(end)));
        self.line(&format!(
            "SUMMARY:{}",
            escaped(&format!("CLERO meeting {}", entry.reference))
        ));
        self.line(&format!("STATUS:{status}"));
        self.line("CLASS:PRIVATE");
        self.line("TRANSP:OPAQUE");
        self.line(&format!("URL:{link}"));
        if let Some(between) = between {
            self.line(&format!("ORGANIZER:mailto:{}", between.organiser.as_str()));
            let role = "ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=FALSE";
            self.line(&format!(
                "ATTENDEE;{role}:mailto:{}",
                between.attendee.as_str()
            ));
        }
        self.line("END:VEVENT");
    }

    /// Writes a line, folded so that none is longer than 75 octets (RFC 5545 §3.1) and no character is torn apart.
    fn line(&mut self, line: &str) {
        let mut width = 0;
        for letter in line.chars() {
            if width + letter.len_utf8() > 75 {
                self.0.push_str("\r\n ");
                width = 1;
            }
            self.0.push(letter);
            width += letter.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

/// A time as a clock in London shows it; in UTC where a clock shows it twice, so that nobody comes an hour late.
fn when(at: Moment) -> String {
    const FORM: &str = "%Y%m%dT%H%M%S";
    let shown = at.0.with_timezone(&London).naive_local();
    if matches!(London.from_local_datetime(&shown), LocalResult::Single(_)) {
        format!(";TZID=Europe/London:{}", shown.format(FORM))
    } else {
        format!(":{}Z", at.0.format(FORM))
    }
}

/// A text value (RFC 5545 §3.3.11).
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(letter);
            }
            '\n' => out.push_str("\\n"),
            '\r' => {}
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(start: &str) -> Entry {
        Entry {
            uid: "3b0b5f2e-0000-4000-8000-000000000000@common-ground.example".to_owned(),
            reference: "CG-2027-4F7K".to_owned(),
            sequence: 2,
            start: Moment::new(start.parse().expect("a time")),
            minutes: 90,
            changed_at: Moment::new("2027-01-01T09:00:00Z".parse().expect("a time")),
            cancelled: false,
        }
    }

    #[test]
    fn times_are_those_of_london_on_both_sides_of_both_changes() {
        for (start, shown, end) in [
            ("2027-03-27T10:00:00Z", "20270327T100000", "20270327T113000"),
            ("2027-03-28T00:30:00Z", "20270328T003000", "20270328T030000"),
            ("2027-03-29T09:00:00Z", "20270329T100000", "20270329T113000"),
            ("2027-10-30T09:00:00Z", "20271030T100000", "20271030T113000"),
            ("2027-11-01T10:00:00Z", "20271101T100000", "20271101T113000"),
        ] {
            let page = feed(&[entry(start)], "https://common-ground.example/sign-in");
            assert!(
                page.contains(&format!("DTSTART;TZID=Europe/London:{shown}\r\n")),
                "{page}"
            );
            assert!(
                page.contains(&format!("DTEND;TZID=Europe/London:{end}\r\n")),
                "{page}"
            );
        }
    }

    #[test]
    fn a_time_that_comes_twice_is_written_so_that_it_is_one() {
        let page = feed(
            &[entry("2027-10-31T00:30:00Z")],
            "https://common-ground.example/sign-in",
        );
        assert!(page.contains("DTSTART:20271031T003000Z\r\n"), "{page}");
        assert!(
            page.contains("DTEND;TZID=Europe/London:20271031T020000\r\n"),
            "{page}"
        );
    }

    #[test]
    fn lines_are_folded_and_texts_escaped() {
        let organiser = EmailAddress::parse(&format!("{}@common-ground.example", "o".repeat(60)))
            .expect("an address");
        let attendee = EmailAddress::parse("ada@lero.example").expect("an address");
        let between = Between {
            organiser: &organiser,
            attendee: &attendee,
        };
        let strange = Entry {
            reference: "a;b,c\\d\nBEGIN:VEVENT".to_owned() + &"é".repeat(60),
            cancelled: true,
            ..entry("2027-05-01T09:00:00Z")
        };
        let page = letter(
            Method::Cancel,
            &strange,
            between,
            "https://common-ground.example/sign-in",
        );
        assert!(
            page.ends_with("END:VCALENDAR\r\n") && !page.replace("\r\n", "").contains(['\r', '\n'])
        );
        assert!(page.split("\r\n").all(|line| line.len() <= 75));
        let unfolded = page.replace("\r\n ", "");
        assert!(unfolded.contains(r"SUMMARY:CLERO meeting a\;b\,c\\d\nBEGIN:VEVENT"));
        assert_eq!(unfolded.matches("\r\nBEGIN:VEVENT").count(), 1);
        for line in ["METHOD:CANCEL", "STATUS:CANCELLED", "SEQUENCE:2"] {
            assert!(unfolded.contains(&format!("\r\n{line}\r\n")), "{line}");
        }
        for word in ["LOCATION", "DESCRIPTION"] {
            assert!(!page.contains(word));
        }
    }
}
