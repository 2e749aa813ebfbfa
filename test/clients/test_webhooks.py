"""Webhooks: a receiver that checks signatures, breaks, comes back, and is told of everything once it is there."""

import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from quire_server import QuireServer
from rest_client import NewRest, create_library

SECRET = "a secret of both sides"
TIMEOUT = 60


class Receiver:
    """Somebody's server. `status` is its answer; what it took is in `events`."""

    def __init__(self):
        self.status = 204
        self.events = []
        self.attempts = 0
        self.wrong = []
        self.changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(self.headers, body)
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, headers, body):
        with self.changed:
            parts = dict(part.split("=", 1) for part in headers["Quire-Signature"].split(","))
            signature = hmac.new(SECRET.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
            event = json.loads(body)
            right = (
                hmac.compare_digest(signature, parts["v1"])
                and abs(time.time() - int(parts["t"])) < 60
                and headers["Quire-Event"] == event["kind"]
                and headers["Quire-Event-Number"] == str(event["number"])
            )
            if not right:
                self.wrong.append((dict(headers), body))
            self.attempts += 1
            if 200 <= self.status < 300:
                self.events.append(event)
            self.changed.notify_all()

    def wait(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, TIMEOUT), (self.attempts, self.events)
            assert not self.wrong, self.wrong

    def subjects(self):
        return [event["subject"] for event in self.events]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def hooked(tmp_path):
    server = QuireServer(tmp_path, flags=["--webhook-allow", "127.0.0.0/8", "--webhook-attempts", "2"]).start()
    yield server
    if server.process is not None:
        server.stop()


@pytest.fixture
def admin(hooked):
    return NewRest(hooked).log_in()


def call(admin, method, path, body=None, status=None):
    answer = requests.request(
        method,
        f"{admin.server.url}/api/quire/webhooks{path}",
        json=body,
        headers={"vmware-api-session-id": admin.session_id},
        verify=str(admin.server.ca_file),
        timeout=TIMEOUT,
    )
    assert answer.status_code == status if status else answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.text else None


def create(admin, receiver, **spec):
    return call(admin, "POST", "", {"url": receiver.url, "secret": SECRET, "kinds": ["library.created"], **spec})


def test_is_told_and_can_check_who_tells(hooked, admin, receiver):
    hook = create(admin, receiver)
    libraries = [create_library(admin, name) for name in ("one", "two")]
    receiver.wait(lambda: len(receiver.events) == 2)
    assert receiver.subjects() == libraries
    assert "secret" not in call(admin, "GET", f"/{hook}")
    call(admin, "DELETE", f"/{hook}")
    call(admin, "GET", f"/{hook}", status=404)


def test_survives_the_death_of_both(hooked, admin, receiver):
    receiver.status = 500
    hook = create(admin, receiver)
    first = create_library(admin, "first")
    receiver.wait(lambda: receiver.attempts == 1)
    hooked.kill()
    receiver.status = 200
    hooked.start()
    admin = NewRest(hooked).log_in()
    second = create_library(admin, "second")
    receiver.wait(lambda: {first, second} <= set(receiver.subjects()))
    deadline = time.monotonic() + TIMEOUT
    while call(admin, "GET", f"/{hook}/deliveries"):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_dead_letters_can_be_sent_again(hooked, admin, receiver):
    receiver.status = 503
    hook = create(admin, receiver)
    library = create_library(admin, "unlucky")
    receiver.wait(lambda: receiver.attempts == 2)
    deadline = time.monotonic() + TIMEOUT
    while (deliveries := call(admin, "GET", f"/{hook}/deliveries"))[0]["state"] != "DEAD":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert deliveries[0]["attempts"] == 2 and "503" in deliveries[0]["problem"]
    state = admin.send("GET", "/api/quire/server/state").json()
    assert (state["webhook_deliveries_waiting"], state["webhook_deliveries_dead"]) == (0, 1), state
    figures = admin.send("GET", "/metrics").text
    assert 'quire_webhook_deliveries{state="dead"} 1' in figures and "quire_webhook_deliveries_died_total 1" in figures
    assert 'quire_webhook_attempts_total{result="refused"} 2' in figures
    receiver.status = 200
    call(admin, "POST", f"/{hook}/deliveries?action=redeliver", {"event": deliveries[0]["event"]})
    receiver.wait(lambda: receiver.subjects() == [library])


def test_loopback_is_refused_unless_it_is_allowed(tmp_path, receiver):
    server = QuireServer(tmp_path / "strict").start()
    try:
        admin = NewRest(server).log_in()
        hook = create(admin, receiver)
        create_library(admin)
        deadline = time.monotonic() + TIMEOUT
        while not (deliveries := call(admin, "GET", f"/{hook}/deliveries")) or "problem" not in deliveries[0]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert "127.0.0.1 is a loopback address" in deliveries[0]["problem"]
        assert receiver.attempts == 0
    finally:
        server.stop()
