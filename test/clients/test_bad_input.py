"""Bad input: on every wire each mistake gets the API's own error, and nothing on the server changes."""

import hashlib
import json
import time
import uuid
from dataclasses import dataclass

import pytest
import requests

from quire_server import QuireServer
from raw_http import RawConnection, path_of
from rest_client import BINDINGS, JsonRpc, Transfers, create_library, upload_item

UNKNOWN = "00000000-0000-4000-8000-00000000dead"
BODY_LIMIT = 4 << 20
TRANSPORT_HEADERS = {"Content-Type": "application/json"}


@dataclass
class World:
    """What there is on the server, made through one binding."""

    wire: str  # legacy, new or json_rpc
    binding: object
    transfers: Transfers
    library: str
    item: str  # has the file a.bin
    busy_item: str  # has `active` open
    active: str  # update session with b.bin READY and late.bin not sent
    done: str  # update session that ended
    download: str  # download session on `item`

    def snapshot(self):
        """All that a client can see, but for times that any call moves."""
        call = self.binding.ok
        seen = {}
        for library in call("library.list"):
            seen["library", library] = call("library.get", library_id=library)
            for item in call("item.list", library_id=library):
                seen["item", item] = call("item.get", library_item_id=item)
                seen["files", item] = call("item.file.list", library_item_id=item)
        for kind in ("update", "download"):
            for session in call(f"{kind}_session.list"):
                name = f"{kind}_session_id"
                model = call(f"{kind}_session.get", **{name: session})
                model.pop("expiration_time")
                seen[kind, session] = model
                seen[kind, "files", session] = call(f"{kind}_session.file.list", **{name: session})
        seen["configuration"] = call("configuration.get")
        return seen


def make_world(server, binding_name):
    binding, transfers = BINDINGS[binding_name](server).log_in(), Transfers(server)
    library = create_library(binding, f"world of {binding_name}")
    item = upload_item(binding, transfers, library, "item", {"a.bin": b"content of a"})
    busy_item = binding.ok("item.create", create_spec={"name": "busy", "library_id": library})
    done = binding.ok("update_session.create", create_spec={"library_item_id": busy_item})
    binding.ok("update_session.complete", update_session_id=done)
    active = binding.ok("update_session.create", create_spec={"library_item_id": busy_item})
    info = binding.ok(
        "update_session.file.add", update_session_id=active, file_spec={"name": "b.bin", "source_type": "PUSH"}
    )
    assert transfers.put(info["upload_endpoint"]["uri"], b"content of b").status_code == 200
    binding.ok(
        "update_session.file.add", update_session_id=active, file_spec={"name": "late.bin", "source_type": "PUSH"}
    )
    download = binding.ok("download_session.create", create_spec={"library_item_id": item})
    return World(binding_name, binding, transfers, library, item, busy_item, active, done, download)


@pytest.fixture(scope="module", params=list(BINDINGS))
def world(request, shared_server):
    return make_world(shared_server, request.param)


# --- the table: operation, parameters, error ------------------------------------------------------------------------


def spec(**fields):
    return {"create_spec": fields}


def push(**fields):
    return {"file_spec": {"source_type": "PUSH", **fields}}


# Status of each error on legacy and new REST, where it is not 400.
STATUS = {
    "NOT_FOUND": (404, 404),
    "RESOURCE_BUSY": (400, 500),
    "CONCURRENT_CHANGE": (409, 409),
    "UNAUTHENTICATED": (401, 401),
    "OPERATION_NOT_FOUND": (404, 404),
}

# Each row: operation, parameters (a function of the world where it needs its ids), error. A row for the bindings it
# makes sense on; `None` means all.
CASES = []


def case(operation, parameters, error, only=None, label=""):
    CASES.append(pytest.param(operation, parameters, error, only, id=f"{operation}-{label or len(CASES)}"))


for bad_id in ("x" * 300, "%00", "id with blanks", "a:b:c", "../library", "ünïcode"):
    for operation, name in (
        ("library.get", "library_id"),
        ("item.get", "library_item_id"),
        ("update_session.get", "update_session_id"),
        ("update_session.complete", "update_session_id"),
        ("download_session.delete", "download_session_id"),
    ):
        case(operation, {name: bad_id}, "NOT_FOUND", label=f"unknown id {bad_id[:14]}")
for bad_id in (UNKNOWN, "nonsense"):
    label = f"unknown id {bad_id[:8]}"
    for operation, name, more in (
        ("library.get", "library_id", {}),
        ("library.update", "library_id", {"update_spec": {"name": "new"}}),
        ("local_library.get", "library_id", {}),
        ("local_library.update", "library_id", {"update_spec": {"name": "new"}}),
        ("local_library.delete", "library_id", {}),
        ("item.list", "library_id", {}),
        ("item.get", "library_item_id", {}),
        ("item.update", "library_item_id", {"update_spec": {"name": "new"}}),
        ("item.delete", "library_item_id", {}),
        ("item.file.list", "library_item_id", {}),
        ("item.file.get", "library_item_id", {"name": "a.bin"}),
        ("item.storage.list", "library_item_id", {}),
        ("item.storage.get", "library_item_id", {"file_name": "a.bin"}),
        ("update_session.get", "update_session_id", {}),
        ("update_session.update", "update_session_id", {"update_spec": {"warning_behavior": []}}),
        ("update_session.complete", "update_session_id", {}),
        ("update_session.cancel", "update_session_id", {}),
        ("update_session.fail", "update_session_id", {"client_error_message": "no"}),
        ("update_session.keep_alive", "update_session_id", {}),
        ("update_session.delete", "update_session_id", {}),
        ("update_session.list", "library_item_id", {}),
        ("update_session.file.list", "update_session_id", {}),
        ("update_session.file.add", "update_session_id", push(name="x")),
        ("update_session.file.get", "update_session_id", {"file_name": "x"}),
        ("update_session.file.remove", "update_session_id", {"file_name": "x"}),
        ("update_session.file.validate", "update_session_id", {}),
        ("download_session.get", "download_session_id", {}),
        ("download_session.keep_alive", "download_session_id", {}),
        ("download_session.cancel", "download_session_id", {}),
        ("download_session.fail", "download_session_id", {"client_error_message": "no"}),
        ("download_session.delete", "download_session_id", {}),
        ("download_session.list", "library_item_id", {}),
        ("download_session.file.list", "download_session_id", {}),
        ("download_session.file.prepare", "download_session_id", {"file_name": "x"}),
        ("download_session.file.get", "download_session_id", {"file_name": "x"}),
    ):
        case(operation, {name: bad_id, **more}, "NOT_FOUND", label=label)
