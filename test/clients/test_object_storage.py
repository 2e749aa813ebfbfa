"""Storages in an object store: the real server on a real S3 server."""

import os
import random
import subprocess
import threading
import time

import pytest
import requests

from object_store import ObjectStore
from ova_package import make_package
from push_session import PushSession
from quire_server import QuireServer, binary
from rest_client import LegacyRest, NewRest, Transfers, create_library, download_item, upload_item

MIB = 1 << 20
SEGMENT = 8 * MIB
PARTIAL = "application/partial-upload"
LARGE = random.Random(7).randbytes(2 * SEGMENT + 12_345)  # three segments
CONTENT = {
    "empty.bin": b"",
    "in the catalog.txt": b"a few bytes",
    "small.bin": random.Random(8).randbytes(70_001),
    "large.bin": LARGE,
}


@pytest.fixture
def store(tmp_path):
    running = ObjectStore(tmp_path / "store").start()
    yield running
    running.stop()


@pytest.fixture
def server(tmp_path, store):
    """All libraries lie in the bucket, unless a test says otherwise."""
    running = QuireServer(
        tmp_path / "server",
        flags=[
            *("--storage", store.storage(), "--storage", f"folder={tmp_path / 'folder'}"),
            *("--monitoring-allow", "127.0.0.0/8"),
            *("--scrub-rate", "0"),  # or it may have read a segment before a test damages it
        ],
    ).start()
    yield running
    if running.process is not None:
        running.stop()


def shown_datastore(binding, name):
    answer = binding.send("GET", "/api/vcenter/datastore")
    assert answer.status_code == 200, answer.text
    return next(one for one in answer.json() if one["name"] == name)


def datastore(binding, name):
    return shown_datastore(binding, name)["datastore"]


