"""FIDO's signatures, asked file by file. Runs in the child process only: it looks into bytes from outside.

FIDO 1.6.1 is used as a library of signatures with its own order and priorities. Its matching loop is written anew
because the one it has searches an XML tree for each of 2,000 signatures of every file; answers are the same
(``tests/preservation/test_identification_engine.py`` compares them).
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from fido import CONFIG_DIR
from fido.fido import Fido
from fido.package import OlePackage, ZipPackage

from preservation.identification.messages import GENERAL_TEXT, Answer, Candidate, Query

SIGNATURES = "formats-v109.xml"
EXTENSIONS = "format_extensions.xml"
CONTAINERS = "container-signature-20200121.xml"
_OLE_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_BEGIN = "(?s)\\A"
_SPECIAL = frozenset(".^$*+?{}[]\\|()")

# FIDO's own names for what PRONOM calls otherwise (format_extensions.xml, Office Open XML by its byte patterns).
_PRONOM_NAMES = {"fido-fmt/189.word": "fmt/412", "fido-fmt/189.xl": "fmt/214", "fido-fmt/189.ppt": "fmt/215"}


@dataclass(slots=True)
class Pattern:
    """One regular expression of a signature, compiled when it is first needed."""

    at_end: bool
    anchored: bool
    regex: bytes
    matcher: Callable[[bytes], object] | None = field(default=None)

    def matches(self, head: bytes, tail: bytes) -> bool:
        """Raise re.error when FIDO's conversion of the signature was wrong."""
        if self.matcher is None:
            compiled = re.compile(self.regex)
            self.matcher = compiled.match if self.anchored else compiled.search
        return self.matcher(tail if self.at_end else head) is not None


@dataclass(slots=True)
class Signature:
    """All ``patterns`` must match; ``format`` is its format's place in the file."""

    format: int
    patterns: list[Pattern]


class Engine:
    """Every signature of FIDO, ready to be tried."""

    def __init__(self) -> None:
        self._fido = Fido(quiet=True, conf_dir=CONFIG_DIR, format_files=[SIGNATURES, EXTENSIONS])
        self._candidates = [_candidate(element) for element in self._fido.formats]
        self._places = {self._fido.get_puid(element): at for at, element in enumerate(self._fido.formats)}
        self._inferior: list[frozenset[int]] = [
            frozenset(self._places[p] for p in self._fido.puid_has_priority_over_map[puid] if p in self._places)
            for puid in self._places
        ]
        self._by_first_byte = _buckets([s for at, e in enumerate(self._fido.formats) for s in _signatures(at, e)])
        self._containers: dict[str, Mapping[str, Any]] = {}

    def answer(self, query: Query) -> Answer:
        """All formats that match; never raises for any content but MemoryError."""
        extension = self._named(self._by_extension(query.name))
        if query.by_name or not query.head:
            return Answer(extension=extension)
        places = self.match(query.head, query.tail)
        container, trouble = self._container(query) if query.spool else ((), "")
        return Answer(self._named(places), container, extension, trouble)

    def match(self, head: bytes, tail: bytes) -> list[int]:
        """The formats whose signatures match, inferior ones removed, as FIDO's ``match_formats`` finds them."""
        found: list[int] = []
        done = broken = -1
        for signature in self._by_first_byte[head[0]]:
            at = signature.format
            if at == broken or (at != done and not self._as_good(at, found)):
                continue
            done = at
            try:
                if all(pattern.matches(head, tail) for pattern in signature.patterns):
                    found.append(at)
            except re.error:
                broken = at
        return [at for at in dict.fromkeys(found) if self._as_good(at, found)]

    def _as_good(self, at: int, found: Sequence[int]) -> bool:
        return not any(at in self._inferior[other] for other in found if other != at)

    def _by_extension(self, name: str) -> list[int]:
        extension = extension_of(name)
        if not extension:
            return []
        found = [at for at, candidate in enumerate(self._candidates) if extension in candidate.extensions]
        general = self._places.get(GENERAL_TEXT.get(extension, ""))
        return [at for at in found if at == general or self._as_good(at, found)]

    def _named(self, places: Sequence[int]) -> tuple[Candidate, ...]:
        return tuple(self._candidates[at] for at in places)

    def _container(self, query: Query) -> tuple[tuple[Candidate, ...], str]:
        """Look inside a ZIP or OLE file. The archive's own reader failing is trouble, not an answer."""
        if query.head.startswith(_OLE_MAGIC):
            kind, package = "OLE2", OlePackage
        elif query.head.startswith(_ZIP_MAGICS):
            kind, package = "ZIP", ZipPackage
        else:
            return (), ""
        try:
            puids = package(query.spool, self._container_signatures(kind)).detect_formats()
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError) as error:
            return (), f"{kind}: {type(error).__name__}"
        except (zlib.error, struct.error, EOFError, MemoryError) as error:
            return (), f"{kind}: {type(error).__name__}"
        return self._named(sorted({self._places[puid] for puid in puids if puid in self._places})), ""

    def _container_signatures(self, kind: str) -> Mapping[str, Any]:
        if kind not in self._containers:
            tree = ET.parse(Path(CONFIG_DIR) / CONTAINERS)  # noqa: S314 - shipped with FIDO, not from outside
            raw = self._fido.extract_signatures(tree, signature_type=kind)
            self._containers[kind] = {
                path: {puid: usable for puid, found in by_puid.items() if (usable := _usable(found))}
                for path, by_puid in raw.items()
            }
        return self._containers[kind]


