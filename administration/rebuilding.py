"""The catalogue out of the stores: first what the archive's journal tells, then the AIPs, then the index."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from metadata.errors import Damaged, Unreadable
from metadata.identifiers import StoreId
from metadata.stores import StoreState
from metadata.text import Sentence
from storage.keys import JOURNAL_PREFIX

if TYPE_CHECKING:
    from administration.archive import Archive
    from preservation.journal import ArchiveJournal
    from preservation.rebuild import RebuildReport
    from storage.port import Store

Note = Callable[[str, StoreId | None, Sentence], None]
"""Hears of a key, in which store (None: in all), and what is wrong there."""


def retell_journal(archive: Archive, journal: ArchiveJournal, note: Note) -> int:
    """Bring into the catalogue what the archive's journal tells: its entries, how the stores stand, the incidents. How
    many entries were new. Raises StoreUnavailable when no store can tell anything."""
    from preservation.incidents import restore_incidents

    count = 0
    try:
        count = journal.recover(note)
    except (Damaged, Unreadable) as error:
        note(JOURNAL_PREFIX, None, error.sentence)
    archive.store_keeper.recover()
    restore_incidents(archive.catalogue)
    return count


def not_retired(archive: Archive, stores: Iterable[Store]) -> list[Store]:
    """Those of the stores that count: what lies in a retired one was given up."""
    records = archive.catalogue.stores.records()
    retired = {id for id, record in records.items() if record.state is StoreState.RETIRED}
    return [store for store in stores if store.id not in retired]


def rebuild_all(archive: Archive, on_progress: Callable[[str], None], workers: int) -> tuple[RebuildReport, int, int]:
    """Rebuild the catalogue and the index, and note again what lies in quarantine: the report, how many records the
    index has, how many packages were noted. Raises what ``preservation.rebuild.rebuild`` does."""
    from preservation.rebuild import Problem, rebuild

    told: list[Problem] = []
    retell_journal(archive, archive.journal, lambda key, store, why: told.append(Problem(key, store, why)))
    stores = not_retired(archive, archive.stores.values())
    work = archive.settings.work_folder
    report = rebuild(archive.catalogue, stores, archive.clock, archive.schedule, work, on_progress, workers)
    for problem in told:
        report.note(problem.key, problem.store, problem.message)
    return report, archive.feeder.rebuild(), archive.ingest.room.restore()
