"""Subscribed libraries: what they take over from a publisher, when, and what they ask it for (vcsp.md, api §6, §18)."""

import hashlib
import json
import os
import random
import ssl
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from cli_client import signed_in
from hostile_packages import descriptor
from test_publication import create, fill, secret, update
from test_publication_commands import Host
from test_pull import serving

from event_client import EventStream
from http_source import HttpSource, Reply, make_certificate
from publisher import FORMS, LOCAL_GENERATOR, Fault, Publisher, failed, preparing, redirect
from push_session import sha256
from rest_client import BINDINGS, NewRest, Transfers, create_library, upload_item
from subscription_client import (
    ITEM_SERVICE,
    Subscription,
    content_of_library,
    download,
    reason_of,
    subscription_info,
    tasks_of,
    wait_for,
)

ATTEMPTS = 3
DENIED = "127.0.0.9"  # allowed as loopback, then denied again
BIG = random.Random("big").randbytes(3_000_001)
OTHER = random.Random("other").randbytes(3_000_001)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Signs certificates that the subscriber trusts."""
    return make_certificate(tmp_path_factory.mktemp("authority"), "authority", address=None)


@pytest.fixture(scope="module")
def subscriber(tmp_path_factory, authority):
    folder = tmp_path_factory.mktemp("subscriber")
    (folder / "roots.pem").write_text(authority.pem)
    with serving(
        folder / "server",
        *("--pull-allow", "127.0.0.0/8", "--pull-deny", f"{DENIED}/32", "--pull-ca-file", str(folder / "roots.pem")),
        *("--pull-stall-timeout", "1s", "--pull-attempts", str(ATTEMPTS)),
    ) as server:
        yield server


@pytest.fixture
def rest(subscriber):
    return NewRest(subscriber).log_in()


@pytest.fixture
def publisher():
    with Publisher() as opened:
        yield opened


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("self-signed"), "self-signed")


@pytest.fixture
def tls_publisher(self_signed):
    with Publisher(certificate=self_signed) as opened:
        opened.add("one", {"a": b"1"})
        yield opened


def subscribed(rest, publisher, **changes):
    """A library that follows the publisher, after its first synchronization."""
    return Subscription(rest, publisher.url, **changes).first()


def unseen(size=3_000_001):
    """Bytes that no other test has brought to the server, where a digest is enough to have them."""
    return os.urandom(size)


def two_items(publisher):
    return (
        publisher.add("one", {"a.bin": b"a" * 5000, "b.bin": b"b" * 6000}),
        publisher.add("two", {"c.iso": b"c" * 7000}, "vcsp.iso"),
    )


def library_names(rest):
    return {rest.ok("library.get", library_id=one)["name"] for one in rest.ok("library.list")}


def refused(answer, status, error_type):
    assert (answer.status, answer.error_type) == (status, error_type) and answer.messages, str(answer)
    return "\n".join(message["default_message"] for message in answer.messages)


# ---- create: the publisher is asked first ----


def try_to_create(rest, url, **changes):
    name = f"never-{uuid.uuid4().hex[:8]}"
    spec = {"name": name, "type": "SUBSCRIBED", "subscription_info": subscription_info(url, **changes)}
    answer = rest.call("subscribed_library.create", create_spec=spec)
    assert name not in library_names(rest)
    return answer


def test_unreachable_publishers_make_no_library(rest, publisher, tls_publisher, self_signed, tmp_path):
    with Publisher() as gone:
        pass
    other = make_certificate(tmp_path, "other")
    cases = {
        "nobody listens": (gone.url, {}),
        "no library there": (publisher.origin + "/nothing/lib.json", {}),
        "no such host": ("http://nowhere.invalid/lib.json", {}),
        "not trusted": (tls_publisher.url, {}),
        "another thumbprint": (tls_publisher.url, {"ssl_thumbprint": other.thumbprint()}),
        "another certificate": (tls_publisher.url, {"ssl_certificate": other.pem}),
    }
    for case, (url, changes) in cases.items():
        reason = refused(try_to_create(rest, url, **changes), 500, "RESOURCE_INACCESSIBLE")
        assert len(reason) > 20, f"{case}: {reason}"


def test_wrong_passwords_make_no_library(rest, publisher):
    password = secret()
    publisher.set_password(password)
    for changes in (
        {},
        {"authentication_method": "BASIC", "user_name": "vcsp", "password": secret()},
    ):
        reason = refused(try_to_create(rest, publisher.url, **changes), 500, "RESOURCE_INACCESSIBLE")
        assert password not in reason
    assert rest.call("library.find", spec={"type": "SUBSCRIBED", "name": "subscribed"}).ok


@pytest.mark.parametrize(
    "page", [b"", b"<html>welcome</html>", b'{"vcspVersion":"2","version":"x"}', b"[]"], ids=["empty", "html", "version", "list"]
)
def test_what_is_no_library_makes_no_library(rest, publisher, page):
    publisher.pages[publisher.library_path] = page
    refused(try_to_create(rest, publisher.url), 500, "RESOURCE_INACCESSIBLE")


def test_a_publisher_in_maintenance_is_waited_for(rest, publisher):
    """A library may be there that cannot be read now; then nothing is created, and the publisher's words are shown."""
    publisher.maintenance_message = "back at noon"
    answer = try_to_create(rest, publisher.url)
    assert "back at noon" in refused(answer, 500, "RESOURCE_INACCESSIBLE")


@pytest.mark.parametrize(
    "changes",
    [
        {"subscription_url": ""},
        {"subscription_url": "ftp://127.0.0.1/lib.json"},
        {"subscription_url": "lib.json"},
        {"subscription_url": None},
        {"authentication_method": "BASIC"},
        {"authentication_method": "BASIC", "user_name": "vcsp", "password": ""},
        {"ssl_thumbprint": "AB:CD"},
        {"ssl_certificate": "-----BEGIN"},
        {"authentication_method": None},
        {"on_demand": None},
        {"automatic_sync_enabled": None},
    ],
    ids=str,
)
def test_bad_specs_are_refused_before_anybody_is_asked(rest, publisher, changes):
    info = {name: value for name, value in {**subscription_info(publisher.url), **changes}.items() if value is not None}
    name = f"never-{uuid.uuid4().hex[:8]}"
    answer = rest.call("subscribed_library.create", create_spec={"name": name, "subscription_info": info})
    refused(answer, 400, "INVALID_ARGUMENT")
    assert name not in library_names(rest) and publisher.requests() == []


def test_forbidden_addresses_are_refused(rest):
    answer = try_to_create(rest, f"http://{DENIED}/lib.json")
    assert answer.error_type in ("INVALID_ARGUMENT", "RESOURCE_INACCESSIBLE") and answer.messages, str(answer)


def test_create_asks_for_the_descriptor_and_is_answered_before_the_content(rest, publisher):
    item = publisher.add("one", {"a.bin": BIG})
    publisher.fault(publisher.path_of(item, "a.bin"), Fault(stall_after=0))
    library = Subscription(rest, publisher.url)
    assert [one.path for one in publisher.requests()][0] == publisher.library_path
    publisher.gate.set()
    library.first().assert_is(publisher.expected())


def test_create_twice_with_one_token(rest, publisher):
    token = str(uuid.uuid4())
    spec = {"name": "token", "type": "SUBSCRIBED", "subscription_info": subscription_info(publisher.url)}
    first, second = (rest.ok("subscribed_library.create", create_spec=spec, client_token=token) for _ in range(2))
    assert first == second


# ---- probe ----


def probe(binding, url, **changes):
    return binding.ok("subscribed_library.probe", subscription_info=subscription_info(url, **changes))


