"""Compound files: Word, Excel and PowerPoint of 97 to 2003, Outlook messages, encrypted Office files.

Words are read where they lie plainly: Word's piece table, Excel's shared strings, PowerPoint's text atoms, a message's
body.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from metadata.characteristics import Facts
from metadata.outcomes import Validity
from preservation.formats.office_excel import Locked, read_workbook
from preservation.formats.office_parts import Words, told
from preservation.formats.ole_contents import OleContents
from preservation.formats.ole_properties import summary
from preservation.formats.port import TEXT_LIMIT, Inspection, Remark
from preservation.formats.task import Broken, judged
from preservation.formats.text_encoding import in_unicode

_MOST = 64 << 20
_MACROS = frozenset({"Macros", "_VBA_PROJECT_CUR", "VBA"})
_ENCRYPTED_PACKAGE = frozenset({"EncryptedPackage", "EncryptionInfo"})
_DDE = ("\x13 DDE", "\x13DDE")
_PIECES_FLAG = 1 << 30


def inspect_ole(file: BinaryIO) -> Inspection:
    """Raises Broken."""
    contents = OleContents(file)
    remarks: list[Remark] = []
    said = summary(contents)
    try:
        text, pages = _words(contents, remarks)
    except Locked:
        facts = Facts(encrypted=True, application=said.application)
        return Inspection(Validity.UNREADABLE, (Remark("FORMAT-ENCRYPTED"),), facts)
    macros = {name for name in contents.storages if name.rpartition("/")[2] in _MACROS}
    remarks += told("FORMAT-MACROS", macros)
    if any(mark in text for mark in _DDE):
        remarks.append(Remark("FORMAT-DDE", {"found": "DDE"}))
    text, legacy = in_unicode(text)
    if legacy:
        remarks.append(Remark("FORMAT-LEGACY-FONT", {"encoding": legacy.upper()}))
    facts = Facts(pages=pages, pages_said=said.pages, application=said.application)
    return Inspection(judged(remarks), tuple(remarks), facts, _shown(text))


def _words(contents: OleContents, remarks: list[Remark]) -> tuple[str, int | None]:
    """The words, and the number of pages where it is counted. Raises Broken, Locked."""
    streams = contents.streams
    if set(streams) >= _ENCRYPTED_PACKAGE:
        raise Locked
    if "WordDocument" in streams:
        try:
            return _word(contents), None
        except (struct.error, KeyError, IndexError, UnicodeError):
            remarks.append(Remark("FORMAT-NO-TEXT", {"reason": "its piece table is not a simple one"}))
            return "", None
    if "PowerPoint Document" in streams:
        return _power_point(contents)
    for name in ("Workbook", "Book"):
        if name in streams:
            try:
                return read_workbook(contents.read(name, _MOST)), None
            except struct.error:
                remarks.append(Remark("FORMAT-NO-TEXT", {"reason": "its table of strings is not what it says"}))
                return "", None
    if "__properties_version1.0" in streams:
        return _message(contents), None
    remarks.append(Remark("FORMAT-NO-TEXT", {"reason": "a compound file whose words nobody reads"}))
    return "", None


def _word(contents: OleContents) -> str:
    """Text by the piece table (MS-DOC 2.4.1). Raises struct.error, KeyError when it is not simple."""
    main = contents.read("WordDocument", _MOST)
    ident, version = struct.unpack_from("<HH", main)
    if ident not in (0xA5EC, 0xA5DC):
        raise Broken("its WordDocument stream does not begin as one")
    (flags,) = struct.unpack_from("<H", main, 10)
    if flags & 0x0100:
        raise Locked
    if version < 0x00C1:  # Word 95 and before: text lies in one piece
        begin, end = struct.unpack_from("<II", main, 24)
        return main[begin : min(end, begin + TEXT_LIMIT)].decode("cp1252", "replace")
    table = contents.read("1Table" if flags & 0x0200 else "0Table", _MOST)
    at, length = struct.unpack_from("<II", main, 0x01A2)
    clx = table[at : at + length]
    at = 0
    while clx[at] == 1:
        at += 3 + struct.unpack_from("<H", clx, at + 1)[0]
    if clx[at] != 2:
        raise KeyError("no pieces")
    (length,) = struct.unpack_from("<I", clx, at + 1)
    count = (length - 4) // 12
    places = struct.unpack_from(f"<{count + 1}I", clx, at + 5)
    words, pieces = Words(), at + 5 + (count + 1) * 4
    for index in range(count):
        if words.full:
            break
        size = min(places[index + 1] - places[index], TEXT_LIMIT)
        (offset,) = struct.unpack_from("<I", clx, pieces + index * 8 + 2)
        if offset & _PIECES_FLAG:
            offset = (offset & ~_PIECES_FLAG) // 2
            words.add(main[offset : offset + max(0, size)].decode("cp1252", "replace"))
        else:
            words.add(main[offset : offset + 2 * max(0, size)].decode("utf-16-le", "replace"))
    return words.text()


def _power_point(contents: OleContents) -> tuple[str, int | None]:
    """Words and number of slides, by one walk over records (MS-PPT 2.3)."""
    user = contents.read("Current User", 64) if "Current User" in contents.streams else b""
    if len(user) >= 16 and struct.unpack_from("<I", user, 12)[0] == 0xF3D1C4DF:
        raise Locked
    data, words, slides, at = contents.read("PowerPoint Document", _MOST), Words(), 0, 0
    while at + 8 <= len(data):
        version, kind, size = struct.unpack_from("<HHI", data, at)
        at += 8
        if version & 0x000F == 0x000F:  # a container: its records follow
            slides += kind == 0x03EE
            continue
        if kind == 0x0FA0:
            words.add(data[at : at + size].decode("utf-16-le", "replace") + "\n")
        elif kind == 0x0FA8:
            words.add(data[at : at + size].decode("latin-1") + "\n")
        at += size
    return words.text(), slides or None


def _message(contents: OleContents) -> str:
    """Subject and body of an Outlook message (MS-OXMSG)."""
    words = Words()
    for tag in ("0037", "0C1A", "0E04", "1000"):
        for kind, encoding in (("001F", "utf-16-le"), ("001E", "cp1252")):
            name = f"__substg1.0_{tag}{kind}"
            if name in contents.streams:
                words.add(contents.read(name, 4 * TEXT_LIMIT).decode(encoding, "replace") + "\n")
                break
    return words.text()


def _shown(text: str) -> str:
    """Without the marks by which Word keeps fields, pictures and cells in its text."""
    return text.translate(_MARKS)


_MARKS = dict.fromkeys(range(32)) | {7: "\t", 9: "\t", 10: "\n", 11: "\n", 12: "\n", 13: "\n"}
