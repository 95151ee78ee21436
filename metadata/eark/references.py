"""What a METS document says of the files it references, against the files."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from metadata.eark.fingerprints import Fingerprints
from metadata.eark.names import HREF
from metadata.eark.requirements import Report
from metadata.eark.vocabularies import in_vocabulary
from metadata.package_tree import PackageTree

_CHUNK = 1 << 20
_HASHLIB = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_CHECKS: dict[str, Callable[[bytes, int], int]] = {"CRC32": zlib.crc32, "Adler-32": zlib.adler32}
_LENGTHS = {"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-384": 96, "SHA-512": 128, "CRC32": 8, "Adler-32": 8}
_SIZE_DIGITS = 18


@dataclass(frozen=True, slots=True)
class ReferenceRules:
    """The requirements about one kind of reference: that its file is there, its size, its digest."""

    href: str
    size: str
    checksum: str


class References:
    """The references of one METS document. ``folder`` is where it lies (``""`` or ends with ``/``).

    ``referenced`` collects every path that was found. With ``digests`` the files are read and their digests compared.
    """

    def __init__(self, tree: PackageTree, folder: str, referenced: Fingerprints, digests: bool) -> None:
        self._tree = tree
        self._folder = folder
        self._referenced = referenced
        self._digests = digests

    def locate(self, href: str) -> str | None:
        """The path in the package that ``href`` means, whether or not there is such a file; None for outside."""
        return resolve(self._folder, href)

    def exists(self, href: str) -> bool:
        """Whether the file is there; if so, it counts as referenced."""
        path = self.locate(href)
        if path is None or self._tree.size_of(path) is None:
            return False
        self._referenced.add(path)
        return True

    def judge(
        self, rules: ReferenceRules, facts: Mapping[str, str], place: Mapping[str, str], report: Report, at: str
    ) -> None:
        """``facts`` has SIZE, CHECKSUM, CHECKSUMTYPE and ``place`` xlink:href: of mdRef they are one, of file two."""
        href = place.get(HREF, "")
        path = self.locate(href) if href else None
        size = self._tree.size_of(path) if path is not None else None
        if path is None or size is None:
            report.add(rules.href, at, href)
        else:
            self._referenced.add(path)
        self._size(rules.size, facts.get("SIZE", ""), size, report, at)
        self._checksum(rules.checksum, facts, path if size is not None else None, report, at)

    def _size(self, requirement: str, said: str, size: int | None, report: Report, at: str) -> None:
        if not (said.isascii() and said.isdigit() and len(said) <= _SIZE_DIGITS):
            report.add(requirement, at, said)
        elif size is not None and int(said) != size:
            report.add(requirement, at, f"{said} ≠ {size}")

    def _checksum(self, requirement: str, facts: Mapping[str, str], path: str | None, report: Report, at: str) -> None:
        said, kind = facts.get("CHECKSUM", "").lower(), facts.get("CHECKSUMTYPE", "")
        if not said:
            report.add(requirement, at)
            return
        if not in_vocabulary("checksum_type", kind) or kind not in _LENGTHS:
            return
        if len(said) != _LENGTHS[kind] or not all(c in "0123456789abcdef" for c in said):
            report.add(requirement, at, facts["CHECKSUM"])
        elif self._digests and path is not None:
            found = self._digest(path, kind, report)
            if found is not None and found != said:
                report.add(requirement, at, f"{said} ≠ {found}")

    def _digest(self, path: str, kind: str, report: Report) -> str | None:
        try:
            with self._tree.open(path) as stream:
                return digest_of(stream, kind)
        except OSError as error:
            report.about(path).unreadable(error)
            return None


def digest_of(stream: BinaryIO, kind: str) -> str:
    """The digest in hexadecimal, by the name that METS has for the algorithm. Raises what ``stream`` raises."""
    if kind in _HASHLIB:
        digest = hashlib.new(_HASHLIB[kind], usedforsecurity=False)
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
        return digest.hexdigest()
    check, value = _CHECKS[kind], 1 if kind == "Adler-32" else 0
    while chunk := stream.read(_CHUNK):
        value = check(chunk, value)
    return f"{value:08x}"


def resolve(folder: str, href: str) -> str | None:
    """The path in the package that a relative ``href`` in a METS of ``folder`` means; None when it leads outside.

    ``file:`` before a relative path, as older E-ARK tools write it, is taken off; ``..`` may lead up to the root only.
    """
    for prefix in ("file://./", "file:./", "file:"):
        if href.startswith(prefix):
            href = href[len(prefix) :]
            break
    if not href or href[0] == "/" or ":" in href.partition("/")[0]:
        return None
    text = unquote_to_bytes(href).decode("utf-8", "surrogateescape") if "%" in href else href
    if "./" not in text and "//" not in text and text[-1] != "." and "\0" not in text:
        return folder + text
    parts = folder.split("/")[:-1]
    for part in text.split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part == ".." or not part or "\0" in part:
            return None
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
