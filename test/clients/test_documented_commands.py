"""The commands of README.md and of the pages for operators, run as they stand there.

The info string of each block says what becomes of it:

  sh run     run, all blocks of a page in order in one shell; each command must succeed
  sh serve   a server, started and kept until the next one or the end of the page
  toml       settings: the program must take them
  others     not run; NOT_RUN says why, for each by its first line

A page is run on a *machine*: a folder with /etc/quire, /var/lib/quire and /srv in it, a program `quire` on the path, and
`systemctl`, `journalctl`, `sudo` and `install` that do there what the real ones do with the package's service.
"""

import os
import re
import shutil
import signal
import socket
import socketserver
import subprocess
import threading
import time
from dataclasses import dataclass

import pytest

from govc_client import program as govc_program
from ova_package import make_package
from push_session import PushSession
from quire_server import ADMINISTRATOR, REPOSITORY, binary
from rest_client import NewRest, Transfers, create_library, download_item, upload_item
from secret_watch import WATCH

OPERATING = REPOSITORY / "docs/operating"
FURTHER = ("README", "docs/users-and-roles", "docs/quotas", "docs/behind-a-proxy")
FILES = [REPOSITORY / f"{name}.md" for name in FURTHER] + sorted(OPERATING.glob("*.md"))
PAGES = {file.stem: file for file in FILES}
TIMEOUT = 300
CONTENT = b"a file on the storage " * 5000

BARE_ROOT = "tools/bare-root-test runs it on a bare machine"
PACKAGE = "needs a machine of its own: tools/package-test installs, upgrades and removes the package"
PODMAN = "needs podman"
UNIT = "a unit of systemd, which tests do not install"
POSTGRESQL = "needs a PostgreSQL of its own; test/suites runs the catalog on one"
NOT_RUN = {
    "README": {
        "make demo     # installs what it needs, builds, starts a server, carries an image in and out, leaves it running": BARE_ROOT,
        "make build": "built the program that runs here",
        "make package": PACKAGE,
    },
    "install": {
        "make package": PACKAGE,
        "make package # container": PODMAN,
        "make build": "built the program that runs here",
    },
    "configure": {
        "# sudo systemctl edit quire": UNIT,
        "# /etc/quire/s3-credentials": "needs an S3 service of its own; test_object_storage.py has one",
        "sudo -u postgres createuser quire": POSTGRESQL,
    },
    "tls": {
        'install -o root -g quire -m 644 "$RENEWED_LINEAGE/fullchain.pem" /etc/quire/certificate.pem': "needs an ACME authority; the "
        "same commands run above",
    },
    "backup-and-restore": {
        "# /etc/systemd/system/quire-backup.service": UNIT,
    },
    "upgrade": {
        "sudo apt-get install ./quire_*_amd64.deb": PACKAGE,
        "The catalog is brought from schema 16 to 20; it is kept as it was in /var/lib/quire/before-upgrade/catalog.sqlite.schema-16.":
            "what the log says; tools/package-test looks for it",
        "sudo apt-get install --allow-downgrades ./quire_OLDER_amd64.deb": PACKAGE,
    },
}
# What the program may not have yet, because it is made on other branches: a block with it is left out, and the test says so.
AWAITED_COMMANDS = set()
AWAITED_SETTINGS = set()


@dataclass
class Block:
    page: str
    line: int
    info: str
    text: str

    @property
    def place(self):
        return f"{PAGES[self.page].relative_to(REPOSITORY)}:{self.line}"

    @property
    def first_line(self):
        return self.text.partition("\n")[0]


def blocks_of(page):
    found, block = [], None
    for number, line in enumerate(PAGES[page].read_text(encoding="utf-8").splitlines(), 1):
        if block is not None and line == "```":
            found.append(block)
            block = None
        elif block is not None:
            block.text += line + "\n"
        elif line.startswith("```"):
            block = Block(page, number, line.removeprefix("```"), "")
    assert block is None, f"{page}: the block at line {block.line} does not end"
    return found


def help_of(*words):
    return subprocess.run([binary(), *words], capture_output=True, text=True, timeout=TIMEOUT, check=True).stdout


def lacks(block):
    """What other branches bring and the block needs; empty when it can run."""
    commands = set(re.findall(r"^  ([a-z]+) ", help_of("--help"), re.MULTILINE))
    used = set(re.findall(r"\bquire (?=([a-z]+)\b)", block.text.replace("sudo -u quire ", "")))
    settings = set(re.findall(r"^#? ?([a-z_]+) =", help_of("config", "--print-defaults"), re.MULTILINE))
    named = set(re.findall(r"^([a-z_]+) =", block.text, re.MULTILINE))
    return sorted((used & AWAITED_COMMANDS) - commands | (named & AWAITED_SETTINGS) - settings)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


