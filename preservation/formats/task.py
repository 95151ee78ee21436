"""The task of looking into one file: runs in a child of the workshop, and knows which module to ask."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import PurePath
from types import ModuleType
from typing import Any, BinaryIO

from metadata.findings import Severity, finding_rules, visible
from metadata.holdings import Format
from metadata.identifiers import Puid
from metadata.outcomes import Validity
from preservation.formats.families import family_of
from preservation.formats.port import TEXT_LIMIT, Inspection, Remark, Specimen
from preservation.workshop.port import Tools

_BREAKING = frozenset({"FORMAT-BROKEN", "FORMAT-DAMAGED"})
_BLINDING = frozenset({"FORMAT-ENCRYPTED", "FORMAT-SWOLLEN", "FORMAT-UNREADABLE"})


class Broken(Exception):
    """The file is not what its format says it must be; the message, in English, says why."""


def arguments_of(specimen: Specimen) -> dict[str, Any]:
    """A specimen as what crosses to the child."""
    of = specimen.format
    return {
        "name": specimen.name,
        "size": specimen.size,
        "format": [str(of.puid or ""), of.name, of.version, of.mime, of.basis, of.warning],
        "head": specimen.head,
        "tail": specimen.tail,
    }


def specimen_of(arguments: Mapping[str, Any]) -> Specimen:
    """Inverse of :func:`arguments_of`. Raises KeyError, ValueError."""
    puid, *named = arguments["format"]
    format = Format(Puid(puid) if puid else None, *named)
    return Specimen(arguments["name"], arguments["size"], format, arguments["head"], arguments["tail"])


def inspect(tools: Tools, arguments: Mapping[str, Any], files: Sequence[BinaryIO]) -> Mapping[str, Any]:
    """The task: one specimen and, when it is at hand, its file. Answers with the fields of an Inspection."""
    del tools
    return look(specimen_of(arguments), files[0] if files else None).fields()


def look(specimen: Specimen, file: BinaryIO | None) -> Inspection:
    """Ask the module of the specimen's family. Raises only what ends the process.

    What the family's own libraries say against the file (``REFUSALS``, :class:`Broken`) makes it INVALID; any other
    exception is a failure of ours to look, UNREADABLE: running out of memory or of stack too.
    """
    family = family_of(specimen.format)
    if family is None:
        return Inspection()
    if family.whole and file is None:
        return Inspection(remarks=(Remark("FORMAT-TOO-LARGE"),))
    module: ModuleType = import_module(f"preservation.formats.{family.module}")
    try:
        found: Inspection = module.inspect(specimen, file)
    except (*module.REFUSALS, Broken) as error:
        return broken(str(error) or type(error).__name__)
    except Exception as error:  # noqa: BLE001 - a parser's bug costs this file only
        return unreadable(error)
    return replace(found, text=readable(found.text))


def judged(remarks: Sequence[Remark]) -> Validity:
    """What a file is by what was remarked of it: INVALID when something is broken, UNREADABLE when something could not
    be looked at, VALID_WITH_NOTES when anything is graver than a note."""
    codes = {one.code for one in remarks}
    if codes & _BREAKING:
        return Validity.INVALID
    if codes & _BLINDING:
        return Validity.UNREADABLE
    graver = any(finding_rules()[one.code].severity is not Severity.NOTE for one in remarks)
    return Validity.VALID_WITH_NOTES if graver else Validity.VALID


def broken(reason: str) -> Inspection:
    """The answer for a file that its format's reader refuses."""
    return Inspection(Validity.INVALID, (Remark("FORMAT-BROKEN", {"reason": visible(reason)}),))


def unreadable(error: Exception) -> Inspection:
    """The answer when the checker failed, for the developer with the line of ours where it happened."""
    logging.getLogger(__name__).info("a file could not be looked into", exc_info=error)
    place, trace = type(error).__name__, error.__traceback__
    while trace is not None:
        file = PurePath(trace.tb_frame.f_code.co_filename)
        if file.parent.name == "formats":
            place = f"{type(error).__name__}, {file.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return Inspection(Validity.UNREADABLE, (Remark("FORMAT-UNREADABLE", {"reason": place}),))


def readable(text: str) -> str:
    """Text from outside as it may be kept: bounded, valid Unicode, without NUL; nothing else of it is changed."""
    return text[:TEXT_LIMIT].replace("\0", "").encode("utf-8", "replace").decode("utf-8")
