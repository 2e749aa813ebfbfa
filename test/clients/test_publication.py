"""Published libraries, read by a subscriber that knows vcsp.md and nothing else."""

import hashlib
import json
import threading
import time
import uuid
from urllib.parse import urljoin

import pytest
from push_session import PushSession
from quire_server import QuireServer
from rest_client import NewRest
from secret_watch import WATCH
from vcsp_reader import Subscriber

TIMEOUT = 60


def create(binding, name=None, **publish_info):
    publish_info = {"authentication_method": "NONE", "published": True, **publish_info}
    spec = {"name": name or uuid.uuid4().hex, "type": "LOCAL", "publish_info": publish_info}
    return binding.ok("local_library.create", create_spec=spec)


def info(binding, library):
    return binding.ok("local_library.get", library_id=library)["publish_info"]


def update(binding, library, **publish_info):
    return binding.call("local_library.update", library_id=library, update_spec={"publish_info": publish_info})


def subscriber(binding, library, **options):
    url = f"{binding.server.url}/cls/vcsp/lib/{library}/lib.json"
    assert info(binding, library)["publish_url"] == url
    return Subscriber(url, str(binding.server.ca_file), **options)


def fill(binding, library, name, files, item_type="", item=None):
    """An item of that name and content; or other content for an item that is there."""
    session = PushSession(
        binding,
        library,
        item=item or binding.ok("item.create", create_spec={"name": name, "library_id": library, "type": item_type}),
    )
    for file, content in files.items():
        assert session.push(file, content).status_code == 200
    session.ok("complete")
    session.ok("delete")
    return session.item


def secret():
    password = "vcsp-" + uuid.uuid4().hex
    WATCH.add(password, "a library's password")
    return password


# ---- documents ----


def test_what_the_api_says_of_a_publication(new_rest):
    library = create(new_rest)
    assert info(new_rest, library) == {
        "authentication_method": "NONE",
        "published": True,
        "publish_url": f"{new_rest.server.url}/cls/vcsp/lib/{library}/lib.json",
        "user_name": "vcsp",
        "persist_json_enabled": False,
    }
    assert update(new_rest, library, published=False).ok
    assert info(new_rest, library) == {
        "authentication_method": "NONE",
        "published": False,
        "persist_json_enabled": False,
    }


def test_an_empty_library(new_rest):
    library, items = subscriber(new_rest, create(new_rest, "empty")).read()
    assert library["name"] == "empty" and items == {}


def test_both_dialects_find_all_that_they_want(new_rest, package):
    library = create(new_rest)
    session = PushSession(new_rest, library, "ovf")
    for path in [*package.metadata_files(), *package.content_files()]:
        session.push_file(path)
    session.ok("complete")
    fill(new_rest, library, "image", {"a.iso": b"x" * 5000}, "iso")
    fill(new_rest, library, "script", {"run.sh": b"#!/bin/sh\n", "empty": b""})
    copies = subscriber(new_rest, library).mirror()
    kinds = {item["type"] for item, _ in copies.values()}
    assert kinds == {"vcsp.ovf", "vcsp.iso", "vcsp.other"}
    for item, files in copies.values():
        for file in item["files"]:
            assert file["x-quire"]["sha256"] == hashlib.sha256(files[file["name"]]).hexdigest()
    assert copies["script"][1] == {"run.sh": b"#!/bin/sh\n", "empty": b""}


def test_hostile_names(new_rest):
    library = create(new_rest, 'quotes " and \\ and Ä and <b>')
    names = {"ä b.txt", "100%25 #?&+.bin", 'a"b', "%2e a", "..hidden", "日本語.iso", "a;b=c,d"}
    item = fill(new_rest, library, 'an "item" & more', {name: name.encode() for name in names})
    copies = subscriber(new_rest, library).mirror()
    assert copies['an "item" & more'][1] == {name: name.encode() for name in names}
    assert copies['an "item" & more'][0]["id"] == "urn:uuid:" + item


