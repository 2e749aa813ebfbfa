"""`quire push` and `quire pull`, end to end: over a good network and a bad one, piped, killed and run again.

QUIRE_SEED repeats the faults of a run.
"""

import hashlib
import os
import random
import signal
import tarfile
import time

import pytest

from bad_network import BadNetwork
from cli_client import Cli, signed_in
from http_source import HttpSource, Reply
from quire_server import QuireServer
from rest_client import LegacyRest

MIB = 1 << 20
SEED = int(os.environ.get("QUIRE_SEED", random.SystemRandom().randrange(1 << 32)))
PARTS = ("--part-size", "1MiB")


@pytest.fixture(scope="module")
def cli(shared_server, tmp_path_factory):
    cli = signed_in(shared_server, tmp_path_factory.mktemp("cli"))
    cli.ok("libraries", "create", "images")
    return cli


def write(path, size, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(random.Random(seed).randbytes(size))
    return path


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files_of(cli, item):
    return {
        line["file"]["name"]: line["file"]["checksum_info"]["checksum"]
        for line in cli.ok("files", item, "--json").objects()
        if line["type"] == "file"
    }


def rows_of_sessions(cli):
    return [line["session"] for line in cli.ok("sessions", "--json").objects() if line["type"] == "session"]


def wait_for(condition, what):
    deadline = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return found


def test_an_item_is_created_replaced_and_left_alone(cli, tmp_path):
    first = write(tmp_path / "boot.iso", 9 * MIB + 7, 1)
    pushed = cli.ok("push", first, "images/boot", "--json", *PARTS).result
    assert pushed["created"] and not pushed["unchanged"] and pushed["bytes"] == first.stat().st_size
    assert files_of(cli, "images/boot") == {"boot.iso": sha256(first)}
    again = cli.ok("push", first, "images/boot", "--json").result
    assert again["unchanged"] and again["bytes"] == 0
    second = write(tmp_path / "other" / "boot2.iso", 2 * MIB, 2)
    replaced = cli.ok("push", second, "images/boot", "--json").result
    assert replaced["library_item_id"] == pushed["library_item_id"] and not replaced["created"]
    assert files_of(cli, "images/boot") == {"boot2.iso": sha256(second)}
    assert rows_of_sessions(cli) == []


def test_a_folder_goes_up_and_comes_down(cli, tmp_path):
    folder = tmp_path / "folder"
    for i, (name, size) in enumerate({"a.bin": 3 * MIB, "empty": 0, "sub/b.bin": 1, "sub/c d.bin": 2 * MIB + 1}.items()):
        write(folder / name, size, i)
    cli.ok("push", folder, "images/folder", *PARTS)
    out = tmp_path / "out"
    out.mkdir()
    cli.ok("pull", "images/folder", out, *PARTS)
    names = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    assert sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file()) == sorted(names)
    for name in names:
        assert sha256(out / name) == sha256(folder / name)
    # one of them changes: the others are not sent again
    write(folder / "a.bin", 3 * MIB, 99)
    assert cli.ok("push", folder, "images/folder", "--json").result["bytes"] == 3 * MIB
    assert cli.ok("pull", "images/folder", out, "--json").result["files_there"] == 3
    assert sha256(out / "a.bin") == sha256(folder / "a.bin")


def test_pipes(cli, tmp_path):
    content = random.Random(3).randbytes(5 * MIB + 3)
    for size in (0, 1, MIB, 3 * MIB, len(content)):
        cli.ok("push", "-", "images/piped", "--name", "disk.img", *PARTS, stdin=content[:size], text=False)
        assert cli.ok("pull", "images/piped", "-", text=False).stdout == content[:size]
    cli.fails(2, "push", "-", "images/piped", stdin="x")
    cli.fails(2, "pull", "images/piped", "-", "--json")


def test_an_archive_is_unpacked_and_known_again(cli, package, tmp_path):
    archive = tmp_path / "vm.ova"
    with tarfile.open(archive, "w", format=tarfile.USTAR_FORMAT) as tar:
        for path in package.all_files():
            tar.add(path, arcname=path.name)
    assert not cli.ok("push", archive, "images/vm", "--json", *PARTS).result["unchanged"]
    assert files_of(cli, "images/vm").keys() == {path.name for path in package.content_files()}
    assert cli.ok("push", archive, "images/vm", "--json").result["unchanged"]
    assert cli.ok("push", *package.all_files(), "images/vm", "--json").result["unchanged"]
    assert not cli.ok("push", *package.all_files(), "images/vm", "--json", "--force").result["unchanged"]


