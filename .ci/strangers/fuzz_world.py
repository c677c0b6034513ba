"""The world the fuzzer meets: a case, who meets it as what, how they get in, and what really is there."""

import collections
import datetime
import re

import requests

from world import Browser, wait_for

ROLES = ["coordinator", "initiating_lead", "invited_lead", "facilitator", "anonymous"]
PASSWORDS = ["lantern otter drum seven", "quiet harbour pencil nine"]

# Documents that are what their names say: what is made up hardly ever is.
PAPERS = [("hours.csv", "Who,When\nZoë,\"Wednesday, 18:00\"\n".encode()), ("hours.CSV", b"Who;When\r\nAda;Friday\r\n"),
          ("Zoë's \"plan\"; 100%.txt", "Ça va 🌿".encode()), ("C:\\papers\\../../minutes.txt", b".")]


def cast(place, stage):
    """A case at this stage, and who meets it as what."""
    met = collections.defaultdict(dict)
    for who in place.tokens:
        for case in place.get(who, f"/cases?stage={stage}")["items"]:
            met[case["id"]].setdefault(case["you_are"], who)
    return next((case, people) for case, people in met.items() if {*people, "anonymous"} >= set(ROLES))


class Door:
    """How somebody gets in: with a token that may sign, and with a session, which the fuzzer may end at any time."""

    def __init__(self, place, who):
        self.place, self.email, self.password = place, place.emails[who], place.password
        self.browser = place.sign_in(who, trust=True)
        self.paper = place.send(who, "/recovery-codes", {})["recovery_codes"]
        self.token = place.send(who, "/tokens", {"name": "For today", "scopes": ["sign"]})["token"]
        place.send(who, "/tokens", {"name": "To be ended", "scopes": ["read"]})

    def on_paper(self):
        """A code on paper. When there are few, the next session brings new ones."""
        if len(self.paper) < 3:
            self.come_in()
        return self.paper.pop() if self.paper else ""

    def begin(self):
        """A browser in which the password was typed, and a code on paper that opens it."""
        browser, code = Browser(), self.on_paper()
        self.place.tell(browser, "/sign-in", {"email": self.email, "password": self.password})
        return browser, code

    def come_in(self):
        """Signs in again, and gets new codes on paper; if that fails, the token is all there is from now on."""
        self.browser, browser, code = None, Browser(), self.paper.pop() if self.paper else ""
        self.place.tell(browser, "/sign-in", {"email": self.email, "password": self.password})
        if self.place.tell(browser, "/sign-in/code", {"recovery_code": code})[0] == 200:
            self.browser, self.paper = browser, self.place.tell(browser, "/recovery-codes")[1]["recovery_codes"]

    def learn(self, label, body, answer):
        """What the fuzzer has changed, in the session, about how one gets in."""
        if answer.status_code == 401:
            self.browser = None
        elif answer.status_code < 300:
            match label.removeprefix("POST /api/v1/"):
                case "session/end":
                    self.browser = None
                case "session/step/code" | "session/step/passkey":
                    self.browser.keep(answer.headers["set-cookie"], answer.json()["csrf"])
                case "recovery-codes":
                    self.paper = answer.json()["recovery_codes"]
                case "password":
                    self.password = body["new_password"]
                case "address/confirm":
                    self.email = answer.json()["email"]


def invited(place, lead):
    """Somebody who is new, with the code of their letter."""
    address, organisation = "noor.new@lero.example", place.get(lead, "/me")["memberships"][0]["organisation"]
    place.send(lead, f"/organisations/{organisation}/members", {"name": "Noor New", "email": address})
    [text] = wait_for(lambda: place.letters(address).values(), 20, "no invitation came")
    code = re.search(r"^\w{5}-\w{5}\r?$", text, re.MULTILINE)[0].strip()
    return {"email": address, "code": code, "password": PASSWORDS[1]}


