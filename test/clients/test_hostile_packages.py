"""Damaged and hostile packages by the hundred: each ends in a clear refusal or is a package after all; nothing leaks.

QUIRE_SEED repeats a run, QUIRE_HOSTILE_VARIANTS sets its length, QUIRE_HOSTILE_ONLY is the number of a single variant.
"""

import os
import random
import stat
import time
from collections import Counter

import requests

from hostile_packages import MEMBERS_MAX, Surroundings, good_package, honest_content, make_variant
from http_source import HttpSource
from push_session import PushSession, sha256
from quire_server import QuireServer
from rest_client import LegacyRest, create_library

VARIANTS = int(os.environ.get("QUIRE_HOSTILE_VARIANTS", "248"))
ONLY = os.environ.get("QUIRE_HOSTILE_ONLY")
# One variant, from the first request to the last: nothing may hang or grind.
SECONDS_MAX = 60
# The server's memory at its highest may rise by so much over what a good package takes. Each thread that ever held a
# metadata file of the size limit may keep that much for the next one, so a long run comes nearer to it than a short one.
MEMORY_BYTES_MAX = 256 << 20
RECLAIM_TIMEOUT = 30
FAILURES_SHOWN = 10
SECRET = "quire-secret-that-no-answer-may-show"


def memory(server, field):
    with open(f"/proc/{server.process.pid}/status") as status:
        (line,) = (line for line in status if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024


def tree(folder, without=()):
    """Path → size and kind of all that lies below a folder."""
    seen = {}
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if os.path.join(root, name) not in without]
        for name in [*folders, *names]:
            path = os.path.join(root, name)
            if path not in without:
                status = os.lstat(path)
                seen[path] = (status.st_mode, 0 if name in folders else status.st_size)
    return seen


def blobs(server):
    """The files of the content; folders stay."""
    return {path: size for path, (mode, size) in tree(server.data_dir / "blobs").items() if not stat.S_ISDIR(mode)}


class Run:
    def __init__(self, server, library, binding):
        self.server, self.library, self.binding = server, library, binding
        self.outcomes = Counter()

    def push(self, variant):
        """Plays one variant to its end, and checks all that can be said of it."""
        session = PushSession(self.binding, self.library)
        if variant.ignore_warnings:
            session.ignore("SELF_SIGNED_CERTIFICATE", "UNTRUSTED_CERTIFICATE", "EXPIRED_CERTIFICATE")
        answers = []
        for name, content in variant.files:
            spec = {"size": len(content)} if variant.declare_size and content else {}
            added = session.call("file.add", file_spec={"name": name, "source_type": "PUSH", **spec})
            answers.append(added)
            if not added.ok:
                break
            body = chunks(content) if variant.chunked else content
            answers.append(session.transfers.put(added.value["upload_endpoint"]["uri"], body))
            if status_of(answers[-1]) != 200:
                break
        if session.model()["state"] == "ACTIVE" and status_of(answers[-1]) != 507:
            answers.append(session.call("file.validate"))
            answers.append(session.call("complete"))
        model = session.model()
        refused_for_room = status_of(answers[-1]) == 507
        if refused_for_room:
            # A member whose announced size nothing contradicts, since nobody said how long the archive is.
            assert variant.chunked and not variant.declare_size, answers[-1].text
            assert model["state"] == "ACTIVE" and session.ok("file.list")[0]["status"] == "WAITING_FOR_TRANSFER"
            self.untouched(session)
        for answer in answers[:-1] if refused_for_room else answers:
            assert status_of(answer) in (200, 400), answer.text
            assert SECRET not in answer.text
        assert SECRET not in str(model)
        if not refused_for_room:
            getattr(self, f"ended_{model['state'].lower()}")(variant, session, model, answers)
        self.outcomes["no room" if refused_for_room else model["state"]] += 1
        session.remove()

    def ended_done(self, variant, session, model, answers):
        assert variant.good is not False, "it was taken for a good package"
        expected = {name: sha256(data) for name, data in honest_content(variant).items()}
        assert session.content() == expected, "an honest reader finds something else"

    def ended_error(self, variant, session, model, answers):
        assert variant.good is not True, model
        message = model["error_message"]
        assert message["id"] and len(message["default_message"]) > 20, model
        # The file that was pushed, or a member of it.
        named = [name for name, _ in variant.files] + ["File "]
        assert any(name in message["default_message"] for name in named), f"names no file: {message}"
        assert "\n" not in message["default_message"] and len(message["default_message"]) < 3000, message
        self.untouched(session)
        assert status_of(answers[-1]) == 400, answers[-1].text

    def ended_active(self, variant, session, model, answers):
        """Something is missing that could still come: named, and nothing is lost."""
        assert variant.good is not True, answers[-1]
        *_, validation, refused = answers
        missing = validation.value["missing_files"]
        assert validation.ok and validation.value["has_errors"] and missing, validation
        assert refused.error_type == "NOT_ALLOWED_IN_CURRENT_STATE" and missing[0] in refused.text, refused
        self.untouched(session)

    def untouched(self, session):
        item = session.item_model()
        assert (item["content_version"], item["size"]) == ("1", 0), item


