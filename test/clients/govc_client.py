"""Runs the pinned govc against a server and keeps what it printed."""

import json
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from quire_server import REPOSITORY

TIMEOUT = 120


def program():
    path = REPOSITORY / "build/clients/govc"
    if not path.is_file():
        raise FileNotFoundError(f"no govc at {path}; run tools/install-clients govc")
    return path


@dataclass
class Outcome:
    command: str
    code: int
    stdout: str
    stderr: str

    def __str__(self):
        return f"$ {self.command}\nexit {self.code}\n--- stdout\n{self.stdout}--- stderr\n{self.stderr}"


class Govc:
    """govc with a home folder and settings of its own; nothing of the caller's environment but PATH."""

    def __init__(self, server, home, **environment):
        self.home = Path(home)
        self.home.mkdir(parents=True, exist_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "GOVC_URL": server.authority,
            "GOVC_USERNAME": server.user,
            "GOVC_PASSWORD": server.password,
            "GOVC_TLS_CA_CERTS": str(server.ca_file),
            **environment,
        }

    def run(self, *arguments, cwd=None, **environment):
        completed = subprocess.run(
            [program(), *map(str, arguments)],
            env={**self.environment, **environment},
            cwd=cwd or self.home,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            stdin=subprocess.DEVNULL,
        )
        return Outcome(
            shlex.join(["govc", *map(str, arguments)]), completed.returncode, completed.stdout, completed.stderr
        )

    def start(self, *arguments):
        """Starts it in the background; the caller ends it."""
        return subprocess.Popen(
            [program(), *map(str, arguments)],
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def ok(self, *arguments, **options):
        """Runs it, asserts exit 0 and returns what it printed."""
        outcome = self.run(*arguments, **options)
        assert outcome.code == 0, str(outcome)
        return outcome.stdout

    def json(self, *arguments, **options):
        return json.loads(self.ok(arguments[0], "-json", *arguments[1:], **options))

    def sessions(self):
        """What library.session.ls knows: sessions with their files. It prints one document for each kind of session."""
        text, found = self.ok("library.session.ls", "-json", "-i"), []
        while text := text.strip():
            document, end = json.JSONDecoder().raw_decode(text)
            text = text[end:]
            found += [{**session, "files": document["files"][session["id"]]} for session in document["sessions"]]
        return found

    def fails(self, *arguments, **options):
        """Runs it, asserts a failure and returns what it complained about."""
        outcome = self.run(*arguments, **options)
        assert outcome.code != 0, str(outcome)
        return outcome.stderr
