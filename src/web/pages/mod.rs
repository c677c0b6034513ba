//! Pages for people: rendered on the server, complete without a script, on the same use cases as the API. This is the
//! list of them, a line for each address; `visit` is what every page is handed, `frame` what is around it.
mod account;
mod api_guide;
mod belonging;
mod cases;
pub mod demo;
mod door;
mod fields;
mod find;
mod frame;
mod helpers;
mod kept;
mod map;
mod presences;
mod public;
mod register;
mod shut_in;
mod staff;
mod visit;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::http::{Method, header};
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, ResponseError};

use super::api::{Answer, meetings};
use super::form::is_form;
use super::problem::{Kind, Problem};
use super::routes::Who;
use crate::casework::Desk;
use account::{connections, notices, paper, passkeys, programs, sessions, ways_in};
use cases::meetings as planned;
use cases::{
    agreement, documents, history, list, looks, messages, overview, standards, start, steps,
};
use door::{invitation, new_password, sign_in, step};
use visit::Visit;

type Shown = Pin<Box<dyn Future<Output = Answer>>>;
type Handler = Arc<dyn Fn(Visit) -> Shown + Send + Sync>;

/// An address at which there is something to see, something to send, or both.
#[derive(Clone)]
pub struct Place {
    pub path: &'static str,
    pub who: Who,
    /// What is shown there.
    show: Option<Handler>,
    /// What takes what is sent there.
    take: Option<Handler>,
}

impl Place {
    fn for_anybody(mut self) -> Self {
        self.who = Who::Anybody;
        self
    }

    /// Whether there is something to see.
    #[must_use]
    pub fn shows(&self) -> bool {
        self.show.is_some()
    }

    /// Whether something can be sent.
    #[must_use]
    pub fn takes(&self) -> bool {
        self.take.is_some()
    }

    fn allow(&self) -> &'static str {
        match (self.shows(), self.takes()) {
            (true, true) => "GET, HEAD, POST",
            (true, false) => "GET, HEAD",
            (false, _) => "POST",
        }
    }
}

fn boxed<F, W>(handler: F) -> Option<Handler>
where
    F: Fn(Visit) -> W + Send + Sync + 'static,
    W: Future<Output = Answer> + 'static,
{
    Some(Arc::new(move |visit| Box::pin(handler(visit))))
}

