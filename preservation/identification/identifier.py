"""Identification by PRONOM signatures in a workshop."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import Any

from metadata.findings import visible
from metadata.holdings import Format
from metadata.identifiers import Puid
from metadata.text import Sentence
from preservation.identification.answer import Answer
from preservation.identification.choice import unanswered
from preservation.identification.data import SignaturePaths, default_signatures
from preservation.identification.port import IdentifierUnavailable, Sample
from preservation.workshop.pool import ChildWorkshop
from preservation.workshop.port import TaskLimits, WorkLost, Workshop

LIMITS = TaskLimits(seconds=10.0, cpu_seconds=20)
_LONGEST = 2000
_TASK = "preservation.identification.task:identify"
_BY_NAME = "preservation.identification.task:by_name"
_UNAVAILABLE = Sentence(
    "Không xem được tệp nào: tiến trình con không khởi động được hoặc không đọc được tệp chữ ký PRONOM (nhật ký cho "
    "biết lý do). Hãy cài lại tệp chữ ký bằng «tangthu formats update», hoặc dành thêm bộ nhớ, rồi thử lại. Chưa có gì "
    "bị từ chối hay lưu lại.",
    "No file can be looked at: no child process starts, or it cannot read PRONOM's signature files (the log has the "
    "reason). Install the signature files again with “tangthu formats update”, or make memory free, and try again. "
    "Nothing was refused or kept.",
)


def equipment_of(paths: SignaturePaths) -> dict[str, Any]:
    """What these tasks need. The workshop must let its children read both files."""
    return {"signatures": [str(paths.binary.resolve()), str(paths.container.resolve())]}


class PronomIdentifier:
    """An Identifier: PRONOM's signature files, tried in a child of the workshop. Safe to use from several threads.

    A ``workshop`` that is given is the caller's to close; its equipment has what :func:`equipment_of` gives
    and its children may read both files. Without one, it has its own, of one child. A file on which the child dies or
    takes longer than the limit is answered by its extension, with a warning.
    """

    def __init__(
        self,
        workshop: Workshop | None = None,
        signatures: SignaturePaths | None = None,
        limits: TaskLimits = LIMITS,
    ) -> None:
        self._signatures = signatures or default_signatures()
        self._limits = limits
        self._own = ExitStack()
        if workshop is None:
            files = [self._signatures.binary, self._signatures.container]
            workshop = ChildWorkshop(equipment_of(self._signatures), children=1, readable=files)
            self._own.callback(workshop.close)
        self._workshop = workshop

    @property
    def name(self) -> str:
        return self._signatures.version

    def ready(self) -> None:
        """A child starts and reads the signature files. Raises IdentifierUnavailable."""
        try:
            self._workshop.run(_BY_NAME, {"name": "x"}, limits=self._limits)
        except WorkLost as lost:
            raise IdentifierUnavailable(_UNAVAILABLE) from lost

    def identify(self, sample: Sample) -> Format:
        """Blocks until the answer or the limit; see the class."""
        try:
            return self._look(sample)
        except WorkLost as lost:
            why = _why(self._limits.seconds, late=lost.late)
        except (KeyError, TypeError, ValueError, AttributeError):
            why = _why(self._limits.seconds, late=False)
        answer = Answer()
        with suppress(WorkLost, KeyError, TypeError, ValueError, AttributeError):
            answer = Answer.of_fields(self._workshop.run(_BY_NAME, {"name": sample.name}, limits=self._limits))
        return unanswered(sample, answer, why)

    def close(self) -> None:
        """End what is its own."""
        self._own.close()

    def _look(self, sample: Sample) -> Format:
        with ExitStack() as stack:
            files = []
            if sample.spool is not None:
                # Where it is gone the windows say what they can.
                with suppress(OSError):
                    files.append(stack.enter_context(sample.spool.open("rb")))
            return _format(self._workshop.run(_TASK, _arguments(sample), files, self._limits))


def _arguments(sample: Sample) -> dict[str, Any]:
    """What the task is asked: all but the spool; windows that are alike cross once."""
    asked = {"name": sample.name, "size": sample.size, "head": sample.head}
    return asked if sample.tail == sample.head else asked | {"tail": sample.tail}


def _format(answer: Mapping[str, Any]) -> Format:
    """What the task answered. Raises KeyError, TypeError, ValueError for what it never answers."""
    puid, *texts = answer["format"]
    name, version, mime, basis, warning = (visible(one, _LONGEST) for one in texts)
    return Format(Puid(puid) if puid else None, name, version, mime, basis, warning)


def _why(seconds: float, *, late: bool) -> Sentence:
    if late:
        return Sentence(
            f"không nhận dạng xong trong {seconds:g} giây, chỉ xét theo phần mở rộng",
            f"not identified within {seconds:g} s; judged by its extension only",
        )
    return Sentence(
        "chương trình nhận dạng bị dừng khi đọc tệp này, chỉ xét theo phần mở rộng",
        "the identifier was stopped by this file; judged by its extension only",
    )
