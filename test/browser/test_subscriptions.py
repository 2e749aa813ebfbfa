"""A library that one server publishes and another one follows, as people do it on the pages of both."""

import re
import uuid

import pytest
from conftest import findings, sign_in, until
from http_source import make_certificate
from ova_package import MIB
from playwright.sync_api import expect
from publisher import Fault, Publisher
from quire_server import QuireServer
from rest_client import NewRest, Transfers, upload_item
from secret_watch import WATCH
from test_libraries import make_library

import subscription_client  # noqa: F401  the operations on subscribed libraries
from subscription_client import Subscription

CONTENT = b"x" * 70_001


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The subscriber."""
    started = QuireServer(tmp_path_factory.mktemp("subscriber") / "server", flags=["--pull-allow", "127.0.0.0/8", "--pull-attempts", "1"]).start()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A server whose libraries are published."""
    started = QuireServer(tmp_path_factory.mktemp("publisher") / "server").start()
    yield started
    started.stop()


@pytest.fixture
def publisher():
    with Publisher() as opened:
        opened.one = opened.add("one", {"a.iso": CONTENT})
        yield opened


@pytest.fixture
def name():
    return f"followed {uuid.uuid4().hex[:8]}"


def password():
    made = "vcsp-" + uuid.uuid4().hex
    WATCH.add(made, "a library's password")
    return made


def fact(page, label):
    return page.locator(".facts > div", has=page.get_by_text(label, exact=True)).locator("dd").inner_text()


def open_library(page, server, library, tab=""):
    page.goto(f"{server.url}/ui/libraries/{library}{tab}")
    page.get_by_role("navigation", name="Library").wait_for()


def publish(page, secret=None):
    page.get_by_role("link", name="Publication").click()
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_label("Password", exact=True).fill(secret or "")
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    page.get_by_text("URL for subscribers").wait_for()
    return page.locator(".facts code").inner_text()


def fill_subscribe(page, url, name, secret="", on_demand=False):
    page.get_by_role("button", name="Subscribe").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name", exact=True).fill(name)
    dialog.get_by_label("Subscription URL").fill(url)
    dialog.get_by_label("Password").fill(secret)
    if on_demand:
        dialog.get_by_label("Content").select_option("demand")
    dialog.get_by_role("button", name="Look").click()
    return dialog


def row(page, item):
    return page.get_by_role("row", name=re.compile(re.escape(item)))


def test_from_one_server_to_another(watch, page, server, source, name):
    """Published with a password here, pasted there, its certificate looked at and accepted; what changes follows."""
    far = NewRest(source).log_in()
    library = make_library(far, "Golden images")
    upload_item(far, Transfers(source), library, "debian", {"debian.iso": b"d" * MIB})
    watched = watch()
    watched.expect("401 (Unauthorized)")
    publishing = watched.context.new_page()
    sign_in(publishing, source)
    open_library(publishing, source, library)
    secret = password()
    url = publish(publishing, secret)
    assert url == f"{source.url}/cls/vcsp/lib/{library}/lib.json"
    assert fact(publishing, "Published") == "Yes" and fact(publishing, "Password").startswith("Set")
    assert not findings(publishing)

    page.goto(server.url + "/ui/libraries")
    dialog = fill_subscribe(page, url, name, secret)
    dialog.get_by_text("Accept this certificate?").wait_for()
    thumbprint = dialog.locator(".facts > div", has_text="SHA-1").locator("code").inner_text()
    assert re.fullmatch(r"([0-9A-F]{2}:){19}[0-9A-F]{2}", thumbprint)
    dialog.get_by_role("button", name="Accept and subscribe").click()
    page.get_by_role("heading", name=name, level=1).wait_for()
    row(page, "debian").get_by_text("Here", exact=True).wait_for()
    for missing in ("Upload files", "Upload a folder", "Add from a URL"):
        assert page.get_by_role("button", name=missing).count() == 0
    assert page.locator("q-table").get_by_role("button", name="Delete").count() == 0
    page.get_by_role("link", name="Subscription", exact=True).click()
    page.get_by_role("heading", name="Publisher").wait_for()
    assert fact(page, "URL") == url and thumbprint in fact(page, "Certificate") and fact(page, "Signs in as") == "vcsp"
    assert secret not in page.content()

    # What is new there comes when it is asked for, and shows by itself.
    upload_item(far, Transfers(source), library, "rocky", {"rocky.iso": b"r" * MIB})
    page.get_by_role("button", name="Sync now").click()
    page.locator(".facts > div", has_text="Items").get_by_text("2, 2 with").wait_for()
    page.get_by_role("link", name="Items", exact=True).click()
    row(page, "rocky").get_by_text("Here", exact=True).wait_for()


