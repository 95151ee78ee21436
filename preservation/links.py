"""Which files carry which document, as the METS of a representation links them. Kept on disk: flat in memory."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from metadata.errors import Unreadable
from metadata.mets.model import MetsFile, MetsLink, MetsReference
from metadata.mets.reader import iter_mets
from metadata.text import Sentence
from metadata.xml import Readable

_DESCRIPTIVE = "dmdSec"
_BATCH = 1000

Numbers = Callable[[], Iterator[tuple[str, int]]]


class DocumentLinks:
    """Links of one AIP: a temporary database in ``work``, gone when the context ends."""

    def __init__(self, work: Path | None) -> None:
        self._file = tempfile.NamedTemporaryFile(dir=work, prefix="links-", suffix=".sqlite")  # noqa: SIM115
        self._database = sqlite3.connect(self._file.name)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute(
            "CREATE TABLE described (id TEXT PRIMARY KEY, path TEXT, label TEXT, title TEXT) WITHOUT ROWID"
        )
        self._database.execute("CREATE TABLE link (id TEXT, member INTEGER)")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._file.close()

    def read(self, opened: Callable[[], Readable], folder: str, numbers: Numbers, place: str) -> None:
        """Take in one METS. ``numbers`` gives the content members (path, number) in member order, anew at each call.

        METS has its files in that order, those that are only links after the others. Raises XmlRefused, MetsRefused,
        and Unreadable for a link to a file that is not there.
        """
        self._insert("INSERT OR REPLACE INTO described VALUES (?, ?, ?, ?)", _references(opened(), folder, place))
        self._insert("INSERT INTO link VALUES (?, ?)", _links(opened, folder, numbers, place))
        self._database.execute("CREATE INDEX IF NOT EXISTS by_id ON link (id, member)")
        self._database.execute("CREATE INDEX IF NOT EXISTS by_path ON described (path)")

    def of(self, path: str) -> tuple[int, ...]:
        """The numbers of the members that carry the document described by the member at ``path``, ascending."""
        query = "SELECT DISTINCT member FROM described JOIN link USING (id) WHERE path = ? ORDER BY member"
        return tuple(number for (number,) in self._database.execute(query, (_key(path),)))

    def names_of(self, path: str) -> tuple[str, str]:
        """What the METS calls the document described by the member at ``path``: its identifier and, of a linked one,
        where the document itself is held; "" for what is not said."""
        found = self._database.execute("SELECT label, title FROM described WHERE path = ?", (_key(path),)).fetchone()
        return (found[0], found[1]) if found else ("", "")

    def _insert(self, statement: str, rows: Iterator[tuple[object, ...]]) -> None:
        batch: list[tuple[object, ...]] = []
        for row in rows:
            batch.append(row)
            if len(batch) >= _BATCH:
                self._database.executemany(statement, batch)
                batch.clear()
        self._database.executemany(statement, batch)


def _references(stream: Readable, folder: str, place: str) -> Iterator[tuple[object, ...]]:
    for item in iter_mets(stream, place):
        if isinstance(item, MetsReference) and item.section == _DESCRIPTIVE and item.path is not None:
            yield item.id, _key(folder + item.path), item.label, item.title


def _links(opened: Callable[[], Readable], folder: str, numbers: Numbers, place: str) -> Iterator[tuple[object, ...]]:
    """Links and files come in the same order, so two readings of the METS go in step with the members."""
    files = ((item.id, item.path) for item in iter_mets(opened(), place) if isinstance(item, MetsFile))
    current, number, members = "", 0, _Members(numbers, place)
    for item in iter_mets(opened(), place):
        if not isinstance(item, MetsLink):
            continue
        while current != item.file_id:
            current, path = next(files, ("", None))
            if path is None:
                raise _unlinked(place, item.file_id)
            number = members.number_of(folder + path)
        for identifier in item.dmd_ids:
            yield identifier, number
    for _ in files:
        pass  # to the end: only then has the document matched its digest


class _Members:
    """The content members in their order, begun again where the order of METS does."""

    def __init__(self, numbers: Numbers, place: str) -> None:
        self._numbers = numbers
        self._place = place
        self._ahead = numbers()

    def number_of(self, path: str) -> int:
        for _ in range(2):
            for found, number in self._ahead:
                if found == path:
                    return number
            self._ahead = self._numbers()
        raise _unlinked(self._place, path)


def _unlinked(place: str, what: str) -> Unreadable:
    return Unreadable(
        Sentence(
            f"{place} liên kết tới {what}, nhưng gói không có tệp đó theo thứ tự.",
            f"{place} links to {what}, which the package does not have in its order.",
        )
    )


def _key(path: str) -> str:
    """Text that SQLite can hold, for any path."""
    return path.encode("utf-8", "surrogateescape").hex() if not path.isprintable() else path