case("item.create", spec(name="new", library_id=UNKNOWN), "NOT_FOUND", label="unknown library")
case(
    "item.copy",
    lambda w: {"source_library_item_id": UNKNOWN, "destination_create_spec": {"name": "new", "library_id": w.library}},
    "NOT_FOUND",
    label="unknown source",
)
case(
    "item.copy",
    lambda w: {"source_library_item_id": w.item, "destination_create_spec": {"name": "new", "library_id": UNKNOWN}},
    "NOT_FOUND",
    label="unknown target",
)
case("update_session.create", spec(library_item_id=UNKNOWN), "NOT_FOUND", label="unknown item")
case("download_session.create", spec(library_item_id=UNKNOWN), "NOT_FOUND", label="unknown item")

case("item.file.get", lambda w: {"library_item_id": w.item, "name": "none"}, "NOT_FOUND", label="unknown file")
case("item.storage.get", lambda w: {"library_item_id": w.item, "file_name": "none"}, "NOT_FOUND", label="unknown file")
for operation in ("update_session.file.get", "update_session.file.remove"):
    case(
        operation,
        lambda w: {"update_session_id": w.active, "file_name": "none"},
        "INVALID_ARGUMENT",
        label="unknown file",
    )
for operation in ("download_session.file.get", "download_session.file.prepare"):
    case(
        operation,
        lambda w: {"download_session_id": w.download, "file_name": "none"},
        "INVALID_ARGUMENT",
        label="unknown file",
    )

for label, fields in (
    ("number for name", {"name": 5}),
    ("list for name", {"name": ["x"]}),
    ("structure for name", {"name": {"a": "b"}}),
    ("boolean for name", {"name": True}),
    ("number for description", {"name": "new", "description": 1.5}),
    ("text for backings", {"name": "new", "storage_backings": "datastore-11"}),
    ("text in backings", {"name": "new", "storage_backings": ["datastore-11"]}),
    ("unknown backing type", {"name": "new", "storage_backings": [{"type": "TAPE", "datastore_id": "datastore-11"}]}),
    ("text for publish_info", {"name": "new", "publish_info": "yes"}),
):
    case("local_library.create", spec(**fields), "INVALID_ARGUMENT", label=label)
for label, whole in (("text for spec", "text"), ("list for spec", ["x"]), ("number for spec", 7)):
    case("local_library.create", {"create_spec": whole}, "INVALID_ARGUMENT", label=label)
for label, fields in (
    ("text for size", {"name": "x", "size": "12"}),
    ("fraction for size", {"name": "x", "size": 1.5}),
    ("size past 64 bits", {"name": "x", "size": 1 << 63}),
    ("negative size", {"name": "x", "size": -2}),
    ("unknown source type", {"name": "x", "source_type": "SHOVE"}),
    ("source type NONE", {"name": "x", "source_type": "NONE"}),
    ("unknown algorithm", {"name": "x", "checksum_info": {"algorithm": "CRC32", "checksum": "00"}}),
    ("checksum without digest", {"name": "x", "checksum_info": {"algorithm": "SHA1"}}),
    ("checksum of wrong length", {"name": "x", "checksum_info": {"algorithm": "SHA256", "checksum": "00"}}),
    ("checksum not hex", {"name": "x", "checksum_info": {"algorithm": "SHA1", "checksum": "z" * 40}}),
    ("text for checksum", {"name": "x", "checksum_info": "00"}),
    ("pull without source", {"name": "x", "source_type": "PULL"}),
    ("empty name", {"name": ""}),
    ("parent name", {"name": ".."}),
    ("absolute name", {"name": "/etc/passwd"}),
    ("name with ..", {"name": "a/../../b"}),
    ("name with backslash", {"name": "a\\b"}),
    ("name with NUL", {"name": "a\0b"}),
    ("name with newline", {"name": "a\nb"}),
    ("name ends in slash", {"name": "a/"}),
    ("double slash", {"name": "a//b"}),
    ("long component", {"name": "x" * 256}),
    ("long name", {"name": "/".join(["x" * 200] * 6)}),
):
    case(
        "update_session.file.add",
        lambda w, fields=fields: {"update_session_id": w.active, **push(**fields)},
        "INVALID_ARGUMENT",
        label=label,
    )
