"""Codes of names, folders, ZIPs and tars: each with a package that breaks one thing and a twin that does not."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from ingest.check import check_package
from ingest.guards import GuardLimits
from tests.builders.hostile import TarMember, ZipMember, pax, with_, zip64_tail
from tests.builders.packed_bags import PAYLOAD, ROOT, Members, TarMembers, folder_of, gzipped, raw, tar_of, zip_of
from tests.rules.cases import Build, Case

ZIP = zip_of()
TAR = tar_of()
A = raw(ROOT + "data/a.txt")
LATER = "later"


# What becomes of a package while it is looked at


def changing(package: Path, work: Path, _: str) -> set[str]:
    """The codes of a package that a file beside it, ``later``, says how to change once its bytes are being read."""
    work.mkdir()

    def change(done: int, total: int) -> None:
        del done, total
        note = package.with_name(LATER)
        if note.exists():
            size = int(note.read_text())
            note.unlink()
            (copy,) = work.rglob("submission")
            os.truncate(copy, size)

    return set(check_package(package, work, on_progress=change).counts)


def unreadable(package: Path, work: Path, _: str) -> set[str]:
    """The codes of a package of which the medium does not give the folder ``hỏng``."""
    work.mkdir()
    real = os.scandir

    def refuse(path: int) -> object:
        if "gốc hỏng.txt" in os.listdir(path):
            raise PermissionError(13, "Permission denied")
        return real(path)

    with patch.object(os, "scandir", refuse):
        return set(check_package(package, work).counts)


def limited(limits: GuardLimits) -> Callable[[Path, Path, str], set[str]]:
    """The codes that a check with smaller limits gives."""

    def judge(package: Path, work: Path, _: str) -> set[str]:
        work.mkdir()
        return set(check_package(package, work, limits=limits).counts)

    return judge


def cut_later(folder: Path) -> Path:
    path = ZIP(folder)
    path.with_name(LATER).write_text(str(path.read_bytes().index(b"alpha")))
    return path


# Building


def named(name: str, build: Callable[..., Build] = zip_of) -> Build:
    """The bag with one more file in its payload."""
    return build({**PAYLOAD, f"data/{name}": b"more"})


def name_case(code: str, bad: str, good: str = "c.txt", build: Callable[..., Build] = zip_of) -> Case:
    return Case(f"name: {code} {bad[:20]!r}", frozenset({code}), named(good, build), named(bad, build))


def pair_case(code: str, bad: str) -> Case:
    """Two names that are one too many."""
    return Case(
        f"name: {code}", frozenset({code}),
        zip_of({"data/A.txt": b"1", "data/ế": b"2", "data/other": b"3"}),
        zip_of({"data/A.txt": b"1", "data/ế": b"2", f"data/{bad}": b"3"}),
    )  # fmt: skip


def at(name: bytes, change: Callable[[ZipMember], list[ZipMember]]) -> Members:
    """Change the one member of that name."""
    return lambda members: [made for one in members for made in (change(one) if one.name == name else [one])]


def member(**changes: object) -> Build:
    return zip_of(change=at(A, lambda one: [with_(one, **changes)]))


def zip_case(code: str, bad: Build, *also: str, good: Build = ZIP, name: str = "") -> Case:
    return Case(f"zip: {code} {name}".strip(), frozenset({code}), good, bad, frozenset(also))


def tar_case(code: str, bad: Build, *also: str, good: Build = TAR, name: str = "") -> Case:
    return Case(f"tar: {code} {name}".strip(), frozenset({code}), good, bad, frozenset(also))


def more(*members: TarMember) -> TarMembers:
    return lambda before: [*before, *members]


def unicode_extra(name: bytes, other: bytes) -> bytes:
    body = b"\1" + struct.pack("<L", zlib.crc32(name)) + other
    return struct.pack("<2H", 0x7075, len(body)) + body


def deflating(**changes: object) -> Members:
    return at(A, lambda one: [with_(one, method=8, **changes)])


def overlapping(members: list[ZipMember]) -> list[ZipMember]:
    """One more entry that takes its content out of another's."""
    return [*members, ZipMember(raw(ROOT + "data/c.txt"), members[0].data, offset=0, local_name=members[0].name)]


EMPTY = b"PK\x05\x06" + bytes(18)
MORE = {**PAYLOAD, "data/c.bin": bytes(8_000_000)}