def test_what_a_publisher_answers_is_told_and_what_was_typed_stays(page, server, rest, publisher, name):
    page.goto(server.url + "/ui/libraries")
    dialog = fill_subscribe(page, publisher.url.replace("lib.json", "none.json"), name)
    dialog.get_by_role("alert").wait_for()
    assert len(dialog.get_by_role("alert").inner_text()) > 20
    assert dialog.get_by_label("Name", exact=True).input_value() == name
    dialog.get_by_label("Subscription URL").fill(publisher.url)
    dialog.get_by_role("button", name="Look").click()
    dialog.get_by_text("The publisher answers").wait_for()
    dialog.get_by_text("not encrypted").wait_for()
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_text("Subscribe to a library").wait_for()
    dialog = page.get_by_role("dialog")
    assert dialog.get_by_label("Subscription URL").input_value() == publisher.url
    dialog.get_by_role("button", name="Cancel").click()
    dialog.wait_for(state="detached")
    assert rest.call("library.find", spec={"name": name}).value == []


def test_a_certificate_that_is_not_accepted_makes_no_library(page, server, rest, name, tmp_path):
    certificate = make_certificate(tmp_path, "publisher.example")
    with Publisher(certificate=certificate) as publisher:
        page.goto(server.url + "/ui/libraries")
        dialog = fill_subscribe(page, publisher.url, name)
        dialog.get_by_text("Accept this certificate?").wait_for()
        shown = dialog.inner_text()
        assert "CN=publisher.example" in shown and certificate.thumbprint("sha1") in shown and certificate.thumbprint("sha256") in shown
        assert not findings(page)
        dialog.get_by_role("button", name="Cancel").click()
        page.get_by_text("Subscribe to a library").wait_for()
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")
    assert rest.call("library.find", spec={"name": name}).value == []


def test_items_on_demand_come_and_go(page, server, rest, publisher, name):
    publisher.add("two", {"b.iso": CONTENT})
    page.goto(server.url + "/ui/libraries")
    dialog = fill_subscribe(page, publisher.url, name, on_demand=True)
    dialog.get_by_role("button", name="Subscribe", exact=True).click()
    row(page, "one").get_by_text("Not here yet").wait_for()
    row(page, "one").get_by_label("Mark this row").check()
    page.locator("q-table").get_by_role("button", name="Sync").click()
    row(page, "one").get_by_text("Here", exact=True).wait_for()
    row(page, "two").get_by_text("Not here yet").wait_for()
    page.locator("q-table").get_by_role("button", name="Evict").click()
    page.get_by_role("dialog").get_by_role("button", name="Evict").click()
    row(page, "one").get_by_text("Not here yet").wait_for()

    # The same on the item's own page, where nothing is offered that its publisher alone may do.
    page.get_by_role("link", name="two").click()
    page.get_by_role("heading", name="two", level=1).wait_for()
    page.get_by_text("Not here yet").wait_for()
    for missing in ("Download", "Edit", "Delete", "Upload files", "From a URL"):
        assert page.get_by_role("button", name=missing, exact=True).count() == 0, missing
    page.get_by_role("button", name="Sync").click()
    page.get_by_text("Here", exact=True).wait_for()
    page.get_by_role("button", name="Download", exact=True).wait_for()
    assert not findings(page)
    page.get_by_role("button", name="Evict").click()
    page.get_by_role("dialog").get_by_role("button", name="Evict").click()
    page.get_by_text("Not here yet").wait_for()

    # All of the library.
    [library] = rest.call("library.find", spec={"name": name}).value
    for item in rest.call("item.list", library_id=library).value:
        rest.call("subscribed_item.sync", library_item_id=item, force_sync_content=True)
    open_library(page, server, library, "/subscription")
    page.get_by_text("2, 2 with their content here").wait_for()
    page.get_by_role("button", name="Evict").click()
    page.get_by_role("dialog").get_by_role("button", name="Evict").click()
    page.get_by_text("2, 0 with their content here").wait_for()


