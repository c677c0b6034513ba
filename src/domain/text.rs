//! Words that people write, read once at the edge and safe from then on: a `Line`, some `Prose`, an
//! `EmailAddress`. Each is NFC and free of NUL, control characters, bidirectional overrides and stacks of
//! combining marks (SAFETY §4). What they mean is nobody's business here.
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Why some words cannot be taken, said to the person who wrote them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("please write something here")]
    Empty,
    #[error("please use at most {0} characters")]
    TooLong(usize),
    #[error("please keep this to one line")]
    ManyLines,
    #[error("this contains a character that cannot be shown safely; please type it again")]
    Unshowable,
    #[error("please write an address like name@example.org")]
    NotAnAddress,
}

/// At most this many combining marks may follow one another; real scripts need fewer.
const MARKS_IN_A_ROW: usize = 4;

fn fit(written: &str, most: usize, many_lines: bool) -> Result<String, Unfit> {
    // Normalising can only shorten a text by a small factor; far longer ones are not worth the work.
    if written.len() > most * 16 {
        return Err(Unfit::TooLong(most));
    }
    let text: String = written
        .replace("\r\n", "\n")
        .nfc()
        .collect::<String>()
        .trim()
        .to_owned();
    if !text
        .chars()
        .any(|c| !c.is_whitespace() && !joins(c) && !is_combining_mark(c))
    {
        return Err(Unfit::Empty);
    }
    if text.chars().count() > most {
        return Err(Unfit::TooLong(most));
    }
    if !many_lines && text.contains('\n') {
        return Err(Unfit::ManyLines);
    }
    let mut marks = 0;
    for letter in text.chars() {
        marks = if is_combining_mark(letter) {
            marks + 1
        } else if joins(letter) {
            marks
        } else {
            0
        };
        let line_break = many_lines && (letter == '\n' || letter == '\t');
        if marks > MARKS_IN_A_ROW || (letter.is_control() && !line_break) || steers_the_eye(letter)
        {
            return Err(Unfit::Unshowable);
        }
    }
    Ok(text)
}

/// Characters that only join their neighbours; some scripts and emoji need them.
fn joins(letter: char) -> bool {
    matches!(letter, '\u{200C}' | '\u{200D}')
}

/// Characters that change the direction or place of other characters, that nobody can see, or that are no characters.
fn steers_the_eye(letter: char) -> bool {
    let nothing = u32::from(letter) & 0xFFFE == 0xFFFE || matches!(letter, '\u{FDD0}'..='\u{FDEF}');
    let unseen = matches!(letter, '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}');
    let steers = matches!(
        letter,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}'
    );
    nothing || unseen || steers
}

macro_rules! words { ($($(#[$why:meta])* $name:ident: $most:expr, lines: $lines:expr),+ $(,)?) => { $(
    $(#[$why])*
    #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
    #[serde(transparent)]
    pub struct $name(String);

    impl $name {
        /// The most characters it may have.
        pub const MOST: usize = $most;
        /// Reads what was written, trimmed and in NFC, or says what to change.
        pub fn parse(written: &str) -> Result<Self, Unfit> { fit(written, Self::MOST, $lines).map(Self) }
        /// The words themselves.
        #[must_use]
        pub fn as_str(&self) -> &str { &self.0 }
    }

    impl std::fmt::Display for $name {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.0) }
    }

    impl<'de> Deserialize<'de> for $name {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
        }
    }

    impl JsonSchema for $name {
        fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
        fn json_schema(_: &mut SchemaGenerator) -> Schema { json_schema!({ "type": "string", "minLength": 1, "maxLength": $most }) }
    }
)+ } }

words! {
    /// A name or a short phrase on one line.
    Line: 200, lines: false,
    /// Some paragraphs in somebody's own words.
    Prose: 4000, lines: true,
}

/// An address letters can be sent to: a dot-atom before the `@` and a host name with a dot after it, at
/// most 254 octets (RFC 5321 §4.5.3.1.3, without the quoted and literal forms). Kept in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads an address, or says what one looks like.
    pub fn parse(written: &str) -> Result<Self, Unfit> {
        let address = written.trim().to_ascii_lowercase();
        let (local, host) = address.rsplit_once('@').ok_or(Unfit::NotAnAddress)?;
        let atom = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c))
        };
        let label = |part: &str| {
            !part.is_empty()
                && part.len() <= 63
                && !part.starts_with('-')
                && !part.ends_with('-')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        let top = host.rsplit('.').next().unwrap_or_default();
        let good = address.len() <= 254
            && local.len() <= 64
            && local.split('.').all(atom)
            && host.contains('.')
            && host.split('.').all(label)
            && top.chars().any(|c| c.is_ascii_alphabetic());
        good.then_some(Self(address)).ok_or(Unfit::NotAnAddress)
    }

    /// The address as it is written on the envelope.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for EmailAddress {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for EmailAddress {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EmailAddress".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "email", "maxLength": 254 })
    }
}