case(
    "update_session.file.add",
    lambda w: {"update_session_id": w.active, "file_spec": {"source_type": "PUSH"}},
    "INVALID_ARGUMENT",
    label="no name",
)
case(
    "update_session.file.add",
    lambda w: {"update_session_id": w.active, "file_spec": {"name": "x"}},
    "INVALID_ARGUMENT",
    label="no source type",
)
for progress in (101, -1, "high", 1.5, True):
    case(
        "update_session.keep_alive",
        lambda w, progress=progress: {"update_session_id": w.active, "client_progress": progress},
        "INVALID_ARGUMENT",
        label=f"progress {progress}",
    )
case(
    "download_session.keep_alive",
    lambda w: {"download_session_id": w.download, "progress": 101},
    "INVALID_ARGUMENT",
    label="progress 101",
)
case(
    "download_session.file.prepare",
    lambda w: {"download_session_id": w.download, "file_name": "a.bin", "endpoint_type": "PIGEON"},
    "INVALID_ARGUMENT",
    label="endpoint type",
)
case("configuration.update", {"model": {"automatic_sync_start_hour": 24}}, "INVALID_ARGUMENT", label="hour 24")
case("configuration.update", {"model": {"maximum_concurrent_item_syncs": 0}}, "INVALID_ARGUMENT", label="no syncs")
case("configuration.update", {"model": {"automatic_sync_enabled": "yes"}}, "INVALID_ARGUMENT", label="text for boolean")

case("local_library.create", {}, "INVALID_ARGUMENT", label="no spec")
case("local_library.create", spec(description="no name"), "INVALID_ARGUMENT", label="no name")
case("item.create", lambda w: spec(library_id=w.library), "INVALID_ARGUMENT", label="no name")
case("item.create", spec(name="new"), "INVALID_ARGUMENT", label="no library")
case("item.list", {}, "INVALID_ARGUMENT", label="no library")
case("item.copy", lambda w: {"source_library_item_id": w.item}, "INVALID_ARGUMENT", label="no spec")
case("update_session.create", spec(), "INVALID_ARGUMENT", label="no item")
case("download_session.create", spec(), "INVALID_ARGUMENT", label="no item")
case("library.find", {"spec": {}}, "INVALID_ARGUMENT", label="empty spec")
case("item.find", {"spec": {}}, "INVALID_ARGUMENT", label="empty spec")
case(
    "update_session.file.get",
    lambda w: {"update_session_id": w.active},
    "INVALID_ARGUMENT",
    only=("legacy", "json_rpc"),
    label="no file name",
)
case(
    "download_session.file.prepare",
    lambda w: {"download_session_id": w.download},
    "INVALID_ARGUMENT",
    label="no file name",
)

for label, name in (
    ("81 characters", "x" * 81),
    ("81 wide characters", "ü" * 81),
    ("empty name", ""),
    ("blank name", "   "),
    ("control character", "a\tb"),
    ("NUL", "a\0b"),
):
    case("local_library.create", spec(name=name), "INVALID_ARGUMENT", label=label)
    case(
        "local_library.update",
        lambda w, name=name: {"library_id": w.library, "update_spec": {"name": name}},
        "INVALID_ARGUMENT",
        label=label,
    )
    case("item.create", lambda w, name=name: spec(name=name, library_id=w.library), "INVALID_ARGUMENT", label=label)
    case(
        "item.update",
        lambda w, name=name: {"library_item_id": w.item, "update_spec": {"name": name}},
        "INVALID_ARGUMENT",
        label=label,
    )
case("local_library.create", spec(name="new", description="x" * 2001), "INVALID_ARGUMENT", label="long description")
case(
    "item.create",
    lambda w: spec(name="new", library_id=w.library, description="x" * 2001),
    "INVALID_ARGUMENT",
    label="long description",
)
case("local_library.create", {**spec(name="new"), "client_token": "no uuid"}, "INVALID_ARGUMENT", label="client token")
case(
    "local_library.create",
    spec(name="new", storage_backings=[{"type": "DATASTORE", "datastore_id": "datastore-999"}]),
    "INVALID_ARGUMENT",
    label="unknown datastore",
)
case(
    "local_library.create",
    spec(name="new", storage_backings=[{"type": "OTHER", "storage_uri": "file:///etc"}]),
    "INVALID_ARGUMENT",
    label="uri outside",
)
case(
    "local_library.create",
    spec(name="new", storage_backings=[{"type": "DATASTORE", "datastore_id": "datastore-11"}] * 2),
    "UNSUPPORTED",
    label="two backings",
)