@pytest.mark.parametrize("wire", BINDINGS)
def test_probe_shows_the_certificate(subscriber, tls_publisher, self_signed, wire):
    binding = BINDINGS[wire](subscriber).log_in()
    seen = probe(binding, tls_publisher.url)
    assert seen["status"] == "CERTIFICATE_ERROR" and seen["error_messages"], seen
    assert seen["ssl_thumbprint"] == self_signed.thumbprint() and seen["ssl_certificate"] == self_signed.pem, seen
    assert tls_publisher.requests() == []
    for trust in ({"ssl_thumbprint": self_signed.thumbprint()}, {"ssl_certificate": self_signed.pem}):
        good = probe(binding, tls_publisher.url, **trust)
        assert (good["status"], good["error_messages"]) == ("SUCCESS", []), good
        assert good["ssl_thumbprint"] == self_signed.thumbprint(), good


def test_probe_tells_what_is_wrong(rest, publisher, tls_publisher, tmp_path):
    root = publisher.origin
    for path, fault in {
        "/forbidden/lib.json": Fault(status=403),
        "/secret/lib.json": Fault(status=401),
        "/broken/lib.json": Fault(status=500),
        "/gone/lib.json": Fault(status=410),
        "/moved/lib.json": redirect(publisher.url),
        "/away/lib.json": redirect(f"http://{DENIED}/lib.json"),
        "/silent/lib.json": Fault(stall_after=0, status=200, body=b"x"),
    }.items():
        publisher.fault(path, fault)
    other = make_certificate(tmp_path, "other")
    expected = {
        publisher.url: "SUCCESS",
        f"{root}/moved/lib.json": "SUCCESS",
        f"{root}/nothing/lib.json": "RESOURCE_NOT_FOUND",
        f"{root}/gone/lib.json": "RESOURCE_NOT_FOUND",
        f"{root}/forbidden/lib.json": "INVALID_CREDENTIALS",
        f"{root}/secret/lib.json": "INVALID_CREDENTIALS",
        f"{root}/broken/lib.json": "UNKNOWN_ERROR",
        f"{root}/silent/lib.json": "TIMED_OUT",
        f"{root}/away/lib.json": "INVALID_URL",
        f"http://{DENIED}/lib.json": "INVALID_URL",
        "http://nowhere.invalid/lib.json": "HOST_NOT_FOUND",
        "ftp://127.0.0.1/lib.json": "INVALID_URL",
        "http:///lib.json": "INVALID_URL",
        "lib.json": "INVALID_URL",
    }
    answers = {url: probe(rest, url) for url in expected}
    assert {url: answer["status"] for url, answer in answers.items()} == expected, answers
    answers[tls_publisher.url] = probe(rest, tls_publisher.url, ssl_thumbprint=other.thumbprint())
    assert answers[tls_publisher.url]["status"] == "CERTIFICATE_ERROR", answers[tls_publisher.url]
    for url, answer in answers.items():
        assert bool(answer["error_messages"]) == (answer["status"] != "SUCCESS"), f"{url}: {answer}"


def test_probe_of_what_is_no_library(rest, publisher):
    publisher.pages[publisher.library_path] = b"<html>welcome</html>"
    answer = probe(rest, publisher.url)
    assert answer["status"] in ("RESOURCE_NOT_FOUND", "UNKNOWN_ERROR") and answer["error_messages"], answer


def test_probe_with_passwords(rest, publisher):
    password = secret()
    publisher.set_password(password)
    login = {"authentication_method": "BASIC", "user_name": "vcsp"}
    assert probe(rest, publisher.url)["status"] == "INVALID_CREDENTIALS"
    assert probe(rest, publisher.url, **login, password=secret())["status"] == "INVALID_CREDENTIALS"
    assert probe(rest, publisher.url, **login, password=password)["status"] == "SUCCESS"
    assert rest.call("library.find", spec={"name": "never"}).value == []


# ---- trust and passwords ----


@pytest.mark.parametrize("way", ["thumbprint", "sha-256 thumbprint", "bare thumbprint", "certificate", "certificate wins"])
def test_pins(rest, tls_publisher, self_signed, tmp_path, way):
    changes = {
        "thumbprint": {"ssl_thumbprint": self_signed.thumbprint()},
        "sha-256 thumbprint": {"ssl_thumbprint": self_signed.thumbprint("sha256")},
        "bare thumbprint": {"ssl_thumbprint": self_signed.thumbprint().replace(":", "").lower()},
        "certificate": {"ssl_certificate": self_signed.pem},
        "certificate wins": {
            "ssl_certificate": self_signed.pem,
            "ssl_thumbprint": make_certificate(tmp_path, "other").thumbprint(),
        },
    }[way]
    library = subscribed(rest, tls_publisher, **changes)
    library.assert_is(tls_publisher.expected())
    if way == "thumbprint":
        assert library.info()["ssl_thumbprint"] == self_signed.thumbprint()


def test_a_chain_that_the_subscriber_trusts_needs_no_pin(rest, authority, tmp_path):
    with Publisher(certificate=make_certificate(tmp_path, "signed", issuer=authority)) as publisher:
        publisher.add("one", {"a": b"1"})
        library = subscribed(rest, publisher)
        library.assert_is(publisher.expected())


def test_a_changed_certificate_fails_the_sync_and_nothing_else(rest, tls_publisher, self_signed, tmp_path):
    library = subscribed(rest, tls_publisher, ssl_thumbprint=self_signed.thumbprint())
    before = tls_publisher.expected()
    tls_publisher.close()
    tls_publisher.certificate = other = make_certificate(tmp_path, "other")
    tls_publisher.open()
    tls_publisher.add("two", {"b": b"2"})
    assert "certificate" in library.fails()
    library.assert_is(before)
    assert library.update(ssl_thumbprint=other.thumbprint()).ok
    library.synced().assert_is(tls_publisher.expected())


@pytest.mark.parametrize("user", ["vcsp", ""])
def test_passwords(rest, publisher, user):
    first, second = secret(), secret()
    publisher.set_password(first)
    publisher.add("one", {"a": b"1"})
    library = subscribed(rest, publisher, authentication_method="BASIC", user_name=user, password=first)
    assert first not in json.dumps(library.get()) and "password" not in library.info()
    assert library.info()["authentication_method"] == "BASIC"
    publisher.set_password(second)
    publisher.add("two", {"b": b"2"})
    told = library.fails()
    assert first not in told and any(word in told.lower() for word in ("401", "password", "credentials")), told
    assert library.names() == ["one"]
    assert library.update(password=second).ok
    library.synced().assert_is(publisher.expected())
    assert all(one.credentials in (f"{user}:{first}", f"{user}:{second}", None) for one in publisher.requests())


def test_a_password_goes_to_no_other_server(rest, publisher):
    password = secret()
    publisher.set_password(password)
    item = publisher.add("one", {"a": b"1" * 1000})
    with HttpSource(host="127.0.0.2") as elsewhere:
        away = elsewhere.answer("/a", Reply(b"1" * 1000))
        publisher.fault(publisher.path_of(item, "a"), redirect(away))
        library = Subscription(
            rest, publisher.url, authentication_method="BASIC", user_name="vcsp", password=password
        )
        library.quiet()
        assert all(one.credentials is None for one in elsewhere.requests())
        publisher.heal()
        library.synced().assert_is(publisher.expected())


# ---- what the API says of it ----


