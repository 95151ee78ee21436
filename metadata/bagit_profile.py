"""BagIt profiles (BagIt Profiles Specification 1.3, with the fields of its draft 1.4): read from a file, and judged by.

A profile is only ever read from a file that whoever runs the archive gives: what a bag names in its
``BagIt-Profile-Identifier`` is compared with the profile's own identifier and never opened.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from metadata.findings import Findings
from metadata.refusal import DocumentRefused

SIZE_LIMIT = 1 << 20
"""Bytes of a profile file."""

_OWN_FILES = re.compile(
    r"bagit\.txt|bag-info\.txt|package-info\.txt|fetch\.txt|(tag)?manifest-[^/]+\.txt", re.IGNORECASE
)
_INFO = ("BagIt-Profile-Identifier", "Source-Organization", "External-Description", "Version")
_SAME_TYPE: Mapping[str, frozenset[str]] = {
    "application/zip": frozenset({"application/zip", "application/x-zip-compressed"}),
    "application/x-tar": frozenset({"application/tar", "application/x-tar"}),
    "application/gzip": frozenset(
        {
            "application/gzip",
            "application/x-gzip",
            "application/tar+gzip",
            "application/x-tar+gzip",
            "application/x-gtar",
        }
    ),
    "application/x-bzip2": frozenset({"application/bzip2", "application/x-bzip2", "application/x-bzip"}),
    "application/x-xz": frozenset({"application/xz", "application/x-xz"}),
}


class BagProfileRefused(DocumentRefused):
    """A file that is no usable BagIt profile. ``code`` begins with ``BAG-PROFILE-``."""


@dataclass(frozen=True, slots=True)
class TagRule:
    """What a profile says of one label of bag-info. ``values`` empty: any value will do."""

    label: str
    required: bool = False
    recommended: bool = False
    repeatable: bool = True
    values: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class ListRule:
    """What must be and what may be; ``allowed`` None: anything may."""

    required: tuple[str, ...] = ()
    allowed: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class BagProfile:
    """A profile as read. ``info`` is BagIt-Profile-Info; algorithms are in lower case without hyphens."""

    info: Mapping[str, str]
    tags: tuple[TagRule, ...]
    manifests: ListRule
    tag_manifests: ListRule
    tag_files: ListRule
    payload_files: ListRule
    versions: tuple[str, ...]
    fetch_allowed: bool = True
    fetch_required: bool = False
    data_empty: bool = False
    serialization: str = "optional"
    media_types: tuple[str, ...] = ()

    @property
    def identifier(self) -> str:
        """The URI that bags of this profile name."""
        return self.info["BagIt-Profile-Identifier"]


@dataclass(frozen=True, slots=True)
class BagFacts:
    """What a profile asks of a bag. ``info`` is the name of its bag-info; ``tags`` None: it has none.

    ``manifests`` and ``tag_manifests`` are algorithms as the manifests' names have them; ``media_type`` is of the
    archive file that the bag came in, empty for a folder; ``tag_files`` are all files outside ``data/``.
    """

    name: str
    version: str
    info: str
    tags: Sequence[tuple[str, str]] | None
    manifests: Sequence[str]
    tag_manifests: Sequence[str]
    media_type: str
    payload_count: int
    payload_bytes: int
    has_file: Callable[[str], bool]
    tag_files: Callable[[], Iterable[str]]
    payload_files: Callable[[], Iterable[str]]


@cache
def tt05_bag_profile() -> BagProfile:
    """The archive's own profile of bags for deliveries under Circular 05/2025/TT-BNV: ``bag_profiles/tt05.json``."""
    name = "tt05.json"
    return read_bag_profile((resources.files("metadata") / "bag_profiles" / name).read_bytes(), name)


def read_bag_profile(data: bytes, place: str) -> BagProfile:
    """Read a profile. Raises BagProfileRefused: BAG-PROFILE-JSON, -FIELD, -INFO, -CONTRADICTION."""
    try:
        found = json.loads(data.decode("utf-8-sig")) if len(data) <= SIZE_LIMIT else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BagProfileRefused("BAG-PROFILE-JSON", place)
    fields = _Fields(found, place)
    info = fields.info()
    allowed = fields.flag("Allow-Fetch.txt", default=True)
    profile = BagProfile(
        info,
        fields.tags(),
        fields.lists("Manifests", read=_algorithm),
        fields.lists("Tag-Manifests", read=_algorithm),
        fields.lists("Tag-Files", globs=True),
        fields.lists("Payload-Files", globs=True),
        fields.texts("Accept-BagIt-Version") or (),
        allowed,
        fields.flag("Fetch.txt-Required", default=False),
        fields.flag("Data-Empty", default=False),
        fields.choice("Serialization", ("forbidden", "required", "optional"), "optional"),
        fields.texts("Accept-Serialization") or (),
    )
    if not profile.versions:
        raise BagProfileRefused("BAG-PROFILE-FIELD", place, field="Accept-BagIt-Version")
    if profile.serialization == "required" and not profile.media_types:
        raise BagProfileRefused("BAG-PROFILE-FIELD", place, field="Accept-Serialization")
    if profile.fetch_required and not allowed:
        raise BagProfileRefused("BAG-PROFILE-CONTRADICTION", place, one="Fetch.txt-Required", other="Allow-Fetch.txt")
    return profile


