"""A subscriber's eyes, written from vcsp.md alone and strict: what is not exactly as both dialects want it is an error.

Quire's own reader takes what others write; this one shares no line with it, so that the two can disagree.
"""

import re
from datetime import datetime
from urllib.parse import unquote, urljoin, urlsplit

import requests

TIMEOUT = 60
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
LONG_MAX = 2**63 - 1


class NotVcsp(AssertionError):
    """The publisher has written something else than vcsp.md says."""


def need(condition, where, what):
    if not condition:
        raise NotVcsp(f"{where}: {what}")


def member(document, where, key, kind):
    need(key in document, where, f"has no {key}")
    value = document[key]
    need(type(value) is kind, f"{where}.{key}", f"is {value!r}, not a {kind.__name__}")
    return value


def counter(document, where, key):
    """A number that fits a long, written as a text."""
    text = member(document, where, key, str)
    need(re.fullmatch(r"0|[1-9][0-9]*", text), f"{where}.{key}", f"{text!r} is no decimal number")
    need(int(text) <= LONG_MAX, f"{where}.{key}", f"{text} does not fit a long")
    return int(text)


def identifier(document, where):
    text = member(document, where, "id", str)
    need(re.fullmatch("urn:uuid:" + UUID, text), f"{where}.id", f"{text!r} is no urn:uuid: in lower case")
    return text.removeprefix("urn:uuid:")


def moment(document, where):
    text = member(document, where, "created", str)
    need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text), f"{where}.created", f"is {text!r}")
    return datetime.fromisoformat(text)


def check_library(document):
    """§3, both dialects."""
    need(member(document, "lib.json", "vcspVersion", str) == "2", "lib.json.vcspVersion", "is not 2")
    counter(document, "lib.json", "version")
    need(member(document, "lib.json", "contentVersion", str) == "1", "lib.json.contentVersion", "is a constant")
    need(member(document, "lib.json", "name", str), "lib.json.name", "is empty")
    member(document, "lib.json", "description", str)
    identifier(document, "lib.json")
    moment(document, "lib.json")
    need(member(document, "lib.json", "itemType", str) == "vcsp.CatalogItem", "lib.json.itemType", "is wrong")
    capabilities = member(document, "lib.json", "capabilities", dict)
    for way in ("transferIn", "transferOut"):
        need(capabilities.get(way) == ["httpGet"], f"lib.json.capabilities.{way}", "is not [httpGet]")
    need(capabilities.get("generateIds") is True, "lib.json.capabilities.generateIds", "is not true")
    need(member(document, "lib.json", "itemsHref", str), "lib.json.itemsHref", "is empty")
    member(document, "lib.json", "metadata", list)


def check_href(href, where):
    need(type(href) is str and href, where, "is no text")
    parts = urlsplit(href)
    need(not parts.scheme and not parts.netloc and not parts.query and not parts.fragment, where, f"{href} is not relative")
    need(not href.startswith("/"), where, f"{href} is not relative to the library")
    need(re.fullmatch(r"(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})+", href), where, f"{href} is not percent-encoded")
    need(not {".", ".."} & set(href.split("/")), where, f"{href} leads elsewhere")


def check_file(file, where):
    """§5, a file."""
    name = member(file, where, "name", str)
    need(name and name not in (".", "..") and not set(name) & set("/\\\0"), f"{where}.name", f"{name!r} is not bare")
    need(member(file, where, "size", int) >= 0, f"{where}.size", "is negative")
    counter(file, where, "etag")
    generation = member(file, where, "generationNum", int)
    need(0 <= generation <= LONG_MAX, f"{where}.generationNum", "does not fit a long")
    hrefs = member(file, where, "hrefs", list)
    need(len(hrefs) == 1, f"{where}.hrefs", "has not exactly one member")
    check_href(hrefs[0], f"{where}.hrefs[0]")
    need(unquote(hrefs[0].rsplit("/", 1)[1]) == name, f"{where}.hrefs[0]", f"does not end with {name!r}")


