"""Judging a bag by BagIt alone (RFC 8493, drafts 0.93–0.97): everything but its digests, which the pass compares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from ingest.packages.examined import Subject
from ingest.packages.reading import reading
from metadata.bagit import (
    DECLARATION_LIMIT,
    BagDeclaration,
    iter_fetch,
    iter_manifest,
    known_algorithm,
    manifest_algorithm,
    read_declaration,
    read_tag_file,
)
from metadata.bagit_profile import BagFacts
from metadata.identifiers import Algorithm, Digest

PAYLOAD = "data/"
_OXUM = re.compile(r"(\d{1,18})\.(\d{1,18})", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_COUNT = re.compile(r"\d+ of (\d+|\?)", re.ASCII)
_ONCE = ("Bagging-Date", "Bag-Size", "Bag-Group-Identifier", "Bag-Count")
_SYSTEM_FILES = ("%/thumbs.db", "%/ehthumbs.db", "%/desktop.ini", "%/.ds!_store", "%/.!_%")


@dataclass(frozen=True, slots=True)
class JudgedBag:
    """What a bag says of itself. ``tags`` are those of bag-info in order, labels as written; None when it has none.

    ``manifests`` and ``tag_manifests`` are the known algorithms that its manifests are named by, in lower case.
    """

    declaration: BagDeclaration
    tags: tuple[tuple[str, str], ...] | None
    manifests: tuple[str, ...]
    tag_manifests: tuple[str, ...]

    def first(self, label: str) -> str:
        """The first value of a label in any case; empty when there is none."""
        wanted = label.lower()
        return next((value for name, value in self.tags or () if name.lower() == wanted), "")

    def every(self, label: str) -> list[str]:
        """All values of a label in any case."""
        wanted = label.lower()
        return [value for name, value in self.tags or () if name.lower() == wanted]


def judge_bag(subject: Subject) -> JudgedBag | None:
    """Judge a scanned package as a bag, by BagIt alone: no agency, fonds or title is asked for.

    What its manifests declare goes into the ledger, against which the one pass compares. ``findings`` say what is
    wrong; None when there is no declaration that can be read, so nothing else could be looked at.
    """
    if subject.ledger.size_of("bagit.txt") is None:
        subject.findings.add("BAG-NO-DECLARATION", subject.source.name)
        return None
    declaration = reading(subject, "bagit.txt", lambda stream: read_declaration(stream.read(DECLARATION_LIMIT + 1)))
    return None if declaration is None else _Judge(subject, declaration).bag()


def bag_facts(subject: Subject, bag: JudgedBag) -> BagFacts:
    """What a BagIt profile asks of the bag; see :func:`metadata.bagit_profile.judge_bag_profile`."""
    ledger, totals = subject.ledger, subject.ledger.totals(PAYLOAD)
    return BagFacts(
        subject.source.name,
        bag.declaration.version,
        bag.declaration.rules.info,
        bag.tags,
        bag.manifests,
        bag.tag_manifests,
        subject.source.media_type,
        totals.files,
        totals.bytes,
        lambda path: ledger.size_of(path) is not None,
        lambda: ledger.outside(PAYLOAD),
        lambda: ledger.paths(PAYLOAD),
    )


class _Judge:
    def __init__(self, subject: Subject, declaration: BagDeclaration) -> None:
        self._subject = subject
        self._ledger = subject.ledger
        self._findings = subject.findings
        self._declaration = declaration
        self._rules = declaration.rules

    def bag(self) -> JudgedBag:
        found = dict(sorted(self._named()))
        payload = [name for name, (_, tag) in found.items() if not tag]
        tags = [name for name, (_, tag) in found.items() if tag]
        self._names(found, tags)
        self._manifests(payload, tag=False)
        self._manifests(tags, tag=True)
        for path in self._ledger.respell():
            self._findings.add("BAG-SPELLING", path)
        self._twice()
        self._fetch()
        self._complete(payload)
        self._tag_manifests(payload, tags)
        for path in self._ledger.alike(*_SYSTEM_FILES):
            self._findings.add("BAG-SYSTEM-FILE", path)
        return self._info(tuple(found[name][0] for name in payload), tuple(found[name][0] for name in tags))

    def _named(self) -> Iterator[tuple[str, tuple[str, bool]]]:
        """Manifests whose algorithm is known, which are few, whatever names there are; the others are findings."""
        for name in self._ledger.alike("manifest-%.txt", "tagmanifest-%.txt"):
            named = manifest_algorithm(name)
            if named and known_algorithm(named[0]) is None:
                self._findings.add("BAG-ALGORITHM", name, algorithm=named[0])
            elif named:
                yield name, named

    def _names(self, found: dict[str, tuple[str, bool]], tags: list[str]) -> None:
        if not self._declaration.encoding.startswith("utf-8"):
            self._findings.add("BAG-ENCODING-OTHER", "bagit.txt", encoding=self._declaration.encoding)
        for name, (algorithm, tag) in found.items():
            kind = "tagmanifest" if tag else "manifest"
            normal = f"{kind}-{algorithm.replace('-', '')}.txt"
            if name != normal:
                self._findings.add("BAG-MANIFEST-NAME", name, normal=normal)
        used = {tag: {known_algorithm(one) for one, of in found.values() if of is tag} for tag in (False, True)}
        if tags and self._rules.tag_manifests_complete and used[False] != used[True]:
            self._findings.add("BAG-TAG-ALGORITHMS", tags[0])

    def _manifests(self, names: list[str], *, tag: bool) -> None:
        """Take what the manifests declare into the ledger."""
        weak = True
        for name in names:
            named = manifest_algorithm(name)
            algorithm = known_algorithm(named[0]) if named else None
            if algorithm is not None:
                weak = weak and algorithm.weak
                self._manifest(name, algorithm, tag=tag)
        if not tag and not names:
            self._findings.add("BAG-NO-MANIFEST", self._subject.source.name)
        elif not tag and weak:
            self._findings.add("PACKAGE-WEAK-DIGEST", names[0])

    def _manifest(self, name: str, algorithm: Algorithm, *, tag: bool) -> None:
        rules, encoding, findings, ledger = self._rules, self._declaration.encoding, self._findings, self._ledger
        width = 2 * algorithm.size

        def read(stream: BinaryIO) -> None:
            for line in iter_manifest(stream, name, encoding=encoding, rules=rules):
                for code in line.remarks:
                    findings.add(code, name, line=line.line_number)
                if line.path.startswith(PAYLOAD) is tag:
                    findings.add("BAG-WRONG-MANIFEST", line.path, manifest=name)
                    continue
                if len(line.digest_hex) != width:
                    findings.add("BAG-DIGEST", name, line=line.line_number, algorithm=algorithm.value)
                    continue
                ledger.declare(line.path, Digest(algorithm, bytes.fromhex(line.digest_hex)), name)

        reading(self._subject, name, read)

    def _twice(self) -> None:
        for twice in self._ledger.declared_twice(differing=True):
            self._findings.add("BAG-TWICE", twice.path, manifest=twice.source)
        code = "BAG-TWICE-SAME" if self._rules.repeats else "BAG-TWICE"
        for twice in self._ledger.declared_twice(differing=False):
            self._findings.add(code, twice.path, manifest=twice.source)

    def _fetch(self) -> None:
        """What fetch.txt lists, were it fetched; nothing ever is."""
        name = "fetch.txt"
        if self._ledger.size_of(name) is None:
            return
        rules, encoding, findings = self._rules, self._declaration.encoding, self._findings

        def read(stream: BinaryIO) -> bool | None:
            complete: bool | None = True
            for line in iter_fetch(stream, name, encoding=encoding, rules=rules):
                at = {"line": line.line_number}
                for code in line.remarks:
                    findings.add(code, name, **at)
                if not line.path.startswith(PAYLOAD):
                    findings.add("BAG-FETCH-NOT-PAYLOAD", name, path=line.path, **at)
                    complete = None
                    continue
                path = line.path if self._ledger.size_of(line.path) is not None else self._ledger.twin(line.path)
                size = None if path is None else self._ledger.size_of(path)
                if not self._ledger.is_declared(path or line.path):
                    findings.add("BAG-FETCH-UNDECLARED", name, path=line.path, **at)
                if size is not None and line.length not in (None, size):
                    findings.add("BAG-FETCH-LENGTH", name, path=line.path, declared=line.length, found=size, **at)
                complete = complete and size is not None
            return complete

        complete = reading(self._subject, name, read)
        if complete is not None:
            findings.add("BAG-FETCH-DONE" if complete else "BAG-FETCH", name)

    def _complete(self, payload: list[str]) -> None:
        """Everything declared is there, everything in the payload is declared."""
        ledger, findings = self._ledger, self._findings
        for lost in ledger.missing():
            code = "BAG-MISSING" if lost.path.startswith(PAYLOAD) else "BAG-MISSING-TAG"
            findings.add(code, lost.path, manifest=lost.source)
        for path in ledger.undeclared(PAYLOAD):
            findings.add("BAG-EXTRA", path)
        if len(payload) > 1:
            code = "BAG-NOT-IN-MANIFEST" if self._rules.every_manifest_complete else "BAG-IN-ONE-MANIFEST"
            for name in payload:
                for path in ledger.not_in(name, PAYLOAD):
                    findings.add(code, path, manifest=name)
        if ledger.totals(PAYLOAD).files == 0:
            findings.add("BAG-EMPTY", self._subject.source.name)

    def _tag_manifests(self, payload: list[str], tags: list[str]) -> None:
        """Each lists every payload manifest (1.0), no tag manifest (1.0), and better every other tag file."""
        for name in tags:
            for path in self._ledger.outside(PAYLOAD, name):
                if path in payload and self._rules.tag_manifests_complete:
                    self._findings.add("BAG-MANIFEST-UNLISTED", path, manifest=name)
                elif path not in tags:
                    self._findings.add("BAG-TAG-UNLISTED", path, manifest=name)
            if self._rules.tag_manifests_complete:
                for path in tags:
                    if self._ledger.is_declared(path, name):
                        self._findings.add("BAG-TAGMANIFEST-LISTED", path, manifest=name)

    def _info(self, manifests: tuple[str, ...], tag_manifests: tuple[str, ...]) -> JudgedBag:
        name, strict, encoding = self._rules.info, self._rules.strict_tags, self._declaration.encoding
        tags = None
        if self._ledger.size_of(name) is not None:
            tags = reading(self._subject, name, lambda stream: read_tag_file(stream, encoding, name, strict=strict))
        bag = JudgedBag(self._declaration, None if tags is None else tuple(tags), manifests, tag_manifests)
        for code, details in self._tag_faults(bag):
            self._findings.add(code, name, **details)
        return bag

    def _tag_faults(self, bag: JudgedBag) -> Iterator[tuple[str, dict[str, str]]]:
        totals = self._ledger.totals(PAYLOAD)
        oxums = bag.every("Payload-Oxum")
        for oxum in oxums:
            match = _OXUM.fullmatch(oxum)
            if match is None or (int(match[1]), int(match[2])) != (totals.bytes, totals.files):
                yield "BAG-OXUM", {"declared": oxum, "found": f"{totals.bytes}.{totals.files}"}
        if self._rules.strict_tags:
            if len(oxums) > 1:
                yield "BAG-OXUM-TWICE", {}
            for label in _ONCE:
                if len(bag.every(label)) > 1:
                    yield "BAG-TAG-TWICE", {"tag": label}
        for value in bag.every("Bagging-Date"):
            if not _is_date(value):
                yield "BAG-TAG-DATE", {"value": value}
        if bag.first("Bag-Count") and not bag.first("Bag-Group-Identifier"):
            yield "BAG-TAG-GROUP", {}
        for value in bag.every("Bag-Count"):
            if not _COUNT.fullmatch(value):
                yield "BAG-TAG-COUNT", {"value": value}


def _is_date(text: str) -> bool:
    with suppress(ValueError):
        return bool(_DATE.fullmatch(text) and date.fromisoformat(text))
    return False
