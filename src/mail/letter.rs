//! From a notice to a letter: subject, text and HTML from one source of words in `email_templates/`, rendered
//! strictly, so that a template error fails the command instead of losing a letter (SAFETY §2). Letters hold no
//! case content: the parameters below are all there is to say (SPEC §10).
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

use handlebars::{Handlebars, no_escape};
use include_dir::{Dir, include_dir};
use lettre::Message;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue,
};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use serde::Serialize;

use crate::domain::notice::Letter;
use crate::domain::text::{EmailAddress, Line};
use crate::domain::time::Moment;
use crate::mail::calendar::Method;

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/email_templates");
/// The language letters are written in; another one is another folder.
const LOCALE: &str = "en";

/// Why a letter could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    #[error("letter {0}: {1}")]
    Template(&'static str, String),
    #[error("a letter could not be put together: {0}")]
    Message(String),
}

/// Everything a letter may say.
#[derive(Debug, Clone, Serialize)]
pub struct Words<'a> {
    /// The reader's own name.
    pub name: &'a str,
    /// The neutral reference of the case.
    pub reference: Option<&'a str>,
    /// What kind of thing it is.
    pub what: &'a str,
    /// A date in words.
    pub by_when: Option<String>,
    /// Where to sign in.
    pub link: &'a str,
    /// Whom to ring.
    pub phone: &'a str,
    /// The single-use code of an invitation to an account, or the six digits of a code letter.
    pub code: Option<&'a str>,
}

/// A letter in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
    /// What the reader's calendar is to do, where there is something.
    pub calendar: Option<(Method, String)>,
}

struct Parts {
    subject: String,
    preheader: String,
    body: String,
}

/// The letters, read once and ready to be rendered.
pub struct Letters {
    text: Handlebars<'static>,
    html: Handlebars<'static>,
    sources: BTreeMap<&'static str, Parts>,
}

impl std::fmt::Debug for Letters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letters({})", self.sources.len())
    }
}

impl Letters {
    /// Reads the templates that are part of the program.
    pub fn embedded() -> Result<Self, LetterError> {
        let read = |name: &'static str, path: String| {
            TEMPLATES
                .get_file(&path)
                .and_then(|f| f.contents_utf8())
                .ok_or_else(|| LetterError::Template(name, format!("{path} is missing")))
        };
        let (mut text, mut html) = (Handlebars::new(), Handlebars::new());
        text.set_strict_mode(true);
        html.set_strict_mode(true);
        text.register_escape_fn(no_escape);
        let mut sources = BTreeMap::new();
        for letter in Letter::ALL {
            let word = letter.word();
            let parts = parts(read(word, format!("{LOCALE}/{word}.md.hbs"))?).ok_or_else(|| {
                LetterError::Template(
                    word,
                    "it must begin with subject, preheader and ---".to_owned(),
                )
            })?;
            sources.insert(word, parts);
        }
        let failed = |e: handlebars::TemplateError| LetterError::Template("layout", e.to_string());
        text.register_template_string(
            "layout",
            read("layout", format!("{LOCALE}/layouts/text.hbs"))?,
        )
        .map_err(failed)?;
        html.register_template_string(
            "layout",
            read("layout", format!("{LOCALE}/layouts/html.hbs"))?,
        )
        .map_err(failed)?;
        for (word, parts) in &sources {
            text.register_template_string(&format!("{word}.subject"), &parts.subject)
                .map_err(failed)?;
            text.register_template_string(&format!("{word}.preheader"), &parts.preheader)
                .map_err(failed)?;
            text.register_template_string(&format!("{word}.body"), &parts.body)
                .map_err(failed)?;
        }
        Ok(Self {
            text,
            html,
            sources,
        })
    }

    /// Renders `letter`; every parameter it asks for must be there.
    pub fn render(&self, letter: Letter, words: &Words<'_>) -> Result<Rendered, LetterError> {
        let word = letter.word();
        let failed = |e: handlebars::RenderError| LetterError::Template(word, e.to_string());
        let say = |part: &str| {
            self.text
                .render(&format!("{word}.{part}"), words)
                .map_err(failed)
        };
        let (subject, preheader) = (say("subject")?, say("preheader")?);
        let body = &self
            .sources
            .get(word)
            .ok_or_else(|| LetterError::Template(word, "unknown".to_owned()))?
            .body;
        let mut marked_down = Handlebars::new();
        marked_down.set_strict_mode(true);
        marked_down.register_escape_fn(plain_in_markdown);
        let html_body = to_html(&marked_down.render_template(body, words).map_err(failed)?);
        let around = |body: &str| -> Result<serde_json::Value, LetterError> {
            let mut all = serde_json::to_value(words)
                .map_err(|e| LetterError::Template(word, e.to_string()))?;
            if let Some(fields) = all.as_object_mut() {
                for (name, value) in [
                    ("body", body),
                    ("subject", &subject),
                    ("preheader", &preheader),
                ] {
                    fields.insert(name.to_owned(), value.into());
                }
            }
            Ok(all)
        };
        Ok(Rendered {
            text: self
                .text
                .render("layout", &around(say("body")?.trim())?)
                .map_err(failed)?,
            html: self
                .html
                .render("layout", &around(&html_body)?)
                .map_err(failed)?,
            subject,
            calendar: None,
        })
    }
}

