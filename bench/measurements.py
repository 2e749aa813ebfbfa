"""What is measured: each function is one group, interleaves its candidates in every round, and returns samples and rows."""

import itertools
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from servers import PEERS, ROOT, Caddy, Nginx, Quire, Vcsim, Versitygw, make_certificate

RCLONE = PEERS / "bin" / "rclone"
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass
class Sizes:
    body: int = GIB
    large: int = 10 * GIB
    sparse: int = 20 * GIB
    disturbing: int = 2 * GIB  # each of the four uploads that run beside small requests
    uploads: tuple = ((1, GIB), (16, 128 * MIB), (200, 16 * MIB))
    seconds: float = 3
    clients: tuple = (16, 64)
    listed: tuple = (1_000, 10_000)
    stored: tuple = (1_000, 1_000_000)
    people: tuple = (100, 1_000)
    published: tuple = (2_000, 10_000)
    stall_seconds: float = 3
    pushed: int = 4 * GIB
    synced: tuple = (2_000, 4 * GIB)


SHORT = Sizes(
    body=8 * MIB, large=32 * MIB, sparse=32 * MIB, disturbing=16 * MIB, uploads=((1, 8 * MIB), (4, 2 * MIB), (8, MIB)),
    seconds=0.2, clients=(2, 4), listed=(50, 500), stored=(100, 2_000), people=(20, 100), published=(50, 200), stall_seconds=0.3, pushed=8 * MIB,
    synced=(50, 8 * MIB),
)


@dataclass
class Row:
    """One line of the table of aims. `value` is compared with `bar` and `aim` in the sense of `sense` (">=" or "<=")."""

    name: str
    work: str
    value: float
    sense: str
    bar: float
    aim: float
    unit: str = ""
    note: str = ""

    def reaches(self, limit):
        value = round(self.value, 9)  # a difference of clock ticks is not quite the decimal number that it stands for
        return value >= limit if self.sense == ">=" else value <= limit


@dataclass
class Group:
    name: str
    title: str
    unit: str
    samples: dict = field(default_factory=dict)  # candidate -> one figure a round
    plotted: list = field(default_factory=list)  # candidates that belong into the plot, in order
    rows: list = field(default_factory=list)

    def add(self, candidate, figure):
        self.samples.setdefault(candidate, []).append(figure)

    def median(self, candidate):
        return statistics.median(self.samples[candidate])

    def ratio(self, numerator, *denominators, pick=max):
        """The median over the rounds of numerator / the picked one of the denominators of the same round."""
        pairs = zip(self.samples[numerator], *(self.samples[one] for one in denominators), strict=True)
        return statistics.median(over / pick(under) for over, *under in pairs)


class World:
    """Folders, the load client and the sizes of one run."""

    def __init__(self, folder, memory_folder, build, sizes, rounds):
        self.folder, self.memory_folder = Path(folder), Path(memory_folder)
        self.programs = Path(build) / "bench"
        self.sizes, self.rounds = sizes, rounds
        self.numbers = itertools.count()
        self.certificate = make_certificate(self.folder)

    def fresh(self, name):
        return self.folder / f"{name}-{next(self.numbers)}"

    def load(self, *arguments):
        return json.loads(self.load_process(*arguments).communicate()[0])

    def load_process(self, *arguments):
        """The load client in the background; `finish` takes what it prints."""
        return subprocess.Popen([self.programs / "quire_load", *map(str, arguments)], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)

    @contextmanager
    def running(self, *servers):
        with ExitStack() as stack:
            for server in servers:
                stack.enter_context(server)
            yield servers

    def quire(self):
        return Quire(self.fresh("quire"))

    def vcsim(self):
        return Vcsim(self.memory_folder / f"vcsim-{next(self.numbers)}")

    def random_file(self, size):
        path = self.memory_folder / "body"
        with path.open("wb") as body:
            for start in range(0, size, GIB):  # openssl counts in an int
                subprocess.run(["openssl", "rand", str(min(GIB, size - start))], stdout=body, check=True)
        return path

    def discard(self, server):
        """The folder of a server that has stopped."""
        folder = server.server.folder if isinstance(server, Quire) else server.folder
        shutil.rmtree(folder, ignore_errors=True)


def finish(process):
    output = process.communicate()[0]
    if process.returncode != 0:
        raise RuntimeError("the load client failed")
    return json.loads(output)


def in_turn(candidates, number):
    """The candidates, each round beginning with another one."""
    shift = number % len(candidates)
    return candidates[shift:] + candidates[:shift]


