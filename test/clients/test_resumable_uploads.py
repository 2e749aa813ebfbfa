"""Uploads in parts, with the real server: docs/uploads.md.

The chaos test cuts, repeats, reorders and delays parts; QUIRE_SEED repeats a run, QUIRE_CHAOS_ROUNDS (30) sets its length.
"""

import base64
import hashlib
import os
import random
import subprocess
import threading
import time

import pytest

from quire_server import QuireServer
from raw_http import RawConnection, path_of
from rest_client import LegacyRest, Transfers, create_library, download_item

ROUNDS = int(os.environ.get("QUIRE_CHAOS_ROUNDS", "30"))
PARTIAL = "application/partial-upload"
MIB = 1 << 20


class World:
    def __init__(self, server):
        self.server = server
        self.binding = LegacyRest(server).log_in()
        self.transfers = Transfers(server)
        self.library = create_library(self.binding, "resumable")
        self.items = 0

    def file(self, **spec):
        """A file that waits, in a session of its own: (item, session, url)."""
        self.items += 1
        item = self.binding.ok(
            "item.create", create_spec={"name": f"item-{self.items}", "library_id": self.library, "type": ""}
        )
        session = self.binding.ok("update_session.create", create_spec={"library_item_id": item})
        info = self.binding.ok(
            "update_session.file.add",
            update_session_id=session,
            file_spec={"name": "disk.img", "source_type": "PUSH", **spec},
        )
        return item, session, info["upload_endpoint"]["uri"]

    def head(self, url):
        return Transfers(self.server).http.head(url, timeout=60)

    def part(self, url, content, first, length, headers=None):
        fields = {"Content-Range": f"bytes {first}-{first + len(content) - 1}/{length}", **(headers or {})}
        return Transfers(self.server).put(url, content, headers=fields)

    def patch(self, url, content, offset, complete):
        headers = {"Content-Type": PARTIAL, "Upload-Offset": str(offset), "Upload-Complete": "?1" if complete else "?0"}
        return Transfers(self.server).put(url, content, method="PATCH", headers=headers)

    def completed(self, item, session):
        self.binding.ok("update_session.complete", update_session_id=session)
        return download_item(self.binding, self.transfers, item)["disk.img"]

    def status(self, session):
        return self.binding.ok("update_session.file.get", update_session_id=session, file_name="disk.img")


@pytest.fixture(scope="module")
def world(shared_server):
    return World(shared_server)


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return found


def broken_put(world, session, url, content, announced):
    """A PUT of `announced` bytes whose connection breaks after `content`, of which something has arrived by then: what
    still lies on this side goes with the connection, and on a busy machine that can be all of it."""
    with RawConnection(world.server) as connection:
        connection.send_head("PUT", path_of(url), {"Content-Length": announced})
        connection.send(content)
        wait_for(lambda: world.status(session)["bytes_transferred"])
        connection.abort()


def content_digest(content):
    return "sha-256=:" + base64.b64encode(hashlib.sha256(content).digest()).decode() + ":"


def test_a_broken_upload_goes_on_after_a_restart(tmp_path):
    server = QuireServer(tmp_path / "server").start()
    world = World(server)
    content = random.Random(1).randbytes(5 * MIB + 123)
    item, session, url = world.file(size=len(content))
    broken_put(world, session, url, content[: 3 * MIB + 5], len(content))
    offset = wait_for(lambda: int(world.head(url).headers["Upload-Offset"]))
    assert 0 < offset <= 3 * MIB + 5
    server.kill()
    server.start()
    answer = world.head(url)
    assert answer.status_code == 204
    # Nothing that was told is lost; a little more may have arrived since.
    assert offset <= int(answer.headers["Upload-Offset"]) <= 3 * MIB + 5
    assert answer.headers["Upload-Complete"] == "?0"
    assert answer.headers["Upload-Length"] == str(len(content))
    world = World.__new__(World)
    world.server, world.binding, world.transfers = server, LegacyRest(server).log_in(), Transfers(server)
    answer = world.patch(url, content[offset:], offset, True)
    assert answer.status_code == 200
    assert answer.headers["Upload-Complete"] == "?1"
    assert world.completed(item, session) == content
    server.stop()


def test_four_connections_fill_one_file(world):
    content = random.Random(2).randbytes(8 * MIB + 17)
    item, session, url = world.file()
    quarter = len(content) // 4 + 1
    answers = []

    def send(first):
        answers.append(world.part(url, content[first : first + quarter], first, len(content)).status_code)

    threads = [threading.Thread(target=send, args=(first,)) for first in range(0, len(content), quarter)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 204, 204, 204]
    assert world.status(session)["bytes_transferred"] == len(content)
    assert world.completed(item, session) == content


