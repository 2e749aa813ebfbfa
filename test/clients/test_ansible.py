"""Ansible's collection vmware.vmware: the modules that make libraries and import content, unmodified."""

import hashlib
import uuid

import pytest

from ansible_client import Ansible
from http_source import HttpSource, Reply, make_certificate
from ova_package import digest, make_package, write_random
from quire_server import QuireServer
from rest_client import LegacyRest, Transfers, download_item


@pytest.fixture(scope="module")
def puller(tmp_path_factory):
    """A server that may pull from this machine."""
    server = QuireServer(tmp_path_factory.mktemp("ansible") / "server", flags=["--pull-allow", "127.0.0.0/8"]).start()
    try:
        yield server
        server.stop()
    finally:
        server.kill()


@pytest.fixture(scope="module")
def ansible(puller, tmp_path_factory):
    return Ansible(puller, tmp_path_factory.mktemp("ansible-home"))


@pytest.fixture(scope="module")
def rest(puller):
    return LegacyRest(puller).log_in()


@pytest.fixture(scope="module")
def library(ansible):
    """A library made by Ansible, by its name."""
    ansible.ok("local_content_library", name="ansible", datastore="LocalDS_0")
    return "ansible"


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return make_package(tmp_path_factory.mktemp("package"), "vm", [300_000, 100_000], seed="ansible")


@pytest.fixture(scope="module")
def iso(tmp_path_factory):
    return write_random(tmp_path_factory.mktemp("iso") / "boot.iso", 700_001, seed="ansible")


@pytest.fixture
def source():
    with HttpSource() as opened:
        yield opened


@pytest.fixture
def name():
    return uuid.uuid4().hex[:12]


def holds(rest, item_id, files):
    """The item has these files, byte for byte."""
    content = download_item(rest, Transfers(rest.server), item_id)
    found = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
    return found == {file.name: digest(file) for file in files}


def nothing_is_left(rest, name):
    """Neither an item of this name nor a session that has not ended well."""
    states = [
        rest.ok("update_session.get", update_session_id=session)["state"] for session in rest.ok("update_session.list")
    ]
    return not rest.ok("item.find", spec={"name": name}) and set(states) <= {"DONE"}


def test_library_life(ansible, rest, name):
    wanted = {"name": name, "datastore": "LocalDS_0"}
    made = ansible.ok("local_content_library", **wanted, description="first words")
    assert made["changed"]
    library = made["library"]["id"]
    assert rest.ok("library.get", library_id=library)["description"] == "first words"

    again = ansible.ok("local_content_library", **wanted, description="first words")
    assert not again["changed"] and again["library"]["id"] == library
    assert ansible.ok("local_content_library", **wanted, description="second words")["changed"]
    assert rest.ok("library.get", library_id=library)["description"] == "second words"

    assert ansible.ok("local_content_library", name=name, state="absent")["changed"]
    assert rest.call("library.get", library_id=library).error_type == "NOT_FOUND"


def test_ovf_folder_is_pushed(ansible, rest, library, package, name):
    arguments = {"library_name": library, "dest": name, "src": package.folder}
    done = ansible.ok("import_content_library_ovf", **arguments, description="from a folder")
    item = done["library_item"]["id"]
    assert done["changed"] and holds(rest, item, package.content_files())
    model = rest.ok("item.get", library_item_id=item)
    assert (model["type"], model["description"], model["content_version"]) == ("ovf", "from a folder", "2")

    again = ansible.ok("import_content_library_ovf", **arguments)
    assert not again["changed"] and again["library_item"]["id"] == item
    (listed,) = ansible.ok("content_library_item_info", library_name=library, library_item_name=name)[
        "library_item_info"
    ]
    assert (listed["id"], listed["type"], listed["size"]) == (item, "ovf", model["size"])

    assert ansible.ok("import_content_library_ovf", library_name=library, dest=name, state="absent")["changed"]
    assert nothing_is_left(rest, name)


def test_ova_is_pushed(ansible, rest, library, package, name, tmp_path):
    archive = package.pack(tmp_path / "vm.ova")
    done = ansible.ok(
        "import_content_library_ovf",
        library_name=library,
        dest=name,
        src=archive,
        checksum=digest(archive),
        checksum_algorithm="SHA256",
    )
    assert holds(rest, done["library_item"]["id"], package.content_files())


def test_ova_is_pulled(ansible, rest, library, source, package, name, tmp_path):
    url = source.answer("/vm.ova", Reply(package.pack(tmp_path / "vm.ova").read_bytes()))
    done = ansible.ok("import_content_library_ovf", library_name=library, dest=name, src=url)
    assert holds(rest, done["library_item"]["id"], package.content_files())


def test_iso_is_pushed(ansible, rest, library, iso, name):
    done = ansible.ok("import_content_library_iso", library_name=library, dest=name, src=iso)
    assert holds(rest, done["library_item"]["id"], [iso])
    assert rest.ok("item.get", library_item_id=done["library_item"]["id"])["type"] == "iso"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_iso_is_pulled(ansible, rest, library, iso, name, tmp_path, scheme):
    """From https the module takes the thumbprint of whatever certificate it meets."""
    certificate = make_certificate(tmp_path, "unknown") if scheme == "https" else None
    with HttpSource(certificate=certificate) as source:
        url = source.answer("/boot.iso", Reply(iso.read_bytes()))
        done = ansible.ok(
            "import_content_library_iso",
            library_name=library,
            dest=name,
            src=url,
            checksum=digest(iso, "sha1"),
            checksum_algorithm="SHA1",
        )
    assert holds(rest, done["library_item"]["id"], [iso])


def test_warnings_are_passed_over_unless_told(ansible, rest, library, name, tmp_path):
    package = make_package(tmp_path / "package", "signed", [100_000], seed="signed")
    package.sign(make_certificate(tmp_path, "signer"))
    arguments = {"library_name": library, "dest": name, "src": package.pack()}

    complaint = ansible.fails("import_content_library_ovf", **arguments, fail_on_warnings=True)
    assert "self-signed certificate CN=signer" in complaint
    assert nothing_is_left(rest, name)

    done = ansible.ok("import_content_library_ovf", **arguments)
    assert holds(rest, done["library_item"]["id"], package.content_files())


@pytest.mark.parametrize("fault", ["wrong checksum", "disk missing", "disk damaged", "source gone"])
def test_failed_import_leaves_nothing(ansible, rest, library, source, name, tmp_path, fault):
    """The module says what went wrong, and takes item and session away, which the server must let it do."""
    package = make_package(tmp_path / "package", "vm", [100_000], seed=fault)
    arguments = {"library_name": library, "dest": name}
    named = "vm-disk1.vmdk"
    if fault == "wrong checksum":
        arguments |= {"src": package.pack(), "checksum": "0" * 64, "checksum_algorithm": "SHA256"}
        named = "SHA256"
    elif fault == "disk missing":
        package.disks[0].rename(tmp_path / "package/other.vmdk")
        arguments["src"] = package.folder
    elif fault == "disk damaged":
        package.damage_manifest()
        arguments["src"] = package.pack()
    else:
        arguments["src"] = source.url("/vm.ova")
        named = "404"
    assert named in ansible.fails("import_content_library_ovf", **arguments)
    assert nothing_is_left(rest, name)


def test_failed_pull_of_an_iso_leaves_nothing(ansible, rest, library, source, name):
    """The module may trip over a session that failed between two of its calls, so its message is not looked at."""
    ansible.fails("import_content_library_iso", library_name=library, dest=name, src=source.url("/boot.iso"))
    assert nothing_is_left(rest, name)
