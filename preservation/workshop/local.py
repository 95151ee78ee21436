"""A workshop in this process, for tests: nothing confines it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from preservation.workshop import wire
from preservation.workshop.port import TaskLimits, Values, WorkLost
from preservation.workshop.tools import Bench


class LocalWorkshop:
    """A Workshop without children. Its values cross as they would between processes."""

    def __init__(self, equipment: Values | None = None) -> None:
        self._bench = Bench(_crossed(equipment or {}))

    def run(
        self, task: str, arguments: Values, files: Sequence[BinaryIO] = (), limits: TaskLimits | None = None
    ) -> Values:
        """See Workshop; limits do not hold."""
        del limits
        arguments = _crossed(arguments)
        for file in files:
            file.seek(0)
        try:
            found = self._bench.known(task) or self._bench.find(task)
            return _crossed(found(self._bench, arguments, files))
        except Exception as error:
            raise WorkLost(late=False) from error

    def close(self) -> None:
        """Nothing to end."""


def _crossed(values: Values) -> Values:
    head, *rest = wire.pack(wire.ANSWER, values)
    _, words, _ = wire.HEAD.unpack_from(head)
    return wire.unpack(memoryview(b"".join([head[wire.HEAD.size :], *rest])), words)
