"""People, pipelines and what is written down about them: logins, API tokens, the audit trail and its file."""

import json
import time

import pytest
import requests
from quire_server import ADMINISTRATOR, QuireServer

CAROL = "carol@vsphere.local"
PASSWORD = "correct horse battery"


@pytest.fixture
def audited(tmp_path):
    server = QuireServer(tmp_path, flags=["--audit-file", str(tmp_path / "audit.jsonl")]).start()
    yield server
    if server.process is not None:
        server.stop()


class Api:
    """New REST with one way to say who asks."""

    def __init__(self, server, headers):
        self.server = server
        self.headers = headers

    @classmethod
    def logged_in(cls, server, user, password):
        answer = requests.post(
            f"{server.url}/api/session", auth=(user, password), verify=str(server.ca_file), timeout=60
        )
        answer.raise_for_status()
        return cls(server, {"vmware-api-session-id": answer.json()})

    def __call__(self, method, path, body=None, headers=None, **query):
        return requests.request(
            method,
            f"{self.server.url}/api/{path}",
            json=body,
            params=query,
            headers={**self.headers, **(headers or {})},
            verify=str(self.server.ca_file),
            timeout=60,
        )

    def done(self, method, path, body=None, headers=None, **query):
        answer = self(method, path, body, headers, **query)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.text else None


def log_in(server, user, password):
    return requests.post(f"{server.url}/api/session", auth=(user, password), verify=str(server.ca_file), timeout=60)


@pytest.fixture
def admin(audited):
    return Api.logged_in(audited, ADMINISTRATOR, audited.password)


def with_carol(server, admin):
    admin.done("POST", "quire/access/users", {"name": CAROL, "password": PASSWORD})
    admin.done("PUT", "quire/access/permissions", {"principal": CAROL, "type": "USER", "role": "-102"})
    return Api.logged_in(server, CAROL, PASSWORD)


def test_a_token_is_taken_wherever_a_session_is(audited, admin):
    carol = with_carol(audited, admin)
    library = admin.done("POST", "content/local-library", {"name": "images", "type": "LOCAL"})
    secret = carol.done("POST", "quire/access/tokens", {"name": "nightly"})["secret"]
    ways = [
        {"vmware-api-session-id": secret},
        {"Authorization": f"Bearer {secret}"},
        {"Cookie": f"vmware-api-session-id={secret}"},
    ]
    for way in ways:
        assert Api(audited, way).done("GET", "content/library") == [library], way
    with_token = Api(audited, {"Authorization": f"Bearer {secret}"})
    with_token.done("DELETE", "session")
    item = with_token.done("POST", "content/library/item", {"library_id": library, "name": "made by a pipeline"})
    assert with_token.done("GET", f"content/library/item/{item}")["name"] == "made by a pipeline"
    assert with_token.done("GET", "session")["user"] == CAROL
    rpc = requests.post(
        f"{audited.url}/api",
        json={
            "jsonrpc": "2.0",
            "id": "1",
            "method": "invoke",
            "params": {
                "serviceId": "com.vmware.content.library",
                "operationId": "list",
                "input": {"STRUCTURE": {"operation-input": {}}},
                "ctx": {
                    "appCtx": {"opId": "1"},
                    "securityCtx": {"schemeId": "com.vmware.vapi.std.security.session_id", "sessionId": secret},
                },
            },
        },
        verify=str(audited.ca_file),
        timeout=60,
    ).json()
    assert rpc["result"]["output"] == [library]
    [token] = carol.done("GET", "quire/access/tokens")
    assert "last_used" not in token or token["last_used"] >= token["created"]
    assert secret not in json.dumps(token)
    carol.done("DELETE", f"quire/access/tokens/{token['token']}")
    assert with_token("GET", "content/library").status_code == 401


def test_a_token_outlives_a_restart(audited, admin):
    secret = admin.done("POST", "quire/access/tokens", {"name": "nightly"})["secret"]
    audited.stop()
    audited.start()
    assert Api(audited, {"Authorization": f"Bearer {secret}"}).done("GET", "content/library") == []


