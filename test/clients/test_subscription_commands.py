"""`quire subscribe`, `sync`, `evict`, `subscription` and `publish`, against honest, faulty and untrusted publishers."""

import uuid

import pytest
from cli_client import signed_in
from test_publication import create, fill, info, secret, subscriber
from test_pull import serving

from http_source import make_certificate
from publisher import Fault, Publisher
from quire_server import QuireServer
from rest_client import NewRest
from subscription_client import download, wait_for
from vcsp_reader import Subscriber

CONTENT = b"c" * 70_001


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    flags = ("--pull-allow", "127.0.0.0/8", "--pull-attempts", "1")
    with serving(tmp_path_factory.mktemp("subscriber") / "server", *flags) as started:
        yield started


@pytest.fixture
def rest(server):
    return NewRest(server).log_in()


@pytest.fixture
def cli(server, tmp_path):
    return signed_in(server, tmp_path / "home")


@pytest.fixture
def publisher():
    with Publisher() as opened:
        opened.one = opened.add("one", {"a.bin": CONTENT})
        yield opened


@pytest.fixture
def name():
    return f"sub-{uuid.uuid4().hex[:8]}"


def item_of(rest, library, name="one"):
    (found,) = rest.ok("item.find", spec={"library_id": library, "name": name})
    return rest.ok("item.get", library_item_id=found)


def library_of(rest, name):
    (found,) = rest.ok("library.find", spec={"name": name})
    return found


def subscribed(cli, publisher, name, *options):
    """A library of that name that has been synchronized."""
    cli.ok("subscribe", publisher.url, name, *options)
    result = cli.ok("sync", name, "--wait", "--json")
    return result.result["library_id"]


# ---- subscribe ----


def test_subscribe_and_follow(cli, rest, publisher, name):
    made = cli.ok("subscribe", publisher.url, name, "--json").result
    library = library_of(rest, name)
    assert made["library_id"] == library
    model = rest.ok("library.get", library_id=library)
    assert model["type"] == "SUBSCRIBED"
    subscription = model["subscription_info"]
    assert subscription["subscription_url"] == publisher.url
    assert (subscription["on_demand"], subscription["automatic_sync_enabled"]) == (False, False)
    cli.ok("sync", name, "--wait")
    assert set(download(rest, item_of(rest, library)["id"])) == {"a.bin"}
    publisher.add("two", {"b.bin": b"b" * 1000})
    synced = cli.ok("sync", name, "--wait", "--json").result
    assert synced["task"] and synced["library_id"] == library
    assert item_of(rest, library, "two")["cached"]
    assert name in cli.ok("libraries").stdout and "SUBSCRIBED" in cli.ok("libraries").stdout


def test_on_demand_and_automatic(cli, rest, publisher, name):
    library = subscribed(cli, publisher, name, "--on-demand", "--automatic", "--storage", "LocalDS_0")
    subscription = rest.ok("library.get", library_id=library)["subscription_info"]
    assert (subscription["on_demand"], subscription["automatic_sync_enabled"]) == (True, True)
    assert not item_of(rest, library)["cached"]


def test_no_such_storage(cli, rest, publisher, name):
    cli.fails(3, "subscribe", publisher.url, name, "--storage", "nowhere")
    assert rest.ok("library.find", spec={"name": name}) == []


def test_an_untrusted_certificate_is_shown_and_pinned(cli, rest, name, tmp_path):
    certificate = make_certificate(tmp_path, "publisher")
    with Publisher(certificate=certificate) as publisher:
        publisher.add("one", {"a.bin": CONTENT})
        refused = cli.fails(4, "subscribe", publisher.url, name)
        thumbprint = certificate.thumbprint()
        assert thumbprint in refused.stderr and "--accept-certificate" in refused.stderr
        assert rest.ok("library.find", spec={"name": name}) == []

        other = make_certificate(tmp_path, "other").thumbprint()
        wrong = cli.fails(4, "subscribe", publisher.url, name, "--thumbprint", other, "--accept-certificate")
        assert f"--thumbprint {thumbprint}" not in wrong.stderr, "a pin that does not fit is not replaced"

        accepted = cli.ok("subscribe", publisher.url, name, "--accept-certificate", "--json")
        assert accepted.result["ssl_thumbprint"] == thumbprint and thumbprint in accepted.stderr
        cli.ok("sync", name, "--wait")
        cli.ok("subscribe", publisher.url, f"{name}-2", "--thumbprint", thumbprint)
        cli.ok("sync", f"{name}-2", "--wait")
        assert thumbprint in cli.ok("subscription", name).stdout


