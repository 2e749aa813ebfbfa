"""The command line as people run it: a process with folders and an environment of its own."""

import json
import os
import re
import subprocess

from quire_server import binary

TIMEOUT = 300


class Result:
    """What a command said and how it ended."""

    def __init__(self, arguments, process):
        self.arguments = [str(word) for word in arguments]
        self.code = process.returncode
        self.stdout = process.stdout
        self.stderr = process.stderr

    def __str__(self):
        stderr = self.stderr if isinstance(self.stderr, str) else self.stderr.decode(errors="replace")
        return f"quire {' '.join(self.arguments)} ended with {self.code}\n{str(self.stdout)[-2000:]}\n{stderr[-2000:]}"

    def objects(self):
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def result(self):
        """The last line of JSON."""
        last = self.objects()[-1]
        assert last["type"] == "result", str(self)
        assert last["exit_code"] == self.code, str(self)
        return last


class Cli:
    """Runs `quire` below `home`, against the server at `url`."""

    def __init__(self, home, url=None, **environment):
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
            **environment,
        }
        if "LD_LIBRARY_PATH" in os.environ:
            self.environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
        if url:
            self.environment["QUIRE_URL"] = url

    def command(self, *arguments):
        return [str(binary()), *(str(word) for word in arguments)]

    def run(self, *arguments, stdin=None, text=True, cwd=None):
        process = subprocess.run(
            self.command(*arguments),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=text,
            env=self.environment,
            cwd=cwd or self.home,
            timeout=TIMEOUT,
            start_new_session=True,  # no terminal that it could ask
        )
        return Result(arguments, process)

    def start(self, *arguments, **options):
        return subprocess.Popen(
            self.command(*arguments),
            env=self.environment,
            cwd=self.home,
            stdin=options.pop("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )

    def ok(self, *arguments, **options):
        result = self.run(*arguments, **options)
        assert result.code == 0, str(result)
        return result

    def fails(self, code, *arguments, **options):
        result = self.run(*arguments, **options)
        assert result.code == code, f"expected {code}: {result}"
        return result

    def server_key(self):
        """The key that the server shows, as the refusal of an unknown one names it."""
        refused = self.fails(4, "login", "--user", "somebody", "--password-stdin", stdin="x\n")
        return re.search(r"--accept-key (SHA256:\S+)", refused.stderr)[1]

    def log_in(self, user, password):
        key = self.server_key()
        self.ok("login", "--user", user, "--password-stdin", "--accept-key", key, stdin=password + "\n")
        return self


def signed_in(server, home, url=None):
    """A command line that is signed in to the server, directly or through what answers at `url`."""
    return Cli(home, url or server.url).log_in(server.user, server.password)
