"""Files that the server fetches itself, from decent sources and from others (content-library-api.md §28.1, §28.3)."""

import contextlib
import hashlib
import json
import os
import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from govc_client import Govc
from http_source import HttpSource, Reply, make_certificate, redirect
from ova_package import make_package
from quire_server import QuireServer
from rest_client import BINDINGS, JsonRpc, LegacyRest, Transfers, create_library, download_item

PATIENCE = 30
ATTEMPTS = 3
DENIED = "127.0.0.9"  # allowed as loopback, then denied again
CONTENT = random.Random("pull").randbytes(700_001)
OTHER = random.Random("other").randbytes(700_001)


def digests(contents):
    """Name → digest: what is compared, so that a failure prints no megabytes."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


ARRIVED = digests({"boot.iso": CONTENT})


def wait_for(what, call, good):
    """The first value of `call` that is `good`."""
    end = time.monotonic() + PATIENCE
    while not good(value := call()):
        assert time.monotonic() < end, f"waited for {what} in vain; the last was {value}"
        time.sleep(0.03)
    return value


@contextlib.contextmanager
def serving(folder, *flags):
    server = QuireServer(folder, flags=flags).start()
    try:
        yield server
        assert server.process.poll() is None, f"the server died\n{server.log()}"
        server.stop()
    finally:
        server.kill()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Signs certificates that the server trusts."""
    return make_certificate(tmp_path_factory.mktemp("authority"), "authority", address=None)


@pytest.fixture(scope="module")
def puller(tmp_path_factory, authority):
    """A server that pulls from this machine and completes nothing by itself."""
    folder = tmp_path_factory.mktemp("puller")
    roots = folder / "roots.pem"
    roots.write_text(authority.pem)
    with serving(
        folder / "server",
        *("--pull-allow", "127.0.0.0/8", "--pull-deny", f"{DENIED}/32", "--pull-ca-file", str(roots)),
        *("--pull-stall-timeout", "1s", "--pull-attempts", str(ATTEMPTS), "--complete-idle-pulls-after", "0s"),
    ) as server:
        yield server


@pytest.fixture(scope="module")
def library(puller):
    """A library, with the login that made it."""
    rest = LegacyRest(puller).log_in()
    return rest, create_library(rest, "pulled")


@pytest.fixture
def source():
    with HttpSource() as opened:
        yield opened


class Pull:
    """An update session of a new item, to which PULL files are added."""

    def __init__(self, binding, library, item_type=""):
        self.binding = binding
        self.item = binding.ok(
            "item.create", create_spec={"name": uuid.uuid4().hex, "library_id": library, "type": item_type}
        )
        self.session = binding.ok("update_session.create", create_spec={"library_item_id": self.item})

    def call(self, operation, **parameters):
        return self.binding.call(f"update_session.{operation}", update_session_id=self.session, **parameters)

    def ok(self, operation, **parameters):
        return self.binding.ok(f"update_session.{operation}", update_session_id=self.session, **parameters)

    def add(self, name, url, trust=None, **spec):
        endpoint = {"uri": url, **(trust or {})}
        return self.ok("file.add", file_spec={"name": name, "source_type": "PULL", "source_endpoint": endpoint, **spec})

    def file(self, name):
        return self.ok("file.get", file_name=name)

    def arrived(self, name):
        """The file's entry, once it is READY."""
        info = wait_for(f"{name} to arrive", lambda: self.file(name), lambda f: f["status"] in ("READY", "ERROR"))
        assert info["status"] == "READY", info
        return info

    def begun(self, name, least=1):
        return wait_for(f"{name} to flow", lambda: self.file(name), lambda f: f["bytes_transferred"] >= least)

    def ended(self):
        return wait_for("the session's end", lambda: self.ok("get"), lambda model: model["state"] != "ACTIVE")

    def done(self):
        """Completes, if need be waits, and returns the digests of the item's content."""
        self.ok("complete")
        return self.content_when_done()

    def content_when_done(self):
        model = self.ended()
        assert model["state"] == "DONE" and "error_message" not in model, model
        content = download_item(self.binding, Transfers(self.binding.server), self.item)
        item = self.binding.ok("item.get", library_item_id=self.item)
        assert item["size"] == sum(map(len, content.values())) and item["content_version"] == "2", item
        return digests(content)

    def failed(self, name):
        """Waits until the session has failed; what the file's error_message says, params included."""
        model = self.ended()
        assert model["state"] == "ERROR", model
        info = self.file(name)
        assert info["status"] == "ERROR", info
        reason = info["error_message"]["default_message"]
        assert info["error_message"]["id"] and reason, info
        # Clients show the session's only.
        assert model["error_message"]["id"] and reason in model["error_message"]["default_message"], (model, info)
        refused = self.call("complete")
        assert (refused.status, refused.error_type) == (self.refused_status(), "NOT_ALLOWED_IN_CURRENT_STATE"), refused
        assert self.binding.ok("item.get", library_item_id=self.item)["content_version"] == "1"
        self.binding.ok("update_session.create", create_spec={"library_item_id": self.item})  # the item is free
        self.ok("delete")
        return json.dumps(info["error_message"], ensure_ascii=False)

    def refused_status(self):
        return 200 if isinstance(self.binding, JsonRpc) else 400

    def is_refused(self, operation, **parameters):
        answer = self.call(operation, **parameters)
        expected = (self.refused_status(), "NOT_ALLOWED_IN_CURRENT_STATE")
        assert (answer.status, answer.error_type) == expected, f"{operation}: {answer}"


@pytest.fixture
def pull(library):
    return Pull(*library)


BAD_SPECS = {
    "no endpoint": {},
    "no scheme": {"source_endpoint": {"uri": "boot.iso"}},
    "ftp": {"source_endpoint": {"uri": "ftp://127.0.0.1/boot.iso"}},
    "relative": {"source_endpoint": {"uri": "/boot.iso"}},
    "not a thumbprint": {"source_endpoint": {"uri": "https://127.0.0.1/b", "ssl_certificate_thumbprint": "AB:CD"}},
    "no host": {"source_endpoint": {"uri": "http:///boot.iso"}},
    "port out of range": {"source_endpoint": {"uri": "http://127.0.0.1:99999/boot.iso"}},
    "blank in the host": {"source_endpoint": {"uri": "http://127.0.0.1 /boot.iso"}},
    "no certificate": {"source_endpoint": {"uri": "https://127.0.0.1/b", "ssl_certificate": "-----BEGIN"}},
    "checksum too short": {"source_endpoint": {"uri": "http://127.0.0.1/b"}, "checksum_info": {"checksum": "abcd"}},
}


