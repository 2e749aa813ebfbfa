#!/usr/bin/env python3
"""Measures Quire beside nginx, caddy, vcsim, curl and rclone, interleaved in one run with one client.

    bench/run.py [--build build/clang] [--rounds 5] [--only NAME]… [--short] [--json FILE] [--document docs/performance.md]
    bench/run.py --only clients --pushed-mib 256      # push and pull of a file by quire, curl and rclone; 4 GiB else

Run by root, everything happens in a network namespace of its own with the congestion control reno, so that the plain
downloads of all servers are alike; otherwise the system's is used, and the report says so. --short makes everything tiny:
it finds out whether all measurements run, and its figures mean nothing. Nothing fails on a figure.
"""

import argparse
import ctypes
import dataclasses
import datetime
import fcntl
import os
import platform
import re
import shlex
import socket
import struct
import sys
import tempfile
from pathlib import Path

import measurements
import report
from servers import ROOT, Caddy, Nginx

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
CONGESTION_CONTROL = Path("/proc/sys/net/ipv4/tcp_congestion_control")


def enter_network_namespace():
    """True when it worked."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        return False
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP))
    CONGESTION_CONTROL.write_text("reno")
    return True


def processor():
    names = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def kernel_version():
    """Without what its builder has added."""
    return re.match(r"[0-9.]*", platform.release())[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "clang")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", action="append", choices=measurements.ALL)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--pushed-mib", type=int, metavar="MIB", help="size of the file that clients push and pull")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench", help="where data goes: the disk to measure")
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--document", type=Path, help="write the figures into this document")
    options = parser.parse_args()
    os.environ["QUIRE_BINARY"] = str(options.build.resolve() / "src" / "main" / "quire")

    alone = enter_network_namespace()
    congestion_control = CONGESTION_CONTROL.read_text().strip()
    if options.short:
        sizes, rounds = measurements.SHORT, 1
    else:
        sizes, rounds = measurements.Sizes(), options.rounds

    if options.pushed_mib:
        sizes = dataclasses.replace(sizes, pushed=options.pushed_mib << 20)

    options.folder.mkdir(parents=True, exist_ok=True)
    groups = []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        world = measurements.World(folder, memory, options.build, sizes, rounds)
        for name in options.only or measurements.ALL:
            print(f"measuring: {name}", file=sys.stderr, flush=True)
            groups += measurements.ALL[name](world)

    facts = {
        "date": datetime.date.today().isoformat(),
        "command": shlex.join(["bench/run.py", *sys.argv[1:]]),
        "machine": f"{os.cpu_count()} cores ({processor()}), Linux {kernel_version()}",
        "rounds": rounds,
        "peers": f"{Nginx.version()}, {Caddy.version()}, vcsim as pinned in test/clients/vcsim/go.mod",
        "network": f"Loopback {'in a namespace of its own ' if alone else ''}with {congestion_control} for everybody.",
    }
    print(report.as_text(groups))
    if options.json:
        options.json.write_text(report.as_json(groups, facts) + "\n")
    if options.document:
        report.write_document(options.document, groups, facts)


if __name__ == "__main__":
    main()
