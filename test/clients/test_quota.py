"""Quotas: how many clients at once ask for the last room, what they read when there is none, and that room comes back."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from govc_client import Govc
from ova_package import write_random
from push_session import PushSession
from quire_server import ADMINISTRATOR, QuireServer
from rest_client import BINDINGS, LegacyRest, create_library

CLIENTS = 50
ROOM = 20
FILE_BYTES = 64 << 10
FULL = "UNABLE_TO_ALLOCATE_RESOURCE"


class Quotas:
    """The operations of our own, as an operator calls them."""

    def __init__(self, server, user=ADMINISTRATOR, password=None):
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = str(server.ca_file)
        self.base = f"{server.url}/api/"
        login = self.http.post(f"{self.base}session", auth=(user, password or server.password), timeout=60)
        login.raise_for_status()
        self.http.headers["vmware-api-session-id"] = login.json()

    def __call__(self, method, path, body=None):
        return self.http.request(method, f"{self.base}quire/{path}", json=body, timeout=60)

    def done(self, method, path, body=None):
        answer = self(method, path, body)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.text else None

    def limit(self, library, **limits):
        self.done("PUT", f"quota/libraries/{library}", limits)

    def of(self, library):
        return self.done("GET", f"quota/libraries/{library}")


def use(quota):
    return quota["items_used"], quota["bytes_used"], quota["bytes_reserved"]


def text_of(answer):
    return answer.messages[0]["default_message"]


@pytest.fixture
def quotas(shared_server):
    return Quotas(shared_server)


@pytest.fixture
def library(legacy):
    return create_library(legacy, f"lib-{uuid.uuid4().hex[:8]}")


def at_once(calls):
    """The answers to calls that begin together, each by a client of its own."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [running.result() for running in [pool.submit(call) for call in calls]]


