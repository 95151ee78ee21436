"""Linked documents (TT 05 Phụ lục I, III: Holeyfile): files that only name a document held already.

``<name>.<ext>.fetch.txt`` has the document's identifier (SIP: docId, or the title of a photograph or recording), or the
line ``urn_<fonds>_<package>_<path> <size> <path there> <identifier>`` (AIP). They are looked up in the archive's own
catalogue, in the same fonds, and nowhere else: nothing is ever fetched.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from ingest.packages.examined import Subject
from ingest.packages.reading import reading
from metadata.identifiers import FondsCode

END = ".fetch.txt"
_BYTES = 4096
_LINKS = 10_000
_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_ARCHIVED = re.compile(
    rf"urn_(?P<fonds>[^\s/]+?)_(?:uuid[-_:])?{_UUID}_(?P<path>\S.*?)\s+\d{{1,18}}\s+(?P<there>\S.*?)\s+(?P<id>\S+)"
)


class LinkedDocuments:
    """The links of one representation; ``data`` is its folder of files with its ``/``. Flat: at most 10,000 links."""

    def __init__(self, subject: Subject, data: str, fonds: FondsCode | None) -> None:
        self._subject = subject
        self._data = data
        self._fonds = fonds
        self._named: dict[str, str] = {}
        self._stems: dict[str, list[str]] = {}
        self._held: dict[str, str] = {}

    def read(self) -> None:
        """Read every link and look up what it names. What is wrong or unknown is a finding."""
        paths = self._subject.ledger.ending(self._data, END, _LINKS + 1)
        if len(paths) > _LINKS:
            self._subject.findings.add("LINK-MANY", self._data, limit=_LINKS)
            return
        for path in paths:
            stem = path[len(self._data) : -len(END)].rpartition(".")[0]
            self._stems.setdefault(stem, []).append(path)
            identifier = self._identifier(path)
            if identifier:
                self._named[path] = identifier
        if self._named:
            self._resolve()

    @property
    def paths(self) -> tuple[str, ...]:
        """Every link that names a document."""
        return tuple(self._named)

    def with_stem(self, stem: str) -> tuple[str, ...]:
        """Links named after a description: ``<stem>.<ext>.fetch.txt``."""
        return tuple(self._stems.get(stem, ()))

    def held(self, paths: tuple[str, ...]) -> str:
        """Where the document of these files is held, ``<AIP version>#<number>``; "" when none is a known link."""
        return next((self._held[path] for path in paths if path in self._held), "")

    def _identifier(self, path: str) -> str:
        """The identifier that the link has; "" with a finding when it has none."""
        findings = self._subject.findings
        line = reading(self._subject, path, _line)
        if line is None:
            return ""
        if not line or not line.isprintable():
            findings.add("LINK-FORM", path)
            return ""
        if not line.startswith("urn_"):
            return line
        archived = _ARCHIVED.fullmatch(line)
        if archived is None:
            findings.add("LINK-FORM", path)
            return ""
        if self._fonds is not None and archived["fonds"] != self._fonds.value:
            findings.add("LINK-OTHER-FONDS", path, other=archived["fonds"], fonds=self._fonds)
            return ""
        return archived["id"]

    def _resolve(self) -> None:
        resolve, fonds = self._subject.resolve, self._fonds
        known = resolve(fonds, self._named.values()) if resolve is not None and fonds is not None else None
        for path, identifier in self._named.items():
            if known is None:
                self._subject.findings.add("LINK-UNKNOWN", path, identifier=identifier)
            elif identifier not in known:
                self._subject.findings.add("LINK-UNRESOLVED", path, identifier=identifier, fonds=fonds)
            else:
                version, number = known[identifier]
                self._held[path] = f"{version}#{number}"


def _line(stream: BinaryIO) -> str:
    """The one line of a link, without white space around it; "" when it is longer, or no UTF-8, or not one line."""
    data = stream.read(_BYTES + 1)
    try:
        text = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return ""
    return text if len(data) <= _BYTES and len(text.splitlines()) == 1 else ""