def checksum(algorithm, content=CONTENT):
    return {"algorithm": algorithm, "checksum": hashlib.new(algorithm, content).hexdigest()}


# --- The flows of clients


@pytest.mark.parametrize("wire", BINDINGS)
def test_complete_while_pulling(puller, library, source, wire):
    pull = Pull(BINDINGS[wire](puller).log_in(), library[1])
    url = source.answer("/boot.iso", Reply(CONTENT, hold_after=300_000))
    info = pull.add("boot.iso", url, size=len(CONTENT))
    assert info["status"] in ("WAITING_FOR_TRANSFER", "TRANSFERRING") and "error_message" not in info, info
    assert info["source_type"] == "PULL" and info["source_endpoint"]["uri"] == url, info
    assert "upload_endpoint" not in info, info

    info = pull.begun("boot.iso")
    assert info["status"] == "TRANSFERRING" and info["bytes_transferred"] <= 300_000, info
    model = pull.ok("get")
    assert model["state"] == "ACTIVE" and model["preview_info"]["state"] == "NOT_APPLICABLE", model
    pull.ok("complete")
    model = pull.ok("get")
    assert model["state"] == "ACTIVE" and "error_message" not in model, model
    assert pull.binding.ok("item.get", library_item_id=pull.item)["content_version"] == "1"

    source.gate.set()
    assert pull.content_when_done() == ARRIVED
    (info,) = pull.ok("file.list")
    assert (info["status"], info["size"], info["bytes_transferred"]) == ("READY", len(CONTENT), len(CONTENT)), info
    assert info["source_endpoint"]["uri"] == url and "upload_endpoint" not in info, info
    pull.ok("delete")


@pytest.mark.parametrize("wire", BINDINGS)
def test_pull_ended_before_complete(puller, library, source, wire):
    pull = Pull(BINDINGS[wire](puller).log_in(), library[1])
    pull.add("boot.iso", source.answer("/boot.iso", Reply(CONTENT)))
    assert pull.arrived("boot.iso")["size"] == len(CONTENT)
    pull.ok("complete")
    assert pull.ok("get")["state"] == "DONE"
    assert pull.content_when_done() == ARRIVED


@pytest.mark.parametrize("wire", BINDINGS)
def test_bad_source_is_refused_at_once(puller, library, wire):
    pull = Pull(BINDINGS[wire](puller).log_in(), library[1])
    for case, spec in BAD_SPECS.items():
        answer = pull.call("file.add", file_spec={"name": "boot.iso", "source_type": "PULL", **spec})
        expected = (pull.refused_status(), "INVALID_ARGUMENT")
        assert (answer.status, answer.error_type) == expected and answer.messages, f"{case}: {answer}"
    assert pull.ok("file.list") == [] and pull.ok("get")["state"] == "ACTIVE"


@pytest.mark.parametrize("wire", BINDINGS)
def test_failed_pull_tells_why(puller, library, source, wire):
    pull = Pull(BINDINGS[wire](puller).log_in(), library[1])
    pull.add("boot.iso", source.url("/nothing.iso"))
    reason = pull.failed("boot.iso")
    assert "404" in reason and source.url("/nothing.iso") in reason, reason
    assert len(source.requests("/nothing.iso")) == 1


def test_session_that_nobody_completes(tmp_path, source):
    """Terraform waits for a session to leave ACTIVE, and only then completes it."""
    with serving(tmp_path / "server", "--pull-allow", "127.0.0.0/8", "--complete-idle-pulls-after", "2s") as server:
        rest = LegacyRest(server).log_in()
        library = create_library(rest)
        url = source.answer("/boot.iso", Reply(CONTENT))
        left_alone, kept_alive, pushing, incomplete = (
            Pull(rest, library, item_type) for item_type in ("iso", "iso", "iso", "ovf")
        )
        pulls = (left_alone, kept_alive, pushing)
        for pull in pulls:
            pull.add("boot.iso", url)
        pushing.ok("file.add", file_spec={"name": "more.iso", "source_type": "PUSH"})
        incomplete.add("disk.vmdk", url)
        for pull in pulls:
            pull.arrived("boot.iso")

        arrived = time.monotonic()
        while left_alone.ok("get")["state"] == "ACTIVE":
            kept_alive.ok("keep_alive")
            left_alone.ok("file.list")  # reading is no activity of a client that goes on
            assert time.monotonic() < arrived + 15, "the session never completed by itself"
            time.sleep(0.1)
        waited = time.monotonic() - arrived
        assert 1 < waited < 6, waited
        left_alone.ok("complete")
        assert left_alone.content_when_done() == ARRIVED
        left_alone.ok("delete")
        assert kept_alive.ok("get")["state"] == "ACTIVE"
        assert pushing.ok("get")["state"] == "ACTIVE"
        assert kept_alive.done() == ARRIVED


def test_session_that_is_never_to_complete_by_itself(pull, source):
    pull.add("boot.iso", source.answer("/boot.iso", Reply(CONTENT)))
    pull.arrived("boot.iso")
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        assert pull.ok("get")["state"] == "ACTIVE"
        time.sleep(0.2)
    assert pull.done() == ARRIVED


def test_between_complete_and_the_end(pull, source):
    url = source.answer("/boot.iso", Reply(CONTENT, hold_after=1000))
    pull.add("boot.iso", url)
    pull.ok("complete")
    spec = {"name": "more.iso", "source_type": "PUSH"}
    pull.is_refused("file.add", file_spec=spec)
    pull.is_refused("file.add", file_spec={**spec, "source_type": "PULL", "source_endpoint": {"uri": url}})
    pull.is_refused("file.remove", file_name="boot.iso")
    pull.is_refused("file.validate")
    pull.is_refused("complete")
    pull.is_refused("delete")
    pull.ok("keep_alive", client_progress=40)
    pull.ok("update", update_spec={"warning_behavior": [{"type": "SELF_SIGNED_CERTIFICATE", "ignored": True}]})
    model = pull.ok("get")
    assert (model["state"], model["client_progress"]) == ("ACTIVE", 40), model
    assert pull.session in pull.binding.ok("update_session.list", library_item_id=pull.item)
    assert [file["name"] for file in pull.ok("file.list")] == ["boot.iso"]
    source.gate.set()
    assert pull.content_when_done() == ARRIVED


