"""Health, readiness, metrics and the log, as those who watch a server use them."""

import json
import re
import subprocess
import time
from pathlib import Path

import pytest
import requests
from quire_server import ADMINISTRATOR, REPOSITORY, QuireServer
from rest_client import NewRest, Transfers, create_library, download_item, upload_item

PROMTOOL = REPOSITORY / "build/monitoring/usr/bin/promtool"
RULES = REPOSITORY / "docs/monitoring"
TIMEOUT = 60


class WatchedServer(QuireServer):
    def start(self):
        super().start()
        deadline = time.monotonic() + TIMEOUT
        while not (found := re.search(r"ready monitoring (http://\S+)\n", self.stdout())):
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.01)
        self.monitoring = found[1]
        return self

    def page(self, path):
        return requests.get(self.monitoring + path, timeout=TIMEOUT)

    def figures(self):
        """name{labels} → value"""
        answer = self.page("/metrics")
        assert answer.status_code == 200, answer.text
        lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


@pytest.fixture
def watched(tmp_path):
    server = WatchedServer(
        tmp_path, flags=["--listen-monitoring", "127.0.0.1:0", "--log-format", "json", "--log-level", "debug"]
    ).start()
    yield server
    if server.process is not None:
        server.stop()


def promtool(*arguments, text=None):
    if not PROMTOOL.exists():
        pytest.fail(f"{PROMTOOL} is missing; run tools/install-promtool")
    return subprocess.run(
        [PROMTOOL, *map(str, arguments)], input=text, text=True, capture_output=True, timeout=TIMEOUT, cwd=RULES
    )


def test_workers_rest_while_there_is_nothing_to_do(watched):
    """The worker of the event streams waited for a duration that was no longer there: in an optimised build it never waited, and took
    a third of a processor from uploads. Workers that wait for a second are seen to run as often as the one that does so by itself."""

    def runs():
        figures = watched.figures()
        return {name: value for name, value in figures.items() if name.startswith("quire_worker_runs_total")}

    clock = 'quire_worker_runs_total{worker="update session expiry"}'
    before = runs()
    deadline = time.monotonic() + TIMEOUT
    while (after := runs())[clock] < before[clock] + 2:
        assert time.monotonic() < deadline
    ran = {name: after[name] - value for name, value in before.items()}
    busy = {name: count for name, count in ran.items() if count > 4 * ran[clock]}
    assert not busy


def test_figures_follow_what_is_done(watched):
    admin = NewRest(watched).log_in()
    library = create_library(admin)
    item = upload_item(admin, Transfers(watched), library, "image", {"disk.iso": b"x" * 1000})
    download_item(admin, Transfers(watched), item)
    admin.call("item.get", library_item_id="nowhere")
    requests.get(f"{watched.url}/api/session", headers={"vmware-api-session-id": "x"}, verify=str(watched.ca_file))
    figures = watched.figures()
    assert figures['quire_requests_total{operation="com.vmware.content.local_library.create",result="ok"}'] == 1
    assert figures['quire_requests_total{operation="com.vmware.content.library.item.get",result="not_found"}'] == 1
    assert figures['quire_request_duration_seconds_count{operation="com.vmware.content.library.item.create"}'] == 1
    assert figures['quire_errors_total{kind="not_found"}'] == 1
    assert figures["quire_rejected_logins_total"] == 1
    for kind in ("upload", "download"):
        assert figures[f'quire_transfer_bytes_total{{kind="{kind}"}}'] == 1000
        assert figures[f'quire_transfers_total{{kind="{kind}",result="whole"}}'] == 1
        assert figures[f'quire_transfers_running{{kind="{kind}"}}'] == 0
    assert figures["quire_catalog_up"] == 1
    assert figures["quire_logins"] >= 1
    free = figures['quire_storage_free_bytes{storage="LocalDS_0"}']
    assert 0 < free <= figures['quire_storage_capacity_bytes{storage="LocalDS_0"}']
    text = watched.page("/metrics").text
    for secret in (ADMINISTRATOR, item, library, "disk.iso", "image"):
        assert secret not in text, "labels are closed sets"
    judged = promtool("check", "metrics", text=text)
    assert judged.returncode == 0 and not judged.stderr.strip(), judged.stderr


