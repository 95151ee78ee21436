"""What a source is, and reading it: a workbook, an XML export, edXML messages, or a folder of those."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingest.packing.edxml import given_dossier, is_edxml, read_messages
from ingest.packing.faults import Faults
from ingest.packing.mapping import SourceKind, SourceMapping, load_mapping
from ingest.packing.model import FILE_CODE, Submission
from ingest.packing.sheets import read_workbook
from ingest.packing.xml_export import has_records, read_exports, root_name
from metadata.errors import UsageError
from metadata.refusal import DocumentRefused
from metadata.text import Sentence
from metadata.tt05.profile import Profile

_XML = frozenset({".xml", ".edxml"})
_BOOKS = frozenset({".xlsx", ".xlsm", ".xls"})
_MOST = 100_000
_LOOKED_AT = 20


@dataclass(slots=True)
class SourceFiles:
    """What the caller gave: the source, perhaps a mapping, perhaps the dossier; and the files of the source."""

    path: Path
    mapping: str | Path | None
    dossier: Mapping[str, str] | None
    books: list[Path] = field(default_factory=list)
    documents: list[Path] = field(default_factory=list)

    @property
    def base(self) -> Path:
        return self.path if self.path.is_dir() else self.path.parent

    @property
    def read(self) -> list[Path]:
        return [*self.books, *self.documents]

    def find(self) -> None:
        """Sort the files of the source: workbooks at its top, XML anywhere in it."""
        paths = [self.path] if self.path.is_file() else sorted(_files(self.path))
        self.documents = [path for path in paths if path.suffix.lower() in _XML]
        self.books = [
            path
            for path in paths
            if path.suffix.lower() in _BOOKS and path.parent == self.base and not path.name.startswith("~$")
        ]
        if not self.documents and not self.books and self.path.is_file():
            self.books = [self.path]  # judged by what is in it


def _files(folder: Path) -> list[Path]:
    found: list[Path] = []
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]  # our own temporary folder among them
        found += [path for name in names if not (path := Path(parent, name)).is_symlink()]
        if len(found) > 10 * _MOST:
            break
    return found


def read_submission(files: SourceFiles, profile: Profile, faults: Faults, work: Path) -> Submission:
    """Read the source through its mapping. Raises NotFound, UsageError for what the caller gave; the rest is faults."""
    files.find()
    mapping = load_mapping(files.mapping) if files.mapping is not None else load_mapping(_recognised(files, faults))
    if mapping.source is SourceKind.WORKBOOK:
        return _workbook(files, mapping, profile, faults, work)
    if len(files.documents) > _MOST:
        faults.add("PACK-LARGE", files.path.name, what="tệp / files", limit=_MOST)
        return Submission(files.base)
    if mapping.source is SourceKind.XML:
        files.books = []
        submission, files.documents = read_exports(files.documents, files.base, mapping, profile, faults)
        return submission
    return _messages(files, mapping, profile, faults, work)


def _recognised(files: SourceFiles, faults: Faults) -> str:
    """The mapping for what lies there: edXML messages, else XML that has dossiers or documents, else a workbook.

    Beside a workbook, XML may be a document like any other.
    """
    found = ""
    for path in files.documents[:_LOOKED_AT]:
        try:
            if is_edxml(*root_name(path)):
                return "edxml"
            found = found or ("nd30" if has_records(path, load_mapping("nd30")) else "")
        except DocumentRefused as refused:
            if not files.books:
                faults.add("PACK-UNREADABLE", path.name, reason=f"{refused.code}, {refused.finding.message.vi}")
        except OSError as error:
            faults.add("PACK-UNREADABLE", path.name, reason=error.strerror or error)
    return found or ("tt05" if files.books or not files.documents else "nd30")


def _workbook(files: SourceFiles, mapping: SourceMapping, profile: Profile, faults: Faults, work: Path) -> Submission:
    files.documents = []
    if len(files.books) == 1:
        return read_workbook(files.books[0], mapping, profile, faults, work)
    if files.books:
        names = ", ".join(path.name for path in files.books[:5])
        raise UsageError(
            Sentence(
                f"Thư mục {files.path} có nhiều bảng tính ({names}): hãy nêu tên một tệp.",
                f"The folder {files.path} has several workbooks ({names}): name one of them.",
            )
        )
    return Submission(files.base)


def _messages(files: SourceFiles, mapping: SourceMapping, profile: Profile, faults: Faults, work: Path) -> Submission:
    submission = Submission(files.base)
    if files.dossier:
        try:
            submission.dossiers = [given_dossier(files.dossier, mapping, profile)]
        except KeyError as error:
            raise UsageError(Sentence(f"Hồ sơ không có trường {error}.", f"A dossier has no field {error}.")) from error
    elif len(files.books) == 1:
        submission = read_workbook(files.books[0], mapping, profile, faults, work, dossiers_only=True)
    rows = read_messages(files.documents, files.base, mapping, profile, faults, work / "messages")
    if len(submission.dossiers) == 1:
        for row in rows:
            row.values[FILE_CODE] = submission.dossiers[0].get(FILE_CODE)
    submission.documents = rows
    return submission
