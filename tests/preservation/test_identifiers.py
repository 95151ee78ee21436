"""Every identifier keeps the contract; ours survives what kills its child."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from preservation.identification.data import SignaturePaths, default_signatures
from preservation.identification.identifier import PronomIdentifier, equipment_of
from preservation.identification.port import IdentifierUnavailable
from preservation.workshop.local import LocalWorkshop
from preservation.workshop.pool import ChildLimits, ChildWorkshop
from preservation.workshop.port import TaskLimits, Values, WorkLost
from tests.builders.identifier import MemoryIdentifier
from tests.builders.samples import PDF_14, sample, word_document
from tests.contracts.identifier import IdentifierContract


class TestMemoryIdentifier(IdentifierContract):
    @pytest.fixture
    def identifier(self) -> MemoryIdentifier:
        return MemoryIdentifier()


@pytest.fixture(scope="module")
def shared() -> Iterator[PronomIdentifier]:
    identifier = PronomIdentifier()
    yield identifier
    identifier.close()


class TestPronomIdentifier(IdentifierContract):
    @pytest.fixture
    def identifier(self, shared: PronomIdentifier, request: pytest.FixtureRequest) -> Iterator[PronomIdentifier]:
        if "closed" not in request.node.name:
            yield shared
            return
        yield PronomIdentifier()


def test_nothing_is_started_before_the_first_question() -> None:
    identifier = PronomIdentifier()
    assert identifier.name.startswith("PRONOM V")
    identifier.close()


def test_a_spooled_container_is_looked_into(shared: PronomIdentifier, tmp_path: Path) -> None:
    found = shared.identify(sample("công văn.docx", word_document(), tmp_path))
    assert (str(found.puid), found.basis, found.warning) == ("fmt/412", "container", "")


def test_a_broken_container_is_still_answered(shared: PronomIdentifier, tmp_path: Path) -> None:
    found = shared.identify(sample("hỏng.zip", word_document()[:200], tmp_path))
    assert (str(found.puid), found.basis) == ("x-fmt/263", "extension")


def test_a_spool_that_is_gone_leaves_the_windows(shared: PronomIdentifier, tmp_path: Path) -> None:
    gone = replace(sample("công văn.docx", word_document()), spool=tmp_path / "gone")
    assert str(shared.identify(gone).puid) == "fmt/412"


class Broken(LocalWorkshop):
    """Loses what it is asked first, or answers nonsense; the rest it does."""

    def __init__(self, happens: WorkLost | dict[str, object], times: int = 1) -> None:
        super().__init__(equipment_of(default_signatures()))
        self._happens, self._times = happens, times

    def run(
        self, task: str, arguments: Values, files: Sequence[BinaryIO] = (), limits: TaskLimits | None = None
    ) -> Values:
        self._times -= 1
        if self._times < 0:
            return super().run(task, arguments, files, limits)
        if isinstance(self._happens, WorkLost):
            raise self._happens
        return self._happens


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (WorkLost(late=True), "10 giây"),
        (WorkLost(late=False), "bị dừng"),
        ({}, "bị dừng"),
        ({"format": []}, "bị dừng"),
        ({"format": 5}, "bị dừng"),
        ({"format": ["no puid", "", "", "", "", ""]}, "bị dừng"),
        ({"format": ["", 1, 2, 3, 4, 5]}, "bị dừng"),
    ],
)
def test_a_file_that_costs_its_child_is_told_by_its_extension(happens: Any, said: str) -> None:
    late = PronomIdentifier(Broken(happens)).identify(sample("bài hát.mp3", b"x"))
    assert (str(late.puid), late.basis) == ("fmt/134", "extension")
    assert said in late.warning
    nothing = PronomIdentifier(Broken(happens, times=2)).identify(sample("bài hát.mp3", b"x"))
    assert (nothing.puid, nothing.basis) == (None, "none")
    assert said in nothing.warning


def test_what_a_child_says_is_made_safe_to_show() -> None:
    said = {"format": ["fmt/1", "\x1b[31m\0\udcff", "1", "a/b", "signature", "x" * 10_000]}
    found = PronomIdentifier(Broken(said)).identify(sample("x", b"x"))
    assert found.name == "\\u001b[31m\\u0000\\udcff"
    assert len(found.warning) <= 2001


def test_a_workshop_that_cannot_start_is_an_outcome() -> None:
    starved = ChildWorkshop(equipment_of(default_signatures()), limits=ChildLimits(memory=30 << 20))
    found = PronomIdentifier(starved).identify(sample("a.docx", word_document()))
    assert (found.puid, found.basis) == (None, "none")
    starved.close()


def test_one_that_cannot_look_says_so_before_it_is_asked_of_files(tmp_path: Path) -> None:
    paths = SignaturePaths(tmp_path / "binary.xml", tmp_path / "container.xml")
    paths.binary.write_text("<broken", encoding="utf-8")
    paths.container.write_text("<broken", encoding="utf-8")
    identifier = PronomIdentifier(signatures=paths)
    with pytest.raises(IdentifierUnavailable):
        identifier.ready()
    identifier.close()


def test_a_shared_workshop_is_left_open() -> None:
    paths = default_signatures()
    workshop = ChildWorkshop(equipment_of(paths), children=1, readable=[paths.binary, paths.container])
    for _ in range(2):
        identifier = PronomIdentifier(workshop, paths)
        assert identifier.identify(sample("a", PDF_14)).basis == "signature"
        identifier.close()
    workshop.close()


def test_signature_files_may_lie_anywhere(tmp_path: Path) -> None:
    paths = default_signatures()
    copies = SignaturePaths(*(tmp_path / path.name for path in (paths.binary, paths.container)))
    copies.binary.write_bytes(paths.binary.read_bytes())
    copies.container.write_bytes(paths.container.read_bytes())
    identifier = PronomIdentifier(signatures=copies)
    assert identifier.identify(sample("a", PDF_14)).basis == "signature"
    identifier.close()
