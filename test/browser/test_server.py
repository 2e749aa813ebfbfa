"""What an operator looks at: what fills the storages, and how the server is."""

import re

from conftest import findings, until
from ova_package import MIB
from rest_client import Transfers, upload_item
from test_libraries import make_library


def test_the_storage_chart_shows_libraries_by_what_they_hold(page, server, rest):
    small, large = make_library(rest, "small library"), make_library(rest, "large library")
    make_library(rest, "empty library")
    upload_item(rest, Transfers(server), small, "one", {"a.iso": b"a" * MIB})
    upload_item(rest, Transfers(server), large, "three", {"b.iso": b"b" * (3 * MIB)})
    page.goto(server.url + "/ui/storage")
    page.get_by_text("75 %").wait_for()
    assert [re.sub(r"\s+", " ", row).strip() for row in page.locator(".row").all_inner_texts()][:2] == [
        "large library LocalDS_0 1 3 MiB 75 %",
        "small library LocalDS_0 1 1 MiB 25 %",
    ]
    legend = page.locator(".legend").inner_text()
    assert "large library" in legend and "Free" in legend and "empty library" not in legend
    chart = page.get_by_role("img", name="large library 3 MiB")
    assert "small library 1 MiB" in chart.get_attribute("aria-label")
    widths = chart.locator("i").evaluate_all("all => all.map((one) => one.getBoundingClientRect().width)")
    assert widths[0] >= widths[1]
    # Others upload: it shows by itself.
    upload_item(rest, Transfers(server), small, "four", {"c.iso": b"c" * (4 * MIB)})
    page.get_by_role("row", name="small library").get_by_text("5 MiB").wait_for()
    page.get_by_role("link", name="small library").first.click()
    page.get_by_role("heading", name="small library", level=1).wait_for()


def test_the_server_tells_versions_storages_and_queues(page, server, rest):
    item = rest.call("item.create", create_spec={"library_id": make_library(rest, "queues"), "name": "held"}).value
    page.goto(server.url + "/ui/server")
    page.get_by_role("heading", name="Program").wait_for()
    facts = lambda name: page.locator(".facts > div", has_text=name).locator("dd").first.inner_text()  # noqa: E731
    version = page.evaluate("async () => (await (await fetch('/api/quire/server/state')).json()).version")
    assert facts("Version") == version and facts("Catalog") == "SQLite"
    assert re.fullmatch(r"[\d.]+ \w+ free of [\d.]+ \w+", facts("LocalDS_0"))
    assert facts("Update sessions") == "0"
    rest.call("update_session.create", create_spec={"library_item_id": item})
    page.locator(".facts > div", has_text="Update sessions").get_by_text("1", exact=True).wait_for()


def test_the_last_error_of_a_worker_is_shown(page, server, rest):
    """The audit file cannot be written: a folder is in its place."""
    kept = server.audit_file.with_name("audit.kept")
    server.audit_file.rename(kept)
    server.audit_file.mkdir()
    page.goto(server.url + "/ui/server")
    row = page.get_by_role("row", name="audit file")

    def looks(text):
        page.get_by_role("button", name="Look again").click()
        page.wait_for_timeout(200)
        return row.get_by_text(text).count() > 0

    try:
        make_library(rest, "for the trail")
        until(lambda: looks("Failed"))
        page.get_by_role("alert").get_by_text("audit file").wait_for()
        assert row.get_by_role("gridcell").nth(3).inner_text().strip()
        assert not findings(page)
    finally:
        server.audit_file.rmdir()
        kept.rename(server.audit_file)
    until(lambda: looks("Well"))
    assert row.get_by_role("gridcell").nth(3).inner_text().strip(), "the last error stays"
    assert page.get_by_role("alert").count() == 0
