"""What the checks of ingest found of the members of an AIP, read back in step with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn

from metadata.characteristics import Characteristics
from metadata.examination import FILES, ExaminedFile, lines
from metadata.holdings import Member


class ExaminedMembers:
    """The lines of ``data/examination/files.jsonl`` (none, in an AIP that is older than they) beside the members.

    ``refuse`` raises: what it is given is the path at which the two tell different things.
    """

    def __init__(self, chunks: Iterable[bytes], refuse: Callable[[str], NoReturn]) -> None:
        self._refuse = refuse
        self._files = self._read(chunks)
        self._next = next(self._files, None)

    def of(self, member: Member) -> Characteristics | None:
        """What was found of it; None when nobody looked. Members come in their order."""
        found = self._next
        if found is None or found.number != member.number:
            return None
        if found.path != member.path:
            self._refuse(member.path)
        self._next = next(self._files, None)
        return found.characteristics

    def end(self) -> None:
        """Every line must have been of a member."""
        if self._next is not None:
            self._refuse(self._next.path)

    def _read(self, chunks: Iterable[bytes]) -> Iterator[ExaminedFile]:
        try:
            for line in lines(chunks):
                yield ExaminedFile.read(line)
        except ValueError:
            self._refuse(FILES)
