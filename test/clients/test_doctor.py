"""quire doctor: each kind of damage that a test makes is found and named with a remedy; what loses nothing is repaired."""

import json
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest

from push_session import PushSession
from quire_server import QuireServer, binary
from rest_client import NewRest

LARGE = b"a blob that lies on the storage " * 1000
SMALL = b"a blob that the catalog holds itself"


def doctor(server, *flags):
    """Exit code, findings by kind, the last line."""
    run = subprocess.run([binary(), "doctor", "--data", server.data_dir, "--json", *flags], capture_output=True, text=True)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert lines, run.stderr
    findings = {}
    for line in lines[:-1]:
        findings.setdefault(line["kind"], []).append(line)
    return run.returncode, findings, lines[-1]


class Patient:
    """A data folder with a library, two items, an active session and a download session, whose server has stopped."""

    def __init__(self, folder, flags=()):
        self.server = QuireServer(folder, flags=flags).start()
        rest = NewRest(self.server).log_in()
        self.library = rest.ok("local_library.create", create_spec={"name": "library"})
        filled = PushSession(rest, self.library, "iso")
        filled.push("large.iso", LARGE)
        filled.push("small.iso", SMALL)
        filled.ok("complete")
        self.item = filled.item
        waiting = PushSession(rest, self.library, "iso")
        waiting.push("arrived.iso", LARGE + b"more")
        self.session, self.other_item = waiting.session, waiting.item
        self.server.stop()

    @property
    def blobs(self):
        return self.server.data_dir / "blobs"

    def sql(self, *statements):
        with closing(sqlite3.connect(self.server.data_dir / "catalog.sqlite")) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    def one(self, query):
        with closing(sqlite3.connect(self.server.data_dir / "catalog.sqlite")) as connection:
            return connection.execute(query).fetchone()[0]

    def blob_file(self):
        """Of the large file of the first item."""
        blob = self.one(f"SELECT blob_id FROM content_files JOIN items ON items.content_id = content_files.content_id "
                        f"WHERE items.id = '{self.item}' AND content_files.name = 'large.iso'")
        return self.blobs / blob[:2] / blob


@pytest.fixture
def patient(tmp_path):
    return Patient(tmp_path / "server")


def rewrite(path, content):
    path.chmod(0o600)
    path.write_bytes(content)


