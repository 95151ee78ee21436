"""The XML that an agency's system exports (Decree 30/2020/NĐ-CP, Phụ lục VI), read through a mapping."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ingest.packing.faults import Faults
from ingest.packing.mapping import Part, SourceMapping, Table
from ingest.packing.model import FILE, FILE_CODE, Row, Submission, XmlOrigin
from ingest.packing.text import fold
from ingest.packing.values import Values
from metadata.refusal import DocumentRefused
from metadata.tt05.profile import Profile
from metadata.xml import Element, Opened, XmlLimits, iter_elements

DOCUMENTS = 200_000
_LIMITS = XmlLimits(total=1 << 30)
_NAMES_SHOWN = 40


def root_name(path: Path) -> tuple[str, str]:
    """Namespace and local name of an XML document's root. Raises XmlRefused, OSError."""
    with path.open("rb") as stream:
        for event in iter_elements(stream, (), place=path.name):
            if isinstance(event, Opened):
                namespace, _, local = event.name.rpartition("}")
                return namespace, local
    return "", ""


def has_records(path: Path, mapping: SourceMapping) -> bool:
    """Whether an XML document has elements that the mapping reads. Raises XmlRefused, OSError."""
    namespace, _ = root_name(path)
    names = [name for table in mapping.tables for name in table.names]
    wanted = {f"{prefix}{name}" for name in names for prefix in ("", f"{namespace}}}")}
    with path.open("rb") as stream:
        events = iter_elements(stream, (), wanted, place=path.name, limits=_LIMITS)
        return any(isinstance(event, Opened) and event.name in wanted for event in events)


def read_exports(
    paths: Iterable[Path], base: Path, mapping: SourceMapping, profile: Profile, faults: Faults
) -> tuple[Submission, list[Path]]:
    """Read dossiers and documents of every file; what cannot be read is in ``faults``.

    Also gives the files that had any: another XML may be a document's own file.
    """
    submission = Submission(base)
    reader = _Reader(base, mapping, profile, faults, submission)
    read = []
    for path in paths:
        try:
            before = len(submission.dossiers) + len(submission.documents)
            reader.read(path)
            if len(submission.dossiers) + len(submission.documents) > before:
                read.append(path)
        except DocumentRefused as refused:
            reason = f"{refused.code}, {refused.finding.message.vi}"
            faults.add("PACK-UNREADABLE", path.relative_to(base).as_posix(), reason=reason)
        except OSError as error:
            faults.add("PACK-UNREADABLE", path.relative_to(base).as_posix(), reason=error.strerror or error)
        if len(submission.documents) > DOCUMENTS:
            faults.add("PACK-LARGE", path.name, what="văn bản / documents", limit=DOCUMENTS)
            break
    return submission, read


class _Reader:
    def __init__(
        self, base: Path, mapping: SourceMapping, profile: Profile, faults: Faults, submission: Submission
    ) -> None:
        self._base = base
        self._mapping = mapping
        self._faults = faults
        self._submission = submission
        self._values = Values(mapping, profile)
        self._tables = {name: table for table in mapping.tables for name in table.names}
        self._count: dict[str, int] = {}

    def read(self, path: Path) -> None:
        self._count.clear()
        left: dict[str, None] = {}
        name = path.relative_to(self._base).as_posix()
        namespace, _ = root_name(path)
        whole = {f"{prefix}{local}" for local in self._tables for prefix in ("", f"{namespace}}}")}
        with path.open("rb") as stream:
            for event in iter_elements(stream, whole, place=name, limits=_LIMITS):
                if isinstance(event, Element):
                    self._record(name, event, "", left)
                if len(self._submission.documents) > DOCUMENTS:
                    return
        if left:
            self._faults.add("PACK-NOT-CARRIED", name, names=", ".join(list(left)[:_NAMES_SHOWN]))

    def _record(self, file: str, element: Element, dossier: str, left: dict[str, None]) -> None:
        table = self._tables[element.local]
        line = self._count[element.local] = self._count.get(element.local, 0) + 1
        found, paths = {}, {}
        for field, parts in table.fields.items():
            for part in parts:
                if text := value_of(element, part, "\n" if field == FILE else "; "):
                    found[field], paths[field] = text, part.paths[0]
                    break
            paths.setdefault(field, parts[0].paths[0])
        row = Row(table.kind, XmlOrigin(file, element.local, paths), line, self._values.of(table.kind, found))
        for field, value in table.fixed.items():
            row.values.setdefault(field, value)
        if table.kind is None:
            self._submission.dossiers.append(row)
            dossier = row.get(FILE_CODE)
        else:
            if dossier:
                row.values.setdefault(FILE_CODE, dossier)
            self._submission.documents.append(row)
        left.update(dict.fromkeys(self._not_carried(element, table)))
        for inner in self._inside(element):
            self._record(file, inner, dossier, left)

    def _inside(self, element: Element) -> Iterator[Element]:
        """The outermost records in a record."""
        for child in element.children:
            if child.local in self._tables:
                yield child
            else:
                yield from self._inside(child)

    def _not_carried(self, element: Element, table: Table) -> Iterator[str]:
        read = {path.partition("/")[0] for parts in table.fields.values() for part in parts for path in part.paths}
        for child in element.children:
            known = child.local in read or fold(child.local) in table.ignore or child.local in self._tables
            if not known and (child.text.strip() or child.children):
                yield child.local


def value_of(element: Element, part: Part, between: str = "; ") -> str:
    """What a part finds in an element: its paths' texts that are not empty, joined."""
    texts = [between.join(text for text in texts_at(element, path) if text) for path in part.paths]
    return part.separator.join(text for text in texts if text)


def texts_at(element: Element, path: str) -> list[str]:
    """Every text along ``path``: names of elements without namespace divided by ``/``, ``@name`` an attribute."""
    step, _, rest = path.partition("/")
    if step.startswith("@"):
        wanted = step[1:]
        return [value.strip() for name, value in element.attributes.items() if name.rpartition("}")[2] == wanted]
    if step == ".":
        return [element.text.strip()]
    found = [child for child in element.children if child.local == step]
    if not rest:
        return [child.text.strip() for child in found]
    return [text for child in found for text in texts_at(child, rest)]
