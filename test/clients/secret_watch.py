"""Watches that no server writes a secret down: not into its log, its audit file or its events, nor into an error.

Known secrets are the passwords of servers, and what goes over `requests` in either direction: credentials, tokens,
passwords that are set, the secret part of transfer URLs, passwords in the URLs of sources. What other programs get
(govc, Ansible, the SDKs in interpreters of their own) is found by its shape: all that a server draws as a secret is a
word of 32 hexadecimal digits, and nothing else that it writes down looks so. Places are looked at whenever a server's
process ends, and once more when the run does.
"""

import base64
import json
import re
import shutil
import sqlite3
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

SHORTEST = 6  # shorter ones stand everywhere by chance
DRAWN = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{32}(?![0-9A-Za-z])")
TRANSFER = re.compile(r"/cls/data/([0-9a-f]{32})")
URL_PASSWORD = re.compile(r"://[^/@\s\"\\]*?:([^/@\s\"\\]+)@")
PASSWORD_MEMBERS = {"password", "old_password", "new_password", "secret", "sessionId", "SECRET"}
SOAP_PASSWORD = re.compile(r"<password>([^<]+)</password>")


class SecretWatch:
    def __init__(self):
        self.known = {}  # secret → what it is
        self.harmless = set()  # of the shape of a secret: MD5 digests that tests promise, and names they make up
        self.servers = []
        self.leaks = {}  # (place, secret) → the text around it
        self.errors = {}  # text of an error → the request that got it
        self.looked_at = {}  # place → bytes

    def add(self, secret, what):
        if isinstance(secret, bytes):
            secret = secret.decode("utf-8", "replace")
        if isinstance(secret, str) and len(secret) >= SHORTEST:
            self.known.setdefault(secret, what)

    # --- what is said over requests --------------------------------------------------------------------------------

    def note_request(self, request):
        """Learns what is about to be sent: a server that is killed may have written it down and answered nothing."""
        self._learn_from_headers(request.headers)
        sent = request.body if isinstance(request.body, (str, bytes)) and len(request.body) < 1 << 20 else ""
        sent = sent.decode("utf-8", "replace") if isinstance(sent, bytes) else sent
        self._learn_from_text(sent)
        for digits in DRAWN.findall(sent + unquote(request.url)):
            if digits not in self.known and digits not in TRANSFER.findall(request.url):
                self.harmless.add(digits)

    def note_answer(self, request, response):
        """Learns the secrets of an answer, and keeps it when it is an error."""
        for cookie in re.findall(r'session(?:-id)?="?([0-9a-f]{32})', response.headers.get("Set-Cookie", "")):
            self.add(cookie, "a session")
        if not re.match(r"application/(\S+\+)?json|text/xml", response.headers.get("Content-Type", "")):
            return
        text = response.text
        self._learn_from_text(text)
        path = urlsplit(request.url).path.rstrip("/")
        if request.method == "POST" and path.endswith("/session"):
            for digits in DRAWN.findall(text):
                self.add(digits, "a session")
        if response.status_code >= 400 or "vapi-error" in response.headers:
            self.errors.setdefault(text, f"{request.method} {path}")

    def _learn_from_headers(self, headers):
        self.add(headers.get("vmware-api-session-id"), "a session")
        authorization = headers.get("Authorization") or ""
        if isinstance(authorization, bytes):
            authorization = authorization.decode("latin-1")
        scheme, _, value = authorization.partition(" ")
        if scheme == "Bearer":
            self.add(value, "an API token or session")
        if scheme == "Basic":
            try:
                user, _, password = base64.b64decode(value).decode("utf-8", "replace").partition(":")
            except ValueError:
                return
            if password not in user:
                self.add(password, "a password")

    def _learn_from_text(self, text):
        for token in TRANSFER.findall(text):
            self.add(token, "a transfer URL")
        for password in URL_PASSWORD.findall(text):
            self.add(password, "a source's password")
        for password in SOAP_PASSWORD.findall(text):
            self.add(password, "a password")
        if any(member in text for member in PASSWORD_MEMBERS):
            try:
                self._learn_from_json(json.loads(text))
            except (ValueError, RecursionError):
                pass

    def _learn_from_json(self, value):
        if isinstance(value, list):
            for one in value:
                self._learn_from_json(one)
        if isinstance(value, dict):
            for name, member in value.items():
                if name in PASSWORD_MEMBERS:
                    self.add(member.get("SECRET") if isinstance(member, dict) else member, f"the member {name}")
                self._learn_from_json(member)

    # --- where no secret may stand ---------------------------------------------------------------------------------

    def look_at(self, server):
        """Everything that this server has written down so far."""
        for name, path in (("log", server.log_file), ("audit file", server.audit_file)):
            if path is not None and path.exists():
                self.look_at_text(f"{name} of {server.folder}", path.read_text(errors="replace"))
        catalog = server.data_dir / "catalog.sqlite"
        if catalog.exists():
            self.look_at_text(f"events of {server.folder}", events_of(catalog))

    def look_at_text(self, place, text):
        self.looked_at[place] = len(text)
        for secret, what in list(self.known.items()):  # tests add to it from other threads
            at = text.find(secret)
            if at >= 0:
                self._leak(place, what, secret, text, at)
        for found in DRAWN.finditer(text):
            is_digest = "MD5" in text[max(0, found.start() - 100) : found.start()]  # that the server says files have
            if found[0] not in self.harmless and found[0] not in self.known and not is_digest:
                self._leak(place, "what looks like a secret", found[0], text, found.start())

    def look_at_errors(self):
        for text, request in list(self.errors.items()):
            for secret, what in list(self.known.items()):  # tests add to it from other threads
                at = text.find(secret)
                if at >= 0:
                    self._leak(f"the error that {request} got", what, secret, text, at)
        self.looked_at["errors"] = sum(map(len, self.errors))

    def _leak(self, place, what, secret, text, at):
        around = text[max(0, at - 200) : at + len(secret) + 100]
        self.leaks.setdefault((place, secret), f"{what} ({secret}) is in the {place}:\n    {around.strip()}")

    def finish(self):
        """The last look; what was found, as text."""
        for server in self.servers:
            self.look_at(server)
        self.look_at_errors()
        return list(self.leaks.values())

    def summary(self):
        sizes = {}
        for place, size in self.looked_at.items():
            kind = place.split(" of ")[0]
            sizes[kind] = sizes.get(kind, 0) + size
        places = ", ".join(f"{kind} {size / 1024:.0f} KiB" for kind, size in sorted(sizes.items()))
        return f"{len(self.known)} secrets, looked for in what {len(self.servers)} servers wrote: {places}"


def events_of(catalog):
    """All rows of the table of events, of a copy: a server that was killed left a log that opening would work off."""
    with tempfile.TemporaryDirectory() as folder:
        for path in Path(catalog).parent.glob(Path(catalog).name + "*"):
            if not path.name.endswith("-shm"):
                shutil.copy(path, folder)
        connection = sqlite3.connect(Path(folder) / Path(catalog).name)
        try:
            return "\n".join(repr(row) for row in connection.execute("SELECT * FROM events"))
        finally:
            connection.close()


WATCH = SecretWatch()


def listen_to_requests():
    """From now on every request and answer of the library requests is noted."""
    import requests  # which measurements with a QuireServer do without

    send = requests.Session.send

    def noted(session, request, **options):
        WATCH.note_request(request)
        response = send(session, request, **options)
        WATCH.note_answer(request, response)
        return response

    requests.Session.send = noted
