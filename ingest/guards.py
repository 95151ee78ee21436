"""Guards on names and amounts: the cheap checks that come before anything is read (DESIGN §4).

A name is kept exactly or the package is refused; it is never repaired. What is refused is what two systems would read
differently, or what would land outside the package; what is only awkward elsewhere is accepted with a remark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from metadata.findings import Findings

_LETTER = "A-Za-z0-9_\u00c0-\u024f\u1e00-\u1eff"  # Latin with every Vietnamese letter: nothing to remark on
_PLAIN = re.compile(f"[{_LETTER}](?:[{_LETTER} .,()-]*[{_LETTER}()-])?")
_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$)(\..*)?")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_UNPORTABLE = re.compile(r'[<>:"|?*]|[. ]$')
_CONTROL = re.compile("[\x01-\x1f\x7f-\x9f\u2028\u2029\ufdd0-\ufdef\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200d\u2060-\u2064\u3164\ufeff\uffa0]"
)
_PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """What a submission may have at most. Sizes in bytes; ``ratio`` is unpacked to packed, looked at above 1 MiB."""

    files: int = 2_000_000
    bytes: int = 8 << 40
    ratio: int = 200
    ratio_from: int = 1 << 20
    depth: int = 64
    component: int = 255
    path: int = 2048
    lzma_memory: int = 256 << 20


LIMITS = GuardLimits()


class NameGuard:
    """Judges names one after another; the folder that is the same as the last one's is not judged again."""

    def __init__(self, findings: Findings, limits: GuardLimits = LIMITS) -> None:
        self._findings = findings
        self._limits = limits
        self._folder: str | None = None
        self._folder_good = True

    def judge(self, path: str) -> bool:
        """Note what is wrong with ``path``; False when the package cannot be taken because of it."""
        folder, slash, name = path.rpartition("/")
        if folder != self._folder or not folder:  # "" is the folder of "a" and of "/a"
            self._folder, self._folder_good = folder, not slash or self._whole(path, folder)
        if not self._folder_good:
            return False
        if len(path) * 4 > self._limits.path and len(path.encode("utf-8", "surrogatepass")) > self._limits.path:
            self._findings.add("NAME-LONG", path, limit=self._limits.path)
            return False
        return self._component(path, name)

    def _whole(self, path: str, folder: str) -> bool:
        if path.startswith(("/", "\\\\")) or _DRIVE.match(path):
            self._findings.add("NAME-ABSOLUTE", path)
            return False
        parts = folder.split("/")
        if len(parts) >= self._limits.depth:
            self._findings.add("NAME-DEEP", path, limit=self._limits.depth)
            return False
        return all(self._component(path, part) for part in parts)

    def _component(self, path: str, name: str) -> bool:
        if _PLAIN.fullmatch(name) and len(name) * 3 <= self._limits.component and not _DEVICE.fullmatch(name):
            return True
        code = self._refusal(path, name)
        if code:
            self._findings.add(code, path, limit=self._limits.component)
            return False
        for remark, form in (("NAME-BIDI", _BIDI), ("NAME-INVISIBLE", _INVISIBLE), ("NAME-PRIVATE-USE", _PRIVATE)):
            if form.search(name):
                self._findings.add(remark, path)
        if _UNPORTABLE.search(name) or _DEVICE.fullmatch(name):
            self._findings.add("NAME-PORTABILITY", path)
        return True

    def _refusal(self, path: str, name: str) -> str:
        if "\0" in name:
            return "NAME-NUL"
        if _SURROGATE.search(name):
            return "NAME-ENCODING"
        if _DRIVE.match(path) or path.startswith("\\\\"):
            return "NAME-ABSOLUTE"
        if name == ".." or ("\\" in name and ".." in name.split("\\")):
            return "NAME-ESCAPES"
        if "\\" in name:
            return "NAME-BACKSLASH"
        if not name.strip() or name == ".":
            return "NAME-EMPTY"
        if _CONTROL.search(name):
            return "NAME-CONTROL"
        return "NAME-LONG" if len(name.encode()) > self._limits.component else ""
