"""Uploads: by drag and drop, in parts, with progress; paused, cut, stalled, reloaded, canceled. Each ends with a look at
what the server holds."""

import hashlib
import re

import pytest
from conftest import drop, findings, sign_in, until
from cutting_proxy import CuttingProxy
from ova_package import MIB, make_package, write_random
from test_libraries import make_item, make_library


@pytest.fixture
def library(rest, request):
    return make_library(rest, request.node.name)


def open_library(page, server, library, base=None):
    page.goto(f"{base or server.url}/ui/libraries/{library}")
    page.get_by_role("link", name="Summary").wait_for()
    page.get_by_role("button", name="Upload files").wait_for()


def upload(page):
    page.get_by_role("dialog").get_by_role("button", name="Upload").click()
    page.get_by_role("dialog").wait_for(state="detached")


def ended(page, state="done", count=1, seconds=60):
    page.wait_for_function("([state, count]) => document.querySelectorAll('.transfer.' + state).length === count", arg=[state, count], timeout=seconds * 1000)


def files_of(rest, library):
    """What the library holds: item name, file name, size, SHA-256 or what the server took."""
    found = {}
    for item in rest.call("item.list", library_id=library).value:
        name = rest.call("item.get", library_item_id=item).value["name"]
        for file in rest.call("item.file.list", library_item_id=item).value:
            found[name, file["name"]] = (file["size"], file["checksum_info"]["checksum"])
    return found


def digest(path):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def entry(path):
    return (path.stat().st_size, digest(path))


def test_an_ova_an_image_and_a_file_dropped_together(page, server, rest, library, tmp_path):
    package = make_package(tmp_path / "package", "appliance", [2 * MIB], seed=2)
    ova = package.pack(tmp_path / "appliance.ova")
    iso = write_random(tmp_path / "debian.iso", 3 * MIB, 1)
    empty = tmp_path / "empty.txt"
    empty.touch()
    open_library(page, server, library)
    drop(page, "#main", ova, iso, empty)
    page.get_by_label("Name of item 3").wait_for()
    assert page.get_by_role("dialog").get_by_role("row").count() == 4
    page.get_by_label("Name of item 2").fill("Debian 12")
    upload(page)
    ended(page, count=3)
    expected = {("appliance", file.name): entry(file) for file in package.content_files()}
    assert files_of(rest, library) == expected | {("Debian 12", "debian.iso"): entry(iso), ("empty", "empty.txt"): entry(empty)}
    page.get_by_role("link", name="appliance").first.wait_for()
    kinds = {rest.call("item.get", library_item_id=item).value["name"]: rest.call("item.get", library_item_id=item).value["type"] for item in rest.call("item.list", library_id=library).value}
    assert (kinds["appliance"], kinds["Debian 12"]) == ("ovf", "iso")


def test_folders_with_more_files_than_a_browser_lists_at_once(page, server, rest, library, tmp_path):
    package = make_package(tmp_path / "folder" / "appliance", "appliance", [MIB, MIB], seed=3)
    (tmp_path / "folder" / ".DS_Store").write_bytes(b"litter")
    many = tmp_path / "folder" / "scripts"
    many.mkdir()
    for number in range(120):
        (many / f"script-{number:03}.sh").write_text(f"echo {number}\n")
    open_library(page, server, library)
    drop(page, "#main", tmp_path / "folder")
    page.get_by_role("heading", name="121 new items").wait_for()
    upload(page)
    ended(page, count=121, seconds=120)
    held = files_of(rest, library)
    assert len(held) == 120 + len(package.content_files())
    for file in package.content_files():
        assert held["appliance", file.name] == entry(file)


