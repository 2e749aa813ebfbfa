"""`quire lint-vcsp` and `quire export-vcsp`, on Quire's own publications and on those of careless strangers."""

import functools
import hashlib
import json
import threading
import uuid
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cli_client import signed_in
from test_publication import create, fill, secret, subscriber, update
from vcsp_reader import Subscriber


class Host:
    """A static web server for one folder, which counts what it was asked for."""

    def __init__(self, folder):
        asked = self.asked = []

        class Handler(SimpleHTTPRequestHandler):
            extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".json": "application/json"}

            def end_headers(self):
                if self.path.endswith(".json"):
                    self.send_header("ETag", '"' + uuid.uuid4().hex + '"')
                    self.send_header("Cache-Control", "no-cache")
                super().end_headers()

            def do_GET(self):
                asked.append(self.path)
                super().do_GET()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/lib.json"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def cli(shared_server, tmp_path):
    """Signed in, with the server's key accepted."""
    return signed_in(shared_server, tmp_path / "home")


@pytest.fixture
def host(tmp_path):
    """A host for tmp_path/site."""
    folder = tmp_path / "site"
    folder.mkdir()
    host = Host(folder)
    host.folder = folder
    yield host
    host.stop()


def findings(result):
    return [line["finding"] for line in result.objects() if line["type"] == "finding"]


def stranger(folder, name="appliance", **changes):
    """A library as a generator script writes it, with these members of its one file or item changed."""
    file = {"name": f"{name}.iso", "size": 4, "etag": "1", "generationNum": 1, "hrefs": [f"{name}/{name}.iso"]}
    item = {
        "created": "2026-03-03T10:15:00.000Z",
        "description": "",
        "version": "2",
        "contentVersion": "2",
        "files": [file],
        "id": "urn:uuid:dddd0001-0000-4000-8000-000000000001",
        "name": name,
        "properties": {},
        "selfHref": f"{name}/item.json",
        "type": "vcsp.iso",
    }
    library = {
        "vcspVersion": "2",
        "version": "7",
        "contentVersion": "1",
        "name": "by a script",
        "description": "",
        "id": "urn:uuid:dddd0000-0000-4000-8000-000000000000",
        "created": "2026-03-03T10:15:00.000Z",
        "itemType": "vcsp.CatalogItem",
        "capabilities": {"transferIn": ["httpGet"], "transferOut": ["httpGet"]},
        "itemsHref": "items.json",
    }
    for key, value in changes.items():
        for part in (file, item, library):
            if key in part:
                part[key] = value
                if value is None:
                    del part[key]
                break
    (folder / name).mkdir(exist_ok=True)
    (folder / name / f"{name}.iso").write_bytes(b"ISO!")
    (folder / name / "item.json").write_text(json.dumps(item))
    (folder / "items.json").write_text(json.dumps({"itemType": "vcsp.CatalogItem", "version": "7", "items": [item]}))
    (folder / "lib.json").write_text(json.dumps(library))


# ---- lint ----


def test_lint_finds_nothing_in_our_own(cli, new_rest):
    library = create(new_rest)
    fill(new_rest, library, "image", {"a.iso": b"x" * 100}, "iso")
    fill(new_rest, library, "odd ä %", {"ä %20#.txt": b"y"})
    url = subscriber(new_rest, library).url
    result = cli.run("lint-vcsp", "--json", "--content", url)
    assert result.code == 0, str(result)
    assert all(one["who"] == "nobody" for one in findings(result)), findings(result)
    assert (result.result["items"], result.result["files"], result.result["bytes"]) == (2, 2, 101)


def test_lint_with_a_password(cli, new_rest, tmp_path):
    password = secret()
    url = subscriber(new_rest, create(new_rest, authentication_method="BASIC", password=password)).url
    assert cli.run("lint-vcsp", url).code == 4
    assert cli.run("lint-vcsp", url, "--password-stdin", stdin="wrong\n").code == 4
    result = cli.run("lint-vcsp", "--json", url, "--password-stdin", stdin=password + "\n")
    assert result.code == 0, str(result)


