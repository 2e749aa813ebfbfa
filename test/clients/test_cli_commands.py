"""The command line apart from transfers: signing in, trust, exit codes, JSON, the manual, completion, and another server.
"""

import json
import os
import pty
import re
import select
import shutil
import stat
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cli_client import Cli, signed_in
from quire_server import REPOSITORY, QuireServer, binary

MIB = 1 << 20


@pytest.fixture(scope="module")
def cli(shared_server, tmp_path_factory):
    cli = signed_in(shared_server, tmp_path_factory.mktemp("cli"))
    cli.ok("libraries", "create", "images", "--description", "for tests")
    return cli


def rows(result, kind):
    return [line[kind] for line in result.objects() if line["type"] == kind]


def test_a_key_is_trusted_when_it_is_accepted(shared_server, tmp_path):
    cli = Cli(tmp_path / "home", shared_server.url)
    login = ("login", "--user", shared_server.user, "--password-stdin")
    password = shared_server.password + "\n"
    refused = cli.fails(4, *login, stdin=password)
    key = re.search(r"SHA256:[\w+/]+=", refused.stderr)[0]
    cli.fails(4, *login, "--accept-key", "SHA256:" + "A" * 43 + "=", stdin=password)
    cli.ok(*login, "--accept-key", key, stdin=password)
    cli.ok("libraries")
    known = tmp_path / "home" / "config" / "quire" / "known-servers"
    assert f"{shared_server.authority} {key}" in known.read_text()
    known.write_text(f"{shared_server.authority} SHA256:{'B' * 43}=\n")
    changed = cli.fails(4, "libraries")
    assert "not the one that was accepted" in changed.stderr


def test_roots_of_the_system_count(shared_server, tmp_path):
    cli = Cli(tmp_path / "home", shared_server.url, SSL_CERT_FILE=str(shared_server.ca_file))
    cli.ok("login", "--user", shared_server.user, "--password-stdin", stdin=shared_server.password + "\n")
    assert not (tmp_path / "home" / "config" / "quire" / "known-servers").exists()


def test_a_person_is_asked(shared_server, tmp_path):
    cli = Cli(tmp_path / "home", shared_server.url)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(binary(), cli.command("login", "--user", shared_server.user), cli.environment)
    said = b""
    answers = [(b"(yes/no)", b"yes\n"), (b"Password of", shared_server.password.encode() + b"\n")]
    while answers:
        said += os.read(terminal, 4096)
        if answers[0][0] in said:
            os.write(terminal, answers.pop(0)[1])
    try:
        while part := os.read(terminal, 4096):
            said += part
    except OSError:
        pass  # the other side has closed
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, said
    assert shared_server.password.encode() not in said, "a password is not shown"
    cli.ok("libraries")


def test_credentials_are_private(shared_server, tmp_path):
    cli = signed_in(shared_server, tmp_path / "home")
    file = tmp_path / "home" / "config" / "quire" / "credentials.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert shared_server.password not in file.read_text()
    file.chmod(0o644)
    assert "chmod 600" in cli.fails(1, "libraries").stderr
    file.chmod(0o600)
    token = json.loads(file.read_text())["servers"][shared_server.url]["token"]
    cli.ok("logout")
    assert token not in file.read_text()
    cli.fails(4, "libraries")
    cli.environment["QUIRE_TOKEN"] = token
    cli.fails(4, "libraries")  # the session has ended on the server too


def test_api_tokens(cli, shared_server, tmp_path):
    created = cli.ok("tokens", "create", "pipeline", "--library", "images", "--json").result
    pipeline = Cli(tmp_path / "home", shared_server.url, QUIRE_TOKEN=created["secret"])
    pipeline.environment["SSL_CERT_FILE"] = str(shared_server.ca_file)
    assert [library["name"] for library in rows(pipeline.ok("libraries", "--json"), "library")] == ["images"]
    pipeline.fails(4, "libraries", "create", "more")
    del pipeline.environment["QUIRE_TOKEN"]
    pipeline.ok("login", "--token-stdin", stdin=created["secret"] + "\n")
    pipeline.ok("items", "images")
    assert "pipeline" in cli.ok("tokens").stdout
    cli.ok("tokens", "delete", created["token"])
    pipeline.fails(4, "items", "images")