@pytest.mark.parametrize("wire", BINDINGS)
def test_the_life_of_a_subscribed_library(subscriber, rest, publisher, wire):
    one, two = two_items(publisher)
    binding = BINDINGS[wire](subscriber).log_in()
    library = Subscription(binding, publisher.url, name=f"life {wire}", tasks=rest).first()
    library.assert_is(publisher.expected())
    told = library.get()
    assert (told["id"], told["name"], told["type"]) == (library.id, f"life {wire}", "SUBSCRIBED")
    assert subscription_info(publisher.url).items() <= told["subscription_info"].items() and "publish_info" not in told
    assert told["last_sync_time"] >= told["creation_time"]
    assert library.id in binding.ok("subscribed_library.list") and library.id in binding.ok("library.list")
    assert library.id not in binding.ok("local_library.list")
    assert binding.ok("library.find", spec={"type": "SUBSCRIBED", "name": f"LIFE {wire}"}) == [library.id]
    assert binding.ok("library.get", library_id=library.id) == told

    publisher.put(one, {"a.bin": b"A"})
    publisher.delete(two)
    library.synced().assert_is(publisher.expected())
    assert library.get()["version"] == told["version"], "synchronizing is no change of the library"
    assert library.get()["last_sync_time"] > told["last_sync_time"]

    library.binding.ok("subscribed_library.delete", library_id=library.id)
    assert library.call("get").error_type == "NOT_FOUND"
    assert library.id not in binding.ok("subscribed_library.list")
    assert library.call("sync").error_type == "NOT_FOUND"


@pytest.mark.parametrize("wire", BINDINGS)
def test_items_by_each_wire(subscriber, rest, publisher, wire):
    one, _ = two_items(publisher)
    binding = BINDINGS[wire](subscriber).log_in()
    library = Subscription(binding, publisher.url, tasks=rest, on_demand=True).first()
    item = library.item(one)
    binding.ok("subscribed_item.sync", library_item_id=item["id"], force_sync_content=True, sync_optional_files=True)
    wait_for("the content", lambda: library.item(one)["cached"])
    assert library.content(one) == publisher.expected()[one]["files"]
    binding.ok("subscribed_item.evict", library_item_id=item["id"])
    assert library.item(one)["cached"] is False
    binding.ok("subscribed_library.evict", library_id=library.id)
    binding.ok("subscribed_library.force_delete", library_id=library.id)
    assert library.call("get").error_type == "NOT_FOUND"


def test_each_kind_has_its_own_operations(rest, publisher):
    one, _ = two_items(publisher)
    library = subscribed(rest, publisher)
    item = library.item(one)["id"]
    local = create_library(rest, "local")
    own = rest.ok("item.create", create_spec={"name": "own", "library_id": local})
    for operation in ("get", "delete", "sync", "evict", "force_delete"):
        refused(rest.call(f"subscribed_library.{operation}", library_id=local), 400, "INVALID_ELEMENT_TYPE")
    for operation in ("get", "delete"):
        refused(rest.call(f"local_library.{operation}", library_id=library.id), 400, "INVALID_ELEMENT_TYPE")
    for operation, parameters in (("sync", {"force_sync_content": True}), ("evict", {})):
        answer = rest.call(f"subscribed_item.{operation}", library_item_id=own, **parameters)
        refused(answer, 400, "INVALID_ELEMENT_TYPE")
        answer = rest.call(f"subscribed_item.{operation}", library_item_id=str(uuid.uuid4()), **parameters)
        refused(answer, 404, "NOT_FOUND")
    refused(rest.call("subscribed_item.sync", library_item_id=item), 400, "INVALID_ARGUMENT")


def test_items_are_read_only(rest, publisher):
    one, _ = two_items(publisher)
    library = subscribed(rest, publisher)
    item = library.item(one)["id"]
    own = upload_item(rest, Transfers(rest.server), create_library(rest), "own", {"x": b"1"})
    for name, parameters in {
        "item.create": {"create_spec": {"name": "new", "library_id": library.id}},
        "item.update": {"library_item_id": item, "update_spec": {"name": "other"}},
        "item.delete": {"library_item_id": item},
        "item.copy": {"source_library_item_id": own, "destination_create_spec": {"name": "new", "library_id": library.id}},
        "update_session.create": {"create_spec": {"library_item_id": item}},
    }.items():
        refused(rest.call(name, **parameters), 400, "INVALID_ELEMENT_TYPE")
    library.assert_is(publisher.expected())


def test_update(rest, publisher):
    two_items(publisher)
    library = subscribed(rest, publisher)
    before = library.get()
    answer = library.call("update", update_spec={"name": "renamed", "description": "words", "version": before["version"]})
    assert answer.ok, str(answer)
    after = library.get()
    assert (after["name"], after["description"]) == ("renamed", "words")
    assert int(after["version"]) == int(before["version"]) + 1
    stale = library.call("update", update_spec={"name": "again", "version": before["version"]})
    refused(stale, 409, "CONCURRENT_CHANGE")
    assert library.get() == after
    assert library.update(automatic_sync_enabled=True).ok
    assert subscription_info(publisher.url, automatic_sync_enabled=True).items() <= library.info().items()
    refused(library.update(subscription_url="ftp://127.0.0.1/lib.json"), 400, "INVALID_ARGUMENT")
    library.quiet()
    library.assert_is(publisher.expected())


def test_another_url_of_the_same_library_keeps_everything(rest, publisher):
    two_items(publisher)
    library = subscribed(rest, publisher)
    ids = sorted(library.item_ids())
    publisher.forget_requests()
    assert library.update(subscription_url=publisher.url + "?other").ok
    library.synced().assert_is(publisher.expected())
    assert sorted(library.item_ids()) == ids and publisher.file_requests() == []


def test_the_url_of_another_library_drops_everything(rest, publisher):
    two_items(publisher)
    library = subscribed(rest, publisher)
    ids = set(library.item_ids())
    with Publisher() as other:
        other.add("one", {"other.bin": b"other"})
        assert library.update(subscription_url=other.url).ok
        library.synced().assert_is(other.expected())
        assert not ids & set(library.item_ids())
        assert all(rest.call("item.get", library_item_id=item).error_type == "NOT_FOUND" for item in ids)


def test_an_unreachable_url_changes_nothing(rest, publisher):
    two_items(publisher)
    library = subscribed(rest, publisher)
    before = library.get()
    with Publisher() as gone:
        pass
    refused(library.update(subscription_url=gone.url), 500, "RESOURCE_INACCESSIBLE")
    refused(library.update(subscription_url=publisher.origin + "/none/lib.json"), 500, "RESOURCE_INACCESSIBLE")
    assert library.get() == before
    library.assert_is(publisher.expected())


@pytest.mark.parametrize("operation", ["delete", "force_delete"])
def test_delete_in_the_middle_of_a_sync(rest, publisher, operation):
    item = publisher.add("one", {"a.bin": BIG})
    path = publisher.path_of(item, "a.bin")
    publisher.fault(path, Fault(stall_after=100_000))
    library = Subscription(rest, publisher.url)
    wait_for("the transfer", lambda: publisher.sent(path) >= 100_000)
    library.ok(operation)
    assert library.call("get").error_type == "NOT_FOUND"
    assert library.id not in rest.ok("library.list")
    library.quiet()
    publisher.gate.set()


# ---- what a sync takes over ----


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_publisher(rest, form):
    with Publisher(form) as publisher:
        one = publisher.add("one", {"a ä.bin": b"a" * 5000, "b.bin": b""}, description="words")
        two = publisher.add("two", {"c.iso": b"c" * 7000}, "vcsp.iso")
        ovf = descriptor([("disk.vmdk", "")]).encode()
        three = publisher.add("three", {"vm.ovf": ovf, "disk.vmdk": b"d" * 9000}, "vcsp.ovf")
        library = subscribed(rest, publisher)
        library.assert_is(publisher.expected())
        ids = {source: item["id"] for source, item in library.models().items()}
        publisher.put(one, {"b.bin": b"new"})
        publisher.remove_file(one, "a ä.bin")
        publisher.put(three, {"disk.vmdk": b"e" * 9000})
        publisher.rename(two, "deux")
        four = publisher.add("four", {"x": b"x"})
        library.synced().assert_is(publisher.expected())
        publisher.delete(four)
        publisher.describe(one, "other words")
        library.synced().assert_is(publisher.expected())
        assert {source: item["id"] for source, item in library.models().items()} == ids, "items keep their identifiers"
        publisher.forget_requests()
        library.synced()
        assert len(publisher.requests()) == 1, publisher.requests()


