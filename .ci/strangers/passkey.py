"""A browser that nobody here wrote makes passkeys, signs in with them, and keeps the cookies.

Chromium has a virtual authenticator, driven with Selenium: what it makes and signs goes to the service, and so does
what somebody else might make of it. The lines of Set-Cookie go into Chromium as they came.

    apt-get install chromium chromium-driver
    pip install -r requirements-passkey.txt
    PROGRAM=path/to/common-ground python passkey.py"""

import base64
import contextlib
import copy
import http.server
import json
import pathlib
import threading
import time
import urllib.parse

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.virtual_authenticator import Credential, VirtualAuthenticatorOptions
from selenium.webdriver.support.ui import WebDriverWait

from world import Browser, world

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
DEV, LENA = "Dev Hollin", "Lena Brook"
KINDS = {"ES256": -7, "EdDSA": -8, "RS256": -257}

# What a page of the service does with what it was told, and what it then sends.
MAKE = """const [options, done] = arguments;
navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)})
  .then(made => done(made.toJSON()), problem => done(problem.name));"""
SIGN = """const [options, done] = arguments;
navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)})
  .then(signed => done(signed.toJSON()), problem => done(problem.name));"""


def expect(holds, said):
    """Ends the run with these words where something does not hold."""
    if not holds:
        raise SystemExit(f"FAILED: {said}")


@contextlib.contextmanager
def chromium(folder):
    """A fresh Chromium without a window. Nothing is downloaded for it."""
    for needed in (CHROMIUM, DRIVER):
        expect(pathlib.Path(needed).exists(), f"{needed} is needed: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-background-networking",
                 "disable-component-update", "disable-sync", "no-first-run", f"user-data-dir={folder}/chromium"):
        options.add_argument(f"--{flag}")
    driver = webdriver.Chrome(options=options, service=Service(executable_path=DRIVER))
    driver.set_script_timeout(30)
    try:
        yield driver
    finally:
        driver.quit()


def another_authenticator(driver):
    """A telephone or a laptop that knows its owner."""
    driver.add_virtual_authenticator(VirtualAuthenticatorOptions(
        protocol="ctap2", transport="internal", has_resident_key=True, has_user_verification=True,
        is_user_consenting=True, is_user_verified=True))


