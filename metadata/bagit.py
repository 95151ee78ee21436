"""BagIt tag files (RFC 8493 and its drafts 0.93–0.97): declaration, bag-info, manifests, fetch. Streaming, strict."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from metadata.identifiers import Algorithm
from metadata.refusal import DocumentRefused

LINE_LIMIT = 65_536  # characters in one line of a tag file
DECLARATION_LIMIT = 1000  # bytes of bagit.txt
TAG_LIMIT = 10_000  # tags in one bag-info.txt
INFO_LIMIT = 8_000_000  # characters of one bag-info.txt
_BOMS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MANIFEST_LINE = re.compile(r"(?P<digest>[0-9A-Fa-f]+)[ \t]+(?P<path>\S.*)", re.DOTALL)
_FETCH_LINE = re.compile(
    r"(?P<url>[A-Za-z][A-Za-z0-9+.-]*:\S+)[ \t]+(?P<length>-|[0-9]{1,18})[ \t]+(?P<path>\S.*)", re.DOTALL
)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_BARE_PERCENT = re.compile(r"%(?!0[Aa]|0[Dd]|25)")
_MANIFEST_NAME = re.compile(r"(?P<tag>tag)?manifest-(?P<algorithm>[^/]+)\.txt", re.IGNORECASE)
_ENCODING_NAMES = re.compile(
    r"utf-(8|16|16-le|16-be|32|32-le|32-be)|ascii|iso8859-\d+|cp125\d|big5|gb18030|euc_jp|shift_jis"
)


class BagSyntax(DocumentRefused):
    """A tag file that does not follow RFC 8493. ``code`` begins with ``BAG-``."""


@dataclass(frozen=True, slots=True)
class BagRules:
    """What one version of BagIt says where versions differ."""

    version: str
    info: str = "bag-info.txt"
    asterisk: bool = False  # "*" of md5sum's binary mode may stand before a path; where not, it is an error
    percent: bool = True  # %0A and %0D stand for LF and CR
    percent_itself: bool = False  # %25 stands for %
    every_manifest_complete: bool = False  # each payload manifest lists every payload file
    strict_tags: bool = False  # "Label: value" with no space before the colon and one after it
    repeats: bool = True  # a manifest may list a file twice, if with one digest
    tag_manifests_complete: bool = False  # each tag manifest lists every payload manifest and no tag manifest


BAGIT_VERSIONS = {
    rules.version: rules
    for rules in (
        BagRules("0.93", info="package-info.txt", asterisk=True, percent=False),
        BagRules("0.94", info="package-info.txt", asterisk=True, percent=False),
        BagRules("0.95", info="package-info.txt", asterisk=True, percent=False),
        BagRules("0.96", asterisk=True, percent=False),
        BagRules("0.97", asterisk=True),
        BagRules(
            "1.0",
            percent_itself=True,
            every_manifest_complete=True,
            strict_tags=True,
            repeats=False,
            tag_manifests_complete=True,
        ),
    )
}
CURRENT = BAGIT_VERSIONS["1.0"]


@dataclass(frozen=True, slots=True)
class BagDeclaration:
    """``bagit.txt``. ``encoding`` is a codec name that Python knows."""

    version: str
    encoding: str

    @property
    def rules(self) -> BagRules:
        """What this version says. Only versions in BAGIT_VERSIONS are ever declared."""
        return BAGIT_VERSIONS[self.version]


@dataclass(frozen=True, slots=True)
class ManifestLine:
    """One line of a manifest: the path decoded and relative to the bag's root, the digest as written.

    ``remarks`` are the codes of findings about how the path was written.
    """

    path: str
    digest_hex: str
    line_number: int
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FetchLine:
    """One line of ``fetch.txt``: the URL as written (nothing ever opens it), bytes or None, the path decoded."""

    url: str
    length: int | None
    path: str
    line_number: int
    remarks: tuple[str, ...] = ()


BAGIT_TXT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def read_declaration(data: bytes, place: str = "bagit.txt") -> BagDeclaration:
    """Read ``bagit.txt`` (RFC 8493 §2.1.1). Raises BagSyntax: BAG-DECLARATION, BAG-VERSION, BAG-ENCODING, BAG-BOM."""
    if data.startswith(_BOMS):
        raise BagSyntax("BAG-BOM", place)
    lines = re.split("\r\n|\r|\n", data.decode("utf-8", "replace"))
    pairs = [line.split(":", 1) for line in lines if line.strip()]
    names = [pair[0] for pair in pairs]
    if (
        len(data) > DECLARATION_LIMIT
        or names != ["BagIt-Version", "Tag-File-Character-Encoding"]
        or any(len(pair) != 2 for pair in pairs)
    ):
        raise BagSyntax("BAG-DECLARATION", place)
    version, encoding = (pair[1].strip() for pair in pairs)
    if version not in BAGIT_VERSIONS:
        raise BagSyntax("BAG-VERSION", place, version=version)
    strict = BAGIT_VERSIONS[version].strict_tags
    if strict and len(lines) - (lines[-1] == "") != len(pairs):
        raise BagSyntax("BAG-DECLARATION", place)
    if strict and any(not pair[1].startswith(" ") or pair[1] != f" {pair[1].strip()}" for pair in pairs):
        raise BagSyntax("BAG-DECLARATION", place)
    return BagDeclaration(version, _codec(encoding, place))


def _codec(name: str, place: str) -> str:
    with suppress(LookupError):
        found = codecs.lookup(name).name
        if _ENCODING_NAMES.fullmatch(found):
            return found
    raise BagSyntax("BAG-ENCODING", place, encoding=name)


def manifest_algorithm(name: str) -> tuple[str, bool] | None:
    """Algorithm (lower case, as named) and whether it is a tag manifest; None when ``name`` is no manifest's name.

    The algorithm may be one that no :class:`Algorithm` is; see :func:`known_algorithm`.
    """
    match = _MANIFEST_NAME.fullmatch(name)
    return (match["algorithm"].lower(), bool(match["tag"])) if match else None


def known_algorithm(name: str) -> Algorithm | None:
    """The algorithm a manifest's name means (``sha-256`` and ``sha256`` are one), or None."""
    lower = name.lower()
    with suppress(ValueError):
        return Algorithm(lower.replace("-", "", 1) if lower.startswith(("sha-", "md-")) else lower)
    return None


