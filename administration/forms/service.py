"""Drawing up forms of what the catalogue and the journal tell; each is written down, so that a print can be traced."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from administration.forms.backup import backup_data, backup_sheet, diary_data, diary_sheet
from administration.forms.check import check_data, check_sheet
from administration.forms.incident import incident_data, incident_sheet
from administration.forms.period import Period
from administration.forms.sheet import Head, Person, Sheet, as_json, sheet_pdf
from administration.forms.year import year_data, year_sheet
from metadata.backups import Backup
from metadata.canonical import canonical
from metadata.catalogue import Catalogue
from metadata.dates import read_utc, utc_text
from metadata.errors import NotFound
from metadata.events import Agent
from metadata.identifiers import StoreId
from metadata.incidents import Incident, IncidentState
from metadata.journal import Entry, EntryKind
from metadata.text import Sentence
from preservation.checks import Clock
from preservation.incidents import history
from preservation.journal import ArchiveJournal

LISTED = 200
"""Incidents that a form lists; it counts all."""
_PAGE = 500
_MOST_ENTRIES = 20_000
_LONGEST_CHAIN = 100
_NOBODY = Head()


@dataclass(frozen=True, slots=True)
class Form:
    """A form that was drawn up: ``name`` says which, ``data`` is all it says as JSON has it, ``pdf`` is PDF/A-2b.

    ``id`` names it in the archive's journal; the same form of the same data is the same, whenever it is drawn again.
    ``moment`` is when it was drawn up first.
    """

    id: str
    name: str
    data: Mapping[str, Any]
    pdf: bytes
    moment: datetime

    @property
    def sha256(self) -> str:
        """Of the PDF, as the journal has it."""
        return hashlib.sha256(self.pdf).hexdigest()

    @property
    def file_name(self) -> str:
        """What to call the PDF."""
        return f"{self.name}-{self.moment:%Y%m%d}-{self.id[:8]}.pdf"

    def to_json(self) -> dict[str, Any]:
        """Everything but the PDF itself."""
        told = {"id": self.id, "form": self.name, "moment": utc_text(self.moment), "sha256": self.sha256}
        return {**told, "size": len(self.pdf), "data": dict(self.data)}


class FormService:
    """Threads and machines may each have one. ``sites`` says where each store of the settings stands, in their order.

    Every method raises TemporaryError when a form could not be typeset, and what the journal raises.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        journal: ArchiveJournal,
        clock: Clock,
        agent: Agent,
        archive: str,
        sites: Mapping[StoreId, str],
    ) -> None:
        self._catalogue = catalogue
        self._journal = journal
        self._clock = clock
        self._agent = agent
        self._archive = archive
        self._sites = sites

    def check(self, first: date, last: date, people: Sequence[Person] = (), head: Head = _NOBODY) -> Form:
        """Biên bản kiểm tra of the days ``first`` to ``last``. It checks the database now, which reads all of it.

        Raises UsageError for a period without a day.
        """
        period = Period(first, last)
        sums = self._catalogue.statistics
        data = check_data(
            period,
            self._sites,
            sums.replicas(period.begin, period.end),
            self._catalogue.coverage.days(),
            sums.check_database(),
            sums.incidents(period.begin, period.end),
            list(self._incidents(period)),
            self._catalogue.incidents.counts()[IncidentState.OPEN],
        )
        return self._draw("check", str(period), data, check_sheet(data, self._archive, head, people), people)

    def backup_diary(self, first: date, last: date, people: Sequence[Person] = (), head: Head = _NOBODY) -> Form:
        """Nhật ký sao lưu of the days ``first`` to ``last``. Raises UsageError for a period without a day."""
        period = Period(first, last)
        data = diary_data(period, self._entries(period, EntryKind.BACKUP, EntryKind.DRILL, EntryKind.RESTORE))
        return self._draw("backup-diary", str(period), data, diary_sheet(data, self._archive, head, people), people)

    def backup(self, id: str, people: Sequence[Person] = (), head: Head = _NOBODY) -> Form:
        """Biên bản sao lưu of one backup; the first of ``people`` gives, the second receives. Raises NotFound."""
        one = self._backup(id)
        if one is None:
            raise NotFound(
                Sentence(
                    f"Không có lần sao lưu nào có mã {id}; «tangthu backups list» liệt kê các lần.",
                    f"There is no backup {id}; “tangthu backups list” lists them.",
                )
            )
        known = [one]
        while known[-1].base and len(known) < _LONGEST_CHAIN and (base := self._backup(known[-1].base)):
            known.append(base)
        data = backup_data(one, self._sites, known)
        return self._draw("backup", id, data, backup_sheet(data, self._archive, head, people), people)

    def incident(self, id: str, people: Sequence[Person] = (), head: Head = _NOBODY) -> Form:
        """Biên bản xử lý sự cố và phục hồi of one incident. Raises NotFound."""
        one = self._catalogue.incidents.get(id)
        held = self._catalogue.holdings.version(one.version) if one.version else None
        data = incident_data(one, history(self._catalogue, id), held)
        return self._draw("incident", id, data, incident_sheet(data, self._archive, head, people), people)

    def year(self, year: int, people: Sequence[Person] = (), head: Head = _NOBODY) -> Form:
        """Báo cáo thống kê of one year. Raises UsageError for a year that there is not."""
        period = Period.year(year)
        sums = self._catalogue.statistics
        replicas = sums.replicas(period.begin, period.end)
        incidents = sums.incidents(period.begin, period.end)
        checks = check_data(period, self._sites, replicas, (), (), incidents, (), 0)
        diary = diary_data(period, self._entries(period, EntryKind.BACKUP, EntryKind.DRILL))
        data = year_data(
            year,
            sums.fonds(period.begin, period.end),
            self._sites,
            replicas,
            checks.stores,
            sums.formats(period.end),
            incidents,
            Counter((line.what, line.act) for line in diary.lines),
            ended=period.end <= self._clock(),
        )
        return self._draw("year", str(year), data, year_sheet(data, self._archive, head, people), people)

    def _draw(self, name: str, of: str, data: object, sheet: Sheet, people: Sequence[Person]) -> Form:
        told = as_json(data)
        persons = [str(one) for one in people]
        identity = {"form": name, "data": told, "head": as_json(sheet.head), "people": persons}
        id = Entry.derive("form", self._archive, self._agent.identifier, canonical(identity))
        known = self._catalogue.journal.find(id)
        moment = read_utc(known.entry.document["moment"]) if known else self._clock().replace(microsecond=0)
        while True:
            form = Form(str(id), name, told, sheet_pdf(sheet, str(id), moment), moment)
            document = {"form": name, "of": of, "sha256": form.sha256, "moment": utc_text(moment), "people": persons}
            entry = self._journal.write(EntryKind.FORM, str(id), "drawn", document, persons[0] if persons else "", id)
            drawn = read_utc(entry.document["moment"])
            if drawn == moment:
                return form
            moment = drawn

    def _entries(self, period: Period, *kinds: EntryKind) -> Iterator[Entry]:
        """The journal's entries of these kinds within the period; of more than 20,000 the newest."""
        for kind in kinds:
            before, count = None, 0
            while page := self._catalogue.journal.entries(kind, limit=_PAGE, before=before):
                yield from (one.entry for one in page if period.begin <= one.entry.at < period.end)
                before, count = page[-1].number, count + len(page)
                if count >= _MOST_ENTRIES or all(one.entry.at < period.begin for one in page):
                    break

    def _backup(self, id: str) -> Backup | None:
        for one in self._catalogue.journal.entries(EntryKind.BACKUP, id):
            try:
                return Backup.of(one.entry)
            except (ValueError, KeyError, TypeError):
                continue
        return None

    def _incidents(self, period: Period) -> Iterator[Incident]:
        """The newest of the period, at most as many as are listed."""
        before, found = None, 0
        while page := self._catalogue.incidents.listed(limit=_PAGE, before=before):
            for one in page:
                if period.begin <= one.opened < period.end and found < LISTED:
                    found += 1
                    yield one
            if found >= LISTED or page[-1].opened < period.begin:
                return
            before = page[-1].id
