"""`quire events` and `quire watch` against a real server: text and JSON, filters, breaks, and a server that has no events."""

import os
import queue
import signal
import threading

import pytest
from bad_network import BadNetwork
from cli_client import Cli, signed_in
from event_client import EventStream
from quire_server import ADMINISTRATOR, QuireServer
from rest_client import NewRest, create_library
from test_cli_commands import Vcsim, rows

TIMEOUT = 60


class Following:
    """A command that follows, as it runs."""

    def __init__(self, cli, *arguments):
        self.process = cli.start(*arguments)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def line(self):
        return self.lines.get(timeout=TIMEOUT)

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(TIMEOUT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(TIMEOUT)


@pytest.fixture
def busy(tmp_path):
    """Streams say something every 100 ms."""
    server = QuireServer(tmp_path / "server", flags=["--event-heartbeat", "100ms"]).start()
    server.cli = signed_in(server, tmp_path / "home")
    server.admin = NewRest(server).log_in()
    yield server
    if server.process is not None:
        server.stop()


def newest(server):
    """The number of the newest event."""
    name = create_library(server.admin, f"marker-{os.urandom(4).hex()}")
    events = rows(server.cli.ok("events", "--after", "0", "--kind", "library.created", "--library", name, "--count", "1", "--json"),
                  "event")
    return events[0]["id"]


def test_text_tells_what_when_and_who(busy):
    after = newest(busy)
    library = create_library(busy.admin, "images")
    [line] = busy.cli.ok("events", "--after", after, "--count", "1").stdout.splitlines()
    number, time, kind, actor, subject = line.split("  ")
    assert int(number) > int(after) and time.endswith("Z") and (kind, actor, subject) == ("library.created", ADMINISTRATOR, library)


def test_json_has_the_event_as_the_server_tells_it(busy):
    after = newest(busy)
    library = create_library(busy.admin, "images")
    result = busy.cli.ok("events", "--after", after, "--count", "1", "--json")
    [event] = rows(result, "event")
    with EventStream(busy, busy.admin.session_id, after=after) as stream:
        message = stream.next()
    assert event == {"id": message.id, "kind": "library.created", "data": message.data}
    assert (event["data"]["actor"], event["data"]["subject"]) == (ADMINISTRATOR, library)
    assert result.result["status"] == "done"


def test_a_library_and_an_item_are_watched(busy):
    wanted, other = create_library(busy.admin, "wanted"), create_library(busy.admin, "other")
    item = busy.admin.ok("item.create", create_spec={"name": "it", "library_id": wanted, "type": ""})
    with Following(busy.cli, "watch", "wanted") as library, Following(busy.cli, "watch", "wanted/it", "--json") as one:
        # They listen from some moment on; until then nobody tells them anything.
        seen = None
        while seen is None:
            busy.admin.ok("item.update", library_item_id=item, update_spec={"description": os.urandom(4).hex()})
            try:
                seen = (library.lines.get(timeout=0.5), one.lines.get(timeout=0.5))
            except queue.Empty:
                continue
        assert "item.updated" in seen[0] and f'"item":"{item}"' in seen[1]
        elsewhere = busy.admin.ok("item.create", create_spec={"name": "x", "library_id": other, "type": ""})
        second = busy.admin.ok("item.create", create_spec={"name": "y", "library_id": wanted, "type": ""})
        line = library.line()
        while "item.updated" in line:
            line = library.line()
        assert "item.created" in line and second in line and elsewhere not in line
        busy.admin.ok("item.delete", library_item_id=item)
        line = one.line()
        while '"kind":"item.updated"' in line:
            line = one.line()
        assert '"kind":"item.deleted"' in line
        assert library.interrupt() == 130 and one.interrupt() == 130


def test_kinds(busy):
    after = newest(busy)
    library = create_library(busy.admin, "images")
    item = busy.admin.ok("item.create", create_spec={"name": "it", "library_id": library, "type": ""})
    busy.admin.ok("item.delete", library_item_id=item)
    follow = ("events", "--after", after, "--json", "--kind", "item.deleted", "--kind", "library.created", "--count", "2")
    assert [event["kind"] for event in rows(busy.cli.ok(*follow), "event")] == ["library.created", "item.deleted"]
    assert [event["data"]["item"] for event in rows(busy.cli.ok(
        "events", "--after", after, "--json", "--item", item, "--count", "2"), "event")] == [item, item]
    refused = busy.cli.fails(1, "events", "--kind", "library.exploded")
    assert "There is no kind of event library.exploded" in refused.stderr
    busy.cli.fails(3, "watch", "nothing")
    busy.cli.fails(3, "watch", "images/nothing")


def test_a_cut_connection_loses_and_repeats_nothing(busy, tmp_path):
    """Through a network that resets what is open again and again: Last-Event-ID says where to go on."""
    with BadNetwork(busy) as network:
        cli = signed_in(busy, tmp_path / "behind", network.url)
        after = newest(busy)
        count = 30
        with Following(cli, "events", "--after", after, "--kind", "library.created", "--count", count, "--json") as following:
            made, told = [], []
            for number in range(count):
                made.append(create_library(busy.admin, f"library {number}"))
                if number % 5 == 4:
                    while len(told) < len(made):
                        told.append(following.line())
                    network.drop_all()
            assert following.process.wait(TIMEOUT) == 0
        assert len(told) == count
        assert [line.split('"subject":"')[1].split('"')[0] for line in told] == made


def test_a_restart_of_the_server_loses_nothing(busy):
    after = newest(busy)
    with Following(busy.cli, "events", "--after", after, "--kind", "library.created", "--count", "3") as following:
        first = create_library(busy.admin, "before")
        assert first in following.line()
        busy.restart()
        admin = NewRest(busy).log_in()
        rest = [create_library(admin, name) for name in ("while it was away", "and later")]
        assert [one in following.line() for one in rest] == [True, True]
        assert following.process.wait(TIMEOUT) == 0


def test_it_ends_with_its_login(busy, tmp_path):
    short = Cli(tmp_path / "short", busy.url, SSL_CERT_FILE=str(busy.ca_file))
    short.ok("login", "--user", busy.user, "--password-stdin", stdin=busy.password + "\n")
    with Following(short, "events") as following:
        seen = None
        while seen is None:
            create_library(busy.admin, os.urandom(4).hex())
            try:
                seen = following.lines.get(timeout=0.5)
            except queue.Empty:
                continue
        short.ok("logout")
        assert following.process.wait(TIMEOUT) == 4


def test_a_vcenter_has_no_events(tmp_path):
    with Vcsim() as vcsim:
        cli = Cli(tmp_path / "home", vcsim.url).log_in("user", "pass")
        cli.ok("libraries", "create", "images", "--storage", vcsim.datastore)
        for command in (("events",), ("watch",), ("watch", "images")):
            refused = cli.fails(1, *command)
            assert "tells no events" in refused.stderr, refused
        cli.fails(3, "watch", "nothing")


def test_the_document_names_what_the_stream_takes(busy):
    """Each parameter of GET /api/events in the OpenAPI document is taken, and no other."""
    import requests

    document = requests.get(f"{busy.url}/api/openapi.json", verify=str(busy.ca_file), timeout=TIMEOUT).json()
    stream = document["paths"]["/events"]["get"]
    library = create_library(busy.admin, "images")
    values = {"library": library, "item": "x", "kind": "item.created", "after": "0", "progress": "true", "Last-Event-ID": "0"}
    assert {parameter["name"] for parameter in stream["parameters"]} == set(values)
    for parameter in stream["parameters"]:
        name = parameter["name"]
        query, headers = ({}, {name: values[name]}) if parameter["in"] == "header" else ({name: values[name]}, {})
        with EventStream(busy, busy.admin.session_id, headers=headers, **query) as answer:
            assert answer.status == 200, name
    with EventStream(busy, busy.admin.session_id, after="0") as answer:
        data = answer.next().data
    schema = document["components"]["schemas"]["com.quire.events.event"]
    assert set(schema["required"]) <= set(data) <= set(schema["properties"])
    assert data["kind"] in document["components"]["schemas"]["com.quire.events.kind"]["enum"]
