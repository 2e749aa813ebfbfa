"""quire support-bundle: what whoever helps needs, of a server that runs and of one that has stopped, and no secret."""

import io
import json
import secrets
import stat
import subprocess
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cli_client import Cli
from push_session import PushSession
from quire_server import QuireServer
from rest_client import NewRest, Transfers, create_library, upload_item
from secret_watch import DRAWN, WATCH
from test_monitoring import WatchedServer

ALWAYS = {"README.txt", "version.json", "settings.toml", "platform.json", "files.json", "catalog.json", "work.json", "doctor.json"}
PAGES = {"server/health.txt", "server/readiness.txt", "server/metrics.txt"}
ANSWERS = {"server/state.json", "server/workers.json"}
TIMEOUT = 60


class Bundle:
    """What a run wrote, and what it said."""

    def __init__(self, run, file):
        self.run = run
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with tarfile.open(file) as archive:
            for member in archive:
                assert member.isfile() and member.mode == 0o600, member.name
            self.texts = {name: archive.extractfile(name).read().decode() for name in archive.getnames()}
            assert archive.getnames()[0] == "README.txt"

    def json(self, name):
        return json.loads(self.texts[name])

    @property
    def names(self):
        return set(self.texts)

    def lacking(self):
        """What is not there → why."""
        return {line["what"]: line["why"] for line in self.run.objects() if line["type"] == "missing"}

    def check_no_secret(self, *more):
        everything = {**self.texts, "what it said": self.run.stdout + self.run.stderr}
        for place, text in everything.items():
            WATCH.look_at_text(f"support bundle's {place}", text)
            for secret in [*WATCH.known, *more]:
                assert secret not in text, f"{secret} is in {place}: {text[max(0, text.find(secret) - 200):][:400]}"
            found = DRAWN.search(text)
            assert not found, f"{found[0]}, which looks like a secret, is in {place}"


def make(cli, tmp_path, *flags, stdin=None):
    file = tmp_path / f"bundle-{secrets.token_hex(4)}.tar"
    run = cli.ok("support-bundle", file, "--json", *flags, stdin=stdin)
    listed = [line["name"] for line in run.objects() if line["type"] == "file"]
    assert run.objects()[0]["type"] == "file", "names come first"
    assert run.result["file"] == str(file) and run.result["bytes"] == file.stat().st_size
    bundle = Bundle(run, file)
    assert set(listed) == bundle.names - {"README.txt"}
    for name in listed:
        assert f"\n{name}: " in bundle.texts["README.txt"], "the archive says itself what is in it"
    return bundle


class Refusing(BaseHTTPRequestHandler):
    """Takes no webhook and gives no file."""

    def do_POST(self):  # noqa: N802
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(500)
        self.end_headers()

    def do_GET(self):  # noqa: N802
        self.send_response(403)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def refusing():
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


class Planted:
    """A server with a secret in every place where one may stand; `secrets` are those of this test alone."""

    def __init__(self, server, refusing, tmp_path):
        self.server = server
        self.secrets = {name: f"{name}-{secrets.token_urlsafe(12)}" for name in (
            "webhook-secret", "webhook-path", "webhook-query", "source-password", "source-query", "user-password", "log-password",
            "log-bearer", "log-cookie", "log-url", "log-query", "log-key", "environment", "generated")}  # fmt: skip
        s = self.secrets
        rest = NewRest(server).log_in()
        self.cli = Cli(tmp_path / "home", server.url, QUIRE_ADMIN_PASSWORD=s["environment"]).log_in(server.user, server.password)
        self.library = create_library(rest)
        self.item = upload_item(rest, Transfers(server), self.library, "image", {"disk.iso": b"x" * 100_000})
        download = rest.ok("download_session.create", create_spec={"library_item_id": self.item})
        rest.ok("download_session.file.prepare", download_session_id=download, file_name="disk.iso")
        self.waiting = PushSession(rest, self.library, "iso")
        self.upload_url = self.waiting.add("part.iso", size=1000)
        self.waiting.transfers.put(self.upload_url, b"x" * 10, headers={"Content-Range": "bytes 0-9/1000"})
        pulled = PushSession(rest, self.library, "iso")
        source = f"http://someone:{s['source-password']}@{refusing}/a.iso?sig={s['source-query']}"
        pulled.ok("file.add", file_spec={"name": "a.iso", "source_type": "PULL", "source_endpoint": {"uri": source}})
        self.pulled = pulled.session
        self._call(rest, "quire/access/users", {"name": "carol@vsphere.local", "password": s["user-password"]})
        self.token = self._call(rest, "quire/access/tokens", {"name": "pipeline"})["secret"]
        hook = f"http://{refusing}/services/{s['webhook-path']}?token={s['webhook-query']}"
        self.hook = self._call(rest, "quire/webhooks", {"url": hook, "secret": s["webhook-secret"], "kinds": ["library.created"]})
        create_library(rest, "untold")
        self.rest = rest
        self.wait_for_problems()
        self.log = tmp_path / "mixed.log"
        self.log.write_text(self.log_text())

    def _call(self, rest, path, body):
        answer = rest.http.post(f"{self.server.url}/api/{path}", json=body, headers={"vmware-api-session-id": rest.session_id})
        assert answer.ok, answer.text
        return answer.json() if answer.text else None

    def wait_for_problems(self):
        deadline = time.monotonic() + TIMEOUT
        def done():
            deliveries = self.rest.send("GET", f"/api/quire/webhooks/{self.hook}/deliveries").json()
            state = self.rest.ok("update_session.get", update_session_id=self.pulled)["state"]
            return deliveries and "problem" in deliveries[0] and state == "ERROR"
        while not done():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def log_text(self):
        s = self.secrets
        drawn = secrets.token_hex(16)
        WATCH.harmless.add(drawn)
        return f"""2026-11-28T20:00:00.000Z info  a line that helps
The password of administrator@vsphere.local is {s['generated']} (shown only this once)
GET {self.upload_url} 200
proxy: Authorization: Bearer {s['log-bearer']}
curl -u 'x' https://user:{s['log-url']}@host/path?key={s['log-query']}
Cookie: a={s['log-cookie']}; b=c
{{"message":"x","new_password":"{s['log-password']}","vmware-api-session-id":"{drawn}"}}
-----BEGIN PRIVATE KEY-----
{s['log-key']}
-----END PRIVATE KEY-----
the last line
"""


