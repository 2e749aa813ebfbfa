"""Three sites, each in a network namespace: a Quire that publishes, a static host with an export of the same library,
and a Quire that subscribes to both. Between them lie lines with delay, loss and a limited bandwidth. Whatever happens,
all copies become equal, and nobody ever reads a torn item. It takes root.

QUIRE_SEED repeats a run.
"""

import contextlib
import random
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from cli_client import signed_in
from test_publication import create
from test_subscription import quire_url, thumbprint_of

from namespaces import Network, NotPermitted
from push_session import sha256
from quire_server import QuireServer
from sites import NAMES, Site, Watcher, Writer, check_space, draw_seed
from small_disk import small_disk
from subscription_client import (
    ENDED,
    Subscription,
    automatic_time,
    content_of_library,
    download,
    reason_of,
    wait_for,
)

FLAGS = ("--pull-stall-timeout", "2s", "--pull-attempts", "3")
LINE = {"delay": 0.01, "loss": 0.01, "rate": 6_000_000}
BIG_BYTES = 3_500_001
DISK_BYTES = 80 << 20
MID_FILE_BYTES = 1_000_000
ROOM_LEFT = 2 << 20
SHARE_OF_READERS = 0.15  # of the time, for each copy
HOST_PORT = 80  # nobody else is in its namespace


class RemoteQuire(QuireServer):
    """Runs in a namespace and listens at its address."""

    def __init__(self, folder, place, flags=()):
        super().__init__(folder, flags=[*FLAGS, *flags])
        self.place = place
        self.host = place.address

    def start(self):
        with self.place.entered():
            return super().start()


class StaticHost:
    """A plain web server in a namespace, for a folder."""

    def __init__(self, folder, place):
        self.folder, self.place = folder, place
        self.start()

    def start(self):
        options = ["--bind", self.place.address, "--directory", str(self.folder), str(HOST_PORT)]
        command = [sys.executable, "-m", "http.server", *options]
        with self.place.entered():
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for("the static host", self.is_open)
        except BaseException:
            self.stop()
            raise

    @property
    def url(self):
        return f"http://{self.place.address}:{HOST_PORT}/lib.json"

    def is_open(self):
        assert self.process.poll() is None, "the static host has ended"
        with self.place.entered(), contextlib.suppress(ConnectionRefusedError):
            socket.create_connection((self.place.address, HOST_PORT)).close()
            return True
        return False

    def stop(self):
        self.process.kill()
        self.process.wait()


class Sites:
    """The three, what moves between them, and the desk at which all are written to and read."""

    def __init__(self, folder, network, disk, seed):
        self.folder, self.network, self.disk = folder, network, disk
        self.chance = random.Random(f"{seed} sites")
        storage = disk.folder / "content"
        storage.mkdir()
        flags = ("--storage", f"small={storage}", "--storage-reserve", "1MiB")
        self.servers = (
            RemoteQuire(folder / "publisher", network["publisher"]),
            RemoteQuire(folder / "subscriber", network["subscriber"], flags),
        )
        self.host = None
        try:
            self.open(seed)
        except BaseException:
            self.close()
            raise

    def open(self, seed):
        for one, other in (("publisher", "subscriber"), ("host", "subscriber")):
            self.network.between(one, other, **LINE)
        self.publisher, self.subscriber = map(Site, self.servers)
        self.source = create(self.publisher.rest, "published")
        self.writer = Writer(self.publisher, self.source, seed)
        for name in NAMES[:2]:
            self.writer.steady.append(self.writer.add(name, self.writer.some_files()))
        self.cli = signed_in(self.publisher.server, self.folder / "home")
        self.export()
        self.host = StaticHost(self.folder / "export", self.network["host"])
        rest = self.subscriber.rest
        url = quire_url(self.publisher.rest, self.source)
        follow = {"url": url, "ssl_thumbprint": thumbprint_of(self.publisher.server)}
        self.at_once = Subscription(rest, name="at once", automatic_sync_enabled=True, **follow)
        self.on_demand = Subscription(rest, name="on demand", on_demand=True, **follow)
        self.static = Subscription(rest, self.host.url, name="of the export")
        self.copies = (self.at_once, self.on_demand, self.static)
        for copy in self.copies:
            copy.first()

    def close(self):
        if self.host:
            self.host.stop()
        for server in self.servers:
            server.kill()

    def export(self):
        self.cli.ok("export-vcsp", "published", self.folder / "export")

    def fresh(self, count=BIG_BYTES):
        """Bytes that nobody has."""
        return self.chance.randbytes(count)

    def change_at_random(self, count=3):
        for _ in range(count):
            self.writer.step()

    def free_names(self, count):
        """Names of items that are not, for which others may have to go."""
        free = [name for name in NAMES if name not in self.writer.names.values()]
        others = [item for item in sorted(self.writer.names) if item not in self.writer.steady]
        while len(free) < count:
            item = others.pop()
            free.append(self.writer.names[item])
            self.writer.delete(item)
        return free[:count]

    def published(self):
        return content_of_library(self.publisher.rest, self.source)

    @contextlib.contextmanager
    def crawling(self, *origins):
        """What begins inside is in mid-file afterwards, however long the test takes, until mend()."""
        goals = {origin: self.network.moved(origin, "subscriber") + MID_FILE_BYTES for origin in origins}
        for origin, goal in goals.items():
            self.network.line(origin, "subscriber", crawls_at=goal)
        yield
        for origin, goal in goals.items():
            wait_for(f"bytes from {origin}", lambda: self.network.moved(origin, "subscriber"), lambda all: all >= goal)

    def cut(self, origin):
        """Nothing comes from there any more, which has been noticed."""
        lost = self.network.line(origin, "subscriber", cut=True)["lost"]
        wait_for("loss", lambda: self.network.line(origin, "subscriber")["lost"], lambda all: all > lost + 2)

    def mend(self):
        for origin in ("publisher", "host"):
            self.network.between(origin, "subscriber", cut=False, crawls_at=0, free_at=0)

    def converge(self):
        """After a few synchronizations at most every copy is as the publisher has it, also what comes on demand."""
        self.export()
        expected = self.published()
        for copy in self.copies:
            copy.quiet()
            for _ in range(5):
                if (task := copy.sync())["status"] == "SUCCEEDED":
                    break
            assert task["status"] == "SUCCEEDED", task
            if copy is self.on_demand:
                assert copy.contents() == expected
            else:
                copy.assert_is(expected)