def test_a_synchronization_shows_how_far_it_is_and_what_failed(page, server, rest, publisher, name):
    subscription = Subscription(rest, publisher.url, name).first()
    large = publisher.add("large", {"l.iso": b"l" * (4 * MIB)})
    publisher.fault(publisher.path_of(large, "l.iso"), Fault(stall_after=2 * MIB))
    bad = publisher.add("bad", {"b.iso": CONTENT})
    publisher.fault(publisher.path_of(bad, "b.iso"), Fault(status=404))
    open_library(page, server, subscription.id)
    page.get_by_text("Live", exact=True).wait_for()
    page.get_by_role("button", name="Sync now").click()
    page.get_by_text(re.compile(r"Being synchronized: .* of 4(\.\d+)? MiB")).wait_for()
    page.locator("progress[aria-label=Synchronization]").wait_for()
    assert page.get_by_role("button", name="Sync now").is_disabled()
    assert not findings(page)
    publisher.gate.set()
    alert = page.locator("q-subscription").get_by_role("alert")
    alert.wait_for()
    page.get_by_role("link", name=re.compile("with a problem")).click()
    page.get_by_role("heading", name="Items with problems").wait_for()
    page.get_by_role("cell", name="bad").get_by_role("link").click()
    page.get_by_text("This item is not as its publisher has it").wait_for()
    page.go_back()
    assert fact(page, "Failures in a row") == "1"
    assert not findings(page)
    publisher.heal()
    page.get_by_role("button", name="Sync now").click()
    page.get_by_role("heading", name="Items with problems").wait_for(state="detached")
    assert page.get_by_role("alert").count() == 0 and fact(page, "Failures in a row") == "0"


def test_what_others_do_shows_by_itself(page, server, rest, publisher, name):
    subscription = Subscription(rest, publisher.url, name, on_demand=True).first()
    open_library(page, server, subscription.id)
    page.get_by_text("Live", exact=True).wait_for()
    row(page, "one").get_by_text("Not here yet").wait_for()
    item = subscription.item_ids()[0]
    rest.call("subscribed_item.sync", library_item_id=item, force_sync_content=True)
    row(page, "one").get_by_text("Here", exact=True).wait_for()
    rest.call("subscribed_library.evict", library_id=subscription.id)
    row(page, "one").get_by_text("Not here yet").wait_for()
    publisher.add("three", {"c.iso": CONTENT})
    subscription.synced()
    row(page, "three").wait_for()


def test_limits_and_settings(page, server, rest, publisher, name):
    subscription = Subscription(rest, publisher.url, name).first()
    open_library(page, server, subscription.id, "/subscription")
    page.get_by_role("button", name="Limits").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Bandwidth").fill("1.5")
    dialog.get_by_label("from this hour").fill("25")
    dialog.get_by_role("button", name="Save").click()
    assert "0 to 23" in dialog.get_by_role("alert").inner_text()
    dialog.get_by_label("from this hour").fill("22")
    dialog.get_by_role("button", name="Save").click()
    dialog.get_by_text("One hour is missing").wait_for()
    dialog.get_by_label("Until this hour").fill("5")
    dialog.get_by_role("button", name="Save").click()
    page.locator(".facts > div", has_text="Bandwidth").get_by_text("1.5 MiB/s").wait_for()

    page.get_by_role("button", name="Edit subscription").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Content").select_option("demand")
    dialog.get_by_label("Synchronize automatically").check()
    dialog.get_by_role("button", name="Look").click()
    dialog.get_by_text("The publisher answers").wait_for()
    dialog.get_by_role("button", name="Save").click()
    page.locator(".facts > div", has_text="Content").get_by_text("On demand").wait_for()
    assert fact(page, "Hours") == "22:00 to 5:00 UTC" and fact(page, "Synchronized") == "Automatically"
    assert subscription.info()["on_demand"] is True
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Name", exact=True).fill(name + " anew")
    assert page.get_by_label("Security policy").count() == 0
    page.get_by_role("button", name="Save").click()
    page.get_by_role("heading", name=name + " anew", level=1).wait_for()
    page.watched.expect("404 (Not Found)")  # the library can be gone before its event has told the page to leave it
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("heading", name="Libraries", level=1).wait_for()
    until(lambda: rest.call("library.find", spec={"name": name + " anew"}).value == [])


def test_a_password_that_is_set_stays(page, server, rest, name):
    secret = password()
    with Publisher(password=secret) as publisher:
        publisher.add("one", {"a.iso": CONTENT})
        subscription = Subscription(rest, publisher.url, name, authentication_method="BASIC", user_name="vcsp", password=secret).first()
        open_library(page, server, subscription.id, "/subscription")
        page.get_by_role("button", name="Edit subscription").click()
        dialog = page.get_by_role("dialog")
        assert dialog.get_by_label("Password").input_value() == ""
        dialog.get_by_label("Synchronize automatically").check()
        dialog.get_by_role("button", name="Look").click()
        dialog.get_by_role("button", name="Save").click()
        page.locator(".facts > div", has_text="Synchronized").get_by_text("Automatically").wait_for()
        publisher.add("two", {"b.iso": CONTENT})
        subscription.synced()
        assert subscription.names() == ["one", "two"]


