"""An identifier for tests that needs no child process: PDF by its first bytes, others by a given table, text."""

from __future__ import annotations

from collections.abc import Mapping

from metadata.holdings import Format
from metadata.identifiers import Puid
from preservation.identification.choice import extension_of
from preservation.identification.port import Sample
from preservation.identification.text import encoding_of

PDF = Format(Puid("fmt/18"), "Acrobat PDF 1.4 - Portable Document Format", "1.4", "application/pdf", "signature")
TEXT = Format(Puid("x-fmt/111"), "Plain Text File", "", "text/plain; charset=utf-8", "text")
MP3 = Format(Puid("fmt/134"), "MPEG 1/2 Audio Layer 3", "", "audio/mpeg", "extension", "theo tên / by its name")


class MemoryIdentifier:
    """Knows PDF 1.4 by signature, what ``by_extension`` says, and text; remembers the names it was asked about."""

    def __init__(self, by_extension: Mapping[str, Format] | None = None) -> None:
        self._by_extension = {"mp3": MP3} if by_extension is None else dict(by_extension)
        self.asked: list[str] = []
        self.closed = False

    @property
    def name(self) -> str:
        return "MemoryIdentifier"

    def ready(self) -> None:
        pass

    def identify(self, sample: Sample) -> Format:
        self.asked.append(sample.name)
        if sample.head.startswith(b"%PDF-1.4"):
            return PDF
        if known := self._by_extension.get(extension_of(sample.name)):
            return known
        if not sample.head.startswith(b"%PDF-") and encoding_of(sample.head, sample.tail, sample.size):
            return TEXT
        return Format(None, "", "", "application/octet-stream", "none", "không nhận ra / not recognised")

    def close(self) -> None:
        self.closed = True
