"""What a package says of itself, who signed it, and getting it out again."""

import hashlib

import pytest
from conftest import drop, until
from http_source import make_certificate
from signed_package import make_telling_package
from test_libraries import make_library
from test_uploads import ended, open_library, upload


@pytest.fixture
def signer(tmp_path):
    return make_certificate(tmp_path, "Example signing", address=None)


def test_a_package_tells_all_and_its_signer_is_accepted_then_trusted(page, server, rest, tmp_path, signer):
    library = make_library(rest, "packages")
    package = make_telling_package(tmp_path / "package", signer=signer)
    open_library(page, server, library)
    drop(page, "#main", *package.all_files())
    upload(page)
    page.get_by_role("button", name="Look…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Example signing").first.wait_for()
    dialog.get_by_role("button", name="Accept and go on").click()
    ended(page)

    page.get_by_role("link", name="appliance").first.click()
    page.get_by_role("link", name="Package", exact=True).click()
    page.get_by_role("heading", name="Disks").wait_for()
    shown = page.locator(".cards").inner_text()
    for text in ("Appliance 4.2.1 build 99", "Example", "Debian GNU/Linux 12 (64-bit)", "Made for tests.", "VM Network", "Host name", "com.example.hostname.1", "As others call it.", "password", package.disks[0].name):
        assert text in shown, text
    assert shown.count("40 GiB") == 2
    page.get_by_role("button", name="Read").click()
    page.get_by_text("You may do with it what you like.").wait_for()
    page.keyboard.press("Escape")
    card = page.locator(".card", has=page.get_by_role("heading", name="Signature"))
    card.get_by_text("Signer not trusted").wait_for()
    assert "CN=Example signing" in card.inner_text()
    assert hashlib.sha256(signer.der).hexdigest() in card.inner_text()

    card.get_by_role("link", name="trusted certificates").click()
    page.get_by_text("Nobody is trusted yet").wait_for()
    page.get_by_role("button", name="Trust a certificate").click()
    page.get_by_label("Certificate in PEM").fill(signer.pem)
    page.get_by_role("dialog").get_by_role("button", name="Trust", exact=True).click()
    page.get_by_role("gridcell", name="CN=Example signing").first.wait_for()
    page.go_back()
    card.get_by_text("Verified").wait_for()


def test_downloads_are_the_bytes_that_came(page, server, rest, tmp_path):
    library = make_library(rest, "downloads")
    first = tmp_path / "notes %41 ä.txt"
    first.write_bytes(b"to be read again" * 100_000)
    open_library(page, server, library)
    drop(page, "#main", first)
    upload(page)
    ended(page)
    page.get_by_role("link", name="notes").first.click()
    page.get_by_role("button", name="Download", exact=True).wait_for()
    page.get_by_role("gridcell", name=f"SHA256 {hashlib.sha256(first.read_bytes()).hexdigest()}").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename == first.name
    download.value.save_as(tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == first.read_bytes()


def test_all_files_of_a_package_are_downloaded(page, server, rest, tmp_path):
    library = make_library(rest, "all of it")
    package = make_telling_package(tmp_path / "package", "whole")
    open_library(page, server, library)
    drop(page, "#main", *package.all_files())
    upload(page)
    ended(page)
    page.get_by_role("link", name="whole").first.click()
    downloads = []
    page.on("download", lambda one: downloads.append(one))
    page.get_by_role("button", name="Download all").click()

    def all_there():
        page.wait_for_timeout(100)
        return len(downloads) == len(package.content_files())

    until(all_there)
    for one in downloads:
        one.save_as(tmp_path / "back" / one.suggested_filename)
        assert (tmp_path / "back" / one.suggested_filename).read_bytes() == (package.folder / one.suggested_filename).read_bytes()
