//! The OpenAPI 3.1 document, made once from the list of routes, the shapes of the wire and the kinds of problems.
mod plain;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::problem::{Kind, ProblemView};
use super::routes::{FileWay, IfMatch, Route, Who, routes};
use crate::domain::action::EventName;
use crate::domain::case::OnBehalf;
use crate::domain::procedure::line_of;
use crate::domain::room::Room;
use crate::domain::text::Line;

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|s| s.definitions_path = "/components/schemas".into())
        .into_generator();
    let problem = generator.subschema_for::<ProblemView>();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes() {
        let operation = operation(&route, &mut generator, &problem);
        let place = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(methods) = place.as_object_mut() {
            methods.insert(route.method.as_str().to_ascii_lowercase(), operation);
        }
    }
    let mut schemas = generator.take_definitions(true);
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Common Ground",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Mediation and arbitration case management for LEROs. It never decides who is right. Times are RFC 3339 in UTC; problems are RFC 9457; lists answer `items` and `next`.",
            "license": { "name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": { "securitySchemes": { "token": { "type": "http", "scheme": "bearer" }, "session": { "type": "apiKey", "in": "cookie", "name": "__Host-session" } } },
    });
    plain::name_choices(&mut schemas);
    document["components"]["schemas"] = Value::Object(schemas);
    plain::plainly(&mut document);
    plain::rename(document)
}