def test_counters_and_times_follow_the_publisher(rest, publisher):
    one, two = two_items(publisher)
    library = subscribed(rest, publisher)
    first = library.item(one)
    assert first["source_id"] == one and first["last_sync_time"] >= first["creation_time"]
    publisher.rename(one, "uno")
    publisher.put(one, {"a.bin": b"A"})
    publisher.put(one, {"a.bin": b"B"})
    library.synced()
    for source in (one, two):
        item, told = library.item(source), publisher.items[source]
        assert (item["metadata_version"], item["content_version"]) == (str(told.version), str(told.content_version))
    assert library.item(one)["last_sync_time"] > first["last_sync_time"]
    assert rest.ok("item.find", spec={"library_id": library.id, "source_id": one}) == [first["id"]]


def test_an_empty_library(rest, publisher):
    library = subscribed(rest, publisher)
    library.assert_is({})
    item = publisher.add("one", {"a": b"1"})
    library.synced().assert_is(publisher.expected())
    publisher.delete(item)
    library.synced().assert_is({})


def test_names_that_move_in_one_round(rest, publisher):
    a, b, c, d, e = (publisher.add(name, {"f": name.encode()}) for name in ("a", "b", "c", "d", "e"))
    library = subscribed(rest, publisher)
    ids = {source: item["id"] for source, item in library.models().items()}
    with publisher.one_round():  # two swap, three go round, one goes and another takes its name
        publisher.rename(a, "b")
        publisher.rename(b, "a")
        publisher.delete(c)
        publisher.rename(d, "c")
        new = publisher.add("d", {"f": b"new d"})
        publisher.put(e, {"f": b"new e"})
    library.synced().assert_is(publisher.expected())
    after = {source: item["id"] for source, item in library.models().items()}
    assert {source: after[source] for source in (a, b, d, e)} == {source: ids[source] for source in (a, b, d, e)}
    assert after[new] not in ids.values()
    with publisher.one_round():
        for item, name in ((a, "a"), (b, "c"), (d, "b")):
            publisher.rename(item, name)
    library.synced().assert_is(publisher.expected())


def test_an_item_that_takes_the_name_of_one_that_stays_behind(rest, publisher):
    """The renamed item's own content fails; the name is taken over all the same, or nothing is: never two of one name."""
    a = publisher.add("a", {"f": b"1"})
    b = publisher.add("b", {"f": b"2"})
    library = subscribed(rest, publisher)
    with publisher.one_round():
        publisher.rename(a, "other")
        publisher.put(a, {"f": b"11"})
        publisher.rename(b, "a")
    publisher.fault(publisher.path_of(a, "f"), Fault(status=404))
    library.fails()
    assert len(set(library.names())) == 2
    assert library.content(a) in publisher.committed(a)
    publisher.heal()
    library.synced().assert_is(publisher.expected())


def test_the_same_item_by_a_new_id(rest, publisher):
    """A delete and an add of one name in one round."""
    one, _ = two_items(publisher)
    library = subscribed(rest, publisher)
    old = library.item(one)["id"]
    with publisher.one_round():
        publisher.delete(one)
        again = publisher.add("one", {"a.bin": b"a" * 5000, "b.bin": b"other"})
    library.synced().assert_is(publisher.expected())
    assert library.item(again)["id"] != old
    assert rest.call("item.get", library_item_id=old).error_type == "NOT_FOUND"


def test_odd_names(rest, publisher):
    files = {"ä b.txt", "100%25 #?&+.bin", 'a"b', "%2e a", "..hidden", "日本語.iso", "a;b=c,d"}
    publisher.add('an "item" & more', {name: name.encode() for name in files})
    publisher.add("n" * 80, {"n": b"1"})
    library = subscribed(rest, publisher)
    library.assert_is(publisher.expected())


def test_an_ovf_with_a_manifest(rest, publisher):
    disk = b"d" * 9000
    text = descriptor([("disk.vmdk", "")]).encode()
    manifest = f"SHA256(vm.ovf)= {sha256(text)}\nSHA256(disk.vmdk)= {sha256(disk)}\n".encode()
    item = publisher.add("vm", {"vm.ovf": text, "disk.vmdk": disk, "vm.mf": manifest}, "vcsp.ovf")
    library = subscribed(rest, publisher)
    content, expected = library.content(item), publisher.expected()[item]["files"]
    assert {name: content[name] for name in ("vm.ovf", "disk.vmdk")} == {
        name: expected[name] for name in ("vm.ovf", "disk.vmdk")
    }
    assert content.get("vm.mf", expected["vm.mf"]) == expected["vm.mf"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", 7),
        ("vcspVersion", 2),
        ("contentVersion", 1),
        ("description", None),
        ("created", "2026-02-11T08:10Z"),
        ("created", "2026-02-11T08:10:00.123456789"),
        ("created", "yesterday"),
        ("metadata", "absent"),
        ("x-unknown", {"a": [1]}),
    ],
    ids=str,
)
def test_quirks_of_the_descriptor(rest, publisher, key, value):
    two_items(publisher)
    publisher.edit_library = lambda document: changed(document, key, value)
    library = subscribed(rest, publisher)
    library.assert_is(publisher.expected())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", "number"),
        ("description", None),
        ("description", "absent"),
        ("properties", []),
        ("properties", "absent"),
        ("metadata", "absent"),
        ("id", "upper"),
        ("etag", 7),
        ("etag", "absent"),
        ("size", "text"),
        ("generationNum", "text"),
        ("hrefs", "absolute"),
        ("hrefs", "path"),
        ("hrefs", "of the item"),
        ("hrefs", "mirrors"),
    ],
    ids=str,
)
def test_quirks_of_items(rest, publisher, key, value):
    one, two = two_items(publisher)

    def edit(document):
        for part in (document, *document["files"]):
            if key in part:
                changed(part, key, value)
        if key == "id" and value == "upper":
            document["id"] = document["id"].removeprefix("urn:uuid:").upper()
        for file in document["files"]:
            root = publisher.root + file["hrefs"][0]
            if key == "hrefs":
                file["hrefs"] = {
                    "absolute": [publisher.origin + root],
                    "path": [root],
                    "of the item": [file["hrefs"][0].partition("/")[2]],
                    "mirrors": ["nowhere/at/all", *file["hrefs"]],
                }[value]
        return document

    publisher.edit_item = edit
    library = subscribed(rest, publisher)
    assert {source: item["files"] for source, item in library.contents().items()} == {
        source: item["files"] for source, item in publisher.expected().items()
    }
    publisher.put(one, {"a.bin": b"new"})
    library.synced()
    assert library.content(one) == publisher.expected()[one]["files"]


def changed(part, key, value):
    if value == "absent":
        part.pop(key, None)
    elif value == "text":
        part[key] = str(part[key])
    elif value == "number":
        part[key] = int(part[key])
    elif value != "upper" and key != "hrefs":
        part[key] = value
    return part


# ---- what is asked for, and what is not ----


def test_nothing_new_costs_one_request(rest, publisher):
    two_items(publisher)
    library = subscribed(rest, publisher)
    for _ in range(3):
        publisher.forget_requests()
        library.synced()
        assert [(one.method, one.path) for one in publisher.requests()] == [("GET", publisher.library_path)]