@pytest.fixture
def slow(server):
    proxy = CuttingProxy(server.host, server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def slow_page(watch, server, slow):
    """The page behind a proxy, so that what goes can be cut. The browser logs each broken request."""
    watched = watch()
    watched.expect("401 (Unauthorized)", "net::ERR_")
    page = watched.context.new_page()
    page.watched = watched
    sign_in(page, server, base=slow.url)
    return page


def begin(page, server, slow, library, path, rate=20 * MIB, then=4 * MIB):
    """Begins an upload, and slows it down once some MiB have come, so that it lasts for what the test does meanwhile."""
    open_library(page, server, library, base=slow.url)
    slow.rate = rate
    before = slow.bytes_up
    drop(page, "#main", path)
    upload(page)
    until(lambda: slow.bytes_up > before + 8 * MIB)
    slow.rate = then
    return before


def comes_to_rest(page, slow):
    """What is in buffers arrives; then nothing comes any more. How much came in all."""
    sent = -1
    while sent < slow.bytes_up:
        sent = slow.bytes_up
        page.wait_for_timeout(1000)
    return sent


def test_pausing_and_going_on(slow_page, server, slow, rest, library, tmp_path):
    large = write_random(tmp_path / "large.iso", 64 * MIB, 8)
    before = begin(slow_page, server, slow, library, large)
    slow_page.get_by_role("button", name="Pause large").click()
    slow_page.get_by_text("Paused").wait_for()
    assert not findings(slow_page)
    assert comes_to_rest(slow_page, slow) - before < 48 * MIB, "nothing goes while it is paused"
    slow.rate = None
    slow_page.get_by_role("button", name="Go on with large").click()
    ended(slow_page)
    assert files_of(rest, library) == {("large", "large.iso"): entry(large)}
    assert slow.bytes_up - before < 64 * MIB + 24 * MIB, "what had arrived was not sent again"


def test_a_large_file_on_a_slow_line_goes_in_parts_side_by_side(slow_page, server, slow, rest, library, tmp_path):
    large = write_random(tmp_path / "large.iso", 600 * MIB, 7)
    ranges = []
    slow_page.on("request", lambda request: ranges.append(request.headers.get("content-range")) if request.method == "PUT" else None)
    open_library(slow_page, server, library, base=slow.url)
    before = slow.bytes_up
    slow.rate = 20 * MIB
    drop(slow_page, "#main", large)
    upload(slow_page)
    slow_page.locator(".transfer .state", has_text=re.compile(r"iB/s, .* left")).wait_for()

    def parts():
        slow_page.wait_for_timeout(50)
        return len(ranges) >= 4

    until(parts)
    slow.rate = None
    ended(slow_page, seconds=120)
    sent = [tuple(map(int, re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", one).groups())) for one in ranges]
    assert sent[0] == (0, 600 * MIB - 1, 600 * MIB), "as a whole at first"
    assert all(last - first < 256 * MIB and first >= sent[1][0] > 0 for first, last, _ in sent[1:]), "then the rest in parts"
    assert slow.bytes_up - before < 640 * MIB, "what had arrived was not sent again"
    assert files_of(rest, library) == {("large", "large.iso"): entry(large)}


class SentParts:
    """What a page sends of one file beside what the server said to have of it."""

    def __init__(self, page):
        self.held = set()  # MiB that the server said it has whole
        self.again = []  # parts that were sent although it had said so
        self.parts = 0
        page.on("request", self._request)
        page.on("response", self._response)

    @staticmethod
    def _range(request):
        first, last = re.match(r"bytes (\d+)-(\d+)/", request.headers["content-range"]).groups()
        return int(first), int(last) + 1

    @staticmethod
    def _whole(first, end):
        return set(range(-(-first // MIB), end // MIB))

    def _request(self, request):
        if request.method == "PUT" and "content-range" in request.headers:
            self.parts += 1
            if self.held & self._whole(*self._range(request)):
                self.again.append(self._range(request))

    def _response(self, response):
        if response.request.method == "PUT" and response.ok:
            self.held |= self._whole(*self._range(response.request))
        elif response.request.method == "HEAD" and "upload-ranges" in response.headers:
            for first, last in re.findall(r"(\d+)-(\d+)", response.headers["upload-ranges"]):
                self.held |= self._whole(int(first), int(last) + 1)


def test_a_cut_connection_is_taken_up_where_it_broke(slow_page, server, slow, rest, library, tmp_path):
    """Once the page asked what had arrived while a part arrived, believed the older answer, and sent that part again: 409."""
    large = write_random(tmp_path / "large.iso", 192 * MIB, 9)
    sent = SentParts(slow_page)
    begin(slow_page, server, slow, library, large, rate=60 * MIB, then=60 * MIB)
    for more in (30, 40, 50):
        slow.cut_after = slow.bytes_up + more * MIB
        until(lambda: slow.cut_after is None, seconds=60)
    slow.rate = None
    ended(slow_page)
    assert slow.cuts >= 3
    assert files_of(rest, library) == {("large", "large.iso"): entry(large)}
    # How much each cut costs lies with the buffers between proxy and server.
    assert sent.parts > 1
    assert not sent.again, "what had arrived was not sent again"


def test_a_network_that_is_gone_for_a_while(slow_page, server, slow, rest, library, tmp_path):
    large = write_random(tmp_path / "large.iso", 64 * MIB, 10)
    begin(slow_page, server, slow, library, large)
    slow.gone = True
    slow.cut()
    slow_page.get_by_text("No connection; goes on by itself").wait_for()
    slow.gone = False
    slow.rate = None
    ended(slow_page)
    assert files_of(rest, library) == {("large", "large.iso"): entry(large)}


def test_a_line_that_goes_dead_without_a_word(slow_page, server, slow, rest, library, tmp_path):
    large = write_random(tmp_path / "large.iso", 64 * MIB, 11)
    failed = []
    slow_page.on("requestfailed", lambda request: failed.append(request.method))
    slow_page.clock.install()
    begin(slow_page, server, slow, library, large)
    slow.stalled.set()

    def noticed():
        """After 20 s by the page's clock in which nothing went; it makes a new connection, which is dead as well until the line is back."""
        slow_page.clock.fast_forward(21_000)
        slow_page.wait_for_timeout(200)
        return "PUT" in failed

    until(noticed)
    slow.rate = None
    slow.stalled.clear()
    ended(slow_page, seconds=90)
    assert files_of(rest, library) == {("large", "large.iso"): entry(large)}


def test_a_reload_goes_on_by_itself(slow_page, server, slow, rest, library, tmp_path):
    large = write_random(tmp_path / "large.iso", 64 * MIB, 12)
    before = begin(slow_page, server, slow, library, large)
    slow_page.reload()
    slow.rate = None
    ended(slow_page)
    assert files_of(rest, library) == {("large", "large.iso"): entry(large)}
    assert slow.bytes_up - before < 64 * MIB + 24 * MIB, "what had arrived was not sent again"


def test_a_reload_without_a_handle_asks_for_the_file(slow_page, server, slow, rest, library, tmp_path):
    """As in browsers that keep no handles: the file comes by an <input>."""
    large = write_random(tmp_path / "large.iso", 64 * MIB, 13)
    other = tmp_path / "other" / "large.iso"
    other.parent.mkdir()
    write_random(other, 32 * MIB, 14)
    open_library(slow_page, server, library, base=slow.url)
    with slow_page.expect_file_chooser() as chooser:
        slow_page.get_by_role("button", name="Upload files").click()
    slow.rate = 20 * MIB
    before = slow.bytes_up
    chooser.value.set_files(large)
    upload(slow_page)
    until(lambda: slow.bytes_up > before + 8 * MIB)
    slow_page.reload()
    slow.rate = None
    slow_page.get_by_text("Choose the files again to go on").wait_for()
    with slow_page.expect_file_chooser() as chooser:
        slow_page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(other)
    slow_page.get_by_text("is not what was being uploaded").wait_for()
    with slow_page.expect_file_chooser() as chooser:
        slow_page.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(large)
    ended(slow_page)
    assert files_of(rest, library) == {("large", "large.iso"): entry(large)}
    assert slow.bytes_up - before < 64 * MIB + 24 * MIB, "what had arrived was not sent again"


def test_canceling_leaves_nothing(slow_page, server, slow, rest, library, tmp_path):
    large = write_random(tmp_path / "large.iso", 64 * MIB, 15)
    begin(slow_page, server, slow, library, large)
    slow_page.get_by_role("button", name="Cancel large").click()
    ended(slow_page, "canceled")
    until(lambda: rest.call("item.list", library_id=library).value == [])
    assert comes_to_rest(slow_page, slow) < 64 * MIB


def test_the_server_starts_again_meanwhile(slow_page, server, slow, rest, library, tmp_path):
    large = write_random(tmp_path / "large.iso", 64 * MIB, 16)
    begin(slow_page, server, slow, library, large)
    server.kill()
    slow_page.wait_for_timeout(1500)
    server.start()
    slow.rate = None
    ended(slow_page)
    assert files_of(rest, library) == {("large", "large.iso"): entry(large)}


def test_a_missing_file_is_named_and_can_be_brought(page, server, rest, library, tmp_path):
    package = make_package(tmp_path / "package", "appliance", [MIB], seed=5, manifest=None)
    page.watched.expect("400 (Bad Request)")
    open_library(page, server, library)
    drop(page, "#main", package.descriptor)
    upload(page)
    ended(page, "failed")
    assert package.disks[0].name in page.locator(".transfer").get_by_role("alert").text_content()
    page.locator(".transfer a").click()
    page.get_by_role("heading", name="appliance", level=1).wait_for()
    drop(page, "#main", package.disks[0])
    upload(page)
    ended(page)
    assert files_of(rest, library) == {("appliance", file.name): entry(file) for file in package.content_files()}


def test_a_damaged_package_is_refused_with_its_reason(page, server, rest, library, tmp_path):
    package = make_package(tmp_path / "package", "appliance", [MIB], seed=6)
    package.damage_manifest()
    page.watched.expect("400 (Bad Request)")
    open_library(page, server, library)
    drop(page, "#main", *package.all_files())
    upload(page)
    ended(page, "failed")
    reason = page.locator(".transfer").get_by_role("alert").text_content()
    assert package.disks[0].name in reason and reason.strip().endswith(".")


def test_a_full_quota_refuses_with_what_to_do(page, server, rest, library, tmp_path):
    quota = f"{server.url}/api/quire/quota/libraries/{library}"
    token = {"vmware-api-session-id": rest.session_id}
    rest.http.put(quota, json={"bytes": 4 * MIB, "items": 10}, headers=token, timeout=20).raise_for_status()
    fits, too_large = write_random(tmp_path / "fits.iso", 3 * MIB, 31), write_random(tmp_path / "too large.iso", 2 * MIB, 32)
    page.watched.expect("(Insufficient Storage)", "(Service Unavailable)", "(Internal Server Error)", "(Bad Request)", "status of 5")
    page.goto(f"{server.url}/ui/libraries/{library}/summary")
    page.get_by_text("0 B of 4 MiB, 0 of 10 items").wait_for()
    open_library(page, server, library)
    drop(page, "#main", fits)
    upload(page)
    ended(page)
    drop(page, "#main", too_large)
    upload(page)
    ended(page, "failed")
    reason = page.locator(".transfer.failed").get_by_role("alert").text_content()
    assert "quota" in reason and reason.strip().endswith("."), reason
    page.get_by_role("link", name="Summary").click()
    page.get_by_text("3 MiB of 4 MiB, 1 of 10 items").wait_for()
    assert files_of(rest, library) == {("fits", "fits.iso"): entry(fits)}, "nothing is left of what was refused"
    rest.http.put(quota, json={"bytes": 64 * MIB}, headers=token, timeout=20).raise_for_status()
    page.get_by_text("3 MiB of 64 MiB").wait_for()


def test_new_content_takes_the_place_of_the_old(page, server, rest, library, tmp_path):
    item = make_item(rest, library, "notes")
    first, second = tmp_path / "first.txt", tmp_path / "second.txt"
    first.write_text("one")
    second.write_text("two")
    page.goto(f"{server.url}/ui/items/{item}")
    page.get_by_text("This item has no content yet").wait_for()
    drop(page, "#main", first)
    upload(page)
    ended(page)
    page.get_by_role("gridcell", name="first.txt", exact=True).wait_for()
    drop(page, "#main", second)
    page.get_by_label("Take away files that are not among these").check()
    upload(page)
    ended(page, count=2)
    page.get_by_role("gridcell", name="second.txt", exact=True).wait_for()
    assert files_of(rest, library) == {("notes", "second.txt"): entry(second)}
    page.get_by_role("link", name="History").click()
    page.get_by_role("gridcell", name="3", exact=True).wait_for()


def test_two_tabs_do_not_send_the_same_and_the_second_takes_over(slow_page, server, slow, rest, library, tmp_path):
    large = write_random(tmp_path / "large.iso", 64 * MIB, 17)
    begin(slow_page, server, slow, library, large)
    second = slow_page.context.new_page()
    second.goto(slow.url + "/ui/libraries")
    second.get_by_role("heading", name="Libraries", exact=True, level=1).wait_for()
    second.wait_for_timeout(1000)
    assert second.locator(".transfer").count() == 0
    # The tab that sends is closed: the other one goes on.
    slow_page.close()
    second.locator(".transfer").wait_for()
    slow.rate = None
    ended(second)
    assert files_of(rest, library) == {("large", "large.iso"): entry(large)}


def test_signing_in_again_goes_on(slow_page, server, slow, rest, library, tmp_path):
    large = write_random(tmp_path / "large.iso", 64 * MIB, 18)
    before = begin(slow_page, server, slow, library, large)
    slow_page.get_by_role("button", name=server.user).click()
    slow_page.get_by_role("button", name="Sign out").click()
    slow_page.get_by_label("Password").wait_for()
    assert comes_to_rest(slow_page, slow) - before < 48 * MIB
    slow.rate = None
    sign_in(slow_page, server, base=slow.url)
    ended(slow_page)
    assert files_of(rest, library) == {("large", "large.iso"): entry(large)}
    assert slow.bytes_up - before < 64 * MIB + 24 * MIB, "what had arrived was not sent again"