fn operation(route: &Route, generator: &mut SchemaGenerator, problem: &Schema) -> Value {
    let mut parameters: Vec<Value> = path_names(route.path).map(|name| {
        let schema = if name == "room" { generator.subschema_for::<Room>().to_value() } else if name == "code" { json!({ "type": "string", "pattern": "^[ENSW][0-9]{8}$" }) } else { json!({ "type": "string", "format": "uuid", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$" }) };
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    }).collect();
    if let Some(query) = route.query {
        parameters.extend(query_parameters(&query(generator)));
    }
    let (needs_tag, is_write) = (
        route.if_match,
        route.body.is_some() || route.method == "POST",
    );
    if needs_tag != IfMatch::No {
        parameters.push(json!({ "name": "If-Match", "in": "header", "required": needs_tag == IfMatch::Needed, "schema": { "type": "string" },
            "description": if needs_tag == IfMatch::Needed { "The ETag of what you read." } else { "The ETag of what you read; not needed for events that name the hash they answer." } }));
    }
    if is_write && route.who == Who::SignedIn {
        parameters.push(json!({ "name": "X-CSRF-Token", "in": "header", "required": false, "schema": { "type": "string" }, "description": "Needed with the cookie of a session, and not with a token; `GET /api/v1/session` gives it." }));
    }
    if is_write && route.who == Who::SignedIn && route.keyed {
        parameters.push(json!({ "name": "Idempotency-Key", "in": "header", "required": false, "schema": { "type": "string", "minLength": 1, "maxLength": 200 }, "description": "Makes the request happen once, however often it is sent." }));
    }
    let mut responses = Map::new();
    let (status, shape) = route.answer;
    let mut good = json!({ "description": "Done." });
    if let Some(shape) = shape {
        good["content"] = json!({ "application/json": { "schema": shape(generator) } });
    }
    if route.file == FileWay::Down {
        good["content"] = json!({ "*/*": { "schema": { "type": "string", "format": "binary" } } });
    }
    if route.tagged {
        good["headers"] = json!({ "ETag": { "schema": { "type": "string" }, "description": "The tag of what you are shown." } });
    }
    responses.insert(status.to_string(), good);
    for kind in problems_of(route) {
        responses.entry(kind.status().as_u16().to_string()).or_insert_with(|| json!({ "description": kind.title(), "content": { "application/problem+json": { "schema": problem } } }));
    }
    let mut operation = json!({ "operationId": route.name, "summary": route.summary, "tags": [tag(route.path)], "parameters": parameters, "responses": responses });
    if let Some(body) = route.body {
        operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": body(generator) } } });
    }
    if route.file == FileWay::Up {
        operation["requestBody"] = json!({ "required": true, "content": { "multipart/form-data": { "schema": upload() } } });
    }
    operation["security"] = match route.who {
        Who::SignedIn => json!([{ "token": [] }, { "session": [] }]),
        Who::Anybody => json!([{}, { "token": [] }, { "session": [] }]),
    };
    operation
}

/// The form a document comes in.
fn upload() -> Value {
    json!({
        "type": "object",
        "required": ["file"],
        "additionalProperties": false,
        "properties": {
            "file": { "type": "string", "format": "binary", "description": "A PDF, DOCX, ODT, JPG, PNG, CSV or TXT file of at most 10 MB, with its name." },
            "note": { "type": "string", "maxLength": Line::MOST, "description": "A line about it, for those who read the room." },
            "supersedes": { "type": "string", "pattern": "^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?$", "description": "The version this one takes the place of: the latest one, in the same room. Forms may send it empty." },
        },
    })
}

/// Every problem an address can answer with.
fn problems_of(route: &Route) -> Vec<Kind> {
    let mut kinds = vec![
        Kind::BadRequest,
        Kind::SignIn,
        Kind::NotFound,
        Kind::NotAcceptable,
        Kind::SlowBody,
        Kind::TooLarge,
        Kind::Unsupported,
        Kind::Misdirected,
        Kind::Broken,
        Kind::Unavailable,
    ];
    if route.body.is_some() || route.method == "POST" {
        kinds.extend([Kind::NotAllowed, Kind::Conflict, Kind::Invalid]);
    }
    if route.who == Who::SignedIn {
        kinds.push(Kind::NotAllowed);
    }
    if route.counted {
        kinds.push(Kind::TooMany);
    }
    if route.if_match != IfMatch::No {
        kinds.extend([Kind::Stale, Kind::NeedsTag]);
    }
    kinds
}

fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn tag(path: &str) -> &str {
    let mut parts = path.trim_start_matches('/').split('/');
    match parts.next() {
        Some("api") => parts.nth(1).unwrap_or("api"),
        Some(other) => other,
        None => "api",
    }
}

/// The fields of a query shape as parameters; an optional one is left out, never null.
fn query_parameters(shape: &Schema) -> Vec<Value> {
    let fields = shape
        .get("properties")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    fields
        .into_iter()
        .map(|(name, mut schema)| {
            let description = schema.as_object_mut().and_then(|s| s.remove("description"));
            let schema = without_null(schema);
            let mut parameter =
                json!({ "name": name, "in": "query", "required": false, "schema": schema });
            if let Some(words) = description {
                parameter["description"] = words;
            }
            parameter
        })
        .collect()
}

fn without_null(mut schema: Value) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("default");
        if let Some(kinds) = fields.get_mut("type").filter(|t| t.is_array())
            && let Some(kind) = kinds
                .as_array()
                .and_then(|k| k.iter().find(|k| *k != "null"))
                .cloned()
        {
            *kinds = kind;
        }
        if let Some(Value::Array(any)) = fields.get("anyOf")
            && let Some(only) = any
                .iter()
                .find(|s| s.get("type") != Some(&json!("null")))
                .cloned()
        {
            return only;
        }
    }
    schema
}

/// The body of a step: one shape for each event, told apart by `event`.
pub fn command(generator: &mut SchemaGenerator) -> Schema {
    let behalf = generator.subschema_for::<OnBehalf>();
    let mut shapes = Vec::new();
    let mut mapping = Map::new();
    for event in EventName::ALL
        .iter()
        .filter(|e| line_of(**e).who != [crate::domain::procedure::Part::System])
    {
        let mut shape = serde_json::to_value(event.schema(generator)).unwrap_or_default();
        if let Some(fields) = shape.as_object_mut() {
            let properties = fields.entry("properties").or_insert_with(|| json!({}));
            properties["event"] =
                json!({ "type": "string", "const": event.word(), "default": event.word() });
            properties["on_behalf_of"] = json!({ "anyOf": [behalf, { "type": "null" }], "description": "For somebody who is offline; for neutrals and coordinators." });
            let required = fields.entry("required").or_insert_with(|| json!([]));
            if let Some(names) = required.as_array_mut() {
                names.insert(0, json!("event"));
            }
        }
        let name = shape_name(*event);
        mapping.insert(
            event.word().to_owned(),
            json!(format!("#/components/schemas/{name}")),
        );
        generator.definitions_mut().insert(name.clone(), shape);
        shapes.push(json!({ "$ref": format!("#/components/schemas/{name}") }));
    }
    Schema::try_from(json!({ "oneOf": shapes, "discriminator": { "propertyName": "event", "mapping": mapping } })).unwrap_or_default()
}

fn shape_name(event: EventName) -> String {
    let camel: String = event
        .word()
        .split('_')
        .map(|part| part[..1].to_ascii_uppercase() + &part[1..])
        .collect();
    format!("{camel}Event")
}
