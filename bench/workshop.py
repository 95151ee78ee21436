"""What the workshop costs: ``python -m bench workshop``.

The same task on the same file in this process, in a child of the workshop that is kept, and in a new child for each
file; and what it takes until a child has started and has loaded what a task needs.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from preservation.formats.task import arguments_of
from preservation.identification.data import default_signatures
from preservation.identification.identifier import equipment_of as identification
from preservation.identification.port import WINDOW
from preservation.signatures.checker import equipment_of as trust
from preservation.signatures.port import Question
from preservation.workshop.local import LocalWorkshop
from preservation.workshop.pool import ChildWorkshop
from preservation.workshop.port import TaskLimits, Values, Workshop
from tests.builders.deeds import MODULE
from tests.builders.pdfs import typeset
from tests.builders.samples import PDF_14, word_document
from tests.builders.signatures import NOW, authority, pdf, sign
from tests.preservation.looking import specimen

_LIMITS = TaskLimits(600.0, 600)
_TESTS = Path(__file__).resolve().parents[1] / "tests"
_NEW = 3


@dataclass(frozen=True, slots=True)
class Work:
    """A task on one file; ``data`` None: on none."""

    name: str
    task: str
    arguments: Values
    data: bytes | None = None


def work() -> Iterator[Work]:
    """What is measured."""
    yield Work("nothing: the way there and back", f"{MODULE}:nothing", {})
    yield Work("nothing, with two windows of 128 KiB", f"{MODULE}:nothing", {"a": bytes(WINDOW), "b": bytes(WINDOW)})
    yield Work("nothing, with an open file", f"{MODULE}:nothing", {}, PDF_14)
    identify = "preservation.identification.task:identify"
    word = word_document()
    yield Work("identify a PDF of 92 bytes", identify, {"name": "a.pdf", "size": len(PDF_14), "head": PDF_14})
    yield Work("identify a DOCX of 700 bytes", identify, {"name": "a.docx", "size": len(word), "head": word}, word)
    large = os.urandom(WINDOW)
    windows = {"name": "a.bin", "size": 10 * WINDOW, "head": large, "tail": large[::-1]}
    yield Work("identify 1.3 MB of random bytes", identify, windows)
    page = typeset()
    inspect = "preservation.formats.task:inspect"
    yield Work(f"inspect a PDF/A page of {len(page) // 1000} kB", inspect, arguments_of(specimen("pdf", page)), page)
    signed = sign(pdf())
    asked = Question(io.BytesIO(), NOW, NOW).arguments()
    yield Work("judge a signed PDF (B-B)", "preservation.signatures.task:check", asked, signed)


def run(rounds: int = 3) -> str:
    """Two tables."""
    logging.disable(logging.CRITICAL)
    lines = [
        "### The same task here and in the workshop",
        "",
        f"µs a task: the tenth percentile, the best of {rounds} rounds, interleaved; {os.cpu_count()} cores",
        "",
        "| | in this process | in a child that is kept | of it the workshop | in a new child for each file |",
        "|---|---|---|---|---|",
    ]
    equipment = identification(default_signatures()) | trust(authority().store())
    here = LocalWorkshop(equipment)
    with _child(equipment) as kept:
        for one in work():
            costs = _costs(one, here, kept, equipment, rounds)
            print(f"  {one.name}: {costs}", file=sys.stderr)
            own, warm, new = costs
            lines.append(f"| {one.name} | {own:,.0f} | {warm:,.0f} | {warm - own:,.0f} | {new:,.0f} |")
        lines += ["", "### Until a child is ready", "", "| | ms |", "|---|---|"]
        lines += [f"| {name} | {cost:,.0f} |" for name, cost in _starts(equipment)]
    return "\n".join([*lines, ""])


def _costs(one: Work, here: Workshop, kept: Workshop, equipment: Values, rounds: int) -> tuple[float, float, float]:
    with _file(one.data) as files:
        own, warm, new = [], [], []
        for _ in range(rounds):
            own.append(_each(partial(here.run, one.task, one.arguments, files)))
            warm.append(_each(partial(kept.run, one.task, one.arguments, files, _LIMITS)))
            with _child(equipment) as fresh:
                new.append(_once(partial(fresh.run, one.task, one.arguments, files, _LIMITS)))
        return min(own), min(warm), min(new)


def _starts(equipment: Values) -> Iterator[tuple[str, float]]:
    yield "it is started and has confined itself", _start(equipment, None)
    for one in work():
        if one.task.startswith("preservation"):
            yield f"it has done its first: {one.name}", _start(equipment, one)


def _start(equipment: Values, one: Work | None) -> float:
    """ms, the best of several."""
    costs = []
    for _ in range(_NEW):
        with _child(equipment) as child, _file(one and one.data) as files:
            act = child.confinement if one is None else partial(child.run, one.task, one.arguments, files, _LIMITS)
            costs.append(_once(act) / 1000)
    return min(costs)


def _each(act: Callable[[], object], seconds: float = 0.5) -> float:
    """µs of one, after a first that is not counted: a tenth of them were faster, so that what else the machine does
    counts little."""
    act()
    ends, costs = time.perf_counter() + seconds, [_once(act)]
    while time.perf_counter() < ends:
        costs.append(_once(act))
    return sorted(costs)[len(costs) // 10]


def _once(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1e6


@contextmanager
def _child(equipment: Values) -> Iterator[ChildWorkshop]:
    paths = default_signatures()
    workshop = ChildWorkshop(equipment, children=1, readable=[paths.binary, paths.container, _TESTS])
    try:
        yield workshop
    finally:
        workshop.close()


@contextmanager
def _file(data: bytes | None) -> Iterator[list[BinaryIO]]:
    with tempfile.TemporaryFile() as file:
        file.write(data or b"")
        yield [] if data is None else [file]
