//! Walking through the demo's story: people who do things, and a clock that is turned between them.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Duration;
use serde_json::{Value, json};

use super::{DemoError, DemoPerson, PASSWORD};
use crate::casework::Desk;
use crate::casework::act::{Request, Tags};
use crate::casework::challenge::Answer;
use crate::casework::documents::{NewDocument, Place};
use crate::casework::door::Entry;
use crate::casework::meetings::Change;
use crate::casework::members::NewMember;
use crate::casework::people::NewPerson;
use crate::casework::rooms::NewMessage;
use crate::casework::signin::{Browser, Credential, secret};
use crate::domain::conversation::Way;
use crate::domain::hash::{hash_of_bytes, tag_of};
use crate::domain::id::{BrowserId, CaseId, OrganisationId, PersonId};
use crate::domain::meeting::{
    AnswerTimes, ChooseTime, MeetingSight, Proposal, ProposedTime, Suits,
};
use crate::domain::people::Role;
use crate::domain::review::Reading;
use crate::domain::room::Room;
use crate::domain::text::{EmailAddress, Line, Password, Prose};
use crate::domain::time::{Clock, HandClock, Moment};
use crate::jobs::courier::Courier;
use crate::jobs::{notice_time, sweep};
use crate::mail::mailer::Mailer;
use crate::store::db::{Conn, DbError};
use crate::store::sessions::{self, Trusted};
use crate::web::api::cases::command;

struct Somebody {
    name: String,
    email: EmailAddress,
    roles: Vec<String>,
    organisation: Option<&'static str>,
    id: PersonId,
    caller: Credential,
}

/// The story so far.
pub struct Walk {
    pub desk: Desk,
    clock: Arc<HandClock>,
    courier: Courier,
    letters: Arc<Mutex<Vec<Vec<u8>>>>,
    people: Vec<Somebody>,
    organisations: BTreeMap<&'static str, OrganisationId>,
}

fn failed(what: &str) -> impl Fn(String) -> DemoError {
    let what = what.to_owned();
    move |why| DemoError::Step(what.clone(), why)
}

fn step<T, E: std::fmt::Debug>(what: &str, done: Result<T, E>) -> Result<T, DemoError> {
    done.map_err(|e| failed(what)(format!("{e:?}")))
}

impl Walk {
    pub fn new(desk: Desk, clock: Arc<HandClock>) -> Self {
        let letters = Arc::new(Mutex::new(Vec::new()));
        Self {
            desk,
            clock,
            courier: Courier::new(Mailer::Memory(letters.clone())),
            letters,
            people: Vec::new(),
            organisations: BTreeMap::new(),
        }
    }

    /// Lets days go by: couriers and clocks do their work on each of them, and the next step is taken in the morning.
    pub async fn days(&mut self, days: i64) -> Result<(), DemoError> {
        for _ in 0..days {
            let morning = (self.clock.now().0.date_naive() + Duration::days(1))
                .and_hms_opt(9, 20, 0)
                .ok_or_else(|| failed("a morning")("there is none".to_owned()))?;
            self.clock.advance(morning.and_utc() - self.clock.now().0);
            self.work().await?;
        }
        Ok(())
    }

    /// Lets a few minutes go by.
    pub async fn minutes(&mut self, minutes: i64) -> Result<(), DemoError> {
        self.clock.advance(Duration::minutes(minutes));
        self.work().await
    }

    /// Lives on until `now`.
    pub async fn until(&mut self, now: Moment) -> Result<(), DemoError> {
        let left = (now.0.date_naive() - self.clock.now().0.date_naive()).num_days();
        self.days((left - 1).max(0)).await
    }

    async fn work(&mut self) -> Result<(), DemoError> {
        step("deadlines", notice_time(&self.desk).await)?;
        step("letters", self.courier.deliver_due(&self.desk).await)?;
        step("sweep", sweep(&self.desk).await).map(|_| ())
    }

    fn of(&self, name: &str) -> Result<&Somebody, DemoError> {
        self.people
            .iter()
            .find(|p| p.name == name)
            .ok_or_else(|| failed(name)("is not in the story".to_owned()))
    }

    /// The id of somebody in the story.
    pub fn person(&self, name: &str) -> Result<PersonId, DemoError> {
        Ok(self.of(name)?.id)
    }

