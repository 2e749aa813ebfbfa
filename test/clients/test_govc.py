"""An unmodified govc against the real server, as an administrator would use it."""

import json
import re
import time
import uuid

import pytest

from govc_client import Govc
from http_source import make_certificate
from ova_package import digest, make_package, write_random
from push_session import PushSession
from quire_server import QuireServer, used_bytes
from rest_client import LegacyRest

PATIENCE = 30


@pytest.fixture
def library(govc):
    """The name of a new library."""
    name = f"lib-{uuid.uuid4().hex[:8]}"
    govc.ok("library.create", name)
    return name


@pytest.fixture
def iso(tmp_path):
    return write_random(tmp_path / "boot.iso", 3_000_001, seed="iso")


def rows(table):
    """The lines of a `Key:   value` listing."""
    return dict(re.findall(r"^\s*([\w ]+):\s*(.*?)\s*$", table, re.MULTILINE))


def assert_exports(govc, path, files, folder):
    """Exports an item and compares each file byte for byte."""
    folder.mkdir()
    govc.ok("library.export", path, folder)
    assert sorted(entry.name for entry in folder.iterdir()) == sorted(file.name for file in files)
    for file in files:
        assert (folder / file.name).stat().st_size == file.stat().st_size, file.name
        assert digest(folder / file.name) == digest(file), f"{file.name} came back with other bytes"


def test_about(govc):
    about = rows(govc.ok("about"))
    assert about["Name"] == "VMware vCenter Server"
    assert re.fullmatch(r"\d+\.\d+\.\d+", about["Version"])
    assert about["Build"].isdigit()
    assert govc.json("about")["about"]["apiType"] == "VirtualCenter"


def test_wrong_password_is_told(shared_server, tmp_path):
    govc = Govc(shared_server, tmp_path / "home", GOVC_PASSWORD="wrong")
    assert "401" in govc.fails("library.ls")
    assert "ServerFaultCode" in govc.fails("datastore.info")


@pytest.mark.parametrize("persist", ["true", "false"])
def test_library_life(govc, persist):
    name = f"life-{uuid.uuid4().hex[:8]}"
    settings = {"GOVC_PERSIST_SESSION": persist}
    identifier = govc.ok("library.create", "-d", "first words", name, **settings).strip()
    assert f"/{name}" in govc.ok("library.ls", **settings).splitlines()

    info = govc.json("library.info", name, **settings)[0]
    assert info["id"] == identifier
    assert info["description"] == "first words"
    assert info["type"] == "LOCAL"
    assert info["storage_backings"] == [{"datastore_id": "datastore-11", "type": "DATASTORE"}]
    shown = rows(govc.ok("library.info", name, **settings))
    assert shown["Name"] == name and shown["ID"] == identifier and shown["Description"] == "first words"

    govc.ok("library.update", "-d", "second words", "-n", f"{name}-b", name, **settings)
    assert govc.ok("library.ls", name, **settings) == ""
    changed = govc.json("library.info", f"{name}-b", **settings)[0]
    assert (changed["id"], changed["description"]) == (identifier, "second words")
    assert int(changed["version"]) == int(info["version"]) + 1

    govc.ok("library.rm", f"{name}-b", **settings)
    assert f"/{name}-b" not in govc.ok("library.ls", **settings).splitlines()
    assert "matches 0 items" in govc.fails("library.rm", identifier, **settings)


def test_missing_library(govc):
    assert govc.ok("library.info", "there-is-none") == ""
    assert govc.json("library.info", "there-is-none") is None
    govc.fails("library.rm", "there-is-none")


def test_create_on_named_datastore(govc):
    name = f"ds-{uuid.uuid4().hex[:8]}"
    govc.ok("library.create", "-ds", "LocalDS_0", name)
    assert govc.json("library.info", name)[0]["storage_backings"][0]["datastore_id"] == "datastore-11"
    assert "not found" in govc.fails("library.create", "-ds", "NoSuchDS", f"{name}-x")
    assert govc.ok("library.ls", f"{name}-x") == ""