class Watch:
    """CPU seconds of a server over a `with` block."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.before = self.server.cpu_seconds()
        return self

    def __exit__(self, *_):
        self.seconds = self.server.cpu_seconds() - self.before


def upload(world, server, path, scheme, *more):
    ca = ["--ca", server.ca_file] if scheme == "https" else []
    with Watch(server) as watch:
        result = world.load("put", server.bases[scheme] + path, *ca, *more)
    result["cpu"] = watch.seconds
    return result


def gb_per_s(result, key="seconds"):
    return result["bytes"] / result[key] / 1e9


def cpu_per_gib(result):
    return result["cpu"] / (result["bytes"] / GIB)


def transfers(world):
    """PUT and GET of one body, plain and over TLS, Quire beside nginx and caddy."""
    puts = Group("put", "PUT of one file, durable", "GB/s")
    gets = Group("get", "GET of one file from the page cache", "GB/s")
    cpu = Group("cpu", "CPU of the server", "s/GiB")
    body = world.random_file(world.sizes.body)
    files = world.fresh("files")
    files.mkdir()
    nginx = Nginx(world.fresh("nginx"), files, world.certificate)
    caddy = Caddy(world.fresh("caddy"), files, world.certificate)
    with world.running(world.quire(), nginx, caddy) as (quire, *_):
        api = quire.api()
        library = api.create_library("bench")
        for number in range(world.rounds):
            for scheme in ("http", "https"):
                put_round(world, number, scheme, (quire, nginx), api, library, body, files, puts, cpu)
            item = api.create_item(library, f"served-{number}")
            session, path = api.begin_upload(item)
            upload(world, quire, path, "http", "--file", body)
            api.complete(session)
            served = files / "served"
            if not served.exists():
                shutil.copy(body, served)
            paths = {quire: api.download_path(item), nginx: "/served", caddy: "/served"}
            for scheme in ("http", "https"):
                for server, path in paths.items():  # into the page cache, and the code warm
                    download(world, server, path, scheme)
                for server in in_turn([quire, nginx, caddy], number):
                    result = download(world, server, paths[server], scheme)
                    gets.add(f"{server.name} {scheme}", gb_per_s(result))
                    cpu.add(f"{server.name} GET {scheme}", cpu_per_gib(result))
            api.delete_item(item)
        peaks = {server.name: server.peak_memory_mib() for server in (quire, nginx, caddy)}
    body.unlink()
    for server in (quire, nginx, caddy):
        world.discard(server)
    shutil.rmtree(files)

    limit = [min(pair) for pair in zip(puts.samples["SHA-256, one core"], puts.samples["disk, durable"], strict=True)]
    puts.samples["limit"] = limit
    puts.plotted = ["SHA-256, one core", "disk, durable", "Quire http", "nginx http + sync", "Quire https",
                    "nginx https + sync"]
    puts.rows = [
        Row("put-plain", "PUT plain, SHA-256, durable before the answer / min(SHA-256 of one core, disk)",
            puts.ratio("Quire http", "limit"), ">=", 0.85, 0.95, "×"),
        Row("put-https", "PUT over HTTPS / nginx WebDAV over HTTPS + sync", puts.ratio("Quire https", "nginx https + sync"),
            ">=", 0.9, 1.1, "×"),
    ]
    gets.plotted = [f"{name} {scheme}" for scheme in ("http", "https") for name in ("Quire", "nginx", "caddy")]
    gets.rows = [
        Row("get-plain", "GET plain / the better of nginx and caddy",
            gets.ratio("Quire http", "nginx http", "caddy http"), ">=", 0.9, 1.1, "×"),
        Row("get-https", "GET over HTTPS / the better of nginx and caddy",
            gets.ratio("Quire https", "nginx https", "caddy https"), ">=", 1.1, 1.3, "×"),
    ]
    cpu.plotted = list(cpu.samples)
    cpu.rows = [
        Row("cpu-put-plain", "CPU of PUT plain with hash", cpu.median("Quire PUT http"), "<=", 0.85, 0.7, "s/GiB"),
        Row("cpu-put-https", "CPU of PUT over HTTPS with hash", cpu.median("Quire PUT https"), "<=", 1.2, 1.0, "s/GiB"),
        Row("cpu-get-https", "CPU of GET over HTTPS / nginx", cpu_ratio(cpu, "Quire GET https", "nginx GET https"),
            "<=", 0.8, 0.65, "×"),
    ]
    memory = Group("transfer-memory", "Peak memory over all these transfers", "MiB")
    for name, peak in peaks.items():
        memory.add(name, peak)
    return [puts, gets, cpu, memory]


def cpu_ratio(cpu, over, under):
    """By sums: one round's CPU time has few clock ticks when bodies are small."""
    return sum(cpu.samples[over]) / max(sum(cpu.samples[under]), 1 / os.sysconf("SC_CLK_TCK"))


def put_round(world, number, scheme, servers, api, library, body, files, puts, cpu):
    quire, nginx = servers
    if scheme == "http":
        puts.add("SHA-256, one core", gb_per_s(world.load("sha256", world.sizes.body)))
        puts.add("disk, durable", gb_per_s(world.load("disk", world.folder, world.sizes.body)))
    for server in in_turn([quire, nginx], number):
        if server is quire:
            item = api.create_item(library, f"{scheme}-{number}")
            session, path = api.begin_upload(item)
            result = upload(world, quire, path, scheme, "--file", body)
            puts.add(f"Quire {scheme}", gb_per_s(result))
            api.complete(session)
            api.delete_item(item)
        else:
            result = upload(world, nginx, "/put", scheme, "--file", body, "--sync-after", files / "put")
            puts.add(f"nginx {scheme} + sync", gb_per_s(result, "durable_seconds"))
            (files / "put").unlink()
        cpu.add(f"{server.name} PUT {scheme}", cpu_per_gib(result))


