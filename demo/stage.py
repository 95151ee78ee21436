"""Where the story is told: sentences, commands run as a newcomer would type them, and expectations that must hold."""

from __future__ import annotations

import io
import json
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from administration.cli import run
from metadata.errors import TangThuError
from metadata.text import Sentence


class StoryBrokenError(TangThuError):
    """Something did not happen as told: a defect, not part of the story."""


class Stage:
    """Tells, runs and checks. ``home`` is the archive of the story."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._began = time.monotonic()
        self._colour = sys.stdout.isatty()

    def chapter(self, number: int, vi: str, en: str) -> None:
        """The heading of a step."""
        clock = f"{time.monotonic() - self._began:.0f} s"
        self._print(f"\n{self._style('1;31', f'{number}.')} {self._style('1', vi)} {self._style('2', f'({clock})')}")
        self._print(f"   {self._style('2', en)}\n")

    def tell(self, vi: str, en: str) -> None:
        """A sentence in both languages."""
        self._print(f"   {vi}\n   {self._style('2', en)}")

    def show(self, *lines: str) -> None:
        """Lines to look at."""
        for line in lines:
            self._print(f"     {line}")

    def command(self, *arguments: str, code: int = 0, lines: int = 60, typed: Sequence[str] | None = None) -> str:
        """Run ``tangthu``, show what it prints (at most ``lines``), and hold it to its exit code."""
        self._print(f"   {self._style('36', '$ tangthu ' + shlex.join(typed or arguments))}")
        shown = io.StringIO()
        with redirect_stdout(shown):
            found = run(["--home", str(self.home), *arguments])
        printed = shown.getvalue().splitlines()
        self.show(*printed[:lines], *([f"… (+{len(printed) - lines})"] if len(printed) > lines else []))
        self.expect(found == code, f"tangthu {arguments[0]}: {found} ≠ {code}")
        return shown.getvalue()

    def ask(self, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 -- the JSON that a command answers
        """Run ``tangthu … --json`` behind the scenes and give its document."""
        shown = io.StringIO()
        with redirect_stdout(shown):
            found = run(["--home", str(self.home), *arguments, "--json"])
        self.expect(found == code, f"tangthu {arguments[0]}: {found} ≠ {code}\n{shown.getvalue()[:2000]}")
        return json.loads(shown.getvalue())

    def expect(self, condition: bool, what: str) -> None:
        """Raise StoryBrokenError unless the condition holds."""
        if not condition:
            raise StoryBrokenError(Sentence(f"Câu chuyện không diễn ra như kể: {what}", f"Not as told: {what}"))

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """A progress bar, on a terminal."""
        if not self._colour:
            yield lambda done, total: None
            return
        from rich.progress import Progress

        with Progress(transient=True) as bars:
            task = bars.add_task(what)
            yield lambda done, total: bars.update(task, completed=done, total=total)

    def _style(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def _print(self, text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