def test_libraries_may_share_a_name(govc):
    name = f"twin-{uuid.uuid4().hex[:8]}"
    first, second = (govc.ok("library.create", name).strip() for _ in range(2))
    assert first != second
    assert "matches 2" in govc.fails("library.rm", name)
    govc.ok("library.rm", first)
    assert govc.json("library.info", name)[0]["id"] == second


def test_import_and_export_iso(govc, library, iso, tmp_path):
    govc.ok("library.import", library, iso)
    assert govc.ok("library.ls", f"{library}/*").splitlines() == [f"/{library}/boot"]
    item = govc.json("library.info", f"{library}/boot")[0]
    assert item["type"] == "iso"
    assert item["size"] == iso.stat().st_size
    assert item["content_version"] == "2" and item["cached"] is True
    assert govc.ok("library.ls", f"{library}/boot/*").splitlines() == [f"/{library}/boot/boot.iso"]
    assert_exports(govc, f"{library}/boot", [iso], tmp_path / "out")

    govc.ok("library.export", f"{library}/boot/boot.iso", tmp_path / "one.iso")
    assert digest(tmp_path / "one.iso") == digest(iso)


def test_import_any_other_file(govc, library, tmp_path):
    """An extension govc does not know makes it send the empty string as type."""
    script = tmp_path / "setup.sh"
    script.write_text("#!/bin/sh\necho hello\n")
    govc.ok("library.import", library, script)
    assert govc.json("library.info", f"{library}/setup")[0].get("type", "") == ""
    assert_exports(govc, f"{library}/setup", [script], tmp_path / "out")


def test_import_empty_file(govc, library, tmp_path):
    empty = tmp_path / "nothing.iso"
    empty.touch()
    govc.ok("library.import", library, empty)
    assert_exports(govc, f"{library}/nothing", [empty], tmp_path / "out")


@pytest.mark.parametrize("form", ["ovf", "ova"])
@pytest.mark.parametrize("manifest", ["SHA1", "SHA256", "SHA512", None])
def test_import_package(govc, library, tmp_path, form, manifest):
    package = make_package(tmp_path / "package", "vm", [700_000, 200_000], seed=f"{form} {manifest}", manifest=manifest)
    source = package.pack() if form == "ova" else package.descriptor
    govc.ok("library.import", library, source)
    item = govc.json("library.info", f"{library}/vm")[0]
    assert item["type"] == "ovf"
    assert item["size"] == sum(file.stat().st_size for file in package.content_files())
    assert_exports(govc, f"{library}/vm", package.content_files(), tmp_path / "out")


def test_import_wanting_a_manifest(govc, library, package, tmp_path):
    govc.ok("library.import", "-m", "-n", "checked", library, package.descriptor)
    assert_exports(govc, f"{library}/checked", package.content_files(), tmp_path / "out")

    bare = make_package(tmp_path / "bare", "bare", [100_000], seed=5, manifest=None)
    assert "manifest" in govc.fails("library.import", "-m", library, bare.descriptor)
    assert govc.ok("library.ls", f"{library}/bare") == ""


@pytest.mark.parametrize("form", ["ovf", "ova"])
def test_import_split_disks(govc, library, tmp_path, form):
    """A disk in several files, each of which the descriptor refers to; signed, which govc keeps to itself."""
    package = make_package(
        tmp_path / "package",
        "vm",
        [400_000],
        seed="split",
        manifest="SHA512",
        subformat="twoGbMaxExtentSparse",
        guest_bytes=5 << 30,
    )
    assert len(package.disks) == 4
    package.sign(make_certificate(tmp_path, "signer"))
    govc.ok("library.import", "-m", library, package.pack() if form == "ova" else package.descriptor)
    assert_exports(govc, f"{library}/vm", package.content_files(), tmp_path / "out")


