"""Every page, empty and full, light and dark: axe finds nothing serious, nothing breaks the Content-Security-Policy, and a
picture is taken. QUIRE_SCREENSHOTS=FOLDER keeps the pictures, as docs/screenshots has them."""

import os
from pathlib import Path

import pytest
from conftest import Watched, drop, findings, sign_in
from http_source import make_certificate
from ova_package import MIB, write_random
from publisher import Fault, Publisher
from quire_server import QuireServer
from rest_client import NewRest
from signed_package import make_telling_package
from subscription_client import Subscription
from test_libraries import make_item, make_library
from test_uploads import ended, open_library, upload

SCHEMES = ("light", "dark")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    started = QuireServer(folder / "server", flags=["--storage", "fast", "--storage", f"archive={folder / 'archive'}", "--pull-allow", "127.0.0.0/8", "--pull-attempts", "1"]).start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def publisher():
    """Two items that can be had, and one that cannot."""
    with Publisher() as opened:
        for name in ("kept.iso", "other.iso", "missing.iso"):
            item = opened.add(name.removesuffix(".iso"), {name: b"x" * MIB}, kind="vcsp.iso")
        opened.fault(opened.path_of(item, "missing.iso"), Fault(status=404))
        yield opened


@pytest.fixture(scope="module")
def places(browser, server, publisher, tmp_path_factory):
    """Something of everything; the addresses of what was made."""
    folder = tmp_path_factory.mktemp("content")
    rest = NewRest(server).log_in()
    templates = make_library(rest, "Templates")
    images = make_library(rest, "Installation images")
    make_library(rest, "Scripts")
    for number in range(1, 40):
        make_item(rest, images, f"installer {number}")
    signer = make_certificate(folder, "Example signing", address=None)
    package = make_telling_package(folder / "package", "appliance-4.2", signer=signer)
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    sign_in(page, server)
    open_library(page, server, templates)
    drop(page, "#main", *package.all_files())
    upload(page)
    page.get_by_role("button", name="Look…").click()
    page.get_by_role("button", name="Accept and go on").click()
    ended(page)
    open_library(page, server, images)
    drop(page, "#main", write_random(folder / "debian-12.iso", 24 * MIB, 4), write_random(folder / "rescue.iso", 9 * MIB, 5))
    upload(page)
    ended(page, count=2)
    context.close()
    item = rest.call("item.list", library_id=templates).value[0]
    archive = rest.call("local_library.create", create_spec={"name": "Archive", "storage_backings": [{"type": "DATASTORE", "datastore_id": "datastore-12"}]}).value
    headers = {"vmware-api-session-id": rest.session_id}
    rest.http.put(f"{server.url}/api/quire/quota/libraries/{templates}", json={"bytes": 100 * MIB, "items": 2}, headers=headers, timeout=20).raise_for_status()
    for image in rest.call("item.list", library_id=images).value:
        if rest.call("item.get", library_item_id=image).value["name"] == "debian-12":  # large enough for a task
            rest.call("item.copy", source_library_item_id=image, destination_create_spec={"library_id": archive, "name": "debian-12"})
    held = make_item(rest, templates, "appliance-5.0")
    session = rest.call("update_session.create", create_spec={"library_item_id": held}).value
    rest.call("update_session.file.add", update_session_id=session, file_spec={"name": "appliance-5.0.ova", "source_type": "PUSH", "size": 2 * MIB})
    rest.ok("local_library.update", library_id=archive, update_spec={"publish_info": {"published": True, "authentication_method": "NONE"}})
    followed = Subscription(rest, publisher.url, "Followed")
    followed.quiet()
    on_demand = Subscription(rest, publisher.url, "On demand", on_demand=True).first()
    return {
        "libraries": "/ui/libraries",
        "library": f"/ui/libraries/{templates}",
        "library-summary": f"/ui/libraries/{templates}/summary",
        "library-permissions": f"/ui/libraries/{templates}/permissions",
        "library-unpublished": f"/ui/libraries/{templates}/publication",
        "library-publication": f"/ui/libraries/{archive}/publication",
        "subscribed": f"/ui/libraries/{followed.id}",
        "subscription": f"/ui/libraries/{followed.id}/subscription",
        "subscribed-item": f"/ui/items/{on_demand.item_ids()[0]}",
        "item": f"/ui/items/{item}",
        "item-package": f"/ui/items/{item}/package",
        "item-history": f"/ui/items/{item}/history",
        "item-empty": f"/ui/items/{held}",
        "sessions": "/ui/sessions",
        "session": f"/ui/sessions/{session}",
        "tasks": "/ui/tasks",
        "storage": "/ui/storage",
        "users": "/ui/access/users",
        "groups": "/ui/access/groups",
        "roles": "/ui/access/roles",
        "permissions": "/ui/access/permissions",
        "tokens": "/ui/access/tokens",
        "certificates": "/ui/certificates",
        "audit": "/ui/audit",
        "server": "/ui/server",
        "nowhere": "/ui/nowhere",
    }


