"""Signatures judged in a workshop."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import Any

from preservation.signatures.outcomes import reason
from preservation.signatures.port import Question, SignatureReport
from preservation.signatures.trust import TrustStore
from preservation.workshop.pool import ChildWorkshop
from preservation.workshop.port import TaskLimits, WorkLost, Workshop

LIMITS = TaskLimits(seconds=45.0, cpu_seconds=40)
LARGEST = 1 << 29
_TASK = "preservation.signatures.task:check"


def equipment_of(store: TrustStore) -> dict[str, Any]:
    """What the task needs."""
    return {"trust": store.to_json()}


class PyHankoChecker:
    """A SignatureChecker: pyHanko and our own checks, in a child of the workshop. Safe to use from several threads.

    A ``workshop`` that is given is the caller's to close, and its equipment has what :func:`equipment_of` gives.
    Without one, it has its own, of one child. A file on which the child dies or takes longer than the limit is
    UNREADABLE, and so is one of more than ``largest`` bytes: pyHanko may hold a file in memory.
    """

    def __init__(
        self,
        store: TrustStore,
        workshop: Workshop | None = None,
        limits: TaskLimits = LIMITS,
        largest: int = LARGEST,
    ) -> None:
        self._limits, self._largest = limits, largest
        self._own = ExitStack()
        if workshop is None:
            workshop = ChildWorkshop(equipment_of(store), children=1)
            self._own.callback(workshop.close)
        self._workshop = workshop

    def check(self, question: Question) -> SignatureReport:
        """Blocks until the answer or the limit; see the class."""
        if max(os.fstat(file.fileno()).st_size for file in question.files) > self._largest:
            return SignatureReport(reasons=(reason("SIG-FILE-TOO-LARGE"),))
        try:
            answer = self._workshop.run(_TASK, question.arguments(), question.files, self._limits)
            return SignatureReport.of_fields(answer)
        except WorkLost as lost:
            return SignatureReport(reasons=(reason("SIG-FILE-STALLED" if lost.late else "SIG-FILE-CRASHED"),))
        except (KeyError, TypeError, ValueError, AttributeError):
            return SignatureReport(reasons=(reason("SIG-FILE-CRASHED"),))

    def close(self) -> None:
        """End what is its own."""
        self._own.close()