def download(world, server, path, scheme):
    ca = ["--ca", server.ca_file] if scheme == "https" else []
    with Watch(server) as watch:
        result = world.load("get", server.bases[scheme] + path, *ca)
    result["cpu"] = watch.seconds
    return result


BINDINGS = {"legacy": "legacy REST", "rest": "new REST", "rpc": "JSON-RPC"}


def life_cycles(world):
    """create item, create session, add file, PUT 1 KiB, complete; Quire durable, vcsim on tmpfs.

    Of the three bindings the simulator has the legacy one only.
    """
    group = Group("cycles", "Session life cycles", "per s")
    candidates = [("Quire", binding) for binding in BINDINGS] + [("vcsim", "legacy")]
    for number, clients in itertools.product(range(world.rounds), world.sizes.clients):
        # Fresh servers: the simulator slows down with what it holds.
        with world.running(world.quire(), world.vcsim()) as servers:
            apis = {server.name: server.api() for server in servers}
            bases = {server.name: server.bases["http"] for server in servers}
            for name, binding in in_turn(candidates, number):
                api = apis[name]
                library = api.create_library(f"bench-{binding}")
                result = world.load("cycles", "--base", bases[name], "--token", api.token, "--binding", binding,
                                    "--library", library, "--clients", clients, "--seconds", world.sizes.seconds)
                group.add(f"{name} {BINDINGS[binding]}, {clients}", result["cycles_per_second"])
        # Nothing is deleted before the end: ext4 without a journal makes files slowly after many were deleted.
    for clients, (binding, title) in itertools.product(world.sizes.clients, BINDINGS.items()):
        ratio = group.ratio(f"Quire {title}, {clients}", f"vcsim legacy REST, {clients}")
        group.rows.append(Row(f"cycles-{binding}-{clients}",
                              f"Durable life cycles, {title}, {clients} clients / vcsim (legacy REST) on tmpfs",
                              ratio, ">=", 1.0, 1.4, "×"))
    group.plotted = sorted(group.samples, key=lambda name: (int(name.rsplit(" ", 1)[1]), name))
    return [group]


def item_gets(world):
    group = Group("item-get", "item get, 64 connections", "requests/s")
    with world.running(world.quire(), world.vcsim()) as servers:
        calls = []
        for server in servers:
            api = server.api()
            item = api.create_item(api.create_library("bench"), "item")
            calls.append((server, api.token, f"/rest/com/vmware/content/library/item/id:{item}"))
        for number in range(world.rounds):
            for server, token, path in in_turn(calls, number):
                with Watch(server) as watch:
                    result = world.load("requests", "--base", server.bases["http"], "--token", token, "--clients", 64,
                                        "--seconds", world.sizes.seconds, path)
                group.add(server.name, result["requests_per_second"])
                group.add(f"{server.name}: CPU µs per request (about)",
                          watch.seconds / (result["requests_per_second"] * (world.sizes.seconds + 0.3)) * 1e6)
    for server in servers:
        world.discard(server)
    group.plotted = ["Quire", "vcsim"]
    group.rows = [Row("item-get", "item get with authentication / vcsim", group.ratio("Quire", "vcsim"), ">=", 1.2, 2.0,
                      "×")]
    return [group]


def probing(world, server, api, item, seconds=0):
    return world.load_process("probe", "--base", server.bases["http"], "--token", api.token, "--interval-ms", 5,
                              "--seconds", seconds, f"/rest/com/vmware/content/library/item/id:{item}")


def beside_uploads(world):
    """One item get every 5 ms, idle and while four uploads run at full speed."""
    group = Group("beside-uploads", "item get every 5 ms", "ms")
    with world.running(world.quire()) as (quire,):
        api = quire.api()
        library = api.create_library("bench")
        probed = api.create_item(library, "probed")
        for number in range(world.rounds):
            idle = finish(probing(world, quire, api, probed, seconds=world.sizes.seconds / 3))
            begun = [api.begin_upload(api.create_item(library, f"{number}-{one}")) for one in range(4)]
            probe = probing(world, quire, api, probed)
            result = world.load("put", *(quire.bases["http"] + path for _, path in begun), "--zeros",
                                world.sizes.disturbing)
            busy = finish(probe)
            for session, _ in begun:
                api.cancel(session)
            group.add("idle p50", idle["p50"])
            group.add("idle p99", idle["p99"])
            group.add("beside four uploads p50", busy["p50"])
            group.add("beside four uploads p99", busy["p99"])
            group.add("beside four uploads max", busy["max"])
            group.add("the four uploads together, GB/s", gb_per_s(result))
    world.discard(quire)
    group.plotted = ["idle p50", "idle p99", "beside four uploads p50", "beside four uploads p99"]
    group.rows = [Row("beside-uploads", "item get every 5 ms beside four uploads at full speed: p99",
                      group.median("beside four uploads p99"), "<=", 10, 3, "ms")]
    return [group]


