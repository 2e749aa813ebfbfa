"""GET /api/events: what happens, as server-sent events, to people and pipelines that may see it."""

import subprocess

import pytest
import requests
from event_client import EventStream
from quire_server import ADMINISTRATOR, QuireServer
from raw_http import RawConnection, path_of
from rest_client import NewRest, Transfers, create_library, upload_item

PASSWORD = "correct horse battery"
READER = "reader@vsphere.local"


@pytest.fixture
def quick_server(tmp_path):
    """Streams say something every 200 ms."""
    server = QuireServer(tmp_path, flags=["--event-heartbeat", "200ms", "--event-streams-of-user-max", "3"]).start()
    yield server
    if server.process is not None:
        server.stop()


@pytest.fixture
def admin(quick_server):
    return NewRest(quick_server).log_in()


def log_in(server, user, password):
    answer = requests.post(f"{server.url}/api/session", auth=(user, password), verify=str(server.ca_file), timeout=60)
    answer.raise_for_status()
    return answer.json()


def call(server, token, method, path, body=None):
    answer = requests.request(
        method,
        f"{server.url}/api/{path}",
        json=body,
        headers={"vmware-api-session-id": token},
        verify=str(server.ca_file),
        timeout=60,
    )
    assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.text else None


def test_a_push_is_told_while_it_happens(quick_server, admin):
    with EventStream(quick_server, admin.session_id) as stream:
        assert stream.status == 200
        headers = stream.response.headers
        assert headers["Content-Type"] == "text/event-stream"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Accel-Buffering"] == "no"
        library = create_library(admin)
        item = upload_item(admin, Transfers(quick_server), library, "image", {"disk.iso": b"bytes"})
        kinds = []
        while not kinds or kinds[-1] != "update_session.ended":
            message = stream.next()
            kinds.append(message.event)
            assert message.id == str(message.data["number"])
            assert message.data["kind"] == message.event
            assert message.data["actor"] == ADMINISTRATOR
            if message.event.startswith("item."):
                assert (message.data["library"], message.data["item"]) == (library, item)
                assert message.data["subject"] == item
            if message.event == "library.created":
                created = message.data
        assert stream.retry == 3000
    assert kinds[:3] == ["library.created", "item.created", "update_session.created"]
    assert {"update_session.file_added", "update_session.file_ready"} <= set(kinds)
    assert created["details"]["name"] == "images"


def test_who_comes_back_misses_nothing(quick_server, admin):
    with EventStream(quick_server, admin.session_id, kind="library.created") as stream:
        create_library(admin, "one")
        first = stream.next()
    create_library(admin, "two")
    create_library(admin, "three")
    with EventStream(
        quick_server, admin.session_id, headers={"Last-Event-ID": first.id}, kind="library.created", after="0"
    ) as stream:
        names = [stream.next().data["subject"] for _ in range(2)]
    assert len(set(names)) == 2 and first.data["subject"] not in names, "Last-Event-ID wins over after"
    with EventStream(quick_server, admin.session_id, kind="library.created", after=first.id) as stream:
        assert [stream.next().data["subject"] for _ in range(2)] == names
    quick_server.restart()
    again = NewRest(quick_server).log_in()
    with EventStream(quick_server, again.session_id, kind="library.created", after=first.id) as stream:
        assert [stream.next().data["subject"] for _ in range(2)] == names, "after a restart too"


def test_filters_and_heartbeat(quick_server, admin):
    wanted, other = create_library(admin, "wanted"), create_library(admin, "other")
    with EventStream(quick_server, admin.session_id, library=wanted, kind=["item.created", "item.deleted"]) as stream:
        admin.ok("item.create", create_spec={"name": "a", "library_id": other, "type": ""})
        item = admin.ok("item.create", create_spec={"name": "b", "library_id": wanted, "type": ""})
        message = stream.next()
        assert (message.event, message.data["item"]) == ("item.created", item)
        before = int(stream.last_id)
        admin.ok("item.create", create_spec={"name": "c", "library_id": other, "type": ""})
        stream.heartbeat()
        while int(stream.last_id) == before:
            assert stream.line_is_read()
        admin.ok("item.delete", library_item_id=item)
        assert stream.next().event == "item.deleted"