def test_counters_after_each_kind_of_change(new_rest):
    library = create(new_rest)
    reader = subscriber(new_rest, library)
    item = fill(new_rest, library, "one", {"a": b"1", "b": b"2"})

    def state():
        document, items = reader.read()
        one = next(iter(items.values()))
        generations = {file["name"]: file["generationNum"] for file in one["files"]}
        return int(document["version"]), int(one["version"]), int(one["contentVersion"]), generations

    version, item_version, content_version, generations = state()
    assert (item_version, content_version, generations) == (2, 2, {"a": 2, "b": 2})
    assert state() == (version, item_version, content_version, generations)  # and after none
    fill(new_rest, library, None, {"b": b"3"}, item=item)
    assert state() == (version + 1, 3, 3, {"a": 2, "b": 3})
    new_rest.ok("item.update", library_item_id=item, update_spec={"name": "uno"})
    assert state() == (version + 2, 4, 3, {"a": 2, "b": 3})
    new_rest.ok("library.update", library_id=library, update_spec={"description": "new"})
    assert state() == (version + 3, 4, 3, {"a": 2, "b": 3})


def test_counters_and_identifiers_survive_a_restart(server):
    binding = NewRest(server).log_in()
    library = create(binding)
    fill(binding, library, "one", {"a": b"1"})
    reader = subscriber(binding, library)
    before = reader.mirror(), reader.get().headers["ETag"], reader.get("items.json").headers["ETag"]
    server.stop()
    server.start()
    assert (reader.mirror(), reader.get().headers["ETag"], reader.get("items.json").headers["ETag"]) == before


# ---- HTTP ----


def test_other_addresses_of_the_documents(new_rest):
    library = create(new_rest)
    item = fill(new_rest, library, "one", {"a": b"1"})
    reader = subscriber(new_rest, library)
    document, items = reader.read()
    base = reader.url.removesuffix("lib.json")
    assert reader.json(base) == document
    assert reader.json(base + "items") == reader.json(base + "items.json")
    short = reader.get(base.rstrip("/"), allow_redirects=False)
    assert short.status_code == 301 and urljoin(base, short.headers["Location"]) == base
    assert reader.json(f"{base}{item}/{item}/item.json") == items["one"]
    assert reader.get(f"{base}{item}/{items['one']['files'][0]['hrefs'][0]}").content == b"1"


def test_a_poll_without_news_gets_no_document(new_rest):
    library = create(new_rest)
    fill(new_rest, library, "one", {"a": b"1"})
    reader = subscriber(new_rest, library)
    _, items = reader.read()
    for href in ("lib.json", "items.json", items["one"]["selfHref"], items["one"]["files"][0]["hrefs"][0]):
        tag = reader.get(href).headers["ETag"]
        for known in (tag, f'"other", {tag}', "*", "W/" + tag):
            answer = reader.get(href, headers={"If-None-Match": known})
            assert answer.status_code == 304 and answer.content == b"", (href, known)
            assert answer.headers["ETag"] == tag
        assert reader.get(href, headers={"If-None-Match": '"other"'}).status_code == 200
    tag = reader.get("lib.json").headers["ETag"]
    fill(new_rest, library, "two", {"a": b"1"})
    assert reader.get("lib.json", headers={"If-None-Match": tag}).status_code == 200


def test_head_and_ranges(new_rest):
    library = create(new_rest)
    content = bytes(range(256)) * 4096
    fill(new_rest, library, "one", {"a.bin": content})
    reader = subscriber(new_rest, library)
    _, items = reader.read()
    href = items["one"]["files"][0]["hrefs"][0]
    for each in ("lib.json", "items.json", items["one"]["selfHref"], href):
        whole = reader.get(each)
        head = reader.http.head(urljoin(reader.url, each), timeout=TIMEOUT)
        assert head.status_code == 200 and head.content == b""
        for field in ("ETag", "Content-Length", "Content-Type", "Accept-Ranges", "Repr-Digest"):
            assert head.headers[field] == whole.headers[field], (each, field)
        assert int(head.headers["Content-Length"]) == len(whole.content)
        part = reader.get(each, headers={"Range": "bytes=2-5"})
        assert part.status_code == 206 and part.content == whole.content[2:6]
        assert part.headers["Content-Range"] == f"bytes 2-5/{len(whole.content)}"
        tail = reader.get(each, headers={"Range": "bytes=-3", "If-Range": whole.headers["ETag"]})
        assert tail.status_code == 206 and tail.content == whole.content[-3:]
        assert reader.get(each, headers={"Range": "bytes=0-1", "If-Range": '"other"'}).content == whole.content
        assert reader.get(each, headers={"Range": f"bytes={len(whole.content)}-"}).status_code == 416
    assert "immutable" in reader.get(href).headers["Cache-Control"]


