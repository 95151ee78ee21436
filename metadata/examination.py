"""``data/examination/`` of an AIP: what the archive's checks found in its files (``docs/aip-format.md`` §5).

Lines of JSON in member order, so that a reader who goes through the members needs to hold one line at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from metadata.canonical import canonical
from metadata.characteristics import Characteristics
from metadata.holdings import Format

FOLDER = "data/examination/"
FILES = f"{FOLDER}files.jsonl"
TEXT = f"{FOLDER}text.jsonl"
LONGEST_LINE = 8 << 20
"""Bytes of the longest line: 2^20 characters of text, of which JSON makes at most six bytes each, and a path."""


def evidence_path(number: int) -> str:
    """Where the evidence of the signatures of member ``number`` lies."""
    return f"{FOLDER}signatures/{number}.json"


def report_path(number: int) -> str:
    """Where their validation report (ETSI TS 119 102-2) lies."""
    return f"{FOLDER}signatures/{number}.xml"


@dataclass(frozen=True, slots=True)
class ExaminedFile:
    """What was found of one member: its number and path in the AIP, format, characteristics, codes of remarks."""

    number: int
    path: str
    format: Format | None
    characteristics: Characteristics
    remarks: tuple[str, ...] = ()

    def line(self) -> bytes:
        """As a line of ``files.jsonl``."""
        found = None if self.format is None else _format(self.format)
        told = {"number": self.number, "path": self.path, "format": found, "remarks": list(self.remarks)}
        return encode({**told, **self.characteristics.fields()}) + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Self:
        """Inverse of :meth:`line`; the format's name is left out. Raises ValueError."""
        known = _read(line)
        try:
            return cls(
                int(known["number"]),
                str(known["path"]),
                None,
                Characteristics.of_fields(known),
                tuple(map(str, known["remarks"])),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not what was found of a file: {error}") from error


@dataclass(frozen=True, slots=True)
class FileText:
    """The words of one member, as they were taken out of it."""

    number: int
    path: str
    text: str = field(repr=False)

    def line(self) -> bytes:
        """As a line of ``text.jsonl``."""
        return encode({"number": self.number, "path": self.path, "text": self.text}) + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Self:
        """Inverse of :meth:`line`. Raises ValueError."""
        known = _read(line)
        try:
            return cls(int(known["number"]), str(known["path"]), str(known["text"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not the text of a file: {error}") from error


def encode(document: Mapping[str, Any]) -> bytes:
    """Canonical JSON; a lone surrogate, which UTF-8 does not have, is written as JSON's escape of it."""
    return canonical(document).encode("utf-8", "backslashreplace")


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines in ``chunks``, without their ends. Raises ValueError for one that is longer than any of ours."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
        if len(rest) > LONGEST_LINE:
            raise ValueError(f"a line of more than {LONGEST_LINE} bytes")
    if rest:
        yield rest


def _format(value: Format) -> dict[str, Any]:
    puid = None if value.puid is None else value.puid.value
    return {
        "puid": puid,
        "name": value.name,
        "version": value.version,
        "mime": value.mime,
        "basis": value.basis,
        "warning": value.warning,
    }


def _read(line: bytes) -> Mapping[str, Any]:
    try:
        known = json.loads(line)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if not isinstance(known, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one error for all that a line can be
    return known
