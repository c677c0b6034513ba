"""A demo world for a stranger's tool: the built program on a port of its own, and who is in it.

PROGRAM names the program, target/debug/common-ground unless said otherwise."""

import contextlib
import email
import email.policy
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

PROGRAM = os.environ.get("PROGRAM", "target/debug/common-ground")


class Browser:
    """As much of a browser as signing in needs. Its cookies are for TLS and for this host alone: over plain HTTP no
    library sends them back, so they are kept and sent by hand."""

    def __init__(self):
        self.cookies, self.csrf = {}, None

    @property
    def headers(self):
        """What says who is asking, and that it is a page of the service."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return ({"Cookie": cookies} if cookies else {}) | ({"X-CSRF-Token": self.csrf} if self.csrf else {})

    def keep(self, lines, csrf=None):
        """Keeps what an answer brought: the lines of Set-Cookie, each as it must be, and what its body said."""
        for line in lines:
            pair, *attributes = line.split("; ")
            name, value = pair.split("=", 1)
            age = int(dict(one.partition("=")[::2] for one in attributes)["Max-Age"])
            right = sorted(["Path=/", f"Max-Age={age}", "Secure", "HttpOnly", "SameSite=Lax"])
            if not name.startswith("__Host-") or sorted(attributes) != right or bool(value) != (age > 0):
                raise SystemExit(f"FAILED: this is no cookie of ours: {line}")
            self.cookies.pop(name, None)
            if value:
                self.cookies[name] = value
        self.csrf = csrf or self.csrf


def six_digits(text):
    """The code of a letter that brings one."""
    found = [line for line in text.splitlines() if re.fullmatch("[0-9]{6}", line)]
    return found[0] if len(found) == 1 else None


class World:
    """A running service: where it is, where its files are, and its people by name: their addresses, their tokens, and
    the browsers they are signed in with."""

    def __init__(self, base, folder, process, emails, tokens, browsers, password):
        self.base, self.folder, self.process, self.password = base, folder, process, password
        self.emails, self.tokens, self.browsers, self.opened = emails, tokens, browsers, {}

    def headers(self, who):
        """What says that it is them: the cookies of their browser, if they are signed in, or their token."""
        if who in self.browsers:
            return self.browsers[who].headers
        return {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}

    def ask(self, path, headers, body=None, method=None):
        """What is answered at a path beneath /api/v1: the status, the headers, and the JSON, if there is any."""
        octets = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}/api/v1{path}", octets, headers, method=method)
        if octets is not None:
            request.add_header("Content-Type", "application/json")
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as problem:
            answer = problem
        with answer:
            read = answer.read()
        return answer.status, answer.headers, json.loads(read) if read else None

    def get(self, who, path):
        """What somebody is answered there, as JSON; a problem ends the run."""
        status, _, said = self.ask(path, self.headers(who))
        if status != 200:
            raise SystemExit(f"{who}, {path}: {status} {said}")
        return said

    def send(self, who, path, body, method="POST"):
        """What somebody, or nobody, is answered who sends JSON there, whatever the version is now; a problem ends the run."""
        status, _, said = self.ask(path, self.headers(who) | {"If-Match": "*"}, body, method)
        if status >= 300:
            raise SystemExit(f"{who}, {path}, {body}: {status} {said}")
        return said

    def tell(self, browser, path, body=None):
        """What somebody is answered who sends JSON there with this browser, which keeps the cookies: status and JSON."""
        status, headers, said = self.ask(path, browser.headers, body or {})
        browser.keep(headers.get_all("Set-Cookie", []), (said or {}).get("csrf"))
        return status, said

    def letters(self, address):
        """The words of the letters in the folder that went to an address, by the names of the letters."""
        for file in (self.folder / "data" / "mail").glob("*.eml"):
            if file.name not in self.opened:
                letter = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
                text = letter.get_body(("plain",)).get_content()
                self.opened[file.name] = (letter["To"].addresses[0].addr_spec, text)
        return {name: text for name, (to, text) in self.opened.items() if to == address}

    def codes(self, address):
        """The six digits that such letters brought."""
        return {name: six_digits(text) for name, text in self.letters(address).items() if six_digits(text)}

    def next_code(self, who, ask, codes=None):
        """The six digits of the letter that comes to somebody because of what `ask` does. `codes` says which letters
        there are, if they are not in the folder."""
        codes, address = codes or self.codes, self.emails[who]
        before = codes(address).keys()
        ask()

        def new():
            return [code for letter, code in codes(address).items() if letter not in before]

        return wait_for(new, 20, f"no code came for {who}")[-1]

    def sign_in(self, who, password=None, codes=None, trust=False):
        """Signs somebody in with their password and the six digits; from then on they ask with that browser, and for
        ten minutes with a fresh second step. They may `trust` it."""
        browser, word = Browser(), password or self.password

        def enter(path, body, right):
            status, said = self.tell(browser, path, body)
            if status != 200 or said["next"] != right:
                raise SystemExit(f"FAILED: {who} does not get in at {path}: {status} {said}")

        type_it = lambda: enter("/sign-in", {"email": self.emails[who], "password": word}, "code")
        answer = {"code": self.next_code(who, type_it, codes), "trust_this_browser": trust}
        enter("/sign-in/code", answer, "signed_in")
        self.browsers[who] = browser
        return browser


def free_port():
    """A port nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, seconds, said="it did not happen in time"):
    """Asks until `what()` is something, and answers that."""
    end = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        if time.monotonic() > end:
            raise SystemExit(f"after {seconds} seconds: {said}")
        time.sleep(0.1)


@contextlib.contextmanager
def running(arguments, port, log, settings):
    """Runs the program until it is ready, and ends it afterwards."""
    with open(log, "ab") as written:
        process = subprocess.Popen(
            [PROGRAM, *arguments], stdout=written, stderr=subprocess.STDOUT, env={**os.environ, **(settings or {})},
        )

        def ready():
            if process.poll() is not None:
                raise SystemExit(log.read_text())
            with contextlib.suppress(OSError):
                return urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5).status == 200

        try:
            wait_for(ready, 120, "the service is not ready")
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise SystemExit("the service does not end when it is asked to")


@contextlib.contextmanager
def world(settings=None):
    """Runs the demo with further settings from the environment, and ends it afterwards."""
    with tempfile.TemporaryDirectory(prefix="common-ground-") as folder:
        folder, port = pathlib.Path(folder), free_port()
        arguments = ["demo", "--fresh", "--listen", f"127.0.0.1:{port}", "--data", str(folder / "data")]
        with running(arguments, port, folder / "demo.log", settings) as process:
            people = json.loads((folder / "data" / "demo-people.json").read_text())
            emails, tokens = ({person["name"]: person[key] for person in people} for key in ("email", "token"))
            password = re.search("Everybody's password: (.+)", (folder / "demo.log").read_text())[1]
            yield World(f"http://127.0.0.1:{port}", folder, process, emails, tokens, {}, password)


@contextlib.contextmanager
def serve(demo, settings):
    """Ends the demo, if it still runs, and runs the service itself with the demo's data."""
    demo.process.terminate()
    demo.process.wait(30)
    port = free_port()
    data = demo.folder / "data"
    where = {"DATABASE_URL": "", "DATA_DIR": str(data), "KEY_FILE": str(data / "demo.key"), "LISTEN": f"127.0.0.1:{port}"}
    with running(["serve"], port, demo.folder / "serve.log", {**where, **settings}) as process:
        yield World(f"http://127.0.0.1:{port}", demo.folder, process, demo.emails, demo.tokens, demo.browsers,
                    demo.password)
