"""Meetings reach calendars: letters and a feed, read by calendar programs that nobody here wrote.

Somebody proposes meetings at noon around both changes of the clocks to come, and the facilitator sets them. icalendar and
vobject read what came with the letters, and khal takes in the feed. (The name is not `calendar`: Python has one.)

    pip install -r requirements-calendar.txt
    PROGRAM=path/to/common-ground python calendars.py"""

import datetime
import email
import email.policy
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zoneinfo

import icalendar
import vobject

from world import wait_for, world

LONDON = zoneinfo.ZoneInfo("Europe/London")
STAGES = ("early_conversation", "standards_review", "agreed_actions")
PLACE, NOTE = "Kestrelfeather Hall, by the river", "Bring the blue folder; knock twice"
CONFIG = """
[calendars]
[[clero]]
path = {folder}/entries
[locale]
local_timezone = Europe/London
default_timezone = Europe/London
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
[default]
default_calendar = clero
[sqlite]
path = {folder}/khal.db
"""


def expect(holds, said):
    """Ends the run with these words where something does not hold."""
    if not holds:
        raise SystemExit(f"FAILED: {said}")


def days_to_come(today):
    """The day before, of and after the next change in March and the next in October, each some days ahead."""
    found = []
    for month in (3, 10):
        for year in (today.year, today.year + 1):
            last = datetime.date(year, month, 31)
            change = last - datetime.timedelta(days=(last.weekday() + 1) % 7)
            if change > today + datetime.timedelta(days=3):
                found += [change + datetime.timedelta(days=step) for step in (-1, 0, 1)]
                break
    return found


def noon(day, hour=12):
    """The instant of a whole hour in London."""
    return datetime.datetime.combine(day, datetime.time(hour), LONDON).astimezone(datetime.UTC)


def read(text, not_said):
    """The one entry of a calendar, as both readers have it: method, UID, SEQUENCE, STATUS, start, end."""
    octets = text.encode()
    expect(octets.count(b"\n") == octets.count(b"\r\n"), "lines end with CR LF")
    expect(all(len(line) <= 75 for line in octets.split(b"\r\n")), "lines are folded")
    # The reader's own address may hold any word.
    said = "\n".join(line for line in text.replace("\r\n ", "").split("\r\n") if not line.startswith("ATTENDEE"))
    for word in [*not_said, "LOCATION", "DESCRIPTION"]:
        expect(word.lower() not in said.lower(), f"{word} is in a calendar:\n{text}")
    whole = icalendar.Calendar.from_ical(text)
    (event,) = whole.walk("VEVENT")
    one = (str(whole["METHOD"]), str(event["UID"]), int(event["SEQUENCE"]), str(event["STATUS"]),
           event["DTSTART"].dt.astimezone(datetime.UTC), event["DTEND"].dt.astimezone(datetime.UTC))
    # The zone that comes along says the same as the one the reader knows by its name.
    (zone,) = whole.walk("VTIMEZONE")
    own = event["DTSTART"].dt.replace(tzinfo=zone.to_tz()).astimezone(datetime.UTC)
    expect(own == one[4], f"by the zone that comes along: {own}, not {one[4]}")
    other = vobject.readOne(text)
    entry = other.vevent
    two = (other.method.value, entry.uid.value, int(entry.sequence.value), entry.status.value,
           entry.dtstart.value.astimezone(datetime.UTC), entry.dtend.value.astimezone(datetime.UTC))
    expect(one == two, f"both read the same: {one} {two}")
    expect(not event.errors, f"no errors: {event.errors}")
    return one


class Post:
    """The letters in the folder, from now on, to one reader."""

    def __init__(self, service, mailbox):
        self.folder, self.mailbox = service.folder / "data" / "mail", mailbox
        self.seen = set(self.folder.glob("*.eml"))

    def calendars(self, wanted):
        """The calendars of the next letters that have one; waits until there are so many."""
        def come():
            found = []
            for file in set(self.folder.glob("*.eml")) - self.seen:
                letter = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
                if self.mailbox not in letter["To"]:
                    continue
                parts = [part for part in letter.walk() if part.get_content_type() == "text/calendar"]
                if parts:
                    found.append((file, letter, parts))
            return found if len(found) >= wanted else None
        found = wait_for(come, 60, f"{wanted} letters with a calendar for {self.mailbox}")
        expect(len(found) == wanted, f"{len(found)} letters with a calendar, and not {wanted}")
        texts = []
        for file, letter, parts in found:
            self.seen.add(file)
            kinds = [part.get_content_type() for part in letter.walk()]
            expect(kinds == ["multipart/alternative", "text/plain", "text/html", "text/calendar"], f"its forms: {kinds}")
            text = parts[0].get_payload(decode=True).decode()
            expect(f"\r\nMETHOD:{parts[0].get_param('method')}\r\n" in text, "letter and calendar ask for the same")
            texts.append(text)
        return texts


def somebody(service):
    """An open case with a facilitator and a representative whose tokens we have."""
    for stage in STAGES:
        met = {}
        for who in service.tokens:
            for case in service.get(who, f"/cases?stage={stage}&limit=100")["items"]:
                met.setdefault(case["id"], {}).setdefault(case["you_are"], who)
        for case, people in met.items():
            if {"facilitator", "initiating_lead", "invited_lead"} <= people.keys():
                return case, people
    raise SystemExit("nobody in this world could meet")


