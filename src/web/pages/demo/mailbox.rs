//! The letters of the demo, read from the files that its mailer writes: the newest first, and one by one.
use std::path::Path;
use std::sync::Arc;

use actix_web::web;
use mail_parser::{Address, Message, MessageParser, MimeHeaders};
use serde::Serialize;
use serde_json::json;

use super::Door;
use crate::web::api::Answer;
use crate::web::pages::shut_in::{shut_in, with_frame};
use crate::web::pages::staff::address;
use crate::web::pages::visit::Visit;
use crate::web::problem::{Kind, Problem};

/// How many letters there are on a page.
const ON_A_PAGE: usize = 40;

/// What the list says of a letter.
#[derive(Debug, Serialize)]
struct Line {
    /// The name of its file, without the ending.
    name: String,
    at: String,
    to: String,
    subject: String,
}

/// What there is of a letter.
#[derive(Debug, Serialize)]
struct Letter {
    /// Where all letters to its reader are.
    others: String,
    at: String,
    from: String,
    reply_to: String,
    to: String,
    email: String,
    subject: String,
    words: String,
    has_html: bool,
    /// Addresses of this service that the text leads to, as paths.
    links: Vec<String>,
    calendar: Vec<Entry>,
}

/// What comes with it for a calendar.
#[derive(Debug, Serialize)]
struct Entry {
    /// `request` puts something into the calendar, `cancel` takes it out.
    method: String,
    words: String,
}

/// The letters, the newest first; `to` finds those to somebody.
pub async fn list(visit: Visit, door: Arc<Door>) -> Answer {
    let to = visit.asked_for("to").unwrap_or_default();
    let from = visit
        .asked_for("from")
        .and_then(|n| n.parse::<usize>().ok())
        .unwrap_or(0);
    let wanted = to.trim().to_lowercase();
    let all = apart(move || lines(&door.letters, &wanted)).await?;
    let count = all.len();
    let next = from.saturating_add(ON_A_PAGE);
    let page_at = |at: Option<usize>| {
        at.map(|at| {
            address(
                "/demo/mailbox",
                &[
                    ("to", Some(to.as_str())),
                    ("from", Some(at.to_string().as_str())),
                ],
            )
        })
    };
    let shown: Vec<Line> = all.into_iter().skip(from).take(ON_A_PAGE).collect();
    visit.page(
        "demo/mailbox",
        json!({
            "letters": shown, "to": to, "count": count,
            "earlier": page_at((next < count).then_some(next)),
            "later": page_at((from > 0).then(|| from.saturating_sub(ON_A_PAGE))),
        }),
    )
}

/// One letter.
pub async fn letter(visit: Visit, door: Arc<Door>) -> Answer {
    let (name, home) = (
        visit.id("letter", file_name)?,
        visit.desk.settings.public_url.clone(),
    );
    let octets = read(&door.letters, &name).await?;
    let message = parsed(&octets)?;
    let text = message
        .body_text(0)
        .unwrap_or_default()
        .replace("\r\n", "\n");
    let shown = Letter {
        at: written(&message),
        from: first(message.from()).0,
        reply_to: first(message.reply_to()).1,
        to: first(message.to()).0,
        others: address(
            "/demo/mailbox",
            &[("to", Some(first(message.to()).1.as_str()))],
        ),
        email: first(message.to()).1,
        subject: message.subject().unwrap_or_default().to_owned(),
        links: links(&text, &home),
        has_html: message.html_body_count() > 0,
        calendar: calendar(&message),
        words: text,
    };
    Ok(with_frame(visit.page(
        "demo/letter",
        json!({ "letter": shown, "name": name }),
    )?))
}

/// The same as its reader's mail program would show it: nothing of it may run, load or lead anywhere.
pub async fn html(visit: Visit, door: Arc<Door>) -> Answer {
    let octets = read(&door.letters, &visit.id("letter", file_name)?).await?;
    let message = parsed(&octets)?;
    let html = message
        .body_html(0)
        .ok_or_else(|| Problem::new(Kind::NotFound))?;
    Ok(shut_in(html.into_owned()))
}