def test_exit_codes(cli, tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"a")
    cli.fails(2, "push")
    cli.fails(2, "push", file)
    cli.fails(2, "push", file, "no-slash")
    cli.fails(2, "libraries", "--wrong")
    assert "is 'push' meant?" in cli.fails(2, "psuh").stderr
    cli.fails(3, "push", tmp_path / "nothing", "images/a")
    cli.fails(3, "push", file, "nothing/a")
    cli.fails(3, "pull", "images/nothing")
    cli.fails(3, "rm", "images/nothing")
    cli.fails(4, "login", "--user", "nobody@vsphere.local", "--password-stdin", stdin="wrong\n")
    Cli(tmp_path / "home", "http://127.0.0.1:1", QUIRE_TOKEN="x").fails(6, "libraries")
    failed = cli.fails(3, "items", "nothing", "--json").result
    assert failed["status"] == "failed" and failed["error"]["kind"] == "not_found"


def test_items_are_copied_and_removed(cli, tmp_path):
    file = tmp_path / "a.img"
    file.write_bytes(os.urandom(MIB))
    cli.ok("push", file, "images/a")
    cli.ok("cp", "images/a", "images/b")
    assert {item["name"] for item in rows(cli.ok("items", "images", "--json"), "item")} == {"a", "b"}
    cli.ok("pull", "images/b", tmp_path / "b.img")
    assert (tmp_path / "b.img").read_bytes() == file.read_bytes()
    cli.ok("rm", "images/a", "images/b")
    assert rows(cli.ok("items", "images", "--json"), "item") == []
    cli.ok("libraries", "create", "short-lived")
    cli.fails(2, "rm", "short-lived")
    cli.ok("rm", "--library", "short-lived")
    cli.fails(3, "items", "short-lived")


def test_users_and_roles(cli, shared_server, tmp_path):
    cli.ok("users", "create", "carol@vsphere.local", "--password-stdin", stdin="correct horse\n")
    cli.ok("roles", "create", "Downloader", "ContentLibrary.DownloadSession")
    carol = Cli(tmp_path / "home", shared_server.url, SSL_CERT_FILE=str(shared_server.ca_file))
    carol.ok("login", "--user", "carol@vsphere.local", "--password-stdin", stdin="correct horse\n")
    assert rows(carol.ok("libraries", "--json"), "library") == []
    cli.ok("roles", "grant", "Downloader", "carol@vsphere.local", "--library", "images")
    assert [library["name"] for library in rows(carol.ok("libraries", "--json"), "library")] == ["images"]
    assert "carol" in cli.ok("roles", "granted", "--library", "images").stdout
    carol.fails(4, "libraries", "create", "hers")
    carol.fails(4, "rm", "--library", "images")
    assert "carol@vsphere.local" in cli.ok("audit", "--refused").stdout
    entries = rows(cli.ok("audit", "--user", "carol@vsphere.local", "--limit", "3", "--json"), "audit_entry")
    assert 0 < len(entries) <= 3
    cli.ok("users", "set-password", "carol@vsphere.local", "--password-stdin", stdin="another phrase\n")
    carol.fails(4, "libraries")
    cli.ok("users", "disable", "carol@vsphere.local")
    carol.fails(4, "login", "--user", "carol@vsphere.local", "--password-stdin", stdin="another phrase\n")
    cli.ok("users", "enable", "carol@vsphere.local")
    cli.ok("roles", "revoke", "carol@vsphere.local", "--library", "images")
    cli.ok("roles", "delete", "Downloader")
    cli.ok("users", "delete", "carol@vsphere.local")
    assert "carol" not in cli.ok("users").stdout


