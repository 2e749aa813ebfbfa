"""A network between client and server that cuts, stalls and resets connections."""

import random
import select
import socket
import struct
import threading

PIECE = 64 * 1024


class BadNetwork:
    """Passes TCP connections on to a server. Each gets a fate from `fates`, drawn with `seed`: `cut`, `reset` and `stall`
    after some bytes, `refuse` at once, `pass` never. After `faults` of them all connections pass, so that what tries
    again gets through in the end; None: never so. `delay`: seconds for each piece of 64 KiB. Once `bytes_left` have moved,
    when it is set, the network is gone.
    """

    def __init__(self, server, fates=("pass",), after=(1, 1), seed=0, faults=None, delay=0):
        self.upstream = (server.host, server.port)
        self.fates = list(fates)
        self.after = after
        self.random = random.Random(seed)
        self.faults_left = faults
        self.delay = delay
        self.bytes_left = None
        self.counts = {}
        self.moved = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._over.set()
        self._listener.close()
        self.drop_all()

    def drop_all(self):
        """Resets every connection that is open."""
        with self._lock:
            open_now, self._open = self._open, set()
        for one in open_now:
            _reset(one)

    def _accept(self):
        while not self._over.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _draw(self):
        with self._lock:
            if self.bytes_left is not None and self.bytes_left <= 0:
                return "refuse", 0
            if self.faults_left == 0:
                return "pass", 0
            fate = self.random.choice(self.fates)
            if fate != "pass" and self.faults_left is not None:
                self.faults_left -= 1
            self.counts[fate] = self.counts.get(fate, 0) + 1
            return fate, self.random.randint(*self.after)

    def _serve(self, client):
        fate, left = self._draw()
        if fate == "refuse":
            _reset(client)
            return
        try:
            upstream = socket.create_connection(self.upstream)
        except OSError:
            _reset(client)
            return
        with self._lock:
            self._open |= {client, upstream}
        try:
            self._pass_on(client, upstream, fate, left)
        except OSError:
            pass
        finally:
            with self._lock:
                self._open -= {client, upstream}
            client.close()
            upstream.close()

    def _pass_on(self, client, upstream, fate, left):
        while not self._over.is_set():
            for source in select.select([client, upstream], [], [], 1)[0]:
                data = source.recv(PIECE)
                if not data:
                    return
                if fate != "pass":
                    data = data[: max(left, 0)]
                    left -= len(data)
                (upstream if source is client else client).sendall(data)
                self.moved += len(data)
                if self.bytes_left is not None:
                    self.bytes_left -= len(data)
                    if self.bytes_left <= 0:
                        return
                if self.delay:
                    self._over.wait(self.delay)
                if fate == "pass" or left > 0:
                    continue
                if fate == "stall":
                    self._over.wait(120)
                elif fate == "reset":
                    _reset(client)
                    _reset(upstream)
                return


def _reset(one):
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()
    except OSError:
        pass
