"""What one METS of a package says, taken into the ledger; what points outside the package is refused."""

from __future__ import annotations

from typing import BinaryIO

from ingest.packages.examined import Description, Subject
from ingest.packages.reading import reading
from metadata.mets import (
    MetsAgent,
    MetsAltRecord,
    MetsFile,
    MetsHeader,
    MetsItem,
    MetsLink,
    MetsPointer,
    MetsReference,
    MetsRoot,
    iter_mets,
    local_path,
)

_KEPT = 1000  # descriptions, pointers and agents of one METS that are remembered


class PackageMets:
    """One METS.xml. ``base`` is its folder in the package, empty or with its ``/``."""

    def __init__(self, subject: Subject, base: str) -> None:
        self._subject = subject
        self._base = base
        self._path = f"{base}METS.xml"
        self._weak = self._bare = False
        self._described: dict[str, str] = {}
        self.objid = ""
        self.label = ""
        self.oais_type = ""
        self.agents: list[MetsAgent] = []
        self.alt_records: dict[str, str] = {}
        self.pointers: dict[str, None] = {}
        self.descriptions: dict[str, Description] = {}

    @property
    def identification_codes(self) -> list[str]:
        """The notes IDENTIFICATIONCODE of its agents, in order."""
        return [note for agent in self.agents if (note := agent.note("IDENTIFICATIONCODE"))]

    def read(self) -> None:
        """Read it once, flat in memory. What cannot be read is a finding; that it is not there, others tell."""
        if self._subject.ledger.size_of(self._path) is None:
            self._subject.unread.append(self._base)
            return
        if not reading(self._subject, self._path, self._read):
            self._subject.unread.append(self._base)
        if self._weak:
            self._subject.findings.add("PACKAGE-WEAK-DIGEST", self._path)
        if self._bare:
            self._subject.findings.add("SIP-NO-DIGEST", self._path)

    def _read(self, stream: BinaryIO) -> bool:
        for item in iter_mets(stream, self._path):
            self._take(item)
        return True

    def _take(self, item: MetsItem) -> None:
        if isinstance(item, MetsFile | MetsReference):
            self._file(item)
        elif isinstance(item, MetsLink):
            for description in item.dmd_ids:
                self._subject.ledger.link(f"{self._base}#{description}", f"{self._base}#{item.file_id}")
        elif isinstance(item, MetsPointer):
            path = self._inside(item.href, item.path)
            if path is not None:
                self._subject.ledger.declare(path, None, self._path)
                if len(self.pointers) < _KEPT:
                    self.pointers[path] = None
        elif isinstance(item, MetsRoot):
            self.objid, self.label = item.objid, item.label
        elif isinstance(item, MetsHeader):
            self.oais_type = item.oais_type
        elif isinstance(item, MetsAgent):
            self.agents += [item] if len(self.agents) < _KEPT else []
        elif isinstance(item, MetsAltRecord) and len(self.alt_records) < _KEPT:
            self.alt_records.setdefault(item.type, item.value)

    def _file(self, item: MetsFile | MetsReference) -> None:
        path = self._inside(item.href, item.path)
        if path is None:
            return
        ledger, findings = self._subject.ledger, self._subject.findings
        digest = None
        try:
            digest = item.digest
        except ValueError:
            findings.add("SIP-CHECKSUM", path, mets=self._path, kind=item.checksum_type, checksum=item.checksum)
        else:
            self._bare = self._bare or digest is None
            self._weak = self._weak or (digest is not None and digest.algorithm.weak)
        ledger.declare(path, digest, self._path, size=item.size, mime=item.mime)
        if isinstance(item, MetsFile):
            ledger.name_file(f"{self._base}#{item.id}", path)
            return
        ledger.describe(f"{self._base}#{item.id}", path, item.label)
        if item.section == "dmdSec" and len(self.descriptions) < _KEPT:
            self.descriptions[path] = Description(path, item.md_type, item.md_type_version)

    def _inside(self, href: str, path: str | None) -> str | None:
        """The path in the package; a finding and None when it leads outside. A href never encoded is read as it is."""
        if path is None:
            path = self._above(href)
            if path is None:
                self._subject.findings.add("SIP-OUTSIDE", href, mets=self._path)
            return path
        if not path.isprintable() and any("\ud800" <= c <= "\udfff" for c in path):
            self._subject.findings.add("NAME-ENCODING", href)
            return None
        plain = self._base + path
        if "%" in href and self._subject.ledger.size_of(plain) is None:
            raw = self._base + href.removeprefix("./")
            if self._subject.ledger.size_of(raw) is not None:
                return raw
        return plain

    def _above(self, href: str) -> str | None:
        """What a METS of a representation names outside its folder, but inside the package: ``../../schemas/x.xsd``."""
        folders, rest = self._base.split("/")[:-1], href
        while folders and rest.startswith("../"):
            folders.pop()
            rest = rest.removeprefix("../")
        path = local_path(rest) if rest != href else None
        if path is None or not path.isprintable():
            return None
        return "/".join([*folders, path])