def test_sessions_and_tasks(cli, legacy):
    library = rows(cli.ok("libraries", "--json"), "library")[0]["id"]
    item = legacy.ok("item.create", create_spec={"library_id": library, "name": "held", "type": ""})
    session = legacy.ok("update_session.create", create_spec={"library_item_id": item})
    (listed,) = rows(cli.ok("sessions", "--json"), "session")
    assert (listed["id"], listed["kind"], listed["item"]) == (session, "update", "images/held")
    cli.ok("sessions", "cancel", session)
    assert legacy.ok("update_session.get", update_session_id=session)["state"] == "CANCELED"
    cli.fails(3, "sessions", "cancel", "nothing")
    cli.ok("tasks")
    cli.fails(3, "tasks", "nothing:com.vmware.cis")
    cli.ok("rm", "images/held")


def test_names_cannot_play_with_the_terminal(cli):
    cli.ok("libraries", "create", "images-2", "--description", "\x1b[31mred")
    assert "\x1b" not in cli.ok("libraries").stdout
    cli.ok("rm", "--library", "images-2")


def test_every_command_has_a_page_and_help(cli, tmp_path):
    cli.ok("man", "--folder", tmp_path / "man")
    pages = sorted((tmp_path / "man").iterdir())
    assert {"quire.1", "quire-push.1", "quire-users-create.1"} <= {page.name for page in pages}
    for page in pages:
        text = page.read_text()
        assert ".SH EXIT STATUS" in text
        if page.stem != "quire":  # words of a command can hold a hyphen too, so they are read where they stand apart
            words = re.search(r"^\.B quire (.*)$", text, re.M)[1].replace("\\-", "-").split()
            help_text = cli.ok(*words, "--help").stdout
            for option in re.findall(r"\\fB\\-\\-([\w\\-]+)\\fR", text):
                assert "--" + option.replace("\\", "") in help_text
    if shutil.which("man"):
        shown = subprocess.run(["man", "-l", "--warnings", tmp_path / "man" / "quire-push.1"], capture_output=True, text=True,
                               env={**os.environ, "MANPAGER": "cat", "LC_ALL": "C.UTF-8"}, check=True)
        assert "LIBRARY/ITEM" in shown.stdout and "warning" not in shown.stderr, shown.stderr


def completions(cli, *words):
    return cli.ok("__complete", *words).stdout.splitlines()


def test_completion_knows_commands_options_and_names(cli, tmp_path):
    file = tmp_path / "a.img"
    file.write_bytes(b"a")
    cli.ok("push", file, "images/first item")
    assert completions(cli, "pu") == ["publication", "publish", "pull", "push"]
    assert completions(cli, "users", "set") == ["set-password"]
    assert "--create-library" in completions(cli, "push", "--c")
    assert completions(cli, "completion", "z") == ["zsh"]
    assert completions(cli, "items", "im") == ["images"]
    assert completions(cli, "pull", "im") == ["images/"]
    assert completions(cli, "pull", "images/f") == ["images/first item"]
    assert completions(cli, "push", "") == [":files"]
    assert completions(cli, "push", str(file), "images/f") == [":files", "images/first item"]
    nobody = Cli(tmp_path / "home")
    assert completions(nobody, "pull", "im") == []
    cli.ok("rm", "images/first item")


def shell_environment(cli):
    return {**cli.environment, "PATH": f"{binary().parent}:{cli.environment['PATH']}", "LC_ALL": "C.UTF-8", "TERM": "dumb"}


def in_shell(cli, *command):
    return subprocess.run(command, capture_output=True, text=True, env=shell_environment(cli), check=True, timeout=60).stdout


# What is typed, and what it may become. An item's name has a blank, so it must come quoted as the shell wants it.
TYPED = {
    "quire pu": ["publication", "publish", "pull", "push"],
    "quire users set": ["set-password"],
    "quire push --create-l": ["--create-library"],
    "quire completion z": ["zsh"],
    "quire items im": ["images"],
    "quire rm --library im": ["images/"],
    "quire pull im": ["images/"],
    "quire pull images/f": ["images/first item"],
    "quire pull images/first\\ i": ["images/first item"],
}


