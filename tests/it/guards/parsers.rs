//! Whatever arrives, our own parsers say yes or no: they never panic, and what they accept is written and read again the
//! same. `PROPTEST_CASES=100000 cargo test parsers` tries for longer.
use actix_web::FromRequest;
use actix_web::dev::Payload;
use actix_web::test::TestRequest;
use common_ground::casework::read::Slice;
use common_ground::domain::action::EventName;
use common_ground::domain::case::Reference;
use common_ground::domain::id::CaseId;
use common_ground::domain::register::LocalityCode;
use common_ground::domain::time::{Day, Moment};
use common_ground::web::api::cases::command;
use common_ground::web::ask::Ask;
use common_ground::web::json;
use proptest::prelude::*;
use serde_json::{Map, Value};

/// Words that mean something to a parser, among any others.
fn words() -> impl Strategy<Value = String> {
    let events: Vec<String> = EventName::ALL.iter().map(|e| e.word().to_owned()).collect();
    let known = [
        "event",
        "on_behalf_of",
        "organisation",
        "answers",
        "terms",
        "statement",
        "session",
        "until",
        "reasons",
        "entries",
        "result",
        "suitable",
        "2026-11-27",
        "2027-03-28T01:30:00Z",
        "E07000128",
        "6f2c7bb4-5ab2-4bd1-8d0c-0f2f6d5b8c11",
        "",
        "null",
        "0",
        "cg_",
        "\"*\"",
        "W/\"a\"",
        "*",
    ];
    prop_oneof![
        proptest::sample::select(events),
        proptest::sample::select(known.map(str::to_owned).to_vec()),
        "\\PC{0,40}",
        any::<String>(),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((words(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn asked(name: &'static str, value: &[u8], query: &str) -> Option<Ask> {
    let header = actix_web::http::header::HeaderValue::from_bytes(value).ok()?;
    let uri = actix_web::http::Uri::try_from(format!("/api/v1/cases?{query}")).ok()?;
    let request = TestRequest::default()
        .uri(&uri.to_string())
        .insert_header((name, header))
        .to_http_request();
    Ask::from_request(&request, &mut Payload::None)
        .into_inner()
        .ok()
}

proptest! {
    #[test]
    fn commands(name in proptest::sample::select(EventName::ALL.to_vec()), body in values()) {
        let _ = command(body.clone());
        let mut fields = if let Value::Object(fields) = body { fields } else { Map::new() };
        fields.insert("event".to_owned(), name.word().into());
        if let Ok(read) = command(Value::Object(fields)) {
            let mut written = read.action.written();
            written["event"] = name.word().into();
            let again = command(written).map(|again| again.action.written()).ok();
            prop_assert_eq!(again, Some(read.action.written()));
        }
    }

    #[test]
    fn cursors(typed in words(), at in 0usize..200, other: u8, number: i64) {
        let place = |cursor: String| Slice { limit: None, cursor: Some(cursor) }.place::<(i64, CaseId)>(&"list");
        prop_assert!(place(typed).is_err());
        let (one, slice) = (CaseId::random(), Slice { limit: Some(1), cursor: None });
        let cursor = slice.page(vec![1, 2], &"list", |_| (number, one)).next.expect("there is a next page");
        prop_assert_eq!(place(cursor.clone()).ok().flatten(), Some((number, one)));
        // A cursor that somebody changed is refused.
        let mut octets = cursor.clone().into_bytes();
        let at = at % octets.len();
        octets[at] = other;
        if let Ok(changed) = String::from_utf8(octets) {
            prop_assert!(changed == cursor || place(changed).is_err());
        }
    }

    #[test]
    fn headers_and_queries(value in prop_oneof![proptest::collection::vec(any::<u8>(), 0..60), words().prop_map(String::into_bytes)], query in "\\PC{0,60}") {
        for name in ["authorization", "if-match", "idempotency-key"] {
            if let Some(ask) = asked(name, &value, &query) {
                let (_, _, _) = (ask.if_match(), ask.key(b"{}"), ask.query::<Map<String, Value>>());
            }
        }
    }

    #[test]
    fn days_times_ids_and_codes(typed in words(), octets in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(day) = typed.parse::<Day>() { prop_assert_eq!(day.to_string(), typed.clone()); }
        if let Some(id) = CaseId::parse(&typed) { prop_assert_eq!(id.to_string(), typed.clone()); }
        if let Some(code) = LocalityCode::parse(&typed) { prop_assert_eq!(code.as_str(), &typed); }
        if let Ok(at) = serde_json::from_value::<Moment>(Value::from(typed.clone())) {
            let again: Moment = serde_json::from_value(Value::from(at.written())).expect("what we write is read");
            prop_assert_eq!(again, at);
        }
        let _ = (Reference::letters_in(&typed), json::value(&octets));
    }
}
