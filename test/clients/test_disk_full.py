"""A full disk, at every stage: the API's error, nothing lost, and on it goes when there is room again.

Each test has a small file system of its own (tmpfs), which needs root.
"""

import random
import time

import pytest

from hostile_packages import descriptor
from ova_package import archive_of
from push_session import PushSession, sha256
from quire_server import QuireServer, used_bytes
from rest_client import BINDINGS, LegacyRest, Transfers, create_library, download_item, upload_item
from small_disk import SIZE, small_disk

PATIENCE = 30
MIB = 1 << 20
RANDOM = random.Random("disk full")
SMALL = {"a.bin": RANDOM.randbytes(300_001)}
FILE = RANDOM.randbytes(6 * MIB)


class Place:
    """A server whose content or catalog, or both, are on a small disk; with an item that was there before."""

    def __init__(self, server, disk):
        self.server, self.disk = server, disk
        self.log_in()
        self.library = create_library(self.binding)
        self.spare = self.binding.ok("item.create", create_spec={"name": "spare", "library_id": self.library})
        self.old = upload_item(self.binding, Transfers(server), self.library, "old", SMALL)

    def log_in(self, wire="legacy"):
        self.binding = BINDINGS[wire](self.server).log_in()

    def session(self, item=None):
        return PushSession(self.binding, self.library, "", item)

    def old_is_whole(self):
        assert download_item(self.binding, Transfers(self.server), self.old) == SMALL


@pytest.fixture
def place(tmp_path, request):
    """By the layout: everything on the small disk, the content alone, or the catalog alone; then further flags."""
    layout, *flags = getattr(request, "param", "together").split()
    with small_disk(tmp_path / "small") as disk:
        folder = tmp_path / "server"
        if layout == "apart:content":
            (disk.folder / "content").mkdir()
            flags += ["--storage", f"main={disk.folder / 'content'}"]
        if layout == "apart:catalog":
            (tmp_path / "content").mkdir()
            flags += ["--storage", f"main={tmp_path / 'content'}"]
        server = QuireServer(folder, flags=flags)
        if layout != "apart:content":
            server.data_dir = disk.folder / "data"
        try:
            server.start()
            yield Place(server, disk)
            if server.process is not None:
                assert server.process.poll() is None, f"the server died\n{server.log()}"
                server.stop()
        finally:
            server.kill()


content_disk = pytest.mark.parametrize("place", ["together", "apart:content"], indirect=True)
catalog_disk = pytest.mark.parametrize("place", ["together", "apart:catalog"], indirect=True)


def is_full(answer, status):
    assert answer.status == status and answer.error_type == "UNABLE_TO_ALLOCATE_RESOURCE", answer
    assert answer.messages[0]["id"] and answer.messages[0]["default_message"], answer


def waits(session, name):
    info = session.ok("file.get", file_name=name)
    assert info["status"] == "WAITING_FOR_TRANSFER" and info["bytes_transferred"] == 0, info
    assert session.model()["state"] == "ACTIVE"


def pieces(content, stop=None):
    """In pieces, so that the length is not announced; `stop` is called before the last one."""
    step = 64 * 1024
    for start in range(0, len(content), step):
        if stop and start + step >= len(content):
            stop()
        yield content[start : start + step]


def completes(session, files):
    session.ok("complete")
    assert session.model()["state"] == "DONE"
    assert session.content() == {name: sha256(content) for name, content in files.items()}


@content_disk
def test_declared_size_without_room(place):
    """Refused at add, on every wire; the session takes what fits, and the same file once there is room."""
    for wire, status in (("legacy", 400), ("new", 500), ("json_rpc", 200)):
        place.log_in(wire)
        session = place.session()
        place.disk.leave(4 * MIB)
        spec = {"name": "big.bin", "source_type": "PUSH", "size": len(FILE)}
        is_full(session.call("file.add", file_spec=spec), status)
        assert session.ok("file.list") == []
        assert session.push("small.bin", b"fits", size=4).status_code == 200
        place.disk.make_room()
        assert session.push("big.bin", FILE, size=len(FILE)).status_code == 200
        completes(session, {"small.bin": b"fits", "big.bin": FILE})
        session.remove()
        place.old_is_whole()


@content_disk
def test_no_room_for_a_further_file(place):
    session = place.session()
    uri = session.add("big.bin")
    place.disk.allow_new_files(0)
    response = session.transfers.put(uri, FILE)
    assert response.status_code == 507 and response.json()["error_type"] == "UNABLE_TO_ALLOCATE_RESOURCE", response.text
    waits(session, "big.bin")
    place.old_is_whole()
    place.disk.allow_new_files(1000)
    assert session.transfers.put(uri, FILE).status_code == 200
    completes(session, {"big.bin": FILE})