def beside_stall(world):
    """A GET while another client's PUT rests in mid-body."""
    group = Group("stall", "item get beside a PUT that stalls", "ms")
    with world.running(world.quire(), world.vcsim()) as servers:
        calls = []
        for server in servers:
            api = server.api()
            library = api.create_library("bench")
            calls.append((server, api, library, api.create_item(library, "probed")))
        for number in range(world.rounds):
            for server, api, library, probed in in_turn(calls, number):
                group.add(f"{server.name} idle, max", finish(probing(world, server, api, probed, seconds=1))["max"])
                session, path = api.begin_upload(api.create_item(library, f"stalled-{number}"))
                stalled = world.load_process("put", server.bases["http"] + path, "--zeros", 8 * MIB, "--stall-at",
                                             4 * MIB, "--stall-seconds", world.sizes.stall_seconds, "--token", api.token)
                time.sleep(world.sizes.stall_seconds / 6)
                probe = finish(probing(world, server, api, probed, seconds=world.sizes.stall_seconds / 2))
                group.add(f"{server.name} beside the stall, max", probe["max"])
                finish(stalled)
                api.complete(session)
    for server in servers:
        world.discard(server)
    group.rows = [Row("stall", "item get while another PUT stalls for 3 s: slowest",
                      group.median("Quire beside the stall, max"), "<=", 5,
                      max(1.0, group.median("Quire idle, max")), "ms")]
    return [group]


def large_files(world):
    """PUT of a file ten times as large."""
    group = Group("large", "PUT of zeros, plain", "GB/s")
    memory = Group("large-memory", "Peak memory", "MiB")
    sizes = {"small": world.sizes.body, "large": world.sizes.large}
    for number in range(world.rounds):
        for name in in_turn(list(sizes), number):
            with world.running(world.quire()) as (quire,):
                api = quire.api()
                item = api.create_item(api.create_library("bench"), "item")
                session, path = api.begin_upload(item)
                group.add(name, gb_per_s(upload(world, quire, path, "http", "--zeros", sizes[name])))
                api.complete(session)
                memory.add(name, quire.peak_memory_mib())
            world.discard(quire)
    group.rows = [Row("large-rate", "PUT of 10 GiB: rate / that of 1 GiB", group.ratio("large", "small"), ">=", 0.9, 1.0, "×")]
    memory.rows = [Row("large-memory", "PUT of 10 GiB: peak memory", max(memory.samples["large"]), "<=", 64, 32, "MiB")]
    return [group, memory]


def completes(world):
    """complete of an arrived 20 GiB file beside that of 1 MiB."""
    group = Group("complete", "complete of an arrived file", "ms")
    with world.running(world.quire()) as (quire,):
        api = quire.api()
        library = api.create_library("bench")

        def timed_complete(name, size):
            item = api.create_item(library, name)
            session, path = api.begin_upload(item)
            world.load("put", quire.bases["http"] + path, "--zeros", size)
            # The large file leaves this connection and the processors' caches cold; both sizes begin from the same state.
            for number_before in range(5):
                api.create_item(library, f"before-{name}-{number_before}")
            start = time.perf_counter()
            api.complete(session)
            milliseconds = (time.perf_counter() - start) * 1000
            api.delete_item(item)
            return milliseconds

        for number in range(world.rounds):
            # Equal zeros would be stored once: one byte more each time.
            group.add("large", timed_complete(f"large-{number}", world.sizes.sparse + number))
            group.add("1 MiB", statistics.median(timed_complete(f"small-{number}-{one}", MIB + one + 10 * number)
                                                 for one in range(5)))
    world.discard(quire)
    group.rows = [Row("complete", "complete of an arrived 20 GiB file / of 1 MiB, time", group.ratio("large", "1 MiB"),
                      "<=", 1.2, 1.0, "×")]
    return [group]


def memory_with_uploads(world, quire, scheme, count, size):
    """Peak memory of a server that takes so many uploads at the same time, in MiB."""
    api = quire.api()
    library = api.create_library("bench")
    paths = [api.begin_upload(api.create_item(library, f"{one}"))[1] for one in range(count)]
    ca = ["--ca", quire.ca_file] if scheme == "https" else []
    world.load("put", *(quire.bases[scheme] + path for path in paths), *ca, "--zeros", size)
    return quire.peak_memory_mib()


def memory_of_uploads(world):
    """Peak memory of a fresh server that takes some uploads at the same time."""
    group = Group("memory", "Peak memory of a fresh server with uploads at the same time", "MiB")
    bars = (64, 128, 256)
    for (count, size), bar in zip(world.sizes.uploads, bars, strict=True):
        for _, scheme in itertools.product(range(world.rounds), ("http", "https")):
            with world.running(world.quire()) as (quire,):
                group.add(f"{count} {scheme}", memory_with_uploads(world, quire, scheme, count, size))
            world.discard(quire)
        worst = max(group.samples[f"{count} http"] + group.samples[f"{count} https"])
        group.rows.append(Row(f"memory-{count}", f"Peak memory, {count} uploads at the same time (the worse of plain and HTTPS)",
                              worst, "<=", bar, bar / 2, "MiB"))
    group.plotted = list(group.samples)
    return [group]


