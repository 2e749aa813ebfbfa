"""Hostile publishers, each of a kind of its own: a clear reason, an unharmed library, and afterwards all is well again.

QUIRE_SEED repeats a run, QUIRE_HOSTILE_ROUNDS (1) says how often each kind is drawn.
"""

import gzip
import hashlib
import os
import random
import time
from dataclasses import dataclass

import pytest
from test_hostile_packages import blobs, memory, tree
from test_publication import secret
from test_pull import serving

from http_source import HttpSource, Reply
from publisher import Fault, Publisher, failed, redirect
from rest_client import NewRest
from subscription_client import Subscription, reason_of, wait_for

SEED = int(os.environ.get("QUIRE_SEED", random.SystemRandom().randrange(1 << 32)))
ROUNDS = int(os.environ.get("QUIRE_HOSTILE_ROUNDS", "1"))
SECONDS_MAX = 90  # from the first request of a kind to the last: nothing may hang or grind
# What the server may have risen by at the end of all: an index is taken up to 256 MiB, and read with its values beside.
MEMORY_BYTES_MAX = 1 << 30
FORBIDDEN = "127.0.0.9"
ELSEWHERE = "127.0.0.2"
NAMES = {"steady", "victim", "fresh"}

KINDS = {}


@dataclass
class Scene:
    """What a kind may aim at."""

    publisher: Publisher
    victim: str
    path: str  # of the victim's new file
    steady: str
    elsewhere: str  # URL of another server, where bytes of the right length lie; nobody may be sent there


def kind(name, harm):
    """`harm`: what the sync must end with. "library": it fails and changes nothing. "item": it fails, the victim stays as it
    was and all else is done. "some": it fails; what else is done may be done. "any": it may also succeed. "gone": like any,
    and items may have gone.
    """

    def register(arm):
        assert name not in KINDS
        KINDS[name] = (arm, harm)
        return arm

    return register


# ---- documents that are none ----


def garbage(chance, honest):
    """Bytes in the place of a document."""
    return {
        "nothing": lambda: b"",
        "a web page": lambda: b"<!DOCTYPE html><html><body>Welcome to the hotel's network</body></html>",
        "cut off": lambda: honest[: chance.randrange(1, len(honest))],
        "noise": lambda: chance.randbytes(chance.randint(1, 5000)),
        "nested deeply": lambda: b'{"a":' * 100_000,
        "lists in lists": lambda: b"[" * 100_000 + b"]" * 100_000,
        "of another kind": lambda: chance.choice([b"[]", b"7", b"null", b'"text"', b"true", b"{}"]),
        "in UTF-16": lambda: honest.decode().encode("utf-16"),
        "with a byte-order mark": lambda: b"\xef\xbb\xbf" + honest,
        "of broken text": lambda: honest.replace(b'"id"', b'"\xff\xfe\xc0\x80"'),
        "twice": lambda: honest + honest,
    }


def _register_garbage():
    for form in garbage(random, b"{}"):
        for document in ("descriptor", "index"):

            def arm(chance, scene, form=form, document=document):
                path = getattr(scene.publisher, "library_path" if document == "descriptor" else "index_path")
                honest, _ = scene.publisher.find(path)
                scene.publisher.pages[path] = garbage(chance, honest)[form]()

            kind(f"{document}: {form}", "library")(arm)


_register_garbage()


def documents(publisher):
    return {"descriptor": publisher.library_path, "index": publisher.index_path}


