"""What a PREMIS 3.0 document of ours says of objects; events and agents are those of ``metadata.events``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from metadata.holdings import Format

NAMESPACE = "http://www.loc.gov/premis/v3"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

# Words in formatNote, so that a Format comes back as it was.
NOT_LOOKED = "not looked at"
NAMELESS = "the name is the media type"


class Category(StrEnum):
    """PREMIS 3's objectCategory. The values are the names of the schema's types, which stand in ``xsi:type``."""

    FILE = "file"
    REPRESENTATION = "representation"
    INTELLECTUAL_ENTITY = "intellectualEntity"


@dataclass(frozen=True, slots=True)
class PremisObject:
    """One object. ``identifier_type`` in TT 05 is File, Doc, Pic or Media for files.

    ``original_name`` may be any name, also one that XML cannot hold. ``size``, the digests and the format are of
    files only; ``format`` None means that nobody has looked, which is not the same as "unidentified".
    """

    identifier_type: str
    identifier: str
    category: Category = Category.FILE
    original_name: str = ""
    size: int | None = None
    sha256: bytes = b""
    sha512: bytes = b""
    format: Format | None = None
