//! Pages of those who look after the whole: coordinators, administrators and auditors.
pub mod board;
pub mod letters;
pub mod log;
pub mod people;
pub mod person;
pub mod settings;
pub mod tasks;

/// An address with a query: of each pair, what has something to say.
#[must_use]
pub fn address(path: &str, query: &[(&str, Option<&str>)]) -> String {
    let mut written = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in query {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            written.append_pair(key, value);
        }
    }
    match written.finish() {
        nothing if nothing.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// A word of the query as a value of the domain; one that is no word of it says nothing.
fn word_of<T: serde::de::DeserializeOwned>(said: Option<&str>) -> Option<T> {
    serde_json::from_value(said?.into()).ok()
}
