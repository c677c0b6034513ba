"""Letters go through mail servers that nobody here wrote, and are read by parsers that nobody here wrote.

Postfix takes them with STARTTLS and a log-in, refuses one address and greylists another (postgrey); a second relay
(aiosmtpd) is down, and hangs up in the middle and after the end. The letters are read from the mailboxes.

    apt-get install postfix postgrey sasl2-bin libsasl2-modules openssl
    pip install -r requirements-mail.txt
    PROGRAM=path/to/common-ground python mail.py        (as root, for Postfix)"""

import collections
import functools
import json
import os
import pathlib
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
import urllib.parse

from mail_case import CANARIES, COORDINATOR, DEV, FACILITATOR, LENA, live_through_a_case, step, words
from mail_letter import ANSWERS_TO, SENDER_NAME, SITE, check
from mail_servers import GREYLISTED, SENDER, STRANGER, UNKNOWN, Postfix, Second, address, certificates
from world import PROGRAM, serve, six_digits, wait_for, world

LUCJA = "Łucja Ó Dálaigh 🌿, “Lulu” <l@x.example>"
QUOTED = r"""Ida "=?utf-8?q?L=61ter?=" O'Neill, \ <i@x.example>"""
LONG = ("Wilhelmina Ærøskøbing-Þórsdóttir Ngũgĩ " * 6)[:199] + "ő"


def expect(holds, said):
    """Ends the run with these words where something does not hold."""
    if not holds:
        raise SystemExit(f"FAILED: {said}")


# The service, and what is taken for its clock.


def settings(folder, relay):
    return {"SMTP_URL": relay, "SMTP_CA_FILE": f"{folder}/ca.pem", "PUBLIC_URL": SITE, "MAIL_FROM": SENDER,
            "MAIL_FROM_NAME": SENDER_NAME, "MAIL_REPLY_TO": ANSWERS_TO, "LOG": "info"}


def listed(service, who, path):
    """Everything in a list, by its ids."""
    found, cursor = {}, ""
    while cursor is not None:
        page = service.get(who, f"{path}{'&' if '?' in path else '?'}limit=100{cursor}")
        found |= {item["id"]: item for item in page["items"]}
        cursor = page["next"] and f"&cursor={urllib.parse.quote(page['next'])}"
    return found


def outbox(service, question, *values):
    """Asks the outbox itself, for what the interface does not show: the relay's answer and the next try."""
    with sqlite3.connect(service.folder / "data" / "common-ground.db", timeout=30) as database:
        return database.execute(question, values).fetchall()


def hurry(service):
    """Nobody waits five minutes here: every letter that waits is due now."""
    outbox(service, "UPDATE letters SET next_at = created_at WHERE state IN ('waiting', 'uncertain')")