def test_the_rules_and_the_dashboard(watched):
    NewRest(watched).log_in()
    for arguments in (("check", "rules", "alerts.yaml"), ("test", "rules", "alerts_test.yaml")):
        judged = promtool(*arguments)
        assert judged.returncode == 0, judged.stdout + judged.stderr
    rules = (RULES / "alerts.yaml").read_text()
    tests = (RULES / "alerts_test.yaml").read_text()
    pages = next(RULES.glob("*.md")).read_text()
    for alert in re.findall(r"- alert: (\w+)", rules):
        assert f"alertname: {alert}\n        exp_alerts" in tests, f"no test raises {alert}"
        assert re.search(rf"^### .*\b{alert}\b", pages, re.MULTILINE), f"no page says what to do for {alert}"
    known = {re.sub(r"_(bucket|sum|count)$", "", re.split(r"[{ ]", name)[0]) for name in watched.figures()}
    known.add("quire_worker_last_failure_timestamp_seconds")  # not while all goes well
    dashboard = json.loads((RULES / "dashboard.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    for expression in [*asked, rules]:
        for name in re.findall(r"\bquire_\w+", expression):
            assert re.sub(r"_(bucket|sum|count)$", "", name) in known, f"{name} is no figure of the server"
    for name in known:
        assert name in pages or re.sub(r"^quire(_transfers|_worker_\w+?)_total$", r"quire\1", name) in pages, name


def test_health_and_readiness(watched):
    assert watched.page("/healthz").text == "ok\n"
    ready = watched.page("/readyz")
    assert (ready.status_code, ready.text) == (200, "ready\n")
    assert watched.page("/api/session").status_code == 404, "nothing else is there"
    assert requests.put(watched.monitoring + "/cls/data/x/y", data=b"z", timeout=TIMEOUT).status_code == 404
    assert requests.post(watched.monitoring + "/metrics", timeout=TIMEOUT).status_code == 405


def test_on_the_api_address_they_need_a_login(tmp_path):
    def ask(server, path, headers=None):
        return requests.get(server.url + path, headers=headers, verify=str(server.ca_file), timeout=TIMEOUT)

    server = QuireServer(tmp_path / "closed").start()
    try:
        admin = NewRest(server).log_in()
        for path in ("/healthz", "/readyz", "/metrics"):
            refused = ask(server, path)
            assert (refused.status_code, refused.json()["error_type"]) == (401, "UNAUTHENTICATED")
            assert ask(server, path, {"vmware-api-session-id": admin.session_id}).status_code == 200
    finally:
        server.stop()
    server = QuireServer(tmp_path / "open", flags=["--monitoring-allow", "127.0.0.0/8"]).start()
    try:
        assert ask(server, "/metrics").status_code == 200
    finally:
        server.stop()


def test_not_ready_while_it_stops(watched):
    admin = NewRest(watched).log_in()
    library = create_library(admin)
    item = admin.ok("item.create", create_spec={"name": "slow", "library_id": library, "type": ""})
    session = admin.ok("update_session.create", create_spec={"library_item_id": item})
    info = admin.ok(
        "update_session.file.add",
        update_session_id=session,
        file_spec={"name": "slow", "source_type": "PUSH", "size": 1 << 20},
    )

    def body():
        yield b"x" * (1 << 19)
        watched.process.terminate()
        deadline = time.monotonic() + TIMEOUT
        while (answer := watched.page("/readyz")).status_code == 200:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        seen.append((answer.status_code, answer.text))
        yield b"x" * (1 << 19)

    seen = []
    assert Transfers(watched).put(info["upload_endpoint"]["uri"], body()).status_code == 200
    assert seen == [(503, "not ready\nobstacle: The server is stopping.\n")]
    watched.stop()


def test_the_log_is_lines_of_json(watched):
    headers = {"X-Request-ID": "pipeline 7\u00e9".encode()}
    requests.get(f"{watched.url}/api/content/library/%0A%22%7B", headers=headers, verify=str(watched.ca_file))
    admin = NewRest(watched).log_in()
    answer = requests.get(
        f"{watched.url}/api/content/library/nowhere%0A%22%1B",
        headers={"vmware-api-session-id": admin.session_id, "X-Request-ID": "pipeline-8"},
        verify=str(watched.ca_file),
    )
    assert answer.status_code == 404
    watched.stop()
    lines = Path(watched.folder / "server.log").read_text().splitlines()
    assert lines
    for line in lines:
        record = json.loads(line)
        assert {"time", "level", "message"} <= set(record) <= {"time", "level", "message", "operation_id"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"])


def test_a_log_format_that_is_none(tmp_path):
    server = QuireServer(tmp_path, flags=["--log-format", "xml"])
    with pytest.raises(AssertionError, match="it must be text or json"):
        server.start()
