//! The three cookies of the house: a session, a question that is open in this browser, and a browser that somebody
//! trusts. All of them belong to this host alone, go over TLS alone, and are hidden from scripts. Read and written by
//! hand: a name fits exactly or not at all.
use actix_web::http::header::{self, HeaderMap};

use actix_web::HttpResponse;
use actix_web::http::header::HeaderValue;

use super::problem::{Kind, Problem};
use crate::casework::challenge;
use crate::casework::sessions::{NewSession, TRUST_DAYS};
use crate::domain::time::Moment;

/// The secret of a session.
pub const SESSION: &str = "__Host-session";
/// The secret that binds a question to the browser it was asked in.
pub const CHALLENGE: &str = "__Host-challenge";
/// The secret of a browser somebody trusts.
pub const BROWSER: &str = "__Host-browser";

/// The value of a cookie. A cookie that is there twice is nobody's: one of the two was put there by somebody else.
pub fn read(headers: &HeaderMap, name: &str) -> Result<Option<String>, Problem> {
    let mut found = headers
        .get_all(header::COOKIE)
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(called, _)| *called == name)
        .map(|(_, value)| value.to_owned());
    let first = found.next().filter(|value| !value.is_empty());
    if found.next().is_some() {
        return Err(Problem::new(Kind::BadRequest)
            .saying("A cookie is there twice. Please delete the cookies of this site."));
    }
    Ok(first)
}

/// The header that gives a cookie to a browser for so many seconds.
#[must_use]
pub fn given(name: &str, value: &str, seconds: i64) -> String {
    format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax")
}

/// The header that takes a cookie away.
#[must_use]
pub fn taken(name: &str) -> String {
    given(name, "", 0)
}

/// What goes to the browser of somebody who is in: the secret of the session; what opened the door is used up.
#[must_use]
pub fn entered(new: &NewSession, now: Moment) -> Vec<String> {
    let seconds = (new.expires_at.0 - now.0).num_seconds().max(1);
    let mut lines = vec![given(SESSION, &new.secret, seconds), taken(CHALLENGE)];
    if let Some(trusted) = &new.trusted {
        lines.push(given(BROWSER, trusted, TRUST_DAYS * 24 * 60 * 60));
    }
    lines
}

/// What binds a question to the browser it is asked in.
#[must_use]
pub fn asked(secret: &str) -> Vec<String> {
    vec![given(CHALLENGE, secret, challenge::MINUTES * 60)]
}

/// Lays cookies beside an answer.
pub fn lay(answer: &mut HttpResponse, lines: &[String]) {
    for line in lines {
        // Secrets are written in letters that headers can hold.
        if let Ok(line) = HeaderValue::from_str(line) {
            answer.headers_mut().append(header::SET_COOKIE, line);
        }
    }
}

/// Lets a browser forget somebody who has signed out. That it is trusted it still knows: its cookie opens nothing
/// without the password, so the cookies are taken one by one.
pub fn forget(answer: &mut HttpResponse) {
    lay(answer, &[taken(SESSION), taken(CHALLENGE)]);
    answer.headers_mut().insert(
        header::HeaderName::from_static("clear-site-data"),
        HeaderValue::from_static("\"cache\", \"storage\""),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(lines: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_static(line));
        }
        headers
    }

    #[test]
    fn a_cookie_is_read_by_its_exact_name_and_once() {
        let headers = sent(&["a=1; __Host-session=abc=; __host-session=x; __Host-session2=y"]);
        assert_eq!(
            read(&headers, SESSION).ok().flatten().as_deref(),
            Some("abc=")
        );
        assert_eq!(read(&headers, BROWSER).ok().flatten(), None);
        assert!(read(&sent(&["__Host-session=a", "__Host-session=b"]), SESSION).is_err());
        assert!(read(&sent(&["__Host-session=a; __Host-session=a"]), SESSION).is_err());
    }
}
