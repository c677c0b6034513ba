"""Slow and hostile HTTP, with Debian's slowhttptest and with a client of our own.

    PROGRAM=target/release/common-ground python3 .ci/strangers/slow.py

Two demo worlds at once: in one, slowhttptest keeps hundreds of connections slow; the other gets from our own sockets
what no decent client sends. In both, an ordinary client must go on getting quick answers. Takes about 80 seconds."""

import concurrent.futures
import contextlib
import csv
import itertools
import os
import resource
import select
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request

from world import wait_for, world

QUICK = 1  # seconds that an answer may take
DEADLINE = 13  # a head or a body may take 10; the rest is for a gentle end, and for our looking once a second
PATIENCE = 45  # when a connection must be gone, whatever it sends and whatever it does not read
GROWTH = 192  # MiB that it may take more than a demo that has just begun
wrong = []


def check(fine, said):
    """Notes what is wrong, and goes on: one run shows everything."""
    if not fine:
        wrong.append(said)
        print("WRONG:", said, flush=True)


class Watched:
    """A world with an ordinary client in it, and what can be seen of its service from outside."""

    def __init__(self, its_world):
        self.world, self.pid, at = its_world, its_world.process.pid, urllib.parse.urlsplit(its_world.base)
        # The longest page is made when somebody first asks for it; that is not what is looked at here.
        urllib.request.urlopen(f"{its_world.base}/api/docs").read()
        self.memory_at_first = self.memory("VmRSS")
        self.host, self.address, self.files_at_first = f"Host: {at.netloc}\r\n", (at.hostname, at.port), self.files()
        self.live = f"GET /health/live HTTP/1.1\r\n{self.host}"
        self.post = f"POST /api/v1/cases HTTP/1.1\r\n{self.host}Content-Type: application/json\r\n"
        self.chunked = f"{self.post}Transfer-Encoding: chunked\r\n"

    def memory(self, kind):
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) // 1024 for line in status if line.startswith(kind))

    def files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def calm(self, seconds):
        """Whether within these seconds no more files are open than at first, but for the ordinary client's own."""
        end = time.monotonic() + seconds
        while (over := self.files() - self.files_at_first) > 4 and time.monotonic() < end:
            time.sleep(0.2)
        return over <= 4

    def held(self):
        """The ports of those whose connections the service has open. Who does not read cannot tell by themselves."""
        with open(f"/proc/{self.pid}/net/tcp") as table:
            rows = [row.split() for row in table]
        # One without an inode is the kernel's alone.
        return {int(row[2][-4:], 16) for row in rows if row[1].endswith(f":{self.address[1]:04X}") and row[9] != "0"}

    @contextlib.contextmanager
    def others(self, meanwhile):
        """Somebody who goes on asking decently."""
        took, over = [], threading.Event()

        def ask():
            while not over.wait(0.05):
                begun = time.monotonic()
                try:
                    self.world.get(next(iter(self.world.tokens)), "/cases?limit=5")
                    took.append(time.monotonic() - begun)
                except OSError:
                    took.append(999)

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            yield
        finally:
            over.set()
            asking.join()
        said = f"{len(took)} ordinary answers, p99 {sorted(took)[len(took) * 99 // 100]:.3f} s, longest {max(took):.2f} s"
        print(f"{meanwhile}: {said}", flush=True)
        check(max(took) <= QUICK, f"{meanwhile}: {said}")

    def well(self, name):
        """Whether after everything it is alive and small, and has written of no error of its own."""
        check(self.world.process.poll() is None, f"{name}: the service has ended")
        check(self.calm(10), f"{name}: {self.files()} files are open, at first {self.files_at_first}")
        most, first = self.memory("VmHWM"), self.memory_at_first
        print(f"{name}: at most {most} MiB, at first {first}; {self.files()} files open, at first {self.files_at_first}", flush=True)
        check(most <= first + GROWTH, f"{name}: it took {most} MiB, at first {first}")
        log = (self.world.folder / "demo.log").read_text().splitlines()
        bad = [line for line in log if "panicked" in line or " ERROR " in line]
        check(not bad, f"{name}: {len(bad)} errors in the log, like {bad[-1:]}")


