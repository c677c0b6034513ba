//! Says the same in the words that generators of clients understand best. Each rule here is one that a generated client
//! got wrong without it.
use serde_json::{Map, Value, json};

/// Everywhere in the document: a choice of words is an `enum`, a map says what its values are and what its keys look
/// like, and a field that may be left out has no `default` that would make it look needed.
pub(super) fn plainly(part: &mut Value) {
    match part {
        Value::Array(all) => all.iter_mut().for_each(plainly),
        Value::Object(fields) => {
            words_as_enum(fields);
            map_of_values(fields);
            if let Some(Value::Object(properties)) = fields.get_mut("properties") {
                for property in properties.values_mut().filter_map(Value::as_object_mut) {
                    // The word that tells bodies apart is always the same; clients may as well fill it in.
                    if !property.contains_key("const") {
                        property.remove("default");
                    }
                }
            }
            fields.values_mut().for_each(plainly);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// `oneOf` of constants becomes `enum`, and what was said of each goes into the description.
fn words_as_enum(fields: &mut Map<String, Value>) {
    let words_of = |one: &Value| match (&one["const"], &one["enum"]) {
        (Value::String(word), _) => Some(vec![word.clone()]),
        (_, Value::Array(words)) => words
            .iter()
            .map(|w| w.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    };
    let Some(Value::Array(choices)) = fields.get("oneOf") else {
        return;
    };
    let Some(words) = choices.iter().map(words_of).collect::<Option<Vec<_>>>() else {
        return;
    };
    let said: Vec<String> = choices
        .iter()
        .filter_map(|one| {
            Some(format!(
                "`{}`: {}",
                one["const"].as_str()?,
                one["description"].as_str()?
            ))
        })
        .collect();
    let about = fields
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let description = [about.to_owned(), said.join(" ")]
        .join(" ")
        .trim()
        .to_owned();
    fields.remove("oneOf");
    fields.insert("type".to_owned(), json!("string"));
    fields.insert("enum".to_owned(), json!(words.concat()));
    fields.insert("description".to_owned(), json!(description));
}

fn map_of_values(fields: &mut Map<String, Value>) {
    let Some(Value::Object(patterns)) = fields.get("patternProperties") else {
        return;
    };
    let Some((pattern, values)) = patterns.iter().next().filter(|_| patterns.len() == 1) else {
        return;
    };
    let (keys, values) = (json!({ "pattern": pattern }), values.clone());
    fields.remove("patternProperties");
    fields.insert("propertyNames".to_owned(), keys);
    fields.insert("additionalProperties".to_owned(), values);
}

/// A choice between objects of one field each gives each of them a name: `WhenBy` and `WhenUntil` of `When`.
pub(super) fn name_choices(schemas: &mut Map<String, Value>) {
    let mut named = Map::new();
    for (name, schema) in schemas.iter_mut() {
        let choices = schema.get_mut("oneOf").and_then(Value::as_array_mut);
        for choice in choices.into_iter().flatten() {
            let only = choice["properties"]
                .as_object()
                .filter(|p| p.len() == 1)
                .and_then(|p| p.keys().next());
            if let Some(field) = only.map(|field| capital(field)) {
                let own = format!("{name}{field}");
                named.insert(own.clone(), choice.clone());
                *choice = json!({ "$ref": format!("{PLACE}{own}") });
            }
        }
    }
    schemas.extend(named);
}

const PLACE: &str = "#/components/schemas/";

/// Gives shapes made of shapes the names people would: `CasePage`, not `Array_of_BriefPage`.
pub(super) fn rename(mut document: Value) -> Value {
    let schemas = document["components"]["schemas"].take();
    let better = |name: &str| {
        capital(
            &["Nullable_", "Array_of_", "Set_of_"]
                .iter()
                .fold(name.to_owned(), |name, part| name.replace(part, "")),
        )
    };
    let mut renamed = Map::new();
    for (name, schema) in schemas.as_object().into_iter().flatten() {
        let before = renamed.insert(better(name), schema.clone());
        assert!(
            before.is_none(),
            "two shapes would be called {}",
            better(name)
        );
    }
    document["components"]["schemas"] = Value::Object(renamed);
    point_to(&mut document, &better);
    document
}

fn point_to(part: &mut Value, better: &impl Fn(&str) -> String) {
    match part {
        Value::String(text) => {
            if let Some(name) = text.strip_prefix(PLACE) {
                *text = format!("{PLACE}{}", better(name));
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|one| point_to(one, better)),
        Value::Object(fields) => fields.values_mut().for_each(|one| point_to(one, better)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
        .unwrap_or_default()
}