@pytest.fixture(scope="module")
def cli_to_complete(cli, tmp_path_factory):
    file = tmp_path_factory.mktemp("completion") / "a.img"
    file.write_bytes(b"a")
    cli.ok("push", file, "images/first item")
    yield cli
    cli.ok("rm", "images/first item")


@pytest.mark.parametrize("typed", TYPED)
def test_fish_completes(cli_to_complete, typed, tmp_path):
    if not shutil.which("fish"):
        pytest.skip("no fish here; tools/install-packages test installs it")
    cli = cli_to_complete
    script = tmp_path / "quire.fish"
    script.write_text(cli.ok("completion", "fish").stdout)
    said = in_shell(cli, "fish", "--no-config", "-c", f"source {script}; complete -C '{typed}'")
    assert [line.split("\t")[0] for line in said.splitlines()] == TYPED[typed]


class Shell:
    """An interactive shell without anybody's settings: what stands on its line after a tab."""

    END = "end-of-what-was-asked"

    def __init__(self, cli, folder, command, beginning):
        self.terminal, terminal = pty.openpty()
        self.process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, cwd=folder,
                                        env={**shell_environment(cli), "ZDOTDIR": str(folder)}, start_new_session=True)
        os.close(terminal)
        self._write(f"{beginning} ; echo {self.END}-$((40 + 2))\n")
        self._read_until(f"{self.END}-42")

    def complete(self, typed):
        """The line that a tab makes of what was typed, as words."""
        self._write(f"{typed}\t")
        # To the beginning of the line, and the whole of it becomes the arguments of a command that shows them.
        self._write(f"\x01printf '%s\\n' begin-of-words \x05 {self.END}-$((40 + 2))\n")
        said = self._read_until(f"\n{self.END}-42")
        return said.split("\nbegin-of-words\n")[-1].split("\n")

    def _write(self, typed):
        os.write(self.terminal, typed.encode())

    def _read_until(self, end):
        said = ""
        while end not in said:
            ready, _, _ = select.select([self.terminal], [], [], 60)
            assert ready, said
            said = (said + os.read(self.terminal, 4096).decode(errors="replace")).replace("\r", "")
        return said.split(end)[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)


BASH = (["bash", "--norc", "--noprofile", "-i"], "PS1= ; bind 'set enable-bracketed-paste off' ; source quire.bash")
ZSH = (["zsh", "-f", "-i"], "PS1= PROMPT_EOL_MARK= ; setopt no_beep no_prompt_sp ; bindkey -e ; fpath=($PWD $fpath) ; "
       "autoload -Uz compinit && compinit -u -D ; unset zle_bracketed_paste")


@pytest.mark.parametrize(("command", "beginning", "script"), [(*BASH, "quire.bash"), (*ZSH, "_quire")], ids=["bash", "zsh"])
def test_a_tab_completes_the_line(cli_to_complete, tmp_path, command, beginning, script):
    shell = command[0]
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here; tools/install-packages test installs it")
    (tmp_path / script).write_text(cli_to_complete.ok("completion", shell).stdout)
    (tmp_path / "some-file.img").write_bytes(b"")
    with Shell(cli_to_complete, tmp_path, command, beginning) as on_line:
        for typed, becomes in {**TYPED, "quire push some-f": ["some-file.img"]}.items():
            words = typed.replace("\\ ", "\0").split(" ")
            if len(becomes) == 1:  # of several that may be meant the line gets what they have in common
                words[-1] = becomes[0]
            assert on_line.complete(typed) == words, typed


def test_the_document_tells_of_every_command(cli):
    """The page holds the tables that the program prints."""
    (page,) = (REPOSITORY / "docs").glob("command-line.*")
    assert cli.ok("__document").stdout in page.read_text(), f"run: quire __document, and put it into {page}"