def test_a_refusal_says_why_and_changes_nothing(cli, package, tmp_path):
    refused = cli.fails(7, "push", package.descriptor, "images/incomplete")
    assert package.disks[0].name in refused.stderr, str(refused)
    cli.fails(3, "files", "images/incomplete")
    broken = tmp_path / "broken.ova"
    broken.write_bytes(b"no archive" * 1000)
    cli.ok("push", *package.all_files(), "images/kept")
    before = files_of(cli, "images/kept")
    refused = cli.fails(7, "push", broken, "images/kept", "--json")
    assert "broken.ova" in refused.stderr
    assert "broken.ova" in refused.result["error"]["message"]
    assert files_of(cli, "images/kept") == before
    assert rows_of_sessions(cli) == []


def test_the_server_fetches_urls(tmp_path):
    content = random.Random(4).randbytes(3 * MIB)
    server = QuireServer(tmp_path / "server", flags=["--pull-allow", "127.0.0.1"]).start()
    try:
        cli = signed_in(server, tmp_path / "home")
        with HttpSource() as source:
            source.answer("/disk.img", Reply(content))
            cli.ok("push", source.url("/disk.img"), "fetched/disk", "--create-library")
            assert files_of(cli, "fetched/disk") == {"disk.img": hashlib.sha256(content).hexdigest()}
            refused = cli.fails(7, "push", source.url("/nothing"), "fetched/none")
            assert "404" in refused.stderr, str(refused)
    finally:
        server.stop()


def test_an_item_that_is_held(cli, legacy, tmp_path):
    content = write(tmp_path / "x.img", MIB, 5)
    item = cli.ok("push", content, "images/held", "--json").result["library_item_id"]
    session = legacy.ok("update_session.create", create_spec={"library_item_id": item})
    write(tmp_path / "x.img", MIB, 6)
    refused = cli.fails(5, "push", content, "images/held")
    assert "--take-over" in refused.stderr
    cli.ok("push", content, "images/held", "--take-over")
    assert legacy.ok("update_session.get", update_session_id=session)["state"] == "CANCELED"
    assert files_of(cli, "images/held") == {"x.img": sha256(content)}


@pytest.mark.parametrize("fate", ["cut", "reset", "stall", "refuse"])
def test_a_bad_network(shared_server, cli, tmp_path, fate):
    """Faults at every few MiB; none of them is ever seen by the one who pushes and pulls."""
    print(f"QUIRE_SEED={SEED}")
    content = write(tmp_path / "big.img", 12 * MIB + 11, fate)
    patience = ("--stall-timeout", "2", "--give-up-after", "60")
    with BadNetwork(shared_server, (fate, "pass"), (1, 3 * MIB), SEED, faults=4 if fate == "stall" else 12) as network:
        bad = Cli(tmp_path / "home", network.url)
        key = Cli(tmp_path / "stranger", shared_server.url).server_key()
        arguments = ("--user", shared_server.user, "--password-stdin", "--accept-key", key)
        wait_for(lambda: bad.run("login", *arguments, stdin=shared_server.password + "\n").code == 0, "login")

        def repeated(*words):
            """Calls before and behind the transfer are not tried again by themselves: a script does it, by the code."""
            for _ in range(30):
                result = bad.run(*words)
                if result.code != 6:
                    break
            assert result.code == 0, str(result)

        repeated("push", content, f"images/{fate}", *PARTS, *patience)
        assert files_of(cli, f"images/{fate}") == {"big.img": sha256(content)}
        network.faults_left = 4 if fate == "stall" else 12
        repeated("pull", f"images/{fate}", tmp_path / "back.img", *PARTS, *patience)
        assert network.counts.get(fate), "no fault was made"
    assert sha256(tmp_path / "back.img") == sha256(content)
    assert not list(tmp_path.glob("*.quire-part"))


def test_a_network_that_is_gone(shared_server, cli, tmp_path):
    content = write(tmp_path / "gone.img", 4 * MIB, 8)
    with BadNetwork(shared_server) as network:
        bad = Cli(tmp_path / "home", network.url).log_in(shared_server.user, shared_server.password)
        network.fates, network.after = ["cut"], (1, 1)
        gone = bad.fails(6, "push", content, "images/gone", "--give-up-after", "1")
        assert gone.stderr.strip(), "it says why"
        network.fates = ["pass"]
        bad.ok("push", content, "images/gone")
    assert files_of(cli, "images/gone") == {"gone.img": sha256(content)}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_push_that_is_killed_goes_on(shared_server, cli, tmp_path, number):
    content = write(tmp_path / "killed.img", 96 * MIB, 9)
    name = f"images/killed-{number}"
    with BadNetwork(shared_server, delay=0.004) as network:  # a good one, which counts
        client = Cli(tmp_path / "home", network.url).log_in(shared_server.user, shared_server.password)
        process = client.start("push", content, name, *PARTS, "--connections", "2")
        wait_for(lambda: network.moved > 24 * MIB or process.poll() is not None, "bytes")
        process.send_signal(number)
        code = process.wait(60)
        stderr = process.stderr.read()
        assert code == (130 if number == signal.SIGINT else -number), stderr
        moved = network.moved
        again = client.ok("push", content, name, *PARTS)
        assert "going on" in again.stderr
        assert network.moved - moved < 90 * MIB, "what had arrived is not sent again"
    assert files_of(cli, name) == {"killed.img": sha256(content)}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_pull_that_is_killed_goes_on(shared_server, cli, tmp_path, number):
    content = write(tmp_path / "source.img", 96 * MIB, 10)
    cli.ok("push", content, "images/to-pull")
    target = tmp_path / "back.img"
    with BadNetwork(shared_server, delay=0.004) as network:  # a good one, which counts
        client = Cli(tmp_path / "home", network.url).log_in(shared_server.user, shared_server.password)
        process = client.start("pull", "images/to-pull", target, *PARTS, "--connections", "2")
        state = tmp_path / "home" / "state" / "quire" / "pull"
        recorded = lambda: any('"first"' in path.read_text() for path in state.glob("*.json"))  # noqa: E731
        wait_for(lambda: network.moved > 24 * MIB or process.poll() is not None, "bytes")
        if number == signal.SIGKILL:
            wait_for(lambda: recorded() or process.poll() is not None, "a record")
        process.send_signal(number)
        code = process.wait(60)
        stderr = process.stderr.read()
        assert code == (130 if number == signal.SIGINT else -number), stderr
        assert not target.exists(), "a file has its name only when it is whole"
        again = client.ok("pull", "images/to-pull", target, *PARTS)
        assert "going on" in again.stderr, str(again)
    assert sha256(target) == sha256(content)


