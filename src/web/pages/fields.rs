//! What somebody typed into a form, and how it becomes the JSON body that the API would take: the name of a field says
//! where its value goes and what kind it is, so that one reader serves every form and every flaw finds its field.
//!
//! ```text
//! about            a text; left out when empty        about!        the same, but sent when empty: it is needed
//! grounds[]        one entry of a list                sessions?     true when ticked, otherwise false
//! minutes#         a number                           on@day on@month on@year   a date; with on@time a time in London
//! terms.what       inside something else              times.+0.start  inside the first entry of a list
//! _once            for the page itself, never part of the body
//! ```
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::web::problem::{Kind, Problem};

/// The fields of a form, in the order they were sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

/// What the end of a field's name says about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Text,
    Needed,
    Entry,
    Ticked,
    Number,
    Part(Part),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Day,
    Month,
    Year,
    Time,
}

/// Where a value goes, and what kind it is.
fn read_name(name: &str) -> (Vec<&str>, Mark) {
    let (path, mark) = if let Some((path, part)) = name.split_once('@') {
        let part = match part {
            "day" => Part::Day,
            "month" => Part::Month,
            "year" => Part::Year,
            _time => Part::Time,
        };
        (path, Mark::Part(part))
    } else if let Some(path) = name.strip_suffix("[]") {
        (path, Mark::Entry)
    } else if let Some(path) = name.strip_suffix('?') {
        (path, Mark::Ticked)
    } else if let Some(path) = name.strip_suffix('#') {
        (path, Mark::Number)
    } else if let Some(path) = name.strip_suffix('!') {
        (path, Mark::Needed)
    } else {
        (name, Mark::Text)
    };
    (path.trim_end_matches('!').split('.').collect(), mark)
}

/// The id of the element of a field, which its flaws are linked to.
#[must_use]
pub fn id_of(name: &str) -> String {
    let (path, _) = read_name(name);
    format!("f-{}", path.join("-").replace('+', ""))
}

impl Fields {
    /// Reads a form as browsers send it (`application/x-www-form-urlencoded`).
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        let unreadable =
            || Problem::new(Kind::BadRequest).saying("This is not a form we can read.");
        let mut all = Vec::new();
        for (name, value) in url::form_urlencoded::parse(body) {
            // What is not UTF-8 comes out as U+FFFD, which nobody types.
            if name.contains('\u{FFFD}') || value.contains('\u{FFFD}') || name.len() > 200 {
                return Err(unreadable());
            }
            all.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(all))
    }

    /// Adds a field.
    pub fn add(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_owned(), value.into()));
    }

    /// Adds a field where there is something to say.
    pub fn add_some(&mut self, name: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.add(name, value.to_string());
        }
    }

    /// Adds the three boxes of a date.
    pub fn add_day(&mut self, name: &str, day: Option<crate::domain::time::Day>) {
        use chrono::Datelike;
        if let Some(day) = day {
            for (part, number) in [
                ("day", i64::from(day.0.day())),
                ("month", i64::from(day.0.month())),
                ("year", i64::from(day.0.year())),
            ] {
                self.add(&format!("{name}@{part}"), number.to_string());
            }
        }
    }

    /// The first value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every pair, in the order they were sent.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// What templates look up: each name with all its values.
    #[must_use]
    pub fn by_name(&self) -> Value {
        let mut all: Map<String, Value> = Map::new();
        for (name, value) in &self.0 {
            if let Value::Array(list) = all
                .entry(name.clone())
                .or_insert_with(|| Value::Array(Vec::new()))
            {
                list.push(Value::from(value.as_str()));
            }
        }
        Value::Object(all)
    }

    /// What the form asks for, without what is the page's own: the same for the same request.
    #[must_use]
    pub fn fingerprint(&self) -> Vec<u8> {
        let asked: Vec<_> = self.pairs().filter(|(n, _)| !n.starts_with('_')).collect();
        serde_json::to_vec(&asked).unwrap_or_default()
    }

    /// The body that the API would take for this form.
    #[must_use]
    pub fn body(&self) -> Value {
        let (mut body, mut dates) = (Value::Object(Map::new()), BTreeMap::new());
        for (name, value) in self.pairs().filter(|(n, _)| !n.starts_with('_')) {
            let (path, mark) = read_name(name);
            match mark {
                Mark::Text if value.trim().is_empty() => {}
                Mark::Text | Mark::Needed => put(&mut body, &path, value.into()),
                Mark::Entry if value.is_empty() => {}
                Mark::Entry => match place(&mut body, &path) {
                    Value::Array(list) => list.push(value.into()),
                    other => *other = Value::Array(vec![value.into()]),
                },
                Mark::Ticked => put(&mut body, &path, Value::Bool(value != "no")),
                Mark::Number if value.trim().is_empty() => {}
                Mark::Number => {
                    let number = value.trim().parse::<i64>();
                    put(&mut body, &path, number.map_or(value.into(), Value::from));
                }
                Mark::Part(part) => {
                    let needed = name.contains("!@");
                    let (_, parts) = dates
                        .entry(path.join("."))
                        .or_insert_with(|| (needed, BTreeMap::new()));
                    parts.insert(part, value.trim());
                }
            }
        }
        for (path, (needed, parts)) in dates {
            let written = date(&parts);
            if needed || !written.is_empty() {
                put(
                    &mut body,
                    &path.split('.').collect::<Vec<_>>(),
                    written.into(),
                );
            }
        }
        listed(body)
    }
}