def test_lint_of_a_faultless_stranger(cli, host):
    stranger(host.folder)
    result = cli.run("lint-vcsp", "--json", "--content", host.url)
    assert result.code == 0, str(result)


@pytest.mark.parametrize(
    ("changes", "who", "words"),
    [
        ({"etag": "0f1e2d3c4b5a69788796a5b4c3d2e1f0", "generationNum": None}, "everybody", "etag"),
        ({"etag": "3f1d2c4b-0000-4000-8000-00000000000a"}, "cloud-director", "etag"),
        ({"capabilities": None}, "vcenter", "capabilities"),
        ({"size": 5}, "everybody", "bytes long"),
        ({"hrefs": ["appliance.iso"]}, "vcenter", "relative to the item"),
        ({"hrefs": ["appliance/none.iso"]}, "everybody", "404"),
        ({"selfHref": "none/item.json"}, "everybody", "selfHref"),
        ({"type": "vcsp.ovf"}, "everybody", ".ovf"),
        ({"version": 2}, "cloud-director", "version"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_lint_says_who_stumbles(cli, host, changes, who, words):
    stranger(host.folder, **changes)
    result = cli.run("lint-vcsp", "--json", host.url)
    assert result.code == 7, str(result)
    found = [one for one in findings(result) if one["who"] == who and words in one["where"] + " " + one["problem"]]
    assert found, findings(result)
    if who == "cloud-director":
        assert cli.run("lint-vcsp", "--for", "vcenter", host.url).code == 0
        assert cli.run("lint-vcsp", "--for", "cloud-director", host.url).code == 7


def test_lint_of_what_is_no_library(cli, host):
    assert cli.run("lint-vcsp", host.url).code == 3
    (host.folder / "lib.json").write_text("<html>")
    assert cli.run("lint-vcsp", host.url).code != 0
    (host.folder / "lib.json").write_text('{"vcspVersion":"2","version":"x"}')
    result = cli.run("lint-vcsp", host.url)
    assert result.code != 0 and "version" in result.stderr


def test_a_library_that_leads_to_another_server(cli, host):
    stranger(host.folder, itemsHref="http://127.0.0.1:1/items.json")
    result = cli.run("lint-vcsp", host.url)
    assert result.code == 7 and "another server" in result.stderr, str(result)


# ---- export ----


def tree(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def test_an_export_is_a_library_of_its_own(cli, new_rest, host):
    name = uuid.uuid4().hex
    library = create(new_rest, name)
    one = fill(new_rest, library, "one", {"a ä.txt": b"1" * 5000, "b.txt": b"2"})
    two = fill(new_rest, library, "two", {"c.iso": b"3" * 70000}, "iso")
    original = subscriber(new_rest, library)
    result = cli.run("export-vcsp", "--json", name, host.folder)
    assert result.code == 0, str(result)
    assert (result.result["items"], result.result["files"], result.result["bytes"]) == (2, 3, 75001)
    copy = Subscriber(host.url, None)
    for expected, found in zip(original.mirror().items(), copy.mirror().items(), strict=True):
        assert expected[0] == found[0] and expected[1][1] == found[1][1]
        for key in ("id", "name", "version", "contentVersion", "type", "created"):
            assert expected[1][0][key] == found[1][0][key]
    assert copy.library()["version"] == original.library()["version"]
    assert cli.run("lint-vcsp", "--content", host.url).code == 0

    # Nothing new: nothing is fetched. One change: one file is.
    before = tree(host.folder)
    again = cli.run("export-vcsp", "--json", name, host.folder)
    assert again.code == 0 and again.result["bytes"] == 0 and again.result["files_there"] == 3, str(again)
    assert tree(host.folder) == before
    old = copy.read()[1]["one"]
    fill(new_rest, library, None, {"b.txt": b"new"}, item=one)
    new_rest.ok("item.delete", library_item_id=two)
    changed = cli.run("export-vcsp", "--json", name, host.folder)
    assert changed.code == 0 and changed.result["bytes"] == 3, str(changed)
    assert {key: files for key, (_, files) in copy.mirror().items()} == {
        "one": {"a ä.txt": b"1" * 5000, "b.txt": b"new"}
    }
    assert copy.content(old) == {"a ä.txt": b"1" * 5000, "b.txt": b"2"}, "whoever reads by the old index goes on"
    fill(new_rest, library, None, {"b.txt": b"newer"}, item=one)
    last = cli.run("export-vcsp", "--json", name, host.folder)
    assert last.code == 0 and last.result["removed"] > 0, str(last)
    assert copy.get(old["files"][1]["hrefs"][0]).status_code == 404
    assert not list(host.folder.rglob("*.quire-part"))


def test_lib_json_changes_last(cli, new_rest, host):
    """An export that breaks off leaves the state before."""
    name = uuid.uuid4().hex
    library = create(new_rest, name)
    fill(new_rest, library, "one", {"a": b"1"})
    assert cli.run("export-vcsp", name, host.folder).code == 0
    copy = Subscriber(host.url, None)
    before = copy.mirror()
    item = fill(new_rest, library, "two", {"b": b"2"})
    blocked = host.folder / item
    blocked.write_text("a file where the item's folder should be")
    assert cli.run("export-vcsp", name, host.folder).code == 1
    assert copy.mirror() == before
    blocked.unlink()
    assert cli.run("export-vcsp", name, host.folder).code == 0
    assert set(copy.mirror()) == {"one", "two"}


def test_damaged_files_are_found(cli, new_rest, tmp_path):
    name = uuid.uuid4().hex
    fill(new_rest, create(new_rest, name), "one", {"a": b"right"})
    folder = tmp_path / "out"
    assert cli.run("export-vcsp", name, folder).code == 0
    (file,) = folder.rglob("a")
    file.write_bytes(b"wrong")
    assert cli.run("export-vcsp", name, folder).code == 0
    assert file.read_bytes() == b"wrong", "not looked at"
    assert cli.run("export-vcsp", "--verify-all", name, folder).code == 0
    assert file.read_bytes() == b"right"


def test_an_export_of_a_stranger(cli, host, tmp_path):
    stranger(host.folder, etag="0f1e2d3c4b5a69788796a5b4c3d2e1f0", generationNum=None, created="2026-03-03T10:15Z")
    folder = tmp_path / "out"
    result = cli.run("export-vcsp", host.url, folder)
    assert result.code == 0, str(result)
    copy = Host(folder)
    try:
        assert Subscriber(copy.url, None).mirror()["appliance"][1] == {"appliance.iso": b"ISO!"}
    finally:
        copy.stop()


def test_what_an_export_refuses(cli, new_rest, host, tmp_path):
    name = uuid.uuid4().hex
    library = create(new_rest, name)
    fill(new_rest, library, "one", {"a": b"1"})
    full = tmp_path / "full"
    full.mkdir()
    (full / "holiday.jpg").write_text("precious")
    assert cli.run("export-vcsp", name, full).code == 5
    assert tree(full).keys() == {"holiday.jpg"}
    assert cli.run("export-vcsp", name, tmp_path / "out").code == 0
    other = uuid.uuid4().hex
    create(new_rest, other)
    assert cli.run("export-vcsp", other, tmp_path / "out").code == 5
    assert cli.run("export-vcsp", "nothing of that name", tmp_path / "new").code == 3
    assert update(new_rest, library, published=False).ok
    assert cli.run("export-vcsp", name, tmp_path / "out").code == 5
    stranger(host.folder, size=5)
    refused = cli.run("export-vcsp", host.url, tmp_path / "strange")
    assert refused.code == 7 and not (tmp_path / "strange" / "lib.json").exists(), str(refused)
