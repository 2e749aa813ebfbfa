"""Two Quires, and kill -9 at both ends: whatever happens, the subscriber becomes equal, and nobody ever reads a torn item.

QUIRE_SEED repeats a run, QUIRE_HISTORY_ROUNDS (10) sets its length.
"""

import contextlib
import os
import random
import threading
import time

import pytest
from cli_client import signed_in
from test_publication import create
from test_publication_commands import Host
from test_subscription import quire_url, thumbprint_of

from bad_network import BadNetwork
from quire_server import QuireServer
from sites import GONE, NAMES, Site, Watcher, Writer, check_space, draw_seed
from subscription_client import ITEM_SERVICE, Subscription, content_of_library, tasks_of, wait_for

ROUNDS = int(os.environ.get("QUIRE_HISTORY_ROUNDS", "10"))
FLAGS = ("--pull-allow", "127.0.0.0/8", "--pull-stall-timeout", "2s", "--pull-attempts", "3")
PIECE_DELAY = 0.02  # of 64 KiB: some 3 MB a second on each connection
BIG = random.Random("big").randbytes(8_000_001)


class Pair:
    """A publisher, a subscriber and the network between them."""

    def __init__(self, folder, seed, catalogs=((), ()), on_demand=False, **network):
        self.publisher = Site(QuireServer(folder / "publisher", flags=[*FLAGS, *catalogs[0]]))
        self.subscriber = Site(QuireServer(folder / "subscriber", flags=[*FLAGS, *catalogs[1]]))
        self.source = create(self.publisher.rest)
        self.writer = Writer(self.publisher, self.source, seed)
        self.network = BadNetwork(self.publisher.server, seed=seed, **{"delay": PIECE_DELAY, **network})
        self.on_demand = on_demand
        self.library = None

    def subscribe(self):
        url = quire_url(self.publisher.rest, self.source).replace(self.publisher.server.url, self.network.url)
        trust = {"ssl_thumbprint": thumbprint_of(self.publisher.server)}
        self.library = Subscription(self.subscriber.rest, url, on_demand=self.on_demand, **trust)
        return self.library

    def moved(self, count, than=None):
        """Waits until so many bytes have gone over the network since `than`."""
        begin = self.network.moved if than is None else than
        wait_for("bytes to move", lambda: self.network.moved - begin, lambda more: more >= count)

    def published(self):
        return content_of_library(self.publisher.rest, self.source)

    def converge(self):
        """A few more synchronizations at most, and all is as the publisher has it."""
        for _ in range(5):
            if (task := self.library.sync())["status"] == "SUCCEEDED":
                break
        assert task["status"] == "SUCCEEDED", task
        self.library.assert_is(self.published())

    def check_space(self):
        check_space(self.subscriber, self.subscriber.server.data_dir / "blobs", self.library)

    def close(self):
        self.network.__exit__()
        self.subscriber.close()
        self.publisher.close()


@contextlib.contextmanager
def pair(folder, seed=0, **options):
    made = Pair(folder, seed, **options)
    try:
        yield made
    except BaseException:
        for site in (made.publisher, made.subscriber):
            print(site.server.log())
        print("history:", " ".join(made.writer.log))
        raise
    finally:
        made.close()


# ---- one kill ----


def test_publisher_killed_in_mid_file(tmp_path):
    with pair(tmp_path) as two:
        steady = two.writer.add("item a", {"disk.bin": b"old", "small.txt": b"old"})
        two.writer.steady.append(steady)
        library = two.subscribe().first()
        before = library.contents()
        two.writer.put(steady, {"disk.bin": BIG})
        with Watcher(two.subscriber, library, two.writer) as watcher:
            moved = two.network.moved
            library.begin()
            two.moved(2_000_000, moved)
            two.publisher.kill()
            assert library.contents() == before, "the old version serves on"
            two.publisher.back()
            if library.quiet()[-1]["status"] == "SUCCEEDED":  # it did not take longer than the attempts
                assert two.network.moved - moved < 1.2 * len(BIG), "what had arrived was fetched again"
            two.converge()
        assert not watcher.problems, watcher.problems
        assert watcher.downloads
        two.check_space()


def test_publisher_that_stays_away(tmp_path):
    """The sync ends and says why; the next one goes on."""
    with pair(tmp_path) as two:
        item = two.writer.add("item a", {"disk.bin": b"old"})
        library = two.subscribe().first()
        before = library.contents()
        two.writer.put(item, {"disk.bin": BIG})
        task = library.begin()
        two.moved(1_000_000)
        two.publisher.kill()
        ended = wait_for("the sync to give up", task, lambda info: info["status"] in ("SUCCEEDED", "FAILED"))
        assert ended["status"] == "FAILED" and ended["error"]["messages"][0]["default_message"], ended
        assert library.contents() == before
        two.publisher.back()
        two.converge()
        two.check_space()


