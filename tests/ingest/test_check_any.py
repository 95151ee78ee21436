"""Whatever is in a package, the check ends with a report: no judge fails, and the reports can be made."""

from __future__ import annotations

import io
import random
import re
import shutil
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.check import CheckReport, check_package
from ingest.reports import ReportFormat, read_json, render
from metadata.package_kinds import PackageKind, PackageProfile
from tests.builders.small_bags import write_bag
from tests.builders.tt05 import sip_hoso

WHEN = datetime(2026, 7, 1, tzinfo=UTC)
WORDS = (
    b"", b"\x00", b"\xff", b"<", b"&", b'"', "ế".encode(), b"urn:uuid:", b"../", b"%2e%2e/", b"%ZZ", b"%ff", b"\n",
    b"-1", b"9" * 30, b"2024-13-45T99:99:99", b"http://[::1", b"file:///etc/passwd", b"xlink:href", b"SHA-256",
    b"\xef\xbb\xbf", b"a" * 5000, b"{place}", b"\xed\xa0\x80", b"&#xD800;", b"&#x202e;", b"<!--", b"]]>",
    b"<?x ?>", b'xmlns="x"',
)  # fmt: skip
VALUES = re.compile(rb'"[^"\n]*"|>[^<\n]+<|: [^\n]*')
TAGS = re.compile(rb"<[^>]+>")
PROFILES = [None, *map(PackageProfile, PackageKind)]


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("seeds")
    return [write_bag(folder / "bag"), sip_hoso(folder)]


def broken(data: bytes, choose: random.Random) -> bytes:
    """One thing changed: a bit, a word put in, a piece left out, a value replaced, a tag doubled or dropped."""
    at, kind = choose.randrange(len(data) + 1), choose.randrange(6)
    word = choose.choice(WORDS)
    if kind == 0:
        return data[:at] + word + data[at:]
    if kind == 1:
        return data[:at] + data[at + choose.randint(1, 60) :]
    if kind == 2 and at < len(data):
        return data[:at] + bytes([data[at] ^ 1 << choose.randrange(8)]) + data[at + 1 :]
    if kind == 3 and (found := list(VALUES.finditer(data))):
        one = choose.choice(found)
        return data[: one.start() + 1] + word + data[one.end() - 1 :]
    if kind == 4 and (found := list(TAGS.finditer(data))):
        one = choose.choice(found)
        return data[: one.start()] + one[0] * choose.choice((0, 2)) + data[one.end() :]
    return data[:at]


def judged(package: Path, work: Path, profile: PackageProfile | None) -> CheckReport:
    report = check_package(package, work, profile)
    assert "CHECK-UNREADABLE" not in report.counts, [str(one.message) for one in report.findings]
    assert read_json(render(report, ReportFormat.JSON, WHEN).decode()).counts == report.counts
    return report


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 1 << 32), profile=st.sampled_from(PROFILES))
def test_a_package_with_broken_files(seeds: list[Path], number: int, profile: PackageProfile | None) -> None:
    choose = random.Random(number)
    seed = choose.choice(seeds)
    with tempfile.TemporaryDirectory() as made:
        package = Path(made, seed.name)
        shutil.copytree(seed, package)
        files = sorted(path for path in package.rglob("*") if path.is_file())
        for path in choose.sample(files, 2):
            action = choose.randrange(10)
            if action == 0:
                path.unlink()
            elif action == 1:
                path.rename(path.with_name("METS.xml"))
            elif path.exists():
                path.write_bytes(broken(path.read_bytes(), choose))
        report = judged(package, Path(made), profile)
        if number % 8 == 0:
            assert render(report, ReportFormat.PDF, WHEN) and render(report, ReportFormat.CSV, WHEN)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 1 << 32))
def test_a_zip_with_broken_bytes(seeds: list[Path], number: int) -> None:
    choose = random.Random(number)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", choose.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as made:
        for path in sorted(seeds[0].rglob("*")):
            if path.is_file():
                made.write(path, path.relative_to(seeds[0].parent))
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder, "goi.zip")
        package.write_bytes(broken(out.getvalue(), choose))
        judged(package, Path(folder), None)