SUDO = """#!/bin/sh
[ "$1" != -u ] || shift 2
exec "$@"
"""
# Owners and groups are those of the package's user, whom a machine for tests does not have.
INSTALL = """#!/bin/bash
words=()
while (($#)); do
  case $1 in -o | -g) shift ;; *) words+=("$1") ;; esac
  shift
done
exec /usr/bin/install "${words[@]}"
"""
JOURNAL = """#!/bin/sh
exec cat "$QUIRE_LOG"
"""
# One line of request, one of exit code, then text.
CONTROL = """#!/bin/bash
exec 3<>"/dev/tcp/127.0.0.1/$QUIRE_CONTROL"
printf '%s\\n' "$*" >&3
read -r code <&3
cat <&3
exit "$code"
"""


class Machine:
    """See above. It has what `NewRest` wants of a server."""

    user = ADMINISTRATOR

    def __init__(self, folder):
        self.folder = folder
        self.port, self.monitoring_port = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.password = "pw-" + os.urandom(9).hex()
        self.work = folder / "work"
        self.data_dir = folder / "var/lib/quire"
        self.settings_file = folder / "etc/quire/quire.toml"
        self.log_file = folder / "quire.log"
        self.audit_file = None
        self.process = None
        self.before = ""  # what the shell does before the page
        self.commands = {}  # of the servers that the page starts
        for name in ("work", "home", "bin", "srv", "etc/quire", "var/lib/quire"):
            (folder / name).mkdir(parents=True)
        self.log_file.touch()
        (folder / "bin/quire").symlink_to(binary())
        (folder / "bin/govc").symlink_to(govc_program())
        for name, text in (("sudo", SUDO), ("install", INSTALL), ("journalctl", JOURNAL), ("systemctl", CONTROL)):
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)
        WATCH.add(self.password, "the administrator's password")

    @property
    def ca_file(self):
        return self.data_dir / "tls/certificate.pem"

    def here(self, text):
        """The text with this machine's places, ports and password."""
        text = text.replace("build/clang/src/main/quire", "quire")
        text = text.replace("BLOB=…", f"BLOB=$(ls {self.data_dir}/blobs/* | grep -m 1 -E '^[0-9a-f-]{{30,}}$')")
        text = text.replace("…", self.password).replace("0.0.0.0:", "127.0.0.1:")
        text = text.replace(":8443", f":{self.port}").replace(":9480", f":{self.monitoring_port}")
        for place in ("/etc/quire", "/var/lib/quire", "/srv/"):
            text = re.sub(rf"(?<![\w./]){re.escape(place)}", str(self.folder) + place, text)
        return text

    def environment(self):
        return {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "QUIRE_LOG": str(self.log_file),
        }

    # --- the service ---

    def start(self, command=None):
        """The package's service, or another command that serves; returns when it is ready."""
        assert self.process is None, "it runs already"
        command = command or f"quire serve --config {self.settings_file}"
        generated = "--config" in command
        environment = self.environment() if generated else {**self.environment(), "QUIRE_ADMIN_PASSWORD": self.password}
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", "exec " + command], cwd=self.work, env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=log, text=True,
            )
        for line in self.process.stdout:
            if line.startswith("ready https://"):
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                break
        else:
            code, self.process = self.process.wait(TIMEOUT), None
            raise AssertionError(f"the server ended with {code}\n{self.log_file.read_text()}")
        password_file = self.data_dir / "administrator-password"
        if generated and password_file.exists():
            self.password = password_file.read_text().strip()
            WATCH.add(self.password, "the administrator's password")

    def stop(self):
        if self.process is None:
            return
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        code = process.wait(TIMEOUT)
        assert code == 0, f"the server ended with {code} on SIGTERM\n{self.log_file.read_text()}"
        WATCH.look_at(self)

    def reload(self):
        size = self.log_file.stat().st_size
        self.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + TIMEOUT
        while self.log_file.stat().st_size == size and time.monotonic() < end:
            time.sleep(0.02)  # the log tells when it is done

    def control(self, words):
        """What `systemctl WORDS` does: exit code and text."""
        verb, *rest = words
        try:
            if verb == "serve":
                self.stop()
                self.start(self.commands[rest[0]])
            elif rest != ["quire"]:
                return 5, f"there is no unit {rest}"
            elif verb == "status":
                return (0, "active") if self.process else (3, "inactive")
            elif verb in ("start", "stop", "reload"):
                getattr(self, verb)()
            elif verb == "restart":
                self.stop()
                self.start()
            else:
                return 1, f"there is no verb {verb}"
        except AssertionError as error:
            return 1, str(error)
        return 0, ""

    # --- the page ---

    def run(self, blocks):
        """All of them in one shell."""
        place = self.folder / "place"
        script = ["set -euo pipefail", self.here(self.before)]
        place.write_text("what is done before the page")
        for number, block in enumerate(blocks):
            script.append(f"echo '{block.place}' >'{place}'")
            if block.info == "sh serve":
                self.commands[str(number)] = self.here(block.text.strip())
                script.append(f"systemctl serve {number}")
            else:
                script.append(self.here(block.text))
        machine = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                code, text = machine.control(self.rfile.readline().decode().split())
                self.wfile.write(f"{code}\n{text}\n".encode())

        with socketserver.TCPServer(("127.0.0.1", 0), Handler) as control:
            threading.Thread(target=control.serve_forever, daemon=True).start()
            environment = {**self.environment(), "QUIRE_CONTROL": str(control.server_address[1])}
            try:
                done = subprocess.run(
                    ["bash", "-c", "\n".join(script)], cwd=self.work, env=environment, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT,
                )
            finally:
                control.shutdown()
        assert done.returncode == 0, (
            f"the block at {place.read_text().strip()} ended with {done.returncode}\n{done.stdout}\n"
            f"--- server\n{self.log_file.read_text()[-4000:]}"
        )


