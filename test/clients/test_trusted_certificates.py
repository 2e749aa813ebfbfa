"""Signed packages on a server that was told whom to trust (content-library-api.md §10, §28.2)."""

import subprocess
from datetime import timedelta

import pytest

from http_source import make_certificate
from ova_package import make_package
from push_session import PushSession
from quire_server import QuireServer
from rest_client import LegacyRest, create_library

DAY = timedelta(days=1)
UNTRUSTED, EXPIRED, SELF_SIGNED = (f"{word}_CERTIFICATE" for word in ("UNTRUSTED", "EXPIRED", "SELF_SIGNED"))


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    """A trusted root with an intermediate, a root that has expired and is trusted all the same, and a stranger."""
    folder = tmp_path_factory.mktemp("authorities")
    root = make_certificate(folder, "root", address=None)
    return {
        "root": root,
        "intermediate": make_certificate(folder, "intermediate", issuer=root, address=None),
        "old": make_certificate(folder, "old", address=None, starts=-9 * DAY, ends=-DAY),
        "stranger": make_certificate(folder, "stranger", address=None),
    }


@pytest.fixture(scope="module")
def library(tmp_path_factory, authorities):
    folder = tmp_path_factory.mktemp("trusting")
    bundle = folder / "trusted.pem"
    bundle.write_text("# whom we trust\n" + authorities["root"].pem + "\n" + authorities["old"].pem)
    server = QuireServer(folder / "server", flags=("--trusted-certificates", str(bundle))).start()
    try:
        rest = LegacyRest(server).log_in()
        yield rest, create_library(rest, "signed")
        server.stop()
    finally:
        server.kill()


CASES = {
    # issuer, further certificates that are sent, dates of the signer: warnings
    "by the root": ("root", [], {}, set()),
    "through an intermediate": ("intermediate", ["intermediate"], {}, set()),
    "through an intermediate, root sent too": ("intermediate", ["intermediate", "root"], {}, set()),
    "through an intermediate that is not sent": ("intermediate", [], {}, {UNTRUSTED}),
    "by a root that has expired": ("old", [], {}, {UNTRUSTED}),
    "by a stranger": ("stranger", ["stranger"], {}, {UNTRUSTED}),
    "expired, by the root": ("root", [], {"starts": -9 * DAY, "ends": -DAY}, {EXPIRED}),
    "self-signed": (None, [], {}, {SELF_SIGNED}),
}


@pytest.mark.parametrize("form", ["ovf", "ova"])
@pytest.mark.parametrize("case", CASES)
def test_trust(library, authorities, tmp_path, case, form):
    issuer, sent, dates, warnings = CASES[case]
    package = make_package(tmp_path / "package", "vm", [50_000], seed=case, manifest="SHA256")
    signer = make_certificate(tmp_path, "signer", issuer=authorities.get(issuer), **dates)
    package.sign(signer, [authorities[name] for name in sent])
    session = PushSession(*library)
    for path in [package.pack()] if form == "ova" else [*package.metadata_files(), *package.content_files()]:
        session.push_file(path)
    assert session.preview_warnings() == dict.fromkeys(warnings, False)
    if warnings:
        session.ignore(*warnings)
    session.ok("complete")
    status = session.item_model()["certificate_verification_info"]["status"]
    assert status == ("VERIFIED" if not warnings else "VERIFICATION_FAILURE" if warnings == {EXPIRED} else "UNTRUSTED")


@pytest.mark.parametrize("content", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nMIIB\n", None])
def test_unusable_file_is_refused_at_the_start(tmp_path, content):
    bundle = tmp_path / "trusted.pem"
    if content is not None:
        bundle.write_text(content)
    server = QuireServer(tmp_path / "server", flags=("--trusted-certificates", str(bundle)))
    ended = subprocess.run(server.command(), capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0 and "trusted" in ended.stderr, ended