def test_a_false_part_is_refused_alone(world):
    content = random.Random(3).randbytes(3 * MIB)
    item, session, url = world.file()
    assert world.part(url, content[:MIB], 0, len(content)).status_code == 204
    digest = {"Content-Digest": content_digest(content[MIB : 2 * MIB])}
    damaged = bytearray(content[MIB : 2 * MIB])
    damaged[1000] ^= 1
    answer = world.part(url, bytes(damaged), MIB, len(content), digest)
    assert answer.status_code == 400
    assert "Content-Digest" in answer.text
    assert world.head(url).headers["Upload-Offset"] == str(MIB)
    assert world.part(url, content[MIB : 2 * MIB], MIB, len(content), digest).status_code == 204
    assert world.part(url, content[2 * MIB :], 2 * MIB, len(content)).status_code == 200
    assert world.completed(item, session) == content


def test_the_drafts_rules(world):
    content = random.Random(4).randbytes(100_000)
    item, session, url = world.file()
    created = world.transfers.put(url, content[:40_000], method="POST", headers={"Upload-Complete": "?0"})
    assert created.status_code == 201
    assert path_of(created.headers["Location"]) == path_of(url)
    assert created.headers["Upload-Complete"] == "?0"
    conflict = world.patch(url, content[30_000:], 30_000, True)
    assert conflict.status_code == 409
    assert conflict.headers["Upload-Offset"] == "40000"
    assert world.patch(url, content[40_000:70_000], 40_000, False).status_code == 204
    wrong_type = world.transfers.put(url, b"x", method="PATCH", headers={"Upload-Offset": "70000"})
    assert wrong_type.status_code == 415
    assert wrong_type.headers["Accept-Patch"] == PARTIAL
    assert world.transfers.http.options(url).headers["Accept-Patch"] == PARTIAL
    finished = world.patch(url, content[70_000:], 70_000, True)
    assert finished.status_code == 200
    assert finished.headers["Upload-Complete"] == "?1"
    assert world.patch(url, b"more", len(content), True).status_code == 409
    head = world.head(url)
    assert (head.headers["Upload-Offset"], head.headers["Upload-Complete"]) == (str(len(content)), "?1")
    assert world.completed(item, session) == content
    assert world.head(url).status_code == 410


def test_interim_answers_only_for_who_understands_them(world):
    _, _, url = world.file()
    for version, interim in (("8", True), ("5", False), (None, False)):
        with RawConnection(world.server) as connection:
            headers = {"Content-Length": 3, "Upload-Complete": "?0"}
            if version:
                headers["Upload-Draft-Interop-Version"] = version
            connection.send_head("PUT", path_of(url), headers)
            connection.send(b"abc")
            first_line = connection.socket.recv(100).split(b"\r\n")[0]
            assert (b" 104 " in first_line) == interim, first_line


def test_discarding_frees_the_space(world):
    content = random.Random(5).randbytes(MIB)
    item, session, url = world.file()
    assert world.part(url, content, 0, 4 * MIB).status_code == 204
    assert world.transfers.http.delete(url).status_code == 204
    assert world.status(session)["status"] == "WAITING_FOR_TRANSFER"
    assert world.head(url).headers["Upload-Offset"] == "0"
    assert world.transfers.put(url, content).status_code == 200
    assert world.completed(item, session) == content


@pytest.mark.parametrize(
    "content_range",
    ["bytes 5-3/9", "bytes 0-2", "bytes 0-2/2", "items 0-2/9", "bytes -2/9", "bytes 0-2/x", "bytes 0-8/9", "bytes */9",
     "bytes 99999999999999999999-99999999999999999999/*"],
)
def test_nonsense_ranges_change_nothing(world, content_range):
    _, session, url = world.file()
    answer = world.transfers.put(url, b"abc", headers={"Content-Range": content_range})
    assert answer.status_code == 400, answer.text
    assert "Content-Range" in answer.text
    assert world.status(session)["status"] == "WAITING_FOR_TRANSFER"


def test_curl_as_in_the_documentation(world, tmp_path):
    content = random.Random(6).randbytes(4 * MIB)
    source = tmp_path / "disk.img"
    source.write_bytes(content)
    item, session, url = world.file()
    curl = f"curl -sS --cacert {world.server.ca_file} -o /dev/null -w '%{{http_code}}\\n' '{url}'"

    def run(command):
        return subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True).stdout.split()

    half = 2 * MIB
    assert run(f"head -c {half} {source} | {curl} -T - -H 'Content-Range: bytes 0-{half - 1}/{len(content)}'") == ["204"]
    head = run(f"curl -sSI --cacert {world.server.ca_file} '{url}' | tr -d '\\r' | grep -i ^upload-offset")
    assert head[1] == str(half)
    rest = f"tail -c +{half + 1} {source} | {curl} -T - -X PATCH -H 'Content-Type: {PARTIAL}'"
    assert run(f"{rest} -H 'Upload-Offset: {half}' -H 'Upload-Complete: ?1'") == ["200"]
    assert world.completed(item, session) == content