def test_accepted_complete_does_not_expire(tmp_path, source):
    """The client may leave: what was accepted ends as DONE, also when its pull has had to wait for its turn."""
    flags = ("--pull-allow", "127.0.0.0/8", "--pulls-max", "1", "--update-session-timeout", "1s")
    with serving(tmp_path / "server", *flags) as server:
        rest = LegacyRest(server).log_in()
        library = create_library(rest)
        pulls = [Pull(rest, library), Pull(rest, library)]
        for pull in pulls:
            pull.add("boot.iso", source.answer("/boot.iso", Reply(CONTENT, hold_after=1000)))
            pull.ok("complete")
        assert not source.gate.wait(3)
        source.gate.set()
        for pull in pulls:
            assert pull.content_when_done() == ARRIVED


@pytest.mark.parametrize("operation", ["cancel", "fail"])
def test_end_between_complete_and_the_end(pull, source, operation):
    pull.add("boot.iso", source.answer("/boot.iso", Reply(CONTENT, hold_after=1000)))
    pull.begun("boot.iso")
    pull.ok("complete")
    pull.ok(operation, **({"client_error_message": "enough"} if operation == "fail" else {}))
    assert source.wait_until_client_left(5)
    assert pull.ok("get")["state"] == {"cancel": "CANCELED", "fail": "ERROR"}[operation]
    assert pull.binding.ok("item.get", library_item_id=pull.item)["content_version"] == "1"


# --- Promises


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256", "SHA512", "MD5"])
def test_checksum(library, source, algorithm):
    url = source.answer("/boot.iso", Reply(CONTENT))
    good, bad = Pull(*library), Pull(*library)
    good.add("boot.iso", url, checksum_info=checksum(algorithm))
    bad.add("boot.iso", url, checksum_info=checksum(algorithm, OTHER))
    assert good.done() == ARRIVED
    reason = bad.failed("boot.iso")
    assert algorithm in reason and checksum(algorithm)["checksum"] in reason, reason
    assert len(source.requests()) == 2


def test_checksum_without_algorithm_is_sha1(library, source):
    url = source.answer("/boot.iso", Reply(CONTENT))
    good, bad = Pull(*library), Pull(*library)
    good.add("boot.iso", url, checksum_info={"checksum": checksum("SHA1")["checksum"].upper()})
    bad.add("boot.iso", url, checksum_info={"checksum": "0" * 40})
    assert good.done() == ARRIVED
    assert "SHA1" in bad.failed("boot.iso")


@pytest.mark.parametrize("size", [len(CONTENT), 0, -1])
def test_size_that_holds(pull, source, size):
    pull.add("boot.iso", source.answer("/boot.iso", Reply(CONTENT)), size=size)
    assert pull.done() == ARRIVED


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("size", [len(CONTENT) - 1, len(CONTENT) + 1])
def test_size_that_does_not(pull, source, size, framing):
    pull.add("boot.iso", source.answer("/boot.iso", Reply(CONTENT, framing=framing)), size=size)
    assert str(size) in pull.failed("boot.iso")
    assert len(source.requests()) == 1


@pytest.mark.parametrize("framing", ["chunked", "close"])
def test_source_without_a_length(pull, source, framing):
    pull.add("boot.iso", source.answer("/boot.iso", Reply(CONTENT, framing=framing)))
    assert pull.done() == ARRIVED


def test_empty_file(pull, source):
    pull.add("empty", source.answer("/empty", Reply(b"")))
    assert pull.done() == digests({"empty": b""})


# --- Packages


def serve_package(source, package):
    """The URL of each file by its name; all lie in one folder."""
    return {
        file.name: source.answer(f"/some%20where/{file.name}", Reply(file.read_bytes())) for file in package.all_files()
    }


def content_of(package):
    return digests({file.name: file.read_bytes() for file in package.content_files()})


@pytest.fixture(scope="module")
def two_disks(tmp_path_factory):
    return make_package(tmp_path_factory.mktemp("package"), "two", [1 << 20, 1 << 18], seed=2)


@pytest.mark.parametrize("completed", ["at once", "after the preview"])
def test_ovf_brings_its_references(puller, library, source, two_disks, completed):
    """Ansible waits for the preview of a pulled descriptor before it completes."""
    pull = Pull(JsonRpc(puller).log_in(), library[1], "ovf")
    source.credentials = "reader:s3cret"
    serve_package(source, two_disks)
    source.answer("/some%20where/two.ovf?token=1", Reply(two_disks.descriptor.read_bytes()))
    pull.add("two.ovf", source.url("/some%20where/two.ovf?token=1", credentials="reader:s3cret"))
    if completed == "after the preview":
        model = wait_for(
            "the preview", lambda: pull.ok("get"), lambda model: model["preview_info"]["state"] == "AVAILABLE"
        )
        assert model["preview_info"]["warnings"] == [], model
        validated = wait_for(
            "validation", lambda: pull.ok("file.validate"), lambda result: len(pull.ok("file.list")) == 3
        )
        assert validated == {"has_errors": False, "missing_files": [], "invalid_files": []}, validated
    assert pull.done() == content_of(two_disks)
    listed = {file["name"]: file["source_type"] for file in pull.ok("file.list")}
    assert listed == dict.fromkeys(content_of(two_disks), "PULL")


def test_ovf_whose_reference_is_missing(library, source, two_disks):
    pull = Pull(*library, "ovf")
    urls = serve_package(source, two_disks)
    missing = two_disks.disks[1].name
    source.answer(f"/some%20where/{missing}", Reply(status=404))
    pull.add("two.ovf", urls["two.ovf"])
    pull.call("complete")
    reason = pull.failed(missing)
    assert "404" in reason and missing in reason, reason


@pytest.mark.parametrize("with_checksum", [False, True])
def test_ova_is_unpacked(library, source, two_disks, tmp_path, with_checksum):
    archive = two_disks.pack(tmp_path / "two.ova").read_bytes()
    pull = Pull(*library, "ovf")
    spec = {"checksum_info": checksum("SHA256", archive)} if with_checksum else {}
    pull.add("two.ova", source.answer("/two.ova", Reply(archive)), size=len(archive), **spec)
    assert pull.done() == content_of(two_disks)


REFERENCE = """<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
  <References><File ovf:id="file1" ovf:href="{href}"/></References>
</Envelope>"""


@pytest.mark.parametrize(
    ("href", "path"),
    [
        ("disks/first.vmdk", "disks/first.vmdk"),
        ("a blank?.vmdk", "a%20blank%3F.vmdk"),
        ("döner.vmdk", "d%C3%B6ner.vmdk"),
    ],
)
def test_ovf_reference_with_an_uncommon_name(library, source, href, path):
    pull = Pull(*library, "ovf")
    descriptor = REFERENCE.format(href=href).encode()
    source.answer(f"/folder/{path}", Reply(CONTENT))
    pull.add("one.ovf", source.answer("/folder/one.ovf", Reply(descriptor)))
    assert pull.done() == digests({"one.ovf": descriptor, href: CONTENT})