def test_subscriber_killed_in_mid_file_goes_on_by_itself(tmp_path):
    with pair(tmp_path) as two:
        two.writer.add("item a", {"disk.bin": BIG})
        two.writer.add("item b", {"disk.bin": b"small", "more.bin": BIG[:3_000_000]})
        library = two.subscribe()
        two.moved(3_000_000, 0)
        two.subscriber.kill()
        two.subscriber.back()
        (task,) = library.quiet()
        assert task["status"] == "SUCCEEDED", task
        library.assert_is(two.published())
        two.check_space()
        two.subscriber.server.restart()
        assert len(library.tasks()) == 1
        library.assert_is(two.published())


def test_subscriber_killed_again_and_again(tmp_path):
    seed = draw_seed()
    chance = random.Random(seed)
    with pair(tmp_path, seed) as two:
        two.writer.add("item a", {"disk.bin": BIG, "more.bin": BIG[:1_000_000]})
        library = two.subscribe()
        for _ in range(4):
            goal = two.network.moved + chance.randint(1000, 2_000_000)
            with contextlib.suppress(AssertionError):  # when all is there already
                wait_for("bytes", lambda: two.network.moved, lambda moved: moved > goal, patience=2)
            two.subscriber.kill()
            two.subscriber.back()
        (task,) = library.quiet()
        assert task["status"] == "SUCCEEDED", f"QUIRE_SEED={seed}: {task}"
        library.assert_is(two.published())
        two.check_space()


def test_subscriber_killed_while_an_item_is_brought(tmp_path):
    with pair(tmp_path, on_demand=True) as two:
        source = two.writer.add("item a", {"disk.bin": BIG})
        library = two.subscribe().first()
        item = library.item(source)["id"]
        assert not library.item(source)["cached"]
        two.subscriber.rest.ok("subscribed_item.sync", library_item_id=item, force_sync_content=True)
        two.moved(2_000_000)
        two.subscriber.kill()
        two.subscriber.back()
        wait_for("the content", lambda: library.item(source)["cached"])
        library.assert_is(two.published())
        tasks = tasks_of(two.subscriber.rest, item, "com.vmware.content.library.Item", ITEM_SERVICE)
        assert [task["status"] for task in tasks.values()] == ["SUCCEEDED"], tasks


def test_both_killed_in_mid_file(tmp_path):
    with pair(tmp_path) as two:
        two.writer.add("item a", {"disk.bin": BIG})
        library = two.subscribe()
        two.moved(2_000_000, 0)
        two.publisher.kill()
        two.subscriber.kill()
        two.subscriber.back()
        two.publisher.back()
        library.quiet()
        two.converge()
        two.check_space()


def test_rename_delete_and_replace_in_one_round_with_a_kill(tmp_path):
    with pair(tmp_path) as two:
        writer = two.writer
        a, b, c, d = (writer.add(name, {"disk.bin": name.encode() * 100_000}) for name in NAMES[:4])
        writer.steady += [a, b, d]
        library = two.subscribe().first()
        ids = {source: item["id"] for source, item in library.models().items()}
        writer.delete(c)
        writer.rename(a, NAMES[2])
        writer.rename(b, NAMES[0])
        writer.rename(a, NAMES[1])
        writer.put(d, {"disk.bin": BIG})
        writer.add(NAMES[2], {"disk.bin": BIG[:2_000_000]})
        with Watcher(two.subscriber, library, writer) as watcher:
            library.begin()
            two.moved(1_500_000)
            two.subscriber.kill()
            two.subscriber.back()
            library.quiet()
            two.converge()
        assert not watcher.problems, watcher.problems
        after = {source: item["id"] for source, item in library.models().items()}
        assert {source: after[source] for source in (a, b, d)} == {source: ids[source] for source in (a, b, d)}
        two.check_space()


def test_a_network_that_cuts_and_stalls(tmp_path):
    seed = draw_seed()
    fates = ("cut", "reset", "stall", "pass")
    with pair(tmp_path, seed, fates=fates, after=(10_000, 3_000_000), faults=6, delay=0.002) as two:
        for name in NAMES[:4]:
            two.writer.add(name, {"disk.bin": BIG[: random.Random(f"{seed} {name}").randint(1, 4_000_000)]})
        while two.library is None:
            with contextlib.suppress(AssertionError):  # the publisher is asked at once, over that network
                two.subscribe()
        two.library.quiet()
        two.converge()
        print(f"QUIRE_SEED={seed}: {two.network.counts}")
        two.check_space()


