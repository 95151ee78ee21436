"""Office files, old and new, and EPUB: which reader looks is told by how the file begins."""

from __future__ import annotations

import re
from typing import BinaryIO

from metadata.outcomes import Validity
from preservation.formats.epub import inspect_epub
from preservation.formats.office_odf import inspect_odf
from preservation.formats.office_ole import inspect_ole
from preservation.formats.office_ooxml import inspect_ooxml
from preservation.formats.ole_contents import SIGNATURE
from preservation.formats.port import Inspection, Remark, Specimen
from preservation.formats.task import Broken
from preservation.formats.xml_walk import TooMuch
from preservation.formats.zip_contents import Swollen, ZipContents

REFUSALS: tuple[type[Exception], ...] = ()

_RELATIONS = "_rels/.rels"
_ZIPPED = re.compile(r"openxmlformats|opendocument|epub|macroenabled", re.IGNORECASE)


def inspect(specimen: Specimen, file: BinaryIO | None) -> Inspection:
    """See :mod:`preservation.formats.task`."""
    if file is None:
        return Inspection(remarks=(Remark("FORMAT-TOO-LARGE"),))
    try:
        if specimen.head.startswith(SIGNATURE):
            return inspect_ole(file)
        if not specimen.head.startswith(b"PK") and not _ZIPPED.search(specimen.format.mime):
            return Inspection()  # Office before it used compound files: nobody looks into those
        return _zipped(ZipContents(file))
    except TooMuch as much:
        return Inspection(Validity.UNREADABLE, (Remark("FORMAT-UNREADABLE", {"reason": str(much)}),))
    except Swollen as swollen:
        return Inspection(Validity.UNREADABLE, (Remark("FORMAT-SWOLLEN", {"limit": str(swollen)}),))


def is_office(contents: ZipContents) -> bool:
    """Whether a ZIP that nobody has told from others is an office file, perhaps with a fault. Raises Broken."""
    if _RELATIONS in contents.members and "[Content_Types].xml" in contents.members:
        return b"/officeDocument" in contents.read(_RELATIONS)
    return contents.order[:1] == ["mimetype"] and b"opendocument" in contents.read("mimetype")


def _zipped(contents: ZipContents) -> Inspection:
    if "[Content_Types].xml" in contents.members:
        return inspect_ooxml(contents)
    if "mimetype" in contents.members:
        mimetype = contents.read("mimetype", 1000).strip()
        return inspect_epub(contents) if mimetype == b"application/epub+zip" else inspect_odf(contents)
    raise Broken("neither [Content_Types].xml nor mimetype is in it")
