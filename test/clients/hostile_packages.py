"""Makes packages that are damaged or meant to do harm, and tells how an honest reader would take them.

`make_variant(seed, number, …)` gives the same one for the same arguments. Each family is a function of a random source
and a good package; each is drawn as often as the others.
"""

import base64
import bz2
import gzip
import hashlib
import io
import lzma
import random
import re
import tarfile
import zipfile
from dataclasses import dataclass

BLOCK = 512
MEMBERS_MAX = 200  # what the server is told to take; each costs it a file that it must make safe
OVF = "http://schemas.dmtf.org/ovf/envelope/1"


@dataclass
class Variant:
    """What is pushed: `files` (name, bytes) in this order; an archive is one of them."""

    number: int
    family: str
    detail: str
    files: list
    ignore_warnings: bool = False
    declare_size: bool = True
    chunked: bool = False
    good: bool | None = None  # it must complete (True) or must not (False), whatever an honest reader says

    def __str__(self):
        return f"{self.number} {self.family}: {self.detail}"


@dataclass
class Surroundings:
    """What the variants aim at: none of it may be touched, read or asked for."""

    outside: str  # a folder beside the server's data
    secret: str  # a file there
    url: str  # of a web server


# --- good material ------------------------------------------------------------------------------------------------


def descriptor(references, extra="", head='<?xml version="1.0" encoding="UTF-8"?>\n'):
    files = "".join(
        f'<File ovf:id="f{number}" ovf:href="{href}"{attributes}/>'
        for number, (href, attributes) in enumerate(references)
    )
    return (
        f'{head}<Envelope xmlns="{OVF}" xmlns:ovf="{OVF}"><References>{files}</References>{extra}'
        '<VirtualSystem ovf:id="vm"><Info>A machine</Info></VirtualSystem></Envelope>\n'
    )


def good_package(chance):
    """Name → bytes in the order of an archive: descriptor, manifest, two disks."""
    disks = {f"vm-disk{number}.vmdk": chance.randbytes(chance.randint(1, 40_000)) for number in (1, 2)}
    text = descriptor([(name, f' ovf:size="{len(content)}"') for name, content in disks.items()]).encode()
    content = {"vm.ovf": text, **disks}
    return {"vm.ovf": text, "vm.mf": manifest_of(content, chance.choice(["SHA1", "SHA256", "SHA512"])), **disks}


def manifest_of(content, algorithm="SHA256"):
    return "".join(
        f"{algorithm}({name})= {hashlib.new(algorithm, data).hexdigest()}\n" for name, data in content.items()
    ).encode()


# --- tar, down to the bytes -----------------------------------------------------------------------------------------


def octal(value, length):
    return b"%0*o\0" % (length - 1, value)


def header(name, size, kind=b"0", *, size_field=None, link=b"", magic=b"ustar\x0000", prefix=b"", sum_field=None):
    """A header block; what is given as a field goes in as it is."""
    name = name.encode() if isinstance(name, str) else name
    block = bytearray(BLOCK)

    def put(start, length, value):
        block[start : start + length] = value[:length].ljust(length, b"\0")

    put(0, 100, name)
    put(100, 8, b"0000644\0")
    put(108, 8, octal(0, 8))
    put(116, 8, octal(0, 8))
    put(124, 12, octal(size, 12) if size_field is None else size_field)
    put(136, 12, octal(1_700_000_000, 12))
    block[148:156] = b" " * 8
    block[156:157] = kind
    put(157, 100, link)
    put(257, 8, magic)
    put(345, 155, prefix)
    put(148, 8, b"%06o\0 " % sum(block) if sum_field is None else sum_field)
    return bytes(block)


def padded(content):
    return content + bytes(-len(content) % BLOCK)


def member(name, content, kind=b"0", **fields):
    return header(name, len(content), kind, **fields) + padded(content)


def members(files):
    return b"".join(member(name, content) for name, content in files.items())


END = bytes(2 * BLOCK)


def pax_record(key, value):
    value = value.encode() if isinstance(value, str) else value
    body = b" " + key.encode() + b"=" + value + b"\n"
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return str(length).encode() + body


def pax(records, kind=b"x"):
    content = records if isinstance(records, bytes) else b"".join(pax_record(*record) for record in records)
    return member("./PaxHeaders/vm", content, kind)


# --- families: each returns (detail, files, options) ----------------------------------------------------------------


