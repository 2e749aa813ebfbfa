"""Published libraries as files on their storage: what a reader of these files finds, whatever happens to the server.

QUIRE_SEED repeats a run.
"""

import contextlib
import json
import random
import shutil
import sqlite3
import threading
import time
import uuid
from urllib.parse import unquote

import pytest
from test_disk_full import small_disk
from test_publication import create, fill, info, update
from test_subscription_kills import draw_seed

from push_session import sha256
from quire_server import QuireServer
from rest_client import NewRest
from subscription_client import Subscription, content_of_library, wait_for
from vcsp_reader import Subscriber, check_library, need

CHANCE = random.Random("persisted JSON")
LARGE = CHANCE.randbytes(300_001)


class FolderReader(Subscriber):
    """Reads a published library from a folder, by nothing but its files."""

    def __init__(self, folder):
        self.folder = folder

    def file(self, href):
        return (self.folder / unquote(href)).read_bytes()

    def json(self, href=""):
        return json.loads(self.file(href or "lib.json"))

    def read(self):
        """As of a web server, but index and descriptor are of one state without a second look."""
        library = self.library()
        index = self.json(library["itemsHref"])
        need(index["version"] == library["version"], library["itemsHref"], "is of another state")
        return super().read()

    def bytes_of(self, file):
        content = self.file(file["hrefs"][0])
        need(len(content) == file["size"], file["name"], "has another length than it says")
        need(sha256(content) == file["x-quire"]["sha256"], file["name"], "has other bytes")
        return content


def folder_of(server, library, storage=None):
    return (storage or server.data_dir) / f"contentlib-{library}"


def persisted(binding, **publish_info):
    return create(binding, persist_json_enabled=True, **publish_info)


def generation(reader):
    try:
        return int(reader.library()["version"])
    except FileNotFoundError:
        return 0


def wait_for_items(reader, expected):
    """Until the folder shows exactly these items: name → file name → bytes."""

    def shown():
        if not generation(reader):
            return None
        return {name: reader.content(item) for name, item in reader.read()[1].items()}

    wait_for("the folder", shown, lambda found: found == expected, 30)


def wait_until_gone(folder):
    wait_for("the folder to go", folder.exists, lambda exists: not exists, 30)


