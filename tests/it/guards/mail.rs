//! The courier against a relay that behaves as relays do: takes letters, says "later", says "never", drops the line.
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Duration;
use common_ground::jobs::courier::Courier;
use common_ground::mail::mailer::{Mailer, Relay};
use serde_json::json;

use crate::cast::Cast;
use crate::support::App;

/// What the relay says to the next letters, in turn; then it takes everything.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Take,
    LaterAtRcpt,
    NeverAtRcpt,
    SenderAtRcpt,
    DropAfterDot,
    Shut,
}

#[derive(Clone, Default)]
struct Sink {
    moods: Arc<Mutex<Vec<Mood>>>,
    taken: Arc<Mutex<Vec<String>>>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Sink {
    fn begin(moods: &[Mood]) -> (Self, u16) {
        let sink = Self {
            moods: Arc::new(Mutex::new(moods.to_vec())),
            ..Self::default()
        };
        let door = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = door.local_addr().expect("an address").port();
        let inside = sink.clone();
        std::thread::spawn(move || {
            for line in door.incoming().flatten() {
                inside.serve(line);
            }
        });
        (sink, port)
    }

    fn serve(&self, mut line: TcpStream) {
        let mood = {
            let mut moods = self.moods.lock().unwrap_or_else(PoisonError::into_inner);
            if moods.is_empty() {
                Mood::Take
            } else {
                moods.remove(0)
            }
        };
        if mood == Mood::Shut {
            return;
        }
        let mut heard = BufReader::new(line.try_clone().expect("a line"));
        let mut say = |words: &str| line.write_all(format!("{words}\r\n").as_bytes()).is_ok();
        say("220 sink");
        let mut word = String::new();
        while {
            word.clear();
            heard.read_line(&mut word).is_ok_and(|n| n > 0)
        } {
            let verb = word
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_uppercase();
            match verb.as_str() {
                "RCPT" if mood == Mood::LaterAtRcpt => {
                    say("451 4.7.1 greylisted, come back");
                }
                "RCPT" if mood == Mood::NeverAtRcpt => {
                    say("550 5.1.1 nobody of that name");
                }
                "RCPT" if mood == Mood::SenderAtRcpt => {
                    say("553 5.7.1 <a@x.example>: Sender address rejected: not owned by user");
                }
                "DATA" => {
                    say("354 go on");
                    let mut letter = String::new();
                    while {
                        word.clear();
                        heard.read_line(&mut word).is_ok_and(|n| n > 0) && word != ".\r\n"
                    } {
                        letter.push_str(&word);
                    }
                    self.seen
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(letter.clone());
                    if mood == Mood::DropAfterDot {
                        return;
                    }
                    self.taken
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(letter);
                    say("250 2.0.0 taken");
                }
                "QUIT" => {
                    say("221 bye");
                    return;
                }
                _other => {
                    say("250 ok");
                }
            }
        }
    }

    fn taken(&self) -> Vec<String> {
        self.taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn courier(port: u16) -> Courier {
    Courier::new(Mailer::Smtp(Box::new(
        Relay::parse(&format!("smtp://127.0.0.1:{port}?tls=off"), None).expect("a relay"),
    )))
}

/// A case with one letter on its way to a member of the invited side.
fn one_letter(app: &App) {
    let cast = Cast::new(app);
    app.work();
    cast.initiating_lead
        .post(
            &format!("/api/v1/organisations/{}/members", cast.initiating),
            &json!({ "name": "Zoë Ash", "email": "zoe@alder.example" }),
        )
        .expect(201);
}

#[test]
fn a_letter_arrives_whole_over_smtp() {
    let app = App::on_sqlite();
    one_letter(&app);
    let (sink, port) = Sink::begin(&[]);
    assert_eq!(
        app.wait(courier(port).deliver_due(&app.desk))
            .expect("delivered"),
        1
    );
    let letter = sink.taken().pop().expect("a letter");
    for part in [
        "Auto-Submitted: auto-generated",
        "Content-Type: multipart/alternative",
        "text/plain",
        "text/html",
        "Reply-To: people@clero.example",
    ] {
        assert!(letter.contains(part), "{part}");
    }
}

#[test]
fn greylisting_waits_and_tries_again_with_the_same_octets() {
    let app = App::on_sqlite();
    one_letter(&app);
    let (sink, port) = Sink::begin(&[Mood::LaterAtRcpt]);
    let mut courier = courier(port);
    assert_eq!(app.wait(courier.deliver_due(&app.desk)).expect("tried"), 0);
    assert_eq!(
        app.wait(courier.deliver_due(&app.desk)).expect("not yet"),
        0
    );
    app.clock.advance(Duration::minutes(6));
    assert_eq!(
        app.wait(courier.deliver_due(&app.desk)).expect("delivered"),
        1
    );
    assert_eq!(sink.taken().len(), 1);
}

#[test]
fn an_address_nobody_has_ends_the_letter_and_a_person_is_told_of_it() {
    let app = App::on_sqlite();
    one_letter(&app);
    let (_, port) = Sink::begin(&[Mood::NeverAtRcpt]);
    app.wait(courier(port).deliver_due(&app.desk))
        .expect("tried");
    let coordinator = app.staff(
        "Cor Two",
        &[common_ground::domain::people::Role::Coordinator],
    );
    let dead = coordinator
        .get("/api/v1/letters?state=could_not_be_delivered")
        .expect(200)
        .body;
    assert_eq!(dead["items"].as_array().map(Vec::len), Some(1));
    let tasks = coordinator.get("/tasks").expect(200).text;
    assert!(tasks.contains("Letters did not reach them"), "{tasks}");
}

#[test]
fn a_refusal_that_means_us_ends_no_letter() {
    let app = App::on_sqlite();
    one_letter(&app);
    let (sink, port) = Sink::begin(&[Mood::SenderAtRcpt]);
    let mut courier = courier(port);
    app.wait(courier.deliver_due(&app.desk)).expect("tried");
    let coordinator = app.staff(
        "Cor Two",
        &[common_ground::domain::people::Role::Coordinator],
    );
    let waiting = coordinator
        .get("/api/v1/letters?state=sending")
        .expect(200)
        .body;
    let letter = &waiting["items"][0];
    assert_eq!(letter["answer"], "553 5.7.1");
    assert!(letter["next_at"].is_string(), "{letter}");
    app.clock.advance(Duration::minutes(6));
    app.wait(courier.deliver_due(&app.desk)).expect("delivered");
    assert_eq!(sink.taken().len(), 1);
}

#[test]
fn a_line_that_breaks_after_the_dot_sends_the_same_letter_once_more() {
    let app = App::on_sqlite();
    one_letter(&app);
    let (sink, port) = Sink::begin(&[Mood::DropAfterDot]);
    let mut courier = courier(port);
    assert_eq!(app.wait(courier.deliver_due(&app.desk)).expect("tried"), 0);
    app.clock.advance(Duration::minutes(11));
    assert_eq!(
        app.wait(courier.deliver_due(&app.desk)).expect("delivered"),
        1
    );
    let seen = sink
        .seen
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    assert_eq!(
        (seen.len(), seen.first() == seen.last()),
        (2, true),
        "the same octets, Message-ID and Date"
    );
}

#[test]
fn a_relay_that_is_down_costs_letters_nothing() {
    let app = App::on_sqlite();
    one_letter(&app);
    let (sink, port) = Sink::begin(&[Mood::Shut, Mood::Shut, Mood::Shut]);
    let mut courier = courier(port);
    for _ in 0..3 {
        assert_eq!(app.wait(courier.deliver_due(&app.desk)).expect("tried"), 0);
        app.clock.advance(Duration::minutes(20));
    }
    assert_eq!(
        app.wait(courier.deliver_due(&app.desk)).expect("delivered"),
        1
    );
    assert_eq!(sink.taken().len(), 1);
}

#[test]
fn a_courier_that_vanishes_is_followed_by_another() {
    let app = App::on_sqlite();
    one_letter(&app);
    let now = common_ground::domain::time::Clock::now(&*app.clock);
    let claimed = app
        .wait(app.desk.db.write(move |conn| {
            common_ground::store::outbox::claim(conn, now, now.plus(Duration::minutes(15)), 10)
        }))
        .expect("claimed");
    assert_eq!(claimed.len(), 1);
    app.work();
    assert!(
        app.letters_to(None)
            .iter()
            .all(|l| !l.contains("zoe@alder.example")),
        "somebody else holds it"
    );
    app.clock.advance(Duration::minutes(16));
    app.work();
    assert!(
        app.letters_to(None)
            .iter()
            .any(|l| l.contains("zoe@alder.example"))
    );
}

#[test]
fn somebody_who_may_no_longer_know_gets_no_letter() {
    let app = App::on_sqlite();
    let cast = Cast::new(&app);
    let case = cast.in_conversation();
    app.work();
    let before = app.letters_to(Some(&cast.invited_member)).len();
    cast.facilitator.did(&case, json!({ "event": "hold" }));
    let members = cast
        .invited_lead
        .get(&format!("/api/v1/organisations/{}/members", cast.invited))
        .body;
    let membership = members["items"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|m| m["person"] == json!(cast.invited_member.id))
        .expect("a membership")["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    cast.coordinator
        .post(&format!("/api/v1/memberships/{membership}/end"), &json!({}))
        .expect(200);
    assert_eq!(
        app.letters_to(Some(&cast.invited_member)).len(),
        before,
        "a letter on its way is called back"
    );
}