@pytest.mark.parametrize("form", ["ovf", "ova"])
def test_wrong_checksum_is_refused(govc, library, tmp_path, form):
    """govc sends a manifest's digests as checksum_info; bytes that do not match must not become content."""
    package = make_package(tmp_path / "package", "vm", [300_000], seed=9)
    package.damage_manifest()
    source = package.pack() if form == "ova" else package.descriptor
    assert "400" in govc.fails("library.import", library, source)

    item = govc.json("library.info", f"{library}/vm")[0]
    assert "size" not in item, "govc leaves 0 out"
    assert item["content_version"] == "1"
    assert govc.ok("library.ls", f"{library}/vm/*") == ""
    (session,) = (entry for entry in govc.sessions() if entry["library_item_path"] == f"/{library}/vm")
    assert session["state"] == "ERROR"
    assert session["error_message"]["default_message"]

    # The item is free again: a good package goes in.
    package.write_manifest()
    govc.ok("library.import", f"{library}/vm", package.pack() if form == "ova" else package.descriptor)
    assert_exports(govc, f"{library}/vm", package.content_files(), tmp_path / "out")


def test_import_again_replaces(govc, library, tmp_path):
    image = write_random(tmp_path / "boot.iso", 100_000, seed=1)
    govc.ok("library.import", library, image)
    write_random(image, 150_000, seed=2)
    govc.ok("library.import", f"{library}/boot", image)
    item = govc.json("library.info", f"{library}/boot")[0]
    assert item["content_version"] == "3" and item["size"] == 150_000
    assert govc.json("library.info", f"{library}/boot/boot.iso")[0]["version"] == "2"
    assert_exports(govc, f"{library}/boot", [image], tmp_path / "out")


def test_item_name_taken(govc, library, iso, tmp_path):
    govc.ok("library.import", library, iso)
    complaint = govc.fails("library.import", library, iso)
    assert "400" in complaint and "already" in complaint.lower()
    assert len(govc.ok("library.ls", f"{library}/*").splitlines()) == 1
    govc.ok("library.import", "-n", "second", library, iso)
    assert_exports(govc, f"{library}/second", [iso], tmp_path / "out")


def test_copy(govc, library, iso, tmp_path):
    govc.ok("library.import", library, iso)
    other = f"{library}-other"
    govc.ok("library.create", other)
    govc.ok("library.cp", f"{library}/boot", other)
    assert_exports(govc, f"{other}/boot", [iso], tmp_path / "out")
    govc.ok("library.cp", "-n", "clone", f"{library}/boot", library)
    govc.ok("library.rm", f"{library}/boot")
    assert_exports(govc, f"{library}/clone", [iso], tmp_path / "clone")
    assert "400" in govc.fails("library.cp", "-n", "clone", f"{other}/boot", library)


def test_item_update_and_remove(govc, library, iso):
    govc.ok("library.import", library, iso)
    before = govc.json("library.info", f"{library}/boot")[0]
    govc.ok("library.update", "-n", "renamed", "-d", "now with words", f"{library}/boot")
    after = govc.json("library.info", f"{library}/renamed")[0]
    assert after["id"] == before["id"] and after["description"] == "now with words"
    assert int(after["metadata_version"]) == int(before["metadata_version"]) + 1
    assert after["content_version"] == before["content_version"]

    govc.ok("library.rm", f"{library}/renamed")
    assert govc.ok("library.ls", f"{library}/*") == ""
    govc.ok("library.rm", library)


def test_remove_library_with_items(govc, library, iso):
    govc.ok("library.import", library, iso)
    govc.ok("library.rm", library)
    assert govc.ok("library.ls", library) == ""


