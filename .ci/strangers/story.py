"""The story of a case in browsers, for pages.py: each person has a browser of their own, and goes where links lead."""

import contextlib
import datetime

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from chrome import chromium, expect
from world import wait_for

DEV, LENA, MORAG, CALLUM = "Dev Hollin", "Lena Brook", "Morag Ellery", "Callum Frith"
THEIRS = "Fenland Compass"
SHARED, PRIVATE = "Shall we begin with the hall on Wednesdays?", "Only Callum should read this: the telephone suits us better."
HEARD = "Yes, with pleasure."

# What has the focus: its label or words, whether it is outlined, and whether nothing is above it.
FOCUSED = """const e = document.activeElement, r = e.getBoundingClientRect(), s = getComputedStyle(e);
const at = document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2);
return [(e.labels && e.labels.length ? e.labels[0].innerText : e.innerText || '').trim(),
  s.outlineStyle !== 'none' || s.boxShadow !== 'none', !!at && (at === e || e.contains(at) || at.contains(e))];"""


class Story:
    """Who takes part, each in a browser, and the case once there is one."""

    def __init__(self, place, tabs):
        self.place, self.tabs, self.case = place, tabs, None
        self.asked = []  # who had to show once more that it is them

    def at_case(self, who):
        """Goes to the case by what is on somebody's first page."""
        tab = self.tabs[who]
        tab.open("/board" if who == MORAG else "/cases")
        link = tab.find(f"//main//a[contains(@href, '{self.case}')]", "link to the case")
        tab.leave_by(link)
        expect(tab.path == self.case, f"the case was expected {tab.here()}")
        return tab

    def turn(self, who, title, button):
        """It is somebody's turn: they see for what, and begin."""
        tab = self.at_case(who)
        expect(tab.has("Your turn.") and tab.has(title), f"{who} should be asked: {title!r} {tab.here()}")
        return tab.follow(button)

    def done(self, tab, button, says):
        """Sends a form, and is told that it is done."""
        tab.press(button)
        expect(tab.has(says), f"after {button!r}: {says!r} was expected {tab.here()}")
        return tab

    def room(self, who, name):
        """Goes to a room of the case."""
        tab = self.at_case(who).follow("Messages", "//main//nav")
        link = tab.find(f"//main//a[starts-with(normalize-space(), 'Read') and contains(., 'in: {name}')]", f"way into {name}")
        return tab.leave_by(link)

    def say(self, who, name, text):
        self.done(self.room(who, name).fill("Your message", text), "Send", "Sent.")


@contextlib.contextmanager
def on_the_way(place, scripts=True):
    """Four people, each in a browser of their own, signed in with the buttons of the demo."""
    with contextlib.ExitStack() as stack:
        tabs = {}
        for name in (DEV, LENA, MORAG, CALLUM):
            tabs[name] = stack.enter_context(chromium(place, scripts)).be(name)
        yield Story(place, tabs)


def intake(story):
    """Every question has its page; what was written stands on the last one, and goes to CLERO."""
    tab, on = story.tabs[DEV], "Keep this and go on"
    tab.open("/cases").follow("Start a conversation").press("Start")
    story.case = "/cases/" + tab.path.split("/")[2]

    def question(words):
        expect(tab.has(words), f"the question {words!r} was expected {tab.here()}")

    question("What would you like to talk about?")
    tab.choose("No disagreement: a wish to talk", "Working together", "A shared space").press(on)
    question("Where is it about?")
    tab.fill("Look for a council", "Fenland").press("Look it up")
    tab.choose("Fenland").press(on)
    question("With whom would you like to talk?")
    tab.fill("Look for a LERO by name", THEIRS).press("Look it up").choose(THEIRS).press(on)
    question("What do you value in the other organisation?")
    tab.fill("In your own words", "They know every village hall.").press(on)
    question("what have you tried?")
    tab.fill("What is it about", "We were both asked to start a group in the same town.").fill("What have you tried", "Two telephone calls.").press(on)
    question("What would a good outcome look like")
    tab.fill("In your own words", "People there find one group that lasts.").press(on)
    question("How can we reach you")
    tab.choose("By telephone").fill("What would make it easier", "No stairs, please.").press(on)
    question("first hear of this?")
    tab.choose("They read everything I wrote").press(on)
    question("May you speak for your organisation?")
    tab.choose("I may speak for my organisation").fill("The post you hold", "Manager").choose("I have read how personal data").press(on)
    for words in ("Check what you wrote", "They know every village hall.", "Two telephone calls.", THEIRS, "as Manager", "No stairs, please."):
        question(words)
    story.done(tab, "Send it to CLERO", "It is with CLERO now.")


