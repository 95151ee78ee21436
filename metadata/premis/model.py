"""What a PREMIS 3.0 document of ours says of objects; events and agents are those of ``metadata.events``."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from metadata.characteristics import Facts
from metadata.holdings import Format
from metadata.outcomes import Validity

NAMESPACE = "http://www.loc.gov/premis/v3"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

# Words in formatNote, so that a Format comes back as it was.
NOT_LOOKED = "not looked at"
NAMELESS = "the name is the media type"
VALIDITY = "validity="

# Facts that PREMIS has units of their own for.
APPLICATION, ENCRYPTED = "application", "encrypted"
INHIBITOR = "password protection"

# Types of the identifiers that link an event to its AIP version and its store; all others are the event's links.
VERSION_LINK, STORE_LINK = "AIP version", "store"


class Category(StrEnum):
    """PREMIS 3's objectCategory. The values are the names of the schema's types, which stand in ``xsi:type``."""

    FILE = "file"
    REPRESENTATION = "representation"
    INTELLECTUAL_ENTITY = "intellectualEntity"


@dataclass(frozen=True, slots=True)
class PremisSignature:
    """PREMIS's ``signature``: what a digital signature in or beside a file is, and what was found of it.

    ``value`` is in ``encoding`` (``base64``), empty when it could not be read; ``rules`` say by what it was judged;
    ``properties`` are (name, value), names without ``=``.
    """

    encoding: str
    signer: str
    method: str
    value: str
    rules: str
    properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PremisObject:
    """One object. ``identifier_type`` in TT 05 is File, Doc, Pic or Media for files.

    ``original_name`` may be any name, also one that XML cannot hold. ``size``, the digests and the format are of
    files only; ``format`` None means that nobody has looked, which is not the same as "unidentified". So are
    ``validity`` (None: nobody looked), ``facts`` and ``signatures``.
    """

    identifier_type: str
    identifier: str
    category: Category = Category.FILE
    original_name: str = ""
    size: int | None = None
    sha256: bytes = b""
    sha512: bytes = b""
    format: Format | None = None
    validity: Validity | None = None
    facts: Facts = field(default_factory=Facts)
    signatures: tuple[PremisSignature, ...] = ()
