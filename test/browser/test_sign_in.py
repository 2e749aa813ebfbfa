"""Signing in and out: the session is a cookie that counts for the page itself and for nobody else."""

import http.client
import ssl

import pytest
from conftest import sign_in, until


def test_a_wrong_password_is_a_sentence_and_no_dialog_of_the_browser(watch, server):
    watched = watch()
    watched.expect("401 (Unauthorized)")
    page = watched.context.new_page()
    page.goto(server.url)
    page.get_by_label("User").fill(server.user)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("alert").text_content().strip().endswith(".")
    page.get_by_label("Password").fill(server.password)
    page.get_by_label("Password").press("Enter")
    page.get_by_role("heading", name="Libraries", exact=True, level=1).wait_for()


def test_the_session_outlives_a_reload_and_serves_other_tabs(page, server):
    page.reload()
    page.get_by_role("navigation", name="Sections").wait_for()
    second = page.context.new_page()
    second.goto(server.url + "/ui/tasks")
    second.get_by_role("heading", name="Tasks", exact=True, level=1).wait_for()


def test_no_script_can_read_the_token(page):
    cookie = next(cookie for cookie in page.context.cookies() if cookie["name"] == "__Host-quire-session")
    assert cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Strict" and cookie["path"] == "/"
    seen = page.evaluate("document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
    assert cookie["value"] not in seen


def test_signing_out_ends_the_session_on_the_server(page, server):
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "__Host-quire-session")
    page.get_by_role("button", name=server.user).click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Password").wait_for()
    # The end of the event stream may show before the answer has come that takes the cookie away.
    until(lambda: not [cookie for cookie in page.context.cookies() if cookie["name"] == "__Host-quire-session"])
    assert ask(server, "GET", {"vmware-api-session-id": token}) == 401


def test_a_deep_link_leads_there_after_signing_in(watch, server):
    watched = watch()
    watched.expect("401 (Unauthorized)")
    page = watched.context.new_page()
    sign_in(page, server, "/ui/access/roles")
    page.get_by_role("gridcell", name="Read-only System").wait_for()
    assert page.url == server.url + "/ui/access/roles"


def test_an_ended_session_is_told_and_the_place_is_kept(page, server):
    page.goto(server.url + "/ui/storage")
    page.get_by_role("heading", name="Storage", exact=True, level=1).wait_for()
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "__Host-quire-session")
    assert ask(server, "DELETE", {"vmware-api-session-id": token}) == 204
    # Two ways to notice: the answer to a call of the page where the click leads, or the end of the event stream, which may be
    # first. Then there is nothing to click on, and the place is where it was.
    clicked = page.evaluate("""() => {
      const link = [...document.querySelectorAll("nav a")].find((one) => one.textContent.trim() === "Tasks");
      link?.click();
      return Boolean(link);
    }""")
    page.get_by_text("Your session has ended. Sign in again.").wait_for()
    page.get_by_label("User").fill(server.user)
    page.get_by_label("Password").fill(server.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Tasks" if clicked else "Storage", exact=True, level=1).wait_for()
    assert page.url == server.url + ("/ui/tasks" if clicked else "/ui/storage")


def ask(server, method, fields, target="/api/session"):
    connection = http.client.HTTPSConnection(server.host, server.port, context=ssl._create_unverified_context(), timeout=20)
    connection.request(method, target, headers=fields)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize(
    ("method", "fields", "status"),
    [
        ("GET", {"Sec-Fetch-Site": "same-origin"}, 200),
        ("GET", {"Origin": "own"}, 200),
        ("GET", {}, 401),
        ("GET", {"Sec-Fetch-Site": "same-site"}, 401),  # another port of the same host
        ("GET", {"Sec-Fetch-Site": "cross-site"}, 401),
        ("GET", {"Sec-Fetch-Site": "none"}, 401),
        ("GET", {"Sec-Fetch-Site": "same-site", "Origin": "own"}, 401),
        ("GET", {"Origin": "https://elsewhere.example"}, 401),
        ("POST", {"Sec-Fetch-Site": "same-origin"}, 401),  # a form of the page's origin could send that
        ("POST", {"Sec-Fetch-Site": "same-site", "Quire-Page": "1"}, 401),
    ],
)
def test_the_cookie_counts_for_the_page_only(page, server, method, fields, status):
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "__Host-quire-session")
    sent = {name: server.url if value == "own" else value for name, value in fields.items()}
    sent["Cookie"] = f"__Host-quire-session={token}"
    target = "/api/session" if method == "GET" else "/api/cis/tasks?action=list"
    assert ask(server, method, sent, target) == status
