"""The pages, as somebody meets them who has a browser, a keyboard or a screen reader.

Chromium walks a whole case with four people at once, once more without scripts, and by keys alone; then every kind of
page that links lead to is shown to axe-core at three widths and to the Nu checker of HTML. What is wrong with pages is
collected and said at the end.

    apt-get install chromium chromium-driver default-jre-headless npm
    pip install -r requirements-pages.txt
    PROGRAM=path/to/common-ground python pages.py [story|scripts|sweep …]"""

import pathlib
import sys
import tempfile
import time

import story
from sweep import sweep
from world import world


def whole_story(place):
    with story.on_the_way(place) as told:
        for part in (story.intake, story.early_conversation, story.messages):
            part(told)
        print("four people in four browsers came to the table; what is private stays private", flush=True)
        story.double_click(told)
        print("two clicks on a button make one message", flush=True)
        story.keyboard(told)
        print("a draft and a message by keys alone, with the focus in sight", flush=True)
        story.standards(told)
        story.agreement(told)
        print("they went through the standards, agreed, and the case is closed", flush=True)


def without_scripts(place):
    with story.on_the_way(place, scripts=False) as told:
        for part in (story.intake, story.early_conversation, story.messages):
            part(told)
    print("without scripts they come to the table too", flush=True)


def every_page(place):
    with tempfile.TemporaryDirectory(prefix="common-ground-html-") as folder:
        findings = sweep(place, pathlib.Path(folder))
    if findings:
        raise SystemExit("\n".join(["FAILED: on the pages:", *findings]))


PARTS = {"story": whole_story, "scripts": without_scripts, "sweep": every_page}


def main():
    for name in sys.argv[1:] or PARTS:
        begun = time.monotonic()
        with world() as place:
            PARTS[name](place)
        print(f"{name}: {time.monotonic() - begun:.0f} seconds", flush=True)


if __name__ == "__main__":
    main()
