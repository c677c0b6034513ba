//! The frame of every page: templates and words by language, the layout around each page, and the files that go with
//! it. A language is a folder in `templates/`; what it does not have yet is shown in English, visibly (SPEC §10).
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use actix_web::http::header::HeaderMap;
use handlebars::Handlebars;
use include_dir::{Dir, include_dir};
use serde_json::{Value, json};

use super::helpers;
use crate::domain::hash::hash_of_bytes;

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/web/pages/templates");
static ASSETS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/web/pages/assets");

/// The language that has everything.
const FIRST: &str = "en";

/// One language: its templates over the English ones, and its words over the English ones.
pub struct Language {
    templates: Handlebars<'static>,
    /// The templates that are its own.
    own: BTreeSet<String>,
    code: String,
    /// What code says in English, in this language: sentences by themselves.
    said: BTreeMap<String, String>,
}

/// A page as it was rendered: its title and its body.
struct Rendered {
    title: String,
    body: String,
}

impl std::fmt::Debug for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Language({}, {})", self.code, self.own.len())
    }
}

static LANGUAGES: LazyLock<BTreeMap<String, Language>> = LazyLock::new(|| {
    languages(&sources(&TEMPLATES))
        .expect("the pages are part of the program, and a test reads each")
});

/// Every template and every file of words, by its path.
fn sources(dir: &Dir<'static>) -> BTreeMap<String, &'static str> {
    let mut all: BTreeMap<String, &'static str> = dir
        .files()
        .filter_map(|f| Some((f.path().to_str()?.to_owned(), f.contents_utf8()?)))
        .collect();
    all.extend(dir.dirs().flat_map(sources));
    all
}

/// Makes the languages out of folders: `en/cases/list.hbs`, `en/words.toml`.
fn languages(files: &BTreeMap<String, &'static str>) -> Result<BTreeMap<String, Language>, String> {
    let codes: BTreeSet<&str> = files
        .keys()
        .filter_map(|path| path.split_once('/').map(|(code, _)| code))
        .collect();
    codes
        .into_iter()
        .map(|code| Ok((code.to_owned(), language(code, files)?)))
        .collect()
}

fn language(code: &str, files: &BTreeMap<String, &'static str>) -> Result<Language, String> {
    let mut templates = Handlebars::new();
    templates.set_strict_mode(true);
    templates.set_prevent_indent(true);
    let (mut words, mut own) = (toml::Table::new(), BTreeSet::new());
    for from in [FIRST, code] {
        let folder = format!("{from}/");
        for (path, text) in files {
            let Some(name) = path.strip_prefix(&folder) else {
                continue;
            };
            if let Some(name) = name.strip_suffix(".hbs") {
                add(&mut templates, name, text).map_err(|why| format!("{path}: {why}"))?;
                if from == code {
                    own.insert(name.to_owned());
                }
            } else if name.ends_with(".toml") {
                let table = text
                    .parse::<toml::Table>()
                    .map_err(|e| format!("{path}: {e}"))?;
                lay_over(&mut words, table);
            }
        }
    }
    let said = words
        .get("said")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten()
        .filter_map(|(english, own)| Some((english.clone(), own.as_str()?.to_owned())))
        .collect();
    helpers::register(&mut templates, words);
    Ok(Language {
        templates,
        own,
        code: code.to_owned(),
        said,
    })
}

/// A page begins with its title and a line of three dashes; a part of a page does not.
fn add(templates: &mut Handlebars<'static>, name: &str, text: &str) -> Result<(), String> {
    let body = match text.split_once("\n---\n") {
        Some((head, body)) if head.starts_with("title:") => {
            let title = head.trim_start_matches("title:").trim();
            templates
                .register_template_string(&format!("{name}.title"), title)
                .map_err(|e| e.to_string())?;
            body
        }
        Some(_) | None => text,
    };
    templates
        .register_template_string(name, body.trim())
        .map_err(|e| e.to_string())
}

fn lay_over(words: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (words.get_mut(&key), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(value)) => lay_over(under, value),
            (_, value) => {
                words.insert(key, value);
            }
        }
    }
}

