"""A VCSP publisher that does as a test says: decently, in each form that publishers have, or as broken and hostile ones do.

    with Publisher() as publisher:
        item = publisher.add("tiny", {"a.iso": b"…"}, kind="vcsp.iso")
        publisher.fault(publisher.path_of(item, "a.iso"), Fault(cut_after=1000, times=1))
        url = publisher.url

Documents are written anew for each request, from one state, so a round of changes is seen as a whole or not at all.
Written from vcsp.md; shares no line with Quire's own.
"""

import base64
import contextlib
import copy
import hashlib
import json
import posixpath
import re
import socket
import ssl
import struct
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, urlsplit

from secret_watch import WATCH

DIALECT_1 = "dialect 1"  # as Cloud Director publishes
DIALECT_2 = "dialect 2"  # as vCenter and Quire do
LOCAL_GENERATOR = "local generator"  # as the public scripts write folders: no generationNum, hexadecimal etags
STORE_GENERATOR = "object store generator"  # as they write buckets
FORMS = (DIALECT_1, DIALECT_2, LOCAL_GENERATOR, STORE_GENERATOR)
PIECE = 64 * 1024
SAFE = "-._~"


@dataclass
class Fault:
    """What happens to requests of one path, instead of or on the way to an honest answer. Counts are of body bytes."""

    status: int | None = None  # this, with `body`
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    content: bytes | None = None  # other bytes than the file's or document's
    announced: int | None = None  # a Content-Length that is a lie
    endless: bool = False  # goes on until the client leaves, in chunks
    cut_after: int | None = None  # the connection ends here, by a reset
    stall_after: int | None = None  # nothing more is sent until the gate opens or the client leaves
    bytes_per_second: int | None = None
    part_starts_at: int | None = None  # a range is answered with another one than was asked for
    raw: bytes | None = None  # sent as it is, in place of HTTP
    times: int | None = None  # so many requests, then honest again; None: always
    method: str = "GET"


def preparing(progress, times=None):
    """Content that is not ready yet (vcsp.md §7)."""
    return _not_ready({"status": "preparing", "progress": progress, "message": ""}, times)


def failed(message, times=None):
    """Content that never will be."""
    return _not_ready({"status": "failed", "progress": 35, "message": message}, times)


def _not_ready(document, times):
    return Fault(
        status=503, body=json.dumps(document).encode(), headers={"Content-Type": "application/json"}, times=times
    )


def redirect(location, status=302, times=None):
    return Fault(status=status, headers={"Location": location}, times=times)


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


@dataclass
class File:
    content: bytes
    generation: int

    @property
    def sha256(self):
        return hashlib.sha256(self.content).hexdigest()


@dataclass
class Item:
    id: str
    name: str
    folder: str
    kind: str
    description: str = ""
    files: dict = field(default_factory=dict)  # name → File
    version: int = 2
    content_version: int = 2
    created: str = ""

    @property
    def digests(self):
        return {name: file.sha256 for name, file in self.files.items()}


