//! Cases over HTTP.
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, json as answer, tagged};
use crate::casework::Desk;
use crate::casework::act::Request;
use crate::casework::open::NewDraft;
use crate::casework::read::{Filter, Search, Slice};
use crate::domain::action::{Action, Asked, EventName, SaveDraft};
use crate::domain::case::{OnBehalf, Stage};
use crate::domain::decide::Flaw;
use crate::domain::id::{CaseId, OrganisationId, PersonId};
use crate::domain::sight::{Sight, Turn};
use crate::domain::text::Line;

use crate::web::ask::{Ask, Signed, slice};
use crate::web::json;
use crate::web::problem::{Kind, Problem};

/// A draft and whose it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    /// Your organisation.
    pub organisation: OrganisationId,
    #[serde(default)]
    pub draft: Option<SaveDraft>,
    /// For CLERO's people: entered for somebody who is offline.
    #[serde(default)]
    pub on_behalf_of: Option<OnBehalf>,
}

/// Where a list begins and how long a page is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SliceQuery {
    /// How many items, 1 to 100; 20 unless said otherwise.
    #[serde(default)]
    #[schemars(with = "Option<u16>", range(min = 1, max = 100))]
    pub limit: Option<String>,
    /// `next` of the page before.
    #[serde(default)]
    #[schemars(length(min = 1, max = 1000))]
    pub cursor: Option<String>,
}

impl SliceQuery {
    /// The same, checked.
    pub fn slice(self) -> Result<Slice, Problem> {
        slice(self.limit.as_deref(), self.cursor)
    }
}

/// What a list of cases is narrowed to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    #[serde(default)]
    pub stage: Option<Stage>,
    /// An organisation in the case.
    #[serde(default)]
    pub party: Option<OrganisationId>,
    /// The facilitator in place.
    #[serde(default)]
    pub neutral: Option<PersonId>,
    /// The code of a local authority.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub locality: Option<Line>,
    /// Whose turn it is.
    #[serde(default)]
    pub waiting_for: Option<Turn>,
    /// A reference, with or without its beginning, or a part of an organisation's name.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub text: Option<Line>,
    #[serde(flatten)]
    pub slice: SliceQuery,
}

/// The case after a step; null where there is nothing left to see: a draft thrown away, or a step that ends what you
/// may see.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Acted {
    pub case: Option<Sight>,
}

pub async fn list(ask: Ask, desk: Data<Desk>) -> Answer {
    let query: Query = ask.query()?;
    let filter = Filter {
        stage: query.stage,
        party: query.party,
        neutral: query.neutral,
        locality: query.locality.map(|l| l.as_str().to_owned()),
        waiting_for: query.waiting_for,
        text: query.text.map(|t| t.as_str().to_owned()),
    };
    let slice = query.slice.slice()?;
    answer(
        StatusCode::OK,
        &desk.cases(ask.caller, Search { filter, slice }).await?,
    )
}

pub async fn begin(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (begin, key): (Begin, _) = (ask.body(&octets)?, ask.key(&octets)?);
    let empty = || SaveDraft {
        together_with: Default::default(),
        with: Default::default(),
        statement: Default::default(),
    };
    let new = NewDraft {
        organisation: begin.organisation,
        draft: begin.draft.unwrap_or_else(empty),
        on_behalf_of: begin.on_behalf_of,
    };
    let case = desk.open(ask.caller, new, key).await?;
    let mut created = tagged(StatusCode::CREATED, &case)?;
    if let Ok(place) = header::HeaderValue::from_str(&format!("/api/v1/cases/{}", case.brief.id)) {
        created.headers_mut().insert(header::LOCATION, place);
    }
    Ok(created)
}

pub async fn read(ask: Ask, desk: Data<Desk>) -> Answer {
    let id = ask.id("case", CaseId::parse)?;
    tagged(StatusCode::OK, &desk.case(ask.caller, id).await?)
}

pub async fn available(ask: Ask, desk: Data<Desk>) -> Answer {
    let id = ask.id("case", CaseId::parse)?;
    answer(
        StatusCode::OK,
        &desk.available_events(ask.caller, id).await?,
    )
}

pub async fn history(ask: Ask, desk: Data<Desk>) -> Answer {
    let (id, query): (_, SliceQuery) = (ask.id("case", CaseId::parse)?, ask.query()?);
    let slice = query.slice()?;
    answer(StatusCode::OK, &desk.history(ask.caller, id, slice).await?)
}

pub async fn act(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let id = ask.id("case", CaseId::parse)?;
    let (asked, if_match, key) = (
        command(json::value(&octets)?)?,
        ask.if_match()?,
        ask.key(&octets)?,
    );
    let case = desk
        .act(Request {
            caller: ask.caller,
            case: id,
            asked,
            if_match,
            key,
        })
        .await?;
    let tag = case
        .as_ref()
        .map(|case| format!("\"{}\"", crate::domain::hash::tag_of(case)));
    let mut response = HttpResponse::Ok();
    if let Some(tag) = tag {
        response.insert_header((header::ETAG, tag));
    }
    Ok(response.json(Acted { case }))
}

/// Reads a body with its tag `event` into what is asked.
pub fn command(body: Value) -> Result<Asked, Problem> {
    let flawed = |pointer: &str, message: &str| {
        Problem::new(Kind::Invalid).with(vec![Flaw::at(pointer, message)])
    };
    let Value::Object(mut fields) = body else {
        return Err(flawed(
            "",
            "please send an object with the name of an event",
        ));
    };
    let name = match fields.remove("event") {
        Some(Value::String(word)) => word.parse::<EventName>().map_err(|()| {
            flawed(
                "/event",
                "this is not an event of the procedure; GET available-events lists them",
            )
        })?,
        Some(_) | None => {
            return Err(flawed(
                "/event",
                "please name the event, for example \"hold\"",
            ));
        }
    };
    if name == EventName::DeadlinePassed {
        return Err(flawed("/event", "only the clock says that"));
    }
    let on_behalf_of = match fields.remove("on_behalf_of") {
        None | Some(Value::Null) => None,
        Some(behalf) => Some(
            json::with_pointers(behalf, serde_path_to_error::deserialize)
                .map_err(|p| p.beneath("/on_behalf_of"))?,
        ),
    };
    let action = json::with_pointers(Value::Object(fields), |value| {
        let mut track = serde_path_to_error::Track::new();
        Action::read(
            name,
            serde_path_to_error::Deserializer::new(value, &mut track),
        )
        .map_err(|error| serde_path_to_error::Error::new(track.path(), error))
    })?;
    Ok(Asked {
        action,
        on_behalf_of,
    })
}

pub async fn reading(ask: Ask, desk: Data<Desk>) -> Answer {
    let id = ask.id("case", CaseId::parse)?;
    tagged(StatusCode::OK, &desk.own_reading(ask.caller, id).await?)
}

pub async fn write_reading(Signed(ask): Signed, desk: Data<Desk>, octets: Bytes) -> Answer {
    let (id, if_match, key) = (
        ask.id("case", CaseId::parse)?,
        ask.if_match()?,
        ask.key(&octets)?,
    );
    let reading = ask.body(&octets)?;
    tagged(
        StatusCode::OK,
        &desk
            .save_reading(ask.caller, id, reading, if_match, key)
            .await?,
    )
}
