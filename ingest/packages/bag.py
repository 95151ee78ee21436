"""A BagIt bag (RFC 8493 and its drafts) as a package: what it declares, and the dossier made of bag-info.

``docs/packages.md`` says which elements of ``bag-info.txt`` give agency, fonds, code, title and dates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import BinaryIO

from ingest.packages.examined import Examined, Subject, aip_folder
from ingest.packages.reading import agency_code, fonds_code, judge_title, object_id, reading, record_code
from metadata.bagit import (
    BagDeclaration,
    iter_manifest,
    known_algorithm,
    manifest_algorithm,
    read_declaration,
    read_tag_file,
)
from metadata.holdings import PackageType, Role
from metadata.identifiers import Algorithm, Digest
from metadata.tt05.records import Fields, dossier_record

_OXUM = re.compile(r"(\d{1,18})\.(\d{1,18})", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9]+([.-][A-Za-z0-9]+)*")
_MODES = ("01", "02", "03")


def examine_bag(subject: Subject) -> Examined | None:
    """Check everything of a bag but its digests, and plan it. None when it is refused."""
    declaration = reading(subject, "bagit.txt", lambda stream: read_declaration(stream.read(4096)))
    if declaration is None:
        return None
    bag = _Bag(subject, declaration)
    bag.manifests()
    bag.completeness()
    return bag.dossier(bag.info())


class _Bag:
    def __init__(self, subject: Subject, declaration: BagDeclaration) -> None:
        self._subject = subject
        self._ledger = subject.ledger
        self._findings = subject.findings
        self._declaration = declaration

    def manifests(self) -> None:
        """Take what every manifest declares into the ledger."""
        payload: list[str] = []
        strong = False
        for name in self._ledger.tops(1000):
            named = manifest_algorithm(name)
            if named is None:
                continue
            algorithm = known_algorithm(named[0])
            if algorithm is None:
                self._findings.add("BAG-ALGORITHM", name, algorithm=named[0])
                continue
            if not named[1]:
                payload.append(name)
                strong = strong or not algorithm.weak
            self._manifest(name, algorithm, tag=named[1])
        if not payload:
            self._findings.add("BAG-NO-MANIFEST", self._subject.source.name)
        elif not strong:
            self._findings.add("PACKAGE-WEAK-DIGEST", payload[0])
        if len(payload) > 1:
            code = "BAG-NOT-IN-MANIFEST" if self._declaration.rules.every_manifest_complete else "BAG-IN-ONE-MANIFEST"
            for name in payload:
                for path in self._ledger.not_in(name, "data/"):
                    self._findings.add(code, path, manifest=name)

    def _manifest(self, name: str, algorithm: Algorithm, *, tag: bool) -> None:
        rules, encoding = self._declaration.rules, self._declaration.encoding

        def read(stream: BinaryIO) -> None:
            for line in iter_manifest(stream, name, encoding=encoding, rules=rules):
                if line.path.startswith("data/") is tag:
                    self._findings.add("BAG-WRONG-MANIFEST", line.path, manifest=name)
                    continue
                try:
                    digest = Digest.parse(algorithm, line.digest_hex)
                except ValueError:
                    self._findings.add("BAG-DIGEST", name, line=line.line_number, algorithm=algorithm.value)
                    continue
                self._ledger.declare(line.path, digest, name)

        reading(self._subject, name, read)

    def completeness(self) -> None:
        """Everything declared is there, everything in the payload is declared, once."""
        ledger, findings = self._ledger, self._findings
        if ledger.size_of("fetch.txt") is not None:
            findings.add("BAG-FETCH", "fetch.txt")
        for twice in ledger.declared_twice():
            findings.add("BAG-TWICE", twice.path, manifest=twice.source)
        for path, twin in self._respelled():
            ledger.respell(path, twin)
            findings.add("BAG-SPELLING", path)
        for lost in ledger.missing():
            code = "BAG-MISSING" if lost.path.startswith("data/") else "BAG-MISSING-TAG"
            findings.add(code, lost.path, manifest=lost.source)
        for path in ledger.undeclared("data/"):
            findings.add("BAG-EXTRA", path)
        if ledger.totals("data/").files == 0:
            findings.add("BAG-NO-PAYLOAD", self._subject.source.name)

    def _respelled(self) -> list[tuple[str, str]]:
        """Declared paths that are a file's after NFC; at most as many as are told of one kind of finding."""
        found: dict[str, str] = {}
        for lost in self._ledger.missing():
            twin = None if lost.path.isascii() else self._ledger.twin(lost.path)
            if twin is not None:
                found[lost.path] = twin
            if len(found) >= 1000:
                break
        return list(found.items())

    def info(self) -> Mapping[str, str]:
        """bag-info by label in lower case, the first of each; Payload-Oxum is checked."""
        name = self._declaration.rules.info
        strict, encoding = self._declaration.version == "1.0", self._declaration.encoding
        tags = None
        if self._ledger.size_of(name) is not None:
            tags = reading(self._subject, name, lambda stream: read_tag_file(stream, encoding, name, strict=strict))
        info: dict[str, str] = {}
        for label, value in tags or ():
            info.setdefault(label.lower(), value)
        if oxum := info.get("payload-oxum"):
            totals = self._ledger.totals("data/")
            match = _OXUM.fullmatch(oxum)
            if match is None or (int(match[1]), int(match[2])) != (totals.bytes, totals.files):
                self._findings.add("BAG-OXUM", name, declared=oxum, found=f"{totals.bytes}.{totals.files}")
        return info

    def dossier(self, info: Mapping[str, str]) -> Examined | None:
        """The dossier that bag-info describes, and the plan of all files."""
        subject, name = self._subject, self._declaration.rules.info
        agency = subject.agency or agency_code(info.get("agency-code", ""))
        if agency is None and _CODE.fullmatch(info.get("source-organization", "")):
            agency = agency_code(info["source-organization"])
        fonds = subject.fonds or fonds_code(info.get("fonds-code") or info.get("bag-group-identifier", ""))
        objid = object_id(info.get("external-identifier", ""))
        inner = info.get("internal-sender-identifier") or info.get("external-identifier", "")
        code = record_code(f"{subject.archive}.{inner}") if inner else None
        for found, finding in ((agency, "AGENCY"), (fonds, "FONDS"), (objid, "OBJID"), (code, "OBJID")):
            if found is None:
                self._findings.add(f"PACKAGE-NO-{finding}", name)
        if agency is None or fonds is None or objid is None or code is None or self._findings.refused:
            return None
        if not info.get("external-description"):
            self._findings.add("BAG-NO-TITLE", name)
        title = info.get("external-description") or inner
        judge_title(subject, title, name)
        form = self._form(info, code.value, title)
        target = f"data/{aip_folder(agency, fonds, objid)}/representations/rep1/data/"
        self._ledger.plan_all("data/", target, Role.CONTENT)
        self._ledger.plan_all("", "data/submission/", Role.SUBMISSION)
        sent_as = f"BagIt {self._declaration.version}"
        record = dossier_record(form)
        return Examined(sent_as, PackageType.PLAIN, agency, fonds, objid, code, title, record, form)

    def _form(self, info: Mapping[str, str], code: str, title: str) -> Fields:
        day = info.get("bagging-date", "")
        mode = info.get("mode", "")
        pairs = (
            ("arcFileCode", code),
            ("title", title),
            ("mode", mode if mode in _MODES else ""),
            ("startDate", info.get("start-date") or day),
            ("endDate", info.get("end-date") or day),
            ("totalDoc", str(self._ledger.totals("data/").files)),
            ("description", info.get("internal-sender-description", "")),
        )
        return Fields(tuple((name, text) for name, text in pairs if text))