@pytest.fixture
def machine(tmp_path):
    one = Machine(tmp_path / "machine")
    yield one
    one.stop()


def install_service(machine):
    """What installing the package and `systemctl start` do."""
    settings = REPOSITORY / "debian/quire.toml"
    if not settings.exists():
        pytest.skip("the package's settings, debian/quire.toml, are not there yet")
    machine.settings_file.write_text(machine.here(settings.read_text()))
    machine.start()


def fill(machine):
    rest = NewRest(machine).log_in()
    return upload_item(rest, Transfers(machine), create_library(rest), "boot", {"boot.iso": CONTENT})


def prepare_readme(machine):
    make_package(machine.work / "package", "ubuntu", [1 << 20], seed=1).pack(machine.work / "ubuntu.ova")
    (machine.work / "boot.iso").write_bytes(b"boot" * 100_000)


def check_readme(machine):
    """What the tours carried in is there, and what they carried out is what went in."""
    package = machine.work / "package"
    for folder in [path for path in (machine.work / "out", machine.work / "jammy") if path.exists()]:
        came_back = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert came_back.get("ubuntu.ovf") == (package / "ubuntu.ovf").read_bytes(), sorted(came_back)
    machine.data_dir = machine.work / "quire-data"
    rest = NewRest(machine).log_in()
    [library] = rest.ok("library.find", spec={"name": "isos"})
    [item] = rest.ok("item.list", library_id=library)
    assert download_item(rest, Transfers(machine), item) == {"boot.iso": (machine.work / "boot.iso").read_bytes()}


def check_public_url(machine):
    machine.data_dir = machine.work / "quire-data"
    rest = NewRest(machine).log_in()
    session = PushSession(rest, create_library(rest))
    assert session.add("boot.iso").startswith("https://images.example/")


def prepare_rest(machine):
    """A server, and in the shell what the README's tours leave there."""
    machine.start(machine.here("quire serve --data /var/lib/quire --listen 127.0.0.1:8443"))
    machine.before = f"""
B=https://127.0.0.1:8443 ; C="curl -sS --fail-with-body --cacert {machine.ca_file} -H Content-Type:application/json"
T=$($C -u {ADMINISTRATOR}:… -X POST $B/api/session | jq -r .)
C="$C -H vmware-api-session-id:$T"
L=$($C $B/api/content/local-library -d '{{"name":"images"}}' | jq -r .)
export GOVC_URL=$B GOVC_USERNAME={ADMINISTRATOR} GOVC_PASSWORD='…' GOVC_TLS_CA_CERTS={machine.ca_file}
"""


def prepare_contents(machine):
    install_service(machine)
    fill(machine)


def prepare_upgrade(machine):
    """With the copy that an upgrade leaves; here it is of the same schema."""
    prepare_contents(machine)
    machine.stop()
    (machine.data_dir / "before-upgrade").mkdir()
    shutil.copy(machine.data_dir / "catalog.sqlite", machine.data_dir / "before-upgrade/catalog.sqlite.schema-16")
    machine.start()


