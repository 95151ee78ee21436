"""Packages broken at random: a check and an ingest never fail of them and say alike; nothing stays of a refused one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.check import check_package
from ingest.receipt import Verdict
from tests.builders.archive import SmallArchive, small_archive
from tests.builders.eark import build_eark
from tests.builders.packages import linked_document, package_of, sip_tailieu
from tests.builders.tt05 import documents, sip_hoso

# What depends on whether there is an archive; and the pass, which an ingest begins only when all before it is good.
APART = {
    "PACKAGE-NO-AGENCY", "PACKAGE-NO-FONDS", "PACKAGE-UNTOLD-AGENCY", "PACKAGE-UNTOLD-FONDS", "PACKAGE-OTHER-AGENCY",
    "PACKAGE-NOT-FOR-KEEPING", "LINK-UNKNOWN", "LINK-UNRESOLVED",
}  # fmt: skip


@pytest.fixture(scope="module")
def packages() -> Iterator[dict[str, Path]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with small_archive(folder / "other") as other:
            aip = package_of(other.object(other.receive(sip_hoso(folder / "sent"))), folder / "aip")
        yield {
            "SIP_hoso": sip_hoso(folder / "sip", contents=[*documents(1), linked_document(2, b"D0000001")]),
            "SIP_tailieu": sip_tailieu(folder / "loose"),
            "AIP_hoso": aip,
            "E-ARK SIP": build_eark(folder / "eark", "sip"),
            "E-ARK DIP": build_eark(folder / "eark dip", "dip"),
        }


@pytest.fixture(scope="module")
def archive() -> Iterator[SmallArchive]:
    with tempfile.TemporaryDirectory() as name, small_archive(Path(name)) as made:
        yield made


Break = Callable[[Path, int], None]


def cut(path: Path, at: int) -> None:
    path.write_bytes(path.read_bytes()[:at])


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    if data:
        data[at % len(data)] ^= 1 << at % 8
        path.write_bytes(data)


def put(text: bytes) -> Break:
    def change(path: Path, at: int) -> None:
        data = path.read_bytes()
        path.write_bytes(data[: at % (len(data) + 1)] + text + data[at % (len(data) + 1) :])

    return change


def swapped(path: Path, at: int) -> None:
    """Another file of the package in its place."""
    files = sorted(one for one in path.parent.rglob("*") if one.is_file())
    path.write_bytes(files[at % len(files)].read_bytes())


BREAKS: dict[str, Break] = {
    "cut": cut,
    "flip": flip,
    "gone": lambda path, at: path.unlink(),
    "empty": lambda path, at: path.write_bytes(b"") and None,
    "renamed": lambda path, at: path.rename(path.with_name(f"{path.name}.{at}")) and None,
    "swapped": swapped,
    "doctype": put(b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
    "element": put(b"<a xmlns='urn:x' ID='x'/>"),
    "nul": put(b"\0"),
    "surrogate": put(b"\xed\xa0\x80"),
    "quote": put(b'"'),
    "percent": put(b"%2e%2e/%ff"),
}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    kind=st.sampled_from(["SIP_hoso", "SIP_tailieu", "AIP_hoso", "E-ARK SIP", "E-ARK DIP"]),
    breaks=st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from(sorted(BREAKS)), st.integers(0, 6000)), min_size=1, max_size=2
    ),
)
def test_whatever_is_broken_is_told_alike_and_never_fails(
    packages: dict[str, Path], archive: SmallArchive, kind: str, breaks: list[tuple[int, str, int]]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        package = Path(name) / packages[kind].name
        shutil.copytree(packages[kind], package)
        for number, how, at in breaks:
            files = sorted(one for one in package.rglob("*") if one.is_file())
            BREAKS[how](files[number % len(files)], at)
        (Path(name) / "work").mkdir()
        checked = check_package(package, Path(name) / "work")
        receipt = archive.receive(package)
    assert not {code for code in checked.counts if code == "CHECK-UNREADABLE"}, checked.findings
    assert told(dict(checked.counts)) == told(dict(receipt.counts)) - {"HELD-DIFFERENT"}
    assert archive.leftovers() == []
    if receipt.verdict is Verdict.REFUSED:
        assert not receipt.key


DIGESTS = {"EARK-CSIP29", "EARK-CSIP43", "EARK-CSIP56", "EARK-CSIP71", "EARK-LINE-ENDINGS"}
"""What a check says of wrong digests once it has read the bytes; an ingest that refuses before does not read them."""


def told(counts: dict[str, int]) -> set[str]:
    return {code for code in counts if code not in APART | DIGESTS and not code.startswith("PASS-")}