def seeded(world, count, what="items"):
    """A server whose library holds `count` items: server, its API, the library, an item."""
    quire = world.quire()
    with world.running(quire):
        library = quire.api().create_library("bench")
    output = subprocess.run([world.programs / "quire_seed", what, quire.catalog, library, str(count)], check=True,
                            capture_output=True, text=True).stdout
    return quire, library, output.strip()


def request_time_us(world, server, api, path, clients):
    result = world.load("requests", "--base", server.bases["http"], "--token", api.token, "--clients", clients,
                        "--seconds", world.sizes.seconds, path)
    return 1e6 / result["requests_per_second"]


def many_items(world):
    """list of 10,000 items, and get among a million."""
    lists = Group("list", "list of all items of a library, one client", "ms")
    gets = Group("many-items", "item get, time per request with 16 clients", "µs")
    for group, counts, clients in ((lists, world.sizes.listed, 1), (gets, world.sizes.stored, 16)):
        worlds = [seeded(world, count) for count in counts]
        with world.running(*(quire for quire, _, _ in worlds)):
            calls = []
            for (quire, library, item), count in zip(worlds, counts, strict=True):
                path = (f"/rest/com/vmware/content/library/item?library_id={library}" if group is lists
                        else f"/rest/com/vmware/content/library/item/id:{item}")
                calls.append((quire, quire.api(), path, f"{count:,} items"))
            for number in range(world.rounds):
                for quire, api, path, name in in_turn(calls, number):
                    microseconds = request_time_us(world, quire, api, path, clients)
                    group.add(name, microseconds / 1000 if group is lists else microseconds)
        for quire, _, _ in worlds:
            world.discard(quire)
    few, many = (f"{count:,} items" for count in world.sizes.listed)
    growth = world.sizes.listed[1] / world.sizes.listed[0]
    lists.rows = [Row("list", "list of 10,000 items: time per item / that among 1,000", lists.ratio(many, few) / growth,
                      "<=", 1.5, 1.1, "×")]
    few, many = (f"{count:,} items" for count in world.sizes.stored)
    gets.rows = [Row("many-items", "get among 1,000,000 items / among 1,000, time", gets.ratio(many, few), "<=", 1.5, 1.1,
                     "×")]
    return [lists, gets]


def many_people(world):
    """item get and list of libraries for a user with permissions, among many users; the administrator of an empty server beside it."""
    gets = Group("people-get", "item get with 64 connections", "requests/s")
    lists = Group("people-list", "list of the libraries that one may read, one client", "ms")
    alone = world.quire()
    servers = {count: world.quire() for count in world.sizes.people}
    items = {}
    for quire in (alone, *servers.values()):
        with world.running(quire):
            api = quire.api()
            items[quire] = api.create_item(api.create_library("bench"), "item")
            api.create_user("reader@vsphere.local", "reader's password")
    for count, quire in servers.items():
        subprocess.run([world.programs / "quire_seed", "people", quire.catalog, "reader@vsphere.local", str(count)],
                       check=True, capture_output=True)
    with world.running(alone, *servers.values()):
        calls = [("the administrator alone", alone, alone.api())]
        for count, quire in servers.items():
            library = quire.api().call("GET", f"content/library/item/id:{items[quire]}")["library_id"]
            quire.api().permit("reader@vsphere.local", library, "Read-only")
            calls.append((f"one of {count:,} users", quire, quire.api("reader@vsphere.local", "reader's password")))
        for number in range(world.rounds):
            for name, quire, api in in_turn(calls, number):
                path = f"/rest/com/vmware/content/library/item/id:{items[quire]}"
                gets.add(name, 1e6 / request_time_us(world, quire, api, path, 64))
                if quire is not alone:
                    lists.add(name, request_time_us(world, quire, api, "/rest/com/vmware/content/library", 1) / 1000)
        found = {count: len(api.call("GET", "content/library"))
                 for count, (_, _, api) in zip(servers, calls[1:], strict=True)}
    for quire in (alone, *servers.values()):
        world.discard(quire)
    few, many = (f"one of {count:,} users" for count in world.sizes.people)
    growth = found[world.sizes.people[1]] / found[world.sizes.people[0]]
    gets.rows = [Row("people-get", "item get by one of 1,000 users among 10,000 permissions / by the only administrator",
                     gets.ratio(many, "the administrator alone"), ">=", 0.95, 1.0, "×")]
    lists.rows = [Row("people-list", "list of libraries among 1,000: time per library that is listed / that among 100",
                      lists.ratio(many, few) / growth, "<=", 1.5, 1.1, "×")]
    return [gets, lists]


def entity_tag(base, path):
    answer = http_get(base, path)
    return answer.headers["ETag"]


def http_get(base, path):
    with urllib.request.urlopen(base + path, timeout=600) as answer:
        answer.read()
        return answer


