"""What is measured: each function is one group, interleaves its candidates in every round, and returns samples and rows."""

import itertools
import json
import os
import shutil
import statistics
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from servers import ROOT, Caddy, Nginx, Quire, Vcsim, make_certificate

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
    stall_seconds: float = 3


SHORT = Sizes(
    body=8 * MIB, large=32 * MIB, sparse=32 * MIB, disturbing=16 * MIB, uploads=((1, 8 * MIB), (4, 2 * MIB), (8, MIB)),
    seconds=0.2, clients=(2, 4), listed=(50, 500), stored=(100, 2_000), stall_seconds=0.3,
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
        subprocess.run(["openssl", "rand", "-out", str(path), str(size)], check=True)
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


def memory_of_uploads(world):
    """Peak memory of a fresh server that takes some uploads at the same time."""
    group = Group("memory", "Peak memory of a fresh server with uploads at the same time", "MiB")
    bars = (64, 128, 256)
    for (count, size), bar in zip(world.sizes.uploads, bars, strict=True):
        for _, scheme in itertools.product(range(world.rounds), ("http", "https")):
            with world.running(world.quire()) as (quire,):
                api = quire.api()
                library = api.create_library("bench")
                paths = [api.begin_upload(api.create_item(library, f"{one}"))[1] for one in range(count)]
                ca = ["--ca", quire.ca_file] if scheme == "https" else []
                world.load("put", *(quire.bases[scheme] + path for path in paths), *ca, "--zeros", size)
                group.add(f"{count} {scheme}", quire.peak_memory_mib())
            world.discard(quire)
        worst = max(group.samples[f"{count} http"] + group.samples[f"{count} https"])
        group.rows.append(Row(f"memory-{count}", f"Peak memory, {count} uploads at the same time (the worse of plain and HTTPS)",
                              worst, "<=", bar, bar / 2, "MiB"))
    group.plotted = list(group.samples)
    return [group]


def seeded(world, count):
    """A server whose library holds `count` items: server, its API, the library, an item."""
    quire = world.quire()
    with world.running(quire):
        library = quire.api().create_library("bench")
    output = subprocess.run([world.programs / "quire_seed", quire.catalog, library, str(count)], check=True,
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


ALL = {
    "transfers": transfers,
    "cycles": life_cycles,
    "item-get": item_gets,
    "beside-uploads": beside_uploads,
    "stall": beside_stall,
    "large": large_files,
    "complete": completes,
    "memory": memory_of_uploads,
    "many-items": many_items,
}

__all__ = ["ALL", "ROOT", "SHORT", "Group", "Row", "Sizes", "World"]