def _lines(stream: BinaryIO, encoding: str, place: str) -> Iterator[tuple[int, str]]:
    """Lines without their ends (LF, CR or CRLF) and their numbers from 1."""
    text = io.TextIOWrapper(stream, encoding=encoding, errors="strict", newline="")
    number = 0
    try:
        while line := text.readline(LINE_LIMIT + 2):
            number += 1
            if number == 1 and line.startswith("\ufeff"):
                raise BagSyntax("BAG-BOM", place)
            if len(line) > LINE_LIMIT:
                raise BagSyntax("BAG-LINE-TOO-LONG", place, line=number, limit=LINE_LIMIT)
            yield number, line.rstrip("\r\n")
    except UnicodeError as error:
        raise BagSyntax("BAG-UNDECODABLE", place, line=number + 1, encoding=encoding) from error
    finally:
        with suppress(ValueError):  # the caller may have closed the stream already
            text.detach()


def iter_manifest(
    stream: BinaryIO, place: str, *, encoding: str = "utf-8", rules: BagRules = CURRENT
) -> Iterator[ManifestLine]:
    """Read a payload or tag manifest line by line (RFC 8493 §2.1.3), flat in memory; the stream is left open.

    Raises BagSyntax: BAG-MANIFEST-LINE, BAG-PATH-OUTSIDE, BAG-BOM, BAG-UNDECODABLE, BAG-LINE-TOO-LONG. Whether the
    digest has the right length is for who knows the algorithm (``Digest.parse``).
    """
    for number, line in _lines(stream, encoding, place):
        if not line.strip():
            continue
        match = _MANIFEST_LINE.fullmatch(line)
        if match is None:
            raise BagSyntax("BAG-MANIFEST-LINE", place, line=number)
        path, remarks = _written_path(match["path"], rules)
        if leaves_root(path):
            raise BagSyntax("BAG-PATH-OUTSIDE", place, line=number, path=path)
        yield ManifestLine(path, match["digest"], number, remarks)


def iter_fetch(
    stream: BinaryIO, place: str = "fetch.txt", *, encoding: str = "utf-8", rules: BagRules = CURRENT
) -> Iterator[FetchLine]:
    """Read ``fetch.txt`` line by line (RFC 8493 §2.2.3), flat in memory; the stream is left open. Nothing is fetched.

    Raises BagSyntax: BAG-FETCH-LINE, BAG-PATH-OUTSIDE, BAG-BOM, BAG-UNDECODABLE, BAG-LINE-TOO-LONG.
    """
    for number, line in _lines(stream, encoding, place):
        if not line.strip():
            continue
        match = _FETCH_LINE.fullmatch(line)
        if match is None:
            raise BagSyntax("BAG-FETCH-LINE", place, line=number)
        path, remarks = _written_path(match["path"], rules)
        if leaves_root(path):
            raise BagSyntax("BAG-PATH-OUTSIDE", place, line=number, path=path)
        length = None if match["length"] == "-" else int(match["length"])
        yield FetchLine(match["url"], length, path, number, remarks)


