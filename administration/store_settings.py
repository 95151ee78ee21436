"""The settings of one store: an entry of ``[[stores]]`` in ``tangthu.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from metadata.errors import UsageError
from metadata.identifiers import StoreId
from metadata.stores import StoreTraits
from metadata.text import Sentence

_NEEDED: Final = {"directory": ("path",), "s3": ("endpoint", "bucket")}
_ROLE_VARIABLES: Final = (
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
)


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """One store, as ``settings.toml`` describes each setting.

    ``access_key`` and ``secret_key`` were read from the environment variables that the file names; ``role`` are the
    variables by which a container finds its role, only where ``credentials`` is ``role``. Limits of 0 are none.
    """

    id: StoreId
    kind: str
    path: Path
    endpoint: str = ""
    bucket: str = ""
    region: str = ""
    prefix: str = ""
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    ca: str = ""
    credentials: str = "environment"
    credentials_file: str = ""
    role: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxy: str = ""
    site: str = ""
    label: str = ""
    checksums: str = "auto"
    lock: str = "none"
    lock_days: int = 0
    sse: str = "none"
    sse_key: str = ""
    storage_class: str = ""
    cold: bool = False
    thaw_days: int = 7
    offline: bool = False
    mb_per_second: float = 0.0
    requests_per_second: float = 0.0
    requests_at_once: int = 0
    audit_days: float = 0.0
    audit_mb_per_second: float = 0.0
    audit_requests_per_second: float = 0.0
    audit_hours: str = ""
    read_price_per_gb: float = 0.0

    @property
    def traits(self) -> StoreTraits:
        """What replica policies ask."""
        return StoreTraits(self.id, self.site, self.kind, self.lock != "none", self.cold, self.offline)

    @classmethod
    def of(cls, values: Mapping[str, Any], place: str, home: Path, environment: Mapping[str, str]) -> Self:
        """Out of an entry whose values were checked one by one; ``place`` is the entry's, for what is told.

        Raises UsageError for what is missing and for settings that do not go together.
        """
        given = {name.partition(".")[2]: value for name, value in values.items()}
        access, secret = given.pop("access_key_env"), given.pop("secret_key_env")
        for name in _NEEDED[given["kind"]]:
            if not given[name]:
                raise missing_setting(f"{place}.{name}")
        given["id"] = StoreId(given["id"])
        given["path"] = home / given["path"].replace("{home}", str(home))
        for name in ("ca", "credentials_file"):
            given[name] = str(home / given[name].replace("{home}", str(home))) if given[name] else ""
        if given["credentials"] == "environment":
            given |= {"access_key": environment.get(access, ""), "secret_key": environment.get(secret, "")}
        if given["credentials"] == "role":
            given["role"] = {name: environment[name] for name in _ROLE_VARIABLES if name in environment}
        made = cls(**given)
        made._check(place)
        return made

    def _check(self, place: str) -> None:
        if self.credentials == "file" and not self.credentials_file:
            raise missing_setting(f"{place}.credentials_file")
        if self.lock != "none" and self.lock_days < 1:
            raise missing_setting(f"{place}.lock_days")
        if self.kind == "directory":
            for name, value in (("lock", self.lock), ("sse", self.sse), ("cold", self.cold)):
                if value not in ("none", False):
                    raise _not_together(f"{place}.{name}", "kind = “directory”")
        elif self.offline:
            raise _not_together(f"{place}.offline", "kind = “s3”")


def parse_hours(text: str) -> tuple[int, int] | None:
    """Hours of the day, such as ``22-6``: (from, to); None for an empty text. Raises ValueError."""
    if not text:
        return None
    begin, dash, end = text.partition("-")
    if not dash or not (begin.isdigit() and end.isdigit()) or int(begin) > 23 or int(end) > 24:
        raise ValueError(text)
    return int(begin), int(end)


def missing_setting(place: str) -> UsageError:
    """A setting that must be given."""
    return UsageError(Sentence(f"Thiếu thiết lập {place}.", f"The setting {place} is missing."))


def _not_together(one: str, other: str) -> UsageError:
    return UsageError(
        Sentence(f"Thiết lập {one} không đi được với {other}.", f"The setting {one} does not go with {other}.")
    )
