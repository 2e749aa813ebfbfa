"""The scripted publisher itself: what the tests of subscribing lean on."""

import http.client
import json
import threading

import pytest
import requests

from http_source import make_certificate
from publisher import DIALECT_1, DIALECT_2, FORMS, LOCAL_GENERATOR, Fault, Publisher, failed, preparing, redirect
from push_session import sha256
from vcsp_reader import NotVcsp, Subscriber

TIMEOUT = 30


def get(url, **options):
    return requests.get(url, timeout=TIMEOUT, **options)


def at(publisher, item, file):
    return publisher.origin + publisher.path_of(item, file)


def test_the_second_dialect_is_strictly_right():
    with Publisher(x_quire=True) as publisher:
        image = publisher.add("image", {"a.iso": b"1" * 5000, "ä b.iso": b"2"}, "vcsp.iso")
        publisher.add("script", {"run.sh": b"#!/bin/sh\n", "empty": b""})
        publisher.put(image, {"ä b.iso": b"3"})
        publisher.rename(image, "picture")
        reader = Subscriber(publisher.url, None)
        copies = reader.mirror()
        assert {name: files for name, (_, files) in copies.items()} == {
            "picture": {"a.iso": b"1" * 5000, "ä b.iso": b"3"},
            "script": {"run.sh": b"#!/bin/sh\n", "empty": b""},
        }
        generations = {file["name"]: file["generationNum"] for file in copies["picture"][0]["files"]}
        assert generations == {"a.iso": 2, "ä b.iso": 3}
        assert reader.library()["version"] == "5"


@pytest.mark.parametrize("form", FORMS)
def test_every_href_leads_to_the_bytes(form):
    with Publisher(form) as publisher:
        item = publisher.add("one", {"a.iso": b"first", "b": b"second"}, "vcsp.iso")
        library = get(publisher.url).json()
        index = get(requests.compat.urljoin(publisher.url, library["itemsHref"])).json()
        (told,) = index["items"]
        own_url = requests.compat.urljoin(publisher.url, told["selfHref"])
        own = get(own_url).json()
        for document, base in ((told, publisher.url), (own, own_url if form == DIALECT_1 else publisher.url)):
            for file, content in zip(document["files"], (b"first", b"second"), strict=True):
                assert get(requests.compat.urljoin(base, file["hrefs"][0])).content == content
        assert publisher.file_requests()
        if form != DIALECT_2:
            with pytest.raises((NotVcsp, AssertionError)):
                Subscriber(publisher.url, None).mirror()
        assert item in publisher.expected()


def test_a_round_is_seen_as_a_whole():
    with Publisher() as publisher:
        one, two = (publisher.add(name, {"a": name.encode()}) for name in ("one", "two"))
        before = int(get(publisher.url).json()["version"])
        seen = []
        with publisher.one_round():
            publisher.rename(one, "two")
            reader = threading.Thread(target=lambda: seen.append(Subscriber(publisher.url, None).read()))
            reader.start()
            publisher.rename(two, "one")
        reader.join(TIMEOUT)
        ((library, items),) = seen
        assert int(library["version"]) == before + 1
        assert {items[name]["id"] for name in ("one", "two")} == {f"urn:uuid:{one}", f"urn:uuid:{two}"}
        assert items["two"]["id"] == f"urn:uuid:{one}"


def test_passwords_and_certificates(tmp_path):
    certificate = make_certificate(tmp_path, "publisher")
    with Publisher(certificate=certificate, password="open-sesame") as publisher:
        publisher.add("one", {"a": b"1"})
        assert get(publisher.url, verify=str(certificate.path)).status_code == 401
        assert Subscriber(publisher.url, str(certificate.path), password="open-sesame").mirror()["one"][1] == {"a": b"1"}
        with pytest.raises(requests.exceptions.SSLError):
            get(publisher.url)
        assert publisher.requests()[-1].credentials == "vcsp:open-sesame"


def test_ranges_and_validators():
    with Publisher() as publisher:
        item = publisher.add("one", {"a": b"0123456789"})
        url = at(publisher, item, "a")
        tag = get(url).headers["ETag"]
        part = get(url, headers={"Range": "bytes=4-", "If-Range": tag})
        assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, b"456789", "bytes 4-9/10")
        assert get(url, headers={"Range": "bytes=2-3"}).content == b"23"
        assert get(url, headers={"Range": "bytes=4-", "If-Range": '"other"'}).status_code == 200
        assert get(url, headers={"Range": "bytes=10-"}).status_code == 416
        assert get(publisher.url, headers={"If-None-Match": get(publisher.url).headers["ETag"]}).status_code == 304
        head = requests.head(url, timeout=TIMEOUT)
        assert head.headers["Content-Length"] == "10"
        publisher.ranges = False
        assert get(url, headers={"Range": "bytes=4-"}).status_code == 200