def test_the_trail_tells_who_did_what_from_where(audited, admin):
    carol = with_carol(audited, admin)
    library = admin.done(
        "POST", "content/local-library", {"name": "images", "type": "LOCAL"}, headers={"vapi-ctx-opid": "op-42"}
    )
    assert log_in(audited, CAROL, "a wrong one").status_code == 401
    assert carol("DELETE", f"content/local-library/{library}").status_code == 403
    entries = admin.done("GET", "quire/audit", limit=1000)["entries"]
    [made] = [entry for entry in entries if entry["event"] == "library.created"]
    assert made["user"] == ADMINISTRATOR
    assert made["address"] == "127.0.0.1"
    assert made["operation"] == "com.vmware.content.local_library.create"
    assert made["operation_id"] == "op-42"
    assert made["library_id"] == library
    assert made["details"] == {"name": "images"}
    refused = admin.done("GET", "quire/audit", refused="true")["entries"]
    assert [(entry["event"], entry["user"]) for entry in refused] == [("login.refused", CAROL), ("call.refused", CAROL)]
    assert refused[1]["details"]["privilege"] == "ContentLibrary.DeleteLocalLibrary"
    assert refused[1]["operation"] == "com.vmware.content.local_library.delete"
    assert carol("GET", "quire/audit").status_code == 403


def lines_of(path, wanted, timeout=30):
    end = time.monotonic() + timeout
    while True:
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) >= wanted or time.monotonic() > end:
            return [json.loads(line) for line in lines]
        time.sleep(0.1)


def test_the_file_holds_what_the_operation_answers(audited, admin, tmp_path):
    with_carol(audited, admin)
    entries = admin.done("GET", "quire/audit", limit=1000)["entries"]
    path = tmp_path / "audit.jsonl"
    assert lines_of(path, len(entries)) == entries
    assert path.stat().st_mode & 0o777 == 0o640
    path.rename(tmp_path / "audit.jsonl.1")  # as log rotation does
    admin.done("POST", "content/local-library", {"name": "after the rotation", "type": "LOCAL"})
    [line] = lines_of(path, 1)
    assert line["details"] == {"name": "after the rotation"}
    audited.kill()
    audited.start()
    admin = Api.logged_in(audited, ADMINISTRATOR, audited.password)
    entries = admin.done("GET", "quire/audit", limit=1000)["entries"]
    rotated = (tmp_path / "audit.jsonl.1").read_text().splitlines()
    # After a kill a line may be there twice, so numbers are waited for, not lines.
    deadline = time.monotonic() + 60
    while True:
        lines = rotated + path.read_text().splitlines(keepends=False)
        written = sorted({json.loads(line)["number"] for line in lines if line.endswith("}")})
        if written == [entry["number"] for entry in entries] or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    assert written == [entry["number"] for entry in entries]


def test_a_file_that_cannot_be_written_is_told_at_the_start(tmp_path):
    server = QuireServer(tmp_path, flags=["--audit-file", str(tmp_path / "nowhere" / "audit.jsonl")])
    with pytest.raises(AssertionError, match="ended with 1"):
        server.start()
    assert "nowhere/audit.jsonl" in server.log()


def test_guessing_becomes_slow_and_locks_nobody_out(audited, admin):
    with_carol(audited, admin)
    for _ in range(10):
        assert log_in(audited, CAROL, "guess").status_code == 401
    told = log_in(audited, CAROL, PASSWORD)
    assert told.status_code == 401
    message = told.json()["messages"][0]
    assert message["id"] == "quire.session.too_many_failures"
    assert log_in(audited, ADMINISTRATOR, audited.password).status_code == 201, "others do not wait"
    end = time.monotonic() + 30
    while log_in(audited, CAROL, PASSWORD).status_code != 201:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert log_in(audited, CAROL, PASSWORD).status_code == 201


def test_no_secret_is_written_anywhere(audited, admin, tmp_path):
    carol = with_carol(audited, admin)
    secret = carol.done("POST", "quire/access/tokens", {"name": "nightly"})["secret"]
    library = admin.done("POST", "content/local-library", {"name": "images", "type": "LOCAL"})
    item = carol.done("POST", "content/library/item", {"library_id": library, "name": "disk"})
    session = carol.done("POST", "content/library/item/update-session", {"library_item_id": item})
    file = carol.done(
        "POST", f"content/library/item/update-session/{session}/file", {"name": "a", "source_type": "PUSH"}
    )
    endpoint = file["upload_endpoint"]["uri"].split("/cls/data/")[1].split("/")[0]
    assert log_in(audited, CAROL, "a wrong password").status_code == 401
    assert carol("DELETE", f"content/local-library/{library}").status_code == 403
    trail = json.dumps(admin.done("GET", "quire/audit", limit=1000))
    audited.stop()
    secrets = [secret, endpoint, PASSWORD, "a wrong password", audited.password]
    secrets += [carol.headers["vmware-api-session-id"], admin.headers["vmware-api-session-id"]]
    places = {"trail": trail, "file": (tmp_path / "audit.jsonl").read_text(), "log": audited.log()}
    for place, text in places.items():
        for one in secrets:
            assert one not in text, f"{one} is in the {place}"
