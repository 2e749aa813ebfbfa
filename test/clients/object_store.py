"""A real S3 server for storages: versitygw on a folder, where a bucket is a folder and an object a file."""

import os
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

from quire_server import REPOSITORY
from secret_watch import WATCH

BUCKET = "images"
MARKER = "quire.json"  # that says whose prefix it is


def versitygw():
    path = Path(os.environ.get("VERSITYGW_BINARY", REPOSITORY / "build/clients/versitygw"))
    if not path.is_file():
        raise FileNotFoundError(f"no S3 server at {path}; run tools/install-clients versitygw")
    return path


class ObjectStore:
    def __init__(self, folder):
        self.root = Path(folder) / "buckets"
        self.bucket = self.root / BUCKET
        self.bucket.mkdir(parents=True)
        self.log = Path(folder) / "versitygw.log"
        self.access_key = "quire-tests"
        self.secret_key = secrets.token_urlsafe(24)
        WATCH.add(self.secret_key, "the object store's secret key")
        self.credentials = Path(folder) / "credentials"
        self.write_credentials(self.secret_key)
        self.sidecar = Path(folder) / "sidecar"  # spares extended attributes, which not every temporary folder has
        self.sidecar.mkdir()
        self.port = None
        self.process = None

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}"

    def write_credentials(self, secret_key):
        self.credentials.write_text(
            f"[default]\naws_access_key_id = {self.access_key}\naws_secret_access_key = {secret_key}\n"
        )
        self.credentials.chmod(0o600)

    def start(self):
        """The same port each time, so that what names it stays good."""
        if self.port is not None:
            assert self._started(), self.log.read_text()
            return self
        for _ in range(5):  # somebody else may be faster
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
            if self._started():
                return self
        raise AssertionError(self.log.read_text())

    def _started(self):
        """False when the server ended at once."""
        environment = {**os.environ, "ROOT_ACCESS_KEY_ID": self.access_key, "ROOT_SECRET_ACCESS_KEY": self.secret_key}
        command = [versitygw(), "--port", f"127.0.0.1:{self.port}", "--keep-alive", "--quiet"]
        command += ["posix", "--sidecar", self.sidecar, self.root]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        end = time.monotonic() + 30
        while self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    time.sleep(0.1)
                    return self.process.poll() is None
            assert time.monotonic() < end, "the S3 server did not start"
            time.sleep(0.05)
        return False

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def storage(self, name="bucket", prefix="site", endpoint=None, **parameters):
        """What `--storage` is given."""
        options = {"endpoint": endpoint or self.endpoint, "credentials": self.credentials, **parameters}
        return f"{name}=s3://{BUCKET}/{prefix}?" + "&".join(f"{key}={value}" for key, value in options.items())

    def objects(self, prefix="site"):
        """Key below the prefix → file, without the marker."""
        root = self.bucket / prefix
        found = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
        found.pop(MARKER, None)
        return {key: path for key, path in found.items() if not key.startswith(".")}
