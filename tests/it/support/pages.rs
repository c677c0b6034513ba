//! Somebody who reads pages and fills in their forms, as a browser without scripts does: what stands in a form is sent
//! along with what is typed, and redirects are followed.
use std::cell::RefCell;

use super::{App, Browser, Call, Reply};

/// Somebody in front of a browser, with one page open.
pub struct Reader<'a> {
    pub browser: Browser<'a>,
    open: RefCell<Page>,
}

/// A page as it came, at the address where it came from in the end.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub path: String,
    pub status: u16,
    pub text: String,
    pub headers: Vec<(String, String)>,
    /// The redirects on the way there.
    pub trail: Vec<Reply>,
}

impl<'a> Reader<'a> {
    pub fn new(app: &'a App) -> Self {
        Self::with(Browser::new(app))
    }

    /// In front of a browser that has been somewhere already.
    pub fn with(browser: Browser<'a>) -> Self {
        Self {
            browser,
            open: RefCell::default(),
        }
    }

    /// Opens a page.
    pub fn page(&self, path: &str) -> Page {
        self.follow("GET", path, None)
    }

    /// Types into the form of the open page that goes to `action`, and sends it.
    #[track_caller]
    pub fn submit(&self, action: &str, typed: &[(&str, &str)]) -> Page {
        let open = self.open.borrow().clone();
        let mut fields = open
            .form(action)
            .unwrap_or_else(|| panic!("no form to {action} at {}: {}", open.path, open.text));
        fields.retain(|(name, _)| typed.iter().all(|(other, _)| other != name));
        fields.extend(
            typed
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned())),
        );
        self.post(action, &fields)
    }

    /// Sends whatever somebody might send, whether a page asks for it or not.
    pub fn post(&self, action: &str, fields: &[(String, String)]) -> Page {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.follow("POST", action, Some(body))
    }

    fn follow(&self, method: &'static str, path: &str, body: Option<String>) -> Page {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let mut call = Call {
            body,
            ..self.browser.call(method, path, None, &[kind])
        };
        let mut trail = Vec::new();
        let page = loop {
            let reply = self.browser.send(&call);
            let Some(to) = reply.header("location").map(ToOwned::to_owned) else {
                break Page {
                    path: call.path,
                    status: reply.status,
                    text: reply.text,
                    headers: reply.headers,
                    trail,
                };
            };
            assert_eq!(reply.status, 303, "{path} leads to {to}");
            assert!(trail.len() < 5, "{path} leads on and on");
            trail.push(reply);
            call = self.browser.call("GET", &to, None, &[]);
        };
        self.open.replace(page.clone());
        page
    }
}

impl Page {
    /// The page, if it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.path, self.text);
        self
    }

    /// The page, if it came from this address in the end.
    #[track_caller]
    pub fn at(self, path: &str) -> Self {
        assert_eq!(self.path, path, "{}", self.text);
        self
    }

    /// Whether these words stand in it, for people to read.
    pub fn says(&self, words: &str) -> bool {
        let mut text = String::new();
        for piece in self.text.split('<') {
            text.push_str(piece.split_once('>').map_or(piece, |(_, after)| after));
        }
        plain(&text).contains(words)
    }

    pub fn title(&self) -> String {
        plain(between(&self.text, "<title>", "</title>").unwrap_or_default())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// What a browser would send of the first form that goes to `action`, if nobody typed anything.
    pub fn form(&self, action: &str) -> Option<Vec<(String, String)>> {
        self.text
            .split("<form ")
            .skip(1)
            .find(|form| attribute(form, "action").as_deref() == Some(action))
            .map(|form| fields(form.split("</form>").next().unwrap_or(form)))
    }

    /// What stands in a field of that form.
    pub fn field(&self, action: &str, name: &str) -> Option<String> {
        self.form(action)?
            .into_iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value)
    }

    /// Where the forms of the page go.
    pub fn actions(&self) -> Vec<String> {
        let forms = self.text.split("<form ").skip(1);
        forms.filter_map(|form| attribute(form, "action")).collect()
    }
}

/// The fields of a form as they stand.
fn fields(form: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut choosing = String::new();
    for tag in form.split('<') {
        let name = || attribute(tag, "name").filter(|name| !name.is_empty());
        let value = || attribute(tag, "value").unwrap_or_default();
        let open = tag.split('>').next().unwrap_or_default();
        match open.split([' ', '\n']).next().unwrap_or_default() {
            "input" => {
                let kind = attribute(tag, "type").unwrap_or_default();
                let choice = matches!(kind.as_str(), "radio" | "checkbox");
                if !choice || open.contains(" checked") {
                    all.extend(name().map(|name| (name, value())));
                }
            }
            "textarea" => {
                let text = tag.split_once('>').map_or("", |(_, text)| text);
                let text = plain(text.strip_prefix('\n').unwrap_or(text));
                all.extend(name().map(|name| (name, text)));
            }
            "select" => choosing = name().unwrap_or_default(),
            "option" if open.contains(" selected") => all.push((choosing.clone(), value())),
            _other => {}
        }
    }
    all
}

/// An attribute of the tag that `text` begins with.
fn attribute(text: &str, name: &str) -> Option<String> {
    let tag = text.split('>').next()?;
    let at = tag.find(&format!(" {name}=\"")).map(|at| at + 1);
    let at = at.or_else(|| tag.starts_with(&format!("{name}=\"")).then_some(0))?;
    between(&tag[at..], "\"", "\"").map(plain)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

/// Text without the marks that keep it from being markup.
fn plain(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#x60;", "`"),
        ("&#x3D;", "="),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (mark, letter)| {
        text.replace(mark, letter)
    })
}
