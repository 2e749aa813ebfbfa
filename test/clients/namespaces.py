"""Network namespaces for tests, and lines between them that are as bad as a test says.

    with Network(["here", "there"], seed) as network:
        network.between("here", "there", delay=0.02, loss=0.01, rate=4_000_000)
        with network["there"].entered():
            server.start()

What is opened or started while a namespace is entered is in it for good; a thread enters for itself, and threads that
it begins meanwhile begin there. Nothing has a name outside of this process: when it ends, in whatever way, the kernel
takes namespaces and devices back. It takes root.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, SIOCSIFMTU = 0x8914, 0x8916, 0x891C, 0x8922
IFF_UP_AND_RUNNING = 0x41
NETWORK, NETMASK = "10.9.0.", "255.255.255.0"
MTU = 9000
DEVICE = b"line"
PROGRAM = Path(__file__).with_name("packet_link.py")
LIBC = ctypes.CDLL(None, use_errno=True)


class NotPermitted(Exception):
    """No namespace or no device can be made here; says why."""


class Namespace:
    """One end: a namespace with an address on a TUN device, whose packets `device` reads and writes."""

    def __init__(self, address):
        self.address = address
        self.file = self.device = None
        try:
            with _elsewhere(LIBC.unshare, CLONE_NEWNET):
                self.file = _own_namespace()
                self.device = _bring_up(address)
        except OSError as failed:
            what = "network namespace" if self.file is None else "TUN device in a network namespace"
            self.close()
            raise NotPermitted(f"no {what} can be made here, which takes root and /dev/net/tun: {failed}") from None

    @contextlib.contextmanager
    def entered(self):
        with _elsewhere(LIBC.setns, self.file, CLONE_NEWNET):
            yield self

    def close(self):
        for file in (self.file, self.device):
            if file is not None:
                os.close(file)
        self.file = self.device = None


class Network:
    """Namespaces with these names, each pair of which has a line in each direction."""

    def __init__(self, names, seed=0):
        self.ends = {}
        self._lock = threading.Lock()
        try:
            for number, name in enumerate(names, start=1):
                self.ends[name] = Namespace(f"{NETWORK}{number}")
            devices = {name: (end.device, end.address) for name, end in self.ends.items()}
            self._link = subprocess.Popen(
                [sys.executable, str(PROGRAM), json.dumps({"ends": devices, "seed": seed})],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[end.device for end in self.ends.values()],
            )
        except BaseException:
            self._close_ends()
            raise

    def __getitem__(self, name):
        return self.ends[name]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._link.kill()
        self._link.communicate()
        self._close_ends()

    def _close_ends(self):
        for end in self.ends.values():
            end.close()

    def line(self, one, other, **changes):
        """What the line from one end to another is now (packet_link.Line)."""
        with self._lock:
            self._link.stdin.write(json.dumps({"from": one, "to": other, **changes}).encode() + b"\n")
            self._link.stdin.flush()
            return json.loads(self._link.stdout.readline())

    def between(self, one, other, **changes):
        """The same for both directions."""
        return self.line(one, other, **changes), self.line(other, one, **changes)

    def moved(self, one, other):
        """Bytes that have come from one end to the other."""
        return self.line(one, other)["bytes"]


@contextlib.contextmanager
def _elsewhere(leave, *arguments):
    """In the namespace that this call leads to, and back afterwards."""
    before = _own_namespace()
    try:
        _call(leave, *arguments)
        try:
            yield
        finally:
            _call(LIBC.setns, before, CLONE_NEWNET)
    finally:
        os.close(before)


def _own_namespace():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def _call(function, *arguments):
    if function(*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _bring_up(address):
    """In the namespace that this thread is in: the loopback device, and a TUN device with the address."""
    device = os.open("/dev/net/tun", os.O_RDWR)
    try:
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", DEVICE, IFF_TUN | IFF_NO_PI))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            for request, text in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, NETMASK)):
                told = struct.pack("16sH2x4s16x", DEVICE, socket.AF_INET, socket.inet_aton(text))
                fcntl.ioctl(control, request, told)
            fcntl.ioctl(control, SIOCSIFMTU, struct.pack("16si20x", DEVICE, MTU))
            for name in (b"lo", DEVICE):
                fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH22x", name, IFF_UP_AND_RUNNING))
    except BaseException:
        os.close(device)
        raise
    return device