def test_only_new_files_are_fetched(rest, publisher):
    one, two = two_items(publisher)
    library = subscribed(rest, publisher)
    assert sorted(publisher.file_requests()) == sorted(
        publisher.path_of(item, file) for item, files in ((one, ("a.bin", "b.bin")), (two, ("c.iso",))) for file in files
    )
    publisher.forget_requests()
    publisher.put(one, {"b.bin": b"new"})
    library.synced().assert_is(publisher.expected())
    assert publisher.file_requests() == [publisher.path_of(one, "b.bin")]
    publisher.forget_requests()
    publisher.rename(one, "uno")
    publisher.touch(two)
    publisher.rename_library("other", "words")
    library.synced().assert_is(publisher.expected())
    assert publisher.file_requests() == [], "new versions without new bytes"
    publisher.remove_file(one, "a.bin")
    library.synced().assert_is(publisher.expected())
    assert publisher.file_requests() == []


def test_without_counters_of_files_a_changed_item_is_fetched_anew(rest):
    with Publisher(LOCAL_GENERATOR) as publisher:
        one, two = two_items(publisher)
        library = subscribed(rest, publisher)
        publisher.forget_requests()
        publisher.put(one, {"b.bin": b"new"})
        library.synced().assert_is(publisher.expected())
        assert publisher.path_of(one, "b.bin") in publisher.file_requests()
        assert publisher.path_of(two, "c.iso") not in publisher.file_requests()


def test_bytes_that_change_without_a_new_version_are_not_noticed(rest, publisher):
    one, _ = two_items(publisher)
    library = subscribed(rest, publisher)
    before = publisher.expected()
    publisher.items[one].files["a.bin"].content = b"z" * 5000
    publisher.forget_requests()
    publisher.rename_library("other")
    library.synced()
    assert publisher.file_requests() == [] and library.content(one) == before[one]["files"]


def test_content_that_is_here_is_not_fetched(rest):
    with Publisher(x_quire=True) as publisher:
        big, other = unseen(), unseen()
        one = publisher.add("one", {"a.bin": big, "small": b"s"})
        library = subscribed(rest, publisher)
        library.assert_is(publisher.expected())
        publisher.forget_requests()
        publisher.add("two", {"again.bin": big, "new.bin": other})
        publisher.put(one, {"renamed.bin": big}, whole=True)
        library.synced().assert_is(publisher.expected())
        assert [path.rpartition("/")[2] for path in publisher.file_requests()] == ["new.bin"]


def test_two_files_of_the_same_new_content_come_once(rest):
    with Publisher(x_quire=True) as publisher:
        big = unseen()
        publisher.add("one", {"a.bin": big, "b.bin": big})
        library = subscribed(rest, publisher)
        library.assert_is(publisher.expected())
        assert len(publisher.file_requests()) in (1, 2)


def test_digests_are_checked(rest):
    with Publisher(x_quire=True) as publisher:
        one, two = two_items(publisher)
        library = subscribed(rest, publisher)
        before = publisher.expected()
        publisher.put(one, {"a.bin": unseen(5000)})
        publisher.put(two, {"c.iso": unseen(7000)})
        publisher.fault(publisher.path_of(one, "a.bin"), Fault(content=b"x" * 5000))
        told = library.fails()
        assert "a.bin" in told and "one" in told, told
        assert library.content(one) == before[one]["files"], "the old version serves on"
        assert library.content(two) == publisher.expected()[two]["files"], "others are not hurt"
        publisher.heal()
        library.synced().assert_is(publisher.expected())


@pytest.mark.parametrize("announced", [4999, 5001], ids=["shorter", "longer"])
def test_sizes_are_checked(rest, publisher, announced):
    one, two = two_items(publisher)
    publisher.fault(publisher.path_of(one, "a.bin"), Fault(content=b"x" * announced))
    library = Subscription(rest, publisher.url)
    (task,) = library.quiet()
    told = reason_of(task)
    assert "a.bin" in told and "one" in told, told
    assert library.content(two) == publisher.expected()[two]["files"]
    publisher.heal()
    library.synced().assert_is(publisher.expected())


# ---- transfers ----


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_cut_transfer_goes_on_where_it_was(rest, self_signed, tls):
    with Publisher(certificate=self_signed if tls else None) as publisher:
        item = publisher.add("one", {"a.bin": BIG})
        path = publisher.path_of(item, "a.bin")
        publisher.fault(path, Fault(cut_after=2_000_000, times=1))
        trust = {"ssl_thumbprint": self_signed.thumbprint()} if tls else {}
        library = subscribed(rest, publisher, **trust)
        library.assert_is(publisher.expected())
        _, again = publisher.requests(path, "GET")
        assert again.headers["range"].startswith("bytes=") and "if-range" in again.headers, again
        assert publisher.sent(path) < 2_000_000 + len(BIG)


def test_a_cut_transfer_without_ranges_begins_again(rest, publisher):
    publisher.ranges = False
    item = publisher.add("one", {"a.bin": BIG})
    publisher.fault(publisher.path_of(item, "a.bin"), Fault(cut_after=2_000_000, times=1))
    subscribed(rest, publisher).assert_is(publisher.expected())


def test_two_versions_are_not_mixed(rest):
    """After the cut the same address has other bytes, as on hosts whose addresses have no generations."""
    with Publisher(LOCAL_GENERATOR) as publisher:
        item = publisher.add("one", {"a.bin": BIG})
        path = publisher.path_of(item, "a.bin")
        publisher.fault(path, Fault(cut_after=1_000_000, times=1))
        library = Subscription(rest, publisher.url)
        wait_for("the cut", lambda: publisher.sent(path) >= 1_000_000)
        publisher.put(item, {"a.bin": OTHER})
        library.quiet()
        for model in library.models().values():
            assert not model["cached"] or library.content(item) in publisher.committed(item)
        library.sync()
        library.synced().assert_is(publisher.expected())


def test_a_stalled_transfer_is_broken_off_and_goes_on(rest, publisher):
    item = publisher.add("one", {"a.bin": BIG})
    path = publisher.path_of(item, "a.bin")
    publisher.fault(path, Fault(stall_after=500_000, times=1))
    subscribed(rest, publisher).assert_is(publisher.expected())
    assert len(publisher.requests(path, "GET")) == 2


def test_a_wrong_length_in_the_header(rest, publisher):
    item = publisher.add("one", {"a.bin": BIG})
    publisher.fault(publisher.path_of(item, "a.bin"), Fault(announced=len(BIG) + 1000, times=1))
    library = Subscription(rest, publisher.url)
    library.quiet()
    library.synced().assert_is(publisher.expected())


def test_redirected_files(rest, publisher):
    item = publisher.add("one", {"a.bin": b"a" * 5000})
    path = publisher.path_of(item, "a.bin")
    publisher.pages["/transfer/1"] = b"a" * 5000
    publisher.fault(path, redirect("/transfer/1", status=307))
    subscribed(rest, publisher).assert_is(publisher.expected())
    assert publisher.requests("/transfer/1")


def test_a_redirected_descriptor(rest, publisher):
    two_items(publisher)
    publisher.fault("/latest", redirect(publisher.library_path))
    library = Subscription(rest, publisher.origin + "/latest").first()
    library.assert_is(publisher.expected())


def test_content_that_is_not_ready_yet_is_waited_for(rest, publisher):
    one, _ = two_items(publisher)
    path = publisher.path_of(one, "a.bin")
    publisher.fault(path, *(preparing(progress, times=1) for progress in (10, 40, 70, 99)))
    subscribed(rest, publisher).assert_is(publisher.expected())
    assert len(publisher.requests(path, "GET")) == 5