case("item.create", lambda w: spec(name="item", library_id=w.library), "ALREADY_EXISTS", label="name taken")
case(
    "item.update",
    lambda w: {"library_item_id": w.item, "update_spec": {"name": "busy"}},
    "ALREADY_EXISTS",
    label="name taken",
)
case(
    "item.copy",
    lambda w: {"source_library_item_id": w.item, "destination_create_spec": {"name": "busy", "library_id": w.library}},
    "ALREADY_EXISTS",
    label="name taken",
)
case(
    "item.update",
    lambda w: {"library_item_id": w.item, "update_spec": {"name": "new", "version": "77"}},
    "INVALID_ARGUMENT",
    label="stale version",
)
case(
    "library.update",
    lambda w: {"library_id": w.library, "update_spec": {"name": "new", "version": "77"}},
    "INVALID_ARGUMENT",
    label="stale version",
)
case(
    "local_library.update",
    lambda w: {"library_id": w.library, "update_spec": {"name": "new", "version": "77"}},
    "CONCURRENT_CHANGE",
    label="stale version",
)
case("update_session.create", lambda w: spec(library_item_id=w.busy_item), "RESOURCE_BUSY", label="second session")
case("update_session.delete", lambda w: {"update_session_id": w.active}, "NOT_ALLOWED_IN_CURRENT_STATE", label="active")
case(
    "update_session.complete",
    lambda w: {"update_session_id": w.active},
    "NOT_ALLOWED_IN_CURRENT_STATE",
    label="file not sent",
)
case(
    "update_session.file.validate",
    lambda w: {"update_session_id": w.active},
    "NOT_ALLOWED_IN_CURRENT_STATE",
    label="file not sent",
)
for operation, more in (
    ("complete", {}),
    ("cancel", {}),
    ("keep_alive", {}),
    ("fail", {"client_error_message": "no"}),
    ("update", {"update_spec": {"warning_behavior": []}}),
    ("file.add", push(name="x")),
    ("file.validate", {}),
):
    case(
        f"update_session.{operation}",
        lambda w, more=more: {"update_session_id": w.done, **more},
        "NOT_ALLOWED_IN_CURRENT_STATE",
        label="ended session",
    )


@pytest.mark.parametrize("operation, parameters, error, only", CASES)
def test_refused(world, operation, parameters, error, only):
    if only and world.wire not in only:
        pytest.skip(f"has no meaning on {world.wire}")
    before = world.snapshot()
    answer = world.binding.call(operation, **(parameters(world) if callable(parameters) else parameters))
    assert_refused(world.wire, answer, error)
    assert world.snapshot() == before


def assert_refused(binding_name, answer, error):
    assert answer.error_type == error, str(answer)
    legacy, new = STATUS.get(error, (400, 400))
    assert answer.status == {"legacy": legacy, "new": new, "json_rpc": 200}[binding_name], str(answer)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.messages, str(answer)
    for message in answer.messages:
        assert message["id"] and message["default_message"] and "args" in message, str(answer)
    if binding_name == "json_rpc":
        assert answer.headers.get("vapi-error", "").rpartition(".")[2].upper() in (error, ""), str(answer.headers)


def test_names_of_80_characters_are_fine(world):
    name = "ü" * 79 + world.library[:1]
    library = world.binding.ok("local_library.create", create_spec={"name": name})
    assert world.binding.ok("library.get", library_id=library)["name"] == name
    world.binding.ok("local_library.delete", library_id=library)


def test_unknown_members_are_ignored(world):
    call = world.binding.ok
    library = call("local_library.create", create_spec={"name": "lenient", "colour": "red", "more": {"a": [1, None]}})
    item = call("item.create", create_spec={"name": "lenient", "library_id": library, "colour": "red"})
    session = call("update_session.create", create_spec={"library_item_id": item, "colour": "red"})
    call(
        "update_session.file.add",
        update_session_id=session,
        file_spec={"name": "x", "source_type": "PUSH", "colour": "red"},
    )
    assert call("library.find", spec={"name": "lenient", "colour": "red"}) == [library]
    call("local_library.update", library_id=library, update_spec={"name": "lenient", "id": "other", "colour": "red"})
    assert call("library.get", library_id=library)["id"] == library
    call("local_library.delete", library_id=library)


# --- logins ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["absent", "nonsense", "ended"])
def test_login_that_is_none(world, shared_server, login):
    stranger = type(world.binding)(shared_server)
    if login == "nonsense":
        stranger.session_id = "f" * 32
    elif login == "ended":
        stranger.log_in().ok("session.delete")
    before = world.snapshot()
    for operation, parameters in (
        ("session.get", {}),
        ("session.delete", {}),
        ("library.list", {}),
        ("library.get", {"library_id": world.library}),
        ("library.get", {"library_id": UNKNOWN}),
        ("local_library.create", spec(name="mine")),
        ("local_library.create", spec(name=5)),
        ("local_library.delete", {"library_id": world.library}),
        ("item.delete", {"library_item_id": world.item}),
        ("update_session.cancel", {"update_session_id": world.active}),
        ("download_session.file.list", {"download_session_id": world.download}),
        ("configuration.get", {}),
    ):
        assert_refused(world.wire, stranger.call(operation, **parameters), "UNAUTHENTICATED")
    assert world.snapshot() == before


def test_expired_logins(tmp_path):
    server = QuireServer(tmp_path / "server", flags=["--login-lifetime-max", "1s"]).start()
    try:
        logins = [kind(server).log_in() for kind in BINDINGS.values()]
        time.sleep(1.5)
        for wire, binding in zip(BINDINGS, logins, strict=True):
            assert_refused(wire, binding.call("library.list"), "UNAUTHENTICATED")
            assert_refused(wire, binding.call("local_library.create", **spec(name="late")), "UNAUTHENTICATED")
    finally:
        server.stop()


