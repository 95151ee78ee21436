"""Settings of one archive: ``tangthu.toml`` in its home folder. The only module that reads the environment.

What settings exist is data (``settings.toml`` beside this file): reader, documentation and tests all go by it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from administration.policy_settings import check_policies, is_fonds, is_store_list, policy_of
from administration.store_settings import StoreSettings, missing_setting, parse_hours
from metadata.errors import NotFound, UsageError
from metadata.identifiers import ArchiveCode, FondsCode, StoreId
from metadata.text import Sentence
from storage.policy import ReplicaPolicy

FILE_NAME = "tangthu.toml"
HOME_VARIABLE = "TANGTHU_HOME"
_LISTS = {"stores", "policies", "audit_periods"}

Value = str | int | float


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of ``settings.toml``: where it stands, what it is when it is not given, what it is for.

    ``default`` None means that it must be given. ``check`` names the rule that its value must pass.
    """

    section: str
    name: str
    kind: type[str] | type[int] | type[float] | type[bool]
    default: Value | None
    check: str
    about: Sentence

    @property
    def place(self) -> str:
        return f"{self.section}.{self.name}"

    def allows(self, value: object) -> bool:
        return type(value) is self.kind and _CHECKS[self.check](value)


def _identifier(kind: type[ArchiveCode] | type[StoreId]) -> Callable[[Any], bool]:
    def check(value: str) -> bool:
        try:
            kind(value)
        except ValueError:
            return False
        return True

    return check


def _fetch_hosts(value: str) -> bool:
    from preservation.signatures.fetching import allowed_hosts

    try:
        allowed_hosts(value)
    except UsageError:
        return False
    return True


def _is_hours(value: str) -> bool:
    try:
        parse_hours(value)
    except ValueError:
        return False
    return True


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "": lambda _: True,
    "positive": lambda value: value > 0,
    "count": lambda value: value >= 0,
    "percent": lambda value: 0 <= value <= 100,
    "signatures": lambda value: value in ("record", "valid"),
    "port": lambda value: 0 <= value <= 65535,
    "credentials": lambda value: value in ("environment", "file", "role"),
    "checksums": lambda value: value in ("auto", "crc64nvme", "md5", "none"),
    "lock": lambda value: value in ("none", "governance", "compliance"),
    "sse": lambda value: value in ("none", "s3", "kms"),
    "limit": lambda value: value >= 0,
    "hours": _is_hours,
    "smtp-security": lambda value: value in ("starttls", "ssl", "none"),
    "proxy": lambda value: re.fullmatch(r"|https?://\S+", value) is not None,
    "store-kind": lambda value: value in ("directory", "s3"),
    "scanner-address": lambda value: re.fullmatch(r"|/.+|\S+:[0-9]{1,5}", value) is not None,
    "fetch-hosts": _fetch_hosts,
    "program": lambda value: re.fullmatch(r"|/.+", value) is not None,
    "archive-code": _identifier(ArchiveCode),
    "store-id": _identifier(StoreId),
    "store-list": is_store_list,
    "fonds": is_fonds,
    "name": lambda value: 0 < len(value.strip()) <= 200 and value.isprintable(),
}
_KINDS: Mapping[str, type[str] | type[int] | type[float] | type[bool]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
}