impl Language {
    /// The language a browser asks for first, of those there are.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> &'static Self {
        let wanted = headers
            .get("accept-language")
            .and_then(|said| said.to_str().ok())
            .unwrap_or_default();
        let first = wanted
            .split(',')
            .filter_map(|range| range.split(['-', ';']).next())
            .find_map(|code| LANGUAGES.get(&code.trim().to_ascii_lowercase()));
        first.unwrap_or_else(|| Self::first())
    }

    /// The language that has everything.
    #[must_use]
    pub fn first() -> &'static Self {
        &LANGUAGES[FIRST]
    }

    /// A sentence that code says in English, in this language where it has one.
    #[must_use]
    pub fn said(&self, english: &str) -> String {
        self.said
            .get(english)
            .map_or(english, String::as_str)
            .to_owned()
    }

    /// A page in its layout. `data` is what the page shows; `here` in it is where and for whom.
    pub fn page(&self, name: &str, data: &Value) -> Result<String, handlebars::RenderError> {
        let Rendered { title, body } = self.rendered(name, data)?;
        let around = json!({
            "title": title, "here": data["here"], "lang": self.code,
            "errors": linked(&data["errors"], &body), "stale": data["stale"],
            "untranslated": !self.own.contains(name), "body": body,
        });
        self.templates.render("layout", &around)
    }

    fn rendered(&self, name: &str, data: &Value) -> Result<Rendered, handlebars::RenderError> {
        // Helpers take the whole page's data from the context itself, so that parts of pages find it too.
        let title = self.templates.render(&format!("{name}.title"), data)?;
        let body = self.templates.render(name, data)?;
        Ok(Rendered { title, body })
    }

    /// Whether there is such a template.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.templates.has_template(name)
    }
}

/// What is wrong with a form, each with the element it belongs to: the field itself, or the nearest around it.
fn linked(errors: &Value, body: &str) -> Value {
    let element = |at: &str| {
        let mut segments: Vec<&str> = at.split('-').filter(|s| !s.is_empty()).collect();
        while !segments.is_empty() {
            let id = format!("f-{}", segments.join("-"));
            if body.contains(&format!("id=\"{id}\"")) {
                return Some(id);
            }
            segments.pop();
        }
        None
    };
    errors
        .as_array()
        .into_iter()
        .flatten()
        .map(|e| json!({ "message": e["message"], "to": element(e["at"].as_str().unwrap_or_default()) }))
        .collect()
}

/// A file that goes with the pages.
pub struct Asset {
    pub kind: &'static str,
    pub octets: &'static [u8],
}

/// The files by the name they are served under, which holds a hash of what is in them: they never change, so browsers
/// keep them.
static BY_ADDRESS: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(|| {
    files(&ASSETS)
        .into_iter()
        .filter_map(|(name, octets)| {
            let kind = match name.rsplit_once('.')?.1 {
                "css" => "text/css; charset=utf-8",
                "js" => "text/javascript; charset=utf-8",
                "svg" => "image/svg+xml",
                "png" => "image/png",
                "woff2" => "font/woff2",
                _other => return None,
            };
            Some((hashed(&name, octets), Asset { kind, octets }))
        })
        .collect()
});

fn files(dir: &'static Dir<'static>) -> Vec<(String, &'static [u8])> {
    dir.files()
        .filter_map(|f| Some((f.path().to_str()?.to_owned(), f.contents())))
        .collect()
}

fn hashed(name: &str, octets: &[u8]) -> String {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    format!("{stem}.{}.{ending}", &hash_of_bytes(octets)[..12])
}

/// The file at an address below `/assets/`.
#[must_use]
pub fn asset(address: &str) -> Option<&'static Asset> {
    BY_ADDRESS.get(address)
}

/// Where a file of ours is served.
#[must_use]
pub fn address_of(name: &str) -> Option<String> {
    let file = ASSETS.get_file(name)?;
    Some(format!("/assets/{}", hashed(name, file.contents())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_a_folder_and_what_it_lacks_is_shown_in_english() {
        let files: BTreeMap<String, &'static str> = [
            (
                "en/layout.hbs",
                "{{lang}}|{{untranslated}}|{{title}}|{{{body}}}",
            ),
            (
                "en/one.hbs",
                "title: One\n---\n{{word \"stage\" \"draft\"}} {{word \"stage\" \"closed\"}}",
            ),
            ("en/two.hbs", "title: Two\n---\n2"),
            (
                "en/words.toml",
                "[stage]\ndraft = \"Draft\"\nclosed = \"Closed\"",
            ),
            (
                "cy/one.hbs",
                "title: Un\n---\n{{word \"stage\" \"draft\"}} {{word \"stage\" \"closed\"}}",
            ),
            ("cy/words.toml", "[stage]\ndraft = \"Drafft\""),
        ]
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text))
        .collect();
        let all = languages(&files).expect("languages");
        let said = |code: &str, name: &str| {
            let data = json!({ "here": {}, "errors": [] });
            all[code].page(name, &data).expect("a page")
        };
        assert_eq!(said("en", "one"), "en|false|One|Draft Closed");
        assert_eq!(said("cy", "one"), "cy|false|Un|Drafft Closed");
        assert_eq!(said("cy", "two"), "cy|true|Two|2");
    }

    #[test]
    fn files_have_names_that_change_with_them() {
        let address = address_of("house.css").expect("a stylesheet");
        let name = address.strip_prefix("/assets/").expect("beneath assets");
        assert!(asset(name).is_some_and(|a| a.kind.starts_with("text/css")));
        assert!(asset("house.css").is_none());
    }
}
