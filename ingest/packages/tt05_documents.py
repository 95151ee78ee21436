"""The documents of a TT 05 package: EAD_doc, EAD_pic and EAD_media files, and the content files that belong to each."""

from __future__ import annotations

import re

from ingest.packages.examined import Subject
from ingest.packages.linked import LinkedDocuments
from ingest.packages.reading import reading
from metadata.package_kinds import PackageKind
from metadata.tt05.fields import Fields, document_kind, read_simpledc
from metadata.tt05.profile import DocumentKind
from metadata.tt05.records import document_record, sip_to_aip_document, sip_to_aip_loose_document

_SORTED = 100_000  # documents that are put in their natural order; a package of more keeps the order of its paths
_AIPS = (PackageKind.AIP_HOSO, PackageKind.AIP_TAILIEU)


class PackageDocuments:
    """Reads the descriptions in one representation; ``representation`` is its folder with its ``/``."""

    def __init__(
        self, subject: Subject, representation: str, arc_file_code: str, kind: PackageKind, links: LinkedDocuments
    ) -> None:
        self._subject = subject
        self._ledger = subject.ledger
        self._findings = subject.findings
        self._folder = f"{representation}metadata/descriptive/"
        self._data = f"{representation}data/"
        self._code = arc_file_code
        self._kind = kind
        self._is_aip = kind in _AIPS
        self._links = links

    def read(self) -> None:
        """Note every description's document in the ledger, numbered from 1 in the order of their names."""
        number = 0
        paths = self._ledger.paths(self._folder)
        if self._ledger.totals(self._folder).files <= _SORTED:
            paths = iter(sorted(paths, key=_natural))
        for path in paths:
            found = document_kind(path.removeprefix(self._folder))
            if found is None:
                self._findings.add("SIP-NOT-A-DESCRIPTION", path)
                continue
            number += 1
            self._document(number, path, *found)
        if number == 0:
            self._findings.add("SIP-NO-DOCUMENT", self._folder)
        for path in self._ledger.without_document(self._data):
            self._findings.add("SIP-FILE-WITHOUT-DOCUMENT", path)

    def _document(self, number: int, path: str, kind: DocumentKind, name: str) -> None:
        fields = reading(self._subject, path, lambda stream: read_simpledc(stream, path))
        if fields is None:
            return
        files = self._files(path, name, fields)
        if not files:
            self._findings.add("SIP-DOCUMENT-WITHOUT-FILE", path, name=name)
        form = self._form(fields, number, kind)
        self._ledger.add_document(
            document_record(form, number),
            form,
            self._ead_name(path, kind, name),
            files,
            path,
            identifier=fields.get("docId") or (self._ledger.label_of(path) if self._is_aip else ""),
            held=self._links.held(files),
        )

    def _form(self, fields: Fields, number: int, kind: DocumentKind) -> Fields:
        """The description in AIP form: as it is for an AIP, whose codes are kept."""
        if self._is_aip:
            return fields
        if self._kind is PackageKind.SIP_TAILIEU:
            return sip_to_aip_loose_document(fields, self._subject.archive, kind)
        return sip_to_aip_document(fields, self._code, number, kind)

    def _files(self, path: str, name: str, fields: Fields) -> tuple[str, ...]:
        """By the structMap, else by the description's name, else by docId or docCode as the file's name."""
        linked = self._ledger.linked_files(path, self._data)
        if linked:
            return linked
        for stem in (name, fields.get("docId"), fields.get("docCode", "arcDocCode")):
            found = (self._ledger.files_with_stem(self._data, stem) or self._links.with_stem(stem)) if stem else ()
            if found:
                return found
        return ()

    def _ead_name(self, path: str, kind: DocumentKind, name: str) -> str:
        """Form A's name, unless another description has it already."""
        wanted = f"EAD_{kind.value}_{name}.xml"
        received = path.removeprefix(self._folder)
        taken = wanted != received and self._ledger.size_of(self._folder + wanted) is not None
        return received if taken else wanted


def _natural(path: str) -> tuple[str, str]:
    return re.sub(r"\d+", lambda match: match.group().zfill(12), path), path