def test_nothing_but_reading(new_rest):
    library = create(new_rest)
    reader = subscriber(new_rest, library)
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = reader.http.request(method, reader.url, timeout=TIMEOUT)
        assert answer.status_code == 405 and answer.headers["Allow"] == "GET, HEAD"


def test_what_is_not_published_is_not_there(new_rest):
    library = create(new_rest)
    item = fill(new_rest, library, "secret item", {"secret.txt": b"secret bytes"})
    reader = subscriber(new_rest, library)
    _, items = reader.read()
    hrefs = ["lib.json", "items.json", "items", "", items["secret item"]["selfHref"], f"{item}/{item}/item.json"]
    hrefs.append(items["secret item"]["files"][0]["hrefs"][0])
    assert update(new_rest, library, published=False).ok
    unknown = str(uuid.uuid4())
    for href in [*hrefs, ".", f"../{library}"]:
        there = reader.get(href, allow_redirects=False)
        nowhere = reader.get(urljoin(reader.url, href).replace(library, unknown), allow_redirects=False)
        assert there.status_code == nowhere.status_code == 404, href
        assert there.text.replace(library, unknown) == nowhere.text, href
        assert set(there.headers) == set(nowhere.headers)
        assert "secret" not in there.text
    for garbage in ("/cls/vcsp/lib/", "/cls/vcsp/lib/x", "/cls/vcsp/lib/..%2f", "/cls/vcsp/lib//lib.json"):
        assert reader.get(urljoin(reader.url, garbage)).status_code == 404
    assert update(new_rest, library, published=True).ok
    for wrong in ("none.json", f"{item}", f"{item}/", f"{item}/g2/", f"{item}/g2/other", f"{item}/g1/secret.txt",
                  f"{item}/g2/secret.txt/", f"{item}/g99999999999999999999/secret.txt", f"{unknown}/item.json"):  # fmt: skip
        assert reader.get(wrong).status_code == 404, wrong


# ---- consistency ----


def test_a_session_shows_nothing_before_it_completes(new_rest):
    library = create(new_rest)
    reader = subscriber(new_rest, library)
    session = PushSession(new_rest, library, "")
    session.push("a", b"half")
    assert reader.read()[1] == {}
    session.ok("complete")
    (item,) = reader.read()[1].values()
    again = PushSession(new_rest, library, item=session.item)
    again.push("a", b"other bytes")
    again.push("b", b"more")
    assert reader.read()[1][item["name"]] == item
    again.ok("cancel")
    assert reader.read()[1][item["name"]] == item


def test_an_item_that_is_replaced_while_it_is_read(new_rest):
    library = create(new_rest)
    old = b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(1 << 17))  # 4 MiB
    item = fill(new_rest, library, "one", {"disk": old, "other": b"old other"})
    reader = subscriber(new_rest, library)
    before = reader.read()[1]["one"]
    disk, other = before["files"]
    with reader.get(disk["hrefs"][0], stream=True) as transfer:
        pieces = transfer.iter_content(65536)
        received = next(pieces)
        fill(new_rest, library, None, {"disk": b"new", "other": b"new other"}, item=item)
        after = reader.read()[1]["one"]
        assert reader.content(after) == {"disk": b"new", "other": b"new other"}
        received += b"".join(pieces)
    assert received == old
    assert reader.bytes_of(other) == b"old other", "whoever began with the old content ends with it"
    assert reader.bytes_of(disk) == old