/// Days and months may be written with or without a leading nought, and months by name.
fn date(parts: &BTreeMap<Part, &str>) -> String {
    let said = |part| parts.get(&part).copied().unwrap_or_default();
    let (day, month, year, time) = (
        said(Part::Day),
        month(said(Part::Month)),
        said(Part::Year),
        said(Part::Time),
    );
    if [day, month.as_str(), year].iter().all(|p| p.is_empty()) && time.is_empty() {
        return String::new();
    }
    let year = if year.len() == 2 && year.bytes().all(|b| b.is_ascii_digit()) {
        format!("20{year}")
    } else {
        year.to_owned()
    };
    let written = format!("{year}-{month:0>2}-{day:0>2}");
    if parts.contains_key(&Part::Time) {
        format!("{written}T{}", clock(time))
    } else {
        written
    }
}

fn month(said: &str) -> String {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let lower = said.to_lowercase();
    MONTHS
        .iter()
        .position(|m| lower.starts_with(m))
        .map_or_else(|| said.to_owned(), |at| (at + 1).to_string())
}

/// "10:30", "10.30", "2pm", "2:15 pm": as people write a time.
fn clock(said: &str) -> String {
    let lower = said.to_lowercase().replace([' ', '.'], "");
    let said_with_colon = said.to_lowercase().replace('.', ":").replace(' ', "");
    let (rest, shift) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(_), _) => (said_with_colon.trim_end_matches("am").to_owned(), Some(0)),
        (_, Some(_)) => (said_with_colon.trim_end_matches("pm").to_owned(), Some(12)),
        (None, None) => (said_with_colon, None),
    };
    let (hour, minute) = rest.split_once(':').unwrap_or((rest.as_str(), "00"));
    match (hour.parse::<u8>(), minute.parse::<u8>(), shift) {
        (Ok(h), Ok(m), Some(shift)) if (1..=12).contains(&h) => {
            format!("{:02}:{m:02}", h % 12 + shift)
        }
        (Ok(h), Ok(m), None) => format!("{h:02}:{m:02}"),
        _otherwise => said.to_owned(),
    }
}

fn place<'a>(mut at: &'a mut Value, path: &[&str]) -> &'a mut Value {
    for segment in path {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = at
            .as_object_mut()
            .expect("it has just been made an object")
            .entry((*segment).to_owned())
            .or_insert(Value::Null);
    }
    at
}

fn put(body: &mut Value, path: &[&str], value: Value) {
    *place(body, path) = value;
}

/// Entries of lists were collected under `+0`, `+1`; they become lists, and entries in which nothing was said go.
fn listed(value: Value) -> Value {
    match value {
        Value::Object(fields) if fields.keys().any(|k| k.starts_with('+')) => {
            let mut entries: Vec<(usize, Value)> = fields
                .into_iter()
                .filter_map(|(k, v)| Some((k.strip_prefix('+')?.parse().ok()?, listed(v))))
                .filter(|(_, v)| says_something(v))
                .collect();
            entries.sort_by_key(|(at, _)| *at);
            Value::Array(entries.into_iter().map(|(_, v)| v).collect())
        }
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(k, v)| (k, listed(v))).collect())
        }
        other => other,
    }
}

/// Whether anybody filled anything in.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().any(says_something),
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => !text.trim().is_empty(),
        Value::Bool(ticked) => *ticked,
        Value::Number(_) => true,
        Value::Null => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn body(form: &str) -> Value {
        Fields::read(form.as_bytes()).expect("a form").body()
    }

    #[test]
    fn the_name_of_a_field_says_where_its_value_goes() {
        assert_eq!(
            body(
                "_once=x&about=&terms.what!=&grounds[]=a&grounds[]=b&minutes%23=60&sessions?=yes&other?=no"
            ),
            json!({ "terms": { "what": "" }, "grounds": ["a", "b"], "minutes": 60, "sessions": true, "other": false })
        );
        assert_eq!(
            body("e.1.view=partly&e.28.view=&times.%2B0.minutes%23=&times.%2B1.minutes%23=30"),
            json!({ "e": { "1": { "view": "partly" } }, "times": [{ "minutes": 30 }] })
        );
        assert_eq!(body("minutes%23=many"), json!({ "minutes": "many" }));
    }

    #[test]
    fn dates_and_times_are_read_as_people_write_them() {
        for (day, month, year, time, written) in [
            ("7", "3", "2027", "10:30", "2027-03-07T10:30"),
            ("07", "march", "27", "2pm", "2027-03-07T14:00"),
            ("31", "Dec", "2026", "12.15am", "2026-12-31T00:15"),
            ("x", "13", "", "late", "-13-0xTlate"),
        ] {
            let form = format!("s@day={day}&s@month={month}&s@year={year}&s@time={time}");
            assert_eq!(body(&form), json!({ "s": written }), "{form}");
        }
        assert_eq!(body("s@day=&s@month=&s@year="), json!({}));
        assert_eq!(body("s!@day=&s!@month=&s!@year="), json!({ "s": "" }));
    }

    #[test]
    fn a_field_has_an_id_that_flaws_lead_to() {
        assert_eq!(id_of("terms.what!"), "f-terms-what");
        assert_eq!(id_of("times.+0.start@day"), "f-times-0-start");
        assert_eq!(id_of("grounds[]"), "f-grounds");
    }

    proptest! {
        #[test]
        fn reading_any_form_never_panics(octets in proptest::collection::vec(any::<u8>(), 0..300), text in "[a-c.+@!?#\\[\\]_=&%0-9]{0,80}") {
            for form in [octets.as_slice(), text.as_bytes()] {
                if let Ok(fields) = Fields::read(form) { let _ = (fields.body(), fields.by_name(), fields.fingerprint()); }
            }
        }
    }
}
