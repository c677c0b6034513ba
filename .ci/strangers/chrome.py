"""Chromium for the scripts that look at pages: started fresh, led like a person leads it, and always ended."""

import contextlib
import pathlib
import tempfile
import time
import urllib.parse

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = ("headless=new", "no-sandbox", "disable-gpu", "disable-background-networking", "disable-component-update",
         "disable-sync", "no-first-run", "hide-scrollbars")


def expect(holds, said):
    """Ends the run with these words where something does not hold."""
    if not holds:
        raise SystemExit(f"FAILED: {said}")


def quoted(text):
    """Words as XPath takes them, whatever quotation marks are in them."""
    return "concat('', " + ", \"'\", ".join(f"'{part}'" for part in text.split("'")) + ")"


@contextlib.contextmanager
def chromium(place, scripts=True):
    """A fresh Chromium without a window, at a world's address as passkeys know it."""
    for needed in (CHROMIUM, DRIVER):
        expect(pathlib.Path(needed).exists(), f"{needed} is needed: apt-get install chromium chromium-driver")
    with tempfile.TemporaryDirectory(prefix="common-ground-chromium-", ignore_cleanup_errors=True) as folder:
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in (*FLAGS, f"user-data-dir={folder}"):
            options.add_argument(f"--{flag}")
        driver = webdriver.Chrome(options=options, service=Service(executable_path=DRIVER))
        try:
            driver.set_script_timeout(60)
            driver.set_page_load_timeout(60)
            if not scripts:
                driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
            yield Tab(place, driver)
        finally:
            driver.quit()


class Tab:
    """One browser, and what a person does with it: reads, follows links and presses buttons by their words, fills in
    fields by their labels."""

    def __init__(self, place, driver):
        self.driver, self.origin = driver, f"http://localhost:{urllib.parse.urlsplit(place.base).port}"

    def open(self, path):
        self.driver.get(self.origin + path)
        return self

    def cookie(self, browser):
        """Is signed in as the browser of the world is."""
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        for name, value in (browser.cookies if browser else {}).items():
            self.driver.execute_cdp_cmd("Network.setCookie", {
                "name": name, "value": value, "url": self.origin, "path": "/", "secure": True, "httpOnly": True,
                "sameSite": "Lax"})

    def wide(self, width, height=844):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    @property
    def path(self):
        return urllib.parse.urlsplit(self.driver.current_url).path

    @property
    def says(self):
        """The words of the page's main part."""
        for _ in range(50):  # a page may be on its way out
            with contextlib.suppress(StaleElementReferenceException, NoSuchElementException):
                return self.driver.find_element(By.TAG_NAME, "main").text
            time.sleep(0.05)
        raise SystemExit(f"FAILED: {self.path}: there is no page of ours: {self.driver.page_source[:500]}")

    def here(self):
        return f"at {self.path} ({self.driver.title}):\n{self.says[:1500]}"

    def find(self, xpath, what):
        """The first that is shown, of what may be there more than once."""
        found = [one for one in self.driver.find_elements(By.XPATH, xpath) if one.is_displayed()]
        expect(found, f"there is no {what} {self.here()}")
        return found[0]

    def has(self, words):
        return words in self.says

    def root(self):
        """What tells one page from the next."""
        for _ in range(200):  # there is nothing for a moment, between one page and the next
            with contextlib.suppress(WebDriverException):
                return self.driver.find_element(By.TAG_NAME, "html").id
            time.sleep(0.05)
        raise SystemExit(f"FAILED: {self.path}: there is no page")

    def leave_by(self, element):
        """Clicks, and waits until the page that was there is another."""
        return self.leave(element.click)

    def leave(self, act):
        """Does something that leads away, and waits until another page is there down to its foot."""
        before = self.root()
        act()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self.root() != before and self.driver.find_elements(By.CSS_SELECTOR, "body > footer"):
                return self
            time.sleep(0.03)
        raise SystemExit(f"FAILED: nothing comes of a press {self.here()}")

    def follow(self, words, within="//main"):
        """Follows the link of these words."""
        return self.leave_by(self.find(f"{within}//a[normalize-space()={quoted(words)}]", f"link {words!r}"))

    def press(self, words, within="//main"):
        """Presses the button of these words."""
        return self.leave_by(self.find(f"{within}//button[normalize-space()={quoted(words)}]", f"button {words!r}"))

    def labelled(self, label, nth=0):
        """The field of a label: its words, or how they begin."""
        begin = f"//main//label[starts-with(normalize-space(), {quoted(label)})]"
        found = [one for one in self.driver.find_elements(By.XPATH, begin) if one.is_displayed()]
        expect(len(found) > nth, f"there is no field {label!r} {self.here()}")
        return self.driver.find_element(By.ID, found[nth].get_attribute("for"))

    def fill(self, label, text, nth=0):
        field = self.labelled(label, nth)
        field.clear()
        field.send_keys(text)
        return self

    def choose(self, *labels):
        """Ticks boxes and chooses among buttons, by their labels."""
        for label in labels:
            box = self.labelled(label)
            if not box.is_selected():
                box.click()
        return self

    def be(self, name):
        """Becomes somebody of the demo with one press."""
        self.open("/demo").press(f"Be {name}")
        expect(self.path != "/demo", f"{name} is not signed in {self.here()}")
        return self
