"""Users, groups, roles, permissions and tokens; what somebody with few rights sees."""

import pytest
import requests
from conftest import sign_in
from rest_client import Transfers, upload_item
from test_libraries import make_library


@pytest.fixture(autouse=True)
def gone_meanwhile(page, server):
    """These pages list names and then ask for each: the browser logs the 404 for what was deleted in between."""
    page.watched.expect(f"404 (Not Found) {{'url': '{server.url}/api/quire/access/")


def confirm(page, name):
    page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()
    page.get_by_role("dialog").wait_for(state="detached")


def test_a_user_gets_a_role_on_a_library_and_sees_that_alone(watch, page, server, rest):
    library, other = make_library(rest, "for carol"), make_library(rest, "for others")
    upload_item(rest, Transfers(server), library, "thing", {"thing.txt": b"to be read"})
    page.goto(server.url + "/ui/access/users")
    page.get_by_role("button", name="New user").click()
    page.get_by_label("Name").fill("carol@vsphere.local")
    page.get_by_role("textbox", name="Password").fill("correct horse battery")
    confirm(page, "Create")
    page.get_by_role("gridcell", name="carol@vsphere.local", exact=True).wait_for()

    watched = watch()
    watched.expect("401 (Unauthorized)", "403 (Forbidden)", "404 (Not Found)")
    theirs = watched.context.new_page()
    sign_in(theirs, server, user="carol", password="correct horse battery")
    theirs.get_by_text("No library that you may see").wait_for()
    assert theirs.get_by_role("link", name="Audit trail").count() == 0

    page.goto(f"{server.url}/ui/libraries/{library}/permissions")
    page.get_by_text("Nobody has a role here").wait_for()
    page.get_by_role("button", name="Give a role").click()
    page.get_by_label("User or group").select_option("USER carol@vsphere.local")
    page.get_by_label("Role", exact=True).select_option(label="Read-only")
    confirm(page, "Give")
    page.get_by_role("gridcell", name="Read-only").wait_for()

    theirs.reload()
    with theirs.expect_response("**/permissions/effective?library_id=*"):
        theirs.get_by_role("link", name="for carol").click()
    theirs.get_by_role("link", name="thing").wait_for()
    assert theirs.get_by_role("button", name="Upload files").is_disabled()
    assert theirs.get_by_role("button", name="Enter maintenance").count() == 0
    theirs.get_by_role("link", name="thing").click()
    theirs.get_by_role("gridcell", name="thing.txt", exact=True).wait_for()
    theirs.get_by_role("button", name="Copy", exact=True).wait_for()
    for name in ("Edit", "Delete", "Upload files", "From a URL", "Download"):
        assert theirs.get_by_role("button", name=name).count() == 0, name
    theirs.goto(f"{server.url}/ui/libraries/{other}")
    theirs.get_by_role("alert").wait_for()
    theirs.goto(server.url + "/ui/server")
    theirs.get_by_role("alert").wait_for()
    theirs.goto(server.url + "/ui/access")
    theirs.get_by_role("link", name="My API tokens").first.wait_for()
    assert theirs.get_by_role("link", name="Users").count() == 0

    page.get_by_role("button", name="Take the role of carol@vsphere.local away").click()
    confirm(page, "Take away")
    page.get_by_text("Nobody has a role here").wait_for()
    page.goto(server.url + "/ui/access/users")
    page.get_by_role("button", name="Delete carol@vsphere.local").click()
    confirm(page, "Delete")
    theirs.goto(server.url + "/ui/libraries")
    theirs.get_by_label("Password").wait_for()


def test_who_has_gone_since_the_list_was_read_is_left_out(page, server):
    """One name of somebody who had just been deleted kept the whole list from being shown."""
    named = [server.user, "gone@vsphere.local"]
    page.route("**/api/quire/access/users", lambda route: route.fulfill(json=named))
    page.goto(server.url + "/ui/access/users")
    page.get_by_role("gridcell", name=server.user, exact=True).wait_for()
    assert page.get_by_role("alert").count() == 0
    assert page.get_by_role("gridcell", name="gone@vsphere.local").count() == 0