class Post:
    """What was written since the demo ended, and what arrived."""

    def __init__(self, demo, names):
        self.names, self.read, self.before = names, {}, listed(demo, COORDINATOR, "/letters").keys()
        self.codes_asked = collections.Counter()
        for name in demo.tokens:
            self.before |= listed(demo, name, "/notifications").keys()
        organisations = listed(demo, COORDINATOR, "/organisations").values()
        self.not_said = [*CANARIES, *names.values(), *(o["working_name"] for o in organisations)]

    def new(self, service, path, who=COORDINATOR):
        return {key: item for key, item in listed(service, who, path).items() if key not in self.before}

    def settle(self, service, but=0, seconds=30):
        """Waits until nothing is on its way, but so many that wait for later."""
        def settled():
            busy = outbox(service, "SELECT 1 FROM letters WHERE state IN ('claimed', 'in_flight')")
            return not busy and len(self.new(service, "/letters?state=sending")) == but
        wait_for(settled, seconds, "letters are still on their way")

    def loses_no_try(self, service, why):
        """Waits until whatever is on its way waits with no try counted, as while the relay fails."""
        def waits():
            return {letter["attempts"] for letter in self.new(service, "/letters?state=sending").values()} == {0}
        wait_for(waits, 5, f"{why}: letters are given up, or lose a try")

    def take(self, service, mailbox, octets):
        """Reads a letter; each arrives once."""
        name = self.names[mailbox]
        cases = listed(service, name, "/cases").values() if self.is_in(service, name) else ()
        identity, text = check(octets, name, mailbox, {case["reference"] for case in cases},
                               [word for word in self.not_said if word != name])
        expect(identity not in self.read, f"{identity} arrived twice")
        self.read[identity] = (mailbox, text)

    def collect(self, service, postfix):
        """Reads whatever Postfix has put into mailboxes until now."""
        for mailbox, octets in postfix.fetch():
            self.take(service, mailbox, octets)
            expect(b"ESMTPSA" in octets and b"(using TLSv1.3" in octets, f"over TLS, logged in: {octets[:600]}")

    def fetch(self, service, postfix):
        """The same, until all that was sent is there."""
        def all_there():
            self.collect(service, postfix)
            return self.new(service, "/letters?state=sent").keys() <= self.read.keys()
        wait_for(all_there, 30, "letters that Postfix took are in no mailbox")

    @staticmethod
    def is_in(service, name):
        """Whether somebody can be asked: those of the demo have a token, newcomers sign in."""
        return name in service.tokens or name in service.browsers

    def sign_in(self, service, postfix, name, password=None):
        """Somebody signs in with the six digits of a letter that Postfix put into their mailbox."""
        def codes(mailbox):
            self.collect(service, postfix)
            found = {key: six_digits(text) for key, (whose, text) in self.read.items() if whose == mailbox}
            return {key: code for key, code in found.items() if code}

        service.sign_in(name, password, codes)
        self.codes_asked[name] += 1

    def accept(self, service, postfix, mailbox):
        """Somebody takes up an invitation with the code of their letter, chooses a password, and signs in with it."""
        text = next(text for whose, text in self.read.values() if whose == mailbox)
        code, password = re.search(r"^\w{5}-\w{5}$", text, re.MULTILINE)[0], secrets.token_urlsafe(15)
        answer = service.send(None, "/invitations/accept", {"email": mailbox, "code": code, "password": password})
        expect(len(answer["recovery_codes"]) == 10 and "token" not in answer, f"who has arrived: {answer.keys()}")
        name = self.names[mailbox]
        service.emails[name] = mailbox
        self.sign_in(service, postfix, name, password)

    def everybody_was_told(self, service):
        """What was sent is what arrived, each in its own mailbox, and there is one letter for each notice. A letter with a
        code has none; of these there is one for each that was asked for."""
        expect(self.new(service, "/letters?state=sent").keys() == self.read.keys(), "what arrived is what was sent")
        for mailbox, name in self.names.items():
            if self.is_in(service, name):
                own = {key: it for key, it in self.new(service, "/letters", name).items() if it.get("letter")}
                here = {key for key, (whose, _) in self.read.items() if whose == mailbox}
                expect(own.keys() == here, f"{name}'s own letters, and no others, are in the mailbox")
                notices = self.new(service, "/notifications", name).values()
                codes = [letter for letter in own.values() if letter["letter"] == "sign_in_code"]
                asked = self.codes_asked[name]
                expect(len(codes) == asked, f"{name} asked for {asked} codes, and has {len(codes)} letters with one")
                sent = sorted((one["letter"], one["created_at"]) for one in own.values() if one not in codes)
                expect(sent == sorted({(notice["letter"], notice["at"]) for notice in notices}),
                       f"{name} has one letter for each notice: {sent}, {notices}")


# What happens.