def _register_answers():
    """What a server does to whoever asks for a document."""
    answers = {
        "without end": lambda chance, scene, honest: Fault(endless=True, content=b" " * 65536),
        "said to be huge": lambda chance, scene, honest: Fault(announced=1 << 40),
        "said to be longer": lambda chance, scene, honest: Fault(announced=len(honest) + chance.randint(1, 1000)),
        "a bomb": lambda chance, scene, honest: Fault(
            content=gzip.compress(honest + b" " * (200 << 20), 9), headers={"Content-Encoding": "gzip"}
        ),
        "redirects in a circle": lambda chance, scene, honest: redirect(chance.choice(["?again", "./lib.json", "items.json"])),
        "redirects to a forbidden address": lambda chance, scene, honest: redirect(
            chance.choice([f"http://{FORBIDDEN}/x", "http://169.254.169.254/latest/meta-data", "http://[fe80::1]/"])
        ),
        "redirects to a file": lambda chance, scene, honest: redirect("file:///etc/passwd"),
        "redirects to nowhere": lambda chance, scene, honest: Fault(status=302),
        "refused": lambda chance, scene, honest: Fault(status=chance.choice([400, 401, 403, 404, 410, 418, 451])),
        "broken": lambda chance, scene, honest: Fault(status=chance.choice([500, 501, 502, 504, 599])),
        "empty by status": lambda chance, scene, honest: Fault(status=chance.choice([204, 205])),
        "not changed by status": lambda chance, scene, honest: Fault(status=304),
        "no HTTP": lambda chance, scene, honest: Fault(raw=chance.randbytes(3000)),
        "an old kind of HTTP": lambda chance, scene, honest: Fault(raw=b"220 smtp.example ready\r\n"),
        "headers without end": lambda chance, scene, honest: Fault(raw=b"HTTP/1.1 200 OK\r\n" + b"X-Y: zzzz\r\n" * 500_000),
        "one endless header": lambda chance, scene, honest: Fault(raw=b"HTTP/1.1 200 OK\r\nX-Y: " + b"z" * (20 << 20)),
        "a negative length": lambda chance, scene, honest: Fault(raw=b"HTTP/1.1 200 OK\r\nContent-Length: -7\r\n\r\n" + honest),
        "two lengths": lambda chance, scene, honest: Fault(
            raw=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: %d\r\n\r\n%b" % (len(honest), honest)
        ),
        "broken chunks": lambda chance, scene, honest: Fault(
            raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n" + honest
        ),
        "silence": lambda chance, scene, honest: Fault(stall_after=chance.randrange(0, len(honest))),
        "hung up on": lambda chance, scene, honest: Fault(cut_after=chance.randrange(0, len(honest))),
    }
    harmless = {"not changed by status"}  # where the subscriber did ask whether it has changed
    for name, make in answers.items():
        for document in ("descriptor", "index"):

            def arm(chance, scene, make=make, document=document):
                path = documents(scene.publisher)[document]
                honest, _ = scene.publisher.find(path)
                scene.publisher.ranges = False
                scene.publisher.fault(path, make(chance, scene, honest))

            kind(f"{document}: {name}", "any" if name in harmless else "library")(arm)


_register_answers()

NO_NUMBERS = ["x", "-1", "1e3", "18446744073709551616", None, 1.5, [], {}, "", "0x10", -1, True, "٣"]
NO_IDS = [None, "", "urn:uuid:", "x", 7, "urn:uuid:../../../../etc", "urn:uuid:" + "0" * 36, ["a"]]
BAD_FILE_NAMES = ["../../../../tmp/x", "/etc/passwd", "..", ".", "", "a\\b", "a\0b", "x" * 300, "a/../../b", "a\nb", None, 7]


def of_descriptor(name, harm="library"):
    """A kind that changes members of an honest descriptor."""

    def register(change):
        def arm(chance, scene):
            drawn = random.Random(chance.random())
            change_now = change(drawn, scene)
            scene.publisher.edit_library = lambda document: {**document, **change_now}

        kind(f"descriptor: {name}", harm)(arm)
        return change

    return register


@of_descriptor("a counter that is none")
def _(chance, scene):
    return {"version": chance.choice(NO_NUMBERS)}


@of_descriptor("an unknown dialect")
def _(chance, scene):
    return {"vcspVersion": chance.choice(["3", "0", "2.1", *NO_NUMBERS])}


@of_descriptor("an id that is none")
def _(chance, scene):
    return {"id": chance.choice(NO_IDS)}


@of_descriptor("an index on another server")
def _(chance, scene):
    return {"itemsHref": chance.choice([scene.elsewhere, scene.elsewhere.removeprefix("http:")])}


@of_descriptor("an index at a forbidden address")
def _(chance, scene):
    where = [f"http://{FORBIDDEN}/items.json", "http://169.254.169.254/", "http://[::ffff:169.254.1.1]/"]
    return {"itemsHref": chance.choice(where)}


@of_descriptor("an index that is a file")
def _(chance, scene):
    where = ["file:///etc/passwd", "ds:///vmfs/volumes/x/items.json", "gopher://127.0.0.1/", "data:,x"]
    return {"itemsHref": chance.choice(where)}


@of_descriptor("an index nowhere")
def _(chance, scene):
    return {"itemsHref": chance.choice([None, 7, [], "nothing.json", "../../../../etc/passwd", "x\r\nX-Evil: 1"])}


@of_descriptor("an index by a very long address")
def _(chance, scene):
    return {"itemsHref": "x" * (4 << 20)}


