"""A client that nobody here wrote walks a whole case.

openapi-python-client makes it from the document the service serves, and any warning of it is a failure. Then the case
of README.md is walked from draft to closure, as somebody would write it who has only the document and that client: CLERO
with tokens, the two sides signed in with a password and six digits.

    pip install -r requirements-client.txt
    PROGRAM=path/to/common-ground python client.py"""

import datetime
import io
import os
import pathlib
import subprocess
import sys
import tempfile

from world import Browser, world

# A document that is taken home is of its own kind. The generator has to be told what that is to be in Python.
CONFIG = """{"content_type_overrides": {"*/*": "application/octet-stream"}}"""
LEAFLET = "Who,When\nŁucja,\"Wednesday, 18:00\"\n".encode()


def generate(base, folder):
    """Makes the package common_ground from the served document, ready to be imported."""
    beside = pathlib.Path(sys.executable).parent  # where the generator finds the formatter it was installed with
    config = pathlib.Path(folder, "config.json")
    config.write_text(CONFIG)
    subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--url", f"{base}/api/openapi.json",
         "--meta", "none", "--output-path", f"{folder}/common_ground", "--fail-on-warning", "--config", str(config)],
        check=True, env={**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"},
    )
    sys.path.insert(0, folder)


def walk(demo):
    """Walks a case from draft to closure, and says how many of its events the other side can read."""
    from common_ground import AuthenticatedClient, Client, models as m
    from common_ground.api.cases import (
        act, add_document, available_events, begin_case, case_history, download_document, read_case,
        read_own_reading, write_own_reading,
    )
    from common_ground.api.me import who_am_i
    from common_ground.api.session import begin_step, read_session, sign_out, step_with_code
    from common_ground.api.sign_in import sign_in, sign_in_with_code
    from common_ground.types import File

    def with_token(name):
        return AuthenticatedClient(base_url=demo.base, token=demo.tokens[name], raise_on_unexpected_status=True)

    def by(browser):
        """What this browser sends with everything: its cookies, and what shows that the page is the service's own."""
        return AuthenticatedClient(
            base_url=demo.base, token=browser.csrf, prefix="", auth_header_name="X-CSRF-Token",
            headers={"Cookie": browser.headers["Cookie"]}, raise_on_unexpected_status=True)

    def entered(browser, answer, right):
        """Keeps the cookies of an answer that says how far somebody has come."""
        assert good(answer.parsed).next_ == right, answer
        browser.keep(answer.headers.get_list("set-cookie"), answer.parsed.csrf or None)

    def signed_in(name):
        """Signs in with the password and the six digits of the letter."""
        browser, door = Browser(), Client(base_url=demo.base, raise_on_unexpected_status=True)
        password = m.SignIn(email=demo.emails[name], password=demo.password)
        code = demo.next_code(name, lambda: entered(
            browser, sign_in.sync_detailed(client=door, body=password), m.NextStep.CODE))
        door = Client(base_url=demo.base, headers=browser.headers, raise_on_unexpected_status=True)
        entered(browser, sign_in_with_code.sync_detailed(client=door, body=m.CodeAnswer(code=code)), m.NextStep.SIGNED_IN)
        here = good(read_session.sync(client=by(browser)))
        assert here.person.name == name and here.csrf == browser.csrf and here.fresh_until, here
        return browser

    def good(answer):
        """What was asked for; a problem ends the walk in its own words."""
        if isinstance(answer, m.Problem):
            raise SystemExit(f"{answer.status} {answer.title}: {answer.detail} {answer.to_dict()}")
        return answer

    def answers(who, event):
        """The hash to name in an answer: what one agrees to is exactly what one was shown."""
        for available in good(available_events.sync(case, client=who)).items:
            if available.event == event and available.allowed:
                return available.answers
        raise SystemExit(f"nobody asked them to {event}")

    def step(who, body):
        """Takes a step, saying which version of the case was seen. Then both sides have to be at the same stage."""
        tag = read_case.sync_detailed(case, client=who).headers["ETag"]
        good(act.sync(case, client=who, body=body, if_match=tag))
        for side in sides:
            seen = good(read_case.sync(case, client=side)).stage
            assert seen == stage, f"after {body.event} a side sees {seen} and not {stage}"

    coordinator, facilitator = with_token("Morag Ellery"), with_token("Callum Frith")
    browsers = {name: signed_in(name) for name in ("Dev Hollin", "Lena Brook")}
    dev, lena = map(by, browsers.values())
    callum = good(who_am_i.sync(client=facilitator)).person.id
    ours = good(who_am_i.sync(client=dev)).memberships[0].organisation
    theirs = good(who_am_i.sync(client=lena)).memberships[0].organisation

    # Dev, who leads one LERO, would like to talk with Lena's. He writes a draft and sends it.
    draft = m.SaveDraft(with_=[theirs], statement=m.Statement(
        grounds=[m.Ground.BOUNDARIES], localities=["E07000010"],
        about="We were both asked to start a group in the same town.",
        valued_in_the_other="They know every village hall.",
        good_outcome="People there find one group that lasts.",
        contact=m.Channel.PHONE, authority=m.Authority(stated=True, post="Manager"),
        first_contact=m.FirstContact.SHARE_ALL, personal_data_notice_read=True))
    case = good(begin_case.sync(client=dev, body=m.Begin(organisation=ours, draft=draft))).id
    sides, stage = [dev], m.Stage.INTAKE
    step(dev, m.SubmitEvent())

    # A coordinator sees that this is the right place, a facilitator accepts, the other organisation is invited.
    step(coordinator, m.ScreenEvent(result=m.Suitability.SUITABLE))
    step(coordinator, m.AssignFacilitatorEvent(person=callum))
    step(facilitator, m.AcceptAppointmentEvent(
        answers=answers(facilitator, "accept_appointment"),
        acceptance=m.Acceptance(available=True, impartial=True, will_disclose_changes=True)))
    unknown = read_case.sync(case, client=lena)
    assert isinstance(unknown, m.Problem) and unknown.status == 404, "Lena knows of it before she is invited"
    sides = [dev, lena]
    step(coordinator, m.InviteEvent())
    stage = m.Stage.EARLY_CONVERSATION
    step(coordinator, m.AcceptIntakeEvent())

    # Lena takes part, both agree to the ground rules, and they meet.
    step(lena, m.RespondEvent(answers=answers(lena, "respond"), answer=m.Answer.TAKE_PART))
    for side in sides:
        step(side, m.AgreeToTalkEvent(answers=answers(side, "agree_to_talk")))
    today = datetime.datetime.now(datetime.UTC).date()
    met = m.LogSessionEvent(session=m.Session(
        on=today, way=m.Way.VIDEO, who_came=m.Came.BOTH, minutes=60))

    # Who has not seen the latest version changes nothing, and the problem says so.
    stale = act.sync_detailed(case, client=facilitator, body=met, if_match='"an older one"')
    assert stale.status_code == 412 and isinstance(stale.parsed, m.Problem), stale
    assert stale.parsed.type_ == "/problems/stale", stale.parsed
    assert good(read_case.sync(case, client=facilitator)).conversation.sessions == []
    step(facilitator, met)
    stage = m.Stage.STANDARDS_REVIEW
    step(facilitator, m.BeginStandardsReviewEvent())

    # Each side reads the core standards for itself, and shares its reading.
    for side in sides:
        own = read_own_reading.sync_detailed(case, client=side)
        partly, in_place = m.Entry(view=m.View.PARTLY), m.Entry(view=m.View.IN_PLACE)
        entries = m.ReadingEntries()
        for number in good(own.parsed).scope:
            entries[str(number)] = partly if number == 2 else in_place
        reading = m.Reading(entries=entries, offices=m.Offices(
            chair=m.Attested.YES, chief_executive=m.Attested.PREFER_NOT_TO_SAY))
        own = good(write_own_reading.sync(case, client=side, body=reading, if_match=own.headers["ETag"]))
        assert own.unread == [] and own.reading.entries["2"].view == m.View.PARTLY, own
        step(side, m.ShareReadingEvent(answers=own.hash_))
    step(facilitator, m.RecordJointReadingEvent(minutes=[
        m.Minute(theme=m.Theme.AUTHENTICITY, held_in_common="Both grew out of their place."),
        m.Minute(theme=m.Theme.INDEPENDENCE, held_in_common="Both decide for themselves."),
        m.Minute(theme=m.Theme.LIVED_EXPERIENCE_LEADERSHIP,
                 held_in_common="Both are led by people who have been there."),
    ]))
    for side in sides:
        step(side, m.ConfirmJointReadingEvent(answers=answers(side, "confirm_joint_reading")))
    stage = m.Stage.AGREED_ACTIONS
    step(facilitator, m.BeginAgreedActionsEvent())

    # Both propose what they will do, both accept the very same text, and it is in force.
    step(dev, m.ProposeActionEvent(terms=m.Terms(
        owner=ours, what="Lend two group leaders for the first three months.",
        when=m.WhenBy(by=today + datetime.timedelta(days=90)), priorities=[m.Priority.COOPERATION],
        benefit="The group begins with people who know how.")))
    step(lena, m.ProposeActionEvent(terms=m.Terms(
        owner=theirs, what="Open the village hall on Wednesdays.",
        when=m.WhenUntil(until="the summer"), priorities=[m.Priority.COMMUNITY_BENEFIT],
        benefit="There is a warm room every week.")))
    step(facilitator, m.CirculateEvent())

    # A token that only reads and writes signs nothing. Lena shows once more that it is her; her session goes on with
    # another secret, and the one from before opens nothing any more.
    accept = m.AcceptAgreementEvent(answers=answers(lena, "accept_agreement"))
    refused = act.sync(case, client=with_token("Lena Brook"), body=accept)
    assert isinstance(refused, m.Problem) and refused.type_ == "/problems/fresh-step", refused
    hers = browsers["Lena Brook"]
    code = demo.next_code("Lena Brook", lambda: good(begin_step.sync(client=lena)))
    entered(hers, step_with_code.sync_detailed(client=lena, body=m.StepAnswer(code=code)), m.NextStep.SIGNED_IN)
    before, lena = lena, by(hers)
    sides = [dev, lena]
    assert read_session.sync_detailed(client=before).status_code == 401, "the session's old secret still opens the door"
    for side in sides:
        step(side, m.AcceptAgreementEvent(answers=answers(side, "accept_agreement")))
    step(facilitator, m.ConcludeAgreementEvent())

    # Dev lays down a document in the joint room. Lena takes home exactly what he laid down.
    leaflet = m.AddDocumentBody(file=File(io.BytesIO(LEAFLET), "hours.csv", "text/csv"), note="Who is there when.")
    laid_down = good(add_document.sync(case, m.Room.JOINT, client=dev, body=leaflet))
    taken = good(download_document.sync(case, laid_down.id, client=lena))
    assert taken.payload.read() == LEAFLET, taken

    # Callum closes the case. What was agreed stays in force.
    agreed = good(read_case.sync(case, client=facilitator)).agreement.in_force.actions
    assert len(agreed) == 2, agreed
    stage = m.Stage.CLOSED
    step(facilitator, m.CloseEvent(
        outcome=m.Outcome.AGREED_FULL, summary="They begin together, and one of them stays.",
        actions=[m.ActionAtClosure(action=a.id, becomes=m.AtClosure.MOVED_TO_FOLLOW_UP) for a in agreed],
        sessions_logged=True))

    first, second = (good(read_case.sync(case, client=side)) for side in sides)
    assert first.closure == second.closure and first.agreement == second.agreement, "the sides see different ends"
    assert first.closure.outcome == m.Outcome.AGREED_FULL, first.closure
    assert first.agreement.in_force.actions == agreed, first.agreement
    assert {(a.action, a.becomes) for a in first.closure.actions} == {
        (a.id, m.AtClosure.MOVED_TO_FOLLOW_UP) for a in agreed}, first.closure
    events = len(good(case_history.sync(case, client=lena, limit=100)).items)

    gone = sign_out.sync_detailed(client=lena)
    hers.keep(gone.headers.get_list("set-cookie"))
    assert gone.status_code == 204 and not hers.cookies, (gone, hers.cookies)
    assert who_am_i.sync_detailed(client=lena).status_code == 401, "who has signed out is still let in"
    return events


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, world() as demo:
        generate(demo.base, folder)
        print("a client was generated without a warning")
        print(f"it signed in, walked a case to closure and signed out; Lena reads {walk(demo)} events of it")
