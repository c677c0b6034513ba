//! How everything is reached: one line for each method and address. The server, the OpenAPI document and the walk of
//! the tests over every route are made from this one list.
use std::collections::BTreeMap;
use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, Responder, ResponseError};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::api::{
    account, cases, documents, door, health, invitations, looks, mailbox, meetings, organisations,
    people, places, recoveries, rooms,
};
use super::guard::UPLOAD_CAP;
use super::pages;
use super::problem::{Kind, Problem};

/// Makes the schema of one shape.
pub type Shape = fn(&mut SchemaGenerator) -> Schema;

/// Who may call an address at all; what they then see is decided far below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Anybody,
    SignedIn,
}

/// One method at one address.
#[derive(Clone)]
pub struct Route {
    pub method: Method,
    pub path: &'static str,
    /// The operation's name, for generated clients.
    pub name: &'static str,
    pub summary: &'static str,
    pub who: Who,
    pub query: Option<Shape>,
    pub body: Option<Shape>,
    /// The good answer: its status, and its shape where it has a body.
    pub answer: (u16, Option<Shape>),
    /// Whether the body is an upload, and whether the good answer is a file.
    pub file: FileWay,
    /// Whether the answer carries an `ETag`.
    pub tagged: bool,
    /// Whether it changes something only with `If-Match`; on events it depends on the event.
    pub if_match: IfMatch,
    /// Whether tries are counted, and too many of them are answered so.
    pub counted: bool,
    /// Whether `Idempotency-Key` is of use: not where the answer holds a secret, which is not kept.
    pub keyed: bool,
    handler: Arc<dyn Fn(Method) -> actix_web::Route + Send + Sync>,
}

/// Which way a file goes, if one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileWay {
    No,
    /// The body is a form with a file.
    Up,
    /// The good answer is a file.
    Down,
}

/// Whether `If-Match` is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfMatch {
    No,
    Needed,
    NeededOrHash,
}

impl Route {
    fn asks<T: JsonSchema>(mut self) -> Self {
        self.query = Some(|generator| T::json_schema(generator));
        self
    }
    fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Some(|generator| generator.subschema_for::<T>());
        self
    }
    fn takes_shape(mut self, shape: Shape) -> Self {
        self.body = Some(shape);
        self
    }
    fn gives<T: JsonSchema>(mut self, status: u16) -> Self {
        self.answer = (status, Some(|generator| generator.subschema_for::<T>()));
        self
    }
    fn uploads(mut self) -> Self {
        self.file = FileWay::Up;
        self
    }
    fn downloads(mut self) -> Self {
        self.file = FileWay::Down;
        self.answer = (200, None);
        self
    }
    fn tagged(mut self) -> Self {
        self.tagged = true;
        self
    }
    fn if_match(mut self, needed: IfMatch) -> Self {
        self.if_match = needed;
        self
    }
    fn counted(mut self) -> Self {
        self.counted = true;
        self
    }
    fn keyless(mut self) -> Self {
        self.keyed = false;
        self
    }
    fn for_anybody(mut self) -> Self {
        self.who = Who::Anybody;
        self
    }
}

fn route<F, Args>(
    method: Method,
    path: &'static str,
    name: &'static str,
    summary: &'static str,
    handler: F,
) -> Route
where
    F: Handler<Args> + Send + Sync,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    Route {
        method,
        path,
        name,
        summary,
        who: Who::SignedIn,
        query: None,
        body: None,
        answer: (204, None),
        file: FileWay::No,
        tagged: false,
        if_match: IfMatch::No,
        counted: false,
        keyed: true,
        handler: Arc::new(move |verb| web::method(verb).to(handler.clone())),
    }
}

fn get<F, Args>(path: &'static str, name: &'static str, summary: &'static str, handler: F) -> Route
where
    F: Handler<Args> + Send + Sync,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    route(Method::GET, path, name, summary, handler)
}

fn post<F, Args>(path: &'static str, name: &'static str, summary: &'static str, handler: F) -> Route
where
    F: Handler<Args> + Send + Sync,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    route(Method::POST, path, name, summary, handler)
}