def status_of(answer):
    """Of an operation's answer or of an upload's response."""
    return answer.status_code if isinstance(answer, requests.Response) else answer.status


def chunks(content):
    for start in range(0, len(content), 7001):
        yield content[start : start + 7001]


def test_hostile_packages(tmp_path):
    seed = int(os.environ.get("QUIRE_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"QUIRE_SEED={seed} QUIRE_HOSTILE_VARIANTS={VARIANTS}")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text(SECRET)
    server = QuireServer(
        tmp_path / "server", flags=["--pull-allow", "127.0.0.0/8", "--files-per-item-max", str(MEMBERS_MAX)]
    ).start()
    try:
        with HttpSource() as web:
            around = Surroundings(str(outside), str(outside / "secret"), web.url(""))
            binding = LegacyRest(server).log_in()
            run = Run(server, create_library(binding), binding)
            push_good(run, "first")
            files_before, blobs_before = tree(tmp_path, [str(server.data_dir)]), blobs(server)
            memory_before = memory(server, "VmHWM")
            slowest, failures = (0, None), []
            for number in range(VARIANTS) if ONLY is None else [int(ONLY)]:
                variant = make_variant(seed, number, around)
                began = time.monotonic()
                try:
                    run.push(variant)
                except Exception as caught:
                    failures.append(f"QUIRE_SEED={seed} QUIRE_HOSTILE_ONLY={number}, {variant}: {caught}")
                    if len(failures) == FAILURES_SHOWN:
                        break
                seconds = time.monotonic() - began
                slowest = max(slowest, (seconds, str(variant)))
                assert seconds < SECONDS_MAX, f"QUIRE_SEED={seed}: {variant} took {seconds:.1f} s"
            assert not failures, "\n".join(failures)
            risen = memory(server, "VmHWM") - memory_before
            print(f"{dict(run.outcomes)}; slowest {slowest[0]:.2f} s ({slowest[1]}); memory rose by {risen >> 20} MiB")
            assert risen < MEMORY_BYTES_MAX, f"QUIRE_SEED={seed}: the server's memory rose by {risen >> 20} MiB"
            assert not web.requests() and not web.requests(method="HEAD"), "something out there was asked for"
            push_good(run, "last")
        after = tree(tmp_path, [str(server.data_dir)])
        grows = {str(server.log_file): 0, str(server.audit_file): 0}
        assert {**after, **grows} == {**files_before, **grows}, "something beside the data folder changed"
        assert not os.path.exists("/etc/quire-escape")
        end = time.monotonic() + RECLAIM_TIMEOUT
        while (left := blobs(server)) != blobs_before and time.monotonic() < end:
            time.sleep(0.1)
        assert left == blobs_before, f"QUIRE_SEED={seed}: left in the data folder"
        server.stop()
    except BaseException:
        print(server.log())
        raise
    finally:
        server.kill()


def push_good(run, name):
    """The server takes a good package, and serves it."""
    package = good_package(random.Random(name))
    session = PushSession(run.binding, run.library)
    for file in ("vm.mf", "vm.ovf", "vm-disk1.vmdk", "vm-disk2.vmdk"):
        response = session.push(file, package[file], size=len(package[file]))
        assert response.status_code == 200, response.text
    session.ok("complete")
    assert session.content() == {file: sha256(content) for file, content in package.items() if file != "vm.mf"}
    session.remove()
