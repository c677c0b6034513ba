"""Mail servers that nobody here wrote, with ports and folders of their own, and gone when they are no longer needed."""

import contextlib
import logging
import shutil
import socket
import ssl
import subprocess
import urllib.parse

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from world import free_port, wait_for

USER, PASSWORD = "letters+out@relay.example", "p@ss:w/ö rd ?#%25+=&✓"
SENDER, STRANGER = "post@common-ground.example", "stranger@common-ground.example"
UNKNOWN, GREYLISTED = "moved.away@fenland-compass.example", "come.later@fenland-compass.example"

MAIN = """
compatibility_level = 3.6
mail_owner = postfix
setgid_group = postdrop
queue_directory = {folder}/queue
data_directory = {folder}/state
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
myhostname = relay.example
mydestination =
inet_interfaces = 127.0.0.1
alias_maps =
alias_database =

smtpd_tls_cert_file = {folder}/relay.pem
smtpd_tls_key_file = {folder}/relay.key
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_loglevel = 1
smtpd_tls_received_header = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_authenticated_header = yes
smtpd_sasl_security_options = noanonymous

strict_7bit_headers = yes
strict_8bitmime_body = yes
strict_mime_encoding_domain = yes
strict_rfc821_envelopes = yes
smtpd_forbid_bare_newline = reject
smtpd_helo_required = yes
smtpd_helo_restrictions = reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname
smtpd_sender_login_maps = inline:{{ {{ {sender} = {user} }}, {{ {stranger} = somebody@relay.example }} }}
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_restriction_classes = greylist
greylist = check_policy_service inet:127.0.0.1:{grey}
smtpd_recipient_restrictions =
    check_recipient_access inline:{{ {{ {greylisted} = greylist }} }}, permit_sasl_authenticated, reject

virtual_mailbox_domains = static:all
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_mailbox_base = {folder}/boxes
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
"""

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{wrapped} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
error     unix - - n - - error
retry     unix - - n - - error
proxymap  unix - - n - - proxymap
virtual   unix - n n - - virtual
anvil     unix - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""

SASL = """
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {folder}/sasldb2
mech_list: PLAIN LOGIN
"""


def run(*command, **more):
    """Runs a program; what it says is shown only if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]} failed: {done.stdout.decode(errors='replace')}")


def address(port, scheme="smtp", password=PASSWORD, safe=""):
    """What SMTP_URL says of a relay at this port, with all characters in percent form that are not `safe`."""
    user, password = (urllib.parse.quote(part, safe) for part in (USER, password))
    return f"{scheme}://{user}:{password}@localhost:{port}"


def certificates(folder):
    """An authority (ca.pem) and what it certifies: that a relay is localhost (relay.pem, relay.key)."""
    make = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    run(*make, "-subj", "/CN=An authority", "-keyout", "ca.key", "-out", "ca.pem", cwd=folder)
    run(*make, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
        "-addext", "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem", "-CAkey", "ca.key",
        "-keyout", "relay.key", "-out", "relay.pem", cwd=folder)


@contextlib.contextmanager
def daemon(*command, stop=None):
    """Runs a program, and ends it afterwards: by the command `stop`, or at once, as postgrey may not hear SIGTERM."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        if stop and process.poll() is None:
            run(*stop)
        else:
            process.kill()
        process.wait(30)


def listens(port):
    """Whether somebody listens at a port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True


class Postfix:
    """Postfix as a relay: STARTTLS, a log-in and the sender that belongs to it; one mailbox is greylisted."""

    def __init__(self, folder, mailboxes):
        self.folder, self.mailboxes = folder, mailboxes
        self.port, self.wrapped, self.grey = free_port(), free_port(), free_port()

    def log(self):
        return (self.folder / "postfix.log").read_text()

    def fetch(self):
        """Takes every letter out of every mailbox: whose mailbox, and its octets."""
        for file in list(self.folder.glob("boxes/*/new/*")):
            yield file.parts[-3], file.read_bytes()
            file.unlink()

    @contextlib.contextmanager
    def running(self):
        folder, names = self.folder, {
            **vars(self), "greylisted": GREYLISTED, "sender": SENDER, "stranger": STRANGER, "user": USER}
        for part in ("config", "queue", "state", "boxes", "config/sasl", "grey"):
            (folder / part).mkdir()
        for file, text in (("config/main.cf", MAIN), ("config/master.cf", MASTER), ("config/sasl/smtpd.conf", SASL),
                           ("mailboxes", "".join(f"{box} {box}/\n" for box in self.mailboxes)), ("known", "")):
            (folder / file).write_text(text.format(**names))
        name, realm = USER.split("@")
        run("saslpasswd2", "-c", "-p", "-f", folder / "sasldb2", "-u", realm, name, input=PASSWORD.encode())
        folder.chmod(0o755)
        for part, owner in (("sasldb2", "postfix"), ("state", "postfix"), ("boxes", 65534), ("grey", "postgrey")):
            shutil.chown(folder / part, owner)
        postfix = ("postfix", "-c", folder / "config")
        with daemon("postgrey", f"--inet=127.0.0.1:{self.grey}", f"--dbdir={folder}/grey", "--delay=1",
                    f"--whitelist-clients={folder}/known", f"--whitelist-recipients={folder}/known"), \
                daemon(*postfix, "start-fg", stop=(*postfix, "stop")) as process:
            for port in (self.port, self.wrapped, self.grey):
                wait_for(lambda: listens(port) or process.poll() is not None, 30, f"nobody listens at {port}")
            if process.poll() is not None:
                raise SystemExit(f"Postfix does not run: {self.log()}")
            yield self


class Second:
    """aiosmtpd as another relay that requires STARTTLS and a log-in; `moods` say what it does to the next letters."""

    def __init__(self, folder):
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        self.folder, self.port, self.moods, self.taken, self.dropped = folder, free_port(), [], [], []

    async def handle_RCPT(self, server, session, envelope, recipient, options):
        if self.moods[:1] == ["drop in the middle"]:
            self.moods.pop(0)
            server.transport.abort()
        envelope.rcpt_tos.append(recipient)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        mood = self.moods.pop(0) if self.moods else "take"
        letters = self.taken if mood == "take" else self.dropped
        letters.append((envelope.rcpt_tos[0], envelope.original_content))
        if mood == "drop after the dot":
            server.transport.abort()
        return "250 2.0.0 OK"

    def log_in(self, server, session, envelope, mechanism, given):
        good = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=good and session.ssl is not None, handled=False)

    @contextlib.contextmanager
    def running(self):
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(self.folder / "relay.pem", self.folder / "relay.key")
        controller = Controller(
            self, hostname="127.0.0.1", port=self.port, tls_context=tls, require_starttls=True, auth_required=True,
            authenticator=self.log_in)
        controller.start()
        try:
            yield self
        finally:
            controller.stop()