def check_starts_again(machine):
    if machine.process is None:
        machine.start()
    rest = NewRest(machine).log_in()
    [library] = rest.ok("local_library.list")
    [item] = rest.ok("item.list", library_id=library)
    assert download_item(rest, Transfers(machine), item) == {"boot.iso": CONTENT}


PREPARE = {
    "behind-a-proxy": lambda machine: None,
    "README": prepare_readme,
    "backup-and-restore": prepare_contents,
    "upgrade": prepare_upgrade,
    "users-and-roles": prepare_rest,
    "quotas": prepare_rest,
}
CHECK = {
    "behind-a-proxy": check_public_url,
    "README": check_readme,
    "backup-and-restore": check_starts_again,
    "upgrade": check_starts_again,
}


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_run_or_has_a_reason(page):
    reasons = dict(NOT_RUN.get(page, {}))
    for block in blocks_of(page):
        if block.info in ("sh run", "sh serve", "toml"):
            continue
        assert block.info in ("sh", "ini", "text"), f"{block.place}: say what becomes of this block: '{block.info}'"
        assert reasons.pop(reason_key(block), None), f"{block.place}: run it ('sh run'), or say in NOT_RUN why not"
    assert not reasons, f"NOT_RUN has blocks that {page} has not: {list(reasons)}"


def reason_key(block):
    """The first line; of two blocks that begin alike the one for containers has a name of its own."""
    return block.first_line + (" # container" if "podman" in block.text else "")


@pytest.mark.parametrize("page", PAGES)
def test_commands(page, machine):
    blocks = [block for block in blocks_of(page) if block.info in ("sh run", "sh serve")]
    left_out = {block.place: lacks(block) for block in blocks if lacks(block)}
    PREPARE.get(page, install_service)(machine)
    machine.run([block for block in blocks if block.place not in left_out])
    CHECK.get(page, lambda _: None)(machine)
    if left_out:
        pytest.skip(f"passed but for what this program does not have yet: {left_out}")


@pytest.mark.parametrize("block", [block for page in PAGES for block in blocks_of(page) if block.info == "toml"],
                         ids=lambda block: block.place)
def test_settings_are_taken(block, tmp_path):
    if lacks(block):
        pytest.skip(f"this program does not have yet: {lacks(block)}")
    file = tmp_path / "quire.toml"
    file.write_text(block.text)
    # An empty data folder is refused after all settings were read, and before anything is made.
    read = subprocess.run([binary(), "serve", "--config", file, "--data", ""], capture_output=True, text=True, timeout=TIMEOUT)
    assert read.returncode == 1 and "The data folder is missing" in read.stderr, read.stderr


def sources(*patterns):
    """The texts of sources, with literals that go over several lines put together."""
    paths = [path for pattern in patterns for path in REPOSITORY.glob(pattern) if not path.name.endswith("_test.cpp")]
    return re.sub(r'"\s*\n\s*"', "", "\n".join(path.read_text(encoding="utf-8") for path in sorted(paths)))


def test_the_texts_of_troubleshooting_are_those_of_the_program():
    program = sources("src/**/*.cpp")
    page = PAGES["troubleshooting"].read_text(encoding="utf-8")
    quoted = [text for line in page.splitlines() if line.startswith("|") for text in re.findall("`([^`]+)`", line.split("|")[1])]
    assert len(quoted) > 30
    for text in quoted:
        parts = [re.escape(part) for part in text.strip("… ").split("…")]
        assert re.search(r"\{\w*\}".join(parts), program), f"no source says: {text}"


def test_every_finding_of_the_doctor_is_explained():
    program = sources("src/doctor/*.cpp", "src/adapters/sql/contradictions.cpp")
    if not program:
        pytest.skip("the doctor is not there yet")
    kinds = set(re.findall(r'\{"([a-z]+_[a-z_]+)", ', program)) | set(re.findall(r'\{"([a-z]+_[a-z_]+)",$', program, re.MULTILINE))
    kinds |= set(re.findall(r'Check damaged\{"([a-z_]+)"', program))
    page = PAGES["backup-and-restore"].read_text(encoding="utf-8")
    table = page[page.index("### What to do for each finding"):page.index("### Putting a blob back")]
    explained = {kind for line in table.splitlines() if line.startswith("|") for kind in re.findall("`([a-z_]+)`", line.split("|")[1])}
    assert kinds == explained, f"only in the program: {kinds - explained}; only on the page: {explained - kinds}"