def ova(content, **options):
    return [("vm.ova", content)], options


def with_extra(chance, package, raw, detail, **options):
    """The good package with these raw bytes before, among or behind its disks."""
    at = chance.randint(2, 4)
    parts = [member(name, content) for name, content in package.items()]
    return detail, *ova(b"".join([*parts[:at], raw, *parts[at:]]) + END, **options)


def bad_names(chance, package, around):
    name = chance.choice(
        [
            "../escape",
            "../../../../../../etc/quire-escape",
            "a/../../escape",
            "/etc/quire-escape",
            f"{around.outside}/escape",
            "//escape",
            "a//b",
            "a/./b",
            "./../escape",
            ".//escape",
            "%2e%2e/escape",
            "%2E%2E%2fescape",
            "%2fetc/quire-escape",
            "%252e%252e/escape",
            "nul%00byte",
            "bad%ffutf-8",
            ".",
            "..",
            "a/",
            "\\escape",
            "..\\..\\escape",
            "C:\\escape",
            "new\nline",
            "bell\x07",
            "del\x7f",
            "x" * 256,
            "d/" * 120 + "x" * 256,
            b"\xff\xfe.vmdk",
            b"\xc0\xaf..\xc0\xaf",
            b"over\xed\xa0\x80long",
            "",
        ]
    )
    raw = name.encode() if isinstance(name, str) else name
    if chance.random() < 0.5 or len(raw) > 100:
        how, entry = chance.choice(
            [
                ("pax", pax([("path", raw)]) + member("short", b"x")),
                ("GNU long name", member("././@LongLink", raw + b"\0", b"L") + member("short", b"x")),
            ]
        )
    else:
        how, entry = "header", member(raw, b"x")
    return with_extra(chance, package, entry, f"{how} {raw[:60]!r}", good=False)


def name_with_nul(chance, package, around):
    entry = pax([("path", b"ok\0/../../escape")]) + member("short", b"x")
    return with_extra(chance, package, entry, "a NUL in a pax path", good=False)


def prefix_traversal(chance, package, around):
    entry = member("escape", b"x", prefix=chance.choice([b"..", b"/etc", b"a/..", b"a/../..", b"./.."]))
    return with_extra(chance, package, entry, "through the prefix field", good=False)


def not_files(chance, package, around):
    kind = chance.choice([b"1", b"2", b"3", b"4", b"6", b"S", b"K", b"V", b"M", b"D", b"N", b"A", b"X", b"Z"])
    target = chance.choice([b"/etc/passwd", b"../../escape", b"vm-disk1.vmdk", around.secret.encode()])
    raw = header("evil.vmdk", 0, kind, link=target)
    if kind == b"K":
        raw = member("././@LongLink", target, b"K") + header("evil.vmdk", 0, b"2", link=target)
    return with_extra(chance, package, raw, f"kind {kind!r} to {target!r}", good=False)


def directories(chance, package, around):
    """Passed over; but not those that no file may have as its folder, and not those with content."""
    name, content = chance.choice(
        [("../", b""), ("/etc/", b""), ("a/../b/", b""), ("%2e%2e/", b""), ("/", b""), ("d/", b"x" * 600), ("a//b/", b"")]
    )
    raw = chance.choice([b"", pax([("comment", "a directory")])]) + member(name, content, b"5")
    return with_extra(chance, package, raw, f"directory {name!r} with {len(content)} bytes", good=False)


def ordinary_tars(chance, package, around):
    """As people pack by hand: `tar cf vm.ova .`, on macOS too; and what VMware puts behind the manifest."""
    order = ["vm.ovf", "vm.mf", "vm-disk1.vmdk", "vm-disk2.vmdk"]
    if chance.random() < 0.5:
        order = [*order[:1], *order[2:], order[1]]
    dot = chance.choice(["", "./"])
    double = b"\0\5\x16\7" + chance.randbytes(100)
    mac, before = chance.random() < 0.5, chance.random() < 0.5
    parts = [header("./", 0, b"5"), header(f"{dot}msg/", 0, b"5")] if dot or chance.random() < 0.5 else []
    for name in order:
        entry = [member(dot + name, package[name])]
        if mac:
            entry.insert(0 if before else 1, member(f"{dot}._{name}", double))
        parts += entry
    if chance.random() < 0.5:
        parts.append(member(f"{dot}vm.nvram", b"not in the manifest"))
    if parts and chance.random() < 0.3:
        parts.insert(0, pax([("comment", "packed by hand")], b"g"))
    return f"{dot!r}{' with doubles' if mac else ''}", *ova(b"".join(parts) + END, good=True)


