"""The requirements of E-ARK as data: which finding code stands for which requirement in which version."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from metadata.findings import Findings
from metadata.package_kinds import PackageKind

_PREFIX = "EARK-"
_NOTHING = {"now_vi": "không có", "now_en": "nothing"}
_FILES = {
    PackageKind.EARK_CSIP: ("csip",),
    PackageKind.EARK_SIP: ("csip", "sip"),
    PackageKind.EARK_AIP: ("csip", "aip"),
    PackageKind.EARK_DIP: ("csip", "dip"),
}


@cache
def requirements(kind: PackageKind, version: str) -> Mapping[str, str]:
    """Finding codes by requirement, of those that a package of that kind and version must meet.

    A requirement whose level changed has a code for each level (``EARK-CSIP96``, ``EARK-CSIP96-MUST``); a code is also
    found by its own name without the prefix (``CSIP1-SHOULD``).
    """
    found: dict[str, str] = {}
    folder = resources.files("metadata") / "finding_codes"
    for name in _FILES[kind]:
        for code, entry in tomllib.loads((folder / f"eark_{name}.toml").read_text(encoding="utf-8")).items():
            if version in entry.get("versions", (version,)):
                found[code.removeprefix(_PREFIX)] = code
                found.setdefault(entry.get("requirement", code), code)
    return MappingProxyType(found)


class Report:
    """Notes findings about one place; requirements that the version does not have are passed over."""

    __slots__ = ("_codes", "_findings", "place")

    def __init__(self, findings: Findings, codes: Mapping[str, str], place: str) -> None:
        self._findings = findings
        self._codes = codes
        self.place = place

    def about(self, place: str) -> Report:
        """The same for another file."""
        return Report(self._findings, self._codes, place)

    def add(self, requirement: str, at: str = "", value: object = "") -> None:
        """``at`` says which element or file, ``value`` what was found: in sentences ``now_vi`` and ``now_en``."""
        code = self._codes.get(requirement)
        if code is not None:
            now = {"now_vi": f"là “{value}”", "now_en": f"“{value}”"} if value else _NOTHING
            self._findings.add(code, self.place, at=at, value=value, **now)

    def unreadable(self, error: Exception) -> None:
        """What cannot be read is not judged, and that is said."""
        self.add("UNREADABLE", "", error)