def with_slowhttptest(seen):
    """300 connections, each slow in the same way, until the service has closed them."""
    for way, seconds, path, options in [
        ("slow heads", DEADLINE, "/health/live", "-H -i 2"),
        ("slow bodies", DEADLINE, "/api/v1/cases", "-B -i 2 -s 8192 -f application/json"),
        # Ten times the largest page: less would fit into the kernel's buffers.
        ("slow readers", PATIENCE, "/api/docs", "-X -k 10 -w 512 -y 1024 -n 5 -z 32"),
    ]:
        report = seen.world.folder / way.replace(" ", "-")
        command = f"slowhttptest -c 300 -r 200 -l 100 -x 10 -p 3 -g -o {report} -u {seen.world.base}{path} {options}"
        with seen.others(f"300 {way}"), subprocess.Popen(command.split(), stdout=subprocess.PIPE, text=True) as tool:
            try:
                wait_for(lambda: seen.files() > seen.files_at_first + 270, 20, f"the {way} did not come")
                check(seen.calm(seconds), f"{way}: {seen.files() - seen.files_at_first} are not closed after {seconds} s")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    tool.wait(3)
            finally:
                tool.send_signal(2)
            said = tool.communicate()[0]
        # What it has not read it cannot see closed.
        check(way == "slow readers" or "No open connections left" in said, f"slowhttptest says {way} were not closed")
        with open(f"{report}.csv") as rows:
            away = [row["Seconds"] for row in csv.DictReader(rows) if row["Service Available"] == "0"]
        check(not away, f"{way}: slowhttptest says the service was away in the seconds {away}")


def statuses(read):
    return [int(part[2:5]) for part in read.split(b"HTTP/1.")[1:]]


OVER = ("1000\r\n" + "x" * 4096 + "\r\n") * 80


