"""Looking into files, in children of a workshop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from importlib.metadata import version
from typing import Any, BinaryIO

from metadata.characteristics import Facts
from metadata.findings import finding, visible
from metadata.outcomes import Validity
from preservation.formats.families import families, family_of
from preservation.formats.port import TEXT_LIMIT, Inspection, Remark, Specimen
from preservation.formats.task import arguments_of, judged
from preservation.formats.verapdf import VeraPdf
from preservation.workshop.port import TaskLimits, WorkLost, Workshop

_TASK = "preservation.formats.task:inspect"
_REMARKS = 50
_LIMITS = TaskLimits(seconds=60.0, cpu_seconds=60)
_LARGEST_NUMBER = (1 << 53) - 1


class FormatInspector:
    """An Inspector: asks the workshop. What a file does to the child that reads it costs that file only.

    Nothing that comes back is believed further than it must be: a child that a file has taken over could answer
    anything, so the answer is held to the values that an Inspection can have.
    """

    def __init__(self, workshop: Workshop, limits: TaskLimits = _LIMITS, verapdf: VeraPdf | None = None) -> None:
        self._workshop = workshop
        self._limits = limits
        self._verapdf = verapdf

    @property
    def name(self) -> str:
        libraries = dict.fromkeys(one for family in families() for one in family.libraries)
        named = [f"{one} {version(one)}" for one in libraries]
        return ", ".join([*named, "veraPDF"] if self._verapdf else named)

    def inspect(self, specimen: Specimen, file: BinaryIO | None) -> Inspection:
        """See the port. A format that no family knows is NOT_CHECKED and costs nothing."""
        family = family_of(specimen.format)
        if family is None:
            return Inspection()
        if family.whole and file is None:
            return Inspection(remarks=(Remark("FORMAT-TOO-LARGE"),))
        try:
            answer = self._workshop.run(_TASK, arguments_of(specimen), [] if file is None else [file], self._limits)
            found = believable(answer)
        except WorkLost as lost:
            stalled = Remark("FORMAT-STALLED", {"seconds": f"{self._limits.seconds:g}"})
            return Inspection(Validity.UNREADABLE, (stalled if lost.late else Remark("FORMAT-CRASHED"),))
        except (KeyError, TypeError, ValueError, AttributeError):
            return Inspection(Validity.UNREADABLE, (Remark("FORMAT-CRASHED"),))
        return self._validated(found, file)

    def _validated(self, found: Inspection, file: BinaryIO | None) -> Inspection:
        """With what veraPDF says of a claim, when there is one and it is there."""
        if self._verapdf is None or file is None or not found.facts.claim or found.validity is Validity.UNREADABLE:
            return found
        remark = self._verapdf.judge(file, found.facts.claim)
        if remark is None:
            return found
        remarks = (*found.remarks, remark)
        return replace(found, validity=judged(remarks), remarks=remarks)


def believable(answer: Mapping[str, Any]) -> Inspection:
    """An Inspection out of a child's answer. Raises KeyError, TypeError, ValueError, AttributeError for any other.

    Remarks have known codes and fill their sentences; numbers are such as every store holds; texts are bounded.
    """
    found = Inspection.of_fields(answer)
    for remark in found.remarks:
        if not remark.code.startswith("FORMAT-"):
            raise ValueError(f"{remark.code} is not a remark of a format's")
        finding(remark.code, "", **remark.details)
    found.text.encode("utf-8")
    remarks = (Remark(one.code, {key: visible(text) for key, text in one.details.items()}) for one in found.remarks)
    return Inspection(found.validity, tuple(remarks)[:_REMARKS], _sound(found.facts), found.text[:TEXT_LIMIT])


def _sound(facts: Facts) -> Facts:
    known: dict[str, Any] = {}
    for one in fields(Facts):
        value = getattr(facts, one.name)
        kind = bool if one.name in ("encrypted", "fonts_embedded") else str if one.type == "str" else int
        if value is not None and type(value) is not kind:
            raise TypeError(f"{one.name} is no {kind.__name__}")
        if isinstance(value, str):
            known[one.name] = visible(value)
        elif value is not None and 0 <= value <= _LARGEST_NUMBER:
            known[one.name] = value
    return Facts(**known)
