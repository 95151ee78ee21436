"""The stores that the settings name, made; and new ones added to the settings."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from administration.settings import FILE_NAME, Settings, Value, known_settings, parse_text, toml_value
from administration.store_settings import StoreSettings
from metadata.errors import UsageError
from metadata.text import Sentence

if TYPE_CHECKING:
    from storage.port import Store
    from storage.stores.directory import DirectoryStore
    from storage.stores.s3 import S3Store


def make_store(settings: StoreSettings, careful: Callable[[], bool] = lambda: True) -> DirectoryStore | S3Store:
    """The store itself. Raises UsageError for a file of keys that is no good."""
    if settings.kind == "directory":
        from storage.stores.directory import DirectoryStore

        return DirectoryStore(settings.id, settings.path, settings.label, settings.offline)
    from storage.stores.s3 import S3Account, S3Options, S3Store
    from storage.stores.s3_client import read_credentials

    keys = settings.access_key, settings.secret_key
    if settings.credentials == "file":
        keys = read_credentials(Path(settings.credentials_file))
    account = S3Account(
        settings.endpoint,
        *keys,
        settings.region,
        Path(settings.ca) if settings.ca else None,
        proxy=settings.proxy,
        role=settings.role if settings.credentials == "role" else None,
    )
    options = S3Options(
        settings.checksums, settings.lock, settings.lock_days, settings.sse, settings.sse_key,
        settings.storage_class, settings.thaw_days, careful,
    )  # fmt: skip
    return S3Store(settings.id, account, settings.bucket, settings.prefix, options=options)


def limited(store: Store, settings: StoreSettings) -> Store:
    """The store within the limits that its settings set."""
    if not (settings.mb_per_second or settings.requests_per_second or settings.requests_at_once):
        return store
    from storage.wrappers import LimitStore

    return LimitStore(
        store,
        settings.mb_per_second * 1e6 or None,
        settings.requests_at_once or None,
        requests_per_second=settings.requests_per_second or None,
    )


def entry_of(id: str, places: Mapping[str, str | None], pairs: Sequence[str]) -> dict[str, Value]:
    """An entry out of what was typed: ``name=value``, each value of its setting's kind. Raises UsageError."""
    given = {name: value for name, value in places.items() if value}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(Sentence(f"«{pair}» phải có dạng THIẾT-LẬP=GIÁ-TRỊ.", f"“{pair}” must be SETTING=VALUE."))
        given[name.strip()] = value.strip()
    entry: dict[str, Value] = {"id": id, "kind": "s3" if "endpoint" in given else "directory"}
    kinds = {setting.name: setting.kind for setting in known_settings() if setting.section == "stores"}
    for name, value in given.items():
        kind = kinds.get(name, str)
        try:
            entry[name] = {"true": True, "false": False}[value.lower()] if kind is bool else kind(value)
        except (ValueError, KeyError) as error:
            raise UsageError(
                Sentence(f"Giá trị của {name} không dùng được: {value}.", f"{name} cannot be {value}.")
            ) from error
    return entry


def add_entry(home: Path, entry: Mapping[str, Value], write: bool = True) -> Settings:
    """Append a ``[[stores]]`` entry to ``tangthu.toml``, in one step; what is there stays as it is, comments too.

    Gives the settings with it. Raises UsageError, and changes nothing, when they would not be valid.
    """
    file = home / FILE_NAME
    try:
        before = file.read_text(encoding="utf-8")
        lines = ["", "[[stores]]", *(f"{name} = {toml_value(value)}" for name, value in entry.items()), ""]
        text = before.rstrip("\n") + "\n" + "\n".join(lines)
        settings = parse_text(text, home)
        if write:
            _replace(file, text)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(Sentence(f"Không sửa được {file}: {error}.", f"Cannot change {file}: {error}.")) from error
    return settings


def _replace(file: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        Path(name).chmod(file.stat().st_mode & 0o777)
        Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)
