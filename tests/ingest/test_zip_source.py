"""hostile-input B 22-36: a ZIP has one reading only, or it is refused; never a traceback."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from ingest.ledger import Ledger
from ingest.scan import scan
from ingest.sources import BrokenEntryError, Source, open_source
from metadata.findings import Findings
from tests.builders.hostile import ZipEnd, ZipMember, deflated, raw_zip, write, zip64_tail

A = ZipMember(b"a.txt", b"alpha")
B = ZipMember(b"d/b.txt", b"beta" * 100, method=8)
ZEROS = bytes(10_000_000)
NAME = "tệp.txt".encode()
EOCD = b"PK\x05\x06" + bytes(18)


def unicode_extra(header_name: bytes, name: bytes, crc: int | None = None) -> bytes:
    body = b"\1" + struct.pack("<L", zlib.crc32(header_name) if crc is None else crc) + name
    return struct.pack("<2H", 0x7075, len(body)) + body


def descriptor(member: ZipMember, *, signed: bool = True, size: int | None = None) -> bytes:
    packed = deflated(member.data) if member.method == 8 else member.data
    body = struct.pack("<3L", zlib.crc32(member.data), len(packed), len(member.data) if size is None else size)
    return (b"PK\x07\x08" if signed else b"") + body


def zipped(*members: ZipMember, **end: object) -> bytes:
    return raw_zip(list(members), ZipEnd(**end))  # type: ignore[arg-type]


ONE = zipped(A)
LYING64 = struct.pack("<2HQ", 1, 8, 1 << 63)
REFUSED: dict[str, tuple[bytes, set[str]]] = {
    "flat bomb": (zipped(ZipMember(b"z", ZEROS, 8)), {"SOURCE-RATIO"}),
    "overlapping entries": (
        zipped(A, ZipMember(b"b", b"alpha", offset=0, local_name=b"b")),
        {"ZIP-OVERLAP", "ZIP-LOCAL", "ZIP-JUNK"},
    ),
    "quoted overlap": (
        zipped(ZipMember(b"a", b"x" * 20, packed_size=80, size=80), ZipMember(b"b", b"y" * 20)),
        {"ZIP-OVERLAP", "ZIP-LOCAL"},
    ),
    "local name differs": (zipped(ZipMember(b"a.txt", local_name=b"b.txt")), {"ZIP-LOCAL"}),
    "local size differs": (zipped(ZipMember(b"a.txt", local_size=7)), {"ZIP-LOCAL"}),
    "local crc differs": (zipped(ZipMember(b"a.txt", local_crc=7)), {"ZIP-LOCAL"}),
    "local method differs": (zipped(ZipMember(b"a.txt", local_method=8)), {"ZIP-LOCAL"}),
    "local flags differ": (zipped(ZipMember(b"a.txt", local_flags=0)), {"ZIP-LOCAL"}),
    "stored sizes differ": (zipped(ZipMember(b"a.txt", size=9)), {"ZIP-SIZE"}),
    "descriptor lies": (zipped(ZipMember(b"a", b"x", descriptor=descriptor(A))), {"ZIP-LOCAL"}),
    "descriptor missing": (zipped(ZipMember(b"a", b"x", flags=0x808)), {"ZIP-LOCAL"}),
    "junk before": (zipped(A, prefix=b"MZ junk"), {"ZIP-JUNK"}),
    "junk between": (zipped(A, ZipMember(b"b", before=b"junk")), {"ZIP-JUNK"}),
    "junk before the directory": (zipped(A, before_directory=b"junk"), {"ZIP-JUNK"}),
    "junk after the directory": (zipped(A, after_directory=b"junk"), {"ZIP-JUNK"}),
    "junk after the end": (zipped(A, suffix=b"junk"), {"ZIP-CUT-SHORT"}),
    "two zips": (ONE + zipped(B), {"ZIP-JUNK"}),
    "second end in the comment": (zipped(A, comment=b"x" + EOCD), {"ZIP-TWO-ENDS"}),
    "end inside a comment that does not fit": (zipped(A, comment=EOCD + b"xx"), {"ZIP-TWO-ENDS"}),
    "encrypted": (zipped(ZipMember(b"a", flags=0x801)), {"ZIP-ENCRYPTED"}),
    "strong encryption": (zipped(ZipMember(b"a", flags=0x841)), {"ZIP-ENCRYPTED"}),
    "implode": (zipped(ZipMember(b"a", method=6)), {"ZIP-METHOD"}),
    "split": (zipped(A, disk=1), {"ZIP-SPLIT"}),
    "entry on another disk": (zipped(ZipMember(b"a", disk=3)), {"ZIP-SPLIT"}),
    "more entries than there are": (zipped(A, entries=2), {"ZIP-DIRECTORY"}),
    "fewer entries than there are": (zipped(A, B, entries=1), {"ZIP-DIRECTORY"}),
    "directory somewhere else": (zipped(A, offset=3), {"ZIP-JUNK"}),
    "directory size lies": (zipped(A, size=3), {"ZIP-JUNK"}),
    "malformed extra": (zipped(ZipMember(b"a", extra=b"\1\0\xff\0ab")), {"ZIP-DIRECTORY"}),
    "zip64 size beyond sense": (zipped(ZipMember(b"a", size=0xFFFFFFFF, extra=LYING64)), {"ZIP-ZIP64"}),
    "zip64 extra too short": (
        zipped(ZipMember(b"a", size=0xFFFFFFFF, extra=struct.pack("<2HL", 1, 4, 1))),
        {"ZIP-ZIP64"},
    ),
    "zip64 extra missing": (zipped(ZipMember(b"a", size=0xFFFFFFFF)), {"ZIP-ZIP64"}),
    "zip64 end missing": (zipped(A, entries=0xFFFF), {"ZIP-ZIP64"}),
    "zip64 end lies": (zipped(A, zip64=zip64_tail(9, 9, 9, 9)), {"ZIP-ZIP64"}),
    "symlink": (zipped(ZipMember(b"l", b"/etc/passwd", mode=0o120777)), {"SOURCE-LINK"}),
    "device": (zipped(ZipMember(b"dev", mode=0o020666)), {"SOURCE-SPECIAL"}),
    "old encoding": (zipped(ZipMember(b"v\xa8n.txt", flags=0)), {"ZIP-NAME-ENCODING", "NAME-ENCODING"}),
    "marked but not UTF-8": (zipped(ZipMember(b"v\xa8n.txt")), {"ZIP-NAME-ENCODING"}),
    "two names": (zipped(ZipMember(b"a.txt", extra=unicode_extra(b"a.txt", b"b.txt"))), {"ZIP-NAME-TWO"}),
    "stale unicode name": (zipped(ZipMember(b"a.txt", extra=unicode_extra(b"z", b"a.txt", 5))), {"ZIP-NAME-TWO"}),
    "duplicate": (zipped(A, A), {"NAME-TWICE"}),
    "NUL in a name": (zipped(ZipMember(b"a.txt\0.exe")), {"NAME-NUL"}),
    "empty": (zipped(), {"SOURCE-EMPTY"}),
    "folder with content": (zipped(ZipMember(b"d/", b"hidden"), A), {"ZIP-SIZE"}),
    "not an archive": (b"just text" * 100, {"SOURCE-UNKNOWN"}),
    "no bytes": (b"", {"SOURCE-UNKNOWN"}),
}


def opened(tmp_path: Path, data: bytes, findings: Findings) -> Source | None:
    return open_source(write(tmp_path / "x.zip", data), tmp_path / "q", findings)


def judged(tmp_path: Path, data: bytes) -> Findings:
    findings = Findings()
    source = opened(tmp_path, data, findings)
    if source is not None:
        with Ledger(tmp_path / "ledger") as ledger:
            assert (scan(source, ledger, findings) is None) == findings.refused
        source.close()
        source.close()
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]
    return findings


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_zip_is_refused(tmp_path: Path, name: str) -> None:
    data, codes = REFUSED[name]
    findings = judged(tmp_path, data)
    assert findings.refused
    assert set(findings.counts) <= codes
    for found in findings.kept():
        assert found.message.vi
        assert found.message.en


def test_truncated_at_each_percent(tmp_path: Path) -> None:
    whole = zipped(A, B, *(ZipMember(b"f%d" % n, bytes([n]) * 50) for n in range(40)))
    assert not judged(tmp_path, whole).refused
    for percent in range(100):
        assert judged(tmp_path, whole[: len(whole) * percent // 100]).refused, percent


def test_every_flipped_byte_of_the_structure_is_refused_or_read_the_same(tmp_path: Path) -> None:
    whole = bytearray(zipped(A, B))
    for at in range(len(whole)):
        whole[at] ^= 0x41
        findings = Findings()
        source = opened(tmp_path, bytes(whole), findings)
        if source is not None:
            try:
                for entry in list(source.entries()):
                    if entry.kind == "file":
                        source.open(entry.path).read(entry.size + 1)
            except BrokenEntryError as broken:
                broken.note(findings)
            source.close()
        whole[at] ^= 0x41


def good(member: ZipMember, signed: bool = True) -> ZipMember:
    return ZipMember(member.name, member.data, member.method, descriptor=descriptor(member, signed=signed))


@pytest.mark.parametrize(
    ("members", "codes"),
    [
        ([A, B], set()),
        ([good(A), good(B), good(ZipMember(b"c", b"c"), False)], set()),
        ([ZipMember(b"d/", b"", mode=0o040755), B], set()),
        ([ZipMember(b"set", mode=0o104777)], set()),
        ([ZipMember(b"empty", b""), ZipMember(b"void", b"", 8)], set()),
        ([ZipMember(b"inner.zip", ONE)], set()),
        ([ZipMember(NAME, flags=0)], {"ZIP-NAME-UNMARKED"}),
        ([ZipMember(b"t\xea", flags=0, extra=unicode_extra(b"t\xea", "tê".encode()))], set()),
    ],
    ids=["plain", "descriptors", "folder", "setuid", "empty", "nested", "unmarked name", "unicode extra"],
)
def test_a_good_zip_gives_its_bytes(tmp_path: Path, members: list[ZipMember], codes: set[str]) -> None:
    findings = Findings()
    source = opened(tmp_path, raw_zip(members), findings)
    assert source is not None
    assert set(findings.counts) == codes
    files = [entry for entry in source.entries() if entry.kind == "file"]
    wanted = [member.data for member in members if not member.name.endswith(b"/")]
    for entry, data in zip(files, wanted, strict=True):
        with source.open(entry.path) as stream:
            assert stream.read(entry.size + 1) == data
        with source.open(entry.path) as stream:
            buffer = bytearray(3)
            parts = iter(lambda stream=stream, buffer=buffer: bytes(buffer[: stream.readinto(buffer)]), b"")
            assert b"".join(parts) == data
        assert source.open(entry.path).read() == data
    with pytest.raises(FileNotFoundError):
        source.open("no such file")
    assert source.name == "x.zip"
    source.close()


@pytest.mark.parametrize(
    ("member", "code"),
    [
        (ZipMember(b"a", b"alpha", crc=5), "ZIP-CRC"),
        (ZipMember(b"a", b"alpha" * 9, 8, crc=5), "ZIP-CRC"),
        (ZipMember(b"a", b"alpha" * 9, 8, size=44), "ZIP-SIZE"),
        (ZipMember(b"a", b"alpha" * 9, 8, size=46), "ZIP-SIZE"),
        (ZipMember(b"a", b"alpha", 8, packed=b"\xff" * 20), "ZIP-DATA"),
        (ZipMember(b"a", b"alpha", 8, packed=deflated(b"alpha") + b"junk"), "ZIP-SIZE"),
        (ZipMember(b"a", b"alpha", 8, packed=deflated(b"alpha")[:-1]), "ZIP-SIZE"),
    ],
)
def test_a_member_that_is_not_what_the_directory_says(tmp_path: Path, member: ZipMember, code: str) -> None:
    findings = Findings()
    source = opened(tmp_path, raw_zip([member]), findings)
    assert source is not None
    with pytest.raises(BrokenEntryError) as caught:
        source.open("a").read()
    caught.value.note(findings)
    assert list(findings.counts) == [code]
    source.close()


def test_zip64_of_the_standard_library_is_read(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, archive.open("big", "w", force_zip64=True) as member:
        member.write(b"x" * 1000)
    findings = Findings()
    source = opened(tmp_path, out.getvalue(), findings)
    assert source is not None
    assert source.open("big").read() == b"x" * 1000
    source.close()


def test_a_zip64_end_record_that_agrees_is_read(tmp_path: Path) -> None:
    plain = zipped(A)
    size = len(plain) - 22 - (at := plain.index(b"PK\x01\x02"))
    data = zipped(A, entries=0xFFFF, size=0xFFFFFFFF, offset=0xFFFFFFFF, zip64=zip64_tail(1, size, at, at + size))
    assert judged(tmp_path, data).kept() == ()
