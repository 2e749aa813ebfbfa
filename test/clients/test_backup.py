"""quire backup and restore: while serving, consistent, incremental, verified, with the catalog on either engine."""

import hashlib
import json
import random
import subprocess
import threading

import pytest

from push_session import PushSession
from quire_server import QuireServer, binary
from rest_client import NewRest, Transfers, download_item
from vcsp_reader import Subscriber


def quire(*arguments):
    return subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_catalog(request):
    """A function: the flags of a new catalog on the engine."""
    if request.param == "sqlite":
        return lambda: []
    cluster = request.getfixturevalue("postgresql")
    return lambda: ["--catalog", cluster.new_database()]


def new_server(folder, catalog, password=None):
    server = QuireServer(folder, password=password, flags=catalog)
    server.places = ["--data", server.data_dir, *catalog]
    return server


@pytest.fixture
def server(new_catalog, tmp_path):
    server = new_server(tmp_path / "server", new_catalog()).start()
    server.new_catalog = new_catalog
    yield server
    if server.process is not None:
        server.stop()


def backup(server, folder, *flags):
    run = quire("backup", folder, *server.places, "--json", *flags)
    return run, json.loads(run.stdout) if run.stdout else None


def restored(folder, target, like, catalog=None):
    """A server that was made from a backup of the server `like`; on its engine, unless the flags say another."""
    server = new_server(target, like.new_catalog() if catalog is None else catalog, like.password)
    run = quire("restore", folder, *server.places, "--json")
    assert run.returncode == 0, run.stderr
    return server


def fill(rest, library, files, item=None):
    session = PushSession(rest, library, "iso", item=item)
    for file in session.ok("file.list"):
        session.ok("file.remove", file_name=file["name"])
    for name, content in files.items():
        session.push(name, content)
    session.ok("complete")
    return session.item


def contents(server):
    """Item name → file name → bytes' digest."""
    rest = NewRest(server).log_in()
    found = {}
    for library in rest.ok("library.list"):
        for item in rest.ok("item.list", library_id=library):
            model = rest.ok("item.get", library_item_id=item)
            found[model["name"]] = {name: hashlib.sha256(content).hexdigest()
                                    for name, content in download_item(rest, Transfers(server), item).items()}
    return found


@pytest.fixture
def filled(server):
    rest = NewRest(server).log_in()
    library = rest.ok("local_library.create", create_spec={"name": "library"})
    for number in range(3):
        fill(rest, library, {"large.iso": bytes([number]) * 100_000, "small.txt": b"%d" % number})
    return server, rest, library


def test_what_is_restored_is_what_was_saved(filled, tmp_path):
    server, *_ = filled
    run, result = backup(server, tmp_path / "backup")
    assert run.returncode == 0, run.stderr
    assert result["copied_blobs"] == 3 and result["losses"] == 0
    other = restored(tmp_path / "backup", tmp_path / "other", server).start()
    assert contents(other) == contents(server)
    assert quire("doctor", *other.places).returncode == 1  # it runs
    other.stop()
    assert quire("doctor", *other.places, "--digests").returncode == 0
    assert (other.data_dir / "tls/certificate.pem").read_bytes() == (server.data_dir / "tls/certificate.pem").read_bytes()


def test_counters_of_published_libraries_move_on_with_a_restore(filled, tmp_path):
    """Subscribers have perhaps seen later counters than the backup has: they take only greater ones for news."""
    server, rest, library = filled
    published = {"publish_info": {"authentication_method": "NONE", "published": True}}
    rest.ok("local_library.update", library_id=library, update_spec=published)
    backup(server, tmp_path / "backup")
    other = restored(tmp_path / "backup", tmp_path / "other", server).start()

    def counters(of):
        reader = Subscriber(f"{of.url}/cls/vcsp/lib/{library}/lib.json", str(of.ca_file))
        descriptor, index = reader.json(), reader.json("items.json")
        return int(descriptor["version"]), {item["id"]: int(item["version"]) for item in index["items"]}

    before, items_before = counters(server)
    after, items_after = counters(other)
    other.stop()
    assert after > before + 1000
    assert items_after.keys() == items_before.keys()
    assert all(items_after[item] > version + 100 for item, version in items_before.items())


def test_a_second_backup_copies_what_is_new_and_drops_what_is_gone(filled, tmp_path):
    server, rest, library = filled
    backup(server, tmp_path / "backup")
    items = rest.ok("item.list", library_id=library)
    rest.ok("item.delete", library_item_id=items[0])
    fill(rest, library, {"new.iso": b"new" * 50_000})
    run, result = backup(server, tmp_path / "backup")
    assert run.returncode == 0, run.stderr
    assert (result["copied_blobs"], result["removed_blobs"], result["blobs"]) == (1, 1, 3)
    run, result = backup(server, tmp_path / "backup")
    assert (result["copied_blobs"], result["removed_blobs"]) == (0, 0)


