"""The watch for secrets that are written down finds them in each place where one could stand."""

import secrets

import requests

from rest_client import NewRest
from secret_watch import SecretWatch


def test_a_secret_is_found_wherever_it_stands(server):
    """The server writes what it is told to; here a watch of the test's own takes that for secrets."""
    told, drawn, agent = "a name and no secret", secrets.token_hex(16), "agent-" + secrets.token_urlsafe(12)
    rest = NewRest(server).log_in()
    rest.http.headers["User-Agent"] = agent
    for name in (told, drawn):
        rest.ok("local_library.create", create_spec={"name": name, "type": "LOCAL"})
    refusal = rest.send("GET", f"/api/content/library/{agent}")
    assert refusal.status_code == 404 and agent in refusal.text
    server.stop()

    watch = SecretWatch()
    watch.servers.append(server)
    watch.errors[refusal.text] = "GET"
    assert {place.split(" ")[0] for place, _ in _finish(watch)} == {"audit", "events"}, "the drawn one has their shape"
    watch.add(told, "a password")
    watch.add(agent, "a token")
    found = {(place.split(" ")[0], secret) for place, secret in _finish(watch)}
    written = {("audit", told), ("audit", drawn), ("events", told), ("events", drawn)}
    assert found == written | {("log", agent), ("the", agent)}


def test_secrets_are_learnt_from_exchanges(server):
    watch = SecretWatch()

    def exchange(method, path, **options):
        response = requests.request(method, server.url + path, verify=str(server.ca_file), timeout=60, **options)
        watch.note_request(response.request)
        watch.note_answer(response.request, response)
        return response

    token = exchange("POST", "/api/session", auth=(server.user, server.password)).json()
    header = {"vmware-api-session-id": token}
    user = {"name": "carol@vsphere.local", "password": "correct horse"}
    exchange("POST", "/api/quire/access/users", json=user, headers=header)
    secret = exchange("POST", "/api/quire/access/tokens", json={"name": "n"}, headers=header).json()["secret"]
    library = exchange("POST", "/api/content/local-library", json={"name": "l", "type": "LOCAL"}, headers=header).json()
    item = exchange(
        "POST", "/api/content/library/item", json={"name": "i", "library_id": library}, headers=header
    ).json()
    session = exchange(
        "POST", "/api/content/library/item/update-session", json={"library_item_id": item}, headers=header
    ).json()
    file = exchange(
        "POST",
        f"/api/content/library/item/update-session/{session}/file",
        json={"name": "a", "source_type": "PUSH"},
        headers=header,
    ).json()
    endpoint = file["upload_endpoint"]["uri"].split("/")[-2]
    source = {"uri": "https://someone:pa55word@example.org/a.iso"}
    exchange("POST", "/api/x", json=source, headers=header)
    assert set(watch.known) == {token, server.password, "correct horse", secret, endpoint, "pa55word"}
    assert list(watch.errors.values()) == ["POST /api/x"]


def test_a_name_whose_request_was_not_answered_is_no_secret():
    """A server that was killed had written the name of an item down, and was taken for one that tells a secret."""
    watch, name = SecretWatch(), secrets.token_hex(16)
    body = {"name": name, "library_id": "a library"}
    watch.note_request(requests.Request("POST", "https://127.0.0.1/api/content/library/item", json=body).prepare())
    watch.look_at_text("events of a server", f'item.created {{"name":"{name}"}}')
    assert not watch.leaks


def _finish(watch):
    watch.leaks.clear()
    watch.finish()
    return watch.leaks
