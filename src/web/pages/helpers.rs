//! What templates can ask for besides their data: words of the language, dates as people write them, text as
//! paragraphs, and the fields of forms. A field's markup is a part in `templates/*/parts/fields`; here its name is
//! turned into its id, what was typed before, and what is wrong with it.
use std::sync::Arc;

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Timelike, Utc};
use chrono_tz::Europe::London;
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError,
    RenderErrorReason, Renderable, ScopedJson,
};
use serde_json::{Map, Value, json};

use super::fields::id_of;
use super::frame;
use crate::domain::hash::hash_of_bytes;

type Words = Arc<Value>;

/// Teaches a language its helpers.
pub fn register(templates: &mut Handlebars<'static>, words: toml::Table) {
    let words: Words = Arc::new(serde_json::to_value(words).unwrap_or_default());
    for (name, say) in [
        ("word", word as Say),
        ("day", day),
        ("short_day", short_day),
        ("moment", moment),
        ("clock", clock),
        ("prose", prose),
        ("asset", asset),
        ("concat", concat),
        ("initials", initials),
        ("size", size),
    ] {
        templates.register_helper(name, Box::new(Saying(words.clone(), say)));
    }
    for kind in [
        "text", "area", "radios", "checks", "tick", "select", "date", "when", "hidden", "file",
    ] {
        templates.register_helper(kind, Box::new(Field(words.clone(), kind)));
    }
    templates.register_helper("form", Box::new(Form));
}

/// A helper that answers a value: markup it makes itself is marked as such.
type Say = fn(&Value, &[&Value]) -> Said;

enum Said {
    /// Words, to be escaped like any other.
    Words(String),
    /// Markup in which everything from elsewhere is escaped already.
    Markup(String),
}

struct Saying(Words, Say);

impl HelperDef for Saying {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        // Inside another helper, words and markup are both just text.
        let params: Vec<&Value> = h.params().iter().map(|p| p.value()).collect();
        match (self.1)(&self.0, &params) {
            Said::Words(text) | Said::Markup(text) => Ok(ScopedJson::Derived(text.into())),
        }
    }

    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        r: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let params: Vec<&Value> = h.params().iter().map(|p| p.value()).collect();
        match (self.1)(&self.0, &params) {
            Said::Words(text) => out.write(&r.get_escape_fn()(&text))?,
            Said::Markup(text) => out.write(&text)?,
        }
        Ok(())
    }
}

fn text_of<'a>(params: &[&'a Value], at: usize) -> &'a str {
    params.get(at).and_then(|v| v.as_str()).unwrap_or_default()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn escaped(text: &str) -> String {
    handlebars::html_escape(text)
}

/// `word "stage" "draft"`: the word of a group; one that is missing is shown by its name, so that it is seen.
fn word(words: &Value, params: &[&Value]) -> Said {
    let (group, key) = (
        text_of(params, 0),
        params.get(1).map(|v| plain(v)).unwrap_or_default(),
    );
    Said::Words(said(words, group, &key).unwrap_or_else(|| format!("[{group}.{key}]")))
}

fn said(words: &Value, group: &str, key: &str) -> Option<String> {
    words.get(group)?.get(key)?.as_str().map(ToOwned::to_owned)
}

/// Several words put together.
fn concat(_: &Value, params: &[&Value]) -> Said {
    Said::Words(params.iter().map(|v| plain(v)).collect())
}

/// "DA" for "Denise Adair".
fn initials(_: &Value, params: &[&Value]) -> Said {
    let letters: Vec<char> = text_of(params, 0)
        .split_whitespace()
        .filter_map(|part| part.chars().next())
        .collect();
    let both = letters
        .first()
        .into_iter()
        .chain(letters.last().filter(|_| letters.len() > 1));
    Said::Words(both.flat_map(|c| c.to_uppercase()).collect())
}

/// Octets as people say them.
fn size(_: &Value, params: &[&Value]) -> Said {
    let octets = params.first().and_then(|v| v.as_u64()).unwrap_or_default();
    Said::Words(match octets {
        0..1024 => format!("{octets} bytes"),
        1024..1_048_576 => format!("{} KB", octets.div_ceil(1024)),
        _more => format!(
            "{}.{} MB",
            octets / 1_048_576,
            octets % 1_048_576 * 10 / 1_048_576
        ),
    })
}