def test_faults():
    with Publisher() as publisher:
        content = bytes(range(256)) * 1024
        item = publisher.add("one", {"a": content})
        path, url = publisher.path_of(item, "a"), at(publisher, item, "a")
        troubles = [Fault(cut_after=100_000, times=1), preparing(10, 2), failed("broken", 1), Fault(status=404, times=1)]
        publisher.fault(path, *troubles)
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            get(url)
        assert publisher.sent(path) == 100_000
        assert [get(url).json()["message"] for _ in range(3)] == ["", "", "broken"]
        assert get(url).status_code == 404
        assert get(url).content == content
        publisher.fault(path, redirect(publisher.url))
        assert get(url).json() == get(publisher.url).json()
        publisher.fault(path, Fault(content=b"lie", times=1), Fault(announced=len(content) + 1, times=1))
        assert get(url).content == b"lie"
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            get(url)
        publisher.fault(path, Fault(bytes_per_second=10 << 20))
        assert get(url).content == content
        publisher.fault(path, Fault(raw=b"nonsense\r\n\r\n"))
        with pytest.raises((requests.ConnectionError, http.client.HTTPException)):
            get(url)
        publisher.fault(path, Fault(endless=True))
        with get(url, stream=True) as endless:
            pieces = endless.iter_content(65536)
            assert sum(len(next(pieces)) for _ in range(20)) > len(content)
        publisher.heal()
        assert get(url).content == content


def test_a_stall_ends_at_the_gate_and_with_the_publisher():
    with Publisher() as publisher:
        content = b"x" * 100_000
        item = publisher.add("one", {"a": content})
        path, url = publisher.path_of(item, "a"), at(publisher, item, "a")
        publisher.fault(path, Fault(stall_after=30_000))
        with get(url, stream=True) as answer:
            pieces = answer.iter_content(10_000)
            first = next(pieces) + next(pieces) + next(pieces)
            assert publisher.sent(path) == 30_000
            publisher.gate.set()
            assert first + b"".join(pieces) == content
        publisher.gate.clear()
        with get(url, stream=True) as answer:
            port = publisher.port
            publisher.close()
            with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
                assert answer.content
        with pytest.raises(requests.ConnectionError):
            get(url)
        publisher.open()
        publisher.heal()
        assert publisher.port == port and get(url).content == content


def test_hooks_pages_and_old_generations():
    with Publisher() as publisher:
        item = publisher.add("one", {"a": b"old"})
        old = at(publisher, item, "a")
        publisher.put(item, {"a": b"new"})
        assert get(old).content == b"old" and get(at(publisher, item, "a")).content == b"new"
        publisher.keep_old = False
        assert get(old).status_code == 404
        publisher.edit_library = lambda document: {**document, "version": "none"}
        assert get(publisher.url).json()["version"] == "none"
        publisher.edit_item = lambda document: {**document, "name": "../x"}
        assert json.loads(get(publisher.origin + publisher.index_path).text)["items"][0]["name"] == "../x"
        publisher.pages[publisher.library_path] = b"<html>"
        assert get(publisher.url).text == "<html>"
        publisher.heal()
        Subscriber(publisher.url, None).mirror()
        state = publisher.snapshot()
        publisher.delete(item)
        assert publisher.expected() == {}
        publisher.go_back(state)
        assert publisher.committed(item) == [{"a": sha256(b"old")}, {"a": sha256(b"new")}]
        assert Subscriber(publisher.url, None).mirror()["one"][1] == {"a": b"new"}


def test_the_local_generator_counts_no_files():
    with Publisher(LOCAL_GENERATOR) as publisher:
        publisher.add("appliance", {"appliance.iso": b"ISO!"}, "vcsp.iso")
        (item,) = get(publisher.origin + publisher.index_path).json()["items"]
        (file,) = item["files"]
        assert "generationNum" not in file and "contentVersion" not in item and len(file["etag"]) == 32
        assert file["hrefs"] == ["appliance/appliance.iso"] and item["selfHref"] == "appliance/item.json"
        assert len(item["created"]) == len("2026-03-03T10:15Z")