def test_false_bytes_get_no_name(shared_server, cli, tmp_path):
    """What lies in a part of an earlier run is compared too."""
    content = write(tmp_path / "source.img", 3 * MIB, 11)
    cli.ok("push", content, "images/damaged")
    with BadNetwork(shared_server) as network:
        client = Cli(tmp_path / "home", network.url).log_in(shared_server.user, shared_server.password)
        network.bytes_left = 2 * MIB
        client.fails(6, "pull", "images/damaged", "back.img", "--give-up-after", "1", "--connections", "1")
        part = tmp_path / "home" / "back.img.quire-part"
        assert part.stat().st_size > MIB
        with part.open("r+b") as file:
            file.seek(1000)
            file.write(b"damaged")
        network.bytes_left = None
        refused = client.fails(7, "pull", "images/damaged", "back.img")
        assert "SHA256" in refused.stderr
        assert not part.exists() and not (tmp_path / "home" / "back.img").exists()
        client.ok("pull", "images/damaged", "back.img")
    assert sha256(tmp_path / "home" / "back.img") == sha256(content)


def test_progress_is_told(shared_server, cli, tmp_path):
    content = write(tmp_path / "progress.img", 64 * MIB, 12)
    lines = cli.ok("push", content, "images/progress", "--json").objects()
    assert {line["type"] for line in lines} <= {"progress", "result"}
    assert cli.ok("push", content, "images/quiet", "--quiet").stderr == ""
    shown = cli.ok("push", content, "images/plain").stderr
    assert "\r" not in shown and "pushed 64.0 MiB" in shown


def test_the_session_knows_how_far_its_client_is(shared_server, cli, tmp_path):
    binding = LegacyRest(shared_server).log_in()
    reading, writing = os.pipe()
    process = cli.start("push", "-", "images/slow", "--name", "slow.img", stdin=reading)
    os.close(reading)
    try:
        session = wait_for(lambda: binding.ok("update_session.list"), "a session")[0]
        before = binding.ok("update_session.get", update_session_id=session)
        time.sleep(6)  # the client tells every five seconds that it is there
        after = binding.ok("update_session.get", update_session_id=session)
        assert after["expiration_time"] >= before["expiration_time"]
        os.write(writing, b"the end")
    finally:
        os.close(writing)
    assert process.wait(60) == 0, process.stderr.read()


def test_two_at_once_do_not_meet(cli, tmp_path):
    reading, writing = os.pipe()
    process = cli.start("push", "-", "images/twice", "--name", "a", stdin=reading)
    os.close(reading)
    try:
        wait_for(lambda: cli.run("files", "images/twice").code == 0, "the item")
        content = write(tmp_path / "b", 100, 13)
        cli.fails(5, "push", content, "images/twice")
    finally:
        os.write(writing, b"a")
        os.close(writing)
    assert process.wait(60) == 0, process.stderr.read()


def test_a_file_that_changes_meanwhile(cli, tmp_path):
    content = write(tmp_path / "changing.img", 200 * MIB, 14)
    process = cli.start("push", content, "images/changing", "--connections", "1")
    wait_for(lambda: '"session_id":"0' in "".join(
        path.read_text() for path in (cli.home / "state" / "quire" / "push").glob("*.json")), "a session")
    with content.open("r+b") as file:
        file.write(b"changed")
    assert process.wait(120) == 7, process.stderr.read()
    assert "changed" in process.stderr.read()
    cli.ok("push", content, "images/changing")
    assert files_of(cli, "images/changing") == {"changing.img": sha256(content)}
