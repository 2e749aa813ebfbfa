"""Update sessions of everybody: who holds an item, until when; kept alive and canceled."""

from datetime import datetime, timedelta

from conftest import drop, make_user, sign_in, until
from ova_package import MIB, write_random
from test_libraries import make_item, make_library
from test_uploads import slow  # noqa: F401  a fixture


def open_session(rest, item):
    return rest.call("update_session.create", create_spec={"library_item_id": item}).value


def test_who_holds_an_item_and_until_when(page, server, rest):
    library = make_library(rest, "held")
    item = make_item(rest, library, "thing")
    session = open_session(rest, item)
    rest.call("update_session.file.add", update_session_id=session, file_spec={"name": "a.txt", "source_type": "PUSH", "size": 5})
    page.goto(f"{server.url}/ui/libraries/{library}")
    page.get_by_role("link", name=server.user).click()
    page.get_by_role("heading", name="Update of thing", exact=True, level=1).wait_for()
    page.get_by_text("Waiting for transfer").wait_for()
    left = page.locator(".facts > div", has_text="Expires in").locator("dd")
    first = left.inner_text()
    until(lambda: left.inner_text() != first)

    page.get_by_role("button", name="Keep alive").click()
    page.get_by_text("It has a whole time-out again.").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the update").click()
    page.get_by_role("button", name="Take off the list").click()
    page.get_by_role("heading", name="Update sessions", exact=True, level=1).wait_for()
    assert session not in rest.call("update_session.list").value


def test_looking_keeps_no_session_alive(page, server, rest):
    item = make_item(rest, make_library(rest, "looked at"), "thing")
    session = open_session(rest, item)
    page.goto(f"{server.url}/ui/sessions/{session}")
    page.get_by_role("button", name="Keep alive").wait_for()

    def expires():
        one = "async (id) => (await (await fetch('/api/quire/update-sessions')).json()).find((one) => one.update_session === id).expiration_time"
        return datetime.fromisoformat(page.evaluate(one, session))

    first = expires()
    page.wait_for_timeout(1500)
    page.reload()
    page.get_by_role("button", name="Keep alive").wait_for()
    assert abs(expires() - first) < timedelta(seconds=1)


def test_another_upload_shows_with_its_progress(watch, page, server, rest, slow, tmp_path):  # noqa: F811
    library = make_library(rest, "progress")
    watched = watch()
    watched.expect("401 (Unauthorized)", "net::ERR_", "410 (Gone)")
    sender = watched.context.new_page()
    sign_in(sender, server, base=slow.url)
    sender.goto(f"{slow.url}/ui/libraries/{library}")
    sender.get_by_role("button", name="Upload files").wait_for()
    slow.rate = 4 * MIB  # it lasts until it is canceled below
    drop(sender, "#main", write_random(tmp_path / "large.iso", 64 * MIB, 3))
    sender.get_by_role("dialog").get_by_role("button", name="Upload").click()
    # Two watch it: the administrator, and somebody who may update items of this library alone.
    make_user(rest, server, "watcher@vsphere.local", "keeps watching", "Contributor", library)
    also = watch()
    also.expect("401 (Unauthorized)")
    colleague = also.context.new_page()
    sign_in(colleague, server, user="watcher", password="keeps watching")
    for one in (page, colleague):
        one.goto(f"{server.url}/ui/sessions")
        one.get_by_role("link", name="large").click()
    for one in (page, colleague):
        one.get_by_text("Transferring").first.wait_for()
        bar = one.locator("table progress")
        first = bar.evaluate("one => one.value")
        until(lambda bar=bar, first=first: bar.evaluate("one => one.value") > first)
        one.locator(".facts > div", has_text="Rate").get_by_text("left").wait_for()
    assert colleague.get_by_role("button", name="Cancel").count() == 0, "it is another's"
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the update").click()
    sender.get_by_text("Its update session was canceled.").wait_for()
    colleague.locator(".facts").get_by_text("Canceled").wait_for()


def test_an_item_that_another_holds_says_so(page, server, rest):
    library = make_library(rest, "busy")
    item = make_item(rest, library, "thing")
    open_session(rest, item)
    page.goto(f"{server.url}/ui/items/{item}")
    page.get_by_text(f"{server.user} is updating this item since").wait_for()
    page.get_by_role("link", name="Look at the update session").click()
    page.get_by_role("heading", name="Update of thing", exact=True, level=1).wait_for()
