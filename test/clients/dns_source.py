"""A name server for one test: answers A questions as it is told, with answers that may change from one to the next."""

import socket
import struct
import threading

A, IN = 1, 1


class DnsSource:
    """Listens on port 53 of a loopback address, which takes root. `addresses` of a name: a list of answers, each a list
    of addresses; the first question gets the first answer, and so on, the last is repeated."""

    def __init__(self, address):
        self.address = address
        self.addresses = {}
        self.asked = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((address, 53))
        except OSError:
            self._socket.close()
            raise
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        # The empty datagram ends the loop, which a close alone would not.
        self._socket.sendto(b"", (self.address, 53))
        self._thread.join(10)
        self._socket.close()

    def _serve(self):
        while True:
            question, peer = self._socket.recvfrom(4096)
            if not question:
                return
            self._socket.sendto(self._answer(question), peer)

    def _answer(self, question):
        labels, at = [], 12
        while length := question[at]:
            labels.append(question[at + 1 : at + 1 + length].decode())
            at += 1 + length
        name, kind = ".".join(labels).lower(), struct.unpack(">H", question[at + 1 : at + 3])[0]
        found = []
        if kind == A and name in self.addresses:
            self.asked.append(name)
            answers = self.addresses[name]
            found = answers.pop(0) if len(answers) > 1 else answers[0]
        code = 0 if name in self.addresses else 3
        head = question[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(found), 0, 0)
        # Not to be kept by anybody: a time to live of nothing.
        records = b"".join(
            b"\xc0\x0c" + struct.pack(">HHIH", A, IN, 0, 4) + socket.inet_aton(address) for address in found
        )
        return head + question[12 : at + 5] + records
