//! Talking in the rooms of a case. Who reads what is written stands above it, before it is sent and ever after.
use serde_json::{Value, json};

use super::{Open, open};
use crate::casework::read::Slice;
use crate::casework::rooms::{MessageSight, NewMessage, ReadUpTo, Release, Strike};
use crate::domain::case::Side;
use crate::domain::id::{CaseId, MessageId};
use crate::domain::neutral::AppointmentState;
use crate::domain::room::{Room, is_wider};
use crate::web::api::Answer;
use crate::web::pages::fields::Fields;
use crate::web::pages::visit::Visit;
use crate::web::problem::{Kind, Problem};

/// Who reads a room, in what the part `band` needs to say it.
pub fn band(open: &Open, room: Room) -> Value {
    let kind = match room {
        Room::Joint => "joint",
        Room::Private(_) => "private",
        Room::Own(_) => "own",
        Room::Neutrals => "neutrals",
        Room::Process => "process",
        Room::Notes => "notes",
    };
    let names = |side: Side| {
        let all = open.organisations();
        let of: Vec<&str> = all
            .iter()
            .filter(|(s, _)| *s == side)
            .map(|(_, o)| o.name.as_str())
            .collect();
        super::listed(&of)
    };
    let in_place = open
        .sight
        .facilitator
        .as_ref()
        .filter(|f| f.state == AppointmentState::Accepted);
    json!({
        "kind": kind, "room": room, "side": room.side().map(names), "own": room.side().is_some() && room.side() == open.side(),
        "one": names(Side::Initiating), "other": names(Side::Invited),
        "facilitator": in_place.map(|f| f.person.name.clone()), "neutral": open.is_neutral(),
    })
}

/// A message, as pages show it.
pub fn shown(open: &Open, room: Room, message: &MessageSight, me: &str) -> Value {
    let mine = message.author.id.to_string() == me;
    let ways: Vec<Value> = wider(open, room)
        .into_iter()
        .map(|to| json!({ "to": to, "band": band(open, to) }))
        .collect();
    let said = message.struck.is_none();
    json!({
        "id": message.id, "room": room, "at": message.at, "author": message.author.name, "mine": mine, "capacity": message.capacity,
        "text": message.text, "corrects": message.corrects, "released": message.released, "band": band(open, room),
        "behalf": message.on_behalf_of.as_ref().map(|b| open.name_of(b.organisation)),
        "struck": message.struck.as_ref().map(|s| json!({ "at": s.at, "reason": s.reason, "capacity": s.capacity })),
        "may_strike": said && (mine || open.is_neutral() && room == Room::Joint),
        "may_release": said && (mine || message.capacity.side().is_some() && message.capacity.side() == open.side()) && !ways.is_empty(),
        "ways": ways,
    })
}

/// The rooms a thing of this room could be released to.
fn wider(open: &Open, room: Room) -> Vec<Room> {
    let all = Room::ALL.into_iter();
    all.filter(|to| is_wider(room, *to) && open.room(*to).is_some())
        .collect()
}

/// A choice of room for somebody who writes: the narrowest first (SPEC §5).
pub fn choices(open: &Open, talk: bool) -> Vec<Value> {
    let order = [
        Room::Notes,
        Room::Own(Side::Initiating),
        Room::Own(Side::Invited),
        Room::Private(Side::Initiating),
        Room::Private(Side::Invited),
        Room::Neutrals,
        Room::Joint,
        Room::Process,
    ];
    order
        .into_iter()
        .filter_map(|room| open.room(room))
        .filter(|r| !talk || r.room.is_for_talk())
        .map(|r| {
            json!({
                "room": r.room, "band": band(open, r.room), "unread": r.unread, "writes": r.you_may_write && r.closed_because.is_none(),
                "closed": r.closed_because.as_ref().map(|c| c.message.clone()),
            })
        })
        .collect()
}

/// The rooms one can talk in.
pub async fn rooms(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let data = json!({ "case": open.head("messages"), "rooms": choices(&open, true), "offline": open.is_neutral() });
    visit.page("cases/rooms", data)
}

/// The room of the address. Whether it may be read is asked when it is: it may have been opened to somebody of CLERO.
fn room_of(visit: &Visit) -> Result<Room, Problem> {
    visit.id("room", Room::parse)
}

