"""What a task has, where it runs: in a child, or in a test's own process."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar, cast

from preservation.workshop.port import Task, Tools, Values

T = TypeVar("T")


class Bench:
    """Tools of one process, and the tasks it has found."""

    def __init__(self, equipment: Values) -> None:
        self._equipment = equipment
        self._made: dict[str, Any] = {}
        self._tasks: dict[str, Task] = {}

    @property
    def equipment(self) -> Values:
        """See Tools."""
        return self._equipment

    def once(self, name: str, make: Callable[[], T]) -> T:
        """See Tools. What raised is made anew when it is asked for again."""
        if name not in self._made:
            self._made[name] = make()
        return cast("T", self._made[name])

    def known(self, name: str) -> Task | None:
        return self._tasks.get(name)

    def find(self, name: str) -> Task:
        """The task of that name, its module's ``prepare`` done. Raises whatever that raises."""
        module_name, _, function = name.partition(":")
        module = import_module(module_name)
        prepare: Callable[[Tools], None] | None = getattr(module, "prepare", None)
        if prepare is not None:
            self.once(f"{module_name}:prepare", lambda: prepare(self))
        task: Task = getattr(module, function)
        self._tasks[name] = task
        return task
