"""The real server program as a child process: started, watched, killed, restarted."""

import os
import queue
import re
import secrets
import signal
import ssl
import subprocess
import threading
from pathlib import Path

from secret_watch import WATCH

REPOSITORY = Path(__file__).resolve().parents[2]
ADMINISTRATOR = "administrator@vsphere.local"
START_TIMEOUT = 60
CALLS_FILE = os.environ.get("QUIRE_CALLS_FILE")  # gets the calls of the servers that were stopped, for tools/api-coverage
STOP_TIMEOUT = 60


def binary():
    """The server program: QUIRE_BINARY, or the clang build."""
    path = Path(os.environ.get("QUIRE_BINARY", REPOSITORY / "build/clang/src/main/quire"))
    if not path.is_file():
        raise FileNotFoundError(f"no server program at {path}; build it (make) or set QUIRE_BINARY")
    return path.resolve()


class QuireServer:
    """One `quire serve` on a data folder of its own.

    The password file and the logs lie beside the data folder, which a test may inspect. A restart keeps the port, so
    that URLs handed out before stay good.
    """

    def __init__(self, folder, password=None, flags=(), as_installed=False):
        """`as_installed`: with no settings but `flags`; for measurements."""
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data_dir = self.folder / "data"
        self.user = ADMINISTRATOR
        self.password = password or "pw-" + secrets.token_urlsafe(12)
        self.flags = list(flags)
        self.log_file = self.folder / "server.log"
        self.audit_file = None
        if not as_installed:
            self._set_up_for_tests()
        self.host = "127.0.0.1"
        self.port = 0
        self.process = None
        self._stdout_lines = []
        self._ready = None
        self._reader = None

    def _set_up_for_tests(self):
        # What is written down is as much as can be: the calls at debug level, and the audit trail as a file.
        self._default_flag("--log-level", "debug")
        self.audit_file = Path(self._default_flag("--audit-file", str(self.folder / "audit.jsonl")))
        # Passwords are drawn and thrown away, so they need not cost what guessers should pay.
        self._default_flag("--password-memory", "1MiB")
        self._default_flag("--password-passes", "1")
        WATCH.servers.append(self)
        WATCH.add(self.password, "the administrator's password")

    def _default_flag(self, flag, value):
        """The flag's value: what the test has given, else `value`."""
        if flag in self.flags:
            return self.flags[self.flags.index(flag) + 1]
        self.flags += [flag, value]
        return value

    @property
    def url(self):
        return f"https://{self.host}:{self.port}"

    @property
    def authority(self):
        return f"{self.host}:{self.port}"

    @property
    def ca_file(self):
        """The server's own certificate, which clients are told to trust."""
        if "--tls-certificate" in self.flags:
            return Path(self.flags[self.flags.index("--tls-certificate") + 1])
        for path in sorted((self.data_dir / "tls").iterdir()):
            if "-----BEGIN CERTIFICATE-----" in path.read_text(errors="replace"):
                return path
        raise FileNotFoundError(f"no certificate in {self.data_dir / 'tls'}")

    def ssl_context(self):
        return ssl.create_default_context(cafile=str(self.ca_file))

    def command(self):
        password_file = self.folder / "admin-password"
        password_file.write_text(self.password + "\n")
        password_file.chmod(0o600)
        return [
            str(binary()),
            "serve",
            "--data",
            str(self.data_dir),
            "--listen",
            f"{self.host}:{self.port}",
            "--admin-password-file",
            str(password_file),
            *self.flags,
        ]

    def start(self):
        assert self.process is None, "already running"
        self._ready = queue.Queue()
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True
            )
        self._reader = threading.Thread(target=self._read_stdout, args=(self.process.stdout, self._ready), daemon=True)
        self._reader.start()
        try:
            line = self._ready.get(timeout=START_TIMEOUT)
        except queue.Empty:
            self.kill()
            raise AssertionError(f"server not ready within {START_TIMEOUT} s\n{self.log()}") from None
        if line is None:
            code = self.process.wait(STOP_TIMEOUT)
            self.process = None
            raise AssertionError(f"server ended with {code} before it was ready\n{self.log()}")
        self.port = int(re.fullmatch(r"ready https://.*:(\d+)", line)[1])
        return self

    def _read_stdout(self, stream, ready):
        for line in stream:
            self._stdout_lines.append(line)
            if line.startswith("ready https://"):
                ready.put(line.strip())
        ready.put(None)
        stream.close()

    def stop(self):
        """SIGTERM; the server must drain and exit 0."""
        self.process.send_signal(signal.SIGTERM)
        code = self._wait()
        assert code == 0, f"server exited {code} on SIGTERM\n{self.log()}"

    def kill(self):
        """SIGKILL: nothing is flushed, nothing is told."""
        if self.process is not None:
            self.process.kill()
            self._wait()

    def _wait(self):
        process, self.process = self.process, None
        try:
            code = process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"server did not end within {STOP_TIMEOUT} s\n{self.log()}") from None
        self._reader.join(STOP_TIMEOUT)
        self._note_calls()
        if self in WATCH.servers:
            WATCH.look_at(self)
        return code

    def _note_calls(self):
        """Adds what the server's log tells of its calls to CALLS_FILE: operation, target, client."""
        if not CALLS_FILE:
            return
        text = self.log_file.read_text(errors="replace")
        calls = set(re.findall(r" debug call (\S+) (\S+ \S+) ?(.*)$", text, re.MULTILINE))
        with open(CALLS_FILE, "a", encoding="utf-8") as file:
            for call in sorted(calls):
                file.write("\t".join(call) + "\n")

    def restart(self):
        """A clean stop and a start on the same port and data."""
        self.stop()
        return self.start()

    def stdout(self):
        return "".join(self._stdout_lines)

    def log(self, last_lines=80):
        lines = self.log_file.read_text(errors="replace").splitlines() if self.log_file.exists() else []
        return "\n".join(
            [
                "--- server stdout ---",
                self.stdout().rstrip(),
                "--- server stderr (last lines) ---",
                *lines[-last_lines:],
            ]
        )


def used_bytes(folder):
    """The lengths of all files below a folder that the server may be changing."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_size
            except FileNotFoundError:
                pass  # swept while we looked
    return total
