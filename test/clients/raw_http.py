"""HTTP exchanges that a proper client library refuses to make: half bodies, lies about lengths, broken chunks."""

import socket
from http.client import HTTPResponse

TIMEOUT = 60


class RawConnection:
    """One TLS connection to the server; bytes go out exactly as given."""

    def __init__(self, server):
        plain = socket.create_connection((server.host, server.port), timeout=TIMEOUT)
        self.socket = server.ssl_context().wrap_socket(plain, server_hostname=server.host)
        self.authority = server.authority

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send_head(self, method, target, headers):
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.authority}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def send(self, data):
        """Sends, unless the server has closed already; its answer may still be readable then."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def response(self):
        """(status, headers, body) of the next answer."""
        answer = HTTPResponse(self.socket)
        answer.begin()
        return answer.status, dict(answer.getheaders()), answer.read()

    def abort(self):
        """Closes without the TLS and TCP goodbyes: the other side sees a broken connection."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()


def path_of(uri):
    """Path and query of an endpoint's URI."""
    return "/" + uri.split("://", 1)[1].split("/", 1)[1]
