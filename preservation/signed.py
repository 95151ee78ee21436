"""Whether a file may be signed: told by a search of bytes, which is no parsing, so that others cost no check."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import BinaryIO

ASIDE = (".p7s", ".p7m")
"""How files end that hold a signature of the file whose name stands before that."""

_CHUNK = 1 << 20
_HEAD = 1024
_OVERLAP = 64
_CMS = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
_PEM = (b"-----BEGIN PKCS7", b"-----BEGIN CMS")


def _escaped(name: bytes) -> bytes:
    """A PDF name as it may be written: any byte also as ``#xx`` (ISO 32000-1 §7.3.5)."""
    return b"/" + b"".join(
        b"(?:%c|#(?i:%02x))" % (byte, byte) if chr(byte).isalnum() else b"%c" % byte for byte in name
    )


# The bytes that are signed are all of the file but the signature's own, so the range stands in no compressed object.
_RANGE = re.compile(_escaped(b"ByteRange"))
_NAMESPACE = b"www.w3.org/2000/09/xmldsig"
_XML_SIGNATURE = re.compile(
    b"|".join(map(re.escape, (_NAMESPACE, *(_NAMESPACE.decode().encode(name) for name in ("utf-16-le", "utf-16-be")))))
)


def signed_aside(name: str) -> str | None:
    """What the file of this name would be a signature of, by its name; None when it is no such file."""
    return name[:-4] if name[-4:].lower() in ASIDE else None


def may_be_signed(name: str, head: bytes, whole: Callable[[], BinaryIO | None]) -> bool:
    """Whether a check of signatures would have anything to say of a file that begins with ``head``.

    ``whole`` opens it from its start; it is asked only of files whose beginning does not settle it. Where it gives None
    (the file is not at hand) nobody can say that it is not signed.
    """
    if signed_aside(name) is not None or _is_cms(head):
        return True
    found = _RANGE if b"%PDF-" in head[:_HEAD] else _XML_SIGNATURE if _is_xml(head) else None
    if found is None:
        return False
    file = whole()
    return file is None or _has(file, found)


def _is_cms(head: bytes) -> bool:
    return (head[:1] == b"\x30" and _CMS in head[:32]) or head[:_HEAD].lstrip().startswith(_PEM)


def _is_xml(head: bytes) -> bool:
    return head[:_HEAD].lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith(b"<")


def _has(file: BinaryIO, pattern: re.Pattern[bytes]) -> bool:
    rest = b""
    while chunk := file.read(_CHUNK):
        if pattern.search(rest + chunk):
            return True
        rest = chunk[-_OVERLAP:]
    return False
