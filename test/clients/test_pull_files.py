"""Files that administrators let the server read from its own storages and folders (content-library-api.md §23.7)."""

import os
import re

import pytest
from test_pull import CONTENT, OTHER, Pull, content_of, digests, serving

from ova_package import make_package
from rest_client import BINDINGS, LegacyRest, create_library
from soap_client import SoapClient

ARRIVED = digests({"boot.iso": CONTENT})


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files").resolve()
    for name in ("extra", "permitted", "elsewhere"):
        (folder / name).mkdir()
    return folder


@pytest.fixture(scope="module")
def reader(folders):
    """A server with a storage in a folder of its own besides the one in its data folder."""
    with serving(
        folders / "server",
        *("--storage", "main", "--storage", f"extra={folders / 'extra'}"),
        *("--pull-files-from", str(folders / "permitted"), "--complete-idle-pulls-after", "0s"),
    ) as server:
        yield server


@pytest.fixture(scope="module")
def library(reader):
    rest = LegacyRest(reader).log_in()
    return rest, create_library(rest, "files")


@pytest.fixture
def pull(library):
    return Pull(*library)


def put(path, content=CONTENT):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def datastore_url(reader, name):
    """`ds:///vmfs/volumes/<uuid>/`, as the inventory shows it."""
    wanted = "<propSet><type>Datastore</type><pathSet>name</pathSet><pathSet>summary.url</pathSet></propSet>"
    places = "".join(f'<objectSet><obj type="Datastore">datastore-{n}</obj></objectSet>' for n in (11, 12))
    found = SoapClient(reader).log_in().properties(wanted + places).values()
    (url,) = (values["summary.url"].text for values in found if values["name"].text == name)
    return url


@pytest.mark.parametrize("wire", BINDINGS)
def test_file_of_a_storage(reader, library, folders, wire):
    file = put(folders / "extra" / "iso" / "boot 1.iso")
    pull = Pull(BINDINGS[wire](reader).log_in(), library[1])
    pull.add("boot.iso", file.as_uri())
    pull.ok("complete")
    assert pull.content_when_done() == ARRIVED
    assert file.read_bytes() == CONTENT, "sources are copied, and stay"


def test_file_of_the_data_folder_and_of_a_permitted_one(pull, reader, folders):
    pull.add("boot.iso", put(folders / "permitted" / "boot.iso").as_uri())
    pull.add("also.iso", put(reader.data_dir / "iso" / "boot.iso").as_uri())
    assert pull.done() == {**ARRIVED, "also.iso": ARRIVED["boot.iso"]}


def test_file_of_a_datastore(pull, reader, folders):
    put(folders / "extra" / "iso" / "boot.iso")
    url = datastore_url(reader, "extra")
    assert re.fullmatch(r"ds:///vmfs/volumes/[0-9a-f-]+/", url), url
    pull.add("boot.iso", url + "iso/boot.iso")
    assert pull.done() == ARRIVED


def test_promises_are_checked(library, folders):
    file = put(folders / "extra" / "boot.iso")
    wrong_size = Pull(*library)
    wrong_size.add("boot.iso", file.as_uri(), size=len(CONTENT) + 1)
    assert str(len(CONTENT)) in wrong_size.failed("boot.iso")
    wrong_digest = Pull(*library)
    (digest,) = digests({"x": OTHER}).values()
    wrong_digest.add("boot.iso", file.as_uri(), checksum_info={"algorithm": "SHA256", "checksum": digest})
    assert digest in wrong_digest.failed("boot.iso")


def test_packages(library, folders, tmp_path):
    package = make_package(folders / "extra" / "package", "two", [300_001, 200_001], seed=5)
    ovf = Pull(*library, item_type="ovf")
    ovf.add("two.ovf", (folders / "extra" / "package" / "two.ovf").as_uri())
    ovf.ok("complete")
    assert ovf.content_when_done() == content_of(package)
    archive = package.pack(folders / "extra" / "two.ova")
    ova = Pull(*library, item_type="ovf")
    ova.add("two.ova", archive.as_uri())
    ova.ok("complete")
    assert ova.content_when_done() == content_of(package)


def refused(pull, url):
    spec = {"name": "x", "source_type": "PULL", "source_endpoint": {"uri": url}}
    answer = pull.call("file.add", file_spec=spec)
    return (answer.status, answer.error_type) == (400, "INVALID_ARGUMENT") and answer.messages


def test_other_places_are_refused(pull, folders):
    put(folders / "elsewhere" / "secret")
    for url in (
        (folders / "elsewhere" / "secret").as_uri(),
        "file:///etc/passwd",
        "file:///proc/self/environ",
        (folders / "extra").as_uri() + "/../elsewhere/secret",
        (folders / "extra").as_uri() + "/%2e%2e/elsewhere/secret",
        "ds:///vmfs/volumes/extra/boot.iso",
        "file://other.host/boot.iso",
    ):
        assert refused(pull, url), url


def test_what_is_no_file_fails_the_pull(library, folders):
    extra = folders / "extra"
    os.mkfifo(extra / "fifo")
    (extra / "link").symlink_to(folders / "elsewhere" / "secret")
    (extra / "door").symlink_to(folders / "elsewhere")
    for name, reason in (
        ("fifo", "no regular file"),
        ("link", "symbolic link"),
        ("door/secret", "symbolic link"),
        ("nothing.iso", "There is no file"),
    ):
        pull = Pull(*library)
        pull.add("x", (extra / name).as_uri())
        assert reason in pull.failed("x"), name


def test_own_files_can_never_be_pulled(reader, library, folders):
    """Whatever the server makes below its folders: a new kind of file must be closed here too."""
    pull = Pull(*library)
    put(folders / "permitted" / "boot.iso")
    pull.add("boot.iso", (folders / "permitted" / "boot.iso").as_uri())
    pull.done()
    ours = {reader.data_dir / "iso" / "boot.iso"}
    own = [path for path in reader.data_dir.rglob("*") if path.is_file() and path not in ours]
    own += [path for place in ("blobs", "incoming") for path in (folders / "extra" / place).rglob("*")]
    assert {"catalog.sqlite", "key.pem", "lock"} <= {path.name for path in own}, own
    assert any(path.parent.parent.name == "blobs" for path in own), own
    pull = Pull(*library)
    for path in own:
        assert refused(pull, path.as_uri()), path


def test_probe_is_for_web_servers(library, folders):
    answer = library[0].ok("file.probe", source_endpoint={"uri": put(folders / "extra" / "boot.iso").as_uri()})
    assert answer["status"] == "INVALID_URL" and answer["error_messages"], answer