def test_many_clients_ask_for_the_last_items(shared_server, quotas, legacy, library):
    clients = [LegacyRest(shared_server) for _ in range(CLIENTS)]
    for client in clients:
        client.session_id = legacy.session_id
    quotas.limit(library, items=ROOM)

    def create(client):
        return client.call("item.create", create_spec={"name": uuid.uuid4().hex, "library_id": library})

    for _ in range(3):
        answers = at_once([lambda client=client: create(client) for client in clients])
        made = [answer.value for answer in answers if answer.ok]
        assert len(made) == ROOM, "neither more than there is room for, nor fewer"
        assert {answer.error_type for answer in answers if not answer.ok} == {FULL}
        assert use(quotas.of(library)) == (ROOM, 0, 0)
        assert len(legacy.ok("item.list", library_id=library)) == ROOM
        for item in made:
            legacy.ok("item.delete", library_item_id=item)
        assert use(quotas.of(library)) == (0, 0, 0)


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "of unknown size"])
def test_many_clients_ask_for_the_last_bytes(shared_server, quotas, legacy, library, declared):
    """Whole life cycles, against a quota that a part of them fits into; those that do not are cancelled."""
    content = bytes(FILE_BYTES)
    sessions = []
    for _ in range(CLIENTS):
        client = LegacyRest(shared_server)
        client.session_id = legacy.session_id
        sessions.append(PushSession(client, library, ""))
    limit = ROOM * FILE_BYTES + FILE_BYTES // 2
    quotas.limit(library, bytes=limit)

    def live(push):
        """True when it completed, False when it was told that there is no room."""
        size = {"size": FILE_BYTES} if declared else {}
        added = push.call("file.add", file_spec={"name": "disk", "source_type": "PUSH", **size})
        if not added.ok:
            assert declared and added.error_type == FULL, str(added)
            return False
        body = content if declared else iter([content[: FILE_BYTES // 2], content[FILE_BYTES // 2 :]])
        answer = push.transfers.put(added.value["upload_endpoint"]["uri"], body)
        if answer.status_code == 507:
            assert not declared and answer.json()["error_type"] == FULL, answer.text
            assert push.model()["state"] == "ACTIVE"
            return False
        assert answer.status_code == 200, answer.text
        push.ok("complete")
        return True

    done = at_once([lambda push=push: live(push) for push in sessions])
    assert sum(done) == ROOM
    quota = quotas.of(library)
    assert use(quota) == (CLIENTS, ROOM * FILE_BYTES, 0 if not declared else quota["bytes_reserved"])
    sizes = [push.item_model().get("size", 0) for push in sessions]
    assert sum(sizes) == ROOM * FILE_BYTES <= limit
    for push, completed in zip(sessions, done, strict=True):
        if not completed:
            push.ok("cancel")
    assert use(quotas.of(library)) == (CLIENTS, ROOM * FILE_BYTES, 0)

    # What is deleted makes room for those who had none.
    completed = [push for push, ok in zip(sessions, done, strict=True) if ok]
    refused = [push for push, ok in zip(sessions, done, strict=True) if not ok]
    for push in completed:
        push.remove()
    again = [PushSession(push.binding, library, "", push.item) for push in refused]
    assert sum(at_once([lambda push=push: live(push) for push in again])) == ROOM
    assert quotas.of(library)["bytes_used"] == ROOM * FILE_BYTES


def test_room_comes_back_however_a_session_ends(tmp_path):
    server = QuireServer(tmp_path, flags=["--update-session-timeout", "2s"]).start()
    try:
        quotas = Quotas(server)
        binding = LegacyRest(server).log_in()
        library = create_library(binding)
        quotas.limit(library, bytes=1000)
        push = PushSession(binding, library, "")
        push.add("a", size=1000)
        assert quotas.of(library)["bytes_reserved"] == 1000
        server.kill()
        server.start()
        quotas = Quotas(server)
        binding = LegacyRest(server).log_in()
        assert quotas.of(library)["bytes_reserved"] == 1000
        # The new session takes the place of the one that has expired, or the server has removed that by itself.
        item = push.item
        deadline = time.monotonic() + 60
        while not (answer := binding.call("update_session.create", create_spec={"library_item_id": item})).ok:
            assert answer.error_type == "RESOURCE_BUSY", str(answer)
            assert time.monotonic() < deadline, "the session does not expire"
            time.sleep(0.1)
        assert quotas.of(library)["bytes_reserved"] == 0
        binding.ok("update_session.cancel", update_session_id=answer.value)
        server.stop()
    finally:
        server.kill()


@pytest.mark.parametrize("wire", BINDINGS)
def test_a_full_quota_says_so(shared_server, quotas, library, wire):
    binding = BINDINGS[wire](shared_server).log_in()
    name = binding.ok("library.get", library_id=library)["name"]
    push = PushSession(binding, library, "")
    quotas.limit(library, items=1, bytes=100)
    answer = binding.call("item.create", create_spec={"name": "second", "library_id": library})
    assert answer.error_type == FULL
    assert text_of(answer) == (
        f"The quota of library {name} is 1 items, and 1 are there. Delete items that are not needed, or ask an "
        "administrator for a larger quota."
    )
    push.add("a", size=60)
    answer = push.call("file.add", file_spec={"name": "b", "source_type": "PUSH", "size": 41})
    assert answer.error_type == FULL
    bytes_full = (
        f"The quota of library {name} is 100 bytes. 0 are used and 60 reserved by uploads and copies that have not "
        "ended, so 41 more do not fit. Delete items that are not needed, end other uploads, or ask an administrator for "
        "a larger quota."
    )
    assert text_of(answer) == bytes_full
    refused = push.push("b", b"x" * 41)
    assert refused.status_code == 507
    assert bytes_full in refused.text
    assert push.push("b", b"x" * 40).status_code == 200


def test_a_user_has_a_quota_and_reads_it(shared_server, quotas, legacy, library):
    user = f"{uuid.uuid4().hex[:8]}@vsphere.local"
    quotas.done("POST", "access/users", {"name": user, "password": "correct horse battery"})
    quotas.done("PUT", "access/permissions", {"principal": user, "type": "USER", "role": "-102"})
    quotas.done("PUT", f"quota/users/{user}", {"items": 1})
    own = Quotas(shared_server, user, "correct horse battery")
    assert use(own.done("GET", "quota/own")) == (0, 0, 0)
    assert own("PUT", f"quota/users/{user}", {"items": 2}).status_code == 403
    assert own("GET", "quota/users").status_code == 403
    items = f"{own.base}content/library/item"
    assert own.http.post(items, json={"library_id": library, "name": "one"}, timeout=60).ok
    refused = own.http.post(items, json={"library_id": library, "name": "two"}, timeout=60)
    assert refused.json()["error_type"] == FULL
    assert f"The quota of user {user} is 1 items" in refused.text
    assert use(own.done("GET", "quota/own")) == (1, 0, 0)
    assert own("GET", f"quota/libraries/{library}").ok, "who can read a library can read what it uses"
    legacy.ok("item.create", create_spec={"name": "two", "library_id": library})
    quotas.done("DELETE", f"quota/users/{user}")
    assert own.http.post(items, json={"library_id": library, "name": "three"}, timeout=60).ok


def test_what_govc_prints(shared_server, quotas, tmp_path):
    govc = Govc(shared_server, tmp_path / "home")
    name = f"lib-{uuid.uuid4().hex[:8]}"
    library = govc.ok("library.create", name).strip()
    quotas.limit(library, bytes=1_000_000, items=2)
    small = write_random(tmp_path / "small.iso", 900_000, seed="small")
    large = write_random(tmp_path / "large.iso", 200_000, seed="large")
    govc.ok("library.import", name, small)
    told = govc.fails("library.import", name, large)
    assert f"The quota of library {name} is 1000000 bytes. 900000 are used" in told, told
    third = write_random(tmp_path / "third.iso", 10, seed="third")
    told = govc.fails("library.import", name, third)
    assert f"The quota of library {name} is 2 items" in told, told
    govc.ok("library.rm", f"/{name}/small")
    govc.ok("library.import", name, third)


def test_defaults_hold_for_who_has_no_quota(tmp_path):
    """Set at a start, told with where they come from, and gone with the setting."""
    server = QuireServer(tmp_path, flags=["--default-library-quota-items", "2", "--default-user-quota-bytes", "1KiB"]).start()
    try:
        rest, quotas = LegacyRest(server).log_in(), Quotas(server)
        library = create_library(rest, "small")
        assert quotas.of(library) == {"owner": library, "items": 2, "bytes_used": 0, "bytes_reserved": 0, "items_used": 0,
                                      "source": "DEFAULT"}
        session = PushSession(rest, library, "iso")
        refused = session.call("file.add", file_spec={"name": "a", "source_type": "PUSH", "size": 1025})
        assert refused.error_type == FULL and "1024 bytes" in text_of(refused), refused
        assert session.push("a", b"x" * 1024, size=1024).status_code == 200
        create = {"create_spec": {"name": "second", "library_id": library, "type": ""}}
        rest.ok("item.create", **create)
        create["create_spec"]["name"] = "third"
        assert "2 items" in text_of(rest.call("item.create", **create))
        quotas.limit(library, items=3)
        assert quotas.of(library)["source"] == "OWN"
        rest.ok("item.create", **create)
        own = quotas.done("GET", "quota/own")
        assert (own["bytes"], own["source"], use(own)) == (1024, "DEFAULT", (3, 0, 1024))
        server.stop()
        server.flags = server.flags[4:]
        server.start()
        quotas = Quotas(server)
        assert quotas.of(library)["source"] == "OWN"
        quotas.done("DELETE", f"quota/libraries/{library}")
        assert "items" not in quotas.of(library) and quotas.of(library)["source"] == "NONE"
        assert quotas.done("GET", "quota/own")["source"] == "NONE"
    finally:
        if server.process is not None:
            server.stop()
