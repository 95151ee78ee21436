"""The folder of files: which file belongs to which document (tree of the field: ``…/<code>.<STT>[_signed].pdf``)."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ingest.packing.faults import Faults
from ingest.packing.model import FILE, Document, Dossier, Row
from metadata.tt05.sip import media_type

FILES = 1_000_000
_PASSED_OVER = frozenset({"thumbs.db", "desktop.ini", ".ds_store"})
_SIGNED = "_signed"
_SHOWN = 5
_SEVERAL = re.compile(r"[;\r\n]+")


def key(text: str) -> str:
    """Names are the same whatever their case and Unicode form: they come from Windows and from Macs."""
    return unicodedata.normalize("NFC", text).casefold()


@dataclass(slots=True)
class FileIndex:
    """Every file under ``root`` by path, name and stem; paths are relative to it, with ``/``. No link is followed."""

    root: Path
    paths: dict[str, str] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    stems: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, root: Path, faults: Faults, passed_over: tuple[Path, ...] = ()) -> FileIndex:
        """Read the folder. Raises OSError when it cannot be."""
        index = cls(root)
        skipped = {path.resolve() for path in passed_over}
        names = {path.name for path in skipped}
        for path in _walk(root):
            if path.name.lower() in _PASSED_OVER or path.name.startswith(("~$", ".")):
                continue
            if path.name in names and path.resolve() in skipped:
                continue
            if len(index.paths) >= FILES:
                faults.add("PACK-LARGE", str(root.name), what="tệp / files", limit=FILES)
                break
            relative = path.relative_to(root).as_posix()
            index.paths[key(relative)] = relative
            index.names[key(path.name)].append(relative)
            index.stems[key(path.stem)].append(relative)
        return index

    def named(self, text: str) -> list[str]:
        """The files that ``text``, a path or only a name as people write it, may mean."""
        wanted = key(text.strip().strip('"').replace("\\", "/").removeprefix("./"))
        if wanted in self.paths:
            return [self.paths[wanted]]
        found = self.names.get(wanted.rpartition("/")[2], [])
        ends = [path for path in found if key(path).endswith(f"/{wanted}")]
        if ends or "/" not in wanted:
            return ends or found
        return [path for path in found if wanted.endswith(f"/{key(path)}")]  # the clerk's C:\... before our folder

    def of_code(self, code: str) -> tuple[list[str], list[str]]:
        """The files named by a code, signed before unsigned, and those that are passed over for the signed ones."""
        signed, plain = self.stems.get(key(code + _SIGNED), []), self.stems.get(key(code), [])
        return (signed, plain) if signed else (plain, [])


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path


class Matcher:
    """Gives every document its files."""

    def __init__(self, index: FileIndex, faults: Faults) -> None:
        self._index = index
        self._faults = faults
        self._owner: dict[str, Row] = {}
        self._superseded: set[str] = set()

    def match(self, dossier: Dossier) -> None:
        """Find the files of a dossier's documents; what is missing, ambiguous, empty or shared becomes a finding."""
        for document in dossier.documents:
            if document.row.attached:
                document.files = list(document.row.attached)
            else:
                found = self._named(document) if document.row.get(FILE) else self._by_code(document, dossier)
                document.files = [self._index.root / path for path in found]
                self._claim(document, found)
            for path in document.files:
                self._look(document.row, path)

    def left(self, codes: list[str]) -> None:
        """Say which files no document has; ``codes`` are those of the dossiers."""
        starts = sorted(((f"{key(code)}.", code) for code in codes if code), reverse=True)
        for path in self._index.paths.values():
            if path in self._owner or path in self._superseded:
                continue
            name = key(path.rpartition("/")[2])
            code = next((code for start, code in starts if name.startswith(start)), None)
            if code:
                self._faults.add_loose("PACK-FILE-WITHOUT-ROW", path, value=code)
            else:
                self._faults.add_loose("PACK-FILE-UNUSED", path)

    def _named(self, document: Document) -> list[str]:
        result = []
        for text in filter(None, (part.strip() for part in _SEVERAL.split(document.row.get(FILE)))):
            found = self._index.named(text)
            if len(found) == 1:
                result.append(found[0])
            elif found:
                self._ambiguous(document.row, found, FILE)
            else:
                self._faults.add_of(document.row, "PACK-DOCUMENT-WITHOUT-FILE", FILE, expected=text)
        return result

    def _by_code(self, document: Document, dossier: Dossier) -> list[str]:
        row = document.row
        codes = [row.get("docCode"), row.get("docId")]
        if len(dossier.documents) == 1:
            codes.append(dossier.code)  # Điều 8.1.d: a whole dossier in one file has the dossier's code
        for code in filter(None, codes):
            found, passed = self._index.of_code(code)
            if len({path.rpartition("/")[0] for path in found}) > 1:
                self._ambiguous(row, found, "docCode")
                self._superseded.update(found, passed)
                return []
            if found:
                self._superseded.update(passed)
                return found
        self._faults.add_of(row, "PACK-DOCUMENT-WITHOUT-FILE", "docCode", expected=f"{row.get('docCode')}.*")
        return []

    def _ambiguous(self, row: Row, found: list[str], field_name: str) -> None:
        shown = ", ".join(found[:_SHOWN]) + (", …" if len(found) > _SHOWN else "")
        self._faults.add_of(row, "PACK-FILE-AMBIGUOUS", field_name, files=shown)

    def _claim(self, document: Document, found: list[str]) -> None:
        for path in found:
            other = self._owner.setdefault(path, document.row)
            if other is not document.row:
                self._faults.add_of(document.row, "PACK-FILE-SHARED", file=path, other=other.place())
                other.faulty = True

    def _look(self, row: Row, path: Path) -> None:
        if media_type(path.name) == "application/octet-stream":
            self._faults.add_of(row, "PACK-FORMAT", file=path.name)
        try:
            with path.open("rb") as stream:
                if not stream.read(1):
                    self._faults.add_of(row, "PACK-FILE-EMPTY", file=path.name)
        except OSError as error:
            self._faults.add_of(row, "PACK-FILE-UNREADABLE", file=path.name, reason=error.strerror or error)