@pytest.mark.parametrize(
    "href", ["../secret", "/secret", "//{host}/secret", "http://{host}/secret", "file:///etc/passwd"]
)
def test_ovf_reference_to_somewhere_else(library, source, href):
    pull = Pull(*library, "ovf")
    descriptor = REFERENCE.format(href=href.format(host=f"127.0.0.1:{source.port}")).encode()
    source.answer("/secret", Reply(CONTENT))
    pull.add("one.ovf", source.answer("/folder/one.ovf", Reply(descriptor)))
    pull.call("complete")
    assert pull.ended()["state"] == "ERROR"
    assert {request.path for request in source.requests()} == {"/folder/one.ovf"}


def package(*hrefs):
    """A descriptor that references `hrefs`."""
    files = "".join(f'<File ovf:id="{href}" ovf:href="{href}"/>' for href in hrefs)
    return REFERENCE.replace('<File ovf:id="file1" ovf:href="{href}"/>', files).encode()


def asked(source):
    return [request.path for request in source.requests()]


def test_ovf_reference_is_a_uri_reference(library, source):
    pull = Pull(*library, "ovf")
    descriptor = package("My%20VM-disk1.vmdk", "sub/50%25.vmdk", "other.vmdk?part=1")
    for path in ("My%20VM-disk1.vmdk", "sub/50%25.vmdk", "other.vmdk?part=1"):
        source.answer(f"/folder/{path}", Reply(CONTENT))
    pull.add("vm.ovf", source.answer("/folder/vm.ovf?token=1", Reply(descriptor)))
    names = ("My VM-disk1.vmdk", "sub/50%.vmdk", "other.vmdk?part=1")
    assert pull.done() == digests({"vm.ovf": descriptor, **dict.fromkeys(names, CONTENT)})
    assert not [path for path in asked(source) if "%2520" in path or "%2525" in path], asked(source)


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("disks_at", ["final", "given"])
def test_ovf_behind_a_redirect(library, source, disks_at, status):
    """The final URL is the base of its references (RFC 3986 5.1.3); each file may have a redirect of its own as well."""
    with HttpSource() as store:
        pull = Pull(*library, "ovf")
        descriptor = package("disk.vmdk")
        source.credentials = "reader:s3cret"
        source.answer("/latest/vm.ovf", redirect(store.answer("/v2/vm.ovf?signature=x", Reply(descriptor))))
        if disks_at == "final":
            store.answer("/v2/disk.vmdk", Reply(CONTENT))
        else:
            store.answer("/v2/disk.vmdk", Reply(status=status))
            source.answer("/latest/disk.vmdk", redirect(store.answer("/v2/disk.vmdk?signature=y", Reply(CONTENT))))
        pull.add("vm.ovf", source.url("/latest/vm.ovf", credentials="reader:s3cret"))
        assert pull.done() == digests({"vm.ovf": descriptor, "disk.vmdk": CONTENT})
        assert not [request for request in store.requests() if "authorization" in request.headers]


def test_ovf_behind_a_redirect_on_its_own_host(library, source):
    pull = Pull(*library, "ovf")
    source.credentials = "reader:s3cret"
    descriptor = package("disk.vmdk")
    source.answer("/latest/vm.ovf", redirect("/v2/vm.ovf"))
    source.answer("/v2/vm.ovf", Reply(descriptor))
    source.answer("/v2/disk.vmdk", Reply(CONTENT))
    pull.add("vm.ovf", source.url("/latest/vm.ovf", credentials="reader:s3cret"))
    assert pull.done() == digests({"vm.ovf": descriptor, "disk.vmdk": CONTENT})


def test_ovf_behind_a_redirect_survives_the_server(tmp_path, source):
    with serving(tmp_path, "--pull-allow", "127.0.0.0/8", "--pull-attempts", "9") as server:
        rest = LegacyRest(server).log_in()
        pull = Pull(rest, create_library(rest, "pulled"), "ovf")
        descriptor = package("disk.vmdk")
        source.answer("/latest/vm.ovf", redirect("/v2/vm.ovf"))
        source.answer("/v2/vm.ovf", Reply(descriptor))
        source.answer("/v2/disk.vmdk", Reply(CONTENT, hold_after=1000), Reply(CONTENT))
        pull.add("vm.ovf", source.url("/latest/vm.ovf"))
        wait_for("the disk", lambda: asked(source), lambda paths: "/v2/disk.vmdk" in paths)
        server.kill()
        source.gate.set()
        server.start()
        pull.binding = LegacyRest(server).log_in()
        assert pull.done() == digests({"vm.ovf": descriptor, "disk.vmdk": CONTENT})
        assert "/latest/disk.vmdk" not in asked(source)


def test_many_files(pull, source):
    files = {f"file-{number:02}.bin": CONTENT[number : number + 5000] for number in range(40)}
    for name, content in files.items():
        pull.add(name, source.answer(f"/{name}", Reply(content)), size=len(content))
    assert pull.done() == digests(files)