@of_descriptor("words of maintenance that are an attack")
def _(chance, scene):
    words = ["<script>alert(1)</script>", "{document} {0} %s %n", "a\r\nb\x1b[31m\x00", "long " * 200_000, "\u202e txt"]
    return {"maintenanceMessage": chance.choice(words)}


@of_descriptor("another library", "gone")
def _(chance, scene):
    return {"id": "urn:uuid:99999999-0000-4000-8000-000000000001"}


@of_descriptor("the highest counter", "any")
def _(chance, scene):
    return {"version": str((1 << 63) - 1)}


def of_index(name, harm):
    """A kind that changes an honest index."""

    def register(change):
        def arm(chance, scene):
            fixed = chance.random()
            scene.publisher.edit_index = lambda document: change(random.Random(fixed), scene, document)

        kind(f"index: {name}", harm)(arm)
        return change

    return register


@of_index("no items", "library")
def _(chance, scene, document):
    return {**document, "items": chance.choice([None, {}, "x", 7])} if chance.random() < 0.8 else {"version": "1"}


@of_index("things that are no items", "some")
def _(chance, scene, document):
    return {**document, "items": [*document["items"], chance.choice([None, 7, "x", [], {}])]}


@of_index("one id twice", "some")
def _(chance, scene, document):
    return {**document, "items": [*document["items"], {**document["items"][0], "name": "fresh two"}]}


@of_index("one name twice", "some")
def _(chance, scene, document):
    twin = {**document["items"][0], "id": "urn:uuid:99999999-0000-4000-8000-000000000002"}
    return {**document, "items": [*document["items"], twin]}


@of_index("a counter that is none", "library")
def _(chance, scene, document):
    return {**document, "version": chance.choice(NO_NUMBERS)}


@of_index("always of another version", "any")
def _(chance, scene, document):
    scene.publisher.version += 1
    return {**document, "version": str(scene.publisher.version)}


@of_index("shrunk to nothing", "gone")
def _(chance, scene, document):
    return {**document, "items": []}


@of_index("tens of megabytes of items that cannot be had", "some")
def _(chance, scene, document):
    many = []
    for number in range(20_000):
        one = {**document["items"][0], "id": f"urn:uuid:88888888-0000-4000-8000-{number:012}", "name": ""}
        many.append({**one, "description": "x" * 1000})
    return {**document, "items": [*document["items"], *many]}


def of_victim(name, harm):
    """A kind that changes the victim's entry, in the index and in its own document."""

    def register(change):
        def arm(chance, scene):
            fixed = chance.random()

            def edit(document):
                if document["name"] == "victim":
                    change(random.Random(fixed), scene, document)
                return document

            scene.publisher.edit_item = edit

        kind(f"item: {name}", harm)(arm)
        return change

    return register


def new_file(document):
    return next(file for file in document["files"] if file["name"] == "v.bin")


@of_victim("an id that is none", "some")
def _(chance, scene, item):
    item["id"] = chance.choice(NO_IDS)


@of_victim("a name that is none", "some")
def _(chance, scene, item):
    item["name"] = chance.choice([None, "", 7, []])


@of_victim("a name that no item may have", "any")
def _(chance, scene, item):
    item["name"] = chance.choice(["a\0b", "a\nb", "   ", "\x7f\x1b[31m"])


@of_victim("a very long name", "any")
def _(chance, scene, item):
    item["name"] = "victim" + "n" * chance.choice([75, 300, 100_000])


@of_victim("a very long description", "any")
def _(chance, scene, item):
    item["description"] = "d" * chance.choice([2001, 1_000_000])


@of_victim("a counter that is none", "some")
def _(chance, scene, item):
    item[chance.choice(["version", "contentVersion"])] = chance.choice(NO_NUMBERS)


@of_victim("the highest counters", "any")
def _(chance, scene, item):
    item["version"] = item["contentVersion"] = str((1 << 63) - 1)


@of_victim("an unknown type", "any")
def _(chance, scene, item):
    item["type"] = chance.choice(["vcsp.evil", "", "vm-template", "ovf"])


@of_victim("no type", "some")
def _(chance, scene, item):
    item["type"] = chance.choice([None, 7, {}])


@of_victim("no list of files", "some")
def _(chance, scene, item):
    item["files"] = chance.choice([None, {}, "x", [None], [7], [{}]])


@of_victim("no files", "any")
def _(chance, scene, item):
    item["files"] = []