class _Fields:
    """The fields of a profile, each of the type that it must be."""

    def __init__(self, found: dict[str, Any], place: str) -> None:
        self._found = found
        self._place = place

    def _refuse(self, field: str) -> BagProfileRefused:
        return BagProfileRefused("BAG-PROFILE-FIELD", self._place, field=field)

    def info(self) -> Mapping[str, str]:
        found = self._found.get("BagIt-Profile-Info")
        info = {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}
        for field in _INFO:
            if not info.get(field):
                raise BagProfileRefused("BAG-PROFILE-INFO", self._place, field=field)
        return MappingProxyType(info)

    def tags(self) -> tuple[TagRule, ...]:
        found = self._found.get("Bag-Info", {})
        if not isinstance(found, dict):
            raise self._refuse("Bag-Info")
        return tuple(self._tag(label, rule) for label, rule in found.items() if label.lower() != _INFO[0].lower())

    def _tag(self, label: str, rule: object) -> TagRule:
        if not isinstance(rule, dict):
            raise self._refuse(f"Bag-Info: {label}")
        of = _Fields(rule, self._place)
        try:
            return TagRule(
                label,
                of.flag("required", default=False),
                of.flag("recommended", default=False),
                of.flag("repeatable", default=True),
                of.texts("values") or (),
                str(rule.get("description", "")),
            )
        except BagProfileRefused as refused:
            raise self._refuse(f"Bag-Info: {label}: {refused.details['field']}") from None

    def flag(self, field: str, *, default: bool) -> bool:
        found = self._found.get(field, default)
        if isinstance(found, str) and found.lower() in ("true", "false"):
            return found.lower() == "true"
        if not isinstance(found, bool):
            raise self._refuse(field)
        return found

    def choice(self, field: str, choices: tuple[str, ...], default: str) -> str:
        found = self._found.get(field, default)
        if found not in choices:
            raise self._refuse(field)
        return str(found)

    def texts(self, field: str) -> tuple[str, ...] | None:
        found = self._found.get(field)
        if found is None:
            return None
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise self._refuse(field)
        return tuple(found)

    def lists(self, name: str, *, read: Callable[[str], str] = str, globs: bool = False) -> ListRule:
        required = tuple(read(one) for one in self.texts(f"{name}-Required") or ())
        given = self.texts(f"{name}-Allowed")
        allowed = None if given is None else tuple(read(one) for one in given)
        fits = _any_of(allowed, globs=globs)
        if not all(fits(one) for one in required):
            one, other = f"{name}-Required", f"{name}-Allowed"
            raise BagProfileRefused("BAG-PROFILE-CONTRADICTION", self._place, one=one, other=other)
        return ListRule(required, allowed)


def _algorithm(name: str) -> str:
    return name.lower().replace("-", "")


def _any_of(allowed: tuple[str, ...] | None, *, globs: bool) -> Callable[[str], bool]:
    if allowed is None:
        return lambda _: True
    if not globs:
        return lambda one: one in allowed
    patterns = [re.compile(fnmatch.translate(one)) for one in allowed]
    return lambda one: any(pattern.match(one) for pattern in patterns)


def judge_bag_profile(
    profile: BagProfile, bag: BagFacts, findings: Findings, *, only_what_is_there: bool = False
) -> None:
    """Judge a bag by a profile; everything found gets a code ``BAG-PROFILE-…``.

    ``only_what_is_there`` asks for no label that is absent, nor that the bag names the profile: for a caller who
    knows from elsewhere what bag-info does not say.
    """
    for found in (
        _version(profile, bag),
        _tags(profile, bag, only_what_is_there=only_what_is_there),
        _manifests(profile.manifests, bag.manifests, "manifest"),
        _manifests(profile.tag_manifests, bag.tag_manifests, "tagmanifest"),
        _files(profile, bag),
        _serialization(profile, bag),
    ):
        for code, place, details in found:
            findings.add(code, place, **details)