def test_a_deleted_item_is_read_to_its_end(new_rest):
    library = create(new_rest)
    content = b"0123456789abcdef" * (1 << 18)
    item = fill(new_rest, library, "one", {"disk": content})
    reader = subscriber(new_rest, library)
    disk = reader.read()[1]["one"]["files"][0]
    with reader.get(disk["hrefs"][0], stream=True) as transfer:
        pieces = transfer.iter_content(65536)
        received = next(pieces)
        new_rest.ok("item.delete", library_item_id=item)
        assert reader.read()[1] == {}
        received += b"".join(pieces)
    assert received == content
    assert reader.get(disk["hrefs"][0]).status_code == 404


def test_readers_never_see_a_torn_state(new_rest):
    """Two items always have the same content; each state of the index must say so, at most one step apart."""
    library = create(new_rest)
    items = {name: fill(new_rest, library, name, {"n": b"0"}) for name in ("left", "right")}
    over = threading.Event()
    problems = []

    def hammer():
        reader = subscriber(new_rest, library)
        last = 0
        while not over.is_set():
            try:
                document, seen = reader.read()
                assert int(document["version"]) >= last
                last = int(document["version"])
                left, right = (int(reader.content(seen[name])["n"]) for name in ("left", "right"))
                assert left - right in (0, 1), (left, right)
            except Exception as problem:
                problems.append(problem)
                return

    readers = [threading.Thread(target=hammer) for _ in range(3)]
    for thread in readers:
        thread.start()
    try:
        for step in range(1, 40):
            for name in ("left", "right"):
                fill(new_rest, library, None, {"n": str(step).encode()}, item=items[name])
    finally:
        over.set()
        for thread in readers:
            thread.join(TIMEOUT)
    assert not problems, problems


# ---- passwords ----


def test_basic(new_rest):
    password = secret()
    library = create(new_rest, authentication_method="BASIC", password=password)
    answer = info(new_rest, library)
    assert answer["authentication_method"] == "BASIC" and answer["user_name"] == "vcsp"
    assert "password" not in answer and "current_password" not in answer
    fill(new_rest, library, "one", {"a": b"1"})
    for user in ("vcsp", ""):
        assert subscriber(new_rest, library, password=password, user=user).mirror()["one"][1] == {"a": b"1"}
    item = subscriber(new_rest, library, password=password).read()[1]["one"]
    hrefs = ["lib.json", "items.json", item["selfHref"], item["files"][0]["hrefs"][0]]
    stranger = subscriber(new_rest, library)
    wrong = subscriber(new_rest, library, password="wrong")
    other = subscriber(new_rest, library, password=password, user="administrator@vsphere.local")
    for reader, href in [(stranger, href) for href in hrefs] + [(wrong, "lib.json"), (other, hrefs[-1])]:
        answer = reader.get(href)
        assert answer.status_code == 401, href
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert "one" not in answer.text and "ETag" not in answer.headers
    stranger.http.headers["vmware-api-session-id"] = new_rest.session_id
    assert stranger.get().status_code == 401, "a login is no password"


def test_the_password_changes_with_the_present_one_only(new_rest):
    first, second = secret(), secret()
    library = create(new_rest, authentication_method="BASIC", password=first)
    changes = [
        {"password": second},
        {"password": second, "current_password": "wrong"},
        {"authentication_method": "NONE"},
        {"published": False},
        {"published": False, "current_password": ""},
    ]
    for change in changes:
        answer = update(new_rest, library, **change)
        assert answer.status == 400 and answer.error_type == "INVALID_ARGUMENT", change
    assert subscriber(new_rest, library, password=first).read()
    assert update(new_rest, library, password=second, current_password=first).ok
    assert subscriber(new_rest, library, password=first).get().status_code == 401
    assert subscriber(new_rest, library, password=second).read()
    assert update(new_rest, library, authentication_method="NONE", current_password=second).ok
    assert subscriber(new_rest, library).read()


def test_guesses_are_slowed(tmp_path):
    server = QuireServer(tmp_path / "server").start()
    try:
        binding = NewRest(server).log_in()
        password = secret()
        library = create(binding, authentication_method="BASIC", password=password)
        guesser = subscriber(binding, library, password="wrong")
        statuses = [guesser.get().status_code for _ in range(15)]
        assert statuses[:10] == [401] * 10 and statuses[-1] == 429, statuses
        refused = guesser.get()
        assert int(refused.headers["Retry-After"]) >= 1
        right = subscriber(binding, library, password=password)
        assert right.get().status_code == 429
        deadline = time.monotonic() + 60
        while right.get().status_code == 429:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert right.read()
    finally:
        server.stop()