def early_conversation(story):
    """CLERO looks at it, somebody facilitates, and both sides come to the table."""
    lena = story.tabs[LENA]
    tab = story.turn(MORAG, "Is this the right place?", "Look at it").choose("Yes")
    story.done(tab, "Keep this", "That is kept.")
    tab = story.turn(MORAG, "Ask somebody to be the facilitator", "Choose somebody").choose(CALLUM)
    story.done(tab, "Ask this person", "They are asked")
    tab = story.turn(CALLUM, "Could you be the facilitator here?", "Look and answer")
    tab.choose("I have the time for this", "I can be even-handed", "I will say at once")
    story.done(tab, "Accept", "Both organisations are told who you are.")
    lena.open(story.case)
    expect(lena.driver.title.startswith("There is no such page") or not lena.has("A conversation"), f"Lena knows of it already {lena.here()}")
    story.done(story.turn(MORAG, "Invite the other organisation", "Look and invite"), "Send the invitation", "on its way")
    story.done(story.turn(MORAG, "Take the case on", "See what happens then"), "Begin the early conversation", "The early conversation begins")
    tab = story.turn(LENA, "Read the invitation and answer", "Read and answer")
    expect(tab.has("People there find one group that lasts."), f"what they hope for {tab.here()}")
    story.done(tab.choose("We take part"), "Send my answer", "Thank you.")
    for who in (DEV, LENA):
        story.done(story.turn(who, "Read the ground rules", "Read the ground rules"), "I agree, for my organisation", "Your agreement is kept.")


def messages(story):
    """What is said at the table is read by the other side, and what is said in private is not."""
    story.say(DEV, "The shared room", SHARED)
    tab = story.at_case(LENA)
    expect(tab.has(SHARED), f"the message is on Lena's page of the case {tab.here()}")
    expect(story.room(LENA, "The shared room").has(SHARED), "and in the room")
    story.say(LENA, "The shared room", HEARD)
    expect(story.room(DEV, "The shared room").has(HEARD), "Dev reads the answer")
    story.say(LENA, "A private room", PRIVATE)
    expect(story.at_case(CALLUM).has(PRIVATE), "Callum reads what was said in private")
    tab, pages = story.at_case(DEV), [story.case, f"{story.case}/messages", f"{story.case}/history", f"{story.case}/documents"]
    tab.follow("Messages", "//main//nav")
    pages += [one.get_attribute("href").removeprefix(tab.origin)
              for one in tab.driver.find_elements(By.CSS_SELECTOR, "main a[href*='/rooms/']")]
    for page in pages:
        tab.open(page)
        expect(PRIVATE not in tab.driver.page_source, f"Dev reads what Lena said in private {tab.here()}")
    # Not with the address either.
    theirs = story.room(LENA, "A private room").path
    tab.open(theirs)
    expect(PRIVATE not in tab.driver.page_source, f"Dev is in Lena's room {tab.here()}")


def standards(story):
    """They met; both look at the standards for themselves, and write down together what they found."""
    tab, today = story.at_case(CALLUM).follow("Write down a conversation"), datetime.date.today()
    tab.fill("Day", str(today.day)).fill("Month", str(today.month)).fill("Year", str(today.year))
    tab.fill("How long", "60").choose("By video", "Both organisations")
    story.done(tab, "Keep this", "The conversation is written down.")
    tab = story.turn(CALLUM, "Begin the standards review", "See what happens then")
    story.done(tab, "Begin the standards review", "The standards review begins")
    for who, view in ((DEV, "In place"), (LENA, "Partly")):
        tab = story.turn(who, "Look at the standards for yourselves", "Begin")
        for _ in range(60):
            if tab.path == f"{story.case}/standards":
                open_ones = tab.driver.find_elements(By.XPATH, "//main//li[.//span[text()='Not read']]/a")
                if not open_ones:
                    break
                tab.leave_by(open_ones[0])
            elif tab.path.endswith("/posts"):
                tab.choose("Yes")
                boxes = tab.driver.find_elements(By.XPATH, "//main//fieldset[2]//input[@value='prefer_not_to_say']")
                expect(boxes, f"two posts {tab.here()}")
                boxes[0].click()
                tab.press("Keep this and go on")
            else:
                tab.choose(view).fill("What is there already?", f"What there is, of {tab.path[-2:]}.").press("Keep this and go on")
        expect(tab.path == f"{story.case}/standards", f"all are read {tab.here()}")
        if who == LENA:
            expect("What there is, of" not in story.tabs[LENA].says, "Lena reads Dev's reading before both are shared")
        story.done(tab.follow("Share your reading"), "Share it", "Your reading is shared.")
    tab = story.turn(CALLUM, "Write down what they found together", "Write it down")
    for nth in range(3):
        tab.fill("Held in common", "Both grew out of their place.", nth)
    story.done(tab, "Keep it and ask both to confirm", "Both organisations are asked to confirm it.")
    for who in (DEV, LENA):
        tab = story.turn(who, "Read what you found together", "Read and confirm")
        story.done(tab, "Confirm it", "It is confirmed for your organisation.")


