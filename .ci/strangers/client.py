"""A client that nobody here wrote walks a whole case.

openapi-python-client makes it from the document the service serves, and any warning of it is a failure. Then the case
of README.md is walked from draft to closure, as somebody would write it who has only the document and that client.

    pip install -r requirements-client.txt
    PROGRAM=path/to/common-ground python client.py"""

import datetime
import os
import pathlib
import subprocess
import sys
import tempfile

from world import world


def generate(base, folder):
    """Makes the package common_ground from the served document, ready to be imported."""
    beside = pathlib.Path(sys.executable).parent  # where the generator finds the formatter it was installed with
    subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--url", f"{base}/api/openapi.json",
         "--meta", "none", "--output-path", f"{folder}/common_ground", "--fail-on-warning"],
        check=True, env={**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"},
    )
    sys.path.insert(0, folder)


def walk(base, tokens):
    """Walks a case from draft to closure, and says how many of its events the other side can read."""
    from common_ground import AuthenticatedClient, models as m
    from common_ground.api.cases import (
        act, available_events, begin_case, case_history, read_case, read_own_reading, write_own_reading,
    )
    from common_ground.api.me import who_am_i

    def sign_in(name):
        return AuthenticatedClient(base_url=base, token=tokens[name], raise_on_unexpected_status=True)

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

    coordinator, facilitator = sign_in("Morag Ellery"), sign_in("Callum Frith")
    dev, lena = sign_in("Dev Hollin"), sign_in("Lena Brook")
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
    for side in sides:
        step(side, m.AcceptAgreementEvent(answers=answers(side, "accept_agreement")))
    step(facilitator, m.ConcludeAgreementEvent())

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
    return len(good(case_history.sync(case, client=lena, limit=100)).items)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, world() as demo:
        generate(demo.base, folder)
        print(f"a generated client walked a case to closure; Lena reads {walk(demo.base, demo.tokens)} events of it")
