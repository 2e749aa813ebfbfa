"""Items from a URL: the certificate there is shown, and accepted or not."""

import hashlib

import pytest
from conftest import until
from http_source import HttpSource, Reply, make_certificate
from quire_server import QuireServer
from test_libraries import make_library


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = QuireServer(tmp_path_factory.mktemp("pulling") / "server", flags=["--pull-allow", "127.0.0.0/8"]).start()
    yield started
    started.stop()


@pytest.fixture
def source(tmp_path):
    certificate = make_certificate(tmp_path, "mirror.example")
    with HttpSource(certificate=certificate) as source:
        source.certificate_shown = certificate
        yield source


def ask_for(page, server, library, url):
    page.goto(f"{server.url}/ui/libraries/{library}")
    page.get_by_role("button", name="Add from a URL").click()
    page.get_by_role("textbox", name="URL").fill(url)
    page.get_by_role("button", name="Look").click()


def test_a_certificate_is_shown_and_accepted(page, server, rest, source):
    library = make_library(rest, "mirrored")
    content = b"fetched" * 200_000
    ask_for(page, server, library, source.answer("/images/boot%20disk.iso", Reply(content, etag='"1"')))
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("does not know who vouches").wait_for()
    shown = dialog.inner_text()
    assert "CN=mirror.example" in shown
    assert source.certificate_shown.thumbprint("sha256") in shown and source.certificate_shown.thumbprint("sha1") in shown
    dialog.get_by_role("button", name="Accept and fetch").click()
    page.get_by_role("heading", name="Update of boot disk", level=1).wait_for()
    item = rest.call("item.list", library_id=library).value[0]
    until(lambda: rest.call("item.get", library_item_id=item).value["size"] == len(content))
    [file] = rest.call("item.file.list", library_item_id=item).value
    assert (file["name"], file["checksum_info"]["checksum"]) == ("boot disk.iso", hashlib.sha256(content).hexdigest())
    assert rest.call("item.get", library_item_id=item).value["type"] == "iso"


def test_a_certificate_that_is_not_accepted_fetches_nothing(page, server, rest, source):
    library = make_library(rest, "refused")
    ask_for(page, server, library, source.answer("/boot.iso", Reply(b"x")))
    page.get_by_role("dialog").get_by_text("does not know who vouches").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").wait_for(state="detached")
    assert rest.call("item.list", library_id=library).value == []
    assert source.requests("/boot.iso") == []


def test_what_cannot_be_fetched_is_told_before_anything_is_made(page, server, rest, source):
    library = make_library(rest, "unreachable")
    ask_for(page, server, library, "https://127.0.0.1:1/boot.iso")
    error = page.locator(".notice.error")
    error.wait_for()
    assert error.inner_text().strip()
    assert rest.call("item.list", library_id=library).value == []