def extension_of(name: str) -> str:
    """The lower-case extension of a file name, without the dot; empty when there is none."""
    return os.path.splitext(name)[1].lower().lstrip(".")  # noqa: PTH122 - FIDO's own rule


def _usable(signatures: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    kept = []
    for signature in signatures:
        try:
            kept.append({**signature, "signature": re.compile(signature["signature"])})
        except re.error:
            continue  # FIDO's conversion of this signature is not a regular expression
    return kept


def _candidate(element: ET.Element) -> Candidate:
    puid = element.findtext("puid", "")
    return Candidate(
        _PRONOM_NAMES.get(puid, puid),
        element.findtext("name") or "",
        element.findtext("version") or "",
        (element.findtext("mime") or "").split(",")[0].strip(),
        tuple(dict.fromkeys((e.text or "").lower() for e in element.findall("extension"))),
    )


def _signatures(at: int, element: ET.Element) -> Iterator[Signature]:
    for signature in element.findall("signature"):
        patterns = []
        for pattern in signature.findall("pattern"):
            position = pattern.findtext("position", "")
            if position in ("BOF", "EOF", "VAR", "IFB"):
                regex = pattern.findtext("regex", "").encode()
                patterns.append(Pattern(position == "EOF", position == "BOF", regex))
        yield Signature(at, patterns)


def _buckets(signatures: Sequence[Signature]) -> list[list[Signature]]:
    """For each value of a file's first byte, the signatures that can match, in their order."""
    buckets: list[list[Signature]] = [[] for _ in range(256)]
    for signature in signatures:
        firsts = {_first_byte(p.regex.decode()) for p in signature.patterns if p.anchored} - {None}
        for first in range(256):
            if not firsts or firsts == {first}:
                buckets[first].append(signature)
    return buckets


def _first_byte(regex: str) -> int | None:
    r"""The byte that a match must begin with, None when the expression does not begin with one literal byte."""
    if not regex.startswith(_BEGIN) or "|" in regex:
        return None
    rest = regex[len(_BEGIN) :]
    if literal := re.match(r"\\x([0-9a-fA-F]{2})", rest):
        value, after = int(literal[1], 16), rest[4:]
    elif literal := re.match(r"\\([^0-9A-Za-z])", rest):
        value, after = ord(literal[1]), rest[2:]
    elif rest and rest[0] not in _SPECIAL:
        value, after = ord(rest[0]), rest[1:]
    else:
        return None
    return None if value > 255 or after[:1] in ("*", "+", "?", "{") else value