    /// The credential of somebody in the story.
    pub fn caller(&self, name: &str) -> Result<Credential, DemoError> {
        Ok(self.of(name)?.caller.clone())
    }

    /// The id of an organisation in the story.
    pub fn organisation(&self, name: &str) -> Result<OrganisationId, DemoError> {
        self.organisations
            .get(name)
            .copied()
            .ok_or_else(|| failed(name)("is not in the register".to_owned()))
    }

    pub fn remember(&mut self, name: &'static str, id: OrganisationId) {
        self.organisations.insert(name, id);
    }

    /// Somebody of CLERO.
    pub async fn staff(&mut self, name: &str, role: Role) -> Result<(), DemoError> {
        let (line, email) = who(name, "clero.example")?;
        let person = step(
            name,
            self.desk
                .add_person_by_operator(NewPerson {
                    name: line,
                    email: email.clone(),
                    roles: [role].into(),
                })
                .await,
        )?;
        let code = step(name, self.desk.invite_by_operator(email.clone()).await)?;
        self.arrives(name, &email, code).await?;
        let token = step(
            name,
            self.desk
                .issue_token_by_operator(email.clone(), Some(3650))
                .await,
        )?;
        self.people.push(Somebody {
            name: name.to_owned(),
            email,
            roles: vec![role.word().to_owned()],
            organisation: None,
            id: person.id,
            caller: Credential::bearer(&token.token),
        });
        Ok(())
    }

    /// Somebody of an organisation, who is invited and takes the invitation up with the code from the letter.
    pub async fn member(
        &mut self,
        name: &str,
        organisation: &'static str,
        lead: bool,
        invited_by: &str,
    ) -> Result<(), DemoError> {
        let host = format!("{}.example", organisation.to_lowercase().replace(' ', "-"));
        let (line, email) = who(name, &host)?;
        let (by, place) = (self.caller(invited_by)?, self.organisation(organisation)?);
        let membership = step(
            name,
            self.desk
                .invite_member(
                    by,
                    place,
                    NewMember {
                        name: line,
                        email: email.clone(),
                        lead,
                    },
                    None,
                )
                .await,
        )?;
        self.minutes(40).await?;
        let code = self
            .code_for(&email)
            .ok_or_else(|| failed(name)("got no letter with a code".to_owned()))?;
        self.arrives(name, &email, code).await?;
        // The story lasts longer than a usual token.
        let lasting = step(
            name,
            self.desk
                .issue_token_by_operator(email.clone(), Some(3650))
                .await,
        )?;
        let role = if lead { "lead" } else { "member" };
        self.people.push(Somebody {
            name: name.to_owned(),
            email,
            roles: vec![role.to_owned()],
            organisation: Some(organisation),
            id: membership.person,
            caller: Credential::bearer(&lasting.token),
        });
        Ok(())
    }

    /// Somebody takes up an invitation and chooses a password.
    async fn arrives(
        &self,
        name: &str,
        email: &EmailAddress,
        code: String,
    ) -> Result<(), DemoError> {
        let password = step(name, Password::parse(PASSWORD))?;
        let arrived = self
            .desk
            .take_up_invitation(email.clone(), code, password, Browser::default())
            .await;
        step(name, arrived).map(|_| ())
    }

    /// Somebody signs in with password and code: a session that counts as fresh, as signing needs it.
    async fn signed_in(&mut self, name: &str) -> Result<Credential, DemoError> {
        let email = self.of(name)?.email.clone();
        let password = step(name, Password::parse(PASSWORD))?;
        let entry = self
            .desk
            .sign_in(email.clone(), password, Browser::default())
            .await;
        let Entry::Code { cookie, .. } = step(name, entry)? else {
            return Err(failed(name)("was not asked for a code".to_owned()));
        };
        self.work().await?;
        let code = self
            .code_for(&email)
            .ok_or_else(|| failed(name)("got no letter with a code".to_owned()))?;
        let browser = Browser {
            challenge: Some(hash_of_bytes(cookie.as_bytes())),
            ..Browser::default()
        };
        let new = self
            .desk
            .sign_in_with_code(Answer::Code(code), false, browser)
            .await;
        Ok(Credential::session(&step(name, new)?.secret))
    }

