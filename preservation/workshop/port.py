"""What a workshop is asked and answers.

A *task* is a function of some module of ours that takes files from outside as open streams and answers with plain
values. It is named ``package.module:function`` and runs in a child process that can be killed; what it is given beside
the files is its *equipment*, handed over once when the child starts (signature files, trust stores), and *tools* that
it makes of it once and keeps. A module of tasks may have a function ``prepare(tools)``: it is called once in a child
before the first of them, and counts toward the limits of no file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, TypeVar

T = TypeVar("T")

Values = Mapping[str, Any]
"""What JSON can hold, and ``bytes``."""


@dataclass(frozen=True, slots=True)
class TaskLimits:
    """What one task may cost: seconds by the clock, seconds of CPU time."""

    seconds: float = 30.0
    cpu_seconds: int = 30


class WorkLost(Exception):
    """The child died over a task, or was killed when its time was over (``late``). The next task gets a new child."""

    def __init__(self, *, late: bool) -> None:
        super().__init__("late" if late else "died")
        self.late = late


class Tools(Protocol):
    """What a child has for its tasks."""

    @property
    def equipment(self) -> Values:
        """As given to the workshop."""
        ...

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What ``make`` gave when it was first asked for under this name in this child."""
        ...


Task = Callable[[Tools, Values, Sequence[BinaryIO]], Values]
"""``task(tools, arguments, files)``: the files are open for reading and seekable; it need not close them. It may raise
anything: that is :class:`WorkLost` to the caller, though the child lives on."""


class Workshop(Protocol):
    """Runs tasks, as many at a time as it has children. Any thread may use it."""

    def run(
        self, task: str, arguments: Values, files: Sequence[BinaryIO] = (), limits: TaskLimits | None = None
    ) -> Values:
        """Blocks until the answer or the limit. Raises WorkLost."""
        ...

    def close(self) -> None:
        """End the children."""
        ...