@of_victim("a hostile file name", "some")
def _(chance, scene, item):
    new_file(item)["name"] = chance.choice(BAD_FILE_NAMES)


@of_victim("one file name twice", "some")
def _(chance, scene, item):
    item["files"].append(dict(new_file(item)))


@of_victim("a hundred thousand files", "some")
def _(chance, scene, item):
    item["files"] += [{**new_file(item), "name": f"f{number}"} for number in range(100_000)]


@of_victim("a size that is none", "some")
def _(chance, scene, item):
    new_file(item)["size"] = chance.choice([value for value in NO_NUMBERS if value != "٣"])


@of_victim("an absurd size", "item")
def _(chance, scene, item):
    new_file(item)["size"] = chance.choice([(1 << 63) - 1, 1 << 62, 1 << 50])


@of_victim("a size that is a lie", "item")
def _(chance, scene, item):
    new_file(item)["size"] += chance.choice([-1, 1, -100, 100])


@of_victim("no addresses", "some")
def _(chance, scene, item):
    new_file(item)["hrefs"] = chance.choice([None, [], [7], [""], "x", [None], {}])


@of_victim("an address on another server", "item")
def _(chance, scene, item):
    new_file(item)["hrefs"] = [chance.choice([scene.elsewhere, scene.elsewhere.removeprefix("http:")])]


@of_victim("a forbidden address", "item")
def _(chance, scene, item):
    where = [f"http://{FORBIDDEN}/v.bin", "http://169.254.169.254/v.bin", "http://0.0.0.0/v.bin", "http://[fe80::1]/v.bin"]
    new_file(item)["hrefs"] = [chance.choice(where)]


@of_victim("a file of the server as address", "item")
def _(chance, scene, item):
    where = ["file:///etc/passwd", "ds:///vmfs/volumes/x/v.bin", "data:,xxx", "javascript:1", "gopher://127.0.0.1/"]
    new_file(item)["hrefs"] = [chance.choice(where)]


