"""1,000 libraries and 10,000 items: shown at once, scrolled without a blank, found by typing. How fast, bench/page.py measures."""

import sqlite3

import pytest
from conftest import sign_in
from quire_server import QuireServer
from rest_client import NewRest
from test_libraries import make_item, make_library

LIBRARIES, ITEMS = 1000, 10_000
# Scrolls from top to bottom; for each frame, whether rows filled what shows.
FILLED = """
async (step) => {
  const rows = document.querySelector(".rows");
  const filled = [];
  for (let count = 0; count < 240; ++count) {
    rows.scrollTop += step;
    await new Promise(requestAnimationFrame);
    await new Promise((shown) => setTimeout(shown));
    const seen = rows.getBoundingClientRect();
    const all = [...rows.querySelectorAll(".row")].map((row) => row.getBoundingClientRect());
    filled.push(Math.min(...all.map(({ top }) => top)) <= seen.top + 1 && Math.max(...all.map(({ bottom }) => bottom)) >= seen.bottom - 36);
  }
  return { filled, bottom: rows.scrollTop };
}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Rows copied in the catalog: making them one by one over the wire takes a quarter of an hour."""
    started = QuireServer(tmp_path_factory.mktemp("many") / "server").start()
    rest = NewRest(started).log_in()
    library = make_library(rest, "library 0000")
    item = make_item(rest, library, "item 00000")
    started.stop()
    catalog = sqlite3.connect(started.data_dir / "catalog.sqlite")
    copy(catalog, "libraries", library, ((f"library {number:04}", {}) for number in range(1, LIBRARIES)))
    copy(catalog, "items", item, ((f"item {number:05}", {}) for number in range(1, ITEMS)))
    catalog.commit()
    catalog.close()
    started.start()
    started.full = library
    yield started
    started.stop()


def copy(catalog, table, row_id, names):
    columns = [row[1] for row in catalog.execute(f"PRAGMA table_info({table})")]
    row = dict(zip(columns, catalog.execute(f"SELECT * FROM {table} WHERE id = ?", (row_id,)).fetchone(), strict=True))
    for number, (name, changes) in enumerate(names):
        values = row | {"id": f"{row_id[:-8]}{number:08x}", "name": name} | changes
        catalog.execute(f"INSERT INTO {table} ({','.join(values)}) VALUES ({','.join('?' * len(values))})", list(values.values()))


@pytest.mark.parametrize(("place", "rows"), [("/ui/libraries", LIBRARIES), ("items", ITEMS)])
def test_scrolling_shows_rows_all_the_way(page, server, place, rows):
    page.goto(server.url + (f"/ui/libraries/{server.full}" if place == "items" else place))
    page.get_by_text(f"{rows:,} rows").wait_for()
    assert page.locator(".row").count() < 80, "only what shows is in the document"
    scrolled = page.evaluate(FILLED, rows * 36 / 240)
    assert scrolled["bottom"] > rows * 36 * 0.9
    assert all(scrolled["filled"])
    assert page.locator(".row").count() < 80
    page.get_by_placeholder("Filter").fill("0999")
    digits = 4 if rows == LIBRARIES else 5
    page.get_by_text(f"{sum('0999' in f'{number:0{digits}}' for number in range(rows))} of {rows:,}").wait_for()


def test_all_of_them_come_in_one_call(watch, server):
    watched = watch()
    watched.expect("401 (Unauthorized)")
    page = watched.context.new_page()
    sign_in(page, server)
    answers = []
    page.on("response", lambda response: answers.append(response) if "/api/" in response.url else None)
    with page.expect_response("**/quire/items?**") as listed:
        page.goto(f"{server.url}/ui/libraries/{server.full}")
    page.get_by_text(f"{ITEMS:,} rows").wait_for()
    assert len(listed.value.json()) == ITEMS
    assert len(answers) < 50, "not one call for each row"
