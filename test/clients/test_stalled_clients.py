"""A thousand clients that neither read what they asked for nor send what they announced, beside those that do."""

import contextlib
import os
import resource
import socket
import statistics
import time

import pytest

from quire_server import QuireServer
from raw_http import path_of
from rest_client import LegacyRest, Transfers, create_library, upload_item

MIB = 1 << 20
LARGE = 16 * MIB  # more than the system holds for a reader that does not read
STALLED = 1000
ROUNDS = 15
WORST = 5  # seconds; of one action, on a busy machine
TIMEOUT = 60


@pytest.fixture
def many_files():
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limits[1] < 2 * STALLED:
        pytest.skip("the system allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


class World:
    """A library with a large file, and endpoints for uploads that go on and for such that do not."""

    def __init__(self, server):
        self.server = server
        self.binding = LegacyRest(server).log_in()
        self.transfers = Transfers(server)
        library = create_library(self.binding)
        item = upload_item(self.binding, self.transfers, library, "large", {"large.bin": os.urandom(LARGE)})
        small = upload_item(self.binding, self.transfers, library, "small", {"small.bin": os.urandom(MIB)})
        self.large, self.small = self.download(item, "large.bin"), self.download(small, "small.bin")
        self.session = self.binding.ok(
            "update_session.create",
            create_spec={"library_item_id": self.binding.ok("item.create", create_spec=dict(name="up", library_id=library))},
        )
        self.upload = self.endpoint("busy.bin")

    def endpoint(self, name):
        info = self.binding.ok(
            "update_session.file.add", update_session_id=self.session, file_spec={"name": name, "source_type": "PUSH"}
        )
        return info["upload_endpoint"]["uri"]

    def download(self, item, name):
        call = self.binding.ok
        session = call("download_session.create", create_spec={"library_item_id": item})
        call("download_session.file.prepare", download_session_id=session, file_name=name)
        return call("download_session.file.get", download_session_id=session, file_name=name)["download_endpoint"]["uri"]

    def connect(self, plain_port, tls):
        connection = socket.create_connection((self.server.host, self.server.port if tls else plain_port), timeout=TIMEOUT)
        return self.server.ssl_context().wrap_socket(connection, server_hostname=self.server.host) if tls else connection

    def medians(self):
        """Of a PUT and a GET of 1 MiB and of a call, in seconds."""
        body = os.urandom(MIB)
        actions = {
            "PUT": lambda: self.transfers.put(self.upload, body),
            "GET": lambda: self.transfers.get(self.small),
            "call": lambda: self.binding.ok("library.list"),
        }
        times = {name: [] for name in actions}
        for _ in range(ROUNDS):
            for name, action in actions.items():
                begin = time.monotonic()
                answer = action()
                times[name].append(time.monotonic() - begin)
                assert name == "call" or answer.status_code == 200, answer
                assert times[name][-1] < WORST, (name, times)
        return {name: statistics.median(list_) for name, list_ in times.items()}


def check(world, idle):
    """Twice the time of an idle server, and what a busy machine adds to short times."""
    beside = world.medians()
    print(f"idle {idle}, beside the stalled {beside}")
    assert all(beside[name] < 2 * idle[name] + 0.05 for name in idle), (idle, beside)


def peak_memory(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM:"))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def stall_reader(world, connection, _):
    connection.sendall(f"GET {path_of(world.large)} HTTP/1.1\r\nHost: h\r\n\r\n".encode())


def stall_writer(world, connection, number):
    """Every other one has sent some of the file."""
    uri = world.endpoint(f"stalled-{number}.bin")
    connection.sendall(f"PUT {path_of(uri)} HTTP/1.1\r\nHost: h\r\nContent-Length: {LARGE}\r\n\r\n".encode())
    if number % 2:
        connection.sendall(bytes(100_000))


@pytest.mark.parametrize("tls", [True, False], ids=["https", "http"])
@pytest.mark.parametrize("kind", ["readers", "writers"])
def test_others_do_not_notice(tmp_path, many_files, kind, tls):
    """HTTPS downloads that nobody reads held the memory of all transfers: a PUT waited for more than 20 s."""
    port = free_port()
    server = QuireServer(tmp_path / "server", flags=["--listen-http", f"127.0.0.1:{port}"]).start()
    with contextlib.ExitStack() as stack:
        stack.callback(server.stop)
        world = World(server)
        idle = world.medians()
        before = peak_memory(server.process.pid)
        stall = stall_reader if kind == "readers" else stall_writer
        for number in range(STALLED if kind == "readers" else STALLED // 4):
            connection = stack.enter_context(world.connect(port, tls))
            stall(world, connection, number)
            if number == 100:  # few enough to hold the memory of all transfers, if they could
                check(world, idle)
        if kind == "writers":  # the rest have sent a head only, and all of them to one endpoint would replace each other
            for number in range(STALLED - STALLED // 4):
                stack.enter_context(world.connect(port, tls)).sendall(b"POST /rest/x HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n")
        check(world, idle)
        memory = peak_memory(server.process.pid) - before
        print(f"{kind}: {memory / MIB:.0f} MiB more")
        assert memory < 160 * MIB, memory
