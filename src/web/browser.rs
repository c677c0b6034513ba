//! Which browser a request comes from: its network, for counting tries; what it is, in a few fixed words; and the
//! cookies that bind it. What of this is kept, `casework` decides.
use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::Data;

use super::cookies;
use super::guard::Watch;
use super::problem::{Kind, Problem};
use crate::casework::signin::Browser;
use crate::domain::hash::hash_of_bytes;

/// The browser of a request.
pub fn of(request: &HttpRequest) -> Result<Browser, Problem> {
    let watch = request
        .app_data::<Data<Watch>>()
        .ok_or_else(|| Problem::new(Kind::Broken))?;
    let headers = request.headers();
    let peer = request.peer_addr().map(|at| at.ip().to_canonical());
    let secret = |name| -> Result<Option<String>, Problem> {
        Ok(cookies::read(headers, name)?.map(|secret| hash_of_bytes(secret.as_bytes())))
    };
    Ok(Browser {
        network: peer.map_or_else(
            || "unknown".to_owned(),
            |peer| network(client(peer, headers, &watch.proxies)),
        ),
        label: label(headers),
        challenge: secret(cookies::CHALLENGE)?,
        trusted: secret(cookies::BROWSER)?,
    })
}

/// Who is behind our own proxies: the last one in `X-Forwarded-For` that is none of them. Nobody else's word counts.
fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    if !proxies.contains(&peer) {
        return peer;
    }
    let named: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .collect();
    for name in named.iter().rev() {
        match name.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
            Ok(ip) if proxies.contains(&ip) => {}
            Ok(ip) => return ip,
            Err(_) => return peer,
        }
    }
    peer
}

/// The network an address is in: as much of it as one household or office usually has.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

/// "Firefox on Android": of what the browser says about itself, only words from these lists.
fn label(headers: &HeaderMap) -> String {
    let said = headers
        .get(header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default();
    let first = |known: &[(&str, &'static str)]| {
        known
            .iter()
            .find(|(sign, _)| said.contains(sign))
            .map(|(_, word)| *word)
    };
    let browser = first(&[
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "Mac"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, Some(system)) => format!("A browser on {system}"),
        (None, None) => "A browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn ip(written: &str) -> IpAddr {
        written.parse().expect("an address")
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        let mut headers = HeaderMap::new();
        headers.append(
            HeaderName::from_static("x-forwarded-for"),
            HeaderValue::from_static("203.0.113.9, 198.51.100.7, 10.0.0.3"),
        );
        let proxies = [ip("10.0.0.2"), ip("10.0.0.3")];
        assert_eq!(
            client(ip("10.0.0.2"), &headers, &proxies),
            ip("198.51.100.7")
        );
        assert_eq!(client(ip("192.0.2.1"), &headers, &proxies), ip("192.0.2.1"));
        assert_eq!(
            client(ip("10.0.0.2"), &HeaderMap::new(), &proxies),
            ip("10.0.0.2")
        );
        assert_eq!(network(ip("198.51.100.7")), "198.51.100.0/24");
        assert_eq!(network(ip("2001:db8:1:2::3")), "2001:db8:1::/48");
    }

    #[test]
    fn a_browser_is_named_in_fixed_words() {
        let mut headers = HeaderMap::new();
        assert_eq!(label(&headers), "A browser");
        headers.insert(
            header::USER_AGENT,
            HeaderValue::from_static("Mozilla/5.0 (Android 15; Mobile) Firefox/140.0 <b>me</b>"),
        );
        assert_eq!(label(&headers), "Firefox on Android");
    }
}