def tree(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_flag_is_read_back_as_it_was_sent(legacy, new_rest, json_rpc):
    for binding in (legacy, new_rest, json_rpc):
        library = create(binding, persist_json_enabled=True)
        for reader in (legacy, new_rest, json_rpc):
            assert info(reader, library)["persist_json_enabled"] is True
        for value in (False, False, True):
            assert update(binding, library, persist_json_enabled=value).ok
            assert info(binding, library)["persist_json_enabled"] is value
        assert update(binding, library, published=False).ok
        assert info(binding, library)["persist_json_enabled"] is True, "as the other members of a publication"
        assert update(binding, library, published=False, persist_json_enabled=False).ok
        assert info(binding, library) == {
            "authentication_method": "NONE",
            "published": False,
            "persist_json_enabled": False,
        }
        unpublished = create(binding, published=False, persist_json_enabled=True)
        assert info(binding, unpublished)["persist_json_enabled"] is True
        assert not folder_of(binding.server, unpublished).exists()


def test_a_strict_reader_finds_all_of_it(new_rest):
    library = persisted(new_rest)
    reader = FolderReader(folder_of(new_rest.server, library))
    names = {"ä b.txt", "100%25 #?&+.bin", 'a"b', "..hidden", "日本語.iso", "a;b=c,d", "x" * 255}
    odd = {name: name.encode() for name in names} | {"empty": b""}
    fill(new_rest, library, 'an "item" & more', odd)
    image = {"disk.iso": LARGE}
    fill(new_rest, library, "image", image, "iso")
    wait_for_items(reader, {'an "item" & more': odd, "image": image})
    copies = reader.mirror()
    served = Subscriber(f"{new_rest.server.url}/cls/vcsp/lib/{library}/lib.json", str(new_rest.server.ca_file))
    assert copies == served.mirror(), "files and web server say the same"
    descriptor = reader.library()
    assert {**served.library(), "itemsHref": descriptor["itemsHref"]} == descriptor


def test_a_folder_costs_no_room_and_follows_every_change(new_rest):
    library = persisted(new_rest)
    folder = folder_of(new_rest.server, library)
    reader = FolderReader(folder)
    one = fill(new_rest, library, "one", {"a": LARGE, "b": b"small"})
    two = fill(new_rest, library, "two", {"c": b"2" * 5000})
    wait_for_items(reader, {"one": {"a": LARGE, "b": b"small"}, "two": {"c": b"2" * 5000}})
    assert (folder / one / "g2" / "a").stat().st_nlink > 1, "a hard link (where there are reflinks: leave this out)"
    untouched = (folder / two / "item.json").stat().st_ino
    new_rest.ok("item.update", library_item_id=one, update_spec={"name": "uno"})
    wait_for_items(reader, {"uno": {"a": LARGE, "b": b"small"}, "two": {"c": b"2" * 5000}})
    fill(new_rest, library, None, {"b": b"other"}, item=one)
    wait_for_items(reader, {"uno": {"a": LARGE, "b": b"other"}, "two": {"c": b"2" * 5000}})
    assert (folder / two / "item.json").stat().st_ino == untouched, "items that did not change are not written"
    new_rest.ok("item.delete", library_item_id=one)
    wait_for_items(reader, {"two": {"c": b"2" * 5000}})
    new_rest.ok("library.update", library_id=library, update_spec={"name": "renamed", "description": "described"})
    wait_for("the new name", reader.library, lambda found: (found["name"], found["description"]) == ("renamed", "described"))


def test_the_folder_goes_when_nobody_wants_it(new_rest):
    library = persisted(new_rest)
    folder = folder_of(new_rest.server, library)
    fill(new_rest, library, "one", {"a": LARGE})
    wait_for_items(FolderReader(folder), {"one": {"a": LARGE}})
    for off, on in (({"persist_json_enabled": False}, {"persist_json_enabled": True}),
                    ({"published": False}, {"published": True})):  # fmt: skip
        assert update(new_rest, library, **off).ok
        wait_until_gone(folder)
        assert update(new_rest, library, **on).ok
        wait_for_items(FolderReader(folder), {"one": {"a": LARGE}})
    new_rest.ok("local_library.delete", library_id=library)
    wait_until_gone(folder)


def test_folders_of_others_are_left_alone(server):
    """Neither what lies where a folder should be, nor what looks like one of a library that is gone."""
    binding = NewRest(server).log_in()
    library = create(binding)
    folder = folder_of(server, library)
    stranger = folder_of(server, str(uuid.uuid4()))
    for each in (folder, stranger):
        each.mkdir()
        (each / "lib.json").write_text("precious")
    assert update(binding, library, persist_json_enabled=True).ok
    wait_for("the refusal", lambda: "is not this server's" in server.log())
    server.stop()
    server.start()
    binding = NewRest(server).log_in()
    assert update(binding, library, persist_json_enabled=False).ok
    other = persisted(binding)
    wait_for_items(FolderReader(folder_of(server, other)), {})  # so a round has been
    for each in (folder, stranger):
        assert tree(each) == {"lib.json"} and (each / "lib.json").read_text() == "precious"


def test_readers_never_see_a_torn_state(new_rest):
    """Items are renamed, replaced, added and deleted while readers loop: each reading is one state, with all its bytes."""
    library = persisted(new_rest)
    reader = FolderReader(folder_of(new_rest.server, library))
    chance = random.Random(draw_seed())
    contents = {}  # all that an item's id ever had: file name → digest
    items = []

    def files():
        return {name: chance.randbytes(chance.choice([10, 3000, 9000])) for name in chance.sample("abcd", 2)}

    def remember(item, content):
        contents.setdefault(item, []).append({name: sha256(data) for name, data in content.items()})

    def add():
        content, name = files(), uuid.uuid4().hex
        item = new_rest.ok("item.create", create_spec={"name": name, "library_id": library, "type": ""})
        remember(item, content)
        fill(new_rest, library, None, content, item=item)
        items.append(item)

    def replace():
        item, content = chance.choice(items), files()
        remember(item, {**content})
        before = contents[item][-2]
        contents[item][-1] = {**before, **contents[item][-1]}  # pushed files join those that are there
        fill(new_rest, library, None, content, item=item)

    def rename():
        new_rest.ok("item.update", library_item_id=chance.choice(items), update_spec={"name": uuid.uuid4().hex})

    def delete():
        new_rest.ok("item.delete", library_item_id=items.pop(chance.randrange(len(items))))

    for _ in range(3):
        add()
    wait_for("the folder", lambda: generation(reader))
    over = threading.Event()
    problems, versions = [], []

    def hammer():
        own = FolderReader(reader.folder)
        seen = set()
        while not over.is_set():
            try:
                library_document, found = own.read()
                for item in found.values():
                    digests = {name: sha256(data) for name, data in own.content(item).items()}
                    assert digests in contents[item["id"].removeprefix("urn:uuid:")], item
                seen.add(int(library_document["version"]))
            except Exception as problem:
                problems.append(problem)
                return
        versions.append(len(seen))

    readers = [threading.Thread(target=hammer) for _ in range(2)]
    for thread in readers:
        thread.start()
    try:
        end = time.monotonic() + 12
        while time.monotonic() < end and not problems:
            step = chance.choice([add, replace, replace, rename, delete])
            if step is delete and len(items) < 2:
                step = add
            step()
    finally:
        over.set()
        for thread in readers:
            thread.join(60)
    assert not problems, problems
    assert min(versions) > 3, "readers saw the folder change"
    expected = {item: told["files"] for item, told in content_of_library(new_rest, library).items()}

    def shown():
        return {
            item["id"].removeprefix("urn:uuid:"): {file["name"]: file["x-quire"]["sha256"] for file in item["files"]}
            for item in reader.read()[1].values()
        }

    wait_for("the last state", shown, lambda found: found == expected)


def storage_uuid(server):
    with contextlib.closing(sqlite3.connect(server.data_dir / "catalog.sqlite")) as catalog:
        ((found,),) = catalog.execute("SELECT value FROM settings WHERE name LIKE 'storage.%.uuid'").fetchall()
        return found


def test_subscribers_read_the_folder(tmp_path):
    """By `file:` from another server, by `ds:` from the same one, and from a copy that was made while it changed."""
    publisher = QuireServer(tmp_path / "publisher").start()
    copied = tmp_path / "copied"
    flags = ["--pull-files-from", str(publisher.data_dir), "--pull-files-from", str(copied)]
    copied.mkdir()
    subscriber = QuireServer(tmp_path / "subscriber", flags=flags).start()
    try:
        source, rest = NewRest(publisher).log_in(), NewRest(subscriber).log_in()
        library = persisted(source)
        folder = folder_of(publisher, library)
        reader = FolderReader(folder)
        one = fill(source, library, "one", {"ä b.bin": LARGE, "small": b"s"})
        fill(source, library, "two", {"c.iso": b"2" * 70_000}, "iso")
        wait_for_items(
            reader, {"one": {"ä b.bin": LARGE, "small": b"s"}, "two": {"c.iso": b"2" * 70_000}}
        )
        by_file = Subscription(rest, f"file://{folder}/lib.json").first()
        by_file.assert_is(content_of_library(source, library))
        here = f"ds:///vmfs/volumes/{storage_uuid(publisher)}/contentlib-{library}/lib.json"
        by_datastore = Subscription(source, here).first()
        by_datastore.assert_is(content_of_library(source, library))

        # The descriptor first, and put there last (docs/publishing.md); the library moves on meanwhile.
        copy = copied / "site"
        descriptor = (folder / "lib.json").read_bytes()
        before = generation(reader)
        published = content_of_library(source, library)
        fill(source, library, None, {"small": b"other"}, item=one)
        source.ok("item.update", library_item_id=one, update_spec={"name": "uno"})
        wait_for("the change", lambda: generation(reader), lambda now: now >= before + 2)
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("lib.json", ".quire*"))
        (copy / "lib.json").write_bytes(descriptor)
        by_copy = Subscription(rest, f"file://{copy}/lib.json", name="of the copy").first()
        by_copy.assert_is(published)

        for subscription in (by_file, by_datastore):
            subscription.synced().assert_is(content_of_library(source, library))
    finally:
        subscriber.stop()
        publisher.stop()