class EventSource(BaseHTTPRequestHandler):
    """Answers GET /api/events with two events a connection, and closes it."""

    asked = []

    def do_GET(self):  # noqa: N802
        if not self.path.startswith("/api/events"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")
            return
        last = int(self.headers.get("Last-Event-ID", "0"))
        self.asked.append((self.path, last))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b": a comment\n\n")
        for number in (last + 1, last + 2):
            data = f'data: {{"number": {number},\ndata: "subject": "x"}}\n\n'
            self.wfile.write(f"id: {number}\nevent: item.created\r\n{data}".encode())

    def log_message(self, *_):
        pass


def test_events_are_followed_over_broken_connections(tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), EventSource) as source:
        threading.Thread(target=source.serve_forever, daemon=True).start()
        cli = Cli(tmp_path / "home", f"http://127.0.0.1:{source.server_address[1]}", QUIRE_TOKEN="x")
        events = rows(cli.ok("events", "--kind", "item.created", "--count", "5", "--json"), "event")
        source.shutdown()
    assert [event["id"] for event in events] == ["1", "2", "3", "4", "5"]
    assert events[0]["kind"] == "item.created" and events[0]["data"] == {"number": 1, "subject": "x"}
    assert [last for _, last in EventSource.asked] == [0, 2, 4]
    assert EventSource.asked[0][0] == "/api/events?kind=item.created"


class Vcsim:
    """govmomi's simulator of a vCenter: a server that knows neither parts nor ranges nor the new REST form."""

    def __init__(self):
        program = REPOSITORY / "build" / "clients" / "vcsim"
        if not program.is_file():
            pytest.skip("vcsim is not installed; run tools/install-clients vcsim")
        self.process = subprocess.Popen([program, "-user", "user", "-password", "pass"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.datastore = None
        for line in self.process.stdout:
            if line.startswith("datastore "):
                self.datastore = line.split()[1]
            if line.startswith("ready "):
                self.url = line.split()[1]
                break
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)


def test_push_and_pull_work_against_a_vcenter(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "disk.img").write_bytes(os.urandom(20 * MIB + 5))
    (folder / "small").write_bytes(b"small")
    with Vcsim() as vcsim:
        cli = Cli(tmp_path / "home", vcsim.url).log_in("user", "pass")
        cli.ok("libraries", "create", "images", "--storage", vcsim.datastore)
        pushed = cli.ok("push", folder, "images/folder", "--part-size", "1MiB", "--json").result
        assert pushed["created"]
        cli.ok("push", "-", "images/piped", "--name", "piped", stdin=b"from a pipe", text=False)
        assert {item["name"] for item in rows(cli.ok("items", "images", "--json"), "item")} == {"folder", "piped"}
        assert cli.ok("pull", "images/piped", "-", text=False).stdout == b"from a pipe"
        pulled = cli.ok("pull", "images/folder", tmp_path / "out/", "--json").result
        assert pulled["files"] == 2 and not pulled["verified"]
        for name in ("disk.img", "small"):
            assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes()
        cli.fails(1, "users")  # which a vCenter does not offer
        cli.ok("rm", "images/folder")
        cli.ok("logout")


def test_a_server_that_comes_back(tmp_path):
    """A restart of the server in the middle is a break like any other."""
    server = QuireServer(tmp_path / "server").start()
    client = signed_in(server, tmp_path / "home")
    client.ok("libraries", "create", "images")
    file = Path(tmp_path / "a.img")
    file.write_bytes(os.urandom(64 * MIB))
    process = client.start("push", file, "images/a", "--part-size", "1MiB", "--connections", "2")
    state = tmp_path / "home" / "state" / "quire" / "push"
    while process.poll() is None and not any('"session_id":"0' in path.read_text() for path in state.glob("*.json")):
        pass
    server.kill()
    server.start()
    code = process.wait(120)
    if code == 4:  # a login that was not yet durable
        client.log_in(server.user, server.password)
    if code != 0:
        client.ok("push", file, "images/a")
    client.ok("pull", "images/a", tmp_path / "back.img")
    assert (tmp_path / "back.img").read_bytes() == file.read_bytes()
    server.stop()
