"""Drills: restoring on trial, because a backup that nobody has restored is a hope.

Some AIPs, drawn by lot, come out of a store and are unpacked and validated; once a month the newest chain of backups is
loaded into a database of its own and compared with the catalogue as of the backup's moment.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from metadata.backups import Drill, DrillOutcome
from metadata.catalogue import Catalogue
from metadata.errors import NotFound, TangThuError, TemporaryError
from metadata.holdings import AipVersion
from metadata.identifiers import StoreId
from metadata.incidents import IncidentKind
from metadata.journal import Entry, EntryKind
from metadata.text import Sentence
from preservation.backup import Backups, Incidents
from preservation.checks import Clock
from preservation.comparing import compare
from preservation.journal import ArchiveJournal
from preservation.restore import chains, load
from preservation.trial import restore_aip
from storage.port import Store

_MOST = 100
_CHAIN_EVERY = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class DrillPlace:
    """What drills work with. ``scratch`` is where things are restored to; ``aips`` how many are drawn by lot."""

    catalogue: Catalogue
    journal: ArchiveJournal
    stores: Callable[[], Sequence[Store]]
    clock: Clock
    scratch: Path
    backups: Backups
    incidents: Incidents | None = None
    aips: int = 3
    below: Callable[[int], int] = random.SystemRandom().randrange


@dataclass(slots=True)
class _Run:
    aips: list[str] = field(default_factory=list)
    files: int = 0
    size: int = 0
    backup: str = ""
    rows: int = 0
    problems: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def wrong(self, sentence: Sentence) -> None:
        if len(self.problems) < _MOST:
            self.problems.append(str(sentence))

    def missed(self, sentence: Sentence) -> None:
        if len(self.unseen) < _MOST:
            self.unseen.append(str(sentence))

    @property
    def outcome(self) -> DrillOutcome:
        if self.problems:
            return DrillOutcome.FAILED
        return DrillOutcome.INCOMPLETE if self.unseen else DrillOutcome.PASSED


class Drills:
    """Runs drills and knows those that were run."""

    def __init__(self, place: DrillPlace) -> None:
        self._place = place

    def listed(self, limit: int = 100) -> list[Drill]:
        """The newest first, out of the journal."""
        entries = self._place.catalogue.journal.entries(EntryKind.DRILL, limit=limit)
        return Drill.all_of(entries)

    def chain_due(self) -> bool:
        """Whether the newest backup is to be restored on trial: nobody has for four weeks."""
        last = next((one.at for one in self.listed(1000) if one.backup), None)
        return last is None or self._place.clock() - last >= _CHAIN_EVERY

    def run(
        self, aips: int | None = None, chain: bool | None = None, person: str = "", id: str = "",
        told: Callable[[str, int, int], None] = lambda *_: None,
    ) -> Drill:  # fmt: skip
        """Restore ``aips`` AIPs and (``chain``; None: when due) the newest backup on trial, and write down what came of
        it. With an ``id`` that was run already, that one is given. Raises what the journal raises.
        """
        place = self._place
        id = id or f"{place.clock():%Y%m%dT%H%M%SZ}-{os.urandom(3).hex()}"
        entry = Entry.derive("drill", id)
        if (known := place.catalogue.journal.find(entry)) is not None:
            drill = Drill.of(known.entry)
            if self.listed(1) == [drill]:  # whoever ran it may have died before it told of it
                self._tell(drill)
            return drill
        began, run = time.monotonic(), _Run()
        wanted = place.aips if aips is None else aips
        drawn = place.catalogue.survey.draw(wanted, place.below)
        for count, version in enumerate(drawn, 1):
            self._restore(version, run)
            told("AIP", count, len(drawn))
        if self.chain_due() if chain is None else chain:
            self._restore_chain(run, told)
        drill = Drill(
            id, place.clock(), time.monotonic() - began, run.outcome, tuple(run.aips), run.files, run.size, run.backup,
            run.rows, tuple([*run.problems, *run.unseen][:_MOST]), person,
        )  # fmt: skip
        drill = Drill.of(place.journal.write(EntryKind.DRILL, id, drill.outcome, drill.document(), person, entry))
        self._tell(drill)
        return drill

    def _tell(self, drill: Drill) -> None:
        if self._place.incidents is None:
            return
        if drill.outcome is DrillOutcome.PASSED:
            self._place.incidents.mend(IncidentKind.BACKUP, "drill")
        elif drill.outcome is DrillOutcome.FAILED:
            count = f"{len(drill.problems)}{'+' if len(drill.problems) == _MOST else ''}"
            told = Sentence(
                f"Phục hồi thử {drill.id} không đạt: {count} chỗ sai, kê ở trang Sao lưu và «tangthu drills list».",
                f"Drill {drill.id} failed: {count} things are wrong; the page of backups and “tangthu drills list” "
                "name them.",
            )
            self._place.incidents.meet(IncidentKind.BACKUP, "drill", told)

    def _restore(self, version: AipVersion, run: _Run) -> None:
        """From a store drawn by lot; the next one when it does not answer."""
        place = self._place
        held = {replica.store for replica in place.catalogue.holdings.replicas(version.id)}
        stores = [store for store in place.stores() if store.id in held]
        if not stores:
            run.missed(
                Sentence(f"{version.id}: không có nơi lưu nào để đọc", f"{version.id}: no store to read it from")
            )
            return
        first = place.below(len(stores))
        for store in (*stores[first:], *stores[:first]):
            place.scratch.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="drill-", dir=place.scratch) as scratch:
                try:
                    trial = restore_aip(place.catalogue, store, version, Path(scratch))
                except TemporaryError as error:
                    run.missed(_of(version, store.id, error.sentence))
                    continue
                except NotFound as error:
                    run.wrong(_of(version, store.id, error.sentence))
                    return
            run.aips.append(f"{version.id}@{store.id}")
            run.files += trial.files
            run.size += trial.size
            for problem in trial.problems:
                run.wrong(_of(version, store.id, problem))
            return

    def _restore_chain(self, run: _Run, told: Callable[[str, int, int], None]) -> None:
        place = self._place
        newest = next(iter(place.backups.made()), None)
        if newest is None:
            run.missed(Sentence("chưa có bản sao lưu nào", "there is no backup yet"))
            return
        stores = list(place.stores())
        chain = next((one for one in chains(stores, lambda *_: None) if one.newest.id == newest.id), None)
        if chain is None:
            self._chain_missing(stores, newest.id, run)
            return
        place.scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="drill-", dir=place.scratch) as scratch:
            try:
                with Catalogue(f"sqlite:///{scratch}/catalogue.sqlite") as restored:
                    restored.upgrade()
                    loaded = load(restored, chain, lambda _, sentence: run.wrong(sentence), told)
                    run.backup, run.rows = loaded.backup, loaded.rows
                    compare(restored, place.catalogue, newest.at, run.wrong)
            except TemporaryError as error:
                run.missed(error.sentence)
            except TangThuError as error:
                run.wrong(error.sentence)

    def _chain_missing(self, stores: Sequence[Store], backup: str, run: _Run) -> None:
        said = Sentence(f"không nơi lưu nào còn bản sao lưu {backup}", f"no store has the backup {backup} any more")
        for store in stores:
            try:
                next(iter(store.list("", "")), None)
            except TemporaryError:
                run.missed(said)
                return
        run.wrong(said)


def _of(version: AipVersion, store: StoreId, sentence: Sentence) -> Sentence:
    return Sentence(f"{version.id} ({store}): {sentence.vi}", f"{version.id} ({store}): {sentence.en}")
