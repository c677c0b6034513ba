"""Schemathesis, which knows nothing but the OpenAPI document, asks the service whatever it can make up.

It comes as a coordinator, as a representative of either side, as the facilitator, and as nobody. All five meet the
same case, each in a fresh world, now with a token that may sign, now with the cookie of a session. What must not come
back: a 5xx, a status that is not in the document, an answer that breaks the document. A round is all five; from round
to round the case is at another stage.

    pip install -r requirements-fuzz.txt
    PROGRAM=path/to/common-ground python fuzz.py
    PROGRAM=path/to/common-ground python fuzz.py --rounds 30 --examples 60 --seed 7     # for an hour, and other requests
"""

import argparse
import collections
import concurrent.futures
import contextlib
import io
import itertools
import os
import random
import re
import urllib.request

import schemathesis
from schemathesis.auths import unregister
from schemathesis.cli import schemathesis as tool
from schemathesis.core.parameters import ParameterLocation as Location
from schemathesis.generation.meta import TestPhase
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER as hooks

from fuzz_world import PAPERS, PASSWORDS, ROLES, Door, cast, furnish, invited, what_is_there
from world import world

STAGES = ["agreed_actions", "standards_review", "early_conversation"]
STEP = "POST /api/v1/cases/{case}/events"
SESSION = "__Host-session"

# What only a session may do; what ends one, and where somebody guesses codes and can soon guess no more: both are mostly
# tried with the token.
OWN = re.compile("/api/v1/(session|sessions|trusted-browsers|passkeys|recovery-codes|password|address|tokens)(/|$)")
LEAVING = re.compile("/api/v1/(session/end|sessions/.*/end|password|address/confirm|recovery-codes)$")
GUESSING = re.compile("/api/v1/(session/step/code|address/confirm)$")

# What fits the document need not be accepted: a step may not be possible now, or belong to somebody else. What does
# not fit may be refused in any way: some flaws of a body are looked for after its If-Match. A case that was just begun
# has no readings yet. And all that can be wrong about the bodies of the steps is more than everything else together:
# of the five, one a round sends it.
SETTINGS = """
cache.enabled = false
continue-on-failure = true
suppress-health-check = ["all"]
warnings = false
output.sanitization.enabled = false
generation.database = "none"
generation.max-examples = {examples}
phases.examples.fill-missing = true
checks.positive_data_acceptance.enabled = false
checks.negative_data_rejection.expected-statuses = ["4xx"]
checks.missing_required_header.expected-statuses = ["4xx"]
[[operations]]
include-name = "{step}"
generation.max-examples = {steps}
phases.coverage.generation.mode = "{mode}"
[[operations]]
include-path = "/api/v1/cases/{{case}}/reading"
checks.ensure_resource_availability.enabled = false
"""

# An id, a locality's code, a number: another one fits as well as the one it replaces.
EXCHANGEABLE = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[ENSW][0-9]{8}|[0-9]+")


