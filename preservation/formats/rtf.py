"""Rich Text Format: groups that close, what is active in it, what it says."""

from __future__ import annotations

import re
from typing import BinaryIO

from metadata.characteristics import Facts
from preservation.formats.office_parts import Words, told
from preservation.formats.port import Inspection, Remark, Specimen
from preservation.formats.task import Broken, judged
from preservation.formats.text_encoding import in_unicode

REFUSALS: tuple[type[Exception], ...] = ()

_MOST = 64 << 20
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|([^\\{}\r\n]{1,4096})|[\r\n]+", re.S
)
_HIDDEN = frozenset(
    b"fonttbl colortbl stylesheet info pict object themedata colorschememapping latentstyles datastore xmlnstbl "
    b"listtable listoverridetable rsidtbl generator filetbl fldinst objdata".split()
)
_BREAKS = {b"par": "\n", b"line": "\n", b"sect": "\n", b"page": "\n", b"cell": "\t", b"row": "\n", b"tab": "\t"}
_DDE = re.compile(rb"\\fldinst[^}]{0,200}?\b(DDEAUTO|DDE)\b")
_OBJECT = re.compile(rb"\\objdata|\\objocx|\\objlink|\\objupdate")


def inspect(specimen: Specimen, file: BinaryIO | None) -> Inspection:
    """See :mod:`preservation.formats.task`."""
    if file is None or specimen.size > _MOST:
        return Inspection(remarks=(Remark("FORMAT-TOO-LARGE"),))
    data = file.read(_MOST)
    if not data.startswith(b"{\\rt"):
        raise Broken("it does not begin as RTF")
    remarks = [
        *told("FORMAT-DDE", {one.decode() for one in _DDE.findall(data)}),
        *told("FORMAT-MACROS", {one.decode().lstrip("\\") for one in _OBJECT.findall(data) if one == b"\\objocx"}),
        *told("FORMAT-EXTERNAL", {one.decode().lstrip("\\") for one in _OBJECT.findall(data) if one == b"\\objlink"}),
    ]
    text, legacy = in_unicode(_read(data))
    if legacy:
        remarks.append(Remark("FORMAT-LEGACY-FONT", {"encoding": legacy.upper()}))
    return Inspection(judged(remarks), tuple(remarks), Facts(), text)


def _read(data: bytes) -> str:
    """The words. One pass; raises Broken when groups do not close."""
    words, depth, hidden, skip, unicode_skip = Words(), 0, 0, 0, 1
    codec, starred = "cp1252", False
    for found in _TOKEN.finditer(data):
        word, number, code, sign, brace, plain = found.groups()
        if brace == b"{":
            depth += 1
        elif brace == b"}":
            depth -= 1
            hidden = 0 if depth < hidden else hidden
            if depth == 0:
                break
        elif hidden or words.full:
            continue
        elif word in _HIDDEN or (starred and word):
            hidden = depth
        elif word == b"ansicpg" and number in (b"1250", b"1251", b"1258", b"932", b"936", b"874"):
            codec = f"cp{number.decode()}"
        elif word == b"uc":
            unicode_skip = min(int(number or b"1"), 8)
        elif word == b"u" and number:
            words.add(chr(int(number) % 65536))
            skip = unicode_skip
        elif word:
            words.add(_BREAKS.get(word, ""))
        elif code or plain:
            text = bytes([int(code, 16)]).decode(codec, "replace") if code else plain.decode(codec, "replace")
            words.add(text[skip:])
            skip = max(0, skip - len(text))
        elif sign in (b"\\", b"{", b"}", b"~"):
            words.add(" " if sign == b"~" else sign.decode())
        starred = sign == b"*"
    if depth:
        raise Broken("it ends before its groups are closed")
    return words.text()
