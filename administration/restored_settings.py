"""Settings that come out of a backup: what of them counts at once, and what somebody has to look at first.

A backup lies in stores, and whoever rules one store can write there what he likes. What no other store vouches for may
not say which program is started, where records, mails and keys are sent, or which database is written to: that waits in
the settings' file, behind ``#``, until a person takes it in.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from administration.settings import parse_here
from metadata.errors import UsageError

REACHING: Final = frozenset({
    "catalogue.url", "work.url", "listen.host", "antivirus.clamd", "antivirus.quarantine", "signatures.fetch_hosts",
    "formats.verapdf", "alerts.mail_to", "alerts.mail_from", "alerts.smtp_host", "alerts.smtp_port",
    "alerts.smtp_security", "alerts.smtp_user", "alerts.smtp_password_env", "alerts.smtp_password_file",
    "alerts.webhook", "alerts.webhook_secret_env", "alerts.ca", "alerts.link", "stores.endpoint",
    "stores.access_key_env", "stores.secret_key_env", "stores.ca", "stores.credentials", "stores.credentials_file",
    "stores.proxy", "stores.sse_key",
})  # fmt: skip
"""Settings that name programs, addresses, files or environment variables."""
_LISTS: Final = ("policies", "audit_periods")
_STORAGE: Final = "storage"
_WAITING: Final = """\
# Những thiết lập dưới đây có trong bản sao lưu nhưng chưa có hiệu lực: chỉ một nơi lưu chứng thực bản sao lưu này.
# Hãy xem từng dòng; dòng nào đúng là của kho thì bỏ dấu # (và đưa vào đúng mục đã có ở trên).
# The settings below were in the backup and are not in force: only one store vouches for it. Look at each line; take
# away the # of what is the archive's own (and move it into its section above where there is one).
"""


def settled(
    data: bytes, bare: Mapping[str, Any], home: Path, catalogue: str, *, believed: bool
) -> tuple[dict[str, Any], str, list[str]]:
    """The backup's settings with the stores' addresses as they are given now in ``bare``: as data, as a file's text,
    and the names of those that wait for somebody. What cannot be used at all is not taken: ``bare`` counts."""
    try:
        settings = tomllib.loads(data.decode())
    except (ValueError, RecursionError):
        settings = {}
    waiting: dict[str, Any] = {}
    entries = settings.get("stores", [])
    sections = {name: one for name, one in settings.items() if isinstance(one, dict)}
    lists = {name: settings[name] for name in _LISTS if isinstance(settings.get(name), list)}
    settings = {"stores": []} | sections | lists if settings else {}
    if not settings:
        return dict(bare), as_toml(bare), []
    if not believed:
        _hold_back(settings, waiting)
    settings["stores"] = _stores(entries, bare["stores"], waiting, believed=believed)
    if catalogue:
        settings["catalogue"] = {**settings.get("catalogue", {}), "url": catalogue}
    # Without the stores that wait, there may be fewer than its replicas and policies ask for.
    for without in ((), (_STORAGE,), _LISTS):
        waiting |= {name: settings.pop(name) for name in without if name in settings}
        if _STORAGE in without:
            settings[_STORAGE] = dict(bare[_STORAGE])
        try:
            parse_here(settings, home)
        except UsageError:
            continue
        return settings, as_toml(settings) + _behind_marks(waiting), names_of(waiting)
    return dict(bare), as_toml(bare), ["*"]


def _hold_back(settings: dict[str, Any], waiting: dict[str, Any]) -> None:
    for section, content in list(settings.items()):
        if isinstance(content, dict):
            held = {name: value for name, value in content.items() if f"{section}.{name}" in REACHING}
            left = {name: value for name, value in content.items() if name not in held}
            if held:
                waiting[section] = held
                settings[section] = left


def _stores(
    entries: object, given: Sequence[Mapping[str, Any]], waiting: dict[str, Any], *, believed: bool
) -> list[dict[str, Any]]:
    """Those of the backup, at the addresses given now, and then those given that it does not know."""
    addresses = {one["id"]: one for one in given}
    found: list[dict[str, Any]] = []
    held: list[dict[str, Any]] = []
    for one in entries if isinstance(entries, list) else ():
        if not isinstance(one, dict) or not isinstance(one.get("id"), str):
            continue
        address = addresses.pop(one["id"], None)
        odd = set() if believed else {name for name in one if f"stores.{name}" in REACHING}
        if address is None and odd:
            held.append(one)
            continue
        if odd - set(address or ()):
            held.append({name: value for name, value in one.items() if name in odd or name == "id"})
        found.append({name: value for name, value in one.items() if name not in odd} | dict(address or {}))
    if held:
        waiting["stores"] = held
    return [*found, *map(dict, addresses.values())]


def names_of(waiting: Mapping[str, Any]) -> list[str]:
    """The places of settings, such as ``alerts.webhook`` or ``stores (kho-a)``."""
    names: list[str] = []
    for section, content in waiting.items():
        if isinstance(content, list):
            told = ", ".join(str(one.get("id", one.get("name", one.get("fonds", "?")))) for one in content)
            names.append(f"{section} ({told})")
        else:
            names += [f"{section}.{name}" for name in content]
    return names


def _behind_marks(waiting: Mapping[str, Any]) -> str:
    if not waiting:
        return ""
    return f"\n{_WAITING}" + "".join(f"# {line}".rstrip() + "\n" for line in as_toml(waiting).splitlines())


def as_toml(data: Mapping[str, Any]) -> str:
    """Settings as TOML: sections of plain values, and lists of such sections."""
    lines: list[str] = []
    for section, content in data.items():
        for entry in content if isinstance(content, list) else [content]:
            lines.append(f"[[{section}]]" if isinstance(content, list) else f"[{section}]")
            lines += [f"{_name(name)} = {_value(value)}" for name, value in entry.items()]
            lines.append("")
    return "\n".join(lines)


def _name(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else _value(name)


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(one) for one in value)}]"
    # A TOML basic string takes JSON's escapes, but for the one of a lone surrogate, which no TOML file holds.
    told = json.dumps(value, ensure_ascii=False, default=str).replace("\x7f", "\\u007f")
    return "".join(
        c if c.isprintable() else f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}" for c in told
    )
