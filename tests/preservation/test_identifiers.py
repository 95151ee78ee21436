"""Every identifier keeps the contract; ours survives what kills its child."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from preservation.identification.identifier import Limits, PronomIdentifier
from tests.builders.identifier import MemoryIdentifier
from tests.builders.samples import PDF_14, PNG, sample, word_document
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
    assert identifier.restarts == 0


def test_submitted_samples_are_answered_in_their_order() -> None:
    identifier = PronomIdentifier()
    futures = [identifier.submit(sample(name, data)) for name, data in (("a", PDF_14), ("b", PNG), ("c.txt", b"x"))]
    identifier.close()
    assert [str(future.result(0).puid) for future in futures] == ["fmt/18", "fmt/11", "x-fmt/111"]


def test_a_spooled_container_is_looked_into(shared: PronomIdentifier, tmp_path: Path) -> None:
    found = shared.identify(sample("công văn.docx", word_document(), tmp_path))
    assert (str(found.puid), found.basis, found.warning) == ("fmt/412", "container", "")


def test_a_broken_container_is_still_answered(shared: PronomIdentifier, tmp_path: Path) -> None:
    found = shared.identify(sample("hỏng.zip", word_document()[:200], tmp_path))
    assert (str(found.puid), found.basis) == ("x-fmt/263", "extension")


def test_a_child_that_does_not_answer_costs_its_limit_and_no_more() -> None:
    identifier = PronomIdentifier(Limits(seconds=1))
    assert identifier.identify(sample("a", PDF_14)).basis == "signature"
    child = identifier._child
    assert child is not None
    os.kill(child._process.pid, signal.SIGSTOP)
    began = time.monotonic()
    late = identifier.identify(sample("bài hát.mp3", b"x"))
    assert time.monotonic() - began < 60
    assert (str(late.puid), late.basis) == ("fmt/134", "extension")
    assert "1 giây" in late.warning
    assert identifier.restarts == 1
    assert identifier.identify(sample("a", PDF_14)).basis == "signature"
    identifier.close()


def test_the_kernel_ends_a_child_that_uses_too_much_processor_time() -> None:
    identifier = PronomIdentifier(Limits(seconds=60, cpu_seconds=1))
    assert identifier.identify(sample("a", PDF_14)).basis == "signature"
    child = identifier._child
    assert child is not None
    soft, _ = resource.prlimit(child._process.pid, resource.RLIMIT_CPU)
    assert 1 <= soft < 60
    os.kill(child._process.pid, signal.SIGXCPU)
    found = identifier.identify(sample("bài hát.mp3", b"x"))
    assert (found.basis, identifier.restarts) == ("extension", 1)
    assert "bị dừng" in found.warning
    identifier.close()


def test_a_bomb_inside_a_container_meets_the_memory_limit(tmp_path: Path) -> None:
    identifier = PronomIdentifier(Limits(memory=256 << 20))
    bomb = word_document(bytes(1 << 20))
    assert identifier.identify(sample("a.docx", bomb, tmp_path)).basis == "container"
    identifier.close()
    starved = PronomIdentifier(Limits(memory=30 << 20))
    found = starved.identify(sample("a.docx", bomb, tmp_path))
    assert (found.puid, found.basis) == (None, "none")
    assert starved.restarts == 2
    starved.close()


def test_a_child_that_was_killed_is_replaced(shared: PronomIdentifier) -> None:
    shared.identify(sample("a", PDF_14))
    before = shared.restarts
    child = shared._child
    assert child is not None
    os.kill(child._process.pid, signal.SIGKILL)
    assert "bị dừng" in shared.identify(sample("a.pdf", PDF_14)).warning
    assert shared.identify(sample("a.pdf", PDF_14)).basis == "signature"
    assert shared.restarts == before + 1


def test_a_child_that_answers_nonsense_is_replaced(shared: PronomIdentifier, monkeypatch: pytest.MonkeyPatch) -> None:
    shared.identify(sample("a", PDF_14))
    monkeypatch.setattr("preservation.identification.identifier.LARGEST_FRAME", 10)
    found = shared.identify(sample("a.txt", b"text"))
    assert (found.puid, found.basis) == (None, "none")
    monkeypatch.undo()
    assert shared.identify(sample("a.txt", b"text")).basis == "text"
