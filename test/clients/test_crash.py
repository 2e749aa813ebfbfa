"""kill -9 at random points: what was acknowledged is there whole, nothing half is, and the space comes back.

QUIRE_SEED repeats a run, QUIRE_CRASH_ROUNDS (15) sets its length.
"""

import os
import random
import threading
import time

import requests

from quire_server import QuireServer, used_bytes
from rest_client import LegacyRest, Transfers, create_library, download_item

ROUNDS = int(os.environ.get("QUIRE_CRASH_ROUNDS", "15"))
ITEMS = 4
FILES = 3
FILE_BYTES_MAX = 3 << 20
SLACK_BYTES = 1 << 16
RECLAIM_TIMEOUT = 60


class Uploader(threading.Thread):
    """Replaces the content of items, one session after the other, until the server is gone.

    `pending` is what a session that was being completed would make of its item: after a crash the item must show
    either the old or the new content, never something else.
    """

    def __init__(self, server, session_id, items, seed, acknowledged):
        super().__init__(daemon=True)
        self.server, self.session_id, self.items = server, session_id, items
        self.random = random.Random(seed)
        self.acknowledged = acknowledged
        self.pending = None
        self.completed = 0
        self.problem = None
        self.step = threading.Event()

    def run(self):
        binding, transfers = LegacyRest(self.server), Transfers(self.server)
        binding.session_id = self.session_id
        try:
            while True:
                self.one_session(binding, transfers)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            pass  # the server was killed: what the test is about
        except Exception as caught:  # shown by the test
            self.problem = caught

    def one_session(self, binding, transfers):
        item = self.random.choice(self.items)
        session = binding.ok("update_session.create", create_spec={"library_item_id": item})
        content = dict(self.acknowledged[item])
        for name in self.random.sample(
            [f"file-{number}.bin" for number in range(FILES)], self.random.randint(1, FILES)
        ):
            data = self.random.randbytes(self.random.randint(0, FILE_BYTES_MAX))
            info = binding.ok(
                "update_session.file.add",
                update_session_id=session,
                file_spec={"name": name, "source_type": "PUSH", "size": len(data)},
            )
            response = transfers.put(info["upload_endpoint"]["uri"], data)
            assert response.status_code == 200, f"{response.status_code} {response.text}"
            content[name] = data
        self.pending = (item, content)
        binding.ok("update_session.complete", update_session_id=session)
        self.acknowledged[item] = content
        self.pending = None
        self.completed += 1
        self.step.set()


def test_kill_at_random_points(tmp_path):
    seed = int(os.environ.get("QUIRE_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"QUIRE_SEED={seed} QUIRE_CRASH_ROUNDS={ROUNDS}")
    chance = random.Random(seed)
    server = QuireServer(tmp_path / "server").start()
    try:
        binding, transfers = LegacyRest(server).log_in(), Transfers(server)
        library = create_library(binding)
        items = [
            binding.ok("item.create", create_spec={"name": f"item-{number}", "library_id": library})
            for number in range(ITEMS)
        ]
        acknowledged = {item: {} for item in items}
        completed = interrupted = 0
        for number in range(ROUNDS):
            uploader = Uploader(server, binding.session_id, items, f"{seed} {number}", acknowledged)
            uploader.start()
            if chance.random() < 0.5:
                # Anywhere: mostly in the middle of an upload.
                time.sleep(chance.uniform(0.01, 0.4))
            else:
                # As soon as a completion was acknowledged.
                uploader.step.wait(60)
            server.kill()
            uploader.join(60)
            assert not uploader.is_alive() and uploader.problem is None, (
                f"round {number}, seed {seed}",
                uploader.problem,
            )
            completed += uploader.completed

            server.start()
            check_contents(binding, transfers, items, acknowledged, uploader.pending, f"round {number}, seed {seed}")
            interrupted += end_sessions(binding)
        print(f"{completed} acknowledged completions, {interrupted} interrupted sessions over {ROUNDS} crashes")
        assert completed > 0
        check_space(server, acknowledged, f"seed {seed}")
    except BaseException:
        print(server.log())
        raise
    finally:
        if server.process is not None:
            server.stop()


def check_contents(binding, transfers, items, acknowledged, pending, where):
    for item in items:
        found = download_item(binding, transfers, item)
        allowed = [acknowledged[item]]
        if pending and pending[0] == item:
            allowed.append(pending[1])
        match = [content for content in allowed if content == found]
        assert match, f"{where}: item {item} shows {_sizes(found)}, expected {' or '.join(map(_sizes, allowed))}"
        acknowledged[item] = match[0]
        listed = {info["name"]: info["size"] for info in binding.ok("item.file.list", library_item_id=item)}
        assert listed == {name: len(data) for name, data in found.items()}, where
        assert binding.ok("item.get", library_item_id=item)["size"] == sum(listed.values()), where


def _sizes(content):
    return str({name: len(data) for name, data in sorted(content.items())})


def end_sessions(binding):
    """Cancels what the crash left open, so that the items are free and the parts can go; how many there were."""
    cancelled = 0
    for session in binding.ok("update_session.list"):
        model = binding.ok("update_session.get", update_session_id=session)
        assert model["state"] in ("ACTIVE", "DONE"), model
        if model["state"] == "ACTIVE":
            binding.ok("update_session.cancel", update_session_id=session)
            cancelled += 1
        binding.ok("update_session.delete", update_session_id=session)
    for session in binding.ok("download_session.list"):
        binding.ok("download_session.delete", download_session_id=session)
    return cancelled


def check_space(server, acknowledged, where):
    """The blob folder holds each distinct live content once, and nothing else."""
    live = {data for content in acknowledged.values() for data in content.values()}
    expected = sum(map(len, live))
    end = time.monotonic() + RECLAIM_TIMEOUT
    while (used := used_bytes(server.data_dir / "blobs")) > expected + SLACK_BYTES and time.monotonic() < end:
        time.sleep(0.2)
    assert used >= expected, f"{where}: {used} bytes of blobs for {expected} bytes of content"
    assert used <= expected + SLACK_BYTES, f"{where}: {used} bytes of blobs for {expected} bytes of content"