DAMAGES = {
    "blob_missing": lambda p: p.blob_file().unlink(),
    "blob_cut": lambda p: rewrite(p.blob_file(), LARGE[:-1]),
    "blob_longer": lambda p: rewrite(p.blob_file(), LARGE + b"x"),
    "blob_changed": lambda p: rewrite(p.blob_file(), b"X" + LARGE[1:]),
    "blob_extra": lambda p: (p.blobs / "ab").mkdir(exist_ok=True) or rewrite_new(p.blobs / "ab" / "ab12"),
    "upload_left_over": lambda p: rewrite_new(p.server.data_dir / "incoming" / "ab12"),
    "small_blob_changed": lambda p: p.sql("UPDATE blobs SET bytes = 'AAAA' WHERE in_catalog = 1"),
    "small_blob_without_bytes": lambda p: p.sql("UPDATE blobs SET bytes = NULL WHERE in_catalog = 1"),
    "bytes_twice": lambda p: p.sql("UPDATE blobs SET bytes = 'AAAA' WHERE in_catalog = 0"),
    "item_without_library": lambda p: p.sql("DELETE FROM libraries"),
    "item_without_content": lambda p: p.sql(f"UPDATE items SET content_id = 'gone' WHERE id = '{p.item}'"),
    "item_size": lambda p: p.sql(f"UPDATE items SET size = size + 1 WHERE id = '{p.item}'"),
    "file_without_blob": lambda p: p.sql("UPDATE content_files SET blob_id = 'gone' WHERE name = 'large.iso'"),
    "file_size": lambda p: p.sql("UPDATE content_files SET size = size + 1 WHERE name = 'large.iso'"),
    "file_without_content": lambda p: p.sql(
        "INSERT INTO content_files SELECT 'gone', name, position, version, blob_id, size, checksum, facts, since FROM content_files"
        " WHERE name = 'large.iso'"),
    "session_without_item": lambda p: p.sql(f"UPDATE update_sessions SET item_id = 'gone' WHERE id = '{p.session}'"),
    "session_file_without_session": lambda p: p.sql(f"DELETE FROM update_sessions WHERE id = '{p.session}'"),
    "session_file_without_blob": lambda p: p.sql(
        f"UPDATE session_files SET blob_id = 'gone' WHERE session_id = '{p.session}'"),
    "several_active_sessions": lambda p: p.sql(
        "DROP INDEX update_sessions_one_active", f"UPDATE update_sessions SET state = 'ACTIVE', item_id = '{p.item}'"),
    "download_session_without_item": lambda p: p.sql(
        "INSERT INTO download_sessions VALUES ('d', 'gone', 1, NULL, 'a', NULL, NULL, 'ACTIVE', NULL, 0, 0, 0, 0)"),
    "prepared_file_without_session": lambda p: p.sql("INSERT INTO prepared_files VALUES ('gone', 'large.iso', 0)"),
    "change_without_item": lambda p: p.sql("INSERT INTO changes VALUES ('gone', 1, 2, 0, 'a')"),
    "task_blob_without_task": lambda p: p.sql("INSERT INTO task_blobs VALUES ('gone', 'gone', 0)"),
    "migration_without_task": lambda p: p.sql("UPDATE libraries SET migration = 'unreadable'"),
    "content_nobody_has": lambda p: p.sql("INSERT INTO contents VALUES ('alone', 'gone', 1, 0)"),
    "blob_nobody_has": lambda p: p.sql(
        "INSERT INTO blobs (id, storage, size, sha256, in_catalog) VALUES ('ab-0001', 'datastore-11', 1, 'x', 0)"),
    "permission_without_library": lambda p: p.sql(
        "INSERT INTO permissions VALUES ('a', 'USER', 'gone', 'a', 'gone', -102, 1)"),
    "permission_without_role": lambda p: p.sql("INSERT INTO permissions VALUES ('a', 'USER', '', 'a', NULL, 77, 1)"),
    "member_without_group": lambda p: p.sql("INSERT INTO group_members VALUES ('gone', 'a', 'a')"),
    "usage_without_library": lambda p: p.sql("INSERT INTO library_usages VALUES ('gone', 'u', 0, 'urn:x:y:z', 0)"),
    "subscription_without_library": lambda p: p.sql(
        "INSERT INTO subscriptions VALUES ('gone', 's', 1, 'x', 'x', 'LOCAL', NULL, '{}', NULL, NULL, NULL)"),
    "source_without_item": lambda p: p.sql("INSERT INTO source_items VALUES ('gone', '{}', '', NULL)"),
    "library_without_publisher": lambda p: p.sql("UPDATE libraries SET type = 'SUBSCRIBED'"),
    "local_library_with_publisher": lambda p: p.sql("UPDATE libraries SET subscription = '{}'"),
    "local_item_elsewhere": lambda p: p.sql("UPDATE items SET cached = 0"),
    "attachment_without_tag": lambda p: p.sql("INSERT INTO tag_attachments VALUES ('gone', 'x', 'y')"),
    "tag_without_category": lambda p: p.sql("INSERT INTO tags VALUES ('t', 'gone', 'tag', '')"),
    "storage_unknown": lambda p: p.sql("UPDATE libraries SET storage = 'datastore-99'"),
}
REPAIRABLE = {
    "blob_extra", "upload_left_over", "item_size", "file_without_content", "session_file_without_session",
    "download_session_without_item", "prepared_file_without_session", "change_without_item", "task_blob_without_task",
    "content_nobody_has", "blob_nobody_has", "permission_without_library", "permission_without_role",
    "member_without_group", "usage_without_library", "subscription_without_library", "source_without_item",
    "local_item_elsewhere", "attachment_without_tag",
}


def rewrite_new(path):
    path.write_bytes(b"left behind")


def content(server, item):
    rest = NewRest(server).log_in()
    return {file["name"]: file["size"] for file in rest.ok("item.file.list", library_item_id=item)}


def test_a_sound_installation_has_no_findings(patient):
    code, findings, result = doctor(patient.server, "--digests")
    assert (code, findings) == (0, {})
    assert result["blobs"] == 3 and result["digests"]


@pytest.mark.parametrize("kind", DAMAGES)
def test_each_damage_is_found_and_its_remedy_named(patient, kind):
    DAMAGES[kind](patient)
    flags = ["--digests"] if kind == "blob_changed" else []
    code, findings, result = doctor(patient.server, *flags)
    assert code == 1
    assert kind in findings, findings
    for finding in findings[kind]:
        assert finding["object"] and finding["problem"].endswith(".") and len(finding["remedy"]) > 20
        assert finding["repairable"] == (kind in REPAIRABLE) and not finding["repaired"]
    assert result["findings"] == sum(map(len, findings.values()))


def test_sizes_alone_do_not_tell_changed_bytes(patient):
    DAMAGES["blob_changed"](patient)
    assert doctor(patient.server)[0] == 0


