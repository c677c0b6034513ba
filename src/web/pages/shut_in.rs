//! A letter shown as its reader's mail program would show it: in a frame, shut in a sandbox, where nothing of it may run,
//! load or lead anywhere.
use actix_web::HttpResponse;
use actix_web::http::header;

use crate::web::guard::Framed;

/// The letter itself, for the frame.
pub fn shut_in(html: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'",
        ))
        .body(html)
}

/// The page around the frame: the only kind of page that may have one.
pub fn with_frame(mut page: HttpResponse) -> HttpResponse {
    page.extensions_mut().insert(Framed);
    page
}
