"""The examination of one content file: what format it has, whether it is what it must be, whether its signatures hold.

Each question goes to the workshop as a task of its own, so that a file on which one stalls costs that answer only.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import BinaryIO

from metadata.holdings import Format
from preservation.antivirus.port import ScanResult
from preservation.formats.families import family_of
from preservation.formats.port import Inspection, Inspector, Specimen
from preservation.identification.port import Identifier, Sample
from preservation.signatures.port import Question, SignatureChecker, SignatureReport
from preservation.signed import may_be_signed

LARGEST = 512 << 20
"""Bytes of the largest file that is kept on our disk to be looked into; of a larger one only its windows are seen."""
_ANY = 16 << 20
"""Bytes of the largest file that is looked into whatever it begins with."""

_PDF_WITHIN = 1024
_TEXT_WITHIN = 4096
_HAS_FILES = "FORMAT-PDF-FILES"


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A content file on its way: its name and size, its first and last 128 KiB (as of a Sample).

    ``whole`` puts the whole file on our disk, when that has not been done, and says where; None when it is too large.
    ``content`` is where a file lies of which this one is by its name the signature, None when there is no such file;
    ``content_lost``: there is one, but it is not at hand any more.
    """

    name: str
    size: int
    head: bytes
    tail: bytes
    whole: Callable[[], Path | None]
    content: Path | None = None
    content_lost: bool = False


@dataclass(frozen=True, slots=True)
class Examination:
    """All that was found. ``signatures`` is None when nothing of the file looks like one, or nobody was to check.

    ``unjudged``: it may be signed, but it, or what it signs, was not at hand. ``attached`` is what the virus scanner
    says against files in it.
    """

    format: Format
    inspection: Inspection
    signatures: SignatureReport | None
    unjudged: bool = False
    attached: ScanResult | None = None


class Examiner:
    """Asks everything that is to be asked of a content file. Safe to use from several threads, if its parts are.

    Without an inspector or a checker that part is not asked. ``seen`` is when the archive first had the bytes: it is
    the moment for which signatures are judged, so that the same package gives the same answers whenever it is read.
    """

    def __init__(
        self,
        identifier: Identifier,
        inspector: Inspector | None = None,
        checker: SignatureChecker | None = None,
        *,
        seen: datetime,
        scan_attached: Callable[[BinaryIO], ScanResult | None] | None = None,
    ) -> None:
        self._identifier = identifier
        self._inspector = inspector
        self._checker = checker
        self._seen = seen
        self._scan_attached = scan_attached

    @property
    def checks_signatures(self) -> bool:
        """Whether anybody looks for signatures."""
        return self._checker is not None

    def examine(self, exhibit: Exhibit) -> Examination:
        """Blocks until all is answered, or the limits of each task are over. Raises OSError of our own disk only."""
        # A format may be told by what lies between the windows: what a container holds, a PDF's claim to be PDF/A.
        large = exhibit.size > len(exhibit.head) and wanted_whole(exhibit.size, exhibit.head)
        spool = exhibit.whole() if large or is_container(exhibit.head) else None
        sample = Sample(exhibit.name, exhibit.size, exhibit.head, exhibit.tail, spool)
        format = self._identifier.identify(sample)
        inspection = self._inspect(exhibit, format)
        return Examination(format, inspection, *self._check(exhibit), self._attached(exhibit, inspection))

    def _inspect(self, exhibit: Exhibit, format: Format) -> Inspection:
        if self._inspector is None:
            return Inspection()
        specimen = Specimen(exhibit.name, exhibit.size, format, exhibit.head, exhibit.tail)
        family = family_of(format)
        path = exhibit.whole() if family is not None and family.whole else None
        if path is None:
            return self._inspector.inspect(specimen, None)
        with path.open("rb") as file:
            return self._inspector.inspect(specimen, file)

    def _attached(self, exhibit: Exhibit, inspection: Inspection) -> ScanResult | None:
        """Files in a PDF go to the virus scanner by themselves, which may overlook them in the whole."""
        if self._scan_attached is None or all(one.code != _HAS_FILES for one in inspection.remarks):
            return None
        path = exhibit.whole()
        if path is None:
            return None
        with path.open("rb") as file:
            return self._scan_attached(file)

    def _check(self, exhibit: Exhibit) -> tuple[SignatureReport | None, bool]:
        """The report, and whether there should be one and is none."""
        if self._checker is None:
            return None, False
        with ExitStack() as stack:

            def whole() -> BinaryIO | None:
                path = exhibit.whole()
                return None if path is None else stack.enter_context(path.open("rb"))

            if not may_be_signed(exhibit.name, exhibit.head, whole):
                return None, False
            file = whole()
            if file is None or exhibit.content_lost:
                return None, True
            content = None if exhibit.content is None else stack.enter_context(exhibit.content.open("rb"))
            return self._checker.check(Question(file, self._seen, self._seen, content, name=exhibit.name)), False


def wanted_whole(size: int, head: bytes) -> bool:
    """Whether a file larger than its windows, which begins so, is looked into as a whole: by ingest and by all others
    that tell formats, so that they tell the same."""
    return size <= _ANY or (size <= LARGEST and may_be_wanted(head))


def may_be_wanted(head: bytes) -> bool:
    """Whether a file that is not small, which begins so, may be one that is looked into as a whole.

    Asked before its format is known: a wrong yes costs a copy on our disk, a wrong no the look into the file.
    """
    known = is_container(head) or _heads("others").match(head) or b"%PDF-" in head[:_PDF_WITHIN]
    return bool(known) or b"\0" not in head[:_TEXT_WITHIN]


def is_container(head: bytes) -> bool:
    """Whether a file that begins so is identified by what is in it, for which the whole of it is needed."""
    return _heads("containers").match(head) is not None


@cache
def _heads(kind: str) -> re.Pattern[bytes]:
    data = tomllib.loads((resources.files("preservation") / "examination.toml").read_text(encoding="utf-8"))
    return re.compile(b"|".join(map(_pattern, data[kind])), re.DOTALL)


def _pattern(text: str) -> bytes:
    return b"".join(map(_part, text.split()))


def _part(text: str) -> bytes:
    if text.startswith("@"):
        return b".{%d}" % int(text[1:])
    return b"." if text == "??" else re.escape(bytes.fromhex(text))