def publications(world):
    """A poll without news beside a conditional GET of a static file; the index of a large library after one change."""
    polls = Group("polls", "Poll of a published library without news, 16 connections", "requests/s")
    indexes = Group("index", "Index of a published library", "ms")
    published, many = world.sizes.published
    files = world.fresh("files")
    files.mkdir()
    nginx = Nginx(world.fresh("nginx"), files, world.certificate)
    quire, library, _ = seeded(world, published, "published")
    with world.running(quire, nginx):
        quire.api().publish(library)
        path = f"/cls/vcsp/lib/{library}/lib.json"
        with urllib.request.urlopen(quire.bases["http"] + path) as answer:
            (files / "lib.json").write_bytes(answer.read())
        http_get(quire.bases["http"], path.replace("lib.json", "items.json"))
        calls = [(quire, path), (nginx, "/lib.json")]
        for number in range(world.rounds):
            for server, polled in in_turn(calls, number):
                result = world.load("requests", "--base", server.bases["http"], "--clients", 16, "--seconds",
                                    world.sizes.seconds, "--if-none-match", entity_tag(server.bases["http"], polled), polled)
                polls.add(server.name, result["requests_per_second"])
    world.discard(quire)
    world.discard(nginx)
    shutil.rmtree(files)
    for number in range(world.rounds):
        quire, library, item = seeded(world, many, "published")
        with world.running(quire):
            api = quire.api()
            api.publish(library)
            path = f"/cls/vcsp/lib/{library}/items.json"
            for candidate in ("read for the first time", "after one change", "without a change"):
                if candidate == "after one change":
                    api.rename_item(item, f"renamed-{number}")
                begun = time.monotonic()
                http_get(quire.bases["http"], path)
                indexes.add(candidate, (time.monotonic() - begun) * 1000)
        world.discard(quire)
    polls.plotted = ["Quire", "nginx"]
    polls.rows = [Row("poll", f"poll without news of {published:,} items / conditional GET of a static file by nginx, time",
                      polls.ratio("nginx", "Quire"), "<=", 1.2, 1.0, "×")]
    indexes.rows = [Row("index-change", f"index after one change among {many:,} items / read for the first time, time",
                        indexes.ratio("after one change", "read for the first time"), "<=", 0.5, 0.2, "×")]
    return [polls, indexes]


def copied_by_curl(index_url, folder):
    """The files of a published library, as a plain copy brings them: as many at a time as Quire fetches, over kept connections."""
    with urllib.request.urlopen(index_url) as answer:
        items = json.load(answer)["items"]
    wanted = []
    for item in items:
        for file in item["files"]:
            url = urllib.parse.urljoin(index_url, file["hrefs"][0])
            wanted.append(f'url = "{url}"\noutput = "{folder}/{item["selfHref"].split("/")[0]}/{file["name"]}"\n')
    script = folder / "wanted"
    script.write_text("".join(wanted))
    return must(run_client(["curl", "--silent", "--fail", "--parallel", "--parallel-max", SYNCED_AT_ONCE, "--create-dirs",
                            "--config", script]), "curl")


SYNCED_AT_ONCE = 5  # maximum_concurrent_item_syncs


def synchronizations(world):
    """First synchronization of many small items, and of one large file, beside a plain parallel copy of the same files."""
    groups = []
    count, size = world.sizes.synced
    for what, title in (("small", f"First synchronization of {count:,} items of one small file"),
                        ("large", f"First synchronization of an item of {size / GIB:.2g} GiB")):
        group = Group(f"sync-{what}", f"{title}, over HTTP", "s")
        memory = Group(f"sync-{what}-memory", "Peak memory of the subscriber", "MiB")
        for number in range(world.rounds):
            publisher, library, _ = seeded(world, count, "published") if what == "small" else (world.quire(), None, None)
            with world.running(publisher):
                api = publisher.api()
                if what == "large":
                    library = api.create_library("bench")
                    session, path = api.begin_upload(api.create_item(library, "item"))
                    upload(world, publisher, path, "http", "--zeros", size)
                    api.complete(session)
                api.publish(library)
                url = f"{publisher.bases['http']}/cls/vcsp/lib/{library}/lib.json"
                http_get(publisher.bases["http"], f"/cls/vcsp/lib/{library}/items.json")
                for candidate in in_turn(["Quire", "curl"], number):
                    if candidate == "curl":
                        folder = world.fresh("copy")
                        folder.mkdir()
                        group.add("curl", copied_by_curl(url.replace("lib.json", "items.json"), folder).seconds)
                        shutil.rmtree(folder)
                        continue
                    with world.running(Quire(world.fresh("quire"), ["--pull-allow", "127.0.0.0/8"])) as (subscriber,):
                        api = subscriber.api()
                        begun = time.monotonic()
                        api.subscribe("copy", url)
                        group.add("Quire", time.monotonic() - begun)
                        memory.add("Quire", subscriber.peak_memory_mib())
                    world.discard(subscriber)
            world.discard(publisher)
        group.plotted = ["Quire", "curl"]
        group.rows = [Row(f"sync-{what}", f"{title} / the same files copied by curl --parallel: rate", group.ratio("curl", "Quire"),
                          ">=", 0.9, 1.0, "×", "curl makes nothing durable and checks nothing")]
        groups += [group, memory]
    return groups


