"""What the index is fed with: the catalogue's records, as its outbox tells of them."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

from access.search.file_text import FileTexts
from access.search.port import Change, SearchEntry, SearchIndex
from access.shelf import Shelf
from metadata.catalogue import Catalogue, OutboxAction
from metadata.errors import Damaged, NotFound, StoreUnavailable, Unreadable
from metadata.examination import TEXT
from metadata.holdings import AipVersion, Format, Level, Member, Record, Role
from metadata.identifiers import AipId
from metadata.tt05.profile import FieldType, Profile, default_profile

UNIDENTIFIED_FORMAT = "?"
_TITLES = frozenset({"title", "docCode", "fileCode", "arcFileCode", "arcDocCode", "codeNumber", "codeNotation"})


def format_label(file_format: Format | None) -> str:
    """The name of a format as facets show it; ``?`` when it was not identified."""
    if file_format is None or (file_format.puid is None and not file_format.name):
        return UNIDENTIFIED_FORMAT
    return f"{file_format.name} {file_format.version}".strip() or file_format.mime


ReadMember = Callable[[AipVersion, Member], Iterator[bytes]]
"""The verified bytes of a member, from whichever store has it. Raises StoreUnavailable, Damaged, NotFound."""


class Feeder:
    """Keeps an index in step with the catalogue. Only the latest version of an AIP is found.

    With ``read`` the words that ingest took out of files are searched too; ``work`` is a folder for them meanwhile.
    """

    def __init__(
        self, catalogue: Catalogue, index: SearchIndex, read: ReadMember | None = None, work: Path | None = None
    ) -> None:
        self._catalogue = catalogue
        self._shelf = Shelf(catalogue)
        self._index = index
        self._read = read
        self._work = work
        self._passed = 0
        self._wordless: set[AipId] = set()

    def feed(self, limit: int = 200) -> int:
        """Take in what the outbox holds, at most ``limit`` entries of it; how many. 0 says that nothing is left to do.

        The index is committed before the outbox forgets, so a crash between the two only repeats the work. What the
        stores do not give the words of is found by its description, and stays in the outbox: it is tried again in the
        next round, after a 0. Raises Busy, TemporaryError.
        """
        entries = self._catalogue.outbox.pending(limit, self._passed)
        if not entries:
            self._passed = 0
            return 0
        self._wordless.clear()
        aips = dict.fromkeys(entry.version.aip for entry in entries)
        self._index.apply([Change(aip, self._entries(self._shelf.latest(aip))) for aip in aips])
        self._catalogue.outbox.done([entry.id for entry in entries if entry.version.aip not in self._wordless])
        self._passed = entries[-1].id
        return len(entries)

    def rebuild(self) -> int:
        """Make the index anew from the catalogue; the number of records in it. Raises Busy, TemporaryError."""
        waiting = self._catalogue.outbox.pending(1_000_000)
        self._wordless.clear()
        count = self._index.replace(self._changes())
        for aip in sorted(self._wordless, key=str):
            version = self._shelf.latest(aip)
            if version is not None:
                self._catalogue.outbox.put(version.id, OutboxAction.PUT)
        self._catalogue.outbox.done([entry.id for entry in waiting])
        return count

    def _changes(self) -> Iterator[Change]:
        for version in self._catalogue.holdings.every_version():
            if self._shelf.latest(version.aip, known=version.id.number) == version:
                yield Change(version.aip, self._entries(version))

    def _entries(self, version: AipVersion | None) -> Iterator[SearchEntry]:
        if version is None:
            return
        dossier = self._shelf.dossier(version)
        formats = _Formats(self._catalogue, version)
        yield _entry(version, dossier, dossier, formats.all())
        with self._texts(version, formats.text) as texts:
            for record in self._catalogue.holdings.records(version.id, first=1):
                yield _entry(version, dossier, record, formats.of(record.members), texts.of(record.members))

    def _texts(self, version: AipVersion, member: Member | None) -> FileTexts:
        """The words of its files; none when they were not taken out, or nobody can read them any more."""
        if member is None or self._read is None:
            return FileTexts(())
        try:
            return FileTexts(self._read(version, member), self._work)
        except StoreUnavailable:
            self._wordless.add(version.aip)
        except (Damaged, NotFound, Unreadable, ValueError):
            pass  # an audit finds and tells it
        return FileTexts(())


class _Formats:
    """The formats of a version's content files by member number: two bytes a member. ``text`` holds their words."""

    def __init__(self, catalogue: Catalogue, version: AipVersion) -> None:
        self._labels: dict[str, int] = {"": 0}
        self._by_member = array("H", [0])
        self.text: Member | None = None
        for member in catalogue.holdings.members(version.id):
            if member.path == TEXT:
                self.text = member
            label = format_label(member.format) if member.role is Role.CONTENT else ""
            place = self._labels.setdefault(label, len(self._labels)) if len(self._labels) < 65_535 else 0
            self._by_member.extend([0] * (member.number + 1 - len(self._by_member)))
            self._by_member[member.number] = place

    def all(self) -> tuple[str, ...]:
        return tuple(sorted(label for label in self._labels if label))

    def of(self, members: tuple[int, ...]) -> tuple[str, ...]:
        labels = list(self._labels)
        found = {labels[self._by_member[number]] for number in members if number < len(self._by_member)}
        return tuple(sorted(found - {""}))


def _entry(
    version: AipVersion, dossier: Record, record: Record, formats: tuple[str, ...], text: str = ""
) -> SearchEntry:
    return SearchEntry(
        version=version.id,
        number=record.number,
        level=record.level,
        title=record.title,
        notation=record.notation,
        code=record.code,
        organ=record.organ,
        type_name=record.type_name,
        access=record.access,
        agency=version.agency.value,
        fonds=version.fonds.value,
        dossier_title=dossier.title,
        dossier_code=dossier.code,
        start=record.start,
        end=record.end,
        formats=formats,
        texts=tuple(_texts(version, record, default_profile())),
        text=text,
    )


def _texts(version: AipVersion, record: Record, profile: Profile) -> Iterator[tuple[str, str]]:
    """Fields that hold words: what is in the title already, codes and numbers are left out."""
    words = {
        name: rule.type is FieldType.STRING for form in profile.forms.values() for name, rule in form.fields.items()
    }
    shown = {record.title, record.notation, record.code}
    for name, text in record.fields.items():
        if text and words.get(name, True) and name not in _TITLES and text not in shown:
            shown.add(text)
            yield name, text
    for name, text in (("keyword", record.keywords), ("organName", record.organ), ("typeName", record.type_name)):
        if text and text not in shown:
            shown.add(text)
            yield name, text
    if record.level is Level.DOSSIER:
        yield "objid", version.objid.value
