//! The people most stories need, and the steps most stories begin with.
use common_ground::domain::people::Role;
use serde_json::{Value, json};

use crate::support::{App, CANARY, Person};

/// A coordinator, two facilitators, and two LEROs with a lead and a member each.
pub struct Cast<'a> {
    pub app: &'a App,
    pub coordinator: Person<'a>,
    pub facilitator: Person<'a>,
    pub other_facilitator: Person<'a>,
    pub initiating: String,
    pub invited: String,
    pub initiating_lead: Person<'a>,
    pub initiating_member: Person<'a>,
    pub invited_lead: Person<'a>,
    pub invited_member: Person<'a>,
}

impl<'a> Cast<'a> {
    pub fn new(app: &'a App) -> Self {
        let coordinator = app.staff("Cora Dell", &[Role::Coordinator]);
        let facilitator = app.staff("Fay Lund", &[Role::Facilitator]);
        let other_facilitator = app.staff("Finn Moss", &[Role::Facilitator]);
        let initiating = app.lero(&coordinator, "Alder Room", "england");
        let invited = app.lero(&coordinator, "Birch Table", "scotland");
        let initiating_lead = app.member(&coordinator, &initiating, "Ada Alder", true);
        let initiating_member = app.member(&initiating_lead, &initiating, "Abe Alder", false);
        let invited_lead = app.member(&coordinator, &invited, "Bea Birch", true);
        let invited_member = app.member(&invited_lead, &invited, "Bob Birch", false);
        Self {
            app,
            coordinator,
            facilitator,
            other_facilitator,
            initiating,
            invited,
            initiating_lead,
            initiating_member,
            invited_lead,
            invited_member,
        }
    }

    /// What somebody might send, with a word in every text that must not turn up where it does not belong.
    pub fn statement(first_contact: &str) -> Value {
        json!({
            "grounds": ["locality_overlap"], "localities": ["E07000128"], "about": format!("Two drop-ins on one street. {CANARY}"), "valued_in_the_other": format!("Their patience. {CANARY}"),
            "tried": format!("Coffee. {CANARY}"), "good_outcome": format!("Nobody has to choose. {CANARY}"), "contact": "phone", "access_needs": format!("A room without stairs. {CANARY}"),
            "authority": { "stated": true, "post": "Chair" }, "first_contact": first_contact, "summary_for_the_other": "Could we talk about mornings?", "personal_data_notice_read": true,
        })
    }

