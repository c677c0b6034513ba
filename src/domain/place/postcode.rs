//! Postcodes as people type them, and the councils they lie in. Great Britain only: those of Northern Ireland may not be
//! listed freely.
use super::{known, line_of};
use crate::domain::register::LocalityCode;

pub(super) static SECTORS: &str = include_str!("../data/postcode_sectors.csv");
pub(super) static OUTWARD: &str = include_str!("../data/outward_codes.csv");

/// A postcode, or the beginning of one, as it is written: `FY1 4AB`, `FY1 4`, `FY1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postcode {
    outward: String,
    /// The digit of the sector, where it was given.
    sector: Option<char>,
    /// The two letters at the end, where they were given.
    unit: String,
}

impl std::fmt::Display for Postcode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.outward)?;
        match self.sector {
            Some(digit) => write!(f, " {digit}{}", self.unit),
            None => Ok(()),
        }
    }
}

/// Whether this is the first half of a postcode: one or two letters, a digit, and perhaps one digit or letter more.
fn is_outward(text: &str) -> bool {
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    let rest = text.as_bytes().get(letters..).unwrap_or_default();
    let fine = match rest {
        [first] => first.is_ascii_digit(),
        [first, second] => first.is_ascii_digit() && second.is_ascii_alphanumeric(),
        _otherwise => false,
    };
    (1..=2).contains(&letters) && fine
}

impl Postcode {
    /// Reads a postcode the way people type it: in small letters, without the space, with the letter O for a nought.
    #[must_use]
    pub fn read(said: &str) -> Option<Self> {
        let upper = said.trim().to_ascii_uppercase();
        let marks = |c: char| c.is_ascii_whitespace() || matches!(c, '-' | '.' | ',');
        let whole: String = upper.chars().filter(|c| !marks(*c)).collect();
        if !whole.bytes().all(|b| b.is_ascii_alphanumeric()) || !(2..=7).contains(&whole.len()) {
            return None;
        }
        let halves: Vec<&str> = upper.split(marks).filter(|h| !h.is_empty()).collect();
        // With all its letters, the last three are the second half, wherever the space is.
        let split = whole.len().saturating_sub(3);
        if let Some(code) = Self::of(&whole[..split], &whole[split..]) {
            return Some(code);
        }
        match halves.as_slice() {
            [outward, digit] if digit.len() == 1 => Self::of(outward, digit),
            [outward] => Self::of(outward, ""),
            _otherwise => None,
        }
    }

    fn of(outward: &str, inward: &str) -> Option<Self> {
        if !is_outward(outward) {
            return None;
        }
        let mut letters = inward.chars();
        let sector = letters.next().map(|c| if c == 'O' { '0' } else { c });
        let unit = letters.as_str();
        let fine = sector.is_none_or(|c| c.is_ascii_digit())
            && (unit.is_empty() || unit.len() == 2)
            && unit.bytes().all(|b| b.is_ascii_uppercase());
        fine.then(|| Self {
            outward: outward.to_owned(),
            sector,
            unit: unit.to_owned(),
        })
    }

    /// Whether it is in Northern Ireland, whose postcodes nobody may list freely.
    #[must_use]
    pub fn in_northern_ireland(&self) -> bool {
        self.outward
            .strip_prefix("BT")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// The councils it lies in, the likeliest first: an area of some thousand addresses can touch several.
    #[must_use]
    pub fn places(&self) -> Vec<LocalityCode> {
        let outward = self.outward.as_str();
        let by_sector = self
            .sector
            .and_then(|digit| line_of(SECTORS, &format!("{outward} {digit}")));
        // "FY14" is more likely the beginning of FY1 4 than an area nobody has heard of.
        let run_together = || {
            let (front, digit) = outward.split_at(outward.len() - 1);
            line_of(SECTORS, &format!("{front} {digit}")).filter(|_| self.sector.is_none())
        };
        by_sector
            .or_else(|| line_of(OUTWARD, outward))
            .or_else(run_together)
            .map(known)
            .unwrap_or_default()
    }
}