/// A page to read.
fn page<F, W>(path: &'static str, show: F) -> Place
where
    F: Fn(Visit) -> W + Send + Sync + 'static,
    W: Future<Output = Answer> + 'static,
{
    Place {
        path,
        who: Who::SignedIn,
        show: boxed(show),
        take: None,
    }
}

/// A page with a form, and what takes it. A form that comes back with something wrong is shown by the same page.
fn form<F, W, G, V>(path: &'static str, show: F, take: G) -> Place
where
    F: Fn(Visit) -> W + Send + Sync + 'static,
    W: Future<Output = Answer> + 'static,
    G: Fn(Visit) -> V + Send + Sync + 'static,
    V: Future<Output = Answer> + 'static,
{
    Place {
        path,
        who: Who::SignedIn,
        show: boxed(show),
        take: boxed(take),
    }
}

/// A button on some other page.
fn button<G, V>(path: &'static str, take: G) -> Place
where
    G: Fn(Visit) -> V + Send + Sync + 'static,
    V: Future<Output = Answer> + 'static,
{
    Place {
        path,
        who: Who::SignedIn,
        show: None,
        take: boxed(take),
    }
}

/// Every page.
#[must_use]
#[rustfmt::skip]
pub fn places() -> Vec<Place> {
    vec![
        // For anybody
        page("/", public::home).for_anybody(),

        // Cases
        page("/cases", list::show),
        form("/start", start::begin_form, start::begin),
        form("/cases/{case}/start/check", start::check, start::submit),
        button("/cases/{case}/start/discard", start::discard),
        form("/cases/{case}/start/{question}", start::question_form, start::question_take),
        page("/cases/{case}", overview::show),
        page("/cases/{case}/ask", overview::ask),
        page("/cases/{case}/history", history::show),
        page("/cases/{case}/messages", messages::rooms),
        form("/cases/{case}/rooms/{room}", messages::room, messages::say),
        button("/cases/{case}/rooms/{room}/read", messages::read),
        page("/cases/{case}/rooms/{room}/messages/{message}", messages::message),
        button("/cases/{case}/rooms/{room}/messages/{message}/strike", messages::strike),
        button("/cases/{case}/rooms/{room}/messages/{message}/release", messages::release),
        page("/cases/{case}/documents", documents::rooms),
        form("/cases/{case}/rooms/{room}/documents", documents::add_form, documents::add),
        page("/cases/{case}/documents/{document}", documents::document),
        page("/cases/{case}/documents/{document}/content", documents::content),
        button("/cases/{case}/documents/{document}/release", documents::release),
        page("/cases/{case}/meetings", planned::list),
        form("/cases/{case}/meetings/new", planned::propose_form, planned::propose),
        page("/cases/{case}/meetings/{meeting}", planned::show),
        button("/cases/{case}/meetings/{meeting}/answer", planned::answer),
        button("/cases/{case}/meetings/{meeting}/confirm", planned::confirm),
        button("/cases/{case}/meetings/{meeting}/move", planned::move_to),
        button("/cases/{case}/meetings/{meeting}/cancel", planned::cancel),
        page("/cases/{case}/standards", standards::show),
        form("/cases/{case}/standards/{part}", standards::part_form, standards::part_take),
        page("/cases/{case}/agreement", agreement::show),
        form("/cases/{case}/looks", looks::show, looks::ask),
        button("/cases/{case}/looks/{look}/approve", looks::approve),
        button("/cases/{case}/looks/{look}/decline", looks::decline),
        page("/cases/{case}/offline", steps::offline),
        form("/cases/{case}/steps/{event}", steps::show, steps::take),
        // Getting in, and leaving
        form("/sign-in", sign_in::show, sign_in::take).for_anybody(),
        form("/sign-in/code", sign_in::show_code, sign_in::take_code).for_anybody(),
        button("/sign-in/again", sign_in::again).for_anybody(),
        button("/sign-in/on", sign_in::on),
        button("/sign-out", sign_in::out).for_anybody(),
        page("/signed-out", sign_in::signed_out).for_anybody(),
        form("/step", step::show, step::take),
        form("/step/code", step::show_code, step::take_code),
        form("/invitation", invitation::show, invitation::take).for_anybody(),
        form("/new-password", new_password::show, new_password::take).for_anybody(),
        form("/new-password/code", new_password::show_code, new_password::take_code).for_anybody(),

        // One's own account
        page("/account", account::show),
        form("/account/password", ways_in::password, ways_in::change_password),
        form("/account/address", ways_in::address, ways_in::ask_for_address),
        form("/account/address/code", ways_in::address_code, ways_in::change_address),
        page("/account/passkeys", passkeys::show),
        page("/account/passkeys/add", passkeys::add),
        button("/account/passkeys/{passkey}/remove", passkeys::remove),
        page("/account/sessions", sessions::show),
        button("/account/sessions/{session}/end", sessions::end),
        button("/account/sessions/end-others", sessions::end_others),
        button("/account/browsers/{browser}/end", sessions::end_trust),
        form("/account/codes", paper::show, paper::renew),
        page("/account/recoveries", paper::recoveries),
        button("/account/recoveries/{recovery}/stop", paper::stop),
        form("/account/tokens", programs::tokens, programs::make_token),
        button("/account/tokens/{token}/revoke", programs::revoke_token),
        form("/account/calendar", programs::calendar, programs::make_feed),
        button("/account/calendar/revoke", programs::revoke_feed),
        form("/account/connections", connections::show, connections::declare),
        page("/notifications", notices::show),
        button("/notifications/read", notices::read),
        // For coordinators, administrators and auditors
        page("/board", staff::board::show),
        page("/tasks", staff::tasks::show),
        page("/people", staff::people::list),
        form("/people/new", staff::people::new, staff::people::add),
        page("/people/{person}", staff::person::show),
        form("/people/{person}/change", staff::person::change, staff::person::save),
        form("/people/{person}/connections/new", staff::person::connection, staff::person::declare),
        form("/people/{person}/vouch", staff::person::vouching, staff::person::vouch),
        button("/people/{person}/recoveries/{recovery}/stop", staff::person::stop),
        page("/letters", staff::letters::list),
        page("/letters/{letter}", staff::letters::preview),
        page("/letters/{letter}/html", staff::letters::html),
        page("/outbox", staff::letters::outbox),
        page("/settings", staff::settings::show),
        form("/log", staff::log::show, staff::log::verify),
        // What this is, and how it goes: for anybody
        page("/before-you-start", public::before_you_start).for_anybody(),
        page("/how-it-works", public::how_it_works).for_anybody(),
        page("/standards", public::standards).for_anybody(),
        page("/accessibility", public::accessibility).for_anybody(),
        page("/privacy", public::privacy).for_anybody(),
        page("/safety", public::safety).for_anybody(),
        page("/help", public::help).for_anybody(),
        page("/complaints", public::complaints).for_anybody(),

        // Places and who is there: for anybody
        page("/find", find::find).for_anybody(),
        page("/places/{code}", find::place).for_anybody(),
        page("/leros", find::leros_by_name).for_anybody(),
        page("/leros/{organisation}", find::lero).for_anybody(),

        // The register, and an organisation for its own people
        page("/register", register::list),
        form("/register/new", register::new, register::add),
        page("/register/{organisation}", register::organisation),
        form("/register/{organisation}/edit", register::edit, register::change),
        form("/register/{organisation}/presences", presences::declaring, presences::declare),
        button("/register/{organisation}/presences/{presence}", presences::judge),
        form("/register/{organisation}/members", belonging::inviting, belonging::invite),
        form("/register/{organisation}/members/{membership}", belonging::ending, belonging::end),
        form("/register/{organisation}/lead", belonging::handing_over, belonging::hand_over),
        page("/organisation", register::own),
        page("/organisation/{organisation}", register::organisation),
        form("/organisation/{organisation}/presences", presences::declaring, presences::declare),
        form("/organisation/{organisation}/members", belonging::inviting, belonging::invite),
        form("/organisation/{organisation}/members/{membership}", belonging::ending, belonging::end),
        form("/organisation/{organisation}/lead", belonging::handing_over, belonging::hand_over),

        // For those who write programs
        page("/api/openapi.json", api_guide::document).for_anybody(),
        page("/api/docs", api_guide::docs).for_anybody(),
        page("/problems/{slug}", api_guide::problem).for_anybody(),
    ]
}

/// Puts the pages in their places.
pub fn configure(config: &mut ServiceConfig) {
    for place in places() {
        put(config, place);
    }
    config.service(
        web::resource("/calendar/{secret}.ics")
            .route(web::get().to(meetings::calendar))
            .route(web::head().to(meetings::calendar)),
    );
    config.service(
        web::resource("/assets/{name}")
            .route(web::get().to(asset))
            .route(web::head().to(asset)),
    );
}

/// Puts a page in its place.
fn put(config: &mut ServiceConfig, place: Place) {
    let place = Arc::new(place);
    let mut resource = web::resource(place.path);
    for method in [Method::GET, Method::HEAD, Method::POST] {
        let wanted = if method == Method::POST {
            place.takes()
        } else {
            place.shows()
        };
        if wanted {
            let place = place.clone();
            resource = resource.route(
                web::method(method)
                    .to(move |request, desk, octets| serve(place.clone(), request, desk, octets)),
            );
        }
    }
    let allow = place.allow();
    config.service(resource.default_service(web::to(move || async move {
        Problem::new(Kind::MethodNotAllowed)
            .allowing(allow)
            .error_response()
    })));
}

async fn asset(name: web::Path<String>) -> HttpResponse {
    match frame::asset(&name) {
        Some(asset) => HttpResponse::Ok()
            .content_type(asset.kind)
            .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .body(asset.octets),
        None => Problem::new(Kind::NotFound).error_response(),
    }
}

/// Lets somebody visit a place.
async fn serve(
    place: Arc<Place>,
    request: HttpRequest,
    desk: Data<Desk>,
    octets: Bytes,
) -> HttpResponse {
    let (method, sends_file) = (request.method().clone(), is_form(request.headers()));
    let mut visit = match Visit::begin(request, desk, octets).await {
        Ok(visit) => visit,
        Err(problem) => return problem.error_response(),
    };
    let sent = method == Method::POST;
    if sent
        && !sends_file
        && let Err(problem) = visit.read_form()
    {
        let older = place
            .shows()
            .then(|| kept::of_an_older_page(&visit, &problem));
        return older.flatten().unwrap_or_else(|| visit.apology(&problem));
    }
    if place.who == Who::SignedIn {
        let known = match visit.me() {
            Ok(_) if sent => visit
                .desk
                .may_write(visit.caller())
                .await
                .map_err(Problem::from),
            Ok(_) => Ok(()),
            Err(problem) => Err(problem),
        };
        if let Err(problem) = known {
            return visit.apology(&problem);
        }
    }
    // What comes back after signing in is looked at first.
    let handler = match (&place.show, &place.take) {
        (Some(show), _) if !sent || kept::comes_back(&visit, &method) => show,
        (_, Some(take)) => take,
        (Some(show), None) => show,
        (None, None) => return Problem::new(Kind::NotFound).error_response(),
    };
    match handler(visit.clone()).await {
        Ok(answer) => answer,
        Err(problem) => visit.apology(&problem),
    }
}

/// A page in place of a problem that came up before any page was reached.
pub async fn apology(request: &HttpRequest, problem: &Problem) -> Option<HttpResponse> {
    let desk = request.app_data::<Data<Desk>>()?.clone();
    let visit = Visit::begin(request.clone(), desk, Bytes::new())
        .await
        .ok()?;
    Some(visit.apology(problem))
}

/// Whether an address belongs to people's pages, rather than to programs.
#[must_use]
pub fn is_page(path: &str) -> bool {
    !["/api/", "/health/", "/calendar/", "/assets/"]
        .iter()
        .any(|p| path.starts_with(p))
}