    pub fn drafted(&self, first_contact: &str) -> String {
        let body = json!({ "organisation": self.initiating, "draft": { "with": [self.invited], "statement": Self::statement(first_contact) } });
        self.initiating_lead
            .post("/api/v1/cases", &body)
            .expect(201)
            .body["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    pub fn submitted(&self, first_contact: &str) -> String {
        let case = self.drafted(first_contact);
        self.initiating_lead
            .did(&case, json!({ "event": "submit" }));
        case
    }

    pub fn with_facilitator(&self, first_contact: &str) -> String {
        let case = self.submitted(first_contact);
        self.coordinator
            .did(&case, json!({ "event": "screen", "result": "suitable" }));
        self.coordinator.did(
            &case,
            json!({ "event": "assign_facilitator", "person": self.facilitator.id }),
        );
        self.facilitator.did(&case, accepting());
        case
    }

    pub fn in_conversation(&self) -> String {
        let case = self.with_facilitator("share_all");
        self.coordinator.did(&case, json!({ "event": "invite" }));
        self.coordinator
            .did(&case, json!({ "event": "accept_intake" }));
        case
    }

    /// A second case at the same stage, about another matter.
    pub fn in_conversation_again(&self) -> String {
        let mut statement = Self::statement("share_all");
        statement["grounds"] = json!(["collaboration"]);
        let body = json!({ "organisation": self.initiating, "draft": { "with": [self.invited], "statement": statement } });
        let case = self
            .initiating_lead
            .post("/api/v1/cases", &body)
            .expect(201)
            .body["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        self.initiating_lead
            .did(&case, json!({ "event": "submit" }));
        self.coordinator
            .did(&case, json!({ "event": "screen", "result": "suitable" }));
        self.coordinator.did(
            &case,
            json!({ "event": "assign_facilitator", "person": self.facilitator.id }),
        );
        self.facilitator.did(&case, accepting());
        self.coordinator.did(&case, json!({ "event": "invite" }));
        self.coordinator
            .did(&case, json!({ "event": "accept_intake" }));
        case
    }

    pub fn in_review(&self) -> String {
        let case = self.in_conversation();
        self.invited_lead
            .did(&case, json!({ "event": "respond", "answer": "take_part" }));
        self.initiating_lead
            .did(&case, json!({ "event": "agree_to_talk" }));
        self.invited_lead
            .did(&case, json!({ "event": "agree_to_talk" }));
        self.facilitator.did(&case, json!({ "event": "log_session", "session": { "on": self.today(), "way": "video", "who_came": "both", "minutes": 60 } }));
        self.facilitator
            .did(&case, json!({ "event": "begin_standards_review" }));
        case
    }

    pub fn in_actions(&self) -> String {
        let case = self.in_review();
        self.reads(&self.initiating_lead, &case, "in_place");
        self.reads(&self.invited_lead, &case, "partly");
        self.facilitator.did(&case, joint_reading());
        self.initiating_lead
            .did(&case, json!({ "event": "confirm_joint_reading" }));
        self.invited_lead
            .did(&case, json!({ "event": "confirm_joint_reading" }));
        self.facilitator
            .did(&case, json!({ "event": "begin_agreed_actions" }));
        case
    }

    pub fn in_force(&self) -> String {
        let case = self.in_actions();
        self.initiating_lead
            .did(&case, self.proposal(&self.initiating, "cooperation"));
        self.invited_lead
            .did(&case, self.proposal(&self.invited, "community_benefit"));
        self.facilitator.did(&case, json!({ "event": "circulate" }));
        self.initiating_lead
            .did(&case, json!({ "event": "accept_agreement" }));
        self.invited_lead
            .did(&case, json!({ "event": "accept_agreement" }));
        self.facilitator
            .did(&case, json!({ "event": "conclude_agreement" }));
        case
    }

    pub fn today(&self) -> String {
        use common_ground::domain::time::Clock;
        self.app.clock.now().london_day().to_string()
    }

    /// Writes a side's reading and shares it.
    pub fn reads(&self, who: &Person, case: &str, view: &str) {
        let path = format!("/api/v1/cases/{case}/reading");
        let tag = who.get(&path).expect(200).tag.expect("a tag");
        who.put(&path, &reading(view), &tag).expect(200);
        who.did(case, json!({ "event": "share_reading" }));
    }

    pub fn proposal(&self, owner: &str, priority: &str) -> Value {
        json!({ "event": "propose_action", "terms": { "owner": owner, "what": format!("Open the Tuesday group to both. {CANARY}"), "when": { "by": "2027-06-30" }, "priorities": [priority], "benefit": format!("One welcome. {CANARY}") } })
    }
}

pub fn accepting() -> Value {
    json!({ "event": "accept_appointment", "acceptance": { "available": true, "impartial": true, "will_disclose_changes": true } })
}

pub fn reading(view: &str) -> Value {
    let entry = json!({ "view": view, "in_place": format!("The board. {CANARY}") });
    json!({ "entries": { "1": entry, "2": entry, "5": entry, "13": entry, "28": entry }, "offices": { "chair": "yes", "chief_executive": "prefer_not_to_say" } })
}

pub fn joint_reading() -> Value {
    let minute =
        |theme: &str| json!({ "theme": theme, "held_in_common": format!("Both. {CANARY}") });
    json!({ "event": "record_joint_reading", "minutes": [minute("authenticity"), minute("independence"), minute("lived_experience_leadership")] })
}
