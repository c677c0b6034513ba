"""Schemathesis, which knows nothing but the OpenAPI document, asks the service whatever it can make up.

It comes as a coordinator, as a representative of either side, as the facilitator, and as nobody. All five meet the
same case, each in a fresh world. What must not come back: a 5xx, a status that is not in the document, an answer that
breaks the document. A round is all five; from round to round the case is at another stage.

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
from schemathesis.cli import schemathesis as tool
from schemathesis.core.parameters import ParameterLocation as Location
from schemathesis.generation.meta import TestPhase
from schemathesis.hooks import GLOBAL_HOOK_DISPATCHER as hooks

from world import world

ROLES = ["coordinator", "initiating_lead", "invited_lead", "facilitator", "anonymous"]
STAGES = ["agreed_actions", "standards_review", "early_conversation"]
STEP = "POST /api/v1/cases/{case}/events"

# What fits the document need not be accepted: a step may not be possible now, or belong to somebody else. What does
# not fit may be refused in any way: some flaws of a body are looked for after its If-Match. And a case that was just
# begun has no readings yet.
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
[[operations]]
include-path = "/api/v1/cases/{{case}}/reading"
checks.ensure_resource_availability.enabled = false
"""

# An id, a locality's code, a number: another one fits as well as the one it replaces.
EXCHANGEABLE = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[ENSW][0-9]{8}|[0-9]+")


def cast(place, stage):
    """A case at this stage, and who meets it as what."""
    met = collections.defaultdict(dict)
    for who in place.tokens:
        for case in place.get(who, f"/cases?stage={stage}")["items"]:
            met[case["id"]].setdefault(case["you_are"], who)
    return next((case, people) for case, people in met.items() if {*people, "anonymous"} >= set(ROLES))


def what_is_there(place, case, people, who):
    """One's own ids, and real things by the names they have in addresses, queries and bodies."""

    def every(path, key="id", who=people["coordinator"]):
        return [item[key] for item in place.get(who, path)["items"]] if who else []

    me = place.get(who, "/me") if who else {"person": {"id": None}, "memberships": []}
    mine = [one["organisation"] for one in me["memberships"]]
    if mine:
        place.send(who, "/cases", {"organisation": mine[0]})  # a draft, for the steps that only a draft has
    seen = place.get(people["facilitator"], f"/cases/{case}")
    sides = [one["id"] for side in seen["sides"].values() for one in side]
    organisations, persons, places = every("/organisations"), every("/people"), every("/localities?limit=50", "code")
    return [me["person"]["id"], *(one["id"] for one in me["memberships"])], {
        "case": [case] * 30 + every("/cases", who=who) * 3 + every("/cases"),
        "organisation": sides + mine * 3, "owner": sides, "party": sides,
        "with": organisations, "together_with": organisations,
        "person": persons, "neutral": persons,
        "membership": [one for side in sides for one in every(f"/organisations/{side}/members")],
        "presence": [one for side in sides for one in every(f"/organisations/{side}/presences")],
        "notification": every("/notifications", who=who),
        "action": [one["id"] for one in seen.get("agreement", {}).get("drafting", [])],
        "code": places, "locality": places, "localities": places, "where": places,
        "entries": [str(standard) for standard in range(1, 34)],
    }


def fuzz(stage, seed, role, examples):
    """One of the five in one world: what was wrong, and how often each operation was answered how."""
    luck, answers, said, wrong = random.Random(seed), collections.Counter(), io.StringIO(), []

    def mostly():
        return luck.random() < 0.9

    def real(value, name=None):
        if isinstance(value, dict):
            return {real(key, name) if name == "entries" else key: real(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [real(item, name) for item in value]
        if not isinstance(value, str) or not mostly():
            return value
        if there.get(name) and EXCHANGEABLE.fullmatch(value):
            return luck.choice(there[name])
        # What nobody can see is refused, and generated words are full of it.
        return "".join(filter(str.isprintable, value)).strip() or value

    def hash_for(event):
        with contextlib.suppress(OSError, StopIteration):
            steps = place.get(who, f"/cases/{case}/available-events")["items"]
            return next(step.get("answers") for step in steps if step["event"] == event)

    def before_load_schema(context, document):
        # What comes first is made up most. It should not always be the same step.
        body = document["paths"]["/api/v1/cases/{case}/events"]["post"]["requestBody"]
        luck.shuffle(body["content"]["application/json"]["schema"]["oneOf"])

    def before_call(context, request, kwargs):
        # A stateful story goes on with the ids that it was given.
        stateful = request.meta.phase.name == TestPhase.STATEFUL
        for location in [Location.PATH, Location.QUERY, Location.BODY][stateful:]:
            setattr(request, location.container_name, real(request.get_container(location)))
        if not request.meta.is_negative_at(Location.HEADER):
            # With one key for everything, all but the first would only be told that it has been used.
            if mostly():
                request.headers.pop("Idempotency-Key", None)
            if "If-Match" in request.operation.headers and mostly():
                request.headers["If-Match"] = "*"
        body = request.body if isinstance(request.body, dict) else {}
        if who and isinstance(body.get("answers"), str) and mostly():
            request.body = body | {"answers": hash_for(body.get("event")) or body["answers"]}
        # Whoever does this to themselves sees little from then on.
        to_oneself = request.method == "POST" and any(value in own for value in request.path_parameters.values())
        if (to_oneself or body.get("event") in ["withdraw", "step_back"]) and luck.random() < 0.99:
            request.path_parameters = dict.fromkeys(request.path_parameters, there["with"][0])

    def after_call(context, request, answer):
        answers[request.operation.label, answer.status_code] += 1

    with world() as place:
        case, people = cast(place, stage)
        who = people.get(role)
        own, there = what_is_there(place, case, people, who)
        hooks.unregister_all()
        for hook in [before_load_schema, before_call, after_call]:
            schemathesis.hook(hook)
        settings = place.folder / "schemathesis.toml"
        settings.write_text(SETTINGS.format(examples=examples, step=STEP, steps=examples * 10))
        command = ["--config-file", str(settings), "run", f"{place.base}/api/openapi.json", "--seed", str(seed)]
        command += ["--header", f"Authorization: Bearer {place.tokens[who]}"] if who else []
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
    if who and not answers["GET /api/v1/cases/{case}", 200]:
        wrong.append(f"{role} never saw a case")
    return wrong, answers


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=3, help="how often each of the five comes")
    options.add_argument("--examples", type=int, default=10, help="for each operation; tenfold for steps")
    options.add_argument("--seed", type=int, default=1, help="of the first round; each further round adds one")
    options.add_argument("--at-once", type=int, default=os.cpu_count(), help="worlds side by side")
    given = options.parse_args()
    runs = [(STAGES[number % 3], given.seed + number, role) for number in range(given.rounds) for role in ROLES]
    well = True
    with concurrent.futures.ProcessPoolExecutor(given.at_once) as pool:
        for run, (wrong, answers) in zip(runs, pool.map(fuzz, *zip(*runs), itertools.repeat(given.examples))):
            print(*wrong, sep="\n", end="\n" * bool(wrong))
            classes, reached = collections.Counter(), 0
            for (operation, status), count in answers.items():
                classes[f"{status // 100}xx"] += count
                reached += count if "{" in operation and (status < 300 or status in [409, 412]) else 0
            print(*run, dict(classes), f"{answers.total()} requests, {reached} reached something,", end=" ")
            print(f"{answers[STEP, 200]} steps taken", flush=True)
            well = well and not wrong
    raise SystemExit(not well)


if __name__ == "__main__":
    main()