def encoded_hrefs(chance, package, around):
    """An href is a URI reference: what it names, as written or decoded, is there or not."""
    disk = chance.randbytes(1000)
    href, name, good = chance.choice(
        [
            ("The%20Image.vmdk", "The Image.vmdk", True),
            ("The%20Image.vmdk", "The%20Image.vmdk", True),
            ("50%25.vmdk", "50%25.vmdk", True),
            ("50%25.vmdk", "50%.vmdk", True),
            ("./a.vmdk", "a.vmdk", True),
            ("100%.vmdk", "100%.vmdk", True),
            ("The%2520Image.vmdk", "The Image.vmdk", False),
            ("%2e%2e%2fa.vmdk", "a.vmdk", False),
        ]
    )
    text = descriptor([(href, ' ovf:size="1000"')])
    return f"{href!r} for {name!r}", *as_files(chance, text, {name: disk}.items(), good=good)


def other_things(chance, package, around):
    """Something else in place of an archive or a descriptor."""
    inner = members(package) + END
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("vm.ovf"), package["vm.ovf"])
    content = {
        "gzip": gzip.compress(inner, mtime=0),
        "zip": packed.getvalue(),
        "xz": lzma.compress(inner),
        "bzip2": bz2.compress(inner),
        "page": b"<!DOCTYPE html><title>Log in</title>" + b" " * chance.choice([0, 2000]),
        "tar": inner,
    }
    how = chance.choice(list(content))
    name = "vm.ovf" if how == "tar" else chance.choice(["vm.ovf", "vm.ova"])
    return f"{how} as {name}", [(name, content[how])], {"good": False}


def link_then_content(chance, package, around):
    """A link, then a file through it: the classic way out."""
    raw = header("way", 0, b"2", link=around.outside.encode()) + member("way/escape", b"x")
    return with_extra(chance, package, raw, "symbolic link and a file behind it", good=False)


def sparse(chance, package, around):
    raw = chance.choice(
        [
            pax([("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", str(1 << 62))]),
            pax([("GNU.sparse.size", str(1 << 50)), ("GNU.sparse.map", "0,1")]),
            pax([("SCHILY.realsize", str(1 << 40))]),
        ]
    )
    return with_extra(chance, package, raw + member("sparse.vmdk", b"x"), "a sparse member in pax", good=False)


def lying_sizes(chance, package, around):
    """A member that says another size than it has."""
    content = chance.randbytes(chance.randint(0, 3000))
    size_field = chance.choice(
        [
            octal(len(content) + chance.randint(513, 5000), 12),
            octal(max(0, len(content) - chance.randint(600, 5000)), 12) if len(content) > 512 else octal(9000, 12),
            b"7" * 12,  # 64 GiB and no end mark
            b"77777777777\0",
            b"\x80" + bytes(3) + b"\xff" * 8,  # 2^64 - 1
            b"\x80" + bytes(3) + b"\x7f" + b"\xff" * 7,  # 2^63 - 1
            b"\x80" + b"\xff" * 11,
            b"\xff" * 12,  # -1
            b"\xff" * 8 + b"\x80\0\0\0",
            b"-0000000001\0",
            b"0x000000100\0",
            b"89999999999\0",
            b"           \0",
            b"\0" * 12,
            b"12 34567890\0",
        ]
    )
    raw = header("lie.vmdk", 0, size_field=size_field) + padded(content)
    return with_extra(chance, package, raw, f"size field {size_field!r} for {len(content)} bytes")


def lying_pax_sizes(chance, package, around):
    content = chance.randbytes(700)
    value = chance.choice(
        ["0", "-1", "1e9", str(1 << 63), str(1 << 64), "9" * 40, "", " 700", "700 ", "+700", "701", "699"]
    )
    records = [("size", value)] * chance.choice([1, 1, 2])
    raw = pax(records) + member("lie.vmdk", content)
    return with_extra(chance, package, raw, f"pax size {value!r}, {len(records)} times")


def huge_member(chance, package, around):
    """Announces more than any disk has, then ends."""
    size = chance.choice([1 << 40, 1 << 50, (1 << 63) - 1, 1 << 62])
    raw = pax([("size", str(size))]) + header("huge.vmdk", 0) + chance.randbytes(2000)
    return f"{size} bytes announced", *ova(members(package) + raw, good=False)


