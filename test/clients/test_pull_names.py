"""Pulls from names whose address changes: what counts is the address that is connected to (content-library-api.md
§28.3). The server runs with a name server of the test's own, in a mount namespace, which takes root.
"""

import shutil
import subprocess

import pytest

from dns_source import DnsSource
from http_source import HttpSource, Reply, redirect
from quire_server import QuireServer
from rest_client import LegacyRest, create_library
from test_pull import ARRIVED, CONTENT, DENIED, Pull

ALLOWED = "127.0.0.1"
NAME_SERVER = "127.0.0.153"
NAME = "changing.quire.test"


class NamespacedServer(QuireServer):
    """Sees another /etc/resolv.conf than everybody else."""

    def command(self):
        resolver = self.folder / "resolv.conf"
        resolver.write_text(f"nameserver {NAME_SERVER}\noptions timeout:2 attempts:2\n")
        script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", script, str(resolver), *super().command()]


@pytest.fixture(scope="module")
def names():
    if shutil.which("unshare") is None or subprocess.run(["unshare", "--mount", "true"]).returncode != 0:
        pytest.skip("no mount namespace can be made here, which takes root")
    try:
        source = DnsSource(NAME_SERVER)
    except OSError as failed:
        pytest.skip(f"no name server can be run on port 53 here, which takes root: {failed}")
    yield source
    source.close()


@pytest.fixture(scope="module")
def library(tmp_path_factory, names):
    flags = ["--pull-allow", "127.0.0.0/8", "--pull-deny", f"{DENIED}/32", "--complete-idle-pulls-after", "0s"]
    server = NamespacedServer(tmp_path_factory.mktemp("names") / "server", flags=flags)
    try:
        server.start()
        rest = LegacyRest(server).log_in()
        yield rest, create_library(rest, "names")
        server.stop()
    finally:
        server.kill()


@pytest.fixture
def pull(library):
    return Pull(*library)


@pytest.fixture
def sources():
    """One at the allowed and one at the denied address, on the same port."""
    for _ in range(20):
        with HttpSource(host=ALLOWED) as allowed:
            try:
                denied = HttpSource(host=DENIED, port=allowed.port)
            except OSError:
                continue  # somebody has this port there
            with denied:
                yield allowed, denied
                return
    raise AssertionError("no port is free on both addresses")


def is_refused(pull, denied, attempts):
    reason = pull.failed("boot.iso")
    assert f"attempts: {attempts})" in reason and DENIED in reason and "allow" in reason, reason
    assert denied.requests() == [] and denied.requests(method="HEAD") == []


def test_name_of_an_allowed_address(pull, names, sources):
    allowed, _ = sources
    names.addresses[NAME] = [[ALLOWED]]
    allowed.answer("/boot.iso", Reply(CONTENT))
    pull.add("boot.iso", allowed.url("/boot.iso", host=NAME))
    assert pull.done() == ARRIVED
    assert NAME in names.asked


def test_name_of_a_denied_address(pull, names, sources):
    allowed, denied = sources
    names.addresses[NAME] = [[DENIED]]
    pull.add("boot.iso", allowed.url("/boot.iso", host=NAME))
    is_refused(pull, denied, attempts=1)


def test_name_that_changes_after_the_first_question(pull, names, sources):
    """Whoever asked once to check and once to connect would end up at the wrong place."""
    allowed, denied = sources
    names.addresses[NAME] = [[ALLOWED], [DENIED]]
    allowed.answer("/boot.iso", Reply(CONTENT))
    denied.answer("/boot.iso", Reply(CONTENT))
    pull.add("boot.iso", allowed.url("/boot.iso", host=NAME))
    assert pull.done() == ARRIVED
    assert denied.requests() == []


def test_name_that_changes_between_attempts(pull, names, sources):
    allowed, denied = sources
    names.addresses[NAME] = [[ALLOWED], [DENIED]]
    allowed.answer("/boot.iso", Reply(CONTENT, etag='"v1"', cut_after=300_000), Reply(CONTENT, etag='"v1"'))
    pull.add("boot.iso", allowed.url("/boot.iso", host=NAME))
    is_refused(pull, denied, attempts=2)
    assert len(allowed.requests()) == 1


def test_name_that_changes_between_redirects(pull, names, sources):
    allowed, denied = sources
    names.addresses[NAME] = [[ALLOWED], [DENIED]]
    url = allowed.url("/boot.iso", host=NAME)
    allowed.answer("/start.iso", redirect(url))
    allowed.answer("/boot.iso", Reply(CONTENT))
    pull.add("boot.iso", allowed.url("/start.iso", host=NAME))
    is_refused(pull, denied, attempts=1)


@pytest.mark.parametrize("order", [[DENIED, ALLOWED], [ALLOWED, DENIED]])
def test_name_of_both(pull, names, sources, order):
    """The denied one is passed over."""
    allowed, denied = sources
    names.addresses[NAME] = [order]
    allowed.answer("/boot.iso", Reply(CONTENT))
    pull.add("boot.iso", allowed.url("/boot.iso", host=NAME))
    assert pull.done() == ARRIVED
    assert denied.requests() == []
