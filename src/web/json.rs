//! Reading JSON strictly (SAFETY §4): one document, no repeated keys, no depth that hurts; then into the shape a use
//! case asks for, with a JSON pointer to whatever does not fit.
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, de};
use serde_json::{Map, Value};

use super::problem::{Kind, Problem};
use super::shape::Strict;
use crate::domain::decide::Flaw;

const DEEPEST: u8 = 32;

/// Reads the octets of a body as one JSON value.
pub fn value(octets: &[u8]) -> Result<Value, Problem> {
    let unreadable = |why: &str| Problem::new(Kind::BadJson).saying(why);
    let text = std::str::from_utf8(octets).map_err(|_| unreadable("The body is not UTF-8."))?;
    if text.starts_with('\u{FEFF}') {
        return Err(unreadable("Please leave out the byte order mark."));
    }
    if text.trim().is_empty() {
        return Err(unreadable("The body is empty."));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Document(0)
        .deserialize(&mut reader)
        .map_err(|e| unreadable(&said(&e)))?;
    reader
        .end()
        .map_err(|_| unreadable("There is something after the JSON document."))?;
    Ok(value)
}

/// What serde says, without quoting what was sent.
fn said(error: &serde_json::Error) -> String {
    let words = error.to_string();
    if words.contains("repeated key") {
        format!(
            "A key is repeated, near line {} column {}.",
            error.line(),
            error.column()
        )
    } else if words.contains("too deep") || words.contains("recursion limit") {
        "It is nested deeper than 32 levels.".to_owned()
    } else {
        format!(
            "It is not JSON near line {} column {}.",
            error.line(),
            error.column()
        )
    }
}

struct Document(u8);

impl<'de> DeserializeSeed<'de> for Document {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        if self.0 > DEEPEST {
            return Err(D::Error::custom("too deep"));
        }
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E: de::Error>(self, v: bool) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_i64<E: de::Error>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_u64<E: de::Error>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_f64<E: de::Error>(self, v: f64) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_str<E: de::Error>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }
    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Document(self.0 + 1))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Document(self.0 + 1))?;
            if fields.insert(key, value).is_some() {
                return Err(A::Error::custom("repeated key"));
            }
        }
        Ok(Value::Object(fields))
    }
}

/// Reads `value` as a `T`; what does not fit is named by a JSON pointer.
pub fn shape<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    with_pointers(value, serde_path_to_error::deserialize)
}

/// Reads `value` by `read`; what does not fit is named by a JSON pointer.
pub fn with_pointers<T>(
    value: Value,
    read: impl FnOnce(Strict) -> Result<T, serde_path_to_error::Error<serde_json::Error>>,
) -> Result<T, Problem> {
    if let Some(pointer) = said_twice(&value) {
        return Err(Problem::new(Kind::Invalid).with(vec![Flaw::at(
            &pointer,
            "this is in the list already; please name it once",
        )]));
    }
    read(Strict(value)).map_err(|error| {
        let mut pointer = String::new();
        for segment in error.path() {
            match segment {
                serde_path_to_error::Segment::Seq { index } => {
                    pointer.push_str(&format!("/{index}"))
                }
                serde_path_to_error::Segment::Map { key } => {
                    pointer.push_str(&format!("/{}", escaped(key)))
                }
                serde_path_to_error::Segment::Enum { variant } => {
                    pointer.push_str(&format!("/{}", escaped(variant)))
                }
                serde_path_to_error::Segment::Unknown => {}
            }
        }
        Problem::new(Kind::Invalid).with(vec![Flaw {
            pointer,
            message: kindly(&error.inner().to_string()),
        }])
    })
}

/// Where a list of words or numbers names the same thing again: lists of such things are sets here.
fn said_twice(value: &Value) -> Option<String> {
    match value {
        Value::Array(items) => {
            let mut seen = BTreeSet::new();
            items.iter().enumerate().find_map(|(at, item)| {
                let plain = item.is_string() || item.is_number();
                let beneath = || said_twice(item).map(|rest| format!("/{at}{rest}"));
                (plain && !seen.insert(item.to_string()))
                    .then(|| format!("/{at}"))
                    .or_else(beneath)
            })
        }
        Value::Object(fields) => fields
            .iter()
            .find_map(|(key, value)| Some(format!("/{}{}", escaped(key), said_twice(value)?))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn escaped(key: &str) -> String {
    key.chars()
        .take(80)
        .collect::<String>()
        .replace('~', "~0")
        .replace('/', "~1")
}

/// serde's words for people: without positions, and without echoing more than a little of what was sent.
fn kindly(words: &str) -> String {
    let words = words.split(" at line ").next().unwrap_or(words);
    let clean: String = words
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    if let Some(field) = clean.strip_prefix("missing field ") {
        return format!("please fill in {}", field.replace('`', ""));
    }
    if clean.starts_with("unknown field") {
        return format!("this field is not known here ({})", clean.replace('`', ""));
    }
    // The words for shapes are ours, not a programming language's.
    let plain = clean
        .split(", expected struct ")
        .next()
        .map_or(clean.clone(), |said| {
            if said.len() < clean.len() {
                format!("{said}, expected an object")
            } else {
                clean.clone()
            }
        });
    [
        ("u16", "a whole number"),
        ("u8", "a whole number"),
        ("a sequence", "a list"),
        ("sequence", "a list"),
    ]
    .iter()
    .fold(plain, |words, (theirs, ours)| words.replace(theirs, ours))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_one_plain_json_document_is_refused() {
        let deep = "[".repeat(40) + &"]".repeat(40);
        for bad in [
            "",
            "  ",
            "{",
            "{} {}",
            "{\"a\":1,\"a\":2}",
            "{\"a\":{\"b\":1,\"b\":2}}",
            "\u{FEFF}{}",
            "\"\\ud800\"",
            "nul",
            "{'a':1}",
            "[1,]",
            deep.as_str(),
        ] {
            assert!(value(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(value(&[0xff, 0xfe]).is_err());
        assert!(value(b" {\"a\": [1, 2.5, null, true, \"x\"]} ").is_ok());
    }

    proptest! {
        #[test]
        fn reading_any_octets_never_panics(octets in proptest::collection::vec(any::<u8>(), 0..200)) { let _ = value(&octets); }

        #[test]
        fn what_serde_writes_is_read_back(text in "\\PC{0,40}", number: i64) {
            let written = serde_json::json!({ "a": text, "b": [number] });
            prop_assert_eq!(value(written.to_string().as_bytes()).ok(), Some(written));
        }
    }
}
