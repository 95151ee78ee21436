"""Every identifier keeps the contract; FIDO survives what kills its child."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from preservation.identification.fido import FidoIdentifier, Limits
from tests.builders.identifier import MemoryIdentifier
from tests.builders.samples import ENDLESS_MP3, PDF_14, PNG, sample, word_document
from tests.contracts.identifier import IdentifierContract


class TestMemoryIdentifier(IdentifierContract):
    @pytest.fixture
    def identifier(self) -> MemoryIdentifier:
        return MemoryIdentifier()


@pytest.fixture(scope="module")
def shared() -> Iterator[FidoIdentifier]:
    identifier = FidoIdentifier()
    yield identifier
    identifier.close()


class TestFidoIdentifier(IdentifierContract):
    @pytest.fixture
    def identifier(self, shared: FidoIdentifier, request: pytest.FixtureRequest) -> Iterator[FidoIdentifier]:
        if "closed" not in request.node.name:
            yield shared
            return
        yield FidoIdentifier()


def test_nothing_is_started_before_the_first_question() -> None:
    identifier = FidoIdentifier()
    assert "1.6.1" in identifier.name
    identifier.close()
    assert identifier.restarts == 0


def test_submitted_samples_are_answered_in_their_order() -> None:
    identifier = FidoIdentifier()
    futures = [identifier.submit(sample(name, data)) for name, data in (("a", PDF_14), ("b", PNG), ("c.txt", b"x"))]
    identifier.close()
    assert [str(future.result(0).puid) for future in futures] == ["fmt/18", "fmt/11", "x-fmt/111"]


def test_a_spooled_container_is_looked_into(shared: FidoIdentifier, tmp_path: Path) -> None:
    found = shared.identify(sample("công văn.docx", word_document(), tmp_path))
    assert (str(found.puid), found.basis, found.warning) == ("fmt/412", "container", "")


def test_a_broken_container_is_still_answered(shared: FidoIdentifier, tmp_path: Path) -> None:
    found = shared.identify(sample("hỏng.zip", word_document()[:200], tmp_path))
    assert (str(found.puid), found.basis) == ("x-fmt/263", "extension")


def test_a_file_that_never_ends_costs_its_limit_and_no_more() -> None:
    identifier = FidoIdentifier(Limits(seconds=4))
    assert identifier.identify(sample("a", PDF_14)).basis == "signature"
    began = time.monotonic()
    late = identifier.identify(sample("bài hát.mp3", ENDLESS_MP3))
    assert time.monotonic() - began < 60
    assert (str(late.puid), late.basis) == ("fmt/134", "extension")
    assert "4 giây" in late.warning
    assert identifier.restarts == 1
    assert identifier.identify(sample("a", PDF_14)).basis == "signature"
    identifier.close()


def test_the_kernel_ends_a_child_that_uses_too_much_processor_time() -> None:
    identifier = FidoIdentifier(Limits(seconds=60, cpu_seconds=1))
    found = identifier.identify(sample("bài hát.mp3", ENDLESS_MP3))
    assert (found.basis, identifier.restarts) == ("extension", 1)
    assert "bị dừng" in found.warning
    identifier.close()


def test_a_bomb_inside_a_container_meets_the_memory_limit(tmp_path: Path) -> None:
    identifier = FidoIdentifier(Limits(memory=256 << 20))
    bomb = word_document(bytes(1 << 20))
    assert identifier.identify(sample("a.docx", bomb, tmp_path)).basis == "container"
    identifier.close()
    starved = FidoIdentifier(Limits(memory=30 << 20))
    found = starved.identify(sample("a.docx", bomb, tmp_path))
    assert (found.puid, found.basis) == (None, "none")
    assert starved.restarts == 2
    starved.close()


def test_a_child_that_was_killed_is_replaced(shared: FidoIdentifier) -> None:
    shared.identify(sample("a", PDF_14))
    before = shared.restarts
    child = shared._child
    assert child is not None
    os.kill(child._process.pid, signal.SIGKILL)
    assert "bị dừng" in shared.identify(sample("a.pdf", PDF_14)).warning
    assert shared.identify(sample("a.pdf", PDF_14)).basis == "signature"
    assert shared.restarts == before + 1


def test_a_child_that_answers_nonsense_is_replaced(shared: FidoIdentifier, monkeypatch: pytest.MonkeyPatch) -> None:
    shared.identify(sample("a", PDF_14))
    monkeypatch.setattr("preservation.identification.fido.LARGEST_FRAME", 10)
    found = shared.identify(sample("a.txt", b"text"))
    assert (found.puid, found.basis) == (None, "none")
    monkeypatch.undo()
    assert shared.identify(sample("a.txt", b"text")).basis == "extension"