Found = Iterator[tuple[str, str, dict[str, object]]]


def _version(profile: BagProfile, bag: BagFacts) -> Found:
    if bag.version not in profile.versions:
        yield "BAG-PROFILE-VERSION", "bagit.txt", {"version": bag.version, "accepted": _some(profile.versions)}


def _tags(profile: BagProfile, bag: BagFacts, *, only_what_is_there: bool) -> Found:
    if bag.tags is None:
        if not only_what_is_there:
            yield "BAG-PROFILE-NO-INFO", bag.name, {"file": bag.info}
        return
    values: dict[str, list[str]] = {}
    for label, value in bag.tags:
        values.setdefault(label.lower(), []).append(value)
    if not only_what_is_there and profile.identifier not in values.get(_INFO[0].lower(), ()):
        yield "BAG-PROFILE-IDENTIFIER", bag.info, {"identifier": profile.identifier}
    for rule in profile.tags:
        found = values.get(rule.label.lower(), [])
        if not any(found) and not only_what_is_there:
            if rule.required:
                yield "BAG-PROFILE-TAG-MISSING", bag.info, {"tag": rule.label}
            elif rule.recommended:
                yield "BAG-PROFILE-TAG-ADVISED", bag.info, {"tag": rule.label}
        if len(found) > 1 and not rule.repeatable:
            yield "BAG-PROFILE-TAG-REPEATED", bag.info, {"tag": rule.label}
        for value in found:
            if rule.values and value not in rule.values:
                yield (
                    "BAG-PROFILE-TAG-VALUE",
                    bag.info,
                    {"tag": rule.label, "value": value, "accepted": _some(rule.values)},
                )


def _manifests(rule: ListRule, present: Sequence[str], kind: str) -> Found:
    there = {_algorithm(one): one for one in present}
    tag = kind == "tagmanifest"
    for one in rule.required:
        if one not in there:
            code = "BAG-PROFILE-TAGMANIFEST-MISSING" if tag else "BAG-PROFILE-MANIFEST-MISSING"
            yield code, f"{kind}-{one}.txt", {}
    for one, named in there.items():
        if rule.allowed is not None and one not in rule.allowed:
            code = "BAG-PROFILE-TAGMANIFEST-EXTRA" if tag else "BAG-PROFILE-MANIFEST-EXTRA"
            yield code, f"{kind}-{named}.txt", {"accepted": _some(rule.allowed)}


def _files(profile: BagProfile, bag: BagFacts) -> Found:
    for path in profile.tag_files.required:
        if not bag.has_file(path):
            yield "BAG-PROFILE-TAG-FILE-MISSING", path, {}
    if profile.tag_files.allowed is not None:
        fits = _any_of(profile.tag_files.allowed, globs=True)
        for path in bag.tag_files():
            if not _OWN_FILES.fullmatch(path) and not fits(path):
                yield "BAG-PROFILE-TAG-FILE-EXTRA", path, {}
    for path in profile.payload_files.required:
        if not bag.has_file(path):
            yield "BAG-PROFILE-PAYLOAD-MISSING", path, {}
    if profile.payload_files.allowed is not None:
        fits = _any_of(profile.payload_files.allowed, globs=True)
        for path in bag.payload_files():
            if not fits(path):
                yield "BAG-PROFILE-PAYLOAD-EXTRA", path, {}
    if profile.data_empty and (bag.payload_count > 1 or bag.payload_bytes > 0):
        yield "BAG-PROFILE-DATA-NOT-EMPTY", bag.name, {}
    if bag.has_file("fetch.txt") and not profile.fetch_allowed:
        yield "BAG-PROFILE-FETCH-FORBIDDEN", "fetch.txt", {}
    if profile.fetch_required and not bag.has_file("fetch.txt"):
        yield "BAG-PROFILE-FETCH-MISSING", "fetch.txt", {}


def _serialization(profile: BagProfile, bag: BagFacts) -> Found:
    if not bag.media_type:
        if profile.serialization == "required":
            yield "BAG-PROFILE-NOT-SERIALIZED", bag.name, {"accepted": _some(profile.media_types)}
    elif profile.serialization == "forbidden":
        yield "BAG-PROFILE-SERIALIZED", bag.name, {}
    elif profile.media_types:
        names = _SAME_TYPE.get(bag.media_type, frozenset({bag.media_type}))
        if not names & {one.lower() for one in profile.media_types}:
            yield "BAG-PROFILE-MEDIA-TYPE", bag.name, {"found": bag.media_type, "accepted": _some(profile.media_types)}


def _some(values: Sequence[str]) -> str:
    return ", ".join(values[:20]) + (", …" if len(values) > 20 else "")
