"""Every check of a file in one real workshop, as an archive has it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from metadata.holdings import Format
from preservation.formats.inspector import FormatInspector
from preservation.formats.port import Inspection, Specimen
from preservation.identification.data import default_signatures
from preservation.identification.identifier import PronomIdentifier
from preservation.identification.identifier import equipment_of as identification
from preservation.identification.port import WINDOW, Sample
from preservation.signatures.checker import PyHankoChecker
from preservation.signatures.checker import equipment_of as trust
from preservation.signatures.port import Question, SignatureReport
from preservation.workshop.pool import ChildWorkshop
from preservation.workshop.port import TaskLimits
from tests.builders.signatures import NOW, authority


@dataclass(frozen=True, slots=True)
class Found:
    format: Format
    inspection: Inspection
    signatures: SignatureReport

    @property
    def stalled(self) -> bool:
        """Whether a check was killed when its time was over."""
        codes = [one.code for one in (*self.inspection.remarks, *self.signatures.reasons)]
        return "FORMAT-STALLED" in codes or "SIG-FILE-STALLED" in codes or " s;" in self.format.warning


class Checks:
    """Identifier, inspector and checker on one workshop, which must outlive them."""

    def __init__(self, workshop: ChildWorkshop, limits: TaskLimits | None) -> None:
        more = {} if limits is None else {"limits": limits}
        self.workshop = workshop
        self.identifier = PronomIdentifier(workshop, **more)
        self.inspector = FormatInspector(workshop, **more)
        self.checker = PyHankoChecker(authority().store(), workshop, **more)

    def all(self, name: str, data: bytes, content: bytes | None = None) -> Found:
        """Ask everything of a file, whatever it looks like."""
        with ExitStack() as stack:
            file = stack.enter_context(_file(data))
            beside = None if content is None else stack.enter_context(_file(content))
            sample = Sample(name, len(data), data[:WINDOW], data[-WINDOW:] if data else b"")
            format = self.identifier.identify(sample)
            specimen = Specimen(name, len(data), format, sample.head, sample.tail)
            inspection = self.inspector.inspect(specimen, file)
            return Found(format, inspection, self.checker.check(Question(file, NOW, NOW, beside, name=name)))


@contextmanager
def checks(limits: TaskLimits | None = None, children: int = 1) -> Iterator[Checks]:
    """With the house's own limits when none are given."""
    paths = default_signatures()
    equipment = identification(paths) | trust(authority().store())
    workshop = ChildWorkshop(equipment, children=children, readable=[paths.binary, paths.container])
    try:
        yield Checks(workshop, limits)
    finally:
        workshop.close()


@contextmanager
def _file(data: bytes) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        yield file
