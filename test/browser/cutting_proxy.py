"""A TCP proxy before the server that can be slow, cut connections with a reset, stall them, and be gone. What goes through it
is TLS, which it does not look into."""

import socket
import struct
import threading
import time

CHUNK = 1 << 16


class CuttingProxy:
    def __init__(self, host, port):
        self.target = (host, port)
        self.bytes_up = 0  # that clients sent, in all
        self.rate = None  # bytes a second of all clients together
        self.cut_after = None  # once this many bytes more have come, every connection that sends is reset
        self.stalled = threading.Event()
        self.gone = False
        self._pairs = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def cut(self):
        """Resets every connection, now."""
        with self._lock:
            pairs, self._pairs = self._pairs, set()
        self.cuts += 1
        for pair in pairs:
            for end in pair:
                _reset(end)

    def close(self):
        self._listener.close()
        self.stalled.clear()
        self.cut()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.gone:
                _reset(client)
                continue
            try:
                server = socket.create_connection(self.target)
            except OSError:
                _reset(client)
                continue
            pair = (client, server)
            with self._lock:
                self._pairs.add(pair)
            threading.Thread(target=self._carry, args=(client, server, True, pair), daemon=True).start()
            threading.Thread(target=self._carry, args=(server, client, False, pair), daemon=True).start()

    def _carry(self, source, sink, up, pair):
        try:
            while data := source.recv(CHUNK):
                while self.stalled.is_set():
                    time.sleep(0.02)
                if up:
                    self._count(len(data))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for end in pair:
                _reset(end)
        with self._lock:
            self._pairs.discard(pair)

    def _count(self, count):
        with self._lock:
            self.bytes_up += count
            due = self.cut_after is not None and self.bytes_up >= self.cut_after
            if due:
                self.cut_after = None
            rate = self.rate
        if due:
            self.cut()
        if rate:
            time.sleep(count / rate)


def _reset(end):
    """Ends the connection at once. A thread that waits for it would keep it open: the shutdown wakes it."""
    try:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    end.close()