@pytest.mark.parametrize("kind", sorted(REPAIRABLE))
def test_repair_ends_what_loses_nothing(patient, kind):
    DAMAGES[kind](patient)
    code, findings, _ = doctor(patient.server, "--repair")
    assert findings[kind][0]["repaired"]
    # What a removed row had named is extra only once it has gone.
    assert doctor(patient.server, "--repair")[0] == 0 and code in (0, 1)
    assert doctor(patient.server, "--digests")[:2] == (0, {})
    patient.server.start()
    assert content(patient.server, patient.item) == {"large.iso": len(LARGE), "small.iso": len(SMALL)}
    patient.server.stop()


def test_repair_leaves_alone_what_only_a_backup_can_mend(patient):
    patient.blob_file().unlink()
    code, findings, _ = doctor(patient.server, "--repair")
    assert code == 1 and not findings["blob_missing"][0]["repaired"]
    assert "large.iso" in findings["blob_missing"][0]["object"]
    assert patient.one("SELECT COUNT(*) FROM content_files") == 2


def test_a_damaged_database_file_is_told(patient):
    path = patient.server.data_dir / "catalog.sqlite"
    patient.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    bytes_before = bytearray(path.read_bytes())
    # The last pages hold rows and indexes; the first ones would keep it from being opened at all.
    for at in range(len(bytes_before) - 3 * 4096, len(bytes_before)):
        bytes_before[at] ^= 0x5A
    path.write_bytes(bytes_before)
    run = subprocess.run([binary(), "doctor", "--data", patient.server.data_dir], capture_output=True, text=True)
    assert run.returncode == 1
    assert "damaged" in run.stdout or "malformed" in run.stderr, run.stdout + run.stderr


def test_it_does_not_look_while_a_server_runs(patient):
    patient.server.start()
    run = subprocess.run([binary(), "doctor", "--data", patient.server.data_dir], capture_output=True, text=True)
    assert run.returncode == 1 and "use" in run.stderr
    patient.server.stop()


def test_a_wrong_folder_stays_as_it_was(tmp_path):
    run = subprocess.run([binary(), "doctor", "--data", tmp_path / "wrong"], capture_output=True, text=True)
    assert run.returncode == 1 and "not the data folder" in run.stderr
    assert not (tmp_path / "wrong").exists()


def test_the_running_server_finds_changed_bytes_by_itself(patient):
    """The scrub: slowly, beside the server's work; the worker's last error names the blob."""
    DAMAGES["blob_changed"](patient)
    blob = patient.blob_file().name
    patient.server.flags += ["--scrub-rate", "1GiB"]
    patient.server.start()
    rest = NewRest(patient.server).log_in()
    assert poll(lambda: blob in json.dumps(workers(rest)))
    patient.server.stop()


def workers(rest):
    return rest.send("GET", "/api/quire/server/workers").json()


def poll(condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


# --- with the catalog in PostgreSQL: the queries run on both engines in test/suites; here the command does --------------


class PatientOfDatabase(Patient):
    def __init__(self, folder, cluster):
        self.cluster, self.url = cluster, cluster.new_database()
        super().__init__(folder, ["--catalog", self.url])

    def sql(self, *statements):
        self.cluster.sql("SET session_replication_role = replica", *statements, url=self.url)

    def one(self, query):
        answer = self.cluster.sql(query, url=self.url)
        return int(answer) if answer.isdigit() else answer


@pytest.fixture
def patient_of_database(postgresql, tmp_path):
    return PatientOfDatabase(tmp_path / "server", postgresql)


def test_the_doctor_examines_a_catalog_in_postgresql(patient_of_database):
    patient = patient_of_database
    flags = ("--catalog", patient.url)
    code, findings, result = doctor(patient.server, "--digests", *flags)
    assert (code, findings) == (0, {}) and result["blobs"] == 3
    kinds = ("item_size", "change_without_item", "small_blob_changed", "several_active_sessions", "blob_missing", "blob_extra")
    for kind in kinds:
        DAMAGES[kind](patient)
    code, findings, _ = doctor(patient.server, *flags)
    assert code == 1 and set(kinds) <= set(findings), findings
    code, findings, _ = doctor(patient.server, "--repair", *flags)
    assert {kind for kind, found in findings.items() if found[0]["repaired"]} >= REPAIRABLE & set(kinds)
    code, findings, _ = doctor(patient.server, *flags)
    assert set(findings) == set(kinds) - REPAIRABLE, findings


def test_it_does_not_look_while_another_server_uses_the_database(patient_of_database, tmp_path):
    """Whose data folder is another one, so no lock tells of it."""
    patient = patient_of_database
    other = QuireServer(tmp_path / "other", flags=["--catalog", patient.url]).start()
    run = subprocess.run([binary(), "doctor", "--data", patient.server.data_dir, "--catalog", patient.url], capture_output=True, text=True)
    assert run.returncode == 1 and "Other servers or commands of Quire are connected" in run.stderr, run.stderr
    other.kill()
    assert doctor(patient.server, "--catalog", patient.url)[0] == 0
