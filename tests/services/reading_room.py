"""``tangthu serve`` as a process of its own, and a visitor who has come in."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services.chromium import Page

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class ReadingRoom:
    """Where it is served (without a slash at the end) and the token that opens it."""

    address: str
    token: str

    def enter(self, page: Page) -> None:
        """Sign in through the form, as a person does."""
        page.open(self.address + "/login")
        page.write("#token", self.token)
        page.follow(".login .button")


@contextmanager
def served(home: Path) -> Iterator[ReadingRoom]:
    """Serve the archive at ``home`` on a free port of 127.0.0.1; the process is gone at the end."""
    program = [sys.executable, "-c", "from administration.cli import main; main()", "--home", str(home)]
    with subprocess.Popen(
        [*program, "serve", "--no-worker", "--host", "127.0.0.1", "--port", "0", "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            text = ""
            while not text.endswith("}\n"):
                line = process.stdout.readline()
                assert line, "tangthu serve ended before it served"
                text += line
            answer = json.loads(text)
            yield ReadingRoom(answer["address"].rstrip("/"), answer["token"])
        finally:
            process.terminate()
            process.wait(timeout=60)