def test_info_of_files_and_storage(govc, library, package):
    govc.ok("library.import", library, package.descriptor)
    disk = package.disks[0]
    path = f"/{library}/{package.name}/{disk.name}"

    file = govc.json("library.info", path)[0]
    assert file["size"] == disk.stat().st_size and file["version"] == "1"
    checksum = file["checksum_info"]
    assert checksum["checksum"].lower() == digest(disk, checksum.get("algorithm", "SHA1").lower())

    assert rows(govc.ok("library.info", path))["Size"]
    assert "://" in govc.ok("library.info", "-s", path)

    listing = govc.ok("library.info", "-l", path)
    assert "[LocalDS_0] contentlib-" in listing
    library_id = govc.json("library.info", library)[0]["id"]
    item_id = govc.json("library.info", f"{library}/{package.name}")[0]["id"]
    assert govc.ok("library.info", "-L", path).startswith(f"contentlib-{library_id}/{item_id}/")
    both = govc.ok("library.info", "-l", "-L", path)
    assert both.startswith(f"[LocalDS_0] contentlib-{library_id}/{item_id}/")
    assert govc.ok("library.info", "-L", library).strip() == f"contentlib-{library_id}"


def test_sessions(govc, library, iso, legacy):
    govc.ok("library.import", library, iso)
    item_id = govc.json("library.info", f"{library}/boot")[0]["id"]

    (done,) = (line for line in govc.ok("library.session.ls").splitlines() if f"/{library}/boot" in line)
    assert "Update" in done and "DONE" in done
    finished = done.split()[0]
    (session,) = (entry for entry in govc.sessions() if entry["id"] == finished)
    assert [(file["name"], file["status"]) for file in session["files"]] == [("boot.iso", "READY")]
    govc.ok("library.session.rm", finished)
    assert finished not in govc.ok("library.session.ls")
    assert "404" in govc.fails("library.session.rm", finished)

    # A session that somebody left open: refused without -f, one file taken out of it, then cancelled and removed.
    left = legacy.ok("update_session.create", create_spec={"library_item_id": item_id})
    legacy.ok("update_session.file.add", update_session_id=left, file_spec={"name": "more.iso", "source_type": "PUSH"})
    assert "400" in govc.fails("library.session.rm", left)
    govc.ok("library.session.rm", "-i", left, "more.iso")
    files = legacy.ok("update_session.file.list", update_session_id=left)
    assert [entry["name"] for entry in files] == ["boot.iso"]
    govc.ok("library.session.rm", "-f", left)
    assert left not in govc.ok("library.session.ls")
    assert govc.json("library.info", f"{library}/boot")[0]["content_version"] == "2"


def test_download_session_is_listed(govc, library, iso, tmp_path):
    govc.ok("library.import", library, iso)
    govc.ok("library.export", f"{library}/boot", tmp_path)
    (line,) = (
        line for line in govc.ok("library.session.ls").splitlines() if f"/{library}/boot" in line and "Download" in line
    )
    govc.ok("library.session.rm", line.split()[0])
    assert line.split()[0] not in govc.ok("library.session.ls")


def interrupt_import(govc, target, path):
    """Kills govc in the middle of its upload; the session that it leaves behind."""
    importing = govc.start("library.import", target, path)
    try:
        end = time.monotonic() + PATIENCE
        while not (flowing := [s for s in govc.sessions() if any(f.get("bytes_transferred") for f in s["files"])]):
            assert importing.poll() is None, "govc ended before it could be interrupted"
            assert time.monotonic() < end, "nothing flows"
    finally:
        importing.kill()
        importing.wait()
    (session,) = flowing
    return session["id"]


