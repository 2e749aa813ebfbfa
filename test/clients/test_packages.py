"""OVF packages as people make them: disks of every subformat from qemu-img, manifests, signatures from OpenSSL."""

import base64
import bz2
import gzip
import io
import lzma
import re
import subprocess
import tarfile
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from http_source import make_certificate
from ova_package import digest, make_package
from push_session import PushSession
from rest_client import BINDINGS, create_library

DAY = timedelta(days=1)
SELF_SIGNED, EXPIRED, NOT_YET_VALID, UNTRUSTED = (
    f"{word}_CERTIFICATE" for word in ("SELF_SIGNED", "EXPIRED", "NOT_YET_VALID", "UNTRUSTED")
)


@pytest.fixture(scope="module")
def world(shared_server):
    """Each binding by its name, with a library of its own."""
    logins = {name: binding(shared_server).log_in() for name, binding in BINDINGS.items()}
    return {name: (login, create_library(login, f"packages {name}")) for name, login in logins.items()}


@pytest.fixture
def library(world):
    return world["legacy"]


def digests_of(files):
    return {file.name: digest(file) for file in files}


def push(session, package, form):
    """Sends the package; metadata files first, as must be (content-library-api.md §15.1). The last answer."""
    if form == "ova":
        archive = package.pack()
        with open(archive, "rb") as content:
            return session.push(archive.name, content, size=archive.stat().st_size)
    for file in [*package.metadata_files(), package.descriptor, *package.disks]:
        with open(file, "rb") as content:
            response = session.push(file.name, content, size=file.stat().st_size)
        if response.status_code != 200:
            return response
    return response


# --- disks --------------------------------------------------------------------------------------------------------

# Two extents need a guest of more than 2 GiB; only sparse ones are small then.
DISKS = {
    "streamOptimized": {},
    "monolithicSparse": {},
    "monolithicFlat": {},
    "twoGbMaxExtentFlat": {},
    "twoGbMaxExtentSparse": {"guest_bytes": 5 << 30},
}


@pytest.mark.parametrize("form", ["ovf", "ova"])
@pytest.mark.parametrize("subformat", DISKS)
def test_disks(world, tmp_path, subformat, form):
    package = make_package(tmp_path, "vm", [700_000, 300_000], seed=subformat, subformat=subformat, **DISKS[subformat])
    assert len(package.disks) == {"twoGbMaxExtentSparse": 8, "monolithicFlat": 4, "twoGbMaxExtentFlat": 4}.get(
        subformat, 2
    )
    wire = list(BINDINGS)[list(DISKS).index(subformat) % len(BINDINGS)]
    session = PushSession(*world[wire])
    response = push(session, package, form)
    assert response.status_code == 200, response.text
    assert session.preview_warnings() == {}
    assert "certificate_info" not in session.model()["preview_info"]
    session.ok("complete")
    assert session.content() == digests_of(package.content_files())
    item = session.item_model()
    assert item["size"] == sum(file.stat().st_size for file in package.content_files())
    assert item["certificate_verification_info"]["status"] == "NOT_AVAILABLE"


# --- manifests ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A package for each algorithm of a manifest."""
    return {
        algorithm: make_package(
            tmp_path_factory.mktemp("plain"), "vm", [200_000, 100_000], seed="plain", manifest=algorithm
        )
        for algorithm in ("SHA1", "SHA256", "SHA512", None)
    }


@pytest.mark.parametrize("form", ["ovf", "ova"])
@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256", "SHA512", None])
def test_manifest(library, plain, algorithm, form):
    session = PushSession(*library)
    assert push(session, plain[algorithm], form).status_code == 200
    session.ok("complete")
    assert session.content() == digests_of(plain[algorithm].content_files())
    files = {
        info["name"]: info["checksum_info"]
        for info in session.binding.ok("item.file.list", library_item_id=session.item)
    }
    disk = plain[algorithm].disks[0]
    assert files[disk.name]["checksum"].lower() == digest(disk, files[disk.name]["algorithm"].lower())


