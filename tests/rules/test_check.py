"""The rules of the check itself: a judge that fails is told of, and a file that is not what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingest import check
from tests.builders.identifier import MemoryIdentifier
from tests.builders.small_bags import write_bag
from tests.builders.watching import watching
from tests.rules.cases import Case, codes_of


def _codes_with_a_judge_that_fails(package: Path, work: Path, profile: str) -> set[str]:
    """As the check gives them while a judge stumbles over a word in the title."""
    real = check.inspect

    def inspect(*arguments: Any, **named: Any) -> Any:
        found = real(*arguments, **named)
        if found is not None and "vấp" in found.title:
            raise IndexError("one that nobody thought of")
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(check, "inspect", inspect)
        return codes_of(package, work, profile)


def _codes_with_formats_looked_at(package: Path, work: Path, profile: str) -> set[str]:
    work.mkdir()
    return set(check.check_package(package, work, watch=watching(MemoryIdentifier())).counts)


PDF = b"%PDF-1.4 x"
CASES = [
    Case(
        "a judge that fails",
        frozenset({"CHECK-UNREADABLE"}),
        lambda folder: write_bag(folder / "bag"),
        lambda folder: write_bag(folder / "bag", title="Hồ sơ vấp"),
        judge=_codes_with_a_judge_that_fails,
    ),
    Case(
        "contents that are no photograph",
        frozenset({"CHECK-FORMAT"}),
        lambda folder: write_bag(folder / "bag", files={"1.pdf": PDF}),
        lambda folder: write_bag(folder / "bag", files={"1.jpg": PDF}),
        judge=_codes_with_formats_looked_at,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)