@pytest.mark.parametrize("way_out", ["session.rm", "library.rm", "expiry"])
def test_interrupted_import(tmp_path, way_out):
    """The next import is told who is in its way, and gets through once that session is gone, however it went."""
    flags = ["--update-session-timeout", "2s"] if way_out == "expiry" else []
    server = QuireServer(tmp_path / "server", flags=flags).start()
    try:
        govc = Govc(server, tmp_path / "home")
        govc.ok("library.create", "images")
        big, small = tmp_path / "boot.iso", tmp_path / "small/boot.iso"
        with open(big, "wb") as hole:
            hole.truncate(4 << 30)
        small.parent.mkdir()
        write_random(small, 300_000, seed="small")

        left = interrupt_import(govc, "images", big)
        # govc wants to make a new item of the same name, or, told to use the one there is, a second session.
        assert "already" in govc.fails("library.import", "images", small)
        if way_out == "expiry":
            # Looking at the session would keep it alive; asking for another one does not.
            end = time.monotonic() + PATIENCE
            while (next_import := govc.run("library.import", "images/boot", small)).code != 0:
                assert time.monotonic() < end, f"the session does not expire\n{next_import}"
        else:
            busy = LegacyRest(server).log_in()
            item = govc.json("library.info", "images/boot")[0]["id"]
            answer = busy.call("update_session.create", create_spec={"library_item_id": item})
            assert answer.error_type == "RESOURCE_BUSY" and left in answer.text and server.user in answer.text, answer
            assert "400" in govc.fails("library.import", "images/boot", small)
            if way_out == "session.rm":
                govc.ok("library.session.rm", "-f", left)
                govc.ok("library.import", "images/boot", small)
            else:
                govc.ok("library.rm", "images/boot")
                govc.ok("library.import", "images", small)
        assert_exports(govc, "images/boot", [small], tmp_path / "out")
        end = time.monotonic() + PATIENCE
        while (used := used_bytes(server.data_dir / "blobs")) > 300_000:
            assert time.monotonic() < end, f"{used} bytes are still taken"
        server.stop()
    finally:
        server.kill()


def trust(govc, pem):
    """Adds the certificate to the trust store; its identifier, which govc does not print."""
    govc.ok("library.trust.create", pem)
    [identifier] = [
        entry["certificate"]
        for entry in govc.json("library.trust.ls")["certificates"]
        if entry["cert_text"].strip() == pem.read_text().strip()
    ]
    return identifier


def test_trust_store(govc, tmp_path):
    pem = tmp_path / "certificate"
    pem.write_text(make_certificate(tmp_path, "trusted-by-govc", address=None).pem)
    identifier = trust(govc, pem)
    assert identifier in govc.ok("library.trust.ls") and "trusted-by-govc" in govc.ok("library.trust.ls")
    assert "trusted-by-govc" in govc.ok("library.trust.info", identifier)
    assert trust(govc, pem) == identifier, "once more is no other"
    (tmp_path / "no.pem").write_text("no certificate")
    govc.fails("library.trust.create", tmp_path / "no.pem")
    govc.ok("library.trust.rm", identifier)
    govc.fails("library.trust.info", identifier)
    assert identifier not in govc.ok("library.trust.ls")


def test_security_policy(govc, shared_server, tmp_path):
    policies = govc.json("library.policy.ls")
    policy = next(entry["policy"] for entry in policies["policies"] if entry["name"] == "OVF default policy")
    name = f"secure-{uuid.uuid4().hex[:8]}"
    govc.fails("library.create", "-policy", "foo", name)
    library = govc.ok("library.create", "-policy", policy, name).strip()
    assert policy in govc.ok("library.info", name)
    assert govc.json("library.info", name)[0]["security_policy_id"] == policy

    # govc never sends the certificate of a package, so what it imports is not signed.
    package = make_package(tmp_path / "package", "vm", [50_000], seed="policy", manifest="SHA256")
    govc.fails("library.import", "-n", "by-govc", name, package.pack())
    assert not govc.json("library.info", f"{name}/by-govc")[0].get("size")

    root = make_certificate(tmp_path, "policy-root", address=None)
    package.sign(make_certificate(tmp_path, "policy-signer", issuer=root))
    rest = LegacyRest(shared_server).log_in()
    refused = PushSession(rest, library)
    refused.push_file(package.pack())
    refused.ignore("UNTRUSTED_CERTIFICATE")
    assert refused.preview_warnings() == {"UNTRUSTED_CERTIFICATE": False}, "a strict policy lets no warning be ignored"
    answer = refused.call("complete")
    assert answer.error_type == "NOT_ALLOWED_IN_CURRENT_STATE" and "policy" in answer.text, answer

    pem = tmp_path / "root"
    pem.write_text(root.pem)
    identifier = trust(govc, pem)
    session = PushSession(rest, library)
    session.push_file(package.pack())
    session.ok("complete")
    item = rest.ok("item.get", library_item_id=session.item)

    def shown():
        info = govc.json("library.info", f"{name}/{item['name']}")[0]
        return info["security_compliance"], info["certificate_verification_info"]["status"]

    assert shown() == (True, "VERIFIED")
    govc.ok("library.trust.rm", identifier)
    assert shown() == (False, "UNTRUSTED")