@content_disk
@pytest.mark.parametrize("framing", ["content-length", "chunked"])
def test_full_during_an_upload(place, framing):
    """What had arrived makes room for others; the file waits, and goes to the same URL afterwards."""
    session = place.session()
    uri = session.add("big.bin")
    place.disk.leave(3 * MIB)
    free = place.disk.free()
    response = session.transfers.put(uri, FILE if framing == "content-length" else pieces(FILE))
    assert response.status_code == 507 and response.json()["error_type"] == "UNABLE_TO_ALLOCATE_RESOURCE", response.text
    waits(session, "big.bin")
    # But for what the catalog wrote meanwhile.
    assert place.disk.free() >= free - MIB
    refused = session.call("complete")
    assert refused.error_type == "NOT_ALLOWED_IN_CURRENT_STATE" and "big.bin" in refused.text
    place.old_is_whole()

    place.disk.make_room()
    assert session.transfers.put(uri, pieces(FILE)).status_code == 200
    completes(session, {"big.bin": FILE})


@content_disk
def test_declared_size_whose_room_went(place):
    """There was room at add; somebody else took it before the bytes came, and while they came."""
    session = place.session()
    uri = session.add("big.bin", size=len(FILE))
    place.disk.leave(3 * MIB)
    assert session.transfers.put(uri, FILE).status_code == 507
    waits(session, "big.bin")

    place.disk.make_room()
    # Room for a declared size is taken when the upload begins, so nobody can take it away any more.
    response = session.transfers.put(uri, FILE)
    assert response.status_code == 200, response.text
    completes(session, {"big.bin": FILE})


@pytest.mark.parametrize("place", ["apart:content"], indirect=True)
def test_full_at_the_end_of_an_upload(place):
    """All bytes have come, then the disk is full to the last page: what is left to do is to make them durable."""
    session = place.session()
    uri = session.add("big.bin")
    response = session.transfers.put(uri, pieces(FILE, stop=lambda: place.disk.leave(0)))
    place.disk.make_room()
    if response.status_code != 200:
        assert response.status_code == 507, response.text
        waits(session, "big.bin")
        assert session.transfers.put(uri, FILE).status_code == 200
    completes(session, {"big.bin": FILE})


@content_disk
def test_full_while_unpacking(place):
    """The members that had been unpacked make room again, too."""
    files = {"vm.ovf": descriptor([("a.vmdk", ""), ("b.vmdk", "")]).encode(), "a.vmdk": FILE[: 2 * MIB], "b.vmdk": FILE}
    archive = archive_of(files.items())
    session = PushSession(place.binding, place.library, "ovf")
    uri = session.add("vm.ova")
    place.disk.leave(5 * MIB)
    free = place.disk.free()
    response = session.transfers.put(uri, pieces(archive))
    assert response.status_code == 507 and response.json()["error_type"] == "UNABLE_TO_ALLOCATE_RESOURCE", response.text
    waits(session, "vm.ova")
    wait_for_room(place.disk, free - MIB)
    place.disk.make_room()
    assert session.transfers.put(uri, pieces(archive)).status_code == 200
    completes(session, files)


def wait_for_room(disk, least):
    end = time.monotonic() + PATIENCE
    while disk.free() < least:
        assert time.monotonic() < end, f"{disk.free()} bytes are free, not {least}"
        time.sleep(0.02)


def fill_until_refused(place):
    """Fills the disk to the last page, and the catalog until it has no room: the answer that said so, and the items
    that were made on the way."""
    place.disk.leave(0)
    made = []
    for number in range(2000):
        name = f"item-{number}"
        answer = place.binding.call("item.create", create_spec={"name": name, "library_id": place.library})
        if not answer.ok:
            return answer, made
        made.append(answer.value)
    raise AssertionError("2,000 items went into a full catalog")


@catalog_disk
def test_full_catalog(place):
    """Whatever would write is refused, whatever reads works; a completion changes nothing and can be repeated."""
    session = place.session(place.old)
    assert session.push("new.bin", FILE[:MIB], size=MIB).status_code == 200
    refused, made = fill_until_refused(place)
    is_full(refused, 400)
    is_full(place.binding.call("local_library.create", create_spec={"name": "another", "type": "LOCAL"}), 400)
    is_full(place.binding.call("update_session.create", create_spec={"library_item_id": place.spare}), 400)
    is_full(session.call("file.add", file_spec={"name": "more.bin", "source_type": "PUSH"}), 400)
    is_full(session.call("complete"), 400)

    # Reading goes on, the session is as it was, and so is the item.
    assert session.model()["state"] == "ACTIVE"
    assert session.ok("file.get", file_name="new.bin")["status"] == "READY"
    assert place.binding.ok("item.get", library_item_id=place.old)["content_version"] == "2"
    assert sorted(place.binding.ok("item.list", library_id=place.library)) == sorted([place.spare, place.old, *made])
    assert place.binding.ok("local_library.list") == [place.library]

    place.disk.make_room()
    completes(session, {**SMALL, "new.bin": FILE[:MIB]})
    assert place.binding.ok("item.get", library_item_id=place.old)["content_version"] == "3"