def test_groups_and_roles(page, server):
    page.goto(server.url + "/ui/access/groups")
    page.get_by_role("button", name="New group").click()
    page.get_by_label("Name").fill("Builders")
    page.get_by_label(server.user).check()
    confirm(page, "Create")
    page.get_by_role("gridcell", name=server.user).wait_for()
    page.get_by_role("button", name="Edit Builders").click()
    page.get_by_label("Description").fill("They build")
    confirm(page, "Save")
    page.get_by_role("gridcell", name="They build").wait_for()
    page.get_by_role("button", name="Delete Builders").click()
    confirm(page, "Delete")
    page.get_by_text("No groups yet").wait_for()

    page.get_by_role("link", name="Roles").click()
    page.get_by_role("button", name="New role like Contributor").click()
    page.get_by_label("Name").fill("Uploader")
    page.get_by_label("ContentLibrary.DeleteLibraryItem").uncheck()
    confirm(page, "Create")
    page.get_by_role("gridcell", name="Uploader", exact=True).wait_for()
    page.get_by_role("button", name="Delete Uploader").click()
    confirm(page, "Delete")
    page.get_by_role("gridcell", name="Uploader", exact=True).wait_for(state="detached")


def test_a_token_is_shown_once_and_works(page, server, rest):
    make_library(rest, "for tokens")
    page.goto(server.url + "/ui/access/tokens")
    page.get_by_role("button", name="New token").click()
    page.get_by_label("Name").fill("nightly build")
    page.get_by_label("for tokens").check()
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    secret = page.locator(".secret").inner_text()
    confirm(page, "I have kept it")
    listed = requests.get(server.url + "/api/content/library", headers={"Authorization": f"Bearer {secret}"}, verify=str(server.ca_file), timeout=20)
    assert listed.status_code == 200 and len(listed.json()) == 1
    page.get_by_role("gridcell", name="1 library").wait_for()
    page.get_by_role("button", name="Delete nightly build").click()
    confirm(page, "Delete")
    page.get_by_text("No API tokens yet").wait_for()
    assert requests.get(server.url + "/api/content/library", headers={"Authorization": f"Bearer {secret}"}, verify=str(server.ca_file), timeout=20).status_code == 401


def test_a_password_is_changed(watch, page, server, rest):
    rest.call("local_library.list")
    page.goto(server.url + "/ui/access/users")
    page.get_by_role("button", name="New user").click()
    page.get_by_label("Name").fill("dave@vsphere.local")
    page.get_by_role("textbox", name="Password").fill("the first of them")
    confirm(page, "Create")
    watched = watch()
    watched.expect("401 (Unauthorized)")
    theirs = watched.context.new_page()
    sign_in(theirs, server, user="dave", password="the first of them")
    theirs.get_by_role("button", name="dave@vsphere.local").click()
    theirs.get_by_role("button", name="Change password").click()
    theirs.get_by_label("Password now").fill("wrong")
    theirs.get_by_label("New password").fill("the second of them")
    watched.expect("400 (Bad Request)", "403 (Forbidden)")
    theirs.get_by_role("dialog").get_by_role("button", name="Change").click()
    theirs.get_by_role("dialog").get_by_role("alert").wait_for()
    theirs.get_by_label("Password now").fill("the first of them")
    confirm(theirs, "Change")
    theirs.get_by_role("heading", name="Libraries", exact=True, level=1).wait_for()


def test_the_audit_trail_tells_and_filters(page, server, rest):
    make_library(rest, "audited")
    page.goto(server.url + "/ui/audit")
    page.get_by_role("gridcell", name="name: audited").wait_for()
    page.get_by_label("Event").fill("library.created")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/ui/audit?event=library.created")
    page.get_by_role("button", name="login.created").first.wait_for(state="detached")
    page.get_by_role("gridcell", name="name: audited").wait_for()
    page.get_by_role("button", name="library.created").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("com.vmware.content.local_library.create").wait_for()
    dialog.get_by_role("link").first.wait_for()
    page.keyboard.press("Escape")
    page.get_by_label("Refused only").check()
    page.get_by_role("button", name="Search").click()
    page.get_by_text("Nothing fits").wait_for()
    page.go_back()
    page.get_by_role("gridcell", name="name: audited").wait_for()
