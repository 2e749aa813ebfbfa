"""kill -9 at random points: what was acknowledged is there whole, nothing half is, and the space comes back.

QUIRE_SEED repeats a run, QUIRE_CRASH_ROUNDS (15) sets its length.
"""

import contextlib

import os
import random
import threading
import time

import pytest
import requests

from quire_server import QuireServer, used_bytes
from rest_client import LegacyRest, Transfers, create_library, download_item

ROUNDS = int(os.environ.get("QUIRE_CRASH_ROUNDS", "15"))
WRITERS = 3
ITEMS = 3  # of each writer
FILES = 3
FILE_BYTES_MAX = 1 << 20
SLACK_BYTES = 1 << 16
CATALOG_BLOB_BYTES_MAX = 4096  # --catalog-blob-bytes-max
RECLAIM_TIMEOUT = 60
STORAGES = ("LocalDS_0", "Second")


class Open:
    """A session that was not completed, and the files of it whose upload was acknowledged."""

    def __init__(self, item):
        self.item = item
        self.ready = {}


class Writer:
    """Works on items of its own, round after round: replaces content, leaves sessions open, deletes and makes items.

    What it knows for certain is in `items` (item → files) and `open` (session → Open). What was asked for and not
    answered when the server died is in `asked`: it may have happened or not, as a whole.
    """

    def __init__(self, server, library, name, seed):
        self.server, self.library, self.name = server, library, name
        self.random = random.Random(f"{seed} {name}")
        self.items, self.open = {}, {}
        self.asked = None
        self.made = 0
        self.completed = self.deleted = self.resumed = 0
        self.problem = None
        self.step = threading.Event()

    def run(self, login):
        """Until the server is gone."""
        binding, transfers = LegacyRest(self.server), Transfers(self.server)
        binding.session_id = login
        try:
            while True:
                self.asked = None
                self.one_step(binding, transfers)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            pass  # the server was killed: what the test is about
        except Exception as caught:  # shown by the test
            self.problem = caught

    def one_step(self, binding, transfers):
        busy = {session.item for session in self.open.values()}
        free = [item for item in self.items if item not in busy]
        if len(self.items) < ITEMS:
            self.made += 1
            name = f"{self.name}-{self.made}"
            self.asked = ("create", name)
            item = binding.ok("item.create", create_spec={"name": name, "library_id": self.library})
            self.items[item] = {}
        elif not free or self.random.random() < 0.15:
            item = self.random.choice(list(self.items))
            self.asked = ("delete", item)
            binding.ok("item.delete", library_item_id=item)
            self.forget(item)
            self.deleted += 1
            self.step.set()
        else:
            self.one_session(binding, transfers, self.random.choice(free))

    def forget(self, item):
        del self.items[item]
        self.open = {session: entry for session, entry in self.open.items() if entry.item != item}

    def one_session(self, binding, transfers, item):
        session = binding.ok("update_session.create", create_spec={"library_item_id": item})
        entry = self.open[session] = Open(item)
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
            entry.ready[name] = data
        if self.random.random() < 0.2:
            return  # left open: the next crash finds it
        content = {**self.items[item], **entry.ready}
        self.asked = ("complete", session, item, content)
        binding.ok("update_session.complete", update_session_id=session)
        self.items[item] = content
        del self.open[session]
        self.completed += 1
        self.step.set()

    # After the crash:

    def settle(self, binding, transfers, present):
        """Finds out what became of the last request, and checks all that is certain. `present`: item → name."""
        asked, self.asked = self.asked, None
        if asked and asked[0] == "create":
            for item, name in present.items():
                if name == asked[1]:
                    self.items[item] = {}
        if asked and asked[0] == "delete" and asked[1] not in present:
            self.forget(asked[1])
        if asked and asked[0] == "complete":
            _, session, item, content = asked
            if binding.ok("update_session.get", update_session_id=session)["state"] == "DONE":
                self.items[item] = content
                del self.open[session]
        for session, entry in list(self.open.items()):
            self.check_open(binding, session, entry)
            if self.random.random() < 0.7:
                self.finish(binding, session, entry)
            else:
                binding.ok("update_session.cancel", update_session_id=session)
            del self.open[session]
        for item, content in self.items.items():
            check_content(binding, transfers, item, content)

    def check_open(self, binding, session, entry):
        """Still ACTIVE, and what was READY is."""
        model = binding.ok("update_session.get", update_session_id=session)
        assert model["state"] == "ACTIVE", model
        listed = {info["name"]: info for info in binding.ok("update_session.file.list", update_session_id=session)}
        for name, data in entry.ready.items():
            assert listed[name]["status"] == "READY" and listed[name]["size"] == len(data), listed[name]

    def finish(self, binding, session, entry):
        """Completes it with the files that are certain."""
        for info in binding.ok("update_session.file.list", update_session_id=session):
            if info["name"] not in entry.ready and info["source_type"] != "NONE":
                binding.ok("update_session.file.remove", update_session_id=session, file_name=info["name"])
                if info["name"] in self.items[entry.item]:
                    # That took the item's own file out as well.
                    self.items[entry.item] = {
                        name: data for name, data in self.items[entry.item].items() if name != info["name"]
                    }
        binding.ok("update_session.complete", update_session_id=session)
        self.items[entry.item] = {**self.items[entry.item], **entry.ready}
        self.resumed += 1


