"""What commands say: a document for programs or sentences for people on standard output; progress beside it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from textwrap import indent
from typing import TYPE_CHECKING, TextIO

from metadata.errors import TangThuError
from metadata.findings import visible
from metadata.text import Sentence

if TYPE_CHECKING:
    from administration.work.plan import Failure

_UNSHOWN = re.compile("[\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What JSON need not escape, but would move a terminal's cursor, turn text round, or fail to encode."""
Advance = Callable[[str, int, int], None]
"""Told what is being done (a key of its own for each bar), how much of how much is done."""


class Output:
    """One for each command. With ``as_json`` nothing but one JSON document goes to standard output."""

    def __init__(self, *, as_json: bool, out: TextIO | None = None, error: TextIO | None = None) -> None:
        self.as_json = as_json
        self._out = out or sys.stdout
        self._error = error or sys.stderr

    def document(self, data: Mapping[str, object]) -> None:
        """The result for programs; nothing when a person reads."""
        if self.as_json:
            self._json(_dumped(data) + "\n")
            self._out.flush()

    def say(self, vi: str, en: str = "", mark: str = "") -> None:
        """A sentence for a person, Vietnamese first; nothing when a program reads."""
        if not self.as_json:
            self._out.write(f"{mark} {plain(vi)}\n".lstrip() if mark else f"{plain(vi)}\n")
            if en:
                self._out.write(f"{'  ' if mark else ''}{self._faint(plain(en))}\n")
            self._out.flush()

    def line(self, text: str = "") -> None:
        """A line that is the same in every language."""
        if not self.as_json:
            self._out.write(f"{plain(text)}\n")

    def trouble(self, error: TangThuError | Failure) -> None:
        """An error: what happened, and each finding; on standard error for people."""
        from administration.work.plan import Failure

        failure = Failure.of(error) if isinstance(error, TangThuError) else error
        if self.as_json:
            self.document({"error": failure.to_json()})
            return
        self._complain(failure.sentence)
        for finding in failure.findings:
            if isinstance(finding, dict):
                self._complain(Sentence(f"  {finding['code']}  {finding['vi']}", f"  {finding['en']}"))

    def _complain(self, sentence: Sentence) -> None:
        self._error.write(f"✗ {plain(sentence.vi)}\n  {plain(sentence.en)}\n")

    def _json(self, text: str) -> None:
        self._out.write(_UNSHOWN.sub(lambda match: f"\\u{ord(match.group()):04x}", text))

    def _faint(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self._out.isatty() else text

    @contextmanager
    def listing(self, head: Mapping[str, object], key: str) -> Iterator[Callable[[Mapping[str, object]], None]]:
        """A document whose last entry is a list, of any length: each item is written when it is added."""
        if not self.as_json:
            yield lambda _: None
            return
        self._json(_dumped({**head, key: []}).removesuffix("]\n}"))
        before = "\n"

        def add(item: Mapping[str, object]) -> None:
            nonlocal before
            self._json(before + indent(_dumped(item), "  "))
            before = ",\n"

        yield add
        self._json("]\n}\n" if before == "\n" else "\n ]\n}\n")
        self._out.flush()

    @contextmanager
    def progress(self, *, count_bytes: bool = True, with_lines: bool = False) -> Iterator[Advance]:
        """Progress bars, on a terminal only; of bytes, or of things. Not there where lines go ``with_lines``."""
        if not self._error.isatty() or (with_lines and self._out.isatty()):
            yield lambda *_: None
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            ProgressColumn,
            TaskID,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        amount: tuple[ProgressColumn, ...] = (MofNCompleteColumn(),)
        if count_bytes:
            amount = DownloadColumn(), TransferSpeedColumn()
        columns = (TextColumn("{task.description}"), BarColumn(), *amount, TimeRemainingColumn())
        with Progress(*columns, console=Console(file=self._error), transient=True) as bars:
            tasks: dict[str, TaskID] = {}

            def advance(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(visible(what, 50), total=total or None)
                bars.update(tasks[what], completed=done, total=total or None)

            yield advance


def _dumped(data: Mapping[str, object]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1)


def plain(text: str) -> str:
    """Text that may come from outside, for a terminal: it cannot move the cursor, turn text round or fail to encode."""
    return "\n".join(visible(line, len(line)) for line in text.split("\n"))


def size_text(size: int) -> str:
    """Decimal units, as people read them."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}".replace(".", ",")
        value /= 1000
    raise AssertionError("unreachable")
