"""Telling the formats of what is held anew, by newer signature files: no new ingest, events in the AIP's life.

Every content file is read out of a store, verified on the way. Where another format comes out, an event in the log
beside the object says so, and the catalogue's member gets it in the same transaction; a last event for the whole says
that it was looked at, so that who begins again leaves it out.
"""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from metadata.catalogue import Catalogue
from metadata.errors import Damaged, NotFound, StoreUnavailable, TangThuError, TemporaryError, Unreadable
from metadata.events import Agent, Event, EventType
from metadata.holdings import AipVersion, Format, Member, Role
from metadata.identifiers import StoreId, VersionId
from metadata.retelling import Retold
from metadata.text import Sentence
from preservation.checks import FAILURE, SUCCESS, Clock, Progress
from preservation.examination import wanted_whole
from preservation.identification.port import WINDOW, Identifier, Sample
from preservation.life import log_events
from storage.aip.reader import AipReader
from storage.keys import log_key
from storage.port import Store

_BATCH = 1000
_KEPT = 1000


@dataclass(slots=True)
class Reidentified:
    """What looking again at one version came to. The first 1,000 changes and failures are kept, all are counted.

    ``failed`` are files that no store gave as they should be.
    """

    version: VersionId
    files: int = 0
    changes: list[Retold] = field(default_factory=list)
    changed: int = 0
    failed: list[tuple[str, Sentence]] = field(default_factory=list)
    failures: int = 0


class Reidentifier:
    """Looks again at versions held. ``agent`` stands for the signature files by which ``identifier`` tells formats.

    ``work`` is a folder for a copy of one file at a time; what is too large for one is told by its ends, as at ingest.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        stores: Mapping[StoreId, Store],
        identifier: Identifier,
        agent: Agent,
        clock: Clock,
        work: Path | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._stores = stores
        self._identifier = identifier
        self.agent = agent
        self._clock = clock
        self._work = work

    def done(self, version: VersionId) -> bool:
        """Whether the version has been looked at by these signature files already."""
        last = self._last(version)
        return any(event.id == last for event in self._catalogue.events.of(version))

    def look(self, version: AipVersion, on_progress: Progress | None = None) -> Reidentified:
        """Look at every content file of a version; ``on_progress`` gets the bytes that were read.

        Doing it again is harmless. Raises StoreUnavailable when no store answers, Busy when the log goes on meanwhile,
        other TemporaryError: what was written down until then stays.
        """
        self._identifier.ready()
        report = Reidentified(version.id)
        waiting: list[Retold] = []
        readers = [AipReader(store, version.key) for store in self._holding(version.id)]
        for member in self._catalogue.holdings.members(version.id):
            if member.role is not Role.CONTENT:
                continue
            report.files += 1
            if (retold := self._told(readers, member, report)) is not None:
                report.changed += 1
                report.changes += [retold] if len(report.changes) < _KEPT else []
                waiting.append(retold)
            if on_progress:
                on_progress(member.size)
            if len(waiting) == _BATCH:
                self._write(version, waiting, [])
                waiting = []
        self._write(version, waiting, [self._whole(report)])
        return report

    def _holding(self, version: VersionId) -> list[Store]:
        """The stores with a replica, those not known to be damaged first."""
        replicas = [one for one in self._catalogue.holdings.replicas(version) if one.store in self._stores]
        replicas.sort(key=lambda one: one.outcome.damaged)
        return [self._stores[one.store] for one in replicas]

    def _told(self, readers: Sequence[AipReader], member: Member, report: Reidentified) -> Retold | None:
        try:
            told = self._identify(readers, member)
        except TangThuError as error:
            if isinstance(error, TemporaryError):
                raise
            report.failures += 1
            report.failed += [(member.path, error.sentence)] if len(report.failed) < _KEPT else []
            return None
        if member.format is not None and _same(member.format, told):
            return None
        return Retold(member.number, member.path, told, member.format)

    def _identify(self, readers: Sequence[AipReader], member: Member) -> Format:
        trouble: TangThuError | None = None
        for reader in readers:
            try:
                with ExitStack() as stack:
                    return self._identifier.identify(_sample(reader.open(member), member, self._work, stack))
            except (Damaged, NotFound, Unreadable, StoreUnavailable) as error:
                # One that might still prove right matters more than one that is known to be wrong.
                trouble = trouble if isinstance(trouble, StoreUnavailable) else error
        raise trouble or StoreUnavailable(
            Sentence(f"Không nơi lưu nào giữ {member.path}.", f"No store at hand holds {member.path}.")
        )

    def _write(self, version: AipVersion, changes: Sequence[Retold], more: Sequence[Event]) -> None:
        at = self._clock()
        events = [*(one.event(version.id, at, self.agent) for one in changes), *more]
        stores = [store for store in self._holding(version.id) if _answers(store, version.key)]
        logged = log_events(self._catalogue, stores, version.id, version.key, events)
        self._catalogue.events.append(version.id, logged.events, logged.head)

    def _whole(self, report: Reidentified) -> Event:
        """The event that ends a look at a version: by an identifier of its own when it was in vain in part."""
        last = self._last(report.version)
        at = self._clock()
        return Event(
            Event.derive(report.version, str(last), at.isoformat()) if report.failures else last,
            report.version,
            EventType.FORMAT_IDENTIFICATION,
            at,
            "Formats of the content files were looked up again",
            FAILURE if report.failures else SUCCESS,
            f"{report.files} files, {report.changed} told otherwise, {report.failures} could not be read",
            self.agent,
        )

    def _last(self, version: VersionId) -> uuid.UUID:
        return Event.derive(version, EventType.FORMAT_IDENTIFICATION.value, self.agent.identifier)


def _same(one: Format, other: Format) -> bool:
    """Whether two formats tell the same; warnings are words."""
    return replace(one, warning="") == replace(other, warning="")


def _answers(store: Store, key: str) -> bool:
    try:
        store.head(log_key(key, 1))
    except StoreUnavailable:
        return False
    return True


def _sample(chunks: Iterator[bytes], member: Member, work: Path | None, stack: ExitStack) -> Sample:
    """The file's ends, and all of it on disk when an ingest would look at the whole as well.

    It is read to its end in any case, since only then its digest has matched.
    """
    name, head, tail = member.path.rpartition("/")[2], bytearray(), b""
    spool: IO[bytes] | None = None
    for chunk in chunks:
        if not head and member.size > WINDOW and wanted_whole(member.size, chunk[:WINDOW]):
            spool = stack.enter_context(tempfile.NamedTemporaryFile(dir=work))  # noqa: SIM115 - the stack is one
        head += chunk[: max(0, WINDOW - len(head))]
        tail = (tail + chunk)[-WINDOW:]
        if spool is not None:
            spool.write(chunk)
    if spool is None:
        return Sample(name, member.size, bytes(head), tail)
    spool.flush()
    return Sample(name, member.size, bytes(head), tail, Path(spool.name))