@pytest.fixture
def seed():
    return draw_seed()


@pytest.fixture
def network(seed):
    try:
        with Network(["publisher", "subscriber", "host", "desk"], seed) as made, made["desk"].entered():
            yield made
    except NotPermitted as reason:
        pytest.skip(str(reason))


@contextlib.contextmanager
def three_sites(folder, network, seed):
    with small_disk(folder / "small", DISK_BYTES) as disk:
        made = Sites(folder, network, disk, seed)
        try:
            yield made
            for server in made.servers:
                server.stop()
        except BaseException:
            for server in made.servers:
                print(server.log())
            print("history:", " ".join(made.writer.log))
            raise
        finally:
            made.close()


# ---- what happens ----


def automatic(sites):
    """Nobody asks: the time comes."""
    known = set(sites.at_once.tasks())
    sites.change_at_random()
    with automatic_time(sites.subscriber.rest):
        wait_for("an automatic synchronization", sites.at_once.tasks, lambda found: set(found) - known)
    assert sites.at_once.quiet()[-1]["status"] == "SUCCEEDED"
    sites.at_once.assert_is(sites.published())


def on_demand(sites):
    """Several ask for a content at once, and it comes once."""
    source = sites.writer.steady[0]
    content = {"disk.bin": sites.fresh()}
    sites.writer.put(source, content)
    item = sites.on_demand.synced().item(source)
    assert not item["cached"]
    before = sites.network.moved("publisher", "subscriber")
    with ThreadPoolExecutor(3) as pool:
        logins = [sites.subscriber.another_login() for _ in range(3)]
        found = list(pool.map(lambda login: download(login, item["id"]), logins))
    assert all(one["disk.bin"] == sha256(content["disk.bin"]) for one in found)
    assert BIG_BYTES <= sites.network.moved("publisher", "subscriber") - before < 2 * BIG_BYTES


def evict(sites):
    """Dropped content comes again when somebody asks."""
    library, (one, other) = sites.on_demand.synced(), sites.writer.steady
    library.contents()
    assert library.item(one)["cached"] and library.item(other)["cached"]

    def evict_one():
        sites.subscriber.rest.ok("subscribed_item.evict", library_item_id=library.item(one)["id"])
        return not library.item(one)["cached"]

    def evict_all():
        library.ok("evict")
        return not any(item["cached"] or item["size"] for item in library.models().values())

    # Who was about to read it just then brings it once more.
    wait_for("the item to be without content", evict_one)
    assert library.item(other)["cached"]
    wait_for("all items to be without content", evict_all)
    assert library.contents() == sites.published()


def rename_delete_and_replace(sites):
    """All in one round, around in a circle of names; each item stays itself."""
    writer = sites.writer
    first, second, third, fourth = sites.free_names(4)
    a, b, c, d = (writer.add(name, writer.some_files()) for name in (first, second, third, fourth))
    sites.export()
    for copy in sites.copies:
        copy.synced()
    ids = [{source: item["id"] for source, item in copy.models().items()} for copy in sites.copies]
    writer.delete(c)
    writer.rename(a, third)
    writer.rename(b, first)
    writer.rename(a, second)
    writer.put(d, {"disk.bin": sites.fresh()})
    writer.add(third, writer.some_files())
    sites.export()
    for copy, before in zip(sites.copies, ids):
        copy.synced()
        after = {source: item["id"] for source, item in copy.models().items()}
        assert c not in after
        assert [after[source] for source in (a, b, d)] == [before[source] for source in (a, b, d)]