def _written_path(written: str, rules: BagRules) -> tuple[str, tuple[str, ...]]:
    """The path that a line means, and the codes of what is odd about how it is written."""
    if written[0] not in "*." and "%" not in written:
        return written, ()
    remarks: list[str] = []
    if written.startswith("*" if rules.asterisk else "*data/"):
        written = written[1:]
        remarks.append("BAG-ASTERISK" if rules.asterisk else "BAG-ASTERISK-STRICT")
    if rules.percent_itself and _BARE_PERCENT.search(written):
        remarks.append("BAG-PERCENT")
    path = decode_path(written, rules)
    if path.startswith("./"):
        path = path[2:]
        remarks.append("BAG-DOT-SLASH")
    return path, tuple(remarks)


def leaves_root(path: str) -> bool:
    """Whether a path in a manifest is absolute, begins with ``~``, is empty or has ``.``, ``..`` or empty segments.

    It is looked at as Unix does and as Windows does.
    """
    if not path or path[0] in "/~" or "\0" in path or _DRIVE.match(path):
        return True
    if "\\" in path and any(segment == ".." for segment in path.replace("\\", "/").split("/")):
        return True
    if "//" not in path and "/." not in path and path[0] != "." and path[-1] != "/":
        return False
    return any(segment in ("", ".", "..") for segment in path.split("/"))


def decode_path(written: str, rules: BagRules = CURRENT) -> str:
    """A manifest's path decoded once: only %0D, %0A and (1.0) %25, of either case; nothing else (RFC 8493 §2.1.3)."""
    if "%" not in written or not rules.percent:
        return written
    known = r"%(0[Aa]|0[Dd]|25)" if rules.percent_itself else r"%(0[Aa]|0[Dd])"
    return re.sub(known, lambda match: chr(int(match[1], 16)), written)


def encode_path(path: str) -> str:
    """``path`` as BagIt 1.0 writes it."""
    return path.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def manifest_line(digest: bytes, path: str) -> bytes:
    """One line of a manifest: lower-case hexadecimal, two spaces, the encoded path, LF. UTF-8."""
    return f"{digest.hex()}  {encode_path(path)}\n".encode()


def read_tag_file(
    stream: BinaryIO, encoding: str = "utf-8", place: str = "bag-info.txt", *, strict: bool = True
) -> list[tuple[str, str]]:
    """Read ``bag-info.txt`` (RFC 8493 §2.2.2): labels and values in order, labels may repeat, continuations joined.

    ``strict`` (BagIt 1.0) wants no space before the colon and one after it; older drafts do not.
    Raises BagSyntax: BAG-TAG-LINE, BAG-TAG-MANY, BAG-BOM, BAG-UNDECODABLE, BAG-LINE-TOO-LONG.
    """
    tags: list[tuple[str, str]] = []
    total = 0
    for number, line in _lines(stream, encoding, place):
        total += len(line) + 1
        if total > INFO_LIMIT or len(tags) > TAG_LIMIT:
            raise BagSyntax("BAG-TAG-MANY", place, tags=TAG_LIMIT, characters=INFO_LIMIT)
        if not line.strip():
            continue
        if line[0] in " \t":
            if not tags:
                raise BagSyntax("BAG-TAG-LINE", place, line=number)
            label, value = tags[-1]
            if len(value) + len(line) > LINE_LIMIT:
                raise BagSyntax("BAG-LINE-TOO-LONG", place, line=number, limit=LINE_LIMIT)
            tags[-1] = (label, f"{value} {line.strip()}")
            continue
        label, colon, value = line.partition(":")
        loose = label != label.rstrip() or not (value == "" or value[0] in " \t")
        if not colon or not label.strip() or (strict and loose):
            raise BagSyntax("BAG-TAG-LINE", place, line=number)
        tags.append((label.strip(), value.strip()))
    return tags


def write_tag_file(tags: Iterable[tuple[str, str]]) -> bytes:
    """``bag-info.txt`` in UTF-8. Line ends in a value become continuation lines. Raises ValueError for a bad label."""
    lines: list[str] = []
    for label, value in tags:
        if not label or label != label.strip() or any(c in label for c in ":\r\n"):
            raise ValueError(f"not a BagIt tag label: {label!r}")
        first, *rest = [part.strip() for part in value.splitlines() if part.strip()] or [""]
        lines.append(f"{label}: {first}")
        lines += [f"  {part}" for part in rest]
    return "".join(f"{line}\n" for line in lines).encode("utf-8")
