//! A walk over every page as every kind of person: nothing answers 5xx, every page is a whole page with a title and one
//! first heading, what needs signing in leads to the door, and what is sent without the page's own token changes nothing.
use common_ground::domain::people::Role;
use common_ground::web::pages::places;
use common_ground::web::routes::Who;

use crate::cast::Cast;
use crate::on_both;
use crate::support::App;
use crate::support::pages::Reader;

const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// An address with something in every gap.
fn filled(path: &str, cast: &Cast, case: &str) -> String {
    let gaps = [
        ("{case}", case),
        ("{organisation}", cast.initiating.as_str()),
        ("{person}", cast.facilitator.id.as_str()),
        ("{room}", "joint"),
        ("{event}", "hold"),
        ("{question}", "what"),
        ("{part}", "1"),
        ("{code}", "E07000128"),
        ("{letter}", "case_paused"),
        ("{slug}", "stale"),
    ];
    let known = gaps
        .iter()
        .fold(path.to_owned(), |path, (gap, with)| path.replace(gap, with));
    let mut out = String::new();
    for piece in known.split('/').filter(|p| !p.is_empty()) {
        out.push('/');
        out.push_str(if piece.starts_with('{') {
            UNKNOWN
        } else {
            piece
        });
    }
    if out.is_empty() { "/".to_owned() } else { out }
}

on_both! {
    fn every_page_answers_every_kind_of_person(app: &App) {
        let cast = Cast::new(app);
        let case = cast.in_review();
        let staff = [app.staff("Ad Min", &[Role::Administrator]), app.staff("Au Dit", &[Role::Auditor])];
        let people = [
            ("initiating", Reader::with(cast.initiating_lead.fresh())), ("invited", Reader::with(cast.invited_member.fresh())), ("facilitator", Reader::with(cast.facilitator.fresh())),
            ("not on this case", Reader::with(cast.other_facilitator.fresh())), ("coordinator", Reader::with(cast.coordinator.fresh())),
            ("administrator", Reader::with(staff[0].fresh())), ("auditor", Reader::with(staff[1].fresh())), ("nobody", Reader::new(app)),
        ];
        for place in places() {
            let path = filled(place.path, &cast, &case);
            for (name, who) in &people {
                if place.shows() {
                    let page = who.page(&path);
                    assert!(page.status < 500, "{path} as {name}: {}", page.text);
                    let for_people = !path.ends_with("openapi.json") && !path.ends_with("/content") && !path.ends_with("/html");
                    if for_people {
                        assert_eq!(page.text.matches("<h1").count(), 1, "{path} as {name}: {}", page.text);
                        assert!(!page.text.contains("[step_") && !page.title().is_empty(), "{path} as {name}");
                    }
                    if *name == "nobody" && place.who == Who::SignedIn {
                        assert!(page.path.starts_with("/sign-in"), "{path} leads nobody to {}", page.path);
                    }
                }
                if place.takes() && place.who == Who::SignedIn {
                    let sent = who.post(&path, &[("about".to_owned(), "anything".to_owned())]);
                    assert!((400..500).contains(&sent.status), "{path} as {name}: {} {}", sent.status, sent.text);
                }
            }
        }
    }
}
