#!/usr/bin/env python3
"""Measures the web page in Chromium: its size, its first view, scrolling, and uploads beside a bare page that PUTs to nginx.

    build/clients/venv/bin/python bench/page.py [--build build/clang] [--rounds 5] [--size MIB] [--only NAME]… [--short] [--json FILE]

Uploads go over HTTPS from a file in memory to servers on the same disk, in turn in every round. nginx neither hashes nor syncs; "+ sync"
is its file synced right after the answer, as Quire's is before it. --short makes everything tiny: it finds out whether all measurements
run, and its figures mean nothing. Nothing fails on a figure.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import report
from measurements import GIB, MIB, Group, Row, in_turn
from playwright.sync_api import sync_playwright
from servers import ROOT, Nginx, Quire, make_certificate

sys.path.insert(0, str(ROOT / "test" / "browser"))
from conftest import QUIET, chromium, drop, sign_in  # noqa: E402

WAIT_MS = 600_000
KB = 1000

# When the first view is there: what of it shows last.
FIRST_VIEW = """
(selector) => {
  const look = () => { if (document.querySelector(selector)) { window.firstView = performance.now(); observer.disconnect(); } };
  const observer = new MutationObserver(look);
  observer.observe(document, { childList: true, subtree: true });
}
"""
FRAMES = """
async () => {
  const rows = document.querySelector(".rows");
  const frames = [];
  await new Promise(requestAnimationFrame);
  let last = performance.now();
  for (let count = 0; count < 240; ++count) {
    rows.scrollTop += rows.scrollHeight / 240;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    frames.push(now - last);
    last = now;
  }
  return frames;
}
"""
# From the click until the upload is done: the item made, its session opened, the bytes sent, the content completed.
UPLOAD = """
() => new Promise((resolve, reject) => {
  const start = performance.now();
  new MutationObserver(() => {
    if (document.querySelector(".transfer.failed")) reject(new Error(document.querySelector(".transfer.failed").innerText));
    if (document.querySelector(".transfer.done")) resolve(performance.now() - start);
  }).observe(document.body, { childList: true, subtree: true, attributes: true });
  [...document.querySelectorAll("dialog button")].find((one) => one.textContent.trim() === "Upload").click();
})
"""
BARE_PAGE = "<!doctype html><title>bare</title><input type=file>"
BARE_UPLOAD = """
(path) => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  const start = performance.now();
  request.open("PUT", path);
  request.onload = () => (request.status < 300 ? resolve(performance.now() - start) : reject(new Error(`${request.status}`)));
  request.onerror = () => reject(new Error("the connection broke"));
  request.send(document.querySelector("input").files[0]);
})
"""


@contextmanager
def context_of(browser, **options):
    context = browser.new_context(ignore_https_errors=True, viewport={"width": 1360, "height": 800}, **options)
    context.set_default_timeout(WAIT_MS)
    try:
        yield context
    finally:
        context.close()


class Bench:
    def __init__(self, options, folder, memory):
        self.folder, self.memory = Path(folder), Path(memory)
        self.build = options.build
        self.rounds = 1 if options.short else options.rounds
        self.items = 500 if options.short else 10_000
        self.size = 32 * MIB if options.short else options.size * MIB
        self.certificate = make_certificate(self.folder)


def size(bench, browser):
    """What a browser loads, compressed as the server sends it."""
    group = Group("page-size", "What a browser loads", "KB")
    served = list((bench.build / "web" / "served").iterdir())
    group.add("brotli", sum(file.stat().st_size for file in served if file.suffix == ".br") / KB)
    group.add("as it is", sum(file.stat().st_size for file in served if file.suffix != ".br") / KB)
    group.rows = [Row("page-size", "The page, brotli", group.median("brotli"), "<=", 60, 45, "KB")]
    return [group]


@contextmanager
def seeded(bench):
    """A server with a library of many items: server, library."""
    quire = Quire(bench.folder / f"seeded-{time.monotonic_ns()}")
    with quire:
        library = quire.api().create_library("Installation images")
    subprocess.run([bench.build / "bench" / "quire_seed", "items", quire.catalog, library, str(bench.items)], check=True, capture_output=True)
    with quire:
        yield quire, library


def signed_in_state(browser, quire):
    with context_of(browser) as context:
        sign_in(context.new_page(), quire.server)
        return context.storage_state()


def first_view(bench, browser):
    """From the address to what is shown, with nothing in the browser's cache."""
    group = Group("page-first", "First view on a cold load", "ms")
    with seeded(bench) as (quire, library):
        state = signed_in_state(browser, quire)
        base = quire.server.url
        views = {
            "sign-in": (None, "/", "#user"),
            "libraries": (state, "/ui/libraries", ".row a"),
            f"{bench.items:,} items": (state, f"/ui/libraries/{library}", ".row a"),
        }
        for number in range(bench.rounds):
            for name, (cookies, path, selector) in in_turn(list(views.items()), number):
                with context_of(browser, **({"storage_state": cookies} if cookies else {})) as context:
                    context.add_init_script(f"({FIRST_VIEW})({json.dumps(selector)})")
                    page = context.new_page()
                    page.goto(base + path)
                    page.wait_for_function("() => window.firstView && performance.getEntriesByName('first-contentful-paint').length")
                    group.add(name, page.evaluate("window.firstView"))
                    group.add(f"{name}, first paint", page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
    group.rows = [Row("page-first", "First view, libraries, cold", group.median("libraries"), "<=", 1000, 500, "ms")]
    return [group]


def scrolling(bench, browser):
    """Ten thousand items from top to bottom in 240 steps. A display of 60 Hz gives 16.7 ms."""
    group = Group("page-scroll", f"Frames while {bench.items:,} items scroll by", "ms")
    with seeded(bench) as (quire, library), context_of(browser, storage_state=signed_in_state(browser, quire)) as context:
        page = context.new_page()
        for _ in range(bench.rounds):
            page.goto(f"{quire.server.url}/ui/libraries/{library}")
            page.get_by_text(f"{bench.items:,} rows").wait_for()
            frames = sorted(page.evaluate(FRAMES))
            for name, share in (("median", 0.5), ("95 %", 0.95), ("slowest", 1)):
                group.add(name, frames[min(len(frames) - 1, int(len(frames) * share))])
    group.rows = [Row("page-scroll", "Frames while 10,000 items scroll: 95 % within", group.median("95 %"), "<=", 33.4, 17, "ms")]
    return [group]


def write_random(path, count):
    with open(path, "wb") as file:
        block = os.urandom(64 * MIB)
        while count > 0:
            file.write(block[:count])
            count -= len(block)
    return path


def uploads(bench, browser):
    """One file: dropped on the page; by XMLHttpRequest as a whole to nginx."""
    group = Group("page-upload", f"Upload of {bench.size // MIB} MiB by a browser over HTTPS", "GB/s")
    file = write_random(bench.memory / "image.iso", bench.size)
    stored = bench.folder / "files"
    stored.mkdir()
    (stored / "bare.html").write_text(BARE_PAGE)
    quire, nginx = Quire(bench.folder / "quire"), Nginx(bench.folder / "nginx", stored, bench.certificate)
    with quire, nginx:
        api = quire.api()
        library = api.create_library("uploads")
        state = signed_in_state(browser, quire)

        def by_the_page(number):
            with context_of(browser, storage_state=state) as context:
                page = context.new_page()
                page.goto(f"{quire.server.url}/ui/libraries/{library}")
                page.get_by_role("button", name="Upload files").wait_for()
                page.wait_for_function("() => [...document.querySelectorAll('button')].some((one) => one.textContent.includes('Upload files') && !one.disabled)")
                drop(page, "#main", file)
                page.get_by_label("Name of item 1").fill(f"image {number}")
                milliseconds = page.evaluate(UPLOAD)
            for item in api.call("GET", f"content/library/item?library_id={library}"):
                api.delete_item(item)
            return milliseconds, 0

        def by_the_bare_page(number):
            with context_of(browser) as context:
                page = context.new_page()
                page.goto(nginx.bases["https"] + "/bare.html")
                page.locator("input").set_input_files(file)
                milliseconds = page.evaluate(BARE_UPLOAD, f"/image-{number}.iso")
            received = stored / f"image-{number}.iso"
            begun = time.perf_counter()
            with open(received, "rb") as written:
                os.fsync(written.fileno())
            synced = (time.perf_counter() - begun) * 1000
            received.unlink()
            return milliseconds, synced

        for number in range(bench.rounds):
            for name, upload in in_turn([("the page", by_the_page), ("bare page, nginx", by_the_bare_page)], number):
                os.sync()  # what one has left to be written is not the other's burden
                milliseconds, synced = upload(number)
                group.add(name, bench.size / milliseconds / 1e6)
                if upload is by_the_bare_page:
                    group.add(f"{name} + sync", bench.size / (milliseconds + synced) / 1e6)
    file.unlink()
    group.plotted = list(group.samples)
    group.rows = [
        Row("page-upload", "Upload by the page, hashed and durable / by a bare page to nginx", group.ratio("the page", "bare page, nginx"), ">=", 0.9, 1.0, "×"),
        Row("page-upload-sync", "The same / by a bare page to nginx + sync", group.ratio("the page", "bare page, nginx + sync"), ">=", 0.9, 1.0, "×"),
    ]
    return [group]


ALL = {"size": size, "first-view": first_view, "scrolling": scrolling, "uploads": uploads}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "clang")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--size", type=int, default=GIB // MIB, help="MiB of the file that is uploaded")
    parser.add_argument("--only", action="append", choices=ALL)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench", help="where data goes: the disk to measure")
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    options.build = options.build.resolve()
    os.environ["QUIRE_BINARY"] = str(options.build / "src" / "main" / "quire")
    options.folder.mkdir(parents=True, exist_ok=True)
    groups = []
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as folder,
        tempfile.TemporaryDirectory(dir="/dev/shm") as memory,
        sync_playwright() as playwright,
    ):
        bench = Bench(options, folder, memory)
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        version = browser.version
        for name in options.only or ALL:
            print(f"measuring: {name}", file=sys.stderr, flush=True)
            groups += ALL[name](bench, browser)
        browser.close()
    print(report.as_text(groups))
    if options.json:
        facts = {"chromium": version, "nginx": Nginx.version(), "rounds": bench.rounds, "cores": os.cpu_count()}
        options.json.write_text(report.as_json(groups, facts) + "\n")


if __name__ == "__main__":
    main()