def try_the_relay(folder, postfix):
    """`mail check` speaks with Postfix in every way it can be told to."""
    box, good, bare = "check@common-ground.example", address(postfix.port), f"smtp://localhost:{postfix.port}"
    for relay, to, authority, said in (
            (good, box, "ca.pem", "was taken"),
            (address(postfix.wrapped, "smtps"), box, "ca.pem", "was taken"),
            (address(postfix.port, safe="!$&'()*+,;="), box, "ca.pem", "was taken"),
            (good, UNKNOWN, "ca.pem", "not taken: 550 5.1.1"),
            (good, box, "relay.pem", "not taken: tls"),
            (address(postfix.port, password="wrong"), box, "ca.pem", "not taken: auth 535"),
            (bare, box, "ca.pem", "not taken: 55"),
            (f"{bare}?tls=off", box, "ca.pem", "not taken: 530")):
        more = {"DATA_DIR": f"{folder}/check", "SMTP_CA_FILE": f"{folder}/{authority}"}
        done = subprocess.run(
            [PROGRAM, "mail", "check", "--to", to], env={**os.environ, **settings(folder, relay), **more},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        expect(said in done.stdout and (done.returncode == 0) == (said == "was taken"),
               f"mail check to {to} with {relay}: {said!r} was expected, not {done.returncode}, {done.stdout}")
    taken = []
    wait_for(lambda: taken.extend(postfix.fetch()) or len(taken) == 3, 10, "the test letters are not in the mailbox")


def a_relay_that_refuses_us(folder, postfix, post, demo, invitations):
    """It refuses the log-in: letters wait and lose no try. It refuses the sender, which it says of each recipient: every
    letter waits for its next try. The log says both."""
    log, said = demo.folder / "serve.log", postfix.log()
    before = said.count("authentication failed")
    with serve(demo, settings(folder, address(postfix.port, password="wrong"))) as service:
        for who, organisation, body in invitations:
            service.send(who, f"/organisations/{organisation}/members", body)
        refusals = lambda: postfix.log().count("authentication failed") - before
        wait_for(refusals, 10, "Postfix did not refuse the log-in")
        post.loses_no_try(service, "authentication failed")
        expect(len(post.new(service, "/letters?state=sending")) == len(invitations), "no log-in: all letters wait")
    expect(refusals() == 1, "no log-in: one attempt is enough")
    expect("the relay refuses this service" in log.read_text(), "no log-in: an error in the log")
    hurry(demo)
    with serve(demo, {**settings(folder, address(postfix.port)), "MAIL_FROM": STRANGER}) as service:
        refusals = lambda: postfix.log().count("Sender address rejected") - said.count("Sender address rejected")
        wait_for(lambda: refusals() >= len(invitations), 20, "Postfix did not refuse the sender")
        waiting = lambda: [letter["attempts"] for letter in post.new(service, "/letters?state=sending").values()]
        wait_for(lambda: waiting() == [1] * len(invitations), 10, f"a refused sender: every letter waits for its next try, not {waiting()}")
    expect("perhaps refuses this service" in log.read_text(), "a refused sender: an error in the log")
    log.unlink()
    # What follows counts tries from the beginning.
    outbox(demo, "UPDATE letters SET next_at = created_at, attempts = 0 WHERE state = 'waiting'")


def later_and_never(service, post):
    """A greylisted letter waits for five minutes, a refused one is given up; nobody else waits for them."""
    post.settle(service, but=1)
    left = outbox(service, "SELECT address, state, attempts, answer, unixepoch(next_at) - unixepoch() > 200"
                           " FROM letters WHERE state != 'sent' ORDER BY address")
    right = [(GREYLISTED, "waiting", 1, "450 4.2.0", 1), (UNKNOWN, "dead", 1, "550 5.1.1", 0)]
    expect(left == right, f"one later, one never: {left}")
    for state in ("sending", "could_not_be_delivered"):
        shown = [letter["attempts"] for letter in post.new(service, f"/letters?state={state}").values()]
        expect(shown == [1], f"the coordinator is shown one letter, tried once, as {state}: {shown}")


def a_relay_that_fails(service, second, post, case):
    """It is down, then hangs up in the middle: no letter loses a try. After the dot: the same octets go again."""
    step(service, case, FACILITATOR, "hold", **words("reason"))
    wait_for(lambda: outbox(service, "SELECT 1 FROM letters WHERE answer = 'connection'"), 10, "nobody tried the relay")
    post.loses_no_try(service, "nobody listens")
    with second.running():
        post.settle(service, seconds=60)
        second.moods.append("drop in the middle")
        step(service, case, FACILITATOR, "resume")
        post.settle(service, seconds=60)
        expect(not second.moods, "the relay hung up in the middle")
        tries = sorted(letter["attempts"] for letter in post.new(service, "/letters?state=sent").values())
        expect(tries[-2:] == [1, 2], f"only the greylisted letter needed a second try: {tries}")

        second.moods.append("drop after the dot")
        agreed = service.get(FACILITATOR, f"/cases/{case}")["agreement"]["in_force"]["actions"]
        actions = [{"action": action["id"], "becomes": "moved_to_follow_up", **words("note")} for action in agreed]
        step(service, case, FACILITATOR, "close", outcome="agreed_full", sessions_logged=True, actions=actions,
             **words("summary", "signposting"))
        post.settle(service, but=1)
        left = outbox(service, "SELECT state, attempts, answer, unixepoch(next_at) - unixepoch() > 500 FROM letters"
                               " WHERE state NOT IN ('sent', 'dead')")
        expect(left == [("uncertain", 1, "connection", 1)], f"it may have arrived, so again in ten minutes: {left}")
        expect(len(second.taken) == 14, f"others do not wait for it: {len(second.taken)}")
        hurry(service)
        post.settle(service)
        expect(second.taken[-1:] == second.dropped, "the same octets again, once")
    for mailbox, octets in second.taken:
        expect(not re.search(rb"(?<!\r)\n|\r(?!\n)", octets), f"lines end with CRLF: {octets}")
        post.take(service, mailbox, octets)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    with world() as demo, tempfile.TemporaryDirectory(prefix="mail-") as folder:
        folder = pathlib.Path(folder)
        people = json.loads((demo.folder / "data" / "demo-people.json").read_text())
        newcomers = {"lucja@calder-footbridge.example": LUCJA, "mina@fenland-compass.example": LONG,
                     GREYLISTED: QUOTED, UNKNOWN: "Mo Gone"}
        names = {person["email"]: person["name"] for person in people} | newcomers
        post = Post(demo, names)
        ours, theirs = (demo.get(who, "/me")["memberships"][0]["organisation"] for who in (DEV, LENA))
        invitations = [(*((DEV, ours) if "calder" in box else (LENA, theirs)), {"name": name, "email": box})
                       for box, name in newcomers.items()]
        certificates(folder)
        mailboxes = [*names.keys() - {UNKNOWN}, SENDER, "check@common-ground.example"]
        with Postfix(folder, mailboxes).running() as postfix:
            try_the_relay(folder, postfix)
            print("mail check: TLS, wrapped TLS, an unknown authority, log-ins and refusals are told apart")
            a_relay_that_refuses_us(folder, postfix, post, demo, invitations)
            print("a wrong password, a wrong sender: letters wait, an error is in the log")
            with serve(demo, settings(folder, address(postfix.port))) as service:
                later_and_never(service, post)
                print("greylisted: waits for five minutes; refused: given up; the others have theirs")
                post.fetch(service, postfix)
                for mailbox in list(newcomers)[:2]:
                    post.accept(service, postfix, mailbox)
                sign_in = functools.partial(post.sign_in, service, postfix)
                case = live_through_a_case(service, ours, theirs, sign_in)
                post.settle(service, but=1)
                hurry(service)
                post.settle(service)
                post.fetch(service, postfix)
                post.accept(service, postfix, GREYLISTED)
                post.settle(service)
                post.fetch(service, postfix)
                print(f"Postfix: {len(post.read)} letters arrived whole, the greylisted one too")
        second = Second(folder)
        with serve(demo, settings(folder, address(second.port))) as service:
            a_relay_that_fails(service, second, post, case)
            print(f"aiosmtpd: {len(second.taken)} letters arrived, though it was down and hung up twice")
            post.everybody_was_told(service)
            print(f"{len(post.read)} letters: one for each notice and each code, each to its reader, and without a word"
                  " of the case")


if __name__ == "__main__":
    main()
