"""Every format that a file matches, by PRONOM's own rules.

Runs in the child process only: it looks into bytes from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import BinaryIO

from preservation.identification.answer import Answer, Candidate
from preservation.identification.choice import GENERAL_TEXT, extension_of
from preservation.identification.pronom.containers import Containers
from preservation.identification.pronom.gates import Gates, reaches_far
from preservation.identification.pronom.matching import Seen, bytes_asked, matchers_of
from preservation.identification.pronom.signature_file import PronomFormat, SignatureFiles
from preservation.identification.text import encoding_of

_WHOLE = 64 << 20
"""Bytes of the largest file that is looked at from end to end for signatures that may lie anywhere."""


class PronomEngine:
    """All signatures, ready to be tried."""

    def __init__(self, files: SignatureFiles) -> None:
        self._formats = files.formats
        self._containers = Containers(files)
        self._puids = [signature.puid for signature in files.signatures]
        self._matchers = [matchers_of(signature.sequences) for signature in files.signatures]
        self._asked = [bytes_asked(signature.sequences) for signature in files.signatures]
        self._gates = Gates(files.signatures)
        self._far = [number for number, one in enumerate(files.signatures) if reaches_far(one)]
        self._far_places = frozenset(self._far)
        self._far_gates = Gates([files.signatures[number] for number in self._far], near=True)
        self._by_extension: dict[str, list[str]] = {}
        for puid, one in files.formats.items():
            for extension in one.extensions:
                self._by_extension.setdefault(extension, []).append(puid)
        self._signed = {one.puid for one in files.signatures} | {p for one in files.containers for p in one.puids}
        self._extensions: dict[str, tuple[Candidate, ...]] = {}
        self._candidates = {puid: self._candidate(one) for puid, one in files.formats.items()}

    def by_name(self, name: str) -> Answer:
        """The formats of a file name's extension only."""
        return Answer(extension=self._of_extension(extension_of(name)))

    def answer(self, name: str, size: int, head: bytes, tail: bytes, file: BinaryIO | None = None) -> Answer:
        """All formats that match; never raises for any content but MemoryError.

        ``head`` and ``tail`` are the first and last 128 KiB (both the whole file when it is no larger); ``file`` is the
        whole, open for reading at any place, None when it is not at hand. It is left open.
        """
        extension = self._of_extension(extension_of(name))
        if not head:
            return Answer(extension=extension)
        begun = self._matching(self._containers.triggers(head, tail), head, tail)
        inner, trouble = self._containers.look(begun, size, head, tail, file) if begun else ({}, "")
        if inner:  # what lies inside tells all; the byte signatures of containers only tell less
            return Answer((), self._named(self._best(inner)), extension, "", trouble)
        if size <= len(head):
            found = self.match(head, tail)
        else:
            found, unread = self._of_large(size, head, tail, file)
            trouble = trouble or unread
        encoding = "" if found else encoding_of(head, tail, size)
        return Answer(self._named(self._best(found)), (), extension, encoding, trouble)

    def match(self, head: bytes, tail: bytes) -> dict[str, int]:
        """The PUIDs whose byte signatures match, inferior ones among them; how many bytes their signature asks for."""
        return self._matching(self._gates.candidates(head, tail), head, tail)

    def _matching(self, numbers: Iterable[int], head: bytes, tail: bytes) -> dict[str, int]:
        seen = Seen()
        found: dict[str, int] = {}
        for number in numbers:
            puid = self._puids[number]
            if puid not in found and all(one.matches(head, tail, seen) for one in self._matchers[number]):
                found[puid] = self._asked[number]
        return found

    def _of_large(self, size: int, head: bytes, tail: bytes, file: BinaryIO | None) -> tuple[dict[str, int], str]:
        """What matches in a file that is larger than its windows, and what could not be looked at.

        Signatures that may match in its middle are tried on all of it: a PDF/A's claim may lie anywhere.
        """
        near = [number for number in self._gates.candidates(head, tail) if number not in self._far_places]
        found = self._matching(near, head, tail)
        far = [self._far[place] for place in self._far_gates.candidates(head, tail)]
        whole, trouble = head + tail, ""
        if far and file is not None and size <= _WHOLE:
            try:
                file.seek(0)
                whole = file.read(size)
            except OSError as error:
                trouble = str(error)
        return found | self._matching(far, whole, whole), trouble

    def _best(self, found: Mapping[str, int]) -> list[str]:
        """Without those that another found one goes before; those whose signature asks for most bytes first."""
        puids = [p for p in found if not any(p in self._formats[q].superior_to for q in found if q in self._formats)]
        return sorted(puids, key=lambda p: (-found[p], _pronom_order(p))) if len(puids) > 1 else puids

    def _of_extension(self, extension: str) -> tuple[Candidate, ...]:
        """The formats of a file name's extension, made when first asked for."""
        known = self._extensions.get(extension)
        if known is None:
            found = self._by_extension.get(extension, [])
            if not found:
                return ()
            best, general = self._best(dict.fromkeys(found, 0)), GENERAL_TEXT.get(extension)
            known = self._extensions[extension] = self._named([p for p in found if p == general or p in best])
        return known

    def _candidate(self, one: PronomFormat) -> Candidate:
        return Candidate(one.puid, one.name, one.version, one.mime, one.extensions, one.puid in self._signed)

    def _named(self, puids: Iterable[str]) -> tuple[Candidate, ...]:
        return tuple(self._candidates[puid] for puid in puids if puid in self._candidates)


def _pronom_order(puid: str) -> tuple[bool, int]:
    number = puid.rpartition("/")[2]
    return puid.startswith("x-"), int(number) if number.isdigit() else 0