def furnish(place, case, people, luck):
    """Words and documents in every room, requests to look into two of them, and two meetings that are proposed."""
    for who in people.values():
        for room in place.get(who, f"/cases/{case}/rooms")["items"]:
            if room["you_may_write"] and not room.get("closed_because"):
                here = f"/cases/{case}/rooms/{room['room']}"
                if not room["room"].endswith("_own"):  # a side's own shelf, where nobody talks
                    place.send(who, f"{here}/messages", {"text": "When could we meet?"})
                laid = requests.post(f"{place.base}/api/v1{here}/documents", files={"file": luck.choice(PAPERS)},
                                     headers=place.headers(who), timeout=30)
                if laid.status_code not in (201, 403):  # in a side's private room only that side does
                    raise SystemExit(f"{who} lays down a document in {room['room']}: {laid.text}")
    others = [who for who in place.tokens if place.ask(f"/cases/{case}", place.headers(who))[0] == 200
              and place.get(who, f"/cases/{case}")["you_are"] == "coordinator" and who not in people.values()]
    for who in others[:1]:
        place.sign_in(who)
        for room in ("initiating", "invited"):
            look = {"room": room, "ground": "serious_risk_of_harm", "reason": "Somebody told us of it.", "hours": 2}
            place.send(who, f"/cases/{case}/room-looks", look)
    if place.ask(f"/cases/{case}/meetings", place.headers(people["facilitator"]))[0] == 200:
        days = [(datetime.date.today() + datetime.timedelta(days=week * 7)).isoformat() for week in (1, 2)]
        for way in ("video", "phone"):
            times = [{"start": f"{day}T10:00", "minutes": 60} for day in days]
            place.send(people["facilitator"], f"/cases/{case}/meetings", {"room": "joint", "way": way, "times": times})


def what_is_there(place, case, people, who):
    """One's own ids; real things by the names they have in addresses, queries and bodies; and the messages' rooms."""

    def every(path, key="id", who=people["coordinator"]):
        return [item[key] for item in place.get(who, path)["items"]] if who else []

    def in_rooms(what, *readers):
        """What lies in the rooms of the case, as far as any of these reads it, and in which."""
        return {one: room for reader in readers or people.values() for room in every(f"/cases/{case}/rooms", "room", reader)
                if what == "documents" or not room.endswith("_own")
                for one in every(f"/cases/{case}/rooms/{room}/{what}", "id", reader)}

    me = place.get(who, "/me") if who else {"person": {"id": None}, "memberships": []}
    mine = [one["organisation"] for one in me["memberships"]]
    if mine:
        place.send(who, "/cases", {"organisation": mine[0]})  # a draft, for the steps that only a draft has
    seen = place.get(people["facilitator"], f"/cases/{case}")
    sides = [one["id"] for side in seen["sides"].values() for one in side]
    organisations, persons, places = every("/organisations"), every("/people"), every("/localities?limit=50", "code")
    members = [one for side in sides for one in every(f"/organisations/{side}/members")]
    tokens = place.get(who, "/tokens")["items"] if who else []
    messages, documents = in_rooms("messages"), [*in_rooms("documents", who), *in_rooms("documents")]
    status, _, said = place.ask(f"/cases/{case}/meetings", place.headers(people["facilitator"]))
    meetings = said["items"] if status == 200 else []
    times = [time["id"] for meeting in meetings for time in meeting.get("times", [])]
    return [me["person"]["id"], *(one["id"] for one in me["memberships"])], {
        "case": [case] * 30 + every("/cases", who=who) * 3 + every("/cases"),
        "organisation": sides + mine * 3, "owner": sides, "party": sides,
        "with": organisations, "together_with": organisations,
        "person": persons, "neutral": persons,
        "membership": members, "from": members, "to": members,
        "presence": [one for side in sides for one in every(f"/organisations/{side}/presences")],
        "notification": every("/notifications", who=who),
        "message": [*messages], "corrects": [*messages], "document": documents, "supersedes": documents,
        "meeting": [one["id"] for one in meetings], "time": times, "times": times,
        "look": every(f"/cases/{case}/room-looks"),
        "session": every("/sessions", who=who), "browser": every("/trusted-browsers", who=who),
        "token": [one["id"] for one in tokens if one["name"] == "To be ended"],
        "action": [one["id"] for one in seen.get("agreement", {}).get("drafting", [])],
        "code": places, "locality": places, "localities": places, "where": places,
        "entries": [str(standard) for standard in range(1, 34)],
    }, messages