/// Every address of the API.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    use crate::casework::{documents as d, feeds as f, invitations as i, lead, looks as l, mailbox as m, passkeys as k, people as p, read::Page, reading as r, recovery as rec, register as g, rooms as rm, sessions as s, tokens as t};
    use crate::domain::{event, meeting, notice, people as dp, procedure, register as dr, review, sight};
    vec![
        get("/api/v1/me", "who_am_i", "Who you are and where you belong", people::me).gives::<p::Me>(200),

        get("/api/v1/cases", "list_cases", "The cases you can see, the newest first", cases::list).asks::<cases::Query>().gives::<Page<sight::Brief>>(200),
        post("/api/v1/cases", "begin_case", "Begin a draft", cases::begin).takes::<cases::Begin>().gives::<sight::Sight>(201).tagged(),
        get("/api/v1/cases/{case}", "read_case", "A case as you see it", cases::read).gives::<sight::Sight>(200).tagged(),
        get("/api/v1/cases/{case}/available-events", "available_events", "What you can do now, and what is missing", cases::available).gives::<Page<procedure::Available>>(200),
        get("/api/v1/cases/{case}/events", "case_history", "What has happened, the newest first", cases::history).asks::<cases::SliceQuery>().gives::<Page<event::Happened>>(200),
        post("/api/v1/cases/{case}/events", "act", "Take a step of the procedure", cases::act).takes_shape(super::openapi::command).gives::<cases::Acted>(200).tagged().if_match(IfMatch::NeededOrHash),
        get("/api/v1/cases/{case}/reading", "read_own_reading", "Your side's own reading of the standards", cases::reading).gives::<r::OwnReading>(200).tagged(),
        route(Method::PUT, "/api/v1/cases/{case}/reading", "write_own_reading", "Write your side's own reading", cases::write_reading).takes::<review::Reading>().gives::<r::OwnReading>(200).tagged().if_match(IfMatch::Needed),

        get("/api/v1/cases/{case}/rooms", "list_rooms", "The rooms of a case you may enter, and who reads what is said there", rooms::list).gives::<Page<rm::RoomSight>>(200),
        get("/api/v1/cases/{case}/rooms/{room}/messages", "list_messages", "What is said in a room, the newest first", rooms::messages).asks::<cases::SliceQuery>().gives::<Page<rm::MessageSight>>(200),
        post("/api/v1/cases/{case}/rooms/{room}/messages", "say", "Say something in a room", rooms::say).takes::<rm::NewMessage>().gives::<rm::MessageSight>(201),
        post("/api/v1/cases/{case}/rooms/{room}/messages/{message}/strike", "strike_message", "Strike a message; its place and the reason stay", rooms::strike).takes::<rm::Strike>().gives::<Option<rm::MessageSight>>(200),
        post("/api/v1/cases/{case}/rooms/{room}/messages/{message}/release", "release_message", "Release your own message into a wider room", rooms::release).takes::<rm::Release>().gives::<rm::MessageSight>(201),
        post("/api/v1/cases/{case}/rooms/{room}/read", "mark_room_read", "Mark a room as read up to a message; only you see this", rooms::mark_read).takes::<rm::ReadUpTo>(),

        get("/api/v1/cases/{case}/meetings", "list_meetings", "Meetings that are planned in the rooms you read", meetings::list).asks::<cases::SliceQuery>().gives::<Page<meeting::MeetingSight>>(200),
        post("/api/v1/cases/{case}/meetings", "propose_meeting", "Propose times for a meeting to those who read a room", meetings::propose).takes::<meeting::Proposal>().gives::<meeting::MeetingSight>(201).tagged(),
        get("/api/v1/cases/{case}/meetings/{meeting}", "read_meeting", "A meeting as you may see it", meetings::read).gives::<meeting::MeetingSight>(200).tagged(),
        post("/api/v1/cases/{case}/meetings/{meeting}/answers", "answer_meeting", "Say which times suit you, and what would make it easier to come", meetings::answer).takes::<meeting::AnswerTimes>().gives::<meeting::MeetingSight>(200).tagged(),
        post("/api/v1/cases/{case}/meetings/{meeting}/confirm", "confirm_meeting", "Set one of the times; calendars hear of it", meetings::confirm).takes::<meeting::ChooseTime>().gives::<meeting::MeetingSight>(200).tagged().if_match(IfMatch::Needed),
        post("/api/v1/cases/{case}/meetings/{meeting}/move", "move_meeting", "Give a meeting that is set another time; calendars hear of it", meetings::move_to).takes::<meeting::NewTime>().gives::<meeting::MeetingSight>(200).tagged().if_match(IfMatch::Needed),
        post("/api/v1/cases/{case}/meetings/{meeting}/cancel", "cancel_meeting", "Cancel a meeting; calendars hear of it", meetings::cancel).gives::<meeting::MeetingSight>(200).tagged().if_match(IfMatch::Needed),
        get("/api/v1/calendar-feed", "read_calendar_feed", "Whether your calendar has an address to be fetched from", meetings::feed).gives::<f::FeedState>(200),
        post("/api/v1/calendar-feed", "make_calendar_feed", "Give your calendar a new secret address; it is shown once", meetings::make_feed).gives::<f::NewFeed>(201).keyless(),
        post("/api/v1/calendar-feed/revoke", "revoke_calendar_feed", "Take the address of your calendar away", meetings::revoke_feed).keyless(),

        get("/api/v1/cases/{case}/room-looks", "list_room_looks", "Requests of CLERO to look into a room: those you may know of", looks::list).gives::<Page<l::LookSight>>(200),
        post("/api/v1/cases/{case}/room-looks", "ask_to_look", "Ask to look into one room for at most a day; somebody else decides", looks::add).takes::<l::NewLook>().gives::<l::LookSight>(201),
        post("/api/v1/cases/{case}/room-looks/{look}/approve", "approve_look", "Say yes to somebody else's request; those whose room it is are told", looks::approve).gives::<l::LookSight>(200),
        post("/api/v1/cases/{case}/room-looks/{look}/decline", "decline_look", "Say no to somebody else's request", looks::decline).gives::<l::LookSight>(200),
        get("/api/v1/cases/{case}/rooms/{room}/documents", "list_documents", "The documents of a room, in the order they came", documents::list).asks::<cases::SliceQuery>().gives::<Page<d::Document>>(200),
        post("/api/v1/cases/{case}/rooms/{room}/documents", "add_document", "Lay down a document in a room", documents::add).uploads().gives::<d::Document>(201),
        get("/api/v1/cases/{case}/documents/{document}", "read_document", "What is known of a document", documents::read).gives::<d::Document>(200),
        get("/api/v1/cases/{case}/documents/{document}/content", "download_document", "A document as a file to keep; that you took it is written down", documents::content).downloads(),
        post("/api/v1/cases/{case}/documents/{document}/release", "release_document", "Release a copy of your own document into a wider room", documents::release).takes::<documents::Release>().gives::<d::Document>(201),
        get("/api/v1/cases/{case}/documents/{document}/downloads", "list_downloads", "Who took a document home, and when", documents::downloads).asks::<cases::SliceQuery>().gives::<Page<d::Downloaded>>(200),

        get("/api/v1/organisations", "list_organisations", "The register of organisations, by name", organisations::list).asks::<organisations::Query>().gives::<Page<g::OrganisationView>>(200).for_anybody(),
        post("/api/v1/organisations", "add_organisation", "Add an organisation to the register", organisations::add).takes::<g::WriteOrganisation>().gives::<g::OrganisationView>(201).tagged(),
        get("/api/v1/organisations/{organisation}", "read_organisation", "An organisation", organisations::read).gives::<g::OrganisationView>(200).tagged().for_anybody(),
        route(Method::PUT, "/api/v1/organisations/{organisation}", "change_organisation", "Change an organisation's description", organisations::change).takes::<g::WriteOrganisation>().gives::<g::OrganisationView>(200).tagged().if_match(IfMatch::Needed),
        get("/api/v1/organisations/{organisation}/presences", "list_presences", "Where an organisation is and was", organisations::presences).gives::<Page<dr::Presence>>(200).for_anybody(),
        post("/api/v1/organisations/{organisation}/presences", "declare_presence", "Say that an organisation is somewhere", organisations::declare).takes::<dr::PresenceDeclaration>().gives::<dr::Presence>(201),
        post("/api/v1/organisations/{organisation}/presences/{presence}/state", "judge_presence", "Confirm or question a presence", organisations::judge).takes::<organisations::Judge>().gives::<dr::Presence>(200),
        get("/api/v1/organisations/{organisation}/members", "list_members", "Who belongs to an organisation", organisations::members).gives::<Page<dp::Membership>>(200),
        post("/api/v1/organisations/{organisation}/members", "invite_member", "Invite somebody into an organisation", organisations::invite).takes::<crate::casework::members::NewMember>().gives::<dp::Membership>(201),
        post("/api/v1/memberships/{membership}/end", "end_membership", "End a membership", people::end_membership).gives::<dp::Membership>(200),
        post("/api/v1/invitations/accept", "accept_invitation", "Take up an invitation with the code from the letter", invitations::accept).takes::<invitations::Accept>().gives::<i::Accepted>(201).for_anybody().counted().keyless(),
        post("/api/v1/organisations/{organisation}/lead", "hand_over_lead", "Hand over the lead of an organisation", organisations::hand_over).takes::<lead::HandOver>().gives::<dp::Membership>(200),

        post("/api/v1/sign-in", "sign_in", "Sign in with address and password", door::sign_in).takes::<door::SignIn>().gives::<door::Entered>(200).for_anybody().counted().keyless(),
        post("/api/v1/sign-in/code", "sign_in_with_code", "Answer with the six digits, or a code kept on paper", door::code).takes::<door::CodeAnswer>().gives::<door::Entered>(200).for_anybody().counted().keyless(),
        post("/api/v1/sign-in/passkey/begin", "begin_passkey_sign_in", "Ask what a passkey is to sign", door::begin_passkey).gives::<k::PasskeyRequest>(200).for_anybody().counted().keyless(),
        post("/api/v1/sign-in/passkey", "sign_in_with_passkey", "Sign in with a passkey", door::passkey).takes::<door::PasskeyAnswer>().gives::<door::Entered>(200).for_anybody().counted().keyless(),
        get("/api/v1/session", "read_session", "Who you are in this browser", door::session).gives::<door::SessionHere>(200),
        post("/api/v1/session/end", "sign_out", "Sign out", door::sign_out).keyless(),
        post("/api/v1/session/step", "begin_step", "Ask for six digits, to show once more that it is you", door::begin_step).gives::<door::StepBegun>(200).keyless(),
        post("/api/v1/session/step/code", "step_with_code", "Answer with the six digits, or a code kept on paper", door::step_code).takes::<door::StepAnswer>().gives::<door::Entered>(200).counted().keyless(),
        post("/api/v1/session/step/passkey/begin", "begin_passkey_step", "Ask what a passkey is to sign", door::begin_step_passkey).gives::<k::PasskeyRequest>(200).keyless(),
        post("/api/v1/session/step/passkey", "step_with_passkey", "Show once more that it is you, with a passkey", door::step_passkey).takes::<door::PasskeyAnswer>().gives::<door::Entered>(200).counted().keyless(),
        get("/api/v1/sessions", "list_sessions", "Where you are signed in", door::sessions).gives::<Page<s::SessionView>>(200),
        post("/api/v1/sessions/{session}/end", "end_session", "End one of your sessions", door::end_session).keyless(),
        post("/api/v1/sessions/end-others", "end_other_sessions", "End every other session of yours", door::end_others).keyless(),
        get("/api/v1/trusted-browsers", "list_trusted_browsers", "The browsers you trust", door::trusted).gives::<Page<s::TrustedBrowser>>(200),
        post("/api/v1/trusted-browsers/{browser}/end", "end_trust", "Trust a browser no more", door::end_trust).keyless(),

        get("/api/v1/passkeys", "list_passkeys", "Your passkeys", account::passkeys).gives::<Page<k::PasskeyView>>(200),
        post("/api/v1/passkeys/begin", "begin_passkey", "Ask what a browser needs to make a passkey", account::begin_passkey).gives::<k::PasskeyCreation>(200).keyless(),
        post("/api/v1/passkeys", "add_passkey", "Keep a passkey", account::add_passkey).takes::<account::NewPasskey>().gives::<k::PasskeyView>(201).keyless(),
        post("/api/v1/passkeys/{passkey}/remove", "remove_passkey", "Remove a passkey", account::remove_passkey).keyless(),
        get("/api/v1/recovery-codes", "recovery_codes_left", "How many of your codes on paper are left", account::codes_left).gives::<rec::RecoveryCodesLeft>(200),
        post("/api/v1/recovery-codes", "renew_recovery_codes", "Get ten new codes to keep on paper", account::renew_codes).gives::<rec::RecoveryCodes>(201).keyless(),
        post("/api/v1/password", "change_password", "Choose another password", account::change_password).takes::<account::ChangePassword>().keyless(),
        post("/api/v1/password-resets", "begin_password_reset", "Ask for six digits, to choose a new password", account::begin_reset).takes::<account::BeginReset>().gives::<account::ResetBegun>(202).for_anybody().counted().keyless(),
        post("/api/v1/password-resets/accept", "reset_password", "Choose a new password", account::reset).takes::<account::Reset>().for_anybody().counted().keyless(),
        post("/api/v1/address", "begin_address_change", "Ask for a code at another address", account::begin_address).takes::<account::BeginAddress>().gives::<door::StepBegun>(200).keyless(),
        post("/api/v1/address/confirm", "change_address", "Use another address from now on", account::change_address).takes::<account::ConfirmAddress>().gives::<dp::Person>(200).counted().keyless(),
        get("/api/v1/tokens", "list_tokens", "Your API tokens", account::tokens).gives::<Page<t::ApiToken>>(200),
        post("/api/v1/tokens", "make_token", "Make an API token, shown once", account::make_token).takes::<t::WantToken>().gives::<t::NewToken>(201).keyless(),
        post("/api/v1/tokens/{token}/revoke", "revoke_token", "End an API token", account::revoke_token).keyless(),
        get("/api/v1/people/{person}/recoveries", "list_recoveries", "Help to get back in that was vouched for", recoveries::list).gives::<Page<rec::Recovery>>(200),
        post("/api/v1/people/{person}/recoveries", "vouch", "Vouch for somebody who cannot get in any more", recoveries::vouch).gives::<rec::Recovery>(201),
        post("/api/v1/recoveries/{recovery}/stop", "stop_recovery", "Stop help that was vouched for", recoveries::stop).gives::<rec::Recovery>(200),

        get("/api/v1/people", "list_people", "Everybody with an account", people::list).asks::<cases::SliceQuery>().gives::<Page<dp::Person>>(200),
        post("/api/v1/people", "add_person", "Add a person", people::add).takes::<p::NewPerson>().gives::<dp::Person>(201).tagged(),
        get("/api/v1/people/{person}", "read_person", "A person", people::read).gives::<dp::Person>(200).tagged(),
        route(Method::PATCH, "/api/v1/people/{person}", "change_person", "Change somebody's roles, or close or open their account", people::change).takes::<p::ChangePerson>().gives::<dp::Person>(200).tagged().if_match(IfMatch::Needed),
        get("/api/v1/people/{person}/affiliations", "list_affiliations", "The ties somebody has declared", people::affiliations).gives::<Page<p::Affiliation>>(200),
        post("/api/v1/people/{person}/affiliations", "declare_affiliation", "Declare a tie to an organisation", people::declare).takes::<p::NewAffiliation>().gives::<p::Affiliation>(201),

        get("/api/v1/notifications", "list_notifications", "What you were told, the newest first", mailbox::notifications).asks::<cases::SliceQuery>().gives::<Page<notice::Notice>>(200),
        post("/api/v1/notifications/{notification}/read", "read_notification", "Mark a notification as read", mailbox::mark_read),
        get("/api/v1/letters", "list_letters", "How letters fare, without their words", mailbox::letters).asks::<mailbox::Query>().gives::<Page<m::LetterStatus>>(200),

        get("/api/v1/localities", "list_localities", "The local authorities of the United Kingdom", places::localities).asks::<places::Query>().gives::<Page<dr::Locality>>(200).for_anybody(),
        get("/api/v1/localities/{code}", "read_locality", "A local authority", places::locality).gives::<dr::Locality>(200).for_anybody(),
        get("/api/v1/localities/{code}/organisations", "list_organisations_in", "Who is in a place, and how they stand to each other", places::organisations).gives::<crate::casework::places::LocalityPresences>(200).for_anybody(),
        get("/api/v1/counties", "list_counties", "The county councils of England", places::counties).gives::<Page<dr::County>>(200).for_anybody(),
        get("/api/v1/standards", "list_standards", "The National LERO Standards, in our short words", places::standards).gives::<Page<review::Standard>>(200).for_anybody(),

        get("/health/live", "live", "Whether the service runs", health::live).gives::<health::Health>(200).for_anybody(),
        get("/health/ready", "ready", "Whether the service can work", health::ready).gives::<health::Health>(200).for_anybody(),
    ]
}

/// Puts every address in its place. An address that is there with another method says which methods it has.
pub fn configure(config: &mut ServiceConfig) {
    // The guard has counted already.
    config.app_data(web::PayloadConfig::new(UPLOAD_CAP));
    let mut by_path: BTreeMap<&'static str, Vec<Route>> = BTreeMap::new();
    for route in routes() {
        by_path.entry(route.path).or_default().push(route);
    }
    for (path, here) in by_path {
        let mut allow: Vec<&str> = here.iter().map(|r| r.method.as_str()).collect();
        if allow.contains(&"GET") {
            allow.push("HEAD");
        }
        let allow = allow.join(", ");
        let mut resource = web::resource(path);
        for route in &here {
            resource = resource.route((route.handler)(route.method.clone()));
            if route.method == Method::GET {
                resource = resource.route((route.handler)(Method::HEAD));
            }
        }
        config.service(resource.default_service(web::to(move || {
            let problem = Problem::new(Kind::MethodNotAllowed).allowing(&allow);
            async move { problem.error_response() }
        })));
    }
    pages::configure(config);
    config.default_service(web::to(|| async {
        Problem::new(Kind::NotFound).error_response()
    }));
}