@pytest.mark.parametrize(
    "user, password",
    [
        ("administrator@vsphere.local", "wrong"),
        ("nobody", "x"),
        ("", ""),
        ("administrator@vsphere.local", "x" * 5000),
        ("a:b", "c"),
    ],
)
def test_wrong_credentials(shared_server, user, password):
    for path in ("/rest/com/vmware/cis/session", "/api/session"):
        response = requests.post(shared_server.url + path, auth=(user, password), verify=str(shared_server.ca_file))
        assert response.status_code == 401, response.text
        assert "UNAUTHENTICATED" in response.text
    context = {"schemeId": "com.vmware.vapi.std.security.user_pass", "userName": user, "password": password}
    answer = JsonRpc(shared_server).invoke("com.vmware.cis.session", "create", {}, context)
    assert_refused("json_rpc", answer, "UNAUTHENTICATED")


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic " + "QUJD", "Bearer x", "Basic \xff\xfe"])
def test_broken_authorization_headers(shared_server, header):
    for path in ("/rest/com/vmware/cis/session", "/api/session"):
        response = requests.post(
            shared_server.url + path,
            headers={"Authorization": header.encode("latin-1")},
            verify=str(shared_server.ca_file),
        )
        assert response.status_code == 401, f"{response.status_code} {response.text}"


# --- bodies that cannot be read -------------------------------------------------------------------------------------

CREATE = {"legacy": "/rest/com/vmware/content/local-library", "new": "/api/content/local-library", "json_rpc": "/api"}
BROKEN_JSON = {
    "cut off": b'{"create_spec": {"name": "x"',
    "not JSON": b"name=x",
    "trailing text": b'{"create_spec": {"name": "x"}, "name": "x"} more',
    "single quotes": b"{'create_spec': {'name': 'x'}}",
    "bad UTF-8": b'{"create_spec": {"name": "\xff\xfe"}, "name": "\xff\xfe"}',
    "lone surrogate": b'{"create_spec": {"name": "\\ud800"}, "name": "\\ud800"}',
    "deep": b'{"create_spec": ' + b"[" * 100_000,
    "member twice": b'{"create_spec": {"name": "x"}, "name": "x", "create_spec": {"name": "y"}, "name": "y"}',
    "a list": b"[]",
    "a text": b'"x"',
    "a number": b"5",
    "only blanks": b"   ",
}


@pytest.mark.parametrize("body", BROKEN_JSON.values(), ids=BROKEN_JSON)
def test_broken_json(world, body):
    before = world.snapshot()
    response = world.binding.send("POST", CREATE[world.wire], body, TRANSPORT_HEADERS)
    answer = world.binding.read(repr(body[:80]), response)
    if world.wire == "json_rpc":
        assert answer.status == 200 and answer.error_type in ("-32700", "-32600"), str(answer)
        assert json.loads(answer.text)["id"] is None, str(answer)
    else:
        assert answer.status == 400 and answer.error_type in ("INVALID_ARGUMENT", "INVALID_REQUEST"), str(answer)
        assert answer.messages and answer.messages[0]["default_message"], str(answer)
    assert world.snapshot() == before


@pytest.mark.parametrize(
    "change, code",
    [
        ({"jsonrpc": "1.0"}, -32600),
        ({"jsonrpc": None}, -32600),
        ({"method": "call"}, -32601),
        ({"method": None}, -32600),
        ({"params": None}, -32600),
        ({"params": []}, -32602),
        ({"params": {"serviceId": "com.vmware.content.library"}}, -32602),
        ({"params": {"serviceId": 5, "operationId": "list"}}, -32602),
    ],
)
def test_broken_json_rpc_envelopes(shared_server, json_rpc, change, code):
    request = json_rpc.envelope("com.vmware.content.library", "list", {})
    for key, value in change.items():
        if value is None:
            del request[key]
        else:
            request[key] = value
    answer = json_rpc.read(
        str(change), json_rpc.send("POST", "/api", json.dumps(request), TRANSPORT_HEADERS, session=False)
    )
    assert answer.status == 200 and answer.error_type == str(code), str(answer)
    assert json.loads(answer.text)["id"] == (None if code == -32600 else request["id"]), str(answer)


@pytest.mark.parametrize(
    "headers",
    [
        {"vapi-service": "com.vmware.content.local_library", "vapi-operation": "list"},
        {"vapi-service": "com.vmware.content.library"},
        {"vapi-operation": "list"},
    ],
)
def test_json_rpc_headers_that_contradict_the_body(json_rpc, headers):
    request = json_rpc.envelope("com.vmware.content.library", "list", {})
    response = json_rpc.send("POST", "/api", json.dumps(request), {**TRANSPORT_HEADERS, **headers}, session=False)
    answer = json_rpc.read(str(headers), response)
    assert answer.status == 200 and answer.error_type == "-31001", str(answer)


@pytest.mark.parametrize(
    "service, operation",
    [
        ("com.vmware.content.library", "explode"),
        ("com.vmware.content.nothing", "list"),
        ("", ""),
        ("com.vmware", "get"),
    ],
)
def test_unknown_json_rpc_operations(json_rpc, service, operation):
    assert_refused("json_rpc", json_rpc.invoke(service, operation, {}), "OPERATION_NOT_FOUND")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "nonsense",
        "multipart/form-data; boundary=x",
    ],
)
def test_wrong_content_type(world, content_type):
    if world.wire == "json_rpc":
        pytest.skip("JSON-RPC takes any content type")
    body = {"create_spec": {"name": "x"}} if world.wire == "legacy" else {"name": "x"}
    before = world.snapshot()
    response = world.binding.send("POST", CREATE[world.wire], json.dumps(body), {"Content-Type": content_type})
    answer = world.binding.read(content_type, response)
    assert (answer.status, answer.error_type) == (415, "INVALID_REQUEST"), str(answer)
    assert world.snapshot() == before