def wait_until(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def wait_until_empty(store):
    """What is removed goes after its change."""
    wait_until("all objects have gone", lambda: not store.objects())


def range_of(transfers, uri, first, last):
    answer = transfers.get(uri, headers={"Range": f"bytes={first}-{last}"})
    assert answer.status_code == 206, answer.text
    return answer.content


def test_items_come_back_as_they_were_sent(server, store):
    binding, transfers = NewRest(server).log_in(), Transfers(server)
    library = create_library(binding)
    item = upload_item(binding, transfers, library, "files", CONTENT)
    assert download_item(binding, transfers, item) == CONTENT
    indexes = [key for key in store.objects() if key.endswith("/index")]
    assert len(indexes) == 2, "what is small is in the catalog"
    assert max(path.stat().st_size for path in store.objects().values()) <= SEGMENT
    assert not any((server.data_dir / "blobs").rglob("*")), "nothing is kept on the server's disk"

    # Any range, over the borders of segments too.
    session = binding.ok("download_session.create", create_spec={"library_item_id": item})
    info = binding.ok("download_session.file.prepare", download_session_id=session, file_name="large.bin")
    uri = info["download_endpoint"]["uri"]
    chance = random.Random(9)
    borders = [(0, 0), (SEGMENT - 1, SEGMENT), (SEGMENT, 2 * SEGMENT - 1), (len(LARGE) - 1, len(LARGE) - 1)]
    for first, last in borders + [sorted(chance.sample(range(len(LARGE)), 2)) for _ in range(10)]:
        assert range_of(transfers, uri, first, last) == LARGE[first : last + 1], (first, last)

    # New content: the old one stays as long as somebody may read it, and not longer.
    changed = {**CONTENT, "large.bin": LARGE[::-1]}
    upload_item(binding, transfers, library, "files", {"large.bin": changed["large.bin"]}, item_id=item)
    assert transfers.get(uri).content == LARGE
    assert download_item(binding, transfers, item) == changed
    binding.ok("download_session.delete", download_session_id=session)
    server.restart()
    binding.log_in()
    assert download_item(binding, transfers, item) == changed
    binding.ok("item.delete", library_item_id=item)
    wait_until_empty(store)


def test_a_package_is_unpacked_into_the_bucket_and_copied(server, store, tmp_path):
    binding, transfers = NewRest(server).log_in(), Transfers(server)
    package = make_package(tmp_path / "package", "vm", [3 * MIB], seed=3)
    pushing = PushSession(binding, create_library(binding), "ovf")
    pushing.push_file(package.pack(tmp_path / "vm.ova"))
    pushing.ok("complete")
    contents = download_item(binding, transfers, pushing.item)
    assert contents == {path.name: path.read_bytes() for path in package.content_files()}

    # A copy there shares the bytes; one in the folder, and back, has its own.
    other = binding.ok(
        "local_library.create",
        create_spec={
            "name": "folder",
            "type": "LOCAL",
            "storage_backings": [{"type": "DATASTORE", "datastore_id": datastore(binding, "folder")}],
        },
    )
    before = len(store.objects())
    spec = {"name": "copy", "library_id": binding.ok("item.get", library_item_id=pushing.item)["library_id"]}
    twin = binding.ok("item.copy", source_library_item_id=pushing.item, destination_create_spec=spec)
    assert download_item(binding, transfers, twin) == contents and len(store.objects()) == before
    moved = binding.ok(
        "item.copy", source_library_item_id=twin, destination_create_spec={"name": "moved", "library_id": other}
    )
    assert download_item(binding, transfers, moved) == contents
    for item in (pushing.item, twin):
        binding.ok("item.delete", library_item_id=item)
    wait_until_empty(store)
    assert download_item(binding, transfers, moved) == contents


def test_a_library_moves_into_the_bucket_and_out_while_it_is_read(server, store):
    binding, transfers = NewRest(server).log_in(), Transfers(server)
    library = create_library(binding)
    item = upload_item(binding, transfers, library, "files", CONTENT)

    def move(name):
        backing = {"type": "DATASTORE", "datastore_id": datastore(binding, name)}
        binding.ok("library.migrate", library_id=library, migrate_spec={"storage_backings": [backing]})
        wait_until(
            "the library has moved",
            lambda: all(task["status"] == "SUCCEEDED" for task in binding.ok("tasks.list").values()),
        )

    stop, problems = threading.Event(), []

    def read():
        reader, own = NewRest(server).log_in(), Transfers(server)
        while not stop.is_set():
            if download_item(reader, own, item) != CONTENT:
                problems.append("other bytes were read")

    reading = threading.Thread(target=read)
    reading.start()
    try:
        move("folder")
        wait_until_empty(store)
        move("bucket")
    finally:
        stop.set()
        reading.join(60)
    assert not problems
    assert download_item(binding, transfers, item) == CONTENT
    assert len([key for key in store.objects() if key.endswith("/index")]) == 2


def test_what_was_acknowledged_survives_a_kill(server, store):
    """Parts in any order, a server that dies between them, and one that dies while a part arrives."""
    binding, transfers = LegacyRest(server).log_in(), Transfers(server)
    pushing = PushSession(binding, create_library(binding), "iso")
    url = pushing.add("disk.iso", size=len(LARGE))

    def part(first, last):
        headers = {"Content-Range": f"bytes {first}-{last - 1}/{len(LARGE)}"}
        return transfers.put(url, LARGE[first:last], headers=headers)

    middle, end = SEGMENT + 1000, len(LARGE)
    assert part(middle, end).status_code in (200, 204)
    server.kill()
    server.start()
    half = part(0, SEGMENT // 2)
    assert half.status_code in (200, 204), half.text

    def send_and_die():
        head = f"bytes {SEGMENT // 2}-{middle - 1}/{len(LARGE)}"
        body = iter([LARGE[SEGMENT // 2 : SEGMENT // 2 + MIB], b""])
        with pytest.raises(requests.RequestException):
            Transfers(server).put(url, (time.sleep(0.2) or chunk for chunk in body), headers={"Content-Range": head})

    sending = threading.Thread(target=send_and_die)
    sending.start()
    time.sleep(0.1)
    server.kill()
    sending.join()
    server.start()
    binding.log_in()
    assert part(SEGMENT // 2, middle).status_code in (200, 204)
    pushing.ok("complete")
    assert download_item(binding, transfers, pushing.item) == {"disk.iso": LARGE}
    binding.ok("item.delete", library_item_id=pushing.item)
    wait_until_empty(store)


def test_what_a_dead_server_left_goes_at_the_next_start(server, store):
    binding, transfers = LegacyRest(server).log_in(), Transfers(server)
    library = create_library(binding)
    kept = upload_item(binding, transfers, library, "kept", {"large.bin": LARGE})
    before = set(store.objects())
    pushing = PushSession(binding, library, "iso")
    url = pushing.add("disk.iso")

    def send():
        def pieces():
            for _ in range(600):
                yield os.urandom(MIB // 10)

        with pytest.raises(requests.RequestException):
            Transfers(server).put(url, pieces())

    sending = threading.Thread(target=send)
    sending.start()
    wait_until("something has come", lambda: set(store.objects()) - before)
    pushing.ok("cancel")
    server.kill()
    sending.join()
    server.start()
    binding.log_in()
    wait_until("what nothing names has gone", lambda: set(store.objects()) == before)
    assert download_item(binding, transfers, kept) == {"large.bin": LARGE}


def test_a_damaged_object_is_never_passed_on(server, store):
    """The S3 server notices nothing: a file of it is changed, cut, or gone."""
    binding, transfers = NewRest(server).log_in(), Transfers(server)
    item = upload_item(binding, transfers, create_library(binding), "files", {"large.bin": LARGE})
    server.restart()
    binding.log_in()
    segment = sorted(key for key in store.objects() if not key.endswith("/index"))[1]
    path = store.objects()[segment]
    right = path.read_bytes()
    damages = {
        "changed": lambda: path.write_bytes(right[:100] + bytes([right[100] ^ 1]) + right[101:]),
        "cut": lambda: path.write_bytes(right[:-1]),
        "gone": path.unlink,
    }
    session = binding.ok("download_session.create", create_spec={"library_item_id": item})
    info = binding.ok("download_session.file.prepare", download_session_id=session, file_name="large.bin")
    uri = info["download_endpoint"]["uri"]
    for kind, damage in damages.items():
        damage()
        got = b""
        with pytest.raises(requests.RequestException):
            answer = transfers.http.get(uri, stream=True, timeout=60)
            assert answer.status_code == 200, kind
            for piece in answer.iter_content(64 * 1024):
                got += piece
        assert LARGE.startswith(got) and len(got) <= SEGMENT, kind
        with pytest.raises(requests.RequestException):
            transfers.get(uri, headers={"Range": f"bytes={SEGMENT}-{SEGMENT + 9}"})
        assert transfers.get(uri, headers={"Range": "bytes=0-9"}).content == LARGE[:10], kind
        path.write_bytes(right)
    assert transfers.get(uri).content == LARGE
    assert server.log(1000).count("is damaged") >= len(damages), "whoever runs the server is told"


def test_what_was_read_is_kept_on_the_servers_disk(tmp_path, store):
    flags = ["--storage", store.storage(cache="64MiB"), "--scrub-rate", "0"]
    server = QuireServer(tmp_path / "server", flags=flags).start()
    try:
        binding, transfers = NewRest(server).log_in(), Transfers(server)
        item = upload_item(binding, transfers, create_library(binding), "files", {"large.bin": LARGE})
        server.restart()
        binding.log_in()
        assert download_item(binding, transfers, item) == {"large.bin": LARGE}
        server.restart()
        binding.log_in()
        segments = {path: path.read_bytes() for key, path in store.objects().items() if not key.endswith("/index")}
        for path in segments:
            path.unlink()
        assert download_item(binding, transfers, item) == {"large.bin": LARGE}
        for path, content in segments.items():
            path.write_bytes(content)
        binding.ok("item.delete", library_item_id=item)
        wait_until_empty(store)
        assert not [path for path in (server.data_dir / "cache").rglob("*") if path.is_file()]
    finally:
        server.stop()


def test_while_the_store_is_away_the_server_says_so(server, store):
    binding, transfers = NewRest(server).log_in(), Transfers(server)
    library = create_library(binding)
    item = upload_item(binding, transfers, library, "files", {"large.bin": LARGE, "few.txt": b"few"})
    store.stop()
    session = binding.ok("download_session.create", create_spec={"library_item_id": item})
    info = binding.ok("download_session.file.prepare", download_session_id=session, file_name="few.txt")
    assert transfers.get(info["download_endpoint"]["uri"]).content == b"few", "the catalog has it"
    pushing = PushSession(binding, library, "iso")
    refused = pushing.push("disk.iso", LARGE)
    assert refused.status_code == 503, refused.text
    assert "bucket" in refused.text and store.secret_key not in refused.text

    def readiness():
        return transfers.http.get(server.url + "/readyz", timeout=60)

    wait_until("no longer ready", lambda: readiness().status_code == 503)
    assert "bucket" in readiness().text
    began = time.monotonic()
    assert pushing.push("other.iso", LARGE).status_code == 503 and time.monotonic() - began < 5, "nobody waits for it"
    store.start()
    wait_until("ready again", lambda: readiness().status_code == 200)
    for name in ("disk.iso", "other.iso"):
        again = pushing.ok("file.get", file_name=name)["upload_endpoint"]["uri"]
        assert transfers.put(again, LARGE).status_code == 200
    pushing.ok("complete")
    assert download_item(binding, transfers, pushing.item) == {"disk.iso": LARGE, "other.iso": LARGE}


def test_a_prefix_is_one_installations(server, store, tmp_path):
    """Whoever sweeps a prefix that is another's would remove all of it."""
    binding, transfers = NewRest(server).log_in(), Transfers(server)
    item = upload_item(binding, transfers, create_library(binding), "files", {"large.bin": LARGE})
    before = set(store.objects())
    other = QuireServer(tmp_path / "other", flags=["--storage", store.storage()])
    with pytest.raises(AssertionError, match="another installation"):
        other.start()
    assert set(store.objects()) == before
    (store.bucket / "strange").mkdir()
    (store.bucket / "strange" / "holiday.jpg").write_bytes(b"not ours")
    strange = QuireServer(tmp_path / "strange", flags=["--storage", store.storage(prefix="strange")])
    with pytest.raises(AssertionError, match="is not empty"):
        strange.start()
    assert (store.bucket / "strange" / "holiday.jpg").read_bytes() == b"not ours"
    assert download_item(binding, transfers, item) == {"large.bin": LARGE}


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"credentials": "/nowhere"}, "/nowhere"),
        ({"profile": "other"}, "other"),
        ({"endpoint": "http://127.0.0.1:1"}, "127.0.0.1:1"),
        ({"bucket": "other"}, "other"),
    ],
)
def test_a_start_says_what_is_wrong_with_a_bucket(store, tmp_path, parameters, said):
    storage = store.storage(**{key: value for key, value in parameters.items() if key != "bucket"})
    if "bucket" in parameters:
        storage = storage.replace("s3://images", f"s3://{parameters['bucket']}")
    server = QuireServer(tmp_path / "server", flags=["--storage", storage])
    with pytest.raises(AssertionError, match="ended with") as failure:
        server.start()
    assert said in str(failure.value)


def test_new_keys_are_read_from_the_file(server, store):
    binding, transfers = NewRest(server).log_in(), Transfers(server)
    library = create_library(binding)
    item = upload_item(binding, transfers, library, "files", {"large.bin": LARGE})
    store.stop()
    old, store.secret_key = store.secret_key, "another-" + store.secret_key
    store.start()
    session = PushSession(binding, library, "iso")
    refused = session.push("a.iso", LARGE)
    assert refused.status_code == 503 and old not in refused.text
    store.write_credentials(store.secret_key)
    download = binding.ok("download_session.create", create_spec={"library_item_id": item})
    info = binding.ok("download_session.file.prepare", download_session_id=download, file_name="large.bin")
    uri = info["download_endpoint"]["uri"]
    wait_until("the new keys are taken", lambda: transfers.get(uri).status_code == 200)
    assert transfers.get(uri).content == LARGE


def test_nobody_can_pull_the_keys_or_what_is_kept_of_the_bucket(tmp_path, store):
    flags = ["--storage", store.storage(cache="64MiB"), "--pull-files-from", str(tmp_path.resolve())]
    server = QuireServer(tmp_path / "server", flags=flags).start()
    try:
        binding, transfers = NewRest(server).log_in(), Transfers(server)
        library = create_library(binding)
        item = upload_item(binding, transfers, library, "files", {"large.bin": LARGE})
        server.restart()
        binding.log_in()
        download_item(binding, transfers, item)
        kept = [path for path in (server.data_dir / "cache").rglob("*") if path.is_file()]
        assert kept
        pushing = PushSession(binding, library, "iso")
        for path in (store.credentials, kept[0]):
            spec = {"name": path.name, "source_type": "PULL", "source_endpoint": {"uri": path.resolve().as_uri()}}
            added = pushing.call("file.add", file_spec=spec)
            assert added.status == 400 and store.secret_key not in str(added), added
    finally:
        server.stop()


def test_clients_see_a_datastore_of_which_nothing_is_a_file(server, store, tmp_path):
    binding, transfers = NewRest(server).log_in(), Transfers(server)
    item = upload_item(binding, transfers, create_library(binding), "files", {"large.bin": LARGE})
    shown = shown_datastore(binding, "bucket")
    assert shown["capacity"] - shown["free_space"] >= len(LARGE)
    session = binding.ok("download_session.create", create_spec={"library_item_id": item})
    direct = binding.call(
        "download_session.file.prepare",
        download_session_id=session,
        file_name="large.bin",
        endpoint_type="DIRECT",
    )
    assert direct.status == 400 and "HTTPS" in str(direct), direct
    (stored,) = binding.ok("item.storage.list", library_item_id=item)
    assert stored["storage_uris"][0].startswith("ds:///vmfs/volumes/")


def test_a_library_there_cannot_lie_as_files(server):
    binding = NewRest(server).log_in()
    spec = {"name": "published", "type": "LOCAL", "publish_info": {"published": True, "authentication_method": "NONE", "persist_json_enabled": True}}
    refused = binding.call("local_library.create", create_spec=spec)
    assert refused.status == 400 and "object store" in str(refused), refused
    backing = {"type": "DATASTORE", "datastore_id": datastore(binding, "folder")}
    library = binding.ok("local_library.create", create_spec={**spec, "storage_backings": [backing]})
    target = [{"type": "DATASTORE", "datastore_id": datastore(binding, "bucket")}]
    moved = binding.call("library.migrate", library_id=library, migrate_spec={"storage_backings": target})
    assert moved.status == 400 and "object store" in str(moved), moved


def test_doctor_and_backup_know_the_bucket(server, store, tmp_path):
    binding, transfers = NewRest(server).log_in(), Transfers(server)
    upload_item(binding, transfers, create_library(binding), "files", CONTENT)
    flags = [flag for flag in server.flags if flag.startswith(("bucket=", "folder="))]
    storages = [word for flag in flags for word in ("--storage", flag)]

    def run(*command):
        words = [binary(), *command, "--data", server.data_dir, *storages]
        return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300)

    saved = run("backup", tmp_path / "backup")
    assert saved.returncode == 0, saved.stderr
    server.stop()
    healthy = run("doctor", "--digests")
    assert healthy.returncode == 0, healthy.stdout + healthy.stderr
    path = store.objects()[next(key for key in store.objects() if not key.endswith("/index"))]
    path.write_bytes(path.read_bytes()[::-1])
    assert run("doctor", "--digests").returncode == 1
