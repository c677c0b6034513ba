//! Pages for people: rendered on the server, complete without a script, on the same use cases as the API. This is the
//! list of them, a line for each address; `visit` is what every page is handed, `frame` what is around it.
mod api_guide;
mod belonging;
mod fields;
mod find;
mod frame;
mod helpers;
mod kept;
mod map;
mod presences;
mod public;
mod register;
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
    Place { path, who: Who::SignedIn, show: boxed(show), take: None }
}

/// A page with a form, and what takes it. A form that comes back with something wrong is shown by the same page.
fn form<F, W, G, V>(path: &'static str, show: F, take: G) -> Place
where
    F: Fn(Visit) -> W + Send + Sync + 'static,
    W: Future<Output = Answer> + 'static,
    G: Fn(Visit) -> V + Send + Sync + 'static,
    V: Future<Output = Answer> + 'static,
{
    Place { path, who: Who::SignedIn, show: boxed(show), take: boxed(take) }
}

/// A button on some other page.
fn button<G, V>(path: &'static str, take: G) -> Place
where
    G: Fn(Visit) -> V + Send + Sync + 'static,
    V: Future<Output = Answer> + 'static,
{
    Place { path, who: Who::SignedIn, show: None, take: boxed(take) }
}

/// Every page.
#[must_use]
#[rustfmt::skip]
pub fn places() -> Vec<Place> {
    vec![
        // For anybody
        page("/", public::home).for_anybody(),

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
        let place = Arc::new(place);
        let mut resource = web::resource(place.path);
        for method in [Method::GET, Method::HEAD, Method::POST] {
            let wanted = if method == Method::POST { place.takes() } else { place.shows() };
            if wanted {
                let place = place.clone();
                resource = resource.route(web::method(method).to(move |request, desk, octets| {
                    serve(place.clone(), request, desk, octets)
                }));
            }
        }
        let allow = place.allow();
        config.service(resource.default_service(web::to(move || async move {
            Problem::new(Kind::MethodNotAllowed).allowing(allow).error_response()
        })));
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
    if sent && !sends_file && let Err(problem) = visit.read_form() {
        return visit.apology(&problem);
    }
    if place.who == Who::SignedIn {
        let known = match visit.me() {
            Ok(_) if sent => visit.desk.may_write(visit.caller()).await.map_err(Problem::from),
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
    let visit = Visit::begin(request.clone(), desk, Bytes::new()).await.ok()?;
    Some(visit.apology(problem))
}

/// Whether an address belongs to people's pages, rather than to programs.
#[must_use]
pub fn is_page(path: &str) -> bool {
    !["/api/", "/health/", "/calendar/", "/assets/"].iter().any(|p| path.starts_with(p))
}