@pytest.mark.parametrize("framing", ["content-length", "chunked"])
def test_body_over_the_limit(world, shared_server, framing):
    body = json.dumps({"create_spec": {"name": "x" * (BODY_LIMIT + 1)}}).encode()
    headers = {"Content-Type": "application/json", "vmware-api-session-id": world.binding.session_id}
    before = world.snapshot()
    with RawConnection(shared_server) as connection:
        if framing == "chunked":
            connection.send_head("POST", CREATE[world.wire], {**headers, "Transfer-Encoding": "chunked"})
            for start in range(0, len(body), 1 << 16):
                piece = body[start : start + (1 << 16)]
                if not connection.send(b"%x\r\n%s\r\n" % (len(piece), piece)):
                    break
            connection.send(b"0\r\n\r\n")
        else:
            connection.send_head("POST", CREATE[world.wire], {**headers, "Content-Length": len(body)})
            connection.send(body)
        status, answer_headers, text = connection.response()
    assert status == 413, (status, text)
    assert answer_headers["Content-Type"] == "application/json"
    if world.wire != "json_rpc":
        assert b"INVALID_REQUEST" in text, text
    assert world.snapshot() == before


def test_header_and_target_over_the_limit(world, shared_server):
    for target, headers, expected in (
        ("/api/content/library?" + "x" * (1 << 17), {}, (414, 431)),
        ("/api/content/library", {"X-Long": "x" * (1 << 17)}, (431,)),
    ):
        with RawConnection(shared_server) as connection:
            connection.send_head("GET", target, headers)
            status, _, text = connection.response()
            assert status in expected, (status, text)
    assert world.binding.ok("library.list") is not None


def test_request_without_a_host(shared_server):
    """RFC 9112 3.2: such a request was answered as if nothing were missing."""
    for request in (b"GET /api/session HTTP/1.1\r\n\r\n", b"GET /api/session HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"):
        with RawConnection(shared_server) as connection:
            connection.send(request)
            status, headers, text = connection.response()
            assert status == 400 and headers["Connection"] == "close", (status, headers, text)
            assert b"Host" in text and b"INVALID_REQUEST" in text, text


# --- paths and methods ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method, path, allowed",
    [
        ("PUT", "/api/content/library", {"GET"}),
        ("DELETE", "/api/content/library", {"GET"}),
        ("PATCH", "/api/content/local-library", {"GET", "POST"}),
        ("PUT", "/api/session", {"GET", "POST", "DELETE"}),
        ("POST", f"/api/content/local-library/{UNKNOWN}", {"GET", "PATCH", "DELETE"}),
        ("PUT", "/rest/com/vmware/content/library", {"GET"}),
        ("DELETE", "/rest/com/vmware/content/local-library", {"GET", "POST"}),
        ("PUT", f"/rest/com/vmware/content/library/item/id:{UNKNOWN}", {"GET", "PATCH", "DELETE"}),
        ("GET", "/api", {"POST"}),
        ("DELETE", "/api", {"POST"}),
    ],
)
def test_wrong_method(new_rest, legacy, method, path, allowed):
    binding = legacy if path.startswith("/rest") else new_rest
    response = binding.send(method, path)
    assert response.status_code == 405, f"{response.status_code} {response.text}"
    named = {name.strip() for name in response.headers["Allow"].split(",")}
    assert allowed <= named and method not in named, response.headers["Allow"]
    if path != "/api":
        assert binding.read(path, response).error_type == "INVALID_REQUEST", response.text


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", "/api/content/nothing"),
        ("GET", "/api/content/library/a/b/c/d"),
        ("POST", "/api/content/library?action=explode"),
        ("GET", "/rest/com/vmware/content/nothing"),
        ("POST", "/rest/com/vmware/content/library?~action=explode"),
        ("POST", f"/rest/com/vmware/content/library/item/update-session/id:{UNKNOWN}?~action=explode"),
        ("GET", "/rest"),
        ("GET", "/nothing"),
        ("GET", "/api/../etc/passwd"),
        ("GET", "/api/content/%2e%2e/%2e%2e"),
    ],
)
def test_unknown_path(new_rest, legacy, method, path):
    binding = legacy if path.startswith("/rest/") else new_rest
    response = binding.send(method, path)
    assert response.status_code == 404, f"{response.status_code} {response.text}"
    if "/content/" in path and ".." not in path:
        assert binding.read(path, response).error_type == "OPERATION_NOT_FOUND", response.text


def test_unknown_query_parameter(new_rest):
    answer = new_rest.read("query", new_rest.send("GET", "/api/content/library?colour=red"))
    assert (answer.status, answer.error_type) == (400, "INVALID_ARGUMENT"), str(answer)
    assert "colour" in answer.messages[0]["default_message"]


# --- SOAP -----------------------------------------------------------------------------------------------------------

ENVELOPE = '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>{}</Body></Envelope>'
BROKEN_XML = {
    "cut off": "<Envelope><Body>",
    "not XML": "hello",
    "empty": "",
    "no envelope": "<a/>",
    "empty body": ENVELOPE.format(""),
    "entity bomb": '<!DOCTYPE a [<!ENTITY b "ccccccccccccccccccccc"><!ENTITY d "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    + ENVELOPE.format("<CurrentTime xmlns='urn:vim25'><_this type='ServiceInstance'>&d;</_this></CurrentTime>"),
    "external entity": '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'
    + ENVELOPE.format("<CurrentTime xmlns='urn:vim25'><_this>&b;</_this></CurrentTime>"),
    "deep": "<a>" * 100_000,
    "unknown method": ENVELOPE.format(
        "<Explode xmlns='urn:vim25'><_this type='ServiceInstance'>ServiceInstance</_this></Explode>"
    ),
    "no login": ENVELOPE.format(
        "<CurrentTime xmlns='urn:vim25'><_this type='ServiceInstance'>ServiceInstance</_this></CurrentTime>"
    ),
    "wrong login": ENVELOPE.format(
        "<Login xmlns='urn:vim25'><_this type='SessionManager'>SessionManager</_this>"
        "<userName>x</userName><password>y</password></Login>"
    ),
}


