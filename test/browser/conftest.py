"""Fixtures: a running server and a real browser that looks at its page. Whatever the page logs as an error, throws, or does
against its Content-Security-Policy fails the test. Each module has a server of its own, each process of pytest-xdist a browser."""

import os
import time
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from quire_server import REPOSITORY, QuireServer
from rest_client import NewRest

QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
VIOLATIONS = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
"""
WAIT = 20_000
AXE = REPOSITORY / "web/node_modules/axe-core/axe.min.js"


def chromium():
    return os.environ.get("CHROMIUM", "/usr/bin/chromium")


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = QuireServer(tmp_path_factory.mktemp("browser") / "server").start()
    try:
        yield started
    finally:
        if started.process is not None:
            assert started.process.poll() is None, f"the server died\n{started.log()}"
            started.stop()


@pytest.fixture
def rest(server):
    return NewRest(server).log_in()


class Watched:
    """A browser context whose pages are watched."""

    def __init__(self, browser, **options):
        self.context = browser.new_context(ignore_https_errors=True, viewport={"width": 1360, "height": 800}, locale="en-GB", timezone_id="UTC", **options)
        self.context.set_default_timeout(WAIT)
        self.context.add_init_script(VIOLATIONS)
        self.problems = []
        self.expected = []
        self.context.on("page", self._watch)

    def _watch(self, page):
        page.on("pageerror", lambda error: self.problems.append(f"thrown: {error}"))
        page.on("console", lambda message: self.problems.append(f"logged: {message.text} {message.location}") if message.type == "error" else None)

    def expect(self, *texts):
        """Errors that the browser logs by itself, as of an answer 404, and that this test provokes."""
        self.expected += texts

    def check(self):
        for page in self.context.pages:
            if page.url.startswith("http"):
                self.problems += page.evaluate("window.violations ?? []")
        left = [problem for problem in self.problems if not any(text in problem for text in self.expected)]
        assert not left, "\n".join(left)

    def close(self):
        self.context.close()


@pytest.fixture
def watch(browser):
    """Makes watched contexts: one each for who looks."""
    made = []

    def make(**options):
        made.append(Watched(browser, **options))
        return made[-1]

    yield make
    try:
        for one in made:
            one.check()
    finally:
        for one in made:
            one.close()


def sign_in(page, server, path="/", user=None, password=None, base=None):
    page.goto((base or server.url) + path)
    page.get_by_label("User").fill(user or server.user)
    page.get_by_label("Password").fill(password or server.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Sections").wait_for()


def make_user(rest, server, name, password, role, library):
    """Somebody with a role on one library."""

    def call(method, path, body=None):
        answer = rest.http.request(method, f"{server.url}/api/quire/access/{path}", json=body, headers={"vmware-api-session-id": rest.session_id}, timeout=60)
        assert answer.ok, answer.text
        return answer.json() if answer.text else None

    call("POST", "users", {"name": name, "password": password, "description": ""})
    [role_id] = [one["role"] for one in call("GET", "roles") if one["name"] == role]
    call("PUT", "permissions", {"principal": name, "type": "USER", "library_id": library, "role": role_id, "propagate": True})


@pytest.fixture
def page(watch, server):
    """A page on which the administrator is signed in."""
    watched = watch()
    # The first look, before anybody is signed in, is answered 401, which browsers log.
    watched.expect("401 (Unauthorized)")
    opened = watched.context.new_page()
    opened.watched = watched
    sign_in(opened, server)
    return opened


def until(what, seconds=20, every=0.05):
    """The first true value of what(); for what shows outside the page."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := what():
            return value
        time.sleep(every)
    raise AssertionError(f"not within {seconds} s: {what}")


def drop(page, selector, *paths):
    """A real drop of files and folders: they have entries and handles, as from a file manager."""
    box = page.locator(selector).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(Path(path)) for path in paths], "dragOperationsMask": 1}

    def drag(kind):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data})

    def is_over():
        drag("dragOver")
        return page.locator(".drop").count() > 0

    drag("dragEnter")
    until(is_over)  # a drop before the page has said that it takes it is thrown away
    drag("drop")
    session.detach()


def findings(page):
    """What axe finds on the page that is serious, with the elements."""
    page.evaluate(AXE.read_text())
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{found['impact']} {found['id']}: {found['help']}\n    " + "\n    ".join(node["html"][:200] + " " + (node["failureSummary"] or "")[:300].replace("\n", " ") for node in found["nodes"][:4])
        for found in result["violations"]
        if found["impact"] in ("serious", "critical")
    ]
