"""Every kind of page that people of the demo come to by links: what is there, what axe-core says of it at three widths,
what the Nu checker says of its HTML. Used by pages.py and pictures.py."""

import concurrent.futures
import html.parser
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.parse
import urllib.request

from chrome import chromium, expect

NOBODY = None
PEOPLE = {"nobody": NOBODY, "party": "Grace Lowther", "facilitator": "Yusra Banning", "coordinator": "Morag Ellery",
          "administrator": "Petra Hale", "auditor": "Tomos Wren"}
WIDTHS = (1280, 390, 320)
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# What is one page with many contents: the same kind for each.
MANY = ((UUID, "{id}"), ("/places/[^/]+", "/places/{code}"), ("/problems/[^/]+", "/problems/{slug}"),
        ("/standards/[0-9]+$", "/standards/{number}"), ("/letters/[^/]+", "/letters/{letter}"),
        ("/mailbox/[^/]+", "/mailbox/{letter}"))
NPM = {"axe-core": "4.14.1", "vnu-jar": "26.9.27"}
SIDEWAYS = """const wide = document.documentElement.scrollWidth, room = window.innerWidth;
return wide > room ? [wide, room, [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > room + 1)
  .slice(0, 3).map(e => e.outerHTML.slice(0, 160))] : null"""
AXE = """const done = arguments[0];
axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
  .then(r => done(r.violations.map(v => [v.id, v.help, v.nodes.length,
    v.nodes.slice(0, 2).map(n => n.html.slice(0, 200) + ' | ' + n.failureSummary.slice(0, 400))])), e => done([['error', String(e), 0, []]]))"""


