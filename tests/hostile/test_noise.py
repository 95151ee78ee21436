"""Good packages of every kind with noise in their metadata files: always a report, never a judge that falls."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.check import check_package
from metadata.package_kinds import PackageKind, PackageProfile
from tests.builders.archive import small_archive
from tests.builders.bags import INFO, bag
from tests.builders.eark import build_eark
from tests.builders.packages import package_of, sip_tailieu
from tests.builders.tt05 import sip_hoso


def aip_hoso(folder: Path) -> Path:
    """What another system would send of an AIP that it holds."""
    with small_archive(folder / "archive") as archive:
        return package_of(archive.object(archive.receive(sip_hoso(folder / "sent"))), folder / "aip")


CODED = (*INFO, ("Agency-Code", "H20.05"), ("Fonds-Code", "P1"))
FETCH = "https://example.org/a 22 data/Công văn 01.txt\n".encode()
MAKE: dict[str, tuple[Callable[[Path], Path], PackageKind | None]] = {
    "bag": (lambda folder: bag(folder / "bag", info=CODED, fetch=FETCH), None),
    "bag in UTF-16": (lambda folder: bag(folder / "bag", info=CODED, version="0.97", encoding="UTF-16"), None),
    "bag by BagIt": (lambda folder: bag(folder / "bag", info=CODED, fetch=FETCH), PackageKind.BAG),
    "SIP_hoso": (lambda folder: sip_hoso(folder), None),
    "SIP_hoso by E-ARK": (lambda folder: sip_hoso(folder), PackageKind.EARK_SIP),
    "SIP_tailieu": (sip_tailieu, None),
    "AIP_hoso": (aip_hoso, None),
    "E-ARK SIP": (lambda folder: build_eark(folder / "eark", "sip"), None),
    "E-ARK SIP as a DIP of TT 05": (lambda folder: build_eark(folder / "eark", "sip"), PackageKind.DIP),
}
TOKENS = [
    b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\r", b"<", b"/>", b"&#0;", b"&x;", b"<!DOCTYPE x>", b"<![CDATA[",
    b'"', b"'", b"%00", b"%2e%2e%2f", b"../", b"http://10.0.0.1/", b"file:///etc/passwd", b"-1", b"9" * 30, b"1e999",
    b"*", b":", b"\\", b"\xf0\x9f\x98\x80", "\u202e".encode(), b"\xed\xa0\x80", b"a" * 3000, b"{x}", b"{0}", b"%s",
]  # fmt: skip


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, list[str]]]:
    """A good package of a kind, made once, and the files that describe it."""
    made: dict[str, Path] = {}

    def give(name: str) -> tuple[Path, list[str]]:
        if name not in made:
            made[name] = MAKE[name][0](tmp_path_factory.mktemp("good"))
        files = [path.relative_to(made[name]).as_posix() for path in sorted(made[name].rglob("*")) if path.is_file()]
        return made[name], [path for path in files if path.endswith((".xml", ".txt")) and not path.startswith("data/")]

    return give


@pytest.mark.parametrize("name", MAKE)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    which=st.integers(0, 10**6),
    at=st.floats(0, 1, exclude_max=True),
    cut=st.integers(0, 40),
    token=st.sampled_from(TOKENS) | st.binary(max_size=4),
)
def test_noise_is_reported(
    name: str,
    good: Callable[[str], tuple[Path, list[str]]],
    tmp_path_factory: pytest.TempPathFactory,
    which: int,
    at: float,
    cut: int,
    token: bytes,
) -> None:
    package, files = good(name)
    folder = tmp_path_factory.mktemp("noise")
    copy = shutil.copytree(package, folder / package.name)
    path = copy / files[which % len(files)]
    data = path.read_bytes()
    begin = int(at * len(data))
    path.write_bytes(data[:begin] + token + data[begin + cut :])
    kind = MAKE[name][1]
    report = check_package(copy, folder, None if kind is None else PackageProfile(kind))
    shutil.rmtree(folder)
    assert "CHECK-UNREADABLE" not in report.counts, [one.message.en for one in report.findings]
    for one in report.findings:
        assert one.message.vi.isprintable() and one.message.en.isprintable()
        json.dumps(one.fields()).encode()
