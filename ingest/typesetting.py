"""Typesetting PDF/A-2b, in a process of its own when it is asked for: what lays out pages never gives its memory back.

``python -m ingest.typesetting <package> <template> <time> <0 or 1: the machine's fonts>`` reads the content as JSON and
writes the PDF. Templates are ``*.typ`` files in packages; content reaches them as data, never as markup.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from pathlib import Path

_NO_GLYPH = 3
_MINUTES = 10


class GlyphMissingError(Exception):
    """No font has a character of the content, and PDF/A has no place for one without a glyph."""


@dataclass(frozen=True, slots=True)
class Template:
    """The file ``name`` in ``package``; it finds its content as JSON in ``sys.inputs.content``."""

    package: str
    name: str


def typeset(
    template: Template, content: str, moment: datetime, *, system_fonts: bool = False, apart: bool = True
) -> bytes:
    """The document as PDF/A-2b; ``moment`` is the document's time. The same arguments give the same bytes.

    Raises GlyphMissingError; OSError when the process that was to do it could not.
    """
    if not apart:
        return _typeset(template, content, moment, system_fonts=system_fonts)
    root = Path(__file__).resolve().parents[1]
    arguments = [template.package, template.name, moment.isoformat(), str(int(system_fonts))]
    try:
        done = subprocess.run(  # noqa: S603 -- our own module; what comes from outside goes in by the pipe
            [sys.executable, "-P", "-m", "ingest.typesetting", *arguments],
            input=content.encode("utf-8"),
            capture_output=True,
            timeout=_MINUTES * 60,
            check=False,
            env={"PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{template.name} was not typeset in {_MINUTES} minutes") from error
    if done.returncode == _NO_GLYPH:
        raise GlyphMissingError
    if done.returncode or not done.stdout.startswith(b"%PDF-"):
        raise OSError(f"{template.name} was not typeset: exit code {done.returncode}")
    return done.stdout


def _typeset(template: Template, content: str, moment: datetime, *, system_fonts: bool) -> bytes:
    import typst

    try:
        made = typst.compile(
            (resources.files(template.package) / template.name).read_bytes(),
            format="pdf",
            pdf_standards=["a-2b"],
            ignore_system_fonts=not system_fonts,
            timestamp=moment,
            sys_inputs={"content": content},
        )
    except typst.TypstError as error:
        raise GlyphMissingError(str(error)) from error
    return bytes(made)


def main() -> None:
    """The process of its own."""
    package, name, moment, fonts = sys.argv[1:]
    content = sys.stdin.buffer.read().decode("utf-8")
    try:
        made = _typeset(Template(package, name), content, datetime.fromisoformat(moment), system_fonts=fonts == "1")
    except GlyphMissingError:
        sys.exit(_NO_GLYPH)
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