@of_victim("an address that leads out of the library", "item")
def _(chance, scene, item):
    new_file(item)["hrefs"] = [chance.choice(["../../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "/", "?", "#"])]


@of_victim("an address with a line break", "item")
def _(chance, scene, item):
    new_file(item)["hrefs"] = ["v.bin HTTP/1.1\r\nX-Evil: 1\r\n\r\nGET /evil"]


@of_victim("a very long address", "item")
def _(chance, scene, item):
    new_file(item)["hrefs"] = ["v" * (2 << 20)]


@of_victim("two hundred mirrors without the file", "item")
def _(chance, scene, item):
    new_file(item)["hrefs"] = [f"mirror{number}/v.bin" for number in range(200)]


@of_victim("mirrors on other servers before the file", "any")
def _(chance, scene, item):
    new_file(item)["hrefs"].insert(0, scene.elsewhere)


@of_victim("its own document on another server", "item")
def _(chance, scene, item):
    item["selfHref"] = scene.elsewhere
    scene.publisher.fault(scene.path, Fault(status=404))


@of_victim("a wrong digest", "item")
def _(chance, scene, item):
    new_file(item)["x-quire"] = {"sha256": chance.randbytes(32).hex()}


@of_victim("a digest that is none", "any")
def _(chance, scene, item):
    new_file(item)["x-quire"] = {"sha256": chance.choice(["", "zz", "0" * 63, "0" * 65, "../../blobs/x", 7, None, "A" * 64])}


@of_victim("the digest of another content that is here", "item")
def _(chance, scene, item):
    (digest,) = scene.publisher.items[scene.steady].digests.values()
    new_file(item)["x-quire"] = {"sha256": digest}


@of_victim("etags and generations that are none", "some")
def _(chance, scene, item):
    new_file(item)["generationNum"] = chance.choice([value for value in NO_NUMBERS if value is not None])


def of_transfer(name, harm):
    """A kind that plays with the transfer of the victim's new file."""

    def register(faults):
        def arm(chance, scene):
            content, _ = scene.publisher.find(scene.path)
            made = faults(chance, scene, content)
            scene.publisher.fault(scene.path, *(made if isinstance(made, list) else [made]))

        kind(f"transfer: {name}", harm)(arm)
        return faults

    return register


@of_transfer("refused", "item")
def _(chance, scene, content):
    return Fault(status=chance.choice([400, 401, 403, 404, 410, 451]))


@of_transfer("broken", "item")
def _(chance, scene, content):
    return Fault(status=chance.choice([500, 501, 502, 504]))


@of_transfer("odd statuses", "item")
def _(chance, scene, content):
    return Fault(status=chance.choice([201, 203, 204, 206, 226, 300, 304]), body=b"")


@of_transfer("a part that nobody asked for", "item")
def _(chance, scene, content):
    part = content[100:]
    return Fault(status=206, body=part, headers={"Content-Range": f"bytes 100-{len(content) - 1}/{len(content)}"})


@of_transfer("shorter", "item")
def _(chance, scene, content):
    return Fault(content=content[: chance.randrange(len(content))])


@of_transfer("longer", "item")
def _(chance, scene, content):
    return Fault(content=content + chance.randbytes(chance.randint(1, 100_000)))


@of_transfer("other bytes of the same length", "item")
def _(chance, scene, content):
    return Fault(content=chance.randbytes(len(content)))


@of_transfer("without end", "item")
def _(chance, scene, content):
    return Fault(endless=True)


@of_transfer("always cut, and never resumed", "item")
def _(chance, scene, content):
    scene.publisher.ranges = False
    return Fault(cut_after=chance.randrange(len(content)))


@of_transfer("always cut", "any")
def _(chance, scene, content):
    return Fault(cut_after=chance.randrange(len(content)))


@of_transfer("always stalled", "item")
def _(chance, scene, content):
    scene.publisher.ranges = False
    return Fault(stall_after=chance.randrange(len(content)))


@of_transfer("resumed elsewhere than asked", "any")
def _(chance, scene, content):
    return [Fault(cut_after=len(content) // 2, times=1), Fault(part_starts_at=chance.randrange(len(content)))]


@of_transfer("resumed with bytes of another content", "any")
def _(chance, scene, content):
    other = chance.randbytes(len(content))
    tag = '"' + hashlib.sha1(content).hexdigest() + '"'  # and the validator of the first
    part = {"ETag": tag, "Content-Range": f"bytes {len(content) // 2}-{len(content) - 1}/{len(content)}"}
    return [
        Fault(cut_after=len(content) // 2, times=1),
        Fault(status=206, body=other[len(content) // 2 :], headers=part),
    ]


@of_transfer("redirected in a circle", "item")
def _(chance, scene, content):
    return redirect("?again")


@of_transfer("redirected to a forbidden address", "item")
def _(chance, scene, content):
    return redirect(chance.choice([f"http://{FORBIDDEN}/v.bin", "http://169.254.169.254/v.bin"]))


@of_transfer("redirected to a file", "item")
def _(chance, scene, content):
    return redirect(chance.choice(["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/v.bin"]))


@of_transfer("packed", "item")
def _(chance, scene, content):
    return Fault(content=gzip.compress(content + bytes(50 << 20)), headers={"Content-Encoding": "gzip"})


@of_transfer("said to be huge", "item")
def _(chance, scene, content):
    return Fault(announced=1 << 50)


@of_transfer("no HTTP", "item")
def _(chance, scene, content):
    return Fault(raw=chance.randbytes(5000))


@of_transfer("failed with words that are an attack", "item")
def _(chance, scene, content):
    words = ["<b>{reason}</b> %s", "a\r\nb\x00\x1b[31m", "long " * 100_000]
    return failed(chance.choice(words))


@of_transfer("failed with a body without end", "item")
def _(chance, scene, content):
    return Fault(status=503, body=b'{"status":"' + b"x" * 65536, endless=True)


# ---- the run ----


@pytest.fixture(scope="module")
def around(tmp_path_factory):
    """The folder of all, and the subscriber in it."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "outside").mkdir()
    (folder / "outside" / "secret").write_text("untouched")
    flags = ("--pull-allow", "127.0.0.0/8", "--pull-deny", f"{FORBIDDEN}/32")
    with serving(folder / "server", *flags, "--pull-stall-timeout", "1s", "--pull-attempts", "2") as server:
        before = tree(folder, [str(server.data_dir)])
        yield server
        after = tree(folder, [str(server.data_dir)])
        grows = {str(server.log_file): 0, str(server.audit_file): 0}
        assert {**after, **grows} == {**before, **grows}, "something beside the data folder changed"
        wait_for("the space to come back", lambda: blobs(server), lambda left: not left)


@pytest.fixture(scope="module")
def watched_memory(around):
    honest(NewRest(around).log_in(), random.Random("warm"))
    before = memory(around, "VmHWM")
    yield
    risen = memory(around, "VmHWM") - before
    print(f"QUIRE_SEED={SEED}: memory rose by {risen >> 20} MiB")
    assert risen < MEMORY_BYTES_MAX, f"QUIRE_SEED={SEED}: the server's memory rose by {risen >> 20} MiB"


@pytest.fixture(scope="module")
def elsewhere():
    with HttpSource(host=ELSEWHERE) as source:
        yield source


def honest(rest, chance):
    with Publisher(x_quire=True) as publisher:
        publisher.add("one", {"a": chance.randbytes(30_000)})
        library = Subscription(rest, publisher.url).first()
        library.assert_is(publisher.expected())
        library.ok("delete")


@pytest.mark.parametrize("round_number", range(ROUNDS))
@pytest.mark.parametrize("name", KINDS)
def test_hostile_publisher(around, watched_memory, elsewhere, name, round_number):
    print(f"QUIRE_SEED={SEED}")
    chance = random.Random(f"{SEED} {name} {round_number}")
    rest = NewRest(around).log_in()
    password = secret()
    began = time.monotonic()
    with Publisher(x_quire=True, password=password) as publisher:
        play(rest, chance, publisher, elsewhere, password, *KINDS[name])
    seconds = time.monotonic() - began
    assert seconds < SECONDS_MAX, f"QUIRE_SEED={SEED}: {name} took {seconds:.1f} s"


def play(rest, chance, publisher, elsewhere, password, arm, harm):
    steady = publisher.add("steady", {"s.bin": chance.randbytes(30_000)})
    victim = publisher.add("victim", {"v.bin": chance.randbytes(20_000), "w.bin": chance.randbytes(100)})
    login = {"authentication_method": "BASIC", "user_name": "vcsp", "password": password}
    library = Subscription(rest, publisher.url, **login).first()
    before = publisher.expected()
    library.assert_is(before)

    publisher.put(victim, {"v.bin": (new := chance.randbytes(25_000))})
    publisher.describe(steady, "other words")
    fresh = publisher.add("fresh", {"f.bin": chance.randbytes(10_000)})
    asked = len(elsewhere.requests())
    path = publisher.path_of(victim, "v.bin")
    arm(chance, Scene(publisher, victim, path, steady, elsewhere.answer("/v.bin", Reply(new))))

    task = library.sync(SECONDS_MAX)
    if harm in ("library", "item", "some"):
        told = reason_of(task)
        assert password not in told and not any(ord(character) < 32 for character in told.replace("\n", "")), told
        if harm == "item":
            assert "victim" in told, told
    elif task["status"] == "FAILED":
        reason_of(task)
    assert len(elsewhere.requests()) == asked, "somebody else was asked"
    check_unharmed(library, publisher, before, harm, steady, victim, fresh)

    publisher.heal()
    publisher.ranges = True
    # A publisher that has told the highest numbers has to go beyond them in another way: it is another one.
    publisher.rename_library("healed")
    final = library.sync(SECONDS_MAX)
    if final["status"] == "FAILED" or library.contents() != publisher.expected():
        assert harm in ("any", "gone"), final
        library = recovered(rest, publisher, library, login)
    library.assert_is(publisher.expected())
    library.ok("delete")


def recovered(rest, publisher, library, login):
    """Where a publisher has lied about its counters, what it says later is older; subscribing anew helps, for sure."""
    library.ok("delete")
    return Subscription(rest, publisher.url, **login).first()


def check_unharmed(library, publisher, before, harm, steady, victim, fresh):
    seen = library.contents()
    names = [told["name"] for told in seen.values()]
    assert len(set(names)) == len(names), names
    if harm == "library":
        assert seen == before
    if harm != "gone":
        assert {steady, victim} <= set(seen), names
        assert seen[steady]["files"] == before[steady]["files"]
    if harm in ("library", "item", "some"):
        assert set(names) <= NAMES | {"fresh two"}, names
    if harm in ("library", "item"):
        assert seen[victim]["files"] == before[victim]["files"], "the old version serves on"
    if harm == "item":
        expected = publisher.expected()
        assert seen[steady] == expected[steady] and seen[fresh] == expected[fresh], "one bad item hurts no other"
    for source, told in seen.items():
        committed = publisher.committed(source)
        if harm == "any" and source == victim:
            committed = [*committed, {}]
        assert not committed or told["files"] in committed, (told["name"], told["files"])
    for name in names:
        assert name.strip() and len(name) <= 80 and name.isprintable(), names
    for request in publisher.requests():
        assert "/evil" not in request.path and "x-evil" not in request.headers, request


def test_there_are_enough_kinds():
    assert len(KINDS) >= 30