CASES = [
    # Names
    name_case("NAME-ESCAPES", "../../evil.txt"),
    Case("name: NAME-ABSOLUTE", frozenset({"NAME-ABSOLUTE"}), TAR, tar_of(change=more(TarMember(b"/etc/x")))),
    name_case("NAME-BACKSLASH", "a\\b.txt", build=folder_of),
    name_case("NAME-NUL", "c.txt\0.exe"),
    name_case("NAME-ENCODING", "v\udca8n.txt", build=tar_of),
    name_case("NAME-EMPTY", "d//c.txt"),
    name_case("NAME-CONTROL", "c\td.txt"),
    name_case("NAME-LONG", "x" * 256 + ".txt"),
    name_case("NAME-DEEP", "d/" * 70 + "c.txt"),
    name_case("NAME-BIDI", "abc\u202etxt.exe"),
    name_case("NAME-INVISIBLE", "a\u200bb.txt"),
    name_case("NAME-PRIVATE-USE", "a\ue123.txt"),
    name_case("NAME-PORTABILITY", "nul.txt"),
    pair_case("NAME-ONE-AFTER-NFC", "e\u0302\u0301"),
    pair_case("NAME-CASE", "a.TXT"),
    Case("name: NAME-TWICE", frozenset({"NAME-TWICE"}), ZIP, zip_of(change=at(A, lambda one: [one, one]))),
    Case(
        "name: NAME-FILE-AND-FOLDER",
        frozenset({"NAME-FILE-AND-FOLDER"}),
        ZIP,
        zip_of(change=at(A, lambda one: [one, with_(one, name=A + b"/x")])),
    ),
    # What is in the package
    Case(
        "source: a link in a folder",
        frozenset({"SOURCE-LINK"}),
        folder_of(),
        folder_of(change=lambda folder: (folder / "data/l").symlink_to("/etc/passwd")),
    ),
    zip_case("SOURCE-LINK", member(mode=0o120777), name="a link in a ZIP"),
    tar_case("SOURCE-LINK", tar_of(change=more(TarMember(b"goi/l", b"", b"2", link=b"/etc")))),
    Case(
        "source: a pipe",
        frozenset({"SOURCE-SPECIAL"}),
        folder_of(),
        folder_of(change=lambda folder: os.mkfifo(folder / "data/p")),
    ),
    tar_case("SOURCE-SPARSE", tar_of(change=more(pax(GNU_sparse_realsize="9"), TarMember(b"goi/s")))),
    zip_case("SOURCE-EMPTY", zip_of(change=lambda members: [])),
    zip_case("SOURCE-UNKNOWN", lambda folder: write(folder, b"just text " * 100)),
    Case(
        "source: too many files",
        frozenset({"SOURCE-MANY"}),
        ZIP,
        named("c.txt"),
        judge=limited(GuardLimits(files=6)),
    ),
    Case(
        "source: too large",
        frozenset({"SOURCE-LARGE"}),
        ZIP,
        zip_of({**PAYLOAD, "data/c.txt": bytes(5000)}),
        judge=limited(GuardLimits(bytes=5000)),
    ),
    zip_case(
        "SOURCE-RATIO",
        zip_of(MORE, at(raw(ROOT + "data/c.bin"), lambda one: [with_(one, method=8)])),
        good=zip_of(MORE),
    ),
    Case("source: cut while it is read", frozenset({"SOURCE-CUT-SHORT"}), ZIP, cut_later, judge=changing),
    tar_case("SOURCE-DAMAGED", tar_of(after=lambda data: gzipped(data)[:-9]), good=tar_of(after=gzipped)),
    Case(
        "source: a folder that the medium does not give",
        frozenset({"SOURCE-UNREADABLE"}),
        folder_of({**PAYLOAD, "data/hỏng/c.txt": b"1"}),
        folder_of({**PAYLOAD, "data/hỏng/gốc hỏng.txt": b"1"}),
        judge=unreadable,
    ),
    # ZIP
    zip_case("ZIP-CUT-SHORT", zip_of(suffix=b"junk"), name="something after the end"),
    zip_case("ZIP-TWO-ENDS", zip_of(comment=b"x" + EMPTY), good=zip_of(comment=b"mot ho so")),
    zip_case("ZIP-JUNK", zip_of(prefix=b"MZ junk")),
    zip_case("ZIP-DIRECTORY", member(extra=b"\1\0\xff\0ab")),
    zip_case("ZIP-ZIP64", zip_of(zip64=zip64_tail(9, 9, 9, 9))),
    zip_case("ZIP-SPLIT", member(disk=3)),
    zip_case("ZIP-LOCAL", member(local_name=A[:-1] + b"x")),
    zip_case("ZIP-OVERLAP", zip_of(change=overlapping), "ZIP-LOCAL", "ZIP-JUNK"),
    zip_case("ZIP-ENCRYPTED", member(flags=0x801)),
    zip_case("ZIP-METHOD", member(method=6)),
    zip_case("ZIP-NAME-ENCODING", member(name=b"goi/data/v\xa8n.txt")),
    zip_case(
        "ZIP-NAME-UNMARKED",
        zip_of({**PAYLOAD, "data/tệp.txt": b"1"}, at(raw("goi/data/tệp.txt"), lambda one: [with_(one, flags=0)])),
        good=zip_of({**PAYLOAD, "data/tệp.txt": b"1"}),
    ),
    zip_case(
        "ZIP-NAME-TWO",
        member(extra=unicode_extra(A, b"goi/data/other.txt")),
        good=member(extra=unicode_extra(A, A)),
    ),
    zip_case("ZIP-CRC", member(crc=5)),
    zip_case("ZIP-SIZE", zip_of(change=deflating(size=44)), good=zip_of(change=deflating())),
    zip_case("ZIP-DATA", zip_of(change=deflating(packed=b"\xff" * 20)), good=zip_of(change=deflating())),
    # tar
    tar_case("TAR-CUT-SHORT", tar_of(end=b"")),
    tar_case("TAR-HEADER", tar_of(change=more(TarMember(b"goi/data/c", checksum=7)))),
    tar_case("TAR-JUNK", tar_of(after=lambda data: data + b"junk")),
]


def write(folder: Path, data: bytes) -> Path:
    path = folder / "goi.zip"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_thing_broken_gives_its_code(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)