    fn code_for(&self, email: &EmailAddress) -> Option<String> {
        let letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        letters
            .iter()
            .rev()
            .map(|octets| String::from_utf8_lossy(octets).into_owned())
            .filter(|l| l.contains(email.as_str()))
            .find_map(|letter| {
                let mut lines = letter
                    .lines()
                    .skip_while(|l| !l.starts_with("Your code is:"))
                    .skip(1)
                    .map(str::trim)
                    .filter(|l| !l.is_empty());
                lines.next().map(str::to_owned)
            })
    }

    /// Begins a draft.
    pub async fn draft(
        &mut self,
        name: &str,
        organisation: &str,
        with: &[&str],
        statement: Value,
    ) -> Result<CaseId, DemoError> {
        let with = with
            .iter()
            .map(|o| self.organisation(o))
            .collect::<Result<_, _>>()?;
        let draft = crate::domain::action::SaveDraft {
            together_with: Default::default(),
            with,
            statement: serde_json::from_value(statement)?,
        };
        let new = crate::casework::open::NewDraft {
            organisation: self.organisation(organisation)?,
            draft,
            on_behalf_of: None,
        };
        let sight = step(
            "a draft",
            self.desk.open(self.caller(name)?, new, None).await,
        )?;
        self.minutes(20).await?;
        Ok(sight.brief.id)
    }

    /// Takes a step of the procedure, as `name`, having read the case and what can be answered.
    pub async fn act(
        &mut self,
        name: &str,
        case: CaseId,
        mut body: Value,
    ) -> Result<(), DemoError> {
        let caller = if body["event"] == "accept_agreement" {
            self.signed_in(name).await?
        } else {
            self.caller(name)?
        };
        let what = format!("{name}, {}", body["event"]);
        let seen = step(&what, self.desk.case(caller.clone(), case).await)?;
        let open = step(
            &what,
            self.desk.available_events(caller.clone(), case).await,
        )?;
        if let Some(hash) = open
            .items
            .iter()
            .find(|a| body["event"] == a.event.word())
            .and_then(|a| a.answers.clone())
        {
            body["answers"] = json!(hash);
        }
        let request = Request {
            caller,
            case,
            asked: step(&what, command(body))?,
            if_match: Some(Tags::These(vec![tag_of(&seen)])),
            key: None,
        };
        step(&what, self.desk.act(request).await)?;
        self.minutes(15).await
    }

    /// Says something in a room.
    pub async fn say(
        &mut self,
        name: &str,
        case: CaseId,
        room: Room,
        text: &str,
    ) -> Result<(), DemoError> {
        let new = NewMessage {
            text: step(name, Prose::parse(text))?,
            corrects: None,
            on_behalf_of: None,
        };
        let caller = self.caller(name)?;
        step(name, self.desk.say(caller, (case, room), new, None).await).map(|_| ())
    }

    /// Lays down a document in a room.
    pub async fn lay(
        &mut self,
        name: &str,
        case: CaseId,
        room: Room,
        file: &str,
        words: &str,
    ) -> Result<(), DemoError> {
        let new = NewDocument {
            name: file.to_owned(),
            octets: words.as_bytes().to_vec(),
            note: None,
            supersedes: None,
        };
        let caller = self.caller(name)?;
        let place = Place { case, room };
        step(name, self.desk.add_document(caller, place, new, None).await).map(|_| ())
    }

    /// Proposes times for a meeting, some days from now at ten in the morning.
    pub async fn propose_meeting(
        &mut self,
        name: &str,
        case: CaseId,
        (room, way, place): (Room, Way, &str),
        in_days: &[i64],
    ) -> Result<MeetingSight, DemoError> {
        let ten = |days: &i64| {
            let day = self.clock.now().london_day() + Duration::days(*days);
            format!("{day}T10:00")
                .parse()
                .map(|start| ProposedTime { start, minutes: 90 })
        };
        let said = Proposal {
            room,
            way,
            place: Some(step(name, Prose::parse(place))?),
            note: None,
            times: step(name, in_days.iter().map(ten).collect::<Result<_, _>>())?,
        };
        let caller = self.caller(name)?;
        let made = step(
            name,
            self.desk.propose_meeting(caller, case, said, None).await,
        )?;
        self.minutes(30).await?;
        Ok(made)
    }