@pytest.mark.parametrize(
    "publish_info",
    [
        {"authentication_method": "BASIC"},
        {"authentication_method": "BASIC", "password": ""},
        {"user_name": "alice"},
    ],
    ids=lambda spec: str(spec),
)
def test_what_cannot_be_published_so(new_rest, publish_info):
    name = uuid.uuid4().hex
    spec = {"name": name, "publish_info": {"authentication_method": "NONE", "published": True, **publish_info}}
    answer = new_rest.call("local_library.create", create_spec=spec)
    assert answer.status == 400, answer
    assert new_rest.ok("library.find", spec={"name": name}) == []


# ---- govc ----


def test_govc(govc, shared_server, new_rest):
    library = govc.ok("library.create", "-pub", "govc-published").strip()
    assert new_rest.ok("local_library.get", library_id=library)["publish_info"]["published"] is True
    assert govc.json("library.info", "govc-published")[0]["publish_info"]["published"] is True
    url = govc.ok("library.info", "-U", "govc-published").strip()
    assert url == f"{shared_server.url}/cls/vcsp/lib/{library}/lib.json"
    assert Subscriber(url, str(shared_server.ca_file)).read()[1] == {}
    govc.ok("library.update", "-d", "described", "govc-published")
    assert Subscriber(url, str(shared_server.ca_file)).library()["description"] == "described"


def test_govc_with_a_password(govc, shared_server, new_rest):
    """govc leaves the method at NONE; nobody is to publish for everybody by that."""
    password = secret()
    library = govc.ok("library.create", "-pub", "-pub-username", "vcsp", "-pub-password", password, "govc-basic").strip()
    reader = subscriber(new_rest, library)
    assert reader.get().status_code == 401
    assert subscriber(new_rest, library, password=password).read()


# ---- many items ----


def test_ten_thousand_items(server):
    """The documents of a library of 10,000 items are right, and a poll without news does not grow with it."""
    binding = NewRest(server).log_in()
    library = create(binding)
    source = fill(binding, library, "source", {"a.bin": b"the same bytes"})
    count = 10_000

    def copy(first, step):
        own = NewRest(server).log_in()
        for i in range(first, count, step):
            own.ok(
                "item.copy",
                source_library_item_id=source,
                destination_create_spec={"name": f"item {i:05}", "library_id": library},
            )

    threads = [threading.Thread(target=copy, args=(first, 4)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader = subscriber(binding, library)
    _, items = reader.read()
    assert len(items) == count + 1
    fill(binding, library, None, {"a.bin": b"other bytes"}, item=source)
    began = time.monotonic()
    _, again = reader.read()
    after_one_change = time.monotonic() - began
    changed = [name for name in items if items[name] != again[name]]
    assert changed == ["source"]
    tag = reader.get("lib.json").headers["ETag"]
    began = time.monotonic()
    for _ in range(200):
        assert reader.get("lib.json", headers={"If-None-Match": tag}).status_code == 304
    poll = (time.monotonic() - began) / 200
    print(f"index after one change, checked: {after_one_change:.2f} s; poll: {poll * 1000:.2f} ms")
    assert poll < 0.02


def test_events_tell_of_it(server):
    binding = NewRest(server).log_in()
    library = create(binding)
    assert update(binding, library, published=False).ok
    kinds = [event["event"] for event in events_of(server, library)]
    assert kinds.count("library.published") == 1 and kinds.count("library.unpublished") == 1


def events_of(server, library):
    events = [json.loads(line) for line in server.audit_file.read_text().splitlines()]
    deadline = time.monotonic() + 30
    while not any(event["event"] == "library.unpublished" for event in events) and time.monotonic() < deadline:
        time.sleep(0.1)
        events = [json.loads(line) for line in server.audit_file.read_text().splitlines()]
    return [event for event in events if event.get("library_id") == library]