def agreement(story):
    """Each says what it will do; both accept the same words, and show once more that it is them; it is in force."""
    tab = story.turn(CALLUM, "Begin agreed actions", "See what happens then")
    story.done(tab, "Begin agreed actions", "Agreed actions begin")
    for who, what, first in ((DEV, "Lend two group leaders for three months.", "Cooperation"), (LENA, "Open the village hall on Wednesdays.", "Community benefit")):
        tab = story.turn(who, "Say what you would do", "Propose an action")
        tab.fill("What will be done", what).fill("Until this is so", "the group has leaders of its own")
        tab.choose(first).fill("What do people in or seeking recovery gain", "There is a warm room every week.")
        story.done(tab, "Put it on the table", "The action is on the table.")
    story.done(story.turn(CALLUM, "Send the draft round", "Look and send it round"), "Send it round", "The draft goes round.")
    for who in (DEV, LENA):
        accept(story, who)
    tab = story.turn(CALLUM, "Put the agreement in force", "Look and put it in force")
    story.done(tab, "Put it in force", "It is in force.")
    tab = story.turn(CALLUM, "Close the case", "Close the case").choose("Agreed in full.")
    for box in tab.driver.find_elements(By.CSS_SELECTOR, "main input[value='moved_to_follow_up']"):
        box.click()
    tab.choose("Every conversation that took place").fill("A summary in your own words", "They begin together.")
    tab.press("Close the case")
    for who in (DEV, LENA, CALLUM):
        tab = story.at_case(who)
        expect(tab.has("This case is closed") and tab.has("They begin together."), f"closed for {who} {tab.here()}")
        expect(tab.follow("Agreement", "//main//nav").has("What you agreed"), f"still agreed for {who}")


def accept(story, who):
    """Accepts; whoever is not fresh shows once more that it is them, with the six digits of a letter."""
    tab = story.turn(who, "Read the draft and answer", "Read and answer").follow("Accept it for your organisation")
    expect(tab.has("Lend two group leaders") and tab.has("Open the village hall"), f"the words {tab.here()}")
    before = story.place.codes(story.place.emails[who]).keys()
    tab.press("Accept it, for my organisation")
    if tab.has("Please show that it is you"):
        tab.press("Send me six digits")
        codes = lambda: [code for name, code in story.place.codes(story.place.emails[who]).items() if name not in before]
        tab.fill("Six digits from the letter", wait_for(codes, 20, f"no code came for {who}")[-1])
        tab.press("It is me")
        if tab.has("One more press"):
            tab.press("Go on")
        story.asked.append(who)
    expect(tab.has("You accepted it for your organisation"), f"accepted by {who} {tab.here()}")


def double_click(story):
    """Two clicks on a button make one message."""
    text = "Once is enough."
    tab = story.room(DEV, "The shared room").fill("Your message", text)
    button = tab.find("//main//button[normalize-space()='Send']", "button")
    tab.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, "latency": 300, "downloadThroughput": -1, "uploadThroughput": -1})
    ActionChains(tab.driver).double_click(button).perform()
    wait_for(lambda: tab.has("Sent.") or tab.has("Once is enough."), 20, "nothing comes of two clicks")
    tab.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1})
    said = story.room(DEV, "The shared room").says.count(text)
    expect(said == 1, f"two clicks made {said} messages")


def keyboard(story):
    """Everything by keys alone: the skip link, the first questions of a draft, a message."""
    tab = story.tabs[DEV]

    def key(*keys):
        ActionChains(tab.driver).send_keys(*keys).perform()

    def focused():
        return tab.driver.switch_to.active_element

    def tab_to(words, most=80):
        """Goes on from field to field until one has this label, or these words, and can be seen."""
        for _ in range(most):
            key(Keys.TAB)
            name, outlined, on_top = tab.driver.execute_script(FOCUSED)
            if name.startswith(words):
                expect(outlined and on_top, f"{words!r}: the focus is not seen ({outlined}), or something is above it ({on_top}) {tab.here()}")
                return
        expect(False, f"no Tab comes to {words!r} {tab.here()}")

    def go(words, press=Keys.ENTER):
        tab_to(words)
        tab.leave(lambda: key(press))

    for path in ("/", "/cases", "/account", story.case):
        tab.open(path)
        key(Keys.TAB)
        expect(focused().text == "Skip to the main part" and focused().location["y"] >= 0, f"the first Tab is the skip link, not {focused().text!r} {tab.here()}")
        key(Keys.ENTER)
        expect(focused().get_attribute("id") == "main", f"the skip link leads to the main part {tab.here()}")
    tab.open("/cases")
    go("Start a conversation")
    go("Start")
    tab_to("A disagreement")
    key(Keys.SPACE)
    key(Keys.ARROW_DOWN)
    tab_to("Boundaries")
    key(Keys.SPACE)
    go("Keep this and go on", Keys.SPACE)
    tab_to("Look for a council")
    key("Leeds", Keys.ENTER)
    wait_for(lambda: tab.has("Which of these?"), 20, "Enter looks it up")
    tab_to("Leeds")
    key(Keys.SPACE)
    go("Keep this and go on")
    expect(tab.has("With whom would you like to talk?"), f"the third question {tab.here()}")
    tab.follow("Back")
    expect(tab.labelled("Leeds").is_selected(), f"what was chosen by keys is kept {tab.here()}")
    story.room(DEV, "The shared room")
    tab_to("Your message")
    key("Written with keys alone.")
    go("Send")
    expect(tab.has("Written with keys alone."), f"the message is there {tab.here()}")
