"""A check and an ingest say the same: what a check lets pass is taken in, and what it refuses is refused."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.check import CheckVerdict, check_package
from ingest.place import Submission
from ingest.receipt import Verdict
from tests.builders.archive import SmallArchive, small_archive
from tests.builders.identifier import MemoryIdentifier
from tests.builders.small_bags import write_bag
from tests.builders.tt05 import sip_hoso
from tests.ingest.test_check_any import broken


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallArchive]:
    with small_archive(tmp_path_factory.mktemp("kho"), identifier=MemoryIdentifier()) as made:
        yield made


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("seeds")
    return [write_bag(folder / "bag"), sip_hoso(folder), sip_hoso(folder / "sample", sample=True)]


@pytest.mark.parametrize("number", range(45))
def test_the_same_package_the_same_verdict(
    archive: SmallArchive, seeds: list[Path], number: int, tmp_path: Path
) -> None:
    choose = random.Random(number)
    seed = seeds[number % len(seeds)]
    package = tmp_path / seed.name
    shutil.copytree(seed, package)
    files = sorted(path for path in package.rglob("*") if path.is_file())
    for path in choose.sample(files, 1 if number >= len(seeds) else 0):
        path.write_bytes(broken(path.read_bytes(), choose))
    report = check_package(package, tmp_path)
    receipt = archive.service.receive(f"job {number}", Submission(package))
    codes = {code for code, _ in receipt.counts}
    if "HELD-DIFFERENT" in codes:  # only an archive knows what it holds
        assert report.verdict is not CheckVerdict.REFUSED
        return
    told = {code.replace("PACKAGE-UNTOLD-", "PACKAGE-NO-") for code in report.counts}
    if not codes & told & {"PACKAGE-NO-AGENCY", "PACKAGE-NO-FONDS"}:  # whoever hands it in may say that
        assert (receipt.verdict is Verdict.REFUSED) == (report.verdict is CheckVerdict.REFUSED), (codes, told)
    assert codes <= told, "an ingest may stop earlier, but says nothing that a check does not"
    if receipt.verdict is Verdict.ACCEPTED:
        assert (receipt.content, receipt.title, receipt.objid) == (report.content, report.title, report.objid)
        assert codes == told
    assert archive.leftovers() == []