def from_npm(name):
    """The folder of a package from npm, fetched once."""
    folder = pathlib.Path(sys.prefix) / "npm" / f"{name}-{NPM[name]}"
    if not (folder / "package" / "package.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", "--silent", f"{name}@{NPM[name]}"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        [packed] = folder.glob("*.tgz")
        with tarfile.open(packed) as archive:
            archive.extractall(folder)
        packed.unlink()
    return folder / "package"


def kind(path):
    """What kind of page stands at an address."""
    for pattern, name in MANY:
        path = re.sub(pattern, name, path)
    return path


class Links(html.parser.HTMLParser):
    """The addresses a page leads to."""

    def __init__(self, text):
        super().__init__()
        self.links = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        address = dict(attributes).get("href")
        if tag == "a" and address and address.startswith("/"):
            self.links.append(address.split("#")[0])


def read(place, browser, path):
    """What a browser without scripts is answered at an address: the status, the kind of content, and the text."""
    request = urllib.request.Request(place.base + path, headers=browser.headers if browser else {})
    try:
        answer = urllib.request.urlopen(request, timeout=30)
    except urllib.error.HTTPError as problem:
        answer = problem
    except urllib.error.URLError as problem:
        return 0, "", str(problem)
    with answer:
        return answer.status, answer.headers.get("Content-Type", ""), answer.read().decode(errors="replace")


def crawl(place, browser, begin=("/",), each=2, most=400):
    """The pages one comes to by links, at most so `many` of `each` kind; a page that is another state of a case counts
    by its own address. Answers them by address, and what was wrong on the way."""
    pages, wrong, seen, kinds, waiting = {}, [], set(begin), {}, [(path, "the beginning") for path in begin]
    while waiting and len(pages) < most:
        path, where = waiting.pop(0)
        of = kind(urllib.parse.urlsplit(path).path)
        # Cases differ by their stage, and what one can do there: more of them.
        if kinds.get(of, 0) >= (12 if of == "/cases/{id}" else each) or of.startswith("/assets") or of.endswith((".ics", "/content", ".json")):
            continue
        status, content, text = read(place, browser, path)
        if status != 200:
            wrong.append(f"{path}: {status}, linked from {where}")
            continue
        if "text/html" not in content:
            continue
        kinds[of] = kinds.get(of, 0) + 1
        pages[path] = text
        for link in Links(text).links:
            if link not in seen and not link.startswith("//"):
                seen.add(link)
                waiting.append((link, path))
    return pages, wrong


def one_of_each(pages, cases=3):
    """The first page of each kind; of cases, some."""
    found, kinds = [], {}
    for path in pages:
        of = kind(urllib.parse.urlsplit(path).path)
        kinds[of] = kinds.get(of, 0) + 1
        if kinds[of] <= (cases if of == "/cases/{id}" else 1):
            found.append(path)
    return found


def valid(all_pages, folder):
    """What the Nu checker says of the HTML, errors and warnings alike."""
    folder.mkdir(parents=True, exist_ok=True)
    names, said_already = {}, {}
    for number, ((role, path), text) in enumerate(all_pages.items()):
        file = folder / f"{number}.html"
        file.write_text(text)
        names[file.as_uri()] = f"{role} {path}"
    jar = from_npm("vnu-jar") / "build" / "dist" / "vnu.jar"
    ran = subprocess.run(["java", "-Xss4m", "-jar", str(jar), "--format", "json", "--stdout", "--exit-zero-always", str(folder)],
                         capture_output=True, text=True, timeout=240)
    expect(ran.stdout.startswith("{"), f"the Nu checker says nothing: {ran.stderr[-1000:]}")
    for one in json.loads(ran.stdout)["messages"]:
        where = names.get(one.get("url", "").replace("file:/", "file:///").replace("file://///", "file:///"), one.get("url"))
        said = f"{one.get('subType', one['type'])}: {one['message']} … {one.get('extract', '').strip()[:160]}"
        key = (kind(urllib.parse.urlsplit(where.partition(" ")[2]).path), re.sub("“[^”]*”", "“”", one["message"]))
        said_already.setdefault(key, f"HTML {where}: {said}")
    return list(said_already.values())


def look(place, role, browser, paths, until, nth=0):
    """What axe-core says, and whether anything scrolls sideways, at each width. Answers the findings and how many pages
    there was time for."""
    axe = (from_npm("axe-core") / "axe.min.js").read_text()
    findings, looked = {}, 0
    with chromium(place) as tab:
        tab.open("/health/ready")
        tab.cookie(browser)
        for path in paths:
            if time.monotonic() > until:
                break
            tab.wide(WIDTHS[0])
            tab.open(path)
            tab.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": axe})
            for width in WIDTHS:
                tab.wide(width)
                scrolls = tab.driver.execute_script(SIDEWAYS)
                if scrolls:
                    findings.setdefault((path, "scroll"), f"SCROLL {role} {path} at {width}: {scrolls}")
                for name, help_, count, nodes in tab.driver.execute_async_script(AXE):
                    findings.setdefault((path, name), f"AXE {role} {path} at {width}: {name} ({help_}) ×{count}: {nodes}")
            looked += 1
    return list(findings.values()), looked


def together(findings):
    """The same finding of axe-core on many pages is said once, with how many they are."""
    said, pages = {}, {}
    for one in findings:
        key = re.sub(UUID, "{id}", one.partition(": ")[2]) if one.startswith("AXE") else one
        said.setdefault(key, one)
        pages[key] = pages.get(key, 0) + 1
    return [one if pages[key] == 1 else f"{one} (and on {pages[key] - 1} more pages)" for key, one in said.items()]


def sweep(place, folder, seconds=360, people=PEOPLE):
    """Crawls as everybody, and looks at what was found."""
    findings, pages, jobs, same_for_all = [], {}, [], set()
    for name in NPM:
        from_npm(name)
    browsers = {role: place.sign_in(name) if name else None for role, name in people.items()}
    for role, browser in browsers.items():
        found, wrong = crawl(place, browser, ("/", "/demo") if browser is None else ("/cases", "/account"))
        findings += [f"LINK {role} {one}" for one in wrong]
        pages |= {(role, path): text for path, text in found.items()}
        chosen = one_of_each(found)
        # What anybody may read, and one's own account, are the same for everybody beneath another header: once is enough.
        chosen = [path for path in chosen if kind(urllib.parse.urlsplit(path).path) not in same_for_all]
        same_for_all |= {of for of in (kind(urllib.parse.urlsplit(path).path) for path in found)
                         if browser is None or of.startswith("/account/")}
        jobs += [(role, browser, path) for path in chosen]
    print(f"{len(pages)} pages were crawled, {len(jobs)} of their kinds are looked at", flush=True)
    until = time.monotonic() + seconds
    looked = 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        html_says = pool.submit(valid, pages, folder)
        by_role = [(role, browser, [path for who, _, path in jobs if who == role]) for role, browser in browsers.items()]
        # Two browsers at once, one for each core: the longest list, and whatever is as long as it.
        lanes = [[], []]
        for one in sorted(by_role, key=lambda one: -len(one[2])):
            min(lanes, key=lambda lane: sum(len(paths) for _, _, paths in lane)).append(one)

        def lane(some):
            return [look(place, role, browser, paths, until) for role, browser, paths in some]

        for done in pool.map(lane, lanes):
            for found, count in done:
                findings += found
                looked += count
        findings += html_says.result()
    findings = together(findings)
    print(f"{looked} pages were looked at with axe-core at {', '.join(map(str, WIDTHS))} px", flush=True)
    if looked < len(jobs):
        findings.append(f"TIME there was no time for {len(jobs) - looked} of the {len(jobs)} pages")
    return findings