# ---- random histories ----


def catalogs_of(kind, request):
    if kind == "sqlite":
        return ((), ())
    cluster = request.getfixturevalue("postgresql")
    return tuple(("--catalog", cluster.new_database()) for _ in range(2))


@pytest.mark.parametrize("catalog", ["sqlite", "postgresql"])
def test_a_random_history_with_kills_at_both_ends(tmp_path, request, catalog):
    seed = draw_seed()
    chance = random.Random(seed)
    counts = {}
    with pair(tmp_path, seed, catalogs=catalogs_of(catalog, request)) as two:
        for name in NAMES[:2]:
            two.writer.steady.append(two.writer.add(name, two.writer.some_files()))
        library = two.subscribe().first()
        with Watcher(two.subscriber, library, two.writer) as watcher:
            for number in range(ROUNDS):
                where = f"QUIRE_SEED={seed} round {number}: {two.writer.log}"
                for _ in range(chance.randint(1, 5)):
                    two.writer.step()
                fate = chance.choice(["publisher", "subscriber", "both", "network", "writes", "none"])
                counts[fate] = counts.get(fate, 0) + 1
                play_round(two, chance, fate)
                assert not watcher.problems, (where, watcher.problems)
                if chance.random() < 0.4:
                    two.converge()
            library.quiet()
            two.converge()
        assert not watcher.problems, (f"QUIRE_SEED={seed}", watcher.problems)
        print(f"{counts}; {watcher.looks} looks, {watcher.downloads} downloads; {' '.join(two.writer.log)}")
        assert watcher.downloads > 0
        library.assert_is(two.published())
        two.check_space()


def play_round(two, chance, fate):
    """Begins a synchronization, and in the middle of it lets something happen."""
    moved = two.network.moved
    answer = two.library.call("sync")
    assert answer.status == 204, str(answer)
    bytes_until = chance.randint(1, 2_000_000)
    end = time.monotonic() + chance.uniform(0.1, 1.5)  # there may be less to fetch than that
    while two.network.moved - moved < bytes_until and time.monotonic() < end:
        time.sleep(0.002)
    if fate == "network":
        two.network.drop_all()
    if fate == "writes":
        for _ in range(3):
            two.writer.step()
    if fate in ("publisher", "both"):
        if chance.random() < 0.5:
            kill_while_it_writes(two, chance)
        else:
            two.publisher.kill()
    if fate in ("subscriber", "both"):
        two.subscriber.kill()
    sites = [two.publisher, two.subscriber]
    chance.shuffle(sites)
    for site in sites:
        site.back()
    if fate in ("publisher", "both"):
        two.writer.settle()


def kill_while_it_writes(two, chance):
    """The publisher is killed in the middle of a change."""
    failures = []

    def write():
        try:
            while True:
                two.writer.step()
        except GONE:
            pass  # it was killed: what this is about
        except Exception as problem:
            failures.append(problem)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    time.sleep(chance.uniform(0.05, 0.5))
    two.publisher.kill()
    thread.join(60)
    assert not thread.is_alive() and not failures, failures


# ---- three sites ----


def test_a_static_export_as_a_third_site(tmp_path):
    """Quire → folder → Quire beside Quire → Quire: both copies become equal, with the host away for a while."""
    seed = draw_seed()
    with pair(tmp_path, seed, delay=0.001) as two:
        cli = signed_in(two.publisher.server, tmp_path / "home")
        name = two.publisher.rest.ok("library.get", library_id=two.source)["name"]
        two.writer.steady.append(two.writer.add(NAMES[0], {"disk.bin": BIG}))
        folder = tmp_path / "site"
        direct = two.subscribe().first()
        cli.ok("export-vcsp", name, folder)
        host = Host(folder)
        static = Subscription(two.subscriber.rest, host.url, name="of the export").first()
        try:
            static.assert_is(two.published())
            for number in range(4):
                for _ in range(4):
                    two.writer.step()
                cli.ok("export-vcsp", name, folder)
                if number == 2:
                    two.subscriber.kill()
                    two.subscriber.back()
                direct.synced().assert_is(two.published())
                static.synced().assert_is(two.published())
            host.stop()
            before = static.contents()
            two.writer.step()
            assert static.fails()
            static.assert_is(before)
        finally:
            host.stop()
        host = Host(folder)
        try:
            cli.ok("export-vcsp", name, folder)
            assert static.update(subscription_url=host.url).ok
            static.synced().assert_is(two.published())
        finally:
            host.stop()