def written(octets):
    """Octets as WebAuthn writes them in JSON."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def read(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def saying(credential, **other):
    """The same answer, but what the browser says of the question is something else."""
    changed = copy.deepcopy(credential)
    said = json.loads(read(changed["response"]["clientDataJSON"])) | other
    changed["response"]["clientDataJSON"] = written(json.dumps(said, separators=(",", ":")).encode())
    return changed


def otherwise(credential, part):
    """The same answer with the last bit of one part turned."""
    changed = copy.deepcopy(credential)
    *most, last = read(changed["response"][part])
    changed["response"][part] = written(bytes([*most, last ^ 1]))
    return changed


class Page:
    """The page in Chromium, and the service beneath it."""

    def __init__(self, place, driver):
        self.place, self.driver = place, driver
        self.origin = f"http://localhost:{urllib.parse.urlsplit(place.base).port}"
        driver.get(f"{self.origin}/sign-in")
        expect(driver.title == "Sign in – Common Ground", f"the page says {driver.title!r}")

    def make(self, options):
        return self.driver.execute_async_script(MAKE, options)

    def sign(self, options):
        return self.driver.execute_async_script(SIGN, options)

    def tell(self, browser, path, body, right):
        """Sends something that must be answered with this status."""
        status, said = self.place.tell(browser, path, body)
        expect(status == right, f"{path}: {right} was expected, not {status}, {said}, for {body}")
        return said

    def refused(self, browser, path, credential, why):
        """Sends what must be refused, in the words that are the same whatever is wrong."""
        status, said = self.place.tell(browser, path, {"credential": credential, **NAME.get(path, {})})
        flaws = [flaw["pointer"] for flaw in (said or {}).get("errors", [])]
        expect((status, flaws) == (422, ["/credential"]), f"{path}, {why}: 422 was expected, not {status}, {said}")

    def session(self, browser):
        """The status of asking who somebody is in this browser."""
        return self.place.ask("/session", browser.headers)[0]

    def begin(self, browser=None):
        """A browser that is asked for a signature, and what it is asked."""
        browser = browser or Browser()
        options = self.tell(browser, "/sign-in/passkey/begin", {}, 200)
        asked = (options["rpId"], options["userVerification"], options["allowCredentials"])
        expect(asked == ("localhost", "required", []), f"whoever is there is asked, and must be verified: {options}")
        return browser, options

    def sign_in(self):
        """Signs in with a passkey, and is as fresh as with a second step."""
        browser, options = self.begin()
        said = self.tell(browser, "/sign-in/passkey", {"credential": self.sign(options)}, 200)
        expect(said["next"] == "signed_in" and said["fresh_until"], f"signed in, and fresh: {said}")
        expect(browser.cookies.keys() == {"__Host-session"}, f"the question's cookie is gone: {browser.cookies}")
        codes = self.tell(browser, "/recovery-codes", {}, 201)["recovery_codes"]
        expect(len(set(codes)) == 10, f"ten new codes on paper, at once: {codes}")
        return browser


NAME = {"/passkeys": {"name": "Telephone"}}


def enrol(page, browser):
    """Makes a passkey. What was changed on the way is refused, and the same twice; a second one is not made."""
    options = page.tell(browser, "/passkeys/begin", {}, 200)
    made = page.make(options)
    expect(isinstance(made, dict), f"Chromium makes no passkey: {made}")
    for why, other in (("another origin", {"origin": "https://evil.example"}), ("another kind", {"type": "webauthn.get"}),
                       ("another question", {"challenge": written(bytes(32))})):
        page.refused(browser, "/passkeys", saying(made, **other), why)
    kept = page.tell(browser, "/passkeys", {**NAME["/passkeys"], "credential": made}, 201)
    page.refused(browser, "/passkeys", made, "the same passkey twice")
    again = page.make(page.tell(browser, "/passkeys/begin", {}, 200))
    expect(again == "InvalidStateError", f"a device that has a passkey makes no second one: {again}")
    return kept["id"]


def every_kind(page, browser):
    """Each kind of key that the service asks for is made, kept, and opens the door."""
    kinds = page.tell(browser, "/passkeys/begin", {}, 200)["pubKeyCredParams"]
    expect([one["alg"] for one in kinds] == list(KINDS.values()), f"the kinds of keys: {kinds}")
    for name, kind in KINDS.items():
        another_authenticator(page.driver)
        options = page.tell(browser, "/passkeys/begin", {}, 200)
        made = page.make(options | {"pubKeyCredParams": [{"type": "public-key", "alg": kind}]})
        expect(isinstance(made, dict) and made["response"]["publicKeyAlgorithm"] == kind, f"{name}: {made}")
        page.tell(browser, "/passkeys", {"name": name, "credential": made}, 201)
        page.sign_in()
        page.driver.remove_virtual_authenticator()


def what_is_refused(page):
    """A signature is good once, for one question, in one browser, as it is."""
    browser, options = page.begin()
    signed = page.sign(options)
    other, other_options = page.begin()
    other_signed = page.sign(other_options)
    for why, credential in (("another origin", saying(signed, origin="https://evil.example")),
                            ("one more word", saying(signed, more=1)),
                            ("another signature", otherwise(signed, "signature")),
                            ("the answer to another browser's question", other_signed)):
        page.refused(browser, "/sign-in/passkey", credential, why)
    before = copy.deepcopy(browser)
    page.tell(browser, "/sign-in/passkey", {"credential": signed}, 200)
    expect(page.session(browser) == 200, "what was refused in other words is good as it is")
    page.refused(before, "/sign-in/passkey", signed, "the same answer twice")
    page.refused(Browser(), "/sign-in/passkey", other_signed, "without the question's cookie")
    for _ in range(5):
        page.refused(other, "/sign-in/passkey", signed, "the answer to another browser's question")
    page.refused(other, "/sign-in/passkey", other_signed, "the sixth try")


def without_verification(page):
    """Whoever does not show the device who they are gets nothing from the browser, nor, if it signs, from the service."""
    page.driver.set_user_verified(False)
    browser, options = page.begin()
    signed = page.sign(options)
    expect(signed == "NotAllowedError", f"Chromium signs although nobody was verified: {signed}")
    signed = page.sign(options | {"userVerification": "discouraged"})
    expect(isinstance(signed, dict) and not read(signed["response"]["authenticatorData"])[32] & 4, f"unverified: {signed}")
    page.refused(browser, "/sign-in/passkey", signed, "nobody was verified")
    page.driver.set_user_verified(True)
    page.tell(browser, "/sign-in/passkey", {"credential": page.sign(options)}, 200)


def a_copy(page):
    """A copy of the passkey, which has not counted what the other has signed since."""
    [there] = page.driver.get_credentials()
    secret = there.to_dict()

    def counting(count):
        page.driver.remove_all_credentials()
        page.driver.add_credential(Credential.from_dict(secret | {"signCount": count}))
        return page.sign(options)

    browser, options = page.begin()
    page.refused(browser, "/sign-in/passkey", counting(0), "a copy")
    page.tell(browser, "/sign-in/passkey", {"credential": counting(there.sign_count)}, 200)


def step_up(page, trusted):
    """In a trusted browser the password is enough to get in, and the passkey makes the session fresh."""
    browser = Browser()
    browser.cookies["__Host-browser"] = trusted
    password = {"email": page.place.emails[DEV], "password": page.place.password}
    said = page.tell(browser, "/sign-in", password, 200)
    expect(said["next"] == "signed_in" and not said.get("fresh_until"), f"in, and not fresh: {said}")
    stale = page.tell(browser, "/recovery-codes", {}, 403)
    expect(stale["type"].endswith("/fresh-step"), f"it must be fresh: {stale}")
    options = page.tell(browser, "/session/step/passkey/begin", {}, 200)
    signed, before = page.sign(options), copy.deepcopy(browser)
    expect(signed["id"] in [one["id"] for one in options["allowCredentials"]], f"one of their own passkeys: {options}")
    page.refused(browser, "/session/step/passkey", otherwise(signed, "signature"), "another signature")
    said = page.tell(browser, "/session/step/passkey", {"credential": signed}, 200)
    expect(said["fresh_until"], f"fresh: {said}")
    old, new = (one.cookies["__Host-session"] for one in (before, browser))
    expect(old != new and before.csrf != browser.csrf, "the session has a new secret")
    expect((page.session(before), page.session(browser)) == (401, 200), "the new secret opens the door, and not the old")
    page.tell(browser, "/recovery-codes", {}, 201)
    page.refused(browser, "/session/step/passkey", signed, "the same answer twice")

    # Lena has no passkey, so her browser would take any. It is not hers.
    lena = page.place.sign_in(LENA)
    signed = page.sign(page.tell(lena, "/session/step/passkey/begin", {}, 200))
    page.refused(lena, "/session/step/passkey", signed, "somebody else's passkey")


@contextlib.contextmanager
def another_port(page):
    """A server of ours beside the service, whose answers bring whatever headers and words they are told to."""
    says = {"headers": [], "words": ""}

    class Says(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            for name, value in [("Content-Type", "text/html"), *says["headers"]]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(says["words"].encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Says) as server:
        threading.Thread(target=server.serve_forever).start()

        def visit(host, headers=(), words=""):
            says.update(headers=headers, words=words)
            page.driver.get(f"http://{host}:{server.server_port}/")

        try:
            yield visit
        finally:
            server.shutdown()


def cookies_in_chromium(page):
    """The very lines of Set-Cookie, in Chromium: kept as they say, sent to the service, and gone when it says so. Cookies
    do not know ports, so they come from a server beside the service."""
    driver, browser = page.driver, Browser()

    def lines(path, body, right, of=browser):
        status, headers, said = page.place.ask(path, of.headers, body)
        expect(status == right, f"{path}: {right} was expected, not {status}, {said}")
        found = headers.get_all("Set-Cookie", [])
        of.keep(found, (said or {}).get("csrf"))
        return [("Set-Cookie", line) for line in found]

    def shown(path="/api/v1/session"):
        driver.get(f"{page.origin}{path}")
        return json.loads(driver.execute_script("return document.body.innerText"))

    def there():
        return {cookie["name"]: cookie for cookie in driver.execute_cdp_cmd("Network.getCookies", {"urls": [page.origin]})["cookies"]}

    with another_port(page) as visit:
        expect(shown()["type"].endswith("/sign-in") and not there(), "nobody is signed in yet in Chromium")
        asked = lines("/sign-in/passkey/begin", {}, 200)
        visit("localhost", asked)
        expect(there().keys() == {"__Host-challenge"}, f"the question's cookie is kept: {there()}")
        driver.get(f"{page.origin}/sign-in")
        question = {"__Host-challenge": there()["__Host-challenge"]["value"]}
        expect(question == browser.cookies, "its value is what was given")

        browser.cookies.clear()
        options = page.tell(browser, "/sign-in/passkey/begin", {}, 200)
        came = lines("/sign-in/passkey", {"credential": page.sign(options)}, 200)
        visit("localhost", came)
        cookies = there()
        expect(cookies.keys() == {"__Host-session"}, f"the session's cookie is kept, the question's is gone: {cookies}")
        cookie = cookies["__Host-session"]
        hours = (cookie["expires"] - time.time()) / 3600
        attributes = {key: cookie[key] for key in ("domain", "path", "secure", "httpOnly", "sameSite")}
        expect(attributes == {"domain": "localhost", "path": "/", "secure": True, "httpOnly": True, "sameSite": "Lax"},
               f"for this host alone, over TLS alone, hidden from scripts: {cookie}")
        expect(11.9 < hours <= 12, f"it lasts as long as the session: {hours} hours")
        expect(driver.execute_script("return document.cookie") == "", "no script reads it")
        here = shown()
        expect(here["person"]["name"] == DEV and here["csrf"] == browser.csrf, f"Chromium sends it: {here}")

        # A page of another site, which localhost is for 127.0.0.1, can lead here, and can change nothing.
        form = f'<form method="post" action="{page.origin}/api/v1/sessions/end-others"><input name="a"></form>'
        visit("127.0.0.1", words=form)
        driver.execute_script("document.forms[0].submit()")
        said = json.loads(driver.execute_script("return document.body.innerText"))
        expect(said["type"].endswith("/cross-site"), f"another site's form: {said}")
        visit("127.0.0.1", words=f'<a href="{page.origin}/api/v1/session">here</a>')
        driver.execute_script("document.links[0].click()")
        said = json.loads(driver.execute_script("return document.body.innerText"))
        expect(said["person"]["name"] == DEV, f"another site's link: {said}")

        visit("localhost", lines("/session/end", {}, 204))
        expect(not there() and shown()["type"].endswith("/sign-in"), f"signed out, and the cookie is gone: {there()}")


def on_the_pages(page):
    """The pages' own buttons: a passkey is made with a name, opens the door to where somebody was going, and makes a
    session fresh with what they asked for. A browser that is trusted stays so when somebody signs out."""
    driver, wait = page.driver, WebDriverWait(page.driver, 20)

    def open_page(path):
        driver.get(f"{page.origin}{path}")

    def press(css):
        driver.find_element(By.CSS_SELECTOR, css).click()

    def arrive(path):
        wait.until(lambda d: urllib.parse.urlsplit(d.current_url).path == path, f"{path} was expected")

    def keep(**cookies):
        for name, value in cookies.items():
            driver.execute_cdp_cmd("Network.setCookie", {"name": f"__Host-{name}", "value": value, "url": page.origin, "path": "/",
                                                         "secure": True, "httpOnly": True, "sameSite": "Lax"})

    lena = page.place.sign_in(LENA, trust=True)
    keep(session=lena.cookies["__Host-session"], browser=lena.cookies["__Host-browser"])
    another_authenticator(driver)
    open_page("/account/passkeys/add")
    driver.find_element(By.NAME, "name").send_keys("My telephone")
    press("form[data-make] button")
    arrive("/account/passkeys")
    expect("My telephone" in driver.find_element(By.TAG_NAME, "main").text, "the passkey is on the list")

    press(".who form button")
    arrive("/signed-out")
    left = {cookie["name"] for cookie in driver.execute_cdp_cmd("Network.getCookies", {"urls": [page.origin]})["cookies"]}
    expect(left == {"__Host-browser"}, f"signed out, and trusted: {left}")
    open_page("/account/codes")
    arrive("/sign-in")
    press("[data-passkey] button")
    arrive("/account/codes")

    # The session of somebody who came with the password alone is not fresh.
    press(".who form button")
    arrive("/signed-out")
    open_page("/sign-in?next=/account/codes")
    driver.find_element(By.NAME, "email!").send_keys(page.place.emails[LENA])
    driver.find_element(By.NAME, "password!").send_keys(page.place.password)
    press("main form button")
    arrive("/account/codes")
    press("main form button")
    wait.until(lambda d: d.title.startswith("Please show that it is you"), "a fresh step was expected")
    press("[data-passkey] button")
    wait.until(lambda d: d.title.startswith("Thank you"), "the way on was expected")
    press("main form button")
    wait.until(lambda d: len(d.find_elements(By.CSS_SELECTOR, ".paper li")) == 10, "ten codes were expected")
    press(".who form button")
    arrive("/signed-out")
    driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    driver.remove_virtual_authenticator()


def main():
    with world() as place, chromium(place.folder) as driver:
        page = Page(place, driver)
        browser = place.sign_in(DEV, trust=True)
        every_kind(page, browser)
        print(f"passkeys of each kind were made, and opened the door with a fresh session: {', '.join(KINDS)}")
        another_authenticator(driver)
        passkey = enrol(page, browser)
        print("a passkey that was changed on the way is not kept, nor the same one twice")
        what_is_refused(page)
        print("a signature is good once, for one question, in one browser, as it is")
        without_verification(page)
        print("nobody verified: Chromium does not sign, and what is signed all the same is refused")
        a_copy(page)
        print("a copy that counts from the beginning is refused")
        step_up(page, browser.cookies["__Host-browser"])
        print("a passkey makes a session fresh, with a new secret; somebody else's does not")
        cookies_in_chromium(page)
        print("Chromium keeps the cookies as they were given, sends them, and drops them")
        driver.get(f"{page.origin}/sign-in")
        page.sign_in()
        page.tell(browser, f"/passkeys/{passkey}/remove", {}, 204)
        left = place.ask("/passkeys", browser.headers)[2]["items"]
        expect(passkey not in [one["id"] for one in left] and len(left) == len(KINDS), f"one is gone: {left}")
        asked, options = page.begin()
        page.refused(asked, "/sign-in/passkey", page.sign(options), "a passkey that was removed")
        print("a passkey that was removed opens nothing")
        driver.remove_virtual_authenticator()
        on_the_pages(page)
        print("the pages make a passkey, sign in with it, and show once more that it is somebody")


if __name__ == "__main__":
    main()
