"""Libraries and items: made, shown, changed, copied, deleted; by mouse and by keys; addresses and the back button."""

import pytest


def make_library(rest, name):
    return rest.call("local_library.create", create_spec={"name": name, "storage_backings": [{"type": "DATASTORE", "datastore_id": "datastore-11"}]}).value


def make_item(rest, library, name):
    return rest.call("item.create", create_spec={"library_id": library, "name": name}).value


def test_from_nothing_to_an_item_and_away_again(page, server, rest):
    page.watched.expect("permissions/effective")  # the library can be gone before its event has told the page to leave it
    for one in rest.call("library.list").value:
        rest.call("library.delete", library_id=one)
    page.reload()
    page.get_by_text("No library yet").wait_for()
    page.get_by_role("button", name="New library").click()
    page.get_by_label("Name", exact=True).fill("Golden images")
    page.get_by_label("Description").fill("What every machine begins with")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("heading", name="Golden images", exact=True, level=1).wait_for()
    page.get_by_text("Nothing in this library yet").wait_for()

    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Name", exact=True).fill("Images")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="Images", exact=True, level=1).wait_for()
    page.get_by_role("link", name="Summary").click()
    page.get_by_text("What every machine begins with").wait_for()

    page.get_by_role("button", name="Enter maintenance").click()
    page.get_by_role("button", name="Leave maintenance").click()
    page.get_by_role("button", name="Enter maintenance").wait_for()

    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("cannot be taken back").wait_for()
    dialog.get_by_role("button", name="Delete").click()
    page.get_by_text("No library yet").wait_for()
    assert rest.call("library.list").value == []


def test_an_item_is_renamed_copied_and_deleted(page, server, rest):
    library = make_library(rest, "copies")
    item = make_item(rest, library, "one")
    page.goto(f"{server.url}/ui/items/{item}")
    page.get_by_text("This item has no content yet").wait_for()
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Name", exact=True).fill("first")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name="first", exact=True, level=1).wait_for()
    page.get_by_role("button", name="Copy").click()
    page.get_by_label("Name of the copy").fill("second")
    page.get_by_role("dialog").get_by_role("button", name="Copy").click()
    page.get_by_role("dialog").wait_for(state="detached")
    page.get_by_role("navigation", name="Where this is").get_by_role("link", name="copies").click()
    page.get_by_role("link", name="second").click()
    page.get_by_role("heading", name="second", exact=True, level=1).wait_for()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("link", name="first").wait_for()
    assert page.get_by_role("link", name="second").count() == 0


def test_a_refusal_is_shown_with_what_to_do(page, server, rest):
    library = make_library(rest, "taken names")
    make_item(rest, library, "one")
    item = make_item(rest, library, "two")
    page.goto(f"{server.url}/ui/items/{item}")
    page.watched.expect("400 (Bad Request)")
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Name", exact=True).fill("one")
    page.get_by_role("button", name="Save").click()
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "one" in alert.text_content() and alert.text_content().strip().endswith(".")
    assert page.get_by_role("dialog").is_visible(), "what was typed stays"


def test_every_place_has_an_address_and_back_leads_back(page, server, rest):
    library = make_library(rest, "places")
    item = make_item(rest, library, "thing")
    page.goto(server.url + "/")
    page.get_by_role("link", name="places").click()
    page.get_by_role("link", name="thing").click()
    page.get_by_role("link", name="History").click()
    assert page.url == f"{server.url}/ui/items/{item}/history"
    page.reload()
    page.get_by_role("link", name="History", exact=True).wait_for()
    assert page.title() == "thing – Quire"
    page.go_back()
    page.get_by_text("This item has no content yet").wait_for()
    page.go_back()
    page.get_by_role("heading", name="places", exact=True, level=1).wait_for()
    page.go_back()
    page.get_by_role("heading", name="Libraries", exact=True, level=1).wait_for()
    page.go_forward()
    page.get_by_role("heading", name="places", exact=True, level=1).wait_for()


def test_what_is_not_there_is_told(page, server):
    page.watched.expect("404 (Not Found)")
    page.goto(server.url + "/ui/items/no-such-item")
    page.get_by_role("alert").wait_for()
    page.goto(server.url + "/ui/nonsense")
    page.get_by_text("There is no such page").wait_for()


def test_marking_sorting_and_filtering(page, server, rest):
    library = make_library(rest, "many")
    for name in ("b2", "a10", "a9", "c"):
        make_item(rest, library, name)
    page.goto(f"{server.url}/ui/libraries/{library}")
    names = lambda: page.locator(".row a").all_text_contents()  # noqa: E731
    page.get_by_role("link", name="a10").wait_for()
    page.get_by_role("button", name="Name").click()
    assert names() == ["a9", "a10", "b2", "c"], "numbers in names count as numbers"
    page.get_by_role("button", name="Name").click()
    assert names() == ["c", "b2", "a10", "a9"]
    page.get_by_placeholder("Filter").fill("A1")
    page.get_by_text("1 of 4").wait_for()
    page.get_by_placeholder("Filter").fill("")
    page.get_by_label("Mark all rows").check()
    page.get_by_role("button", name="Delete").nth(1).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("Nothing in this library yet").wait_for()


def test_all_by_keys(page, server, rest):
    library = make_library(rest, "keys")
    for number in range(100):
        make_item(rest, library, f"item {number:02}")
    page.goto(f"{server.url}/ui/libraries/{library}")
    page.locator("[data-index='0']").focus()
    page.keyboard.press("End")
    page.wait_for_function("() => document.activeElement.dataset.index === '99'")
    assert "item 99" in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    page.get_by_text("100 rows, 1 marked").wait_for()
    page.keyboard.press("Home")
    page.wait_for_function("() => document.activeElement.dataset.index === '0'")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="item 00", exact=True, level=1).wait_for()
    # A dialog takes the focus, keeps it, gives it back.
    edit = page.get_by_role("button", name="Edit")
    edit.focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate("!!document.activeElement.closest('dialog') || document.activeElement === document.body")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    assert edit.evaluate("one => one === document.activeElement")


@pytest.mark.parametrize("width", [390, 760])
def test_a_narrow_window_has_a_menu(page, server, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(server.url + "/")
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Storage").click()
    page.get_by_role("heading", name="Storage", exact=True, level=1).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