NAMES = [
    *("libraries", "library", "library-summary", "library-permissions", "item", "item-package", "item-history", "item-empty", "sessions", "session"),
    *("library-unpublished", "library-publication", "subscribed", "subscription", "subscribed-item"),
    *("tasks", "storage", "users", "groups", "roles", "permissions", "tokens", "certificates", "audit", "server", "nowhere"),
]


def settle(page):
    page.wait_for_function("() => !document.querySelector('.loading, [aria-busy=true]') && document.querySelector('h1')")
    page.wait_for_timeout(150)


def shoot(page, name, scheme):
    if folder := os.environ.get("QUIRE_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}-{scheme}.png")


@pytest.fixture(scope="module", params=SCHEMES)
def opened(request, browser, server, places):
    watched = Watched(browser, color_scheme=request.param, reduced_motion="reduce")
    watched.expect("401 (Unauthorized)")
    page = watched.context.new_page()
    page.scheme = request.param
    page.watched = watched
    page.goto(server.url)
    page.get_by_label("User").wait_for()
    shoot(page, "sign-in", page.scheme)
    page.sign_in_findings = findings(page)
    sign_in(page, server)
    yield page
    watched.check()
    watched.close()


def test_sign_in(opened):
    assert not opened.sign_in_findings, "\n".join(opened.sign_in_findings)


@pytest.mark.parametrize("name", NAMES)
def test_page(opened, server, places, name):
    opened.goto(server.url + places[name])
    settle(opened)
    shoot(opened, name, opened.scheme)
    found = findings(opened)
    assert not found, "\n".join(found)
    assert opened.evaluate("window.violations") == []
    assert opened.locator("h1").count() == 1
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight")


DIALOGS = {
    "new-library": ("libraries", "New library"),
    "upload-url": ("library", "Add from a URL"),
    "edit-item": ("item", "Edit"),
    "new-role": ("roles", "New role"),
    "new-token": ("tokens", "New token"),
    "new-user": ("users", "New user"),
    "licence": ("item-package", "Read"),
    "subscribe": ("libraries", "Subscribe"),
    "limits": ("subscription", "Limits"),
    "publish": ("library-unpublished", "Publish"),
    "add-subscription": ("library-publication", "Add"),
}


@pytest.mark.parametrize("name", DIALOGS)
def test_dialog(opened, server, places, name):
    place, button = DIALOGS[name]
    opened.goto(server.url + places[place])
    settle(opened)
    opened.get_by_role("button", name=button).first.click()
    opened.get_by_role("dialog").wait_for()
    shoot(opened, "dialog-" + name, opened.scheme)
    found = findings(opened)
    assert not found, "\n".join(found)
    opened.keyboard.press("Escape")
    opened.get_by_role("dialog").wait_for(state="detached")