def plan(service, case, people):
    """Meetings at noon on each of the days: their ids by day."""
    meetings = {}
    for day in days_to_come(datetime.datetime.now(LONDON).date()):
        body = {"room": "joint", "way": "in_person", "place": PLACE, "note": NOTE,
                "times": [{"start": f"{day}T12:00", "minutes": 60}, {"start": f"{day}T15:00", "minutes": 60}]}
        meeting = service.send(people["initiating_lead"], f"/cases/{case}/meetings", body)
        path = f"/cases/{case}/meetings/{meeting['id']}"
        service.send(people["invited_lead"], f"{path}/answers", {
            "times": {time["id"]: "yes" for time in meeting["times"]}, "access_needs": NOTE})
        service.send(people["facilitator"], f"{path}/confirm", {"time": meeting["times"][0]["id"]})
        meetings[day] = path
    return meetings


def through_letters(service, people, meetings, post, not_said):
    """What comes with the letters when a meeting is set, moved and cancelled."""
    read_now = {entry[1]: entry for entry in (read(text, not_said) for text in post.calendars(len(meetings)))}
    expect(len(read_now) == len(meetings), "each meeting has a name of its own")
    by_start = {entry[4]: entry for entry in read_now.values()}
    for day in meetings:
        method, _, sequence, status, _, end = by_start[noon(day)]
        expect((method, sequence, status, end) == ("REQUEST", 0, "CONFIRMED", noon(day, 13)), f"on {day}")
    days = list(meetings)
    change, last = days[1], days[-1]
    service.send(people["facilitator"], f"{meetings[change]}/move", {"start": f"{change}T16:00"})
    (moved,) = (read(text, not_said) for text in post.calendars(1))
    before = by_start[noon(change)]
    expect(moved[:2] == before[:2] and moved[2] > before[2] and moved[4] == noon(change, 16), f"moved: {before} {moved}")
    service.send(people["facilitator"], f"{meetings[last]}/cancel", {})
    (gone,) = (read(text, not_said) for text in post.calendars(1))
    before = by_start[noon(last)]
    expect((gone[0], gone[1], gone[3]) == ("CANCEL", before[1], "CANCELLED") and gone[2] > before[2], f"cancelled: {gone}")
    return sorted([noon(day) for day in days if day not in (change, last)] + [noon(change, 16)])


def fetch(service, url):
    """A calendar as a program fetches it, which knows nothing but its address."""
    ask = urllib.request.Request(service.base + urllib.parse.urlsplit(url).path, headers={"Accept": "text/calendar"})
    with urllib.request.urlopen(ask, timeout=30) as answer:
        expect(answer.headers["Content-Type"] == "text/calendar; charset=utf-8", "it is a calendar")
        return answer.read().decode()


def khal_lists(text, first, days):
    """What khal shows of a feed it has taken in: when each entry begins, and its title."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "config").write_text(CONFIG.format(folder=folder))
        pathlib.Path(folder, "feed.ics").write_text(text, newline="")
        pathlib.Path(folder, "entries").mkdir()

        def khal(*words):
            beside = pathlib.Path(sys.executable).parent / "khal"
            return subprocess.run([beside, "-c", f"{folder}/config", *words], check=True, capture_output=True, text=True,
                                  env={**os.environ, "HOME": folder, "XDG_CONFIG_HOME": folder, "XDG_DATA_HOME": folder,
                                       "XDG_CACHE_HOME": folder, "LC_ALL": "C.UTF-8"}).stdout
        khal("import", "--batch", "-a", "clero", f"{folder}/feed.ics")
        shown = khal("list", "--day-format", "", "--format", "{start-date} {start-time}|{title}", str(first), f"{days}d")
    return sorted(line.strip() for line in shown.splitlines() if "|" in line)


def through_the_feed(service, person, expected, not_said):
    """The address of a calendar: what is set, and nothing once it has ended."""
    url = service.send(person, "/calendar-feed", {})["url"]
    text = fetch(service, url)
    for word in [*not_said, "LOCATION", "DESCRIPTION", "ATTENDEE"]:
        expect(word.lower() not in text.replace("\r\n ", "").lower(), f"{word} is in the feed:\n{text}")
    starts = sorted(event["DTSTART"].dt.astimezone(datetime.UTC)
                    for event in icalendar.Calendar.from_ical(text).walk("VEVENT"))
    expect(starts == expected, f"what is set: {starts}")
    first = expected[0].date() - datetime.timedelta(days=1)
    shown = khal_lists(text, first, (expected[-1].date() - first).days + 2)
    wanted = sorted(at.astimezone(LONDON).strftime("%Y-%m-%d %H:%M") for at in expected)
    expect([line.split("|")[0] for line in shown] == wanted, f"khal shows {shown}")
    expect(all("CLERO meeting CG-" in line for line in shown), f"khal shows {shown}")
    another = service.send(person, "/calendar-feed", {})["url"]
    expect(fetch(service, another) == text, "a new address holds the same")
    try:
        fetch(service, url)
    except urllib.error.HTTPError as problem:
        expect(problem.code == 404, f"the address before: {problem.code}")
    else:
        raise SystemExit("FAILED: the address before still holds the calendar")


def main():
    with world() as service:
        case, people = somebody(service)
        person = people["initiating_lead"]
        organisations = [one["working_name"] for one in service.get(person, "/organisations?limit=100")["items"]]
        not_said = [PLACE.split(",")[0], NOTE.split(";")[0], *service.tokens, *organisations]
        post = Post(service, service.get(person, "/me")["person"]["email"])
        meetings = plan(service, case, people)
        expected = through_letters(service, people, meetings, post, not_said)
        through_the_feed(service, person, expected, not_said)
        print(f"{len(meetings)} meetings from {min(meetings)} to {max(meetings)} reached three calendar programs")


if __name__ == "__main__":
    main()