def test_content_that_never_will_be_ready_is_not(rest, publisher):
    one, two = two_items(publisher)
    path = publisher.path_of(one, "a.bin")
    publisher.fault(path, preparing(10, times=1), failed("source disk is unreadable"))
    library = Subscription(rest, publisher.url)
    (task,) = library.quiet()
    assert "source disk is unreadable" in reason_of(task)
    assert len(publisher.requests(path, "GET")) == 2
    assert library.content(two) == publisher.expected()[two]["files"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_troubles_are_tried_again(rest, publisher, status):
    one, _ = two_items(publisher)
    for path in (publisher.path_of(one, "a.bin"), publisher.index_path):
        publisher.fault(path, Fault(status=status, headers={"Retry-After": "1"}, times=1))
    subscribed(rest, publisher).assert_is(publisher.expected())


# ---- a moving target ----


def test_an_item_that_has_moved_on_is_looked_up_again(rest, publisher):
    one, two = two_items(publisher)
    publisher.keep_old = False

    def move_on(document):
        """What the subscriber reads is old as soon as it has it."""
        publisher.edit_index = None
        publisher.put(one, {"a.bin": b"new"})
        return document

    publisher.edit_index = move_on
    library = subscribed(rest, publisher)
    library.assert_is(publisher.expected())
    assert len(publisher.requests(publisher.item_path(one), "GET")) == 1
    publisher.forget_requests()
    library.synced().assert_is(publisher.expected())
    assert publisher.file_requests() == []


def test_a_file_that_is_missing_for_good_fails_its_item_only(rest, publisher):
    one, two = two_items(publisher)
    publisher.fault(publisher.path_of(one, "b.bin"), Fault(status=404))
    library = Subscription(rest, publisher.url)
    (task,) = library.quiet()
    told = reason_of(task)
    assert "one" in told and "b.bin" in told and "404" in told, told
    assert len(publisher.requests(publisher.item_path(one), "GET")) == 1, "looked up again once"
    assert library.content(two) == publisher.expected()[two]["files"]
    for model in library.models().values():
        assert model["cached"] == (model["source_id"] == two), model
    publisher.heal()
    library.synced().assert_is(publisher.expected())  # it is tried again although nothing has changed


def test_a_change_between_descriptor_and_index_is_found_again(rest, publisher):
    two_items(publisher)
    library = subscribed(rest, publisher)

    def change(document):
        publisher.edit_library = None
        publisher.add("three", {"x": b"3"})
        return document  # with the version before

    publisher.rename_library("other")
    publisher.edit_library = change
    library.synced()
    library.synced().assert_is(publisher.expected())


def test_a_publisher_in_maintenance(rest, publisher):
    two_items(publisher)
    library = subscribed(rest, publisher)
    before = publisher.expected()
    publisher.add("three", {"x": b"3"})
    publisher.maintenance_message = "we are moving house until noon"
    assert "we are moving house until noon" in library.fails()
    library.assert_is(before)
    publisher.maintenance_message = None
    library.synced().assert_is(publisher.expected())


def test_a_publisher_that_goes_back(rest, publisher):
    """After a restore it counts from a lower number: what it has now is taken or not, but nothing is torn or lost."""
    one, two = two_items(publisher)
    library = subscribed(rest, publisher)
    backup = publisher.snapshot()
    for number in range(4):
        publisher.put(one, {"a.bin": f"newer {number}".encode()})
    publisher.add("three", {"x": b"3"})
    library.synced().assert_is(publisher.expected())
    latest = publisher.expected()
    publisher.go_back(backup)
    library.sync()
    assert library.contents() in (latest, publisher.expected())
    # Another history under the same numbers, and then beyond the ones that were seen.
    publisher.put(two, {"c.iso": b"another history"})
    library.sync()
    for source, told in library.contents().items():
        assert told["files"] in publisher.committed(source)
    with publisher.one_round():
        publisher.version += 100
        for item in (one, two):
            publisher.items[item].version += 100
            publisher.items[item].content_version += 100
            publisher.put(item, {name: file.content for name, file in publisher.items[item].files.items()})
    library.synced().assert_is(publisher.expected())


def test_a_publisher_that_is_away_for_a_while(rest, publisher):
    two_items(publisher)
    library = subscribed(rest, publisher)
    before = publisher.expected()
    publisher.close()
    assert library.fails()
    library.assert_is(before)
    publisher.open()
    publisher.add("three", {"x": b"3"})
    library.synced().assert_is(publisher.expected())


def test_a_library_that_is_not_published_any_more(rest, publisher):
    two_items(publisher)
    library = subscribed(rest, publisher)
    publisher.fault(publisher.library_path, Fault(status=404))
    assert "404" in library.fails()
    library.assert_is(publisher.expected())  # what is here stays


# ---- tasks ----


def test_a_sync_while_one_runs_is_no_sync(rest, publisher):
    item = publisher.add("one", {"a.bin": BIG})
    library = subscribed(rest, publisher)
    publisher.put(item, {"a.bin": OTHER})
    path = publisher.path_of(item, "a.bin")
    publisher.fault(path, Fault(bytes_per_second=1_500_000))
    task = library.begin()
    known = set(library.tasks())
    wait_for("the transfer", lambda: publisher.sent(path))
    for _ in range(5):
        answer = library.call("sync")
        assert answer.status == 204 and not answer.text, str(answer)
    assert set(library.tasks()) == known
    wait_for("its end", task, lambda info: info["status"] == "SUCCEEDED")
    assert set(library.tasks()) == known and len(publisher.requests(path, "GET")) == 1
    library.assert_is(publisher.expected())


def test_a_task_tells_how_far_it_is(rest, publisher):
    item = publisher.add("one", {"a.bin": BIG})
    path = publisher.path_of(item, "a.bin")
    publisher.fault(path, Fault(bytes_per_second=1_500_000))
    library = Subscription(rest, publisher.url)

    def running():
        (task,) = library.tasks().values()
        return task

    seen = wait_for("progress", running, lambda one: one.get("progress", {}).get("completed", 0) > 0)
    assert seen["status"] in ("RUNNING", "SUCCEEDED") and seen["progress"]["total"] == len(BIG), seen
    assert 0 < seen["progress"]["completed"] <= len(BIG), seen
    (ended,) = library.quiet()
    assert (ended["status"], ended["progress"]["completed"]) == ("SUCCEEDED", len(BIG)), ended


def test_a_task_can_be_canceled(rest, publisher):
    item = publisher.add("one", {"a.bin": BIG})
    path = publisher.path_of(item, "a.bin")
    publisher.fault(path, Fault(stall_after=100_000))
    library = Subscription(rest, publisher.url)
    wait_for("the transfer", lambda: publisher.sent(path) >= 100_000)
    (task,) = library.tasks()
    answer = rest.send("POST", f"/api/cis/tasks/{task}?action=cancel")
    assert answer.status_code == 204, answer.text
    (ended,) = library.quiet()
    assert ended["status"] == "FAILED" and "cancel" in json.dumps(ended["error"]).lower(), ended
    publisher.heal()
    library.synced().assert_is(publisher.expected())


def test_failures_are_told_one_by_one_up_to_twenty(rest, publisher):
    bad = [publisher.add(f"bad {number:02}", {"f": b"%d" % number}) for number in range(25)]
    good = publisher.add("good", {"f": b"fine"})
    for item in bad:
        publisher.fault(publisher.path_of(item, "f"), Fault(status=404))
    library = Subscription(rest, publisher.url)
    (task,) = library.quiet()
    reason_of(task)
    messages = [message["default_message"] for message in task["error"]["messages"]]
    told = {number for number in range(25) for message in messages if f"bad {number:02}" in message}
    assert len(told) == 20 and any("5" in message and "bad" not in message for message in messages), messages
    assert library.content(good) == publisher.expected()[good]["files"]
    publisher.heal()
    library.synced().assert_is(publisher.expected())


def test_duplicate_names_fail_one_item(rest, publisher):
    publisher.add("same", {"f": b"1"})
    publisher.add("same", {"f": b"2"})
    publisher.add("good", {"f": b"3"})
    library = Subscription(rest, publisher.url)
    (task,) = library.quiet()
    assert "same" in reason_of(task)
    assert library.names() == ["good", "same"]
    twin = next(item for item in publisher.items.values() if item.files["f"].content == b"2")
    publisher.rename(twin.id, "other")
    library.synced().assert_is(publisher.expected())


# ---- on demand ----


@pytest.fixture
def lazy(rest, publisher):
    two_items(publisher)
    return subscribed(rest, publisher, on_demand=True)


def test_on_demand_takes_no_content(lazy, publisher):
    assert publisher.file_requests() == []
    for source, told in publisher.expected().items():
        item = lazy.item(source)
        assert (item["name"], item["cached"], item["size"]) == (told["name"], False, 0), item
        files = lazy.files(item["id"])
        assert {(file["cached"], file["size"]) for file in files.values()} == {(False, 0)}, files
        assert set(files) == set(told["files"])
    publisher.rename(next(iter(publisher.items)), "uno")
    publisher.add("three", {"x": b"3"})
    lazy.synced()
    assert publisher.file_requests() == [] and lazy.names() == ["three", "two", "uno"]


def test_an_item_is_brought_and_evicted(lazy, rest, publisher):
    one, two = publisher.items
    item = lazy.item(one)["id"]
    task = lazy.bring(item)
    assert task["status"] == "SUCCEEDED" and task["target"]["id"] == item, task
    assert lazy.item(one)["cached"] and not lazy.item(two)["cached"]
    assert lazy.item(one)["size"] == 11_000
    assert len(publisher.file_requests()) == 2
    assert lazy.content(one) == publisher.expected()[one]["files"]
    assert len(publisher.file_requests()) == 2, "what is here is not fetched again"
    versions = lazy.item(one)["content_version"], lazy.item(one)["metadata_version"]
    rest.ok("subscribed_item.evict", library_item_id=item)
    model = lazy.item(one)
    assert (model["cached"], model["size"]) == (False, 0), model
    assert (model["content_version"], model["metadata_version"]) == versions
    assert {(file["cached"], file["size"]) for file in lazy.files(item).values()} == {(False, 0)}
    lazy.synced()
    assert not lazy.item(one)["cached"]
    assert lazy.content(one) == publisher.expected()[one]["files"], "and it can be had again"
    assert lazy.item(one)["cached"]


def test_an_item_sync_without_content(lazy, publisher):
    one, _ = publisher.items
    publisher.describe(one, "other words")
    lazy.bring(lazy.item(one)["id"], force=False)
    item = lazy.item(one)
    assert (item["description"], item["cached"]) == ("other words", False) and publisher.file_requests() == []


def test_a_library_is_evicted(lazy, publisher):
    for item in lazy.item_ids():
        lazy.bring(item)
    lazy.assert_is(publisher.expected())
    lazy.ok("evict")
    assert {(item["cached"], item["size"]) for item in lazy.models().values()} == {(False, 0)}
    for item in lazy.item_ids():
        lazy.bring(item)
    lazy.assert_is(publisher.expected())


def test_nothing_is_evicted_where_all_is_to_be_here(rest, publisher):
    one, _ = two_items(publisher)
    library = subscribed(rest, publisher)
    refused(library.call("evict"), 400, "NOT_ALLOWED_IN_CURRENT_STATE")
    item = library.item(one)["id"]
    refused(rest.call("subscribed_item.evict", library_item_id=item), 400, "INVALID_ELEMENT_CONFIGURATION")
    library.assert_is(publisher.expected())


def test_a_download_brings_the_content_once_for_all_who_ask(lazy, rest, publisher):
    one, _ = publisher.items
    item = lazy.item(one)["id"]
    for file in ("a.bin", "b.bin"):
        publisher.fault(publisher.path_of(one, file), Fault(bytes_per_second=5000, times=1))

    def fetch(_):
        own = NewRest(rest.server).log_in()
        return download(own, item)

    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(fetch, range(8)):
            assert found == publisher.expected()[one]["files"]
    assert sorted(publisher.file_requests()) == sorted(publisher.path_of(one, file) for file in ("a.bin", "b.bin"))
    assert lazy.item(one)["cached"]
    assert len(tasks_of(rest, item, "com.vmware.content.library.Item", ITEM_SERVICE)) == 1


def test_a_download_that_cannot_be_brought_tells_why(lazy, rest, publisher):
    one, _ = publisher.items
    publisher.fault(publisher.path_of(one, "a.bin"), Fault(status=404))
    item = lazy.item(one)["id"]
    session = rest.ok("download_session.create", create_spec={"library_item_id": item})
    call = {"download_session_id": session, "file_name": "a.bin"}
    rest.ok("download_session.file.prepare", **call)
    info = wait_for(
        "an end", lambda: rest.ok("download_session.file.get", **call), lambda file: file["status"] in ("PREPARED", "ERROR")
    )
    assert info["status"] == "ERROR" and "404" in info["error_message"]["default_message"], info
    publisher.heal()
    assert lazy.content(one) == publisher.expected()[one]["files"]


def test_a_copy_of_an_item_whose_content_is_not_here(lazy, rest, publisher):
    one, _ = publisher.items
    local = create_library(rest, "copies")
    spec = {"name": "copy", "library_id": local}
    copy = rest.ok("item.copy", source_library_item_id=lazy.item(one)["id"], destination_create_spec=spec)
    wait_for("the copy", lambda: rest.ok("item.get", library_item_id=copy)["size"] == 11_000)
    assert download(rest, copy) == publisher.expected()[one]["files"]
    rest.ok("item.update", library_item_id=copy, update_spec={"name": "mine"})


def test_what_is_cached_follows_the_publisher(lazy, rest, publisher):
    one, _ = publisher.items
    item = lazy.item(one)["id"]
    lazy.bring(item)
    publisher.put(one, {"a.bin": b"new"})
    lazy.synced()
    assert lazy.content(one) == publisher.expected()[one]["files"]
    told = lazy.item(one)
    assert (told["cached"], told["content_version"]) == (True, str(publisher.items[one].content_version)), told


def test_an_item_sync_removes_what_is_gone(lazy, rest, publisher):
    one, two = publisher.items
    item = lazy.item(one)["id"]
    publisher.delete(one)
    lazy.bring(item)
    assert rest.call("item.get", library_item_id=item).error_type == "NOT_FOUND"
    assert list(lazy.models()) == [two]


def test_an_item_sync_where_all_is_to_be_here(rest, publisher):
    one, two = two_items(publisher)
    library = subscribed(rest, publisher)
    publisher.put(one, {"a.bin": b"new"})
    publisher.put(two, {"c.iso": b"new"})
    library.bring(library.item(one)["id"], force=False)
    assert library.content(one) == publisher.expected()[one]["files"], "the flag counts on demand only"
    library.synced().assert_is(publisher.expected())


def test_on_demand_is_switched(lazy, publisher):
    assert lazy.update(on_demand=False).ok
    lazy.synced().assert_is(publisher.expected())
    assert lazy.update(on_demand=True).ok
    lazy.synced()
    lazy.ok("evict")
    assert not any(item["cached"] for item in lazy.models().values())


def test_deleting_an_item_while_it_is_downloaded(rest, publisher):
    """Whoever began to read an item reads it to its end."""
    item = publisher.add("one", {"a.bin": BIG})
    library = subscribed(rest, publisher)
    local = library.item(item)["id"]
    session = rest.ok("download_session.create", create_spec={"library_item_id": local})
    info = rest.ok("download_session.file.prepare", download_session_id=session, file_name="a.bin")
    with rest.http.get(info["download_endpoint"]["uri"], stream=True, timeout=60) as transfer:
        pieces = transfer.iter_content(65536)
        received = next(pieces)
        publisher.delete(item)
        library.synced()
        assert library.item_ids() == []
        received += b"".join(pieces)
    assert sha256(received) == sha256(BIG)


# ---- events ----


def test_events_tell_of_it(subscriber, rest, publisher):
    one, two = two_items(publisher)
    with EventStream(subscriber, rest.session_id) as stream:
        library = subscribed(rest, publisher)
        ids = {source: item["id"] for source, item in library.models().items()}
        with publisher.one_round():
            publisher.rename(one, "uno")
            publisher.put(one, {"a.bin": b"new"})
            publisher.delete(two)
        library.synced()
        library.ok("delete")
        wanted = {
            ("library.created", library.id),
            ("item.created", ids[one]),
            ("item.created", ids[two]),
            ("item.content_changed", ids[one]),
            ("item.content_changed", ids[two]),
            ("item.updated", ids[one]),
            ("item.deleted", ids[two]),
            ("library.deleted", library.id),
        }
        seen, kinds = set(), set()
        while not wanted <= seen:
            message = stream.next()
            if message.data.get("library") == library.id:
                seen.add((message.event, message.data["subject"]))
            kinds.add(message.event)
    assert {"task.created", "task.ended"} <= kinds


# ---- Quire to Quire, and static exports ----


def thumbprint_of(server):
    return hashlib.sha1(ssl.PEM_cert_to_DER_cert(first_certificate(server))).digest().hex(":").upper()


def first_certificate(server):
    text = server.ca_file.read_text()
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return text[text.index(begin) : text.index(end) + len(end)] + "\n"


@pytest.fixture(scope="module")
def other_quire(shared_server):
    return NewRest(shared_server).log_in()


def quire_url(binding, library):
    return f"{binding.server.url}/cls/vcsp/lib/{library}/lib.json"


def published_content(binding, library):
    return content_of_library(binding, library)


def test_quire_to_quire(rest, other_quire, package):
    password = secret()
    source = create(other_quire, authentication_method="BASIC", password=password)
    image = fill(other_quire, source, "image", {"a.iso": BIG}, "iso")
    script = fill(other_quire, source, "script", {"run.sh": b"#!/bin/sh\n", "empty": b""})
    vm = fill(other_quire, source, "vm", {path.name: path.read_bytes() for path in package.content_files()}, "ovf")
    library = Subscription(
        rest,
        quire_url(other_quire, source),
        authentication_method="BASIC",
        user_name="vcsp",
        password=password,
        ssl_thumbprint=thumbprint_of(other_quire.server),
    ).first()
    library.assert_is(published_content(other_quire, source))
    fill(other_quire, source, None, {"run.sh": b"#!/bin/bash\n"}, item=script)
    other_quire.ok("item.update", library_item_id=vm, update_spec={"name": "machine", "description": "words"})
    other_quire.ok("item.delete", library_item_id=image)
    library.synced().assert_is(published_content(other_quire, source))
    for item in (script, vm):
        theirs, ours = other_quire.ok("item.get", library_item_id=item), library.item(item)
        for member in ("metadata_version", "content_version", "type", "size"):
            assert ours[member] == theirs[member], (member, ours, theirs)
        assert ours["source_id"] == item
    assert update(other_quire, source, published=False, current_password=password).ok
    before = library.contents()
    assert library.fails()
    library.assert_is(before)


def test_a_library_of_the_same_server(rest):
    """Its own publication: nothing goes over the network twice, and nothing waits for itself."""
    source = create(rest)
    item = fill(rest, source, "one", {"a.iso": BIG}, "iso")
    trust = {"ssl_thumbprint": thumbprint_of(rest.server)}
    first = Subscription(rest, quire_url(rest, source), **trust).first()
    second = Subscription(rest, quire_url(rest, source), name="again", on_demand=True, **trust).first()
    first.assert_is(published_content(rest, source))
    assert second.content(item) == {"a.iso": sha256(BIG)}, "the same item by two ways"
    rest.ok("item.delete", library_item_id=item)
    first.synced().assert_is({})
    second.synced().assert_is({})


def test_a_static_export(rest, other_quire, tmp_path):
    cli = signed_in(other_quire.server, tmp_path / "home")
    name = uuid.uuid4().hex
    source = create(other_quire, name)
    one = fill(other_quire, source, "one", {"a ä.txt": b"1" * 5000, "b.txt": b"2"})
    two = fill(other_quire, source, "two", {"c.iso": BIG}, "iso")
    folder = tmp_path / "site"
    cli.ok("export-vcsp", name, folder)
    host = Host(folder)
    try:
        library = Subscription(rest, host.url).first()
        library.assert_is(published_content(other_quire, source))
        del host.asked[:]
        library.synced()
        assert host.asked == ["/lib.json"]
        fill(other_quire, source, None, {"b.txt": b"new"}, item=one)
        other_quire.ok("item.update", library_item_id=one, update_spec={"name": "uno"})
        other_quire.ok("item.delete", library_item_id=two)
        library.synced()
        assert library.names() == ["one", "two"], "what was not exported yet is not seen"
        cli.ok("export-vcsp", name, folder)
        del host.asked[:]
        library.synced().assert_is(published_content(other_quire, source))
        assert sum(not path.endswith(".json") for path in host.asked) == 1, host.asked
    finally:
        host.stop()


def test_a_hundred_items_by_many_at_once(rest, publisher):
    """Bounded, in parallel, and all of it."""
    chance = random.Random("hundred")
    for number in range(100):
        publisher.add(f"item {number:03}", {f"{n}.bin": chance.randbytes(chance.randint(0, 20_000)) for n in range(3)})
    most = most_at_once(publisher)
    library = subscribed(rest, publisher)
    library.assert_is(publisher.expected())
    assert most() <= 64


def most_at_once(publisher):
    """How many connections were open at the same time."""
    seen = [0]
    keep = publisher._keep

    def watched(connection, is_open):
        keep(connection, is_open)
        seen[0] = max(seen[0], len(publisher._connections))

    publisher._keep = watched
    return lambda: seen[0]


def test_readers_of_the_library_never_see_two_of_one_name(rest, publisher):
    """Names go round among three items; whoever looks a name up finds one item, and all three are there all the time."""
    sources = [publisher.add(name, {"f": name.encode()}) for name in ("a", "b", "c")]
    library = subscribed(rest, publisher)
    over, problems = threading.Event(), []

    def watch():
        own = NewRest(rest.server).log_in()
        while not over.is_set():
            for name in ("a", "b", "c"):
                if len(found := own.ok("item.find", spec={"library_id": library.id, "name": name})) > 1:
                    problems.append((name, found))
            if len(found := own.ok("item.list", library_id=library.id)) != 3:
                problems.append(found)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for step in range(12):
            with publisher.one_round():
                for number, source in enumerate(sources):
                    publisher.rename(source, "abc"[(number + step) % 3])
                publisher.put(sources[step % 3], {"f": b"%d" % step})
            library.synced()
    finally:
        over.set()
        watcher.join(60)
    assert not problems, problems[:3]
    library.assert_is(publisher.expected())
