"""The pictures of docs/screenshots: a server as people have it. They are taken anew by `make screenshots`."""

import os
from pathlib import Path

import pytest
from conftest import Watched, drop, sign_in, until
from cutting_proxy import CuttingProxy
from http_source import make_certificate
from ova_package import MIB, write_random
from publisher import Fault, Publisher
from quire_server import QuireServer
from rest_client import NewRest
from signed_package import make_telling_package
from subscription_client import Subscription, subscription_info
from test_libraries import make_item, make_library
from test_uploads import ended, open_library, upload

FOLDER = os.environ.get("QUIRE_SCREENSHOTS")
pytestmark = pytest.mark.skipif(not FOLDER, reason="QUIRE_SCREENSHOTS says where to")


@pytest.fixture
def server(tmp_path):
    started = QuireServer(tmp_path / "server", flags=["--storage", "fast", "--storage", f"archive={tmp_path / 'archive'}", "--pull-allow", "127.0.0.0/8", "--pull-attempts", "1"]).start()
    yield started
    started.stop()


@pytest.fixture
def slow(server):
    proxy = CuttingProxy(server.host, server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def publisher(tmp_path):
    """Somebody else's library, one item of which cannot be had at the moment."""
    with Publisher(certificate=make_certificate(tmp_path, "publisher.example")) as opened:
        for name in ("debian-12", "rocky-9", "ubuntu-24.04", "windows-drivers"):
            item = opened.add(name, {f"{name}.iso": b"x" * MIB}, kind="vcsp.iso")
        opened.fault(opened.path_of(item, "windows-drivers.iso"), Fault(status=404))
        yield opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures(browser, server, publisher, slow, scheme, tmp_path):
    rest = NewRest(server).log_in()
    watched = Watched(browser, color_scheme=scheme, reduced_motion="reduce")
    page = watched.context.new_page()

    def shoot(name):
        page.wait_for_timeout(300)
        page.mouse.move(0, 0)
        page.screenshot(path=Path(FOLDER) / f"{name}-{scheme}.png")

    page.goto(slow.url)
    page.get_by_label("User").wait_for()
    shoot("sign-in")
    sign_in(page, server, base=slow.url)
    page.get_by_text("No library yet").wait_for()
    shoot("first")
    libraries = {name: make_library(rest, name) for name in ("Appliances", "Installation images", "Golden templates", "Scripts and drivers")}
    for number in range(9, 12):
        for system in ("debian", "rocky", "ubuntu"):
            make_item(rest, libraries["Golden templates"], f"{system}-{number}")
    signer = make_certificate(tmp_path, "Example signing", address=None)
    package = make_telling_package(tmp_path / "package", "appliance-4.2", signer=signer)
    open_library(page, server, libraries["Appliances"], base=slow.url)
    drop(page, "#main", *package.all_files())
    upload(page)
    page.get_by_role("button", name="Look…").click()
    page.get_by_role("button", name="Accept and go on").click()
    ended(page)
    rest.http.post(server.url + "/api/content/trusted-certificates", json={"cert_text": signer.pem}, headers={"vmware-api-session-id": rest.session_id}, timeout=20).raise_for_status()
    page.get_by_role("link", name="appliance-4.2").first.click()
    page.get_by_role("gridcell", name="appliance-4.2.ovf", exact=True).wait_for()
    page.get_by_role("button", name="Clear finished").click()
    shoot("item")
    page.get_by_role("link", name="Package", exact=True).click()
    page.get_by_role("heading", name="Disks").wait_for()
    shoot("package")

    open_library(page, server, libraries["Installation images"], base=slow.url)
    drop(page, "#main", *(write_random(tmp_path / f"{name}.iso", size * MIB, name) for name, size in (("rescue", 12), ("windows-drivers", 30))))
    shoot("plan")
    upload(page)
    ended(page, count=2)
    page.get_by_role("button", name="Clear finished").click()
    slow.rate = 12 * MIB
    drop(page, "#main", *(write_random(tmp_path / f"{name}.iso", 400 * MIB, name) for name in ("debian-12-netinst", "rocky-9-dvd", "ubuntu-24.04-server")))
    upload(page)
    page.get_by_text("left").first.wait_for()
    page.wait_for_timeout(4000)
    page.get_by_role("button", name="Pause rocky-9-dvd").click()
    page.wait_for_timeout(1500)
    shoot("upload")
    # Without a load of the page, so that the uploads go on.
    page.get_by_role("link", name="Update sessions").click()
    page.locator(".row").get_by_role("link", name="debian-12-netinst").wait_for()
    page.wait_for_timeout(2500)
    shoot("sessions")
    page.locator(".row").get_by_role("link", name="debian-12-netinst").click()
    page.locator(".facts > div", has_text="Rate").get_by_text("left").wait_for()
    page.wait_for_timeout(2500)
    shoot("session")
    archive = rest.call("local_library.create", create_spec={"name": "Archive", "storage_backings": [{"type": "DATASTORE", "datastore_id": "datastore-12"}]}).value
    items = {rest.call("item.get", library_item_id=item).value["name"]: item for item in rest.call("item.list", library_id=libraries["Installation images"]).value}
    rest.call("item.copy", source_library_item_id=items["windows-drivers"], destination_create_spec={"library_id": archive, "name": "windows-drivers"})
    rest.http.put(f"{server.url}/api/quire/quota/libraries/{libraries['Appliances']}", json={"bytes": 20 << 30, "items": 500}, headers={"vmware-api-session-id": rest.session_id}, timeout=20).raise_for_status()
    rest.ok("local_library.update", library_id=libraries["Golden templates"], update_spec={"publish_info": {"published": True, "authentication_method": "BASIC", "password": "for-subscribers"}})
    followed = Subscription(rest, publisher.url, "From the head office", automatic_sync_enabled=True, ssl_thumbprint=publisher.certificate.thumbprint())
    followed.quiet()
    publication = rest.ok("local_library.get", library_id=libraries["Golden templates"])["publish_info"]["publish_url"]
    presented = rest.ok("subscribed_library.probe", subscription_info=subscription_info(publication))["ssl_thumbprint"]
    mirror = Subscription(rest, publication, "Golden templates, second site", authentication_method="BASIC", user_name="vcsp", password="for-subscribers", ssl_thumbprint=presented)
    mirror.quiet()
    told = {"subscribed_library": {"target": "USE_EXISTING", "subscribed_library": mirror.id, "location": "LOCAL"}}
    for path, body in ((f"library/{libraries['Golden templates']}/subscriptions", told), (f"local-library/{libraries['Golden templates']}?action=publish", {})):
        rest.http.post(f"{server.url}/api/content/{path}", json=body, headers={"vmware-api-session-id": rest.session_id}, timeout=20).raise_for_status()
    mirror.quiet()
    for program in ("curl/7.88.1", "Quire"):
        rest.http.get(publication, auth=("vcsp", "for-subscribers"), headers={"User-Agent": program}, timeout=20).raise_for_status()
    # The proxy is slow, and its page is another origin's: what follows is without uploads. Cookies know no ports.
    for name, place in {"libraries": "libraries", "library": f"libraries/{libraries['Appliances']}/summary", "subscribed": f"libraries/{followed.id}", "subscription": f"libraries/{followed.id}/subscription", "publication": f"libraries/{libraries['Golden templates']}/publication", "tasks": "tasks", "storage": "storage", "audit": "audit", "server": "server", "roles": "access/roles"}.items():
        page.goto(f"{server.url}/ui/{place}")
        page.get_by_role("heading", level=1).wait_for()
        until(lambda: page.locator(".loading, [aria-busy=true]").count() == 0)
        shoot(name)
    watched.close()