fn asset(_: &Value, params: &[&Value]) -> Said {
    Said::Words(frame::address_of(text_of(params, 0)).unwrap_or_default())
}

/// A text in somebody's own words: its paragraphs and lines as they were written, and nothing else of it as markup.
fn prose(_: &Value, params: &[&Value]) -> Said {
    let paragraphs = text_of(params, 0)
        .split("\n\n")
        .map(str::trim)
        .filter(|p| !p.is_empty());
    Said::Markup(
        paragraphs
            .map(|p| format!("<p>{}</p>", escaped(p).replace('\n', "<br>")))
            .collect(),
    )
}

/// An instant, or a civil day at no hour in particular.
enum At {
    Moment(DateTime<Utc>),
    Day(NaiveDate),
}

fn at(params: &[&Value]) -> Option<At> {
    let written = text_of(params, 0);
    let moment = DateTime::parse_from_rfc3339(written).ok();
    moment
        .map(|m| At::Moment(m.to_utc()))
        .or_else(|| written.parse().ok().map(At::Day))
}

/// The day in London; a page's year needs no saying twice, so `here` decides elsewhere whether it is said.
fn day_of(at: &At) -> NaiveDate {
    match at {
        At::Moment(moment) => moment.with_timezone(&London).date_naive(),
        At::Day(day) => *day,
    }
}

fn in_list(words: &Value, list: &str, place: u32) -> String {
    words
        .get("calendar")
        .and_then(|c| c.get(list)?.get(place as usize)?.as_str())
        .unwrap_or_default()
        .to_owned()
}

fn long_day(words: &Value, day: NaiveDate) -> String {
    format!(
        "{} {} {} {}",
        in_list(words, "weekdays", day.weekday().num_days_from_monday()),
        day.day(),
        in_list(words, "months", day.month0()),
        day.year()
    )
}

fn hour(at: &DateTime<Utc>) -> String {
    let local = at.with_timezone(&London);
    let (pm, hour) = local.hour12();
    let half = if pm { "pm" } else { "am" };
    match (local.hour(), local.minute()) {
        (12, 0) => "12 noon".to_owned(),
        (_, 0) => format!("{hour}{half}"),
        (_, minute) => format!("{hour}:{minute:02}{half}"),
    }
}