@cache
def known_settings() -> tuple[Setting, ...]:
    """Every setting there is, out of ``settings.toml`` beside this module; section ``stores`` is that of each store."""
    data = tomllib.loads((resources.files("administration") / "settings.toml").read_text(encoding="utf-8"))
    return tuple(
        Setting(
            section,
            name,
            _KINDS[entry["type"]],
            entry.get("default"),
            entry.get("check", ""),
            Sentence(entry["vi"], entry["en"]),
        )
        for section, entries in data.items()
        for name, entry in entries.items()
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that may differ between two archives."""

    home: Path
    archive: ArchiveCode
    name: str
    catalogue_url: str
    work_url: str
    stores: tuple[StoreSettings, ...]
    values: Mapping[str, Value]
    policies: tuple[ReplicaPolicy, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the environment variables hold that settings ``…_env`` name, by the setting's place."""
    fonds_periods: Mapping[FondsCode, timedelta] = field(default_factory=dict)
    """Fonds that are to be read again within a time of their own."""

    def number(self, place: str) -> float:
        """A numeric setting by its place in the file, such as ``audit.batch``."""
        value = self.values[place]
        if isinstance(value, str):
            raise TypeError(f"{place} is not a number")
        return float(value)

    def text(self, place: str) -> str:
        """A setting that is text, by its place in the file."""
        return str(self.values[place])

    def count(self, place: str) -> int:
        """A whole-number setting by its place in the file."""
        return int(self.number(place))

    @property
    def required_replicas(self) -> int:
        return self.count("storage.required_replicas")

    @property
    def audit_period(self) -> timedelta:
        return timedelta(days=self.number("audit.period_days"))

    @property
    def listen(self) -> tuple[str, int]:
        return str(self.values["listen.host"]), self.count("listen.port")

    @property
    def token_file(self) -> Path:
        """Where ``init`` put the access token of the web page and the API."""
        return self.home / "token"

    @property
    def search_folder(self) -> Path:
        return self.home / "search"

    @property
    def formats_folder(self) -> Path:
        """Where newer PRONOM signature files lie once there are any."""
        return self.home / "formats"

    @property
    def trust_folder(self) -> Path:
        """What signatures are judged by, once somebody has put something there."""
        return self.home / "trust"

    @property
    def quarantine_folder(self) -> Path:
        """Packages in which a virus was found, as they were sent."""
        return self.home / self.text("antivirus.quarantine").replace("{home}", str(self.home))

    @property
    def work_folder(self) -> Path:
        """Temporary files: what is unpacked, ledgers, spools."""
        return self.home / "tmp"


def find_home(given: Path | None, environment: Mapping[str, str] | None = None) -> Path:
    """The archive's home: as given, else TANGTHU_HOME, else this folder when it holds a ``tangthu.toml``.

    Raises UsageError when none of them says.
    """
    environment = os.environ if environment is None else environment
    if given is not None:
        return given
    if named := environment.get(HOME_VARIABLE):
        return Path(named)
    here = Path.cwd()
    if (here / FILE_NAME).is_file():
        return here
    raise UsageError(
        Sentence(
            f"Chưa biết kho lưu trữ nào: dùng --home THƯ_MỤC, đặt biến {HOME_VARIABLE}, "
            f"hoặc chạy trong thư mục có {FILE_NAME}. Tạo kho mới bằng «tangthu init».",
            f"Which archive? Give --home FOLDER, set {HOME_VARIABLE}, or run where {FILE_NAME} is. "
            "“tangthu init” makes a new one.",
        )
    )


def load(home: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read ``home``'s settings. Raises NotFound without a file; UsageError for anything unknown, missing or odd."""
    file = home / FILE_NAME
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(
            Sentence(
                f"Không có tệp {file}. Tạo kho bằng «tangthu init».", f"There is no {file}. “tangthu init” makes one."
            )
        ) from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(Sentence(f"{file} không đọc được: {error}.", f"{file} cannot be read: {error}.")) from error
    return parse(data, home, os.environ if environment is None else environment)


def parse_here(data: Mapping[str, object], home: Path) -> Settings:
    """As :func:`parse`, with this process's environment: for settings that are not in their place yet."""
    return parse(data, home, os.environ)


def parse_text(text: str, home: Path) -> Settings:
    """Settings out of a file's text, with this process's environment. Raises UsageError, TOMLDecodeError."""
    return parse(tomllib.loads(text), home, os.environ)


def parse(data: Mapping[str, object], home: Path, environment: Mapping[str, str]) -> Settings:
    """Settings out of what a TOML file said. Raises UsageError."""
    sections = {setting.section for setting in known_settings()} - _LISTS
    for section, content in data.items():
        if section in _LISTS:
            continue
        if section not in sections or not isinstance(content, dict):
            raise _unknown(section, sorted({*sections, *_LISTS}))
    values: dict[str, Value] = {}
    for section in sorted(sections):
        values |= _section(data.get(section, {}), section, section)
    home = home.resolve()
    stores = _stores(data.get("stores"), home, environment)
    required = int(values["storage.required_replicas"])
    if len(stores) < required:
        raise UsageError(
            Sentence(
                f"storage.required_replicas là {required} nhưng chỉ khai {len(stores)} nơi lưu.",
                f"storage.required_replicas is {required} but only {len(stores)} stores are named.",
            )
        )
    policies = [policy_of(entry) for entry in _entries(data.get("policies", []), "policies")]
    check_policies(policies, [store.traits for store in stores], required)
    return Settings(
        home,
        ArchiveCode(str(values["archive.code"])),
        str(values["archive.name"]),
        str(values["catalogue.url"]).replace("{home}", str(home)),
        str(values["work.url"]).replace("{home}", str(home)),
        stores,
        MappingProxyType(values),
        tuple(policies),
        {place: environment.get(str(name), "") for place, name in values.items() if place.endswith("_env")},
        _fonds_periods(data.get("audit_periods", [])),
    )


def _fonds_periods(data: object) -> Mapping[FondsCode, timedelta]:
    entries = _entries(data, "audit_periods")
    found = {str(one["audit_periods.fonds"]): timedelta(days=float(one["audit_periods.days"])) for one in entries}
    if "" in found or len(found) < len(entries):
        raise UsageError(
            Sentence(
                "Mỗi [[audit_periods]] phải nêu mã của một phông, mỗi phông một lần.",
                "Each of [[audit_periods]] names one fonds, each fonds once.",
            )
        )
    return {FondsCode(fonds): period for fonds, period in found.items()}


def _entries(data: object, section: str) -> list[dict[str, Value]]:
    """The entries of a list of sections, each checked. Raises UsageError."""
    if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
        raise UsageError(
            Sentence(f"Hãy khai {section} bằng [[{section}]].", f"Write each of {section} as [[{section}]].")
        )
    return [_section(entry, section, f"{section}[{number}]") for number, entry in enumerate(data, 1)]


def _stores(data: object, home: Path, environment: Mapping[str, str]) -> tuple[StoreSettings, ...]:
    if not data or not isinstance(data, list):
        raise UsageError(
            Sentence("Phải khai ít nhất một nơi lưu bằng [[stores]].", "Name at least one store with [[stores]].")
        )
    entries = enumerate(_entries(data, "stores"), 1)
    stores = [StoreSettings.of(values, f"stores[{number}]", home, environment) for number, values in entries]
    if len({store.id for store in stores}) < len(stores):
        raise UsageError(Sentence("Hai nơi lưu trùng tên (stores.id).", "Two stores have the same name (stores.id)."))
    return tuple(stores)


def _section(data: object, section: str, place: str) -> dict[str, Value]:
    known = [setting for setting in known_settings() if setting.section == section]
    if not isinstance(data, dict):
        raise _unknown(place, [setting.place for setting in known])
    names = {setting.name for setting in known}
    for name in data:
        if name not in names:
            raise _unknown(f"{place}.{name}", sorted(f"{place}.{each}" for each in names))
    return {setting.place: _value(data.get(setting.name, setting.default), setting, place) for setting in known}


def _value(value: object, setting: Setting, place: str) -> Value:
    where = f"{place}.{setting.name}"
    if value is None:
        raise missing_setting(where)
    if setting.kind is float and type(value) is int:
        value = float(value)
    if not isinstance(value, str | int | float) or not setting.allows(value):
        raise UsageError(
            Sentence(
                f"Giá trị của {where} không dùng được: {value!r}. {setting.about.vi}",
                f"{where} cannot be {value!r}. {setting.about.en}",
            )
        )
    return value


def _unknown(place: str, known: Sequence[str]) -> UsageError:
    return UsageError(
        Sentence(
            f"Không có thiết lập nào tên là {place}. Có: {', '.join(known)}.",
            f"There is no setting {place}. There are: {', '.join(known)}.",
        )
    )


def render(code: str, name: str, stores: Sequence[tuple[str, str]], values: Mapping[str, Value] | None = None) -> str:
    """The text of a new ``tangthu.toml``: the archive, its directory stores (id, path), and chosen other settings."""
    lines = ["[archive]", f"code = {toml_value(code)}", f"name = {toml_value(name)}", ""]
    chosen: dict[str, list[str]] = {}
    for place, value in (values or {}).items():
        section, _, key = place.partition(".")
        chosen.setdefault(section, []).append(f"{key} = {toml_value(value)}")
    for section, entries in chosen.items():
        lines += [f"[{section}]", *entries, ""]
    for store, path in stores:
        lines += ["[[stores]]", f"id = {toml_value(store)}", 'kind = "directory"', f"path = {toml_value(path)}", ""]
    return "\n".join(lines)


def toml_value(value: Value) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    escaped = "".join(
        c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" if c not in '"\\' else f"\\{c}" for c in value
    )
    return f'"{escaped}"'