def test_kill_in_the_middle(tmp_path):
    """A reader never sees a torn state, dead server or not; after the last start the folder is as the library."""
    chance = random.Random(draw_seed())
    server = QuireServer(tmp_path / "server").start()
    library = persisted(NewRest(server).log_in())
    reader = FolderReader(folder_of(server, library))
    wait_for("the folder", lambda: generation(reader))
    for _ in range(6):
        binding = NewRest(server).log_in()
        stop = threading.Event()

        def change(binding=binding, stop=stop):
            with contextlib.suppress(Exception):
                while not stop.is_set():
                    content = {name: chance.randbytes(chance.choice([10, 20_000])) for name in "ab"}
                    item = fill(binding, library, uuid.uuid4().hex, content)
                    if chance.random() < 0.5:
                        binding.ok("item.delete", library_item_id=item)

        writer = threading.Thread(target=change)
        writer.start()
        end = time.monotonic() + chance.uniform(0.5, 2.5)
        while time.monotonic() < end:
            for item in reader.read()[1].values():
                reader.content(item)
        server.kill()
        stop.set()
        writer.join(60)
        for item in reader.read()[1].values():
            reader.content(item)
        server.start()
    binding = NewRest(server).log_in()
    for session in binding.ok("update_session.list"):
        with contextlib.suppress(AssertionError):  # one that has ended
            binding.ok("update_session.cancel", update_session_id=session)
        binding.ok("update_session.delete", update_session_id=session)
    published = Subscriber(f"{server.url}/cls/vcsp/lib/{library}/lib.json", str(server.ca_file))
    wait_for("the folder", lambda: generation(reader), lambda now: now == int(published.library()["version"]))
    assert reader.mirror() == published.mirror()
    leftover = [path for path in reader.folder.rglob(".quire*") if path.name != ".quire"]
    assert not leftover
    # Nobody tells the server that is down.
    server.kill()
    server.start()
    NewRest(server).log_in().ok("local_library.delete", library_id=library)
    server.kill()
    server.start()
    wait_until_gone(reader.folder)
    server.stop()