@pytest.fixture
def planted(tmp_path, refusing):
    password = "pg-" + secrets.token_urlsafe(12)
    generated = tmp_path / "generated"
    generated.write_text(password + "\n")
    server = WatchedServer(tmp_path / "server", flags=[
        "--listen-monitoring", "127.0.0.1:0", "--webhook-allow", "127.0.0.0/8", "--pull-allow", "127.0.0.0/8",
        "--pull-attempts", "1", "--generated-password-file", str(generated)]).start()  # fmt: skip
    planted = Planted(server, refusing, tmp_path)
    planted.secrets["generated file"] = password
    planted.places = ["--data", str(server.data_dir)]
    yield planted
    if server.process is not None:
        server.stop()


def test_of_a_server_that_runs(planted, tmp_path):
    server = planted.server
    config = tmp_path / "quire.toml"
    config.write_text(f'data = "{server.data_dir}"\nadmin_password_file = "{server.folder / "admin-password"}"\n'
                      f'generated_password_file = "{tmp_path / "generated"}"\npull_attempts = 7\n')
    bundle = make(planted.cli, tmp_path, "--config", config, "--monitoring", server.monitoring, "--log", planted.log,
                  "--log", server.log_file)
    assert bundle.names == ALWAYS | PAGES | ANSWERS | {"log/1-mixed.log", "log/2-server.log"}
    bundle.check_no_secret(*planted.secrets.values())
    assert set(bundle.lacking()) == {"the doctor's findings about the storages"}
    assert "in use" in bundle.lacking()["the doctor's findings about the storages"]

    assert bundle.json("server/state.json")["storages"][0]["name"] == "LocalDS_0"
    assert {worker["name"] for worker in bundle.json("server/workers.json")} >= {"pull 1", "webhooks 1", "scrub"}
    assert bundle.texts["server/readiness.txt"].startswith("ready")
    assert "quire_catalog_up 1" in bundle.texts["server/metrics.txt"]
    given, usual = bundle.texts["settings.toml"].split("# At their defaults:")
    assert "pull_attempts = 7" in given and str(server.data_dir) in given and "tasks_max" in usual
    assert bundle.json("catalog.json")["rows"]["items"] == 3
    assert bundle.json("catalog.json")["schema"] == bundle.json("catalog.json")["schema_of_this_program"]
    work = bundle.json("work.json")
    sessions = {session["session"]: session for session in work["update_sessions"]}
    assert sessions[planted.waiting.session]["state"] == "ACTIVE"
    assert sessions[planted.waiting.session]["files"][0]["bytes"] == 10
    assert sessions[planted.pulled]["state"] == "ERROR" and "403" in json.dumps(sessions[planted.pulled])
    assert work["download_sessions"][0]["item"] == planted.item
    assert work["webhooks"][0]["waiting"] == 1 and "500" in work["webhooks"][0]["last_problem"]
    platform = bundle.json("platform.json")
    assert platform["folders"][0]["bytes_available"] > 0 and platform["limits"]["open_files"]["soft"]
    assert "catalog.sqlite" in {file["name"] for file in bundle.json("files.json")}
    assert bundle.json("version.json")["sha256"]
    log = bundle.texts["log/1-mixed.log"]
    assert "a line that helps" in log and "the last line" in log and log.count("(removed)") >= 9
    assert "call com.vmware" in bundle.texts["log/2-server.log"]