    /// Says that the first of the times suits, and the others if needed.
    pub async fn answer_meeting(
        &mut self,
        name: &str,
        case: CaseId,
        meeting: &MeetingSight,
        access_needs: Option<&str>,
    ) -> Result<(), DemoError> {
        let suits = |n: usize| if n == 0 { Suits::Yes } else { Suits::IfNeeded };
        let times = meeting.times.iter().enumerate();
        let answer = Change::Answer(AnswerTimes {
            times: times.map(|(n, time)| (time.id, suits(n))).collect(),
            access_needs: access_needs
                .map(|needs| step(name, Prose::parse(needs)))
                .transpose()?,
        });
        let (caller, place) = (self.caller(name)?, (case, meeting.id));
        let done = self.desk.change_meeting(caller, place, answer, None, None);
        step(name, done.await)?;
        self.minutes(45).await
    }

    /// Sets the first of the times.
    pub async fn set_meeting(
        &mut self,
        name: &str,
        case: CaseId,
        meeting: &MeetingSight,
    ) -> Result<(), DemoError> {
        let first = meeting.times.first();
        let choice = Change::Confirm(ChooseTime {
            time: first
                .ok_or_else(|| failed(name)("there is no time".to_owned()))?
                .id,
            place: None,
        });
        let (caller, place) = (self.caller(name)?, (case, meeting.id));
        let done = self
            .desk
            .change_meeting(caller, place, choice, Some(Tags::Any), None);
        step(name, done.await)?;
        self.minutes(15).await
    }

    /// Writes and shares a side's reading.
    pub async fn share_reading(
        &mut self,
        name: &str,
        case: CaseId,
        reading: Value,
    ) -> Result<(), DemoError> {
        let caller = self.caller(name)?;
        let reading: Reading = serde_json::from_value(reading)?;
        step(
            name,
            self.desk
                .save_reading(caller, case, reading, Some(Tags::Any), None)
                .await,
        )?;
        self.act(name, case, json!({ "event": "share_reading" }))
            .await
    }

    /// Everybody, with a token that lasts.
    pub async fn people(&self) -> Result<Vec<DemoPerson>, DemoError> {
        let mut all = Vec::new();
        for p in &self.people {
            let token = step(
                &p.name,
                self.desk
                    .issue_token_by_operator(p.email.clone(), Some(3650))
                    .await,
            )?;
            let browser = step(&p.name, self.trusted(p.id).await)?;
            all.push(DemoPerson {
                browser,
                name: p.name.clone(),
                email: p.email.as_str().to_owned(),
                roles: p.roles.clone(),
                organisation: p.organisation.map(str::to_owned),
                token: token.token,
            });
        }
        Ok(all)
    }

    /// A browser that somebody trusts, for the demo's front door: no letter speaks of it, and it lasts as the tokens do.
    async fn trusted(&self, person: PersonId) -> Result<String, DbError> {
        let (key, now) = (secret(), self.clock.now());
        let trusted = Trusted {
            id: BrowserId::random(),
            browser: "The demo's front door".to_owned(),
            created_at: now,
            expires_at: now.plus(Duration::days(3650)),
        };
        let hash = hash_of_bytes(key.as_bytes());
        let kept = move |conn: &mut Conn| sessions::trust(conn, person, &trusted, &hash);
        self.desk.db.write(kept).await?;
        Ok(key)
    }

    /// Puts every letter of the story where the demo's letters appear.
    pub fn keep_letters(&self, folder: &Mailer, from: &EmailAddress) {
        for (n, octets) in self
            .letters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .enumerate()
        {
            folder.deliver(
                from,
                "",
                &format!("story-{:04}", n + 1),
                octets,
                &mut || true,
            );
        }
    }
}

fn who(name: &str, host: &str) -> Result<(Line, EmailAddress), DemoError> {
    let address = format!(
        "{}@{host}",
        name.to_lowercase().replace(' ', ".").replace('\'', "")
    );
    Ok((
        step(name, Line::parse(name))?,
        step(name, EmailAddress::parse(&address))?,
    ))
}