@pytest.mark.parametrize("path", ["/sdk", "/pbm"])
@pytest.mark.parametrize("body", BROKEN_XML.values(), ids=BROKEN_XML)
def test_broken_soap(shared_server, path, body):
    response = requests.post(
        shared_server.url + path,
        data=body,
        headers={"Content-Type": 'text/xml; charset="utf-8"'},
        verify=str(shared_server.ca_file),
    )
    assert response.status_code == 500, f"{response.status_code} {response.text}"
    assert response.headers["Content-Type"].startswith("text/xml")
    assert "Fault" in response.text and "<faultstring>" in response.text, response.text
    assert "Set-Cookie" not in response.headers
    assert "root:" not in response.text


# --- transfers ------------------------------------------------------------------------------------------------------


@pytest.fixture
def upload(world):
    """A new item with an update session; add(**spec) gives the endpoint of a file in it."""

    class Upload:
        item = world.binding.ok("item.create", create_spec={"name": uuid.uuid4().hex, "library_id": world.library})
        session = world.binding.ok("update_session.create", create_spec={"library_item_id": item})

        def add(self, **fields):
            info = world.binding.ok(
                "update_session.file.add", update_session_id=self.session, **push(name="x.bin", **fields)
            )
            return info["upload_endpoint"]["uri"]

        def file(self):
            return world.binding.ok("update_session.file.get", update_session_id=self.session, file_name="x.bin")

        def state(self):
            return world.binding.ok("update_session.get", update_session_id=self.session)

        def assert_failed(self):
            """File and session in ERROR, each with its reason; the item untouched and free."""
            file, session = self.file(), self.state()
            assert file["status"] == "ERROR" and file["error_message"]["default_message"], file
            assert session["state"] == "ERROR" and session["error_message"]["default_message"], session
            assert "preview_info" not in session
            answer = world.binding.call("update_session.complete", update_session_id=self.session)
            assert answer.error_type == "NOT_ALLOWED_IN_CURRENT_STATE", str(answer)
            item = world.binding.ok("item.get", library_item_id=self.item)
            assert (item["content_version"], item["size"]) == ("1", 0)
            assert world.binding.ok("item.file.list", library_item_id=self.item) == []
            world.binding.ok("update_session.create", create_spec={"library_item_id": self.item})

    made = Upload()
    yield made
    world.binding.ok("item.delete", library_item_id=made.item)


def assert_transfer_refused(response, status, error=None):
    """Endpoints answer errors in the new REST form."""
    assert response.status_code == status, f"{response.status_code} {response.text}"
    body = response.json()
    assert body["messages"] and body["messages"][0]["default_message"], body
    if error:
        assert body["error_type"] == error, body


@pytest.mark.parametrize("declared, sent", [(10, 11), (10, 9), (10, 0), (1, 100_000), (100_000, 1)])
@pytest.mark.parametrize("framing", ["content-length", "chunked"])
def test_bytes_other_than_declared(world, upload, declared, sent, framing):
    uri = upload.add(size=declared)
    content = b"x" * sent
    response = world.transfers.put(uri, content if framing == "content-length" else iter([content] if content else []))
    assert_transfer_refused(response, 400)
    upload.assert_failed()