/// The name of a letter's file: what our mailer gives them, and nothing that leads elsewhere.
fn file_name(said: &str) -> Option<String> {
    let fine = !said.is_empty()
        && said.len() <= 80
        && said.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    fine.then(|| said.to_owned())
}

/// Work with files is done apart from the threads that answer.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    web::block(work)
        .await
        .map_err(|_| Problem::new(Kind::Unavailable))?
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Problem::new(Kind::NotFound),
            _other => Problem::new(Kind::Unavailable),
        })
}

async fn read(folder: &Path, name: &str) -> Result<Vec<u8>, Problem> {
    let file = folder.join(format!("{name}.eml"));
    apart(move || std::fs::read(file)).await
}

fn parsed(octets: &[u8]) -> Result<Message<'_>, Problem> {
    MessageParser::default()
        .parse(octets)
        .ok_or_else(|| Problem::new(Kind::NotFound))
}

fn lines(folder: &Path, wanted: &str) -> std::io::Result<Vec<Line>> {
    let files = match std::fs::read_dir(folder) {
        Ok(files) => files,
        // No letter has left yet.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut all = Vec::new();
    for file in files {
        let path = file?.path();
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .and_then(file_name);
        let (Some(name), true) = (name, path.extension().is_some_and(|e| e == "eml")) else {
            continue;
        };
        let octets = std::fs::read(&path)?;
        let Some(message) = MessageParser::default().parse_headers(&octets) else {
            continue;
        };
        let (to, email) = first(message.to());
        if to.to_lowercase().contains(wanted) || email.to_lowercase().contains(wanted) {
            let subject = message.subject().unwrap_or_default().to_owned();
            all.push(Line {
                at: written(&message),
                name,
                to,
                subject,
            });
        }
    }
    all.sort_by(|a, b| (&b.at, &b.name).cmp(&(&a.at, &a.name)));
    Ok(all)
}

/// When it was written, for machines.
fn written(message: &Message<'_>) -> String {
    message
        .date()
        .map(|date| date.to_rfc3339())
        .unwrap_or_default()
}

/// Name and address of the first of those a header names.
fn first(address: Option<&Address<'_>>) -> (String, String) {
    let address = address.and_then(|a| a.first());
    let email = address.and_then(|a| a.address()).unwrap_or_default();
    let name = address.and_then(|a| a.name()).unwrap_or(email);
    (name.to_owned(), email.to_owned())
}

/// What the text leads to here.
fn links(text: &str, home: &str) -> Vec<String> {
    let mut all: Vec<String> = text
        .split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')'))
        .filter_map(|word| word.strip_prefix(home))
        .map(|path| path.trim_end_matches(['.', ',']).to_owned())
        .filter(|path| crate::web::pages::kept::is_ours(path))
        .collect();
    all.dedup();
    all
}

fn calendar(message: &Message<'_>) -> Vec<Entry> {
    message
        .parts
        .iter()
        .filter(|part| part.is_content_type("text", "calendar"))
        .map(|part| Entry {
            method: part
                .content_type()
                .and_then(|kind| kind.attribute("method"))
                .unwrap_or_default()
                .to_lowercase(),
            words: String::from_utf8_lossy(part.contents()).replace("\r\n", "\n"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_found_by_its_name_and_nothing_leads_out_of_the_folder() {
        assert_eq!(file_name("story-0001").as_deref(), Some("story-0001"));
        for elsewhere in ["", "..", "../demo", "a/b", "a.b", "%2e", &"x".repeat(81)] {
            assert_eq!(file_name(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn only_links_into_this_house_are_followed() {
        let text = "Sign in:\nhttp://localhost:1/sign-in?next=/cases/1.\nhttp://elsewhere.example/x http://localhost:1//elsewhere.example";
        assert_eq!(
            links(text, "http://localhost:1"),
            ["/sign-in?next=/cases/1"]
        );
    }
}
