"""A demo world for a stranger's tool: the built program on a port of its own, and who is in it.

PROGRAM names the program, target/debug/common-ground unless said otherwise."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

PROGRAM = os.environ.get("PROGRAM", "target/debug/common-ground")


class World:
    """A running service: where it is, where its files are, and the tokens of its people by name."""

    def __init__(self, base, folder, process, tokens):
        self.base, self.folder, self.process, self.tokens = base, folder, process, tokens

    def get(self, who, path):
        """What somebody is answered at a path beneath /api/v1, as JSON."""
        ask = urllib.request.Request(f"{self.base}/api/v1{path}")
        ask.add_header("Authorization", f"Bearer {self.tokens[who]}")
        with urllib.request.urlopen(ask, timeout=30) as answer:
            return json.load(answer)

    def send(self, who, path, body, method="POST"):
        """What somebody, or nobody, is answered who sends JSON there, whatever the version is now; a problem ends the run."""
        ask = urllib.request.Request(f"{self.base}/api/v1{path}", json.dumps(body).encode(), method=method)
        if who:
            ask.add_header("Authorization", f"Bearer {self.tokens[who]}")
        ask.add_header("Content-Type", "application/json")
        ask.add_header("If-Match", "*")
        try:
            with urllib.request.urlopen(ask, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as problem:
            raise SystemExit(f"{who}, {path}, {body}: {problem.read().decode()}") from None


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
            tokens = {person["name"]: person["token"] for person in people}
            yield World(f"http://127.0.0.1:{port}", folder, process, tokens)


@contextlib.contextmanager
def serve(demo, settings):
    """Ends the demo, if it still runs, and runs the service itself with the demo's data."""
    demo.process.terminate()
    demo.process.wait(30)
    port = free_port()
    where = {"DATABASE_URL": "", "DATA_DIR": str(demo.folder / "data"), "LISTEN": f"127.0.0.1:{port}"}
    with running(["serve"], port, demo.folder / "serve.log", {**where, **settings}) as process:
        yield World(f"http://127.0.0.1:{port}", demo.folder, process, demo.tokens)
