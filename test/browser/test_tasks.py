"""Long work: a copy to another storage is seen while it runs, to its end, to its failure with the reason, and is canceled."""

import pytest
from ova_package import MIB
from quire_server import QuireServer
from rest_client import Transfers, upload_item
from test_libraries import make_library


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tasks")
    flags = ["--storage", "fast", "--storage", f"archive={folder / 'archive'}", "--copy-in-call-bytes-max", "64KiB", "--task-attempts", "8"]
    started = QuireServer(folder / "server", flags=flags).start()
    yield started
    started.stop()


@pytest.fixture
def archive(rest):
    """A library on the other storage."""
    name = "archived"
    for one in rest.call("library.list").value:
        if rest.call("library.get", library_id=one).value["name"] == name:
            return one
    other = {"type": "DATASTORE", "datastore_id": "datastore-12"}
    return rest.call("local_library.create", create_spec={"name": name, "storage_backings": [other]}).value


@pytest.fixture
def out_of_reach(server, rest, archive, request):
    """An item whose bytes its storage cannot give at the moment: a copy of it runs until they are back()."""
    library = make_library(rest, request.node.name)
    before = set(server.data_dir.rglob("blobs/*/*"))
    content = request.node.name.encode().ljust(MIB, b"x")
    item = upload_item(rest, Transfers(server), library, request.node.name, {"image.iso": content})
    [blob] = set(server.data_dir.rglob("blobs/*/*")) - before
    away = blob.with_name(blob.name + ".away")
    blob.rename(away)
    blob.symlink_to(away)  # which the server does not follow; it tries again for two minutes

    def back():
        blob.unlink()
        away.rename(blob)

    yield item, back, blob


def copy_of(page, server, item, name):
    page.goto(f"{server.url}/ui/items/{item}")
    page.get_by_role("button", name="Copy", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Into the library").select_option(label="archived")
    dialog.get_by_label("Name of the copy").fill(name)
    dialog.get_by_role("button", name="Copy").click()
    page.get_by_text(f"{name} is being copied to another storage.").wait_for()
    page.get_by_role("link", name="Tasks").click()
    page.get_by_role("heading", name="Tasks", exact=True, level=1).wait_for()


def row_of(page):
    """Of the newest task."""
    return page.locator(".row").first


def test_a_copy_is_seen_from_its_beginning_to_its_end(page, server, rest, archive, out_of_reach):
    item, back, _ = out_of_reach
    copy_of(page, server, item, "kept")
    row_of(page).get_by_text("Running").wait_for()
    row_of(page).get_by_text(server.user).wait_for()
    back()
    row_of(page).get_by_text("Succeeded").wait_for()
    assert row_of(page).get_by_role("button").count() == 0, "there is nothing to cancel any more"
    page.get_by_role("link", name="Libraries", exact=True).click()
    page.get_by_role("link", name="archived").click()
    page.get_by_role("row", name="kept").get_by_text("1 MiB").wait_for()


def test_a_copy_is_canceled(page, server, rest, archive, out_of_reach):
    item, _, _ = out_of_reach
    copy_of(page, server, item, "unwanted")
    row_of(page).get_by_text("Running").wait_for()
    row_of(page).get_by_role("button", name="Cancel").click()
    page.get_by_text("The task is asked to stop.").wait_for()
    row_of(page).get_by_text("Failed").wait_for()
    row_of(page).get_by_text("was canceled.").wait_for()
    names = [rest.call("item.get", library_item_id=one).value["name"] for one in rest.call("item.list", library_id=archive).value]
    assert "unwanted" not in names


def test_a_copy_that_fails_says_why(page, server, rest, archive, out_of_reach):
    item, _, blob = out_of_reach
    copy_of(page, server, item, "lost")
    row_of(page).get_by_text("Running").wait_for()
    blob.unlink()  # now its bytes are gone for good
    row_of(page).get_by_text("Failed").wait_for()
    row_of(page).get_by_text("is damaged: its bytes are no longer those that were uploaded. Restore it from a backup").wait_for()