def test_another_storage(tmp_path):
    """The folder moves with the library."""
    storages = {name: tmp_path / name for name in ("first", "second")}
    flags = [flag for name, folder in storages.items() for flag in ("--storage", f"{name}={folder}")]
    server = QuireServer(tmp_path / "server", flags=flags).start()
    try:
        binding = NewRest(server).log_in()
        library = persisted(binding)
        content = {"one": {"a": LARGE, "b": b"small"}}
        fill(binding, library, "one", content["one"])
        before = folder_of(server, library, storages["first"])
        wait_for_items(FolderReader(before), content)
        backing = {"type": "DATASTORE", "datastore_id": "datastore-12"}
        binding.ok("library.migrate", library_id=library, migrate_spec={"storage_backings": [backing]})
        wait_until_gone(before)
        wait_for_items(FolderReader(folder_of(server, library, storages["second"])), content)
    finally:
        server.stop()


def test_a_full_disk_leaves_the_state_before(tmp_path):
    with small_disk(tmp_path / "small") as disk:
        content = disk.folder / "content"
        content.mkdir()
        server = QuireServer(tmp_path / "server", flags=["--storage", f"main={content}"]).start()
        try:
            binding = NewRest(server).log_in()
            library = persisted(binding)
            reader = FolderReader(folder_of(server, library, content))
            item = fill(binding, library, "one", {"a": LARGE})
            wait_for_items(reader, {"one": {"a": LARGE}})
            disk.leave(0)
            binding.ok("item.update", library_item_id=item, update_spec={"name": "uno"})  # in the catalog, which has room
            wait_for("the failure", lambda: "is behind and is tried again" in server.log())
            _, items = reader.read()
            assert {name: reader.content(item) for name, item in items.items()} == {"one": {"a": LARGE}}

            def told():
                workers = binding.send("GET", "/api/quire/server/workers").json()
                return next(worker for worker in workers if worker["name"] == "persisted libraries")

            said = wait_for("the worker's error", told, lambda worker: worker["failures_in_a_row"] > 0)
            assert "Storage main is full" in said["last_error"], said
            disk.make_room()
            wait_for_items(reader, {"uno": {"a": LARGE}})
            wait_for("the good news", lambda: "is as it should be again" in server.log())
        finally:
            server.stop()


@pytest.mark.parametrize("count", [10_000])
def test_many_items(server, count):
    """One change of a large library is one item's change."""
    binding = NewRest(server).log_in()
    library = create(binding)
    source = fill(binding, library, "source", {"a.bin": b"the same bytes" * 1000})

    def copy(first, step):
        own = NewRest(server).log_in()
        for i in range(first, count, step):
            own.ok(
                "item.copy",
                source_library_item_id=source,
                destination_create_spec={"name": f"item {i:05}", "library_id": library},
            )

    threads = [threading.Thread(target=copy, args=(first, 4)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader = FolderReader(folder_of(server, library))
    began = time.monotonic()
    assert update(binding, library, persist_json_enabled=True).ok
    wait_for("the folder", lambda: generation(reader), patience=180)
    whole = time.monotonic() - began
    check_library(reader.library())
    _, items = reader.read()
    assert len(items) == count + 1
    inodes = {name: (reader.folder / item["selfHref"]).stat().st_ino for name, item in items.items()}
    before = generation(reader)
    began = time.monotonic()
    fill(binding, library, None, {"a.bin": b"other bytes"}, item=source)
    wait_for("the change", lambda: generation(reader), lambda now: now > before)
    one = time.monotonic() - began
    _, again = reader.read()
    assert [name for name in items if items[name] != again[name]] == ["source"]
    after = {name: (reader.folder / item["selfHref"]).stat().st_ino for name, item in again.items()}
    assert [name for name in inodes if inodes[name] != after[name]] == ["source"]
    print(f"all of it: {whole:.2f} s; one change: {one:.2f} s")
