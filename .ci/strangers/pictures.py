"""A picture of each kind of page, as everybody who comes to it sees it, wide and narrow.

    PROGRAM=path/to/common-ground python pictures.py [FOLDER]     (target/pictures unless said otherwise)

The pictures are FOLDER/ROLE/PAGE-WIDTH.png."""

import base64
import pathlib
import sys
import urllib.parse

from chrome import chromium
from sweep import PEOPLE, crawl, kind, one_of_each
from world import world

WIDTHS = (1280, 390)


def name_of(path):
    """A file's name for a kind of page."""
    return kind(urllib.parse.urlsplit(path).path).strip("/").replace("/", "_").replace("{", "").replace("}", "") or "home"


def take(tab, path, file, width):
    """A picture of the whole page, from its top to its bottom."""
    tab.wide(width)
    tab.open(path)
    height = tab.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]["height"]
    tab.wide(width, int(height))
    shot = tab.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})["data"]
    file.write_bytes(base64.b64decode(shot))


def main():
    folder, count = pathlib.Path(sys.argv[1] if sys.argv[1:] else "target/pictures"), 0
    with world() as place:
        for role, name in PEOPLE.items():
            browser = place.sign_in(name) if name else None
            pages, _ = crawl(place, browser, ("/cases", "/account") if browser else ("/", "/demo"), each=1)
            (folder / role).mkdir(parents=True, exist_ok=True)
            with chromium(place) as tab:
                tab.open("/health/ready")
                tab.cookie(browser)
                taken = {}
                for path in one_of_each(pages):
                    number = taken[name_of(path)] = taken.get(name_of(path), 0) + 1
                    for width in WIDTHS:
                        take(tab, path, folder / role / f"{name_of(path)}{'' if number == 1 else f'-{number}'}-{width}.png", width)
                        count += 1
            print(f"{role}: {len(taken)} kinds of pages", flush=True)
    print(f"{count} pictures are in {folder}")


if __name__ == "__main__":
    main()