def hostile(seen):
    """What is sent in one go: its name, the bytes, the right answers, and whether the connection must end."""
    host, live, post, chunked, smuggled = seen.host, seen.live, seen.post, seen.chunked, f"\r\n0\r\n\r\n{seen.live}\r\n"
    keys, one_and_another = "&".join(f"{n}=" for n in range(10_000)), f"{live}\r\nGET /nowhere HTTP/1.1\r\n{host}\r\n"
    return [
        ("a length over the cap", f"{post}Content-Length: 262145\r\n\r\n", [413], True),
        ("a length over the cap, and 100?", f"{post}Expect: 100-continue\r\nContent-Length: 262145\r\n\r\n", [413], True),
        ("a length of 2^66", f"{post}Content-Length: 73786976294838206464\r\n\r\n", [400, 413], True),
        ("chunks over the cap", f"{chunked}\r\n{OVER}0\r\n\r\n", [413], False),
        ("a chunk of 2^65", f"{chunked}\r\n1ffffffffffffffff\r\n{{}}", [400], True),
        ("chunks that end in LF", f"{chunked}\r\n2\n{{}}\n0\n\n", [400], True),
        ("two lengths", f"{post}Content-Length: 2\r\nContent-Length: 60\r\n\r\n{{}}", [400], True),
        ("the same length twice", f"{post}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}", [400], True),
        ("length, chunked", f"{post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n{smuggled}", [400], True),
        ("chunked, length", f"{chunked}Content-Length: 4\r\n{smuggled}", [400], True),
        ("chunked, but not quite", f"{post}Transfer-Encoding: \x0bchunked\r\n{smuggled}", [400], True),
        ("a space before the colon", f"{post}Transfer-Encoding : chunked\r\n{smuggled}", [400], True),
        ("chunked in HTTP/1.0", chunked.replace("1.1", "1.0", 1) + smuggled, [400], True),
        ("a folded header", f"{live}X-A: b\r\n c\r\n\r\n", [400], True),
        ("bare LF", f"{live}\r\n".replace("\r", ""), [200, 400], False),  # RFC 9112, 2.2: may be read
        ("bare CR", f"{live}X-A: b\rc\r\n\r\n", [400], True),
        ("NUL in a header", f"{live}X-A: b\0c\r\n\r\n", [400], True),
        ("NUL in the address", f"GET /health/li\0ve HTTP/1.1\r\n{host}\r\n", [400], True),
        ("a header of 100 kB", f"{live}X-A: {'a' * 100_000}\r\n\r\n", [200, 431], False),
        ("a header of 1 MB", f"{live}X-A: {'a' * 1_000_000}\r\n\r\n", [431, None], True),  # a reset can hide the answer
        ("1000 headers", live + "".join(f"X-{n}: b\r\n" for n in range(1000)) + "\r\n", [400, 431], True),
        ("an address of 60 kB", f"GET /{'a' * 60_000} HTTP/1.1\r\n{host}\r\n", [404, 414], False),
        ("an address of 100 kB", f"GET /{'a' * 100_000} HTTP/1.1\r\n{host}\r\n", [400, 414], True),
        ("10,000 keys", f"GET /api/v1/organisations?{keys} HTTP/1.1\r\n{host}\r\n", [400], False),
        ("HTTP/1.0", f"GET /health/live HTTP/1.0\r\n{host}\r\n", [200], True),
        ("HTTP/1.0 without Host", "GET /health/live HTTP/1.0\r\n\r\n", [400], True),
        ("HTTP/1.1 without Host", "GET /health/live HTTP/1.1\r\n\r\n", [400], True),
        ("two Hosts", f"{live}{host}\r\n", [400], True),
        ("HTTP/0.9", "GET /health/live\r\n\r\n", [400], True),
        ("a method in lower case", f"get /health/live HTTP/1.1\r\n{host}\r\n", [400, 405, 501], False),
        ("another host's address", f"GET http://elsewhere.example/health/live HTTP/1.1\r\n{host}\r\n", [421], False),
        ("OPTIONS *", f"OPTIONS * HTTP/1.1\r\n{host}\r\n", [204, 404, 405], False),
        ("TRACE", f"TRACE /health/live HTTP/1.1\r\n{host}X-A: canary\r\n\r\n", [405, 501], False),
        ("CONNECT elsewhere", f"CONNECT elsewhere.example:443 HTTP/1.1\r\n{host}\r\n", [400, 405, 421, 501], False),
        ("CONNECT to us", f"CONNECT {host[6:-2]} HTTP/1.1\r\n{host}\r\n", [400, 404, 405, 501], False),
        ("Upgrade", f"{live}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", [200], False),  # RFC 9110, 7.8: may be ignored
        ("HTTP/2 unasked", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", [400, 505], True),
        ("TLS", "\x16\3\1\0\xc4\1\0\0\xc0\3\3" + "\xfe" * 180, [400], True),
        ("half a body, half closed", f"{post}Content-Length: 100\r\n\r\n{{", [400], True),
        ("half a chunk, half closed", f"{chunked}\r\n5\r\n{{}}", [400], True),
        ("half a head, half closed", live, [400, None], True),
        ("50 requests", one_and_another * 25, [200, 404] * 25, False),
    ]


def in_one_go(seen):
    """Each gets its answer at once, and no more than its answer."""
    def judge(case):
        name, sent, right, ends = case
        with socket.create_connection(seen.address) as sock:
            begun, first, closed, read = time.monotonic(), 999, False, b""
            with contextlib.suppress(OSError):
                sock.sendall(sent.encode("latin-1"))
                if "half closed" in name:
                    sock.shutdown(socket.SHUT_WR)
            while not closed and select.select([sock], [], [], max(0, begun + 3 - time.monotonic()))[0]:
                first, more = min(first, time.monotonic() - begun), b""
                with contextlib.suppress(ConnectionResetError):
                    more = sock.recv(65536)
                read, closed = read + more, not more
        got = [status for status in statuses(read) if status != 100]
        fits = got == right if len(right) == 50 else len(got) < 2 and (got or [None])[0] in right
        fine = fits and first <= QUICK and (closed or not ends) and b"canary" not in read
        check(fine, f"{name}: {got} after {first:.2f} s, {'closed' if closed else 'open'}")

    with seen.others("hostile requests"), concurrent.futures.ThreadPoolExecutor(16) as pool:
        print(len(list(pool.map(judge, hostile(seen)))), "hostile requests", flush=True)


class Slow:
    """A connection that begins with something, and sends something more each second."""

    def __init__(self, seen, name, begin, then, right, seconds):
        self.name, self.then, self.right, self.seconds = name, then, right, seconds
        self.begun, self.read, self.gone, self.sock = time.monotonic(), b"", None, socket.socket()
        if not right:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.sock.connect(seen.address)
        self.port = self.sock.getsockname()[1]
        self.sock.sendall(begin.encode())
        self.sock.setblocking(False)

    def tick(self, held):
        with contextlib.suppress(OSError):
            while self.right and (more := self.sock.recv(65536)):
                self.read += more
        if self.port not in held:
            self.gone = self.gone or time.monotonic() - self.begun
        with contextlib.suppress(OSError):
            self.sock.send(next(self.then).encode())


def bit_by_bit(seen):
    """Who dawdles is told so at the deadline, and nobody holds a connection for ever."""
    live, post, chunked, large = seen.live, seen.post, f"{seen.chunked}\r\n", f"GET /api/openapi.json HTTP/1.1\r\n{seen.host}\r\n"
    nothing, chunks, letters = (itertools.repeat(what) for what in ("", "1\r\n \r\n", "a"))
    cases = [  # its name, what it begins with, what it then sends each second, the right answers, when it must be gone
        ("never used", "", nothing, [408], DEADLINE),
        ("a head, byte by byte", live, letters, [408], DEADLINE),
        ("empty lines", "", itertools.repeat("\r\n"), [408], DEADLINE),
        ("a body, byte by byte", f"{post}Content-Length: 1000\r\n\r\n", letters, [408], DEADLINE),
        ("a body that never comes", f"{post}Content-Length: 1000\r\n\r\n", nothing, [408], DEADLINE),
        ("100? and nothing", f"{post}Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", nothing, [100, 408], DEADLINE),
        ("idle after an answer", f"{live}\r\n", nothing, [200], DEADLINE),
        ("chunk by chunk", chunked, chunks, [408], PATIENCE),
        ("a chunk's size, digit by digit", chunked, itertools.repeat("0"), [408], PATIENCE),
        ("chunks after 413", chunked + OVER, chunks, [413], PATIENCE),
        ("nothing after 413", chunked + OVER, nothing, [413], PATIENCE),
        ("chunks after 421", chunked.replace(seen.host, "Host: elsewhere.example\r\n"), chunks, [421], PATIENCE),
        ("a second head, byte by byte", f"{live}\r\n", itertools.chain(["", "GET /"], letters), [200], PATIENCE),
        ("a second head, left", f"{live}\r\n", itertools.chain(["", "GET /"], nothing), [200], PATIENCE),
        *[("sixty answers not read", large * 60, nothing, [], PATIENCE)] * 100,
    ]
    with seen.others("slow requests"):
        slow, end = [Slow(seen, *case) for case in cases], time.monotonic() + PATIENCE + 2
        while time.monotonic() < end and not all(one.gone for one in slow):
            time.sleep(1)
            held = seen.held()
            for one in slow:
                one.tick(held)
    for name, alike in itertools.groupby(slow, lambda one: one.name):
        one = max(alike, key=lambda one: one.gone or 999)
        got, said = statuses(one.read), f"gone after {one.gone:.0f} s" if one.gone else "never closed"
        print(f"  {name}: {got}, {said}", flush=True)
        check((one.gone or 999) <= one.seconds, f"{name}: {said}, should be within {one.seconds} s")
        check(got in (one.right, [*one.right, 408]), f"{name}: {got}")
    for one in slow:
        one.sock.close()


def crowd(seen):
    """Two thousand who come and say nothing: they go by the deadline, and the service is there again."""
    def came(sock):
        sock.settimeout(0.5)
        return sock.connect_ex(seen.address) == 0

    socks = [socket.socket() for _ in range(2000)]
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        inside = sum(pool.map(came, socks))
    print(f"{inside} idle connections, {seen.files() - seen.files_at_first} of them let in", flush=True)
    # As many as are let in stay for the deadline of a head; then it is the turn of those who wait.
    check(seen.calm(60), "idle connections are not closed after 60 s")
    with seen.others("after the crowd"):
        time.sleep(1)
    for sock in socks:
        sock.close()


def main():
    if not shutil.which("slowhttptest"):
        raise SystemExit("slowhttptest is needed: apt-get install slowhttptest")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with world() as one, world() as other, concurrent.futures.ThreadPoolExecutor() as pool:
        first, second = Watched(one), Watched(other)
        tool = pool.submit(with_slowhttptest, first)
        for part in (in_one_go, bit_by_bit, crowd):
            part(second)
        tool.result()
        first.well("slowhttptest")
        second.well("our own client")
    print("slow and hostile HTTP:", f"{len(wrong)} things are wrong" if wrong else "all is well")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