def test_broken_ova(library, source, two_disks, tmp_path):
    archive = two_disks.pack(tmp_path / "two.ova").read_bytes()
    pull = Pull(*library, "ovf")
    pull.add("two.ova", source.answer("/two.ova", Reply(archive[: len(archive) // 2])))
    assert "ends too early" in pull.failed("two.ova")
    assert len(source.requests()) == 1


# --- Sources that are broken


def start(library, urls):
    """A pull from each URL; all wait for their next attempt at the same time."""
    pulls = {case: Pull(*library) for case in urls}
    for case, pull in pulls.items():
        pull.add("boot.iso", urls[case])
    return pulls


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_refusal_ends_the_pull(pull, source, status):
    pull.add("boot.iso", source.answer("/boot.iso", Reply(status=status)))
    reason = pull.failed("boot.iso")
    assert str(status) in reason and source.url("/boot.iso") in reason, reason
    assert len(source.requests()) == 1


def test_server_error_is_tried_again(pull, source):
    pull.add("boot.iso", source.answer("/boot.iso", Reply(status=500), Reply(CONTENT)))
    assert pull.done() == ARRIVED
    assert len(source.requests()) == 2


def test_attempts_have_an_end(library, source):
    with HttpSource() as closed:
        nobody = closed.url("/boot.iso")
    liar = Reply(CONTENT, announced=len(CONTENT) + 10)
    pulls = start(
        library,
        {
            "server errors": source.answer("/error", Reply(status=500), Reply(status=503)),
            "nobody listens": nobody,
            "less than announced": source.answer("/liar", liar),
        },
    )
    pulls["nobody listens"].ok("complete")
    reasons = {case: pull.failed("boot.iso") for case, pull in pulls.items()}
    for case, reason in reasons.items():
        assert f"attempts: {ATTEMPTS})" in reason, f"{case}: {reason}"
    assert "500" in reasons["server errors"] and "503" in reasons["server errors"], reasons
    assert nobody in reasons["nobody listens"], reasons
    assert len(source.requests("/error")) == len(source.requests("/liar")) == ATTEMPTS


def test_too_many_requests_waits_as_told(pull, source):
    busy = Reply(status=429, headers={"Retry-After": "2"})
    pull.add("boot.iso", source.answer("/boot.iso", busy, Reply(CONTENT)))
    assert pull.done() == ARRIVED
    first, second = source.requests()
    assert 2 <= second.time - first.time < 5


def test_stall(library, source):
    urls = {}
    for etag in ('"v1"', None):
        stalled, whole = (Reply(CONTENT, etag=etag, hold_after=count) for count in (300_000, None))
        urls[etag] = source.answer(f"/{etag is not None}", stalled, whole)
    for etag, pull in start(library, urls).items():
        assert pull.done() == ARRIVED, etag
        first, second = source.requests(f"/{etag is not None}")
        assert second.time - first.time >= 1
        assert second.headers.get("range") == (etag and "bytes=300000-"), second


def test_silent_source_keeps_its_session(tmp_path, source):
    """A pull that waits for its source is activity, however short the time-out is."""
    with serving(
        tmp_path, "--pull-allow", "127.0.0.0/8", "--update-session-timeout", "1s", "--pull-stall-timeout", "2s"
    ) as server:
        rest = LegacyRest(server).log_in()
        pull = Pull(rest, create_library(rest, "pulled"))
        held = Reply(CONTENT, hold_after=1000)
        pull.add("boot.iso", source.answer("/boot.iso", held, Reply(status=503), held, Reply(CONTENT)))
        pull.ok("complete")
        assert pull.content_when_done() == ARRIVED


def test_broken_connection_is_resumed(pull, source):
    replies = [Reply(CONTENT, etag='"v1"', cut_after=count) for count in (300_000, 200_000)]
    pull.add("boot.iso", source.answer("/boot.iso", *replies, Reply(CONTENT, etag='"v1"')), size=len(CONTENT))
    assert pull.done() == ARRIVED
    asked = [(request.headers.get("range"), request.headers.get("if-range")) for request in source.requests()]
    assert asked == [(None, None), ("bytes=300000-", '"v1"'), ("bytes=500000-", '"v1"')]


def test_broken_connection_starts_over(library, source):
    """Without a strong validator, and where the source ignores the Range."""
    looks = {
        "weak": {"etag": 'W/"v1"'},
        "none": {},
        "chunked": {"framing": "chunked"},
        "no ranges": {"etag": '"v1"', "ranges": False},
    }
    urls = {
        case: source.answer(f"/{index}", *(Reply(CONTENT, cut_after=count, **look) for count in (300_000, None)))
        for index, (case, look) in enumerate(looks.items())
    }
    for index, (case, pull) in enumerate(start(library, urls).items()):
        assert pull.done() == ARRIVED, case
        asked = [request.headers.get("range") for request in source.requests(f"/{index}")]
        assert asked[0] is None and len(asked) <= 3, (case, asked)
        assert case == "no ranges" or asked == [None, None], (case, asked)


def test_cut_at_random_bytes(pull, source):
    """Anywhere, before the first and the last byte included; with and without a validator."""
    seed = int(os.environ.get("QUIRE_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"QUIRE_SEED={seed}")
    chance = random.Random(seed)
    contents = {}
    for number in range(8):
        name = f"{number}.bin"
        content = contents[name] = CONTENT[: chance.randint(1, len(CONTENT))]
        look = chance.choice([{"etag": '"v1"'}, {"etag": 'W/"v1"'}, {}, {"framing": "chunked"}])
        end = chance.choice([0, 1, len(content) - 1, chance.randrange(len(content))])
        pull.add(name, source.answer(f"/{name}", Reply(content, cut_after=end, **look), Reply(content, **look)))
    assert pull.done() == digests(contents), f"QUIRE_SEED={seed}"


def test_content_that_changes_between_attempts(library, source):
    """What arrives is one version, whatever the source says of it."""
    second = {
        "said": Reply(OTHER, etag='"v2"'),
        "not asked": Reply(OTHER, etag='"v2"', if_range=False),  # a part of the new, although the old was asked for
        "no validator": Reply(OTHER, if_range=False),
        "longer": Reply(OTHER + b"more", etag='"v1"'),
        "shorter": Reply(OTHER[:200_000], etag='"v2"'),
        "shorter, not asked": Reply(OTHER[:200_000], etag='"v2"', if_range=False),
    }
    urls = {
        case: source.answer(f"/{index}", Reply(CONTENT, etag='"v1"', hold_after=300_000), reply)
        for index, (case, reply) in enumerate(second.items())
    }
    pulls = start(library, urls)
    arrived = {case: pull.done() for case, pull in pulls.items()}
    assert arrived == {case: digests({"boot.iso": reply.content}) for case, reply in second.items()}


def test_broken_archive_transfer_is_resumed(library, source, two_disks, tmp_path):
    archive = two_disks.pack(tmp_path / "two.ova").read_bytes()
    pull = Pull(*library, "ovf")
    cut, whole = (Reply(archive, etag='"v1"', cut_after=count) for count in (len(archive) // 2, None))
    pull.add("two.ova", source.answer("/two.ova", cut, whole))
    assert pull.done() == content_of(two_disks)
    assert "range" in source.requests()[1].headers


# --- Redirects and addresses


def test_redirects_have_an_end(library, source):
    source.answer("/0", Reply(CONTENT))
    for hop in range(1, 7):
        source.answer(f"/{hop}", redirect(f"/{hop - 1}", (301, 302, 303, 307, 308, 302)[hop - 1]))
    five, six = Pull(*library), Pull(*library)
    five.add("boot.iso", source.url("/5"))
    assert five.done() == ARRIVED
    six.add("boot.iso", source.url("/6"))
    reason = six.failed("boot.iso")
    assert "redirect" in reason, reason
    assert len(source.requests("/6")) == 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/boot.iso", "http://"])
def test_redirect_to_what_is_no_web_address(pull, source, location):
    pull.add("boot.iso", source.answer("/boot.iso", redirect(location)))
    assert "redirect" in pull.failed("boot.iso")


def test_redirect_from_https_to_http(pull, source, authority, tmp_path):
    url = source.answer("/boot.iso", Reply(CONTENT))
    with HttpSource(certificate=make_certificate(tmp_path, "signed", authority)) as secure:
        pull.add("boot.iso", secure.answer("/boot.iso", redirect(url)))
        assert "https to http" in pull.failed("boot.iso")
        assert len(secure.requests()) == 1
    assert source.requests() == []


def test_redirect_from_http_to_https(pull, source, authority, tmp_path):
    with HttpSource(certificate=make_certificate(tmp_path, "signed", authority)) as secure:
        pull.add("boot.iso", source.answer("/boot.iso", redirect(secure.answer("/boot.iso", Reply(CONTENT)))))
        assert pull.done() == ARRIVED


def test_own_machine_is_refused_unless_allowed(shared_server, source):
    rest = LegacyRest(shared_server).log_in()
    library = create_library(rest)
    source.answer("/boot.iso", Reply(CONTENT))
    port = source.port
    hosts = ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0.0.0.0", "[::]", "[::1]"]
    pulls = [(host, Pull(rest, library)) for host in hosts]
    for host, pull in pulls:
        pull.add("boot.iso", f"http://{host}:{port}/boot.iso")
    for host, pull in pulls:
        reason = pull.failed("boot.iso")
        assert "attempts: 1)" in reason and "allow" in reason, f"{host}: {reason}"
    assert source.requests() == []


@pytest.mark.parametrize("through", ["itself", "redirect"])
def test_forbidden_address(library, source, through):
    with HttpSource(host=DENIED) as denied:
        urls = [denied.answer("/boot.iso", Reply(CONTENT)), "http://169.254.169.254/boot.iso", "http://[::1]/boot.iso"]
        pulls = [Pull(*library) for _ in urls]
        for number, (pull, url) in enumerate(zip(pulls, urls)):
            pull.add("boot.iso", source.answer(f"/{number}", redirect(url)) if through == "redirect" else url)
        for pull, url in zip(pulls, urls):
            reason = pull.failed("boot.iso")
            assert "attempts: 1)" in reason and "allow" in reason, f"{url}: {reason}"
        assert denied.requests() == []


# --- Certificates


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"), "self-signed")


@pytest.fixture
def unknown_source(self_signed):
    """A source whose certificate nobody vouches for."""
    with HttpSource(certificate=self_signed) as opened:
        opened.answer("/boot.iso", Reply(CONTENT))
        yield opened


def test_certificate_that_chains(pull, authority, tmp_path):
    with HttpSource(certificate=make_certificate(tmp_path, "signed", authority)) as secure:
        pull.add("boot.iso", secure.answer("/boot.iso", Reply(CONTENT)))
        assert pull.done() == ARRIVED


def test_unknown_certificate_is_shown(pull, unknown_source, self_signed):
    pull.add("boot.iso", unknown_source.url("/boot.iso"))
    wait_for("the end", lambda: pull.ok("get"), lambda model: model["state"] == "ERROR")
    message = pull.ok("get")["error_message"]
    assert self_signed.thumbprint() in message["default_message"], message
    assert "ssl_certificate_thumbprint" in message["default_message"], message
    reason = pull.failed("boot.iso")
    assert "attempts: 1)" in reason and json.dumps(self_signed.pem.strip())[1:-1] in reason, reason
    assert unknown_source.requests() == []


def trust_in(certificate):
    thumbprint, pem = certificate.thumbprint(), certificate.pem
    return {
        "SHA-1": {"ssl_certificate_thumbprint": thumbprint},
        "SHA-1, plain": {"ssl_certificate_thumbprint": thumbprint.replace(":", "").lower()},
        "SHA-256": {"ssl_certificate_thumbprint": certificate.thumbprint("sha256")},
        "PEM": {"ssl_certificate": pem},
        "PEM before thumbprint": {"ssl_certificate": pem, "ssl_certificate_thumbprint": "00" * 20},
    }


@pytest.mark.parametrize("form", ["SHA-1", "SHA-1, plain", "SHA-256", "PEM", "PEM before thumbprint"])
def test_given_certificate(library, unknown_source, self_signed, tmp_path, form):
    good, bad = Pull(*library), Pull(*library)
    url = unknown_source.url("/boot.iso")
    good.add("boot.iso", url, trust_in(self_signed)[form])
    bad.add("boot.iso", url, trust_in(make_certificate(tmp_path, "another"))[form])
    assert good.done() == ARRIVED
    reason = bad.failed("boot.iso")
    assert self_signed.thumbprint() in reason, reason


def test_thumbprint_of_another_certificate_in_spite_of_the_chain(pull, authority, self_signed, tmp_path):
    with HttpSource(certificate=make_certificate(tmp_path, "signed", authority)) as secure:
        pull.add("boot.iso", secure.answer("/boot.iso", Reply(CONTENT)), trust_in(self_signed)["SHA-1"])
        pull.failed("boot.iso")


def test_given_root(library, tmp_path):
    """A PEM that is not the presented certificate is the root of a normal check, names included."""
    root = make_certificate(tmp_path, "another-root", address=None)
    for address, good in (("127.0.0.1", True), ("127.0.0.5", False)):
        with HttpSource(certificate=make_certificate(tmp_path, "leaf", root, address=address)) as secure:
            pull = Pull(*library)
            pull.add("boot.iso", secure.answer("/boot.iso", Reply(CONTENT)), {"ssl_certificate": root.pem})
            if good:
                assert pull.done() == ARRIVED
            else:
                pull.failed("boot.iso")


@pytest.mark.parametrize("port", [True, False])
def test_pinned_host(tmp_path, self_signed, unknown_source, port):
    """For clients that cannot send a thumbprint, as Terraform."""
    host = f"127.0.0.1:{unknown_source.port}" if port else "127.0.0.1"
    pins = ("--pull-trust", f"other.example={'0' * 40}", "--pull-trust", f"{host}={self_signed.thumbprint('sha256')}")
    with serving(tmp_path, "--pull-allow", "127.0.0.0/8", *pins) as server:
        rest = LegacyRest(server).log_in()
        library = create_library(rest, "pulled")
        pinned, named = Pull(rest, library), Pull(rest, library)
        pinned.add("boot.iso", unknown_source.url("/boot.iso"))
        named.add("boot.iso", unknown_source.url("/boot.iso"), {"ssl_certificate_thumbprint": "00" * 20})
        assert pinned.done() == ARRIVED
        named.failed("boot.iso")


@pytest.mark.parametrize("value", ["mirror.example", "mirror.example=AB:CD", "https://mirror.example=" + "0" * 40])
def test_pin_that_cannot_be_read(tmp_path, value):
    server = QuireServer(tmp_path, flags=("--pull-trust", value))
    with pytest.raises(Exception, match="HOST"):
        server.start()
    server.kill()


# --- Credentials


def test_credentials_in_the_url(puller, library, source):
    good, bad = Pull(*library), Pull(*library)
    source.credentials = "reader:s3cret w/ord"
    source.answer("/boot.iso", Reply(CONTENT))
    good.add("boot.iso", source.url("/boot.iso", credentials="reader:s3cret%20w%2Ford"))
    assert good.done() == ARRIVED
    bad.add("boot.iso", source.url("/boot.iso", credentials="reader:wr0ng-word"))
    reason = bad.failed("boot.iso")
    assert "401" in reason and source.url("/boot.iso") in reason, reason
    shown = reason + puller.log(10_000)
    assert not [secret for secret in ("s3cret", "wr0ng-word", "reader") if secret in shown], shown


def test_credentials_in_the_query(puller, pull, source):
    """Signed URLs carry them there."""
    url = source.answer("/boot.iso?signature=s3cret", Reply(status=403))
    pull.add("boot.iso", url)
    reason = pull.failed("boot.iso")
    assert source.url("/boot.iso") in reason and "s3cret" not in reason + puller.log(10_000), reason
    assert len(source.requests("/boot.iso?signature=s3cret")) == 1


def test_credentials_stay_with_their_host(library, source):
    with HttpSource() as other:
        target = other.answer("/boot.iso", Reply(CONTENT))
        elsewhere, here = Pull(*library), Pull(*library)
        source.answer("/elsewhere", redirect(target))
        source.answer("/here", redirect("/boot.iso"))
        source.answer("/boot.iso", Reply(CONTENT))
        elsewhere.add("boot.iso", source.url("/elsewhere", credentials="reader:s3cret"))
        here.add("boot.iso", source.url("/here", credentials="reader:s3cret"))
        assert elsewhere.done() == here.done() == ARRIVED
        assert [request.credentials for request in source.requests("/elsewhere")] == ["reader:s3cret"]
        assert [request.credentials for request in other.requests()] == [None]
        assert [request.credentials for request in source.requests("/boot.iso")] == ["reader:s3cret"]


# --- The server's own troubles


@pytest.mark.parametrize("end", ["kill", "stop"])
@pytest.mark.parametrize("completed", [True, False], ids=["completed before", "completed after"])
def test_pull_survives_the_server(tmp_path, source, end, completed):
    with serving(tmp_path / "server", "--pull-allow", "127.0.0.0/8", "--shutdown-grace", "60s") as server:
        rest = LegacyRest(server).log_in()
        pull = Pull(rest, create_library(rest))
        held, whole = (Reply(CONTENT, etag='"v1"', hold_after=count) for count in (300_000, None))
        url = source.answer("/boot.iso", held, whole)
        pull.add("boot.iso", url, checksum_info=checksum("SHA256"))
        pull.begun("boot.iso")
        if completed:
            pull.ok("complete")
        before = time.monotonic()
        getattr(server, end)()
        assert time.monotonic() < before + 10, "the server waited for the pull"
        server.start()
        pull.binding = LegacyRest(server).log_in()
        if not completed:
            assert pull.arrived("boot.iso")["source_endpoint"]["uri"] == url
            pull.ok("complete")
        assert pull.content_when_done() == ARRIVED


def bytes_below(folder):
    """What the files of a folder take, the catalog aside."""
    return sum(
        path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file() and "catalog" not in path.name
    )


def test_cancel_stops_the_pull(puller, pull, source):
    big = random.Random("big").randbytes(8 << 20)
    before = bytes_below(puller.data_dir)
    pull.add("big.iso", source.answer("/big.iso", Reply(big, hold_after=6 << 20)))
    pull.begun("big.iso", 4 << 20)
    assert bytes_below(puller.data_dir) > before + (2 << 20)
    pull.ok("cancel")
    assert source.wait_until_client_left(0.8), "the transfer went on after cancel"
    assert pull.ok("get")["state"] == "CANCELED"
    wait_for("room", lambda: bytes_below(puller.data_dir), lambda taken: taken <= before)
    assert len(source.requests()) == 1


def test_removed_file_is_no_longer_pulled(pull, source):
    pull.add("boot.iso", source.answer("/boot.iso", Reply(CONTENT, hold_after=1000)))
    pull.begun("boot.iso")
    pull.ok("file.remove", file_name="boot.iso")
    assert source.wait_until_client_left(5)
    assert pull.ok("file.list") == []
    # Added again it is another pull.
    pull.add("boot.iso", source.answer("/boot.iso", Reply(OTHER)))
    assert pull.done() == digests({"boot.iso": OTHER})


def test_later_pull_of_the_same_name_wins(pull, source):
    pull.add("boot.iso", source.answer("/old.iso", Reply(OTHER, hold_after=1000)))
    pull.begun("boot.iso")
    pull.add("boot.iso", source.answer("/new.iso", Reply(CONTENT)))
    assert source.wait_until_client_left(5)
    assert pull.done() == ARRIVED


def test_deleted_item_is_no_longer_pulled(puller, library, pull, source):
    before = bytes_below(puller.data_dir)
    pull.add("boot.iso", source.answer("/boot.iso", Reply(CONTENT, hold_after=300_000)))
    pull.begun("boot.iso", 200_000)
    pull.binding.ok("item.delete", library_item_id=pull.item)
    assert source.wait_until_client_left(5)
    assert pull.call("get").error_type == "NOT_FOUND"
    wait_for("room", lambda: bytes_below(puller.data_dir), lambda taken: taken <= before)


def test_empty_texts_for_trust_are_unset(pull, authority, tmp_path):
    with HttpSource(certificate=make_certificate(tmp_path, "signed", authority)) as secure:
        url = secure.answer("/boot.iso", Reply(CONTENT))
        info = pull.add("boot.iso", url, {"ssl_certificate": "", "ssl_certificate_thumbprint": ""})
        assert info["source_endpoint"] == {"uri": url}, info
        assert pull.done() == ARRIVED


# --- Probes


OLDER_BINDINGS = [wire for wire in BINDINGS if wire != "new"]


def probe(binding, uri, **trust):
    return binding.ok("file.probe", source_endpoint={"uri": uri, **trust})


@pytest.mark.parametrize("wire", OLDER_BINDINGS)
def test_probe_shows_the_certificate(puller, unknown_source, self_signed, wire):
    binding, url = BINDINGS[wire](puller).log_in(), unknown_source.url("/boot.iso")
    seen = probe(binding, url)
    assert seen["status"] == "CERTIFICATE_ERROR" and seen["error_messages"], seen
    assert seen["ssl_thumbprint"] == self_signed.thumbprint(), seen
    assert seen["ssl_certificate"] == self_signed.pem, seen
    assert unknown_source.requests(method="HEAD") == []
    for trust in trust_in(self_signed).values():
        good = probe(binding, url, **trust)
        assert (good["status"], good["error_messages"]) == ("SUCCESS", []), good
        assert good["ssl_thumbprint"] == self_signed.thumbprint(), good


@pytest.mark.parametrize("wire", OLDER_BINDINGS)
def test_probe_tells_what_is_wrong(puller, source, wire):
    binding = BINDINGS[wire](puller).log_in()
    source.answer("/boot.iso", Reply(CONTENT))
    source.answer("/forbidden.iso", Reply(status=403))
    source.answer("/broken.iso", Reply(status=500))
    source.answer("/moved.iso", redirect(source.url("/boot.iso")))
    source.answer("/away.iso", redirect(f"http://{DENIED}/boot.iso"))
    expected = {
        source.url("/boot.iso"): "SUCCESS",
        source.url("/moved.iso"): "SUCCESS",
        source.url("/away.iso"): "INVALID_URL",
        source.url("/nothing.iso"): "RESOURCE_NOT_FOUND",
        source.url("/forbidden.iso"): "INVALID_CREDENTIALS",
        source.url("/broken.iso"): "UNKNOWN_ERROR",
        f"http://{DENIED}/boot.iso": "INVALID_URL",
        "http://nowhere.invalid/boot.iso": "HOST_NOT_FOUND",
        "http:///boot.iso": "INVALID_URL",
        "ftp://127.0.0.1/boot.iso": "INVALID_URL",
        "boot.iso": "INVALID_URL",
    }
    answers = {url: probe(binding, url) for url in expected}
    assert {url: answer["status"] for url, answer in answers.items()} == expected, answers
    for url, answer in answers.items():
        assert bool(answer["error_messages"]) == (answer["status"] != "SUCCESS"), f"{url}: {answer}"
        assert "ssl_thumbprint" not in answer or answer["ssl_thumbprint"] is None, f"{url}: {answer}"


# --- govc


@pytest.fixture
def pulling_govc(puller, library, tmp_path):
    return Govc(puller, tmp_path / "govc-home", GOVC_PERSIST_SESSION="false")


def import_all(govc, imports):
    """Imports into "pulled", (new item, further arguments) each; at once, since govc looks every three seconds only."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda one: govc.run("library.import", "-pull", "-n", one[0], *one[1:]), imports))


def exported(govc, item, folder):
    folder.mkdir()
    govc.ok("library.export", f"pulled/{item}", folder)
    return digests({file.name: file.read_bytes() for file in folder.iterdir()})


def checksum_flags(algorithm, content=CONTENT):
    """govc takes SHA256 unless told otherwise."""
    flags = ["-c", checksum(algorithm or "SHA256", content)["checksum"]]
    return [*flags, "-a", algorithm] if algorithm else flags


def test_govc_pulls(pulling_govc, source, unknown_source, two_disks, tmp_path):
    archive = two_disks.pack(tmp_path / "two.ova").read_bytes()
    url = source.answer("/boot.iso", Reply(CONTENT))
    isos = [
        (f"iso-{algorithm}", *checksum_flags(algorithm), "pulled", url)
        for algorithm in (None, "MD5", "SHA1", "SHA256", "SHA512")
    ]
    # Told not to insist on a known certificate, govc sends the one that it sees.
    isos.append(("iso-unknown-certificate", "-k", "pulled", unknown_source.url("/boot.iso")))
    packages = [
        ("ovf", "pulled", serve_package(source, two_disks)["two.ovf"]),
        ("ova", *checksum_flags(None, archive), "pulled", source.answer("/two.ova", Reply(archive))),
    ]
    # Otherwise it cannot look at the source itself, lets the server probe it and sends the thumbprint that came back.
    isos.append(("iso-probed-certificate", "pulled", unknown_source.url("/boot.iso")))
    for outcome in import_all(pulling_govc, isos + packages):
        assert outcome.code == 0, str(outcome)
    for item, *_ in isos:
        assert exported(pulling_govc, item, tmp_path / item) == ARRIVED
        info = pulling_govc.json("library.info", f"pulled/{item}")[0]
        assert (info["type"], info["size"], info["content_version"]) == ("iso", len(CONTENT), "2"), info
    for item, *_ in packages:
        assert exported(pulling_govc, item, tmp_path / item) == content_of(two_disks)
        assert pulling_govc.json("library.info", f"pulled/{item}")[0]["type"] == "ovf"


def test_govc_shows_why_a_pull_failed(pulling_govc, source):
    url = source.answer("/boot.iso", Reply(CONTENT))
    wrong = [
        (f"wrong-{algorithm}", *checksum_flags(algorithm, OTHER), "pulled", url)
        for algorithm in (None, "MD5", "SHA1", "SHA512")
    ]
    missing = ("missing", "pulled", source.url("/nothing.iso"))
    *outcomes, not_found = import_all(pulling_govc, [*wrong, missing])
    for (item, _, expected, *_), outcome in zip(wrong, outcomes):
        assert outcome.code != 0 and expected in outcome.stderr, str(outcome)
        assert pulling_govc.json("library.info", f"pulled/{item}")[0]["content_version"] == "1"
    assert not_found.code != 0 and "404" in not_found.stderr and missing[-1] in not_found.stderr, str(not_found)


def test_govc_probes(puller, source, unknown_source, self_signed, tmp_path):
    govc = Govc(puller, tmp_path / "govc-home", GOVC_PERSIST_SESSION="false", GOVC_SHOW_UNRELEASED="true")

    def status(url):
        return govc.json("library.probe", url)["status"]

    assert status(source.answer("/boot.iso", Reply(CONTENT))) == "SUCCESS"
    assert status("ftp://127.0.0.1/boot.iso") == "INVALID_URL"
    shown = govc.json("library.probe", unknown_source.url("/boot.iso"))
    assert (shown["status"], shown["ssl_thumbprint"]) == ("CERTIFICATE_ERROR", self_signed.thumbprint()), shown