@dataclass
class Run:
    """A client that has ended: wall time, and processor time of its process."""

    seconds: float
    cpu: float
    code: int
    said: str


def run_client(command, environment=None):
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   env={**os.environ, **(environment or {})})
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return Run(seconds, used.ru_utime + used.ru_stime, process.returncode, output.read())


def must(run, what):
    if run.code != 0:
        raise RuntimeError(f"{what} ended with {run.code}: {run.said[-2000:]}")
    return run


class Clients:
    """quire, curl and rclone, each carrying one file to and from the same server as people run them."""

    def __init__(self, world, quire, scheme):
        self.world, self.quire, self.scheme = world, quire, scheme
        self.api = quire.api()
        self.library = self.api.create_library(f"clients-{scheme}")
        self.base = quire.bases[scheme]
        self.home = world.fresh("home")
        self.home.mkdir()
        self.environment = {
            "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home), "XDG_STATE_HOME": str(self.home),
            "QUIRE_URL": self.base, "QUIRE_TOKEN": self.api.token, "SSL_CERT_FILE": str(quire.ca_file),
        }

    def push_quire(self, body, name):
        """Item, session, bytes, completion; the file must not have changed meanwhile."""
        command = [os.environ["QUIRE_BINARY"], "push", body, f"clients-{self.scheme}/{name}", "--name", "disk.iso", "--quiet"]
        run = must(run_client(command, self.environment), "quire push")
        return run, self.api.find_item(self.library, name)

    def push_curl(self, body, name):
        """The bytes alone: item and session are there, and are completed when the clock has stopped."""
        item, session, path = self._begin(name)
        run = must(run_client(["curl", "--silent", "--show-error", "--fail", "--cacert", self.quire.ca_file, "--upload-file", body,
                               self.base + path]), "curl")
        self.api.complete(session)
        return run, item

    def push_rclone(self, body, name):
        """Likewise. It asks a WebDAV server for the file when the bytes are in, which an upload endpoint does not answer: its
        exit code says so, and that the bytes are there is looked up below."""
        item, session, path = self._begin(name)
        folder, file = (self.base + path).rsplit("/", 1)
        environment = {**self.environment, "RCLONE_CONFIG": "/dev/null", "RCLONE_WEBDAV_URL": folder, "RCLONE_WEBDAV_VENDOR": "other"}
        run = run_client([RCLONE, "copyto", body, f":webdav:{file}", "--ca-cert", self.quire.ca_file, "--no-check-dest", "--retries",
                          "1", "--low-level-retries", "1", "--buffer-size", "16M"], environment)
        self.api.complete(session)
        return run, item

    def pull_quire(self, name, target):
        """Compared with the server's SHA-256 while it arrives."""
        return must(run_client([os.environ["QUIRE_BINARY"], "pull", f"clients-{self.scheme}/{name}", target, "--quiet"],
                               self.environment), "quire pull")

    def pull_curl(self, name, target):
        """Compared with nothing."""
        path = self.api.download_path(self.api.find_item(self.library, name))
        return must(run_client(["curl", "--silent", "--show-error", "--fail", "--cacert", self.quire.ca_file, "--output", target,
                                self.base + path]), "curl")

    def pull_curl_and_compare(self, name, target):
        """What curl's user does to know what quire knows."""
        run = self.pull_curl(name, target)
        hashed = must(run_client(["sha256sum", target]), "sha256sum")
        return Run(run.seconds + hashed.seconds, run.cpu + hashed.cpu, 0, run.said)

    def pull_rclone(self, name, target):
        """Likewise: the server is one of plain HTTP to it."""
        path = self.api.download_path(self.api.find_item(self.library, name))
        return must(run_client([RCLONE, "copyurl", self.base + path, target, "--ca-cert", self.quire.ca_file, "--retries", "1"],
                               {**self.environment, "RCLONE_CONFIG": "/dev/null"}), "rclone")

    def _begin(self, name):
        item = self.api.create_item(self.library, name)
        return (item, *self.api.begin_upload(item))


