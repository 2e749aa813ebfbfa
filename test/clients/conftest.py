"""Fixtures: a running server, fresh for a test or shared by a module, and the clients that talk to it."""

import pytest

from govc_client import Govc
from ova_package import make_package
from quire_server import QuireServer
from rest_client import JsonRpc, LegacyRest, NewRest


def _serve(folder):
    server = QuireServer(folder).start()
    try:
        yield server
    finally:
        if server.process is not None:
            assert server.process.poll() is None, f"the server died\n{server.log()}"
            server.stop()


@pytest.fixture
def server(tmp_path):
    """A server of this test's own."""
    yield from _serve(tmp_path / "server")


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory):
    """One server for a module whose tests do not look at what others made."""
    yield from _serve(tmp_path_factory.mktemp("shared") / "server")


@pytest.fixture
def govc(shared_server, tmp_path):
    return Govc(shared_server, tmp_path / "govc-home")


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """A small OVF package with a SHA256 manifest."""
    return make_package(tmp_path_factory.mktemp("package"), "tiny", [1 << 20], seed=1)


@pytest.fixture
def legacy(shared_server):
    return LegacyRest(shared_server).log_in()


@pytest.fixture
def new_rest(shared_server):
    return NewRest(shared_server).log_in()


@pytest.fixture
def json_rpc(shared_server):
    return JsonRpc(shared_server).log_in()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the log of each server it used."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, QuireServer):
                report.sections.append((f"server of fixture {name}", value.log()))
    return report
