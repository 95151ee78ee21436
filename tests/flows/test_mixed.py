"""Mixed documents through the real workshop: each kind is what it is, and the same package gives the same AIP."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.receipt import Receipt, Verdict
from metadata.holdings import Member
from metadata.identifiers import AipId, VersionId
from metadata.outcomes import SignatureOutcome, Validity, Virus
from preservation.checkers import Checkers
from preservation.identification.data import default_signatures
from preservation.signatures.trust import TrustStore
from tests.builders.archive import SmallArchive, small_archive
from tests.builders.mixed import kinds, mixed_package
from tests.builders.signatures import NOW, authority
from tests.builders.small_bags import write_bag

COUNT = len(list(kinds()))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bag with one document of each kind."""
    folder = tmp_path_factory.mktemp("mixed")
    mixed_package(folder / "made", COUNT)
    files = {path.name: path.read_bytes() for path in sorted((folder / "made").rglob("*")) if path.is_file()}
    return write_bag(folder / "bag", files=files)


@contextmanager
def taken(package: Path, folder: Path, children: int, store: TrustStore) -> Iterator[tuple[SmallArchive, Receipt]]:
    """The package in an archive of its own, at a time at which its signatures are valid."""
    with (
        Checkers(default_signatures(), store, children) as checkers,
        small_archive(folder, checkers=checkers) as archive,
    ):
        archive.clock.now = NOW
        yield archive, archive.receive(package)


@pytest.fixture(scope="module")
def store() -> TrustStore:
    return authority().store()


@pytest.fixture(scope="module")
def taken_in(
    package: Path, tmp_path_factory: pytest.TempPathFactory, store: TrustStore
) -> Iterator[tuple[SmallArchive, Receipt]]:
    with taken(package, tmp_path_factory.mktemp("archive"), 1, store) as found:
        yield found


def contents(archive: SmallArchive, receipt: Receipt) -> dict[str, Member]:
    version = VersionId(AipId.parse(receipt.aip), 1)
    members = archive.catalogue.holdings.members(version)
    return {Path(one.path).name: one for one in members if one.role.value == "content"}


def test_each_kind_is_told_and_is_what_it_must_be(taken_in: tuple[SmallArchive, Receipt]) -> None:
    archive, receipt = taken_in
    assert receipt.verdict is Verdict.ACCEPTED, receipt.findings
    found = contents(archive, receipt)
    assert len(found) == COUNT + 1
    unknown = {name for name, one in found.items() if one.format is None or one.format.puid is None}
    assert {Path(name).suffix for name in unknown} <= {".p7s"}
    for name, one in found.items():
        known = one.characteristics
        assert known is not None and known.virus is Virus.CLEAN
        expected = {Validity.NOT_CHECKED} if name.endswith(".p7s") else {Validity.VALID, Validity.VALID_WITH_NOTES}
        assert known.validity in expected, (name, known, receipt.findings)
    signed = [one.characteristics for one in found.values() if one.characteristics and one.characteristics.signatures]
    assert len(signed) == 3, "a PDF, an XML, a file with .p7s beside it"
    assert {one.signature for one in signed} <= {SignatureOutcome.VALID, SignatureOutcome.VALID_WITH_NOTES}
    assert archive.leftovers() == []


def test_the_same_package_gives_the_same_bytes_however_many_look_at_once(
    package: Path, tmp_path: Path, store: TrustStore, taken_in: tuple[SmallArchive, Receipt]
) -> None:
    archive, receipt = taken_in
    assert archive.receive(package, "again") == receipt
    with taken(package, tmp_path, 3, store) as (other, again):
        assert hashlib.sha256(other.object(again)).digest() == hashlib.sha256(archive.object(receipt)).digest()
