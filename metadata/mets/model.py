"""What a METS document says, as values, and the rules for hrefs and identifiers that reader and writer share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha1
from typing import NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from metadata.identifiers import Algorithm, Digest

NAMESPACE = "http://www.loc.gov/METS/"
XLINK = "http://www.w3.org/1999/xlink"
CSIP = "https://DILCIS.eu/XML/METS/CSIPExtensionMETS"
SIP = "https://DILCIS.eu/XML/METS/SIPExtensionMETS"

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_PLAIN = re.compile(r"[A-Za-z0-9._~/!$&'()*+,;=@-]*")
_SAFE = "/~!$&'()*+,;=@"
_VARIANT = str.maketrans("0123456789ABCDEF", "89AB89AB89AB89AB")


@dataclass(frozen=True, slots=True)
class MetsRoot:
    """The attributes of ``<mets>``, as written; ``""`` for what is not there."""

    objid: str
    type: str = ""
    profile: str = ""
    label: str = ""
    content_information_type: str = ""


@dataclass(frozen=True, slots=True)
class MetsHeader:
    """The attributes of ``<metsHdr>``, as written. ``oais_type`` is SIP, AIP or DIP."""

    created: str = ""
    modified: str = ""
    status: str = ""
    oais_type: str = ""


@dataclass(frozen=True, slots=True)
class MetsAgent:
    """One ``<agent>``. ``notes`` are pairs of csip:NOTETYPE and text."""

    role: str
    type: str
    name: str
    other_type: str = ""
    notes: tuple[tuple[str, str], ...] = ()

    def note(self, kind: str) -> str:
        """The first note of that csip:NOTETYPE, ``""`` when there is none."""
        return next((text for found, text in self.notes if found == kind), "")


@dataclass(frozen=True, slots=True)
class MetsAltRecord:
    """One ``<altRecordID>``."""

    type: str
    value: str


@dataclass(frozen=True, slots=True)
class MetsFile:
    """A ``<file>`` with its ``<FLocat>``, or an ``<mdRef>``, as written. ``use`` is the fileGrp's ``USE``."""

    id: str
    use: str
    href: str
    size: int | None
    mime: str = ""
    checksum_type: str = ""
    checksum: str = ""
    created: str = ""

    @property
    def path(self) -> str | None:
        """The path that ``href`` means, see :func:`local_path`."""
        return local_path(self.href)

    @property
    def digest(self) -> Digest | None:
        """The declared digest; None when none is declared. Raises ValueError when it is not one."""
        return read_digest(self.checksum_type, self.checksum)


@dataclass(frozen=True, slots=True)
class MetsReference:
    """An ``<mdRef>``: a metadata file. ``section`` is dmdSec, digiprovMD, techMD, rightsMD, sourceMD; ``id`` its ID.

    ``label`` is its LABEL, ``title`` its ``xlink:title``.
    """

    section: str
    id: str
    status: str
    href: str
    size: int | None
    md_type: str = ""
    md_type_version: str = ""
    mime: str = ""
    checksum_type: str = ""
    checksum: str = ""
    created: str = ""
    label: str = ""
    title: str = ""

    @property
    def path(self) -> str | None:
        """The path that ``href`` means, see :func:`local_path`."""
        return local_path(self.href)

    @property
    def digest(self) -> Digest | None:
        """The declared digest; None when none is declared. Raises ValueError when it is not one."""
        return read_digest(self.checksum_type, self.checksum)


@dataclass(frozen=True, slots=True)
class MetsPointer:
    """An ``<mptr>``: another METS document, and the label of the div that it is in."""

    label: str
    href: str
    title: str = ""

    @property
    def path(self) -> str | None:
        """The path that ``href`` means, see :func:`local_path`."""
        return local_path(self.href)


@dataclass(frozen=True, slots=True)
class MetsLink:
    """An ``<fptr>`` in a div that names descriptive metadata: this file belongs to those descriptions."""

    label: str
    dmd_ids: tuple[str, ...]
    file_id: str