/// An instant as HTML writes it (WHATWG HTML §2.3.5): to the second.
fn machine(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn time_element(machine: &str, words: &str) -> Said {
    Said::Markup(format!(
        "<time datetime=\"{}\">{}</time>",
        escaped(machine),
        escaped(words)
    ))
}

/// "Friday 27 November 2026".
fn day(words: &Value, params: &[&Value]) -> Said {
    dated(params, |day| long_day(words, day))
}

/// "27 November", or with the year where that is not the one `short_day`'s second parameter names.
fn short_day(words: &Value, params: &[&Value]) -> Said {
    let this_year = params.get(1).map(|v| plain(v)).unwrap_or_default();
    dated(params, |day| {
        let short = format!("{} {}", day.day(), in_list(words, "months", day.month0()));
        if this_year.starts_with(&day.year().to_string()) {
            short
        } else {
            format!("{short} {}", day.year())
        }
    })
}

fn dated(params: &[&Value], say: impl Fn(NaiveDate) -> String) -> Said {
    at(params).map_or_else(
        || Said::Words(String::new()),
        |at| {
            let day = day_of(&at);
            time_element(&day.to_string(), &say(day))
        },
    )
}

/// "Friday 27 November 2026, 4:10pm".
fn moment(words: &Value, params: &[&Value]) -> Said {
    match at(params) {
        Some(At::Moment(m)) => {
            let day = long_day(words, m.with_timezone(&London).date_naive());
            time_element(&machine(&m), &format!("{day}, {}", hour(&m)))
        }
        Some(At::Day(_)) => day(words, params),
        None => Said::Words(String::new()),
    }
}

/// "4:10pm".
fn clock(_: &Value, params: &[&Value]) -> Said {
    match at(params) {
        Some(At::Moment(m)) => time_element(&machine(&m), &hour(&m)),
        Some(At::Day(_)) | None => Said::Words(String::new()),
    }
}

/// A field of a form.
struct Field(Words, &'static str);

impl HelperDef for Field {
    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        r: &'reg Handlebars<'reg>,
        ctx: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let mut about: Map<String, Value> = [
            "hint", "kind", "auto", "rows", "most", "width", "small", "unit", "now", "accept",
            "value",
        ]
        .into_iter()
        .map(|key| (key.to_owned(), Value::Null))
        .collect();
        for (key, value) in h.hash() {
            about.insert((*key).to_owned(), value.value().clone());
        }
        let name = about.get("name").map(plain).ok_or_else(|| {
            RenderErrorReason::Other(format!("a field of the kind {} has no name", self.1))
        })?;
        let page = ctx.data();
        let id = id_of(&name);
        about.insert("id".to_owned(), id.clone().into());
        let error = error_of(page, &id);
        about.insert("wrong".to_owned(), error.is_some().into());
        about.insert("error".to_owned(), error.into());
        let typed = values(page, "values", &name);
        if let Some(first) = typed.first() {
            about.insert("value".to_owned(), first.clone().into());
        }
        let stands = values(page, "stands", &name);
        if page["stale"] == true && !stands.is_empty() && stands != typed {
            about.insert("now".to_owned(), stands.join(", ").into());
        }
        match self.1 {
            "radios" | "checks" | "select" => {
                let options = options(&self.0, &about, &typed);
                about.insert("options".to_owned(), options);
            }
            "tick" => {
                let ticked = typed.iter().any(|v| v != "no");
                about.insert("ticked".to_owned(), ticked.into());
            }
            "date" | "when" => {
                let said = |part: &str| {
                    let all = values(page, "values", &format!("{name}@{part}"));
                    all.first().cloned().unwrap_or_default()
                };
                for part in ["day", "month", "year", "time"] {
                    about.insert(part.to_owned(), said(part).into());
                }
            }
            _plain => {}
        }
        let part = format!("parts/fields/{}", self.1);
        out.write(&r.render(&part, &Value::Object(about))?)?;
        Ok(())
    }
}

/// What was typed into a field, or what stands there.
fn values(page: &Value, of: &str, name: &str) -> Vec<String> {
    page[of][name]
        .as_array()
        .into_iter()
        .flatten()
        .map(plain)
        .collect()
}

/// The first thing that is wrong with a field, or with something inside it.
fn error_of(page: &Value, id: &str) -> Option<String> {
    let inside = format!("{id}-");
    page["errors"].as_array()?.iter().find_map(|error| {
        let at = format!("f-{}", error["at"].as_str()?);
        (at == id || at.starts_with(&inside)).then(|| plain(&error["message"]))
    })
}

/// The choices of a field: a list of `value`, `label` and `hint`, or the words `of` a group named `words`.
fn options(words: &Value, about: &Map<String, Value>, typed: &[String]) -> Value {
    let id = about.get("id").map(plain).unwrap_or_default();
    let group = about.get("words").map(plain).unwrap_or_default();
    let listed: Vec<(String, String, Option<String>)> = match about.get("options") {
        Some(Value::Array(list)) => list
            .iter()
            .map(|o| {
                let hint = o.get("hint").filter(|h| !h.is_null()).map(plain);
                (plain(&o["value"]), plain(&o["label"]), hint)
            })
            .collect(),
        Some(_) | None => about
            .get("of")
            .map(plain)
            .unwrap_or_default()
            .split_whitespace()
            .map(|key| {
                let label = said(words, &group, key).unwrap_or_else(|| format!("[{group}.{key}]"));
                (
                    key.to_owned(),
                    label,
                    said(words, &group, &format!("{key}_hint")),
                )
            })
            .collect(),
    };
    listed
        .into_iter()
        .enumerate()
        .map(|(i, (value, label, hint))| {
            // The first choice has the id of the field, so that the summary of errors leads there.
            let own = if i == 0 {
                id.clone()
            } else {
                format!("{id}-{i}")
            };
            let chosen = typed.contains(&value);
            json!({ "value": value, "label": label, "hint": hint, "id": own, "chosen": chosen })
        })
        .collect()
}

/// A form that changes something: it shows that it is ours, happens once however often its button is pressed, and says
/// what its reader saw.
struct Form;

impl HelperDef for Form {
    fn call<'reg: 'rc, 'rc>(
        &self,
        h: &Helper<'rc>,
        r: &'reg Handlebars<'reg>,
        ctx: &'rc Context,
        rc: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let said = |key: &str| {
            h.hash_get(key)
                .map(|v| plain(v.value()))
                .unwrap_or_default()
        };
        let (here, action) = (&ctx.data()["here"], said("action"));
        let once = hash_of_bytes(format!("{}{action}", plain(&here["once"])).as_bytes());
        let class = if said("class").is_empty() {
            "form".to_owned()
        } else {
            said("class")
        };
        let upload = if said("file").is_empty() {
            ""
        } else {
            " enctype=\"multipart/form-data\""
        };
        out.write(&format!(
            "<form method=\"post\" action=\"{}\" class=\"{}\"{upload} novalidate>",
            escaped(&action),
            escaped(&class)
        ))?;
        let seen = h
            .hash_get("seen")
            .map_or_else(|| plain(&ctx.data()["seen"]), |v| plain(v.value()));
        for (name, value) in [
            ("_csrf", plain(&here["csrf"])),
            ("_once", once[..32].to_owned()),
            ("_seen", seen),
        ] {
            if !value.is_empty() {
                out.write(&format!(
                    "<input type=\"hidden\" name=\"{name}\" value=\"{}\">",
                    escaped(&value)
                ))?;
            }
        }
        if let Some(inside) = h.template() {
            inside.render(r, ctx, rc, out)?;
        }
        out.write("</form>")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(template: &str, data: &Value) -> String {
        let mut templates = Handlebars::new();
        templates.set_strict_mode(true);
        let words = "[calendar]\nweekdays = ['Mon','Tue','Wed','Thu','Friday','Sat','Sun']\nmonths = ['Jan','Feb','Mar','Apr','May','Jun','Jul','Aug','Sep','Oct','November','Dec']\n[answer]\nyes = 'Yes'";
        register(&mut templates, words.parse().expect("words"));
        for (name, text) in [
            (
                "parts/fields/text",
                "{{id}}={{value}}{{#if wrong}}!{{error}}{{/if}}",
            ),
            (
                "parts/fields/radios",
                "{{#each options}}{{id}}:{{label}}{{#if chosen}}*{{/if}};{{/each}}",
            ),
        ] {
            templates
                .register_template_string(name, text)
                .expect("a part");
        }
        templates.render_template(template, data).expect("rendered")
    }

    #[test]
    fn what_people_wrote_is_never_markup() {
        let data = json!({ "said": "<script>alert(1)</script>\n\n{{7*7}} & \"quoted\"\nline" });
        assert_eq!(
            rendered("{{prose said}}", &data),
            "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p><p>{{7*7}} &amp; &quot;quoted&quot;<br>line</p>"
        );
    }

    #[test]
    fn dates_are_written_as_people_write_them() {
        let data = json!({ "at": "2026-11-27T16:10:00.000000Z", "summer": "2027-07-02T11:00:00Z", "day": "2026-11-27" });
        assert_eq!(
            rendered("{{moment at}}", &data),
            "<time datetime=\"2026-11-27T16:10:00Z\">Friday 27 November 2026, 4:10pm</time>"
        );
        assert!(rendered("{{clock summer}}", &data).contains("12 noon"));
        assert_eq!(
            rendered("{{short_day day \"2026-01-01\"}}", &data),
            "<time datetime=\"2026-11-27\">27 November</time>"
        );
    }

    #[test]
    fn a_field_knows_what_was_typed_and_what_is_wrong() {
        let data = json!({ "values": { "terms.what!": ["<b>"], "answer": ["yes"] }, "errors": [{ "at": "terms-what", "message": "please" }], "stale": false });
        assert_eq!(
            rendered("{{text name=\"terms.what!\" label=\"x\"}}", &data),
            "f-terms-what=&lt;b&gt;!please"
        );
        assert_eq!(
            rendered(
                "{{radios name=\"answer\" label=\"x\" words=\"answer\" of=\"yes\"}}",
                &data
            ),
            "f-answer:Yes*;"
        );
    }
}
