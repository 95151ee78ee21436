"""What was read: dossiers and documents as rows of text, each value knowing where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from metadata.tt05.profile import DocumentKind

FILE_CODE, FILE, ORDINAL = "fileCode", "file", "docOrdinal"
"""Columns of a document that are not fields of its form: its dossier, its files, its place in the dossier."""

BESIDE_FORM = (FILE_CODE, FILE, ORDINAL)


class Origin(Protocol):
    """Where rows come from: a sheet, an XML document, a folder of messages."""

    @property
    def name(self) -> str:
        """The sheet or file, for people."""
        ...

    def place(self, line: int, field: str = "") -> str:
        """Where the value of ``field`` stands in row ``line``, for people: ``Hồ sơ!B3``; the row without a field."""
        ...

    def has(self, field: str) -> bool:
        """Whether the source has a place for ``field``: a column."""
        ...


@dataclass(frozen=True, slots=True)
class SheetOrigin:
    """A sheet; ``columns`` are the letters of the fields' columns."""

    sheet: str
    columns: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.sheet

    def place(self, line: int, field: str = "") -> str:
        return f"{self.sheet}!{self.columns.get(field, '')}{line}"

    def has(self, field: str) -> bool:
        return field in self.columns


@dataclass(frozen=True, slots=True)
class XmlOrigin:
    """Elements of one name in an XML file; ``paths`` are where in the element each field stands."""

    file: str
    element: str
    paths: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.file

    def place(self, line: int, field: str = "") -> str:
        inside = f"/{self.paths[field]}" if field in self.paths else ""
        return f"{self.file}: {self.element}[{line}]{inside}"

    def has(self, field: str) -> bool:
        return True


@dataclass(slots=True)
class Row:
    """A dossier (``kind`` None) or document. ``values`` holds only what is not empty.

    ``attached`` are files that came with it. ``faulty``: something in it must be put right, so it is not packed.
    """

    kind: DocumentKind | None
    origin: Origin
    line: int
    values: dict[str, str]
    attached: tuple[Path, ...] = ()
    faulty: bool = False

    def place(self, field: str = "") -> str:
        """Where a value stands, or where the row does."""
        return self.origin.place(self.line, field)

    def get(self, field: str) -> str:
        return self.values.get(field, "")


@dataclass(slots=True)
class Submission:
    """Everything that was read. ``changed`` is when the source says that it was last changed.

    ``base`` is the folder from which the source names files.
    """

    base: Path
    changed: datetime | None = None
    dossiers: list[Row] = field(default_factory=list)
    documents: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class Document:
    """A document of a dossier: its row, and its files with the names that they get in the package."""

    row: Row
    ordinal: int
    files: list[Path] = field(default_factory=list)


@dataclass(slots=True)
class Dossier:
    """A dossier to be packed. ``faulty``: it is not packed, for it or a document of it must be put right."""

    row: Row
    code: str
    documents: list[Document] = field(default_factory=list)

    @property
    def faulty(self) -> bool:
        return self.row.faulty or any(document.row.faulty for document in self.documents)