def test_of_a_server_that_has_stopped(planted, tmp_path):
    server = planted.server
    server.kill()
    blob = next(path for path in (server.data_dir / "blobs").rglob("*") if path.is_file())
    blob.unlink()
    before = {path: path.stat().st_mtime_ns for path in server.data_dir.rglob("*") if "catalog.sqlite" not in path.name}
    bundle = make(planted.cli, tmp_path, *planted.places, "--log", server.log_file, "--monitoring", server.monitoring)
    assert bundle.names == ALWAYS | {"log/1-server.log"}
    bundle.check_no_secret(*planted.secrets.values())
    lacking = bundle.lacking()
    assert set(lacking) == {"the server's pages for monitoring", "the server's state and workers"}, lacking
    [finding] = bundle.json("doctor.json")["findings"]
    assert finding["kind"] == "blob_missing" and "disk.iso" in finding["object"]
    after = {path: path.stat().st_mtime_ns for path in server.data_dir.rglob("*") if "catalog.sqlite" not in path.name}
    assert {path for path in before if before[path] != after.get(path)} <= {server.data_dir / "lock"}, "it only looks"


def test_with_the_catalog_in_postgresql(postgresql, tmp_path):
    password = "pw-" + secrets.token_urlsafe(12)
    url = postgresql.new_database(password)
    server = QuireServer(tmp_path / "server", flags=["--catalog", url]).start()
    create_library(NewRest(server).log_in())
    cli = Cli(tmp_path / "home")
    flags = ["--data", str(server.data_dir), "--catalog", url]
    bundle = make(cli, tmp_path, *flags)
    assert bundle.json("catalog.json")["engine"].startswith("PostgreSQL") and bundle.json("catalog.json")["rows"]["libraries"] == 1
    assert "in use" in bundle.lacking()["the doctor's findings about the storages"]
    bundle.check_no_secret(password)
    server.stop()
    bundle = make(cli, tmp_path, *flags)
    assert bundle.json("doctor.json")["findings"] == []
    bundle.check_no_secret(password)
    unreachable = f"postgresql://quire:{password}@127.0.0.1:1/quire?password={password}x"
    bundle = make(cli, tmp_path, "--data", str(server.data_dir), "--catalog", unreachable)
    assert "cannot be reached" in bundle.lacking()["the catalog"]
    bundle.check_no_secret(password)


def test_of_a_remote_server_alone(server, tmp_path):
    cli = Cli(tmp_path / "home", server.url).log_in(server.user, server.password)
    bundle = make(cli, tmp_path)
    assert bundle.names == {"README.txt", "version.json", "settings.toml", "platform.json"} | PAGES | ANSWERS
    assert "--config" in bundle.lacking()["the catalog"]
    bundle.check_no_secret()


def test_nobody_is_signed_in_and_nothing_is_there(tmp_path):
    cli = Cli(tmp_path / "home")
    bundle = make(cli, tmp_path, "--data", tmp_path / "nothing", "--log", tmp_path / "nothing.log")
    lacking = bundle.lacking()
    assert "not the data folder" in lacking["the catalog"]
    assert "no server is named" in lacking["the server's state and workers"]
    assert "nobody is signed in" in lacking["the server's pages for monitoring"]
    assert "No such file" in lacking[f"the log {tmp_path / 'nothing.log'}"]
    assert not (tmp_path / "nothing").exists()


def test_a_catalog_of_another_version_is_told_and_left_alone(server, tmp_path):
    server.stop()
    subprocess.run(["sqlite3", server.data_dir / "catalog.sqlite", "DELETE FROM schema_migrations WHERE number > 5"], check=True)
    bundle = make(Cli(tmp_path / "home"), tmp_path, "--data", server.data_dir)
    assert bundle.json("catalog.json")["schema"] == 5
    assert "schema 5" in bundle.lacking()["sessions, tasks and the doctor's findings"]
    assert not (server.data_dir / "before-upgrade").exists()


def test_what_is_there_is_not_replaced(tmp_path):
    cli = Cli(tmp_path / "home")
    file = tmp_path / "there"
    file.write_text("mine")
    assert "is there already" in cli.fails(5, "support-bundle", file).stderr
    assert file.read_text() == "mine"
    cli.fails(1, "support-bundle", tmp_path / "no" / "folder.tar")
    cli.fails(2, "support-bundle", "--log-bytes", "many")
    said = cli.ok("support-bundle", cwd=tmp_path).stdout
    [made] = tmp_path.glob("quire-support-*Z.tar")
    assert said.splitlines()[0].startswith("version.json: ") and made.name in said.splitlines()[-1]


def test_the_end_of_a_long_log(tmp_path):
    cli = Cli(tmp_path / "home")
    text = io.StringIO()
    for number in range(20_000):
        print(f"line {number}", file=text)
    bundle = make(cli, tmp_path, "--log", "-", "--log-bytes", "1KiB", stdin=text.getvalue())
    log = bundle.texts["log/1-stdin"].splitlines()
    assert log[-1] == "line 19999" and log[0].startswith("line ") and len(log) < 120
