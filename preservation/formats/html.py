"""HTML: browsers take any of it, so it is not judged; whether it runs scripts, and what it says."""

from __future__ import annotations

import io
import re
from html import unescape
from typing import BinaryIO

from metadata.characteristics import Facts
from preservation.formats.port import TEXT_LIMIT, Inspection, Remark, Specimen
from preservation.formats.text import encoding_remarks, read_text

REFUSALS: tuple[type[Exception], ...] = ()

_NAME = re.compile(r"<\s*(/?[a-zA-Z!?][a-zA-Z0-9]*)")
_EVENT = re.compile(r"[\s\"'/]on[a-z]{3,30}\s{0,20}=", re.IGNORECASE)
_HIDDEN = ("script", "style")


def inspect(specimen: Specimen, file: BinaryIO | None) -> Inspection:
    """See :mod:`preservation.formats.task`."""
    encoding, source = read_text(specimen, io.BytesIO(specimen.head) if file is None else file)
    words, script = read_html(source)
    remarks = encoding_remarks(encoding)
    if script:
        remarks += (Remark("FORMAT-SCRIPT", {"script": script}),)
    return Inspection(remarks=remarks, facts=Facts(encoding=encoding), text=words)


def read_html(source: str) -> tuple[str, str]:
    """The words of a page, and what in it runs when a browser shows it ("" when nothing does). One pass, linear."""
    source = source[: 4 * TEXT_LIMIT]
    folded = source.lower() if len(source.lower()) == len(source) else source
    words, script, at = [], "", 0
    while True:
        opening = source.find("<", at)
        words.append(source[at : opening if opening >= 0 else len(source)])
        if opening < 0:
            break
        closing = source.find("-->" if source.startswith("<!--", opening) else ">", opening)
        if closing < 0:
            break
        tag = source[opening:closing]
        at = closing + (3 if tag.startswith("<!--") else 1)
        found = _NAME.match(tag)
        name = found.group(1).lower() if found else ""
        script = script or _runs(name, tag)
        words.append(" ")
        if name in _HIDDEN:
            end = folded.find(f"</{name}", at)
            at = len(source) if end < 0 else end
    return unescape("".join(words)), script


def _runs(name: str, tag: str) -> str:
    if name == "script":
        return "<script>"
    if found := _EVENT.search(tag[:10_000]):
        return found.group().strip("\"'/= \t\r\n").lower()
    return "javascript:" if "javascript:" in tag[:10_000].lower() else ""