def fuzz(stage, seed, role, examples):
    """One of the five in one world: what was wrong, and how often each operation was answered how."""
    luck, answers, said, wrong = random.Random(seed), collections.Counter(), io.StringIO(), []

    def mostly():
        return luck.random() < 0.9

    def real(value, name=None):
        if isinstance(value, dict):
            keys_too = name in ("entries", "times")
            return {real(key, name) if keys_too else key: real(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [real(item, name) for item in value]
        if not isinstance(value, str) or not mostly():
            return value
        if there.get(name) and EXCHANGEABLE.fullmatch(value):
            return luck.choice(there[name])
        # What nobody can see is refused, and generated words are full of it.
        return "".join(filter(str.isprintable, value)).strip() or value

    def hash_for(event):
        with contextlib.suppress(SystemExit, OSError, StopIteration):
            steps = place.get(who, f"/cases/{case}/available-events")["items"]
            return next(step.get("answers") for step in steps if step["event"] == event)

    def typed(label, request):
        """What somebody types who knows: what is made up opens nothing."""
        if label == "POST /api/v1/sign-in":
            return {"email": door.email, "password": door.password}
        if label == "POST /api/v1/sign-in/code":
            browser, code = door.begin()
            request.cookies = {**request.cookies, **browser.cookies}
            return {"recovery_code": code}
        if label == "POST /api/v1/session/step/code":
            return {"recovery_code": door.on_paper()}
        if label == "POST /api/v1/password":
            return {"new_password": luck.choice(PASSWORDS)}
        if label == "POST /api/v1/invitations/accept":
            return newcomer

    def by_session(request, headers_fit, knows):
        """The cookie of a session instead of the token: nearly always where only a session may."""
        guessing = GUESSING.match(request.path) and not knows
        often = 0.1 if guessing else 0.3 if LEAVING.match(request.path) else 0.9 if OWN.match(request.path) else 0.4
        if luck.random() > often:
            return
        if not door.browser:
            door.come_in()
        if door.browser:
            del request.headers["Authorization"]
            request.cookies = {**request.cookies, SESSION: door.browser.cookies[SESSION]}
            if headers_fit and mostly():
                request.headers["X-CSRF-Token"] = door.browser.csrf

    def before_load_schema(context, document):
        # What comes first is made up most. It should not always be the same step.
        body = document["paths"]["/api/v1/cases/{case}/events"]["post"]["requestBody"]
        luck.shuffle(body["content"]["application/json"]["schema"]["oneOf"])

    def before_call(context, request, kwargs):
        label, meta, upload = request.operation.label, request.meta, request.media_type == "multipart/form-data"
        body_fits, headers_fit = (not meta.is_negative_at(part) for part in (Location.BODY, Location.HEADER))
        # A stateful story goes on with the ids that it was given.
        stateful = meta.phase.name == TestPhase.STATEFUL
        for location in [Location.PATH, Location.QUERY, Location.BODY][stateful:3 - upload]:
            setattr(request, location.container_name, real(request.get_container(location)))
        if {"room", "message"} <= request.path_parameters.keys() and mostly():
            room = room_of.get(request.path_parameters["message"], request.path_parameters["room"])
            request.path_parameters = request.path_parameters | {"room": room}
        if upload and body_fits and mostly():
            # A document that is one, with its name. The tool takes any other body for one that does not fit.
            texts = [(name, (None, real(text, name))) for name, text in request.body.items() if name != "file"]
            kwargs["files"] = [("file", luck.choice(PAPERS)), *texts]
        if headers_fit:
            # With one key for everything, all but the first would only be told that it has been used.
            if mostly():
                request.headers.pop("Idempotency-Key", None)
            if "If-Match" in request.operation.headers and mostly():
                request.headers["If-Match"] = "*"
        body = request.body if isinstance(request.body, dict) else {}
        if who and isinstance(body.get("answers"), str) and mostly():
            request.body = body | {"answers": hash_for(body.get("event")) or body["answers"]}
        words = typed(label, request) if body and body_fits and luck.random() < 0.5 else None
        if words:
            request.body = words
        # Whoever does this to themselves sees little from then on.
        to_oneself = request.method == "POST" and any(value in own for value in request.path_parameters.values())
        if (to_oneself or body.get("event") in ["withdraw", "step_back"]) and luck.random() < 0.99:
            request.path_parameters = dict.fromkeys(request.path_parameters, there["with"][0])
        if who and request.headers.get("Authorization") == f"Bearer {door.token}":
            by_session(request, headers_fit, bool(words))
        # From many places: nobody is to be stopped for trying too often from one.
        request.headers["X-Forwarded-For"] = f"10.{luck.randrange(256)}.{luck.randrange(256)}.1"

    def after_call(context, request, answer):
        answers[request.operation.label, answer.status_code] += 1
        if who and door.browser and request.cookies.get(SESSION) == door.browser.cookies[SESSION]:
            door.learn(request.operation.label, request.body, answer)

    class Token:
        """What the tool takes for the way in; `by_session` puts another in its place."""

        def get(self, request, context):
            return door.token

        def set(self, request, token, context):
            request.headers["Authorization"] = f"Bearer {token}"

    os.environ["no_proxy"] = "127.0.0.1"  # which is looked for with every request
    with world({"TRUSTED_PROXIES": "127.0.0.1"}) as place:
        case, people = cast(place, stage)
        who = people.get(role)
        door = Door(place, who or people["initiating_lead"])
        furnish(place, case, {role: people[role] for role in ROLES if role in people}, luck)
        newcomer = invited(place, people["initiating_lead"])
        own, there, room_of = what_is_there(place, case, people, who)
        hooks.unregister_all()
        unregister()
        for hook in [before_load_schema, before_call, after_call]:
            schemathesis.hook(hook)
        if who:
            schemathesis.auth(refresh_interval=None)(Token)
        settings = place.folder / "schemathesis.toml"
        mode = "all" if role == ROLES[seed % 4] else "positive"
        settings.write_text(SETTINGS.format(examples=examples, step=STEP, steps=examples * 10, mode=mode))
        command = ["--config-file", str(settings), "run", f"{place.base}/api/openapi.json", "--seed", str(seed)]
        with contextlib.chdir(place.folder), contextlib.redirect_stdout(said):
            try:
                tool.main(command, standalone_mode=False)
            except SystemExit as end:
                wrong += [said.getvalue()] if end.code else []
        try:
            urllib.request.urlopen(f"{place.base}/health/ready", timeout=5)
        except OSError as problem:
            wrong.append(f"not ready afterwards: {problem}")
        bad = re.compile("panicked|ERROR")
        wrong += filter(bad.search, (place.folder / "demo.log").read_text().splitlines())
    for seen in ("cases/{case}", "session", "cases/{case}/documents/{document}/content"):
        if who and not answers[f"GET /api/v1/{seen}", 200]:
            wrong.append(f"{role} was never answered at {seen}")
    return wrong, answers


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=1, help="how often each of the five comes")
    options.add_argument("--examples", type=int, default=10, help="for each operation; tenfold for steps")
    options.add_argument("--seed", type=int, default=1, help="of the first round; each further round adds one")
    options.add_argument("--at-once", type=int, default=os.cpu_count(), help="worlds side by side")
    given = options.parse_args()
    runs = [(STAGES[number % 3], given.seed + number, role) for number in range(given.rounds) for role in ROLES]
    well, reached, asked = True, set(), set()
    with concurrent.futures.ProcessPoolExecutor(given.at_once) as pool:
        for run, (wrong, answers) in zip(runs, pool.map(fuzz, *zip(*runs), itertools.repeat(given.examples))):
            print(*wrong, sep="\n", end="\n" * bool(wrong))
            classes, there = collections.Counter(), 0
            for (operation, status), count in answers.items():
                classes[f"{status // 100}xx"] += count
                there += count if "{" in operation and (status < 300 or status in [409, 412]) else 0
                asked.add(operation)
                reached |= {operation} if status < 300 else set()
            print(*run, dict(classes), f"{answers.total()} requests, {there} reached something,", end=" ")
            print(f"{answers[STEP, 200]} steps taken", flush=True)
            well = well and not wrong
    print(f"{len(reached)} of {len(asked)} operations were answered well; not:", *sorted(asked - reached), sep="\n  ")
    raise SystemExit(not well)


if __name__ == "__main__":
    main()