@pytest.mark.parametrize("form", ["ovf", "ova"])
@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256", "SHA512"])
def test_damaged_disk(library, tmp_path, algorithm, form):
    """One bit in a disk: refused at once, the file is named, the item keeps nothing."""
    package = make_package(tmp_path, "vm", [200_000], seed="damaged", manifest=algorithm)
    flip_bit(package.disks[0], 100_000)
    session = PushSession(*library)
    response = push(session, package, form)
    assert response.status_code == 400 and package.disks[0].name in response.text, response.text
    is_in_error(session, package.disks[0].name)


@pytest.mark.parametrize("form", ["ovf", "ova"])
def test_manifest_that_names_a_file_that_is_not_there(library, tmp_path, form):
    package = make_package(tmp_path, "vm", [100_000], seed="absent")
    with open(package.manifest, "a") as manifest:
        manifest.write(f"SHA256(absent.vmdk)= {'0' * 64}\n")
    session = PushSession(*library)
    assert push(session, package, form).status_code == 200
    result = session.ok("file.validate")
    assert result["has_errors"] and result["missing_files"] == ["absent.vmdk"], result
    answer = session.call("complete")
    assert (answer.status, answer.error_type) == (400, "NOT_ALLOWED_IN_CURRENT_STATE") and "absent.vmdk" in answer.text
    assert session.model()["state"] == "ACTIVE"
    session.remove()


@pytest.mark.parametrize("form", ["ovf", "ova"])
@pytest.mark.parametrize("damaged", [False, True])
def test_manifest_and_certificate_of_openssl(library, tmp_path, form, damaged):
    """As `openssl dgst` of the machine writes them, SHA1 and SHA256 (OpenSSL 3: SHA2-256) of each file."""
    package = make_package(tmp_path / "package", "vm", [150_000], seed="openssl")

    def dgst(*arguments):
        command = ["openssl", "dgst", *arguments]
        return subprocess.run(command, check=True, capture_output=True, cwd=package.folder, timeout=60).stdout

    names = [file.name for file in package.content_files()]
    package.manifest.write_bytes(b"\xef\xbb\xbf" + dgst("-sha1", *names) + dgst("-sha256", *names))
    signer = make_certificate(tmp_path, "signer", rsa_bits=2048)
    package.certificate = package.folder / "vm.cert"
    line = dgst("-sha256", "-hex", "-sign", str(signer.path), "vm.mf")
    package.certificate.write_bytes(line + signer.pem.encode())
    if damaged:  # the last line alone
        text = package.manifest.read_bytes()
        package.manifest.write_bytes(text[:-2] + (b"0" if text[-2:-1] != b"0" else b"1") + b"\n")
    session = PushSession(*library)
    session.ignore(SELF_SIGNED)
    response = push(session, package, form)
    if damaged:
        assert response.status_code == 400 and package.disks[0].name in response.text, response.text
        is_in_error(session, package.disks[0].name)
        return
    assert response.status_code == 200, response.text
    session.ok("complete")
    assert session.content() == digests_of(package.content_files())


# --- archives as people and tools make them -----------------------------------------------------------------------


def gnu_tar(folder, *arguments):
    path = folder.parent / "packed.ova"
    subprocess.run(["tar", "-cf", str(path), *arguments], check=True, cwd=folder, timeout=60)
    return path.read_bytes()


