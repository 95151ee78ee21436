"""hostile-input B 18-21, 37, 38: tars, plain and compressed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from pathlib import Path

import pytest

from ingest.guards import GuardLimits
from ingest.ledger import Ledger
from ingest.scan import scan
from ingest.sources import BrokenEntryError, Source, open_source
from metadata.findings import Findings
from tests.builders.hostile import TarMember, pax, raw_tar, write

A = TarMember(b"d/a.txt", b"alpha")
ONE = raw_tar([A])
HUGE = b"\x80" + (8 << 60).to_bytes(11, "big")
REFUSED: dict[str, tuple[bytes, str]] = {
    "symlink": (raw_tar([TarMember(b"l", b"", b"2", link=b"/etc"), TarMember(b"l/passwd")]), "SOURCE-LINK"),
    "hard link": (raw_tar([TarMember(b"l", b"", b"1", link=b"../x")]), "SOURCE-LINK"),
    "long link": (raw_tar([TarMember(b"k", b"x" * 200, b"K"), TarMember(b"l")]), "SOURCE-LINK"),
    "pax link": (raw_tar([pax(linkpath="/etc/passwd"), TarMember(b"l")]), "SOURCE-LINK"),
    "character device": (raw_tar([TarMember(b"c", b"", b"3")]), "SOURCE-SPECIAL"),
    "block device": (raw_tar([TarMember(b"b", b"", b"4")]), "SOURCE-SPECIAL"),
    "fifo": (raw_tar([TarMember(b"f", b"", b"6")]), "SOURCE-SPECIAL"),
    "unknown kind": (raw_tar([TarMember(b"f", b"", b"Z")]), "SOURCE-SPECIAL"),
    "sparse": (raw_tar([TarMember(b"s", b"x", b"S")]), "SOURCE-SPARSE"),
    "pax sparse": (raw_tar([pax(GNU_sparse_realsize=str(8 << 60)), A]), "SOURCE-SPARSE"),
    "8 EiB": (raw_tar([TarMember(b"h", b"", size_field=HUGE)]), "TAR-CUT-SHORT"),
    "pax size": (raw_tar([pax(size=str(8 << 60)), A]), "TAR-CUT-SHORT"),
    "pax size twice": (raw_tar([pax(size="5"), pax(size="6"), A]), "TAR-HEADER"),
    "pax size no number": (raw_tar([pax(size="-5"), A]), "TAR-HEADER"),
    "pax path outside": (raw_tar([pax(path="../../evil"), A]), "NAME-ESCAPES"),
    "pax path with NUL": (raw_tar([pax(path=b"a\0b"), A]), "NAME-NUL"),
    "pax and long name": (raw_tar([pax(path="a"), TarMember(b"L", b"b\0", b"L"), A]), "TAR-HEADER"),
    "global path": (raw_tar([TarMember(b"g", b"12 path=evil", b"g"), A]), "TAR-HEADER"),
    "malformed pax": (raw_tar([TarMember(b"p", b"no length", b"x"), A]), "TAR-HEADER"),
    "pax record too long": (raw_tar([TarMember(b"p", b"99 path=a\n", b"x"), A]), "TAR-HEADER"),
    "extended header too big": (raw_tar([TarMember(b"p", bytes(2 << 20), b"x"), A]), "TAR-HEADER"),
    "extended header beyond the end": (raw_tar([TarMember(b"p", b"", b"x", size=9999)], b""), "TAR-CUT-SHORT"),
    "long name outside": (raw_tar([TarMember(b"L", b"../x\0", b"L"), A]), "NAME-ESCAPES"),
    "prefix outside": (raw_tar([TarMember(b"x", prefix=b"../..")]), "NAME-ESCAPES"),
    "absolute": (raw_tar([TarMember(b"/etc/x")]), "NAME-ABSOLUTE"),
    "old encoding": (raw_tar([TarMember(b"v\xa8n")]), "NAME-ENCODING"),
    "checksum": (raw_tar([A, TarMember(b"b", checksum=7)]), "TAR-HEADER"),
    "size is no number": (raw_tar([TarMember(b"b", size_field=b"zzz")]), "TAR-HEADER"),
    "no name": (raw_tar([TarMember(b"")]), "TAR-HEADER"),
    "no end": (raw_tar([A], b""), "TAR-CUT-SHORT"),
    "half an end": (raw_tar([A], bytes(512)), "TAR-CUT-SHORT"),
    "header without entry": (raw_tar([A, pax(path="x")]), "TAR-CUT-SHORT"),
    "junk after the end": (ONE + b"junk", "TAR-JUNK"),
    "two tars": (ONE + ONE, "TAR-JUNK"),
    "duplicate": (raw_tar([A, A]), "NAME-TWICE"),
    "empty": (raw_tar([], bytes(10240)), "SOURCE-EMPTY"),
    "gzip bomb": (gzip.compress(raw_tar([TarMember(b"z", bytes(10_000_000))])), "SOURCE-RATIO"),
    "gzip and garbage": (gzip.compress(ONE) + b"garbage", "SOURCE-DAMAGED"),
    "gzip and zeros": (gzip.compress(ONE) + bytes(512), "SOURCE-DAMAGED"),
    "half a gzip": (gzip.compress(ONE)[:-9], "SOURCE-DAMAGED"),
    "gzip with a wrong CRC": (gzip.compress(ONE)[:-8] + bytes(8), "SOURCE-DAMAGED"),
    "half a bzip2": (bz2.compress(ONE)[:-9], "SOURCE-DAMAGED"),
    "half an xz": (lzma.compress(ONE)[:-9], "SOURCE-DAMAGED"),
    "xz with a huge dictionary": (
        lzma.compress(ONE, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 29}]),
        "SOURCE-DAMAGED",
    ),
    "gzip of something else": (gzip.compress(b"text" * 500), "SOURCE-UNKNOWN"),
}


def opened(tmp_path: Path, data: bytes, findings: Findings, limits: GuardLimits | None = None) -> Source | None:
    return open_source(write(tmp_path / "x.tar", data), tmp_path / "q", findings, limits or GuardLimits())


def judged(tmp_path: Path, data: bytes, limits: GuardLimits | None = None) -> Findings:
    findings = Findings()
    source = opened(tmp_path, data, findings, limits)
    if source is not None:
        with Ledger(tmp_path / "ledger") as ledger:
            scan(source, ledger, findings)
        source.close()
    assert [path.name for path in tmp_path.iterdir()] == ["x.tar"]
    return findings


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_tar_is_refused(tmp_path: Path, name: str) -> None:
    data, code = REFUSED[name]
    findings = judged(tmp_path, data)
    assert findings.refused
    assert code in findings.counts


def test_truncated_at_each_percent(tmp_path: Path) -> None:
    whole = raw_tar([A, TarMember(b"b", bytes(range(256)) * 20), pax(path="c"), TarMember(b"x")])
    assert not judged(tmp_path, whole).refused
    for data in (whole, gzip.compress(whole, mtime=0), lzma.compress(whole)):
        for percent in range(100):
            assert judged(tmp_path, data[: len(data) * percent // 100]).refused, percent


@pytest.mark.parametrize(
    "pack",
    [
        bytes,
        gzip.compress,
        bz2.compress,
        lzma.compress,
        lambda data: gzip.compress(data[:700]) + gzip.compress(data[700:]),
    ],
    ids=["plain", "gzip", "bzip2", "xz", "two members"],
)
def test_a_good_tar_gives_its_bytes(tmp_path: Path, pack: object) -> None:
    data = raw_tar(
        [
            TarMember(b"./", b"", b"5"),
            TarMember(b"./d/", b"", b"5"),
            TarMember(b"./d/a.txt", b"alpha" * 300, mode=0o4755),
            TarMember(b"L", b"d/" + b"n" * 150 + b"\0", b"L"),
            TarMember(b"short", b"long"),
            pax(path="d/Công văn.txt", size="4", mtime="1.5"),
            TarMember(b"x", b"four"),
            TarMember(b"old", b"v7", b"\0"),
            TarMember(b"empty", b""),
        ]
    )
    findings = Findings()
    source = opened(tmp_path, pack(data), findings)  # type: ignore[operator]
    assert source is not None
    assert findings.kept() == ()
    found = {e.path: source.open(e.path).read() for e in source.entries() if e.kind == "file"}
    long = "d/" + "n" * 150
    expected = {"d/a.txt": b"alpha" * 300, long: b"long", "d/Công văn.txt": b"four", "old": b"v7", "empty": b""}
    assert found == expected
    source.enter("d/")
    assert source.open("a.txt").read(5) == b"alpha"
    with pytest.raises(FileNotFoundError):
        source.open("old")
    source.close()


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_what_the_standard_library_writes_is_read(tmp_path: Path, form: int) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name in ("gói/METS.xml", "gói/" + "thư mục dài " * 6 + "/tệp.txt"):
            entry = tarfile.TarInfo(name)
            entry.size = 3
            archive.addfile(entry, io.BytesIO(b"abc"))
    findings = Findings()
    source = opened(tmp_path, out.getvalue(), findings)
    assert source is not None
    assert [source.open(e.path).read() for e in source.entries()] == [b"abc", b"abc"]
    source.close()


def test_limits(tmp_path: Path) -> None:
    many = raw_tar([TarMember(b"%d" % n) for n in range(5)])
    assert judged(tmp_path, many, GuardLimits(files=3)).counts == {"SOURCE-MANY": 1}
    packed = gzip.compress(many)
    assert judged(tmp_path, packed, GuardLimits(bytes=100)).counts == {"SOURCE-LARGE": 1}


def test_a_quarantined_file_that_is_cut_afterwards_is_broken(tmp_path: Path) -> None:
    source = opened(tmp_path, ONE, Findings())
    assert source is not None
    with (tmp_path / "q" / "submission").open("r+b") as stream:
        stream.truncate(514)
    with pytest.raises(BrokenEntryError) as caught:
        source.open("d/a.txt").read()
    assert caught.value.code == "SOURCE-CUT-SHORT"
    source.close()
