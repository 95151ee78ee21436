"""Typesetting a list, in a process of its own when it is long: what lays out pages never gives its memory back.

``python -m ingest.packing.typesetting <time> <0 or 1: the machine's fonts>`` reads the list as JSON and writes the PDF.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from importlib import resources
from pathlib import Path

_NO_GLYPH = 3
_MINUTES = 10


class GlyphMissingError(Exception):
    """No font has a character of the list, and PDF/A has no place for one without a glyph."""


def typeset(content: str, moment: datetime, *, system_fonts: bool, apart: bool) -> bytes:
    """The list as PDF/A-2b; ``content`` is what ``muc-luc.typ`` expects as JSON, ``moment`` the document's time.

    Raises GlyphMissingError; OSError when the process that was to do it could not.
    """
    if not apart:
        return _typeset(content, moment, system_fonts=system_fonts)
    root = Path(__file__).resolve().parents[2]
    arguments = [moment.isoformat(), str(int(system_fonts))]
    try:
        done = subprocess.run(  # noqa: S603 -- our own module; what comes from outside goes in by the pipe
            [sys.executable, "-P", "-m", "ingest.packing.typesetting", *arguments],
            input=content.encode("utf-8"),
            capture_output=True,
            timeout=_MINUTES * 60,
            check=False,
            env={"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"the list was not typeset in {_MINUTES} minutes") from error
    if done.returncode == _NO_GLYPH:
        raise GlyphMissingError
    if done.returncode or not done.stdout.startswith(b"%PDF-"):
        raise OSError(f"the list was not typeset: exit code {done.returncode}")
    return done.stdout


def _typeset(content: str, moment: datetime, *, system_fonts: bool) -> bytes:
    import typst

    try:
        made = typst.compile(
            (resources.files("ingest.packing") / "muc-luc.typ").read_bytes(),
            format="pdf",
            pdf_standards=["a-2b"],
            ignore_system_fonts=not system_fonts,
            timestamp=moment,
            sys_inputs={"list": content},
        )
    except typst.TypstError as error:
        raise GlyphMissingError from error
    return bytes(made)


def main() -> None:
    """The process of its own."""
    moment, fonts = sys.argv[1:]
    try:
        made = _typeset(
            sys.stdin.buffer.read().decode("utf-8"), datetime.fromisoformat(moment), system_fonts=fonts == "1"
        )
    except GlyphMissingError:
        sys.exit(_NO_GLYPH)
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