def test_copies_go_into_local_libraries_only(page, server, rest, publisher, name):
    target = f"local {name}"
    make_library(rest, target)
    subscription = Subscription(rest, publisher.url, name).first()
    page.goto(f"{server.url}/ui/items/{subscription.item_ids()[0]}")
    page.get_by_role("button", name="Copy", exact=True).click()
    choice = page.get_by_role("dialog").get_by_label("Into the library")
    options = choice.locator("option").all_inner_texts()
    assert target in options and name not in options
    choice.select_option(label=target)
    page.get_by_role("dialog").get_by_role("button", name="Copy").click()
    page.get_by_role("dialog").wait_for(state="detached")


# ---- publishing ----


def test_a_publication_and_its_password(page, server, rest):
    library = make_library(rest, "to be published")
    open_library(page, server, library)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    url = publish(page)
    assert fact(page, "Password").startswith("None")
    page.get_by_role("button", name="Copy the URL").click()
    page.get_by_text("URL copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == url

    first, second = password(), password()
    page.get_by_role("button", name="Change the password").click()
    dialog = page.get_by_role("dialog")
    assert dialog.get_by_label("Current password").count() == 0
    dialog.get_by_label("New password").fill(first)
    dialog.get_by_role("button", name="Change").click()
    page.locator(".facts > div", has_text="Password").get_by_text("Set; subscribers sign in as vcsp").wait_for()
    page.watched.expect("400 (Bad Request)")
    page.get_by_role("button", name="Change the password").click()
    dialog.get_by_label("Current password").fill(second)
    dialog.get_by_label("New password").fill(second)
    dialog.get_by_role("button", name="Change").click()
    dialog.get_by_role("alert").wait_for()
    dialog.get_by_label("Current password").fill(first)
    dialog.get_by_role("button", name="Change").click()
    dialog.wait_for(state="detached")
    page.get_by_role("button", name="Stop publishing").click()
    dialog.get_by_label("Current password").fill(second)
    dialog.get_by_role("button", name="Stop").click()
    page.locator(".facts > div", has_text="Published").get_by_text("No", exact=True).wait_for()
    assert rest.call("local_library.get", library_id=library).value["publish_info"]["published"] is False
    # Somebody else publishes it: it shows.
    page.get_by_text("Live", exact=True).wait_for()
    assert rest.call("local_library.update", library_id=library, update_spec={"publish_info": {"published": True}}).ok
    page.locator(".facts > div", has_text="Published").get_by_text("Yes", exact=True).wait_for()
    assert fact(page, "Password").startswith("Set"), "the password was kept"


def choose_subscriber(page, which):
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_label("Subscribed library").select_option(label=which)
    page.get_by_role("dialog").get_by_role("button", name="Next").click()
    page.get_by_role("dialog").get_by_role("button", name="Add").wait_for()
    return page.get_by_role("dialog")


def test_subscriptions_of_a_publication(page, server, rest, name):
    """The same server follows itself, and is told when something is published."""
    library = make_library(rest, f"source of {name}")
    rest.call("local_library.update", library_id=library, update_spec={"publish_info": {"published": True, "authentication_method": "NONE"}})
    url = rest.call("local_library.get", library_id=library).value["publish_info"]["publish_url"]
    thumbprint = rest.call("subscribed_library.probe", subscription_info=subscription_client.subscription_info(url)).value["ssl_thumbprint"]
    subscription = Subscription(rest, url, name, ssl_thumbprint=thumbprint).first()
    open_library(page, server, library, "/publication")
    page.get_by_role("heading", name="Subscriptions").wait_for()
    assert page.get_by_role("button", name="Publish now").is_disabled()
    dialog = choose_subscriber(page, "One that this server has")
    dialog.get_by_label("Subscribed library").select_option(label=name)
    dialog.get_by_role("button", name="Add").click()
    page.get_by_role("cell", name=name, exact=True).wait_for()
    page.get_by_role("cell", name="Never", exact=True).wait_for()
    assert not findings(page)
    upload_item(rest, Transfers(server), library, "news", {"n.iso": CONTENT})
    page.get_by_role("button", name="Publish now").click()
    until(lambda: "news" in subscription.names())
    expect(page.get_by_role("cell", name="Never", exact=True)).to_have_count(0)
    # Its synchronizations have read this publication.
    page.get_by_role("button", name="Look again").click()
    reader = page.get_by_role("row", name=re.compile("127.0.0.1"))
    reader.get_by_text("The newest").wait_for()
    assert "Quire" in reader.inner_text()
    page.get_by_role("button", name=f"Remove {name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    page.get_by_text("None.", exact=True).wait_for()


@pytest.fixture
def peers(tmp_path):
    """Two servers that trust each other; the first one may ask the second one."""
    certificate = make_certificate(tmp_path, "both")
    flags = ["--tls-certificate", str(certificate.path), "--tls-key", str(certificate.path), "--pull-ca-file", str(certificate.path), "--pull-allow", "127.0.0.0/8"]
    far = QuireServer(tmp_path / "far", flags=flags).start()
    try:
        rest = NewRest(far).log_in()
        answer = rest.http.post(f"{far.url}/api/quire/access/tokens", json={"name": "publisher"}, headers={"vmware-api-session-id": rest.session_id}, timeout=20)
        answer.raise_for_status()
        WATCH.add(answer.json()["secret"], "an API token")
        token = tmp_path / "token"
        token.write_text(answer.json()["secret"] + "\n")
        near = QuireServer(tmp_path / "near", flags=[*flags, "--peer", f"{far.authority}={token}"]).start()
        yield near, far
        near.stop()
    finally:
        far.stop()


def test_new_libraries_here_and_on_a_peer(peers, watch, name):  # the page goes before its servers
    near, far = peers
    rest, far_rest = NewRest(near).log_in(), NewRest(far).log_in()
    library = make_library(rest, f"source of {name}")
    rest.ok("local_library.update", library_id=library, update_spec={"publish_info": {"published": True, "authentication_method": "NONE"}})
    watched = watch()
    watched.expect("401 (Unauthorized)", "400 (Bad Request)", "404 (Not Found)")
    page = watched.context.new_page()
    sign_in(page, near)
    open_library(page, near, library, "/publication")
    page.get_by_role("heading", name="Readers").wait_for()
    page.get_by_text("Nobody yet").wait_for()
    for place, called in (("this server", f"near {name}"), (far.authority, f"far {name}")):
        dialog = choose_subscriber(page, f"A new one on {place}")
        dialog.get_by_label("Name", exact=True).fill(called)
        dialog.get_by_label("Content").select_option("demand")
        if place != "this server":
            dialog.get_by_label("Identifier of the storage there").fill("datastore-99")
        dialog.get_by_role("button", name="Add").click()
        if place != "this server":
            dialog.get_by_role("alert").wait_for()
            dialog.get_by_label("Identifier of the storage there").fill("datastore-11")
            dialog.get_by_role("button", name="Add").click()
        page.get_by_role("cell", name=called, exact=True).wait_for()
    [far_library] = far_rest.ok("library.find", spec={"name": f"far {name}"})
    model = far_rest.ok("subscribed_library.get", library_id=far_library)
    assert model["subscription_info"]["on_demand"] is True and model["subscription_info"]["automatic_sync_enabled"] is True
    upload_item(rest, Transfers(near), library, "news", {"n.iso": CONTENT})
    page.get_by_role("button", name="Publish now").click()
    until(lambda: far_rest.ok("item.find", spec={"library_id": far_library, "name": "news"}))
    expect(page.get_by_role("cell", name="Never", exact=True)).to_have_count(0)  # of both
    assert not findings(page)

    # One that is there already, by its identifier.
    page.get_by_role("button", name=f"Remove far {name}").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("cell", name=f"far {name}", exact=True)).to_have_count(0)
    dialog = choose_subscriber(page, f"One that {far.authority} has")
    dialog.get_by_label("Identifier of the library there").fill("nonsense")
    dialog.get_by_role("button", name="Add").click()
    dialog.get_by_role("alert").wait_for()
    dialog.get_by_label("Identifier of the library there").fill(far_library)
    dialog.get_by_role("button", name="Add").click()
    page.get_by_role("cell", name=f"far {name}", exact=True).wait_for()

    # A server that is gone is told later; meanwhile it shows.
    far.kill()
    page.get_by_role("button", name="Publish now").click()
    page.get_by_text("Being told", exact=True).wait_for()
    page.get_by_text("It was not told what was published").wait_for()
    far.start()
    expect(page.get_by_text("Being told", exact=True)).to_have_count(0)