def publisher_killed_in_mid_file(sites):
    before = sites.at_once.synced().contents()
    sites.writer.put(sites.writer.steady[0], {"disk.bin": sites.fresh()})
    with sites.crawling("publisher"):
        sites.at_once.begin()
    sites.publisher.kill()
    assert sites.at_once.contents() == before, "the old version serves on"
    sites.mend()
    sites.publisher.back()
    sites.at_once.quiet()


def subscriber_killed_in_mid_file(sites):
    """While all three copies change."""
    source = sites.writer.steady[1]
    sites.writer.put(source, {"disk.bin": sites.fresh()})
    sites.export()
    sites.on_demand.synced()
    with sites.crawling("publisher", "host"):
        rest, item = sites.subscriber.rest, sites.on_demand.item(source)["id"]
        rest.ok("subscribed_item.sync", library_item_id=item, force_sync_content=True)
        tasks = [sites.at_once.begin(), sites.static.begin()]
    sites.subscriber.kill()
    sites.mend()
    sites.subscriber.back()
    for task in tasks:
        ended = wait_for("the task to go on", task, lambda info: info["status"] in ENDED)
        assert ended["status"] == "SUCCEEDED", ended
    wait_for("the content on demand", lambda: sites.on_demand.item(source)["cached"])


def line_cut_for_a_while(sites):
    """In mid-file."""
    sites.at_once.quiet()
    sites.writer.put(sites.writer.steady[0], {"disk.bin": sites.fresh()})
    with sites.crawling("publisher"):
        sites.at_once.begin()
    sites.network.line("subscriber", "publisher", cut=True)
    sites.cut("publisher")
    sites.mend()
    sites.at_once.quiet()


def host_unheard_and_gone(sites):
    """First what is asked arrives there, but no answer arrives here; then nobody is there: the synchronization ends and
    says why."""
    sites.export()
    before = sites.static.synced().contents()
    sites.writer.put(sites.writer.steady[1], {"disk.bin": sites.fresh()})
    sites.export()
    with sites.crawling("host"):
        task = sites.static.begin()
    sites.cut("host")
    sites.host.stop()
    sites.mend()
    reason = reason_of(wait_for("the sync to give up", task, lambda info: info["status"] in ENDED))
    assert sites.network["host"].address in reason, reason
    assert sites.static.contents() == before
    sites.host.start()


def disk_full(sites):
    """What fits is taken; of what does not fit the old version serves on, and the reason is told for each item."""
    writer = sites.writer
    small_name, large_name = sites.free_names(2)
    sites.converge()
    before = sites.at_once.contents()
    sites.disk.leave(ROOM_LEFT)
    large = writer.add(large_name, {"disk.bin": sites.fresh()})
    small = writer.add(small_name, {"small.bin": sites.fresh(200_000)})
    replaced = writer.steady[0]
    writer.put(replaced, {"disk.bin": sites.fresh()})
    sites.export()
    expected = {item: told["files"] for item, told in sites.published().items()} | {replaced: before[replaced]["files"]}
    del expected[large]
    for copy in (sites.at_once, sites.static):
        reason = copy.fails()
        for name in (large_name, before[replaced]["name"]):
            assert f"{name}: Storage small has no room" in reason, reason
        assert small_name not in reason, reason
        assert not copy.item(large)["cached"]
        assert {item: copy.content(item) for item in copy.models() if item != large} == expected
    sites.on_demand.synced()
    reason = reason_of(sites.on_demand.bring(sites.on_demand.item(large)["id"]))
    assert "Storage small has no room" in reason, reason
    assert sites.on_demand.content(small) == expected[small]
    sites.disk.make_room()


EVENTS = (
    automatic,
    on_demand,
    evict,
    rename_delete_and_replace,
    publisher_killed_in_mid_file,
    subscriber_killed_in_mid_file,
    line_cut_for_a_while,
    host_unheard_and_gone,
    disk_full,
)


def test_three_sites_become_equal(tmp_path, network, seed):
    with three_sites(tmp_path, network, seed) as sites, contextlib.ExitStack() as stack:
        readers = [Watcher(sites.subscriber, copy, sites.writer, SHARE_OF_READERS) for copy in sites.copies]
        for reader in readers:
            stack.enter_context(reader)
        events = list(EVENTS)
        sites.chance.shuffle(events)
        for event in events:
            begin = time.monotonic()
            sites.change_at_random(1)
            event(sites)
            sites.converge()
            problems = [reader.problems for reader in readers if reader.problems]
            assert not problems, (event.__name__, problems)
            print(f"{event.__name__}: {time.monotonic() - begin:.1f} s")
        stack.close()
        assert all(reader.downloads for reader in readers)
        check_space(sites.subscriber, sites.disk.folder, *sites.copies)