def check_item(item, where):
    """§5."""
    identifier(item, where)
    name = member(item, where, "name", str)
    need(0 < len(name) <= 80, f"{where}.name", "has not 1 to 80 characters")
    member(item, where, "description", str)
    kind = member(item, where, "type", str)
    need(kind in ("vcsp.ovf", "vcsp.iso", "vcsp.other"), f"{where}.type", f"is {kind}")
    version, content_version = counter(item, where, "version"), counter(item, where, "contentVersion")
    need(version >= content_version, f"{where}.version", "has not moved with the content")
    moment(item, where)
    check_href(member(item, where, "selfHref", str), f"{where}.selfHref")
    files = member(item, where, "files", list)
    need(files, f"{where}.files", "is empty")
    for i, file in enumerate(files):
        check_file(file, f"{where}.files[{i}]")
    need(len({file["name"] for file in files}) == len(files), f"{where}.files", "have a name twice")
    need({file["etag"] for file in files} == {str(content_version)}, f"{where}.files", "have not one etag")
    need(all(file["generationNum"] <= content_version for file in files), f"{where}.files", "are newer than their item")
    need(member(item, where, "properties", dict) == {}, f"{where}.properties", "is not {}")
    member(item, where, "metadata", list)
    if kind == "vcsp.ovf":
        need(any(file["name"].lower().endswith(".ovf") for file in files), f"{where}.type", "has no descriptor")
    if kind == "vcsp.iso":
        need(all(file["name"].lower().endswith(".iso") for file in files), f"{where}.type", "has other files")


def check_index(document, library):
    """§4."""
    need(member(document, "items.json", "itemType", str) == "vcsp.CatalogItem", "items.json.itemType", "is wrong")
    need(document.get("version") == library["version"], "items.json.version", "is not that of lib.json")
    items = member(document, "items.json", "items", list)
    for i, item in enumerate(items):
        check_item(item, f"items.json.items[{i}]")
    for key in ("id", "name"):
        need(len({item[key] for item in items}) == len(items), "items.json.items", f"have an {key} twice")


class Subscriber:
    """Reads one published library by its URL, and nothing else of the server."""

    def __init__(self, url, verify, password=None, user="vcsp"):
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = verify
        if password is not None:
            self.http.auth = (user, password)

    def get(self, href="", **options):
        return self.http.get(urljoin(self.url, href), timeout=TIMEOUT, **options)

    def json(self, href=""):
        response = self.get(href)
        assert response.status_code == 200, f"{href}: {response.status_code} {response.text}"
        need(response.headers["Content-Type"].split(";")[0] == "application/json", href, "is not application/json")
        need(not response.content.startswith(b"\xef\xbb\xbf"), href, "has a byte-order mark")
        need("no-cache" in response.headers.get("Cache-Control", ""), href, "may be taken from a cache")
        tag = response.headers.get("ETag", "")
        need(re.fullmatch(r'"[^"]+"', tag), href, f"has no strong validator: {tag}")
        return response.json()

    def library(self):
        document = self.json()
        check_library(document)
        return document

    def read(self):
        """(lib.json, items by name), both checked, of one state: read again when the library changed in between."""
        for _ in range(20):
            library = self.library()
            index = self.json(library["itemsHref"])
            if index.get("version") == library["version"]:
                break
        check_index(index, library)
        return library, {item["name"]: item for item in index["items"]}

    def bytes_of(self, file):
        response = self.get(file["hrefs"][0])
        assert response.status_code == 200, f"{file['hrefs'][0]}: {response.status_code} {response.text}"
        need(int(response.headers["Content-Length"]) == file["size"], file["name"], "has another length than it says")
        need(len(response.content) == file["size"], file["name"], "has another length")
        return response.content

    def content(self, item):
        return {file["name"]: self.bytes_of(file) for file in item["files"]}

    def mirror(self):
        """Name → (item, name → bytes) of everything; item.json must say the same as the index."""
        _, items = self.read()
        for item in items.values():
            need(self.json(item["selfHref"]) == item, item["selfHref"], "is not the item of the index")
        return {name: (item, self.content(item)) for name, item in items.items()}