@contextlib.contextmanager
def moving(server, library):
    """While the library is worked on, it is moved from one storage to the other, again and again."""
    binding, stopped = LegacyRest(server), threading.Event()
    moved = []

    def keep_moving(login):
        binding.session_id = login
        try:
            while not stopped.wait(0.02):
                for storage in ("datastore-12", "datastore-11"):
                    answer = binding.call("library.migrate", library_id=library, migrate_spec=backing(storage))
                    if answer.status == 200:
                        moved.append(storage)
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            pass  # the server was killed

    yield keep_moving, moved
    stopped.set()


def backing(storage):
    return {"storage_backings": [{"type": "DATASTORE", "datastore_id": storage}]}


def wait_for_tasks(binding):
    """Whatever a crash has interrupted goes on by itself."""
    end = time.monotonic() + RECLAIM_TIMEOUT
    while time.monotonic() < end:
        tasks = binding.ok("tasks.list")
        tasks = tasks if isinstance(tasks, dict) else {entry["key"]: entry["value"] for entry in tasks}
        running = {task: info for task, info in tasks.items() if info["status"] not in ("SUCCEEDED", "FAILED")}
        if not running:
            assert all(info["status"] == "SUCCEEDED" for info in tasks.values()), tasks
            return
        time.sleep(0.1)
    raise AssertionError(f"tasks do not end: {running}")


@pytest.mark.parametrize("moves", [False, True], ids=["in one place", "while the library moves"])
def test_kill_at_random_points(tmp_path, moves):
    seed = int(os.environ.get("QUIRE_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"QUIRE_SEED={seed} QUIRE_CRASH_ROUNDS={ROUNDS}")
    chance = random.Random(seed)
    server = QuireServer(tmp_path / "server", flags=[flag for name in STORAGES for flag in ("--storage", name)]).start()
    try:
        binding, transfers = LegacyRest(server).log_in(), Transfers(server)
        library = create_library(binding)
        migrations = 0
        writers = [Writer(server, library, f"writer-{number}", seed) for number in range(WRITERS)]
        for number in range(ROUNDS):
            where = f"round {number}, seed {seed}"
            threads = [
                threading.Thread(target=writer.run, args=(binding.session_id,), daemon=True) for writer in writers
            ]
            for writer in writers:
                writer.step.clear()
            with moving(server, library) as (keep_moving, moved):
                if moves:
                    threads.append(threading.Thread(target=keep_moving, args=(binding.session_id,), daemon=True))
                for thread in threads:
                    thread.start()
                if chance.random() < 0.5:
                    # Anywhere: mostly in the middle of an upload.
                    time.sleep(chance.uniform(0.01, 0.4))
                else:
                    # As soon as one of them was told that a completion or a deletion is done.
                    chance.choice(writers).step.wait(60)
                server.kill()
            for thread in threads:
                thread.join(60)
                assert not thread.is_alive(), where
            assert all(writer.problem is None for writer in writers), (where, [writer.problem for writer in writers])
            migrations += len(moved)

            server.start()
            try:
                check_everything(server, binding, transfers, library, writers)
            except Exception as caught:
                raise AssertionError(where) from caught
        counts = {
            what: sum(getattr(writer, what) for writer in writers) for what in ("completed", "deleted", "resumed")
        }
        print(f"acknowledged: {counts} over {ROUNDS} crashes, {migrations} migrations begun")
        assert counts["completed"] > 0
        assert (migrations > 0) == moves
    except BaseException:
        print(server.log())
        raise
    finally:
        if server.process is not None:
            server.stop()


def check_everything(server, binding, transfers, library, writers):
    present = {
        item: binding.ok("item.get", library_item_id=item)["name"]
        for item in binding.ok("item.list", library_id=library)
    }
    for writer in writers:
        writer.settle(binding, transfers, present)
    assert set(present) == {item for writer in writers for item in writer.items}
    end_sessions(binding)
    wait_for_tasks(binding)
    check_space(server, [content for writer in writers for content in writer.items.values()])


def check_content(binding, transfers, item, content):
    found = download_item(binding, transfers, item)
    assert found == content, f"item {item} shows {_sizes(found)}, expected {_sizes(content)}"
    listed = {info["name"]: info["size"] for info in binding.ok("item.file.list", library_item_id=item)}
    assert listed == {name: len(data) for name, data in found.items()}
    assert binding.ok("item.get", library_item_id=item)["size"] == sum(listed.values())


def _sizes(content):
    return str({name: len(data) for name, data in sorted(content.items())})


def end_sessions(binding):
    """Removes what is left: sessions that ended, and those whose creation was never acknowledged."""
    for session in binding.ok("update_session.list"):
        model = binding.ok("update_session.get", update_session_id=session)
        assert model["state"] in ("ACTIVE", "DONE", "CANCELED"), model
        if model["state"] == "ACTIVE":
            binding.ok("update_session.cancel", update_session_id=session)
        binding.ok("update_session.delete", update_session_id=session)
    for session in binding.ok("download_session.list"):
        binding.ok("download_session.delete", download_session_id=session)


def check_space(server, contents):
    """The blob folders hold each distinct live content once, and nothing else; small files lie in the catalog."""
    folders = [server.data_dir / "blobs", server.data_dir / "storage" / STORAGES[1] / "blobs"]

    def used_in_all():
        return sum(used_bytes(folder) for folder in folders if folder.exists())

    live = {data for content in contents for data in content.values() if len(data) > CATALOG_BLOB_BYTES_MAX}
    expected = sum(map(len, live))
    end = time.monotonic() + RECLAIM_TIMEOUT
    while (used := used_in_all()) > expected + SLACK_BYTES and time.monotonic() < end:
        time.sleep(0.05)
    assert expected <= used <= expected + SLACK_BYTES, f"{used} bytes of blobs for {expected} bytes of content"