def duplicates(chance, package, around):
    name = chance.choice(list(package))
    again = chance.choice([package[name], b"another content"])
    how, raw = chance.choice(
        [
            ("plainly", member(name, again)),
            ("by pax", pax([("path", name)]) + member("other", again)),
            ("by long name", member("././@LongLink", name.encode() + b"\0", b"L") + member("other", again)),
        ]
    )
    return with_extra(chance, package, raw, f"{name} twice, {how}", good=False)


def truncated(chance, package, around):
    whole = members(package) + END
    end = chance.choice([chance.randrange(len(whole) - len(END)), chance.randrange(0, len(whole), BLOCK)])
    return f"{end} of {len(whole)} bytes", *ova(whole[:end], good=None)


def bad_sums(chance, package, around):
    raw = header(
        "bad.vmdk", 3, sum_field=chance.choice([b"0000000\0", b"        ", b"9999999\0", b"\xff" * 8, b"-000001\0"])
    )
    return with_extra(chance, package, raw + padded(b"abc"), "header sum", good=False)


def bad_magic(chance, package, around):
    raw = member("bad.vmdk", b"abc", magic=chance.choice([b"\0" * 8, b"ustar\0\0\0", b"USTAR\x0000", b"tar\0\0\0\0\0"]))
    return with_extra(chance, package, raw, "magic")


def pax_bombs(chance, package, around):
    which = chance.randrange(8)
    disk = member("extra.vmdk", b"x")
    if which == 0:
        return with_extra(chance, package, pax([("comment", b"x" * (3 << 20))]) + disk, "3 MiB of comment", good=False)
    if which == 1:
        raw = b"".join(pax([("comment", f"{number}")]) for number in range(300)) + disk
        return with_extra(chance, package, raw, "300 headers before one member")
    if which == 2:
        records = b"".join(pax_record(f"key{number}", "v") for number in range(40_000))
        return with_extra(chance, package, pax(records) + disk, "40,000 records")
    if which == 3:
        broken = chance.choice(
            [b"0 path=x\n", b"999999 path=x\n", b"-9 path=x\n", b"12 path=x", b"10 path=xy", b"\n\n\n", b"9 pathxy\n"]
        )
        return with_extra(chance, package, pax(broken) + disk, f"record {broken!r}", good=False)
    if which == 4:
        return with_extra(chance, package, pax([("path", "g.vmdk")], b"g") + disk, "a global path", good=False)
    if which == 5:
        return with_extra(chance, package, pax([("size", "5")], b"g") + disk, "a global size", good=False)
    if which == 6:
        raw = pax([("path", "a.vmdk")]) + pax([("path", "b.vmdk")]) + disk
        return with_extra(chance, package, raw, "two paths", good=False)
    raw = header(
        "./PaxHeaders/vm", 0, b"x", size_field=chance.choice([b"77777777777\0", b"\x80" + b"\xff" * 11, b"\xff" * 12])
    )
    return with_extra(chance, package, raw + disk, "an endless header", good=False)


def long_names(chance, package, around):
    which = chance.randrange(6)
    disk = member("extra.vmdk", b"x")
    if which == 0:
        raw = member("././@LongLink", b"x/" * (1 << 20), b"L") + disk
        return with_extra(chance, package, raw, "2 MiB of name", good=False)
    if which == 1:
        raw = member("././@LongLink", b"a\0", b"L") + member("././@LongLink", b"b\0", b"L") + disk
        return with_extra(chance, package, raw, "two names", good=False)
    if which == 2:
        raw = member("././@LongLink", b"", b"L") + disk
        return with_extra(chance, package, raw, "no name", good=False)
    if which == 3:
        name = b"/".join([b"d" * 200] * 5) + b"/x.vmdk"
        return with_extra(chance, package, member("././@LongLink", name + b"\0", b"L") + disk, "1,012 bytes of name")
    if which == 4:
        raw = member("././@LongLink", b"a.vmdk\0", b"L") + pax([("path", "b.vmdk")]) + disk
        return with_extra(chance, package, raw, "a long name and a pax path", good=False)
    return "announced at the end", *ova(members(package) + member("././@LongLink", b"a.vmdk\0", b"L") + END, good=False)


def orders(chance, package, around):
    names = list(package)
    chance.shuffle(names)
    return ", ".join(names), *ova(members({name: package[name] for name in names}) + END)


