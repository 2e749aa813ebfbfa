"""An HTTP or HTTPS server to pull from, which answers as a test says: decently, or as broken servers do.

    with HttpSource() as source:
        url = source.answer("/boot.iso", Reply(content, etag='"v1"', cut_after=1000), Reply(content, etag='"v1"'))

The first GET of a path gets its first reply, the next one the second; the last reply is repeated. HEAD takes none away.
"""

import base64
import hashlib
import ipaddress
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa


@dataclass
class Reply:
    """How one request is answered. The counts are of body bytes of this reply."""

    content: bytes = b""
    status: int = 200
    headers: dict = field(default_factory=dict)
    etag: str | None = None
    ranges: bool = True  # a Range is honoured
    if_range: bool = True  # … and only if If-Range fits
    framing: str = "length"  # "chunked", or "close": the end of the connection ends the body
    announced: int | None = None  # a Content-Length that is a lie
    cut_after: int | None = None  # the connection ends here
    hold_after: int | None = None  # nothing more is sent until the source's gate opens


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict  # names in lower case
    time: float

    @property
    def credentials(self):
        scheme, _, value = self.headers.get("authorization", "").partition(" ")
        return base64.b64decode(value).decode() if scheme == "Basic" else None


def redirect(location, status=302):
    return Reply(status=status, headers={"Location": location})


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, both in one file for ssl.SSLContext.load_cert_chain."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    path: Path

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def thumbprint(self, algorithm="sha1"):
        """Upper case with colons."""
        return hashlib.new(algorithm, self.der).digest().hex(":").upper()


DAY = timedelta(days=1)


def make_certificate(folder, name, issuer=None, address="127.0.0.1", starts=-DAY, ends=DAY, rsa_bits=None):
    """A certificate for `address`, self-signed without an issuer; with no address one that signs others.

    `starts` and `ends` count from now.
    """
    key = rsa.generate_private_key(65537, rsa_bits) if rsa_bits else ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + starts)
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca=address is None, path_length=None), critical=True)
    )
    if address:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        builder = builder.add_extension(names, critical=False)
    certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    path = Path(folder) / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return Certificate(certificate, key, path)


class HttpSource:
    """The server; one thread a connection, one request on each. With a certificate it speaks TLS."""

    def __init__(self, host="127.0.0.1", certificate=None, credentials=None, port=0):
        self.host = host
        self.certificate = certificate
        self.credentials = credentials  # "user:password", asked of every request
        self.gate = threading.Event()
        self._replies = {}
        self._lock = threading.Lock()
        self._requests = []
        self._lost = threading.Event()
        self._closing = False
        self._server = _Server((host, port), type("Handler", (_Handler,), {"source": self}))
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.path)
            # The handshake belongs to the connection's thread, not to the one that accepts.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._closing = True
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, path, host=None, credentials=None):
        scheme = "https" if self.certificate else "http"
        login = f"{credentials}@" if credentials else ""
        return f"{scheme}://{login}{host or self.host}:{self.port}{path}"

    def answer(self, path, *replies):
        """What requests of `path` get; returns its URL."""
        assert replies
        with self._lock:
            self._replies[path] = list(replies)
        return self.url(path)

    def requests(self, path=None, method="GET"):
        """What has been asked so far, in order."""
        with self._lock:
            return [r for r in self._requests if path in (None, r.path) and r.method == method]

    def wait_until_client_left(self, timeout):
        """True when the other end has closed a connection that was held at the gate."""
        return self._lost.wait(timeout)

    # What follows is for the connections' threads.

    def _next_reply(self, request):
        with self._lock:
            self._requests.append(request)
            if self.credentials and request.credentials != self.credentials:
                return Reply(status=401, headers={"WWW-Authenticate": 'Basic realm="source"'})
            replies = self._replies.get(request.path)
            if not replies:
                return Reply(status=404)
            return replies.pop(0) if len(replies) > 1 and request.method == "GET" else replies[0]

    def _hold(self, connection):
        """Until the gate opens; False when the client has gone meanwhile."""
        connection.settimeout(0.02)
        while not self.gate.is_set():
            try:
                if connection.recv(1) == b"":
                    self._lost.set()
                    return False
            except (TimeoutError, ssl.SSLWantReadError):
                continue
            except OSError:
                self._lost.set()
                return False
        connection.settimeout(None)
        return not self._closing


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, client_address):
        """Clients that go away or refuse the certificate are what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    source = None

    def log_message(self, *_):
        pass

    def do_HEAD(self):  # noqa: N802
        self._answer(body=False)

    def do_GET(self):  # noqa: N802
        self._answer(body=True)

    def _answer(self, body):
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.source._next_reply(Request(self.command, self.path, headers, time.monotonic()))
        self.close_connection = True
        content, status, head = self._part(reply, headers)
        if reply.etag and status < 300:
            head["ETag"] = reply.etag
        if reply.framing == "chunked":
            head["Transfer-Encoding"] = "chunked"
        elif reply.framing == "length":
            head["Content-Length"] = len(content) if reply.announced is None else reply.announced
        self.send_response(status)
        for name, value in {**head, **reply.headers, "Connection": "close"}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if body:
            self._send(reply, content)

    def _part(self, reply, headers):
        """The bytes asked for, with the status and headers that say which they are."""
        wanted = re.fullmatch(r"bytes=(\d+)-", headers.get("range", ""))
        if reply.status != 200 or not reply.ranges or not wanted:
            return reply.content, reply.status, {}
        validator = headers.get("if-range")
        if reply.if_range and validator and (validator != reply.etag or validator.startswith("W/")):
            return reply.content, 200, {}
        start, size = int(wanted[1]), len(reply.content)
        if start >= size:
            return b"", 416, {"Content-Range": f"bytes */{size}"}
        return reply.content[start:], 206, {"Content-Range": f"bytes {start}-{size - 1}/{size}"}

    def _send(self, reply, content):
        end = len(content) if reply.cut_after is None else reply.cut_after
        held_at = min(end, reply.hold_after or 0)
        self._write(reply, content[:held_at])
        if reply.hold_after is not None and not self.source._hold(self.connection):
            return
        self._write(reply, content[held_at:end])
        if reply.cut_after is not None:
            self.connection.shutdown(socket.SHUT_RDWR)
        elif reply.framing == "chunked":
            self.wfile.write(b"0\r\n\r\n")

    def _write(self, reply, part):
        if part:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part) if reply.framing == "chunked" else part)