/// A password as somebody typed or pasted it, in NFC and otherwise untouched. It is never shown, written or logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The fewest characters a new one may have.
    pub const LEAST: usize = 12;
    /// The most characters it may have.
    pub const MOST: usize = 200;

    /// Reads a password. Whether a new one is long and strange enough is asked where one is chosen.
    pub fn parse(typed: &str) -> Result<Self, Unfit> {
        if typed.len() > Self::MOST * 16 {
            return Err(Unfit::TooLong(Self::MOST));
        }
        let password: String = typed.nfc().collect();
        match password.chars().count() {
            0 => Err(Unfit::Empty),
            many if many > Self::MOST => Err(Unfit::TooLong(Self::MOST)),
            _fine => Ok(Self(password)),
        }
    }

    /// The password itself, for hashing and for nothing else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Password {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Password".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "password", "minLength": 1, "maxLength": 200 })
    }
}

/// How a text looks to somebody who searches: lower case, without accents, single spaces. Folded here
/// because SQLite folds ASCII only.
#[must_use]
pub fn folded(text: &str) -> String {
    let plain: String = text
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .collect::<String>()
        .to_lowercase();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How a name looks at a glance: folded, letters that are mistaken for one another made one (the skeleton of Unicode
/// Technical Standard 39, and digits for letters), and nothing but letters and digits. Two organisations with the same
/// look need a coordinator's word (SAFETY §4).
#[must_use]
pub fn look(name: &str) -> String {
    // Capital and small letters have look-alikes of their own, so the bones are taken of both.
    let bones = |words: &str| {
        folded(&unicode_security::confusable_detection::skeleton(words).collect::<String>())
    };
    let skeleton = bones(&bones(name));
    let plain: String = skeleton
        .chars()
        .filter(|c| c.is_alphanumeric())
        .map(|c| match c {
            '0' => 'o',
            '1' | 'i' => 'l',
            '5' => 's',
            'ᴛ' => 't',
            other => other,
        })
        .collect();
    plain.replace("rn", "m").replace("vv", "w")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_that_cannot_be_shown_safely_are_refused() {
        for bad in [
            "a\0b",
            "a\u{202E}b",
            "a\u{7}b",
            "o\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
        ] {
            assert_eq!(Line::parse(bad), Err(Unfit::Unshowable), "{bad:?}");
        }
        assert_eq!(Line::parse("two\nlines"), Err(Unfit::ManyLines));
        assert_eq!(Line::parse("  \t "), Err(Unfit::Empty));
        assert_eq!(Line::parse(&"x".repeat(201)), Err(Unfit::TooLong(200)));
        assert_eq!(
            Prose::parse("two\r\nlines").map(|p| p.to_string()),
            Ok("two\nlines".to_owned())
        );
    }

    #[test]
    fn addresses_that_letters_cannot_reach_are_refused() {
        for bad in [
            "",
            "a",
            "a@b",
            "a@localhost",
            "a@[127.0.0.1]",
            "\"a b\"@x.org",
            "a@x.org,b@x.org",
            "a\r\nBcc: x@y.org",
            "a..b@x.org",
            "a@x..org",
            "a@127.0.0.1",
            "а@х.org",
        ] {
            assert_eq!(
                EmailAddress::parse(bad),
                Err(Unfit::NotAnAddress),
                "{bad:?}"
            );
        }
        assert_eq!(
            EmailAddress::parse(" Sam.O'Neil+x@Example.ORG ").map(|a| a.as_str().to_owned()),
            Ok("sam.o'neil+x@example.org".to_owned())
        );
    }

    #[test]
    fn names_that_look_alike_are_alike() {
        assert_eq!(look("Wyre Recovery"), look("WYRE  recovery."));
        assert_eq!(look("Hollow Oak"), look("Ho1low 0ak"));
        for twin in [
            "Lantern W\u{443}re",
            "\u{405}antern Wyre",
            "Lantem Wyre",
            "Lantern VVyre",
        ] {
            let plain = if twin.starts_with('L') {
                "Lantern Wyre"
            } else {
                "Santern Wyre"
            };
            assert_eq!(look(plain), look(twin), "{twin}");
        }
        assert_eq!(look("Tyne Hearth"), look("\u{422}yne \u{4BB}earth"));
        assert_ne!(look("Wyre Recovery"), look("Wyre Discovery"));
    }

    proptest! {
        #[test]
        fn reading_words_never_panics_and_is_stable(written in "\\PC{0,300}") {
            if let Ok(line) = Line::parse(&written) { prop_assert_eq!(Line::parse(line.as_str()), Ok(line)); }
            if let Ok(address) = EmailAddress::parse(&written) { prop_assert_eq!(EmailAddress::parse(address.as_str()), Ok(address)); }
        }
    }
}