def clients(world):
    """Push and pull of one file by the command line, beside curl and rclone, all to the same server.

    The server does the same for each of them: it takes the SHA-256 of what arrives, and answers when the bytes are durable.
    quire pays besides for its item, its session and its completion, and compares what it pulls with the server's digest.
    """
    push = Group("push", "push of one file by a client, durable", "GB/s")
    pull = Group("pull", "pull of one file by a client, into memory", "GB/s")
    cpu = Group("client-cpu", "CPU of the client", "s/GiB")
    size = world.sizes.pushed
    body = world.random_file(size)
    digest = subprocess.run(["sha256sum", body], capture_output=True, text=True, check=True).stdout.split()[0]
    tools = ("quire", "curl", "rclone")
    with world.running(world.quire()) as (quire,):
        for scheme in ("http", "https"):
            all_of = Clients(world, quire, scheme)
            for number in range(world.rounds):
                for tool in in_turn(list(tools), number):
                    run, item = getattr(all_of, f"push_{tool}")(body, f"{tool}-{number}")
                    stored = all_of.api.files(item)
                    if [(file["size"], file["checksum_info"]["checksum"]) for file in stored] != [(size, digest)]:
                        raise RuntimeError(f"{tool} did not bring the file over: {stored}; {run.said}")
                    push.add(f"{tool} {scheme}", size / run.seconds / 1e9)
                    cpu.add(f"{tool} push {scheme}", run.cpu / (size / GIB))
                    if tool != "quire":
                        all_of.api.delete_item(item)
                for tool in in_turn([*tools, "curl_and_compare"], number):
                    target = world.memory_folder / "pulled"
                    run = getattr(all_of, f"pull_{tool}")(f"quire-{number}", target)
                    if target.stat().st_size != size:
                        raise RuntimeError(f"{tool} did not bring the file back: {run.said}")
                    target.unlink()
                    pull.add(f"{tool} {scheme}", size / run.seconds / 1e9)
                    cpu.add(f"{tool} pull {scheme}", run.cpu / (size / GIB))
                all_of.api.delete_item(all_of.api.find_item(all_of.library, f"quire-{number}"))
    world.discard(quire)
    body.unlink()
    for group, verb in ((push, "push"), (pull, "pull")):
        group.plotted = list(group.samples)
        for scheme in ("http", "https"):
            for peer in ("curl", "rclone") if verb == "push" else ("curl", "curl_and_compare", "rclone"):
                # A processor hashes slower than bytes come over the loopback: who compares cannot keep up with who does not.
                bar, aim = (0.5, 1.0) if (verb, peer) == ("pull", "curl") else (0.95, 1.0)
                group.rows.append(Row(f"{verb}-{scheme}-{peer}", f"quire {verb} of {size / GIB:.3g} GiB over {scheme.upper()} / {peer.replace('_', ' ')}",
                                      group.ratio(f"quire {scheme}", f"{peer} {scheme}"), ">=", bar, aim, "×"))
    return [push, pull, cpu]


def object_storage(world):
    """PUT and GET through Quire, whose storage is a bucket, beside a plain client of the S3 server that holds it."""
    size = world.sizes.body
    title = f"of {size / GIB:.2g} GiB with an S3 server (versitygw), over HTTP"
    groups = {verb: Group(f"s3-{verb.lower()}", f"{verb} {title}", "GB/s") for verb in ("PUT", "GET")}
    memory = Group("s3-memory", "Peak memory of Quire with its storage in a bucket", "MiB")
    body = world.random_file(size)
    for number in range(world.rounds):
        store = Versitygw(world.fresh("store"))
        with world.running(store), world.running(Quire(world.fresh("quire"), ["--storage", store.store.storage()])) as (quire,):
            api = quire.api()
            item = api.create_item(api.create_library("bench"), "item")
            for candidate in in_turn(["Quire", "curl"], number):
                if candidate == "curl":
                    run = must(run_client([*store.curl("plain/object"), "--upload-file", body]), "curl")
                    groups["PUT"].add("curl", size / run.seconds / 1e9)
                    continue
                session, path = api.begin_upload(item)
                groups["PUT"].add("Quire", gb_per_s(upload(world, quire, path, "http", "--file", body)))
                api.complete(session)
            for candidate in in_turn(["Quire", "curl"], number):
                if candidate == "curl":
                    run = must(run_client([*store.curl("plain/object"), "--output", "/dev/null"]), "curl")
                    groups["GET"].add("curl", size / run.seconds / 1e9)
                    continue
                groups["GET"].add("Quire", gb_per_s(download(world, quire, api.download_path(item), "http")))
            memory.add("these", quire.peak_memory_mib())
        world.discard(quire)
        world.discard(store)
    body.unlink()
    count, each = world.sizes.uploads[-1]
    store = Versitygw(world.fresh("store"))
    with world.running(store), world.running(Quire(world.fresh("quire"), ["--storage", store.store.storage()])) as (quire,):
        memory.add(f"{count} uploads", memory_with_uploads(world, quire, "https", count, each))
    world.discard(quire)
    world.discard(store)
    memory.rows = [Row("s3-memory", f"Peak memory, {count} uploads at the same time to a bucket (HTTPS)", memory.median(f"{count} uploads"),
                       "<=", 256, 128, "MiB")]
    for verb, group in groups.items():
        group.plotted = ["Quire", "curl"]
        group.rows = [Row(f"s3-{verb.lower()}", f"{verb} {title} / the same by curl straight to that server", group.ratio("Quire", "curl"),
                          ">=", 0.9, 1.0, "×", "Quire hashes every byte twice")]
    return [*groups.values(), memory]


ALL = {
    "clients": clients,
    "transfers": transfers,
    "cycles": life_cycles,
    "item-get": item_gets,
    "beside-uploads": beside_uploads,
    "stall": beside_stall,
    "large": large_files,
    "complete": completes,
    "memory": memory_of_uploads,
    "many-items": many_items,
    "many-people": many_people,
    "publications": publications,
    "synchronizations": synchronizations,
    "object-storage": object_storage,
}

__all__ = ["ALL", "ROOT", "SHORT", "Group", "Row", "Sizes", "World"]