def test_roles_and_permissions(govc, shared_server, tmp_path):
    user = f"user-{uuid.uuid4().hex[:8]}"
    role = f"role-{uuid.uuid4().hex[:8]}"
    spec = {"name": user, "password": "long enough"}
    made = LegacyRest(shared_server).log_in().send(
        "POST",
        "/rest/com/quire/access/users",
        json.dumps({"create_spec": spec}),
        {"Content-Type": "application/json"},
    )
    assert made.status_code == 200, made.text

    assert {"Admin", "ReadOnly", "NoAccess"} <= {each["name"] for each in govc.json("role.ls")}
    govc.ok("role.create", role, "ContentLibrary.DownloadSession")
    govc.fails("role.create", role, "ContentLibrary.DownloadSession")
    assert "ContentLibrary.DownloadSession" in govc.ok("role.ls", role)
    govc.ok("role.update", "-a", role, "ContentLibrary.UpdateSession")
    assert {"ContentLibrary.DownloadSession", "ContentLibrary.UpdateSession"} <= set(govc.ok("role.ls", role).split())
    renamed = f"{role}-renamed"
    govc.ok("role.update", "-name", renamed, role)
    govc.fails("role.ls", role)

    govc.ok("permissions.set", "-principal", user, "-role", renamed)
    listed = next(line for line in govc.ok("permissions.ls").splitlines() if user in line)
    assert renamed in listed and "/" in listed
    assert user in govc.ok("role.usage", renamed)
    assert user in govc.ok("permissions.ls", "-a", "/DC0/datastore"), "inherited"
    assert "permission" in govc.fails("role.remove", renamed)
    assert "no user nobody" in govc.fails("permissions.set", "-principal", "nobody", "-role", renamed)

    as_user = Govc(shared_server, tmp_path / "user", GOVC_USERNAME=user, GOVC_PASSWORD="long enough")
    as_user.ok("library.ls")
    assert "Authorization.ModifyRoles" in as_user.fails("role.create", "mine", "System.Read")

    govc.ok("permissions.remove", "-principal", user)
    assert user not in govc.ok("permissions.ls")
    govc.ok("role.remove", renamed)
    govc.fails("role.ls", renamed)


def test_content_survives_restart(server, tmp_path):
    govc = Govc(server, tmp_path / "home")
    image = write_random(tmp_path / "boot.iso", 500_000, seed=3)
    govc.ok("library.create", "kept")
    govc.ok("library.import", "kept", image)
    server.restart()
    govc.ok("library.ls")
    assert_exports(govc, "kept/boot", [image], tmp_path / "out")


def storage_path(govc, library, item):
    """The folder of an item on its datastore, as `datastore.ls` takes it."""
    library_id = govc.json("library.info", library)[0]["id"]
    item_id = govc.json("library.info", f"{library}/{item}")[0]["id"]
    return f"contentlib-{library_id}/{item_id}"


def test_datastore_is_browsed(govc, library, iso):
    govc.ok("library.import", library, iso)
    folder = storage_path(govc, library, "boot")
    library_folder, item_folder = folder.split("/")
    datastore = ["-ds", "LocalDS_0"] if "LocalDS_0" in govc.ok("datastore.info") else []
    assert library_folder in govc.ok("datastore.ls", *datastore).split()
    assert govc.ok("datastore.ls", *datastore, library_folder).split() == [item_folder]
    assert govc.ok("datastore.ls", *datastore, folder).split() == ["boot.iso"]
    long = govc.ok("datastore.ls", "-l", *datastore, folder)
    assert "boot.iso" in long and "2.9MB" in long.replace(" ", "")
    assert govc.ok("datastore.ls", *datastore, f"{folder}/boot.iso").split()[-1] == "boot.iso"
    assert govc.ok("datastore.ls", *datastore, f"{folder}/*.iso").split()[-1] == "boot.iso"
    assert "boot.iso" in govc.ok("datastore.ls", "-R", *datastore, library_folder)
    assert "was not found" in govc.fails("datastore.ls", *datastore, f"{folder}/nothing.iso")
    assert "was not found" in govc.fails("datastore.ls", *datastore, "nowhere/at/all")