def test_only_what_one_may_see(quick_server, admin):
    call(
        quick_server,
        admin.session_id,
        "POST",
        "quire/access/users",
        {"name": READER, "password": PASSWORD, "description": ""},
    )
    shared, secret = create_library(admin, "shared"), create_library(admin, "secret")
    roles = call(quick_server, admin.session_id, "GET", "quire/access/roles")
    read_only = next(role["role"] for role in roles if role["name"] == "Read-only")
    call(
        quick_server,
        admin.session_id,
        "PUT",
        "quire/access/permissions",
        {"principal": READER, "type": "USER", "library_id": shared, "role": read_only, "propagate": True},
    )
    token = log_in(quick_server, READER, PASSWORD)
    with EventStream(quick_server, token) as stream, EventStream(quick_server, admin.session_id) as all_events:
        admin.ok("item.create", create_spec={"name": "hidden", "library_id": secret, "type": ""})
        item = admin.ok("item.create", create_spec={"name": "seen", "library_id": shared, "type": ""})
        message = stream.next()
        assert (message.event, message.data["item"]) == ("item.created", item)
        assert {all_events.next().data["library"] for _ in range(2)} == {shared, secret}
        requests.delete(
            f"{quick_server.url}/api/session",
            headers={"vmware-api-session-id": token},
            verify=str(quick_server.ca_file),
            timeout=60,
        ).raise_for_status()
        assert stream.next() is None, "a stream ends with its login"
        assert all_events.next().event == "login.ended", "the audit trail is for who may read it"


MIB = 1 << 20


def session_with_file(admin, library, name, size):
    """An update session with a file to push: both, and the path of its endpoint."""
    item = admin.ok("item.create", create_spec={"name": name, "library_id": library, "type": ""})
    session = admin.ok("update_session.create", create_spec={"library_item_id": item})
    spec = {"name": f"{name}.iso", "source_type": "PUSH", "size": size}
    file = admin.ok("update_session.file.add", update_session_id=session, file_spec=spec)
    return item, session, path_of(file["upload_endpoint"]["uri"])


def test_progress_is_told_while_bytes_come(quick_server, admin):
    library = create_library(admin)
    item, session, path = session_with_file(admin, library, "image", 8 * MIB)
    _, other, _ = session_with_file(admin, library, "other", MIB)
    with (
        EventStream(quick_server, admin.session_id, progress="true", item=item) as stream,
        RawConnection(quick_server) as upload,
    ):
        upload.send_head("PUT", path, {"Content-Length": 8 * MIB})
        upload.send(bytes(3 * MIB))

        def told():
            """The next message about the file."""
            while True:
                message = stream.next()
                assert message.data["subject"] != other, "another item's"
                if message.event == "update_session.progress" and message.data["details"]["files"]:
                    assert message.data["kind"] == "update_session.progress" and "number" not in message.data
                    assert (message.data["library"], message.data["item"]) == (library, item)
                    assert message.data["subject"] == session
                    details = message.data["details"]
                    assert set(details) == {"client_progress", "expiration_time", "files"}
                    return details["files"][0]

        while (file := told())["bytes_transferred"] < 3 * MIB:
            assert file["name"] == "image.iso" and file["size"] == 8 * MIB
        assert file["status"] == "TRANSFERRING"
        before = stream.last_id
        upload.send(bytes(2 * MIB))
        while (file := told())["bytes_transferred"] < 5 * MIB:
            assert file["bytes_transferred"] >= 3 * MIB
        assert stream.last_id == before, "progress has no number"
        upload.send(bytes(3 * MIB))
        assert upload.response()[0] == 200
        while told()["status"] != "READY":
            pass
        admin.ok("update_session.complete", update_session_id=session)
        while stream.next().event != "update_session.ended":
            pass
    with EventStream(quick_server, admin.session_id, progress="false", after="0") as stream:
        kinds = set()
        while "update_session.ended" not in kinds:
            kinds.add(stream.next().event)
    assert "update_session.progress" not in kinds, "it is not kept, and comes to who asks for it"


