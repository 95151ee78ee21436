"""What a METS document says of the files it references, against the files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from metadata.eark.fingerprints import Fingerprints
from metadata.eark.line_ends import DIGEST_LENGTHS, MOST_BYTES, chunks_of, digest_of, original_size
from metadata.eark.names import HREF
from metadata.eark.requirements import Report
from metadata.package_tree import PackageTree

_SIZE_DIGITS = 18
_HEXADECIMAL = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class ReferenceRules:
    """The requirements about one kind of reference: that its file is there, its size, its digest."""

    href: str
    size: str
    checksum: str


class References:
    """The references of one METS document. ``folder`` is where it lies (``""`` or ends with ``/``).

    ``referenced`` collects every path that was found. With ``digests`` the files (paths: those) are read and their
    digests compared.
    """

    def __init__(
        self, tree: PackageTree, folder: str, referenced: Fingerprints, digests: bool | Collection[str]
    ) -> None:
        self._tree = tree
        self._folder = folder
        self._referenced = referenced
        self._digests = digests
        self._listed: tuple[str, dict[str, str]] = ("", {})

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
        """``facts`` has SIZE, CHECKSUM, CHECKSUMTYPE and ``place`` xlink:href: of mdRef they are one, of file two.

        A file whose name differs in letter case only is not the one referenced, but it is the one that was meant: its
        size and digest are judged too.
        """
        href = place.get(HREF, "")
        path = self.locate(href) if href else None
        size = self._tree.size_of(path) if path is not None else None
        if path is not None and size is None:
            path = self._alike(path)
            size = self._tree.size_of(path) if path is not None else None
            report.add(rules.href, at, f"{href} ≠ {path}" if path else href)
        elif path is None:
            report.add(rules.href, at, href)
        if path is not None and size is not None:
            self._referenced.add(path)
        else:
            path = None
        expected = self._checksum(rules, facts, report, at)
        self._content(rules, facts.get("SIZE", ""), expected, path, size, report, at)

    def _alike(self, path: str) -> str | None:
        folder, slash, name = path.rpartition("/")
        if self._listed[0] != folder + slash or not self._listed[1]:
            names = self._tree.children(folder + slash) if not folder or self._tree.has_folder(folder + slash) else []
            self._listed = (folder + slash, {one.casefold(): one for one in names if not one.endswith("/")} or {"": ""})
        found = self._listed[1].get(name.casefold())
        return folder + slash + found if found else None

    def _checksum(
        self, rules: ReferenceRules, facts: Mapping[str, str], report: Report, at: str
    ) -> tuple[str, str] | None:
        """Algorithm and digest as declared; None when there is none that can be computed."""
        said, kind = facts.get("CHECKSUM", "").lower(), facts.get("CHECKSUMTYPE", "")
        if not said:
            report.add(rules.checksum, at)
        elif kind in DIGEST_LENGTHS:
            if len(said) == DIGEST_LENGTHS[kind] and _HEXADECIMAL.issuperset(said):
                return kind, said
            report.add(rules.checksum, at, facts["CHECKSUM"])
        return None

    def _content(
        self,
        rules: ReferenceRules,
        said: str,
        expected: tuple[str, str] | None,
        path: str | None,
        size: int | None,
        report: Report,
        at: str,
    ) -> None:
        is_size = said.isascii() and said.isdigit() and len(said) <= _SIZE_DIGITS
        wrong_size = is_size and size is not None and int(said) != size
        found = self._digest(path, expected[0], report) if path and expected and self._wanted(path) else None
        wrong_digest = expected is not None and found is not None and found != expected[1]
        if path and expected and size is not None and size <= MOST_BYTES and (wrong_size or wrong_digest):
            original = self._original_size(path, *expected)
            if original is not None:
                report.add("LINE-ENDINGS", path)
                wrong_digest, wrong_size, size = False, is_size and int(said) != original, original
        if not is_size or wrong_size:
            report.add(rules.size, at, f"{said} ≠ {size}" if wrong_size else said)
        if wrong_digest and expected is not None:
            report.add(rules.checksum, at, f"{expected[1]} ≠ {found}")

    def _wanted(self, path: str) -> bool:
        return self._digests if isinstance(self._digests, bool) else path in self._digests

    def _digest(self, path: str, kind: str, report: Report) -> str | None:
        try:
            with self._tree.open(path) as stream:
                return digest_of(chunks_of(stream), kind)
        except OSError as error:
            report.about(path).unreadable(error)
            return None

    def _original_size(self, path: str, kind: str, said: str) -> int | None:
        try:
            with self._tree.open(path) as stream:
                return original_size(stream.read(MOST_BYTES + 1), kind, said)
        except OSError:
            return None


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
    try:
        text = unquote_to_bytes(href).decode() if "%" in href else href
    except UnicodeDecodeError:  # no name in a package is other than Unicode
        return None
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