def test_datastore_file_is_downloaded(govc, library, iso, tmp_path):
    govc.ok("library.import", library, iso)
    folder = storage_path(govc, library, "boot")
    govc.ok("datastore.download", f"{folder}/boot.iso", tmp_path / "copy.iso")
    assert digest(tmp_path / "copy.iso") == digest(iso)
    assert "404" in govc.fails("datastore.download", f"{folder}/other.iso", tmp_path / "other.iso")
    assert "405" in govc.fails("datastore.upload", iso, f"{folder}/new.iso")


def test_tags(govc, library, iso):
    govc.ok("library.import", library, iso)
    category, tag = f"stage-{library}", f"tested-{library}"
    govc.ok("tags.category.create", "-d", "of testing", "-m", category)
    assert govc.json("tags.category.info", category)[0]["description"] == "of testing"
    assert category in govc.ok("tags.category.ls")
    govc.ok("tags.create", "-d", "well", "-c", category, tag)
    assert tag in govc.ok("tags.ls", "-c", category)
    assert govc.json("tags.info", tag)[0]["description"] == "well"
    govc.ok("tags.attach", "-c", category, tag, f"/{library}")
    govc.ok("tags.attach", "-c", category, tag, f"/{library}/boot")
    attached = govc.ok("tags.attached.ls", tag)
    assert "com.vmware.content.Library" in attached and "com.vmware.content.library.Item" in attached
    assert tag in govc.ok("tags.attached.ls", "-r", f"/{library}")
    govc.ok("tags.detach", "-c", category, tag, f"/{library}")
    assert "com.vmware.content.Library:" not in govc.ok("tags.attached.ls", tag)
    govc.ok("tags.update", "-d", "very well", "-c", category, tag)
    govc.ok("tags.rm", "-f", "-c", category, tag)
    govc.ok("tags.category.update", "-n", f"{category}-2", category)
    govc.ok("tags.category.rm", f"{category}-2")
    assert category not in govc.ok("tags.category.ls")


def test_what_is_told_is_told_as_json(govc, library, iso):
    """Scripts read it so; each of these commands decodes an answer of its own."""
    govc.ok("library.import", library, iso)
    category, tag = f"stage-{library}", f"tested-{library}"
    govc.ok("tags.category.create", category)
    govc.ok("tags.create", "-c", category, tag)
    govc.ok("tags.attach", "-c", category, tag, f"/{library}")
    assert library in {each["name"] for each in govc.json("library.ls")}
    assert [each["name"] for each in govc.json("library.ls", f"/{library}/*")] == ["boot"]
    assert [each["name"] for each in govc.json("library.info", f"/{library}")] == [library]
    assert [each["name"] for each in govc.json("library.info", f"/{library}/boot/*")] == ["boot.iso"]
    assert govc.json("library.policy.ls")
    assert not govc.json("library.trust.ls")
    assert {"Admin", "ReadOnly", "NoAccess"} <= {each["name"] for each in govc.json("role.ls")}
    assert "administrator@vsphere.local" in json.dumps(govc.json("permissions.ls"))
    assert "administrator@vsphere.local" in json.dumps(govc.json("role.usage", "Admin"))
    assert category in {each["name"] for each in govc.json("tags.category.ls")}
    assert tag in {each["name"] for each in govc.json("tags.ls")}
    assert len(govc.json("tags.attached.ls", tag)) == 1
    listed = json.dumps(govc.json("datastore.ls", "-ds", "LocalDS_0"))
    assert "contentlib-" in listed
    assert "LocalDS_0" in json.dumps(govc.json("datastore.info", "LocalDS_0"))
