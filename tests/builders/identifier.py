"""An identifier for tests that needs no child process: PDF by its first bytes, the rest by a given table."""

from __future__ import annotations

from collections.abc import Mapping

from metadata.holdings import Format
from metadata.identifiers import Puid
from preservation.identification.choice import extension_of
from preservation.identification.port import Sample

PDF = Format(Puid("fmt/18"), "Acrobat PDF 1.4 - Portable Document Format", "1.4", "application/pdf", "signature")
TEXT = Format(Puid("x-fmt/111"), "Plain Text File", "", "text/plain", "extension")


class MemoryIdentifier:
    """Knows PDF 1.4 by signature and what ``by_extension`` says; remembers the names it was asked about."""

    def __init__(self, by_extension: Mapping[str, Format] | None = None) -> None:
        self._by_extension = {"txt": TEXT} if by_extension is None else dict(by_extension)
        self.asked: list[str] = []
        self.closed = False

    @property
    def name(self) -> str:
        return "MemoryIdentifier"

    def identify(self, sample: Sample) -> Format:
        self.asked.append(sample.name)
        if sample.head.startswith(b"%PDF-1.4"):
            return PDF
        unknown = Format(None, "", "", "application/octet-stream", "none", "không nhận ra / not recognised")
        return self._by_extension.get(extension_of(sample.name), unknown)

    def close(self) -> None:
        self.closed = True
