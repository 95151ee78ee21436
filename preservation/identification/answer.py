"""What the engine answers of one file: every format that may be meant, and by what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Candidate:
    """A format that may be the answer. ``extensions`` are lower-case, without the dot.

    ``signed``: PRONOM has a signature for it, so that a file which matches none is hardly of it.
    """

    puid: str
    name: str
    version: str
    mime: str
    extensions: tuple[str, ...]
    signed: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """All that matched, each list with what asks for most bytes first; ``trouble`` says what could not be looked at.

    ``encoding`` is that of the text which the contents are when no signature matches: in IANA's name, or ``x-tcvn3``,
    ``x-vni``; empty when they are no text, or nobody looked.
    """

    signature: tuple[Candidate, ...] = ()
    container: tuple[Candidate, ...] = ()
    extension: tuple[Candidate, ...] = ()
    encoding: str = ""
    trouble: str = ""

    def fields(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def of_fields(cls, known: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`fields`. Raises KeyError, TypeError, ValueError."""
        lists = {key: tuple(_candidate(item) for item in known[key]) for key in ("signature", "container", "extension")}
        return cls(**lists, encoding=str(known["encoding"]), trouble=str(known["trouble"]))


def _candidate(item: Mapping[str, Any]) -> Candidate:
    words = [str(item[key]) for key in ("puid", "name", "version", "mime")]
    return Candidate(words[0], words[1], words[2], words[3], tuple(map(str, item["extensions"])), bool(item["signed"]))