@catalog_disk
def test_upload_into_a_full_catalog(place):
    """The bytes have come, but nothing can be written down: refused like a full storage, and the bytes go."""
    session = place.session()
    uri = session.add("new.bin")
    fill_until_refused(place)
    before = used_bytes(place.server.data_dir) + used_bytes(place.disk.folder.parent / "content")
    response = session.transfers.put(uri, FILE[:100_000])
    assert response.status_code == 507 and response.json()["error_type"] == "UNABLE_TO_ALLOCATE_RESOURCE", response.text
    after = used_bytes(place.server.data_dir) + used_bytes(place.disk.folder.parent / "content")
    assert after - before < 50_000
    place.disk.make_room()
    assert session.transfers.put(uri, FILE[:100_000]).status_code == 200
    completes(session, {"new.bin": FILE[:100_000]})


@catalog_disk
@pytest.mark.parametrize("end", ["stop", "kill"])
def test_restart_with_a_full_disk(place, end):
    """It starts on the full disk and serves; everything is there that was acknowledged."""
    session = place.session()
    assert session.push("new.bin", FILE[:MIB], size=MIB).status_code == 200
    _, made = fill_until_refused(place)
    getattr(place.server, end)()
    place.server.start()
    assert place.binding.ok("item.get", library_item_id=place.old)["content_version"] == "2"
    place.disk.make_room()
    place.old_is_whole()
    assert sorted(place.binding.ok("item.list", library_id=place.library)) == sorted(
        [place.spare, place.old, session.item, *made]
    )
    completes(session, {"new.bin": FILE[:MIB]})


def can_still_do_the_essential(place, session):
    """What makes room, and what people need who look for it: on every wire, as often as they like."""
    for wire in BINDINGS:
        place.log_in(wire)
        place.old_is_whole()
        assert place.binding.ok("item.get", library_item_id=place.old)["name"] == "old"
    for progress in range(40):
        session.ok("keep_alive", client_progress=progress)


@catalog_disk
def test_the_essential_works_on_a_full_disk(place):
    """Log in, read, prepare, download, cancel and delete; then, when that or others made room, all works again."""
    session = place.session()
    assert session.push("new.bin", FILE[:MIB], size=MIB).status_code == 200
    refused, made = fill_until_refused(place)
    is_full(refused, 400)
    can_still_do_the_essential(place, session)

    session.binding = place.binding
    session.ok("cancel")
    assert session.model()["state"] == "CANCELED"
    for item in made:
        place.binding.ok("item.delete", library_item_id=item)
    place.binding.ok("item.delete", library_item_id=session.item)
    assert sorted(place.binding.ok("item.list", library_id=place.library)) == sorted([place.spare, place.old])

    place.disk.make_room()
    fresh = place.session()
    assert fresh.push("new.bin", FILE, size=len(FILE)).status_code == 200
    completes(fresh, {"new.bin": FILE})


@catalog_disk
def test_the_essential_works_after_a_start_on_a_full_disk(place):
    """Also when the disk was filled, and the ballast gone, before the server started."""
    session = place.session()
    place.server.stop()
    (place.server.data_dir / "ballast").unlink()
    place.disk.leave(256 * 1024)
    place.server.start()
    place.log_in()
    session.binding = place.binding
    is_full(place.binding.call("item.create", create_spec={"name": "another", "library_id": place.library}), 400)
    session.ok("cancel")
    place.disk.make_room()
    place.binding.ok("item.create", create_spec={"name": "another", "library_id": place.library})
    place.old_is_whole()


def fill_by_uploads(place):
    """Uploads of several kinds until each is refused; what was taken stays in the sessions."""
    sessions = []
    # The catalog holds small files itself.
    small = [1000] if place.server.data_dir.is_relative_to(place.disk.folder) else []
    for size in (5 * MIB, MIB, 64 * 1024, *small):
        for body in (lambda content: content, lambda content: pieces(content)):
            for _ in range(200):
                session = place.session()
                sessions.append(session)
                # Bytes of its own: what is there already needs no room.
                content = len(sessions).to_bytes(4, "big") + FILE[: size - 4]
                if session.push("new.bin", body(content)).status_code == 507:
                    break
            else:
                raise AssertionError(f"200 files of {size} bytes went onto a small disk")
    return sessions


@pytest.mark.parametrize(
    "place, reserve",
    [("together --storage-reserve 9MiB", 9 * MIB), ("together", SIZE // 16), ("apart:content", SIZE // 16)],
    indirect=["place"],
)
def test_uploads_leave_the_reserve(place, reserve):
    """However they come; and with the reserve there, nobody notices that the disk is full but who uploads."""
    sessions = fill_by_uploads(place)
    # The catalog itself takes of the reserve.
    assert place.disk.free() > reserve - 2 * MIB
    can_still_do_the_essential(place, sessions[-1])
    place.binding.ok("item.create", create_spec={"name": "another", "library_id": place.library})
    assert (place.server.data_dir / "ballast").exists()
    for session in sessions:
        session.binding = place.binding
        session.ok("cancel")
        place.binding.ok("item.delete", library_item_id=session.item)
    fresh = place.session()
    assert fresh.push("new.bin", FILE, size=len(FILE)).status_code == 200
    completes(fresh, {"new.bin": FILE})
