"""Judging the descriptions of a TT 05 package: EAD.xml, each EAD_doc, EAD_pic, EAD_media, and all of them together."""

from __future__ import annotations

import re

from metadata.package_kinds import PackageKind
from metadata.package_tree import PackageTree
from metadata.tt05.field_rules import judge_document, judge_dossier
from metadata.tt05.fields import Fields, document_kind, read_simpledc
from metadata.tt05.judge_notes import KEPT, Notes
from metadata.tt05.judge_tree import DESCRIPTIVE, REPRESENTATION
from metadata.tt05.profile import DocumentKind

_FOLDER = f"{REPRESENTATION}{DESCRIPTIVE}"
_NUMBERED = re.compile(r"(?P<code>.+?)\.?(?P<number>\d{7})", re.DOTALL)


class RecordsJudge:
    """The descriptions of one package."""

    def __init__(self, tree: PackageTree, kind: PackageKind, notes: Notes) -> None:
        self._tree = tree
        self._kind = kind
        self._notes = notes
        self._rules = notes.profile.packages[kind]
        self._codes: set[int] = set()

    def package(self) -> Fields:
        """Judge EAD.xml; without fields when it is not there or cannot be read."""
        names = (name for name in self._tree.children(DESCRIPTIVE) if name.lower() == "ead.xml")
        path = DESCRIPTIVE + next(names, "EAD.xml")
        if self._tree.size_of(path) is None:
            return Fields(())
        fields = self._notes.read(self._tree, path, lambda stream: read_simpledc(stream, path)) or Fields(())
        if not fields.pairs:
            return fields
        judge_dossier(fields, self._notes.findings, path, package=self._kind, profile=self._notes.profile)
        code = fields.get(self._rules.code)
        if code and self._rules.code_form is not None and not self._rules.code_form.fullmatch(code):
            self._notes.add("FILE-CODE", path, value=code, field=self._rules.code, annex=self._rules.annex)
        return fields

    def documents(self, package: Fields) -> None:
        """Judge every description of a document, and the number of them against ``package``'s."""
        count = 0
        for path in self._tree.paths(_FOLDER):
            name = path.removeprefix(_FOLDER)
            found = document_kind(name)
            if found is None:
                self._other(path)
                continue
            count += 1
            kind = found[0]
            if not (name.startswith(f"EAD_{kind}_") and name.endswith(".xml")):
                self._notes.tally("EAD-CASE", _FOLDER, name)
            self._document(path, kind, package)
        if not count and self._kind is PackageKind.DIP:
            self._notes.add("TREE-LACKS", f"{_FOLDER}EAD_doc_….xml", package=self._rules.name, annex=self._rules.annex)
        total = package.get(self._rules.total) if self._rules.total else ""
        if total.isascii() and total.isdigit() and len(total) <= 10 and int(total) != count:
            self._notes.add("TOTAL", f"{DESCRIPTIVE}EAD.xml", value=total, found=count)

    def _other(self, path: str) -> None:
        """A file that is named as no description: of a SIP and an AIP that is told where their files are matched."""
        if self._kind is PackageKind.DIP:
            self._notes.add("TREE-OTHER", path, package=self._rules.name)

    def _document(self, path: str, kind: DocumentKind, package: Fields) -> None:
        notes = self._notes
        fields = notes.read(self._tree, path, lambda stream: read_simpledc(stream, path))
        if fields is None:
            return
        judge_document(fields, notes.findings, path, kind=kind, package=self._kind, profile=notes.profile)
        whole = package.get(self._rules.code) if self._rules.code else ""
        self._code(path, fields.get(self._rules.document_code, "docCode", "arcDocCode"), whole)
        parent = fields.get(self._rules.parent) if self._rules.parent else ""
        if parent and whole and parent != whole:
            notes.add("PARENT-CODE", path, value=parent, wanted=whole)

    def _code(self, path: str, code: str, whole: str) -> None:
        if not code:
            return
        notes, wanted = self._notes, f"{whole}.0000001" if whole else "….0000001"
        match = _NUMBERED.fullmatch(code)
        own = self._rules.document_code_form == "package" and bool(whole)
        if match is None or (own and not _same(match["code"], whole, archival=bool(self._rules.parent))):
            notes.add("DOC-CODE", path, value=code, wanted=wanted)
        elif hash(code) in self._codes:
            notes.add("DOC-CODE-TWICE", path, value=code)
        if len(self._codes) < KEPT:
            self._codes.add(hash(code))


def _same(code: str, whole: str, *, archival: bool) -> bool:
    """Whether a document's code is the whole's; in an AIP the archive's code may stand before the latter alone."""
    return code == whole or (archival and whole.endswith(f".{code}"))
