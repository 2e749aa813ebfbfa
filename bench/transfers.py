#!/usr/bin/env python3
"""Uploads and downloads one large file through the real server and reports rates and the server's peak memory.

    bench/transfers.py [--server PROGRAM] [--mib 1024] [--rounds 3] [--json FILE]

The client is curl; the bytes come from memory (/dev/shm) and go to nowhere. An upload counts until the server has answered,
which it does only once the bytes are hashed and durable. Peak memory is the server's high-water mark over all rounds.
Numbers are for people and documents: nothing fails on them.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "test" / "clients"))

import requests  # noqa: E402
from quire_server import QuireServer  # noqa: E402


def peak_memory_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1024


def timed(command):
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - start


class Library:
    """A library on the server, for files that come and go."""

    def __init__(self, server, base):
        self.base = base
        self.http = requests.Session()
        self.http.trust_env = False  # REQUESTS_CA_BUNDLE would win over verify
        self.http.verify = str(server.ca_file)
        token = self.http.post(f"{base}/api/session", auth=(server.user, server.password)).json()
        self.http.headers["vmware-api-session-id"] = token
        self.library = self._post("local-library", {"name": "bench"})

    def _post(self, path, body=None):
        answer = self.http.post(f"{self.base}/api/content/{path}", json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def upload_uri(self, name):
        item = self._post("library/item", {"library_id": self.library, "name": name})
        session = self._post("library/item/update-session", {"library_item_id": item})
        info = self._post(f"library/item/update-session/{session}/file", {"name": "disk.img", "source_type": "PUSH"})
        return item, session, info["upload_endpoint"]["uri"]

    def complete(self, session):
        self._post(f"library/item/update-session/{session}?action=complete")

    def download_uri(self, item):
        session = self._post("library/item/download-session", {"library_item_id": item})
        info = self._post(f"library/item/download-session/{session}/file?action=prepare", {"file_name": "disk.img"})
        return info["download_endpoint"]["uri"]

    def delete(self, item):
        self.http.delete(f"{self.base}/api/content/library/item/{item}").raise_for_status()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", help="server program; default: the clang build")
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", help="write the figures there too")
    options = parser.parse_args()
    if options.server:
        import os
        os.environ["QUIRE_BINARY"] = options.server

    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile(dir="/dev/shm") as source:
        subprocess.run(["openssl", "rand", "-out", source.name, str(options.mib << 20)], check=True)
        server = QuireServer(folder, flags=["--listen-http", "127.0.0.1:0"])
        server.start()
        log = server.stdout()
        bases = {"https": server.url, "http": re.search(r"ready (http://\S+)", log).group(1)}
        figures = {f"{what} {scheme}": [] for scheme in bases for what in ("upload", "download")}
        curl = ["curl", "--silent", "--show-error", "--fail", "--cacert", str(server.ca_file), "--output", "/dev/null"]
        for number in range(options.rounds):
            for scheme, base in bases.items():
                library = Library(server, base)
                item, session, uri = library.upload_uri(f"{scheme}-{number}")
                figures[f"upload {scheme}"].append(timed(curl + ["--upload-file", source.name, uri]))
                library.complete(session)
                figures[f"download {scheme}"].append(timed(curl + [library.download_uri(item)]))
                library.delete(item)
        peak = peak_memory_mib(server.process.pid)
        server.stop()

    result = {name: round(options.mib / 1024 / statistics.median(times), 2) for name, times in figures.items()}
    for name, rate in result.items():
        print(f"{name:16} {rate:6.2f} GiB/s (median of {options.rounds})")
    print(f"peak memory      {peak:6.1f} MiB with {options.mib} MiB files")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({"gib_per_s": result, "peak_memory_mib": round(peak, 1)}) + "\n")


if __name__ == "__main__":
    main()
