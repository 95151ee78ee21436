"""Problems as people and programs are told of them; the sentences are in ``problems.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from access.content import OutsideFileError
from metadata.errors import Busy, Damaged, NotFound, TemporaryError
from metadata.text import Sentence


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong: its code, the HTTP status, what happened, what was not lost, what to do."""

    code: str
    status: int
    title: Sentence
    what: Sentence
    kept: Sentence
    todo: Sentence

    @property
    def sentence(self) -> Sentence:
        """What happened and what to do."""
        return Sentence(f"{self.what.vi} {self.todo.vi}", f"{self.what.en} {self.todo.en}")


@cache
def problems() -> Mapping[str, Problem]:
    """Every problem by code."""
    data = tomllib.loads((resources.files("access") / "problems.toml").read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            code: Problem(
                code,
                entry["status"],
                *(Sentence(entry[part]["vi"], entry[part]["en"]) for part in ("title", "what", "kept", "todo")),
            )
            for code, entry in data.items()
        }
    )


def problem_of(error: Exception) -> Problem:
    """The problem that an error means to the one who asked. The error's own text is not shown."""
    kinds: tuple[tuple[type[Exception], str], ...] = (
        (NotFound, "not-found"),
        (OutsideFileError, "range"),
        (Damaged, "damaged"),
        (Busy, "busy"),
        (TemporaryError, "unavailable"),
    )
    return problems()[next((code for kind, code in kinds if isinstance(error, kind)), "internal")]


def problem_of_status(status: int) -> Problem:
    """The problem that a bare HTTP status means."""
    codes = {401: "sign-in", 403: "forbidden", 404: "not-found", 405: "method", 413: "too-large", 503: "unavailable"}
    return problems()[codes.get(status, "request" if 400 <= status < 500 else "internal")]