fn parts(source: &str) -> Option<Parts> {
    let (head, body) = source.split_once("\n---\n")?;
    let (subject, preheader) = head.split_once('\n')?;
    Some(Parts {
        subject: subject.strip_prefix("subject:")?.trim().to_owned(),
        preheader: preheader.strip_prefix("preheader:")?.trim().to_owned(),
        body: body.trim().to_owned(),
    })
}

/// A parameter as words in Markdown and in HTML: every punctuation mark becomes a character reference, which neither
/// takes for markup.
fn plain_in_markdown(words: &str) -> String {
    words
        .chars()
        .map(|c| {
            if c.is_ascii_punctuation() {
                format!("&#{};", u32::from(c))
            } else {
                c.to_string()
            }
        })
        .collect()
}

fn to_html(markdown: &str) -> String {
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(markdown));
    html
}

/// Who writes, and where answers go.
#[derive(Debug, Clone)]
pub struct Sender {
    pub from: EmailAddress,
    pub from_name: Line,
    pub reply_to: EmailAddress,
}

impl Sender {
    /// The host that names our letters.
    #[must_use]
    pub fn host(&self) -> &str {
        self.from
            .as_str()
            .rsplit('@')
            .next()
            .unwrap_or("common-ground.invalid")
    }
}

#[derive(Debug, Clone)]
struct AutoSubmitted;
impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[derive(Debug, Clone)]
struct NoAutoResponse;
impl Header for NoAutoResponse {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("X-Auto-Response-Suppress")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "All".to_owned())
    }
}

/// Puts a letter into the octets that will be sent, however often: Message-ID and Date are fixed here.
pub fn assemble(
    sender: &Sender,
    to_name: &Line,
    to: &EmailAddress,
    message_id: &str,
    at: Moment,
    rendered: &Rendered,
) -> Result<Vec<u8>, LetterError> {
    let message = |why: String| LetterError::Message(why);
    let mailbox = |name: Option<&Line>, address: &EmailAddress| -> Result<Mailbox, LetterError> {
        Ok(Mailbox::new(
            name.map(|n| n.as_str().to_owned()),
            address
                .as_str()
                .parse()
                .map_err(|e| message(format!("{e}")))?,
        ))
    };
    // lettre panics on some names; ours cannot be such names, and if one is, only this letter fails.
    catch_unwind(AssertUnwindSafe(|| {
        let built = Message::builder()
            .from(mailbox(Some(&sender.from_name), &sender.from)?)
            .reply_to(mailbox(None, &sender.reply_to)?)
            .to(mailbox(Some(to_name), to)?)
            .subject(rendered.subject.as_str())
            .message_id(Some(message_id.to_owned()))
            .date(SystemTime::from(at.0))
            .header(AutoSubmitted)
            .header(NoAutoResponse)
            .multipart(parts_of(rendered)?)
            .map_err(|e| message(e.to_string()))?;
        Ok(built.formatted())
    }))
    .unwrap_or_else(|_| Err(LetterError::Message("the builder refused it".to_owned())))
}

/// The same words as text and as HTML, and what a calendar is to do where there is something.
fn parts_of(rendered: &Rendered) -> Result<MultiPart, LetterError> {
    let words = MultiPart::alternative()
        .singlepart(part(&rendered.text, ContentType::TEXT_PLAIN)?)
        .singlepart(part(&rendered.html, ContentType::TEXT_HTML)?);
    let Some((method, page)) = &rendered.calendar else {
        return Ok(words);
    };
    let kind = format!("text/calendar; charset=utf-8; method={}", method.word());
    let kind = ContentType::parse(&kind).map_err(|e| LetterError::Message(e.to_string()))?;
    let body = Body::new_with_encoding(page.clone().into_bytes(), ContentTransferEncoding::Base64)
        .map_err(|_| LetterError::Message("encoding".to_owned()))?;
    Ok(words.singlepart(SinglePart::builder().header(kind).body(body)))
}