def python_tar(entries, form=tarfile.PAX_FORMAT, **options):
    """An archive of (name, content) pairs; a directory has no content."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, **options) as archive:
        for name, content in entries:
            entry = tarfile.TarInfo(name)
            entry.mtime = 1_700_000_000.25 if form == tarfile.PAX_FORMAT else 0
            if content is None:
                entry.type = tarfile.DIRTYPE
            else:
                entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content or b""))
    return out.getvalue()


def in_order(package, prefix=""):
    return [(prefix + file.name, file.read_bytes()) for file in package.all_files()]


def with_doubles(package, before):
    """As the tar of macOS packs files with extended attributes."""
    for name, content in in_order(package, "./"):
        double = (name.replace("./", "./._"), b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(120))
        yield from [double, (name, content)] if before else [(name, content), double]


ORDINARY = {
    "GNU tar, ./": lambda package: gnu_tar(package.folder, *(f"./{file.name}" for file in package.all_files())),
    "GNU tar, pax": lambda package: gnu_tar(
        package.folder, "--format=pax", *(f"./{file.name}" for file in package.all_files())
    ),
    "GNU tar, folders": lambda package: gnu_tar(
        package.folder, "--no-recursion", ".", "./msg", *(f"./{file.name}" for file in package.all_files())
    ),
    "GNU tar, old": lambda package: gnu_tar(
        package.folder, "--format=oldgnu", "--no-recursion", "msg", *(file.name for file in package.all_files())
    ),
    "Python, pax": lambda package: python_tar(
        [("./", None), *in_order(package, "./"), ("msg", None)], pax_headers={"comment": "packed by hand"}
    ),
    "Python, ustar": lambda package: python_tar([(".", None), *in_order(package, "././")], tarfile.USTAR_FORMAT),
    "macOS": lambda package: python_tar([("./", None), ("./._.", b"double"), *with_doubles(package, True)]),
    "macOS, doubles behind": lambda package: python_tar(with_doubles(package, False), tarfile.GNU_FORMAT),
}


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory):
    package = make_package(tmp_path_factory.mktemp("ordinary") / "vm", "vm", [120_000, 80_000], seed="ordinary")
    (package.folder / "msg").mkdir()
    return package


@pytest.mark.parametrize("how", ORDINARY)
def test_ordinary_archive(library, ordinary, how):
    session = PushSession(*library)
    content = ORDINARY[how](ordinary)
    response = session.push("vm.ova", content, size=len(content))
    assert response.status_code == 200, response.text
    session.ok("complete")
    assert session.content() == digests_of(ordinary.content_files())


def test_what_the_manifest_does_not_name_may_follow_it(library, ordinary):
    """VMware writes descriptor, disks, manifest, NVRAM."""
    members = {name: content for name, content in in_order(ordinary) if not name.endswith(".mf")}
    manifest = ordinary.manifest.read_bytes()
    session = PushSession(*library)
    content = python_tar([*members.items(), ("vm.mf", manifest), ("vm.nvram", b"nvram")], tarfile.USTAR_FORMAT)
    assert session.push("vm.ova", content).status_code == 200
    session.ok("complete")
    assert set(session.content()) == {*members, "vm.nvram"}


def test_descriptor_in_a_folder(library, ordinary):
    session = PushSession(*library)
    response = session.push("vm.ova", python_tar([("./vm", None), *in_order(ordinary, "./vm/")]))
    assert response.status_code == 400 and "vm/vm.ovf" in response.text, response.text
    is_in_error(session, "vm.ova")


# --- names ----------------------------------------------------------------------------------------------------------


def rename_in(package, old, new):
    """Another href for the file in the descriptor, and no manifest."""
    text = package.descriptor.read_text()
    assert old in text
    package.descriptor.write_text(text.replace(f'ovf:href="{old}"', f'ovf:href="{new}"'))
    package.manifest = None


HREFS = {
    # href: names under which the file may be sent
    "The%20Image-disk1.vmdk": ["The Image-disk1.vmdk", "The%20Image-disk1.vmdk"],
    "50%25.vmdk": ["50%25.vmdk", "50%.vmdk"],
    "100%.vmdk": ["100%.vmdk"],
    "./disk.vmdk": ["disk.vmdk"],
    "Gr%C3%B6%C3%9Fe.vmdk": ["Gr\u00f6\u00dfe.vmdk"],
}


@pytest.mark.parametrize("form", ["ovf", "ova"])
@pytest.mark.parametrize("href, name", [(href, name) for href, names in HREFS.items() for name in names])
def test_hrefs_are_uri_references(library, tmp_path, href, name, form):
    package = make_package(tmp_path, "vm", [100_000], seed="href")
    disk = package.disks[0].rename(tmp_path / name)
    rename_in(package, "vm-disk1.vmdk", href)
    package.disks = [disk]
    session = PushSession(*library)
    session.push_file(package.descriptor) if form == "ovf" else None
    assert form == "ova" or len(session.ok("file.validate")["missing_files"]) == 1
    if form == "ovf":
        session.push_file(disk)
    else:
        session.push_file(package.pack())
    assert not session.ok("file.validate")["has_errors"]
    session.ok("complete")
    assert session.content() == digests_of(package.content_files())


def test_names_that_harm_when_decoded(library):
    session = PushSession(*library)
    for name in ("%2e%2e/x", "%2Fetc%2Fpasswd", "a%00b", "%252e%252e/x", "a%5cb"):
        answer = session.call("file.add", file_spec={"name": name, "source_type": "PUSH"})
        assert (answer.status, answer.error_type) == (400, "INVALID_ARGUMENT"), answer
    response = session.push("vm.ova", python_tar([("vm.ovf", b"<Envelope/>"), ("%2e%2e/x", b"x")]))
    assert response.status_code == 400, response.text


def test_namespace_of_ovirt(library, tmp_path):
    package = make_package(tmp_path, "vm", [100_000], seed="ovirt", manifest=None)
    text = package.descriptor.read_text()
    package.descriptor.write_text(re.sub(r'(ovf/envelope/1)"', r'\1/"', text))
    assert package.descriptor.read_text() != text
    session = PushSession(*library)
    session.push_file(package.descriptor)
    assert session.ok("file.validate")["missing_files"] == [package.disks[0].name]
    session.push_file(package.disks[0])
    session.ok("complete")
    assert session.content() == digests_of(package.content_files())


# --- the wrong thing ------------------------------------------------------------------------------------------------


def zipped(content):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("vm.ovf", content)
    return out.getvalue()


WRONG = {
    "a tar archive": lambda tar: tar,
    "gzip-compressed data": gzip.compress,
    "a zip archive": zipped,
    "xz-compressed data": lzma.compress,
    "bzip2-compressed data": bz2.compress,
    "an HTML page": lambda tar: b"<!DOCTYPE html>\n<html><title>Log in</title></html>\n",
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", ["vm.ovf", "vm.ova", "vm.mf"])
def test_the_wrong_thing(library, ordinary, kind, name):
    """The reason says what was sent, not only what it is not."""
    if (kind, name) == ("a tar archive", "vm.ova"):
        pytest.skip("that is the right thing")
    content = WRONG[kind](python_tar(in_order(ordinary)))
    session = PushSession(*library)
    response = session.push(name, content, size=len(content))
    if response.status_code == 200:
        for file in ordinary.content_files() if name == "vm.mf" else []:
            session.push_file(file)
        assert session.call("complete").status == 400
    reason = session.model()["error_message"]["default_message"]
    assert name in reason and f"looks like {kind}" in reason, reason


@pytest.mark.parametrize(
    "member, content", [("vm.ovf", b""), ("vm.ovf", b"<!DOCTYPE html>"), ("vm.mf", b"nonsense"), ("vm.cert", b"nonsense")]
)
def test_a_reason_names_archive_and_member(library, ordinary, member, content):
    entries = {"vm.ovf": ordinary.descriptor.read_bytes(), "vm.mf": b"", member: content}
    session = PushSession(*library)
    response = session.push("The Appliance.ova", python_tar(entries.items()))
    assert response.status_code == 400 and "The Appliance.ova" in response.text and member in response.text
    is_in_error(session, f"The Appliance.ova: member {member}: ")


def flip_bit(path, position):
    with open(path, "r+b") as file:
        file.seek(position)
        (byte,) = file.read(1)
        file.seek(position)
        file.write(bytes([byte ^ 0x10]))


def is_in_error(session, named):
    """The session failed for good, says why, and the item is as it was and free."""
    model = session.model()
    assert model["state"] == "ERROR" and "preview_info" not in model, model
    assert model["error_message"]["id"] and named in model["error_message"]["default_message"], model
    item = session.item_model()
    assert (item["content_version"], item["size"]) == ("1", 0)
    assert session.binding.ok("item.file.list", library_item_id=session.item) == []
    session.ok("delete")
    other = PushSession(session.binding, None, item=session.item)
    other.remove()


# --- signatures ---------------------------------------------------------------------------------------------------


@dataclass
class Signer:
    """Who signs, and what the server, which trusts nobody, says of it."""

    make: object  # folder → (certificate, chain)
    warnings: set
    manifest: str = "SHA256"
    algorithm: str = "SHA256"
    self_signed: bool = True


def alone(**dates):
    return lambda folder: (make_certificate(folder, "signer", **dates), [])


def issued(send_root, **leaf):
    def make(folder):
        root = make_certificate(folder, "root", address=None)
        return make_certificate(folder, "signer", issuer=root, **leaf), [root] if send_root else []

    return make


def issued_over_intermediate(folder):
    root = make_certificate(folder, "root", address=None)
    middle = make_certificate(folder, "middle", issuer=root, address=None)
    return make_certificate(folder, "signer", issuer=middle), [middle, root]


SIGNERS = {
    "self-signed": Signer(alone(), {SELF_SIGNED}),
    "self-signed, RSA": Signer(alone(rsa_bits=2048), {SELF_SIGNED}, algorithm="SHA512"),
    "SHA1 over a SHA1 manifest": Signer(alone(rsa_bits=2048), {SELF_SIGNED}, manifest="SHA1", algorithm="SHA1"),
    "SHA512 manifest": Signer(alone(), {SELF_SIGNED}, manifest="SHA512"),
    "expired": Signer(alone(starts=-9 * DAY, ends=-DAY), {SELF_SIGNED, EXPIRED}),
    "not yet valid": Signer(alone(starts=DAY, ends=9 * DAY), {SELF_SIGNED, NOT_YET_VALID}),
    "unknown root, sent": Signer(issued(True), {UNTRUSTED}, self_signed=False),
    "unknown root, not sent": Signer(issued(False), {UNTRUSTED}, self_signed=False),
    "unknown root, expired": Signer(issued(True, starts=-9 * DAY, ends=-DAY), {UNTRUSTED, EXPIRED}, self_signed=False),
    "unknown root, intermediate": Signer(issued_over_intermediate, {UNTRUSTED}, self_signed=False),
}


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """A signed package for each signer, and its certificates; made once."""
    made = {}

    def get(name):
        if name not in made:
            folder = tmp_path_factory.mktemp("signed")
            signer = SIGNERS[name]
            package = make_package(folder / "package", "vm", [150_000], seed=name, manifest=signer.manifest)
            certificate, chain = signer.make(folder)
            package.sign(certificate, chain, signer.algorithm)
            made[name] = package, [certificate, *chain]
        return made[name]

    return get


@pytest.mark.parametrize("form", ["ovf", "ova"])
@pytest.mark.parametrize("name", SIGNERS)
def test_signer_that_nobody_trusts(world, signed, name, form):
    """The preview tells all there is to know; complete goes through only when every warning is ignored."""
    signer, (package, certificates) = SIGNERS[name], signed(name)
    wire = list(BINDINGS)[list(SIGNERS).index(name) % len(BINDINGS)]
    session = PushSession(*world[wire])
    response = push(session, package, form)
    assert response.status_code == 200, response.text
    assert session.preview_warnings() == dict.fromkeys(signer.warnings, False)
    preview = session.model()["preview_info"]
    shown = preview["certificate_info"]
    assert shown["subject"] == "CN=signer" and shown["self_signed"] == signer.self_signed
    assert shown["issuer"] == certificates[0].certificate.issuer.rfc4514_string()
    assert shown["x509"].strip() == certificates[0].pem.strip()
    assert preview["cert_chain"] == [base64.b64encode(certificate.der).decode() for certificate in certificates]
    for warning in preview["warnings"]:
        assert warning["message"]["id"] and "CN=signer" in warning["message"]["default_message"]

    session.ignore(*signer.warnings)
    assert session.preview_warnings() == dict.fromkeys(signer.warnings, True)
    session.ok("complete")
    assert session.content() == digests_of(package.content_files())
    item = session.item_model()
    assert item["certificate_verification_info"] == {"status": "UNTRUSTED", "cert_chain": preview["cert_chain"]}
    assert item["security_compliance"] is True


@pytest.mark.parametrize("ignored", [[], [EXPIRED], [SELF_SIGNED], [UNTRUSTED]])
def test_warning_that_is_not_ignored(library, signed, ignored):
    package, _ = signed("expired")
    session = PushSession(*library)
    session.ignore(*ignored)
    assert push(session, package, "ova").status_code == 200
    assert session.preview_warnings() == {SELF_SIGNED: SELF_SIGNED in ignored, EXPIRED: EXPIRED in ignored}
    answer = session.call("complete")
    assert (answer.status, answer.error_type) == (400, "NOT_ALLOWED_IN_CURRENT_STATE"), answer
    assert "CN=signer" in answer.text
    is_in_error(session, "CN=signer")


TAMPERED = {
    "disk": "vm-disk1.vmdk",
    "descriptor": "vm.ovf",
    "manifest": "vm.cert",
    "signature": "vm.cert",
    "certificate of another": "vm.cert",
    "manifest of another name": "vm.cert",
}


def tamper(package, what, folder):
    """Changes one part after the signature was made."""
    if what == "disk":
        flip_bit(package.disks[0], 70_000)
    elif what == "descriptor":
        package.descriptor.write_text(package.descriptor.read_text().replace("64 MB of memory", "96 MB of memory"))
    elif what == "manifest":
        # A change that the manifest's own rules allow.
        package.manifest.write_text(package.manifest.read_text().replace(")= ", ") = "))
    elif what == "signature":
        text = package.certificate.read_text()
        at = text.index("= ") + 30
        package.certificate.write_text(text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :])
    elif what == "certificate of another":
        line = package.certificate.read_text().splitlines()[0]
        package.certificate.write_text(line + "\n" + make_certificate(folder, "another").pem)
    else:
        text = package.certificate.read_text()
        package.certificate.write_text(text.replace("(vm.mf)", "(xx.mf)", 1))


@pytest.mark.parametrize("form", ["ovf", "ova"])
@pytest.mark.parametrize("what", TAMPERED)
def test_tampered_package(library, tmp_path, what, form):
    """Ignoring warnings helps nobody who changed a signed package."""
    package = make_package(tmp_path / "package", "vm", [150_000], seed="tampered")
    package.sign(make_certificate(tmp_path, "signer"))
    tamper(package, what, tmp_path)
    session = PushSession(*library)
    session.ignore(SELF_SIGNED, EXPIRED, NOT_YET_VALID, UNTRUSTED)
    response = push(session, package, form)
    if response.status_code == 200:
        assert session.ok("file.validate")["has_errors"]
        answer = session.call("complete")
        assert (answer.status, answer.error_type) == (400, "NOT_ALLOWED_IN_CURRENT_STATE"), answer
        assert TAMPERED[what] in answer.text
    else:
        assert response.status_code == 400 and TAMPERED[what] in response.text, response.text
    is_in_error(session, TAMPERED[what])


@pytest.mark.parametrize("late", ["manifest", "certificate"])
def test_metadata_after_the_descriptor(library, signed, late):
    package, _ = signed("self-signed")
    session = PushSession(*library)
    if late == "certificate":
        session.push_file(package.manifest)
    session.push_file(package.descriptor)
    answer = session.call("file.add", file_spec={"name": getattr(package, late).name, "source_type": "PUSH"})
    assert (answer.status, answer.error_type) == (400, "NOT_ALLOWED_IN_CURRENT_STATE"), answer
    # No harm done: the package goes in without.
    for disk in package.disks:
        session.push_file(disk)
    session.ok("complete")
    assert session.content() == digests_of(package.content_files())


@pytest.mark.parametrize("order", ["right behind the descriptor", "at the end", "apart"])
def test_metadata_in_an_archive(library, signed, order, tmp_path):
    """DSP0243 lets manifest and certificate stand behind the descriptor or at the end."""
    package, _ = signed("self-signed")
    descriptor, disks = [package.descriptor], package.disks
    members = {
        "right behind the descriptor": [*descriptor, package.manifest, package.certificate, *disks],
        "at the end": [*descriptor, *disks, package.manifest, package.certificate],
        "apart": [*descriptor, package.manifest, *disks, package.certificate],
    }[order]
    session = PushSession(*library)
    archive = Path(package.pack(tmp_path / "vm.ova", members))
    session.push_file(archive)
    assert session.preview_warnings() == {SELF_SIGNED: False}
    session.ignore(SELF_SIGNED)
    session.ok("complete")
    assert session.content() == digests_of(package.content_files())
