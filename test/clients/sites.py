"""What tests of several sites share: Quires that die and come back, a writer at the publisher, a reader at the copy."""

import os
import random
import threading
import time

import requests

from push_session import PushSession, sha256
from quire_server import used_bytes
from rest_client import NewRest, Transfers
from subscription_client import content_of_library, download, wait_for

NAMES = [f"item {letter}" for letter in "abcdefgh"]
FILES = ["disk.bin", "more.bin", "small.txt"]
CATALOG_BLOB_BYTES_MAX = 4096  # --catalog-blob-bytes-max
SLACK_BYTES = 1 << 16
GONE = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, requests.Timeout)


def draw_seed():
    seed = int(os.environ.get("QUIRE_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"QUIRE_SEED={seed}")
    return seed


class Site:
    """A Quire that is killed and comes back."""

    def __init__(self, server):
        self.server = server.start()
        self.rest = NewRest(self.server).log_in()

    def kill(self):
        self.server.kill()

    def back(self):
        if self.server.process is None:
            self.server.start()
        return self

    def close(self):
        if self.server.process is not None:
            self.server.stop()

    def another_login(self):
        """For a thread of its own."""
        rest = NewRest(self.server)
        rest.session_id = self.rest.session_id
        return rest


class Writer:
    """Changes a published library at random; knows every set of files that each item may ever have had.

    A set is noted before the publisher is asked to commit it, so that a lost answer makes no difference.
    """

    def __init__(self, site, library, seed):
        self.site, self.library = site, library
        self.random = random.Random(f"{seed} writer")
        self.names, self.files = {}, {}  # of each item, as far as it is known
        self.committed = {}
        self.steady = []  # items that are never deleted
        self.log = []

    def rest(self):
        return self.site.rest

    def add(self, name, files):
        rest = self.rest()
        item = rest.ok("item.create", create_spec={"name": name, "library_id": self.library})
        self.names[item] = name
        self.files[item] = {}
        self.put(item, files)
        return item

    def put(self, item, files):
        wanted = {**self.files[item], **{name: sha256(content) for name, content in files.items()}}
        session = PushSession(self.rest(), self.library, item=item)
        for name, content in files.items():
            assert session.push(name, content).status_code == 200
        self.committed.setdefault(item, []).append(wanted)
        session.ok("complete")
        self.files[item] = wanted
        session.ok("delete")

    def rename(self, item, name):
        self.rest().ok("item.update", library_item_id=item, update_spec={"name": name})
        self.names[item] = name

    def delete(self, item):
        self.names.pop(item)
        self.files.pop(item)
        self.rest().ok("item.delete", library_item_id=item)

    def free_name(self):
        free = [name for name in NAMES if name not in self.names.values()]
        return self.random.choice(free) if free else None

    def some_files(self):
        names = self.random.sample(FILES, self.random.randint(1, len(FILES)))
        sizes = {"small.txt": (0, 3000)}
        return {name: self.random.randbytes(self.random.randint(*sizes.get(name, (100, 1_500_000)))) for name in names}

    def step(self):
        """One change, or a few that belong together."""
        chance, free = self.random, self.free_name()
        what = chance.choice(["add", "add", "put", "put", "put", "rename", "swap", "describe", "replace", "delete"])
        items = sorted(self.names)
        self.log.append(what)
        if not items or (what == "add" and free):
            self.add(free, self.some_files())
        elif what == "rename" and free:
            self.rename(chance.choice(items), free)
        elif what == "swap" and free and len(items) > 1:
            one, two = chance.sample(items, 2)
            first, second = self.names[one], self.names[two]
            self.rename(one, free)
            self.rename(two, first)
            self.rename(one, second)
        elif what == "describe":
            spec = {"description": f"words {chance.random()}"}
            self.rest().ok("item.update", library_item_id=chance.choice(items), update_spec=spec)
        elif what in ("delete", "replace") and (old := [item for item in items if item not in self.steady]):
            item = chance.choice(old)
            name = self.names[item]
            self.delete(item)
            if what == "replace":  # another item of the same name
                self.add(name, self.some_files())
        else:
            self.put(chance.choice(items), self.some_files())

    def settle(self):
        """After a crash: ends what was left open, and looks up what has become of the rest."""
        rest = self.rest()
        for session in rest.ok("update_session.list"):
            if rest.ok("update_session.get", update_session_id=session)["state"] == "ACTIVE":
                rest.ok("update_session.cancel", update_session_id=session)
            rest.ok("update_session.delete", update_session_id=session)
        found = content_of_library(rest, self.library)
        for item in [item for item, told in found.items() if not told["files"]]:
            rest.ok("item.delete", library_item_id=item)
            del found[item]
        self.names = {item: told["name"] for item, told in found.items()}
        self.files = {item: told["files"] for item, told in found.items()}
        for item, files in self.files.items():
            assert files in self.committed[item], "the publisher itself is torn"
        assert set(self.steady) <= set(found)


class Watcher:
    """Reads the subscriber's library as its users do: all the time, or a `share` of it where a test has much to do."""

    def __init__(self, site, subscription, writer, share=1):
        self.rest = site.another_login()
        self.library, self.writer, self.share = subscription.id, writer, share
        self.on_demand = subscription.info()["on_demand"]
        self.transfers = Transfers(site.server)
        self.over = threading.Event()
        self.problems = []
        self.seen = set()  # items of the publisher that have been here
        self.looks = self.downloads = 0
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(120)
        assert not self.thread.is_alive()

    def run(self):
        while not self.over.is_set() and len(self.problems) < 5:
            begin = time.monotonic()
            try:
                self.names_are_unique()
                self.steady_items_are_here()
                self.items_are_whole()
                self.looks += 1
                self.over.wait((time.monotonic() - begin) * (1 / self.share - 1))
            except GONE:
                self.over.wait(0.05)  # it was killed, and comes back
            except Exception as problem:
                self.problems.append(repr(problem))

    def names_are_unique(self):
        for name in NAMES:
            found = self.rest.ok("item.find", spec={"library_id": self.library, "name": name})
            if len(found) > 1:
                self.problems.append(f"two items of the name {name}: {found}")

    def steady_items_are_here(self):
        for source in self.writer.steady:
            found = self.rest.ok("item.find", spec={"library_id": self.library, "source_id": source})
            if len(found) > 1 or (source in self.seen and not found):
                self.problems.append(f"item {source} of the publisher is here {len(found)} times")
            self.seen |= {source} if found else set()

    def items_are_whole(self):
        for item in self.rest.ok("item.list", library_id=self.library):
            model = self.rest.call("item.get", library_item_id=item)
            if not model.ok:
                assert model.error_type == "NOT_FOUND", str(model)
                continue
            if not model.value["cached"]:
                continue
            content = self.content(item)
            if content is None:
                continue
            self.downloads += 1
            if content not in self.writer.committed.get(model.value["source_id"], []):
                self.problems.append(f"item {item} ({model.value['name']}) is torn: {content}")

    def content(self, item):
        """Name → SHA-256 of one download session; None when the item went meanwhile."""
        created = self.rest.call("download_session.create", create_spec={"library_item_id": item})
        if not created.ok:
            return self.none_if_gone(item, created)
        call = {"download_session_id": created.value}
        try:
            return self.files_of(item, call)
        finally:
            self.rest.call("download_session.delete", **call)

    def files_of(self, item, call):
        listed = self.rest.call("download_session.file.list", **call)
        if not listed.ok:
            return self.none_if_gone(item, listed)
        found = {}
        for file in listed.value:
            info = self.rest.call("download_session.file.prepare", **call, file_name=file["name"])
            if self.on_demand and info.ok and info.value["status"] == "PREPARING":
                return None  # it was evicted meanwhile, and comes again
            if not info.ok or info.value["status"] != "PREPARED":
                return self.none_if_gone(item, info)
            answer = self.transfers.get(info.value["download_endpoint"]["uri"])
            if answer.status_code != 200:
                return self.none_if_gone(item, answer.status_code)
            found[file["name"]] = sha256(answer.content)
        return found

    def none_if_gone(self, item, answer):
        model = self.rest.call("item.get", library_item_id=item)
        if model.ok and model.value["cached"]:
            self.problems.append(f"item {item} cannot be read: {answer}")


def check_space(site, storage, *libraries):
    """Below the folder `storage` is each live content of these libraries once, and nothing else; small files lie in the
    catalog."""
    rest = site.rest
    for session in rest.ok("download_session.list"):  # which keep what they read
        rest.ok("download_session.delete", download_session_id=session)
    sizes = {}
    for library in libraries:
        for item in library.item_ids():
            files = library.files(item)
            sizes |= {digest: files[name]["size"] for name, digest in download(rest, item).items()}
    expected = sum(size for size in sizes.values() if size > CATALOG_BLOB_BYTES_MAX)
    wait_for("space to come back", lambda: used_bytes(storage) - expected, lambda more: 0 <= more <= SLACK_BYTES)