def test_a_password(cli, rest, name):
    password = secret()
    with Publisher(password=password) as publisher:
        publisher.add("one", {"a.bin": CONTENT})
        cli.fails(4, "subscribe", publisher.url, name)
        cli.fails(4, "subscribe", publisher.url, name, "--password-stdin", stdin=secret() + "\n")
        cli.fails(2, "subscribe", publisher.url, name, "--user", "vcsp")
        assert rest.ok("library.find", spec={"name": name}) == []
        made = cli.ok("subscribe", publisher.url, name, "--json", "--user", "vcsp", "--password-stdin", stdin=password + "\n")
        assert password not in made.stdout + made.stderr
        cli.ok("sync", name, "--wait")


def test_publishers_that_are_none(cli, publisher, name):
    cli.fails(3, "subscribe", publisher.url.replace("lib.json", "none.json"), name)
    assert cli.run("subscribe", "nonsense", name).code == 1
    publisher.close()
    gone = cli.run("subscribe", publisher.url, name)
    assert gone.code in (1, 6) and gone.stderr.strip(), str(gone)
    publisher.open()


# ---- sync and evict ----


def test_reasons_of_items_that_failed(cli, rest, publisher, name):
    bad = publisher.add("bad", {"b.bin": b"b" * 5000})
    publisher.fault(publisher.path_of(bad, "b.bin"), Fault(status=404))
    cli.ok("subscribe", publisher.url, name)
    failed = cli.fails(1, "sync", name, "--wait", "--json")
    problems = [line["message"] for line in failed.objects() if line["type"] == "problem"]
    assert len(problems) == 1 and "bad" in problems[0], str(failed)
    assert failed.result["error"]["message"].strip()
    people = cli.fails(1, "sync", name, "--wait")
    assert "Item bad" in people.stdout and people.stderr.startswith("quire: ")
    shown = cli.ok("subscription", name)
    assert "items that fail" in shown.stdout and "bad" in shown.stdout
    state = cli.ok("subscription", name, "--json")
    assert state.result["synchronization"]["problem_count"] == 1
    (problem,) = (line["problem"] for line in state.objects() if line["type"] == "problem")
    assert problem["name"] == "bad"
    publisher.heal()
    cli.ok("sync", name, "--wait")
    assert "items that fail" not in cli.ok("subscription", name).stdout
    assert item_of(rest, library_of(rest, name), "bad")["cached"]


def test_items_on_demand_come_and_go(cli, rest, publisher, name):
    publisher.add("two", {"b.bin": b"b" * 3000})
    library = subscribed(cli, publisher, name, "--on-demand")
    cli.ok("sync", f"{name}/one", "--wait")
    assert not item_of(rest, library)["cached"]
    synced = cli.ok("sync", f"{name}/one", "--content", "--wait", "--json").result
    assert synced["library_item_id"] == item_of(rest, library)["id"]
    assert item_of(rest, library)["cached"] and not item_of(rest, library, "two")["cached"]
    cli.ok("evict", f"{name}/one")
    assert not item_of(rest, library)["cached"]
    everything = cli.ok("sync", name, "--content", "--wait", "--json").result
    assert everything["items_asked"] == 2
    assert item_of(rest, library)["cached"] and item_of(rest, library, "two")["cached"]
    assert "2 with their content here" in cli.ok("subscription", name).stdout
    cli.ok("evict", name)
    assert not item_of(rest, library)["cached"] and not item_of(rest, library, "two")["cached"]


def test_what_cannot_be_evicted_or_synchronized(cli, rest, publisher, name):
    subscribed(cli, publisher, name)
    cli.fails(5, "evict", name)
    assert cli.run("evict", f"{name}/one").code != 0
    create(rest, f"{name}-local")
    for command in ("sync", "evict", "subscription"):
        assert cli.run(command, f"{name}-local").code == 1
        cli.fails(3, command, f"{name}-none")
    cli.fails(3, "sync", f"{name}/none")


def test_sync_without_waiting(cli, rest, publisher, name):
    library = subscribed(cli, publisher, name)
    publisher.add("two", {"b.bin": b"b"})
    assert "task" not in cli.ok("sync", name, "--json").result
    wait_for("the item", lambda: rest.ok("item.find", spec={"library_id": library, "name": "two"}))


# ---- publish ----


