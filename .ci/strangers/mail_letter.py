"""What every letter has to be (SAFETY §2, docs/EMAIL.md), as two parsers see it that nobody here wrote."""

import collections
import datetime
import email.policy
import html
import re

import fast_mail_parser

from mail_servers import SENDER

SENDER_NAME, ANSWERS_TO = "Common Ground – Tír Choiteann", "people@clero.example"
SITE = "https://common-ground.example"
ONCE = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type")


def squeezed(text):
    return " ".join(text.split())


def check(octets, name, mailbox, references, not_said):
    """Ends the run unless the letter is good for this reader, of these cases; answers its id and its text."""
    letter = email.message_from_bytes(octets, policy=email.policy.default)
    # Python 3.11 puts blanks between the encoded words of a long name, so names are taken from the other parser.
    other = fast_mail_parser.parse_email(octets)

    def holds(this, said):
        if not this:
            whole = octets.decode(errors="replace")
            raise SystemExit(f"FAILED: the letter {letter['Subject']!r} for {mailbox}: {said}\n{whole}")

    check_octets(octets[octets.index(b"From: "):], holds)
    check_headers(letter, other, name, mailbox, holds)
    text, source = check_parts(letter, other, name, holds)
    said = squeezed("\n".join([*(f"{key}: {value}" for key, value in letter.items()), text, html.unescape(source)]))
    told = [word for word in not_said if word.lower() in said.lower().replace(name.lower(), "")]
    holds(not told, f"it says {told}")
    holds(set(re.findall(r"CG-\d{4}-\w+", said)) <= references, f"no case but the reader's: {references}")
    return letter["Message-ID"][1:37], text


def check_octets(ours, holds):
    """ASCII, and no line too long: RFC 5322 §2.1.1, RFC 2047 §2, RFC 2045 §6.7."""
    head, body = re.split(rb"\r?\n\r?\n", ours, maxsplit=1)
    holds(ours.isascii(), "nothing but ASCII on the way")
    for longest, pieces in ((998, head.splitlines()), (75, re.findall(rb"=\?\S+\?=", head)), (76, body.splitlines())):
        long = [piece for piece in pieces if len(piece) > longest]
        holds(not long, f"too long: {long}")


def check_headers(letter, other, name, mailbox, holds):
    counts = collections.Counter(key.lower() for key in letter.keys())
    holds(all(counts[key.lower()] == 1 for key in ONCE) and not counts["cc"] and not counts["bcc"], "each header once")
    people = [(a.display_name, a.address) for a in (other.from_, *other.to, *other.reply_to)]
    holds(people == [(SENDER_NAME, SENDER), (name, mailbox), (None, ANSWERS_TO)], f"who writes, reads, hears: {people}")
    addresses = [a.addr_spec for key in ("From", "To", "Reply-To") for a in letter[key].addresses]
    holds(addresses == [SENDER, mailbox, ANSWERS_TO], f"the same with the other parser: {addresses}")
    machines = (letter["Auto-Submitted"], letter["X-Auto-Response-Suppress"])
    holds(machines == ("auto-generated", "All"), f"no machine answers: {machines}")
    age = (datetime.datetime.now(datetime.UTC) - letter["Date"].datetime).total_seconds()
    holds(-2 < age < 300, f"the date is {age} seconds ago")
    holds(re.fullmatch(rf"<[0-9a-f-]{{36}}@{SENDER.split('@')[1]}>", letter["Message-ID"]), "a Message-ID of our own")


def check_parts(letter, other, name, holds):
    """Two parts that say the same, with one link and nothing from elsewhere; answers them."""
    whole, *parts = letter.walk()
    kinds = [part.get_content_type() for part in (whole, *parts)]
    holds(kinds == ["multipart/alternative", "text/plain", "text/html"], f"two parts: {kinds}")
    holds(not any(part.defects for part in (whole, *parts)), "no defects")
    coded = {(part.get_content_charset(), part["Content-Transfer-Encoding"]) for part in parts}
    holds(coded == {("utf-8", "quoted-printable")}, f"UTF-8 in quoted-printable: {coded}")
    text, source = (part.get_content(errors="strict") for part in parts)
    holds(other.subject == letter["Subject"] and [squeezed(part) for part in other.text_plain + other.text_html]
          == [squeezed(text), squeezed(source)], "another parser reads the same")
    holds(text.startswith(f"Hello {name},"), "the reader's name")
    shown = squeezed(html.unescape(re.sub("<[^>]*>", "", source)))
    lacking = [line for line in text.splitlines() if squeezed(line.removeprefix("- ")).removesuffix(":") not in shown]
    holds(lacking == [f"{SITE}/sign-in"], f"only the link is not among the words of the HTML: {lacking}")
    links = re.findall(r'href="([^"]*)"', source)
    holds(links == re.findall(r"https?://\S+", text) == [f"{SITE}/sign-in"], f"one link, the same in both: {links}")
    loads = re.findall(r"<(?:img|link|script|iframe|object)|\b(?:src|srcset|background)=|url\(|@import", source)
    holds(not loads, f"nothing from elsewhere: {loads}")
    return text, source