def descriptors_missing_or_more(chance, package, around):
    files = dict(package)
    how = chance.choice(["none", "two", "in a folder", "only it", "empty archive", "zeros"])
    if how == "none":
        del files["vm.ovf"]
    elif how == "two":
        files["second.ovf"] = files["vm.ovf"]
    elif how == "in a folder":
        files = {f"d/{name}": content for name, content in files.items()}
    elif how == "only it":
        files = {"vm.ovf": files["vm.ovf"]}
    elif how == "empty archive":
        files = {}
    else:
        return how, *ova(bytes(chance.randint(1, 9) * 1000), good=False)
    return how, *ova(members(files) + END, good=False)


def ends(chance, package, around):
    behind = chance.choice(
        [b"", bytes(BLOCK), bytes(BLOCK) + b"x" * BLOCK, bytes(2 * BLOCK) + b"garbage", bytes(20 * BLOCK), b"x" * 700]
    )
    return f"{len(behind)} bytes behind the last member", *ova(members(package) + behind)


def many_members(chance, package, around):
    count = chance.choice([MEMBERS_MAX // 2, MEMBERS_MAX + 1, 12_000])
    extra = b"".join(header(f"empty-{number}", 0) for number in range(count))
    return f"{count} empty members", *ova(members(package) + extra + END, good=count < MEMBERS_MAX)


def as_files(chance, text, disks=(), **options):
    """A descriptor pushed as it is, or first in an archive."""
    text = text.encode() if isinstance(text, str) else text
    content = {"vm.ovf": text, **dict(disks)}
    if chance.random() < 0.5:
        return ova(members(content) + END, **options)
    return list(content.items()), options


def entities(chance, package, around):
    laughs = "".join(f'<!ENTITY l{n} "{("&l%d;" % (n - 1)) * 10}">' for n in range(1, 10))
    body = {
        "billion laughs": (f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>', "&l9;"),
        "quadratic blow-up": (f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]>', "&a;" * 5_000),
        "looping": ('<!DOCTYPE x [<!ENTITY a "&b;"><!ENTITY b "&a;">]>', "&a;"),
        "a file": (f'<!DOCTYPE x [<!ENTITY a SYSTEM "file://{around.secret}">]>', "&a;"),
        "a web page": (f'<!DOCTYPE x [<!ENTITY a SYSTEM "{around.url}/entity">]>', "&a;"),
        "a file as parameter": (f'<!DOCTYPE x [<!ENTITY % a SYSTEM "file://{around.secret}"> %a;]>', ""),
        "an external subset": (f'<!DOCTYPE x SYSTEM "{around.url}/subset.dtd">', ""),
        "a public subset": (f'<!DOCTYPE x PUBLIC "-//x" "{around.url}/subset.dtd">', ""),
        "standard ones unknown": ("", "&nbsp;"),
        "a character that is none": ("", "&#0;"),
    }
    how = chance.choice(list(body))
    doctype, reference = body[how]
    head = f'<?xml version="1.0"?>\n{doctype}\n'
    return how, *as_files(chance, descriptor([], f"<!-- -->{reference}", head), good=False)


def inclusions(chance, package, around):
    """Ways to other documents that XML knows besides entities."""
    how, extra, head = chance.choice(
        [
            ("XInclude", f'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="{around.url}/x"/>', ""),
            (
                "XInclude of a file",
                f'<x:include xmlns:x="http://www.w3.org/2001/XInclude" parse="text" href="file://{around.secret}"/>',
                "",
            ),
            ("style sheet", "", f'<?xml-stylesheet href="{around.url}/x.xsl" type="text/xsl"?>'),
            (
                "schema location",
                f'<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="a {around.url}/x.xsd"/>',
                "",
            ),
        ]
    )
    # Nothing of this is followed; the descriptor is otherwise in order.
    return how, *as_files(chance, descriptor([], extra, f'<?xml version="1.0"?>{head}'))


def big_descriptors(chance, package, around):
    which = chance.randrange(9)
    if which == 0:
        depth = chance.choice([101, 1000, 100_000])
        return f"{depth} deep", *as_files(chance, descriptor([], "<a>" * depth + "</a>" * depth), good=False)
    if which == 1:
        count = chance.choice([11_000, 100_000])
        text = descriptor([(f"d{number}", "") for number in range(count)])
        return f"{count} references", *as_files(chance, text, good=False)
    if which == 2:
        attributes = " ".join(f'a{number}=""' for number in range(5000))
        text = descriptor([], f"<a {attributes}/>")
        return "5,000 attributes", *as_files(chance, text, good=False)
    if which == 3:
        text = descriptor([], "".join(f'<a xmlns:n{number}="u{number}"/>' for number in range(3000)))
        return "3,000 namespaces", *as_files(chance, text, good=False)
    if which == 4:
        return "17 MiB of blanks", *as_files(chance, descriptor([], " " * (17 << 20)), good=False)
    if which == 5:
        return "600,000 elements", *as_files(chance, descriptor([], "<a/>" * 600_000), good=False)
    if which == 6:
        return "one comment of 8 MiB", *as_files(chance, descriptor([], f"<!--{'c' * (8 << 20)}-->"), good=False)
    if which == 7:
        text = descriptor([], "".join(f"<n{number}/>" for number in range(120_000)))
        return "120,000 names", *as_files(chance, text, good=False)
    chunks = chance.choice([("1", str(1 << 40)), ("1", str((1 << 63) - 1)), ("0", "100"), ("-1", "100"), ("x", "100")])
    text = descriptor([("big.vmdk", f' ovf:chunkSize="{chunks[0]}" ovf:size="{chunks[1]}"')])
    return f"chunks of {chunks[0]} out of {chunks[1]}", *as_files(chance, text, good=False)


def encodings(chance, package, around):
    text = descriptor([])
    content = {
        "says UTF-16, is UTF-8": text.replace("UTF-8", "UTF-16").encode(),
        "UTF-16 without a mark": text.replace("UTF-8", "UTF-16").encode("utf-16-le"),
        "UTF-16, says UTF-8": text.encode("utf-16"),
        "UTF-32": text.replace("UTF-8", "UTF-32").encode("utf-32"),
        "UTF-7": text.replace("UTF-8", "UTF-7").encode(),
        "unknown": text.replace("UTF-8", "quire-1").encode(),
        "bytes that are no UTF-8": text.encode().replace(b"A machine", b"A \xff\xfe\xc0"),
        "NUL inside": text.encode().replace(b"A machine", b"A \0 machine"),
        "NUL behind": text.encode() + b"\0\0\0",
        "empty": b"",
        "no XML": chance.randbytes(3000),
        "only a mark": b"\xef\xbb\xbf",
        "cut": text.encode()[: chance.randrange(len(text) - 2)],
        "twice": text.encode() * 2,
        "another root": text.encode().replace(b"Envelope", b"Letter"),
        "another namespace": text.encode().replace(OVF.encode(), b"urn:x"),
    }
    how = chance.choice(list(content))
    # UTF-16 is told by its first bytes, whatever the document says of itself, and in UTF-7 this text looks the same.
    readable = how in ("UTF-16 without a mark", "UTF-16, says UTF-8", "UTF-7")
    return how, *as_files(chance, content[how], good=None if readable else False)


def references(chance, package, around):
    href = chance.choice(
        [
            "../escape.vmdk",
            "../../../../etc/passwd",
            "/etc/passwd",
            around.secret,
            f"file://{around.secret}",
            f"{around.url}/disk.vmdk",
            "http://169.254.169.254/latest/meta-data/",
            "ftp://127.0.0.1/x",
            "a\\b.vmdk",
            "a/../b.vmdk",
            "./a.vmdk",
            "",
            "%2e%2e/%2e%2e/escape",
            "a&#10;b",
            "vm.ovf",
            "x" * 2000,
            "missing.vmdk",
        ]
    )
    return f"href {href[:60]!r}", *as_files(chance, descriptor([(href, "")]), good=None)


def reference_sizes(chance, package, around):
    disk = chance.randbytes(1000)
    size = chance.choice(["999", "1001", "0", "-1", "1e3", "", str(1 << 63), str(1 << 64), "0x3e8", " 1000"])
    text = descriptor([("a.vmdk", f' ovf:size="{size}"')])
    return f"ovf:size {size!r}", *as_files(chance, text, {"a.vmdk": disk}.items(), good=None)


def manifests(chance, package, around):
    files = dict(package)
    disk = "vm-disk1.vmdk"
    right = manifest_of({name: content for name, content in package.items() if name != "vm.mf"})
    digest = "0" * 64
    extra = {
        "wrong digest": re.sub(rb"(\(vm-disk1\.vmdk\)= )[0-9a-f]{8}", rb"\g<1>00000000", right),
        "digest too short": f"SHA256({disk})= {digest[:62]}\n".encode(),
        "no digest": f"SHA256({disk})=\n".encode(),
        "twice": right + right,
        "by OpenSSL 3": re.sub(rb"SHA(256|512)\(", rb"SHA2-\1(", right),
        "by Notepad": b"\xef\xbb\xbf" + right.replace(b"\n", b"\r\n"),
        "twice, differing": right + f"SHA1({disk})= {'0' * 40}\n".encode(),
        "file that is not there": right + f"SHA256(absent.vmdk)= {digest}\n".encode(),
        "itself": right + f"SHA256(vm.mf)= {digest}\n".encode(),
        "MD5": f"MD5({disk})= {'0' * 32}\n".encode(),
        "unknown algorithm": f"SHA3({disk})= {digest}\n".encode(),
        "traversal": right + f"SHA256(../../escape)= {digest}\n".encode(),
        "garbage": chance.randbytes(500),
        "NULs": right + bytes(100),
        "20,000 lines": b"".join(b"SHA1(f%d)= %s\n" % (n, b"0" * 40) for n in range(20_000)),
        "a line of 2 MiB": b"SHA256(" + b"x" * (2 << 20) + b")= " + digest.encode() + b"\n",
        "17 MiB": b"\n" * (17 << 20),
    }
    how = chance.choice(list(extra))
    files["vm.mf"] = extra[how]
    good = how in ("twice", "by OpenSSL 3", "by Notepad")
    if chance.random() < 0.5:
        return how, *ova(members(files) + END, good=good)
    order = ["vm.mf", "vm.ovf", *(name for name in files if name.endswith(".vmdk"))]
    return how, [(name, files[name]) for name in order], {"good": good}


def certificates(chance, package, around):
    files = dict(package)
    line = b"SHA256(vm.mf)= " + chance.randbytes(256).hex().encode() + b"\n"
    body = base64.encodebytes(chance.randbytes(600)).decode()
    pem = f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n".encode()
    content = {
        "empty": b"",
        "garbage": chance.randbytes(2000),
        "no certificate": line,
        "garbage certificate": line + pem,
        "100 of them": line + pem * 100,
        "endless PEM": line + b"-----BEGIN CERTIFICATE-----\n" + b"A" * (2 << 20),
        "a private key": line + pem.replace(b"CERTIFICATE", b"PRIVATE KEY"),
        "signature of 1 MiB": b"SHA256(vm.mf)= " + b"ab" * (1 << 20) + b"\n" + pem,
        "for another": line.replace(b"vm.mf", b"../vm.mf") + pem,
        "no line": pem,
    }
    how = chance.choice(list(content))
    files["vm.cert"] = content[how]
    if chance.random() < 0.5:
        order = ["vm.ovf", "vm.mf", "vm.cert", "vm-disk1.vmdk", "vm-disk2.vmdk"]
        return how, *ova(members({name: files[name] for name in order}) + END, good=False)
    order = ["vm.mf", "vm.cert", "vm.ovf", "vm-disk1.vmdk", "vm-disk2.vmdk"]
    return how, [(name, files[name]) for name in order], {"good": False}


def bit_flips(chance, package, around):
    whole = bytearray(members(package) + END)
    count = chance.choice([1, 1, 1, 2, 8, 64])
    for _ in range(count):
        at = chance.choice(
            [chance.randrange(len(whole)), chance.randrange(len(whole) // BLOCK) * BLOCK + chance.randrange(BLOCK)]
        )
        whole[at] ^= 1 << chance.randrange(8)
    return f"{count} bits", *ova(bytes(whole))


def blocks_moved(chance, package, around):
    whole = members(package) + END
    blocks = [whole[at : at + BLOCK] for at in range(0, len(whole), BLOCK)]
    how = chance.choice(["swapped", "dropped", "doubled", "zeroed"])
    first, second = chance.randrange(len(blocks)), chance.randrange(len(blocks))
    if how == "swapped":
        blocks[first], blocks[second] = blocks[second], blocks[first]
    elif how == "dropped":
        del blocks[first]
    elif how == "doubled":
        blocks.insert(second, blocks[first])
    else:
        blocks[first] = bytes(BLOCK)
    return f"a block {how}", *ova(b"".join(blocks))


def pieces_missing(chance, package, around):
    """A whole package of which one file is left out, damaged or cut, pushed file by file."""
    order = ["vm.mf", "vm.ovf", "vm-disk1.vmdk", "vm-disk2.vmdk"]
    victim = chance.choice(order)
    how = chance.choice(["left out", "damaged", "cut"])
    files = []
    for name in order:
        content = package[name]
        if name == victim:
            if how == "left out":
                continue
            if how == "damaged":
                at = chance.randrange(len(content))
                content = content[:at] + bytes([content[at] ^ 0x41]) + content[at + 1 :]
            else:
                content = content[:-1]
        files.append((name, content))
    # Without the manifest the package is as good as one that never had it; a line end less changes nothing either.
    good_still = True if victim == "vm.mf" and how in ("left out", "cut") else None if victim == "vm.mf" else False
    return f"{victim} {how}", files, {"good": good_still}


def untouched(chance, package, around):
    form = chance.choice(["ustar", "pax", "gnu", "files"])
    if form == "files":
        return (
            form,
            [(name, package[name]) for name in ["vm.mf", "vm.ovf", "vm-disk1.vmdk", "vm-disk2.vmdk"]],
            {"good": True},
        )
    kind = {"ustar": tarfile.USTAR_FORMAT, "pax": tarfile.PAX_FORMAT, "gnu": tarfile.GNU_FORMAT}[form]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
        for name, content in package.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mtime = 1_700_000_000.5 if form == "pax" else 0
            archive.addfile(entry, io.BytesIO(content))
    return form, *ova(out.getvalue(), good=True)


FAMILIES = [
    bad_names,
    name_with_nul,
    prefix_traversal,
    not_files,
    directories,
    ordinary_tars,
    encoded_hrefs,
    other_things,
    link_then_content,
    sparse,
    lying_sizes,
    lying_pax_sizes,
    huge_member,
    duplicates,
    truncated,
    bad_sums,
    bad_magic,
    pax_bombs,
    long_names,
    orders,
    descriptors_missing_or_more,
    ends,
    many_members,
    entities,
    inclusions,
    big_descriptors,
    encodings,
    references,
    reference_sizes,
    manifests,
    certificates,
    bit_flips,
    blocks_moved,
    pieces_missing,
    untouched,
]


def make_variant(seed, number, around):
    chance = random.Random(f"{seed} {number}")
    family = FAMILIES[number % len(FAMILIES)]
    detail, files, options = family(chance, good_package(chance), around)
    return Variant(
        number,
        family.__name__,
        detail,
        files,
        ignore_warnings=chance.random() < 0.5,
        declare_size=chance.random() < 0.7,
        chunked=chance.random() < 0.3,
        **options,
    )


# --- an honest reader -----------------------------------------------------------------------------------------------


def double_of(name):
    """The file that macOS put this one beside, or None."""
    folder, _, own = name.rpartition("/")
    return f"{folder}/{own[2:]}".lstrip("/") if own.startswith("._") and len(own) > 2 else None


def honest_content(variant):
    """Name → bytes that an item may hold after this variant completed, as Python reads it."""
    content, folders = {}, set()
    for name, data in variant.files:
        if name.endswith(".ova"):
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
                for entry in archive:
                    name = entry.name
                    while name.startswith("./"):
                        name = name[2:]
                    if entry.isdir():
                        folders.add(name.rstrip("/") or ".")
                        continue
                    assert entry.isreg(), f"{name} is no file"
                    assert name not in content, f"{name} is there twice"
                    content[name] = archive.extractfile(entry).read()
            for name in [name for name in content if double_of(name) in folders | content.keys()]:
                del content[name]
        else:
            content[name] = data
    promised = []
    for name in [name for name in content if name.endswith(".mf") and "/" not in name]:
        text = content[name].removeprefix(b"\xef\xbb\xbf")
        for algorithm, file, digest in re.findall(rb"(?m)^([\w-]+) *\((.*)\) *= *([0-9A-Fa-f]+)[ \t\r]*$", text):
            promised.append((file.decode(), algorithm.decode().lower().replace("sha2-", "sha"), digest.decode().lower()))
    for name, algorithm, digest in promised:
        assert hashlib.new(algorithm, content[name]).hexdigest() == digest, f"{name} is not what the manifest says"
    return {name: data for name, data in content.items() if "/" in name or not name.endswith((".mf", ".cert"))}
