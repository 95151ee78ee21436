"""Formats of what is held are told anew by newer signature files, and a rebuild from the stores comes to the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from metadata.catalogue import Catalogue
from metadata.events import Agent, EventType
from metadata.holdings import Format, Role
from metadata.identifiers import Puid, StoreId
from metadata.retelling import Retold
from metadata.text import Sentence
from preservation import reidentification
from preservation.identification.port import WINDOW, IdentifierUnavailable, Sample
from preservation.rebuild import rebuild
from preservation.reidentification import Reidentifier
from storage.log import read_log
from storage.port import Store
from storage.stores.memory import MemoryStore
from tests.builders.kept import Clock, File, Kept, flip, keep
from tests.preservation.conftest import NewCatalogue

OLD = Agent("pronom-signatures:sha256:00", "PRONOM V1, containers 1")
NEW = Agent("pronom-signatures:sha256:11", "PRONOM V2, containers 2")
PDF_A = Format(Puid("fmt/477"), "Acrobat PDF/A", "2b", "application/pdf", "signature")


class Newer:
    """Tells every file as PDF/A, and remembers what it was shown."""

    name = "newer"

    def __init__(self, told: Format = PDF_A) -> None:
        self.told = told
        self.shown: list[tuple[Sample, bytes]] = []

    def ready(self) -> None: ...

    def identify(self, sample: Sample) -> Format:
        self.shown.append((sample, sample.spool.read_bytes() if sample.spool else b""))
        return self.told

    def close(self) -> None: ...


def _again(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, told: Format = PDF_A, agent: Agent = NEW
) -> Reidentifier:
    return Reidentifier(catalogue, {store.id: store for store in stores}, Newer(told), agent, clock)


def _content(catalogue: Catalogue, kept: Kept) -> list[Format | None]:
    return [one.format for one in catalogue.holdings.members(kept.id) if one.role is Role.CONTENT]


def _same_as_rebuilt(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, anew: Catalogue) -> bool:
    report = rebuild(anew, stores, clock)
    assert report.problems == []
    return list(anew.dump()) == list(catalogue.dump())


def test_other_formats_become_events_and_the_catalogue_and_a_rebuild_have_them(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, stores)
    before = _content(catalogue, kept)
    assert PDF_A not in before
    objects = {store.id: store.head(kept.key) for store in stores}
    waiting = catalogue.outbox.waiting()
    report = _again(catalogue, stores, clock).look(kept.version)
    assert (report.files, report.changed, report.failures) == (len(before), len(before), 0)
    assert _content(catalogue, kept) == [PDF_A] * len(before)
    assert {store.id: store.head(kept.key) for store in stores} == objects, "the sealed object is not touched"
    assert catalogue.outbox.waiting() == waiting + 1
    told = [event for event in catalogue.events.of(kept.id) if event.agent == NEW]
    assert {event.type for event in told} == {EventType.FORMAT_IDENTIFICATION}
    assert [Retold.of(event) for event in told] == [*report.changes, None]
    assert [one.before for one in report.changes] == before
    for store in stores:
        assert [event for entry in read_log(store, kept.key) for event in entry.events][-len(told) :] == told
    assert _same_as_rebuilt(catalogue, stores, clock, new_catalogue("anew"))


def test_who_cannot_look_tells_nothing_anew(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: Newer) -> None:
        raise IdentifierUnavailable(Sentence("không xem được", "cannot look"))

    kept = keep(catalogue, stores)
    before = _content(catalogue, kept)
    monkeypatch.setattr(Newer, "ready", away)
    with pytest.raises(IdentifierUnavailable):
        _again(catalogue, stores, clock).look(kept.version)
    assert _content(catalogue, kept) == before


def test_what_is_told_the_same_leaves_one_event(catalogue: Catalogue, stores: list[MemoryStore], clock: Clock) -> None:
    kept = keep(catalogue, stores)
    _again(catalogue, stores, clock).look(kept.version)
    events = len(catalogue.events.of(kept.id))
    worded = replace(PDF_A, warning="other words")
    report = _again(catalogue, stores, clock, worded, OLD).look(kept.version)
    assert (report.changed, len(catalogue.events.of(kept.id))) == (0, events + 1)


def test_the_last_telling_counts_and_each_is_kept(
    catalogue: Catalogue, new_catalogue: NewCatalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, stores)
    other = replace(PDF_A, puid=None, basis="none")
    _again(catalogue, stores, clock, other, OLD).look(kept.version)
    clock.forward()
    report = _again(catalogue, stores, clock).look(kept.version)
    assert {one.before for one in report.changes} == {other}
    assert set(_content(catalogue, kept)) == {PDF_A}
    assert _same_as_rebuilt(catalogue, stores, clock, new_catalogue("anew"))


def test_who_begins_again_leaves_out_what_is_done(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep(catalogue, stores)
    again = _again(catalogue, stores, clock)
    assert not again.done(kept.id)
    monkeypatch.setattr(reidentification, "_BATCH", 1)
    again.look(kept.version)
    assert again.done(kept.id)
    assert not _again(catalogue, stores, clock, agent=OLD).done(kept.id)
    events = catalogue.events.of(kept.id)
    assert again.look(kept.version).changed == 0
    assert catalogue.events.of(kept.id) == events


def test_stopped_between_the_log_and_the_catalogue(
    catalogue: Catalogue,
    new_catalogue: NewCatalogue,
    stores: list[MemoryStore],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What only the log has heard comes into the catalogue with the next events, whoever writes them."""
    kept = keep(catalogue, stores)
    with monkeypatch.context() as patch:
        patch.setattr(type(catalogue.events), "append", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            _again(catalogue, stores, clock).look(kept.version)
    assert PDF_A not in _content(catalogue, kept)
    _again(catalogue, stores, clock, agent=OLD).look(kept.version)
    assert set(_content(catalogue, kept)) == {PDF_A}
    assert _same_as_rebuilt(catalogue, stores, clock, new_catalogue("anew"))


def test_files_are_verified_and_read_from_another_store_when_one_is_damaged(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock
) -> None:
    kept = keep(catalogue, stores)
    member = next(one for one in kept.members if one.role is Role.CONTENT and one.size)
    flip(stores[0], kept.key, member.data)
    assert _again(catalogue, stores, clock).look(kept.version).failures == 0
    flip(stores[1], kept.key, member.data)
    report = _again(catalogue, stores, clock, replace(PDF_A, version="3"), OLD).look(kept.version)
    assert [path for path, _ in report.failed] == [member.path]
    assert report.changed == report.files - 1
    assert not _again(catalogue, stores, clock, agent=OLD).done(kept.id), "it will be looked at again"


@pytest.mark.parametrize("size", [0, 1, WINDOW, WINDOW + 1, 3 * WINDOW + 5])
def test_what_the_identifier_is_shown(
    catalogue: Catalogue, stores: list[MemoryStore], clock: Clock, size: int, tmp_path: Path
) -> None:
    data = (b"%PDF-1.4" + bytes(at % 251 for at in range(size)))[:size]
    kept = keep(catalogue, stores, files=[_file("báo cáo.pdf", data)])
    shown = Newer()
    Reidentifier(catalogue, _by_id(stores), shown, NEW, clock, tmp_path).look(kept.version)
    sample, whole = next(one for one in shown.shown if one[0].name.endswith(".pdf"))
    assert (sample.size, sample.head, sample.tail) == (size, data[:WINDOW], data[-WINDOW:])
    assert whole == (data if size > WINDOW else b"")
    assert list(tmp_path.glob("tmp*")) == []


def _by_id(stores: list[MemoryStore]) -> dict[StoreId, Store]:
    return {store.id: store for store in stores}


def _file(name: str, data: bytes) -> File:
    return File(name, data)
