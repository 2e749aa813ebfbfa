"""Fixtures: a running server, fresh for a test or shared by a module, and the clients that talk to it."""

import pytest

from govc_client import Govc
from ova_package import make_package
from postgresql import Postgresql
from quire_server import QuireServer
from rest_client import JsonRpc, LegacyRest, NewRest
from secret_watch import WATCH, listen_to_requests

listen_to_requests()


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


@pytest.fixture(scope="session")
def postgresql():
    """A cluster for catalogs; each test makes databases of its own in it."""
    cluster = Postgresql()
    yield cluster
    cluster.stop()


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


LEAKS = []  # of this process, and of its workers when there are some
SUMMARIES = []


def pytest_sessionfinish(session):
    """A secret that was written down anywhere fails the whole run."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["leaked_secrets"] = WATCH.finish()
        session.config.workeroutput["secrets_summary"] = WATCH.summary()
        return
    if WATCH.servers:
        LEAKS.extend(WATCH.finish())
        SUMMARIES.append(WATCH.summary())
    if LEAKS and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    """What a worker of pytest-xdist found."""
    output = getattr(node, "workeroutput", {})
    LEAKS.extend(output.get("leaked_secrets", []))
    SUMMARIES.append(output.get("secrets_summary", "a worker ended without saying what it found"))


def pytest_terminal_summary(terminalreporter):
    terminalreporter.section("secrets", sep="=", red=bool(LEAKS), green=not LEAKS)
    for summary in SUMMARIES:
        terminalreporter.write_line(summary)
    for leak in LEAKS[:50]:
        terminalreporter.write_line(f"LEAK: {leak}", red=True)
    if len(LEAKS) > 50:
        terminalreporter.write_line(f"… and {len(LEAKS) - 50} more")