def test_publish(cli, rest, name):
    cli.ok("libraries", "create", name)
    library = library_of(rest, name)
    url = f"{rest.server.url}/cls/vcsp/lib/{library}/lib.json"
    assert cli.ok("publish", name).stdout == url + "\n"
    assert cli.ok("publish", name, "--json").result["publish_url"] == url
    fill(rest, library, "one", {"a.txt": b"a"})
    assert set(subscriber(rest, library).mirror()) == {"one"}
    cli.ok("publish", name, "--now")
    cli.ok("publish", name, "--off")
    assert info(rest, library)["published"] is False
    cli.ok("publish", name, "--off")
    cli.fails(3, "publish", f"{name}-none")


def test_who_reads_a_publication(cli, rest, name):
    cli.ok("libraries", "create", name)
    library = library_of(rest, name)
    cli.fails(5, "publication", name)
    url = cli.ok("publish", name).stdout.strip()
    assert "by nobody since" in cli.ok("publication", name).stdout
    fill(rest, library, "one", {"a.txt": b"a"})
    reader = subscriber(rest, library)
    tag = reader.get("lib.json").headers["ETag"]
    answer = reader.get("lib.json", headers={"If-None-Match": tag, "User-Agent": "poller/7"})
    assert answer.status_code == 304
    told = cli.ok("publication", name, "--json").result
    assert told["publish_info"]["publish_url"] == url and told["publication"]["subscriptions"] == []
    last, first = told["publication"]["readers"]
    assert (last["user_agent"], last["address"], last["version"]) == ("poller/7", "127.0.0.1", told["publication"]["version"])
    assert first["user_agent"] != "poller/7" and first["last_read_time"] <= last["last_read_time"]
    shown = cli.ok("publication", name).stdout
    assert url in shown and "poller/7" in shown, shown


def test_publish_with_a_password(cli, rest, name, tmp_path):
    cli.ok("libraries", "create", name)
    library = library_of(rest, name)
    first, second = secret(), secret()
    assert cli.ok("publish", name, "--password-stdin", stdin=first + "\n").stdout.startswith("https://")
    assert info(rest, library)["authentication_method"] == "BASIC"
    cli.ok("publish", name)
    assert info(rest, library)["authentication_method"] == "BASIC", "publishing again takes no password away"
    both = ("--current-password-stdin", "--password-stdin")
    cli.ok("publish", name, "--password-stdin", stdin=first + "\n")
    assert "current_password" in cli.fails(1, "publish", name, "--password-stdin", stdin=second + "\n").stderr
    cli.fails(2, "publish", name, "--no-password")
    assert cli.run("publish", name, *both, stdin=f"{second}\n{second}\n").code == 1
    cli.ok("publish", name, *both, stdin=f"{first}\n{second}\n")
    url, ca_file = f"{rest.server.url}/cls/vcsp/lib/{library}/lib.json", str(rest.server.ca_file)
    assert Subscriber(url, ca_file, password=second).library()["id"].endswith(library)
    file = tmp_path / "password"
    file.write_text(second + "\n")
    cli.fails(2, "publish", name, "--off", "--no-password")
    cli.ok("publish", name, "--off", "--current-password-file", file)
    cli.ok("publish", name)
    assert info(rest, library)["authentication_method"] == "BASIC", "it is published again as it was"
    cli.ok("publish", name, "--no-password", "--current-password-file", file)
    assert info(rest, library)["authentication_method"] == "NONE"


def test_only_local_libraries_are_published(cli, publisher, name):
    subscribed(cli, publisher, name)
    cli.fails(5, "publish", name)


def test_from_quire_to_quire(server, rest, cli, name, tmp_path):
    """All by the command line: one publishes, another one subscribes."""
    source = QuireServer(tmp_path / "source").start()
    try:
        far = signed_in(source, tmp_path / "far")
        password = secret()
        far.ok("libraries", "create", "golden")
        image = tmp_path / "image.iso"
        image.write_bytes(CONTENT)
        far.ok("push", image, "golden/image")
        url = far.ok("publish", "golden", "--password-stdin", stdin=password + "\n").stdout.strip()
        cli.ok("subscribe", url, name, "--password-stdin", "--accept-certificate", stdin=password + "\n")
        cli.ok("sync", name, "--wait")
        cli.ok("pull", f"{name}/image", tmp_path / "pulled")
        assert (tmp_path / "pulled").read_bytes() == CONTENT
    finally:
        source.stop()
