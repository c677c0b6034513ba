"""A case with a canary in every field that takes words: none of them may ever stand in a letter."""

import datetime
import itertools

COORDINATOR, FACILITATOR, DEV, LENA = "Morag Ellery", "Callum Frith", "Dev Hollin", "Lena Brook"
CANARIES = ("Kestrelfeather", "žluťoučký")
numbers = itertools.count(1)


def step(service, case, who, event, **more):
    """Takes a step; where it answers something, what was shown."""
    possible = service.get(who, f"/cases/{case}/available-events")["items"]
    answers = {item["event"]: item.get("answers") for item in possible}[event]
    body = {"event": event, **more} | ({"answers": answers} if answers else {})
    return service.send(who, f"/cases/{case}/events", body)["case"]


def words(*names):
    """Canaries for these fields, each a new one."""
    return {name: f"{CANARIES[0]} {next(numbers)}: {CANARIES[1]} kůň." for name in names}


def live_through_a_case(service, ours, theirs, sign_in):
    """The case of README.md, up to an agreement in force. Who accepts the agreement has to `sign_in` for it."""
    statement = {
        "grounds": ["boundaries"], "localities": ["E07000010"], "contact": "phone", "first_contact": "share_all",
        "personal_data_notice_read": True, "authority": {"stated": True, **words("post")},
        **words("about", "valued_in_the_other", "good_outcome", "tried", "access_needs", "language")}
    begin = {"organisation": ours, "draft": {"with": [theirs], "statement": statement}}
    case = service.send(DEV, "/cases", begin)["id"]

    def take(who, event, **more):
        step(service, case, who, event, **more)

    take(DEV, "submit")
    take(COORDINATOR, "ask_for_more", **words("question"))
    take(DEV, "give_more", **words("answer"))
    take(COORDINATOR, "screen", result="suitable", **words("adjustments"))
    take(COORDINATOR, "assign_facilitator", person=service.get(FACILITATOR, "/me")["person"]["id"])
    take(FACILITATOR, "accept_appointment", acceptance={
        "available": True, "impartial": True, "will_disclose_changes": True, **words("disclosures")})
    take(COORDINATOR, "invite")
    take(COORDINATOR, "accept_intake")
    needs = words("access_needs", "language")
    take(LENA, "respond", answer="take_part", share_account=True, needs=needs, **words("account"))
    take(DEV, "agree_to_talk")
    take(LENA, "agree_to_talk")
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    take(FACILITATOR, "log_session", session={"on": today, "way": "video", "who_came": "both", "minutes": 60})
    take(FACILITATOR, "begin_standards_review")
    for who in (DEV, LENA):
        entries = {number: {"view": "partly", **words("in_place", "missing", "would_show_it")}
                   for number in ("1", "2", "5", "13", "28")}
        offices = {"chair": "yes", "chief_executive": "vacant"}
        service.send(who, f"/cases/{case}/reading", {"entries": entries, "offices": offices}, "PUT")
        take(who, "share_reading")
    take(FACILITATOR, "record_joint_reading", minutes=[
        {"theme": theme, **words("held_in_common", "where_we_differ", "what_would_move_it", "who_could_help")}
        for theme in ("authenticity", "independence", "lived_experience_leadership")])
    take(DEV, "confirm_joint_reading")
    take(LENA, "confirm_joint_reading")
    take(FACILITATOR, "begin_agreed_actions")

    def terms(owner):
        return {"owner": owner, "when": words("until"), "priorities": ["cooperation", "community_benefit"],
                **words("what", "benefit", "how_we_will_know", "owner_post")}

    take(DEV, "propose_action", terms=terms(ours))
    take(LENA, "propose_action", terms=terms(theirs))
    take(FACILITATOR, "circulate")
    take(LENA, "decline_agreement", **words("what_would_help"))
    proposed = service.get(LENA, f"/cases/{case}")["agreement"]["drafting"]
    take(LENA, "amend_action", action=proposed[1]["id"], terms=terms(theirs))
    take(FACILITATOR, "circulate", **words("still_open"))
    for who in (DEV, LENA):
        sign_in(who)
        take(who, "accept_agreement")
    take(FACILITATOR, "conclude_agreement")
    return case