MetsItem = MetsRoot | MetsHeader | MetsAgent | MetsAltRecord | MetsReference | MetsFile | MetsPointer | MetsLink


class MetsEntry(NamedTuple):
    """A file for a METS to be written. ``path`` is relative to the METS file; ``created`` None means the package's.

    ``document`` is the path (in the same METS) of the metadata file that describes it; "" when there is none.
    Of a metadata file: ``md_type`` and ``md_version`` name its standard ("" for what TT 05 calls EAD), ``label``
    and ``title`` become LABEL and ``xlink:title`` of its mdRef.
    """

    path: str
    size: int
    mime: str
    sha256: bytes
    created: datetime | None = None
    document: str = ""
    md_type: str = ""
    md_version: str = ""
    label: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class MetsPackage:
    """What a METS says of its package.

    ``oais_type`` is SIP, AIP or DIP. ``scope`` keeps the derived IDs of a package's several METS files apart ("root",
    "rep1"). ``type`` is Mixed for a dossier. ``schemas`` is the path from this METS to the ``schemas`` folder.
    ``csip`` asks for the structure of E-ARK CSIP where form A of TT 05 has another: divisions that point to file groups
    and, in a representation, a division for its metadata.
    """

    objid: str
    package: str
    scope: str
    oais_type: str
    profile: str
    label: str
    created: datetime
    agents: tuple[MetsAgent, ...]
    type: str = "Mixed"
    status: str = "NEW"
    content_information_type: str = "MIXED"
    alt_records: tuple[MetsAltRecord, ...] = ()
    schemas: str = "schemas"
    csip: bool = False

    def id(self, role: str, path: str = "") -> str:
        """``uuid-{UUID}``, derived from the package, the METS file, the role and the path: the same every time."""
        return f"uuid-{derived_uuid(self._seed(role, path))}"

    def file_id(self, path: str) -> str:
        """``ID-{UUID}``, the form of IDs of ``<file>``."""
        return f"ID-{derived_uuid(self._seed('file', path))}"

    def _seed(self, role: str, path: str) -> bytes:
        return f"{self.package}\n{self.scope}\n{role}\n{path}".encode("utf-8", "surrogateescape")


def derived_uuid(seed: bytes) -> str:
    """A UUID in upper case, of the layout of version 5, from ``seed``."""
    h = sha1(b"tangthu mets id\n" + seed, usedforsecurity=False).hexdigest().upper()
    return f"{h[:8]}-{h[8:12]}-5{h[13:16]}-{h[16].translate(_VARIANT)}{h[17:20]}-{h[20:32]}"


def path_href(path: str) -> str:
    """``path`` as a relative URI reference: UTF-8, percent-encoded; bytes that were no UTF-8 come out as they were."""
    if _PLAIN.fullmatch(path):
        return path
    return quote_from_bytes(path.encode("utf-8", "surrogateescape"), safe=_SAFE)


def local_path(href: str) -> str | None:
    """The path inside the package that ``href`` means: percent-decoded once, a leading ``./`` taken off.

    None when it has a scheme or a host, is absolute or empty, or has empty, ``.`` or ``..`` segments, before or after
    decoding: such an href points outside.
    """
    if _SCHEME.match(href):
        return None
    path = href.removeprefix("./")
    if "%" in path:
        path = unquote_to_bytes(path).decode("utf-8", "surrogateescape")
    if not path or path[0] == "/" or "\0" in path:
        return None
    if ("//" in path or "." in path or path[-1] == "/") and any(s in ("", ".", "..") for s in path.split("/")):
        return None
    return path


def read_digest(kind: str, text: str) -> Digest | None:
    """The digest of CHECKSUMTYPE and CHECKSUM; None when both are empty. Raises ValueError when they are no digest."""
    if not kind and not text:
        return None
    return Digest.parse(Algorithm(kind.lower().replace("-", "")), text)