def test_progress_of_others_is_told_to_who_may_see_it(quick_server, admin):
    body = {"name": READER, "password": PASSWORD, "description": ""}
    call(quick_server, admin.session_id, "POST", "quire/access/users", body)
    shared, secret = create_library(admin, "shared"), create_library(admin, "secret")
    roles = call(quick_server, admin.session_id, "GET", "quire/access/roles")
    contributor = next(role["role"] for role in roles if role["name"] == "Contributor")
    given = {"principal": READER, "type": "USER", "library_id": shared, "role": contributor, "propagate": True}
    call(quick_server, admin.session_id, "PUT", "quire/access/permissions", given)
    _, hidden, _ = session_with_file(admin, secret, "hidden", MIB)
    _, seen, _ = session_with_file(admin, shared, "seen", MIB)
    token = log_in(quick_server, READER, PASSWORD)
    with EventStream(quick_server, token, progress="true") as stream:
        message = stream.next()
        assert (message.event, message.data["subject"]) == ("update_session.progress", seen)
        admin.ok("update_session.keep_alive", update_session_id=hidden, client_progress=50)
        admin.ok("update_session.keep_alive", update_session_id=seen, client_progress=60)
        message = stream.next()
        assert (message.event, message.data["subject"]) == ("update_session.progress", seen)
        assert message.data["details"]["client_progress"] == 60
        admin.ok("update_session.cancel", update_session_id=seen)
        message = stream.next()
        assert (message.event, message.data["subject"]) == ("update_session.ended", seen), "others' sessions too"


def test_wrong_requests(quick_server, admin):
    def refused(status, error_type, token=None, headers=None, method="GET", **query):
        answer = requests.request(
            method,
            f"{quick_server.url}/api/events",
            params=query,
            headers={"vmware-api-session-id": token or admin.session_id, **(headers or {})},
            verify=str(quick_server.ca_file),
            timeout=60,
        )
        assert (answer.status_code, answer.json()["error_type"]) == (status, error_type), answer.text
        return answer

    refused(401, "UNAUTHENTICATED", token="no-such-session")
    refused(400, "INVALID_ARGUMENT", kind="library.exploded")
    refused(400, "INVALID_ARGUMENT", after="yesterday")
    refused(400, "INVALID_ARGUMENT", headers={"Last-Event-ID": "-1"})
    refused(400, "INVALID_ARGUMENT", libraries="x")
    refused(400, "INVALID_ARGUMENT", progress="maybe")
    assert refused(405, "INVALID_REQUEST", method="POST").headers["Allow"] == "GET"
    streams = [EventStream(quick_server, admin.session_id) for _ in range(3)]
    assert [stream.status for stream in streams] == [200] * 3
    refused(503, "SERVICE_UNAVAILABLE")
    streams.pop().response.close()
    for _ in range(100):  # the server sees the end of a connection a little later
        with EventStream(quick_server, admin.session_id) as stream:
            if stream.status == 200:
                break
    assert stream.status == 200
    for open_stream in streams:
        open_stream.response.close()


def test_numbers_of_another_catalog_are_told(quick_server, admin):
    with EventStream(quick_server, admin.session_id, after="123456789") as stream:
        message = stream.next()
        assert message.event == "events.lost"
        assert message.data["after"] == 123456789
        create_library(admin)
        assert stream.next().event == "library.created"


def test_a_stopping_server_ends_streams_at_once(quick_server, admin):
    with EventStream(quick_server, admin.session_id) as stream:
        create_library(admin)
        assert stream.next().event == "library.created"
        quick_server.stop()
        assert stream.next() is None


def test_curl_follows(quick_server, admin):
    curl = subprocess.Popen(
        [
            "curl", "--silent", "--no-buffer", "--max-time", "60", "--cacert", str(quick_server.ca_file),
            "--header", f"vmware-api-session-id: {admin.session_id}",
            f"{quick_server.url}/api/events?kind=library.created",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert curl.stdout.readline() == "retry: 3000\n"
        create_library(admin)
        lines = [curl.stdout.readline() for _ in range(5)]
        assert lines[0] == "\n" and lines[1].startswith("id: ") and lines[4] == "\n", lines
        assert lines[2] == "event: library.created\n" and lines[3].startswith("data: {"), lines
    finally:
        curl.kill()
        curl.wait()