def test_an_ova_in_parts(world, package):
    """It is unpacked when the last part has come."""
    content = package.pack().read_bytes()
    item = world.binding.ok(
        "item.create", create_spec={"name": "ova-in-parts", "library_id": world.library, "type": "ovf"}
    )
    session = world.binding.ok("update_session.create", create_spec={"library_item_id": item})
    info = world.binding.ok(
        "update_session.file.add", update_session_id=session, file_spec={"name": "a.ova", "source_type": "PUSH"}
    )
    url, half = info["upload_endpoint"]["uri"], len(content) // 2
    assert world.part(url, content[half:], half, len(content)).status_code == 204
    assert world.part(url, content[:half], 0, len(content)).status_code == 200
    world.binding.ok("update_session.complete", update_session_id=session)
    names = sorted(download_item(world.binding, world.transfers, item))
    assert any(name.endswith(".ovf") for name in names) and len(names) > 1


class Chaos:
    """One round: clients that send parts and whole rests, whole, cut, twice, late, in any order, over real connections."""

    def __init__(self, world, url, content, seed):
        self.world, self.url, self.content, self.seed = world, url, content, seed
        self.problems = []

    def client(self, number):
        chance = random.Random(f"{self.seed} {number}")
        try:
            for _ in range(4):
                self.step(chance)
        except Exception as caught:  # shown by the test
            self.problems.append(caught)

    def step(self, chance):
        size = len(self.content)
        first = chance.randrange(size)
        end = first + 1 + chance.randrange(min(size - first, 2 * MIB))
        headers = {"Content-Range": f"bytes {first}-{end - 1}/{size}", "Content-Length": end - first}
        method = "PUT"
        if chance.random() < 0.2:
            method, first, end = "PATCH", int(self.world.head(self.url).headers["Upload-Offset"]), size
            headers = {"Content-Type": PARTIAL, "Upload-Offset": first, "Upload-Complete": "?0", "Content-Length": end - first}
        elif chance.random() < 0.3:
            headers["Content-Digest"] = content_digest(self.content[first:end])
        with RawConnection(self.world.server) as connection:
            connection.send_head(method, path_of(self.url), headers)
            body = self.content[first:end]
            if chance.random() < 0.4:
                connection.send(body[: chance.randrange(len(body) + 1)])
                connection.abort()
                return
            for at in range(0, len(body), 300_000):
                if not connection.send(body[at : at + 300_000]):
                    break
            try:
                status = connection.response()[0]
            except OSError:
                return  # somebody else's upload of these bytes won, and the connection went
            assert status in (200, 204, 409), status


def test_chaos_ends_with_identical_bytes(world):
    seed = os.environ.get("QUIRE_SEED") or str(random.randrange(1 << 32))
    print(f"QUIRE_SEED={seed}")
    for number in range(ROUNDS):
        chance = random.Random(f"{seed} {number}")
        content = chance.randbytes(1 + chance.randrange(3 * MIB))
        item, session, url = world.file()
        chaos = Chaos(world, url, content, f"{seed} {number}")
        clients = [threading.Thread(target=chaos.client, args=(client,)) for client in range(3)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        assert not chaos.problems, f"round {number}: {chaos.problems}"

        def finish():
            """What any client does: asks, and sends what is missing."""
            head = world.head(url)
            if head.headers["Upload-Complete"] == "?1":
                return True
            offset = int(head.headers["Upload-Offset"])
            offset = min(offset, len(content) - 1)
            return world.part(url, content[offset:], offset, len(content)).status_code == 200

        wait_for(finish)
        assert world.completed(item, session) == content, f"round {number}"


@pytest.mark.parametrize("framing", ["length", "long length", "chunks"])
def test_slow_bytes_keep_a_session_with_a_short_time_out(tmp_path, framing):
    """1,000 bytes every half second were cut after 5.5 s: they filled no chunk, and only full ones were activity."""
    server = QuireServer(tmp_path / "server", flags=["--update-session-timeout", "4s"]).start()
    try:
        world = World(server)
        item, session, url = world.file()
        pieces = [bytes([number]) * 1000 for number in range(18)]
        rest = b"r" * (100_000 if framing == "long length" else 0)
        length = sum(map(len, pieces)) + len(rest)
        chunked = framing == "chunks"
        with RawConnection(server) as connection:
            how = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(length)}
            connection.send_head("PUT", path_of(url), how)
            for piece in pieces:
                assert connection.send(b"3e8\r\n" + piece + b"\r\n" if chunked else piece)
                time.sleep(0.5)
            assert connection.send(b"0\r\n\r\n" if chunked else rest)
            assert connection.response()[0] == 200
        assert world.completed(item, session) == b"".join(pieces) + rest
    finally:
        server.kill()