@pytest.mark.parametrize(
    "headers, named",
    [
        ({"Content-Encoding": "gzip"}, "gzip"),
        ({"Content-Encoding": "identity, zstd"}, "zstd"),
        ({"Content-Type": "multipart/form-data; boundary=b"}, "form"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_wrapped_content(world, shared_server, upload, headers, named, method):
    """A form was stored with its boundaries, a packed body as packed."""
    uri = upload.add()
    with RawConnection(shared_server) as connection:
        connection.send_head(method, path_of(uri), {**headers, "Content-Length": 7})
        connection.send(b"content")
        status, answer_headers, text = connection.response()
    assert status == 415 and answer_headers["Accept-Encoding"] == "identity", (status, text)
    body = json.loads(text)
    assert body["error_type"] == "INVALID_REQUEST" and named in body["messages"][0]["default_message"], body
    assert upload.file()["status"] == "WAITING_FOR_TRANSFER"
    assert upload.state()["state"] == "ACTIVE"
    assert world.transfers.put(uri, b"content").status_code == 200


@pytest.mark.parametrize("algorithm", ["MD5", "SHA1", "SHA256", "SHA512", None])
def test_wrong_checksum(world, upload, algorithm):
    right = hashlib.new(algorithm or "SHA1", b"content").hexdigest()
    wrong = ("1" if right[0] == "0" else "0") + right[1:]
    checksum = {"checksum": wrong, **({"algorithm": algorithm} if algorithm else {})}
    uri = upload.add(size=7, checksum_info=checksum)
    assert_transfer_refused(world.transfers.put(uri, b"content"), 400)
    upload.assert_failed()


@pytest.mark.parametrize("algorithm", ["MD5", "SHA1", "SHA256", "SHA512", None])
@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_right_checksum(world, upload, algorithm, method):
    digest = hashlib.new(algorithm or "SHA1", b"content").hexdigest().upper()
    uri = upload.add(checksum_info={"checksum": digest, **({"algorithm": algorithm} if algorithm else {})})
    response = world.transfers.put(uri, b"content", method)
    assert response.status_code == 200 and response.content == b""
    assert upload.file()["status"] == "READY"
    world.binding.ok("update_session.complete", update_session_id=upload.session)


def test_upload_to_unknown_endpoint(world, upload):
    uri = upload.add()
    head, token, name = uri.rsplit("/", 2)
    before = world.snapshot()
    for other in (f"{head}/{'0' * len(token)}/{name}", f"{head}/{token[:-1]}/{name}", f"{head}/{token}x/{name}"):
        for method in ("PUT", "POST"):
            assert_transfer_refused(world.transfers.put(other, b"x", method), 404, "NOT_FOUND")
        assert_transfer_refused(world.transfers.get(other), 404, "NOT_FOUND")
    assert world.snapshot() == before


@pytest.mark.parametrize("end", ["complete", "cancel", "fail", "delete", "remove"])
def test_upload_to_dead_endpoint(world, upload, end):
    uri = upload.add()
    assert world.transfers.put(uri, b"first").status_code == 200
    if end == "remove":
        world.binding.ok("update_session.file.remove", update_session_id=upload.session, file_name="x.bin")
    elif end == "delete":
        world.binding.ok("update_session.cancel", update_session_id=upload.session)
        world.binding.ok("update_session.delete", update_session_id=upload.session)
    else:
        more = {"client_error_message": "no"} if end == "fail" else {}
        world.binding.ok(f"update_session.{end}", update_session_id=upload.session, **more)
    before = world.snapshot()
    assert world.transfers.put(uri, b"second").status_code in ((404, 410) if end in ("delete", "remove") else (410,))
    assert world.snapshot() == before


def test_download_from_dead_endpoint(world):
    call = world.binding.ok
    session = call("download_session.create", create_spec={"library_item_id": world.item})
    info = call("download_session.file.prepare", download_session_id=session, file_name="a.bin")
    uri = info["download_endpoint"]["uri"]
    assert world.transfers.get(uri).content == b"content of a"
    call("download_session.delete", download_session_id=session)
    assert_transfer_refused(world.transfers.get(uri), 404)


@pytest.mark.parametrize("framing", ["content-length", "chunked"])
def test_broken_upload_is_no_failure(world, shared_server, upload, framing):
    """The session stays open, nothing is taken for whole, and the file can be sent again."""
    uri = upload.add()
    with RawConnection(shared_server) as connection:
        if framing == "chunked":
            connection.send_head("PUT", path_of(uri), {"Transfer-Encoding": "chunked"})
            connection.send(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
        else:
            connection.send_head("PUT", path_of(uri), {"Content-Length": 100_000})
            connection.send(b"x" * 50_000)
        connection.abort()
    assert upload.state()["state"] == "ACTIVE"
    assert upload.file()["status"] in ("WAITING_FOR_TRANSFER", "TRANSFERRING")
    answer = world.binding.call("update_session.complete", update_session_id=upload.session)
    assert answer.error_type == "NOT_ALLOWED_IN_CURRENT_STATE" and "x.bin" in answer.text, str(answer)
    assert upload.state()["state"] == "ACTIVE"

    assert world.transfers.put(uri, b"whole").status_code == 200
    world.binding.ok("update_session.complete", update_session_id=upload.session)
    assert world.binding.ok("item.get", library_item_id=upload.item)["size"] == 5


def test_part_of_a_file_is_not_taken_for_the_whole(world, upload):
    uri = upload.add(size=10)
    response = world.transfers.put(uri, b"12345", headers={"Content-Range": "bytes 0-4/10"})
    assert response.status_code == 204
    assert response.headers["Upload-Complete"] == "?0"
    assert upload.state()["state"] == "ACTIVE"
    refused = world.binding.call("update_session.complete", update_session_id=upload.session)
    assert not refused.ok
    assert world.transfers.put(uri, b"1234567890", headers={"Content-Range": "bytes 0-9/10"}).status_code == 200
    world.binding.ok("update_session.complete", update_session_id=upload.session)


@pytest.mark.parametrize(
    "content", [b"", b"not a tar", b"\0" * 10240, b"x" * 100_000], ids=["empty", "text", "zeros", "noise"]
)
def test_unreadable_ova(world, content):
    item = world.binding.ok(
        "item.create", create_spec={"name": uuid.uuid4().hex, "library_id": world.library, "type": "ovf"}
    )
    session = world.binding.ok("update_session.create", create_spec={"library_item_id": item})
    info = world.binding.ok("update_session.file.add", update_session_id=session, **push(name="vm.ova"))
    assert_transfer_refused(world.transfers.put(info["upload_endpoint"]["uri"], content), 400)
    model = world.binding.ok("update_session.get", update_session_id=session)
    assert model["state"] == "ERROR" and model["error_message"]["default_message"]
    assert world.binding.ok("item.file.list", library_item_id=item) == []
    world.binding.ok("item.delete", library_item_id=item)


@pytest.mark.parametrize("method", ["GET", "TRACE"])
def test_wrong_method_on_an_endpoint(world, upload, method):
    response = world.transfers.put(upload.add(), None, method)
    assert response.status_code == 405 and "PUT" in response.headers["Allow"], f"{response.status_code} {response.text}"
    assert upload.state()["state"] == "ACTIVE"