def test_under_load_every_item_is_one_committed_version(filled, tmp_path):
    """Writers replace and delete while backups are made; each version's files tell the same number."""
    server, rest, library = filled
    seed = random.randrange(1 << 32)
    print(f"QUIRE_SEED={seed}")
    stop = threading.Event()
    errors = []

    def version(number):
        return {name: f"{number} {name} ".encode() * 2000 for name in ("a.iso", "b.iso")}

    def write(one):
        draw = random.Random(seed + one)
        mine = NewRest(server).log_in()
        item = fill(mine, library, version(0))
        number = 0
        try:
            while not stop.is_set():
                number += 1
                if draw.random() < 0.2:
                    mine.ok("item.delete", library_item_id=item)
                    item = None
                item = fill(mine, library, version(number), item=item)
        except Exception as error:  # noqa: BLE001 - told by the main thread
            errors.append(error)

    writers = [threading.Thread(target=write, args=(one,)) for one in range(3)]
    for writer in writers:
        writer.start()
    try:
        for round_ in range(3):
            run, result = backup(server, tmp_path / "backup")
            assert run.returncode == 0, run.stderr
            other = restored(tmp_path / "backup", tmp_path / f"other-{round_}", server).start()
            copy = NewRest(other).log_in()
            for item in copy.ok("item.list", library_id=library):
                files = download_item(copy, Transfers(other), item)
                if "a.iso" in files:
                    numbers = {content.split()[0] for content in files.values()}
                    assert len(numbers) == 1 and set(files) == {"a.iso", "b.iso"}, numbers
            other.stop()
            assert quire("doctor", *other.places, "--digests").returncode == 0
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert not errors, errors


def test_an_upload_that_was_going_on_begins_anew(filled, tmp_path):
    server, rest, library = filled
    session = PushSession(rest, library, "iso")
    uri = session.add("part.iso", size=300_000)
    sent = session.transfers.put(uri, b"x" * 100_000, headers={"Content-Range": "bytes 0-99999/300000"})
    assert sent.status_code // 100 in (1, 2), sent.text
    backup(server, tmp_path / "backup")
    other = restored(tmp_path / "backup", tmp_path / "other", server).start()
    copy = NewRest(other).log_in()
    file = copy.ok("update_session.file.get", update_session_id=session.session, file_name="part.iso")
    assert (file["status"], file["bytes_transferred"]) == ("WAITING_FOR_TRANSFER", 0)
    other.stop()
    assert quire("doctor", *other.places).returncode == 0


def damaged_blob(folder, catalog_folder=None):
    return sorted(path for path in (folder / "blobs").rglob("*") if path.is_file())[0]


def test_a_damaged_blob_is_told_and_the_rest_is_saved(filled, tmp_path):
    server, *_ = filled
    path = damaged_blob(server.data_dir)
    path.chmod(0o600)
    path.write_bytes(b"X" + path.read_bytes()[1:])
    run, result = backup(server, tmp_path / "backup")
    assert run.returncode == 1 and path.name in run.stderr
    assert result["losses"] == 1 and result["copied_blobs"] == 2


def test_verify_finds_and_mends_what_went_bad_in_the_backup(filled, tmp_path):
    server, *_ = filled
    backup(server, tmp_path / "backup")
    path = damaged_blob(tmp_path / "backup")
    path.chmod(0o600)
    path.write_bytes(b"X" + path.read_bytes()[1:])
    assert backup(server, tmp_path / "backup")[1]["copied_blobs"] == 0
    assert backup(server, tmp_path / "backup", "--verify")[1]["copied_blobs"] == 1


def test_a_backup_becomes_a_catalog_on_the_other_engine(filled, postgresql, tmp_path):
    """The same backup, for who moves from one engine to the other."""
    server, rest, library = filled
    backup(server, tmp_path / "backup")
    of_database = server.new_catalog() != []
    other = restored(tmp_path / "backup", tmp_path / "other", server, [] if of_database else ["--catalog", postgresql.new_database()])
    other.start()
    assert contents(other) == contents(server)
    events = [NewRest(one).log_in().send("GET", "/api/quire/audit?event=item.created").json()["entries"] for one in (server, other)]
    assert events[0] == events[1] and len(events[0]) == 3
    copy = NewRest(other).log_in()
    fill(copy, library, {"new.iso": b"after it" * 10_000})
    numbers = [entry["number"] for entry in copy.send("GET", "/api/quire/audit?event=item.created").json()["entries"]]
    assert numbers == sorted(numbers) and len(set(numbers)) == 4, "numbers go on"
    other.stop()
    assert quire("doctor", *other.places, "--digests").returncode == 0


def test_restore_refuses_what_would_lose_something(filled, tmp_path):
    server, *_ = filled
    backup(server, tmp_path / "backup")
    run = quire("restore", tmp_path / "backup", *server.places)
    assert run.returncode == 1 and "holds a catalog already" in run.stderr
    run = quire("restore", tmp_path / "nothing", "--data", tmp_path / "new")
    assert run.returncode == 1 and "holds no backup" in run.stderr
    new = ["--data", tmp_path / "new", *server.new_catalog()]
    run = quire("restore", tmp_path / "backup", *new, "--storage", "Another")
    assert run.returncode == 1 and "not configured" in run.stderr
    assert not (tmp_path / "new" / "catalog.sqlite").exists()
    run = quire("backup", tmp_path / "more", *server.places, "--storage", "Another")
    assert run.returncode == 1 and "not configured" in run.stderr, "a backup without its blobs would be none"


def test_a_restore_that_was_broken_off_leaves_no_catalog(filled, tmp_path):
    server, *_ = filled
    backup(server, tmp_path / "backup")
    path = damaged_blob(tmp_path / "backup")
    (tmp_path / "other" / "data").mkdir(parents=True)
    blocked = tmp_path / "other" / "data" / "blobs"
    blocked.write_text("a file where a folder should be")
    other = new_server(tmp_path / "other", server.new_catalog())
    run = quire("restore", tmp_path / "backup", *other.places)
    assert run.returncode == 1, run.stdout
    blocked.unlink()
    run = quire("restore", tmp_path / "backup", *other.places)
    assert run.returncode == 0, run.stderr
    assert path.exists()
