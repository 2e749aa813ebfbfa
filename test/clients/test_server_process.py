"""The server as a process: start and stop, data folder, settings, certificate, first password."""

import datetime
import ipaddress
import os
import queue
import re
import signal
import ssl
import socket
import stat
import subprocess
import threading
import tomllib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from quire_server import ADMINISTRATOR, QuireServer, binary
from raw_http import RawConnection, path_of
from rest_client import LegacyRest, NewRest, Transfers, create_library, download_item, upload_item

TIMEOUT = 60


def run_quire(*arguments, **environment):
    return subprocess.run(
        [binary(), *map(str, arguments)],
        text=True,
        capture_output=True,
        timeout=TIMEOUT,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **environment},
    )


class Serving:
    """`quire serve` with exactly these arguments; for starts that QuireServer does not cover."""

    def __init__(self, *arguments, **environment):
        self.process = subprocess.Popen(
            [binary(), "serve", *map(str, arguments)],
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **environment},
        )
        self.output = {"stdout": [], "stderr": []}
        self.lines = queue.Queue()
        self.readers = [threading.Thread(target=self._read, args=(name,), daemon=True) for name in self.output]
        for reader in self.readers:
            reader.start()

    def _read(self, name):
        for line in getattr(self.process, name):
            self.output[name].append(line)
            if name == "stdout":
                self.lines.put(line)
        if name == "stdout":
            self.lines.put(None)

    def ready(self):
        """The URL of the ready line."""
        while (line := self.lines.get(timeout=TIMEOUT)) is not None:
            if found := re.fullmatch(r"ready (https://\S+)\n", line):
                return found[1]
        raise AssertionError(f"ended before it was ready: {self.text()}")

    def text(self):
        return "".join(self.output["stdout"] + self.output["stderr"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(TIMEOUT)
        for reader in self.readers:
            reader.join(TIMEOUT)


def served_certificate(server):
    pem = ssl.get_server_certificate((server.host, server.port))
    return x509.load_pem_x509_certificate(pem.encode())


class Login:
    """What rest_client needs to know of a server."""

    def __init__(self, url, data_dir, user, password):
        self.url, self.user, self.password = url, user, password
        (self.ca_file,) = (path for path in (data_dir / "tls").iterdir() if "BEGIN CERTIFICATE" in path.read_text())


# --- starting -------------------------------------------------------------------------------------------------------


def test_ready_line(server):
    lines = server.stdout().splitlines()
    assert [line for line in lines if line.startswith("ready ")] == [f"ready https://127.0.0.1:{server.port}"]
    assert server.password not in server.log()
    NewRest(server).log_in()


def test_data_folder_is_made(server):
    assert (server.data_dir / "catalog.sqlite").is_file()
    assert (server.data_dir / "blobs").is_dir() and (server.data_dir / "tls").is_dir()
    keys = [path for path in (server.data_dir / "tls").iterdir() if "PRIVATE KEY" in path.read_text()]
    assert keys
    for key in keys:
        assert stat.S_IMODE(key.stat().st_mode) & 0o077 == 0, f"{key} can be read by others"
    assert stat.S_IMODE(server.data_dir.stat().st_mode) & 0o007 == 0, "others can read the catalog"


def test_own_certificate(server):
    certificate = served_certificate(server)
    assert isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
    assert certificate.public_key().curve.name == "secp256r1"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert ipaddress.ip_address("127.0.0.1") in names.get_values_for_type(x509.IPAddress)
    assert certificate.not_valid_before_utc <= datetime.datetime.now(datetime.UTC) < certificate.not_valid_after_utc
    server.restart()
    assert served_certificate(server) == certificate


def test_tls_versions(server):
    for version, wanted in ((ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
        context = server.ssl_context()
        context.minimum_version = context.maximum_version = version
        with socket.create_connection((server.host, server.port), timeout=TIMEOUT) as plain:
            with context.wrap_socket(plain, server_hostname=server.host) as secure:
                assert bool(secure.version()) == wanted


def test_second_server_on_the_same_data_refuses(server):
    second = run_quire("serve", "--data", server.data_dir, "--listen", "127.0.0.1:0")
    assert second.returncode not in (0, -signal.SIGSEGV, -signal.SIGABRT), second
    complaint = second.stdout + second.stderr
    assert str(server.data_dir) in complaint, complaint
    assert "ready" not in second.stdout
    assert re.search(r"another|in use|already|running|locked", complaint), complaint
    assert LegacyRest(server).log_in().ok("library.list") == []


def test_start_after_kill(server):
    """The lock on the data folder dies with the process."""
    server.kill()
    server.start()
    assert LegacyRest(server).log_in().ok("library.list") == []


@pytest.mark.parametrize(
    "arguments, named",
    [
        (["serve"], "--data"),
        (["serve", "--data", "DATA", "--listen", "127.0.0.1"], "listen"),
        (["serve", "--data", "DATA", "--listen", "127.0.0.1:99999"], "listen"),
        (["serve", "--data", "DATA", "--listen", "127.0.0.1:0", "--admin-password-file", "DATA/none"], "DATA/none"),
        (
            ["serve", "--data", "DATA", "--listen", "127.0.0.1:0", "--update-session-timeout", "soon"],
            "update-session-timeout",
        ),
        (["serve", "--data", "DATA", "--listen", "127.0.0.1:0", "--config", "DATA/none.toml"], "none.toml"),
        (["serve", "--data", "/proc/quire", "--listen", "127.0.0.1:0"], "/proc/quire"),
        (["serve", "--colour", "red"], "colour"),
        (["dance"], "no command 'dance'"),
        ([], ""),
    ],
)
def test_start_that_cannot_be(tmp_path, arguments, named):
    """A message that names what is wrong, and no crash."""
    data = str(tmp_path / "data")
    outcome = run_quire(*(argument.replace("DATA", data) for argument in arguments))
    complaint = outcome.stdout + outcome.stderr
    assert outcome.returncode > 0, complaint
    assert named.replace("DATA", data) in complaint, complaint
    assert "terminate called" not in complaint


def test_port_in_use(server, tmp_path):
    outcome = run_quire(
        "serve", "--data", tmp_path / "other", "--listen", server.authority, QUIRE_ADMIN_PASSWORD="pw-12345678"
    )
    assert outcome.returncode > 0
    assert str(server.port) in outcome.stderr + outcome.stdout, outcome


# --- the first password ---------------------------------------------------------------------------------------------


def test_password_from_file_is_for_the_first_start(server):
    LegacyRest(server).log_in()
    first, server.password = server.password, "pw-another-one"
    server.restart()
    server.password = first
    LegacyRest(server).log_in()


def test_password_from_environment(tmp_path):
    data = tmp_path / "data"
    with Serving("--data", data, "--listen", "127.0.0.1:0", QUIRE_ADMIN_PASSWORD="pw-from-environment") as serving:
        url = serving.ready()
        NewRest(Login(url, data, ADMINISTRATOR, "pw-from-environment")).log_in()
    assert "pw-from-environment" not in serving.text()


def test_generated_password_is_shown_once(tmp_path):
    data = tmp_path / "data"
    with Serving("--data", data, "--listen", "127.0.0.1:0") as serving:
        url = serving.ready()
        # Any word of the output may be it; one must be.
        words = {word.strip("'\"`.,;()") for word in serving.text().split()} | set(
            re.findall(r"[^\s:='\"]{12,}", serving.text())
        )
        good = [
            word
            for word in words
            if len(word) >= 12
            and not word.startswith(("https://", str(data)))
            and _logs_in(Login(url, data, ADMINISTRATOR, word))
        ]
        assert len(good) == 1, serving.text()
        serving.process.send_signal(signal.SIGTERM)
        assert serving.process.wait(TIMEOUT) == 0
    assert good[0] in serving.text()
    for path in data.rglob("*"):
        assert not path.is_file() or good[0].encode() not in path.read_bytes(), f"{path} holds the password"
    with Serving("--data", data, "--listen", "127.0.0.1:0") as serving:
        NewRest(Login(serving.ready(), data, ADMINISTRATOR, good[0])).log_in()
    assert good[0] not in serving.text()


def _logs_in(login):
    try:
        NewRest(login).log_in()
    except AssertionError:
        return False
    return True


# --- settings -------------------------------------------------------------------------------------------------------


def test_printed_defaults_are_a_config(tmp_path):
    printed = run_quire("config", "--print-defaults")
    assert printed.returncode == 0, printed
    settings = tomllib.loads(printed.stdout)
    assert settings, printed.stdout
    assert "#" in printed.stdout, "no word on what the settings mean"
    config = tmp_path / "quire.toml"
    config.write_text(printed.stdout)
    data = tmp_path / "data"
    with Serving(
        "--config", config, "--data", data, "--listen", "127.0.0.1:0", QUIRE_ADMIN_PASSWORD="pw-12345678"
    ) as serving:
        serving.ready()


def test_every_setting_is_a_flag():
    printed = run_quire("config", "--print-defaults").stdout
    flags = run_quire("serve", "--help")
    assert flags.returncode == 0
    keys = set(tomllib.loads(printed))
    assert {"data", "listen", "update_session_timeout"} <= keys, printed
    missing = [key for key in sorted(keys) if "--" + key.replace("_", "-") not in flags.stdout]
    assert not missing, f"no flag for {missing}\n{flags.stdout}"


def test_config_file_and_flags(tmp_path):
    """The file counts; a flag counts more."""
    data, config = tmp_path / "data", tmp_path / "quire.toml"
    config.write_text(f'data = "{data}"\nlisten = "127.0.0.1:0"\nupdate_session_timeout = "90s"\n')
    with Serving("--config", config, "--update-session-timeout", "2m", QUIRE_ADMIN_PASSWORD="pw-12345678") as serving:
        binding = NewRest(Login(serving.ready(), data, ADMINISTRATOR, "pw-12345678")).log_in()
        item = binding.ok("item.create", create_spec={"name": "i", "library_id": create_library(binding)})
        before = datetime.datetime.now(datetime.UTC)
        session = binding.ok("update_session.create", create_spec={"library_item_id": item})
        expires = binding.ok("update_session.get", update_session_id=session)["expiration_time"]
        left = datetime.datetime.fromisoformat(expires) - before
        assert 119 <= left.total_seconds() <= 150, expires


@pytest.mark.parametrize(
    "text, named",
    [
        ("data = true\n", "data"),
        ("colour = 'red'\n", "colour"),
        ("data = \n", "quire.toml"),
        ("update_session_timeout = 'soon'\n", "update_session_timeout"),
    ],
)
def test_config_that_is_wrong(tmp_path, text, named):
    config = tmp_path / "quire.toml"
    config.write_text(text)
    outcome = run_quire("serve", "--config", config, "--data", tmp_path / "data", "--listen", "127.0.0.1:0")
    assert outcome.returncode > 0
    assert named in outcome.stderr + outcome.stdout, outcome


def test_public_url(tmp_path):
    server = QuireServer(tmp_path / "server", flags=["--public-url", "https://images.example:8443"]).start()
    try:
        binding = LegacyRest(server).log_in()
        item = binding.ok("item.create", create_spec={"name": "i", "library_id": create_library(binding)})
        session = binding.ok("update_session.create", create_spec={"library_item_id": item})
        info = binding.ok(
            "update_session.file.add", update_session_id=session, file_spec={"name": "a b.iso", "source_type": "PUSH"}
        )
        uri = info["upload_endpoint"]["uri"]
        assert uri.startswith("https://images.example:8443/") and uri.endswith("a%20b.iso"), uri
    finally:
        server.stop()


def test_forwarded_fields_are_not_looked_at(server):
    """Any client can send them; behind a proxy --public-url says what clients see."""
    binding = LegacyRest(server).log_in()
    binding.http.headers.update({"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example", "Forwarded": "proto=http"})
    item = binding.ok("item.create", create_spec={"name": "i", "library_id": create_library(binding)})
    session = binding.ok("update_session.create", create_spec={"library_item_id": item})
    info = binding.ok(
        "update_session.file.add", update_session_id=session, file_spec={"name": "a.iso", "source_type": "PUSH"}
    )
    assert info["upload_endpoint"]["uri"].startswith(f"https://{server.authority}/"), info


# --- stopping -------------------------------------------------------------------------------------------------------


def test_sigterm_with_nothing_to_do(server):
    connections = [RawConnection(server) for _ in range(5)]
    server.stop()
    for connection in connections:
        connection.socket.close()


def test_sigterm_lets_a_transfer_finish(server):
    """A transfer that runs when the signal comes gets a grace period; a new connection gets nothing."""
    binding, transfers = LegacyRest(server).log_in(), Transfers(server)
    library = create_library(binding)
    item = binding.ok("item.create", create_spec={"name": "i", "library_id": library})
    session = binding.ok("update_session.create", create_spec={"library_item_id": item})
    info = binding.ok(
        "update_session.file.add", update_session_id=session, file_spec={"name": "a", "source_type": "PUSH"}
    )
    with RawConnection(server) as connection:
        connection.send_head("PUT", path_of(info["upload_endpoint"]["uri"]), {"Content-Length": 100_000})
        connection.send(b"x" * 50_000)
        _until(
            lambda: (
                binding.ok("update_session.file.get", update_session_id=session, file_name="a")["status"]
                == "TRANSFERRING"
            )
        )
        server.process.send_signal(signal.SIGTERM)
        _until(lambda: not _accepts(server))
        connection.send(b"y" * 50_000)
        status, _, body = connection.response()
        assert status == 200, (status, body)
    assert server._wait() == 0
    server.start()
    binding = LegacyRest(server).log_in()
    binding.ok("update_session.complete", update_session_id=session)
    assert download_item(binding, transfers, item) == {"a": b"x" * 50_000 + b"y" * 50_000}


def _accepts(server):
    """Whether a new request is answered."""
    try:
        with socket.create_connection((server.host, server.port), timeout=5) as plain:
            with server.ssl_context().wrap_socket(plain, server_hostname=server.host) as secure:
                secure.sendall(b"GET /api/session HTTP/1.1\r\nHost: x\r\n\r\n")
                return bool(secure.recv(1))
    except OSError:
        return False


def _until(condition, timeout=TIMEOUT):
    end = datetime.datetime.now() + datetime.timedelta(seconds=timeout)
    while not condition():
        assert datetime.datetime.now() < end, "did not come true in time"


def test_sessions_go_on_after_a_restart(server):
    binding, transfers = LegacyRest(server).log_in(), Transfers(server)
    library = create_library(binding)
    kept = upload_item(binding, transfers, library, "kept", {"a": b"first"})
    session = binding.ok("update_session.create", create_spec={"library_item_id": kept})
    uris = {}
    for name in ("a", "b"):
        info = binding.ok(
            "update_session.file.add", update_session_id=session, file_spec={"name": name, "source_type": "PUSH"}
        )
        uris[name] = info["upload_endpoint"]["uri"]
    assert transfers.put(uris["a"], b"second").status_code == 200
    download = binding.ok("download_session.create", create_spec={"library_item_id": kept})
    info = binding.ok("download_session.file.prepare", download_session_id=download, file_name="a")

    server.restart()
    assert binding.call("session.get").ok, "the login ended with the restart"
    assert binding.ok("update_session.get", update_session_id=session)["state"] == "ACTIVE"
    assert transfers.get(info["download_endpoint"]["uri"]).content == b"first"
    assert transfers.put(uris["b"], b"late").status_code == 200
    binding.ok("update_session.complete", update_session_id=session)
    assert download_item(binding, transfers, kept) == {"a": b"second", "b": b"late"}
    assert transfers.get(info["download_endpoint"]["uri"]).content == b"first"


# --- the certificate ------------------------------------------------------------------------------------------------


def make_certificate(name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def tls_files(server):
    """(certificate, key) in the data folder."""
    files = list((server.data_dir / "tls").iterdir())
    (certificate,) = (path for path in files if "BEGIN CERTIFICATE" in path.read_text())
    (key,) = (path for path in files if "PRIVATE KEY" in path.read_text())
    return certificate, key


def test_sighup_reloads_the_certificate(server):
    old = served_certificate(server)
    certificate_file, key_file = tls_files(server)
    certificate, key = make_certificate("renewed")
    with RawConnection(server) as open_before:
        certificate_file.write_bytes(certificate)
        key_file.write_bytes(key)
        assert served_certificate(server) == old, "reloaded before SIGHUP"
        server.process.send_signal(signal.SIGHUP)
        _until(lambda: served_certificate(server) != old)
        assert served_certificate(server) == x509.load_pem_x509_certificate(certificate)
        open_before.send_head("GET", "/api/session", {})
        assert open_before.response()[0] == 401
    LegacyRest(server).log_in()


def test_sighup_with_a_broken_certificate_keeps_the_old_one(server):
    old = served_certificate(server)
    certificate_file, _ = tls_files(server)
    good = certificate_file.read_bytes()
    certificate_file.write_text("not a certificate")
    server.process.send_signal(signal.SIGHUP)
    _until(lambda: str(certificate_file) in server.log() or certificate_file.name in server.log())
    assert served_certificate(server) == old
    certificate_file.write_bytes(good)