/// One part in quoted-printable: no line too long, nothing but ASCII on the way.
fn part(text: &str, kind: ContentType) -> Result<SinglePart, LetterError> {
    let body = Body::new_with_encoding(text.to_owned(), ContentTransferEncoding::QuotedPrintable)
        .map_err(|_| LetterError::Message("encoding".to_owned()))?;
    Ok(SinglePart::builder().header(kind).body(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "Zoë <b>&amp;</b> *[x](javascript:alert(1))* {{7*7}} ${jndi:x}";

    fn words(code: Option<&'static str>, reference: Option<&'static str>) -> Words<'static> {
        Words {
            name: CANARY,
            reference,
            what: "Something",
            by_when: Some("Friday 27 November 2026".to_owned()),
            link: "https://common-ground.example/sign-in?a=1&b=2",
            phone: "0300 000 0000",
            code,
        }
    }

    #[test]
    fn every_letter_renders_with_names_shown_as_they_are() {
        let letters = Letters::embedded().expect("the letters");
        for letter in Letter::ALL {
            let outside = matches!(
                letter,
                Letter::FirstAccount
                    | Letter::MailCheck
                    | Letter::SignInCode
                    | Letter::ResetCode
                    | Letter::AddressCode
                    | Letter::AddressChanged
                    | Letter::AccountChanged
                    | Letter::NewBrowser
                    | Letter::RecoveryBegun
                    | Letter::LeadChanged
            );
            let made = letters
                .render(
                    *letter,
                    &words(
                        outside.then_some("AB2CD-EF3GH"),
                        (!outside).then_some("CG-2026-4F7K"),
                    ),
                )
                .unwrap_or_else(|e| panic!("{e}"));
            assert!(
                made.text.contains(CANARY),
                "{letter:?}: names are shown to the letter in text"
            );
            assert!(
                !made.html.contains("<b>&amp;</b>") && !made.html.contains("href=\"javascript"),
                "{letter:?}: names are words in HTML"
            );
            assert!(
                made.text
                    .contains("https://common-ground.example/sign-in?a=1&b=2"),
                "{letter:?}: the link"
            );
            assert_eq!(made.html.matches("<a ").count(), 1, "{letter:?}: one link");
            assert!(
                !made.html.contains("<img") && !made.html.contains("http://"),
                "{letter:?}: nothing from elsewhere"
            );
        }
    }

    #[test]
    fn a_missing_parameter_is_an_error() {
        let letters = Letters::embedded().expect("the letters");
        let mut strict = Handlebars::new();
        strict.set_strict_mode(true);
        assert!(
            strict
                .render_template("{{nobody}}", &words(None, None))
                .is_err()
        );
        assert_eq!(letters.sources.len(), Letter::ALL.len());
    }

    #[test]
    fn a_letter_is_put_together_with_fixed_headers_and_short_ascii_lines() {
        let letters = Letters::embedded().expect("the letters");
        let sender = Sender {
            from: EmailAddress::parse("post@common-ground.example").expect("an address"),
            from_name: Line::parse("Common Ground").expect("a name"),
            reply_to: EmailAddress::parse("people@common-ground.example").expect("an address"),
        };
        let made = letters
            .render(Letter::CasePaused, &words(None, Some("CG-2026-4F7K")))
            .expect("a letter");
        let octets = assemble(
            &sender,
            &Line::parse("Zoë \"O'Neill\", <x@y.org>").expect("a name"),
            &EmailAddress::parse("zoe@lero.example").expect("an address"),
            "<1@common-ground.example>",
            Moment::new("2026-11-21T10:00:00Z".parse().expect("a time")),
            &made,
        )
        .expect("octets");
        let text = String::from_utf8(octets).expect("ASCII");
        assert!(text.is_ascii() && text.lines().all(|line| line.len() < 998));
        for header in [
            "Auto-Submitted: auto-generated",
            "Message-ID: <1@common-ground.example>",
            "Reply-To: people@common-ground.example",
            "Date: Sat, 21 Nov 2026 10:00:00 +0000",
        ] {
            assert!(text.contains(header), "{header} in\n{text}");
        }
        assert_eq!(text.lines().filter(|l| l.starts_with("To:")).count(), 1);
    }
}