class Publisher:
    """The library and its server. With a certificate (http_source.make_certificate) it speaks TLS.

    `x_quire`: files tell their SHA-256, as Quire's do. `keep_old`: superseded generations can still be read.
    `edit_library`, `edit_index` and `edit_item` may change a document before it is written; `edit_item` is called for
    each item of the index and for its own document.
    """

    def __init__(
        self, form=DIALECT_2, certificate=None, password=None, x_quire=False, ranges=True, keep_old=True, host="127.0.0.1"
    ):
        self.form = form
        self.certificate = certificate
        self.password = None
        self.set_password(password)
        self.x_quire, self.ranges, self.keep_old = x_quire, ranges, keep_old
        self.host, self.port = host, 0
        self.id = str(uuid.uuid4())
        self.name, self.description, self.version = "published", "", 1
        self.maintenance_message = None
        self.items = {}  # id → Item
        self.edit_library = self.edit_index = self.edit_item = None
        self.pages = {}  # path → bytes: served as they are
        self.gate = threading.Event()
        self.created = _now()
        self._old = {}  # path → bytes
        self._faults = {}
        self._requests = []
        self._sent = {}
        self._committed = {}  # item → all sets of files that it ever had
        self._lock = threading.RLock()
        self._in_round = self._round_changed = False
        self._server = self._thread = None
        self._connections = set()

    # --- the server --------------------------------------------------------------------------------------------------

    def __enter__(self):
        return self.open()

    def __exit__(self, *_):
        self.close()

    def open(self):
        """Listens; on the port of the last time when there was one."""
        self.closing = False
        self._server = _Server((self.host, self.port), type("Handler", (_Handler,), {"publisher": self}))
        if self.certificate:
            self._use(self.certificate)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def _use(self, certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.path)
        # The handshake belongs to the connection's thread, not to the one that accepts.
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    def close(self):
        """Goes away at once, in the middle of whatever it sends."""
        if self._server is None:
            return
        self.closing = True
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        self.drop_all()

    def drop_all(self):
        """Resets every connection that is open."""
        with self._lock:
            open_now, self._connections = self._connections, set()
        for one in open_now:
            _reset(one)

    @property
    def origin(self):
        return f"{'https' if self.certificate else 'http'}://{self.host}:{self.port}"

    @property
    def root(self):
        """The path of the library, with a slash at its end."""
        return f"/vcsp/lib/{self.id}/" if self.form == DIALECT_1 else "/library/"

    @property
    def library_path(self):
        return self.root if self.form == DIALECT_1 else self.root + "lib.json"

    @property
    def index_path(self):
        return self.root + ("items" if self.form == DIALECT_1 else "items.json")

    @property
    def url(self):
        """The subscription URL."""
        return self.origin + self.library_path

    def set_password(self, password):
        """Asked of every request from now on, of the user vcsp; None: of nobody."""
        self.password = password
        if password:
            WATCH.add(password, "a publisher's password")

    def fault(self, path, *faults):
        """What requests of a path get, one after the other; none: honest answers again."""
        with self._lock:
            self._faults[path] = [copy.copy(fault) for fault in faults]

    def heal(self):
        """From now on nothing is wrong with it. What it has published stays."""
        with self._lock:
            self._faults.clear()
            self.pages.clear()
            self.edit_library = self.edit_index = self.edit_item = self.maintenance_message = None
        self.gate.set()

    def requests(self, path=None, method=None):
        """What has been asked so far, in order."""
        with self._lock:
            return [one for one in self._requests if path in (None, one.path) and method in (None, one.method)]

    def forget_requests(self):
        with self._lock:
            self._requests.clear()
            self._sent.clear()

    def sent(self, path):
        """How many bytes of a path's bodies have gone out."""
        with self._lock:
            return self._sent.get(path, 0)

    def file_requests(self):
        """Paths of files that were asked for, in order."""
        documents = {self.library_path, self.index_path} | {self.item_path(item) for item in self.items}
        return [one.path for one in self.requests(method="GET") if one.path not in documents]

    # --- the library -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def one_round(self):
        """Nobody sees what lies between these changes, and they move the library's counter once."""
        with self._lock:
            assert not self._in_round
            self._in_round, self._round_changed = True, False
            try:
                yield self
            finally:
                self._in_round = False
                if self._round_changed:
                    self.version += 1

    def _changed(self):
        if self._in_round:
            self._round_changed = True
        else:
            self.version += 1

    def add(self, name, files, kind="vcsp.other", item_id=None, description=""):
        """A new item; returns its id."""
        with self._lock:
            item_id = item_id or str(uuid.uuid4())
            folder = item_id
            if self.form in (LOCAL_GENERATOR, STORE_GENERATOR) and all(one.folder != name for one in self.items.values()):
                folder = name
            item = Item(item_id, name, folder, kind, description, created=_now())
            item.files = {file: File(content, item.content_version) for file, content in files.items()}
            self.items[item_id] = item
            self._commit(item)
            self._changed()
            return item_id

    def put(self, item_id, files, whole=False):
        """Files that are new or have other bytes; `whole`: and no others."""
        with self._lock:
            item = self.items[item_id]
            self._retire(item, item.files if whole else files)
            item.content_version += 1
            if whole:
                item.files = {}
            for file, content in files.items():
                item.files[file] = File(content, item.content_version)
            self._touch(item)
            self._commit(item)

    def remove_file(self, item_id, file):
        with self._lock:
            item = self.items[item_id]
            self._retire(item, [file])
            del item.files[file]
            item.content_version += 1
            self._touch(item)
            self._commit(item)

    def rename(self, item_id, name):
        with self._lock:
            self.items[item_id].name = name
            self._touch(self.items[item_id])

    def describe(self, item_id, description):
        with self._lock:
            self.items[item_id].description = description
            self._touch(self.items[item_id])

    def touch(self, item_id):
        """A new version without any news."""
        with self._lock:
            self._touch(self.items[item_id])

    def delete(self, item_id):
        with self._lock:
            item = self.items.pop(item_id)
            for file in item.files:
                self._old[self._file_path(item, file)] = item.files[file].content
            self._changed()

    def rename_library(self, name, description=""):
        with self._lock:
            self.name, self.description = name, description
            self._changed()

    def snapshot(self):
        """The state, to go back to."""
        with self._lock:
            return copy.deepcopy((self.items, self.name, self.description, self.version))

    def go_back(self, state):
        """As a publisher that was restored from a backup."""
        with self._lock:
            self.items, self.name, self.description, self.version = copy.deepcopy(state)

    def _touch(self, item):
        item.version += 1
        self._changed()

    def _commit(self, item):
        self._committed.setdefault(item.id, []).append(item.digests)

    def _retire(self, item, files):
        for file in files:
            if file in item.files:
                self._old[self._file_path(item, file)] = item.files[file].content

    def committed(self, item_id):
        """Every set of files (name → SHA-256) that the item has ever had."""
        with self._lock:
            return list(self._committed.get(item_id, []))

    def expected(self):
        """Item id → what a subscriber has of it when it is done."""
        with self._lock:
            return {
                item.id: {
                    "name": item.name,
                    "description": item.description,
                    "type": item.kind.removeprefix("vcsp.").replace("other", ""),
                    "files": item.digests,
                }
                for item in self.items.values()
            }

    # --- documents ---------------------------------------------------------------------------------------------------

    @property
    def counts_files(self):
        """Whether files have a generation, so that whoever reads it knows which of them are new."""
        return self.form in (DIALECT_2, STORE_GENERATOR)

    def item_path(self, item_id):
        item = self.items[item_id]
        if self.form == DIALECT_1:
            return f"{self.root}item/{item.id}/"
        return f"{self.root}{quote(item.folder, SAFE)}/item.json"

    def path_of(self, item_id, file):
        with self._lock:
            return self._file_path(self.items[item_id], file)

    def _file_path(self, item, file):
        if self.form == DIALECT_1:
            return f"{self.root}item/{item.id}/file/{quote(file, SAFE)}"
        generation = f"g{item.files[file].generation}/" if self.form == DIALECT_2 else ""
        return f"{self.root}{quote(item.folder, SAFE)}/{generation}{quote(file, SAFE)}"

    def _library_document(self):
        document = {
            "vcspVersion": "1" if self.form == DIALECT_1 else "2",
            "version": str(self.version),
            "name": self.name,
            "id": f"urn:uuid:{self.id}",
            "created": self._time(self.created),
            "capabilities": {"transferIn": ["httpGet"], "transferOut": ["httpGet"]},
            "itemsHref": posixpath.basename(self.index_path),
        }
        if self.form != DIALECT_1:
            document["contentVersion"] = "1"
        if self.form in (DIALECT_1, DIALECT_2):
            document |= {"itemType": "vcsp.CatalogItem", "metadata": [], "description": self.description}
            document["capabilities"]["generateIds"] = True
        if self.maintenance_message is not None:
            document["maintenanceMessage"] = self.maintenance_message
        return self.edit_library(document) if self.edit_library else document

    def _index_document(self):
        items = [self._item_document(item, in_index=True) for item in self.items.values()]
        document = {"items": items}
        if self.form in (DIALECT_1, DIALECT_2):
            document = {"itemType": "vcsp.CatalogItem", "version": str(self.version), "items": items}
        return self.edit_index(document) if self.edit_index else document

    def _item_document(self, item, in_index):
        document = {
            "created": self._time(item.created),
            "description": item.description,
            "version": str(item.version),
            "files": [self._file_entry(item, file, in_index) for file in item.files],
            "id": f"urn:uuid:{item.id}",
            "name": item.name,
            "properties": {},
            "selfHref": self.item_path(item.id).removeprefix("" if self.form == DIALECT_1 else self.root),
            "type": item.kind,
        }
        if self.form == DIALECT_1:
            document |= {"vcspVersion": "1", "metadata": [], "vms": []}
        if self.form in (DIALECT_2, STORE_GENERATOR):
            document["contentVersion"] = str(item.content_version)
        if self.form == DIALECT_2:
            document["metadata"] = []
        return self.edit_item(document) if self.edit_item else document

    def _file_entry(self, item, name, in_index):
        file = item.files[name]
        path = self._file_path(item, name)
        if self.form != DIALECT_1:
            path = path.removeprefix(self.root)
        elif not in_index:  # relative to the item's own directory
            path = path.removeprefix(self.item_path(item.id))
        entry = {"name": name, "size": len(file.content), "hrefs": [path]}
        entry["etag"] = str(item.content_version)
        if self.form == DIALECT_1:
            # Cloud Director writes a UUID where a number is specified; it is another one for other bytes.
            entry["etag"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{item.id} {item.content_version}"))
        if self.form in (LOCAL_GENERATOR, STORE_GENERATOR):
            folder = repr(sorted(item.digests.items())) if self.form == LOCAL_GENERATOR else file.sha256
            entry["etag"] = hashlib.new("md5", folder.encode()).hexdigest()
            WATCH.harmless.add(entry["etag"])
        if self.counts_files:
            entry["generationNum"] = file.generation
        if self.x_quire:
            entry["x-quire"] = {"sha256": file.sha256}
        return entry

    def _time(self, moment):
        """The generators write minutes, and the local time with a Z."""
        return moment[:16] + "Z" if self.form in (LOCAL_GENERATOR, STORE_GENERATOR) else moment

    def find(self, path):
        """(bytes, whether they are a document) of what is served at a path; None where nothing is."""
        with self._lock:
            if path in self.pages:
                return self.pages[path], path.endswith(".json")
            if path == self.library_path:
                return _json(self._library_document()), True
            if path == self.index_path:
                return _json(self._index_document()), True
            for item in self.items.values():
                if path == self.item_path(item.id):
                    return _json(self._item_document(item, in_index=False)), True
                for name, file in item.files.items():
                    if path == self._file_path(item, name):
                        return file.content, False
            if self.keep_old and path in self._old:
                return self._old[path], False
            return None

    # --- for the connections' threads --------------------------------------------------------------------------------

    def _receive(self, request):
        """Notes the request; the fault that it meets, or None."""
        with self._lock:
            self._requests.append(request)
            for fault in self._faults.get(request.path, []):
                if fault.times != 0 and request.method in (fault.method, "HEAD"):
                    if fault.times is not None and request.method == fault.method:
                        fault.times -= 1
                    return copy.copy(fault)
            return None

    def _note_sent(self, path, count):
        with self._lock:
            self._sent[path] = self._sent.get(path, 0) + count

    def _keep(self, connection, is_open):
        with self._lock:
            (self._connections.add if is_open else self._connections.discard)(connection)


def _now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + "000Z"


def _json(document):
    return document if isinstance(document, bytes) else json.dumps(document).encode()


def _reset(connection):
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Wakes up whoever waits on it in another thread, which closing alone does not.
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
    except OSError:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """Clients that go away or refuse the certificate are what some tests want."""


class _Gone(Exception):
    """The connection is of no use any more."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    publisher = None

    def setup(self):
        super().setup()
        self.publisher._keep(self.connection, True)

    def finish(self):
        self.publisher._keep(self.connection, False)
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_):
        pass

    def do_HEAD(self):  # noqa: N802
        self._answer(body=False)

    def do_GET(self):  # noqa: N802
        self._answer(body=True)

    def _answer(self, body):
        publisher = self.publisher
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, urlsplit(self.path).path, headers, time.monotonic())
        try:
            self._answer_to(request, publisher._receive(request) or Fault(), body)
        except (_Gone, OSError, ssl.SSLError):
            self.close_connection = True

    def _answer_to(self, request, fault, body):
        publisher = self.publisher
        if fault.raw is not None:
            self.wfile.write(fault.raw)
            raise _Gone
        if fault.status is not None:
            return self._send(request, fault, fault.status, fault.body, fault.headers, body)
        if publisher.password and request.credentials not in (f"vcsp:{publisher.password}", f":{publisher.password}"):
            return self._send(request, fault, 401, b"", {"WWW-Authenticate": 'Basic realm="vcsp"'}, body)
        found = publisher.find(request.path)
        if found is None:
            return self._send(request, fault, 404, b"", {}, body)
        content, is_document = found
        if fault.content is not None:
            content = fault.content
        tag = '"' + hashlib.sha1(content).hexdigest() + '"'
        head = {"ETag": tag, "Content-Type": "application/json" if is_document else "application/octet-stream"}
        head |= {"Cache-Control": "no-cache"} if is_document else {}
        if tag in request.headers.get("if-none-match", ""):
            return self._send(request, fault, 304, b"", head | fault.headers, body)
        status, content, part = self._part(request, fault, content, tag)
        return self._send(request, fault, status, content, head | part | fault.headers, body)

    def _part(self, request, fault, content, tag):
        """The bytes that were asked for, with the status and headers that say which they are."""
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if not self.publisher.ranges:
            return 200, content, {}
        if not wanted or request.headers.get("if-range", tag) != tag:
            return 200, content, {"Accept-Ranges": "bytes"}
        start = int(wanted[1]) if fault.part_starts_at is None else fault.part_starts_at
        end = min(int(wanted[2] or len(content)), len(content) - 1)
        if start >= len(content):
            return 416, b"", {"Content-Range": f"bytes */{len(content)}"}
        return 206, content[start : end + 1], {"Content-Range": f"bytes {start}-{end}/{len(content)}"}

    def _send(self, request, fault, status, content, head, body):
        if fault.endless:
            head = {**head, "Transfer-Encoding": "chunked"}
        elif status != 304:
            head = {**head, "Content-Length": len(content) if fault.announced is None else fault.announced}
        self.send_response(status)
        for name, value in head.items():
            self.send_header(name, str(value))
        self.end_headers()
        if not body or status == 304:
            return
        if fault.endless:
            self._send_for_ever(request, content or bytes(PIECE))
        for start, end in self._pieces(fault, len(content)):
            self.wfile.write(content[start:end])
            self.publisher._note_sent(request.path, end - start)
            if fault.stall_after == end:
                self._stall()
            if fault.bytes_per_second:
                self._pause((end - start) / fault.bytes_per_second)
        if fault.cut_after is not None or fault.announced is not None:
            _reset(self.connection)
            raise _Gone

    def _pieces(self, fault, size):
        """Where the body is cut in pieces: at what happens in the middle of it, and else where it is handy."""
        end = size if fault.cut_after is None else min(size, fault.cut_after)
        piece = PIECE if not fault.bytes_per_second else max(1, min(PIECE, fault.bytes_per_second // 20))
        marks = sorted({*range(0, end, piece), end, *([fault.stall_after] if fault.stall_after is not None else [])})
        marks = [mark for mark in marks if mark <= end]
        return [(0, 0), *zip(marks, marks[1:])] if fault.stall_after == 0 else list(zip(marks, marks[1:]))

    def _send_for_ever(self, request, piece):
        while not self.publisher.closing:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.publisher._note_sent(request.path, len(piece))
        raise _Gone

    def _pause(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self.publisher.closing:
                raise _Gone
            time.sleep(min(left, 0.05))

    def _stall(self):
        """Until the gate opens; the connection is over when the client or the publisher goes first."""
        self.connection.settimeout(0.02)
        while not self.publisher.gate.is_set():
            if self.publisher.closing:
                raise _Gone
            try:
                if self.connection.recv(1) == b"":
                    raise _Gone
            except (TimeoutError, ssl.SSLWantReadError):
                continue
        self.connection.settimeout(None)