/// What is said in a room, the newest first, and a place to say something.
pub async fn room(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let room = room_of(&visit)?;
    let page = visit
        .desk
        .messages(visit.caller(), (open.id(), room), visit.slice(30)?)
        .await?;
    let me = visit.me()?.person.id.to_string();
    let corrects = visit
        .asked_for("corrects")
        .or_else(|| visit.said("corrects").map(ToOwned::to_owned));
    let put_right = corrects.and_then(|id| page.items.iter().find(|m| m.id.to_string() == id));
    let mut stands = Fields::default();
    if let Some(message) = put_right {
        stands.add_some("text!", message.text.as_ref());
    }
    let here = open.room(room);
    let data = json!({
        "case": open.head("messages"), "room": room, "band": band(&open, room),
        "messages": page.items.iter().map(|m| shown(&open, room, m, &me)).collect::<Vec<_>>(), "next": page.next,
        "newest": page.items.first().filter(|_| here.is_some_and(|r| r.unread > 0)).map(|m| m.id),
        "writes": here.is_some_and(|r| r.you_may_write && r.closed_because.is_none()),
        "closed": here.and_then(|r| r.closed_because.as_ref()).map(|c| c.message.clone()),
        "corrects": put_right.map(|m| m.id), "looking": here.is_none(),
        "sides": open.organisation_options(), "offline": open.is_neutral(),
    });
    visit.form("cases/room", data, stands, String::new())
}

/// Says something.
pub async fn say(visit: Visit) -> Answer {
    let place = place(&visit)?;
    let done = match visit.body::<NewMessage>() {
        Ok(new) => visit
            .desk
            .say(visit.caller(), place, new, visit.once())
            .await
            .map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match done {
        Ok(_) => visit.on(&format!(
            "/cases/{}/rooms/{}?done=said",
            place.0,
            place.1.word()
        )),
        Err(problem) => room(visit.troubled(problem)?).await,
    }
}

fn place(visit: &Visit) -> Result<(CaseId, Room), Problem> {
    Ok((
        visit.id("case", CaseId::parse)?,
        visit.id("room", Room::parse)?,
    ))
}

/// Marks a room as read.
pub async fn read(visit: Visit) -> Answer {
    let place = place(&visit)?;
    let upto: ReadUpTo = visit.body()?;
    visit
        .desk
        .mark_room_read(visit.caller(), place, upto, visit.once())
        .await?;
    visit.on(&format!("/cases/{}/rooms/{}", place.0, place.1.word()))
}

/// One message, with what can be done with it: struck, or released into a wider room.
pub async fn message(visit: Visit) -> Answer {
    let open = open(&visit).await?;
    let (room, id) = (room_of(&visit)?, visit.id("message", MessageId::parse)?);
    let me = visit.me()?.person.id.to_string();
    let found = find(&visit, &open, room, id).await?;
    visit.form(
        "cases/message",
        json!({ "case": open.head("messages"), "message": shown(&open, room, &found, &me), "room": room }),
        Fields::default(),
        String::new(),
    )
}

/// Looks for a message, page by page: rooms hold tens of them.
async fn find(
    visit: &Visit,
    open: &Open,
    room: Room,
    id: MessageId,
) -> Result<MessageSight, Problem> {
    let mut cursor = None;
    loop {
        let slice = Slice {
            limit: Some(100),
            cursor,
        };
        let page = visit
            .desk
            .messages(visit.caller(), (open.id(), room), slice)
            .await?;
        if let Some(found) = page.items.into_iter().find(|m| m.id == id) {
            return Ok(found);
        }
        cursor = page.next;
        if cursor.is_none() {
            return Err(Problem::new(Kind::NotFound));
        }
    }
}

fn whole_place(visit: &Visit) -> Result<(CaseId, Room, MessageId), Problem> {
    let (case, room) = place(visit)?;
    Ok((case, room, visit.id("message", MessageId::parse)?))
}

/// Strikes a message.
pub async fn strike(visit: Visit) -> Answer {
    let at = whole_place(&visit)?;
    let done = match visit.body::<Strike>() {
        Ok(strike) => visit
            .desk
            .strike(visit.caller(), at, strike, visit.once())
            .await
            .map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    match done {
        Ok(_) => visit.on(&format!(
            "/cases/{}/rooms/{}?done=struck",
            at.0,
            at.1.word()
        )),
        Err(problem) => message(visit.troubled(problem)?).await,
    }
}

/// Releases a message into a wider room.
pub async fn release(visit: Visit) -> Answer {
    let at = whole_place(&visit)?;
    let done = match visit.body::<Release>() {
        Ok(release) => {
            let to = release.to;
            let released = visit
                .desk
                .release(visit.caller(), at, release, visit.once())
                .await;
            released.map(|_| to).map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    match done {
        Ok(to) => visit.on(&format!(
            "/cases/{}/rooms/{}?done=released",
            at.0,
            to.word()
        )),
        Err(problem) => message(visit.troubled(problem)?).await,
    }
}
