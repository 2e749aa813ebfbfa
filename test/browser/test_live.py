"""What others do shows by itself, without a reload, over one connection for all tabs."""

import re

import pytest
import requests
from conftest import drop, findings, sign_in, until
from cutting_proxy import CuttingProxy
from ova_package import MIB, write_random
from raw_http import RawConnection, path_of
from test_libraries import make_item, make_library
from test_uploads import ended, open_library, upload

SOON = 10_000


@pytest.fixture(autouse=True)
def _needs_events(server, rest):
    response = rest.http.get(server.url + "/api/events", headers={"vmware-api-session-id": rest.session_id}, stream=True, timeout=20)
    response.close()
    if response.status_code == 404:
        pytest.skip("this server has no event stream")


def live(page):
    page.get_by_text("Live", exact=True).wait_for()


def test_what_another_client_makes_shows(page, server, rest):
    page.goto(server.url + "/ui/libraries")
    live(page)
    library = make_library(rest, "made elsewhere")
    page.get_by_role("link", name="made elsewhere").wait_for(timeout=SOON)
    page.get_by_role("link", name="made elsewhere").click()
    item = make_item(rest, library, "thing")
    page.get_by_role("link", name="thing").wait_for(timeout=SOON)
    session = rest.call("update_session.create", create_spec={"library_item_id": item}).value
    page.get_by_role("link", name=server.user).wait_for(timeout=SOON)
    rest.call("update_session.cancel", update_session_id=session)
    page.get_by_role("link", name=server.user).wait_for(state="detached", timeout=SOON)
    rest.call("item.delete", library_item_id=item)
    page.get_by_text("Nothing in this library yet").wait_for(timeout=SOON)
    rest.call("library.update", library_id=library, update_spec={"name": "renamed elsewhere"})
    page.get_by_role("heading", name="renamed elsewhere", level=1).wait_for(timeout=SOON)


def test_an_upload_shows_to_somebody_who_watches(watch, page, server, rest, tmp_path):
    library = make_library(rest, "watched")
    watched = watch()
    watched.expect("401 (Unauthorized)")
    other = watched.context.new_page()
    sign_in(other, server)
    other.goto(f"{server.url}/ui/libraries/{library}")
    live(other)
    open_library(page, server, library)
    drop(page, "#main", write_random(tmp_path / "image.iso", 2 * MIB, 1))
    upload(page)
    ended(page)
    other.get_by_role("row", name=re.compile("image.*2 MiB")).wait_for(timeout=SOON)


def test_eight_tabs_need_one_connection(page, server, rest):
    pages = [page]
    for _ in range(7):
        another = page.context.new_page()
        another.goto(server.url + "/ui/libraries")
        pages.append(another)
    for one in pages:
        live(one)
    make_library(rest, "for all tabs")
    for one in pages:
        if "/ui/libraries" in one.url or one is page:
            one.bring_to_front()
            one.get_by_role("link", name="for all tabs").wait_for(timeout=SOON)


def test_a_broken_stream_is_taken_up_and_nothing_is_missed(watch, server, rest):
    proxy = CuttingProxy(server.host, server.port)
    watched = watch()
    watched.expect("401 (Unauthorized)", "net::ERR_")
    page = watched.context.new_page()
    sign_in(page, server, base=proxy.url)
    page.goto(proxy.url + "/ui/libraries")
    live(page)
    proxy.gone = True
    proxy.cut()
    page.get_by_text("Not live").wait_for()
    make_library(rest, "made while nobody listened")
    proxy.gone = False
    live(page)
    page.get_by_role("link", name="made while nobody listened").wait_for(timeout=SOON)
    proxy.close()


def test_nothing_is_asked_for_repeatedly(page, server, rest):
    """Ten minutes of the page's own clock go by at once: a timer that asks would ask, hundreds of times."""
    page.clock.install()
    make_library(rest, "quiet")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for place in ("libraries", "tasks", "storage", "sessions", "access", "server"):
        page.goto(f"{server.url}/ui/{place}")
        live(page)

        def quiet():
            """For a second: what it asks for at first, and once more when it is live, has been asked for."""
            before = len(asked)
            page.wait_for_timeout(1000)
            return len(asked) == before and page.locator(".loading, [aria-busy=true]").count() == 0

        until(quiet)
        before = len(asked)
        page.clock.run_for(600_000)
        page.wait_for_timeout(200)
        assert asked[before:] == [], place


def test_progress_comes_by_the_events(page, server, rest):
    """Bytes come, and the page asks for nothing but its event stream."""
    library = make_library(rest, "progress")
    item = make_item(rest, library, "image")
    session = rest.call("update_session.create", create_spec={"library_item_id": item}).value
    spec = {"name": "image.iso", "source_type": "PUSH", "size": 64 * MIB}
    path = path_of(rest.call("update_session.file.add", update_session_id=session, file_spec=spec).value["upload_endpoint"]["uri"])
    page.goto(f"{server.url}/ui/sessions/{session}")
    live(page)
    page.locator("table progress").wait_for()
    asked = []
    with RawConnection(server) as upload:
        upload.send_head("PUT", path, {"Content-Length": 64 * MIB})
        upload.send(bytes(8 * MIB))
        for part in range(1, 8):
            page.get_by_text(f"{8 * part} MiB of 64 MiB").first.wait_for()
            if part == 2:  # what it asks for once progress comes has been asked for
                page.on("request", lambda request: asked.append(request.url) if "/api/events" not in request.url else None)
            if part < 7:
                upload.send(bytes(8 * MIB))
        page.locator(".facts > div", has_text="Rate").wait_for()
        assert asked == []
        assert not findings(page)
        upload.send(bytes(8 * MIB))
        assert upload.response()[0] == 200
    page.get_by_text("Ready", exact=True).first.wait_for()  # an event
    rest.call("update_session.keep_alive", update_session_id=session, client_progress=40)
    page.get_by_text("40 %").wait_for()
    rest.call("update_session.cancel", update_session_id=session)
    page.get_by_text("Canceled").first.wait_for()


def test_an_end_of_the_login_elsewhere_is_noticed(page, server):
    """Nobody clicks: the stream's end tells. The place is kept."""
    page.goto(server.url + "/ui/storage")
    live(page)
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "__Host-quire-session")
    requests.delete(server.url + "/api/session", headers={"vmware-api-session-id": token}, verify=str(server.ca_file), timeout=20)
    page.get_by_text("Your session has ended. Sign in again.").wait_for()
    page.get_by_label("User").fill(server.user)
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Storage", exact=True, level=1).wait_for()
