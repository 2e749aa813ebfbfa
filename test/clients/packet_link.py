"""The program that carries IP packets between network namespaces, over lines that delay, lose and hold back.

`namespaces.Network` starts it: the argument tells the ends, each with its TUN device and address. Each line of standard
input is a JSON object that names a line and what is to change of it, and is answered by what that line is and has done.
It ends with its input.
"""

import heapq
import json
import os
import random
import select
import sys
import time
from dataclasses import asdict, dataclass

PACKET_BYTES_MAX = 1 << 16
CRAWL_RATE = 50_000
PACKETS_AT_ONCE = 500  # as many as a TUN device keeps


@dataclass
class Line:
    """One direction between two ends. As it is made, packets are there at once."""

    delay: float = 0.0  # seconds
    loss: float = 0.0  # of the packets
    rate: float = 0.0  # bytes a second; 0: no limit
    queue: int = 1 << 18  # bytes that may wait for the rate; what comes then is dropped
    cut: bool = False  # nothing comes through
    crawls_at: int = 0  # once so many bytes came through, no more than CRAWL_RATE do; 0: never
    bytes: int = 0  # that came through
    lost: int = 0  # packets
    dropped: int = 0  # packets
    free_at: float = 0.0  # when all that waits has been sent

    def due(self, count, now, chance):
        """When a packet of so many bytes comes out; None: never."""
        if self.cut or (self.loss and chance.random() < self.loss):
            self.lost += 1
            return None
        rate = CRAWL_RATE if 0 < self.crawls_at <= self.bytes else self.rate
        if rate:
            if (self.free_at - now) * rate > self.queue:
                self.dropped += 1
                return None
            now = self.free_at = max(self.free_at, now) + count / rate
        self.bytes += count
        return now + self.delay


class Link:
    def __init__(self, ends, seed):
        self.devices = {bytes(map(int, address.split("."))): device for device, address in ends.values()}
        addresses = {name: bytes(map(int, address.split("."))) for name, (_, address) in ends.items()}
        self.lines, self.chances, self.by_name = {}, {}, {}
        for one in ends:
            for other in ends:
                way = (addresses[one], addresses[other])
                self.by_name[one, other] = self.lines[way] = Line()
                self.chances[way] = random.Random(f"{seed} {one} {other}")
        self.flying = []  # (when it comes out, number, device, packet)
        self.count = 0

    def run(self, commands, answers):
        for device in self.devices.values():
            os.set_blocking(device, False)
        unread = b""
        while True:
            wait = max(0, self.flying[0][0] - time.monotonic()) if self.flying else None
            ready = select.select([commands, *self.devices.values()], [], [], wait)[0]
            # With a command, all that was sent before it came.
            for device in self.devices.values() if commands in ready else ready:
                self.take_in(device)
            if commands in ready:
                told = os.read(commands, PACKET_BYTES_MAX)
                if not told:
                    return
                *asked, unread = (unread + told).split(b"\n")
                for one in asked:
                    os.write(answers, self.answer(json.loads(one)))
            self.put_out()

    def take_in(self, device):
        for _ in range(PACKETS_AT_ONCE):
            try:
                packet = os.read(device, PACKET_BYTES_MAX)
            except BlockingIOError:
                return
            way = (packet[12:16], packet[16:20])
            if packet[0] >> 4 != 4 or way not in self.lines:
                continue  # what a kernel says of itself, or to nobody here
            due = self.lines[way].due(len(packet), time.monotonic(), self.chances[way])
            if due is not None:
                self.count += 1
                heapq.heappush(self.flying, (due, self.count, self.devices[way[1]], packet))

    def put_out(self):
        now = time.monotonic()
        while self.flying and self.flying[0][0] <= now:
            _, _, device, packet = heapq.heappop(self.flying)
            try:
                os.write(device, packet)
            except OSError:
                pass  # that end takes nothing just now, as any receiver may

    def answer(self, asked):
        line = self.by_name[asked.pop("from"), asked.pop("to")]
        for name, value in asked.items():
            setattr(line, name, value)
        return json.dumps(asdict(line)).encode() + b"\n"


if __name__ == "__main__":
    Link(**json.loads(sys.argv[1])).run(sys.stdin.fileno(), sys.stdout.fileno())
