"""PDF, by qpdf and PDFium."""

from __future__ import annotations

from typing import BinaryIO

from preservation.formats.port import Inspection, Specimen

REFUSALS: tuple[type[Exception], ...] = ()


def inspect(specimen: Specimen, file: BinaryIO | None) -> Inspection:
    """See :mod:`preservation.formats.task`."""
    del specimen, file
    return Inspection()
